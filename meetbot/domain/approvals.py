"""A host asks for the authorization of a meeting ahead; a principal or lead answers.

Whoever has the role that `authorizer-role` asks for may answer, for that school. A host who leads
the school does not answer their own request as long as the school names anybody else: the rule
looks at the role alone, so the second pair of eyes has to come from here. Where the school names
nobody else the role decides, and the officers are told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from meetbot.domain.dates import local_interval
from meetbot.domain.registry_rows import Authorization, School

LONGEST = timedelta(days=366)
"""How many days one approval may hold: a school year."""
LONGEST_WORDS = 500


class ApprovalState(StrEnum):
    """What became of a request; one that waits may have expired."""

    PENDING = "pending"
    APPROVED = "approved"
    NARROWED = "narrowed"
    REFUSED = "refused"


class Refusal(StrEnum):
    """Why a request was refused; the words beside it never leave the console."""

    PARTNER_NOT_READY = "partner-not-ready"
    NOT_PLANNED = "not-planned"
    OTHER_DATES = "other-dates"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a host asks for; first and last day count."""

    partner_id: str
    program_id: str
    starts_on: date
    ends_on: date
    words: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """One request and its answer. `occurrence` is `OccurrenceKey.text`, `host_key` keyed."""

    id: str
    occurrence: str
    case_id: str
    partner_id: str
    program_id: str
    school_id: str
    host: str
    host_key: str
    start_at: datetime
    end_at: datetime
    starts_on: date
    ends_on: date
    words: str
    asked_at: datetime
    expires_at: datetime
    state: ApprovalState = ApprovalState.PENDING
    decided_by: str | None = None
    decided_at: datetime | None = None
    granted_from: date | None = None
    granted_to: date | None = None
    refusal: Refusal | None = None
    answer: str = ""
    authorization_id: str | None = None

    def waits(self, as_of: datetime) -> bool:
        """Whether it can still be answered."""
        return self.state is ApprovalState.PENDING and as_of < self.expires_at


@dataclass(frozen=True, slots=True)
class Answer:
    """A principal's or lead's answer: `grant` first and last day, or `refusal` why not."""

    by: str
    at: datetime
    grant: tuple[date, date] | None = None
    refusal: Refusal | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of a form, and how to put it right."""

    field: str
    what: str
    fix: str


def approval_id(occurrence: str, partner_id: str, asked_at: datetime) -> str:
    """`Q-` and 12 hex digits: it can stand in a link, for nothing can be read from it."""
    text = "\0".join(("approval", occurrence, partner_id, asked_at.isoformat()))
    return "Q-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def days_of(start_at: datetime, end_at: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """First and last local day of a meeting; one that ends at midnight ends the day before."""
    last = max(start_at, end_at - timedelta(microseconds=1))
    return start_at.astimezone(zone).date(), last.astimezone(zone).date()


def ask_problems(
    ask: Ask, start_at: datetime, end_at: datetime, zone: ZoneInfo
) -> Iterator[Problem]:
    """What is wrong with the days and words of a request."""
    if ask.ends_on < ask.starts_on:
        yield Problem("ends_on", "is before the first day", "swap or correct the two")
    elif ask.ends_on - ask.starts_on >= LONGEST:
        yield Problem(
            "ends_on", "is more than a year after the first day", "ask for a year at most"
        )
    elif not local_interval(ask.starts_on, ask.ends_on, zone).covers(start_at, end_at):
        first, last = days_of(start_at, end_at, zone)
        fix = f"begin on {first} or earlier and end on {last} or later"
        yield Problem("starts_on", "leaves the meeting itself out", fix)
    yield from _word_problems("words", ask.words)


def answer_problems(approval: Approval, answer: Answer) -> Iterator[Problem]:
    """What is wrong with an answer: it may narrow what was asked for, never widen it."""
    if answer.grant is None and answer.refusal is None:
        yield Problem("choice", "is missing", "approve, narrow or refuse")
    if answer.grant is not None:
        first, last = answer.grant
        if last < first:
            yield Problem("ends_on", "is before the first day", "swap or correct the two")
        if first < approval.starts_on:
            fix = f"choose {approval.starts_on} or later"
            yield Problem("starts_on", "is earlier than was asked for", fix)
        if last > approval.ends_on:
            fix = f"choose {approval.ends_on} or earlier"
            yield Problem("ends_on", "is later than was asked for", fix)
    if answer.refusal is Refusal.OTHER and not answer.words.strip():
        yield Problem("words", "is empty", "say in a few words why")
    yield from _word_problems("words", answer.words)


def _word_problems(field: str, words: str) -> Iterator[Problem]:
    if len(words) > LONGEST_WORDS:
        yield Problem(field, f"has more than {LONGEST_WORDS} characters", "shorten it")


def state_after(approval: Approval, answer: Answer) -> ApprovalState:
    """What an answer makes of a request."""
    if answer.grant is None:
        return ApprovalState.REFUSED
    whole = (approval.starts_on, approval.ends_on)
    return ApprovalState.APPROVED if answer.grant == whole else ApprovalState.NARROWED


def authorization_of(approval: Approval, answer: Answer) -> Authorization | None:
    """The registry row that an answer is; None for a refusal."""
    if answer.grant is None:
        return None
    return Authorization(
        authorization_id="A-" + approval.id.partition("-")[2],
        partner_id=approval.partner_id,
        program_id=approval.program_id,
        school_id=approval.school_id,
        host_address=approval.host,
        starts_on=answer.grant[0],
        ends_on=answer.grant[1],
        authorizer_address=answer.by,
        issued_at=answer.at,
    )


def people_who_lead(school: School) -> tuple[str, ...]:
    """Who may authorize for a school or department: principals first, then leads."""
    return tuple(dict.fromkeys((*school.principals, *school.leads)))
