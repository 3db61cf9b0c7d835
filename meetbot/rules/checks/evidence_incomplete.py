"""A day later it still cannot be told whether staff were present."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.meetings import Meeting
from meetbot.domain.people import Kind
from meetbot.domain.platforms import Certainty as LinkCertainty
from meetbot.domain.platforms import Platform
from meetbot.domain.policy import Policy
from meetbot.domain.presence import PresenceRule
from meetbot.rules.audience import has_students
from meetbot.rules.engagements import sole_partner
from meetbot.rules.exemptions import is_confidential
from meetbot.rules.rule import AFTER, rule
from meetbot.rules.seconds import is_partner

_ELSEWHERE = "the meeting was held where nobody can read who was present"


@rule(
    "evidence-incomplete",
    severity=Severity.MEDIUM,
    phases=AFTER,
    officer="Cannot tell whether staff were present.",
    teacher="Were you there throughout?",
    fix="Manual review.",
)
def evidence_incomplete(dossier: Dossier, policy: Policy) -> Iterator[Concern]:
    """From a day after the end: a source is missing, cut short or contradicts another.

    Only where a presence rule needed it: students are invited, were seen or may have been there.
    """
    ends = [dossier.end_at, *(c.end_at for c in dossier.conferences if c.end_at)]
    if dossier.as_of < max(ends) + dossier.late_after or not _matters(dossier, policy):
        return
    reasons = tuple(_reasons(dossier))
    if reasons:
        yield Concern(
            subject="attendance",
            facts={"reasons": len(reasons)},
            partner_id=sole_partner(dossier),
            unknowns=reasons,
        )


def _matters(dossier: Dossier, policy: Policy) -> bool:
    if not any(policy.switch(rule).is_enabled for rule in PresenceRule):
        return False
    return _may_have_had_students(dossier) and not is_confidential(dossier)


def _may_have_had_students(dossier: Dossier) -> bool:
    meeting = dossier.meeting
    if has_students(dossier) or (meeting is not None and not meeting.is_guest_list_complete):
        return True
    # A class may share one screen with a partner who was invited or is registered (A15).
    return any(is_partner(a) and (a.is_invited or a.partner_id) for a in dossier.attendances)


def _reasons(dossier: Dossier) -> Iterator[str]:
    state = dossier.evidence.get(Evidence.ATTENDANCE)
    if dossier.meeting is None or _was_online(dossier, dossier.meeting):
        if state is None or not state.is_full:
            yield (state.problem if state else "") or "who was in the call could not be read"
        elif dossier.meeting is not None and _was_elsewhere(dossier, dossier.meeting):
            yield _ELSEWHERE
    yield from dossier.contradictions
    if any(a.kind is Kind.UNKNOWN for a in dossier.attendances):
        yield "the directory could not be asked about a participant"


def _was_online(dossier: Dossier, meeting: Meeting) -> bool:
    """Whether there is any sign of a call; where details are hidden there may have been one."""
    has_sign = meeting.meeting_code or meeting.links or dossier.conferences
    return bool(has_sign) or not meeting.are_details_known


def _was_elsewhere(dossier: Dossier, meeting: Meeting) -> bool:
    """Whether nobody used Google Meet although the invitation links to another platform."""
    return not dossier.conferences and any(
        link.certainty is not LinkCertainty.DIAL_IN and link.platform is not Platform.GOOGLE_MEET
        for link in meeting.links
    )
