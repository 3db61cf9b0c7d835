"""What is kept of a confidential meeting of which a flag speaks: enough to decide, and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from meetbot.domain.attendance import (
    Attendance,
    Conference,
    Identity,
    IdentityForm,
    Source,
    Visit,
)
from meetbot.domain.dossier import Dossier, Host, Invitee, SourceState
from meetbot.domain.findings import Evidence, Phase
from meetbot.domain.meetings import KeptGuest, OccurrenceKey, Scope
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.platforms import Platform, PlatformLink
from meetbot.domain.policy import Policy
from meetbot.domain.registry import (
    Activity,
    Certification,
    Contract,
    Exemption,
    ExemptionKind,
    Partner,
    PartnerKind,
    Program,
    ProgramType,
    Registry,
    School,
    SchoolKind,
)
from meetbot.rules import CONFINED, confined, evaluate, is_confidential
from meetbot.store.columns import dump
from tests.dossiers import (
    CERTIFICATION,
    CONTRACT,
    END,
    GUIDE,
    HOST,
    LINCOLN,
    PARTNER,
    START,
    TEACHER,
    WASHINGTON,
    YEAR,
    ZONE,
    a_conference,
    a_visit,
    an_attendance,
    an_exemption,
    an_invitee,
    at,
    partner,
    running,
    somebody,
    staff,
    stranger,
    without,
)
from tests.unit.rules.test_confidential_rules import (
    CLINIC,
    CLINICAL,
    CLINICIAN_HOSTS,
    INVITED,
    OTHER_PARTNER,
    exempt,
    session,
    the_student,
)

POLICY = Policy()
GUARDIAN = an_invitee(
    Kind.EXEMPT,
    "mum@home.example",
    exemption=an_exemption(ExemptionKind.GUARDIAN, "mum@home.example"),
)
PHONE = somebody((10, 45), form=IdentityForm.PHONE)
LIVE = running(
    11,
    partner((0, None)),
    the_student((0, None)),
    staff((10, None)),
    registry=CLINIC,
    invitees=INVITED,
    host=CLINICIAN_HOSTS,
)


@pytest.mark.parametrize(
    "dossier",
    [
        session(staff((10, 11))),
        session(stranger((10, 11))),
        session(partner((10, 11), **OTHER_PARTNER)),
        session(somebody((10, 11))),
        session(partner((10, 11), person="p2", address_key="colleague", is_invited=False)),
        session(an_attendance("k2", Kind.STUDENT, (10, 20)), evidence=without(Evidence.GUESTS)),
        session(PHONE, invitees=(*INVITED, GUARDIAN)),
        session(PHONE, exempt(ExemptionKind.GUARDIAN, (0, 45)), invitees=(*INVITED, HOST)),
        session(an_attendance("q", Kind.UNKNOWN, (0, 45), confidence=Confidence.NONE)),
        session(
            staff((10, 11)),
            registry=replace(CLINIC, exemptions=(replace(CLINICAL, value="partner.example"),)),
        ),
        session(
            staff((10, 11)),
            registry=replace(
                CLINIC, exemptions=(replace(CLINICAL, value="guide@partner.example"),)
            ),
        ),
        session(),
        LIVE,
    ],
    ids=[
        "staff", "outsider", "another partner", "anonymous", "colleague", "list cut",
        "guardian's line", "guardian and a phone", "not looked up", "by domain", "by address",
        "clean", "live",
    ],
)  # fmt: skip
def test_it_decides_as_the_whole_dossier(dossier: Dossier) -> None:
    """The same findings and the same doubts, of a meeting that is confidential still."""
    small = confined(dossier, POLICY)

    assert small is not None
    assert is_confidential(small) == is_confidential(dossier)
    one, other = (evaluate(d, POLICY, only=CONFINED) for d in (small, dossier))
    assert (one.findings, one.undecided, one.decided) == (
        other.findings,
        other.undecided,
        other.decided,
    )


@pytest.mark.parametrize("extra", [staff((10, 11)), partner((10, 11), **OTHER_PARTNER)])
def test_nobody_and_no_service_is_named_in_it(extra: Attendance) -> None:
    """No address, key, name or title of a person, partner, program or school."""
    dossier = session(extra)
    small = confined(dossier, POLICY)
    assert small is not None
    text = dump(Dossier, small).lower()

    known = [i.guest.address_key for i in dossier.invitees]
    known += [i.guest.domain for i in dossier.invitees if i.guest.domain]
    known += [a.person_key for a in dossier.attendances if len(a.person_key) > 2]
    for row in dossier.registry.all_rows():
        known += [
            str(getattr(row, name))
            for name in ("name", "partner_id", "program_id", "contract_id")
            if getattr(row, name, None)
        ]
    assert len(known) > 8
    assert [word for word in known if f'"{word.lower()}' in text] == []
    assert {(row.reason, row.owner) for row in small.registry.exemptions} == {("", "")}
    assert small.meeting is None
    assert (small.registry.authorizations, small.registry.identities) == ((), ())


def test_what_it_could_not_decide_alike_is_not_kept() -> None:
    """An exemption for Zoom holds by the link in the invitation, which is left out."""
    link = PlatformLink(Platform.ZOOM, "zoom.us")
    dossier = session(
        staff((10, 11)),
        meeting={"links": (link,)},
        registry=replace(CLINIC, exemptions=(replace(CLINICAL, platform=Platform.ZOOM),)),
    )
    assert is_confidential(dossier)
    assert confined(dossier, POLICY) is None


# --- Word for word ------------------------------------------------------------------------------

ABSENT = "absent@partner.example"
MUM = an_exemption(ExemptionKind.GUARDIAN, "mum@home.example")
BARE_MUM = Exemption(ExemptionKind.GUARDIAN, "", None, False, "", "", *YEAR)
LED = replace(LINCOLN, leads=("lead@district.example",))
ANNEX = replace(LED, school_id="annex", name="Lincoln Annex")
WHOLE = replace(
    CLINIC,
    schools=(LED, WASHINGTON, ANNEX),
    contracts=(
        CONTRACT,
        replace(CONTRACT, contract_id="c2", signed_on=None),
        replace(CONTRACT, contract_id="c3", program_id="another"),
    ),
    certifications=(
        CERTIFICATION,
        replace(CERTIFICATION, person_address=GUIDE),
        replace(CERTIFICATION, person_address=ABSENT),
    ),
    exemptions=(
        CLINICAL,
        replace(CLINICAL, value="Partner.Example"),
        replace(CLINICAL, value=GUIDE),
        replace(CLINICAL, value=ABSENT),
        replace(CLINICAL, value="elsewhere.example"),
        an_exemption(ExemptionKind.MONITORED_TUTORING),
        MUM,
    ),
)


def of_address(attendance: Attendance, address: str) -> Attendance:
    """The same person, with this address and name, last seen nine minutes after the start."""
    identity = Identity(
        IdentityForm.ADDRESS,
        id_key="id",
        address_key="address key",
        address=address,
        domain=address.rpartition("@")[2],
        masked="g***@p***.example",
        name_key="name",
        name_tokens=("word",),
        is_external=True,
        in_directory=False,
    )
    visits = tuple(replace(v, identity=identity, last_seen_at=at(9)) for v in attendance.visits)
    return replace(attendance, visits=visits)


def the_whole() -> Dossier:
    """Clinician, student, teacher and guardian, and something in every field that is left out."""
    return replace(
        session(
            registry=WHOLE,
            invitees=(*INVITED, HOST, an_invitee(Kind.EXEMPT, "mum@home.example", exemption=MUM)),
            host=Host(PARTNER, LED, "Gil Guide", (TEACHER,), (LED,)),
            student_domains=frozenset({"students.district.example"}),
            late_after=timedelta(hours=30),
            contradictions=("They differ.",),
        ),
        conferences=(
            replace(
                a_conference(),
                space="spaces/1",
                organizer=GUIDE,
                calendar_event_id="event",
                organizer_key="key",
            ),
        ),
        attendances=(
            of_address(partner((0, 45), (2, 3)), GUIDE),
            the_student(),
            of_address(staff((10, 11), unit_path="/Staff/Lincoln"), TEACHER),
            replace(exempt(ExemptionKind.GUARDIAN, (0, 45)), exemption=MUM),
        ),
    )


def kept() -> Dossier:
    """What is kept of it."""
    small = confined(the_whole(), POLICY)
    assert small is not None
    return small


def test_schools_are_kept_with_their_units_only() -> None:
    """The host's school and those beside it, by id, without name, principals and leads."""
    bare = School("lincoln", "", SchoolKind.SCHOOL, ("/Staff/Lincoln",), (), ())
    assert kept().host == Host(None, bare)
    assert kept().registry.schools == (replace(bare, school_id="annex"), bare)


def test_rows_of_the_registry_are_kept_by_number() -> None:
    """Of the expected partner and its program only, and of persons only who is in the meeting."""
    numbered = "clinician-1@domain-1.invalid"
    clinical = Exemption(
        ExemptionKind.CONFIDENTIAL_CLINICAL, "program-1", None, True, "", "", *YEAR
    )
    contract = Contract("contract-1", "partner-1", "program-1", ("lincoln",), YEAR[0], *YEAR)
    assert replace(kept().registry, schools=()) == Registry(
        partners=(Partner("partner-1", "", PartnerKind.CONTRACTED, Activity.ACTIVE),),
        programs=(Program("program-1", "partner-1", "", ProgramType.OTHER, Activity.ACTIVE),),
        contracts=(contract, replace(contract, contract_id="contract-2", signed_on=None)),
        certifications=(
            Certification("partner-1", None, *YEAR),
            Certification("partner-1", numbered, *YEAR),
        ),
        exemptions=(
            clinical,
            replace(clinical, value="domain-1.invalid"),
            replace(clinical, value=numbered),
        ),
    )


def test_invitees_are_kept_by_role_and_number() -> None:
    """Only a clinician has an address, by number; an exemption says its kind and days."""
    assert kept().invitees == (
        Invitee(
            KeptGuest("person-1", "domain-1.invalid", "clinician-1@domain-1.invalid"),
            Kind.PARTNER,
            Confidence.ADDRESS,
            "partner-1",
        ),
        Invitee(KeptGuest("person-2", ""), Kind.STUDENT, Confidence.DIRECTORY),
        Invitee(KeptGuest("person-3", ""), Kind.STAFF, Confidence.DIRECTORY),
        Invitee(KeptGuest("person-4", ""), Kind.EXEMPT, Confidence.ADDRESS, exemption=BARE_MUM),
    )


def a_kept_visit(number: int, start: float, end: float, **changes: object) -> Visit[Identity]:
    """A visit whose key and participant are numbers, one after the other."""
    visit = a_visit(f"visit-{number}", start, end, participant=f"visit-{number + 1}")
    return replace(visit, **changes)  # type: ignore[arg-type] # by name


def test_people_in_the_call_are_kept_by_role_and_number() -> None:
    """Who is on the guest list has the same number there; times are exact, names left out."""
    clinician = Identity(IdentityForm.ADDRESS, address="clinician-1@domain-1.invalid")
    teacher = Identity(IdentityForm.ADDRESS)
    assert kept().attendances == (
        Attendance(
            "person-5",
            Kind.PARTNER,
            Confidence.ADDRESS,
            (
                a_kept_visit(1, 0, 45, identity=clinician, last_seen_at=at(9)),
                a_kept_visit(3, 2, 3, identity=clinician, last_seen_at=at(9)),
            ),
            "partner-1",
            address_key="person-1",
            is_invited=True,
        ),
        Attendance(
            "person-6",
            Kind.STUDENT,
            Confidence.DIRECTORY,
            (a_kept_visit(5, 0, 45),),
            is_invited=True,
        ),
        Attendance(
            "person-7",
            Kind.STAFF,
            Confidence.DIRECTORY,
            (a_kept_visit(7, 10, 11, identity=teacher, last_seen_at=at(9)),),
        ),
        Attendance(
            "person-8",
            Kind.EXEMPT,
            Confidence.ADDRESS,
            (a_kept_visit(9, 0, 45),),
            exemption=BARE_MUM,
        ),
    )


def test_a_visit_is_kept_with_its_source_and_limits() -> None:
    """A stay known from first to last seen only, in the audit log, is still that."""
    visit = a_visit("v", 10, None, source=Source.AUDIT, last_seen_at=at(12), is_hull=True)
    small = confined(
        replace(session(), attendances=(staff(), replace(staff(), visits=(visit,)))), POLICY
    )
    assert small is not None
    assert [a.visits for a in small.attendances] == [
        (),
        (
            Visit(
                Source.AUDIT,
                "visit-1",
                "conferenceRecords/0",
                "visit-2",
                Identity(IdentityForm.SIGNED_IN),
                at(10),
                None,
                at(12),
                is_hull=True,
            ),
        ),
    ]


def test_of_the_meeting_its_times_and_what_was_read_are_kept() -> None:
    """No event, host, organizer, space or domain of students; sources that decide, and no more."""
    small = kept()
    assert small == Dossier(
        key=OccurrenceKey("uid@google.com", START, "abcdefghij"),
        phase=Phase.AFTER,
        scope=Scope.FULL,
        as_of=END + timedelta(days=2),
        start_at=START,
        end_at=END,
        meeting=None,
        invitees=small.invitees,
        host=small.host,
        conferences=(Conference("conferenceRecords/0", Source.MEET, None, START, END),),
        attendances=small.attendances,
        registry=small.registry,
        evidence={
            Evidence.ATTENDANCE: SourceState(is_full=True),
            Evidence.GUESTS: SourceState(is_full=True),
            Evidence.DIRECTORY: SourceState(is_full=True),
        },
        zone=ZONE,
        is_final=True,
        late_after=timedelta(hours=30),
    )


def test_a_running_call_is_kept_as_one() -> None:
    """While it runs, the call has no end, and what is not final is not said to be."""
    small = confined(LIVE, POLICY)
    assert small is not None
    assert (small.phase, small.is_live, small.is_final) == (Phase.LIVE, True, False)
    assert small.conferences == (Conference("conferenceRecords/0", Source.MEET, None, START, None),)
