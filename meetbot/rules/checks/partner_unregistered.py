"""An outsider whom neither the registry nor an exemption knows."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.meetings import Scope
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Registry
from meetbot.rules.outsiders import Stranger, by_subject, may_be_registered_person, strangers
from meetbot.rules.rule import ALWAYS, rule


@rule(
    "partner-unregistered",
    severity=Severity.HIGH,
    phases=ALWAYS,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    scopes={Scope.FULL, Scope.ADULT},
    officer="External guest at {domain} is not in the registry.",
    teacher="This guest is not an approved partner yet.",
    fix="Match the alias, register, exempt or remove.",
)
def partner_unregistered(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """One concern for each outside domain, or for each person at a free-mail host.

    In meetings of adults it is low and needs review (catalogue §2, In scope).
    """
    for subject, people in by_subject(strangers(dossier)):
        doubts = _doubts(people, dossier.registry)
        is_sure = any(p.confidence.confirms for p in people) and not doubts
        yield Concern(
            subject=subject,
            facts={"domain": people[0].domain},
            certainty=Certainty.CONFIRMED
            if is_sure and dossier.scope is Scope.FULL
            else Certainty.NEEDS_REVIEW,
            unknowns=doubts,
        )


def _doubts(people: list[Stranger], registry: Registry) -> tuple[str, ...]:
    """Why this may be somebody who is registered after all."""
    doubts = []
    if all(may_be_registered_person(p, registry) for p in people):
        doubts.append("Whether this is the personal account of a registered person.")
    if all(p.is_list for p in people):
        doubts.append("Who is on this mailing list.")
    return tuple(doubts)
