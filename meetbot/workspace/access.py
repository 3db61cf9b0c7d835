"""The service account's key, and the tokens with which it acts for people.

One token per line of scopes (`api.Grant`) and subject, kept for its lifetime, so that a steady
poll asks the token service once an hour and calendar. Only the key's `token_uri` is contacted.
Source: https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import google.auth.exceptions
from google.oauth2 import service_account

from meetbot.errors import AccessDenied, BadAnswer, BadInput, Mistake
from meetbot.workspace.api import Grant
from meetbot.workspace.raw import as_text
from meetbot.workspace.refusals import Pace, Refused, refused_token
from meetbot.workspace.transport import Transport, is_loopback

_DOWNLOAD = "download a new JSON key for the service account in the Cloud console"
_NEEDED = ("client_email", "private_key", "token_uri")
_EARLY = 225.0
"""Seconds before its end at which a token is replaced; google-auth's own margin."""


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A checked key. `client_id` is the number that the Admin console wants, if the file has it."""

    credentials: service_account.Credentials
    client_id: str


def load_key(path: Path) -> ServiceKey:
    """Read and check a service-account key file; raises `BadInput` with what is wrong with it."""
    try:
        return _checked(_object(path))
    except _BadKey as wrong:
        mistake = Mistake(f"google.credentials ({path})", wrong.what, wrong.fix)
        raise BadInput([mistake]) from None


class _BadKey(Exception):  # noqa: N818 - lives within this module
    def __init__(self, what: str, fix: str = _DOWNLOAD) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise _BadKey("there is no such file", f"{_DOWNLOAD} and put it there") from None
    except OSError as error:
        raise _BadKey(f"cannot be read ({error.strerror})", "let meetbot read it") from None
    except (ValueError, RecursionError):
        raise _BadKey("is not JSON") from None
    if not isinstance(found, dict):
        raise _BadKey("is not a service-account key")
    return found


def _checked(info: dict[str, Any]) -> ServiceKey:
    if info.get("type", "service_account") != "service_account":
        kind = as_text(info.get("type"), 40)
        raise _BadKey(f"is a key of type {kind!r}, not of a service account")
    missing = [name for name in _NEEDED if not as_text(info.get(name))]
    if missing:
        raise _BadKey(f"lacks {', '.join(missing)}")
    parts = urlsplit(info["token_uri"])
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise _BadKey("has a token_uri that is not https", "use the file as Google gave it")
    try:
        credentials: service_account.Credentials = (
            service_account.Credentials.from_service_account_info(info)  # type: ignore[no-untyped-call]
        )
    except (ValueError, TypeError, google.auth.exceptions.GoogleAuthError):
        raise _BadKey("has a private_key that cannot be read") from None
    return ServiceKey(credentials, as_text(info.get("client_id"), 64))


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str
    good_until: float


_Key = tuple[str, str]


class Access:
    """Tokens by (line of scopes, subject), shared by all threads.

    `wall` is Unix seconds, the clock with which google-auth signs. At most `keep` tokens are
    remembered, the least used go first. `count` is told of each request to the token service.
    """

    def __init__(
        self,
        key: ServiceKey,
        transport: Transport,
        *,
        wall: Callable[[], float] = time.time,
        keep: int = 20_000,
        count: Callable[[], None] = lambda: None,
    ) -> None:
        self._key = key
        self._transport = transport
        self._wall = wall
        self._keep = keep
        self._count = count
        self._lock = threading.Lock()
        self._tokens: OrderedDict[_Key, _Kept] = OrderedDict()
        self._pending: dict[_Key, Future[str]] = {}

    def token(self, grant: Grant, subject: str) -> str:
        """A living token. Raises `Refused`, whose error says what to mend where trying is vain.

        Threads that want the same token at the same time wait for one request.
        """
        key = (grant.name, subject)
        with self._lock:
            kept = self._tokens.get(key)
            if kept is not None and kept.good_until > self._wall():
                self._tokens.move_to_end(key)
                return kept.token
            future = self._pending.get(key)
            is_mine = future is None
            if future is None:
                future = self._pending[key] = Future()
        if is_mine:
            self._fetch_for_all(key, grant, subject, future)
        return future.result()

    def forget(self, grant: Grant, subject: str, token: str) -> None:
        """Drop a token that an API refused, unless another one has taken its place."""
        key = (grant.name, subject)
        with self._lock:
            kept = self._tokens.get(key)
            if kept is not None and kept.token == token:
                del self._tokens[key]

    def _fetch_for_all(self, key: _Key, grant: Grant, subject: str, future: Future[str]) -> None:
        try:
            kept = self._fetch(grant, subject)
        except BaseException as error:  # whoever waits must not wait for ever
            with self._lock:
                self._pending.pop(key, None)
            future.set_exception(error)
            return
        with self._lock:
            self._tokens[key] = kept
            self._pending.pop(key, None)
            while len(self._tokens) > self._keep:
                self._tokens.popitem(last=False)
        future.set_result(kept.token)

    def _fetch(self, grant: Grant, subject: str) -> _Kept:
        credentials = self._key.credentials.with_scopes(grant.scopes).with_subject(subject)
        request = _TokenRequest(self._transport, grant, self._key.client_id, self._count)
        try:
            credentials.refresh(request)
        except _UNREADABLE as error:
            raise _unusable(error) from error
        token, expiry = credentials.token, credentials.expiry
        if not isinstance(token, str) or not token:
            raise Refused(BadAnswer("the token service gave no token"), Pace.QUICK)
        now = self._wall()
        life = expiry.replace(tzinfo=UTC).timestamp() - now if expiry else 0.0
        return _Kept(token, now + life - min(_EARLY, life / 4))


_UNREADABLE = (google.auth.exceptions.GoogleAuthError, ValueError, TypeError, OverflowError)
"""google-auth's own errors, and what its reading of a malformed answer leads to."""


def _unusable(error: Exception) -> Refused:
    """An answer of status 200 without a token, or a key that cannot act for people."""
    if "universe" in str(error):
        fix = "use a service account of Google's usual cloud (universe_domain googleapis.com)"
        return Refused(AccessDenied("this kind of service account cannot act for people", fix=fix))
    return Refused(BadAnswer("the token service answered with something unreadable"), Pace.QUICK)


@dataclass(frozen=True, slots=True)
class _TokenAnswer:
    """What google-auth reads of an answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes


@dataclass(frozen=True, slots=True)
class _TokenRequest:
    """google-auth's way to the network.

    Refusals are raised from here with their meaning: google-auth would repeat some of them with
    sleeps of its own, and would lose the header `Retry-After`.
    """

    transport: Transport
    grant: Grant
    client_id: str
    count: Callable[[], None]

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _TokenAnswer:
        self.count()
        answer = self.transport.send(method, url, headers=headers or {}, body=body)
        if answer.status != 200:
            raise refused_token(
                self.grant, self.client_id, answer.status, answer.headers, answer.body
            )
        return _TokenAnswer(answer.status, answer.headers, answer.body)
