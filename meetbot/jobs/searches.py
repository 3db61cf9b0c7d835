"""Invitations of meetings in scope → what they hold of students. The texts themselves end here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from meetbot.domain.addresses import Address
from meetbot.domain.invitation import Invitation, MarkKind, TextSearch
from meetbot.domain.meetings import KeptCopy
from meetbot.domain.people import AccountKind, KnownAccount
from meetbot.domain.shared_files import SharedFile, shared_files
from meetbot.domain.student_data import Candidate, Match, candidates, marks_of, matches_of
from meetbot.jobs.deps import Deps
from meetbot.jobs.people import People
from meetbot.ports import CopyChanges

_MOST_ASKED = 20
"""Addresses of one invitation that the directory is asked about: anybody may write thousands."""

_MOST_AT_ONCE = 200_000
"""Characters searched at once: some 50 MiB at worst."""

Place = tuple[str, str]
"""Calendar and event id of a copy."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the directory says of everything that some invitations hold."""

    students: Mapping[str, frozenset[str]]
    student_addresses: frozenset[str]
    unknown: frozenset[str]
    """Keys of addresses of the district that nobody could tell about."""


@dataclass(frozen=True, slots=True, repr=False)
class _Found:
    """What one invitation holds, whoever is invited."""

    matches: tuple[Match, ...]
    files: tuple[SharedFile, ...]
    is_complete: bool
    is_cut: bool


def _portions(invitations: Iterable[Invitation]) -> Iterator[list[Invitation]]:
    """Some invitations at a time: of each word more is held while it is looked up."""
    portion: list[Invitation] = []
    size = 0
    for invitation in invitations:
        portion.append(invitation)
        size += sum(len(text) for _, text in invitation.texts)
        if size > _MOST_AT_ONCE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


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
        found = dict(self._found(set(invitations.values())))

        def one(copy: KeptCopy) -> KeptCopy:
            invitation = invitations.get((copy.calendar, copy.event_id))
            return copy if invitation is None else self._with(copy, found[invitation])

        return [replace(c, keep=tuple(map(one, c.keep))) if c.keep else c for c in changes]

    def _found(self, invitations: Iterable[Invitation]) -> Iterator[tuple[Invitation, _Found]]:
        for some in _portions(invitations):
            groups = {
                invitation: candidates(invitation, self._deps.pseudonyms) for invitation in some
            }
            known = self._look_up(groups.values())
            for invitation, group in groups.items():
                yield (
                    invitation,
                    _Found(
                        matches_of(
                            group,
                            students=known.students,
                            student_addresses=known.student_addresses,
                        ),
                        shared_files(invitation, self._deps.policy.files),
                        is_complete=self._is_directory_known
                        and not invitation.is_cut
                        and not any(candidate.key in known.unknown for candidate in group),
                        is_cut=invitation.is_cut,
                    ),
                )

    def _with(self, copy: KeptCopy, found: _Found) -> KeptCopy:
        guests = [*copy.guests, *(g for g in (copy.organizer, copy.creator) if g)]
        marks = marks_of(
            found.matches,
            guests=[guest.name_tokens for guest in guests],
            pseudonyms=self._deps.pseudonyms,
        )
        search = TextSearch(marks, found.is_complete, found.is_cut)
        return replace(copy, search=search, files=found.files)

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
