"""The chain in the database: appended with each change, and the first difference is named."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from meetbot.domain.chain import Break, LinkKind
from meetbot.domain.flags import ChangeKind, FlagChange, FlagStatus
from meetbot.domain.notices import Mail
from meetbot.domain.registry import Registry
from meetbot.domain.registry_rows import Activity, Partner, PartnerKind
from meetbot.ports import Decision
from meetbot.store import SqlStore, open_store
from tests.builders import a_stored_flag, at
from tests.notices import every_notice

FLAG = a_stored_flag()
NOTICE = next(iter(every_notice().values()))
MAIL = Mail(NOTICE.id, "<1@district.example>", NOTICE.to, b"Subject: x\r\n\r\nText")


def a_partner(name: str) -> Partner:
    return Partner(name, name.title(), PartnerKind.CONTRACTED, Activity.ACTIVE)


def import_(store: SqlStore, minute: float, *names: str) -> None:
    with store.transaction() as tx:
        tx.registry.replace(Registry.of_rows(map(a_partner, names)), as_of=at(minute))


def decide(store: SqlStore, minute: float, note: str = "") -> None:
    with store.transaction() as tx:
        tx.flags.decide(
            Decision(
                FLAG.id, FlagStatus.DISMISSED, "technical", note, "o@district.example", at(minute)
            )
        )


def send(store: SqlStore, minute: float) -> None:
    with store.transaction() as tx:
        tx.outbox.sent(MAIL, at=at(minute))


def a_history(store: SqlStore) -> None:
    """Genesis, two imports, a decision and a mail: five links."""
    import_(store, 0, "north", "south")
    import_(store, 1, "north", "west")
    with store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.OPENED, FLAG)], as_of=at(60))
        tx.outbox.add([NOTICE], as_of=at(60))
    decide(store, 90, "The log was late.")
    send(store, 91)


def broken(store: SqlStore, expected: str | None = None) -> Break | None:
    with store.reading() as tx:
        return tx.chain.audit(expected=expected).broken


def change(store: SqlStore, statement: str, **values: Any) -> None:
    """Somebody with a tool of their own."""
    with store._engine.begin() as connection:
        assert connection.execute(text(statement), values).rowcount


def test_every_change_is_a_link(store: SqlStore) -> None:
    """In order, each after the one before, with nobody's address in it."""
    a_history(store)

    with store.reading() as tx:
        audit = tx.chain.audit()
        assert audit.broken is None
        assert audit.links == 5
        assert audit.head == tx.chain.head()
        (mail,) = tx.chain.find(LinkKind.MAIL, NOTICE.id)
    with store._engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM chain ORDER BY sequence")).all()
    assert [row.kind for row in rows] == ["genesis", "registry", "registry", "decision", "mail"]
    assert mail.content["message"] == hashlib.sha256(MAIL.raw).hexdigest()
    assert "@" not in "".join(str(row) for row in rows)


def test_a_change_that_is_rolled_back_leaves_no_link(store: SqlStore) -> None:
    """Link and change are one transaction."""
    a_history(store)

    def interrupted() -> None:
        with store.transaction() as tx:
            tx.registry.replace(Registry.of_rows([]), as_of=at(99))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()

    with store.reading() as tx:
        assert tx.chain.audit().links == 5
        assert tx.chain.audit().broken is None


def test_an_import_that_changes_nothing_is_no_link(store: SqlStore) -> None:
    """Neither is another order of the same rows."""
    import_(store, 0, "north", "south")
    import_(store, 1, "south", "north")

    with store.reading() as tx:
        assert tx.chain.audit().links == 2
        assert tx.chain.audit().broken is None


def test_imports_at_the_same_instant_are_told_apart(store: SqlStore) -> None:
    """A clock that stands still does not mix up their rows."""
    import_(store, 0, "north")
    import_(store, 0, "south")

    assert broken(store) is None


def test_a_mail_that_left_twice_is_recorded_twice(store: SqlStore) -> None:
    """At least once can be more than once; the stored row belongs to the first."""
    a_history(store)
    send(store, 95)

    assert broken(store) is None
    with store.reading() as tx:
        assert len(tx.chain.find(LinkKind.MAIL, NOTICE.id)) == 2


@pytest.mark.parametrize(
    ("statement", "place", "what"),
    [
        ("UPDATE decisions SET note = 'Another.'", 4, "decisions 1 is not as it was recorded"),
        ("UPDATE decisions SET \"by\" = 'x@y'", 4, "is not as it was recorded"),
        ("UPDATE decisions SET decided_at = decided_at + 1", 4, "is not as it was recorded"),
        ("UPDATE decisions SET link = 3", 4, "gone"),
        ("UPDATE decisions SET link = NULL", 4, "gone"),
        ("DELETE FROM decisions", 4, "gone"),
        ("DELETE FROM flags", 4, "gone"),
        ("UPDATE outbox SET notice = replace(notice, '1', '2')", 5, "is not as it was recorded"),
        ("UPDATE outbox SET message_id = '<2@x>'", 5, "is not as it was recorded"),
        ("DELETE FROM outbox", 5, "gone"),
        ("UPDATE registry_rows SET known_to = NULL WHERE known_to IS NOT NULL", 3, "recorded"),
        ("UPDATE registry_rows SET known_from = known_from + 1 WHERE link = 3", 3, "recorded"),
        ("UPDATE registry_rows SET cells = replace(cells, 'North', 'Nord')", 2, "recorded"),
        ("UPDATE registry_rows SET cells = '{' WHERE link = 2", 2, "recorded"),
        ("UPDATE registry_rows SET cells = '[0.5]' WHERE link = 2", 2, "recorded"),
        ("DELETE FROM registry_rows WHERE link = 3", 3, "gone"),
        ("UPDATE chain SET subject = 'F-0' WHERE sequence = 4", 4, "hash"),
        ("UPDATE chain SET payload = '{}' WHERE sequence = 3", 3, "hash"),
        ("UPDATE chain SET at = at + 1 WHERE sequence = 1", 1, "hash"),
        ("DELETE FROM chain WHERE sequence = 3", 3, "not there"),
        ("DELETE FROM chain WHERE sequence = 5", 5, "ends before it"),
        ("DELETE FROM chain", 1, "empty"),
        ("UPDATE chain SET sequence = 9 WHERE sequence = 5", 5, "not there"),
        ("DELETE FROM settings WHERE name = 'chain-head'", 5, "note"),
        ("UPDATE settings SET value = '5 ab' WHERE name = 'chain-head'", 5, "noted"),
    ],
)
def test_the_first_difference_is_named(
    store: SqlStore, statement: str, place: int, what: str
) -> None:
    """Edited, deleted, cut off, numbered anew: in the chain or in what it records."""
    a_history(store)
    assert broken(store) is None
    number = "SELECT min(id) FROM decisions"
    with store._engine.connect() as connection:
        first = connection.execute(text(number)).scalar_one()
    change(store, statement)

    found = broken(store)
    assert found is not None
    assert found.sequence == place
    assert what.replace("decisions 1", f"decisions {first}") in found.what


@pytest.mark.parametrize(
    "insert",
    [
        'INSERT INTO decisions (flag_id, status, reason, note, "by", decided_at)'
        " SELECT id, 'dismissed', 'technical', '', 'x', 1 FROM flags",
        'INSERT INTO decisions (flag_id, status, reason, note, "by", decided_at, link)'
        " SELECT id, 'dismissed', 'technical', '', 'x', 1, 4 FROM flags",
        "INSERT INTO registry_rows (file, row_key, position, cells, known_from, origin)"
        " SELECT file, 'other', 9, cells, known_from, 'import' FROM registry_rows WHERE link = 3",
        "INSERT INTO registry_rows (file, row_key, position, cells, known_from, origin, link)"
        " SELECT file, 'other', 9, cells, known_from, 'console', 3 FROM registry_rows"
        " WHERE link = 3",
        "UPDATE outbox SET state = 'sent', link = NULL",
    ],
)
def test_a_row_put_in_past_meetbot_is_named(store: SqlStore, insert: str) -> None:
    """Whether or not it pretends to belong to a link."""
    a_history(store)
    change(store, insert)

    assert broken(store) is not None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE flags SET status = 'upheld'",
        "UPDATE flags SET status = 'open'",
        """UPDATE flags SET flag = replace(flag, '"dismissed"', '"upheld"')""",
        "UPDATE flags SET flag = '{'",
        "UPDATE flags SET flag = '[]'",
    ],
)
def test_a_flag_closed_otherwise_than_decided_is_named(store: SqlStore, statement: str) -> None:
    """Its status is the last decision's, once there is one that closes it."""
    a_history(store)
    change(store, statement)

    found = broken(store)
    assert found is not None
    assert found.kind == "flags"
    assert FLAG.id in found.what


def test_a_head_of_long_ago_is_found_again(store: SqlStore) -> None:
    """What was mailed once stays in the chain, however it grows."""
    a_history(store)
    with store.reading() as tx:
        head = tx.chain.head()
    assert head is not None
    decide(store, 200)

    assert broken(store, head.hash) is None
    found = broken(store, "0" * 64)
    assert found is not None
    assert found.kind == "head"


def test_the_sequence_has_no_gap_however_many_write(store: SqlStore, url: str) -> None:
    """Two processes with threads of their own append to one chain."""
    patient = url.replace("timeout=0.2", "timeout=30")
    writers, rounds = 4, 10
    with closing(open_store(patient)) as one, closing(open_store(patient)) as other:
        stores = (one, other)

        def work(number: int) -> None:
            for turn in range(rounds):
                with stores[number % 2].transaction() as tx:
                    tx.chain.append(LinkKind.EVIDENCE, f"F-{number}", {"turn": turn}, at=at(turn))

        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(work, range(writers)))

    with store.reading() as tx:
        audit = tx.chain.audit()
        assert audit.broken is None
        assert audit.links == writers * rounds + 1
        turns = [link.content["turn"] for link in tx.chain.find(LinkKind.EVIDENCE, "F-3")]
    assert turns == list(range(rounds))


@pytest.mark.parametrize("strange", ["\ud800", "\0", "a" * 10_000, "ü\u202e\r\n"])
def test_strange_texts_are_recorded_as_they_are_stored(store: SqlStore, strange: str) -> None:
    """What no database takes is cleaned before it is hashed."""
    a_history(store)
    decide(store, 92, strange)
    with store.transaction() as tx:
        tx.outbox.add([replace(NOTICE, id=strange)], as_of=at(92))
        tx.outbox.sent(replace(MAIL, notice_id=strange, message_id=strange), at=at(92))
        tx.chain.append(LinkKind.EVIDENCE, strange, {"text": strange}, at=at(92))

    assert broken(store) is None
