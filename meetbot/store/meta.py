"""Progress marks of sources and small values: `ports.MetaStore`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from meetbot.domain.policy import Policy
from meetbot.ports import SourceRead
from meetbot.store.columns import dump, parse
from meetbot.store.statements import upsert
from meetbot.store.tables import settings, sources

_SOURCE = select(sources).where(sources.c.source == bindparam("wanted"))
_POLICY = "policy-document"
_SETTING = select(settings.c.value).where(settings.c.name == bindparam("wanted"))


class SqlMeta:
    """Sources and settings in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sources: dict[str, SourceRead] = {}
        """As read or written by this transaction: each occurrence judged asks for the same few."""

    def source(self, name: str) -> SourceRead:
        """State of a source; an empty one when it was never read."""
        if name not in self._sources:
            row = self._connection.execute(_SOURCE, {"wanted": name}).first()
            self._sources[name] = SourceRead(name) if row is None else _source(row)
        return self._sources[name]

    def save_source(self, read: SourceRead) -> None:
        """Store the state of a source."""
        row = {
            "source": read.source,
            "mark": read.mark,
            "read_at": read.read_at,
            "problem": read.problem,
            "failing_since": read.failing_since,
        }
        upsert(self._connection, sources, [row], key=["source"])
        self._sources.pop(read.source, None)

    def sources(self) -> list[SourceRead]:
        """All sources, by name."""
        rows = self._connection.execute(select(sources))
        return sorted((_source(row) for row in rows), key=lambda read: read.source)

    def get(self, name: str) -> str | None:
        """A small value by name."""
        value: str | None = self._connection.execute(_SETTING, {"wanted": name}).scalar()
        return value

    def policy(self) -> Policy | None:
        """The policy by which decisions were last made; None if another version wrote it."""
        text = self.get(_POLICY)
        policy: Policy | None = None if text is None else parse(Policy, text)
        return policy

    def save_policy(self, policy: Policy) -> None:
        """Store it."""
        self.set(_POLICY, dump(Policy, policy))

    def set(self, name: str, value: str) -> None:
        """Store a small value."""
        upsert(self._connection, settings, [{"name": name, "value": value}], key=["name"])


def _source(row: Row[Any]) -> SourceRead:
    return SourceRead(row.source, row.mark, row.read_at, row.problem, row.failing_since)
