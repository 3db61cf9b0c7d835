"""When reminders, digests and retries are due."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.jobs.deliver import retry_wait
from meetbot.jobs.digest import last_local
from meetbot.jobs.remind import due_lead, lead_name
from meetbot.ports import SentReminder

START = datetime(2026, 10, 13, 15, tzinfo=UTC)
WEEK, DAY, HOUR = timedelta(days=7), timedelta(hours=24), timedelta(hours=1)
LEADS = (WEEK, DAY, HOUR)
CHICAGO = ZoneInfo("America/Chicago")


def due(
    before: timedelta,
    *sent: SentReminder,
    is_authorized: bool = False,
    start_at: datetime = START,
    leads: tuple[timedelta, ...] = LEADS,
) -> timedelta | None:
    """The lead that is due so long before the start."""
    return due_lead(start_at, start_at - before, leads, list(sent), is_authorized=is_authorized)


def made(lead: timedelta, start_at: datetime = START) -> SentReminder:
    """A reminder queued just when it was due."""
    return SentReminder(lead_name(lead), start_at, start_at - lead)


# --- Reminders ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "unauthorized", "authorized"),
    [
        (timedelta(days=8), None, None),
        (WEEK + timedelta(seconds=1), None, None),
        (WEEK, WEEK, None),
        (timedelta(days=3), WEEK, None),
        (DAY, DAY, DAY),
        (timedelta(hours=5), DAY, DAY),
        (HOUR, HOUR, HOUR),
        (timedelta(seconds=1), HOUR, HOUR),
        (timedelta(0), None, None),
        (-HOUR, None, None),
    ],
)
def test_the_shortest_lead_that_has_come(
    before: timedelta, unauthorized: timedelta | None, authorized: timedelta | None
) -> None:
    """A week ahead only where no approval is there; never at or after the start."""
    assert due(before) == unauthorized
    assert due(before, is_authorized=True) == authorized


def test_each_lead_once() -> None:
    """A reminder that was made is not made again, nor a longer one after it."""
    assert due(timedelta(days=3), made(WEEK)) is None
    assert due(timedelta(hours=5), made(WEEK), made(DAY)) is None
    assert due(timedelta(minutes=5), made(HOUR)) is None


def test_the_next_lead_follows() -> None:
    """Each lead of its own."""
    assert due(DAY, made(WEEK)) == DAY
    assert due(HOUR, made(WEEK), made(DAY)) == HOUR


def test_an_approval_that_is_revoked_is_reminded_of() -> None:
    """Authorized at a week, not any more at five days."""
    assert due(timedelta(days=6), is_authorized=True) is None
    assert due(timedelta(days=5), is_authorized=False) == WEEK


def test_a_meeting_moved_away_is_reminded_of_anew() -> None:
    """Put off by two days: what was said for the old day is said again for the new one."""
    later = START + timedelta(days=2)

    assert due(DAY, made(DAY), start_at=later) == DAY
    assert due(HOUR, made(DAY), made(HOUR), start_at=later) == HOUR


def test_a_meeting_moved_nearer_is_not_reminded_of_twice() -> None:
    """Its new time had come when the reminder was made already."""
    sooner = START - timedelta(hours=3)

    assert due(timedelta(hours=5), made(DAY), start_at=sooner) is None
    assert due(HOUR, made(DAY), start_at=sooner) == HOUR


def test_a_meeting_moved_there_and_back_is_reminded_of_once() -> None:
    """The old day's reminder still counts for the old day."""
    away = START + timedelta(days=2)

    assert due(timedelta(hours=5), made(DAY), made(DAY, away)) is None


def test_a_late_start_of_the_service_catches_up_with_one_reminder() -> None:
    """After an outage only the tightest lead is made."""
    assert due(timedelta(minutes=20)) == HOUR


@given(
    st.lists(st.integers(-20_000, 300), max_size=30),
    st.lists(st.sampled_from([0, 0, 0, 30, 1440, -600]), max_size=30),
    st.booleans(),
)
def test_no_reminder_comes_twice_for_one_start_or_late(
    minutes: list[int], moves: list[int], is_authorized: bool
) -> None:
    """Whenever the job runs, and however the meeting moves."""
    start_at, sent = START, list[SentReminder]()
    for number, minute in enumerate(sorted(minutes)):
        as_of = START + timedelta(minutes=minute)
        start_at += timedelta(minutes=moves[number] if number < len(moves) else 0)
        lead = due_lead(start_at, as_of, LEADS, sent, is_authorized=is_authorized)
        if lead is None:
            continue
        assert start_at - lead <= as_of < start_at
        assert not (is_authorized and lead > DAY)
        sent.append(SentReminder(lead_name(lead), start_at, as_of))

    assert len({(r.lead, r.start_at) for r in sent}) == len(sent)


@pytest.mark.parametrize(
    ("lead", "name"),
    [
        (WEEK, "7d"),
        (timedelta(days=2), "2d"),
        (DAY, "24h"),
        (timedelta(hours=36), "36h"),
        (HOUR, "1h"),
        (timedelta(minutes=30), "30m"),
        (timedelta(minutes=90), "90m"),
    ],
)
def test_leads_are_named_as_configured(lead: timedelta, name: str) -> None:
    """A day is `24h`, as in the configuration's own default."""
    assert lead_name(lead) == name


# --- Digest -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "at", "expected"),
    [
        ("2026-10-13T12:29:59", "07:30", "2026-10-12T12:30"),
        ("2026-10-13T12:30:00", "07:30", "2026-10-13T12:30"),
        ("2026-10-14T02:00:00", "07:30", "2026-10-13T12:30"),
        ("2026-11-01T13:30:00", "07:30", "2026-11-01T13:30"),  # clocks went back at 02:00
        ("2026-11-01T13:29:59", "07:30", "2026-10-31T12:30"),
        ("2026-11-01T06:35:00", "01:30", "2026-11-01T06:30"),  # the first 01:30 of two
        ("2026-11-01T07:10:00", "01:30", "2026-11-01T06:30"),  # 01:10 again: 01:30 was
        ("2026-03-08T08:10:00", "02:30", "2026-03-07T08:30"),  # 03:10: 02:30 is skipped
        ("2026-03-08T08:30:00", "02:30", "2026-03-08T08:30"),
    ],
)
def test_the_last_local_time_is_never_in_the_future(now: str, at: str, expected: str) -> None:
    """To the second, over midnight and over clock changes."""
    as_of = datetime.fromisoformat(now).replace(tzinfo=UTC)

    found = last_local(as_of, time.fromisoformat(at), CHICAGO)

    assert found.astimezone(UTC) == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert found.tzinfo is CHICAGO


@given(st.timedeltas(timedelta(0), timedelta(days=1000)), st.times())
def test_a_digest_is_due_once_a_day(later: timedelta, at: time) -> None:
    """The last instant is not after now, and not more than a day and a clock change ago."""
    as_of = START + later

    found = last_local(as_of, at.replace(microsecond=0, fold=0), CHICAGO).astimezone(UTC)

    assert timedelta(0) <= as_of - found <= timedelta(hours=25)


# --- Retries ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "longest"), [(0, 20), (1, 20), (2, 40), (3, 80), (8, 2560), (9, 3600), (400, 3600)]
)
def test_retries_wait_twice_as_long_each_time(attempts: int, longest: float) -> None:
    """The first within a minute, none longer than an hour, and not all at the same moment."""
    waits = {retry_wait(attempts, None).total_seconds() for _ in range(20)}

    assert all(longest * 0.8 <= wait <= longest for wait in waits)
    assert len(waits) > 1


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (120.0, 120),
        (0.0, 1),
        (-5.0, 1),
        (1e300, 3600),
        (float("inf"), 3600),
        (float("nan"), 1),
    ],
)
def test_a_server_may_ask_for_a_wait(asked: float, expected: float) -> None:
    """Up to an hour, whatever it says."""
    assert retry_wait(1, asked).total_seconds() == expected
