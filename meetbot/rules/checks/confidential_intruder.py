"""Somebody else was in a confidential clinical meeting."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from meetbot.domain.attendance import Attendance
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import ExemptionKind
from meetbot.rules.exemptions import expected_partners, is_confidential
from meetbot.rules.legs import unidentified_people
from meetbot.rules.rule import LIVE_AND_AFTER, Unsure, rule
from meetbot.rules.seconds import spans_of, total
from meetbot.rules.wording import clock

_LISTED = frozenset({ExemptionKind.GUARDIAN, ExemptionKind.INTERPRETER})


@rule(
    "confidential-intruder",
    severity=Severity.CRITICAL,
    phases=LIVE_AND_AFTER,
    needs={Evidence.ATTENDANCE},
    officer="An extra person was present {duration}.",
    fix="Clinician explains.",
)
def confidential_intruder(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """Anybody but clinician, student, and listed guardian or interpreter, for a minute or more.

    Only the privacy officers hear of it, and never how many were there. Staff are extra people
    too. Who is known by name only, a colleague of the clinician, a device, and students whom
    nobody listed, need review.
    """
    if not dossier.conferences or not is_confidential(dossier):
        return
    if any(person.kind is Kind.UNKNOWN for person in dossier.attendances):
        reason = "the directory could not be asked about a participant"
        yield Unsure(reason, frozenset({Evidence.DIRECTORY}))
    extra = [*_known_extras(dossier), *_doubtful_extras(dossier, policy)]
    long = [person for person in extra if _stayed(person, dossier, policy)]
    if not long:
        return
    sure = [a for a in _known_extras(dossier) if _stayed(a, dossier, policy, is_sure=True)]
    longest = max(total(spans_of(dossier, [person])) for person in long)
    yield Concern(
        subject="intruder",
        facts={"duration": clock(longest), "seconds": longest},
        certainty=Certainty.CONFIRMED if sure else Certainty.NEEDS_REVIEW,
        is_provisional=not dossier.is_final,
        unknowns=() if sure else ("Whether the extra person belonged there.",),
    )


def _stayed(person: Attendance, dossier: Dossier, policy: Policy, *, is_sure: bool = False) -> bool:
    seen = timedelta(seconds=total(spans_of(dossier, [person], is_sure=is_sure)))
    return bool(seen) and seen >= policy.limits.intruder


def _known_extras(dossier: Dossier) -> Iterator[Attendance]:
    """Extra people about whom there is no doubt, by directory or clear address."""
    partners = expected_partners(dossier)
    for person in dossier.attendances:
        if person.kind is Kind.PARTNER:
            is_extra = person.partner_id not in partners
        elif person.kind is Kind.EXEMPT:
            is_extra = person.exemption is None or person.exemption.kind not in _LISTED
        elif person.kind is Kind.STUDENT:
            is_extra = _is_uninvited_student(person, dossier) and dossier.has(Evidence.GUESTS)
        else:
            is_extra = person.kind in (Kind.STAFF, Kind.EXTERNAL, Kind.INACTIVE)
        if is_extra and person.confidence.confirms:
            yield person


def _is_uninvited_student(person: Attendance, dossier: Dossier) -> bool:
    """Where no student is on the list, nobody can tell which one was meant."""
    return bool(dossier.students_invited) and not person.is_invited


def _doubtful_extras(dossier: Dossier, policy: Policy) -> Iterator[Attendance]:
    """People who may be extra."""
    known = {person.person_key for person in _known_extras(dossier)}
    yield from unidentified_people(dossier, policy, lines_of=_LISTED)
    for person in dossier.attendances:
        is_by_name = person.kind in (Kind.PARTNER, Kind.EXTERNAL, Kind.EXEMPT) and not (
            person.confidence.confirms or person.is_invited
        )
        is_student = person.kind is Kind.STUDENT and _is_uninvited_student(person, dossier)
        if person.person_key not in known and (
            is_by_name or is_student or person.kind is Kind.ROOM
        ):
            yield person
    yield from _colleagues(dossier)
    if not dossier.students_invited:
        students = [a for a in dossier.attendances if a.kind is Kind.STUDENT]
        students.sort(key=lambda a: -total(spans_of(dossier, [a])))
        yield from students[1:]


def _colleagues(dossier: Dossier) -> Iterator[Attendance]:
    """People of the clinician's organization whom nobody invited, beyond absent clinicians."""
    partners = expected_partners(dossier)
    invited = {i.guest.address_key for i in dossier.outsiders if i.partner_id in partners}
    if not invited:
        return
    absent = len(invited - {a.address_key for a in dossier.attendances})
    colleagues = [
        a
        for a in dossier.attendances
        if a.kind is Kind.PARTNER and a.partner_id in partners and not a.is_invited
    ]
    yield from colleagues[absent:]
