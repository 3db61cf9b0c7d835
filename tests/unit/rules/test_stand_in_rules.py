"""Who came in place of whom: other accounts of partner and host, and cover by other staff."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meetbot.domain.attendance import Attendance, Identity, IdentityForm
from meetbot.domain.dossier import Dossier, Host, Invitee
from meetbot.domain.findings import Certainty, Evidence, Severity
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import ExemptionKind, ProgramType
from meetbot.rules.stand_ins import host_stand_in, is_host_absent, partner_stand_ins
from tests.dossiers import (
    CLASS,
    HOST,
    PARTNER,
    PROGRAM,
    STRANGER,
    Span,
    a_dossier,
    a_registry,
    adhoc,
    an_exemption,
    an_invitee,
    found,
    held,
    is_undecided,
    partner,
    running,
    somebody,
    staff,
    stranger,
    students,
    the,
    without,
)

PARTNER_RULE, STAFF_RULE = "partner-unexpected-account", "staff-unexpected-account"
COVER = "substitute-supervisor"
DANA, TERRY = ("dana", "rivera"), ("terry", "teacher")


def named(invitee: Invitee, *words: str, **changes: Any) -> Invitee:
    """A guest whose name has these (keyed) words."""
    return replace(invitee, guest=replace(invitee.guest, name_tokens=words), **changes)


def calling(attendance: Attendance, *words: str, **identity: Any) -> Attendance:
    """Somebody in the call under a name of these (keyed) words."""
    who = Identity(attendance.form, name_tokens=words, **identity)
    visits = tuple(replace(visit, identity=who) for visit in attendance.visits)
    return replace(attendance, visits=visits)


DANAS_INVITE = named(PARTNER, *DANA, person_name="Dana Rivera")
TERRYS_INVITE = named(HOST, *TERRY)
GUESTS = (TERRYS_INVITE, DANAS_INVITE, *CLASS)


def here(*spans: Span, **changes: Any) -> Attendance:
    """The host in the call, by account."""
    known: dict[str, Any] = {"address_key": HOST.guest.address_key, "is_invited": True}
    return staff(*spans, **(known | changes))


def met(*people: Attendance, invitees: tuple[Invitee, ...] = GUESTS, **changes: Any) -> Dossier:
    """The meeting, held with the class and these people."""
    host = replace(a_dossier().host, invitee=TERRYS_INVITE)
    return held(*people, *students((0, 45)), invitees=invitees, host=host, **changes)


# --- partner-unexpected-account -----------------------------------------------------------------


def test_a_partner_with_another_address() -> None:
    """Absent by the registered address, one outsider of the same name: medium, to review."""
    finding = the(PARTNER_RULE, met(here((0, 45)), calling(stranger((0, 45)), *DANA)))

    assert (finding.severity, finding.concern.certainty) == (
        Severity.MEDIUM,
        Certainty.NEEDS_REVIEW,
    )
    assert finding.message == "Probably Dana Rivera, other address."
    assert finding.advice == "Ask the partner to use partner.example."
    assert finding.concern.partner_id == "northstar"


def test_an_obscured_address_that_is_not_the_invited_one() -> None:
    """The audit log's `d***@h***.com` of somebody of the same name counts as another address."""
    masked = somebody((0, 45), form=IdentityForm.MASKED)

    assert found(PARTNER_RULE, met(here((0, 45)), calling(masked, "dana", masked="d***@h***.com")))


def test_it_excuses_nobody() -> None:
    """What other rules say of the outsider stands as it is."""
    dossier = met(here((0, 45)), calling(stranger((0, 45)), *DANA))

    for rule in ("uninvited-external-joined", "partner-unregistered"):
        assert the(rule, dossier).concern.certainty is Certainty.CONFIRMED


@pytest.mark.parametrize(
    "people",
    [
        (partner((0, 45)), calling(stranger((0, 45)), *DANA)),
        (
            calling(stranger((0, 45)), *DANA),
            calling(stranger((0, 45), person="x2"), *DANA, "lee"),
        ),
        (calling(stranger((0, 45)), "sam", "rivera"),),
        (calling(somebody((0, 45)), *DANA),),
        (stranger((0, 45)),),
        (calling(partner((0, 45), address_key="other", is_invited=False), *DANA),),
    ],
    ids=["partner is there", "two", "other first name", "anonymous", "no name", "registered"],
)
def test_no_other_account_of_the_partner(people: tuple[Attendance, ...]) -> None:
    """Present, ambiguous, another name, no address at all, or a registered address."""
    assert not found(PARTNER_RULE, met(here((0, 45)), *people))


def test_a_name_that_fits_two_absent_guests_tells_nothing() -> None:
    """Two candidates among the guests are no better than two in the call."""
    other = named(an_invitee(Kind.PARTNER, "dana2@partner.example", partner_id="northstar"), *DANA)
    people = (here((0, 45)), calling(stranger((0, 45)), *DANA))

    assert not found(PARTNER_RULE, met(*people, invitees=(*GUESTS, other)))


def test_a_partner_who_declined_is_not_expected() -> None:
    """Nobody waits for them."""
    declined = replace(DANAS_INVITE, guest=replace(DANAS_INVITE.guest, response="declined"))
    people = (here((0, 45)), calling(stranger((0, 45)), *DANA))

    assert not found(PARTNER_RULE, met(*people, invitees=(TERRYS_INVITE, declined, *CLASS)))


def test_partners_without_a_name_in_the_registry() -> None:
    """The organization is told; no free-mail host is advised; nothing hints at mental health."""
    people = (here((0, 45)), calling(stranger((0, 45)), *DANA))
    nameless = replace(DANAS_INVITE, person_name=None)
    mailed = an_invitee(
        Kind.PARTNER, "dana@gmail.com", partner_id="northstar", person_name="Dana Rivera"
    )
    clinic = a_registry(programs=(replace(PROGRAM, type=ProgramType.MENTAL_HEALTH),))

    first = the(PARTNER_RULE, met(*people, invitees=(TERRYS_INVITE, nameless, *CLASS)))
    second = the(PARTNER_RULE, met(*people, invitees=(TERRYS_INVITE, named(mailed, *DANA), *CLASS)))
    third = the(PARTNER_RULE, met(*people, registry=clinic))

    assert first.message == "Probably a guest of Northstar, other address."
    assert second.advice == "Ask the partner to use their registered address."
    assert third.message == "Probably a guest of a contracted partner, other address."
    assert third.advice == "Ask the partner to use their registered address."


def test_what_may_be_told_is_judged_by_the_program() -> None:
    """Of a partner that has a clinic too; where the program is unknown it may be the clinic."""
    clinic = replace(PROGRAM, program_id="clinic", type=ProgramType.MENTAL_HEALTH)
    both = a_registry(programs=(PROGRAM, clinic))
    unknown = a_registry(programs=(PROGRAM, clinic), contracts=(), authorizations=())
    people = (here((0, 45)), calling(stranger((0, 45)), *DANA))
    nameless = (TERRYS_INVITE, replace(DANAS_INVITE, person_name=None), *CLASS)

    known = the(PARTNER_RULE, met(*people, registry=both))
    unnamed = the(PARTNER_RULE, met(*people, registry=both, invitees=nameless))
    withheld = the(PARTNER_RULE, met(*people, registry=unknown))

    assert known.message == "Probably Dana Rivera, other address."
    assert unnamed.message == "Probably a guest of Northstar, other address."
    assert withheld.message == "Probably a guest of a contracted partner, other address."
    assert withheld.advice == "Ask the partner to use their registered address."


def test_it_is_asked_after_the_meeting_only() -> None:
    """Live, the partner may still come."""
    live = running(20, here((0, None)), calling(stranger((0, None)), *DANA), invitees=GUESTS)

    assert not found(PARTNER_RULE, live)
    for source in (Evidence.ATTENDANCE, Evidence.GUESTS):
        assert is_undecided(PARTNER_RULE, met(here((0, 45)), evidence=without(source)))


def test_each_absent_guest_is_looked_for() -> None:
    """One who came does not end the search for the next."""
    ann = ("ann", "lee")
    other = named(an_invitee(Kind.PARTNER, "ann@partner.example", partner_id="northstar"), *ann)
    caller = calling(stranger((0, 45)), *ann)
    dossier = met(here((0, 45)), partner((0, 45)), caller, invitees=(*GUESTS, other))

    assert partner_stand_ins(dossier) == ((other, caller),)


@pytest.mark.parametrize(
    "changes",
    [{"is_invited": True}, {"confidence": Confidence.COMPATIBLE}],
    ids=["invited by that address", "address not known"],
)
def test_another_address_is_one_that_is_known_and_no_guests(changes: dict[str, Any]) -> None:
    """An invited outsider came as themselves, and a name alone is no address."""
    caller = calling(stranger((0, 45), **changes), *DANA)

    assert partner_stand_ins(met(here((0, 45)), caller)) == ()


# --- staff-unexpected-account -------------------------------------------------------------------


@pytest.mark.parametrize(
    "person",
    [
        calling(stranger((0, 45)), *TERRY),
        calling(somebody((0, 45)), *TERRY),
        calling(somebody((0, 45)), "terry"),
        calling(somebody((0, 45), form=IdentityForm.SIGNED_IN), *TERRY),
    ],
    ids=["other address", "anonymous", "first name", "signed in elsewhere"],
)
def test_a_host_with_a_personal_account(person: Attendance) -> None:
    """Absent by account, one outsider or unknown of that name: medium, to review."""
    finding = the(STAFF_RULE, met(partner((0, 45)), person))

    assert (finding.severity, finding.concern.certainty) == (
        Severity.MEDIUM,
        Certainty.NEEDS_REVIEW,
    )
    assert finding.message == "Host may have used a personal account."
    assert finding.advice == "Join with your district account."


def test_who_may_be_the_host_is_unidentified_to_presence() -> None:
    """Critical still, but to review: a name neither clears nor confirms."""
    people = (partner((0, 45)), calling(stranger((0, 45)), *TERRY))
    finding = the("no-staff-joined", met(*people))

    assert (finding.severity, finding.concern.certainty) == (
        Severity.CRITICAL,
        Certainty.NEEDS_REVIEW,
    )
    assert any("host" in unknown for unknown in finding.concern.unknowns)
    stranger_only = met(partner((0, 45)), calling(stranger((0, 45)), "sam", "lee"))
    assert the("no-staff-joined", stranger_only).concern.certainty is Certainty.CONFIRMED


def test_who_may_be_the_host_is_an_outsider_to_all_other_rules() -> None:
    """The address is in no registry and was not invited."""
    dossier = met(partner((0, 45)), calling(stranger((0, 45)), *TERRY))

    for rule in ("uninvited-external-joined", "partner-unregistered"):
        assert the(rule, dossier).concern.certainty is Certainty.CONFIRMED


@pytest.mark.parametrize(
    "people",
    [
        (here((0, 45)), calling(somebody((0, 45)), *TERRY)),
        (calling(somebody((0, 45)), *TERRY), calling(stranger((0, 45)), *TERRY)),
        (calling(somebody((0, 45)), "sam", "teacher"),),
        (somebody((0, 45), form=IdentityForm.PHONE),),
        (staff((0, 45)), calling(somebody((0, 45)), *TERRY)),
    ],
    ids=["host is there", "two", "other first name", "nameless phone", "staff unknown which"],
)
def test_no_personal_account_of_the_host(people: tuple[Attendance, ...]) -> None:
    """Present, ambiguous, another name, no name, or staff who may be the host."""
    assert not found(STAFF_RULE, met(partner((0, 45)), *people))


def test_a_name_that_fits_the_absent_partner_too_is_nobodys() -> None:
    """Host and partner called alike: no one can tell who it was."""
    twin = named(PARTNER, *TERRY)
    dossier = met(
        calling(stranger((0, 45)), *TERRY), staff((0, 45), address_key="t2"),
        invitees=(TERRYS_INVITE, twin, *CLASS),
    )  # fmt: skip

    assert not found(STAFF_RULE, dossier)
    assert not found(PARTNER_RULE, dossier)


def test_without_staff_host_or_event_nobody_is_missing() -> None:
    """An outsider's event and an ad-hoc call have no host to miss."""
    people = (partner((0, 45)), calling(somebody((0, 45)), *TERRY), *students((0, 45)))
    outside = replace(a_dossier().host, invitee=DANAS_INVITE)

    assert not found(STAFF_RULE, held(*people, host=outside))
    assert not found(STAFF_RULE, adhoc(*people))
    assert is_undecided(STAFF_RULE, met(*people, evidence=without(Evidence.ATTENDANCE)))


def test_only_a_staff_host_can_be_missing() -> None:
    """Neither an outsider who organizes, nor nobody, nor one who is there."""
    present = met(partner((0, 45)), here((0, 45)))
    outside = replace(present.host, invitee=named(STRANGER, *TERRY))

    assert is_host_absent(met(partner((0, 45))))
    assert not is_host_absent(present)
    assert not is_host_absent(replace(present, host=outside))
    assert not is_host_absent(replace(present, host=Host(None)))


@pytest.mark.parametrize(
    ("caller", "is_new"),
    [
        (stranger((0, 45)), True),
        (somebody((0, 45)), True),
        (stranger((0, 45), is_invited=True), False),
        (partner((0, 45), is_invited=False, address_key="p"), False),
        (staff((0, 45), address_key="t2"), False),
    ],
    ids=["stranger", "unknown", "invited", "registered", "staff"],
)
def test_the_host_may_be_whoever_is_new_here(caller: Attendance, is_new: bool) -> None:
    """Not a guest, a registered partner or a colleague of the same name."""
    caller = calling(caller, *TERRY)

    assert host_stand_in(met(caller)) is (caller if is_new else None)


def test_while_the_meeting_runs_it_is_provisional() -> None:
    """The host may still come with the right account."""
    host = replace(a_dossier().host, invitee=TERRYS_INVITE)
    live = running(10, partner((0, None)), calling(somebody((0, None)), *TERRY), host=host)

    assert the(STAFF_RULE, live).concern.is_provisional


# --- substitute-supervisor ----------------------------------------------------------------------


def cover(unit: str = "/Staff/Lincoln", *spans: Span, **changes: Any) -> Attendance:
    """A colleague who is not on the guest list."""
    known: dict[str, Any] = {"address_key": "cover", "unit_path": unit, "person": "t2"} | changes
    return staff(*(spans or ((0, 45),)), **known)


def test_cover_is_noted() -> None:
    """The host absent, a colleague there: info, and supervision is satisfied."""
    dossier = met(partner((0, 45)), cover())
    finding = the(COVER, dossier)

    assert (finding.severity, finding.concern.certainty) == (Severity.INFO, Certainty.CONFIRMED)
    assert finding.message == "Another staff member covered for the host."
    assert finding.advice == "Tell your principal about cover."
    assert finding.fix == "Note."
    assert not found("no-staff-joined", dossier)


@pytest.mark.parametrize(
    ("unit", "severity", "message"),
    [
        ("/Staff/Lincoln/Teachers", Severity.INFO, "Certificated staff covered for the host."),
        (
            "/Staff/LincolnAides",
            Severity.MEDIUM,
            "Staff outside the certificated units covered for the host.",
        ),
    ],
)
def test_cover_without_a_certificate_is_medium(unit: str, severity: Severity, message: str) -> None:
    """Where the district names its certificated units; whole segments count."""
    policy = Policy(certificated_units=("/Staff/Lincoln",))
    finding = the(COVER, met(partner((0, 45)), cover(unit)), policy)

    assert (finding.severity, finding.message) == (severity, message)


def test_one_certificated_colleague_is_enough() -> None:
    """Of several who covered."""
    policy = Policy(certificated_units=("/Staff/Lincoln",))
    aide = staff((0, 45), person="t3", address_key="key of aide", unit_path="/Staff/Aides")

    assert the(COVER, met(partner((0, 45)), aide, cover()), policy).severity is Severity.INFO


@pytest.mark.parametrize(
    "dossier",
    [
        met(partner((0, 45)), here((0, 45)), cover()),
        met(partner((0, 45)), here((44, 45)), cover()),
        met(partner((0, 45)), cover(is_invited=True)),
        met(partner((0, 45)), cover(), cover("/S", (0, 9), person="t3", is_invited=True)),
        met(cover()),
        met(partner((0, 20)), cover("/Staff", (20, 45))),
        met(partner((0, 45)), staff((0, 45))),
        met(partner((0, 45))),
    ],
    ids=[
        "host there", "host late", "co-teacher", "co-teacher and another", "no partner",
        "after the partner", "may be the host", "nobody",
    ],
)  # fmt: skip
def test_no_cover(dossier: Dossier) -> None:
    """The host came, an invited co-teacher led, or nobody met the partner."""
    assert not found(COVER, dossier)


def test_who_may_have_been_the_host_makes_cover_unsure() -> None:
    """An unidentified participant may be the host: to review."""
    finding = the(COVER, met(partner((0, 45)), cover(), somebody((0, 45))))

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW
    assert finding.concern.unknowns


@pytest.mark.parametrize(("minutes", "is_told"), [(4.9, False), (5, True)])
def test_a_late_host_is_not_replaced_yet(minutes: float, is_told: bool) -> None:
    """While the meeting runs the host has five minutes."""
    host = replace(a_dossier().host, invitee=TERRYS_INVITE)
    live = running(minutes, partner((0, None)), cover("/Staff", (0, None)), host=host)

    assert bool(found(COVER, live)) is is_told


def test_of_confidential_meetings_nothing_is_said() -> None:
    """Staff are not wanted there; what is to be said only the privacy officers hear."""
    registry = a_registry(
        exemptions=(an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True),)
    )
    named_host = calling(somebody((0, 45)), *TERRY)

    assert not found(COVER, met(partner((0, 45)), cover(), registry=registry))
    assert not found(STAFF_RULE, met(partner((0, 45)), named_host, registry=registry))
