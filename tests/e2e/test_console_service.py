"""The console as a process: alone, inside `run`, and where it cannot be served."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys

import pytest

from tests.command import environment, meetbot, process
from tests.e2e.test_contract_service import free_port, get, scene, started, until
from tests.fakes.provider import CLIENT, SECRET, a_provider
from tests.scene import Scene

__all__ = ["scene"]


def variables(issuer: str, port: int) -> dict[str, str]:
    return {
        "MEETBOT_CONSOLE__BASE_URL": f"http://127.0.0.1:{port}",
        "MEETBOT_CONSOLE__LISTEN": f"127.0.0.1:{port}",
        "MEETBOT_CONSOLE__OIDC__ISSUER": issuer,
        "MEETBOT_CONSOLE__OIDC__CLIENT_ID": CLIENT,
        "MEETBOT_CONSOLE__OIDC__CLIENT_SECRET": SECRET,
    }


@pytest.mark.parametrize("command", ["console", "run"])
def test_the_console_is_served_until_told_to_stop(scene: Scene, command: str) -> None:
    """Alone or inside the service; the process then ends in order."""
    port, folder = free_port(), scene.stage.folder
    with (
        a_provider() as provider,
        started(
            "--config", scene.stage.config, command, cwd=folder, **variables(provider.issuer, port)
        ) as running,
    ):
        page = until(lambda: get(f"http://127.0.0.1:{port}/signin"), running=running, folder=folder)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0

    assert "Sign in with your work account" in page
    log = [json.loads(line) for line in (folder / "err.log").read_text().splitlines()]
    assert [line["console_port"] for line in log if line["event"] == "started"] == [port]


def test_a_service_without_a_provider_says_so(scene: Scene) -> None:
    """`run` works without a console and logs it once; `console` alone is wrong use."""
    folder = scene.stage.folder
    with started("--config", scene.stage.config, "run", cwd=folder) as running:
        log = folder / "err.log"
        until(lambda: "no_console" in log.read_text(), running=running, folder=folder)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    assert log.read_text().count("no_console") == 1

    alone = process("--config", scene.stage.config, "console", cwd=folder)
    assert alone.code == 2
    assert "console.oidc: is missing" in alone.err
    assert "client_id" in alone.err


@pytest.mark.parametrize("command", ["console", "run"])
def test_a_port_that_is_taken(scene: Scene, command: str) -> None:
    """The message names the key."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = variables("http://127.0.0.1:9", port)
        words = ("--config", scene.stage.config, command)
        with started(*words, cwd=scene.stage.folder, **given) as running:
            assert running.wait(30) == 2
    said = (scene.stage.folder / "err.log").read_text()

    assert "console.listen" in said
    assert "another port" in said


def test_doctor_asks_the_provider(scene: Scene) -> None:
    """It prints the redirect URI to register; without a provider it says how to get a console."""
    stage = scene.stage
    stage.poll()

    def console(**given: str) -> dict[str, object]:
        done = meetbot("--config", stage.config, "doctor", "--json", cwd=stage.folder, **given)
        (check,) = [c for c in done.json["checks"] if c["check"] == "console"]
        return dict(check)

    with a_provider() as provider:
        found = console(**variables(provider.issuer, 8000))
        assert found["ok"]
        assert "http://127.0.0.1:8000/signin/callback" in str(found["detail"])
        provider.document = {"issuer": "https://elsewhere.example"}
        wrong = console(**variables(provider.issuer, 8000))
        assert not wrong["ok"]
        assert "another issuer" in str(wrong["detail"])
        assert "console.oidc.issuer" in str(wrong["fix"])
    gone = console(**variables(provider.issuer, 8000))
    assert not gone["ok"]
    assert "no answer" in str(gone["detail"])
    none = console()
    assert none["ok"]
    assert "[console.oidc]" in str(none["detail"])


def test_other_commands_do_not_load_the_console(scene: Scene) -> None:
    """A poll needs none of its libraries, and so none of their memory."""
    program = (
        "import sys; sys.argv = ['meetbot', *sys.argv[1:]]\n"
        "from meetbot.cli import main\n"
        "try:\n    main()\nfinally:\n"
        "    print([m for m in ('flask', 'authlib', 'waitress', 'wtforms') if m in sys.modules],"
        " file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--config", str(scene.stage.config), "poll"],
        cwd=scene.stage.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
