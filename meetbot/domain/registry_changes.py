"""What an import would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from meetbot.domain.registry import Registry, RegistryFile, Row, file_of, row_key, to_cells
from meetbot.domain.registry_history import KnownRow, without_kept

VANISHING_SHARE = 0.10
"""More of a file's rows vanishing than this needs the operator's word."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row whose key stayed; `columns` gives the old and new text of each changed column."""

    after: Row
    columns: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """Differences of one file; `known` is the number of imported rows before."""

    file: RegistryFile
    added: tuple[Row, ...]
    changed: tuple[RowChange, ...]
    removed: tuple[Row, ...]
    known: int
    of_console: int = 0
    """Rows that were added in the console: they stay, whatever is imported."""

    @property
    def share_removed(self) -> float:
        """Which part of the rows known before would vanish, 0 to 1."""
        return len(self.removed) / self.known if self.known else 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class RegistryDiff:
    """Differences of all eight files, in their order."""

    files: tuple[FileDiff, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return all(part.is_empty for part in self.files)

    @property
    def of_console(self) -> int:
        """Rows of the console in all files."""
        return sum(part.of_console for part in self.files)

    @property
    def vanishing(self) -> tuple[FileDiff, ...]:
        """Files of which more than 10 % of the rows would vanish."""
        return tuple(part for part in self.files if part.share_removed > VANISHING_SHARE)

    @property
    def needs_confirmation(self) -> bool:
        """Whether the import must be confirmed (`--yes`)."""
        return bool(self.vanishing)


def diff(old: Registry, new: Registry, kept: Collection[KnownRow] = ()) -> RegistryDiff:
    """Compare two registries row by row, by natural key; the order of rows does not matter.

    `kept` are rows of the console: they stay, and are no difference where they are imported too.
    """
    own = [known.row for known in kept if known.is_known]
    new = without_kept(new, kept) if own else new
    numbers = Counter(map(file_of, own))
    return RegistryDiff(tuple(_compare(file, old, new, numbers[file]) for file in RegistryFile))


def _compare(file: RegistryFile, old: Registry, new: Registry, of_console: int) -> FileDiff:
    before = {row_key(row): row for row in old.rows(file)}
    after = {row_key(row): row for row in new.rows(file)}
    changed = (_changes(before[key], row) for key, row in after.items() if key in before)
    return FileDiff(
        file=file,
        added=tuple(row for key, row in after.items() if key not in before),
        changed=tuple(change for change in changed if change.columns),
        removed=tuple(row for key, row in before.items() if key not in after),
        known=len(before),
        of_console=of_console,
    )


def _changes(before: Row, after: Row) -> RowChange:
    old, new = to_cells(before), to_cells(after)
    columns = tuple((name, old[name], new[name]) for name in new if old[name] != new[name])
    return RowChange(after, columns)
