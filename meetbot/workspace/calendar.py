"""Calendar v3 → copies of events, each calendar as its owner, incremental by sync token.

Sources: https://developers.google.com/workspace/calendar/api/guides/sync,
https://developers.google.com/workspace/calendar/api/v3/reference/events
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from meetbot.domain.dates import local_day_start
from meetbot.domain.invitation import Attachment, Invitation
from meetbot.domain.meetings import Attendee, EventCopy
from meetbot.domain.platforms import PlatformLink, entry_point_link, find_links
from meetbot.errors import Permanent
from meetbot.ports import CalendarRead, SyncMark
from meetbot.workspace.api import CALENDARS, Api
from meetbot.workspace.client import GoogleClient
from meetbot.workspace.raw import (
    LONGEST_NAME,
    LONGEST_TEXT,
    Raw,
    as_code,
    as_flag,
    as_instant,
    as_object,
    as_objects,
    as_text,
    is_longer,
    rfc3339,
)
from meetbot.workspace.refusals import items_of, status_of, unreadable

_EVENT_TYPES = ("default", "fromGmail")
_OTHER_TYPES = ("birthday", "focusTime", "outOfOffice", "workingLocation")
"""Nobody is invited to those."""
_FIELDS = (
    "nextPageToken,nextSyncToken,items("
    "id,status,eventType,iCalUID,recurringEventId,originalStartTime,start,end,updated,"
    "visibility,privateCopy,organizer(email,self),creator/email,"
    "attendees(email,displayName,responseStatus,resource,organizer,self),attendeesOmitted,"
    "guestsCanSeeOtherGuests,guestsCanInviteOthers,guestsCanModify,"
    "summary,location,description,hangoutLink,attachments(title,fileUrl,mimeType),"
    "conferenceData(conferenceId,conferenceSolution/key/type,"
    "entryPoints(entryPointType,uri),notes))"
)
_MEET_LINK = re.compile(
    r"(?<![\w.@-])meet\.google\.com/(?:lookup/)?([a-z]{3}-?[a-z]{4}-?[a-z]{3})(?![\w-])",
    re.IGNORECASE | re.ASCII,
)


class GoogleCalendars:
    """`ports.CalendarPort`. `zone` is the district's: the days of all-day events are local."""

    def __init__(self, client: GoogleClient, zone: ZoneInfo) -> None:
        self._client = client
        self._zone = zone
        self._events = client.service(Api.CALENDAR).events()

    def read(
        self,
        owner: str,
        mark: SyncMark | None,
        *,
        window_start_at: datetime,
        window_end_at: datetime,
        as_of: datetime,
    ) -> CalendarRead:
        """What changed since `mark` (in the mark's window), or all of the given window.

        A dead token, also one that Google calls malformed (400), leads to one full read in the
        same call. Errors are those of `GoogleClient.call`; `BadAnswer` too when the last page has
        no `nextSyncToken`, for then nobody could go on from it.
        """
        if mark is not None:
            try:
                return self._changes(owner, mark)
            except Permanent as error:
                if status_of(error) not in (400, 410):
                    raise
        window = {"timeMin": rfc3339(window_start_at), "timeMax": rfc3339(window_end_at)}
        events, malformed, token = self._pages(owner, window)
        fresh = SyncMark(token, window_start_at, window_end_at, as_of)
        return CalendarRead(events, fresh, is_full=True, malformed=malformed)

    def check(self, owner: str) -> None:
        """Read next to nothing of a calendar; raises what stands in the way."""
        self._client.call(
            CALENDARS, owner, self._events.list, calendarId=owner, maxResults=1, fields="kind"
        )

    def _changes(self, owner: str, mark: SyncMark) -> CalendarRead:
        events, malformed, token = self._pages(owner, {"syncToken": mark.token})
        moved = SyncMark(token, mark.window_start_at, mark.window_end_at, mark.synced_at)
        return CalendarRead(events, moved, is_full=False, malformed=malformed)

    def _pages(
        self, owner: str, place: dict[str, str]
    ) -> tuple[tuple[EventCopy, ...], tuple[str, ...], str]:
        """Events of all pages, ids of malformed ones, and the token of the last page.

        Apart from `place` the parameters are always the same, as a sync token demands. An event
        that changes while pages are read may come twice: the later one counts.
        """
        events: dict[str, EventCopy] = {}
        malformed: list[str] = []
        token = ""
        for page in self._client.pages(
            CALENDARS,
            owner,
            self._events.list,
            calendarId=owner,
            singleEvents=True,
            eventTypes=list(_EVENT_TYPES),
            maxResults=2500,
            fields=_FIELDS,
            **place,
        ):
            for raw in items_of(CALENDARS, page, "items"):
                if raw.get("eventType") in _OTHER_TYPES:
                    continue
                copy = to_copy(raw, owner, self._zone)
                if copy is None:
                    malformed.append(as_text(raw.get("id")))
                else:
                    events[copy.event_id] = copy
            token = as_text(page.get("nextSyncToken"), 1_000_000)
        if not token:
            raise unreadable(CALENDARS, "a list without nextSyncToken")
        return tuple(events.values()), tuple(malformed), token


# --- one event ----------------------------------------------------------------------------------


def to_copy(raw: Raw, calendar: str, zone: ZoneInfo) -> EventCopy | None:
    """One item of `events.list`; None if it cannot be understood. Never raises.

    Of a cancelled event only ids are sure to be there, so nothing else is read.
    """
    event_id = as_text(raw.get("id"))
    if not event_id:
        return None
    series = as_text(raw.get("recurringEventId")) or None
    original_start_at, _ = _moment(raw.get("originalStartTime"), zone)
    if raw.get("status") == "cancelled":
        return EventCopy(
            calendar,
            event_id,
            is_cancelled=True,
            recurring_event_id=series,
            original_start_at=original_start_at,
        )
    start_at, is_all_day = _moment(raw.get("start"), zone)
    # Published events exist without an end (`endTimeUnspecified`): a moment is better than nothing.
    end_at = _moment(raw["end"], zone)[0] if "end" in raw else start_at
    if start_at is None or end_at is None or end_at < start_at:
        return None
    organizer = as_object(raw.get("organizer"))
    attendees, are_all_named = _attendees(raw.get("attendees"))
    return EventCopy(
        calendar=calendar,
        event_id=event_id,
        # Google derives the uid of its own events from the id; nearly all have it anyway.
        ical_uid=as_text(raw.get("iCalUID")) or f"{series or event_id}@google.com",
        recurring_event_id=series,
        original_start_at=original_start_at or start_at,
        start_at=start_at,
        end_at=end_at,
        is_all_day=is_all_day,
        organizer=as_text(organizer.get("email")) or None,
        is_organizer_copy=as_flag(organizer.get("self")) or _is_owner(organizer, calendar),
        creator=as_text(as_object(raw.get("creator")).get("email")) or None,
        attendees=attendees,
        attendees_omitted=as_flag(raw.get("attendeesOmitted")) or not are_all_named,
        guests_can_see_others=as_flag(raw.get("guestsCanSeeOtherGuests"), default=True),
        guests_can_invite=as_flag(raw.get("guestsCanInviteOthers"), default=True),
        guests_can_modify=as_flag(raw.get("guestsCanModify")),
        is_private_copy=as_flag(raw.get("privateCopy")),
        is_details_hidden=_is_hidden(raw),
        meeting_code=_meeting_code(raw),
        links=_links(raw),
        updated_at=as_instant(raw.get("updated")),
        invitation=None if _is_hidden(raw) else _invitation(raw),
    )


def _is_owner(organizer: Raw, calendar: str) -> bool:
    """Whether an event's organizer is the calendar that it was read from."""
    return as_text(organizer.get("email")).casefold() == calendar.casefold()


def _moment(value: object, zone: ZoneInfo) -> tuple[datetime | None, bool]:
    """An event's `start`, `end` or `originalStartTime`, and whether it is a whole day."""
    raw = as_object(value)
    if "dateTime" in raw:
        return as_instant(raw["dateTime"]) or _floating(raw, zone), False
    try:
        return local_day_start(date.fromisoformat(as_text(raw.get("date"), 10)), zone), True
    except ValueError:
        return None, False


def _floating(raw: Raw, zone: ZoneInfo) -> datetime | None:
    """A `dateTime` without offset, which the reference allows beside a `timeZone`."""
    try:
        local = datetime.fromisoformat(as_text(raw["dateTime"], 64))
        named = as_text(raw.get("timeZone"), 64)
        place = ZoneInfo(named) if named else zone
        return None if local.tzinfo else local.replace(tzinfo=place).astimezone(UTC)
    except (ValueError, OverflowError, OSError, KeyError):  # KeyError: ZoneInfoNotFoundError
        return None


def _attendees(value: object) -> tuple[tuple[Attendee, ...], bool]:
    """The guest list, and whether everybody on it has an address."""
    if value is not None and not isinstance(value, list):
        return (), False
    entries = as_objects(value)
    found = tuple(
        Attendee(
            address=address,
            display_name=as_text(raw.get("displayName"), LONGEST_NAME),
            response=as_text(raw.get("responseStatus"), 20) or "needsAction",
            is_resource=as_flag(raw.get("resource")),
            is_organizer=as_flag(raw.get("organizer")),
            is_self=as_flag(raw.get("self")),
        )
        for raw in entries
        if (address := as_text(raw.get("email")))
    )
    return found, len(found) == len(entries)


_DETAILS = ("description", "location", "attendees", "conferenceData", "hangoutLink", "creator")


def _is_hidden(raw: Raw) -> bool:
    """Whether only the time of a private event may be seen (read as a mere reader)."""
    return raw.get("visibility") in ("private", "confidential") and not any(
        name in raw for name in _DETAILS
    )


# --- what it says -------------------------------------------------------------------------------

_MOST_FILES = 50
"""Google allows 25 attachments."""


def _invitation(raw: Raw) -> Invitation:
    """Title, texts and attachments, cut: anybody may write megabytes into them."""
    texts = {name: raw.get(name) for name in ("summary", "description", "location")}
    files = as_objects(raw.get("attachments"))
    return Invitation(
        title=as_text(texts["summary"], LONGEST_TEXT),
        description=as_text(texts["description"], LONGEST_TEXT),
        location=as_text(texts["location"], LONGEST_TEXT),
        files=tuple(_attachment(file) for file in files[:_MOST_FILES]),
        is_cut=any(is_longer(text, LONGEST_TEXT) for text in texts.values())
        or len(files) > _MOST_FILES,
    )


def _attachment(raw: Raw) -> Attachment:
    url, mime_type = as_text(raw.get("fileUrl")), as_text(raw.get("mimeType"), LONGEST_NAME)
    return Attachment(as_text(raw.get("title")), url, mime_type)


# --- where it takes place -----------------------------------------------------------------------


def _meeting_code(raw: Raw) -> str | None:
    """The Meet code: of the conference data, else of `hangoutLink`, else the only one in the text.

    Conference data may be another platform's (`addOn`) while a Meet link stands beside it.
    """
    conference = as_object(raw.get("conferenceData"))
    key = as_object(as_object(conference.get("conferenceSolution")).get("key"))
    if key.get("type") == "hangoutsMeet" and (code := as_code(conference.get("conferenceId"))):
        return code
    uris = [as_text(entry.get("uri")) for entry in as_objects(conference.get("entryPoints"))]
    linked = _codes([*uris, as_text(raw.get("hangoutLink"))])
    if linked:
        return linked[0]
    written = _codes(_texts(raw))
    return written[0] if len(written) == 1 else None


def _codes(texts: Iterable[str]) -> list[str]:
    found = (as_code(match) for text in texts for match in _MEET_LINK.findall(text))
    return list(dict.fromkeys(code for code in found if code))


def _texts(raw: Raw) -> list[str]:
    """The free text, cut: anybody may write megabytes into it."""
    notes = as_object(raw.get("conferenceData")).get("notes")
    values = (raw.get("location"), raw.get("description"), notes, raw.get("hangoutLink"))
    return [text for value in values if (text := as_text(value, LONGEST_TEXT))]


def _links(raw: Raw) -> tuple[PlatformLink, ...]:
    conference = as_object(raw.get("conferenceData"))
    entries = (
        entry_point_link(as_text(entry.get("entryPointType"), 20), as_text(entry.get("uri")))
        for entry in as_objects(conference.get("entryPoints"))
    )
    return tuple(dict.fromkeys([*(link for link in entries if link), *find_links(*_texts(raw))]))
