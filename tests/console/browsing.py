"""A console served on loopback, and a browser in which somebody is signed in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from meetbot.console.access import Role
from tests.console.conftest import Console

WIDTHS = (320, 1280)


@contextmanager
def served(console: Console) -> Iterator[str]:
    """The address at which the console is served in the meantime, with its forms guarded."""
    console.app.config["WTF_CSRF_ENABLED"] = True
    server = make_server("127.0.0.1", 0, console.app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of requests."""


@contextmanager
def signed_in(
    browser: Browser, console: Console, root: str, who: Role | str, **options: Any
) -> Iterator[Page]:
    """A page of a browser in which somebody is signed in; `options` are the context's."""
    with browser.new_context(base_url=root, **options) as context:
        sign_in(context, console, root, who)
        yield context.new_page()


def sign_in(context: BrowserContext, console: Console, root: str, who: Role | str) -> None:
    """Give the browser the session of a test client."""
    name = console.app.config["SESSION_COOKIE_NAME"]
    cookie = console.client(who).get_cookie(name, domain="127.0.0.1")
    assert cookie is not None
    context.add_cookies([{"name": name, "value": cookie.value, "url": root}])


def faults(page: Page, width: int) -> list[str]:
    """What axe finds with everything unfolded, and whether the page is too wide."""
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    answer = Axe().run(page).response
    assert answer["passes"]
    found = [
        f"{item['id']}: {node['html'][:200]}"
        for item in answer["violations"]
        for node in item["nodes"]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [*found, *([f"{wide} pixels wide"] if wide > width else [])]
