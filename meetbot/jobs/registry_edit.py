"""Single rows that the registry keeper adds, changes and ends. Nothing is overwritten.

Each of these runs in one transaction of the caller and gives either the row as it is known now or
every mistake; with a mistake nothing is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from meetbot.domain.lapses import last_day_of
from meetbot.domain.registry import (
    Authorization,
    Certification,
    Contract,
    Exemption,
    RegistryFile,
    Row,
    file_of,
    row_key,
    to_cells,
)
from meetbot.domain.registry_checks import check_end, check_row
from meetbot.domain.registry_history import KnownRow
from meetbot.domain.registry_tables import RegistryMistake
from meetbot.jobs.import_registry import note_changed
from meetbot.ports import Tx


@dataclass(frozen=True, slots=True)
class Edit:
    """What became of a change: the row now, None where it is gone, or all that is wrong with it."""

    row: KnownRow | None = None
    mistakes: tuple[RegistryMistake, ...] = ()


@dataclass(frozen=True, slots=True)
class Editor:
    """Who changes the registry, when, in which district."""

    address: str
    as_of: datetime
    domains: Collection[str]


def add(
    tx: Tx,
    file: RegistryFile,
    cells: Mapping[str, str],
    who: Editor,
    *,
    concerned: Collection[str] | None = None,
) -> Edit:
    """Add a row, checked as an imported one is, together with all that is known.

    `concerned` are the keyed guests whose meetings alone it concerns, if that is known.
    """
    row, mistakes = check_row(file, cells, tx.registry.known(), district_domains=who.domains)
    if row is None:
        return Edit(mistakes=mistakes)
    before = tx.registry.current()
    added = tx.registry.add(row, by=who.address, as_of=who.as_of)
    note_changed(tx, before, who.domains, who.as_of, concerned=concerned)
    return Edit(added)


def change(tx: Tx, number: int, cells: Mapping[str, str], who: Editor) -> Edit:
    """Let another content take a row's place under the same key; raises `NotFound`."""
    old = tx.registry.get(number)
    file = file_of(old.row)
    left = tuple(known for known in tx.registry.known() if known.id != number)
    row, mistakes = check_row(file, cells, left, district_domains=who.domains)
    if row is not None and row_key(row) != row_key(old.row):
        what, fix = "makes it another row", "end this one and add the other"
        mistakes = (RegistryMistake(file.value, 0, "", what, fix),)
    elif row is not None and to_cells(row) == to_cells(old.row):
        mistakes = (RegistryMistake(file.value, 0, "", "is as it was", "nothing is to be done"),)
    if row is None or mistakes:
        return Edit(mistakes=mistakes)
    return _end(tx, old, row, who)


def close(tx: Tx, number: int, last_day: date | None, who: Editor) -> Edit:
    """Let a row count for the last time on a day; an authorization is revoked now instead.

    Raises `NotFound`. A row without dates can only be removed.
    """
    old = tx.registry.get(number)
    closed = _closed(old.row, last_day, who.as_of)
    if isinstance(closed, RegistryMistake):
        return Edit(mistakes=(closed,))
    left = tuple(known for known in tx.registry.known() if known.id != number)
    row, mistakes = check_row(file_of(closed), to_cells(closed), left, district_domains=who.domains)
    return Edit(mistakes=mistakes) if row is None else _end(tx, old, row, who)


def _closed(row: Row, last_day: date | None, as_of: datetime) -> Row | RegistryMistake:
    file = file_of(row).value
    if isinstance(row, Authorization):
        if row.revoked_at is not None:
            return RegistryMistake(file, 0, "revoked_at", "is set already", "nothing is to be done")
        return replace(row, revoked_at=max(as_of, row.issued_at))
    column = "expires_on" if isinstance(row, Certification) else "ends_on"
    now = last_day_of(row)
    if not isinstance(row, Contract | Certification | Exemption) or now is None:
        return RegistryMistake(file, 0, "", "has no last day", "remove the row, or pause it")
    if last_day is None:
        return RegistryMistake(file, 0, column, "is empty", "name the last day, as YYYY-MM-DD")
    if last_day >= now:
        fix = "name an earlier day; to prolong it, add what follows"
        return RegistryMistake(file, 0, column, f"is not before {now}", fix)
    if isinstance(row, Certification):
        return replace(row, expires_on=last_day)
    return replace(row, ends_on=last_day)


def remove(tx: Tx, number: int, who: Editor) -> Edit:
    """Let a row be known no longer; refused while others rest on it. Raises `NotFound`."""
    old = tx.registry.get(number)
    mistakes = check_end(old, tx.registry.known(), district_domains=who.domains)
    return Edit(mistakes=mistakes) if mistakes else _end(tx, old, None, who)


def _end(tx: Tx, old: KnownRow, instead: Row | None, who: Editor) -> Edit:
    before = tx.registry.current()
    row = tx.registry.end(old.id, by=who.address, as_of=who.as_of, instead=instead)
    note_changed(tx, before, who.domains, who.as_of)
    return Edit(row)
