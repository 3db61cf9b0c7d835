"""Every mistake in a registry by its place, its words and its fix; and what is just right."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from meetbot.domain.registry import RegistryFile, Row, from_cells
from meetbot.domain.registry_checks import (
    Reading,
    Source,
    check_end,
    check_row,
    read_all,
    read_tables,
)
from meetbot.domain.registry_history import KnownRow, Origin
from meetbot.domain.registry_tables import LONGEST_CELL, RegistryMistake, Table
from tests.builders import at
from tests.unit.test_registry_files import DOMAINS, GOOD

ONE_ADDRESS = "write one address, such as name@example.org, without name or brackets"
NO_ADDRESS = "is not an e-mail address"
FREE_MAIL = "is a free-mail host, where anybody can open an account"
SWAP = "swap or correct the two"
ONE_ID = "write one id, without ; and not *"
ADD_PARTNER = "add the partner there, or correct the id"
ADD_PROGRAM = "add the program there, or correct the id"
ADD_SCHOOL = "add the school there, or correct the id"
DISTRICT = (
    "is outside the district's domains",
    "use the district account, or add its domain to district.domains",
)
OWN_KEY = "keep one row, or give this one an id or a first day of its own"
OTHER_KEY = "write the same here, end that row in the console, or give this one a key of its own"
OVERLAP = "let it begin after that one ends, or make one row of both"
PARTNERS_HEADER = "write the header row: partner_id,name,kind,status,school_official"
PARTNERS_COLUMNS = (
    "delete it or correct its name; known are: kind, name, partner_id, school_official, status"
)
CAME = "the row added in the console on 2026-10-13"


def table(file: str, text: str) -> Table:
    """A file of this text."""
    lines = [tuple(cells) for cells in csv.reader(io.StringIO(text, newline=""))]
    return Table(RegistryFile(file), f"{file}.csv", tuple(enumerate(lines, start=1)))


def tables(**texts: str) -> list[Table]:
    """All files, some with another text."""
    return [table(file, text) for file, text in (GOOD | texts).items()]


def found(texts: Mapping[str, str], kept: Sequence[KnownRow] = ()) -> list[RegistryMistake]:
    """The mistakes of all files together."""
    return list(read_tables(tables(**texts), district_domains=DOMAINS, kept=kept).mistakes)


def added(file: str, *rows: str) -> dict[str, str]:
    """A good file with more rows."""
    return {file: GOOD[file] + "".join(f"{row}\n" for row in rows)}


def next_row(file: str) -> int:
    """The number of the first row that is added."""
    return len(table(file, GOOD[file]).rows) + 1


def as_row(file: str, text: str) -> Row:
    """One row of a file."""
    header, cells = (
        cells for _, cells in table(file, GOOD[file].split("\n")[0] + "\n" + text).rows
    )
    return from_cells(RegistryFile(file), dict(zip(header, cells, strict=True)))


def known(*rows: Row) -> tuple[KnownRow, ...]:
    """Rows added in the console."""
    return tuple(KnownRow(n, row, Origin.CONSOLE, at(0)) for n, row in enumerate(rows, start=1))


WHOLE = read_tables(tables(), district_domains=DOMAINS).registry
assert WHOLE is not None
ROWS = list(WHOLE.all_rows())
SCHOOLS = WHOLE.schools
PROGRAM = WHOLE.programs[0]


@pytest.mark.parametrize(
    ("file", "row", "column", "what", "fix"),
    [
        (
            "schools",
            "oak,Oak,school,/X;/X,pat@district.example,",
            "unit_paths",
            "names something twice",
            "delete one of the two",
        ),
        (
            "schools",
            "oak,Oak,school,/X,,",
            "principals",
            "is empty",
            "name who may authorize; a department may name leads instead",
        ),
        (
            "schools",
            "oak,Oak,school,X,pat@district.example,",
            "unit_paths",
            "has a path that does not begin with /",
            "write whole paths such as /Staff/Lincoln",
        ),
        (
            "schools",
            "oak,Oak,school,/X,pat@district.example,lee",
            "leads",
            "holds something that is not an e-mail address",
            "write addresses such as name@example.org with ; between them",
        ),
        ("schools", "oak,Oak,school,/X,pat@x.example,", "principals", *DISTRICT),
        (
            "schools",
            "a;b,Oak,school,/X,pat@district.example,",
            "school_id",
            "is no single id",
            ONE_ID,
        ),
        ("partners", "*,Cee,lease,active,", "partner_id", "is no single id", ONE_ID),
        ("programs", "a;b,acme,Art,other,active", "program_id", "is no single id", ONE_ID),
        (
            "contracts",
            "a;b,acme,tut,*,,2027-07-01,2028-06-30",
            "contract_id",
            "is no single id",
            ONE_ID,
        ),
        (
            "partners",
            'cee,"x\0y",lease,active,',
            "name",
            "holds a NUL character",
            "delete the cell and type it again",
        ),
        (
            "partners",
            f"cee,{'x' * (LONGEST_CELL + 1)},lease,active,",
            "name",
            "holds more than 32,767 characters",
            "shorten it",
        ),
        (
            "partners",
            "cee,Cee,lease,active,yes,more",
            "",
            "has 6 cells, the header has 5",
            "add or remove commas; a cell with a comma goes in quotation marks",
        ),
        (
            "partners",
            "acme,Other,lease,active,",
            "partner_id",
            "repeats what row 2 is about",
            OWN_KEY,
        ),
        (
            "partners",
            "acme,Acme College,contracted,active,yes",
            "",
            "is the same as row 2",
            "delete one of the two",
        ),
        (
            "programs",
            "art,cee,Art,other,active",
            "partner_id",
            "is not in partners.csv",
            ADD_PARTNER,
        ),
        ("identities", "acme,address,gus,", "value", NO_ADDRESS, ONE_ADDRESS),
        (
            "identities",
            "acme,domain,@x.example,",
            "value",
            "is not a mail domain",
            "write the part after @, such as partner.example, or kind address",
        ),
        (
            "identities",
            "acme,domain,gmail.com,",
            "value",
            FREE_MAIL,
            "register the person's full address with kind address instead",
        ),
        (
            "identities",
            "acme,domain,district.example,",
            "value",
            "is a domain of the district itself",
            "register the partner's own domain, or single addresses",
        ),
        (
            "identities",
            "beta,domain,partner.example,",
            "value",
            "belongs to another partner already (row 2)",
            "keep it with one of the two partners",
        ),
        (
            "identities",
            "acme,address,GUS@gmail.com,Other",
            "value",
            "is registered already (row 3)",
            "delete one",
        ),
        (
            "contracts",
            "c3,acme,tut,*,,2028-07-01,2028-06-30",
            "ends_on",
            "is before starts_on",
            SWAP,
        ),
        (
            "contracts",
            "c3,acme,tut,lin;*,,2027-07-01,2028-06-30",
            "school_ids",
            "mixes * with ids",
            "write * alone for all schools, or only the ids",
        ),
        (
            "contracts",
            "c3,acme,tut,lin;lin,,2027-07-01,2028-06-30",
            "school_ids",
            "names a school twice",
            "delete one of the two",
        ),
        (
            "contracts",
            "c3,acme,none,*,,2027-07-01,2028-06-30",
            "program_id",
            "is not in programs.csv",
            ADD_PROGRAM,
        ),
        (
            "contracts",
            "c3,acme,clin,*,,2027-07-01,2028-06-30",
            "program_id",
            "belongs to another partner in programs.csv",
            "correct the program_id or the partner_id",
        ),
        (
            "contracts",
            "c3,acme,tut,oak,,2027-07-01,2028-06-30",
            "school_ids",
            "names a school that is not in schools.csv",
            ADD_SCHOOL,
        ),
        (
            "certifications",
            "acme,gus,2027-07-01,2028-06-30",
            "person_address",
            NO_ADDRESS,
            ONE_ADDRESS,
        ),
        (
            "certifications",
            "acme,,2028-07-01,2028-06-30",
            "expires_on",
            "is before certified_on",
            SWAP,
        ),
        (
            "authorizations",
            "a;b,acme,tut,lin,,2026-09-01,2026-12-31,pat@district.example,2026-08-20T15:00:00Z,",
            "authorization_id",
            "is no single id",
            ONE_ID,
        ),
        (
            "authorizations",
            "a2,acme,tut,lin,,2027-01-01,2026-12-31,pat@district.example,2026-08-20T15:00:00Z,",
            "ends_on",
            "is before starts_on",
            SWAP,
        ),
        (
            "authorizations",
            "a2,acme,tut,lin,,2026-09-01,2026-12-31,pat@district.example,2026-08-20T15:00:00Z,"
            "2026-08-20T14:59:59Z",
            "revoked_at",
            "is before issued_at",
            SWAP,
        ),
        (
            "authorizations",
            "a2,acme,tut,lin,ann,2026-09-01,2026-12-31,pat@district.example,2026-08-20T15:00:00Z,",
            "host_address",
            NO_ADDRESS,
            ONE_ADDRESS,
        ),
        (
            "authorizations",
            "a2,acme,tut,lin,,2026-09-01,2026-12-31,pat,2026-08-20T15:00:00Z,",
            "authorizer_address",
            NO_ADDRESS,
            ONE_ADDRESS,
        ),
        (
            "exemptions",
            "guardian,dad@x.example,,,r,o,2027-01-02,2027-01-01",
            "ends_on",
            "is before starts_on",
            SWAP,
        ),
        (
            "exemptions",
            "platform-exception,tut,,,r,o,2026-01-01,2026-12-31",
            "platform",
            "is empty in a platform-exception",
            "name the platform the program may use",
        ),
        (
            "exemptions",
            "adult-business,gmail.com,,,r,o,2027-01-01,2027-12-31",
            "value",
            FREE_MAIL,
            "exempt the person's full address instead",
        ),
        (
            "exemptions",
            "guardian,mum,,,r,o,2027-01-01,2027-12-31",
            "value",
            "is neither an address nor a domain",
            "write an address such as name@example.org, or a domain",
        ),
        (
            "exemptions",
            "monitored-tutoring,none,,,r,o,2026-01-01,2026-12-31",
            "value",
            "is not a program of programs.csv",
            "write the program_id, as in programs.csv",
        ),
        (
            "exemptions",
            "guardian,mum@mail.example,,,r,o,2027-06-30,2027-12-31",
            "starts_on",
            "overlaps row 2, which exempts the same",
            OVERLAP,
        ),
        (
            "exemptions",
            "guardian,mum@mail.example,,,other,o,2026-09-01,2027-06-30",
            "kind",
            "repeats what row 2 is about",
            OWN_KEY,
        ),
    ],
)
def test_a_bad_row_is_told_with_its_place_what_is_wrong_and_the_fix(
    file: str, row: str, column: str, what: str, fix: str
) -> None:
    """One mistake and no other, word for word."""
    expected = RegistryMistake(f"{file}.csv", next_row(file), column, what, fix)
    assert found(added(file, row)) == [expected]


@pytest.mark.parametrize(
    ("file", "row"),
    [
        ("schools", "oak,Oak,school,/X,pat@district.example"),
        ("partners", f"cee,{'x' * LONGEST_CELL},lease,active,"),
        ("contracts", "c3,acme,tut,*,,2027-07-01,2027-07-01"),
        ("certifications", "acme,,2027-07-01,2027-07-01"),
        (
            "authorizations",
            "a2,acme,tut,lin,,2026-09-01,2026-09-01,pat@district.example,2026-08-20T15:00:00Z,"
            "2026-08-20T15:00:00Z",
        ),
        ("exemptions", "guardian,dad@x.example,,,r,o,2027-01-01,2027-01-01"),
        ("exemptions", "guardian,mum@mail.example,,,r,o,2027-07-01,2027-12-31"),
        ("exemptions", "adult-business,firm.example,,,r,o,2027-01-01,2027-12-31"),
    ],
)
def test_what_is_just_right_is_no_mistake(file: str, row: str) -> None:
    """One day, revoked as issued, the longest cell, the day after, no last optional cell."""
    assert found(added(file, row)) == []


@pytest.mark.parametrize(
    ("header", "mistakes"),
    [
        *(
            (
                f"partner_id{mark}name",
                [
                    (
                        "",
                        "has other separators than commas",
                        "save it with commas between the columns",
                    )
                ],
            )
            for mark in ";\t"
        ),
        (
            "partner_id,name,kind,status,a;b",
            [("", 'has an unknown column "a;b"', PARTNERS_COLUMNS)],
        ),
        ("partner_id,name,kind,status,status", [("status", "stands there twice", "delete one")]),
        (
            "X",
            [
                ("", 'has an unknown column "X"', PARTNERS_COLUMNS),
                *(
                    (column, "is missing", PARTNERS_HEADER)
                    for column in ("kind", "name", "partner_id", "status")
                ),
            ],
        ),
    ],
)
def test_a_bad_header_is_told_with_what_to_write(
    header: str, mistakes: list[tuple[str, str, str]]
) -> None:
    """Each mistake of a header with its column; the references to the file are let alone."""
    expected = [RegistryMistake("partners.csv", 1, *mistake) for mistake in mistakes]
    assert found({"partners": f"{header}\n"}) == expected


def test_rows_after_a_broken_one_are_looked_at_too() -> None:
    """A row that cannot be read, or is there twice, hides no clash further down."""
    rows = ("acme,fax,x.example,", "acme,domain,Partner.example,", "beta,address,gus@gmail.com,")
    broken, *others = found(added("identities", *rows))
    assert (broken.row, broken.column) == (5, "kind")
    assert [(m.row, m.column, m.what) for m in others] == [
        (6, "", "is the same as row 2"),
        (7, "value", "belongs to another partner already (row 3)"),
    ]


def test_the_id_of_a_row_that_is_too_wide_is_not_called_missing() -> None:
    """A file of which a row could not be read leaves no reference dangling."""
    partners = GOOD["partners"].replace("active,yes", "active,yes,more")
    assert [(m.file, m.row) for m in found({"partners": partners})] == [("partners.csv", 2)]


def test_an_overlap_names_the_first_of_two_that_end_on_one_day() -> None:
    """Of three rows, the later two both overlap the first."""
    start = "interpreter,i@x.example,,,r,o"
    rows = (f"{start},2027-01-01,2027-01-10", f"{start},2027-01-05,2027-01-10")
    whats = [m.what for m in found(added("exemptions", *rows, f"{start},2027-01-08,2027-02-01"))]
    assert whats == ["overlaps row 5, which exempts the same"] * 2


def test_a_file_that_is_not_given_has_no_rows() -> None:
    """A source may be some tables only, and what it does not hold is not missed."""
    reading = read_tables([table("schools", GOOD["schools"])], district_domains=DOMAINS)
    assert reading.registry is not None
    assert reading.registry.schools == SCHOOLS
    assert read_tables([], district_domains=DOMAINS).mistakes == ()


@pytest.mark.parametrize(
    ("file", "row", "number", "column"),
    [
        ("partners", "acme,Other,lease,active,", 2, "partner_id"),
        ("exemptions", "guardian,mum@mail.example,,,other,o,2026-09-01,2027-06-30", 2, "kind"),
    ],
)
def test_a_source_that_contradicts_the_console_is_told_how_to_agree(
    file: str, row: str, number: int, column: str
) -> None:
    """The row of the source is named, and the console's by the day it came."""
    own = known(as_row(file, row))
    reading = read_all(Source(tuple(tables())), district_domains=DOMAINS, kept=own)
    mistake = RegistryMistake(f"{file}.csv", number, column, f"contradicts {CAME}", OTHER_KEY)
    assert reading == Reading(None, (mistake,))


def test_a_row_ended_in_the_console_is_refused_with_the_fix() -> None:
    """A source that still has it says where, and how to bring it back."""
    (gone,) = (replace(one, known_to=at(9)) for one in known(SCHOOLS[0]))
    what, fix = (
        "is the row ended in the console on 2026-10-13",
        ("delete it here, or add it in the console again"),
    )
    assert found({}, (gone,)) == [RegistryMistake("schools.csv", 2, "", what, fix)]


def test_mistakes_in_rows_of_the_console_come_after_those_of_the_source() -> None:
    """A program of the console whose partner is gone is named by its id, without a row."""
    own = known(as_row("programs", "art,cee,Art,other,active"))
    first, last = found(added("certifications", "acme,gus,2027-07-01,2028-06-30"), own)
    assert first.file == "certifications.csv"
    place = "programs art (added in the console on 2026-10-13)"
    assert last == RegistryMistake(place, 0, "partner_id", "is not in partners.csv", ADD_PARTNER)


def test_a_row_that_is_there_already_is_not_added_again() -> None:
    """It is one mistake, of the file as a whole, and nothing is to be done."""
    cells = {"program_id": "tut", "partner_id": "acme", "name": "Tutoring"}
    cells |= {"type": "college-access", "status": "active"}
    told = check_row(RegistryFile.PROGRAMS, cells, known(*ROWS), district_domains=DOMAINS)
    what = f"is in the registry already: {CAME}"
    assert told == (None, (RegistryMistake("programs", 0, "", what, "nothing is to be done"),))


def test_a_new_row_may_lack_optional_cells() -> None:
    """What a form does not send is empty."""
    cells = {"school_id": "oak", "name": "Oak", "kind": "school", "unit_paths": "/X"}
    cells |= {"principals": "pat@district.example"}
    row, told = check_row(RegistryFile.SCHOOLS, cells, known(*ROWS), district_domains=DOMAINS)
    assert (row, told) == (as_row("schools", ",".join(cells.values()) + ","), ())


def test_a_new_row_that_contradicts_one_is_told_without_a_row_number() -> None:
    """An exemption of the same people from the same day with another reason."""
    cells = {"kind": "guardian", "value": "mum@mail.example", "reason": "other", "owner": "o"}
    cells |= {"starts_on": "2026-09-01", "ends_on": "2027-06-30"}
    told = check_row(RegistryFile.EXEMPTIONS, cells, known(*ROWS), district_domains=DOMAINS)
    mistake = RegistryMistake("exemptions", 0, "kind", f"contradicts {CAME}", OTHER_KEY)
    assert told == (None, (mistake,))


def test_the_end_of_a_row_names_the_rows_that_rest_on_it() -> None:
    """Each by its id, the column that refers to it, and the fix."""
    rows = known(*ROWS)
    (program,) = (one for one in rows if one.row == PROGRAM)
    place = "contracts c1 (added in the console on 2026-10-13)"
    mistake = RegistryMistake(place, 0, "program_id", "is not in programs.csv", ADD_PROGRAM)
    assert mistake in check_end(program, rows, district_domains=DOMAINS)
