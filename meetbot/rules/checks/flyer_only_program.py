"""A community program that may reach families only through the flyer page."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import PartnerKind
from meetbot.rules.audience import unknown_guests
from meetbot.rules.engagements import engagements
from meetbot.rules.rule import BEFORE_AND_AFTER, Unsure, rule

_FAMILIES = (Kind.STUDENT, Kind.EXEMPT, Kind.EXTERNAL)
_SENTENCE = "Community programs reach families only through the flyer page."


@rule(
    "flyer-only-program",
    severity=Severity.MEDIUM,
    phases=BEFORE_AND_AFTER,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer=_SENTENCE,
    teacher=_SENTENCE,
    fix="Cancel; link to the flyer process.",
)
def flyer_only_program(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:  # noqa: ARG001
    """A community partner meets anybody besides staff; a call with staff only is none."""
    community = [
        e for e in engagements(dossier) if e.partner and e.partner.kind is PartnerKind.COMMUNITY
    ]
    if not community:
        return
    kinds = {i.kind for i in dossier.invitees} | {a.kind for a in dossier.attendances}
    if kinds.isdisjoint(_FAMILIES):
        if doubt := unknown_guests(dossier):
            yield doubt
        return
    for engagement in community:
        yield engagement.concern(certainty=Certainty.CONFIRMED)
