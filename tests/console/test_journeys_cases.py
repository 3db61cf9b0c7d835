"""Whole journeys about cases in a real browser: from a mail's link to a closed case, and back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from meetbot.console.access import Role
from meetbot.domain.cards import thread_of
from meetbot.domain.casework import Case, CaseStatus, EventKind
from meetbot.domain.findings import Severity
from meetbot.domain.notices import Audience
from meetbot.notify.preview import page_of
from meetbot.sandbox.district import principal
from tests.console.browsing import WIDTHS, faults, served, sign_in, signed_in
from tests.console.case_parts import (
    again,
    all_cases,
    case_with,
    change_flag,
    flags_of,
    four_eyes,
    host_of,
    kinds,
    make_private,
)
from tests.console.conftest import SECOND_OFFICER, Console
from tests.screenshots import CHROMIUM, a_browser

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="chromium is not installed: apt-get install chromium",
)


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
def case(console: Console) -> Case:
    """Staff left, and the partner stayed with one student."""
    return case_with(console, "partner-alone-with-student")


def link_in_mail(console: Console, case: Case, audience: Audience) -> str:
    """The path of the link in the mail about a case."""
    with console.store.reading() as tx:
        mails = tx.outbox.of_thread(thread_of(flags_of(console, case)[0].occurrence))
    notice = next(mail.notice for mail in mails if mail.notice.audience is audience)
    raw = console.deps.compose(notice, references=(), sent_at=console.now).raw
    found = re.search(r"http://127\.0\.0\.1:8000(/\w+/C-[0-9a-f]{12})", page_of(raw))
    assert found is not None
    return found[1]


def choose(page: Page, name: str) -> None:
    """Choose an option of a group by its words."""
    page.get_by_label(name, exact=True).check()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_officer_decides_a_case_from_the_mails_link_to_closed(
    browser: Browser, console: Console, root: str, case: Case, scripts: bool
) -> None:
    """Acknowledges, asks the host, reads the answer, dismisses: with and without JavaScript."""
    link = link_in_mail(console, case, Audience.OFFICERS)
    with signed_in(browser, console, root, Role.OFFICER, java_script_enabled=scripts) as page:
        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Partner alone")
        page.get_by_role("button", name="Acknowledge: I look into it").click()
        expect(page.get_by_role("status")).to_contain_text("Acknowledged")
        page.locator("#do-ask summary").click()
        page.get_by_label("Question (may stay empty)").fill("Who stayed?")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("The host is asked by mail")
        answer(browser, console, root, case, scripts=scripts)
        page.reload()
        expect(page.get_by_text("A colleague was there and supervised").first).to_be_visible()
        page.locator("#do-dismiss summary").click()
        choose(page, "Staff supervised in another way")
        page.get_by_role("button", name="Dismiss", exact=True).click()
        expect(page.get_by_role("status").first).to_contain_text("Dismissed.")
        expect(page.get_by_text("This case is closed.")).to_be_visible()

    assert again(console, case).status is CaseStatus.CLOSED
    assert kinds(console, case) == [
        EventKind.ACKNOWLEDGED,
        EventKind.ASKED,
        EventKind.ANSWERED,
        EventKind.DISMISSED,
    ]


def answer(
    browser: Browser, console: Console, root: str, case: Case, *, scripts: bool = True
) -> None:
    """Have the host answer, from the link in the host's mail; once wrongly."""
    link = link_in_mail(console, case, Audience.HOST)
    host = host_of(console, case)
    with signed_in(browser, console, root, host, java_script_enabled=scripts) as page:
        page.goto(link)
        choose(page, "A colleague was there and supervised")
        page.get_by_label("In your words").fill("Ask s1001@students.district.example.")
        page.get_by_role("button", name="Send the answer").click()
        expect(page.locator(".mistake")).to_contain_text("an id of a student")
        page.get_by_label("In your words").fill("She sat beside me.")
        page.get_by_role("button", name="Send the answer").click()
        expect(page.get_by_role("status")).to_contain_text("Thank you.")
        expect(page.get_by_text("Your answer so far")).to_be_visible()


def test_a_decision_is_undone(browser: Browser, console: Console, root: str, case: Case) -> None:
    """The button stands above the others, with the seconds that are left; without JavaScript."""
    with signed_in(browser, console, root, Role.OFFICER, java_script_enabled=False) as page:
        page.goto(f"/cases/{case.id}")
        page.locator("#do-uphold summary").click()
        choose(page, "Policy was not followed")
        page.get_by_role("button", name="Uphold", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Upheld:")
        page.get_by_role("button", name=re.compile(r"Undo \(\d+ seconds left\)")).click()
        expect(page.get_by_role("status").first).to_contain_text("Undone")
        expect(page.get_by_role("heading", level=1)).to_contain_text("May not match policy:")

    assert again(console, case).status is CaseStatus.OPEN


def test_two_officers_decide(browser: Browser, console: Console, root: str, case: Case) -> None:
    """One proposes and sees no button to confirm; the other confirms."""
    four_eyes(console)
    with signed_in(browser, console, root, Role.OFFICER) as page:
        page.goto(f"/cases/{case.id}")
        page.locator("#do-uphold summary").click()
        choose(page, "Policy was not followed")
        page.get_by_role("button", name="Uphold", exact=True).click()
        expect(page.get_by_text("Another officer has to confirm or reject it.")).to_be_visible()
        expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
    assert again(console, case).status is CaseStatus.OPEN
    with signed_in(browser, console, root, SECOND_OFFICER) as page:
        page.goto(f"/cases/{case.id}")
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_role("status").first).to_contain_text("Confirmed.")

    assert again(console, case).status is CaseStatus.CLOSED


def test_a_case_that_changed_meanwhile_is_shown_again(
    browser: Browser, console: Console, root: str, case: Case
) -> None:
    """What was chosen stays, and is sent after another look."""
    with signed_in(browser, console, root, Role.OFFICER) as page:
        page.goto(f"/cases/{case.id}")
        page.locator("#do-dismiss summary").click()
        choose(page, "Technical fault, such as a dropped line or a wrong log")
        change_flag(console, case, severity=Severity.LOW)
        page.get_by_role("button", name="Dismiss", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("has changed since you opened it")
        page.get_by_role("button", name="Dismiss", exact=True).click()
        expect(page.get_by_text("This case is closed.")).to_be_visible()


def tab_to(page: Page, text: str, *, most: int = 120) -> None:
    """Press Tab until what has the focus says this; everything on the way can be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const on = document.activeElement, box = on.getBoundingClientRect();
            const label = on.labels && on.labels.length ? on.labels[0].innerText : on.innerText;
            const line = getComputedStyle(on).outlineStyle;
            return [on.tagName, (on.getAttribute('aria-label') || label || '').trim(), line,
                    box.width * box.height] }"""
        )
        if found[0] != "BODY":
            assert found[2] != "none", found
            assert found[3] > 0, found
        if text in found[1]:
            return
    raise AssertionError(f"{text} is not reached by Tab")


def follow(page: Page) -> None:
    """Press Enter on what leads to another page, and wait for it."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_an_officer_needs_no_mouse(
    browser: Browser, console: Console, root: str, case: Case
) -> None:
    """From the start page over the list to a dismissed case with the keyboard alone."""
    with signed_in(browser, console, root, Role.OFFICER) as page:
        page.goto("/")
        tab_to(page, "Skip to the content")
        page.keyboard.press("Enter")
        tab_to(page, "To all ")
        follow(page)
        tab_to(page, "Search and filter")
        page.keyboard.press("Enter")
        tab_to(page, "Partner, school, rule or case")
        page.keyboard.type(case.id)
        follow(page)
        tab_to(page, "Partner alone with one student")
        follow(page)
        tab_to(page, "Dismiss")
        page.keyboard.press("Enter")
        tab_to(page, "Somebody was taken for somebody else")
        page.keyboard.press("ArrowDown")
        tab_to(page, "Note (may stay empty)")
        page.keyboard.type("A colleague took over.")
        tab_to(page, "Dismiss")
        follow(page)
        expect(page.get_by_text("This case is closed.")).to_be_visible()

    assert kinds(console, case) == [EventKind.DISMISSED]


def test_several_cases_are_acknowledged(browser: Browser, console: Console, root: str) -> None:
    """Chosen in the list, which comes back with its filter."""
    first, second = [each for each in all_cases(console) if each.severity is Severity.CRITICAL][:2]
    with signed_in(browser, console, root, Role.OFFICER, java_script_enabled=False) as page:
        page.goto("/cases?severity=critical")
        for each in (first, second):
            page.get_by_label(f"Choose case {each.id}").check()
        page.get_by_role("button", name="Acknowledge the chosen ones").click()
        expect(page.get_by_text("2 cases acknowledged.")).to_be_visible()
        assert page.url.endswith("/cases?severity=critical")

    assert {again(console, each).status for each in (first, second)} == {CaseStatus.ACKNOWLEDGED}


def test_the_picture_is_drawn(browser: Browser, console: Console, root: str, case: Case) -> None:
    """Under the policy that the page and the picture are sent with, and nothing else is asked."""
    asked: list[str] = []
    with signed_in(browser, console, root, Role.OFFICER) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: asked.append(message.text))
        page.goto(f"/cases/{case.id}")
        width = page.evaluate("document.querySelector('img.timeline').naturalWidth")

    assert width > 300
    assert [url for url in asked if not url.startswith(f"{root}/")] == []


# --- every state of every page ------------------------------------------------------------------

Scheme = Literal["light", "dark"]


def states(
    browser: Browser, console: Console, root: str, scheme: Scheme
) -> Iterator[tuple[str, Page]]:
    """Every state of the pages about cases: its name, and a page that shows it."""
    case = case_with(console, "partner-alone-with-student")
    unknown = case_with(console, "unidentified-participant")
    private = make_private(console, case_with(console, "staff-presence-gap"))
    options = {"color_scheme": scheme, "viewport": {"width": 320, "height": 800}}
    with signed_in(browser, console, root, Role.OFFICER, **options) as page:
        yield from _lists(page)
        yield from _case(page, console, case)
    with signed_in(browser, console, root, host_of(console, unknown), **options) as page:
        yield from _host(page, unknown)
    for who, path in (
        (Role.PRIVACY, f"/cases/{private.id}"),
        (Role.AUDITOR, f"/cases/{case.id}"),
        (principal("cedar"), f"/cases/{case.id}"),
        (Role.KEEPER, "/"),
        (Role.OPERATOR, "/answers"),
        (Role.KEEPER, "/cases"),
        (Role.OFFICER, f"/cases/{private.id}"),
    ):
        with signed_in(browser, console, root, who, **options) as page:
            page.goto(path)
            yield f"{who} {path}", page


def _lists(page: Page) -> Iterator[tuple[str, Page]]:
    for path in (
        "/",
        "/cases",
        "/cases?severity=high&q=maker",
        "/cases?q=nobody",
        "/cases?since=yesterday",
    ):
        page.goto(path)
        yield path, page
    page.goto("/cases")
    page.get_by_role("button", name="Acknowledge the chosen ones").click()
    yield "nothing chosen", page
    page.goto("/cases")
    page.get_by_role("link", name="More cases").click()
    yield "second page", page


def _case(page: Page, console: Console, case: Case) -> Iterator[tuple[str, Page]]:
    page.goto(f"/cases/{case.id}")
    yield "open", page
    page.goto(f"/cases/{case.id}")
    page.locator("#do-dismiss summary").click()
    page.get_by_role("button", name="Dismiss", exact=True).click()
    yield "error", page
    page.goto(f"/cases/{case.id}")
    page.locator("#do-uphold summary").click()
    choose(page, "Policy was not followed")
    change_flag(console, case, severity=Severity.CRITICAL, message="Partner alone.")
    change_flag(console, case, severity=Severity.HIGH)
    page.get_by_role("button", name="Uphold", exact=True).click()
    yield "stale", page
    page.get_by_role("button", name="Uphold", exact=True).click()
    yield "closed, can be undone", page
    page.goto(f"/cases/{case.id}")
    page.get_by_role("button", name=re.compile("Undo")).click()
    yield "undone", page
    four_eyes(console)
    change_flag(console, case, severity=Severity.CRITICAL)
    page.goto(f"/cases/{case.id}")
    page.locator("#do-uphold summary").click()
    choose(page, "Policy was not followed")
    page.get_by_role("button", name="Uphold", exact=True).click()
    yield "proposed", page
    page.context.clear_cookies()
    sign_in(page.context, console, page.url.partition("/cases")[0], SECOND_OFFICER)
    page.goto(f"/cases/{case.id}")
    yield "proposed by another", page


def _host(page: Page, case: Case) -> Iterator[tuple[str, Page]]:
    page.goto("/")
    yield "host's start", page
    page.goto("/answers")
    yield "questions", page
    page.goto("/answers?closed=1")
    yield "no question", page
    page.goto(f"/answers/{case.id}")
    yield "question", page
    page.goto(f"/answers/{case.id}")
    page.get_by_role("button", name="Send the answer").click()
    yield "question, error", page
    page.goto(f"/answers/{case.id}")
    page.locator("details summary").first.click()
    page.get_by_role("button", name="Say who it was").click()
    yield "somebody unknown, error", page
    page.goto(f"/answers/{case.id}")
    choose(page, "It is put right now")
    page.get_by_role("button", name="Send the answer").click()
    yield "answered", page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_is_accessible_and_fits_a_phone(
    browser: Browser, console: Console, root: str, scheme: Scheme
) -> None:
    """axe finds nothing with all parts unfolded; 320 pixels suffice."""
    found: dict[str, list[str]] = {}
    for name, page in states(browser, console, root, scheme):
        for width in WIDTHS:
            found[f"{name}, {width}"] = faults(page, width)

    assert len(found) > 50
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
