"""The page of one case: what it shows, and what its buttons do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from meetbot.console.access import Role
from meetbot.console.cases import words
from meetbot.domain.casework import Case, CaseStatus, EventKind
from meetbot.domain.findings import Severity
from meetbot.domain.flags import FlagStatus
from meetbot.jobs.cases import Answer, Who
from meetbot.rules import KNOWN_RULES
from tests.console.case_parts import (
    again,
    all_cases,
    case_with,
    change_flag,
    flags_of,
    four_eyes,
    host_of,
    kinds,
    statements,
)
from tests.console.conftest import SECOND_OFFICER, Console


def page(console: Console, case: Case, who: Role | str = Role.OFFICER) -> str:
    answer = console.client(who).get(f"/cases/{case.id}")
    assert answer.status_code == 200
    return answer.text


def act(
    console: Console, case: Case, action: str, who: Role | str = Role.OFFICER, **values: object
) -> TestResponse:
    """Send the form of an action as the page of the case has it now, unless told otherwise."""
    sent = {"version": again(console, case).version} | values
    data = {f"{action}-{name}": value for name, value in sent.items()}
    return console.client(who).post(f"/cases/{case.id}/{action}", data=data)


@pytest.fixture
def case(console: Console) -> Case:
    """Staff left, and the partner stayed with one student."""
    return case_with(console, "partner-alone-with-student")


# --- what it shows ------------------------------------------------------------------------------


def test_the_page_says_what_was_seen_and_on_what_it_rests(console: Console, case: Case) -> None:
    """Sentence, five facts, times, what is unknown, rule, sources, registry, mails, history."""
    text = page(console, case)

    assert "May not match policy: Partner alone with one student 20:00." in text
    for fact in ("20:00", "Cedar Ridge School", "Maker Yard", "certified", "Dario Birch"):
        assert fact in text
    assert re.search(
        "Also found in this meeting.*partner stayed with students 20:00", text, re.DOTALL
    )
    assert f'src="/cases/{case.id}/timeline.svg"' in text
    for title in (
        "What is not known",
        "Evidence",
        "Earlier cases of the partner",
        "Mails about this meeting",
        "What happened",
        "Registry as it was known then",
    ):
        assert title in text
    assert "Never leave a partner with one student." in text
    assert "(minutes:seconds)</caption>" in text
    assert "read in full" in text
    assert "partner_id maker-yard" in text


def test_the_title_names_no_person_and_no_partner(console: Console, case: Case) -> None:
    """It may be seen over somebody's shoulder."""
    assert f"<title>Case {case.id} · meetbot</title>" in page(console, case)


def test_the_picture_has_the_timeline_as_text(console: Console, case: Case) -> None:
    """SVG under the same rights, and as little kept by a browser as the page."""
    alt = re.search(r'<img class="timeline"[^>]* alt="([^"]*)"', page(console, case))
    client = console.client(Role.OFFICER)
    first = client.get(f"/cases/{case.id}/timeline.svg")

    assert alt is not None
    assert "3 people" in alt[1]
    assert "Without staff: partner alone with one student" in alt[1]
    assert (first.status_code, first.mimetype) == (200, "image/svg+xml")
    assert "script-src" not in first.headers["Content-Security-Policy"]
    assert first.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert first.headers["Cache-Control"] == "no-store"
    setup = case_with(console, "contract-expired")
    assert client.get(f"/cases/{setup.id}/timeline.svg").status_code == 404


def test_every_case_page_is_short_and_asks_few_questions(console: Console) -> None:
    """Below 200 kB, and no more statements for a case with more flags."""
    client = console.client(Role.PRIVACY)
    asked: dict[int, set[int]] = {}
    for each in all_cases(console):
        with statements(console) as seen:
            answer = client.get(f"/cases/{each.id}")
        assert len(answer.data) < 200_000
        asked.setdefault(each.flags, set()).add(len(seen))

    assert len(asked) > 1
    assert max(max(numbers) for numbers in asked.values()) <= 30


def test_the_page_is_spanish_for_who_reads_spanish(console: Console, case: Case) -> None:
    """The rules' sentences too, filled and as the rule has them."""
    client = console.client(Role.OFFICER)
    text = client.get(f"/cases/{case.id}", headers={"Accept-Language": "es"}).text

    assert '<html lang="es">' in text
    assert "Partner alone with one student" not in text
    heading = re.search(r"<h1>(.*)</h1>", text)
    assert heading is not None
    assert "20:00" in heading[1]


def test_every_rule_and_reason_has_words() -> None:
    """None is shown as a code."""
    assert set(words.RULES) == KNOWN_RULES
    for known, codes in (
        (words.EVENTS, EventKind),
        (words.FLAG_STATUSES, FlagStatus),
        (words.ANSWERS, Answer),
        (words.WHO, Who),
        (words.SEVERITIES, Severity),
    ):
        assert set(known) == set(codes)


def test_who_only_reads_has_no_buttons(console: Console) -> None:
    """Principals are told who decides; auditors see the same."""
    own = case_with(console, "staff-left-early", school="lakeview")
    for who in (Role.PRINCIPAL, Role.AUDITOR):
        text = page(console, own, who)
        assert f'action="/cases/{own.id}/' not in text
        assert "The compliance officers decide about this case." in text


# --- deciding -----------------------------------------------------------------------------------


def test_an_officer_acknowledges_then_dismisses(console: Console, case: Case) -> None:
    """Each leads back to the page, which says so; the case is closed with its reason."""
    answer = act(console, case, "acknowledge")
    assert (answer.status_code, answer.location) == (303, f"/cases/{case.id}")
    assert again(console, case).status is CaseStatus.ACKNOWLEDGED
    act(
        console,
        case,
        "dismiss",
        reason="supervised-otherwise",
        note="A colleague sat beside them.",
        flags=[flag.id for flag in flags_of(console, case)],
    )
    text = page(console, case)

    assert again(console, case).status is CaseStatus.CLOSED
    assert kinds(console, case) == [EventKind.ACKNOWLEDGED, EventKind.DISMISSED]
    assert "Dismissed: Partner alone with one student 20:00." in text
    assert "A colleague sat beside them." in text
    assert "Staff supervised in another way" in text
    assert "This case is closed." in text


def test_only_upheld_is_said_to_break_policy(console: Console, case: Case) -> None:
    """Until then it may not match; one flag of several can be decided alone."""
    one, other = flags_of(console, case)
    act(console, case, "uphold", reason="policy-not-followed", flags=[one.id])

    found = {flag.id: flag.status for flag in flags_of(console, case)}
    assert found == {one.id: FlagStatus.UPHELD, other.id: FlagStatus.OPEN}
    act(console, case, "uphold", reason="policy-not-followed", flags=[other.id])
    assert "Upheld: " in page(console, case)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Choose one of these."),
        ({"reason": "because"}, "valid choice"),
        ({"reason": "other"}, "Say here what it was."),
        ({"reason": "technical", "note": "x" * 1001}, "at most 1000 characters"),
        ({"reason": "technical", "flags": []}, "Choose at least one."),
        ({"reason": "technical", "flags": ["F-000000000000"]}, "valid choice"),
        (
            {"reason": "technical", "note": "It was s1001@students.district.example."},
            "This holds a name, an address or an id of a student.",
        ),
    ],
)
def test_a_form_that_is_wrong_says_why_and_keeps_what_was_written(
    console: Console, case: Case, values: dict[str, Any], said: str
) -> None:
    """Beside the field; nothing is stored."""
    flags = [flag.id for flag in flags_of(console, case)]
    answer = act(console, case, "dismiss", **({"flags": flags} | values))

    assert answer.status_code == 400
    assert said in re.sub(r"&#39;", "'", answer.text)
    assert re.search(r'<details id="do-dismiss"[^>]* open>', answer.text)
    assert '<p class="mistake"' in answer.text
    if values.get("note"):
        assert str(values["note"])[:30] in answer.text
    assert kinds(console, case) == []


def test_a_case_that_changed_is_not_decided_blindly(console: Console, case: Case) -> None:
    """409: the page as it is now with what was filled in; sent again it is stored."""
    shown = case.version
    change_flag(console, case, severity=Severity.MEDIUM)
    flags = [flag.id for flag in flags_of(console, case)]
    answer = act(
        console, case, "uphold", version=shown, reason="data-disclosed", note="Seen.", flags=flags
    )

    assert answer.status_code == 409
    assert "This case has changed since you opened it, and nothing was stored." in answer.text
    assert kinds(console, case) == []
    version = re.search(r'name="uphold-version" type="hidden" value="(\d+)"', answer.text)
    assert version is not None
    assert int(version[1]) == again(console, case).version != shown
    assert 'checked id="uphold-reason-1"' in answer.text
    assert ">\nSeen.</textarea>" in answer.text.replace("\r", "")
    assert act(console, case, "uphold", reason="data-disclosed", flags=flags).status_code == 303


@pytest.mark.parametrize("version", ["", "x", None])
def test_a_form_without_the_version_it_shows_is_refused(
    console: Console, case: Case, version: str | None
) -> None:
    """Nobody decides about what they have not seen."""
    data = {} if version is None else {"acknowledge-version": version}
    answer = console.client(Role.OFFICER).post(f"/cases/{case.id}/acknowledge", data=data)

    assert answer.status_code == 400
    assert kinds(console, case) == []


def test_a_decision_can_be_undone_within_a_minute(console: Console, case: Case) -> None:
    """By who made it; the button tells the seconds that are left."""
    act(console, case, "acknowledge")
    console.now += timedelta(seconds=20)
    assert "Undo (40 seconds left)" in page(console, case)
    assert "Undo (" not in page(console, case, SECOND_OFFICER)
    refused = act(console, case, "undo", SECOND_OFFICER)
    assert refused.status_code == 400
    assert "This cannot be undone any more" in refused.text
    act(console, case, "undo")

    assert kinds(console, case) == [EventKind.ACKNOWLEDGED, EventKind.UNDONE]
    assert again(console, case).status is CaseStatus.OPEN
    act(console, case, "acknowledge")
    console.now += timedelta(seconds=61)
    assert "Undo (" not in page(console, case)
    assert act(console, case, "undo").status_code == 400


def test_two_officers_decide_where_the_district_wants_it(console: Console, case: Case) -> None:
    """One proposes, another rejects or confirms; nobody confirms their own."""
    four_eyes(console)
    flags = [flag.id for flag in flags_of(console, case)]
    assert "Another officer has to confirm it." in page(console, case)
    act(console, case, "uphold", reason="policy-not-followed", flags=flags)
    number = proposal(console, case)
    assert "Another officer has to confirm or reject it." in page(console, case)
    own = act(console, case, "confirm", event=number)
    assert own.status_code == 400
    assert "You proposed it yourself" in own.text
    act(console, case, "reject", SECOND_OFFICER, event=number, note="Look again.")
    assert again(console, case).status is CaseStatus.OPEN
    act(console, case, "uphold", reason="policy-not-followed", flags=flags)
    act(console, case, "confirm", SECOND_OFFICER, event=proposal(console, case))

    assert again(console, case).status is CaseStatus.CLOSED
    assert kinds(console, case) == [
        EventKind.PROPOSED,
        EventKind.REJECTED,
        EventKind.PROPOSED,
        EventKind.CONFIRMED,
    ]


def proposal(console: Console, case: Case) -> str:
    found = re.search(r'name="confirm-event" value="(\d+)"', page(console, case, SECOND_OFFICER))
    assert found is not None
    return found[1]


def test_asking_handing_up_and_noting_are_kept_in_the_history(console: Console, case: Case) -> None:
    """The host and the principal get a mail; the words stay here."""
    act(console, case, "ask", note="Who stayed with them?")
    act(console, case, "escalate", note="The second time.")
    act(console, case, "remark", note="Called the school.")
    text = page(console, case)

    assert kinds(console, case) == [EventKind.ASKED, EventKind.ESCALATED, EventKind.NOTED]
    for said in (
        "Who stayed with them?",
        "The second time.",
        "Called the school.",
        "Question to the host",
        "Handed up",
    ):
        assert said in text
    assert act(console, case, "remark", note=" ").status_code == 400


def test_what_the_host_says_of_somebody_unknown_is_accepted(console: Console) -> None:
    """Once, by an officer; what another said is shown before the buttons."""
    case = case_with(console, "unidentified-participant")
    host = host_of(console, case)
    client = console.client(host)
    about = re.search(r'name="about" value="(U-\w+)"', client.get(f"/answers/{case.id}").text)
    assert about is not None
    client.post(
        f"/answers/{case.id}/identify",
        data={"about": about[1], f"{about[1]}-choice": "interpreter-or-guardian"},
    )
    text = page(console, case)
    number = re.search(r'name="accept-event" value="(\d+)"', text)
    assert number is not None
    assert "An interpreter, parent or guardian" in text
    act(console, case, "accept", event=number[1])

    assert kinds(console, case) == [EventKind.IDENTIFIED, EventKind.ACCEPTED]
    assert "Accept this" not in page(console, case)
    assert act(console, case, "accept", event=number[1]).status_code == 400


def test_a_form_from_elsewhere_is_refused(console: Console, case: Case) -> None:
    """Without the token of the session nothing is done."""
    console.app.config["WTF_CSRF_ENABLED"] = True
    answer = act(console, case, "acknowledge")

    assert answer.status_code == 400
    assert kinds(console, case) == []


def test_only_these_methods_and_actions_are_there(console: Console, case: Case) -> None:
    """GET changes nothing."""
    client = console.client(Role.OFFICER)

    assert client.get(f"/cases/{case.id}/acknowledge").status_code == 405
    assert client.post(f"/cases/{case.id}/erase").status_code == 404
