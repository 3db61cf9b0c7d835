"""Guests who came onto the list after it was first read, and what is known of who added them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Evidence
from meetbot.domain.guest_list import Edit, Editor, Entry, edits_for, entries_of
from meetbot.domain.people import Kind

_LAG = timedelta(hours=3)
"""After so long the audit log of calendars holds what it will ever hold (facts §2: a few hours)."""
_SKEW = timedelta(minutes=5)
"""Google's clock and ours, and the time an answer is under way."""
_AGAIN = timedelta(minutes=30)


class Cause(StrEnum):
    """Who added a guest: an outsider by the log's word; nobody knows; or not yet to be told."""

    OUTSIDER = "outsider"
    UNKNOWN = "unknown"
    LOG_IS_LATE = "log is late"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Addition:
    """One entry of the guest list that came later and that no staff member is known to have
    added."""

    at: datetime
    cause: Cause
    partner_id: str | None = None


def additions(dossier: Dossier, approved_at: datetime | None = None) -> Iterator[Addition]:
    """What was added after `approved_at`; what was there when the list was first read was not.

    A row of the log that names the guest decides; without one any edit by staff in the time in
    which the guest came explains it.
    """
    if dossier.meeting is None:
        return
    known = {e.key: e for e in dossier.guest_list.entries} if dossier.guest_list else {}
    for key in sorted(entries_of(dossier.meeting)):
        entry = known.get(key)
        found = _addition(entry, _edits_about(key, entry, dossier), dossier)
        if found is not None and (approved_at is None or found.at > approved_at):
            yield found


def explained_at(dossier: Dossier) -> datetime | None:
    """When the log can be expected to tell who added the guests nobody is known to have added."""
    late = [found.at for found in additions(dossier) if found.cause is Cause.LOG_IS_LATE]
    return max(min(late) + _LAG, dossier.as_of + _AGAIN) if late else None


def _edits_about(key: str, entry: Entry | None, dossier: Dossier) -> list[Edit]:
    """The edits that name an entry, oldest first; not those of an earlier time on the list."""
    named = edits_for(key, dossier.edits)
    if entry is None or entry.absent_at is None:
        return named
    since = entry.absent_at - _SKEW
    return [edit for edit in named if edit.at >= since]


def _addition(entry: Entry | None, named: list[Edit], dossier: Dossier) -> Addition | None:
    last = named[-1] if named else None
    if last is not None and last.by is Editor.OUTSIDER:
        is_first = entry is None or entry.absent_at is None
        if is_first and _is_organized_by_outsider(dossier):
            return None  # their own first guests: `organizer-not-staff` speaks of those
        return Addition(last.at, Cause.OUTSIDER, last.partner_id)
    if last is not None and last.by is not Editor.UNKNOWN:
        return None
    if entry is None or entry.absent_at is None or entry.could_invite is False:
        return None
    if not dossier.outsiders:
        return None
    if last is not None:
        return Addition(last.at, _unknown(entry))
    if _is_staff_edit_between(entry.absent_at, entry.seen_at, dossier):
        return None
    cause = _unknown(entry) if _has_log(entry, dossier) else Cause.LOG_IS_LATE
    return Addition(entry.seen_at, cause)


def _unknown(entry: Entry) -> Cause:
    return Cause.UNKNOWN if entry.could_invite else Cause.SETTINGS


def _is_organized_by_outsider(dossier: Dossier) -> bool:
    host = dossier.host.invitee
    return host is not None and host.kind in (Kind.PARTNER, Kind.EXTERNAL)


def _is_staff_edit_between(absent_at: datetime, seen_at: datetime, dossier: Dossier) -> bool:
    """Whether staff changed the event while a guest came, without the log telling what."""
    first, last = absent_at - _SKEW, seen_at + _SKEW
    return any(
        e.by is Editor.STAFF and e.guest_key is None and first <= e.at <= last
        for e in dossier.edits
    )


def _has_log(entry: Entry, dossier: Dossier) -> bool:
    """Whether the log was read late enough to hold every row about this entry."""
    read_at = dossier.edits_read_at
    return read_at is not None and read_at >= entry.seen_at + _LAG


def log_doubt(dossier: Dossier) -> str:
    """Why the log cannot tell who added a guest, as a sentence."""
    if dossier.has(Evidence.EDITS):
        return "the audit log of calendars may still lack who added a guest"
    return "who added a guest is not known: the audit log of calendars cannot be read"
