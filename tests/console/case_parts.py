"""Cases of the demo district, and what tests do to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import event

from meetbot.domain.casework import Case, EventKind, Noted
from meetbot.domain.findings import Severity
from meetbot.domain.flags import ChangeKind, Flag, FlagChange
from meetbot.ports import CaseOrder, CaseQuery
from tests.console.conftest import Console


def all_cases(console: Console) -> list[Case]:
    """Every case, the most urgent first."""
    with console.store.reading() as tx:
        query = CaseQuery(private=True)
        return list(tx.cases.list(query, order=CaseOrder.SEVERE, limit=1000).cases)


def case_with(console: Console, rule: str, *, school: str | None = None) -> Case:
    """The first case with a flag of a rule, of a school if given."""
    return next(
        case
        for case in all_cases(console)
        if rule in case.rules and (school is None or school in case.schools)
    )


def again(console: Console, case: Case) -> Case:
    """The case as it is now."""
    with console.store.reading() as tx:
        found = tx.cases.find(case.id)
    assert found is not None
    return found


def kinds(console: Console, case: Case) -> list[EventKind]:
    """What was done about a case."""
    with console.store.reading() as tx:
        return [one.kind for one in tx.cases.events(case.id)]


def flags_of(console: Console, case: Case) -> list[Flag]:
    """Its flags."""
    with console.store.reading() as tx:
        return tx.flags.of(case.occurrence)


def host_of(console: Console, case: Case) -> str:
    """The address of who may answer."""
    with console.store.reading() as tx:
        account = tx.people.by_address(case.answerers)[case.answerers[0]]
    assert account.address is not None
    return account.address


def make_private(console: Console, case: Case, like: Case | None = None) -> Case:
    """Have the judge say that the meeting was confidential; with the host of another if given."""
    of = like or case
    noted = Noted(of.host_key, of.answerers, of.schools, True, case.starts_at)
    with console.store.transaction() as tx:
        tx.cases.note(case.occurrence, noted)
    return again(console, case)


def change_flag(console: Console, case: Case, **values: object) -> None:
    """Have the rules change one flag of a case."""
    flag = flags_of(console, case)[0]
    after = replace(flag, updated_at=flag.updated_at + timedelta(minutes=1), **values)  # type: ignore[arg-type]
    with console.store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.UPDATED, after)], as_of=after.updated_at)


def four_eyes(console: Console) -> None:
    """Have critical flags decided by two officers from now on."""
    services = console.app.extensions["meetbot"]
    district = replace(services.deps.district, four_eyes=frozenset({Severity.CRITICAL}))
    deps = replace(services.deps, district=district)
    console.app.extensions["meetbot"] = replace(services, deps=deps)


@contextmanager
def statements(console: Console) -> Iterator[list[str]]:
    """The statements that the database is asked in the meantime."""
    seen: list[str] = []

    def note(*given: object) -> None:
        seen.append(str(given[2]))

    engine = console.store._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
