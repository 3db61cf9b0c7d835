"""Signing in and the pages of the shell in a real browser, with a real identity provider."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright

from meetbot.console.access import Role
from tests.console.conftest import PEOPLE, Console
from tests.console.served import Served, an_identity_provider, faults, served
from tests.screenshots import CHROMIUM, a_browser

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="chromium is not installed: apt-get install chromium",
)

Scheme = Literal["light", "dark"]
OFFICER, AUDITOR = PEOPLE[Role.OFFICER], PEOPLE[Role.AUDITOR]
ACCOUNTS: list[dict[str, object]] = [
    {"sub": "officer", "email": OFFICER, "email_verified": True, "hd": "district.example"},
    {"sub": "auditor", "email": AUDITOR, "email_verified": True},
    {"sub": "elsewhere", "email": OFFICER, "email_verified": True, "hd": "partner.example"},
    {"sub": "outsider", "email": "officer@partner.example", "email_verified": True},
    {"sub": "unverified", "email": OFFICER, "email_verified": False},
    {"sub": "nobody", "email": "nobody@district.example", "email_verified": True},
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, a_browser(playwright) as browser:
        yield browser


@pytest.fixture
def site(console: Console, tmp_path: Path) -> Iterator[Served]:
    """The console of a district, and its provider."""
    with an_identity_provider(tmp_path, ACCOUNTS) as oidc, served(console.services, oidc) as site:
        yield site


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 320, "height": 640}) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_in(page: Page, site: Served, sub: str) -> None:
    page.goto(f"{site.url}/signin")
    page.get_by_role("link", name="Sign in with your work account").click()
    page.locator(f'button[value="{sub}"]').click()
    page.wait_for_url(f"{site.url}/**")


def shown(response: Response | None) -> int:
    assert response is not None
    return response.status


def test_an_officer_comes_to_the_page_that_was_wanted(page: Page, site: Served) -> None:
    """From a link in a mail over the provider to that page; and out again."""
    page.goto(f"{site.url}/access?case=C-0")
    assert page.url == f"{site.url}/signin"
    page.get_by_role("link", name="Sign in with your work account").click()
    page.locator('button[value="auditor"]').click()
    page.wait_for_url(f"{site.url}/access?case=C-0")
    assert page.get_by_text(AUDITOR).first.is_visible()

    page.get_by_role("button", name="Sign out").click()
    assert page.url == f"{site.url}/signin"
    page.goto(f"{site.url}/access")
    assert page.url == f"{site.url}/signin"


@pytest.mark.parametrize(
    ("sub", "words"),
    [
        ("elsewhere", "This account is not one of Example Public Schools"),
        ("outsider", "This account is not one of Example Public Schools"),
        ("unverified", "does not vouch for this address"),
        ("nobody", "Your account has nothing to do here"),
    ],
)
def test_whoever_is_not_ours_stays_outside(page: Page, site: Served, sub: str, words: str) -> None:
    """With a page that says why, and lets one try another account."""
    sign_in(page, site, sub)

    assert words in page.get_by_role("alert").inner_text()
    assert page.get_by_role("link", name="Sign in with your work account").is_visible()
    page.goto(site.url)
    assert page.url == f"{site.url}/signin"


def test_who_says_no_at_the_provider_is_back(page: Page, site: Served) -> None:
    """Nothing has happened."""
    page.goto(f"{site.url}/signin/go")
    page.get_by_role("button", name="Deny").click()

    assert "was not finished" in page.get_by_role("alert").inner_text()


def test_the_cookie_is_no_scripts_business(
    page: Page, context: BrowserContext, site: Served
) -> None:
    """Nothing in the browser knows the session but the browser itself."""
    sign_in(page, site, "officer")

    (cookie,) = [c for c in context.cookies(site.url) if c.get("name") == "meetbot"]
    assert cookie.get("httpOnly")
    assert cookie.get("sameSite") == "Lax"
    assert cookie.get("expires") == -1
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim()"))


def go_to(page: Page, words: str) -> None:
    """Press Tab until that is focused; what has the focus is always marked."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if focused(page) == words:
            ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert ring == "solid"
            return
    raise AssertionError(f"{words} is not reached by Tab")


def test_all_of_it_with_the_keyboard(page: Page, site: Served) -> None:
    """In, past the navigation, to another page, to the other language, and out."""
    page.goto(f"{site.url}/signin")
    go_to(page, "Sign in with your work account")
    page.keyboard.press("Enter")
    page.wait_for_url("**/oauth2/authorize?**")
    page.keyboard.type("auditor")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/")

    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    page.reload()
    go_to(page, "Access log")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/access")
    go_to(page, "Español")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Registro de accesos").wait_for()
    assert page.url == f"{site.url}/access"
    go_to(page, "Cerrar sesión")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/signin")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_phone(
    browser: Browser, site: Served, scheme: Scheme
) -> None:
    """axe finds nothing and nothing scrolls sideways at 320 pixels, in both languages."""
    with browser.new_context(
        color_scheme=scheme, viewport={"width": 320, "height": 640}
    ) as context:
        page = context.new_page()
        elsewhere: list[str] = []
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(site.url) else elsewhere.append(asked.url),
        )
        for language in ("English", "Español"):
            page.goto(f"{site.url}/signin")
            if language == "Español":
                page.get_by_role("button", name="Español").click()
            assert faults(page) == []
            page.goto(f"{site.url}/signin/callback?error=access_denied")
            assert faults(page) == []
        assert elsewhere == []
        page.get_by_role("button", name="English").click()
        sign_in(page, site, "officer")
        assert faults(page) == []
        assert shown(page.goto(f"{site.url}/nothing")) == 404
        assert faults(page) == []
        assert shown(page.goto(f"{site.url}/access")) == 403
        assert faults(page) == []
        page.get_by_role("button", name="Sign out").click()
        sign_in(page, site, "auditor")
        page.goto(f"{site.url}/access")
        assert page.get_by_text("refused").first.is_visible()
        assert faults(page) == []


def test_targets_are_large_enough(page: Page, site: Served) -> None:
    """Whatever one may press or follow is 24 pixels high, or stands within a sentence."""
    sign_in(page, site, "officer")
    small = page.evaluate(
        """[...document.querySelectorAll("a, button, input:not([type=hidden])")]
        .filter(each => !each.closest("p") && !each.matches(".skip"))
        .filter(each => each.getBoundingClientRect().height < 24)
        .map(each => each.outerHTML)"""
    )

    assert small == []
