"""CSV files to tables of texts."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from meetbot.domain.registry import COLUMNS, RegistryFile
from meetbot.domain.registry_tables import LONGEST_CELL, RegistryMistake, Table

_SAVE_AS = 'save it as "CSV UTF-8 (comma delimited)"'
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def read_folder(folder: Path) -> list[Table]:
    """All eight tables of a folder; what is wrong with a file is in its table."""
    return [read_csv(folder / file.filename, file) for file in RegistryFile]


def read_csv(path: Path, file: RegistryFile) -> Table:
    """One CSV file as a table."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return missing_table(file)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return _unreadable(file, f"cannot be read ({reason})", "check what it is and its rights")
    return parse_csv(data, file)


def missing_table(file: RegistryFile) -> Table:
    """The table of a file that is not there."""
    header = ",".join(column.name for column in COLUMNS[file])
    return _unreadable(file, "is missing", f"create it; with no rows yet, only: {header}")


def parse_csv(data: bytes, file: RegistryFile) -> Table:
    """The bytes of one CSV file as a table; UTF-8 with or without byte-order mark."""
    for mark, name in _WIDE_MARKS:
        if data.startswith(mark):
            return _unreadable(file, f"is written in {name}, not in UTF-8", _SAVE_AS)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        what = "is not UTF-8; it looks like Windows-1252 or Latin-1"
        return _unreadable(file, what, _SAVE_AS, row=row)
    if text and text.count("\0") * 3 > len(text):
        return _unreadable(file, "is written in UTF-16, not in UTF-8", _SAVE_AS)
    return _parse_text(text, file)


def _unreadable(file: RegistryFile, what: str, fix: str, *, row: int = 0) -> Table:
    mistake = RegistryMistake(file.filename, row, "", what, fix)
    return Table(file, file.filename, mistakes=(mistake,))


def _parse_text(text: str, file: RegistryFile) -> Table:
    rows: list[tuple[int, tuple[str, ...]]] = []
    mistakes: list[RegistryMistake] = []
    for number, cells in _records(text):
        if isinstance(cells, csv.Error):
            mistakes.append(RegistryMistake(file.filename, number, "", *_explain(cells)))
        else:
            rows.append((number, tuple(cells)))
    return Table(file, file.filename, tuple(rows), tuple(mistakes))


def _records(text: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Records with their numbers, as a spreadsheet numbers rows; a bad one as its error."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, error


def _explain(error: csv.Error) -> tuple[str, str]:
    if "field limit" in str(error):
        return (
            f"has a cell of more than {LONGEST_CELL:,} characters",
            "shorten it, or close the quotation mark it begins with",
        )
    return (
        "has a quotation mark in the wrong place",
        'enclose the cell in quotation marks and write each one inside it twice ("")',
    )
