"""How near a flag was to being none, in sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from meetbot.domain.dossier import Dossier, Host
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import ExemptionKind
from meetbot.rules.nearest import Measure, measures, near_misses
from tests.dossiers import (
    AUTHORIZATION,
    CERTIFICATION,
    CLASS,
    CONTRACT,
    HOST,
    STRANGER,
    a_dossier,
    a_registry,
    an_exemption,
    an_invitee,
    at,
    held,
    partner,
    somebody,
    staff,
    students,
)

TOKYO = ZoneInfo("Asia/Tokyo")
"""Where the meeting begins at midnight, the next day."""
EVE = an_invitee(Kind.EXTERNAL, "eve@elsewhere.example")
HELD = "held 2026-10-13 10:00 to 2026-10-13 10:45"
NO_ROW = "no identity row names it or its domain"
GUARDIAN = "not in force (2026-08-01 to 2026-10-13): exemption guardian for mum@elsewhere.example"
BUSINESS = "in force (2026-08-01 to 2027-06-30): exemption adult-business for elsewhere.example"
DAYS = "2026-08-01 to 2027-06-30"

APPROVALS = a_dossier(
    zone=TOKYO,
    registry=a_registry(
        authorizations=(
            replace(AUTHORIZATION, authorization_id="a3", revoked_at=at(-10)),
            replace(AUTHORIZATION, authorization_id="a2", issued_at=at(1)),
            replace(AUTHORIZATION, authorization_id="a4", school_id="washington"),
            replace(AUTHORIZATION, authorization_id="a1", issued_at=at(0), revoked_at=at(45)),
        )
    ),
)
CONTRACTS = a_dossier(
    registry=a_registry(
        contracts=(
            CONTRACT,
            replace(CONTRACT, contract_id="c2", signed_on=None, school_ids=("lincoln", "oak")),
        )
    )
)
CERTIFICATIONS = a_dossier(
    registry=a_registry(
        certifications=(CERTIFICATION, replace(CERTIFICATION, person_address="p@partner.example"))
    )
)
STRANGERS = a_dossier(
    (HOST, replace(STRANGER, lookalike_of="northstar"), EVE, *CLASS),
    zone=TOKYO,
    registry=a_registry(
        exemptions=(
            an_exemption(
                ExemptionKind.GUARDIAN, "mum@elsewhere.example", ends_on=date(2026, 10, 13)
            ),
            an_exemption(ExemptionKind.ADULT_BUSINESS, "elsewhere.example"),
            an_exemption(ExemptionKind.ADULT_BUSINESS, "other.example"),
        )
    ),
)
NOTHING = a_dossier(
    host=Host(HOST), registry=a_registry(authorizations=(), contracts=(), certifications=())
)


@pytest.mark.parametrize(
    ("rule", "dossier", "said"),
    [
        (
            "authorization-missing",
            APPROVALS,
            [
                "held 2026-10-14 00:00 to 2026-10-14 00:45, school lincoln",
                f"a1: program path, school lincoln, {DAYS}, issued 2026-10-14 00:00; "
                "fails on: nothing",
                f"a2: program path, school lincoln, {DAYS}, issued 2026-10-14 00:01; "
                "fails on: issued after the start",
                f"a3: program path, school lincoln, {DAYS}, issued 2026-09-14 00:00; "
                "fails on: revoked 2026-10-13 23:50",
                f"a4: program path, school washington, {DAYS}, issued 2026-09-14 00:00; "
                "fails on: school",
            ],
        ),
        (
            "outside-authorized-window",
            NOTHING,
            [
                "contact may last from 0:10:00 before to as long after",
                f"{HELD}, school not known",
                "northstar has no authorization",
            ],
        ),
        (
            "authorization-stale",
            NOTHING,
            [
                "a move of up to 0:15:00 on the same day changes nothing",
                f"{HELD}, school not known",
                "northstar has no authorization",
            ],
        ),
        (
            "contract-scope",
            CONTRACTS,
            [
                f"{HELD}, school lincoln",
                f"c1: program path, schools lincoln, signed 2026-08-01, {DAYS}",
                f"c2: program path, schools lincoln, oak, not signed, {DAYS}",
            ],
        ),
        (
            "contract-missing",
            NOTHING,
            [f"{HELD}, school not known", "northstar has no contract"],
        ),
        (
            "certification-expired",
            CERTIFICATIONS,
            [
                HELD,
                f"northstar: the organization, {DAYS}",
                f"northstar: p@partner.example, {DAYS}",
            ],
        ),
        ("certification-missing", NOTHING, [HELD, "northstar has no certification"]),
        (
            "partner-unregistered",
            STRANGERS,
            [
                f"someone@elsewhere.example: {NO_ROW}; it looks like that of northstar",
                GUARDIAN,
                BUSINESS,
                f"eve@elsewhere.example: {NO_ROW}",
                GUARDIAN,
                BUSINESS,
            ],
        ),
        (
            "unidentified-participant",
            NOTHING,
            [
                "counts from 0:01:00 in the call on",
                "a phone within 0:02:00 of exactly one attendee is that attendee's",
            ],
        ),
        (
            "adhoc-meeting",
            NOTHING,
            ["an event of this code would count within 2:00:00 of the call"],
        ),
        (
            "evidence-incomplete",
            NOTHING,
            ["two sources may differ by 0:02:00 about one person"],
        ),
        ("partner-alone-with-student", STRANGERS, []),
        ("organizer-not-staff", STRANGERS, []),
    ],
)
def test_what_came_closest_is_said(rule: str, dossier: Dossier, said: list[str]) -> None:
    """Limits, then rows with what each fails on, in local time."""
    assert list(near_misses(rule, None, dossier, Policy())) == said


def test_all_that_an_approval_fails_on_is_said() -> None:
    """Field by field: it was for another program at another school, under another host."""
    row = replace(
        AUTHORIZATION,
        program_id="other",
        school_id="washington",
        host_address="other@district.example",
    )
    dossier = a_dossier(registry=a_registry(authorizations=(row,)))

    said = list(near_misses("authorization-scope", None, dossier, Policy()))

    assert said[-1].endswith("; fails on: program, school, host")


def test_only_rows_of_the_flags_partner_are_said() -> None:
    """Another partner's flag says nothing of this one."""
    for rule in ("authorization-scope", "contract-scope", "certification-expired"):
        said = list(near_misses(rule, "other", CONTRACTS, Policy()))
        assert len(said) == 1
        assert said == list(near_misses(rule, "northstar", CONTRACTS, Policy()))[:1]


def test_what_a_presence_rule_measured() -> None:
    """Certain and possible seconds against each limit by its name; nothing without a call."""
    dossier = held(staff((0, 30)), partner((0, 45)), *students((0, 45)), somebody((30, 35)))

    assert measures("staff-left-early", dossier, Policy()) == (
        Measure("after", 600, 900, 60, "after_s"),
        Measure("after, to be high", 600, 900, 300, "high_s"),
    )
    assert measures("adhoc-meeting", dossier, Policy()) == ()
    assert measures("staff-left-early", a_dossier(), Policy()) == ()
