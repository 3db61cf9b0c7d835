"""Inclusive local days as half-open spans of UTC instants (catalogue §2, Dates)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


class Window(NamedTuple):
    """A half-open span [start_at, end_at) of UTC instants; empty when start is not before end."""

    start_at: datetime
    end_at: datetime

    def covers(self, start_at: datetime, end_at: datetime) -> bool:
        """Whether all of [start_at, end_at) lies inside; of a moment without length, the moment."""
        return self.start_at <= start_at < self.end_at and end_at <= self.end_at


def local_day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC.

    Where clocks skip midnight that is the instant of the change. East of Greenwich the first day
    of the calendar gives the earliest instant there is.
    """
    try:
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    except OverflowError:
        return _EARLIEST


def local_interval(starts_on: date, ends_on: date, zone: ZoneInfo) -> Window:
    """[00:00 of the first day, 00:00 after the last day) in the zone, as UTC instants."""
    start_at = local_day_start(starts_on, zone)
    if ends_on == date.max:
        return Window(start_at, _LATEST)
    return Window(start_at, local_day_start(ends_on + timedelta(days=1), zone))


def union(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Fewest windows that cover the same instants, in order; touching ones become one."""
    merged: list[Window] = []
    for window in sorted(w for w in windows if w.start_at < w.end_at):
        if merged and window.start_at <= merged[-1].end_at:
            last = merged.pop()
            window = Window(last.start_at, max(last.end_at, window.end_at))
        merged.append(window)
    return tuple(merged)


def covered(windows: Iterable[Window], start_at: datetime, end_at: datetime) -> bool:
    """Whether the windows together cover all of [start_at, end_at)."""
    return any(window.covers(start_at, end_at) for window in union(windows))
