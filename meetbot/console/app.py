"""The application factory. Importing does nothing; `create_app` builds one console."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from types import TracebackType

from flask import Blueprint, Flask, Response, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException, SecurityError, ServiceUnavailable

from meetbot.console import (
    access_page,
    api,
    approvals,
    cases,
    overview,
    registry,
    registry_edits,
    registry_uploads,
    signin,
    start,
)
from meetbot.console.access import error_page, guard, viewer_or_none
from meetbot.console.navigation import entries
from meetbot.console.oidc import GOOGLE, Provider
from meetbot.console.security import Limits, secure
from meetbot.console.services import Services, set_services
from meetbot.console.sessions import StoredSessions
from meetbot.console.texts import add_texts, locale_of_request
from meetbot.errors import Temporary
from meetbot.log import get_logger

_KEPT_HEADERS = ("Allow", "Retry-After")


class ConsoleApp(Flask):
    """Flask, but of what went wrong only type and place are logged: texts may quote data."""

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> None:
        """One line for a request that ended in a defect."""
        get_logger("console").error("request_failed", exc_info=exc_info[1])


def create_app(
    given: Services,
    *,
    secret: bytes | None = None,
    limits: Limits | None = None,
    more: Sequence[Blueprint] = (),
) -> Flask:
    """A console over these services. Without a `secret` nobody stays signed in over a restart.

    `more` are pages that only some consoles have: those of the demo. Raises RuntimeError for a
    view that does not say who may see it.
    """
    key = secret or secrets.token_bytes(32)
    app = ConsoleApp("meetbot.console")
    app.session_interface = StoredSessions(given.deps.store, given.clock, key)
    app.config.update(
        SECRET_KEY=key,
        SESSION_COOKIE_NAME="__Host-meetbot" if given.config.is_https else "meetbot",
        WTF_CSRF_TIME_LIMIT=None,  # the session's own end is the form's
        BABEL_DEFAULT_TIMEZONE=given.config.zone.key,
    )
    set_services(app.extensions, given)
    secure(app, given.config, limits or Limits())
    Babel(app, locale_selector=locale_of_request)
    # What comes with a token of its own needs no second one: no browser sends it by itself.
    CSRFProtect(app).exempt(api.blueprint)
    add_texts(app)
    for blueprint in (
        signin.blueprint,
        start.blueprint,
        cases.blueprint,
        approvals.blueprint,
        registry.blueprint,
        registry_edits.blueprint,
        registry_uploads.blueprint,
        access_page.blueprint,
        overview.blueprint,
        api.blueprint,
        *more,
    ):
        app.register_blueprint(blueprint)
    oidc = given.config.oidc
    signin.add_provider(app, Provider(app, oidc, given.deps.district.domains) if oidc else None)
    app.context_processor(
        lambda: {
            "viewer": viewer_or_none(),
            "entries": entries,
            "console": given.config,
            "this_place": signin.here,
            "is_google": oidc is not None and oidc.issuer == GOOGLE,
        }
    )
    app.register_error_handler(HTTPException, _wrong)
    app.register_error_handler(SecurityError, _foreign)
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(Temporary, _busy)
    guard(app)
    return app


def _wrong(error: HTTPException) -> ResponseReturnValue:
    """One page for everything that went wrong, without a word of what was asked."""
    code = error.code or 500
    if code in (301, 302, 303, 307, 308):
        return error
    if request.path.startswith("/api/"):
        return api.problem_of(error)
    page = error_page(code)
    for name, value in error.get_headers():
        if name in _KEPT_HEADERS:
            page.headers[name] = value
    return page


def _foreign(_: SecurityError) -> ResponseReturnValue:
    """Asked for under another name: it has no pages."""
    return Response("There is nothing here under this name.\n", 400, mimetype="text/plain")


def _stale(_: CSRFError) -> ResponseReturnValue:
    return error_page(400, stale=True)


def _busy(error: Temporary) -> ResponseReturnValue:
    """The database is busy or away."""
    get_logger("console").error("request_failed", exc_info=error)
    if request.path.startswith("/api/"):
        return api.problem_of(ServiceUnavailable())
    return error_page(503)
