"""Forget what nobody needs any more (catalogue §1, Retention)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from meetbot.domain.retention import Cutoffs, month_in
from meetbot.jobs.deps import Deps
from meetbot.jobs.dossiers import load
from meetbot.jobs.rosters import roster_of
from meetbot.ports import Outcome
from meetbot.rules import is_confidential

_UNRELATED = timedelta(days=4)
"""Calls of outsiders with staff alone are kept until no late row can show a student in them."""
_SESSIONS = timedelta(days=30)
"""How long it is known that somebody was signed in; the access log has it longer."""
_NOBODYS = timedelta(hours=1)
"""The same of visitors who did not sign in."""
_LOOKED_AT = "confidential-until"
"""Up to which end meetings were asked whether they were confidential."""


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Delete what is older than the policy's retention, unless a flag or a hold keeps it."""
    outcome = Outcome("prune")
    retention = deps.policy.retention
    cutoffs = Cutoffs(
        unrelated=as_of - _UNRELATED,
        attendance=as_of - retention.attendance,
        evidence=as_of - retention.evidence,
    )
    until = as_of - retention.confidential
    confidential = _confidential(deps, cutoffs.attendance, until, as_of)
    with deps.store.transaction() as tx:
        counts = tx.retention.purge(
            cutoffs,
            confidential=confidential,
            month=month_in(deps.district.zone),
            as_of=as_of,
        )
        if not tx.holds.list():
            # What is held now is asked again when it no longer is.
            tx.meta.set(_LOOKED_AT, until.isoformat())
            outcome.count("pruned_edits", tx.meetings.prune_edits(cutoffs.attendance))
        uses = tx.exemptions.prune(before=cutoffs.attendance)
        sessions = tx.sessions.prune(before=as_of - _SESSIONS, nobodys_before=as_of - _NOBODYS)
    outcome.count("pruned_exemption_uses", uses)
    outcome.count("pruned_sessions", sessions)
    for name, number in counts.items():
        outcome.count(f"pruned_{name}", number)
    return outcome


def _confidential(
    deps: Deps, since: datetime, until: datetime, as_of: datetime
) -> Mapping[int, tuple[str, ...]]:
    """Confidential meetings that ended before `until`, each with its conferences."""
    with deps.store.reading() as tx:
        mark = tx.meta.get(_LOOKED_AT)
        seen = datetime.fromisoformat(mark) if mark else datetime.min.replace(tzinfo=UTC)
        ids = tx.retention.ended(max(since, seen), until)
        if not ids:
            return {}
        roster = roster_of(deps)
        found: dict[int, tuple[str, ...]] = {}
        for number in ids:
            dossier = load(deps, tx, tx.meetings.load(number), roster, as_of).dossier
            if is_confidential(dossier):
                found[number] = tuple(conference.name for conference in dossier.conferences)
        return found
