"""The Meet space behind a meeting: who may enter it, and who may let others in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from meetbot.domain.meetings import KeptGuest

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
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

    Within the hour where it is open, so that mending it soon shows; weekly at first and daily in
    the last week; always once in the last hour before the start.
    """
    read_at = facts.read_at
    if facts.access is Access.OPEN:
        due_at = read_at + _AGAIN
    else:
        due_at = min(read_at + _WEEK, max(start_at - _WEEK, read_at + _DAY))
    last_at = start_at - _LAST
    return min(due_at, last_at) if read_at < last_at else due_at
