"""What is kept of the audit log, and that nothing is missed for not being kept at once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from meetbot.domain.findings import Severity
from meetbot.ports import HeldConference
from meetbot.sandbox.model import Participant
from tests.scene import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    PARTNER,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    there,
)

START = NOON - 4 * HOUR
CODE = "abc-mnop-xyz"


def call(scene: Scene, *people: Participant, organizer: str = TEACHER) -> None:
    scene.world.add_conference(CODE, organizer, [people])


def kept(scene: Scene) -> tuple[HeldConference, ...]:
    with scene.stage.app.store.reading() as tx:
        found = tx.conferences.held(CODE, START - DAY, START + DAY)
    return tuple(h for h in found if h.conference.name.startswith("audit/"))


def test_nothing_is_kept_of_a_call_among_our_own(tmp_path: Path) -> None:
    """Staff and students without event or outsider: counted, not stored."""
    with a_scene(tmp_path) as scene:
        call(scene, there(TEACHER, START, 0, 40), there(STUDENTS[0], START, 0, 40))
        read = scene.poll().sources["reports-meet"]

        assert read.read == 2
        assert kept(scene) == ()


def test_a_call_is_read_back_to_its_start(tmp_path: Path) -> None:
    """The outsider's row comes when the teacher's is hours out of the overlap."""
    with a_scene(tmp_path, now=START) as scene:
        scene.poll()
        call(
            scene,
            there(TEACHER, START, 0, 20),
            there(STUDENTS[0], START, 0, 480),
            there(STUDENTS[1], START, 0, 480),
            there(PARTNER, START, 5, 480),
        )
        scene.poll(START + 7 * HOUR)
        assert kept(scene) == ()
        scene.poll(START + 12 * HOUR)

        (held,) = kept(scene)
        assert len(held.visits) == 4
        assert {"staff-left-early", "adhoc-meeting"} <= scene.rules()
        assert "no-staff-joined" not in scene.rules()


def test_a_call_is_read_again_when_its_event_becomes_known(tmp_path: Path) -> None:
    """The partner is put on the event after the lesson, in which nobody but our own were."""
    with a_scene(tmp_path) as scene:
        event = scene.lesson(START - 8 * HOUR, guests=STUDENTS, code=CODE)
        scene.call(
            event,
            there(TEACHER, START - 8 * HOUR, 0, 40),
            there(STUDENTS[0], START - 8 * HOUR, 0, 40),
        )
        scene.poll()
        scene.poll(NOON + HOUR)
        assert kept(scene) == ()
        scene.world.update_event(event.event_id, attendees=[PARTNER, *STUDENTS])
        scene.poll(NOON + 2 * HOUR)

        assert [len(held.visits) for held in kept(scene)] == [2]


def test_a_call_of_students_that_an_outsider_organizes_is_seen(tmp_path: Path) -> None:
    """The log shows only our own people of it, and its event is on no staff calendar."""
    with a_scene(tmp_path) as scene:
        call(
            scene, there(STUDENTS[0], START, 0, 40), there(PARTNER, START, 0, 40), organizer=PARTNER
        )
        scene.poll()
        flag = scene.flag("organizer-not-staff")
        second = scene.poll(NOON + MINUTE)

    assert flag.severity is Severity.CRITICAL
    assert flag.message == "Organized by partner Bright Path."
    assert flag.occurrence.meeting_code == "abcmnopxyz"
    assert not any(second.flags.values())


def test_an_outsider_who_organizes_for_staff_alone_is_nobodys_concern(tmp_path: Path) -> None:
    """A vendor's call without students."""
    with a_scene(tmp_path) as scene:
        call(scene, there(TEACHER, START, 0, 40), organizer="sales@vendor.example")
        scene.poll()

        assert kept(scene) == ()
        assert scene.rules() == set()


def test_a_student_who_organizes_is_flagged_and_not_named(tmp_path: Path) -> None:
    """Nothing in the database holds a student's address, that of an organizer included."""
    with a_scene(tmp_path) as scene:
        call(
            scene,
            there(STUDENTS[0], START, 0, 40),
            there(PARTNER, START, 0, 40),
            organizer=STUDENTS[0],
        )
        scene.poll()
        flag = scene.flag("organizer-not-staff")
        letters = scene.letters()

    assert flag.message == "Organized by student."
    assert letters
    assert not any("kid1" in letter.text for letter in letters)
    (database,) = tmp_path.rglob("*.db")
    with closing(sqlite3.connect(database)) as connection:
        dump = "\n".join(connection.iterdump())
    assert "kid1" not in dump
