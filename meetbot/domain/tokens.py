"""Tokens by which other programs ask the API: who they are, and what they may."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PREFIX = "mbt_"
"""What every token begins with, so that scanners find one that leaked."""


class Scope(StrEnum):
    """What a program may."""

    READ = "read"
    """Read cases, flags and coverage."""
    DECIDE = "decide"
    """Pass on the decisions of officers."""
    PRIVATE = "private"
    """Also what is about confidential meetings."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A program's token, without the token itself. `digest` is `token_digest` of it."""

    id: str
    name: str
    digest: str
    scopes: tuple[Scope, ...]
    by: str
    added_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None

    def is_good(self, at: datetime) -> bool:
        """Whether it opens anything at this instant."""
        return self.ended_at is None and at < self.expires_at


def token_digest(token: str) -> str:
    """SHA-256 of a token, 64 hexadecimal digits: tokens are random, so that no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
