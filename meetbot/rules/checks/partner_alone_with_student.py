"""A partner was alone with exactly one student."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.domain.presence import PresenceRule
from meetbot.rules.presence_facts import presence_concerns
from meetbot.rules.rule import LIVE_AND_AFTER, Unsure, rule


@rule(
    "partner-alone-with-student",
    severity=Severity.CRITICAL,
    phases=LIVE_AND_AFTER,
    needs={Evidence.ATTENDANCE},
    officer="Partner alone with one student {duration}.",
    teacher="Never leave a partner with one student.",
    fix="Same-day call by the principal.",
    family="presence",
)
def partner_alone_with_student(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """Two devices of one student are one student; monitored tutoring may be one to one."""
    yield from presence_concerns(PresenceRule.PARTNER_ALONE_WITH_STUDENT, dossier, policy)
