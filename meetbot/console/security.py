"""What every answer and every request has to keep to: headers, hosts, sizes, and how often."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request, session
from flask_limiter import ApplicationLimit, Limiter
from flask_talisman import Talisman

from meetbot.console.access import body_limit_of
from meetbot.console.services import ConsoleConfig
from meetbot.console.sessions import owner_of

LARGEST_FORM = 64 * 1024
_CSP = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_SIGN_IN = frozenset({"signin.go", "signin.callback", "demo.enter"})

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a minute. Many people of a district may come from one IP address."""

    by_ip: int = 1200
    by_person: int = 300
    sign_ins_by_ip: int = 60


def secure(app: Flask, config: ConsoleConfig, limits: Limits) -> None:
    """Headers, hosts and limits; called before anything else asks to see requests."""
    place = urlsplit(config.base_url)
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        TRUSTED_HOSTS=[place.hostname],
        # What tests without a network and pages outside of a request believe to be at.
        SERVER_NAME=place.netloc,
        PREFERRED_URL_SCHEME=place.scheme,
    )
    behind: Any = _BehindProxies(app.wsgi_app, config.trusted_proxies)
    app.wsgi_app = behind  # type: ignore[method-assign]
    app.before_request(_allow_body)
    Talisman(
        app,
        force_https=False,  # the proxy before the console does that; health checks come by HTTP
        strict_transport_security=config.is_https,
        session_cookie_secure=config.is_https,
        session_cookie_samesite="Lax",
        content_security_policy=_CSP,
        frame_options="DENY",
        referrer_policy="same-origin",
        permissions_policy={"browsing-topics": "()"},
    )
    _limit(app, limits)
    app.after_request(_more_headers)


def _limit(app: Flask, limits: Limits) -> None:
    Limiter(
        _ip,
        app=app,
        storage_uri="memory://",
        headers_enabled=True,
        application_limits=[
            ApplicationLimit(f"{limits.by_ip}/minute", key_function=_ip, scope="ip"),
            ApplicationLimit(
                f"{limits.by_person}/minute",
                key_function=_person,
                scope="person",
                exempt_when=lambda: not _person(),
            ),
            ApplicationLimit(
                f"{limits.sign_ins_by_ip}/minute",
                key_function=_ip,
                scope="sign-in",
                exempt_when=lambda: request.endpoint not in _SIGN_IN,
            ),
        ],
    )


def _ip() -> str:
    return request.remote_addr or "unknown"


def _person() -> str:
    return owner_of(session.get("address"))


def _allow_body() -> None:
    """Some views take larger files; see `access.takes_up_to`."""
    larger = body_limit_of(current_app, request.endpoint)
    if larger is not None:
        request.max_content_length = larger


def _more_headers(response: Response) -> Response:
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


class _BehindProxies:
    """Takes the browser's address from X-Forwarded-For, as far as trusted proxies wrote it."""

    def __init__(self, app: Wsgi, trusted: Collection[Network]) -> None:
        self._app = app
        self._trusted = tuple(trusted)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        said = environ.get("HTTP_X_FORWARDED_FOR", "")
        if said and self._trusted:
            environ["REMOTE_ADDR"] = self._browser(environ.get("REMOTE_ADDR", ""), said.split(","))
        return self._app(environ, start)

    def _browser(self, nearest: str, said: list[str]) -> str:
        """The first address, from our side, that is no trusted proxy."""
        found = nearest
        while said and self._is_trusted(found):
            before = said.pop().strip()
            try:
                ipaddress.ip_address(before)
            except ValueError:
                break
            found = before
        return found

    def _is_trusted(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)
