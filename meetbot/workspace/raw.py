"""Reading values out of Google's JSON, where every field may be absent or of another kind.

Nothing here raises: what cannot be read is empty or None, and the caller decides what that means.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Raw = Mapping[str, Any]
"""One JSON object; past `workspace/` there are none."""

LONGEST_TEXT = 65_536
"""Characters of free text that are looked at; Google's own limit for descriptions is lower."""
LONGEST_NAME = 200
LONGEST_ID = 1_024
_MOST_DIGITS = 18


def as_object(value: object) -> Raw:
    """The JSON object, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> list[Raw]:
    """The JSON objects of a list; other entries become empty objects, so that they are counted."""
    return [as_object(one) for one in value] if isinstance(value, list) else []


def as_text(value: object, longest: int = LONGEST_ID) -> str:
    """A text, cut to `longest` characters, without lone surrogates; empty for anything else."""
    if not isinstance(value, str):
        return ""
    short = value if len(value) <= longest else value[:longest]
    return short if short.isascii() else short.encode("utf-8", "replace").decode("utf-8")


def is_longer(value: object, longest: int) -> bool:
    """Whether `as_text` cuts this."""
    return isinstance(value, str) and len(value) > longest


def as_flag(value: object, *, default: bool = False) -> bool:
    """A boolean, which Google leaves out where it has its default."""
    return value if isinstance(value, bool) else default


def as_number(value: object) -> int | None:
    """A whole number; 64-bit ones are strings in JSON (`intValue`)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 10**_MOST_DIGITS else None
    if isinstance(value, str) and len(value) <= _MOST_DIGITS:
        digits = value.removeprefix("-")
        return int(value) if digits.isascii() and digits.isdigit() else None
    return None


def as_instant(value: object) -> datetime | None:
    """An RFC 3339 instant as aware UTC, fractions kept to the microsecond; None without a zone."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def as_unix(seconds: int | None) -> datetime | None:
    """The instant of a Unix time in seconds."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def as_code(value: object) -> str | None:
    """A Meet code without hyphens in lower case: `abc-mnop-xyz` and `ABCMNOPXYZ` are one."""
    code = as_text(value, 64).strip().replace("-", "").lower()
    return code if code.isascii() and code.isalnum() else None


def rfc3339(instant: datetime) -> str:
    """An aware instant the way Google's parameters want it, in UTC with milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
