"""A host asks and a principal answers, in the browser's terms: pages, forms, and who sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from meetbot.console.access import Role
from meetbot.domain.approvals import Approval, ApprovalState, Refusal
from meetbot.domain.flags import FlagStatus
from meetbot.jobs import judge
from meetbot.sandbox.district import principal
from tests.console.approval_parts import Lesson, a_lesson, ask, asked, fields
from tests.console.conftest import PEOPLE, Console


@pytest.fixture
def lesson(console: Console) -> Lesson:
    """A lesson ahead that nobody approved."""
    return a_lesson(console)


def send(console: Console, approval: Approval, who: Role | str, **data: str) -> TestResponse:
    return console.client(who).post(f"/approvals/{approval.id}/answer", data=data)


def state(console: Console, approval: Approval) -> ApprovalState:
    with console.store.reading() as tx:
        return tx.approvals.get(approval.id).state


# --- the host -----------------------------------------------------------------------------------


def test_the_form_is_filled_in_for_the_host(console: Console, lesson: Lesson) -> None:
    """Partner, program and the meeting's own day; the partner's standing beside it."""
    page = console.client(lesson.host).get(f"/approvals/ask/{lesson.case}")

    assert page.status_code == 200
    assert page.text.count(f'value="{lesson.day.isoformat()}"') == 2
    assert "Story Bridge" in page.text
    assert "contract" in page.text
    assert "checked" in page.text
    assert lesson.host not in page.text.split("<main")[0].split("<title>")[1].split("</title>")[0]


def test_asking_leads_to_the_request_and_tells_the_principal(
    console: Console, lesson: Lesson
) -> None:
    """The host sees what was asked, the principal what waits."""
    approval = asked(console, lesson)

    own = console.client(lesson.host).get(f"/approvals/{approval.id}", follow_redirects=True)
    assert "Stories by families" in own.text
    assert 'value="approve"' not in own.text
    assert "Story Bridge" in console.client(lesson.host).get("/approvals").text
    waiting = console.client(Role.PRINCIPAL).get("/approvals").text
    assert f"/approvals/{approval.id}" in waiting
    with console.store.reading() as tx:
        mails = tx.outbox.of_thread(
            next(m.notice.thread for m in tx.outbox.of_thread(_thread(console, approval)) if m)
            or ""
        )
    assert any(mail.notice.to == (PEOPLE[Role.PRINCIPAL],) for mail in mails)


def _thread(console: Console, approval: Approval) -> str:
    from meetbot.domain.cards import thread_of

    with console.store.reading() as tx:
        number = tx.meetings.named(approval.occurrence)
        assert number is not None
        return thread_of(tx.meetings.load(number).key)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ends_on": "2020-01-01"}, "before the first one"),
        ({"starts_on": ""}, "Fill this in"),
        ({"starts_on": "soon"}, "aria-invalid"),
        ({"choice": '["maker-yard", "maker-yard-program"]'}, "aria-invalid"),
        ({"choice": "x"}, "aria-invalid"),
        ({"choice": ""}, "Fill this in"),
        ({"words": "x" * 501}, "Shorten this"),
    ],
)
def test_a_wrong_request_keeps_what_was_filled_in(
    console: Console, lesson: Lesson, change: dict[str, str], words: str
) -> None:
    """Each mistake beside its field, nothing stored."""
    page = ask(console, lesson, **change)

    assert page.status_code == 422
    assert words in page.text or "mistake" in page.text
    assert "mistake" in page.text
    with console.store.reading() as tx:
        assert not tx.approvals.of_schools(["lakeview"], as_of=console.now, waiting=True, limit=9)


def test_nobody_else_finds_the_form(console: Console, lesson: Lesson) -> None:
    """Neither the principal, who is staff too, nor for a case that does not exist."""
    for who, case in ((Role.PRINCIPAL, lesson.case), (lesson.host, "C-0123456789ab")):
        client = console.client(who)
        assert client.get(f"/approvals/ask/{case}").status_code == 404
        assert client.post(f"/approvals/ask/{case}", data=fields(lesson)).status_code == 404


def test_asking_twice_is_said(console: Console, lesson: Lesson) -> None:
    """While the first one waits."""
    asked(console, lesson)
    again = ask(console, lesson)

    assert again.status_code == 422
    assert "You have asked for this" in again.text


# --- the principal ------------------------------------------------------------------------------


def test_one_press_approves_and_the_flag_goes(console: Console, lesson: Lesson) -> None:
    """The page has all that is needed; the answer becomes the registry's row."""
    approval = asked(console, lesson)
    page = console.client(Role.PRINCIPAL).get(f"/approvals/{approval.id}")
    assert "May this partner come?" in page.text
    assert "certified" in page.text
    assert state(console, approval) is ApprovalState.PENDING

    answer = send(console, approval, Role.PRINCIPAL, choice="approve")
    assert (answer.status_code, answer.location) == (303, f"/approvals/{approval.id}")
    assert state(console, approval) is ApprovalState.APPROVED
    judge.run(console.deps, console.now)
    with console.store.reading() as tx:
        assert not [
            f
            for f in tx.flags.list(statuses=[FlagStatus.OPEN], rule="authorization-missing")
            if f.partner_id == "story-bridge"
        ]
        assert tx.chain.audit().broken is None
    after = console.client(lesson.host).get(f"/approvals/{approval.id}")
    assert PEOPLE[Role.PRINCIPAL] in after.text
    assert "<form" not in after.text.split("<main")[1].split("</main>")[0]


def test_fewer_days_and_refusals(console: Console, lesson: Lesson) -> None:
    """Wider days and a reason without words are refused beside the field."""
    approval = asked(console, lesson)
    far = (lesson.day + timedelta(days=60)).isoformat()
    day = lesson.day.isoformat()
    wide = send(
        console,
        approval,
        Role.PRINCIPAL,
        **{"choice": "narrow", "narrow-starts_on": day, "narrow-ends_on": far},
    )
    assert wide.status_code == 422
    assert "later than was asked for" in wide.text
    for data in (
        {"choice": "refuse"},
        {"choice": "refuse", "refuse-refusal": "other"},
        {"choice": "refuse", "refuse-refusal": "x"},
        {"choice": "narrow"},
        {"choice": "everything"},
        {},
    ):
        wrong = send(console, approval, Role.PRINCIPAL, **data)
        assert wrong.status_code == 422, data
        assert "mistake" in wrong.text or "Choose one of these" in wrong.text
    assert state(console, approval) is ApprovalState.PENDING

    narrow = send(
        console,
        approval,
        Role.PRINCIPAL,
        **{"choice": "narrow", "narrow-starts_on": day, "narrow-ends_on": day},
    )
    assert narrow.status_code == 303
    assert state(console, approval) is ApprovalState.NARROWED


def test_a_refusal_is_read_in_the_console(console: Console, lesson: Lesson) -> None:
    """With the principal's own words, which no mail holds."""
    approval = asked(console, lesson)
    answer = send(
        console,
        approval,
        Role.PRINCIPAL,
        **{"choice": "refuse", "refuse-refusal": "other", "refuse-words": "We <b>meet</b> first"},
    )
    assert answer.status_code == 303
    with console.store.reading() as tx:
        assert tx.approvals.get(approval.id).refusal is Refusal.OTHER
    page = console.client(lesson.host).get(f"/approvals/{approval.id}").text
    assert "We &lt;b&gt;meet&lt;/b&gt; first" in page


def test_an_answer_counts_once(console: Console, lesson: Lesson) -> None:
    """Sent twice: the second one is told that it was answered."""
    approval = asked(console, lesson)
    send(console, approval, Role.PRINCIPAL, choice="approve")
    again = send(
        console,
        approval,
        Role.PRINCIPAL,
        **{"choice": "refuse", "refuse-refusal": "not-planned"},
    )
    assert again.status_code == 422
    assert "answered already" in again.text
    assert state(console, approval) is ApprovalState.APPROVED


def test_an_expired_request_is_shown_and_not_answered(console: Console, lesson: Lesson) -> None:
    """From the start of the meeting on."""
    approval = asked(console, lesson)
    console.now = approval.expires_at
    page = console.client(Role.PRINCIPAL).get(f"/approvals/{approval.id}")
    assert "has expired" in page.text
    assert 'value="approve"' not in page.text
    assert send(console, approval, Role.PRINCIPAL, choice="approve").status_code == 422
    assert state(console, approval) is ApprovalState.PENDING


def test_a_request_is_nobody_elses(console: Console, lesson: Lesson) -> None:
    """Another school's principal, another host: as if it did not exist."""
    approval = asked(console, lesson)
    with console.store.reading() as tx:
        calendars = [c.address for c in tx.people.staff_calendars()]
    others = [a for a in calendars if a not in (lesson.host, PEOPLE[Role.PRINCIPAL])]
    for who in (principal("harbor"), others[0], others[-1]):
        assert console.client(who).get(f"/approvals/{approval.id}").status_code == 404
        assert "Story Bridge" not in console.client(who).get("/approvals").text
    other = principal("harbor")
    assert send(console, approval, other, choice="approve").status_code == 404
    assert console.client(Role.PRINCIPAL).get("/approvals/Q-0123456789ab").status_code == 404
    assert send(console, approval, lesson.host, choice="approve").status_code == 403
