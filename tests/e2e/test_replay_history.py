"""What replay makes of decisions, shadows, a corrected registry and forgotten attendance."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meetbot.sandbox.audit import AuditLog
from tests.command import meetbot
from tests.scene import (
    COLLEAGUE,
    DAY,
    HOUR,
    OFFICER,
    PARTNER,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    small_rows,
    there,
)

RULE = "staff-left-early"
EVE = "eve@bright.example"
STRANGER = "sam@stranger.example"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A lesson known before, held a day ago and left early; judged before and after."""
    now = datetime.now(UTC).replace(microsecond=0)
    with a_scene(tmp_path, now=now - 3 * DAY) as made:
        start = now - 2 * DAY
        event = made.lesson(start, guests_invite=True)
        made.poll(now - 3 * DAY)
        made.call(
            event,
            there(TEACHER, start, 0, 30),
            there(PARTNER, start, 0, 44),
            *(there(one, start, 0, 45) for one in STUDENTS),
        )
        made.poll(now - DAY)
        yield made


def policy(scene: Scene, text: str) -> None:
    scene.stage.config.with_name("policy.toml").write_text(text, encoding="utf-8")


def replay(scene: Scene, *words: str) -> dict[str, Any]:
    since = f"{datetime.now(UTC) - timedelta(days=10):%Y-%m-%dT%H:%M:%SZ}"
    ran = meetbot(
        "--config", scene.stage.config, "replay", "--since", since, "--json", *words,
        cwd=scene.stage.folder,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    found: dict[str, Any] = ran.json
    return found


def test_flags_of_every_phase_are_found_again(scene: Scene) -> None:
    """One from before the start, which is not asked later, and one from after the end."""
    assert scene.rules() == {"guests-can-invite", RULE}
    found = replay(scene)
    assert (found["differences"], found["occurrences"]) == ([], 1)


def test_what_rests_on_other_sources_is_found_again(tmp_path: Path) -> None:
    """Spaces, shared codes, the history of a guest list, the audit log of calendars, and texts.

    A guest whom nobody is known to have added needs review; who opened the space did so before the
    start, and the text was mended since.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    began, start = now - 3 * DAY, now - 2 * DAY
    with a_scene(tmp_path, now=began) as scene:
        lesson = scene.lesson(start, code="one-code-two", guests_invite=True)
        scene.world.set_space(lesson.code, access_type="OPEN", cohosts=[PARTNER, COLLEAGUE])
        scene.lesson(start + 4 * DAY, code="one-code-two", guests=[STRANGER, *STUDENTS])
        other = scene.lesson(start + HOUR, guests_invite=True, description=f"Ask {STUDENTS[0]}.")
        scene.poll(began)
        _invite(scene, lesson.event_id, EVE, by=PARTNER, at=began + HOUR)
        rows = scene.world.audit["calendar"]
        scene.world.update_event(other.event_id, description="Ask us.")
        _invite(scene, other.event_id, EVE, by=TEACHER, at=began + 2 * HOUR)
        scene.world.audit["calendar"] = AuditLog()
        scene.poll(began + 2 * HOUR + timedelta(minutes=1))
        scene.world.audit["calendar"] = rows
        for at in (began + 6 * HOUR, start - HOUR, now - DAY):
            scene.poll(at)
        found = {(flag.rule, flag.status.is_pending) for flag in scene.stage.flags() if flag.told}
        assert {
            "open-access-space",
            "meeting-code-reused",
            "guest-added-by-partner",
            "student-data-in-text",
        } <= {rule for rule, is_open in found if is_open}
        replayed = replay(scene)

    assert replayed["differences"] == []
    assert replayed["skipped"] == replayed["failed"] == {}


def _invite(scene: Scene, event_id: str, guest: str, *, by: str, at: datetime) -> None:
    scene.clock.to(at)
    scene.world.clock = lambda: at
    guests = scene.world.events[event_id].attendees
    scene.world.update_event(event_id, attendees=[*guests, guest], actor=by)


def test_decided_flags_make_no_difference_by_themselves(scene: Scene) -> None:
    """An officer's decision stays; if the flag would vanish, its state is told."""
    decided = meetbot(
        "--config", scene.stage.config, "flags", "decide", scene.flag(RULE).id,
        "--as", "dismissed", "--reason", "technical", "--by", OFFICER, cwd=scene.stage.folder,
    )  # fmt: skip
    assert decided.code == 0
    assert replay(scene)["differences"] == []

    policy(scene, "[thresholds]\nafter_s = 3600\n")
    (one,) = replay(scene)["differences"]
    assert (one["kind"], one["before"]["status"]) == ("vanish", "dismissed")


def test_a_policy_changed_since_the_last_pass_is_the_cause(scene: Scene) -> None:
    """Without `--policy` the current one is compared with the one that decided."""
    policy(scene, "[thresholds]\nhigh_s = 3600\n")

    (one,) = replay(scene)["differences"]

    assert (one["rule"], one["kind"]) == (RULE, "change")
    assert (one["before"]["severity"], one["after"]["severity"]) == ("high", "medium")
    assert one["why"] == ["thresholds.high_s is 3600, was 300", "measured: after 840 s"]


def test_rules_in_shadow_are_compared_with_what_they_found(scene: Scene) -> None:
    """Going into shadow changes nothing; coming out of it, the flag would appear."""
    policy(scene, f"[rules.{RULE}]\nshadow = true\n[rules.guests-can-invite]\nshadow = true\n")
    assert replay(scene)["differences"] == []
    with scene.restarted():
        scene.poll()
    assert replay(scene)["differences"] == []

    policy(scene, f"[thresholds]\nhigh_s = 3600\n[rules.{RULE}]\nshadow = true\n")
    (one,) = replay(scene)["differences"]
    assert (one["rule"], one["kind"], one["shadow"]) == (RULE, "change", True)


def test_out_of_the_shadow_a_flag_appears(tmp_path: Path) -> None:
    """What was only found in shadow would be a flag, and the reason says so."""
    now = datetime.now(UTC).replace(microsecond=0)
    with a_scene(tmp_path, now=now) as scene:
        policy(scene, f"[rules.{RULE}]\nshadow = true\n")
        start = now - 3 * HOUR
        scene.call(
            scene.lesson(start),
            there(TEACHER, start, 0, 30),
            there(PARTNER, start, 0, 44),
            *(there(one, start, 0, 45) for one in STUDENTS),
        )
        with scene.restarted():
            scene.poll()
        assert replay(scene)["differences"] == []

        policy(scene, "")
        (one,) = replay(scene)["differences"]
        assert (one["kind"], one["shadow"]) == ("appear", False)
        assert one["why"][0] == f"rules.{RULE}.shadow is false: it was found in shadow until now"


def test_a_registry_corrected_since_is_the_cause(scene: Scene) -> None:
    """Imported, but not judged yet: the difference is the registry's, not a setting's."""
    rows = small_rows(scene.clock())
    rows["contracts.csv"] = []
    scene.clock.to(datetime.now(UTC))
    scene.stage.import_registry(rows)

    found = {one["rule"]: one for one in replay(scene)["differences"]}

    assert found["contract-missing"]["kind"] == "appear"
    assert found["contract-missing"]["why"][0].startswith("the registry: decided before its import")


def test_other_data_is_the_cause_where_nothing_else_is(scene: Scene) -> None:
    """A call read but not judged yet is said to be other data."""
    with closing(sqlite3.connect(scene.stage.folder / "meetbot.db")) as database:
        database.execute("DELETE FROM flags WHERE rule = ?", [RULE])
        database.commit()

    (one,) = replay(scene)["differences"]
    assert one["kind"] == "appear"
    assert one["why"][0].startswith("no setting: other data, an older policy or another version")


def test_forgotten_attendance_is_said_and_accuses_nobody(scene: Scene) -> None:
    """Where who was present is deleted, nothing vanishes: the meeting is left out and counted."""
    with closing(sqlite3.connect(scene.stage.folder / "meetbot.db")) as database:
        assert database.execute("DELETE FROM conferences").rowcount
        database.commit()

    found = replay(scene)

    assert (found["occurrences"], found["differences"]) == (0, [])
    assert found["skipped"] == {"who was present is no longer stored": 1}


def test_history_of_an_older_database_is_found_again(scene: Scene) -> None:
    """Where it is not known when a meeting was judged, before the start and now stand in."""
    with closing(sqlite3.connect(scene.stage.folder / "meetbot.db")) as database:
        columns = ("before", "during", "after")
        names = ", ".join(f"judged_{phase}_at = NULL" for phase in columns)
        database.execute(f"UPDATE meetings SET {names}")
        database.commit()

    assert replay(scene)["differences"] == []


def test_an_occurrence_that_cannot_be_decided_is_counted(scene: Scene) -> None:
    """Exit 3: the others are decided, and what failed is said without its data."""
    with closing(sqlite3.connect(scene.stage.folder / "meetbot.db")) as database:
        database.execute("UPDATE conferences SET visits = replace(visits, 'signed-in', 'secret@x')")
        database.commit()
    ran = meetbot(
        "--config", scene.stage.config, "replay", "--since", "2020-01-01", cwd=scene.stage.folder
    )
    assert ran.code == 3
    assert "could not be decided: ValueError at " in ran.out
    assert "secret" not in ran.out
