"""Flags with their history and decisions; reminders; sources and small values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meetbot.domain.findings import Severity
from meetbot.domain.flags import ChangeKind, Flag, FlagChange, FlagStatus
from meetbot.errors import NotFound
from meetbot.ports import Decision, SentReminder, SourceRead
from meetbot.store import SqlStore
from tests.builders import a_stored_flag, at
from tests.notices import a_span


def save(
    store: SqlStore, flag: Flag, kind: ChangeKind = ChangeKind.OPENED, minute: float = 60
) -> None:
    with store.transaction() as tx:
        tx.flags.save([FlagChange(kind, flag, "because")], as_of=at(minute))


def get(store: SqlStore, flag: Flag) -> Flag:
    with store.reading() as tx:
        return tx.flags.get(flag.id)


def test_a_flag_comes_back_as_it_was(store: SqlStore) -> None:
    """Spans, facts, who was told: everything."""
    flag = a_stored_flag(
        unknowns=("who the phone was",),
        spans=(a_span("after", 30, 44),),
        facts={"seconds": 840, "ratio": 0.5, "partner": "Süd\n<b>", "days": ["a", "b"]},
        told={"officers": at(61)},
        told_severity=Severity.HIGH,
    )
    save(store, flag)

    assert get(store, flag) == flag
    with store.reading() as tx:
        assert tx.flags.of(flag.key.occurrence) == [flag]
        assert tx.flags.of("another|occurrence") == []


def test_changes_are_history(store: SqlStore) -> None:
    """One row for each change, in the order in which they happened."""
    flag = a_stored_flag()
    save(store, flag)
    save(store, replace(flag, message="Longer."), ChangeKind.UPDATED, 61)
    gone = replace(flag, status=FlagStatus.WITHDRAWN)
    save(store, gone, ChangeKind.WITHDRAWN, 62)

    assert get(store, flag) == gone
    with store.reading() as tx:
        assert tx.flags.history(flag.id) == [
            (at(60), "opened", "because"),
            (at(61), "updated", "because"),
            (at(62), "withdrawn", "because"),
        ]


def test_a_decision_closes_the_flag(store: SqlStore) -> None:
    """Status, instant and history tell it."""
    flag = a_stored_flag()
    save(store, flag)
    decision = Decision(
        flag.id, FlagStatus.DISMISSED, "technical", "The log was late.", "officer", at(90)
    )
    with store.transaction() as tx:
        decided = tx.flags.decide(decision)

    assert decided == replace(flag, status=FlagStatus.DISMISSED, updated_at=at(90))
    assert get(store, flag) == decided
    with store.reading() as tx:
        assert tx.flags.history(flag.id)[-1] == (at(90), "dismissed", "technical")
        assert tx.flags.list(statuses=[FlagStatus.OPEN]) == []


def test_who_was_told_is_added_up(store: SqlStore) -> None:
    """A mail to one audience does not forget the others, nor the severity told."""
    flag = a_stored_flag()
    save(store, flag)
    with store.transaction() as tx:
        tx.flags.tell(flag.id, {"officers": at(61)}, Severity.HIGH)
        tx.flags.tell(flag.id, {"host": at(62)}, None)

    assert get(store, flag).told == {"officers": at(61), "host": at(62)}
    assert get(store, flag).told_severity is Severity.HIGH


def test_an_unknown_flag_is_not_found(store: SqlStore) -> None:
    """Showing, telling and deciding say so."""
    decision = Decision("F-0", FlagStatus.UPHELD, "data-disclosed", "", "officer", at(90))
    with pytest.raises(NotFound), store.reading() as tx:
        tx.flags.get("F-0")
    with pytest.raises(NotFound), store.transaction() as tx:
        tx.flags.tell("F-0", {}, None)
    with pytest.raises(NotFound, match="F-0"), store.transaction() as tx:
        tx.flags.decide(decision)


def test_flags_are_listed_newest_first(store: SqlStore) -> None:
    """By status and rule, or all."""
    old = a_stored_flag(uid="1", opened=1)
    new = a_stored_flag(uid="2", opened=3)
    other = a_stored_flag("contract-missing", uid="1", opened=2, status=FlagStatus.ACKNOWLEDGED)
    for flag in (old, new, other):
        save(store, flag)

    with store.reading() as tx:
        assert tx.flags.list() == [new, other, old]
        assert tx.flags.list(rule="staff-left-early") == [new, old]
        assert tx.flags.list(statuses={FlagStatus.ACKNOWLEDGED}) == [other]
        assert tx.flags.list(statuses={FlagStatus.OPEN}, rule="contract-missing") == []
        assert tx.flags.list(statuses=()) == []
        assert tx.flags.opened(at(1), at(3)) == [other, old]
        assert tx.flags.of(old.key.occurrence) == [old, other]


def test_a_flag_of_an_older_version_still_loads(store: SqlStore) -> None:
    """A field that came later has its default."""
    flag = a_stored_flag(told={"host": at(61)})
    save(store, flag)
    with store._engine.begin() as connection:
        text = connection.exec_driver_sql("SELECT flag FROM flags").scalar_one()
        old = text.replace('"told_severity":null,', "").replace(',"told_severity":null', "")
        assert old != text
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        connection.exec_driver_sql(f"UPDATE flags SET flag = {mark}", (old,))

    assert get(store, flag) == flag


def test_reminders_are_noted_once(store: SqlStore) -> None:
    """Once for each lead and start; a moved meeting is reminded of again."""
    first = SentReminder("24h", at(0), at(-1440))
    moved = SentReminder("24h", at(60), at(-1380))
    with store.transaction() as tx:
        for reminder in (first, moved, first):
            tx.reminders.add("lesson", reminder)
        tx.reminders.add("other", first)

    with store.reading() as tx:
        assert tx.reminders.of("lesson") == [first, moved]
        assert tx.reminders.of("none") == []


def test_sources_and_values(store: SqlStore) -> None:
    """The newest state of a source and of a value counts; unknown ones are empty."""
    read = SourceRead("reports-meet", "mark", at(0), "down", at(1))
    with store.transaction() as tx:
        assert tx.meta.source("reports-meet") == SourceRead("reports-meet")
        assert tx.meta.get("name") is None
        for problem in ("late", "down"):
            tx.meta.save_source(replace(read, problem=problem))
        tx.meta.save_source(SourceRead("directory", read_at=at(0)))
        for value in ("one", "two"):
            tx.meta.set("name", value)

    with store.reading() as tx:
        assert tx.meta.source("reports-meet") == read
        assert tx.meta.sources() == [SourceRead("directory", read_at=at(0)), read]
        assert tx.meta.get("name") == "two"


def test_histories_and_decisions_of_several_flags_come_in_one_order(store: SqlStore) -> None:
    """As they were stored, whichever flag they belong to; those of other flags stay out."""
    first, second, other = (a_stored_flag(uid=name) for name in ("a", "b", "c"))
    for minute, flag in enumerate((second, first, other)):
        save(store, flag, minute=60 + minute)
    with store.transaction() as tx:
        for flag in (second, other, first):
            tx.flags.decide(Decision(flag.id, FlagStatus.ACKNOWLEDGED, "seen", "", "o@d.e", at(70)))
        wanted = [first.id, second.id]
        lines = tx.flags.lines_of(wanted)
        decided = tx.flags.decisions_of(wanted)

    assert [(line.flag_id, line.change) for line in lines] == [
        (second.id, "opened"),
        (first.id, "opened"),
        (second.id, "acknowledged"),
        (first.id, "acknowledged"),
    ]
    assert [one.flag_id for one in decided] == [second.id, first.id]
