"""Cases, made of flags, and what was done about them: `ports.CaseStore`."""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice, product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from meetbot.domain.casework import (
    Case,
    CaseEvent,
    CaseStatus,
    EventKind,
    Noted,
    Step,
    Term,
    TermKind,
    case_of,
    gist_of,
    is_private,
    shown,
    terms_of,
)
from meetbot.domain.chain import LinkKind, row_digest
from meetbot.domain.findings import Severity
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.errors import BadInput, Mistake, NotFound
from meetbot.ports import CaseOrder, CasePage, CaseQuery, CaseSearch
from meetbot.store.chain import SqlChain
from meetbot.store.columns import clean, clean_key, from_micros, to_micros
from meetbot.store.statements import batches, one_of, upsert
from meetbot.store.tables import case_events, case_terms, cases, flags

_RANKS = tuple(Severity)
_ROW: Select[Any] = select(
    *(column for column in cases.c if column.name not in ("gist", "noted", "touched_at"))
)
_TermRow = tuple[str, str, datetime]
"""Kind, value and start of the meeting."""
_FLAGS = (
    select(flags.c.occurrence, flags.c.flag)
    .where(one_of(flags.c.occurrence, "some"))
    .order_by(flags.c.id)
)
_KNOWN: Select[Any] = select(
    cases.c.number,
    cases.c.id,
    cases.c.occurrence,
    cases.c.version,
    cases.c.gist,
    cases.c.noted,
    cases.c.touched_at,
).where(one_of(cases.c.occurrence, "some"))
_TERMS = select(
    case_terms.c.case, case_terms.c.kind, case_terms.c.value, case_terms.c.starts_at
).where(one_of(case_terms.c.case, "some"))
_TERMS_OF_MANY = (
    select(case_terms.c.case, case_terms.c.kind, case_terms.c.value)
    .where(one_of(case_terms.c.case, "some"))
    .order_by(case_terms.c.case, case_terms.c.kind, case_terms.c.value)
)
_ANSWERED = exists().where(
    case_events.c.case_id == cases.c.id, case_events.c.kind == EventKind.ANSWERED.value
)
_PLACE = re.compile(r"(\d)\.(\d{1,16})\.(C-[0-9a-f]{12})", re.ASCII)
"""Of the last case of a page: rank, microseconds and id."""


class SqlCases:
    """Cases in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chain = SqlChain(connection)

    # --- keeping them up to date ---

    def refresh(self, changed: Collection[str], noted: Mapping[str, Noted] | None = None) -> None:
        """Make the cases of these occurrences say what their flags say; without any they are gone.

        `noted` is what the judge knows, by occurrence; where there is no case, nothing is kept.
        """
        news = {clean_key(occurrence): known for occurrence, known in (noted or {}).items()}
        stale = frozenset(map(clean_key, changed))
        for some in batches(sorted(stale | news.keys())):
            known = {
                row.occurrence: row for row in self._connection.execute(_KNOWN, {"some": some})
            }
            wanted = [
                occurrence
                for occurrence in some
                if occurrence in stale
                or (occurrence in known and known[occurrence].noted != news[occurrence])
            ]
            if wanted:
                self._put(wanted, known, news)

    def note(self, occurrence: str, noted: Noted) -> None:
        """What the judge knows of a meeting with flags; without a case nothing is kept."""
        self.refresh((), {occurrence: noted})

    def _put(
        self, wanted: Sequence[str], known: Mapping[str, Row[Any]], news: Mapping[str, Noted]
    ) -> None:
        kept: dict[str, builtins.list[Flag]] = {}
        for row in self._connection.execute(_FLAGS, {"some": wanted}):
            kept.setdefault(row.occurrence, []).append(row.flag)
        gone = [known[o].id for o in wanted if o in known and o not in kept]
        if gone:
            self._connection.execute(delete(cases).where(cases.c.id.in_(gone)))
        made = {
            occurrence: _made(of_it, known.get(occurrence), news.get(occurrence))
            for occurrence, of_it in kept.items()
        }
        upsert(self._connection, cases, [values for values, _ in made.values()], key=["id"])
        numbers = {occurrence: row.number for occurrence, row in known.items()}
        new = sorted(made.keys() - numbers.keys())
        if new:
            found = self._connection.execute(_KNOWN, {"some": new})
            numbers |= {row.occurrence: row.number for row in found}
        self._put_terms({numbers[occurrence]: terms for occurrence, (_, terms) in made.items()})

    def _put_terms(self, wanted: Mapping[int, frozenset[_TermRow]]) -> None:
        """Have exactly these terms of these cases, by number."""
        known: dict[int, set[_TermRow]] = {}
        for row in self._connection.execute(_TERMS, {"some": sorted(wanted)}):
            known.setdefault(row.case, set()).add((row.kind, row.value, row.starts_at))
        rows: builtins.list[dict[str, Any]] = []
        for number, terms in wanted.items():
            before = known.get(number, set())
            for kind, value, _ in before - terms:
                self._connection.execute(
                    delete(case_terms).where(
                        case_terms.c.case == number,
                        case_terms.c.kind == kind,
                        case_terms.c.value == value,
                    )
                )
            rows += [
                {"case": number, "kind": kind, "value": value, "starts_at": starts_at}
                for kind, value, starts_at in sorted(terms - before)
            ]
        upsert(self._connection, case_terms, rows, key=["case", "kind", "value"])

    # --- reading ---

    def find(self, case_id: str) -> Case | None:
        """One case; None where there is none of this id."""
        row = self._connection.execute(_ROW.where(cases.c.id == case_id)).first()
        return self._cases([row])[0] if row is not None else None

    def list(
        self,
        query: CaseQuery,
        *,
        order: CaseOrder = CaseOrder.NEWEST,
        after: str | None = None,
        limit: int = 50,
    ) -> CasePage:
        """A page of cases; raises `BadInput` for a place that no page gave."""
        place = None if after is None else _parsed(after)
        rows = list(islice(self._rows(query, order, place, limit + 1), limit + 1))
        page, rest = rows[:limit], rows[limit:]
        return CasePage(self._cases(page), _place_of(page[-1]) if rest else None)

    def _rows(
        self,
        query: CaseQuery,
        order: CaseOrder,
        place: tuple[int, datetime, str] | None,
        limit: int,
    ) -> Iterator[Row[Any]]:
        """Rows in order, at least `limit` of them if there are so many."""
        if _is_narrowed(query):
            yield from self._few(query, order, place, limit)
        elif order is CaseOrder.NEWEST:
            yield from self._newest(query, None, place, limit)
        else:
            for severity in sorted(_RANKS, key=lambda each: -each.rank):
                if place is None or severity.rank <= place[0]:
                    is_begun = place is not None and severity.rank == place[0]
                    yield from self._newest(query, severity, place if is_begun else None, limit)

    def _few(
        self,
        query: CaseQuery,
        order: CaseOrder,
        place: tuple[int, datetime, str] | None,
        limit: int,
    ) -> Iterator[Row[Any]]:
        """Found by what narrows them, then sorted."""
        where = _conditions(query)
        columns = [cases.c.opened_at.desc(), cases.c.id.desc()]
        if order is CaseOrder.SEVERE:
            columns.insert(0, cases.c.severity.desc())
        if place is not None:
            where.append(_milder(place) if order is CaseOrder.SEVERE else _older(place))
        # Whole rows are read only of those that are shown: many may have to be sorted.
        first = select(cases.c.number).where(*where).order_by(*columns).limit(limit)
        yield from self._connection.execute(
            _ROW.where(cases.c.number.in_(first)).order_by(*columns)
        )

    def _newest(
        self,
        query: CaseQuery,
        severity: Severity | None,
        place: tuple[int, datetime, str] | None,
        limit: int,
    ) -> Iterator[Row[Any]]:
        """Of one severity, or all: for each kind one query that an index answers in order."""
        severities = query.severities
        if severity is not None:
            is_asked = severities is None or severity in severities
            severities = frozenset({severity} if is_asked else ())
        parts = product(
            (False, True) if query.private else (False,),
            sorted(query.statuses if query.statuses is not None else CaseStatus),
            [None] if severities is None else sorted(severities),
        )
        found = [self._part(*part, place, limit) for part in parts]
        yield from merge(*found, key=lambda row: (row.opened_at, row.id), reverse=True)

    def _part(
        self,
        is_private: bool,
        status: CaseStatus,
        severity: Severity | None,
        place: tuple[int, datetime, str] | None,
        limit: int,
    ) -> builtins.list[Row[Any]]:
        query = _ROW.where(cases.c.is_private == is_private, cases.c.status == status)
        if severity is not None:
            query = query.where(cases.c.severity == severity.rank)
        if place is not None:
            query = query.where(_older(place))
        query = query.order_by(cases.c.opened_at.desc(), cases.c.id.desc()).limit(limit)
        return list(self._connection.execute(query))

    def count(self, query: CaseQuery) -> int:
        """How many cases there are in all pages."""
        counted = select(func.count()).select_from(cases).where(*_conditions(query))
        return self._connection.execute(counted).scalar_one()

    def earlier(
        self,
        partners: Collection[str],
        host_key: str | None,
        *,
        before: datetime,
        limit: int,
        private: bool,
    ) -> builtins.list[Case]:
        """Cases of these partners or this host, the newest meeting first."""
        terms = [Term(TermKind.PARTNER, partner) for partner in sorted(set(partners))]
        terms += [Term(TermKind.HOST, host_key)] if host_key else []
        found: dict[str, Row[Any]] = {}
        for term in terms:
            query = (
                _ROW.join(case_terms, case_terms.c.case == cases.c.number)
                .where(
                    case_terms.c.kind == term.kind,
                    case_terms.c.value == term.value,
                    case_terms.c.starts_at < before,
                    true() if private else ~cases.c.is_private,
                )
                .order_by(case_terms.c.starts_at.desc(), case_terms.c.case.desc())
                .limit(limit)
            )
            found |= {row.id: row for row in self._connection.execute(query)}
        newest = sorted(found.values(), key=lambda row: (row.starts_at, row.id), reverse=True)
        return list(self._cases(newest[:limit]))

    def _cases(self, rows: Sequence[Row[Any]]) -> tuple[Case, ...]:
        terms: dict[int, dict[str, builtins.list[str]]] = {row.number: {} for row in rows}
        for some in batches(terms):
            for term in self._connection.execute(_TERMS_OF_MANY, {"some": some}):
                terms[term.case].setdefault(term.kind, []).append(term.value)
        return tuple(_case(row, terms[row.number]) for row in rows)

    # --- what was done ---

    def add_event(self, event: CaseEvent) -> CaseEvent:
        """Store what was done, with a link; raises `NotFound` where there is no such case."""
        known = select(cases.c.updated_at, cases.c.touched_at).where(cases.c.id == event.case_id)
        case = self._connection.execute(known).first()
        if case is None:
            raise NotFound(f"there is no case {event.case_id}")
        row: dict[str, Any] = {
            "case_id": event.case_id,
            "kind": event.kind.value,
            "at": event.at,
            "by": clean(event.by),
            "choice": clean(event.choice),
            "note": clean(event.note),
            "about": clean(event.about),
            "person": clean(event.person),
            "of": event.of,
            "steps": "\n".join(f"{s.flag_id} {s.before} {s.after}" for s in event.steps),
        }
        link = self._chain.append(
            LinkKind.CASE,
            event.case_id,
            {"rows": {"case_events": [row_digest("case_events", row)]}},
            at=event.at,
        )
        added = insert(case_events).values(row | {"link": link.sequence}).returning(case_events)
        stored = _event(self._connection.execute(added).one())
        self._connection.execute(
            update(cases)
            .where(cases.c.id == event.case_id)
            .values(
                version=cases.c.version + 1,
                touched_at=max(event.at, case.touched_at or event.at),
                updated_at=max(event.at, case.updated_at),
            )
        )
        return stored

    def events(self, case_id: str) -> builtins.list[CaseEvent]:
        """What was done about a case, oldest first."""
        query = (
            select(case_events).where(case_events.c.case_id == case_id).order_by(case_events.c.id)
        )
        return [_event(row) for row in self._connection.execute(query)]


# --- conditions ---------------------------------------------------------------------------------


def _conditions(query: CaseQuery) -> builtins.list[ColumnElement[bool]]:
    # Both values are named, for an index begins with them.
    seen = (False, True) if query.private else (False,)
    found: builtins.list[ColumnElement[bool]] = [cases.c.is_private.in_(seen)]
    if query.statuses is not None:
        found.append(cases.c.status.in_(sorted(query.statuses)))
    if query.severities is not None:
        found.append(cases.c.severity.in_(sorted(s.rank for s in query.severities)))
    for kind, values in (
        (TermKind.RULE, query.rules),
        (TermKind.PARTNER, query.partners),
        (TermKind.SCHOOL, query.schools),
        (TermKind.HOST, query.hosts),
    ):
        if values is not None:
            found.append(_has(and_(case_terms.c.kind == kind, case_terms.c.value.in_(values))))
    if query.search is not None:
        found.append(_is_found(query.search))
    if query.is_answered:
        found.append(_ANSWERED)
    if query.since is not None:
        found.append(cases.c.starts_at >= query.since)
    if query.until is not None:
        found.append(cases.c.starts_at < query.until)
    return found


def _has(term: ColumnElement[bool]) -> ColumnElement[bool]:
    return cases.c.number.in_(select(case_terms.c.case).where(term))


def _is_narrowed(query: CaseQuery) -> bool:
    """Whether there is more to fit than an index over all cases tells."""
    terms = (query.rules, query.partners, query.schools, query.hosts)
    rest = (query.search, query.since, query.until)
    return query.is_answered or any(each is not None for each in (*terms, *rest))


def _is_found(search: CaseSearch) -> ColumnElement[bool]:
    kinds = sorted({term.kind for term in search.terms})
    terms = [
        and_(
            case_terms.c.kind == kind,
            case_terms.c.value.in_(sorted(t.value for t in search.terms if t.kind is kind)),
        )
        for kind in kinds
    ]
    return or_(cases.c.id.in_(sorted(search.ids)), *(_has(term) for term in terms))


def _older(place: tuple[int, datetime, str]) -> ColumnElement[bool]:
    """Those that come after a case in the order of `_newest`; one bound an index can use."""
    _, opened_at, case_id = place
    return and_(
        cases.c.opened_at <= opened_at,
        or_(cases.c.opened_at < opened_at, cases.c.id < case_id),
    )


def _milder(place: tuple[int, datetime, str]) -> ColumnElement[bool]:
    """The same where the most severe come first."""
    rank = place[0]
    return or_(cases.c.severity < rank, and_(cases.c.severity == rank, _older(place)))


def _place_of(row: Row[Any]) -> str:
    return f"{row.severity}.{to_micros(row.opened_at)}.{row.id}"


def _parsed(after: str) -> tuple[int, datetime, str]:
    found = _PLACE.fullmatch(after)
    if found is None:
        what, fix = "is no place in a list of cases", "begin at the first page"
        raise BadInput([Mistake("after", what, fix)])
    return int(found[1]), from_micros(int(found[2])), found[3]


# --- rows ---------------------------------------------------------------------------------------


def _made(
    kept: Sequence[Flag], row: Row[Any] | None, noted: Noted | None
) -> tuple[dict[str, Any], frozenset[_TermRow]]:
    """Row and terms of the case of these flags; `row` is how it was, `noted` what is new."""
    if noted is None and row is not None:
        noted = row.noted
    visible = shown(kept, private=is_private(kept, noted))
    gist = gist_of(visible)
    version = 1 if row is None else row.version + (row.gist != gist)
    case = case_of(kept, noted, version=version, touched_at=row.touched_at if row else None)
    values = {
        "id": case.id,
        "occurrence": case.occurrence,
        "status": case.status,
        "severity": case.severity.rank,
        "is_private": case.is_private,
        "school_id": case.school_id,
        "host_key": case.host_key,
        "starts_at": case.starts_at,
        "opened_at": case.opened_at,
        "updated_at": case.updated_at,
        "flags": case.flags,
        "pending": case.pending,
        "version": version,
        "gist": gist,
        "noted": noted,
    }
    terms = terms_of(visible, noted)
    return values, frozenset((t.kind.value, clean_key(t.value), case.starts_at) for t in terms)


def _case(row: Row[Any], terms: dict[str, list[str]]) -> Case:
    return Case(
        id=row.id,
        occurrence=row.occurrence,
        status=CaseStatus(row.status),
        severity=_RANKS[row.severity],
        is_private=row.is_private,
        school_id=row.school_id,
        host_key=row.host_key,
        starts_at=row.starts_at,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        flags=row.flags,
        pending=row.pending,
        version=row.version,
        rules=tuple(terms.get(TermKind.RULE, ())),
        partners=tuple(terms.get(TermKind.PARTNER, ())),
        schools=tuple(terms.get(TermKind.SCHOOL, ())),
        answerers=tuple(terms.get(TermKind.HOST, ())),
    )


def _event(row: Row[Any]) -> CaseEvent:
    steps = (line.split(" ") for line in row.steps.splitlines())
    return CaseEvent(
        case_id=row.case_id,
        kind=EventKind(row.kind),
        at=row.at,
        by=row.by,
        choice=row.choice,
        note=row.note,
        about=row.about,
        person=row.person,
        of=row.of,
        steps=tuple(Step(of, FlagStatus(before), FlagStatus(then)) for of, before, then in steps),
        number=row.id,
    )
