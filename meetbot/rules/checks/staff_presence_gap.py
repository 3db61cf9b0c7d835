"""Staff were away in the middle while partner and students were together."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.domain.presence import PresenceRule
from meetbot.rules.presence_facts import presence_concerns
from meetbot.rules.rule import LIVE_AND_AFTER, Unsure, rule


@rule(
    "staff-presence-gap",
    severity=Severity.MEDIUM,
    phases=LIVE_AND_AFTER,
    needs={Evidence.ATTENDANCE},
    officer="{gaps}, longest {longest}.",
    teacher="Ask a colleague to stay if you must step out.",
    family="presence",
)
def staff_presence_gap(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """Short network drops and a change of device are none."""
    yield from presence_concerns(PresenceRule.STAFF_PRESENCE_GAP, dossier, policy)
