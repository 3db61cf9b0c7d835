"""A registry in a Google spreadsheet reads as the same registry in CSV files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.registry import COLUMNS, Registry, RegistryFile
from meetbot.domain.spreadsheets import is_spreadsheet, spreadsheet_id
from meetbot.errors import BadInput
from meetbot.ports import SheetTab, SheetValue
from meetbot.registry import SheetSource, read_sheet
from meetbot.registry.sheet_source import to_table

DOMAINS = ("district.example",)
ID = "1AbC-dEf_0123456789"
SEPTEMBER = (date(2026, 9, 1) - date(1899, 12, 30)).days
JUNE = (date(2027, 6, 30) - date(1899, 12, 30)).days
Cells = Sequence[Sequence[SheetValue]]


@dataclass
class FakeSheets:
    """One spreadsheet, as Google would answer for it."""

    tabs: Mapping[str, Cells]
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def titles(self, spreadsheet: str) -> tuple[str, ...]:
        return tuple(self.tabs) if spreadsheet == ID else ()

    def read(self, spreadsheet: str, titles: Collection[str]) -> tuple[SheetTab, ...]:
        assert spreadsheet == ID
        self.asked.append(tuple(titles))
        return tuple(SheetTab(t, tuple(map(tuple, self.tabs[t]))) for t in titles)


def header(file: RegistryFile) -> list[SheetValue]:
    return [column.name for column in COLUMNS[file]]


def tabs(**rows: Cells) -> dict[str, Cells]:
    """All eight tabs; those named with rows below their header."""
    return {file.value: [header(file), *rows.get(file.value, ())] for file in RegistryFile}


SMALL = tabs(
    schools=[["s1", "Lincoln", "school", "/Staff/Lincoln", "head@district.example"]],
    partners=[["p1", "Northstar", "contracted", "active", True]],
    programs=[[17.0, "p1", 2026, "other", "active"]],
    contracts=[["c1", "p1", 17, "*", "", SEPTEMBER, "2027-06-30"]],
)


def read(given: Mapping[str, Cells]) -> Registry:
    reading = read_sheet(FakeSheets(given), ID, district_domains=DOMAINS)
    assert reading.registry is not None, reading.mistakes
    return reading.registry


def mistakes(given: Mapping[str, Cells]) -> list[str]:
    reading = read_sheet(FakeSheets(given), ID, district_domains=DOMAINS)
    assert reading.registry is None
    return [str(mistake.as_mistake()) for mistake in reading.mistakes]


# --- values -------------------------------------------------------------------------------------


def test_days_ticks_and_numbers_read_as_in_csv() -> None:
    """A real date or its text is the same day, a ticked box is yes, 17.0 is 17."""
    registry = read(SMALL)

    (contract,) = registry.contracts
    assert (contract.starts_on, contract.ends_on) == (date(2026, 9, 1), date(2027, 6, 30))
    assert contract.signed_on is None
    assert registry.partners[0].school_official
    assert (registry.programs[0].program_id, registry.programs[0].name) == ("17", "2026")


@pytest.mark.parametrize(
    "cell", [2026, 20260901, 46266.5, -1, 1e300, float("inf"), float("nan"), "1.9.2026", True]
)
def test_what_is_no_day_is_a_mistake(cell: SheetValue) -> None:
    """A year, a run of digits, a time of day or a local form is never taken for some day."""
    given = dict(SMALL)
    given["contracts"] = [
        header(RegistryFile.CONTRACTS),
        ["c1", "p1", "17", "*", "", cell, JUNE],
    ]

    (said,) = mistakes(given)
    assert said.startswith("tab contracts, row 2, column starts_on: is not a date")


def test_an_instant_needs_its_zone() -> None:
    """A date with a time of day has no zone in a spreadsheet: it must be written as text."""
    given = dict(SMALL)
    given["authorizations"] = [
        header(RegistryFile.AUTHORIZATIONS),
        ["a1", "p1", "17", "s1", "", SEPTEMBER, JUNE, "head@district.example", SEPTEMBER + 0.5],
        ["a2", "p1", "17", "s1", "", SEPTEMBER, JUNE, "head@district.example", "2026-08-01T09:00Z"],
        [
            *("a3", "p1", "17", "s1", "", SEPTEMBER, JUNE, "head@district.example"),
            "2026-08-01T09:00:00Z",
        ],
    ]

    first, second = mistakes(given)
    assert "row 2, column issued_at: is an instant without a zone" in first
    assert "row 3, column issued_at: is not an RFC 3339 instant" in second


def test_formula_errors_are_mistakes() -> None:
    """A failed formula is said with its place, also where any text would do."""
    given = dict(SMALL)
    given["programs"] = [header(RegistryFile.PROGRAMS), [17, "p1", "#REF!", "other", "Loading..."]]

    said = mistakes(given)
    assert [line.split(":")[0] for line in said if "spreadsheet error" in line] == [
        "tab programs, row 2, column name",
        "tab programs, row 2, column status",
    ]


def test_cells_left_out_at_the_end_are_empty_cells() -> None:
    """Google leaves empty ends out: a required one is said by its column, not by a width."""
    given = dict(SMALL)
    given["programs"] = [header(RegistryFile.PROGRAMS), [17, "p1"], [], ["", "", ""]]

    said = mistakes(given)
    assert {line.split(":")[0] for line in said} == {
        "tab programs, row 2, column name",
        "tab programs, row 2, column type",
        "tab programs, row 2, column status",
    }


# --- tabs ---------------------------------------------------------------------------------------


def test_tabs_are_found_with_and_without_csv() -> None:
    """`Schools`, ` schools.csv ` and other tabs besides; the titles are asked for as they are."""
    given: dict[str, Cells] = {"notes": [["anything"]], "It's a plan": [["1"]]}
    given |= {f" {name.title()}.csv ": rows for name, rows in SMALL.items()}
    sheets = FakeSheets(given)

    reading = read_sheet(sheets, ID, district_domains=DOMAINS)

    assert reading.registry == read(SMALL)
    assert sheets.asked == [tuple(f" {file.value.title()}.csv " for file in RegistryFile)]


def test_missing_and_doubled_tabs_are_mistakes() -> None:
    """Each with its fix; nothing is read of a tab that stands there twice."""
    given = dict(SMALL)
    del given["exemptions"]
    given["Partners.csv"] = given["partners"]

    doubled, missing = mistakes(given)
    assert missing.startswith("tab exemptions: is missing. Fix: add a tab exemptions; ")
    assert "kind, value, platform" in missing
    assert doubled == "tab partners: stands there twice. Fix: delete or rename one of the two"


def test_an_empty_tab_wants_its_header() -> None:
    """A tab without any cell is no empty registry file."""
    given = dict(SMALL) | {"exemptions": []}

    (said,) = mistakes(given)
    assert said.startswith("tab exemptions: is empty. Fix: write the header row: kind,value")


def test_a_source_raises_every_mistake() -> None:
    """For the schedule there is one answer: the registry, or all that is wrong with it."""
    assert SheetSource(FakeSheets(SMALL), ID, district_domains=DOMAINS).read() == read(SMALL)
    with pytest.raises(BadInput) as caught:
        SheetSource(FakeSheets({}), ID, district_domains=DOMAINS).read()
    assert len(caught.value.mistakes) == len(RegistryFile)


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(["#REF!", "\0", "\u202e", "a\r\nb", "x" * 50_000, SEPTEMBER, SEPTEMBER + 0.25]),
)


@given(
    st.sampled_from(list(RegistryFile)),
    st.lists(st.lists(CELLS, max_size=12), max_size=6),
    st.booleans(),
)
def test_no_cell_raises(file: RegistryFile, rows: list[list[SheetValue]], headed: bool) -> None:
    """Whatever stands in a tab, the answer is a registry or mistakes that do not quote it."""
    given = dict(SMALL) | {file.value: ([header(file)] if headed else []) + rows}

    reading = read_sheet(FakeSheets(given), ID, district_domains=DOMAINS)

    assert (reading.registry is None) == bool(reading.mistakes)
    for mistake in reading.mistakes:
        assert len(str(mistake.as_mistake())) < 600


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_day_comes_as_itself(day: date) -> None:
    """The serial number of a day reads as that day."""
    serial = (day - date(1899, 12, 30)).days
    file = RegistryFile.CERTIFICATIONS
    tab = SheetTab("certifications", (tuple(header(file)), ("p1", "", serial, float(serial))))

    table = to_table(file, ["certifications"], tab)

    assert table.rows[1] == (2, ("p1", "", day.isoformat(), day.isoformat()))


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        f"sheet:{ID}",
        f"sheet: {ID} ",
        f"sheet:https://docs.google.com/spreadsheets/d/{ID}/edit#gid=0",
        f"https://docs.google.com/spreadsheets/d/{ID}",
        f"https://docs.google.com/spreadsheets/u/1/d/{ID}/edit?usp=sharing",
    ],
)
def test_ids_are_found(source: str) -> None:
    """By the id alone, or in any form of the spreadsheet's address."""
    assert is_spreadsheet(source)
    assert spreadsheet_id(source) == ID


@pytest.mark.parametrize(
    "source",
    [
        "sheet:",
        "sheet:../etc",
        "sheet:a b",
        f"sheet:http://docs.google.com/spreadsheets/d/{ID}",
        f"https://docs.google.com.evil.example/spreadsheets/d/{ID}",
        f"https://user@docs.google.com/spreadsheets/d/{ID}",
        f"https://docs.google.com/document/d/{ID}/edit",
        "https://docs.google.com/spreadsheets/d/e/2PACX-1vR/pubhtml",
        "https://[docs.google.com/spreadsheets/d/x",
        f"http://docs.google.com/spreadsheets/d/{ID}",
    ],
)
def test_other_names_are_refused(source: str) -> None:
    """What names no spreadsheet is never cut down to something that might."""
    assert is_spreadsheet(source)
    assert spreadsheet_id(source) is None


@pytest.mark.parametrize("source", ["config/registry", "registry.xlsx", "/srv/sheet:1", ""])
def test_files_are_no_spreadsheets(source: str) -> None:
    """Folders and workbooks stay what they were."""
    assert not is_spreadsheet(source)


@given(st.text(max_size=80))
def test_no_name_raises(text: str) -> None:
    """Any text after `sheet:` gives an id or None."""
    found = spreadsheet_id("sheet:" + text)
    assert found is None or found in text
