"""The keeper's changes of single rows, and imports beside them, on every database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from meetbot.domain.registry import (
    Activity,
    Authorization,
    Contract,
    Registry,
    RegistryFile,
    Row,
    row_key,
    to_cells,
)
from meetbot.domain.registry_history import KnownRow
from meetbot.errors import NotFound
from meetbot.jobs import import_registry as importing
from meetbot.jobs import registry_edit
from meetbot.jobs.registry_edit import Edit, Editor
from meetbot.ports import Judged, Tx
from meetbot.registry import Source, read_source, source_of, write_folder
from meetbot.store import SqlStore
from tests.builders import a_copy, a_read, at

DOMAINS = ("district.example",)
KEEPER = "keeper@district.example"
FILES = {
    "schools": "school_id,name,kind,unit_paths,principals,leads\n"
    "S1,Lincoln,school,/Staff/Lincoln,pat@district.example,\n"
    "S2,Roosevelt,school,/Staff/Roosevelt,kim@district.example,\n",
    "partners": "partner_id,name,kind,status,school_official\nP1,Northstar,contracted,active,\n",
    "programs": "program_id,partner_id,name,type,status\nG1,P1,Tutoring,college-access,active\n",
    "identities": "partner_id,kind,value,person_name\nP1,domain,partner.example,\n",
    "contracts": "contract_id,partner_id,program_id,school_ids,signed_on,starts_on,ends_on\n"
    "C1,P1,G1,*,2026-06-01,2026-07-01,2027-06-30\n",
    "certifications": "partner_id,person_address,certified_on,expires_on\n"
    "P1,,2026-07-01,2027-06-30\n",
    "authorizations": "authorization_id,partner_id,program_id,school_id,host_address,starts_on,"
    "ends_on,authorizer_address,issued_at,revoked_at\n"
    "A1,P1,G1,S1,ann@district.example,2026-09-01,2026-12-31,pat@district.example,"
    "2026-08-20T15:00:00Z,\n",
    "exemptions": "kind,value,platform,consent_on_file,reason,owner,starts_on,ends_on\n"
    "guardian,mum@mail.example,,,parent evening,Ms. Lee,2026-09-01,2027-06-30\n",
}
CONTRACT = {
    "contract_id": "C2",
    "partner_id": "P1",
    "program_id": "G1",
    "school_ids": "S1",
    "signed_on": "2026-06-01",
    "starts_on": "2027-07-01",
    "ends_on": "2028-06-30",
}


def source(folder: Path, **files: str) -> Source:
    """The small registry, with some files replaced."""
    folder.mkdir(exist_ok=True)
    for name, text in (FILES | files).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return source_of(folder)


def import_(store: SqlStore, minute: float, tables: Source, **values: bool) -> importing.Import:
    return importing.import_registry(
        store, tables, district_domains=DOMAINS, as_of=at(minute), **values
    )


def who(minute: float) -> Editor:
    return Editor(KEEPER, at(minute), DOMAINS)


def edited(store: SqlStore, work: Callable[[Tx], Edit]) -> Edit:
    with store.transaction() as tx:
        return work(tx)


def add(
    store: SqlStore,
    minute: float,
    cells: Mapping[str, str] = CONTRACT,
    file: RegistryFile = RegistryFile.CONTRACTS,
) -> Edit:
    return edited(store, lambda tx: registry_edit.add(tx, file, cells, who(minute)))


def current(store: SqlStore) -> Registry:
    with store.reading() as tx:
        assert tx.chain.audit().broken is None
        return tx.registry.current()


def known(store: SqlStore, key: str) -> KnownRow:
    with store.reading() as tx:
        return next(found for found in tx.registry.known() if row_key(found.row)[0] == key)


def places(edit: Edit) -> list[tuple[str, str]]:
    """Column and what of every mistake; each has a fix."""
    assert all(mistake.fix for mistake in edit.mistakes)
    return [(mistake.column, mistake.what) for mistake in edit.mistakes]


@pytest.fixture
def filled(store: SqlStore, tmp_path: Path) -> SqlStore:
    """The store with the small registry and one meeting that is not due."""
    assert import_(store, 0, source(tmp_path / "first")).is_imported
    with store.transaction() as tx:
        tx.meetings.apply(a_read(a_copy(start=60)), as_of=at(1))
        (number,) = tx.meetings.due(at(2), 9)
        record = tx.meetings.load(number)
        tx.meetings.judged([Judged(number, record.version, record.scope)], as_of=at(2))
    return store


def is_due(store: SqlStore, moment: datetime) -> bool:
    with store.reading() as tx:
        return bool(tx.meetings.due(moment, 9))


# --- adding -------------------------------------------------------------------------------------


def test_an_added_row_counts_at_once(filled: SqlStore) -> None:
    """Meetings are decided again with it."""
    assert not is_due(filled, at(9))
    edit = add(filled, 5)

    assert edit.row is not None
    assert (edit.row.by, edit.row.known_from) == (KEEPER, at(5))
    assert [row.contract_id for row in current(filled).contracts] == ["C1", "C2"]
    assert is_due(filled, at(9))


def test_every_mistake_of_a_row_is_told_with_its_column(filled: SqlStore) -> None:
    """The same validation as of an import, cells first."""
    bad = CONTRACT | {"contract_id": "", "starts_on": "soon", "ends_on": "2026-02-30"}
    assert places(add(filled, 5, bad)) == [
        ("contract_id", "is empty"),
        ("ends_on", "is a date that does not exist"),
        ("starts_on", "is not a date"),
    ]
    dangling = CONTRACT | {"partner_id": "P9", "program_id": "G9", "school_ids": "S1;S9"}
    assert places(add(filled, 5, dangling)) == [
        ("partner_id", "is not in partners.csv"),
        ("program_id", "is not in programs.csv"),
        ("school_ids", "names a school that is not in schools.csv"),
    ]
    assert not is_due(filled, at(9))


@pytest.mark.parametrize(
    ("file", "cells", "column", "what"),
    [
        (RegistryFile.CONTRACTS, CONTRACT | {"contract_id": "C1"}, "contract_id", "contradicts"),
        (RegistryFile.CONTRACTS, CONTRACT | {"ends_on": "2027-01-01"}, "ends_on", "is before"),
        (
            RegistryFile.IDENTITIES,
            {"partner_id": "P1", "kind": "domain", "value": "gmail.com"},
            "value",
            "is a free-mail host",
        ),
        (
            RegistryFile.IDENTITIES,
            {"partner_id": "P1", "kind": "domain", "value": "district.example"},
            "value",
            "is a domain of the district",
        ),
        (
            RegistryFile.EXEMPTIONS,
            {
                "kind": "guardian",
                "value": "Mum@mail.example",
                "reason": "r",
                "owner": "o",
                "starts_on": "2026-10-01",
                "ends_on": "2027-10-01",
            },
            "starts_on",
            "overlaps the row imported on 2026-10-13",
        ),
        (RegistryFile.PARTNERS, {}, "name", "is empty"),
        (RegistryFile.PARTNERS, {"name": "a\0b"}, "name", "holds a NUL character"),
        (RegistryFile.PARTNERS, {"name": "a" * 1_000_000}, "name", "holds more than 32,767"),
    ],
)
def test_a_row_that_does_not_fit_the_others_is_refused(
    filled: SqlStore, file: RegistryFile, cells: dict[str, str], column: str, what: str
) -> None:
    """Whatever an import would refuse."""
    found = places(add(filled, 5, cells, file))
    assert any(at_ == column and said.startswith(what) for at_, said in found), found


def test_a_row_that_is_there_is_not_added_again(filled: SqlStore) -> None:
    """Not even in the words of the import."""
    cells = to_cells(current(filled).contracts[0])
    assert places(add(filled, 5, cells)) == [
        ("", "is in the registry already: the row imported on 2026-10-13")
    ]


def test_what_was_wrong_before_is_not_held_against_a_new_row(
    store: SqlStore, tmp_path: Path
) -> None:
    """A domain that the district gave up does not keep the keeper from working."""
    import_(store, 0, source(tmp_path / "a"))
    elsewhere = Editor(KEEPER, at(5), ("moved.example",))

    edit = edited(
        store, lambda tx: registry_edit.add(tx, RegistryFile.CONTRACTS, CONTRACT, elsewhere)
    )
    assert not edit.mistakes


# --- ending -------------------------------------------------------------------------------------


def test_an_authorization_is_revoked_and_what_was_known_stays(filled: SqlStore) -> None:
    """From now on; yesterday's answer stays what it was."""
    old = known(filled, "A1")
    edit = edited(filled, lambda tx: registry_edit.close(tx, old.id, None, who(7)))

    assert edit.row is not None
    assert isinstance(old.row, Authorization)
    assert edit.row.row == replace(old.row, revoked_at=at(7))
    with filled.reading() as tx:
        assert tx.registry.as_known(at(6)).authorizations == (old.row,)
        assert tx.registry.as_known(at(7)).authorizations == (edit.row.row,)
    assert is_due(filled, at(9))
    again = edited(filled, lambda tx: registry_edit.close(tx, edit.row.id, None, who(8)))  # type: ignore[union-attr] # asserted above
    assert places(again) == [("revoked_at", "is set already")]


@pytest.mark.parametrize(
    ("key", "column"),
    [("C1", "ends_on"), ("P1", "expires_on"), ("guardian", "ends_on")],
)
def test_what_has_dates_gets_an_earlier_last_day(filled: SqlStore, key: str, column: str) -> None:
    """A contract, a certification and an exemption."""
    with filled.reading() as tx:
        old = next(
            found
            for found in tx.registry.known()
            if row_key(found.row)[0] == key and column in to_cells(found.row)
        )
    day = date(2026, 11, 30)
    edit = edited(filled, lambda tx: registry_edit.close(tx, old.id, day, who(7)))

    assert edit.row is not None
    assert to_cells(edit.row.row) == to_cells(old.row) | {column: "2026-11-30"}
    late = edited(filled, lambda tx: registry_edit.close(tx, edit.row.id, day, who(8)))  # type: ignore[union-attr] # asserted above
    assert places(late) == [(column, "is not before 2026-11-30")]
    none = edited(filled, lambda tx: registry_edit.close(tx, edit.row.id, None, who(8)))  # type: ignore[union-attr] # asserted above
    assert places(none) == [(column, "is empty")]
    before = edited(
        filled,
        lambda tx: registry_edit.close(tx, edit.row.id, date(2020, 1, 1), who(8)),  # type: ignore[union-attr] # asserted above
    )
    assert [said.split()[:2] for _, said in places(before)] == [["is", "before"]]


def test_a_row_on_which_others_rest_is_not_removed(filled: SqlStore) -> None:
    """The mistakes say what has to end first."""
    partner = next(
        found for found in _known(filled) if to_cells(found.row).get("kind") == "contracted"
    )
    edit = edited(filled, lambda tx: registry_edit.remove(tx, partner.id, who(7)))

    assert {mistake.file.partition(" ")[0] for mistake in edit.mistakes} == {
        "programs",
        "identities",
        "contracts",
        "certifications",
        "authorizations",
    }
    assert any("contracts C1 (imported on 2026-10-13)" in m.place for m in edit.mistakes)
    assert current(filled).partners


def _known(store: SqlStore) -> tuple[KnownRow, ...]:
    with store.reading() as tx:
        return tx.registry.known()


def test_a_row_on_which_nothing_rests_is_removed(filled: SqlStore) -> None:
    """It is known no longer, and remembered."""
    identity = next(f for f in _known(filled) if to_cells(f.row).get("value") == "partner.example")
    assert not edited(filled, lambda tx: registry_edit.remove(tx, identity.id, who(7))).mistakes

    assert not current(filled).identities
    with filled.reading() as tx:
        assert tx.registry.get(identity.id).ended_by == KEEPER
        assert tx.registry.as_known(at(6)).identities
    with pytest.raises(NotFound):
        edited(filled, lambda tx: registry_edit.remove(tx, identity.id, who(8)))


def test_a_row_is_changed_under_its_key(filled: SqlStore) -> None:
    """A partner is paused; it does not become another one, and nothing stays as it was."""
    partner = known(filled, "P1")
    cells = to_cells(partner.row)
    paused = edited(
        filled,
        lambda tx: registry_edit.change(tx, partner.id, cells | {"status": "paused"}, who(7)),
    )
    assert paused.row is not None
    assert current(filled).partners[0].status is Activity.PAUSED

    number = paused.row.id
    other = cells | {"partner_id": "P2"}
    assert "makes it another row" in str(
        edited(filled, lambda tx: registry_edit.change(tx, number, other, who(8))).mistakes
    )
    same = cells | {"status": "paused"}
    assert "is as it was" in str(
        edited(filled, lambda tx: registry_edit.change(tx, number, same, who(8))).mistakes
    )


# --- imports beside it --------------------------------------------------------------------------


def test_an_import_says_how_many_rows_of_the_console_stay(filled: SqlStore, tmp_path: Path) -> None:
    """And neither changes nor counts them."""
    add(filled, 5)
    with filled.reading() as tx:
        done = importing.preview(tx, source(tmp_path / "again"), DOMAINS)

    assert done.changes.is_empty
    assert done.changes.of_console == 1
    (part,) = [p for p in done.changes.files if p.of_console]
    assert (part.file, part.known) == (RegistryFile.CONTRACTS, 1)
    assert import_(filled, 6, source(tmp_path / "again")).is_imported
    assert len(current(filled).contracts) == 2


def test_an_import_must_agree_with_the_console(filled: SqlStore, tmp_path: Path) -> None:
    """Another content under one key names both; so does a reference that would dangle."""
    add(filled, 5)
    other = FILES["contracts"] + "C2,P1,G1,S2,2026-06-01,2027-07-01,2028-06-30\n"
    (mistake,) = import_(filled, 6, source(tmp_path / "b", contracts=other)).mistakes
    assert mistake.place == "contracts.csv, row 3, column contract_id"
    assert mistake.what == "contradicts the row added in the console on 2026-10-13"

    fewer = "school_id,name,kind,unit_paths,principals,leads\n" + (
        "S2,Roosevelt,school,/Staff/Roosevelt,kim@district.example,\n"
    )
    done = import_(
        filled,
        6,
        source(tmp_path / "c", schools=fewer, authorizations=_header("authorizations")),
        is_confirmed=True,
    )
    (dangling,) = done.mistakes
    assert dangling.place == (
        "contracts C2 (added in the console on 2026-10-13), column school_ids"
    )
    assert len(current(filled).schools) == 2


def _header(name: str) -> str:
    return FILES[name].splitlines(keepends=True)[0]


def test_the_same_row_by_import_too_is_no_mistake(filled: SqlStore, tmp_path: Path) -> None:
    """An export can be imported again, and what the console brought stays the console's."""
    add(filled, 5)
    folder = tmp_path / "out"
    write_folder(current(filled), folder)

    assert read_source(folder, district_domains=DOMAINS).registry == current(filled)
    done = import_(filled, 6, source_of(folder))
    assert done.is_imported
    assert done.changes.is_empty
    assert import_(filled, 7, source(tmp_path / "again")).is_imported
    assert [row.contract_id for row in current(filled).contracts] == ["C1", "C2"]


def test_the_same_row_twice_in_a_source_is_still_said(filled: SqlStore, tmp_path: Path) -> None:
    """That the console has it too does not hide it."""
    add(filled, 5)
    line = "C2,P1,G1,S1,2026-06-01,2027-07-01,2028-06-30\n"
    twice = source(tmp_path / "b", contracts=FILES["contracts"] + line + line)

    (mistake,) = import_(filled, 6, twice).mistakes
    assert (mistake.row, mistake.what) == (4, "is the same as row 3")


def test_an_import_does_not_undo_what_the_console_ended(filled: SqlStore, tmp_path: Path) -> None:
    """A revoked approval stays revoked, a removed address removed, until the source knows it."""
    approval = known(filled, "A1")
    identity = next(f for f in _known(filled) if to_cells(f.row).get("value") == "partner.example")
    edited(filled, lambda tx: registry_edit.close(tx, approval.id, None, who(5)))
    edited(filled, lambda tx: registry_edit.remove(tx, identity.id, who(6)))

    done = import_(filled, 7, source(tmp_path / "old"))
    assert [(m.file, m.row, m.what) for m in done.mistakes] == [
        ("identities.csv", 2, "is the row ended in the console on 2026-10-13"),
        ("authorizations.csv", 2, "contradicts the row added in the console on 2026-10-13"),
    ]
    folder = tmp_path / "new"
    write_folder(current(filled), folder)
    assert import_(filled, 8, source_of(folder)).is_imported
    corrected = FILES["identities"].replace("P1,domain,partner.example,", "P1,domain,p.example,")
    write_folder(current(filled), folder)
    (folder / "identities.csv").write_text(corrected)
    assert import_(filled, 9, source_of(folder)).is_imported
    assert [row.value for row in current(filled).identities] == ["p.example"]


def test_the_share_that_vanishes_is_one_of_imported_rows(store: SqlStore, tmp_path: Path) -> None:
    """Many rows of the console do not make a half-empty file look harmless."""
    line = "C{n},P1,G1,S1,2026-06-01,2027-07-01,2028-06-30\n"
    two = _header("contracts") + line.format(n=100) + line.format(n=101)
    import_(store, 0, source(tmp_path / "a", contracts=two))
    for number in range(2, 20):
        cells = CONTRACT | {"contract_id": f"C{number}"}
        assert not add(store, 5, cells).mistakes

    one = source(tmp_path / "b", contracts=_header("contracts") + line.format(n=100))
    refused = import_(store, 6, one)
    assert refused.is_refused
    assert [part.file for part in refused.changes.vanishing] == [RegistryFile.CONTRACTS]
    assert import_(store, 6, one, is_confirmed=True).is_imported
    assert len(current(store).contracts) == 19


def test_rows_of_the_console_alone_never_vanish(filled: SqlStore, tmp_path: Path) -> None:
    """An import without any contract leaves theirs; the imported one needs the operator's word."""
    edit = add(filled, 5)
    assert edit.row is not None
    empty = source(tmp_path / "b", contracts=_header("contracts"))

    assert import_(filled, 6, empty).is_refused
    assert import_(filled, 6, empty, is_confirmed=True).is_imported
    rows: tuple[Row, ...] = current(filled).contracts
    assert rows == (edit.row.row,)
    assert isinstance(edit.row.row, Contract)
