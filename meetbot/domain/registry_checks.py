"""Tables of texts to a `Registry`, or to every mistake in them.

What is imported must agree with the rows that were added in the console, so those are looked at
together. Single rows that come or go in the console are checked in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from meetbot.domain.addresses import is_free_mail, parse_address, parse_domain
from meetbot.domain.registry import (
    ALL_SCHOOLS,
    COLUMNS,
    PROGRAM_KINDS,
    Authorization,
    CellProblem,
    Certification,
    Contract,
    Exemption,
    ExemptionKind,
    Identity,
    IdentityKind,
    Program,
    Registry,
    RegistryFile,
    Row,
    School,
    SchoolKind,
    decode_row,
    file_of,
    row_key,
    to_cells,
)
from meetbot.domain.registry_history import KnownRow
from meetbot.domain.registry_tables import LONGEST_CELL, RegistryMistake, Table, shown, trim_end

_ONE_ADDRESS = "write one address, such as name@example.org, without name or brackets"
_FREE_MAIL = (
    "is a free-mail host, where anybody can open an account",
    "register the person's full address with kind address instead",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a registry gave: the registry, or every mistake in order of place."""

    registry: Registry | None
    mistakes: tuple[RegistryMistake, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What a registry was read from: its tables, or `problem`, why it has none."""

    tables: tuple[Table, ...] = ()
    problem: RegistryMistake | None = None


def read_all(
    source: Source, *, district_domains: Collection[str], kept: Sequence[KnownRow] = ()
) -> Reading:
    """Validate a source; see `read_tables`."""
    if source.problem is not None:
        return Reading(None, (source.problem,))
    return read_tables(source.tables, district_domains=district_domains, kept=kept)


def read_tables(
    tables: Iterable[Table], *, district_domains: Collection[str], kept: Sequence[KnownRow] = ()
) -> Reading:
    """Validate all tables together. `district_domains` are those of the settings.

    `kept` are the rows of the console, which stay, and those that were ended there, which a source
    must not bring back. The registry holds what the tables do.
    """
    parsed = {table.file: _parse(table) for table in tables}
    checker = _Checker(parsed, _domains(district_domains), kept)
    mistakes = [mistake for part in parsed.values() for mistake in part.mistakes]
    mistakes += checker.mistakes()
    if mistakes:
        return Reading(None, tuple(sorted(set(mistakes), key=_place(list(parsed.values())))))
    rows = (line.row for part in parsed.values() for line in part.lines)
    return Reading(Registry.of_rows(row for row in rows if row is not None))


def check_row(
    file: RegistryFile,
    cells: Mapping[str, str],
    known: Iterable[KnownRow],
    *,
    district_domains: Collection[str],
) -> tuple[Row | None, tuple[RegistryMistake, ...]]:
    """A row for the registry as it is, from texts by column; or every mistake that it would be."""
    known = tuple(known)
    names = tuple(column.name for column in COLUMNS[file])
    parsed = _nothing()
    part = parsed[file]
    _parse_line(part, 1, names, tuple(cells.get(name, "") for name in names))
    row = part.lines[0].row
    mistakes = list(part.mistakes)
    if row is not None:
        mistakes += _doubles(file, row, known)
        mistakes += _new_mistakes(parsed, known, known, district_domains)
    told = sorted({replace(m, row=0) if m.file == file.value else m for m in mistakes})
    return (None if told else row), tuple(told)


def check_end(
    ended: KnownRow, known: Iterable[KnownRow], *, district_domains: Collection[str]
) -> tuple[RegistryMistake, ...]:
    """What would be wrong with the other rows if this one were no more."""
    known = tuple(known)
    left = tuple(other for other in known if other.id != ended.id)
    return tuple(sorted(set(_new_mistakes(_nothing(), known, left, district_domains))))


def _doubles(file: RegistryFile, row: Row, known: Iterable[KnownRow]) -> Iterator[RegistryMistake]:
    """A row of the console need not be one of the registry's already."""
    for other in known:
        if file_of(other.row) is file and to_cells(other.row) == to_cells(row):
            what = f"is in the registry already: {other.said}"
            yield RegistryMistake(file.value, 0, "", what, "nothing is to be done")


def _new_mistakes(
    parsed: dict[RegistryFile, _Parsed],
    before: Sequence[KnownRow],
    after: Sequence[KnownRow],
    district_domains: Collection[str],
) -> set[RegistryMistake]:
    """Mistakes that a change brings; what was wrong before is not held against it."""
    domains = _domains(district_domains)
    old = set(_Checker(_nothing(), domains, before).mistakes())
    return set(_Checker(parsed, domains, after).mistakes()) - old


def _nothing() -> dict[RegistryFile, _Parsed]:
    """All files, read in full, without a row."""
    return {file: _Parsed(Table(file, file.value), is_whole=True) for file in RegistryFile}


def _domains(district_domains: Collection[str]) -> frozenset[str]:
    return frozenset(filter(None, map(parse_domain, district_domains)))


def _place(parts: list[_Parsed]) -> Callable[[RegistryMistake], tuple[int, RegistryMistake]]:
    order = {part.table.label: number for number, part in enumerate(parts)}
    return lambda mistake: (order.get(mistake.file, len(parts)), mistake)


# --- One table ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """One data row: its number, its texts by column, and the row if it could be decoded.

    `known` instead of a number: it is in the registry already.
    """

    number: int
    cells: dict[str, str]
    row: Row | None
    known: KnownRow | None = None

    @property
    def said(self) -> str:
        """How a mistake in another row names this one."""
        return self.known.said if self.known else f"row {self.number}"


@dataclass(slots=True)
class _Parsed:
    table: Table
    lines: list[_Line] = field(default_factory=list)
    mistakes: list[RegistryMistake] = field(default_factory=list)
    is_whole: bool = False
    """The header was right and every row was read, so that a missing id is really missing."""


def _parse(table: Table) -> _Parsed:
    parsed = _Parsed(table, mistakes=list(table.mistakes))
    if not table.rows:
        if not table.mistakes:
            parsed.mistakes.append(table.mistake("is empty", _header_fix(table.file)))
        return parsed
    number, header = table.rows[0]
    names = tuple(trim_end(name.strip() for name in header))
    wrong = list(_header_mistakes(table, number, names))
    parsed.is_whole = not wrong and not table.mistakes
    parsed.mistakes.extend(wrong)
    if wrong:
        return parsed
    for number, cells in table.rows[1:]:
        if any(cell.strip() for cell in cells):
            if problem := _width_problem(table.file, names, len(header), cells):
                parsed.mistakes.append(table.mistake(*problem, row=number))
                parsed.is_whole = False
            else:
                _parse_line(parsed, number, names, cells)
    return parsed


def _header_fix(file: RegistryFile) -> str:
    return "write the header row: " + ",".join(column.name for column in COLUMNS[file])


def _header_mistakes(
    table: Table, number: int, names: tuple[str, ...]
) -> Iterator[RegistryMistake]:
    known = {column.name for column in COLUMNS[table.file]}
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        fix = "save it with commas between the columns"
        yield table.mistake("has other separators than commas", fix, row=number)
        return
    for name in dict.fromkeys(names):
        if name not in known:
            fix = "delete it or correct its name; known are: " + ", ".join(sorted(known))
            yield table.mistake(f"has an unknown column {shown(name)}", fix, row=number)
        elif names.count(name) > 1:
            yield table.mistake("stands there twice", "delete one", row=number, column=name)
    for column in COLUMNS[table.file]:
        if not column.is_optional and column.name not in names:
            fix = _header_fix(table.file)
            yield table.mistake("is missing", fix, row=number, column=column.name)


def _parse_line(
    parsed: _Parsed, number: int, names: tuple[str, ...], cells: tuple[str, ...]
) -> None:
    table = parsed.table
    texts = dict(zip(names, (cell.strip() for cell in cells), strict=False))
    problems = [*_text_problems(texts)]
    row, bad_cells = decode_row(table.file, texts)
    problems.extend(bad_cells)
    if row is not None:
        problems.extend(_row_problems(row))
    said = {(mistake.row, mistake.column) for mistake in table.mistakes}
    parsed.mistakes.extend(
        table.mistake(problem.what, problem.fix, row=number, column=problem.column)
        for problem in problems
        if (number, problem.column) not in said
    )
    parsed.lines.append(_Line(number, texts, row))


def _width_problem(
    file: RegistryFile, names: tuple[str, ...], width: int, cells: tuple[str, ...]
) -> tuple[str, str] | None:
    """What and fix, where a row has too many or too few cells for its header.

    `width` counts the header's empty cells at the end too. Empty cells after the last required
    column may be left out; a workbook does not keep them.
    """
    required = {column.name for column in COLUMNS[file] if not column.is_optional}
    least = max(at for at, name in enumerate(names, start=1) if name in required)
    if least <= len(cells) <= width and not any(cell.strip() for cell in cells[len(names) :]):
        return None
    what = f"has {len(cells)} cells, the header has {len(names)}"
    return what, "add or remove commas; a cell with a comma goes in quotation marks"


def _text_problems(texts: dict[str, str]) -> Iterator[CellProblem]:
    for name, text in texts.items():
        if "\0" in text:  # PostgreSQL cannot store it
            yield CellProblem(name, "holds a NUL character", "delete the cell and type it again")
        if len(text) > LONGEST_CELL:
            what = f"holds more than {LONGEST_CELL:,} characters"
            yield CellProblem(name, what, "shorten it")


# --- One row ------------------------------------------------------------------------------------


def _row_problems(row: Row) -> Iterator[CellProblem]:
    """What is wrong with a row that could be decoded, without looking at others."""
    match row:
        case School():
            yield from _school_problems(row)
        case Identity():
            yield from _identity_problems(row)
        case Certification():
            if row.person_address and not parse_address(row.person_address):
                yield CellProblem("person_address", "is not an e-mail address", _ONE_ADDRESS)
            if row.expires_on < row.certified_on:
                yield _reversed("expires_on", "certified_on")
        case Authorization():
            yield from _authorization_problems(row)
        case Exemption():
            yield from _exemption_problems(row)
        case Contract():
            yield from _contract_problems(row)
        case _:
            pass
    yield from _id_problems(row)


def _reversed(later: str, earlier: str) -> CellProblem:
    return CellProblem(later, f"is before {earlier}", "swap or correct the two")


def _id_problems(row: Row) -> Iterator[CellProblem]:
    for name in ("school_id", "partner_id", "program_id", "contract_id", "authorization_id"):
        text = getattr(row, name, "")
        if ";" in text or text == ALL_SCHOOLS:
            yield CellProblem(name, "is no single id", "write one id, without ; and not *")


def _school_problems(row: School) -> Iterator[CellProblem]:
    for name in ("unit_paths", "principals", "leads"):
        values: tuple[str, ...] = getattr(row, name)
        if len(set(values)) < len(values):
            yield CellProblem(name, "names something twice", "delete one of the two")
    if not row.principals and (row.kind is SchoolKind.SCHOOL or not row.leads):
        fix = "name who may authorize; a department may name leads instead"
        yield CellProblem("principals", "is empty", fix)
    if not all(path.startswith("/") for path in row.unit_paths):
        what = "has a path that does not begin with /"
        yield CellProblem("unit_paths", what, "write whole paths such as /Staff/Lincoln")
    for name in ("principals", "leads"):
        if not all(parse_address(value) for value in getattr(row, name)):
            fix = "write addresses such as name@example.org with ; between them"
            yield CellProblem(name, "holds something that is not an e-mail address", fix)


def _identity_problems(row: Identity) -> Iterator[CellProblem]:
    if row.kind is IdentityKind.ADDRESS:
        if not parse_address(row.value):
            yield CellProblem("value", "is not an e-mail address", _ONE_ADDRESS)
        return
    domain = parse_domain(row.value)
    if domain is None:
        fix = "write the part after @, such as partner.example, or kind address"
        yield CellProblem("value", "is not a mail domain", fix)
    elif is_free_mail(domain):
        yield CellProblem("value", *_FREE_MAIL)


def _contract_problems(row: Contract) -> Iterator[CellProblem]:
    if row.ends_on < row.starts_on:
        yield _reversed("ends_on", "starts_on")
    if ALL_SCHOOLS in row.school_ids and len(row.school_ids) > 1:
        fix = "write * alone for all schools, or only the ids"
        yield CellProblem("school_ids", "mixes * with ids", fix)
    if len(set(row.school_ids)) < len(row.school_ids):
        yield CellProblem("school_ids", "names a school twice", "delete one of the two")


def _authorization_problems(row: Authorization) -> Iterator[CellProblem]:
    if row.ends_on < row.starts_on:
        yield _reversed("ends_on", "starts_on")
    if row.revoked_at and row.revoked_at < row.issued_at:
        yield _reversed("revoked_at", "issued_at")
    if row.host_address and not parse_address(row.host_address):
        yield CellProblem("host_address", "is not an e-mail address", _ONE_ADDRESS)
    if not parse_address(row.authorizer_address):
        yield CellProblem("authorizer_address", "is not an e-mail address", _ONE_ADDRESS)


def _exemption_problems(row: Exemption) -> Iterator[CellProblem]:
    if row.ends_on < row.starts_on:
        yield _reversed("ends_on", "starts_on")
    if row.kind is ExemptionKind.PLATFORM_EXCEPTION and row.platform is None:
        fix = "name the platform the program may use"
        yield CellProblem("platform", "is empty in a platform-exception", fix)
    if row.kind in PROGRAM_KINDS or parse_address(row.value):
        return
    domain = parse_domain(row.value)
    if domain and is_free_mail(domain):
        fix = "exempt the person's full address instead"
        yield CellProblem("value", _FREE_MAIL[0], fix)
    elif not domain and row.kind is not ExemptionKind.CONFIDENTIAL_CLINICAL:
        fix = "write an address such as name@example.org, or a domain"
        yield CellProblem("value", "is neither an address nor a domain", fix)


# --- All tables together ------------------------------------------------------------------------


_Place = tuple[RegistryFile, tuple[str, ...]]


def _other_content(first: _Line) -> tuple[str, str]:
    """What and fix, where two rows of one key say different things."""
    if first.known is None:
        fix = "keep one row, or give this one an id or a first day of its own"
        return f"repeats what {first.said} is about", fix
    fix = "write the same here, end that row in the console, or give this one a key of its own"
    return f"contradicts {first.said}", fix


class _Checker:
    """References, duplicates and district domains across the tables."""

    def __init__(
        self,
        parsed: dict[RegistryFile, _Parsed],
        domains: frozenset[str],
        kept: Sequence[KnownRow],
    ) -> None:
        self._parsed = parsed
        self._domains = domains
        self._ended: dict[_Place, KnownRow] = {}
        self._known_lines: dict[RegistryFile, list[_Line]] = {file: [] for file in RegistryFile}
        self._sort_in(kept)
        self._ids = {
            RegistryFile.SCHOOLS: self._known(RegistryFile.SCHOOLS, "school_id"),
            RegistryFile.PARTNERS: self._known(RegistryFile.PARTNERS, "partner_id"),
            RegistryFile.PROGRAMS: self._known(RegistryFile.PROGRAMS, "program_id"),
        }
        self._owners = {
            line.cells.get("program_id", ""): line.cells.get("partner_id", "")
            for line in self._lines(RegistryFile.PROGRAMS)
        }

    def _sort_in(self, kept: Sequence[KnownRow]) -> None:
        """Rows known already; one that the tables hold too, word for word, is one row with it."""
        given = {
            (file, row_key(line.row)): to_cells(line.row)
            for file, part in self._parsed.items()
            for line in part.lines
            if line.row is not None
        }
        for known in kept:
            file = file_of(known.row)
            place, cells = (file, row_key(known.row)), to_cells(known.row)
            if not known.is_known:
                self._ended[place] = known
            elif given.get(place) != cells:
                self._known_lines[file].append(_Line(0, cells, known.row, known))

    def mistakes(self) -> Iterator[RegistryMistake]:
        """Every mistake that takes more than one row, or the settings, to see."""
        for file in RegistryFile:
            for line in self._lines(file):
                if line.row is not None:
                    for problem in self._problems(line.row):
                        yield self._mistake(
                            file, line, problem.what, problem.fix, column=problem.column
                        )
                    yield from self._came_back(file, line, line.row)
            yield from self._duplicates(file)
        yield from self._identity_clashes()
        yield from self._exemption_overlaps()

    def _lines(self, file: RegistryFile) -> list[_Line]:
        given = self._parsed[file].lines if file in self._parsed else []
        return [*self._known_lines[file], *given]

    def _mistake(
        self, file: RegistryFile, line: _Line, what: str, fix: str, *, column: str = ""
    ) -> RegistryMistake:
        if line.known is not None:
            return RegistryMistake(line.known.place, 0, column, what, fix)
        return self._parsed[file].table.mistake(what, fix, row=line.number, column=column)

    def _came_back(self, file: RegistryFile, line: _Line, row: Row) -> Iterator[RegistryMistake]:
        """A source that still has, word for word, a row that was ended in the console is old."""
        ended = self._ended.get((file, row_key(row)))
        if line.known is None and ended is not None and to_cells(ended.row) == to_cells(row):
            fix = "delete it here, or add it in the console again"
            yield self._mistake(file, line, f"is {ended.said}", fix)

    def _known(self, file: RegistryFile, column: str) -> frozenset[str] | None:
        """All ids of a file; None when it was not read in full, so that nothing is dangling."""
        if file not in self._parsed or not self._parsed[file].is_whole:
            return None
        return frozenset(line.cells.get(column, "") for line in self._lines(file))

    def _problems(self, row: Row) -> Iterator[CellProblem]:
        match row:
            case School():
                yield from self._district(("principals", row.principals), ("leads", row.leads))
            case Program() | Certification():
                yield from self._partner(row.partner_id)
            case Identity():
                yield from self._partner(row.partner_id)
                if row.kind is IdentityKind.DOMAIN and parse_domain(row.value) in self._domains:
                    fix = "register the partner's own domain, or single addresses"
                    yield CellProblem("value", "is a domain of the district itself", fix)
            case Contract():
                yield from self._program(row.partner_id, row.program_id)
                schools = tuple(school for school in row.school_ids if school != ALL_SCHOOLS)
                yield from self._schools("school_ids", schools)
            case Authorization():
                yield from self._program(row.partner_id, row.program_id)
                yield from self._schools("school_id", (row.school_id,))
                yield from self._district(
                    ("authorizer_address", (row.authorizer_address,)),
                    ("host_address", (row.host_address,) if row.host_address else ()),
                )
            case Exemption():
                yield from self._exempted(row)
            case _:
                pass

    def _partner(self, partner_id: str) -> Iterator[CellProblem]:
        known = self._ids[RegistryFile.PARTNERS]
        if known is not None and partner_id not in known:
            fix = "add the partner there, or correct the id"
            yield CellProblem("partner_id", "is not in partners.csv", fix)

    def _program(self, partner_id: str, program_id: str) -> Iterator[CellProblem]:
        yield from self._partner(partner_id)
        known = self._ids[RegistryFile.PROGRAMS]
        if known is None:
            return
        if program_id not in known:
            fix = "add the program there, or correct the id"
            yield CellProblem("program_id", "is not in programs.csv", fix)
        elif self._owners[program_id] != partner_id:
            fix = "correct the program_id or the partner_id"
            yield CellProblem("program_id", "belongs to another partner in programs.csv", fix)

    def _schools(self, column: str, school_ids: tuple[str, ...]) -> Iterator[CellProblem]:
        known = self._ids[RegistryFile.SCHOOLS]
        if known is not None and not known.issuperset(school_ids):
            fix = "add the school there, or correct the id"
            yield CellProblem(column, "names a school that is not in schools.csv", fix)

    def _district(self, *columns: tuple[str, tuple[str, ...]]) -> Iterator[CellProblem]:
        for column, values in columns:
            addresses = filter(None, map(parse_address, values))
            if any(address.domain not in self._domains for address in addresses):
                fix = "use the district account, or add its domain to district.domains"
                yield CellProblem(column, "is outside the district's domains", fix)

    def _exempted(self, row: Exemption) -> Iterator[CellProblem]:
        known = self._ids[RegistryFile.PROGRAMS]
        named = row.kind in PROGRAM_KINDS or (
            row.kind is ExemptionKind.CONFIDENTIAL_CLINICAL
            and not parse_address(row.value)
            and not parse_domain(row.value)
        )
        if named and known is not None and row.value not in known:
            fix = "write the program_id, as in programs.csv"
            yield CellProblem("value", "is not a program of programs.csv", fix)

    def _duplicates(self, file: RegistryFile) -> Iterator[RegistryMistake]:
        seen: dict[tuple[str, ...], _Line] = {}
        column = COLUMNS[file][0].name
        for line in self._lines(file):
            if line.row is None:
                continue
            first = seen.setdefault(row_key(line.row), line)
            if first is line:
                continue
            if first.row is not None and to_cells(first.row) == to_cells(line.row):
                what = f"is the same as {first.said}"
                yield self._mistake(file, line, what, "delete one of the two")
            elif file is not RegistryFile.IDENTITIES:
                what, fix = _other_content(first)
                yield self._mistake(file, line, what, fix, column=column)

    def _identity_clashes(self) -> Iterator[RegistryMistake]:
        seen: dict[tuple[str, str], _Line] = {}
        for line in self._lines(RegistryFile.IDENTITIES):
            if not isinstance(line.row, Identity):
                continue
            address = parse_address(line.row.value)
            name = address.key if address else parse_domain(line.row.value) or line.row.value
            first = seen.setdefault((line.row.kind, name), line)
            if first is line or not isinstance(first.row, Identity):
                continue
            if first.row.partner_id != line.row.partner_id:
                what = f"belongs to another partner already ({first.said})"
                fix = "keep it with one of the two partners"
            elif row_key(first.row) == row_key(line.row) and first.row != line.row:
                what, fix = f"is registered already ({first.said})", "delete one"
            else:
                continue
            yield self._mistake(RegistryFile.IDENTITIES, line, what, fix, column="value")

    def _exemption_overlaps(self) -> Iterator[RegistryMistake]:
        groups: dict[tuple[str, ...], list[tuple[_Line, Exemption]]] = {}
        for line in self._lines(RegistryFile.EXEMPTIONS):
            if isinstance(line.row, Exemption):
                groups.setdefault(row_key(line.row)[:3], []).append((line, line.row))
        for members in groups.values():
            members.sort(key=lambda member: (member[1].starts_on, member[0].number))
            latest, latest_row = members[0]
            for line, row in members[1:]:
                if latest_row.starts_on < row.starts_on <= latest_row.ends_on:
                    what = f"overlaps {latest.said}, which exempts the same"
                    fix = "let it begin after that one ends, or make one row of both"
                    yield self._mistake(
                        RegistryFile.EXEMPTIONS, line, what, fix, column="starts_on"
                    )
                if row.ends_on > latest_row.ends_on:
                    latest, latest_row = line, row
