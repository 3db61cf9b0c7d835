"""What deciding many occurrences needs, loaded for all of them at once, as of any instant.

Deciding one occurrence takes some twenty queries, most of them the same for its neighbors. Here a
batch is loaded by a few, and `BatchView.at` shows it as it was at an instant: calls and visits
that came later are left out, and what was running then runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from meetbot.domain.attendance import Identity, Source, Visit
from meetbot.domain.guest_list import KeptEdit
from meetbot.domain.meetings import Meeting, OccurrenceKey
from meetbot.domain.people import KnownAccount
from meetbot.domain.registry import Registry
from meetbot.ports import (
    CalendarState,
    HeldConference,
    MeetingRecord,
    Slot,
    SourceRead,
    Tx,
)

T = TypeVar("T")
_AROUND = timedelta(days=1)
"""Calls so long before or after a meeting may be its own, and other meetings their rivals."""
_MOST_KEPT = 100_000
_MICROSECOND = timedelta(microseconds=1)


class _Asked(dict[str, T | None]):
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
        self._addresses = _Asked[KnownAccount](tx.people.by_address)
        self._persons = _Asked[KnownAccount](tx.people.by_person)
        self._learned = _Asked[tuple[str, str]](tx.people.learned)

    def by_address(self, address_keys: Collection[str]) -> dict[str, KnownAccount]:
        """Accounts by keyed address."""
        return self._addresses.of(address_keys)

    def by_person(self, person_keys: Collection[str]) -> dict[str, KnownAccount]:
        """Accounts by keyed id."""
        return self._persons.of(person_keys)

    def learned(self, id_keys: Collection[str]) -> dict[str, tuple[str, str]]:
        """(address key, address) by Meet id key."""
        return self._learned.of(id_keys)


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


class Sources:
    """How far sources are read, and small values, each asked for once."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._found = {read.source: read for read in tx.meta.sources()}
        self._values: dict[str, str | None] = {}

    def source(self, name: str) -> SourceRead:
        """State of a source."""
        return self._found.get(name) or SourceRead(name)

    def get(self, name: str) -> str | None:
        """A small value."""
        if name not in self._values:
            self._values[name] = self._tx.meta.get(name)
        return self._values[name]


class SourcesThen:
    """`ports.MetaReads`: no source was read later than at an instant."""

    def __init__(self, sources: Sources, moment: datetime) -> None:
        self._sources = sources
        self._moment = moment

    def source(self, name: str) -> SourceRead:
        """State of a source."""
        read = self._sources.source(name)
        if read.read_at is None or read.read_at <= self._moment:
            return read
        return replace(read, read_at=self._moment)

    def get(self, name: str) -> str | None:
        """A small value."""
        return self._sources.get(name)


class Shared:
    """What all batches of one replay share."""

    def __init__(self, tx: Tx) -> None:
        self.people = People(tx)
        self.registry = RegistryHistory(tx)
        self.meta = Sources(tx)
        self.calendars = tx.meetings.calendars()


class BatchView:
    """`ports.Reads` of some occurrences at one instant."""

    def __init__(self, batch: Batch, moment: datetime) -> None:
        self.people = batch.shared.people
        self.registry = batch.shared.registry
        self.meta = SourcesThen(batch.shared.meta, moment)
        self.meetings = batch
        self.conferences = self
        self._batch = batch
        self._moment = moment

    def held(self, code: str, start_at: datetime, end_at: datetime) -> tuple[HeldConference, ...]:
        """Conferences of a code that overlap the span, as far as they were known then."""
        return tuple(
            as_seen(held, self._moment)
            for held in self._batch.calls.get(_plain(code), ())
            if held.conference.start_at <= self._moment
            and _overlaps(held.conference.start_at, held.conference.latest_end_at, start_at, end_at)
        )


class Batch:
    """Some occurrences with all that their dossiers need."""

    def __init__(
        self, tx: Tx, records: Sequence[MeetingRecord], shared: Shared, as_of: datetime
    ) -> None:
        self.shared = shared
        self.calls: dict[str, list[HeldConference]] = {}
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
            self.calls.setdefault(_plain(one.conference.meeting_code or ""), []).append(one)
        first = min([first, *(h.conference.start_at - _AROUND for h in held)])
        last = max([last, *((h.conference.end_at or as_of) + _AROUND for h in held)])
        self._slots = tx.meetings.slots_of(codes, first, last)
        self._shared_codes = tx.meetings.shared_codes(codes)
        edits = tx.meetings.edits_of({of for record in records for of in record.event_ids})
        for edit in edits:
            self._edits.setdefault(edit.event_id, []).append(edit)
        self._ask_for_people(records, held, edits)

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
        addresses |= {edit.actor.address_key for edit in edits if edit.actor}
        self.shared.people.by_address(addresses | set(_invited(records)))
        self.shared.people.by_person(ids)
        self.shared.people.learned(ids)

    def at(self, moment: datetime) -> BatchView:
        """The batch as it was at an instant."""
        return BatchView(self, moment)

    def names(self, code: str | None) -> frozenset[str]:
        """Names of the stored conferences of a code."""
        return frozenset(held.conference.name for held in self.calls.get(_plain(code or ""), ()))

    def calendar(self, address: str) -> CalendarState:
        """How far a calendar is read."""
        return self.shared.calendars.get(address) or CalendarState(mark=None, read_at=None)

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


def as_seen(held: HeldConference, moment: datetime) -> HeldConference:
    """A conference as it was known at an instant after its start.

    Meet shows who is in a running call; the audit log has its rows only after somebody left.
    """
    conference = held.conference
    if conference.end_at is None or conference.end_at <= moment:
        return held
    if conference.source is Source.AUDIT:
        seen = tuple(v for v in held.visits if v.end_at is not None and v.end_at <= moment)
        return HeldConference(replace(conference, end_at=moment), seen)
    visits = tuple(_visit_at(v, moment) for v in held.visits if v.start_at <= moment)
    return HeldConference(replace(conference, end_at=None), visits)


def _visit_at(visit: Visit[Identity], moment: datetime) -> Visit[Identity]:
    if visit.end_at is None or visit.end_at <= moment:
        return visit
    return replace(visit, end_at=None, last_seen_at=moment)
