"""What the registry is asked about a meeting: each partner, its program, and the answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from meetbot.domain.authorizing import (
    AuthorizationAnswer,
    AuthorizationOutOfScope,
    AuthorizationRetroactive,
    Authorized,
    CertificationAnswer,
    ContractAnswer,
    Field,
    Occasion,
    authorization_answer,
    certification_answer,
    contract_answer,
    is_revoked,
    program_for,
)
from meetbot.domain.cards import NEUTRAL_PARTNER, is_sensitive, occasion_of
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Partner
from meetbot.rules.once import once_per_dossier


@dataclass(frozen=True, slots=True)
class Engagement:
    """One partner at one meeting. `program_id` None: which program is not known."""

    partner_id: str
    partner: Partner | None
    program_id: str | None
    is_sensitive: bool
    """Naming partner or program would hint at school mental health."""

    @property
    def subject(self) -> str:
        """`partner_id/program_id`, or the partner alone where the program is not known."""
        return f"{self.partner_id}/{self.program_id}" if self.program_id else self.partner_id

    @property
    def certainty(self) -> Certainty:
        """What rests on an unknown program needs review (catalogue §5A, One answer)."""
        return Certainty.CONFIRMED if self.program_id else Certainty.NEEDS_REVIEW

    def concern(
        self,
        *,
        certainty: Certainty | None = None,
        unknowns: tuple[str, ...] = (),
        **facts: object,
    ) -> Concern:
        """A concern about this partner and program, as uncertain as the program."""
        if self.program_id is None:
            unknowns = ("Which program of the partner this meeting belongs to.", *unknowns)
        return Concern(
            subject=self.subject,
            facts=facts,
            certainty=certainty or self.certainty,
            partner_id=self.partner_id,
            program_id=self.program_id,
            unknowns=unknowns,
        )


@once_per_dossier
def engagements(dossier: Dossier) -> tuple[Engagement, ...]:
    """Each registered partner that is invited or present, with its program here."""
    return tuple(_engagement(dossier, partner_id) for partner_id in dossier.partner_ids)


def _engagement(dossier: Dossier, partner_id: str) -> Engagement:
    program_id = program_for(dossier.registry, partner_id, occasion_of(dossier))
    return Engagement(
        partner_id,
        dossier.registry.partner(partner_id),
        program_id,
        is_sensitive(dossier, partner_id, program_id),
    )


def sole_partner(dossier: Dossier) -> str | None:
    """The partner a flag about the whole meeting belongs to, where there is just one."""
    partner_ids = dossier.partner_ids
    return partner_ids[0] if len(partner_ids) == 1 else None


def program_of(dossier: Dossier, partner_id: str | None) -> str | None:
    """The program under which a partner is at this meeting; None where it is not known."""
    if partner_id is None:
        return None
    return program_for(dossier.registry, partner_id, occasion_of(dossier))


def contract_of(dossier: Dossier, engagement: Engagement) -> ContractAnswer:
    """What the registry says of the contract for this meeting."""
    return contract_answer(
        dossier.registry, engagement.partner_id, engagement.program_id, occasion_of(dossier)
    )


def certifications_of(
    dossier: Dossier, engagement: Engagement, policy: Policy
) -> tuple[CertificationAnswer, ...]:
    """One answer for each known person of the partner, or for the organization as a whole."""
    people = people_of(dossier, engagement.partner_id) or (None,)
    occasion = occasion_of(dossier)
    return tuple(
        certification_answer(
            dossier.registry,
            engagement.partner_id,
            occasion,
            person=person,
            personal_clearance=policy.limits.personal_clearance,
        )
        for person in people
    )


def people_of(dossier: Dossier, partner_id: str) -> tuple[str, ...]:
    """Addresses of a partner's people who are invited or present."""
    invited = {i.guest.address for i in dossier.outsiders if i.partner_id == partner_id}
    present = {
        visit.identity.address
        for attendance in dossier.attendances
        if attendance.kind is Kind.PARTNER and attendance.partner_id == partner_id
        for visit in attendance.visits
    }
    return tuple(sorted(address for address in invited | present if address))


# --- Authorization ------------------------------------------------------------------------------


def authorization_of(
    dossier: Dossier, engagement: Engagement, policy: Policy
) -> AuthorizationAnswer:
    """Whether this partner's meeting was authorized: one answer for all authorization rules.

    A meeting moved a little on the same local day keeps the answer of the time it was planned
    for, where only its time is in question.
    """
    occasion = occasion_of(dossier)
    answer = _answer(dossier, engagement, occasion)
    if not _is_about_time(answer):
        return answer
    planned_at = _planned_start(dossier, policy)
    if planned_at is None:
        return answer
    moved = dossier.start_at - planned_at
    planned = replace(occasion, start_at=planned_at, end_at=dossier.end_at - moved)
    before = _answer(dossier, engagement, planned)
    if not isinstance(before, Authorized):
        return answer
    standing = tuple(row for row in before.rows if not is_revoked(row, occasion))
    return replace(before, rows=standing) if standing else answer


def _answer(dossier: Dossier, engagement: Engagement, occasion: Occasion) -> AuthorizationAnswer:
    return authorization_answer(
        dossier.registry, engagement.partner_id, engagement.program_id, occasion
    )


def _is_about_time(answer: AuthorizationAnswer) -> bool:
    if isinstance(answer, AuthorizationOutOfScope):
        return answer.fields == (Field.DATE,)
    return isinstance(answer, AuthorizationRetroactive)


def _planned_start(dossier: Dossier, policy: Policy) -> datetime | None:
    """The start at which the meeting was first seen, if it was moved from there only a little."""
    planned_at = dossier.key.original_start_at
    is_same_day = (
        planned_at.astimezone(dossier.zone).date()
        == dossier.start_at.astimezone(dossier.zone).date()
    )
    moved = abs(dossier.start_at - planned_at)
    is_moved_a_little = is_same_day and moved <= policy.limits.authorization_move
    return planned_at if moved and is_moved_a_little else None


# --- Names for sentences ------------------------------------------------------------------------


def partner_name(dossier: Dossier, partner_id: str, program_id: str | None = None) -> str:
    """The partner's name; a neutral word where it would hint at school mental health."""
    partner = dossier.registry.partner(partner_id)
    if partner is None or is_sensitive(dossier, partner_id, program_id):
        return NEUTRAL_PARTNER
    return partner.name


def program_name(dossier: Dossier, engagement: Engagement) -> str:
    """The program's name; "this program" where it is unknown or would hint at mental health."""
    program = dossier.registry.program(engagement.program_id) if engagement.program_id else None
    return "this program" if program is None or engagement.is_sensitive else program.name


def school_name(dossier: Dossier, school_id: str) -> str:
    """A school's name, or its id where the registry has none."""
    school = dossier.registry.school(school_id)
    return school.name if school else school_id
