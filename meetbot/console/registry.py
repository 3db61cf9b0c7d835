"""`/registry`: partners and all that is known of them, with history, and what lapses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from meetbot.console.access import Role, allowed, current_viewer, refuse
from meetbot.console.registry_words import COLUMNS as TITLES
from meetbot.console.registry_words import FILES, shown_cell
from meetbot.console.services import services
from meetbot.domain.addresses import parse_address, parse_domain
from meetbot.domain.lapses import lapsing
from meetbot.domain.registry import (
    COLUMNS,
    Exemption,
    ExemptionKind,
    Identity,
    Partner,
    Registry,
    RegistryFile,
    Row,
    file_of,
    to_cells,
)
from meetbot.domain.registry_history import KnownRow
from meetbot.errors import NotFound
from meetbot.ports import Tx

blueprint = Blueprint("registry", __name__)

READERS = (Role.KEEPER, Role.OFFICER, Role.PRIVACY, Role.AUDITOR)
SPANS = (30, 60, 90)
_PAGE = 50
_SECTIONS = (
    RegistryFile.PARTNERS,
    RegistryFile.PROGRAMS,
    RegistryFile.CONTRACTS,
    RegistryFile.CERTIFICATIONS,
    RegistryFile.IDENTITIES,
    RegistryFile.EXEMPTIONS,
    RegistryFile.AUTHORIZATIONS,
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """A partner in the list; `contract_to` and `certified_to` are the last days on file."""

    partner: Partner
    programs: int
    contract_to: date | None
    certified_to: date | None


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a list."""

    rows: Sequence[object]
    number: int
    pages: int


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one file: those known now, and those of the past."""

    file: RegistryFile
    known: tuple[KnownRow, ...]
    ended: tuple[KnownRow, ...]


def file_named(name: str) -> RegistryFile:
    """The file of this name; 404 for another."""
    try:
        return RegistryFile(name)
    except ValueError:
        refuse("object", "registry file")


def shown_cells(row: Row, without: str = "") -> list[str]:
    """A row's cells in the order of its columns, but for one that the page says elsewhere."""
    return [shown_cell(name, text) for name, text in to_cells(row).items() if name != without]


def titles(file: RegistryFile, without: str = "") -> list[str]:
    """The columns' titles, but for one."""
    return [str(TITLES[column.name]) for column in COLUMNS[file] if column.name != without]


def may_see(row: Row) -> bool:
    """Confidential services are the privacy officers' and the keeper's business alone."""
    is_clinical = isinstance(row, Exemption) and row.kind is ExemptionKind.CONFIDENTIAL_CLINICAL
    return not is_clinical or current_viewer().has(Role.PRIVACY, Role.KEEPER)


def found_row(tx: Tx, number: int) -> KnownRow:
    """A row by its number; 404 where there is none, or none for this person."""
    try:
        known = tx.registry.get(number)
    except NotFound:
        refuse("object", "registry row")
    return known if may_see(known.row) else refuse("object", "registry row")


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"file_titles": FILES, "titles": titles, "shown_cells": shown_cells, "file_of": file_of}


def _sliced(rows: Sequence[T]) -> Slice:
    """The page of a list that `?page=` names, the first if it names none."""
    pages = max(1, -(-len(rows) // _PAGE))
    number = min(max(request.args.get("page", 1, type=int), 1), pages)
    return Slice(rows[(number - 1) * _PAGE : number * _PAGE], number, pages)


# --- partners -----------------------------------------------------------------------------------


@blueprint.get("/registry")
@allowed(*READERS)
def page() -> ResponseReturnValue:
    """The partners, found by name, id or address."""
    wanted = request.args.get("q", "").strip()[:200]
    status = request.args.get("status", "")
    with services().deps.store.reading() as tx:
        registry = tx.registry.current()
        is_imported = tx.registry.known_since() is not None
    found = [
        p for p in registry.partners if status in ("", p.status) and _fits(registry, p, wanted)
    ]
    found.sort(key=lambda partner: (partner.name.casefold(), partner.partner_id))
    sliced = _sliced([_line(registry, partner) for partner in found])
    return render_template(
        "registry/partners.html",
        sliced=sliced,
        number=len(found),
        q=wanted,
        status=status,
        is_imported=is_imported,
    )


def _fits(registry: Registry, partner: Partner, wanted: str) -> bool:
    if not wanted:
        return True
    text = wanted.casefold()
    if text in partner.name.casefold() or text in partner.partner_id.casefold():
        return True
    match = registry.match_identity(wanted) if "@" in wanted else None
    return match is not None and match.partner_id == partner.partner_id


def _line(registry: Registry, partner: Partner) -> Line:
    contracts = registry.contracts_of(partner.partner_id)
    own = [c for c in registry.certifications_of(partner.partner_id) if c.person_address is None]
    return Line(
        partner,
        programs=len(registry.programs_of(partner.partner_id)),
        contract_to=max((c.ends_on for c in contracts if c.signed_on), default=None),
        certified_to=max((c.expires_on for c in own), default=None),
    )


@blueprint.get("/registry/partners/<partner_id>")
@allowed(*READERS)
def partner(partner_id: str) -> ResponseReturnValue:
    """Everything about one partner, with history."""
    with services().deps.store.reading() as tx:
        rows = tx.registry.known(partner_id=partner_id, ended=True)
        exempt = tx.registry.known(file=RegistryFile.EXEMPTIONS, ended=True)
    own = [known for known in rows if isinstance(known.row, Partner)]
    if not own:
        refuse("object", "partner")
    rows += tuple(known for known in exempt if _is_about(known.row, rows))
    latest = next((known for known in own if known.is_known), own[-1])
    return render_template(
        "registry/partner.html",
        partner=latest.row,
        sections=[_section(file, rows) for file in _SECTIONS],
        hidden=sum(not may_see(known.row) for known in rows),
        today=services().clock().astimezone(services().config.zone).date(),
    )


def _is_about(row: Row, rows: Iterable[KnownRow]) -> bool:
    """Whether an exemption is given to one of a partner's programs, addresses or domains."""
    if not isinstance(row, Exemption):
        return False
    programs = {getattr(known.row, "program_id", None) for known in rows}
    values = {known.row.value for known in rows if isinstance(known.row, Identity)}
    domains = set(filter(None, map(parse_domain, values)))
    addresses = {address.key for address in map(parse_address, values) if address}
    address = parse_address(row.value)
    if address is not None:
        return address.key in addresses or address.domain in domains
    return row.value in programs or parse_domain(row.value) in domains


def _section(file: RegistryFile, rows: Collection[KnownRow]) -> Section:
    own = [known for known in rows if file_of(known.row) is file and may_see(known.row)]
    return Section(
        file,
        known=tuple(known for known in own if known.is_known),
        ended=tuple(
            sorted((known for known in own if not known.is_known), key=_when_ended, reverse=True)
        ),
    )


def _when_ended(known: KnownRow) -> tuple[float, int]:
    return (known.known_to.timestamp() if known.known_to else 0.0, known.id)


# --- files --------------------------------------------------------------------------------------


@blueprint.get("/registry/files/<name>")
@allowed(*READERS)
def file(name: str) -> ResponseReturnValue:
    """All rows of one file."""
    which = file_named(name)
    wanted = request.args.get("q", "").strip()[:200]
    has_ended = request.args.get("ended") == "1"
    with services().deps.store.reading() as tx:
        rows = tx.registry.known(file=which, ended=has_ended)
    seen = [known for known in rows if may_see(known.row)]
    found = [known for known in seen if _holds(known.row, wanted)]
    return render_template(
        "registry/file.html",
        file=which,
        sliced=_sliced(found),
        number=len(found),
        hidden=len(rows) - len(seen),
        q=wanted,
        ended=has_ended,
    )


def _holds(row: Row, wanted: str) -> bool:
    text = wanted.casefold()
    return any(text in cell.casefold() for cell in to_cells(row).values())


@blueprint.get("/registry/lapsing")
@allowed(*READERS)
def lapses() -> ResponseReturnValue:
    """What lapses in the next 30, 60 or 90 days."""
    days = request.args.get("days", SPANS[0], type=int)
    if days not in SPANS:
        days = SPANS[0]
    given = services()
    today = given.clock().astimezone(given.config.zone).date()
    with given.deps.store.reading() as tx:
        rows = tx.registry.known()
        registry = tx.registry.current()
    found = [lapse for lapse in lapsing(rows, today, days) if may_see(lapse.known.row)]
    return render_template(
        "registry/lapsing.html",
        sliced=_sliced(found),
        number=len(found),
        days=days,
        spans=SPANS,
        about=_about(registry),
    )


def _about(registry: Registry) -> Callable[[Row], tuple[str, str]]:
    """Gives for a row the partner's id and what to call what lapses, without a guardian's name."""

    def about(row: Row) -> tuple[str, str]:
        partner_id = getattr(row, "partner_id", "")
        partner = registry.partner(partner_id) if partner_id else None
        if partner is not None:
            return partner_id, partner.name
        return partner_id, shown_cell("kind", row.kind) if isinstance(
            row, Exemption
        ) else partner_id

    return about
