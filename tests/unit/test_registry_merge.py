"""A registry that is part imported and part of the console is one registry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.registry import (
    COLUMNS,
    Registry,
    RegistryFile,
    Row,
    file_of,
    from_cells,
    row_key,
    to_cells,
)
from meetbot.domain.registry_changes import diff
from meetbot.domain.registry_checks import Reading, check_end, check_row, read_all, read_tables
from meetbot.domain.registry_history import KnownRow, Origin, merged, without_kept
from meetbot.domain.registry_tables import RegistryMistake, Table
from meetbot.registry import Source
from meetbot.registry.csv_source import parse_csv
from tests.builders import at
from tests.unit.test_registry_files import DOMAINS, GOOD

WHOLE = read_tables(
    [parse_csv(GOOD[file.value].encode(), file) for file in RegistryFile], district_domains=DOMAINS
).registry
assert WHOLE is not None
ROWS = list(WHOLE.all_rows())
INDEXES = st.sets(st.sampled_from(range(len(ROWS))))


def known(*rows: Row, origin: Origin = Origin.CONSOLE) -> tuple[KnownRow, ...]:
    return tuple(
        KnownRow(number, row, origin, at(0), by="k@district.example")
        for number, row in enumerate(rows, start=1)
    )


def tables(*rows: Row) -> list[Table]:
    """What files with these rows would be read as."""
    made = []
    for file in RegistryFile:
        names = tuple(column.name for column in COLUMNS[file])
        lines = [tuple(to_cells(row).values()) for row in rows if file_of(row) is file]
        made.append(Table(file, file.filename, tuple(enumerate([names, *lines], start=1))))
    return made


def read(imported: list[Row], kept: tuple[KnownRow, ...]) -> Reading:
    return read_tables(tables(*imported), district_domains=DOMAINS, kept=kept)


def keys(registry: Registry) -> list[tuple[RegistryFile, tuple[str, ...]]]:
    return sorted((file_of(row), row_key(row)) for row in registry.all_rows())


@given(INDEXES, INDEXES)
def test_however_rows_are_shared_out_they_are_one_registry(
    in_console: set[int], in_both: set[int]
) -> None:
    """Each row imported, of the console, or both: no mistake, and each is there once."""
    imported = [row for n, row in enumerate(ROWS) if n not in in_console or n in in_both]
    own = known(*(ROWS[n] for n in sorted(in_console)))
    reading = read(imported, own)

    assert reading.mistakes == ()
    assert reading.registry is not None
    assert keys(merged(reading.registry, own)) == keys(Registry.of_rows(ROWS))
    changes = diff(Registry(), reading.registry, own)
    assert changes.of_console == len(in_console)
    added = sum(len(part.added) for part in changes.files)
    assert added == len(ROWS) - len(in_console)
    assert len(list(without_kept(reading.registry, own).all_rows())) == added


@given(INDEXES, st.sampled_from(range(len(ROWS))))
def test_another_content_under_a_key_of_the_console_names_both(
    in_console: set[int], changed: int
) -> None:
    """Whichever row it is."""
    other = _changed(ROWS[changed])
    own = known(*(ROWS[n] for n in sorted(in_console | {changed})))
    imported = [other if n == changed else row for n, row in enumerate(ROWS)]

    reading = read(imported, own)
    assert reading.registry is None
    file = file_of(other)
    assert any(
        m.file == file.filename and m.row and "added in the console on 2026-10-13" in m.what
        for m in reading.mistakes
    ), reading.mistakes


def _changed(row: Row) -> Row:
    """The same key, another content."""
    column, text = {
        RegistryFile.SCHOOLS: ("name", "Other"),
        RegistryFile.PARTNERS: ("name", "Other"),
        RegistryFile.PROGRAMS: ("name", "Other"),
        RegistryFile.IDENTITIES: ("person_name", "Other"),
        RegistryFile.CONTRACTS: ("ends_on", "2028-01-01"),
        RegistryFile.CERTIFICATIONS: ("expires_on", "2028-01-01"),
        RegistryFile.AUTHORIZATIONS: ("ends_on", "2028-01-01"),
        RegistryFile.EXEMPTIONS: ("reason", "Other"),
    }[file_of(row)]
    return from_cells(file_of(row), to_cells(row) | {column: text})


@given(st.sampled_from(range(len(ROWS))))
def test_a_row_that_was_ended_in_the_console_does_not_come_back(ended: int) -> None:
    """Word for word it is a mistake; corrected it is a new row."""
    (row,) = known(ROWS[ended])
    gone = replace(row, known_to=at(9), ended_by="k@district.example")

    (mistake,) = read(ROWS, (gone,)).mistakes
    assert mistake.what == "is the row ended in the console on 2026-10-13"
    corrected = [_changed(one) if n == ended else one for n, one in enumerate(ROWS)]
    assert read(corrected, (gone,)).mistakes == ()


@given(INDEXES)
def test_every_row_fits_the_others_and_none_fits_twice(taken: set[int]) -> None:
    """A row that is missing from a good registry may be added; one that is there may not."""
    for number, row in enumerate(ROWS):
        others = known(*(one for n, one in enumerate(ROWS) if n != number))
        cells = to_cells(row)
        fits, mistakes = check_row(file_of(row), cells, others, district_domains=DOMAINS)
        assert (fits, mistakes) == (row, ())
        if number in taken:
            again = (*others, *known(row))
            assert check_row(file_of(row), cells, again, district_domains=DOMAINS)[0] is None


@given(st.sampled_from(RegistryFile), st.dictionaries(st.text(), st.text()), st.text())
def test_no_cells_raise(file: RegistryFile, cells: dict[str, str], text: str) -> None:
    """Whatever a form sends there is a row or a mistake, each with a fix."""
    for given_cells in (cells, {column.name: text for column in COLUMNS[file]}):
        row, mistakes = check_row(file, given_cells, known(*ROWS), district_domains=DOMAINS)
        assert (row is None) is bool(mistakes)
        assert all(m.what and m.fix and m.row == 0 for m in mistakes)


def test_a_row_on_which_others_rest_cannot_end() -> None:
    """The last one of a chain can."""
    rows = known(*ROWS, origin=Origin.IMPORT)
    for row in rows:
        rests = file_of(row.row) in (RegistryFile.SCHOOLS, RegistryFile.PARTNERS)
        mistakes = check_end(row, rows, district_domains=DOMAINS)
        if rests:
            assert mistakes
            assert all("imported on 2026-10-13" in m.place for m in mistakes)
        if file_of(row.row) in (RegistryFile.CONTRACTS, RegistryFile.EXEMPTIONS):
            assert not mistakes


SCHOOL = WHOLE.schools[0]


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (SCHOOL, "schools lin (added in the console on 2026-10-13)"),
        (ROWS[-1], "exemptions confidential-clinical (added in the console on 2026-10-13)"),
        (replace(SCHOOL, school_id="kid@x.example"), "schools (added in the console on 2026-"),
        (replace(SCHOOL, school_id="a\u202e\n" + "b" * 99), f"schools a{'b' * 39} (added"),
    ],
)
def test_a_row_of_the_console_is_named_without_an_address(row: Row, place: str) -> None:
    """By its id, cut and printable, and the day it came."""
    assert known(row)[0].place.startswith(place)


def test_a_source_that_has_no_tables_says_why() -> None:
    """And the rows of the console are not called wrong for it."""
    problem = RegistryMistake("workbook", 0, "", "is damaged", "save it again")
    reading = read_all(Source(problem=problem), district_domains=DOMAINS, kept=known(*ROWS))
    assert reading == Reading(None, (problem,))
