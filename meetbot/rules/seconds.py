"""Presence in whole epoch seconds: spans of people in the call, joined and compared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from meetbot.domain.attendance import Attendance, Identity, Visit
from meetbot.domain.dossier import Dossier
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.spans import Span, union

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def to_second(at: datetime) -> int:
    """The whole second of an instant, its fraction dropped (catalogue A1)."""
    return (at - _EPOCH) // _SECOND


def from_second(second: int) -> datetime:
    """The instant in UTC."""
    return _EPOCH + second * _SECOND


def is_partner(attendance: Attendance) -> bool:
    """Whether this is P of the catalogue's §3: an outsider with an identity, registered or not."""
    is_outsider = attendance.kind in (Kind.PARTNER, Kind.EXTERNAL)
    return is_outsider and attendance.confidence is not Confidence.NONE


def spans_of(
    dossier: Dossier, people: Iterable[Attendance], *, is_sure: bool = False
) -> tuple[Span, ...]:
    """When any of these people were seen in the call.

    An open visit lasts until the observation while the call runs; a missing end is the last
    moment the visit was known to last. With `is_sure` only the first and last second count of a
    visit that is an outer limit of when somebody was there.
    """
    spans: list[Span] = []
    for attendance in people:
        for visit in attendance.visits:
            start, end = to_second(visit.start_at), _end_of(visit, dossier)
            if end <= start:
                continue
            if is_sure and visit.is_hull:
                spans += [(start, start + 1), (end - 1, end)]
            else:
                spans.append((start, end))
    return union(spans)


def _end_of(visit: Visit[Identity], dossier: Dossier) -> int:
    now = to_second(dossier.as_of)
    if visit.end_at is not None:
        end = to_second(visit.end_at)
    elif dossier.is_live:
        end = now
    else:
        end = to_second(visit.last_seen_at or visit.start_at)
    return min(end, now) if dossier.is_live else end


def shared(one: Iterable[Span], other: Iterable[Span]) -> tuple[Span, ...]:
    """Seconds in both."""
    left, right = list(one), list(other)
    found: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            found.append((start, end))
        if left[i][1] <= right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def without(one: Iterable[Span], other: Iterable[Span]) -> tuple[Span, ...]:
    """Seconds in the first and not in the second; both are unions."""
    taken = list(other)
    found: list[Span] = []
    for start, end in one:
        at = start
        for left, right in taken:
            if right <= at or left >= end:
                continue
            if left > at:
                found.append((at, left))
            at = max(at, right)
        if at < end:
            found.append((at, end))
    return tuple(found)


def contact_spans(dossier: Dossier, *, is_sure: bool = False) -> tuple[Span, ...]:
    """When any partner and any student were in the call together, staff there or not.

    With `is_sure` partners recognized by name only are left out too.
    """
    partners = [
        a for a in dossier.attendances if is_partner(a) and (a.confidence.confirms or not is_sure)
    ]
    students = [a for a in dossier.attendances if a.kind is Kind.STUDENT]
    return shared(
        spans_of(dossier, partners, is_sure=is_sure), spans_of(dossier, students, is_sure=is_sure)
    )


def total(spans: Iterable[Span]) -> int:
    """Seconds in all of them."""
    return sum(end - start for start, end in spans)
