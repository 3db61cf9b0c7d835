"""The hash chain: `ports.ChainStore`. `domain.chain` says what a link is.

Write transactions run one after the other on every engine (see `store.engine`), so sequences have
no gap, and a link is there exactly if the change it records is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    func,
    insert,
    or_,
    select,
    type_coerce,
)

from meetbot.domain.chain import (
    ROWS,
    Audit,
    Break,
    Head,
    KeptRow,
    Link,
    LinkKind,
    Payload,
    canonical,
    examine,
    link_after,
    row_digest,
    sha256,
)
from meetbot.domain.flags import FlagStatus
from meetbot.ports import OutboxState
from meetbot.store.columns import clean, clean_key
from meetbot.store.meta import SqlMeta
from meetbot.store.tables import (
    api_tokens,
    case_events,
    chain,
    decisions,
    flags,
    holds,
    outbox,
    registry_rows,
    storms,
)

_HEAD = "chain-head"
"""The second place: who cuts links off at the end has to think of it too."""
_ADD = insert(chain)


class SqlChain:
    """The chain in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._meta = SqlMeta(connection)

    def append(self, kind: LinkKind, subject: str, payload: Payload, *, at: datetime) -> Link:
        """Add a link to the end; `payload` holds digests, never a person."""
        return self.append_all(kind, [(subject, payload)], at=at)[0]

    def append_all(
        self, kind: LinkKind, entries: Sequence[tuple[str, Payload]], *, at: datetime
    ) -> list[Link]:
        """Add links to the end, in this order, each with its subject and payload."""
        if not entries:
            return []
        head = self.head()
        added = [] if head else [link_after(None, LinkKind.GENESIS, "", canonical({}), at=at)]
        begun = len(added)
        for subject, payload in entries:
            before = Head(added[-1].sequence, added[-1].hash) if added else head
            text = clean(canonical(payload))
            added.append(link_after(before, kind, clean_key(subject), text, at=at))
        rows = [{name: getattr(link, name) for name in _COLUMNS} for link in added]
        self._connection.execute(_ADD, rows)
        self._meta.set(_HEAD, f"{added[-1].sequence} {added[-1].hash}")
        return added[begun:]

    def head(self) -> Head | None:
        """The newest link, as noted when it was added; None before the first."""
        noted = (self._meta.get(_HEAD) or "").split()
        if len(noted) != 2 or not noted[0].isdecimal():
            return None
        return Head(int(noted[0]), noted[1])

    def find(self, kind: LinkKind, subject: str) -> list[Link]:
        """All links about something, oldest first."""
        query = (
            select(chain)
            .where(chain.c.kind == kind, chain.c.subject == subject)
            .order_by(chain.c.sequence)
        )
        return [_link(row) for row in self._connection.execute(query)]

    def links(self, kind: LinkKind | None = None) -> list[Link]:
        """All links, or those of one kind, oldest first."""
        query = select(chain).order_by(chain.c.sequence)
        if kind is not None:
            query = query.where(chain.c.kind == kind)
        return [_link(row) for row in self._connection.execute(query)]

    def audit(self, *, expected: str | None = None) -> Audit:
        """Check the chain, and everything stored that it records."""
        audit = examine(self.links(), self._rows(), self.head(), expected=expected)
        return replace(audit, broken=audit.broken or self._wrong_flag())

    def _wrong_flag(self) -> Break | None:
        """A flag that is closed otherwise than its last decision says."""
        last = select(func.max(decisions.c.id)).group_by(decisions.c.flag_id)
        decided = {
            row.flag_id: row.status
            for row in self._connection.execute(select(decisions).where(decisions.c.id.in_(last)))
        }
        text = type_coerce(flags.c.flag, Text).label("text")
        query = select(flags.c.id, flags.c.status, text).order_by(flags.c.id)
        for row in self._connection.execute(query):
            said = decided.get(row.id)
            for status in (row.status, _status_in(row.text)):
                if status != said and (status in _DECIDED or said in _DECIDED):
                    what = f"{row.id} is {status}, which its last decision does not say"
                    return Break(None, "flags", what)
        return None

    def _rows(self) -> Iterator[KeptRow]:
        for table in ROWS:
            yield from recorded(self._connection, table)


def recorded(
    connection: Connection, table: str, *conditions: ColumnElement[bool]
) -> Iterator[KeptRow]:
    """Rows that a link has to know by one of the names of `domain.chain.ROWS`."""
    for row in connection.execute(_ROWS[table].where(*conditions)):
        digest = digest_of(table, dict(row._mapping))
        yield KeptRow(table, row.of_link, f"{table} {row.name}", digest)


def digest_of(table: str, values: dict[str, Any]) -> str:
    """The digest of a row of one of the tables of `domain.chain.ROWS`.

    The notice of a mail and the cells of a registry row are given as stored text.
    """
    if "notice" in values:
        values = values | {"notice": sha256(values["notice"].encode())}
    if isinstance(values.get("cells"), str):
        values = values | {"cells": _parsed(values["cells"])}
    return row_digest(table, values)


def _parsed(text: str) -> object:
    """The value of a JSON text; the text itself where somebody broke it, or put a float in."""
    try:
        value: object = json.loads(text)
        canonical(value)
    except ValueError:
        return text
    return value


def _status_in(document: str) -> str:
    try:
        value = json.loads(document)
    except ValueError:
        return "unreadable"
    return str(value.get("status")) if isinstance(value, dict) else "unreadable"


_COLUMNS = tuple(chain.c.keys())
STORED_NOTICE = type_coerce(outbox.c.notice, Text).label("notice")


_AS_TEXT = ("cells", "notice")
"""Documents that are looked at as they are stored, whatever became of them."""
_DECIDED = [status for status in FlagStatus if status.is_decided]
LINKS: Mapping[str, Column[Any]] = {
    "decisions": decisions.c.link,
    "case_events": case_events.c.link,
    "registry_rows": registry_rows.c.link,
    "registry_ends": registry_rows.c.ended_link,
    "outbox": outbox.c.link,
    "holds": holds.c.link,
    "hold_ends": holds.c.ended_link,
    "api_tokens": api_tokens.c.link,
    "api_token_ends": api_tokens.c.ended_link,
    "storms": storms.c.link,
    "storm_ends": storms.c.ended_link,
}
"""For each name in `payload.rows` the column that names the link."""
_ONLY: Mapping[str, ColumnElement[bool]] = {
    "registry_ends": registry_rows.c.known_to.is_not(None),
    "outbox": outbox.c.state == OutboxState.SENT,
    "hold_ends": holds.c.removed_at.is_not(None),
    "api_token_ends": api_tokens.c.ended_at.is_not(None),
    "storm_ends": storms.c.ended_at.is_not(None),
}
"""Which rows some link has to know, where not all of them."""


def _rows_of(table: str) -> Select[Any]:
    link = LINKS[table]
    source = link.table.c
    values = [
        type_coerce(source[name], Text).label(name) if name in _AS_TEXT else source[name]
        for name in ROWS[table]
    ]
    query = select(*values, source.id.label("name"), link.label("of_link"))
    if table in _ONLY:
        return query.where(or_(_ONLY[table], link.is_not(None)))
    return query


_ROWS = {table: _rows_of(table) for table in ROWS}


def _link(row: Row[Any]) -> Link:
    return Link(*(getattr(row, name) for name in _COLUMNS))
