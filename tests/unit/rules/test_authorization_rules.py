"""Was it authorized? Exactly one answer, the authorizer's role, and changes since."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from meetbot.domain.dossier import Dossier, Host
from meetbot.domain.findings import Certainty, Evidence, Phase, Severity
from meetbot.domain.guest_list import Edit, Editor
from meetbot.domain.meetings import OccurrenceKey
from meetbot.domain.people import Kind
from meetbot.domain.platforms import Platform, PlatformLink
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Authorization, ProgramType, Registry
from meetbot.rules import fingerprint_of, fingerprints_after
from tests.dossiers import (
    AUTHORIZATION,
    CLASS,
    HOST,
    LINCOLN,
    PARTNER,
    PROGRAM,
    START,
    STRANGER,
    TEACHER,
    WASHINGTON,
    a_dossier,
    a_registry,
    a_student,
    an_invitee,
    at,
    found,
    held,
    is_undecided,
    partner,
    running,
    staff,
    students,
    the,
    without,
)

ANSWERS = {"authorization-missing", "authorization-scope", "authorization-retroactive"}
WHOLE = (staff((0, 45)), partner((0, 45)), *students((0, 45)))


def with_rows(*rows: Authorization) -> Registry:
    """The registry with these authorizations."""
    return a_registry(authorizations=rows)


def answers(dossier: Dossier) -> set[str]:
    """Which of the three rules speak."""
    return {rule for rule in ANSWERS if found(rule, dossier)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"host_address": TEACHER}, set()),
        ({"host_address": "other@district.example"}, {"authorization-scope"}),
        ({"school_id": "washington"}, {"authorization-scope"}),
        ({"ends_on": date(2026, 10, 12)}, {"authorization-scope"}),
        ({"ends_on": date(2026, 10, 13)}, set()),
        ({"starts_on": date(2026, 10, 14)}, {"authorization-scope"}),
        ({"issued_at": START}, set()),
        ({"issued_at": at(1)}, {"authorization-retroactive"}),
        ({"revoked_at": at(44)}, {"authorization-missing"}),
        ({"revoked_at": at(45)}, set()),
    ],
)
def test_exactly_one_answer(changes: dict[str, Any], expected: set[str]) -> None:
    """After the meeting exactly one rule answers, or none where it was authorized."""
    registry = with_rows(replace(AUTHORIZATION, **changes))

    assert answers(held(*WHOLE, registry=registry)) == expected


def test_no_authorization_at_all() -> None:
    """Nothing on file: missing, high, confirmed."""
    finding = the("authorization-missing", a_dossier(registry=with_rows()))

    assert finding.message == "No authorization on file, held for Lincoln School."
    assert finding.severity is Severity.HIGH
    assert finding.concern.certainty is Certainty.CONFIRMED


def test_a_revoked_authorization_is_named() -> None:
    """All revoked before the end: missing, and the nearest miss is told."""
    finding = the(
        "authorization-missing",
        a_dossier(registry=with_rows(replace(AUTHORIZATION, revoked_at=at(-60)))),
    )

    assert "a1 for Lincoln School was revoked on 2026-10-13" in finding.message


def test_a_revoked_approval_hints_at_no_mental_health_program() -> None:
    """The id of an approval is free text of the district; mails must not carry it then."""
    program = replace(PROGRAM, type=ProgramType.MENTAL_HEALTH)
    row = replace(AUTHORIZATION, authorization_id="counseling-7", revoked_at=at(-60))

    finding = the(
        "authorization-missing",
        a_dossier(registry=a_registry(programs=(program,), authorizations=(row,))),
    )

    assert "counseling" not in finding.message
    assert "An authorization for Lincoln School was revoked" in finding.message


def test_the_officer_reads_what_was_approved_and_what_was_held() -> None:
    """Scope names both schools, and the teacher reads the field."""
    registry = with_rows(replace(AUTHORIZATION, school_id="washington"))

    finding = the("authorization-scope", a_dossier(registry=registry))

    assert finding.message == "Approved for Washington School, held for Lincoln School."
    assert finding.advice == "Your approval does not cover this school."
    assert finding.concern.certainty is Certainty.CONFIRMED


def test_a_teacher_at_two_schools_is_a_case_for_review() -> None:
    """Where the approval names this very host, only the school differing is not confirmed."""
    row = replace(AUTHORIZATION, school_id="washington", host_address=TEACHER)

    finding = the("authorization-scope", a_dossier(registry=with_rows(row)))

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW


def test_an_unknown_host_is_not_accused_of_being_another() -> None:
    """An approval for a named host and a host nobody knows: needs review."""
    registry = with_rows(replace(AUTHORIZATION, host_address=TEACHER))

    finding = the("authorization-scope", a_dossier(registry=registry, host=Host(None)))

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW


def test_staff_on_leave_still_host_what_was_approved_for_them() -> None:
    """An inactive host is the host the approval names."""
    host = Host(an_invitee(Kind.INACTIVE, TEACHER), LINCOLN)
    registry = with_rows(replace(AUTHORIZATION, host_address=TEACHER))

    assert not answers(a_dossier(registry=registry, host=host))


def test_an_unknown_school_is_no_silent_pass() -> None:
    """An approval for some school fits, but nobody knows the host's: undecided."""
    assert is_undecided("authorization-scope", a_dossier(host=Host(HOST)))


def test_where_the_school_is_known_or_nothing_fits_it_is_decided() -> None:
    """Only an approval that may be for another school leaves it open."""
    assert not is_undecided("authorization-scope", a_dossier())
    nothing = a_dossier(registry=with_rows(), host=Host(HOST))
    assert not is_undecided("authorization-scope", nothing)


def test_an_authorization_for_another_program_is_scope() -> None:
    """The contract tells the program, the approval names another one."""
    second = replace(PROGRAM, program_id="second", name="Second")
    row = replace(AUTHORIZATION, program_id="second", school_id="washington")
    registry = a_registry(programs=(PROGRAM, second), authorizations=(row,))

    finding = the("authorization-scope", a_dossier(registry=registry))

    assert finding.message.endswith("held for College Path and Lincoln School.")


def test_before_and_during_the_meeting_nothing_is_retroactive() -> None:
    """Retroactive approval is a matter for afterwards."""
    registry = with_rows(replace(AUTHORIZATION, issued_at=at(1)))

    assert not answers(running(20, *WHOLE, registry=registry))


def test_how_late_the_approval_came() -> None:
    """Hours after the start, medium."""
    registry = with_rows(replace(AUTHORIZATION, issued_at=at(150)))

    finding = the("authorization-retroactive", held(*WHOLE, registry=registry))

    assert finding.message == "Approved 2.5 h after the start."
    assert finding.severity is Severity.MEDIUM


@pytest.mark.parametrize(("moved", "expected"), [(15, set()), (16, {"authorization-retroactive"})])
def test_a_small_move_keeps_the_answer(moved: int, expected: set[str]) -> None:
    """Approved before the planned start; moved to earlier by up to 15 minutes."""
    registry = with_rows(replace(AUTHORIZATION, issued_at=at(-1)))
    times = {"start_at": at(-moved), "end_at": at(45 - moved)}
    dossier = held(*WHOLE, registry=registry, meeting=times)

    assert dossier.key.original_start_at == START
    assert answers(dossier) == expected


@pytest.mark.parametrize(
    "rule", ["authorizer-role", "outside-authorized-window", "guest-added-by-partner"]
)
def test_every_rule_about_approvals_knows_the_small_move(rule: str) -> None:
    """All of them ask the one answer, which is that of the planned time."""
    late = with_rows(replace(AUTHORIZATION, issued_at=at(-1)))
    times = {"start_at": at(-10), "end_at": at(35)}
    edits = (Edit(at(-2), Editor.OUTSIDER, PARTNER.guest.address_key, "northstar"),)

    assert not found(rule, held(*WHOLE, registry=late, meeting=times, edits=edits))


def test_a_move_to_the_next_day_is_not_small() -> None:
    """Ten minutes across midnight is another local day."""
    late = datetime(2026, 10, 14, 4, 55, tzinfo=UTC)  # 23:55 local on the 13th
    registry = with_rows(replace(AUTHORIZATION, ends_on=date(2026, 10, 13)))
    times = {"start_at": late + timedelta(minutes=10), "end_at": late + timedelta(minutes=40)}
    key = OccurrenceKey("uid", late)

    assert answers(a_dossier(registry=registry, meeting=times, key=key)) == {"authorization-scope"}


# --- authorizer-role ----------------------------------------------------------------------------


def test_an_authorizer_without_a_role() -> None:
    """Neither principal nor lead: high."""
    registry = with_rows(replace(AUTHORIZATION, authorizer_address="clerk@district.example"))

    finding = the("authorizer-role", a_dossier(registry=registry))

    assert finding.message.endswith("neither principal nor department lead of Lincoln School.")
    assert finding.severity is Severity.HIGH


def test_the_principal_of_another_school_may_not_authorize() -> None:
    """The role must be at the school of the authorization; the other role is named."""
    registry = with_rows(replace(AUTHORIZATION, authorizer_address="w@x.example"))

    finding = the("authorizer-role", a_dossier(registry=registry))

    assert finding.message.endswith("principal of Washington School, not of Lincoln School.")


def test_who_approved_too_late_is_judged_too() -> None:
    """An approval after the start comes from a principal or lead as well."""
    late = replace(AUTHORIZATION, issued_at=at(1))
    clerk = replace(late, authorizer_address="clerk@district.example")

    assert found("authorizer-role", held(*WHOLE, registry=with_rows(clerk)))
    assert not found("authorizer-role", held(*WHOLE, registry=with_rows(late)))


def test_a_department_lead_may_authorize() -> None:
    """Leads count like principals."""
    led = replace(LINCOLN, leads=("lead@district.example",))
    row = replace(AUTHORIZATION, authorizer_address="Lead@district.example")

    assert not found(
        "authorizer-role",
        a_dossier(registry=a_registry(schools=(led, WASHINGTON), authorizations=(row,))),
    )


def test_a_former_principal_was_principal_then() -> None:
    """The registry as known at the issue counts: who left since had the role."""
    registry = with_rows(replace(AUTHORIZATION, authorizer_address="before@district.example"))
    then = {"a1": (replace(LINCOLN, principals=("before@district.example",)),)}

    assert found("authorizer-role", a_dossier(registry=registry))
    assert not found("authorizer-role", a_dossier(registry=registry, schools_when_issued=then))


def test_a_role_that_was_entered_later_needs_review() -> None:
    """The registry shows the role now and did not then: acting principals come so."""
    then = {"a1": (replace(LINCOLN, principals=("before@district.example",)),)}

    finding = the("authorizer-role", a_dossier(schools_when_issued=then))

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW


def test_only_a_covering_authorization_has_its_authorizer_judged() -> None:
    """Out of scope is one answer; the role is not asked as well."""
    row = replace(AUTHORIZATION, school_id="washington", authorizer_address="clerk@x.example")

    assert not found("authorizer-role", a_dossier(registry=with_rows(row)))


# --- authorization-stale ------------------------------------------------------------------------

PEOPLE = (HOST, PARTNER, *CLASS)
ACCEPTED = replace(PARTNER, guest=replace(PARTNER.guest, response="accepted"))


def approved(**before: Any) -> Any:
    """The stored fingerprint of a meeting as it was approved."""
    return fingerprints_after(a_dossier(**before), Policy())


def stale(dossier: Dossier, **before: Any) -> Dossier:
    """A dossier whose approval was for the meeting described by `before`."""
    assert dossier.meeting is not None
    return replace(dossier, meeting=replace(dossier.meeting, fingerprints=approved(**before)))


def moved(minutes: int) -> Dossier:
    """The clean meeting, moved."""
    return a_dossier(meeting={"start_at": at(minutes), "end_at": at(45 + minutes)})


@pytest.mark.parametrize(
    ("dossier", "field"),
    [
        (moved(16), "start and end"),
        (moved(24 * 60), "start and end"),
        (a_dossier(meeting={"end_at": at(61)}), "end"),
        (a_dossier((*PEOPLE, STRANGER)), "outside guests"),
        (a_dossier(host=Host(an_invitee(Kind.STAFF, "b@district.example"), LINCOLN)), "host"),
        (
            a_dossier(meeting={"links": (PlatformLink(Platform.ZOOM, "zoom.us"),)}),
            "platform",
        ),
        (a_dossier((HOST, PARTNER)), "audience"),
    ],
)
def test_a_change_after_approval_is_named(dossier: Dossier, field: str) -> None:
    """Time, host, outside guests, platform and audience; the teacher reads which."""
    finding = the("authorization-stale", stale(dossier))

    assert finding.advice == f"You changed {field}; ask for approval again."
    assert finding.severity is Severity.MEDIUM
    assert TEACHER not in finding.message


@pytest.mark.parametrize(
    "dossier",
    [
        a_dossier(),
        moved(15),
        moved(-15),
        a_dossier((*PEOPLE, a_student(3))),
        a_dossier(
            (HOST, replace(PARTNER, guest=replace(PARTNER.guest, response="accepted")), *CLASS)
        ),
    ],
)
def test_what_changes_nothing(dossier: Dossier) -> None:
    """A small move, another student, an answer: still what was approved."""
    assert not found("authorization-stale", stale(dossier))


def test_daylight_saving_time_changes_nothing() -> None:
    """Vector D6: a weekly 10:00 has one fingerprint on both sides of the change."""
    weekly = [
        a_dossier(
            meeting={
                "start_at": start,
                "end_at": start + timedelta(minutes=45),
                "is_recurring": True,
            }
        )
        for start in (
            datetime(2026, 10, 27, 15, tzinfo=UTC),
            datetime(2026, 11, 3, 16, tzinfo=UTC),
        )
    ]
    one, other = (fingerprint_of(dossier, AUTHORIZATION) for dossier in weekly)

    assert one == other
    assert one.starts == "Tue 10:00"


def test_a_new_approval_starts_anew() -> None:
    """Issued again after the change, it is the approval of the changed meeting."""
    again = replace(AUTHORIZATION, issued_at=at(-60 * 24))
    dossier = stale(moved(60))

    assert found("authorization-stale", dossier)
    assert not found("authorization-stale", replace(dossier, registry=with_rows(again)))


def test_one_approval_that_still_fits_is_enough() -> None:
    """A second approval given for the new time covers it."""
    second = replace(AUTHORIZATION, authorization_id="a2")
    both = with_rows(AUTHORIZATION, second)
    dossier = replace(moved(60), registry=both)
    assert dossier.meeting is not None
    fingerprints = (*approved(), fingerprint_of(moved(60), second))
    dossier = replace(dossier, meeting=replace(dossier.meeting, fingerprints=fingerprints))

    assert not found("authorization-stale", dossier)


@pytest.mark.parametrize("source", [Evidence.GUESTS, Evidence.TEXT, Evidence.CALENDAR])
def test_a_half_known_meeting_is_neither_stale_nor_kept(source: Evidence) -> None:
    """Without guests, text or calendar nothing is compared, and no first fingerprint is made."""
    dossier = replace(a_dossier((HOST,)), evidence=without(source))

    assert is_undecided("authorization-stale", stale(dossier))
    assert fingerprints_after(replace(a_dossier(), evidence=without(source)), Policy()) == ()


def test_a_first_fingerprint_is_kept_once() -> None:
    """Kept when an approval covers the meeting, and never changed afterwards."""
    (first,) = fingerprints_after(a_dossier(), Policy())
    later = stale(moved(60))

    assert first.audience == "students"
    assert first.starts == "2026-10-13 10:00"
    assert fingerprints_after(later, Policy()) == (first,)
    assert fingerprints_after(a_dossier(registry=with_rows()), Policy()) == ()


def test_after_the_start_nothing_is_called_stale() -> None:
    """The rule belongs to the time before the meeting."""
    late = stale(moved(60))

    assert not found("authorization-stale", replace(late, phase=Phase.AFTER))


def test_another_known_host_is_confirmed() -> None:
    """Who the host is, is known here: the approval named somebody else."""
    row = replace(AUTHORIZATION, host_address="other@district.example")

    finding = the("authorization-scope", a_dossier(registry=with_rows(row)))

    assert finding.concern.certainty is Certainty.CONFIRMED
    assert finding.message == "Approved for another host, held for this host."
