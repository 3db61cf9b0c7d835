"""Which rows of the registry a verdict about a meeting can rest on, near misses included.

A dossier with these rows alone gives the same verdict (a test compares the two), so that a
snapshot of it stays small and holds nothing of partners who have nothing to do with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from meetbot.domain.addresses import Address, is_free_mail, parse_address, parse_domain
from meetbot.domain.dossier import Dossier
from meetbot.domain.people import Kind
from meetbot.domain.registry import Exemption, Identity, Registry, Row, School, as_address
from meetbot.rules.once import Same
from meetbot.rules.outsiders import Stranger, bears_name, strangers

R = TypeVar("R")


class Excerpts:
    """Cuts one registry, for many dossiers."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._places = {id(row): place for place, row in enumerate(registry.all_rows())}
        self._rows = list(registry.all_rows())
        self._identities = _by(registry.identities, lambda row: [row.partner_id])
        self._at_domain = _by(registry.identities, _domain_of)
        self._named = [(row, row.person_name) for row in registry.identities if row.person_name]
        self._exemptions = _by(registry.exemptions, _exempt)
        self._roles = _by(registry.schools, _people_of)
        self._of_partner: dict[str, frozenset[int]] = {}
        self._made: dict[frozenset[int], Registry] = {}

    def of(self, dossier: Dossier) -> Dossier:
        """The same dossier with only the rows that matter."""
        near = list(self._near(strangers(dossier)))
        partner_ids = {*_partners_in(dossier), *(row.partner_id for row in near)}
        places = frozenset(self._found(self._around(dossier))).union(
            *map(self._places_of_partner, partner_ids)
        )
        if places not in self._made:
            self._made[places] = Registry.of_rows(self._rows[place] for place in sorted(places))
        return replace(
            dossier,
            registry=self._made[places],
            schools_when_issued=dict(self._schools_when_issued(dossier)),
        )

    def _found(self, rows: Iterable[Row]) -> Iterator[int]:
        places = (self._places.get(id(row)) for row in rows)
        return (place for place in places if place is not None)

    def _around(self, dossier: Dossier) -> Iterator[Row]:
        """The host's school, and exemptions of everybody from outside."""
        if dossier.host.school is not None:
            for school_id in self._registry.schools_beside(dossier.host.school.school_id):
                yield from self._school(school_id)
        for address in _outside_addresses(dossier):
            yield from self._exemptions.get(address, ())
        yield from (i.exemption for i in dossier.invitees if i.exemption is not None)

    def _near(self, outsiders: Iterable[Stranger]) -> Iterator[Identity]:
        """Identities that an unregistered outsider resembles."""
        for stranger in outsiders:
            yield from self._at_domain.get(stranger.domain, ())
            imitated = self._registry.lookalike_of(Address("anybody", stranger.domain))
            if imitated is not None:
                yield from self._identities[imitated.partner_id]
            if is_free_mail(stranger.domain):
                yield from (row for row, name in self._named if bears_name(stranger, name))

    def _places_of_partner(self, partner_id: str) -> frozenset[int]:
        if partner_id not in self._of_partner:
            rows = self._partner(partner_id)
            self._of_partner[partner_id] = frozenset(self._found(rows))
        return self._of_partner[partner_id]

    def _partner(self, partner_id: str) -> Iterator[Row]:
        registry = self._registry
        partner = registry.partner(partner_id)
        if partner is not None:
            yield partner
        yield from self._identities.get(partner_id, ())
        yield from registry.certifications_of(partner_id)
        for program in registry.programs_of(partner_id):
            yield program
            yield from self._exemptions.get(program.program_id, ())
        for contract in registry.contracts_of(partner_id):
            yield contract
            for school_id in contract.school_ids:
                yield from self._school(school_id)
        for authorization in registry.authorizations_of(partner_id):
            yield authorization
            yield from self._school(authorization.school_id)
            authorizer = as_address(authorization.authorizer_address)
            yield from self._roles.get(authorizer.key, ()) if authorizer else ()

    def _school(self, school_id: str) -> Iterator[School]:
        school = self._registry.school(school_id)
        if school is not None:
            yield school

    def _schools_when_issued(self, dossier: Dossier) -> Iterator[tuple[str, tuple[School, ...]]]:
        """Of each authorization's time only the school it names can show the authorizer's role."""
        for partner_id in dossier.partner_ids:
            for row in self._registry.authorizations_of(partner_id):
                schools = dossier.schools_when_issued.get(row.authorization_id)
                if schools is not None:
                    named = (s for s in schools if s.school_id == row.school_id)
                    yield row.authorization_id, tuple(named)


def with_relied_on(dossier: Dossier) -> Dossier:
    """The dossier with the rows of its registry that a verdict can rest on."""
    return _excerpts(Same(dossier.registry)).of(dossier)


@lru_cache(maxsize=2)
def _excerpts(registry: Same[Registry]) -> Excerpts:
    return Excerpts(registry.value)


def _partners_in(dossier: Dossier) -> Iterator[str]:
    creator = (dossier.creator,) if dossier.creator else ()
    invitees = (*dossier.invitees, *dossier.cohosts, *creator)
    people = [(i.partner_id, i.lookalike_of) for i in invitees]
    people += [(a.partner_id, a.lookalike_of) for a in dossier.attendances]
    yield from (partner_id for pair in people for partner_id in pair if partner_id)
    disclosure = dossier.meeting.disclosure if dossier.meeting else None
    yield from disclosure.seen_by if disclosure else ()
    yield from (edit.partner_id for edit in dossier.edits if edit.partner_id)


def _outside_addresses(dossier: Dossier) -> Iterator[str]:
    """Mailboxes and domains of everybody from outside, by which exemptions are given."""
    found: list[tuple[str | None, str | None]] = [
        (i.guest.address, i.guest.domain) for i in dossier.invitees if _is_outside(i.kind)
    ]
    for person in dossier.attendances:
        if _is_outside(person.kind):
            found += [(v.identity.address, person.domain) for v in person.visits]
    for text, domain in dict.fromkeys(found):
        address = parse_address(text) if text else None
        if address is not None:
            yield address.key
        if domain is not None:
            yield domain


def _is_outside(kind: Kind) -> bool:
    return kind in (Kind.PARTNER, Kind.EXTERNAL, Kind.EXEMPT)


def _by(rows: Iterable[R], names: Callable[[R], Iterable[str]]) -> dict[str, list[R]]:
    table: dict[str, list[R]] = {}
    for row in rows:
        for name in names(row):
            table.setdefault(name, []).append(row)
    return table


def _domain_of(row: Identity) -> Iterable[str]:
    address = parse_address(row.value)
    domain = address.domain if address else parse_domain(row.value)
    return [domain] if domain else []


def _exempt(row: Exemption) -> Iterable[str]:
    address = parse_address(row.value)
    return {row.value, (address.key if address else parse_domain(row.value)) or row.value}


def _people_of(school: School) -> Iterable[str]:
    known = map(parse_address, (*school.principals, *school.leads))
    return {address.key for address in known if address}
