"""One dossier and a policy → a verdict: findings, what is undecided, when to look again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import (
    Concern,
    Evidence,
    Finding,
    FlagKey,
    Phase,
    Severity,
    Undecided,
    Verdict,
)
from meetbot.domain.meetings import Scope
from meetbot.domain.policy import Policy
from meetbot.rules.catalogue import RULES
from meetbot.rules.crossings import next_crossing
from meetbot.rules.engagements import program_of
from meetbot.rules.rule import Rule, Unsure

_OF_PLANNED_MEETINGS = frozenset({Evidence.GUESTS, Evidence.TEXT, Evidence.SPACE, Evidence.EDITS})
_BEFORE_START = (timedelta(days=7), timedelta(hours=24), timedelta(hours=1), timedelta(0))
_SETTLING = timedelta(minutes=10)

_SOURCES = {
    Evidence.CALENDAR: "the calendar",
    Evidence.GUESTS: "the guest list",
    Evidence.DIRECTORY: "the directory",
    Evidence.REGISTRY: "the partner registry",
    Evidence.ATTENDANCE: "who was in the call",
    Evidence.TEXT: "the text of the invitation",
    Evidence.SPACE: "the settings of the Meet space",
    Evidence.EDITS: "the audit log of calendars",
}


def evaluate(dossier: Dossier, policy: Policy, *, only: Collection[str] | None = None) -> Verdict:
    """Ask every rule of this phase, or of those only the given ones.

    Pure: the same dossier and policy give the same verdict.

    A rule that does not apply to the meeting's scope, or to a cancelled meeting that was not
    held, is decided without a finding, so that flags from before are withdrawn. One that is
    switched off is neither asked nor decided.
    """
    findings: dict[FlagKey, Finding] = {}
    undecided: list[Undecided] = []
    decided: set[str] = set()
    identity = _identity(dossier)
    for rule in RULES.values():
        if dossier.phase not in rule.phases or not policy.switch(rule.id).is_enabled:
            continue
        if only is not None and rule.id not in only:
            continue
        found, doubt = _ask(rule, dossier, policy, identity)
        for finding in found:
            findings.setdefault(finding.key, finding)
        if doubt is None:
            decided.add(rule.id)
        else:
            undecided.append(doubt)
    return Verdict(
        findings=tuple(sorted(findings.values(), key=lambda f: (f.rule, f.concern.subject))),
        undecided=tuple(undecided),
        decided=frozenset(decided),
        recheck_at=next_crossing(dossier, policy),
    )


def next_look(dossier: Dossier) -> datetime | None:
    """The next instant after `as_of` at which time alone can change the verdict.

    Seven days, a day and an hour before the start, the start, ten minutes and a day after the
    end (catalogue §3, Phases).
    """
    instants = [dossier.start_at - lead for lead in _BEFORE_START]
    ends = [dossier.end_at, *(c.end_at for c in dossier.conferences if c.end_at)]
    instants += [dossier.end_at + _SETTLING, *(end + dossier.late_after for end in ends)]
    return min((at for at in instants if at > dossier.as_of), default=None)


def _identity(dossier: Dossier) -> dict[str, object]:
    """How surely people are known (E1 to E4), by class; nobody is named or counted."""
    found: dict[str, object] = {}
    for where, people in (("invited", dossier.invitees), ("present", dossier.attendances)):
        levels: dict[str, set[str]] = {}
        for person in people:
            levels.setdefault(person.kind, set()).add(person.confidence)
        if levels:
            found[where] = {str(kind): sorted(levels[kind]) for kind in sorted(levels)}
    return found


def _ask(
    rule: Rule, dossier: Dossier, policy: Policy, identity: Mapping[str, object]
) -> tuple[tuple[Finding, ...], Undecided | None]:
    if dossier.scope not in rule.scopes or _is_off(dossier):
        return (), None
    missing = _unread(rule.needs, dossier)
    if missing:
        return (), Undecided(rule.id, missing, _reason(missing, dossier))
    concerns: list[Concern] = []
    doubts: list[Unsure] = []
    for said in rule.check(dossier, policy):
        if isinstance(said, Concern):
            concerns.append(said)
        else:
            doubts.append(said)
    unseen = _unread(rule.wants, dossier)
    if unseen:
        doubts.append(Unsure(_reason(unseen, dossier), unseen))
    findings = tuple(_finding(rule, c, dossier, policy, identity) for c in concerns)
    return findings, _undecided(rule, doubts)


def _is_off(dossier: Dossier) -> bool:
    """Whether the meeting was cancelled, and as far as is known not held anyway."""
    if dossier.meeting is None or not dossier.meeting.is_cancelled:
        return False
    return dossier.phase is Phase.SCHEDULED or not dossier.conferences


def _unread(sources: Iterable[Evidence], dossier: Dossier) -> frozenset[Evidence]:
    """Those of the sources that were not read in full; an ad-hoc call has no invitation."""
    asked = frozenset(sources)
    if dossier.meeting is None:
        asked -= _OF_PLANNED_MEETINGS
    return frozenset(source for source in asked if not dossier.has(source))


def _reason(missing: Iterable[Evidence], dossier: Dossier) -> str:
    return "; ".join(_problem(source, dossier) for source in sorted(missing))


def _problem(source: Evidence, dossier: Dossier) -> str:
    state = dossier.evidence.get(source)
    if state is not None and state.problem:
        return state.problem
    return f"{_SOURCES[source]} could not be read in full"


def _undecided(rule: Rule, doubts: list[Unsure]) -> Undecided | None:
    if not doubts:
        return None
    missing = frozenset(source for doubt in doubts for source in doubt.missing)
    return Undecided(rule.id, missing, "; ".join(dict.fromkeys(d.reason for d in doubts)))


def _finding(
    rule: Rule,
    concern: Concern,
    dossier: Dossier,
    policy: Policy,
    identity: Mapping[str, object],
) -> Finding:
    concern = replace(concern, facts={**concern.facts, "identity": identity})
    if concern.program_id is None:
        concern = replace(concern, program_id=program_of(dossier, concern.partner_id))
    return Finding(
        rule=rule.id,
        occurrence=dossier.key,
        phase=dossier.phase,
        severity=_severity(rule, concern, dossier, policy),
        concern=concern,
        message=rule.officer.format_map(concern.facts),
        advice=rule.teacher.format_map(concern.facts),
        fix=rule.fix,
        family=rule.family,
        is_sticky=rule.is_sticky,
        admin=rule.admin,
    )


def _severity(rule: Rule, concern: Concern, dossier: Dossier, policy: Policy) -> Severity:
    """The district's severity where it set one; meetings of adults never cause more than low."""
    wanted = policy.switch(rule.id).severity or concern.severity or rule.severity
    if dossier.scope is Scope.ADULT:
        return min(wanted, Severity.LOW, key=lambda severity: severity.rank)
    return wanted
