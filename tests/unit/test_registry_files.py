"""The registry's files: reading with every mistake named, writing back, and differences."""

import codecs
import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from meetbot.domain.registry import (
    COLUMNS,
    Exemption,
    Partner,
    Registry,
    RegistryFile,
    from_cells,
    row_key,
)
from meetbot.domain.registry_tables import shown
from meetbot.errors import Permanent
from meetbot.registry import (
    Reading,
    RegistryMistake,
    diff,
    read_source,
    read_tables,
    write_folder,
    write_templates,
)
from meetbot.registry.csv_source import parse_csv

DOMAINS = ["district.example", "students.district.example"]
GOOD = {
    "schools": """school_id,name,kind,unit_paths,principals,leads
lin,Lincoln,school,/Staff/Lincoln;/Students/Lincoln,pat@district.example,
dep,"Art, Music",department,/Staff/Art,pat@district.example,lee@district.example;k@district.example
""",
    "partners": """partner_id,name,kind,status,school_official
acme,Acme College,contracted,active,yes
beta,=cmd|' /C calc'!A0,community,paused,
""",
    "programs": """program_id,partner_id,name,type,status
tut,acme,Tutoring,college-access,active
clin,beta,Clinic,mental-health,active
""",
    "identities": """partner_id,kind,value,person_name
acme,domain,Partner.example,
acme,address,gus@gmail.com,Gus T.
beta,address,gus@beta.example,
""",
    "contracts": """contract_id,partner_id,program_id,school_ids,signed_on,starts_on,ends_on
c1,acme,tut,*,2026-06-01,2026-07-01,2027-06-30
c2,beta,clin,lin;dep,,2026-07-01,2027-06-30
""",
    "certifications": """partner_id,person_address,certified_on,expires_on
acme,,2026-07-01,2027-06-30
acme,gus@gmail.com,2026-07-01,2027-06-30
""",
    "authorizations": (
        "authorization_id,partner_id,program_id,school_id,host_address,starts_on,ends_on,"
        "authorizer_address,issued_at,revoked_at\n"
        "a1,acme,tut,lin,ann@district.example,2026-09-01,2026-12-31,pat@district.example,"
        "2026-08-20T15:00:00Z,\n"
    ),
    "exemptions": """kind,value,platform,consent_on_file,reason,owner,starts_on,ends_on
guardian,mum@mail.example,,,parent evening,Ms. Lee,2026-09-01,2027-06-30
platform-exception,clin,zoom,,"speech
therapy",Ms. Lee,2026-09-01,2027-06-30
confidential-clinical,clin,,yes,counseling,Ms. Lee,2026-09-01,9999-12-31
""",
}


def write(folder: Path, **files: str) -> Path:
    for name, text in (GOOD | files).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    return folder


def read(source: Path) -> Reading:
    return read_source(source, district_domains=DOMAINS)


def good(folder: Path) -> Registry:
    registry = read(write(folder)).registry
    assert registry is not None
    return registry


def mistakes(folder: Path, **files: str) -> list[tuple[str, int, str]]:
    """Places of all mistakes after replacing some files."""
    reading = read(write(folder, **files))
    assert reading.registry is None
    assert all(m.what and m.fix and m.place for m in reading.mistakes)
    return [(m.file, m.row, m.column) for m in reading.mistakes]


def with_row(file: str, row: str) -> dict[str, str]:
    return {file: GOOD[file] + row + "\n"}


def without_row(file: str, start: str) -> dict[str, str]:
    lines = GOOD[file].splitlines(keepends=True)
    return {file: "".join(line for line in lines if not line.startswith(start))}


# --- Reading what is right ----------------------------------------------------------------------


def test_a_good_folder_is_read_in_full(tmp_path: Path) -> None:
    """Every row of the eight files is in the registry, cells kept as they were written."""
    registry = good(tmp_path)

    assert [len(registry.rows(file)) for file in RegistryFile] == [2, 2, 2, 3, 2, 2, 1, 3]
    assert registry.schools[1].leads == ("lee@district.example", "k@district.example")
    assert registry.identities[0].value == "Partner.example"
    assert registry.partners[1].name == "=cmd|' /C calc'!A0"
    assert registry.exemptions[1].reason == "speech\ntherapy"
    assert registry.contracts[1].signed_on is None


def test_writing_gives_the_same_files_back(tmp_path: Path) -> None:
    """What was read is written back byte for byte, formula-like cells and line breaks too."""
    registry = good(tmp_path)

    paths = write_folder(registry, tmp_path / "out")

    assert [path.name for path in paths] == [file.filename for file in RegistryFile]
    assert {path.stem: path.read_text(encoding="utf-8") for path in paths} == GOOD
    assert read(tmp_path / "out").registry == registry


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    """The forms Excel writes give the same registry."""
    registry = good(tmp_path)
    for name, text in GOOD.items():
        data = codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode()
        (tmp_path / f"{name}.csv").write_bytes(data)

    other = read(tmp_path).registry

    assert other is not None
    changed = [c for part in diff(registry, other).files for c in part.changed]
    assert [columns for change in changed for columns in change.columns] == [
        ("reason", "speech\ntherapy", "speech\r\ntherapy")
    ]


def test_optional_columns_and_blank_rows_may_be_left_out(tmp_path: Path) -> None:
    """Optional columns may be absent; blank rows, padding and empty last cells mean nothing."""
    files = {
        "schools": "name,school_id,kind,unit_paths,principals,,\n\n"
        " Lincoln , lin ,school, /A ; /B ,pat@district.example\n,,,,\n",
        "contracts": without_row("contracts", "c2")["contracts"],
    }
    reading = read(write(tmp_path, **files))

    assert reading.mistakes == ()
    assert reading.registry is not None
    assert reading.registry.schools[0].school_id == "lin"
    assert reading.registry.schools[0].unit_paths == ("/A", "/B")


def test_templates_hold_the_header_rows_and_are_never_overwritten(tmp_path: Path) -> None:
    """`init` writes the header of each missing file; together they are an empty registry."""
    (tmp_path / "schools.csv").write_text(GOOD["schools"], encoding="utf-8")

    written = write_templates(tmp_path)

    assert len(written) == 7
    assert (tmp_path / "schools.csv").read_text(encoding="utf-8") == GOOD["schools"]
    assert (tmp_path / "identities.csv").read_text() == "partner_id,kind,value,person_name\n"
    assert read(tmp_path).mistakes == ()
    assert write_templates(tmp_path) == ()


def test_an_unwritable_folder_is_said(tmp_path: Path) -> None:
    """Writing where that is impossible is a permanent failure with its fix."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(Permanent, match="cannot be written") as caught:
        write_folder(Registry(), tmp_path / "file")

    assert caught.value.fix


# --- Mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "row", "number", "column"),
    [
        ("schools", "lin,Again,school,/X,pat@district.example,", 4, "school_id"),
        ("schools", "oak,Oak,academy,/X,pat@district.example,", 4, "kind"),
        ("schools", "oak,Oak,school,Staff/Oak,pat@district.example,", 4, "unit_paths"),
        ("schools", "oak,Oak,school,/X,Pat Lee,", 4, "principals"),
        ("schools", "oak,Oak,school,/X,pat@elsewhere.example,", 4, "principals"),
        ("schools", "oak,Oak,school,/X,,", 4, "principals"),
        ("schools", "oak,Oak,school,/X,,lead@district.example", 4, "principals"),
        ("schools", "oak,Oak,department,/X,,", 4, "principals"),
        ("schools", "oak,Oak,school,/X,pat@district.example,k@x.example", 4, "leads"),
        ("schools", "oak,Oak,school,/X;/X,pat@district.example,", 4, "unit_paths"),
        ("partners", "acme,Other,lease,active,", 4, "partner_id"),
        ("partners", "cee,Cee,lease,active,no", 4, "school_official"),
        ("partners", "cee,,lease,active,", 4, "name"),
        ("partners", "a;b,Cee,lease,active,", 4, "partner_id"),
        ("partners", 'cee,"x\0y",lease,active,', 4, "name"),
        ("partners", f"cee,{'x' * 40_000},lease,active,", 4, "name"),
        ("programs", "art,nobody,Art,other,active", 4, "partner_id"),
        ("identities", "acme,domain,gmail.com,", 5, "value"),
        ("identities", "acme,domain,Outlook.com,", 5, "value"),
        ("identities", "acme,domain,@partner2.example,", 5, "value"),
        ("identities", "acme,domain,students.district.example,", 5, "value"),
        ("identities", "acme,address,Gus <gus@x.example>,", 5, "value"),
        ("identities", "beta,domain,partner.EXAMPLE,", 5, "value"),
        ("identities", "beta,address,g.us+x@gmail.com,", 5, "value"),
        ("identities", "acme,address,GUS@gmail.com,Somebody", 5, "value"),
        ("identities", "nobody,domain,nobody.example,", 5, "partner_id"),
        ("contracts", "c1,acme,tut,*,,2027-07-01,2028-06-30", 4, "contract_id"),
        ("contracts", "c3,acme,clin,*,,2027-07-01,2028-06-30", 4, "program_id"),
        ("contracts", "c3,acme,none,*,,2027-07-01,2028-06-30", 4, "program_id"),
        ("contracts", "c3,acme,tut,lin;oak,,2027-07-01,2028-06-30", 4, "school_ids"),
        ("contracts", "c3,acme,tut,lin;*,,2027-07-01,2028-06-30", 4, "school_ids"),
        ("contracts", "c3,acme,tut,lin;lin,,2027-07-01,2028-06-30", 4, "school_ids"),
        ("contracts", "c3,acme,tut,*,,2028-07-01,2028-06-30", 4, "ends_on"),
        ("contracts", "c3,acme,tut,*,2026-02-30,2027-07-01,2028-06-30", 4, "signed_on"),
        ("contracts", "c3,acme,tut,*,,7/1/2027,2028-06-30", 4, "starts_on"),
        ("certifications", "acme,gus,2027-07-01,2028-06-30", 4, "person_address"),
        ("certifications", "acme,,2028-07-01,2028-06-30", 4, "expires_on"),
        ("exemptions", "guardian,mum@mail.example,,,r,o,2027-01-01,2027-12-31", 5, "starts_on"),
        ("exemptions", "guardian,mum,,,r,o,2027-01-01,2027-12-31", 5, "value"),
        ("exemptions", "adult-business,gmail.com,,,r,o,2027-01-01,2027-12-31", 5, "value"),
        ("exemptions", "platform-exception,none,zoom,,r,o,2026-01-01,2026-08-31", 5, "value"),
        ("exemptions", "platform-exception,tut,,,r,o,2026-01-01,2026-12-31", 5, "platform"),
        ("exemptions", "platform-exception,tut,zom,,r,o,2026-01-01,2026-12-31", 5, "platform"),
        ("exemptions", "confidential-clinical,none,,,r,o,2026-01-01,2026-12-31", 5, "value"),
        ("exemptions", "interpreter,i@x.example,,,,o,2026-12-31,2027-01-01", 5, "reason"),
        ("exemptions", "interpreter,i@x.example,,,r,o,2027-12-31,2027-01-01", 5, "ends_on"),
    ],
)
def test_one_bad_row_is_one_mistake(
    tmp_path: Path, file: str, row: str, number: int, column: str
) -> None:
    """Each mistake is told with file, row and column, and nothing else is complained of.

    A cell with a line break belongs to one row, as in a spreadsheet.
    """
    assert mistakes(tmp_path, **with_row(file, row)) == [(f"{file}.csv", number, column)]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"school_id": "oak"}, "school_id"),
        ({"program_id": "clin"}, "program_id"),
        ({"partner_id": "beta"}, "program_id"),
        ({"host_address": "ann@elsewhere.example"}, "host_address"),
        ({"host_address": "ann"}, "host_address"),
        ({"authorizer_address": "pat@gmail.com"}, "authorizer_address"),
        ({"authorizer_address": "pat"}, "authorizer_address"),
        ({"starts_on": "2027-01-01"}, "ends_on"),
        ({"issued_at": "2026-08-20T15:00:00"}, "issued_at"),
        ({"revoked_at": "2026-08-20T14:00:00Z"}, "revoked_at"),
    ],
)
def test_one_bad_authorization_is_one_mistake(
    tmp_path: Path, changes: dict[str, str], column: str
) -> None:
    """Authorizations are checked for references, district addresses, dates and zones."""
    header, row = GOOD["authorizations"].splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True)) | changes

    found = mistakes(tmp_path, authorizations=f"{header}\n{','.join(cells.values())}\n")

    assert found == [("authorizations.csv", 2, column)]


def test_whole_rows_twice_are_said_once(tmp_path: Path) -> None:
    """A row that stands there twice is one mistake that names the first."""
    reading = read(write(tmp_path, **with_row("identities", "acme,domain,Partner.example,")))

    (mistake,) = reading.mistakes
    assert (mistake.row, mistake.what) == (5, "is the same as row 2")


def test_every_mistake_is_told_at_once_in_order(tmp_path: Path) -> None:
    """Several mistakes in several files and rows are all told, in the order of the files."""
    files = (
        with_row("contracts", "c1,acme,none,oak,soon,2026-07-01,2026-06-30")
        | with_row("schools", "oak,,castle,X,pat,")
        | with_row("identities", "nobody,domain,gmail.com,")
    )

    assert mistakes(tmp_path, **files) == [
        ("schools.csv", 4, "kind"),
        ("schools.csv", 4, "name"),
        ("identities.csv", 5, "partner_id"),
        ("identities.csv", 5, "value"),
        ("contracts.csv", 4, "signed_on"),
    ]


def test_what_is_missing_is_not_called_dangling(tmp_path: Path) -> None:
    """A missing or broken file is one mistake, not one more for each row that refers to it."""
    write(tmp_path)
    (tmp_path / "partners.csv").unlink()

    (mistake,) = read(tmp_path).mistakes

    assert (mistake.place, mistake.what) == ("partners.csv", "is missing")
    assert "partner_id,name,kind,status,school_official" in mistake.fix


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("partner_id;name;kind;status", "has other separators than commas"),
        ("partner_id,name,kind,status,note", 'has an unknown column "note"'),
        ("partner_id,name,kind,status,mum@x.example", "without a usable name"),
        ("partner_id,name,kind,status,status", "stands there twice"),
        ("partner_id,name,kind", "is missing"),
        ("Partner_ID,name,kind,status", 'has an unknown column "Partner_ID"'),
    ],
)
def test_wrong_columns_are_named(tmp_path: Path, header: str, what: str) -> None:
    """Unknown, missing and repeated columns are mistakes of the header row."""
    reading = read(write(tmp_path, partners=header + "\nacme,A,lease,active\n"))

    assert {(m.file, m.row) for m in reading.mistakes} == {("partners.csv", 1)}
    assert what in reading.mistakes[0].what or what in reading.mistakes[-1].what


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (GOOD["partners"].encode("utf-16"), "is written in UTF-16, not in UTF-8"),
        (GOOD["partners"].encode("utf-16-be"), "is written in UTF-16, not in UTF-8"),
        (GOOD["partners"].encode("utf-32"), "is written in UTF-32, not in UTF-8"),
        (
            GOOD["partners"].replace("Acme", "Acm\u00e9").encode("latin-1"),
            "is not UTF-8; it looks like Windows-1252 or Latin-1",
        ),
        (b"", "is empty"),
    ],
)
def test_wrong_encodings_are_named(tmp_path: Path, data: bytes, what: str) -> None:
    """The encoding found is said, with how to save the file instead."""
    write(tmp_path)
    (tmp_path / "partners.csv").write_bytes(data)

    (mistake,) = read(tmp_path).mistakes

    assert (mistake.file, mistake.what) == ("partners.csv", what)
    assert mistake.row == (2 if "Latin" in what else 0)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("cee,Cee,lease", "has 3 cells, the header has 5"),
        ("cee,Cee, Inc.,lease,active,", "has 6 cells, the header has 5"),
        ('cee,"Cee,lease,active,', "has a quotation mark in the wrong place"),
        ('cee,"Cee" Inc,lease,active,', "has a quotation mark in the wrong place"),
        (f'cee,"{"x" * 200_000}",lease,active,', "has a cell of more than 32,767 characters"),
    ],
)
def test_ragged_and_badly_quoted_rows_are_named(tmp_path: Path, row: str, what: str) -> None:
    """A row that cannot be cut into its cells is told by its number."""
    (mistake,) = read(write(tmp_path, **with_row("partners", row))).mistakes

    assert (mistake.file, mistake.row, mistake.what) == ("partners.csv", 4, what)


def test_mistakes_never_quote_cells(tmp_path: Path) -> None:
    """No cell of a bad row stands in a message: it may be a guardian's."""
    secret = "zzsecret"
    row = ",".join([f"{secret}@x@y"] * 8)
    reading = read(write(tmp_path, **with_row("exemptions", row)))

    assert reading.mistakes
    assert secret not in "".join(f"{m.place}{m.what}{m.fix}" for m in reading.mistakes)


def test_a_source_that_is_nothing_is_said(tmp_path: Path) -> None:
    """A path that does not exist, and a file that is no workbook, are mistakes with a fix."""
    (tmp_path / "notes.txt").write_text("x")

    assert read(tmp_path / "nowhere").mistakes[0].what == "does not exist"
    assert "neither a folder" in read(tmp_path / "notes.txt").mistakes[0].what
    assert read(tmp_path / "nowhere.xlsx").mistakes[0].as_mistake().place == "nowhere.xlsx"


def test_an_unreadable_file_is_a_mistake_of_its_own(tmp_path: Path) -> None:
    """A folder where a file should be is said; the other files are checked all the same."""
    write(tmp_path, **with_row("contracts", "c3,acme,tut,*,,soon,2028-06-30"))
    (tmp_path / "partners.csv").unlink()
    (tmp_path / "partners.csv").mkdir()

    first, second = read(tmp_path).mistakes

    assert first.what.startswith("cannot be read")
    assert second.place == "contracts.csv, row 4, column starts_on"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(RegistryFile), st.binary() | st.text().map(str.encode))
def test_no_bytes_raise(file: RegistryFile, data: bytes) -> None:
    """Whatever a file holds, reading gives rows or mistakes, with a header or without."""
    header = ",".join(column.name for column in COLUMNS[file]).encode()
    for content in (data, header + b"\n" + data):
        tables = [
            parse_csv(content if name is file else GOOD[name].encode(), name)
            for name in RegistryFile
        ]
        reading = read_tables(tables, district_domains=DOMAINS)
        assert (reading.registry is None) is bool(reading.mistakes)


# --- Workbooks ----------------------------------------------------------------------------------


MIDNIGHT = datetime.fromisoformat("2027-07-01T00:00:00")
"""As a spreadsheet keeps it: without a zone."""


def a_workbook(path: Path, change: Callable[[Workbook], None] = lambda _: None) -> Path:
    """The good registry as a workbook, one tab a file."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, text in GOOD.items():
        sheet = book.create_sheet(name)
        for row in csv.reader(io.StringIO(text, newline="")):
            sheet.append(row)
            for cell in sheet[sheet.max_row]:
                if cell.data_type == "f":
                    cell.data_type = "s"
    change(book)
    book.save(path)
    return path


def test_a_workbook_gives_the_same_registry(tmp_path: Path) -> None:
    """Tabs named as the files hold the same rows; text that looks like a formula stays text."""
    assert read(a_workbook(tmp_path / "r.xlsx")).registry == good(tmp_path)


def test_dates_and_numbers_of_a_workbook_become_texts(tmp_path: Path) -> None:
    """Real dates, date-times at midnight and whole numbers read as they would stand in CSV."""

    def change(book: Workbook) -> None:
        book["contracts"].append(
            [3, "acme", "tut", "*", date(2026, 6, 1), MIDNIGHT, date(2028, 6, 30)]
        )
        book["contracts"].append([4.0, "acme", "tut", "*", None, "2027-07-01", "2028-06-30"])
        book["contracts"].append([None, " "])
        book.create_sheet("Notes").append(["anything"])
        book["schools"].title = " Schools.CSV "

    registry = read(a_workbook(tmp_path / "r.xlsx", change)).registry

    assert registry is not None
    three, four = registry.contracts[2:]
    assert (three.contract_id, three.signed_on) == ("3", date(2026, 6, 1))
    assert (three.starts_on, three.ends_on) == (date(2027, 7, 1), date(2028, 6, 30))
    assert four.contract_id == "4"


def test_formulas_errors_and_zoneless_times_of_a_workbook_are_mistakes(tmp_path: Path) -> None:
    """Formulas and error cells are told by column; a date-time cell has no zone."""

    def change(book: Workbook) -> None:
        book["partners"]["A2"] = "=B2"
        book["programs"]["C2"] = "#N/A"
        book["authorizations"]["I2"] = MIDNIGHT + timedelta(hours=15)
        book["contracts"]["J9"] = "=1"

    reading = read(a_workbook(tmp_path / "r.xlsx", change))

    assert [(m.file, m.row, m.column, m.what) for m in reading.mistakes] == [
        ("r.xlsx, tab partners", 2, "partner_id", "is a formula"),
        ("r.xlsx, tab programs", 2, "name", "is a spreadsheet error"),
        ("r.xlsx, tab contracts", 9, "J", "is a formula"),
        ("r.xlsx, tab authorizations", 2, "issued_at", "is an instant without a zone"),
    ]


def test_a_missing_tab_is_a_mistake(tmp_path: Path) -> None:
    """A workbook needs all eight tabs."""

    def change(book: Workbook) -> None:
        book.remove(book["exemptions"])

    (mistake,) = read(a_workbook(tmp_path / "r.xlsx", change)).mistakes

    assert (mistake.file, mistake.what) == ("r.xlsx, tab exemptions", "is missing")


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_a_damaged_workbook_is_a_mistake(tmp_path: Path, data: bytes) -> None:
    """What is no workbook is said, not raised."""
    path = tmp_path / "r.xlsx"
    path.write_bytes(data)

    (mistake,) = read(path).mistakes

    assert "no readable .xlsx workbook" in mistake.what


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A workbook that unpacks to far more than any registry is refused unread."""
    path = tmp_path / "r.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/workbook.xml", "w") as entry,
    ):
        for _ in range(260):
            entry.write(b"\0" * 1024 * 1024)

    (mistake,) = read(path).mistakes

    assert mistake.what == "unpacks to more than 256 MiB"


@pytest.fixture(scope="module")
def the_workbook(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One and the same for all examples: a workbook holds the time at which it was made."""
    return a_workbook(tmp_path_factory.mktemp("book") / "r.xlsx").read_bytes()


@settings(max_examples=40)
@given(st.data())
def test_a_workbook_with_changed_bytes_never_raises(
    tmp_path_factory: pytest.TempPathFactory, the_workbook: bytes, data: st.DataObject
) -> None:
    """Bytes changed anywhere in a workbook give a registry or mistakes."""
    path = tmp_path_factory.mktemp("book") / "r.xlsx"
    content = bytearray(the_workbook)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)

    reading = read(path)

    assert (reading.registry is None) is bool(reading.mistakes)


# --- Differences --------------------------------------------------------------------------------


def partners(count: int, **changes: str) -> Registry:
    usual = {"name": "N", "kind": "lease", "status": "active"}
    rows = [
        from_cells(RegistryFile.PARTNERS, {"partner_id": f"p{n}", **usual, **changes})
        for n in range(count)
    ]
    return Registry.of_rows(rows)


def part(old: Registry, new: Registry, file: RegistryFile = RegistryFile.PARTNERS) -> Any:
    return next(part for part in diff(old, new).files if part.file is file)


def test_differences_name_rows_and_columns() -> None:
    """Added, removed and changed rows are told, the last with old and new texts."""
    old, new = partners(2), partners(3, status="paused")
    found = part(old, Registry.of_rows(new.partners[1:]))

    assert [row.partner_id for row in found.added] == ["p2"]
    assert [row.partner_id for row in found.removed] == ["p0"]
    assert [(row_key(c.after), c.columns) for c in found.changed] == [
        (("p1",), (("status", "active", "paused"),))
    ]
    assert found.share_removed == 0.5


def test_the_same_registry_in_another_order_is_no_difference(tmp_path: Path) -> None:
    """The order of rows does not matter."""
    registry = good(tmp_path)
    other = replace(registry, partners=registry.partners[::-1])

    assert diff(registry, other).is_empty
    assert not diff(registry, partners(1)).is_empty


@pytest.mark.parametrize(("known", "left", "asks"), [(10, 9, False), (10, 8, True), (0, 0, False)])
def test_more_than_a_tenth_vanishing_needs_confirmation(known: int, left: int, asks: bool) -> None:
    """Exactly 10 % of a file's rows may vanish without a word, more may not."""
    found = diff(partners(known), partners(left))

    assert found.needs_confirmation is asks
    assert [part.file for part in found.vanishing] == ([RegistryFile.PARTNERS] if asks else [])


def test_mistakes_and_rows_have_their_types() -> None:
    """The package's names are what the commands import."""
    mistake = RegistryMistake("partners.csv", 2, "name", "is empty", "fill it in")

    assert str(mistake.as_mistake()) == (
        "partners.csv, row 2, column name: is empty. Fix: fill it in"
    )
    assert {type(row) for row in partners(1).all_rows()} == {Partner}
    assert Exemption not in {type(row) for row in partners(1).all_rows()}


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Partner", '"Partner"'),
        ("a" * 40, f'"{"a" * 40}"'),
        ("a" * 41, f'"{"a" * 40}"'),
        ("\0\t\u200bname\n", '"name"'),
        ("gus@gmail.com", "without a usable name"),
        ("", "without a usable name"),
        ("\n", "without a usable name"),
    ],
)
def test_a_header_is_told_short_and_never_as_an_address(header: str, told: str) -> None:
    """At most forty characters that can be printed."""
    assert shown(header) == told
