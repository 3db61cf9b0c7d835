"""Over real HTTP: what the judge makes of flags is a case, whatever becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meetbot.domain.casework import Case, CaseStatus, EventKind
from meetbot.domain.flags import FlagStatus
from meetbot.jobs import cases
from meetbot.jobs.case_facts import facts_of
from meetbot.jobs.cases import Actor
from meetbot.ports import CaseQuery
from tests.command import meetbot
from tests.scene import (
    COLLEAGUE,
    DAY,
    HOUR,
    NOON,
    OFFICER,
    PARTNER,
    PRIVACY,
    STUDENT_NAMES,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    small_rows,
    there,
)

START = NOON - 30 * HOUR


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with a_scene(tmp_path) as made:
        yield made


def the_case(scene: Scene) -> Case:
    with scene.stage.app.store.reading() as tx:
        (case,) = tx.cases.list(CaseQuery(private=True)).cases
    return case


def key_of(scene: Scene, address: str) -> str:
    return scene.stage.app.deps.pseudonyms.address(address)


def left_early(scene: Scene) -> None:
    """The teacher leaves a lesson at 30:00."""
    lesson = scene.lesson(START)
    scene.call(
        lesson,
        there(TEACHER, START, 0, 30),
        there(PARTNER, START, 0, 44),
        *(there(one, START, 0, 44) for one in STUDENTS),
    )


def test_a_poll_makes_the_case_of_a_lesson(scene: Scene) -> None:
    """Host, school and partner are known, and everything a page shows is there."""
    left_early(scene)
    scene.poll()
    case = the_case(scene)

    assert case.status is CaseStatus.OPEN
    assert not case.is_private
    assert case.host_key == key_of(scene, TEACHER)
    assert case.answerers == (key_of(scene, TEACHER),)
    assert (case.schools, case.partners) == (("cedar",), ("bright",))
    assert case.starts_at == START
    with scene.stage.app.store.reading() as tx:
        facts = facts_of(scene.stage.app.deps, tx, case.id, sees=lambda _: True)
    assert facts.sentence.startswith("Staff left")
    assert (facts.school, facts.host) == ("Cedar School", "Tara Teach")
    assert facts.timeline is not None
    assert facts.mails
    for name in (*STUDENT_NAMES, *STUDENTS):
        assert name not in repr(facts)


def test_the_command_line_and_the_console_decide_alike(scene: Scene) -> None:
    """What one officer did there can be seen here, undone, and exported as evidence."""
    left_early(scene)
    scene.poll()
    flag = scene.flag("staff-left-early")
    run = ("--config", str(scene.stage.config))
    words = ("--as", "dismissed", "--reason", "technical", "--by", OFFICER)
    assert meetbot(*run, "flags", "decide", flag.id, *words, cwd=scene.stage.folder).code == 0
    case = the_case(scene)
    officer = Actor(OFFICER, key_of(scene, OFFICER), frozenset({"officer"}))
    with scene.stage.app.store.transaction() as tx:
        (event,) = tx.cases.events(case.id)
        assert event.kind is EventKind.DISMISSED
        cases.undo(scene.stage.app.deps, tx, case.id, officer, as_of=event.at)

    assert scene.flag("staff-left-early").status is FlagStatus.OPEN
    for command in (("evidence", "export", flag.id, "out"), ("audit", "verify")):
        done = meetbot(*run, *command, cwd=scene.stage.folder)
        assert done.code == 0, done.out
    (file,) = (scene.stage.folder / "out").glob("*.json")
    assert meetbot(*run, "evidence", "verify", file, cwd=scene.stage.folder).code == 0
    log = meetbot(*run, "audit", "log", "--kind", "case", cwd=scene.stage.folder).out
    assert case.id in log


def test_what_names_a_student_is_no_note(scene: Scene) -> None:
    """Exit 2, and the name is not repeated."""
    left_early(scene)
    scene.poll()
    flag = scene.flag("staff-left-early")
    done = meetbot(
        "--config",
        scene.stage.config,
        "flags",
        "decide",
        flag.id,
        *("--as", "dismissed", "--reason", "other", "--by", OFFICER),
        *("--note", f"{STUDENT_NAMES[0]} was alone."),
        cwd=scene.stage.folder,
    )

    assert done.code == 2
    assert "--note: holds a name" in done.err
    assert STUDENT_NAMES[0] not in done.err + done.out
    assert scene.flag("staff-left-early").status is FlagStatus.OPEN


@pytest.mark.parametrize("is_host_staff", [True, False])
def test_who_may_answer(scene: Scene, is_host_staff: bool) -> None:
    """The staff host; where a partner hosts, the staff who were invited."""
    if is_host_staff:
        scene.lesson(NOON + DAY, guests=[PARTNER, *STUDENTS], guests_see_others=True)
    else:
        scene.lesson(
            NOON + DAY,
            organizer=PARTNER,
            guests=[TEACHER, PARTNER, *STUDENTS],
            guests_see_others=True,
        )
    scene.poll()
    case = the_case(scene)

    assert case.host_key == (key_of(scene, TEACHER) if is_host_staff else None)
    assert case.answerers == (key_of(scene, TEACHER),)


# --- confidential -------------------------------------------------------------------------------


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Scene]:
    """Bright Path is a clinician with consent on file; its meetings are confidential."""
    rows = small_rows(NOON)
    rows["programs.csv"][0]["type"] = "mental-health"
    rows["exemptions.csv"] = [
        {
            "kind": "confidential-clinical",
            "value": "bright-college",
            "consent_on_file": "yes",
            "reason": "school mental health",
            "owner": PRIVACY,
            "starts_on": f"{NOON - 200 * DAY:%Y-%m-%d}",
            "ends_on": f"{NOON + 200 * DAY:%Y-%m-%d}",
        }
    ]
    with a_scene(tmp_path, rows=rows) as made:
        yield made


def test_a_confidential_case_is_private(clinic: Scene) -> None:
    """From the first moment, and still when its guests are gone."""
    lesson = clinic.lesson(NOON + DAY, guests=[PARTNER, STUDENTS[0]], guests_see_others=True)
    clinic.poll()
    assert the_case(clinic).is_private
    clinic.world.update_event(lesson.event_id, attendees=[])
    clinic.poll(NOON + HOUR)

    assert the_case(clinic).is_private


def test_an_intruders_case_is_everybodys_once_the_exemption_lapsed(clinic: Scene) -> None:
    """Ordinary rules speak, officers decide; of the intruder they see nothing."""
    event = clinic.lesson(START, guests=[PARTNER, STUDENTS[0]])
    clinic.call(
        event,
        there(PARTNER, START, 0, 45),
        there(STUDENTS[0], START, 0, 45),
        there(COLLEAGUE, START, 10, 20),
    )
    clinic.poll()
    assert the_case(clinic).is_private
    rows = small_rows(NOON)
    rows["contracts.csv"] = []
    clinic.stage.import_registry(rows)
    clinic.poll()
    case = the_case(clinic)
    with clinic.stage.app.store.reading() as tx:
        facts = facts_of(clinic.stage.app.deps, tx, case.id, sees=lambda c: not c.is_private)

    assert not case.is_private
    assert "confidential-intruder" not in case.rules
    assert "confidential-intruder" not in repr(facts)
    assert "extra person" not in repr(facts)


# --- four eyes ----------------------------------------------------------------------------------


def test_the_command_line_does_not_decide_alone(scene: Scene) -> None:
    """What two officers have to decide is acknowledged there, and decided in the console."""
    left_early(scene)
    scene.poll()
    flag = scene.flag("staff-left-early")

    def decide(status: str, reason: str) -> tuple[int, str]:
        done = meetbot(
            "--config",
            scene.stage.config,
            *("flags", "decide", flag.id, "--as", status, "--reason", reason, "--by", OFFICER),
            cwd=scene.stage.folder,
            MEETBOT_CONSOLE__FOUR_EYES="critical, high",
        )
        return done.code, done.err

    code, said = decide("dismissed", "technical")
    assert (code, "another confirms it" in said) == (2, True)
    assert scene.flag("staff-left-early").status is FlagStatus.OPEN
    assert decide("acknowledged", "seen")[0] == 0
    assert scene.flag("staff-left-early").status is FlagStatus.ACKNOWLEDGED
