"""What a database of an older schema held is there in the newest one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text

from meetbot.domain.attendance import Identity, IdentityForm
from meetbot.domain.case_ids import case_id
from meetbot.domain.casework import CaseStatus
from meetbot.domain.findings import Severity
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.overview import Quantiles, Scope
from meetbot.domain.snapshots import Withheld
from meetbot.ports import CaseQuery, HeldConference
from meetbot.store import migrations, open_store
from meetbot.store.columns import dump
from tests.builders import a_conference, a_stored_flag, a_visit, at
from tests.flags import a_flag

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


OLD_ROWS = (
    "INSERT INTO flags VALUES ('F-1', 'lesson', 'r', 'dismissed', 1,"
    ' \'{"status": "dismissed", "ratio": 0.5}\')',
    'INSERT INTO decisions (flag_id, status, reason, note, "by", decided_at)'
    " VALUES ('F-1', 'dismissed', 'technical', 'Süd', 'o@district.example', 1790000000000001)",
    "INSERT INTO registry_rows (file, row_key, position, cells, known_from, known_to)"
    " VALUES ('partners', 'a', 1, '{\"name\": \"A\"}', 1, 2), ('partners', 'a', 1, '{}', 2, NULL)",
    "INSERT INTO outbox VALUES ('n1', 'weekly', NULL, NULL, 'sent', 1, NULL, 1, NULL, '', '<1@d>',"
    " 1, 1, '{\"a\": 1.5}')",
    "INSERT INTO outbox VALUES ('n2', 'weekly', NULL, NULL, 'queued', 1, NULL, 1, NULL, '', NULL,"
    " 1, 1, '{}')",
    "INSERT INTO learned_addresses VALUES ('i', 'k', 'bo@partner.example')",
)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("SELECT 1", None),
        ("UPDATE decisions SET note = 'x'", "decisions"),
        ("DELETE FROM decisions", "decisions"),
        ("UPDATE registry_rows SET known_to = 3 WHERE known_to = 2", "registry_ends"),
        ("DELETE FROM registry_rows WHERE known_to IS NULL", "registry_rows"),
        ("DELETE FROM outbox WHERE id = 'n1'", "outbox"),
        ("DELETE FROM outbox WHERE id = 'n2'", None),
    ],
)
def test_the_chain_begins_with_what_was_there(
    old_url: str, statement: str, what: str | None
) -> None:
    """Earlier decisions, registry rows and mails are anchored by its first link."""
    engine = upgraded_to(old_url, "0002")
    with engine.begin() as connection:
        for each in OLD_ROWS:
            connection.execute(text(each.replace(":", "\\:")))
    with closing(open_store(old_url)) as store:
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()
        with store.reading() as tx:
            audit = tx.chain.audit()
            assert tx.people.learned(["i"]) == {"i": ("k", "bo@partner.example")}

    assert audit.links == 1
    if what is None:
        assert audit.broken is None
    else:
        assert audit.broken is not None
        assert audit.broken.sequence == 1
        assert what in audit.broken.what


def test_flags_that_are_there_become_cases(old_url: str) -> None:
    """With what is known of their meetings' privacy; the others wait for the judge, which is due.

    The rows are made by this program and put into the older schema.
    """
    pending = a_stored_flag(uid="pending", partner_id="P2", school_id="S1")
    closed = a_stored_flag(uid="closed", status=FlagStatus.UPHELD, severity=Severity.CRITICAL)
    clinical = a_stored_flag(uid="clinical", status=FlagStatus.DISMISSED)
    intruder = a_stored_flag("confidential-intruder", uid="open", status=FlagStatus.WITHDRAWN)
    lapsed = a_stored_flag(uid="open")
    found = {
        pending.id: (pending, None),
        closed.id: (closed, Withheld.ADULTS),
        clinical.id: (clinical, Withheld.CONFIDENTIAL),
        intruder.id: (intruder, Withheld.ADULTS),
        lapsed.id: (lapsed, Withheld.ADULTS),
    }
    engine = upgraded_to(old_url, "0007")
    flag_row = "INSERT INTO flags VALUES (:id, :occurrence, :rule, :status, :opened_at, :flag)"
    history_row = (
        "INSERT INTO flag_history (flag_id, at, change, reason, flag, snapshot, withheld)"
        " VALUES (:id, 1, 'opened', '', :flag, NULL, :withheld)"
    )
    with engine.begin() as connection:
        for flag, withheld in found.values():
            row = {
                "id": flag.id,
                "occurrence": flag.key.occurrence,
                "rule": flag.rule,
                "status": flag.status.value,
                "opened_at": _micros(60),
                "flag": dump(Flag, flag),
                "withheld": withheld.value if withheld else None,
            }
            connection.execute(text(flag_row), {k: v for k, v in row.items() if k != "withheld"})
            connection.execute(text(history_row), {k: row[k] for k in ("id", "flag", "withheld")})
        meeting = (
            "INSERT INTO meetings (key_text, ical_uid, original_start_at, is_adhoc, is_recurring,"
            " is_cancelled, copies, start_at, end_at, first_seen_at, scope, version, fingerprints,"
            " undecided, is_undecided, attendance_problem, attendance_final) VALUES"
            " (:key, :uid, :start, :no, :no, :no, 1, 1, 2, 1, 'full', 1, '[]', '[]', :no, '', :no)"
        )
        for flag in (pending, closed):
            given = {
                "key": flag.key.occurrence,
                "uid": flag.occurrence.ical_uid,
                "start": _micros(0),
                "no": False,
            }
            connection.execute(text(meeting), given)
    engine.dispose()

    with closing(open_store(old_url)) as store:
        with store.reading() as tx:
            kept = {case.id: case for case in tx.cases.list(CaseQuery(private=True)).cases}
            due = [tx.meetings.load(number).key.text for number in tx.meetings.due(NEVER, 9)]
        by_uid = {
            flag.occurrence.ical_uid: kept[case_id(flag.key.occurrence)]
            for flag in (pending, closed, clinical, lapsed)
        }
        assert {uid: case.is_private for uid, case in by_uid.items()} == {
            "pending": True,
            "closed": False,
            "clinical": True,
            "open": False,
        }
        assert (by_uid["pending"].partners, by_uid["pending"].schools) == (("P2",), ("S1",))
        assert by_uid["closed"].status is CaseStatus.CLOSED
        assert by_uid["closed"].severity is Severity.CRITICAL
        assert (by_uid["open"].flags, by_uid["open"].rules) == (1, ("staff-left-early",))
        assert due == [pending.key.occurrence]
        # Whatever happens to them next, they stay as they are.
        with store.transaction() as tx:
            for flag, _ in found.values():
                tx.cases.refresh([flag.key.occurrence])
            again = {case.id: case for case in tx.cases.list(CaseQuery(private=True)).cases}
    assert again == kept


NEVER = at(60 * 24 * 3650)


def test_the_overview_counts_flags_of_an_older_schema(old_url: str) -> None:
    """Severity, first and last decision are taken from what was stored; an open flag has none."""
    engine = upgraded_to(old_url, "0008")
    with engine.begin() as connection:
        for number, status in enumerate(("dismissed", "acknowledged", "open", "dismissed")):
            document = dump(Flag, a_flag(severity=Severity.HIGH, opened_at=at(0)))
            connection.execute(
                text("INSERT INTO flags VALUES (:id, :of, 'r', :status, :at, :flag)"),
                {
                    "id": f"F-{number}",
                    "of": f"lesson-{number}",
                    "status": status,
                    "at": _micros(0),
                    "flag": "{}" if number == 3 else document,
                },
            )
            for minute in (7, 9, 5):
                decided = {"id": f"F-{number}", "status": status, "at": _micros(minute)}
                connection.execute(text(_DECIDE), decided)
    engine.dispose()

    with closing(open_store(old_url)) as store, store.reading() as tx:
        scope = Scope(private=True)
        minutes = timedelta(minutes=1)
        (opened,) = tx.overview.opened([at(-1), at(1)], scope)
        acknowledged = tx.overview.acknowledged(at(-1), at(1), scope)
        resolved = tx.overview.resolved(at(-1), at(1), scope)

    assert opened == {Severity.INFO: 1, Severity.HIGH: 3}
    assert acknowledged[Severity.HIGH] == Quantiles(2, 5 * minutes, 5 * minutes)
    assert resolved[Severity.HIGH] == Quantiles(1, 9 * minutes, 9 * minutes)


_DECIDE = (
    'INSERT INTO decisions (flag_id, status, reason, note, "by", decided_at, link)'
    " VALUES (:id, :status, 'technical', '', 'o@district.example', :at, 1)"
)
_JSON = {
    ANN: '{"form":"signed-in","id_key":"ann","name_tokens":["t"]}',
    BO: '{"form":"anonymous","name_key":"bo"}',
}


def _micros(minutes: float) -> int:
    return int(at(minutes).timestamp() * 1_000_000)
