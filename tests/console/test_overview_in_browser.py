"""The overview and the page for operators in a real browser: accessible, whole on a phone."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from werkzeug.serving import make_server

from meetbot.console.access import Role
from meetbot.domain.flags import FlagStatus
from tests.console.conftest import Console
from tests.console.test_overview import add_flag, decide
from tests.screenshots import CHROMIUM, a_browser

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="chromium is not installed: apt-get install chromium",
)

Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, a_browser(playwright) as browser:
        yield browser


@contextmanager
def served(console: Console) -> Iterator[str]:
    """The console on a port of its own; gives its address."""
    server = make_server("127.0.0.1", 0, console.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sign_in(context: BrowserContext, console: Console, who: Role, address: str) -> None:
    """Give the browser the session that a test client of this role has."""
    name = console.app.config["SESSION_COOKIE_NAME"]
    cookie = console.client(who).get_cookie(name, domain="127.0.0.1")
    assert cookie is not None
    context.add_cookies([{"name": name, "value": cookie.value, "url": address}])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("who", "path"), [(Role.OFFICER, "/overview"), (Role.OPERATOR, "/operations")]
)
def test_numbers_are_accessible_and_fit_a_phone(
    console: Console, browser: Browser, who: Role, path: str, scheme: Scheme
) -> None:
    """axe finds nothing, 320 pixels suffice, plots are drawn, the browser complains of nothing."""
    flag = add_flag(console, "one", rule="program-paused")
    decide(console, flag, FlagStatus.UPHELD, timedelta(hours=1))
    with console.store.transaction() as tx:
        tx.storms.begin(145, {"partner-unregistered": 112}, at=console.now)
    complaints: list[str] = []
    with (
        served(console) as address,
        browser.new_context(color_scheme=scheme, viewport={"width": 320, "height": 640}) as context,
    ):
        sign_in(context, console, who, address)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(address + path, wait_until="networkidle")
        found = Axe().run(page).response
        width = page.evaluate("document.documentElement.scrollWidth")
        pictures = page.evaluate("[...document.images].map(image => image.naturalWidth)")

    assert found["passes"]
    assert [
        (item["id"], [node["html"] for node in item["nodes"]]) for item in found["violations"]
    ] == []
    assert width <= 320
    assert len(pictures) == (4 if who is Role.OFFICER else 0)
    assert all(pictures)
    assert complaints == []


def test_an_operator_releases_mail_with_the_keyboard(console: Console, browser: Browser) -> None:
    """Tab to the button, Enter, and the page says what happened."""
    with console.store.transaction() as tx:
        tx.storms.begin(145, {}, at=console.now)
    with served(console) as address, browser.new_context() as context:
        sign_in(context, console, Role.OPERATOR, address)
        page = context.new_page()
        page.goto(address + "/operations")
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "Release the mails":
                break
        page.keyboard.press("Enter")
        page.wait_for_selector("text=0 mails are released.")
        text = page.inner_text("main")

    assert "Mail leaves as usual." in text
    with console.store.reading() as tx:
        assert tx.storms.current() is None
