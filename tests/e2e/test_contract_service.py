"""Processes that go on: `run`, `demo` and `sandbox`; and what must never leave any of them."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from meetbot.sandbox import load_scenario, write_scenario
from meetbot.sandbox.district import demo_district
from tests.command import arguments, environment, process
from tests.scene import (
    DAY,
    HOUR,
    PARTNER,
    STUDENT_NAMES,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    small_world,
    there,
)
from tests.stage import a_stage

PATIENCE = 60.0


@contextmanager
def started(*words: str | Path, cwd: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on; stopped at the latest when the block ends."""
    with (cwd / "err.log").open("a") as err, (cwd / "out.log").open("a") as out:
        running = subprocess.Popen(
            arguments(*words), cwd=cwd, env=environment(**variables), stdout=out, stderr=err,
            text=True,
        )  # fmt: skip
        try:
            yield running
        finally:
            if running.poll() is None:
                running.kill()
            running.wait(10)


def until(what: Any, *, running: subprocess.Popen[str], folder: Path) -> Any:
    """Wait until `what()` is true; fails with the log when the process ends or time is up."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := what():
            return found
        assert running.poll() is None, (folder / "err.log").read_text()
        time.sleep(0.1)
    raise AssertionError((folder / "err.log").read_text())


def get(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            text: str = answer.read().decode()
            return text
    except OSError:
        return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """The district now, with a lesson that was left early and one with a stranger ahead."""
    now = datetime.now(UTC).replace(microsecond=0)
    with a_scene(tmp_path, now=now) as made:
        start = now - 5 * HOUR
        held = made.lesson(start, summary="Alphabet soup for Zebulon")
        made.call(
            held,
            there(TEACHER, start, 0, 30),
            there(PARTNER, start, 0, 44),
            *(there(one, start, 0, 45) for one in STUDENTS),
        )
        made.lesson(now + 2 * DAY, guests=[PARTNER, "nora@stranger.example", *STUDENTS])
        yield made


def test_run_does_its_work_until_told_to_stop(scene: Scene) -> None:
    """Flags and mails as by `poll`; health and metrics; SIGTERM ends with 0; a restart sends
    nothing twice; logs are JSON lines without a student."""
    folder, port = scene.stage.folder, free_port()
    words = ("--config", scene.stage.config, "run")
    health = {"MEETBOT_SERVICE__HEALTH": f"127.0.0.1:{port}"}
    with started(*words, cwd=folder, **health) as running:
        until(lambda: len(scene.stage.mailbox.mails) >= 3, running=running, folder=folder)
        metrics = until(
            lambda: get(f"http://127.0.0.1:{port}/metrics"), running=running, folder=folder
        )
        document = json.loads(get(f"http://127.0.0.1:{port}/health") or "{}")
        assert document["status"] in ("ok", "degraded")
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    assert "staff-left-early" in scene.rules()
    assert "partner-unregistered" in scene.rules()
    sent = len(scene.stage.mailbox.mails)
    with started(*words, cwd=folder, **health) as running:
        until(
            lambda: (
                '"reports"' in (get(f"http://127.0.0.1:{port}/health") or "")
                or "collect_conferences" in (get(f"http://127.0.0.1:{port}/health") or "")
            ),
            running=running,
            folder=folder,
        )
        until(
            lambda: "deliver" in (get(f"http://127.0.0.1:{port}/health") or ""),
            running=running,
            folder=folder,
        )
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    assert len(scene.stage.mailbox.mails) == sent
    log = (folder / "err.log").read_text()
    for line in log.splitlines():
        json.loads(line)
    assert not (folder / "out.log").read_text()
    for secret in (*STUDENTS, *STUDENT_NAMES, "Alphabet soup", PARTNER):
        assert secret not in log
        assert secret not in metrics


def test_run_goes_on_while_google_is_away(scene: Scene) -> None:
    """Every API is down: the service stays up, degraded, and ends without waiting for retries."""
    folder, port = scene.stage.folder, free_port()
    scene.stage.box.world.fail("directory", 403, "forbidden", times=None)
    scene.stage.box.world.fail("reports", 503, "backendError", times=None)
    with started(
        "--config", scene.stage.config, "run",
        cwd=folder, MEETBOT_SERVICE__HEALTH=f"127.0.0.1:{port}",
    ) as running:  # fmt: skip
        until(
            lambda: '"degraded"' in (get(f"http://127.0.0.1:{port}/health") or ""),
            running=running,
            folder=folder,
        )
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert scene.rules() == set()


def test_health_tells_of_mails_that_cannot_leave(scene: Scene) -> None:
    """Nobody takes the mails: `/health` says how many wait, until they have left."""
    folder, port = scene.stage.folder, free_port()
    health = f"http://127.0.0.1:{port}/health"
    words = ("--config", scene.stage.config, "run")
    at = {"MEETBOT_SERVICE__HEALTH": f"127.0.0.1:{port}"}
    with started(*words, cwd=folder, **at, MEETBOT_MAIL__URL="smtp://127.0.0.1:9") as running:
        answer = until(
            lambda: found if "waiting" in (found := get(health) or "") else None,
            running=running,
            folder=folder,
        )
    document = json.loads(answer)
    assert document["status"] == "degraded"
    assert re.fullmatch(r"mails waiting for another try: \d+", document["problems"]["deliver"])
    for name in (TEACHER, PARTNER, *STUDENTS):
        assert name not in answer


class _SlowServer:
    """An SMTP server that takes each mail only when it is let."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.let = threading.Event()
        self.taken: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
        self.asked.set()
        await asyncio.to_thread(self.let.wait, 30)
        self.taken.append(message_from_bytes(envelope.content)["Message-ID"])
        return "250 ok"


def test_a_stop_ends_after_the_mail_in_hand(scene: Scene) -> None:
    """SIGTERM while a mail is handed over: that one is, the service ends with 0, and the next
    pass sends the others, each once."""
    slow, port, folder = _SlowServer(), free_port(), scene.stage.folder
    words = ("--config", scene.stage.config)
    url = f"smtp://127.0.0.1:{port}"
    controller = Controller(slow, hostname="127.0.0.1", port=port)
    # aiosmtpd tries its own port to begin, and sends nothing then.
    controller.start()
    try:
        with started(*words, "run", cwd=folder, MEETBOT_MAIL__URL=url) as running:
            assert slow.asked.wait(30)
            running.send_signal(signal.SIGTERM)
            until(
                lambda: "stopping" in (folder / "err.log").read_text(),
                running=running,
                folder=folder,
            )
            slow.let.set()
            assert running.wait(30) == 0
        assert len(slow.taken) == 1
        assert "job_failed" not in (folder / "err.log").read_text()
        ran = process(*words, "poll", "--json", cwd=folder, MEETBOT_MAIL__URL=url)
        assert ran.code == 0, ran.err
    finally:
        slow.let.set()
        controller.stop()
    assert ran.json["mails"]["sent"] == len(slow.taken) - 1 > 0
    assert len(set(slow.taken)) == len(slow.taken)


def test_the_demo_needs_nothing_and_ends(tmp_path: Path) -> None:
    """In an empty folder `demo --once` shows flags and where the mails lie, within a minute."""
    began = time.monotonic()
    ran = process("demo", "--once", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert time.monotonic() - began < 60
    for rule in ("staff-left-early", "no-staff-joined", "partner-alone-with-student"):
        assert rule in ran.out
    mails = list(tmp_path.rglob("*.eml"))
    assert len(mails) > 10
    assert list(tmp_path.rglob("*.png"))
    assert list(tmp_path.rglob("*.html"))


def test_the_demo_finds_a_place_where_its_own_is_taken(tmp_path: Path) -> None:
    """Where `meetbot-demo` cannot be made it takes a temporary folder, and says which."""
    (tmp_path / "meetbot-demo").write_text("not a folder")
    (tmp_path / "tmp").mkdir()
    ran = process("demo", "--once", cwd=tmp_path, TMPDIR=str(tmp_path / "tmp"))
    assert ran.code == 0, ran.err
    assert list((tmp_path / "tmp").rglob("*.eml"))
    assert str(tmp_path / "tmp") in ran.out


def test_a_scenario_is_served_and_polled(scene: Scene, tmp_path: Path) -> None:
    """`sandbox --scenario` serves a world of its own that `poll` can read with its key."""
    folder = tmp_path / "other"
    folder.mkdir()
    world = small_world(datetime.now(UTC))
    write_scenario(world, folder / "scenario.json")
    assert load_scenario(folder / "scenario.json").users.keys() == world.users.keys()
    with started("sandbox", "--scenario", "scenario.json", "--port", "0", cwd=folder) as running:
        found = until(
            lambda: re.search(r"http://127\.0\.0\.1:\d+", (folder / "out.log").read_text()),
            running=running,
            folder=folder,
        )
        assert get(found[0] + "/calendar/v3/calendars/x/events") is None  # 401: it lives
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0


# --- privacy ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Any]]:
    """The demo district after one pass: folder and world."""
    now = datetime.now(UTC)
    world, rows, _ = demo_district(now)
    folder = tmp_path_factory.mktemp("demo")
    with a_stage(folder, world, rows, clock=lambda: now) as stage:
        stage.poll()
        yield folder, world


def _students(world: Any) -> set[str]:
    secrets: set[str] = set()
    for user in world.users.values():
        if user.unit.startswith("/Students"):
            secrets |= {user.email, user.user_id, user.email.partition("@")[0]}
    return secrets


def test_no_student_is_in_any_mail(demo: tuple[Path, Any]) -> None:
    """No address, id or name of a student in a header, text, page, or file name of a mail."""
    folder, world = demo
    mails = list((folder / "mails").glob("*.eml"))
    assert mails
    text = "\n".join(path.name for path in mails)
    for path in mails:
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        text += "\n".join(f"{k}: {v}" for k, v in message.items())
        for part in message.walk():
            if part.get_content_maintype() == "text":
                text += part.get_content()
    for secret in _students(world):
        assert secret not in text
    staff_names = {u.name for u in world.users.values() if not u.unit.startswith("/Students")}
    for user in world.users.values():
        if user.unit.startswith("/Students") and user.name not in staff_names:
            assert user.name not in text


def test_no_title_and_no_foreign_link_is_in_any_mail(demo: tuple[Path, Any]) -> None:
    """Titles never; a link or code only in the host's reminder an hour before."""
    folder, world = demo
    for path in (folder / "mails").glob("*.html"):
        page = path.read_text()
        for event in world.events.values():
            if event.summary:
                assert event.summary not in page
            if event.code and event.code in page:
                assert "starts at" in page
                assert f"To: {event.organizer}" in path.with_suffix(".eml").read_text()


def test_the_database_knows_no_student(demo: tuple[Path, Any]) -> None:
    """Nor a title or a text of an invitation, in the clear."""
    folder, world = demo
    kept = b"".join(path.read_bytes() for path in folder.glob("meetbot.db*"))
    for secret in _students(world):
        assert secret.encode() not in kept
    for event in world.events.values():
        for words in (event.summary, event.description):
            if len(words) > 12:
                assert words.encode() not in kept


def test_flags_for_programs_name_no_student(demo: tuple[Path, Any]) -> None:
    """`flags list --json` and `flags show` hold no student either."""
    folder, world = demo
    ran = process("--config", folder / "meetbot.toml", "flags", "list", "--json", cwd=folder)
    assert ran.code == 0
    for secret in _students(world):
        assert secret not in ran.out
