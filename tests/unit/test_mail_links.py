"""Mails lead to the console, each reader to their own page, and a link gives nothing away."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from meetbot.domain.case_ids import case_id
from meetbot.domain.notices import Audience, DigestNotice, MeetingNotice, Notice, ReminderNotice
from meetbot.notify.compose import Composer
from meetbot.rules import KNOWN_RULES
from meetbot.settings import load_settings
from tests import notices, readme

ROOT = "https://meetbot.district.example/console"
EVERY = notices.every_notice()
CASES, ANSWERS = f"{ROOT}/cases/{notices.CASE}", f"{ROOT}/answers/{notices.CASE}"
ASK = f"{ROOT}/approvals/ask/{notices.CASE}"
LINKS = {
    "flag": {CASES},
    "flag-principal": {CASES},
    "flag-review": {CASES},
    "escalation": {CASES},
    "handed-up": {CASES},
    "handed-up-upheld": {CASES},
    "question": {ANSWERS},
    "upheld": {ANSWERS},
    "dismissed": {ANSWERS},
    "fix-it": {ANSWERS},
    "withdrawn": {CASES},
    "nudge": {ANSWERS},
    "reminder-7d": {ASK, ANSWERS},
    "reminder-24h": {ANSWERS},
    "reminder-1h": set(),
    "digest": {CASES},
    "weekly": {f"{ROOT}/overview"},
    "all-clear": {f"{ROOT}/overview"},
    "confidential": {CASES},
    "operations": {f"{ROOT}/operations"},
    "roll-up": {CASES},
    "roll-up-host": {ANSWERS},
    "storm": {f"{ROOT}/operations"},
}


def bodies(notice: Notice, console: str = ROOT) -> tuple[str, str]:
    """Text and HTML of a mail."""
    officers = ("compliance@district.example",)
    compose = Composer("meetbot@district.example", "Schools", officers, {}, console)
    mail = compose(notice, references=(), sent_at=notices.END)
    message = message_from_bytes(mail.raw, policy=policy.default)
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert page is not None
    return str(plain.get_content()), str(page.get_content())


def links(text: str, page: str) -> tuple[set[str], set[str]]:
    """Links to the console in the text, and those of the HTML."""
    in_text = set(re.findall(rf"{re.escape(ROOT)}\S*", text))
    return in_text, set(re.findall(rf'href="({re.escape(ROOT)}[^"]*)"', page))


@pytest.mark.parametrize("name", EVERY)
def test_every_mail_links_to_the_page_of_its_reader(name: str) -> None:
    """Officers to the case, hosts to their answer, in text and HTML alike; nothing else."""
    assert links(*bodies(EVERY[name])) == (LINKS[name], LINKS[name])


@pytest.mark.parametrize("name", EVERY)
def test_without_a_console_mails_have_no_links(name: str) -> None:
    """No empty button, no half address."""
    text, page = bodies(EVERY[name], console="")

    assert "/cases/" not in text + page
    assert "/answers/" not in text + page
    assert 'href=""' not in page
    assert "Open the case" not in text + page


@pytest.mark.parametrize(
    "forged", ["", "C-1", "../signout?next=//evil.example", "C-0123456789ab/x"]
)
def test_a_link_holds_a_case_id_or_is_not_there(forged: str) -> None:
    """What is stored in place of an id never gets into an address."""
    notice = EVERY["flag"]
    assert isinstance(notice.content, MeetingNotice)
    card = replace(notice.content.card, case_id=forged)

    text, page = bodies(replace(notice, content=replace(notice.content, card=card)))

    assert links(text, page) == (set(), set())


def test_a_nudge_without_a_flag_links_to_no_case() -> None:
    """There is none yet."""
    notice = EVERY["nudge"]
    assert isinstance(notice.content, MeetingNotice)

    assert links(*bodies(replace(notice, content=replace(notice.content, flags=())))) == (
        set(),
        set(),
    )


def test_an_authorized_meeting_needs_no_request() -> None:
    """The reminder asks for an approval only where there is none."""
    notice = EVERY["reminder-7d"]
    assert isinstance(notice.content, ReminderNotice)
    content = replace(notice.content, is_authorized=True)

    assert ASK not in bodies(replace(notice, content=content))[0]


def test_each_meeting_of_a_digest_has_its_own_link() -> None:
    """A link stands with the meeting that it leads to."""
    notice = EVERY["digest"]
    assert isinstance(notice.content, DigestNotice)
    first = notice.content.lines[0]
    other = replace(first, card=replace(first.card, case_id="C-ffffffffffff"))

    found, _ = links(
        *bodies(replace(notice, content=replace(notice.content, lines=(first, other))))
    )

    assert found == {CASES, f"{ROOT}/cases/C-ffffffffffff"}


def test_the_host_of_a_withdrawn_flag_is_led_to_the_own_page() -> None:
    """Never to the officers' case."""
    notice = replace(EVERY["withdrawn"], audience=Audience.HOST)

    assert links(*bodies(notice)) == ({ANSWERS}, {ANSWERS})


def test_a_case_id_tells_nothing() -> None:
    """Neither the uid nor the start can be read from it, and it is the same every time."""
    name = case_id("uid-1@district.example|20261013T150000Z")

    assert re.fullmatch(r"C-[0-9a-f]{12}", name)
    assert name == case_id("uid-1@district.example|20261013T150000Z")
    assert name != case_id("uid-1@district.example|20261020T150000Z")


@pytest.mark.parametrize(
    ("base_url", "api_root", "root"),
    [
        ("https://meetbot.district.example/", None, "https://meetbot.district.example"),
        ("https://meetbot.district.example", "http://127.0.0.1:8085", ROOT.rpartition("/")[0]),
        ("http://127.0.0.1:8000", None, ""),
        ("http://localhost:8000", "https://google.proxy.example", ""),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8085", "http://127.0.0.1:8000"),
        (None, "http://[::1]:8085", "http://127.0.0.1:8000"),
        (None, None, ""),
    ],
)
def test_a_console_on_loopback_is_linked_only_from_a_simulation(
    tmp_path: Path, base_url: str | None, api_root: str | None, root: str
) -> None:
    """Readers of a real district's mails sit at other machines."""
    sample = (readme.ROOT / "config/meetbot.toml").read_text(encoding="utf-8")
    file = tmp_path / "meetbot.toml"
    file.write_text(sample)
    environ = {"MEETBOT_CONSOLE__BASE_URL": base_url, "MEETBOT_GOOGLE__API_ROOT": api_root}

    settings = load_settings(file, {k: v for k, v in environ.items() if v}, KNOWN_RULES)

    assert settings.link_root == root
