"""The partner registry as known at one moment: a snapshot that can be asked.

The rows themselves are in `registry_rows` and can be imported from here as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from meetbot.domain.addresses import (
    Address,
    is_free_mail,
    looks_like,
    parse_address,
    parse_domain,
    registrable_domain,
    skeleton,
)
from meetbot.domain.dates import local_interval
from meetbot.domain.registry_rows import (
    ALL_SCHOOLS,
    COLUMNS,
    NOT_PARTNER_KINDS,
    PROGRAM_KINDS,
    ROW_TYPES,
    Activity,
    Authorization,
    CellError,
    CellProblem,
    Certification,
    Column,
    Contract,
    Exemption,
    ExemptionKind,
    Identity,
    IdentityKind,
    Partner,
    PartnerKind,
    Program,
    ProgramType,
    RegistryFile,
    Row,
    School,
    SchoolKind,
    decode_row,
    file_of,
    from_cells,
    row_key,
    to_cells,
)

__all__ = [
    "ALL_SCHOOLS",
    "COLUMNS",
    "NOT_PARTNER_KINDS",
    "PROGRAM_KINDS",
    "ROW_TYPES",
    "Activity",
    "AddressLike",
    "Authorization",
    "CellError",
    "CellProblem",
    "Certification",
    "Column",
    "Contract",
    "Exemption",
    "ExemptionKind",
    "Identity",
    "IdentityKind",
    "IdentityMatch",
    "MatchedBy",
    "Partner",
    "PartnerKind",
    "Program",
    "ProgramType",
    "Registry",
    "RegistryFile",
    "Row",
    "School",
    "SchoolKind",
    "as_address",
    "decode_row",
    "file_of",
    "from_cells",
    "in_force",
    "is_one_of",
    "renamed",
    "renamed_schools",
    "row_key",
    "to_cells",
    "unit_parts",
]


class MatchedBy(StrEnum):
    """How an address was found in the registry, strongest first."""

    ADDRESS = "address"
    MAILBOX = "mailbox"
    """The same mailbox: `+tag` aside, and Gmail dots."""
    ALIAS = "alias"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class IdentityMatch:
    """A registered identity that an address belongs to."""

    identity: Identity
    matched_by: MatchedBy

    @property
    def partner_id(self) -> str:
        """The partner."""
        return self.identity.partner_id

    @property
    def person_name(self) -> str | None:
        """The person, where the row names one."""
        return self.identity.person_name


AddressLike = Address | str


def as_address(address: AddressLike) -> Address | None:
    """An address from text or as it is; None where the text is no address."""
    return address if isinstance(address, Address) else parse_address(address)


@dataclass(frozen=True, slots=True)
class Registry:
    """All rows as known at one moment. Where rows contradict one another, the first counts.

    Reading validates files before; a snapshot never raises, whatever it holds.
    """

    schools: tuple[School, ...] = ()
    partners: tuple[Partner, ...] = ()
    programs: tuple[Program, ...] = ()
    identities: tuple[Identity, ...] = ()
    contracts: tuple[Contract, ...] = ()
    certifications: tuple[Certification, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    _index: _Index = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the lookup tables."""
        object.__setattr__(self, "_index", _Index(self))

    @classmethod
    def of_rows(cls, rows: Iterable[Row]) -> Registry:
        """A snapshot from rows of any files, kept in their order."""
        sorted_in: dict[RegistryFile, list[Row]] = {file: [] for file in RegistryFile}
        for row in rows:
            sorted_in[file_of(row)].append(row)
        return cls(**{file.value: tuple(found) for file, found in sorted_in.items()})  # type: ignore[arg-type] # keyed by file

    def rows(self, file: RegistryFile) -> tuple[Row, ...]:
        """The rows of one file, in order."""
        rows: tuple[Row, ...] = getattr(self, file.value)
        return rows

    def all_rows(self) -> Iterable[Row]:
        """All rows, file by file."""
        for file in RegistryFile:
            yield from self.rows(file)

    def school(self, school_id: str) -> School | None:
        """A school or department by id."""
        return self._index.schools.get(school_id)

    def partner(self, partner_id: str) -> Partner | None:
        """A partner by id."""
        return self._index.partners.get(partner_id)

    def program(self, program_id: str) -> Program | None:
        """A program by id."""
        return self._index.programs.get(program_id)

    def programs_of(self, partner_id: str) -> tuple[Program, ...]:
        """A partner's programs."""
        return tuple(self._index.programs_of.get(partner_id, ()))

    def contracts_of(self, partner_id: str, program_id: str | None = None) -> tuple[Contract, ...]:
        """A partner's contracts, of one program if named."""
        rows = self._index.contracts_of.get(partner_id, ())
        return tuple(row for row in rows if program_id in (None, row.program_id))

    def certifications_of(self, partner_id: str) -> tuple[Certification, ...]:
        """A partner's certifications, the organization's and its people's."""
        return tuple(self._index.certifications_of.get(partner_id, ()))

    def authorizations_of(self, partner_id: str) -> tuple[Authorization, ...]:
        """A partner's authorizations, revoked ones included."""
        return tuple(self._index.authorizations_of.get(partner_id, ()))

    def match_identity(
        self, address: AddressLike, aliases: Iterable[AddressLike] = ()
    ) -> IdentityMatch | None:
        """Whose address this is: exact, then same mailbox, then an alias, then by domain.

        A domain matches itself only, never its sub-domains: whoever rents `x.partner.example`
        need not be the partner, and a partner that uses it can be given a row. Free-mail domains
        match nobody.
        """
        found = self._match_mailbox(address)
        if found:
            return found
        for alias in aliases:
            if by_alias := self._match_mailbox(alias):
                return IdentityMatch(by_alias.identity, MatchedBy.ALIAS)
        parsed = as_address(address)
        identity = self._index.by_domain.get(parsed.domain) if parsed else None
        return IdentityMatch(identity, MatchedBy.DOMAIN) if identity else None

    def _match_mailbox(self, address: AddressLike) -> IdentityMatch | None:
        parsed = as_address(address)
        if parsed is None:
            return None
        if exact := self._index.by_address.get(parsed.text):
            return IdentityMatch(exact, MatchedBy.ADDRESS)
        if same := self._index.by_mailbox.get(parsed.key):
            return IdentityMatch(same, MatchedBy.MAILBOX)
        return None

    def lookalike_of(self, address: AddressLike) -> Partner | None:
        """The partner whose mail domain this address imitates.

        None for an address that is registered, or whose own domain is in the registry.
        """
        parsed = as_address(address)
        if parsed is None or self.match_identity(parsed) or parsed.domain in self._index.domains:
            return None
        for original in self._index.like(parsed.domain):
            if looks_like(parsed.domain, original):
                return self.partner(self._index.domains[original])
        return None

    def exemptions_for_address(
        self,
        address: AddressLike,
        at: datetime,
        zone: ZoneInfo,
        kinds: frozenset[ExemptionKind] = NOT_PARTNER_KINDS,
    ) -> tuple[Exemption, ...]:
        """Rows in force at an instant that name this address, mailbox or domain (exactly)."""
        parsed = as_address(address)
        if parsed is None:
            return ()
        rows = [
            *self._index.exempt.get(parsed.key, ()),
            *(() if is_free_mail(parsed.domain) else self._index.exempt.get(parsed.domain, ())),
        ]
        return tuple(row for row in rows if row.kind in kinds and in_force(row, at, zone))

    def exemption_for_address(
        self, address: AddressLike, at: datetime, zone: ZoneInfo
    ) -> Exemption | None:
        """The row by which this outsider is not treated as a partner at an instant."""
        return next(iter(self.exemptions_for_address(address, at, zone)), None)

    def exemptions_for_program(
        self, program_id: str, at: datetime, zone: ZoneInfo
    ) -> tuple[Exemption, ...]:
        """Rows in force at an instant that name this program."""
        rows = self._index.exempt_programs.get(program_id, ())
        return tuple(row for row in rows if in_force(row, at, zone))

    def has_exemptions(self, kind: ExemptionKind) -> bool:
        """Whether any row is of this kind: most districts have few, and rules ask often."""
        return kind in self._index.exempt_kinds

    def schools_of_unit(self, unit_path: str) -> tuple[School, ...]:
        """Schools with the longest unit path that holds this one, whole segments compared.

        Several only where schools share that very unit path (co-located schools).
        """
        parts = unit_parts(unit_path)
        for length in range(min(len(parts), self._index.deepest_unit), -1, -1):
            if found := self._index.units.get(parts[:length]):
                return tuple(found)
        return ()

    def school_of_unit(self, unit_path: str) -> School | None:
        """The first of `schools_of_unit`."""
        return next(iter(self.schools_of_unit(unit_path)), None)

    def schools_beside(self, school_id: str) -> frozenset[str]:
        """Ids of a school and of those that share a unit path with it."""
        school = self.school(school_id)
        paths = school.unit_paths if school else ()
        beside = {s.school_id for p in paths for s in self._index.units[unit_parts(p)]}
        return frozenset(beside | {school_id})

    def schools_of_principal(self, address: AddressLike) -> tuple[School, ...]:
        """Schools and departments where this address is a principal."""
        return self._schools_where(address, lambda school: school.principals)

    def schools_of_lead(self, address: AddressLike) -> tuple[School, ...]:
        """Schools and departments where this address is a lead."""
        return self._schools_where(address, lambda school: school.leads)

    def _schools_where(
        self, address: AddressLike, people: Callable[[School], tuple[str, ...]]
    ) -> tuple[School, ...]:
        return tuple(school for school in self.schools if is_one_of(address, people(school)))


def renamed(registry: Registry, names: Mapping[str, str]) -> Registry:
    """The registry with other addresses for the district's own people: aliases made primary."""
    return replace(
        registry,
        schools=renamed_schools(registry.schools, names),
        authorizations=tuple(
            replace(
                row,
                authorizer_address=names.get(row.authorizer_address, row.authorizer_address),
                host_address=names.get(row.host_address or "", row.host_address),
            )
            for row in registry.authorizations
        ),
    )


def renamed_schools(schools: Iterable[School], names: Mapping[str, str]) -> tuple[School, ...]:
    """Schools with other addresses for principals and leads."""
    return tuple(
        replace(
            school,
            principals=tuple(names.get(a, a) for a in school.principals),
            leads=tuple(names.get(a, a) for a in school.leads),
        )
        for school in schools
    )


def is_one_of(address: AddressLike, listed: Iterable[AddressLike]) -> bool:
    """Whether an address is the same mailbox as one of those listed."""
    wanted = as_address(address)
    if wanted is None:
        return False
    return any(found is not None and found.key == wanted.key for found in map(as_address, listed))


def in_force(exemption: Exemption, at: datetime, zone: ZoneInfo) -> bool:
    """Whether an instant lies in the local days of an exemption."""
    return local_interval(exemption.starts_on, exemption.ends_on, zone).covers(at, at)


def unit_parts(unit_path: str) -> tuple[str, ...]:
    """Segments of an org unit path, for comparing; `/` has none."""
    return tuple(part for part in unit_path.casefold().split("/") if part)


class _Index:
    """Lookup tables of one snapshot."""

    def __init__(self, registry: Registry) -> None:
        self.schools = _first(registry.schools, lambda row: row.school_id)
        self.partners = _first(registry.partners, lambda row: row.partner_id)
        self.programs = _first(registry.programs, lambda row: row.program_id)
        self.programs_of = _group(registry.programs, lambda row: row.partner_id)
        self.contracts_of = _group(registry.contracts, lambda row: row.partner_id)
        self.certifications_of = _group(registry.certifications, lambda row: row.partner_id)
        self.authorizations_of = _group(registry.authorizations, lambda row: row.partner_id)
        self._index_identities(registry.identities)
        self._index_exemptions(registry.exemptions)
        self.units: dict[tuple[str, ...], list[School]] = {}
        for school in registry.schools:
            for parts in dict.fromkeys(map(unit_parts, school.unit_paths)):
                self.units.setdefault(parts, []).append(school)
        self.deepest_unit = max(map(len, self.units), default=0)

    def _index_identities(self, identities: Iterable[Identity]) -> None:
        self.by_address: dict[str, Identity] = {}
        self.by_mailbox: dict[str, Identity] = {}
        self.by_domain: dict[str, Identity] = {}
        self.domains: dict[str, str] = {}
        for row in identities:
            address = parse_address(row.value) if row.kind is IdentityKind.ADDRESS else None
            domain = address.domain if address else parse_domain(row.value)
            if domain is None or (address is None and row.kind is IdentityKind.ADDRESS):
                continue
            if address:
                self.by_address.setdefault(address.text, row)
                self.by_mailbox.setdefault(address.key, row)
            if is_free_mail(domain):
                continue
            self.domains.setdefault(domain, row.partner_id)
            if not address:
                self.by_domain.setdefault(domain, row)
        self._skeletons: dict[str, list[str]] = {}
        for domain in self.domains:
            for look in _looks(domain):
                self._skeletons.setdefault(look, []).append(domain)

    def like(self, domain: str) -> list[str]:
        """Registered domains that may look like this one."""
        return [found for look in _looks(domain) for found in self._skeletons.get(look, ())]

    def _index_exemptions(self, exemptions: tuple[Exemption, ...]) -> None:
        self.exempt: dict[str, list[Exemption]] = {}
        self.exempt_programs: dict[str, list[Exemption]] = {}
        self.exempt_kinds = frozenset(row.kind for row in exemptions)
        for row in exemptions:
            if row.kind not in NOT_PARTNER_KINDS:
                self.exempt_programs.setdefault(row.value, []).append(row)
            address = parse_address(row.value)
            if (name := address.key if address else parse_domain(row.value)) is not None:
                self.exempt.setdefault(name, []).append(row)


def _looks(domain: str) -> set[str]:
    return {skeleton(domain), skeleton(registrable_domain(domain) or domain)}


R = TypeVar("R")


def _first(rows: Iterable[R], key: Callable[[R], str]) -> dict[str, R]:
    table: dict[str, R] = {}
    for row in rows:
        table.setdefault(key(row), row)
    return table


def _group(rows: Iterable[R], key: Callable[[R], str]) -> dict[str, list[R]]:
    table: dict[str, list[R]] = {}
    for row in rows:
        table.setdefault(key(row), []).append(row)
    return table
