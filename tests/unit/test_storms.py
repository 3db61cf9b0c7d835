"""What a storm says of itself to those who can end it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from meetbot.domain.notices import Audience, Notice, NoticeKind, StormNotice
from meetbot.domain.routing import notice_id
from meetbot.domain.storms import Storm, counts_by_rule, storm_notice
from tests.notices import ZONE, at

STORM = Storm(7, at(0), 60, {"staff-left-early": 40, "adhoc-meeting": 2})
OPERATORS = ("ops@district.example", "compliance@district.example")


@pytest.mark.parametrize(("minutes", "is_new"), [(0, True), (30, False)])
def test_a_storm_is_told_with_all_that_it_counts(minutes: float, is_new: bool) -> None:
    """To operators, due at once; only the mail of the very instant it began says that it is new."""
    now = at(minutes)

    notice = storm_notice(STORM, OPERATORS, ZONE, held=11, as_of=now)

    assert notice == Notice(
        id=notice_id("storm", at(0).isoformat(), now.isoformat()),
        kind=NoticeKind.STORM,
        audience=Audience.OPERATORS,
        to=OPERATORS,
        content=StormNotice(
            zone=ZONE,
            begun_at=at(0),
            flags=60,
            by_rule=(("staff-left-early", 40), ("adhoc-meeting", 2)),
            held=11,
            is_new=is_new,
        ),
        thread=None,
        due_at=now,
    )


def test_each_telling_of_each_storm_is_a_mail_of_its_own() -> None:
    """Told again later, or of another storm at the same instant."""
    other = Storm(8, at(1), 60, {})
    tellings = [(STORM, at(5)), (STORM, at(5) + timedelta(seconds=1)), (other, at(5))]

    ids = {storm_notice(s, OPERATORS, ZONE, held=0, as_of=now).id for s, now in tellings}

    assert len(ids) == len(tellings)


def test_rules_are_listed_by_how_many_flags_and_then_by_name() -> None:
    """In whatever order they came; a flag of a private rule, which has no name here, not at all."""
    rules = ["c", "b", "", "d", "c", "a", "", "", "d", "d"]

    counts = counts_by_rule({f"F-{number}": rule for number, rule in enumerate(rules)})

    assert list(counts.items()) == [("d", 3), ("c", 2), ("a", 1), ("b", 1)]
