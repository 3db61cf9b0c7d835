"""What a database of an older schema held is there in the newest one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text

from meetbot.domain.attendance import Identity, IdentityForm
from meetbot.ports import HeldConference
from meetbot.store import migrations, open_store
from tests.builders import a_conference, a_visit, at

ANN = Identity(IdentityForm.SIGNED_IN, id_key="ann", name_tokens=("t",))
BO = Identity(IdentityForm.ANONYMOUS, name_key="bo")
VISITS = (
    a_visit("ann", 0, 10, identity=ANN),
    a_visit("bo", 5, None, identity=BO, last_seen_at=at(7)),
    a_visit("ann", 20, 45, identity=ANN),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind that nobody opened yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/old.db"
    postgres: Callable[[str], str] = request.getfixturevalue("postgres")
    with closing(psycopg.connect(postgres("postgres"), autocommit=True)) as connection:
        connection.execute("DROP DATABASE IF EXISTS old")
        connection.execute("CREATE DATABASE old TEMPLATE template0")
    return postgres("old")


def upgraded_to(url: str, revision: str) -> Engine:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    config = Config()
    config.set_main_option("script_location", migrations.__path__[0].replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def test_visits_of_the_first_schema_are_kept(old_url: str) -> None:
    """Each visit a row of its own then; conferences without visits stay as well."""
    engine = upgraded_to(old_url, "0001")
    with engine.begin() as connection:
        for name in ("conferenceRecords/1", "conferenceRecords/2"):
            connection.execute(
                text("INSERT INTO conferences VALUES (:n, 'meet', :c, :s, :e, null, null, null)"),
                {"n": name, "c": a_conference().meeting_code, "s": _micros(0), "e": _micros(45)},
            )
        for visit in VISITS:
            connection.execute(
                text("INSERT INTO visits VALUES ('meet', :k, :c, :p, :i, :s, :e, :l, :h)"),
                {
                    "k": visit.key,
                    "c": "conferenceRecords/1",
                    "p": visit.participant,
                    "i": _JSON[visit.identity],
                    "s": _micros((visit.start_at - at(0)).total_seconds() / 60),
                    "e": visit.end_at and _micros((visit.end_at - at(0)).total_seconds() / 60),
                    "l": visit.last_seen_at and _micros(7),
                    "h": False,
                },
            )
    engine.dispose()

    with closing(open_store(old_url)) as store, store.reading() as tx:
        found = tx.conferences.named(["conferenceRecords/1", "conferenceRecords/2"])
    assert found == (
        HeldConference(a_conference("conferenceRecords/1"), VISITS),
        HeldConference(a_conference("conferenceRecords/2"), ()),
    )


_JSON = {
    ANN: '{"form":"signed-in","id_key":"ann","name_tokens":["t"]}',
    BO: '{"form":"anonymous","name_key":"bo"}',
}


def _micros(minutes: float) -> int:
    return int(at(minutes).timestamp() * 1_000_000)
