"""The hash chain: one link for each thing done that somebody may later want to deny.

A link is the SHA-256 of its canonical JSON. Canonical is UTF-8 without spaces, keys of every object
in the order of their code points, characters as they are (only `"`, `\\` and control characters
escaped, as in JSON's shortest form), whole numbers only. A link's object has exactly the keys `at`,
`kind`, `payload`, `previous`, `sequence` and `subject`; instants are written as
`2026-10-13T15:00:00.000000Z`, `previous` is the hash of the link before it (64 zeros in the first).

`payload` holds digests, counts and instants, nobody's name or address. What it records lies in the
other tables: `payload.rows` lists for each table the digests of the rows it brought (`ROWS` says
what a digest is made of). A `purge` says which of them it deleted: `payload.whole` lists for each
table the links of which nothing is left, `payload.part` the digests of single rows by link.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

ORIGIN = "0" * 64
"""What the first link follows."""

ROWS: Mapping[str, tuple[str, ...]] = {
    "decisions": ("by", "decided_at", "flag_id", "note", "reason", "status"),
    "registry_rows": ("cells", "file", "known_from", "row_key"),
    "registry_ends": ("cells", "file", "known_from", "known_to", "row_key"),
    "outbox": ("id", "message_id", "notice"),
    "holds": ("added_at", "by", "kind", "reason", "subject"),
    "api_tokens": ("added_at", "by", "digest", "expires_at", "id", "program", "scopes"),
    "api_token_ends": ("ended_at", "ended_by", "id"),
    "case_events": (
        "about",
        "at",
        "by",
        "case_id",
        "choice",
        "kind",
        "note",
        "of",
        "person",
        "steps",
    ),
    "hold_ends": ("added_at", "kind", "removed_at", "removed_by", "removed_reason", "subject"),
    "storms": ("begun_at", "by_rule", "flags"),
    "storm_ends": ("begun_at", "ended_at", "ended_by", "ending", "mails"),
}
"""Of which values the digest of a row is made, by the name it has in `payload.rows`.

`notice` of a mail is the SHA-256 of the stored text. `…_ends` tell that a row was ended: a registry
row by an import, a hold or a token by its removal, a storm of mails by who released or dropped
them.
"""

Payload = Mapping[str, Any]


class LinkKind(StrEnum):
    """What a link records."""

    GENESIS = "genesis"
    DECISION = "decision"
    CASE = "case"
    """Something was done about a case: asked, answered, escalated, proposed, undone …"""
    REGISTRY = "registry"
    MAIL = "mail"
    HOLD = "hold"
    STORM = "storm"
    EVIDENCE = "evidence"
    TOKEN = "token"
    PURGE = "purge"


@dataclass(frozen=True, slots=True)
class Head:
    """The last link: who knows it can tell whether anything before it was rewritten."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """One link as stored. `payload` is canonical JSON text; `kind` one of `LinkKind`."""

    sequence: int
    at: datetime
    kind: str
    subject: str
    payload: str
    previous: str
    hash: str

    @property
    def content(self) -> dict[str, Any]:
        """The payload as an object; raises `ValueError` where it is none."""
        found = json.loads(self.payload)
        if not isinstance(found, dict):
            raise ValueError("no JSON object")
        return found


def canonical(value: object) -> str:
    """Canonical JSON; raises `ValueError` for a float, and for anything JSON does not know."""
    _refuse_floats(value)
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except TypeError as error:
        raise ValueError("only texts, whole numbers, lists and objects can be in a link") from error


def _refuse_floats(value: object) -> None:
    match value:
        case float():
            raise ValueError("a float has no canonical form")
        case Mapping():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise ValueError("a key is no text")
                _refuse_floats(item)
        case list() | tuple():
            for item in value:
                _refuse_floats(item)


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON, 64 hexadecimal digits."""
    return sha256(canonical(value).encode("utf-8", "surrogatepass"))


def sha256(data: bytes) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def stamp(at: datetime) -> str:
    """An instant as links and rows have it: UTC, microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def row_digest(table: str, values: Mapping[str, Any]) -> str:
    """The digest of a stored row, of the values that `ROWS` names."""
    chosen = {name: values[name] for name in ROWS[table]}
    return digest({k: stamp(v) if isinstance(v, datetime) else v for k, v in chosen.items()})


def link_after(head: Head | None, kind: str, subject: str, payload: str, *, at: datetime) -> Link:
    """The next link; `payload` is JSON text."""
    sequence, previous = (1, ORIGIN) if head is None else (head.sequence + 1, head.hash)
    text = canonical(json.loads(payload))
    link = Link(sequence, at, kind, subject, text, previous, "")
    return Link(sequence, at, kind, subject, text, previous, hash_of(link))


def hash_of(link: Link) -> str:
    """What the hash of a link has to be; raises `ValueError` for a payload that is no JSON."""
    return digest(
        {
            "at": stamp(link.at),
            "kind": link.kind,
            "payload": link.content,
            "previous": link.previous,
            "sequence": link.sequence,
            "subject": link.subject,
        }
    )


# --- checking -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A stored row that some link brought (`link` None: none did), with its digest now."""

    table: str
    link: int | None
    name: str
    """Such as `decisions 17`."""
    digest: str


@dataclass(frozen=True, slots=True)
class Break:
    """The first thing that is not as it was recorded; `sequence` None: it concerns no link."""

    sequence: int | None
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of checking a chain. `purged`: links of which a later one deleted something."""

    links: int
    head: Head | None
    broken: Break | None = None
    purged: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Sequence of the link to those of the purges."""


def examine(
    links: Sequence[Link],
    rows: Iterable[KeptRow],
    noted: Head | None,
    *,
    expected: str | None = None,
) -> Audit:
    """Check every link, and the stored rows against the links that brought them.

    `noted` is the head as kept in a second place; `expected` a hash that has to be in the chain.
    """
    purges = _purges(links)
    found = _Found(rows)
    broken = _first_break(links, purges, found) or _wrong_head(links, noted) or found.unknown()
    if broken is None and expected is not None and expected not in {link.hash for link in links}:
        broken = Break(
            None, "head", f"{expected} is no link of the chain: what it stood for was rewritten"
        )
    head = Head(links[-1].sequence, links[-1].hash) if links else None
    return Audit(len(links), head, broken, {n: tuple(sorted(by)) for n, by in purges.by.items()})


class _Purges:
    """What was deleted, as the purges tell it."""

    def __init__(self) -> None:
        self.whole: dict[tuple[str, int], int] = {}
        self.part: dict[tuple[str, int], Counter[str]] = {}
        self.by: dict[int, set[int]] = {}

    def note(self, link: Link) -> None:
        content = link.content
        for table, sequences in content.get("whole", {}).items():
            for sequence in sequences:
                self.whole[table, sequence] = link.sequence
                self.by.setdefault(sequence, set()).add(link.sequence)
        for table, parts in content.get("part", {}).items():
            for number, digests in parts.items():
                self.part.setdefault((table, int(number)), Counter()).update(digests)
                self.by.setdefault(int(number), set()).add(link.sequence)


def _purges(links: Iterable[Link]) -> _Purges:
    purges = _Purges()
    for link in links:
        if link.kind == LinkKind.PURGE:
            try:
                purges.note(link)
            except (ValueError, TypeError, AttributeError):
                continue  # an edited payload: its own hash tells
    return purges


class _Found:
    """The stored rows, until they are called for by the link that brought them."""

    def __init__(self, rows: Iterable[KeptRow]) -> None:
        self._rows: dict[tuple[str, int | None], list[KeptRow]] = {}
        for row in rows:
            self._rows.setdefault((row.table, row.link), []).append(row)

    def take(self, table: str, link: int) -> list[KeptRow]:
        return self._rows.pop((table, link), [])

    def unknown(self) -> Break | None:
        for rows in self._rows.values():
            return Break(None, rows[0].table, f"{rows[0].name} was brought by no link")
        return None


def _first_break(links: Iterable[Link], purges: _Purges, found: _Found) -> Break | None:
    expected, previous = 1, ORIGIN
    for link in links:
        what = _wrong_link(link, expected, previous) or _wrong_rows(link, purges, found)
        if what:
            is_gap = link.sequence != expected
            return Break(expected, "missing" if is_gap else link.kind, what)
        expected, previous = link.sequence + 1, link.hash
    return None


def _wrong_link(link: Link, expected: int, previous: str) -> str:
    if link.sequence != expected:
        return f"it is not there; the next one is {link.sequence}"
    try:
        wanted = hash_of(link)
    except ValueError:
        return "its payload cannot be read"
    if canonical(link.content) != link.payload:
        return "its payload is not in canonical form"
    if link.previous != previous:
        return "it does not name the hash of the link before it"
    if link.hash != wanted:
        return "its hash is not that of its content"
    return ""


def _wrong_rows(link: Link, purges: _Purges, found: _Found) -> str:
    for table, recorded in link.content.get("rows", {}).items():
        kept = found.take(table, link.sequence)
        purge = purges.whole.get((table, link.sequence))
        if purge is not None and kept:
            return f"{kept[0].name} is there, which link {purge} records as deleted"
        if purge is None:
            left = Counter(recorded) - purges.part.get((table, link.sequence), Counter())
            what = _difference(table, left, kept)
            if what:
                return what
    return ""


def _difference(table: str, recorded: Counter[str], kept: Sequence[KeptRow]) -> str:
    missing = recorded - Counter(row.digest for row in kept)
    for row in kept:
        if not recorded[row.digest]:
            return f"{row.name} is not as it was recorded" if missing else f"{row.name} was added"
        recorded[row.digest] -= 1
    number = missing.total()
    return f"{number} of its rows in {table} {'is' if number == 1 else 'are'} gone" * bool(number)


def _wrong_head(links: Sequence[Link], noted: Head | None) -> Break | None:
    if not links:
        return Break(1, "missing", "the chain is empty")
    last = links[-1]
    if noted is None:
        return Break(last.sequence, last.kind, "the note of the newest link is gone")
    if noted.sequence > last.sequence:
        what = f"the chain ends before it; its newest link was {noted.sequence}"
        return Break(last.sequence + 1, "missing", what)
    if noted != Head(last.sequence, last.hash):
        return Break(last.sequence, last.kind, "it is not the link that was noted as the newest")
    return None
