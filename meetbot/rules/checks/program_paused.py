"""A program or organization that may not work at present."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import ContractValid, contract_answer
from meetbot.domain.cards import occasion_of
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Activity, Partner, PartnerKind, Program
from meetbot.rules.engagements import Engagement, engagements
from meetbot.rules.rule import ALWAYS, rule

_TENANTS = (PartnerKind.LEASE, PartnerKind.PERMIT)


@rule(
    "program-paused",
    severity=Severity.HIGH,
    phases=ALWAYS,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="{what} are paused.",
    teacher="This program cannot meet online now.",
    fix="Cancel.",
)
def program_paused(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """Paused by its own status or the partner's.

    Judged by program: what a paused tenant (lease or permit) does under a valid contract of its
    own is not paused.
    """
    for engagement in engagements(dossier):
        if engagement.partner is None:
            continue
        paused = [
            _is_paused(dossier, engagement.partner, program)
            for program in _programs(dossier, engagement)
        ]
        if not any(paused):
            continue
        is_tenant = engagement.partner.kind in _TENANTS
        yield engagement.concern(
            certainty=Certainty.CONFIRMED if all(paused) else Certainty.NEEDS_REVIEW,
            what="Lease/permit programs" if is_tenant else "Meetings of this program",
        )


def _programs(dossier: Dossier, engagement: Engagement) -> list[Program | None]:
    """The program, or all it could be; None stands for the organization itself."""
    if engagement.program_id:
        return [dossier.registry.program(engagement.program_id)]
    return list(dossier.registry.programs_of(engagement.partner_id)) or [None]


def _is_paused(dossier: Dossier, partner: Partner, program: Program | None) -> bool:
    if program is not None and program.status is Activity.PAUSED:
        return True
    if partner.status is not Activity.PAUSED:
        return False
    if partner.kind not in _TENANTS or program is None:
        return True
    answer = contract_answer(
        dossier.registry, partner.partner_id, program.program_id, occasion_of(dossier)
    )
    return not isinstance(answer, ContractValid)
