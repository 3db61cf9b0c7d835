"""The hash chain: what a third party recomputes, and everything that breaks it is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from meetbot.domain.chain import (
    ORIGIN,
    Audit,
    Break,
    Head,
    KeptRow,
    Link,
    LinkKind,
    Payload,
    canonical,
    digest,
    examine,
    hash_of,
    link_after,
    row_digest,
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


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": 1.5}, "a float has no canonical form"),
        ([0.0], "a float has no canonical form"),
        ({"a": ({"b": [1, 0.5]},)}, "a float has no canonical form"),
        ({1: "a"}, "a key is no text"),
        ({"a": object()}, "only texts, whole numbers, lists and objects can be in a link"),
        ({"a": {"b"}}, "only texts, whole numbers, lists and objects can be in a link"),
    ],
)
def test_what_has_no_one_form_is_refused(value: object, why: str) -> None:
    """A float could be written in several ways."""
    with pytest.raises(ValueError, match=f"^{why}$"):
        canonical(value)


def test_half_a_character_has_a_digest_too() -> None:
    """Registry cells and notes can hold what no UTF-8 text may; each has a digest of its own."""
    one, other = digest({"note": "\ud800"}), digest({"note": "\ud801"})

    assert len(one) == len(other) == 64
    assert one != other


@pytest.mark.usefixtures("machine_in_chicago")
def test_a_row_has_one_digest_wherever_and_however_it_is_read() -> None:
    """Of the values that the description names, instants in UTC to the microsecond."""
    zone = timezone(timedelta(hours=-5))
    row = {
        "by": "officer@district.example",
        "decided_at": at(0).astimezone(zone) + timedelta(microseconds=7),
        "flag_id": "F-1",
        "note": None,
        "reason": "seen",
        "status": "acknowledged",
        "number": 17,
    }
    text = (
        '{"by":"officer@district.example","decided_at":"2026-10-13T15:00:00.000007Z",'
        '"flag_id":"F-1","note":null,"reason":"seen","status":"acknowledged"}'
    )

    assert row_digest("decisions", row) == hashlib.sha256(text.encode()).hexdigest()


def test_an_untouched_chain_is_good() -> None:
    """And says where it ends; rows are those that were recorded."""
    links = a_chain({}, {"rows": {"decisions": ["d1", "d2"]}})
    found = audit(links, a_row(2, "d2"), a_row(2, "d1"), expected=links[0].hash)

    assert found == Audit(2, Head(2, links[1].hash), None, {})


HASH = "its hash is not that of its content"
UNREAD = "its payload cannot be read"
BEFORE = "it does not name the hash of the link before it"


@pytest.mark.parametrize(
    ("change", "place", "kind", "what"),
    [
        (lambda x: [x[0], replace(x[1], payload='{"n":7}'), x[2]], 2, "decision", HASH),
        (lambda x: [x[0], replace(x[1], subject="F-9"), x[2]], 2, "decision", HASH),
        (lambda x: [x[0], replace(x[1], kind="mail"), x[2]], 2, "mail", HASH),
        (lambda x: [x[0], replace(x[1], at=at(9)), x[2]], 2, "decision", HASH),
        (
            lambda x: [x[0], replace(x[1], payload='{"n": 1}'), x[2]],
            *(2, "decision", "its payload is not in canonical form"),
        ),
        (lambda x: [x[0], replace(x[1], payload="{"), x[2]], 2, "decision", UNREAD),
        (lambda x: [x[0], replace(x[1], payload="[]"), x[2]], 2, "decision", UNREAD),
        (lambda x: [x[0], replace(x[1], hash=ORIGIN), x[2]], 2, "decision", HASH),
        (lambda x: [x[0], x[2]], 2, "missing", "it is not there; the next one is 3"),
        (lambda x: x[1:], 1, "missing", "it is not there; the next one is 2"),
        (lambda x: [x[0], replace(x[2], sequence=2)], 2, "decision", BEFORE),
        (
            lambda x: [x[0], *rehashed([x[1]]), *rehashed([replace(x[2], subject="F-1")])],
            *(3, "decision", "it is not the link that was noted as the newest"),
        ),
        (lambda x: [*rehashed([replace(x[0], subject="F-9")]), *x[1:]], 2, "decision", BEFORE),
    ],
)
def test_every_change_of_a_link_is_named(
    change: Callable[[list[Link]], list[Link]], place: int, kind: str, what: str
) -> None:
    """An edit, a deletion, another number: the first link that is wrong, and what is."""
    found = examine(change(PLAIN), [], Head(3, PLAIN[-1].hash)).broken

    assert found == Break(place, kind, what)


def test_links_cut_off_at_the_end_are_missed() -> None:
    """The note of the newest one tells, also when it is gone itself."""
    note = Head(3, PLAIN[-1].hash)

    def broken_by(links: Sequence[Link], noted: Head | None) -> Break | None:
        return examine(links, [], noted).broken

    assert broken_by(PLAIN, note) is None
    assert broken_by(PLAIN[:2], note) == Break(
        3, "missing", "the chain ends before it; its newest link was 3"
    )
    assert broken_by(PLAIN[:2], None) == Break(2, "decision", "the note of the newest link is gone")
    assert broken_by(PLAIN[:2], Head(2, ORIGIN)) == Break(
        2, "decision", "it is not the link that was noted as the newest"
    )
    assert broken_by(PLAIN, Head(2, PLAIN[1].hash)) == Break(
        3, "decision", "it is not the link that was noted as the newest"
    )
    assert broken_by([], None) == Break(1, "missing", "the chain is empty")


def test_a_history_rewritten_with_care_misses_the_head_of_a_mail() -> None:
    """Somebody who computes every hash anew cannot compute one that was mailed before."""
    mailed = PLAIN[1].hash
    forged = rehashed([PLAIN[0], replace(PLAIN[1], payload='{"n":7}'), PLAIN[2]])

    assert audit(PLAIN, expected=mailed).broken is None
    assert audit(forged).broken is None
    assert audit(forged, expected=mailed).broken == Break(
        None, "head", f"{mailed} is no link of the chain: what it stood for was rewritten"
    )


@pytest.mark.parametrize(
    ("rows", "place", "what"),
    [
        ([a_row(2, "d1")], 2, "1 of its rows in decisions is gone"),
        ([], 2, "2 of its rows in decisions are gone"),
        ([a_row(2, "d1"), a_row(2, "dX", 8)], 2, "decisions 8 is not as it was recorded"),
        ([a_row(2, "d1"), a_row(2, "d2"), a_row(2, "d3", 9)], 2, "decisions 9 was added"),
        ([a_row(2, "d1"), a_row(2, "d2"), a_row(2, "d2", 9)], 2, "decisions 9 was added"),
        (
            [a_row(2, "d1"), a_row(2, "d2"), a_row(None, "d3", 9)],
            None,
            "decisions 9 was brought by no link",
        ),
        (
            [a_row(2, "d1"), a_row(2, "d2"), a_row(1, "d3", 9)],
            None,
            "decisions 9 was brought by no link",
        ),
    ],
)
def test_every_change_of_a_recorded_row_is_named(
    rows: list[KeptRow], place: int | None, what: str
) -> None:
    """Edited, deleted, inserted, or moved to another link."""
    found = broken(a_chain({}, {"rows": {"decisions": ["d1", "d2"]}}), *rows)

    assert found == (place, "decision" if place else "decisions", what)


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


def test_a_purge_of_single_rows_alone_is_told() -> None:
    """It need not name any link of which nothing is left."""
    links = a_chain({"rows": {"decisions": ["d1", "d2"]}}, {"part": {"decisions": {"1": ["d2"]}}})

    assert audit(links, a_row(1, "d1")).broken is None
    assert audit(links, a_row(1, "d1")).purged == {1: (2,)}


def test_an_edited_purge_hides_no_later_one() -> None:
    """It is named itself, not the link whose rows a later purge told of."""
    links = a_chain({"rows": {"decisions": ["d1"]}}, {"whole": {}}, {"whole": {"decisions": [1]}})

    found = broken([links[0], replace(links[1], payload='{"whole":[]}'), links[2]])

    assert found == (2, "purge", HASH)


def test_a_purge_that_was_edited_is_named_and_nothing_raises() -> None:
    """Whatever its payload became."""
    links = a_chain({"rows": {"decisions": ["d1"]}}, {"whole": {"decisions": [1]}})
    for payload in ('{"whole":[]}', '{"part":{"decisions":{"x":[]}}}', "1", '{"whole":{"a":1}}'):
        found = broken([links[0], replace(links[1], payload=payload)])
        assert found is not None
