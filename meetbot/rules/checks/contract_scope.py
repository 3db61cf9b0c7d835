"""A valid contract that does not include the host's school."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import ContractOutOfScope
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import contract_of, engagements, school_name
from meetbot.rules.rule import BEFORE_AND_AFTER, rule
from meetbot.rules.wording import listed


@rule(
    "contract-scope",
    severity=Severity.MEDIUM,
    phases=BEFORE_AND_AFTER,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Contract covers {schools}.",
    teacher="Contract does not cover your school.",
    fix="Amend.",
)
def contract_scope(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """District-wide contracts and schools that share a building are inside it."""
    for engagement in engagements(dossier):
        answer = contract_of(dossier, engagement)
        if isinstance(answer, ContractOutOfScope):
            schools = [school_name(dossier, school_id) for school_id in answer.school_ids]
            yield engagement.concern(schools=listed(schools))
