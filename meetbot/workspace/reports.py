"""Admin SDK Reports v1 → visits of calls and changed calendars, as the admin subject.

Both feeds are read for all users and without filters (filtered queries have a tenth of the quota),
newest first. Sources: https://developers.google.com/workspace/admin/reports/v1/appendix/activity/meet,
https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from meetbot.domain.addresses import Address, is_masked, parse_address
from meetbot.domain.attendance import Conference, IdentityForm, RawIdentity, Source, Visit
from meetbot.ports import AuditPage, ChangePage, EventEdit
from meetbot.workspace.api import REPORTS, Api
from meetbot.workspace.client import GoogleClient
from meetbot.workspace.raw import (
    LONGEST_NAME,
    Raw,
    as_code,
    as_flag,
    as_instant,
    as_number,
    as_object,
    as_objects,
    as_text,
    as_unix,
    rfc3339,
)
from meetbot.workspace.refusals import items_of

_FIELDS = (
    "nextPageToken,items(id(time,uniqueQualifier),actor(email,profileId),"
    "events(name,type,parameters(name,value,intValue,boolValue)))"
)
_CALL_ENDED = "call_ended"
_EVENT_CHANGE = "event_change"
_PHONES = frozenset({"pstn_in", "pstn_out"})
_WANTED = frozenset(
    {
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
        "organizer_calendar_id",
        "calendar_id",
    }
)
_LONGEST_CALL = timedelta(days=30)
Row = tuple[Conference, Visit[RawIdentity]]


class GoogleReports:
    """`ports.ReportsPort`. Errors are those of `GoogleClient.call`."""

    def __init__(self, client: GoogleClient, admin: str) -> None:
        self._client = client
        self._admin = admin
        self._activities = client.service(Api.REPORTS).activities()

    def meet(self, since: datetime, until: datetime) -> Iterator[AuditPage]:
        """Pages of `call_ended` rows written in [since, until], newest first."""
        return map(_to_page, self._pages("meet", since, until))

    def calendar_changes(self, since: datetime, until: datetime) -> Iterator[ChangePage]:
        """Pages of rows about changed events written in [since, until], hours late."""
        return map(_to_changes, self._pages("calendar", since, until))

    def check(self) -> None:
        """Read one row at most; raises what stands in the way."""
        self._client.call(
            REPORTS,
            self._admin,
            self._activities.list,
            userKey="all",
            applicationName="meet",
            maxResults=1,
            fields="kind",
        )

    def _pages(self, application: str, since: datetime, until: datetime) -> Iterator[Raw]:
        return self._client.pages(
            REPORTS,
            self._admin,
            self._activities.list,
            userKey="all",
            applicationName=application,
            startTime=rfc3339(since),
            endTime=rfc3339(until),
            maxResults=1000,
            fields=_FIELDS,
        )


@lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    """A parsed address; the same few people are in many rows."""
    return parse_address(text)


# --- calls --------------------------------------------------------------------------------------


def _to_page(page: Raw) -> AuditPage:
    return to_audit_page(items_of(REPORTS, page, "items"))


def to_audit_page(activities: Iterable[Raw]) -> AuditPage:
    """The calls of some activities; conferences span all their rows here. Never raises."""
    conferences: dict[str, Conference] = {}
    visits: list[Visit[RawIdentity]] = []
    malformed = 0
    for activity in activities:
        for index, event in enumerate(_events(activity)):
            if event.get("name") != _CALL_ENDED:
                continue
            row = to_row(activity, event, index)
            if row is None:
                malformed += 1
                continue
            conference, visit = row
            before = conferences.setdefault(conference.name, conference)
            if before is not conference:
                conferences[conference.name] = _hull(before, conference)
            visits.append(visit)
    return AuditPage(tuple(conferences.values()), tuple(visits), malformed)


def _events(activity: Raw) -> list[Raw]:
    """`events`, a list from Google and one object from collectors that split it."""
    events = activity.get("events")
    return [events] if isinstance(events, dict) else as_objects(events)


def to_row(activity: Raw, event: Raw, index: int) -> Row | None:
    """One `call_ended` event; None without a time, a length or a conference to put it in."""
    row_id = as_object(activity.get("id"))
    parameters = _parameters(event)
    span = _span(row_id.get("time"), parameters)
    code = as_code(_word(parameters, "meeting_code"))
    if span is None:
        return None
    start_at, end_at = span
    name = _conference_name(_word(parameters, "conference_id"), code, end_at)
    if name is None:
        return None
    key = f"{as_text(row_id.get('time'), 64)}/{as_text(row_id.get('uniqueQualifier'), 64)}/{index}"
    organizer = _address(_word(parameters, "organizer_email"))
    conference = Conference(
        name=name,
        source=Source.AUDIT,
        meeting_code=code,
        start_at=start_at,
        end_at=end_at,
        organizer=organizer.text if organizer else None,
        calendar_event_id=_word(parameters, "calendar_event_id") or None,
    )
    visit = Visit(
        source=Source.AUDIT,
        key=key,
        conference=name,
        participant=_word(parameters, "endpoint_id") or key,
        identity=_identity(as_object(activity.get("actor")), parameters),
        start_at=start_at,
        end_at=end_at,
    )
    return conference, visit


def _parameters(event: Raw) -> dict[str, Raw]:
    """The parameters that are read here, by name; the forty others of a row are passed over."""
    given = event.get("parameters")
    if not isinstance(given, list):
        return {}
    try:
        return {one["name"]: one for one in given if one["name"] in _WANTED}
    except (KeyError, TypeError):  # one that is no object or has no name: leave out only that
        named = ((as_text(one.get("name")), one) for one in as_objects(given))
        return {name: one for name, one in named if name in _WANTED}


def _word(parameters: dict[str, Raw], name: str) -> str:
    one = parameters.get(name)
    return "" if one is None else as_text(one.get("value"))


def _count(parameters: dict[str, Raw], name: str) -> int | None:
    return as_number(parameters[name].get("intValue")) if name in parameters else None


def _span(written: object, parameters: dict[str, Raw]) -> tuple[datetime, datetime] | None:
    """Start and end in whole seconds.

    Rows of 2024 have no `start_timestamp_seconds`; a row is written when the endpoint leaves, so
    the start is then `id.time` less the duration.
    """
    seconds = _count(parameters, "duration_seconds")
    if seconds is None or not 0 <= seconds <= _LONGEST_CALL.total_seconds():
        return None
    length = timedelta(seconds=seconds)
    try:
        if "start_timestamp_seconds" in parameters:
            start_at = as_unix(_count(parameters, "start_timestamp_seconds"))
            return (start_at, start_at + length) if start_at else None
        written_at = as_instant(written)
        if written_at is None:
            return None
        end_at = written_at.replace(microsecond=0)
        return end_at - length, end_at
    except OverflowError:
        return None


def _conference_name(conference_id: str, code: str | None, end_at: datetime) -> str | None:
    """`audit/{conference_id}`; without an id one call per code and day is the best guess."""
    if conference_id:
        return f"audit/{conference_id}"
    return f"audit/{code}@{end_at.date().isoformat()}" if code else None


def _hull(one: Conference, other: Conference) -> Conference:
    """A conference from its earliest start to its latest end."""
    if _covers(one, other):
        return one
    ends = [end for end in (one.end_at, other.end_at) if end is not None]
    return Conference(
        name=one.name,
        source=one.source,
        meeting_code=one.meeting_code or other.meeting_code,
        start_at=min(one.start_at, other.start_at),
        end_at=max(ends, default=None),
        organizer=one.organizer or other.organizer,
        calendar_event_id=one.calendar_event_id or other.calendar_event_id,
    )


def _covers(one: Conference, other: Conference) -> bool:
    """Whether another row of a conference tells nothing new of it; so do nearly all."""
    return (
        one.start_at <= other.start_at
        and other.end_at is not None
        and one.end_at is not None
        and one.end_at >= other.end_at
        and (one.meeting_code is not None or other.meeting_code is None)
        and (one.organizer is not None or other.organizer is None)
        and (one.calendar_event_id is not None or other.calendar_event_id is None)
    )


def _identity(actor: Raw, parameters: dict[str, Raw]) -> RawIdentity:
    """Who an endpoint was; the address may be clear, obscured or missing.

    https://support.google.com/a/answer/9186729. A room has the actor of an outsider and a device
    id. The actor counts only where no other address contradicts it.
    """
    name = _word(parameters, "display_name")[:LONGEST_NAME]
    is_external = as_flag(parameters.get("is_external", {}).get("boolValue"))
    kind, identifier = _word(parameters, "identifier_type"), _word(parameters, "identifier")

    def identity(form: IdentityForm, **who: str | None) -> RawIdentity:
        return RawIdentity(form, display_name=name, is_external=is_external, **who)

    if kind == "device_id":
        return identity(IdentityForm.DEVICE)
    if kind == "phone_number" or _word(parameters, "device_type") in _PHONES:
        return identity(IdentityForm.PHONE)
    google_id = as_text(actor.get("profileId"), 64) or None
    own = _address(as_text(actor.get("email")))
    address = _address(identifier)
    if address is not None:
        is_actor = own is None or own == address
        return identity(
            IdentityForm.ADDRESS,
            address=address.text,
            google_id=google_id if is_actor else None,
        )
    if is_masked(identifier):
        return identity(IdentityForm.MASKED, masked=identifier, google_id=google_id)
    if own is not None:
        return identity(IdentityForm.ADDRESS, address=own.text, google_id=google_id)
    if google_id:
        return identity(IdentityForm.SIGNED_IN, google_id=google_id)
    return identity(IdentityForm.ANONYMOUS)


# --- calendars ----------------------------------------------------------------------------------

_EDITS = frozenset({"add_event_guest", "change_event"})
"""Who answered, or moved an event, says nothing of who is invited."""


def _to_changes(page: Raw) -> ChangePage:
    return to_change_page(items_of(REPORTS, page, "items"))


def to_change_page(activities: Iterable[Raw]) -> ChangePage:
    """The changed calendars and edited events of some activities. Never raises."""
    calendars: set[str] = set()
    edits: list[EventEdit] = []
    for activity in activities:
        for index, event in enumerate(_events(activity)):
            if event.get("type") != _EVENT_CHANGE:
                continue
            words = _words(event)
            for name in ("organizer_calendar_id", "calendar_id"):
                address = _address(words.get(name, ""))
                if address is not None:
                    calendars.add(address.text)
            edit = _to_edit(activity, event, words, index)
            if edit is not None:
                edits.append(edit)
    return ChangePage(frozenset(calendars), tuple(edits))


def _words(event: Raw) -> dict[str, str]:
    """The parameters of a calendar row that have a text."""
    given = as_objects(event.get("parameters"))
    return {as_text(one.get("name")): as_text(one.get("value")) for one in given}


def _to_edit(activity: Raw, event: Raw, words: dict[str, str], index: int) -> EventEdit | None:
    """A guest added or another change; None for other rows, and without time or event."""
    row = as_object(activity.get("id"))
    at, event_id = as_instant(row.get("time")), words.get("event_id", "")
    name = as_text(event.get("name"))
    if name not in _EDITS or at is None or not event_id:
        return None
    actor = _address(as_text(as_object(activity.get("actor")).get("email")))
    guest = _address(words.get("event_guest", "")) if name == "add_event_guest" else None
    return EventEdit(
        key=f"{as_text(row.get('time'))}|{as_text(row.get('uniqueQualifier'))}|{index}",
        event_id=event_id,
        at=at,
        actor=actor.text if actor else None,
        guest=guest.text if guest else None,
    )
