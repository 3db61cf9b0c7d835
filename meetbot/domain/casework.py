"""Cases: all flags of one occurrence, what officers and hosts did about them, and what follows.

What a case says of itself is made of its flags and of what only the judge knows of the meeting
(`Noted`); until the judge has said it, a case counts as private, for nobody is hurt by an officer
who waits, and a clinical session that is shown cannot be taken back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meetbot.domain.case_ids import case_id
from meetbot.domain.findings import Severity
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.routing import PRIVATE_RULES

_GONE = (FlagStatus.WITHDRAWN, FlagStatus.SUPERSEDED)


class CaseStatus(StrEnum):
    """Open: some flag waits. Acknowledged: none is open, some are seen and undecided."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class TermKind(StrEnum):
    """By what cases are found."""

    RULE = "rule"
    PARTNER = "partner"
    """partner_id of the registry."""
    SCHOOL = "school"
    """school_id of the registry."""
    HOST = "host"
    """Keyed address of who may answer for the meeting."""


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """One thing by which a case is found."""

    kind: TermKind
    value: str


@dataclass(frozen=True, slots=True)
class Noted:
    """What only the judge knows of a meeting with flags. Addresses are keyed."""

    host_key: str | None
    """The staff host's primary address; None where the host is not staff."""
    answerers: tuple[str, ...]
    """Who may answer for the meeting: the staff host, else the invited staff."""
    schools: tuple[str, ...]
    """school_ids whose principals hear of it: the host's, else those of the invited staff."""
    is_private: bool
    """A confidential meeting: nobody but the privacy officers hears of it."""
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """One case as kept. Nothing in it is of a student."""

    id: str
    occurrence: str
    """Key of the occurrence, as `FlagStore.of` takes it; never shown: it may hold a Meet code."""
    status: CaseStatus
    severity: Severity
    """The highest of the pending flags; of a closed case, of all flags."""
    is_private: bool
    """Privacy officers alone may see it; also where the judge has not yet said so."""
    school_id: str | None
    """The host's school; see `schools` for who may see the case."""
    host_key: str | None
    """Keyed primary address of the staff host."""
    starts_at: datetime
    """Start of the meeting."""
    opened_at: datetime
    """When the newest of its flags was opened."""
    updated_at: datetime
    """When a flag changed, or something was done about it, last."""
    flags: int
    pending: int
    """How many flags wait for a decision."""
    version: int
    """Rises with everything a decision depends on; a form that shows an older one is refused."""
    rules: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    """partner_ids."""
    schools: tuple[str, ...] = ()
    """school_ids whose principals may see it."""
    answerers: tuple[str, ...] = ()
    """Keyed addresses of who may answer as host."""


def is_private(flags: Sequence[Flag], noted: Noted | None) -> bool:
    """Whether nobody but the privacy officers may see the case of these flags.

    A flag of which only they hear makes it so, unless it is gone and others are left: those are
    everybody's, and `shown` leaves it out.
    """
    theirs = [flag for flag in flags if flag.rule in PRIVATE_RULES]
    return (
        noted is None
        or noted.is_private
        or len(theirs) == len(flags)
        or any(flag.status not in _GONE for flag in theirs)
    )


def shown(flags: Sequence[Flag], *, private: bool) -> tuple[Flag, ...]:
    """Those of a case's flags that belong to it as others than privacy officers see it."""
    return tuple(flag for flag in flags if private or flag.rule not in PRIVATE_RULES)


def case_of(
    flags: Sequence[Flag], noted: Noted | None, *, version: int = 1, touched_at: datetime | None
) -> Case:
    """The case of all flags (one at least) of one occurrence, closed ones included.

    `touched_at` is when something was last done about it besides changes of flags.
    """
    private = is_private(flags, noted)
    flags = shown(flags, private=private)
    pending = [flag for flag in flags if flag.status.is_pending]
    last = max(flags, key=lambda flag: (flag.updated_at, flag.id))
    terms = terms_of(flags, noted)
    return Case(
        id=case_id(last.key.occurrence),
        occurrence=last.key.occurrence,
        status=_status(pending),
        severity=max((f.severity for f in pending or flags), key=lambda severity: severity.rank),
        is_private=private,
        school_id=_school(flags),
        host_key=noted.host_key if noted else None,
        starts_at=noted.starts_at if noted else last.occurrence.original_start_at,
        opened_at=max(flag.opened_at for flag in flags),
        updated_at=max(filter(None, (last.updated_at, touched_at))),
        flags=len(flags),
        pending=len(pending),
        version=version,
        rules=_values(terms, TermKind.RULE),
        partners=_values(terms, TermKind.PARTNER),
        schools=_values(terms, TermKind.SCHOOL),
        answerers=_values(terms, TermKind.HOST),
    )


def _status(pending: Sequence[Flag]) -> CaseStatus:
    if not pending:
        return CaseStatus.CLOSED
    is_open = any(flag.status is FlagStatus.OPEN for flag in pending)
    return CaseStatus.OPEN if is_open else CaseStatus.ACKNOWLEDGED


def _school(flags: Sequence[Flag]) -> str | None:
    newest = sorted(flags, key=lambda flag: (flag.updated_at, flag.id), reverse=True)
    return next((flag.school_id for flag in newest if flag.school_id), None)


def terms_of(flags: Iterable[Flag], noted: Noted | None) -> tuple[Term, ...]:
    """Everything by which a case of these flags (see `shown`) is found, sorted."""
    found: set[Term] = set()
    for flag in flags:
        found.add(Term(TermKind.RULE, flag.rule))
        if flag.partner_id:
            found.add(Term(TermKind.PARTNER, flag.partner_id))
        if flag.school_id:
            found.add(Term(TermKind.SCHOOL, flag.school_id))
    if noted:
        found |= {Term(TermKind.SCHOOL, school) for school in noted.schools}
        found |= {Term(TermKind.HOST, key) for key in noted.answerers}
    return tuple(sorted(found))


def _values(terms: Iterable[Term], kind: TermKind) -> tuple[str, ...]:
    return tuple(term.value for term in terms if term.kind is kind)


def gist_of(flags: Iterable[Flag]) -> str:
    """What an officer decides on, without what a running call changes every minute."""
    parts = sorted(f"{f.id}/{f.status}/{f.severity}/{f.certainty}" for f in flags)
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]


# --- what was done about a case -----------------------------------------------------------------


class EventKind(StrEnum):
    """What somebody did about a case."""

    ACKNOWLEDGED = "acknowledged"
    ASKED = "asked"
    """The host was asked by mail."""
    ANSWERED = "answered"
    """By the host."""
    IDENTIFIED = "identified"
    """The host said who an unknown participant was."""
    ACCEPTED = "accepted"
    """An officer believes what the host said of an unknown participant."""
    ESCALATED = "escalated"
    PROPOSED = "proposed"
    """A decision that needs a second officer."""
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    UNDONE = "undone"
    NOTED = "noted"
    """An officer's remark."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an event did, or proposes to do, to one flag."""

    flag_id: str
    before: FlagStatus
    after: FlagStatus


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One thing done about a case; each is a link of the chain."""

    case_id: str
    kind: EventKind
    at: datetime
    by: str
    """Address of who did it; never a student's."""
    choice: str = ""
    """Reason code of a decision, or the ready answer that was chosen."""
    note: str = ""
    """Free text, searched for students before it is kept."""
    about: str = ""
    """Of an identification: which unknown participant, see `jobs.case_facts.Stranger`."""
    person: str = ""
    """Of an identification: address of the colleague, or partner_id."""
    of: int | None = None
    """Number of the event that this one confirms, rejects, accepts or undoes."""
    steps: tuple[Step, ...] = ()
    number: int = 0
    """Given by the store; rises."""
