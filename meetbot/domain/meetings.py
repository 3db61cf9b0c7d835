"""Planned meetings: one calendar's copy, the merged occurrence, and its identity."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from meetbot.domain.invitation import Invitation, StudentMark, TextSearch
from meetbot.domain.platforms import PlatformLink
from meetbot.domain.shared_files import SharedFile


@dataclass(frozen=True, slots=True)
class Attendee:
    """One entry of `attendees[]` as Google gives it (in memory only: the address is clear)."""

    address: str
    display_name: str = ""
    response: str = "needsAction"
    is_resource: bool = False
    is_organizer: bool = False
    is_self: bool = False


@dataclass(frozen=True, slots=True)
class EventCopy:
    """One calendar's copy of one occurrence, as read from `events.list` (singleEvents=true).

    A tombstone has only `calendar`, `event_id` and `is_cancelled`, and for an instance
    `recurring_event_id` and `original_start_at`. Texts were searched for links at the border; they
    go no further than the job that searches them for student data. Source: https://developers.google.com/workspace/calendar/api/v3/reference/events
    """

    calendar: str
    event_id: str
    is_cancelled: bool = False
    ical_uid: str | None = None
    recurring_event_id: str | None = None
    original_start_at: datetime | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    is_all_day: bool = False
    organizer: str | None = None
    is_organizer_copy: bool = False
    creator: str | None = None
    attendees: tuple[Attendee, ...] = ()
    attendees_omitted: bool = False
    guests_can_see_others: bool = True
    guests_can_invite: bool = True
    guests_can_modify: bool = False
    is_private_copy: bool = False
    """`privateCopy`: imported, so its organizer says nothing about who set the meeting up."""
    is_details_hidden: bool = False
    """Read without rights to details (`visibility` private as a reader): text is unknown."""
    meeting_code: str | None = None
    """Meet code, lower case without hyphens."""
    links: tuple[PlatformLink, ...] = ()
    updated_at: datetime | None = None
    invitation: Invitation | None = None
    """In memory only; None where details are hidden."""


@dataclass(frozen=True, slots=True)
class KeptGuest:
    """A guest as stored: keyed, with the clear address for people who are not students."""

    address_key: str
    domain: str
    address: str | None = None
    response: str = "needsAction"
    is_resource: bool = False
    is_organizer: bool = False
    name_tokens: tuple[str, ...] = ()
    """Keyed words of name and local part, outsiders and staff only, to fit a display name."""
    via_group: str | None = None
    """Address key of the group through which this guest was invited."""


class Scope(StrEnum):
    """How much of the catalogue applies (catalogue §2, In scope)."""

    NONE = "none"
    ADULT = "adult"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class KeptCopy:
    """What the store keeps of an `EventCopy` that is in scope."""

    calendar: str
    event_id: str
    ical_uid: str
    original_start_at: datetime
    start_at: datetime
    end_at: datetime
    is_recurring: bool
    is_cancelled: bool
    organizer: KeptGuest | None
    creator: KeptGuest | None
    is_organizer_copy: bool
    guests: tuple[KeptGuest, ...]
    is_guest_list_complete: bool
    """False: omitted, hidden on a copy that is not the organizer's, or a group unexpanded."""
    guests_can_see_others: bool
    guests_can_invite: bool
    guests_can_modify: bool
    is_private_copy: bool
    is_details_hidden: bool
    meeting_code: str | None
    links: tuple[PlatformLink, ...]
    updated_at: datetime | None
    unexpanded_groups: int = 0
    recurring_event_id: str | None = None
    scope: Scope = Scope.FULL
    """As told by this copy alone; the occurrence has the widest of its copies'."""
    search: TextSearch | None = None
    """What its texts hold of students; None: nobody searched them."""
    files: tuple[SharedFile, ...] = ()
    """Attachments and linked files that may list students."""


@dataclass(frozen=True, slots=True)
class OccurrenceKey:
    """(`iCalUID`, `originalStartTime` in UTC); an ad-hoc call has no uid and its code instead."""

    ical_uid: str | None
    original_start_at: datetime
    meeting_code: str | None = None

    @property
    def text(self) -> str:
        """Stable text form, equal only for equal occurrences (the code of an event may change)."""
        start = self.original_start_at.strftime("%Y%m%dT%H%M%SZ")
        return f"{self.ical_uid or 'adhoc:' + (self.meeting_code or '')}|{start}"


_SPLIT = re.compile(r"_R\d{8}(T\d{6})?Z?(?=@|$)")


def series_of(key: OccurrenceKey) -> str | None:
    """The uid of an event without the mark that "this and following events" gives a new part."""
    return None if key.ical_uid is None else _SPLIT.sub("", key.ical_uid)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Student addresses on a guest list that an outsider could see."""

    visible_from: datetime
    visible_until: datetime | None
    students: int
    """Largest number of student addresses seen at once."""
    is_group_only: bool = False
    """All of them came through groups whose members an outsider cannot list."""
    seen_by: tuple[str, ...] = ()
    """partner_ids, and the domains of unregistered outsiders, sorted."""


@dataclass(frozen=True, slots=True)
class TextDisclosure:
    """Student data in an invitation's texts that an outsider was sent; the most at once."""

    readable_from: datetime
    readable_until: datetime | None
    """When it was first seen to be gone."""
    marks: tuple[StudentMark, ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an approval was given for (rule `authorization-stale`); local wall-clock values."""

    authorization_id: str
    issued_at: datetime
    starts: str
    """Local `HH:MM` after the local date of a single event, or the weekday of a recurring one."""
    ends: str
    series: str
    host: str
    externals: tuple[str, ...]
    platform: str
    audience: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """One occurrence, merged from the copies of all calendars that hold it."""

    key: OccurrenceKey
    start_at: datetime
    end_at: datetime
    is_cancelled: bool
    is_recurring: bool
    organizer: KeptGuest | None
    creator: KeptGuest | None
    is_imported: bool
    guests: tuple[KeptGuest, ...]
    is_guest_list_complete: bool
    unexpanded_groups: int
    guests_can_see_others: bool
    guests_can_invite: bool
    guests_can_modify: bool
    are_settings_known: bool
    """False when no copy tells the organizer's settings for sure."""
    meeting_code: str | None
    links: tuple[PlatformLink, ...]
    are_details_known: bool
    first_seen_at: datetime
    calendars: tuple[str, ...]
    disclosure: Disclosure | None = None
    fingerprints: tuple[Fingerprint, ...] = ()
    is_adhoc: bool = False
    are_guests_kept: bool = True
    """False: of a meeting of adults only the outsiders are kept."""
    search: TextSearch | None = None
    files: tuple[SharedFile, ...] = ()
    text_disclosure: TextDisclosure | None = None


def merge_copies(
    key: OccurrenceKey,
    copies: tuple[KeptCopy, ...],
    *,
    first_seen_at: datetime,
    disclosure: Disclosure | None = None,
    fingerprints: tuple[Fingerprint, ...] = (),
    text_disclosure: TextDisclosure | None = None,
) -> Meeting:
    """Merge all known copies of one occurrence; needs at least one copy.

    The organizer's copy is the truth where there is one; otherwise the newest `updated` copy
    tells times, and nobody tells the settings for sure. Where the copy that counts does not hold
    the whole guest list, it is the union of all. Imported copies count only where there are no
    others. The meeting is cancelled when the organizer's copy is, or when every copy is.
    """
    real = [copy for copy in copies if not copy.is_private_copy] or list(copies)
    live = [copy for copy in real if not copy.is_cancelled] or real
    own = [copy for copy in real if copy.is_organizer_copy and not _was_moved_away(copy, live)]
    lead = max(own or live, key=_freshness)
    tellers = sorted([lead] if _is_whole(lead, own) else {*live, lead}, key=_freshness)
    guests = {guest.address_key: guest for copy in tellers for guest in copy.guests}
    shown = [lead] if own else live
    return Meeting(
        key=OccurrenceKey(key.ical_uid, key.original_start_at, lead.meeting_code),
        start_at=lead.start_at,
        end_at=lead.end_at,
        is_cancelled=lead.is_cancelled,
        is_recurring=lead.is_recurring,
        organizer=lead.organizer,
        creator=lead.creator,
        is_imported=not own and all(c.is_private_copy for c in live),
        guests=tuple(guests.values()),
        is_guest_list_complete=any(c.is_guest_list_complete for c in tellers),
        unexpanded_groups=max(c.unexpanded_groups for c in tellers),
        guests_can_see_others=lead.guests_can_see_others,
        guests_can_invite=lead.guests_can_invite,
        guests_can_modify=lead.guests_can_modify,
        are_settings_known=bool(own),
        meeting_code=lead.meeting_code,
        links=tuple(dict.fromkeys(link for c in shown for link in c.links)),
        are_details_known=not lead.is_details_hidden,
        first_seen_at=first_seen_at,
        calendars=tuple(sorted({c.calendar for c in copies})),
        disclosure=disclosure,
        fingerprints=fingerprints,
        are_guests_kept=any(c.scope is Scope.FULL for c in tellers),
        search=_search_of(lead, shown),
        files=tuple(dict.fromkeys(file for c in shown for file in c.files)),
        text_disclosure=text_disclosure,
    )


def _was_moved_away(copy: KeptCopy, live: list[KeptCopy]) -> bool:
    """Whether a copy only ended because the event has another organizer now (`events.move`)."""
    newest = max(live, key=_freshness)
    if not copy.is_cancelled or newest.is_cancelled or not copy.organizer or not newest.organizer:
        return False
    return copy.organizer.address_key != newest.organizer.address_key


def _search_of(lead: KeptCopy, shown: list[KeptCopy]) -> TextSearch | None:
    """What was found in any copy's texts; in full if the copy that counts was searched so."""
    found = [copy.search for copy in shown if copy.search is not None]
    if not found:
        return None
    marks = tuple(dict.fromkeys(mark for search in found for mark in search.marks))
    told = lead.search or TextSearch(is_complete=False, is_cut=True)
    return replace(told, marks=marks)


def _is_whole(lead: KeptCopy, own: list[KeptCopy]) -> bool:
    """Whether the organizer's copy lists everybody, as far as groups can be opened."""
    return bool(own) and (lead.is_guest_list_complete or lead.unexpanded_groups > 0)


def _freshness(copy: KeptCopy) -> tuple[bool, bool, float, str, str]:
    updated = copy.updated_at.timestamp() if copy.updated_at else 0.0
    return (
        not copy.is_cancelled,
        not copy.is_details_hidden,
        updated,
        copy.calendar,
        copy.event_id,
    )
