"""Rows of the registry's eight files, and how they become texts and are read back.

Rows hold what the files say, as written (addresses are normalized only for comparing), so that an
export gives back what was imported. `row_key` names a row in a way that stays the same when its
other columns change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from meetbot.domain.addresses import parse_address, parse_domain
from meetbot.domain.platforms import Platform

ALL_SCHOOLS = "*"


class RegistryFile(StrEnum):
    """The eight files, in the order in which they refer to one another."""

    SCHOOLS = "schools"
    PARTNERS = "partners"
    PROGRAMS = "programs"
    IDENTITIES = "identities"
    CONTRACTS = "contracts"
    CERTIFICATIONS = "certifications"
    AUTHORIZATIONS = "authorizations"
    EXEMPTIONS = "exemptions"

    @property
    def filename(self) -> str:
        """Name of the CSV file."""
        return f"{self.value}.csv"


class SchoolKind(StrEnum):
    """A school, or a department of the district."""

    SCHOOL = "school"
    DEPARTMENT = "department"


class PartnerKind(StrEnum):
    """On which footing an organization works with the district."""

    CONTRACTED = "contracted"
    LEASE = "lease"
    PERMIT = "permit"
    COMMUNITY = "community"


class Activity(StrEnum):
    """Whether a partner or program may work at present."""

    ACTIVE = "active"
    PAUSED = "paused"


class ProgramType(StrEnum):
    """What a program is about; decides who answers questions."""

    COLLEGE_ACCESS = "college-access"
    MENTAL_HEALTH = "mental-health"
    AFTER_SCHOOL = "after-school"
    OTHER = "other"


class IdentityKind(StrEnum):
    """What an identity row names."""

    ADDRESS = "address"
    DOMAIN = "domain"


class ExemptionKind(StrEnum):
    """Kinds of exemption (catalogue §4)."""

    GUARDIAN = "guardian"
    INTERPRETER = "interpreter"
    LEGAL_ADVOCATE = "legal-advocate"
    AGENCY_INTERVIEW = "agency-interview"
    ADULT_BUSINESS = "adult-business"
    CONFIDENTIAL_CLINICAL = "confidential-clinical"
    MONITORED_TUTORING = "monitored-tutoring"
    PLATFORM_EXCEPTION = "platform-exception"


NOT_PARTNER_KINDS = frozenset(
    {
        ExemptionKind.GUARDIAN,
        ExemptionKind.INTERPRETER,
        ExemptionKind.LEGAL_ADVOCATE,
        ExemptionKind.AGENCY_INTERVIEW,
        ExemptionKind.ADULT_BUSINESS,
    }
)
"""Exemptions by which an outsider is not treated as a partner."""
PROGRAM_KINDS = frozenset({ExemptionKind.MONITORED_TUTORING, ExemptionKind.PLATFORM_EXCEPTION})
"""Exemptions that are given to a program, by its id."""


# --- Rows ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class School:
    """A row of `schools.csv`."""

    school_id: str
    name: str
    kind: SchoolKind
    unit_paths: tuple[str, ...]
    principals: tuple[str, ...] = field(repr=False)
    leads: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Partner:
    """A row of `partners.csv`."""

    partner_id: str
    name: str
    kind: PartnerKind
    status: Activity
    school_official: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A row of `programs.csv`."""

    program_id: str
    partner_id: str
    name: str
    type: ProgramType
    status: Activity


@dataclass(frozen=True, slots=True)
class Identity:
    """A row of `identities.csv`: an address, or a mail domain as a whole."""

    partner_id: str
    kind: IdentityKind
    value: str = field(repr=False)
    person_name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Contract:
    """A row of `contracts.csv`; first and last day count, `signed_on` None is unsigned."""

    contract_id: str
    partner_id: str
    program_id: str
    school_ids: tuple[str, ...]
    signed_on: date | None
    starts_on: date
    ends_on: date

    def includes(self, school_ids: Iterable[str]) -> bool:
        """Whether any of these schools, or every school, is covered."""
        return ALL_SCHOOLS in self.school_ids or any(s in self.school_ids for s in school_ids)


@dataclass(frozen=True, slots=True)
class Certification:
    """A row of `certifications.csv`: of the organization, or of the person named."""

    partner_id: str
    person_address: str | None = field(repr=False)
    certified_on: date
    expires_on: date


@dataclass(frozen=True, slots=True)
class Authorization:
    """A row of `authorizations.csv`; `host_address` None means any host of the school."""

    authorization_id: str
    partner_id: str
    program_id: str
    school_id: str
    host_address: str | None = field(repr=False)
    starts_on: date
    ends_on: date
    authorizer_address: str = field(repr=False)
    issued_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Exemption:
    """A row of `exemptions.csv`; `value` is an address, a domain or a program_id."""

    kind: ExemptionKind
    value: str = field(repr=False)
    platform: Platform | None
    consent_on_file: bool
    reason: str = field(repr=False)
    owner: str = field(repr=False)
    starts_on: date
    ends_on: date


Row = School | Partner | Program | Identity | Contract | Certification | Authorization | Exemption


# --- Cells --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong with one cell, and how to put it right. Never quotes the cell."""

    column: str
    what: str
    fix: str


class CellError(ValueError):
    """A stored or imported row cannot be decoded; `problems` names every bad cell."""

    def __init__(self, file: RegistryFile, problems: tuple[CellProblem, ...]) -> None:
        self.problems = problems
        super().__init__(f"{file.filename}: " + "; ".join(f"{p.column} {p.what}" for p in problems))


class BadCellError(ValueError):
    """One cell cannot be decoded: what is wrong, and the fix (inside this module only)."""


E = TypeVar("E", bound=StrEnum)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII
)


def _to_date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise BadCellError("is not a date", "write it as YYYY-MM-DD, for example 2026-09-01")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadCellError(
            "is a date that does not exist", "write a real day as YYYY-MM-DD"
        ) from None


def _to_instant(text: str) -> datetime:
    example = "for example 2026-09-01T14:30:00Z or 2026-09-01T09:30:00-05:00"
    if not (match := _INSTANT.fullmatch(text)):
        raise BadCellError("is not an RFC 3339 instant", f"write date, time and zone, {example}")
    if not match[4]:
        raise BadCellError("is an instant without a zone", f"add Z or an offset, {example}")
    try:
        clock = f"{match[1]}T{match[2]}{match[3] or ''}{match[4].upper()}"
        return datetime.fromisoformat(clock).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadCellError(
            "is an instant that does not exist", f"write a real one, {example}"
        ) from None


def _from_instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _to_list(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(";"))
    if not all(parts):
        raise BadCellError("has an empty value between semicolons", "remove the extra semicolon")
    return parts


def _to_yes(text: str) -> bool:
    if text not in ("", "yes"):
        raise BadCellError('is neither "yes" nor empty', "write yes, or leave the cell empty")
    return text == "yes"


def _to_member(kind: type[E], text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        choices = ", ".join(kind)
        raise BadCellError("is not one of the allowed words", f"write one of: {choices}") from None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, whether a cell may be empty or the column absent, and its codec.

    `may_be_empty`: the column must be there, but whether a cell may be empty depends on the row.
    """

    name: str
    is_optional: bool
    decode: Callable[[str], Any] = field(repr=False)
    encode: Callable[[Any], str] = field(repr=False)
    may_be_empty: bool = False
    form: str = "text"
    """`date`, `instant`, `yes`, `list`, `word` (of a fixed set) or `text`."""


def _column(name: str, kind: type[StrEnum] | str = "text") -> Column:
    """A column from its contract notation: a trailing `*` makes it optional."""
    optional = name.endswith("*")
    if not isinstance(kind, str):
        return Column(name.rstrip("*"), optional, partial(_to_member, kind), str, form="word")
    decode, encode = _CODECS[kind]
    return Column(name.rstrip("*"), optional, decode, encode, form=kind)


_CODECS: dict[str, tuple[Callable[[str], Any], Callable[[Any], str]]] = {
    "text": (str, str),
    "list": (_to_list, ";".join),
    "date": (_to_date, date.isoformat),
    "instant": (_to_instant, _from_instant),
    "yes": (_to_yes, lambda is_set: "yes" if is_set else ""),
}

COLUMNS: Mapping[RegistryFile, tuple[Column, ...]] = {
    RegistryFile.SCHOOLS: (
        _column("school_id"),
        _column("name"),
        _column("kind", SchoolKind),
        _column("unit_paths", "list"),
        replace(_column("principals", "list"), may_be_empty=True),
        _column("leads*", "list"),
    ),
    RegistryFile.PARTNERS: (
        _column("partner_id"),
        _column("name"),
        _column("kind", PartnerKind),
        _column("status", Activity),
        _column("school_official*", "yes"),
    ),
    RegistryFile.PROGRAMS: (
        _column("program_id"),
        _column("partner_id"),
        _column("name"),
        _column("type", ProgramType),
        _column("status", Activity),
    ),
    RegistryFile.IDENTITIES: (
        _column("partner_id"),
        _column("kind", IdentityKind),
        _column("value"),
        _column("person_name*"),
    ),
    RegistryFile.CONTRACTS: (
        _column("contract_id"),
        _column("partner_id"),
        _column("program_id"),
        _column("school_ids", "list"),
        _column("signed_on*", "date"),
        _column("starts_on", "date"),
        _column("ends_on", "date"),
    ),
    RegistryFile.CERTIFICATIONS: (
        _column("partner_id"),
        _column("person_address*"),
        _column("certified_on", "date"),
        _column("expires_on", "date"),
    ),
    RegistryFile.AUTHORIZATIONS: (
        _column("authorization_id"),
        _column("partner_id"),
        _column("program_id"),
        _column("school_id"),
        _column("host_address*"),
        _column("starts_on", "date"),
        _column("ends_on", "date"),
        _column("authorizer_address"),
        _column("issued_at", "instant"),
        _column("revoked_at*", "instant"),
    ),
    RegistryFile.EXEMPTIONS: (
        _column("kind", ExemptionKind),
        _column("value"),
        _column("platform*", Platform),
        _column("consent_on_file*", "yes"),
        _column("reason"),
        _column("owner"),
        _column("starts_on", "date"),
        _column("ends_on", "date"),
    ),
}
"""Columns of each file, in the order in which they are written."""

ROW_TYPES: Mapping[RegistryFile, type[Row]] = {
    RegistryFile.SCHOOLS: School,
    RegistryFile.PARTNERS: Partner,
    RegistryFile.PROGRAMS: Program,
    RegistryFile.IDENTITIES: Identity,
    RegistryFile.CONTRACTS: Contract,
    RegistryFile.CERTIFICATIONS: Certification,
    RegistryFile.AUTHORIZATIONS: Authorization,
    RegistryFile.EXEMPTIONS: Exemption,
}
_FILES = {row_type: file for file, row_type in ROW_TYPES.items()}


def file_of(row: Row) -> RegistryFile:
    """The file a row belongs to."""
    return _FILES[type(row)]


def to_cells(row: Row) -> dict[str, str]:
    """A row as texts by column, every column present; instants in UTC with `Z`."""
    cells = {}
    for column in COLUMNS[file_of(row)]:
        value = getattr(row, column.name)
        cells[column.name] = "" if value is None else column.encode(value)
    return cells


def decode_row(
    file: RegistryFile, cells: Mapping[str, str]
) -> tuple[Row | None, tuple[CellProblem, ...]]:
    """A row from texts by column, or None and every cell that cannot be read. Never raises."""
    values: dict[str, Any] = {}
    problems: list[CellProblem] = []
    for column in COLUMNS[file]:
        try:
            values[column.name] = _decode(column, cells.get(column.name, "").strip())
        except BadCellError as bad:
            problems.append(CellProblem(column.name, *bad.args))
    if problems:
        return None, tuple(problems)
    return ROW_TYPES[file](**values), ()


def _decode(column: Column, text: str) -> Any:
    if text or column.decode is _to_yes:
        return column.decode(text)
    if not (column.is_optional or column.may_be_empty):
        raise BadCellError("is empty", "fill it in; this column is required")
    return () if column.decode is _to_list else None


def from_cells(file: RegistryFile, cells: Mapping[str, str]) -> Row:
    """A row from texts by column, as `to_cells` gives them. Raises `CellError`."""
    row, problems = decode_row(file, cells)
    if row is None:
        raise CellError(file, problems)
    return row


def row_key(row: Row) -> tuple[str, ...]:
    """The columns by which a row is recognized when others change; unique in its file."""
    match row:
        case School(school_id=key) | Partner(partner_id=key) | Program(program_id=key):
            return (key,)
        case Contract(contract_id=key) | Authorization(authorization_id=key):
            return (key,)
        case Identity():
            return (row.kind, _normal(row.value))
        case Certification():
            return (row.partner_id, _normal(row.person_address or ""), str(row.certified_on))
        case Exemption():
            value = row.value if row.kind in PROGRAM_KINDS else _normal(row.value)
            return (row.kind, value, row.platform or "", str(row.starts_on))


def _normal(text: str) -> str:
    """An address or domain in normal form; any other text as it is."""
    address = parse_address(text)
    return address.text if address else parse_domain(text) or text
