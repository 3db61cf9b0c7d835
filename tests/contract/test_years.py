"""Retention of the whole system, with a clock that goes on for years."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from meetbot.domain.flags import FlagStatus
from meetbot.domain.retention import HoldKind, MonthCount, month_in
from meetbot.ports import Decision
from tests.scene import (
    DAY,
    NOON,
    OFFICER,
    PARTNER,
    STUDENTS,
    TEACHER,
    MovingClock,
    Scene,
    small_rows,
    small_world,
    there,
)
from tests.stage import Rows, a_stage

HELD_AT = NOON - timedelta(hours=5)
PEOPLE = ("meetings", "copies", "meeting_guests", "conferences", "reminders", "flags", "decisions")
CLINIC = {
    "kind": "confidential-clinical",
    "value": "bright-college",
    "consent_on_file": "yes",
    "reason": "health service",
    "owner": OFFICER,
    "starts_on": f"{NOON - 200 * DAY:%Y-%m-%d}",
    "ends_on": f"{NOON + 200 * DAY:%Y-%m-%d}",
}


@contextmanager
def a_district(folder: Path, url: str, rows: Rows | None = None) -> Iterator[Scene]:
    clock = MovingClock(NOON)
    world = small_world(NOON)
    url = url.replace("timeout=0.2", "timeout=30").replace("postgresql:", "postgresql+psycopg:")
    with a_stage(folder, world, rows or small_rows(NOON), clock=clock, database=url) as stage:
        yield Scene(stage, clock)


@pytest.fixture
def scene(tmp_path: Path, url: str) -> Iterator[Scene]:
    with a_district(tmp_path, url) as made:
        yield made


def a_lesson(scene: Scene, *, staff_until: float) -> None:
    """A lesson this morning, polled when all is known of it."""
    lesson = scene.lesson(HELD_AT)
    scene.call(
        lesson,
        there(TEACHER, HELD_AT, 0, staff_until),
        there(PARTNER, HELD_AT, 0, 44),
        *(there(one, HELD_AT, 0, 44) for one in STUDENTS),
    )
    scene.poll()


def a_session(scene: Scene) -> None:
    """A clinician and a student this morning, and nobody else."""
    session = scene.lesson(HELD_AT, guests=(PARTNER, STUDENTS[0]))
    scene.call(session, *(there(who, HELD_AT, 0, 44) for who in (PARTNER, STUDENTS[0])))
    scene.poll()


def decide(scene: Scene) -> None:
    for flag in scene.stage.flags():
        with scene.stage.app.store.transaction() as tx:
            tx.flags.decide(
                Decision(flag.id, FlagStatus.DISMISSED, "technical", "", OFFICER, scene.clock())
            )


def rows(scene: Scene) -> list[int]:
    with scene.stage.app.store._engine.connect() as connection:
        return [
            int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
            for table in PEOPLE
        ]


def months(scene: Scene) -> list[MonthCount]:
    month = month_in(scene.stage.app.deps.district.zone)
    with scene.stage.app.store.reading() as tx:
        return tx.retention.months(month, as_of=scene.clock())


def assert_whole(scene: Scene) -> None:
    with scene.stage.app.store.reading() as tx:
        assert tx.chain.audit().broken is None


def test_a_clean_lesson_is_a_number_a_year_on(scene: Scene) -> None:
    """Nobody's attendance is left, no flag appears, and the overview is the same as before."""
    a_lesson(scene, staff_until=44)
    before = months(scene)
    assert [(m.month, m.meetings, m.calls) for m in before] == [("2026-10", 1, 1)]
    scene.poll(NOON + 89 * DAY)
    assert rows(scene)[0] == 1

    scene.poll(NOON + 365 * DAY)
    assert rows(scene) == [0] * len(PEOPLE)
    assert months(scene) == before
    assert scene.stage.flags() == []
    assert_whole(scene)


def test_a_decided_flag_has_its_evidence_a_year_on_and_is_gone_after_four(scene: Scene) -> None:
    """Three years after closure nothing but digests and numbers is left of it."""
    a_lesson(scene, staff_until=30)
    decide(scene)
    scene.poll(NOON + DAY)
    before, counts = rows(scene), months(scene)
    assert before[-2:] == [1, 1]

    scene.poll(NOON + 365 * DAY)
    assert rows(scene) == before
    scene.poll(NOON + 4 * 365 * DAY)
    assert rows(scene) == [0] * len(PEOPLE)
    assert months(scene) == counts
    assert_whole(scene)


def test_an_undecided_flag_has_its_evidence_after_four_years(scene: Scene) -> None:
    """What nobody decided is never deleted."""
    a_lesson(scene, staff_until=30)
    scene.poll(NOON + DAY)
    before = rows(scene)

    scene.poll(NOON + 4 * 365 * DAY)
    assert rows(scene) == before
    assert scene.rules() == {"staff-left-early"}
    assert_whole(scene)


def test_a_hold_on_everything_stops_every_deletion(scene: Scene) -> None:
    """Until it is removed; then the next pass deletes what is due."""
    a_lesson(scene, staff_until=44)
    before = rows(scene)
    with scene.stage.app.store.transaction() as tx:
        hold = tx.holds.add(HoldKind.EVERYTHING, "", reason="case", by=OFFICER, at=NOON)
    scene.poll(NOON + 365 * DAY)
    assert rows(scene) == before

    with scene.stage.app.store.transaction() as tx:
        tx.holds.remove(hold.id, reason="closed", by=OFFICER, at=scene.clock())
    scene.poll(NOON + 366 * DAY)
    assert rows(scene) == [0] * len(PEOPLE)
    assert_whole(scene)


def test_of_a_confidential_meeting_a_number_is_left_after_thirty_days(
    tmp_path: Path, url: str
) -> None:
    """Sooner than of others; while a hold names it it stays, and goes when that ends."""
    registry = small_rows(NOON) | {"exemptions.csv": [CLINIC]}
    with a_district(tmp_path, url, registry) as scene:
        a_session(scene)
        decide(scene)
        with scene.stage.app.store.transaction() as tx:
            hold = tx.holds.add(HoldKind.PARTNER, "bright", reason="case", by=OFFICER, at=NOON)
        flagged = rows(scene)[-2]
        assert flagged == 0
        counts = months(scene)
        scene.poll(NOON + 29 * DAY)
        scene.poll(NOON + 40 * DAY)
        assert rows(scene)[0] == 1
        with scene.stage.app.store.transaction() as tx:
            tx.holds.remove(hold.id, reason="closed", by=OFFICER, at=scene.clock())

        scene.poll(NOON + 41 * DAY)
        assert rows(scene) == [0] * len(PEOPLE)
        assert months(scene) == counts
        assert_whole(scene)


def test_a_pass_with_nothing_to_delete_is_no_link(scene: Scene) -> None:
    """The chain grows by what was done, not by time."""
    scene.poll()
    with scene.stage.app.store.reading() as tx:
        before = tx.chain.head()
    scene.poll(NOON + timedelta(hours=1))

    with scene.stage.app.store.reading() as tx:
        assert tx.chain.head() == before
