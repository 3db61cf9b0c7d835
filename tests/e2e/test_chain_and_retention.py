"""`audit`, `hold` and `months`: what was done can be checked by anybody who may run meetbot."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from meetbot.domain.flags import FlagStatus
from meetbot.ports import Decision
from tests.command import Ran, meetbot
from tests.scene import (
    DAY,
    NOON,
    OFFICER,
    PARTNER,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    there,
)

HELD_AT = NOON - timedelta(hours=5)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with a_scene(tmp_path) as made:
        yield made


def a_lesson(scene: Scene, *, staff_until: float) -> str:
    """A lesson this morning; gives its uid."""
    lesson = scene.lesson(HELD_AT)
    scene.call(
        lesson,
        there(TEACHER, HELD_AT, 0, staff_until),
        there(PARTNER, HELD_AT, 0, 44),
        *(there(one, HELD_AT, 0, 44) for one in STUDENTS),
    )
    return lesson.ical_uid


def run(scene: Scene, *words: str) -> Ran:
    return meetbot("--config", scene.stage.config, *words, cwd=scene.stage.folder)


def change(scene: Scene, statement: str) -> None:
    with scene.stage.app.store._engine.begin() as connection:
        connection.execute(text(statement))


def decide(scene: Scene) -> str:
    flag = scene.flag("staff-left-early", FlagStatus.OPEN)
    with scene.stage.app.store.transaction() as tx:
        tx.flags.decide(
            Decision(flag.id, FlagStatus.DISMISSED, "technical", "", OFFICER, scene.clock())
        )
    return flag.id


# --- audit --------------------------------------------------------------------------------------


def test_everything_done_is_in_the_chain(scene: Scene) -> None:
    """Import, mails and a decision are links; `audit verify` says where the chain ends."""
    a_lesson(scene, staff_until=30)
    scene.poll()
    decide(scene)

    ran = run(scene, "audit", "verify")
    assert ran.code == 0, ran.out
    assert ran.out.startswith("ok")
    document = run(scene, "audit", "verify", "--json").json
    assert document["ok"] is True
    assert document["broken"] is None
    log = run(scene, "audit", "log", "--json").json
    assert document["links"] == len(log)
    assert document["head"] == {"sequence": len(log), "digest": log[-1]["digest"]}
    mails = len(scene.stage.mailbox.mails)
    kinds = [link["kind"] for link in log]
    assert kinds[:2] == ["genesis", "registry"]
    assert kinds.count("mail") == mails > 0
    assert kinds[-1] == "decision"
    assert "registry_rows" in run(scene, "audit", "log", "--kind", "registry").out


def test_links_are_recomputed_without_meetbot(scene: Scene) -> None:
    """By what the README says, from what `audit log --json` prints."""
    a_lesson(scene, staff_until=30)
    scene.poll()
    previous = "0" * 64
    for link in run(scene, "audit", "log", "--json").json:
        hashed = link.pop("digest")
        text = json.dumps(link, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == hashed
        assert link["previous"] == previous
        previous = hashed


def test_a_rewritten_decision_is_named(scene: Scene) -> None:
    """Exit 1 with the link, its kind and what differs, in both forms."""
    a_lesson(scene, staff_until=30)
    scene.poll()
    decide(scene)
    change(scene, "UPDATE decisions SET reason = 'duplicate'")

    ran = run(scene, "audit", "verify")
    assert ran.code == 1
    assert re.search(r"BROKEN  Link \d+ \(decision\): decisions 1 is not as it was", ran.out)
    document = run(scene, "audit", "verify", "--json")
    assert document.code == 1
    assert document.json["ok"] is False
    assert document.json["broken"]["kind"] == "decision"


def test_the_head_in_the_weekly_mail_shows_a_rewritten_history(scene: Scene) -> None:
    """Text and HTML name it; as long as it is in the chain all is well, then no more."""
    scene.poll()
    letters = [one for one in scene.poll_letters(NOON + 7 * DAY) if "Weekly" in one.subject]
    (weekly,) = letters
    heads = re.findall(r"audit verify --head ([0-9a-f]{64})", weekly.text.replace("=\n", ""))
    assert len(heads) == 2
    assert heads[0] == heads[1]

    assert run(scene, "audit", "verify", "--head", heads[0].upper()).code == 0
    ran = run(scene, "audit", "verify", "--head", "0" * 64)
    assert ran.code == 1
    assert "no link of the chain" in ran.out
    assert run(scene, "audit", "verify", "--head", heads[0][:63]).code == 2


def test_a_database_without_its_chain_is_broken(scene: Scene) -> None:
    """Emptiness is no pass."""
    change(scene, "DELETE FROM chain")
    change(scene, "DELETE FROM settings WHERE name = 'chain-head'")

    ran = run(scene, "audit", "verify")
    assert ran.code == 1
    assert "empty" in ran.out
    assert run(scene, "audit", "log").out == ""


# --- hold and months ----------------------------------------------------------------------------

WHO = ("--reason", "records request 12", "--by", OFFICER)


def test_a_hold_is_added_listed_and_removed(scene: Scene) -> None:
    """Each step is said, and recorded in the chain."""
    a_lesson(scene, staff_until=30)
    scene.poll()
    flag_id = scene.flag("staff-left-early").id
    for words in (("flag", flag_id), ("partner", "bright"), ("everything",)):
        assert run(scene, "hold", "add", *words, *WHO).code == 0
    first, *others = run(scene, "hold", "list", "--json").json
    assert (first["kind"], first["subject"], first["by"]) == ("flag", flag_id, OFFICER)
    assert len(others) == 2

    assert run(scene, "hold", "remove", str(first["id"]), *WHO).code == 0
    assert len(run(scene, "hold", "list", "--json").json) == 2
    assert f"removed {first['added_at'][:10]}" in run(scene, "hold", "list", "--all").out
    assert run(scene, "hold", "remove", str(first["id"]), *WHO).code == 2
    assert len(run(scene, "audit", "log", "--kind", "hold", "--json").json) == 4
    assert run(scene, "audit", "verify").code == 0


def test_a_meeting_is_held_by_its_uid(scene: Scene) -> None:
    """As `flags list --json` tells it."""
    uid = a_lesson(scene, staff_until=44)
    scene.poll()

    assert run(scene, "hold", "add", "meeting", uid, *WHO).code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("flag", "F-000000000000", *WHO),
        ("meeting", "nobody@google.com", *WHO),
        ("partner", "nobody", *WHO),
        ("everything", "bright", *WHO),
        ("partner", *WHO),
        ("school", "cedar", *WHO),
        ("partner", "bright", "--reason", " ", "--by", OFFICER),
        ("partner", "bright", "--reason", "x", "--by", PARTNER),
    ],
)
def test_a_hold_on_nothing_is_refused(scene: Scene, words: tuple[str, ...]) -> None:
    """Exit 2 with the fix, and no hold is made: a mistyped one would keep nothing."""
    ran = run(scene, "hold", "add", *words)

    assert ran.code == 2, ran.out
    assert run(scene, "hold", "list").out == "No holds.\n"


def test_months_are_printed(scene: Scene) -> None:
    """In both forms; without any meeting it says so."""
    assert run(scene, "months").out == "No meetings.\n"
    assert run(scene, "months", "--json").json == []
    with scene.stage.app.store._engine.begin() as connection:
        connection.execute(text("INSERT INTO forgotten VALUES ('2026-10', 3, 2, 40)"))

    assert run(scene, "months").out == "2026-10  meetings 3, calls 2, visits 40\n"
    assert run(scene, "months", "--json").json == [
        {"month": "2026-10", "meetings": 3, "calls": 2, "visits": 40}
    ]
