"""No contract row for the partner's program."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import ContractMissing
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import contract_of, engagements, program_name
from meetbot.rules.rule import ALWAYS, rule


@rule(
    "contract-missing",
    severity=Severity.HIGH,
    phases=ALWAYS,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="No contract for {program}.",
    teacher="Ask your contract contact before inviting.",
    fix="Contract, or cancel.",
)
def contract_missing(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """One concern for each partner without one for its program; a contract for nothing counts."""
    for engagement in engagements(dossier):
        answer = contract_of(dossier, engagement)
        if isinstance(answer, ContractMissing):
            yield engagement.concern(program=program_name(dossier, engagement))
