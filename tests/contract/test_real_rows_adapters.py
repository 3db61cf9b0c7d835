"""Real audit rows and events, as published by others, through the adapters' converters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import responses

from meetbot.domain.attendance import Conference, IdentityForm, RawIdentity, Visit
from meetbot.domain.meetings import EventCopy
from meetbot.domain.spaces import Access
from meetbot.ports import AuditPage, ChangePage
from meetbot.workspace.activities import to_activities
from meetbot.workspace.calendar import to_copy
from meetbot.workspace.meet import GoogleMeet
from meetbot.workspace.reports import GoogleReports, to_audit_page, to_change_page
from tests.workspace_parts import ADMIN, ANN, ROOT, TOKEN_URI, all_matter, parts, to_call_rows

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"
pytestmark = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the shared fixtures are not beside the project"
)
ZONE = ZoneInfo("America/Chicago")
SINCE, UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)


def lines(name: str) -> list[dict[str, Any]]:
    text = (FIXTURES / "real" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def meet_rows() -> list[dict[str, Any]]:
    return lines("meet-audit/elastic-test-meet.ndjson") + lines("meet-audit/sekoia-meet.ndjson")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def conference(page: AuditPage, beginning: str) -> tuple[Conference, list[Visit[RawIdentity]]]:
    (found,) = [c for c in page.conferences if c.name.startswith(f"audit/{beginning}")]
    return found, [v for v in page.visits if v.conference == found.name]


def test_every_row_is_understood() -> None:
    """No published row is malformed, and only the ends of calls become visits."""
    page = to_audit_page(to_call_rows(meet_rows()))

    assert page.malformed == 0
    assert len(page.visits) == sum(
        event["name"] == "call_ended"
        for row in meet_rows()
        for event in (row["events"] if isinstance(row["events"], list) else [row["events"]])
    )


@pytest.mark.parametrize(
    ("beginning", "organizer", "outsider"),
    [
        (
            "-PeisjX_5i",
            ("2025-04-11T09:22:02", "2025-04-11T09:34:44"),
            ("2025-04-11T09:23:11", "2025-04-11T09:38:25"),
        ),
        (
            "ovqzvH9gQ",
            ("2025-03-25T10:27:51", "2025-03-25T10:31:22"),
            ("2025-03-25T10:28:50", "2025-03-25T10:32:08"),
        ),
    ],
)
def test_spans_of_known_calls(
    beginning: str, organizer: tuple[str, str], outsider: tuple[str, str]
) -> None:
    """Starts and ends are those of the rows, to the second; identities are told apart."""
    held, visits = conference(to_audit_page(to_call_rows(meet_rows())), beginning)

    spans = {bool(v.identity.is_external): (v.start_at, v.end_at) for v in visits}
    assert spans == {
        False: (at(organizer[0]), at(organizer[1])),
        True: (at(outsider[0]), at(outsider[1])),
    }
    assert (held.start_at, held.end_at) == (at(organizer[0]), at(outsider[1]))
    assert held.organizer == "foo@bar.com"
    assert {v.identity.address for v in visits} == {"foo@bar.com", "test@example.com"}


def test_odd_rows() -> None:
    """A room with an outsider's actor is a room; an outsider without identifier is a name."""
    page = to_audit_page(to_call_rows(meet_rows()))

    _, (room,) = conference(page, "rJ7fsV2IE2")
    _, (guest,) = conference(page, "aSABpyKZtl")

    assert room.identity.form is IdentityForm.DEVICE
    assert room.identity.is_external is False
    assert guest.identity.form is IdentityForm.ANONYMOUS
    assert guest.identity.is_external is True


def test_rows_without_start() -> None:
    """The rows of 2024 begin their duration before they were written."""
    _, (visit,) = conference(to_audit_page(to_call_rows(meet_rows())), "SQEGZkIp70")

    assert visit.end_at == at("2024-03-13T11:02:40")
    assert visit.start_at == at("2024-03-13T10:37:42")


@pytest.fixture
def reply() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(TOKEN_URI, json={"access_token": "t", "expires_in": 3600})
        yield mock


def body(name: str) -> str:
    return (FIXTURES / "derived" / name).read_text(encoding="utf-8")


def test_meet_feed(tmp_path: Path, reply: responses.RequestsMock) -> None:
    """The feed is asked for all users, unfiltered, and its pages are those calls."""
    reply.get(
        f"{ROOT}/admin/reports/v1/activity/users/all/applications/meet",
        body=body("meet-activities-list.json"),
    )

    (page,) = GoogleReports(parts(tmp_path).client, ADMIN).meet(SINCE, UNTIL, all_matter)

    assert page.malformed == 0
    assert {v.key for v in page.visits} >= {"2025-04-11T09:38:26.272Z/1/0"}
    asked = reply.calls[-1].request.params  # type: ignore[attr-defined]
    assert set(asked) == {
        *("startTime", "endTime", "maxResults", "fields", "quotaUser", "alt"),
    }
    assert asked["maxResults"] == "1000"


def test_calendar_feed(tmp_path: Path, reply: responses.RequestsMock) -> None:
    """Changed calendars are those named by event changes."""
    reply.get(
        f"{ROOT}/admin/reports/v1/activity/users/all/applications/calendar",
        body=body("calendar-activities-list.json"),
    )

    (page,) = GoogleReports(parts(tmp_path).client, ADMIN).calendar_changes(SINCE, UNTIL)

    assert page.calendars == {"foo@bar.com", "john.doe@test.com", "jane.doe@test.com"}


def test_calendar_rows() -> None:
    """No published calendar row raises, nor does a flattened one."""
    rows = lines("calendar-audit/elastic-test-calendar.ndjson")
    rows += lines("calendar-audit/sekoia-calendar.ndjson")
    flat = json.loads(
        (FIXTURES / "real/calendar-audit/panther-gsuite_calendar_made_public.json").read_text()
    )

    page = to_change_page(to_activities(rows))

    assert page.calendars
    assert {(e.actor, e.guest) for e in page.edits if e.guest} == {
        ("john.doe@test.com", "jane.doe@test.com")
    }
    assert to_change_page(to_activities(test["log"] for test in flat)) == ChangePage(
        frozenset(), ()
    )


def test_space(tmp_path: Path, reply: responses.RequestsMock) -> None:
    """A space in Google's own shape is read by its code."""
    reply.get(f"{ROOT}/v2/spaces/abc-mnop-xyz", body=body("meet-v2/spaces.get.json"))

    space = GoogleMeet(parts(tmp_path).client).space(ANN, "abcmnopxyz")

    assert (space.meeting_code, space.access) == ("abcmnopxyz", Access.TRUSTED)


def test_meet_lists(tmp_path: Path, reply: responses.RequestsMock) -> None:
    """Records, participants and sessions in Google's own shapes are read in full."""
    record = "conferenceRecords/4b1c2d3e-0000-4000-8000-000000000001"
    reply.get(
        f"{ROOT}/v2/conferenceRecords", body=body("meet-v2/conferenceRecords.list.page1.json")
    )
    reply.get(
        f"{ROOT}/v2/conferenceRecords", body=body("meet-v2/conferenceRecords.list.empty.json")
    )
    reply.get(f"{ROOT}/v2/{record}/participants", body=body("meet-v2/participants.list.json"))
    reply.get(
        f"{ROOT}/v2/{record}/participants/ada/participantSessions",
        body=body("meet-v2/participantSessions.list.json"),
    )
    meet = GoogleMeet(parts(tmp_path).client)

    records = meet.records(ANN, "ABCMNOPXYZ", since=SINCE, until=UNTIL)
    people = meet.participants(ANN, record)
    sessions = meet.sessions(ANN, people[0])

    assert [r.end_at is None for r in records] == [True, False, False]
    assert records[1].space == "spaces/jQCFfuBOdN5z"
    forms = [p.identity.form for p in people]
    assert forms == [
        *(IdentityForm.SIGNED_IN, IdentityForm.SIGNED_IN, IdentityForm.ANONYMOUS),
        *(IdentityForm.PHONE, IdentityForm.SIGNED_IN),
    ]
    assert people[-1].latest_end_at is None
    assert [s.end_at for s in sessions] == [
        datetime(2026, 10, 12, 16, 45, 10, 500_000, UTC),
        datetime(2026, 10, 12, 16, 15, tzinfo=UTC),
    ]
    assert {s.conference for s in sessions} == {record}
    assert reply.calls[1].request.params["filter"] == (  # type: ignore[attr-defined]
        'space.meeting_code = "abc-mnop-xyz"'
        ' AND start_time>="2024-01-01T00:00:00.000Z" AND start_time<="2026-10-01T00:00:00.000Z"'
    )


def events_in(value: Any) -> Iterator[dict[str, Any]]:
    """Everything in a document that looks like an event."""
    if isinstance(value, list):
        for one in value:
            yield from events_in(one)
    elif isinstance(value, dict):
        if "id" in value and ("start" in value or value.get("status") == "cancelled"):
            yield value
        else:
            for one in value.values():
                yield from events_in(one)


def real_events() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in sorted((FIXTURES / "real" / "calendar-events").rglob("*")):
        if path.suffix in (".json", ".txt"):
            text = path.read_text(encoding="utf-8")
            start = text.find("{") if path.suffix == ".txt" else 0
            if start >= 0:
                try:
                    found += events_in(json.loads(text[start:]))
                except ValueError:
                    continue  # request texts, which are no JSON
    return found


def test_real_events() -> None:
    """Published events, also hand-trimmed ones, are understood; masters and instances alike."""
    events = real_events()
    copies = [to_copy(raw, ANN, ZONE) for raw in events]

    assert len(events) > 60
    unread = [raw for raw, copy in zip(events, copies, strict=True) if copy is None]
    assert [raw for raw in unread if "REDACTED" not in json.dumps(raw)] == []
    assert any(isinstance(c, EventCopy) and c.is_cancelled for c in copies)
    assert any(isinstance(c, EventCopy) and c.is_all_day for c in copies)
    assert any(isinstance(c, EventCopy) and c.is_private_copy for c in copies)
