"""Calendar v3: `events.list`, `events.get`, `events.instances`.

Behavior after https://developers.google.com/workspace/calendar/api/guides/sync and
https://developers.google.com/workspace/calendar/api/v3/reference/events/list.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from meetbot.sandbox.call import Call, Place, cut_page, decode, encode, place_of
from meetbot.sandbox.discovery import Json
from meetbot.sandbox.model import Attendee, Calendar, CalendarEntry, Event, When
from meetbot.sandbox.recurrence import instance_id, length, original_starts
from meetbot.sandbox.replies import ApiError
from meetbot.sandbox.times import millis, parse_instant
from meetbot.sandbox.world import World

_NOT_WITH_SYNC = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "sharedExtendedProperty",
    "q",
    "timeMin",
    "timeMax",
    "updatedMin",
)
# A listing narrowed by one of these gives no sync token.
_NO_SYNC_AFTER = frozenset(_NOT_WITH_SYNC) - {"timeMin", "timeMax"}


@dataclass(frozen=True, slots=True)
class Listing:
    """What a sync token remembers of the first run."""

    single: bool
    types: tuple[str, ...]
    time_min: datetime | None
    time_max: datetime | None
    since: int
    """Only changes after this version; -1 lists the present state."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an answer: an event, a plain instance of a series, or a tombstone."""

    position: int
    event: Event
    event_id: str
    start: When
    end: When
    original_start: When | None
    cancelled: bool
    version: int
    added_version: int


# --- methods -------------------------------------------------------------------------------------


def list_events(call: Call) -> Json:
    """`events.list`: full, windowed or incremental."""
    calendar = _calendar(call)
    place = place_of(call)
    listing = _synced(call, calendar) if call.text("syncToken") else _first_run(call)
    horizon = int(place.kept.get("horizon", calendar.version))
    items: Iterable[Item] = ()
    if listing.since < 0:
        items = _present(call, calendar, listing)
    elif calendar.version > listing.since:
        items = _changed(calendar, listing)
    answer = _page(call, calendar, items, place, horizon)
    if "nextPageToken" not in answer and not call.args.keys() & _NO_SYNC_AFTER:
        answer["nextSyncToken"] = _sync_token(call, calendar, listing, horizon)
    return answer


def list_instances(call: Call) -> Json:
    """`events.instances` of one series."""
    calendar = _calendar(call)
    entry = calendar.entries.get(call.path["eventId"])
    if entry is None or entry.gone:
        raise ApiError(404, "Not Found")
    listing = Listing(True, (), call.instant("timeMin"), call.instant("timeMax"), -1)
    wanted = call.text("originalStart")
    items = [
        item
        for item in _items(entry, calendar, listing)
        if _inside(item, listing, calendar)
        and (not item.cancelled or call.flag("showDeleted"))
        and (not wanted or _means(wanted, item.original_start))
    ]
    return _page(call, calendar, items, place_of(call), calendar.version)


def get_event(call: Call) -> Json:
    """`events.get`: a single event, a master, or an instance by its id."""
    calendar = _calendar(call)
    wanted = call.path["eventId"]
    entry = calendar.entries.get(wanted) or calendar.entries.get(wanted.rpartition("_")[0])
    if entry is None:
        raise ApiError(404, "Not Found")
    expanded = Listing(wanted != entry.event.event_id, (), None, None, -1)
    for item in _items(entry, calendar, expanded):
        if item.event_id == wanted:
            return _render(call, calendar, item, _zone(call, calendar))
    raise ApiError(404, "Not Found")


HANDLERS = {
    "calendar.events.list": list_events,
    "calendar.events.get": get_event,
    "calendar.events.instances": list_instances,
}


# --- access and parameters -----------------------------------------------------------------------


def _calendar(call: Call) -> Calendar:
    """The calendar in the path; 404 both where there is none and where it is not shared."""
    wanted = call.path["calendarId"].lower()
    subject = call.subject
    if subject is None:
        raise ApiError(404, "Not Found")
    if wanted == "primary":
        wanted = subject.email
    user = call.world.find_user(wanted)
    calendar = call.world.calendars.get(user.email if user is not None else wanted)
    if calendar is None or subject.email not in {calendar.owner, *calendar.readers}:
        raise ApiError(404, "Not Found")
    return calendar


def _first_run(call: Call) -> Listing:
    if call.text("orderBy") == "startTime" and not call.flag("singleEvents"):
        raise ApiError(
            400,
            "The requested ordering is not available for the particular query.",
            "orderByNotAvailable",
        )
    time_min, time_max = call.instant("timeMin"), call.instant("timeMax")
    if time_min is not None and time_max is not None and time_max <= time_min:
        raise ApiError(400, "The specified time range is empty.", "timeRangeEmpty")
    return Listing(
        call.flag("singleEvents"), tuple(sorted(call.texts("eventTypes"))), time_min, time_max, -1
    )


def _synced(call: Call, calendar: Calendar) -> Listing:
    """The listing a sync token continues. Raises ApiError 400 or 410."""
    for name in _NOT_WITH_SYNC:
        if name in call.args:
            raise ApiError(
                400,
                f"Sync token cannot be used with {name}.",
                "badRequest",
                location=name,
            )
    if call.args.get("showDeleted") is False:
        raise ApiError(400, "Sync token requires showDeleted.", "badRequest")
    try:
        token = decode(call.text("syncToken"))
        address, epoch, version, single, types, *window = token
        time_min, time_max = (_instant(text) for text in window)
        expired = epoch != call.world.epoch or version < calendar.oldest_token
    except (ValueError, TypeError):
        raise ApiError(400, "Invalid sync token value.", "invalid", location="syncToken") from None
    if address != calendar.address or single != call.flag("singleEvents"):
        raise ApiError(400, "Sync token belongs to another listing.", "invalid")
    if types != sorted(call.texts("eventTypes")):
        raise ApiError(400, "Sync token belongs to another listing.", "invalid")
    if expired:
        raise ApiError(
            410,
            "Sync token is no longer valid, a full sync is required.",
            "fullSyncRequired",
            location="syncToken",
        )
    return Listing(single, tuple(types), time_min, time_max, version)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _sync_token(call: Call, calendar: Calendar, listing: Listing, version: int) -> str:
    window = (listing.time_min, listing.time_max)
    return encode(
        [calendar.address, call.world.epoch, version, listing.single, listing.types, *window]
    )


# --- choosing ------------------------------------------------------------------------------------


def _present(call: Call, calendar: Calendar, listing: Listing) -> Iterator[Item]:
    updated_min, words, uid = call.instant("updatedMin"), call.text("q"), call.text("iCalUID")
    deleted = call.flag("showDeleted") or updated_min is not None
    for entry in calendar.entries.values():
        if uid not in ("", entry.event.ical_uid):
            continue
        for item in _items(entry, calendar, listing):
            instance_gone = bool(item.event.recurring_id) and not listing.single
            if (
                (not item.cancelled or deleted or (instance_gone and not entry.gone))
                and _of_type(item, listing)
                and _inside(item, listing, calendar)
                and (updated_min is None or item.event.updated_at >= updated_min)
                and _says(item.event, words)
            ):
                yield item


def _changed(calendar: Calendar, listing: Listing) -> Iterator[Item]:
    """Everything that changed since; what is new but outside the window stays untold."""
    for entry in calendar.entries.values():
        if entry.version <= listing.since:
            continue
        for item in _items(entry, calendar, listing):
            fresh = item.added_version > listing.since or item.original_start is not None
            if (
                item.version > listing.since
                and _of_type(item, listing)
                and (not fresh or _inside(item, listing, calendar) or _moved(item))
            ):
                yield item


def _moved(item: Item) -> bool:
    """Whether it is an instance that has left its place (and perhaps the window)."""
    return item.original_start is not None and item.original_start != item.start


def _of_type(item: Item, listing: Listing) -> bool:
    return not listing.types or item.event.event_type in listing.types


def _says(event: Event, words: str) -> bool:
    text = " ".join(
        [event.summary, event.description, event.location]
        + [f"{one.name} {one.email}" for one in event.attendees]
    )
    return words.lower() in text.lower()


def _inside(item: Item, listing: Listing, calendar: Calendar) -> bool:
    """timeMin is an exclusive bound on the end, timeMax one on the start."""
    return (listing.time_min is None or _at(item.end, calendar) > listing.time_min) and (
        listing.time_max is None or _at(item.start, calendar) < listing.time_max
    )


def _at(when: When, calendar: Calendar) -> datetime:
    if isinstance(when, datetime):
        return when
    return datetime.combine(when, time(), ZoneInfo(calendar.time_zone))


def _items(entry: CalendarEntry, calendar: Calendar, listing: Listing) -> Iterator[Item]:
    event = entry.event
    if not event.recurrence or not listing.single:
        yield _item(entry, calendar, event)
    if not event.recurrence:
        return
    if listing.single:
        yield from _instances(entry, calendar, listing)
    else:
        for changed in event.exceptions.values():
            yield _item(entry, calendar, changed)


def _item(entry: CalendarEntry, calendar: Calendar, event: Event) -> Item:
    absent = entry.gone or calendar.address not in event.on_calendars
    return Item(
        position=entry.position,
        event=event,
        event_id=event.event_id,
        start=event.start,
        end=event.end,
        original_start=event.original_start,
        cancelled=absent or "cancelled" in (event.status, entry.event.status),
        version=max(event.version, entry.version if entry.gone else 0, _ended(entry.event)),
        added_version=entry.added_version,
    )


def _ended(master: Event) -> int:
    """The version at which a whole series was cancelled: it takes its instances along."""
    return master.version if master.status == "cancelled" else 0


def _instances(entry: CalendarEntry, calendar: Calendar, listing: Listing) -> Iterator[Item]:
    master = entry.event
    starts: list[tuple[When, int]] = [
        (start, master.version) for start in original_starts(master, listing.time_max)
    ]
    living = len(starts)
    starts += master.retired.values()
    for number, (start, version) in enumerate(starts):
        name = instance_id(master.event_id, start)
        changed = master.exceptions.get(name)
        if changed is not None:
            yield _item(entry, calendar, changed)
            continue
        yield Item(
            position=entry.position,
            event=master,
            event_id=name,
            start=start,
            end=start + length(master),
            original_start=start,
            cancelled=entry.gone or master.status == "cancelled" or number >= living,
            version=max(version, entry.version if entry.gone else 0),
            added_version=entry.added_version,
        )


# --- rendering -----------------------------------------------------------------------------------


def _page(
    call: Call, calendar: Calendar, items: Iterable[Item], place: Place, horizon: int
) -> Json:
    size = call.page_size("maxResults", 250, 2500)
    order = call.text("orderBy")

    def key(item: Item) -> list[Any]:
        if order == "startTime":
            return [_at(item.start, calendar).timestamp(), item.event_id]
        if order == "updated":
            return [item.event.updated_at.timestamp(), item.event_id]
        return [item.position, item.event_id]

    zone = _zone(call, calendar)
    page, token = cut_page(call, items, key, place, size, {"horizon": horizon})
    answer: Json = {
        "kind": "calendar#events",
        "etag": f'"p{calendar.version}"',
        "summary": calendar.summary,
        "description": "",
        "updated": millis(call.now),
        "timeZone": calendar.time_zone,
        "accessRole": _role(call, calendar),
        "defaultReminders": [],
        "items": [_render(call, calendar, item, zone) for item in page],
    }
    if token is not None:
        answer["nextPageToken"] = token
    return answer


def _role(call: Call, calendar: Calendar) -> str:
    assert call.subject is not None
    return "owner" if call.subject.email == calendar.owner else "reader"


def _render(call: Call, calendar: Calendar, item: Item, zone: ZoneInfo) -> Json:
    event = item.event
    head: Json = {
        "kind": "calendar#event",
        "etag": f'"{item.version}"',
        "id": item.event_id,
        "status": "cancelled" if item.cancelled else event.status,
    }
    if item.original_start is not None:
        head["recurringEventId"] = event.recurring_id or event.event_id
        head["originalStartTime"] = _moment(item.original_start, zone, event)
    if item.cancelled:
        return head
    times = {"start": _moment(item.start, zone, event), "end": _moment(item.end, zone, event)}
    hidden = event.visibility in ("private", "confidential") and _role(call, calendar) == "reader"
    if hidden:
        return head | times | {"visibility": event.visibility, "updated": millis(event.updated_at)}
    guests = _guests(call, event, calendar)
    return head | _facts(event, calendar, item) | times | guests | event.extra


def _facts(event: Event, calendar: Calendar, item: Item) -> Json:
    eid = base64.urlsafe_b64encode(f"{item.event_id} {calendar.address}".encode()).decode()
    facts: Json = {
        "htmlLink": f"https://www.google.com/calendar/event?eid={eid.rstrip('=')}",
        "created": millis(event.created_at),
        "updated": millis(event.updated_at),
        "creator": _person(event.creator, calendar),
        "organizer": _person(event.organizer, calendar),
        "iCalUID": event.ical_uid,
        "sequence": event.sequence,
        "reminders": {"useDefault": True},
        "eventType": event.event_type,
    }
    texts = {"summary": event.summary, "description": event.description}
    facts |= {name: text for name, text in texts.items() if text}
    if event.location:
        facts["location"] = event.location
    if event.visibility != "default":
        facts["visibility"] = event.visibility
    if event.recurrence and item.original_start is None:
        facts["recurrence"] = event.recurrence
    if event.code:
        facts |= _meet_link(event.code)
    return facts


def _meet_link(code: str) -> Json:
    link = f"https://meet.google.com/{code}"
    video = {"entryPointType": "video", "uri": link, "label": link.removeprefix("https://")}
    return {
        "hangoutLink": link,
        "conferenceData": {
            "conferenceId": code,
            "conferenceSolution": {
                "key": {"type": "hangoutsMeet"},
                "name": "Google Meet",
                "iconUri": "https://fonts.gstatic.com/s/i/productlogos/meet_2020q4/v6/web.png",
            },
            "entryPoints": [video],
        },
    }


def _guests(call: Call, event: Event, calendar: Calendar) -> Json:
    """The guest list as this calendar may see it; settings at their default are left out."""
    mine = event.organizer == calendar.address
    shown = [
        one
        for one in event.attendees
        if mine or event.guests_see_others or _is_self(call.world, one, calendar)
    ]
    guests: Json = {}
    most = call.number("maxAttendees", len(shown))
    if len(shown) > most:
        shown = [one for one in shown if _is_self(call.world, one, calendar)]
        guests["attendeesOmitted"] = True
    if shown:
        guests["attendees"] = [_attendee(call.world, one, event, calendar) for one in shown]
    if not event.guests_see_others:
        guests["guestsCanSeeOtherGuests"] = False
    if not event.guests_invite:
        guests["guestsCanInviteOthers"] = False
    if event.guests_modify:
        guests["guestsCanModify"] = True
    return guests


def _attendee(world: World, one: Attendee, event: Event, calendar: Calendar) -> Json:
    entry: Json = {"email": one.email, "responseStatus": one.response}
    user = world.find_user(one.email)
    if one.name:
        entry["displayName"] = one.name
    if one.email == event.organizer:
        entry["organizer"] = True
    if _is_self(world, one, calendar):
        entry["self"] = True
    if one.email.endswith("@resource.calendar.google.com") or (user is not None and user.room):
        entry["resource"] = True
    if one.optional:
        entry["optional"] = True
    if one.additional_guests:
        entry["additionalGuests"] = one.additional_guests
    return entry


def _is_self(world: World, one: Attendee, calendar: Calendar) -> bool:
    user = world.find_user(one.email)
    return (user.email if user is not None else one.email) == calendar.address


def _person(address: str, calendar: Calendar) -> Json:
    return {"email": address} | ({"self": True} if address == calendar.address else {})


def _zone(call: Call, calendar: Calendar) -> ZoneInfo:
    try:
        return ZoneInfo(call.text("timeZone") or calendar.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ApiError(400, "Invalid time zone.", "invalid", location="timeZone") from None


def _moment(when: When, zone: ZoneInfo, event: Event) -> Json:
    if isinstance(when, datetime):
        text = when.astimezone(zone).isoformat(timespec="seconds")
        return {"dateTime": text.replace("+00:00", "Z"), "timeZone": event.time_zone}
    assert isinstance(when, date)
    return {"date": when.isoformat()}


def _means(text: str, start: When | None) -> bool:
    """Whether the text is this instance's original start, in whatever zone."""
    try:
        if isinstance(start, datetime):
            return parse_instant(text) == start
        return date.fromisoformat(text) == start
    except ValueError:
        raise ApiError(400, "Invalid value for: originalStart", "invalid") from None
