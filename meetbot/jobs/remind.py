"""Reminders to hosts before a meeting, and the nudge while partners and students wait alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from meetbot.domain.authorizing import Authorized, authorization_answer
from meetbot.domain.cards import card_of, lines_of, occasion_of, programs_of
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Evidence
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.identity import Roster
from meetbot.domain.meetings import Scope
from meetbot.domain.notices import (
    Audience,
    MeetingNotice,
    Notice,
    NoticeKind,
    ReminderNotice,
)
from meetbot.domain.people import Kind
from meetbot.domain.routing import notice_id
from meetbot.jobs.deps import Deps
from meetbot.jobs.dossiers import load
from meetbot.jobs.rosters import roster_of
from meetbot.ports import MeetingRecord, Outcome, SentReminder, Tx
from meetbot.rules import is_confidential, waiting_without_staff

_DAY = timedelta(hours=24)
_NUDGE = "nudge"
_NOT_COVERED = "no approval of a principal or department lead covers it."
_NOT_ANSWERED = "approval was asked for and is not answered yet."
_NUDGE_AFTER = timedelta(seconds=60)


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Queue the reminders that are due. A missed run is caught up, but never after the start."""
    outcome = Outcome("remind")
    roster = roster_of(deps)
    longest = max(deps.district.reminders, default=timedelta(0))
    with deps.store.reading() as tx:
        ahead = tx.meetings.starting(as_of, as_of + longest + timedelta(seconds=1))
        running = tx.meetings.starting(as_of - timedelta(hours=4), as_of)
    for record in ahead:
        with deps.store.transaction() as tx:
            outcome.count("reminders", _remind(deps, tx, roster, record, as_of))
    for record in running:
        with deps.store.transaction() as tx:
            outcome.count("nudges", _nudge(deps, tx, roster, record, as_of))
    return outcome


def lead_name(lead: timedelta) -> str:
    """`7d`, `24h`, `1h`, `30m`: whole days above one, else whole hours, else minutes."""
    if lead > _DAY and not lead % _DAY:
        return f"{lead // _DAY}d"
    hours, rest = divmod(lead, timedelta(hours=1))
    return f"{hours}h" if not rest else f"{lead // timedelta(minutes=1)}m"


def due_lead(
    start_at: datetime,
    as_of: datetime,
    leads: tuple[timedelta, ...],
    sent: list[SentReminder],
    *,
    is_authorized: bool,
) -> timedelta | None:
    """The reminder to send now, if any: the shortest lead that has come.

    Leads above a day are only for meetings not authorized yet. A reminder already made is made
    again only when the meeting moved so that its time came anew after the first was sent.
    """
    come = [lead for lead in leads if start_at - lead <= as_of < start_at]
    if not come:
        return None
    lead = min(come)
    if lead > _DAY and is_authorized:
        return None
    for reminder in sent:
        is_same = reminder.lead == lead_name(lead)
        if is_same and (reminder.start_at == start_at or start_at - lead <= reminder.queued_at):
            return None
    return lead


def _remind(deps: Deps, tx: Tx, roster: Roster, record: MeetingRecord, as_of: datetime) -> int:
    meeting = record.meeting
    if meeting is None or meeting.is_cancelled or meeting.start_at <= as_of:
        return 0
    dossier = load(deps, tx, record, roster, as_of).dossier
    host = dossier.host.address
    if dossier.scope is not Scope.FULL or host is None or is_confidential(dossier):
        return 0
    asked = {a.partner_id for a in tx.approvals.of(dossier.key.text) if a.waits(as_of)}
    missing = _missing(dossier, asked)
    sent = tx.reminders.of(dossier.key.text)
    lead = due_lead(
        dossier.start_at, as_of, deps.district.reminders, sent, is_authorized=not missing
    )
    if lead is None:
        return 0
    name = lead_name(lead)
    card = card_of(dossier, deps.district.recipients.contacts)
    if lead <= _DAY and meeting.meeting_code:
        card = replace(card, join_link=_link(meeting.meeting_code))
    open_flags = [
        f
        for f in tx.flags.of(dossier.key.text)
        if f.status is FlagStatus.OPEN and f.rule not in deps.policy.shadows
    ]
    content = ReminderNotice(
        card=card,
        lead=name,
        is_authorized=not missing,
        to_mend=lines_of(f for f in open_flags if f.advice),
        missing=missing,
    )
    notice = Notice(
        id=notice_id(NoticeKind.REMINDER, dossier.key.text, name, dossier.start_at.isoformat()),
        kind=NoticeKind.REMINDER,
        audience=Audience.HOST,
        to=(host,),
        content=content,
        thread=card.thread,
        due_at=as_of,
        not_after=dossier.start_at,
        occurrence=dossier.key.text,
    )
    tx.outbox.drop(dossier.key.text, (NoticeKind.REMINDER,), as_of=as_of)
    added = tx.outbox.add([notice], as_of=as_of)
    tx.reminders.add(dossier.key.text, SentReminder(name, dossier.start_at, as_of))
    return added


def _link(code: str) -> str:
    return f"https://meet.google.com/{code[:3]}-{code[3:7]}-{code[7:]}"


def _missing(dossier: Dossier, asked: Collection[str]) -> tuple[str, ...]:
    """What stands between this meeting and an authorization, as sentences; empty: authorized.

    `asked` are partners for whom a request waits for its answer.
    """
    if not dossier.has(Evidence.REGISTRY):
        return ("The registry is not there yet, so the approval could not be checked.",)
    occasion = occasion_of(dossier)
    missing = [
        f"{_name(dossier, partner)}: {_NOT_ANSWERED if partner in asked else _NOT_COVERED}"
        for partner, program in programs_of(dossier).items()
        if not isinstance(
            authorization_answer(dossier.registry, partner, program, occasion), Authorized
        )
    ]
    if any(i.kind is Kind.EXTERNAL for i in dossier.invitees):
        missing.append("An outside guest is not an approved partner.")
    return tuple(missing)


def _name(dossier: Dossier, partner_id: str) -> str:
    lines = card_of(dossier, {}).partners
    position = list(programs_of(dossier)).index(partner_id)
    return lines[position].name


def _nudge(deps: Deps, tx: Tx, roster: Roster, record: MeetingRecord, as_of: datetime) -> int:
    """One mail to the host while partner and students are together without staff for a minute."""
    dossier = load(deps, tx, record, roster, as_of).dossier
    host = dossier.host.reachable
    if not dossier.is_live or dossier.scope is not Scope.FULL or not host:
        return 0
    if is_confidential(dossier) or not dossier.has(Evidence.ATTENDANCE):
        return 0
    occurrence = dossier.key.text
    if any(reminder.lead == _NUDGE for reminder in tx.reminders.of(occurrence)):
        return 0
    flags = [f for f in tx.flags.of(occurrence) if f.status is FlagStatus.OPEN and f.family]
    if any(_was_told(flag) for flag in flags):
        return 0
    if waiting_without_staff(dossier, deps.policy) < _NUDGE_AFTER:
        return 0
    notice = Notice(
        id=notice_id(NoticeKind.NUDGE, occurrence, dossier.start_at.isoformat()),
        kind=NoticeKind.NUDGE,
        audience=Audience.HOST,
        to=host,
        content=MeetingNotice(
            card=card_of(dossier, deps.district.recipients.contacts),
            flags=(),
            timeline=None,
            unknowns=(),
        ),
        thread=card_of(dossier, {}).thread,
        due_at=as_of,
        not_after=as_of + timedelta(minutes=15),
        occurrence=occurrence,
    )
    tx.reminders.add(occurrence, SentReminder(_NUDGE, dossier.start_at, as_of))
    return tx.outbox.add([notice], as_of=as_of)


def _was_told(flag: Flag) -> bool:
    return Audience.HOST in flag.told
