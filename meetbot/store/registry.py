"""The registry with its history: `ports.RegistryStore`.

A row is known from the import that brought it to the import that changed or removed it. A changed
row is a new row with the same key.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, or_, select, update

from meetbot.domain.chain import LinkKind, row_digest
from meetbot.domain.registry import Registry, RegistryFile, file_of, from_cells, to_cells
from meetbot.domain.registry import Row as RegistryRow
from meetbot.domain.registry import row_key as key_of
from meetbot.errors import Permanent
from meetbot.store.chain import SqlChain
from meetbot.store.columns import clean_key, from_micros, to_micros
from meetbot.store.meta import SqlMeta
from meetbot.store.statements import batches
from meetbot.store.tables import registry_rows

_SINCE = "registry-known-since"

_Key = tuple[str, str]


class SqlRegistry:
    """Registry rows in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._meta = SqlMeta(connection)
        self._chain = SqlChain(connection)
        self._since: datetime | None = None

    def current(self) -> Registry:
        """The rows known now."""
        return self._registry(registry_rows.c.known_to.is_(None))

    def as_known(self, at: datetime) -> Registry:
        """The rows that were known at an instant; none before the first import."""
        return self._registry(
            registry_rows.c.known_from <= at,
            or_(registry_rows.c.known_to.is_(None), registry_rows.c.known_to > at),
        )

    def _registry(self, *conditions: ColumnElement[bool]) -> Registry:
        query = (
            select(registry_rows.c.file, registry_rows.c.cells)
            .where(*conditions)
            .order_by(registry_rows.c.position, registry_rows.c.id)
        )
        return Registry.of_rows(_row(*found) for found in self._connection.execute(query))

    def replace(self, registry: Registry, *, as_of: datetime) -> bool:
        """End rows that vanished or changed, add new ones. False: nothing to do."""
        wanted = dict(_keyed(tuple(registry.all_rows())))
        query = select(registry_rows).where(registry_rows.c.known_to.is_(None))
        kept: set[_Key] = set()
        ended: list[Row[Any]] = []
        moved: dict[int, int] = {}
        for row in self._connection.execute(query):
            position, cells = wanted.get((row.file, row.row_key), (None, None))
            if position is None or cells != row.cells:
                ended.append(row)
                continue
            kept.add((row.file, row.row_key))
            if position != row.position:
                moved[row.id] = position
        added = [_new(key, *wanted[key], as_of) for key in wanted if key not in kept]
        self._move(moved)
        if not (ended or added or self.known_since() is None):
            return False
        link = self._record(added, ended, as_of)
        self._end([row.id for row in ended], as_of, link)
        self._add([row | {"link": link} for row in added])
        self._meta.set(_SINCE, str(to_micros(as_of)))
        self._since = as_of
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

    def known_since(self) -> datetime | None:
        """When the current state was imported; None before the first import."""
        if self._since is None:
            since = self._meta.get(_SINCE)
            self._since = None if since is None else from_micros(int(since))
        return self._since


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
    }


def _row(file: str, cells: dict[str, str]) -> RegistryRow:
    try:
        return from_cells(RegistryFile(file), cells)
    except ValueError as error:
        raise Permanent(
            f"a stored registry row of {file}.csv can no longer be read",
            fix="import the registry again",
        ) from error
