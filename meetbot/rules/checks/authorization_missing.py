"""Nobody authorized the meeting."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import AuthorizationMissing
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Authorization
from meetbot.rules.engagements import (
    Engagement,
    authorization_of,
    engagements,
    school_name,
)
from meetbot.rules.rule import ALWAYS, rule
from meetbot.rules.wording import local_day


@rule(
    "authorization-missing",
    severity=Severity.HIGH,
    phases=ALWAYS,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="{nearest}.",
    teacher="You need approval from your principal or department lead.",
    fix="Approve or cancel.",
)
def authorization_missing(dossier: Dossier, policy: Policy) -> Iterator[Concern]:
    """None exists for the partner, or all were revoked before the end; the nearest is named."""
    for engagement in engagements(dossier):
        answer = authorization_of(dossier, engagement, policy)
        if isinstance(answer, AuthorizationMissing):
            yield engagement.concern(nearest=_nearest(answer.nearest, engagement, dossier))


def _nearest(row: Authorization | None, engagement: Engagement, dossier: Dossier) -> str:
    """The revoked one; its id is the district's text and may hint at mental health."""
    here = dossier.host.school
    held = f"held for {here.name}" if here else "held anyway"
    if row is None or row.revoked_at is None:
        return f"No authorization on file, {held}"
    day = local_day(row.revoked_at, dossier.zone)
    school = school_name(dossier, row.school_id)
    which = (
        "An authorization" if engagement.is_sensitive else f"Authorization {row.authorization_id}"
    )
    return f"{which} for {school} was revoked on {day}, {held}"
