"""Student addresses on a guest list that an outsider could see, and for how long.

Mending the setting does not undo what was seen (catalogue §5B, student-contacts-visible), so the
record is kept beside the meeting and only ever grows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from meetbot.domain.dossier import Invitee
from meetbot.domain.meetings import Disclosure, Meeting
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
