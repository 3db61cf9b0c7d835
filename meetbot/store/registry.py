"""The registry with its history: `ports.RegistryStore`.

A row is known from the import or the change in the console that brought it to the one that changed
or removed it. A changed row is a new row with the same key.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    bindparam,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from meetbot.domain.chain import LinkKind, row_digest
from meetbot.domain.registry import Registry, RegistryFile, file_of, from_cells, to_cells
from meetbot.domain.registry import Row as RegistryRow
from meetbot.domain.registry import row_key as key_of
from meetbot.domain.registry_history import KnownRow, Origin
from meetbot.errors import NotFound, Permanent
from meetbot.store.chain import SqlChain
from meetbot.store.columns import clean, clean_key, dump, from_micros, to_micros
from meetbot.store.meta import SqlMeta
from meetbot.store.statements import batches
from meetbot.store.tables import registry_rows

_SINCE = "registry-known-since"
_IS_KNOWN = registry_rows.c.known_to.is_(None)
_IS_IMPORTED = registry_rows.c.origin == Origin.IMPORT.value

_IS_ENDED = registry_rows.c.ended_by.is_not(None)

_Key = tuple[str, str]


class SqlRegistry:
    """Registry rows in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._meta = SqlMeta(connection)
        self._chain = SqlChain(connection)
        self._since: datetime | None = None

    # --- asking ---

    def current(self) -> Registry:
        """The rows known now."""
        return self._registry(_IS_KNOWN)

    def imported(self) -> Registry:
        """The rows known now that an import brought."""
        return self._registry(_IS_KNOWN, _IS_IMPORTED)

    def as_known(self, at: datetime) -> Registry:
        """The rows that were known at an instant; none before the first import."""
        return self._registry(
            registry_rows.c.known_from <= at, or_(_IS_KNOWN, registry_rows.c.known_to > at)
        )

    def _registry(self, *conditions: ColumnElement[bool]) -> Registry:
        query = (
            select(registry_rows.c.file, registry_rows.c.cells)
            .where(*conditions)
            .order_by(registry_rows.c.position, registry_rows.c.id)
        )
        return Registry.of_rows(_row(*found) for found in self._connection.execute(query))

    def kept(self) -> tuple[KnownRow, ...]:
        """Rows of the console that are known, and those ended there that have not come back."""
        own = self._known(_IS_KNOWN & ~_IS_IMPORTED)
        oldest_first = sorted(self._rows(_IS_ENDED), key=lambda row: row.id)
        ended = {(row.file, row.row_key): row for row in oldest_first}
        if not ended:
            return own
        query = select(registry_rows.c.file, registry_rows.c.row_key).where(_IS_KNOWN)
        here = {(row.file, row.row_key) for row in self._connection.execute(query)}
        gone = (_known_row(row) for key, row in ended.items() if key not in here)
        return (*own, *gone)

    def known(
        self,
        *,
        file: RegistryFile | None = None,
        partner_id: str | None = None,
        ended: bool = False,
    ) -> tuple[KnownRow, ...]:
        """Rows known now, with `ended` those of the past as well, in their order."""
        conditions: list[ColumnElement[bool]] = [] if ended else [_IS_KNOWN]
        if file is not None:
            conditions.append(registry_rows.c.file == file.value)
        if partner_id is not None:
            text = dump(dict[str, str], {"partner_id": partner_id})[1:-1]
            cells = type_coerce(registry_rows.c.cells, Text)
            conditions.append(cells.contains(text, autoescape=True))
        return self._known(*conditions)

    def _known(self, *conditions: ColumnElement[bool]) -> tuple[KnownRow, ...]:
        return tuple(map(_known_row, self._rows(*conditions)))

    def _rows(self, *conditions: ColumnElement[bool]) -> Sequence[Row[Any]]:
        query = (
            select(registry_rows)
            .where(*conditions)
            .order_by(registry_rows.c.position, registry_rows.c.id)
        )
        return self._connection.execute(query).all()

    def get(self, number: int) -> KnownRow:
        """One row, known or ended; raises `NotFound`."""
        return _known_row(self._find(registry_rows.c.id == number))

    def _find(self, *conditions: ColumnElement[bool]) -> Row[Any]:
        row = self._connection.execute(select(registry_rows).where(*conditions)).first()
        if row is None:
            raise NotFound("there is no such registry row", fix="look at the registry again")
        return row

    # --- importing ---

    def replace(self, registry: Registry, *, as_of: datetime) -> bool:
        """End imported rows that vanished or changed, add new ones. False: nothing to do."""
        wanted = dict(_keyed(tuple(registry.all_rows())))
        kept: set[_Key] = set()
        ended: list[Row[Any]] = []
        moved: dict[int, int] = {}
        for row in self._connection.execute(select(registry_rows).where(_IS_KNOWN)):
            key = (row.file, row.row_key)
            position, cells = wanted.get(key, (None, None))
            if row.origin != Origin.IMPORT:
                if position is None:
                    continue
                if cells != row.cells:
                    raise _contradiction(row.file)
            elif position is None or cells != row.cells:
                ended.append(row)
                continue
            kept.add(key)
            if position != row.position:
                moved[row.id] = position
        added = [_new(key, *wanted[key], as_of) for key in wanted if key not in kept]
        self._move(moved)
        if not (ended or added or self.known_since() is None):
            return False
        link = self._record(added, ended, as_of)
        self._end([row.id for row in ended], as_of, link)
        self._add([row | {"link": link} for row in added])
        self._note_since(as_of)
        return True

    def _record(
        self, added: Sequence[dict[str, Any]], ended: Sequence[Row[Any]], as_of: datetime
    ) -> int:
        """The link that records this import; gives its sequence."""
        rows = {
            "registry_rows": sorted(row_digest("registry_rows", row) for row in added),
            "registry_ends": sorted(
                row_digest("registry_ends", dict(row._mapping) | {"known_to": as_of})
                for row in ended
            ),
        }
        return self._chain.append(LinkKind.REGISTRY, "", {"rows": rows}, at=as_of).sequence

    def _end(self, ids: Sequence[int], as_of: datetime, link: int) -> None:
        for some in batches(ids):
            self._connection.execute(
                update(registry_rows)
                .where(registry_rows.c.id.in_(some))
                .values(known_to=as_of, ended_link=link)
            )

    def _move(self, positions: dict[int, int]) -> None:
        """Another order of the same rows is kept for `registry export`, but is no change."""
        if positions:
            self._connection.execute(
                update(registry_rows)
                .where(registry_rows.c.id == bindparam("row"))
                .values(position=bindparam("place")),
                [{"row": row, "place": place} for row, place in positions.items()],
            )

    def _add(self, rows: Sequence[dict[str, Any]]) -> None:
        for some in batches(rows):
            self._connection.execute(insert(registry_rows), some)

    # --- the console ---

    def add(self, row: RegistryRow, *, by: str, as_of: datetime) -> KnownRow:
        """Add a row of the console, with the link that records it."""
        new = self._new_of_console(row, by, as_of)
        rows = {"console_rows": [row_digest("console_rows", new)]}
        link = self._chain.append(LinkKind.REGISTRY, new["file"], {"rows": rows}, at=as_of)
        self._note_change(as_of)
        return self._insert(new | {"link": link.sequence})

    def end(
        self, number: int, *, by: str, as_of: datetime, instead: RegistryRow | None = None
    ) -> KnownRow | None:
        """End a row, and add what takes its place, if anything; gives that."""
        old = self._find(registry_rows.c.id == number, _IS_KNOWN)
        end = {"known_to": as_of, "ended_by": clean(by)}
        rows = {"console_ends": [row_digest("console_ends", dict(old._mapping) | end)]}
        new = None
        if instead is not None:
            new = self._new_of_console(instead, by, as_of) | {"position": old.position}
            rows["console_rows"] = [row_digest("console_rows", new)]
        link = self._chain.append(LinkKind.REGISTRY, old.file, {"rows": rows}, at=as_of).sequence
        self._connection.execute(
            update(registry_rows).where(registry_rows.c.id == number).values(**end, ended_link=link)
        )
        self._note_change(as_of)
        return None if new is None else self._insert(new | {"link": link})

    def _new_of_console(self, row: RegistryRow, by: str, as_of: datetime) -> dict[str, Any]:
        ((key, (_, cells)),) = _keyed((row,))
        last = select(func.max(registry_rows.c.position)).where(
            registry_rows.c.file == key[0], _IS_KNOWN
        )
        position = (self._connection.execute(last).scalar() or 0) + 1
        new = _new(key, position, cells, as_of)
        return new | {"origin": Origin.CONSOLE.value, "by": clean(by)}

    def _insert(self, new: dict[str, Any]) -> KnownRow:
        added = insert(registry_rows).values(new).returning(registry_rows.c.id)
        return self.get(self._connection.execute(added).scalar_one())

    # --- since when ---

    def known_since(self) -> datetime | None:
        """Since when the current state is known; None before the first import."""
        if self._since is None:
            since = self._meta.get(_SINCE)
            self._since = None if since is None else from_micros(int(since))
        return self._since

    def _note_since(self, as_of: datetime) -> None:
        self._meta.set(_SINCE, str(to_micros(as_of)))
        self._since = as_of

    def _note_change(self, as_of: datetime) -> None:
        """Single rows make no registry: before the first import it counts as not known."""
        if self.known_since() is not None:
            self._note_since(as_of)


def _keyed(rows: Sequence[RegistryRow]) -> Iterator[tuple[_Key, tuple[int, dict[str, str]]]]:
    """Each row's place in its file and its cells, by file and key.

    Keys are unique in a validated file; of rows that share one none is lost all the same.
    """
    seen: Counter[_Key] = Counter()
    places: Counter[str] = Counter()
    for row in rows:
        file = file_of(row).value
        places[file] += 1
        key = json.dumps(key_of(row))
        seen[file, key] += 1
        number = seen[file, key]
        text = clean_key(key if number == 1 else f"{key}#{number}")
        yield (file, text), (places[file], to_cells(row))


def _new(key: _Key, position: int, cells: dict[str, str], as_of: datetime) -> dict[str, Any]:
    file, row_key = key
    return {
        "file": file,
        "row_key": row_key,
        "position": position,
        "cells": cells,
        "known_from": as_of,
        "origin": Origin.IMPORT.value,
    }


def _contradiction(file: str) -> Permanent:
    return Permanent(
        f"an imported row of {file}.csv contradicts one that was added in the console",
        fix="write the same in both places, or end the row in the console",
    )


def _known_row(found: Row[Any]) -> KnownRow:
    return KnownRow(
        id=found.id,
        row=_row(found.file, found.cells),
        origin=Origin(found.origin),
        known_from=found.known_from,
        by=found.by,
        known_to=found.known_to,
        ended_by=found.ended_by,
    )


def _row(file: str, cells: dict[str, str]) -> RegistryRow:
    try:
        return from_cells(RegistryFile(file), cells)
    except ValueError as error:
        raise Permanent(
            f"a stored registry row of {file}.csv can no longer be read",
            fix="import the registry again",
        ) from error
