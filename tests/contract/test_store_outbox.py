"""Notices: queued once, claimed once, sent at least once, never too late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from threading import Barrier

import pytest

from meetbot.domain.notices import Mail, Notice
from meetbot.errors import NotFound
from meetbot.ports import OutboxState, QueuedNotice
from meetbot.store import SqlStore, open_store
from tests.builders import at
from tests.notices import every_notice

SAMPLE = next(iter(every_notice().values()))


def a_notice(notice_id: str, minute: float = 0, until: float | None = None) -> Notice:
    return replace(
        SAMPLE,
        id=notice_id,
        due_at=at(minute),
        not_after=None if until is None else at(until),
        occurrence="lesson",
        thread="thread",
    )


def add(store: SqlStore, *notices: Notice) -> int:
    with store.transaction() as tx:
        return tx.outbox.add(notices, as_of=at(0))


def claim(store: SqlStore, minute: float = 0, limit: int = 100) -> list[QueuedNotice]:
    with store.transaction() as tx:
        return tx.outbox.claim(at(minute), limit)


def ids(queued: list[QueuedNotice]) -> list[str]:
    return [each.notice.id for each in queued]


def a_mail(notice_id: str) -> Mail:
    return Mail(notice_id, f"<{notice_id}@meetbot>", SAMPLE.to, b"Subject: x")


def sent(store: SqlStore, notice_id: str, minute: float = 0) -> None:
    with store.transaction() as tx:
        tx.outbox.sent(a_mail(notice_id), at=at(minute))


def states(store: SqlStore) -> dict[OutboxState, int]:
    with store.reading() as tx:
        return {state: n for state, n in tx.outbox.counts().items() if n}


@pytest.mark.parametrize("name", every_notice())
def test_every_kind_of_notice_comes_back_as_it_was(store: SqlStore, name: str) -> None:
    """Content of each kind survives the queue."""
    notice = every_notice()[name]
    add(store, notice)

    (queued,) = claim(store, 1_000_000) if notice.not_after is None else claim_before(store, notice)
    assert queued.notice == notice
    assert type(queued.notice.content) is type(notice.content)


def claim_before(store: SqlStore, notice: Notice) -> list[QueuedNotice]:
    assert notice.not_after is not None
    with store.transaction() as tx:
        return tx.outbox.claim(notice.not_after, 1)


def test_a_known_id_is_queued_once(store: SqlStore) -> None:
    """Planning again is harmless, also within one plan and after sending."""
    assert add(store, a_notice("one"), a_notice("two"), a_notice("one", 5)) == 2
    assert add(store, a_notice("one", 99), a_notice("three")) == 1
    assert ids(claim(store)) == ["one", "three", "two"]
    sent(store, "one")

    assert add(store, a_notice("one")) == 0
    with store.reading() as tx:
        assert tx.outbox.known(["one", "two", "four"]) == {"one", "two"}


def test_due_notices_are_claimed_in_order(store: SqlStore) -> None:
    """The longest due first, not more than asked for, none before its time, none twice."""
    add(store, a_notice("c", 3), a_notice("a", 1), a_notice("b", 2), a_notice("later", 9))

    assert ids(claim(store, 3, limit=2)) == ["a", "b"]
    assert ids(claim(store, 3)) == ["c"]
    assert claim(store, 3) == []


def test_attempts_are_counted(store: SqlStore) -> None:
    """A deferred notice comes again when it is due, as the second attempt."""
    add(store, a_notice("one"))
    assert claim(store)[0].attempts == 1
    with store.transaction() as tx:
        tx.outbox.defer("one", "busy", retry_at=at(1))
    add(store, a_notice("never tried", 9))

    with store.reading() as tx:
        assert tx.outbox.waiting() == 1
    assert claim(store, 0.5) == []
    assert claim(store, 1)[0].attempts == 2


def test_a_dead_workers_claim_is_taken_back(store: SqlStore) -> None:
    """It is due again at once, as the next attempt; what is not claimed stays as it was."""
    add(store, a_notice("one"), a_notice("later", 9))
    claim(store, 0)
    assert claim(store, 1) == []
    with store.transaction() as tx:
        assert tx.outbox.take_back(at(1)) == 1
        assert tx.outbox.take_back(at(1)) == 0

    assert [(q.notice.id, q.attempts) for q in claim(store, 1)] == [("one", 2)]


def test_who_has_a_mail_already_is_not_among_those_left(store: SqlStore) -> None:
    """A notice put off for some recipients comes back with those, and with its whole header."""
    notice = replace(a_notice("one"), to=("a@district.example", "b@district.example"))
    add(store, notice)
    claim(store)
    with store.transaction() as tx:
        tx.outbox.defer("one", "busy", retry_at=at(1), left=("b@district.example",))
    (queued,) = claim(store, 1)
    assert queued.notice == replace(notice, left=("b@district.example",))
    with store.transaction() as tx:
        tx.outbox.defer("one", "away", retry_at=at(2))

    assert claim(store, 2)[0].notice.left == ("b@district.example",)


def test_one_process_at_a_time_is_alone_at_a_work(store: SqlStore, url: str) -> None:
    """Another store gets it when the first one ends it, and another work at any time."""
    with closing(open_store(url)) as other:
        with store.alone("delivery") as first, other.alone("delivery", patience=0) as second:
            assert (first, second) == (True, False)
            with other.alone("else") as third:
                assert third
        with other.alone("delivery") as freed:
            assert freed


def test_what_would_come_too_late_is_dropped(store: SqlStore) -> None:
    """At its last instant it is still sent, after it never, not even from a dead worker."""
    add(store, a_notice("late", 0, until=5), a_notice("claimed", 0, until=12))

    assert ids(claim(store, 5, limit=1)) == ["claimed"]
    assert claim(store, 6) == []
    with store.transaction() as tx:
        tx.outbox.take_back(at(15))
    assert claim(store, 15.1) == []
    assert states(store) == {OutboxState.DROPPED: 2}


def test_threads_refer_to_what_was_sent_before(store: SqlStore) -> None:
    """Oldest first; only what was sent, and only in the same thread."""
    alone = replace(a_notice("alone"), thread=None)
    add(store, a_notice("b"), a_notice("a"), replace(a_notice("x"), thread="other"), alone)
    claim(store)
    for minute, notice_id in enumerate(["b", "a", "x", "alone"]):
        sent(store, notice_id, minute)
    add(store, a_notice("new"), replace(alone, id="alone2"), a_notice("unsent", 99))

    found = {q.notice.id: q.references for q in claim(store, 5)}
    assert found == {"new": ("<b@meetbot>", "<a@meetbot>"), "alone2": ()}


def test_cancelled_meetings_unsent_notices_are_dropped(store: SqlStore) -> None:
    """Of the named kinds only; a sent one stays sent."""
    kind = SAMPLE.kind
    add(store, a_notice("queued", 5), a_notice("claimed"), a_notice("sent"))
    add(store, replace(a_notice("other", 5), occurrence="other"))
    claim(store)
    sent(store, "sent")
    with store.transaction() as tx:
        assert tx.outbox.drop("lesson", ["no-such-kind"], as_of=at(1)) == 0
        assert tx.outbox.drop("lesson", [kind], as_of=at(1)) == 2
        tx.outbox.defer("claimed", "busy", retry_at=at(2))

    assert ids(claim(store, 99)) == ["other"]
    assert states(store) == {
        OutboxState.SENT: 1,
        OutboxState.DROPPED: 2,
        OutboxState.IN_FLIGHT: 1,
    }


def test_a_mail_that_left_counts_as_sent(store: SqlStore) -> None:
    """Even if it was dropped while it was under way."""
    add(store, a_notice("one"))
    claim(store)
    with store.transaction() as tx:
        tx.outbox.drop("lesson", [SAMPLE.kind], as_of=at(1))
    sent(store, "one")

    assert states(store) == {OutboxState.SENT: 1}


def test_a_failed_notice_is_never_tried_again(store: SqlStore) -> None:
    """It is counted instead."""
    add(store, a_notice("one"))
    claim(store)
    with store.transaction() as tx:
        tx.outbox.fail("one", "no such mailbox", at=at(1))

    assert claim(store, 999) == []
    assert states(store) == {OutboxState.FAILED: 1}


def test_an_unknown_notice_is_not_found(store: SqlStore) -> None:
    """Whatever is said of it."""
    with pytest.raises(NotFound), store.transaction() as tx:
        tx.outbox.sent(a_mail("x"), at=at(0))
    with pytest.raises(NotFound), store.transaction() as tx:
        tx.outbox.defer("x", "", retry_at=at(0))
    with pytest.raises(NotFound), store.transaction() as tx:
        tx.outbox.fail("x", "", at=at(0))


@pytest.mark.parametrize("stores", [1, 2], ids=["one-process", "two-processes"])
def test_workers_at_once_claim_each_notice_once(store: SqlStore, url: str, stores: int) -> None:
    """Threads of one store, and stores that share nothing but the database."""
    add(store, *(a_notice(f"n{n:03}") for n in range(60)))
    patient = url.replace("timeout=0.2", "timeout=30")
    opened = [open_store(patient) for _ in range(stores)]
    workers = 4
    together = Barrier(workers)

    def work(number: int) -> list[str]:
        together.wait()
        claimed: list[str] = []
        while batch := claim(opened[number % stores], limit=3):
            claimed += ids(batch)
        return claimed

    with ThreadPoolExecutor(workers) as pool:
        claimed = [notice_id for found in pool.map(work, range(workers)) for notice_id in found]
    for each in opened:
        each.close()

    assert sorted(claimed) == [f"n{n:03}" for n in range(60)]


def test_one_notice_is_cancelled(store: SqlStore) -> None:
    """Queued or claimed; what was sent stays sent, and an unknown id is no mistake."""
    notices = [replace(SAMPLE, id=name, not_after=None) for name in ("one", "two", "three")]
    with store.transaction() as tx:
        tx.outbox.add(notices, as_of=SAMPLE.due_at)
        tx.outbox.sent(Mail("three", "<3@d>", SAMPLE.to, b"mail"), at=SAMPLE.due_at)
        for name in ("one", "three", "four"):
            tx.outbox.cancel(name, as_of=SAMPLE.due_at)
        counts = tx.outbox.counts()

    assert counts[OutboxState.DROPPED] == counts[OutboxState.QUEUED] == 1
    assert counts[OutboxState.SENT] == 1
