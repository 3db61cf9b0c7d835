"""Flags, their history and officers' decisions: `ports.FlagStore`."""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from meetbot.domain.casework import Noted
from meetbot.domain.chain import LinkKind, row_digest
from meetbot.domain.findings import Severity
from meetbot.domain.flags import Flag, FlagChange, FlagStatus
from meetbot.domain.routing import PRIVATE_RULES
from meetbot.domain.snapshots import Withheld
from meetbot.errors import BadInput, Mistake, NotFound
from meetbot.ports import Decision, FlagSave, HistoryEntry, HistoryLine
from meetbot.store.cases import SqlCases
from meetbot.store.chain import SqlChain
from meetbot.store.columns import Instant, clean, clean_key, from_micros, to_micros
from meetbot.store.statements import batches, one_of, upsert
from meetbot.store.tables import cases, decisions, flag_history, flags

_OF = select(flags.c.flag).where(flags.c.occurrence == bindparam("wanted"))
_OF_MANY = (
    select(flags.c.occurrence, flags.c.flag)
    .where(one_of(flags.c.occurrence, "some"))
    .order_by(flags.c.opened_at, flags.c.id)
)
_ONE = select(flags.c.flag).where(flags.c.id == bindparam("wanted"))
_HISTORY = insert(flag_history)
_LINES = select(
    flag_history.c.id,
    flag_history.c.flag_id,
    flag_history.c.at,
    flag_history.c.change,
    flag_history.c.reason,
    flag_history.c.snapshot,
    flag_history.c.withheld,
).where(one_of(flag_history.c.flag_id, "some"))
_DECISIONS = select(decisions).where(one_of(decisions.c.flag_id, "some"))


class SqlFlags:
    """Flags in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chain = SqlChain(connection)
        self._cases = SqlCases(connection)

    def of(self, occurrence: str) -> list[Flag]:
        """All flags of an occurrence, oldest first."""
        found = self._connection.execute(_OF, {"wanted": occurrence}).scalars()
        return sorted(found, key=lambda flag: (flag.opened_at, flag.id))

    def of_many(self, occurrences: Collection[str]) -> dict[str, builtins.list[Flag]]:
        """The same for many occurrences; those without a flag are left out."""
        found: dict[str, builtins.list[Flag]] = {}
        for some in batches(sorted(set(occurrences))):
            for row in self._connection.execute(_OF_MANY, {"some": some}):
                found.setdefault(row.occurrence, []).append(row.flag)
        return found

    def save(
        self,
        changes: Sequence[FlagChange],
        *,
        as_of: datetime,
        snapshot: str | None = None,
        withheld: Withheld | None = None,
    ) -> None:
        """Store changed flags and one history row each, with what they were decided on.

        Their cases follow.
        """
        self.save_all([FlagSave(tuple(changes), snapshot, withheld)], as_of=as_of)

    def save_all(
        self,
        saves: Sequence[FlagSave],
        *,
        told: Collection[Flag] = (),
        noted: Mapping[str, Noted] | None = None,
        as_of: datetime,
    ) -> None:
        """The same for many verdicts; flags that were told of are stored as they are in `told`.

        `noted` is what the judge knows of their meetings, by occurrence, for their cases.
        """
        latest = {change.flag.id: change.flag for save in saves for change in save.changes}
        latest |= {flag.id: flag for flag in told}
        self._put(list(latest.values()))
        history = [
            _entry(change.flag, as_of, change.kind, change.reason, save.snapshot, save.withheld)
            for save in saves
            for change in save.changes
        ]
        if history:
            self._connection.execute(_HISTORY, history)
        changed = {change.flag.key.occurrence for save in saves for change in save.changes}
        self._cases.refresh(changed, noted)

    def _put(self, some: Collection[Flag]) -> None:
        """Store flags; what was undone or reopened waits for an officer as at first."""
        waiting = [_row(flag) | _UNHANDLED for flag in some if flag.status is FlagStatus.OPEN]
        others = [_row(flag) for flag in some if flag.status is not FlagStatus.OPEN]
        upsert(self._connection, flags, waiting, key=["id"])
        upsert(self._connection, flags, others, key=["id"])
        for flag in some:
            if flag.status is FlagStatus.ACKNOWLEDGED or flag.status.is_decided:
                self._handled(flag)

    def _handled(self, flag: Flag) -> None:
        """Note since when an officer knows it and, if one decided it, since when it is decided."""
        at = literal(flag.updated_at, Instant())
        self._connection.execute(
            update(flags)
            .where(flags.c.id == flag.id)
            .values(
                acknowledged_at=func.coalesce(flags.c.acknowledged_at, at),
                resolved_at=func.coalesce(flags.c.resolved_at, at)
                if flag.status.is_decided
                else None,
            )
        )

    def get(self, flag_id: str) -> Flag:
        """One flag; raises `NotFound`."""
        flag: Flag | None = self._connection.execute(_ONE, {"wanted": flag_id}).scalar()
        if flag is None:
            raise NotFound(f"there is no flag {flag_id}", fix="see `meetbot flags list`")
        return flag

    def statuses(self, flag_ids: Collection[str]) -> Mapping[str, FlagStatus]:
        """Statuses by id; flags that are not there are left out."""
        found: dict[str, FlagStatus] = {}
        for ids in batches(flag_ids):
            query = select(flags.c.id, flags.c.status).where(flags.c.id.in_(ids))
            found |= {row.id: FlagStatus(row.status) for row in self._connection.execute(query)}
        return found

    def tell(self, flag_id: str, told: Mapping[str, datetime], severity: Severity | None) -> None:
        """Note who was told, beside those told before; without a severity the last one stays."""
        flag = self.get(flag_id)
        told_severity = severity if severity is not None else flag.told_severity
        self._put([replace(flag, told={**flag.told, **told}, told_severity=told_severity)])

    def decide(self, decision: Decision) -> Flag:
        """Store an officer's decision, the flag's new status and a link; raises `NotFound`.

        Its case follows.
        """
        before = self.get(decision.flag_id)
        flag = replace(before, status=decision.status, updated_at=decision.decided_at)
        self._put([flag])
        entry = _entry(flag, decision.decided_at, decision.status, decision.reason)
        self._connection.execute(_HISTORY, entry)
        row = {
            "flag_id": clean_key(flag.id),
            "status": decision.status.value,
            "reason": clean(decision.reason),
            "note": clean(decision.note),
            "by": clean(decision.by),
            "decided_at": decision.decided_at,
        }
        link = self._chain.append(
            LinkKind.DECISION,
            flag.id,
            {"rows": {"decisions": [row_digest("decisions", row)]}},
            at=decision.decided_at,
        )
        self._connection.execute(insert(decisions), row | {"link": link.sequence})
        self._cases.refresh([flag.key.occurrence])
        return flag

    def history(self, flag_id: str) -> list[tuple[datetime, str, str]]:
        """(instant, change or decision, reason), in the order in which they were stored."""
        query = (
            select(flag_history.c.at, flag_history.c.change, flag_history.c.reason)
            .where(flag_history.c.flag_id == flag_id)
            .order_by(flag_history.c.id)
        )
        return [(row.at, row.change, row.reason) for row in self._connection.execute(query)]

    def entries(self, flag_id: str) -> builtins.list[HistoryEntry]:
        """The history with what each change was decided on, oldest first."""
        query = (
            select(flag_history)
            .where(flag_history.c.flag_id == flag_id)
            .order_by(flag_history.c.id)
        )
        return [
            HistoryEntry(
                row.at,
                row.change,
                row.reason,
                row.flag,
                row.snapshot,
                Withheld(row.withheld) if row.withheld else None,
            )
            for row in self._connection.execute(query)
        ]

    def decisions(self, flag_id: str) -> builtins.list[Decision]:
        """What officers decided, oldest first."""
        return self.decisions_of([flag_id])

    def decisions_of(self, flag_ids: Collection[str]) -> builtins.list[Decision]:
        """What officers decided about several flags, oldest first."""
        rows = (
            row
            for some in batches(sorted(set(flag_ids)))
            for row in self._connection.execute(_DECISIONS, {"some": some})
        )
        return [
            Decision(
                row.flag_id, FlagStatus(row.status), row.reason, row.note, row.by, row.decided_at
            )
            for row in sorted(rows, key=lambda row: row.id)
        ]

    def lines_of(self, flag_ids: Collection[str]) -> builtins.list[HistoryLine]:
        """The histories of several flags, oldest first."""
        rows = (
            row
            for some in batches(sorted(set(flag_ids)))
            for row in self._connection.execute(_LINES, {"some": some})
        )
        return [
            HistoryLine(
                row.flag_id,
                row.at,
                row.change,
                row.reason,
                row.snapshot,
                Withheld(row.withheld) if row.withheld else None,
            )
            for row in sorted(rows, key=lambda row: row.id)
        ]

    def opened(self, since: datetime, until: datetime) -> list[Flag]:
        """Flags first opened in [since, until), newest first."""
        return self._newest_first(flags.c.opened_at >= since, flags.c.opened_at < until)

    def _newest_first(self, *conditions: ColumnElement[bool]) -> list[Flag]:
        query = (
            select(flags.c.flag).where(*conditions).order_by(flags.c.opened_at.desc(), flags.c.id)
        )
        return list(self._connection.execute(query).scalars())

    def list(
        self, *, statuses: Collection[FlagStatus] | None = None, rule: str | None = None
    ) -> list[Flag]:
        """Flags, the last opened first."""
        conditions: builtins.list[ColumnElement[bool]] = []
        if statuses is not None:
            conditions.append(flags.c.status.in_(sorted(statuses)))
        if rule is not None:
            conditions.append(flags.c.rule == rule)
        return self._newest_first(*conditions)

    def page(
        self,
        *,
        statuses: Collection[FlagStatus],
        rule: str | None,
        private: bool,
        after: str | None,
        limit: int,
    ) -> tuple[Sequence[Flag], str | None]:
        """Some flags, the last opened first, and `after` of the next page, None on the last."""
        conditions: builtins.list[ColumnElement[bool]] = [flags.c.status.in_(sorted(statuses))]
        if rule is not None:
            conditions.append(flags.c.rule == rule)
        query = select(flags.c.flag)
        if not private:
            # A flag whose case nobody noted counts as private.
            query = query.join(cases, cases.c.occurrence == flags.c.occurrence)
            conditions += [
                cases.c.is_private.is_(False),
                flags.c.rule.not_in(sorted(PRIVATE_RULES)),
            ]
        if after is not None:
            opened_at, flag_id = _place(after)
            conditions.append(
                or_(
                    flags.c.opened_at < opened_at,
                    and_(flags.c.opened_at == opened_at, flags.c.id > flag_id),
                )
            )
        query = query.where(*conditions).order_by(flags.c.opened_at.desc(), flags.c.id)
        found = list(self._connection.execute(query.limit(limit + 1)).scalars())
        if len(found) <= limit:
            return found, None
        last = found[limit - 1]
        return found[:limit], f"{to_micros(last.opened_at)}.{last.id}"


_PLACE = re.compile(r"(\d{1,16})\.(F-[0-9a-f]{12})", re.ASCII)
"""Of the last flag of a page: microseconds and id."""


def _place(text: str) -> tuple[datetime, str]:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise BadInput([Mistake("after", "is no place in the list", "give what the page gave")])
    return from_micros(int(found[1])), found[2]


_UNHANDLED: dict[str, object] = {"acknowledged_at": None, "resolved_at": None}


def _row(flag: Flag) -> dict[str, object]:
    return {
        "id": flag.id,
        "occurrence": flag.key.occurrence,
        "rule": flag.rule,
        "status": flag.status,
        "opened_at": flag.opened_at,
        "flag": flag,
        "severity": flag.severity.rank,
    }


def _entry(
    flag: Flag,
    at: datetime,
    change: str,
    reason: str,
    snapshot: str | None = None,
    withheld: Withheld | None = None,
) -> dict[str, Any]:
    return {
        "flag_id": flag.id,
        "at": at,
        "change": change,
        "reason": reason,
        "flag": flag,
        "snapshot": snapshot,
        "withheld": withheld,
    }
