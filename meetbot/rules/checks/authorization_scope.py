"""An authorization exists, but for something else."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import AuthorizationOutOfScope, Authorized, Field
from meetbot.domain.cards import occasion_of
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Authorization, is_one_of
from meetbot.rules.engagements import (
    Engagement,
    authorization_of,
    engagements,
    program_name,
    school_name,
)
from meetbot.rules.rule import BEFORE_AND_AFTER, Unsure, rule
from meetbot.rules.wording import listed, local_day


@rule(
    "authorization-scope",
    severity=Severity.HIGH,
    phases=BEFORE_AND_AFTER,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Approved for {approved}, held for {held}.",
    teacher="Your approval does not cover this {field}.",
    fix="Re-issue.",
)
def authorization_scope(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """It fails on school, date, program or host. Takes the place of `authorization-missing`."""
    for engagement in engagements(dossier):
        answer = authorization_of(dossier, engagement, policy)
        if isinstance(answer, AuthorizationOutOfScope):
            yield _concern(answer, engagement, dossier)
        elif isinstance(answer, Authorized) and _is_school_missing(answer, dossier):
            yield Unsure("the host's school is not known, so the approval may be for another one")


def _is_school_missing(answer: Authorized, dossier: Dossier) -> bool:
    """Whether a planned meeting's school is unknown; of an ad-hoc call it often is."""
    return Field.SCHOOL in answer.unsure and dossier.meeting is not None


def _concern(answer: AuthorizationOutOfScope, engagement: Engagement, dossier: Dossier) -> Concern:
    row, fields = answer.nearest, answer.fields
    doubt = _doubt(answer, dossier)
    return engagement.concern(
        certainty=Certainty.NEEDS_REVIEW if doubt else None,
        unknowns=(doubt,) if doubt else (),
        approved=listed([_approved(f, row, dossier) for f in fields]),
        held=listed([_held(f, engagement, dossier) for f in fields]),
        field=listed(fields),
        authorization_id=row.authorization_id,
    )


def _doubt(answer: AuthorizationOutOfScope, dossier: Dossier) -> str:
    """Why this may be a false alarm: a host nobody knows, or who teaches at two schools."""
    host = dossier.host.invitee
    if Field.HOST in answer.fields and (host is None or host.kind is Kind.UNKNOWN):
        return "Who the host is."
    named = answer.nearest.host_address
    if answer.fields == (Field.SCHOOL,) and named and is_one_of(named, occasion_of(dossier).hosts):
        return "Whether the host, whom the approval names, works at both schools."
    return ""


def _approved(field: Field, row: Authorization, dossier: Dossier) -> str:
    match field:
        case Field.SCHOOL:
            return school_name(dossier, row.school_id)
        case Field.DATE:
            return f"{row.starts_on.isoformat()} to {row.ends_on.isoformat()}"
        case Field.HOST:
            return "another host"
        case Field.PROGRAM:
            return "another program"


def _held(field: Field, engagement: Engagement, dossier: Dossier) -> str:
    match field:
        case Field.SCHOOL if dossier.host.school:  # one that is not known fits any approval
            return dossier.host.school.name
        case Field.DATE:
            return local_day(dossier.start_at, dossier.zone)
        case Field.HOST:
            return "this host"
        case _:
            return program_name(dossier, engagement)
