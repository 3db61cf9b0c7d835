"""Google spreadsheets to tables of texts; tabs are named as the CSV files are.

Cells come unformatted: text as it was typed, days and instants as serial numbers. What a number
means is told by its column, so that a day reads `YYYY-MM-DD` whatever the cell's format.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from meetbot.domain.registry import COLUMNS, Column, RegistryFile
from meetbot.domain.registry_checks import Reading, Source, read_all
from meetbot.domain.registry_tables import RegistryMistake, Table, trim_end
from meetbot.ports import SheetsPort, SheetTab, SheetValue

_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days have no zone
_DAYS = (36_526.0, 73_051.0)
"""Serial numbers of 2000-01-01 and 2100-01-01: outside, a number was meant as a number."""
_ERRORS = frozenset(
    {
        "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#ERROR!", "Loading...",
    }
)  # fmt: skip
"""What a cell shows whose formula failed, or was still being worked out."""


class SheetSource:
    """`ports.RegistrySource`: one spreadsheet, read anew each time."""

    def __init__(self, sheets: SheetsPort, spreadsheet: str) -> None:
        self._sheets = sheets
        self._spreadsheet = spreadsheet

    def read(self) -> Source:
        """The tables of the spreadsheet."""
        return sheet_source(self._sheets, self._spreadsheet)


def read_sheet(
    sheets: SheetsPort, spreadsheet: str, *, district_domains: Collection[str]
) -> Reading:
    """Read and validate a spreadsheet. Mistakes are returned, what is in the way is raised."""
    return read_all(sheet_source(sheets, spreadsheet), district_domains=district_domains)


def sheet_source(sheets: SheetsPort, spreadsheet: str) -> Source:
    """The tables of a spreadsheet, not validated yet."""
    named: dict[str, list[str]] = {}
    for title in sheets.titles(spreadsheet):
        named.setdefault(_tab_name(title), []).append(title)
    wanted = {file: named.get(file.value, []) for file in RegistryFile}
    read = sheets.read(spreadsheet, [titles[0] for titles in wanted.values() if len(titles) == 1])
    tabs = {_tab_name(tab.title): tab for tab in read}
    return Source(
        tuple(to_table(file, titles, tabs.get(file.value)) for file, titles in wanted.items())
    )


def _tab_name(title: str) -> str:
    return title.strip().lower().removesuffix(".csv")


def to_table(file: RegistryFile, titles: Sequence[str], tab: SheetTab | None) -> Table:
    """One tab as texts; `titles` are all tabs of that name, of which there must be one."""
    label = f"tab {file.value}"
    if tab is None:
        header = ", ".join(column.name for column in COLUMNS[file])
        missing = "is missing", f"add a tab {file.value}; with no rows yet, only: {header}"
        twice = "stands there twice", "delete or rename one of the two"
        what, fix = twice if titles else missing
        return Table(file, label, mistakes=(RegistryMistake(label, 0, "", what, fix),))
    names = _header(tab)
    columns = {column.name: column for column in COLUMNS[file]}
    rows: list[tuple[int, tuple[str, ...]]] = []
    mistakes: list[RegistryMistake] = []
    for number, cells in enumerate(tab.rows, start=1):
        if number == 1:
            rows.append((1, names))
            continue
        texts = [
            _text(cell, columns.get(names[at]) if at < len(names) else None)
            for at, cell in enumerate(cells)
        ]
        # Google leaves empty cells at the end of a row out, also those of required columns.
        texts += [""] * (len(names) - len(texts))
        rows.append((number, tuple(texts[: len(names)] + trim_end(texts[len(names) :]))))
        mistakes.extend(_cell_mistakes(label, number, cells, names))
    return Table(file, label, tuple(rows), tuple(mistakes))


def _header(tab: SheetTab) -> tuple[str, ...]:
    return tuple(trim_end(_text(cell, None) for cell in tab.rows[0])) if tab.rows else ()


def _cell_mistakes(
    label: str, number: int, cells: Sequence[SheetValue], names: tuple[str, ...]
) -> Iterator[RegistryMistake]:
    for at, cell in enumerate(cells):
        if cell in _ERRORS and isinstance(cell, str):
            name = names[at] if at < len(names) else f"number {at + 1}"
            what, fix = "is a spreadsheet error", "correct the formula, or clear the cell"
            yield RegistryMistake(label, number, name, what, fix)


def _text(cell: SheetValue, column: Column | None) -> str:
    """A cell as it would stand in the CSV file."""
    form = column.form if column else "text"
    if cell is None or (isinstance(cell, str) and cell in _ERRORS):
        return ""
    if isinstance(cell, bool):
        return _truth(cell, form)
    if isinstance(cell, str):
        return cell
    if form in ("date", "instant") and _DAYS[0] <= cell < _DAYS[1]:
        return _moment(cell)
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _truth(cell: bool, form: str) -> str:
    """A ticked box means yes, an empty one is an empty cell."""
    if form == "yes":
        return "yes" if cell else ""
    return "TRUE" if cell else "FALSE"


def _moment(serial: float) -> str:
    """A day, or day and time without a zone, which the validation then asks for."""
    at = _ZERO + timedelta(seconds=round(serial * 86_400))
    return at.date().isoformat() if float(serial).is_integer() else at.isoformat()
