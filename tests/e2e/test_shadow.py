"""A rule in shadow is decided and counted, and nobody is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from meetbot.domain.flags import FlagStatus
from tests.command import Ran, meetbot
from tests.scene import (
    DAY,
    HOUR,
    NOON,
    OFFICER,
    PARTNER,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    there,
)

RULE = "staff-left-early"
OVER = "outside-authorized-window"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A lesson that the teacher left early, and that went on much longer than planned."""
    with a_scene(tmp_path) as made:
        start = NOON - 3 * HOUR
        event = made.lesson(start)
        made.call(
            event,
            there(TEACHER, start, 0, 55),
            there(PARTNER, start, 0, 70),
            *(there(one, start, 0, 70) for one in STUDENTS),
        )
        yield made


def policy(scene: Scene, *rules: str) -> None:
    """Put these rules into shadow, from the next start on."""
    text = "".join(f"[rules.{rule}]\nshadow = true\n" for rule in rules)
    scene.stage.config.with_name("policy.toml").write_text(text, encoding="utf-8")


def run(scene: Scene, *words: str) -> Ran:
    return meetbot("--config", scene.stage.config, *words, cwd=scene.stage.folder)


def test_nobody_hears_of_a_rule_in_shadow(scene: Scene) -> None:
    """No flag, no mail, no digest line; found once, and the same the next time."""
    policy(scene, RULE, OVER)
    with scene.restarted():
        first = scene.poll()
        assert first.shadow == {"found": 2, "gone": 0, "kept": 2}
        assert scene.rules() == set()
        second = scene.poll(NOON + DAY)
        assert second.shadow == {"found": 0, "gone": 0, "kept": 2}
        assert scene.letters() == []

    assert run(scene, "flags", "list", "--status", "all", "--json").json == []
    shadows = run(scene, "flags", "list", "--shadow", "--json").json
    assert {(one["rule"], one["status"], one["shadow"]) for one in shadows} == {
        (RULE, "open", True),
        (OVER, "open", True),
    }
    assert RULE in run(scene, "flags", "list", "--shadow", "--rule", RULE).out
    assert OVER not in run(scene, "flags", "list", "--shadow", "--rule", RULE).out
    polled = run(scene, "poll")
    assert "2 kept (not mailed; see `meetbot flags list --shadow`)" in polled.out


def test_other_rules_go_on_as_before(scene: Scene) -> None:
    """One rule in shadow keeps no other from opening flags and sending mail."""
    policy(scene, RULE)
    with scene.restarted():
        letters = scene.poll_letters()
        assert scene.rules() == {OVER}
        assert {to for letter in letters for to in letter.to} == {TEACHER}
        assert all("Staff left" not in letter.text for letter in letters)


def test_the_evidence_of_other_flags_is_the_same_without_it(scene: Scene) -> None:
    """What a rule in shadow found or could not decide is no part of what flags were decided on."""
    scene.lesson(NOON + 3 * DAY, guests_invite=True)
    scene.world.fail("meet", 403, "forbidden", method="meet.spaces", times=None)
    policy(scene, "open-access-space", RULE)
    with scene.restarted():
        scene.poll()
    assert scene.rules() == {"guests-can-invite", OVER}
    for flag in scene.stage.flags():
        file = run(scene, "evidence", "export", flag.id, "out").out.splitlines()[0]
        kept = json.loads((scene.stage.folder / file).read_text("utf-8"))
        undecided = {one["rule"] for dossier in kept["dossiers"] for one in dossier["undecided"]}
        assert not undecided & {"open-access-space", RULE}
        ran = run(scene, "evidence", "verify", file)
        assert (ran.code, "1 change decided again, the same" in ran.out) == (0, True), ran.out


def test_taken_out_of_the_shadow_it_becomes_a_flag(scene: Scene) -> None:
    """What is found then is opened and mailed like any new flag, and no longer a shadow."""
    policy(scene, RULE)
    with scene.restarted():
        scene.poll()
    policy(scene)
    with scene.restarted():
        letters = scene.poll_letters()
        assert scene.flag(RULE).status is FlagStatus.OPEN
        assert OFFICER in {to for letter in letters for to in letter.to}
        with scene.stage.app.store.reading() as tx:
            assert tx.shadows.list() == []


def test_open_flags_stay_open_when_their_rule_goes_into_shadow(scene: Scene) -> None:
    """Nothing is withdrawn, nobody is told more, and officers can still decide them."""
    scene.poll()
    before = {rule: scene.flag(rule) for rule in (RULE, OVER)}
    scene.letters()
    policy(scene, RULE, OVER)
    with scene.restarted():
        for days in (1, 2, 9):  # the digest of the next day, and officers after three school days
            scene.poll(NOON + days * DAY)
        said = [letter.text for letter in scene.letters()]
        assert not [text for text in said if "Tara" in text or "flag opened" in text.lower()]
        assert {rule: scene.flag(rule) for rule in (RULE, OVER)} == before
        decided = run(
            scene, "flags", "decide", before[RULE].id, "--as", "dismissed",
            "--reason", "technical", "--by", OFFICER,
        )  # fmt: skip
        assert decided.code == 0


def test_the_weekly_summary_counts_them(scene: Scene) -> None:
    """By rule, without a word about the meetings."""
    policy(scene, RULE)
    with scene.restarted():
        scene.poll()
        letters = scene.poll_letters(NOON + 7 * DAY)
    (weekly,) = [one for one in letters if "RULES IN SHADOW" in one.text]
    assert f"- {RULE}: 1" in weekly.text
    assert weekly.to == (OFFICER,)


def test_what_a_shadow_no_longer_finds_is_gone(scene: Scene) -> None:
    """As a flag would be withdrawn, a shadow is forgotten."""
    policy(scene, "authorization-missing")
    scene.stage.import_registry({})
    event = scene.lesson(NOON + 2 * DAY)
    with scene.restarted():
        scene.poll()
        scene.world.cancel_event(event.event_id)
        result = scene.poll(NOON + HOUR)
    assert result.shadow["kept"] == 0
