"""The simulated audit feeds and Gmail, with Google's own client."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from meetbot.sandbox import Sandbox, World
from meetbot.sandbox.big import big_district, bulk_call_rows
from meetbot.sandbox.model import Identifier, Joins, joined
from tests.integration.sandbox_client import (
    ADMIN,
    ANN,
    BEN,
    NOW,
    PARTNER,
    Ticking,
    all_pages,
    google,
    small_world,
)

CODE = "abc-mnop-xyz"
MINUTE = timedelta(minutes=1)
SPAN = (NOW - 30 * MINUTE, NOW - 10 * MINUTE)


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def world(clock: Ticking) -> World:
    return small_world(clock)


@pytest.fixture
def box(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as box:
        yield box


@pytest.fixture
def activities(box: Sandbox) -> Iterator[Any]:
    with google(box, "reports", ADMIN) as service:
        yield service.activities()


def rows(activities: Any, application: str = "meet", **more: Any) -> list[Any]:
    request = activities.list(**({"userKey": "all", "applicationName": application} | more))
    return all_pages(activities, request, "items")


def parameters(row: Any) -> dict[str, Any]:
    return {
        one["name"]: one.get("value", one.get("intValue", one.get("boolValue")))
        for one in row["events"][0]["parameters"]
    }


def refused(request: Any) -> int:
    with pytest.raises(HttpError) as caught:
        request.execute()
    return int(caught.value.status_code)


def test_every_leaving_becomes_a_row(world: World, activities: Any) -> None:
    """Rows carry upper-case codes, numbers as strings, true Unix seconds and the event id."""
    (call,) = world.add_conference(CODE, ANN, [[joined(ANN, SPAN)]], calendar_event_id="ev_1")
    (row,) = rows(activities)
    facts = parameters(row)
    assert facts["meeting_code"] == "ABCMNOPXYZ"
    assert facts["conference_id"] == call.conference_id
    assert facts["calendar_event_id"] == "ev_1"
    assert facts["organizer_email"] == ANN
    assert facts["start_timestamp_seconds"] == str(int(SPAN[0].timestamp()))
    assert facts["duration_seconds"] == "1200"
    assert (facts["identifier"], facts["identifier_type"]) == (ANN, "email_address")
    assert facts["is_external"] is False
    assert row["id"]["time"] == "2026-10-13T14:50:00.000Z"
    assert row["actor"] == {
        "callerType": "USER",
        "email": ANN,
        "profileId": world.user(ANN).user_id,
    }


def test_outsiders_have_no_actor_of_their_own(world: World, activities: Any) -> None:
    """Outsiders' rows carry the fixed key; their address is clear, obscured or absent."""
    room = world.add_user("room@resource.calendar.google.com", "Room 1", room=True)
    people = [
        joined("liam@south.com", SPAN),
        joined("sara@south.com", SPAN, identifier=Identifier.OBSCURED),
        joined("gone@south.com", SPAN, identifier=Identifier.ABSENT),
        joined("Typed Name", SPAN, joins=Joins.ANONYMOUS),
        joined("+1 612-***-**44", SPAN, joins=Joins.PHONE),
        joined(room.email, SPAN),
    ]
    world.add_conference(CODE, ANN, [people])
    found = {parameters(row)["display_name"]: row for row in rows(activities)}
    assert all(
        row["actor"] == {"callerType": "KEY", "key": "HANGOUTS_EXTERNAL_OR_ANONYMOUS"}
        for row in found.values()
    )
    facts = {name: parameters(row) for name, row in found.items()}
    assert facts["liam"]["identifier"] == "liam@south.com"
    assert facts["sara"]["identifier"] == "sa***@s***.com"
    assert "identifier" not in facts["gone"]
    assert "identifier" not in facts["Typed Name"]
    phone = facts["+1 612-***-**44"]
    assert (phone["identifier_type"], phone["device_type"]) == ("phone_number", "pstn_in")
    assert (facts["Room 1"]["identifier_type"], facts["Room 1"]["is_external"]) == (
        "device_id",
        False,
    )
    assert "ip_address" not in facts["liam"]


def test_a_row_per_session_and_none_while_in(world: World, activities: Any) -> None:
    """Joining twice is two rows; who is still in the call has none."""
    later = (NOW - 5 * MINUTE, NOW - MINUTE)
    world.add_conference(
        CODE, ANN, [[joined(ANN, SPAN, later), joined(BEN, (NOW - 9 * MINUTE, None))]]
    )
    found = rows(activities)
    assert [parameters(row)["identifier"] for row in found] == [ANN, ANN]
    assert len({parameters(row)["endpoint_id"] for row in found}) == 2


def test_calls_of_outsiders_show_only_our_people(world: World, activities: Any) -> None:
    """Of a call organized elsewhere the feed has the district's own endpoints."""
    world.add_conference(CODE, PARTNER, [[joined(ANN, SPAN), joined(PARTNER, SPAN)]])
    (row,) = rows(activities)
    assert (row["actor"]["email"], parameters(row)["organizer_email"]) == (ANN, PARTNER)


def test_rows_come_with_the_lag_of_the_feed(world: World, activities: Any, clock: Ticking) -> None:
    """A row shows up once the lag has passed, counted from the leaving."""
    world.audit_lag["meet"] = timedelta(minutes=45)
    world.add_conference(CODE, ANN, [[joined(ANN, SPAN)]])
    assert rows(activities) == []
    clock.forward(minutes=34)
    assert rows(activities) == []
    clock.forward(minutes=1)
    assert len(rows(activities)) == 1


def test_leaving_by_hand_writes_the_row(world: World, activities: Any) -> None:
    """Rows follow the sessions when a running call is steered."""
    (call,) = world.add_conference(CODE, ANN, [[joined(ANN, (NOW - 9 * MINUTE, None))]])
    assert rows(activities) == []
    world.leave(call.conference_id, ANN, NOW - MINUTE)
    assert parameters(rows(activities)[0])["duration_seconds"] == "480"


def test_newest_first_within_the_time_bounds(world: World, activities: Any) -> None:
    """startTime and endTime bound the rows, the newest comes first, pages chain."""
    for number in range(7):
        end = NOW - (60 - number) * MINUTE
        world.add_conference(f"abc-aaaa-aa{number}", ANN, [[joined(ANN, (end - MINUTE, end))]])
    times = [row["id"]["time"] for row in rows(activities, maxResults=3)]
    assert (len(times), times) == (7, sorted(times, reverse=True))
    some = rows(
        activities,
        startTime="2026-10-13T14:01:00.000Z",
        endTime="2026-10-13T14:03:00.000Z",
    )
    assert [row["id"]["time"][14:16] for row in some] == ["03", "02", "01"]
    assert refused(activities.list(
        userKey="all", applicationName="meet", startTime="2027-01-01T00:00:00.000Z",
    )) == 400  # fmt: skip


def test_pages_stay_as_they_were_at_the_first(
    world: World, activities: Any, clock: Ticking
) -> None:
    """Rows that arrive between two pages neither shift nor repeat others."""
    for number in range(4):
        end = NOW - (60 - number) * MINUTE
        world.add_conference(f"abc-aaaa-aa{number}", ANN, [[joined(ANN, (end - MINUTE, end))]])
    first = activities.list(userKey="all", applicationName="meet", maxResults=2)
    answer = first.execute()
    clock.forward(minutes=1)
    world.add_conference(CODE, ANN, [[joined(ANN, SPAN)]])
    rest = activities.list_next(first, answer).execute()["items"]
    assert [row["id"]["time"][14:16] for row in answer["items"] + rest] == ["03", "02", "01", "00"]


def test_filters_of_the_feed(world: World, activities: Any) -> None:
    """userKey, eventName and filters choose rows; an unknown parameter gives none."""
    world.add_conference(CODE, ANN, [[joined(ANN, SPAN), joined(BEN, SPAN)]])
    assert len(rows(activities, userKey=BEN)) == 1
    assert len(rows(activities, eventName="call_ended")) == 2
    assert rows(activities, eventName="knocking_denied") == []
    assert len(rows(activities, filters=f"identifier=={ANN}")) == 1
    assert len(rows(activities, filters=f"identifier=={ANN},identifier=={BEN}")) == 1
    assert rows(activities, filters="nonsense==1") == []
    assert refused(activities.list(userKey="no@else.example", applicationName="meet")) == 404


def test_calendar_changes_are_a_feed_of_hints(
    world: World, activities: Any, clock: Ticking
) -> None:
    """Changes name event and organizer; times count from year 1, far beyond Unix seconds."""
    start = datetime(2025, 4, 1, 7, 15, tzinfo=UTC)
    event = world.add_event(ANN, start, start + MINUTE, attendees=[BEN], summary="Lesson")
    clock.forward(minutes=1)
    world.move_event(event.event_id, start + MINUTE)
    clock.forward(minutes=1)
    world.update_event(event.event_id, attendees=[BEN, PARTNER], summary="Lessons", actor=BEN)
    clock.forward(minutes=1)
    world.cancel_event(event.event_id)
    found = rows(activities, "calendar")
    assert [row["events"][0]["name"] for row in found] == [
        "delete_event",
        "add_event_guest",
        "change_event_title",
        "change_event_start_time",
        "create_event",
    ]
    created = parameters(found[-1])
    assert (created["event_id"], created["organizer_calendar_id"]) == (event.event_id, ANN)
    assert created["start_time"] == "63879174900"
    assert found[1]["actor"]["email"] == BEN
    assert len({row["id"]["uniqueQualifier"] for row in found}) == 5


def test_only_administrators_read_the_audit_log(box: Sandbox) -> None:
    """Other subjects get 403, which is no rate limit."""
    with google(box, "reports", ANN) as service:
        request = service.activities().list(userKey="all", applicationName="meet")
        assert refused(request) == 403


def test_other_feeds_are_empty_and_fields_work(world: World, activities: Any) -> None:
    """An application without rows gives none; `fields` cuts pre-rendered rows too."""
    world.add_conference(CODE, ANN, [[joined(ANN, SPAN)]])
    assert rows(activities, "drive") == []
    answer = activities.list(
        userKey="all", applicationName="meet", fields="items(id/time,events/name)"
    ).execute()
    assert answer == {
        "items": [{"id": {"time": "2026-10-13T14:50:00.000Z"}, "events": [{"name": "call_ended"}]}]
    }


def test_bulk_rows_look_like_others(clock: Ticking) -> None:
    """Rows made for benchmarks have the same parameters as those of scripted calls."""
    world, _ = big_district(NOW, staff=20, students=40, meetings=30)
    world.clock = clock
    bulk_call_rows(world, 205, NOW)
    (ordinary,) = world.add_conference(CODE, "t00001@district.example", [
        [joined("t00001@district.example", SPAN)]
    ])  # fmt: skip
    with Sandbox(world) as box, google(box, "reports", ADMIN) as service:
        found = rows(service.activities(), maxResults=100)
    assert len(found) == 206
    by_call: dict[str, list[Any]] = {}
    for row in found:
        by_call.setdefault(parameters(row)["conference_id"], []).append(row)
    (scripted,) = by_call.pop(ordinary.conference_id)
    for call in by_call.values():
        for row in call:
            outside = row["actor"]["callerType"] == "KEY"
            assert outside or parameters(row).keys() == parameters(scripted).keys()
            assert parameters(row)["is_external"] is outside
    assert sum(len(call) == 10 for call in by_call.values()) == 20
    assert len({(row["id"]["time"], row["id"]["uniqueQualifier"]) for row in found}) == 206


def raw_mail(**headers: str) -> str:
    """A small mail as Gmail wants it."""
    message = EmailMessage()
    for name, value in headers.items():
        message[name] = value
    message.set_content("Good morning")
    return base64.urlsafe_b64encode(message.as_bytes()).decode()


def test_sent_mail_is_kept(world: World, box: Sandbox) -> None:
    """Gmail takes a raw message in the subject's name and can continue a thread."""
    with google(box, "gmail", BEN) as service:
        messages = service.users().messages()
        body = {"raw": raw_mail(To=ANN, Subject="Hello").rstrip("=")}
        first = messages.send(userId="me", body=body).execute()
        again = {"raw": raw_mail(To=ANN), "threadId": first["threadId"]}
        second = messages.send(userId=BEN, body=again).execute()
        assert (second["threadId"], second["labelIds"]) == (first["threadId"], ["SENT"])
        for wrong in ({}, {"raw": "%%%"}, {"raw": raw_mail(Subject="to nobody")},
                      {"raw": 7}, {"body": "x"}):  # fmt: skip
            assert refused(messages.send(userId="me", body=wrong)) == 400
        stray = {"raw": raw_mail(To=ANN), "threadId": "none"}
        assert refused(messages.send(userId="me", body=stray)) == 404
        assert refused(messages.send(userId=ANN, body=body)) == 403
    assert [mail.sender for mail in world.mails] == [BEN, BEN]
    assert b"Subject: Hello" in world.mails[0].raw
