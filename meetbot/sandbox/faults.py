"""What can be made to go wrong: latency, rate limits, failures, small pages, refused tokens."""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

MINUTE = timedelta(minutes=1)


class Api(StrEnum):
    """The simulated APIs; `token` is the OAuth endpoint."""

    CALENDAR = "calendar"
    MEET = "meet"
    DIRECTORY = "directory"
    REPORTS = "reports"
    GMAIL = "gmail"
    SHEETS = "sheets"
    TOKEN = "token"


class Kind(StrEnum):
    """How a request fails."""

    ERROR = "error"
    DROP = "drop"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    SLOW = "slow"


@dataclass(slots=True)
class Fault:
    """A planned failure of matching requests.

    Empty criteria match everything. `path` is a regular expression searched in the request's path,
    `method` a discovery method id or its beginning (`calendar.events`). `times` None repeats for
    ever. `seconds` is the length of a slow body. An ERROR takes `status` and `reason` in the API's
    own error shape; the other kinds damage an otherwise good answer.
    """

    api: Api | None = None
    kind: Kind = Kind.ERROR
    status: int = 500
    reason: str = ""
    message: str = ""
    method: str = ""
    path: str = ""
    subject: str = ""
    retry_after: int | None = None
    seconds: float = 2.0
    times: int | None = 1
    hits: int = 0

    def matches(self, api: Api, method: str, path: str, subject: str) -> bool:
        """Whether this request fails."""
        return (
            (self.times is None or self.hits < self.times)
            and self.api in (None, api)
            and method.startswith(self.method)
            and self.subject in ("", subject)
            and (not self.path or re.search(self.path, path) is not None)
        )


@dataclass(slots=True)
class Limit:
    """At most this many requests of an API in any 60 seconds, per project and per user.

    The user is `quotaUser`, else the service account as a whole, as with delegation at Google.
    A `status` of 0 takes the API's own: 403 (Calendar, Directory), 503 (Reports), 429 (others).
    """

    api: Api
    per_minute: int | None = None
    per_user: int | None = None
    status: int = 0
    reason: str = ""
    retry_after: int | None = None
    _seen: dict[str, deque[datetime]] = field(default_factory=dict, repr=False)

    def exceeded_by(self, user: str, now: datetime) -> str:
        """Counts the request; `"project"` or `"user"` if that window is full, else `""`."""
        windows = [("project", "", self.per_minute), ("user", "user " + user, self.per_user)]
        for name, key, most in windows:
            if most is not None and len(self._window(key, now)) >= most:
                return name
        for _, key, most in windows:
            if most is not None:
                self._window(key, now).append(now)
        return ""

    def _window(self, key: str, now: datetime) -> deque[datetime]:
        window = self._seen.setdefault(key, deque())
        while window and window[0] <= now - MINUTE:
            window.popleft()
        return window


@dataclass(slots=True)
class Refusal:
    """The token endpoint says no to this subject and scope (empty: any)."""

    subject: str = ""
    scope: str = ""
    error: str = "unauthorized_client"
    description: str = "Unauthorized client or scope in request."
    status: int = 401
    times: int | None = None
    hits: int = 0

    def matches(self, subject: str, scopes: Iterable[str]) -> bool:
        """Whether this request is refused; a scope may be given by its last part."""
        return (
            (self.times is None or self.hits < self.times)
            and self.subject in ("", subject)
            and (not self.scope or any(one.endswith(self.scope) for one in scopes))
        )


@dataclass(slots=True)
class Shaping:
    """All that bends the answers; every field may be changed while the sandbox runs.

    `latency` in seconds per request, by API where `latency_of` names it. `page_cap` cuts every
    page, `empty_pages` puts an empty page with a token before the first one.
    """

    latency: float = 0.0
    latency_of: dict[Api, float] = field(default_factory=dict)
    page_cap: int | None = None
    empty_pages: bool = False
    faults: list[Fault] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    token_seconds: int = 3599

    def delay(self, api: Api) -> float:
        """Seconds that a request of this API takes at least."""
        return self.latency_of.get(api, self.latency)

    def take_fault(self, api: Api, method: str, path: str, subject: str) -> Fault | None:
        """The first fault that hits this request, counted as used."""
        for fault in self.faults:
            if fault.matches(api, method, path, subject):
                fault.hits += 1
                return fault
        return None

    def take_refusal(self, subject: str, scopes: Iterable[str]) -> Refusal | None:
        """The first refusal that applies to this token request, counted as used."""
        wanted = list(scopes)
        for refusal in self.refusals:
            if refusal.matches(subject, wanted):
                refusal.hits += 1
                return refusal
        return None
