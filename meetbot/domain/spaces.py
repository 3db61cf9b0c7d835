"""The Meet space behind a meeting: who may enter it, and who may let others in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from meetbot.domain.meetings import KeptGuest

_SOON = timedelta(days=7)
_LAST = timedelta(hours=1)
_AGAIN = timedelta(hours=1)


class Access(StrEnum):
    """Who enters without knocking: anyone with the link; own people and invited guests; invited."""

    OPEN = "open"
    TRUSTED = "trusted"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class Space:
    """A space as Meet tells it; the settings only to its owner, so None is unknown.

    Codes can be given to another space, so `name` (`spaces/{id}`) is what is remembered.
    Source: https://developers.google.com/workspace/meet/api/guides/meeting-spaces-overview
    """

    name: str
    meeting_code: str | None
    access: Access | None = None
    is_moderated: bool | None = None


@dataclass(frozen=True, slots=True)
class SpaceFacts:
    """The last reading of the space of one occurrence, as stored.

    `code` and `organizer_key` tell for which event it was made. With a `problem` the settings are
    unknown; `cohosts` None: nobody could tell.
    """

    code: str
    organizer_key: str
    read_at: datetime
    name: str | None = None
    access: Access | None = None
    is_moderated: bool | None = None
    cohosts: tuple[KeptGuest, ...] | None = None
    problem: str = ""


def next_reading(facts: SpaceFacts, start_at: datetime) -> datetime:
    """When to read the space again.

    Within the hour where it is open or could not be read, so that mending it soon shows; daily in
    the last week and weekly before; always once in the last hour before the start.
    """
    if facts.problem or facts.access is Access.OPEN:
        age = _AGAIN
    else:
        age = timedelta(days=1) if start_at - facts.read_at <= _SOON else _SOON
    due_at = facts.read_at + age
    last_at = start_at - _LAST
    return min(due_at, last_at) if facts.read_at < last_at else due_at
