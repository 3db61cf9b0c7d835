"""Sessions of the console, and the log of who looked at what."""

from __future__ import annotations

from datetime import timedelta

from meetbot.domain.access_log import AccessAction, AccessEntry
from meetbot.domain.retention import Cutoffs, HoldKind
from meetbot.ports import ConsoleSession
from meetbot.store import SqlStore
from tests.builders import at
from tests.contract.conftest import NOW

ONE, OTHER = "one@district.example", "other@district.example"


def a_session(key: str, who: str = ONE, minute: float = 0) -> ConsoleSession:
    return ConsoleSession(key, who, '{"a": 1}', at(0), at(minute))


def test_a_session_is_kept_until_it_ends(store: SqlStore) -> None:
    """Saved again it has the new values; ended it is gone, and a second end changes nothing."""
    with store.transaction() as tx:
        assert tx.sessions.get("k") is None
        tx.sessions.save(a_session("k"))
        tx.sessions.save(a_session("k", minute=5))
    with store.reading() as tx:
        assert tx.sessions.get("k") == a_session("k", minute=5)
    with store.transaction() as tx:
        tx.sessions.end("k", at=at(6))
        assert tx.sessions.get("k") is None
        tx.sessions.end("k", at=at(7))


def test_all_sessions_of_a_person_end(store: SqlStore) -> None:
    """Those of others go on."""
    with store.transaction() as tx:
        for key, who in (("a", ONE), ("b", ONE), ("c", OTHER)):
            tx.sessions.save(a_session(key, who))
        tx.sessions.end("b", at=at(1))
        assert tx.sessions.end_all(ONE, at=at(2)) == 1
        assert tx.sessions.end_all(ONE, at=at(2)) == 0
        assert [key for key in "abc" if tx.sessions.get(key)] == ["c"]


def test_old_sessions_are_forgotten(store: SqlStore) -> None:
    """By when they were last seen; those of nobody sooner, and nobody's end by another's name."""
    with store.transaction() as tx:
        for key, who, minute in (("a", ONE, 1), ("b", ONE, 5), ("c", "", 5), ("d", "", 9)):
            tx.sessions.save(a_session(key, who, minute))
        assert tx.sessions.prune(before=at(2), nobodys_before=at(9)) == 2
        assert [key for key in "abcd" if tx.sessions.get(key)] == ["b", "d"]


READ = AccessEntry(at(0), AccessAction.READ, "C-1", ONE, ("officer", "keeper"))
REFUSED = AccessEntry(at(1), AccessAction.REFUSED, "signin", reason="domain")
EXPORTED = AccessEntry(at(2), AccessAction.EXPORTED, "cases", OTHER, ("auditor",))


def test_the_access_log_is_read_newest_first(store: SqlStore) -> None:
    """By subject, from an instant on, and page by page."""
    with store.transaction() as tx:
        tx.access_log.note([READ, REFUSED])
        tx.access_log.note([])
        tx.access_log.note([EXPORTED])
    with store.reading() as tx:
        found = tx.access_log.list()
        assert [line.entry for line in found] == [EXPORTED, REFUSED, READ]
        assert [line.entry for line in tx.access_log.list(subject="C-1")] == [READ]
        assert [line.entry for line in tx.access_log.list(since=at(1))] == [EXPORTED, REFUSED]
        page = tx.access_log.list(limit=2)
        rest = tx.access_log.list(before=page[-1].number, limit=2)
        assert [line.entry for line in (*page, *rest)] == [EXPORTED, REFUSED, READ]


def test_the_access_log_is_kept_like_evidence(store: SqlStore) -> None:
    """Older lines go, unless something is held."""
    cutoffs = Cutoffs(unrelated=at(0), attendance=at(0), evidence=at(2))

    def purged() -> int:
        with store.transaction() as tx:
            counts = tx.retention.purge(
                cutoffs, confidential={}, month=lambda _: "2026-10", as_of=NOW
            )
            return counts.get("access_log", 0)

    with store.transaction() as tx:
        tx.access_log.note([READ, REFUSED, EXPORTED])
        tx.registry.replace(tx.registry.current(), as_of=NOW)
        hold = tx.holds.add(HoldKind.PARTNER, "northstar", reason="r", by=ONE, at=NOW)
    assert purged() == 0
    with store.transaction() as tx:
        tx.holds.remove(hold.id, reason="r", by=ONE, at=NOW + timedelta(hours=1))
    assert purged() == 2
    with store.reading() as tx:
        assert [line.entry for line in tx.access_log.list()] == [EXPORTED]
