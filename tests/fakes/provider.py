"""An identity provider on loopback that can be told to do wrong; PKCE and client are checked."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "meetbot-client", "hidden"

Start = Callable[..., Any]


@cache
def _key(_: str) -> RSAKey:
    """Making one takes a while; all have the same id."""
    return RSAKey.generate_key(2048, {"kid": "a"})


@dataclass(slots=True)
class FakeProvider:
    """`claims` go into the next token, over the right ones; None takes a claim away."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    """The same for the discovery document."""
    signs_with_foreign_key: bool = False
    is_signed: bool = True
    key: RSAKey = field(default_factory=lambda: _key("own"))
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, query: str) -> str:
        """What a person's browser does there: sign in, come back with a code."""
        given = {name: values[0] for name, values in parse_qs(query).items()}
        code = secrets.token_hex(8)
        self._codes[code] = given
        return "?" + urlencode({"code": code, "state": given["state"]})

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return _json(start, self._discovery())
        if path == "/jwks":
            return _json(start, {"keys": [self.key.as_dict(private=False)]})
        if path == "/token":
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            return self._token(start, body.decode(), environ.get("HTTP_AUTHORIZATION", ""))
        return _json(start, {}, "404 Not Found")

    def _discovery(self) -> dict[str, Any]:
        right = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
        return {name: v for name, v in (right | self.document).items() if v is not None}

    def _token(self, start: Start, body: str, authorization: str) -> Iterable[bytes]:
        given = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self._codes.pop(given.get("code", ""), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        is_right = (
            asked is not None
            and asked["code_challenge_method"] == "S256"
            and asked["code_challenge"] == challenge
            and asked["redirect_uri"] == given.get("redirect_uri")
            and authorization == f"Basic {basic}"
        )
        if asked is None or not is_right:
            return _json(start, {"error": "invalid_grant"}, "400 Bad Request")
        token = {"access_token": "x", "token_type": "Bearer", "id_token": self._signed(asked)}
        return _json(start, token)

    def _signed(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        right = {
            "iss": self.issuer,
            "sub": "1",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email": "officer.one@district.example",
            "email_verified": True,
        }
        claims = {name: v for name, v in (right | self.claims).items() if v is not None}
        if not self.is_signed:
            return ".".join([_part({"alg": "none"}), _part(claims), ""])
        key = _key("foreign") if self.signs_with_foreign_key else self.key
        return jwt.encode({"alg": "RS256", "kid": "a"}, claims, key)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _json(start: Start, value: object, status: str = "200 OK") -> Iterable[bytes]:
    start(status, [("Content-Type", "application/json")])
    return [json.dumps(value).encode()]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def a_provider() -> Iterator[FakeProvider]:
    """One that answers until the end of the block."""
    provider = FakeProvider()
    server: WSGIServer = make_server("127.0.0.1", 0, provider, handler_class=_Quiet)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
