"""The Workspace adapters without a network: a key, a clock, and waits that are only noted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from meetbot.ports import Glance
from meetbot.workspace.access import Access, load_key
from meetbot.workspace.activities import to_activities
from meetbot.workspace.api import Api
from meetbot.workspace.client import GoogleClient, RequestCounts, RetryPolicy
from meetbot.workspace.quota import GOOGLE_LIMITS, PerMinute, Quota
from meetbot.workspace.sieve import CallRow, call_rows
from meetbot.workspace.transport import Circuits, Deadlines, Transport

ROOT = "https://google.test"
TOKEN_URI = "https://tokens.test/token"
ANN = "ann@district.example"
ADMIN = "admin@district.example"
NOW = datetime(2026, 10, 13, 15, 0, tzinfo=UTC)


@cache
def private_key() -> str:
    """One key for all tests: making one is slow."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def key_info(**changes: object) -> dict[str, object]:
    """The content of a key file."""
    return {
        "type": "service_account",
        "client_email": "meetbot@project.iam.gserviceaccount.com",
        "client_id": "123456789",
        "private_key_id": "1",
        "private_key": private_key(),
        "token_uri": TOKEN_URI,
    } | changes


def key_file(folder: Path, **changes: object) -> Path:
    """A key file on disk; a change to None takes the field out."""
    info = {name: value for name, value in key_info(**changes).items() if value is not None}
    path = folder / "key.json"
    path.write_text(json.dumps(info), encoding="utf-8")
    return path


@dataclass
class Time:
    """Time that passes only by sleeping."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Parts:
    """A client and what it is made of."""

    client: GoogleClient
    access: Access
    transport: Transport
    time: Time
    counts: RequestCounts

    def calls(self, path: str) -> list[Mapping[str, str]]:
        """Query parameters of the requests whose URL holds `path`, in order."""
        found = []
        for call in responses.calls:
            url = call.request.url or ""
            if path in url:
                found.append(call.request.params)  # type: ignore[attr-defined]
        return found


def parts(
    folder: Path,
    *,
    api_root: str | None = ROOT,
    limits: Mapping[Api, PerMinute] = GOOGLE_LIMITS,
    policy: RetryPolicy | None = None,
    deadlines: Deadlines | None = None,
    circuits: Circuits | None = None,
    **key: object,
) -> Parts:
    """A client that never really waits and whose jitter is always at its middle."""
    time = Time()
    counts = RequestCounts()
    transport = Transport(deadlines, circuits=circuits or Circuits(time), longest_body=1_000_000)
    service_key = load_key(key_file(folder, **key))
    access = Access(service_key, transport, count=lambda: counts.add("token"))
    client = GoogleClient(
        access,
        transport,
        Quota(limits, clock=time, sleep=time.sleep),
        quota_key=b"secret",
        api_root=api_root,
        policy=policy,
        counts=counts,
        sleep=time.sleep,
        clock=time,
        dice=lambda: 0.5,
    )
    return Parts(client, access, transport, time, counts)


def give_token(token: str = "t", **more: Any) -> None:
    """Let the token service answer well from now on."""
    body = {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
    responses.post(TOKEN_URI, json=body | more)


def classic(status: int, reason: str, message: str = "words") -> dict[str, Any]:
    """An error of Calendar, Directory or Reports."""
    line = {"domain": "global", "reason": reason, "message": message}
    return {"error": {"code": status, "message": message, "errors": [line]}}


def modern(status: int, word: str, reason: str = "") -> dict[str, Any]:
    """An error of Meet or Gmail."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
    error = {"code": status, "message": "words", "status": word}
    return {"error": error | ({"details": details} if reason else {})}


def all_matter(glances: Sequence[Glance]) -> set[str]:
    """The sieve that keeps every call."""
    return {glance.conference for glance in glances}


def to_call_rows(raw: list[dict[str, Any]]) -> list[CallRow]:
    """Rows of the audit log given as JSON objects."""
    return call_rows(to_activities(raw))
