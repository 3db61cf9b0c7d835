"""Who a guest is: keyed guests against directory, registry and exemptions; scope of a meeting.

Rule catalogue §2 (Identity confidence, Classes, In scope) and §4 (exempt outsiders).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from meetbot.domain.addresses import Address, is_free_mail, parse_address, parse_domain
from meetbot.domain.attendance import Attendance, IdentityForm
from meetbot.domain.dates import local_interval
from meetbot.domain.dossier import Invitee
from meetbot.domain.meetings import KeptGuest, Meeting, Scope
from meetbot.domain.people import AccountKind, Confidence, Kind, KnownAccount, Pseudonyms
from meetbot.domain.registry import (
    NOT_PARTNER_KINDS,
    Exemption,
    Identity,
    IdentityKind,
    Registry,
    School,
)

_CALENDAR_HOSTS = ("calendar.google.com",)
"""Secondary, class and resource calendars: `…@group.calendar.google.com` and its siblings."""


def is_calendar_address(domain: str) -> bool:
    """Whether a domain is Google's own for calendars that are nobody's mailbox."""
    return any(domain == host or domain.endswith("." + host) for host in _CALENDAR_HOSTS)


def name_tokens(pseudonyms: Pseudonyms, *texts: str) -> tuple[str, ...]:
    """Keyed words of names and local parts, at least three letters each, sorted.

    Enough to tell whether a display name is compatible with a guest, and nothing else. Accents
    are left out, as mail addresses leave them out.
    """
    words = {
        word
        for text in texts
        for word in "".join(c if c.isalnum() else " " for c in _plain(text[:200])).split()
        if len(word) >= 3 and not word.isdigit()
    }
    return tuple(sorted(pseudonyms.name(word)[:12] for word in words))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def are_names_compatible(one: Collection[str], other: Collection[str]) -> bool:
    """Whether two sets of keyed name words, each word once, can be one person's.

    One holds the other (`Dana` and `Dana Rivera`), or two words at least are the same; a first
    name alone in common with another last name is not enough.
    """
    common = len(set(one).intersection(other))
    return common > 0 and common >= min(2, len(one), len(other))


@dataclass(frozen=True, slots=True)
class Outsider:
    """What the registry says of an address outside the district."""

    kind: Kind
    partner_id: str | None = None
    person_name: str | None = None
    lookalike_of: str | None = None
    exemption: Exemption | None = None


class Roster:
    """Registry and directory, indexed for classification by key and domain only.

    Works on keyed addresses, so that stored guests whose clear address was dropped classify as
    before. Exempt people are matched by salted hash (catalogue §4). Build one per registry state.
    """

    def __init__(
        self,
        registry: Registry,
        pseudonyms: Pseudonyms,
        *,
        zone: ZoneInfo,
        district_domains: frozenset[str],
        student_domains: frozenset[str] = frozenset(),
    ) -> None:
        self.registry = registry
        self.zone = zone
        self.district_domains = district_domains
        self.student_domains = student_domains
        self.pseudonyms = pseudonyms
        self.schools_known: dict[datetime, tuple[School, ...]] = {}
        """Schools as known at earlier instants, looked up once for each."""
        self._own: dict[str, tuple[str | None, str | None]] = {}
        """Key and domain by address of an account: the same few come again and again."""
        self._people: dict[str, Identity] = {}
        self._domains: dict[str, Identity] = {}
        for identity in registry.identities:
            self._index(identity)
        self._exempt: dict[str, list[Exemption]] = {}
        for row in registry.exemptions:
            if row.kind in NOT_PARTNER_KINDS:
                key = self._exempt_key(row.value)
                if key is not None:
                    self._exempt.setdefault(key, []).append(row)

    def _index(self, identity: Identity) -> None:
        if identity.kind is IdentityKind.ADDRESS:
            address = parse_address(identity.value)
            if address is not None:
                self._people.setdefault(self.key(address), identity)
        elif (domain := _own_domain(identity.value)) is not None:
            self._domains.setdefault(domain, identity)

    def _exempt_key(self, value: str) -> str | None:
        address = parse_address(value)
        return self.key(address) if address else _own_domain(value)

    def _exemption(self, key: str, at: datetime) -> Exemption | None:
        for row in self._exempt.get(key, ()):
            window = local_interval(row.starts_on, row.ends_on, self.zone)
            if window.start_at <= at < window.end_at:
                return row
        return None

    def registered(self, address_key: str) -> Identity | None:
        """The registry's identity row of exactly this address."""
        return self._people.get(address_key)

    def outsider(self, address_key: str | None, domain: str, at: datetime) -> Outsider:
        """Classify an address outside staff and students by registry and exemptions.

        An exempt person comes before the registry; a registered person before an exempt domain.
        """
        if address_key and (exemption := self._exemption(address_key, at)):
            return Outsider(Kind.EXEMPT, exemption=exemption)
        person = self._people.get(address_key) if address_key else None
        if person is not None:
            return Outsider(Kind.PARTNER, person.partner_id, person.person_name or None)
        if exemption := self._exemption(domain, at):
            return Outsider(Kind.EXEMPT, exemption=exemption)
        if organization := self._domains.get(domain):
            return Outsider(Kind.PARTNER, organization.partner_id)
        imitated = self.registry.lookalike_of(Address("anybody", domain)) if domain else None
        return Outsider(Kind.EXTERNAL, lookalike_of=imitated.partner_id if imitated else None)

    def unlisted(self, address_key: str | None, domain: str) -> Kind | None:
        """Student or unknown for one of the district's domains without an account; else None.

        Deleted since, or not in the snapshot yet: one of ours, never an outsider.
        """
        if domain in self.student_domains:
            return Kind.STUDENT
        if domain in self.district_domains and not (address_key and self.registered(address_key)):
            return Kind.UNKNOWN
        return None

    def guest(self, guest: KeptGuest, account: KnownAccount | None, at: datetime) -> Invitee:
        """Classify one guest; `account` is what the directory snapshot knows of the address."""
        if guest.is_resource or is_calendar_address(guest.domain):
            return Invitee(guest, Kind.ROOM, Confidence.DIRECTORY)
        if account is not None:
            return self._account(guest, account, at)
        kind = self.unlisted(guest.address_key, guest.domain)
        if kind is not None:
            confidence = Confidence.ADDRESS if kind is Kind.STUDENT else Confidence.NONE
            return Invitee(guest, kind, confidence, is_district_account=True)
        found = self.outsider(guest.address_key, guest.domain, at)
        is_ours = guest.domain in self.district_domains
        return _invitee(guest, found, Confidence.ADDRESS, is_district_account=is_ours)

    def _account(self, guest: KeptGuest, account: KnownAccount, at: datetime) -> Invitee:
        kind = self.kind_of_account(account, guest.address_key)
        if kind is not None:
            return Invitee(guest, kind, Confidence.DIRECTORY, is_district_account=True)
        key, domain = self.outside_address(account, guest.address_key, guest.domain)
        found = self.outsider(key, domain, at)
        is_ours = account.kind is not AccountKind.GUEST
        return _invitee(guest, found, Confidence.DIRECTORY, is_district_account=is_ours)

    def kind_of_account(self, account: KnownAccount, address_key: str | None) -> Kind | None:
        """Staff, student or inactive by directory alone; None: to be told by the registry.

        A partner's person with a district account is a partner (catalogue §2).
        """
        if account.kind is AccountKind.STUDENT:
            return Kind.STUDENT
        if self._registered_key(account, address_key) is not None:
            return None
        return {AccountKind.STAFF: Kind.STAFF, AccountKind.INACTIVE: Kind.INACTIVE}.get(
            account.kind
        )

    def _registered_key(self, account: KnownAccount, address_key: str | None) -> str | None:
        """That one of an account's addresses that the registry names, if any."""
        keys = (address_key, self.own_address(account)[0])
        return next((key for key in keys if key and self.registered(key)), None)

    def outside_address(
        self, account: KnownAccount, address_key: str | None, domain: str | None
    ) -> tuple[str | None, str]:
        """Address key and domain by which the registry knows an account that is not staff."""
        if account.guest_address and (real := parse_address(account.guest_address)):
            return self.key(real), real.domain
        own_key, own_domain = self.own_address(account)
        key = self._registered_key(account, address_key) or address_key or own_key
        return key, domain or own_domain or ""

    def own_address(self, account: KnownAccount) -> tuple[str | None, str | None]:
        """Key and domain of an account's primary address; nothing where it is not kept."""
        if account.address is None:
            return None, None
        known = self._own.get(account.address)
        if known is None:
            own = parse_address(account.address)
            known = (self.key(own), own.domain) if own else (None, None)
            self._own[account.address] = known
        return known

    def key(self, address: Address) -> str:
        """Keyed matching form of an address."""
        return self.pseudonyms.address(address.key)


def _own_domain(text: str) -> str | None:
    """A domain that can stand for one organization; free-mail hosts stand for nobody."""
    domain = parse_domain(text)
    return None if domain is None or is_free_mail(domain) else domain


def _invitee(
    guest: KeptGuest, found: Outsider, confidence: Confidence, *, is_district_account: bool
) -> Invitee:
    return Invitee(
        guest,
        found.kind,
        confidence,
        partner_id=found.partner_id,
        person_name=found.person_name,
        lookalike_of=found.lookalike_of,
        exemption=found.exemption,
        is_district_account=is_district_account,
    )


def classify(
    meeting: Meeting, accounts: Mapping[str, KnownAccount], roster: Roster
) -> tuple[tuple[Invitee, ...], Invitee | None, Invitee | None]:
    """All guests, the organizer and the creator of a meeting, classified at its start.

    The organizer counts as a guest even when `attendees[]` leaves them out.
    """

    def one(guest: KeptGuest) -> Invitee:
        return roster.guest(guest, accounts.get(guest.address_key), meeting.start_at)

    invitees = {guest.address_key: one(guest) for guest in meeting.guests}
    organizer = one(meeting.organizer) if meeting.organizer else None
    if organizer is not None and not is_calendar_address(organizer.guest.domain):
        invitees.setdefault(organizer.guest.address_key, organizer)
    creator = one(meeting.creator) if meeting.creator else None
    return tuple(invitees.values()), organizer, creator


def scope_of(
    invitees: Iterable[Invitee],
    attendances: Iterable[Attendance] = (),
    *,
    is_guest_list_complete: bool = True,
) -> Scope:
    """Which part of the catalogue applies (catalogue §2, In scope)."""
    people = list(invitees)
    present = list(attendances)
    kinds = {p.kind for p in people} | {a.kind for a in present}
    if not kinds & {Kind.PARTNER, Kind.EXTERNAL} and not any(map(is_unmatched, present)):
        return Scope.NONE if is_guest_list_complete else Scope.FULL
    is_full = (
        Kind.PARTNER in kinds
        or Kind.STUDENT in kinds
        or any(p.lookalike_of for p in people)
        or any(a.lookalike_of for a in present)
        or not is_guest_list_complete
    )
    return Scope.FULL if is_full else Scope.ADULT


def is_unmatched(attendance: Attendance) -> bool:
    """Whether the audit log calls somebody external of whom it gives an obscured name only."""
    named = (IdentityForm.MASKED, IdentityForm.SIGNED_IN)
    return attendance.kind is Kind.UNIDENTIFIED and any(
        v.identity.is_external and v.identity.form in named for v in attendance.visits
    )
