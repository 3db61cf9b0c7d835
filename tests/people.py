"""A small district for identity tests: accounts, guests, and visits as both sources give them.

Times in minutes from 2026-10-13 15:00 UTC. Nobody is an account unless `DIRECTORY` lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from meetbot.domain.addresses import parse_address
from meetbot.domain.attendance import Attendance, Identity, IdentityForm, Source, Visit
from meetbot.domain.dossier import Invitee
from meetbot.domain.identity import Roster, name_tokens
from meetbot.domain.meetings import KeptGuest
from meetbot.domain.participants import Resolution, resolve
from meetbot.domain.people import AccountKind, KnownAccount, Pseudonyms
from meetbot.domain.registry import Identity as RegistryIdentity
from meetbot.domain.registry import IdentityKind, Registry
from tests.dossiers import START, ZONE, a_registry, at

KEYS = Pseudonyms(b"test key")
DOMAINS = frozenset({"district.example", "students.district.example"})
STUDENT_DOMAINS = frozenset({"students.district.example"})

HOST = "teacher@district.example"
PUPIL = "pupil@students.district.example"
GUIDE = "guide@partner.example"
CONTRACTOR = "casey@district.example"


def key_of(address: str) -> str:
    """The key of an address, as jobs make it."""
    parsed = parse_address(address)
    assert parsed is not None
    return KEYS.address(parsed.key)


def an_account(
    address: str, kind: AccountKind = AccountKind.STAFF, google_id: str = "", **changes: Any
) -> KnownAccount:
    """An account of the district; its id is the address unless named."""
    person_key = KEYS.id(google_id or address)
    return replace(KnownAccount(person_key, kind, "/Staff", address=address), **changes)


TEACHER = an_account(HOST)
STUDENT = an_account(PUPIL, AccountKind.STUDENT)
DIRECTORY = {HOST: TEACHER, PUPIL: replace(STUDENT, address=None)}


def a_roster(registry: Registry | None = None, **changes: Any) -> Roster:
    """Northstar is registered by its domain `partner.example` unless told otherwise."""
    settings: dict[str, Any] = {
        "zone": ZONE,
        "district_domains": DOMAINS,
        "student_domains": STUDENT_DOMAINS,
    }
    return Roster(registry or a_registry(), KEYS, **(settings | changes))


def registered(*values: str, partner_id: str = "northstar") -> tuple[RegistryIdentity, ...]:
    """Identity rows, kind by their form."""
    return tuple(
        RegistryIdentity(
            partner_id, IdentityKind.ADDRESS if "@" in value else IdentityKind.DOMAIN, value
        )
        for value in values
    )


def a_guest(address: str, name: str = "", **changes: Any) -> KeptGuest:
    """A guest as the jobs keep it."""
    local, _, domain = address.rpartition("@")
    tokens = name_tokens(KEYS, name, local)
    return replace(
        KeptGuest(key_of(address), domain, address, name_tokens=tokens),
        **changes,
    )


def invited(*addresses: str | tuple[str, str], roster: Roster | None = None) -> list[Invitee]:
    """Guests by address, or (address, name), classified."""
    roster = roster or a_roster()
    pairs = [(a, "") if isinstance(a, str) else a for a in addresses]
    return [roster.guest(a_guest(a, name), DIRECTORY.get(a), START) for a, name in pairs]


# --- Visits -------------------------------------------------------------------------------------


def an_identity(form: IdentityForm, name: str = "", **changes: Any) -> Identity:
    """What may be stored of somebody without an account."""
    return replace(
        Identity(
            form,
            name_key=KEYS.name(name) if name else None,
            name_tokens=name_tokens(KEYS, name),
            in_directory=False,
        ),
        **changes,
    )


def in_meet(
    who: str,
    *spans: tuple[float, float | None],
    name: str = "",
    record: str = "r1",
    form: IdentityForm = IdentityForm.SIGNED_IN,
    **changes: Any,
) -> list[Visit[Identity]]:
    """Sessions of one Meet participant; `who` is the Google id of somebody signed in."""
    is_signed_in = form is IdentityForm.SIGNED_IN
    identity = an_identity(form, name, id_key=KEYS.id(who) if is_signed_in else None)
    identity = replace(identity, **changes)
    participant = f"conferenceRecords/{record}/participants/{who}"
    return [
        Visit(
            Source.MEET,
            f"{participant}/participantSessions/{number}",
            f"conferenceRecords/{record}",
            participant,
            identity,
            at(start),
            None if end is None else at(end),
        )
        for number, (start, end) in enumerate(spans)
    ]


def in_audit(
    who: str,
    *spans: tuple[float, float],
    name: str = "",
    call: str = "c1",
    form: IdentityForm = IdentityForm.ADDRESS,
    **changes: Any,
) -> list[Visit[Identity]]:
    """Rows of the audit log, one endpoint each; `who` is an address, a mask, or any name."""
    identity = an_identity(form, name)
    if form is IdentityForm.ADDRESS:
        identity = replace(
            identity,
            address_key=key_of(who),
            address=None if who == PUPIL else who,
            domain=who.rpartition("@")[2],
        )
    if form is IdentityForm.MASKED:
        identity = replace(identity, masked=who, is_external=True)
    identity = replace(identity, **changes)
    return [
        Visit(
            Source.AUDIT,
            f"{call}/{who}/{name}/{number}",
            f"audit/{call}",
            f"{call}/{who}/{name}/{number}",
            identity,
            at(start),
            at(end),
        )
        for number, (start, end) in enumerate(spans)
    ]


def resolved(
    *visits: Iterable[Visit[Identity]],
    invitees: Sequence[Invitee] = (),
    learned: Mapping[str, tuple[str, str]] | None = None,
    accounts: Mapping[str, KnownAccount] = DIRECTORY,
    roster: Roster | None = None,
) -> Resolution:
    """Resolve with the directory above."""
    return resolve(
        [visit for group in visits for visit in group],
        accounts_by_person={account.person_key: account for account in accounts.values()},
        accounts_by_address={key_of(address): account for address, account in accounts.items()},
        learned=learned or {},
        invitees=invitees,
        roster=roster or a_roster(),
        at=START,
    )


def who(resolution: Resolution) -> list[tuple[str, str]]:
    """(kind, confidence) of everybody, in order."""
    return sorted((str(a.kind), str(a.confidence)) for a in resolution.attendances)


def the_one(resolution: Resolution) -> Attendance:
    """The only attendance."""
    (attendance,) = resolution.attendances
    return attendance
