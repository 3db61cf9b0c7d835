"""How near a flag was to being none: what was measured against which limit, and which rows of the
registry come closest. Plain sentences, for whoever wants to reach the same verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meetbot.domain.addresses import parse_address
from meetbot.domain.authorizing import Occasion, is_revoked, misfits
from meetbot.domain.cards import occasion_of
from meetbot.domain.dates import local_interval
from meetbot.domain.dossier import Dossier
from meetbot.domain.policy import Policy
from meetbot.domain.presence import PresenceRule, Totals
from meetbot.domain.registry import Authorization, Certification, Contract, Exemption
from meetbot.rules.engagements import Engagement, engagements
from meetbot.rules.outsiders import strangers
from meetbot.rules.presence_facts import contact_totals
from meetbot.rules.wording import local_moment

_MOST = 5
"""Rows named for each partner; the closest come first."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A duration and its limit; `certain` is what nobody can doubt, `possible` what can be."""

    what: str
    certain: int
    possible: int
    limit: int
    limit_name: str


_SUMS = {
    PresenceRule.NO_STAFF_JOINED: (("none", "none", "none_s"),),
    PresenceRule.STAFF_JOINED_LATE: (
        ("before", "before", "before_s"),
        ("before, to be high", "before", "high_s"),
    ),
    PresenceRule.STAFF_LEFT_EARLY: (
        ("after", "after", "after_s"),
        ("after, to be high", "after", "high_s"),
    ),
    PresenceRule.STAFF_PRESENCE_GAP: (
        ("longest gap", "longest_gap", "gap_longest_s"),
        ("all gaps", "gap", "gap_sum_s"),
        ("all gaps, to be high", "gap", "high_s"),
    ),
    PresenceRule.PARTNER_ALONE_WITH_STUDENT: (
        ("alone", "alone", "alone_s"),
        ("alone before staff", "alone_before", "alone_before_s"),
    ),
}


def measures(rule: str, dossier: Dossier, policy: Policy) -> tuple[Measure, ...]:
    """What a presence rule measured; nothing for other rules."""
    if rule not in list(PresenceRule) or not dossier.conferences:
        return ()
    certain, possible = contact_totals(dossier, policy)

    def seconds(totals: Totals, name: str) -> int:
        return int(getattr(totals, name))

    return tuple(
        Measure(
            what,
            seconds(certain, name),
            seconds(possible, name),
            getattr(policy.thresholds, limit),
            limit,
        )
        for what, name, limit in _SUMS[PresenceRule(rule)]
    )


def near_misses(
    rule: str, partner_id: str | None, dossier: Dossier, policy: Policy
) -> Iterator[str]:
    """The rows that come closest to what the rule looked for, and why each is not enough."""
    yield from _limits(rule, policy)
    held = f"held {local_moment(dossier.start_at, dossier.zone)}"
    ended = local_moment(dossier.end_at, dossier.zone)
    about = [e for e in engagements(dossier) if partner_id in (None, e.partner_id)]
    if rule.startswith(("authoriz", "outside-authorized")):
        yield f"{held} to {ended}, school {_school(dossier)}"
        for engagement in about:
            yield from _authorizations(engagement, dossier)
    elif rule.startswith("contract-"):
        yield f"{held} to {ended}, school {_school(dossier)}"
        for engagement in about:
            rows = dossier.registry.contracts_of(engagement.partner_id)
            yield from map(_contract, rows[:_MOST])
            if not rows:
                yield f"{engagement.partner_id} has no contract"
    elif rule.startswith("certification-"):
        yield f"{held} to {ended}"
        for engagement in about:
            rows_of = dossier.registry.certifications_of(engagement.partner_id)
            yield from map(_certification, rows_of[:_MOST])
            if not rows_of:
                yield f"{engagement.partner_id} has no certification"
    elif rule.startswith("partner-") and rule not in list(PresenceRule):
        yield from _strangers(dossier)


def _limits(rule: str, policy: Policy) -> Iterator[str]:
    """The district's limits for rules that count no contact without staff."""
    limits = policy.limits
    match rule:
        case "unidentified-participant":
            yield f"counts from {limits.unidentified} in the call on"
            yield f"a phone within {limits.phone_leg} of exactly one attendee is that attendee's"
        case "outside-authorized-window":
            yield f"contact may last from {limits.outside_window} before to as long after"
        case "adhoc-meeting":
            yield f"an event of this code would count within {limits.adhoc_match} of the call"
        case "evidence-incomplete":
            yield f"two sources may differ by {limits.contradiction} about one person"
        case "authorization-stale":
            yield f"a move of up to {limits.authorization_move} on the same day changes nothing"


def _school(dossier: Dossier) -> str:
    return dossier.host.school.school_id if dossier.host.school else "not known"


def _authorizations(engagement: Engagement, dossier: Dossier) -> Iterator[str]:
    occasion, registry = occasion_of(dossier), dossier.registry
    rows = [
        (misfits(registry, row, engagement.program_id, occasion), row)
        for row in registry.authorizations_of(engagement.partner_id)
    ]
    for fields, row in sorted(rows, key=lambda one: (len(one[0]), one[1].authorization_id))[:_MOST]:
        yield _authorization(row, fields, occasion, dossier)
    if not rows:
        yield f"{engagement.partner_id} has no authorization"


def _authorization(
    row: Authorization, fields: tuple[str, ...], occasion: Occasion, dossier: Dossier
) -> str:
    fails = [str(name) for name in fields]
    if is_revoked(row, occasion) and row.revoked_at is not None:
        fails.append(f"revoked {local_moment(row.revoked_at, dossier.zone)}")
    if row.issued_at > dossier.start_at:
        fails.append("issued after the start")
    return (
        f"{row.authorization_id}: program {row.program_id}, school {row.school_id}, "
        f"{row.starts_on} to {row.ends_on}, issued {local_moment(row.issued_at, dossier.zone)}"
        f"; fails on: {', '.join(fails) or 'nothing'}"
    )


def _contract(row: Contract) -> str:
    signed = f"signed {row.signed_on}" if row.signed_on else "not signed"
    return (
        f"{row.contract_id}: program {row.program_id}, schools {', '.join(row.school_ids)}, "
        f"{signed}, {row.starts_on} to {row.ends_on}"
    )


def _certification(row: Certification) -> str:
    whose = row.person_address or "the organization"
    return f"{row.partner_id}: {whose}, {row.certified_on} to {row.expires_on}"


def _strangers(dossier: Dossier) -> Iterator[str]:
    registry = dossier.registry
    for stranger in dict.fromkeys(strangers(dossier)):
        like = f"; it looks like that of {stranger.lookalike_of}" if stranger.lookalike_of else ""
        yield f"{stranger.address or stranger.domain}: no identity row names it or its domain{like}"
        named = [row for row in registry.exemptions if _is_of(row, stranger.domain)]
        for row in named[:_MOST]:
            yield f"{_days(row, dossier)}: exemption {row.kind} for {row.value}"


def _is_of(row: Exemption, domain: str) -> bool:
    address = parse_address(row.value)
    return (address.domain if address else row.value) == domain


def _days(row: Exemption, dossier: Dossier) -> str:
    window = local_interval(row.starts_on, row.ends_on, dossier.zone)
    is_on = window.covers(dossier.start_at, dossier.start_at)
    return f"{'' if is_on else 'not '}in force ({row.starts_on} to {row.ends_on})"
