"""What the registry answers for one occasion."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.authorizing import (
    AuthorizationMissing,
    AuthorizationOutOfScope,
    AuthorizationRetroactive,
    Authorized,
    AuthorizerRole,
    CertificationExpired,
    CertificationMissing,
    CertificationValid,
    ContractExpired,
    ContractMissing,
    ContractNotStarted,
    ContractOutOfScope,
    ContractValid,
    Field,
    Occasion,
    authorization_answer,
    authorizer_role,
    certification_answer,
    contract_answer,
    program_exemption,
    program_for,
)
from meetbot.domain.platforms import Platform
from meetbot.domain.registry import (
    Activity,
    Authorization,
    Certification,
    Contract,
    Exemption,
    ExemptionKind,
    Program,
    ProgramType,
    Registry,
    Row,
    School,
    SchoolKind,
)

CHICAGO = ZoneInfo("America/Chicago")


def day(text: str) -> date:
    return date.fromisoformat(text)


def an_occasion(
    start: str = "2026-10-13T15:00", minutes: int = 45, school: str | None = "lin", **more: Any
) -> Occasion:
    start_at = datetime.fromisoformat(start).replace(tzinfo=UTC)
    hosts = more.get("hosts", ("ann@district.example",))
    return Occasion(start_at, start_at + timedelta(minutes=minutes), CHICAGO, school, hosts)


def an_authorization(number: int = 1, **columns: Any) -> Authorization:
    usual: dict[str, Any] = {
        "authorization_id": f"a{number}",
        "partner_id": "acme",
        "program_id": "tut",
        "school_id": "lin",
        "host_address": None,
        "starts_on": day("2026-09-01"),
        "ends_on": day("2026-12-31"),
        "authorizer_address": "pat@district.example",
        "issued_at": datetime(2026, 8, 1, tzinfo=UTC),
    }
    return Authorization(**(usual | columns))


def a_contract(
    starts: str, ends: str, *schools: str, program: str = "tut", signed: str | None = "2020-01-01"
) -> Contract:
    signed_on = day(signed) if signed else None
    key = f"{program}-{starts}-{ends}-{signed}-{schools}"
    school_ids = schools or ("*",)
    return Contract(key, "acme", program, school_ids, signed_on, day(starts), day(ends))


def a_program(program_id: str) -> Program:
    return Program(program_id, "acme", program_id, ProgramType.OTHER, Activity.ACTIVE)


def a_school(school_id: str, path: str) -> School:
    people = ("Pat@district.example",), ("lee@district.example",)
    return School(school_id, school_id, SchoolKind.SCHOOL, (path,), *people)


def registry(*rows: Row) -> Registry:
    return Registry.of_rows(rows)


def authorized(*rows: Row, occasion: Occasion | None = None, program: str | None = "tut") -> Any:
    return authorization_answer(registry(*rows), "acme", program, occasion or an_occasion())


def contracted(*rows: Row, occasion: Occasion | None = None, program: str | None = "tut") -> Any:
    return contract_answer(registry(*rows), "acme", program, occasion or an_occasion())


# --- Authorization ------------------------------------------------------------------------------


def test_nothing_on_file_is_missing() -> None:
    """No authorization of this partner: missing, with no nearest miss."""
    other = an_authorization(partner_id="beta")

    assert authorized(other) == AuthorizationMissing()


def test_one_that_fits_authorizes() -> None:
    """Partner, program, school, days and time of issue fit: authorized."""
    row = an_authorization()

    assert authorized(row) == Authorized((row,))


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        ({"school_id": "oak"}, (Field.SCHOOL,)),
        ({"program_id": "art"}, (Field.PROGRAM,)),
        ({"ends_on": day("2026-10-12")}, (Field.DATE,)),
        ({"starts_on": day("2026-10-14")}, (Field.DATE,)),
        ({"host_address": "bob@district.example"}, (Field.HOST,)),
        (
            {"school_id": "oak", "host_address": "bob@district.example"},
            (Field.SCHOOL, Field.HOST),
        ),
    ],
)
def test_one_that_does_not_fit_is_out_of_scope(
    columns: dict[str, Any], fields: tuple[Field, ...]
) -> None:
    """One exists but fails: out of scope, with the fields it fails on."""
    row = an_authorization(**columns)

    assert authorized(row) == AuthorizationOutOfScope(fields, row)


def test_the_nearest_miss_fails_on_the_fewest_fields() -> None:
    """Of several that fail the nearest is named: fewest fields, then the nearest days."""
    far = an_authorization(1, school_id="oak", program_id="art")
    near = an_authorization(2, ends_on=day("2026-10-12"))
    older = an_authorization(3, ends_on=day("2026-09-12"))

    answer = authorized(far, older, near)

    assert isinstance(answer, AuthorizationOutOfScope)
    assert answer.nearest == near


def test_issued_after_the_start_is_retroactive() -> None:
    """One covers but was issued after the start: retroactive, by how much; at the start: fine."""
    start = an_occasion().start_at
    late = an_authorization(issued_at=start + timedelta(hours=2))
    in_time = an_authorization(issued_at=start)

    assert authorized(late) == AuthorizationRetroactive(late, timedelta(hours=2))
    assert authorized(in_time) == Authorized((in_time,))


def test_one_issued_in_time_is_enough() -> None:
    """A late one beside one in time changes nothing."""
    late = an_authorization(1, issued_at=datetime(2026, 11, 1, tzinfo=UTC))
    in_time = an_authorization(2)

    assert authorized(late, in_time) == Authorized((in_time,))


def test_revoked_before_the_end_is_missing() -> None:
    """All revoked before the end: missing, nearest named; revoked at the end: authorized."""
    end = an_occasion().end_at
    revoked = an_authorization(revoked_at=end - timedelta(seconds=1))
    kept = an_authorization(revoked_at=end)

    assert authorized(revoked) == AuthorizationMissing(revoked)
    assert authorized(kept) == Authorized((kept,))


def test_a_revoked_one_does_not_hide_one_out_of_scope() -> None:
    """One revoked and one for another school: out of scope."""
    revoked = an_authorization(1, revoked_at=datetime(2026, 9, 1, tzinfo=UTC))
    other = an_authorization(2, school_id="oak")

    assert authorized(revoked, other) == AuthorizationOutOfScope((Field.SCHOOL,), other)


def test_hosts_match_by_mailbox_and_alias() -> None:
    """A named host is the host under any alias, case and tag aside."""
    row = an_authorization(host_address="Ann.Lee@district.example")
    occasion = an_occasion(hosts=("ann@district.example", "ann.lee+x@district.example"))

    assert authorized(row, occasion=occasion) == Authorized((row,))
    assert authorized(row, occasion=an_occasion(hosts=())).fields == (Field.HOST,)


def test_unknown_program_and_school_fit_but_are_said() -> None:
    """What is not known fits everything and is named, so that a rule can ask for review."""
    row = an_authorization(program_id="art", school_id="oak")

    answer = authorized(row, occasion=an_occasion(school=None), program=None)

    assert answer == Authorized((row,), frozenset({Field.PROGRAM, Field.SCHOOL}))


def test_co_located_schools_count_for_each_other() -> None:
    """An authorization for a school that shares the host's unit covers."""
    row = an_authorization(school_id="oak")

    assert isinstance(authorized(row, a_school("lin", "/S"), a_school("oak", "/S")), Authorized)


def test_the_last_evening_is_authorized_in_local_time() -> None:
    """D1, D7 for authorizations: the last local day counts to its last second, also of 25 hours."""
    row = an_authorization(ends_on=day("2026-11-01"), starts_on=day("2026-11-01"))
    evening = an_occasion("2026-11-02T05:15")  # 23:15 to 24:00 CST

    assert isinstance(authorized(row, occasion=evening), Authorized)
    assert authorized(row, occasion=an_occasion("2026-11-02T05:16")).fields == (Field.DATE,)
    assert isinstance(authorized(row, occasion=an_occasion("2026-11-01T05:00")), Authorized)


@pytest.mark.parametrize(
    ("authorizer", "role"),
    [
        ("pat@district.example", AuthorizerRole.PRINCIPAL),
        ("LEE@district.example", AuthorizerRole.LEAD),
        ("ann@district.example", None),
    ],
)
def test_authorizers_need_a_role_at_the_school(
    authorizer: str, role: AuthorizerRole | None
) -> None:
    """Principals and leads of the school named may authorize, nobody else."""
    row = an_authorization(authorizer_address=authorizer)

    assert authorizer_role(row, [a_school("lin", "/L")]) == role
    assert authorizer_role(row, [a_school("oak", "/O")]) is None


# --- Contract -----------------------------------------------------------------------------------


def test_no_contract_for_the_program_is_missing() -> None:
    """A contract of another program is none for this one; unknown program takes any."""
    row = a_contract("2026-07-01", "2027-06-30", program="art")

    assert contracted(row) == ContractMissing()
    assert contracted(row, program=None) == ContractValid(day("2027-06-30"))


def test_d1_the_contract_holds_on_its_last_evening() -> None:
    """D1: 2026-06-30 18:30 local is valid under a contract to that day."""
    occasion = an_occasion("2026-06-30T23:30", 60)

    assert contracted(a_contract("2025-07-01", "2026-06-30"), occasion=occasion) == ContractValid(
        day("2026-06-30")
    )


def test_d2_the_contract_has_expired_at_midnight() -> None:
    """D2: the first local instant after the last day is expired."""
    row = a_contract("2025-07-01", "2026-06-30")

    assert contracted(row, occasion=an_occasion("2026-07-01T05:00")) == ContractExpired(
        day("2026-06-30"), row
    )


def test_a_meeting_past_the_last_midnight_has_expired() -> None:
    """A meeting that begins inside and ends after the boundary is expired."""
    row = a_contract("2025-07-01", "2026-06-30")

    answer = contracted(row, occasion=an_occasion("2026-07-01T04:30"))

    assert isinstance(answer, ContractExpired)


def test_renewals_are_united_only_when_adjacent() -> None:
    """An adjacent renewal covers across its seam; after a gap of a day the old one has expired."""
    old, new = a_contract("2025-07-01", "2026-06-30"), a_contract("2026-07-01", "2027-06-30")
    later = a_contract("2026-07-02", "2027-06-30")
    seam, gap = an_occasion("2026-07-01T04:30"), an_occasion("2026-07-01T15:00")

    assert contracted(new, old, occasion=seam) == ContractValid(day("2027-06-30"))
    assert contracted(later, old, occasion=gap) == ContractExpired(day("2026-06-30"), old)


@pytest.mark.parametrize(
    ("row", "starts_on"),
    [
        (a_contract("2026-10-14", "2027-06-30"), day("2026-10-14")),
        (a_contract("2026-07-01", "2027-06-30", signed=None), None),
        (a_contract("2026-07-01", "2027-06-30", signed="2026-10-20"), day("2026-10-20")),
    ],
)
def test_later_unsigned_and_late_signed_contracts_have_not_started(
    row: Contract, starts_on: date | None
) -> None:
    """A contract starts on its first day or when signed, whichever is later; unsigned never."""
    assert contracted(row) == ContractNotStarted(starts_on, row)


def test_a_contract_signed_that_day_has_started() -> None:
    """The day of the signature counts."""
    row = a_contract("2026-07-01", "2027-06-30", signed="2026-10-13")

    assert isinstance(contracted(row), ContractValid)


def test_an_unsigned_renewal_has_not_started() -> None:
    """Where the renewal only lacks its signature, that is what to say."""
    old = a_contract("2025-07-01", "2026-06-30")
    renewal = a_contract("2026-07-01", "2027-06-30", signed=None)

    assert contracted(old, renewal) == ContractNotStarted(None, renewal)


def test_other_schools_are_out_of_scope() -> None:
    """A contract valid then for other schools is out of scope, and those are named."""
    rows = (
        a_contract("2026-07-01", "2027-06-30", "oak", "elm"),
        a_contract("2025-07-01", "2026-06-30", "fir"),
    )

    assert contracted(*rows) == ContractOutOfScope(("elm", "oak"))
    assert isinstance(contracted(*rows, occasion=an_occasion(school="elm")), ContractValid)
    assert isinstance(contracted(*rows, occasion=an_occasion(school=None)), ContractValid)


def test_time_comes_before_scope_for_the_own_school() -> None:
    """A lapsed contract of this school is expired, whatever another school has."""
    own = a_contract("2025-07-01", "2026-06-30", "lin")
    other = a_contract("2026-07-01", "2027-06-30", "oak")

    assert contracted(own, other) == ContractExpired(day("2026-06-30"), own)


def test_an_expired_contract_of_another_school_has_expired() -> None:
    """Nothing valid and nothing for this school: the time is what fails first."""
    row = a_contract("2025-07-01", "2026-06-30", "oak")

    assert contracted(row) == ContractExpired(day("2026-06-30"), row)


SOME_DAYS = st.dates(day("2026-09-25"), day("2026-10-25"))
CONTRACTS = st.builds(
    Contract,
    st.sampled_from("cd"),
    st.just("acme"),
    st.just("tut"),
    st.sampled_from([("*",), ("lin",), ("oak",)]),
    st.none() | SOME_DAYS,
    SOME_DAYS,
    SOME_DAYS,
)


@given(st.lists(CONTRACTS, max_size=4), st.integers(0, 40 * 24 * 60))
def test_contracts_have_exactly_one_answer(rows: list[Contract], minutes: int) -> None:
    """Any contracts and any meeting give one answer, and a valid one really covers."""
    occasion = an_occasion("2026-09-20T15:00", minutes)
    answer = contracted(*rows, occasion=occasion)

    match answer:
        case ContractMissing():
            assert not rows
        case ContractNotStarted(starts_on=starts_on):
            assert starts_on is None or starts_on > occasion.start_at.astimezone(CHICAGO).date()
        case ContractValid(ends_on=ends_on):
            assert ends_on >= occasion.start_at.astimezone(CHICAGO).date()
        case ContractExpired() | ContractOutOfScope():
            assert rows
        case _:
            pytest.fail("no answer")


# --- Program ------------------------------------------------------------------------------------


def test_the_program_is_the_authorized_one_then_the_contracted_one_then_the_only_one() -> None:
    """The order of the catalogue; what stays open is unknown."""
    both = (a_program("tut"), a_program("art"))
    contract = a_contract("2026-07-01", "2027-06-30", program="art")
    occasion = an_occasion()

    def found(*rows: Row) -> str | None:
        return program_for(registry(*rows), "acme", occasion)

    assert found(*both, contract, an_authorization()) == "tut"
    assert found(*both, contract, an_authorization(school_id="oak")) == "art"
    assert found(a_program("tut")) == "tut"
    assert found(*both) is None
    assert found() is None


def test_two_authorized_programs_are_told_apart_by_contract() -> None:
    """Where two authorizations fit, the program under contract is meant; else it is unknown."""
    rows = (
        a_program("tut"),
        a_program("art"),
        an_authorization(1),
        an_authorization(2, program_id="art"),
    )
    contract = a_contract("2026-07-01", "2027-06-30")

    assert program_for(registry(*rows, contract), "acme", an_occasion()) == "tut"
    assert program_for(registry(*rows), "acme", an_occasion()) is None


def test_a_late_authorization_still_names_the_program() -> None:
    """An authorization issued too late tells the program, so that it can be called retroactive."""
    late = an_authorization(issued_at=datetime(2026, 11, 1, tzinfo=UTC))
    revoked = an_authorization(2, program_id="art", revoked_at=datetime(2026, 9, 1, tzinfo=UTC))

    found = registry(a_program("tut"), a_program("art"), late, revoked)

    assert program_for(found, "acme", an_occasion()) == "tut"


# --- Certification ------------------------------------------------------------------------------


def a_certification(starts: str, ends: str, person: str | None = None) -> Certification:
    return Certification("acme", person, day(starts), day(ends))


def test_certification_is_missing_lapsed_or_valid() -> None:
    """None on file; one that ends the evening before; adjacent ones that cover."""
    occasion = an_occasion()
    lapsed = a_certification("2025-10-13", "2026-10-12")
    renewed = a_certification("2026-10-13", "2027-10-12")

    assert certification_answer(registry(), "acme", occasion) == CertificationMissing()
    assert certification_answer(registry(lapsed), "acme", occasion) == CertificationExpired(lapsed)
    both = registry(lapsed, renewed)
    assert certification_answer(both, "acme", occasion) == CertificationValid()
    assert certification_answer(both, "acme", an_occasion("2026-10-13T04:30")) == (
        CertificationValid()
    )


def test_people_need_their_own_only_under_personal_clearance() -> None:
    """The organization's certification serves its people unless each needs one."""
    gus = "gus@partner.example"
    organization = registry(a_certification("2026-01-01", "2026-12-31"))
    personal = registry(a_certification("2026-01-01", "2026-12-31", "Gus@partner.example"))
    occasion = an_occasion()

    def answer(found: Registry, person: str | None, *, each: bool = False) -> Any:
        return certification_answer(found, "acme", occasion, person=person, personal_clearance=each)

    assert answer(organization, gus) == CertificationValid()
    assert answer(organization, gus, each=True) == CertificationMissing()
    assert answer(personal, gus, each=True) == CertificationValid()
    assert answer(personal, gus) == CertificationValid()
    assert answer(personal, "ann@partner.example") == CertificationMissing()
    assert answer(personal, None) == CertificationMissing()


# --- Exemptions of programs ---------------------------------------------------------------------


def an_exemption(kind: ExemptionKind, value: str = "tut", **columns: Any) -> Exemption:
    usual: dict[str, Any] = {"platform": None, "consent_on_file": False, "reason": "speech therapy"}
    days = {"owner": "o", "starts_on": day("2026-09-01"), "ends_on": day("2026-12-31")}
    return Exemption(kind, value, **(usual | days | columns))


VALID = a_contract("2026-07-01", "2027-06-30")
CERTIFIED = a_certification("2026-07-01", "2027-06-30")


def test_a_platform_exception_names_its_platform_and_lapses_with_the_contract() -> None:
    """The named platform, on the named days, under a valid contract."""
    kind = ExemptionKind.PLATFORM_EXCEPTION
    row = an_exemption(kind, platform=Platform.ZOOM)
    valid, lapsed = registry(a_program("tut"), VALID, row), registry(a_program("tut"), row)

    def holds(found: Registry, platform: Platform) -> bool:
        occasion = an_occasion()
        return program_exemption(found, kind, "tut", occasion, platform=platform) is not None

    assert holds(valid, Platform.ZOOM)
    assert not holds(valid, Platform.TEAMS)
    assert not holds(lapsed, Platform.ZOOM)


def test_a_confidential_exemption_needs_contract_certification_and_consent() -> None:
    """Each of the three missing, and the exemption does not hold."""
    kind = ExemptionKind.CONFIDENTIAL_CLINICAL
    row = an_exemption(kind, consent_on_file=True)
    program = a_program("tut")

    def holds(*rows: Row) -> bool:
        return program_exemption(registry(program, *rows), kind, "tut", an_occasion()) is not None

    assert holds(row, VALID, CERTIFIED)
    assert not holds(row, CERTIFIED)
    assert not holds(row, VALID)
    assert not holds(an_exemption(kind), VALID, CERTIFIED)
    assert program_exemption(registry(row), kind, "tut", an_occasion()) is None


def test_a_confidential_exemption_may_name_the_clinician() -> None:
    """A row for the clinician's address holds for their meetings."""
    kind = ExemptionKind.CONFIDENTIAL_CLINICAL
    row = an_exemption(kind, "doc@clinic.example", consent_on_file=True)
    found = registry(a_program("tut"), VALID, CERTIFIED, row)

    def holds(*clinicians: str) -> bool:
        occasion = an_occasion()
        return program_exemption(found, kind, "tut", occasion, clinicians=clinicians) is not None

    assert holds("doc@clinic.example")
    assert not holds("ann@clinic.example")
    assert not holds()


# --- The nearest row ----------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [1, -1], ids=["nearest first", "nearest last"])
@pytest.mark.parametrize(
    ("nearest", "other"),
    [
        ({"ends_on": "2026-10-12"}, {"ends_on": "2026-10-01"}),
        ({"starts_on": "2026-10-14"}, {"starts_on": "2026-10-20"}),
        ({"starts_on": "2026-10-15"}, {"ends_on": "2026-10-10"}),
        ({"ends_on": "2026-10-10"}, {"starts_on": "2026-10-17"}),
        ({"host_address": "bob@district.example"}, {"ends_on": "2026-10-12"}),
        ({"host_address": "bob@district.example"}, {"host_address": "eve@district.example"}),
    ],
)
def test_the_nearest_approval_is_named(
    nearest: dict[str, str], other: dict[str, str], turn: int
) -> None:
    """The fewest fields, then the fewest days away on either side, then the id; revoked or not."""
    rows = [
        an_authorization(number, **{k: day(v) if "_on" in k else v for k, v in columns.items()})
        for number, columns in enumerate((nearest, other))
    ]
    revoked = [replace(row, revoked_at=datetime(2026, 10, 1, tzinfo=UTC)) for row in rows]

    assert authorized(*rows[::turn]).nearest == rows[0]
    assert authorized(*revoked[::turn]).nearest == revoked[0]


def test_what_is_not_known_is_said_with_every_answer() -> None:
    """Without program and school, whatever the answer is."""
    nowhere = an_occasion(school=None)
    unsure = {Field.PROGRAM, Field.SCHOOL}
    late = an_authorization(issued_at=datetime(2026, 10, 14, tzinfo=UTC))

    for rows in (
        (),
        (an_authorization(),),
        (an_authorization(ends_on=day("2026-10-12")),),
        (late,),
    ):
        assert authorized(*rows, occasion=nowhere, program=None).unsure == unsure


def test_the_role_is_looked_for_at_the_school_of_the_approval() -> None:
    """Wherever in the list that school stands."""
    schools = (a_school("oak", "/Oak"), a_school("lin", "/Lin"))

    assert authorizer_role(an_authorization(), schools) is AuthorizerRole.PRINCIPAL


def test_the_answer_on_contracts_names_the_latest_end_and_the_earliest_start() -> None:
    """Of several expired ones the last, of several to come the first, in any order."""
    past = [a_contract("2026-01-01", f"2026-0{month}-28") for month in (3, 5, 4)]
    ahead = [
        a_contract("2026-12-01", "2027-01-01"),
        a_contract("2026-11-01", "2027-01-01"),
        a_contract("2026-11-20", "2027-01-01", signed=None),
    ]

    for rows in (past, past[::-1]):
        assert contracted(*rows) == ContractExpired(day("2026-05-28"), past[1])
    for rows in (ahead, ahead[::-1]):
        assert contracted(*rows) == ContractNotStarted(day("2026-11-01"), ahead[1])


def test_a_contract_of_one_day_counts_that_day() -> None:
    """From its first midnight to its last; a meeting past that has expired, not begun too early."""
    one = a_contract("2026-10-13", "2026-10-13")

    assert contracted(one) == ContractValid(day("2026-10-13"))
    past_midnight = an_occasion("2026-10-13T05:00", minutes=24 * 60 + 1)
    assert contracted(one, occasion=past_midnight) == ContractExpired(day("2026-10-13"), one)


def test_only_contracts_of_that_time_tell_the_schools_covered() -> None:
    """Those that end as the meeting begins, or begin as it ends, are not among them."""
    rows = (
        a_contract("2026-10-13", "2026-10-13", "oak"),
        a_contract("2026-10-01", "2026-10-12", "elm"),
        a_contract("2026-10-14", "2026-10-20", "ash"),
    )
    whole_day = an_occasion("2026-10-13T05:00", minutes=24 * 60)

    assert contracted(*rows, occasion=whole_day) == ContractOutOfScope(("oak",))


EVENING = "2026-10-13T00:30"
"""Half past seven in the evening of the 12th in Chicago."""


def test_days_are_local_everywhere() -> None:
    """The evening of the last day is inside, for certifications and exemptions too."""
    evening = an_occasion(EVENING)
    begun = a_contract("2026-10-12", "2026-12-31")
    lapsing = a_certification("2026-01-01", "2026-10-12")
    waived = an_exemption(ExemptionKind.PLATFORM_EXCEPTION, ends_on=day("2026-10-12"))
    clinical = an_exemption(
        ExemptionKind.CONFIDENTIAL_CLINICAL,
        "dr@acme.example",
        consent_on_file=True,
        ends_on=day("2026-10-12"),
    )
    rows = registry(begun, lapsing, waived, clinical, a_program("tut"))

    assert certification_answer(rows, "acme", evening) == CertificationValid()
    assert program_exemption(rows, ExemptionKind.PLATFORM_EXCEPTION, "tut", evening) == waived
    assert (
        program_exemption(
            rows,
            ExemptionKind.CONFIDENTIAL_CLINICAL,
            "tut",
            evening,
            clinicians=["dr@acme.example"],
        )
        == clinical
    )
    assert contracted(a_contract("2026-10-13", "2026-12-31"), occasion=evening) == (
        ContractNotStarted(day("2026-10-13"), a_contract("2026-10-13", "2026-12-31"))
    )


@pytest.mark.parametrize("turn", [1, -1])
def test_the_certification_that_comes_closest_is_named(turn: int) -> None:
    """Whether it lapsed or is yet to come."""
    near, far = (
        a_certification("2026-01-01", "2026-10-10"),
        a_certification("2025-01-01", "2025-12-31"),
    )
    soon = a_certification("2026-10-14", "2027-01-01")

    for closest, rows in ((near, (near, far)), (soon, (soon, near))):
        answer = certification_answer(registry(*rows[::turn]), "acme", an_occasion())
        assert answer == CertificationExpired(closest)


def test_an_exemption_needs_the_contract_of_its_own_program() -> None:
    """Another program's contract keeps none alive."""
    waived = an_exemption(ExemptionKind.PLATFORM_EXCEPTION)
    other = a_contract("2026-01-01", "2026-12-31", program="art")
    rows = registry(other, waived, a_program("tut"), a_program("art"))

    assert program_exemption(rows, ExemptionKind.PLATFORM_EXCEPTION, "tut", an_occasion()) is None


def test_nearness_is_counted_in_local_days() -> None:
    """An approval that ended last midnight in Chicago is nearer than one from next midnight on."""
    ahead = an_authorization(1, starts_on=day("2026-10-14"))
    ended = an_authorization(2, ends_on=day("2026-10-12"))

    assert authorized(ahead, ended).nearest == ended


def test_of_approvals_that_hold_that_day_the_first_is_named() -> None:
    """How far inside its days the meeting lies makes none of them nearer."""
    rows = [
        an_authorization(1, school_id="elsewhere"),
        an_authorization(2, school_id="elsewhere", starts_on=day("2026-01-01")),
    ]

    assert authorized(*rows[::-1]).nearest == rows[0]


def test_a_renewal_from_tomorrow_on_does_not_hide_that_the_contract_has_ended() -> None:
    """21:00 in Chicago is the next day in UTC already; the renewal is not signed either."""
    old = a_contract("2026-01-01", "2026-10-01")
    renewal = a_contract("2026-10-13", "2026-12-31", signed=None)

    answer = contracted(old, renewal, occasion=an_occasion("2026-10-13T02:00"))

    assert answer == ContractExpired(day("2026-10-01"), old)
