"""The host's pages: what was seen in plain words, and the host's answer."""

from __future__ import annotations

import re

import pytest
from werkzeug.test import TestResponse

from meetbot.console.access import Role
from meetbot.domain.casework import Case, EventKind
from meetbot.domain.flags import FlagStatus
from tests.console.case_parts import case_with, flags_of, host_of, kinds, make_private
from tests.console.conftest import Console
from tests.console.test_case_page import act
from tests.console.test_case_page import page as officers_page


@pytest.fixture
def case(console: Console) -> Case:
    """Somebody unknown was in the call."""
    return case_with(console, "unidentified-participant")


def page(console: Console, case: Case) -> str:
    answer = console.client(host_of(console, case)).get(f"/answers/{case.id}")
    assert answer.status_code == 200
    return answer.text


def say(console: Console, case: Case, **values: str) -> TestResponse:
    return console.client(host_of(console, case)).post(f"/answers/{case.id}/answer", data=values)


def name(console: Console, case: Case, **values: str) -> TestResponse:
    """Say who the unknown participant was."""
    found = re.search(r'name="about" value="(U-\w+)"', page(console, case))
    assert found is not None
    data = {"about": found[1]} | {f"{found[1]}-{key}": value for key, value in values.items()}
    return console.client(host_of(console, case)).post(f"/answers/{case.id}/identify", data=data)


def test_hosts_find_their_own_meetings_only(console: Console, case: Case) -> None:
    """Those that ask something; closed ones apart."""
    host = console.client(host_of(console, case))
    other = console.client(host_of(console, case_with(console, "staff-left-early")))
    for flag in flags_of(console, case):
        assert f"/answers/{case.id}" in host.get("/answers").text
        assert f"/answers/{case.id}" in host.get("/").text
        assert f"/answers/{case.id}" not in other.get("/answers").text
        act(console, case, "dismiss", reason="technical", flags=flag.id)

    assert f"/answers/{case.id}" not in host.get("/answers").text
    assert f"/answers/{case.id}" in host.get("/answers?closed=1").text
    assert host.get("/answers?after=nonsense").status_code == 404


def test_what_is_only_for_information_is_not_asked(console: Console) -> None:
    """Hosts hear of it by no mail either."""
    case = case_with(console, "substitute-supervisor")

    assert f"/answers/{case.id}" not in console.client(host_of(console, case)).get("/answers").text


def test_the_page_asks_in_plain_words(console: Console, case: Case) -> None:
    """What may not match policy, what helps, what happens next; never a violation."""
    text = page(console, case)

    assert "It may not match policy" in text
    assert "Who was this? Admit only people you know." in text
    for title in (
        "Was it so?",
        "What happens next",
        "The meeting",
        "Who was in the call",
        "Somebody in the call whom we do not know",
        "What helps:",
    ):
        assert title in text
    assert "violation" not in text.lower()
    assert "mandated-reporter" in text
    assert re.search(r"<title>Question about a meeting, C-\w+ · meetbot</title>", text)


def test_a_ready_answer_reaches_the_officers(console: Console, case: Case) -> None:
    """With the host's own words; the host sees what was said so far."""
    answer = say(console, case, choice="was-there-on-another-device", note="It was my phone.")
    host = console.client(host_of(console, case))

    assert (answer.status_code, answer.location) == (303, f"/answers/{case.id}")
    text = host.get(answer.location).text
    assert "Your answer so far" in text
    assert "Add to your answer" in text
    assert "It was my phone." in text
    officers = officers_page(console, case)
    assert re.search("The host's answer.*It was my phone", officers, re.DOTALL)
    assert "I was there, with another device or account" in officers


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Choose one of these."),
        ({"choice": "whatever"}, "valid choice"),
        ({"choice": "other", "note": " "}, "Write what happened, or choose another answer."),
        ({"choice": "as-seen", "note": "x" * 1001}, "at most 1000 characters"),
        (
            {"choice": "other", "note": "Only s1001@students.district.example was left."},
            "Write it without, such as",
        ),
    ],
)
def test_an_answer_that_cannot_be_kept_comes_back_with_a_hint(
    console: Console, case: Case, values: dict[str, str], said: str
) -> None:
    """Beside its field, with what was written; nothing is stored."""
    answer = say(console, case, **values)

    assert answer.status_code == 400
    assert said in answer.text
    assert 'class="mistake"' in answer.text
    assert values.get("note", "").strip()[:40] in answer.text
    assert kinds(console, case) == []


@pytest.mark.parametrize(
    "values",
    [
        {"choice": "me"},
        {"choice": "colleague", "colleague": "counselor@district.example"},
        {"choice": "partner", "partner": "bright-path"},
        {"choice": "student"},
        {"choice": "do-not-know"},
    ],
)
def test_the_host_says_who_somebody_unknown_was(
    console: Console, case: Case, values: dict[str, str]
) -> None:
    """From ready choices; what belongs to another choice is passed over."""
    assert name(console, case, **values).status_code == 303
    assert kinds(console, case) == [EventKind.IDENTIFIED]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Choose one of these."),
        ({"choice": "colleague"}, "Write the colleague&#39;s district address."),
        (
            {"choice": "colleague", "colleague": "s1001@students.district.example"},
            "No staff member has this address.",
        ),
        ({"choice": "partner"}, "Choose the partner."),
        ({"choice": "partner", "partner": "nobody"}, "valid choice"),
    ],
)
def test_who_cannot_have_been_there_is_asked_again(
    console: Console, case: Case, values: dict[str, str], said: str
) -> None:
    """Beside the field; nothing is stored."""
    answer = name(console, case, **values)

    assert answer.status_code == 400
    assert said in answer.text
    assert kinds(console, case) == []


def test_somebody_who_was_not_there_cannot_be_named(console: Console, case: Case) -> None:
    """Whatever the form says."""
    answer = console.client(host_of(console, case)).post(
        f"/answers/{case.id}/identify", data={"about": "U-00000000", "U-00000000-choice": "me"}
    )

    assert answer.status_code == 400
    assert kinds(console, case) == []


def test_the_officers_question_and_decision_stand_on_the_page(console: Console, case: Case) -> None:
    """What they ask; then whether policy was followed."""
    act(console, case, "ask", note="Was it your phone?")
    assert "Was it your phone?" in page(console, case)
    act(console, case, "remark", note="For us only.")
    for flag in flags_of(console, case):
        act(console, case, "dismiss", reason="identity-corrected", flags=flag.id)
    text = page(console, case)

    assert {flag.status for flag in flags_of(console, case)} == {FlagStatus.DISMISSED}
    assert "This question is closed." in text
    assert "Decided: nothing to complain about." in text
    assert "For us only." not in text


def test_hosts_of_confidential_meetings_are_asked_nothing(console: Console, case: Case) -> None:
    """Officers cannot ask either."""
    host = console.client(host_of(console, case))
    private = make_private(console, case)

    assert host.get(f"/answers/{private.id}").status_code == 404
    assert f"/answers/{private.id}" not in host.get("/answers").text
    answer = act(console, private, "ask", Role.PRIVACY)
    assert answer.status_code == 400
    assert "Of a confidential meeting nothing is mailed." in answer.text


def test_the_start_page_says_what_waits(console: Console, case: Case) -> None:
    """Counts and the five most urgent cases, or questions; something for everybody."""
    text = console.client(Role.OFFICER).get("/").text

    assert len(re.findall(r'<li class="card">', text)) == 5
    assert re.search(r'href="/cases\?severity=critical".*Critical</span> \d+</a>', text)
    assert "To all " in text
    assert "Nothing is asked." in console.client("counselor@district.example").get("/").text
    for who in Role:
        if who is not Role.HOST:
            assert console.client(who).get("/").status_code == 200
