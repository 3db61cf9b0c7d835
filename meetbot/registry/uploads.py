"""What somebody uploaded, as tables of texts: CSV files, a zip of them, or a workbook.

Bytes from a browser may be anything. Nothing here raises, nothing is written to a disk, and what is
unpacked or looked at has a limit.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace

from meetbot.domain.registry import RegistryFile
from meetbot.domain.registry_checks import Source
from meetbot.domain.registry_tables import RegistryMistake, Table, shown
from meetbot.registry.csv_source import missing_table, parse_csv

LARGEST_UPLOAD = 10 * 1024 * 1024
"""Bytes of all files together."""
_LARGEST_UNPACKED = 32 * 1024 * 1024
_MOST_ROWS = 50_000
_MOST_CELLS = 64
"""Of one row; the widest file has ten columns."""
_MOST_ENTRIES = 64
"""Of one zip."""
_FORMULA_SIGNS = ("=", "+", "-", "@")
_NAMES = {file.filename: file for file in RegistryFile}
_WANTED = "upload the eight CSV files, a zip of them, or an .xlsx with those names as tabs"

_Files = Sequence[tuple[str, bytes]]


def read_upload(files: _Files) -> Source:
    """The tables of an upload, or why it has none."""
    given = [(name, data) for name, data in files if name or data]
    if not given:
        return _problem("upload", "holds no file", _WANTED)
    if sum(len(data) for _, data in given) > LARGEST_UPLOAD:
        what = f"is larger than {LARGEST_UPLOAD // 1024**2} MiB"
        return _problem("upload", what, "import it by command: meetbot registry import")
    name, data = given[0]
    if len(given) == 1 and name.lower().endswith(".xlsx"):
        # openpyxl takes 20 MiB, and most uploads are none.
        from meetbot.registry.xlsx_source import read_workbook

        stream = io.BytesIO(data)
        return read_workbook(stream, "workbook", largest=_LARGEST_UNPACKED, most_rows=_MOST_ROWS)
    if len(given) == 1 and name.lower().endswith(".zip"):
        unpacked = _unpacked(data)
        return unpacked if isinstance(unpacked, Source) else _csv_files(unpacked)
    return _csv_files(given)


def _problem(place: str, what: str, fix: str) -> Source:
    return Source(problem=RegistryMistake(place, 0, "", what, fix))


# --- zip ----------------------------------------------------------------------------------------


def _unpacked(data: bytes) -> _Files | Source:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if _is_file(entry)]
            if problem := _zip_problem(entries):
                return problem
            # A stated size is a limit too: no more bytes than that are unpacked.
            return [(_base(entry.filename), archive.read(entry)) for entry in entries]
    except Exception as error:  # zipfile lets through whatever a damaged file provokes
        what = f"is no readable zip file ({type(error).__name__})"
        return _problem("zip file", what, "pack the CSV files again, or upload them one by one")


def _is_file(entry: zipfile.ZipInfo) -> bool:
    """Not a folder, and none of the notes that some systems put beside the files."""
    is_note = entry.filename.startswith("__MACOSX/") or _base(entry.filename).startswith(".")
    return not (entry.is_dir() or is_note)


def _base(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _zip_problem(entries: Sequence[zipfile.ZipInfo]) -> Source | None:
    if len(entries) > _MOST_ENTRIES:
        return _problem("zip file", f"holds more than {_MOST_ENTRIES} files", _WANTED)
    if any(entry.flag_bits & 1 for entry in entries):
        return _problem("zip file", "is locked with a password", "pack it without one")
    if sum(entry.file_size for entry in entries) > _LARGEST_UNPACKED:
        what = f"unpacks to more than {_LARGEST_UNPACKED // 1024**2} MiB"
        return _problem("zip file", what, "leave out what is not registry")
    return None


# --- CSV ----------------------------------------------------------------------------------------


def _csv_files(files: _Files) -> Source:
    found: dict[RegistryFile, bytes] = {}
    for name, data in files:
        file = _NAMES.get(_base(name).strip().lower())
        if file is None:
            names = ", ".join(_NAMES)
            return _problem(
                f"file {shown(_base(name))}", "is none of the eight", f"name it: {names}"
            )
        if file in found:
            return _problem(file.filename, "is there twice", "leave one of the two out")
        found[file] = data
    lines = sum(max(data.count(b"\n"), data.count(b"\r")) for data in found.values())
    if lines > _MOST_ROWS:
        what, fix = f"has more than {_MOST_ROWS:,} lines", "import it by command"
        return _problem("upload", what, fix)
    return Source(tuple(_table(file, found.get(file)) for file in RegistryFile))


def _table(file: RegistryFile, data: bytes | None) -> Table:
    return missing_table(file) if data is None else _limited(parse_csv(data, file))


def _limited(table: Table) -> Table:
    """Without rows that are far too wide, and with a word about formulas."""
    rows = tuple((number, cells) for number, cells in table.rows if len(cells) <= _MOST_CELLS)
    fix = "keep the columns of the registry only"
    mistakes = [
        table.mistake(f"has more than {_MOST_CELLS} cells", fix, row=number)
        for number, cells in table.rows
        if len(cells) > _MOST_CELLS
    ]
    names = rows[0][1] if rows else ()
    mistakes += _formulas(table, rows, names)
    return replace(table, rows=rows, mistakes=(*table.mistakes, *mistakes))


def _formulas(
    table: Table, rows: Sequence[tuple[int, tuple[str, ...]]], names: Sequence[str]
) -> Iterator[RegistryMistake]:
    """A cell that a spreadsheet program would run is hardly ever meant."""
    for number, cells in rows:
        for at, cell in enumerate(cells):
            if cell.lstrip().startswith(_FORMULA_SIGNS):
                column = names[at].strip() if at < len(names) and number > 1 else ""
                what, fix = "begins like a formula", "delete the sign that it begins with"
                yield table.mistake(what, fix, row=number, column=column)
