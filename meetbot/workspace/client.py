"""The one way to Google's APIs: google-api-python-client over our own transport.

Each API is built once from the discovery document that comes with the client, and its `Resource`
objects are shared by all threads. That is safe because they are only read after they were built,
and nothing of one request is kept in them: parameters become a new `HttpRequest`, which is given
a `_Channel` of its own with the token of its subject. (The client's default transport, httplib2,
could not be shared: https://github.com/googleapis/google-api-python-client/issues/368.)

What the facts call retryable is tried again here, for all APIs alike, with jitter and `Retry-After`
honored; the client's own `num_retries` stays 0. Sends are never tried again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httplib2
import orjson
from googleapiclient.discovery import build
from googleapiclient.model import JsonModel
from tenacity import RetryCallState, Retrying, retry_if_exception

from meetbot.errors import BadAnswer, Temporary
from meetbot.workspace.access import Access
from meetbot.workspace.activities import decode_page
from meetbot.workspace.api import Api, Grant
from meetbot.workspace.quota import Quota
from meetbot.workspace.raw import Raw
from meetbot.workspace.refusals import Pace, Refused, refused_call, unreadable
from meetbot.workspace.transport import Transport

Method = Callable[..., Any]
"""A method of one of the client's resources, such as `events.list`: parameters → `HttpRequest`."""

_SERVICES: Mapping[Api, tuple[str, str, str]] = {
    Api.CALENDAR: ("calendar", "v3", "calendar/v3/"),
    Api.MEET: ("meet", "v2", ""),
    Api.DIRECTORY: ("admin", "directory_v1", ""),
    Api.REPORTS: ("admin", "reports_v1", ""),
    Api.GMAIL: ("gmail", "v1", ""),
    Api.SHEETS: ("sheets", "v4", ""),
}
"""Name, version, and the service path, which an own endpoint must repeat."""
_MOST_PAGES = 10_000
_WINDOW = 60.0
"""Seconds after which a limit per minute should be over."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to insist. Times in seconds; the first wait is told by the kind of failure.

    `total` bounds the waiting for rate limits, `outage` that for failures. `budget` is how many
    more retries after failures (not after rate limits) an API is given than half its successes.
    A call that insisted in vain uses it up: when an API is down, the next calls fail at once, so
    that a pass over everything still ends within two minutes. The same holds for rate limits: a
    call that waited for longer than a minute window in vain is the last one that waits until a
    request succeeds.
    """

    tries: int = 6
    rate_tries: int = 8
    broken_tries: int = 4
    unreadable_tries: int = 3
    total: float = 100.0
    outage: float = 60.0
    longest_wait: float = 32.0
    budget: int = 40

    def tries_for(self, refused: Refused) -> int:
        """How often to try in all.

        Minute windows must have time to pass; where nobody answers, time changes little.
        """
        if isinstance(refused.error, BadAnswer):
            return self.unreadable_tries
        if refused.pace is Pace.QUICK:
            return self.broken_tries
        return self.rate_tries if refused.is_rate else self.tries

    def time_for(self, refused: Refused) -> float:
        """Seconds after which no further try begins."""
        return self.total if refused.is_rate else self.outage


class _Budget:
    """Retries that are left for each API, and where waiting for a rate limit was in vain."""

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._left = dict.fromkeys(Api, float(most))
        self._limited: set[Api] = set()
        self._lock = threading.Lock()

    def may_wait(self, api: Api) -> bool:
        """Whether waiting for a rate limit may help."""
        with self._lock:
            return api not in self._limited

    def give_up(self, api: Api) -> None:
        """A call waited for its rate limit in vain."""
        with self._lock:
            self._limited.add(api)

    def spend(self, api: Api) -> bool:
        """Take one retry; False when none is left."""
        with self._lock:
            if self._left[api] < 1:
                return False
            self._left[api] -= 1
            return True

    def drain(self, api: Api) -> None:
        """A call gave up: at most one more retry until a request succeeds."""
        with self._lock:
            self._left[api] = min(self._left[api], 1.0)

    def refill(self, api: Api) -> None:
        """A request succeeded."""
        with self._lock:
            self._left[api] = min(self._most, self._left[api] + 0.5)
            self._limited.discard(api)


class GoogleClient:
    """Calls methods of the six APIs for a subject; adapters are built on it.

    `api_root` replaces the root of every API. `quota_key` keys the opaque `quotaUser`. `sleep`,
    `clock` (monotonic seconds) and `dice` ([0, 1)) are for tests.
    """

    def __init__(
        self,
        access: Access,
        transport: Transport,
        quota: Quota,
        *,
        quota_key: bytes,
        api_root: str | None = None,
        policy: RetryPolicy | None = None,
        counts: RequestCounts | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._access = access
        self._transport = transport
        self._quota = quota
        self._quota_key = quota_key
        self._policy = policy or RetryPolicy()
        self._budget = _Budget(self._policy.budget)
        self._counts = counts or RequestCounts()
        self._sleep = sleep
        self._clock = clock
        self._dice = dice
        self._api_root = api_root
        self._services: dict[Api, Any] = {}
        self._building = threading.Lock()

    def service(self, api: Api) -> Any:
        """The client's root resource of an API, built when first asked for.

        Making sub-resources is slow: keep them.
        """
        with self._building:
            if api not in self._services:
                self._services[api] = _built(api, self._api_root)
            return self._services[api]

    def call(self, grant: Grant, subject: str, method: Method, **parameters: object) -> Raw:
        """The JSON object that a method answers with, as seen by the subject.

        Tries again while that may help. Raises `Temporary`, `BadAnswer`, `AccessDenied`,
        `NotFound`, `SyncTokenExpired` or `Permanent`.
        """
        begun = self._clock()

        def is_over(state: RetryCallState) -> bool:
            refused = _refused(state)
            passed = self._clock() - begun + state.upcoming_sleep
            late = passed > self._policy.time_for(refused)
            if late or state.attempt_number >= self._policy.tries_for(refused):
                return True
            if refused.is_rate:
                return not self._budget.may_wait(grant.api)
            return not self._budget.spend(grant.api)

        retrying = Retrying(
            retry=retry_if_exception(_may_help),
            wait=self._wait,
            stop=is_over,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            answer: Raw = retrying(self._once, grant, subject, method, parameters)
        except Refused as refused:
            if refused.is_rate and self._clock() - begun > _WINDOW:
                self._budget.give_up(grant.api)
            elif isinstance(refused.error, Temporary) and not refused.is_rate:
                self._budget.drain(grant.api)
            raise refused.error from refused
        self._budget.refill(grant.api)
        return answer

    def send(self, grant: Grant, subject: str, method: Method, **parameters: object) -> Raw:
        """Like `call`, but with a single try, also when the token was refused."""
        try:
            token = self._access.token(grant, subject)
            try:
                return self._execute(grant, subject, token, method, parameters)
            except Refused as refused:
                if refused.status == 401:
                    self._access.forget(grant, subject, token)
                raise
        except Refused as refused:
            raise refused.error from refused

    def pages(
        self, grant: Grant, subject: str, method: Method, **parameters: object
    ) -> Iterator[Raw]:
        """All pages of a list, until there is no `nextPageToken`; empty ones come along."""
        last, page_token = "", ""
        for _ in range(_MOST_PAGES):
            more = {"pageToken": page_token} if page_token else {}
            page = self.call(grant, subject, method, **parameters, **more)
            last, page_token = page_token, page.get("nextPageToken") or ""
            # Not held here while the next one is read: an audit page takes 15 MiB.
            handed = [page]
            del page
            yield handed.pop()
            if not page_token:
                return
            if page_token == last or not isinstance(page_token, str):
                break
        raise unreadable(grant, "pages that never end")

    def check_token(self, grant: Grant, subject: str) -> None:
        """Ask for a token anew; raises what is wrong with the delegation of this line."""
        try:
            self._access.forget(grant, subject, self._access.token(grant, subject))
            self._access.token(grant, subject)
        except Refused as refused:
            raise refused.error from refused

    def quota_user(self, subject: str) -> str:
        """A stable opaque name, so that each subject has a quota of its own.

        With delegation the service account would be charged for all of them
        (https://developers.google.com/workspace/calendar/api/guides/quota).
        """
        return hmac.new(self._quota_key, subject.lower().encode(), hashlib.sha256).hexdigest()[:32]

    def _once(
        self, grant: Grant, subject: str, method: Method, parameters: Mapping[str, object]
    ) -> Raw:
        """One try; a refused token is replaced one time within it."""
        token = self._access.token(grant, subject)
        try:
            return self._execute(grant, subject, token, method, parameters)
        except Refused as refused:
            if refused.status != 401:
                raise
        self._access.forget(grant, subject, token)
        return self._execute(grant, subject, self._access.token(grant, subject), method, parameters)

    def _execute(
        self,
        grant: Grant,
        subject: str,
        token: str,
        method: Method,
        parameters: Mapping[str, object],
    ) -> Raw:
        user = self.quota_user(subject)
        request = method(**parameters, quotaUser=user)
        self._transport.check(request.uri)
        try:
            self._quota.take(grant.api, user)
        except Temporary as error:
            raise Refused(error) from error
        channel = _Channel(self._transport, grant, token, self._counts)
        answer = request.execute(http=channel)
        if not isinstance(answer, dict):
            broken = unreadable(grant, "something that is no JSON object")
            raise Refused(broken, Pace.QUICK, status=200)
        return answer

    def _wait(self, state: RetryCallState) -> float:
        """Doubling waits with jitter; never less than `Retry-After`."""
        refused = _refused(state)
        first = float(refused.pace.value or 0.0)
        wait = min(self._policy.longest_wait, first * 2.0 ** (state.attempt_number - 1))
        wait *= 0.5 + self._dice() / 2
        asked = refused.error.retry_after if isinstance(refused.error, Temporary) else None
        return wait if asked is None else max(wait, asked * (1 + self._dice() / 10))


def _refused(state: RetryCallState) -> Refused:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, Refused):
        raise TypeError("only refusals are tried again") from error
    return error


def _may_help(error: BaseException) -> bool:
    return isinstance(error, Refused) and error.pace is not Pace.NEVER


class RequestCounts:
    """How many HTTP requests went out, by API and `token`; safe with threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[name] += 1

    def snapshot(self) -> dict[str, int]:
        """The counts so far."""
        with self._lock:
            return dict(self._counts)


class _Channel:
    """What the client calls instead of httplib2, for one request.

    A refusal is raised from here with its meaning, so that the client's `HttpError` never arises
    and no exception of `requests` passes through the client's own handling.
    """

    def __init__(
        self, transport: Transport, grant: Grant, token: str, counts: RequestCounts
    ) -> None:
        self._transport = transport
        self._grant = grant
        self._token = token
        self._counts = counts

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        redirections: int = 5,
        connection_type: object = None,
    ) -> tuple[httplib2.Response, bytes]:
        """Send it; the signature is httplib2's."""
        del redirections, connection_type
        self._counts.add(self._grant.api.value)
        kept = {k: v for k, v in (headers or {}).items() if k.lower() != "content-length"}
        answer = self._transport.send(method, uri, headers=kept, body=body, token=self._token)
        if answer.status >= 300:
            raise refused_call(self._grant, answer.status, answer.headers, answer.body)
        return httplib2.Response({"status": str(answer.status)}), answer.body

    def close(self) -> None:
        """Connections belong to the transport."""


class _FastJson(JsonModel):  # type: ignore[misc]
    """The client's JSON model with orjson, and an error for what is not JSON."""

    def deserialize(self, content: bytes) -> object:
        """Decode a body. Raises `Refused` where the client would hand the text back."""
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            return _lenient(content)


class _AuditJson(_FastJson):
    """Pages of the audit log are decoded into typed rows; see `workspace.activities`."""

    def deserialize(self, content: bytes) -> object:
        """Decode a body; one that is not as documented is read as plain JSON."""
        page = decode_page(content)
        return super().deserialize(content) if page is None else page


def _lenient(content: bytes) -> object:
    """What orjson refuses and Google's servers may still write: lone surrogates in a title."""
    try:
        return json.loads(content, strict=False)
    except (ValueError, RecursionError):
        error = BadAnswer("Google answered with something that is not JSON")
        raise Refused(error, Pace.QUICK, status=200) from None


class _NoTransport:
    """Stands where `build` wants a transport; each request brings its own."""

    def request(self, *_: object, **__: object) -> tuple[httplib2.Response, bytes]:
        """Never called."""
        raise TypeError("a request was executed without its channel")

    def close(self) -> None:
        """Nothing to close."""


def _built(api: Api, api_root: str | None) -> Any:
    name, version, path = _SERVICES[api]
    options = {"api_endpoint": f"{api_root.rstrip('/')}/{path}"} if api_root else {}
    return build(
        name,
        version,
        http=_NoTransport(),
        model=_AuditJson() if api is Api.REPORTS else _FastJson(),
        client_options=options,
        static_discovery=True,
        cache_discovery=False,
    )
