"""Rows of the Calendar audit log about kept events."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select

from meetbot.domain.guest_list import KeptEdit
from meetbot.store.columns import clean_key
from meetbot.store.statements import batches, one_of, upsert
from meetbot.store.tables import copies, event_edits

_OF = select(event_edits).where(one_of(event_edits.c.event_id, "ids"))


def save(connection: Connection, edits: Collection[KeptEdit]) -> tuple[int, set[int]]:
    """Upsert the rows of kept events; how many are new, and the occurrences they are about."""
    number, touched = 0, set[int]()
    for some in batches(edits):
        about = _occurrences(connection, {clean_key(e.event_id) for e in some})
        kept = {clean_key(e.key): e for e in some if clean_key(e.event_id) in about}
        query = select(event_edits.c.key).where(event_edits.c.key.in_(list(kept)))
        known = set(connection.execute(query).scalars())
        new = [edit for key, edit in kept.items() if key not in known]
        rows = [{name: getattr(edit, name) for name in KeptEdit.__slots__} for edit in new]
        upsert(connection, event_edits, rows, key=["key"])
        number += len(new)
        touched |= {m for edit in new for m in about[clean_key(edit.event_id)]}
    return number, touched


def _occurrences(connection: Connection, event_ids: Collection[str]) -> dict[str, set[int]]:
    """Occurrences by the event ids that stand for them: their own, or their series'."""
    found: dict[str, set[int]] = {}
    query = select(copies.c.meeting_id, copies.c.event_id, copies.c.recurring_event_id).where(
        or_(copies.c.event_id.in_(event_ids), copies.c.recurring_event_id.in_(event_ids))
    )
    for row in connection.execute(query):
        for event_id in {row.event_id, row.recurring_event_id} & set(event_ids):
            found.setdefault(event_id, set()).add(row.meeting_id)
    return found


def of(connection: Connection, event_ids: Iterable[str]) -> list[KeptEdit]:
    """The rows of these event ids, oldest first."""
    found: list[KeptEdit] = []
    for ids in batches(map(clean_key, event_ids)):
        rows = connection.execute(_OF, {"ids": ids})
        found += [KeptEdit(row.key, row.event_id, row.at, row.actor, row.guest_key) for row in rows]
    return sorted(found, key=lambda edit: (edit.at, edit.key))


def prune(connection: Connection, before: datetime) -> int:
    """Delete rows written before; gives how many."""
    return connection.execute(delete(event_edits).where(event_edits.c.at < before)).rowcount
