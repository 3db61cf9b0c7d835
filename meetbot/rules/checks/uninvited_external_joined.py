"""A known outsider joined who is not on the guest list."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.attendance import Attendance
from meetbot.domain.authorizing import CertificationValid, certification_answer
from meetbot.domain.cards import NEUTRAL_PARTNER, occasion_of
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import partner_name
from meetbot.rules.outsiders import stranger_at
from meetbot.rules.rule import LIVE_AND_AFTER, rule


@rule(
    "uninvited-external-joined",
    severity=Severity.HIGH,
    phases=LIVE_AND_AFTER,
    needs={Evidence.GUESTS, Evidence.REGISTRY},
    wants={Evidence.ATTENDANCE, Evidence.CALENDAR},
    officer="{organization} joined without invitation.",
    teacher="Invite every guest by name.",
    fix="Confirm or bar.",
)
def uninvited_external_joined(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """By address (E1, E2) only. A colleague from an invited, certified organization is medium.

    Ad-hoc calls have no guest list and a rule of their own.
    """
    if dossier.meeting is None:
        return
    for attendance in dossier.attendances:
        if attendance.is_invited or not attendance.confidence.confirms:
            continue
        if attendance.kind is Kind.PARTNER and attendance.partner_id:
            yield _partner(attendance, attendance.partner_id, dossier)
        elif attendance.kind is Kind.EXTERNAL:
            stranger = stranger_at(attendance, dossier.registry)
            if stranger is not None:
                yield Concern(
                    subject=stranger.subject,
                    facts={"organization": stranger.domain},
                    is_provisional=not dossier.is_final,
                )


def _partner(attendance: Attendance, partner_id: str, dossier: Dossier) -> Concern:
    is_colleague = any(i.partner_id == partner_id for i in dossier.outsiders) and isinstance(
        certification_answer(dossier.registry, partner_id, occasion_of(dossier)),
        CertificationValid,
    )
    name = partner_name(dossier, partner_id)
    return Concern(
        subject=partner_id,
        facts={"organization": name.capitalize() if name == NEUTRAL_PARTNER else name},
        severity=Severity.MEDIUM if is_colleague else Severity.HIGH,
        is_provisional=not dossier.is_final,
        partner_id=attendance.partner_id,
    )
