"""From Google's page to the flag: student data in invitations, and files that may list students."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.meetings import OccurrenceKey
from meetbot.rules import KNOWN_RULES
from meetbot.sandbox.faults import Api, Fault, Kind
from meetbot.settings import load_settings
from tests.command import meetbot
from tests.scene import (
    COLLEAGUE,
    DAY,
    MINUTE,
    NOON,
    OFFICER,
    STUDENT_NAMES,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
)

START = NOON + 5 * DAY
TEXT, ROSTER = "student-data-in-text", "student-roster-attached"
ROSTER_FILE = {
    "fileId": "1",
    "fileUrl": "https://docs.google.com/spreadsheets/d/1/edit",
    "title": "Quist's Seating plan.xlsx",
    "mimeType": "application/vnd.google-apps.spreadsheet",
}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """The small district; each test adds its lesson."""
    with a_scene(tmp_path) as made:
        yield made


def lesson(scene: Scene, **details: Any) -> str:
    """A lesson in five days; gives its event id."""
    return scene.lesson(START, event_id="lesson", **details).event_id


def is_searched_in_full(scene: Scene) -> bool:
    """Whether all of the lesson's invitation was searched."""
    with scene.stage.app.store.reading() as tx:
        meeting_id = tx.meetings.find(OccurrenceKey("lesson@google.com", START))
        assert meeting_id is not None
        meeting = tx.meetings.load(meeting_id).meeting
    return meeting is not None and meeting.search is not None and meeting.search.is_complete


# --- student data in texts ----------------------------------------------------------------------


def test_an_address_in_the_description_is_flagged(scene: Scene) -> None:
    """High and sure, told with kind and number; host first, officers a day before."""
    lesson(scene, description=f'Ask <a href="mailto:{STUDENTS[0]}">the <b>kid</b></a>.')
    letters = scene.poll_letters()
    flag = scene.flag(TEXT)

    assert (flag.severity, flag.certainty, flag.is_sticky) == ("high", "confirmed", True)
    assert flag.message == "Invitation holds 1 student identifiers (e-mail address)."
    assert any("Remove student details from the invitation." in letter.text for letter in letters)
    assert {to for letter in letters for to in letter.to} == {TEACHER}
    assert any(OFFICER in letter.to for letter in scene.poll_letters(START - DAY))


@pytest.mark.parametrize(
    ("details", "kind", "certainty"),
    [
        ({"summary": "ZEBULON QUIST & Vex, Yolanda"}, "name", "needs-review"),
        (
            {"location": "room of kid2.secret@students.district.example"},
            "e-mail address",
            "confirmed",
        ),
        ({"description": "for 204871-S"}, "student id", "confirmed"),
        ({"description": "for 204 872"}, None, None),
        ({"description": "pin 204873"}, "short number", "needs-review"),
        ({"summary": "Zebulon Quist shows his poster"}, None, None),
        ({"summary": "Zebulon, Yolanda and Mr. Umber"}, None, None),
        ({"description": "Tara Teach and Colin Cover present"}, None, None),
    ],
)
def test_what_identifies_students(
    scene: Scene, details: dict[str, str], kind: str | None, certainty: str | None
) -> None:
    """Two names, an address, an id or a short number in any field; one name or none is fine."""
    scene.world.add_user(
        "kid9@students.district.example",
        "Nia Nine",
        "/Students",
        external_ids=["204871-S", "204873"],
    )
    lesson(scene, **details)
    scene.poll()
    flags = [f for f in scene.stage.flags() if f.rule == TEXT]

    assert [(f.facts["kind"], f.certainty) for f in flags] == ([(kind, certainty)] if kind else [])


def test_google_ids_of_students_are_found(scene: Scene) -> None:
    """The directory's own id."""
    lesson(scene, description=f"https://x.example/{scene.world.user(STUDENTS[0]).user_id}")
    scene.poll()

    assert scene.flag(TEXT).facts["kind"] == "student id"


def test_mending_the_text_does_not_undo_it(scene: Scene) -> None:
    """Everybody had it by mail: the flag stays for an officer to close."""
    lesson(scene, description=STUDENTS[0])
    scene.poll()
    assert is_searched_in_full(scene)
    scene.world.update_event("lesson", description="")
    scene.poll(NOON + MINUTE)
    flag = scene.flag(TEXT)
    scene.world.cancel_event("lesson")
    scene.poll(NOON + 2 * MINUTE)

    assert flag.message == (
        "Until 2026-10-13 12:01 the invitation held 1 student identifiers (e-mail address)."
    )
    assert flag.facts["disclosed_from"] == NOON.isoformat()
    assert flag.facts["disclosed_until"] == (NOON + MINUTE).isoformat()
    assert scene.flag(TEXT).status is FlagStatus.OPEN


def test_a_student_who_is_new_in_the_directory_is_found_in_an_old_text(scene: Scene) -> None:
    """The text is not kept: the calendars are read again when there are new names."""
    lesson(scene, summary="Nia Newcomer and Zebulon Quist")
    scene.poll()
    assert TEXT not in scene.rules()

    scene.world.add_user("nia@students.district.example", "Nia Newcomer", "/Students/Cedar")
    scene.poll(NOON + MINUTE)

    assert scene.flag(TEXT).facts["n"] == "2"


def test_a_student_with_a_new_name_is_found_by_it(scene: Scene) -> None:
    """A renamed account is a new name to look for; with the old one nobody is found."""
    lesson(scene, summary="Nia Newcomer and Zebulon Quist")
    scene.poll()
    scene.world.user(STUDENTS[1]).name = "Nia Newcomer"
    scene.poll(NOON + MINUTE)

    assert scene.flag(TEXT)


def test_a_listing_cut_short_loses_no_new_student(scene: Scene) -> None:
    """Seen on a page before the listing failed: not news at the next pass, and still looked for."""
    lesson(scene, summary="Nia Newcomer and Zebulon Quist")
    scene.poll()
    scene.world.add_user("a.nia@students.district.example", "Nia Newcomer", "/Students/Cedar")
    scene.world.shaping.page_cap = 2
    passing = Fault(Api.DIRECTORY, Kind.SLOW, seconds=0.0, times=2, method="directory.users.list")
    refusing = Fault(Api.DIRECTORY, status=403, reason="forbidden", times=None)
    scene.world.shaping.faults += [passing, refusing]
    scene.poll(NOON + MINUTE)
    scene.world.heal()
    scene.poll(NOON + 2 * MINUTE)

    assert scene.flag(TEXT).facts["n"] == "2"


def test_a_directory_that_comes_late_changes_nothing(scene: Scene) -> None:
    """Calendars read before the directory was: undecided, then found."""
    lesson(scene, description="Zebulon Quist and Yolanda Vex")
    scene.world.shaping.page_cap = 2
    scene.world.fail("directory", 403, "forbidden", times=None)
    scene.poll()
    assert TEXT not in scene.rules()
    scene.world.heal()
    scene.poll(NOON + MINUTE)

    assert scene.flag(TEXT)


def test_a_text_too_long_to_be_searched_is_undecided(scene: Scene) -> None:
    """A megabyte: what was read counts, the rest is not passed over in silence."""
    lesson(scene, description=f"{STUDENTS[0]} " + "long " * 200_000)
    scene.poll()

    assert scene.flag(TEXT)
    assert not is_searched_in_full(scene)


def test_private_events_of_staff_are_searched_as_their_owner(scene: Scene) -> None:
    """Read as the owner, private details are not hidden."""
    lesson(scene, description=STUDENTS[0], visibility="private")
    scene.poll()

    assert scene.flag(TEXT)


def test_meetings_without_outsiders_are_nobodys_business(scene: Scene) -> None:
    """Staff and students may name students; nothing of it is kept."""
    lesson(scene, description=STUDENTS[0], guests=[COLLEAGUE, *STUDENTS])
    scene.poll()

    assert scene.rules() == set()


def test_nothing_of_the_text_is_kept_or_told(scene: Scene) -> None:
    """Neither database nor mails nor JSON hold a word of title, description or file."""
    lesson(
        scene,
        summary="Secretword Zebulon Quist and Yolanda Vex",
        description=f"Hiddenword {STUDENTS[0]}",
        extra={"attachments": [ROSTER_FILE]},
    )
    letters = [*scene.poll_letters(), *scene.poll_letters(START - DAY)]
    ran = meetbot("--config", scene.stage.config, "flags", "list", "--json", cwd=scene.stage.folder)
    kept = b"".join(p.read_bytes() for p in scene.stage.folder.glob("meetbot.db*"))
    told = ran.out + ran.err + "".join(letter.text for letter in letters)

    assert letters
    (found,) = (f for f in json.loads(ran.out) if f["rule"] == TEXT)
    assert found["evidence"]["identity"]["invited"]["partner"] == ["E2"]
    assert {p["field"] for p in found["evidence"]["facts"]["places"]} == {"title", "description"}
    for word in ("Secretword", "Hiddenword", "Quist", "kid1", *STUDENT_NAMES, "plan.xlsx"):
        assert word not in told
        assert word.encode() not in kept


# --- files --------------------------------------------------------------------------------------


def the_roster(scene: Scene) -> Flag:
    flag = scene.flag(ROSTER, FlagStatus.OPEN)
    assert (flag.severity, flag.certainty) == ("high", "needs-review")
    return flag


def test_an_attached_roster_is_flagged_until_it_is_gone(scene: Scene) -> None:
    """Kind and configured word are kept; taking the file away closes the flag."""
    lesson(scene, extra={"attachments": [ROSTER_FILE]})
    scene.poll()
    flag = the_roster(scene)
    assert (flag.facts["kinds"], flag.facts["words"]) == (["spreadsheet"], ["seating"])

    scene.world.update_event("lesson", extra={})
    scene.poll(NOON + MINUTE)
    assert scene.flag(ROSTER).status is FlagStatus.WITHDRAWN


def test_a_linked_roster_is_flagged_and_a_rubric_is_not(scene: Scene) -> None:
    """A Drive link in the description, named by its text."""
    link = '<a href="https://drive.google.com/file/d/1">{}</a>'
    lesson(scene, description=link.format("Grading rubric"))
    scene.poll()
    assert ROSTER not in scene.rules()

    scene.world.update_event("lesson", description=link.format("Class roster"))
    scene.poll(NOON + MINUTE)
    assert the_roster(scene)


def test_other_words_in_the_policy_are_looked_for_at_once(scene: Scene) -> None:
    """Names of files are not kept, so the calendars are read again."""
    lesson(scene, extra={"attachments": [ROSTER_FILE | {"title": "Klassenliste"}]})
    scene.poll()
    assert ROSTER not in scene.rules()

    policy = scene.stage.config.with_name("policy.toml")
    policy.write_text('[files]\nroster = ["Klassenliste"]\n', encoding="utf-8")
    assert load_settings(scene.stage.config, {}, KNOWN_RULES).policy.files.roster
    with scene.restarted():
        scene.poll(NOON + MINUTE)
        assert the_roster(scene)
