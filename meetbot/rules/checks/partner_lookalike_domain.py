"""An outside domain that is easily taken for a partner's."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import partner_name
from meetbot.rules.outsiders import strangers
from meetbot.rules.rule import ALWAYS, rule


@rule(
    "partner-lookalike-domain",
    severity=Severity.HIGH,
    phases=ALWAYS,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Address imitates {partner}.",
    teacher="Check this address with the partner by phone.",
    fix="Remove; report to IT.",
)
def partner_lookalike_domain(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """One concern for each domain that looks like a registered one; registered ones are none.

    One person known by address confirms it, whoever else is known by name only.
    """
    alike = {s.domain: s.lookalike_of for s in strangers(dossier) if s.lookalike_of}
    sure = {s.domain for s in strangers(dossier) if s.confidence.confirms}
    for domain, partner_id in sorted(alike.items()):
        yield Concern(
            subject=domain,
            facts={"partner": partner_name(dossier, partner_id), "domain": domain},
            certainty=Certainty.CONFIRMED if domain in sure else Certainty.NEEDS_REVIEW,
            partner_id=partner_id,
        )
