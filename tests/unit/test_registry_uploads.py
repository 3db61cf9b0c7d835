"""Uploads: the same registry in three forms, and bytes that want to do harm."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from meetbot.domain.registry import COLUMNS, RegistryFile
from meetbot.domain.registry_checks import Reading, read_all
from meetbot.registry import read_upload
from tests.unit.test_registry_files import DOMAINS, GOOD, a_workbook, good

FILES = [(f"{name}.csv", text.encode()) for name, text in GOOD.items()]
PLAIN = [(name, data.replace(b"=cmd|' /C calc'!A0", b"Beta")) for name, data in FILES]


def read(files: list[tuple[str, bytes]]) -> Reading:
    return read_all(read_upload(files), district_domains=DOMAINS)


def a_zip(files: list[tuple[str, bytes]], folder: str = "") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(folder + name, data)
    return packed.getvalue()


def refused(*files: tuple[str, bytes]) -> str:
    """The first mistake; there is a fix for it."""
    reading = read(list(files))
    assert reading.registry is None
    assert all(mistake.fix for mistake in reading.mistakes)
    return f"{reading.mistakes[0].place}: {reading.mistakes[0].what}"


def replaced(name: str, data: bytes) -> list[tuple[str, bytes]]:
    return [(n, data if n == name else d) for n, d in PLAIN]


# --- the same registry --------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["files", "zip", "zip in a folder", "zip of a Mac"])
def test_csv_files_are_read_in_every_form(form: str) -> None:
    """One by one or packed, in a folder or not, whatever the case of their names."""
    expected = read(PLAIN).registry
    assert expected is not None
    assert len(expected.partners) == 2
    given_as = {
        "files": [(name.upper(), data) for name, data in PLAIN],
        "zip": [("registry.zip", a_zip(PLAIN))],
        "zip in a folder": [("R.ZIP", a_zip(PLAIN, "my registry/"))],
        "zip of a Mac": [
            ("r.zip", a_zip([*PLAIN, ("__MACOSX/._schools.csv", b"x"), (".DS_Store", b"x")]))
        ],
    }
    assert read(given_as[form]).registry == expected


def test_a_workbook_is_read(tmp_path: Path) -> None:
    """As the command reads it."""
    path = a_workbook(tmp_path / "r.xlsx")
    (tmp_path / "folder").mkdir()
    assert read([("Our registry.xlsx", path.read_bytes())]).registry == good(tmp_path / "folder")


# --- harm ---------------------------------------------------------------------------------------


def test_what_is_no_upload_is_said() -> None:
    """Nothing, another file, one file twice, one file missing."""
    assert refused() == "upload: holds no file"
    assert refused(("", b"")) == "upload: holds no file"
    assert refused(("kids.docx", b"x")) == 'file "kids.docx": is none of the eight'
    assert refused(("kid@district.example.csv", b"x")).startswith("file without a usable name")
    assert refused(*PLAIN, PLAIN[0]) == "schools.csv: is there twice"
    assert refused(*PLAIN[1:]) == "schools.csv: is missing"


def test_too_large_an_upload_is_not_looked_at() -> None:
    """50 MB in one file, or in many."""
    assert refused(("r.xlsx", b"\0" * 50_000_000)) == "upload: is larger than 10 MiB"
    assert refused(*((name, b"a" * 2_000_000) for name, _ in PLAIN)).endswith("than 10 MiB")


def test_a_zip_bomb_is_not_unpacked() -> None:
    """Neither one large file, nor many, nor one zip within another."""
    bomb = a_zip([("schools.csv", b"\0" * 60_000_000)])
    assert refused(("r.zip", bomb)) == "zip file: unpacks to more than 32 MiB"
    many = a_zip([(f"{n}.csv", b"") for n in range(65)])
    assert refused(("r.zip", many)) == "zip file: holds more than 64 files"
    nested = a_zip([("inner.zip", bomb)])
    assert refused(("r.zip", nested)) == 'file "inner.zip": is none of the eight'
    assert refused(("r.xlsx", a_zip([("xl/a.xml", b"\0" * 60_000_000)]))) == (
        "workbook: unpacks to more than 32 MiB"
    )


def test_a_zip_that_lies_about_its_sizes_is_refused() -> None:
    """No more is unpacked than it says."""
    packed = bytearray(a_zip([("schools.csv", b"a" * 1_000_000)]))
    stated = (1_000_000).to_bytes(4, "little")
    while (at := packed.find(stated)) >= 0:
        packed[at : at + 4] = (10).to_bytes(4, "little")
    assert refused(("r.zip", bytes(packed))).startswith("zip file: is no readable zip file")


def test_a_locked_or_broken_zip_is_refused() -> None:
    """With words of its own."""
    packed = bytearray(a_zip([("schools.csv", b"x")]))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        packed[packed.find(mark) + (6 if mark[3] == 4 else 8)] |= 1
    assert refused(("r.zip", bytes(packed))) == "zip file: is locked with a password"
    assert refused(("r.zip", b"PK")).startswith("zip file: is no readable zip file")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", " ="])
def test_a_formula_is_a_mistake_at_its_cell(sign: str) -> None:
    """A spreadsheet program would run it."""
    data = GOOD["partners"].encode().replace(b"=cmd", f"{sign}cmd".encode())
    assert refused(*replaced("partners.csv", data)) == (
        "partners.csv, row 3, column name: begins like a formula"
    )


def test_a_formula_of_a_workbook_is_a_mistake(tmp_path: Path) -> None:
    """Its result is not looked at either."""

    def change(book: Workbook) -> None:
        book["partners"]["B2"] = "=1+1"

    data = a_workbook(tmp_path / "r.xlsx", change).read_bytes()
    assert refused(("r.xlsx", data)) == "workbook, tab partners, row 2, column name: is a formula"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (GOOD["partners"].encode("utf-16"), "is written in UTF-16"),
        (GOOD["partners"].replace("Acme", "Açme").encode("latin-1"), "is not UTF-8"),
        (b"partner_id,name,kind,status\np," + b"a" * 1_000_000 + b",contracted,active\n", "cell"),
        (b"partner_id,name,kind,status\np," + b"a" * 50_000 + b",contracted,active\n", "32,767"),
        (b"a," * 1_000_000 + b"\n", "has more than 64 cells"),
        (b"partner_id,name,kind,status\n" + b"," * 1_000_000 + b"\n", "has more than 64 cells"),
        (b"\n" * 60_000, "has more than 50,000 lines"),
        (b"\r" * 60_000, "has more than 50,000 lines"),
        (b"", "is empty"),
    ],
)
def test_harmful_tables_are_refused(data: bytes, what: str) -> None:
    """A wrong encoding, a cell of a megabyte, a million columns or lines."""
    assert what in refused(*replaced("partners.csv", data))


def test_a_workbook_with_a_cell_far_away_is_refused_in_time() -> None:
    """One cell in the last column of the last row does not make a million rows of it."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for file in RegistryFile:
        sheet = book.create_sheet(file.value)
        sheet.append([column.name for column in COLUMNS[file]])
    book["schools"].cell(1_048_576, 16_384, "x")
    packed = io.BytesIO()
    book.save(packed)
    assert refused(("r.xlsx", packed.getvalue())) == (
        "workbook, tab schools: has more than 50,000 rows"
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["schools.csv", "partners.csv", "r.zip", "r.xlsx", "", "../a", "\0"])
            | st.text(max_size=20),
            st.binary(max_size=400),
        ),
        max_size=4,
    )
)
def test_no_upload_raises(files: list[tuple[str, bytes]]) -> None:
    """Whatever the names and bytes."""
    reading = read(files)
    assert reading.registry is None
    assert reading.mistakes
