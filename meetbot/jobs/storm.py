"""The storm that holds mails: how it stands, and how an operator ends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from meetbot.domain.flags import FlagStatus
from meetbot.domain.notices import Notice, ReminderNotice
from meetbot.domain.rolling import Waiting, flag_ids, sort_released
from meetbot.domain.storms import Ending, Storm, StormState
from meetbot.errors import NotFound
from meetbot.ports import OutboxState, Tx


def state(tx: Tx) -> StormState:
    """Whether mail is stopped, and how many mails of each kind are held.

    Without a storm the held ones wait for their roll-up.
    """
    return StormState(tx.storms.current(), tx.outbox.held_kinds())


def release(tx: Tx, by: str, as_of: datetime) -> Storm:
    """Let what is held leave with the next delivery, and end the storm.

    What is no longer so, and reminders of what has begun meanwhile, are dropped and counted; other
    reminders are made anew.
    `by` is the operator's address. Raises `NotFound` where there is no storm.
    """
    storm = _current(tx)
    held = tx.outbox.held()
    late = {h.notice.id for h in held if h.notice.not_after and h.notice.not_after < as_of}
    in_time = [h for h in held if h.notice.id not in late]
    renewed = [h.notice for h in in_time if isinstance(h.notice.content, ReminderNotice)]
    others = [h for h in in_time if not isinstance(h.notice.content, ReminderNotice)]
    waiting = [Waiting(h.notice, h.queued_at, is_held=True) for h in others]
    sorting, changed = sort_released(waiting, statuses_of(tx, (h.notice for h in others)))
    for notice in changed:
        tx.outbox.rewrite(notice)
    for notice in renewed:
        _make_anew(tx, notice)
    mails = {
        "released": tx.outbox.put(sorting.release, OutboxState.QUEUED, as_of=as_of),
        "renewed": len(renewed),
        "late": tx.outbox.put(late, OutboxState.DROPPED, reason="too late", as_of=as_of),
        "stale": tx.outbox.put(sorting.drop, OutboxState.DROPPED, reason="no more so", as_of=as_of),
    }
    return tx.storms.end(storm, Ending.RELEASED, mails, by=by, at=as_of)


def _make_anew(tx: Tx, notice: Notice) -> None:
    """A reminder says what is missing: the next pass makes it again from what is known then."""
    content = notice.content
    if isinstance(content, ReminderNotice) and notice.occurrence:
        tx.reminders.remove(notice.occurrence, content.lead, content.card.start_at)
        tx.outbox.forget(notice.id)


def drop(tx: Tx, by: str, as_of: datetime) -> Storm:
    """Mail nothing of what is held, and end the storm; the flags stay open, and in the lists.

    `by` is the operator's address. Raises `NotFound` where there is no storm.
    """
    storm = _current(tx)
    ids = [held.notice.id for held in tx.outbox.held()]
    reason = "dropped by an operator"
    dropped = tx.outbox.put(ids, OutboxState.DROPPED, reason=reason, as_of=as_of)
    return tx.storms.end(storm, Ending.DROPPED, {"dropped": dropped}, by=by, at=as_of)


def statuses_of(tx: Tx, notices: Iterable[Notice]) -> Mapping[str, FlagStatus]:
    """Present statuses of the flags that these mails name, as far as they are still there."""
    return tx.flags.statuses({flag_id for notice in notices for flag_id in flag_ids(notice)})


def _current(tx: Tx) -> Storm:
    storm = tx.storms.current()
    if storm is None:
        raise NotFound("there is no storm: no mail is stopped", fix="see `meetbot mail status`")
    return storm
