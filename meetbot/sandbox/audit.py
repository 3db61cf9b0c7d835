"""The Reports feeds: audit rows kept in time order, and how calls and calendar changes become rows.

Row shapes follow published samples: `intValue` is a JSON string, meeting codes are upper-case
without hyphens, outsiders have the actor key HANGOUTS_EXTERNAL_OR_ANONYMOUS, and Calendar's
`start_time` counts seconds from year 1 (Unix + 62135683200).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import orjson

from meetbot.sandbox.model import (
    AuditRow,
    Conference,
    Event,
    Identifier,
    Joins,
    Participant,
    Session,
    User,
    stable_number,
    stable_word,
)
from meetbot.sandbox.times import millis

CALENDAR_EPOCH_OFFSET = 62135683200
OUTSIDER_KEY = "HANGOUTS_EXTERNAL_OR_ANONYMOUS"
_DEVICES = {Joins.PHONE: "pstn_in"}
_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

Position = tuple[datetime, int]


class AuditLog:
    """The rows of one application, newest first on reading."""

    def __init__(self) -> None:
        self._rows: list[AuditRow] = []
        self._sorted = True

    def add(self, rows: Iterable[AuditRow]) -> None:
        """Put rows in; their order does not matter."""
        self._rows.extend(rows)
        self._sorted = False

    def drop(self, tag: str) -> None:
        """Forget all rows derived from `tag`."""
        self._rows = [row for row in self._rows if row.tag != tag]

    def __len__(self) -> int:
        return len(self._rows)

    def newest_first(
        self, start: datetime | None, end: datetime | None, before: Position | None
    ) -> Iterator[AuditRow]:
        """Rows with start <= at <= end that come after the position `before` in the answer."""
        rows = self._in_order()
        low = bisect_left(rows, start, key=lambda row: row.at) if start else 0
        high = bisect_right(rows, end, key=lambda row: row.at) if end else len(rows)
        if before is not None:
            high = min(high, bisect_left(rows, before, key=_position))
        for index in range(high - 1, low - 1, -1):
            yield rows[index]

    def _in_order(self) -> list[AuditRow]:
        if not self._sorted:
            self._rows.sort(key=_position)
            self._sorted = True
        return self._rows


def _position(row: AuditRow) -> Position:
    return (row.at, row.qualifier)


def _text(name: str, value: str) -> dict[str, object]:
    return {"name": name, "value": value}


def _number(name: str, value: int) -> dict[str, object]:
    return {"name": name, "intValue": str(value)}


def activity(
    row: AuditRow, application: str, actor: dict[str, str], event: dict[str, object]
) -> bytes:
    """An Activity resource as JSON."""
    return orjson.dumps(
        {
            "kind": "admin#reports#activity",
            "id": {
                "time": millis(row.at),
                "uniqueQualifier": str(row.qualifier),
                "applicationName": application,
                "customerId": "C0sandbox",
            },
            "etag": f'"{stable_word(f"{row.at}{row.qualifier}", 28, _WORD)}"',
            "actor": actor,
            "events": [event],
        }
    )


# --- calls ---------------------------------------------------------------------------------------


def call_rows(conference: Conference, find_user: Callable[[str], User | None]) -> list[AuditRow]:
    """One `call_ended` row for every session whose end is known.

    Calls organized outside the district show only the district's own people.
    """
    inside = find_user(conference.organizer) is not None
    rows = []
    for participant in conference.participants:
        user = find_user(participant.who) if participant.joins is Joins.SIGNED_IN else None
        if user is None and not inside:
            continue
        for number, session in enumerate(participant.sessions):
            if session.end is not None and session.end > session.start:
                rows.append(_call_row(conference, participant, user, session, number))
    return rows


def _call_row(
    conference: Conference,
    participant: Participant,
    user: User | None,
    session: Session,
    number: int,
) -> AuditRow:
    endpoint = f"{conference.conference_id}/{participant.participant_id}/{number}"
    assert session.end is not None  # asked for by call_rows
    return AuditRow(
        at=session.end,
        qualifier=int(stable_number(endpoint, 18)) - 10**18 - 5 * 10**17,
        render=_render_call,
        args=(conference, participant, user, session, endpoint),
        actor=user.email if user is not None and not user.room else "",
        event_name="call_ended",
        tag=conference.conference_id,
    )


def _render_call(row: AuditRow) -> bytes:
    conference, participant, user, session, endpoint = row.args
    assert isinstance(conference, Conference)
    assert isinstance(participant, Participant)
    assert isinstance(session, Session)
    assert user is None or isinstance(user, User)
    signed_in_here = user is not None and not user.room
    actor = (
        {"callerType": "USER", "email": user.email, "profileId": user.user_id}
        if user is not None and signed_in_here
        else {"callerType": "KEY", "key": OUTSIDER_KEY}
    )
    parameters = [
        *_call_facts(conference, participant, user, session, str(endpoint)),
        *_identity(participant, user),
        *_whereabouts(user),
        *_quality(session),
    ]
    event: dict[str, object] = {"type": "call", "name": "call_ended", "parameters": parameters}
    return activity(row, "meet", actor, event)


def _call_facts(
    conference: Conference,
    participant: Participant,
    user: User | None,
    session: Session,
    endpoint: str,
) -> list[dict[str, object]]:
    assert session.end is not None
    start = int(session.start.timestamp())
    device = "meet_hardware" if user is not None and user.room else session.device
    return [
        _text("meeting_code", conference.code.replace("-", "").upper()),
        _text("conference_id", conference.conference_id),
        _text("calendar_event_id", conference.calendar_event_id),
        _text("organizer_email", conference.organizer),
        {"name": "is_external", "boolValue": user is None},
        _text("endpoint_id", "boq_hlane_" + stable_word(endpoint, 11, _WORD)),
        _text("device_type", _DEVICES.get(participant.joins, device)),
        _text("product_type", "meet"),
        _text("display_name", participant.name),
        _number("start_timestamp_seconds", start),
        _number("duration_seconds", int(session.end.timestamp()) - start),
        _text("encryption_type", "cloud_encryption"),
    ]


def _identity(participant: Participant, user: User | None) -> list[dict[str, object]]:
    """What the row tells of who it was: clear, obscured or nothing."""
    if user is not None and user.room:
        return [_text("identifier", user.user_id), _text("identifier_type", "device_id")]
    if participant.joins is Joins.PHONE:
        return [
            _text("identifier", participant.who),
            _text("identifier_type", "phone_number"),
        ]
    if participant.joins is Joins.ANONYMOUS:
        return []
    if user is not None:
        return _address(user.email)
    match participant.identifier:
        case Identifier.CLEAR:
            return _address(participant.who)
        case Identifier.OBSCURED:
            return _address(obscured(participant.who))
        case Identifier.ABSENT:
            return []


def _address(value: str) -> list[dict[str, object]]:
    return [_text("identifier", value), _text("identifier_type", "email_address")]


def obscured(address: str) -> str:
    """An address the way the audit log masks it: `li***@s***.com`."""
    local, _, domain = address.partition("@")
    return f"{local[:2]}***@{domain[:1]}***.{domain.rpartition('.')[2]}"


def _whereabouts(user: User | None) -> list[dict[str, object]]:
    """Address and place of own endpoints; absent on outsiders' rows."""
    if user is None:
        return []
    return [
        _text("ip_address", f"192.0.2.{int(user.user_id[-2:]) + 1}"),
        _text("location_country", "US"),
        _text("location_region", "Minneapolis"),
    ]


def _quality(session: Session) -> list[dict[str, object]]:
    assert session.end is not None
    seconds = int((session.end - session.start).total_seconds())
    return [
        _number("network_rtt_msec_mean", 17),
        _number("network_recv_jitter_msec_mean", 3),
        _number("audio_recv_seconds", seconds),
        _number("audio_send_seconds", seconds),
        _number("video_recv_seconds", seconds),
        _number("video_send_seconds", seconds // 2),
        _number("network_congestion", 0),
        _number("screencast_recv_seconds", 0),
        _number("screencast_send_seconds", 0),
        _text("network_transport_protocol", "udp"),
    ]


# --- calendar changes ----------------------------------------------------------------------------


def calendar_row(
    name: str,
    event: Event,
    actor: str,
    profile_id: str,
    at: datetime,
    qualifier: int,
    *,
    guest: str = "",
) -> AuditRow:
    """A row of the calendar feed about one change (`create_event`, `delete_event`, ...).

    `actor` is an address, perhaps an outsider's, who has no `profile_id`.
    """
    return AuditRow(
        at=at,
        qualifier=qualifier,
        render=_render_change,
        args=(
            name,
            event.event_id,
            event.organizer,
            event.summary,
            bool(event.recurrence),
            _since_year_one(event.start, event.time_zone),
            _since_year_one(event.end, event.time_zone),
            guest,
            actor,
            profile_id,
        ),
        actor=actor,
        event_name=name,
        tag=event.event_id,
    )


def _since_year_one(when: datetime | date, zone: str) -> int:
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=ZoneInfo(zone or "UTC"))
    return int(when.timestamp()) + CALENDAR_EPOCH_OFFSET


def _render_change(row: AuditRow) -> bytes:
    name, event_id, organizer, title, recurring, start, end, guest, actor, profile = row.args
    parameters = [
        _text("event_id", str(event_id)),
        _text("organizer_calendar_id", str(organizer)),
        _text("calendar_id", str(actor)),
        _text("event_title", str(title)),
        _text("recurring", "yes" if recurring else "no"),
        _text("client_side_encrypted", "no"),
        _number("start_time", int(str(start))),
        _number("end_time", int(str(end))),
        _text("api_kind", "web"),
        _text("user_agent", "Mozilla/5.0"),
    ]
    if guest:
        parameters.append(_text("event_guest", str(guest)))
    event: dict[str, object] = {
        "type": "event_change",
        "name": str(name),
        "parameters": parameters,
    }
    return activity(row, "calendar", {"email": str(actor), "profileId": str(profile) or "0"}, event)
