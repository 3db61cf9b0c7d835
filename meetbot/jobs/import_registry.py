"""Registry → store, all or nothing: the one way in, for the command and for the schedule."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from meetbot.domain.registry import Registry
from meetbot.domain.registry_changes import RegistryDiff, diff
from meetbot.domain.registry_checks import Reading, Source, read_all
from meetbot.domain.registry_tables import RegistryMistake
from meetbot.errors import MeetbotError
from meetbot.jobs.collect_calendars import forget_if_district_identities
from meetbot.jobs.collect_people import note_source
from meetbot.jobs.deps import Deps
from meetbot.ports import Outcome, SourceRead, Store, Tx

SOURCE = "registry-sheet"
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Import:
    """What an import changed, or would have.

    `is_refused`: too much of a file would vanish. With `mistakes` there is nothing to compare.
    """

    changes: RegistryDiff
    is_imported: bool
    is_refused: bool
    mistakes: tuple[RegistryMistake, ...] = ()


@dataclass(frozen=True, slots=True)
class _Compared:
    """A source against what is known."""

    reading: Reading
    changes: RegistryDiff
    is_first: bool


def import_registry(
    store: Store,
    source: Source,
    *,
    district_domains: Collection[str],
    as_of: datetime,
    is_confirmed: bool = False,
) -> Import:
    """Make this what is imported, unless more than 10 % of a file would vanish unconfirmed.

    Every meeting that it may concern becomes due. No difference changes nothing.
    """
    with store.reading() as tx:  # most of the time there is nothing to do, and nobody to hold up
        seen = _compared(tx, source, district_domains)
    if seen.reading.registry is None or (seen.changes.is_empty and not seen.is_first):
        return _as_import(seen, is_imported=seen.reading.registry is not None)
    with store.transaction() as tx:
        return import_in(
            tx, source, district_domains=district_domains, as_of=as_of, is_confirmed=is_confirmed
        )


def import_in(
    tx: Tx,
    source: Source,
    *,
    district_domains: Collection[str],
    as_of: datetime,
    is_confirmed: bool = False,
) -> Import:
    """The same inside a transaction."""
    found = _compared(tx, source, district_domains)
    registry = found.reading.registry
    if registry is None:
        return _as_import(found, is_imported=False)
    if found.changes.needs_confirmation and not is_confirmed:
        return Import(found.changes, is_imported=False, is_refused=True)
    before = tx.registry.current()
    if tx.registry.replace(registry, as_of=as_of):
        note_changed(tx, before, district_domains, as_of)
    return _as_import(found, is_imported=True)


def note_changed(
    tx: Tx,
    before: Registry,
    domains: Collection[str],
    as_of: datetime,
    *,
    concerned: Collection[str] | None = None,
) -> None:
    """Every meeting that a change of the registry may concern is decided again: all of them, or
    those of the keyed guests who are `concerned`."""
    tx.meetings.mark_due(as_of, since=as_of - _KEPT, address_keys=concerned)
    forget_if_district_identities(tx, before, tx.registry.current(), domains)


def preview(tx: Tx, source: Source, district_domains: Collection[str]) -> Import:
    """What an import would change."""
    return _as_import(_compared(tx, source, district_domains), is_imported=False)


def _as_import(found: _Compared, *, is_imported: bool) -> Import:
    return Import(
        found.changes, is_imported=is_imported, is_refused=False, mistakes=found.reading.mistakes
    )


def _compared(tx: Tx, source: Source, district_domains: Collection[str]) -> _Compared:
    kept = tx.registry.kept()
    reading = read_all(source, district_domains=district_domains, kept=kept)
    known = tx.registry.imported()
    changes = diff(known, known if reading.registry is None else reading.registry, kept)
    return _Compared(reading, changes, tx.registry.known_since() is None)


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Import the configured spreadsheet again; the old registry stays while that is not possible.

    A spreadsheet with mistakes, or one that lost more than 10 % of a tab's rows, is a source that
    could not be read: said, counted, and tried again.
    """
    outcome = Outcome("import_registry")
    if deps.registry_source is None:
        _forget(deps)
        return outcome
    tally = outcome.source(SOURCE)
    try:
        imported = import_registry(
            deps.store,
            deps.registry_source.read(),
            district_domains=deps.district.domains,
            as_of=as_of,
        )
    except MeetbotError as error:
        problem = _problem(error)
    else:
        problem = _refusal(imported)
        outcome.count("registry_rows_changed", _size(imported) if imported.is_imported else 0)
    if problem:
        tally.note_failed(problem)
    else:
        tally.read += 1
    note_source(deps, SOURCE, as_of, problem=problem)
    return outcome


def _forget(deps: Deps) -> None:
    """A problem of a spreadsheet that is no longer configured is none."""
    with deps.store.reading() as tx:
        is_failing = bool(tx.meta.source(SOURCE).problem)
    if is_failing:
        with deps.store.transaction() as tx:
            tx.meta.save_source(SourceRead(SOURCE))


def _problem(error: MeetbotError) -> str:
    return f"{error}; {error.fix}" if error.fix else str(error)


def _refusal(imported: Import) -> str:
    """Why nothing was imported; empty where it was."""
    number = len(imported.mistakes)
    if number:
        more = f" (and {number - 1} more mistakes)" if number > 1 else ""
        return f"{imported.mistakes[0].as_mistake()}{more}; the registry from before stays"
    if not imported.is_refused:
        return ""
    tabs = ", ".join(part.file.value for part in imported.changes.vanishing)
    return (
        f"more than 10 % of the rows of {tabs} would vanish; the registry from before stays: "
        "check the spreadsheet, or import it by hand with --yes"
    )


def _size(imported: Import) -> int:
    parts = imported.changes.files
    return sum(len(p.added) + len(p.changed) + len(p.removed) for p in parts)
