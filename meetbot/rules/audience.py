"""Whether a meeting is for students, as far as is known."""

from __future__ import annotations

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Evidence
from meetbot.domain.people import Kind
from meetbot.rules.rule import Unsure


def has_students(dossier: Dossier) -> bool:
    """Whether a student is invited, directly or through a group, or was in the call."""
    return bool(dossier.students_invited) or any(
        a.kind is Kind.STUDENT for a in dossier.attendances
    )


def unknown_guests(dossier: Dossier) -> Unsure | None:
    """Doubt where a guest could not be looked up, and may be a student."""
    if any(invitee.kind is Kind.UNKNOWN for invitee in dossier.invitees):
        reason = "the directory could not be asked about a guest"
        return Unsure(reason, frozenset({Evidence.DIRECTORY}))
    return None
