"""Who is signed in to the console: `ports.SessionStore`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, delete, or_, select, update

from meetbot.ports import ConsoleSession
from meetbot.store.columns import clean_key
from meetbot.store.statements import upsert
from meetbot.store.tables import console_sessions


class SqlSessions:
    """Sessions in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> ConsoleSession | None:
        """One that has not been ended."""
        query = select(console_sessions).where(
            console_sessions.c.key == key, console_sessions.c.ended_at.is_(None)
        )
        row = self._connection.execute(query).first()
        if row is None:
            return None
        return ConsoleSession(row.key, row.who, row.content, row.created_at, row.seen_at)

    def save(self, session: ConsoleSession) -> None:
        """Store one, new or changed."""
        row = {
            "key": session.key,
            "who": session.who,
            "content": session.content,
            "created_at": session.created_at,
            "seen_at": session.seen_at,
        }
        upsert(self._connection, console_sessions, [row], key=["key"])

    def end(self, key: str, *, at: datetime) -> None:
        """End one; what it held is forgotten."""
        self._end(console_sessions.c.key == key, at)

    def end_all(self, who: str, *, at: datetime) -> int:
        """End all of one person; gives how many there were."""
        return self._end(console_sessions.c.who == clean_key(who), at)

    def _end(self, which: object, at: datetime) -> int:
        ending = (
            update(console_sessions)
            .where(which, console_sessions.c.ended_at.is_(None))  # type: ignore[arg-type]
            .values(ended_at=at, content="{}")
        )
        return self._connection.execute(ending).rowcount

    def prune(self, *, before: datetime, nobodys_before: datetime) -> int:
        """Forget those last seen before an instant, and those of nobody before another."""
        old = delete(console_sessions).where(
            or_(
                console_sessions.c.seen_at < before,
                and_(console_sessions.c.who == "", console_sessions.c.seen_at < nobodys_before),
            )
        )
        return self._connection.execute(old).rowcount
