"""HTTP by `requests`, safe with threads: one pool of connections, one session per thread.

A `requests.Session` is not safe with threads, its `HTTPAdapter` (urllib3's pool) is; so every
thread has a session of its own and all sessions share one adapter. Tokens are given per request,
cookies are refused, redirects are not followed, and loopback is reached without a proxy.

Three deadlines: to connect, between two pieces of an answer, and for the whole request. An API
that does not answer at all is left alone for a while (`Circuits`).
"""

from __future__ import annotations

import http.client
import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from meetbot.errors import BadAnswer, Temporary
from meetbot.workspace.refusals import Pace, Refused, http_date

_PIECE = 65_536
_TROUBLE = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds until a connection, until the next piece, and until the end of an answer."""

    connect: float = 5.0
    read: float = 20.0
    total: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer; `headers` is case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Circuits:
    """Leaves an API of a server alone that did not answer `limit` times in a row.

    For `rest` seconds nothing is sent to it; then one request may try. Any answer, also a
    refusal, closes the circuit. Below one `google.api_root` all APIs share a server: the silence
    of one says nothing of the others, but once a second one is silent as well, a single request
    is enough to leave it alone.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, limit: int = 3, rest: float = 15.0
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._rest = rest
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._open_until: dict[str, float] = {}

    def check(self, url: str, *, is_sending: bool) -> None:
        """Raises `Refused` with `Temporary` while the API is left alone.

        Whoever is sending when the rest is over is the one that may try; the others wait for its
        result.
        """
        place = _place_of(url)
        with self._lock:
            until = self._open_until.get(place)
            if until is None:
                return
            wait = until - self._clock()
            if wait <= 0:
                if is_sending:
                    self._open_until[place] = self._clock() + self._rest
                return
        error = Temporary(_no_answer(origin_of(url)), fix=_NO_ANSWER_FIX, retry_after=wait)
        raise Refused(error)

    def failed(self, url: str) -> None:
        """The server did not answer."""
        place, origin = _place_of(url), origin_of(url)
        with self._lock:
            self._failures[place] = self._failures.get(place, 0) + 1
            is_neighbor_silent = any(
                other != place and origin_of(other) == origin for other in self._open_until
            )
            if is_neighbor_silent or self._failures[place] >= self._limit:
                self._open_until[place] = self._clock() + self._rest

    def answered(self, url: str) -> None:
        """The server answered something."""
        place = _place_of(url)
        with self._lock:
            self._failures.pop(place, None)
            self._open_until.pop(place, None)


def _place_of(url: str) -> str:
    """An API of a server: its origin and the first two parts of the path, which name nobody."""
    return "/".join([origin_of(url), *urlsplit(url).path.split("/")[1:3]])


def _no_answer(origin: str) -> str:
    return f"no answer from {origin}"


_NO_ANSWER_FIX = "check the network, the proxy and google.api_root"


class Transport:
    """Sends one HTTP request at a time for any number of threads.

    `longest_body` bounds the decoded body in bytes. `clock` is monotonic seconds, `wall` the time
    of day, to which the servers' `Date` headers are compared.
    """

    def __init__(
        self,
        deadlines: Deadlines | None = None,
        *,
        circuits: Circuits | None = None,
        longest_body: int = 64 * 1024 * 1024,
        connections: int = 64,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._deadlines = deadlines or Deadlines()
        self._circuits = circuits or Circuits(clock)
        self._longest_body = longest_body
        self._clock = clock
        self._wall = wall
        self._adapter = HTTPAdapter(pool_connections=8, pool_maxsize=connections, max_retries=0)
        self._local = threading.local()
        self.clock_skew: float | None = None
        """Seconds that the servers' clocks are ahead of ours, after the latest answer."""

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | str | None = None,
        token: str | None = None,
    ) -> Answer:
        """The answer of any status. Raises `Refused` when there is none or it is unreadable."""
        self._circuits.check(url, is_sending=True)
        end = self._clock() + self._deadlines.total
        try:
            with self._session(url).request(
                method,
                url,
                data=body,
                headers=dict(headers),
                auth=_Bearer(token),
                timeout=(self._deadlines.connect, self._deadlines.read),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = self._read(response, end)
                answer = Answer(response.status_code, response.headers, content)
        except (*_TROUBLE, OSError) as error:
            raise self._trouble(url, error) from error
        self._circuits.answered(url)
        self._note_clock(answer.headers)
        return answer

    def check(self, url: str) -> None:
        """Raises `Refused` if `send` would not even try; so that nobody queues for that."""
        self._circuits.check(url, is_sending=False)

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()

    def _session(self, url: str) -> requests.Session:
        is_local = is_loopback(urlsplit(url).hostname)
        name = "local" if is_local else "outside"
        session: requests.Session | None = getattr(self._local, name, None)
        if session is None:
            session = requests.Session()
            session.trust_env = not is_local  # proxies and CA bundles of the environment
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            session.mount("https://", self._adapter)
            session.mount("http://", self._adapter)
            setattr(self._local, name, session)
        return session

    def _read(self, response: requests.Response, end: float) -> bytes:
        """The decoded body, piece by piece as it comes in, so that the deadline holds."""
        pieces: list[bytes] = []
        size = 0
        while piece := response.raw.read1(_PIECE, decode_content=True):
            size += len(piece)
            if size > self._longest_body:
                raise Refused(BadAnswer("an answer of Google was too long and was not read"))
            if self._clock() > end:
                raise requests.ReadTimeout("the answer took too long")
            pieces.append(piece)
        return b"".join(pieces)

    def _trouble(self, url: str, error: Exception) -> Refused:
        origin = origin_of(url)
        silent = isinstance(error, requests.ConnectTimeout | requests.ReadTimeout) or any(
            isinstance(cause, ConnectionRefusedError | urllib3.exceptions.NewConnectionError)
            for cause in _causes(error)
        )
        if silent or isinstance(error, urllib3.exceptions.ReadTimeoutError):
            self._circuits.failed(url)
            return Refused(Temporary(_no_answer(origin), fix=_NO_ANSWER_FIX), Pace.QUICK)
        if isinstance(error, requests.exceptions.SSLError):
            fix = "check the proxy, the machine's clock and its certificates (REQUESTS_CA_BUNDLE)"
            return Refused(Temporary(f"no secure connection to {origin}", fix=fix), Pace.QUICK)
        return Refused(Temporary(f"the connection to {origin} broke"), Pace.QUICK)

    def _note_clock(self, headers: Mapping[str, str]) -> None:
        date = http_date(headers.get("date", ""))
        if date is not None:
            self.clock_skew = (date - self._wall()).total_seconds()


class _Bearer(AuthBase):
    """Sets the token; as an `auth` object it also keeps `requests` from reading `.netrc`."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _causes(error: BaseException) -> list[BaseException]:
    """What lies under an error of `requests`: its arguments, `reason`s and contexts."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return found


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, without anything that could name a person."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def is_loopback(host: str | None) -> bool:
    """Whether a host name is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
