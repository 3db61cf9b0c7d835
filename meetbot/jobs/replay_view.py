"""What a replay decides occurrences by, as it was at any instant.

`BatchView` shows a batch (`jobs.batch`) of some moment: calls and visits that came later are left
out, and what was running then runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from meetbot.domain.attendance import Identity, Source, Visit
from meetbot.jobs.batch import Asked, Batch, People, RegistryHistory
from meetbot.ports import CalendarState, HeldConference, MeetingRecord, SourceRead, Tx


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
        self._calendars = Asked[CalendarState](tx.meetings.calendars_of)
        self._tx = tx

    def batch(self, records: Sequence[MeetingRecord], as_of: datetime) -> Batch:
        """Some occurrences with all that their dossiers need."""
        return Batch(self._tx, records, self.people, self._calendars, as_of)


class BatchView:
    """`ports.Reads` of some occurrences at one instant."""

    def __init__(self, batch: Batch, shared: Shared, moment: datetime) -> None:
        self.people = shared.people
        self.registry = shared.registry
        self.meta = SourcesThen(shared.meta, moment)
        self.meetings = batch
        self.conferences = self
        self._batch = batch
        self._moment = moment

    def held(self, code: str, start_at: datetime, end_at: datetime) -> tuple[HeldConference, ...]:
        """Conferences of a code that overlap the span, as far as they were known then."""
        return tuple(
            as_seen(held, self._moment)
            for held in self._batch.held(code, start_at, end_at)
            if held.conference.start_at <= self._moment
        )


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
