"""What rules in shadow find: `ports.ShadowStore`."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, func, select

from meetbot.domain.flags import Flag, FlagChange
from meetbot.store.statements import batches, one_of, upsert
from meetbot.store.tables import shadow_flags

_OF = select(shadow_flags.c.flag).where(shadow_flags.c.occurrence == bindparam("wanted"))
_OF_MANY = (
    select(shadow_flags.c.occurrence, shadow_flags.c.flag)
    .where(one_of(shadow_flags.c.occurrence, "some"))
    .order_by(shadow_flags.c.opened_at, shadow_flags.c.id)
)


class SqlShadows:
    """Findings of rules in shadow, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, occurrence: str) -> list[Flag]:
        """Those of an occurrence, oldest first."""
        found = self._connection.execute(_OF, {"wanted": occurrence}).scalars()
        return sorted(found, key=lambda flag: (flag.opened_at, flag.id))

    def of_many(self, occurrences: Collection[str]) -> dict[str, builtins.list[Flag]]:
        """Those of many occurrences."""
        found: dict[str, builtins.list[Flag]] = {}
        for some in batches(sorted(set(occurrences))):
            for row in self._connection.execute(_OF_MANY, {"some": some}):
                found.setdefault(row.occurrence, []).append(row.flag)
        return found

    def save(self, changes: Sequence[FlagChange]) -> None:
        """Store what was found, forget what is gone."""
        gone = [change.flag.id for change in changes if not change.flag.status.is_pending]
        rows = [
            {
                "id": flag.id,
                "occurrence": flag.key.occurrence,
                "rule": flag.rule,
                "opened_at": flag.opened_at,
                "flag": flag,
            }
            for flag in (change.flag for change in changes)
            if flag.status.is_pending
        ]
        upsert(self._connection, shadow_flags, rows, key=["id"])
        for some in batches(gone):
            self._connection.execute(delete(shadow_flags).where(shadow_flags.c.id.in_(some)))

    def keep_only(self, rules: Collection[str]) -> int:
        """Forget those of all other rules; gives how many."""
        others = delete(shadow_flags).where(shadow_flags.c.rule.not_in(sorted(rules)))
        return self._connection.execute(others).rowcount

    def list(self, *, rule: str | None = None) -> builtins.list[Flag]:
        """All, or those of one rule, newest first."""
        query = select(shadow_flags.c.flag).order_by(
            shadow_flags.c.opened_at.desc(), shadow_flags.c.id
        )
        if rule is not None:
            query = query.where(shadow_flags.c.rule == rule)
        return list(self._connection.execute(query).scalars())

    def counts(self) -> Mapping[str, int]:
        """How many by rule."""
        query = select(shadow_flags.c.rule, func.count()).group_by(shadow_flags.c.rule)
        return {row.rule: row[1] for row in self._connection.execute(query)}
