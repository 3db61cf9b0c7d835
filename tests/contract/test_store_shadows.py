"""What rules in shadow find is kept apart from flags."""

from __future__ import annotations

from dataclasses import replace

from meetbot.domain.flags import ChangeKind, Flag, FlagChange, FlagStatus
from meetbot.store import SqlStore
from tests.builders import a_stored_flag, at


def changed(flag: Flag, kind: ChangeKind = ChangeKind.OPENED) -> FlagChange:
    return FlagChange(kind, flag)


def test_found_ones_are_listed_and_counted(store: SqlStore) -> None:
    """By occurrence, by rule, newest first; none of them is a flag."""
    early, late = a_stored_flag("staff-left-early"), a_stored_flag("contract-missing")
    late = replace(late, opened_at=at(90))
    with store.transaction() as tx:
        tx.shadows.save([changed(early), changed(late)])

    with store.reading() as tx:
        assert tx.shadows.list() == [late, early]
        assert tx.shadows.list(rule="staff-left-early") == [early]
        assert tx.shadows.of(early.key.occurrence) == [early, late]
        assert tx.shadows.of("another") == []
        assert tx.shadows.counts() == {"contract-missing": 1, "staff-left-early": 1}
        assert tx.flags.list() == []


def test_what_is_gone_is_forgotten(store: SqlStore) -> None:
    """Withdrawn or superseded ones leave no trace; updated ones stay with their news."""
    first, second = a_stored_flag("staff-left-early"), a_stored_flag("contract-missing")
    news = replace(second, message="Other words.")
    with store.transaction() as tx:
        tx.shadows.save([changed(first), changed(second)])
        gone = replace(first, status=FlagStatus.WITHDRAWN)
        tx.shadows.save([changed(gone, ChangeKind.WITHDRAWN), changed(news, ChangeKind.UPDATED)])
        tx.shadows.save([])

    with store.reading() as tx:
        assert tx.shadows.list() == [news]


def test_rules_that_left_the_shadow_are_forgotten(store: SqlStore) -> None:
    """Only those that are still in shadow are kept."""
    with store.transaction() as tx:
        tx.shadows.save(
            [changed(a_stored_flag("staff-left-early")), changed(a_stored_flag("contract-missing"))]
        )
        assert tx.shadows.keep_only({"contract-missing"}) == 1
        assert [flag.rule for flag in tx.shadows.list()] == ["contract-missing"]
        assert tx.shadows.keep_only(()) == 1
        assert tx.shadows.list() == []
