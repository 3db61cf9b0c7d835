"""Measured: pages of the officers' console over very many stored flags, on both engines.

The flags are written straight into the tables: finding them first would take hours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select

from meetbot.console import ConsoleConfig, Services, create_app
from meetbot.domain.casework import (
    Case,
    CaseStatus,
    Noted,
    Term,
    case_of,
    gist_of,
    terms_of,
)
from meetbot.domain.findings import FlagKey, Severity
from meetbot.domain.flags import Flag, FlagStatus, flag_id
from meetbot.domain.meetings import OccurrenceKey
from meetbot.jobs.case_facts import facts_of, lines_of
from meetbot.jobs.deps import Deps
from meetbot.notify import Composer
from meetbot.ports import CaseOrder, CaseQuery, Tx
from meetbot.rules import KNOWN_RULES
from meetbot.store import SqlStore, open_store
from meetbot.store.tables import case_terms, cases, flag_history, flags
from tests.bench.gauge import Cost, answer, arguments, measured
from tests.casework import LEFT, NOW, PRIVACY, Scene
from tests.dossiers import held, partner, somebody, staff, students
from tests.evidence import changes_of
from tests.fakes.workspace import (
    FakeCalendars,
    FakeDirectory,
    FakeMailer,
    FakeMeet,
    FakeReports,
)
from tests.postgres import postgres_server

_PER_CASE = 5
_BATCH = 5000
_RULES = sorted(KNOWN_RULES)
_TURNS = 5


def main() -> None:
    """`flags`: how many are stored."""
    number = arguments()["flags"]
    costs: dict[str, Cost] = {}
    for engine, url in _urls():
        with TemporaryDirectory(prefix="meetbot-bench-") as folder:
            store = open_store(url or f"sqlite:///{folder}/meetbot.db")
            with closing(store):
                fill(store, number)
                costs |= {f"{engine} {name}": cost for name, cost in _measured(store)}
    answer(costs)


def _urls() -> Iterator[tuple[str, str]]:
    yield "SQLite", ""
    with postgres_server() as url_of:
        yield "PostgreSQL", url_of("postgres")


# --- filling ------------------------------------------------------------------------------------


def fill(store: SqlStore, number: int) -> None:
    """So many flags in cases of five; one case in seven waits, some partners are everywhere."""
    found = (change.flag for change in changes_of(LEFT))
    model = next(found)
    with store.transaction() as tx:
        connection = tx.flags._connection
        many: list[list[Flag]] = []
        for first in range(0, number, _PER_CASE):
            many.append(list(_flags(model, first // _PER_CASE)))
            if len(many) == _BATCH // _PER_CASE:
                _write(connection, many)
                many = []
        _write(connection, many)
    with store._engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def _flags(model: Flag, number: int) -> Iterator[Flag]:
    start = LEFT.start_at - timedelta(minutes=37 * number)
    occurrence = OccurrenceKey(f"lesson{number}@google.com", start, "abcdefghij")
    statuses = (FlagStatus.OPEN, *[FlagStatus.DISMISSED] * 4, FlagStatus.UPHELD)
    status = FlagStatus.ACKNOWLEDGED if number % 7 == 6 else statuses[number % 7]
    for each in range(_PER_CASE):
        key = FlagKey(_RULES[(number + each * 7) % len(_RULES)], occurrence.text, "subject")
        yield replace(
            model,
            id=flag_id(key),
            key=key,
            occurrence=occurrence,
            status=status,
            severity=tuple(Severity)[(number + each) % 5],
            school_id=f"school{number % 61}",
            partner_id=f"partner{number % 41 if number % 3 else 0}",
            opened_at=start,
            updated_at=start + timedelta(days=1),
        )


def _noted(flag: Flag, number: int) -> Noted:
    host = f"host{number % 400}"
    school = (flag.school_id or "",)
    return Noted(host, (host,), school, number % 50 == 0, flag.occurrence.original_start_at)


def _write(connection: Connection, many: list[list[Flag]]) -> None:
    rows: dict[Any, list[dict[str, Any]]] = {flags: [], flag_history: [], cases: []}
    terms: dict[str, tuple[Term, ...]] = {}
    for number, own in enumerate(many):
        noted = _noted(own[0], number)
        case = case_of(own, noted, touched_at=None)
        rows[flags] += [_flag_row(flag) for flag in own]
        rows[flag_history] += [_history_row(flag) for flag in own]
        rows[cases].append(_case_row(case, own, noted))
        terms[case.id] = terms_of(own, noted)
    for table, found in rows.items():
        if found:
            connection.execute(insert(table), found)
    numbers = select(cases.c.id, cases.c.number, cases.c.starts_at)
    found = [
        {"case": row.number, "kind": t.kind, "value": t.value, "starts_at": row.starts_at}
        for row in connection.execute(numbers)
        for t in terms.get(row.id, ())
    ]
    if found:
        connection.execute(insert(case_terms), found)


def _flag_row(flag: Flag) -> dict[str, Any]:
    return {
        "id": flag.id,
        "occurrence": flag.key.occurrence,
        "rule": flag.rule,
        "status": flag.status,
        "opened_at": flag.opened_at,
        "flag": flag,
    }


def _history_row(flag: Flag) -> dict[str, Any]:
    return {
        "flag_id": flag.id,
        "at": flag.opened_at,
        "change": "opened",
        "reason": "",
        "flag": flag,
        "snapshot": None,
        "withheld": "adults",
    }


def _case_row(case: Case, own: list[Flag], noted: Noted) -> dict[str, Any]:
    names = "id occurrence is_private school_id host_key starts_at opened_at updated_at"
    return {name: getattr(case, name) for name in f"{names} flags pending version".split()} | {
        "status": case.status,
        "severity": case.severity.rank,
        "gist": gist_of(own),
        "noted": noted,
    }


# --- measuring ----------------------------------------------------------------------------------


WAITING = frozenset({CaseStatus.OPEN, CaseStatus.ACKNOWLEDGED})
LISTS: dict[str, dict[str, Any]] = {
    "first page of what waits, most severe first": {
        "query": CaseQuery(statuses=WAITING),
        "order": CaseOrder.SEVERE,
    },
    "first page of everything, newest first": {"query": CaseQuery(private=True)},
    "one partner in a third of all cases": {
        "query": CaseQuery(partners=frozenset({"partner0"})),
        "order": CaseOrder.SEVERE,
    },
    "one rule of one school, closed": {
        "query": CaseQuery(
            rules=frozenset({"guests-can-invite"}),
            schools=frozenset({"school7"}),
            statuses=frozenset({CaseStatus.CLOSED}),
        )
    },
    "one month of critical and high ones": {
        "query": CaseQuery(
            severities=frozenset({Severity.CRITICAL, Severity.HIGH}),
            since=LEFT.start_at - timedelta(days=230),
            until=LEFT.start_at - timedelta(days=200),
        )
    },
    "own school's cases": {"query": CaseQuery(schools=frozenset({"school7", "school8"}))},
}
"""Lists as the console asks for them, each with its count."""


def _measured(store: SqlStore) -> Iterator[tuple[str, Cost]]:
    for name, asked in LISTS.items():
        yield f"list: {name}", _usual(store, partial(_page, asked=asked))
    scene = Scene(store)
    children = students((0, 45), number=27)
    case = scene.put(held(staff((0, 30)), partner((0, 44)), *children, somebody((5, 25))))
    yield "facts of a case: 30 participants", _usual(store, partial(_facts, scene=scene, case=case))
    yield from _pages(scene, case)


def _page(tx: Tx, asked: dict[str, Any]) -> None:
    lines_of(tx, tx.cases.list(**asked).cases)
    tx.cases.count(asked["query"])


def _facts(tx: Tx, scene: Scene, case: Case) -> None:
    facts_of(scene.deps, tx, case.id, sees=lambda _: True)


def _pages(scene: Scene, case: Case) -> Iterator[tuple[str, Cost]]:
    """Whole pages as a privacy officer gets them, who may see everything."""
    client = _client(scene)
    for name, path in (
        ("/cases", "/cases"),
        ("/cases, one partner in a third", "/cases?partner=partner0"),
        ("/cases, a search", "/cases?search=guests"),
        ("/cases/…", f"/cases/{case.id}"),
        ("/overview", "/overview"),
    ):
        cost = _usual(scene.store, partial(_get, client=client, path=path))
        cost.more["kilobytes"] = len(client.get(path).data) / 1000
        yield f"page {name}", cost


def _get(_: Tx, client: FlaskClient, path: str) -> None:
    answered = client.get(path)
    if answered.status_code != 200:
        raise RuntimeError(f"{path} was answered with {answered.status_code}")


def _client(scene: Scene) -> FlaskClient:
    officers = ("compliance@district.example",)
    deps = Deps(
        store=scene.store,
        directory=FakeDirectory(),
        calendars=FakeCalendars(),
        meet=FakeMeet(),
        reports=FakeReports(),
        mailer=FakeMailer(),
        compose=Composer("meetbot@district.example", "Example Public Schools", officers, {}),
        pseudonyms=scene.deps.pseudonyms,
        policy=scene.deps.policy,
        district=scene.deps.district,
    )
    config = ConsoleConfig(
        district_name="Example Public Schools",
        zone=scene.deps.district.zone,
        base_url="http://127.0.0.1:8000",
        privacy_officers=(PRIVACY,),
    )
    app = create_app(Services(deps=deps, clock=lambda: NOW, config=config))
    app.config["RATELIMIT_ENABLED"] = False
    client = app.test_client()
    with client.session_transaction() as session:
        session["address"] = PRIVACY
    return client


def _usual(store: SqlStore, work: Callable[[Tx], object]) -> Cost:
    """The middle one of a few turns; the first one, which builds statements, does not count."""
    walls: list[float] = []
    with measured() as cost:
        for turn in range(_TURNS + 1):
            begun = time.perf_counter()
            with store.reading() as tx:
                work(tx)
            if turn:
                walls.append(time.perf_counter() - begun)
    cost.more = {"usual": median(walls)}
    return cost


if __name__ == "__main__":
    main()
