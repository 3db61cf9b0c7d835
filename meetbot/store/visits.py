"""The visits of one conference as one JSON document, and how a new reading is laid over it.

They are always read together, and each person stands in it once, however often they came and went:
`{"who": [identity …], "visits": [[key, participant, number in who, start, end, last seen, is hull]
…]}`, instants in microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

import orjson

from meetbot.domain.attendance import Identity, IdentityForm, Source, Visit
from meetbot.store.columns import clean_key, dump, from_micros, to_micros


class VisitRow(NamedTuple):
    """A visit as compared and stored; instants in microseconds, the identity as JSON."""

    key: str
    participant: str
    identity: bytes
    start_at: int
    end_at: int | None
    last_seen_at: int | None
    is_hull: bool

    def later_than(self, before: VisitRow) -> VisitRow:
        """This reading, with the last moment that any reading saw."""
        if before.last_seen_at is None:
            return self
        return self._replace(last_seen_at=max(self.last_seen_at or 0, before.last_seen_at))


VisitRows = dict[str, VisitRow]
"""The visits of one conference by their keys."""


class Rows:
    """Makes rows of visits; one identity object is written once, whoever has many visits."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[Identity, bytes]] = {}

    def row(self, visit: Visit[Identity]) -> VisitRow:
        """The row of one visit."""
        end_at, last_seen_at = visit.end_at, visit.last_seen_at
        return VisitRow(
            clean_key(visit.key),
            clean_key(visit.participant),
            self._text(visit.identity),
            to_micros(visit.start_at),
            None if end_at is None else to_micros(end_at),
            None if last_seen_at is None else to_micros(last_seen_at),
            visit.is_hull,
        )

    def _text(self, identity: Identity) -> bytes:
        known = self._texts.get(id(identity))
        if known is None:
            # Held with its text, so that no other object can come to have the same id.
            known = self._texts[id(identity)] = (identity, _identity_text(identity))
        return known[1]


def together(stored: VisitRows, fresh: VisitRows) -> VisitRows:
    """Stored visits and those just read; exact sessions take the place of a participant's hull."""
    found = stored | fresh
    for key in stored.keys() & fresh.keys():
        found[key] = fresh[key].later_than(stored[key])
    if not any(row.is_hull for row in found.values()):
        return found
    exact = {row.participant for row in found.values() if not row.is_hull}
    return {k: row for k, row in found.items() if not row.is_hull or row.participant not in exact}


def to_document(rows: Iterable[VisitRow]) -> str:
    """The document of these visits."""
    who: dict[bytes, int] = {}
    visits = [
        (row.key, row.participant, who.setdefault(row.identity, len(who)), *row[3:]) for row in rows
    ]
    people = [orjson.Fragment(identity) for identity in who]
    return orjson.dumps({"who": people, "visits": visits}).decode()


def to_rows(document: str) -> VisitRows:
    """The rows of a document, to be compared with fresh ones."""
    values = orjson.loads(document)
    who = [orjson.dumps(identity) for identity in values["who"]]
    return {
        key: VisitRow(key, participant, who[number], *rest)
        for key, participant, number, *rest in values["visits"]
    }


def id_keys(document: str) -> set[str]:
    """Keyed ids of the people in a document."""
    return {key for who in orjson.loads(document)["who"] if (key := who.get("id_key"))}


def to_visits(conference: str, source: Source, document: str) -> tuple[Visit[Identity], ...]:
    """The visits of a document, by start."""
    values = orjson.loads(document)
    who = [_identity(identity) for identity in values["who"]]
    found = [
        Visit(
            source=source,
            key=key,
            conference=conference,
            participant=participant,
            identity=who[number],
            start_at=from_micros(start_at),
            end_at=None if end_at is None else from_micros(end_at),
            last_seen_at=None if last_seen_at is None else from_micros(last_seen_at),
            is_hull=is_hull,
        )
        for key, participant, number, start_at, end_at, last_seen_at, is_hull in values["visits"]
    ]
    return tuple(sorted(found, key=lambda visit: (visit.start_at, visit.key)))


def _identity_text(identity: Identity) -> bytes:
    try:
        return orjson.dumps(identity)
    except orjson.JSONEncodeError:
        return dump(Identity, identity).encode()  # slower, and takes lone surrogates


_IDENTITY_FIELDS = frozenset(field.name for field in fields(Identity))


def _identity(found: Mapping[str, Any]) -> Identity:
    values = {k: v for k, v in found.items() if k in _IDENTITY_FIELDS}
    values["form"] = IdentityForm(values["form"])
    values["name_tokens"] = tuple(values.get("name_tokens", ()))
    return Identity(**values)
