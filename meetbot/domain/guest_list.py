"""The history of a guest list: who came onto it between two readings, and who is said to have
added them.

What is listed are entries, not people: the members of a group come and go without anybody adding
a guest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meetbot.domain.meetings import KeptGuest, Meeting


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a guest list: a guest's key, or that of a group.

    It came between `absent_at` and `seen_at`; `absent_at` None: it was there when the list was
    first read. `could_invite`: whether guests could add people at that time; None is unknown.
    """

    key: str
    seen_at: datetime
    absent_at: datetime | None = None
    could_invite: bool | None = None


@dataclass(frozen=True, slots=True)
class GuestList:
    """The entries as of the last reading that showed all of them."""

    read_at: datetime
    could_invite: bool | None
    entries: tuple[Entry, ...]


class Editor(StrEnum):
    """Who changed an event, as far as matters: staff (and the district's booking tools), an
    outsider who is not exempt, somebody else, or nobody can tell."""

    STAFF = "staff"
    OUTSIDER = "outsider"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class KeptEdit:
    """A row of the Calendar audit log about a kept event, as stored: everybody keyed.

    `guest_key` is the entry that was added; None where the row only says that the event changed.
    """

    key: str
    event_id: str
    at: datetime
    actor: KeptGuest | None
    guest_key: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit, its actor classified with directory and registry as they are now."""

    at: datetime
    by: Editor
    guest_key: str | None = None
    partner_id: str | None = None


def entries_of(meeting: Meeting) -> frozenset[str]:
    """Keys of the entries on a guest list, rooms and the organizer apart."""
    organizer = meeting.organizer.address_key if meeting.organizer else None
    return frozenset(
        guest.via_group or guest.address_key
        for guest in meeting.guests
        if not guest.is_resource and not guest.is_organizer and guest.address_key != organizer
    )


def guest_list_after(
    meeting: Meeting, previous: GuestList | None, read_at: datetime
) -> GuestList | None:
    """The history with what is listed now; as it was where not everybody is shown.

    `read_at` is when the calendar was read. May be applied repeatedly.
    """
    if not _shows_everybody(meeting):
        return previous
    could_invite = can_invite(meeting)
    known = {entry.key: entry for entry in previous.entries} if previous else {}
    absent_at = previous.read_at if previous else None
    before = previous.could_invite if previous else could_invite
    entries = tuple(
        known.get(key) or Entry(key, read_at, absent_at, _either(before, could_invite))
        for key in sorted(entries_of(meeting))
    )
    return GuestList(read_at, could_invite, entries)


def can_invite(meeting: Meeting) -> bool | None:
    """Whether guests can add people; None while nobody can tell the organizer's settings."""
    if not meeting.are_settings_known:
        return None
    return meeting.guests_can_invite or meeting.guests_can_modify


def _shows_everybody(meeting: Meeting) -> bool:
    """A list cut or hidden, or reduced to its outsiders, would look like additions later."""
    is_whole = meeting.is_guest_list_complete or (
        meeting.are_settings_known and meeting.unexpanded_groups > 0
    )
    return is_whole and meeting.are_guests_kept and not meeting.is_cancelled


def _either(before: bool | None, now: bool | None) -> bool | None:
    """Before or after the addition: the setting may have been changed together with it."""
    if before or now:
        return True
    return None if before is None or now is None else False


def edits_for(key: str, edits: Iterable[Edit]) -> list[Edit]:
    """The edits that name an entry, oldest first."""
    return sorted((e for e in edits if e.guest_key == key), key=lambda e: e.at)
