"""Some occurrences judged in one transaction: read at its begin, written at its end.

Each statement costs more than its rows, so all occurrences of a transaction share them. Nothing
that is written at the end decides about another occurrence; what does is written at once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from meetbot.domain.casework import Noted
from meetbot.domain.flags import Flag, FlagChange
from meetbot.domain.notices import Notice, NoticeKind
from meetbot.domain.snapshots import Snapshot, Withheld
from meetbot.jobs.batch import Asked, Batch, People, RegistryHistory
from meetbot.ports import CalendarState, FlagSave, Judged, MeetingRecord, Tx


class Turn:
    """`ports.Reads` of the occurrences of one transaction, and what judging them changes."""

    def __init__(self, tx: Tx, meeting_ids: Collection[int], as_of: datetime) -> None:
        self.tx = tx
        self.people = People(tx)
        self.registry = RegistryHistory(tx)
        self.meta = tx.meta
        self._as_of = as_of
        self._ids = meeting_ids
        self._records = self._loaded()
        records = list(self._records.values())
        calendars = Asked[CalendarState](tx.meetings.calendars_of)
        self.meetings = self.conferences = Batch(tx, records, self.people, calendars, as_of)
        self._flags = tx.flags.of_many([_text(record) for record in records])
        self._saves: list[tuple[tuple[FlagChange, ...], Snapshot | None, Withheld | None]] = []
        self._told: list[Flag] = []
        self._noted: dict[str, Noted] = {}
        self._notices: list[Notice] = []
        self._dropped: list[str] = []
        self._judged: list[Judged] = []

    def _loaded(self) -> dict[int, MeetingRecord]:
        return {record.id: record for record in self.tx.meetings.load_many(self._ids)}

    # --- at once ---

    def record(self, meeting_id: int) -> MeetingRecord:
        """One occurrence; raises `NotFound`."""
        return self._records.get(meeting_id) or self.tx.meetings.load(meeting_id)

    def flags_of(self, record: MeetingRecord) -> list[Flag]:
        """Its flags as they were before, oldest first."""
        return self._flags.get(_text(record), [])

    def learn(self, id_key: str, address_key: str, address: str) -> None:
        """Remember an outsider's clear address."""
        self.tx.people.learn(id_key, address_key, address, at=self._as_of)
        self.people.ask_again(id_key)

    def wake_sharing(self, codes: Collection[str], uid: str | None) -> None:
        """Make events with one of these codes due, but for those of one uid."""
        if self.tx.meetings.wake_sharing(codes, uid, self._as_of):
            self._records = self._loaded()  # else what is judged later in this turn stayed due

    # --- at the end ---

    def save(
        self,
        changes: tuple[FlagChange, ...],
        snapshot: Snapshot | None,
        withheld: Withheld | None = None,
    ) -> None:
        """Changes of one occurrence's flags, with what is kept of what they were decided on."""
        self._saves.append((changes, snapshot, withheld))

    def queue(self, notices: Collection[Notice], told: Collection[Flag]) -> None:
        """Mails, and the flags with what they remember of them."""
        self._notices += notices
        self._told += told

    def note_case(self, occurrence: str, noted: Noted) -> None:
        """What only judging tells of an occurrence with flags, for its case."""
        self._noted[occurrence] = noted

    def drop(self, occurrence: str) -> None:
        """Unsent mails about a meeting still ahead are for nothing."""
        self._dropped.append(occurrence)

    def note(self, judged: Judged) -> None:
        """The result of judging one occurrence."""
        self._judged.append(judged)

    def finish(self) -> None:
        """Write it all."""
        kept = [snapshot for _, snapshot, _ in self._saves if snapshot is not None]
        digests = iter(self.tx.snapshots.keep_all(kept, as_of=self._as_of))
        saves = [
            FlagSave(changes, None if snapshot is None else next(digests), withheld)
            for changes, snapshot, withheld in self._saves
        ]
        self.tx.flags.save_all(saves, told=self._told, noted=self._noted, as_of=self._as_of)
        self.tx.outbox.add(self._notices, as_of=self._as_of)
        for occurrence in self._dropped:
            ahead = (NoticeKind.REMINDER, NoticeKind.FIX_IT)
            self.tx.outbox.drop(occurrence, ahead, as_of=self._as_of)
        self.tx.meetings.judged(self._judged, as_of=self._as_of)


def _text(record: MeetingRecord) -> str:
    return (record.meeting.key if record.meeting else record.key).text
