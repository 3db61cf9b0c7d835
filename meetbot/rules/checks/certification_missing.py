"""No certification on file."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import CertificationMissing
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import certifications_of, engagements
from meetbot.rules.rule import ALWAYS, rule


@rule(
    "certification-missing",
    severity=Severity.HIGH,
    phases=ALWAYS,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Certification not on file.",
    teacher="Partner has not finished certification.",
    fix="Certify.",
)
def certification_missing(dossier: Dossier, policy: Policy) -> Iterator[Concern]:
    """Of the organization, or of one of its people where each needs a clearance."""
    for engagement in engagements(dossier):
        answers = certifications_of(dossier, engagement, policy)
        missing = sum(1 for answer in answers if isinstance(answer, CertificationMissing))
        if missing:
            yield Concern(
                subject=engagement.partner_id,
                facts={"people": missing} if policy.limits.personal_clearance else {},
                partner_id=engagement.partner_id,
            )
