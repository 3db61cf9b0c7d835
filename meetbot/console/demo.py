"""One-click sign-in for the demo, where everybody is made up.

No configuration and no variable turns it on: only `meetbot demo` calls `demo_server`, which refuses
anything but loopback, and so does every request.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, request
from flask.typing import ResponseReturnValue

from meetbot.console.access import public
from meetbot.console.app import create_app
from meetbot.console.oidc import SignInError
from meetbot.console.server import ConsoleServer
from meetbot.console.services import Services, services
from meetbot.console.signin import enter, failed


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody whom one can be by a click."""

    address: str
    role: str


def demo_server(
    given: Services, people: Sequence[DemoPerson], host: str, port: int, *, secret: bytes
) -> ConsoleServer:
    """A console where anybody can be any of these people. Raises as `demo_app` does."""
    app = demo_app(given, people, host, secret=secret)
    return ConsoleServer(app, given.config.base_url, host, port)


def demo_app(given: Services, people: Sequence[DemoPerson], host: str, *, secret: bytes) -> Flask:
    """The app of such a console. Raises RuntimeError unless only this machine can reach it."""
    for name in (host, urlsplit(given.config.base_url).hostname or ""):
        if not _is_loopback(name):
            raise RuntimeError("the demo's sign-in is for loopback only")
    if given.config.oidc is not None or given.config.trusted_proxies:
        raise RuntimeError("the demo's sign-in is for the demo only")
    return create_app(given, secret=secret, more=[_blueprint(tuple(people))])


def _blueprint(people: tuple[DemoPerson, ...]) -> Blueprint:
    blueprint = Blueprint("demo", __name__)

    @blueprint.app_context_processor
    def _offer() -> dict[str, object]:
        return {"people": people if _is_from_here() else ()}

    @blueprint.post("/demo/enter", endpoint="enter")
    @public
    def _enter() -> ResponseReturnValue:
        """Be one of the people."""
        which = request.form.get("who", type=int)
        if not _is_from_here() or which is None or not 0 <= which < len(people):
            abort(404)
        try:
            return enter(services(), people[which].address)
        except SignInError as error:
            return failed(error.reason)

    return blueprint


def _is_from_here() -> bool:
    """Whether this machine asks itself, and nobody asks through it."""
    is_passed_on = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
    name = urlsplit(f"//{request.host}").hostname or ""
    return not is_passed_on and _is_loopback(request.remote_addr or "") and _is_loopback(name)


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
