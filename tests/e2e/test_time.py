"""What leaves when: the whole system under a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meetbot.domain.flags import FlagStatus
from tests.scene import (
    COLLEAGUE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    OFFICER,
    PARTNER,
    PRINCIPAL,
    STUDENTS,
    TEACHER,
    Letter,
    Scene,
    a_scene,
    small_rows,
    there,
)

START = NOON + 9 * DAY
SECOND = timedelta(seconds=1)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with a_scene(tmp_path) as made:
        made.poll()
        yield made


@pytest.fixture
def unapproved(tmp_path: Path) -> Iterator[Scene]:
    with a_scene(tmp_path, rows=small_rows(NOON, is_authorized=False)) as made:
        made.poll()
        yield made


def _to(letters: list[Letter], address: str) -> list[Letter]:
    return [one for one in letters if address in one.to]


def _reminders(letters: list[Letter]) -> list[Letter]:
    """The reminders among the teacher's mails; others tell of flags."""
    heads = ("Coming up:", "Your partner meeting starts", "Not approved yet:")
    return [one for one in _to(letters, TEACHER) if any(head in one.text for head in heads)]


def _no_weekly(letters: list[Letter]) -> list[Letter]:
    return [one for one in letters if "Weekly summary" not in one.subject]


# --- reminders ----------------------------------------------------------------------------------


def test_an_authorized_meeting_has_two_reminders(scene: Scene) -> None:
    """The host hears a day and an hour before the start, once each, and not a week before."""
    scene.lesson(START)
    leads = [7 * DAY + MINUTE, 7 * DAY, 7 * DAY - MINUTE, DAY + MINUTE, DAY, DAY - MINUTE]
    leads += [12 * HOUR, HOUR + MINUTE, HOUR, HOUR - MINUTE, MINUTE, 0 * MINUTE, -MINUTE]
    heard = [lead for lead in leads for _ in _reminders(scene.poll_letters(START - lead))]
    assert heard == [DAY, HOUR]


def test_a_meeting_without_approval_has_a_reminder_a_week_before(unapproved: Scene) -> None:
    """Seven days before the start the host of a meeting without approval hears what is missing."""
    unapproved.lesson(START)
    first = _to(unapproved.poll_letters(START - 8 * DAY), TEACHER)  # the fix-it mail of the flag
    assert len(first) == 1
    (letter,) = _reminders(unapproved.poll_letters(START - 7 * DAY))
    assert "approval" in letter.text
    assert _reminders(unapproved.poll_letters(START - 7 * DAY + HOUR)) == []


def test_only_the_reminder_an_hour_before_holds_the_link(scene: Scene) -> None:
    """The host's own reminder holds the link to the call; no other mail holds link or code."""
    event = scene.lesson(START)
    letters = scene.poll_letters(START - DAY) + scene.poll_letters(START - HOUR)
    assert all(one.to == (TEACHER,) for one in letters if event.code in one.text)
    assert event.code in letters[-1].text


def test_no_reminder_comes_after_the_start(scene: Scene) -> None:
    """A meeting found only when it has begun causes no reminder."""
    scene.clock.to(START + MINUTE)
    scene.lesson(START)
    assert _reminders(scene.poll_letters(START + MINUTE)) == []


def test_a_missed_reminder_is_made_up_for_once(scene: Scene) -> None:
    """After an outage only the reminder that still fits the time is sent."""
    scene.lesson(START)
    scene.poll(START - 3 * DAY)
    assert len(_reminders(scene.poll_letters(START - 30 * MINUTE))) == 1
    assert _reminders(scene.poll_letters(START - 20 * MINUTE)) == []


def test_reminders_follow_a_meeting_that_moves_later(scene: Scene) -> None:
    """After the day reminder the meeting moves by three days: a new day reminder is sent."""
    event = scene.lesson(START)
    assert len(_reminders(scene.poll_letters(START - DAY))) == 1
    scene.world.move_event(event.event_id, START + 3 * DAY)
    assert _reminders(scene.poll_letters(START - HOUR)) == []
    assert len(_reminders(scene.poll_letters(START + 2 * DAY))) == 1
    assert len(_reminders(scene.poll_letters(START + 3 * DAY - HOUR))) == 1


def test_reminders_follow_a_meeting_that_moves_nearer(scene: Scene) -> None:
    """A meeting moved into the next hours is reminded of before its new start."""
    event = scene.lesson(START)
    scene.poll(START - 3 * DAY)
    scene.world.move_event(event.event_id, START - 3 * DAY + 2 * HOUR)
    assert len(_reminders(scene.poll_letters(START - 3 * DAY + HOUR))) == 1
    assert _reminders(scene.poll_letters(START - DAY)) == []


def test_a_cancelled_meeting_has_no_reminder(scene: Scene) -> None:
    """Nothing is sent for a meeting that was cancelled before its reminder was due."""
    event = scene.lesson(START)
    scene.poll(START - 2 * DAY)
    scene.world.cancel_event(event.event_id)
    for lead in (DAY, HOUR):
        assert _reminders(scene.poll_letters(START - lead)) == []


def test_the_lead_of_a_reminder_is_one_of_local_time_free_hours(tmp_path: Path) -> None:
    """Across the end of daylight saving time `24h` is 24 hours, not the same clock time."""
    start = datetime(2026, 11, 1, 18, 0, tzinfo=UTC)  # noon CST, the clocks went back at 02:00
    with a_scene(tmp_path, now=start - 3 * DAY) as scene:
        scene.lesson(start)
        scene.poll()
        assert _reminders(scene.poll_letters(start - DAY - SECOND)) == []
        (letter,) = _reminders(scene.poll_letters(start - DAY))
        assert "12:00–12:45 CST" in letter.text


# --- who hears of a set-up flag, and when -------------------------------------------------------


def test_a_high_flag_goes_to_the_host_first(unapproved: Scene) -> None:
    """The host hears at once; officers a day before the start, if it still stands."""
    unapproved.lesson(START)
    at_once = unapproved.poll_letters(NOON + HOUR)
    assert _to(at_once, TEACHER)
    assert not _to(at_once, OFFICER)
    assert not _to(_no_weekly(unapproved.poll_letters(START - DAY - SECOND)), OFFICER)
    (letter,) = _to(unapproved.poll_letters(START - DAY), OFFICER)
    assert "may not match policy" in letter.text.lower()
    assert "Meet was not read" not in letter.text
    assert not _to(unapproved.poll_letters(START - DAY + HOUR), OFFICER)


def test_a_flag_mended_in_time_never_reaches_officers(unapproved: Scene) -> None:
    """The host mends it before the day before: withdrawn, and officers hear nothing."""
    unapproved.lesson(START)
    unapproved.poll(NOON + HOUR)
    unapproved.stage.import_registry(small_rows(NOON))
    assert not _to(_no_weekly(unapproved.poll_letters(START - 2 * DAY)), OFFICER)
    assert unapproved.rules() == set()
    assert unapproved.flag("authorization-missing").status is FlagStatus.WITHDRAWN
    assert not _to(unapproved.poll_letters(START - DAY), OFFICER)


def test_a_late_meeting_leaves_no_time_to_mend(unapproved: Scene) -> None:
    """A meeting made two hours before its start: officers hear of it at once too."""
    unapproved.lesson(NOON + 2 * HOUR)
    letters = unapproved.poll_letters()
    assert _to(letters, TEACHER)
    assert _to(letters, OFFICER)


def test_a_critical_flag_goes_to_all_three_at_once(scene: Scene) -> None:
    """A meeting that the partner organizes: the invited teacher, officers and the principal of
    the teacher's school at once, and never the partner."""
    scene.world.add_event(
        PARTNER,
        START,
        START + HOUR,
        attendees=[TEACHER, *STUDENTS],
        guests_see_others=False,
        guests_invite=False,
    )
    letters = scene.poll_letters(NOON + HOUR)
    assert scene.flag("organizer-not-staff").severity == "critical"
    (advice,) = _to(letters, TEACHER)
    assert "Set up a new meeting yourself and invite the partner." in advice.text
    assert _to(letters, OFFICER)
    assert _to(letters, PRINCIPAL)
    assert not _to(letters, PARTNER)


def test_a_department_without_a_principal_has_its_lead_told(tmp_path: Path) -> None:
    """A critical flag of a department's meeting goes to the lead in the principal's place."""
    rows = small_rows(NOON)
    rows["schools.csv"][0] |= {"kind": "department", "principals": "", "leads": COLLEAGUE}
    rows["authorizations.csv"][0]["authorizer_address"] = COLLEAGUE
    with a_scene(tmp_path, rows=rows) as scene:
        scene.world.add_event(PARTNER, START, START + HOUR, attendees=[TEACHER, *STUDENTS])
        assert _to(scene.poll_letters(), COLLEAGUE)


def test_a_whole_staff_room_is_not_told(scene: Scene) -> None:
    """Of a partner's meeting with many staff no guest hears who else may not match policy."""
    room = [f"staff{number}@district.example" for number in range(4)]
    for address in room:
        scene.world.add_user(address, "", "/Staff/Cedar")
    scene.world.add_event(PARTNER, START, START + HOUR, attendees=[*room, *STUDENTS])
    letters = scene.poll_letters(NOON + HOUR)
    assert {to for one in letters for to in one.to} == {OFFICER}


def test_nothing_changed_says_nothing(unapproved: Scene) -> None:
    """A second pass with nothing changed opens no flag and sends no mail."""
    unapproved.lesson(START, guests_see_others=True, guests_invite=True)
    unapproved.poll(NOON + HOUR)
    unapproved.letters()
    for minutes in (1, 5, 60):
        result = unapproved.poll(NOON + HOUR + minutes * MINUTE)
        assert not any(result.flags.values())
        assert not any(result.mails.values())
    assert unapproved.letters() == []


# --- live ---------------------------------------------------------------------------------------


@pytest.fixture
def live(scene: Scene) -> Scene:
    """A call in which the teacher leaves after 20 minutes; rows of the audit log come late."""
    scene.world.audit_lag["meet"] = 45 * MINUTE
    scene.clock.to(START - 2 * HOUR)
    event = scene.lesson(START)
    scene.poll()
    scene.call(
        event,
        there(TEACHER, START, 0, 20),
        there(PARTNER, START, 0, None),
        *(there(one, START, 1, None) for one in STUDENTS),
    )
    scene.poll(START + 19 * MINUTE)
    scene.letters()
    return scene


def test_a_minute_without_staff_is_told_to_the_host(live: Scene) -> None:
    """Nothing at 59 s; the host at 60 s of contact; officers not before 300 s."""
    assert live.poll_letters(START + 20 * MINUTE + 59 * SECOND) == []
    letters = live.poll_letters(START + 21 * MINUTE)
    assert [one.to for one in letters] == [(TEACHER,)]
    flag = live.flag("staff-left-early")
    assert (flag.severity, flag.is_provisional, flag.phase) == ("medium", True, "live")
    assert live.poll_letters(START + 24 * MINUTE + 59 * SECOND) == []


def test_five_minutes_without_staff_are_told_to_officers(live: Scene) -> None:
    """At 300 s the flag is high and officers hear of it, once."""
    live.poll(START + 21 * MINUTE)
    letters = live.poll_letters(START + 25 * MINUTE)
    assert _to(letters, OFFICER)
    assert live.flag("staff-left-early").severity == "high"
    assert not _to(live.poll_letters(START + 26 * MINUTE), OFFICER)


def test_a_teacher_who_returns_turns_it_into_a_gap(live: Scene) -> None:
    """Left and returned: superseded by a gap, told in the same thread."""
    (first,) = live.poll_letters(START + 21 * MINUTE)
    (one,) = live.world.conferences.values()
    live.world.join(one.conference_id, there(TEACHER, START, 22, None))
    letters = live.poll_letters(START + 23 * MINUTE)
    assert live.flag("staff-left-early").status is FlagStatus.SUPERSEDED
    gap = live.flag("staff-presence-gap")
    assert (gap.status, gap.severity) == (FlagStatus.OPEN, "medium")
    thread = str(first.message["References"] or first.message["Message-ID"]).split()[0]
    for letter in letters:
        assert thread in str(letter.message["References"])
        assert "join your meeting now" not in letter.text


def test_partner_and_student_waiting_alone_nudge_the_host(scene: Scene) -> None:
    """Nobody of the staff has come for a minute of contact: one nudge, no flag yet (V41)."""
    event = scene.lesson(START)
    scene.poll(START - 30 * MINUTE)
    scene.call(
        event, there(PARTNER, START, 0, None), *(there(one, START, 0, None) for one in STUDENTS)
    )
    scene.letters()
    assert scene.poll_letters(START + 59 * SECOND) == []
    assert [one.to for one in scene.poll_letters(START + 90 * SECOND)] == [(TEACHER,)]
    assert scene.rules() == set()
    assert scene.poll_letters(START + 100 * SECOND) == []


def test_mails_that_leave_together_are_one_thread(live: Scene) -> None:
    """Host, officers and principal hear of the same call: one subject, one first mail."""
    letters = live.poll_letters(START + 25 * MINUTE)
    first, *others = (letter.message for letter in letters)
    assert others
    for mail in others:
        assert mail["Subject"] == first["Subject"]
        assert str(first["Message-ID"]) in str(mail["References"])


def test_five_minutes_without_any_staff_are_critical(scene: Scene) -> None:
    """V42: no staff in 300 s of contact is told to officers, host and principal at once."""
    event = scene.lesson(START)
    scene.poll(START - 30 * MINUTE)
    scene.call(
        event, there(PARTNER, START, 0, None), *(there(one, START, 0, None) for one in STUDENTS)
    )
    scene.letters()
    letters = scene.poll_letters(START + 5 * MINUTE)
    flag = scene.flag("no-staff-joined")
    assert (flag.severity, flag.is_provisional) == ("critical", True)
    for address in (OFFICER, TEACHER, PRINCIPAL):
        assert _to(letters, address), address


# --- after the end ------------------------------------------------------------------------------


def _short_call(scene: Scene, *, leaves: float = 30) -> None:
    """The teacher leaves 15 minutes before the partner."""
    event = scene.lesson(START)
    scene.poll(START - HOUR)
    scene.call(
        event,
        there(TEACHER, START, 0, leaves),
        there(PARTNER, START, 0, 45),
        *(there(one, START, 0, 45) for one in STUDENTS),
    )
    scene.letters()


def test_a_result_is_provisional_until_both_sources_agree(scene: Scene) -> None:
    """Ten minutes after the end: provisional while the audit rows are missing, final with them."""
    scene.world.audit_lag["meet"] = 2 * HOUR
    _short_call(scene)
    scene.poll(START + 56 * MINUTE)
    flag = scene.flag("staff-left-early")
    # Nobody has shown the partner's address yet: known by name only, which may not confirm.
    assert (flag.is_provisional, flag.severity, flag.certainty) == (True, "high", "needs-review")
    scene.poll(START + 4 * HOUR)
    flag = scene.flag("staff-left-early")
    assert (flag.is_provisional, flag.severity, flag.certainty) == (False, "high", "confirmed")


def test_a_result_is_final_after_a_day(scene: Scene) -> None:
    """Where the audit log never tells of the call, the result is final 24 h after the end."""
    scene.world.audit_lag["meet"] = 40 * DAY
    _short_call(scene)
    scene.poll(START + 45 * MINUTE + 24 * HOUR - MINUTE)
    assert scene.flag("staff-left-early").is_provisional
    scene.poll(START + 45 * MINUTE + 24 * HOUR)
    assert not scene.flag("staff-left-early").is_provisional


def test_late_audit_rows_reopen_a_clean_meeting(scene: Scene) -> None:
    """Meet saw nobody outside; rows two days late show the partner alone with the class."""
    meeting = scene.lesson(START + HOUR)
    scene.world.audit_lag["meet"] = 2 * DAY
    scene.world.fail("meet", 403, "forbidden", times=None)
    scene.poll(START - HOUR)
    scene.call(
        meeting,
        there(TEACHER, START + HOUR, 0, 10),
        there(PARTNER, START + HOUR, 0, 45),
        *(there(one, START + HOUR, 0, 45) for one in STUDENTS),
    )
    scene.poll(START + 3 * HOUR)
    assert "staff-left-early" not in scene.rules()
    scene.poll(START + 26 * HOUR)
    assert "evidence-incomplete" in scene.rules(meeting.ical_uid)
    scene.poll(START + 3 * DAY)
    assert "staff-left-early" in scene.rules(meeting.ical_uid)
    assert "evidence-incomplete" not in scene.rules(meeting.ical_uid)


def test_what_could_not_be_read_is_never_a_pass(scene: Scene) -> None:
    """Neither Meet nor Reports readable: no accusation, a day later `evidence-incomplete`."""
    scene.world.fail("meet", 403, "forbidden", times=None)
    scene.world.fail("reports", 403, "forbidden", times=None)
    _short_call(scene)
    scene.poll(START + 2 * HOUR)
    assert scene.rules() == set()
    scene.poll(START + 45 * MINUTE + 24 * HOUR)
    assert scene.rules() == {"evidence-incomplete"}


def test_an_unidentified_person_makes_it_needs_review(scene: Scene) -> None:
    """V24: somebody by phone while the teacher is out could be the teacher: needs review."""
    event = scene.lesson(START)
    scene.poll(START - HOUR)
    scene.call(
        event,
        there(TEACHER, START, 0, 30),
        there("+1 ***-***-**12", START, 30, 45, joins="phone"),
        there(PARTNER, START, 0, 45),
        *(there(one, START, 0, 45) for one in STUDENTS),
    )
    scene.poll(START + 4 * HOUR)
    flag = scene.flag("staff-left-early")
    assert (flag.certainty, flag.severity) == ("needs-review", "high")
    assert "unidentified-participant" in scene.rules()


def test_a_clean_call_stays_clean(scene: Scene) -> None:
    """Staff first in and last out: nothing is flagged at any time, and no mail but reminders."""
    event = scene.lesson(START)
    scene.poll(START - 30 * MINUTE)
    scene.call(
        event,
        there(TEACHER, START, -2, 46),
        there(PARTNER, START, 0, 44),
        *(there(one, START, 1, 45) for one in STUDENTS),
    )
    scene.letters()
    for minutes in (0, 10, 30, 46, 56, 70, 240, 26 * 60):
        letters = _no_weekly(scene.poll_letters(START + minutes * MINUTE))
        assert letters == []
        assert scene.rules() == set()


def test_a_call_across_the_end_of_daylight_saving_time_is_measured_in_real_minutes(
    tmp_path: Path,
) -> None:
    """D4: staff leave 01:50 CDT, partner and class 01:10 CST: twenty minutes."""
    start = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    with a_scene(tmp_path, now=start - DAY) as scene:
        event = scene.lesson(start, 70)
        scene.poll()
        scene.call(
            event,
            there(TEACHER, start, 0, 50),
            there(PARTNER, start, 0, 70),
            *(there(one, start, 0, 70) for one in STUDENTS),
        )
        scene.poll(start + 4 * HOUR)
        (span,) = scene.flag("staff-left-early").spans
        assert span.seconds == 20 * 60
        letters = _to(scene.letters(), OFFICER)
        assert any("CDT" in one.text and "CST" in one.text for one in letters)


def test_a_contract_ends_with_the_local_day(tmp_path: Path) -> None:
    """D1/D2: valid on its last local evening (next day in UTC), expired after local midnight."""
    now = datetime(2026, 6, 29, 17, 0, tzinfo=UTC)
    rows = small_rows(now)
    rows["contracts.csv"][0]["ends_on"] = "2026-06-30"
    with a_scene(tmp_path, now=now, rows=rows) as scene:
        evening = scene.lesson(datetime(2026, 6, 30, 23, 30, tzinfo=UTC), 60)
        midnight = scene.lesson(datetime(2026, 7, 1, 5, 0, tzinfo=UTC), 30)
        scene.poll()
        assert scene.rules(evening.ical_uid) == set()
        assert scene.rules(midnight.ical_uid) == {"contract-expired"}


# --- digest and weekly summary ------------------------------------------------------------------


def test_medium_flags_come_in_the_digest_of_the_next_morning(scene: Scene) -> None:
    """`guests-can-invite` (medium) is in the officers' mail of 07:30 local time, once."""
    scene.lesson(START, guests_invite=True)
    assert not _to(scene.poll_letters(NOON + HOUR), OFFICER)
    morning = datetime(2026, 10, 14, 12, 30, tzinfo=UTC)  # 07:30 CDT
    assert not _to(scene.poll_letters(morning - SECOND), OFFICER)
    (letter,) = _to(scene.poll_letters(morning), OFFICER)
    assert "digest" in letter.subject.lower()
    assert not _to(scene.poll_letters(morning + DAY), OFFICER)


def test_the_digest_stays_at_half_past_seven_in_winter(tmp_path: Path) -> None:
    """After the clocks go back 07:30 is an hour later in UTC."""
    now = datetime(2026, 10, 31, 20, 0, tzinfo=UTC)
    with a_scene(tmp_path, now=now) as scene:
        scene.lesson(now + 9 * DAY, guests_invite=True)
        scene.poll()
        morning = datetime(2026, 11, 1, 13, 30, tzinfo=UTC)  # 07:30 CST
        assert not _to(scene.poll_letters(morning - SECOND), OFFICER)
        assert _to(scene.poll_letters(morning), OFFICER)


def test_the_weekly_summary_says_all_clear_only_when_all_was_read(scene: Scene) -> None:
    """Monday morning: all clear with coverage; the week after, a calendar that cannot be read."""
    monday = datetime(2026, 10, 19, 12, 30, tzinfo=UTC)
    (letter,) = _to(scene.poll_letters(monday), OFFICER)
    assert "All clear" in letter.text
    scene.world.fail("calendar", 404, "notFound", times=None, subject=TEACHER)
    scene.poll(monday + 5 * DAY)
    (letter,) = _to(scene.poll_letters(monday + 7 * DAY), OFFICER)
    assert "All clear" not in letter.text
    assert "not" in letter.text.lower()


def test_low_flags_come_only_in_the_weekly_summary(scene: Scene) -> None:
    """An unregistered vendor with staff only (adult scope) is one line with its domain."""
    scene.world.add_event(TEACHER, START, START + HOUR, attendees=["sam@vendor.example"])
    assert scene.poll_letters(NOON + HOUR) == []
    flag = scene.flag("partner-unregistered")
    assert (flag.severity, flag.certainty) == ("low", "needs-review")
    morning = datetime(2026, 10, 14, 12, 30, tzinfo=UTC)
    assert scene.poll_letters(morning) == []
    (letter,) = scene.poll_letters(datetime(2026, 10, 19, 12, 30, tzinfo=UTC))
    assert "vendor.example" in letter.text
    assert "sam@" not in letter.text
