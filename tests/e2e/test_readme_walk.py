"""A newcomer who follows "Try your policy without Google" in the README gets what it says."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from meetbot.cli.mailbox import Mailbox
from tests.command import Ran, arguments, environment, meetbot
from tests.readme import scenario

Run = Callable[..., Ran]


@contextmanager
def a_sandbox(folder: Path) -> Iterator[str]:
    """`meetbot sandbox` with the README's lesson; gives the root of its APIs."""
    (folder / "scenario.toml").write_text(scenario(), encoding="utf-8")
    words = ["sandbox", "--scenario", "scenario.toml", "--credentials", "credentials.json"]
    with subprocess.Popen(
        arguments(*words, "--port", "0"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().partition('"')[2].rstrip('"\n')
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs a command in a folder that `meetbot init` wrote, against simulated Workspace."""
    assert meetbot("init", ".", cwd=tmp_path).code == 0
    mailbox = Mailbox(tmp_path / "mails")
    mailbox.start()
    try:
        with a_sandbox(tmp_path) as root:
            yield lambda *words: meetbot(
                *words,
                cwd=tmp_path,
                MEETBOT_GOOGLE__API_ROOT=root,
                MEETBOT_MAIL__URL=f"smtp://127.0.0.1:{mailbox.port}",
            )
    finally:
        mailbox.stop()


def rules_of(flags: Ran) -> set[str]:
    return {flag["rule"] for flag in flags.json}


def add_row(file: Path, *cells: str) -> None:
    with file.open("a", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerow(cells)


def test_from_init_to_flags(run: Run, tmp_path: Path) -> None:
    """Doctor names the missing registry; two flags open; a registered partner withdraws one."""
    before = run("doctor", "--json")
    assert before.code == 1
    assert [check["check"] for check in before.json["checks"] if not check["ok"]] == ["registry"]

    registry = tmp_path / "config" / "registry"
    assert run("registry", "import", registry).code == 0
    assert run("poll").code == 0
    assert rules_of(run("flags", "list", "--json")) == {"staff-left-early", "partner-unregistered"}
    assert run("doctor").code == 0

    add_row(registry / "partners.csv", "northstar", "Northstar", "contracted", "active", "")
    add_row(registry / "identities.csv", "northstar", "domain", "northstar.example", "")
    assert run("registry", "import", registry).code == 0
    assert run("poll").code == 0
    assert rules_of(run("flags", "list", "--json")) == {
        "staff-left-early",
        "contract-missing",
        "certification-missing",
        "authorization-missing",
    }
