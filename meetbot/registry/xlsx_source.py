"""Workbooks (.xlsx) to tables of texts; tabs are named as the CSV files are."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import load_workbook

from meetbot.domain.registry import COLUMNS, RegistryFile
from meetbot.domain.registry_checks import Source
from meetbot.domain.registry_tables import RegistryMistake, Table, trim_end

_LARGEST_UNPACKED = 256 * 1024 * 1024
"""Bytes; a registry of a million cells stays far below, a zip bomb does not."""
_WIDEST = 64
"""Columns that are looked at: a row with one cell far to the right has as many as it may have."""
_MOST_ROWS = 1_048_576
"""Of one tab, as Excel has them; the number that a file gives a row need not be true."""


def read_workbook(
    source: Path | BinaryIO,
    name: str,
    *,
    largest: int = _LARGEST_UNPACKED,
    most_rows: int = _MOST_ROWS,
) -> Source:
    """All eight tables of a workbook, or why it cannot be opened.

    `largest`: bytes to which it may unpack; `most_rows` of one tab.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > largest:
            what = f"unpacks to more than {largest // 1024**2} MiB"
            return _unreadable(name, what, "delete what is not registry")
        with warnings.catch_warnings():
            # openpyxl warns of drop-down lists and colors it leaves out; they hold no data.
            warnings.simplefilter("ignore")
            return Source(tuple(_tables(source, name, most_rows)))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return _unreadable(name, f"cannot be read ({reason})", "check the path and its rights")
    except Exception as error:  # openpyxl lets through whatever a damaged file provokes
        what = f"is no readable .xlsx workbook ({type(error).__name__})"
        return _unreadable(name, what, "open it in a spreadsheet program and save it as .xlsx")


def _unreadable(name: str, what: str, fix: str) -> Source:
    return Source(problem=RegistryMistake(name, 0, "", what, fix))


def _tables(source: Path | BinaryIO, name: str, most_rows: int) -> list[Table]:
    workbook = load_workbook(source, read_only=True, data_only=False, keep_links=False)
    try:
        tabs = {_tab_name(sheet.title): sheet for sheet in workbook.worksheets}
        return [_table(name, file, tabs.get(file.value), most_rows) for file in RegistryFile]
    finally:
        workbook.close()


def _tab_name(title: str) -> str:
    return title.strip().lower().removesuffix(".csv")


def _table(name: str, file: RegistryFile, sheet: Any, most_rows: int) -> Table:
    label = f"{name}, tab {file.value}"
    if sheet is None:
        header = ", ".join(column.name for column in COLUMNS[file])
        fix = f"add a tab {file.value}; with no rows yet, only the header: {header}"
        return Table(file, label, mistakes=(RegistryMistake(label, 0, "", "is missing", fix),))
    sheet.reset_dimensions()  # the size a file claims for a tab need not be true
    rows: list[tuple[int, tuple[str, ...]]] = []
    mistakes: list[RegistryMistake] = []
    for number, cells in enumerate(sheet.iter_rows(max_col=_WIDEST), start=1):
        if number > most_rows:
            what = f"has more than {most_rows:,} rows"
            mistakes.append(RegistryMistake(label, 0, "", what, "import it by command"))
            break
        rows.append((number, tuple(trim_end(map(_text, cells)))))
        mistakes.extend(_cell_mistakes(label, number, cells, rows[0][1]))
    while rows and not rows[-1][1]:
        rows.pop()
    return Table(file, label, tuple(rows), tuple(mistakes))


def _cell_mistakes(
    label: str, number: int, cells: Iterable[Any], names: tuple[str, ...]
) -> Iterator[RegistryMistake]:
    for at, cell in enumerate(cells):
        kind = getattr(cell, "data_type", "n")
        if kind == "f":
            what, fix = "is a formula", "copy it and paste it back as a value"
        elif kind == "e":
            what, fix = "is a spreadsheet error", "correct it, or clear the cell"
        else:
            continue
        name = names[at] if at < len(names) else cell.column_letter
        yield RegistryMistake(label, number, name, what, fix)


def _text(cell: Any) -> str:
    """A cell as it would stand in the CSV file."""
    value = cell.value
    if value is None or getattr(cell, "data_type", "n") in ("f", "e"):
        return ""
    if isinstance(value, datetime):
        is_day = value.time() == time.min
        return value.date().isoformat() if is_day else value.isoformat(timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
