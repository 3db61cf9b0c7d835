"""Who a guest is: keyed guests against directory, registry and exemptions; scope of a meeting.

Rule catalogue §2 (Identity confidence, Classes, In scope) and §4 (exempt outsiders).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from meetbot.domain.addresses import Address, parse_address, parse_domain
from meetbot.domain.attendance import Attendance
from meetbot.domain.dates import local_interval
from meetbot.domain.dossier import Invitee
from meetbot.domain.meetings import KeptGuest, Meeting, Scope
from meetbot.domain.people import AccountKind, Confidence, Kind, KnownAccount, Pseudonyms
from meetbot.domain.registry import NOT_PARTNER_KINDS, Exemption, Identity, Registry, School

_CALENDAR_HOSTS = ("calendar.google.com",)
"""Secondary, class and resource calendars: `…@group.calendar.google.com` and its siblings."""

def is_calendar_address(domain: str) -> bool:
    """Whether a domain is Google's own for calendars that are nobody's mailbox."""
    return any(domain == host or domain.endswith("." + host) for host in _CALENDAR_HOSTS)


def name_tokens(pseudonyms: Pseudonyms, *texts: str) -> tuple[str, ...]:
    """Keyed words of names and local parts, at least three letters each, sorted.

    Enough to tell whether a display name is compatible with a guest, and nothing else.
    """
    words = {
        word
        for text in texts
        for word in "".join(c if c.isalnum() else " " for c in text[:200].casefold()).split()
        if len(word) >= 3 and not word.isdigit()
    }
    return tuple(sorted(pseudonyms.name(word)[:12] for word in words))


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
        self._people: dict[str, Identity] = {}
        self._domains: dict[str, Identity] = {}
        for identity in registry.identities:
            self._index(identity)
        self._exempt: dict[str, list[Exemption]] = {}
        for row in registry.exemptions:
            if row.kind in NOT_PARTNER_KINDS:
                self._exempt.setdefault(self._exempt_key(row.value), []).append(row)

    def _index(self, identity: Identity) -> None:
        address = parse_address(identity.value)
        if address is not None:
            self._people.setdefault(self.pseudonyms.address(address.key), identity)
        elif (domain := parse_domain(identity.value)) is not None:
            self._domains.setdefault(domain, identity)

    def _exempt_key(self, value: str) -> str:
        address = parse_address(value)
        return self.pseudonyms.address(address.key) if address else value.strip().lower()

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
        imitated = self.registry.lookalike_of(Address("anybody", domain))
        return Outsider(Kind.EXTERNAL, lookalike_of=imitated.partner_id if imitated else None)

    def guest(self, guest: KeptGuest, account: KnownAccount | None, at: datetime) -> Invitee:
        """Classify one guest; `account` is what the directory snapshot knows of the address."""
        if guest.is_resource or is_calendar_address(guest.domain):
            return Invitee(guest, Kind.ROOM, Confidence.DIRECTORY)
        if account is not None:
            return self._account(guest, account, at)
        if guest.domain in self.district_domains and not self.registered(guest.address_key):
            is_student = guest.domain in self.student_domains
            kind = Kind.STUDENT if is_student else Kind.UNKNOWN
            confidence = Confidence.ADDRESS if is_student else Confidence.NONE
            return Invitee(guest, kind, confidence, is_district_account=True)
        found = self.outsider(guest.address_key, guest.domain, at)
        return _invitee(guest, found, Confidence.ADDRESS, is_district_account=False)

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
        keys = [address_key] if address_key else []
        if account.address and (own := parse_address(account.address)):
            keys.append(self.pseudonyms.address(own.key))
        if any(self.registered(key) for key in keys):
            return None
        return {AccountKind.STAFF: Kind.STAFF, AccountKind.INACTIVE: Kind.INACTIVE}.get(
            account.kind
        )

    def outside_address(
        self, account: KnownAccount, address_key: str | None, domain: str | None
    ) -> tuple[str | None, str]:
        """Address key and domain by which the registry knows an account that is not staff."""
        if account.guest_address and (real := parse_address(account.guest_address)):
            return self.pseudonyms.address(real.key), real.domain
        own = parse_address(account.address) if account.address else None
        if address_key is None and own is not None:
            address_key = self.pseudonyms.address(own.key)
        return address_key, domain or (own.domain if own else "")

    def key(self, address: Address) -> str:
        """Keyed matching form of an address."""
        return self.pseudonyms.address(address.key)


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
    if not kinds & {Kind.PARTNER, Kind.EXTERNAL}:
        return Scope.NONE if is_guest_list_complete else Scope.FULL
    is_full = (
        Kind.PARTNER in kinds
        or Kind.STUDENT in kinds
        or any(p.lookalike_of for p in people)
        or not is_guest_list_complete
    )
    return Scope.FULL if is_full else Scope.ADULT
