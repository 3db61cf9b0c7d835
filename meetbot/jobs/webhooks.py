"""Changes of flags → other programs, at least once and in order for each flag.

The flags' own history is the outbox: a change and its row commit together, and each program has a
place in it. So nothing is lost when a program or meetbot is down.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from meetbot.domain.webhooks import Endpoint, retry_after
from meetbot.errors import MeetbotError, Permanent
from meetbot.jobs.deps import Deps
from meetbot.ports import HookDelivery, HookPort, Outcome

_ROWS = 500
_ROUND = 20
_AT_MOST = 1000
"""Deliveries of one program in one run: a slow one must not keep the others from theirs."""
_KEPT = timedelta(days=30)


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Tell every program what changed, unless another process does so all the time."""
    outcome = Outcome("webhooks")
    if deps.hooks is None:
        return outcome
    with deps.store.alone("webhooks") as is_alone:
        if is_alone:
            for endpoint in deps.endpoints:
                _plan(deps, endpoint, as_of)
                _tell(deps, deps.hooks, endpoint, outcome, as_of)
    with deps.store.transaction() as tx:
        tx.hooks.prune(before=as_of - _KEPT)
        silent = sorted({e.name for e in deps.endpoints} & set(tx.hooks.off()))
    if silent:
        outcome.trouble = f"programs that are told nothing any more: {', '.join(silent)}"
    return outcome


def _plan(deps: Deps, endpoint: Endpoint, as_of: datetime) -> None:
    read = _ROWS
    while read == _ROWS:
        deps.go_on()
        with deps.store.transaction() as tx:
            read = tx.hooks.plan(endpoint, as_of=as_of, limit=_ROWS)


def _tell(
    deps: Deps, hooks: HookPort, endpoint: Endpoint, outcome: Outcome, as_of: datetime
) -> None:
    """Deliver what is due until nothing is left; after a failure the rest waits for the next run.

    Whoever does not answer would else cost a timeout for each delivery.
    """
    for _ in range(0, _AT_MOST, _ROUND):
        with deps.store.reading() as tx:
            due = tx.hooks.due(endpoint.name, as_of, _ROUND)
        for delivery in due:
            deps.go_on()
            if not _deliver(deps, hooks, endpoint, delivery, outcome, as_of):
                return
        if not due:
            return


def _deliver(
    deps: Deps,
    hooks: HookPort,
    endpoint: Endpoint,
    delivery: HookDelivery,
    outcome: Outcome,
    as_of: datetime,
) -> bool:
    """Whether it arrived."""
    try:
        hooks.post(endpoint, delivery.id, delivery.body, at=as_of)
    except Permanent as error:
        with deps.store.transaction() as tx:
            tx.hooks.switch_off(endpoint.name, str(error), at=as_of)
        outcome.count("hooks_failed")
        return False
    except MeetbotError as error:
        wait = retry_after(delivery.attempts + 1)
        with deps.store.transaction() as tx:
            if wait is None:
                tx.hooks.fail(delivery.id, str(error), at=as_of)
            else:
                tx.hooks.defer(delivery.id, str(error), retry_at=as_of + wait, at=as_of)
        outcome.count("hooks_failed" if wait is None else "hooks_deferred")
        return False
    with deps.store.transaction() as tx:
        tx.hooks.delivered(delivery.id, at=as_of)
    outcome.count("hooks_delivered")
    return True
