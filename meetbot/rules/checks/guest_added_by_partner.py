"""Guests came onto the list after the approval, and no staff member put them there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from meetbot.domain.authorizing import Authorized
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.additions import Addition, Cause, additions, log_doubt
from meetbot.rules.engagements import authorization_of, engagements, sole_partner
from meetbot.rules.exemptions import is_confidential
from meetbot.rules.rule import BEFORE_AND_AFTER, Unsure, rule
from meetbot.rules.wording import counted, local_moment


@rule(
    "guest-added-by-partner",
    severity=Severity.HIGH,
    phases=BEFORE_AND_AFTER,
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="{n} guests added after approval.",
    teacher="Your guest can add people: turn off 'Invite others'.",
    fix="Remove, lock.",
    admin="Calendar API events.patch as the organizer: guestsCanInviteOthers and guestsCanModify "
    "false, and the guest list without the added guests.",
)
def guest_added_by_partner(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """Confirmed where the audit log names an outsider; an unknown actor needs review.

    Members of a group are no additions. While the log may still lack the row, nobody is accused.
    """
    found = list(additions(dossier, _approved_at(dossier, policy)))
    causes = {addition.cause for addition in found}
    if Cause.LOG_IS_LATE in causes:
        yield Unsure(log_doubt(dossier), frozenset({Evidence.EDITS}))
    if Cause.SETTINGS in causes:
        reason = "whether guests could add people is not known"
        yield Unsure(reason, frozenset({Evidence.CALENDAR}))
    by_outsider = [a for a in found if a.cause is Cause.OUTSIDER]
    unknown = [a for a in found if a.cause is Cause.UNKNOWN]
    if by_outsider or unknown:
        yield _concern(by_outsider, unknown, dossier)


def _concern(by_outsider: list[Addition], unknown: list[Addition], dossier: Dossier) -> Concern:
    """One for the whole list; what the log does not explain is only told beside what it does."""
    counting = by_outsider or unknown
    partners = {a.partner_id for a in by_outsider if a.partner_id}
    more = f"Who added {len(unknown)} more." if by_outsider else "Who added them."
    first_at = min(a.at for a in counting)
    return Concern(
        subject="guest-list",
        facts={
            "n": counted(len(counting), is_confidential=is_confidential(dossier)),
            "added_since": local_moment(first_at, dossier.zone),
            "named_by_audit_log": bool(by_outsider),
        },
        certainty=Certainty.CONFIRMED if by_outsider else Certainty.NEEDS_REVIEW,
        partner_id=partners.pop() if len(partners) == 1 else sole_partner(dossier),
        unknowns=(more,) if unknown else (),
    )


def _approved_at(dossier: Dossier, policy: Policy) -> datetime | None:
    """Since when every partner at the meeting is approved: whoever approved saw the list."""
    newest: list[datetime] = []
    for engagement in engagements(dossier):
        answer = authorization_of(dossier, engagement, policy)
        if not isinstance(answer, Authorized):
            return None
        newest.append(max(row.issued_at for row in answer.rows))
    return min(newest, default=None)
