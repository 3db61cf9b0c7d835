"""From what the database holds of a flag to its evidence file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Evidence, Phase, Undecided
from meetbot.domain.flags import Flag
from meetbot.domain.snapshots import Snapshot, Withheld
from meetbot.evidence.document import (
    SCHEMA,
    Change,
    EvidenceFile,
    KeptDossier,
    RuleText,
    Ruling,
    Sighting,
)
from meetbot.evidence.labels import Labels
from meetbot.ports import Decision, HistoryEntry
from meetbot.rules import RULES, program_version

WHY_WITHHELD: Mapping[Withheld, str] = {
    Withheld.ADULTS: "it was a meeting of adults, of which no dossier is kept",
    Withheld.CONFIDENTIAL: "it is a confidential service, of which this rule keeps no dossier",
    Withheld.NO_OUTSIDER: "nobody from outside was left, so that no dossier was kept",
    Withheld.LEFT_OUT: "its dossier was left out, as the file would be too large",
}


@dataclass(frozen=True, slots=True)
class Record:
    """All that the database holds of one flag; snapshots by digest."""

    flag: Flag
    history: Sequence[HistoryEntry]
    decisions: Sequence[Decision]
    snapshots: Mapping[str, Snapshot]
    unreadable: str = ""
    """Why the snapshot of the last change is missing here, where it was kept."""

    @property
    def last_change(self) -> HistoryEntry | None:
        """The last line of the history that meetbot decided and of which it knows on what."""
        return next((e for e in reversed(self.history) if e.snapshot or e.withheld), None)

    @property
    def is_confidential(self) -> bool:
        """Whether the last change belongs to a confidential service."""
        last = self.last_change
        return last is not None and last.withheld is Withheld.CONFIDENTIAL

    @property
    def is_closed(self) -> bool:
        """Whether nothing was kept by which its last change could be decided again."""
        return self.is_confidential and not (self.last_change and self.last_change.snapshot)

    @property
    def why_no_dossier(self) -> str:
        """Why the last change is shown with no dossier."""
        if self.unreadable:
            return self.unreadable
        if self.is_confidential and not self.is_closed:
            return "it is a confidential service: only its evidence file holds what was kept"
        withheld = self.last_change.withheld if self.last_change else None
        return WHY_WITHHELD[withheld] if withheld else "it was made by a meetbot that kept none"

    def shortened(self) -> Record:
        """The same with the first and the last dossier only, for a file that is too large."""
        kept = [entry.snapshot for entry in self.history if entry.snapshot]
        ends = {*kept[:1], *kept[-1:]}
        history = [
            entry
            if entry.snapshot is None or entry.snapshot in ends
            else replace(entry, snapshot=None, withheld=Withheld.LEFT_OUT)
            for entry in self.history
        ]
        snapshots = {digest: self.snapshots[digest] for digest in kept if digest in ends}
        return replace(self, history=history, snapshots=snapshots)

    @property
    def labels(self) -> Labels:
        """New names for everybody in it."""
        people = [decision.by for decision in self.decisions]
        return Labels([*self.snapshots.values(), *people])


def file_of(record: Record) -> EvidenceFile:
    """The evidence file of a flag, without digests.

    Of a confidential service it says only that something is there (catalogue §1, §7); of the rule
    about who was in it, also what that rule decided on.
    """
    labels = record.labels
    is_open = not record.is_closed
    snapshots = record.snapshots.items() if is_open else ()
    return EvidenceFile(
        schema=SCHEMA,
        flag_id=record.flag.id,
        status=record.flag.status,
        program=program_version(),
        flag=labels.renamed(record.flag) if is_open else None,
        rule=rule_text(record.flag.rule) if is_open else None,
        history=tuple(_change(entry, labels, is_open=is_open) for entry in record.history),
        decisions=rulings(record),
        dossiers=tuple(_kept(digest, snapshot, labels) for digest, snapshot in snapshots),
        parts={},
        digest="",
    )


def rule_text(rule_id: str) -> RuleText | None:
    """What a rule says; None for one that this version does not know."""
    rule = RULES.get(rule_id)
    if rule is None:
        return None
    texts = {f.name: getattr(rule, f.name) for f in fields(rule)}
    return RuleText(
        rule=rule.id,
        severity=rule.severity,
        phases=tuple(sorted(rule.phases)),
        needs=tuple(sorted(rule.needs)),
        wants=tuple(sorted(rule.wants)),
        sentences={
            name: str(text)
            for name, text in texts.items()
            if type(text) is str and text and name not in ("id", "family")
        },
    )


def _change(entry: HistoryEntry, labels: Labels, *, is_open: bool) -> Change:
    is_closed = entry.withheld is Withheld.CONFIDENTIAL and entry.snapshot is None
    may_show = is_open and not is_closed
    return Change(
        at=entry.at,
        change=entry.change,
        reason=labels.said(entry.reason) if may_show else "",
        flag=labels.renamed(entry.flag) if may_show else None,
        decided_on=entry.snapshot if is_open else None,
        withheld=entry.withheld,
    )


def rulings(record: Record) -> tuple[Ruling, ...]:
    """What officers decided, with the officers renamed."""
    labels = record.labels
    return tuple(_ruling(decision, labels) for decision in record.decisions)


def _ruling(decision: Decision, labels: Labels) -> Ruling:
    return Ruling(
        decision.decided_at,
        decision.status,
        decision.reason,
        labels.text(decision.by),
        bool(decision.note),
    )


def _kept(digest: str, snapshot: Snapshot, labels: Labels) -> KeptDossier:
    renamed = labels.renamed(snapshot)
    return KeptDossier(
        stored=digest,
        program=snapshot.program,
        rules=snapshot.rules,
        policy=renamed.policy,
        dossier=renamed.dossier,
        undecided=renamed.undecided,
        timeline=tuple(timeline(renamed.dossier)),
        unknown=tuple(unknown(renamed.dossier, renamed.undecided)),
        about=snapshot.about,
    )


def timeline(dossier: Dossier) -> Iterator[Sighting]:
    """Who was seen when, by which source and how surely; a dossier with people renamed."""
    seen = [(visit, person) for person in dossier.attendances for visit in person.visits]
    for visit, person in sorted(seen, key=lambda one: (one[0].start_at, one[1].person_key)):
        yield Sighting(
            who=person.person_key,
            kind=person.kind,
            partner_id=person.partner_id,
            confidence=person.confidence,
            source=visit.source,
            conference=visit.conference,
            start_at=visit.start_at,
            end_at=visit.end_at,
            last_seen_at=visit.last_seen_at,
            is_outer_limit=visit.is_hull,
        )


def unknown(dossier: Dossier, undecided: Sequence[Undecided]) -> Iterator[str]:
    """What was not known when it was decided, each sentence once.

    That nobody was seen before a meeting has begun is no gap.
    """
    problems = [
        f"{source}: {state.problem or 'could not be read in full'}"
        for source, state in sorted(dossier.evidence.items())
        if not state.is_full
        and not (source is Evidence.ATTENDANCE and dossier.phase is Phase.SCHEDULED)
    ]
    reasons = [f"{doubt.rule}: {doubt.reason}" for doubt in undecided]
    yield from dict.fromkeys([*problems, *dossier.contradictions, *reasons])
