"""How long what is kept, and what a legal hold keeps longer (catalogue §1, Retention)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Retention:
    """`[retention]` of `policy.toml`, with the catalogue's values."""

    attendance: timedelta = timedelta(days=90)
    """Meetings and attendance without a flag; then only counts stay."""
    confidential: timedelta = timedelta(days=30)
    """The same of confidential services."""
    evidence: timedelta = timedelta(days=1096)
    """Flags with all that belongs to them after they were closed; ended registry rows."""


class HoldKind(StrEnum):
    """What a legal hold names."""

    FLAG = "flag"
    MEETING = "meeting"
    PARTNER = "partner"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: while it is in force nothing that it names is deleted.

    `subject` is a flag's id, the `iCalUID` or Meet code of meetings, a partner_id, or empty.
    """

    id: int
    kind: HoldKind
    subject: str
    reason: str
    by: str
    added_at: datetime
    removed_at: datetime | None = None
    removed_by: str | None = None
    removed_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """What is older goes."""

    unrelated: datetime
    """Calls without anybody from outside."""
    attendance: datetime
    evidence: datetime


def month_in(zone: ZoneInfo) -> Callable[[datetime], str]:
    """The local month of an instant, such as `2026-10`."""
    return lambda at: f"{at.astimezone(zone):%Y-%m}"


@dataclass(frozen=True, slots=True)
class MonthCount:
    """How many meetings in scope, calls and visits of a local month (`2026-10`) there were."""

    month: str
    meetings: int = 0
    calls: int = 0
    visits: int = 0
