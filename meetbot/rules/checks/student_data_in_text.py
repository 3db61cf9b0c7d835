"""Title, description or place of an invitation hold what identifies students."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.disclosure import text_disclosure_after
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.invitation import MarkKind, StudentMark
from meetbot.domain.meetings import TextDisclosure
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import sole_partner
from meetbot.rules.exemptions import is_confidential
from meetbot.rules.rule import BEFORE, Unsure, rule
from meetbot.rules.wording import counted, listed, local_moment


@rule(
    "student-data-in-text",
    severity=Severity.HIGH,
    phases=BEFORE,
    wants={Evidence.CALENDAR, Evidence.GUESTS, Evidence.TEXT, Evidence.DIRECTORY},
    officer="{invitation} {n} student identifiers ({kind}).",
    teacher="Remove student details from the invitation.",
    fix="Edit; the disclosure stays logged.",
    is_sticky=True,
)
def student_data_in_text(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:  # noqa: ARG001
    """Addresses and ids are sure; two names or more, and short numbers, need review.

    Stays when the text is mended: every guest had it by mail. Kept are places and kinds only.
    """
    meeting = dossier.meeting
    if meeting is None:
        return
    search = meeting.search
    if dossier.outsiders and (search is None or not search.is_complete):
        reason = "the invitation could not be searched for student data in full"
        yield Unsure(reason, frozenset({Evidence.TEXT}))
    seen = text_disclosure_after(meeting, dossier.invitees, meeting.text_disclosure, dossier.as_of)
    if seen is None:
        return
    is_sure = any(mark.kind.confirms for mark in seen.marks)
    yield Concern(
        subject="text",
        facts=_facts(seen, dossier),
        certainty=Certainty.CONFIRMED if is_sure else Certainty.NEEDS_REVIEW,
        partner_id=sole_partner(dossier),
        unknowns=() if is_sure else tuple(_unknowns(seen.marks)),
    )


def _facts(seen: TextDisclosure, dossier: Dossier) -> dict[str, object]:
    marks, until = seen.marks, seen.readable_until
    kinds = {mark.kind for mark in marks}
    facts: dict[str, object] = {
        "invitation": "Invitation holds",
        "disclosed_from": seen.readable_from.isoformat(),
        "n": counted(len(marks), is_confidential=is_confidential(dossier)).lower(),
        "kind": listed([str(kind) for kind in MarkKind if kind in kinds]),
    }
    if until is not None:
        facts["invitation"] = f"Until {local_moment(until, dossier.zone)} the invitation held"
        facts["disclosed_until"] = until.isoformat()
    if not is_confidential(dossier):  # places would tell how many there are
        facts["places"] = [
            {"field": str(m.field), "kind": str(m.kind), "offset": m.offset, "length": m.length}
            for m in marks
        ]
    return facts


def _unknowns(marks: tuple[StudentMark, ...]) -> Iterator[str]:
    kinds = {mark.kind for mark in marks}
    if MarkKind.NAME in kinds:
        yield "Whether the names are students': others can be called the same."
    if MarkKind.NUMBER in kinds:
        yield "Whether a short number is a student's id, or stands for something else."
