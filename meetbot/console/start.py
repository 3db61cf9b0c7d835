"""`/`: what waits for whoever is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from meetbot.console.access import Role, Viewer, allowed, current_viewer
from meetbot.console.cases.access import READERS
from meetbot.console.cases.answers import questions_of
from meetbot.console.cases.filters import WAITING, schools_of
from meetbot.console.cases.rows import Row, rows_of
from meetbot.console.services import services
from meetbot.domain.findings import Severity
from meetbot.domain.registry import Registry
from meetbot.ports import CaseOrder, CaseQuery, Tx

blueprint = Blueprint("start", __name__)

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """Cases that wait: how many of each severity, and the first of them."""

    counts: Sequence[tuple[Severity, int]]
    rows: Sequence[Row]

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(number for _, number in self.counts)


@blueprint.get("/")
@allowed(*Role)
def page() -> ResponseReturnValue:
    """The first page after signing in."""
    viewer = current_viewer()
    with services().deps.store.reading() as tx:
        registry = tx.registry.current()
        return render_template(
            "start.html",
            cases=_cases(tx, viewer, registry) if viewer.has(*READERS) else None,
            questions=_questions(tx, viewer, registry) if viewer.has(Role.HOST) else None,
            requests=_requests(tx, viewer),
        )


def _cases(tx: Tx, viewer: Viewer, registry: Registry) -> Waiting:
    """Cases that somebody may see and that are not closed, the most urgent first."""
    query = CaseQuery(
        statuses=WAITING, schools=schools_of(viewer), private=viewer.has(Role.PRIVACY)
    )
    counts = [
        (severity, tx.cases.count(replace(query, severities=frozenset({severity}))))
        for severity in reversed(Severity)
    ]
    page = tx.cases.list(query, order=CaseOrder.SEVERE, limit=_SHOWN)
    return Waiting([c for c in counts if c[1]], rows_of(tx, page.cases, registry))


def _requests(tx: Tx, viewer: Viewer) -> int:
    """How many hosts wait for a principal's or lead's answer; more than a page holds is as good."""
    if not viewer.schools:
        return 0
    now = services().clock()
    return len(tx.approvals.of_schools(viewer.schools, as_of=now, waiting=True, limit=50))


def _questions(tx: Tx, viewer: Viewer, registry: Registry) -> list[Row]:
    """The newest questions about a host's own meetings."""
    page = tx.cases.list(questions_of(viewer.key), limit=_SHOWN)
    return rows_of(tx, page.cases, registry)
