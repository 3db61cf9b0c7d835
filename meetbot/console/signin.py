"""Signing in by the district's identity provider, and out."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from meetbot.console import sessions
from meetbot.console.access import note, path_of_request, public, viewer_of, viewer_or_none
from meetbot.console.oidc import CALLBACK, Provider, Reason, SignInError, redirect_uri
from meetbot.console.services import Services, services
from meetbot.console.texts import LANGUAGES
from meetbot.domain.access_log import AccessAction
from meetbot.log import get_logger

blueprint = Blueprint("signin", __name__)
_EXTENSION = "meetbot-provider"
_STATUS = {Reason.PROVIDER: 503, Reason.STALE: 400, Reason.TOKEN: 400}
_LONGEST_PATH = 2000


def add_provider(app: Flask, provider: Provider | None) -> None:
    """Let people sign in by this provider; by none without one."""
    app.extensions[_EXTENSION] = provider


@blueprint.get("/signin")
@public
def page() -> ResponseReturnValue:
    """Where somebody goes to sign in."""
    if viewer_or_none() is not None:
        return redirect(url_for("start.page"))
    return _page(None, 200)


@blueprint.get("/signin/go")
@public
def go() -> ResponseReturnValue:
    """To the provider. What is kept is needed only to recognize who comes back."""
    try:
        return _provider().begin(redirect_uri(services().config.base_url))
    except SignInError as error:
        return failed(error.reason)


@blueprint.get(CALLBACK)
@public
def callback() -> ResponseReturnValue:
    """Back from the provider."""
    given = services()
    try:
        address = _provider().end()
        return enter(given, address)
    except SignInError as error:
        return failed(error.reason)


def enter(given: Services, address: str) -> ResponseReturnValue:
    """Sign somebody in whose address is certain. Raises `SignInError` for who has no role here."""
    with given.deps.store.reading() as tx:
        viewer = viewer_of(given, tx, address)
    if viewer is None:
        raise SignInError(Reason.ROLE)
    language, wanted = session.get("language"), session.get("wanted")
    session.clear()
    if language:
        session["language"] = language
    session["address"] = viewer.address
    sessions.renew()
    g.viewer = viewer
    note(AccessAction.SIGNED_IN, "console")
    return redirect(_local(wanted) or url_for("start.page"), 303)


def here() -> str:
    """The path of this page, to come back to; never what a provider, a form or a mistake sent."""
    if request.method != "GET" or g.get("is_error"):
        return url_for("start.page")
    is_sign_in = request.blueprint == blueprint.name
    return url_for("signin.page") if is_sign_in else path_of_request()


def _local(wanted: object) -> str | None:
    """A path of the console; None for anything that could lead elsewhere."""
    if not isinstance(wanted, str) or len(wanted) > _LONGEST_PATH or not wanted.isprintable():
        return None
    parts = urlsplit(wanted)
    is_plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_plain and not parts.scheme and not parts.netloc else None


def _provider() -> Provider:
    provider = cast("Provider | None", current_app.extensions[_EXTENSION])
    if provider is None:
        raise SignInError(Reason.PROVIDER)
    return provider


def failed(reason: Reason) -> ResponseReturnValue:
    """A page that says what to do. Who it was is not noted: it may be a student."""
    g.viewer = None
    get_logger("console").warning("sign_in_failed", reason=reason.value)
    note(AccessAction.REFUSED, "signin", reason=reason.value)
    return _page(reason, _STATUS.get(reason, 403))


def _page(reason: Reason | None, status: int) -> ResponseReturnValue:
    return render_template("signin.html", reason=reason), status


@blueprint.post("/signout")
@public
def leave() -> ResponseReturnValue:
    """End the session."""
    if viewer_or_none() is not None:
        note(AccessAction.SIGNED_OUT, "console")
    session.clear()
    return redirect(url_for("signin.page"), 303)


@blueprint.post("/language")
@public
def language() -> ResponseReturnValue:
    """Choose the language of the pages, and stay on the page."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
    return redirect(_local(request.form.get("here")) or url_for("start.page"), 303)
