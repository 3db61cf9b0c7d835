"""Dossier and policy → verdict, with what follows from the meeting's scope."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from meetbot.domain.disclosure import disclosure_after, text_disclosure_after
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Verdict
from meetbot.domain.guest_list import guest_list_after
from meetbot.domain.meetings import Scope
from meetbot.domain.policy import Policy
from meetbot.jobs.dossiers import listed_at
from meetbot.ports import Reads
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


def with_history(tx: Reads, dossier: Dossier, as_of: datetime) -> Dossier:
    """The dossier with what was visible of students, and who came onto the guest list, up to now.

    The history of the list ends where a meeting leaves the full scope.
    """
    meeting, invitees = dossier.meeting, dossier.invitees
    if meeting is None or dossier.scope is not Scope.FULL:
        return replace(dossier, guest_list=None)
    seen = disclosure_after(meeting, invitees, meeting.disclosure, as_of)
    read = text_disclosure_after(meeting, invitees, meeting.text_disclosure, as_of)
    listed = guest_list_after(meeting, dossier.guest_list, listed_at(tx, meeting, as_of))
    meeting = replace(meeting, disclosure=seen, text_disclosure=read)
    return replace(dossier, meeting=meeting, guest_list=listed)
