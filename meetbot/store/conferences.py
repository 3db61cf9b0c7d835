"""Calls that were held and who was in them: `ports.ConferenceStore`.

The audit log is read again and again (six hours each time), so most of what comes is known: rows
are compared with what is stored, and only what differs is written. This is the one place with very
many rows, so instants of visits are plain integers and identities are written by orjson.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
)

from meetbot.domain.attendance import Conference, Identity, IdentityForm, Source, Visit
from meetbot.domain.meetings import Scope
from meetbot.ports import HeldConference
from meetbot.store.columns import Instant, clean_code, clean_key, dump, from_micros, to_micros
from meetbot.store.statements import batches, one_of, overlaps, upsert, upsert_plain
from meetbot.store.tables import conferences, meetings, visits

_LONGEST_CALL = timedelta(hours=24)
"""A call whose end was never read belongs to no occurrence later than this: Meet lets none last
longer, and without a bound a lost end would make every later lesson of its code look live."""
_MICROSECOND = timedelta(microseconds=1)

_Participant = tuple[str, str]
"""Conference and participant."""


class SqlConferences:
    """Conferences and visits in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(
        self,
        conferences: Collection[Conference],
        visits: Collection[Visit[Identity]],
        *,
        as_of: datetime,  # noqa: ARG002 (the rows tell all the instants that count)
    ) -> frozenset[str]:
        """Upsert what differs; gives names of conferences in which anything changed."""
        rows = _distinct(visits)
        changed = self._save_conferences(_named(conferences), _hulls(rows))
        sessions = {row.whose for row in rows if row.is_session}
        hulls = self._without_sessions([row for row in rows if row.is_hull], sessions)
        changed |= self._save_visits([row for row in rows if not row.is_hull] + hulls)
        changed |= self._delete_hulls(sessions)
        return frozenset(changed)

    def _save_conferences(
        self, read: Mapping[str, Conference], hulls: Mapping[str, Conference]
    ) -> set[str]:
        changed: set[str] = set()
        for names in batches(dict.fromkeys([*read, *hulls])):
            before = {c.name: c for c in self._conferences(conferences.c.name.in_(names))}
            after = [_latest(before.get(name), read.get(name), hulls.get(name)) for name in names]
            differing = [c for c in after if c is not None and c != before.get(c.name)]
            rows = [_conference_row(conference) for conference in differing]
            upsert(self._connection, conferences, rows, key=["name"])
            changed |= {conference.name for conference in differing}
        return changed

    def _without_sessions(
        self, hulls: Iterable[_VisitRow], sessions: Collection[_Participant]
    ) -> list[_VisitRow]:
        """Hulls of participants of whom no exact session is known, neither now nor before."""
        left = [row for row in hulls if row.whose not in sessions]
        known: set[_Participant] = set()
        for whose in batches({row.whose for row in left}):
            query = (
                select(visits.c.conference, visits.c.participant)
                .where(*_participants_in(whose), visits.c.is_hull.is_(False))
                .distinct()
            )
            known |= {(row.conference, row.participant) for row in self._connection.execute(query)}
        return [row for row in left if row.whose not in known]

    def _save_visits(self, rows: Iterable[_VisitRow]) -> set[str]:
        changed: set[str] = set()
        for batch in batches(rows):
            stored = self._stored(batch)
            differing: list[_VisitRow] = []
            for row in batch:
                before = stored.get(row.id)
                after = row if before is None else row.later_than(before)
                if after != before:
                    differing.append(after)
                    changed.add(after.conference)
            upsert_plain(self._connection, visits, differing, key=["source", "key"])
        return changed

    def _stored(self, rows: Iterable[_VisitRow]) -> dict[tuple[str, str], _VisitRow]:
        keys: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            keys[row.source].append(row.key)
        stored: dict[tuple[str, str], _VisitRow] = {}
        for source, some in keys.items():
            query = select(*_VISIT_COLUMNS).where(visits.c.source == source, visits.c.key.in_(some))
            for found in self._connection.execute(query):
                row = _VisitRow._make(found)
                stored[row.id] = row
        return stored

    def _delete_hulls(self, sessions: Collection[_Participant]) -> set[str]:
        changed: set[str] = set()
        for whose in batches(sessions):
            gone = (
                delete(visits)
                .where(*_participants_in(whose), visits.c.is_hull.is_(True))
                .returning(visits.c.conference)
            )
            changed |= set(self._connection.execute(gone).scalars())
        return changed

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

    def outlines(self, names: Collection[str]) -> list[tuple[Conference, int]]:
        """Conferences by name, by start, with the number of their visits."""
        found: list[tuple[Conference, int]] = []
        for some in batches(names):
            query = (
                select(visits.c.conference, func.count())
                .where(visits.c.conference.in_(some))
                .group_by(visits.c.conference)
            )
            numbers = {row.conference: row[1] for row in self._connection.execute(query)}
            known = self._conferences(conferences.c.name.in_(some))
            found += [(conference, numbers.get(conference.name, 0)) for conference in known]
        return sorted(found, key=lambda pair: (pair[0].start_at, pair[0].name))

    def _held(self, *conditions: ColumnElement[bool]) -> tuple[HeldConference, ...]:
        found = self._conferences(*conditions)
        seen: dict[str, list[Visit[Identity]]] = defaultdict(list)
        for some in batches(conference.name for conference in found):
            for row in self._connection.execute(_VISITS, {"names": some}):
                seen[row.conference].append(_visit(_VisitRow._make(row)))
        held = [
            HeldConference(c, tuple(sorted(seen[c.name], key=lambda v: (v.start_at, v.key))))
            for c in found
        ]
        return tuple(sorted(held, key=_by_start))

    def _conferences(self, *conditions: ColumnElement[bool]) -> list[Conference]:
        rows = self._connection.execute(select(conferences).where(*conditions))
        return [_conference(row) for row in rows]

    def prune(self, *, before: datetime, unrelated_before: datetime | None = None) -> int:
        """Delete conferences that ended before (or began, where no end was ever read)."""
        ended_at = func.coalesce(conferences.c.end_at, conferences.c.start_at)
        over = ended_at < before
        if unrelated_before is not None:
            kept = select(meetings.c.id).where(
                meetings.c.meeting_code == conferences.c.code, meetings.c.scope != Scope.NONE
            )
            over = or_(over, and_(ended_at < unrelated_before, ~kept.exists()))
        return self._connection.execute(delete(conferences).where(over)).rowcount


def _by_start(held: HeldConference) -> tuple[datetime, str]:
    return held.conference.start_at, held.conference.name


_LATEST_END: ColumnElement[datetime] = type_coerce(
    func.coalesce(
        type_coerce(conferences.c.end_at, BigInteger),
        type_coerce(conferences.c.start_at, BigInteger) + _LONGEST_CALL // _MICROSECOND,
    ),
    Instant,
)


def _participants_in(whose: Collection[_Participant]) -> tuple[ColumnElement[bool], ...]:
    return (
        visits.c.conference.in_(sorted({conference for conference, _ in whose})),
        tuple_(visits.c.conference, visits.c.participant).in_(list(whose)),
    )


# --- visits -------------------------------------------------------------------------------------

_VISIT_COLUMNS = (
    visits.c.source,
    visits.c.key,
    visits.c.conference,
    visits.c.participant,
    visits.c.identity,
    visits.c.start_at,
    visits.c.end_at,
    visits.c.last_seen_at,
    visits.c.is_hull,
)


_VISITS = select(*_VISIT_COLUMNS).where(one_of(visits.c.conference, "names"))


class _VisitRow(NamedTuple):
    """The values of a visit in the order of `_VISIT_COLUMNS`; instants in microseconds."""

    source: str
    key: str
    conference: str
    participant: str
    identity: str
    start_at: int
    end_at: int | None
    last_seen_at: int | None
    is_hull: bool

    @property
    def id(self) -> tuple[str, str]:
        return self.source, self.key

    @property
    def whose(self) -> _Participant:
        return self.conference, self.participant

    @property
    def is_session(self) -> bool:
        return self.source == Source.MEET and not self.is_hull

    def later_than(self, before: _VisitRow) -> _VisitRow:
        """This reading, with the last moment that any reading saw."""
        if before.last_seen_at is None:
            return self
        return self._replace(last_seen_at=max(self.last_seen_at or 0, before.last_seen_at))


def _distinct(visits: Iterable[Visit[Identity]]) -> list[_VisitRow]:
    """One row for each key; of two readings in one call the later in order counts."""
    rows: dict[tuple[str, str], _VisitRow] = {}
    for visit in visits:
        row = _visit_row(visit)
        before = rows.get(row.id)
        rows[row.id] = row if before is None else row.later_than(before)
    return list(rows.values())


def _visit_row(visit: Visit[Identity]) -> _VisitRow:
    return _VisitRow(
        visit.source.value,
        clean_key(visit.key),
        clean_key(visit.conference),
        clean_key(visit.participant),
        _identity_text(visit.identity),
        to_micros(visit.start_at),
        None if visit.end_at is None else to_micros(visit.end_at),
        None if visit.last_seen_at is None else to_micros(visit.last_seen_at),
        visit.is_hull,
    )


def _visit(row: _VisitRow) -> Visit[Identity]:
    return Visit(
        source=Source(row.source),
        key=row.key,
        conference=row.conference,
        participant=row.participant,
        identity=_identity(row.identity),
        start_at=from_micros(row.start_at),
        end_at=None if row.end_at is None else from_micros(row.end_at),
        last_seen_at=None if row.last_seen_at is None else from_micros(row.last_seen_at),
        is_hull=row.is_hull,
    )


def _identity_text(identity: Identity) -> str:
    try:
        return orjson.dumps(identity).decode()
    except orjson.JSONEncodeError:
        return dump(Identity, identity)  # slower, and takes lone surrogates


_IDENTITY_FIELDS = frozenset(field.name for field in fields(Identity))


def _identity(text: str) -> Identity:
    values = {k: v for k, v in orjson.loads(text).items() if k in _IDENTITY_FIELDS}
    values["form"] = IdentityForm(values["form"])
    values["name_tokens"] = tuple(values.get("name_tokens", ()))
    return Identity(**values)


# --- conferences --------------------------------------------------------------------------------


def _named(conferences: Iterable[Conference]) -> dict[str, Conference]:
    found: dict[str, Conference] = {}
    for conference in conferences:
        code = clean_code(conference.meeting_code) if conference.meeting_code else None
        read = replace(conference, name=clean_key(conference.name), meeting_code=code)
        found[read.name] = _grown(found.get(read.name), read)
    return found


def _hulls(rows: Iterable[_VisitRow]) -> dict[str, Conference]:
    """For each conference of these visits the time they span."""
    spans: dict[str, tuple[str, int, int]] = {}
    for row in rows:
        end = max(row.start_at, row.end_at or 0, row.last_seen_at or 0)
        source, first, last = spans.get(row.conference, (row.source, row.start_at, end))
        spans[row.conference] = (source, min(first, row.start_at), max(last, end))
    return {
        name: Conference(name, Source(source), None, from_micros(first), from_micros(last))
        for name, (source, first, last) in spans.items()
    }


def _latest(
    stored: Conference | None, read: Conference | None, hull: Conference | None
) -> Conference | None:
    """What is known of a conference after this reading.

    The audit log has no rows about conferences, so they span their visits; Meet tells the times,
    and the hull of visits stands in only where nothing was ever read.
    """
    latest = stored if read is None else _grown(stored, read)
    if hull is None or (latest is not None and hull.source is Source.MEET):
        return latest
    return _grown(latest, hull)


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
    )


def _conference_row(conference: Conference) -> dict[str, Any]:
    return {
        "name": conference.name,
        "source": conference.source,
        "code": conference.meeting_code,
        "start_at": conference.start_at,
        "end_at": conference.end_at,
        "space": conference.space,
        "organizer": conference.organizer,
        "calendar_event_id": conference.calendar_event_id,
    }


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
    )
