"""Directory → snapshot of accounts and groups. Nothing is forgotten unless a newer one is whole."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from meetbot.domain.addresses import parse_address
from meetbot.domain.people import Account, AccountKind
from meetbot.domain.student_data import student_marks
from meetbot.errors import MeetbotError
from meetbot.jobs.deps import Deps
from meetbot.jobs.people import GOOGLE_DOMAINS, known
from meetbot.ports import KnownGroup, Outcome

T = TypeVar("T")

SOURCE = "directory"
_BATCH = 500
_NEVER = timedelta(days=3650)


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Take a new snapshot of users and groups."""
    outcome = Outcome("collect_people")
    _accounts(deps, outcome, as_of)
    _groups(deps, outcome, as_of)
    _domains(deps, outcome, as_of)
    return outcome


def _accounts(deps: Deps, outcome: Outcome, as_of: datetime) -> None:
    tally = outcome.source(SOURCE)
    students: dict[str, bool] = defaultdict(lambda: True)
    with deps.store.reading() as tx:
        is_first = tx.meta.source(SOURCE).read_at is None
    changed, malformed = False, 0
    try:
        for batch in _batches(deps.directory.accounts()):
            deps.go_on()
            accounts = [account for account in batch if account is not None]
            malformed += len(batch) - len(accounts)
            for account in accounts:
                _note_domain(account, students)
            with deps.store.transaction() as tx:
                rows = [known(account, deps.pseudonyms) for account in accounts]
                changed |= bool(tx.people.save(rows, seen_at=as_of))
                changed |= bool(tx.people.note_marks(_marks(deps, accounts)))
            tally.read += len(accounts)
    except MeetbotError as error:
        if changed:
            _read_all_again(deps, as_of)
        tally.note_failed(str(error))
        note_source(deps, SOURCE, as_of, problem=str(error))
        return
    if not tally.read:
        problem = "the directory answered without a single user"
        tally.note_failed(problem)
        note_source(deps, SOURCE, as_of, problem=problem)
        return
    for _ in range(malformed):
        tally.note_failed("an account could not be understood")
    only_students = sorted(domain for domain, only in students.items() if only)
    with deps.store.transaction() as tx:
        # Whoever could not be understood stays what they were, and is asked for by address.
        gone = 0 if malformed else tx.people.sweep(seen_before=as_of)
        outcome.count("accounts_gone", gone)
        tx.meta.set("student-domains", json.dumps(only_students))
    if changed or gone or is_first:
        _read_all_again(deps, as_of)
    note_source(deps, SOURCE, as_of)


def _marks(deps: Deps, accounts: Iterable[Account]) -> dict[str, frozenset[str]]:
    """By person key, the marks by which students are found in texts; none of anybody else."""
    return {
        deps.pseudonyms.id(account.id): student_marks(account, deps.pseudonyms)
        if account.kind is AccountKind.STUDENT
        else frozenset()
        for account in accounts
    }


def _read_all_again(deps: Deps, as_of: datetime) -> None:
    """Events without outsiders and texts are not kept, and who is an outsider or a student is new.

    Until the calendars are read, what is known stays.
    """
    with deps.store.transaction() as tx:
        tx.meetings.forget_marks()
        tx.meetings.mark_due(as_of, since=as_of - timedelta(days=30))


def _note_domain(account: Account, students: dict[str, bool]) -> None:
    address = parse_address(account.primary_address)
    if address is not None:
        is_student = account.kind is AccountKind.STUDENT
        students[address.domain] = students[address.domain] and is_student


def _groups(deps: Deps, outcome: Outcome, as_of: datetime) -> None:
    """Note which addresses are groups; members are read when an event names the group."""
    tally = outcome.source("groups")
    try:
        for batch in _batches(deps.directory.groups()):
            keys = [
                deps.pseudonyms.address(address.key)
                for address in map(parse_address, batch)
                if address
            ]
            with deps.store.transaction() as tx:
                before = tx.people.groups(keys)
                new = [key for key in keys if key not in before]
                for key in new:
                    tx.people.save_group(
                        KnownGroup(key, (), is_complete=False, read_at=as_of - _NEVER)
                    )
                if new:
                    # Events may have named it before anybody could tell that it is a group.
                    tx.meetings.forget_marks()
            tally.read += len(batch)
    except MeetbotError as error:
        tally.note_failed(str(error))
        note_source(deps, "groups", as_of, problem=str(error))
        return
    note_source(deps, "groups", as_of)


def _domains(deps: Deps, outcome: Outcome, as_of: datetime) -> None:
    """Note Google's domains: nobody with an address in one of them is an outsider."""
    tally = outcome.source("domains")
    try:
        domains = deps.directory.domains()
    except MeetbotError as error:
        tally.note_failed(str(error))
        return
    tally.read += 1
    missing = json.dumps(sorted(domains - deps.district.domains))
    with deps.store.transaction() as tx:
        if missing != (tx.meta.get(GOOGLE_DOMAINS) or "[]"):
            tx.meta.set(GOOGLE_DOMAINS, missing)
            tx.meetings.forget_marks()
            tx.meetings.mark_due(as_of, since=as_of - timedelta(days=30))


def note_source(deps: Deps, name: str, as_of: datetime, *, problem: str = "") -> None:
    """Store how a source went; on recovery everything undecided becomes due again."""
    with deps.store.transaction() as tx:
        before = tx.meta.source(name)
        if problem:
            since = before.failing_since or as_of
            tx.meta.save_source(replace(before, problem=problem, failing_since=since))
            return
        tx.meta.save_source(replace(before, read_at=as_of, problem="", failing_since=None))
        if before.failing_since is not None or before.read_at is None:
            tx.meetings.mark_due(as_of, since=as_of - timedelta(days=30))


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
