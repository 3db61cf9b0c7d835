"""The hash chain: what a third party recomputes, and everything that breaks it is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from meetbot.domain.chain import (
    ORIGIN,
    Audit,
    Head,
    KeptRow,
    Link,
    LinkKind,
    Payload,
    canonical,
    examine,
    hash_of,
    link_after,
)
from tests.builders import at


def a_chain(*payloads: Payload) -> list[Link]:
    links: list[Link] = []
    for number, payload in enumerate(payloads):
        head = Head(links[-1].sequence, links[-1].hash) if links else None
        kind = LinkKind.PURGE if "whole" in payload or "part" in payload else LinkKind.DECISION
        links.append(link_after(head, kind, f"F-{number}", canonical(payload), at=at(number)))
    return links


def a_row(link: int | None, digest: str, number: int = 1) -> KeptRow:
    return KeptRow("decisions", link, f"decisions {number}", digest)


def audit(links: Sequence[Link], *rows: KeptRow, expected: str | None = None) -> Audit:
    last = links[-1]
    return examine(links, rows, Head(last.sequence, last.hash), expected=expected)


def broken(links: Sequence[Link], *rows: KeptRow) -> tuple[int | None, str, str] | None:
    found = audit(links, *rows).broken
    return None if found is None else (found.sequence, found.kind, found.what)


def rehashed(links: Sequence[Link]) -> list[Link]:
    """The same links with the hashes a forger would compute anew."""
    made: list[Link] = []
    for link in links:
        after = replace(link, previous=made[-1].hash if made else link.previous)
        made.append(replace(after, hash=hash_of(after)))
    return made


PLAIN = a_chain({}, {"n": 1}, {"n": 2})


def test_anybody_can_recompute_a_link() -> None:
    """With the description alone: sorted keys, UTF-8, no spaces, SHA-256."""
    (link,) = a_chain({"b": ["ü", 1], "a": {"z": None, "y": True}})
    text = (
        '{"at":"2026-10-13T15:00:00.000000Z","kind":"decision",'
        '"payload":{"a":{"y":true,"z":null},"b":["ü",1]},'
        f'"previous":"{ORIGIN}","sequence":1,"subject":"F-0"}}'
    )

    assert link.hash == hashlib.sha256(text.encode()).hexdigest()
    assert json.loads(link.payload) == {"a": {"y": True, "z": None}, "b": ["ü", 1]}


@pytest.mark.parametrize("value", [{"a": 1.5}, [0.0], {1: "a"}, {"a": object()}, {"a": {"b"}}])
def test_what_has_no_one_form_is_refused(value: object) -> None:
    """A float could be written in several ways."""
    with pytest.raises(ValueError, match=r"float|text"):
        canonical(value)


def test_an_untouched_chain_is_good() -> None:
    """And says where it ends; rows are those that were recorded."""
    links = a_chain({}, {"rows": {"decisions": ["d1", "d2"]}})
    found = audit(links, a_row(2, "d2"), a_row(2, "d1"), expected=links[0].hash)

    assert found == Audit(2, Head(2, links[1].hash), None, {})


@pytest.mark.parametrize(
    ("change", "place", "what"),
    [
        (lambda x: [x[0], replace(x[1], payload='{"n":7}'), x[2]], 2, "hash"),
        (lambda x: [x[0], replace(x[1], subject="F-9"), x[2]], 2, "hash"),
        (lambda x: [x[0], replace(x[1], kind="mail"), x[2]], 2, "hash"),
        (lambda x: [x[0], replace(x[1], at=at(9)), x[2]], 2, "hash"),
        (lambda x: [x[0], replace(x[1], payload='{"n": 1}'), x[2]], 2, "canonical"),
        (lambda x: [x[0], replace(x[1], payload="{"), x[2]], 2, "cannot be read"),
        (lambda x: [x[0], replace(x[1], payload="[]"), x[2]], 2, "cannot be read"),
        (lambda x: [x[0], replace(x[1], hash=ORIGIN), x[2]], 2, "hash"),
        (lambda x: [x[0], x[2]], 2, "not there"),
        (lambda x: x[1:], 1, "not there"),
        (lambda x: [x[0], replace(x[2], sequence=2)], 2, "link before"),
        (lambda x: [x[0], *rehashed([x[1]]), *rehashed([replace(x[2], subject="F-1")])], 3, ""),
        (lambda x: [*rehashed([replace(x[0], subject="F-9")]), *x[1:]], 2, "link before"),
    ],
)
def test_every_change_of_a_link_is_named(
    change: Callable[[list[Link]], list[Link]], place: int, what: str
) -> None:
    """An edit, a deletion, another number: the first link that is wrong, and what is."""
    found = examine(change(PLAIN), [], Head(3, PLAIN[-1].hash)).broken

    assert found is not None
    assert found.sequence == place
    assert what in found.what


def test_links_cut_off_at_the_end_are_missed() -> None:
    """The note of the newest one tells, also when it is gone itself."""
    note = Head(3, PLAIN[-1].hash)
    cut = examine(PLAIN[:2], [], note).broken
    gone = examine(PLAIN[:2], [], None).broken
    other = examine(PLAIN[:2], [], Head(2, ORIGIN)).broken
    empty = examine([], [], None).broken

    assert cut is not None
    assert (cut.sequence, cut.kind) == (3, "missing")
    assert [b.sequence for b in (gone, other, empty) if b] == [2, 2, 1]


def test_a_history_rewritten_with_care_misses_the_head_of_a_mail() -> None:
    """Somebody who computes every hash anew cannot compute one that was mailed before."""
    mailed = PLAIN[1].hash
    forged = rehashed([PLAIN[0], replace(PLAIN[1], payload='{"n":7}'), PLAIN[2]])

    assert audit(PLAIN, expected=mailed).broken is None
    assert audit(forged).broken is None
    found = audit(forged, expected=mailed).broken
    assert found is not None
    assert mailed in found.what


@pytest.mark.parametrize(
    ("rows", "place", "what"),
    [
        ([a_row(2, "d1")], 2, "1 of its rows in decisions is gone"),
        ([], 2, "2 of its rows in decisions are gone"),
        ([a_row(2, "d1"), a_row(2, "dX", 8)], 2, "decisions 8 is not as it was recorded"),
        ([a_row(2, "d1"), a_row(2, "d2"), a_row(2, "d3", 9)], 2, "decisions 9 was added"),
        ([a_row(2, "d1"), a_row(2, "d2"), a_row(2, "d2", 9)], 2, "decisions 9 was added"),
        ([a_row(2, "d1"), a_row(2, "d2"), a_row(None, "d3", 9)], None, "brought by no link"),
        ([a_row(2, "d1"), a_row(2, "d2"), a_row(1, "d3", 9)], None, "brought by no link"),
    ],
)
def test_every_change_of_a_recorded_row_is_named(
    rows: list[KeptRow], place: int | None, what: str
) -> None:
    """Edited, deleted, inserted, or moved to another link."""
    found = broken(a_chain({}, {"rows": {"decisions": ["d1", "d2"]}}), *rows)

    assert found is not None
    assert found[0] == place
    assert what in found[2]


def test_rows_that_a_purge_tells_of_are_not_missed() -> None:
    """All of a link, or some of its rows; what is left must still be as recorded."""
    links = a_chain(
        {"rows": {"decisions": ["d1"]}},
        {"rows": {"decisions": ["d2", "d3"]}},
        {"part": {"decisions": {"2": ["d3"]}}, "whole": {"decisions": [1]}},
    )

    assert audit(links, a_row(2, "d2")) == Audit(
        3, Head(3, links[2].hash), None, {1: (3,), 2: (3,)}
    )
    assert broken(links) == (2, "decision", "1 of its rows in decisions is gone")
    there = broken(links, a_row(1, "d1"), a_row(2, "d2"))
    assert there == (1, "decision", "decisions 1 is there, which link 3 records as deleted")
    back = broken(links, a_row(2, "d2"), a_row(2, "d3", 4))
    assert back == (2, "decision", "decisions 4 was added")


def test_a_purge_that_was_edited_is_named_and_nothing_raises() -> None:
    """Whatever its payload became."""
    links = a_chain({"rows": {"decisions": ["d1"]}}, {"whole": {"decisions": [1]}})
    for payload in ('{"whole":[]}', '{"part":{"decisions":{"x":[]}}}', "1", '{"whole":{"a":1}}'):
        found = broken([links[0], replace(links[1], payload=payload)])
        assert found is not None
