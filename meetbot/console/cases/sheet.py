"""All that the page of one case shows, read with a fixed number of questions to the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest

from meetbot.console.cases.rows import Row, counting, partner_names, rows_of, school_name
from meetbot.console.cases.timelines import timeline_for
from meetbot.domain.cards import card_of, programs_of, thread_of
from meetbot.domain.casework import Case, CaseEvent
from meetbot.domain.dossier import Dossier
from meetbot.domain.flags import ChangeKind, Flag
from meetbot.domain.notices import PartnerLine, Timeline
from meetbot.domain.registry import Registry
from meetbot.domain.snapshots import Snapshot, Withheld
from meetbot.evidence.document import RuleText
from meetbot.evidence.explain import Basis, MailSent, basis_of, mail_of
from meetbot.evidence.explain import rows_of as registry_rows
from meetbot.evidence.labels import Labels
from meetbot.evidence.making import rule_text
from meetbot.notify.text import total_seconds
from meetbot.ports import Decision, HistoryLine, Tx

MOST_DOSSIERS = 6
"""Read for one page, the newest ones; `flags show` has the others."""
MOST_EARLIER = 10
_SHOWN = frozenset(ChangeKind) - {ChangeKind.UPDATED}
"""Changes of flags worth a line: a running call changes facts every minute."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The meeting in five facts."""

    starts_at: datetime
    ends_at: datetime | None
    is_adhoc: bool
    without_staff: int
    """Seconds; 0 where the case is about something else."""
    school: str
    host: str
    """Name or address; empty where the host is not staff."""
    partners: tuple[PartnerLine, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """What one flag rests on."""

    flag: Flag
    rule: RuleText | None
    basis: Basis | None
    without: str
    """Why there is no basis: a code of `Withheld`, or a sentence."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the history: of a flag, or of the case."""

    at: datetime
    flag: Flag | None = None
    change: str = ""
    reason: str = ""
    decision: Decision | None = None
    event: CaseEvent | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One case with everything around it."""

    case: Case
    flags: tuple[Flag, ...]
    """The most urgent first."""
    lead: Flag
    """The flag that gives the case its sentence."""
    also: tuple[Flag, ...]
    """Other flags that count."""
    gone: tuple[Flag, ...]
    """Flags that no longer do, or are decided while others wait."""
    facts: Facts
    timeline: Timeline | None
    unknown: tuple[str, ...]
    grounds: tuple[Ground, ...]
    with_partner: tuple[Row, ...]
    with_host: tuple[Row, ...]
    mails: tuple[MailSent, ...]
    events: tuple[CaseEvent, ...]
    history: tuple[Happening, ...]


def sheet_of(
    tx: Tx,
    case: Case,
    registry: Registry,
    contacts: Mapping[str, str],
    *,
    private: bool,
    schools: frozenset[str] | None,
) -> Sheet:
    """The page of a case. `schools`: the only ones whose cases may be told of; None: any.

    `private`: whether private ones may.
    """
    flags = tx.flags.of(case.occurrence)
    lines = tx.flags.lines_of([flag.id for flag in flags])
    kept = _snapshots(tx, lines)
    dossier = _newest(kept)
    counted = counting(flags)
    events = tuple(tx.cases.events(case.id))
    labels = Labels([s for s in kept.values() if isinstance(s, Snapshot)])
    grounds = tuple(_ground(flag, lines, kept, labels) for flag in counted)
    earlier = rows_of(tx, _earlier(tx, case, private=private, schools=schools), registry)
    return Sheet(
        case=case,
        flags=tuple(flags),
        lead=counted[0],
        also=tuple(counted[1:]),
        gone=tuple(flag for flag in flags if flag not in counted),
        facts=_facts(tx, case, dossier, counted, registry, contacts),
        timeline=timeline_for(dossier, flags) if dossier else None,
        unknown=_unknown(grounds),
        grounds=grounds,
        with_partner=tuple(r for r in earlier if set(r.case.partners) & set(case.partners)),
        with_host=tuple(r for r in earlier if set(r.case.answerers) & set(case.answerers)),
        mails=tuple(map(mail_of, tx.outbox.of_thread(thread_of(flags[0].occurrence)))),
        events=events,
        history=_history(flags, lines, tx.flags.decisions_of([f.id for f in flags]), events),
    )


# --- evidence -----------------------------------------------------------------------------------


def _snapshots(tx: Tx, lines: Iterable[HistoryLine]) -> Mapping[str, Snapshot | str]:
    """The newest dossiers that flags of the case rest on, or why one cannot be read."""
    last = {line.flag_id: line.snapshot for line in lines if line.snapshot}
    newest = dict.fromkeys(line.snapshot for line in reversed(list(lines)) if line.snapshot)
    wanted = [digest for digest in newest if digest in set(last.values())]
    found = tx.snapshots.load_some(wanted[:MOST_DOSSIERS])
    return {digest: found[digest] for digest in wanted if digest in found}


def _newest(kept: Mapping[str, Snapshot | str]) -> Dossier | None:
    return next((found.dossier for found in kept.values() if isinstance(found, Snapshot)), None)


def _ground(
    flag: Flag,
    lines: Iterable[HistoryLine],
    kept: Mapping[str, Snapshot | str],
    labels: Labels,
) -> Ground:
    """What a flag rests on: the dossier that led to its last change, with people renamed."""
    own = [line for line in lines if line.flag_id == flag.id]
    last = next((line for line in reversed(own) if line.snapshot or line.withheld), None)
    found = kept.get(last.snapshot or "") if last else None
    if isinstance(found, Snapshot):
        basis = basis_of(labels.renamed(flag), labels.renamed(found))
        return Ground(
            flag, rule_text(flag.rule), replace(basis, rows=registry_rows(flag, found.dossier)), ""
        )
    is_confidential = last is not None and last.withheld is Withheld.CONFIDENTIAL
    without = found or (last.withheld if last and last.withheld else "")
    return Ground(flag, None if is_confidential else rule_text(flag.rule), None, without)


def _unknown(grounds: Iterable[Ground]) -> tuple[str, ...]:
    """What was not known, each sentence once."""
    sentences = (
        sentence
        for ground in grounds
        for sentence in (ground.basis.unknown if ground.basis else ground.flag.unknowns)
    )
    return tuple(dict.fromkeys(sentences))


# --- the meeting --------------------------------------------------------------------------------


def _facts(
    tx: Tx,
    case: Case,
    dossier: Dossier | None,
    flags: Sequence[Flag],
    registry: Registry,
    contacts: Mapping[str, str],
) -> Facts:
    spans = [span for flag in flags for span in flag.spans]
    return Facts(
        starts_at=dossier.start_at if dossier else case.starts_at,
        ends_at=dossier.end_at if dossier else None,
        is_adhoc=flags[0].occurrence.ical_uid is None,
        without_staff=total_seconds(spans),
        school=school_name(registry, case.school_id),
        host=host_name(tx, case),
        partners=tuple(_partners(case, dossier, registry, contacts)),
    )


def host_name(tx: Tx, case: Case) -> str:
    """The staff host's name, else address; empty where there is none or nobody knows it."""
    account = tx.people.by_address([case.host_key]).get(case.host_key) if case.host_key else None
    return (account.display_name or account.address or "") if account else ""


def _partners(
    case: Case, dossier: Dossier | None, registry: Registry, contacts: Mapping[str, str]
) -> Iterator[PartnerLine]:
    """Partners with their standing when it was decided. Behind the sign-in all have names."""
    if dossier is None:
        for partner_id, name in zip(
            case.partners, partner_names(registry, case.partners), strict=True
        ):
            yield PartnerLine(name, registry.partner(partner_id) is not None, ())
        return
    known = list(programs_of(dossier))
    for partner_id, line in zip_longest(known, card_of(dossier, contacts).partners):
        partner = dossier.registry.partner(partner_id) if partner_id else None
        yield replace(line, name=partner.name) if partner else line


# --- what came before and after -----------------------------------------------------------------


def _earlier(tx: Tx, case: Case, *, private: bool, schools: frozenset[str] | None) -> list[Case]:
    found = tx.cases.earlier(
        case.partners,
        case.host_key,
        before=case.starts_at,
        limit=MOST_EARLIER,
        private=private,
    )
    return [c for c in found if schools is None or schools & set(c.schools)]


def _history(
    flags: Sequence[Flag],
    lines: Iterable[HistoryLine],
    decisions: Iterable[Decision],
    events: Iterable[CaseEvent],
) -> tuple[Happening, ...]:
    """Everything that happened, the latest first; a decision that is an event is told once."""
    by_id = {flag.id: flag for flag in flags}
    told = {(event.at, event.by, step.flag_id) for event in events for step in event.steps}
    found = [Happening(event.at, event=event) for event in events]
    found += [
        Happening(one.decided_at, by_id[one.flag_id], decision=one)
        for one in decisions
        if (one.decided_at, one.by, one.flag_id) not in told
    ]
    found += [
        Happening(line.at, by_id[line.flag_id], change=line.change, reason=line.reason)
        for line in lines
        if line.change in _SHOWN
    ]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))
