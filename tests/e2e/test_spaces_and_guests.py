"""Who may enter, who shares the link, who set a meeting up and who added its guests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from meetbot.domain.flags import FlagStatus
from meetbot.jobs import collect_calendars, judge
from meetbot.sandbox.audit import AuditLog
from tests.command import meetbot
from tests.scene import (
    COLLEAGUE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    OFFICER,
    PARTNER,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    there,
)

START = NOON + 3 * DAY
EVE = "eve@bright.example"
STRANGER = "sam@stranger.example"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with a_scene(tmp_path) as made:
        yield made


def undecided(scene: Scene) -> str:
    """What some rule could not decide, of all meetings."""
    with sqlite3.connect(scene.stage.folder / "meetbot.db") as connection:
        rows = connection.execute("SELECT undecided FROM meetings").fetchall()
    connection.close()
    return " ".join(row[0] for row in rows)


def asked(scene: Scene) -> int:
    """Requests about spaces so far."""
    return len(scene.stage.box.requests.of("meet.spaces.get")) + len(
        scene.stage.box.requests.of("meet.spaces.members.list")
    )


# --- spaces -------------------------------------------------------------------------------------


def test_an_open_space_is_flagged_and_closes_once_it_is_mended(scene: Scene) -> None:
    """The co-host outside is told; within the hour after the change the flag is withdrawn."""
    event = scene.lesson(START)
    scene.world.set_space(event.code, access_type="OPEN", cohosts=[PARTNER, COLLEAGUE])
    result = scene.poll()
    flag = scene.flag("open-access-space")
    assert result.is_covered, result.sources
    assert result.sources["meet"].read == 1
    assert flag.status is FlagStatus.OPEN
    assert flag.facts["cohosts"] == "1 staff and Bright Path"

    scene.world.set_space(event.code, access_type="TRUSTED")
    scene.poll(NOON + 59 * MINUTE)
    assert scene.flag("open-access-space").status is FlagStatus.OPEN
    scene.poll(NOON + HOUR)
    assert scene.flag("open-access-space").status is FlagStatus.WITHDRAWN


def test_the_administrators_action_is_told_to_officers_only(scene: Scene) -> None:
    """`flags show` and the officer's mail have it; the host is told what a host can do."""
    event = scene.lesson(NOON + 20 * HOUR, guests=[PARTNER, STRANGER, *STUDENTS])
    scene.world.set_space(event.code, access_type="OPEN")
    letters = scene.poll_letters()
    flag = scene.flag("open-access-space")
    config, cwd = scene.stage.config, scene.stage.folder
    shown = meetbot("--config", config, "flags", "show", flag.id, cwd=cwd)
    listed = meetbot("--config", config, "flags", "list", "--json", cwd=cwd).json

    assert "Administrators can set: Admin console" in shown.out
    actions = {one["rule"]: one["evidence"].get("admin_action") for one in listed}
    assert actions["open-access-space"] == flag.admin
    assert actions["partner-unregistered"] is None
    mine = [letter for letter in letters if letter.to == (TEACHER,)]
    assert any("Trusted or Restricted" in letter.text for letter in mine)
    assert not any("Administrator" in letter.text for letter in mine)


def test_a_space_is_read_no_more_often_than_needed(scene: Scene) -> None:
    """At once, daily in the last week, in the last hour, and never after the start."""
    event = scene.lesson(START)
    counts = []
    for at in (
        NOON,
        NOON + HOUR,
        NOON + DAY - MINUTE,
        NOON + DAY,
        NOON + 2 * DAY,
        START - HOUR,
        START - MINUTE,
    ):
        scene.poll(at)
        counts.append(asked(scene) // 2)
    assert counts == [1, 1, 1, 2, 3, 4, 4]

    scene.call(event, there(TEACHER, START, 0, 45), there(PARTNER, START, 1, 44))
    for at in (START + 10 * MINUTE, START + HOUR, START + 5 * HOUR, START + DAY):
        scene.poll(at)
    assert asked(scene) // 2 == 4


def test_a_series_has_one_space(scene: Scene) -> None:
    """Ten occurrences cost one reading."""
    event = scene.lesson(START, recurrence=["RRULE:FREQ=DAILY;COUNT=10"])
    scene.world.set_space(event.code, access_type="OPEN")
    scene.poll()

    assert asked(scene) == 2
    with scene.stage.app.store.reading() as tx:
        assert len(tx.flags.list(rule="open-access-space")) == 10


def test_only_meetings_in_full_scope_are_asked_about(scene: Scene) -> None:
    """Neither staff among themselves nor a meeting with a vendor."""
    scene.lesson(START, guests=[COLLEAGUE])
    scene.lesson(START + HOUR, guests=["vic@vendor.example"])
    scene.lesson(NOON - 5 * HOUR)
    scene.poll()

    assert asked(scene) == 0


def test_a_space_that_cannot_be_read_is_undecided(scene: Scene) -> None:
    """Exit 3 with the source, no flag, and again within the hour; the old flag stays."""
    event = scene.lesson(START)
    scene.world.set_space(event.code, access_type="OPEN")
    scene.world.fail("meet", 403, "forbidden", method="meet.spaces", times=None)
    failed = scene.poll()
    assert not failed.is_covered
    assert failed.sources["meet"].failed == 1
    assert "open-access-space" in undecided(scene)
    assert "open-access-space" not in scene.rules()

    scene.world.heal()
    assert scene.poll(NOON + HOUR).is_covered
    assert "open-access-space" in scene.rules()
    scene.world.fail("meet", 403, "forbidden", method="meet.spaces", times=None)
    scene.poll(NOON + 2 * HOUR)
    assert "open-access-space" in scene.rules()


def test_cohosts_that_cannot_be_read_do_not_hide_the_access(scene: Scene) -> None:
    """The flag says what is not known."""
    event = scene.lesson(START)
    scene.world.set_space(event.code, access_type="OPEN")
    scene.world.fail("meet", 403, "forbidden", method="meet.spaces.members", times=None)
    result = scene.poll()

    assert not result.is_covered
    assert scene.flag("open-access-space").unknowns == ("Who the co-hosts are.",)


def test_the_settings_of_an_outsiders_space_are_unknown(scene: Scene) -> None:
    """Nobody of the district can see them; that is no failure, and nothing is asked."""
    scene.lesson(START, organizer=PARTNER, guests=[TEACHER, *STUDENTS], guests_see_others=True)
    result = scene.poll()

    assert result.is_covered, result.sources
    assert result.sources["meet"].skipped == 1
    assert "open-access-space" in undecided(scene)
    assert asked(scene) == 0


def test_a_space_of_another_owner_is_unknown(scene: Scene) -> None:
    """The organizer may use a link that somebody else made."""
    scene.world.add_space("own-ersa-lso", owner=COLLEAGUE, access_type="OPEN")
    scene.lesson(START, code="own-ersa-lso")
    result = scene.poll()

    assert result.sources["meet"].skipped == 1
    assert "only to its owner" in undecided(scene)
    assert "open-access-space" not in scene.rules()


def test_a_new_code_is_read_at_once(scene: Scene) -> None:
    """What was read of the old space says nothing of the new one."""
    event = scene.lesson(START)
    scene.poll()
    scene.world.add_space("new-roomx-abc", owner=TEACHER, access_type="OPEN")
    scene.world.update_event(event.event_id, code="new-roomx-abc")
    scene.poll(NOON + MINUTE)

    assert "open-access-space" in scene.rules()


def test_no_student_cohost_is_stored(scene: Scene) -> None:
    """A student who is co-host is kept under a pseudonym, and told as a number."""
    event = scene.lesson(START)
    scene.world.set_space(event.code, access_type="OPEN", cohosts=[STUDENTS[0]])
    scene.poll()

    assert scene.flag("open-access-space").facts["cohosts"] == "1 student"
    with sqlite3.connect(scene.stage.folder / "meetbot.db") as connection:
        (text,) = connection.execute("SELECT space FROM meetings").fetchone()
    connection.close()
    assert "kid1" not in text


# --- shared codes -------------------------------------------------------------------------------


def test_one_code_on_two_events_with_other_guests(scene: Scene) -> None:
    """Both are flagged with the other's date, also the one that was there before; mended by a new
    link."""
    first = scene.lesson(START, code="one-code-two")
    scene.poll()
    assert "meeting-code-reused" not in scene.rules()
    second = scene.lesson(
        START + 4 * DAY, code="one-code-two", organizer=COLLEAGUE, guests=[STRANGER, *STUDENTS]
    )
    scene.poll(NOON + MINUTE)
    (one,) = [f for f in scene.stage.flags(uid=first.ical_uid) if "code" in f.rule]
    (two,) = [f for f in scene.stage.flags(uid=second.ical_uid) if "code" in f.rule]
    assert "2026-10-20" in one.message
    assert "2026-10-16" in two.message

    scene.world.update_event(second.event_id, code="two-newx-code")
    scene.poll(NOON + 2 * MINUTE)
    assert "meeting-code-reused" not in scene.rules()


def test_events_with_one_code_that_are_judged_at_once_know_of_each_other(scene: Scene) -> None:
    """Both are flagged in the pass that first sees them, and neither is judged for ever."""
    scene.lesson(START, code="one-code-two")
    scene.lesson(START + 4 * DAY, code="one-code-two", guests=[STRANGER, *STUDENTS])
    scene.poll()
    assert sum("code" in flag.rule for flag in scene.stage.flags()) == 2

    scene.poll(NOON + MINUTE)
    with scene.stage.app.store.reading() as tx:
        assert tx.meetings.due(scene.clock(), 10) == []


def test_one_code_in_a_series_or_with_the_same_guests(scene: Scene) -> None:
    """Recurrences, moved instances and split parts are one event; so are equal guest lists."""
    series = scene.lesson(
        START, code="ser-iesc-ode", recurrence=["RRULE:FREQ=DAILY;COUNT=3"], event_id="series"
    )
    moved = scene.world.instance_id(series.event_id, START + DAY)
    scene.world.update_event(
        moved, start=START + DAY + HOUR, end=START + DAY + 2 * HOUR, attendees=[STRANGER, TEACHER]
    )
    scene.lesson(
        START + 9 * DAY,
        code="ser-iesc-ode",
        ical_uid="series_R20261025T170000@google.com",
        guests=[STRANGER, *STUDENTS],
    )
    scene.lesson(START + HOUR, code="sam-egue-sts")
    scene.lesson(START + 5 * DAY, code="sam-egue-sts")
    scene.poll()

    assert "meeting-code-reused" not in scene.rules()


# --- who created it -----------------------------------------------------------------------------


def test_a_partner_who_puts_an_event_into_a_teachers_calendar(scene: Scene) -> None:
    """High, and told to the host."""
    scene.lesson(START, creator=PARTNER)
    letters = scene.poll_letters()

    assert scene.flag("created-by-delegate").message == (
        "Created by partner Bright Path for Tara Teach."
    )
    assert any("Created by" in one.text for one in letters)


def test_a_colleague_is_noted_and_a_named_delegate_is_not(scene: Scene) -> None:
    """Info sends no mail; `[accounts]` of the policy names secretaries."""
    scene.lesson(START, creator=COLLEAGUE)
    letters = scene.poll_letters()
    assert scene.flag("created-by-delegate").severity == "info"
    assert not any("Created by" in one.text for one in letters)

    policy = scene.stage.folder / "policy.toml"
    policy.write_text(f'[accounts]\ndelegates = ["{COLLEAGUE.upper()}"]\n', encoding="utf-8")
    with scene.restarted():
        scene.poll(NOON + MINUTE)
    assert scene.flag("created-by-delegate").status is FlagStatus.WITHDRAWN


def test_a_teachers_own_alias_is_no_delegate(scene: Scene) -> None:
    """The creator is the same account under another address."""
    scene.world.add_alias(TEACHER, "tara@district.example")
    event = scene.lesson(START)
    scene.world.events[event.event_id].creator = "tara@district.example"
    scene.poll()

    assert "created-by-delegate" not in scene.rules()


# --- who added guests ---------------------------------------------------------------------------


def invite(scene: Scene, event_id: str, guest: str, *, by: str, at: datetime) -> None:
    """Somebody adds a guest."""
    scene.clock.to(at)
    scene.world.clock = lambda: at
    guests = scene.world.events[event_id].attendees
    scene.world.update_event(event_id, attendees=[*guests, guest], actor=by)


def test_a_guest_whom_the_partner_added(scene: Scene) -> None:
    """The log names the partner: confirmed, and withdrawn when the guest is removed."""
    event = scene.lesson(START, guests_invite=True)
    scene.poll()
    assert "guest-added-by-partner" not in scene.rules()
    guests = list(event.attendees)
    invite(scene, event.event_id, EVE, by=PARTNER, at=NOON + HOUR)
    scene.poll(NOON + HOUR + MINUTE)
    flag = scene.flag("guest-added-by-partner")
    assert (flag.certainty, flag.severity, flag.partner_id) == ("confirmed", "high", "bright")

    scene.world.update_event(event.event_id, attendees=guests)
    scene.poll(NOON + 2 * HOUR)
    assert scene.flag("guest-added-by-partner").status is FlagStatus.WITHDRAWN


def test_the_service_reads_the_log_once_for_both_uses(scene: Scene) -> None:
    """Between full rounds it tells which calendars to read, and who added whom."""
    event = scene.lesson(START, guests_invite=True)
    scene.poll()
    invite(scene, event.event_id, EVE, by=PARTNER, at=NOON + HOUR)
    log = scene.stage.box.requests
    before = len(log.of("reports.activities.list")), len(log.of("calendar.events.list"))
    collect_calendars.run(scene.stage.app.deps, NOON + HOUR + MINUTE, changed_only=True)
    after = len(log.of("reports.activities.list")), len(log.of("calendar.events.list"))
    judge.run(scene.stage.app.deps, NOON + HOUR + MINUTE)

    assert after == (before[0] + 1, before[1] + 1)
    assert scene.flag("guest-added-by-partner").certainty == "confirmed"


@pytest.mark.parametrize("by", [TEACHER, COLLEAGUE])
def test_a_guest_whom_staff_added(scene: Scene, by: str) -> None:
    """By the organizer or from a colleague's copy: explained at once."""
    event = scene.lesson(START, guests_invite=True)
    scene.poll()
    invite(scene, event.event_id, EVE, by=by, at=NOON + HOUR)
    scene.poll(NOON + HOUR + MINUTE)
    scene.poll(NOON + 6 * HOUR)

    assert "guest-added-by-partner" not in scene.rules()
    assert "guest-added-by-partner" not in undecided(scene)


def test_a_guest_whom_nobody_is_known_to_have_added(scene: Scene) -> None:
    """Undecided while the log may be late, then needs review; a late row of staff closes it."""
    event = scene.lesson(START, guests_invite=True)
    scene.poll()
    invite(scene, event.event_id, EVE, by=TEACHER, at=NOON + HOUR)
    rows, scene.world.audit["calendar"] = scene.world.audit["calendar"], AuditLog()
    scene.poll(NOON + HOUR + MINUTE)
    assert "guest-added-by-partner" not in scene.rules()
    assert "may still lack who added a guest" in undecided(scene)
    scene.poll(NOON + 4 * HOUR + MINUTE)
    assert scene.flag("guest-added-by-partner").certainty == "needs-review"

    scene.world.audit["calendar"] = rows
    scene.poll(NOON + 5 * HOUR)
    assert scene.flag("guest-added-by-partner").status is FlagStatus.WITHDRAWN


def test_guests_who_can_add_nobody_are_not_suspected(scene: Scene) -> None:
    """The settings were locked all the time."""
    event = scene.lesson(START)
    scene.poll()
    invite(scene, event.event_id, EVE, by=TEACHER, at=NOON + HOUR)
    scene.world.audit["calendar"] = AuditLog()
    scene.poll(NOON + HOUR + MINUTE)
    scene.poll(NOON + 6 * HOUR)

    assert "guest-added-by-partner" not in scene.rules()


def test_a_failing_log_stops_nothing_else(scene: Scene) -> None:
    """Named as the source that failed; an addition is undecided, other flags come."""
    event = scene.lesson(START, guests_invite=True)
    scene.poll()
    invite(scene, event.event_id, STRANGER, by=PARTNER, at=NOON + HOUR)
    scene.world.fail("reports", 403, "forbidden", path="applications/calendar", times=None)
    result = scene.poll(NOON + 6 * HOUR)
    assert list(result.sources["reports-calendar"].reasons)
    assert {"partner-unregistered", "guests-can-invite"} <= scene.rules()
    assert "the audit log of calendars cannot be read" in undecided(scene)

    scene.world.heal()
    scene.poll(NOON + 7 * HOUR)
    assert scene.flag("guest-added-by-partner").certainty == "confirmed"


def test_new_members_of_a_group_are_no_additions(scene: Scene) -> None:
    """The guest list did not change; nobody added anybody."""
    scene.world.add_group("friends@district.example", [COLLEAGUE])
    scene.lesson(START, guests=[PARTNER, "friends@district.example", *STUDENTS], guests_invite=True)
    scene.poll()
    scene.world.set_members("friends@district.example", [COLLEAGUE, STRANGER])
    scene.world.expire_sync_tokens()
    scene.poll(NOON + 7 * HOUR)
    scene.poll(NOON + 11 * HOUR)

    assert "partner-unregistered" in scene.rules()
    assert "guest-added-by-partner" not in scene.rules()


def test_a_meeting_that_was_of_adults_has_no_additions_when_it_is_read_in_full(
    scene: Scene,
) -> None:
    """Of adults only outsiders are kept: staff who were always invited are not new."""
    event = scene.lesson(START, guests=[COLLEAGUE, STRANGER], guests_invite=True)
    scene.poll()
    invite(scene, event.event_id, STUDENTS[0], by=TEACHER, at=NOON + HOUR)
    scene.world.audit["calendar"] = AuditLog()
    scene.poll(NOON + HOUR + MINUTE)
    scene.poll(NOON + 6 * HOUR)

    assert "guest-added-by-partner" not in scene.rules()


def test_rows_of_meetings_that_are_not_kept_are_not_stored(scene: Scene) -> None:
    """Nor is anybody's address, of those that are."""
    inside = scene.lesson(START, guests=[COLLEAGUE], guests_see_others=True)
    kept = scene.lesson(START + HOUR, guests_invite=True)
    scene.poll()
    invite(scene, inside.event_id, STUDENTS[0], by=TEACHER, at=NOON + HOUR)
    invite(scene, kept.event_id, EVE, by=PARTNER, at=NOON + HOUR)
    scene.poll(NOON + HOUR + MINUTE)

    with sqlite3.connect(scene.stage.folder / "meetbot.db") as connection:
        rows = connection.execute("SELECT event_id, actor, guest_key FROM event_edits").fetchall()
    connection.close()
    ((event_id, actor, guest),) = rows
    assert event_id == kept.event_id
    assert PARTNER not in actor
    assert "@" not in guest


def test_officers_hear_of_it(scene: Scene) -> None:
    """A day before the start the officer's mail has the sentence and the administrator's action."""
    event = scene.lesson(NOON + 20 * HOUR, guests_invite=True)
    scene.poll()
    invite(scene, event.event_id, EVE, by=PARTNER, at=NOON + HOUR)
    letters = scene.poll_letters(NOON + HOUR + MINUTE)

    (letter,) = [one for one in letters if one.to == (OFFICER,)]
    assert "1 guests added after approval." in letter.text
    assert "Administrator: Calendar API events.patch" in " ".join(letter.text.split())
