"""The roster of the registry as it is known now, or was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from meetbot.domain.addresses import parse_address
from meetbot.domain.identity import Roster
from meetbot.domain.registry import Registry, School, renamed, renamed_schools
from meetbot.jobs.deps import Deps, Standards
from meetbot.jobs.people import read_district_domains, read_student_domains
from meetbot.ports import Reads


def roster_of(deps: Deps) -> Roster:
    """Index registry and directory domains once for a run of a job."""
    with deps.store.reading() as tx:
        return roster_in(deps, tx, tx.registry.current())


def roster_in(deps: Standards, tx: Reads, registry: Registry) -> Roster:
    """Index a registry, with the directory's domains and aliases as they are known now."""
    approvals = registry.authorizations
    names = _primary_addresses(
        deps,
        tx,
        (
            *_people_of(registry.schools),
            *(row.authorizer_address for row in approvals),
            *(row.host_address for row in approvals if row.host_address),
        ),
    )
    return Roster(
        renamed(registry, names),
        deps.pseudonyms,
        zone=deps.district.zone,
        district_domains=read_district_domains(deps.district, tx),
        student_domains=read_student_domains(tx),
    )


def schools_known(deps: Standards, tx: Reads, at: datetime) -> tuple[School, ...]:
    """Schools as the registry was known at an instant."""
    schools = tx.registry.as_known(at).schools
    return renamed_schools(schools, _primary_addresses(deps, tx, _people_of(schools)))


def _people_of(schools: Iterable[School]) -> tuple[str, ...]:
    return tuple(a for school in schools for a in (*school.principals, *school.leads))


def _primary_addresses(deps: Standards, tx: Reads, addresses: Iterable[str]) -> Mapping[str, str]:
    """Aliases of staff in these registry cells, with the address of the account (catalogue §2)."""
    parsed = {text: parse_address(text) for text in addresses}
    keys = {text: deps.pseudonyms.address(a.key) for text, a in parsed.items() if a}
    accounts = tx.people.by_address(frozenset(keys.values()))
    found = {text: accounts.get(key) for text, key in keys.items()}
    return {text: account.address for text, account in found.items() if account and account.address}
