"""Rows of the audit log as typed values, decoded without the objects that nobody reads.

A page has a thousand rows of some thirty parameters each, so this is where most bytes come in. One
row is decoded at a time and only what is read here is kept of it: a whole page of parameters would
leave the processor's caches before anybody looked at them.
A page with a value of another kind than Google documents is read as plain JSON, and each odd value
counts as absent.
Source: https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from meetbot.workspace.raw import Raw, as_object, as_objects, as_text

_READ = {
    name: name  # every row then has the same text object, not a copy of it
    for name in (
        # of calls
        "meeting_code",
        "conference_id",
        "calendar_event_id",
        "organizer_email",
        "identifier",
        "identifier_type",
        "is_external",
        "display_name",
        "start_timestamp_seconds",
        "duration_seconds",
        "endpoint_id",
        "device_type",
        # of changed events
        "organizer_calendar_id",
        "calendar_id",
        "event_id",
        "event_guest",
    )
}
"""The parameters that are read here; the forty others of a row are passed over."""

Told = dict[str, str | int | bool | None]
"""The values of those parameters of one event that are read here, by name."""


class Event(msgspec.Struct, gc=False):
    """One of the events of an activity."""

    name: str
    type: str
    told: Told


class RowId(msgspec.Struct, gc=False):
    """What a row is known by, together with the index of its event."""

    time: str = ""
    uniqueQualifier: str = ""  # noqa: N815 - Google's name


class Actor(msgspec.Struct, gc=False):
    """Who did it."""

    email: str = ""
    profileId: str = ""  # noqa: N815


class Activity(msgspec.Struct, gc=False):
    """One row."""

    id: RowId
    actor: Actor
    events: list[Event]


class _Parameter(msgspec.Struct, gc=False):
    """One named value of an event as Google writes it; `intValue` is a string in its JSON."""

    name: str = ""
    value: str | None = None
    intValue: str | int | None = None  # noqa: N815
    boolValue: bool | None = None  # noqa: N815


class _Event(msgspec.Struct, gc=False):
    name: str = ""
    type: str = ""
    parameters: list[_Parameter] = msgspec.field(default_factory=list)


class _Row(msgspec.Struct, gc=False):
    id: RowId = msgspec.field(default_factory=RowId)
    actor: Actor = msgspec.field(default_factory=Actor)
    events: list[_Event] = msgspec.field(default_factory=list)


class _Page(msgspec.Struct, gc=False):
    items: list[msgspec.Raw]
    nextPageToken: str = ""  # noqa: N815


_PAGE = msgspec.json.Decoder(_Page)
_ROW = msgspec.json.Decoder(_Row)


def decode_page(content: bytes) -> Raw | None:
    """A page with typed `items`; None where it has no rows or is not as documented."""
    try:
        page = _PAGE.decode(content)
        items = [_activity(_ROW.decode(row)) for row in page.items]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return {"items": items, "nextPageToken": page.nextPageToken} if items else None


def _activity(row: _Row) -> Activity:
    events = [Event(one.name, one.type, _told(one.parameters)) for one in row.events]
    return Activity(row.id, row.actor, events)


def _told(parameters: Iterable[_Parameter]) -> Told:
    """What of these is read. A parameter has one value, under a name that tells its kind."""
    return {
        _READ[one.name]: one.value
        if one.value is not None
        else one.intValue
        if one.intValue is not None
        else one.boolValue
        for one in parameters
        if one.name in _READ
    }


def to_activities(items: Iterable[Activity | Raw]) -> list[Activity]:
    """Rows of either kind as typed ones. Never raises."""
    return [one if isinstance(one, Activity) else _lenient(one) for one in items]


def _lenient(raw: Raw) -> Activity:
    row_id, actor = as_object(raw.get("id")), as_object(raw.get("actor"))
    events = raw.get("events")
    return Activity(
        RowId(as_text(row_id.get("time"), 64), _qualifier(row_id.get("uniqueQualifier"))),
        Actor(as_text(actor.get("email")), as_text(actor.get("profileId"), 64)),
        # A list from Google, and one object from collectors that split it.
        [_event(one) for one in ([events] if isinstance(events, dict) else as_objects(events))],
    )


def _qualifier(value: object) -> str:
    """A 64-bit number, as a string from Google: without it rows of one instant would be one."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return as_text(str(value) if is_number else value, 64)


def _event(raw: Raw) -> Event:
    return Event(
        as_text(raw.get("name")),
        as_text(raw.get("type")),
        _told(_parameter(one) for one in as_objects(raw.get("parameters"))),
    )


def _parameter(raw: Raw) -> _Parameter:
    value, number, flag = raw.get("value"), raw.get("intValue"), raw.get("boolValue")
    return _Parameter(
        as_text(raw.get("name")),
        as_text(value) if isinstance(value, str) else None,
        number if isinstance(number, str | int) and not isinstance(number, bool) else None,
        flag if isinstance(flag, bool) else None,
    )
