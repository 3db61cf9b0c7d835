"""Admin SDK Reports v1 → visits of calls and changed calendars, as the admin subject.

Both feeds are read for all users and without filters (filtered queries have a tenth of the quota),
newest first. Sources: https://developers.google.com/workspace/admin/reports/v1/appendix/activity/meet,
https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from meetbot.domain.addresses import is_masked, parse_address
from meetbot.domain.attendance import Conference, IdentityForm, RawIdentity, Source, Visit
from meetbot.ports import AuditPage, ChangePage, EventEdit, Sift
from meetbot.workspace.activities import Activity, Event, to_activities
from meetbot.workspace.api import REPORTS, Api
from meetbot.workspace.client import GoogleClient
from meetbot.workspace.raw import (
    LONGEST_ID,
    LONGEST_NAME,
    Raw,
    as_code,
    as_instant,
    as_number,
    as_unix,
    rfc3339,
)
from meetbot.workspace.refusals import items_of
from meetbot.workspace.sieve import CallRow, Sieve, call_rows, conference_of

_FIELDS = "nextPageToken,items(id(time,uniqueQualifier),actor(email,profileId),events)"
_EVENT_CHANGE = "event_change"
_CALENDARS = ("organizer_calendar_id", "calendar_id")
_PHONES = frozenset({"pstn_in", "pstn_out"})
_LONGEST_CALL = 30 * 24 * 3600
"""Seconds."""
Row = tuple[Conference, Visit[RawIdentity]]


class GoogleReports:
    """`ports.ReportsPort`. Errors are those of `GoogleClient.call`."""

    def __init__(self, client: GoogleClient, admin: str) -> None:
        self._client = client
        self._admin = admin
        self._activities = client.service(Api.REPORTS).activities()

    def meet(self, since: datetime, until: datetime, sift: Sift) -> Iterator[AuditPage]:
        """Pages of `call_ended` rows written in [since, until], newest first; see the port."""
        sieve = Sieve(sift)
        for page in _ahead(self._pages("meet", since, until)):
            rows = call_rows(rows_of(page))
            del page  # the next one is on its way
            yield replace(to_audit_page(sieve(rows)), rows=len(rows))

    def calendar_changes(self, since: datetime, until: datetime) -> Iterator[ChangePage]:
        """Pages of rows about changed events written in [since, until], hours late."""
        for page in self._pages("calendar", since, until):
            yield to_change_page(rows_of(page))

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


# --- calls --------------------------------------------------------------------------------------


def _ahead(pages: Iterator[Raw]) -> Iterator[Raw]:
    """The same pages; the next one is asked for while one is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="audit") as pool:
        coming = pool.submit(next, pages, None)
        while (page := coming.result()) is not None:
            coming = pool.submit(next, pages, None)
            handed = [page]
            del page
            yield handed.pop()


def rows_of(page: Raw) -> list[Activity]:
    """The rows of a page. Raises `BadAnswer` if they are no list."""
    items = page.get("items", [])
    if items and isinstance(items, list) and isinstance(items[0], Activity):
        return items
    return to_activities(items_of(REPORTS, page, "items"))


def to_audit_page(rows: Iterable[CallRow]) -> AuditPage:
    """The calls of some rows; conferences span all their rows here. Never raises."""
    conferences: dict[str, Conference] = {}
    visits: list[Visit[RawIdentity]] = []
    malformed = 0
    for call_row in rows:
        row = to_row(call_row)
        if row is None:
            malformed += 1
            continue
        conference, visit = row
        before = conferences.setdefault(conference.name, conference)
        if before is not conference:
            conferences[conference.name] = _hull(before, conference)
        visits.append(visit)
    return AuditPage(tuple(conferences.values()), tuple(visits), malformed)


def to_row(row: CallRow) -> Row | None:
    """One `call_ended` event; None without a time, a length or a conference to put it in."""
    span = _span(row)
    if span is None:
        return None
    start_at, end_at = span
    code = as_code(row.word("meeting_code"))
    name = conference_of(row) or _guessed(code, end_at)
    if name is None:
        return None
    key = f"{row.written}/{row.qualifier or row.word('endpoint_id')}/{row.index}"
    organizer = parse_address(row.word("organizer_email"))
    conference = Conference(
        name=name,
        source=Source.AUDIT,
        meeting_code=code,
        start_at=start_at,
        end_at=end_at,
        organizer=organizer.text if organizer else None,
        calendar_event_id=row.word("calendar_event_id") or None,
    )
    visit = Visit(
        source=Source.AUDIT,
        key=key,
        conference=name,
        participant=row.word("endpoint_id") or key,
        identity=_identity(row),
        start_at=start_at,
        end_at=end_at,
    )
    return conference, visit


def _count(row: CallRow, name: str) -> int | None:
    return as_number(row.told.get(name))


def _span(row: CallRow) -> tuple[datetime, datetime] | None:
    """Start and end in whole seconds.

    Rows of 2024 have no `start_timestamp_seconds`; a row is written when the endpoint leaves, so
    the start is then `id.time` less the duration.
    """
    seconds = _count(row, "duration_seconds")
    if seconds is None or not 0 <= seconds <= _LONGEST_CALL:
        return None
    if "start_timestamp_seconds" in row.told:
        first = _count(row, "start_timestamp_seconds")
    else:
        written_at = as_instant(row.written)
        first = None if written_at is None else int(written_at.timestamp()) - seconds
    start_at = as_unix(first)
    end_at = None if first is None else as_unix(first + seconds)
    return (start_at, end_at) if start_at and end_at else None


def _guessed(code: str | None, end_at: datetime) -> str | None:
    """Without a conference id one call per code and day is the best guess."""
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


def _identity(row: CallRow) -> RawIdentity:
    """Who an endpoint was; the address may be clear, obscured or missing.

    https://support.google.com/a/answer/9186729. A room has the actor of an outsider and a device
    id. The actor counts only where no other address contradicts it.
    """
    is_external = row.told.get("is_external") is True
    name = row.word("display_name")[:LONGEST_NAME]
    kind, identifier = row.word("identifier_type"), row.word("identifier")
    form, address, masked, google_id = IdentityForm.ANONYMOUS, None, None, None
    if kind == "device_id":
        form = IdentityForm.DEVICE
    elif kind == "phone_number" or row.word("device_type") in _PHONES:
        form = IdentityForm.PHONE
    else:
        google_id = row.profile_id or None
        own, clear = parse_address(row.email), parse_address(identifier)
        if clear is not None:
            form, address = IdentityForm.ADDRESS, clear.text
            google_id = google_id if own is None or own == clear else None
        elif is_masked(identifier):
            form, masked = IdentityForm.MASKED, identifier
        elif own is not None:
            form, address = IdentityForm.ADDRESS, own.text
        elif google_id:
            form = IdentityForm.SIGNED_IN
    return RawIdentity(form, google_id, address, masked, name, is_external)


# --- calendars ----------------------------------------------------------------------------------

_EDITS = frozenset({"add_event_guest", "change_event"})
"""Who answered, or moved an event, says nothing of who is invited."""


def to_change_page(activities: Iterable[Activity]) -> ChangePage:
    """The changed calendars and edited events of some rows. Never raises."""
    calendars: set[str] = set()
    edits: list[EventEdit] = []
    for activity in activities:
        for index, event in enumerate(activity.events):
            if event.type != _EVENT_CHANGE:
                continue
            words = {n: v[:LONGEST_ID] for n, v in event.told.items() if v and isinstance(v, str)}
            for name in _CALENDARS:
                address = parse_address(words.get(name, ""))
                if address is not None:
                    calendars.add(address.text)
            edit = _to_edit(activity, event, words, index)
            if edit is not None:
                edits.append(edit)
    return ChangePage(frozenset(calendars), tuple(edits))


def _to_edit(
    activity: Activity, event: Event, words: dict[str, str], index: int
) -> EventEdit | None:
    """A guest added or another change; None for other rows, and without time or event."""
    at, event_id = as_instant(activity.id.time), words.get("event_id", "")
    if event.name not in _EDITS or at is None or not event_id:
        return None
    actor = parse_address(activity.actor.email[:LONGEST_ID])
    is_guest = event.name == "add_event_guest"
    guest = parse_address(words.get("event_guest", "")) if is_guest else None
    return EventEdit(
        key=f"{activity.id.time[:64]}|{activity.id.uniqueQualifier[:64]}|{index}",
        event_id=event_id,
        at=at,
        actor=actor.text if actor else None,
        guest=guest.text if guest else None,
    )
