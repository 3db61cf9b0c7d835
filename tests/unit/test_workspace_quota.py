"""Token buckets: never more than the limit in any minute, one sleep each, bounded memory."""

from __future__ import annotations

import threading
from bisect import bisect_right

import pytest

from meetbot.errors import Temporary
from meetbot.workspace.api import Api
from meetbot.workspace.quota import GOOGLE_LIMITS, PerMinute, Quota
from tests.workspace_parts import Time


def a_quota(project: int | None, user: int | None, *, users: int = 10_000) -> tuple[Quota, Time]:
    time = Time()
    limits = {Api.CALENDAR: PerMinute(project, user)}
    quota = Quota(limits, clock=time, sleep=time.sleep, longest_wait=1e6, users=users)
    return quota, time


def most_in_a_minute(instants: list[float]) -> int:
    return max(bisect_right(instants, at + 60) - n for n, at in enumerate(instants))


def test_first_requests_do_not_wait() -> None:
    """Up to a quarter of the minute's limit may go at once."""
    quota, time = a_quota(None, 100)

    for _ in range(25):
        quota.take(Api.CALENDAR, "ann")

    assert time.slept == []


def test_never_over_the_limit() -> None:
    """No 60 seconds ever see more requests than the limit, and the limit is nearly used."""
    quota, time = a_quota(None, 100)
    sent = []

    for _ in range(500):
        quota.take(Api.CALENDAR, "ann")
        sent.append(time.now)

    assert most_in_a_minute(sent) <= 100
    assert len(time.slept) == 475
    assert sent[-1] - sent[0] < 500 / 75 * 60


def test_users_do_not_wait_for_each_other() -> None:
    """One user's full bucket leaves other users alone, the project's does not."""
    quota, time = a_quota(1_000, 8)
    for _ in range(2):
        quota.take(Api.CALENDAR, "ann")
    quota.take(Api.CALENDAR, "ben")
    assert time.slept == []
    quota.take(Api.CALENDAR, "ann")
    assert len(time.slept) == 1

    quota, time = a_quota(8, 100)
    for user in ("ann", "ben", "cid"):
        quota.take(Api.CALENDAR, user)
    assert len(time.slept) == 1


def test_too_long_a_wait() -> None:
    """A wait that is too long is refused, with its length, and takes no place."""
    limits = {Api.CALENDAR: PerMinute(None, 4)}
    waits: list[float] = []
    quota = Quota(limits, clock=Time(), sleep=waits.append, longest_wait=30)
    quota.take(Api.CALENDAR, "ann")
    quota.take(Api.CALENDAR, "ann")

    for _ in range(3):
        with pytest.raises(Temporary) as caught:
            quota.take(Api.CALENDAR, "ann")
        assert caught.value.retry_after == 40
    assert waits == [20]


def test_memory_is_bounded() -> None:
    """Many thousand users do not fill the memory, and no thread is left behind."""
    quota, _ = a_quota(None, 600, users=100)
    before = threading.active_count()

    for number in range(5_000):
        quota.take(Api.CALENDAR, f"user{number}")

    assert len(quota._states) <= 100
    assert threading.active_count() == before


def test_figures_of_the_facts() -> None:
    """The limits are those that Google documents."""
    assert GOOGLE_LIMITS[Api.CALENDAR] == PerMinute(10_000, 600)
    assert GOOGLE_LIMITS[Api.MEET] == PerMinute(6_000, 600)
    assert GOOGLE_LIMITS[Api.DIRECTORY].user == 2_400
    assert GOOGLE_LIMITS[Api.REPORTS].user == 2_400
    assert GOOGLE_LIMITS[Api.GMAIL].user == 60
