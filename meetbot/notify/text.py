"""Texts in mails: foreign words made harmless, times and lengths written for people."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from meetbot.domain.findings import TimelineSpan
from meetbot.domain.spans import union

LOCALE = "en_US"

_DAY = "EEE d MMM y"
_BREAKS = frozenset({"Zl", "Zp", "Zs"})
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Control, format (bidi, zero width), surrogate, private and unassigned characters."""

T = TypeVar("T")


def clean(text: str, limit: int) -> str:
    """One line of visible characters, at most `limit` of them, cut ones marked with an ellipsis."""
    head = text[: limit * 4]  # a title of a megabyte need not be looked at whole
    line = " ".join("".join(_visible(char) for char in head).split())
    if len(line) <= limit and len(text) == len(head):
        return line
    return line[: limit - 1].rstrip() + "…"


def _visible(char: str) -> str:
    if char.isspace():
        return " "
    category = unicodedata.category(char)
    if category in _BREAKS:
        return " "
    return "" if category in _HIDDEN else char


def cleaned(value: T, limit: int) -> T:
    """A copy of a value of `domain.notices` with every text in it cleaned, however deep."""
    return _cleaned(value, limit)  # type: ignore[return-value]


def _cleaned(value: object, limit: int) -> object:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return clean(value, limit)
    if isinstance(value, tuple):
        return tuple(_cleaned(item, limit) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value))
        return dataclasses.replace(
            value, **{name: _cleaned(getattr(value, name), limit) for name in names}
        )
    return value


def minutes(seconds: int) -> str:
    """A length or an offset as m:ss, such as `14:00`, `0:45` or `-1:30`."""
    sign = "-" if seconds < 0 else ""
    whole, rest = divmod(abs(seconds), 60)
    return f"{sign}{whole}:{rest:02}"


def total_seconds(spans: Iterable[TimelineSpan]) -> int:
    """Seconds covered by the spans; overlapping ones (`alone` lies within others) count once."""
    whole = ((int(span.start_at.timestamp()), int(span.end_at.timestamp())) for span in spans)
    return sum(end - start for start, end in union(whole))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def day(moment: datetime, zone: str) -> str:
    """The local day, such as `Tue 13 Oct 2026`."""
    return str(format_datetime(moment, _DAY, tzinfo=_zone(zone), locale=LOCALE))


def iso_day(text: str) -> str:
    """The day named by an ISO date in words; any other text stays, cut (it may be a subject)."""
    try:
        return str(format_date(date.fromisoformat(text), _DAY, locale=LOCALE))
    except ValueError:
        return clean(text, 20)


def clock(moment: datetime, zone: str) -> str:
    """The local time, such as `10:00`."""
    return str(format_datetime(moment, "HH:mm", tzinfo=_zone(zone), locale=LOCALE))


def clock_seconds(moment: datetime, zone: str) -> str:
    """The local time to the second, such as `10:30:00`."""
    return str(format_datetime(moment, "HH:mm:ss", tzinfo=_zone(zone), locale=LOCALE))


def zone_name(moment: datetime, zone: str) -> str:
    """The zone's short name at that moment, such as `CDT`."""
    return str(format_datetime(moment, "zzz", tzinfo=_zone(zone), locale=LOCALE))


def when(start_at: datetime, end_at: datetime, zone: str) -> str:
    """A meeting's time, such as `Tue 13 Oct 2026, 10:00–10:45 CDT`; names both days if two."""
    first, last = day(start_at, zone), day(end_at, zone)
    until = clock(end_at, zone) if first == last else f"{last}, {clock(end_at, zone)}"
    return f"{first}, {clock(start_at, zone)}–{until} {zone_name(end_at, zone)}"
