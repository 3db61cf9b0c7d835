"""The authorizer may not authorize for this school or department."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import AuthorizationRetroactive, Authorized, authorizer_role
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Authorization
from meetbot.rules.engagements import authorization_of, engagements, school_name
from meetbot.rules.rule import BEFORE_AND_AFTER, rule


@rule(
    "authorizer-role",
    severity=Severity.HIGH,
    phases=BEFORE_AND_AFTER,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Authorizer was {role}.",
    teacher="Approval must come from a principal or department lead.",
    fix="Countersign.",
)
def authorizer_role_missing(dossier: Dossier, policy: Policy) -> Iterator[Concern]:
    """Judges the authorizations that cover the meeting; one with a proper authorizer is enough."""
    for engagement in engagements(dossier):
        answer = authorization_of(dossier, engagement, policy)
        if isinstance(answer, Authorized):
            rows = answer.rows
        elif isinstance(answer, AuthorizationRetroactive):
            rows = (answer.row,)
        else:
            continue
        if any(_had_role(row, dossier) for row in rows):
            continue
        is_newer = any(authorizer_role(row, dossier.registry.schools) for row in rows)
        yield engagement.concern(
            certainty=Certainty.NEEDS_REVIEW if is_newer else None,
            unknowns=("Since when the authorizer has the role the registry shows now.",)
            if is_newer
            else (),
            role=_role(rows[0], dossier),
            authorization_id=rows[0].authorization_id,
        )


def _had_role(row: Authorization, dossier: Dossier) -> bool:
    """Whether the authorizer had the role as the registry was known when the row was issued."""
    schools = dossier.schools_when_issued.get(row.authorization_id, dossier.registry.schools)
    return authorizer_role(row, schools) is not None


def _role(row: Authorization, dossier: Dossier) -> str:
    """What the authorizer is elsewhere, or that no role is known."""
    registry = dossier.registry
    here = school_name(dossier, row.school_id)
    if elsewhere := registry.schools_of_principal(row.authorizer_address):
        return f"principal of {elsewhere[0].name}, not of {here}"
    if elsewhere := registry.schools_of_lead(row.authorizer_address):
        return f"lead of {elsewhere[0].name}, not of {here}"
    return f"neither principal nor department lead of {here}"
