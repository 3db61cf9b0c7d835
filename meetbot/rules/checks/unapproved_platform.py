"""The invitation links to a platform the district has not approved for the program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.platforms import Certainty as LinkCertainty
from meetbot.domain.platforms import Platform, PlatformLink, dial_in_only
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import engagements, program_name, sole_partner
from meetbot.rules.exemptions import may_use
from meetbot.rules.rule import BEFORE_AND_LIVE, rule

_UNKNOWN = {
    LinkCertainty.LOOKALIKE: "a site that imitates a meeting platform",
    LinkCertainty.SHORTENER: "an unknown place behind a short link",
}


@rule(
    "unapproved-platform",
    severity=Severity.HIGH,
    phases=BEFORE_AND_LIVE,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.TEXT},
    officer="Link to {platform}, not approved for {program}.",
    teacher="Use the district's Google Meet.",
    fix="Replace the link or request an exception.",
    admin="Admin console, Apps, Google Workspace, Calendar: choose which video conferencing "
    "add-ons staff may use.",
)
def unapproved_platform(dossier: Dossier, policy: Policy) -> Iterator[Concern]:
    """Known platforms are confirmed, look-alikes and short links need review, dial-in is low."""
    meeting = dossier.meeting
    if meeting is None:
        return
    program, partner_id = _program(dossier), sole_partner(dossier)
    if dial_in_only(meeting.links) and meeting.meeting_code is None:
        yield Concern(
            subject="dial-in",
            facts={"platform": "a dial-in number", "program": program},
            severity=Severity.LOW,
            partner_id=partner_id,
        )
    for link in meeting.links:
        if link.certainty in _UNKNOWN:
            yield replace(_unknown(link, program), partner_id=partner_id)
    for platform in _known(meeting.links):
        if platform not in policy.approved_platforms and not may_use(dossier, platform):
            facts = {"platform": str(platform), "program": program}
            yield Concern(subject=str(platform), facts=facts, partner_id=partner_id)


def _known(links: tuple[PlatformLink, ...]) -> list[Platform]:
    return sorted({link.platform for link in links if link.certainty is LinkCertainty.KNOWN})


def _unknown(link: PlatformLink, program: str) -> Concern:
    what = _UNKNOWN[link.certainty]
    return Concern(
        subject=link.host,
        facts={"platform": what, "program": program, "host": link.host},
        certainty=Certainty.NEEDS_REVIEW,
        unknowns=("Where the link leads.",),
    )


def _program(dossier: Dossier) -> str:
    """The program's name where there is one that may be named."""
    programs = {program_name(dossier, engagement) for engagement in engagements(dossier)}
    return programs.pop() if len(programs) == 1 else "this program"
