"""Outbox → mail, at least once and with a stable Message-ID; a rare double beats silence."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from meetbot.domain.addresses import parse_address
from meetbot.domain.people import AccountKind
from meetbot.errors import AccessDenied, MeetbotError, PartlyDone, Permanent, Temporary
from meetbot.jobs import gate, storm
from meetbot.jobs.deps import Deps
from meetbot.ports import Outcome, QueuedNotice

_BATCH = 50
_FIRST_RETRY = timedelta(seconds=20)
"""With the service's half minute between two deliveries that is less than a minute."""
_LONGEST_RETRY = timedelta(hours=1)
_GIVE_UP = 40
"""Attempts; with the longest wait of an hour that is more than a day."""


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Send everything that is due at `as_of`, unless another process does so all the time."""
    outcome = Outcome("deliver")
    with deps.store.alone("delivery") as is_alone:
        if is_alone:
            with deps.store.transaction() as tx:
                tx.outbox.take_back(as_of)
            while claimed := _claim(deps, outcome, as_of):
                _deliver_all(deps, claimed, outcome, as_of)
    with deps.store.reading() as tx:
        waiting = tx.outbox.waiting()
        stopped = storm.state(tx)
    if waiting:
        outcome.trouble = f"mails waiting for another try: {waiting}"
    if stopped.is_storm:
        what = f"too many flags at once: mails held until an operator decides: {stopped.total}"
        outcome.trouble = "; ".join(filter(None, (what, outcome.trouble)))
    return outcome


def _claim(deps: Deps, outcome: Outcome, as_of: datetime) -> list[QueuedNotice]:
    """The next mails; sorted in the same transaction, so that none slips by."""
    with deps.store.transaction() as tx:
        gate.sort(deps, tx, outcome, as_of)
        return tx.outbox.claim(as_of, _BATCH)


def _deliver_all(
    deps: Deps, claimed: list[QueuedNotice], outcome: Outcome, as_of: datetime
) -> None:
    sent: dict[str | None, list[str]] = {}
    for queued in claimed:
        deps.go_on()
        # Mails of one meeting that leave together belong to one thread, too.
        earlier = (*queued.references, *sent.get(queued.notice.thread, ()))
        message_id = _deliver(deps, queued, earlier, outcome, as_of)
        if message_id and queued.notice.thread:
            sent.setdefault(queued.notice.thread, []).append(message_id)


def _deliver(
    deps: Deps,
    queued: QueuedNotice,
    references: tuple[str, ...],
    outcome: Outcome,
    as_of: datetime,
) -> str | None:
    """Send one notice; gives the Message-ID if it was handed over."""
    notice = queued.notice
    try:
        _refuse_outsiders(deps, notice.to)
        mail = deps.compose(notice, references=references, sent_at=as_of)
        deps.mailer.send(mail)
    except (Temporary, AccessDenied) as error:
        # A refused login is mended by an operator; the mail must not be lost meanwhile.
        _defer(deps, queued, error, outcome, as_of)
    except MeetbotError as error:
        _fail(deps, queued, str(error), outcome, as_of)
    except Exception as error:  # a defect of ours in one mail must not keep back all others
        broken = Temporary(f"the mail could not be made ({type(error).__name__})")
        _defer(deps, queued, broken, outcome, as_of)
    else:
        with deps.store.transaction() as tx:
            tx.outbox.sent(mail, at=as_of)
        outcome.count("sent")
        return mail.message_id
    return None


def _defer(
    deps: Deps, queued: QueuedNotice, error: MeetbotError, outcome: Outcome, as_of: datetime
) -> None:
    if queued.attempts >= _GIVE_UP:
        _fail(deps, queued, str(error), outcome, as_of)
        return
    after = error.retry_after if isinstance(error, Temporary) else None
    retry_at = as_of + retry_wait(queued.attempts, after)
    left = error.left if isinstance(error, PartlyDone) else ()
    with deps.store.transaction() as tx:
        tx.outbox.defer(queued.notice.id, str(error), retry_at=retry_at, left=left)
    outcome.count("deferred")


def _fail(deps: Deps, queued: QueuedNotice, reason: str, outcome: Outcome, as_of: datetime) -> None:
    with deps.store.transaction() as tx:
        tx.outbox.fail(queued.notice.id, reason, at=as_of)
    outcome.count("failed")


def retry_wait(attempts: int, retry_after: float | None) -> timedelta:
    """20 s, then twice as long each time up to an hour, 20 % shorter at random."""
    if retry_after is not None:
        # In this order, so that neither "nan" nor "inf" of a server gets through.
        return timedelta(seconds=min(_LONGEST_RETRY.total_seconds(), max(1.0, retry_after)))
    wait = min(_FIRST_RETRY * 2 ** min(max(attempts - 1, 0), 8), _LONGEST_RETRY)
    return timedelta(seconds=wait.total_seconds() * random.uniform(0.8, 1.0))


def _refuse_outsiders(deps: Deps, recipients: tuple[str, ...]) -> None:
    """The last net: no notice ever goes to a partner or a student, whoever asked for it."""
    addresses = [parse_address(text) for text in recipients]
    known = [a for a in addresses if a is not None]
    if len(known) != len(recipients) or not known:
        raise Permanent("a recipient is no mail address", fix="correct [mail] in the configuration")
    if any(a.domain not in deps.district.domains for a in known):
        raise Permanent(
            "a recipient lies outside the district's domains",
            fix="use addresses of [district] domains for officers and principals",
        )
    with deps.store.reading() as tx:
        accounts = tx.people.by_address([deps.pseudonyms.address(a.key) for a in known])
    if any(account.kind is AccountKind.STUDENT for account in accounts.values()):
        raise Permanent(
            "a recipient is a student account", fix="name staff accounts in [mail] and schools.csv"
        )
