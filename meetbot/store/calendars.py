"""How far each staff calendar is read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from meetbot.ports import CalendarState, SyncMark
from meetbot.store.columns import clean_key
from meetbot.store.statements import batches, one_of, upsert
from meetbot.store.tables import calendars

_ONE = select(calendars).where(calendars.c.address == bindparam("wanted"))
_SOME = select(calendars).where(one_of(calendars.c.address, "some"))


class SqlCalendars:
    """Sync marks and failures in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seen: dict[str, CalendarState] = {}
        """As read by this transaction: rules about one event ask for its calendars twice."""

    def state(self, address: str) -> CalendarState:
        """How far a calendar is read."""
        if address not in self._seen:
            row = self._connection.execute(_ONE, {"wanted": address}).first()
            fresh = CalendarState(mark=None, read_at=None)
            self._seen[address] = fresh if row is None else _state(row)
        return self._seen[address]

    def states(self) -> dict[str, CalendarState]:
        """All calendars ever read or failed."""
        return {row.address: _state(row) for row in self._connection.execute(select(calendars))}

    def states_of(self, addresses: Collection[str]) -> dict[str, CalendarState]:
        """Those of these calendars that were ever read or failed."""
        found: dict[str, CalendarState] = {}
        for some in batches(addresses):
            by_key = {clean_key(address): address for address in some}
            rows = self._connection.execute(_SOME, {"some": list(by_key)})
            found |= {by_key[row.address]: _state(row) for row in rows}
        return found

    def read(self, address: str, mark: SyncMark, *, as_of: datetime) -> None:
        """Note a complete read; a failure before it is over."""
        row = {
            "address": address,
            "token": mark.token,
            "window_start_at": mark.window_start_at,
            "window_end_at": mark.window_end_at,
            "synced_at": mark.synced_at,
            "read_at": as_of,
            "problem": "",
            "failing_since": None,
        }
        upsert(self._connection, calendars, [row], key=["address"])
        self._seen.pop(address, None)

    def fail(self, address: str, problem: str, *, as_of: datetime) -> None:
        """Note a failure; it keeps the instant at which the calendar began to fail."""
        row = {
            "address": address,
            "problem": problem,
            "failing_since": self.state(address).failing_since or as_of,
        }
        upsert(self._connection, calendars, [row], key=["address"])
        self._seen.pop(address, None)

    def forget(self, addresses: Collection[str] | None) -> int:
        """Drop sync tokens, of all calendars without addresses; gives how many there were."""
        self._seen.clear()
        known = update(calendars).where(calendars.c.token.is_not(None)).values(token=None)
        if addresses is None:
            return self._connection.execute(known).rowcount
        return sum(
            self._connection.execute(known.where(calendars.c.address.in_(some))).rowcount
            for some in batches(addresses)
        )


def _state(row: Row[Any]) -> CalendarState:
    mark = None
    if row.token is not None:
        mark = SyncMark(row.token, row.window_start_at, row.window_end_at, row.synced_at)
    return CalendarState(mark, row.read_at, row.problem, row.failing_since)
