"""Database failures become `meetbot.errors` here; nothing of SQLAlchemy leaves the package.

The texts name what to do and never a value: statements hold addresses of staff.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeGuard

from sqlalchemy import ExceptionContext, exc

from meetbot.errors import MeetbotError, Permanent, Temporary

if TYPE_CHECKING:
    import psycopg

# Primary result codes: https://www.sqlite.org/rescode.html
_SQLITE_PASSING = {
    sqlite3.SQLITE_BUSY: "another process keeps the database locked",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_NOMEM: "the database ran out of memory",
    sqlite3.SQLITE_INTERRUPT: "the database was interrupted",
    sqlite3.SQLITE_IOERR: "the disk under the database failed",
    sqlite3.SQLITE_FULL: "the disk under the database is full",
    sqlite3.SQLITE_PROTOCOL: "another process keeps the database locked",
}
_SQLITE_LASTING = {
    sqlite3.SQLITE_PERM: ("the database file may not be written", "give meetbot's user the right"),
    sqlite3.SQLITE_READONLY: (
        "the database file may not be written",
        "give meetbot's user write permission on the file and its folder",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the database file cannot be opened",
        "check that the file named by database.url and its folder exist and are writable",
    ),
    sqlite3.SQLITE_CORRUPT: ("the database file is damaged", "restore the newest backup"),
    sqlite3.SQLITE_NOTADB: (
        "the file named by database.url is not a database",
        "name another file, or restore the newest backup",
    ),
}
# States, or classes of states, of https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES_PASSING = {
    "08": "the connection to the database broke",
    "25006": "the database takes no changes at the moment",
    "40": "another change of the database was in the way",
    "53": "the database server is out of resources",
    "55": "another process keeps the database locked",
    "57": "the database server is stopping or starting",
    "58": "the disk under the database server failed",
}
_DATABASE_FIX = "check that the database named by database.url runs and can be reached"


@contextmanager
def translated() -> Iterator[None]:
    """Raise the error of our tree for whatever the database or its drivers raise inside."""
    try:
        yield
    except _database_errors() as error:
        raise _translate(error) from error


def _database_errors() -> tuple[type[BaseException], ...]:
    return (exc.SQLAlchemyError, sqlite3.Error, *_postgres_errors())


def _postgres_errors() -> tuple[type[BaseException], ...]:
    """psycopg's errors, once an engine has loaded it: 7 MiB that SQLite does without."""
    loaded = sys.modules.get("psycopg")
    return () if loaded is None else (loaded.Error,)


def _is_of_postgres(error: BaseException | None) -> TypeGuard[psycopg.Error]:
    return isinstance(error, _postgres_errors())


def raise_translated(context: ExceptionContext) -> None:
    """The same for one statement, at once (`handle_error` of an engine)."""
    if not context.is_pre_ping:  # a dead idle connection is not told but made anew
        error = context.sqlalchemy_exception or context.original_exception
        raise _translate(error) from context.original_exception


def _translate(error: BaseException) -> BaseException:
    match error:
        case exc.TimeoutError():
            return Temporary("all connections to the database are in use", fix="try again later")
        case exc.DBAPIError(orig=sqlite3.Error() as cause):
            return _of_sqlite(cause)
        case exc.DBAPIError(orig=cause) if _is_of_postgres(cause):
            return _of_postgres(cause)
        case exc.StatementError(orig=BaseException() as cause):
            return cause  # a value of ours that no column takes: the caller's mistake
        case sqlite3.Error():
            return _of_sqlite(error)
        case _ if _is_of_postgres(error):
            return _of_postgres(error)
        case _:
            return _refused(type(error).__name__)


def _of_sqlite(error: sqlite3.Error) -> MeetbotError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None  # the rest is the extended code
    if primary in _SQLITE_PASSING:
        return Temporary(_SQLITE_PASSING[primary], fix="try again; free space if there is none")
    if primary in _SQLITE_LASTING:
        what, fix = _SQLITE_LASTING[primary]
        return Permanent(what, fix=fix)
    return _refused(getattr(error, "sqlite_errorname", type(error).__name__))


def _of_postgres(error: psycopg.Error) -> MeetbotError:
    import psycopg

    if error.sqlstate is None:
        # A connection that could not be made, or broke, has no state.
        if isinstance(error, psycopg.OperationalError):
            return Temporary("the database cannot be reached", fix=_DATABASE_FIX)
        return _refused(type(error).__name__)
    passing = _POSTGRES_PASSING.get(error.sqlstate) or _POSTGRES_PASSING.get(error.sqlstate[:2])
    if passing:
        return Temporary(passing, fix=_DATABASE_FIX)
    if error.sqlstate == "42501":
        return Permanent(
            "the database user lacks a right",
            fix="make the user in database.url the owner of its database and of its schema",
        )
    return _refused(error.sqlstate)


def _refused(code: str) -> Permanent:
    return Permanent(
        f"the database refused a statement ({code})",
        fix="this is a fault of meetbot or a changed schema: report it with the log",
    )
