"""The district's school calendar as instants: school days, school hours, and time that counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from meetbot.domain.dates import Window
from meetbot.domain.policy import SchoolCalendar

_ONE_DAY = timedelta(days=1)
_LAST_DAY = date(9000, 1, 1)
"""Nobody plans so far ahead; a calendar of nothing but holidays ends here, not in an error."""


def is_school_day(day: date, calendar: SchoolCalendar) -> bool:
    """Whether officers can be expected to act on a local day."""
    return day.weekday() in calendar.weekdays and not any(
        first <= day <= last for first, last in calendar.holidays
    )


def school_hours(day: date, zone: ZoneInfo, calendar: SchoolCalendar) -> Window:
    """From opening to closing of a local day, as instants."""
    return Window(
        datetime.combine(day, calendar.opens, zone).astimezone(UTC),
        datetime.combine(day, calendar.closes, zone).astimezone(UTC),
    )


def add_school_days(at: datetime, days: int, zone: ZoneInfo, calendar: SchoolCalendar) -> datetime:
    """The same local time `days` school days later; the opening hour of the day at the earliest."""
    local = at.astimezone(zone)
    day, left = local.date(), days
    for later in _school_days(day + _ONE_DAY, calendar):
        if not left:
            break
        day, left = later, left - 1
    clock = max(calendar.opens, local.time())
    return datetime.combine(day, clock, zone).astimezone(UTC)


def add_school_time(
    at: datetime, length: timedelta, zone: ZoneInfo, calendar: SchoolCalendar
) -> datetime:
    """The instant by which so much school time has passed; nothing counts while school is out."""
    left = length
    for hours in _hours_from(at, zone, calendar):
        since = max(at, hours.start_at)
        if left <= hours.end_at - since:
            return since + left
        left -= hours.end_at - since
    return at + length


def end_of_school_day(at: datetime, zone: ZoneInfo, calendar: SchoolCalendar) -> datetime:
    """The next closing time; that of the next school day where school is over or out."""
    return next((hours.end_at for hours in _hours_from(at, zone, calendar)), at)


def _hours_from(at: datetime, zone: ZoneInfo, calendar: SchoolCalendar) -> Iterator[Window]:
    """School hours that end after an instant, day by day."""
    for day in _school_days(at.astimezone(zone).date(), calendar):
        hours = school_hours(day, zone, calendar)
        # Where clocks change within school hours, a short day may have none at all.
        if max(at, hours.start_at) < hours.end_at:
            yield hours


def _school_days(first: date, calendar: SchoolCalendar) -> Iterator[date]:
    """School days from one on; none for a calendar that has no day of the week."""
    if not any(weekday in range(7) for weekday in calendar.weekdays):
        return
    for number in range((_LAST_DAY - first).days):
        day = first + number * _ONE_DAY
        if is_school_day(day, calendar):
            yield day
