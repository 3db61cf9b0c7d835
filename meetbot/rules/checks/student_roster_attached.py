"""A file that may list students is attached to the invitation, or linked in it."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import sole_partner
from meetbot.rules.rule import BEFORE, Unsure, rule


@rule(
    "student-roster-attached",
    severity=Severity.HIGH,
    phases=BEFORE,
    wants={Evidence.CALENDAR, Evidence.GUESTS, Evidence.TEXT},
    officer="A file that may list students is shared with the partner.",
    teacher="Remove or unshare this file.",
    fix="Unshare.",
)
def student_roster_attached(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:  # noqa: ARG001
    """By the file's name. Who may open it only Drive knows, which is not read: always to review."""
    meeting = dossier.meeting
    if meeting is None or not dossier.outsiders:
        return
    if meeting.search is None or meeting.search.is_cut:
        reason = "the invitation could not be searched for files in full"
        yield Unsure(reason, frozenset({Evidence.TEXT}))
    if not meeting.files:
        return
    yield Concern(
        subject="file",
        facts={
            "kinds": sorted({file.kind for file in meeting.files}),
            "words": sorted({file.word for file in meeting.files}),
            "labelled": any(file.is_label for file in meeting.files),
        },
        certainty=Certainty.NEEDS_REVIEW,
        partner_id=sole_partner(dossier),
        unknowns=(
            "Whether the partner may open the file: meetbot has no access to Drive.",
            "What the file holds: only its name was looked at.",
        ),
    )
