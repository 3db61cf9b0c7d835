"""The registry snapshot: whose address, whose school, which exemption."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.registry import (
    Activity,
    Authorization,
    Exemption,
    ExemptionKind,
    Identity,
    IdentityKind,
    MatchedBy,
    Partner,
    PartnerKind,
    Program,
    ProgramType,
    Registry,
    RegistryFile,
    Row,
    School,
    SchoolKind,
    renamed,
)

CHICAGO = ZoneInfo("America/Chicago")
NOON = datetime(2026, 10, 13, 17, tzinfo=UTC)


def a_partner(partner_id: str) -> Partner:
    return Partner(partner_id, partner_id.title(), PartnerKind.CONTRACTED, Activity.ACTIVE)


def a_domain(partner_id: str, domain: str) -> Identity:
    return Identity(partner_id, IdentityKind.DOMAIN, domain)


def a_person(partner_id: str, address: str, name: str | None = None) -> Identity:
    return Identity(partner_id, IdentityKind.ADDRESS, address, name)


def a_school(school_id: str, *paths: str, principal: str = "", lead: str = "") -> School:
    leads = (lead,) if lead else ()
    return School(school_id, school_id, SchoolKind.SCHOOL, paths, (principal,), leads)


def an_exemption(kind: ExemptionKind, value: str, *days: int) -> Exemption:
    first, last = days or (1, 31)
    starts_on, ends_on = date(2026, 10, first), date(2026, 10, last)
    return Exemption(kind, value, None, False, "parent evening", "Ms. Lee", starts_on, ends_on)


ROWS: tuple[Row, ...] = (
    a_partner("acme"),
    a_partner("beta"),
    a_domain("acme", "Partner.example"),
    a_person("beta", "Guest@partner.example", "Gus T."),
    a_person("beta", "first.last@gmail.com"),
    a_domain("beta", "gmail.com"),
    a_person("beta", "ann@other.example"),
)


def known() -> Registry:
    """The registry of these rows."""
    return Registry.of_rows(ROWS)


@pytest.mark.parametrize(
    ("address", "partner", "how"),
    [
        ("guest@partner.example", "beta", MatchedBy.ADDRESS),
        ("GUEST+class@Partner.EXAMPLE", "beta", MatchedBy.MAILBOX),
        ("someone@partner.example", "acme", MatchedBy.DOMAIN),
        ("firstlast@gmail.com", "beta", MatchedBy.MAILBOX),
    ],
)
def test_addresses_match_exactly_then_by_mailbox_then_by_domain(
    address: str, partner: str, how: MatchedBy
) -> None:
    """I1, I2: the strongest match wins, and says how it was made."""
    match = known().match_identity(address)

    assert match is not None
    assert (match.partner_id, match.matched_by) == (partner, how)


@pytest.mark.parametrize(
    "address",
    [
        "x@evilpartner.example",
        "x@partner.example.evil.test",
        "x@mail.partner.example",
        "x@p\u0430rtner.example",
        "somebody@gmail.com",
        "not an address",
    ],
)
def test_i4_i5_other_domains_do_not_match(address: str) -> None:
    """I3-I5: tricks, sub-domains and free-mail domains belong to no partner."""
    assert known().match_identity(address) is None


def test_an_alias_beats_the_domain() -> None:
    """A registered alias identifies the person before the domain names the organization."""
    match = known().match_identity("gus@partner.example", aliases=["guest@partner.example"])

    assert match is not None
    assert (match.partner_id, match.person_name, match.matched_by) == (
        "beta",
        "Gus T.",
        MatchedBy.ALIAS,
    )


@pytest.mark.parametrize(
    ("address", "imitates"),
    [
        ("x@p\u0430rtner.example", "acme"),
        ("x@mail.p\u0430rtner.example", "acme"),
        ("x@0ther.example", "beta"),
        ("x@partner.example", None),
        ("x@mail.partner.example", None),
        ("x@evilpartner.example", None),
        ("x@partner.example.evil.test", None),
        ("x@grnail.com", None),
        ("", None),
    ],
)
def test_i3_lookalikes_name_the_partner_they_imitate(address: str, imitates: str | None) -> None:
    """I3, I4: same skeleton, other domain; the registered ones imitate nobody."""
    partner = known().lookalike_of(address)

    assert (partner.partner_id if partner else None) == imitates


def test_a_partner_with_both_forms_registered_imitates_nobody() -> None:
    """The trap of a real international domain: both forms registered, none is a look-alike."""
    both = Registry.of_rows(
        [
            a_partner("acme"),
            a_domain("acme", "partner.example"),
            a_domain("acme", "p\u0430rtner.example"),
        ]
    )

    assert both.lookalike_of("x@p\u0430rtner.example") is None
    assert both.lookalike_of("x@partner.example") is None


@given(st.sampled_from(["cool.example", "c00l.example", "wave.example", "modern.example"]))
def test_a_registered_domain_is_never_its_own_lookalike(domain: str) -> None:
    """Whatever confusable letters a registered domain has, its addresses are not look-alikes."""
    registry = Registry.of_rows([a_partner("acme"), a_domain("acme", domain)])

    assert registry.lookalike_of(f"x@{domain}") is None
    assert registry.lookalike_of(f"x@mail.{domain}") is None


def test_schools_are_found_by_the_longest_unit_path() -> None:
    """Whole segments are compared, without regard to case or a slash at the end."""
    registry = Registry.of_rows(
        [a_school("all", "/Staff"), a_school("lin", "/Staff/Lincoln/"), a_school("lo", "/Staff/Lo")]
    )

    def found(path: str) -> str | None:
        school = registry.school_of_unit(path)
        return school.school_id if school else None

    assert found("/Staff/Lincoln/Math") == "lin"
    assert found("/staff/lincoln") == "lin"
    assert found("/Staff/Lincolnshire") == "all"
    assert found("/Staff") == "all"
    assert found("/Students/Lincoln") is None
    assert found("") is None


def test_co_located_schools_share_a_unit() -> None:
    """Two schools with the same unit path are both found, and lie beside each other."""
    registry = Registry.of_rows([a_school("a", "/S/X"), a_school("b", "/S/X"), a_school("c", "/S")])

    assert [school.school_id for school in registry.schools_of_unit("/S/X/y")] == ["a", "b"]
    assert registry.schools_beside("a") == {"a", "b"}
    assert registry.schools_beside("c") == {"c"}
    assert registry.schools_beside("nowhere") == {"nowhere"}


def test_principals_and_leads_are_found_by_mailbox() -> None:
    """An address finds the schools it leads, tags and case aside."""
    registry = Registry.of_rows(
        [a_school("a", "/A", principal="Pat@district.example", lead="lee@district.example")]
    )

    assert [s.school_id for s in registry.schools_of_principal("pat+x@district.example")] == ["a"]
    assert [s.school_id for s in registry.schools_of_lead("lee@district.example")] == ["a"]
    assert registry.schools_of_principal("lee@district.example") == ()
    assert registry.schools_of_lead("nobody") == ()


@pytest.mark.parametrize(
    ("value", "address", "is_exempt"),
    [
        ("mum@mail.example", "Mum+kid@mail.example", True),
        ("vendor.example", "sales@vendor.example", True),
        ("vendor.example", "sales@sub.vendor.example", False),
        ("gmail.com", "mum@gmail.com", False),
        ("mum@gmail.com", "m.um@gmail.com", True),
        ("mum@mail.example", "dad@mail.example", False),
        ("mum@mail.example", "nobody", False),
    ],
)
def test_exemptions_name_mailboxes_and_domains(value: str, address: str, is_exempt: bool) -> None:
    """An exemption holds for its mailbox or exactly its domain, never for a free-mail host."""
    registry = Registry.of_rows([an_exemption(ExemptionKind.GUARDIAN, value)])

    assert (registry.exemption_for_address(address, NOON, CHICAGO) is not None) is is_exempt


def test_exemptions_hold_on_their_local_days_only() -> None:
    """An exemption of one local day begins and ends at local midnight."""
    row = an_exemption(ExemptionKind.INTERPRETER, "i@x.example", 13, 13)
    registry = Registry.of_rows([row])
    first, after = (datetime(2026, 10, day, 5, tzinfo=UTC) for day in (13, 14))

    assert registry.exemption_for_address("i@x.example", first, CHICAGO) == row
    assert registry.exemption_for_address("i@x.example", after, CHICAGO) is None


def test_clinical_exemptions_do_not_make_a_stranger_of_the_clinician() -> None:
    """Only the five kinds for outsiders take a person out of the partner rules."""
    registry = Registry.of_rows(
        [
            an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, "clin"),
            an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, "doc@clinic.example"),
        ]
    )

    assert registry.exemption_for_address("doc@clinic.example", NOON, CHICAGO) is None
    assert len(registry.exemptions_for_program("clin", NOON, CHICAGO)) == 1


def test_rows_are_grouped_and_compared_by_value() -> None:
    """A snapshot equals another with the same rows, and gives them back file by file."""
    program = Program("p", "acme", "Tutoring", ProgramType.OTHER, Activity.PAUSED)
    rows: list[Row] = [a_partner("acme"), program, a_domain("acme", "partner.example")]
    registry = Registry.of_rows(rows)

    assert registry == Registry.of_rows(registry.all_rows())
    assert registry.rows(RegistryFile.PROGRAMS) == registry.programs_of("acme") == (program,)
    assert registry.program("p") == program
    assert registry.partner("nobody") is None
    assert registry.school("nowhere") is None


def test_rows_do_not_print_people() -> None:
    """`repr` of rows and of a match shows ids and kinds, no address and no name."""
    rows = (
        a_person("acme", "gus@partner.example", "Gus"),
        an_exemption(ExemptionKind.GUARDIAN, "mum@x.example"),
    )

    assert not {"gus", "Gus", "mum", "Lee"} & set(
        repr(rows).replace("'", " ").replace("@", " ").split()
    )


def test_rows_that_name_nothing_do_not_hide_the_others() -> None:
    """A value that is no address or domain is passed over, and the next rows count."""
    rows = (
        a_person("acme", "no address"),
        a_domain("acme", "-"),
        a_domain("acme", "gmail.com"),
        a_domain("acme", "a.example"),
        a_person("beta", "b@b.example"),
        a_domain("acme", "b.example"),
    )
    registry = Registry.of_rows(rows)

    def partner_of(address: str) -> str | None:
        match = registry.match_identity(address)
        return match.identity.partner_id if match else None

    assert partner_of("x@a.example") == "acme"
    assert partner_of("b@b.example") == "beta"
    assert partner_of("other@b.example") == "acme"
    assert partner_of("x@gmail.com") is None


def test_other_addresses_of_the_districts_people_are_made_primary() -> None:
    """Principals, leads, authorizers and hosts; who has no other address keeps theirs."""
    approval = Authorization(
        "a1",
        "acme",
        "tut",
        "lin",
        "h@d.example",
        date(2026, 1, 1),
        date(2026, 12, 31),
        authorizer_address="p@d.example",
        issued_at=NOON,
    )
    plain = replace(
        approval, authorization_id="a2", host_address=None, authorizer_address="q@d.example"
    )
    own = replace(plain, authorization_id="a3", host_address="j@d.example")
    school = a_school("lin", "/Lin", principal="p@d.example", lead="l@d.example")
    other = a_school("oak", "/Oak", principal="q@d.example", lead="m@d.example")
    names = {"p@d.example": "P1", "l@d.example": "L1", "h@d.example": "H1"}

    changed = renamed(Registry.of_rows([approval, plain, own, school, other]), names)

    assert changed.authorizations == (
        replace(approval, host_address="H1", authorizer_address="P1"),
        plain,
        own,
    )
    assert changed.schools == (replace(school, principals=("P1",), leads=("L1",)), other)


def test_exemptions_hold_on_local_days() -> None:
    """Until the last local midnight, not the one of UTC."""
    row = an_exemption(ExemptionKind.GUARDIAN, "mum@home.example", 1, 12)
    registry = Registry.of_rows([row])
    evening = datetime(2026, 10, 13, 0, 30, tzinfo=UTC)

    assert registry.exemption_for_address("mum@home.example", evening, CHICAGO) == row
    assert registry.exemption_for_address("mum@home.example", NOON, CHICAGO) is None


def test_a_registered_address_imitates_nobody_whatever_its_domain_looks_like() -> None:
    """A free-mail host that looks like a partner's domain is another matter for everybody else."""
    registry = Registry.of_rows(
        [
            a_partner("acme"),
            a_partner("free"),
            a_domain("acme", "gmai1.com"),
            a_person("free", "ann@gmail.com"),
        ]
    )

    assert registry.lookalike_of("ann@gmail.com") is None
    assert registry.lookalike_of("bob@gmail.com") == a_partner("acme")


def test_an_address_written_as_a_domain_is_nobodys() -> None:
    """A row says what it names; one that names neither is passed over."""
    registry = Registry.of_rows([a_partner("acme"), a_domain("acme", "ann@acme.example")])

    assert registry.match_identity("ann@acme.example") is None


def test_an_empty_registry_has_no_school_for_any_unit() -> None:
    """As on the first day, before anything was imported."""
    assert Registry.of_rows([]).schools_of_unit("/Staff/Lincoln") == ()
