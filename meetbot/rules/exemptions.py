"""Which exemptions of a program hold for a meeting (catalogue §4)."""

from __future__ import annotations

from meetbot.domain.authorizing import program_exemption
from meetbot.domain.cards import occasion_of
from meetbot.domain.dossier import Dossier
from meetbot.domain.people import Kind
from meetbot.domain.platforms import Certainty as LinkCertainty
from meetbot.domain.platforms import Platform
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Exemption, ExemptionKind
from meetbot.rules.engagements import Engagement, engagements, people_of
from meetbot.rules.once import once_per_dossier


def _exemption(
    dossier: Dossier,
    engagement: Engagement,
    kind: ExemptionKind,
    platform: Platform = Platform.GOOGLE_MEET,
) -> Exemption | None:
    if engagement.program_id is None:
        return None
    clinicians = (
        people_of(dossier, engagement.partner_id)
        if kind is ExemptionKind.CONFIDENTIAL_CLINICAL
        else ()
    )
    return program_exemption(
        dossier.registry,
        kind,
        engagement.program_id,
        occasion_of(dossier),
        platform=platform,
        clinicians=clinicians,
    )


def platforms_of(dossier: Dossier) -> tuple[Platform, ...]:
    """Where the meeting can be held: Google Meet, and platforms its invitation links to."""
    links = dossier.meeting.links if dossier.meeting else ()
    linked = {link.platform for link in links if link.certainty is LinkCertainty.KNOWN}
    return tuple(sorted(linked | {Platform.GOOGLE_MEET}))


@once_per_dossier
def is_confidential(dossier: Dossier) -> bool:
    """Whether this is a confidential clinical meeting: every partner here is such a clinician.

    An unregistered outsider does not end the confidentiality of the others; the rules about
    outsiders speak of them.
    """
    held = [
        any(
            _exemption(dossier, engagement, ExemptionKind.CONFIDENTIAL_CLINICAL, platform)
            for platform in platforms_of(dossier)
        )
        for engagement in engagements(dossier)
    ]
    return bool(held) and all(held)


def is_monitored_tutoring(dossier: Dossier, policy: Policy) -> bool:
    """Whether a partner may be alone with a student: every outsider present tutors so.

    The exemption must name Google Meet, where we saw the call, as the platform whose recording or
    monitoring is evidenced, and the district must approve it.
    """
    platform = Platform.GOOGLE_MEET
    if platform not in policy.approved_platforms:
        return False
    if any(attendance.kind is Kind.EXTERNAL for attendance in dossier.attendances):
        return False
    held = [
        _exemption(dossier, engagement, ExemptionKind.MONITORED_TUTORING, platform)
        for engagement in engagements(dossier)
    ]
    return bool(held) and all(row is not None and row.platform is platform for row in held)


def may_use(dossier: Dossier, platform: Platform) -> bool:
    """Whether a program of this meeting has an exception for this platform."""
    return any(
        row is not None and row.platform is platform
        for row in (
            _exemption(dossier, engagement, ExemptionKind.PLATFORM_EXCEPTION, platform)
            for engagement in engagements(dossier)
        )
    )
