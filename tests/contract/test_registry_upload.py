"""An upload is shown, and imported when confirmed: the same bytes, once, by whoever made it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from meetbot.domain.registry import RegistryFile
from meetbot.errors import NotFound
from meetbot.jobs import registry_edit, registry_upload
from meetbot.jobs.registry_upload import Shown
from meetbot.registry import Source
from meetbot.store import SqlStore
from tests.builders import at
from tests.contract.test_registry_edit import (
    CONTRACT,
    DOMAINS,
    FILES,
    current,
    import_,
    source,
    who,
)

BY = "key-keeper"


def receive(store: SqlStore, tables: Source, minute: float = 5) -> Shown:
    with store.transaction() as tx:
        return registry_upload.receive(tx, tables, DOMAINS, by=BY, name="u1", as_of=at(minute))


def confirm(
    store: SqlStore, *, by: str = BY, minute: float = 6, is_confirmed: bool = False
) -> Shown:
    with store.transaction() as tx:
        return registry_upload.confirm(
            tx, "u1", DOMAINS, by=by, as_of=at(minute), is_confirmed=is_confirmed
        )


def more(folder: Path) -> Source:
    """One contract more than there is."""
    line = "C9,P1,G1,S2,2026-06-01,2026-07-01,2027-06-30\n"
    return source(folder, contracts=FILES["contracts"] + line)


def ids(store: SqlStore) -> list[str]:
    return [row.contract_id for row in current(store).contracts]


def test_an_upload_is_imported_when_confirmed(store: SqlStore, tmp_path: Path) -> None:
    """Shown first, without any change; then once."""
    import_(store, 0, source(tmp_path / "a"))
    shown = receive(store, more(tmp_path / "b"))

    assert shown.upload is not None
    assert shown.upload.expires_at == at(65)
    assert [len(part.added) for part in shown.done.changes.files if part.added] == [1]
    assert ids(store) == ["C1"]
    with store.reading() as tx:
        again = registry_upload.look(tx, "u1", DOMAINS, by=BY, as_of=at(6))
    assert (again.done, again.is_stale) == (shown.done, False)

    assert confirm(store).done.is_imported
    assert ids(store) == ["C1", "C9"]
    with pytest.raises(NotFound):
        confirm(store)


@pytest.mark.parametrize(("by", "minute"), [("key-other", 6), (BY, 65)])
def test_nobody_else_and_nobody_late_confirms(
    store: SqlStore, tmp_path: Path, by: str, minute: float
) -> None:
    """After an hour the preview is gone."""
    receive(store, more(tmp_path / "b"))
    with pytest.raises(NotFound):
        confirm(store, by=by, minute=minute)
    with store.reading() as tx:
        assert tx.registry.known_since() is None


def test_an_upload_with_mistakes_is_not_kept(store: SqlStore, tmp_path: Path) -> None:
    """There is nothing to confirm."""
    shown = receive(store, source(tmp_path / "b", partners="partner_id\n"))
    assert shown.upload is None
    assert shown.done.mistakes
    with pytest.raises(NotFound):
        confirm(store)


def test_what_changed_since_the_preview_is_shown_again(store: SqlStore, tmp_path: Path) -> None:
    """Somebody else's row: the differences are no longer those that were agreed to."""
    import_(store, 0, source(tmp_path / "a"))
    receive(store, more(tmp_path / "b"))
    with store.transaction() as tx:
        assert not registry_edit.add(tx, RegistryFile.CONTRACTS, CONTRACT, who(5.5)).mistakes

    stale = confirm(store)
    assert stale.is_stale
    assert not stale.done.is_imported
    assert stale.done.changes.of_console == 1
    assert "C9" not in ids(store)
    assert confirm(store, minute=7).done.is_imported
    assert sorted(ids(store)) == ["C1", "C2", "C9"]


def test_what_contradicts_the_console_by_now_is_not_imported(
    store: SqlStore, tmp_path: Path
) -> None:
    """A row of the same id was added meanwhile: the upload has a mistake now."""
    import_(store, 0, source(tmp_path / "a"))
    receive(store, more(tmp_path / "b"))
    cells = CONTRACT | {"contract_id": "C9"}
    with store.transaction() as tx:
        assert not registry_edit.add(tx, RegistryFile.CONTRACTS, cells, who(5.5)).mistakes

    shown = confirm(store)
    assert shown.is_stale
    assert [mistake.column for mistake in shown.done.mistakes] == ["contract_id"]
    with pytest.raises(NotFound):
        confirm(store)


def test_much_that_vanishes_needs_a_word_and_waits_for_it(store: SqlStore, tmp_path: Path) -> None:
    """The same upload, with the box ticked."""
    import_(store, 0, source(tmp_path / "a"))
    header = FILES["certifications"].splitlines(keepends=True)[0]
    receive(store, source(tmp_path / "b", certifications=header))

    refused = confirm(store)
    assert refused.done.is_refused
    assert refused.upload is not None
    assert current(store).certifications
    assert confirm(store, minute=7, is_confirmed=True).done.is_imported
    assert not current(store).certifications


def test_a_preview_of_an_older_upload_is_told_as_such(store: SqlStore, tmp_path: Path) -> None:
    """Looking changes nothing."""
    import_(store, 0, source(tmp_path / "a"))
    shown = receive(store, more(tmp_path / "b"))
    assert shown.upload is not None
    with store.transaction() as tx:
        tx.uploads.put(replace(shown.upload, changes="other"))
    with store.reading() as tx:
        assert registry_upload.look(tx, "u1", DOMAINS, by=BY, as_of=at(6)).is_stale
