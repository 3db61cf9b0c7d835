"""A console served on loopback, and a real identity provider for it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from meetbot.console import create_app
from meetbot.console.server import ConsoleServer
from meetbot.console.services import OidcConfig, Services
from tests.e2e.test_contract_service import free_port

PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """A console that answers at `url`."""

    url: str
    services: Services


@contextmanager
def served(given: Services, oidc: OidcConfig | None = None) -> Iterator[Served]:
    """Serve a console with these services on a free port until the end of the block."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    services = replace(given, config=replace(given.config, base_url=url, oidc=oidc))
    server = ConsoleServer(create_app(services, secret=b"s" * 32), url, "127.0.0.1", port)
    server.start()
    try:
        yield Served(url, services)
    finally:
        server.stop()


@contextmanager
def an_identity_provider(
    folder: Path, people: Sequence[Mapping[str, object]]
) -> Iterator[OidcConfig]:
    """`oidc-provider-mock` in a process of its own, knowing these people (`sub` and claims)."""
    port = free_port()
    claims = [word for person in people for word in ("--user-claims", json.dumps(person))]
    with (folder / "provider.log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port), *claims],
            stdout=log,
            stderr=log,
        )
        try:
            _until_answering(f"http://127.0.0.1:{port}/.well-known/openid-configuration", running)
            yield OidcConfig(f"http://127.0.0.1:{port}", "meetbot", "hidden")
        finally:
            running.kill()
            running.wait(10)


def _until_answering(url: str, running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert running.poll() is None
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError("the identity provider does not answer")


def faults(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds wrong on a page, and what makes it scroll sideways."""
    found = Axe().run(page).response
    assert found["passes"]
    wrong = [(item["id"], [node["html"] for node in item["nodes"]]) for item in found["violations"]]
    width = page.evaluate("document.documentElement.scrollWidth")
    shown = page.evaluate("document.documentElement.clientWidth")
    return [*wrong, *([("scrolls sideways", [f"{width} > {shown}"])] if width > shown else [])]
