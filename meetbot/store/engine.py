"""SQLite and PostgreSQL: how a URL becomes an engine, and what a write transaction begins with."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    PoolProxiedConnection,
    create_engine,
    event,
    exc,
    make_url,
    text,
)

from meetbot.errors import BadInput, Mistake, Permanent
from meetbot.store.failures import raise_translated, translated

_PLACE = "database.url"
_WAIT_SECONDS = 30
_WRITERS_LOCK = 7_203_141
"""Any number: the advisory lock of meetbot's write transactions."""
_IS_WRITE = "meetbot_is_write"
_POOL = {"pool_size": 8, "max_overflow": 56, "pool_timeout": _WAIT_SECONDS}
"""More connections than the jobs have threads; all but eight are closed when idle."""


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://…`; raises `BadInput` for anything else.

    SQLite waits 30 s for a lock of another process (`?timeout=SECONDS` changes that).
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    engine = create_engine(
        parsed,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 10,
            "options": f"-c timezone=UTC -c lock_timeout={_WAIT_SECONDS}s",
        },
        **_POOL,
    )
    event.listen(engine, "handle_error", raise_translated)
    return engine


def is_there(url: str) -> bool:
    """Whether there is a database to open: of SQLite a file; a server is asked only on opening."""
    parsed = _parse(url)
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").is_file()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise _bad("is not a database URL") from error
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return parsed.set(drivername="sqlite+pysqlite")
        case "postgres" | "postgresql" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise _bad(f"names {other!r}, which meetbot cannot use")


def _bad(what: str, fix: str = "") -> BadInput:
    fix = fix or "use sqlite:///meetbot.db or postgresql+psycopg://user:password@host/name"
    return BadInput([Mistake(_PLACE, what, fix)])


# --- SQLite -------------------------------------------------------------------------------------


def _sqlite(url: URL) -> Engine:
    path = _writable(url)
    engine = create_engine(
        url.set(database=str(path)),
        hide_parameters=True,
        connect_args={} if "timeout" in url.query else {"timeout": _WAIT_SECONDS},
        **_POOL,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", raise_translated)
    with translated():
        _use_write_ahead_log(engine)
    return engine


def _writable(url: URL) -> Path:
    """The absolute path of the file, which is made, readable by its owner only, when missing."""
    if url.database in (None, "", ":memory:"):
        raise _bad("names no file", "name one, for example sqlite:///meetbot.db")
    path = Path(url.database or "").absolute()
    if not path.parent.is_dir():
        raise _bad(f"lies in the folder {path.parent}, which does not exist", "make the folder")
    if path.is_dir():
        raise _bad(f"names the folder {path}", "name a file")
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise _unwritable(path) from error
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise _unwritable(path)
    return path


def _unwritable(path: Path) -> BadInput:
    return _bad(
        f"names {path}, which cannot be written",
        "give meetbot's user write permission on the file and its folder",
    )


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # Without this the driver begins transactions by itself, too late and of the wrong kind.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another one wrote
    # meanwhile; one that begins IMMEDIATE waits for its turn.
    is_write = connection.get_execution_options().get(_IS_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _use_write_ahead_log(engine: Engine) -> None:
    raw: PoolProxiedConnection = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        (mode,) = cursor.fetchone() or ("",)
    finally:
        raw.close()
    if mode != "wal":
        raise Permanent(
            "the file system under the database has no shared memory, which SQLite needs",
            fix="put the file named by database.url on a local disk, or use PostgreSQL",
        )


# --- transactions -------------------------------------------------------------------------------


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that no other write transaction overlaps."""
    with engine.connect() as connection:
        connection.execution_options(**{_IS_WRITE: True})
        with connection.begin():
            if engine.dialect.name == "postgresql":
                lock = text("SELECT pg_advisory_xact_lock(:lock)")
                connection.execute(lock, {"lock": _WRITERS_LOCK})
            yield connection


@contextmanager
def alone(engine: Engine, work: str, patience: float) -> Iterator[bool]:
    """A lock among processes that the system takes back when its holder dies.

    Waits for it as many seconds; gives whether it was got.

    SQLite: on a file beside the database. PostgreSQL: an advisory lock of a connection.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            values = {"work": f"meetbot {work}"}
            query = text("SELECT pg_try_advisory_lock(hashtext(:work))")
            is_mine = _repeat(patience, lambda: bool(connection.execute(query, values).scalar()))
            connection.commit()  # the lock is the session's, not the transaction's
            try:
                yield is_mine
            finally:
                if is_mine:
                    query = text("SELECT pg_advisory_unlock(hashtext(:work))")
                    connection.execute(query, values)
                    connection.commit()
        return
    path = Path(f"{engine.url.database}-{work}.lock")
    try:
        path.touch(mode=0o600)
        file = path.open("rb")
    except OSError as error:
        raise _unwritable(path) from error
    with file:
        yield _repeat(patience, lambda: _is_locked(file.fileno()))


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _repeat(patience: float, attempt: Callable[[], bool]) -> bool:
    """Try until it succeeds, or so many seconds are over."""
    until = time.monotonic() + patience
    while not (is_done := attempt()) and time.monotonic() < until:
        time.sleep(0.1)
    return is_done


@contextmanager
def viewing(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the database and cannot change it."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            with connection.begin():
                yield connection
        return
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("PRAGMA query_only = ON")
        try:
            yield connection
        finally:
            connection.exec_driver_sql("PRAGMA query_only = OFF")
