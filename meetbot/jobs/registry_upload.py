"""An uploaded registry: shown first, imported when its uploader says so, from the same bytes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from meetbot.domain.chain import digest
from meetbot.domain.registry import to_cells
from meetbot.domain.registry_changes import FileDiff, RegistryDiff
from meetbot.domain.registry_checks import Source
from meetbot.jobs.import_registry import Import, import_in, preview
from meetbot.ports import Tx, Upload

KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """What an upload would change, or has. `upload` waits for a word; None: nothing does.

    `is_stale`: the registry changed since the preview, so this is another one to look at.
    """

    done: Import
    upload: Upload | None = None
    is_stale: bool = False


def receive(
    tx: Tx, source: Source, domains: Collection[str], *, by: str, name: str, as_of: datetime
) -> Shown:
    """Keep an upload without mistakes until it is confirmed. `name` cannot be guessed."""
    done = preview(tx, source, domains)
    if done.mistakes:
        return Shown(done)
    changes = _digest(done.changes)
    upload = Upload(name, by, as_of, as_of + KEPT, source.tables, changes)
    tx.uploads.put(upload)
    return Shown(done, upload)


def look(tx: Tx, upload_id: str, domains: Collection[str], *, by: str, as_of: datetime) -> Shown:
    """The preview once more; raises `NotFound`."""
    upload = tx.uploads.get(upload_id, by=by, as_of=as_of)
    done = preview(tx, Source(upload.tables), domains)
    return Shown(done, upload, is_stale=_digest(done.changes) != upload.changes)


def confirm(
    tx: Tx,
    upload_id: str,
    domains: Collection[str],
    *,
    by: str,
    as_of: datetime,
    is_confirmed: bool,
) -> Shown:
    """Import an upload, once; raises `NotFound`.

    It goes on waiting where too much would vanish unconfirmed, or where the differences are no
    longer those that were shown.
    """
    upload = tx.uploads.take(upload_id, by=by, as_of=as_of)
    source = Source(upload.tables)
    seen = preview(tx, source, domains)
    if seen.mistakes:
        return Shown(seen, is_stale=True)
    changes = _digest(seen.changes)
    if changes != upload.changes:
        upload = replace(upload, changes=changes)
        tx.uploads.put(upload)
        return Shown(seen, upload, is_stale=True)
    done = import_in(tx, source, district_domains=domains, as_of=as_of, is_confirmed=is_confirmed)
    if done.is_refused:
        tx.uploads.put(upload)
        return Shown(done, upload)
    return Shown(done)


def _digest(changes: RegistryDiff) -> str:
    return digest([_gist(part) for part in changes.files])


def _gist(part: FileDiff) -> dict[str, object]:
    return {
        "added": [to_cells(row) for row in part.added],
        "changed": [[to_cells(one.after), one.columns] for one in part.changed],
        "removed": [to_cells(row) for row in part.removed],
        "known": part.known,
        "console": part.of_console,
    }
