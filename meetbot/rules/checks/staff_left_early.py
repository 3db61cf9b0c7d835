"""Partner and students stayed after the last staff member had left."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.domain.presence import PresenceRule
from meetbot.rules.presence_facts import presence_concerns
from meetbot.rules.rule import LIVE_AND_AFTER, Unsure, rule


@rule(
    "staff-left-early",
    severity=Severity.MEDIUM,
    phases=LIVE_AND_AFTER,
    needs={Evidence.ATTENDANCE},
    officer="Staff left {t}; partner stayed with students {duration}.",
    teacher="End the call for everyone when you leave.",
    fix="Explain, coach, or uphold.",
    family="presence",
)
def staff_left_early(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """A co-teacher who stays, a reconnect, or everyone leaving together is none."""
    yield from presence_concerns(PresenceRule.STAFF_LEFT_EARLY, dossier, policy)
