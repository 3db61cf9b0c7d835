"""What flags were decided on: kept once, given back as it was, and recorded in the chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meetbot.domain.chain import LinkKind
from meetbot.domain.flags import ChangeKind, FlagChange, FlagStatus
from meetbot.domain.registry import Partner
from meetbot.domain.retention import Cutoffs
from meetbot.domain.snapshots import Snapshot, Withheld
from meetbot.errors import NotFound, Permanent
from meetbot.ports import Decision, HistoryEntry
from meetbot.store import SqlStore
from tests.builders import a_stored_flag, at
from tests.dossiers import NORTHSTAR, a_dossier, a_registry, held, partner, staff, students
from tests.evidence import a_snapshot

SNAPSHOT = a_snapshot(held(staff((0, 30)), partner((0, 44)), *students((0, 45))))


def keep(store: SqlStore, snapshot: Snapshot = SNAPSHOT) -> str:
    with store.transaction() as tx:
        return tx.snapshots.keep(snapshot, as_of=at(60))


def change(store: SqlStore, statement: str) -> None:
    with store._engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_snapshot_comes_back_as_it_was(store: SqlStore) -> None:
    """Dossier, registry rows, policy, versions and what was undecided."""
    digest = keep(store)
    with store.reading() as tx:
        assert tx.snapshots.load(digest) == SNAPSHOT


def test_a_snapshot_is_kept_and_recorded_once(store: SqlStore) -> None:
    """The same again is the same row and no new link; another one is another."""
    first, again = keep(store), keep(store)
    other = keep(store, a_snapshot(a_dossier()))

    assert first == again != other
    with store.reading() as tx:
        assert len(tx.chain.find(LinkKind.EVIDENCE, first)) == 1
        assert len(tx.chain.find(LinkKind.EVIDENCE, other)) == 1
        assert tx.chain.audit().broken is None


def test_hostile_names_in_a_snapshot_are_kept(store: SqlStore) -> None:
    """NUL, lone surrogates and a megabyte, as far as a database takes them."""
    rows: list[Partner] = [
        replace(NORTHSTAR, name=name) for name in ("a\0b", "\ud800", "x" * 1_000_000)
    ]
    for row in rows:
        digest = keep(store, a_snapshot(a_dossier(registry=a_registry(partners=(row,)))))
        with store.reading() as tx:
            assert tx.snapshots.load(digest).dossier.registry.partners


def test_an_unknown_snapshot_is_not_found(store: SqlStore) -> None:
    """It says so."""
    with store.reading() as tx, pytest.raises(NotFound):
        tx.snapshots.load("0" * 64)


def test_a_snapshot_that_was_changed_is_not_given(store: SqlStore) -> None:
    """Neither another one in its place nor bytes that are none."""
    first, other = keep(store), keep(store, a_snapshot(a_dossier()))
    change(
        store,
        "UPDATE snapshots SET body = (SELECT body FROM snapshots AS o "
        f"WHERE o.digest = '{other}') WHERE digest = '{first}'",
    )
    with store.reading() as tx, pytest.raises(Permanent, match="not as it was stored"):
        tx.snapshots.load(first)

    empty = "x''" if store._engine.dialect.name == "sqlite" else "''"
    change(store, f"UPDATE snapshots SET body = {empty} WHERE digest = '{first}'")
    with store.reading() as tx, pytest.raises(Permanent, match="not as it was stored"):
        tx.snapshots.load(first)


def test_history_tells_what_each_change_was_decided_on(store: SqlStore) -> None:
    """A snapshot, why there is none, or neither for an officer's decision."""
    flag = a_stored_flag()
    gone = replace(flag, status=FlagStatus.WITHDRAWN)
    decision = Decision(flag.id, FlagStatus.UPHELD, "data-disclosed", "note", "officer", at(90))
    digest = keep(store)
    with store.transaction() as tx:
        opened = [FlagChange(ChangeKind.OPENED, flag)]
        tx.flags.save(opened, as_of=at(60), snapshot=digest)
        tx.flags.save(
            [FlagChange(ChangeKind.WITHDRAWN, gone, "later data")],
            as_of=at(61),
            withheld=Withheld.ADULTS,
        )
        tx.flags.decide(decision)

    with store.reading() as tx:
        decided = replace(flag, status=FlagStatus.UPHELD, updated_at=at(90))
        assert tx.flags.entries(flag.id) == [
            HistoryEntry(at(60), "opened", "", flag, digest),
            HistoryEntry(at(61), "withdrawn", "later data", gone, None, Withheld.ADULTS),
            HistoryEntry(at(90), "upheld", "data-disclosed", decided),
        ]
        assert tx.flags.decisions(flag.id) == [decision]
        assert tx.flags.entries("F-0") == []
        assert tx.flags.decisions("F-0") == []


def test_a_snapshot_goes_with_the_last_flag_that_rests_on_it(store: SqlStore) -> None:
    """Retention by policy; the chain stays whole."""
    flags = [
        a_stored_flag(rule, status=FlagStatus.DISMISSED, updated_at=at(minute))
        for rule, minute in (("staff-left-early", 60), ("contract-missing", 120))
    ]
    digest = keep(store)
    with store.transaction() as tx:
        for flag in flags:
            tx.flags.save([FlagChange(ChangeKind.OPENED, flag)], as_of=at(60), snapshot=digest)

    _purge(store, 90)
    with store.reading() as tx:
        assert tx.flags.list() == [flags[1]]
        assert tx.snapshots.load(digest) == SNAPSHOT

    _purge(store, 150)
    with store.reading() as tx:
        assert tx.flags.list() == []
        with pytest.raises(NotFound):
            tx.snapshots.load(digest)
        assert tx.chain.audit().broken is None


def _purge(store: SqlStore, minute: float) -> None:
    """Delete flags closed before a minute; attendance stays."""
    cutoffs = Cutoffs(attendance=at(0), unrelated=at(0), evidence=at(minute))
    with store.transaction() as tx:
        tx.retention.purge(
            cutoffs, confidential={}, month=lambda when: f"{when:%Y-%m}", as_of=at(200)
        )


def test_several_are_loaded_at_once_and_a_spoilt_one_says_so(store: SqlStore) -> None:
    """A sentence stands in for what cannot be read; unknown digests are left out."""
    good = keep(store)
    spoilt = keep(store, a_snapshot(a_dossier()))
    change(store, f"UPDATE snapshots SET digest = '{good[::-1]}' WHERE digest = '{spoilt}'")
    spoilt = good[::-1]
    with store.reading() as tx:
        found = tx.snapshots.load_some([good, spoilt, "unknown"])

    assert set(found) == {good, spoilt}
    assert found[good] == SNAPSHOT
    assert "not as it was stored" in str(found[spoilt])
