"""`evidence export`, `evidence verify`, `schema evidence` and `flags show` on the demo district."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from meetbot.domain.chain import LinkKind
from meetbot.domain.flags import Flag, FlagStatus, reconcile
from meetbot.domain.snapshots import Snapshot
from meetbot.evidence.labels import Labels
from meetbot.rules import evaluate
from meetbot.sandbox.district import demo_district
from tests.command import Ran, meetbot
from tests.scene import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    PARTNER,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    small_rows,
    there,
)
from tests.stage import Stage, a_stage


@dataclass(frozen=True)
class Told:
    """The district after its first pass, and the evidence file of every flag."""

    stage: Stage
    flags: list[Flag]
    files: dict[str, Path]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    now = datetime.now(UTC)
    world, rows, _ = demo_district(now)
    with a_stage(tmp_path_factory.mktemp("district"), world, rows, clock=lambda: now) as stage:
        stage.poll()
        with stage.app.store.reading() as tx:
            flags = tx.flags.list()
        files = {}
        for flag in flags:
            done = run(stage, "evidence", "export", flag.id, "out")
            assert done.code == 0, done.err
            files[flag.id] = stage.folder / done.out.splitlines()[0]
        yield Told(stage, flags, files)


def run(stage: Stage, *words: str | Path) -> Ran:
    return meetbot("--config", stage.config, *words, cwd=stage.folder)


def a_flag(told: Told, rule: str = "staff-left-early") -> Flag:
    return next(flag for flag in told.flags if flag.rule == rule)


def a_file(told: Told, rule: str = "staff-left-early") -> Path:
    return told.files[a_flag(told, rule).id]


# --- export and verify --------------------------------------------------------------------------


def test_the_evidence_of_every_rule_s_flags_is_decided_again_and_in_the_chain(told: Told) -> None:
    """Of a meeting of adults no dossier is kept; that is said, and is no pass."""
    assert len({flag.rule for flag in told.flags}) > 20
    for flag in told.flags:
        done = run(told.stage, "evidence", "verify", told.files[flag.id])
        if "no dossier is kept" in done.out:
            assert done.code == 3
            assert flag.rule == "partner-unregistered"
        else:
            assert (done.code, "1 change decided again, the same" in done.out) == (0, True), done


def test_no_student_and_nobody_else_is_in_a_file(told: Told) -> None:
    """No name, address or id of anybody in the directory or registry, and no code of a call."""
    content = "\n".join(path.read_text() for path in told.files.values()).lower()
    world = told.stage.world
    private = {user.email for user in world.users.values()}
    private |= {user.user_id for user in world.users.values()}
    private |= {user.name for user in world.users.values() if " " in user.name}
    private |= {event.code for event in world.events.values() if event.code}
    private |= {code.replace("-", "") for code in private}
    private |= {event.summary for event in world.events.values() if event.summary}
    with told.stage.app.store.reading() as tx:
        registry = tx.registry.current()
    private |= {row.value for row in registry.identities if "@" in row.value}
    private |= {row.person_name for row in registry.identities if row.person_name}
    private |= {row.value for row in registry.exemptions if "@" in row.value}
    assert len(private) > 700
    assert {word for word in private if word.lower() in content} == set()


def test_no_key_of_the_database_is_in_a_file(told: Told) -> None:
    """What is in two files cannot be joined by them."""
    content = "\n".join(path.read_text() for path in told.files.values())
    with told.stage.app.store._engine.connect() as connection:
        keys = set(connection.execute(text("SELECT address_key FROM account_addresses")).scalars())
        keys |= set(connection.execute(text("SELECT person_key FROM accounts")).scalars())
        keys |= set(connection.execute(text("SELECT address_key FROM meeting_guests")).scalars())
    assert len(keys) > 500
    assert {key for key in keys if key in content} == set()


def test_file_names_name_nobody_and_files_are_the_owner_s(told: Told) -> None:
    """Flag and digest only."""
    for flag in told.flags:
        path = told.files[flag.id]
        digest = json.loads(path.read_bytes())["digest"]
        assert path.name == f"{flag.id}-{digest[:12]}.json"
        assert path.stat().st_mode & 0o777 == 0o600


def test_renamed_people_are_decided_as_the_database_s(told: Told) -> None:
    """Every verdict of the district as a whole, not only the flags that are in files."""
    snapshots: dict[str, Snapshot] = {}
    with told.stage.app.store.reading() as tx:
        for flag in told.flags:
            for entry in tx.flags.entries(flag.id):
                if entry.snapshot:
                    snapshots[entry.snapshot] = tx.snapshots.load(entry.snapshot)
    assert len(snapshots) > 25
    for snapshot in snapshots.values():
        labels = Labels([snapshot])
        renamed = labels.renamed(snapshot)
        before = [labels.renamed(flag) for flag in _flags(snapshot)]
        assert _flags(renamed) == [replace(flag, id="") for flag in before]


def _flags(snapshot: Snapshot) -> list[Flag]:
    changes = reconcile(
        (), evaluate(snapshot.dossier, snapshot.policy), as_of=snapshot.dossier.as_of
    )
    return [replace(change.flag, id="") for change in changes]


def test_an_export_is_recorded_and_never_overwrites(told: Told) -> None:
    """The same contents are the same file; another one of that name stays as it is."""
    flag, path = a_flag(told), a_file(told)
    before = _exports(told, flag)
    again = run(told.stage, "evidence", "export", flag.id, "out")
    assert (again.code, "already there" in again.out) == (0, True)
    assert _exports(told, flag) == before + 1

    other = told.stage.folder / "other"
    other.mkdir()
    (other / path.name).write_text("something else")
    refused = run(told.stage, "evidence", "export", flag.id, "other")
    assert refused.code == 2
    assert "already with other contents" in refused.err
    assert (other / path.name).read_text() == "something else"
    assert _exports(told, flag) == before + 1


def _exports(told: Told, flag: Flag) -> int:
    with told.stage.app.store.reading() as tx:
        return len(tx.chain.find(LinkKind.EVIDENCE, flag.id))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("evidence", "export", "F-000000000000", "out"), "there is no flag"),
        (("evidence", "export", "FLAG", "meetbot.toml/x"), "cannot be written"),
        (("evidence", "verify", "nowhere.json"), "cannot be read"),
        (("evidence", "verify", "out"), "cannot be read"),
    ],
)
def test_wrong_use_is_said(told: Told, words: tuple[str, ...], says: str) -> None:
    """With exit code 2 and the fix."""
    flag = a_flag(told).id
    done = run(told.stage, *(flag if word == "FLAG" else word for word in words))
    assert (done.code, says in done.err, "Fix:" in done.err) == (2, True, True), done.err


def test_without_a_database_the_chain_is_not_checked_and_that_is_said(
    told: Told, tmp_path: Path
) -> None:
    """Decided again all the same; no configuration, no database, and none is made."""
    done = meetbot("evidence", "verify", a_file(told), cwd=tmp_path)
    assert done.code == 3
    assert "1 change decided again, the same" in done.out
    assert "the chain was not checked: no configuration is at hand" in done.out

    config = tmp_path / "meetbot.toml"
    config.write_text(
        told.stage.config.read_text().replace(f"{told.stage.folder}/meetbot.db", "gone.db")
    )
    done = meetbot("--config", config, "evidence", "verify", a_file(told), cwd=tmp_path)
    assert done.code == 3
    assert "there is no database yet" in done.out
    assert not (tmp_path / "gone.db").exists()


def test_a_change_is_named_exactly_where_the_database_is_at_hand(told: Told) -> None:
    """The place, what it is, and what it was."""
    path = told.stage.folder / "changed.json"
    content = a_file(told).read_text()
    changed = content.replace('"confidence": "E1"', '"confidence": "E2"', 1)
    assert changed != content
    path.write_text(changed)
    done = run(told.stage, "evidence", "verify", path)
    assert done.code == 1
    assert "confidence: is E2, and E1 in the database" in done.out


def test_a_file_of_another_district_is_in_no_chain_of_ours(told: Told, tmp_path: Path) -> None:
    """Although it follows from itself."""
    now = datetime.now(UTC)
    world, rows, _ = demo_district(now)
    with a_stage(tmp_path, world, rows, clock=lambda: now) as other:
        done = run(other, "evidence", "verify", a_file(told))
    assert done.code == 1
    assert "records no export of this file" in done.out


def test_what_was_rewritten_in_the_database_is_found(told: Told, tmp_path: Path) -> None:
    """A stored dossier, a history line, or a link of the chain."""
    path = a_file(told)
    (stored,) = (kept["stored"] for kept in json.loads(path.read_bytes())["dossiers"])
    for statement, says in [
        (
            "UPDATE snapshots SET body = (SELECT body FROM snapshots AS o WHERE o.digest <> "
            f"'{stored}') WHERE digest = '{stored}'",
            "is not as it was stored",
        ),
        (
            "UPDATE flag_history SET flag = replace(flag, '\"high\"', '\"low\"')",
            "severity: is high, and low in the database",
        ),
        (f"DELETE FROM chain WHERE subject = '{stored}'", "does not record it"),
        ("UPDATE chain SET at = at + 1 WHERE sequence = 3", "is broken"),
    ]:
        copy = _copy_of(told, tmp_path)
        with copy.app.store._engine.begin() as connection:
            connection.execute(text(statement))
        copy.app.store.close()
        done = meetbot("--config", copy.config, "evidence", "verify", path, cwd=copy.folder)
        assert done.code == 1, (statement, done.out)
        assert says in done.out, (statement, done.out)


def _copy_of(told: Told, folder: Path) -> Stage:
    """The same configuration on a copy of the database."""
    from meetbot.store import open_store

    database = folder / "copy.db"
    for old in folder.glob("copy.db*"):
        old.unlink()
    with (
        closing(sqlite3.connect(told.stage.folder / "meetbot.db")) as source,
        closing(sqlite3.connect(database)) as target,
    ):
        source.backup(target)
    config = told.stage.config.read_text().replace(f"{told.stage.folder}/meetbot.db", str(database))
    (folder / "meetbot.toml").write_text(config)
    shutil.copy(told.stage.folder / "credentials.json", folder)
    store = open_store(f"sqlite:///{database}")
    return replace(told.stage, folder=folder, app=replace(told.stage.app, store=store))


def test_a_decision_is_in_the_next_file_and_the_first_one_stays_true(told: Told) -> None:
    """The history has gone on since; what was exported before is still as it was."""
    flag, before = a_flag(told, "contract-expired"), a_file(told, "contract-expired")
    words = ("flags", "decide", flag.id, "--as", "dismissed", "--reason", "other")
    done = run(told.stage, *words, "--note", "Kim said so.", "--by", "compliance@district.example")
    assert done.code == 0, done.err

    after = told.stage.folder / run(told.stage, "evidence", "export", flag.id, "out").out.strip()
    assert after != before
    file = json.loads(after.read_bytes())
    assert file["status"] == "dismissed"
    assert [(one["status"], one["reason"]) for one in file["decisions"]] == [("dismissed", "other")]
    assert "Kim" not in after.read_text()
    assert "compliance@" not in after.read_text()
    for path in (before, after):
        assert run(told.stage, "evidence", "verify", path).code == 0


def test_the_schema_is_published(told: Told) -> None:
    """Printed as JSON; the files have its parts and no others."""
    schema = run(told.stage, "schema", "evidence").json
    assert schema["properties"]["schema"]["const"] == "meetbot/evidence/1"
    for path in told.files.values():
        assert set(json.loads(path.read_bytes())) == set(schema["required"])


# --- flags show ---------------------------------------------------------------------------------


def test_a_flag_is_shown_on_a_terminal_with_all_it_rests_on(told: Told) -> None:
    """On 80 columns; of students only numbers."""
    users = told.stage.world.users.values()
    staff = {user.name for user in users if not user.unit.startswith("/Students")}
    private = {
        word.lower()
        for user in users
        if user.unit.startswith("/Students")
        for word in (user.email, user.user_id, user.name)
        if word not in staff  # a sentence may name the host
    }
    for flag in told.flags:
        done = run(told.stage, "flags", "show", flag.id)
        assert done.code == 0, done.err
        assert flag.id in done.out
        assert max(map(len, done.out.splitlines())) <= 80
        assert {word for word in private if word in done.out.lower()} == set()


def test_an_explanation_has_what_a_stranger_needs(told: Told) -> None:
    """Measures, rule, sources, rows, timeline, history, and the mails by role."""
    out = run(told.stage, "flags", "show", a_flag(told).id).out
    assert re.search(r"after: (\d\d:\d\d) certain, \1 possible; limit 1:00 \(after_s\)", out), out
    for words in (
        "Staff left",
        "Officers read: Staff left {t}",
        "attendance: read in full",
        "contracts.csv: contract_id=",
        "Student 1 (meet, E1)",
        "flag to officers: sent",
        "fix-it to host: sent",
    ):
        assert words in out, out
    assert "compliance@" not in out


def test_an_explanation_is_there_for_programs_too(told: Told) -> None:
    """Beside what `flags list --json` has of the flag."""
    flag = a_flag(told, "authorization-scope")
    document = run(told.stage, "flags", "show", flag.id, "--json").json
    listed = run(told.stage, "flags", "list", "--json").json
    assert {key: document[key] for key in listed[0]} in listed
    basis = document["explanation"]["basis"]
    assert any(line.endswith("fails on: school") for line in basis["near_misses"])
    assert {source["source"] for source in basis["sources"]} >= {"calendar", "registry"}
    assert document["explanation"]["rule"]["sentences"]["officer"]


def test_a_dossier_that_cannot_be_read_is_said_and_the_rest_shown(
    told: Told, tmp_path: Path
) -> None:
    """The flag with its history is there all the same."""
    copy = _copy_of(told, tmp_path)
    with copy.app.store._engine.begin() as connection:
        connection.execute(text("UPDATE snapshots SET body = x''"))
    copy.app.store.close()
    done = meetbot("--config", copy.config, "flags", "show", a_flag(told).id, cwd=copy.folder)
    assert done.code == 0
    assert "No dossier: the stored snapshot" in done.out
    assert "opened" in done.out


# --- what is kept, and when ---------------------------------------------------------------------


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with a_scene(tmp_path) as made:
        yield made


def _kept(scene: Scene) -> list[tuple[str, str | None, str | None]]:
    """(change, snapshot, why there is none) of every line of every history."""
    with scene.stage.app.store.reading() as tx:
        return [
            (entry.change, entry.snapshot, entry.withheld)
            for flag in tx.flags.list()
            for entry in tx.flags.entries(flag.id)
        ]


def test_flags_of_one_meeting_share_one_snapshot_and_nothing_changed_keeps_none(
    scene: Scene,
) -> None:
    """Whatever is judged again without a change leaves nothing behind."""
    scene.lesson(NOON + 2 * DAY, guests_invite=True, guests_see_others=True)
    scene.poll()
    kept = _kept(scene)
    assert len(kept) >= 2
    assert len({snapshot for _, snapshot, _ in kept}) == 1

    with scene.stage.app.store.transaction() as tx:
        tx.meetings.mark_due(NOON)
    scene.poll(NOON + HOUR)
    assert _kept(scene) == kept


def test_a_flag_that_is_withdrawn_is_decided_again_at_both_times(scene: Scene) -> None:
    """Found in the first dossier, and not in the second."""
    event = scene.lesson(NOON + 2 * DAY, guests_invite=True)
    scene.poll()
    scene.world.update_event(event.event_id, guests_invite=False)
    scene.poll(NOON + HOUR)
    flag = scene.flag("guests-can-invite", FlagStatus.WITHDRAWN)

    file = _exported(scene, flag.id)
    assert [change["change"] for change in file["history"]] == ["opened", "withdrawn"]
    assert len(file["dossiers"]) == 2
    done = run(scene.stage, "evidence", "verify", *_files(scene))
    assert (done.code, "2 changes decided again, the same" in done.out) == (0, True), done.out


def test_a_running_call_is_kept_as_it_was_seen(scene: Scene) -> None:
    """Each change has its own dossier: what was known then, not what came later."""
    start = NOON - 30 * MINUTE
    event = scene.lesson(start)
    scene.call(
        event,
        there(TEACHER, start, 0, 20),
        there(PARTNER, start, 0, None),
        *(there(student, start, 0, None) for student in STUDENTS),
    )
    scene.poll()
    scene.poll(NOON + 2 * MINUTE)
    flag = scene.flag("staff-left-early")

    file = _exported(scene, flag.id)
    seconds = [change["flag"]["facts"]["seconds"] for change in file["history"]]
    assert seconds == [600, 720]
    assert [kept["dossier"]["is_live"] for kept in file["dossiers"]] == [True, True]
    assert run(scene.stage, "evidence", "verify", *_files(scene)).code == 0


def test_of_a_confidential_service_nothing_is_kept_and_only_that_it_is_there_is_said(
    tmp_path: Path,
) -> None:
    """No dossier in the database; neither partner, rule nor sentence in file or explanation."""
    rows = small_rows(NOON)
    rows["programs.csv"][0]["type"] = "mental-health"
    first, last = NOON - 100 * DAY, NOON + 100 * DAY
    rows["exemptions.csv"] = [
        {
            "kind": "confidential-clinical",
            "value": "bright-college",
            "consent_on_file": "yes",
            "reason": "clinic",
            "owner": "office",
            "starts_on": f"{first:%Y-%m-%d}",
            "ends_on": f"{last:%Y-%m-%d}",
        }
    ]
    with a_scene(tmp_path, rows=rows) as scene:
        scene.lesson(NOON + 2 * DAY, guests_see_others=True)
        scene.poll()
        kept = _kept(scene)
        assert kept
        assert {entry[1:] for entry in kept} == {(None, "confidential")}

        flag = scene.flag("student-contacts-visible")
        file = _exported(scene, flag.id)
        shown = run(scene.stage, "flags", "show", flag.id).out
        done = run(scene.stage, "evidence", "verify", *_files(scene))

    assert (file["flag"], file["rule"], file["dossiers"]) == (None, None, [])
    text = json.dumps(file)
    for word in ("bright", "cedar", "student-contacts-visible", "clinic"):
        assert word not in text
    assert "confidential service" in shown
    for word in (
        "bright",
        "cedar",
        "Registry rows",
        "clinic",
        "mental",
        "Who was in the call",
        "Facts",
    ):
        assert word not in shown
    assert (done.code, "confidential service" in done.out) == (3, True)


def _exported(scene: Scene, flag_id: str) -> dict[str, Any]:
    done = run(scene.stage, "evidence", "export", flag_id, "out")
    assert done.code == 0, done.err
    (path,) = _files(scene)
    file: dict[str, Any] = json.loads(path.read_bytes())
    return file


def _files(scene: Scene) -> list[Path]:
    return list((scene.stage.folder / "out").glob("*.json"))
