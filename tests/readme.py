"""What the README says, for the tests that hold it to the code."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


def blocks(language: str) -> list[str]:
    """The code blocks of one language, in order."""
    return [text for kind, text in _BLOCK.findall(TEXT) if kind == language]


def inline() -> list[str]:
    """What stands in backticks within sentences and tables, in order."""
    return _INLINE.findall(_BLOCK.sub("", TEXT))


def scenario() -> str:
    """The lesson of "Try your policy without Google", as TOML."""
    (found,) = (block for block in blocks("toml") if "[[events]]" in block)
    return found
