"""The meeting ends after the last day of the contract."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import ContractExpired
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import contract_of, engagements
from meetbot.rules.rule import ALWAYS, rule


@rule(
    "contract-expired",
    severity=Severity.HIGH,
    phases=ALWAYS,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Contract ended {date}.",
    teacher="The contract has ended; renewal needed.",
    fix="Renew.",
)
def contract_expired(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """Adjacent renewals are one contract; the last local day counts in full (vector D1)."""
    for engagement in engagements(dossier):
        answer = contract_of(dossier, engagement)
        if isinstance(answer, ContractExpired):
            yield engagement.concern(date=answer.ended_on.isoformat())
