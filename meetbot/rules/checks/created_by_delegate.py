"""Somebody else put the event into a staff member's calendar."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.cards import NEUTRAL_PARTNER
from meetbot.domain.dossier import Dossier, Invitee
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import partner_name
from meetbot.rules.exemptions import is_confidential
from meetbot.rules.rule import BEFORE, Unsure, rule


@rule(
    "created-by-delegate",
    severity=Severity.INFO,
    phases=BEFORE,
    wants={Evidence.CALENDAR},
    officer="Created by {role} for {host}.",
    fix="None unless partner or student.",
)
def created_by_delegate(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """High for partner, student or another outsider. Secretaries and tools in the policy are none.

    A clinician may set up a confidential meeting. Imported copies say nothing of who created it.
    """
    host, creator, meeting = dossier.host, dossier.creator, dossier.meeting
    if meeting is None or meeting.is_imported or not host.is_staff or host.invitee is None:
        return
    if creator is None or creator.kind is Kind.UNKNOWN:
        yield Unsure("who created the event is not known", frozenset({Evidence.DIRECTORY}))
        return
    is_host = creator.guest.address_key == host.invitee.guest.address_key
    if is_host or creator.guest.address in policy.accounts.delegates:
        return
    if creator.kind is Kind.PARTNER and is_confidential(dossier):
        return
    severity, is_sure = _severity(creator), creator.confidence.confirms
    if severity is not None:
        yield Concern(
            subject="creator",
            facts={
                "role": _role(creator, dossier),
                "host": host.display_name or host.address or "the host",
            },
            severity=severity,
            certainty=Certainty.CONFIRMED if is_sure else Certainty.NEEDS_REVIEW,
            partner_id=creator.partner_id,
        )


def _severity(creator: Invitee) -> Severity | None:
    if creator.kind in (Kind.PARTNER, Kind.STUDENT):
        return Severity.HIGH
    if creator.kind is Kind.EXTERNAL:
        return Severity.INFO if creator.is_district_account else Severity.HIGH
    return Severity.INFO if creator.kind in (Kind.STAFF, Kind.INACTIVE) else None


def _role(creator: Invitee, dossier: Dossier) -> str:
    match creator.kind:
        case Kind.PARTNER if creator.partner_id:
            name = partner_name(dossier, creator.partner_id)
            return name if name == NEUTRAL_PARTNER else f"partner {name}"
        case Kind.STUDENT:
            return "a student"
        case Kind.EXTERNAL if not creator.is_district_account:
            return "an unknown outsider"
        case Kind.EXTERNAL:
            return "a service account"
        case _:
            return "another staff account"
