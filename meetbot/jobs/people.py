"""Looking people up: the directory snapshot first, Google for what it does not hold.

Shared by the collecting jobs. A snapshot is always a little old, so an address or id of the
district that it lacks is asked for directly before anybody is called an outsider.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from threading import Lock

from meetbot.domain.addresses import Address, parse_address
from meetbot.domain.identity import name_tokens
from meetbot.domain.meetings import KeptGuest
from meetbot.domain.people import Account, AccountKind, KnownAccount, Pseudonyms
from meetbot.errors import BadAnswer, MeetbotError, NotFound
from meetbot.jobs.deps import Deps, District
from meetbot.ports import KnownGroup, Outcome, Reads, Tally

GOOGLE_DOMAINS = "google-domains"
_GROUP_AGE = timedelta(hours=6)
"""How long a group's members are taken as known."""
_MOST_ODD = 4
"""Answers that cannot be understood after which the directory counts as down."""
_LOOKED_UP_FOR = timedelta(hours=36)
"""How long somebody who was asked for stays known without being listed: so late may lists be.

https://developers.google.com/workspace/admin/directory/v1/guides/search-users
"""


def known(account: Account, pseudonyms: Pseudonyms) -> tuple[KnownAccount, tuple[str, ...]]:
    """An account as the store may keep it (clear only for who is not a student), with its keys."""
    is_student = account.kind is AccountKind.STUDENT
    parsed = [parse_address(text) for text in (account.primary_address, *account.addresses)]
    keys = {pseudonyms.address(address.key) for address in parsed if address}
    kept = KnownAccount(
        person_key=pseudonyms.id(account.id),
        kind=account.kind,
        unit_path=account.unit_path,
        id=None if is_student else account.id,
        address=None if is_student else account.primary_address,
        display_name="" if is_student else account.display_name[:200],
        guest_address=account.guest_address,
    )
    return kept, tuple(sorted(keys))


def read_student_domains(tx: Reads) -> frozenset[str]:
    """Domains in which the last directory snapshot held students only."""
    return frozenset(json.loads(tx.meta.get("student-domains") or "[]"))


def read_district_domains(district: District, tx: Reads) -> frozenset[str]:
    """The configured domains, and those that Google last said belong to the district."""
    known = json.loads(tx.meta.get(GOOGLE_DOMAINS) or "[]")
    return district.domains | frozenset(known)


class People:
    """Looks up accounts and groups for one run; remembers answers, also negative ones."""

    def __init__(self, deps: Deps, outcome: Outcome, as_of: datetime) -> None:
        self._deps = deps
        self._tally: Tally = outcome.source("directory-lookups")
        self._groups_tally: Tally = outcome.source("groups")
        self._as_of = as_of
        self._lock = Lock()
        self._asked: dict[str, KnownAccount | None] = {}
        self._failed: set[str] = set()
        self._malformed = 0
        self._is_down = False
        with deps.store.reading() as tx:
            self.student_domains = read_student_domains(tx)
            self.district_domains = read_district_domains(deps.district, tx)

    def by_address(self, addresses: Iterable[Address]) -> dict[str, KnownAccount]:
        """Accounts by address key. Addresses outside the district's domains are not asked for."""
        wanted = {self._deps.pseudonyms.address(a.key): a for a in addresses}
        with self._deps.store.reading() as tx:
            found = tx.people.by_address(list(wanted))
        for key, address in wanted.items():
            if key not in found and address.domain in self.district_domains:
                account = self._ask(key, address.text)
                if account is not None:
                    found[key] = account
        return found

    def by_id(self, google_ids: Collection[str]) -> tuple[dict[str, KnownAccount], frozenset[str]]:
        """Accounts by keyed id, and the keys of ids that Google could not be asked about."""
        wanted = {self._deps.pseudonyms.id(i): i for i in google_ids}
        with self._deps.store.reading() as tx:
            found = tx.people.by_person(list(wanted))
        for key, google_id in wanted.items():
            if key not in found:
                account = self._ask(key, google_id)
                if account is not None:
                    found[key] = account
        return found, frozenset(self._failed & wanted.keys())

    @property
    def has_undecided(self) -> bool:
        """Whether the directory could not be asked about anybody in this run."""
        return bool(self._failed)

    def is_undecided(self, key: str) -> bool:
        """Whether the directory could not be asked about this person or group in this run."""
        return key in self._failed

    def _ask(self, key: str, google_key: str) -> KnownAccount | None:
        with self._lock:
            if key in self._asked:
                return self._asked[key]
            if self._is_down or key in self._failed:
                self._failed.add(key)
                return None
        try:
            account = self._deps.directory.account(google_key)
        except MeetbotError as error:
            with self._lock:
                # One clear failure is enough; the snapshot goes on serving. An answer that cannot
                # be understood concerns one person, unless there are many.
                self._malformed += isinstance(error, BadAnswer)
                self._is_down = not isinstance(error, BadAnswer) or self._malformed > _MOST_ODD
                self._failed.add(key)
                self._tally.note_failed(str(error))
            return None
        kept = None
        if account is not None:
            kept, keys = known(account, self._deps.pseudonyms)
            with self._deps.store.transaction() as tx:
                tx.people.save([(kept, keys)], seen_at=self._as_of + _LOOKED_UP_FOR)
        with self._lock:
            self._asked[key] = kept
            self._tally.read += 1
        return kept

    def groups(self, addresses: Iterable[Address]) -> dict[str, KnownGroup]:
        """The groups among these addresses, expanded; old expansions are read again."""
        wanted = {self._deps.pseudonyms.address(a.key): a for a in addresses}
        with self._deps.store.reading() as tx:
            found = tx.people.groups(list(wanted))
        for key, group in list(found.items()):
            if not group.is_complete or group.read_at < self._as_of - _GROUP_AGE:
                found[key] = self._expand(key, wanted[key], group)
        return found

    def _expand(self, key: str, address: Address, before: KnownGroup) -> KnownGroup:
        try:
            members = self._deps.directory.members(address.text)
        except NotFound:
            # The list of groups was newer than this answer: nobody can tell who is in it.
            return KnownGroup(key, before.members, is_complete=False, read_at=self._as_of)
        except MeetbotError as error:
            with self._lock:
                self._failed.add(key)
                self._groups_tally.note_failed(str(error))
            return KnownGroup(key, before.members, before.is_complete, before.read_at)
        parsed = [(m, parse_address(m.address)) for m in members]
        accounts = self.by_address([a for _, a in parsed if a])
        guests = tuple(
            self.keep(a, "", accounts, via_group=key)
            for member, a in parsed
            if a and not (member.is_group and a.domain in self.district_domains)
        )  # a list of another organization is an outsider, whoever is on it
        is_complete = all(a is not None and not member.is_group for member, a in parsed)
        group = KnownGroup(key, guests, is_complete, self._as_of)
        with self._lock:
            self._groups_tally.read += 1
            if any(guest.address_key in self._failed for guest in guests):
                self._failed.add(key)
                return group
        with self._deps.store.transaction() as tx:
            tx.people.save_group(group)
        return group

    def keep(
        self,
        address: Address,
        display_name: str,
        accounts: Mapping[str, KnownAccount],
        *,
        response: str = "needsAction",
        is_resource: bool = False,
        is_organizer: bool = False,
        via_group: str | None = None,
    ) -> KeptGuest:
        """A guest as the store may keep it: no clear address, no name words of a student."""
        key = self._deps.pseudonyms.address(address.key)
        account = accounts.get(key)
        kind = account.kind if account else None
        is_student = kind is AccountKind.STUDENT or (
            account is None and address.domain in self.student_domains
        )
        name = display_name or (account.display_name if account else "")
        return KeptGuest(
            address_key=key,
            domain=address.domain,
            address=None if is_student else address.text,
            response=response,
            is_resource=is_resource,
            is_organizer=is_organizer,
            name_tokens=()
            if is_student
            else name_tokens(self._deps.pseudonyms, name, address.local),
            via_group=via_group,
        )
