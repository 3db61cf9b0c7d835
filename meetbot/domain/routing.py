"""Which flags are mailed to whom, and when (catalogue §7). Level-triggered: flags remember whom
they were told to, so planning again queues nothing twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from meetbot.domain.cards import lines_of
from meetbot.domain.dates import local_day_start
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

_FIX_IT_ENDS = timedelta(hours=24)
"""Set-up flags are the host's alone until this long before the start."""


@dataclass(frozen=True, slots=True)
class Addressees:
    """Addresses by audience; empty where nobody is known. All are in the district's domains."""

    officers: tuple[str, ...]
    privacy: tuple[str, ...]
    principal: tuple[str, ...] = ()
    host: tuple[str, ...] = ()

    def of(self, audience: Audience) -> tuple[str, ...]:
        """Who gets the mail for an audience."""
        return {
            Audience.HOST: self.host,
            Audience.OFFICERS: self.officers,
            Audience.PRINCIPAL: self.principal,
            Audience.PRIVACY: self.privacy,
            Audience.DIGEST: self.officers,
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
    is_confidential: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What to note on a flag after its mails are queued."""

    flag_id: str
    told: Mapping[str, datetime]
    severity: Severity | None


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
    """From when on each audience is to be told of an open flag."""
    now = flag.opened_at
    if flag.severity.rank <= Severity.LOW.rank:
        return {}
    if situation.is_confidential:
        return {Audience.PRIVACY: now}
    if flag.severity is Severity.CRITICAL:
        return {Audience.HOST: now, Audience.OFFICERS: now, Audience.PRINCIPAL: now}
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

    A flag whose severity rose since officers were told is told again. Withdrawals go to
    everybody who had been told by a mail of their own.
    """
    due: dict[Audience, list[Flag]] = {}
    later: list[datetime] = []
    for flag in flags:
        if flag.status is not FlagStatus.OPEN:
            continue
        for audience, at in audiences(flag, situation).items():
            if not situation.addressees.of(audience) or not _is_untold(flag, audience):
                continue
            if at <= situation.as_of:
                due.setdefault(audience, []).append(flag)
            else:
                later.append(at)
    notices = [
        _notice(_kind(audience, told), audience, told, contents, situation)
        for audience, told in sorted(due.items())
    ]
    notices += _withdrawals(changes, contents, situation)
    return Plan(tuple(notices), _noted(due, situation.as_of), min(later, default=None))


def _is_untold(flag: Flag, audience: Audience) -> bool:
    if audience not in flag.told:
        return True
    has_risen = flag.told_severity is not None and flag.severity.rank > flag.told_severity.rank
    return has_risen and audience is not Audience.HOST


def _kind(audience: Audience, flags: Iterable[Flag]) -> NoticeKind:
    if audience is not Audience.HOST:
        return NoticeKind.FLAG
    is_live = any(flag.family and flag.phase is Phase.LIVE for flag in flags)
    return NoticeKind.NUDGE if is_live else NoticeKind.FIX_IT


def _notice(
    kind: NoticeKind,
    audience: Audience,
    flags: Sequence[Flag],
    contents: Contents,
    situation: Situation,
    reason: str = "",
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
        to=situation.addressees.of(audience),
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
    for audience in (Audience.HOST, Audience.OFFICERS, Audience.PRINCIPAL, Audience.PRIVACY):
        told = [change for change in gone if audience in change.flag.told]
        if told and situation.addressees.of(audience):
            reason = "; ".join(sorted({change.reason for change in told if change.reason}))
            flags = [change.flag for change in told]
            notices.append(
                _notice(NoticeKind.WITHDRAWN, audience, flags, contents, situation, reason)
            )
    return notices


def _noted(due: Mapping[Audience, Sequence[Flag]], as_of: datetime) -> tuple[Told, ...]:
    told: dict[str, dict[str, datetime]] = {}
    flags: dict[str, Flag] = {}
    for audience, group in due.items():
        for flag in group:
            flags[flag.id] = flag
            told.setdefault(flag.id, dict(flag.told))[audience] = as_of
    return tuple(
        Told(
            flag_id,
            audiences_told,
            flags[flag_id].severity
            if any(flag_id in (f.id for f in due.get(a, ())) for a in Audience if _weighs(a))
            else flags[flag_id].told_severity,
        )
        for flag_id, audiences_told in sorted(told.items())
    )


def _weighs(audience: Audience) -> bool:
    return audience is not Audience.HOST


def add_school_days(at: datetime, days: int, zone: ZoneInfo, calendar: SchoolCalendar) -> datetime:
    """The same local time `days` school days later; the opening hour of the day at the earliest."""
    local = at.astimezone(zone)
    day = local.date()
    left = days if calendar.weekdays else 0
    while left:
        day += timedelta(days=1)
        left -= day.weekday() in calendar.weekdays
    opens = local_day_start(day, zone) + timedelta(
        hours=calendar.opens.hour, minutes=calendar.opens.minute
    )
    same_time = local_day_start(day, zone) + timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second
    )
    return max(opens, same_time)
