"""Which exemptions were used where: `ports.ExemptionStore`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, tuple_

from meetbot.domain.registry import ExemptionKind
from meetbot.ports import ExemptionUse
from meetbot.store.statements import batches, upsert
from meetbot.store.tables import exemption_uses


class SqlExemptions:
    """Uses of exemptions in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, uses: Iterable[ExemptionUse]) -> frozenset[ExemptionUse]:
        """Remember uses, each once for its occurrence; gives those that are new."""
        new: set[ExemptionUse] = set()
        pair = tuple_(exemption_uses.c.exemption, exemption_uses.c.occurrence)
        for some in batches({(use.exemption, use.occurrence): use for use in uses}.items()):
            uses_by_key = dict(some)
            query = select(exemption_uses.c.exemption, exemption_uses.c.occurrence).where(
                pair.in_(list(uses_by_key))
            )
            known = {(row.exemption, row.occurrence) for row in self._connection.execute(query)}
            new |= {use for key, use in uses_by_key.items() if key not in known}
            rows = [
                {
                    "exemption": use.exemption,
                    "occurrence": use.occurrence,
                    "kind": use.kind,
                    "used_at": use.used_at,
                }
                for use in uses_by_key.values()
            ]
            upsert(self._connection, exemption_uses, rows, key=["exemption", "occurrence"])
        return frozenset(new)

    def counts(self, since: datetime, until: datetime) -> Mapping[ExemptionKind, int]:
        """In how many occurrences of [since, until) an exemption of each kind was used."""
        query = (
            select(exemption_uses.c.kind, func.count(exemption_uses.c.occurrence.distinct()))
            .where(exemption_uses.c.used_at >= since, exemption_uses.c.used_at < until)
            .group_by(exemption_uses.c.kind)
        )
        rows = self._connection.execute(query)
        return {ExemptionKind(kind): number for kind, number in rows}

    def prune(self, *, before: datetime) -> int:
        """Forget uses of occurrences before an instant; gives how many."""
        old = delete(exemption_uses).where(exemption_uses.c.used_at < before)
        return self._connection.execute(old).rowcount
