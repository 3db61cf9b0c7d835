"""The command line as `contract.md` promises it, run as separate processes."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from meetbot.domain.registry import Activity, Partner, PartnerKind, RegistryFile
from meetbot.store import open_store
from tests.command import Ran, arguments, environment, meetbot
from tests.scene import (
    DAY,
    HOUR,
    MINUTE,
    OFFICER,
    PARTNER,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    small_rows,
    there,
)
from tests.stage import write_registry

OUTSIDER = "nora@stranger.example"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The district now: a lesson left early, one with a stranger ahead, nothing polled yet."""
    now = datetime.now(UTC).replace(microsecond=0)
    with a_scene(tmp_path_factory.mktemp("commands"), now=now) as made:
        held_at = now - 5 * HOUR
        held = made.lesson(held_at)
        made.call(
            held,
            there(TEACHER, held_at, 0, 30),
            there(PARTNER, held_at, 0, 44),
            *(there(one, held_at, 0, 45) for one in STUDENTS),
        )
        made.lesson(now + 2 * DAY, guests=[PARTNER, OUTSIDER, *STUDENTS])
        yield made


@pytest.fixture(scope="module")
def polled(scene: Scene) -> Ran:
    """The first `poll --json`."""
    return run(scene, "poll", "--json")


def run(scene: Scene, *words: str | Path, stdin: str = "", **variables: str) -> Ran:
    return meetbot(
        "--config", scene.stage.config, *words, cwd=scene.stage.folder, stdin=stdin, **variables
    )


def flags(scene: Scene, *words: str) -> list[dict[str, Any]]:
    ran = run(scene, "flags", "list", "--json", *words)
    assert ran.code == 0, ran.err
    found: list[dict[str, Any]] = ran.json
    return found


# --- poll ---------------------------------------------------------------------------------------


def test_poll_prints_one_object_with_the_keys_of_the_contract(polled: Ran) -> None:
    """`poll --json`: one object on standard output, exit 0 when all was read."""
    assert polled.code == 0, polled.err
    document = polled.json
    assert document["covered"] is True
    assert {"covered", "sources", "meetings", "flags", "mails", "requests"} <= document.keys()
    assert document["sources"]
    for tally in document["sources"].values():
        assert {"read", "failed", "skipped"} <= tally.keys()
        assert isinstance(tally["read"], int)
    assert document["meetings"] == 2
    assert {"opened", "updated", "withdrawn"} <= document["flags"].keys()
    assert {"sent", "deferred", "failed"} <= document["mails"].keys()
    assert document["flags"]["opened"] >= 2
    assert document["mails"]["sent"] >= 2
    assert document["requests"]["calendar"] == 3


def test_a_second_poll_says_nothing_new(scene: Scene, polled: Ran) -> None:
    """With nothing changed the second poll opens no flag and sends no mail."""
    again = run(scene, "poll", "--json")
    assert again.code == 0
    assert not any(again.json["flags"].values())
    assert not any(again.json["mails"].values())


def test_poll_for_people_is_readable(scene: Scene, polled: Ran) -> None:
    """Without `--json` the result stands on standard output in words."""
    ran = run(scene, "poll")
    assert ran.code == 0
    assert "Meetings in scope: 2" in ran.out


def test_poll_with_an_unreadable_source_ends_with_3_and_names_it(scene: Scene, polled: Ran) -> None:
    """Exit 3, `covered` false, and the failing source with its reason."""
    fault = scene.world.fail("calendar", 404, "notFound", times=None, subject=TEACHER)
    try:
        ran = run(scene, "poll", "--json")
    finally:
        scene.world.shaping.faults.remove(fault)
    assert ran.code == 3
    assert ran.json["covered"] is False
    calendars = ran.json["sources"]["calendars"]
    assert (calendars["read"], calendars["failed"]) == (2, 1)
    assert any("404" in reason for reason in calendars["reasons"])


# --- flags --------------------------------------------------------------------------------------


def test_flags_have_every_key_of_the_contract(scene: Scene, polled: Ran) -> None:
    """`flags list --json`: one array, every object with the named keys and values."""
    found = flags(scene)
    assert {"staff-left-early", "partner-unregistered"} <= {flag["rule"] for flag in found}
    for flag in found:
        assert set(flag) >= {
            "id", "rule", "severity", "confidence", "status", "provisional", "phase",
            "occurrence", "subject", "school_id", "partner_id", "program_id",
            "opened_at", "updated_at", "message", "evidence",
        }  # fmt: skip
        assert flag["severity"] in ("info", "low", "medium", "high", "critical")
        assert flag["confidence"] in ("confirmed", "needs-review")
        assert flag["status"] == "open"
        assert isinstance(flag["provisional"], bool)
        assert flag["phase"] in ("scheduled", "live", "after")
        assert set(flag["occurrence"]) >= {
            "ical_uid", "original_start", "meeting_code", "conference_records",
        }  # fmt: skip
        assert isinstance(flag["evidence"], dict)
        assert flag["school_id"] == "cedar"


def test_a_presence_flag_has_its_components(scene: Scene, polled: Ran) -> None:
    """The flag of the lesson left early tells the seconds, the record and the partner."""
    (flag,) = flags(scene, "--rule", "staff-left-early")
    (component,) = flag["evidence"]["components"]
    start = scene.clock.now - 5 * HOUR
    assert component == {
        "kind": "after",
        "start": f"{start + 30 * MINUTE:%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{start + 44 * MINUTE:%Y-%m-%dT%H:%M:%SZ}",
        "seconds": 840,
    }
    assert (flag["severity"], flag["confidence"], flag["provisional"]) == (
        "high",
        "confirmed",
        False,
    )
    assert (flag["partner_id"], flag["program_id"]) == ("bright", "bright-college")
    assert flag["occurrence"]["original_start"] == f"{start:%Y-%m-%dT%H:%M:%SZ}"
    (record,) = scene.world.conferences.values()
    assert flag["occurrence"]["conference_records"] == [f"conferenceRecords/{record.conference_id}"]
    assert flag["occurrence"]["meeting_code"] == record.code


def test_flags_are_shown_in_both_forms(scene: Scene, polled: Ran) -> None:
    """`flags show ID`, with and without `--json`; the list too has a form for people."""
    (flag,) = flags(scene, "--rule", "staff-left-early")
    shown = run(scene, "flags", "show", flag["id"], "--json")
    assert shown.code == 0
    assert shown.json.items() >= flag.items()
    in_words = run(scene, "flags", "show", flag["id"])
    assert in_words.code == 0
    assert flag["message"] in in_words.out
    assert flag["id"] in run(scene, "flags", "list").out


@pytest.mark.parametrize(
    "words",
    [
        ("flags", "show", "F-000000000000"),
        ("flags", "list", "--rule", "no-such-rule"),
        ("flags", "list", "--status", "sometimes"),
        ("flags", "decide", "F-000000000000", "--as", "upheld", "--reason", "policy-not-followed",
         "--by", OFFICER),
    ],
)  # fmt: skip
def test_wrong_use_of_flags_is_2(scene: Scene, polled: Ran, words: tuple[str, ...]) -> None:
    """An unknown flag, rule or status is wrong use: exit 2, an explanation on standard error."""
    ran = run(scene, *words)
    assert ran.code == 2
    assert not ran.out
    assert ran.err.strip()
    assert "Traceback" not in ran.err


def test_wrong_decisions_are_refused(scene: Scene, polled: Ran) -> None:
    """A reason that does not fit, `other` without a note, a stranger as officer: exit 2."""
    (flag,) = flags(scene, "--rule", "partner-unregistered")
    for status, reason, by in (
        ("upheld", "seen", OFFICER),
        ("acknowledged", "duplicate", OFFICER),
        ("dismissed", "policy-not-followed", OFFICER),
        ("dismissed", "other", OFFICER),
        ("dismissed", "duplicate", "somebody@stranger.example"),
        ("dismissed", "duplicate", STUDENTS[0]),
        ("withdrawn", "seen", OFFICER),
        ("open", "seen", OFFICER),
    ):
        ran = run(
            scene, "flags", "decide", flag["id"], "--as", status, "--reason", reason, "--by", by
        )
        assert ran.code == 2, (status, reason, by)
        assert "Traceback" not in ran.err
    assert [one["status"] for one in flags(scene, "--rule", "partner-unregistered")] == ["open"]


def test_every_reason_code_is_accepted(scene: Scene, polled: Ran) -> None:
    """Each code of the contract decides; open and closed lists follow; a poll leaves it alone."""
    (flag,) = flags(scene, "--rule", "partner-unregistered")
    decisions = [("acknowledged", "seen"), ("upheld", "policy-not-followed")]
    decisions += [("upheld", "data-disclosed")]
    decisions += [
        ("dismissed", reason)
        for reason in (
            "identity-corrected", "supervised-otherwise", "authorized-elsewhere", "technical",
            "duplicate", "not-applicable", "other",
        )
    ]  # fmt: skip
    for status, reason in decisions:
        ran = run(
            scene, "flags", "decide", flag["id"], "--as", status, "--reason", reason,
            "--by", OFFICER, "--note", "as told by the host",
        )  # fmt: skip
        assert ran.code == 0, ran.err
        (after,) = flags(scene, "--rule", "partner-unregistered", "--status", "all")
        assert after["status"] == status
        is_open = bool(flags(scene, "--rule", "partner-unregistered"))
        assert is_open == (status == "acknowledged")
        assert bool(flags(scene, "--rule", "partner-unregistered", "--status", "closed")) != is_open
    assert run(scene, "poll").code == 0
    (after,) = flags(scene, "--rule", "partner-unregistered", "--status", "all")
    assert after["status"] == "dismissed"


# --- doctor -------------------------------------------------------------------------------------


def test_doctor_finds_a_healthy_district_healthy(scene: Scene, polled: Ran) -> None:
    """Exit 0 and every line ok."""
    ran = run(scene, "doctor", "--json")
    assert ran.code == 0, ran.out
    assert all(check["ok"] for check in ran.json["checks"])
    names = " ".join(check["check"] for check in ran.json["checks"])
    for scope in (
        "calendar.events.readonly", "meetings.space.readonly", "admin.directory.user.readonly",
        "admin.directory.group.readonly", "admin.directory.group.member.readonly",
        "admin.directory.orgunit.readonly", "admin.directory.domain.readonly",
        "admin.reports.audit.readonly",
    ):  # fmt: skip
        assert scope in names
    for part in ("configuration", "database", "key", "mail", "clock", "registry"):
        assert part in names


@pytest.mark.parametrize(
    "scope",
    [
        "calendar.events.readonly",
        "meetings.space.readonly",
        "admin.directory.user.readonly",
        "admin.directory.group.member.readonly",
        "admin.directory.orgunit.readonly",
        "admin.directory.domain.readonly",
        "admin.reports.audit.readonly",
    ],
)
def test_doctor_names_a_missing_scope(scene: Scene, polled: Ran, scope: str) -> None:
    """A scope that is not delegated fails its own line, with the scope in the fix; exit 1."""
    refusal = scene.world.refuse_token(
        scope=scope, error="access_denied", description="Requested scopes not granted."
    )
    try:
        ran = run(scene, "doctor", "--json")
    finally:
        scene.world.shaping.refusals.remove(refusal)
    assert ran.code == 1
    failed = [check for check in ran.json["checks"] if not check["ok"]]
    (line,) = [check for check in failed if check["check"].startswith("scope ")]
    assert scope in line["check"] + line["fix"]
    assert line["fix"]


def test_doctor_prints_the_fix_of_each_failure(scene: Scene, polled: Ran) -> None:
    """Delegation refused altogether: each scope line fails with a fix, mail and database stand."""
    refusal = scene.world.refuse_token()
    try:
        ran = run(scene, "doctor")
    finally:
        scene.world.shaping.refusals.remove(refusal)
    assert ran.code == 1
    assert ran.out.count("FAIL") >= 8
    assert ran.out.count("Fix:") >= 8
    assert "delegation" in ran.out


def test_doctor_tells_of_a_mail_server_that_is_down(scene: Scene, polled: Ran) -> None:
    """Nobody listens on the port: the mail line fails with a fix."""
    ran = run(scene, "doctor", "--json", MEETBOT_MAIL__URL="smtp://127.0.0.1:9")
    assert ran.code == 1
    (failed,) = [check for check in ran.json["checks"] if not check["ok"]]
    assert "mail" in failed["check"]
    assert failed["fix"]


def test_doctor_tells_of_missing_registry_and_key(scene: Scene, tmp_path: Path) -> None:
    """An empty database and a key that is not JSON: both lines fail with their fix."""
    (tmp_path / "key.json").write_text("not json")
    ran = meetbot(
        "--config", scene.stage.config, "doctor", "--json",
        cwd=tmp_path,
        MEETBOT_DATABASE__URL="sqlite:///other.db",
        MEETBOT_GOOGLE__CREDENTIALS="key.json",
    )  # fmt: skip
    assert ran.code == 1
    failed = {check["check"]: check for check in ran.json["checks"] if not check["ok"]}
    assert {"registry", "key"} <= failed.keys()
    assert all(check["fix"] for check in failed.values())


def test_doctor_tells_of_a_database_that_cannot_be_opened(scene: Scene, tmp_path: Path) -> None:
    """A database in a folder that does not exist: its line fails with a fix, exit 1."""
    url = f"sqlite:///{tmp_path}/no/such/folder/meetbot.db"
    ran = run(scene, "doctor", "--json", MEETBOT_DATABASE__URL=url)
    assert ran.code == 1
    (failed,) = [check for check in ran.json["checks"] if check["check"] == "database"]
    assert not failed["ok"]
    assert failed["fix"]


# --- registry -----------------------------------------------------------------------------------


@pytest.fixture
def empty(scene: Scene, tmp_path: Path) -> Path:
    """A folder with a configuration of its own and no database yet."""
    (tmp_path / "config").mkdir()
    text = scene.stage.config.read_text()
    lines = [line for line in text.splitlines() if not line.startswith('url = "sqlite')]
    text = "\n".join(lines).replace("[database]", '[database]\nurl = "sqlite:///meetbot.db"')
    (tmp_path / "config" / "meetbot.toml").write_text(text)
    write_registry(tmp_path / "registry", small_rows(scene.clock.now))
    return tmp_path


def _edit(folder: Path, file: str, change: dict[str, str], *, row: int = 0) -> None:
    path = folder / "registry" / file
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    rows[row] |= change
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_dry_run_changes_nothing(empty: Path) -> None:
    """`--dry-run` shows the difference; what is exported afterwards is still empty."""
    ran = meetbot("registry", "import", "registry", "--dry-run", cwd=empty)
    assert ran.code == 0
    assert "partners.csv: 1 added" in ran.out
    assert meetbot("registry", "export", "out", cwd=empty).code == 0
    assert (empty / "out" / "partners.csv").read_text().strip().count("\n") == 0


def test_export_writes_back_what_was_imported(empty: Path) -> None:
    """Imported, exported and imported again: the same rows, and nothing differs."""
    assert meetbot("registry", "import", "registry", cwd=empty).code == 0
    assert meetbot("registry", "export", "out", cwd=empty).code == 0
    for file in RegistryFile:
        before = list(csv.DictReader((empty / "registry" / file.filename).read_text().splitlines()))
        after = list(csv.DictReader((empty / "out" / file.filename).read_text().splitlines()))
        assert before == after, file.filename
    again = meetbot("registry", "import", "out", "--json", cwd=empty)
    assert again.code == 0
    assert not any(
        part["added"] or part["changed"] or part["removed"] for part in again.json["files"].values()
    )


def test_a_workbook_is_read_like_the_files(empty: Path) -> None:
    """An `.xlsx` with the files' names as tabs gives the same registry."""
    book = openpyxl.Workbook()
    del book[book.sheetnames[0]]
    for file in RegistryFile:
        sheet = book.create_sheet(file.filename.removesuffix(".csv"))
        for row in csv.reader((empty / "registry" / file.filename).read_text().splitlines()):
            sheet.append(row)
    book.save(empty / "registry.xlsx")
    assert meetbot("registry", "import", "registry.xlsx", cwd=empty).code == 0
    same = meetbot("registry", "import", "registry", "--dry-run", "--json", cwd=empty)
    assert not any(
        part["added"] or part["changed"] or part["removed"] for part in same.json["files"].values()
    )


def test_every_mistake_is_listed_and_nothing_imported(empty: Path) -> None:
    """Mistakes in three files: each with file, row, column and fix; the registry stays empty."""
    _edit(empty, "contracts.csv", {"starts_on": "2030-01-01", "ends_on": "2029-01-01"})
    _edit(empty, "identities.csv", {"value": "gmail.com"})
    _edit(empty, "authorizations.csv", {"school_id": "nowhere"})
    ran = meetbot("registry", "import", "registry", "--json", cwd=empty)
    assert ran.code == 1
    assert ran.json["imported"] is False
    by_file = {one["file"]: one for one in ran.json["mistakes"]}
    assert {"contracts.csv", "identities.csv", "authorizations.csv"} <= by_file.keys()
    for one in ran.json["mistakes"]:
        assert one["row"] == 2
        assert one["column"]
        assert one["fix"]
    in_words = meetbot("registry", "import", "registry", cwd=empty)
    assert in_words.code == 1
    for file in by_file:
        assert file in in_words.out + in_words.err
    assert meetbot("registry", "export", "out", cwd=empty).code == 0
    assert (empty / "out" / "partners.csv").read_text().strip().count("\n") == 0


def test_many_vanishing_rows_need_yes(empty: Path) -> None:
    """More than 10 % of a file's rows vanish: refused without `--yes`, done with it."""
    assert meetbot("registry", "import", "registry", cwd=empty).code == 0
    rows = small_rows(datetime.now(UTC), is_authorized=False)
    write_registry(empty / "registry", rows)
    refused = meetbot("registry", "import", "registry", "--json", cwd=empty)
    assert refused.code != 0
    assert refused.json["imported"] is False
    assert "--yes" in refused.err
    dry = meetbot("registry", "import", "registry", "--dry-run", cwd=empty)
    assert dry.code == 0
    assert meetbot("registry", "import", "registry", "--yes", cwd=empty).code == 0
    assert meetbot("registry", "export", "out", cwd=empty).code == 0
    assert (empty / "out" / "authorizations.csv").read_text().strip().count("\n") == 0


def test_one_row_in_ten_may_vanish(empty: Path) -> None:
    """Exactly 10 % needs no `--yes`; a row changed is no row vanished."""
    rows = small_rows(datetime.now(UTC))
    rows["identities.csv"] += [
        {"partner_id": "bright", "kind": "address", "value": f"p{n}@other{n}.example"}
        for n in range(9)
    ]
    write_registry(empty / "registry", rows)
    assert meetbot("registry", "import", "registry", cwd=empty).code == 0
    rows["identities.csv"].pop()
    rows["partners.csv"][0]["name"] = "Brighter Path"
    write_registry(empty / "registry", rows)
    assert meetbot("registry", "import", "registry", cwd=empty).code == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "partners.csv").write_bytes(b"\xff\xfe\x00p\x00a"),
        lambda folder: (folder / "partners.csv").unlink(),
        lambda folder: (folder / "partners.csv").write_text("partner_id,name,kind,status,color\n"),
        lambda folder: (folder / "partners.csv").write_text("partner_id,name\n"),
        lambda folder: (folder / "partners.csv").write_text(
            "partner_id,name,kind,status\nb,B,contracted,active\nb,B,contracted,active\n"
        ),
        lambda folder: (folder / "contracts.csv").write_text(
            (folder / "contracts.csv").read_text().replace("bright-college", "no-program")
        ),
        lambda folder: (folder / "schools.csv").write_text(
            'school_id,name,kind,unit_paths,principals\n"x\ny",<b>,school,/Staff,' + "p" * 10**6
        ),
    ],
)
def test_damaged_files_are_refused_with_reasons(empty: Path, damage: Any) -> None:
    """Encoding, missing file, unknown or missing columns, duplicates, references, hostile cells."""
    damage(empty / "registry")
    ran = meetbot("registry", "import", "registry", cwd=empty)
    assert ran.code == 1, ran.out
    assert ".csv" in ran.out + ran.err
    assert len(ran.out + ran.err) < 20_000
    assert "Traceback" not in ran.err


def test_a_byte_order_mark_is_accepted(empty: Path) -> None:
    """Files saved by a spreadsheet begin with a BOM and end lines with CR LF."""
    for path in (empty / "registry").glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert meetbot("registry", "import", "registry", cwd=empty).code == 0


def test_a_source_that_is_not_there_is_refused(empty: Path) -> None:
    """A folder that does not exist: an explanation, no traceback."""
    ran = meetbot("registry", "import", "nowhere", cwd=empty)
    assert ran.code in (1, 2)
    assert "nowhere" in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_an_import_leaves_the_rows_of_the_console(empty: Path) -> None:
    """The dry run says how many stay, and an export holds them too."""
    assert meetbot("registry", "import", "registry", cwd=empty).code == 0
    north = Partner("north", "North", PartnerKind.CONTRACTED, Activity.ACTIVE)
    url = f"sqlite:///{empty / 'meetbot.db'}"
    with closing(open_store(url)) as store, store.transaction() as tx:
        tx.registry.add(north, by="keeper@district.example", as_of=datetime.now(UTC))
    dry = meetbot("registry", "import", "registry", "--dry-run", cwd=empty)
    assert "Rows added in the console stay: partners 1." in dry.out
    told = meetbot("registry", "import", "registry", "--json", cwd=empty).json
    assert told["files"]["partners"]["console"] == 1
    assert told["files"]["schools"]["console"] == 0
    assert meetbot("registry", "export", "out", cwd=empty).code == 0
    assert "north,North,contracted,active," in (empty / "out" / "partners.csv").read_text()
    assert meetbot("registry", "import", "out", cwd=empty).code == 0
    assert meetbot("audit", "verify", cwd=empty).code == 0


def test_a_poll_without_registry_accuses_nobody(scene: Scene, empty: Path) -> None:
    """Before the first import everything about partners is undecided: no flag rests on it."""
    ran = meetbot("poll", "--json", cwd=empty)
    assert ran.code in (0, 3), ran.err
    rules = {flag["rule"] for flag in meetbot("flags", "list", "--json", cwd=empty).json}
    assert not rules & {
        "partner-unregistered", "contract-missing", "certification-missing",
        "authorization-missing", "contract-expired",
    }  # fmt: skip


# --- configuration ------------------------------------------------------------------------------


def test_all_mistakes_of_the_configuration_come_at_once(empty: Path) -> None:
    """Exit 2; each wrong key is named with its fix, nothing on standard output."""
    path = empty / "config" / "meetbot.toml"
    text = path.read_text().replace("America/Chicago", "Chicago/America")
    text = text.replace(
        'officers = ["compliance@district.example"]', 'officers = ["a@else.example"]'
    )
    path.write_text(text + '\n[schedule]\ncalendars = "5 minutes"\nfinal = "1h"\n')
    (empty / "config" / "policy.toml").write_text(
        "[thresholds]\nnone_s = -1\n[rules.no-such-rule]\nenabled = false\n"
    )
    ran = meetbot("poll", cwd=empty)
    assert ran.code == 2
    assert not ran.out
    for key in (
        "district.timezone", "mail.officers", "schedule.calendars", "schedule.final", "none_s",
        "no-such-rule",
    ):  # fmt: skip
        assert key in ran.err, key


@pytest.mark.parametrize("command", [["poll"], ["doctor"], ["flags", "list"], ["run"]])
def test_a_missing_configuration_is_wrong_use(tmp_path: Path, command: list[str]) -> None:
    """Without a configuration file: exit 2 and what to do."""
    ran = meetbot(*command, cwd=tmp_path)
    assert ran.code == 2
    assert "meetbot.toml" in ran.err
    assert not list(tmp_path.iterdir())


def test_the_environment_alone_configures(scene: Scene, tmp_path: Path) -> None:
    """Every key from the environment, the mail server's URL from a file, without any TOML file."""
    (tmp_path / "mail-url").write_text(f"smtp://127.0.0.1:{scene.stage.mailbox.port}\n")
    (tmp_path / "empty.toml").write_text("")
    write_registry(tmp_path / "registry", small_rows(scene.clock.now))
    given = {
        "MEETBOT_CONFIG": "empty.toml",
        "MEETBOT_DISTRICT__NAME": "Example",
        "MEETBOT_DISTRICT__TIMEZONE": "America/Chicago",
        "MEETBOT_DISTRICT__DOMAINS": "district.example,students.district.example",
        "MEETBOT_DISTRICT__STAFF_UNITS": "/Staff",
        "MEETBOT_DISTRICT__STUDENT_UNITS": "/Students",
        "MEETBOT_GOOGLE__CREDENTIALS": str(scene.stage.folder / "credentials.json"),
        "MEETBOT_GOOGLE__ADMIN_SUBJECT": "meetbot-admin@district.example",
        "MEETBOT_GOOGLE__API_ROOT": scene.stage.box.url,
        "MEETBOT_DATABASE__URL": "sqlite:///by-environment.db",
        "MEETBOT_MAIL__URL_FILE": "mail-url",
        "MEETBOT_MAIL__SENDER": "meetbot@district.example",
        "MEETBOT_MAIL__OFFICERS": OFFICER,
    }
    assert meetbot("registry", "import", "registry", cwd=tmp_path, **given).code == 0
    ran = meetbot("poll", "--json", cwd=tmp_path, **given)
    assert ran.code == 0, ran.err
    assert ran.json["mails"]["sent"] >= 2
    assert (tmp_path / "by-environment.db").exists()


def test_the_environment_overrides_the_file(scene: Scene, polled: Ran, tmp_path: Path) -> None:
    """`MEETBOT_DATABASE__URL` counts more than the file, also given as a file."""
    other = f"sqlite:///{tmp_path}/other.db"
    assert run(scene, "flags", "list", "--json", MEETBOT_DATABASE__URL=other).json == []
    (tmp_path / "secret").write_text(other + "\n")
    file = str(tmp_path / "secret")
    assert run(scene, "flags", "list", "--json", MEETBOT_DATABASE__URL_FILE=file).json == []


# --- wrong use, init, evaluate ------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("frobnicate",),
        ("poll", "--frobnicate"),
        ("flags",),
        ("flags", "decide"),
        ("registry", "import"),
        ("sandbox",),
        ("evaluate", "no-such-file.jsonl"),
        ("demo", "--once", "--dir", "/dev/null/demo"),
        ("sandbox", "--scenario", "no-such-file.json"),
    ],
)
def test_wrong_use_is_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Unknown commands and options, missing arguments and files: exit 2 and no traceback."""
    ran = meetbot(*words, cwd=tmp_path)
    assert ran.code == 2, ran.err
    assert "Traceback" not in ran.err


def test_help_names_the_commands_of_this_version_only(tmp_path: Path) -> None:
    """All commands of the contract that exist, none that later versions bring."""
    ran = meetbot("--help", cwd=tmp_path)
    assert ran.code == 0
    words = set(ran.out.split())
    assert {
        "init", "doctor", "registry", "poll", "run", "flags", "evidence", "schema", "audit",
        "evaluate", "replay", "demo", "sandbox", "hold", "months",
    } <= words  # fmt: skip


def test_init_never_overwrites(tmp_path: Path) -> None:
    """The first run writes everything; a changed file survives the second."""
    assert meetbot("init", "here", cwd=tmp_path).code == 0
    names = {str(p.relative_to(tmp_path / "here")) for p in (tmp_path / "here").rglob("*")}
    assert {"config/meetbot.toml", "credentials.example.json"} <= names
    assert {file.filename for file in RegistryFile} <= {Path(name).name for name in names}
    config = tmp_path / "here" / "config" / "meetbot.toml"
    config.write_text("# mine\n")
    assert meetbot("init", "here", cwd=tmp_path).code == 0
    assert config.read_text() == "# mine\n"


def test_the_written_templates_are_usable(tmp_path: Path) -> None:
    """The registry templates import as they are; the configuration has no mistake."""
    assert meetbot("init", ".", cwd=tmp_path).code == 0
    (partners,) = tmp_path.rglob("partners.csv")
    ran = meetbot("registry", "import", partners.parent, "--dry-run", cwd=tmp_path)
    assert ran.code == 0, ran.out + ran.err


_CASE: dict[str, Any] = {
    "id": "V02",
    "conference": [["2026-10-13T15:00:00Z", "2026-10-13T15:45:00Z"]],
    "observed_at": None,
    "visits": [
        {"person": p, "class": c, "last_seen": None,
         "start": f"2026-10-13T15:{a}:00Z", "end": f"2026-10-13T15:{b}:00Z"}
        for p, c, a, b in (
            ("t1", "staff", "00", "30"), ("p1", "partner", "02", "44"),
            ("k1", "student", "01", "45"), ("k2", "student", "01", "45"),
        )
    ],
    "thresholds": {},
}  # fmt: skip


def test_evaluate_answers_as_the_contract_shows(tmp_path: Path) -> None:
    """The example of the contract, from standard input and from a file."""
    line = json.dumps(_CASE)
    span = {
        "kind": "after",
        "start": "2026-10-13T15:30:00Z",
        "end": "2026-10-13T15:44:00Z",
        "seconds": 840,
    }
    wanted = {
        "id": "V02",
        "certain": [span],
        "possible": [span],
        "flags": [
            {
                "rule": "staff-left-early",
                "severity": "high",
                "confidence": "confirmed",
                "provisional": False,
            }
        ],
        "recheck_at": None,
    }
    (tmp_path / "cases.jsonl").write_text(line + "\n\n")
    for words, stdin in (((), line), (("-",), line + "\n"), (("cases.jsonl",), "")):
        ran = meetbot("evaluate", *words, cwd=tmp_path, stdin=stdin)
        assert ran.code == 0, ran.err
        assert ran.json == wanted
    assert [p.name for p in tmp_path.iterdir()] == ["cases.jsonl"]


def _one_visit(case: str, kind: str, start: str) -> str:
    return json.dumps({"id": case, "visits": [{"person": "a", "class": kind, "start": start}]})


def test_evaluate_reads_utf_8_only(tmp_path: Path) -> None:
    """A byte order mark is passed over; a line of other bytes is no JSON, and has no id."""
    mark = b"\xef\xbb\xbf"
    raw = mark + json.dumps(_CASE).encode() + b'\n{"id": "b\xff", "visits": []}\n'
    (tmp_path / "cases.jsonl").write_bytes(raw)
    ran = meetbot("evaluate", "cases.jsonl", cwd=tmp_path)
    assert ran.code == 1
    first, second = [json.loads(line) for line in ran.out.splitlines()]
    assert first["flags"]
    assert second.keys() == {"id", "error"}
    assert second["id"] is None


def test_what_cannot_be_written_is_not_blamed_on_what_is_read(tmp_path: Path) -> None:
    """A full disk behind standard output: exit 1, and the message names no input file."""
    (tmp_path / "cases.jsonl").write_text(json.dumps(_CASE) + "\n")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            arguments("evaluate", "cases.jsonl"),
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"cases.jsonl" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_evaluate_goes_on_after_a_line_it_cannot_read(tmp_path: Path) -> None:
    """Unreadable lines answer with their error in their place; exit 1 at the end."""
    bad = [
        "not json",
        "[1, 2]",
        '{"visits": []}',
        '{"id": "x"}',
        _one_visit("n", "ghost", "2026-10-13T15:00:00Z"),
        _one_visit("z", "staff", "2026-10-13T15:00:00"),
        '{"id": "t", "visits": [], "thresholds": {"none_s": -1}}',
        '{"id": "u", "visits": [], "thresholds": {"nope": 1}}',
        '{"id": "c", "visits": [], "conference": [["2026-10-13T15:00:00Z"]]}',
    ]
    lines = [json.dumps(_CASE), *bad, json.dumps(_CASE)]
    raw = "\n".join(lines).encode() + b"\n\xff\xfe{\n"
    ran = meetbot("evaluate", cwd=tmp_path, stdin=raw)
    assert ran.code == 1
    answers = [json.loads(line) for line in ran.out.splitlines()]
    assert len(answers) == len(bad) + 3
    assert [("error" in one) for one in answers] == [False, *[True] * len(bad), False, True]
    assert [one["id"] for one in answers[1:6]] == [None, None, None, "x", "n"]
