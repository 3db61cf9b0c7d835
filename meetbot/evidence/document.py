"""The evidence file: its contents, the one way to write them, and its digests.

The file holds a digest of each part and one of all of them, so that a changed part is found and
named. The digest of the whole is what the chain of decisions remembers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter

from meetbot.domain.attendance import Source
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Undecided
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.people import Confidence
from meetbot.domain.policy import Policy
from meetbot.domain.snapshots import Withheld

SCHEMA: Literal["meetbot/evidence/1"] = "meetbot/evidence/1"
MOST_BYTES = 64 * 1024 * 1024
"""Larger files are not read: none is written that comes near."""
_BIG = ("dossiers",)
"""Parts whose own parts have a digest each."""


@dataclass(frozen=True, slots=True)
class RuleText:
    """What the rule says, in the version that wrote the file."""

    rule: str
    severity: str
    phases: tuple[str, ...]
    needs: tuple[str, ...]
    wants: tuple[str, ...]
    sentences: Mapping[str, str]
    """Templates, filled from the facts: what officers and teachers read, and what mends it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the flag's history, with the flag as it then was."""

    at: datetime
    change: str
    reason: str
    flag: Flag | None
    """None where a confidential service allows to say no more."""
    decided_on: str | None
    """`stored` of the dossier that led to it; None for an officer's decision."""
    withheld: Withheld | None
    """Why no dossier was kept, or not the whole of it."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """An officer's decision. A note stays in the database: it is free text about people."""

    at: datetime
    status: FlagStatus
    reason: str
    by: str
    has_note: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody was seen in the call. `end_at` None: no source gives an end."""

    who: str
    kind: str
    partner_id: str | None
    confidence: Confidence
    """E1 directory, E2 address, E3 name or obscured address, E4 nothing."""
    source: Source
    conference: str
    start_at: datetime
    end_at: datetime | None
    last_seen_at: datetime | None
    is_outer_limit: bool
    """Only first join and last leave are known: in between the person may have been away."""


@dataclass(frozen=True, slots=True)
class KeptDossier:
    """What one change was decided on, with people renamed."""

    stored: str
    """SHA-256 of the snapshot as it was stored when the change was made."""
    program: str
    rules: str
    policy: Policy
    dossier: Dossier
    undecided: tuple[Undecided, ...]
    timeline: tuple[Sighting, ...]
    unknown: tuple[str, ...]
    """What was not known, in plain sentences."""
    about: tuple[str, ...] | None
    """The only rules that it can be decided again by; None: all. Of a confidential service nothing
    more is kept than its own rule decides on."""


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """One flag with everything it rests on."""

    __pydantic_config__ = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    schema: Literal["meetbot/evidence/1"]
    flag_id: str
    status: FlagStatus
    program: str
    """Version of meetbot that wrote the file."""
    flag: Flag | None
    """The flag as it is now; None where a confidential service allows to say no more."""
    rule: RuleText | None
    history: tuple[Change, ...]
    decisions: tuple[Ruling, ...]
    dossiers: tuple[KeptDossier, ...]
    parts: Mapping[str, str]
    """SHA-256 of each part above."""
    digest: str
    """SHA-256 of `parts`: changes with any part, and is what the chain remembers."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of evidence files."""
    made = _adapter().json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('/', ':')}",
        **made,
    }


def from_document(document: object) -> EvidenceFile:
    """The contents of a parsed file; raises pydantic's `ValidationError`."""
    return _adapter().validate_json(json.dumps(document))


def plain(file: EvidenceFile) -> dict[str, Any]:
    """The contents as JSON values; what has no order is sorted."""
    made: dict[str, Any] = _settled(file, _adapter().dump_python(file, mode="json"))
    return made


@cache
def _adapter() -> TypeAdapter[EvidenceFile]:
    return TypeAdapter(EvidenceFile)


def _settled(value: Any, document: Any) -> Any:
    match value:
        case Mapping():
            pairs = zip(value.values(), document.items(), strict=True)
            return {key: _settled(inner, item) for inner, (key, item) in pairs}
        case frozenset():
            return sorted(document)
        case tuple() | list():
            return [_settled(*pair) for pair in zip(value, document, strict=True)]
    if is_dataclass(value):
        known = {f.name for f in fields(value)}
        return {
            key: _settled(getattr(value, key), item) if key in known else item
            for key, item in document.items()
        }
    return document


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same contents with their digests."""
    parts = digests(document)
    return {**document, "parts": parts, "digest": digest_of(parts)}


def digests(document: Mapping[str, Any]) -> dict[str, str]:
    """The digest of each part, by its place: `flag`, `dossiers[0].dossier.attendances` …"""
    return {place: digest_of(part) for place, part in _parts(document)}


def _parts(document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, part in document.items():
        if name in ("parts", "digest"):
            continue
        if name not in _BIG or not isinstance(part, list):
            yield name, part
            continue
        yield name, len(part)
        for number, kept in enumerate(part):
            yield from _parts_of_kept(f"{name}[{number}]", kept)


def _parts_of_kept(place: str, kept: object) -> Iterator[tuple[str, object]]:
    if not isinstance(kept, dict):
        yield place, kept
        return
    for name, part in kept.items():
        if name == "dossier" and isinstance(part, dict):
            yield from ((f"{place}.dossier.{inner}", value) for inner, value in part.items())
        else:
            yield f"{place}.{name}", part


def digest_of(value: object) -> str:
    """SHA-256 of a JSON value in canonical form: sorted keys, no spaces, ASCII only."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def render(document: Mapping[str, Any]) -> bytes:
    """The one way in which these contents are written."""
    return (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()
