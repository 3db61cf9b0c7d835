"""Calls that were held and who was in them: `ports.ConferenceStore`.

The audit log is read again and again (six hours each time), so most of what comes is known: rows
are compared with what is stored, and only what differs is written. This is the one place with very
many rows, so all visits of a conference lie in one document in its own row (`store.visits`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    delete,
    exists,
    func,
    select,
    type_coerce,
)

from meetbot.domain.attendance import LONGEST_CALL, Conference, Identity, Source, Visit
from meetbot.domain.meetings import Scope
from meetbot.ports import HeldConference, SavedConference
from meetbot.store.columns import Instant, clean, clean_code, clean_key, from_micros, to_micros
from meetbot.store.statements import batches, one_of, overlaps, upsert_plain
from meetbot.store.tables import conferences, meetings
from meetbot.store.visits import Rows, VisitRows, id_keys, to_document, to_rows, to_visits, together

_MICROSECOND = timedelta(microseconds=1)

Outline = tuple[Conference, int]
"""A conference and its number of visits."""

_NAMED = select(conferences).where(one_of(conferences.c.name, "names"))


class SqlConferences:
    """Conferences and visits in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(
        self,
        conferences: Iterable[Conference],
        visits: Iterable[Visit[Identity]],
        *,
        as_of: datetime,  # noqa: ARG002 (the rows tell all the instants that count)
    ) -> tuple[SavedConference, ...]:
        """Upsert what differs; gives the conferences in which anything changed, by name."""
        read = _read(conferences, visits)
        saved: list[SavedConference] = []
        for names in batches(sorted(read)):
            stored = self._stored(names)
            changed: list[_Held] = []
            for name in names:
                before = stored.get(name)
                after = _after(before, read[name])
                if after != before:
                    changed.append(after)
                    is_whole = after.visits.keys() <= read[name].visits.keys()
                    saved.append(SavedConference(after.conference, before is None, is_whole))
            self._write(changed)
        return tuple(saved)

    def _stored(self, names: Collection[str]) -> dict[str, _Held]:
        rows = self._connection.execute(_NAMED, {"names": names})
        return {row.name: _Held(_conference(row), to_rows(row.visits)) for row in rows}

    def _write(self, changed: Iterable[_Held]) -> None:
        rows = [_values(held) for held in changed]
        upsert_plain(self._connection, conferences, rows, key=["name"])

    def held(self, code: str, start_at: datetime, end_at: datetime) -> tuple[HeldConference, ...]:
        """Conferences of a code, of both sources, that overlap [start_at, end_at)."""
        return self._held(
            conferences.c.code == clean_code(code),
            overlaps(conferences.c.start_at, _LATEST_END, start_at, end_at),
        )

    def named(self, names: Collection[str]) -> tuple[HeldConference, ...]:
        """Conferences by name, by start."""
        found: list[HeldConference] = []
        for some in batches(names):
            found += self._held(conferences.c.name.in_(some))
        return tuple(sorted(found, key=_by_start))

    def held_of(
        self, codes: Collection[str], start_at: datetime, end_at: datetime
    ) -> tuple[HeldConference, ...]:
        """Conferences of any of these codes that overlap [start_at, end_at), by start."""
        found: list[HeldConference] = []
        for some in batches(sorted({clean_code(code) for code in codes})):
            found += self._held(
                conferences.c.code.in_(some),
                overlaps(conferences.c.start_at, _LATEST_END, start_at, end_at),
            )
        return tuple(sorted(found, key=_by_start))

    def _held(self, *conditions: ColumnElement[bool]) -> tuple[HeldConference, ...]:
        rows = self._connection.execute(select(conferences).where(*conditions))
        return tuple(sorted(map(_to_held, rows), key=_by_start))

    def unrelated(self, *, before: datetime) -> list[str]:
        """Names of those that ended before and whose code belongs to no occurrence in scope."""
        query = select(conferences.c.name).where(_ended_before(before), ~_IS_RELATED)
        return list(self._connection.execute(query).scalars())

    def related(self) -> list[Outline]:
        """Those whose code belongs to an occurrence in scope."""
        rows = self._connection.execute(select(conferences).where(_IS_RELATED))
        return [_outline(row) for row in rows]

    def ended(self, *, before: datetime) -> list[Conference]:
        """Those that ended before (or began, where no end was ever read)."""
        rows = self._connection.execute(select(conferences).where(_ended_before(before)))
        return [_conference(row) for row in rows]

    def forget(self, names: Collection[str]) -> list[Outline]:
        """Delete conferences; gives what they were."""
        gone: list[Outline] = []
        for some in batches(sorted(names)):
            gone += map(_outline, self._connection.execute(_NAMED, {"names": some}))
            self._connection.execute(delete(conferences).where(conferences.c.name.in_(some)))
        return gone

    def id_keys(self) -> set[str]:
        """Keyed ids of everybody in any stored conference."""
        documents = self._connection.execute(select(conferences.c.visits)).scalars()
        return {key for document in documents for key in id_keys(document)}


def _ended_before(before: datetime) -> ColumnElement[bool]:
    return func.coalesce(conferences.c.end_at, conferences.c.start_at) < before


def _by_start(held: HeldConference) -> tuple[datetime, str]:
    return held.conference.start_at, held.conference.name


_IS_RELATED = exists().where(
    meetings.c.meeting_code == conferences.c.code, meetings.c.scope != Scope.NONE
)
_LATEST_END: ColumnElement[datetime] = type_coerce(
    func.coalesce(
        type_coerce(conferences.c.end_at, BigInteger),
        type_coerce(conferences.c.start_at, BigInteger) + LONGEST_CALL // _MICROSECOND,
    ),
    Instant,
)

# --- a new reading ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Read:
    """What one call brings of one conference; it may tell only visits."""

    name: str
    source: Source
    conference: Conference | None
    visits: VisitRows


@dataclass(slots=True)
class _Held:
    """A conference as stored, with all its visits."""

    conference: Conference
    visits: VisitRows


def _read(conferences: Iterable[Conference], visits: Iterable[Visit[Identity]]) -> dict[str, _Read]:
    """What was read, by conference; of two readings of one visit the later in order counts."""
    found: dict[str, _Read] = {}

    def of(name: str, source: Source) -> _Read:
        return found.setdefault(clean_key(name), _Read(clean_key(name), source, None, {}))

    for conference in conferences:
        read = of(conference.name, conference.source)
        read.conference = _grown(read.conference, _cleaned(conference))
    rows = Rows()
    seen: dict[str, _Read] = {}
    for visit in visits:
        one = seen.get(visit.conference)
        if one is None:
            one = seen[visit.conference] = of(visit.conference, visit.source)
        row = rows.row(visit)
        before = one.visits.get(row.key)
        one.visits[row.key] = row if before is None else row.later_than(before)
    return found


def _cleaned(conference: Conference) -> Conference:
    code = conference.meeting_code
    return replace(
        conference,
        name=clean_key(conference.name),
        meeting_code=clean_code(code) if code else None,
        space=clean(conference.space) if conference.space else None,
        organizer=clean(conference.organizer) if conference.organizer else None,
        calendar_event_id=clean(conference.calendar_event_id)
        if conference.calendar_event_id
        else None,
    )


def _after(before: _Held | None, read: _Read) -> _Held:
    """What is known of a conference after this reading.

    The audit log has no rows about conferences, so they span their visits; Meet tells the times,
    and the hull of visits stands in only where nothing was ever read.
    """
    latest = before.conference if before else None
    if read.conference is not None:
        latest = _grown(latest, read.conference)
    if read.visits and (latest is None or read.source is Source.AUDIT):
        latest = _grown(latest, _hull(read))
    if latest is None:
        raise ValueError("nothing was read")
    return _Held(latest, together(before.visits if before else {}, read.visits))


def _hull(read: _Read) -> Conference:
    """The time that these visits span."""
    rows = read.visits.values()
    first = min(row.start_at for row in rows)
    last = max(max(row.start_at, row.end_at or 0, row.last_seen_at or 0) for row in rows)
    return Conference(read.name, read.source, None, from_micros(first), from_micros(last))


def _grown(before: Conference | None, after: Conference) -> Conference:
    """The newer reading; what it does not tell stays, and an audit conference only grows."""
    if before is None:
        return after
    grows = after.source is Source.AUDIT
    ends = [end for end in (before.end_at, after.end_at) if end is not None]
    return replace(
        after,
        meeting_code=after.meeting_code or before.meeting_code,
        start_at=min(before.start_at, after.start_at) if grows else after.start_at,
        end_at=max(ends, default=None) if grows else after.end_at or before.end_at,
        space=after.space or before.space,
        organizer=after.organizer or before.organizer,
        calendar_event_id=after.calendar_event_id or before.calendar_event_id,
        organizer_key=after.organizer_key or before.organizer_key,
    )


# --- rows ---------------------------------------------------------------------------------------


def _values(held: _Held) -> tuple[Any, ...]:
    """The values of all columns in their order, as the driver takes them."""
    conference = held.conference
    return (
        conference.name,
        conference.source.value,
        conference.meeting_code,
        to_micros(conference.start_at),
        None if conference.end_at is None else to_micros(conference.end_at),
        conference.space,
        conference.organizer,
        conference.calendar_event_id,
        conference.organizer_key,
        to_document(held.visits.values()),
    )


def _conference(row: Row[Any]) -> Conference:
    return Conference(
        name=row.name,
        source=Source(row.source),
        meeting_code=row.code,
        start_at=row.start_at,
        end_at=row.end_at,
        space=row.space,
        organizer=row.organizer,
        calendar_event_id=row.calendar_event_id,
        organizer_key=row.organizer_key,
    )


def _outline(row: Row[Any]) -> Outline:
    return _conference(row), len(to_rows(row.visits))


def _to_held(row: Row[Any]) -> HeldConference:
    conference = _conference(row)
    return HeldConference(conference, to_visits(conference.name, conference.source, row.visits))
