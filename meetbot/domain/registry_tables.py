"""Tables of texts, whatever they were read from, and mistakes found in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meetbot.domain.registry import RegistryFile
from meetbot.errors import Mistake

LONGEST_CELL = 32_767
"""Characters an Excel cell can hold; more in a CSV file is an unclosed quotation mark or worse."""


@dataclass(frozen=True, slots=True, order=True)
class RegistryMistake:
    """One mistake: the file or tab, its row (header = 1), the column, what is wrong and the fix.

    `row` 0 and `column` "" mean the file as a whole. Cells are never quoted, because they may hold
    a guardian's address; row and column say where to look.
    """

    file: str
    row: int
    column: str
    what: str
    fix: str

    @property
    def place(self) -> str:
        """Where it is, for people."""
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}{row}{column}"

    def as_mistake(self) -> Mistake:
        """The mistake as the error tree knows it."""
        return Mistake(self.place, self.what, self.fix)


@dataclass(frozen=True, slots=True)
class Table:
    """One file as texts: `rows` with their numbers in the file, the header row among them.

    `mistakes` are those of reading; `rows` then holds what could still be read.
    """

    file: RegistryFile
    label: str
    rows: tuple[tuple[int, tuple[str, ...]], ...] = ()
    mistakes: tuple[RegistryMistake, ...] = ()

    def mistake(self, what: str, fix: str, *, row: int = 0, column: str = "") -> RegistryMistake:
        """A mistake in this table."""
        return RegistryMistake(self.label, row, column, what, fix)


def trim_end(cells: Iterable[str]) -> list[str]:
    """Without empty cells at the end, which spreadsheet programs like to add."""
    kept = list(cells)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def shown(text: str) -> str:
    """A header name for a message: short, printable, and never an address."""
    plain = "".join(char for char in text if char.isprintable())[:40]
    return f'"{plain}"' if plain and "@" not in plain else "without a usable name"
