"""Invitations of meetings in scope → what they hold of students. The texts themselves end here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from meetbot.domain.addresses import Address
from meetbot.domain.invitation import Invitation, MarkKind, TextSearch
from meetbot.domain.meetings import KeptCopy
from meetbot.domain.people import AccountKind, KnownAccount
from meetbot.domain.shared_files import shared_files
from meetbot.domain.student_data import Candidate, candidates, marks_of
from meetbot.jobs.deps import Deps
from meetbot.jobs.people import People
from meetbot.ports import CopyChanges

_MOST_ASKED = 20
"""Addresses of one invitation that the directory is asked about: anybody may write thousands."""

Place = tuple[str, str]
"""Calendar and event id of a copy."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the directory says of everything that some invitations hold."""

    students: Mapping[str, frozenset[str]]
    student_addresses: frozenset[str]
    unknown: frozenset[str]
    """Keys of addresses of the district that nobody could tell about."""


class Searches:
    """Searches the invitations of one run."""

    def __init__(self, deps: Deps, people: People) -> None:
        self._deps = deps
        self._people = people
        with deps.store.reading() as tx:
            self._is_directory_known = tx.meta.source("directory").read_at is not None

    def noted(
        self, changes: Iterable[CopyChanges], invitations: Mapping[Place, Invitation]
    ) -> list[CopyChanges]:
        """The changes, each kept copy with what its invitation holds; equal ones searched once."""
        found = {
            invitation: candidates(invitation, self._deps.pseudonyms)
            for invitation in set(invitations.values())
        }
        files = {
            invitation: shared_files(invitation, self._deps.policy.files) for invitation in found
        }
        known = self._look_up(found.values())

        def one(copy: KeptCopy) -> KeptCopy:
            invitation = invitations.get((copy.calendar, copy.event_id))
            if invitation is None:
                return copy
            search = self._search(copy, invitation, found[invitation], known)
            return replace(copy, search=search, files=files[invitation])

        return [replace(c, keep=tuple(map(one, c.keep))) if c.keep else c for c in changes]

    def _search(
        self, copy: KeptCopy, invitation: Invitation, found: tuple[Candidate, ...], known: _Known
    ) -> TextSearch:
        guests = [*copy.guests, *(g for g in (copy.organizer, copy.creator) if g)]
        marks = marks_of(
            found,
            students=known.students,
            student_addresses=known.student_addresses,
            guests=[guest.name_tokens for guest in guests],
            pseudonyms=self._deps.pseudonyms,
        )
        is_all_known = not any(candidate.key in known.unknown for candidate in found)
        is_complete = self._is_directory_known and is_all_known and not invitation.is_cut
        return TextSearch(marks, is_complete, invitation.is_cut)

    def _look_up(self, found: Iterable[tuple[Candidate, ...]]) -> _Known:
        groups = list(found)
        addresses = {c.key: c.address for group in groups for c in group if c.address}
        marks = {c.key for group in groups for c in group if c.kind is not MarkKind.ADDRESS}
        with self._deps.store.reading() as tx:
            accounts = tx.people.by_address(list(addresses))
            students = tx.people.with_marks(marks)
        asked = {
            key: address
            for group in groups
            for key, address in list(self._doubtful(group, accounts))[:_MOST_ASKED]
        }
        if asked:
            accounts |= self._people.by_address(asked.values())
        unknown = {
            key
            for group in groups
            for key, _ in self._doubtful(group, accounts)
            if key not in asked or self._people.is_undecided(key)
        }
        return _Known(
            students,
            frozenset(k for k, a in addresses.items() if self._is_student(accounts.get(k), a)),
            frozenset(unknown),
        )

    def _doubtful(
        self, group: Iterable[Candidate], accounts: Mapping[str, KnownAccount]
    ) -> Iterator[tuple[str, Address]]:
        """Addresses of the district that no snapshot knows, outside the students' domains."""
        for candidate in group:
            address = candidate.address
            if address is None or candidate.key in accounts:
                continue
            is_ours = address.domain in self._deps.district.domains
            if is_ours and address.domain not in self._people.student_domains:
                yield candidate.key, address

    def _is_student(self, account: KnownAccount | None, address: Address) -> bool:
        if account is not None:
            return account.kind is AccountKind.STUDENT
        return address.domain in self._people.student_domains
