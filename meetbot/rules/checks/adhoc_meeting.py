"""Partner and students met in a call that is on no calendar."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.attendance import Attendance
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.identity import is_unmatched
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import partner_name
from meetbot.rules.rule import LIVE_AND_AFTER, rule
from meetbot.rules.seconds import is_partner, shared, spans_of


@rule(
    "adhoc-meeting",
    severity=Severity.HIGH,
    phases=LIVE_AND_AFTER,
    needs={Evidence.REGISTRY, Evidence.CALENDAR},
    wants={Evidence.ATTENDANCE},
    officer="Call with {partner} and students, no event.",
    teacher="Use a calendar invitation so approval can be checked.",
    fix="Link to an event or uphold.",
)
def adhoc_meeting(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """An outsider and a student at the same time in a conference that no event explains.

    Somebody whom the audit log calls external stays one under an obscured address: needs review.
    """
    if dossier.meeting is not None or not dossier.conferences:
        return
    students = spans_of(dossier, (a for a in dossier.attendances if a.kind is Kind.STUDENT))
    outsiders = [
        a
        for a in dossier.attendances
        if (is_partner(a) or is_unmatched(a)) and shared(spans_of(dossier, [a]), students)
    ]
    if not outsiders:
        return
    partners = {a.partner_id for a in outsiders if a.partner_id}
    has_event = _has_unseen_event(dossier)
    is_sure = any(a.confidence.confirms for a in outsiders) and not has_event
    yield Concern(
        subject="conference",
        facts={"partner": _named(outsiders, dossier)},
        certainty=Certainty.CONFIRMED if is_sure else Certainty.NEEDS_REVIEW,
        unknowns=("The event: the audit log names one that is on no staff calendar.",)
        if has_event
        else (),
        is_provisional=not dossier.is_final,
        partner_id=partners.pop() if len(partners) == 1 else None,
    )


def _has_unseen_event(dossier: Dossier) -> bool:
    """Whether the link came from an event on another calendar, such as a class's, with staff."""
    names_event = any(c.calendar_event_id for c in dossier.conferences)
    return names_event and any(a.kind is Kind.STAFF for a in dossier.attendances)


def _named(outsiders: list[Attendance], dossier: Dossier) -> str:
    """A partner's name before a stranger's domain."""
    names = sorted({partner_name(dossier, a.partner_id) for a in outsiders if a.partner_id})
    domains = sorted({a.domain for a in outsiders if a.domain and not a.partner_id})
    return ", ".join([*names, *domains]) or "an outside guest"
