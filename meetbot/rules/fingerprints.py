"""What an approval was given for, and what was changed since (rule `authorization-stale`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from meetbot.domain.authorizing import Authorized
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Evidence
from meetbot.domain.meetings import Fingerprint, Meeting
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Authorization
from meetbot.rules.engagements import authorization_of, engagements
from meetbot.rules.exemptions import platforms_of

NEEDED = frozenset({Evidence.CALENDAR, Evidence.GUESTS, Evidence.TEXT, Evidence.REGISTRY})
"""Without these a meeting cannot be compared with what was approved."""


def fingerprint_of(dossier: Dossier, authorization: Authorization) -> Fingerprint:
    """The meeting as it is now, as far as an approval depends on it.

    Local wall-clock times, so that a change of daylight saving time changes nothing (vector D6);
    guests are keyed addresses, so that neither answers nor student rosters count. An ad-hoc call
    has no plan: its times stand for it.
    """
    meeting = dossier.meeting
    is_series = meeting is not None and meeting.is_recurring
    host = dossier.host.invitee
    return Fingerprint(
        authorization_id=authorization.authorization_id,
        issued_at=authorization.issued_at,
        starts=_wall_clock(dossier.start_at, dossier, is_series=is_series),
        ends=_wall_clock(dossier.end_at, dossier, is_series=is_series),
        series="recurring" if is_series else "single",
        host=host.guest.address_key if host else "",
        externals=tuple(sorted(i.guest.address_key for i in dossier.outsiders)),
        platform=_platforms(dossier, meeting),
        audience="students" if dossier.students_invited else "adults",
    )


def _wall_clock(at: datetime, dossier: Dossier, *, is_series: bool) -> str:
    return at.astimezone(dossier.zone).strftime("%a %H:%M" if is_series else "%Y-%m-%d %H:%M")


def _platforms(dossier: Dossier, meeting: Meeting | None) -> str:
    if meeting is None or meeting.meeting_code or not meeting.links:
        return "+".join(platforms_of(dossier))
    return "+".join(sorted({link.platform for link in meeting.links}))


def fingerprints_after(dossier: Dossier, policy: Policy) -> tuple[Fingerprint, ...]:
    """The stored fingerprints, and a first one for each authorization that covers the meeting.

    Nothing is added while a source is missing: a half-read guest list would look changed later.
    """
    meeting = dossier.meeting
    if meeting is None:
        return ()
    if meeting.is_cancelled or not dossier.has(*NEEDED):
        return meeting.fingerprints
    known = {(f.authorization_id, f.issued_at) for f in meeting.fingerprints}
    first = {
        (row.authorization_id, row.issued_at): fingerprint_of(dossier, row)
        for row in _covering(dossier, policy)
        if (row.authorization_id, row.issued_at) not in known
    }
    return (*meeting.fingerprints, *first.values())


def _covering(dossier: Dossier, policy: Policy) -> Iterator[Authorization]:
    for engagement in engagements(dossier):
        answer = authorization_of(dossier, engagement, policy)
        if isinstance(answer, Authorized):
            yield from answer.rows


def stored_for(dossier: Dossier, authorization: Authorization) -> Fingerprint | None:
    """The fingerprint kept for this very approval; a new `issued_at` is a new approval."""
    wanted = (authorization.authorization_id, authorization.issued_at)
    stored = dossier.meeting.fingerprints if dossier.meeting else ()
    return next((f for f in stored if (f.authorization_id, f.issued_at) == wanted), None)


def differences(before: Fingerprint, now: Fingerprint, policy: Policy) -> dict[str, str]:
    """Changed fields, each with what may be told of the change; a small move is no change."""
    tolerance = policy.limits.authorization_move
    changed: dict[str, str] = {}
    if not _is_near(before.starts, now.starts, tolerance):
        changed["start"] = f"{before.starts} → {now.starts}"
    if not _is_near(before.ends, now.ends, tolerance):
        changed["end"] = f"{before.ends} → {now.ends}"
    if before.series != now.series:
        changed["repetition"] = f"{before.series} → {now.series}"
    if before.host != now.host:
        changed["host"] = "another host"
    if before.externals != now.externals:
        changed["outside guests"] = _guest_change(before.externals, now.externals)
    if before.platform != now.platform:
        changed["platform"] = f"{before.platform} → {now.platform}"
    if before.audience != now.audience:
        changed["audience"] = f"{before.audience} → {now.audience}"
    return changed


def _is_near(before: str, now: str, tolerance: timedelta) -> bool:
    """Whether two wall-clock times lie on one day and no further apart than the tolerance."""
    (day, _, clock), (day_now, _, clock_now) = before.rpartition(" "), now.rpartition(" ")
    return day == day_now and abs(_minutes(clock) - _minutes(clock_now)) <= tolerance


def _minutes(clock: str) -> timedelta:
    hour, _, minute = clock.partition(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def _guest_change(before: tuple[str, ...], now: tuple[str, ...]) -> str:
    added, left = len(set(now) - set(before)), len(set(before) - set(now))
    return f"{added} added, {left} removed"
