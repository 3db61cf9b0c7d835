"""When the passing of time alone changes what is said of a running call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from meetbot.domain.dossier import Dossier
from meetbot.domain.meetings import Scope
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.rules.exemptions import is_confidential
from meetbot.rules.presence_facts import presence_recheck
from meetbot.rules.seconds import contact_spans, spans_of, to_second, total

_SECOND = timedelta(seconds=1)


def next_crossing(dossier: Dossier, policy: Policy) -> datetime | None:
    """The next instant at which a live rule would say something else; None if not live.

    Assumes, like the supervision algebra (A11), that everything open stays open.
    """
    if not dossier.is_live or dossier.scope is not Scope.FULL:
        return None
    return min(
        (at for at in _crossings(dossier, policy) if at > dossier.as_of),
        default=None,
    )


def _crossings(dossier: Dossier, policy: Policy) -> Iterator[datetime]:
    presence = presence_recheck(dossier, policy)
    if presence is not None:
        yield presence
    for attendance in dossier.attendances:
        if attendance.kind is Kind.UNIDENTIFIED and any(
            visit.end_at is None for visit in attendance.visits
        ):
            seen = timedelta(seconds=total(spans_of(dossier, [attendance])))
            yield dossier.as_of + policy.limits.unidentified - seen
    if is_confidential(dossier):
        for attendance in dossier.attendances:
            if any(visit.end_at is None for visit in attendance.visits):
                seen = timedelta(seconds=total(spans_of(dossier, [attendance])))
                yield dossier.as_of + policy.limits.intruder - seen
    if dossier.meeting is not None and _is_in_contact(dossier):
        yield dossier.end_at + policy.limits.outside_window + _SECOND


def _is_in_contact(dossier: Dossier) -> bool:
    """Whether partner and students are together at the observation."""
    contact = contact_spans(dossier)
    return bool(contact) and contact[-1][1] == to_second(dossier.as_of)
