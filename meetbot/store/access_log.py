"""Who looked at what in the console: `ports.AccessLog`."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, select

from meetbot.domain.access_log import AccessAction, AccessEntry, NumberedEntry
from meetbot.store.columns import clean_key
from meetbot.store.tables import access_log


class SqlAccessLog:
    """The access log in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, entries: Iterable[AccessEntry]) -> None:
        """Add lines."""
        rows = [
            {
                "at": entry.at,
                "action": entry.action.value,
                "subject": entry.subject,
                "who": entry.who,
                "roles": " ".join(entry.roles),
                "reason": entry.reason,
            }
            for entry in entries
        ]
        if rows:
            self._connection.execute(insert(access_log), rows)

    def list(
        self,
        *,
        subject: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> builtins.list[NumberedEntry]:
        """The newest first: about one subject, from an instant on, below a number."""
        query = select(access_log).order_by(access_log.c.id.desc())
        if subject is not None:
            query = query.where(access_log.c.subject == clean_key(subject))
        if since is not None:
            query = query.where(access_log.c.at >= since)
        if before is not None:
            query = query.where(access_log.c.id < before)
        if limit is not None:
            query = query.limit(limit)
        return [
            NumberedEntry(
                row.id,
                AccessEntry(
                    row.at,
                    AccessAction(row.action),
                    row.subject,
                    row.who,
                    tuple(row.roles.split()),
                    row.reason,
                ),
            )
            for row in self._connection.execute(query)
        ]
