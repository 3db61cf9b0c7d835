"""Makes the picture of a flag mail that the README shows: `python -m tests.screenshots`."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Playwright, sync_playwright

import meetbot.notify
from meetbot.domain.notices import Audience, Notice
from meetbot.notify.compose import Composer
from meetbot.notify.preview import page_of
from tests.notices import END, START, a_flag_notice

CHROMIUM = shutil.which("chromium")
"""The system's; None where there is none."""
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
    """Write the picture beside the code that makes the mail."""
    with sync_playwright() as playwright, a_browser(playwright) as browser:
        page = browser.new_page(viewport={"width": 720, "height": 900}, device_scale_factor=1.5)
        page.set_content(page_for(a_flag_notice()))
        shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    shot.quantize(colors=96, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
