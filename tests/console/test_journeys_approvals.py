"""Approvals and the registry in a real browser: whole journeys, by keyboard, on a narrow phone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from meetbot.console.access import Role
from meetbot.domain.approvals import ApprovalState
from meetbot.domain.cards import thread_of
from meetbot.domain.notices import NoticeKind
from meetbot.notify.preview import page_of
from meetbot.registry import write_folder
from tests.console.approval_parts import Lesson, a_lesson, ask, asked
from tests.console.browsing import WIDTHS, faults, served, signed_in
from tests.console.conftest import PEOPLE, Console
from tests.screenshots import CHROMIUM, a_browser

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="chromium is not installed: apt-get install chromium",
)
PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, a_browser(playwright) as browser:
        yield browser


@pytest.fixture
def root(console: Console) -> Iterator[str]:
    """Where the console is served."""
    with served(console) as address:
        yield address


@pytest.fixture
def lesson(console: Console) -> Lesson:
    """A lesson ahead that nobody approved."""
    return a_lesson(console)


def link_in_mail(console: Console, occurrence: str, kind: NoticeKind) -> str:
    """The path of the link in a mail about an occurrence."""
    with console.store.reading() as tx:
        number = tx.meetings.named(occurrence)
        assert number is not None
        mails = tx.outbox.of_thread(thread_of(tx.meetings.load(number).key))
    notice = next(mail.notice for mail in mails if mail.notice.kind is kind)
    raw = console.deps.compose(notice, references=(), sent_at=console.now).raw
    found = re.search(r"http://127\.0\.0\.1:8000(/approvals/Q-[0-9a-f]{12})", page_of(raw))
    assert found is not None
    return found[1]


def press(page: Page, name: str) -> None:
    """Reach a button or link with Tab alone and press it."""
    target = page.locator("button, a, summary", has_text=re.compile(f"^\\s*{re.escape(name)}\\s*$"))
    for _ in range(80):
        if target.first.evaluate("(each) => each === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {name!r}")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_principal_approves_on_a_phone_from_the_mails_link(
    browser: Browser, console: Console, root: str, lesson: Lesson, scripts: bool
) -> None:
    """Standing, days and button are there without a sideways move; one press does it."""
    console.app.config["WTF_CSRF_ENABLED"] = False
    approval = asked(console, lesson)
    console.app.config["WTF_CSRF_ENABLED"] = True
    path = link_in_mail(console, approval.occurrence, NoticeKind.APPROVAL)
    options = PHONE | {"java_script_enabled": scripts}
    with signed_in(browser, console, root, Role.PRINCIPAL, **options) as page:
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text("May this partner come?")
        expect(page.get_by_text("Story Bridge").first).to_be_visible()
        with console.store.reading() as tx:
            assert tx.approvals.get(approval.id).state is ApprovalState.PENDING
        page.get_by_role("button", name="Approve these days").click()
        expect(page.get_by_role("status")).to_contain_text("the host is told")
        expect(page.get_by_role("button", name="Approve these days")).to_have_count(0)
    with console.store.reading() as tx:
        assert tx.approvals.get(approval.id).state is ApprovalState.APPROVED


def test_a_host_asks_and_a_principal_refuses_with_the_keyboard_alone(
    browser: Browser, console: Console, root: str, lesson: Lesson
) -> None:
    """Every control is reached by Tab, every mistake is said at its field."""
    with signed_in(browser, console, root, lesson.host) as page:
        page.goto(f"/approvals/ask/{lesson.case}")
        press(page, "Ask for approval")
        expect(page.get_by_role("status")).to_contain_text("Your request was sent")
        path = page.url.removeprefix(root)
    with signed_in(browser, console, root, Role.PRINCIPAL) as page:
        page.goto(path)
        press(page, "Refuse")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(page.get_by_label("The partner is not ready")).to_be_checked()
        page.keyboard.press("Tab")
        page.keyboard.type("Not before the contract is signed")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("the host is told")
        expect(page.get_by_text("Not before the contract is signed")).to_be_visible()


def test_a_keeper_adds_a_partner_and_imports_a_file(
    browser: Browser, console: Console, root: str, tmp_path: Path
) -> None:
    """A mistake is mended at its field; an import is looked at before it is made."""
    with signed_in(browser, console, root, Role.KEEPER) as page:
        page.goto("/registry")
        page.get_by_role("link", name="Add a partner").click()
        page.get_by_label("Name").fill("Moon Lab")
        page.get_by_label("Partner id").fill("moon;lab")
        page.get_by_role("button", name="Add the row").click()
        expect(page.get_by_label("Partner id")).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_label("Name")).to_have_value("Moon Lab")
        page.get_by_label("Partner id").fill("moon")
        page.get_by_role("button", name="Add the row").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Moon Lab")

        with console.store.reading() as tx:
            write_folder(tx.registry.current(), tmp_path)
        partners = tmp_path / "partners.csv"
        partners.write_text(partners.read_text() + "sun,Sun Lab,contracted,active,\n")
        page.goto("/registry")
        page.get_by_role("link", name="Import", exact=True).click()
        page.get_by_label("Files").set_input_files(sorted(tmp_path.glob("*.csv")))
        page.get_by_role("button", name="See what would change").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("What the import would change")
        page.get_by_role("button", name="Import this").click()
        expect(page.get_by_role("link", name="Sun Lab")).to_be_visible()
        expect(page.get_by_role("link", name="Moon Lab")).to_be_visible()


REGISTRY_PAGES = (
    "/registry",
    "/registry?q=nothing-of-this-name",
    "/registry/partners/bright-path",
    "/registry/files/authorizations?ended=1",
    "/registry/files/exemptions",
    "/registry/lapsing?days=90",
    "/registry/files/contracts/add",
    "/registry/files/exemptions/add",
    "/registry/rows/1/change",
    "/registry/rows/1/end",
    "/registry/import",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_registrys_pages_have_no_fault(
    browser: Browser, console: Console, root: str, scheme: str, tmp_path: Path
) -> None:
    """Axe finds nothing, and nothing is wider than a narrow phone, whatever state it is in."""
    with signed_in(browser, console, root, Role.KEEPER, color_scheme=scheme) as page:
        for width in WIDTHS:
            for path in REGISTRY_PAGES:
                page.goto(path)
                assert faults(page, width) == [], (path, width)
            page.goto("/registry/files/contracts/add")
            page.evaluate(
                "document.querySelectorAll('[required]').forEach(e => e.required = false)"
            )
            page.get_by_role("button", name="Add the row").click()
            assert page.locator(".mistake").count()
            assert faults(page, width) == [], ("mistakes", width)
            with console.store.reading() as tx:
                write_folder(tx.registry.current(), tmp_path)
            exemptions = tmp_path / "exemptions.csv"
            exemptions.write_text(exemptions.read_text().splitlines()[0] + "\n")
            _upload(page, sorted(tmp_path.glob("*.csv")))
            page.get_by_role("button", name="Import this").click()
            assert page.locator("#vanish-errors").count()
            assert faults(page, width) == [], ("preview", width)
            _upload(page, [exemptions])
            assert faults(page, width) == [], ("mistakes of an import", width)


def _upload(page: Page, files: list[Path]) -> None:
    page.goto("/registry/import")
    page.get_by_label("Files").set_input_files(files)
    page.get_by_role("button", name="See what would change").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_about_approvals_have_no_fault(
    browser: Browser, console: Console, root: str, lesson: Lesson, scheme: str
) -> None:
    """In every state: nothing asked, waiting, wrongly answered, answered, expired."""
    console.app.config["WTF_CSRF_ENABLED"] = False
    with signed_in(browser, console, root, lesson.host, color_scheme=scheme) as page:
        for path in ("/approvals", f"/approvals/ask/{lesson.case}"):
            _sound(page, path)
        assert ask(console, lesson, ends_on="2020-01-01").status_code == 422
        page.goto(f"/approvals/ask/{lesson.case}")
        page.get_by_label("Last day").fill("2020-01-01")
        page.get_by_role("button", name="Ask for approval").click()
        _sound(page)
    approval = asked(console, lesson)
    with signed_in(browser, console, root, Role.PRINCIPAL, color_scheme=scheme) as page:
        _sound(page, "/approvals")
        _sound(page, f"/approvals/{approval.id}")
        page.get_by_label("Another reason, in my words").check()
        page.get_by_role("button", name="Refuse").click()
        assert page.locator(".mistake").count()
        _sound(page)
        client = console.client(PEOPLE[Role.PRINCIPAL])
        client.post(f"/approvals/{approval.id}/answer", data={"choice": "approve"})
        _sound(page, f"/approvals/{approval.id}")
        _sound(page, "/approvals")


def _sound(page: Page, path: str = "") -> None:
    """A page, or the one shown, at both widths."""
    if path:
        page.goto(path)
    for width in WIDTHS:
        assert faults(page, width) == [], (path, width)
