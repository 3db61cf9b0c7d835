"""An invited partner seems to have come with another address."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.addresses import is_free_mail
from meetbot.domain.cards import is_sensitive
from meetbot.domain.dossier import Dossier, Invitee
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import partner_name, program_of
from meetbot.rules.rule import AFTER, rule
from meetbot.rules.stand_ins import partner_stand_ins

_REGISTERED = "their registered address"


@rule(
    "partner-unexpected-account",
    severity=Severity.MEDIUM,
    phases=AFTER,
    needs={Evidence.ATTENDANCE, Evidence.GUESTS, Evidence.REGISTRY},
    wants={Evidence.CALENDAR},
    officer="Probably {person}, other address.",
    teacher="Ask the partner to use {domain}.",
    fix="Register the address, or ask the partner to use the registered one.",
)
def partner_unexpected_account(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """An expected partner is absent, and just one outsider bears a name that may be theirs.

    Where two do, they stay unidentified. What other rules say of the outsider stands.
    """
    for invitee, _ in partner_stand_ins(dossier):
        partner_id = invitee.partner_id or ""
        yield Concern(
            subject=f"{partner_id}#{invitee.guest.address_key[:8]}",
            facts=_facts(invitee, partner_id, dossier),
            certainty=Certainty.NEEDS_REVIEW,
            is_provisional=not dossier.is_final,
            partner_id=invitee.partner_id,
            unknowns=("Whether the outside guest is the person whose name they bear.",),
        )


def _facts(invitee: Invitee, partner_id: str, dossier: Dossier) -> dict[str, object]:
    """Neither person nor domain where they would hint at school mental health."""
    program_id = program_of(dossier, partner_id)
    guest_of = f"a guest of {partner_name(dossier, partner_id, program_id)}"
    if is_sensitive(dossier, partner_id, program_id):
        return {"person": guest_of, "domain": _REGISTERED}
    domain = invitee.guest.domain
    return {
        "person": invitee.person_name or guest_of,
        "domain": _REGISTERED if is_free_mail(domain) else domain,
    }
