"""The Directory snapshot: `ports.PeopleStore`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, tuple_

from meetbot.domain.people import AccountKind, KnownAccount
from meetbot.ports import KnownGroup, StaffCalendar
from meetbot.store.statements import batches, one_of, upsert
from meetbot.store.tables import (
    account_addresses,
    accounts,
    groups,
    learned_addresses,
    student_marks,
)

_Known = tuple[KnownAccount, tuple[str, ...]]


_BY_ADDRESS = (
    select(account_addresses.c.address_key, accounts)
    .join_from(account_addresses, accounts)
    .where(one_of(account_addresses.c.address_key, "keys"))
)
_BY_PERSON = select(accounts).where(one_of(accounts.c.person_key, "keys"))
_GROUPS = select(groups).where(one_of(groups.c.address_key, "keys"))
_WITH_MARKS = (
    select(student_marks.c.mark, student_marks.c.person_key)
    .join_from(student_marks, accounts)
    .where(accounts.c.kind == AccountKind.STUDENT, one_of(student_marks.c.mark, "keys"))
)
_MARKS_OF = select(student_marks).where(one_of(student_marks.c.person_key, "keys"))
_LEARNED = select(learned_addresses).where(one_of(learned_addresses.c.id_key, "keys"))


class SqlPeople:
    """Accounts, groups and learned addresses in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, accounts: Iterable[_Known], *, seen_at: datetime) -> frozenset[str]:
        """Upsert accounts, a thousand at a time; gives those that are new or decided anew."""
        changed: set[str] = set()
        for batch in batches(accounts):
            # Pages of a moving list can name one account twice: the later one counts.
            known = {account.person_key: (account, keys) for account, keys in batch}
            changed |= self._changed(known)
            self._write(list(known.values()), seen_at)
        return frozenset(changed)

    def _changed(self, known: Mapping[str, _Known]) -> set[str]:
        query = select(accounts.c.person_key, accounts.c.kind).where(
            accounts.c.person_key.in_(list(known))
        )
        kinds = {row.person_key: row.kind for row in self._connection.execute(query)}
        addresses = self._addresses(known)
        return {
            key
            for key, (account, keys) in known.items()
            if kinds.get(key) != account.kind or addresses[key] != set(keys)
        }

    def _addresses(self, person_keys: Collection[str]) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        query = select(account_addresses.c.person_key, account_addresses.c.address_key).where(
            account_addresses.c.person_key.in_(list(person_keys))
        )
        for person_key, address_key in self._connection.execute(query):
            found[person_key].add(address_key)
        return found

    def _write(self, known: Sequence[_Known], seen_at: datetime) -> None:
        rows = [_account_row(account, seen_at) for account, _ in known]
        upsert(self._connection, accounts, rows, key=["person_key"])
        before = self._addresses([account.person_key for account, _ in known])
        lost: list[str] = []
        won: dict[str, str] = {}
        for account, keys in known:
            lost += before[account.person_key] - set(keys)
            won |= dict.fromkeys(set(keys) - before[account.person_key], account.person_key)
        for some in batches(lost):
            self._connection.execute(
                delete(account_addresses).where(account_addresses.c.address_key.in_(some))
            )
        # An alias may pass from one account to another.
        links = [{"address_key": a, "person_key": p} for a, p in won.items()]
        upsert(self._connection, account_addresses, links, key=["address_key"])

    def sweep(self, *, seen_before: datetime) -> int:
        """Forget accounts that were last seen before; gives how many."""
        gone = delete(accounts).where(accounts.c.seen_at < seen_before)
        return self._connection.execute(gone).rowcount

    def by_address(self, address_keys: Collection[str]) -> dict[str, KnownAccount]:
        """Accounts by address key."""
        found: dict[str, KnownAccount] = {}
        for keys in batches(address_keys):
            for row in self._connection.execute(_BY_ADDRESS, {"keys": keys}):
                found[row.address_key] = _account(row)
        return found

    def by_person(self, person_keys: Collection[str]) -> dict[str, KnownAccount]:
        """Accounts by keyed id."""
        found: dict[str, KnownAccount] = {}
        for keys in batches(person_keys):
            for row in self._connection.execute(_BY_PERSON, {"keys": keys}):
                found[row.person_key] = _account(row)
        return found

    def note_marks(self, marks: Mapping[str, Collection[str]]) -> frozenset[str]:
        """Replace the marks of these people; gives those whose marks changed."""
        changed: set[str] = set()
        for people in batches(marks):
            wanted = {(mark, person) for person in people for mark in marks[person]}
            rows = self._connection.execute(_MARKS_OF, {"keys": people})
            stored = {(row.mark, row.person_key) for row in rows}
            for gone in batches(stored - wanted):
                pair = tuple_(student_marks.c.mark, student_marks.c.person_key)
                self._connection.execute(delete(student_marks).where(pair.in_(gone)))
            for new in batches(wanted - stored):
                values = [{"mark": mark, "person_key": person} for mark, person in new]
                self._connection.execute(insert(student_marks), values)
            changed |= {person for _, person in stored ^ wanted}
        return frozenset(changed)

    def with_marks(self, marks: Collection[str]) -> dict[str, frozenset[str]]:
        """Person keys of students by mark."""
        found: dict[str, set[str]] = defaultdict(set)
        for keys in batches(marks):
            for mark, person_key in self._connection.execute(_WITH_MARKS, {"keys": keys}):
                found[mark].add(person_key)
        return {mark: frozenset(people) for mark, people in found.items()}

    def staff_calendars(self) -> list[StaffCalendar]:
        """Calendars of active staff, by address."""
        query = select(accounts.c.address, accounts.c.person_key).where(
            accounts.c.kind == AccountKind.STAFF, accounts.c.address.is_not(None)
        )
        rows = self._connection.execute(query)
        # Sorted here: engines disagree about the order of texts.
        return sorted((StaffCalendar(*row) for row in rows), key=lambda c: c.address)

    def count(self) -> Mapping[AccountKind, int]:
        """How many accounts of each kind, 0 included."""
        query = select(accounts.c.kind, func.count()).group_by(accounts.c.kind)
        found = {AccountKind(kind): number for kind, number in self._connection.execute(query)}
        return {kind: found.get(kind, 0) for kind in AccountKind}

    def save_group(self, group: KnownGroup) -> None:
        """Remember a group's members."""
        row = {
            "address_key": group.address_key,
            "members": group.members,
            "is_complete": group.is_complete,
            "read_at": group.read_at,
        }
        upsert(self._connection, groups, [row], key=["address_key"])

    def groups(self, address_keys: Collection[str]) -> dict[str, KnownGroup]:
        """Groups by keyed address."""
        found: dict[str, KnownGroup] = {}
        for keys in batches(address_keys):
            for row in self._connection.execute(_GROUPS, {"keys": keys}):
                found[row.address_key] = KnownGroup(
                    row.address_key, row.members, is_complete=row.is_complete, read_at=row.read_at
                )
        return found

    def learn(self, id_key: str, address_key: str, address: str, *, at: datetime) -> None:
        """Remember an outsider's clear address."""
        row = {
            "id_key": id_key,
            "address_key": address_key,
            "address": address,
            "learned_at": at,
        }
        upsert(self._connection, learned_addresses, [row], key=["id_key"])

    def learned(self, id_keys: Collection[str]) -> dict[str, tuple[str, str]]:
        """(address key, address) by Meet id key."""
        found: dict[str, tuple[str, str]] = {}
        for keys in batches(id_keys):
            for row in self._connection.execute(_LEARNED, {"keys": keys}):
                found[row.id_key] = (row.address_key, row.address)
        return found


def _account_row(account: KnownAccount, seen_at: datetime) -> dict[str, Any]:
    # The last gate: whatever the caller says, nothing clear of a student is written.
    is_student = account.kind is AccountKind.STUDENT
    return {
        "person_key": account.person_key,
        "kind": account.kind,
        "unit_path": account.unit_path,
        "google_id": None if is_student else account.id,
        "address": None if is_student else account.address,
        "display_name": "" if is_student else account.display_name,
        "guest_address": None if is_student else account.guest_address,
        "seen_at": seen_at,
    }


def _account(row: Row[Any]) -> KnownAccount:
    return KnownAccount(
        person_key=row.person_key,
        kind=AccountKind(row.kind),
        unit_path=row.unit_path,
        id=row.google_id,
        address=row.address,
        display_name=row.display_name,
        guest_address=row.guest_address,
    )
