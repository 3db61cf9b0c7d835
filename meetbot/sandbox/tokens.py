"""The OAuth token endpoint and the bearer tokens it gave out.

Errors as in https://developers.google.com/identity/protocols/oauth2/service-account
("JWT error codes").
"""

import base64
import binascii
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from meetbot.sandbox.discovery import DOCUMENTS, load_document
from meetbot.sandbox.model import User
from meetbot.sandbox.replies import Reply
from meetbot.sandbox.world import World

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_EMAIL = "meetbot@sandbox-project.iam.gserviceaccount.com"
GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
"""What google-auth signs for, whatever `token_uri` says."""
LONGEST = 3600
SKEW = 300
"""Seconds a clock may be off before Google refuses the assertion."""
_SHORT_LIVED = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """The service account's key, made once per process because making it is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account_key(token_uri: str) -> dict[str, str]:
    """The content of a service-account key file for this sandbox."""
    pem = signing_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": "sandbox-project",
        "private_key_id": "5a" * 20,
        "private_key": pem.decode(),
        "client_email": CLIENT_EMAIL,
        "client_id": "100000000000000000001",
        "token_uri": token_uri,
    }


class TokenError(Exception):
    """A refused token request."""

    def __init__(self, status: int, error: str, description: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.description = description

    def reply(self) -> Reply:
        """As the token endpoint writes it."""
        body = {"error": self.error, "error_description": self.description}
        return Reply(self.status, orjson.dumps({k: v for k, v in body.items() if v}))


@dataclass(frozen=True, slots=True)
class Token:
    """Whom a bearer token stands for, what it may do and (machine time) how long."""

    subject: str
    scopes: frozenset[str]
    expires: float


class TokenOffice:
    """Gives bearer tokens out; `seconds_now` is the clock that assertions are judged by."""

    def __init__(self, world: World, audience: str, seconds_now: Callable[[], float]) -> None:
        self._world = world
        self._audience = audience
        self._seconds_now = seconds_now
        self._tokens: dict[str, Token] = {}

    def find(self, bearer: str) -> Token | None:
        """The living token, or None."""
        token = self._tokens.get(bearer)
        return token if token is not None and token.expires > self._seconds_now() else None

    def subject_of(self, body: bytes) -> str:
        """Whom an assertion asks for, unchecked (for logs and faults)."""
        try:
            return str(_claims(_assertion(body)).get("sub", ""))
        except TokenError:
            return ""

    def grant(self, body: bytes) -> Reply:
        """Answers POST /token."""
        try:
            return self._grant(_assertion(body))
        except TokenError as error:
            return error.reply()

    def _grant(self, assertion: str) -> Reply:
        claims = _claims(assertion)
        _verify_signature(assertion)
        self._check_claims(claims)
        scopes = frozenset(str(claims.get("scope", "")).split())
        subject = str(claims.get("sub", ""))
        self._check_scopes(subject, scopes)
        user = self._subject(subject)
        seconds = self._world.shaping.token_seconds
        bearer = "ya29." + secrets.token_urlsafe(48)
        self._forget_expired()
        self._tokens[bearer] = Token(
            user.email if user else "", scopes, self._seconds_now() + seconds
        )
        answer = {"access_token": bearer, "expires_in": seconds, "token_type": "Bearer"}
        return Reply(200, orjson.dumps(answer))

    def _check_claims(self, claims: Mapping[str, object]) -> None:
        if claims.get("iss") != CLIENT_EMAIL:
            raise TokenError(400, "invalid_grant", "Invalid grant: account not found")
        if claims.get("aud") not in (GOOGLE_AUDIENCE, self._audience):
            raise TokenError(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        issued, expires, now = claims.get("iat"), claims.get("exp"), self._seconds_now()
        if not isinstance(issued, int | float) or not isinstance(expires, int | float):
            raise TokenError(400, "invalid_grant", _SHORT_LIVED)
        if expires - issued > LONGEST or issued > now + SKEW or expires < now - SKEW:
            raise TokenError(400, "invalid_grant", _SHORT_LIVED)

    def _check_scopes(self, subject: str, scopes: frozenset[str]) -> None:
        refusal = self._world.shaping.take_refusal(subject, scopes)
        if refusal is not None:
            raise TokenError(refusal.status, refusal.error, refusal.description)
        if not scopes or not scopes <= _known_scopes():
            raise TokenError(
                400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."
            )
        granted = scopes & self._world.granted_scopes
        if not granted:
            raise TokenError(
                401,
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client "
                "not authorized for any of the scopes requested.",
            )
        if granted != scopes:
            raise TokenError(403, "access_denied", "Requested client not authorized.")

    def _subject(self, subject: str) -> User | None:
        if not subject:
            return None
        if re.fullmatch(r"[^@\s]+@[^@\s]+", subject) is None:
            raise TokenError(400, "invalid_grant", "Not a valid email.")
        user = self._world.find_user(subject)
        if user is None or user.suspended or user.archived or user.guest_of or user.room:
            raise TokenError(400, "invalid_grant", "Invalid email or User ID")
        return user

    def _forget_expired(self) -> None:
        if len(self._tokens) % 1000 == 999:
            now = self._seconds_now()
            self._tokens = {k: v for k, v in self._tokens.items() if v.expires > now}


@cache
def _known_scopes() -> frozenset[str]:
    methods = (method for api in DOCUMENTS for method in load_document(api).methods)
    return frozenset().union(*(method.scopes for method in methods))


def _assertion(body: bytes) -> str:
    form = parse_qs(body.decode("utf-8", "replace"))
    if form.get("grant_type") != [GRANT]:
        raise TokenError(400, "unsupported_grant_type", "Invalid grant_type: use jwt-bearer")
    return form.get("assertion", [""])[0]


def _part(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise TokenError(400, "invalid_grant", "Invalid JWT.") from None


def _claims(assertion: str) -> dict[str, object]:
    pieces = assertion.split(".")
    try:
        header, claims = (orjson.loads(_part(piece)) for piece in pieces[:2])
    except ValueError:
        raise TokenError(400, "invalid_grant", "Invalid JWT.") from None
    if len(pieces) != 3 or not isinstance(claims, dict) or header.get("alg") != "RS256":
        raise TokenError(400, "invalid_grant", "Invalid JWT.")
    return claims


def _verify_signature(assertion: str) -> None:
    signed, _, signature = assertion.rpartition(".")
    try:
        signing_key().public_key().verify(
            _part(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
        )
    except InvalidSignature:
        raise TokenError(400, "invalid_grant", "Invalid JWT Signature.") from None
