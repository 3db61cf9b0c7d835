"""A lesson ahead that nobody approved, and a request for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from werkzeug.test import TestResponse

from meetbot.domain.approvals import Approval
from meetbot.domain.case_ids import case_id
from meetbot.domain.flags import FlagStatus
from tests.console.conftest import Console

CHOICE = '["story-bridge", "story-bridge-program"]'


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson ahead that nobody approved: its case, its host and its day."""

    case: str
    host: str
    day: date


def a_lesson(console: Console) -> Lesson:
    """The family stories at Lakeview, in nine days."""
    with console.store.reading() as tx:
        (flag,) = [
            f
            for f in tx.flags.list(statuses=[FlagStatus.OPEN], rule="authorization-missing")
            if f.partner_id == "story-bridge"
        ]
        case = tx.cases.find(case_id(flag.key.occurrence))
        assert case is not None
        assert case.host_key is not None
        account = tx.people.by_address([case.host_key])[case.host_key]
    assert account.address is not None
    zone = console.deps.district.zone
    return Lesson(case.id, account.address, case.starts_at.astimezone(zone).date())


def fields(lesson: Lesson, **changes: str) -> dict[str, str]:
    """The form as a host sends it."""
    given = {
        "choice": CHOICE,
        "starts_on": lesson.day.isoformat(),
        "ends_on": (lesson.day + timedelta(days=30)).isoformat(),
        "words": "Stories by families",
    }
    return given | changes


def ask(console: Console, lesson: Lesson, **changes: str) -> TestResponse:
    client = console.client(lesson.host)
    return client.post(f"/approvals/ask/{lesson.case}", data=fields(lesson, **changes))


def asked(console: Console, lesson: Lesson) -> Approval:
    """A request that waits."""
    answer = ask(console, lesson)
    assert answer.status_code == 303, answer.text
    with console.store.reading() as tx:
        (approval,) = tx.approvals.of_schools(
            ["lakeview"], as_of=console.now, waiting=True, limit=9
        )
    assert answer.location == f"/approvals/{approval.id}"
    return approval
