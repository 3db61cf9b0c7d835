"""A certification that does not hold for the whole meeting."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import CertificationExpired
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Certification
from meetbot.rules.engagements import certifications_of, engagements
from meetbot.rules.rule import BEFORE_AND_AFTER, rule
from meetbot.rules.wording import local_day


@rule(
    "certification-expired",
    severity=Severity.HIGH,
    phases=BEFORE_AND_AFTER,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Certification {lapsed}.",
    teacher="Certification {lapsed}.",
    fix="Renew.",
)
def certification_expired(dossier: Dossier, policy: Policy) -> Iterator[Concern]:
    """On file, but not valid for the whole scheduled interval; renewals next to it count."""
    for engagement in engagements(dossier):
        answers = certifications_of(dossier, engagement, policy)
        expired = [a.nearest for a in answers if isinstance(a, CertificationExpired)]
        if expired:
            yield Concern(
                subject=engagement.partner_id,
                facts={"lapsed": _lapsed(expired[0], dossier)},
                partner_id=engagement.partner_id,
            )


def _lapsed(nearest: Certification, dossier: Dossier) -> str:
    """When it lapsed; or when it begins, where that is after the meeting."""
    if local_day(dossier.start_at, dossier.zone) < nearest.certified_on.isoformat():
        return f"starts only on {nearest.certified_on.isoformat()}"
    return f"lapsed {nearest.expires_on.isoformat()}"
