"""Who was in the call when, as lines of text; `picture` draws the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from meetbot.domain.findings import TimelineSpan
from meetbot.domain.notices import Lane, Timeline
from meetbot.notify.text import clean, minutes

MAX_LANES = 40
LISTED_VISITS = 6
"""Of one person in text and table."""
LISTED_CONTACTS = 20

CONTACT_WORDS = {
    "before": "before staff joined",
    "after": "after staff left",
    "gap": "while staff were away",
    "none": "no staff joined",
    "alone": "partner alone with one student",
}
ROLES = {
    "staff": "staff",
    "partner": "partner",
    "unidentified": "unidentified",
    "room": "room device",
    "student": "student",
}
"""Role to its word, in the order in which people are drawn."""


def timeline_text(timeline: Timeline) -> list[str]:
    """Plain lines, one per person, in m:ss from the scheduled start (or else the call's start)."""
    lanes, rest = shown_lanes(timeline)
    wide = min(max((len(lane.label) for lane in lanes), default=0), 28)
    lines = [
        f"{clean(lane.label, 28):<{wide}}  {'; '.join(_visit_lines(lane, timeline))}"
        for lane in lanes
    ]
    if rest:
        lines.append(rest)
    contacts = contacts_in_order(timeline)
    lines += [
        f"Without staff: {_offset(span.start_at, timeline)} to {_offset(span.end_at, timeline)}"
        f" = {minutes(span.seconds)}, {contact_words(span)}"
        for span in contacts[:LISTED_CONTACTS]
    ]
    if len(contacts) > LISTED_CONTACTS:
        lines.append(f"Without staff: and {len(contacts) - LISTED_CONTACTS} more times")
    return lines


def contact_words(span: TimelineSpan) -> str:
    """A kind of contact without staff in words, such as `after staff left`."""
    return CONTACT_WORDS.get(span.kind, "without staff")


def contacts_in_order(timeline: Timeline) -> list[TimelineSpan]:
    """Spans of contact without staff, by start, a component before its `alone` pieces."""
    return sorted(timeline.contacts, key=lambda span: (span.start_at, span.kind == "alone"))


def shown_lanes(timeline: Timeline) -> tuple[list[Lane], str]:
    """The people who are shown, students last, and a phrase for those who are left out."""
    order = list(ROLES)
    lanes = sorted(timeline.lanes, key=lambda lane: _rank(order, lane.role))
    left = Counter(ROLES.get(lane.role, "other") for lane in lanes[MAX_LANES:])
    phrases = [f"{number} more {_plural(word, number)}" for word, number in left.items()]
    return lanes[:MAX_LANES], "and " + ", ".join(phrases) if phrases else ""


def visit_end(end_at: datetime, is_known: bool, timeline: Timeline) -> str:
    """What to say after a visit whose end is not sure; empty when it is."""
    if is_known:
        return ""
    if timeline.is_running and end_at >= timeline.end_at:
        return "still in the call"
    return "end not known"


def _visit_lines(lane: Lane, timeline: Timeline) -> Iterator[str]:
    for start_at, end_at, is_known in lane.spans[:LISTED_VISITS]:
        remark = visit_end(end_at, is_known, timeline)
        until = f"{_offset(end_at, timeline)}{f' ({remark})' if remark else ''}"
        yield f"{_offset(start_at, timeline)} to {until}"
    if len(lane.spans) > LISTED_VISITS:
        yield f"and {len(lane.spans) - LISTED_VISITS} more visits"


def _offset(moment: datetime, timeline: Timeline) -> str:
    zero = timeline.scheduled_start_at or timeline.start_at
    return minutes(int((moment - zero).total_seconds()))


def _rank(order: Sequence[str], role: str) -> int:
    return order.index(role) if role in order else len(order)


def _plural(word: str, number: int) -> str:
    return word if number == 1 or word in ("staff", "unidentified", "other") else word + "s"
