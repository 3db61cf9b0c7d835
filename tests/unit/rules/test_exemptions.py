"""Which exemptions hold for a meeting: of clinics, of tutors, of platforms, of people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meetbot.domain.attendance import Attendance
from meetbot.domain.people import Kind
from meetbot.domain.platforms import Certainty, Platform, PlatformLink
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Certification, ExemptionKind
from meetbot.rules.exemptions import (
    exemptions_used,
    expected_partners,
    is_confidential,
    is_monitored_tutoring,
    may_use,
    platforms_of,
)
from tests.dossiers import (
    CLASS,
    GUIDE,
    HOST,
    PARTNER,
    YEAR,
    a_dossier,
    a_registry,
    adhoc,
    an_exemption,
    an_invitee,
    held,
    partner,
    stranger,
    students,
)

CLINIC = an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True)
TUTORS = an_exemption(ExemptionKind.MONITORED_TUTORING, platform=Platform.GOOGLE_MEET)
ON_ZOOM = an_exemption(ExemptionKind.PLATFORM_EXCEPTION, platform=Platform.ZOOM)
GUARDIAN = an_exemption(ExemptionKind.GUARDIAN, "mother@home.example")
ZOOM = {"links": (PlatformLink(Platform.ZOOM, "zoom.us"),)}
SHORT = {"links": (PlatformLink(Platform.ZOOM, "", Certainty.SHORTENER),)}


def calling(person: Attendance, address: str) -> Attendance:
    """The same person, known by this address."""
    visits = tuple(replace(v, identity=replace(v.identity, address=address)) for v in person.visits)
    return replace(person, visits=visits)


# --- confidential meetings ----------------------------------------------------------------------

OF_THE_PERSON = replace(CLINIC, value=GUIDE)
OWN = Certification("northstar", GUIDE, *YEAR)
COLLEAGUE = calling(
    partner((0, 45), person="p2", is_invited=False, address_key="p2"), "ann@partner.example"
)


def test_an_uninvited_colleague_does_not_end_the_clinicians_confidence() -> None:
    """Only who is invited must be certified: a colleague who joins is the intruder."""
    registry = a_registry(exemptions=(OF_THE_PERSON,), certifications=(OWN,))

    assert is_confidential(held(calling(partner((0, 45)), GUIDE), COLLEAGUE, registry=registry))


def test_where_no_clinician_was_invited_those_who_came_count() -> None:
    """Known by address, and each of them certified."""
    registry = a_registry(exemptions=(OF_THE_PERSON,), certifications=(OWN,))
    came = calling(partner((0, 45), is_invited=False), GUIDE)
    guests = (HOST, *CLASS)

    assert is_confidential(held(came, invitees=guests, registry=registry))
    assert not is_confidential(held(came, COLLEAGUE, invitees=guests, registry=registry))
    assert not is_confidential(held(invitees=guests, registry=registry))


def test_an_exemption_for_one_platform_holds_there_only() -> None:
    """As far as the invitation tells where the meeting is held."""
    registry = a_registry(exemptions=(replace(CLINIC, platform=Platform.ZOOM),))

    assert is_confidential(a_dossier(registry=registry, meeting=ZOOM))
    assert not is_confidential(a_dossier(registry=registry))
    assert is_confidential(a_dossier(registry=a_registry(exemptions=(CLINIC,))))


def test_every_expected_partner_must_be_a_clinician() -> None:
    """Those on the guest list; those who came where none is on it."""
    other = an_invitee(Kind.PARTNER, "o@other.example", partner_id="other")
    registry = a_registry(exemptions=(CLINIC,))
    both = a_dossier((HOST, PARTNER, other), registry=registry)
    came_too = held(partner((0, 45)), partner((0, 45), partner_id="other"), registry=registry)

    assert expected_partners(both) == {"northstar", "other"}
    assert not is_confidential(both)
    assert expected_partners(came_too) == {"northstar"}
    assert is_confidential(came_too)
    nobody_invited = replace(came_too, invitees=(HOST,))
    assert expected_partners(nobody_invited) == {"northstar", "other"}
    assert not is_confidential(nobody_invited)


# --- tutoring -----------------------------------------------------------------------------------

LESSON = (partner((0, 45)), *students((0, 45), number=1))


@pytest.mark.parametrize(
    ("exemption", "people", "policy", "is_exempt"),
    [
        (TUTORS, LESSON, Policy(), True),
        (replace(TUTORS, platform=None), LESSON, Policy(), False),
        (replace(TUTORS, platform=Platform.ZOOM), LESSON, Policy(), False),
        (TUTORS, LESSON, Policy(approved_platforms=frozenset({Platform.ZOOM})), False),
        (TUTORS, (*LESSON, stranger((0, 45))), Policy(), False),
        (CLINIC, LESSON, Policy(), False),
    ],
    ids=["tutors", "nothing evidenced", "elsewhere", "not approved", "a stranger", "clinic"],
)
def test_who_may_be_alone_with_a_student(
    exemption: Any, people: Any, policy: Policy, is_exempt: bool
) -> None:
    """Tutors on Google Meet, recorded there, where the district approves it, and nobody else."""
    dossier = held(*people, registry=a_registry(exemptions=(exemption,)))

    assert is_monitored_tutoring(dossier, policy) is is_exempt


def test_every_partner_present_must_tutor() -> None:
    """One who does not ends the exemption; without any partner there is none."""
    registry = a_registry(exemptions=(TUTORS,))
    other = partner((0, 45), person="p2", partner_id="other")

    assert not is_monitored_tutoring(held(*LESSON, other, registry=registry), Policy())
    assert not is_monitored_tutoring(held(invitees=(HOST,), registry=registry), Policy())


# --- platforms, and what was used ---------------------------------------------------------------


def test_where_a_meeting_can_be_held() -> None:
    """On Google Meet, and where a link is known to lead."""
    assert platforms_of(a_dossier()) == (Platform.GOOGLE_MEET,)
    assert platforms_of(a_dossier(meeting=ZOOM)) == (Platform.GOOGLE_MEET, Platform.ZOOM)
    assert platforms_of(a_dossier(meeting=SHORT)) == (Platform.GOOGLE_MEET,)
    assert platforms_of(adhoc()) == (Platform.GOOGLE_MEET,)


def test_a_platform_is_excepted_by_name() -> None:
    """An exception that names none allows none, and another one's is another's."""
    anywhere = a_registry(exemptions=(replace(ON_ZOOM, platform=None),))
    zoom = a_dossier(registry=a_registry(exemptions=(ON_ZOOM,)))

    assert may_use(zoom, Platform.ZOOM)
    assert not may_use(zoom, Platform.TEAMS)
    assert not may_use(a_dossier(registry=anywhere), Platform.ZOOM)
    assert not may_use(a_dossier(), Platform.ZOOM)


def test_all_rows_that_exempt_something_are_told() -> None:
    """People, the tutoring of a call that was held, and platforms; each once."""
    mother = an_invitee(Kind.EXEMPT, "mother@home.example", exemption=GUARDIAN)
    here = replace(partner((0, 45)), kind=Kind.EXEMPT, person_key="m", exemption=GUARDIAN)
    guests = (HOST, PARTNER, mother, *CLASS)
    rows = (TUTORS, ON_ZOOM, GUARDIAN)
    lesson = held(
        *LESSON, here, invitees=guests, meeting=ZOOM, registry=a_registry(exemptions=rows)
    )

    assert exemptions_used(lesson, Policy()) == (GUARDIAN, TUTORS, ON_ZOOM)
    ahead = replace(lesson, conferences=(), attendances=())
    assert exemptions_used(ahead, Policy()) == (GUARDIAN, ON_ZOOM)
    approved = Policy(approved_platforms=frozenset({Platform.GOOGLE_MEET, Platform.ZOOM}))
    assert exemptions_used(ahead, approved) == (GUARDIAN,)


def test_of_a_confidential_meeting_the_clinics_row_is_told() -> None:
    """Not that of tutors as well, though the program has both."""
    registry = a_registry(exemptions=(TUTORS, CLINIC))

    assert exemptions_used(held(*LESSON, registry=registry), Policy()) == (CLINIC,)
