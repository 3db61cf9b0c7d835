"""Confidential clinical meetings: who is an extra person, and what the exemption does and not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from meetbot.domain.attendance import Attendance, IdentityForm
from meetbot.domain.dossier import Dossier, Host
from meetbot.domain.findings import Certainty, Evidence, Severity
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.platforms import Platform, PlatformLink
from meetbot.domain.policy import Limits, Policy
from meetbot.domain.registry import (
    Activity,
    Certification,
    Exemption,
    ExemptionKind,
    IdentityKind,
    Partner,
    PartnerKind,
)
from meetbot.domain.registry import Identity as RegistryIdentity
from meetbot.rules import exemptions_used, is_confidential, next_look, waiting_without_staff
from meetbot.rules.crossings import next_crossing
from tests.dossiers import (
    CERTIFICATION,
    CONTRACT,
    GUIDE,
    HOST,
    NORTHSTAR,
    PARTNER,
    YEAR,
    a_dossier,
    a_registry,
    a_student,
    adhoc,
    an_attendance,
    an_exemption,
    an_invitee,
    at,
    found,
    held,
    hull,
    is_undecided,
    judge,
    partner,
    running,
    somebody,
    staff,
    stranger,
    students,
    the,
    without,
)

RULE = "confidential-intruder"
CLINICAL = an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True)
OTHER = Partner("tutors", "Tutors", PartnerKind.CONTRACTED, Activity.ACTIVE)
CLINIC = a_registry(
    partners=(NORTHSTAR, OTHER),
    identities=(
        RegistryIdentity("northstar", IdentityKind.DOMAIN, "partner.example"),
        RegistryIdentity("tutors", IdentityKind.DOMAIN, "tutors.example"),
    ),
    exemptions=(CLINICAL,),
)
INVITED = (PARTNER, a_student())
CLINICIAN_HOSTS = Host(PARTNER)


def exempt(kind: ExemptionKind, *spans: Any, person: str = "e1") -> Attendance:
    """An exempt outsider in the call."""
    return an_attendance(
        person,
        Kind.EXEMPT,
        *spans,
        confidence=Confidence.ADDRESS,
        exemption=an_exemption(kind, "someone@home.example"),
    )


def the_student(*spans: Any) -> Attendance:
    """The invited student."""
    (student,) = students(*(spans or ((0, 45),)), number=1, is_invited=True)
    return student


def session(*extra: Attendance, **changes: Any) -> Dossier:
    """Clinician and student for 45 minutes, with these people besides."""
    known: dict[str, Any] = {"registry": CLINIC, "invitees": INVITED, "host": CLINICIAN_HOSTS}
    return held(partner((0, 45)), the_student(), *extra, **(known | changes))


OTHER_PARTNER: dict[str, Any] = {
    "partner_id": "tutors", "domain": "tutors.example", "address_key": "k", "is_invited": False,
    "person": "p2",
}  # fmt: skip


@pytest.mark.parametrize(
    "person",
    [
        staff((10, 11)),
        staff((10, 11), is_invited=True),
        stranger((10, 11)),
        stranger((10, 11), is_invited=True),
        partner((10, 11), **OTHER_PARTNER),
        an_attendance("k2", Kind.STUDENT, (10, 11)),
        an_attendance("i1", Kind.INACTIVE, (10, 11)),
        exempt(ExemptionKind.AGENCY_INTERVIEW, (10, 11)),
        exempt(ExemptionKind.LEGAL_ADVOCATE, (10, 11)),
        exempt(ExemptionKind.ADULT_BUSINESS, (10, 11)),
    ],
    ids=[
        "staff", "invited staff", "outsider", "invited outsider", "another partner", "student",
        "suspended", "agency", "advocate", "adult business",
    ],
)  # fmt: skip
def test_an_extra_person(person: Attendance) -> None:
    """Whoever is known and neither clinician, student, guardian nor interpreter, for a minute."""
    finding = the(RULE, session(person))

    assert (finding.severity, finding.concern.certainty) == (
        Severity.CRITICAL,
        Certainty.CONFIRMED,
    )
    assert finding.message == "An extra person was present 1:00."
    assert finding.advice == ""
    assert finding.fix == "Clinician explains."


@pytest.mark.parametrize(
    "person",
    [
        somebody((10, 11)),
        somebody((10, 11), form=IdentityForm.PHONE),
        an_attendance("r1", Kind.ROOM, (10, 11)),
        partner((10, 11), **(OTHER_PARTNER | {"confidence": Confidence.COMPATIBLE})),
        partner((10, 11), person="p2", address_key="colleague", is_invited=False),
        hull(staff((10, 11))),
    ],
    ids=["anonymous", "phone", "device", "by name", "colleague", "first to last seen"],
)
def test_somebody_who_may_be_extra(person: Attendance) -> None:
    """E3 and E4, devices, colleagues of the clinician and outer limits of a stay need review."""
    finding = the(RULE, session(person))

    assert (finding.severity, finding.concern.certainty) == (
        Severity.CRITICAL,
        Certainty.NEEDS_REVIEW,
    )
    assert finding.concern.unknowns == ("Whether the extra person belonged there.",)


@pytest.mark.parametrize(
    "dossier",
    [
        session(),
        session(staff((10, 10.98))),
        session(staff((10, 10.5), (20, 20.48))),
        session(exempt(ExemptionKind.GUARDIAN, (0, 45))),
        session(exempt(ExemptionKind.INTERPRETER, (0, 45))),
        session(registry=a_registry(), host=Host(HOST), invitees=(HOST, *INVITED)),
        session(conferences=(), attendances=()),
    ],
    ids=[
        "clean", "59 s", "59 s in two parts", "guardian", "interpreter", "not exempt", "not held",
    ],
)  # fmt: skip
def test_nobody_extra(dossier: Dossier) -> None:
    """Those who belong there, shorter visits, other meetings, and meetings that were not held."""
    assert not found(RULE, dossier)
    assert not is_undecided(RULE, dossier)


def test_two_short_visits_add_up() -> None:
    """A minute in all is a minute."""
    assert found(RULE, session(staff((10, 10.5), (20, 20.5))))


def test_the_district_sets_the_minute() -> None:
    """Limit `intruder`."""
    policy = Policy(limits=Limits(intruder=at(2) - at(0)))

    assert not found(RULE, session(staff((10, 11.9))), policy)
    assert found(RULE, session(staff((10, 12))), policy)


def test_a_listed_guardian_by_telephone() -> None:
    """One line for each invited guardian or interpreter who has no account in the call."""
    guardian = an_invitee(
        Kind.EXEMPT,
        "mum@home.example",
        exemption=an_exemption(ExemptionKind.GUARDIAN, "mum@home.example"),
    )
    phone = somebody((10, 45), form=IdentityForm.PHONE)
    second = somebody((20, 45), form=IdentityForm.PHONE, person="u2")
    invitees = (*INVITED, guardian)

    assert not found(RULE, session(phone, invitees=invitees))
    assert found(RULE, session(phone, second, invitees=invitees))
    assert found(RULE, session(phone, exempt(ExemptionKind.GUARDIAN, (0, 45))))


def test_the_second_leg_of_the_student() -> None:
    """A phone joining within two minutes of exactly one attendee is that attendee's."""
    phone = somebody((11, 45), form=IdentityForm.PHONE)

    assert not found(
        RULE,
        held(
            partner((0, 45)), the_student((10, 45)), phone,
            registry=CLINIC, invitees=INVITED, host=CLINICIAN_HOSTS,
        ),
    )  # fmt: skip


def test_the_clinician_with_another_address_of_the_clinic() -> None:
    """One colleague for one absent clinician is the clinician; a second one is extra."""
    one = partner((0, 45), address_key="dana2", is_invited=False)
    two = partner((0, 45), address_key="sam", is_invited=False, person="p2")
    known: dict[str, Any] = {"registry": CLINIC, "invitees": INVITED, "host": CLINICIAN_HOSTS}

    assert not found(RULE, held(one, the_student(), **known))
    assert found(RULE, held(one, two, the_student(), **known))


def test_students_where_the_list_names_none() -> None:
    """One is the student; a second one needs review."""
    known: dict[str, Any] = {
        "registry": CLINIC, "invitees": (PARTNER,), "host": CLINICIAN_HOSTS,
    }  # fmt: skip

    assert not found(RULE, held(partner((0, 45)), *students((0, 45), number=1), **known))
    two = the(RULE, held(partner((0, 45)), *students((0, 45), number=2), **known))
    assert two.concern.certainty is Certainty.NEEDS_REVIEW


def test_of_students_whom_nobody_listed_the_one_who_stayed_is_the_student() -> None:
    """Whoever was there for less is the extra person, in whatever order they were read."""
    short = an_attendance("a", Kind.STUDENT, (0, 10))
    long = an_attendance("b", Kind.STUDENT, (0, 45))
    clinician = partner((0, 45))

    for people in ((short, long), (long, short)):
        dossier = held(
            clinician, *people, registry=CLINIC, invitees=(PARTNER,), host=CLINICIAN_HOSTS
        )
        assert the(RULE, dossier).message == "An extra person was present 10:00."


def test_a_group_of_invited_students_belongs_there() -> None:
    """Whom the clinician invited is no intruder."""
    group = students((0, 45), number=3, is_invited=True)
    invitees = (PARTNER, a_student(1), a_student(2), a_student(3))

    assert not found(
        RULE,
        held(partner((0, 45)), *group, registry=CLINIC, invitees=invitees, host=CLINICIAN_HOSTS),
    )


def test_an_unlisted_student_where_the_list_is_cut_needs_review() -> None:
    """They may be on the part that nobody read."""
    person = an_attendance("k2", Kind.STUDENT, (10, 20))
    finding = the(RULE, session(person, evidence=without(Evidence.GUESTS)))

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW


def test_without_attendance_it_is_undecided() -> None:
    """Nobody knows who was there; the same of somebody who could not be looked up."""
    unknown = an_attendance("q", Kind.UNKNOWN, (0, 45), confidence=Confidence.NONE)

    assert is_undecided(RULE, session(evidence=without(Evidence.ATTENDANCE)))
    assert is_undecided(RULE, session(unknown))
    assert not found(RULE, session(unknown))


def test_it_is_said_while_the_call_runs_and_looked_at_again() -> None:
    """Provisional, at the very second it becomes a minute."""
    known: dict[str, Any] = {"registry": CLINIC, "invitees": INVITED, "host": CLINICIAN_HOSTS}

    def live(minutes: float) -> Dossier:
        people = (partner((0, None)), the_student((0, None)), staff((10, None)))
        return running(minutes, *people, **known)

    assert not found(RULE, live(10.5))
    assert next_crossing(live(10.5), Policy()) == at(11)
    assert the(RULE, live(11)).concern.is_provisional


def test_its_flag_counts_nobody_and_names_nothing() -> None:
    """How long, and not how many; the longest stay counts."""
    finding = the(RULE, session(staff((10, 11)), stranger((20, 25))))

    assert finding.message == "An extra person was present 5:00."
    facts = {k: v for k, v in finding.concern.facts.items() if k != "identity"}
    assert facts == {"duration": "5:00", "seconds": 300}


# --- the exemption ------------------------------------------------------------------------------

DAY_BEFORE = date(2026, 10, 12)
UNCERTIFIED = replace(CERTIFICATION, expires_on=DAY_BEFORE)


@pytest.mark.parametrize(
    "changes",
    [
        {"exemptions": ()},
        {"exemptions": (replace(CLINICAL, consent_on_file=False),)},
        {"exemptions": (replace(CLINICAL, ends_on=DAY_BEFORE),)},
        {"contracts": (replace(CONTRACT, ends_on=DAY_BEFORE),)},
        {"contracts": (replace(CONTRACT, signed_on=None),)},
        {"contracts": ()},
        {"certifications": (UNCERTIFIED,)},
        {"certifications": ()},
    ],
    ids=[
        "no row", "no consent", "row ended", "contract ended", "unsigned", "no contract",
        "certification ended", "no certification",
    ],
)  # fmt: skip
def test_what_ends_confidentiality(changes: dict[str, Any]) -> None:
    """Valid contract, certification and consent on file, all of them; else presence counts."""
    dossier = session(registry=replace(CLINIC, **changes))

    assert not is_confidential(dossier)
    assert found("no-staff-joined", dossier)
    assert not found(RULE, dossier)
    assert is_confidential(session())
    assert not found("no-staff-joined", session())


def test_a_row_for_the_clinician_and_a_certification_of_their_own() -> None:
    """The exemption may name the person, and the person may hold the certification."""
    registry = replace(
        CLINIC,
        exemptions=(replace(CLINICAL, value=GUIDE),),
        certifications=(Certification("northstar", GUIDE, *YEAR),),
    )

    assert is_confidential(session(registry=registry))


@pytest.mark.parametrize(
    "person",
    [
        stranger((0, 45)),
        partner((0, 45), **OTHER_PARTNER),
        partner((0, 45), person="p2", address_key="colleague", is_invited=False),
    ],
    ids=["outsider", "another partner", "uncertified colleague"],
)
def test_an_intruder_does_not_end_confidentiality(person: Attendance) -> None:
    """Else the intrusion itself would tell teacher and officers of the session."""
    registry = replace(CLINIC, certifications=(Certification("northstar", GUIDE, *YEAR),))
    dossier = session(person, registry=registry)

    assert is_confidential(dossier)
    assert found(RULE, dossier)
    assert not found("partner-alone-with-student", dossier)


def test_another_invited_partner_is_no_confidential_meeting() -> None:
    """A tutor on the guest list beside the clinician: ordinary rules."""
    tutor = an_invitee(Kind.PARTNER, "t@tutors.example", partner_id="tutors")

    assert not is_confidential(session(invitees=(*INVITED, tutor)))


def test_registry_rules_still_apply() -> None:
    """An exemption replaces no approval."""
    dossier = session(registry=replace(CLINIC, authorizations=()))

    assert found("authorization-missing", dossier)


def test_presence_is_not_asked_for_in_any_form() -> None:
    """None of the five rules, no nudge, no `evidence-incomplete`; the clinician may organize."""
    verdict = judge(session(somebody((0, 45))))
    rules = {finding.rule for finding in verdict.findings}
    live = running(20, partner((0, None)), the_student((0, None)), registry=CLINIC)
    unread = session(evidence=without(Evidence.ATTENDANCE))

    assert rules == {RULE, "unidentified-participant"}
    assert not waiting_without_staff(live, Policy())
    assert not found("evidence-incomplete", unread)
    assert not found("organizer-not-staff", session())
    assert next_look(session()) is None


# --- every use counted --------------------------------------------------------------------------


def used(dossier: Dossier, policy: Policy | None = None) -> list[str]:
    """Kinds of the exemptions a meeting uses."""
    return [str(row.kind) for row in exemptions_used(dossier, policy or Policy())]


def with_row(row: Exemption) -> dict[str, Any]:
    """A registry with one exemption."""
    return {"registry": a_registry(exemptions=(row,))}


def test_used_exemptions() -> None:
    """Of guests and of those who came, of the program, each row once."""
    guardian = an_exemption(ExemptionKind.GUARDIAN, "someone@home.example")
    parent = an_invitee(Kind.EXEMPT, "someone@home.example", exemption=guardian)
    there = exempt(ExemptionKind.GUARDIAN, (0, 45))
    call = (partner((0, 45)), *students((0, 45), number=1))
    tutoring = an_exemption(ExemptionKind.MONITORED_TUTORING, platform=Platform.GOOGLE_MEET)
    zoom = an_exemption(ExemptionKind.PLATFORM_EXCEPTION, platform=Platform.ZOOM)
    link = {"links": (PlatformLink(Platform.ZOOM, "zoom.us"),)}

    assert used(a_dossier()) == []
    assert used(session(there, invitees=(*INVITED, parent))) == [
        "guardian", "confidential-clinical",
    ]  # fmt: skip
    assert used(held(*call, **with_row(tutoring))) == ["monitored-tutoring"]
    assert used(a_dossier(**with_row(tutoring))) == []
    assert used(a_dossier(meeting=link, **with_row(zoom))) == ["platform-exception"]
    assert used(a_dossier(**with_row(zoom))) == []


def test_an_adhoc_session_is_confidential_by_those_who_came() -> None:
    """There is no guest list to go by."""
    call = (partner((0, 45)), *students((0, 45), number=1))

    assert is_confidential(adhoc(*call, registry=CLINIC))
    assert not found(RULE, adhoc(*call, registry=CLINIC))
    assert found(RULE, adhoc(*call, staff((3, 9)), registry=CLINIC))
