"""The `filter` grammar of Meet's list methods.

Comparisons joined by AND, with snake_case fields: `space.meeting_code = "abc-mnop-xyz"`,
`start_time>="2024-01-01T00:00:00.000Z"`, `end_time IS NULL`.
Source: the parameter descriptions in the discovery document of meet.v2.
"""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime

from meetbot.sandbox.replies import ApiError
from meetbot.sandbox.times import parse_instant

Field = datetime | str | None
_TERM = re.compile(r'\s*([a-z_.]+)\s*(?:(IS\s+NULL)|(>=|<=|!=|=|>|<)\s*"([^"]*)")\s*')
_COMPARE: Mapping[str, Callable[[object, object], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,  # type: ignore[dict-item]
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    "<": operator.lt,  # type: ignore[dict-item]
}
Test = Callable[[Mapping[str, Field]], bool]


def parse_filter(text: str, times: frozenset[str], words: frozenset[str] = frozenset()) -> Test:
    """A test for a record's fields; `times` are instants, `words` strings (only `=`).

    Raises ApiError 400 for other grammar or fields.
    """
    tests: list[Test] = []
    while text.strip():
        match = _TERM.match(text)
        if match is None:
            raise _bad(text)
        tests.append(_term(match, times, words))
        text = text[match.end() :]
        if text:
            joint = re.match(r"AND\s+(?=\S)", text)
            if joint is None:
                raise _bad(text)
            text = text[joint.end() :]
    return lambda fields: all(test(fields) for test in tests)


def _term(match: re.Match[str], times: frozenset[str], words: frozenset[str]) -> Test:
    name, null, sign, value = match.groups()
    if name in times and null:
        return lambda fields: fields[name] is None
    if name in words and sign == "=":
        return lambda fields: fields[name] == value
    if name in times and sign:
        return _comparison(name, sign, _time(value))
    raise _bad(match[0])


def _comparison(name: str, sign: str, wanted: datetime) -> Test:
    compare = _COMPARE[sign]

    def test(fields: Mapping[str, Field]) -> bool:
        found = fields[name]
        return found is not None and compare(found, wanted)

    return test


def _time(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:
        raise _bad(text) from None


def _bad(text: str) -> ApiError:
    return ApiError(400, f"Invalid filter near '{text.strip()[:60]}'.", "invalidParameter")
