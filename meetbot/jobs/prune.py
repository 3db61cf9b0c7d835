"""Forget attendance that no rule needs any more (catalogue §1, Retention)."""

from __future__ import annotations

from datetime import datetime, timedelta

from meetbot.jobs.deps import Deps
from meetbot.ports import Outcome

_UNFLAGGED = timedelta(days=90)


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Delete conferences and visits that ended more than 90 days ago."""
    outcome = Outcome("prune")
    with deps.store.transaction() as tx:
        outcome.count("conferences_pruned", tx.conferences.prune(before=as_of - _UNFLAGGED))
    return outcome
