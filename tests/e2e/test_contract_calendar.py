"""What meetbot makes of calendars: keys, moves, series, hidden lists, groups, scopes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meetbot.domain.flags import FlagStatus
from meetbot.domain.meetings import Scope
from meetbot.sandbox.model import Event
from tests.scene import (
    COLLEAGUE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    PARTNER,
    PRINCIPAL,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    small_rows,
    there,
)

START = NOON + 3 * DAY
NORA = "nora@stranger.example"
VENDOR = "vic.vendor@vendor.example"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with a_scene(tmp_path) as made:
        yield made


def _original_starts(scene: Scene, rule: str) -> list[datetime]:
    with scene.stage.app.store.reading() as tx:
        flags = tx.flags.list(statuses=[FlagStatus.OPEN], rule=rule)
    return sorted(flag.occurrence.original_start_at for flag in flags)


def _meetings(scene: Scene) -> int:
    with scene.stage.app.store.reading() as tx:
        return tx.meetings.counts().get("in_scope", 0)


def _file(scene: Scene) -> bytes:
    """Everything in the database, journal included."""
    path = scene.stage.folder / "meetbot.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.read_bytes()


# --- identity of occurrences --------------------------------------------------------------------


def test_a_moved_event_keeps_the_start_at_which_it_was_first_seen(scene: Scene) -> None:
    """`original_start` of a single event stays when it moves; its flag is the same one."""
    event = scene.lesson(START, guests=[PARTNER, NORA, *STUDENTS])
    scene.poll()
    before = scene.flag("partner-unregistered")
    scene.world.move_event(event.event_id, START + DAY)
    scene.poll(NOON + MINUTE)
    after = scene.flag("partner-unregistered")
    assert (after.id, after.occurrence.original_start_at) == (before.id, START)
    assert after.status is FlagStatus.OPEN


def test_instances_keep_googles_original_start(scene: Scene) -> None:
    """A series: one occurrence for each instance; a moved one keeps its `originalStartTime`."""
    series = scene.lesson(
        START, guests=[PARTNER, NORA, *STUDENTS], recurrence=["RRULE:FREQ=DAILY;COUNT=4"]
    )
    scene.poll()
    wanted = [START + day * DAY for day in range(4)]
    assert _original_starts(scene, "partner-unregistered") == wanted
    second = scene.world.instance_id(series.event_id, wanted[1])
    scene.world.move_event(second, wanted[1] + 2 * HOUR)
    scene.poll(NOON + MINUTE)
    assert _original_starts(scene, "partner-unregistered") == wanted


def test_one_instance_can_be_mended(scene: Scene) -> None:
    """The stranger is taken off one instance: only its flag is withdrawn."""
    series = scene.lesson(
        START, guests=[PARTNER, NORA, *STUDENTS], recurrence=["RRULE:FREQ=DAILY;COUNT=3"]
    )
    scene.poll()
    name = scene.world.instance_id(series.event_id, START + DAY)
    scene.world.update_event(name, attendees=[TEACHER, PARTNER, *STUDENTS])
    result = scene.poll(NOON + MINUTE)
    assert result.flags["withdrawn"] == 1
    assert _original_starts(scene, "partner-unregistered") == [START, START + 2 * DAY]


def test_a_cancelled_instance_is_gone_alone(scene: Scene) -> None:
    """One instance is cancelled: its flag is withdrawn, the others stand."""
    series = scene.lesson(
        START, guests=[PARTNER, NORA, *STUDENTS], recurrence=["RRULE:FREQ=DAILY;COUNT=3"]
    )
    scene.poll()
    scene.world.cancel_event(scene.world.instance_id(series.event_id, START))
    scene.poll(NOON + MINUTE)
    assert _original_starts(scene, "partner-unregistered") == [START + DAY, START + 2 * DAY]


def test_a_weekly_series_across_the_clock_change_is_not_stale(tmp_path: Path) -> None:
    """D6: 10:00 local stays approved although the instant shifts by an hour."""
    start = datetime(2026, 10, 27, 15, 0, tzinfo=UTC)
    with a_scene(tmp_path, now=start - 5 * DAY) as scene:
        scene.lesson(start, recurrence=["RRULE:FREQ=WEEKLY;COUNT=2"])
        scene.poll()
        scene.poll(start - 4 * DAY)
        assert scene.rules() == set()
        assert _meetings(scene) == 2


def test_a_new_organizer_is_the_new_host(scene: Scene) -> None:
    """`events.move` to a colleague: one meeting, and the colleague hears the reminder."""
    event = scene.lesson(START)
    scene.poll()
    scene.world.move_organizer(event.event_id, COLLEAGUE)
    letters = scene.poll_letters(START - DAY)
    assert _meetings(scene) == 1
    assert COLLEAGUE in {address for one in letters for address in one.to}
    assert not any("Coming up" in one.text for one in letters if TEACHER in one.to)


# --- whose copy, which guests -------------------------------------------------------------------


def test_a_hidden_guest_list_is_read_from_the_organizers_copy(scene: Scene) -> None:
    """A colleague's copy shows only staff; the organizer's shows partner and students."""
    scene.lesson(START, guests=[COLLEAGUE, NORA, *STUDENTS])
    scene.poll()
    assert scene.rules() == {"partner-unregistered"}
    assert scene.flag("partner-unregistered").severity == "high"


def test_an_event_of_the_partner_is_seen_through_staff(scene: Scene) -> None:
    """Organized outside: the teacher's copy is enough for `organizer-not-staff`, critical."""
    scene.world.add_event(PARTNER, START, START + HOUR, attendees=[TEACHER, *STUDENTS])
    scene.poll()
    flag = scene.flag("organizer-not-staff")
    assert (flag.severity, flag.partner_id) == ("critical", "bright")
    assert "student-contacts-visible" in scene.rules()


def test_a_group_of_students_is_expanded(scene: Scene) -> None:
    """A class list on the invitation makes the meeting one with students."""
    scene.world.add_group("class-7b@district.example", STUDENTS)
    scene.lesson(START, guests=[NORA, "class-7b@district.example"])
    scene.poll()
    assert scene.flag("partner-unregistered").severity == "high"


def test_a_group_hides_no_stranger(scene: Scene) -> None:
    """A list with somebody outside the district on it is not taken for staff."""
    scene.world.add_group("friends@district.example", [NORA, COLLEAGUE])
    scene.lesson(START, guests=["friends@district.example", *STUDENTS])
    scene.poll()
    assert "partner-unregistered" in scene.rules()


def test_nobody_of_a_domain_that_google_knows_as_ours_is_a_stranger(scene: Scene) -> None:
    """An alias domain that the configuration lacks: its people are asked for, never outsiders."""
    scene.world.domain_aliases["schools.example"] = "district.example"
    scene.lesson(START, guests=[PARTNER, "gone@schools.example", *STUDENTS])
    stranger = scene.lesson(START, guests=[PARTNER, "gone@notschools.example", *STUDENTS])
    scene.poll()
    assert scene.flag("partner-unregistered").occurrence.ical_uid == stranger.ical_uid


def test_a_guest_nobody_can_read_makes_the_list_incomplete(scene: Scene) -> None:
    """Whoever stands behind an address that is none may be an outsider: undecided, no pass."""
    guests: list[dict[str, Any]] = [{"email": "pia at bright"}, {"email": STUDENTS[0]}]
    scene.lesson(START, guests=[], extra={"attendees": guests})
    result = scene.poll()
    assert (result.meetings, result.undecided) == (1, 1)


def test_a_shared_calendar_has_its_creator_as_host(scene: Scene) -> None:
    """Organized by a secondary calendar and made by a teacher: resolved; by nobody: unresolved."""
    shared = "c_1234@group.calendar.google.com"
    scene.world.add_calendar(shared, owner=TEACHER)
    guests = [TEACHER, PARTNER, *STUDENTS]
    made = scene.lesson(START, organizer=shared, creator=TEACHER, guests=guests)
    unknown = scene.lesson(START, organizer=shared, creator=STUDENTS[0], guests=guests)
    scene.poll()
    assert "organizer-unresolved" not in scene.rules(made.ical_uid)
    assert "organizer-not-staff" not in scene.rules(made.ical_uid)
    assert {"organizer-unresolved", "organizer-not-staff"} & scene.rules(unknown.ical_uid)


def _left_early(scene: Scene, event: Event, owner: str) -> str:
    """A call of the event that belongs to `owner`; gives its id."""
    start = NOON - 5 * HOUR
    people = (there(TEACHER, start, 0, 30), there(PARTNER, start, 0, 45))
    children = [there(one, start, 0, 45) for one in STUDENTS]
    made = scene.world.add_conference(event.code, owner, [[*people, *children]])
    return made[0].conference_id


def test_a_call_on_a_shared_calendar_is_read_as_who_made_it(scene: Scene) -> None:
    """Google gives the call to the teacher, not to the calendar; nothing else tells of it."""
    shared = "c_1234@group.calendar.google.com"
    scene.world.add_calendar(shared, owner=TEACHER)
    event = scene.lesson(
        NOON - 5 * HOUR, organizer=shared, creator=TEACHER, guests=[TEACHER, PARTNER, *STUDENTS]
    )
    name = _left_early(scene, event, TEACHER)
    scene.world.fail("reports", 403, "forbidden", times=None)
    assert scene.poll().sources["meet"].read == 1
    assert scene.flag("staff-left-early").conference_records == (f"conferenceRecords/{name}",)


def test_an_empty_list_says_nothing_to_who_does_not_own_the_call(scene: Scene) -> None:
    """Who made the event sees no call either: skipped with its reason, undecided, no pass."""
    shared = "c_1234@group.calendar.google.com"
    scene.world.add_calendar(shared, owner=TEACHER)
    scene.lesson(
        NOON - 5 * HOUR, organizer=shared, creator=TEACHER, guests=[TEACHER, PARTNER, *STUDENTS]
    )
    scene.world.fail("reports", 403, "forbidden", times=None)
    result = scene.poll()
    assert (result.sources["meet"].read, result.sources["meet"].skipped) == (0, 1)
    assert result.undecided == 1


def test_a_call_stays_with_the_first_organizer_of_a_moved_event(scene: Scene) -> None:
    """The new organizer sees no call, who made the event does."""
    event = scene.lesson(NOON - 5 * HOUR, guests=[COLLEAGUE, PARTNER, *STUDENTS])
    scene.world.move_organizer(event.event_id, COLLEAGUE)
    _left_early(scene, event, TEACHER)
    scene.world.fail("reports", 403, "forbidden", times=None)
    scene.poll()
    assert "staff-left-early" in scene.rules(event.ical_uid)


def test_an_all_day_event_is_a_local_day(scene: Scene) -> None:
    """A date without a time begins at local midnight."""
    day = date(2026, 10, 20)
    scene.world.add_event(
        TEACHER, day, day + timedelta(days=1), attendees=[NORA, *STUDENTS], guests_see_others=False
    )
    scene.poll()
    start = datetime(2026, 10, 20, 5, 0, tzinfo=UTC)
    assert _original_starts(scene, "partner-unregistered") == [start]


@pytest.mark.parametrize(
    ("where", "fires"),
    [
        ({"location": "https://us02web.zoom.us/j/1"}, True),
        ({"description": "Join <a href='https://teams.microsoft.com/l/meetup'>here</a>"}, True),
        ({"description": "https://www.google.com/url?q=https://teams.microsoft.com/l/x"}, True),
        ({"description": "we zoom in on history"}, False),
        ({"extra": {"conferenceData": {
            "conferenceSolution": {"key": {"type": "addOn"}, "name": "Zoom Meeting"},
            "conferenceId": "123456",
            "entryPoints": [{"entryPointType": "video", "uri": "https://zoom.us/j/123456"}],
        }}}, True),
    ],
)  # fmt: skip
def test_other_platforms_are_seen_wherever_they_stand(
    scene: Scene, where: dict[str, Any], fires: bool
) -> None:
    """L1/L2: links in place, text and conference data; the word alone is none."""
    scene.lesson(START, code="", **where)
    scene.poll()
    assert ("unapproved-platform" in scene.rules()) == fires


# --- scope --------------------------------------------------------------------------------------


def test_what_is_out_of_scope_is_not_kept(scene: Scene) -> None:
    """A meeting of staff and students alone leaves nothing in the database."""
    event = scene.world.add_event(
        TEACHER, START, START + HOUR, attendees=[COLLEAGUE, *STUDENTS], summary="Secret garden"
    )
    result = scene.poll()
    assert result.meetings == 0
    kept = _file(scene)
    for word in (event.event_id, event.ical_uid, event.code, "Secret garden"):
        assert word.encode() not in kept


def test_a_meeting_of_adults_is_kept_minimal(scene: Scene) -> None:
    """Vendor and staff: only key, host and outside domain; one low flag, no mail."""
    scene.world.add_event(
        TEACHER, START, START + HOUR, attendees=[COLLEAGUE, VENDOR], summary="Price talk"
    )
    assert scene.poll_letters() == []
    flag = scene.flag("partner-unregistered")
    assert (flag.severity, flag.certainty) == ("low", "needs-review")
    kept = _file(scene)
    assert b"vendor.example" in kept
    assert b"vic.vendor" not in kept
    assert b"Price talk" not in kept


def test_a_student_makes_it_full_scope(scene: Scene) -> None:
    """The vendor's meeting becomes one of full scope the moment a student is invited."""
    event = scene.world.add_event(TEACHER, START, START + HOUR, attendees=[VENDOR])
    scene.poll()
    scene.world.update_event(event.event_id, attendees=[TEACHER, VENDOR, STUDENTS[0]])
    scene.poll(NOON + MINUTE)
    assert scene.flag("partner-unregistered").severity == "high"
    with scene.stage.app.store.reading() as tx:
        (record,) = tx.meetings.starting(START, START + MINUTE)
    assert record.scope is Scope.FULL


def test_a_student_who_joins_makes_it_full_scope(scene: Scene) -> None:
    """Nobody invited the student: the join alone brings all rules."""
    start = NOON - 5 * HOUR
    event = scene.world.add_event(TEACHER, start, start + HOUR, attendees=[VENDOR])
    scene.call(
        event,
        there(TEACHER, start, 0, 20),
        there(VENDOR, start, 0, 45),
        there(STUDENTS[0], start, 0, 45),
    )
    scene.poll()
    wanted = {"staff-left-early", "partner-alone-with-student", "partner-unregistered"}
    assert wanted == scene.rules(event.ical_uid)
    assert scene.flag("partner-unregistered").severity == "high"


def test_a_student_who_joins_a_running_call_of_adults_makes_it_full_scope(scene: Scene) -> None:
    """While it runs no audit row tells of anybody: Meet is asked about adults' meetings too."""
    event = scene.world.add_event(TEACHER, NOON, NOON + HOUR, attendees=[VENDOR])
    scene.call(
        event,
        there(TEACHER, NOON, 0, 10),
        there(VENDOR, NOON, 0, None),
        there(STUDENTS[0], NOON, 5, None),
    )
    scene.poll(NOON + 4 * MINUTE)
    before = scene.rules(event.ical_uid)
    scene.poll(NOON + 16 * MINUTE)
    assert before == {"partner-unregistered"}
    assert "staff-left-early" in scene.rules(event.ical_uid)


def test_of_a_call_of_adults_nobody_is_kept(scene: Scene) -> None:
    """Meet is asked whether a student came; of a call without one nothing is kept."""
    start = NOON - 5 * HOUR
    event = scene.world.add_event(TEACHER, start, start + HOUR, attendees=[VENDOR])
    scene.world.audit_lag["meet"] = DAY
    scene.call(event, there(TEACHER, start, 0, 45), there(VENDOR, start, 0, 45))
    scene.poll()
    with scene.stage.app.store.reading() as tx:
        assert not tx.conferences.held(event.code.replace("-", ""), start - HOUR, start + HOUR)
    assert scene.rules(event.ical_uid) == {"partner-unregistered"}


def test_a_guardian_is_no_partner(tmp_path: Path) -> None:
    """A parent with an exemption: a conference with teacher and child is out of scope."""
    rows = small_rows(NOON)
    rows["exemptions.csv"] = [
        {
            "kind": "guardian",
            "value": "mum.quist@mail.example",
            "reason": "parent conference",
            "owner": "compliance@district.example",
            "starts_on": "2026-01-01",
            "ends_on": "2027-01-01",
        }
    ]
    with a_scene(tmp_path, rows=rows) as scene:
        scene.lesson(START, guests=["Mum.Quist+school@Mail.EXAMPLE", STUDENTS[0]])
        assert scene.poll().meetings == 0
        assert scene.rules() == set()
        kept = _file(scene)
        assert kept.lower().count(b"mum.quist") <= 2  # the exemption row itself


def test_a_new_registry_judges_again_without_a_change_at_google(tmp_path: Path) -> None:
    """Imported after the first pass, the registry decides in the next one."""
    with a_scene(tmp_path, with_registry=False) as scene:
        scene.lesson(START, guests=[PARTNER, NORA, *STUDENTS])
        scene.poll()
        assert scene.rules() == set()
        scene.stage.import_registry(small_rows(NOON))
        scene.poll(NOON + MINUTE)
        assert scene.rules() == {"partner-unregistered"}


def test_names_of_people_who_may_be_partners_are_matched_by_the_rules_of_mail(scene: Scene) -> None:
    """I1 and I3: tags and case are the partner, a Cyrillic letter is a look-alike."""
    same = scene.lesson(START, guests=["Pia+class@BRIGHT.example", *STUDENTS])
    fake = scene.lesson(START, guests=["pia@brіght.example", *STUDENTS])
    scene.poll()
    assert scene.rules(same.ical_uid) == set()
    assert "partner-lookalike-domain" in scene.rules(fake.ical_uid)


def test_aliases_in_the_registry_are_the_people_behind_them(tmp_path: Path) -> None:
    """An approval for the host's alias, by the principal's alias, is one by and for them; the
    alias of somebody else is not."""
    rows = small_rows(NOON)
    rows["authorizations.csv"][0] |= {
        "host_address": "cedar.science@district.example",
        "authorizer_address": "office.cedar@district.example",
    }
    with a_scene(tmp_path, rows=rows) as scene:
        scene.world.add_alias(TEACHER, "cedar.science@district.example")
        scene.world.add_alias(PRINCIPAL, "office.cedar@district.example")
        own = scene.lesson(START)
        other = scene.lesson(START + DAY, organizer=COLLEAGUE)
        scene.poll()
        assert scene.rules(own.ical_uid) == set()
        assert scene.rules(other.ical_uid) == {"authorization-scope"}
