"""Uses of exemptions: each once for its occurrence."""

from __future__ import annotations

from meetbot.domain.registry import ExemptionKind
from meetbot.ports import ExemptionUse
from meetbot.store import SqlStore
from tests.builders import at

GUARDIAN, INTERPRETER = ExemptionKind.GUARDIAN, ExemptionKind.INTERPRETER


def a_use(
    exemption: str, occurrence: str, kind: ExemptionKind = GUARDIAN, minute: float = 0
) -> ExemptionUse:
    return ExemptionUse(exemption, occurrence, kind, at(minute))


def test_a_use_is_counted_once(store: SqlStore) -> None:
    """Noted again, also with another start, it is the same; two rows in one meeting are one use."""
    first, other = a_use("e1", "o1"), a_use("e2", "o1")
    with store.transaction() as tx:
        assert tx.exemptions.note([first, first, other]) == {first, other}
        assert tx.exemptions.note([a_use("e1", "o1", minute=5)]) == frozenset()
        assert tx.exemptions.note([]) == frozenset()
    with store.reading() as tx:
        assert tx.exemptions.counts(at(0), at(10)) == {GUARDIAN: 1}


def test_uses_are_counted_by_kind_and_time(store: SqlStore) -> None:
    """The end is not included; a moved meeting counts where it is now."""
    with store.transaction() as tx:
        tx.exemptions.note(
            [a_use("e1", "o1"), a_use("e1", "o2", minute=10), a_use("e3", "o1", INTERPRETER)]
        )
        assert tx.exemptions.counts(at(0), at(10)) == {GUARDIAN: 1, INTERPRETER: 1}
        tx.exemptions.note([a_use("e1", "o2", minute=9)])
        assert tx.exemptions.counts(at(0), at(10)) == {GUARDIAN: 2, INTERPRETER: 1}


def test_old_uses_are_forgotten(store: SqlStore) -> None:
    """Those of meetings before an instant."""
    with store.transaction() as tx:
        tx.exemptions.note([a_use("e1", "o1"), a_use("e1", "o2", minute=10)])
        assert tx.exemptions.prune(before=at(10)) == 1
        assert tx.exemptions.counts(at(0), at(99)) == {GUARDIAN: 1}
