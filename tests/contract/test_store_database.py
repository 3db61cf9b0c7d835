"""The database itself: opening it, its schema, its transactions, and how it fails."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from meetbot.errors import BadInput, MeetbotError, Permanent, Temporary
from meetbot.ports import Store
from meetbot.store import SqlStore, open_store
from meetbot.store.tables import metadata
from tests.builders import T0, a_conference, a_copy, a_read, a_visit

KILL_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database()
"""

# --- schema -------------------------------------------------------------------------------------


def test_migrations_make_the_tables_of_the_program(store: SqlStore) -> None:
    """What the migrations built is what the tables say, with types, indexes and keys."""
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_a_database_can_be_opened_again(store: SqlStore, url: str) -> None:
    """What was stored is there, and nothing is migrated twice."""
    with store.transaction() as tx:
        tx.meta.set("name", "value")

    with closing(open_store(url)) as again, again.reading() as tx:
        assert tx.meta.get("name") == "value"


def test_two_processes_open_a_new_database_at_once(
    tmp_path: Path, postgres: Callable[[str], str]
) -> None:
    """One makes the schema, the other waits for it."""
    with closing(psycopg.connect(postgres("postgres"), autocommit=True)) as connection:
        connection.execute("CREATE DATABASE new TEMPLATE template0")
    for url in (f"sqlite:///{tmp_path}/new.db", postgres("new")):
        together = threading.Barrier(2)

        def work(_: int, url: str = url, together: threading.Barrier = together) -> None:
            together.wait()
            open_store(url).close()

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(work, range(2))) == [None, None]


def test_a_newer_schema_is_refused(store: SqlStore, url: str) -> None:
    """An older program does not touch it and says what to install."""
    with store._engine.begin() as connection:
        mine = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Permanent, match="9999") as caught:
        open_store(url)
    assert "newer meetbot" in caught.value.fix
    with store._engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{mine}'")


def test_the_store_is_what_the_jobs_need(store: SqlStore) -> None:
    """The adapter has the port's shape (checked by mypy here)."""
    port: Store = store
    with port.reading() as tx:
        assert tx.outbox.known([]) == frozenset()


# --- URLs and paths -----------------------------------------------------------------------------


def test_a_relative_path_starts_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And stays there when the process goes elsewhere; nobody else may read the file."""
    monkeypatch.chdir(tmp_path)
    with closing(open_store("sqlite:///meetbot.db")) as store:
        os.chdir("/")
        with store.transaction() as tx:
            tx.meta.set("name", "value")

    path = tmp_path / "meetbot.db"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_sqlite_survives_a_power_cut(tmp_path: Path) -> None:
    """Write-ahead log, every commit on the disk, foreign keys checked."""
    url = f"sqlite:///{tmp_path}/meetbot.db"
    with closing(open_store(url)) as store, store._engine.connect() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        pragmas = [connection.exec_driver_sql(f"PRAGMA {n}").scalar() for n in names]

    assert pragmas == ["wal", 2, 1, 30_000]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///{}/missing/meetbot.db", "missing"),
        ("sqlite:///{}", "names the folder"),
        ("sqlite:////proc/meetbot.db", "cannot be written"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://user:secret@host/name", "mysql"),
        ("postgresql+psycopg2://user:secret@host/name", "psycopg2"),
        ("meetbot.db", "is not a database URL"),
        ("", "is not a database URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_the_fix(
    url: str, place: str, tmp_path: Path
) -> None:
    """The mistake names the setting and what to write, and no password."""
    with pytest.raises(BadInput) as caught:
        open_store(url.format(tmp_path))

    (mistake,) = caught.value.mistakes
    assert mistake.place == "database.url"
    assert place in mistake.what
    assert mistake.fix
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Somebody's spreadsheet is left as it is."""
    path = tmp_path / "budget.csv"
    path.write_text("school,amount\n" * 1000)

    with pytest.raises(Permanent, match="not a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_text() == "school,amount\n" * 1000


def test_an_absent_server_is_temporary(tmp_path: Path) -> None:
    """It may be starting; the message says what to check, and no password."""
    with pytest.raises(Temporary, match="cannot be reached") as caught:
        open_store(f"postgresql://user:secret@/name?host={tmp_path}")
    assert "database.url" in caught.value.fix


# --- transactions -------------------------------------------------------------------------------


def test_an_exception_rolls_everything_back(store: SqlStore) -> None:
    """All or nothing, and the exception comes through as it is."""

    def interrupted() -> None:
        with store.transaction() as tx:
            tx.meta.set("name", "value")
            tx.meetings.ensure_adhoc(None, T0, as_of=T0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    with store.reading() as tx:
        assert tx.meta.get("name") is None
        assert tx.meetings.due(T0, 9) == []


def test_a_reader_sees_one_moment(store: SqlStore) -> None:
    """What others commit meanwhile is seen by the next reader."""
    with store.reading() as tx:
        assert tx.meta.get("name") is None
        with store.transaction() as other:
            other.meta.set("name", "value")
        assert tx.meta.get("name") is None
    with store.reading() as tx:
        assert tx.meta.get("name") == "value"


def test_a_reader_cannot_write(store: SqlStore) -> None:
    """It is refused, and the connection is good for writing afterwards."""
    with pytest.raises(MeetbotError), store.reading() as tx:
        tx.meta.set("name", "value")
    with store.transaction() as tx:
        tx.meta.set("name", "value")


def test_a_transaction_within_another_is_refused(store: SqlStore) -> None:
    """It would wait for itself for ever."""
    with store.transaction(), pytest.raises(RuntimeError, match="inside"):
        store.transaction().__enter__()
    with store.transaction() as tx:
        tx.meta.set("name", "value")


@pytest.mark.parametrize("stores", [1, 2], ids=["one-process", "two-processes"])
def test_write_transactions_run_one_after_the_other(store: SqlStore, url: str, stores: int) -> None:
    """No addition is lost when everybody reads, adds one and writes."""
    patient = url.replace("timeout=0.2", "timeout=30")
    opened = [open_store(patient) for _ in range(stores)]
    workers, rounds = 4, 10

    def work(number: int) -> None:
        for _ in range(rounds):
            with opened[number % stores].transaction() as tx:
                tx.meta.set("count", str(int(tx.meta.get("count") or 0) + 1))

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    for each in opened:
        each.close()

    with store.reading() as tx:
        assert tx.meta.get("count") == str(workers * rounds)


def test_readers_do_not_wait_for_a_writer(store: SqlStore) -> None:
    """Many threads read while a transaction is open."""
    with store.transaction() as tx:
        tx.meta.set("name", "value")

        def read(_: int) -> str | None:
            with store.reading() as other:
                return other.meta.get("name")

        with ThreadPoolExecutor(12) as pool:
            assert set(pool.map(read, range(24))) == {None}


# --- failures -----------------------------------------------------------------------------------


def test_a_locked_database_is_temporary(tmp_path: Path) -> None:
    """Another process that holds the lock too long is no reason to give up."""
    path = tmp_path / "meetbot.db"
    with closing(open_store(f"sqlite:///{path}?timeout=0.01")) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Temporary, match="locked"), store.transaction():
                pass
            other.execute("ROLLBACK")
        with store.transaction() as tx:
            tx.meta.set("name", "value")


def test_a_broken_connection_is_temporary(empty_postgres: str) -> None:
    """The transaction is lost and can be tried again on a new connection."""
    with closing(open_store(empty_postgres)) as store:

        def broken() -> None:
            with store.transaction() as tx:
                tx.meta.set("name", "value")
                with store._engine.connect() as other:
                    other.exec_driver_sql(KILL_OTHERS)
                tx.meta.get("name")

        with pytest.raises(Temporary):
            broken()
        with store.transaction() as tx:
            assert tx.meta.get("name") is None
            tx.meta.set("name", "value")


def test_a_dead_idle_connection_is_not_noticed(empty_postgres: str) -> None:
    """After a restart of the server the next transaction simply works."""
    with closing(open_store(empty_postgres)) as store:
        with closing(psycopg.connect(empty_postgres, autocommit=True)) as other:
            other.execute(KILL_OTHERS)
        with store.transaction() as tx:
            tx.meta.set("name", "value")


def test_errors_are_ours_inside_the_transaction_too(store: SqlStore) -> None:
    """A job that looks closely at one statement catches our tree, without any value in it."""
    with store.transaction() as tx:
        tx.meta.set("name", "ann@district.example")
    again = "INSERT INTO settings (name, value) VALUES ('name', 'ann@district.example')"
    with store.transaction() as tx, pytest.raises(Permanent) as caught:
        tx.meta._connection.exec_driver_sql(again)
    assert "ann@" not in str(caught.value)


def test_an_instant_without_a_zone_is_refused(store: SqlStore) -> None:
    """It could mean any of forty moments."""
    naive = datetime(2026, 10, 13, 15)  # noqa: DTZ001 (the point of this test)
    with pytest.raises(ValueError, match="zone"), store.transaction() as tx:
        tx.meetings.due(naive, 1)


def test_closing_leaves_nothing_open(url: str) -> None:
    """No connection outlives the store: a leak would be a warning, which is an error here."""
    store = open_store(url)
    with store.transaction() as tx:
        tx.meetings.apply(a_read(a_copy()), as_of=T0)
        tx.conferences.save([a_conference()], [a_visit()], as_of=T0)
    store.close()
    assert store._engine.pool.checkedin() == 0  # type: ignore[attr-defined]
