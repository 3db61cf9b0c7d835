"""The five presence rules on dossiers: what confirms, what is exempt, what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from meetbot.domain.attendance import Attendance, IdentityForm, Source
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Evidence, Severity
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.platforms import Platform
from meetbot.domain.policy import Policy, RuleSwitch
from meetbot.domain.registry import ExemptionKind, Registry
from meetbot.domain.thresholds import Thresholds
from meetbot.rules import PRESENCE_RULES, is_confidential, waiting_without_staff
from meetbot.rules.presence_facts import contact_totals, presence_recheck
from tests.dossiers import (
    CERTIFICATION,
    CONTRACT,
    HOST,
    PARTNER,
    STRANGER,
    a_conference,
    a_dossier,
    a_registry,
    a_student,
    an_attendance,
    an_exemption,
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

ONE_TO_ONE = (partner((0, 30)), *students((0, 30), number=1))
V02 = (staff((0, 30)), partner((2, 44)), *students((1, 45)))
CLEAN = (staff((0, 45)), partner((2, 44)), *students((1, 45)))


def flags(dossier: Dossier, policy: Policy | None = None) -> dict[str, tuple[Severity, Certainty]]:
    """Presence flags with severity and certainty."""
    return {
        f.rule: (f.severity, f.concern.certainty)
        for rule in PRESENCE_RULES
        for f in found(rule, dossier, policy)
    }


SURE, REVIEW = Certainty.CONFIRMED, Certainty.NEEDS_REVIEW


# --- each rule: fires, boundary, trap -----------------------------------------------------------


def test_staff_who_left_early() -> None:
    """Vector V02, with both sentences, the span and one family."""
    finding = the("staff-left-early", held(*V02))

    assert (finding.severity, finding.concern.certainty) == (Severity.HIGH, SURE)
    assert finding.message == "Staff left 10:30; partner stayed with students 14:00."
    assert finding.advice == "End the call for everyone when you leave."
    assert finding.family == "presence"
    assert finding.concern.subject == "presence"
    assert finding.concern.partner_id == "northstar"
    (span,) = finding.concern.spans
    assert (span.kind, span.start_at, span.end_at, span.seconds) == ("after", at(30), at(44), 840)


@pytest.mark.parametrize(("staff_end", "fires"), [(43, True), (43 + 1 / 60, False)])
def test_the_boundary_of_leaving_early(staff_end: float, fires: bool) -> None:
    """Vectors V04 and V05: a minute fires, a second less does not."""
    dossier = held(staff((0, staff_end)), partner((0, 44)), *students((0, 45)))

    assert ("staff-left-early" in flags(dossier)) is fires


@pytest.mark.parametrize(
    "dossier",
    [
        held(*CLEAN),
        held(staff((0, 30)), staff((29, 45), person="t2"), partner((0, 45)), *students((0, 45))),
        held(staff((0, 20), (20 + 2 / 3, 45)), partner((0, 45)), *students((0, 45))),
        held(staff((0, 44.5)), partner((0, 45)), *students((0, 45))),
        held(staff((5, 45)), partner((0, 45)), *students((5, 45))),
        held(partner((0, 45))),
        held(staff((0, 30)), partner((0, 45)), *students((0, 30))),
        a_dossier(),
    ],
    ids=[
        "clean",
        "co-teacher",
        "reconnect",
        "same minute",
        "partner waits",
        "nobody met",
        "students left first",
        "no call",
    ],
)
def test_supervised_meetings_are_clean(dossier: Dossier) -> None:
    """The traps of the presence rules."""
    assert not flags(dossier)


@pytest.mark.parametrize(("late", "fires"), [(2, True), (2 - 1 / 60, False)])
def test_staff_who_came_late(late: float, fires: bool) -> None:
    """Vector V06: two minutes of contact before staff."""
    dossier = held(staff((late, 45)), partner((0, 45)), *students((0, 45)))

    assert ("staff-joined-late" in flags(dossier)) is fires
    if fires:
        finding = the("staff-joined-late", dossier)
        assert finding.message == "Partner and students together 2:00 before staff."


def test_gaps_are_counted() -> None:
    """Vector V12: four short gaps, their number and the longest."""
    absent = ((0, 10), (10 + 5 / 6, 20), (20 + 5 / 6, 30), (30 + 5 / 6, 40), (40 + 5 / 6, 45))
    finding = the("staff-presence-gap", held(staff(*absent), partner((0, 45)), *students((0, 45))))

    assert finding.message == "4 gaps, longest 0:50."
    assert [span.kind for span in finding.concern.spans] == ["gap"] * 4


def test_two_devices_are_no_gap() -> None:
    """Vector V14: a device switch."""
    assert not flags(held(staff((0, 20), (19.5, 45)), partner((0, 45)), *students((0, 45))))


def test_no_staff_at_all() -> None:
    """Vector V17: critical; no schedule is needed to say so."""
    finding = the("no-staff-joined", held(partner((0, 30)), *students((0, 30))))

    assert finding.severity is Severity.CRITICAL
    assert finding.message == "Partner and students met 30 min; no staff account joined."


def test_a_room_kit_may_be_the_teacher() -> None:
    """Vector V22: needs review, and what is not known is said."""
    room = an_attendance("r", Kind.ROOM, (0, 45))
    finding = the("no-staff-joined", held(room, partner((0, 45)), *students((0, 45))))

    assert finding.concern.certainty is REVIEW
    assert "Who sat in front of the room device." in finding.concern.unknowns


def test_one_student_alone_with_a_partner() -> None:
    """Vector V18: critical, its spans are those alone."""
    finding = the(
        "partner-alone-with-student", held(partner((0, 30)), *students((0, 30), number=1))
    )

    assert finding.message == "Partner alone with one student 30:00."
    assert {span.kind for span in finding.concern.spans} == {"alone"}


def test_two_devices_of_one_student_are_one_student() -> None:
    """The second device makes nobody less alone."""
    (student,) = students((0, 30), (1, 30), number=1)

    assert the("partner-alone-with-student", held(partner((0, 30)), student))
    assert "partner-alone-with-student" not in flags(held(partner((0, 30)), *students((0, 30))))


# --- what may not confirm -----------------------------------------------------------------------


def test_a_partner_known_by_name_only_does_not_confirm() -> None:
    """E3 needs review; beside a partner known by address the flag stands."""
    guessed = partner((2, 44), confidence=Confidence.COMPATIBLE)
    also_known = stranger((2, 44))
    rest = (staff((0, 30)), *students((1, 45)))

    assert flags(held(guessed, *rest))["staff-left-early"] == (Severity.HIGH, REVIEW)
    assert flags(held(also_known, *rest))["staff-left-early"] == (Severity.HIGH, SURE)


def test_somebody_unmatched_is_nobody_known() -> None:
    """E4 is unidentified (vector V23)."""
    unmatched = partner((0, 45), confidence=Confidence.NONE)
    dossier = held(staff((0, 30)), unmatched, *students((0, 45)))

    assert flags(dossier)["staff-left-early"] == (Severity.HIGH, REVIEW)


def test_outer_limits_of_students_do_not_confirm() -> None:
    """First join to last leave hides when students were away; exact rows confirm."""
    outer = tuple(map(hull, students((1, 45))))
    exact = tuple(
        replace(
            s,
            visits=(*s.visits, *(replace(v, source=Source.AUDIT) for v in e.visits)),
        )
        for s, e in zip(outer, students((1, 45)), strict=True)
    )
    rest = (staff((0, 30)), partner((2, 44)))

    assert flags(held(*rest, *outer))["staff-left-early"] == (Severity.HIGH, REVIEW)
    assert flags(held(*rest, *exact))["staff-left-early"] == (Severity.HIGH, SURE)


def test_the_sure_part_gives_the_severity() -> None:
    """Six minutes by an outer limit, two of them sure: medium is confirmed."""
    outer, exact = hull(students((0, 36), number=1)[0]), students((0, 32))[1]
    dossier = held(staff((0, 30)), partner((0, 45)), outer, exact)

    assert flags(dossier)["staff-left-early"] == (Severity.MEDIUM, SURE)


def test_exempt_people_are_nobody_and_inactive_accounts_confirm_nothing() -> None:
    """A parent alone with students is no partner; who is suspended since may have been staff."""
    parent = an_attendance("e", Kind.EXEMPT, (0, 45), confidence=Confidence.ADDRESS)
    inactive = an_attendance("i", Kind.INACTIVE, (0, 45))

    assert not flags(held(parent, *students((0, 45))))
    suspended_since = flags(held(inactive, partner((0, 45)), *students((0, 45))))
    assert suspended_since["no-staff-joined"] == (Severity.CRITICAL, REVIEW)


def test_who_was_not_looked_up_is_not_accused() -> None:
    """An unresolved id may be the new teacher: undecided, unless it is certain anyway."""
    unknown = an_attendance("n", Kind.UNKNOWN, (0, 45))
    open_case = held(unknown, partner((0, 45)), *students((0, 45)))
    certain = held(replace(unknown, visits=unknown.visits[:0]), *V02)

    assert not flags(open_case)
    assert is_undecided("no-staff-joined", open_case)
    assert flags(certain)["staff-left-early"] == (Severity.HIGH, SURE)
    assert is_undecided("staff-left-early", certain)


def test_without_full_attendance_nothing_is_said() -> None:
    """Half of the visits could hide the teacher."""
    dossier = held(*V02, evidence=without(Evidence.ATTENDANCE))

    assert not flags(dossier)
    for rule in PRESENCE_RULES:
        assert is_undecided(rule, dossier)


# --- hidden class -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outsider", "is_flagged"),
    [
        (partner((0, 45)), True),
        (partner((0, 45), is_invited=False), True),
        (stranger((0, 45), is_invited=True), True),
        (stranger((0, 45)), False),
    ],
    ids=["registered", "registered, not invited", "invited", "neither"],
)
def test_a_hidden_class_needs_a_registered_or_invited_partner(
    outsider: object, is_flagged: bool
) -> None:
    """Vector V36: medium, needs review; a stranger whom nobody invited brings no class."""
    dossier = held(staff((0, 20)), outsider)  # type: ignore[arg-type] # parametrized
    expected = {"staff-left-early": (Severity.MEDIUM, REVIEW)} if is_flagged else {}

    assert flags(dossier) == expected


def test_a_stranger_adds_nothing_to_a_hidden_class() -> None:
    """Beside an invited partner only the partner's time counts."""
    dossier = held(staff((0, 20)), partner((0, 22)), stranger((0, 45)))

    (span,) = the("staff-left-early", dossier).concern.spans
    assert span.seconds == 120


# --- exemptions ---------------------------------------------------------------------------------


def tutoring(**changes: object) -> Registry:
    """Northstar with a tutoring exemption on Google Meet."""
    row = an_exemption(ExemptionKind.MONITORED_TUTORING, platform=Platform.GOOGLE_MEET)
    return a_registry(exemptions=(replace(row, **changes),))  # type: ignore[arg-type] # changes


def test_monitored_tutoring_may_be_one_to_one() -> None:
    """Only being alone is allowed; that no staff joined is still said."""
    dossier = held(*ONE_TO_ONE, registry=tutoring())

    assert set(flags(dossier)) == {"no-staff-joined"}


@pytest.mark.parametrize(
    "registry",
    [
        tutoring(platform=None),
        tutoring(platform=Platform.ZOOM),
        tutoring(ends_on=CONTRACT.starts_on),
        replace(tutoring(), contracts=()),
    ],
    ids=["nothing evidenced", "another platform", "lapsed", "no contract"],
)
def test_tutoring_without_its_conditions_is_not_exempt(registry: Registry) -> None:
    """Platform evidenced, in force, and with a contract."""
    assert "partner-alone-with-student" in flags(held(*ONE_TO_ONE, registry=registry))


def test_a_stranger_beside_the_tutor_ends_the_exemption() -> None:
    """Being alone with an unregistered outsider was never allowed."""
    dossier = held(stranger((0, 30)), partner((0, 5)), *ONE_TO_ONE[1:], registry=tutoring())

    assert "partner-alone-with-student" in flags(dossier)


CLINIC = a_registry(
    exemptions=(an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True),)
)


def test_a_confidential_session_has_no_presence_flags() -> None:
    """Staff are not wanted there; all five rules are decided and silent."""
    dossier = held(*ONE_TO_ONE, registry=CLINIC)

    assert is_confidential(dossier)
    assert not flags(dossier)
    assert judge(dossier).decided >= PRESENCE_RULES


@pytest.mark.parametrize(
    "registry",
    [
        replace(CLINIC, contracts=()),
        replace(CLINIC, certifications=()),
        replace(CLINIC, certifications=(replace(CERTIFICATION, expires_on=CONTRACT.starts_on),)),
        a_registry(exemptions=(an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL),)),
    ],
    ids=["no contract", "no certification", "certification lapsed", "no consent"],
)
def test_a_clinic_without_its_conditions_is_not_exempt(registry: Registry) -> None:
    """Valid contract, certification and consent on file."""
    dossier = held(*ONE_TO_ONE, registry=registry)

    assert not is_confidential(dossier)
    assert "no-staff-joined" in flags(dossier)


# --- live and policy ----------------------------------------------------------------------------


def test_a_running_call_is_provisional_with_a_recheck() -> None:
    """Vector V26: nothing yet, look again in 20 s; then V25's flag is provisional."""
    people = (staff((0, 20)), partner((0, None)), *students((0, None)))
    early = judge(running(20 + 2 / 3, *people))
    late = the("staff-left-early", running(25, *people))

    assert not early.findings
    assert early.recheck_at == at(21)
    assert late.concern.is_provisional
    assert late.severity is Severity.HIGH


def test_absent_staff_are_late_before_they_are_missing() -> None:
    """Vectors V41 and V42; the nudge counts from the first contact."""
    people = (partner((0, None)), *students((0, None)))
    waiting = running(1.5, *people)

    assert not flags(waiting)
    assert waiting_without_staff(waiting, Policy()) == timedelta(seconds=90)
    assert "no-staff-joined" in flags(running(5, *people))


@pytest.mark.parametrize(
    "dossier",
    [
        running(20, staff((0, None)), partner((0, None)), *students((0, None))),
        running(20, partner((0, 5)), *students((0, 5))),
        held(partner((0, 45)), *students((0, 45))),
        running(20, *ONE_TO_ONE, registry=CLINIC),
    ],
    ids=["staff there", "they left", "not running", "confidential"],
)
def test_nobody_waits(dossier: Dossier) -> None:
    """No nudge is due."""
    assert waiting_without_staff(dossier, Policy()) == timedelta(0)


def test_a_result_is_provisional_until_final() -> None:
    """Ten minutes after the end data may still be late."""
    assert the("staff-left-early", held(*V02, is_final=False)).concern.is_provisional
    assert not the("staff-left-early", held(*V02)).concern.is_provisional


def test_the_district_sets_thresholds_and_severity() -> None:
    """Thresholds, a switch-off and a severity of the policy."""
    patient = Policy(thresholds=Thresholds(after_s=900))
    off = Policy(rules={"staff-left-early": RuleSwitch(is_enabled=False)})
    loud = Policy(rules={"staff-left-early": RuleSwitch(severity=Severity.CRITICAL)})

    assert not flags(held(*V02), patient)
    assert not flags(held(*V02), off)
    assert "staff-left-early" not in judge(held(*V02), off).decided
    assert flags(held(*V02), loud)["staff-left-early"][0] is Severity.CRITICAL


def test_a_cancelled_meeting_that_was_held_is_judged() -> None:
    """What took place counts; without a call there is nothing to find."""
    cancelled = {"is_cancelled": True}

    assert flags(held(*V02, meeting=cancelled))
    assert not judge(held(meeting=cancelled, conferences=())).findings


def test_nothing_in_a_finding_names_a_student() -> None:
    """Neither keys nor domains of students are in what is told."""
    dossier = held(
        *V02,
        somebody((0, 45), form=IdentityForm.PHONE),
        invitees=(HOST, PARTNER, STRANGER, a_student()),
    )
    told = repr([(f.message, f.advice, f.fix, f.concern) for f in judge(dossier).findings])

    assert "student 1" not in told
    assert "k1" not in told
    assert "students.district" not in told


def test_what_is_not_known_is_said_for_whom_it_concerns() -> None:
    """One doubtful person among sure ones is enough for the sentence."""
    guessed = partner((0, 45), confidence=Confidence.COMPATIBLE)
    people = (staff((0, 30)), guessed, *students((0, 45)))
    by_name = the("staff-left-early", held(*people)).concern.unknowns
    and_somebody = the("staff-left-early", held(*people, somebody((0, 45)))).concern.unknowns

    assert by_name == ("Whether the outside guest recognized by name only is who they seem to be.",)
    assert set(and_somebody) > set(by_name)


def test_contact_while_others_are_known_by_name_only() -> None:
    """A doubtful partner beside a sure one that left: only the sure time confirms."""
    guessed = partner((0, 45), person="p2", confidence=Confidence.COMPATIBLE)
    dossier = held(staff((0, 30)), partner((0, 30)), guessed, *students((0, 45)))

    assert flags(dossier)["staff-left-early"] == (Severity.HIGH, REVIEW)


SHARED_SCREEN = "No student account was seen; a class may have shared one screen."
NOBODY_KNOWS = "Who the unidentified participants were; one of them may have been staff."
NOT_RECORDED = "When somebody left whose leaving was not recorded."
AWAY = "Whether somebody was away between first joining and last leaving."
BY_NAME = "Whether the outside guest recognized by name only is who they seem to be."
MET = (partner((0, 45)), *students((0, 45)))


@pytest.mark.parametrize(
    ("people", "unknowns"),
    [
        ((staff((0, 20)), partner((0, 45))), (SHARED_SCREEN,)),
        ((staff((0, 30)), *MET, somebody((30, 45))), (NOBODY_KNOWS,)),
        (
            (staff((0, 30)), *MET, an_attendance("r", Kind.ROOM, (0, 45))),
            ("Who sat in front of the room device.",),
        ),
        ((staff((0, None)), *MET), (NOT_RECORDED,)),
        ((staff((0, 30)), hull(partner((0, 45))), *students((0, 45))), (AWAY,)),
        (
            (
                staff((0, 30)),
                partner((0, 45), confidence=Confidence.COMPATIBLE),
                *students((0, 45)),
            ),
            (BY_NAME,),
        ),
        ((staff((0, 30)), *MET), ()),
    ],
    ids=["class", "somebody", "room", "no end", "hull", "by name", "sure"],
)
def test_why_a_flag_needs_review_is_said(
    people: tuple[Attendance, ...], unknowns: tuple[str, ...]
) -> None:
    """Just the sentences that apply; a confirmed flag has none."""
    assert the("staff-left-early", held(*people)).concern.unknowns == unknowns


def test_one_gap_is_told_as_one() -> None:
    """The timeline of the mail says `1 gap`, not `1 gaps`."""
    finding = the("staff-presence-gap", held(staff((0, 10), (12, 45)), *MET))

    assert finding.concern.facts["gaps"] == "1 gap"


@pytest.mark.parametrize(
    ("teacher", "left_at"),
    [(staff((0, 20), (25, 30)), "10:30"), (staff((0, 20), (40, 42)), "10:42")],
)
def test_when_staff_left_is_their_last_moment(teacher: Attendance, left_at: str) -> None:
    """Of staff, not of others who left later."""
    finding = the("staff-left-early", held(teacher, partner((0, 44.5)), *students((0, 44))))

    assert finding.message.startswith(f"Staff left {left_at};")


def test_staff_whose_leaving_is_unknown_were_there_when_last_seen() -> None:
    """The last seen moment bounds what is possible, and is the time told."""
    teacher = staff((0, None))
    seen = replace(teacher, visits=(replace(teacher.visits[0], last_seen_at=at(30)),))
    concern = the("staff-left-early", held(seen, *MET)).concern

    assert concern.certainty is REVIEW
    assert concern.facts["t"] == "10:30"
    assert [span.seconds for span in concern.spans] == [15 * 60]


def test_contact_totals_are_those_of_both_bounds() -> None:
    """Certain without who may be somebody else, possible with them."""
    sure = (staff((0, 30)), *MET)

    certain, possible = contact_totals(held(*sure, somebody((30, 35))), Policy())

    assert (certain.after, possible.after) == (10 * 60, 15 * 60)


@pytest.mark.parametrize(
    "dossier",
    [
        held(*V02),
        running(1, partner((0, None)), *students((0, None)), conferences=()),
        running(1, *ONE_TO_ONE, registry=CLINIC),
        running(20, partner((0, None)), *students((0, None)), is_live=False),
    ],
    ids=["over", "no call", "confidential", "not live"],
)
def test_only_a_running_call_is_looked_at_again(dossier: Dossier) -> None:
    """Nothing changes by itself in one that is over."""
    assert presence_recheck(dossier, Policy()) is None


def test_no_presence_rule_no_second_look() -> None:
    """With all five switched off the recheck is off; with one of them on it is not."""
    dossier = running(1, partner((0, None)), *students((0, None)))
    off = {rule: RuleSwitch(is_enabled=False) for rule in PRESENCE_RULES}

    assert presence_recheck(dossier, Policy()) == at(2)
    assert presence_recheck(dossier, Policy(rules=off)) is None
    del off["staff-joined-late"]
    assert presence_recheck(dossier, Policy(rules=off)) == at(2)


def test_a_call_of_several_records_is_judged_within_them() -> None:
    """Between two records nobody meets, and one that ended is not stretched to now."""
    calls = (a_conference(0, 20), replace(a_conference(25, 45), name="conferenceRecords/25"))
    dossier = held(staff((0, 20)), *MET, conferences=calls)

    assert the("staff-left-early", dossier).concern.facts["seconds"] == 20 * 60


def test_what_nobody_can_doubt_is_told_of_a_confirmed_flag() -> None:
    """The certain time only, when staff (and not somebody unknown) left, and no unknowns."""
    people = (staff((0, 30)), *MET, somebody((30, 35)))
    finding = the("staff-left-early", held(*people))

    assert finding.concern.certainty is SURE
    assert finding.message == "Staff left 10:30; partner stayed with students 10:00."
    assert finding.concern.unknowns == ()


def test_the_nudge_counts_partners_known_by_name_only() -> None:
    """It accuses nobody, so it need not be sure who the outsider is."""
    by_name = partner((0, None), confidence=Confidence.COMPATIBLE)

    assert waiting_without_staff(running(3, by_name, *students((0, None))), Policy()) == timedelta(
        minutes=3
    )


def test_a_flag_belongs_to_the_partner_who_came() -> None:
    """Not to one who stayed away, and of two to neither; where none came, to the invited one."""
    other = replace(PARTNER, guest=replace(PARTNER.guest, address_key="k"), partner_id="absent")
    came = held(staff((0, 30)), *MET, invitees=(HOST, PARTNER, other))
    unknown = held(staff((0, 30)), stranger((0, 45)), *students((0, 45)))

    second = partner((0, 45), person="p2", partner_id="absent")
    both = held(staff((0, 30)), *MET, second, invitees=(HOST, PARTNER, other))

    assert the("staff-left-early", both).concern.partner_id is None
    assert the("staff-left-early", came).concern.partner_id == "northstar"
    assert the("staff-left-early", unknown).concern.partner_id == "northstar"


def test_a_stranger_brings_no_hidden_class_to_one_rule_because_of_another() -> None:
    """The partner was there in the gap only; after staff left there was a stranger alone."""
    dossier = held(staff((0, 10), (12, 20)), partner((10, 12)), stranger((0, 45)))

    assert flags(dossier) == {"staff-presence-gap": (Severity.MEDIUM, REVIEW)}


def test_when_staff_left_a_call_that_ran_over() -> None:
    """After the scheduled end, the time told is that of leaving."""
    dossier = held(staff((0, 50)), partner((0, 55)), *students((0, 55)))

    assert the("staff-left-early", dossier).message.startswith("Staff left 10:50;")


def test_a_room_that_was_left_counts_as_staff_that_left() -> None:
    """Whoever sat there may have been staff: the time told is the start of the contact."""
    room = an_attendance("r", Kind.ROOM, (0, 30))

    finding = the("staff-left-early", held(room, *MET))

    assert finding.message == "Staff left 10:30; partner stayed with students 15:00."


def test_only_who_bears_the_hosts_name_may_be_the_host() -> None:
    """Partner and students stay what they are; the outsider's time may be the host's."""
    words = ("terry", "teacher")
    host = replace(HOST, guest=replace(HOST.guest, name_tokens=words))
    caller = stranger((0, 30))
    who = replace(caller.visits[0].identity, name_tokens=words)
    caller = replace(caller, visits=(replace(caller.visits[0], identity=who),))
    dossier = held(caller, *MET)
    absent = replace(dossier, host=replace(dossier.host, invitee=host))

    certain, possible = contact_totals(absent, Policy())
    assert (certain.none, certain.after, possible.none) == (0, 15 * 60, 45 * 60)
    assert contact_totals(dossier, Policy())[0].none == 45 * 60
