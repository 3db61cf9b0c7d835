"""What the console's overview and its page for operators show, counted by the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from meetbot.domain.findings import Severity
from meetbot.domain.overview import (
    PRECISION_DAYS,
    Delivery,
    Operations,
    Overview,
    Precision,
    Scope,
    Times,
    Week,
    expiring,
    week_of,
    week_starts,
)
from meetbot.jobs.deps import Standards
from meetbot.jobs.digest import coverage
from meetbot.jobs.storm import state
from meetbot.ports import OutboxState, Tx

_DELIVERED_WITHIN = timedelta(days=7)


def overview(deps: Standards, tx: Tx, scope: Scope, as_of: datetime) -> Overview:
    """All of it, for who may see this much."""
    today = as_of.astimezone(deps.district.zone).date()
    return Overview(
        weeks=weeks(deps, tx, scope, as_of),
        times=times(deps, tx, scope, as_of),
        precision=precision(tx, scope, as_of),
        operations=operations(tx, as_of) if scope.is_district else None,
        expiring=expiring(tx.registry.current(), today, private=scope.private)
        if scope.is_district
        else (),
    )


def weeks(deps: Standards, tx: Tx, scope: Scope, as_of: datetime) -> tuple[Week, ...]:
    """Flags of each week, with the district's meetings as long as all of them are kept."""
    kept_since = as_of - deps.policy.retention.attendance
    days = week_starts(as_of, deps.district.zone)
    spans = [week_of(first, deps.district.zone) for first in days]
    counts = tx.overview.opened([*(start for start, _ in spans), spans[-1][1]], scope)
    held = [
        tx.overview.meetings(start, min(end, as_of))
        if scope.is_district and start >= kept_since
        else None
        for start, end in spans
    ]
    return tuple(map(Week, days, counts, held))


def times(deps: Standards, tx: Tx, scope: Scope, as_of: datetime) -> tuple[Times, ...]:
    """How long flags of the weeks shown waited, the gravest first; none of which nobody is told."""
    since, _ = week_of(week_starts(as_of, deps.district.zone)[0], deps.district.zone)
    until = as_of + timedelta(microseconds=1)
    acknowledged = tx.overview.acknowledged(since, until, scope)
    resolved = tx.overview.resolved(since, until, scope)
    return tuple(
        Times(severity, acknowledged.get(severity), resolved.get(severity))
        for severity in reversed(Severity)
        if severity in acknowledged or severity in resolved
    )


def precision(tx: Tx, scope: Scope, as_of: datetime) -> tuple[Precision, ...]:
    """Of each rule, how many of a year's flags were upheld; the least precise first."""
    since = as_of - timedelta(days=PRECISION_DAYS)
    found = tx.overview.decided(since, as_of + timedelta(microseconds=1), scope)
    return tuple(sorted(found, key=lambda one: (one.share, one.rule)))


def operations(tx: Tx, as_of: datetime) -> Operations:
    """Coverage, delivery and storm."""
    mails = tx.overview.mails(as_of - _DELIVERED_WITHIN)
    delivery = Delivery(
        sent=mails.get(OutboxState.SENT, 0),
        rolled_up=mails.get(OutboxState.ROLLED_UP, 0),
        failed=mails.get(OutboxState.FAILED, 0),
        waiting=mails.get(OutboxState.QUEUED, 0) + mails.get(OutboxState.IN_FLIGHT, 0),
        held=mails.get(OutboxState.HELD, 0),
    )
    return Operations(coverage(tx, as_of), delivery, state(tx))
