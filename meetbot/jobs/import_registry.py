"""Registry → store, all or nothing: the one way in, for the command and for the schedule."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from meetbot.domain.registry import Registry
from meetbot.domain.registry_changes import RegistryDiff, diff
from meetbot.errors import BadInput, MeetbotError
from meetbot.jobs.collect_calendars import forget_if_district_identities
from meetbot.jobs.collect_people import note_source
from meetbot.jobs.deps import Deps
from meetbot.ports import Outcome, SourceRead, Store, Tx

SOURCE = "registry-sheet"
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Import:
    """What an import changed, or would have; `is_refused`: too much of a file would vanish."""

    changes: RegistryDiff
    is_imported: bool
    is_refused: bool


def import_registry(
    store: Store,
    registry: Registry,
    *,
    district_domains: Collection[str],
    as_of: datetime,
    is_confirmed: bool = False,
) -> Import:
    """Make this the known registry, unless more than 10 % of a file would vanish unconfirmed.

    Every meeting that it may concern becomes due. No difference changes nothing.
    """
    with store.reading() as tx:  # most of the time there is nothing to do, and nobody to hold up
        changes, is_first = _compared(tx, registry)
    if changes.is_empty and not is_first:
        return Import(changes, is_imported=True, is_refused=False)
    with store.transaction() as tx:
        changes, _ = _compared(tx, registry)
        if changes.needs_confirmation and not is_confirmed:
            return Import(changes, is_imported=False, is_refused=True)
        before = tx.registry.current()
        tx.registry.replace(registry, as_of=as_of)
        tx.meetings.mark_due(as_of, since=as_of - _KEPT)
        forget_if_district_identities(tx, before, registry, district_domains)
    return Import(changes, is_imported=True, is_refused=False)


def preview(store: Store, registry: Registry) -> RegistryDiff:
    """What an import would change."""
    with store.reading() as tx:
        return _compared(tx, registry)[0]


def _compared(tx: Tx, registry: Registry) -> tuple[RegistryDiff, bool]:
    return diff(tx.registry.current(), registry), tx.registry.known_since() is None


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
        problem = _vanishing(imported) if imported.is_refused else ""
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
    if not isinstance(error, BadInput):
        return f"{error}; {error.fix}" if error.fix else str(error)
    number = len(error.mistakes)
    more = f" (and {number - 1} more mistakes)" if number > 1 else ""
    return f"{error.mistakes[0]}{more}; the registry from before stays"


def _vanishing(imported: Import) -> str:
    tabs = ", ".join(part.file.value for part in imported.changes.vanishing)
    return (
        f"more than 10 % of the rows of {tabs} would vanish; the registry from before stays: "
        "check the spreadsheet, or import it by hand with --yes"
    )


def _size(imported: Import) -> int:
    parts = imported.changes.files
    return sum(len(p.added) + len(p.changed) + len(p.removed) for p in parts)
