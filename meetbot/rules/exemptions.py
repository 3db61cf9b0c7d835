"""Which exemptions of a program hold for a meeting (catalogue §4)."""

from __future__ import annotations

from collections.abc import Iterable

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
    platform: Platform,
) -> Exemption | None:
    if engagement.program_id is None or not dossier.registry.has_exemptions(kind):
        return None
    return program_exemption(
        dossier.registry,
        kind,
        engagement.program_id,
        occasion_of(dossier),
        platform=platform,
        clinicians=_clinicians(dossier, engagement.partner_id),
    )


def _clinicians(dossier: Dossier, partner_id: str) -> tuple[str, ...]:
    """A partner's invited people; those who came where nobody of them was invited.

    Whoever joins a confidential meeting uninvited does not end it: they are its intruder.
    """
    invited = {i.guest.address for i in dossier.outsiders if i.partner_id == partner_id}
    return tuple(sorted(a for a in invited if a)) or people_of(dossier, partner_id)


def expected_partners(dossier: Dossier) -> frozenset[str]:
    """Partners on the guest list; those who came where none is on it."""
    invited = {i.partner_id for i in dossier.outsiders if i.partner_id}
    return frozenset(invited or dossier.partner_ids)


def platforms_of(dossier: Dossier) -> tuple[Platform, ...]:
    """Where the meeting can be held: Google Meet, and platforms its invitation links to."""
    links = dossier.meeting.links if dossier.meeting else ()
    linked = {link.platform for link in links if link.certainty is LinkCertainty.KNOWN}
    return tuple(sorted(linked | {Platform.GOOGLE_MEET}))


@once_per_dossier
def is_confidential(dossier: Dossier) -> bool:
    """Whether this is a confidential clinical meeting: every expected partner is such a clinician.

    Unregistered outsiders and partners who come uninvited do not end the confidentiality of the
    others; `confidential-intruder` and the rules about outsiders speak of them.
    """
    if not dossier.registry.has_exemptions(ExemptionKind.CONFIDENTIAL_CLINICAL):
        return False
    expected = expected_partners(dossier)
    held = [
        any(
            _exemption(dossier, engagement, ExemptionKind.CONFIDENTIAL_CLINICAL, platform)
            for platform in platforms_of(dossier)
        )
        for engagement in engagements(dossier)
        if engagement.partner_id in expected
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


def exemptions_used(dossier: Dossier, policy: Policy) -> tuple[Exemption, ...]:
    """The rows by which somebody or something of this meeting is exempt, each once."""
    people = [i.exemption for i in dossier.invitees] + [a.exemption for a in dossier.attendances]
    rows = [row for row in people if row is not None]
    if is_confidential(dossier):
        rows += _held(dossier, ExemptionKind.CONFIDENTIAL_CLINICAL, platforms_of(dossier))
    elif dossier.conferences and is_monitored_tutoring(dossier, policy):
        rows += _held(dossier, ExemptionKind.MONITORED_TUTORING, (Platform.GOOGLE_MEET,))
    others = [p for p in platforms_of(dossier) if p not in policy.approved_platforms]
    excepted = _held(dossier, ExemptionKind.PLATFORM_EXCEPTION, others)
    rows += [row for row in excepted if row.platform is not None]
    return tuple(dict.fromkeys(rows))


def _held(dossier: Dossier, kind: ExemptionKind, platforms: Iterable[Platform]) -> list[Exemption]:
    platforms = list(platforms)
    rows = (
        _exemption(dossier, engagement, kind, platform)
        for engagement in engagements(dossier)
        for platform in platforms
    )
    return [row for row in rows if row is not None]


def may_use(dossier: Dossier, platform: Platform) -> bool:
    """Whether a program of this meeting has an exception for this platform."""
    return any(
        row is not None and row.platform is platform
        for row in (
            _exemption(dossier, engagement, ExemptionKind.PLATFORM_EXCEPTION, platform)
            for engagement in engagements(dossier)
        )
    )
