"""How texts of others are printed."""

from __future__ import annotations


def shown(text: str, longest: int = 80) -> str:
    """A text from outside, short and printable: for an error message or a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text[:longest])
