"""What the registry answers for one occasion: program, authorization, contract, certification.

Each question has exactly one answer (catalogue §5A). All functions are pure; the registry they
are given is the one to judge with, and dates count as inclusive local days of the district.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from meetbot.domain.dates import Window, covered, local_day_start, local_interval, union
from meetbot.domain.platforms import Platform
from meetbot.domain.registry import (
    AddressLike,
    Authorization,
    Certification,
    Contract,
    Exemption,
    ExemptionKind,
    Registry,
    School,
    is_one_of,
)


@dataclass(frozen=True, slots=True)
class Occasion:
    """The meeting that is asked about: scheduled interval (UTC), host and school.

    `hosts` holds the host's address and aliases, empty when there is no staff host. `school_id`
    None means the school is not known: it then fits everything and is named in `unsure`.
    """

    start_at: datetime
    end_at: datetime
    zone: ZoneInfo
    school_id: str | None = None
    hosts: tuple[AddressLike, ...] = field(default=(), repr=False)

    def lies_in(self, windows: Iterable[Window]) -> bool:
        """Whether the windows together cover all of the meeting."""
        return covered(windows, self.start_at, self.end_at)


class Field(StrEnum):
    """What an authorization or contract can fail on."""

    PROGRAM = "program"
    SCHOOL = "school"
    DATE = "date"
    HOST = "host"


# --- Program ------------------------------------------------------------------------------------


def program_for(registry: Registry, partner_id: str, occasion: Occasion) -> str | None:
    """Which of a partner's programs an occasion belongs to; None where that is not known.

    The one whose authorization fits host, school and time (issued too late or not); else the one
    whose signed contract covers the school then; else the only one.
    """
    programs = [program.program_id for program in registry.programs_of(partner_id)]
    fitting = {
        row.program_id
        for row in registry.authorizations_of(partner_id)
        if row.program_id in programs
        and not is_revoked(row, occasion)
        and not misfits(registry, row, row.program_id, occasion)
    }
    candidates = [program for program in programs if program in fitting] or programs
    if len(candidates) == 1:
        return candidates[0]
    contracted = [
        program
        for program in candidates
        if isinstance(contract_answer(registry, partner_id, program, occasion), ContractValid)
    ]
    return contracted[0] if len(contracted) == 1 else None


# --- Authorization ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Authorized:
    """Covered by these rows, all issued in time, the earliest first. `row` is that one."""

    rows: tuple[Authorization, ...]
    unsure: frozenset[Field] = frozenset()

    @property
    def row(self) -> Authorization:
        """The authorization that was issued first."""
        return self.rows[0]


@dataclass(frozen=True, slots=True)
class AuthorizationMissing:
    """None exists, or all were revoked before the end; `nearest` is then a revoked one."""

    nearest: Authorization | None = None
    unsure: frozenset[Field] = frozenset()


@dataclass(frozen=True, slots=True)
class AuthorizationOutOfScope:
    """One exists, but fails on these fields. `nearest` fails on the fewest."""

    fields: tuple[Field, ...]
    nearest: Authorization
    unsure: frozenset[Field] = frozenset()


@dataclass(frozen=True, slots=True)
class AuthorizationRetroactive:
    """One covers the occasion but was issued `late_by` after the start."""

    row: Authorization
    late_by: timedelta
    unsure: frozenset[Field] = frozenset()


AuthorizationAnswer = (
    Authorized | AuthorizationMissing | AuthorizationOutOfScope | AuthorizationRetroactive
)


def authorization_answer(
    registry: Registry, partner_id: str, program_id: str | None, occasion: Occasion
) -> AuthorizationAnswer:
    """Whether an occasion was authorized (catalogue, "One answer per question").

    With `program_id` None any program of the partner fits, and `unsure` names the program.
    """
    unsure = _unsure(program_id, occasion)
    rows = registry.authorizations_of(partner_id)
    standing = [row for row in rows if not is_revoked(row, occasion)]
    missed = {row.authorization_id: misfits(registry, row, program_id, occasion) for row in rows}

    def nearness(row: Authorization) -> tuple[int, timedelta, str]:
        misses = missed[row.authorization_id]
        return (len(misses), _distance(row, occasion), row.authorization_id)

    if not standing:
        return AuthorizationMissing(min(rows, key=nearness, default=None), unsure)
    covering = sorted(
        (row for row in standing if not missed[row.authorization_id]),
        key=lambda row: (row.issued_at, row.authorization_id),
    )
    if not covering:
        nearest = min(standing, key=nearness)
        return AuthorizationOutOfScope(missed[nearest.authorization_id], nearest, unsure)
    in_time = tuple(row for row in covering if row.issued_at <= occasion.start_at)
    if not in_time:
        late_by = covering[0].issued_at - occasion.start_at
        return AuthorizationRetroactive(covering[0], late_by, unsure)
    return Authorized(in_time, unsure)


def _unsure(program_id: str | None, occasion: Occasion) -> frozenset[Field]:
    unknown = {Field.PROGRAM: program_id is None, Field.SCHOOL: occasion.school_id is None}
    return frozenset(name for name, is_unknown in unknown.items() if is_unknown)


def is_revoked(row: Authorization, occasion: Occasion) -> bool:
    """Whether an authorization was revoked before the occasion ended."""
    return row.revoked_at is not None and row.revoked_at < occasion.end_at


def misfits(
    registry: Registry, row: Authorization, program_id: str | None, occasion: Occasion
) -> tuple[Field, ...]:
    """The fields on which an authorization fails for an occasion."""
    window = local_interval(row.starts_on, row.ends_on, occasion.zone)
    fits = {
        Field.PROGRAM: program_id in (None, row.program_id),
        Field.SCHOOL: row.school_id in _schools(registry, occasion, row.school_id),
        Field.DATE: window.covers(occasion.start_at, occasion.end_at),
        Field.HOST: row.host_address is None or is_one_of(row.host_address, occasion.hosts),
    }
    return tuple(name for name, does_fit in fits.items() if not does_fit)


def _schools(registry: Registry, occasion: Occasion, if_unknown: str) -> frozenset[str]:
    """The host's school and those that share its unit; an unknown school could be any."""
    if occasion.school_id is None:
        return frozenset({if_unknown})
    return registry.schools_beside(occasion.school_id)


def _distance(row: Authorization, occasion: Occasion) -> timedelta:
    """How far the occasion lies outside the row's days."""
    window = local_interval(row.starts_on, row.ends_on, occasion.zone)
    nothing = timedelta(0)
    return max(window.start_at - occasion.start_at, occasion.end_at - window.end_at, nothing)


class AuthorizerRole(StrEnum):
    """Why somebody may authorize."""

    PRINCIPAL = "principal"
    LEAD = "lead"


def authorizer_role(row: Authorization, schools: Iterable[School]) -> AuthorizerRole | None:
    """The role of the authorizer at the school or department the authorization names.

    `schools` are the rows as known at `issued_at`; None where none of them gives a role.
    """
    for school in schools:
        if school.school_id != row.school_id:
            continue
        if is_one_of(row.authorizer_address, school.principals):
            return AuthorizerRole.PRINCIPAL
        if is_one_of(row.authorizer_address, school.leads):
            return AuthorizerRole.LEAD
    return None


# --- Contract -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContractValid:
    """Signed contracts cover the whole interval at this school; `ends_on` is the last day."""

    ends_on: date


@dataclass(frozen=True, slots=True)
class ContractMissing:
    """No contract row for the partner and program."""


@dataclass(frozen=True, slots=True)
class ContractNotStarted:
    """The occasion begins before the contract does.

    `starts_on` is the first day it counts (signature included), None while it is unsigned.
    """

    starts_on: date | None
    contract: Contract


@dataclass(frozen=True, slots=True)
class ContractExpired:
    """The occasion ends after the last covered day."""

    ended_on: date
    contract: Contract


@dataclass(frozen=True, slots=True)
class ContractOutOfScope:
    """A contract is valid then, for other schools (`*` never occurs here)."""

    school_ids: tuple[str, ...]


ContractAnswer = (
    ContractValid | ContractMissing | ContractNotStarted | ContractExpired | ContractOutOfScope
)


def contract_answer(
    registry: Registry, partner_id: str, program_id: str | None, occasion: Occasion
) -> ContractAnswer:
    """The one thing to say of a partner's contracts for a program; None: of all of them.

    A contract counts from its first day or the day it was signed, whichever is later: a late
    signature with an earlier effective day is no earlier start. Adjacent and overlapping rows are
    one. Time is judged on the rows that include the school, on all rows if none does; between two
    contracts the earlier one has expired.
    """
    rows = registry.contracts_of(partner_id, program_id)
    if not rows:
        return ContractMissing()
    here = [row for row in rows if _includes_school(registry, row, occasion)]
    signed = _in_effect(here or rows, occasion.zone)
    if occasion.lies_in(signed.values()):
        if here:
            return ContractValid(_last_day(signed, occasion))
        schools = {
            school
            for row, window in signed.items()
            if window.start_at < occasion.end_at and occasion.start_at < window.end_at
            for school in row.school_ids
        }
        return ContractOutOfScope(tuple(sorted(schools)))
    return _outside_contract(here or rows, occasion)


def _includes_school(registry: Registry, row: Contract, occasion: Occasion) -> bool:
    school_id = occasion.school_id
    return school_id is None or row.includes(registry.schools_beside(school_id))


def _starts_on(row: Contract) -> date | None:
    return None if row.signed_on is None else max(row.signed_on, row.starts_on)


def _in_effect(rows: Iterable[Contract], zone: ZoneInfo) -> dict[Contract, Window]:
    """When each signed contract counts."""
    starts = {row: _starts_on(row) for row in rows}
    return {
        row: local_interval(start, row.ends_on, zone)
        for row, start in starts.items()
        if start is not None and start <= row.ends_on
    }


def _last_day(windows: dict[Contract, Window], occasion: Occasion) -> date:
    """Last day of the stretch of adjacent contracts that holds the occasion."""
    stretch = next(
        whole
        for whole in union(windows.values())
        if whole.covers(occasion.start_at, occasion.end_at)
    )
    return max(row.ends_on for row, window in windows.items() if window.end_at <= stretch.end_at)


def _outside_contract(rows: Iterable[Contract], occasion: Occasion) -> ContractAnswer:
    """Not started or expired, for an occasion that no signed contract covers."""
    rows = list(rows)
    nominal = {row: local_interval(row.starts_on, row.ends_on, occasion.zone) for row in rows}
    overlapping = [
        row
        for row in rows
        if nominal[row].covers(occasion.start_at, occasion.start_at)
        and not _has_begun(row, occasion)
    ]
    begun = [row for row in rows if _has_begun(row, occasion)]
    if begun and not overlapping:
        last = max(begun, key=lambda row: row.ends_on)
        return ContractExpired(last.ends_on, last)
    waiting = overlapping or rows
    first = min(waiting, key=lambda row: (_starts_on(row) or date.max, row.starts_on))
    return ContractNotStarted(_starts_on(first), first)


def _has_begun(row: Contract, occasion: Occasion) -> bool:
    """Whether a contract was in effect at some time up to the start of the occasion."""
    start = _starts_on(row)
    return start is not None and local_day_start(start, occasion.zone) <= occasion.start_at


# --- Certification ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CertificationValid:
    """Certified for the whole scheduled interval."""


@dataclass(frozen=True, slots=True)
class CertificationMissing:
    """Nothing on file."""


@dataclass(frozen=True, slots=True)
class CertificationExpired:
    """On file, but not valid for the whole interval; `nearest` is the row that comes closest."""

    nearest: Certification


CertificationAnswer = CertificationValid | CertificationMissing | CertificationExpired


def certification_answer(
    registry: Registry,
    partner_id: str,
    occasion: Occasion,
    *,
    person: AddressLike | None = None,
    personal_clearance: bool = False,
) -> CertificationAnswer:
    """Whether a partner is certified for the whole occasion.

    The organization's rows count, and those of `person`; with `personal_clearance` the person's
    alone. Adjacent rows are one.
    """
    rows = [
        row
        for row in registry.certifications_of(partner_id)
        if (row.person_address is None and not personal_clearance)
        or (row.person_address and person and is_one_of(person, (row.person_address,)))
    ]
    if not rows:
        return CertificationMissing()
    windows = {row: local_interval(row.certified_on, row.expires_on, occasion.zone) for row in rows}
    if occasion.lies_in(windows.values()):
        return CertificationValid()
    return CertificationExpired(min(rows, key=lambda row: _gap(windows[row], occasion)))


def _gap(window: Window, occasion: Occasion) -> timedelta:
    return max(window.start_at - occasion.start_at, occasion.end_at - window.end_at)


# --- Exemptions of programs ---------------------------------------------------------------------


def program_exemption(
    registry: Registry,
    kind: ExemptionKind,
    program_id: str,
    occasion: Occasion,
    *,
    platform: Platform | None = None,
    clinicians: Iterable[AddressLike] = (),
) -> Exemption | None:
    """The exemption of this kind that holds for a program's occasion (catalogue §4).

    It lapses with the program's contract. `platform-exception` and `monitored-tutoring` name
    their platform, where they name one. `confidential-clinical` needs consent on file and a
    certification as well, and may be given to the program or to one of the `clinicians`.
    """
    program = registry.program(program_id)
    if program is None:
        return None
    partner_id, people = program.partner_id, tuple(clinicians)
    contract = contract_answer(registry, partner_id, program_id, occasion)
    if not isinstance(contract, ContractValid):
        return None
    rows = list(registry.exemptions_for_program(program_id, occasion.start_at, occasion.zone))
    is_clinical = kind is ExemptionKind.CONFIDENTIAL_CLINICAL
    if is_clinical:
        for person in people:
            rows += registry.exemptions_for_address(
                person, occasion.start_at, occasion.zone, frozenset({kind})
            )
    fitting = (row for row in rows if row.kind is kind and row.platform in (None, platform))
    if not is_clinical:
        return next(fitting, None)
    if not _is_clinic_certified(registry, partner_id, occasion, people):
        return None
    return next((row for row in fitting if row.consent_on_file), None)


def _is_clinic_certified(
    registry: Registry, partner_id: str, occasion: Occasion, people: tuple[AddressLike, ...]
) -> bool:
    answers = (
        certification_answer(registry, partner_id, occasion, person=person)
        for person in people or (None,)
    )
    return all(isinstance(answer, CertificationValid) for answer in answers)
