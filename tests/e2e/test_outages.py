"""The operators hear once of what does not mend itself, once of its end, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scene import (
    HOUR,
    MINUTE,
    NOON,
    PARTNER,
    STUDENT_NAMES,
    STUDENTS,
    TEACHER,
    Letter,
    Scene,
    a_scene,
    there,
)

OPERATORS = "it@district.example"
START = NOON - 5 * HOUR


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A lesson left early five hours ago, polled once."""
    with a_scene(tmp_path) as made:
        held = made.lesson(START)
        made.call(
            held,
            there(TEACHER, START, 0, 30),
            there(PARTNER, START, 0, 44),
            *(there(one, START, 0, 45) for one in STUDENTS),
        )
        made.lesson(NOON + 6 * HOUR, event_id="ahead")
        yield made


def to_operators(scene: Scene, hours: float) -> list[Letter]:
    """What a pass so many hours after noon sends to the operators."""
    return [letter for letter in scene.poll_letters(NOON + hours * HOUR) if OPERATORS in letter.to]


@pytest.mark.parametrize(
    ("api", "whose", "source"),
    [
        ("directory", {}, "directory"),
        ("reports", {}, "reports-meet"),
        ("calendar", {"subject": TEACHER}, "calendars"),
    ],
)
def test_an_outage_is_told_once_and_its_end_once(
    scene: Scene, api: str, whose: dict[str, str], source: str
) -> None:
    """Nothing before two hours, one mail then, one when it is over, and none in between."""
    scene.poll()
    scene.world.fail(api, 403, "forbidden", times=None, **whose)
    assert to_operators(scene, 1) == []
    assert to_operators(scene, 2.9) == []
    (told,) = to_operators(scene, 3)
    assert told.to == (OPERATORS,)
    assert source in told.text
    assert "meetbot doctor" in told.text
    assert to_operators(scene, 4) == []
    assert to_operators(scene, 30) == []
    scene.world.heal()
    (over,) = to_operators(scene, 31)
    assert "again" in over.subject
    assert source in over.text
    assert to_operators(scene, 32) == []
    for letter in (told, over):
        for name in (TEACHER, "tara", PARTNER, *STUDENTS, *STUDENT_NAMES):
            assert name not in letter.text


def test_a_short_outage_is_not_told(scene: Scene) -> None:
    """What is over before two hours have passed is worth no mail."""
    scene.poll()
    scene.world.fail("directory", 503, "backendError", times=None)
    assert to_operators(scene, 1) == []
    scene.world.heal()
    assert to_operators(scene, 2) == []
    scene.world.fail("directory", 503, "backendError", times=None)
    assert to_operators(scene, 4) == []


def test_how_long_an_outage_may_last_is_configured(scene: Scene) -> None:
    """`schedule.outage_after` is the limit."""
    with scene.restarted(MEETBOT_SCHEDULE__OUTAGE_AFTER="10m"):
        scene.poll()
        scene.world.fail("directory", 403, "forbidden", times=None)
        scene.poll(NOON + MINUTE)
        assert len(to_operators(scene, 0.25)) == 1


def test_a_missing_meet_scope_is_an_outage(scene: Scene) -> None:
    """No meeting at all can be read in Meet: one mail, and one when the scope is granted."""
    scene.world.refuse_token(
        scope="meetings.space.readonly", error="access_denied", description="not granted"
    )
    scene.poll()
    (told,) = to_operators(scene, 2)
    assert "meet, since" in told.text
    scene.world.heal()
    (over,) = to_operators(scene, 3)
    assert "again" in over.subject


def test_operators_are_the_officers_when_none_are_named(scene: Scene) -> None:
    """Somebody must hear of it."""
    text = scene.stage.config.read_text().replace('operators = ["it@district.example"]\n', "")
    scene.stage.config.write_text(text)
    with scene.restarted():
        scene.poll()
        scene.world.fail("directory", 403, "forbidden", times=None)
        scene.poll(NOON + HOUR)
        letters = scene.poll_letters(NOON + 3 * HOUR)
    assert [one.to for one in letters if "cannot read" in one.subject] == [
        ("compliance@district.example",)
    ]
