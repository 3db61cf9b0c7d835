"""Nobody can tell who hosts the meeting."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.rules.rule import BEFORE, rule

_SOON = timedelta(hours=24)


@rule(
    "organizer-unresolved",
    severity=Severity.LOW,
    phases=BEFORE,
    wants={Evidence.CALENDAR},
    officer="Host could not be identified.",
    teacher="Who is the host?",
    fix="Record the host.",
)
def organizer_unresolved(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """A secondary, class or resource calendar organizes and no staff created it; high from T-24 h.

    Imported copies say nothing of who set the meeting up.
    """
    host, meeting = dossier.host.invitee, dossier.meeting
    if meeting is None or meeting.is_imported or (host and host.kind is not Kind.ROOM):
        return
    is_soon = dossier.as_of >= dossier.start_at - _SOON
    yield Concern(subject="organizer", severity=Severity.HIGH if is_soon else Severity.LOW)
