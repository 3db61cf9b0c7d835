"""Who came, when and whether it is known: the rules on attendance besides presence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from meetbot.domain.attendance import Attendance, Identity, IdentityForm
from meetbot.domain.dossier import Dossier, SourceState
from meetbot.domain.findings import Certainty, Evidence, Severity
from meetbot.domain.meetings import Scope
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.platforms import Certainty as LinkCertainty
from meetbot.domain.platforms import Platform, PlatformLink
from meetbot.domain.policy import Policy, RuleSwitch
from meetbot.domain.registry import ExemptionKind
from meetbot.domain.thresholds import Thresholds
from meetbot.rules import PRESENCE_RULES
from tests.dossiers import (
    AUTHORIZATION,
    CLASS,
    END,
    EVERYTHING,
    HOST,
    NORTHSTAR,
    PARTNER,
    a_conference,
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

CLEAN = (staff((0, 45)), partner((0, 45)), *students((0, 45)))
PHONE = {"form": IdentityForm.PHONE}

# --- unidentified-participant -------------------------------------------------------------------


def test_somebody_nobody_can_name() -> None:
    """A minute or more: medium with staff there; never confirmed."""
    finding = the("unidentified-participant", held(*CLEAN, somebody((10, 12.5))))

    assert finding.severity is Severity.MEDIUM
    assert finding.concern.certainty is Certainty.NEEDS_REVIEW
    assert finding.message == "1 unidentified, 2:30, by browser."


@pytest.mark.parametrize(("minutes", "fires"), [(1, True), (59 / 60, False)])
def test_a_minute_counts(minutes: float, fires: bool) -> None:
    """The boundary is inclusive."""
    dossier = held(*CLEAN, somebody((10, 10 + minutes)))

    assert bool(found("unidentified-participant", dossier)) is fires


def test_with_students_and_no_staff_it_is_high() -> None:
    """As in vector V24: alone with the class."""
    dossier = held(staff((0, 30)), partner((0, 45)), *students((0, 45)), somebody((30, 45)))

    assert the("unidentified-participant", dossier).severity is Severity.HIGH


@pytest.mark.parametrize(
    ("jitter", "seconds", "is_high"),
    [(15, 15, True), (15, 14, False), (0, 1, True), (1, 1, True), (2, 1, False)],
)
def test_how_long_without_staff_makes_it_high(jitter: int, seconds: int, is_high: bool) -> None:
    """As long as counts as contact in the presence rules; a single second where none is jitter."""
    policy = Policy(thresholds=Thresholds(jitter_s=jitter))
    people = (staff((0, 30)), *students((0, 30 + seconds / 60)), somebody((0, 45)))

    finding = the("unidentified-participant", held(*people), policy)

    assert finding.severity is (Severity.HIGH if is_high else Severity.MEDIUM)


def test_who_was_looked_up_leaves_nothing_open() -> None:
    """Only somebody whom the directory could not be asked about does."""
    rule = "unidentified-participant"
    unknown = an_attendance("n", Kind.UNKNOWN, (0, 45))

    assert not is_undecided(rule, held(*CLEAN, somebody((0, 45))))
    assert is_undecided(rule, held(*CLEAN, unknown))


def test_the_phone_leg_of_an_attendee_is_not_counted() -> None:
    """A phone that joins within two minutes of exactly one person is that person's."""
    people = (staff((0, 45)), partner((10, 45)), *students((0, 45)))

    assert not found("unidentified-participant", held(*people, somebody((12, 45), **PHONE)))
    assert found("unidentified-participant", held(*people, somebody((12.1, 45), **PHONE)))


def test_a_phone_that_could_be_anybodys_is_counted() -> None:
    """Two people joined just then: nobody knows whose it is. A browser is no second leg."""
    people = (staff((0, 45)), partner((10, 45)), *students((11, 45), number=1))
    alone = (staff((0, 45)), partner((10, 45)), *students((0, 45)))

    assert found("unidentified-participant", held(*people, somebody((11, 45), **PHONE)))
    assert found("unidentified-participant", held(*alone, somebody((11, 45))))


def test_the_line_of_an_invited_interpreter_is_not_counted() -> None:
    """One phone for each invited interpreter who was not seen otherwise."""
    row = an_exemption(ExemptionKind.INTERPRETER, "i@lines.example")
    interpreter = an_invitee(Kind.EXEMPT, "i@lines.example", exemption=row)
    people = (HOST, PARTNER, interpreter, *CLASS)
    line, other = somebody((20, 40), **PHONE), somebody((21, 40), person="u2", **PHONE)

    assert not found("unidentified-participant", held(*CLEAN, line, invitees=people))
    assert the("unidentified-participant", held(*CLEAN, line, other, invitees=people))


def test_ways_are_named_once() -> None:
    """Two people on two ways."""
    phone = somebody((20, 40), person="u2", **PHONE)

    finding = the("unidentified-participant", held(*CLEAN, somebody((10, 20)), phone))

    assert finding.message == "2 unidentified, 20:00, by browser and phone."


def test_a_live_stranger_is_looked_at_again_when_the_minute_is_over() -> None:
    """An open visit crosses the limit by time alone."""
    verdict = judge(running(20, *_open(), somebody((19.5, None))))

    assert "unidentified-participant" not in {f.rule for f in verdict.findings}
    assert verdict.recheck_at == at(20.5)


def _open() -> tuple[Attendance, ...]:
    return (staff((0, None)), partner((0, None)), *students((0, None)))


# --- uninvited-external-joined ------------------------------------------------------------------


def test_an_uninvited_stranger() -> None:
    """Known by address, not on the list: high, named by domain."""
    finding = the("uninvited-external-joined", held(*CLEAN, stranger((5, 10))))

    assert finding.severity is Severity.HIGH
    assert finding.message == "elsewhere.example joined without invitation."


@pytest.mark.parametrize(
    ("certifications", "invited", "severity"),
    [
        (None, True, Severity.MEDIUM),
        ((), True, Severity.HIGH),
        (None, False, Severity.HIGH),
    ],
    ids=["certified colleague", "not certified", "organization not invited"],
)
def test_a_forwarded_invitation(
    certifications: tuple[()] | None, invited: bool, severity: Severity
) -> None:
    """A colleague from the invited, certified organization is medium."""
    colleague = partner((5, 45), person="p2", address_key="key of other", is_invited=False)
    registry = a_registry() if certifications is None else a_registry(certifications=())
    invitees = (HOST, PARTNER, *CLASS) if invited else (HOST, *CLASS)

    finding = the(
        "uninvited-external-joined", held(*CLEAN, colleague, registry=registry, invitees=invitees)
    )

    assert finding.severity is severity
    assert finding.concern.subject == "northstar"


@pytest.mark.parametrize(
    "attendance",
    [
        stranger((0, 45), is_invited=True),
        stranger((0, 45), confidence=Confidence.COMPATIBLE),
        an_attendance("e", Kind.EXEMPT, (0, 45), confidence=Confidence.ADDRESS),
        an_attendance("n", Kind.UNKNOWN, (0, 45)),
    ],
    ids=["invited", "by name only", "exempt", "not looked up"],
)
def test_who_is_not_uninvited(attendance: Attendance) -> None:
    """Only E1 and E2, only outsiders, only without invitation."""
    assert not found("uninvited-external-joined", held(*CLEAN, attendance))


def test_a_partner_who_came_uninvited() -> None:
    """By its name as the district writes it; provisional until the sources are final."""
    named = replace(NORTHSTAR, name="McKinley YMCA")
    uninvited = partner((0, 45), is_invited=False)
    facts: dict[str, Any] = {
        "invitees": (HOST, *CLASS),
        "registry": a_registry(partners=(named,)),
    }

    final = the("uninvited-external-joined", held(uninvited, **facts))
    early = the("uninvited-external-joined", held(uninvited, is_final=False, **facts))

    assert final.message == "McKinley YMCA joined without invitation."
    assert not final.concern.is_provisional
    assert early.concern.is_provisional


def test_an_exempt_person_of_a_partner_needs_no_invitation() -> None:
    """An interpreter whom a registered organization sends."""
    interpreter = an_attendance(
        "e", Kind.EXEMPT, (0, 45), confidence=Confidence.ADDRESS, partner_id="northstar"
    )

    assert not found("uninvited-external-joined", held(*CLEAN, interpreter))


def test_without_the_whole_guest_list_nobody_is_uninvited() -> None:
    """The list may hold the person: undecided."""
    dossier = held(*CLEAN, stranger((5, 10)), evidence=without(Evidence.GUESTS))

    assert is_undecided("uninvited-external-joined", dossier)
    assert not found("uninvited-external-joined", dossier)


def test_an_adhoc_call_has_no_guest_list() -> None:
    """Its own rule speaks."""
    assert not found("uninvited-external-joined", adhoc(*CLEAN))


# --- adhoc-meeting ------------------------------------------------------------------------------


def test_a_call_without_an_event() -> None:
    """Partner and student at the same time: high, with the partner's name, staff or not."""
    finding = the("adhoc-meeting", adhoc(*CLEAN))

    assert finding.severity is Severity.HIGH
    assert finding.message == "Call with Northstar and students, no event."
    assert finding.concern.subject == "conference"
    assert finding.concern.partner_id == "northstar"


@pytest.mark.parametrize(
    "dossier",
    [
        held(*CLEAN),
        adhoc(staff((0, 45)), partner((0, 45))),
        adhoc(staff((0, 45)), *students((0, 45))),
        adhoc(partner((0, 20)), *students((20, 45))),
        adhoc(somebody((0, 45)), *students((0, 45))),
        adhoc(an_attendance("e", Kind.EXEMPT, (0, 45)), *students((0, 45))),
    ],
    ids=["planned", "no students", "no outsider", "one after the other", "anonymous", "parent"],
)
def test_what_is_no_adhoc_meeting(dossier: Dossier) -> None:
    """A matched event, or no meeting of outsider and student."""
    assert not found("adhoc-meeting", dossier)


def test_a_stranger_is_named_by_domain() -> None:
    """Unregistered outsiders have no name here."""
    finding = the("adhoc-meeting", adhoc(stranger((0, 45)), *students((0, 45))))

    assert finding.message == "Call with elsewhere.example and students, no event."


def test_an_obscured_outsider_needs_review() -> None:
    """The audit log calls somebody external and hides the address: no pass, no accusation."""
    masked = Identity(IdentityForm.MASKED, masked="no***@e***.example", is_external=True)
    seen = somebody((0, 45), form=IdentityForm.MASKED)
    hidden = replace(seen, visits=tuple(replace(v, identity=masked) for v in seen.visits))

    finding = the("adhoc-meeting", adhoc(staff((0, 45)), hidden, *students((0, 45))))

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW
    assert finding.message == "Call with an outside guest and students, no event."


@pytest.mark.parametrize(
    ("people", "event_id", "doubts"),
    [
        (CLEAN, "event", ("The event: the audit log names one that is on no staff calendar.",)),
        (CLEAN, None, ()),
        (CLEAN[1:], "event", ()),
    ],
    ids=["staff and event", "no event", "no staff"],
)
def test_an_event_on_a_calendar_that_is_not_read(
    people: tuple[Attendance, ...], event_id: str | None, doubts: tuple[str, ...]
) -> None:
    """A class link may have its event elsewhere; with staff in the call it needs review."""
    call = replace(a_conference(), calendar_event_id=event_id)
    concern = the("adhoc-meeting", replace(adhoc(*people), conferences=(call,))).concern

    assert concern.unknowns == doubts
    assert concern.certainty is (Certainty.NEEDS_REVIEW if doubts else Certainty.CONFIRMED)


def test_several_outsiders_are_all_named() -> None:
    """Partners by name first, strangers by domain; the flag then belongs to the one partner."""
    finding = the("adhoc-meeting", adhoc(*CLEAN, stranger((0, 45))))

    assert finding.message == "Call with Northstar, elsewhere.example and students, no event."
    assert finding.concern.partner_id == "northstar"


# --- outside-authorized-window ------------------------------------------------------------------


def over(minutes: float) -> Dossier:
    """Supervised, but longer than planned."""
    return held(staff((0, minutes)), partner((0, minutes)), *students((0, minutes)))


def test_running_over() -> None:
    """Vector V37: 25 minutes over, supervised; nothing else is said."""
    (finding,) = judge(over(70)).findings

    assert finding.rule == "outside-authorized-window"
    assert finding.message == "Ran 25 min over."
    assert finding.concern.certainty is Certainty.CONFIRMED


@pytest.mark.parametrize(("minutes", "fires"), [(55, False), (55 + 1 / 60, True)])
def test_ten_minutes_are_tolerated(minutes: float, fires: bool) -> None:
    """More than ten minutes fire."""
    assert bool(found("outside-authorized-window", over(minutes))) is fires


def test_beginning_early() -> None:
    """The same before the start; a partner or a class waiting alone is no contact."""
    early = held(staff((-20, 45)), partner((-20, 45)), *students((-12, 45)))
    waiting = held(staff((-20, 45)), partner((-20, 45)), *students((0, 45)))

    assert the("outside-authorized-window", early).message == "Began 12 min early."
    assert not found("outside-authorized-window", waiting)


def test_an_extended_event_is_not_run_over() -> None:
    """The event as it stands counts."""
    assert not found(
        "outside-authorized-window", replace(over(70), end_at=END + timedelta(minutes=25))
    )


@pytest.mark.parametrize("late", [-1, 1], ids=["in time", "after the start"])
def test_outside_the_authorized_days(late: int) -> None:
    """Across the last local midnight of the authorization, even by a few minutes.

    Its days are the same whenever it was issued.
    """
    night = timedelta(hours=13, minutes=10)  # ends 23:55 local, the call at 00:03
    row = replace(AUTHORIZATION, ends_on=date(2026, 10, 13), issued_at=at(late) + night)
    dossier = replace(
        held(*(_later(a, night) for a in over(53).attendances)),
        start_at=at(0) + night,
        end_at=END + night,
        registry=a_registry(authorizations=(row,)),
    )

    finding = the("outside-authorized-window", dossier)

    assert finding.message == "Ran 3 min outside the authorized days."


def _later(attendance: Attendance, shift: timedelta) -> Attendance:
    return replace(
        attendance,
        visits=tuple(
            replace(v, start_at=v.start_at + shift, end_at=v.end_at + shift if v.end_at else None)
            for v in attendance.visits
        ),
    )


def test_a_guess_does_not_confirm_running_over() -> None:
    """A partner by name only needs review; the last sure second of a student suffices."""
    guessed = partner((0, 70), confidence=Confidence.COMPATIBLE)
    by_name = held(staff((0, 70)), guessed, *students((0, 70)))
    outer = held(staff((0, 70)), partner((0, 70)), *map(hull, students((0, 70))))

    window = "outside-authorized-window"
    assert the(window, by_name).concern.certainty is Certainty.NEEDS_REVIEW
    assert the(window, outer).concern.certainty is Certainty.CONFIRMED


# --- evidence-incomplete ------------------------------------------------------------------------

UNREAD = EVERYTHING | {Evidence.ATTENDANCE: SourceState(is_full=False, problem="Meet was down")}


def unread(**changes: Any) -> Dossier:
    """The meeting two days later, with nothing read of who was there."""
    return held(**({"evidence": UNREAD} | changes))


def linking_to(
    platform: Platform, certainty: LinkCertainty = LinkCertainty.KNOWN
) -> dict[str, Any]:
    """An event without a code that links to this platform."""
    return {"meeting_code": None, "links": (PlatformLink(platform, "x.example", certainty),)}


def test_nobody_can_tell_after_a_day() -> None:
    """Students were invited, attendance is not known: medium, with the reason."""
    finding = the("evidence-incomplete", unread())

    assert finding.severity is Severity.MEDIUM
    assert finding.message == "Cannot tell whether staff were present."
    assert finding.concern.unknowns == ("Meet was down",)


@pytest.mark.parametrize(("seconds", "fires"), [(0, True), (-1, False)])
def test_a_day_is_waited(seconds: int, fires: bool) -> None:
    """Late data has 24 hours."""
    as_of = END + timedelta(days=1, seconds=seconds)

    assert bool(found("evidence-incomplete", unread(as_of=as_of))) is fires


@pytest.mark.parametrize(
    "dossier",
    [
        held(*CLEAN),
        held(conferences=()),
        unread(invitees=(HOST, PARTNER)),
        unread(invitees=(HOST, PARTNER), attendances=(staff((0, 45), is_invited=True),)),
        unread(invitees=(HOST, PARTNER), attendances=(stranger((0, 45)),)),
        unread(scope=Scope.ADULT),
        held(conferences=(), meeting=linking_to(Platform.GOOGLE_MEET)),
        held(conferences=(), meeting=linking_to(Platform.OTHER, LinkCertainty.DIAL_IN)),
        unread(meeting={"is_cancelled": True}, conferences=()),
        unread(meeting={"meeting_code": None}, conferences=()),
        unread(
            registry=a_registry(
                exemptions=(
                    an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True),
                )
            )
        ),
    ],
    ids=[
        "read in full",
        "not held",
        "no students",
        "staff only",
        "an uninvited stranger",
        "adults",
        "Google Meet by link",
        "by telephone",
        "cancelled",
        "not online",
        "confidential",
    ],
)
def test_nothing_was_missing_that_anybody_needs(dossier: Dossier) -> None:
    """No presence rule needed it, or there was nothing to read."""
    assert not found("evidence-incomplete", dossier)


@pytest.mark.parametrize(
    "dossier",
    [
        unread(invitees=(HOST, PARTNER), meeting={"is_guest_list_complete": False}),
        unread(
            invitees=(HOST, PARTNER),
            attendances=(partner((0, 45)),),
        ),
        unread(
            invitees=(HOST, PARTNER),
            attendances=(partner((0, 45), is_invited=False),),
        ),
        unread(
            invitees=(HOST, PARTNER),
            attendances=(stranger((0, 45), is_invited=True),),
        ),
        replace(held(*CLEAN), contradictions=("two sources differ by 300 s about one person",)),
        held(
            conferences=(),
            meeting={"meeting_code": None, "links": (PlatformLink(Platform.ZOOM, "zoom.us"),)},
        ),
        unread(meeting={"meeting_code": None, "are_details_known": False}, conferences=()),
    ],
    ids=[
        "unreadable list",
        "hidden class",
        "hidden class of an uninvited partner",
        "hidden class of an invited stranger",
        "contradiction",
        "another platform",
        "hidden details",
    ],
)
def test_what_else_leaves_it_open(dossier: Dossier) -> None:
    """Lists nobody could read, a class behind one screen, contradictions, other platforms."""
    assert found("evidence-incomplete", dossier)


def test_switched_off_presence_rules_need_no_evidence() -> None:
    """A district that asks nothing about presence misses nothing."""
    off = Policy(rules={rule: RuleSwitch(is_enabled=False) for rule in PRESENCE_RULES})

    assert not found("evidence-incomplete", unread(), off)
    assert found("evidence-incomplete", replace(unread(), invitees=(HOST, PARTNER, a_student())))
    assert not found("evidence-incomplete", a_dossier())


def test_ten_minutes_early_are_tolerated_exactly() -> None:
    """The same boundary before the start."""
    early = held(staff((-10, 45)), partner((-10, 45)), *students((-10, 45)))

    assert not found("outside-authorized-window", early)


def test_a_running_call_counts_up_to_the_observation() -> None:
    """What a source says of later is not known yet; ten minutes over are looked at again."""
    people = (staff((0, 70)), partner((0, 70)), *students((0, 70)))

    assert not found("outside-authorized-window", running(50, *people))
    assert judge(running(50, *people)).recheck_at == at(55) + timedelta(seconds=1)
    assert the("outside-authorized-window", running(56, *people)).concern.is_provisional
    assert judge(held(*CLEAN)).recheck_at is None


def test_what_a_running_call_shows_is_provisional() -> None:
    """Uninvited, unidentified: provisional until the sources are final."""
    live = running(20, *_open(), stranger((5, None)), somebody((5, None)))

    assert the("uninvited-external-joined", live).concern.is_provisional
    assert the("unidentified-participant", live).concern.is_provisional
    assert not the(
        "uninvited-external-joined", held(*CLEAN, stranger((5, 9)))
    ).concern.is_provisional


def test_a_phone_among_several_visits_is_matched_by_any_join() -> None:
    """The person's second join is near, the first is not."""
    people = (staff((0, 45)), partner((3, 8), (20, 45)), *students((0, 45)))

    assert not found("unidentified-participant", held(*people, somebody((21, 45), **PHONE)))


def test_one_presence_rule_left_on_still_needs_evidence() -> None:
    """Switching off one of five changes nothing."""
    some_off = Policy(rules={"staff-left-early": RuleSwitch(is_enabled=False)})

    assert found("evidence-incomplete", unread(), some_off)
