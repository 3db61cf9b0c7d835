"""Dossier and policy → verdict, with what follows from the meeting's scope."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from meetbot.domain.disclosure import disclosure_after
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Verdict
from meetbot.domain.meetings import Scope
from meetbot.domain.policy import Policy
from meetbot.rules import KNOWN_RULES, evaluate


def verdict_of(dossier: Dossier, policy: Policy, *, only: Collection[str] | None = None) -> Verdict:
    """What the rules say; rules that cannot apply to this scope withdraw their flags.

    `only` these rules are asked, if given.
    """
    if dossier.scope is Scope.NONE:
        return Verdict((), (), KNOWN_RULES, None)
    verdict = evaluate(dossier, policy, only=only)
    if dossier.scope is Scope.ADULT:
        return replace(verdict, decided=KNOWN_RULES)
    return verdict


def with_disclosure(dossier: Dossier, as_of: datetime) -> Dossier:
    """The dossier with what was visible of students up to now."""
    if dossier.meeting is None or dossier.scope is not Scope.FULL:
        return dossier
    seen = disclosure_after(dossier.meeting, dossier.invitees, dossier.meeting.disclosure, as_of)
    return replace(dossier, meeting=replace(dossier.meeting, disclosure=seen))
