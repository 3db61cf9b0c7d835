"""Statements both engines understand, and lists cut to a length they take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Insert, Table, and_, bindparam, or_

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

T = TypeVar("T")

_BATCH = 1000
"""Values in one IN list, and rows of one statement: below every engine's limit of parameters."""


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in lists of at most a thousand."""
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    key: Collection[str],
) -> None:
    """Insert rows; where the key is known, the other columns given take the new values."""
    if not rows:
        return
    statement = _upsert(connection.dialect.name, table, tuple(rows[0]), tuple(key))
    connection.execute(statement, rows)


@cache
def _upsert(engine: str, table: Table, columns: tuple[str, ...], key: tuple[str, ...]) -> Insert:
    """Building a statement takes longer than running it; there are some twenty of these."""
    statement = _insert(engine, table)
    others = {name: statement.excluded[name] for name in columns if name not in key}
    if not others:
        return statement.on_conflict_do_nothing(index_elements=list(key))
    return statement.on_conflict_do_update(index_elements=list(key), set_=others)


def _insert(engine: str, table: Table) -> PostgresInsert | SqliteInsert:
    # A dialect takes up to 3 MiB, and a database has one.
    if engine == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def one_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """A condition for a statement that is built once: the column is in the list given as `name`."""
    return column.in_(bindparam(name, expanding=True))


def upsert_plain(
    connection: Connection,
    table: Table,
    rows: Sequence[tuple[Any, ...]],
    *,
    key: Collection[str],
) -> None:
    """`upsert` for very many rows: all columns in order, as values that the driver takes.

    SQLAlchemy's own handling of parameters would take longer than SQLite does.
    """
    if not rows:
        return
    quote = connection.dialect.identifier_preparer.quote
    names = [quote(column.name) for column in table.columns]
    marks = ", ".join(["?" if connection.dialect.name == "sqlite" else "%s"] * len(names))
    others = [name for name in names if name not in set(map(quote, key))]
    connection.exec_driver_sql(
        f"INSERT INTO {quote(table.name)} ({', '.join(names)}) VALUES ({marks})"
        f" ON CONFLICT ({', '.join(map(quote, key))})"
        f" DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in others)}",
        list(rows),
    )


def overlaps(
    start_at: ColumnElement[datetime],
    end_at: ColumnElement[datetime],
    since: datetime,
    until: datetime,
) -> ColumnElement[bool]:
    """Whether [start, end) of a row and [since, until) have an instant in common.

    An empty span, such as that of an ad-hoc call, counts as its one instant.
    """
    last = last_of(since, until)
    return and_(start_at < last, or_(end_at > since, start_at >= since))


def last_of(since: datetime, until: datetime) -> datetime:
    """The end of a span that has one instant at least."""
    return max(until, since + timedelta(microseconds=1))
