"""Rows of the registry as texts and back."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.platforms import Platform
from meetbot.domain.registry_rows import (
    COLUMNS,
    Activity,
    Authorization,
    CellError,
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
    RegistryFile,
    Row,
    School,
    SchoolKind,
    decode_row,
    file_of,
    from_cells,
    row_key,
    to_cells,
)

GUS = "gus@partner.example"
DAYS_OF_2026 = (date(2026, 1, 1), date(2026, 12, 31))
WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=8)
PLAIN = WORDS.filter(lambda text: ";" not in text and text.strip() == text)
LISTS = st.lists(PLAIN, min_size=1, max_size=3).map(tuple)
DAYS = st.dates()
INSTANTS = st.integers(0, 2**52).map(
    lambda n: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=n)
)
ROWS: st.SearchStrategy[Row] = st.one_of(
    st.builds(School, PLAIN, PLAIN, st.sampled_from(SchoolKind), LISTS, LISTS, LISTS),
    st.builds(Partner, PLAIN, PLAIN, st.sampled_from(PartnerKind), st.sampled_from(Activity)),
    st.builds(
        Program, PLAIN, PLAIN, PLAIN, st.sampled_from(ProgramType), st.sampled_from(Activity)
    ),
    st.builds(Identity, PLAIN, st.sampled_from(IdentityKind), PLAIN, st.none() | PLAIN),
    st.builds(Contract, PLAIN, PLAIN, PLAIN, LISTS, st.none() | DAYS, DAYS, DAYS),
    st.builds(Certification, PLAIN, st.none() | PLAIN, DAYS, DAYS),
    st.builds(
        Authorization,
        *(PLAIN, PLAIN, PLAIN, PLAIN, st.none() | PLAIN, DAYS, DAYS, PLAIN),
        INSTANTS,
        st.none() | INSTANTS,
    ),
    st.builds(
        Exemption,
        *(st.sampled_from(ExemptionKind), PLAIN, st.none() | st.sampled_from(Platform)),
        *(st.booleans(), PLAIN, PLAIN, DAYS, DAYS),
    ),
)


@given(ROWS)
def test_rows_come_back_from_their_texts(row: Row) -> None:
    """Texts by column give back the same row, with the contract's columns in their order."""
    cells = to_cells(row)

    assert list(cells) == [column.name for column in COLUMNS[file_of(row)]]
    assert from_cells(file_of(row), cells) == row
    assert to_cells(from_cells(file_of(row), cells)) == cells
    assert all(isinstance(part, str) for part in row_key(row))


@given(st.sampled_from(RegistryFile), st.data())
def test_no_cell_raises(file: RegistryFile, data: st.DataObject) -> None:
    """Whatever stands in the cells, there is a row or a problem with a fix for each bad cell."""
    names = st.sampled_from([column.name for column in COLUMNS[file]])
    texts = st.sampled_from(["2026-13-01", "2026-02-30", "0001-01-01", "yes", ";", "=cmd"])
    cells = data.draw(st.dictionaries(names, st.text() | texts))
    row, problems = decode_row(file, cells)

    assert (row is None) is bool(problems)
    assert all(problem.what and problem.fix for problem in problems)


@pytest.mark.parametrize(
    ("column", "text", "what"),
    [
        ("starts_on", "9/1/2026", "is not a date"),
        ("starts_on", "20260901", "is not a date"),
        ("starts_on", "2026-09-31", "does not exist"),
        ("starts_on", "", "is empty"),
        ("issued_at", "2026-09-01T10:00:00", "without a zone"),
        ("issued_at", "2026-09-01", "not an RFC 3339 instant"),
        ("issued_at", "2026-09-01T25:00:00Z", "does not exist"),
        ("issued_at", "0001-01-01T00:00:00+14:00", "does not exist"),
        ("revoked_at", "soon", "not an RFC 3339 instant"),
    ],
)
def test_each_bad_cell_is_explained(column: str, text: str, what: str) -> None:
    """A cell that cannot be read is named with what is wrong, without quoting it."""
    cells = {**_authorization_cells(), column: text}
    row, problems = decode_row(RegistryFile.AUTHORIZATIONS, cells)

    assert row is None
    (problem,) = problems
    assert problem.column == column
    assert what in problem.what
    with pytest.raises(CellError, match=column):
        from_cells(RegistryFile.AUTHORIZATIONS, cells)


def _authorization_cells() -> dict[str, str]:
    ids, days = ["a1", "acme", "tut", "lin", ""], ["2026-09-01", "2026-12-31"]
    texts = [*ids, *days, "pat@d.example", "2026-08-01T10:00:00Z", ""]
    names = [column.name for column in COLUMNS[RegistryFile.AUTHORIZATIONS]]
    return dict(zip(names, texts, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "2026-08-01T10:00:00Z",
        "2026-08-01t10:00:00z",
        "2026-08-01T05:00:00-05:00",
        "2026-08-01 12:00:00.000+02:00",
        "2026-08-01T10:00:00.0000000009Z",
    ],
)
@pytest.mark.usefixtures("machine_in_chicago")
def test_instants_are_the_same_in_every_zone(text: str) -> None:
    """An instant is kept in UTC, whatever its offset."""
    row = from_cells(RegistryFile.AUTHORIZATIONS, {**_authorization_cells(), "issued_at": text})

    assert isinstance(row, Authorization)
    assert row.issued_at == datetime(2026, 8, 1, 10, tzinfo=UTC)
    assert row.issued_at.utcoffset() == timedelta(0)
    assert to_cells(row)["issued_at"] == "2026-08-01T10:00:00Z"


def test_words_and_lists_are_checked() -> None:
    """Closed sets name their members, `yes` has no other form, lists have no holes."""
    row, problems = decode_row(
        RegistryFile.PARTNERS,
        {"partner_id": "a", "name": "A", "kind": "x", "school_official": "no"},
    )
    assert row is None
    assert [p.column for p in problems] == ["kind", "status", "school_official"]
    assert "contracted, lease, permit, community" in problems[0].fix

    _, problems = decode_row(
        RegistryFile.CONTRACTS,
        {"contract_id": "c", "partner_id": "a", "program_id": "p", "school_ids": "a;;b"},
    )
    assert [p.column for p in problems] == ["school_ids", "starts_on", "ends_on"]


def test_keys_do_not_change_with_other_columns() -> None:
    """An identity keeps its key when its spelling or partner changes."""
    one = Identity("a", IdentityKind.ADDRESS, "Gus@Partner.example")
    other = Identity("b", IdentityKind.ADDRESS, "gus@partner.EXAMPLE", "Gus")
    exemption = Exemption(
        *(ExemptionKind.PLATFORM_EXCEPTION, "Prog.One", Platform.ZOOM, False, "r", "o"),
        *(date(2026, 1, 1), date(2026, 1, 2)),
    )

    assert row_key(one) == row_key(other)
    assert row_key(exemption)[1] == "Prog.One"


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (Identity("a", IdentityKind.ADDRESS, "Gus@Partner.example"), ("address", GUS)),
        (Identity("a", IdentityKind.DOMAIN, "Partner.EXAMPLE"), ("domain", "partner.example")),
        (Identity("a", IdentityKind.DOMAIN, "no domain"), ("domain", "no domain")),
        (Certification("a", "Gus@Partner.example", *DAYS_OF_2026), ("a", GUS, "2026-01-01")),
        (Certification("a", None, *DAYS_OF_2026), ("a", "", "2026-01-01")),
        (
            Exemption(
                ExemptionKind.GUARDIAN, "Gus@Partner.example", None, False, "r", "o", *DAYS_OF_2026
            ),
            ("guardian", GUS, "", "2026-01-01"),
        ),
        (
            Exemption(
                ExemptionKind.PLATFORM_EXCEPTION,
                *("Prog.One", Platform.ZOOM, False, "r", "o"),
                *DAYS_OF_2026,
            ),
            ("platform-exception", "Prog.One", "zoom", "2026-01-01"),
        ),
    ],
)
def test_a_key_names_its_row(row: Row, key: tuple[str, ...]) -> None:
    """As it is stored: another form would make every stored row a new one."""
    assert row_key(row) == key


def test_every_bad_cell_of_a_row_is_named() -> None:
    """In one error, by column."""
    cells = {"partner_id": "a", "name": "", "kind": "x", "status": "active"}

    with pytest.raises(CellError) as wrong:
        from_cells(RegistryFile.PARTNERS, cells)

    assert str(wrong.value) == ("partners.csv: name is empty; kind is not one of the allowed words")


INSTANT = "for example 2026-09-01T14:30:00Z or 2026-09-01T09:30:00-05:00"
GOOD = {
    RegistryFile.AUTHORIZATIONS: {
        "authorization_id": "a1",
        "partner_id": "p",
        "program_id": "path",
        "school_id": "lincoln",
        "host_address": "",
        "starts_on": "2026-09-01",
        "ends_on": "2027-06-30",
        "authorizer_address": "p@d.example",
        "issued_at": "2026-08-01T12:00:00Z",
        "revoked_at": "",
    },
    RegistryFile.PARTNERS: {
        "partner_id": "p",
        "name": "P",
        "kind": "contracted",
        "status": "active",
        "school_official": "yes",
    },
    RegistryFile.CONTRACTS: {
        "contract_id": "c",
        "partner_id": "p",
        "program_id": "path",
        "school_ids": "a;b",
        "signed_on": "",
        "starts_on": "2026-09-01",
        "ends_on": "2027-06-30",
    },
}


@pytest.mark.parametrize(
    ("file", "column", "text", "what", "fix"),
    [
        (RegistryFile.AUTHORIZATIONS, "starts_on", "soon", "is not a date",
         "write it as YYYY-MM-DD, for example 2026-09-01"),
        (RegistryFile.AUTHORIZATIONS, "starts_on", "2026-02-30", "is a date that does not exist",
         "write a real day as YYYY-MM-DD"),
        (RegistryFile.AUTHORIZATIONS, "starts_on", "", "is empty",
         "fill it in; this column is required"),
        (RegistryFile.AUTHORIZATIONS, "issued_at", "soon", "is not an RFC 3339 instant",
         f"write date, time and zone, {INSTANT}"),
        (RegistryFile.AUTHORIZATIONS, "issued_at", "2026-08-01T12:00:00",
         "is an instant without a zone", f"add Z or an offset, {INSTANT}"),
        (RegistryFile.AUTHORIZATIONS, "issued_at", "2026-08-01T25:00:00Z",
         "is an instant that does not exist", f"write a real one, {INSTANT}"),
        (RegistryFile.CONTRACTS, "school_ids", "a;;b", "has an empty value between semicolons",
         "remove the extra semicolon"),
        (RegistryFile.PARTNERS, "school_official", "no", 'is neither "yes" nor empty',
         "write yes, or leave the cell empty"),
        (RegistryFile.PARTNERS, "status", "gone", "is not one of the allowed words",
         "write one of: active, paused"),
    ],
)  # fmt: skip
def test_every_mistake_in_a_cell_names_the_fix(
    file: RegistryFile, column: str, text: str, what: str, fix: str
) -> None:
    """Column, what is wrong and how to put it right; the cell is never quoted."""
    cells = GOOD[file]
    assert decode_row(file, cells)[1] == ()

    row, problems = decode_row(file, cells | {column: text})

    assert row is None
    assert [(p.column, p.what, p.fix) for p in problems] == [(column, what, fix)]
    with pytest.raises(CellError) as wrong:
        from_cells(file, cells | {column: text})
    assert str(wrong.value) == f"{file.filename}: {column} {what}"
    assert wrong.value.problems == problems
