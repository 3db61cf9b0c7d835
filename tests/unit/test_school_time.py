"""School days and school hours: weekends, holidays and clock changes never shift a deadline."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.policy import SchoolCalendar
from meetbot.domain.school_time import (
    add_school_days,
    add_school_time,
    end_of_school_day,
    is_school_day,
    school_hours,
)
from tests.dossiers import ZONE

THANKSGIVING = (date(2026, 11, 26), date(2026, 11, 27))
WINTER = (date(2026, 12, 21), date(2027, 1, 1))
SCHOOL = SchoolCalendar(holidays=(THANKSGIVING, WINTER))
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-10-13T15:00", 3, "2026-10-16T15:00"),  # Tuesday to Friday
        ("2026-10-16T15:00", 3, "2026-10-21T15:00"),  # Friday to Wednesday
        ("2026-10-17T15:00", 3, "2026-10-21T15:00"),  # Saturday to Wednesday
        ("2026-10-13T08:00", 1, "2026-10-14T13:00"),  # 03:00 local: when school opens
        ("2026-10-30T15:00", 3, "2026-11-04T16:00"),  # clocks go back: 10:00 stays 10:00
        ("2026-03-05T16:00", 3, "2026-03-10T15:00"),  # clocks go forward
        ("2026-10-13T15:00", 0, "2026-10-13T15:00"),
    ],
)
def test_school_days_keep_the_local_time(start: str, days: int, expected: str) -> None:
    """Weekends do not count, and clock changes do not move the hour."""
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)

    found = add_school_days(begin, days, ZONE, SchoolCalendar())

    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-11-25T16:00", 1, "2026-11-30T16:00"),  # over Thanksgiving and the weekend
        ("2026-11-24T16:00", 3, "2026-12-01T16:00"),
        ("2026-12-18T16:00", 1, "2027-01-04T16:00"),  # over two weeks
        ("2026-12-25T16:00", 1, "2027-01-04T16:00"),  # from within them
    ],
)
def test_holidays_are_no_school_days(start: str, days: int, expected: str) -> None:
    """First and last day of a range are both without school."""
    assert add_school_days(utc(start), days, ZONE, SCHOOL) == utc(expected)


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-10-13T15:00", 1, "2026-10-13T16:00"),  # Tuesday 10:00 local
        ("2026-10-13T20:30", 1, "2026-10-14T13:30"),  # half an hour today, half tomorrow
        ("2026-10-13T20:00", 1, "2026-10-13T21:00"),  # exactly at closing time
        ("2026-10-13T21:00", 1, "2026-10-14T14:00"),  # at closing time nothing is left
        ("2026-10-13T08:00", 1, "2026-10-13T14:00"),  # before school opens
        ("2026-10-16T20:30", 1, "2026-10-19T13:30"),  # Friday to Monday
        ("2026-10-30T20:30", 1, "2026-11-02T14:30"),  # clocks go back at the weekend
        ("2026-03-06T21:30", 1, "2026-03-09T13:30"),  # clocks go forward
        ("2026-11-25T21:30", 1, "2026-11-30T14:30"),  # over a holiday
        ("2026-10-13T15:00", 20, "2026-10-15T19:00"),  # 6 h, 8 h, 6 h
        ("2026-10-17T15:00", 0, "2026-10-19T13:00"),  # no time at all, on a Saturday
    ],
)
def test_time_counts_while_school_is_open(start: str, hours: int, expected: str) -> None:
    """An hour of school time is an hour in which somebody can act."""
    assert add_school_time(utc(start), hours * HOUR, ZONE, SCHOOL) == utc(expected)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-10-13T15:00", "2026-10-13T21:00"),
        ("2026-10-13T20:59", "2026-10-13T21:00"),
        ("2026-10-13T21:00", "2026-10-14T21:00"),
        ("2026-10-13T08:00", "2026-10-13T21:00"),
        ("2026-10-31T15:00", "2026-11-02T22:00"),
        ("2026-11-25T23:00", "2026-11-30T22:00"),
    ],
)
def test_the_school_day_ends_when_school_closes(start: str, expected: str) -> None:
    """That of the next school day, where school is over or out."""
    assert end_of_school_day(utc(start), ZONE, SCHOOL) == utc(expected)


def test_the_day_is_that_of_the_school() -> None:
    """Late in the evening there, when it is the next day already where clocks show UTC."""
    evening = SchoolCalendar(closes=time(23, 59))

    found = end_of_school_day(utc("2026-10-14T03:00"), ZONE, evening)

    assert found == utc("2026-10-14T04:59")


@pytest.mark.parametrize(
    "calendar",
    [
        SchoolCalendar(weekdays=(), opens=time(0)),
        SchoolCalendar(weekdays=(7,), opens=time(0)),
        SchoolCalendar(opens=time(0), holidays=((date(2026, 1, 1), date(9999, 12, 31)),)),
    ],
)
def test_a_school_without_days_waits_for_none(calendar: SchoolCalendar) -> None:
    """A calendar that has no school day left must not wait for ever."""
    start = utc("2026-10-13T15:00")

    assert add_school_days(start, 3, ZONE, calendar) == start
    assert add_school_time(start, HOUR, ZONE, calendar) == start + HOUR
    assert end_of_school_day(start, ZONE, calendar) == start


def test_hours_that_a_clock_change_swallows_do_not_count() -> None:
    """A school open from 02:30 to 03:10 has no hours on the night on which 02:30 does not exist."""
    night = SchoolCalendar(weekdays=tuple(range(7)), opens=time(2, 30), closes=time(3, 10))

    found = add_school_time(utc("2026-03-08T06:00"), timedelta(minutes=10), ZONE, night)

    assert found == utc("2026-03-09T07:40")


@pytest.mark.usefixtures("machine_in_chicago")
def test_what_waits_for_school_days_is_told_in_utc() -> None:
    """Wherever the machine stands."""
    hours = school_hours(date(2026, 10, 13), ZONE, SchoolCalendar())

    assert add_school_days(utc("2026-10-13T15:00"), 1, ZONE, SchoolCalendar()).tzinfo is UTC
    assert (hours.start_at.tzinfo, hours.end_at.tzinfo) == (UTC, UTC)


# --- whatever the calendar ----------------------------------------------------------------------

days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
holidays = st.lists(
    st.tuples(days, st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1] * 24 * HOUR)),
    max_size=6,
).map(tuple)
calendars = st.builds(
    SchoolCalendar,
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda found: tuple(sorted(found))),
    opens=st.sampled_from([time(0), time(1, 30), time(7, 45), time(8)]),
    closes=st.sampled_from([time(9), time(16), time(23, 59)]),
    holidays=holidays,
)
instants = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001
    datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
lengths = st.integers(0, 100 * 60).map(lambda minutes: timedelta(minutes=minutes))


def open_time(start: datetime, end: datetime, calendar: SchoolCalendar) -> timedelta:
    """How long school was open between two instants, day by day."""
    total, day = timedelta(0), start.astimezone(ZONE).date()
    while day <= end.astimezone(ZONE).date():
        if is_school_day(day, calendar):
            hours = school_hours(day, ZONE, calendar)
            total += max(min(end, hours.end_at) - max(start, hours.start_at), timedelta(0))
        day += timedelta(days=1)
    return total


@given(instants, lengths, calendars)
def test_exactly_so_much_school_time_passes(
    start: datetime, length: timedelta, calendar: SchoolCalendar
) -> None:
    """Not a second more or less, across holidays, weekends and clock changes; and in an hour in
    which school is open, or at its very end."""
    end = add_school_time(start, length, ZONE, calendar)

    assert end >= start
    assert open_time(start, end, calendar) == length
    hours = school_hours(end.astimezone(ZONE).date(), ZONE, calendar)
    assert is_school_day(end.astimezone(ZONE).date(), calendar)
    assert hours.start_at <= end <= hours.end_at


@given(instants, lengths, lengths, calendars)
def test_school_time_adds_up(
    start: datetime, one: timedelta, other: timedelta, calendar: SchoolCalendar
) -> None:
    """Twice some time is as long as both at once, and later never comes sooner."""
    first = add_school_time(start, one, ZONE, calendar)

    both = add_school_time(start, one + other, ZONE, calendar)
    assert open_time(first, add_school_time(first, other, ZONE, calendar), calendar) == other
    assert open_time(start, both, calendar) == one + other
    assert first <= both
    assert add_school_time(start + other, one, ZONE, calendar) >= first


@given(instants, st.integers(1, 12), calendars)
def test_so_many_school_days_lie_between(
    start: datetime, number: int, calendar: SchoolCalendar
) -> None:
    """The last of them is a school day, and holidays and weekends were passed over."""
    end = add_school_days(start, number, ZONE, calendar)

    first, last = start.astimezone(ZONE).date(), end.astimezone(ZONE).date()
    between = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    assert sum(is_school_day(day, calendar) for day in between) == number
    assert is_school_day(last, calendar)


@given(instants, calendars)
def test_a_school_day_ends_once(start: datetime, calendar: SchoolCalendar) -> None:
    """After the instant, at a closing time, with no other closing time in between."""
    end = end_of_school_day(start, ZONE, calendar)

    assert end > start
    assert end == school_hours(end.astimezone(ZONE).date(), ZONE, calendar).end_at
    before = end.astimezone(ZONE).date() - timedelta(days=1)
    while before >= start.astimezone(ZONE).date():
        closing = school_hours(before, ZONE, calendar).end_at
        assert closing <= start or not is_school_day(before, calendar)
        before -= timedelta(days=1)
