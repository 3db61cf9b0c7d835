"""Measured: deciding one meeting, by the algebra alone and as a whole."""

from __future__ import annotations

import time
from collections.abc import Callable

from meetbot.domain.classes import PersonClass
from meetbot.domain.policy import Policy
from meetbot.domain.presence import PresenceCase, PresenceVisit, decide
from meetbot.domain.thresholds import Thresholds
from meetbot.rules import evaluate
from tests.bench.gauge import Cost, answer, arguments, measured
from tests.dossiers import held, partner, staff, students

_START = 1_791_903_600


def main() -> None:
    """`people`: numbers of participants; `seconds`: how long to go on with each."""
    given = arguments()
    costs = {}
    for people in given["people"]:
        costs[f"algebra {people}"] = _paced(_algebra(people), given["seconds"])
        costs[f"rules {people}"] = _paced(_rules(people), given["seconds"])
    answer(costs)


def _paced(work: Callable[[], object], seconds: float) -> Cost:
    """The mean of as many turns as fit, after a first one that does not count."""
    work()
    turns = 0
    with measured() as cost:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            work()
            turns += 1
    cost.more = {"each": cost.wall / turns, "each_cpu": cost.cpu / turns}
    return cost


def _algebra(people: int) -> Callable[[], object]:
    """One teacher, one partner, all others students; nobody's time is quite like another's."""
    visits = tuple(
        PresenceVisit(f"p{number}", _class(number), _START + start, _START + start + 700)
        for number in range(people)
        for start in range(number % 97, 2700, 900)
    )
    case = PresenceCase(visits, None, None, Thresholds())
    return lambda: decide(case)


def _class(number: int) -> PersonClass:
    known = {0: PersonClass.STAFF, 1: PersonClass.PARTNER}
    return known.get(number, PersonClass.STUDENT)


def _rules(people: int) -> Callable[[], object]:
    """All rules on a meeting that was held, with three visits of everybody."""
    children = (
        child
        for number in range(people - 2)
        for child in students(*_spans(number), number=1, person_key=f"k{number}")
    )
    dossier = held(staff(*_spans(0)), partner(*_spans(1)), *children)
    policy = Policy()
    return lambda: evaluate(dossier, policy)


def _spans(number: int) -> list[tuple[float, float]]:
    late = number % 97 / 60
    return [(start + late, start + late + 12) for start in (0, 15, 30)]


if __name__ == "__main__":
    main()
