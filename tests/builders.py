"""Small builders of stored values; times are minutes from `T0`, a lesson of 45 minutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from meetbot.domain.attendance import Conference, Identity, IdentityForm, Source, Visit
from meetbot.domain.findings import Certainty, FlagKey, Phase, Severity
from meetbot.domain.flags import Flag, FlagStatus, flag_id
from meetbot.domain.meetings import EventCopy, KeptCopy, KeptGuest, OccurrenceKey
from meetbot.ports import CopyChanges, SyncMark

T0 = datetime(2026, 10, 13, 15, tzinfo=UTC)
TEACHER = "ann@district.example"
CODE = "abcdefghij"


def at(minutes: float) -> datetime:
    """The instant so many minutes after `T0`."""
    return T0 + timedelta(minutes=minutes)


def a_guest(key: str, domain: str = "partner.example", **values: Any) -> KeptGuest:
    """A keyed guest."""
    return KeptGuest(address_key=key, domain=domain, **values)


def a_copy(event_id: str = "event", *, start: float = 0, **values: Any) -> KeptCopy:
    """One calendar's copy of a single lesson; `start` in minutes."""
    defaults: dict[str, Any] = {
        "calendar": TEACHER,
        "event_id": event_id,
        "ical_uid": "lesson@google.com",
        "original_start_at": at(start),
        "start_at": at(start),
        "end_at": at(start + 45),
        "is_recurring": False,
        "is_cancelled": False,
        "organizer": a_guest("key-ann", "district.example", is_organizer=True),
        "creator": None,
        "is_organizer_copy": True,
        "guests": (a_guest("key-bo"),),
        "is_guest_list_complete": True,
        "guests_can_see_others": True,
        "guests_can_invite": True,
        "guests_can_modify": False,
        "is_private_copy": False,
        "is_details_hidden": False,
        "meeting_code": CODE,
        "links": (),
        "updated_at": at(-1000),
    }
    return KeptCopy(**defaults | values)


def an_instance(start: float = 0, *, series: str = "series", **values: Any) -> KeptCopy:
    """One calendar's copy of an instance of a series that was planned for `start`."""
    event_id = f"{series}_{at(start):%Y%m%dT%H%M%SZ}"
    defaults: dict[str, Any] = {
        "ical_uid": f"{series}@google.com",
        "is_recurring": True,
        "recurring_event_id": series,
    }
    return a_copy(event_id, start=start, **defaults | values)


def a_tombstone(event_id: str = "event", **values: Any) -> EventCopy:
    """A deleted event as Google tells it."""
    return EventCopy(calendar=TEACHER, event_id=event_id, is_cancelled=True, **values)


def a_mark(token: str = "token") -> SyncMark:
    """A sync mark with a window of a week before to a month after."""
    return SyncMark(token, T0 - timedelta(days=7), T0 + timedelta(days=30), T0)


def a_read(*keep: KeptCopy, calendar: str = TEACHER, **values: Any) -> CopyChanges:
    """One calendar's incremental read."""
    defaults: dict[str, Any] = {"gone": (), "dropped": (), "mark": a_mark(), "is_full": False}
    return CopyChanges(calendar, keep, **defaults | values)


def a_conference(
    name: str = "conferenceRecords/1",
    start: float = 0,
    end: float | None = 45,
    *,
    source: Source = Source.MEET,
    code: str | None = CODE,
) -> Conference:
    """A call; no `end` means that it is running."""
    return Conference(name, source, code, at(start), None if end is None else at(end))


def a_visit(
    who: str = "ann",
    start: float = 0,
    end: float | None = 45,
    *,
    conference: str = "conferenceRecords/1",
    source: Source = Source.MEET,
    key: str = "",
    **values: Any,
) -> Visit[Identity]:
    """A visit of a signed-in person, by default one for each person and start."""
    return Visit(
        source=source,
        key=key or f"{conference}/{who}/{start}",
        conference=conference,
        participant=f"{conference}/{who}",
        identity=values.pop("identity", Identity(IdentityForm.SIGNED_IN, id_key=f"id-{who}")),
        start_at=at(start),
        end_at=None if end is None else at(end),
        **values,
    )


def a_stored_flag(
    rule: str = "staff-left-early",
    *,
    uid: str = "lesson@google.com",
    status: FlagStatus = FlagStatus.OPEN,
    opened: float = 60,
    unknowns: Sequence[str] = (),
    **values: Any,
) -> Flag:
    """A flag as it is kept; `opened` in minutes."""
    occurrence = OccurrenceKey(uid, T0, CODE)
    key = FlagKey(rule, occurrence.text, "presence")
    defaults: dict[str, Any] = {
        "severity": Severity.HIGH,
        "certainty": Certainty.CONFIRMED,
        "is_provisional": False,
        "phase": Phase.AFTER,
        "message": "Staff left before the partner did.",
        "advice": "",
        "fix": "",
        "facts": {"seconds": 840, "partner": "Northstar"},
        "spans": (),
        "family": "presence",
        "is_sticky": False,
        "school_id": None,
        "partner_id": "P1",
        "program_id": None,
        "conference_records": ("conferenceRecords/1",),
        "updated_at": at(opened),
    }
    return Flag(
        id=flag_id(key),
        key=key,
        occurrence=occurrence,
        status=status,
        opened_at=at(opened),
        unknowns=tuple(unknowns),
        **defaults | values,
    )
