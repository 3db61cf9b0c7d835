"""Applies one calendar's read to the copies and occurrences that are stored.

Which occurrence a copy belongs to: a recurring instance to that of its uid and original start; a
single event to the one its uid already has, wherever it was moved since, so that its flags and
reminders stay with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    case,
    delete,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from meetbot.domain.meetings import EventCopy, KeptCopy, Meeting, OccurrenceKey, Scope, merge_copies
from meetbot.ports import CopyChanges
from meetbot.store.columns import Instant, clean_code, clean_key, dump
from meetbot.store.statements import batches, one_of, upsert
from meetbot.store.tables import copies, meeting_guests, meetings

_REACH = timedelta(days=1)
"""No call is so long that occurrences further apart than this could both claim it."""


def apply_copies(connection: Connection, changes: CopyChanges, *, as_of: datetime) -> int:
    """Store what a read changes; gives how many occurrences became due by it."""
    if not (changes.keep or changes.gone or changes.dropped or changes.is_full):
        return 0
    calendar = clean_key(changes.calendar)
    keep = {copy.event_id: copy for copy in _named(calendar, changes.keep)}
    known = _known_copies(connection, calendar)
    removed = _removed(known, keep, changes.dropped)
    cancelled = _cancelled(known, changes) - keep.keys() - removed
    before = _documents(connection, calendar, (keep.keys() | cancelled) & known.keys())
    places = _Places(connection, keep.values(), known, removed | cancelled, as_of)
    touched = {known[event_id].meeting_id for event_id in removed | cancelled}
    writes = [
        _copy_row(replace(before[event_id], is_cancelled=True), known[event_id].meeting_id)
        for event_id in cancelled
    ]
    for event_id, copy in keep.items():
        meeting_id = places.of(copy)
        old = before.get(event_id)
        moved_from = known[event_id].meeting_id if event_id in known else meeting_id
        if old is None or moved_from != meeting_id or not _says_the_same(old, copy):
            touched |= {meeting_id, moved_from}
        if old != copy or moved_from != meeting_id:
            writes.append(_copy_row(copy, meeting_id))
    _remove(connection, calendar, removed)
    for rows in batches(writes):
        upsert(connection, copies, rows, key=["calendar", "event_id"])
    for some in batches(sorted(touched)):
        _refresh(connection, some, as_of)
    return len(touched)


def earliest(as_of: datetime) -> ColumnElement[datetime]:
    """The new `due_at` of what becomes due now: what has been due for longer keeps its place."""
    now = literal(as_of, Instant())
    return case((meetings.c.due_at <= now, meetings.c.due_at), else_=now)


# --- which copies change ------------------------------------------------------------------------


class _Known(NamedTuple):
    """What is needed of a stored copy to tell whether a read concerns it."""

    event_id: str
    meeting_id: int
    recurring_event_id: str | None
    original_start_at: datetime
    start_at: datetime
    end_at: datetime
    is_cancelled: bool


def _named(calendar: str, keep: Iterable[KeptCopy]) -> Iterator[KeptCopy]:
    """The copies with their ids as they are stored, so that they compare equal."""
    for copy in keep:
        series = copy.recurring_event_id
        yield replace(
            copy,
            calendar=calendar,
            event_id=clean_key(copy.event_id),
            ical_uid=clean_key(copy.ical_uid),
            recurring_event_id=None if series is None else clean_key(series),
        )


def _known_copies(connection: Connection, calendar: str) -> dict[str, _Known]:
    query = select(*(copies.c[name] for name in _Known._fields)).where(
        copies.c.calendar == calendar
    )
    return {row.event_id: _Known._make(row) for row in connection.execute(query)}


def _documents(
    connection: Connection, calendar: str, event_ids: Iterable[str]
) -> dict[str, KeptCopy]:
    found: dict[str, KeptCopy] = {}
    for some in batches(event_ids):
        query = select(copies.c.event_id, copies.c.copy).where(
            copies.c.calendar == calendar, copies.c.event_id.in_(some)
        )
        found |= {row.event_id: row.copy for row in connection.execute(query)}
    return found


def _removed(
    known: Mapping[str, _Known], keep: Mapping[str, KeptCopy], dropped: Iterable[str]
) -> set[str]:
    """Copies that left the scope, and those of an event that became a series or a single one."""
    gone = {clean_key(event_id) for event_id in dropped}
    gone |= {copy.recurring_event_id for copy in keep.values() if copy.recurring_event_id}
    single = {copy.event_id for copy in keep.values() if not copy.recurring_event_id}
    gone |= {copy.event_id for copy in known.values() if copy.recurring_event_id in single}
    return (gone & known.keys()) - keep.keys()


def _cancelled(known: Mapping[str, _Known], changes: CopyChanges) -> set[str]:
    gone: set[str] = set()
    if changes.is_full:
        gone |= {copy.event_id for copy in known.values() if _is_in_window(copy, changes)}
        gone -= {clean_key(event_id) for event_id in changes.malformed}
    if changes.gone:
        gone |= set(_matching(known, changes.gone))
    return {event_id for event_id in gone if not known[event_id].is_cancelled}


def _is_in_window(copy: _Known, changes: CopyChanges) -> bool:
    """Whether a full read would have held it: `timeMin` bounds ends, `timeMax` starts."""
    mark = changes.mark
    return copy.start_at < mark.window_end_at and copy.end_at > mark.window_start_at


def _matching(known: Mapping[str, _Known], tombstones: Iterable[EventCopy]) -> Iterator[str]:
    """Event ids of the copies that these tombstones end; that of a series ends all of it."""
    series: dict[str, list[_Known]] = defaultdict(list)
    for copy in known.values():
        if copy.recurring_event_id is not None:
            series[copy.recurring_event_id].append(copy)
    for tombstone in tombstones:
        event_id = clean_key(tombstone.event_id)
        if event_id in known:
            yield event_id
        yield from (copy.event_id for copy in series[event_id])
        if tombstone.recurring_event_id is not None:
            yield from (
                copy.event_id
                for copy in series[clean_key(tombstone.recurring_event_id)]
                if copy.original_start_at == tombstone.original_start_at
            )


def _says_the_same(old: KeptCopy, new: KeptCopy) -> bool:
    """Google touches `updated` for changes that are not kept, such as a new title.

    Compared as stored: a text no database takes as it is would be a change at every reading.
    """
    old = replace(old, updated_at=new.updated_at)
    return old == new or dump(KeptCopy, old) == dump(KeptCopy, new)


def _remove(connection: Connection, calendar: str, event_ids: Iterable[str]) -> None:
    for some in batches(event_ids):
        connection.execute(
            delete(copies).where(copies.c.calendar == calendar, copies.c.event_id.in_(some))
        )


def _copy_row(copy: KeptCopy, meeting_id: int) -> dict[str, Any]:
    return {
        "calendar": copy.calendar,
        "event_id": copy.event_id,
        "meeting_id": meeting_id,
        "recurring_event_id": copy.recurring_event_id,
        "original_start_at": copy.original_start_at,
        "start_at": copy.start_at,
        "end_at": copy.end_at,
        "is_cancelled": copy.is_cancelled,
        "copy": copy,
    }


# --- which occurrence a copy belongs to ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """An occurrence that a copy may belong to."""

    id: int
    key_text: str
    ical_uid: str
    is_recurring: bool
    original_start_at: datetime


class _Places:
    """Finds or makes the occurrences of one read's copies; all candidates are read at once."""

    def __init__(
        self,
        connection: Connection,
        keep: Collection[KeptCopy],
        known: Mapping[str, _Known],
        gone: Collection[str],
        as_of: datetime,
    ) -> None:
        self._connection = connection
        self._as_of = as_of
        self._by_uid: dict[str, list[_Place]] = defaultdict(list)
        self._held = {
            copy.event_id: copy.meeting_id
            for copy in known.values()
            if copy.event_id not in gone and not copy.is_cancelled
        }
        """Occurrence of each live copy on this calendar, by event id."""
        self._before = {copy.event_id: copy.meeting_id for copy in known.values()}
        columns = (meetings.c[name] for name in _Place.__slots__)
        query = select(*columns)
        for uids in batches({copy.ical_uid for copy in keep}):
            for row in connection.execute(query.where(meetings.c.ical_uid.in_(uids))):
                self._by_uid[row.ical_uid].append(_Place(*row))

    def of(self, copy: KeptCopy) -> int:
        """Id of the copy's occurrence."""
        found = None if copy.is_recurring else self._of_single(copy)
        place = found or self._at(copy) or self._new(copy)
        self._held[copy.event_id] = place.id
        return place.id

    def _of_single(self, copy: KeptCopy) -> _Place | None:
        """The occurrence this uid already has, unless another event of this calendar is it."""
        others = {held for event_id, held in self._held.items() if event_id != copy.event_id}
        mine = self._before.get(copy.event_id)
        free = [
            place
            for place in self._by_uid[copy.ical_uid]
            if (not place.is_recurring or place.id == mine) and place.id not in others
        ]
        return min(
            free,
            key=lambda p: (p.id != mine, p.original_start_at != copy.original_start_at, p.id),
            default=None,
        )

    def _at(self, copy: KeptCopy) -> _Place | None:
        text = key_text(_key(copy))
        return next((p for p in self._by_uid[copy.ical_uid] if p.key_text == text), None)

    def _new(self, copy: KeptCopy) -> _Place:
        key = _key(copy)
        row = new_meeting(key, self._as_of) | {
            "is_recurring": copy.is_recurring,
            "start_at": copy.start_at,
            "end_at": copy.end_at,
        }
        meeting_id = insert_meeting(self._connection, row)
        place = _Place(
            meeting_id, row["key_text"], copy.ical_uid, copy.is_recurring, copy.original_start_at
        )
        self._by_uid[copy.ical_uid].append(place)
        return place


def _key(copy: KeptCopy) -> OccurrenceKey:
    return OccurrenceKey(copy.ical_uid, copy.original_start_at)


def key_text(key: OccurrenceKey) -> str:
    """The key's text as it is stored; that of a loaded key is the same."""
    uid = None if key.ical_uid is None else clean_key(key.ical_uid)
    return clean_key(replace(key, ical_uid=uid).text)


def new_meeting(key: OccurrenceKey, as_of: datetime) -> dict[str, Any]:
    """The row of an occurrence of which nothing is known but its key."""
    return {
        "key_text": key_text(key),
        "ical_uid": key.ical_uid,
        "original_start_at": key.original_start_at,
        "meeting_code": key.meeting_code,
        "is_adhoc": key.ical_uid is None,
        "is_recurring": False,
        "is_cancelled": False,
        "copies": 0,
        "start_at": key.original_start_at,
        "end_at": key.original_start_at,
        "first_seen_at": as_of,
        "scope": Scope.FULL if key.ical_uid is None else Scope.NONE,
        "due_at": as_of,
        "version": 0,
        "disclosure": None,
        "text_disclosure": None,
        "fingerprints": (),
        "undecided": (),
        "is_undecided": False,
        "attendance_read_at": None,
        "attendance_problem": "",
        "attendance_final": False,
        "space": None,
        "space_due_at": None,
        "guest_list": None,
        "link": None,
    }


_INSERT_MEETING = insert(meetings).returning(meetings.c.id)
"""Built once: thousands are made by a first poll."""


def insert_meeting(connection: Connection, row: Mapping[str, Any]) -> int:
    """Make an occurrence; gives its id."""
    meeting_id: int = connection.execute(_INSERT_MEETING, row).scalar_one()
    return meeting_id


# --- what the copies say together ---------------------------------------------------------------


_COPIES_OF = select(copies.c.meeting_id, copies.c.copy).where(one_of(copies.c.meeting_id, "ids"))


def copies_of(
    connection: Connection, meeting_ids: Collection[int]
) -> dict[int, tuple[KeptCopy, ...]]:
    """All kept copies by occurrence; those without any are left out."""
    found: dict[int, list[KeptCopy]] = defaultdict(list)
    for ids in batches(meeting_ids):
        for row in connection.execute(_COPIES_OF, {"ids": ids}):
            found[row.meeting_id].append(row.copy)
    # In a fixed order, so that the same copies are always merged into the same meeting.
    return {
        meeting_id: tuple(sorted(some, key=lambda c: (c.calendar, c.event_id)))
        for meeting_id, some in found.items()
    }


def _refresh(connection: Connection, meeting_ids: Collection[int], as_of: datetime) -> None:
    """Bring the searched columns and guests up to date, and make the occurrences due."""
    found = copies_of(connection, meeting_ids)
    rows = connection.execute(select(meetings).where(meetings.c.id.in_(meeting_ids))).all()
    values = [_merged(row, found.get(row.id, ())) for row in rows]
    statement = (
        update(meetings)
        .where(meetings.c.id == bindparam("row"))
        .values(
            {name: bindparam(name) for name in values[0] if name != "row"}
            | {"due_at": earliest(as_of), "version": meetings.c.version + 1}
        )
    )
    connection.execute(statement, values)
    _index_guests(connection, meeting_ids, found)
    spans = [_Span(row.meeting_code, row.start_at, row.end_at) for row in rows]
    spans += [_Span(v["meeting_code"], v["start_at"], v["end_at"]) for v in values]
    _wake_rivals(connection, spans, meeting_ids, as_of)


_OF_CODES = select(
    meetings.c.id, meetings.c.meeting_code, meetings.c.start_at, meetings.c.end_at
).where(one_of(meetings.c.meeting_code, "codes"))


class _Span(NamedTuple):
    """When an occurrence takes place, before or after it changed, and under which code."""

    code: str | None
    start_at: datetime
    end_at: datetime


def _wake_rivals(
    connection: Connection, spans: Iterable[_Span], changed: Collection[int], as_of: datetime
) -> None:
    """Make others of the same code due: a call they were given may belong to a changed one.

    An ad-hoc call is one of them, once the calendar that holds its event can be read.
    """
    near: dict[str, list[_Span]] = defaultdict(list)
    for span in spans:
        if span.code is not None:
            near[span.code].append(span)
    known, rivals = set(changed), set()
    for codes in batches(near):
        for row in connection.execute(_OF_CODES, {"codes": codes}):
            own = _Span(row.meeting_code, row.start_at, row.end_at)
            if row.id not in known and any(_are_near(own, s) for s in near[row.meeting_code]):
                rivals.add(row.id)
    for some in batches(sorted(rivals)):
        connection.execute(
            update(meetings)
            .where(meetings.c.id.in_(some))
            .values(due_at=earliest(as_of), version=meetings.c.version + 1)
        )


def _are_near(one: _Span, other: _Span) -> bool:
    return one.start_at < other.end_at + _REACH and one.end_at > other.start_at - _REACH


def _merged(row: Row[Any], some: tuple[KeptCopy, ...]) -> dict[str, Any]:
    if not some:  # out of scope: found neither by code nor by time, only judged once more
        return {
            "row": row.id,
            "copies": 0,
            "scope": Scope.NONE,
            "meeting_code": None,
            "is_recurring": row.is_recurring,
            "is_cancelled": row.is_cancelled,
            "start_at": row.start_at,
            "end_at": row.end_at,
            "attendance_final": row.attendance_final,
            "space_due_at": None,
        }
    key = OccurrenceKey(row.ical_uid, row.original_start_at)
    meeting = merge_copies(key, some, first_seen_at=row.first_seen_at)
    code = clean_code(meeting.meeting_code) if meeting.meeting_code else None
    is_same_time = (row.start_at, row.end_at) == (meeting.start_at, meeting.end_at)
    return {
        "row": row.id,
        "copies": len(some),
        # What one copy shows in full, the meeting is; judging may find out more later.
        "scope": Scope.FULL if any(c.scope is Scope.FULL for c in some) else Scope.ADULT,
        "meeting_code": code,
        "attendance_final": row.attendance_final and is_same_time and row.meeting_code == code,
        "space_due_at": row.space_due_at if is_same_time and _is_read_for(row, meeting) else None,
        "is_recurring": meeting.is_recurring,
        "is_cancelled": meeting.is_cancelled,
        "start_at": meeting.start_at,
        "end_at": meeting.end_at,
    }


def _is_read_for(row: Row[Any], meeting: Meeting) -> bool:
    """Whether the space was read for the code and organizer that the event has now."""
    facts, organizer = row.space, meeting.organizer
    return (
        facts is not None
        and organizer is not None
        and facts.code == (clean_code(meeting.meeting_code) if meeting.meeting_code else "")
        and facts.organizer_key == organizer.address_key
    )


def _index_guests(
    connection: Connection,
    meeting_ids: Collection[int],
    found: Mapping[int, tuple[KeptCopy, ...]],
) -> None:
    wanted = {(m, clean_key(key)) for m, some in found.items() for key in _guest_keys(some)}
    query = select(meeting_guests).where(meeting_guests.c.meeting_id.in_(meeting_ids))
    stored = {(row.meeting_id, row.address_key) for row in connection.execute(query)}
    for gone in batches(stored - wanted):
        pair = tuple_(meeting_guests.c.meeting_id, meeting_guests.c.address_key)
        connection.execute(delete(meeting_guests).where(pair.in_(gone)))
    for new in batches(wanted - stored):
        rows = [{"meeting_id": m, "address_key": key} for m, key in new]
        connection.execute(insert(meeting_guests), rows)


def _guest_keys(some: Iterable[KeptCopy]) -> Iterator[str]:
    for copy in some:
        for guest in (*copy.guests, copy.organizer, copy.creator):
            if guest is not None:
                yield guest.address_key
                if guest.via_group is not None:
                    yield guest.via_group
