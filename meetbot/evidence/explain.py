"""A flag explained so that a stranger reaches the same verdict, with people renamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Evidence
from meetbot.domain.flags import Flag
from meetbot.domain.notices import MeetingNotice, Notice, ReminderNotice
from meetbot.domain.registry import file_of as registry_file_of
from meetbot.domain.registry import to_cells
from meetbot.domain.snapshots import Snapshot
from meetbot.evidence.document import RuleText, Ruling, Sighting
from meetbot.evidence.making import Record, rule_text, rulings, timeline, unknown
from meetbot.ports import MailedNotice
from meetbot.rules.nearest import Measure, measures, near_misses


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """How far one source had been read when it was decided."""

    source: Evidence
    is_full: bool
    problem: str


@dataclass(frozen=True, slots=True)
class RegistryRow:
    """One row that the verdict can rest on, as its file has it."""

    file: str
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class MailSent:
    """A mail about the flag: to whom by role, and what became of it."""

    kind: str
    audience: str
    state: str
    queued_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Basis:
    """What the last change of a flag rests on."""

    as_of: datetime
    """When it was decided."""
    program: str
    rules: str
    school_id: str | None
    starts_at: datetime
    ends_at: datetime
    measured: tuple[Measure, ...]
    near_misses: tuple[str, ...]
    sources: tuple[SourceSeen, ...]
    unknown: tuple[str, ...]
    rows: tuple[RegistryRow, ...]
    timeline: tuple[Sighting, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything but the flag itself."""

    rule: RuleText | None
    """None for a confidential service, and for a rule this version does not know."""
    basis: Basis | None
    without: str
    """Why there is no basis."""
    decisions: tuple[Ruling, ...]
    mails: tuple[MailSent, ...]


def explain(record: Record, mails: Sequence[MailedNotice]) -> Explanation:
    """Explain a flag by the dossier that led to its last change."""
    last = record.last_change
    is_shown = last is not None and not record.is_confidential
    kept = record.snapshots.get(last.snapshot or "") if last and is_shown else None
    return Explanation(
        rule=None if record.is_confidential else rule_text(record.flag.rule),
        basis=basis_of(record.flag, record.labels.renamed(kept)) if kept else None,
        without="" if kept else record.why_no_dossier,
        decisions=rulings(record),
        mails=tuple(
            mail_of(mailed) for mailed in mails if _is_about(mailed.notice, record.flag.id)
        ),
    )


def basis_of(flag: Flag, snapshot: Snapshot) -> Basis:
    """What the flag rests on, in a snapshot with people renamed."""
    dossier = snapshot.dossier
    return Basis(
        as_of=dossier.as_of,
        program=snapshot.program,
        rules=snapshot.rules,
        school_id=dossier.host.school.school_id if dossier.host.school else None,
        starts_at=dossier.start_at,
        ends_at=dossier.end_at,
        measured=measures(flag.rule, dossier, snapshot.policy),
        near_misses=tuple(near_misses(flag.rule, flag.partner_id, dossier, snapshot.policy)),
        sources=tuple(_sources(dossier)),
        unknown=tuple(dict.fromkeys((*flag.unknowns, *unknown(dossier, snapshot.undecided)))),
        rows=tuple(rows_of(flag, dossier)),
        timeline=tuple(timeline(dossier)),
    )


def _sources(dossier: Dossier) -> Iterator[SourceSeen]:
    for source, state in sorted(dossier.evidence.items()):
        yield SourceSeen(source, state.is_full, state.problem)


def rows_of(flag: Flag, dossier: Dossier) -> Iterator[RegistryRow]:
    """The rows of the flag's partner, and exemptions; of all partners where it names none."""
    for row in dossier.registry.all_rows():
        if flag.partner_id in (None, getattr(row, "partner_id", flag.partner_id)):
            yield RegistryRow(registry_file_of(row).filename, to_cells(row))


def _is_about(notice: Notice, flag_id: str) -> bool:
    match notice.content:
        case MeetingNotice(flags=lines) | ReminderNotice(to_mend=lines):
            return any(line.flag_id == flag_id for line in lines)
    return False


def mail_of(mailed: MailedNotice) -> MailSent:
    """A mail without what it says."""
    notice = mailed.notice
    return MailSent(notice.kind, notice.audience, mailed.state, mailed.queued_at, mailed.changed_at)
