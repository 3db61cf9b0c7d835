"""An approval that came after the start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from meetbot.domain.authorizing import AuthorizationRetroactive
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import authorization_of, engagements
from meetbot.rules.rule import AFTER, rule


@rule(
    "authorization-retroactive",
    severity=Severity.MEDIUM,
    phases=AFTER,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Approved {n} h after the start.",
    teacher="Approval must come before the meeting.",
    fix="Officer accepts or upholds.",
)
def authorization_retroactive(dossier: Dossier, policy: Policy) -> Iterator[Concern]:
    """It covers the meeting in all else. Approval at the very start is in time."""
    for engagement in engagements(dossier):
        answer = authorization_of(dossier, engagement, policy)
        if isinstance(answer, AuthorizationRetroactive):
            yield engagement.concern(
                n=_hours(answer.late_by), authorization_id=answer.row.authorization_id
            )


def _hours(late_by: timedelta) -> str:
    hours = late_by / timedelta(hours=1)
    return f"{hours:.1f}" if hours >= 0.1 else "less than 0.1"
