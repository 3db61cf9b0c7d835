"""Legal holds: `ports.HoldStore`."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from meetbot.domain.chain import LinkKind
from meetbot.domain.retention import Hold, HoldKind
from meetbot.errors import NotFound
from meetbot.store.chain import SqlChain, digest_of
from meetbot.store.columns import clean, clean_key
from meetbot.store.tables import holds


class SqlHolds:
    """Legal holds in one transaction; each coming and each end is a link of the chain."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chain = SqlChain(connection)

    def add(self, kind: HoldKind, subject: str, *, reason: str, by: str, at: datetime) -> Hold:
        """Begin a hold."""
        row: dict[str, Any] = {
            "kind": kind.value,
            "subject": clean_key(subject),
            "reason": clean(reason),
            "by": clean(by),
            "added_at": at,
        }
        added = insert(holds).values(row).returning(holds.c.id)
        number: int = self._connection.execute(added).scalar_one()
        link = self._link(number, "holds", row, at)
        self._set(number, link=link)
        return self._get(number)

    def remove(self, number: int, *, reason: str, by: str, at: datetime) -> Hold:
        """End a hold; raises `NotFound` where none of this number is in force."""
        hold = self._get(number)
        if hold.removed_at is not None:
            raise _none(number)
        row = {"removed_at": at, "removed_by": clean(by), "removed_reason": clean(reason)}
        self._set(number, **row)
        values = {"kind": hold.kind.value, "subject": hold.subject, "added_at": hold.added_at}
        self._set(number, ended_link=self._link(number, "hold_ends", values | row, at))
        return self._get(number)

    def _link(self, number: int, table: str, row: dict[str, Any], at: datetime) -> int:
        rows = {"rows": {table: [digest_of(table, row)]}}
        return self._chain.append(LinkKind.HOLD, f"hold {number}", rows, at=at).sequence

    def _set(self, number: int, **values: Any) -> None:
        self._connection.execute(update(holds).where(holds.c.id == number).values(**values))

    def _get(self, number: int) -> Hold:
        row = self._connection.execute(select(holds).where(holds.c.id == number)).first()
        if row is None:
            raise _none(number)
        return _hold(row)

    def list(self, *, removed: bool = False) -> builtins.list[Hold]:
        """The holds in force, or all of them, oldest first."""
        query = select(holds).order_by(holds.c.id)
        if not removed:
            query = query.where(holds.c.removed_at.is_(None))
        return [_hold(row) for row in self._connection.execute(query)]


def _none(number: int) -> NotFound:
    return NotFound(f"no hold {number} is in force", fix="see `meetbot hold list`")


def _hold(row: Row[Any]) -> Hold:
    return Hold(
        row.id,
        HoldKind(row.kind),
        row.subject,
        row.reason,
        row.by,
        row.added_at,
        row.removed_at,
        row.removed_by,
        row.removed_reason,
    )
