"""Instants as Google writes and reads them, and the scenario file's relative times."""

import re
from datetime import UTC, datetime, timedelta

_RELATIVE = re.compile(r"([+-])((?:\d+[wdhms])+)")
_PART = re.compile(r"(\d+)([wdhms])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def millis(at: datetime) -> str:
    """`2026-10-13T15:00:00.000Z`, as Calendar's `updated` and the Reports feeds have it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def instant(at: datetime) -> str:
    """`2026-10-13T15:00:00Z` with 0, 3 or 6 decimals, as protobuf timestamps are written."""
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if at.microsecond == 0:
        return text + "Z"
    digits = 3 if at.microsecond % 1000 == 0 else 6
    return f"{text}.{at.microsecond:06d}"[: len(text) + 1 + digits] + "Z"


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant with zone, in UTC.

    Raises ValueError for anything else, a time without zone included.
    """
    if "T" not in text.upper():
        raise ValueError(f"{text!r} is not an RFC 3339 date-time")
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is out of range") from None


def parse_relative(text: str, now: datetime) -> datetime:
    """`now`, `-2h`, `+5m`, `+1d2h30m` counted from `now`, or an RFC 3339 instant.

    Raises ValueError with the accepted forms.
    """
    if text == "now":
        return now
    match = _RELATIVE.fullmatch(text)
    if match is not None:
        span = timedelta(**{_UNITS[unit]: int(n) for n, unit in _PART.findall(match[2])})
        return now - span if match[1] == "-" else now + span
    try:
        return parse_instant(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time: write 'now', '-2h', '+1d30m' or '2026-10-13T15:00:00Z'"
        ) from None
