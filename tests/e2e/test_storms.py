"""Many flags, rolled up, stopped, told and released; and one that nobody acknowledges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from meetbot.domain.case_ids import case_id
from meetbot.domain.chain import LinkKind
from meetbot.domain.flags import FlagStatus
from meetbot.domain.notices import Audience
from meetbot.errors import NotFound
from meetbot.jobs import storm
from meetbot.ports import Decision, OutboxState
from meetbot.sandbox.model import Event
from tests.command import meetbot
from tests.scene import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    OFFICER,
    PARTNER,
    PRINCIPAL,
    PRIVACY,
    STUDENTS,
    TEACHER,
    Letter,
    Scene,
    a_scene,
    there,
)

OPERATOR = "it@district.example"
STRANGER = "nora@stranger.example"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """The small district with nothing in it yet."""
    with a_scene(tmp_path) as made:
        yield made


def left_early(scene: Scene, number: int) -> list[Event]:
    """Lessons of the last days that the teacher left after half an hour: a high flag each."""
    made = []
    for n in range(number):
        start = NOON - 5 * HOUR - n * 2 * HOUR
        event = scene.lesson(start)
        people = (there(PARTNER, start, 0, 44), *(there(one, start, 0, 45) for one in STUDENTS))
        scene.call(event, there(TEACHER, start, 0, 30), *people)
        made.append(event)
    return made


def alone(scene: Scene, number: int) -> None:
    """Lessons to which no staff came: critical flags."""
    for n in range(number):
        start = NOON - 6 * HOUR - n * 2 * HOUR
        event = scene.lesson(start)
        people = (there(PARTNER, start, 0, 44), *(there(one, start, 0, 45) for one in STUDENTS))
        scene.call(event, *people)


def to(letters: list[Letter], address: str) -> list[Letter]:
    return [letter for letter in letters if address in letter.to]


def held(scene: Scene) -> int:
    with scene.stage.app.store.reading() as tx:
        return storm.state(tx).total


def release(scene: Scene) -> dict[str, int]:
    with scene.stage.app.store.transaction() as tx:
        return dict(storm.release(tx, OPERATOR, scene.clock.now).mails)


def decide(scene: Scene, flag_id: str, status: FlagStatus) -> None:
    with scene.stage.app.store.transaction() as tx:
        tx.flags.decide(Decision(flag_id, status, "seen", "", OFFICER, scene.clock.now))


# --- Links --------------------------------------------------------------------------------------


def test_mails_of_a_simulated_district_link_to_the_case(scene: Scene) -> None:
    """Officers to the case of the occurrence, the host to the page for an answer."""
    left_early(scene, 1)

    letters = scene.poll_letters()

    name = case_id(scene.flag("staff-left-early").occurrence.text)
    (officer,), (host,) = to(letters, OFFICER), to(letters, TEACHER)
    assert f"http://127.0.0.1:8000/cases/{name}" in officer.text
    assert f"http://127.0.0.1:8000/answers/{name}" in host.text
    assert "/cases/" not in host.text


def test_the_reminder_of_a_meeting_that_is_not_authorized_leads_to_the_request(
    tmp_path: Path,
) -> None:
    """`/approvals/ask/…` with the same case id."""
    from tests.scene import small_rows

    with a_scene(tmp_path, rows=small_rows(NOON, is_authorized=False)) as scene:
        scene.lesson(NOON + 3 * DAY)
        text = "\n".join(letter.text for letter in to(scene.poll_letters(), TEACHER))
        (flag,) = [f for f in scene.stage.flags() if f.rule == "authorization-missing"]

    assert f"/approvals/ask/{case_id(flag.occurrence.text)}" in text


# --- Nobody acknowledges ------------------------------------------------------------------------


def test_a_critical_flag_is_escalated_by_the_clock_alone(scene: Scene) -> None:
    """Nothing changes and nothing is read anew: an hour of school time later it is mailed."""
    alone(scene, 1)
    scene.poll_letters()
    flag = scene.flag("no-staff-joined")

    assert scene.poll_letters(NOON + HOUR - MINUTE) == []
    (letter,) = scene.poll_letters(NOON + HOUR)
    assert set(letter.to) == {OFFICER, PRINCIPAL, PRIVACY}
    assert "Nobody has acknowledged" in letter.text
    assert letter.message["References"]
    assert scene.flag("no-staff-joined").told[Audience.ESCALATION] == NOON + HOUR
    assert flag.id in letter.text
    assert scene.poll_letters(NOON + 2 * HOUR) == []


def test_an_acknowledged_flag_is_not_escalated(scene: Scene) -> None:
    """Somebody looks into it."""
    alone(scene, 1)
    scene.poll_letters()
    decide(scene, scene.flag("no-staff-joined").id, FlagStatus.ACKNOWLEDGED)

    assert scene.poll_letters(NOON + 2 * HOUR) == []


def test_high_flags_are_told_again_in_one_mail_when_school_closes(scene: Scene) -> None:
    """Three meetings, one mail to the officers; the acknowledged one is not in it."""
    left_early(scene, 3)
    scene.poll_letters()
    first, *rest = scene.stage.flags()
    decide(scene, first.id, FlagStatus.ACKNOWLEDGED)

    (letter,) = scene.poll_letters(NOON + 4 * HOUR)

    assert letter.to == (OFFICER,)
    assert "NOBODY HAS ACKNOWLEDGED THESE YET" in letter.text
    assert {flag.id for flag in rest} == set(re.findall(r"F-[0-9a-f]{12}", letter.text))
    assert scene.poll_letters(NOON + 5 * HOUR) == []


# --- Rolled up ----------------------------------------------------------------------------------


def test_above_ten_a_day_high_flags_leave_in_the_same_pass_as_one(scene: Scene) -> None:
    """Ten mails, and one for the other four; every flag is in exactly one of them."""
    left_early(scene, 14)

    letters = to(scene.poll_letters(), OFFICER)

    assert len(letters) == 11
    flags = {flag.id for flag in scene.stage.flags() if flag.rule == "staff-left-early"}
    named = [set(re.findall(r"F-[0-9a-f]{12}", letter.text)) & flags for letter in letters]
    assert sorted(map(len, named)) == [1] * 10 + [4]
    assert set.union(*named) == flags
    (rolled,) = [letter for letter in letters if "in one mail" in letter.text]
    assert rolled.message["References"] is None
    with scene.stage.app.store.reading() as tx:
        assert tx.outbox.counts()[OutboxState.ROLLED_UP] >= 4


def test_tomorrow_mails_leave_one_by_one_again(scene: Scene) -> None:
    """The limit is one of the local day."""
    with scene.restarted(MEETBOT_MAIL__DAILY="1"):
        left_early(scene, 3)
        assert len(to(scene.poll_letters(), OFFICER)) == 2
        start = NOON + 20 * HOUR
        event = scene.lesson(start)
        people = (there(PARTNER, start, 0, 44), *(there(one, start, 0, 45) for one in STUDENTS))
        scene.call(event, there(TEACHER, start, 0, 30), *people)

        letters = to(scene.poll_letters(NOON + DAY), OFFICER)

    assert any("staff-left-early" not in one.text and "10:30" not in one.text for one in letters)
    assert not any("in one mail" in one.text and "NEW" in one.text for one in letters)


# --- Storms -------------------------------------------------------------------------------------


def test_a_storm_stops_mail_and_says_so(scene: Scene) -> None:
    """Critical flags leave in one mail for each; operators and officers get the numbers by rule;
    the rest waits for as long as it takes."""
    left_early(scene, 5)
    alone(scene, 2)
    with scene.restarted(MEETBOT_MAIL__STORM="6"):
        result = scene.poll()
        letters = scene.letters()

        assert result.storm.is_storm
        assert result.storm.total == held(scene) > 0
        (told,) = to(letters, OPERATOR)
        assert set(told.to) == {OPERATOR, OFFICER}
        assert "mail is stopped" in told.subject
        assert "staff-left-early: 5" in told.text
        assert "no-staff-joined: 2" in told.text
        (critical,) = [one for one in to(letters, OFFICER) if one is not told]
        flags = {f.id for f in scene.stage.flags() if f.rule == "no-staff-joined"}
        assert flags <= set(re.findall(r"F-[0-9a-f]{12}", critical.text))
        assert not any("Staff left" in one.text for one in letters)
        assert scene.poll_letters(NOON + 5 * MINUTE) == []

        again = scene.poll_letters(NOON + DAY)
        assert "still stopped" in to(again, OPERATOR)[0].subject
        assert held(scene) > 0


def test_what_is_released_leaves_and_does_not_count_again(scene: Scene) -> None:
    """Every held flag is mailed to host and officers, and the storm does not begin anew."""
    left_early(scene, 8)
    with scene.restarted(MEETBOT_MAIL__STORM="7"):
        scene.poll_letters()
        waiting = held(scene)
        scene.clock.to(NOON + 10 * MINUTE)

        assert release(scene) == {"released": waiting, "renewed": 0, "late": 0, "stale": 0}
        letters = scene.poll_letters()

        assert held(scene) == 0
        flags = {f.id for f in scene.stage.flags() if f.rule == "staff-left-early"}
        for reader in (OFFICER, TEACHER):
            text = "\n".join(letter.text for letter in to(letters, reader))
            if reader == OFFICER:
                assert flags <= set(re.findall(r"F-[0-9a-f]{12}", text))
            assert text
        assert not to(letters, OPERATOR)


def test_a_mended_mistake_is_not_mailed_when_released(scene: Scene) -> None:
    """A stranger in every invitation, held; the invitations are corrected; nobody hears of it."""
    events = [
        scene.lesson(NOON + 2 * DAY + n * HOUR, guests=[PARTNER, STRANGER, *STUDENTS])
        for n in range(6)
    ]
    with scene.restarted(MEETBOT_MAIL__STORM="5"):
        scene.poll_letters()
        assert held(scene) > 0
        for event in events:
            scene.world.update_event(event.event_id, attendees=[PARTNER, *STUDENTS])
        scene.poll_letters(NOON + 10 * MINUTE)
        assert "partner-unregistered" not in scene.rules()

        counts = release(scene)
        letters = scene.poll_letters(NOON + 12 * MINUTE)

    assert counts["stale"] >= 6
    assert counts["renewed"] > 0
    assert [one for one in letters if "your partner meeting of" in one.text]
    assert not [one for one in letters if "stranger" in one.text or "Withdrawn" in one.text]


def test_reminders_of_what_has_begun_are_left_out_and_counted(scene: Scene) -> None:
    """Held over the start of the meeting."""
    left_early(scene, 4)
    scene.lesson(NOON + HOUR)
    with scene.restarted(MEETBOT_MAIL__STORM="3"):
        scene.poll()
        scene.clock.to(NOON + 2 * HOUR)
        assert release(scene)["late"] == 1


def test_dropped_mails_stay_away_and_the_flags_open(scene: Scene) -> None:
    """And later flags are mailed as ever."""
    left_early(scene, 4)
    with scene.restarted(MEETBOT_MAIL__STORM="3"):
        scene.poll_letters()
        number = held(scene)
        with scene.stage.app.store.transaction() as tx:
            assert storm.drop(tx, OPERATOR, NOON).mails == {"dropped": number}
        assert scene.poll_letters(NOON + MINUTE) == []
        assert len(scene.stage.flags()) == 4
        with (
            pytest.raises(NotFound, match="no storm"),
            scene.stage.app.store.transaction() as tx,
        ):
            storm.release(tx, OPERATOR, NOON)


def test_a_storm_is_told_and_ended_on_the_command_line(scene: Scene, tmp_path: Path) -> None:
    """`poll` says it, `mail status` the numbers, `mail release` ends it; all is in the chain."""
    left_early(scene, 4)
    variables = {"MEETBOT_MAIL__STORM": "3"}
    with scene.restarted(**variables):
        scene.poll_letters()

    def ran(*words: str) -> tuple[int, str]:
        done = meetbot("--config", scene.stage.config, *words, cwd=tmp_path, **variables)
        return done.code, done.out

    assert "Mail is stopped since" in ran("mail", "status")[1]
    assert '"staff-left-early": 4' in ran("mail", "status", "--json")[1]
    assert ran("mail", "release", "--by", "somebody@stranger.example")[0] == 2
    assert ran("mail", "release", "--by", STUDENTS[0])[0] == 2
    code, out = ran("mail", "release", "--by", OPERATOR)
    assert (code, out.startswith("Released ")) == (0, True)
    assert ran("mail", "drop", "--by", OPERATOR)[0] == 2
    assert "as usual" in ran("mail", "status")[1]
    assert ran("audit", "verify")[0] == 0
    with scene.stage.app.store.reading() as tx:
        links = tx.chain.links(LinkKind.STORM)
        assert [link.subject for link in links] == ["storm 1", "storm 1"]
        assert OPERATOR not in "".join(link.payload for link in links)
        (ended,) = tx.storms.list()
        assert ended.ended_by == OPERATOR


def test_the_call_to_join_now_is_never_held(scene: Scene) -> None:
    """A running meeting without its teacher cannot wait for an operator."""
    left_early(scene, 4)
    start = NOON - 5 * MINUTE
    event = scene.lesson(start)
    people = (there(PARTNER, start, 0, None), *(there(one, start, 0, None) for one in STUDENTS))
    scene.call(event, there(TEACHER, start, 0, 2), *people)
    with scene.restarted(MEETBOT_MAIL__STORM="3"):
        letters = scene.poll_letters()

    assert [one for one in to(letters, TEACHER) if "join your meeting now" in one.text]
    assert to(letters, OPERATOR)
    assert timedelta(0) < NOON - start
