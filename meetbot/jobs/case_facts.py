"""Everything that the page of a case shows, and a line of it for lists.

What was seen comes from what the flags were decided on (`domain.snapshots`), not from what is
known today: an officer decides on the same facts as the rules did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from meetbot.domain.attendance import Attendance, IdentityForm
from meetbot.domain.cards import card_of, labels_of, thread_of, timeline_of
from meetbot.domain.casework import Case, CaseEvent, EventKind, shown
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Evidence, Phase
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.notices import Audience, MeetingCard, PartnerLine, Timeline
from meetbot.domain.people import Kind
from meetbot.domain.registry import NOT_PARTNER_KINDS, Exemption, Registry, Row, file_of, to_cells
from meetbot.domain.snapshots import Snapshot, Withheld
from meetbot.errors import NotFound
from meetbot.jobs.deps import Standards
from meetbot.ports import Decision, HistoryLine, MailedNotice, Tx

_MOST_EARLIER = 10
_MANY = 40
"""Earlier cases that are looked at for some that the reader may see."""
_STRANGE = (Kind.UNIDENTIFIED, Kind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class RegistryLine:
    """One registry row as it was known when a flag was decided: file without `.csv`, and cells."""

    file: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a flag's history: a change by the rules, or an officer's decision."""

    at: datetime
    change: str
    reason: str


@dataclass(frozen=True, slots=True)
class FlagFacts:
    """One flag with what it rests on."""

    flag: Flag
    seconds: int
    """Of contact without staff; 0 where the flag is about something else."""
    history: tuple[Change, ...]
    decisions: tuple[Decision, ...]
    registry: tuple[RegistryLine, ...]
    """Rows about its partner, or about all partners of the meeting where it names none."""
    decided_on: str | None
    """Digest of the snapshot behind its last change."""
    decided_at: datetime | None
    no_record: str
    """Why there is no snapshot, as a sentence; empty where there is one."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody in the call whom nobody knows. `ref` names them in forms, and stays."""

    ref: str
    label: str
    """As in the timeline: `Unidentified 1`."""
    form: IdentityForm
    seen: tuple[tuple[datetime, datetime | None], ...]
    """Joins and leaves; None: the leave is not known."""


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list, with the sentence of its worst flag."""

    case: Case
    sentence: str
    certainty: Certainty
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Everything that the page of a case shows. Times are instants; `zone` is the district's."""

    case: Case
    sentence: str
    """The officer's sentence of the worst flag."""
    # The five facts.
    start_at: datetime
    end_at: datetime | None
    is_adhoc: bool
    zone: str
    school: str | None
    partners: tuple[PartnerLine, ...]
    """Organizations, with their standing in the registry as it was known then."""
    host: str | None
    """Name or address; None where the host is no staff account."""
    seconds: int
    """Of contact without staff that the worst flag found; 0: it is about something else."""
    # What else was seen.
    timeline: Timeline | None
    unknowns: tuple[str, ...]
    strangers: tuple[Stranger, ...]
    flags: tuple[FlagFacts, ...]
    """The worst first."""
    earlier: tuple[CaseLine, ...]
    """Cases of the same partners or host whose meetings began before, newest first."""
    mails: tuple[MailedNotice, ...]
    """All about this meeting, oldest first."""
    events: tuple[CaseEvent, ...]
    """What officers and hosts did, oldest first."""
    answers: tuple[CaseEvent, ...]
    """Those of the events that the host did: answers and identifications."""
    accepted: frozenset[int]
    """Numbers of the identifications that an officer accepted."""
    snapshots: Mapping[str, Snapshot]
    """What its flags were decided on, by digest, as far as it can be read."""
    decided_at: datetime | None
    """When the snapshot was taken from which all this comes."""
    no_record: str
    """Why nothing is known of who was there, as a sentence; empty where it is."""


def facts_of(
    deps: Standards,
    tx: Tx,
    case_id: str,
    *,
    sees: Callable[[Case], bool],
) -> CaseFacts:
    """All facts of a case, for somebody who may see it.

    `sees` tells which cases this person may see (`console.access.may_see_case`): this one, those
    named beside it, and whether private ones. Raises `NotFound` for a case that is not there, or
    that this person may not see.
    """
    case = tx.cases.find(case_id)
    if case is None or not sees(case):
        raise NotFound("there is no such case")
    sees_private = _sees_private(case, sees)
    flags = shown(tx.flags.of(case.occurrence), private=sees_private)
    kept = _kept(tx, flags)
    snapshots, unreadable = _snapshots(tx, [entries for _, entries in kept])
    last = _newest(kept, snapshots)
    dossier = last[1].dossier if last else None
    card = _card(deps, tx, case, flags, dossier)
    length = card.end_at - card.start_at
    worst = worst_of(flags)
    events = tuple(tx.cases.events(case.id))
    decisions = tx.flags.decisions_of([flag.id for flag in flags])
    return CaseFacts(
        case=case,
        sentence=worst.message,
        # The meeting may have moved since without changing what was found.
        start_at=case.starts_at,
        end_at=case.starts_at + length if length else None,
        is_adhoc=card.is_adhoc,
        zone=deps.district.zone.key,
        school=card.school,
        partners=card.partners,
        host=card.host,
        seconds=_seconds(worst),
        timeline=timeline_of(dossier, _marked(flags)) if dossier else None,
        unknowns=_unknowns(flags, last[1] if last else None),
        strangers=_strangers(dossier) if dossier else (),
        flags=tuple(
            _flag_facts(flag, entries, decisions, snapshots, unreadable)
            for flag, entries in sorted(kept, key=lambda one: _urgency(one[0]))
        ),
        earlier=_earlier(tx, case, sees),
        mails=tuple(
            mail
            for mail in tx.outbox.of_thread(thread_of(flags[0].occurrence))
            if sees_private or mail.notice.audience is not Audience.PRIVACY
        ),
        events=events,
        answers=tuple(
            event for event in events if event.kind in (EventKind.ANSWERED, EventKind.IDENTIFIED)
        ),
        accepted=frozenset(
            event.of for event in events if event.kind is EventKind.ACCEPTED and event.of
        ),
        snapshots=snapshots,
        decided_at=last[0] if last else None,
        no_record="" if last else _why(kept[0][1], unreadable),
    )


def flags_of(tx: Tx, case: Case) -> tuple[Flag, ...]:
    """The flags of a case for whoever may see it: what only privacy officers hear of is left out
    of a case that others see too."""
    return shown(tx.flags.of(case.occurrence), private=case.is_private)


def lines_of(tx: Tx, cases: Sequence[Case]) -> tuple[CaseLine, ...]:
    """Cases as a list shows them, in the same order."""
    flags = tx.flags.of_many([case.occurrence for case in cases])
    lines: list[CaseLine] = []
    for case in cases:
        own = shown(flags.get(case.occurrence, ()), private=case.is_private)
        pending = [flag for flag in own if flag.status.is_pending]
        worst = worst_of(pending or own)
        lines.append(CaseLine(case, worst.message, worst.certainty, worst.is_provisional))
    return tuple(lines)


def worst_of(flags: Sequence[Flag]) -> Flag:
    """The flag by whose sentence a case is told: pending before closed, then as in mails."""
    return min(flags, key=_urgency)


def _urgency(flag: Flag) -> tuple[bool, int, bool, bool, str]:
    return (
        not flag.status.is_pending,
        -flag.severity.rank,
        not flag.spans,
        flag.certainty is not Certainty.CONFIRMED,
        flag.id,
    )


def _seconds(flag: Flag) -> int:
    return sum(span.seconds for span in flag.spans)


def _marked(flags: Iterable[Flag]) -> list[Flag]:
    """Flags of which the timeline marks the times: what was decided like what waits."""
    return [replace(f, status=FlagStatus.OPEN) if f.status.is_decided else f for f in flags]


# --- flags and what they rest on ----------------------------------------------------------------


_Kept = tuple[Flag, Sequence[HistoryLine]]


def _sees_private(case: Case, sees: Callable[[Case], bool]) -> bool:
    return sees(replace(case, is_private=True))


def _kept(tx: Tx, flags: Sequence[Flag]) -> list[_Kept]:
    """Flags with their histories."""
    lines: dict[str, list[HistoryLine]] = {flag.id: [] for flag in flags}
    for line in tx.flags.lines_of(lines):
        lines[line.flag_id].append(line)
    return [(flag, lines[flag.id]) for flag in flags]


def _last_change(entries: Sequence[HistoryLine]) -> HistoryLine | None:
    """The last change by the rules; an officer's decision rests on no snapshot of its own."""
    changes = [entry for entry in entries if entry.snapshot or entry.withheld]
    return changes[-1] if changes else None


def _snapshots(
    tx: Tx, histories: Iterable[Sequence[HistoryLine]]
) -> tuple[dict[str, Snapshot], dict[str, str]]:
    """What the last changes were decided on, by digest; and why some cannot be read."""
    last = [_last_change(entries) for entries in histories]
    found = tx.snapshots.load_some({each.snapshot for each in last if each and each.snapshot})
    return (
        {digest: one for digest, one in found.items() if isinstance(one, Snapshot)},
        {digest: one for digest, one in found.items() if isinstance(one, str)},
    )


def _newest(
    kept: Iterable[_Kept], snapshots: Mapping[str, Snapshot]
) -> tuple[datetime, Snapshot] | None:
    last = [_last_change(entries) for _, entries in kept]
    taken = [
        (entry.at, entry.snapshot)
        for entry in last
        if entry and entry.snapshot and entry.snapshot in snapshots
    ]
    if not taken:
        return None
    at, digest = max(taken)
    return at, snapshots[digest]


_WHY = {
    Withheld.ADULTS: "a meeting of adults: nothing but host and outside domains is kept",
    Withheld.CONFIDENTIAL: "a confidential meeting: nothing but counts is kept",
    Withheld.NO_OUTSIDER: "nobody from outside is left in the meeting: nothing is kept",
}
_NEVER = "it was found by a meetbot that kept no record of what it saw"


def _why(entries: Sequence[HistoryLine], unreadable: Mapping[str, str]) -> str:
    """Why a flag's last change has no snapshot that can be read; empty where it has."""
    last = _last_change(entries)
    if last is None:
        return _NEVER
    if last.withheld is not None:
        return _WHY.get(last.withheld, _NEVER)
    return unreadable.get(last.snapshot or "", "")


def _flag_facts(
    flag: Flag,
    entries: Sequence[HistoryLine],
    decisions: Sequence[Decision],
    snapshots: Mapping[str, Snapshot],
    unreadable: Mapping[str, str],
) -> FlagFacts:
    last = _last_change(entries)
    digest = last.snapshot if last else None
    snapshot = snapshots.get(digest) if digest else None
    return FlagFacts(
        flag=flag,
        seconds=_seconds(flag),
        history=tuple(Change(entry.at, entry.change, entry.reason) for entry in entries),
        decisions=tuple(one for one in decisions if one.flag_id == flag.id),
        registry=_registry_lines(snapshot.dossier, flag.partner_id) if snapshot else (),
        decided_on=digest,
        decided_at=last.at if last else None,
        no_record=_why(entries, unreadable),
    )


def _registry_lines(dossier: Dossier, partner_id: str | None) -> tuple[RegistryLine, ...]:
    """Rows about partners; exemptions of people are left out, for they name families."""
    partners = {partner_id} if partner_id else set(dossier.partner_ids)
    programs = {
        program.program_id
        for partner in partners
        for program in dossier.registry.programs_of(partner or "")
    }
    return tuple(
        RegistryLine(file_of(row).value, to_cells(row))
        for row in dossier.registry.all_rows()
        if _is_about(row, partners, programs)
    )


def _is_about(row: Row, partners: set[str | None] | set[str], programs: set[str]) -> bool:
    if isinstance(row, Exemption):
        return row.kind not in NOT_PARTNER_KINDS and row.value in programs
    return getattr(row, "partner_id", None) in partners


def _unknowns(flags: Sequence[Flag], snapshot: Snapshot | None) -> tuple[str, ...]:
    """What was not known when it was decided, each sentence once."""
    found = [text for flag in flags if flag.status.is_pending for text in flag.unknowns]
    if snapshot is not None:
        dossier = snapshot.dossier
        found += [
            state.problem or f"{source} could not be read in full"
            for source, state in sorted(dossier.evidence.items())
            if not state.is_full
            and not (source is Evidence.ATTENDANCE and dossier.phase is Phase.SCHEDULED)
        ]
        found += dossier.contradictions
        found += [f"{doubt.rule}: {doubt.reason}" for doubt in snapshot.undecided]
    return tuple(dict.fromkeys(found))


# --- the meeting --------------------------------------------------------------------------------


def latest_dossier(tx: Tx, case: Case) -> Dossier | None:
    """What the newest change of the case's flags was decided on, where it was kept."""
    kept = _kept(tx, tx.flags.of(case.occurrence))
    snapshots, _ = _snapshots(tx, [entries for _, entries in kept])
    last = _newest(kept, snapshots)
    return last[1].dossier if last else None


def _card(
    deps: Standards, tx: Tx, case: Case, flags: Sequence[Flag], dossier: Dossier | None
) -> MeetingCard:
    if dossier is not None:
        return card_of(dossier, deps.district.recipients.contacts, is_signed_in=True)
    return bare_card(deps, tx, case, flags)


def bare_card(deps: Standards, tx: Tx, case: Case, flags: Sequence[Flag]) -> MeetingCard:
    """The meeting as far as flags and registry still tell it, where no record was kept."""
    occurrence = flags[0].occurrence
    number = tx.meetings.find(occurrence)
    meeting = tx.meetings.load(number).meeting if number is not None else None
    registry = tx.registry.current()
    school = registry.school(case.school_id) if case.school_id else None
    return MeetingCard(
        thread=thread_of(occurrence),
        start_at=case.starts_at,
        end_at=meeting.end_at if meeting else case.starts_at,
        zone=deps.district.zone.key,
        school=school.name if school else None,
        host=_host_name(tx, case),
        partners=tuple(_bare_partner(registry, partner) for partner in case.partners),
        is_adhoc=occurrence.ical_uid is None,
        is_confidential=case.is_private,
        case_id=case.id,
    )


def _host_name(tx: Tx, case: Case) -> str | None:
    if case.host_key is None:
        return None
    account = tx.people.by_address([case.host_key]).get(case.host_key)
    return (account.display_name or account.address) if account else None


def _bare_partner(registry: Registry, partner_id: str) -> PartnerLine:
    partner = registry.partner(partner_id)
    if partner is None:
        return PartnerLine(partner_id, is_registered=False, statuses=("not in the registry",))
    return PartnerLine(partner.name, is_registered=True, statuses=())


def strangers_of(tx: Tx, case: Case) -> tuple[Stranger, ...]:
    """Those in the call whom nobody knows, longest seen person first as in the timeline."""
    dossier = latest_dossier(tx, case)
    return _strangers(dossier) if dossier else ()


def _strangers(dossier: Dossier) -> tuple[Stranger, ...]:
    return tuple(
        Stranger(_ref(person), label, person.form, _seen(person))
        for label, person in labels_of(dossier)
        if person.kind in _STRANGE
    )


def _ref(person: Attendance) -> str:
    return "U-" + hashlib.sha256(person.person_key.encode()).hexdigest()[:8]


def _seen(person: Attendance) -> tuple[tuple[datetime, datetime | None], ...]:
    visits = sorted(person.visits, key=lambda visit: visit.start_at)
    return tuple((visit.start_at, visit.end_at or visit.last_seen_at) for visit in visits)


def _earlier(tx: Tx, case: Case, sees: Callable[[Case], bool]) -> tuple[CaseLine, ...]:
    found = tx.cases.earlier(
        case.partners,
        case.host_key,
        before=case.starts_at,
        limit=_MANY,
        private=_sees_private(case, sees),
    )
    seen = [other for other in found if other.id != case.id and sees(other)]
    return lines_of(tx, seen[:_MOST_EARLIER])
