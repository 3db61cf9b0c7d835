"""Which reminders were made: `ports.ReminderStore`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from meetbot.ports import SentReminder
from meetbot.store.statements import upsert
from meetbot.store.tables import reminders


class SqlReminders:
    """Reminders in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, occurrence: str) -> list[SentReminder]:
        """All reminders of an occurrence, oldest first."""
        query = select(reminders).where(reminders.c.occurrence == occurrence)
        found = [
            SentReminder(row.lead, row.start_at, row.queued_at)
            for row in self._connection.execute(query)
        ]
        return sorted(found, key=lambda r: (r.queued_at, r.start_at, r.lead))

    def add(self, occurrence: str, reminder: SentReminder) -> None:
        """Note a reminder; once for each lead and start."""
        row = {
            "occurrence": occurrence,
            "lead": reminder.lead,
            "start_at": reminder.start_at,
            "queued_at": reminder.queued_at,
        }
        upsert(self._connection, reminders, [row], key=["occurrence", "lead", "start_at"])

    def remove(self, occurrence: str, lead: str, start_at: datetime) -> None:
        """Forget a reminder, so that it is made again."""
        self._connection.execute(
            delete(reminders).where(
                reminders.c.occurrence == occurrence,
                reminders.c.lead == lead,
                reminders.c.start_at == start_at,
            )
        )
