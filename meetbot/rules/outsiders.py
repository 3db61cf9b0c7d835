"""Unregistered outsiders of a meeting, grouped the way flags are keyed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meetbot.domain.addresses import Address, is_free_mail, parse_address
from meetbot.domain.attendance import Attendance
from meetbot.domain.dossier import Dossier, Invitee
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.registry import Registry

_LIST_HOSTS = ("googlegroups.com", "groups.io", "listserv.net")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Stranger:
    """An unregistered outsider. `address` is clear where the source gave it so."""

    domain: str
    address_key: str | None
    address: str | None
    confidence: Confidence
    is_district_account: bool = False
    lookalike_of: str | None = None

    @property
    def subject(self) -> str:
        """The domain; the person at hosts where a domain proves no organization."""
        is_shared = is_free_mail(self.domain) or self.is_list or self.is_district_account
        if is_shared and self.address_key:
            return f"{self.domain}#{self.address_key[:8]}"
        return self.domain

    @property
    def is_list(self) -> bool:
        """Whether this is a mailing list, whose members nobody here can see."""
        labels = self.domain.split(".")
        return labels[0] in ("lists", "list", "listserv") or any(
            self.domain == host or self.domain.endswith("." + host) for host in _LIST_HOSTS
        )


def strangers(dossier: Dossier) -> tuple[Stranger, ...]:
    """Unregistered outsiders, invited ones before present ones; exempt people are none."""
    invited = [_invited(i) for i in dossier.invitees if i.kind is Kind.EXTERNAL]
    present = [
        stranger_at(a, dossier.registry) for a in dossier.attendances if a.kind is Kind.EXTERNAL
    ]
    return tuple(s for s in (*invited, *present) if s is not None and s.domain)


def _invited(invitee: Invitee) -> Stranger:
    return Stranger(
        domain=invitee.guest.domain,
        address_key=invitee.guest.address_key,
        address=invitee.guest.address,
        confidence=invitee.confidence,
        is_district_account=invitee.is_district_account,
        lookalike_of=invitee.lookalike_of,
    )


def stranger_at(attendance: Attendance, registry: Registry) -> Stranger | None:
    """An unregistered outsider who was in the call; None where even the domain is unknown."""
    if not attendance.domain:
        return None
    imitated = registry.lookalike_of(Address("anybody", attendance.domain))
    addresses = (visit.identity.address for visit in attendance.visits)
    return Stranger(
        domain=attendance.domain,
        address_key=attendance.address_key,
        address=next((address for address in addresses if address), None),
        confidence=attendance.confidence,
        is_district_account=attendance.confidence is Confidence.DIRECTORY,
        lookalike_of=imitated.partner_id if imitated else None,
    )


def by_subject(people: Iterable[Stranger]) -> Iterator[tuple[str, list[Stranger]]]:
    """Outsiders by the subject of their flag, in order of subject."""
    groups: dict[str, list[Stranger]] = {}
    for stranger in people:
        groups.setdefault(stranger.subject, []).append(stranger)
    yield from sorted(groups.items())


def may_be_registered_person(stranger: Stranger, registry: Registry) -> bool:
    """Whether a free-mail address bears the full name of a registered person.

    It may then be that person's own account: a case for a person to look at, not a match.
    """
    names = (row.person_name for row in registry.identities)
    return any(bears_name(stranger, name) for name in names if name)


def bears_name(stranger: Stranger, name: str) -> bool:
    """Whether a free-mail address holds all words of a name that has several."""
    words = _WORD.findall(name.casefold())
    address = parse_address(stranger.address) if stranger.address and len(words) > 1 else None
    if address is None or not is_free_mail(address.domain):
        return False
    local = address.local.casefold()
    return all(word in local for word in words)
