"""HTML mails in a real browser: accessible in light and dark, whole on a narrow screen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from tests.notices import every_notice
from tests.screenshots import CHROMIUM, a_browser, page_for

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="chromium is not installed: apt-get install chromium",
)

Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, a_browser(playwright) as browser:
        yield browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", every_notice())
def test_mail_is_accessible_and_fits_a_phone(browser: Browser, name: str, scheme: Scheme) -> None:
    """axe finds nothing, 320 pixels suffice without scrolling sideways, nothing is fetched."""
    fetched: list[str] = []
    with browser.new_context(
        color_scheme=scheme, viewport={"width": 320, "height": 640}
    ) as context:
        page = context.new_page()
        page.on("request", lambda request: fetched.append(request.url))
        page.set_content(page_for(every_notice()[name]))
        found = Axe().run(page).response
        width = page.evaluate("document.documentElement.scrollWidth")
        language = page.evaluate("document.documentElement.lang")
        pictures = page.evaluate("[...document.images].map(image => image.naturalWidth)")

    assert found["passes"]
    assert [
        (item["id"], [node["html"] for node in item["nodes"]]) for item in found["violations"]
    ] == []
    assert width <= 320
    assert language == "en"
    assert all(pictures)
    assert not [url for url in fetched if not url.startswith("data:")]
