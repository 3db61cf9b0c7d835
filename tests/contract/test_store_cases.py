"""Cases follow their flags, are listed page by page, and remember what was done about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from meetbot.domain.case_ids import case_id
from meetbot.domain.casework import (
    Case,
    CaseEvent,
    CaseStatus,
    EventKind,
    Noted,
    Step,
    Term,
    TermKind,
)
from meetbot.domain.findings import Severity
from meetbot.domain.flags import ChangeKind, Flag, FlagChange, FlagStatus
from meetbot.errors import BadInput, NotFound
from meetbot.jobs.case_facts import facts_of, lines_of
from meetbot.ports import CaseOrder, CaseQuery, CaseSearch, Decision
from meetbot.store import SqlStore
from tests.builders import T0, a_stored_flag, at
from tests.casework import Scene


def noted(start: float = 0, **values: Any) -> Noted:
    """What the judge knows of an open meeting; `start` in minutes."""
    defaults: dict[str, Any] = {
        "host_key": "key-ann",
        "answerers": ("key-ann",),
        "schools": ("S1",),
        "is_private": False,
        "starts_at": at(start),
    }
    return Noted(**defaults | values)


NOTED = noted()


def put(store: SqlStore, *flags: Flag, known: Noted | None = NOTED) -> Case:
    """Store flags of one occurrence as the judge does; gives their case."""
    occurrence = flags[0].key.occurrence
    with store.transaction() as tx:
        for flag in flags:
            tx.flags.save([FlagChange(ChangeKind.UPDATED, flag)], as_of=flag.updated_at)
        if known:
            tx.cases.note(occurrence, known)
        found = tx.cases.find(case_id(occurrence))
    assert found is not None
    return found


def ids(store: SqlStore, query: CaseQuery, order: CaseOrder = CaseOrder.NEWEST) -> list[str]:
    """Ids of all pages of two cases each."""
    with store.reading() as tx:
        return list(_walk(tx.cases, query, order))


def _walk(cases: Any, query: CaseQuery, order: CaseOrder) -> Iterator[str]:
    page = cases.list(query, order=order, limit=2)
    yield from (case.id for case in page.cases)
    while page.after is not None:
        page = cases.list(query, order=order, after=page.after, limit=2)
        yield from (case.id for case in page.cases)


def test_a_case_says_what_its_flags_say(store: SqlStore) -> None:
    """The highest severity that waits, who is concerned, and how many flags there are."""
    first = a_stored_flag(severity=Severity.MEDIUM, partner_id="P1", school_id="S1", opened=1)
    second = a_stored_flag(
        "no-staff-joined",
        severity=Severity.CRITICAL,
        partner_id="P2",
        opened=2,
        status=FlagStatus.WITHDRAWN,
    )
    case = put(store, first, second)

    assert case == Case(
        id=case_id(first.key.occurrence),
        occurrence=first.key.occurrence,
        status=CaseStatus.OPEN,
        severity=Severity.MEDIUM,
        is_private=False,
        school_id="S1",
        host_key="key-ann",
        starts_at=T0,
        opened_at=at(2),
        updated_at=at(2),
        flags=2,
        pending=1,
        version=case.version,
        rules=("no-staff-joined", "staff-left-early"),
        partners=("P1", "P2"),
        schools=("S1",),
        answerers=("key-ann",),
    )


def test_a_decision_moves_the_case(store: SqlStore) -> None:
    """Acknowledged, closed, and open again once undone; each time a newer version."""
    flag = a_stored_flag()
    versions = [put(store, flag).version]
    states = []
    for status in (FlagStatus.ACKNOWLEDGED, FlagStatus.DISMISSED, FlagStatus.OPEN):
        with store.transaction() as tx:
            tx.flags.decide(Decision(flag.id, status, "technical", "", "officer", at(90)))
            case = tx.cases.find(case_id(flag.key.occurrence))
            assert case is not None
        states.append((case.status, case.pending))
        versions.append(case.version)

    assert states == [
        (CaseStatus.ACKNOWLEDGED, 1),
        (CaseStatus.CLOSED, 0),
        (CaseStatus.OPEN, 1),
    ]
    assert versions == sorted(set(versions))


def test_the_version_stays_while_only_seconds_change(store: SqlStore) -> None:
    """An officer need not start again because a running call goes on."""
    flag = a_stored_flag()
    before = put(store, flag)
    longer = put(store, replace(flag, message="Longer.", updated_at=at(61)))
    worse = put(store, replace(flag, severity=Severity.CRITICAL, updated_at=at(62)))

    assert longer.version == before.version
    assert longer.updated_at == at(61)
    assert worse.version > before.version


def test_a_case_is_private_until_the_judge_says_otherwise(store: SqlStore) -> None:
    """And always where a rule speaks that only the privacy officers hear of."""
    flag = a_stored_flag()
    assert put(store, flag, known=None).is_private
    assert not put(store, flag, known=noted()).is_private
    assert put(store, flag, known=noted(is_private=True)).is_private
    intruder = a_stored_flag("confidential-intruder", status=FlagStatus.UPHELD)
    assert put(store, flag, intruder, known=noted()).is_private


def test_a_private_flag_that_is_gone_leaves_the_others_to_everybody(store: SqlStore) -> None:
    """The exemption lapsed: officers are told of what waits, and nothing of what was before."""
    flag = a_stored_flag(severity=Severity.LOW, opened=1)
    intruder = a_stored_flag(
        "confidential-intruder",
        severity=Severity.CRITICAL,
        partner_id="P2",
        opened=2,
        status=FlagStatus.WITHDRAWN,
    )
    assert put(store, intruder).is_private
    case = put(store, flag, intruder)

    assert not case.is_private
    assert (case.flags, case.severity, case.opened_at) == (1, Severity.LOW, at(1))
    assert (case.rules, case.partners) == (("staff-left-early",), ("P1",))


def test_what_is_noted_without_a_case_is_not_kept(store: SqlStore) -> None:
    """Nothing is kept of meetings without flags."""
    with store.transaction() as tx:
        tx.cases.note("lesson", noted())
    with store.reading() as tx:
        assert tx.cases.find(case_id("lesson")) is None
        assert tx.cases.count(CaseQuery(private=True)) == 0


def test_shadow_flags_make_no_case(store: SqlStore) -> None:
    """Of what a rule in shadow finds nobody hears."""
    with store.transaction() as tx:
        tx.shadows.save([FlagChange(ChangeKind.OPENED, a_stored_flag())])
        assert tx.cases.count(CaseQuery(private=True)) == 0


def a_few(store: SqlStore) -> dict[str, str]:
    """Six cases of several kinds; ids by a short name."""
    rows: dict[str, tuple[dict[str, Any], Noted]] = {
        "old": ({"severity": Severity.HIGH, "opened": 1, "partner_id": "P1"}, noted(-90)),
        "critical": ({"severity": Severity.CRITICAL, "opened": 2}, noted(-60, schools=("S2",))),
        "seen": (
            {"status": FlagStatus.ACKNOWLEDGED, "opened": 3, "partner_id": "P2"},
            noted(-30, answerers=("key-bo",), host_key=None),
        ),
        "closed": ({"status": FlagStatus.UPHELD, "opened": 4}, noted(0)),
        "private": ({"opened": 5}, noted(30, is_private=True)),
        "new": ({"rule": "contract-missing", "severity": Severity.LOW, "opened": 5}, noted(60)),
    }
    return {
        name: put(store, a_stored_flag(uid=name, **values), known=known).id
        for name, (values, known) in rows.items()
    }


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, ["new", "closed", "seen", "critical", "old"]),
        ({"private": True}, ["new", "private", "closed", "seen", "critical", "old"]),
        ({"statuses": {CaseStatus.OPEN}}, ["new", "critical", "old"]),
        ({"statuses": {CaseStatus.CLOSED, CaseStatus.ACKNOWLEDGED}}, ["closed", "seen"]),
        ({"statuses": set()}, []),
        ({"severities": {Severity.CRITICAL, Severity.LOW}}, ["new", "critical"]),
        ({"rules": {"contract-missing"}}, ["new"]),
        ({"partners": {"P2"}}, ["seen"]),
        ({"partners": set()}, []),
        ({"schools": {"S2"}}, ["critical"]),
        ({"hosts": {"key-bo"}}, ["seen"]),
        ({"partners": {"P2"}, "schools": {"S2"}}, []),
        ({"since": at(-60), "until": at(0)}, ["seen", "critical"]),
    ],
)
@pytest.mark.parametrize("order", list(CaseOrder))
def test_cases_are_found_by_what_is_asked(
    store: SqlStore, query: dict[str, Any], wanted: list[str], order: CaseOrder
) -> None:
    """All pages together hold each case that fits once, and as many as were counted."""
    names = {number: name for name, number in a_few(store).items()}
    values: dict[str, Any] = {
        key: frozenset(value) if isinstance(value, set) else value for key, value in query.items()
    }
    asked = CaseQuery(**values)
    found = [names[number] for number in ids(store, asked, order)]

    with store.reading() as tx:
        assert tx.cases.count(asked) == len(wanted)
    if order is CaseOrder.NEWEST and "private" not in wanted:
        assert found == wanted
    assert sorted(found) == sorted(wanted)


def test_the_most_severe_come_first(store: SqlStore) -> None:
    """Of equal ones the newest."""
    names = {number: name for name, number in a_few(store).items()}
    found = ids(store, CaseQuery(), CaseOrder.SEVERE)

    assert [names[number] for number in found] == ["critical", "closed", "seen", "old", "new"]


def test_a_search_finds_by_any_term_or_id(store: SqlStore) -> None:
    """A word may be the name of a partner, of a school, or of a rule."""
    names = a_few(store)
    search = CaseSearch(
        frozenset({names["old"]}),
        frozenset({Term(TermKind.PARTNER, "P2"), Term(TermKind.RULE, "contract-missing")}),
    )
    found = ids(store, CaseQuery(search=search))

    assert found == [names["new"], names["seen"], names["old"]]
    assert ids(store, CaseQuery(search=CaseSearch())) == []


@pytest.mark.parametrize("after", ["", "x", "9.1.C-000000000000'", "1." + "9" * 30 + ".C-0"])
def test_a_place_that_no_page_gave_is_refused(store: SqlStore, after: str) -> None:
    """It comes from an address bar."""
    with store.reading() as tx, pytest.raises(BadInput):
        tx.cases.list(CaseQuery(), after=after)


def test_earlier_cases_of_partner_and_host(store: SqlStore) -> None:
    """The newest meeting first, each case once, private ones only for whom they are."""
    names = a_few(store)
    with store.reading() as tx:
        mixed = tx.cases.earlier(["P1", "P2"], "key-ann", before=at(60), limit=9, private=False)
        own = tx.cases.earlier([], "key-ann", before=at(60), limit=2, private=True)
        none = tx.cases.earlier([], None, before=at(60), limit=9, private=True)

    assert [case.id for case in mixed] == [names[n] for n in ("closed", "seen", "critical", "old")]
    assert [case.id for case in own] == [names["private"], names["closed"]]
    assert none == []


def test_events_come_back_with_a_link(store: SqlStore) -> None:
    """What was done is kept in order, is part of the chain, and makes a newer version."""
    case = put(store, a_stored_flag())
    step = Step("F-1", FlagStatus.OPEN, FlagStatus.UPHELD)
    asked = CaseEvent(case.id, EventKind.ASKED, at(70), "officer@district.example")
    proposed = CaseEvent(
        case.id,
        EventKind.PROPOSED,
        at(71),
        "officer@district.example",
        choice="data-disclosed",
        note="Zwei\nZeilen",
        about="U1",
        person="P1",
        of=1,
        steps=(step, replace(step, flag_id="F-2")),
    )
    with store.transaction() as tx:
        stored = [tx.cases.add_event(event) for event in (asked, proposed)]

    with store.reading() as tx:
        assert tx.cases.events(case.id) == stored
        assert [replace(event, number=0) for event in stored] == [asked, proposed]
        assert stored[0].number < stored[1].number
        after = tx.cases.find(case.id)
        assert tx.chain.audit().broken is None
    assert after is not None
    assert after.version == case.version + 2
    assert after.updated_at == at(71)


def test_an_event_needs_its_case(store: SqlStore) -> None:
    with pytest.raises(NotFound), store.transaction() as tx:
        tx.cases.add_event(CaseEvent("C-0", EventKind.NOTED, at(1), "o@district.example"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE case_events SET note = 'other'",
        "UPDATE case_events SET steps = 'F-1 open dismissed'",
        "DELETE FROM case_events",
    ],
)
def test_a_changed_event_breaks_the_chain(store: SqlStore, statement: str) -> None:
    """Nobody can deny what was done."""
    case = put(store, a_stored_flag())
    with store.transaction() as tx:
        tx.cases.add_event(CaseEvent(case.id, EventKind.NOTED, at(70), "o@district.example"))
    with store._engine.begin() as connection:
        connection.exec_driver_sql(statement)
    with store.reading() as tx:
        broken = tx.chain.audit().broken

    assert broken is not None
    assert "case_events" in broken.what


# --- whatever happens ---------------------------------------------------------------------------

RULES = ("staff-left-early", "contract-missing", "confidential-intruder")
moves = st.lists(
    st.tuples(
        st.sampled_from(("a", "b")),
        st.sampled_from(RULES),
        st.sampled_from(list(FlagStatus)),
        st.sampled_from(list(Severity)),
        st.sampled_from(("save", "decide", "note")),
        st.sampled_from((None, "P1", "P2")),
    ),
    max_size=12,
)


@settings(max_examples=30)
@given(moves=moves)
def test_cases_always_equal_what_their_flags_say(
    store_of_examples: SqlStore, moves: list[Any]
) -> None:
    """After any sequence of findings, decisions and decisions undone."""
    store = store_of_examples
    with store.transaction() as tx:
        for table in ("flags", "cases"):
            tx.flags._connection.exec_driver_sql(f"DELETE FROM {table}")
        known: dict[str, bool] = {}
        for number, (uid, rule, status, severity, move, partner) in enumerate(moves):
            flag = a_stored_flag(
                rule,
                uid=uid,
                status=status,
                severity=severity,
                partner_id=partner,
                updated_at=at(100 + number),
            )
            occurrence = flag.key.occurrence
            kept = {each.id for each in tx.flags.of(occurrence)}
            if move == "save":
                tx.flags.save([FlagChange(ChangeKind.UPDATED, flag)], as_of=at(100 + number))
            elif move == "decide" and flag.id in kept:
                tx.flags.decide(Decision(flag.id, status, "undone", "", "o", at(100 + number)))
            elif move == "note" and kept:
                known[occurrence] = severity is Severity.HIGH
                tx.cases.note(occurrence, noted(is_private=known[occurrence]))
        found = {case.occurrence: case for case in _all(tx.cases)}
        flags = tx.flags.list()

    assert found.keys() == {flag.key.occurrence for flag in flags}
    for occurrence, case in found.items():
        every = [flag for flag in flags if flag.key.occurrence == occurrence]
        theirs = [flag for flag in every if flag.rule == "confidential-intruder"]
        gone = (FlagStatus.WITHDRAWN, FlagStatus.SUPERSEDED)
        assert case.is_private == (
            known.get(occurrence, True)
            or theirs == every
            or any(flag.status not in gone for flag in theirs)
        )
        own = every if case.is_private else [flag for flag in every if flag not in theirs]
        pending = [f for f in own if f.status in (FlagStatus.OPEN, FlagStatus.ACKNOWLEDGED)]
        assert case.flags == len(own)
        assert case.pending == len(pending)
        assert (case.status is CaseStatus.CLOSED) == (not pending)
        assert (case.status is CaseStatus.OPEN) == any(
            flag.status is FlagStatus.OPEN for flag in own
        )
        assert case.severity.rank == max(flag.severity.rank for flag in pending or own)
        assert case.rules == tuple(sorted({flag.rule for flag in own}))
        assert set(case.partners) == {flag.partner_id for flag in own} - {None}
        assert case.updated_at == max(flag.updated_at for flag in own)


def _all(cases: Any) -> list[Case]:
    return list(cases.list(CaseQuery(private=True), limit=99).cases)


@pytest.fixture(scope="module")
def store_of_examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """One store for all examples; the engines differ in nothing that this is about."""
    from meetbot.store import open_store

    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('cases')}/meetbot.db")
    yield store
    store.close()


# --- speed --------------------------------------------------------------------------------------

WATCHED = ("cases", "flags", "flag_history", "decisions", "snapshots", "outbox", "case_events")


def explained(store: SqlStore, work: Any) -> list[str]:
    """How the database finds what every statement of some work asks for."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT"):
            asked.append((statement, given))

    event.listen(store._engine, "before_cursor_execute", note)
    with store.reading() as tx:
        work(tx)
    event.remove(store._engine, "before_cursor_execute", note)
    assert asked
    with store._engine.connect() as connection:
        word = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            # The tables are small, so that reading them whole would be the best way.
            connection.exec_driver_sql("SET enable_seqscan = off")
            word = "EXPLAIN"
        return [
            str(row)
            for statement, given in asked
            for row in connection.exec_driver_sql(f"{word} {statement}", given)
        ]


@pytest.mark.parametrize(
    "query",
    [
        CaseQuery(),
        CaseQuery(private=True),
        CaseQuery(statuses=frozenset({CaseStatus.OPEN, CaseStatus.ACKNOWLEDGED})),
        CaseQuery(severities=frozenset({Severity.CRITICAL}), private=True),
        CaseQuery(rules=frozenset({"contract-missing"}), schools=frozenset({"S1", "S2"})),
        CaseQuery(hosts=frozenset({"key-ann"}), private=True),
        CaseQuery(since=at(-60), until=at(60), private=True),
        CaseQuery(search=CaseSearch(frozenset({"C-0"}), frozenset({Term(TermKind.RULE, "r")}))),
    ],
)
@pytest.mark.parametrize("order", list(CaseOrder))
def test_lists_read_no_table_as_a_whole(
    store: SqlStore, query: CaseQuery, order: CaseOrder
) -> None:
    """At 100,000 flags a page is there at once, because an index leads to it."""
    a_few(store)

    def work(tx: Any) -> None:
        page = tx.cases.list(query, order=order, limit=2)
        lines_of(tx, page.cases)
        if page.after:
            tx.cases.list(query, order=order, limit=2, after=page.after)

    assert scans(explained(store, work)) == []


def test_a_case_page_reads_no_table_as_a_whole(store: SqlStore) -> None:
    """Flags, history, decisions, events, mails and earlier cases are found by index."""
    scene = Scene(store)
    case = scene.put()

    def work(tx: Any) -> None:
        facts_of(scene.deps, tx, case.id, sees=lambda _: True)

    assert scans(explained(store, work)) == []


def scans(plan: list[str]) -> list[str]:
    """Lines that tell of a table read as a whole."""
    return [
        line
        for line in plan
        if re.search(rf"\bSCAN ({'|'.join(WATCHED)})\b", line)
        or re.search(rf"Seq Scan on ({'|'.join(WATCHED)})\b", line)
    ]
