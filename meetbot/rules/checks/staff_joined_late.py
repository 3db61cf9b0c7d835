"""Partner and students were together before staff came."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.domain.presence import PresenceRule
from meetbot.rules.presence_facts import presence_concerns
from meetbot.rules.rule import LIVE_AND_AFTER, Unsure, rule


@rule(
    "staff-joined-late",
    severity=Severity.MEDIUM,
    phases=LIVE_AND_AFTER,
    needs={Evidence.ATTENDANCE},
    officer="Partner and students together {duration} before staff.",
    teacher="Join first; admit the partner after you.",
    family="presence",
)
def staff_joined_late(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """A partner who waits alone is no contact."""
    yield from presence_concerns(PresenceRule.STAFF_JOINED_LATE, dossier, policy)
