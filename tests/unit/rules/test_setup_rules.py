"""How a meeting is set up: organizer, settings, visible addresses, platform."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from meetbot.domain.disclosure import disclosure_after
from meetbot.domain.dossier import Dossier, Host, Invitee
from meetbot.domain.findings import Certainty, Evidence, Severity
from meetbot.domain.meetings import Disclosure
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.platforms import Certainty as LinkCertainty
from meetbot.domain.platforms import Platform, PlatformLink, find_links
from meetbot.domain.policy import Policy
from meetbot.domain.registry import ExemptionKind, ProgramType, Registry
from tests.dossiers import (
    CLASS,
    CONTRACT,
    HOST,
    LINCOLN,
    NORTHSTAR,
    PARTNER,
    PROGRAM,
    STRANGER,
    a_dossier,
    a_registry,
    a_student,
    an_exemption,
    an_invitee,
    at,
    found,
    is_undecided,
    judge,
    the,
    without,
)

CLINIC = a_registry(
    programs=(replace(PROGRAM, type=ProgramType.MENTAL_HEALTH),),
    exemptions=(an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True),),
)


def hosted_by(invitee: Invitee | None, **changes: Any) -> Dossier:
    """The clean meeting with another organizer."""
    return a_dossier(host=Host(invitee, LINCOLN), **changes)


# --- organizer-not-staff ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("invitee", "severity", "message"),
    [
        (PARTNER, Severity.CRITICAL, "Organized by partner Northstar."),
        (a_student(), Severity.CRITICAL, "Organized by student."),
        (STRANGER, Severity.HIGH, "Organized by unknown outsider."),
    ],
)
def test_an_organizer_who_is_not_staff(invitee: Invitee, severity: Severity, message: str) -> None:
    """Critical for partner and student, high for an unknown outsider."""
    finding = the("organizer-not-staff", hosted_by(invitee))

    assert (finding.severity, finding.message) == (severity, message)


@pytest.mark.parametrize(
    "dossier",
    [
        a_dossier(),
        hosted_by(an_invitee(Kind.INACTIVE, "leave@district.example")),
        hosted_by(an_invitee(Kind.EXEMPT, "agency@county.example")),
        hosted_by(PARTNER, meeting={"is_imported": True}),
        hosted_by(PARTNER, registry=CLINIC),
    ],
    ids=["staff", "on leave", "exempt", "imported copy", "clinician"],
)
def test_organizers_who_are_none_of_our_business(dossier: Dossier) -> None:
    """Staff, staff on leave, exempt people, imported copies and clinicians are not flagged."""
    assert not found("organizer-not-staff", dossier)
    assert not is_undecided("organizer-not-staff", dossier)


def test_an_organizer_who_was_not_looked_up_is_not_accused() -> None:
    """Unknown is undecided."""
    unknown = an_invitee(Kind.UNKNOWN, "new@district.example", confidence=Confidence.NONE)

    assert is_undecided("organizer-not-staff", hosted_by(unknown))
    assert not found("organizer-not-staff", hosted_by(unknown))


def test_a_lapsed_clinic_contract_ends_the_exemption() -> None:
    """The exemption lapses with its contract: the partner organizes like any other."""
    registry = replace(CLINIC, contracts=(replace(CONTRACT, ends_on=CONTRACT.starts_on),))

    assert the("organizer-not-staff", hosted_by(PARTNER, registry=registry))


# --- organizer-unresolved -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "severity"),
    [
        (timedelta(hours=24, seconds=1), Severity.LOW),
        (timedelta(hours=24), Severity.HIGH),
        (timedelta(minutes=1), Severity.HIGH),
    ],
)
def test_an_unresolved_organizer_becomes_urgent(before: timedelta, severity: Severity) -> None:
    """Low, and high from 24 hours before the start."""
    finding = the("organizer-unresolved", hosted_by(None, as_of=at(0) - before))

    assert finding.severity is severity
    assert finding.message == "Host could not be identified."


def test_a_known_organizer_or_an_imported_copy_is_not_unresolved() -> None:
    """A resolved host, or a copy that cannot tell, gives nothing."""
    assert not found("organizer-unresolved", a_dossier())
    assert not found("organizer-unresolved", hosted_by(None, meeting={"is_imported": True}))


# --- guests-can-invite --------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["guests_can_invite", "guests_can_modify"])
def test_guests_who_can_add_people(setting: str) -> None:
    """Either setting lets a partner bring others to the students."""
    finding = the("guests-can-invite", a_dossier(meeting={setting: True}))

    assert finding.severity is Severity.MEDIUM
    assert finding.advice == "Guests can add people; switch off Invite others."


def test_guests_may_invite_where_partner_or_students_are_missing() -> None:
    """Only partner and students together matter; a clean setting is clean."""
    for people in ((HOST, PARTNER), (HOST, *CLASS), (HOST, an_invitee(Kind.EXEMPT, "p@x.example"))):
        assert not found(
            "guests-can-invite", a_dossier(people, meeting={"guests_can_invite": True})
        )
    assert not found("guests-can-invite", a_dossier())


def test_unknown_settings_are_undecided() -> None:
    """A field that is absent on a guest's copy is unknown, not its default."""
    dossier = a_dossier(meeting={"are_settings_known": False, "guests_can_invite": True})

    assert is_undecided("guests-can-invite", dossier)
    assert not found("guests-can-invite", dossier)


# --- student-contacts-visible -------------------------------------------------------------------

SHOWN = {"guests_can_see_others": True}


def test_visible_student_addresses() -> None:
    """Outsider and students on one event with a visible list: high, sticky, since when."""
    finding = the("student-contacts-visible", a_dossier(meeting=SHOWN, as_of=at(-60)))

    assert finding.severity is Severity.HIGH
    assert finding.is_sticky
    assert finding.message == "2 student addresses were visible since 2026-10-13 09:00."


@pytest.mark.parametrize(
    "dossier",
    [
        a_dossier(),
        a_dossier((HOST, PARTNER), meeting=SHOWN),
        a_dossier((HOST, *CLASS), meeting=SHOWN),
        a_dossier((HOST, an_invitee(Kind.EXEMPT, "parent@x.example"), *CLASS), meeting=SHOWN),
    ],
    ids=["hidden", "link posted in class only", "no outsider", "exempt parent"],
)
def test_nothing_visible(dossier: Dossier) -> None:
    """A hidden list, no students on the event, or no outsider to see them."""
    assert not found("student-contacts-visible", dossier)


def test_an_event_of_the_partner_shows_its_list_to_the_partner() -> None:
    """Whatever the setting, the organizer sees all guests."""
    dossier = a_dossier(meeting={"organizer": PARTNER.guest, "are_settings_known": False})

    assert found("student-contacts-visible", dossier)
    assert not is_undecided("student-contacts-visible", dossier)


def test_the_right_to_modify_shows_the_list() -> None:
    """Guests who may change the event see its guests."""
    assert found("student-contacts-visible", a_dossier(meeting={"guests_can_modify": True}))


def test_a_group_the_partner_cannot_list_is_medium() -> None:
    """All students through a group: medium; one of them directly: high."""
    group = (a_student(1, via_group="g"), a_student(2, via_group="g"))

    hidden = the("student-contacts-visible", a_dossier((HOST, PARTNER, *group), meeting=SHOWN))
    mixed = (HOST, PARTNER, *group, a_student(3))

    assert hidden.severity is Severity.MEDIUM
    assert (
        the("student-contacts-visible", a_dossier(mixed, meeting=SHOWN)).severity is Severity.HIGH
    )


def test_school_officials_make_it_medium() -> None:
    """Only if every viewer is one."""
    registry = a_registry(partners=(replace(NORTHSTAR, school_official=True),))
    alone = a_dossier(meeting=SHOWN, registry=registry)
    with_stranger = a_dossier((HOST, PARTNER, STRANGER, *CLASS), meeting=SHOWN, registry=registry)

    assert the("student-contacts-visible", alone).severity is Severity.MEDIUM
    assert the("student-contacts-visible", with_stranger).severity is Severity.HIGH


def test_mending_the_setting_does_not_undo_it() -> None:
    """Afterwards the flag says for how long, and keeps its number and severity."""
    seen = Disclosure(at(-300), at(-100), students=5, seen_by=("northstar",))

    finding = the("student-contacts-visible", a_dossier((HOST,), meeting={"disclosure": seen}))

    assert finding.message == "5 student addresses were visible for 3 h 20 min."
    assert finding.severity is Severity.HIGH
    assert finding.concern.facts["disclosed_until"] == at(-100).isoformat()


@pytest.mark.parametrize("registry", [CLINIC, replace(CLINIC, exemptions=())])
def test_small_numbers_of_confidential_services_are_withheld(registry: Registry) -> None:
    """One student of a confidential service is not counted in any sentence, consent or not."""
    dossier = a_dossier((HOST, PARTNER, a_student()), meeting=SHOWN, registry=registry)

    finding = the("student-contacts-visible", dossier)

    assert finding.message.startswith("Fewer than 3 student addresses")
    assert finding.concern.facts["n"] == "Fewer than 3"


def test_what_nobody_can_tell_is_undecided() -> None:
    """Settings unknown and nothing seen before: undecided, no accusation."""
    dossier = a_dossier(
        meeting=SHOWN | {"are_settings_known": False, "is_guest_list_complete": False}
    )

    assert is_undecided("student-contacts-visible", dossier)
    assert not found("student-contacts-visible", dossier)


def test_a_disclosure_only_grows() -> None:
    """It begins when first seen, ends when hidden, and opens again with the largest number."""

    def after(dossier: Dossier, before: Disclosure | None, minutes: float) -> Disclosure | None:
        assert dossier.meeting is not None
        return disclosure_after(dossier.meeting, dossier.invitees, before, at(minutes))

    shown, hidden = a_dossier(meeting=SHOWN), a_dossier()
    fewer = a_dossier((HOST, STRANGER, a_student()), meeting=SHOWN)
    unknown = a_dossier(meeting={"are_settings_known": False, "is_guest_list_complete": False})
    assert after(hidden, None, 0) is None

    first = after(shown, None, 1)
    assert first == after(shown, first, 2)
    assert first == after(unknown, first, 3)
    ended = after(hidden, first, 4)
    assert ended == after(hidden, ended, 5)
    again = after(fewer, ended, 6)

    assert first == Disclosure(at(1), None, 2, is_group_only=False, seen_by=("northstar",))
    assert ended == replace(first, visible_until=at(4))
    assert again == replace(first, seen_by=("elsewhere.example", "northstar"))


# --- unapproved-platform ------------------------------------------------------------------------


def linked(*texts: str, **changes: Any) -> Dossier:
    """The clean meeting with these texts in its invitation."""
    meeting = {"links": find_links(*texts)} | changes.pop("meeting", {})
    return a_dossier(meeting=meeting, **changes)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("https://us02web.zoom.us/j/1", "zoom"),
        ("https://www.google.com/url?q=https://teams.microsoft.com/l/meetup-join/1", "teams"),
    ],
)
def test_a_link_to_another_platform(text: str, subject: str) -> None:
    """Vectors L1 and L2: sub-domains and one wrapper."""
    finding = the("unapproved-platform", linked(text))

    assert finding.concern.subject == subject
    assert finding.concern.certainty is Certainty.CONFIRMED
    assert finding.message == f"Link to {subject}, not approved for College Path."


@pytest.mark.parametrize(
    "text",
    [
        "please zoom in on the picture",
        "https://support.zoom.us/hc/en-us/articles/1",
        "https://meet.google.com/abc-defg-hij",
        "tel:+15551234567",
    ],
)
def test_words_help_pages_and_the_own_platform_are_fine(text: str) -> None:
    """No meeting link, or one to Meet; a phone number beside a Meet code is Meet's own."""
    assert not found("unapproved-platform", linked(text))


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("https://zoom.us.evil.example/j/1", "zoom.us.evil.example"),
        ("https://bit.ly/abc", "bit.ly"),
    ],
)
def test_lookalikes_and_short_links_need_review(text: str, subject: str) -> None:
    """Vector L1: where it leads is unknown, and the host is not repeated in the sentence."""
    finding = the("unapproved-platform", linked(text))

    assert finding.concern.subject == subject
    assert finding.concern.certainty is Certainty.NEEDS_REVIEW
    assert subject not in finding.message


def test_dial_in_alone_is_low() -> None:
    """Only a phone number, and no Meet."""
    finding = the("unapproved-platform", linked("tel:+15551234567", meeting={"meeting_code": None}))

    assert finding.severity is Severity.LOW
    assert finding.concern.subject == "dial-in"


def test_an_approved_or_excepted_platform_is_fine() -> None:
    """By policy, or for the named program; another platform's exception does not help."""
    zoom = "https://zoom.us/j/1"
    policy = Policy(approved_platforms=frozenset({Platform.GOOGLE_MEET, Platform.ZOOM}))

    def excepted(platform: Platform) -> Dossier:
        row = an_exemption(ExemptionKind.PLATFORM_EXCEPTION, platform=platform)
        return linked(zoom, registry=a_registry(exemptions=(row,)))

    assert not found("unapproved-platform", linked(zoom), policy)
    assert not found("unapproved-platform", excepted(Platform.ZOOM))
    assert found("unapproved-platform", excepted(Platform.TEAMS))


def test_hidden_details_are_undecided() -> None:
    """A text nobody could read is no text without links."""
    assert is_undecided("unapproved-platform", a_dossier(evidence=without(Evidence.TEXT)))


def test_set_up_rules_say_nothing_of_a_cancelled_meeting() -> None:
    """Cancelled before it began: nothing is found, everything decided."""
    links = (PlatformLink(Platform.ZOOM, "zoom.us", LinkCertainty.KNOWN),)
    meeting = {"is_cancelled": True, "guests_can_invite": True, "links": links} | SHOWN
    verdict = judge(hosted_by(STRANGER, meeting=meeting, registry=a_registry(contracts=())))

    assert not verdict.findings
    assert not verdict.undecided
    assert "contract-missing" in verdict.decided


def test_a_group_does_not_excuse_addresses_seen_before() -> None:
    """Once a student was listed directly, a later group makes nothing lesser."""
    direct = a_dossier(meeting=SHOWN)
    group = a_dossier((HOST, PARTNER, a_student(1, via_group="g")), meeting=SHOWN)
    assert direct.meeting is not None
    before = disclosure_after(direct.meeting, direct.invitees, None, at(0))
    assert group.meeting is not None
    dossier = replace(group, meeting=replace(group.meeting, disclosure=before))

    assert the("student-contacts-visible", dossier).severity is Severity.HIGH
