"""Is an evidence file as it was written, and do the rules decide it again in the same way?

Needs nothing but the file. Whatever bytes it holds, nothing here raises: what is wrong is said.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NoReturn

from pydantic import ValidationError

from meetbot.domain.flags import ChangeKind, Flag, reconcile
from meetbot.domain.snapshots import Withheld
from meetbot.evidence.document import (
    MOST_BYTES,
    SCHEMA,
    Change,
    EvidenceFile,
    KeptDossier,
    digest_of,
    digests,
    from_document,
    plain,
    render,
)
from meetbot.evidence.making import WHY_WITHHELD, Record, file_of, timeline, unknown
from meetbot.rules import RULES, evaluate, program_version, rules_version

_FOUND = (ChangeKind.OPENED, ChangeKind.REOPENED, ChangeKind.UPDATED)
_GONE = (ChangeKind.WITHDRAWN, ChangeKind.SUPERSEDED)
_SHOWN = 120
_MOST_SHOWN = 20
"""Invalid places that are listed; a file of another kind has thousands."""
_SAME = (
    "severity",
    "certainty",
    "is_provisional",
    "phase",
    "message",
    "advice",
    "fix",
    "facts",
    "spans",
    "unknowns",
    "family",
    "is_sticky",
    "school_id",
    "partner_id",
    "program_id",
    "conference_records",
)
"""What deciding again must give as it was recorded."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a file: where, and what."""

    place: str
    what: str

    def __str__(self) -> str:
        """The problem as one line."""
        return f"{self.place}: {self.what}"


@dataclass(slots=True)
class Checked:
    """What was found. `file` is None where there was nothing to decide."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader must know, and what is not wrong."""
    undecidable: list[str] = field(default_factory=list)
    """Changes that cannot be decided again, with the reason."""
    decided: int = 0
    """Changes that were decided again."""
    file: EvidenceFile | None = None
    digest: str | None = None
    """Digest of the contents as they are."""


class _UnreadableError(Exception):
    def __init__(self, place: str, what: str) -> None:
        super().__init__(what)
        self.problem = Problem(place, what)


def verify(content: bytes) -> Checked:
    """Check the bytes of a file and decide again what it holds."""
    found = Checked()
    try:
        document = _document(content)
        found.problems += _form(content, document)
        found.problems += _seals(document)
        found.digest = digest_of(digests(document))
        found.file = _contents(document)
    except _UnreadableError as error:
        found.problems.append(error.problem)
        return found
    except RecursionError:
        found.problems.append(Problem("file", "is nested too deeply for an evidence file"))
        return found
    _decide(found, found.file)
    return found


# --- reading ------------------------------------------------------------------------------------


def _document(content: bytes) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        _refuse("file", f"is larger than {MOST_BYTES >> 20} MiB, which no evidence file is")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        _refuse(f"line {line}", "holds bytes that are no UTF-8: the file was changed")
    try:
        document = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        is_cut = error.pos >= len(text.rstrip()) - 1
        what = "ends in the middle: the file was cut off" if is_cut else "is no JSON from here on"
        _refuse(f"line {error.lineno}, column {error.colno}", what)
    except ValueError:
        _refuse("file", "holds a number that no evidence file holds: the file was changed")
    if not isinstance(document, dict) or "schema" not in document:
        _refuse("file", "is no evidence file: it names no schema")
    if document["schema"] != SCHEMA:
        name = shown(document["schema"])
        _refuse("schema", f"is {name}; this meetbot ({program_version()}) reads {SCHEMA}")
    return document


def _no_number(name: str) -> NoReturn:
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("too large to be written again")
    return number


def _form(content: bytes, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Whether every byte is as this program writes these contents."""
    wanted = render(document)
    if content == wanted:
        return
    lines = zip(content.split(b"\n"), wanted.split(b"\n"), strict=False)
    number = next((n for n, (is_, should) in enumerate(lines, 1) if is_ != should), None)
    place = f"line {number}" if number else "end of the file"
    yield Problem(place, "is not written as meetbot writes it: the file was changed")


def _seals(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Which parts are not those whose digests the file holds."""
    listed, total = document.get("parts"), document.get("digest")
    if not isinstance(listed, dict):
        yield Problem("parts", "holds no digests of the parts")
        return
    now = digests(document)
    if digest_of(listed) != total:
        yield Problem("parts or digest", "was changed: one is not the digest of the other")
    for place, digest in now.items():
        if place not in listed:
            yield Problem(shown(place), "was added: the file holds no digest of it")
        elif listed[place] != digest:
            yield Problem(shown(place), "was changed: its digest is another one")
    for place in listed:
        if place not in now:
            yield Problem(shown(place), "was removed: the file holds only its digest")


def _contents(document: Mapping[str, Any]) -> EvidenceFile:
    try:
        file = from_document(document)
    except (ValidationError, ValueError) as error:
        raise _UnreadableError("file", _invalid(document, error)) from None
    if plain(file) != document:
        _refuse("file", "holds values in another form than meetbot writes")
    return file


def _invalid(document: Mapping[str, Any], error: ValueError) -> str:
    """Where the contents are not as the schema says; values are not repeated."""
    writer = document.get("program")
    by = "" if writer == program_version() else f" (it was written by meetbot {shown(writer)})"
    if not isinstance(error, ValidationError):
        return f"does not follow the schema{by}"
    places = [
        f"{shown('.'.join(map(str, one['loc'])))}: {shown(one['msg'])}"
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    more = f"; and {len(places) - _MOST_SHOWN} more" if len(places) > _MOST_SHOWN else ""
    return f"does not follow the schema{by}: " + "; ".join(places[:_MOST_SHOWN]) + more


def _refuse(place: str, what: str) -> NoReturn:
    raise _UnreadableError(place, what)


def shown(value: object) -> str:
    """A value from a file, short and printable."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return "".join(c if c.isprintable() else "?" for c in text[:_SHOWN])


# --- deciding again -----------------------------------------------------------------------------


def _decide(found: Checked, file: EvidenceFile) -> None:
    kept = {dossier.stored: dossier for dossier in file.dossiers}
    _note_versions(found, file)
    for stored, dossier in kept.items():
        led_to = [change for change in file.history if change.decided_on == stored]
        found.problems += _again(dossier, led_to)
        found.decided += len(led_to)
        if not led_to:
            found.problems.append(Problem("dossiers", f"{shown(stored[:12])} led to no change"))
    known = {ChangeKind(name).value for name in (*_FOUND, *_GONE)}
    for change in file.history:
        if change.change not in known:
            continue
        if change.decided_on is None:
            found.undecidable.append(f"{_place(change)}: {_why(change)}")
        elif change.decided_on not in kept:
            found.problems.append(Problem(_place(change), "its dossier is missing in the file"))
    found.problems += _consistent(file)


def _why(change: Change) -> str:
    if change.withheld is None:
        return "it was made by a meetbot that kept no dossiers, or by an officer"
    return WHY_WITHHELD[change.withheld]


def _note_versions(found: Checked, file: EvidenceFile) -> None:
    for program, rules in sorted({(one.program, one.rules) for one in file.dossiers}):
        if rules != rules_version():
            found.notes.append(
                f"decided by meetbot {shown(program)} with rules {shown(rules)}; decided again "
                f"by meetbot {program_version()} with rules {rules_version()}"
            )
    if file.flag is not None and file.flag.rule not in RULES:
        found.problems.append(Problem("flag", f"this meetbot has no rule {shown(file.flag.rule)}"))


def _again(kept: KeptDossier, led_to: Sequence[Change]) -> Iterator[Problem]:
    dossier = kept.dossier
    try:
        verdict = evaluate(dossier, kept.policy, only=kept.about).without(kept.policy.shadows)
    except Exception as error:  # whatever a forged dossier does to a rule, it is said
        yield Problem(f"dossier {kept.stored[:12]}", f"cannot be decided ({type(error).__name__})")
        return
    school = dossier.host.school
    flags = {
        (change.flag.rule, change.flag.key.subject): change.flag
        for change in reconcile(
            (),
            verdict,
            as_of=dossier.as_of,
            school_id=school.school_id if school else None,
            conference_records=tuple(c.name for c in dossier.conferences),
        )
    }
    for change in led_to:
        if change.flag is None:
            continue
        again = flags.get((change.flag.rule, change.flag.key.subject))
        if change.change in _FOUND:
            yield from _differences(change, change.flag, again, kept)
        elif again is not None:
            yield Problem(_place(change), f"recorded as gone, but found again{_other(kept)}")
        elif change.flag.rule not in verdict.decided:
            yield Problem(_place(change), f"recorded as gone, but cannot be decided{_other(kept)}")
    place = f"dossier {kept.stored[:12]}"
    if sorted(verdict.undecided, key=repr) != sorted(kept.undecided, key=repr):
        yield Problem(place, f"other rules are undecided than was recorded{_other(kept)}")
    if tuple(timeline(dossier)) != kept.timeline:
        yield Problem(place, "the timeline is not that of the dossier")
    if tuple(unknown(dossier, kept.undecided)) != kept.unknown:
        yield Problem(place, "what was not known is not that of the dossier")


def _other(kept: KeptDossier) -> str:
    if kept.rules == rules_version():
        return ""
    return " (by other rules than decided it: see the note)"


def _differences(
    change: Change, recorded: Flag, again: Flag | None, kept: KeptDossier
) -> Iterator[Problem]:
    if again is None:
        yield Problem(_place(change), f"recorded, but not found again{_other(kept)}")
        return
    for name in _SAME:
        was, now = getattr(recorded, name), getattr(again, name)
        if was != now:
            what = f"{name} is recorded as {shown(was)}, and decided again {shown(now)}"
            yield Problem(_place(change), what + _other(kept))


def _place(change: Change) -> str:
    return f"history {change.at:%Y-%m-%dT%H:%M:%SZ} {shown(change.change)}"


_OF_MAILS = ("told", "told_severity")
"""Fields of a flag that mails change, which is no line of its history."""


def _consistent(file: EvidenceFile) -> Iterator[Problem]:
    """Whether flag, history and decisions tell one story."""
    if not file.history:
        yield Problem("history", "is empty")
        return
    flags = [change.flag for change in file.history if change.flag is not None]
    if file.flag is not None and flags:
        same = (f.name for f in fields(Flag) if f.name not in _OF_MAILS)
        others = [n for n in same if getattr(file.flag, n) != getattr(flags[-1], n)]
        for name in others:
            yield Problem("flag", f"{name} is not that of the last line of its history")
        if file.flag.status is not file.status or file.flag.id != file.flag_id:
            yield Problem("flag", "id or status are not those of the file")
    lines = {(change.at, change.change) for change in file.history}
    for ruling in file.decisions:
        if (ruling.at, ruling.status.value) not in lines:
            yield Problem("decisions", f"{ruling.status} is no line of the history")


# --- against the database -----------------------------------------------------------------------


def against(file: EvidenceFile, record: Record) -> list[Problem]:
    """Where a file differs from what the database holds of its flag.

    The history may have gone on since the file was written; what it holds must be the same.
    """
    history = record.history[: len(file.history)]
    if len(history) < len(file.history) or not history:
        return [Problem("history", "has more lines than the database holds")]
    known = {entry.snapshot for entry in history}
    flag = history[-1].flag
    if file.flag is not None:
        flag = replace(flag, told=file.flag.told, told_severity=file.flag.told_severity)
    then = Record(
        flag,
        history,
        record.decisions[: len(file.decisions)],
        {digest: kept for digest, kept in record.snapshots.items() if digest in known},
    )
    if any(change.withheld is Withheld.LEFT_OUT for change in file.history):
        then = then.shortened()
    is_, should = plain(file), plain(file_of(then))
    for name in ("program", "rule", "parts", "digest"):
        del is_[name], should[name]
    return list(_compared(is_, should, ""))


def _compared(one: Any, other: Any, place: str) -> Iterator[Problem]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            inner = f"{place}.{name}" if place else str(name)
            if name not in one or name not in other:
                where = "the database" if name in other else "the file"
                yield Problem(shown(inner), f"is only in {where}")
            else:
                yield from _compared(one[name], other[name], inner)
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield Problem(place, f"has {len(one)} entries, and {len(other)} in the database")
        for number, (left, right) in enumerate(zip(one, other, strict=False)):
            yield from _compared(left, right, f"{place}[{number}]")
    elif one != other or type(one) is not type(other):
        yield Problem(place, f"is {shown(one)}, and {shown(other)} in the database")
