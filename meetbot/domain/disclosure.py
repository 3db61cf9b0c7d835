"""Student data that an outsider could see, and for how long: on a guest list, or in a text.

Mending does not undo what was seen (catalogue §5B, student-contacts-visible and
student-data-in-text), so both records are kept beside the meeting and only ever grow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from meetbot.domain.dossier import Invitee
from meetbot.domain.invitation import MarkKind, StudentMark
from meetbot.domain.meetings import Disclosure, Meeting, TextDisclosure
from meetbot.domain.people import Kind

_OUTSIDERS = (Kind.PARTNER, Kind.EXTERNAL)


def disclosure_after(
    meeting: Meeting,
    invitees: Iterable[Invitee],
    previous: Disclosure | None,
    as_of: datetime,
) -> Disclosure | None:
    """What was visible up to now, the state at `as_of` included; may be applied repeatedly.

    While nobody can tell the organizer's settings, what is known stays as it is.
    """
    people = list(invitees)
    students = [i for i in people if i.kind is Kind.STUDENT]
    viewers = [i for i in people if i.kind in _OUTSIDERS]
    if not can_tell(meeting, people):
        return previous
    if meeting.is_cancelled or not students or not viewers or not _can_see(meeting, people):
        if previous is None or previous.visible_until is not None:
            return previous
        return replace(previous, visible_until=as_of)
    now = Disclosure(
        visible_from=as_of,
        visible_until=None,
        students=len(students),
        is_group_only=all(i.guest.via_group for i in students),
        seen_by=tuple(sorted({i.partner_id or i.guest.domain for i in viewers})),
    )
    return _joined(previous, now) if previous else now


def can_tell(meeting: Meeting, invitees: Iterable[Invitee]) -> bool:
    """Whether it is known if guests see one another.

    It is when the organizer's settings were read, when a guest's own copy shows the others, and
    when an outsider organizes.
    """
    return (
        meeting.are_settings_known
        or meeting.is_guest_list_complete
        or _is_organized_by_outsider(meeting, invitees)
    )


def _can_see(meeting: Meeting, invitees: Iterable[Invitee]) -> bool:
    """Who may change an event sees its guests, and so does whoever organizes it."""
    return (
        meeting.guests_can_see_others
        or meeting.guests_can_modify
        or _is_organized_by_outsider(meeting, invitees)
    )


def _is_organized_by_outsider(meeting: Meeting, invitees: Iterable[Invitee]) -> bool:
    organizer = meeting.organizer
    return organizer is not None and any(
        i.guest.address_key == organizer.address_key and i.kind in _OUTSIDERS for i in invitees
    )


def _joined(before: Disclosure, now: Disclosure) -> Disclosure:
    """The two as one, from the first sight on."""
    return Disclosure(
        visible_from=before.visible_from,
        visible_until=None,
        students=max(before.students, now.students),
        is_group_only=before.is_group_only and now.is_group_only,
        seen_by=tuple(sorted({*before.seen_by, *now.seen_by})),
    )


# --- in a text ----------------------------------------------------------------------------------

_FEWEST_NAMES = 2
"""Catalogue §5B: one name alone may be anybody's."""


def text_disclosure_after(
    meeting: Meeting,
    invitees: Iterable[Invitee],
    previous: TextDisclosure | None,
    as_of: datetime,
) -> TextDisclosure | None:
    """What was readable up to now, the state at `as_of` included; may be applied repeatedly.

    What nobody searched in full ends nothing.
    """
    search = meeting.search
    has_reader = any(i.kind in _OUTSIDERS for i in invitees) and not meeting.is_cancelled
    marks = _telling(search.marks) if search and has_reader else ()
    if marks:
        return _read(previous, marks, as_of)
    is_known = not has_reader or (search is not None and search.is_complete)
    if previous is None or previous.readable_until is not None or not is_known:
        return previous
    return replace(previous, readable_until=as_of)


def _telling(marks: tuple[StudentMark, ...]) -> tuple[StudentMark, ...]:
    names = sum(1 for mark in marks if mark.kind is MarkKind.NAME)
    return tuple(m for m in marks if m.kind is not MarkKind.NAME or names >= _FEWEST_NAMES)


def _read(
    previous: TextDisclosure | None, marks: tuple[StudentMark, ...], as_of: datetime
) -> TextDisclosure:
    """The larger of the two, from the first sight on; a sure mark counts for more than any other.

    Where something stands may change with every edit, and the newest place is the useful one.
    """
    if previous is None:
        return TextDisclosure(as_of, None, marks)
    is_less = _weight(marks) < _weight(previous.marks)
    return TextDisclosure(previous.readable_from, None, previous.marks if is_less else marks)


def _weight(marks: tuple[StudentMark, ...]) -> tuple[bool, int]:
    return any(mark.kind.confirms for mark in marks), len(marks)
