"""The demo's sign-in by one click: for the demo, on this machine, and nowhere else."""

from __future__ import annotations

import ipaddress
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from meetbot.console import demo
from meetbot.console.access import Role
from meetbot.console.demo import DemoPerson, demo_app, demo_server
from meetbot.console.services import OidcConfig
from meetbot.settings import Console as ConsoleSettings
from tests.console.conftest import PEOPLE, Console
from tests.e2e.test_contract_service import get, started, until

ANYBODY = [DemoPerson(PEOPLE[Role.OFFICER], "officer"), DemoPerson("nobody@x.example", "host")]


@pytest.fixture
def app(console: Console) -> Flask:
    """The app that the demo serves."""
    app = demo_app(console.services, ANYBODY, "127.0.0.1", secret=b"s" * 32)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    return app


def test_one_click_is_a_role(app: Flask) -> None:
    """The sign-in page has a button for each; whoever has no role is told so."""
    browser = app.test_client()
    page = browser.get("/signin").text
    assert page.count('<button name="who"') == len(ANYBODY)

    answer = browser.post("/demo/enter", data={"who": "0"})
    assert (answer.status_code, answer.location) == (303, "/")
    assert PEOPLE[Role.OFFICER] in browser.get("/").text
    assert app.test_client().post("/demo/enter", data={"who": "1"}).status_code == 403
    for who in ("2", "-1", "x", ""):
        assert app.test_client().post("/demo/enter", data={"who": who}).status_code == 404


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "10.0.0.9"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"HTTP_VIA": "1.1 proxy"},
        {"REMOTE_ADDR": ""},
    ],
)
def test_only_this_machine_is_answered(app: Flask, environ: dict[str, str]) -> None:
    """Neither another machine nor a proxy on this one."""
    browser = app.test_client()
    asked = browser.post("/demo/enter", data={"who": "0"}, environ_overrides=environ)

    assert asked.status_code == 404
    page = browser.get("/signin", environ_overrides=environ)
    assert '<button name="who"' not in page.text


def test_another_name_is_not_answered(app: Flask) -> None:
    """A page of elsewhere cannot be led here by a name that resolves to this machine."""
    browser = app.test_client()
    host = {"Host": "demo.evil.example"}

    assert browser.post("/demo/enter", data={"who": "0"}, headers=host).status_code == 400


@pytest.mark.parametrize(
    ("host", "changes"),
    [
        ("0.0.0.0", {}),
        ("10.0.0.9", {}),
        ("127.0.0.1", {"base_url": "http://meetbot.district.example"}),
        ("127.0.0.1", {"base_url": "https://127.0.0.1.evil.example"}),
        ("127.0.0.1", {"oidc": OidcConfig("https://accounts.google.com", "a", "b")}),
        ("127.0.0.1", {"trusted_proxies": (ipaddress.ip_network("127.0.0.1"),)}),
    ],
)
def test_it_refuses_to_be_elsewhere(
    console: Console, host: str, changes: dict[str, object]
) -> None:
    """Listening to others, known by another name, or beside a real sign-in: it does not start."""
    config = replace(console.services.config, **changes)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="demo"):
        demo_server(replace(console.services, config=config), ANYBODY, host, 0, secret=b"s" * 32)


def test_nothing_else_turns_it_on(console: Console) -> None:
    """The console has no such page, the settings no such key, and one function calls it."""
    assert console.client(None).post("/demo/enter").status_code == 404
    assert not [key for key in ConsoleSettings.model_fields if "demo" in key]
    root = Path(demo.__file__).parents[1]
    users = {
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        if re.search(r"demo_app|demo_server|console\.demo", file.read_text(encoding="utf-8"))
    }
    assert users == {"cli/demo.py", "console/demo.py"}


def test_the_demo_ends_on_the_console(tmp_path: Path) -> None:
    """It prints its address, serves until Ctrl-C, and then ends in order."""
    with started("demo", cwd=tmp_path) as running:
        output = tmp_path / "out.log"

        def address() -> str:
            _, _, rest = output.read_text().partition("with a click for each role: ")
            return rest.split()[0] if rest.split() else ""

        url = until(address, running=running, folder=tmp_path)
        page = until(lambda: get(f"{url}/signin"), running=running, folder=tmp_path)
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0

    assert page.count('<button name="who"') == 8
    assert "Ended by Ctrl-C" in output.read_text()
    assert (tmp_path / "err.log").read_text() == ""
