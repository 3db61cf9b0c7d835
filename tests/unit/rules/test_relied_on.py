"""A dossier with only the rows that matter is decided as with the whole registry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetbot.domain.attendance import Attendance, IdentityForm
from meetbot.domain.attendance import Identity as SeenIdentity
from meetbot.domain.dossier import Dossier
from meetbot.domain.guest_list import Edit, Editor
from meetbot.domain.meetings import Disclosure
from meetbot.domain.people import Kind
from meetbot.domain.policy import Limits, Policy
from meetbot.domain.registry import (
    ALL_SCHOOLS,
    Activity,
    Authorization,
    Certification,
    Contract,
    Exemption,
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
from meetbot.rules.relied_on import Excerpts
from tests.dossiers import (
    AUTHORIZATION,
    CLASS,
    CONTRACT,
    HOST,
    LINCOLN,
    PARTNER,
    PRINCIPAL,
    PROGRAM,
    STRANGER,
    TEACHER,
    WASHINGTON,
    YEAR,
    a_dossier,
    a_registry,
    adhoc,
    an_attendance,
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


# --- which rows ---------------------------------------------------------------------------------

DISTRICT = a_registry(
    schools=(LINCOLN, WASHINGTON, BESIDE),
    **{
        file: tuple(row for partner_id in PARTNERS[1:] for row in _rows(partner_id)[file])
        for file in ("partners", "programs", "contracts", "certifications", "authorizations")
    },
    identities=(
        Identity("northstar", IdentityKind.DOMAIN, "partner.example"),
        Identity("p0", IdentityKind.DOMAIN, "harbor.example"),
        Identity("p1", IdentityKind.ADDRESS, "z@shared.example", "Gina Guide"),
        Identity("p2", IdentityKind.ADDRESS, "q@elsewhere.test", "Other Person"),
    ),
)


def cut_for(dossier: Dossier) -> Dossier:
    """Its snapshot, made anew."""
    return Excerpts(dossier.registry).of(dossier)


def partners_kept(dossier: Dossier) -> set[str]:
    """Of which partners the snapshot holds everything; it may hold nothing of any other."""
    cut = cut_for(dossier).registry
    kept = {row.partner_id for row in cut.partners}
    for file in ("identities", "programs", "contracts", "certifications", "authorizations"):
        whole = getattr(dossier.registry, file)
        assert getattr(cut, file) == tuple(row for row in whole if row.partner_id in kept), file
    return kept


NOBODY = a_dossier((HOST, *CLASS), registry=DISTRICT)
INVITED = an_invitee(Kind.PARTNER, "z@shared.example", partner_id="p1")


@pytest.mark.parametrize(
    ("dossier", "kept"),
    [
        (NOBODY, set()),
        (replace(NOBODY, invitees=(HOST, INVITED)), {"p1"}),
        (replace(NOBODY, cohosts=(INVITED,)), {"p1"}),
        (replace(NOBODY, creator=INVITED), {"p1"}),
        (replace(NOBODY, creator=None), set()),
        (replace(NOBODY, invitees=(HOST, replace(STRANGER, lookalike_of="p0"))), {"p0"}),
        (replace(NOBODY, attendances=(partner((0, 45), partner_id="p2"),)), {"p2"}),
        (replace(NOBODY, attendances=(stranger((0, 45), lookalike_of="p2"),)), {"p2"}),
        (replace(NOBODY, attendances=(partner((0, 45), partner_id="not registered"),)), set()),
        (replace(NOBODY, edits=(Edit(at(-60), Editor.OUTSIDER, "key", "p0"),)), {"p0"}),
        (replace(NOBODY, edits=(Edit(at(-60), Editor.STAFF, "key"),)), set()),
        (
            a_dossier(
                (HOST, *CLASS),
                registry=DISTRICT,
                meeting={"disclosure": Disclosure(at(-60), None, 2, seen_by=("p0", "x.example"))},
            ),
            {"p0"},
        ),
        (adhoc(registry=DISTRICT), set()),
    ],
    ids=[
        "nobody",
        "invited",
        "co-host",
        "creator",
        "no creator",
        "imitated by a guest",
        "in the call",
        "imitated in the call",
        "in no registry",
        "changed the event",
        "staff changed the event",
        "saw addresses",
        "no event",
    ],
)
def test_partners_of_the_meeting_are_kept_in_full(dossier: Dossier, kept: set[str]) -> None:
    """Whoever has to do with it, by whatever way; nobody else."""
    assert partners_kept(dossier) == kept


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("x@shared.example", {"p1"}),
        ("x@elsewhere.test", {"p2"}),
        ("x@harb0r.example", {"p0"}),
        ("x@sub.harbor.example", set()),
        ("gina.guide84@gmail.com", {"p1"}),
        ("gina@gmail.com", set()),
        ("gina.guide@unknown.example", set()),
    ],
    ids=[
        "domain of a person",
        "of another",
        "look-alike",
        "below a domain",
        "a person's name",
        "half a name",
        "the name at no free-mail host",
    ],
)
def test_near_misses_of_a_stranger_are_kept(address: str, kept: set[str]) -> None:
    """Whose domain or name an outsider bears, invited or only in the call."""
    guest = an_invitee(Kind.EXTERNAL, address)
    caller = stranger((0, 45), domain=guest.guest.domain)
    who = SeenIdentity(IdentityForm.ADDRESS, address=address)
    caller = replace(caller, visits=tuple(replace(v, identity=who) for v in caller.visits))

    assert partners_kept(replace(NOBODY, invitees=(HOST, guest))) == kept
    assert partners_kept(replace(NOBODY, attendances=(caller,))) == kept


def test_a_row_of_neither_address_nor_domain_resembles_nobody() -> None:
    """Whatever the registry holds, cutting it never fails."""
    rows = (Identity("p0", IdentityKind.DOMAIN, "nothing"),)
    registry = replace(DISTRICT, identities=rows)

    assert partners_kept(replace(NOBODY, registry=registry, invitees=(HOST, STRANGER))) == set()


BY_MAILBOX = an_exemption(ExemptionKind.GUARDIAN, "Mother+class@home.example")
BY_DOMAIN = an_exemption(ExemptionKind.ADULT_BUSINESS, "elsewhere.example")
OF_PROGRAM = an_exemption(ExemptionKind.PLATFORM_EXCEPTION, "path")
EXEMPTIONS = (
    BY_MAILBOX,
    BY_DOMAIN,
    OF_PROGRAM,
    an_exemption(ExemptionKind.ADULT_BUSINESS, "far.example"),
    an_exemption(ExemptionKind.GUARDIAN, "father@home.example"),
    an_exemption(ExemptionKind.PLATFORM_EXCEPTION, "p0-program"),
)


def calling_from(address: str, kind: Kind, domain: str | None = None) -> Attendance:
    """Somebody in the call by this address."""
    caller = an_attendance("c", kind, (0, 45), domain=domain)
    who = SeenIdentity(IdentityForm.ADDRESS, address=address)
    return replace(caller, visits=tuple(replace(v, identity=who) for v in caller.visits))


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, ()),
        ({"invitees": (HOST, an_invitee(Kind.EXEMPT, "mother@home.example"))}, (BY_MAILBOX,)),
        ({"invitees": (HOST, an_invitee(Kind.EXTERNAL, "x@elsewhere.example"))}, (BY_DOMAIN,)),
        ({"invitees": (HOST, an_invitee(Kind.STAFF, "x@elsewhere.example"))}, ()),
        ({"invitees": (HOST, PARTNER)}, (OF_PROGRAM,)),
        ({"attendances": (calling_from("mother+a@home.example", Kind.EXEMPT),)}, (BY_MAILBOX,)),
        (
            {"attendances": (calling_from("", Kind.PARTNER, "elsewhere.example"),)},
            (BY_DOMAIN,),
        ),
        ({"attendances": (calling_from("mother@home.example", Kind.UNIDENTIFIED),)}, ()),
        (
            {
                "invitees": (HOST, an_invitee(Kind.EXEMPT, "mother@home.example")),
                "attendances": (calling_from("", Kind.EXTERNAL, "elsewhere.example"),),
            },
            (BY_MAILBOX, BY_DOMAIN),
        ),
    ],
    ids=[
        "nobody",
        "mailbox",
        "domain",
        "staff",
        "program",
        "mailbox in the call",
        "domain in the call",
        "unknown in the call",
        "guest and caller",
    ],
)
def test_exemptions_of_outsiders_are_kept(
    changes: dict[str, Any], kept: tuple[Exemption, ...]
) -> None:
    """By mailbox, domain or program of who is there from outside; not those of other people."""
    registry = a_registry(exemptions=EXEMPTIONS)
    dossier = replace(a_dossier((HOST, *CLASS), registry=registry), **changes)

    assert cut_for(dossier).registry.exemptions == kept


def test_the_row_that_exempts_a_guest_is_kept() -> None:
    """By whatever it was found: the guest may have been known by an alias."""
    row = EXEMPTIONS[3]
    guest = an_invitee(Kind.EXEMPT, "x@other.example", exemption=row)
    dossier = a_dossier((HOST, guest, *CLASS), registry=a_registry(exemptions=EXEMPTIONS))

    assert cut_for(dossier).registry.exemptions == (row,)


def test_a_row_of_no_address_exempts_by_its_text_alone() -> None:
    """A program's id is neither address nor domain."""
    odd = an_exemption(ExemptionKind.PLATFORM_EXCEPTION, "Path (summer)")
    program = replace(PROGRAM, program_id="Path (summer)")
    registry = a_registry(exemptions=(odd,), programs=(program,))

    assert cut_for(a_dossier(registry=registry)).registry.exemptions == (odd,)


FAR = School("far", "Far", SchoolKind.SCHOOL, ("/Staff/Far",), ("f@district.example",))


def test_schools_of_the_meeting_are_kept() -> None:
    """The host's with those in its unit, those of contracts, approvals and their authorizers."""
    schools = (LINCOLN, WASHINGTON, BESIDE, FAR)
    contract = replace(CONTRACT, school_ids=("washington", ALL_SCHOOLS))
    approval = replace(AUTHORIZATION, school_id="far", authorizer_address="not an address")
    unit_of_host = replace(NOBODY, registry=a_registry(schools=schools))
    nowhere = replace(unit_of_host, host=replace(unit_of_host.host, school=None))

    def kept(dossier: Dossier, **files: Any) -> set[str]:
        registry = a_registry(schools=schools, **files)
        cut = cut_for(replace(dossier, registry=registry)).registry
        return {row.school_id for row in cut.schools}

    with_partner = replace(nowhere, invitees=(HOST, PARTNER))
    assert kept(unit_of_host) == {"lincoln", "beside"}
    assert kept(nowhere) == set()
    assert kept(with_partner, contracts=(contract,), authorizations=()) == {"washington"}
    assert kept(with_partner, contracts=(), authorizations=(approval,)) == {"far"}
    clerk = replace(approval, authorizer_address="clerk@district.example")
    assert kept(with_partner, contracts=(), authorizations=(clerk,)) == {"far"}


def test_of_the_time_of_issue_the_named_school_is_kept() -> None:
    """For approvals of partners at the meeting; what was never asked for is not made up."""
    others = replace(AUTHORIZATION, authorization_id="other", partner_id="p0")
    later = replace(AUTHORIZATION, authorization_id="a2")
    then = (replace(LINCOLN, principals=("before@district.example",)), WASHINGTON)
    dossier = a_dossier(
        registry=a_registry(authorizations=(later, AUTHORIZATION, others)),
        schools_when_issued={"a1": then, "other": then},
    )

    assert cut_for(dossier).schools_when_issued == {"a1": then[:1]}


def test_one_registry_is_cut_once_for_many_meetings() -> None:
    """The same rows come as the same registry; an equal registry that was read anew is not it."""
    registry = a_registry()
    first = with_relied_on(a_dossier(registry=registry)).registry
    second = with_relied_on(a_dossier(registry=registry, as_of=at(0))).registry
    anew = with_relied_on(a_dossier(registry=replace(registry))).registry

    assert second is first
    assert anew == first
    assert anew is not first
    assert anew.partners[0] is first.partners[0]
