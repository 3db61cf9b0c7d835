"""Staying below Google's minute windows, per project and per `quotaUser`.

A token bucket (GCRA of pyrate-limiter, one number per key) holds a quarter of the limit and fills
with three quarters of it a minute, so that no 60 seconds ever see more than the limit. A caller
takes its place in the queue at once and sleeps one time until it is due: no thread is kept, and
nobody wakes in vain.

Figures: https://developers.google.com/workspace/calendar/api/guides/quota,
https://developers.google.com/workspace/meet/api/guides/limits,
https://developers.google.com/workspace/admin/directory/v1/limits,
https://developers.google.com/workspace/admin/reports/v1/limits,
https://developers.google.com/workspace/gmail/api/reference/quota (a message is 100 units),
https://developers.google.com/workspace/sheets/api/limits.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyrate_limiter import GCRA, Duration, Rate

from meetbot.errors import Temporary
from meetbot.workspace.api import Api


@dataclass(frozen=True, slots=True)
class PerMinute:
    """Requests a minute for the whole Cloud project and for one user; None is no limit."""

    project: int | None
    user: int | None


GOOGLE_LIMITS: Mapping[Api, PerMinute] = {
    Api.CALENDAR: PerMinute(10_000, 600),
    Api.MEET: PerMinute(6_000, 600),
    Api.DIRECTORY: PerMinute(None, 2_400),
    Api.REPORTS: PerMinute(None, 2_400),
    Api.GMAIL: PerMinute(12_000, 60),
    Api.SHEETS: PerMinute(300, 60),
}
_State = tuple[float, ...]
_Key = tuple[Api, str]


class Quota:
    """Buckets shared by all threads. `clock` is monotonic seconds; `users` bounds the memory."""

    def __init__(
        self,
        limits: Mapping[Api, PerMinute] = GOOGLE_LIMITS,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        longest_wait: float = 60.0,
        users: int = 10_000,
    ) -> None:
        self._project = {api: _rate(limit.project) for api, limit in limits.items()}
        self._user = {api: _rate(limit.user) for api, limit in limits.items()}
        self._clock = clock
        self._sleep = sleep
        self._longest_wait = longest_wait
        self._users = users
        self._policy = GCRA()
        self._lock = threading.Lock()
        self._states: OrderedDict[_Key, _State] = OrderedDict()

    def take(self, api: Api, user: str) -> None:
        """Wait until one more request of this user may be sent.

        Raises `Temporary`, without taking a place, if that would take longer than `longest_wait`.
        """
        buckets = [
            ((api, name), rate)
            for name, rate in (("", self._project[api]), (user, self._user[api]))
            if rate is not None
        ]
        with self._lock:
            now = int(self._clock() * 1000)
            due = self._due(buckets, now)
            wait = (due - now) / 1000
            if wait > self._longest_wait:
                raise Temporary("too many requests are waiting for Google", retry_after=wait)
            for key, rate in buckets:
                self._states[key], _ = self._policy.step([rate], self._state(key, rate), due, 1)
            self._forget()
        if wait > 0:
            self._sleep(wait)

    def _due(self, buckets: list[tuple[_Key, Rate]], now: int) -> int:
        """The first millisecond at which every bucket has a token."""
        due = now
        for key, rate in buckets:
            _, decision = self._policy.step([rate], self._state(key, rate), due, 1)
            due += decision.retry_after_ms or 0
        return due

    def _state(self, key: _Key, rate: Rate) -> _State:
        state = self._states.get(key)
        if state is None:
            return self._policy.initial([rate])
        self._states.move_to_end(key)
        return state

    def _forget(self) -> None:
        while len(self._states) > self._users:
            self._states.popitem(last=False)


def _rate(limit: int | None) -> Rate | None:
    if limit is None:
        return None
    burst = max(1, limit // 4)
    return Rate(max(1, limit - burst), Duration.MINUTE, burst=burst)
