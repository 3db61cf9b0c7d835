"""Partner and students met, and no staff account ever joined."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.domain.presence import PresenceRule
from meetbot.rules.presence_facts import presence_concerns
from meetbot.rules.rule import LIVE_AND_AFTER, Unsure, rule


@rule(
    "no-staff-joined",
    severity=Severity.CRITICAL,
    phases=LIVE_AND_AFTER,
    needs={Evidence.ATTENDANCE},
    officer="Partner and students met {n} min; no staff account joined.",
    teacher="Were you there? Tell us how you joined.",
    fix="Explain, correct identity, or uphold.",
    family="presence",
)
def no_staff_joined(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """Where nobody met there is nothing to say; live, staff are late before they are missing."""
    yield from presence_concerns(PresenceRule.NO_STAFF_JOINED, dossier, policy)
