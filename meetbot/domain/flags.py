"""Flags: findings kept open until they are withdrawn, superseded or decided by an officer."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from meetbot.domain.findings import (
    Certainty,
    Finding,
    FlagKey,
    Phase,
    Severity,
    TimelineSpan,
    Verdict,
)
from meetbot.domain.meetings import OccurrenceKey


class FlagStatus(StrEnum):
    """`contract.md`: open and acknowledged wait for somebody; the rest are closed."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"

    @property
    def is_pending(self) -> bool:
        """Whether an officer's decision is still to come."""
        return self in (FlagStatus.OPEN, FlagStatus.ACKNOWLEDGED)

    @property
    def is_decided(self) -> bool:
        """Whether an officer closed it; meetbot never reopens or withdraws such a flag."""
        return self in (FlagStatus.UPHELD, FlagStatus.DISMISSED)


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag as kept. `told` maps an audience to the instant at which a mail was queued."""

    id: str
    key: FlagKey
    occurrence: OccurrenceKey
    status: FlagStatus
    severity: Severity
    certainty: Certainty
    is_provisional: bool
    phase: Phase
    message: str
    advice: str
    fix: str
    facts: Mapping[str, object]
    spans: tuple[TimelineSpan, ...]
    unknowns: tuple[str, ...]
    family: str | None
    is_sticky: bool
    school_id: str | None
    partner_id: str | None
    program_id: str | None
    conference_records: tuple[str, ...]
    opened_at: datetime
    updated_at: datetime
    told: Mapping[str, datetime] = field(default_factory=dict)
    told_severity: Severity | None = None
    """Severity at the last mail to officers: a rise is mailed again."""
    admin: str = ""
    """What an administrator of Google Workspace can do, where a setting mends it."""

    @property
    def rule(self) -> str:
        """Rule id."""
        return self.key.rule


class ChangeKind(StrEnum):
    """What `reconcile` did to a flag."""

    OPENED = "opened"
    REOPENED = "reopened"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


_ALONE = "alone"
"""Kind of the spans in which a partner was alone with a student."""


@dataclass(frozen=True, slots=True)
class FlagChange:
    """One change of state, to be stored with its evidence in one transaction."""

    kind: ChangeKind
    flag: Flag
    reason: str = ""


def flag_id(key: FlagKey) -> str:
    """Stable id of a flag: `F-` and 12 hexadecimal digits of its key's SHA-256."""
    text = "\0".join((key.rule, key.occurrence, key.subject))
    return "F-" + hashlib.sha256(text.encode()).hexdigest()[:12]


def reconcile(
    kept: Sequence[Flag],
    verdict: Verdict,
    *,
    as_of: datetime,
    school_id: str | None = None,
    conference_records: tuple[str, ...] = (),
    withdraw_reason: str = "no longer found",
) -> tuple[FlagChange, ...]:
    """Compare the findings of one occurrence with its flags; pure and repeatable.

    A rule that was not decided (another phase, or evidence missing) leaves its flags as they
    are. A flag that an officer upheld or dismissed stays as it was decided. Changes come in a
    stable order.
    """
    flags = {flag.key: flag for flag in kept}
    found = {finding.key: finding for finding in verdict.findings}
    changes: list[FlagChange] = []
    for key, finding in found.items():
        before = flags.get(key)
        after = flag_of(finding, before, as_of, school_id, conference_records)
        change = _change_of(before, after)
        if change is not None:
            changes.append(change)
    live_families = {f.family for f in verdict.findings if f.family and not _is_alone(f)}
    for key, flag in flags.items():
        if key not in found and flag.status.is_pending and flag.rule in verdict.decided:
            closed = _close(flag, live_families, as_of, withdraw_reason)
            if closed is not None:
                changes.append(closed)
    return tuple(sorted(changes, key=lambda c: (c.flag.rule, c.flag.key.subject)))


def flag_of(
    finding: Finding,
    before: Flag | None,
    as_of: datetime,
    school_id: str | None,
    conference_records: tuple[str, ...],
) -> Flag:
    """The flag that a finding keeps open; of the one before it keeps what is not decided anew."""
    concern = finding.concern
    status = before.status if before else FlagStatus.OPEN
    if status in (FlagStatus.WITHDRAWN, FlagStatus.SUPERSEDED):
        status = FlagStatus.OPEN
    return Flag(
        id=flag_id(finding.key),
        key=finding.key,
        occurrence=finding.occurrence,
        status=status,
        severity=finding.severity,
        certainty=concern.certainty,
        is_provisional=concern.is_provisional,
        phase=finding.phase,
        message=finding.message,
        advice=finding.advice,
        fix=finding.fix,
        facts={key: _stored(value) for key, value in concern.facts.items()},
        spans=concern.spans,
        unknowns=concern.unknowns,
        family=finding.family,
        is_sticky=finding.is_sticky,
        school_id=school_id,
        partner_id=concern.partner_id,
        program_id=concern.program_id,
        conference_records=conference_records,
        opened_at=before.opened_at if before else as_of,
        updated_at=as_of,
        told=before.told if before else {},
        told_severity=before.told_severity if before else None,
        admin=finding.admin,
    )


def _stored(value: object) -> object:
    """A fact as the store gives it back, so that what did not change compares equal."""
    match value:
        case str() | bool() | int() | float() | None:
            return value
        case Mapping():
            return {str(key): _stored(item) for key, item in value.items()}
        case Collection():
            return [_stored(item) for item in value]
    return str(value)


def _change_of(before: Flag | None, after: Flag) -> FlagChange | None:
    if before is None:
        return FlagChange(ChangeKind.OPENED, after)
    if before.status.is_decided:
        return None
    if before.status in (FlagStatus.WITHDRAWN, FlagStatus.SUPERSEDED):
        # Told again from the start: those who heard "withdrawn" must hear that it is back.
        again = replace(after, opened_at=after.updated_at, told={}, told_severity=None)
        return FlagChange(ChangeKind.REOPENED, again)
    if replace(before, updated_at=after.updated_at) == after:
        return None
    return FlagChange(ChangeKind.UPDATED, after)


def _is_alone(about: Finding | Flag) -> bool:
    """Whether this is about one-to-one time, which lies beside the other classifications.

    It takes no other's place and none takes its: where it is gone, those who were told hear so.
    """
    spans = about.concern.spans if isinstance(about, Finding) else about.spans
    return bool(spans) and all(span.kind == _ALONE for span in spans)


def _close(
    flag: Flag, live_families: Collection[str], as_of: datetime, reason: str
) -> FlagChange | None:
    if flag.is_sticky:
        return None
    if flag.family and flag.family in live_families and not _is_alone(flag):
        after = replace(flag, status=FlagStatus.SUPERSEDED, updated_at=as_of)
        return FlagChange(ChangeKind.SUPERSEDED, after, "another classification took its place")
    if flag.family and not flag.is_provisional and flag.certainty is Certainty.NEEDS_REVIEW:
        return None  # catalogue §3: needs-review presence flags are never closed automatically
    after = replace(flag, status=FlagStatus.WITHDRAWN, updated_at=as_of)
    return FlagChange(ChangeKind.WITHDRAWN, after, reason)
