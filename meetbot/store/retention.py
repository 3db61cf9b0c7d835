"""Deletes what is old enough, unless a flag or a legal hold keeps it: `ports.RetentionStore`.

What a link of the chain records is deleted together with a link that says so, so that the chain
can be checked for ever. A flag keeps its meeting, a meeting keeps the calls and mails about it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from meetbot.domain.addresses import parse_address
from meetbot.domain.attendance import Conference, Source
from meetbot.domain.chain import LinkKind, stamp
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.meetings import Scope
from meetbot.domain.registry import RegistryFile
from meetbot.domain.retention import Cutoffs, Hold, HoldKind, MonthCount
from meetbot.ports import OutboxState
from meetbot.store.cases import SqlCases
from meetbot.store.chain import LINKS, SqlChain, recorded
from meetbot.store.columns import clean_code, clean_key
from meetbot.store.conferences import Outline, SqlConferences
from meetbot.store.copies import copies_of
from meetbot.store.holds import SqlHolds
from meetbot.store.statements import batches, overlaps, upsert
from meetbot.store.tables import (
    access_log,
    accounts,
    calendars,
    case_events,
    cases,
    decisions,
    flag_history,
    flags,
    forgotten,
    groups,
    holds,
    learned_addresses,
    meeting_guests,
    meetings,
    outbox,
    registry_rows,
    reminders,
    shadow_flags,
    snapshots,
    storms,
)

_AROUND = timedelta(hours=2)
"""A call belongs to a meeting of its code that it is this near to."""
_CLOSED = [status for status in FlagStatus if not status.is_pending]
_DONE = (OutboxState.SENT, OutboxState.ROLLED_UP, OutboxState.FAILED, OutboxState.DROPPED)
_IS_FLAGGED = exists().where(flags.c.occurrence == meetings.c.key_text)

_NUMBERS = ("meetings", "calls", "visits")

Month = Callable[[datetime], str]


class SqlRetention:
    """Deletions in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._conferences = SqlConferences(connection)
        self._chain = SqlChain(connection)
        self._cases = SqlCases(connection)

    def ended(self, since: datetime, until: datetime) -> list[int]:
        """Ids of occurrences in scope without a flag that ended in [since, until)."""
        query = select(meetings.c.id).where(
            meetings.c.end_at >= since,
            meetings.c.end_at < until,
            meetings.c.scope != Scope.NONE,
            ~_IS_FLAGGED,
        )
        return list(self._connection.execute(query).scalars())

    def knows_meeting(self, subject: str) -> bool:
        """Whether there is an occurrence of this uid or Meet code."""
        named = or_(meetings.c.ical_uid == subject, meetings.c.meeting_code == clean_code(subject))
        return self._connection.execute(select(meetings.c.id).where(named)).first() is not None

    def knows_partner(self, partner_id: str) -> bool:
        """Whether the registry ever had this partner."""
        return any(cells.get("partner_id") == partner_id for cells in self._cells("partners"))

    def months(self, month: Month, *, as_of: datetime) -> list[MonthCount]:
        """Meetings, calls and visits of each month, oldest first: stored and deleted ones."""
        totals = self._forgotten()
        query = select(meetings.c.start_at).where(
            meetings.c.scope != Scope.NONE, ~meetings.c.is_cancelled, meetings.c.start_at < as_of
        )
        for start_at in self._connection.execute(query).scalars():
            totals[month(start_at)]["meetings"] += 1
        _count(totals, self._conferences.related(), month)
        return [
            MonthCount(name, numbers["meetings"], numbers["calls"], numbers["visits"])
            for name, numbers in sorted(totals.items())
        ]

    def _forgotten(self) -> defaultdict[str, Counter[str]]:
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for row in self._connection.execute(select(forgotten)):
            found[row.month].update(meetings=row.meetings, calls=row.calls, visits=row.visits)
        return found

    def purge(
        self,
        cutoffs: Cutoffs,
        *,
        confidential: Mapping[int, Collection[str]],
        month: Month,
        as_of: datetime,
    ) -> Mapping[str, int]:
        """Delete and record it; gives how many rows of what."""
        held = _Held(self._connection, SqlHolds(self._connection).list())
        if held.is_everything:
            return {}
        purge = _Purge(self._connection, held, cutoffs)
        self._purge_flags(purge)
        kept = self._names_of_flags()
        self._purge_unrelated(purge, kept)
        gone = self._purge_meetings(purge, confidential, month)
        names = {name for number in gone & confidential.keys() for name in confidential[number]}
        self._purge_calls(purge, kept, names - kept, month)
        self._purge_mails(purge)
        self._purge_people(purge, as_of)
        self._purge_registry(purge)
        if not held.is_any:  # of what a line speaks is not asked: all are kept
            purge.delete(access_log, access_log.c.at < cutoffs.evidence)
        purge.recorded_delete(
            holds, and_(holds.c.removed_at < cutoffs.evidence), ("holds", "hold_ends")
        )
        purge.recorded_delete(
            storms, and_(storms.c.ended_at < cutoffs.evidence), ("storms", "storm_ends")
        )
        self._add_months(purge.months)
        counts = {name: number for name, number in purge.counts.items() if number}
        if counts:
            instants = {
                "attendance": stamp(cutoffs.attendance),
                "evidence": stamp(cutoffs.evidence),
                "unrelated": stamp(cutoffs.unrelated),
            }
            payload = {"counts": counts, "cutoffs": instants, **purge.covered()}
            self._chain.append(LinkKind.PURGE, "", payload, at=as_of)
        return counts

    # --- flags and meetings ---

    def _purge_flags(self, purge: _Purge) -> None:
        """Those closed long ago, with history, decisions and what they were decided on."""
        query = select(flags.c.flag).where(flags.c.status.in_(_CLOSED))
        old: list[Flag] = [
            flag
            for flag in self._connection.execute(query).scalars()
            if flag.updated_at < purge.cutoffs.evidence
        ]
        if not old:
            return
        keys = {clean_key(flag.key.occurrence) for flag in old}
        held = purge.held.occurrences(self._meetings(meetings.c.key_text, keys))
        free = [
            clean_key(flag.id)
            for flag in old
            if clean_key(flag.key.occurrence) not in held and not purge.held.has_flag(flag)
        ]
        for ids in batches(free):
            purge.recorded_delete(decisions, decisions.c.flag_id.in_(ids), ("decisions",))
            purge.delete(flags, flags.c.id.in_(ids))
        self._purge_cases(purge, sorted(keys))
        is_needed = exists().where(flag_history.c.snapshot == snapshots.c.digest)
        purge.delete(snapshots, ~is_needed)

    def _purge_cases(self, purge: _Purge, occurrences: Iterable[str]) -> None:
        """Those of which no flag is left, with what was done about them; others lose some flags."""
        left: set[str] = set()
        for some in batches(occurrences):
            query = select(flags.c.occurrence).where(flags.c.occurrence.in_(some)).distinct()
            left |= (kept := set(self._connection.execute(query).scalars()))
            gone = [occurrence for occurrence in some if occurrence not in kept]
            ids = select(cases.c.id).where(cases.c.occurrence.in_(gone))
            purge.recorded_delete(case_events, case_events.c.case_id.in_(ids), ("case_events",))
            self._connection.execute(delete(cases).where(cases.c.occurrence.in_(gone)))
        self._cases.refresh(left)

    def _meetings(self, column: ColumnElement[Any], values: Iterable[Any]) -> list[Row[Any]]:
        found: list[Row[Any]] = []
        for some in batches(values):
            found += self._connection.execute(select(meetings).where(column.in_(some)))
        return found

    def _names_of_flags(self) -> set[str]:
        """Conferences that the flags which stay rest on."""
        kept = self._connection.execute(select(flags.c.flag)).scalars()
        return {clean_key(name) for flag in kept for name in flag.conference_records}

    def _purge_meetings(
        self, purge: _Purge, confidential: Collection[int], month: Month
    ) -> set[int]:
        old = select(meetings).where(meetings.c.end_at < purge.cutoffs.attendance, ~_IS_FLAGGED)
        rows = {row.id: row for row in self._connection.execute(old)}
        rows |= {
            row.id: row
            for row in self._meetings(meetings.c.id, confidential)
            if not self._has_flags(row.key_text)
        }
        held = purge.held.occurrences(rows.values())
        gone = {number for number, row in rows.items() if row.key_text not in held}
        for ids in batches(sorted(gone)):
            purge.delete(meetings, meetings.c.id.in_(ids))
        purge.delete(
            shadow_flags, ~exists().where(meetings.c.key_text == shadow_flags.c.occurrence)
        )
        for number in gone:
            if rows[number].scope != Scope.NONE and not rows[number].is_cancelled:
                purge.months[month(rows[number].start_at)]["meetings"] += 1
        return gone

    def _has_flags(self, key_text: str) -> bool:
        query = select(flags.c.id).where(flags.c.occurrence == key_text)
        return self._connection.execute(query).first() is not None

    # --- calls ---

    def _purge_unrelated(self, purge: _Purge, kept: Collection[str]) -> None:
        names = set(self._conferences.unrelated(before=purge.cutoffs.unrelated)) - set(kept)
        purge.counts["unrelated_calls"] += len(self._conferences.forget(names))

    def _purge_calls(
        self, purge: _Purge, kept: Collection[str], more: Collection[str], month: Month
    ) -> None:
        old = [
            call.name
            for call in self._conferences.ended(before=purge.cutoffs.attendance)
            if call.name not in kept
            and not self._has_meeting(call.meeting_code, call.start_at, call.end_at)
        ]
        calls = self._conferences.forget({*old, *more})
        purge.counts["calls"] += len(calls)
        _count(purge.months, calls, month)

    def _has_meeting(self, code: str | None, start_at: datetime, end_at: datetime | None) -> bool:
        """Whether a meeting that is kept may be what this call was held for."""
        if code is None:
            return False
        until = (end_at or start_at) + _AROUND
        query = select(meetings.c.id).where(
            meetings.c.meeting_code == code,
            overlaps(meetings.c.start_at, meetings.c.end_at, start_at - _AROUND, until),
        )
        return self._connection.execute(query).first() is not None

    # --- mails, people, registry ---

    def _purge_mails(self, purge: _Purge) -> None:
        """Mails and reminders of meetings that are gone; digests as long as flags."""
        cutoffs = purge.cutoffs
        is_gone = and_(
            outbox.c.occurrence.is_not(None),
            outbox.c.changed_at < cutoffs.attendance,
            ~exists().where(meetings.c.key_text == outbox.c.occurrence),
            ~exists().where(flags.c.occurrence == outbox.c.occurrence),
        )
        is_old = and_(outbox.c.occurrence.is_(None), outbox.c.changed_at < cutoffs.evidence)
        # A digest speaks of many meetings: while anything is held none is deleted.
        which = is_gone if purge.held.is_any else or_(is_gone, is_old)
        purge.recorded_delete(outbox, and_(outbox.c.state.in_(_DONE), which), ("outbox",))
        purge.delete(
            reminders,
            reminders.c.start_at < cutoffs.attendance,
            ~exists().where(meetings.c.key_text == reminders.c.occurrence),
        )

    def _purge_people(self, purge: _Purge, as_of: datetime) -> None:
        before = purge.cutoffs.attendance
        self._purge_learned(purge, as_of)
        purge.delete(
            groups,
            groups.c.read_at < before,
            ~exists().where(meeting_guests.c.address_key == groups.c.address_key),
        )
        purge.delete(
            calendars,
            func.coalesce(calendars.c.read_at, calendars.c.failing_since) < before,
            ~exists().where(accounts.c.address == calendars.c.address),
        )

    def _purge_learned(self, purge: _Purge, as_of: datetime) -> None:
        """Addresses of outsiders whom no stored call shows; the others are looked at later."""
        query = select(learned_addresses.c.id_key).where(
            learned_addresses.c.learned_at < purge.cutoffs.attendance
        )
        old = set(self._connection.execute(query).scalars())
        if not old:
            return
        seen = old & self._conferences.id_keys()
        for keys in batches(sorted(old - seen)):
            purge.delete(learned_addresses, learned_addresses.c.id_key.in_(keys))
        for keys in batches(sorted(seen)):
            self._connection.execute(
                update(learned_addresses)
                .where(learned_addresses.c.id_key.in_(keys))
                .values(learned_at=as_of)
            )

    def _purge_registry(self, purge: _Purge) -> None:
        """Rows that ended before everything that is kept, except those of held partners."""
        first = [purge.cutoffs.evidence]
        for column in (flags.c.opened_at, meetings.c.start_at, meetings.c.first_seen_at):
            oldest = self._connection.execute(select(func.min(column))).scalar()
            first += [] if oldest is None else [oldest]
        query = select(registry_rows.c.id, registry_rows.c.cells).where(
            registry_rows.c.known_to < min(first)
        )
        ids = [
            row.id
            for row in self._connection.execute(query)
            if row.cells.get("partner_id") not in purge.held.partners
        ]
        for some in batches(ids):
            purge.recorded_delete(
                registry_rows, registry_rows.c.id.in_(some), ("registry_rows", "registry_ends")
            )

    def _cells(self, file: str) -> Iterator[dict[str, str]]:
        query = select(registry_rows.c.cells).where(registry_rows.c.file == file)
        yield from self._connection.execute(query).scalars()

    def _add_months(self, added: Mapping[str, Counter[str]]) -> None:
        totals = self._forgotten()
        rows = [
            {"month": month} | {name: totals[month][name] + numbers[name] for name in _NUMBERS}
            for month, numbers in added.items()
        ]
        upsert(self._connection, forgotten, rows, key=["month"])


def _count(months: Mapping[str, Counter[str]], calls: Iterable[Outline], month: Month) -> None:
    """Add calls and visits to their months; a call that both sources tell of counts once."""
    by_code: dict[str | None, list[Outline]] = defaultdict(list)
    for call, visits in calls:
        by_code[call.meeting_code].append((call, visits))
    for same in by_code.values():
        read = [call for call, _ in same if call.source is Source.MEET]
        for call, visits in same:
            if call.source is Source.MEET or not any(_overlap(call, other) for other in read):
                months[month(call.start_at)].update(calls=1, visits=visits)


def _overlap(one: Conference, other: Conference) -> bool:
    if one.meeting_code is None:
        return False
    ends = one.end_at or one.start_at, other.end_at or other.start_at
    return one.start_at <= ends[1] and other.start_at <= ends[0]


@dataclass(slots=True)
class _Purge:
    """One run of deletions: what went, and which links knew of it."""

    connection: Connection
    held: _Held
    cutoffs: Cutoffs
    counts: Counter[str] = field(default_factory=Counter)
    months: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _digests: dict[tuple[str, int], list[str]] = field(default_factory=lambda: defaultdict(list))

    def delete(self, table: Table, *conditions: ColumnElement[bool]) -> None:
        """Delete rows that no link knows of."""
        self.counts[table.name] += self.connection.execute(
            delete(table).where(*conditions)
        ).rowcount

    def recorded_delete(
        self, table: Table, condition: ColumnElement[bool], names: Iterable[str]
    ) -> None:
        """Delete rows that links know by these names."""
        for name in names:
            for row in recorded(self.connection, name, condition):
                if row.link is not None:
                    self._digests[name, row.link].append(row.digest)
        self.delete(table, condition)

    def covered(self) -> dict[str, Any]:
        """What the link of this purge says about the links before it."""
        whole: dict[str, list[int]] = {}
        part: dict[str, dict[str, list[str]]] = {}
        for name in sorted({name for name, _ in self._digests}):
            links = sorted(link for of, link in self._digests if of == name)
            left = self._left(name, links)
            whole[name] = [link for link in links if link not in left]
            part[name] = {str(link): sorted(self._digests[name, link]) for link in sorted(left)}
        return {"whole": whole, "part": part}

    def _left(self, name: str, links: Iterable[int]) -> set[int]:
        """Those links of which some row is still there."""
        left: set[int] = set()
        column = LINKS[name]
        for some in batches(links):
            left |= set(
                self.connection.execute(select(column).where(column.in_(some)).distinct()).scalars()
            )
        return left


class _Held:
    """What the legal holds in force keep."""

    def __init__(self, connection: Connection, in_force: Iterable[Hold]) -> None:
        self._connection = connection
        subjects: dict[HoldKind, set[str]] = defaultdict(set)
        for hold in in_force:
            subjects[hold.kind].add(hold.subject)
        self.is_any = bool(subjects)
        self.is_everything = HoldKind.EVERYTHING in subjects
        self.partners = subjects[HoldKind.PARTNER]
        self._flags = subjects[HoldKind.FLAG]
        self._meetings = subjects[HoldKind.MEETING]
        self._codes = {clean_code(subject) for subject in self._meetings}
        self._domains, self._addresses = self._identities()
        self._by_flag = self._occurrences_of_flags()

    def _identities(self) -> tuple[set[str], set[str]]:
        """Domains and addresses by which held partners are or were known."""
        domains: set[str] = set()
        addresses: set[str] = set()
        if not self.partners:
            return domains, addresses
        query = select(registry_rows.c.cells).where(
            registry_rows.c.file == RegistryFile.IDENTITIES.value
        )
        for cells in self._connection.execute(query).scalars():
            if cells.get("partner_id") in self.partners:
                value = cells.get("value", "")
                address = parse_address(value)
                if address is not None:
                    addresses.add(address.key)
                else:
                    domains.add(value.strip().lower())
        return domains, addresses

    def _occurrences_of_flags(self) -> set[str]:
        if not (self._flags or self.partners):
            return set()
        kept = self._connection.execute(select(flags.c.flag)).scalars()
        return {clean_key(flag.key.occurrence) for flag in kept if self.has_flag(flag)}

    def has_flag(self, flag: Flag) -> bool:
        """Whether a hold names this flag or its partner."""
        return clean_key(flag.id) in self._flags or flag.partner_id in self.partners

    def occurrences(self, rows: Iterable[Row[Any]]) -> set[str]:
        """Keys of those of these meetings that are held."""
        if not self.is_any:
            return set()
        candidates = list(rows)
        held = {row.key_text for row in candidates if self._is_named(row)}
        if self.partners:
            rest = [row for row in candidates if row.key_text not in held]
            held |= {row.key_text for row in rest if row.copies == 0 and self._was_called(row)}
            invited = copies_of(self._connection, [row.id for row in rest if row.copies])
            held |= {
                row.key_text
                for row in rest
                for copy in invited.get(row.id, ())
                if any(self._is_partner(guest.address, guest.domain) for guest in copy.guests)
            }
        return held

    def _is_named(self, row: Row[Any]) -> bool:
        return (
            row.key_text in self._by_flag
            or row.ical_uid in self._meetings
            or row.meeting_code in self._codes
        )

    def _was_called(self, row: Row[Any]) -> bool:
        """Whether a held partner was in an ad-hoc call."""
        if row.meeting_code is None:
            return False
        calls = SqlConferences(self._connection).held(
            row.meeting_code, row.start_at - _AROUND, row.end_at + _AROUND
        )
        people = [visit.identity for call in calls for visit in call.visits]
        return any(self._is_partner(who.address, who.domain) for who in people)

    def _is_partner(self, address: str | None, domain: str | None) -> bool:
        parsed = parse_address(address or "")
        known = (domain or (parsed.domain if parsed else "")).lower()
        return (parsed is not None and parsed.key in self._addresses) or any(
            known == of or known.endswith(f".{of}") for of in self._domains
        )
