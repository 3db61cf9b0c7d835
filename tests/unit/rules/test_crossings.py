"""When a running call is looked at again although nothing was read anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from meetbot.domain.dossier import Dossier
from meetbot.domain.meetings import Scope
from meetbot.domain.policy import Policy
from meetbot.rules.crossings import next_crossing
from tests.dossiers import a_conference, at, held, partner, running, somebody, staff, students

EVERYBODY = (staff((0, None)), partner((0, None)), *students((0, None)))
OVERRUN = at(55) + timedelta(seconds=1)
"""Ten minutes over, and a second more: only that is outside the window."""


@pytest.mark.parametrize(
    ("dossier", "expected"),
    [
        (running(0.5, *EVERYBODY), OVERRUN),
        (running(0.5, *EVERYBODY, somebody((0.25, None))), at(1.25)),
        (running(0.5, *EVERYBODY, somebody((0, 0.25))), OVERRUN),
        (running(1, partner((0, None)), *students((0, None))), at(2)),
        (running(10, staff((0, None))), None),
        (running(1, somebody((0, None))), None),
        (running(10, *EVERYBODY), OVERRUN),
        (replace(running(10, *EVERYBODY), meeting=None, invitees=()), None),
        (running(0.5, *EVERYBODY, somebody((0.25, None)), scope=Scope.ADULT), None),
        (running(0.5, somebody((0.25, None)), is_live=False), None),
        (held(*EVERYBODY, conferences=(a_conference(0, None),)), None),
    ],
    ids=[
        "supervised",
        "somebody unknown stays",
        "somebody unknown left",
        "no staff yet",
        "nobody meets",
        "unknown for just a minute",
        "supervised later",
        "no event",
        "adults",
        "not live",
        "over",
    ],
)
def test_the_next_second_that_says_something_else(
    dossier: Dossier, expected: datetime | None
) -> None:
    """The earliest of those of presence, of who is unidentified, and of the end; else none."""
    assert next_crossing(dossier, Policy()) == expected
