"""The registry with its history: what was known when."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from meetbot.domain.registry import (
    ALL_SCHOOLS,
    Activity,
    Certification,
    Contract,
    Partner,
    PartnerKind,
    Registry,
    Row,
    School,
    SchoolKind,
)
from meetbot.store import SqlStore
from tests.builders import at

NORTH = Partner("P1", "Northstar", PartnerKind.CONTRACTED, Activity.ACTIVE)
SOUTH = Partner("P2", 'Süd; & "Söhne"', PartnerKind.LEASE, Activity.PAUSED)
SCHOOL = School("S1", "Lincoln", SchoolKind.SCHOOL, ("/Staff/Lincoln", "/Staff/L2"), ())


def contract(ends: date = date(2027, 6, 30)) -> Contract:
    values: dict[str, Any] = {
        "contract_id": "C1",
        "partner_id": "P1",
        "program_id": "G1",
        "school_ids": (ALL_SCHOOLS,),
        "signed_on": None,
        "starts_on": date(2026, 7, 1),
        "ends_on": ends,
    }
    return Contract(**values)


def replace(store: SqlStore, minute: float, *rows: Row) -> bool:
    with store.transaction() as tx:
        return tx.registry.replace(Registry.of_rows(rows), as_of=at(minute))


def current(store: SqlStore) -> Registry:
    with store.reading() as tx:
        return tx.registry.current()


def known(store: SqlStore, minute: float) -> Registry:
    with store.reading() as tx:
        return tx.registry.as_known(at(minute))


def test_rows_come_back_in_their_order(store: SqlStore) -> None:
    """What was imported can be exported again as it was."""
    assert replace(store, 0, SOUTH, NORTH, SCHOOL, contract())

    assert current(store) == Registry.of_rows([SOUTH, NORTH, SCHOOL, contract()])


def test_the_same_registry_is_no_change(store: SqlStore) -> None:
    """Not even in another order, which is kept all the same."""
    replace(store, 0, NORTH, SOUTH)

    assert not replace(store, 5, SOUTH, NORTH)
    assert current(store) == Registry.of_rows([SOUTH, NORTH])
    with store.reading() as tx:
        assert tx.registry.known_since() == at(0)


def test_the_past_stays_as_it_was_known(store: SqlStore) -> None:
    """A changed, a removed and an added row, each from its import on."""
    replace(store, 0, NORTH, contract())
    assert replace(store, 10, NORTH, contract(date(2026, 12, 31)), SOUTH)
    assert replace(store, 20, SOUTH)

    assert known(store, -1) == Registry()
    assert known(store, 0) == known(store, 9.99) == Registry.of_rows([NORTH, contract()])
    assert known(store, 10) == Registry.of_rows([NORTH, SOUTH, contract(date(2026, 12, 31))])
    assert known(store, 20) == current(store) == Registry.of_rows([SOUTH])


def test_a_row_that_comes_back_is_known_again(store: SqlStore) -> None:
    """The gap between is remembered."""
    replace(store, 0, NORTH)
    replace(store, 10)
    replace(store, 20, NORTH)

    assert [known(store, minute) for minute in (5, 15, 25)] == [
        Registry.of_rows([NORTH]),
        Registry(),
        Registry.of_rows([NORTH]),
    ]


def test_known_since_the_last_change(store: SqlStore) -> None:
    """None before the first import, even if that import is empty."""
    with store.reading() as tx:
        assert tx.registry.known_since() is None

    assert replace(store, 3)
    assert not replace(store, 4)
    with store.reading() as tx:
        assert tx.registry.known_since() == at(3)
    replace(store, 5, NORTH)
    with store.reading() as tx:
        assert tx.registry.known_since() == at(5)


def test_rows_that_share_a_key_are_all_kept(store: SqlStore) -> None:
    """Validation refuses them; should one slip through, nothing is lost."""
    twice = [Certification("P1", None, date(2026, 1, 1), date(2026, month, 1)) for month in (6, 9)]

    assert replace(store, 0, *twice)
    assert not replace(store, 1, *twice)
    assert current(store) == Registry.of_rows(twice)


def test_an_import_that_fails_changes_nothing(store: SqlStore) -> None:
    """All or nothing."""
    replace(store, 0, NORTH)

    def interrupted() -> None:
        with store.transaction() as tx:
            tx.registry.replace(Registry.of_rows([SOUTH]), as_of=at(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert current(store) == Registry.of_rows([NORTH])
