"""Storms of mails: `ports.StormStore`."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from meetbot.domain.chain import LinkKind, canonical
from meetbot.domain.storms import Ending, Storm
from meetbot.store.chain import SqlChain, digest_of
from meetbot.store.columns import clean
from meetbot.store.tables import storms


class SqlStorms:
    """Storms in one transaction; each begin and each end is a link of the chain."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chain = SqlChain(connection)

    def current(self) -> Storm | None:
        """The storm that lasts; None where mail leaves as usual."""
        query = select(storms).where(storms.c.ended_at.is_(None)).order_by(storms.c.id.desc())
        row = self._connection.execute(query).first()
        return None if row is None else _storm(row)

    def list(self) -> builtins.list[Storm]:
        """All storms, oldest first."""
        rows = self._connection.execute(select(storms).order_by(storms.c.id))
        return [_storm(row) for row in rows]

    def begin(self, flags: int, by_rule: Mapping[str, int], *, at: datetime) -> Storm:
        """Begin a storm."""
        row: dict[str, Any] = {"begun_at": at, "flags": flags, "by_rule": canonical(dict(by_rule))}
        added = insert(storms).values(row).returning(storms.c.id)
        number: int = self._connection.execute(added).scalar_one()
        return self._set(number, link=self._link(number, "storms", row, at))

    def end(
        self, storm: Storm, ending: Ending, mails: Mapping[str, int], *, by: str, at: datetime
    ) -> Storm:
        """End a storm; `mails` counts what became of what it held."""
        row: dict[str, Any] = {
            "ending": ending.value,
            "ended_at": at,
            "ended_by": clean(by),
            "mails": canonical(dict(mails)),
        }
        link = self._link(storm.id, "storm_ends", row | {"begun_at": storm.begun_at}, at)
        return self._set(storm.id, **row, ended_link=link)

    def _link(self, number: int, table: str, row: dict[str, Any], at: datetime) -> int:
        rows = {"rows": {table: [digest_of(table, row)]}}
        return self._chain.append(LinkKind.STORM, f"storm {number}", rows, at=at).sequence

    def _set(self, number: int, **values: Any) -> Storm:
        self._connection.execute(update(storms).where(storms.c.id == number).values(**values))
        return _storm(self._connection.execute(select(storms).where(storms.c.id == number)).one())


def _storm(row: Row[Any]) -> Storm:
    return Storm(
        id=row.id,
        begun_at=row.begun_at,
        flags=row.flags,
        by_rule=_ordered(json.loads(row.by_rule)),
        ending=None if row.ending is None else Ending(row.ending),
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        mails=json.loads(row.mails or "{}"),
    )


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    """Most first, as counted; the canonical form is sorted by name."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
