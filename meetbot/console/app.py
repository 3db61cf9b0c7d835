"""The application factory. Importing does nothing; `create_app` builds one console."""

from __future__ import annotations

import secrets

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from meetbot.console import api, overview, signin, start
from meetbot.console.access import guard, viewer_or_none
from meetbot.console.navigation import entries
from meetbot.console.services import Services, set_services
from meetbot.console.texts import add_texts, locale_of_request

_CSP = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_LARGEST_FORM = 64 * 1024


def create_app(given: Services, *, secret: bytes | None = None) -> Flask:
    """A console over these services. Without a `secret` nobody stays signed in over a restart.

    Raises RuntimeError for a view that does not say who may see it.
    """
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret or secrets.token_bytes(32),
        MAX_CONTENT_LENGTH=_LARGEST_FORM,
        SESSION_COOKIE_NAME="__Host-meetbot" if given.config.is_https else "meetbot",
        WTF_CSRF_TIME_LIMIT=None,  # the session's own end is the form's
        BABEL_DEFAULT_TIMEZONE=given.config.zone.key,
    )
    set_services(app.extensions, given)
    Babel(app, locale_selector=locale_of_request)
    # What comes with a token of its own needs no second one: no browser sends it by itself.
    CSRFProtect(app).exempt(api.blueprint)
    _secure(app, given)
    add_texts(app)
    for blueprint in (signin.blueprint, start.blueprint, overview.blueprint, api.blueprint):
        app.register_blueprint(blueprint)
    app.context_processor(
        lambda: {"viewer": viewer_or_none(), "entries": entries, "console": given.config}
    )
    app.register_error_handler(HTTPException, _wrong)
    app.register_error_handler(CSRFError, _stale)
    guard(app)
    return app


def _secure(app: Flask, given: Services) -> None:
    Talisman(
        app,
        force_https=False,  # the proxy before the console does that; health checks come by HTTP
        strict_transport_security=given.config.is_https,
        session_cookie_secure=given.config.is_https,
        session_cookie_samesite="Lax",
        content_security_policy=_CSP,
        frame_options="DENY",
        referrer_policy="same-origin",
        permissions_policy={"browsing-topics": "()"},
    )


def _wrong(error: HTTPException) -> ResponseReturnValue:
    """One page for everything that went wrong, without a word of what was asked."""
    code = error.code or 500
    if code in (301, 302, 303, 307, 308):
        return error
    if request.path.startswith("/api/"):
        return api.problem_of(error)
    return render_template("errors/error.html", code=code), code


def _stale(_: CSRFError) -> ResponseReturnValue:
    return render_template("errors/error.html", code=400, stale=True), 400
