"""The simulated Calendar, read with Google's own client."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from meetbot.sandbox import Sandbox, World
from meetbot.sandbox.model import Event
from tests.integration.sandbox_client import (
    ADMIN,
    ANN,
    BEN,
    KID,
    NOW,
    PARTNER,
    Ticking,
    all_pages,
    google,
    small_world,
)

HOUR = timedelta(hours=1)


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
def events(box: Sandbox) -> Iterator[Any]:
    """Ann's view."""
    with google(box, "calendar", ANN) as service:
        yield service.events()


def lesson(world: World, title: str = "Robotics", **details: Any) -> Event:
    start = details.pop("start", NOW + HOUR)
    guests = details.pop("attendees", [PARTNER, KID, BEN])
    return world.add_event(ANN, start, start + HOUR, attendees=guests, summary=title, **details)


def sync(events: Any, **more: Any) -> tuple[list[Any], str]:
    """All items of a (first or further) run and the token of its last page."""
    request, items = events.list(calendarId=ANN, **more), []
    while request is not None:
        answer = request.execute()
        items += answer["items"]
        assert ("nextSyncToken" in answer) is ("nextPageToken" not in answer)
        request = events.list_next(request, answer)
    return items, answer["nextSyncToken"]


def refused(request: Any) -> tuple[int, str]:
    """Status and classic reason of a refused request."""
    with pytest.raises(HttpError) as caught:
        request.execute()
    return caught.value.status_code, caught.value.error_details[0]["reason"]


def test_every_guest_in_the_district_has_a_copy(world: World, box: Sandbox) -> None:
    """An invitation appears under one id and iCalUID on the calendars of all guests within."""
    event = lesson(world)
    for who in (ANN, BEN, KID):
        with google(box, "calendar", who) as service:
            (copy,) = service.events().list(calendarId="primary").execute()["items"]
        assert (copy["id"], copy["iCalUID"]) == (event.event_id, event.ical_uid)
        assert copy["organizer"] == {"email": ANN} | ({"self": True} if who == ANN else {})
        assert [one["email"] for one in copy["attendees"] if one.get("self")] == [who]


def test_members_of_an_invited_list_have_a_copy(world: World, box: Sandbox) -> None:
    """A mailing list is one attendee, and its members find the event on their calendars."""
    world.add_group("inner@district.example", [BEN])
    world.add_group("club@district.example", ["inner@district.example", "x@else.example"])
    lesson(world, attendees=["club@district.example"])
    with google(box, "calendar", BEN) as service:
        (copy,) = service.events().list(calendarId=BEN).execute()["items"]
    assert [one["email"] for one in copy["attendees"]] == [ANN, "club@district.example"]


def test_a_hidden_guest_list_shows_a_guest_only_itself(world: World, box: Sandbox) -> None:
    """With guestsCanSeeOtherGuests false only the organizer's copy is complete."""
    lesson(world, guests_see_others=False)
    seen = {}
    for who in (ANN, BEN):
        with google(box, "calendar", who) as service:
            (copy,) = service.events().list(calendarId=who).execute()["items"]
        assert copy["guestsCanSeeOtherGuests"] is False
        seen[who] = [one["email"] for one in copy["attendees"]]
    assert seen == {ANN: [ANN, PARTNER, KID, BEN], BEN: [BEN]}


def test_settings_at_their_default_are_left_out(world: World, events: Any) -> None:
    """guestsCanInviteOthers and its like are absent while they have Google's default."""
    lesson(world)
    (copy,) = events.list(calendarId=ANN).execute()["items"]
    assert not copy.keys() & {"guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests"}
    world.update_event(copy["id"], guests_invite=False, guests_modify=True)
    (copy,) = events.list(calendarId=ANN).execute()["items"]
    assert (copy["guestsCanInviteOthers"], copy["guestsCanModify"]) == (False, True)


def test_a_calendar_without_access_is_not_found(box: Sandbox, events: Any) -> None:
    """Absent and not shared both give 404, for administrators too."""
    assert refused(events.list(calendarId=BEN)) == (404, "notFound")
    assert refused(events.list(calendarId="nobody@district.example")) == (404, "notFound")
    with google(box, "calendar", ADMIN) as service:
        assert refused(service.events().list(calendarId=ANN)) == (404, "notFound")


def test_a_secondary_calendar_organizes_with_its_own_address(world: World, events: Any) -> None:
    """On a secondary calendar the organizer is the calendar, the creator a person."""
    club = "c_club@group.calendar.google.com"
    world.add_calendar(club, owner=ANN, summary="Club")
    world.add_event(club, NOW, NOW + HOUR, attendees=[PARTNER], creator=ANN)
    (event,) = events.list(calendarId=club).execute()["items"]
    assert (event["organizer"]["email"], event["creator"]["email"]) == (club, ANN)


def test_private_events_keep_their_details_from_readers(world: World, box: Sandbox) -> None:
    """Reader access shows a private event's times only."""
    world.calendars[ANN].readers.add(BEN)
    lesson(world, visibility="private", attendees=[PARTNER])
    with google(box, "calendar", BEN) as service:
        answer = service.events().list(calendarId=ANN).execute()
    (event,) = answer["items"]
    assert answer["accessRole"] == "reader"
    assert not event.keys() & {"summary", "attendees", "hangoutLink"}


def test_changes_come_by_sync_token(world: World, events: Any) -> None:
    """After the first run a token gives exactly what changed, and nothing when nothing did."""
    kept, edited, dropped = (lesson(world, title) for title in ("a", "b", "c"))
    first, token = sync(events)
    assert [item["id"] for item in first] == [kept.event_id, edited.event_id, dropped.event_id]
    assert sync(events, syncToken=token)[0] == []
    world.move_event(edited.event_id, NOW + 3 * HOUR)
    world.cancel_event(dropped.event_id)
    added = lesson(world, "d")
    items, token = sync(events, syncToken=token)
    assert [item["id"] for item in items] == [edited.event_id, dropped.event_id, added.event_id]
    assert items[0]["start"]["dateTime"] == "2026-10-13T13:00:00-05:00"
    assert items[0]["end"]["dateTime"] == "2026-10-13T14:00:00-05:00"
    assert sync(events, syncToken=token)[0] == []


def test_a_tombstone_has_hardly_more_than_an_id(world: World, events: Any) -> None:
    """A cancelled event guarantees only its id."""
    event = lesson(world)
    _, token = sync(events)
    world.cancel_event(event.event_id)
    ((tombstone,), _) = sync(events, syncToken=token)
    assert tombstone.keys() == {"kind", "etag", "id", "status"}
    assert tombstone["status"] == "cancelled"
    assert events.list(calendarId=ANN).execute()["items"] == []
    shown = events.list(calendarId=ANN, showDeleted=True).execute()["items"]
    assert [one["id"] for one in shown] == [event.event_id]


def test_a_removed_guest_sees_the_event_go(world: World, box: Sandbox) -> None:
    """Taking a guest off the list is a deletion on the guest's calendar only."""
    event = lesson(world)
    with google(box, "calendar", BEN) as service:
        token = service.events().list(calendarId=BEN).execute()["nextSyncToken"]
        world.update_event(event.event_id, attendees=[PARTNER, KID])
        answer = service.events().list(calendarId=BEN, syncToken=token).execute()
        assert [one["status"] for one in answer["items"]] == ["cancelled"]
        world.update_event(event.event_id, attendees=[PARTNER, KID, BEN])
        answer = service.events().list(calendarId=BEN, syncToken=token).execute()
        assert [one["status"] for one in answer["items"]] == ["confirmed"]
    assert world.find_user(BEN) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeMin", "2026-10-01T00:00:00Z"),
        ("timeMax", "2026-10-30T00:00:00Z"),
        ("updatedMin", "2026-10-30T00:00:00Z"),
        ("q", "robotics"),
        ("orderBy", "updated"),
        ("iCalUID", "x@google.com"),
        ("privateExtendedProperty", "a=b"),
        ("sharedExtendedProperty", "a=b"),
        ("showDeleted", False),
    ],
)
def test_a_sync_token_forbids_other_filters(events: Any, name: str, value: object) -> None:
    """The parameters that Google forbids beside a sync token give 400."""
    _, token = sync(events)
    status, _ = refused(events.list(calendarId=ANN, syncToken=token, **{name: value}))
    assert status == 400


def test_a_sync_token_continues_the_same_listing_only(events: Any) -> None:
    """Other parameters than those of the first run are refused, and so are invented tokens."""
    _, token = sync(events)
    for more in ({"singleEvents": True}, {"eventTypes": ["default"]}):
        assert refused(events.list(calendarId=ANN, syncToken=token, **more))[0] == 400
    assert refused(events.list(calendarId=ANN, syncToken="bm9uc2Vuc2U")) == (400, "invalid")


def test_expired_sync_tokens_ask_for_a_full_run(world: World, events: Any) -> None:
    """A dead token gives 410 fullSyncRequired, a fresh one works again."""
    lesson(world)
    _, token = sync(events)
    world.expire_sync_tokens(ANN)
    assert refused(events.list(calendarId=ANN, syncToken=token)) == (410, "fullSyncRequired")
    items, token = sync(events)
    assert len(items) == 1
    assert sync(events, syncToken=token)[0] == []


def test_only_the_last_page_has_the_sync_token(world: World, events: Any) -> None:
    """Pages chain by nextPageToken; what changes meanwhile is told by the token of the last."""
    made = [lesson(world, str(number)) for number in range(5)]
    first = events.list(calendarId=ANN, maxResults=2).execute()
    assert "nextSyncToken" not in first
    world.update_event(made[0].event_id, summary="changed between two pages")
    rest = all_pages(
        events, events.list_next(events.list(calendarId=ANN, maxResults=2), first), "items"
    )
    assert [one["id"] for one in [*first["items"], *rest]] == [one.event_id for one in made]
    last = events.list(calendarId=ANN, maxResults=2, pageToken=first["nextPageToken"]).execute()
    last = events.list(calendarId=ANN, maxResults=2, pageToken=last["nextPageToken"]).execute()
    changed = events.list(calendarId=ANN, syncToken=last["nextSyncToken"]).execute()["items"]
    assert [one["id"] for one in changed] == [made[0].event_id]


def test_empty_pages_are_no_end(world: World, events: Any) -> None:
    """A page may hold nothing and still have a successor."""
    lesson(world)
    world.shaping.empty_pages = True
    first = events.list(calendarId=ANN).execute()
    assert first["items"] == []
    assert len(sync(events)[0]) == 1
    assert "nextPageToken" in first


def test_the_page_cap_shortens_every_page(world: World, events: Any) -> None:
    """Short pages are allowed whatever maxResults asks for."""
    for number in range(5):
        lesson(world, str(number))
    world.shaping.page_cap = 2
    assert len(events.list(calendarId=ANN, maxResults=2500).execute()["items"]) == 2
    assert len(sync(events)[0]) == 5


def test_a_page_token_belongs_to_its_listing(world: World, events: Any) -> None:
    """A token used with other parameters is refused."""
    for number in range(3):
        lesson(world, str(number))
    token = events.list(calendarId=ANN, maxResults=1).execute()["nextPageToken"]
    request = events.list(calendarId=ANN, singleEvents=True, pageToken=token)
    assert refused(request) == (400, "invalid")


def test_time_bounds_are_exclusive_on_end_and_start(world: World, events: Any) -> None:
    """timeMin bounds the end, timeMax the start, both exclusively."""
    event = lesson(world, start=NOW)

    def found(low: timedelta, high: timedelta) -> bool:
        window = {"timeMin": (NOW + low).isoformat(), "timeMax": (NOW + high).isoformat()}
        return bool(events.list(calendarId=ANN, **window).execute()["items"])

    assert event.start == NOW
    assert found(HOUR - timedelta(seconds=1), 2 * HOUR)
    assert not found(HOUR, 2 * HOUR)
    assert found(-HOUR, timedelta(seconds=1))
    assert not found(-HOUR, timedelta(0))


def test_a_window_is_remembered_by_its_sync_token(world: World, events: Any) -> None:
    """What is new beyond the first run's window stays untold; what left it is told."""
    inside = lesson(world, "inside")
    window = {"timeMin": NOW.isoformat(), "timeMax": (NOW + 48 * HOUR).isoformat()}
    _, token = sync(events, **window, singleEvents=True)
    lesson(world, "far", start=NOW + 100 * HOUR)
    world.move_event(inside.event_id, NOW + 99 * HOUR)
    items, _ = sync(events, syncToken=token, singleEvents=True)
    assert [one["summary"] for one in items] == ["inside"]


def test_ordering_by_start_needs_single_events_and_gives_no_sync_token(
    world: World, events: Any
) -> None:
    """orderBy=startTime is refused without singleEvents and ends incremental reading."""
    late, early = lesson(world, "late", start=NOW + 5 * HOUR), lesson(world, "early")
    assert refused(events.list(calendarId=ANN, orderBy="startTime"))[0] == 400
    answer = events.list(calendarId=ANN, orderBy="startTime", singleEvents=True).execute()
    assert [one["id"] for one in answer["items"]] == [early.event_id, late.event_id]
    assert "nextSyncToken" not in answer


def test_searching_by_words_uid_type_and_update(world: World, events: Any, clock: Ticking) -> None:
    """q, iCalUID, eventTypes and updatedMin narrow the list."""
    first = lesson(world, "Solar ovens")
    clock.forward(hours=1)
    second = lesson(world, "Away", event_type="outOfOffice")
    cases: list[tuple[dict[str, Any], Event]] = [
        ({"q": "solar"}, first),
        ({"iCalUID": second.ical_uid}, second),
        ({"eventTypes": ["outOfOffice", "focusTime"]}, second),
        ({"updatedMin": clock.now.isoformat()}, second),
    ]
    for more, wanted in cases:
        found = events.list(calendarId=ANN, **more).execute()["items"]
        assert [one["id"] for one in found] == [wanted.event_id], more


def weekly(world: World, **details: Any) -> Event:
    return lesson(world, "Club", recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"], **details)


def test_single_events_expand_a_series_by_the_wall_clock(world: World, events: Any) -> None:
    """Instances keep their local time over the end of daylight saving (catalogue D6)."""
    event = weekly(world, start=NOW)
    items = events.list(calendarId=ANN, singleEvents=True).execute()["items"]
    assert [one["start"]["dateTime"] for one in items][2:4] == [
        "2026-10-27T10:00:00-05:00",
        "2026-11-03T10:00:00-06:00",
    ]
    assert items[3]["id"] == f"{event.event_id}_20261103T160000Z"
    assert {one["iCalUID"] for one in items} == {event.ical_uid}
    assert {one["recurringEventId"] for one in items} == {event.event_id}
    assert all("recurrence" not in one for one in items)


def test_moved_and_cancelled_instances(world: World, events: Any) -> None:
    """An exception keeps its originalStartTime; a cancelled instance is a tombstone with one."""
    event = weekly(world, start=NOW)
    window = {"timeMin": NOW.isoformat(), "timeMax": (NOW + 60 * 24 * HOUR).isoformat()}
    first, token = sync(events, singleEvents=True, **window)
    world.move_event(first[1]["id"], NOW + timedelta(days=8))
    world.cancel_event(first[2]["id"])
    items, token = sync(events, singleEvents=True, syncToken=token)
    moved, cancelled = items
    assert moved["originalStartTime"]["dateTime"] == "2026-10-20T10:00:00-05:00"
    assert moved["start"]["dateTime"] == "2026-10-21T10:00:00-05:00"
    assert cancelled.keys() == {
        "kind", "etag", "id", "status", "recurringEventId", "originalStartTime",
    }  # fmt: skip
    assert len(events.list(calendarId=ANN, singleEvents=True).execute()["items"]) == 4
    masters = events.list(calendarId=ANN).execute()["items"]
    assert [one["status"] for one in masters] == ["confirmed", "confirmed", "cancelled"]
    assert masters[0]["recurrence"] == event.recurrence
    assert sync(events, singleEvents=True, syncToken=token)[0] == []


def test_a_cancelled_series_takes_its_instances_along(world: World, events: Any) -> None:
    """Cancelling the master tells every instance of the window as cancelled."""
    event = weekly(world, start=NOW)
    _, token = sync(events, singleEvents=True)
    world.cancel_event(event.event_id)
    items, _ = sync(events, singleEvents=True, syncToken=token)
    assert [one["status"] for one in items] == ["cancelled"] * 5


def test_a_new_schedule_retires_old_instances(world: World, events: Any) -> None:
    """After a series has moved the old instance ids come as cancelled, the new ones as events."""
    event = weekly(world, start=NOW)
    _, token = sync(events, singleEvents=True)
    world.move_event(event.event_id, NOW + HOUR)
    items, _ = sync(events, singleEvents=True, syncToken=token)
    assert sorted(one["status"] for one in items) == ["cancelled"] * 5 + ["confirmed"] * 5


def test_a_guest_of_one_instance_sees_only_that(world: World, box: Sandbox) -> None:
    """Somebody invited to a single instance has this exception alone on the calendar."""
    event = weekly(world, start=NOW, attendees=[PARTNER])
    name = world.instance_id(event.event_id, NOW + timedelta(days=7))
    world.update_event(name, attendees=[PARTNER, BEN])
    with google(box, "calendar", BEN) as service:
        (only,) = service.events().list(calendarId=BEN, singleEvents=True).execute()["items"]
    assert (only["id"], only["recurringEventId"]) == (name, event.event_id)


def test_instances_and_get(world: World, events: Any) -> None:
    """events.instances lists a series, events.get finds masters and instances."""
    event = weekly(world, start=NOW)
    listed = events.instances(calendarId=ANN, eventId=event.event_id).execute()["items"]
    assert len(listed) == 5
    original = (NOW + timedelta(days=7)).isoformat()
    (one,) = events.instances(
        calendarId=ANN, eventId=event.event_id, originalStart=original
    ).execute()["items"]
    assert events.get(calendarId=ANN, eventId=one["id"]).execute() == one
    master = events.get(calendarId=ANN, eventId=event.event_id).execute()
    assert "recurrence" in master
    assert refused(events.get(calendarId=ANN, eventId="nothing")) == (404, "notFound")


def test_all_day_events_have_dates(world: World, events: Any) -> None:
    """An all-day event has `date` instead of `dateTime`."""
    world.add_event(ANN, date(2026, 10, 14), date(2026, 10, 15), summary="Free")
    (event,) = events.list(calendarId=ANN, timeMin="2026-10-14T12:00:00Z").execute()["items"]
    assert (event["start"], event["end"]) == ({"date": "2026-10-14"}, {"date": "2026-10-15"})


def test_moving_the_organizer_keeps_the_event(world: World, events: Any) -> None:
    """After events.move another calendar is the organizer, under the same id."""
    event = lesson(world)
    _, token = sync(events)
    world.move_organizer(event.event_id, BEN)
    ((copy,), _) = sync(events, syncToken=token, showDeleted=True)
    assert (copy["id"], copy["organizer"]["email"]) == (event.event_id, BEN)


def test_fields_select_a_partial_answer(world: World, events: Any) -> None:
    """`fields` keeps what it names and refuses what does not exist."""
    event = lesson(world)
    answer = events.list(calendarId=ANN, fields="items(id,start/dateTime),nextSyncToken").execute()
    assert answer["items"] == [
        {"id": event.event_id, "start": {"dateTime": "2026-10-13T11:00:00-05:00"}}
    ]
    assert answer.keys() == {"items", "nextSyncToken"}
    assert refused(events.list(calendarId=ANN, fields="items(nonsense)"))[0] == 400


def test_max_attendees_leaves_only_oneself(world: World, events: Any) -> None:
    """When the limit is passed only the caller's own entry comes, marked attendeesOmitted."""
    lesson(world)
    (event,) = events.list(calendarId=ANN, maxAttendees=2).execute()["items"]
    assert event["attendeesOmitted"] is True
    assert [one["email"] for one in event["attendees"]] == [ANN]


def test_a_very_long_address_is_sent_as_post(world: World, events: Any) -> None:
    """The client turns a GET of more than 2048 characters into an overridden POST."""
    lesson(world, "x" * 2100)
    answer = events.list(calendarId=ANN, q="x" * 2100).execute()
    assert len(answer["items"]) == 1


def test_what_the_client_cannot_send_is_refused_too(box: Sandbox, events: Any) -> None:
    """Unknown parameters, wrong types and wrong enums give 400 with their name."""
    events.list(calendarId=ANN).execute()
    http = events._http
    for query in ("nonsense=1", "maxResults=many", "maxResults=0", "orderBy=size", "alt=atom",
                  "timeMin=2026-10-13", "singleEvents=1", "timeZone=Mars"):  # fmt: skip
        response, body = http.request(f"{box.url}/calendar/v3/calendars/primary/events?{query}")
        assert response.status == 400, (query, body)
        assert query.partition("=")[0].encode() in body
