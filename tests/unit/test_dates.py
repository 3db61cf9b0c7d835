"""Inclusive local days as spans of UTC instants."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.dates import Window, covered, local_day_start, local_interval, union
from meetbot.domain.retention import month_in

CHICAGO = ZoneInfo("America/Chicago")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_d1_the_last_evening_is_inside() -> None:
    """D1: a contract to 2026-06-30 ends at 2026-07-01T05:00Z and covers that evening."""
    window = local_interval(date(2026, 1, 1), date(2026, 6, 30), CHICAGO)

    assert window.end_at == utc("2026-07-01T05:00")
    assert window.covers(utc("2026-06-30T23:30"), utc("2026-07-01T00:30"))


def test_d2_the_first_instant_after_is_outside() -> None:
    """D2: a meeting at local midnight after the last day is not covered, whatever its length."""
    window = local_interval(date(2026, 1, 1), date(2026, 6, 30), CHICAGO)

    assert not window.covers(utc("2026-07-01T05:00"), utc("2026-07-01T06:00"))
    assert not window.covers(utc("2026-07-01T05:00"), utc("2026-07-01T05:00"))


def test_d6_ten_in_the_morning_moves_in_utc() -> None:
    """D6: the same local time is an hour later in UTC after the clocks went back."""
    before = local_day_start(date(2026, 10, 27), CHICAGO) + timedelta(hours=10)
    after = local_day_start(date(2026, 11, 3), CHICAGO) + timedelta(hours=10)

    assert (before, after) == (utc("2026-10-27T15:00"), utc("2026-11-03T16:00"))


def test_d7_the_day_clocks_go_back_is_25_hours_long() -> None:
    """D7: an authorization for 2026-11-01 holds for 25 hours."""
    window = local_interval(date(2026, 11, 1), date(2026, 11, 1), CHICAGO)

    assert window.end_at - window.start_at == timedelta(hours=25)


def test_a_skipped_midnight_begins_when_clocks_jump() -> None:
    """Where clocks skip midnight the day begins with the change, and no instant is lost."""
    havana = ZoneInfo("America/Havana")  # 2026-03-08, 00:00 -> 01:00
    before = local_interval(date(2026, 3, 7), date(2026, 3, 7), havana)
    day = local_interval(date(2026, 3, 8), date(2026, 3, 8), havana)

    assert before.end_at == day.start_at == utc("2026-03-08T05:00")
    assert day.end_at - day.start_at == timedelta(hours=23)


def test_adjacent_windows_are_one() -> None:
    """A renewal that begins the day after covers a meeting across midnight."""
    old = local_interval(date(2025, 7, 1), date(2026, 6, 30), CHICAGO)
    new = local_interval(date(2026, 7, 1), date(2027, 6, 30), CHICAGO)

    assert union([new, old]) == (Window(old.start_at, new.end_at),)
    assert covered([new, old], utc("2026-07-01T04:30"), utc("2026-07-01T05:30"))


def test_a_day_between_is_not_covered() -> None:
    """A gap of one day stays a gap."""
    old = local_interval(date(2025, 7, 1), date(2026, 6, 30), CHICAGO)
    new = local_interval(date(2026, 7, 2), date(2027, 6, 30), CHICAGO)

    assert not covered([old, new], utc("2026-07-01T15:00"), utc("2026-07-01T16:00"))


@given(st.dates(), st.dates(), st.sampled_from(["America/Chicago", "Asia/Tokyo", "UTC"]))
def test_no_day_raises(first: date, last: date, zone: str) -> None:
    """Every pair of days gives a window, at the ends of the calendar too."""
    window = local_interval(first, last, ZoneInfo(zone))

    if first <= last:
        assert window.start_at < window.end_at
    elif (first - last).days > 1:
        assert window.start_at >= window.end_at


MOMENTS = st.integers(0, 50).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n))
WINDOWS = st.lists(st.builds(Window, MOMENTS, MOMENTS), max_size=8)


@given(WINDOWS, MOMENTS)
def test_union_holds_the_same_instants(windows: list[Window], at: datetime) -> None:
    """The union holds what any window holds, in order and apart; twice changes nothing."""
    merged = union(windows)

    assert any(w.start_at <= at < w.end_at for w in windows) == any(
        w.start_at <= at < w.end_at for w in merged
    )
    assert all(a.end_at < b.start_at for a, b in pairwise(merged))
    assert union(merged) == merged


def test_the_ends_of_the_calendar_are_as_far_as_instants_go() -> None:
    """East of Greenwich the first day has no UTC instant, and the last day has no day after it."""
    east, west = ZoneInfo("Asia/Tokyo"), CHICAGO

    assert local_day_start(date.min, east) == utc("0001-01-01T00:00:00")
    assert local_day_start(date(9999, 12, 31), west).year == 9999
    assert local_interval(date(2026, 1, 1), date.max, west) == Window(
        utc("2026-01-01T06:00"), utc("9999-12-31T23:59:59")
    )


def test_a_day_starts_in_utc() -> None:
    """The instant is not only the same, it is written in UTC."""
    assert local_day_start(date(2026, 7, 1), CHICAGO).tzinfo is UTC


def test_an_empty_window_is_none() -> None:
    """One that ends as it begins, or before, covers nothing and is not listed."""
    noon, later = utc("2026-07-01T12:00"), utc("2026-07-01T13:00")

    assert union([Window(noon, noon), Window(later, noon)]) == ()
    assert union([Window(noon, later), Window(later, later)]) == (Window(noon, later),)


def test_months_are_local() -> None:
    """The last evening of October in Chicago is in November already in UTC."""
    month = month_in(ZoneInfo("America/Chicago"))

    assert month(datetime(2026, 11, 1, 4, 59, tzinfo=UTC)) == "2026-10"
    assert month(datetime(2026, 11, 1, 5, tzinfo=UTC)) == "2026-11"
