"""Several partners at one meeting: each is judged by itself, whatever is said of the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from meetbot.domain.dossier import Dossier
from meetbot.domain.guest_list import Edit, Editor
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Activity, PartnerKind, Registry
from meetbot.rules import fingerprints_after
from tests.dossiers import (
    AUTHORIZATION,
    CERTIFICATION,
    CLASS,
    CONTRACT,
    HOST,
    NORTHSTAR,
    PROGRAM,
    a_dossier,
    a_registry,
    an_invitee,
    at,
    found,
    held,
    partner,
    students,
    the,
)

ALMA, ZETA = "alma", "zeta"
"""One comes before Northstar, the other after it: partners are asked in this order."""


def of(partner_id: str, row: Any) -> Any:
    """The same row, of another partner and its only program."""
    changes: dict[str, Any] = {"partner_id": partner_id}
    for name in ("program_id", "contract_id", "authorization_id"):
        if hasattr(row, name):
            changes[name] = f"{partner_id}-{name}"
    return replace(row, **changes)


ROWS: dict[str, Any] = {
    "partners": NORTHSTAR,
    "programs": PROGRAM,
    "contracts": CONTRACT,
    "certifications": CERTIFICATION,
    "authorizations": AUTHORIZATION,
}
BAD: dict[str, tuple[str, dict[str, Any] | None]] = {
    "contract-missing": ("contracts", None),
    "contract-expired": ("contracts", {"ends_on": date(2026, 10, 12)}),
    "contract-not-started": ("contracts", {"signed_on": None}),
    "contract-scope": ("contracts", {"school_ids": ("washington",)}),
    "certification-missing": ("certifications", None),
    "certification-expired": ("certifications", {"expires_on": date(2026, 10, 12)}),
    "program-paused": ("programs", {"status": Activity.PAUSED}),
    "flyer-only-program": ("partners", {"kind": PartnerKind.COMMUNITY}),
    "authorization-missing": ("authorizations", {"revoked_at": at(-60)}),
    "authorization-scope": ("authorizations", {"school_id": "washington"}),
    "authorizer-role": ("authorizations", {"authorizer_address": "clerk@district.example"}),
}


def a_registry_of(partner_ids: tuple[str, ...], flawed: str, rule: str) -> Registry:
    """All in order for each of these partners, but for what the rule finds of the flawed one."""
    file, changes = BAD[rule]
    rows = {name: [of(partner_id, row) for partner_id in partner_ids] for name, row in ROWS.items()}
    mine = next(row for row in rows[file] if row.partner_id == flawed)
    rows[file].remove(mine)
    if changes is not None:
        rows[file].append(replace(mine, **changes))
    return a_registry(**{name: tuple(each) for name, each in rows.items()})


def meeting_of(*partner_ids: str, **changes: Any) -> Dossier:
    """The clean meeting, with a guest of each partner."""
    guests = [
        an_invitee(Kind.PARTNER, f"guide@{partner_id}.example", partner_id=partner_id)
        for partner_id in partner_ids
    ]
    return a_dossier((HOST, *guests, *CLASS), **changes)


@pytest.mark.parametrize("rule", BAD)
@pytest.mark.parametrize("flawed", [ALMA, ZETA])
def test_the_flaw_of_one_partner_is_found_beside_another(rule: str, flawed: str) -> None:
    """Whether the other one is asked before or after it."""
    both = (ALMA, ZETA)
    dossier = meeting_of(*both, registry=a_registry_of(both, flawed, rule))

    (finding,) = found(rule, dossier)

    assert finding.concern.partner_id == flawed


@pytest.mark.parametrize("rule", BAD)
def test_a_partner_that_is_in_no_registry_hides_nobody(rule: str) -> None:
    """Rows of it may be gone; the next partner is asked all the same."""
    dossier = meeting_of(ALMA, ZETA, registry=a_registry_of((ZETA,), ZETA, rule))

    assert ZETA in {finding.concern.partner_id for finding in found(rule, dossier)}


def test_a_changed_meeting_is_stale_for_whom_it_was_approved() -> None:
    """The partner that nobody approved has its own flag."""
    registry = a_registry_of((ALMA, ZETA), ALMA, "authorization-missing")
    before = meeting_of(ALMA, ZETA, registry=registry)
    kept = fingerprints_after(before, Policy())
    later = {"start_at": at(60), "end_at": at(105), "fingerprints": kept}
    after = meeting_of(ALMA, ZETA, registry=registry, meeting=later)

    (finding,) = found("authorization-stale", after)

    assert finding.concern.partner_id == ZETA


def test_the_approval_that_was_changed_least_is_told() -> None:
    """Of two approvals of one partner, both of another time, one also of another host."""
    second = replace(AUTHORIZATION, authorization_id="a2")
    registry = a_registry(authorizations=(AUTHORIZATION, second))
    first, other = fingerprints_after(a_dossier(registry=registry), Policy())
    for kept in ((first, replace(other, host="x")), (replace(first, host="x"), other)):
        later = {"start_at": at(60), "end_at": at(105), "fingerprints": kept}
        (finding,) = found("authorization-stale", a_dossier(registry=registry, meeting=later))

        assert finding.message == (
            "Changed after approval: start 2026-10-13 10:00 → 2026-10-13 11:00; "
            "end 2026-10-13 10:45 → 2026-10-13 11:45."
        )
        assert finding.advice == "You changed start and end; ask for approval again."


def test_days_outside_the_approval_of_one_partner() -> None:
    """A minute and a second past its last local midnight; the other one has no approval at all."""
    whole = a_registry_of((ALMA, ZETA), ALMA, "authorization-missing")
    ends = {ZETA: date(2026, 10, 13)}
    rows = tuple(
        replace(row, ends_on=ends.get(row.partner_id, row.ends_on)) for row in whole.authorizations
    )
    evening = {"start_at": at(790), "end_at": at(835)}  # 23:10 to 23:55 in Chicago
    spent = (795, 840 + 61 / 60)
    dossier = held(
        partner(spent, partner_id=ZETA),
        *students(spent),
        invitees=meeting_of(ALMA, ZETA).invitees,
        registry=replace(whole, authorizations=rows),
        meeting=evening,
    )

    finding = the("outside-authorized-window", dossier)

    assert finding.message == "Ran 2 min outside the authorized days."


def test_the_partner_whom_the_log_names_owns_the_flag() -> None:
    """Though another one is at the meeting too; of two it is neither's."""
    guests = [an_invitee(Kind.EXTERNAL, f"{name}@elsewhere.example") for name in ("eve", "mallory")]
    edits = [
        Edit(at(-250), Editor.OUTSIDER, guest.guest.address_key, partner_id)
        for guest, partner_id in zip(guests, (ZETA, ALMA), strict=True)
    ]
    invitees = (*meeting_of(ALMA, ZETA).invitees, *guests)

    for count, owner in ((1, ZETA), (2, None)):
        dossier = a_dossier(invitees, edits=tuple(edits[:count]))
        assert the("guest-added-by-partner", dossier).concern.partner_id == owner
