"""What the operators must know: outages that last, their end, and mails that nobody got."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

from meetbot.domain.notices import (
    Audience,
    Notice,
    NoticeKind,
    OperationsNotice,
    Outage,
    Undelivered,
)
from meetbot.domain.routing import notice_id
from meetbot.jobs.collect_calendars import SOURCE as CALENDARS
from meetbot.jobs.deps import Deps
from meetbot.ports import Outcome, Tx

_TOLD = "outages-told"
_UNDELIVERED_TOLD = "undelivered-told"


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Queue one mail about what lasts longer than `outage_after` and was not told yet, if any."""
    outcome = Outcome("outages")
    with deps.store.transaction() as tx:
        begun, over = _outages(deps, tx, as_of)
        undelivered = _undelivered(deps, tx, as_of)
        if begun or over or undelivered:
            content = OperationsNotice(deps.district.zone.key, begun, over, undelivered)
            notice = Notice(
                id=notice_id(NoticeKind.OPERATIONS, as_of.isoformat()),
                kind=NoticeKind.OPERATIONS,
                audience=Audience.OPERATORS,
                to=deps.district.recipients.operators,
                content=content,
                thread=None,
                due_at=as_of,
            )
            outcome.count("operations", tx.outbox.add([notice], as_of=as_of))
    return outcome


def _outages(deps: Deps, tx: Tx, as_of: datetime) -> tuple[tuple[Outage, ...], tuple[Outage, ...]]:
    """Outages to tell of, and ends of those told before; both are noted as told."""
    failing = {outage.source: outage for outage in _failing(tx)}
    told = {
        source: Outage(source, datetime.fromisoformat(since), "")
        for source, since in json.loads(tx.meta.get(_TOLD) or "{}").items()
    }
    over = tuple(outage for source, outage in told.items() if source not in failing)
    begun = tuple(
        outage
        for source, outage in sorted(failing.items())
        if source not in told and as_of - outage.since >= deps.district.outage_after
    )
    if begun or over:
        still = {s: o.since.isoformat() for s, o in told.items() if s in failing}
        new = {outage.source: outage.since.isoformat() for outage in begun}
        tx.meta.set(_TOLD, json.dumps(still | new))
    return begun, over


def _failing(tx: Tx) -> list[Outage]:
    """Every source that could not be read last time; the calendars of present staff as one."""
    failing = [
        Outage(read.source, read.failing_since, read.problem)
        for read in tx.meta.sources()
        if read.problem and read.failing_since
    ]
    states = tx.meetings.calendars()
    owners = tx.people.staff_calendars()
    present = [states[owner.address] for owner in owners if owner.address in states]
    failed = [(s.failing_since, s.problem) for s in present if s.problem and s.failing_since]
    if failed:
        ((problem, _),) = Counter(problem for _, problem in failed).most_common(1)
        share = f"{len(failed)} of {len(present)} could not be read: {problem}"
        failing.append(Outage(CALENDARS, min(since for since, _ in failed), share))
    return failing


def _undelivered(deps: Deps, tx: Tx, as_of: datetime) -> tuple[Undelivered, ...]:
    """Mails given up since the last time this was told, when the first of them is old enough."""
    last = tx.meta.get(_UNDELIVERED_TOLD)
    failed = tx.outbox.failed(since=None if last is None else datetime.fromisoformat(last))
    # What cannot be said to the operators themselves is not said again and again.
    lost = [one for one in failed if one.kind is not NoticeKind.OPERATIONS]
    if not lost or as_of - min(one.at for one in lost) < deps.district.outage_after:
        return ()
    tx.meta.set(_UNDELIVERED_TOLD, max(one.at for one in lost).isoformat())
    reasons = Counter(one.reason for one in lost)
    return tuple(Undelivered(reason, number) for reason, number in reasons.most_common())
