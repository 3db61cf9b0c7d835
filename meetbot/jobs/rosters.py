"""The roster of the registry as it is known now."""

from __future__ import annotations

from meetbot.domain.identity import Roster
from meetbot.jobs.deps import Deps
from meetbot.jobs.people import read_district_domains, read_student_domains


def roster_of(deps: Deps) -> Roster:
    """Index registry and directory domains once for a run of a job."""
    with deps.store.reading() as tx:
        return Roster(
            tx.registry.current(),
            deps.pseudonyms,
            zone=deps.district.zone,
            district_domains=read_district_domains(deps, tx),
            student_domains=read_student_domains(tx),
        )
