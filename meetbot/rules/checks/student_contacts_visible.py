"""Outsiders on the guest list can, or could, see students' addresses."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.disclosure import can_tell, disclosure_after
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.meetings import Disclosure
from meetbot.domain.policy import Policy
from meetbot.rules.audience import unknown_guests
from meetbot.rules.engagements import engagements
from meetbot.rules.exemptions import is_confidential
from meetbot.rules.rule import BEFORE_AND_AFTER, Unsure, rule
from meetbot.rules.wording import counted, local_moment, spoken


@rule(
    "student-contacts-visible",
    severity=Severity.HIGH,
    phases=BEFORE_AND_AFTER,
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="{n} student addresses were visible {how_long}.",
    teacher="Hide the guest list, or use a separate event for the partner.",
    fix="Separate event.",
    admin="Calendar API events.patch as the organizer: guestsCanSeeOtherGuests false; what was "
    "seen stays disclosed.",
    is_sticky=True,
)
def student_contacts_visible(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:  # noqa: ARG001
    """Stays after the setting is mended: what was seen was seen; an officer closes it.

    Medium if an outsider saw only a group's address, or if all viewers are school officials.
    """
    meeting = dossier.meeting
    if meeting is None:
        return
    seen = disclosure_after(meeting, dossier.invitees, meeting.disclosure, dossier.as_of)
    if not can_tell(meeting, dossier.invitees) and dossier.outsiders and dossier.students_invited:
        reason = "whether guests see one another is not known"
        yield Unsure(reason, frozenset({Evidence.CALENDAR}))
    if seen is None:
        if dossier.outsiders and (doubt := unknown_guests(dossier)):
            yield doubt
        return
    is_lesser = seen.is_group_only or _were_school_officials(seen, dossier)
    yield Concern(
        subject="guest-list",
        facts=_facts(seen, dossier),
        severity=Severity.MEDIUM if is_lesser else Severity.HIGH,
        partner_id=_only_partner(seen, dossier),
    )


def _facts(seen: Disclosure, dossier: Dossier) -> dict[str, object]:
    zone, until = dossier.zone, seen.visible_until
    facts: dict[str, object] = {
        "n": counted(seen.students, is_confidential=_is_about_mental_health(dossier)),
        "how_long": f"since {local_moment(seen.visible_from, zone)}",
        "disclosed_from": seen.visible_from.isoformat(),
        "by_group_only": seen.is_group_only,
    }
    if until is not None:
        facts["how_long"] = f"for {spoken(until - seen.visible_from)}"
        facts["disclosed_until"] = until.isoformat()
    return facts


def _is_about_mental_health(dossier: Dossier) -> bool:
    """Whether small counts are withheld, consent and certification in order or not."""
    return is_confidential(dossier) or any(e.is_sensitive for e in engagements(dossier))


def _were_school_officials(seen: Disclosure, dossier: Dossier) -> bool:
    viewers = [dossier.registry.partner(viewer) for viewer in seen.seen_by]
    return bool(viewers) and all(p is not None and p.school_official for p in viewers)


def _only_partner(seen: Disclosure, dossier: Dossier) -> str | None:
    known = [viewer for viewer in seen.seen_by if dossier.registry.partner(viewer)]
    return known[0] if len(known) == 1 else None
