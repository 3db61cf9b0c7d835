"""From a dossier and its flags to what a mail may tell: card, partner status, timeline, lines."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from meetbot.domain.attendance import Attendance
from meetbot.domain.authorizing import (
    AuthorizationAnswer,
    AuthorizationMissing,
    AuthorizationOutOfScope,
    AuthorizationRetroactive,
    Authorized,
    CertificationAnswer,
    CertificationExpired,
    CertificationMissing,
    CertificationValid,
    ContractAnswer,
    ContractExpired,
    ContractMissing,
    ContractNotStarted,
    ContractOutOfScope,
    ContractValid,
    Occasion,
    authorization_answer,
    certification_answer,
    contract_answer,
    program_for,
)
from meetbot.domain.case_ids import case_id
from meetbot.domain.dossier import Dossier
from meetbot.domain.flags import Flag
from meetbot.domain.meetings import OccurrenceKey
from meetbot.domain.notices import FlagLine, Lane, MeetingCard, PartnerLine, Timeline
from meetbot.domain.people import Kind
from meetbot.domain.registry import Activity, Partner, PartnerKind, ProgramType

NEUTRAL_PARTNER = "a contracted partner"
"""Instead of the name where the program is school mental health: no hint of it leaves by mail."""

_OURS = (Kind.STAFF, Kind.INACTIVE, Kind.UNKNOWN)
"""Hosts that can be named in an authorization: staff, on leave, or not looked up yet."""

_ROLES: Mapping[Kind, tuple[str, str]] = {
    Kind.STAFF: ("staff", "Staff"),
    Kind.PARTNER: ("partner", "Partner"),
    Kind.EXTERNAL: ("partner", "Outside guest"),
    Kind.EXEMPT: ("partner", "Exempt guest"),
    Kind.STUDENT: ("student", "Student"),
    Kind.ROOM: ("room", "Room device"),
    Kind.UNIDENTIFIED: ("unidentified", "Unidentified"),
    Kind.UNKNOWN: ("unidentified", "Unidentified"),
    Kind.INACTIVE: ("unidentified", "Inactive account"),
}


def thread_of(key: OccurrenceKey) -> str:
    """Opaque name of an occurrence's mail thread: 16 hexadecimal digits."""
    return hashlib.sha256(key.text.encode()).hexdigest()[:16]


def occasion_of(dossier: Dossier) -> Occasion:
    """The meeting as the registry is asked about it."""
    host = dossier.host.invitee
    address = host.guest.address if host is not None and host.kind in _OURS else None
    school = dossier.host.school
    return Occasion(
        dossier.start_at,
        dossier.end_at,
        dossier.zone,
        school.school_id if school else None,
        (address,) if address else (),
    )


def programs_of(dossier: Dossier) -> dict[str, str | None]:
    """The program of each partner at this meeting; None where it is not known."""
    occasion = occasion_of(dossier)
    return {p: program_for(dossier.registry, p, occasion) for p in dossier.partner_ids}


def is_sensitive(dossier: Dossier, partner_id: str, program_id: str | None) -> bool:
    """Whether naming this partner or program would hint at school mental health."""
    programs = (
        [dossier.registry.program(program_id)]
        if program_id
        else list(dossier.registry.programs_of(partner_id))
    )
    return any(p is not None and p.type is ProgramType.MENTAL_HEALTH for p in programs)


def card_of(
    dossier: Dossier,
    contacts: Mapping[str, str],
    *,
    is_confidential: bool = False,
    is_signed_in: bool = False,
) -> MeetingCard:
    """The meeting as a mail may show it. `contacts` are addresses by program type.

    `is_signed_in`: it is shown to somebody who may see the case, and partners of school mental
    health are named.
    """
    host = dossier.host
    return MeetingCard(
        thread=thread_of(dossier.key),
        start_at=dossier.start_at,
        end_at=dossier.end_at,
        zone=dossier.zone.key,
        school=host.school.name if host.school else None,
        host=(host.display_name or host.address) if host.is_staff else None,
        partners=() if is_confidential else _partners(dossier, contacts, is_signed_in),
        is_adhoc=dossier.meeting is None,
        is_confidential=is_confidential,
        case_id=case_id(dossier.key.text),
    )


def _partners(
    dossier: Dossier, contacts: Mapping[str, str], is_signed_in: bool
) -> tuple[PartnerLine, ...]:
    programs = programs_of(dossier)
    lines = [
        _partner(dossier, partner, programs[partner], contacts, is_signed_in)
        for partner in programs
    ]
    outside = {i.guest.domain for i in dossier.outsiders if i.partner_id is None}
    outside |= {a.domain for a in dossier.attendances if a.kind is Kind.EXTERNAL and a.domain}
    lines += [
        PartnerLine(f"guest at {domain}", is_registered=False, statuses=("not in the registry",))
        for domain in sorted(outside)
    ]
    return tuple(lines)


def _partner(
    dossier: Dossier,
    partner_id: str,
    program_id: str | None,
    contacts: Mapping[str, str],
    is_signed_in: bool,
) -> PartnerLine:
    partner = dossier.registry.partner(partner_id)
    if partner is None:
        return PartnerLine(NEUTRAL_PARTNER, is_registered=False, statuses=("not in the registry",))
    if not is_signed_in and is_sensitive(dossier, partner_id, program_id):
        return PartnerLine(
            NEUTRAL_PARTNER, is_registered=True, statuses=_statuses(dossier, partner, program_id)
        )
    program = dossier.registry.program(program_id) if program_id else None
    contact = contacts.get(program.type) if program else None
    return PartnerLine(
        partner.name,
        is_registered=True,
        statuses=_statuses(dossier, partner, program_id),
        contact=contact or contacts.get(ProgramType.OTHER),
    )


def _statuses(dossier: Dossier, partner: Partner, program_id: str | None) -> tuple[str, ...]:
    occasion = occasion_of(dossier)
    registry = dossier.registry
    lines: list[str] = []
    if partner.kind is PartnerKind.COMMUNITY:
        lines.append("community organization: flyers only")
    elif partner.kind in (PartnerKind.LEASE, PartnerKind.PERMIT):
        lines.append(f"{partner.kind} holder")
    if partner.status is Activity.PAUSED:
        lines.append("paused")
    if program_id is None and len(registry.programs_of(partner.partner_id)) > 1:
        lines.append("program not known")
    lines.append(_contract(contract_answer(registry, partner.partner_id, program_id, occasion)))
    lines.append(_certification(certification_answer(registry, partner.partner_id, occasion)))
    lines.append(
        _authorization(authorization_answer(registry, partner.partner_id, program_id, occasion))
    )
    return tuple(lines)


def _contract(answer: ContractAnswer) -> str:
    match answer:
        case ContractValid(ends_on=day):
            return f"contract valid to {day}"
        case ContractMissing():
            return "no contract on file"
        case ContractNotStarted(starts_on=None):
            return "contract not signed"
        case ContractNotStarted(starts_on=day):
            return f"contract starts only on {day}"
        case ContractExpired(ended_on=day):
            return f"contract ended on {day}"
        case ContractOutOfScope():
            return "contract does not cover this school"


def _certification(answer: CertificationAnswer) -> str:
    match answer:
        case CertificationValid():
            return "certified"
        case CertificationMissing():
            return "certification not on file"
        case CertificationExpired(nearest=row):
            return f"certification valid {row.certified_on} to {row.expires_on} only"


def _authorization(answer: AuthorizationAnswer) -> str:
    match answer:
        case AuthorizationMissing(nearest=None):
            return "no authorization on file"
        case AuthorizationMissing():
            return "authorization was revoked"
        case AuthorizationOutOfScope(fields=fields):
            return "authorization does not cover: " + ", ".join(fields)
        case AuthorizationRetroactive():
            return "authorized only after the start"
        case Authorized():
            return "authorized"


def lines_of(flags: Iterable[Flag]) -> tuple[FlagLine, ...]:
    """Flags as mail lines, worst first."""
    ordered = sorted(flags, key=lambda f: (-f.severity.rank, f.rule, f.key.subject))
    return tuple(
        FlagLine(
            flag_id=f.id,
            rule=f.rule,
            severity=f.severity,
            certainty=f.certainty,
            is_provisional=f.is_provisional,
            message=f.message,
            advice=f.advice,
            fix=f.fix,
            unknowns=f.unknowns,
            spans=f.spans,
            admin=f.admin,
        )
        for f in ordered
    )


def timeline_of(dossier: Dossier, flags: Iterable[Flag]) -> Timeline | None:
    """Who was in the call when, under neutral labels; None when nobody was seen."""
    if not dossier.attendances or not dossier.conferences:
        return None
    now = dossier.as_of
    instants = [c.start_at for c in dossier.conferences]
    instants += [c.end_at or now for c in dossier.conferences]
    start_at, end_at = min(instants), max(instants)
    open_flags = (f for f in flags if f.family and f.status.is_pending)
    spans = {(s.kind, s.start_at): s for f in open_flags for s in f.spans}
    return Timeline(
        start_at=start_at,
        end_at=end_at,
        scheduled_start_at=dossier.start_at if dossier.meeting else None,
        scheduled_end_at=dossier.end_at if dossier.meeting else None,
        lanes=_lanes(dossier, start_at, end_at),
        contacts=tuple(sorted(spans.values(), key=lambda s: (s.start_at, s.kind))),
        is_running=dossier.is_live,
    )


def _lanes(dossier: Dossier, start_at: datetime, end_at: datetime) -> tuple[Lane, ...]:
    return tuple(
        Lane(label, _ROLES[person.kind][0], _spans(person, start_at, end_at))
        for label, person in labels_of(dossier)
    )


def labels_of(dossier: Dossier) -> tuple[tuple[str, Attendance], ...]:
    """Everybody in the call under the label that the timeline has for them, in its order."""
    order = list(_ROLES)
    people = sorted(
        dossier.attendances,
        key=lambda a: (order.index(a.kind), min(v.start_at for v in a.visits), a.person_key),
    )
    host_key = dossier.host.invitee.guest.address_key if dossier.host.invitee else None
    counts: Counter[str] = Counter()
    labels: list[tuple[str, Attendance]] = []
    for person in people:
        word = _ROLES[person.kind][1]
        if person.kind is Kind.STAFF and host_key and person.address_key == host_key:
            label = "Host"
        else:
            counts[word] += 1
            label = f"{word} {counts[word]}"
        if person.partner_id:
            label += _name_of(dossier, person.partner_id)
        labels.append((label, person))
    return tuple(labels)


def _name_of(dossier: Dossier, partner_id: str) -> str:
    partner = dossier.registry.partner(partner_id)
    if partner is None or is_sensitive(dossier, partner_id, None):
        return ""
    return f" ({partner.name})"


def _spans(
    person: Attendance, first: datetime, last: datetime
) -> tuple[tuple[datetime, datetime, bool], ...]:
    """Visits of all devices and sources as one row of spans within the call; touching ones joined.

    A visit without an end is drawn to the last moment it was seen, else to the end of the call.
    """
    merged: list[tuple[datetime, datetime, bool]] = []
    for visit in sorted(person.visits, key=lambda v: v.start_at):
        is_known = visit.end_at is not None
        begin = max(visit.start_at, first)
        end = min(visit.end_at or visit.last_seen_at or last, last)
        if end < begin:
            continue
        if merged and begin <= merged[-1][1]:
            start, before, was_known = merged[-1]
            merged[-1] = (start, max(before, end), is_known if end >= before else was_known)
        else:
            merged.append((begin, end, is_known))
    return tuple(merged)
