"""The database: `ports.Store`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from meetbot.errors import Temporary
from meetbot.ports import Clock
from meetbot.store.access_log import SqlAccessLog
from meetbot.store.cases import SqlCases
from meetbot.store.chain import SqlChain
from meetbot.store.conferences import SqlConferences
from meetbot.store.engine import alone, make_engine, viewing, writing
from meetbot.store.exemptions import SqlExemptions
from meetbot.store.failures import translated
from meetbot.store.flags import SqlFlags
from meetbot.store.holds import SqlHolds
from meetbot.store.hooks import SqlHooks
from meetbot.store.meetings import SqlMeetings
from meetbot.store.meta import SqlMeta
from meetbot.store.migrate import migrate
from meetbot.store.outbox import SqlOutbox
from meetbot.store.overview import SqlOverview
from meetbot.store.people import SqlPeople
from meetbot.store.registry import SqlRegistry
from meetbot.store.reminders import SqlReminders
from meetbot.store.retention import SqlRetention
from meetbot.store.sessions import SqlSessions
from meetbot.store.shadows import SqlShadows
from meetbot.store.snapshots import SqlSnapshots
from meetbot.store.storms import SqlStorms
from meetbot.store.tokens import SqlTokens

_WAIT_SECONDS = 60


class SqlTx:
    """One transaction's view of every store: `ports.Tx`."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.people = SqlPeople(connection)
        self.meetings = SqlMeetings(connection, clock)
        self.conferences = SqlConferences(connection)
        self.registry = SqlRegistry(connection)
        self.exemptions = SqlExemptions(connection)
        self.flags = SqlFlags(connection)
        self.cases = SqlCases(connection)
        self.snapshots = SqlSnapshots(connection)
        self.shadows = SqlShadows(connection)
        self.outbox = SqlOutbox(connection)
        self.storms = SqlStorms(connection)
        self.overview = SqlOverview(connection)
        self.reminders = SqlReminders(connection)
        self.hooks = SqlHooks(connection)
        self.tokens = SqlTokens(connection)
        self.chain = SqlChain(connection)
        self.holds = SqlHolds(connection)
        self.retention = SqlRetention(connection)
        self.sessions = SqlSessions(connection)
        self.access_log = SqlAccessLog(connection)
        self.meta = SqlMeta(connection)


class SqlStore:
    """A database with this program's schema. Safe to use from several threads.

    Write transactions run one after the other: threads of this process wait for a lock here,
    other processes for the one their engine has. Whatever goes wrong is raised as
    `meetbot.errors`: `Temporary` when it is busy or away, else `Permanent`.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._writer = threading.Lock()
        self._writing_thread: int | None = None

    @contextmanager
    def transaction(self) -> Iterator[SqlTx]:
        """Commit on leaving, roll back on an exception; not inside one of the same thread."""
        with self._turn(), translated(), writing(self._engine) as connection:
            yield SqlTx(connection, self._clock)

    @contextmanager
    def reading(self) -> Iterator[SqlTx]:
        """One moment of the database, unchanged by what others commit meanwhile."""
        with translated(), viewing(self._engine) as connection:
            yield SqlTx(connection, self._clock)

    @contextmanager
    def alone(self, work: str, *, patience: float = 30.0) -> Iterator[bool]:
        """Be the only one at a work among all processes, until leaving or dying."""
        with translated(), alone(self._engine, work, patience) as is_mine:
            yield is_mine

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._writing_thread == threading.get_ident():
            raise RuntimeError("a transaction was begun inside another one: it would wait forever")
        if not self._writer.acquire(timeout=_WAIT_SECONDS):
            raise Temporary("another change of the database takes too long", fix="try again later")
        try:
            self._writing_thread = threading.get_ident()
            yield
        finally:
            self._writing_thread = None
            self._writer.release()

    def close(self) -> None:
        """Close all connections; the store is not used after that."""
        self._engine.dispose()


class ReadOnlyStore:
    """A store that nobody who holds it can change: `ports.ReadableStore`."""

    def __init__(self, store: SqlStore) -> None:
        self._reading = store.reading

    def reading(self) -> AbstractContextManager[SqlTx]:
        """One moment of the database; the database itself refuses to write in it."""
        return self._reading()


def open_store(url: str, *, clock: Clock | None = None) -> SqlStore:
    """Open the database and bring its schema up to date.

    `url` is `sqlite:///file` (relative to the working directory; made when missing) or
    `postgresql://…`. Raises `BadInput` for a URL or path that cannot be used, `Temporary` when the
    database cannot be reached or is locked, `Permanent` when a newer meetbot made its schema.
    """
    with translated():
        engine = make_engine(url)
        try:
            migrate(engine)
        except BaseException:
            engine.dispose()
            raise
    return SqlStore(engine, clock or _now)


def _now() -> datetime:
    return datetime.now(UTC)
