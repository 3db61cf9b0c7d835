"""The roster of the registry as it is known now, or was."""

from __future__ import annotations

from meetbot.domain.identity import Roster
from meetbot.domain.people import Pseudonyms
from meetbot.domain.registry import Registry
from meetbot.jobs.deps import Deps, District
from meetbot.jobs.people import read_student_domains
from meetbot.ports import Tx


def roster_of(deps: Deps) -> Roster:
    """Index registry and directory domains once for a run of a job."""
    with deps.store.reading() as tx:
        return roster_in(tx, tx.registry.current(), deps.pseudonyms, deps.district)


def roster_in(tx: Tx, registry: Registry, pseudonyms: Pseudonyms, district: District) -> Roster:
    """Index a registry, with the directory's domains as they are known now."""
    return Roster(
        registry,
        pseudonyms,
        zone=district.zone,
        district_domains=district.domains,
        student_domains=read_student_domains(tx),
    )
