"""Outbox → mail, at least once and with a stable Message-ID; a rare double beats silence."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from meetbot.domain.addresses import parse_address
from meetbot.domain.people import AccountKind
from meetbot.errors import AccessDenied, MeetbotError, Permanent, Temporary
from meetbot.jobs.deps import Deps
from meetbot.ports import Outcome, QueuedNotice

_BATCH = 50
_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_RETRY = timedelta(hours=1)
_GIVE_UP = 40
"""Attempts; with the longest wait of an hour that is more than a day."""


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Send everything that is due at `as_of`."""
    outcome = Outcome("deliver")
    while True:
        with deps.store.transaction() as tx:
            claimed = tx.outbox.claim(as_of, _BATCH)
        if not claimed:
            return outcome
        for queued in claimed:
            _deliver(deps, queued, outcome, as_of)


def _deliver(deps: Deps, queued: QueuedNotice, outcome: Outcome, as_of: datetime) -> None:
    notice = queued.notice
    try:
        _refuse_outsiders(deps, notice.to)
        mail = deps.compose(notice, references=queued.references, sent_at=as_of)
        deps.mailer.send(mail)
    except (Temporary, AccessDenied) as error:
        # A refused login is mended by an operator; the mail must not be lost meanwhile.
        if queued.attempts >= _GIVE_UP:
            _fail(deps, queued, str(error), outcome, as_of)
            return
        after = error.retry_after if isinstance(error, Temporary) else None
        retry_at = as_of + retry_wait(queued.attempts, after)
        with deps.store.transaction() as tx:
            tx.outbox.defer(notice.id, str(error), retry_at=retry_at)
        outcome.count("deferred")
        return
    except MeetbotError as error:
        _fail(deps, queued, str(error), outcome, as_of)
        return
    with deps.store.transaction() as tx:
        tx.outbox.sent(mail, at=as_of)
    outcome.count("sent")


def _fail(deps: Deps, queued: QueuedNotice, reason: str, outcome: Outcome, as_of: datetime) -> None:
    with deps.store.transaction() as tx:
        tx.outbox.fail(queued.notice.id, reason, at=as_of)
    outcome.count("failed")


def retry_wait(attempts: int, retry_after: float | None) -> timedelta:
    """30 s, then twice as long each time up to an hour, 20 % shorter at random."""
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
