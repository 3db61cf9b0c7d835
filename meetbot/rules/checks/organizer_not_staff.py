"""The meeting was set up by somebody who is not staff."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.cards import NEUTRAL_PARTNER
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import partner_name
from meetbot.rules.exemptions import is_confidential
from meetbot.rules.rule import ALWAYS, Unsure, rule

_WHO = {Kind.PARTNER: "partner", Kind.STUDENT: "student", Kind.EXTERNAL: "unknown outsider"}


@rule(
    "organizer-not-staff",
    severity=Severity.HIGH,
    phases=ALWAYS,
    wants={Evidence.CALENDAR},
    officer="Organized by {who}.",
    teacher="Set up a new meeting yourself and invite the partner.",
    fix="Staff re-creates; partner event declined.",
)
def organizer_not_staff(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:  # noqa: ARG001
    """Critical for partner and student. Imported copies, staff on leave and exempt people are none.

    A clinician may organize a confidential meeting. Who could not be looked up is never accused.
    """
    host = dossier.host.invitee
    if host is None or (dossier.meeting is not None and dossier.meeting.is_imported):
        return
    if host.kind in (Kind.UNKNOWN, Kind.UNIDENTIFIED):
        reason = "the directory could not be asked about the organizer"
        yield Unsure(reason, frozenset({Evidence.DIRECTORY}))
        return
    if host.kind not in _WHO or (host.kind is Kind.PARTNER and is_confidential(dossier)):
        return
    who = _WHO[host.kind]
    if host.partner_id:
        name = partner_name(dossier, host.partner_id)
        who = name if name == NEUTRAL_PARTNER else f"partner {name}"
    yield Concern(
        subject="organizer",
        facts={"who": who},
        severity=None if host.kind is Kind.EXTERNAL else Severity.CRITICAL,
        certainty=Certainty.CONFIRMED if host.confidence.confirms else Certainty.NEEDS_REVIEW,
        partner_id=host.partner_id,
    )
