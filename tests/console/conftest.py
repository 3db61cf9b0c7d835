"""A console over the demo district as one poll left it; each test has a copy of its database."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from meetbot.console import ConsoleConfig, Services, create_app
from meetbot.console.access import Role
from meetbot.jobs.deps import Deps
from meetbot.sandbox.district import demo_district, principal
from meetbot.store import SqlStore, open_store
from tests.stage import Stage, a_stage

PEOPLE = {
    Role.OFFICER: "officer.one@district.example",
    Role.PRIVACY: "privacy@district.example",
    Role.PRINCIPAL: principal("lakeview"),
    Role.KEEPER: "keeper@district.example",
    Role.OPERATOR: "it@district.example",
    Role.AUDITOR: "auditor@district.example",
}
"""Somebody for each role; who is host depends on the case."""
SECOND_OFFICER = "officer.two@district.example"
CONFIG = ConsoleConfig(
    district_name="Example Public Schools",
    zone=ZoneInfo("America/Chicago"),
    base_url="http://127.0.0.1:8000",
    officers=(PEOPLE[Role.OFFICER], SECOND_OFFICER),
    privacy_officers=(PEOPLE[Role.PRIVACY],),
    keepers=(PEOPLE[Role.KEEPER],),
    operators=(PEOPLE[Role.OPERATOR],),
    auditors=(PEOPLE[Role.AUDITOR],),
)


@dataclass(slots=True)
class Console:
    """A console to look at. `now` is what its clock says; tests may move it."""

    app: Flask
    store: SqlStore
    deps: Deps
    now: datetime
    services: Services

    def client(self, who: Role | str | None) -> FlaskClient:
        """A browser signed in as somebody: of a role, by address, or not at all."""
        client = self.app.test_client()
        if who is not None:
            address = PEOPLE[who] if isinstance(who, Role) else who
            with client.session_transaction() as session:
                session["address"] = address
        return client


@pytest.fixture(scope="session")
def polled_district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, datetime]]:
    """The demo district after its first complete pass, and when that was."""
    now = datetime.now(UTC).replace(microsecond=0)
    world, rows, _ = demo_district(now)
    with a_stage(tmp_path_factory.mktemp("console"), world, rows, clock=lambda: now) as stage:
        assert stage.poll().is_covered
        yield stage, now


@pytest.fixture
def console(polled_district: tuple[Stage, datetime], tmp_path: Path) -> Iterator[Console]:
    """A console over a copy of that database."""
    stage, now = polled_district
    with stage.app.store.reading():
        shutil.copy(stage.folder / "meetbot.db", tmp_path / "meetbot.db")
        wal = stage.folder / "meetbot.db-wal"
        if wal.exists():
            shutil.copy(wal, tmp_path / "meetbot.db-wal")
    store = open_store(f"sqlite:///{tmp_path / 'meetbot.db'}")
    deps = replace(stage.app.deps, store=store)
    made: Console | None = None

    def clock() -> datetime:
        assert made is not None
        return made.now

    services = Services(deps=deps, clock=clock, config=CONFIG)
    app = create_app(services)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    made = Console(app, store, deps, now, services)
    try:
        yield made
    finally:
        store.close()


ClientOf = Callable[[Role | str | None], FlaskClient]


@pytest.fixture
def client_of(console: Console) -> ClientOf:
    """Gives a browser signed in as somebody."""
    return console.client
