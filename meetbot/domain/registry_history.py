"""Where a registry row comes from, since when it is known, and how it came to an end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meetbot.domain.registry import Registry
from meetbot.domain.registry_rows import Row, file_of, row_key


class Origin(StrEnum):
    """What brought a row. An import ends only rows that an import brought."""

    IMPORT = "import"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row with its history. `by` and `ended_by` are staff addresses; None: an import did it."""

    id: int
    row: Row
    origin: Origin
    known_from: datetime
    by: str | None = None
    known_to: datetime | None = None
    ended_by: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether it has not ended."""
        return self.known_to is None

    @property
    def said(self) -> str:
        """The row as a mistake names it: when it came or went, and nobody's address."""
        if self.known_to is not None:
            return f"the row ended in the console on {self.known_to:%Y-%m-%d}"
        how = "added in the console" if self.origin is Origin.CONSOLE else "imported"
        return f"the row {how} on {self.known_from:%Y-%m-%d}"

    @property
    def place(self) -> str:
        """Where a mistake in it is: file, id where it has one, and where it came from."""
        first = row_key(self.row)[0]
        plain = "".join(char for char in first if char.isprintable())[:40]
        name = f"{file_of(self.row)} {plain}" if "@" not in plain else str(file_of(self.row))
        return f"{name} ({self.said.removeprefix('the row ')})"


def merged(imported: Registry, kept: Iterable[KnownRow]) -> Registry:
    """The whole registry: what is imported, and the rows of the console. One key is one row."""
    keys = {(file_of(row), row_key(row)) for row in imported.all_rows()}
    own = (known.row for known in kept if known.is_known)
    return Registry.of_rows(
        [*imported.all_rows(), *(row for row in own if (file_of(row), row_key(row)) not in keys)]
    )


def without_kept(imported: Registry, kept: Iterable[KnownRow]) -> Registry:
    """The imported rows but for those that the console has brought already."""
    keys = {(file_of(known.row), row_key(known.row)) for known in kept if known.is_known}
    return Registry.of_rows(
        row for row in imported.all_rows() if (file_of(row), row_key(row)) not in keys
    )
