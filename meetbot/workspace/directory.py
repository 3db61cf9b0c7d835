"""Admin SDK Directory v1 → accounts, groups, domains and org units, as the admin subject.

Source: https://developers.google.com/workspace/admin/directory/reference/rest/v1/users
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from meetbot.domain.people import Account, DistrictUnits
from meetbot.errors import AccessDenied, NotFound, Permanent
from meetbot.ports import GroupMember
from meetbot.workspace.api import DOMAINS, GROUPS, UNITS, USERS, Api
from meetbot.workspace.client import GoogleClient
from meetbot.workspace.raw import (
    LONGEST_NAME,
    Raw,
    as_flag,
    as_object,
    as_objects,
    as_text,
)
from meetbot.workspace.refusals import items_of, status_of, unreadable

_CUSTOMER = "my_customer"
_USER_FIELDS = (
    "id,primaryEmail,aliases,nonEditableAliases,orgUnitPath,suspended,archived,isGuestUser,"
    "guestAccountInfo/primaryGuestEmail,name(fullName,givenName,familyName),externalIds/value"
)
_LIST = {"customer": _CUSTOMER, "projection": "basic"}
_PROBE_AGE = 60.0
"""Seconds for which a successful listing proves that the admin may read users."""


class GoogleDirectory:
    """`ports.DirectoryPort`. Errors are those of `GoogleClient.call`."""

    def __init__(
        self,
        client: GoogleClient,
        admin: str,
        units: DistrictUnits,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        service = client.service(Api.DIRECTORY)
        self._client = client
        self._admin = admin
        self._district = units
        self._clock = clock
        self._users = service.users()
        self._groups = service.groups()
        self._members = service.members()
        self._units = service.orgunits()
        self._domains = service.domains()
        self._lock = threading.Lock()
        self._proven_at: float | None = None

    def accounts(self) -> Iterator[Account | None]:
        """All users of the customer, page by page, guests and suspended ones included.

        None stands for one that could not be understood.
        """
        pages = self._client.pages(
            USERS,
            self._admin,
            self._users.list,
            **_LIST,
            maxResults=500,
            fields=f"nextPageToken,users({_USER_FIELDS})",
        )
        for page in pages:
            self._note_proof()
            for raw in items_of(USERS, page, "users"):
                yield to_account(raw, self._district)

    def account(self, key: str) -> Account | None:
        """One user by id, primary address or alias; None when Google does not know it here.

        Google answers 404, 403 or 400 to somebody of another domain. 403 is also the answer to an
        admin without rights, so it only counts when users can be listed. Raises `AccessDenied`
        where they cannot.
        """
        if not key.strip():
            return None
        try:
            raw = self._client.call(
                USERS,
                self._admin,
                self._users.get,
                userKey=key,
                projection="basic",
                fields=_USER_FIELDS,
            )
        except Permanent as error:
            self._must_be_about_key(error)
            return None
        self._note_proof()
        account = to_account(raw, self._district)
        if account is None:
            raise unreadable(USERS, "an account that could not be understood")
        return account

    def groups(self) -> Iterator[str]:
        """All addresses of groups, aliases included, page by page."""
        pages = self._client.pages(
            GROUPS,
            self._admin,
            self._groups.list,
            customer=_CUSTOMER,
            maxResults=200,
            fields="nextPageToken,groups(email,aliases,nonEditableAliases)",
        )
        for page in pages:
            for raw in items_of(GROUPS, page, "groups"):
                yield from _addresses(raw, "email")

    def members(self, group: str) -> tuple[GroupMember, ...]:
        """All members, nested groups opened; raises `NotFound` for a foreign group.

        A nested group stays as `is_group` when it is foreign, which Google tells by 404 or 403.
        `includeDerivedMembership` also lists nested groups themselves, so each is asked for once
        to know whether it was opened.
        """
        seen = {group.lower()}
        members: dict[str, GroupMember] = {}
        waiting = self._listed(group)
        while waiting:
            member = waiting.pop()
            key = member.address.lower()
            if key in seen:
                continue
            seen.add(key)
            if member.is_group and key:
                try:
                    waiting += self._listed(member.address)
                    continue
                except (NotFound, AccessDenied) as error:
                    if status_of(error) not in (403, 404):
                        raise
            members[key] = member
        return tuple(members.values())

    def domains(self) -> frozenset[str]:
        """Verified domains and their verified aliases, lower case."""
        answer = self._client.call(
            DOMAINS,
            self._admin,
            self._domains.list,
            customer=_CUSTOMER,
            fields="domains(domainName,verified,domainAliases(domainAliasName,verified))",
        )
        found: set[str] = set()
        for domain in items_of(DOMAINS, answer, "domains"):
            for name, raw in _domain_names(domain):
                if name and as_flag(raw.get("verified")):
                    found.add(name.lower())
        return frozenset(found)

    def units(self) -> frozenset[str]:
        """All `orgUnitPath`s, the root `/` included."""
        answer = self._client.call(
            UNITS,
            self._admin,
            self._units.list,
            customerId=_CUSTOMER,
            type="all",
            fields="organizationUnits(orgUnitPath)",
        )
        paths = {
            as_text(raw.get("orgUnitPath")) for raw in items_of(UNITS, answer, "organizationUnits")
        }
        return frozenset(paths - {""} | {"/"})

    def _listed(self, group: str) -> list[GroupMember]:
        pages = self._client.pages(
            GROUPS,
            self._admin,
            self._members.list,
            groupKey=group,
            includeDerivedMembership=True,
            maxResults=200,
            fields="nextPageToken,members(id,email,type)",
        )
        found = [to_member(raw) for page in pages for raw in items_of(GROUPS, page, "members")]
        found.reverse()  # members() takes from the end
        return found

    def _must_be_about_key(self, error: Permanent) -> None:
        """Raise the error unless it says that Google does not know this key here."""
        status = status_of(error)
        if status == 404 and isinstance(error, NotFound):
            return
        if status not in (400, 403):
            raise error
        with self._lock:
            proven_at = self._proven_at
        if proven_at is not None and self._clock() - proven_at < _PROBE_AGE:
            return
        self.check_users()

    def check_users(self) -> None:
        """List one user, to see whether the admin may."""
        self._client.call(
            USERS, self._admin, self._users.list, **_LIST, maxResults=1, fields="users/id"
        )
        self._note_proof()

    def check_groups(self) -> None:
        """List one group at most; raises what stands in the way."""
        self._client.call(
            GROUPS,
            self._admin,
            self._groups.list,
            customer=_CUSTOMER,
            maxResults=1,
            fields="groups/email",
        )

    def _note_proof(self) -> None:
        with self._lock:
            self._proven_at = self._clock()


def to_account(raw: Raw, district: DistrictUnits) -> Account | None:
    """One user; None without id, address, or (guests aside) org unit, which tells the kind."""
    google_id, primary = as_text(raw.get("id")), as_text(raw.get("primaryEmail"))
    unit_path = as_text(raw.get("orgUnitPath"))
    is_guest = as_flag(raw.get("isGuestUser"))
    if not google_id or not primary or not (unit_path or is_guest):
        return None
    active = not (as_flag(raw.get("suspended")) or as_flag(raw.get("archived")))
    guest = as_text(as_object(raw.get("guestAccountInfo")).get("primaryGuestEmail"))
    name = as_object(raw.get("name"))
    return Account(
        id=google_id,
        primary_address=primary,
        addresses=_addresses(raw, "primaryEmail"),
        kind=district.kind_of(unit_path, active=active, guest=is_guest),
        unit_path=unit_path,
        display_name=as_text(name.get("fullName"), LONGEST_NAME),
        guest_address=guest or None,
        given_name=as_text(name.get("givenName"), LONGEST_NAME),
        family_name=as_text(name.get("familyName"), LONGEST_NAME),
        other_ids=_other_ids(raw),
    )


def _other_ids(raw: Raw) -> tuple[str, ...]:
    """Ids the district gave; the reference allows strings of any form."""
    values = (as_text(one.get("value"), LONGEST_NAME) for one in as_objects(raw.get("externalIds")))
    return tuple(dict.fromkeys(value for value in values if value))


def to_member(raw: Raw) -> GroupMember:
    """One entry of a group. Whole customers and entries without address cannot be opened."""
    address = as_text(raw.get("email"))
    is_group = as_text(raw.get("type")).upper() not in ("USER", "") or not address
    return GroupMember(address, is_group)


def _addresses(raw: Raw, primary: str) -> tuple[str, ...]:
    """The primary address and all aliases, each once; never `emails[]`, which users edit."""
    texts = [as_text(raw.get(primary))]
    for name in ("aliases", "nonEditableAliases"):
        given = raw.get(name)
        texts += [as_text(one) for one in given] if isinstance(given, list) else []
    return tuple(dict.fromkeys(text for text in texts if text))


def _domain_names(domain: Raw) -> list[tuple[str, Raw]]:
    aliases = as_objects(domain.get("domainAliases"))
    return [
        (as_text(domain.get("domainName")), domain),
        *((as_text(alias.get("domainAliasName")), alias) for alias in aliases),
    ]
