"""What the registry is asked about one partner at one meeting, question by question."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from meetbot.domain.authorizing import (
    AuthorizationAnswer,
    AuthorizationOutOfScope,
    AuthorizationRetroactive,
    Authorized,
    CertificationMissing,
    CertificationValid,
    ContractMissing,
    ContractValid,
    Field,
)
from meetbot.domain.findings import Certainty, Concern
from meetbot.domain.meetings import OccurrenceKey
from meetbot.domain.people import Kind
from meetbot.domain.policy import Limits, Policy
from meetbot.domain.registry import Certification, ProgramType
from meetbot.rules.engagements import (
    Engagement,
    authorization_of,
    certifications_of,
    contract_of,
    engagements,
    partner_name,
    people_of,
    program_name,
    program_of,
    school_name,
    sole_partner,
)
from tests.dossiers import (
    AUTHORIZATION,
    CLASS,
    CONTRACT,
    GUIDE,
    HOST,
    NORTHSTAR,
    PARTNER,
    PROGRAM,
    START,
    YEAR,
    a_dossier,
    a_registry,
    an_invitee,
    at,
    held,
    partner,
    stranger,
)

HERE = Engagement("northstar", NORTHSTAR, "path", is_sensitive=False)
SECOND = replace(PROGRAM, program_id="second", name="Second")
CLINIC = replace(SECOND, program_id="clinic", name="Calm Minds", type=ProgramType.MENTAL_HEALTH)
TWO = a_registry(programs=(PROGRAM, SECOND), contracts=(), authorizations=())


# --- which program ------------------------------------------------------------------------------


def test_each_partner_at_the_meeting_is_one_engagement() -> None:
    """With its row and its program; what is sensitive is judged by that program."""
    assert engagements(a_dossier()) == (HERE,)
    assert engagements(a_dossier((HOST, *CLASS))) == ()

    both = a_registry(programs=(PROGRAM, CLINIC))
    at_the_clinic = a_registry(programs=(replace(PROGRAM, type=ProgramType.MENTAL_HEALTH),))
    assert engagements(a_dossier(registry=both)) == (HERE,)
    assert engagements(a_dossier(registry=at_the_clinic)) == (replace(HERE, is_sensitive=True),)


def test_an_unknown_program_is_as_sensitive_as_any_of_the_partner() -> None:
    """It may be the clinic."""
    registry = replace(TWO, programs=(PROGRAM, CLINIC))

    (engagement,) = engagements(a_dossier(registry=registry))

    assert engagement == Engagement("northstar", NORTHSTAR, None, is_sensitive=True)


def test_a_concern_is_as_sure_as_the_program() -> None:
    """An unknown one is said first, and the flag is the partner's alone."""
    unknown = replace(HERE, program_id=None)
    which = "Which program of the partner this meeting belongs to."

    assert HERE.concern(day="Monday", unknowns=("Why.",)) == Concern(
        "northstar/path",
        {"day": "Monday"},
        partner_id="northstar",
        program_id="path",
        unknowns=("Why.",),
    )
    assert unknown.concern(unknowns=("Why.",)) == Concern(
        "northstar",
        certainty=Certainty.NEEDS_REVIEW,
        partner_id="northstar",
        unknowns=(which, "Why."),
    )
    assert unknown.concern(certainty=Certainty.CONFIRMED).certainty is Certainty.CONFIRMED


def test_a_flag_about_the_whole_meeting_belongs_to_its_only_partner() -> None:
    """Of two partners it belongs to neither."""
    other = an_invitee(Kind.PARTNER, "o@other.example", partner_id="other")

    assert sole_partner(a_dossier()) == "northstar"
    assert sole_partner(a_dossier((HOST, PARTNER, other))) is None
    assert sole_partner(a_dossier((HOST,))) is None
    assert program_of(a_dossier(), "northstar") == "path"
    assert program_of(a_dossier(registry=TWO), "northstar") is None
    assert program_of(a_dossier(), None) is None


# --- contract and certification -----------------------------------------------------------------


def test_the_contract_of_the_program_counts() -> None:
    """One for another program of the partner is none."""
    other = a_registry(programs=(PROGRAM, SECOND), contracts=(replace(CONTRACT, program_id="x"),))

    assert contract_of(a_dossier(), HERE) == ContractValid(YEAR[1])
    assert contract_of(a_dossier(registry=other), HERE) == ContractMissing()


def test_each_known_person_needs_a_certification() -> None:
    """With personal clearance their own; else the organization's is enough for all."""
    own = Certification("northstar", GUIDE, *YEAR)
    colleague = an_invitee(Kind.PARTNER, "other@partner.example", partner_id="northstar")
    personal = Policy(limits=Limits(personal_clearance=True))
    dossier = a_dossier((HOST, PARTNER, colleague), registry=a_registry(certifications=(own,)))

    answers = (CertificationValid(), CertificationMissing())
    assert certifications_of(dossier, HERE, personal) == answers
    assert certifications_of(a_dossier(), HERE, Policy()) == (CertificationValid(),)
    nobody = a_dossier((HOST, *CLASS))
    assert certifications_of(nobody, HERE, Policy()) == (CertificationValid(),)


def test_people_of_a_partner_are_invited_or_present() -> None:
    """Each address once; nobody of another partner, no stranger, and nobody without address."""

    def calling(person: Any, address: str | None) -> Any:
        visits = tuple(
            replace(v, identity=replace(v.identity, address=address)) for v in person.visits
        )
        return replace(person, visits=visits)

    other = an_invitee(Kind.PARTNER, "o@other.example", partner_id="other")
    dossier = held(
        calling(partner((0, 45)), GUIDE),
        calling(partner((0, 45), person="p2"), "ann@partner.example"),
        calling(partner((0, 45), person="p3"), None),
        calling(partner((0, 45), person="p4", partner_id="other"), "x@other.example"),
        calling(stranger((0, 45), partner_id="northstar"), "s@elsewhere.example"),
        invitees=(HOST, PARTNER, other),
    )

    assert people_of(dossier, "northstar") == ("ann@partner.example", GUIDE)


# --- authorization ------------------------------------------------------------------------------

NIGHT = datetime(2026, 10, 14, 4, 55, tzinfo=UTC)
"""23:55 of the 13th in Chicago."""


def asked(*rows: Any, start: datetime = START, first_seen: datetime = START) -> AuthorizationAnswer:
    """Whether the meeting at `start`, planned for `first_seen`, was authorized by these rows."""
    registry = a_registry(authorizations=rows)
    times = {"start_at": start, "end_at": start + timedelta(minutes=45)}
    key = OccurrenceKey("uid", first_seen)
    return authorization_of(a_dossier(registry=registry, meeting=times, key=key), HERE, Policy())


LATE = replace(AUTHORIZATION, issued_at=at(-1))


@pytest.mark.parametrize(
    ("moved", "is_kept"), [(-15, True), (-16, False), (-1, True), (0, True), (-2, True)]
)
def test_a_small_move_keeps_what_the_planned_time_was_answered(moved: int, is_kept: bool) -> None:
    """Up to 15 minutes earlier, an approval issued before the planned start is in time."""
    answer = asked(LATE, start=at(moved))

    if is_kept:
        assert answer == Authorized((LATE,))
    else:
        assert answer == AuthorizationRetroactive(LATE, timedelta(minutes=15))


def test_a_small_move_off_the_approved_days_keeps_the_answer() -> None:
    """Ten minutes earlier on a local day: the end may then lie in the next one, as it was."""
    row = replace(AUTHORIZATION, starts_on=date(2026, 10, 13), ends_on=date(2026, 10, 13))
    planned = datetime(2026, 10, 14, 4, 10, tzinfo=UTC)  # 23:10 to 23:55 local
    moved = planned + timedelta(minutes=10)

    assert asked(row, start=moved, first_seen=planned) == Authorized((row,))
    assert isinstance(asked(row, start=moved, first_seen=moved), AuthorizationOutOfScope)


def test_only_the_time_is_forgiven() -> None:
    """Another school stays another school, however little the meeting was moved."""
    row = replace(AUTHORIZATION, school_id="washington", ends_on=date(2026, 10, 12))

    answer = asked(row, start=at(-10))

    assert answer == AuthorizationOutOfScope((Field.SCHOOL, Field.DATE), row)


def test_where_neither_time_is_authorized_the_answer_is_that_of_now() -> None:
    """Issued after both starts: late by what it is late now."""
    row = replace(AUTHORIZATION, issued_at=at(5))

    answer = asked(row, start=at(-10))

    assert answer == AuthorizationRetroactive(row, timedelta(minutes=15))


def test_an_approval_revoked_before_the_end_of_now_is_not_kept() -> None:
    """It stood at the planned end, and fell in the ten minutes in which the meeting still ran."""
    fallen = replace(AUTHORIZATION, revoked_at=at(50))
    elapsed = replace(AUTHORIZATION, authorization_id="a2", ends_on=date(2026, 10, 12))

    answer = asked(fallen, elapsed, start=at(10))

    assert answer == AuthorizationOutOfScope((Field.DATE,), elapsed)


def test_beside_a_revoked_approval_another_one_is_kept() -> None:
    """Only of those that stand at the end of now is the planned time's answer made."""
    planned = datetime(2026, 10, 14, 4, 10, tzinfo=UTC)  # 23:10 to 23:55 local
    moved = planned + timedelta(minutes=10)
    fallen = replace(AUTHORIZATION, revoked_at=planned + timedelta(minutes=50))
    day = date(2026, 10, 13)
    one_day = replace(AUTHORIZATION, authorization_id="a2", starts_on=day, ends_on=day)

    assert asked(fallen, one_day, start=moved, first_seen=planned) == Authorized((one_day,))


def test_a_move_across_midnight_is_to_another_day() -> None:
    """The district's midnight, not that of UTC or of the machine."""
    row = replace(AUTHORIZATION, issued_at=NIGHT - timedelta(minutes=1))
    later = NIGHT + timedelta(minutes=10)
    issued_between = replace(AUTHORIZATION, issued_at=later - timedelta(minutes=1))

    assert isinstance(asked(row, start=NIGHT - timedelta(minutes=10), first_seen=NIGHT), Authorized)
    assert isinstance(
        asked(issued_between, start=NIGHT, first_seen=later), AuthorizationRetroactive
    )


# --- names --------------------------------------------------------------------------------------


def test_names_are_told_where_they_hint_at_nothing() -> None:
    """A neutral word for what is unknown or sensitive, judged by the program where it is known."""
    both = a_dossier(registry=a_registry(programs=(PROGRAM, CLINIC)))
    unknown = replace(HERE, program_id=None)

    assert partner_name(a_dossier(), "northstar") == "Northstar"
    assert partner_name(a_dossier(), "nobody") == "a contracted partner"
    assert partner_name(both, "northstar", "path") == "Northstar"
    assert partner_name(both, "northstar", "clinic") == "a contracted partner"
    assert partner_name(both, "northstar") == "a contracted partner"
    assert program_name(a_dossier(), HERE) == "College Path"
    assert program_name(a_dossier(), replace(HERE, is_sensitive=True)) == "this program"
    assert program_name(a_dossier(), unknown) == "this program"
    assert program_name(a_dossier(), replace(HERE, program_id="nowhere")) == "this program"
    assert school_name(a_dossier(), "lincoln") == "Lincoln School"
    assert school_name(a_dossier(), "nowhere") == "nowhere"
