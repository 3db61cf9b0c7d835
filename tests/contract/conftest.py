"""One suite, every database: `store` comes once on SQLite and once on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from meetbot.store import SqlStore, open_store
from meetbot.store.tables import metadata
from tests.builders import T0
from tests.postgres import postgres_server

NOW = T0 + timedelta(days=1)
"""What the store's clock says."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[str], str]]:
    """A PostgreSQL server of our own; gives the URL of a database by name."""
    with postgres_server() as url_of:
        yield url_of


@pytest.fixture(scope="session")
def ready_postgres(postgres: Callable[[str], str]) -> str:
    """The URL of a database with the newest schema."""
    url = postgres("postgres")
    open_store(url).close()
    return url


@pytest.fixture
def empty_postgres(ready_postgres: str) -> str:
    """The URL of that database, with nothing in its tables: much cheaper than one for each test."""
    with closing(psycopg.connect(ready_postgres, autocommit=True)) as connection:
        for table in reversed(metadata.sorted_tables):
            name = psycopg.sql.Identifier(table.name)
            connection.execute(psycopg.sql.SQL("DELETE FROM {}").format(name))
    return ready_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/meetbot.db?timeout=0.2"
    return str(request.getfixturevalue("empty_postgres"))


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """An open, empty store of each kind."""
    with closing(open_store(url, clock=lambda: NOW)) as opened:
        yield opened
