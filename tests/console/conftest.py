"""A console over the demo district as one poll left it; each test has a copy of its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from meetbot.console.access import Role
from tests.console.building import (
    CONFIG,
    PEOPLE,
    SECOND_OFFICER,
    Console,
    a_console,
    a_polled_district,
)
from tests.stage import Stage

__all__ = ["CONFIG", "PEOPLE", "SECOND_OFFICER", "ClientOf", "Console"]


@pytest.fixture(scope="session")
def polled_district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, datetime]]:
    """The demo district after its first complete pass, and when that was."""
    with a_polled_district(tmp_path_factory.mktemp("console")) as found:
        yield found


@pytest.fixture
def console(polled_district: tuple[Stage, datetime], tmp_path: Path) -> Iterator[Console]:
    """A console over a copy of that database."""
    with a_console(*polled_district, tmp_path) as made:
        yield made


ClientOf = Callable[[Role | str | None], FlaskClient]


@pytest.fixture
def client_of(console: Console) -> ClientOf:
    """Gives a browser signed in as somebody."""
    return console.client
