"""What an import would change."""

from __future__ import annotations

from dataclasses import dataclass

from meetbot.domain.registry import Registry, RegistryFile, Row, row_key, to_cells

VANISHING_SHARE = 0.10
"""More of a file's rows vanishing than this needs the operator's word."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row whose key stayed; `columns` gives the old and new text of each changed column."""

    after: Row
    columns: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """Differences of one file; `known` is the number of rows before."""

    file: RegistryFile
    added: tuple[Row, ...]
    changed: tuple[RowChange, ...]
    removed: tuple[Row, ...]
    known: int

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
    def vanishing(self) -> tuple[FileDiff, ...]:
        """Files of which more than 10 % of the rows would vanish."""
        return tuple(part for part in self.files if part.share_removed > VANISHING_SHARE)

    @property
    def needs_confirmation(self) -> bool:
        """Whether the import must be confirmed (`--yes`)."""
        return bool(self.vanishing)


def diff(old: Registry, new: Registry) -> RegistryDiff:
    """Compare two registries row by row, by natural key; the order of rows does not matter."""
    return RegistryDiff(tuple(_compare(file, old, new) for file in RegistryFile))


def _compare(file: RegistryFile, old: Registry, new: Registry) -> FileDiff:
    before = {row_key(row): row for row in old.rows(file)}
    after = {row_key(row): row for row in new.rows(file)}
    changed = (_changes(before[key], row) for key, row in after.items() if key in before)
    return FileDiff(
        file=file,
        added=tuple(row for key, row in after.items() if key not in before),
        changed=tuple(change for change in changed if change.columns),
        removed=tuple(row for key, row in before.items() if key not in after),
        known=len(before),
    )


def _changes(before: Row, after: Row) -> RowChange:
    old, new = to_cells(before), to_cells(after)
    columns = tuple((name, old[name], new[name]) for name in new if old[name] != new[name])
    return RowChange(after, columns)
