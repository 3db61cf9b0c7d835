"""Rows of the audit log that matter come through, in whatever order they stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from meetbot.ports import Glance
from meetbot.workspace.activities import Activity, decode_page, to_activities
from meetbot.workspace.sieve import CallRow, Sieve, call_rows

T0 = datetime(2026, 10, 13, 15, 0, tzinfo=UTC)


def row(conference: str, number: int = 0, *, external: bool = False, hours: float = 0) -> Any:
    written = T0 - timedelta(hours=hours)
    return {
        "id": {"time": written.isoformat().replace("+00:00", "Z"), "uniqueQualifier": str(number)},
        "actor": {"email": "ann@district.example", "profileId": "11"},
        "events": [
            {
                "name": "call_ended",
                "type": "call",
                "parameters": [
                    {"name": "conference_id", "value": conference},
                    {"name": "meeting_code", "value": "ABCDEFGHIJ"},
                    {"name": "is_external", "boolValue": external},
                    {"name": "network_rtt_msec_mean", "intValue": "17"},
                ],
            }
        ],
    }


def with_outsiders(glances: Sequence[Glance]) -> Collection[str]:
    return {glance.conference for glance in glances if glance.is_external}


def names(rows: Sequence[CallRow]) -> list[str]:
    return [f"{r.word('conference_id')}{r.qualifier}" for r in rows]


def page(*raw: Any) -> list[CallRow]:
    return call_rows(to_activities(raw))


def test_rows_of_earlier_pages_come_along() -> None:
    """Whoever makes a call matter may stand pages below the others."""
    sieve = Sieve(with_outsiders)

    assert names(sieve(page(row("a", 1), row("b", 2)))) == []
    assert names(sieve(page(row("b", 3)))) == []
    assert names(sieve(page(row("a", 4), row("a", 5, external=True)))) == ["a1", "a4", "a5"]
    assert names(sieve(page(row("a", 6), row("b", 7)))) == ["a6"]


def test_what_is_a_day_older_is_no_more_of_the_same_call() -> None:
    """Held rows are forgotten once no call can reach from them to what is read."""
    sieve = Sieve(with_outsiders)

    sieve(page(row("a", 1)))
    sieve(page(row("b", 2, hours=30)))
    assert names(sieve(page(row("a", 3, external=True, hours=31)))) == ["a3"]


def test_rows_without_a_conference_come_through() -> None:
    """Nothing would know them again."""
    assert len(Sieve(with_outsiders)(page(row("", 1)))) == 1


def test_an_outsider_brings_what_is_read() -> None:
    """A row comes back from the held ones as it went in."""
    sieve, asked = Sieve(with_outsiders), page(row("a", 1))
    sieve(asked)

    assert sieve(page(row("a", 2, external=True)))[0] == asked[0]


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=4), max_size=6))
def test_each_row_that_matters_comes_once(pages: list[list[tuple[str, bool]]]) -> None:
    """In whatever pages: all rows of calls with an outsider, and no others."""
    sieve = Sieve(with_outsiders)
    passed: list[str] = []
    everything: list[tuple[str, bool, str]] = []
    for number, one in enumerate(pages):
        raw = [row(c, number * 10 + n, external=e) for n, (c, e) in enumerate(one)]
        everything += [(c, e, f"{c}{number * 10 + n}") for n, (c, e) in enumerate(one)]
        passed += names(sieve(page(*raw)))

    mixed = {conference for conference, external, _ in everything if external}
    assert sorted(passed) == sorted(name for c, _, name in everything if c in mixed)


def test_a_page_is_decoded_into_typed_rows() -> None:
    """The rows are those that plain JSON gives."""
    raw = [row("a", 1), row("b", 2, external=True)]

    decoded = decode_page(orjson.dumps({"items": raw, "nextPageToken": "t", "kind": "k"}))

    assert decoded is not None
    assert decoded["nextPageToken"] == "t"
    assert all(isinstance(one, Activity) for one in decoded["items"])
    assert call_rows(decoded["items"]) == page(*raw)


def test_a_page_that_is_not_as_documented_is_left_to_plain_json() -> None:
    """A number where Google writes a text, no list, no rows, no JSON."""
    odd = row("a")
    odd["id"]["uniqueQualifier"] = 7
    for content in (
        orjson.dumps({"items": [odd]}),
        b'{"items": {}}',
        b'{"items": []}',
        b'{"items": [{"id": {"time": "\\ud800"}}]}',
        b"<html>",
        b"\xff",
        b"",
    ):
        assert decode_page(content) is None
