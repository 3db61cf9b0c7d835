"""Uploads that wait for a word: `ports.UploadStore`."""

from __future__ import annotations

import zlib
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select

from meetbot.domain.registry_tables import Table
from meetbot.errors import NotFound
from meetbot.ports import Upload
from meetbot.store.columns import dump, read
from meetbot.store.tables import pending_imports

_TABLES = tuple[Table, ...]


class SqlUploads:
    """Uploads in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, upload: Upload) -> None:
        """Keep an upload in the place of this person's earlier one."""
        old = or_(
            pending_imports.c.by == upload.by,
            pending_imports.c.expires_at <= upload.uploaded_at,
        )
        self._connection.execute(delete(pending_imports).where(old))
        self._connection.execute(
            insert(pending_imports).values(
                id=upload.id,
                by=upload.by,
                uploaded_at=upload.uploaded_at,
                expires_at=upload.expires_at,
                changes=upload.changes,
                body=zlib.compress(dump(_TABLES, upload.tables).encode()),
            )
        )

    def take(self, upload_id: str, *, by: str, as_of: datetime) -> Upload:
        """Give an upload and forget it; raises `NotFound` where there is none of theirs."""
        found = self.get(upload_id, by=by, as_of=as_of)
        self._connection.execute(delete(pending_imports).where(pending_imports.c.id == upload_id))
        return found

    def get(self, upload_id: str, *, by: str, as_of: datetime) -> Upload:
        """Give an upload; raises `NotFound` where there is none of theirs."""
        row = self._connection.execute(
            select(pending_imports).where(*_is_theirs(upload_id, by, as_of))
        ).first()
        if row is None:
            raise NotFound(
                "this upload is no longer there: it was used, replaced or has expired",
                fix="upload the files again",
            )
        tables = read(_TABLES, zlib.decompress(row.body))
        return Upload(row.id, row.by, row.uploaded_at, row.expires_at, tables, row.changes)

    def forget(self, *, before: datetime) -> int:
        """Delete what expired; gives how many."""
        old = delete(pending_imports).where(pending_imports.c.expires_at <= before)
        return self._connection.execute(old).rowcount


def _is_theirs(upload_id: str, by: str, as_of: datetime) -> tuple[ColumnElement[bool], ...]:
    columns = pending_imports.c
    return columns.id == upload_id, columns.by == by, columns.expires_at > as_of
