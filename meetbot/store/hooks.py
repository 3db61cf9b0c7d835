"""What other programs are told: `ports.HookStore`."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, exists, func, insert, select, update

from meetbot.domain.routing import PRIVATE_RULES
from meetbot.domain.webhooks import Endpoint, FlagEvent, HookEvent, body_of, delivery_id
from meetbot.ports import HookDelivery, HookState
from meetbot.store.tables import cases, flag_history, flags, hook_deliveries, hook_endpoints

_COLUMNS = [column for column in hook_deliveries.c if column.name != "number"]
_DONE = (HookState.DELIVERED, HookState.FAILED)


class SqlHooks:
    """Deliveries to other programs in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def plan(self, endpoint: Endpoint, *, as_of: datetime, limit: int) -> int:
        """Queue what came into the history since the last time; gives how many rows were read."""
        known = self._connection.execute(
            select(hook_endpoints).where(hook_endpoints.c.name == endpoint.name)
        ).first()
        if known is None:
            newest = select(func.coalesce(func.max(flag_history.c.id), 0))
            row = {
                "name": endpoint.name,
                "read_to": self._connection.execute(newest).scalar_one(),
            }
            self._connection.execute(insert(hook_endpoints), row)
            return 0
        if known.off_since is not None:
            return 0
        events = self._events(known.read_to, limit)
        rows = [
            _row(endpoint, event, as_of)
            for event in events
            if event.event in endpoint.events and not event.is_private
        ]
        if rows:
            self._connection.execute(insert(hook_deliveries), rows)
        if events:
            self._set(endpoint.name, read_to=events[-1].number)
        return len(events)

    def _events(self, after: int, limit: int) -> builtins.list[FlagEvent]:
        """Rows of the history in order; write transactions follow each other, so none comes late.

        A flag whose case nobody noted counts as private.
        """
        query = (
            select(
                flag_history.c.id,
                flag_history.c.at,
                flag_history.c.change,
                flag_history.c.flag,
                func.coalesce(cases.c.is_private, True).label("is_private"),
            )
            .join(flags, flags.c.id == flag_history.c.flag_id)
            .outerjoin(cases, cases.c.occurrence == flags.c.occurrence)
            .where(flag_history.c.id > after)
            .order_by(flag_history.c.id)
            .limit(limit)
        )
        return [
            FlagEvent(
                row.id,
                row.at,
                row.change,
                row.flag,
                bool(row.is_private) or row.flag.rule in PRIVATE_RULES,
            )
            for row in self._connection.execute(query)
        ]

    def due(self, endpoint: str, as_of: datetime, limit: int) -> builtins.list[HookDelivery]:
        """Deliveries to try now, in order; none of a flag whose earlier one still waits."""
        earlier = hook_deliveries.alias()
        waits = exists().where(
            earlier.c.endpoint == hook_deliveries.c.endpoint,
            earlier.c.state == HookState.QUEUED,
            earlier.c.flag_id == hook_deliveries.c.flag_id,
            earlier.c.number < hook_deliveries.c.number,
        )
        query = (
            select(*_COLUMNS)
            .where(
                hook_deliveries.c.endpoint == endpoint,
                hook_deliveries.c.state == HookState.QUEUED,
                hook_deliveries.c.due_at <= as_of,
                ~waits,
            )
            .order_by(hook_deliveries.c.number)
            .limit(limit)
        )
        return [_delivery(row) for row in self._connection.execute(query)]

    def delivered(self, delivery_id: str, *, at: datetime) -> None:
        """It arrived; its words are not needed any more."""
        self._move(delivery_id, state=HookState.DELIVERED, reason="", body="", changed_at=at)

    def defer(self, delivery_id: str, reason: str, *, retry_at: datetime, at: datetime) -> None:
        """Try again later."""
        self._move(delivery_id, due_at=retry_at, reason=reason, changed_at=at)

    def fail(self, delivery_id: str, reason: str, *, at: datetime) -> None:
        """Given up."""
        self._move(delivery_id, state=HookState.FAILED, reason=reason, changed_at=at)

    def _move(self, delivery_id: str, **values: Any) -> None:
        self._connection.execute(
            update(hook_deliveries)
            .where(hook_deliveries.c.id == delivery_id, hook_deliveries.c.state == HookState.QUEUED)
            .values(attempts=hook_deliveries.c.attempts + 1, **values)
        )

    def switch_off(self, endpoint: str, reason: str, *, at: datetime) -> None:
        """The endpoint wants nothing any more; what waits for it is given up."""
        self._set(endpoint, off_since=at)
        self._connection.execute(
            update(hook_deliveries)
            .where(
                hook_deliveries.c.endpoint == endpoint, hook_deliveries.c.state == HookState.QUEUED
            )
            .values(state=HookState.FAILED, reason=reason, changed_at=at)
        )

    def off(self) -> Mapping[str, datetime]:
        """Endpoints that are switched off, and since when."""
        query = select(hook_endpoints).where(hook_endpoints.c.off_since.is_not(None))
        return {row.name: row.off_since for row in self._connection.execute(query)}

    def _set(self, endpoint: str, **values: Any) -> None:
        self._connection.execute(
            update(hook_endpoints).where(hook_endpoints.c.name == endpoint).values(**values)
        )

    def retry(self, wanted: str, *, at: datetime) -> int:
        """Queue again what was given up: a delivery, or all of an endpoint; gives how many."""
        self._set(wanted, off_since=None)
        again = self._connection.execute(
            update(hook_deliveries)
            .where(
                (hook_deliveries.c.id == wanted) | (hook_deliveries.c.endpoint == wanted),
                hook_deliveries.c.state == HookState.FAILED,
            )
            .values(state=HookState.QUEUED, attempts=0, due_at=at, changed_at=at)
        )
        return again.rowcount

    def list(self, *, states: Collection[HookState] | None = None) -> builtins.list[HookDelivery]:
        """Deliveries, the newest first."""
        query = select(*_COLUMNS).order_by(
            hook_deliveries.c.queued_at.desc(), hook_deliveries.c.number.desc()
        )
        if states is not None:
            query = query.where(hook_deliveries.c.state.in_(sorted(states)))
        return [_delivery(row) for row in self._connection.execute(query)]

    def prune(self, *, before: datetime) -> int:
        """Forget those that were delivered or given up before an instant; gives how many."""
        old = and_(hook_deliveries.c.state.in_(_DONE), hook_deliveries.c.changed_at < before)
        return self._connection.execute(delete(hook_deliveries).where(old)).rowcount


def _row(endpoint: Endpoint, event: FlagEvent, as_of: datetime) -> dict[str, Any]:
    return {
        "id": delivery_id(endpoint.name, event.number),
        "number": event.number,
        "endpoint": endpoint.name,
        "event": event.event,
        "flag_id": event.flag.id,
        "state": HookState.QUEUED,
        "attempts": 0,
        "due_at": as_of,
        "queued_at": as_of,
        "changed_at": as_of,
        "reason": "",
        "body": body_of(event),
    }


def _delivery(row: Row[Any]) -> HookDelivery:
    return HookDelivery(
        row.id,
        row.endpoint,
        HookEvent(row.event),
        row.flag_id,
        HookState(row.state),
        row.attempts,
        row.due_at,
        row.queued_at,
        row.changed_at,
        row.reason,
        row.body,
    )
