"""What the page of one case shows beside `jobs.case_facts`: the grounds of each flag as
`evidence.explain` has them, and one history of flags, decisions and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from meetbot.console.cases.timelines import TimelineTable, table_of
from meetbot.domain.casework import Case, CaseEvent
from meetbot.domain.flags import ChangeKind, Flag
from meetbot.domain.snapshots import Snapshot
from meetbot.evidence.document import RuleText
from meetbot.evidence.explain import Basis, MailSent, basis_of, mail_of
from meetbot.evidence.labels import Labels
from meetbot.evidence.making import rule_text
from meetbot.jobs.case_facts import CaseFacts, CaseLine, FlagFacts
from meetbot.ports import Decision

_SHOWN = frozenset(ChangeKind) - {ChangeKind.UPDATED}
"""Changes of flags worth a line: a running call changes facts every minute."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What one flag rests on."""

    facts: FlagFacts
    rule: RuleText | None
    """None of a confidential meeting, and for a rule this version does not know."""
    basis: Basis | None


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the history: of a flag, or of the case."""

    at: datetime
    flag: Flag | None = None
    change: str = ""
    decision: Decision | None = None
    event: CaseEvent | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One case with everything around it."""

    facts: CaseFacts
    lead: Flag
    """The flag that gives the case its sentence."""
    also: tuple[Flag, ...]
    """Other flags that wait; of a closed case, other ones that were decided."""
    gone: tuple[Flag, ...]
    """The rest."""
    timeline: TimelineTable | None
    grounds: tuple[Ground, ...]
    with_partner: tuple[CaseLine, ...]
    with_host: tuple[CaseLine, ...]
    mails: tuple[MailSent, ...]
    history: tuple[Happening, ...]

    @property
    def case(self) -> Case:
        """The case."""
        return self.facts.case

    @property
    def pending(self) -> tuple[Flag, ...]:
        """The flags that can be decided now."""
        return tuple(f for f in (self.lead, *self.also) if f.status.is_pending)


def sheet_of(facts: CaseFacts) -> Sheet:
    """The page of a case."""
    case = facts.case
    flags = [one.flag for one in facts.flags]
    lead = flags[0]
    counted = [flag for flag in flags if _counts(flag, lead)]
    labels = Labels(facts.snapshots.values())
    kept = {digest: labels.renamed(one) for digest, one in facts.snapshots.items()}
    return Sheet(
        facts=facts,
        lead=lead,
        also=tuple(flag for flag in counted if flag is not lead),
        gone=tuple(flag for flag in flags if flag not in counted),
        timeline=table_of(facts.timeline, facts.zone) if facts.timeline else None,
        grounds=tuple(
            Ground(one, _rule(one, case), _basis(one, kept, labels))
            for one in facts.flags
            if one.flag in counted
        ),
        with_partner=tuple(e for e in facts.earlier if set(e.case.partners) & set(case.partners)),
        with_host=tuple(e for e in facts.earlier if set(e.case.answerers) & set(case.answerers)),
        mails=tuple(map(mail_of, facts.mails)),
        history=_history(facts.flags, facts.events),
    )


def _counts(flag: Flag, lead: Flag) -> bool:
    """Whether a flag is of the same weight as the one that gives the case its sentence."""
    status = lead.status
    return flag.status.is_pending if status.is_pending else flag.status.is_decided or flag is lead


def _rule(one: FlagFacts, case: Case) -> RuleText | None:
    return None if case.is_private else rule_text(one.flag.rule)


def _basis(one: FlagFacts, kept: Mapping[str, Snapshot], labels: Labels) -> Basis | None:
    """What a flag rests on, with people renamed as in the evidence file."""
    snapshot = kept.get(one.decided_on or "")
    return basis_of(labels.renamed(one.flag), snapshot) if snapshot else None


def _history(flags: Sequence[FlagFacts], events: Sequence[CaseEvent]) -> tuple[Happening, ...]:
    """Everything that happened, the latest first; a decision that is an event is told once."""
    told = {(event.at, event.by, step.flag_id) for event in events for step in event.steps}
    found = [Happening(event.at, event=event) for event in events]
    for one in flags:
        found += _of_flag(one, told)
    return tuple(sorted(found, key=lambda happening: happening.at, reverse=True))


def _of_flag(one: FlagFacts, told: set[tuple[datetime, str, str]]) -> Iterable[Happening]:
    for line in one.history:
        if line.change in _SHOWN:
            yield Happening(line.at, one.flag, change=line.change)
    for decision in one.decisions:
        if (decision.decided_at, decision.by, decision.flag_id) not in told:
            yield Happening(decision.decided_at, one.flag, decision=decision)
