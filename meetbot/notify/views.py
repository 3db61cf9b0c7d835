"""What templates show: cleaned contents, in order, cut to what a reader takes in, as words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar, assert_never

from meetbot.domain.chain import Head
from meetbot.domain.findings import Certainty
from meetbot.domain.notices import (
    Audience,
    Content,
    Coverage,
    DigestNotice,
    FlagLine,
    MeetingCard,
    MeetingNotice,
    NoticeKind,
    OperationsNotice,
    Outage,
    ReminderNotice,
    RollUpNews,
    RollUpNotice,
    StormNotice,
    Timeline,
    WeeklyNotice,
)
from meetbot.notify.links import Links
from meetbot.notify.text import (
    clock,
    clock_seconds,
    day,
    minutes,
    total_seconds,
    when,
    zone_name,
)
from meetbot.notify.timeline import (
    LISTED_CONTACTS,
    LISTED_VISITS,
    contact_words,
    contacts_in_order,
    shown_lanes,
    timeline_text,
    visit_end,
)

T = TypeVar("T")

MAX_FLAGS = 10
MAX_SENTENCES = 8
MAX_MEETINGS = 25
MAX_DOMAINS = 40
MEET_ROOT = "https://meet.google.com/"


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """The first of many, and how many are not shown."""

    shown: tuple[T, ...]
    more: int


def cut(items: Iterable[T], limit: int) -> Cut[T]:
    """Keep the first `limit` items."""
    everything = tuple(items)
    return Cut(everything[:limit], max(len(everything) - limit, 0))


@dataclass(frozen=True, slots=True)
class FlagView:
    """A flag with its words; `how_long` is m:ss or empty."""

    id: str
    severity: str
    message: str
    advice: str
    fix: str
    how_long: str
    certainty: str
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class PartnerView:
    """A partner with its standing in the registry."""

    name: str
    standing: str
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeetingView:
    """The meeting as a mail shows it; `questions` are addresses to turn to.

    `link` leads to its case in the console, if there is one.
    """

    day: str
    clock: str
    when: str
    school: str
    host: str
    partners: Cut[PartnerView]
    questions: tuple[str, ...]
    is_adhoc: bool
    link: str
    zone: str


@dataclass(frozen=True, slots=True)
class Row:
    """One person, or one contact without staff, in the table beside the picture."""

    label: str
    times: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimelineView:
    """The timeline's facts as words."""

    alt: str
    people: tuple[Row, ...]
    rest: str
    contacts: tuple[Row, ...]
    more_contacts: int
    lines: tuple[str, ...]
    zero: str
    """What the offsets in `lines` are counted from."""
    zone_name: str


@dataclass(frozen=True, slots=True)
class MeetingNoticeView:
    """For `flag`, `fix-it`, `withdrawn`, `nudge`."""

    meeting: MeetingView
    flags: Cut[FlagView]
    fixes: tuple[str, ...]
    unknowns: Cut[str]
    timeline: TimelineView | None
    reason: str
    audience: Audience
    has_begun: bool
    zone: str


@dataclass(frozen=True, slots=True)
class ReminderView:
    """For `reminder`; `ask_link` is there while the meeting is not authorized."""

    meeting: MeetingView
    lead: str
    is_authorized: bool
    flags: Cut[FlagView]
    missing: Cut[str]
    join_link: str
    ask_link: str
    zone: str


@dataclass(frozen=True, slots=True)
class ConfidentialView:
    """All that may be told of a confidential meeting: the day, and how many findings."""

    day: str
    count: str
    kind: NoticeKind
    link: str
    zone: str


@dataclass(frozen=True, slots=True)
class DigestEntry:
    """One meeting in the digest."""

    meeting: MeetingView
    flags: Cut[FlagView]


@dataclass(frozen=True, slots=True)
class DigestView:
    """For `digest`; `hidden` counts meetings of which nothing is told, in words or empty."""

    day: str
    entries: Cut[DigestEntry]
    hidden: str
    zone: str


@dataclass(frozen=True, slots=True)
class WeeklyView:
    """For `weekly`; `gaps` are sentences: what was not covered."""

    since: str
    until: str
    by_severity: tuple[tuple[str, int], ...]
    opened: int
    pending: int
    domains: Cut[tuple[str, int]]
    coverage: Coverage
    audit_lag: str
    exemptions: tuple[tuple[str, str], ...]
    gaps: Cut[str]
    is_all_clear: bool
    head: Head | None
    in_shadow: tuple[tuple[str, int], ...]
    link: str
    zone: str


@dataclass(frozen=True, slots=True)
class OperationsView:
    """For `operations`: sentences."""

    headline: str
    begun: Cut[str]
    over: Cut[str]
    undelivered: Cut[str]
    is_good_news: bool
    link: str
    zone: str


@dataclass(frozen=True, slots=True)
class RollUpEntry:
    """One meeting in a rolled-up mail; a confidential one shows its day and a count in words."""

    meeting: MeetingView
    flags: Cut[FlagView]
    hidden: str
    reason: str


@dataclass(frozen=True, slots=True)
class RollUpView:
    """For `roll-up`: by what is said of the meetings."""

    new: tuple[RollUpEntry, ...]
    again: tuple[RollUpEntry, ...]
    gone: tuple[RollUpEntry, ...]
    number: int
    audience: Audience
    zone: str


@dataclass(frozen=True, slots=True)
class StormView:
    """For `storm`; `others` are flags whose rule is not told."""

    since: str
    flags: int
    by_rule: Cut[tuple[str, int]]
    others: str
    held: int
    is_new: bool
    link: str
    zone: str


View = (
    MeetingNoticeView
    | ReminderView
    | ConfidentialView
    | DigestView
    | WeeklyView
    | OperationsView
    | RollUpView
    | StormView
)


def view_of(
    kind: NoticeKind,
    audience: Audience,
    content: Content,
    *,
    sent_at: datetime,
    any_contact: str,
    links: Links,
) -> View:
    """The view of a cleaned content; a confidential meeting gives nothing but its count."""
    match content:
        case MeetingNotice(card=card) | ReminderNotice(card=card) if card.is_confidential:
            return _confidential(kind, audience, content, links)
        case MeetingNotice():
            return _meeting_notice(audience, content, sent_at, any_contact, links)
        case ReminderNotice():
            return _reminder(audience, content, any_contact, links)
        case DigestNotice():
            return _digest(content, any_contact, links)
        case WeeklyNotice():
            return _weekly(content, links)
        case OperationsNotice():
            return _operations(content, links)
        case RollUpNotice():
            return _roll_up(audience, content, any_contact, links)
        case StormNotice():
            return _storm(content, links)
        case _:
            assert_never(content)


def few(number: int) -> str:
    """A count that may be told of confidential meetings (catalogue §1: none below 3)."""
    return "fewer than 3" if number < 3 else str(number)


def _confidential(
    kind: NoticeKind, audience: Audience, content: MeetingNotice | ReminderNotice, links: Links
) -> ConfidentialView:
    flags = content.flags if isinstance(content, MeetingNotice) else content.to_mend
    card = content.card
    return ConfidentialView(
        day=day(card.start_at, card.zone),
        count=few(len(flags)),
        kind=kind,
        link=links.case(card, audience),
        zone=card.zone,
    )


def _meeting_notice(
    audience: Audience, content: MeetingNotice, sent_at: datetime, any_contact: str, links: Links
) -> MeetingNoticeView:
    card = content.card
    flags = sorted(content.flags, key=_urgency)
    unknowns = [*content.unknowns, *(text for flag in flags for text in flag.unknowns)]
    # The nudge comes before there is a flag, and without one there is no case yet.
    link = links.case(card, audience) if flags else ""
    return MeetingNoticeView(
        meeting=_meeting(card, any_contact, link),
        flags=cut((_flag(flag) for flag in flags), MAX_FLAGS),
        fixes=tuple(dict.fromkeys(t for flag in flags[:MAX_FLAGS] for t in _fixes(flag, audience))),
        unknowns=cut(dict.fromkeys(unknowns), MAX_SENTENCES),
        timeline=_timeline(content.timeline, card.zone) if content.timeline else None,
        reason=content.reason,
        audience=audience,
        has_begun=sent_at >= card.start_at,
        zone=card.zone,
    )


def _fixes(flag: FlagLine, audience: Audience) -> Iterator[str]:
    """What mends a flag; officers are also told what an administrator can do."""
    if flag.fix:
        yield flag.fix
    if audience is Audience.OFFICERS and flag.admin:
        yield f"Administrator: {flag.admin}"


def _reminder(
    audience: Audience, content: ReminderNotice, any_contact: str, links: Links
) -> ReminderView:
    link = content.card.join_link or ""
    is_own = audience is Audience.HOST and link.startswith(MEET_ROOT)
    return ReminderView(
        meeting=_meeting(
            content.card, any_contact, links.case(content.card, audience) if content.to_mend else ""
        ),
        lead=content.lead,
        is_authorized=content.is_authorized,
        flags=cut((_flag(flag) for flag in sorted(content.to_mend, key=_urgency)), MAX_FLAGS),
        missing=cut(content.missing, MAX_SENTENCES),
        join_link=link if is_own else "",
        ask_link="" if content.is_authorized else links.ask(content.card),
        zone=content.card.zone,
    )


def _digest(content: DigestNotice, any_contact: str, links: Links) -> DigestView:
    told = [line for line in content.lines if not line.card.is_confidential]
    hidden = len(content.lines) - len(told)
    told.sort(key=lambda line: line.card.start_at)
    return DigestView(
        day=content.day,
        entries=cut(
            (
                DigestEntry(
                    _meeting(line.card, any_contact, links.case(line.card, Audience.DIGEST)),
                    cut((_flag(flag) for flag in sorted(line.flags, key=_urgency)), 4),
                )
                for line in told
            ),
            MAX_MEETINGS,
        ),
        hidden=few(hidden) if hidden else "",
        zone=content.zone,
    )


def _weekly(content: WeeklyNotice, links: Links) -> WeeklyView:
    counts = sorted(content.by_severity, key=lambda pair: -pair[0].rank)
    opened = sum(number for _, number in counts)
    lag = content.coverage.audit_lag_seconds
    is_clear = not opened and not content.domains and content.coverage.is_complete
    return WeeklyView(
        since=day(content.since, content.zone),
        until=day(content.until - timedelta(seconds=1), content.zone),
        by_severity=tuple((severity.value.capitalize(), number) for severity, number in counts),
        opened=opened,
        pending=content.pending,
        domains=cut(sorted(content.domains, key=lambda pair: (-pair[1], pair[0])), MAX_DOMAINS),
        coverage=content.coverage,
        audit_lag="not known" if lag is None else f"{-(-lag // 60)} minutes behind",
        exemptions=tuple((kind, few(number)) for kind, number in content.exemptions),
        gaps=cut(_gaps(content.coverage), MAX_SENTENCES),
        is_all_clear=is_clear,
        head=content.head,
        in_shadow=content.in_shadow,
        link=links.page("overview"),
        zone=content.zone,
    )


def _operations(content: OperationsNotice, links: Links) -> OperationsView:
    lost = sum(one.number for one in content.undelivered)
    return OperationsView(
        headline=_operations_headline(content, lost),
        begun=cut((_outage(one, content.zone) for one in content.begun), MAX_SENTENCES),
        over=cut(
            (
                f"{one.source}, unreadable since {_moment(one, content.zone)}"
                for one in content.over
            ),
            MAX_SENTENCES,
        ),
        undelivered=cut(
            (f"{one.number}: {one.reason}" for one in content.undelivered), MAX_SENTENCES
        ),
        is_good_news=not (content.begun or lost),
        link=links.page("operations"),
        zone=content.zone,
    )


def _roll_up(
    audience: Audience, content: RollUpNotice, any_contact: str, links: Links
) -> RollUpView:
    entries: dict[RollUpNews, list[RollUpEntry]] = {news: [] for news in RollUpNews}
    for line in content.lines:
        is_hidden = line.card.is_confidential
        flags = () if is_hidden else sorted(line.flags, key=_urgency)
        entries[line.news].append(
            RollUpEntry(
                meeting=_meeting(line.card, any_contact, links.case(line.card, audience)),
                flags=cut((_flag(flag) for flag in flags), MAX_FLAGS),
                hidden=few(len(line.flags)) if is_hidden else "",
                reason=line.reason,
            )
        )
    return RollUpView(
        new=tuple(entries[RollUpNews.NEW]),
        again=tuple(entries[RollUpNews.AGAIN]),
        gone=tuple(entries[RollUpNews.GONE]),
        number=len(content.lines),
        audience=audience,
        zone=content.lines[0].card.zone,
    )


def _storm(content: StormNotice, links: Links) -> StormView:
    others = content.flags - sum(number for _, number in content.by_rule)
    begun = content.begun_at
    return StormView(
        since=f"{day(begun, content.zone)}, {clock(begun, content.zone)}",
        flags=content.flags,
        by_rule=cut(content.by_rule, MAX_DOMAINS),
        others=few(others) if others else "",
        held=content.held,
        is_new=content.is_new,
        link=links.page("operations"),
        zone=content.zone,
    )


def _operations_headline(content: OperationsNotice, lost: int) -> str:
    if content.begun:
        return f"meetbot cannot read {_counted(len(content.begun), 'source')}"
    if lost:
        return f"meetbot gave up {_counted(lost, 'mail')}"
    return f"meetbot reads {_counted(len(content.over), 'source')} again"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _outage(outage: Outage, zone: str) -> str:
    return f"{outage.source}, since {_moment(outage, zone)}: {outage.problem}"


def _moment(outage: Outage, zone: str) -> str:
    return f"{day(outage.since, zone)}, {clock(outage.since, zone)}"


def _gaps(coverage: Coverage) -> list[str]:
    gaps = []
    if coverage.calendars_failed:
        gaps.append(f"Calendars that could not be read: {coverage.calendars_failed}.")
    if coverage.undecided:
        gaps.append(f"Meetings that could not be decided: {coverage.undecided}.")
    return [*gaps, *coverage.problems]


def _urgency(flag: FlagLine) -> tuple[int, bool, bool]:
    """Worst first; of equal ones first those about time without staff, then the sure ones."""
    return (-flag.severity.rank, not flag.spans, flag.certainty is not Certainty.CONFIRMED)


def _flag(flag: FlagLine) -> FlagView:
    seconds = total_seconds(flag.spans)
    return FlagView(
        id=flag.flag_id,
        severity=flag.severity.value.capitalize(),
        message=flag.message,
        advice=flag.advice or flag.message,
        fix=flag.fix,
        how_long=minutes(seconds) if seconds else "",
        certainty="Confirmed" if flag.certainty is Certainty.CONFIRMED else "Needs review",
        is_provisional=flag.is_provisional,
    )


def _meeting(card: MeetingCard, any_contact: str, link: str) -> MeetingView:
    partners = (
        PartnerView(
            partner.name,
            "in the registry" if partner.is_registered else "not in the registry",
            partner.statuses[:MAX_SENTENCES],
        )
        for partner in card.partners
    )
    contacts = dict.fromkeys(partner.contact or any_contact for partner in card.partners)
    return MeetingView(
        day=day(card.start_at, card.zone),
        clock=clock(card.start_at, card.zone),
        when=when(card.start_at, card.end_at, card.zone),
        school=card.school or "not known",
        host=card.host or "not known",
        partners=cut(partners, 5),
        questions=tuple(contacts)[:3] or (any_contact,),
        is_adhoc=card.is_adhoc,
        link=link,
        zone=card.zone,
    )


def _timeline(timeline: Timeline, zone: str) -> TimelineView:
    lanes, rest = shown_lanes(timeline)
    contacts = contacts_in_order(timeline)
    people = tuple(Row(lane.label, tuple(_visits(lane.spans, timeline, zone))) for lane in lanes)
    zero_at = timeline.scheduled_start_at or timeline.start_at
    origin = "the scheduled start" if timeline.scheduled_start_at else "the start of the call"
    rows = tuple(
        Row(
            contact_words(span),
            (
                f"{clock_seconds(span.start_at, zone)}–{clock_seconds(span.end_at, zone)}",
                minutes(span.seconds),
            ),
        )
        for span in contacts
    )
    return TimelineView(
        alt=_alt(timeline, zone, rows),
        people=people,
        rest=rest,
        contacts=rows[:LISTED_CONTACTS],
        more_contacts=max(len(rows) - LISTED_CONTACTS, 0),
        lines=tuple(timeline_text(timeline)),
        zero=f"{origin} at {clock(zero_at, zone)} {zone_name(zero_at, zone)}",
        zone_name=zone_name(zero_at, zone),
    )


def _visits(
    spans: Sequence[tuple[datetime, datetime, bool]], timeline: Timeline, zone: str
) -> Iterable[str]:
    for start_at, end_at, is_known in spans[:LISTED_VISITS]:
        remark = visit_end(end_at, is_known, timeline)
        times = f"{clock_seconds(start_at, zone)}–{clock_seconds(end_at, zone)}"
        yield f"{times} ({remark})" if remark else times
    if len(spans) > LISTED_VISITS:
        yield f"and {len(spans) - LISTED_VISITS} more visits"


def _alt(timeline: Timeline, zone: str, contacts: Sequence[Row]) -> str:
    """The picture in a sentence or two; the table below it holds the rest."""
    many = len(timeline.lanes)
    people = "1 person" if many == 1 else f"{many} people"
    text = (
        f"Timeline of the call, {clock(timeline.start_at, zone)} to"
        f" {clock(timeline.end_at, zone)}, {people}."
    )
    told = [f"{row.times[0]}, {row.times[1]} {row.label}" for row in contacts[:3]]
    if not told:
        return f"{text} No time without staff is marked. The table below has the same facts."
    more = f" and {len(contacts) - 3} more" if len(contacts) > 3 else ""
    return f"{text} Without staff: {'; '.join(told)}{more}. The table below has the same facts."
