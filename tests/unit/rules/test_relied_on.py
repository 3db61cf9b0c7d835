"""A dossier with only the rows that matter is decided as with the whole registry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from meetbot.domain.people import Kind
from meetbot.domain.policy import Limits, Policy
from meetbot.domain.registry import (
    ALL_SCHOOLS,
    Activity,
    Authorization,
    Certification,
    Contract,
    ExemptionKind,
    Identity,
    IdentityKind,
    Partner,
    PartnerKind,
    Program,
    ProgramType,
    Registry,
    School,
    SchoolKind,
)
from meetbot.rules import evaluate, with_relied_on
from tests.dossiers import (
    CLASS,
    HOST,
    LINCOLN,
    PARTNER,
    PRINCIPAL,
    STRANGER,
    TEACHER,
    WASHINGTON,
    YEAR,
    a_dossier,
    a_registry,
    an_exemption,
    an_invitee,
    at,
    held,
    partner,
    staff,
    stranger,
    students,
)

FREE_MAIL = an_invitee(Kind.EXTERNAL, "gina.guide@gmail.com")
LOOKALIKE = an_invitee(Kind.EXTERNAL, "x@partner-0.examp1e")
GUARDIAN = an_invitee(Kind.EXEMPT, "mother@home.example")
GUESTS = (
    PARTNER,
    STRANGER,
    FREE_MAIL,
    LOOKALIKE,
    GUARDIAN,
    an_invitee(Kind.EXTERNAL, "y@p.example"),
)
BESIDE = School("beside", "Beside", SchoolKind.SCHOOL, ("/Staff/Lincoln",), ("b@d.example",))
PARTNERS = ("northstar", "p0", "p1", "p2")


def _rows(partner_id: str) -> dict[str, tuple[Any, ...]]:
    """All that the registry can hold of one partner."""
    program, schools = f"{partner_id}-program", (LINCOLN, WASHINGTON, BESIDE)
    return {
        "partners": (Partner(partner_id, partner_id, PartnerKind.CONTRACTED, Activity.ACTIVE),),
        "programs": (
            Program(program, partner_id, program, ProgramType.OTHER, Activity.ACTIVE),
            Program(f"{program}2", partner_id, program, ProgramType.OTHER, Activity.PAUSED),
        ),
        "identities": (
            Identity(partner_id, IdentityKind.DOMAIN, f"{partner_id}-0.example"),
            Identity(partner_id, IdentityKind.ADDRESS, f"z@{partner_id}.example", "Gina Guide"),
            Identity(partner_id, IdentityKind.ADDRESS, "q@p.example"),
            Identity(partner_id, IdentityKind.DOMAIN, "partner-0.example"),
        ),
        "contracts": tuple(
            Contract(f"c{partner_id}{n}", partner_id, program, (school,), YEAR[0], *YEAR)
            for n, school in enumerate(("lincoln", "beside", ALL_SCHOOLS))
        ),
        "certifications": (
            Certification(partner_id, None, *YEAR),
            Certification(partner_id, "guide@partner.example", YEAR[0], YEAR[0]),
        ),
        "authorizations": tuple(
            Authorization(
                f"a{partner_id}{n}",
                partner_id,
                program,
                school.school_id,
                TEACHER if n else None,
                *YEAR,
                authorizer_address=school.principals[0],
                issued_at=at(-60 * 24),
                revoked_at=at(-60) if n == 2 else None,
            )
            for n, school in enumerate(schools)
        ),
        "exemptions": (
            an_exemption(ExemptionKind.PLATFORM_EXCEPTION, program),
            an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, program, consent_on_file=True),
            an_exemption(ExemptionKind.GUARDIAN, "mother@home.example"),
            an_exemption(ExemptionKind.ADULT_BUSINESS, "elsewhere.example"),
        ),
    }


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    """Any part of what could be registered of a few partners, in any order."""
    everything = [_rows(partner_id) for partner_id in PARTNERS]
    chosen: dict[str, tuple[Any, ...]] = {"schools": (LINCOLN, WASHINGTON, BESIDE)}
    for file in everything[0]:
        rows = [row for each in everything for row in each[file]]
        picked = draw(st.lists(st.sampled_from(rows), unique_by=id, max_size=len(rows)))
        chosen[file] = tuple(picked)
    return Registry(**chosen)


@settings(deadline=None, max_examples=200)
@given(
    registries(),
    st.lists(st.sampled_from(GUESTS), unique_by=id),
    st.booleans(),
    st.sampled_from([LINCOLN, WASHINGTON, None]),
    st.booleans(),
)
def test_the_verdict_is_the_same(
    registry: Registry, guests: list[Any], is_held: bool, school: School | None, is_personal: bool
) -> None:
    """Findings with all their sentences, and what is undecided."""
    invitees = (HOST, *guests, *CLASS)
    base = a_dossier(invitees, registry=registry)
    if is_held:
        people = (staff((0, 20)), partner((0, 45)), stranger((0, 45)), *students((0, 45)))
        after = held(*people)
        base = replace(after, invitees=invitees, meeting=base.meeting, registry=registry)
    dossier = replace(
        base,
        host=replace(base.host, school=school),
        schools_when_issued={
            row.authorization_id: (WASHINGTON, replace(LINCOLN, principals=(TEACHER,)))
            for row in registry.authorizations[::2]
        },
    )
    policy = Policy(limits=Limits(personal_clearance=is_personal))
    assert evaluate(with_relied_on(dossier), policy) == evaluate(dossier, policy)


def test_what_has_nothing_to_do_with_the_meeting_is_left_out() -> None:
    """Other partners, their people, and schools that nobody names."""
    other = _rows("p0")
    far = School("far", "Far", SchoolKind.SCHOOL, ("/Staff/Far",), ("f@district.example",))
    here = a_registry()
    registry = Registry(
        **{
            file: (*getattr(here, file), *rows)
            for file, rows in (other | {"schools": (far,)}).items()
        }
    )
    cut = with_relied_on(a_dossier(registry=registry)).registry
    assert {row.partner_id for row in cut.partners} == {"northstar"}
    assert {row.partner_id for row in cut.identities} == {"northstar"}
    assert {row.school_id for row in cut.schools} == {"lincoln"}
    assert cut.exemptions == ()
    assert cut.authorizations == here.authorizations


def test_a_school_where_the_authorizer_has_a_role_matters() -> None:
    """ "Authorizer was principal of Washington" needs that row."""
    registry = a_registry(schools=(LINCOLN, replace(WASHINGTON, principals=(PRINCIPAL,))))
    cut = with_relied_on(a_dossier(registry=registry)).registry
    assert {row.school_id for row in cut.schools} == {"lincoln", "washington"}
