"""A flag about an extra person in a confidential session: what is kept, exported and shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meetbot.domain.flags import Flag
from meetbot.domain.snapshots import Withheld
from tests.command import Ran, meetbot
from tests.scene import (
    DAY,
    HOUR,
    NOON,
    PARTNER,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    small_rows,
    there,
)

HELD_AT = NOON - 5 * HOUR
CLINIC = {
    "kind": "confidential-clinical",
    "value": "bright-college",
    "consent_on_file": "yes",
    "reason": "health service",
    "owner": "compliance@district.example",
    "starts_on": f"{NOON - 200 * DAY:%Y-%m-%d}",
    "ends_on": f"{NOON + 200 * DAY:%Y-%m-%d}",
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A clinician and a student this morning, with a teacher there for five minutes."""
    rows = small_rows(NOON) | {"exemptions.csv": [CLINIC]}
    with a_scene(tmp_path_factory.mktemp("clinic"), rows=rows) as made:
        session = made.lesson(HELD_AT, guests=(PARTNER, STUDENTS[0]))
        made.call(
            session,
            there(PARTNER, HELD_AT, 0, 44),
            there(STUDENTS[0], HELD_AT, 0, 44),
            there(TEACHER, HELD_AT, 10, 15),
        )
        made.poll()
        yield made


def the_flag(scene: Scene) -> Flag:
    return scene.flag("confidential-intruder")


def run(scene: Scene, *words: str | Path) -> Ran:
    return meetbot("--config", scene.stage.config, *words, cwd=scene.stage.folder)


def exported(scene: Scene) -> Path:
    done = run(scene, "evidence", "export", the_flag(scene).id, "out")
    assert done.code == 0, done.err
    assert "for the privacy officers only" in done.out
    return scene.stage.folder / done.out.splitlines()[0].removesuffix(" (already there, the same)")


def test_it_is_decided_again_from_its_file(scene: Scene) -> None:
    """Nothing is left unchecked, with the chain and the database at hand."""
    done = run(scene, "evidence", "verify", exported(scene))
    assert (done.code, "Not checked" in done.out) == (0, False), done.out
    assert "1 change decided again, the same" in done.out


def test_what_is_kept_is_small_and_bound_to_the_flag(scene: Scene) -> None:
    """Stored, it names no address, student, title, partner or program."""
    with scene.stage.app.store.reading() as tx:
        (entry,) = tx.flags.entries(the_flag(scene).id)
        assert entry.withheld is Withheld.CONFIDENTIAL
        assert entry.snapshot is not None
        kept = tx.snapshots.load(entry.snapshot)
        others = [e for f in scene.stage.flags() for e in tx.flags.entries(f.id) if f != entry.flag]
    assert kept.about == ("confidential-intruder",)
    assert kept.dossier.meeting is None
    text = repr(kept.dossier)
    for word in (TEACHER, PARTNER, STUDENTS[0], "bright", "Cedar School", "health"):
        assert word not in text
    assert all(e.snapshot is None for e in others if e.flag.rule != "confidential-intruder")


def test_no_name_is_in_its_file_and_nothing_of_it_on_a_terminal(scene: Scene) -> None:
    """Who was there goes by role and number; `flags show` tells of no session."""
    content = exported(scene).read_text()
    users = [u for u in scene.world.users.values() if " " in u.name]
    private = {word for u in users for word in (u.email, u.user_id, u.name)}
    assert [word for word in (*private, PARTNER, "bright", "Cedar School") if word in content] == []

    shown = run(scene, "flags", "show", the_flag(scene).id)
    assert (shown.code, "only its evidence file" in shown.out) == (0, True)
    for word in ("bright", "cedar", "clinician", "Student 1", "E1"):
        assert word not in shown.out


def test_a_changed_byte_is_found(scene: Scene) -> None:
    """In the file, with the place."""
    path = scene.stage.folder / "changed.json"
    content = exported(scene).read_bytes()
    path.write_bytes(content.replace(b'"kind": "staff"', b'"kind": "stafg"', 1))
    assert path.read_bytes() != content
    done = run(scene, "evidence", "verify", path)
    assert done.code == 1
    assert "dossiers[0]" in done.out
