"""The meeting's code is on another event too, with other outside guests."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import sole_partner
from meetbot.rules.rule import BEFORE_AND_AFTER, Unsure, rule
from meetbot.rules.wording import local_day

_SENTENCE = "Guests of {other_date} can enter or read its chat; make a new link."


@rule(
    "meeting-code-reused",
    severity=Severity.MEDIUM,
    phases=BEFORE_AND_AFTER,
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer=_SENTENCE,
    teacher=_SENTENCE,
    fix="New code.",
)
def meeting_code_reused(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:  # noqa: ARG001
    """Found on the event whose link guests of the other have without being invited to it.

    Occurrences of one series, moved ones and parts of a series that was split are one event.
    """
    own = frozenset(i.guest.address_key for i in dossier.outsiders)
    strange = [other for other in dossier.same_code if other.externals - own]
    if strange:
        is_list_known = dossier.has(Evidence.GUESTS)
        yield Concern(
            subject="code",
            facts={"other_date": local_day(strange[0].start_at, dossier.zone)},
            certainty=Certainty.CONFIRMED if is_list_known else Certainty.NEEDS_REVIEW,
            partner_id=sole_partner(dossier),
        )
    elif not all(other.is_complete for other in dossier.same_code):
        reason = "the guests of another event with this meeting's code are not known"
        yield Unsure(reason, frozenset({Evidence.GUESTS}))
