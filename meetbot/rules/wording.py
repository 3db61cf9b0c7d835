"""How durations, days and counts stand in sentences."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_FEWEST = 3


def clock(seconds: int) -> str:
    """Minutes and seconds, `14:00`; an hour is `60:00`."""
    return f"{seconds // 60}:{seconds % 60:02d}"


def minutes(seconds: int) -> str:
    """Whole minutes begun and finished, `30`; "under 1" below one."""
    return str(seconds // 60) if seconds >= 60 else "under 1"


def spoken(length: timedelta) -> str:
    """A length as people say it: `45 min`, `3 h 20 min`, `2 d 4 h`."""
    total = max(int(length.total_seconds()) // 60, 0)
    days, hours, left = total // 1440, total // 60 % 24, total % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {left} min" if hours else f"{left} min"


def local_day(at: datetime, zone: ZoneInfo) -> str:
    """The local date, `2026-10-13`."""
    return at.astimezone(zone).date().isoformat()


def local_time(at: datetime, zone: ZoneInfo) -> str:
    """The local time of day, `10:30`."""
    return at.astimezone(zone).strftime("%H:%M")


def local_moment(at: datetime, zone: ZoneInfo) -> str:
    """Local date and time, `2026-10-13 10:30`."""
    return f"{local_day(at, zone)} {local_time(at, zone)}"


def counted(number: int, *, is_confidential: bool) -> str:
    """A number at the head of a sentence; small ones are withheld for confidential services.

    Catalogue §1, Never in e-mail.
    """
    return f"Fewer than {_FEWEST}" if is_confidential and number < _FEWEST else str(number)


def listed(words: Collection[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = [*words] or [""]
    return f"{', '.join(most)} and {last}" if most else last
