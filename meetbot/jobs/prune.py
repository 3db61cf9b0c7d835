"""Forget attendance that no rule needs any more (catalogue §1, Retention)."""

from __future__ import annotations

from datetime import datetime, timedelta

from meetbot.jobs.deps import Deps
from meetbot.ports import Outcome

_UNFLAGGED = timedelta(days=90)
_UNRELATED = timedelta(days=4)
"""Calls of outsiders with staff alone are kept until no late row can show a student in them."""


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Delete attendance that is 90 days old, and after four days what concerns no partner."""
    outcome = Outcome("prune")
    with deps.store.transaction() as tx:
        pruned = tx.conferences.prune(
            before=as_of - _UNFLAGGED, unrelated_before=as_of - _UNRELATED
        )
    outcome.count("conferences_pruned", pruned)
    return outcome
