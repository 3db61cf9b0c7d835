"""The officers' daily digest of medium flags, and the weekly summary with its coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from meetbot.domain.cards import card_of, lines_of
from meetbot.domain.findings import Severity
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.identity import Roster
from meetbot.domain.notices import (
    Audience,
    Coverage,
    DigestLine,
    DigestNotice,
    Notice,
    NoticeKind,
    WeeklyNotice,
)
from meetbot.domain.registry import ExemptionKind
from meetbot.domain.routing import notice_id
from meetbot.jobs.deps import Deps
from meetbot.jobs.dossiers import load
from meetbot.jobs.rosters import roster_of
from meetbot.ports import Outcome, Tx
from meetbot.rules import is_confidential

_WEEK = timedelta(days=7)


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Queue digest and weekly summary when their time has come since they were last made."""
    outcome = Outcome("digest")
    _once(deps, "digest", _last_daily(deps, as_of), outcome, as_of)
    _once(deps, "weekly", _last_weekly(deps, as_of), outcome, as_of)
    return outcome


def _last_daily(deps: Deps, as_of: datetime) -> datetime:
    return last_local(as_of, deps.district.digest_at, deps.district.zone)


def _last_weekly(deps: Deps, as_of: datetime) -> datetime:
    due = last_local(as_of, deps.district.weekly_at, deps.district.zone)
    return due - timedelta(days=(due.weekday() - deps.district.weekly_day) % 7)


def last_local(as_of: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The latest instant of a local time of day that is not after `as_of`, in that zone."""
    today = as_of.astimezone(zone).date()
    due = datetime.combine(today, at, zone)
    # Compared as instants: on the days of a clock change wall-clock times do not tell the order.
    if due.astimezone(UTC) > as_of:
        due = datetime.combine(today - timedelta(days=1), at, zone)
    return due


def _once(deps: Deps, name: str, due_at: datetime, outcome: Outcome, as_of: datetime) -> None:
    """Make one mail for each due instant; the first run only notes where it stands."""
    with deps.store.transaction() as tx:
        last = tx.meta.get(f"last-{name}")
        if last is not None and datetime.fromisoformat(last) >= due_at:
            return
        tx.meta.set(f"last-{name}", due_at.isoformat())
        if last is None:
            return
        make = _digest if name == "digest" else _weekly
        notice = make(deps, tx, due_at, as_of)
        if notice is not None:
            outcome.count(name, tx.outbox.add([notice], as_of=as_of))


# --- daily --------------------------------------------------------------------------------------


def _digest(deps: Deps, tx: Tx, due_at: datetime, as_of: datetime) -> Notice | None:
    flags = [
        flag
        for flag in tx.flags.list(statuses=[FlagStatus.OPEN])
        if flag.severity is Severity.MEDIUM
        and flag.rule not in deps.policy.shadows
        and Audience.DIGEST not in flag.told
        and flag.opened_at < due_at
    ]
    lines = tuple(_digest_lines(deps, tx, roster_of(deps), flags, as_of))
    if not lines:
        return None
    for flag in flags:
        tx.flags.tell(flag.id, {**flag.told, Audience.DIGEST: as_of}, flag.told_severity)
    day = due_at.astimezone(deps.district.zone).date().isoformat()
    return Notice(
        id=notice_id(NoticeKind.DIGEST, day),
        kind=NoticeKind.DIGEST,
        audience=Audience.DIGEST,
        to=deps.district.recipients.officers,
        content=DigestNotice(day=day, zone=deps.district.zone.key, lines=lines),
        thread=None,
        due_at=as_of,
    )


def _digest_lines(
    deps: Deps, tx: Tx, roster: Roster, flags: Iterable[Flag], as_of: datetime
) -> Iterable[DigestLine]:
    by_meeting: dict[str, list[Flag]] = {}
    for flag in flags:
        by_meeting.setdefault(flag.occurrence.text, []).append(flag)
    for group in by_meeting.values():
        meeting_id = tx.meetings.find(group[0].occurrence)
        if meeting_id is None:
            continue
        dossier = load(deps, tx, tx.meetings.load(meeting_id), roster, as_of).dossier
        if is_confidential(dossier):
            continue
        yield DigestLine(card_of(dossier, deps.district.recipients.contacts), lines_of(group))


# --- weekly -------------------------------------------------------------------------------------


def _weekly(deps: Deps, tx: Tx, due_at: datetime, as_of: datetime) -> Notice:
    since = due_at - _WEEK
    opened = tx.flags.opened(since, due_at)
    severities = Counter(flag.severity for flag in opened)
    low = [f for f in opened if f.severity is Severity.LOW and f.rule == "partner-unregistered"]
    domains = Counter(str(flag.facts.get("domain", "")) for flag in low)
    pending = [
        f
        for f in tx.flags.list(statuses=[FlagStatus.OPEN, FlagStatus.ACKNOWLEDGED])
        if f.severity.rank > Severity.LOW.rank
    ]
    content = WeeklyNotice(
        since=since,
        until=due_at,
        zone=deps.district.zone.key,
        by_severity=tuple((s, severities[s]) for s in reversed(Severity) if severities[s]),
        pending=len(pending),
        domains=tuple(sorted((d, n) for d, n in domains.items() if d)),
        coverage=coverage(tx, as_of),
        head=tx.chain.head(),
        exemptions=_exemptions(tx, since, due_at),
        in_shadow=tuple(sorted(tx.shadows.counts().items())),
    )
    return Notice(
        id=notice_id(NoticeKind.WEEKLY, due_at.isoformat()),
        kind=NoticeKind.WEEKLY,
        audience=Audience.OFFICERS,
        to=deps.district.recipients.officers,
        content=content,
        thread=None,
        due_at=as_of,
    )


def _exemptions(tx: Tx, since: datetime, until: datetime) -> tuple[tuple[str, int], ...]:
    """Uses by kind. How many meetings are confidential only the privacy officers may know."""
    counts = tx.exemptions.counts(since, until)
    told = (kind for kind in ExemptionKind if kind is not ExemptionKind.CONFIDENTIAL_CLINICAL)
    return tuple((str(kind), counts[kind]) for kind in told if kind in counts)


def coverage(tx: Tx, as_of: datetime) -> Coverage:
    """How much is watched at present: calendars, audit lag, undecided meetings, problems."""
    states = tx.meetings.calendars().values()
    audit = tx.meta.source("reports-meet").read_at
    counts = tx.meetings.counts()
    problems = [f"{s.source}: {s.problem}" for s in tx.meta.sources() if s.problem]
    return Coverage(
        calendars_read=sum(1 for s in states if not s.problem),
        calendars_failed=sum(1 for s in states if s.problem),
        meetings_checked=counts.get("in_scope", 0),
        conferences_seen=counts.get("conferences", 0),
        undecided=counts.get("undecided", 0),
        audit_lag_seconds=int((as_of - audit).total_seconds()) if audit else None,
        problems=tuple(problems),
    )
