"""Mails about a case that officers cause: a question, an outcome, a request to look at it.

They tell no more than the flags' own mails: no free text, and of a confidential meeting nothing
but the day. A link leads to the page behind sign-in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from meetbot.domain.addresses import parse_address
from meetbot.domain.cards import card_of, lines_of
from meetbot.domain.casework import Case, CaseEvent, EventKind
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.notices import Audience, MeetingCard, MeetingNotice, Notice, NoticeKind
from meetbot.domain.people import AccountKind
from meetbot.domain.routing import notice_id
from meetbot.jobs.case_facts import bare_card, flags_of, latest_dossier
from meetbot.jobs.deps import Standards
from meetbot.ports import Tx


def ask(deps: Standards, tx: Tx, case: Case, as_of: datetime) -> bool:
    """Ask the host what happened; False where nobody can be asked."""
    to = _hosts(deps, tx, case)
    if not to:
        return False
    flags = flags_of(tx, case)
    flags = tuple(flag for flag in flags if flag.status.is_pending) or flags
    _queue(deps, tx, case, flags, NoticeKind.QUESTION, Audience.HOST, to, at=as_of, due_at=as_of)
    return True


def hand_up(deps: Standards, tx: Tx, case: Case, as_of: datetime) -> bool:
    """Tell the principal and the privacy officers, or those named for escalations.

    What waits is told, else what was upheld; False where there is neither.
    """
    flags = flags_of(tx, case)
    upheld = [flag for flag in flags if flag.status is FlagStatus.UPHELD]
    pending = [flag for flag in flags if flag.status.is_pending]
    if not (pending or upheld):
        return False
    recipients = deps.district.recipients
    if case.is_private:
        to, audience = recipients.privacy_officers, Audience.PRIVACY
    else:
        to = recipients.escalation or (*_principals(deps, tx, case), *recipients.privacy_officers)
        audience = Audience.ESCALATION
    _queue(
        deps,
        tx,
        case,
        pending or upheld,
        NoticeKind.HANDED_UP,
        audience,
        tuple(dict.fromkeys(to)),
        at=as_of,
        due_at=as_of,
        reason="" if pending else FlagStatus.UPHELD.value,
    )
    return True


def tell_outcome(
    deps: Standards,
    tx: Tx,
    case: Case,
    flags: Sequence[Flag],
    status: FlagStatus,
    as_of: datetime,
    *,
    wait: timedelta,
) -> None:
    """Tell a host who was asked, or told of these flags, what was decided about them.

    The mail waits for as long as the decision can be undone. Of private cases no host hears.
    """
    if case.is_private:
        return
    told = [flag for flag in flags if Audience.HOST in flag.told]
    if any(event.kind is EventKind.ASKED for event in tx.cases.events(case.id)):
        told = list(flags)
    to = _hosts(deps, tx, case)
    if told and to:
        _queue(
            deps,
            tx,
            case,
            told,
            NoticeKind.OUTCOME,
            Audience.HOST,
            to,
            at=as_of,
            due_at=as_of + wait,
            reason=status.value,
        )


def cancel_outcome(tx: Tx, decision: CaseEvent, as_of: datetime) -> None:
    """The outcome that a decision tells is not sent: it was undone."""
    for step in decision.steps[:1]:
        tx.outbox.cancel(
            _id(NoticeKind.OUTCOME, Audience.HOST, decision.case_id, decision.at, step.after),
            as_of=as_of,
        )


def _id(kind: NoticeKind, audience: Audience, case_id: str, at: datetime, reason: str) -> str:
    return notice_id(kind, audience, case_id, at.isoformat(), reason)


def _queue(
    deps: Standards,
    tx: Tx,
    case: Case,
    flags: Sequence[Flag],
    kind: NoticeKind,
    audience: Audience,
    to: tuple[str, ...],
    *,
    at: datetime,
    due_at: datetime,
    reason: str = "",
) -> None:
    card = _card(deps, tx, case)
    tx.outbox.add(
        [
            Notice(
                id=_id(kind, audience, case.id, at, reason),
                kind=kind,
                audience=audience,
                to=to,
                content=MeetingNotice(card, lines_of(flags), None, (), reason),
                thread=card.thread,
                due_at=due_at,
                occurrence=case.occurrence,
            )
        ],
        as_of=at,
    )


def _card(deps: Standards, tx: Tx, case: Case) -> MeetingCard:
    dossier = latest_dossier(tx, case)
    if dossier is None or case.is_private:
        return bare_card(deps, tx, case, tx.flags.of(case.occurrence))
    return card_of(dossier, deps.district.recipients.contacts)


def _hosts(deps: Standards, tx: Tx, case: Case) -> tuple[str, ...]:
    """Addresses of those who may answer, as the directory has them now."""
    accounts = tx.people.by_address(case.answerers)
    found = (accounts.get(key) for key in case.answerers)
    return _own(
        deps,
        (
            account.address
            for account in found
            if account and account.address and account.kind is AccountKind.STAFF
        ),
    )


def _principals(deps: Standards, tx: Tx, case: Case) -> tuple[str, ...]:
    """Principals of the case's schools; the leads of a department that has none."""
    registry = tx.registry.current()
    schools = [school for each in case.schools if (school := registry.school(each))]
    return _own(deps, (a for school in schools for a in school.principals or school.leads))


def _own(deps: Standards, addresses: Iterable[str]) -> tuple[str, ...]:
    """Addresses in the district's domains: nobody else is ever mailed."""
    parsed = {address: parse_address(address) for address in dict.fromkeys(addresses)}
    return tuple(
        text
        for text, address in parsed.items()
        if address is not None and address.domain in deps.district.domains
    )
