"""What to tell whom: contents of mails without anything about a student, and when they are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meetbot.domain.chain import Head
from meetbot.domain.findings import Certainty, Severity, TimelineSpan


class NoticeKind(StrEnum):
    """One template folder per kind."""

    FLAG = "flag"
    """To officers, principal, privacy officer or on-call: what may not match policy."""
    FIX_IT = "fix-it"
    """To the host: what to mend, before or after the meeting."""
    WITHDRAWN = "withdrawn"
    """To those who got a flag mail: it is no longer so."""
    REMINDER = "reminder"
    NUDGE = "nudge"
    """To the host during the meeting: staff are missing now."""
    DIGEST = "digest"
    WEEKLY = "weekly"
    ESCALATION = "escalation"
    """A critical flag that nobody acknowledged in time."""
    QUESTION = "question"
    """To the host: an officer asks what happened."""
    OUTCOME = "outcome"
    """To a host who was asked or told: what an officer decided."""
    HANDED_UP = "handed-up"
    """To principal and privacy officers, or whoever the settings name: an officer wants them to
    look at a case."""
    ROLL_UP = "roll-up"
    """Several mails to the same people as one."""
    STORM = "storm"
    """To operators and officers: there are so many flags that mail is stopped."""
    OPERATIONS = "operations"
    """To the operators: a source that stays unreadable, or mails that nobody got."""


class Audience(StrEnum):
    """Why somebody gets a mail; stored on the flag as told."""

    HOST = "host"
    OFFICERS = "officers"
    PRINCIPAL = "principal"
    PRIVACY = "privacy"
    DIGEST = "digest"
    OPERATORS = "operators"
    ESCALATION = "escalation"
    """Told because nobody acknowledged a critical flag."""
    OVERDUE = "overdue"
    """Officers, told again of a high flag that nobody acknowledged."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the timeline: a label such as `Host`, `Student 1`, `Partner 1 (Northstar)`.

    `role` is `staff`, `partner`, `student`, `unidentified` or `room`; spans are
    (start, end, is_end_known).
    """

    label: str
    role: str
    spans: tuple[tuple[datetime, datetime, bool], ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Who was in the call when, with the seconds of contact without staff."""

    start_at: datetime
    end_at: datetime
    scheduled_start_at: datetime | None
    scheduled_end_at: datetime | None
    lanes: tuple[Lane, ...]
    contacts: tuple[TimelineSpan, ...]
    is_running: bool


@dataclass(frozen=True, slots=True)
class FlagLine:
    """One flag in a mail."""

    flag_id: str
    rule: str
    severity: Severity
    certainty: Certainty
    is_provisional: bool
    message: str
    advice: str
    fix: str
    unknowns: tuple[str, ...]
    spans: tuple[TimelineSpan, ...]
    admin: str = ""
    """What an administrator of Google Workspace can do, where a setting mends it."""


@dataclass(frozen=True, slots=True)
class PartnerLine:
    """A partner's registry status for this meeting, each entry one short sentence."""

    name: str
    is_registered: bool
    statuses: tuple[str, ...]
    contact: str | None = None
    """Address of the district's contact for this program type."""


@dataclass(frozen=True, slots=True)
class MeetingCard:
    """The meeting, as far as a mail may tell it: no title, no link, no guest list."""

    thread: str
    """Stable key of the occurrence; one mail thread each."""
    start_at: datetime
    end_at: datetime
    zone: str
    school: str | None
    host: str | None
    """Name or address of the staff host; never in a subject."""
    partners: tuple[PartnerLine, ...]
    is_adhoc: bool = False
    is_confidential: bool = False
    join_link: str | None = None
    """Only in the host's own reminder."""
    case_id: str = ""
    """Names the occurrence's case in links to the console; empty in mails queued before those."""


@dataclass(frozen=True, slots=True)
class MeetingNotice:
    """Content of mails about the flags of one meeting."""

    card: MeetingCard
    flags: tuple[FlagLine, ...]
    timeline: Timeline | None
    unknowns: tuple[str, ...]
    reason: str = ""
    """Withdrawn: why. Outcome: `upheld` or `dismissed`."""


@dataclass(frozen=True, slots=True)
class ReminderNotice:
    """Content of `reminder`. `lead` is `7d`, `24h` or `1h`."""

    card: MeetingCard
    lead: str
    is_authorized: bool
    to_mend: tuple[FlagLine, ...]
    missing: tuple[str, ...]
    """What the partner still lacks, as sentences."""


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One meeting in the officers' daily digest."""

    card: MeetingCard
    flags: tuple[FlagLine, ...]


@dataclass(frozen=True, slots=True)
class DigestNotice:
    """Content of `digest`: medium flags since the last one."""

    day: str
    zone: str
    lines: tuple[DigestLine, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much was watched, for the weekly summary: numbers and sentences, no names."""

    calendars_read: int
    calendars_failed: int
    meetings_checked: int
    conferences_seen: int
    undecided: int
    audit_lag_seconds: int | None
    problems: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every source was read in full."""
        return not (self.calendars_failed or self.undecided or self.problems)


@dataclass(frozen=True, slots=True)
class WeeklyNotice:
    """Content of `weekly`: counts, low flags by outside domain, and what was covered."""

    since: datetime
    until: datetime
    zone: str
    by_severity: tuple[tuple[Severity, int], ...]
    """Flags opened in the week."""
    pending: int
    domains: tuple[tuple[str, int], ...]
    """Unregistered outside domains of adult meetings with their number of meetings."""
    coverage: Coverage
    head: Head | None = None
    """The newest link of the chain: a mail elsewhere tells whether history was rewritten."""
    exemptions: tuple[tuple[str, int], ...] = ()
    """In how many meetings an exemption of each kind was used; none of confidential ones."""
    in_shadow: tuple[tuple[str, int], ...] = ()
    """Rules in shadow with the number of what they find at present."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A source that cannot be read since an instant; `problem` is a sentence without names."""

    source: str
    since: datetime
    problem: str


@dataclass(frozen=True, slots=True)
class Undelivered:
    """How many mails were given up for one reason, a sentence without names."""

    reason: str
    number: int


@dataclass(frozen=True, slots=True)
class OperationsNotice:
    """Content of `operations`: outages that began and ended, and mails given up. No names."""

    zone: str
    begun: tuple[Outage, ...]
    over: tuple[Outage, ...]
    undelivered: tuple[Undelivered, ...]


class RollUpNews(StrEnum):
    """What a rolled-up mail says of one meeting's flags."""

    NEW = "new"
    AGAIN = "again"
    """Told before, and nobody has acknowledged it."""
    GONE = "gone"
    """Told before, and no longer so."""


@dataclass(frozen=True, slots=True)
class RollUpLine:
    """One meeting in a rolled-up mail; `reason` says why flags are gone."""

    card: MeetingCard
    flags: tuple[FlagLine, ...]
    news: RollUpNews
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RollUpNotice:
    """Content of `roll-up`: what would have been a mail for each meeting."""

    lines: tuple[RollUpLine, ...]


@dataclass(frozen=True, slots=True)
class StormNotice:
    """Content of `storm`: how many flags there were, by rule, and how many mails are held."""

    zone: str
    begun_at: datetime
    flags: int
    by_rule: tuple[tuple[str, int], ...]
    held: int
    is_new: bool
    """False: it was told before, and goes on."""


Content = (
    MeetingNotice
    | ReminderNotice
    | DigestNotice
    | WeeklyNotice
    | OperationsNotice
    | RollUpNotice
    | StormNotice
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to be: who, what, and until when it makes sense.

    `id` is stable, so that planning twice queues once; `to` are addresses in the district's
    domains. `not_after` drops what would come too late (a reminder after the start).
    """

    id: str
    kind: NoticeKind
    audience: Audience
    to: tuple[str, ...]
    content: Content
    thread: str | None
    due_at: datetime
    not_after: datetime | None = None
    occurrence: str | None = None
    left: tuple[str, ...] = ()
    """Who of `to` has yet to get it, after a server took it for the others; empty: everybody."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered notice: the RFC 5322 bytes and what the transports need.

    `to` are the recipients of this delivery, which may be fewer than its header names.
    """

    notice_id: str
    message_id: str
    to: tuple[str, ...]
    raw: bytes
