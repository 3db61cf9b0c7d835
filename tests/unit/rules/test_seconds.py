"""Stretches of seconds: who was seen when, together, and without whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.people import Confidence
from meetbot.domain.spans import Span, union
from meetbot.rules.seconds import contact_spans, from_second, shared, spans_of, to_second, without
from tests.dossiers import a_dossier, a_visit, at, held, hull, partner, running, staff, students

unions = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))).map(
    lambda pairs: union((a, b) for a, b in pairs if a < b)
)


def seconds(spans: Iterable[Span]) -> list[int]:
    """Each second of the stretches, as often as they hold it."""
    return sorted(second for start, end in spans for second in range(start, end))


@given(unions, unions)
def test_shared_and_without_split_the_first(one: tuple[Span, ...], other: tuple[Span, ...]) -> None:
    """Second by second: each is in both, or in the first alone; no stretch is empty."""
    both, alone = shared(one, other), without(one, other)

    assert seconds(both) == sorted({*seconds(one)} & {*seconds(other)})
    assert seconds(alone) == sorted({*seconds(one)} - {*seconds(other)})
    assert all(start < end for start, end in (*both, *alone))


@pytest.mark.parametrize(
    ("one", "other", "both", "alone"),
    [
        ([(0, 9)], [(2, 4), (6, 7)], [(2, 4), (6, 7)], [(0, 2), (4, 6), (7, 9)]),
        ([(0, 2), (4, 6), (8, 9)], [(0, 2), (5, 9)], [(0, 2), (5, 6), (8, 9)], [(4, 5)]),
        ([(3, 5)], [(0, 3), (5, 8)], [], [(3, 5)]),
        ([(3, 5)], [(0, 1), (4, 8)], [(4, 5)], [(3, 4)]),
        ([(0, 1), (2, 3), (4, 5)], [(4, 5)], [(4, 5)], [(0, 1), (2, 3)]),
        ([(4, 5)], [(0, 1), (2, 3), (4, 5)], [(4, 5)], []),
    ],
)
def test_stretches_by_example(
    one: list[Span], other: list[Span], both: list[Span], alone: list[Span]
) -> None:
    """Those that touch, lie apart, and hold one another."""
    assert list(shared(one, other)) == both
    assert list(without(one, other)) == alone


def minutes(spans: Iterable[Span]) -> list[tuple[float, float]]:
    """Stretches in minutes from the start."""
    start = to_second(at(0))
    return [((a - start) / 60, (b - start) / 60) for a, b in spans]


def test_every_visit_counts_and_empty_ones_hide_none() -> None:
    """Of each person, whatever the order; a visit of no length is none."""
    people = (staff((9, 9), (1, 2), (5, 4), (3, 4)), partner((3.5, 6)))

    assert minutes(spans_of(held(*people), people)) == [(1, 2), (3, 6)]


def test_an_open_visit_lasts_as_far_as_is_known() -> None:
    """Until now while the call runs, until last seen when it is over, else no time at all."""
    seen = replace(staff(), visits=(a_visit("v", 2, None, last_seen_at=at(7)),))

    assert minutes(spans_of(running(10, seen), [seen])) == [(2, 10)]
    assert minutes(spans_of(held(seen), [seen])) == [(2, 7)]
    assert minutes(spans_of(held(seen), [staff((2, None))])) == []
    assert minutes(spans_of(running(10, seen), [staff((2, 12))])) == [(2, 10)]
    past = a_dossier(as_of=at(5))
    assert minutes(spans_of(past, [staff((2, 12))])) == [(2, 12)]


def test_of_an_outer_limit_only_its_ends_are_sure() -> None:
    """First and last second of the visit; of an exact one all of it."""
    first = to_second(at(0))
    people = [hull(staff((0, 1), (3, 4))), staff((10, 11))]

    assert spans_of(held(), people, is_sure=True) == (
        (first, first + 1),
        (first + 59, first + 60),
        (first + 180, first + 181),
        (first + 239, first + 240),
        (first + 600, first + 660),
    )
    assert minutes(spans_of(held(), people)) == [(0, 1), (3, 4), (10, 11)]


def test_contact_is_sure_where_both_were_surely_there() -> None:
    """Neither an outer limit nor a partner known by name only makes it sure."""
    exact = held(partner((0, 40)), *students((5, 45)))
    by_name = held(partner((0, 40), confidence=Confidence.COMPATIBLE), *students((5, 45)))
    of_partner = held(hull(partner((0, 40))), *students((5, 45)))
    of_students = held(partner((0, 40)), *(hull(s) for s in students((5, 45))))

    for dossier in (exact, by_name, of_partner, of_students):
        assert minutes(contact_spans(dossier)) == [(5, 40)]
    assert minutes(contact_spans(exact, is_sure=True)) == [(5, 40)]
    assert contact_spans(by_name, is_sure=True) == ()
    assert len(seconds(contact_spans(of_partner, is_sure=True))) == 1
    assert len(seconds(contact_spans(of_students, is_sure=True))) == 1


def test_seconds_and_instants_are_each_others() -> None:
    """To the second, in UTC."""
    assert from_second(to_second(at(3))) == at(3)
