"""What holds for every case: the invariants of catalogue §6, and agreement with the oracle.

The number of examples follows the hypothesis profile: a hundred times `max_examples` for
the oracle.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meetbot.domain.classes import PersonClass
from meetbot.domain.contact import Bound, settle
from meetbot.domain.presence import Component, Presence, PresenceCase, PresenceVisit, decide
from meetbot.domain.thresholds import Thresholds
from tests.oracle import consult

LENGTH = 40
PEOPLE = {
    "t1": PersonClass.STAFF,
    "t2": PersonClass.STAFF,
    "p1": PersonClass.PARTNER,
    "p2": PersonClass.PARTNER,
    "k1": PersonClass.STUDENT,
    "k2": PersonClass.STUDENT,
    "u1": PersonClass.UNIDENTIFIED,
    "u2": PersonClass.UNIDENTIFIED,
    "r1": PersonClass.ROOM,
}
ORACLE_EXAMPLES = 100 * settings().max_examples
fuzz = settings(
    max_examples=ORACLE_EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
thorough = settings(deadline=None)

instants = st.integers(0, LENGTH)
open_ends = st.none() | instants
limits = st.builds(
    Thresholds,
    jitter_s=st.integers(0, 4),
    **dict.fromkeys(
        [
            "none_s",
            "none_wait_s",
            "before_s",
            "after_s",
            "gap_longest_s",
            "gap_sum_s",
            "alone_s",
            "alone_before_s",
            "high_s",
        ],
        st.integers(0, 16),
    ),
)


def visits_of(
    *people: str,
    ends: st.SearchStrategy[int | None] | st.SearchStrategy[int],
    starts: st.SearchStrategy[int] = instants,
) -> st.SearchStrategy[PresenceVisit]:
    """Visits of some of the people, inverted and empty ones included."""
    return st.tuples(st.sampled_from(people), starts, ends, open_ends).map(
        lambda drawn: PresenceVisit(drawn[0], PEOPLE[drawn[0]], *drawn[1:])
    )


any_visit = visits_of(*PEOPLE, ends=open_ends)
long_visit = visits_of(
    "p1", "k1", "k2", "t1", starts=st.integers(0, 9), ends=st.none() | st.integers(20, LENGTH)
)
"""Those who meet for long, so that there is contact to interrupt."""
cases = st.builds(
    PresenceCase,
    visits=st.lists(any_visit | long_visit | long_visit, max_size=10).map(tuple),
    conference=st.none()
    | st.sampled_from([((0, None),), ((1, LENGTH),), ((0, 12), (18, None))])
    | st.lists(st.tuples(instants, open_ends), max_size=3).map(tuple),
    observed_at=st.none() | st.integers(0, LENGTH + 10),
    thresholds=limits,
)
held_cases = st.builds(
    PresenceCase,
    visits=st.lists(any_visit | long_visit, min_size=2, max_size=10).map(tuple),
    conference=st.lists(st.tuples(instants, st.integers(0, LENGTH)), max_size=2).map(
        lambda more: ((2, LENGTH - 5), *more)
    ),
    observed_at=st.none() | st.integers(3, LENGTH + 10),
    thresholds=limits,
)
"""Cases whose conference is given and does not hang on the visits."""

Answer = tuple[object, ...]


def told(presence: Presence) -> Answer:
    """An engine's answer in the oracle's words."""
    return (
        [(c.kind.value, c.start, c.end) for c in presence.certain],
        [(c.kind.value, c.start, c.end) for c in presence.possible],
        [(f.rule.value, f.severity.value, f.confidence.value) for f in presence.flags],
        {f.rule.value for f in presence.flags if f.hidden_class_only},
        presence.recheck_at,
    )


@fuzz
@given(cases)
def test_a_second_opinion_agrees(case: PresenceCase) -> None:
    """The engine says to the second what the brute-force reading of §3 says."""
    wanted = consult(case)

    presence = decide(case)

    assert told(presence) == (
        wanted.certain,
        wanted.possible,
        wanted.flags,
        wanted.hidden_only,
        wanted.recheck_at,
    )
    assert {flag.provisional for flag in presence.flags} <= {wanted.provisional}


@thorough
@given(held_cases, st.randoms(use_true_random=False), st.lists(st.integers(0, 9), max_size=4))
def test_order_and_duplicates_change_nothing(
    case: PresenceCase, random: Random, again: list[int]
) -> None:
    """Visits may come in any order and more than once."""
    visits = [*case.visits, *(case.visits[i] for i in again if i < len(case.visits))]
    random.shuffle(visits)

    assert decide(replace(case, visits=tuple(visits))) == decide(case)


@thorough
@given(held_cases, any_visit, st.sets(instants, min_size=3, max_size=3).map(sorted))
def test_splitting_a_visit_changes_nothing(
    case: PresenceCase, visit: PresenceVisit, times: list[int]
) -> None:
    """A visit whose end is known says the same as its two halves."""
    start, where, end = times
    whole = replace(visit, start=start, end=end)
    halves = (replace(whole, end=where), replace(whole, start=where))

    split = replace(case, visits=(*case.visits, *halves))

    assert decide(split) == decide(with_visit(case, whole))


@thorough
@given(cases, st.integers(-(10**10), 10**10))
def test_shifting_all_instants_shifts_the_answer(case: PresenceCase, by: int) -> None:
    """Only distances matter."""
    here, there = decide(case), decide(shifted(case, by))

    def moved(components: tuple[Component, ...]) -> tuple[Component, ...]:
        return tuple(replace(c, start=c.start + by, end=c.end + by) for c in components)

    assert there == replace(
        here,
        certain=moved(here.certain),
        possible=moved(here.possible),
        recheck_at=None if here.recheck_at is None else here.recheck_at + by,
        conference=tuple((start + by, end + by) for start, end in here.conference),
    )


def shifted(case: PresenceCase, by: int) -> PresenceCase:
    """A case with every instant later by so many seconds."""

    def move(instant: int | None) -> int | None:
        return None if instant is None else instant + by

    return replace(
        case,
        visits=tuple(
            replace(v, start=v.start + by, end=move(v.end), last_seen=move(v.last_seen))
            for v in case.visits
        ),
        conference=case.conference
        and tuple((start + by, move(end)) for start, end in case.conference),
        observed_at=move(case.observed_at),
    )


@thorough
@given(held_cases, visits_of("t1", "t2", ends=instants))
def test_more_staff_never_enlarges_contact(case: PresenceCase, staff: PresenceVisit) -> None:
    """Adding identified staff time takes contact away or leaves it, in both bounds."""
    before, after = contact(case), contact(with_visit(case, staff))

    assert after[0] <= before[0]
    assert after[1] <= before[1]


@thorough
@given(held_cases, any_visit, st.sampled_from(["p1", "k1", "k3"]))
def test_more_partners_and_students_never_shrink_contact(
    case: PresenceCase, visit: PresenceVisit, person: str
) -> None:
    """Adding partner or student time brings contact or leaves it, in both bounds."""
    of = PEOPLE.get(person, PersonClass.STUDENT)

    before = contact(case)
    after = contact(with_visit(case, replace(visit, person=person, person_class=of)))

    assert before[0] <= after[0]
    assert before[1] <= after[1]


def with_visit(case: PresenceCase, visit: PresenceVisit) -> PresenceCase:
    """The case with one visit more."""
    return replace(case, visits=(*case.visits, visit))


def contact(case: PresenceCase) -> tuple[set[int], set[int]]:
    """X of Certain and of Possible without the hidden class, as sets of seconds."""
    bounds = settle(case).bounds()
    return seconds_of(bounds.certain), seconds_of(bounds.plain)


def seconds_of(bound: Bound) -> set[int]:
    """All seconds of a bound's contact."""
    return {second for run in bound.runs for second in range(run.start, run.end)}


@thorough
@given(cases)
def test_certain_contact_is_possible_contact(case: PresenceCase) -> None:
    """Certain lies within Possible second by second, for contact and for one-to-one contact."""
    presence = decide(case)

    for alone in (False, True):
        certain = listed(presence.certain, alone=alone)
        assert certain <= listed(presence.possible, alone=alone)


def listed(components: tuple[Component, ...], *, alone: bool) -> set[int]:
    """Seconds of the components that are, or are not, one-to-one contact."""
    return {
        second
        for component in components
        if (component.kind == "alone") is alone
        for second in range(component.start, component.end)
    }


@thorough
@given(cases)
def test_a_confirmed_flag_has_possible_contact(case: PresenceCase) -> None:
    """Every rule true on Certain has contact in Possible, and flags come once, in order."""
    presence = decide(case)
    rules = [flag.rule for flag in presence.flags]

    assert rules == sorted(set(rules))
    if any(flag.confidence == "confirmed" for flag in presence.flags):
        assert presence.possible


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(PEOPLE)),
            st.integers(),
            st.none() | st.integers(),
            st.none() | st.integers(),
        ),
        max_size=8,
    ),
    st.none() | st.lists(st.tuples(st.integers(), st.none() | st.integers())),
    st.none() | st.integers(),
    st.integers(0),
)
def test_any_instants_have_an_answer_and_always_the_same(
    stays: list[tuple[str, int, int | None, int | None]],
    records: list[tuple[int, int | None]] | None,
    observed_at: int | None,
    limit: int,
) -> None:
    """However wild the numbers, a case is decided without an exception, twice alike."""
    visits = tuple(PresenceVisit(p, PEOPLE[p], a, b, seen) for p, a, b, seen in stays)
    case = PresenceCase(
        visits,
        None if records is None else tuple(records),
        observed_at,
        Thresholds(jitter_s=limit % 7, none_s=limit, after_s=limit),
    )

    assert decide(case) == decide(case)
