"""The timeline beside its picture: a table, and the same in one text for who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext, ngettext

from meetbot.console.cases import words
from meetbot.domain.notices import Timeline
from meetbot.notify.text import clock, clock_seconds, minutes, zone_name
from meetbot.notify.timeline import (
    LISTED_CONTACTS,
    LISTED_VISITS,
    contacts_in_order,
    shown_lanes,
    visit_end,
)


@dataclass(frozen=True, slots=True)
class TimelineTable:
    """What the picture shows, as words."""

    alt: str
    zone: str
    people: tuple[tuple[str, tuple[str, ...]], ...]
    left_out: int
    """How many people are not listed."""
    contacts: tuple[tuple[str, str, str], ...]
    """What, from when to when, how long."""
    more_contacts: int


def table_of(timeline: Timeline, zone: str) -> TimelineTable:
    """The timeline as a table."""
    lanes, _ = shown_lanes(timeline)
    spans = contacts_in_order(timeline)
    people = tuple(
        (words.lane(lane.label), tuple(_visits(lane.spans, timeline, zone))) for lane in lanes
    )
    contacts = tuple(
        (words.contact(s.kind), _times(s.start_at, s.end_at, zone), minutes(s.seconds))
        for s in spans[:LISTED_CONTACTS]
    )
    return TimelineTable(
        alt=_alt(timeline, zone, people, contacts),
        zone=zone_name(timeline.start_at, zone),
        people=people,
        left_out=len(timeline.lanes) - len(lanes),
        contacts=contacts,
        more_contacts=len(spans) - len(contacts),
    )


def _times(start_at: datetime, end_at: datetime, zone: str) -> str:
    return f"{clock_seconds(start_at, zone)}–{clock_seconds(end_at, zone)}"


def _visits(
    spans: Sequence[tuple[datetime, datetime, bool]], timeline: Timeline, zone: str
) -> Iterator[str]:
    remarks = {
        "still in the call": gettext("still in the call"),
        "end not known": gettext("end not known"),
    }
    for start_at, end_at, is_known in spans[:LISTED_VISITS]:
        remark = visit_end(end_at, is_known, timeline)
        times = _times(start_at, end_at, zone)
        yield f"{times} ({remarks.get(remark, remark)})" if remark else times
    if len(spans) > LISTED_VISITS:
        yield gettext("and %(n)s more visits", n=len(spans) - LISTED_VISITS)


def _alt(
    timeline: Timeline,
    zone: str,
    people: Sequence[tuple[str, tuple[str, ...]]],
    contacts: Sequence[tuple[str, str, str]],
) -> str:
    begins, ends = clock(timeline.start_at, zone), clock(timeline.end_at, zone)
    many = len(timeline.lanes)
    text = [
        ngettext(
            "Timeline of the call, %(begins)s to %(ends)s, %(num)s person.",
            "Timeline of the call, %(begins)s to %(ends)s, %(num)s people.",
            many,
            begins=begins,
            ends=ends,
        ),
        *(f"{who}: {', '.join(visits)}." for who, visits in people),
        *(
            gettext("Without staff: %(what)s, %(when)s, %(long)s.", what=what, when=when, long=long)
            for what, when, long in contacts
        ),
    ]
    if not contacts:
        text.append(gettext("No time without staff is marked."))
    return " ".join(text)
