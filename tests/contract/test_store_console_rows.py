"""Registry rows of the console beside imported ones: what stays, what ends, what was known when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from meetbot.domain.chain import Break, LinkKind
from meetbot.domain.registry import (
    Activity,
    Certification,
    Partner,
    PartnerKind,
    Registry,
    RegistryFile,
    Row,
    row_key,
)
from meetbot.domain.registry_history import KnownRow, Origin, merged
from meetbot.errors import NotFound, Permanent
from meetbot.store import SqlStore
from tests.builders import at

KEEPER = "keeper@district.example"
NORTH = Partner("P1", "Northstar", PartnerKind.CONTRACTED, Activity.ACTIVE)
SOUTH = Partner("P2", 'Süd; % "Söhne"', PartnerKind.LEASE, Activity.ACTIVE)
WEST = Partner("P3", "West", PartnerKind.PERMIT, Activity.ACTIVE)
PAUSED = replace(SOUTH, status=Activity.PAUSED)


def import_(store: SqlStore, minute: float, *rows: Row) -> bool:
    with store.transaction() as tx:
        return tx.registry.replace(Registry.of_rows(rows), as_of=at(minute))


def add(store: SqlStore, minute: float, row: Row) -> KnownRow:
    with store.transaction() as tx:
        return tx.registry.add(row, by=KEEPER, as_of=at(minute))


def end(
    store: SqlStore, minute: float, known: KnownRow, instead: Row | None = None
) -> KnownRow | None:
    with store.transaction() as tx:
        return tx.registry.end(known.id, by=KEEPER, as_of=at(minute), instead=instead)


def current(store: SqlStore) -> tuple[Partner, ...]:
    with store.reading() as tx:
        return tx.registry.current().partners


def known(store: SqlStore, minute: float) -> tuple[Partner, ...]:
    with store.reading() as tx:
        return tx.registry.as_known(at(minute)).partners


def broken(store: SqlStore) -> Break | None:
    with store.reading() as tx:
        return tx.chain.audit().broken


def row_of(store: SqlStore, row: Row) -> KnownRow:
    with store.reading() as tx:
        return next(found for found in tx.registry.known() if found.row == row)


def test_a_row_of_the_console_stays_when_others_are_imported(store: SqlStore) -> None:
    """An import ends what an import brought, and nothing else."""
    import_(store, 0, NORTH)
    added = add(store, 5, SOUTH)

    assert (added.origin, added.by, added.known_from) == (Origin.CONSOLE, KEEPER, at(5))
    assert import_(store, 10, WEST)
    assert current(store) == (WEST, SOUTH)
    assert known(store, 7) == (NORTH, SOUTH)
    assert broken(store) is None
    with store.reading() as tx:
        assert tx.registry.imported().partners == (WEST,)
        assert [found.row for found in tx.registry.kept()] == [SOUTH]
        assert tx.registry.known_since() == at(10)


def test_the_same_row_by_import_is_one_row_and_stays_the_consoles(store: SqlStore) -> None:
    """It is there before, while and after it is imported."""
    import_(store, 0, NORTH)
    add(store, 5, SOUTH)

    assert not import_(store, 10, SOUTH, NORTH)
    assert current(store) == (SOUTH, NORTH)
    assert not import_(store, 20, NORTH)
    assert sorted(row.partner_id for row in current(store)) == ["P1", "P2"]
    assert broken(store) is None


def test_an_imported_row_that_contradicts_the_console_changes_nothing(store: SqlStore) -> None:
    """Validation tells it before; the store does not choose between the two."""
    import_(store, 0, NORTH)
    add(store, 5, SOUTH)

    with pytest.raises(Permanent, match="contradicts"):
        import_(store, 10, NORTH, PAUSED)
    assert current(store) == (NORTH, SOUTH)


def test_an_imported_row_that_is_changed_in_the_console_keeps_its_history(
    store: SqlStore,
) -> None:
    """The old row ends, the new one begins; nothing is overwritten."""
    import_(store, 0, NORTH, SOUTH)
    changed = end(store, 5, row_of(store, SOUTH), PAUSED)

    assert changed is not None
    assert (changed.origin, changed.by) == (Origin.CONSOLE, KEEPER)
    assert known(store, 4) == (NORTH, SOUTH)
    assert known(store, 5) == current(store) == (NORTH, PAUSED)
    with store.reading() as tx:
        history = tx.registry.known(partner_id="P2", ended=True)
        assert [(found.row, found.known_to, found.ended_by) for found in history] == [
            (SOUTH, at(5), KEEPER),
            (PAUSED, None, None),
        ]
        assert [found.row for found in tx.registry.known(partner_id="P2")] == [PAUSED]
        assert [found.row for found in tx.registry.kept()] == [PAUSED]
    assert broken(store) is None


def test_what_was_ended_is_remembered_until_it_comes_back(store: SqlStore) -> None:
    """An import that still has it is old; adding it again ends the matter."""
    import_(store, 0, NORTH, SOUTH)
    end(store, 5, row_of(store, SOUTH))

    with store.reading() as tx:
        (ended,) = tx.registry.kept()
    assert (ended.row, ended.is_known, ended.ended_by) == (SOUTH, False, KEEPER)
    add(store, 9, SOUTH)
    with store.reading() as tx:
        assert [found.is_known for found in tx.registry.kept()] == [True]


def test_an_ended_row_cannot_be_ended_again(store: SqlStore) -> None:
    """Nor one that was never there."""
    import_(store, 0, NORTH)
    north = row_of(store, NORTH)
    end(store, 5, north)

    with pytest.raises(NotFound):
        end(store, 6, north)
    with store.reading() as tx:
        assert tx.registry.get(north.id).known_to == at(5)
        with pytest.raises(NotFound):
            tx.registry.get(north.id + 1)


def test_rows_are_found_by_file_and_partner(store: SqlStore) -> None:
    """An id is no pattern, and a partner's name is not its id."""
    odd = Partner("%", '"partner_id":"P1"', PartnerKind.CONTRACTED, Activity.ACTIVE)
    valid = Certification("P1", None, date(2026, 7, 1), date(2027, 6, 30))
    import_(store, 0, NORTH, odd, valid)

    with store.reading() as tx:
        assert [f.row for f in tx.registry.known(partner_id="%")] == [odd]
        assert [f.row for f in tx.registry.known(partner_id="P1")] == [NORTH, valid]
        only = tx.registry.known(partner_id="P1", file=RegistryFile.CERTIFICATIONS)
        assert [f.row for f in only] == [valid]


def test_rows_of_the_console_alone_are_no_registry(store: SqlStore) -> None:
    """Before the first import the registry counts as not known, so that nobody is accused by it."""
    add(store, 0, NORTH)

    with store.reading() as tx:
        assert tx.registry.known_since() is None
    import_(store, 5)
    with store.reading() as tx:
        assert tx.registry.known_since() == at(5)
    add(store, 7, SOUTH)
    with store.reading() as tx:
        assert tx.registry.known_since() == at(7)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE registry_rows SET origin = 'import' WHERE row_key LIKE '%P2%'",
        "UPDATE registry_rows SET origin = 'import', \"by\" = NULL WHERE row_key LIKE '%P2%'",
        "UPDATE registry_rows SET \"by\" = 'other@district.example' WHERE row_key LIKE '%P2%'",
        "UPDATE registry_rows SET origin = 'console' WHERE row_key LIKE '%P3%'",
        "UPDATE registry_rows SET \"by\" = 'other@district.example' WHERE row_key LIKE '%P3%'",
        "UPDATE registry_rows SET ended_by = NULL WHERE row_key LIKE '%P1%'",
        "UPDATE registry_rows SET ended_by = 'x@district.example' WHERE row_key LIKE '%P1%'",
        "UPDATE registry_rows SET known_to = NULL WHERE row_key LIKE '%P1%'",
        "DELETE FROM registry_rows WHERE row_key LIKE '%P2%'",
    ],
)
def test_a_row_of_the_console_that_is_touched_is_named(store: SqlStore, statement: str) -> None:
    """Who brought or ended it, and that it was the console, is in the chain."""
    import_(store, 0, NORTH, WEST)
    add(store, 5, SOUTH)
    end(store, 6, row_of(store, NORTH))
    assert broken(store) is None

    with store._engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount
    assert broken(store) is not None


def test_the_chain_names_the_file_and_nobody(store: SqlStore) -> None:
    """Digests and instants only."""
    import_(store, 0, NORTH)
    add(store, 5, SOUTH)

    with store.reading() as tx:
        link = tx.chain.links(LinkKind.REGISTRY)[-1]
    assert (link.subject, list(link.content["rows"])) == ("partners", ["console_rows"])
    assert "@" not in link.payload


ROWS = [NORTH, SOUTH, WEST, PAUSED]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["import", "add", "end"]), st.sets(st.sampled_from(ROWS))),
        max_size=8,
    )
)
def test_imports_and_the_console_never_lose_each_others_rows(
    store: SqlStore, steps: list[tuple[str, set[Partner]]]
) -> None:
    """Whatever is done in whatever order, the registry is what was imported plus the console's."""
    with store.transaction() as tx:
        tx.registry.replace(Registry(), as_of=at(0))
        for found in tx.registry.known():
            tx.registry.end(found.id, by=KEEPER, as_of=at(0))
    imported: list[Partner] = []
    own: dict[str, Partner] = {}
    for number, (step, rows) in enumerate(steps, start=1):
        chosen = list({row.partner_id: row for row in sorted(rows, key=ROWS.index)}.values())
        if step == "import":
            imported = [row for row in chosen if own.get(row.partner_id, row) == row]
            import_(store, number, *imported)
        elif step == "add":
            taken = {row.partner_id for row in imported} | own.keys()
            for row in chosen:
                if row.partner_id not in taken:
                    own[row.partner_id] = row
                    add(store, number, row)
        else:
            for row in chosen:
                if own.get(row.partner_id) == row:
                    end(store, number, row_of(store, own.pop(row.partner_id)))
                    imported = [r for r in imported if r.partner_id != row.partner_id]

    with store.reading() as tx:
        whole = tx.registry.current()
        kept = tx.registry.kept()
    expected = {row_key(row): row for row in [*imported, *own.values()]}
    assert {row_key(row): row for row in whole.partners} == expected
    assert len(whole.partners) == len(expected)
    assert set(merged(Registry.of_rows(imported), kept).partners) == set(expected.values())
    assert broken(store) is None
