"""Anyone with the link can enter a meeting of partner and students."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.domain.spaces import Access, SpaceFacts
from meetbot.rules.audience import unknown_guests
from meetbot.rules.engagements import partner_name, sole_partner
from meetbot.rules.rule import BEFORE, Unsure, rule
from meetbot.rules.wording import listed


@rule(
    "open-access-space",
    severity=Severity.MEDIUM,
    phases=BEFORE,
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Anyone with the link can enter.",
    teacher="Set access to Trusted or Restricted.",
    fix="Change access.",
    admin="Admin console, Apps, Google Workspace, Google Meet, Meet safety settings, Joining: "
    "access type Trusted or Restricted for staff.",
)
def open_access_space(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """As the organizer's space has it. Hosts of webinars named in the policy may leave it open."""
    meeting = dossier.meeting
    if meeting is None or meeting.meeting_code is None or not dossier.outsiders:
        return
    if dossier.host.address is not None and dossier.host.address in policy.accounts.webinar_hosts:
        return
    if not dossier.students_invited:
        if doubt := unknown_guests(dossier):
            yield doubt
        return
    space = dossier.space
    if space is None or space.access is None or not dossier.has(Evidence.SPACE):
        state = dossier.evidence.get(Evidence.SPACE)
        reason = (state.problem if state else "") or "the settings of the Meet space are not known"
        yield Unsure(reason, frozenset({Evidence.SPACE}))
    elif space.access is Access.OPEN:
        yield Concern(
            subject="access",
            facts=_facts(space, dossier),
            partner_id=sole_partner(dossier),
            unknowns=() if space.cohosts is not None else ("Who the co-hosts are.",),
        )


def _facts(space: SpaceFacts, dossier: Dossier) -> dict[str, object]:
    """Access, and who besides the host lets people in; of students only how many."""
    facts: dict[str, object] = {"access": str(Access.OPEN)}
    if space.is_moderated is not None:
        facts["host_management"] = space.is_moderated
    if space.cohosts is not None:
        facts["cohosts"] = _cohosts(dossier)
    return facts


def _cohosts(dossier: Dossier) -> str:
    outside = {
        partner_name(dossier, i.partner_id) if i.partner_id else f"guest at {i.guest.domain}"
        for i in dossier.cohosts
        if i.kind in (Kind.PARTNER, Kind.EXTERNAL)
    }
    kinds = Counter(i.kind for i in dossier.cohosts)
    others = [
        f"{number} {word}"
        for kind, word in ((Kind.STAFF, "staff"), (Kind.STUDENT, "student"))
        if (number := kinds[kind])
    ]
    rest = len(dossier.cohosts) - sum(
        kinds[kind] for kind in (Kind.STAFF, Kind.STUDENT, Kind.PARTNER, Kind.EXTERNAL)
    )
    return listed([*others, *([f"{rest} other"] if rest else []), *sorted(outside)]) or "none"
