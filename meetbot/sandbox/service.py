"""From a raw request to an answer: matching, token, checks, faults, limits, handler, field mask."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from meetbot.sandbox.apis import HANDLERS
from meetbot.sandbox.call import Call
from meetbot.sandbox.discovery import (
    Document,
    Json,
    Match,
    Method,
    Router,
    check_path,
    load_document,
    masked,
)
from meetbot.sandbox.faults import Api, Fault, Kind, Limit
from meetbot.sandbox.replies import ApiError, Reply, error_reply, not_a_method
from meetbot.sandbox.tokens import CLIENT_EMAIL, Token, TokenOffice
from meetbot.sandbox.world import World

TOKEN_PATH = "/token"
_LOG_LENGTH = 200_000
_LIMIT_STATUS = {Api.CALENDAR: 403, Api.DIRECTORY: 403, Api.REPORTS: 503}
_LIMIT_REASON = {
    (Api.CALENDAR, "project"): "rateLimitExceeded",
    (Api.CALENDAR, "user"): "userRateLimitExceeded",
    (Api.DIRECTORY, "project"): "userRateLimitExceeded",
    (Api.DIRECTORY, "user"): "userRateLimitExceeded",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What came over the wire; `headers` in lower case, `path` still percent-encoded."""

    http: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One line of the request log."""

    api: Api | None
    method: str
    """The discovery method id, `token`, or empty for an unknown path."""
    http: str
    template: str
    subject: str
    quota_user: str
    status: int
    """0 if the connection was dropped."""


class RequestLog:
    """Counts and remembers requests (the last 200,000)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: deque[LoggedRequest] = deque(maxlen=_LOG_LENGTH)
        self._counts: Counter[str] = Counter()

    def add(self, line: LoggedRequest) -> None:
        """Remember a request."""
        with self._lock:
            self._lines.append(line)
            self._counts[line.api.value if line.api is not None else "unknown"] += 1

    @property
    def lines(self) -> list[LoggedRequest]:
        """The requests in order of arrival."""
        with self._lock:
            return list(self._lines)

    @property
    def counts(self) -> dict[str, int]:
        """Requests per API (`calendar`, `meet`, ..., `token`, `unknown`)."""
        with self._lock:
            return dict(self._counts)

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.counts.values())

    def of(self, method: str) -> list[LoggedRequest]:
        """The requests of one discovery method (`calendar.events.list`)."""
        return [line for line in self.lines if line.method == method]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._lines.clear()
            self._counts.clear()


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, how long it takes and whether it is damaged on the way."""

    reply: Reply
    delay: float
    damage: Fault | None
    line: LoggedRequest


class Service:
    """Answers requests to a world; knows nothing of sockets."""

    def __init__(self, world: World, seconds_now: Callable[[], float], token_url: str) -> None:
        self.world = world
        self.office = TokenOffice(world, token_url, seconds_now)
        self._router = Router()

    def answer(self, request: Request) -> Outcome:
        """The answer to a request. Never raises."""
        with self.world.lock:
            if request.path == TOKEN_PATH and request.http == "POST":
                return self._token(request)
            match = self._router.match(_verb(request), request.path)
            if match is None:
                line = LoggedRequest(None, "", request.http, "", "", "", 404)
                return Outcome(not_a_method(), 0.0, None, line)
            return self._api(request, match)

    def _token(self, request: Request) -> Outcome:
        subject = self.office.subject_of(request.body)
        shaping = self.world.shaping
        fault = shaping.take_fault(Api.TOKEN, "token", request.path, subject)
        if fault is not None and fault.kind is Kind.ERROR:
            body = {"error": fault.reason or "internal_failure", "error_description": fault.message}
            reply = Reply(fault.status, orjson.dumps(body))
            fault = None
        else:
            reply = self.office.grant(request.body)
        line = LoggedRequest(
            Api.TOKEN, "token", "POST", TOKEN_PATH, subject, "", _logged(reply, fault)
        )
        return Outcome(reply, shaping.delay(Api.TOKEN), fault, line)

    def _api(self, request: Request, match: Match) -> Outcome:
        method = match.method
        token = self._bearer(request)
        subject = token.subject if token is not None else ""
        pairs = _pairs(request)
        quota_user = dict(pairs).get("quotaUser") or request.headers.get("x-goog-quota-user", "")
        shaping = self.world.shaping
        fault = shaping.take_fault(method.api, method.method_id, request.path, subject)
        try:
            self._limit(method.api, quota_user or CLIENT_EMAIL)
            if fault is not None and fault.kind is Kind.ERROR:
                raise _planned(fault)
            reply = self._handle(match, token, pairs, request)
        except ApiError as error:
            reply = error_reply(method.api, error)
        damage = fault if fault is not None and fault.kind is not Kind.ERROR else None
        line = LoggedRequest(
            method.api,
            method.method_id,
            request.http,
            method.template,
            subject,
            quota_user,
            _logged(reply, damage),
        )
        return Outcome(reply, shaping.delay(method.api), damage, line)

    def _bearer(self, request: Request) -> Token | None:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        return self.office.find(bearer) if scheme.lower() == "bearer" else None

    def _limit(self, api: Api, user: str) -> None:
        for limit in self.world.shaping.limits:
            if limit.api is api:
                window = limit.exceeded_by(user, self.world.clock())
                if window:
                    raise _over(limit, window)

    def _handle(
        self, match: Match, token: Token | None, pairs: list[tuple[str, str]], request: Request
    ) -> Reply:
        method, document = match.method, load_document(match.method.api)
        _authorize(method, token, request)
        check_path(match)
        args = method.arguments(pairs)
        fields = args.get("fields")
        handler = HANDLERS.get(method.method_id)
        if handler is None:
            raise ApiError(501, f"The sandbox does not simulate {method.method_id}.")
        call = Call(
            world=self.world,
            method=method,
            path=match.path,
            args=args,
            subject=self._living(token),
            body=_body(request, method, document),
            mask=document.mask(method, str(fields)) if fields else {},
            now=self.world.clock(),
        )
        value = handler(call)
        if call.mask:
            return Reply(200, masked(orjson.dumps(value), call.mask))
        return Reply(200, orjson.dumps(value))

    def _living(self, token: Token | None) -> Any:
        user = self.world.find_user(token.subject) if token is not None and token.subject else None
        if user is not None and user.suspended:
            raise ApiError(401, "Invalid Credentials", "authError")
        return user


def _verb(request: Request) -> str:
    """The client sends very long GETs as POST with this header."""
    return request.headers.get("x-http-method-override", request.http).upper()


def _pairs(request: Request) -> list[tuple[str, str]]:
    query = request.query
    if "x-http-method-override" in request.headers:
        query = request.body.decode("utf-8", "replace")
    return parse_qsl(query, keep_blank_values=True)


def _authorize(method: Method, token: Token | None, request: Request) -> None:
    if token is None:
        given = "authorization" in request.headers
        message = "Invalid Credentials" if given else "Login Required."
        if method.api in (Api.MEET, Api.SHEETS):
            message = (
                "Request had invalid authentication credentials. Expected OAuth 2 access token, "
                "login cookie or other valid authentication credential."
            )
        raise ApiError(401, message, "authError" if given else "required")
    if not token.scopes & method.scopes:
        raise ApiError(
            403,
            "Request had insufficient authentication scopes.",
            "insufficientPermissions",
            info="ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        )


def _body(request: Request, method: Method, document: Document) -> Json:
    if not method.request:
        return {}
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise ApiError(400, "Parse Error", "parseError") from None
    problems = document.problems(body, {"$ref": method.request}, "body")
    if problems:
        raise ApiError(400, f"Invalid JSON payload received. {'; '.join(problems)}", "badRequest")
    assert isinstance(body, dict)
    return body


def _planned(fault: Fault) -> ApiError:
    message = fault.message or f"Simulated {fault.status}"
    return ApiError(fault.status, message, fault.reason, retry_after=fault.retry_after)


def _over(limit: Limit, window: str) -> ApiError:
    status = limit.status or _LIMIT_STATUS.get(limit.api, 429)
    reason = limit.reason
    if not reason and status == 403:
        reason = _LIMIT_REASON[(limit.api, window)]
    message = f"Quota exceeded for quota metric 'Queries' per minute per {window}."
    return ApiError(
        status, message, reason, info="RATE_LIMIT_EXCEEDED", retry_after=limit.retry_after
    )


def _logged(reply: Reply, damage: Fault | None) -> int:
    return 0 if damage is not None and damage.kind is Kind.DROP else reply.status
