"""Which flags are mailed to whom, and when (catalogue §7). Level-triggered: flags remember whom
they were told to, so planning again queues nothing twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from meetbot.domain.cards import lines_of
from meetbot.domain.findings import Phase, Severity
from meetbot.domain.flags import ChangeKind, Flag, FlagChange, FlagStatus
from meetbot.domain.notices import (
    Audience,
    MeetingCard,
    MeetingNotice,
    Notice,
    NoticeKind,
    Timeline,
)
from meetbot.domain.policy import SchoolCalendar
from meetbot.domain.school_time import add_school_days, add_school_time, end_of_school_day

_MAILED = (
    Audience.HOST,
    Audience.OFFICERS,
    Audience.PRINCIPAL,
    Audience.PRIVACY,
    Audience.ESCALATION,
)
PRIVATE_RULES = frozenset({"confidential-intruder"})
"""Flags that nobody but the privacy officers hears of, also after the exemption has lapsed."""
_FIX_IT_ENDS = timedelta(hours=24)
"""Set-up flags are the host's alone until this long before the start."""


@dataclass(frozen=True, slots=True)
class Addressees:
    """Addresses by audience; empty where nobody is known. All are in the district's domains."""

    officers: tuple[str, ...]
    privacy: tuple[str, ...]
    principal: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    escalation: tuple[str, ...] = ()
    """Who hears of a critical flag that nobody acknowledged; empty: all but the host."""

    def of(self, audience: Audience) -> tuple[str, ...]:
        """Who gets the mail for an audience."""
        return {
            Audience.HOST: self.host,
            Audience.OFFICERS: self.officers,
            Audience.PRINCIPAL: self.principal,
            Audience.PRIVACY: self.privacy,
            Audience.DIGEST: self.officers,
            Audience.OPERATORS: (),
            Audience.OVERDUE: self.officers,
            Audience.ESCALATION: self.escalation
            or tuple(dict.fromkeys((*self.officers, *self.principal, *self.privacy))),
        }[audience]


@dataclass(frozen=True, slots=True)
class Situation:
    """What routing depends on besides the flags."""

    as_of: datetime
    start_at: datetime
    phase: Phase
    addressees: Addressees
    zone: ZoneInfo
    school_calendar: SchoolCalendar
    medium_school_days: int
    acknowledge: timedelta = timedelta(hours=1)
    """School time within which a critical flag has to be acknowledged."""
    live_on_call: timedelta = timedelta(seconds=300)
    """Contact without staff in a running meeting from which officers are told."""
    observed_at: datetime | None = None
    """Up to when what goes on in a running call is known."""
    is_confidential: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What to note on a flag after its mails are queued."""

    flag_id: str
    told: Mapping[str, datetime]
    severity: Severity | None

    def on(self, flag: Flag) -> Flag:
        """The flag with what it is to remember."""
        return replace(flag, told=self.told, told_severity=self.severity)


@dataclass(frozen=True, slots=True)
class Plan:
    """Mails to queue, what to note, and when routing must be looked at again."""

    notices: tuple[Notice, ...]
    told: tuple[Told, ...]
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Contents:
    """The parts of a mail that are the same for all audiences of one meeting."""

    occurrence: str
    card: MeetingCard
    timeline: Timeline | None
    unknowns: tuple[str, ...]


def audiences(flag: Flag, situation: Situation) -> dict[Audience, datetime]:
    """From when on each audience is to be told of an open flag, and told again."""
    if flag.severity.rank <= Severity.LOW.rank:
        return {}
    if _is_private(flag, situation):
        told: dict[Audience, datetime] = {Audience.PRIVACY: flag.opened_at}
        return told | _again(flag, flag.opened_at, Audience.PRIVACY, situation)
    told = _first(flag, situation)
    officers_at = told.get(Audience.OFFICERS)
    if officers_at is None:
        return told
    return told | _again(flag, officers_at, Audience.OFFICERS, situation)


def _is_private(flag: Flag, situation: Situation) -> bool:
    return situation.is_confidential or flag.rule in PRIVATE_RULES


def _again(
    flag: Flag, at: datetime, audience: Audience, situation: Situation
) -> dict[Audience, datetime]:
    """When it is told again because nobody acknowledged it (catalogue §7).

    Critical: after an hour of school time, to those who can act instead. High: when school closes
    that day, but an hour of school time later at the earliest. Time counts from the mail that had
    this severity.
    """
    since = max(at, situation.as_of)
    if audience in flag.told and not _has_risen(flag):
        since = flag.told[audience]
    zone, calendar = situation.zone, situation.school_calendar
    if flag.severity.rank < Severity.HIGH.rank:
        return {}
    due_at = add_school_time(since, situation.acknowledge, zone, calendar)
    if flag.severity is Severity.CRITICAL:
        return {Audience.ESCALATION: due_at}
    return {Audience.OVERDUE: end_of_school_day(due_at, zone, calendar)}


def _first(flag: Flag, situation: Situation) -> dict[Audience, datetime]:
    """When each audience hears of a flag that is not private."""
    now = flag.opened_at
    if flag.severity is Severity.CRITICAL:
        return {Audience.HOST: now, Audience.OFFICERS: now, Audience.PRINCIPAL: now}
    if situation.phase is Phase.LIVE and flag.family:
        # The host can mend it now; officers hear of what goes on (catalogue §5C).
        contact = timedelta(seconds=sum(span.seconds for span in flag.spans))
        is_long = contact >= situation.live_on_call
        return {Audience.HOST: now} | ({Audience.OFFICERS: now} if is_long else {})
    is_ahead = situation.phase is Phase.SCHEDULED
    if flag.severity is Severity.HIGH:
        waits = is_ahead and bool(situation.addressees.host)
        return {
            Audience.HOST: now,
            Audience.OFFICERS: max(now, situation.start_at - _FIX_IT_ENDS) if waits else now,
        }
    late = add_school_days(
        now, situation.medium_school_days, situation.zone, situation.school_calendar
    )
    return {Audience.HOST: now, Audience.OFFICERS: late}


def plan_flags(
    flags: Sequence[Flag], changes: Iterable[FlagChange], contents: Contents, situation: Situation
) -> Plan:
    """Mails for the flags of one occurrence that are due now: one for each audience.

    Of private flags only the privacy officers hear, in mails of their own. A flag whose severity
    rose since officers were told is told again, even one that they have acknowledged. Who was told
    of a flag that another classification superseded is told of that one. Withdrawals go to
    everybody who had been told by a mail of their own.
    """
    changes = tuple(changes)
    heard = _heard_of_superseded(changes, situation)
    due: dict[tuple[Audience, bool], list[Flag]] = {}
    later: list[datetime] = []
    for flag in flags:
        if not flag.status.is_pending:
            continue
        wanted = audiences(flag, situation)
        if flag.severity.rank > Severity.LOW.rank:
            wanted |= heard.get(flag.family or "", {})
        for audience, at in wanted.items():
            is_private = _is_private(flag, situation)
            if not _to(audience, situation, is_private) or not _is_untold(flag, audience):
                continue
            if at <= situation.as_of:
                due.setdefault((audience, is_private), []).append(flag)
            else:
                later.append(at)
    notices = [
        _notice(
            _kind(audience, told, situation),
            audience,
            told,
            contents,
            situation,
            to=_to(audience, situation, is_private),
        )
        for (audience, is_private), told in sorted(due.items())
    ]
    notices += _withdrawals(changes, contents, situation)
    return Plan(tuple(notices), _noted(due, situation.as_of), min(later, default=None))


def _heard_of_superseded(
    changes: Iterable[FlagChange], situation: Situation
) -> dict[str, dict[Audience, datetime]]:
    """By family, who was told of a flag whose place another has now taken: they are told today."""
    heard: dict[str, dict[Audience, datetime]] = {}
    for change in changes:
        if change.kind is ChangeKind.SUPERSEDED and change.flag.family:
            told = {a: situation.as_of for a in _may_be_told(situation) if a in change.flag.told}
            heard.setdefault(change.flag.family, {}).update(told)
    return heard


def _may_be_told(situation: Situation) -> tuple[Audience, ...]:
    """Of a confidential meeting nobody but the privacy officers hears, withdrawals included."""
    return (Audience.PRIVACY,) if situation.is_confidential else _MAILED


def _to(audience: Audience, situation: Situation, is_private: bool) -> tuple[str, ...]:
    """Whose addresses an audience has; also again nobody but privacy officers, where private."""
    if is_private and audience in (Audience.ESCALATION, Audience.OVERDUE):
        return situation.addressees.privacy
    return situation.addressees.of(audience)


def _has_risen(flag: Flag) -> bool:
    return flag.told_severity is not None and flag.severity.rank > flag.told_severity.rank


def _is_untold(flag: Flag, audience: Audience) -> bool:
    has_risen = _has_risen(flag)
    if flag.status is not FlagStatus.OPEN and not has_risen:
        return False
    return audience not in flag.told or (has_risen and audience is not Audience.HOST)


def _kind(audience: Audience, flags: Sequence[Flag], situation: Situation) -> NoticeKind:
    """The host is called into a running meeting only while it goes on without staff."""
    if audience is Audience.ESCALATION and any(f.severity is Severity.CRITICAL for f in flags):
        return NoticeKind.ESCALATION
    if audience is not Audience.HOST:
        return NoticeKind.FLAG
    now = situation.observed_at
    live = (flag for flag in flags if flag.family and flag.phase is Phase.LIVE)
    is_missed = now is not None and any(
        span.end_at >= now.replace(microsecond=0) for flag in live for span in flag.spans
    )
    return NoticeKind.NUDGE if is_missed else NoticeKind.FIX_IT


def _notice(
    kind: NoticeKind,
    audience: Audience,
    flags: Sequence[Flag],
    contents: Contents,
    situation: Situation,
    reason: str = "",
    *,
    to: tuple[str, ...],
) -> Notice:
    content = MeetingNotice(
        card=contents.card,
        flags=lines_of(flags),
        timeline=contents.timeline if any(f.family for f in flags) else None,
        unknowns=contents.unknowns,
        reason=reason,
    )
    parts = [kind, audience, contents.occurrence, situation.as_of.isoformat()]
    parts += sorted(f"{f.id}/{f.severity}/{f.status}" for f in flags)
    return Notice(
        id=notice_id(*parts),
        kind=kind,
        audience=audience,
        to=to,
        content=content,
        thread=contents.card.thread,
        due_at=situation.as_of,
        occurrence=contents.occurrence,
    )


def notice_id(*parts: str) -> str:
    """Stable id of a notice: 32 hexadecimal digits of what it says to whom and when."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _withdrawals(
    changes: Iterable[FlagChange], contents: Contents, situation: Situation
) -> list[Notice]:
    gone = [c for c in changes if c.kind is ChangeKind.WITHDRAWN]
    notices: list[Notice] = []
    for audience in _may_be_told(situation):
        told = [change for change in gone if audience in change.flag.told]
        to = situation.addressees.of(audience)
        if audience is Audience.ESCALATION:
            # Most of them were told for another reason too, and all of them of private flags.
            told = [change for change in told if not _is_private(change.flag, situation)]
            to = tuple(a for a in to if not any(a in notice.to for notice in notices))
        if told and to:
            reason = "; ".join(sorted({change.reason for change in told if change.reason}))
            flags = [change.flag for change in told]
            kind = NoticeKind.WITHDRAWN
            notices.append(_notice(kind, audience, flags, contents, situation, reason, to=to))
    return notices


def _noted(
    due: Mapping[tuple[Audience, bool], Sequence[Flag]], as_of: datetime
) -> tuple[Told, ...]:
    flags = {flag.id: flag for group in due.values() for flag in group}
    return tuple(
        _told(flag, [audience for (audience, _), group in due.items() if flag in group], as_of)
        for _, flag in sorted(flags.items())
    )


def _told(flag: Flag, told_now: Sequence[Audience], as_of: datetime) -> Told:
    is_weighed = any(audience is not Audience.HOST for audience in told_now)
    return Told(
        flag.id,
        {**flag.told, **dict.fromkeys(told_now, as_of)},
        flag.severity if is_weighed else flag.told_severity,
    )
