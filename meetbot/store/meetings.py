"""Occurrences, and what was noted about them: `ports.MeetingStore`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
    type_coerce,
    update,
)

from meetbot.domain.findings import Phase
from meetbot.domain.guest_list import KeptEdit
from meetbot.domain.meetings import (
    KeptCopy,
    Meeting,
    OccurrenceKey,
    Scope,
    merge_copies,
)
from meetbot.domain.spaces import SpaceFacts
from meetbot.errors import NotFound
from meetbot.ports import CalendarState, Clock, CopyChanges, Judged, MeetingRecord, Slot
from meetbot.store.calendars import SqlCalendars
from meetbot.store.columns import Instant, clean_code, clean_key, to_micros
from meetbot.store.copies import (
    apply_copies,
    copies_of,
    earliest,
    insert_meeting,
    key_text,
    new_meeting,
)
from meetbot.store.edits import of, prune, save
from meetbot.store.statements import batches, last_of, one_of, overlaps
from meetbot.store.tables import copies, meeting_guests, meetings

_JUDGED_AT = {
    Phase.SCHEDULED: "judged_before_at",
    Phase.LIVE: "judged_during_at",
    Phase.AFTER: "judged_after_at",
}
_JUDGED = (
    update(meetings)
    .where(meetings.c.id == bindparam("wanted"))
    .values(
        due_at=case(
            (meetings.c.version == bindparam("seen"), bindparam("next_due_at", type_=Instant())),
            else_=meetings.c.due_at,
        ),
        **{
            name: bindparam(name)
            for name in (
                "scope",
                "disclosure",
                "text_disclosure",
                "fingerprints",
                "undecided",
                "is_undecided",
                "guest_list",
                "link",
            )
        },
        **{
            name: func.coalesce(bindparam(name, type_=Instant()), meetings.c[name])
            for name in _JUDGED_AT.values()
        },
    )
)


class SqlMeetings:
    """Occurrences, copies and sync marks in one transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._calendars = SqlCalendars(connection)

    # --- calendars ---

    def calendar(self, address: str) -> CalendarState:
        """How far a calendar is read."""
        return self._calendars.state(address)

    def calendars(self) -> dict[str, CalendarState]:
        """All calendars ever read or failed."""
        return self._calendars.states()

    def calendars_of(self, addresses: Collection[str]) -> dict[str, CalendarState]:
        """Those of these calendars that were ever read or failed."""
        return self._calendars.states_of(addresses)

    def apply(self, changes: CopyChanges, *, as_of: datetime) -> int:
        """Store one calendar's read and its mark; gives how many occurrences changed."""
        changed = apply_copies(self._connection, changes, as_of=as_of)
        self._calendars.read(changes.calendar, changes.mark, as_of=as_of)
        return changed

    def fail_calendar(self, address: str, problem: str, *, as_of: datetime) -> None:
        """Note that a calendar could not be read; what is known stays."""
        self._calendars.fail(address, problem, as_of=as_of)

    def forget_marks(self, addresses: Collection[str] | None = None) -> int:
        """Drop sync tokens; gives how many there were."""
        return self._calendars.forget(addresses)

    def knows_event(self, calendar: str, event_ids: Collection[str]) -> frozenset[str]:
        """Which of these event ids have a kept copy."""
        found: set[str] = set()
        for ids in batches(event_ids):
            by_key = {clean_key(event_id): event_id for event_id in ids}
            query = select(copies.c.event_id).where(
                copies.c.calendar == calendar, copies.c.event_id.in_(list(by_key))
            )
            found |= {by_key[key] for key in self._connection.execute(query).scalars()}
        return frozenset(found)

    # --- judging ---

    def due(self, as_of: datetime, limit: int) -> list[int]:
        """Ids of occurrences to judge, oldest due first."""
        query = (
            select(meetings.c.id)
            .where(meetings.c.due_at <= as_of)
            .order_by(meetings.c.due_at, meetings.c.id)
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())

    def load(self, meeting_id: int) -> MeetingRecord:
        """One occurrence; raises `NotFound`."""
        records = self._records(meetings.c.id == meeting_id)
        if not records:
            raise _no_meeting(meeting_id)
        return records[0]

    def find(self, key: OccurrenceKey) -> int | None:
        """Id of an occurrence."""
        query = select(meetings.c.id).where(meetings.c.key_text == key_text(key))
        meeting_id: int | None = self._connection.execute(query).scalar()
        return meeting_id

    def judged(self, notes: Sequence[Judged], *, as_of: datetime) -> None:
        """Note results of judging; a change that came meanwhile keeps an occurrence due."""
        rows = [_judged_row(one, as_of) for one in notes]
        if rows and self._connection.execute(_JUDGED, rows).rowcount != len(rows):
            raise NotFound("an occurrence that was judged is no more")

    def mark_due(
        self,
        as_of: datetime,
        *,
        since: datetime | None = None,
        codes: Collection[str] | None = None,
        address_keys: Collection[str] | None = None,
        undecided: bool = False,
    ) -> int:
        """Make occurrences due that fit everything that is given; gives how many.

        With `undecided` only those of which something could not be decided.
        """
        conditions = [or_(meetings.c.copies > 0, meetings.c.is_adhoc)]
        if undecided:
            conditions.append(meetings.c.is_undecided)
        if since is not None:
            conditions.append(meetings.c.end_at > since)
        ids: set[int] = set()
        for narrowed in product(_with_codes(codes), _with_guests(address_keys)):
            query = select(meetings.c.id).where(*conditions, *narrowed)
            ids |= set(self._connection.execute(query).scalars())
        return self._make_due(ids, as_of)

    def wake(self, occurrence: str, as_of: datetime) -> None:
        """Make one occurrence due, if it is there."""
        query = select(meetings.c.id).where(meetings.c.key_text == occurrence)
        self._make_due(self._connection.execute(query).scalars().all(), as_of)

    def _make_due(self, ids: Iterable[int], as_of: datetime) -> int:
        return sum(
            self._connection.execute(
                update(meetings)
                .where(meetings.c.id.in_(some))
                .values(due_at=earliest(as_of), version=meetings.c.version + 1)
            ).rowcount
            for some in batches(sorted(ids))
        )

    # --- attendance ---

    def slots(self, code: str, start_at: datetime, end_at: datetime) -> list[Slot]:
        """Times of the occurrences of a code, by start; an ad-hoc call counts where it began."""
        given = {"code": clean_code(code), "since": start_at, "last": last_of(start_at, end_at)}
        return [Slot(*row) for row in self._connection.execute(_SLOTS, given)]

    def to_watch(self, start_at: datetime, end_at: datetime) -> list[MeetingRecord]:
        """Occurrences whose attendance must be read, by start."""
        return self._records(
            meetings.c.scope != Scope.NONE,
            meetings.c.is_cancelled.is_(False),
            meetings.c.meeting_code.is_not(None),
            meetings.c.attendance_final.is_(False),
            overlaps(meetings.c.start_at, meetings.c.end_at, start_at, end_at),
        )

    def starting(self, start_at: datetime, end_at: datetime) -> list[MeetingRecord]:
        """Occurrences in scope, not cancelled, that start in [start, end), by start."""
        return self._records(
            meetings.c.scope != Scope.NONE,
            meetings.c.is_cancelled.is_(False),
            meetings.c.start_at >= start_at,
            meetings.c.start_at < end_at,
        )

    def note_attendance(
        self, meeting_id: int, *, problem: str, is_final: bool, as_of: datetime
    ) -> None:
        """Note how the reading of Meet went; news makes the occurrence due."""
        query = select(
            meetings.c.attendance_problem,
            meetings.c.attendance_final,
            meetings.c.attendance_read_at,
        ).where(meetings.c.id == meeting_id)
        row = self._connection.execute(query).first()
        if row is None:
            raise _no_meeting(meeting_id)
        before = (row.attendance_problem, row.attendance_final, row.attendance_read_at is not None)
        read_at = row.attendance_read_at if problem else as_of
        self._connection.execute(
            update(meetings)
            .where(meetings.c.id == meeting_id)
            .values(
                attendance_problem=problem,
                attendance_final=is_final,
                attendance_read_at=read_at,
            )
        )
        if before != (problem, is_final, read_at is not None):
            self._make_due([meeting_id], as_of)

    # --- spaces, shared codes, edits ---

    def spaces_due(self, as_of: datetime) -> list[MeetingRecord]:
        """Occurrences ahead whose space must be read, by start."""
        return self._records(
            meetings.c.scope == Scope.FULL,
            meetings.c.is_cancelled.is_(False),
            meetings.c.is_adhoc.is_(False),
            meetings.c.meeting_code.is_not(None),
            meetings.c.start_at > as_of,
            or_(meetings.c.space_due_at.is_(None), meetings.c.space_due_at <= as_of),
        )

    def note_space(
        self, meeting_id: int, facts: SpaceFacts, *, due_at: datetime, as_of: datetime
    ) -> None:
        """Note what a space is like; news makes the occurrence due."""
        query = select(meetings.c.space).where(meetings.c.id == meeting_id)
        row = self._connection.execute(query).first()
        if row is None:
            raise _no_meeting(meeting_id)
        self._connection.execute(
            update(meetings)
            .where(meetings.c.id == meeting_id)
            .values(space=facts, space_due_at=due_at)
        )
        if row.space is None or replace(row.space, read_at=facts.read_at) != facts:
            self._make_due([meeting_id], as_of)

    def sharing_code(self, meeting: Meeting, limit: int) -> list[MeetingRecord]:
        """Other events with this meeting's code, the nearest in time first."""
        if meeting.meeting_code is None:
            return []
        given = {
            "code": clean_code(meeting.meeting_code),
            "uid": meeting.key.ical_uid,
            "near": to_micros(meeting.start_at),
            "most": limit,
        }
        ids = list(self._connection.execute(_SHARING, given).scalars())
        found = {one.id: one for one in self._records(meetings.c.id.in_(ids))} if ids else {}
        return [found[meeting_id] for meeting_id in ids]

    def wake_sharing(self, codes: Collection[str], uid: str | None, as_of: datetime) -> int:
        """Make events with one of these codes due, but for those of one uid; gives how many."""
        query = select(meetings.c.id).where(
            meetings.c.meeting_code.in_([clean_code(code) for code in codes]),
            meetings.c.ical_uid != uid,
            meetings.c.copies > 0,
        )
        return self._make_due(self._connection.execute(query).scalars(), as_of)

    def save_edits(self, edits: Collection[KeptEdit], *, as_of: datetime) -> int:
        """Upsert audit rows of kept events; the occurrences of new ones become due."""
        number, touched = save(self._connection, edits)
        self._make_due(touched, as_of)
        return number

    def edits_of(self, event_ids: Collection[str]) -> list[KeptEdit]:
        """Stored audit rows of these event ids, oldest first."""
        return of(self._connection, event_ids)

    def prune_edits(self, before: datetime) -> int:
        """Delete audit rows written before; gives how many."""
        return prune(self._connection, before)

    # --- ad-hoc calls ---

    def ensure_adhoc(self, code: str | None, start_at: datetime, *, as_of: datetime) -> int:
        """The occurrence of an ad-hoc call, made when new and due at once."""
        key = OccurrenceKey(None, start_at, clean_code(code) if code else None)
        known = self.find(key)
        if known is not None:
            return known
        return insert_meeting(self._connection, new_meeting(key, as_of))

    def codes(self, start_at: datetime, end_at: datetime) -> frozenset[str]:
        """Codes of all occurrences that overlap [start_at, end_at)."""
        query = (
            select(meetings.c.meeting_code)
            .where(
                meetings.c.meeting_code.is_not(None),
                overlaps(meetings.c.start_at, meetings.c.end_at, start_at, end_at),
            )
            .distinct()
        )
        return frozenset(self._connection.execute(query).scalars())

    def earliest_new(
        self, seen_after: datetime, *, start_at: datetime, end_at: datetime
    ) -> datetime | None:
        """The first start of occurrences with a code that were first seen after an instant."""
        query = select(func.min(meetings.c.start_at, type_=Instant)).where(
            meetings.c.first_seen_at > seen_after,
            meetings.c.meeting_code.is_not(None),
            overlaps(meetings.c.start_at, meetings.c.end_at, start_at, end_at),
        )
        found: datetime | None = self._connection.execute(query).scalar()
        return found

    def adhoc_codes(self, since: datetime) -> frozenset[str]:
        """Codes of ad-hoc calls that began after an instant."""
        query = select(meetings.c.meeting_code).where(
            meetings.c.is_adhoc,
            meetings.c.start_at > since,
            meetings.c.meeting_code.is_not(None),
        )
        return frozenset(self._connection.execute(query).scalars())

    def counts(self) -> Mapping[str, int]:
        """Occurrences `in_scope`, those with something `undecided`, and those `due` now."""
        return {
            "in_scope": self._count(meetings.c.scope != Scope.NONE),
            "undecided": self._count(meetings.c.is_undecided),
            "due": self._count(meetings.c.due_at <= self._clock()),
        }

    def overlapping(self, start_at: datetime, end_at: datetime) -> list[int]:
        """Ids of all occurrences with copies, or ad hoc, that overlap the span, by start."""
        return self._ids(
            or_(meetings.c.copies > 0, meetings.c.is_adhoc),
            overlaps(meetings.c.start_at, meetings.c.end_at, start_at, end_at),
        )

    def load_many(self, meeting_ids: Collection[int]) -> list[MeetingRecord]:
        """Occurrences by id, by start."""
        found: list[MeetingRecord] = []
        for some in batches(meeting_ids):
            found += self._records(meetings.c.id.in_(some))
        return sorted(found, key=lambda record: (record.key.original_start_at, record.id))

    def slots_of(
        self, codes: Collection[str], start_at: datetime, end_at: datetime
    ) -> dict[str, list[Slot]]:
        """Times of the occurrences of each code, by start."""
        found: dict[str, list[Slot]] = {}
        given = {"since": start_at, "last": last_of(start_at, end_at)}
        for some in batches(sorted({clean_code(code) for code in codes})):
            for row in self._connection.execute(_SLOTS_OF, {"codes": some, **given}):
                found.setdefault(row.meeting_code, []).append(Slot(*row[1:]))
        return found

    def shared_codes(self, codes: Collection[str]) -> frozenset[str]:
        """Those of these codes that events of more than one uid have."""
        found: set[str] = set()
        for some in batches(sorted({clean_code(code) for code in codes})):
            found |= set(self._connection.execute(_SHARED, {"codes": some}).scalars())
        return frozenset(found)

    def _ids(self, *conditions: ColumnElement[bool]) -> list[int]:
        query = (
            select(meetings.c.id).where(*conditions).order_by(meetings.c.start_at, meetings.c.id)
        )
        return list(self._connection.execute(query).scalars())

    def _count(self, condition: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(meetings).where(condition)
        return self._connection.execute(query).scalar_one()

    # --- records ---

    def _records(self, *conditions: ColumnElement[bool]) -> list[MeetingRecord]:
        query = select(meetings).where(*conditions).order_by(meetings.c.start_at, meetings.c.id)
        rows: Sequence[Row[Any]] = self._connection.execute(query).all()
        found = copies_of(self._connection, [row.id for row in rows if row.copies])
        return [_record(row, found.get(row.id, ())) for row in rows]


_SLOT = tuple(meetings.c[f.name] for f in fields(Slot))
_IN_SPAN = and_(
    meetings.c.start_at < bindparam("last"),
    or_(meetings.c.end_at > bindparam("since"), meetings.c.start_at >= bindparam("since")),
)
"""`overlaps` in statements that are built once: they are asked for each conference."""
_SHARING = (
    select(meetings.c.id)
    .where(
        meetings.c.meeting_code == bindparam("code"),
        meetings.c.ical_uid != bindparam("uid"),
        meetings.c.is_cancelled.is_(False),
        meetings.c.copies > 0,
    )
    .order_by(
        func.abs(type_coerce(meetings.c.start_at, BigInteger) - bindparam("near", type_=BigInteger))
    )
    .limit(bindparam("most"))
)
"""Built once, for it is asked about every event."""
_SLOTS = (
    select(*_SLOT)
    .where(meetings.c.meeting_code == bindparam("code"), _IN_SPAN)
    .order_by(meetings.c.start_at, meetings.c.id)
)
_SLOTS_OF = (
    select(meetings.c.meeting_code, *_SLOT)
    .where(one_of(meetings.c.meeting_code, "codes"), _IN_SPAN)
    .order_by(meetings.c.start_at, meetings.c.id)
)

_SHARED = (
    select(meetings.c.meeting_code)
    .where(
        one_of(meetings.c.meeting_code, "codes"),
        meetings.c.is_cancelled.is_(False),
        meetings.c.copies > 0,
    )
    .group_by(meetings.c.meeting_code)
    .having(func.count(meetings.c.ical_uid.distinct()) > 1)
)


def _no_meeting(meeting_id: int) -> NotFound:
    return NotFound(f"there is no occurrence {meeting_id}")


def _with_codes(codes: Collection[str] | None) -> list[ColumnElement[bool]]:
    if codes is None:
        return [true()]
    normal = sorted({clean_code(code) for code in codes})
    return [meetings.c.meeting_code.in_(some) for some in batches(normal)]


def _with_guests(address_keys: Collection[str] | None) -> list[ColumnElement[bool]]:
    if address_keys is None:
        return [true()]
    invited = select(meeting_guests.c.meeting_id)
    return [
        meetings.c.id.in_(invited.where(meeting_guests.c.address_key.in_(some)))
        for some in batches(sorted(set(address_keys)))
    ]


def _judged_row(one: Judged, as_of: datetime) -> dict[str, Any]:
    return {
        "wanted": one.meeting_id,
        "seen": one.version,
        "next_due_at": one.next_due_at,
        "scope": one.scope,
        "disclosure": one.disclosure,
        "text_disclosure": one.text_disclosure,
        "fingerprints": one.fingerprints,
        "undecided": one.undecided,
        "is_undecided": bool(one.undecided),
        **{name: as_of if of is one.phase else None for of, name in _JUDGED_AT.items()},
        "guest_list": one.guest_list,
        "link": one.link,
    }


def _record(row: Row[Any], some: tuple[KeptCopy, ...]) -> MeetingRecord:
    key = OccurrenceKey(row.ical_uid, row.original_start_at, row.meeting_code)
    meeting = None
    if some:
        meeting = merge_copies(
            key,
            some,
            first_seen_at=row.first_seen_at,
            disclosure=row.disclosure,
            text_disclosure=row.text_disclosure,
            fingerprints=row.fingerprints,
        )
    return MeetingRecord(
        id=row.id,
        key=key,
        meeting=meeting,
        scope=Scope(row.scope),
        is_adhoc=row.is_adhoc,
        first_seen_at=row.first_seen_at,
        attendance_read_at=row.attendance_read_at,
        attendance_problem=row.attendance_problem,
        attendance_final=row.attendance_final,
        version=row.version,
        judged_at={
            phase: at
            for phase, name in _JUDGED_AT.items()
            if (at := getattr(row, name)) is not None
        },
        event_ids=frozenset(
            event_id for c in some for event_id in (c.event_id, c.recurring_event_id) if event_id
        ),
        space=row.space,
        guest_list=row.guest_list,
        link=row.link or "",
    )
