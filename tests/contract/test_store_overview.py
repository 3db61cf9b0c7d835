"""Counts for the overview: what the database says is what one counts by hand, on every engine."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import pytest

from meetbot.domain.casework import Noted
from meetbot.domain.findings import FlagKey, Severity
from meetbot.domain.flags import ChangeKind, Flag, FlagChange, FlagStatus, flag_id
from meetbot.domain.meetings import OccurrenceKey
from meetbot.domain.overview import Precision, Quantiles, Scope
from meetbot.ports import Decision, OutboxState
from meetbot.store import SqlStore
from tests.builders import at
from tests.contract.test_store_outbox import a_mail
from tests.contract.test_store_storms import a_notice, added
from tests.flags import a_flag

DAY = 24 * 60
EVERYTHING = Scope(private=True)
OPEN, ACKNOWLEDGED, UPHELD, DISMISSED = (
    FlagStatus.OPEN,
    FlagStatus.ACKNOWLEDGED,
    FlagStatus.UPHELD,
    FlagStatus.DISMISSED,
)


@dataclass(frozen=True, slots=True)
class Told:
    """A stored flag, and what happened to it in minutes after it was opened."""

    flag: Flag
    is_private: bool
    school: str
    acknowledged: int | None
    resolved: int | None
    status: FlagStatus


def stored(store: SqlStore, number: int, **values: object) -> Told:
    """One flag with its case and decisions; values of `Told` and of the flag's rule, severity."""
    given: dict[str, object] = {
        "rule": "adhoc-meeting",
        "severity": Severity.HIGH,
        "opened": 0,
        "is_private": False,
        "school": "cedar",
        "acknowledged": None,
        "resolved": None,
        "status": OPEN,
    } | values
    opened = int(str(given["opened"]))
    key = OccurrenceKey(f"uid-{number}", at(opened), "abcdefghij")
    flag_key = FlagKey(str(given["rule"]), key.text, "it")
    severity = Severity(str(given["severity"]))
    flag = replace(
        a_flag(severity=severity),
        id=flag_id(flag_key),
        key=flag_key,
        occurrence=key,
        school_id=str(given["school"]),
        opened_at=at(opened),
        updated_at=at(opened),
    )
    told = Told(
        flag,
        bool(given["is_private"]),
        flag.school_id or "",
        given["acknowledged"],  # type: ignore[arg-type]
        given["resolved"],  # type: ignore[arg-type]
        FlagStatus(str(given["status"])),
    )
    with store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.OPENED, flag)], as_of=at(opened))
        noted = Noted(None, (), (told.school,), told.is_private, at(opened))
        tx.cases.note(key.text, noted)
        for status, minute in ((ACKNOWLEDGED, told.acknowledged), (told.status, told.resolved)):
            if minute is not None:
                tx.flags.decide(Decision(flag.id, status, "seen", "", "o@x", at(opened + minute)))
    return told


def some(store: SqlStore, number: int) -> list[Told]:
    """Flags of a month, some of them private, decided in every way."""
    dice = random.Random(7)
    found = []
    for n in range(number):
        acknowledged = dice.choice([None, dice.randint(1, 900)])
        status = dice.choice([OPEN, UPHELD, DISMISSED])
        resolved = None if status is OPEN else dice.randint(900, 9000)
        found.append(
            stored(
                store,
                n,
                rule=dice.choice(["adhoc-meeting", "program-paused"]),
                severity=dice.choice(list(Severity)),
                opened=dice.randint(0, 30 * DAY),
                is_private=dice.random() < 0.2,
                school=dice.choice(["cedar", "oak", "elm"]),
                acknowledged=acknowledged,
                resolved=resolved,
                status=status,
            )
        )
    return found


def seen(flags: list[Told], scope: Scope) -> list[Told]:
    return [
        one
        for one in flags
        if at(5 * DAY) <= one.flag.opened_at < at(25 * DAY)
        and (scope.private or not one.is_private)
        and (scope.schools is None or one.school in scope.schools)
    ]


def quantiles(minutes: list[int]) -> Quantiles:
    ordered = sorted(minutes)
    number = len(ordered)
    median, p90 = ordered[-(-number // 2) - 1], ordered[-(-number * 9 // 10) - 1]
    return Quantiles(number, timedelta(minutes=median), timedelta(minutes=p90))


@pytest.mark.parametrize(
    "scope",
    [
        EVERYTHING,
        Scope(),
        Scope(schools={"cedar", "oak"}),
        Scope(private=True, schools={"elm"}),
        Scope(schools=()),
    ],
)
def test_the_database_counts_as_one_does_by_hand(store: SqlStore, scope: Scope) -> None:
    """Severities, medians, ninth deciles and decisions, of those that may be counted."""
    flags = some(store, 60)
    wanted = seen(flags, scope)
    span = (at(5 * DAY), at(25 * DAY))
    with store.reading() as tx:
        days = [at(day * DAY) for day in range(5, 26)]
        by_day = tx.overview.opened(days, scope)
        acknowledged = tx.overview.acknowledged(*span, scope)
        resolved = tx.overview.resolved(*span, scope)
        decided = tx.overview.decided(*span, scope)

    assert by_day == [
        Counter(one.flag.severity for one in wanted if start <= one.flag.opened_at < end)
        for start, end in pairwise(days)
    ]
    for found, first in ((acknowledged, True), (resolved, False)):
        minutes: dict[Severity, list[int]] = {}
        for one in wanted:
            handled = one.acknowledged if first and one.acknowledged else one.resolved
            if handled is not None:
                minutes.setdefault(one.flag.severity, []).append(handled)
        assert found == {severity: quantiles(some) for severity, some in minutes.items()}
    counts = Counter((one.flag.rule, one.status) for one in wanted)
    rules = sorted({rule for rule, status in counts if status is not OPEN})
    assert decided == tuple(
        Precision(rule, counts[rule, UPHELD], counts[rule, DISMISSED]) for rule in rules
    )


def test_a_decision_that_is_taken_back_counts_for_nothing(store: SqlStore) -> None:
    """The flag is as nobody had seen it."""
    told = stored(store, 1, acknowledged=5, resolved=10, status=UPHELD)
    with store.transaction() as tx:
        tx.flags.decide(Decision(told.flag.id, OPEN, "seen", "", "o@x", at(11)))

        assert tx.overview.acknowledged(at(0), at(DAY), EVERYTHING) == {}
        assert tx.overview.resolved(at(0), at(DAY), EVERYTHING) == {}


def test_a_decision_that_becomes_an_acknowledgment_is_none(store: SqlStore) -> None:
    """The first instant at which somebody acted stays."""
    told = stored(store, 1, acknowledged=5, resolved=10, status=UPHELD)
    with store.transaction() as tx:
        tx.flags.decide(Decision(told.flag.id, ACKNOWLEDGED, "seen", "", "o@x", at(11)))

        found = tx.overview.acknowledged(at(0), at(DAY), EVERYTHING)[Severity.HIGH]
        assert (found.number, found.median) == (1, timedelta(minutes=5))
        assert tx.overview.resolved(at(0), at(DAY), EVERYTHING) == {}


def test_a_change_by_the_judge_does_not_move_an_acknowledgment(store: SqlStore) -> None:
    """Facts that come in later change the flag, not who acted when."""
    told = stored(store, 1, acknowledged=5)
    with store.transaction() as tx:
        flag = replace(tx.flags.get(told.flag.id), updated_at=at(90), severity=Severity.CRITICAL)
        tx.flags.save([FlagChange(ChangeKind.UPDATED, flag)], as_of=at(90))

        found = tx.overview.acknowledged(at(0), at(DAY), EVERYTHING)
        assert found == {Severity.CRITICAL: quantiles([5])}


def test_a_case_of_which_the_judge_said_nothing_yet_is_private(store: SqlStore) -> None:
    """Nothing confidential is counted before it is known to be so."""
    flag = a_flag(opened_at=at(0), updated_at=at(0))
    with store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.OPENED, flag)], as_of=at(0))

        assert tx.overview.opened([at(0), at(DAY)], Scope()) == [{}]
        assert tx.overview.opened([at(0), at(DAY)], EVERYTHING) == [{Severity.MEDIUM: 1}]


def test_mails_are_counted_by_what_became_of_them(store: SqlStore) -> None:
    """What is done since an instant; what waits and is held, however old."""
    added(store, *(a_notice(name) for name in ("old", "new", "waits", "held")), minute=0)
    with store.transaction() as tx:
        tx.outbox.put(["held"], OutboxState.HELD, as_of=at(0))
        tx.outbox.claim(at(0), 10)
        tx.outbox.sent(a_mail("old"), at=at(1))
        tx.outbox.sent(a_mail("new"), at=at(60))
        tx.outbox.defer("waits", "busy", retry_at=at(9))

        assert tx.overview.mails(at(30)) == {
            OutboxState.SENT: 1,
            OutboxState.QUEUED: 1,
            OutboxState.HELD: 1,
        }
