"""The host seems to have joined with another account than that of the district."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import sole_partner
from meetbot.rules.exemptions import is_confidential
from meetbot.rules.rule import LIVE_AND_AFTER, rule
from meetbot.rules.stand_ins import host_stand_in


@rule(
    "staff-unexpected-account",
    severity=Severity.MEDIUM,
    phases=LIVE_AND_AFTER,
    needs={Evidence.ATTENDANCE},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Host may have used a personal account.",
    teacher="Join with your district account.",
    fix="Host confirms; officer may accept.",
)
def staff_unexpected_account(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """The host is absent by account, and just one outsider or unknown bears a name like theirs.

    To the presence rules that person is unidentified: they neither clear nor confirm.
    """
    if is_confidential(dossier) or host_stand_in(dossier) is None:
        return
    yield Concern(
        subject="host",
        certainty=Certainty.NEEDS_REVIEW,
        is_provisional=not dossier.is_final,
        partner_id=sole_partner(dossier),
        unknowns=("Whether the participant who bears the host's name is the host.",),
    )
