"""What deciding many occurrences needs, loaded for all of them at once.

Deciding one occurrence takes some twenty queries, most of them the same for its neighbors.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from meetbot.domain.guest_list import KeptEdit
from meetbot.domain.meetings import Meeting, OccurrenceKey
from meetbot.domain.people import KnownAccount
from meetbot.domain.registry import Registry
from meetbot.ports import (
    CalendarState,
    HeldConference,
    MeetingRecord,
    Slot,
    Tx,
)

T = TypeVar("T")
_AROUND = timedelta(days=1)
"""Calls so long before or after a meeting may be its own, and other meetings their rivals."""
_MOST_KEPT = 100_000
_MICROSECOND = timedelta(microseconds=1)


class Asked(dict[str, T | None]):
    """Answers to keys, each asked for once; all are forgotten when they become too many."""

    def __init__(self, ask: Callable[[Collection[str]], Mapping[str, T]]) -> None:
        super().__init__()
        self._ask = ask

    def of(self, keys: Collection[str]) -> dict[str, T]:
        """The answers there are."""
        missing = [key for key in keys if key not in self]
        if missing:
            if len(self) > _MOST_KEPT:
                self.clear()
                missing = list(keys)
            found = self._ask(missing)
            self.update((key, found.get(key)) for key in missing)
        answers = ((key, self[key]) for key in keys)
        return {key: answer for key, answer in answers if answer is not None}


class People:
    """`ports.PeopleReads`."""

    def __init__(self, tx: Tx) -> None:
        self._addresses = Asked[KnownAccount](tx.people.by_address)
        self._persons = Asked[KnownAccount](tx.people.by_person)
        self._learned = Asked[tuple[str, str]](tx.people.learned)

    def by_address(self, address_keys: Collection[str]) -> dict[str, KnownAccount]:
        """Accounts by keyed address."""
        return self._addresses.of(address_keys)

    def by_person(self, person_keys: Collection[str]) -> dict[str, KnownAccount]:
        """Accounts by keyed id."""
        return self._persons.of(person_keys)

    def learned(self, id_keys: Collection[str]) -> dict[str, tuple[str, str]]:
        """(address key, address) by Meet id key."""
        return self._learned.of(id_keys)

    def ask_again(self, id_key: str) -> None:
        """What was learned of a Meet id changed."""
        self._learned.pop(id_key, None)


class RegistryHistory:
    """`ports.RegistryReads`, each state read once."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._since = tx.registry.known_since()
        self._known: dict[datetime, Registry] = {}

    def as_known(self, at: datetime) -> Registry:
        """The rows that were known at an instant."""
        if at not in self._known:
            if len(self._known) > 100:
                self._known.clear()
            self._known[at] = self._tx.registry.as_known(at)
        return self._known[at]

    def known_since(self) -> datetime | None:
        """When the current state was imported."""
        return self._since


class Batch:
    """Some occurrences with all that their dossiers need; people and calendars may be shared."""

    def __init__(
        self,
        tx: Tx,
        records: Sequence[MeetingRecord],
        people: People,
        calendars: Asked[CalendarState],
        as_of: datetime,
    ) -> None:
        self._people = people
        self._calendars = calendars
        self._calls: dict[str, list[HeldConference]] = {}
        self._tx = tx
        self._slots: dict[str, list[Slot]] = {}
        self._shared_codes: frozenset[str] = frozenset()
        self._sharing: dict[OccurrenceKey, list[MeetingRecord]] = {}
        self._edits: dict[str, list[KeptEdit]] = {}
        if records:
            self._load(tx, records, as_of)

    def _load(self, tx: Tx, records: Sequence[MeetingRecord], as_of: datetime) -> None:
        spans = [_scheduled(record) for record in records]
        first = min(start for start, _ in spans) - _AROUND
        last = max(end for _, end in spans) + _AROUND
        codes = {record.key.meeting_code for record in records if record.key.meeting_code}
        held = tx.conferences.held_of(codes, first, last)
        for one in held:
            self._calls.setdefault(_plain(one.conference.meeting_code or ""), []).append(one)
        first = min([first, *(h.conference.start_at - _AROUND for h in held)])
        last = max([last, *((h.conference.end_at or as_of) + _AROUND for h in held)])
        self._slots = tx.meetings.slots_of(codes, first, last)
        self._shared_codes = tx.meetings.shared_codes(codes)
        edits = tx.meetings.edits_of({of for record in records for of in record.event_ids})
        for edit in edits:
            self._edits.setdefault(edit.event_id, []).append(edit)
        self._ask_for_people(records, held, edits)
        meetings = [record.meeting for record in records if record.meeting]
        self._calendars.of({address for meeting in meetings for address in meeting.calendars})

    def _ask_for_people(
        self,
        records: Iterable[MeetingRecord],
        held: Collection[HeldConference],
        edits: Iterable[KeptEdit],
    ) -> None:
        """Everybody at once; each dossier then finds its own."""
        visits = [visit.identity for one in held for visit in one.visits]
        ids = {identity.id_key for identity in visits if identity.id_key}
        addresses = {identity.address_key for identity in visits if identity.address_key}
        addresses |= {one.conference.organizer_key for one in held if one.conference.organizer_key}
        addresses |= {edit.actor.address_key for edit in edits if edit.actor}
        self._people.by_address(addresses | set(_invited(records)))
        self._people.by_person(ids)
        self._people.learned(ids)

    def names(self, code: str | None) -> frozenset[str]:
        """Names of the stored conferences of a code."""
        return frozenset(held.conference.name for held in self._calls.get(_plain(code or ""), ()))

    def calendar(self, address: str) -> CalendarState:
        """How far a calendar is read."""
        known = self._calendars.of([address]).get(address)
        return known or CalendarState(mark=None, read_at=None)

    def held(self, code: str, start_at: datetime, end_at: datetime) -> tuple[HeldConference, ...]:
        """Conferences of a code that overlap the span."""
        return tuple(
            held
            for held in self._calls.get(_plain(code), ())
            if _overlaps(held.conference.start_at, held.conference.latest_end_at, start_at, end_at)
        )

    def slots(self, code: str, start_at: datetime, end_at: datetime) -> list[Slot]:
        """Times of the occurrences of a code that overlap the span."""
        return [
            slot
            for slot in self._slots.get(_plain(code), ())
            if _overlaps(slot.start_at, slot.end_at, start_at, end_at)
        ]

    def sharing_code(self, meeting: Meeting, limit: int) -> list[MeetingRecord]:
        """Other events with a meeting's code; hardly any code is on two."""
        if _plain(meeting.meeting_code or "") not in self._shared_codes:
            return []
        if meeting.key not in self._sharing:
            self._sharing[meeting.key] = self._tx.meetings.sharing_code(meeting, limit)
        return self._sharing[meeting.key]

    def edits_of(self, event_ids: Collection[str]) -> list[KeptEdit]:
        """Stored audit rows of these event ids, oldest first."""
        found = [edit for of in event_ids for edit in self._edits.get(of, ())]
        return sorted(found, key=lambda edit: (edit.at, edit.key))


def _invited(records: Iterable[MeetingRecord]) -> Iterator[str]:
    for record in records:
        if record.meeting is not None:
            meeting = record.meeting
            cohosts = (record.space.cohosts or ()) if record.space else ()
            for guest in (*meeting.guests, meeting.organizer, meeting.creator, *cohosts):
                if guest is not None:
                    yield guest.address_key


def _plain(code: str) -> str:
    return code.replace("-", "").strip().lower()


def _scheduled(record: MeetingRecord) -> tuple[datetime, datetime]:
    if record.meeting is None:
        return record.key.original_start_at, record.key.original_start_at
    return record.meeting.start_at, record.meeting.end_at


def _overlaps(start_at: datetime, end_at: datetime, since: datetime, until: datetime) -> bool:
    """As the store tells it: an empty span counts as its one instant."""
    last = max(until, since + _MICROSECOND)
    return start_at < last and (end_at > since or start_at >= since)
