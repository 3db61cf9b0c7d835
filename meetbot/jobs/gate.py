"""What mails pass before they leave: the day's limit of each address, and the storm breaker."""

from __future__ import annotations

from datetime import datetime, timedelta

from meetbot.domain.dates import local_day_start
from meetbot.domain.rolling import (
    ROLLED_KINDS,
    Sorting,
    Waiting,
    counted,
    sort_in_storm,
    sort_mails,
)
from meetbot.domain.storms import (
    COUNTED,
    HELD_IN_STORM,
    WINDOW,
    Storm,
    counts_by_rule,
    flags_in,
    storm_notice,
)
from meetbot.jobs.deps import Deps
from meetbot.jobs.storm import state, statuses_of
from meetbot.ports import OutboxState, Outcome, Tx

_TOLD = "storm-told"
_TELL_AGAIN = timedelta(days=1)


def sort(deps: Deps, tx: Tx, outcome: Outcome, as_of: datetime) -> None:
    """Hold, roll up or let go what is due, in the transaction in which the rest is claimed."""
    storm = tx.storms.current() or _begun(deps, tx, as_of)
    if storm is not None:
        queued = [Waiting(w.notice, w.queued_at) for w in tx.outbox.untried(HELD_IN_STORM, as_of)]
        _apply(tx, sort_in_storm(queued, as_of=as_of), outcome, as_of)
        _tell(deps, tx, storm, as_of)
        return
    untried = [Waiting(w.notice, w.queued_at) for w in tx.outbox.untried(ROLLED_KINDS, as_of)]
    held = [Waiting(w.notice, w.queued_at, is_held=True) for w in tx.outbox.held(ROLLED_KINDS)]
    if not untried and not held:
        return
    midnight = local_day_start(as_of.astimezone(deps.district.zone).date(), deps.district.zone)
    sorting = sort_mails(
        [*held, *untried],
        counted(tx.outbox.tried_since(midnight, ROLLED_KINDS)),
        statuses_of(tx, (one.notice for one in held)),
        daily=deps.district.mails_a_day,
        as_of=as_of,
    )
    _apply(tx, sorting, outcome, as_of)


def _begun(deps: Deps, tx: Tx, as_of: datetime) -> Storm | None:
    """A storm that begins now, because more flags than the limit came within an hour or a pass.

    What an operator released or dropped before does not count again.
    """
    untried = tx.outbox.untried(COUNTED, as_of)
    if not untried:
        return None
    ended = [storm.ended_at for storm in tx.storms.list() if storm.ended_at]
    last = max(ended, default=None)
    since = as_of - WINDOW if last is None else max(as_of - WINDOW, last)
    new = [w.notice for w in untried if last is None or w.queued_at > last]
    flags = flags_in([*tx.outbox.queued_since(since, COUNTED), *new])
    if len(flags) <= deps.district.storm_flags:
        return None
    return tx.storms.begin(len(flags), counts_by_rule(flags), at=as_of)


def _tell(deps: Deps, tx: Tx, storm: Storm, as_of: datetime) -> None:
    """Operators and officers hear when it begins, and again each day while it lasts."""
    last = tx.meta.get(_TOLD)
    told_at = datetime.fromisoformat(last) if last else None
    if told_at and told_at >= storm.begun_at and as_of - told_at < _TELL_AGAIN:
        return
    recipients = deps.district.recipients
    to = tuple(dict.fromkeys((*recipients.operators, *recipients.officers)))
    held = state(tx).total
    notice = storm_notice(storm, to, deps.district.zone.key, held=held, as_of=as_of)
    tx.outbox.add([notice], as_of=as_of)
    tx.meta.set(_TOLD, as_of.isoformat())


def _apply(tx: Tx, sorting: Sorting, outcome: Outcome, as_of: datetime) -> None:
    outbox = tx.outbox
    if sorting.hold:
        outcome.count("held", outbox.put(sorting.hold, OutboxState.HELD, as_of=as_of))
    outbox.put(sorting.release, OutboxState.QUEUED, as_of=as_of)
    outbox.put(sorting.drop, OutboxState.DROPPED, reason="no more so", as_of=as_of)
    for notice, ids in sorting.roll:
        outbox.add([notice], as_of=as_of)
        rolled = outbox.put(ids, OutboxState.ROLLED_UP, reason=notice.id, as_of=as_of)
        outcome.count("rolled_up", rolled)
