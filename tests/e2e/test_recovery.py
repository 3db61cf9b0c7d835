"""What could not be read at first is read once it can be; until then it is said every time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meetbot.jobs.poll import PollResult
from tests.scene import (
    COLLEAGUE,
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

START = NOON + 2 * DAY
CLASS = "class-7b@district.example"
NORA = "nora@stranger.example"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with a_scene(tmp_path) as made:
        yield made


def _polls(scene: Scene, number: int) -> list[PollResult]:
    """So many passes, a minute apart."""
    return [scene.poll(scene.clock.now + MINUTE) for _ in range(number)]


# --- groups -------------------------------------------------------------------------------------


def test_a_group_that_could_not_be_opened_is_opened_later(scene: Scene) -> None:
    """The stranger's meeting is one with students as soon as the class list can be read."""
    scene.world.add_group(CLASS, STUDENTS)
    scene.lesson(START, guests=[NORA, CLASS])
    scene.world.fail("directory", 403, "forbidden", times=None, method="directory.members")
    for result in _polls(scene, 2):
        assert result.sources["groups"].failed
        assert scene.flag("partner-unregistered").severity == "low"
    scene.world.heal()
    (result,) = _polls(scene, 1)
    assert result.is_covered
    assert scene.flag("partner-unregistered").severity == "high"


def test_an_address_that_turns_out_to_be_a_group_is_opened(scene: Scene) -> None:
    """Nobody is known outside at first; then the invited address is a list with a stranger."""
    scene.lesson(START, guests=[CLASS])
    scene.poll()
    assert scene.rules() == set()
    scene.world.add_group(CLASS, [NORA, *STUDENTS])
    _polls(scene, 1)
    assert scene.flag("partner-unregistered").severity == "high"


def test_a_list_of_another_organization_is_an_outsider(scene: Scene) -> None:
    """Nested in one of ours it never opens, and does not keep the others on it from being seen."""
    scene.world.add_group(CLASS, [*STUDENTS, "all@elsewhere.example", NORA])
    scene.world.add_group("all@elsewhere.example", [])
    scene.world.fail(
        "directory", 403, "forbidden", times=None, method="directory.members", path="elsewhere"
    )
    scene.lesson(START, guests=[CLASS])
    scene.poll()
    domains = {flag.message for flag in scene.stage.flags() if flag.rule == "partner-unregistered"}
    assert len(domains) == 2
    assert any("elsewhere.example" in message for message in domains)


# --- people -------------------------------------------------------------------------------------


def test_a_new_hire_is_found_and_costs_nothing_more(scene: Scene) -> None:
    """Not listed yet, asked for by address: no outsider, and not asked for at every pass."""
    scene.world.user(COLLEAGUE).searchable = False
    scene.lesson(START, guests=[PARTNER, COLLEAGUE, *STUDENTS])
    scene.poll()
    assert scene.rules() == set()
    _polls(scene, 1)  # reads the new calendar
    scene.stage.box.requests.clear()
    (result,) = _polls(scene, 1)
    assert result.is_covered
    assert scene.rules() == set()
    assert scene.stage.box.requests.counts["calendar"] == 3
    assert scene.stage.box.requests.of("directory.users.get") == []
    assert result.sources["calendars"].read == 3
    with scene.stage.app.store.reading() as tx:
        marks = [state.mark for state in tx.meetings.calendars().values()]
    assert all(mark is not None and mark.synced_at < scene.clock.now for mark in marks)


def test_a_guest_who_could_not_be_looked_up_is_looked_up_later(scene: Scene) -> None:
    """An outsider with an account of ours, not listed yet, while single accounts cannot be read."""
    guest = "gast@district.example"
    scene.world.add_user(guest, "Nora Gast", "/Staff/Cedar", guest_of=NORA, searchable=False)
    scene.lesson(START, guests=[guest, *STUDENTS])
    scene.world.fail("directory", 503, times=None, method="directory.users.get", retry_after=999)
    for result in _polls(scene, 2):
        assert result.sources["directory-lookups"].failed
        assert scene.rules() == set()
    scene.world.heal()
    assert _polls(scene, 1)[0].is_covered
    assert scene.flag("partner-unregistered").severity == "high"


def test_an_account_that_cannot_be_understood_harms_no_other(scene: Scene) -> None:
    """Said at every pass; whoever it is, is no outsider, and all others are judged."""
    scene.world.user(COLLEAGUE).unit = ""
    scene.lesson(START, guests=[PARTNER, COLLEAGUE, *STUDENTS])
    strange = scene.lesson(START + DAY, guests=[PARTNER, NORA, *STUDENTS])
    for result in _polls(scene, 2):
        assert result.sources["directory"].failed == 1
        assert result.sources["calendars"].read == 2
    assert scene.flag("partner-unregistered").occurrence.ical_uid == strange.ical_uid


def test_a_known_account_that_is_not_understood_any_more_is_not_gone(scene: Scene) -> None:
    """A teacher stays a teacher, whose calendar is read."""
    scene.poll()
    scene.world.user(COLLEAGUE).unit = ""
    (result,) = _polls(scene, 1)
    assert result.sources["directory"].failed == 1
    assert result.sources["calendars"].read == 3


def test_who_could_not_be_looked_up_in_a_call_is_looked_up_later(scene: Scene) -> None:
    """A teacher who is not listed yet stayed: no flag then, and the call is read again."""
    start = NOON - 5 * HOUR
    scene.world.user(COLLEAGUE).searchable = False
    held = scene.lesson(start)
    scene.call(
        held,
        there(TEACHER, start, 0, 10),
        there(COLLEAGUE, start, 0, 45),
        there(PARTNER, start, 0, 45),
        *(there(one, start, 0, 45) for one in STUDENTS),
    )
    scene.world.fail("directory", 503, times=None, method="directory.users.get", retry_after=999)
    for result in _polls(scene, 2):
        assert result.sources["directory-lookups"].failed
        assert not scene.rules(held.ical_uid)
        assert result.undecided
    scene.world.heal()
    (result,) = _polls(scene, 1)
    assert result.is_covered
    assert not result.undecided
    assert not scene.rules(held.ical_uid)


def test_a_call_is_ad_hoc_once_its_calendars_can_be_read(scene: Scene) -> None:
    """Whether it has an event could not be told; without any change at Google it is told later."""
    start = NOON - 5 * HOUR
    people = [there(TEACHER, start, 0, 45), there(NORA, start, 0, 45)]
    scene.world.add_conference(
        "abc-mnop-xyz", TEACHER, [[*people, there(STUDENTS[0], start, 0, 45)]]
    )
    scene.world.fail("calendar", 404, "notFound", times=None, subject=TEACHER)
    (result,) = _polls(scene, 1)
    assert result.undecided == 1
    assert "adhoc-meeting" not in scene.rules()
    scene.world.heal()
    (result,) = _polls(scene, 1)
    assert result.undecided == 0
    assert "adhoc-meeting" in scene.rules()


# --- events -------------------------------------------------------------------------------------


def test_an_event_that_cannot_be_understood_is_said_every_time(scene: Scene) -> None:
    """Not only when it changed: a pass is covered only once it is gone or mended."""
    event = scene.lesson(START, extra={"start": {"dateTime": "yesterday"}})
    for result in _polls(scene, 3):
        assert (result.sources["calendars"].read, result.sources["calendars"].failed) == (3, 1)
    scene.world.cancel_event(event.event_id)
    assert _polls(scene, 1)[0].is_covered


def test_a_known_event_that_is_not_understood_any_more_is_not_gone(scene: Scene) -> None:
    """Read in full and unreadable: its flag stays as it is; deleted, it is withdrawn."""
    event = scene.lesson(START, guests=[PARTNER, NORA, *STUDENTS])
    scene.poll()
    before = scene.flag("partner-unregistered")
    event.extra = {"start": {"dateTime": "yesterday"}}
    scene.world.expire_sync_tokens()
    for result in _polls(scene, 2):
        assert not result.is_covered
        assert not result.flags["withdrawn"]
    assert scene.flag("partner-unregistered") == before
    scene.world.cancel_event(event.event_id)
    (result,) = _polls(scene, 1)
    assert result.flags["withdrawn"] == 1


def test_an_event_without_uid_is_no_deleted_one(scene: Scene) -> None:
    """What Google leaves out keeps nobody from being flagged."""
    scene.lesson(START, event_id="bare", guests=[PARTNER, NORA, *STUDENTS], extra={"iCalUID": None})
    scene.poll()
    assert scene.rules("bare@google.com") == {"partner-unregistered"}
