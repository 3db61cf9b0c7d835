"""Which rules decided: one short name for the code of `domain` and `rules` as it is."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable


@cache
def program_version() -> str:
    """The version of meetbot, `0.1.0`."""
    return version("meetbot")


@cache
def rules_version() -> str:
    """What this program's `digest_of` is."""
    return digest_of(files("meetbot"))


def digest_of(program: Traversable) -> str:
    """16 hexadecimal digits of the SHA-256 of every source file that can change a verdict."""
    digest = hashlib.sha256()
    for package in ("domain", "rules"):
        for name, text in _sources(program / package, package):
            digest.update(f"{name}\0{len(text)}\0".encode())
            digest.update(text)
    return digest.hexdigest()[:16]


def _sources(folder: Traversable, name: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        path = f"{name}/{entry.name}"
        if entry.is_dir():
            found += _sources(entry, path)
        elif entry.name.endswith(".py"):
            # Line ends may differ where the sources were checked out.
            found.append((path, entry.read_bytes().replace(b"\r\n", b"\n")))
    return found
