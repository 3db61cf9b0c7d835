"""Makes the pictures that the README shows: `python -m tests.screenshots`.

A flag mail, and pages of the console over the demo district as its first pass leaves it.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

import meetbot.console
import meetbot.notify
from meetbot.console.access import Role
from meetbot.domain.notices import Audience, Notice
from meetbot.notify.compose import Composer
from meetbot.notify.preview import page_of
from tests.notices import END, START, a_flag_notice

CHROMIUM = shutil.which("chromium")
"""The system's; None where there is none."""
PICTURES = Path(meetbot.console.__file__).with_name("pictures")
PICTURE = Path(meetbot.notify.__file__).with_name("flag-mail.png")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def a_browser(playwright: Playwright) -> Iterator[Browser]:
    """The system's chromium, without a window and without talking to anybody."""
    if CHROMIUM is None:
        raise FileNotFoundError("chromium is not installed: apt-get install chromium")
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
    try:
        yield browser
    finally:
        browser.close()


def page_for(notice: Notice) -> str:
    """The notice's mail as a page; hosts read theirs before the meeting, officers after it."""
    officers = ("compliance@district.example",)
    compose = Composer("meetbot@district.example", "Example Public Schools", officers, {})
    sent_at = START - timedelta(days=1) if notice.audience is Audience.HOST else END
    return page_of(compose(notice, references=(), sent_at=sent_at).raw)


def main() -> int:
    """Write each picture beside the code that makes what it shows."""
    with sync_playwright() as playwright, a_browser(playwright) as browser:
        page = browser.new_page(viewport={"width": 720, "height": 900}, device_scale_factor=1.5)
        page.set_content(page_for(a_flag_notice()))
        _keep(page, PICTURE)
        _console(browser)
    return 0


def _keep(page: Page, picture: Path) -> None:
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    shot.quantize(colors=96, dither=Image.Dither.NONE).save(picture, optimize=True)


def _console(browser: Browser) -> None:
    """Each page as somebody sees whose work it is."""
    # Imported here: the tests of mails take their browser from this module.
    from tests.console.approval_parts import a_lesson, asked
    from tests.console.browsing import served, signed_in
    from tests.console.building import PEOPLE, a_console, a_polled_district
    from tests.console.case_parts import case_with, host_of

    folder = Path(tempfile.mkdtemp(prefix="meetbot-screenshots-"))
    (folder / "copy").mkdir()
    with (
        a_polled_district(folder) as (stage, now),
        a_console(stage, now, folder / "copy") as console,
    ):
        approval = asked(console, a_lesson(console))
        case = case_with(console, "staff-left-early")
        shots: tuple[tuple[str, str, str, int], ...] = (
            ("cases", "/cases", PEOPLE[Role.OFFICER], 1100),
            ("case", f"/cases/{case.id}", PEOPLE[Role.OFFICER], 1100),
            ("case-phone", f"/cases/{case.id}", PEOPLE[Role.OFFICER], 360),
            ("answer", f"/answers/{case.id}", host_of(console, case), 720),
            ("approval", f"/approvals/{approval.id}", PEOPLE[Role.PRINCIPAL], 360),
            ("registry", "/registry/partners/maker-yard", PEOPLE[Role.KEEPER], 1100),
            ("overview", "/overview", PEOPLE[Role.OFFICER], 1100),
        )
        with served(console) as root:
            for name, path, who, width in shots:
                viewport = {"width": width, "height": 800}
                with signed_in(browser, console, root, who, viewport=viewport) as page:
                    page.goto(path)
                    _keep(page, PICTURES / f"{name}.png")
    shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
