"""Sessions that lie on the server: a browser holds a random id and nothing else.

A session ends after an hour without a request, twelve hours after its beginning, when its person
signs out or when an operator ends it. Whoever signs in gets a new id.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

from flask import Flask, Request, Response, session
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from meetbot.domain.addresses import parse_address
from meetbot.errors import Temporary
from meetbot.ports import Clock, ConsoleSession, Store

IDLE = timedelta(minutes=60)
LONGEST = timedelta(hours=12)
_NOTED = timedelta(minutes=1)
"""That somebody is still there is written at most this often."""
_JSON = TaggedJSONSerializer()
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class StoredSession(CallbackDict[str, Any], SessionMixin):
    """What one browser's session holds; an empty one that is new is never stored."""

    def __init__(
        self,
        content: dict[str, Any],
        stored: ConsoleSession | None,
        *,
        trouble: Temporary | None = None,
    ) -> None:
        def changed(_: object) -> None:
            self.modified = True

        super().__init__(content, changed)
        self.stored = stored
        self.modified = False
        self.is_renewed = False
        self.trouble = trouble
        """Why it could not be read; it is left as it is then."""

    @property
    def new(self) -> bool:  # type: ignore[override]
        """Whether the browser came without one."""
        return self.stored is None

    def renew(self) -> None:
        """Leave what was before behind: another id, and a time of its own."""
        self.is_renewed = self.modified = True


def renew() -> None:
    """Give this request's session a new id; called whenever somebody signs in."""
    cast(StoredSession, session).renew()


class StoredSessions(SessionInterface):
    """Flask's sessions in meetbot's database. `secret` keys the hashes of the ids."""

    def __init__(self, store: Store, clock: Clock, secret: bytes) -> None:
        self._store = store
        self._clock = clock
        self._secret = secret

    def open_session(self, app: Flask, request: Request) -> StoredSession:
        """The session of this request's cookie, if it is one and goes on."""
        token = request.cookies.get(self.get_cookie_name(app), "")
        is_file = request.path.startswith(f"{app.static_url_path}/")
        if is_file or _TOKEN.fullmatch(token) is None:
            return StoredSession({}, None)
        try:
            with self._store.reading() as tx:
                found = tx.sessions.get(self._key(token))
        except Temporary as error:
            return StoredSession({}, None, trouble=error)
        if found is None or self._is_over(found):
            return StoredSession({}, None)
        return StoredSession(_JSON.loads(found.content), found)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store what changed, and that somebody was here."""
        assert isinstance(session, StoredSession)
        response.vary.add("Cookie")
        if session.trouble is not None:
            return
        now, stored = self._clock(), session.stored
        if not session:
            if stored is not None:
                self._end(stored.key, now)
                self._forget_cookie(app, response)
            return
        if stored is None or session.is_renewed:
            self._begin(app, session, response, now)
        elif session.modified:
            self._write(session, stored.key, stored.created_at, now)
        elif now - stored.seen_at >= _NOTED:
            with suppress(Temporary):  # no reason to withhold a page
                self._write(session, stored.key, stored.created_at, now)

    def _begin(self, app: Flask, session: StoredSession, response: Response, now: datetime) -> None:
        token = secrets.token_urlsafe(32)
        if session.stored is not None:
            self._end(session.stored.key, now)
        self._write(session, self._key(token), now, now)
        response.set_cookie(
            self.get_cookie_name(app),
            token,
            path="/",
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite="Lax",
        )

    def _forget_cookie(self, app: Flask, response: Response) -> None:
        response.delete_cookie(
            self.get_cookie_name(app),
            path="/",
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite="Lax",
        )

    def _write(self, session: StoredSession, key: str, began: datetime, now: datetime) -> None:
        saved = ConsoleSession(
            key, owner_of(session.get("address")), _JSON.dumps(dict(session)), began, now
        )
        with self._store.transaction() as tx:
            tx.sessions.save(saved)

    def _end(self, key: str, now: datetime) -> None:
        with self._store.transaction() as tx:
            tx.sessions.end(key, at=now)

    def _is_over(self, found: ConsoleSession) -> bool:
        now = self._clock()
        return now - found.seen_at >= IDLE or now - found.created_at >= LONGEST

    def _key(self, token: str) -> str:
        return hmac.new(self._secret, token.encode(), hashlib.sha256).hexdigest()


def owner_of(address: object) -> str:
    """The address of a session's person in its matching form; empty for nobody."""
    parsed = parse_address(address) if isinstance(address, str) else None
    return "" if parsed is None else parsed.key
