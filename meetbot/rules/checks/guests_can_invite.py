"""Guests of a meeting with partner and students can add other people."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.audience import unknown_guests
from meetbot.rules.engagements import sole_partner
from meetbot.rules.rule import BEFORE, Unsure, rule


@rule(
    "guests-can-invite",
    severity=Severity.MEDIUM,
    phases=BEFORE,
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Guests can add people to this meeting of partner and students.",
    teacher="Guests can add people; switch off Invite others.",
    fix="Change the setting; this then closes by itself.",
    admin="Calendar API events.patch as the organizer: guestsCanInviteOthers and guestsCanModify "
    "false.",
)
def guests_can_invite(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:  # noqa: ARG001
    """By `guestsCanInviteOthers` or `guestsCanModify`, as the organizer's copy has them."""
    meeting = dossier.meeting
    if meeting is None or not dossier.outsiders:
        return
    if not dossier.students_invited:
        if doubt := unknown_guests(dossier):
            yield doubt
        return
    if not meeting.are_settings_known:
        reason = "the organizer's settings of the meeting are not known"
        yield Unsure(reason, frozenset({Evidence.CALENDAR}))
    elif meeting.guests_can_invite or meeting.guests_can_modify:
        yield Concern(
            subject="settings",
            facts={
                "can_invite": meeting.guests_can_invite,
                "can_modify": meeting.guests_can_modify,
            },
            partner_id=sole_partner(dossier),
        )
