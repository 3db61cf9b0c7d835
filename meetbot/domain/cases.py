"""Presence cases as JSON lines: what `meetbot evaluate` reads and writes (contract, A12 to A14).

Instants are RFC 3339 with a zone, in UTC between the years 0001 and 9999; a fraction is cut off.
A leap second (23:59:60 in UTC) is read as the second after it, as POSIX time does.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from meetbot.domain.classes import PersonClass
from meetbot.domain.presence import Component, Presence, PresenceCase, PresenceVisit, decide
from meetbot.domain.thresholds import Thresholds
from meetbot.errors import BadInput, Mistake

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_INSTANT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt](?P<minute>(?:[01]\d|2[0-3]):[0-5]\d)"
    r":(?P<second>[0-5]\d|60)(?:\.\d+)?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<hours>[01]\d|2[0-3]):(?P<minutes>[0-5]\d))",
    re.ASCII,
)
_LIMITS = tuple(field.name for field in fields(Thresholds))
_SHOWN = 40
"""Characters of an unknown name that an error repeats."""


def evaluate_line(line: str) -> tuple[str, bool]:
    """Decide the case in one JSON line: the answer's line, and whether the case was readable.

    Never raises. A line that cannot be read gives `{"id": …, "error": …}` with place and fix.
    """
    identifier = None
    try:
        document = _document(line)
        identifier = document.get("id")
        return _line(identifier, **_shown(decide(read_case(document)))), True
    except BadInput as wrong:
        return _line(identifier, error=str(wrong)), False
    except RecursionError:
        mistake = Mistake("line", "is nested too deeply", "write it as the contract shows")
        return _line(None, error=str(mistake)), False


def read_case(document: Mapping[str, Any]) -> PresenceCase:
    """The case in a parsed JSON object; raises BadInput at the first mistake."""
    if document.get("id") is None:
        _refuse("id", "is missing", "give every case an id")
    observed_at = document.get("observed_at")
    return PresenceCase(
        visits=tuple(_visits(document.get("visits"))),
        conference=tuple(_records(document.get("conference"))),
        observed_at=None if observed_at is None else _instant("observed_at", observed_at),
        thresholds=_thresholds(document.get("thresholds")),
    )


def _document(line: str) -> dict[str, Any]:
    try:
        document = json.loads(line, parse_constant=_refuse_constant, parse_float=_finite)
    except ValueError:
        _refuse("line", "is not JSON", "write one JSON object on each line")
    if not isinstance(document, dict):
        _refuse("line", "is not a JSON object", "write one JSON object on each line")
    return document


def _refuse_constant(name: str) -> NoReturn:
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("too large to be written again")
    return number


def _visits(entries: object) -> Iterator[PresenceVisit]:
    if not isinstance(entries, list):
        _refuse("visits", "is not a list", "give a list of visits, which may be empty")
    classes: dict[str, PersonClass] = {}
    for index, entry in enumerate(entries):
        place = f"visits[{index}]"
        visit = _visit(place, entry)
        if classes.setdefault(visit.person, visit.person_class) is not visit.person_class:
            _refuse(
                f"{place}.class",
                "differs from the class this person has before",
                "give one person one class throughout",
            )
        yield visit


def _visit(place: str, entry: object) -> PresenceVisit:
    if not isinstance(entry, dict):
        _refuse(place, "is not a JSON object", "give person, class and start")
    person, start = entry.get("person"), entry.get("start")
    if person is None:
        _refuse(f"{place}.person", "is missing", "name the person by any stable key")
    if start is None:
        _refuse(f"{place}.start", "is missing", "give the instant of the join")
    end, last_seen = entry.get("end"), entry.get("last_seen")
    return PresenceVisit(
        person=json.dumps(person, sort_keys=True),
        person_class=_person_class(f"{place}.class", entry.get("class")),
        start=_instant(f"{place}.start", start),
        end=None if end is None else _instant(f"{place}.end", end),
        last_seen=None if last_seen is None else _instant(f"{place}.last_seen", last_seen),
    )


def _person_class(place: str, name: object) -> PersonClass:
    if name not in tuple(PersonClass):
        _refuse(place, "is no known class", f"use one of {', '.join(PersonClass)}")
    return PersonClass(str(name))


def _records(entries: object) -> Iterator[tuple[int, int | None]]:
    if entries is None:
        return
    if not isinstance(entries, list):
        _refuse("conference", "is not a list", "give a list of [start, end] pairs, or null")
    for index, entry in enumerate(entries):
        place = f"conference[{index}]"
        if not isinstance(entry, list) or len(entry) != 2:
            _refuse(place, "is not a pair", "give [start, end], with end null while it runs")
        start, end = entry
        yield (
            _instant(f"{place}[0]", start),
            None if end is None else _instant(f"{place}[1]", end),
        )


def _thresholds(entries: object) -> Thresholds:
    if entries is None:
        return Thresholds()
    if not isinstance(entries, dict):
        _refuse("thresholds", "is not a JSON object", "give names and whole seconds, or null")
    for name, value in entries.items():
        place = f"thresholds.{json.dumps(name[:_SHOWN])[1:-1]}"
        if name not in _LIMITS:
            _refuse(place, "is no known threshold", f"use some of {', '.join(_LIMITS)}")
        if not _is_whole(value):
            _refuse(place, "is not a whole number ≥ 0", "give whole seconds, 0 or more")
    return Thresholds(**{name: int(value) for name, value in entries.items()})


def _is_whole(value: object) -> bool:
    """15 and 15.0 are one number in JSON; true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value >= 0 and value == int(value)


def _instant(place: str, text: object) -> int:
    """Whole epoch seconds of an RFC 3339 instant."""
    seconds = _epoch_seconds(text) if isinstance(text, str) else None
    if seconds is None:
        _refuse(
            place,
            "is not an RFC 3339 instant with a zone",
            "write it like 2026-10-13T15:00:00Z or 2026-10-13T10:00:00-05:00",
        )
    return seconds


def _epoch_seconds(text: str) -> int | None:
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    is_leap = found["second"] == "60"
    second = "59" if is_leap else found["second"]
    try:
        local = datetime.fromisoformat(f"{found['date']}T{found['minute']}:{second}+00:00")
    except ValueError:
        return None
    offset = int(found["hours"] or 0) * 3600 + int(found["minutes"] or 0) * 60
    seconds = (local - _EPOCH) // _SECOND - (-offset if found["sign"] == "-" else offset)
    if is_leap:
        seconds += 1
        if seconds % 86_400:
            return None
    return seconds if _EARLIEST <= seconds <= _LATEST else None


def _shown(presence: Presence) -> dict[str, object]:
    recheck_at = presence.recheck_at
    return {
        "certain": [_component(component) for component in presence.certain],
        "possible": [_component(component) for component in presence.possible],
        "flags": [
            {
                "rule": flag.rule,
                "severity": flag.severity,
                "confidence": flag.confidence,
                "provisional": flag.provisional,
            }
            for flag in presence.flags
        ],
        # A limit of thousands of years is reached at no instant that RFC 3339 can write.
        "recheck_at": None if recheck_at is None or recheck_at > _LATEST else _text(recheck_at),
    }


def _component(component: Component) -> dict[str, object]:
    return {
        "kind": component.kind,
        "start": _text(component.start),
        "end": _text(component.end),
        "seconds": component.seconds,
    }


def _text(seconds: int) -> str:
    return (_EPOCH + seconds * _SECOND).isoformat().replace("+00:00", "Z")


def _line(identifier: object, **answer: object) -> str:
    """One line of ASCII: a lone surrogate in an id leaves as it came, escaped."""
    return json.dumps({"id": identifier, **answer})


def _refuse(place: str, what: str, fix: str) -> NoReturn:
    raise BadInput([Mistake(place, what, fix)])
