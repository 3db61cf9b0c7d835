"""Who somebody is, by OpenID Connect: authorization code with PKCE, state and nonce (Authlib).

Nothing but what the issuer's discovery document names is asked. What it answers is believed only
if the signature is by one of its keys and everything in it is about this sign-in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, request, session
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError

from meetbot.console.services import OidcConfig
from meetbot.domain.addresses import parse_address
from meetbot.errors import BadAnswer, MeetbotError, Permanent, Temporary
from meetbot.log import get_logger

GOOGLE = "https://accounts.google.com"
CALLBACK = "/signin/callback"
_SECONDS = 10
_LEEWAY = 60
_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})
_NAME = "provider"
_STATE = f"_state_{_NAME}_"
"""How Authlib names what it keeps in the session until the browser is back."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_TROUBLE = (requests.RequestException, ValueError, TypeError, KeyError, AttributeError)

_BASIC, _POST = "client_secret_basic", "client_secret_post"

T = TypeVar("T")


class Reason(StrEnum):
    """Why nobody is signed in."""

    PROVIDER = "provider"
    """It cannot be reached, or answers what cannot be read."""
    DENIED = "denied"
    """It, or the person, said no."""
    STALE = "stale"
    """The answer belongs to no sign-in that was begun here."""
    TOKEN = "token"
    """What it says about the person cannot be believed."""
    UNVERIFIED = "unverified"
    """It does not vouch for the address."""
    DOMAIN = "domain"
    """The account is none of the district's."""
    ROLE = "role"
    """Somebody of ours who has nothing to do here."""


class SignInError(Exception):
    """Nobody is signed in; why not is for the page, and for the access log."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says about somebody."""

    email: str
    is_verified: bool
    hosted_domain: str | None


def redirect_uri(base_url: str) -> str:
    """What the provider has to know as the place to send people back to."""
    return f"{base_url}{CALLBACK}"


def discover(issuer: str) -> dict[str, Any]:
    """The issuer's discovery document. Raises `Temporary` or `Permanent`, each with its fix."""
    address = f"{issuer}/.well-known/openid-configuration"
    fix = "check console.oidc.issuer, the network and the proxy"
    try:
        with requests.Session() as http:
            http.trust_env = not _is_loopback(issuer)
            answer = http.get(address, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise Temporary(f"no answer from {address}", fix=fix) from error
    if answer.status_code != 200:
        raise Temporary(f"{address} answers with status {answer.status_code}", fix=fix)
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadAnswer(f"{address} is not JSON", fix=fix)
    problem = _problem(issuer, found)
    if problem:
        raise Permanent(f"the discovery document of {issuer} {problem}", fix=fix)
    return found


def _problem(issuer: str, found: Mapping[str, Any]) -> str:
    """What is wrong with a discovery document; empty if nothing is."""
    if str(found.get("issuer", "")).rstrip("/") != issuer:
        return "is about another issuer"
    for name in _ENDPOINTS:
        value = found.get(name)
        if not isinstance(value, str) or not _is_private(value, issuer):
            return f"names no usable {name}"
    methods = found.get("code_challenge_methods_supported")
    if methods is not None and "S256" not in methods:
        return "does not offer PKCE with S256"
    if not _ALGORITHMS.intersection(_offered(found)):
        return "offers no signature by a public key"
    return ""


def _offered(found: Mapping[str, Any]) -> list[str]:
    offered = found.get("id_token_signing_alg_values_supported", ["RS256"])
    return [name for name in offered if isinstance(name, str)] if isinstance(offered, list) else []


def _is_private(url: str, issuer: str) -> bool:
    """HTTPS; HTTP only on loopback, and only where the issuer is there too."""
    scheme = urlsplit(url).scheme
    return scheme == "https" or (scheme == "http" and _is_loopback(url) and _is_loopback(issuer))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


class Provider:
    """The district's identity provider. It is asked for its document at the first sign-in."""

    def __init__(self, app: Flask, config: OidcConfig, domains: frozenset[str]) -> None:
        self._config = config
        self._domains = domains
        self._oauth = OAuth(app)
        self._lock = threading.Lock()
        self._client: Any = None

    def begin(self, redirect_uri: str) -> ResponseReturnValue:
        """Send the browser to the provider."""
        hint = {"prompt": "select_account"}
        if self._config.issuer == GOOGLE:
            # Only a hint that shortens the choice of accounts; what comes back is checked.
            hint["hd"] = next(iter(self._domains)) if len(self._domains) == 1 else "*"
        client = self._ready()
        for name in [name for name in session if name.startswith(_STATE)]:
            del session[name]  # only the newest sign-in of a browser can be finished
        redirect: ResponseReturnValue = _trying(
            lambda: client.authorize_redirect(redirect_uri, **hint)
        )
        return redirect

    def end(self) -> str:
        """The address of whoever comes back from the provider; raises `SignInError`."""
        if "error" in request.args:
            is_down = request.args["error"] in ("server_error", "temporarily_unavailable")
            raise SignInError(Reason.PROVIDER if is_down else Reason.DENIED)
        client = self._ready()
        issuer = client.server_metadata["issuer"]
        options = {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": self._config.client_id},
        }
        token = _trying(
            lambda: client.authorize_access_token(claims_options=options, leeway=_LEEWAY)
        )
        claims = token.get("userinfo")
        if not isinstance(claims, Mapping):
            raise SignInError(Reason.TOKEN)
        return self._checked(_claims(claims))

    def _checked(self, claims: Claims) -> str:
        if not claims.is_verified:
            raise SignInError(Reason.UNVERIFIED)
        address = parse_address(claims.email)
        if address is None or address.domain not in self._domains:
            raise SignInError(Reason.DOMAIN)
        # Google: an account of the Workspace itself, not somebody's own with such an address.
        is_google = self._config.issuer == GOOGLE
        if (is_google or claims.hosted_domain is not None) and (
            claims.hosted_domain not in self._domains
        ):
            raise SignInError(Reason.DOMAIN)
        return address.text

    def _ready(self) -> Any:
        with self._lock:
            if self._client is None:
                try:
                    self._client = self._registered(discover(self._config.issuer))
                except MeetbotError as error:
                    get_logger("console").error("provider_unusable", exc_info=error)
                    raise SignInError(Reason.PROVIDER) from None
            return self._client

    def _registered(self, document: Mapping[str, Any]) -> Any:
        methods = document.get("token_endpoint_auth_methods_supported") or [_BASIC]
        return self._oauth.register(
            _NAME,
            client_id=self._config.client_id,
            client_secret=self._config.client_secret,
            client_kwargs={
                "scope": "openid email",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": _BASIC if _BASIC in methods else _POST,
                "default_timeout": _SECONDS,
                "max_redirects": 0,
                "trust_env": not _is_loopback(self._config.issuer),
            },
            issuer=document["issuer"],
            id_token_signing_alg_values_supported=sorted(
                _ALGORITHMS.intersection(_offered(document))
            ),
            **{name: document[name] for name in _ENDPOINTS},
        )


def _claims(found: Mapping[str, Any]) -> Claims:
    hosted = found.get("hd")
    return Claims(
        email=str(found.get("email", "")),
        is_verified=found.get("email_verified") is True,
        hosted_domain=None if hosted is None else str(hosted).lower(),
    )


def _trying(step: Callable[[], T]) -> T:
    """One step with Authlib, whose errors (and those of what it reads) become ours."""
    try:
        return step()
    except AuthlibBaseError as error:
        is_stale = error.error == "mismatching_state"
        raise SignInError(Reason.STALE if is_stale else Reason.DENIED) from None
    except JoseError:
        raise SignInError(Reason.TOKEN) from None
    except _TROUBLE:
        raise SignInError(Reason.PROVIDER) from None
