"""Who an account or address is: classes, confidence, and keyed pseudonyms for students."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum


class AccountKind(StrEnum):
    """What the Directory says of an account of the district.

    `INACTIVE` is a suspended or archived account of a staff unit: it cannot join, is no outsider
    either. `OTHER` is an account in neither staff nor student units (contractors, services).
    `GUEST` is an outsider with a Directory entry (`isGuestUser`).
    """

    STAFF = "staff"
    STUDENT = "student"
    INACTIVE = "inactive"
    OTHER = "other"
    GUEST = "guest"


class Kind(StrEnum):
    """What an invited or present identity is to the rules, after directory and registry.

    `PARTNER` is registered, `EXTERNAL` an outsider that is not, `EXEMPT` an outsider that an
    exemption row covers; `UNKNOWN` is what nobody could look up (never treated as an outsider).
    """

    STAFF = "staff"
    STUDENT = "student"
    PARTNER = "partner"
    EXTERNAL = "external"
    EXEMPT = "exempt"
    ROOM = "room"
    INACTIVE = "inactive"
    UNIDENTIFIED = "unidentified"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """Identity confidence E1..E4 of the rule catalogue, §2. Only E1 and E2 may confirm."""

    DIRECTORY = "E1"
    ADDRESS = "E2"
    COMPATIBLE = "E3"
    NONE = "E4"

    @property
    def confirms(self) -> bool:
        """Whether a flag that rests on this identity may be `confirmed`."""
        return self in (Confidence.DIRECTORY, Confidence.ADDRESS)


@dataclass(frozen=True, slots=True)
class Account:
    """One Directory user. Addresses and id leave the process only keyed when it is a student."""

    id: str
    primary_address: str
    addresses: tuple[str, ...]
    """Primary address, `aliases` and `nonEditableAliases`; never `emails[]`, which users edit."""
    kind: AccountKind
    unit_path: str
    display_name: str = ""
    guest_address: str | None = None
    given_name: str = ""
    family_name: str = ""
    other_ids: tuple[str, ...] = ()
    """Ids the district gave (`externalIds`), such as a student number."""


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account as the store remembers it. `address`, `display_name`, `id`: staff only."""

    person_key: str
    kind: AccountKind
    unit_path: str
    id: str | None = None
    address: str | None = None
    display_name: str = ""
    guest_address: str | None = None


@dataclass(frozen=True, slots=True)
class DistrictUnits:
    """Which org units make a staff member or a student; whole subtrees, by path segments."""

    staff: tuple[str, ...]
    students: tuple[str, ...]
    not_staff: tuple[str, ...] = ()

    def kind_of(self, unit_path: str, *, active: bool, guest: bool) -> AccountKind:
        """Classify an account by its `orgUnitPath` and state (catalogue §2, Classes)."""
        if guest:
            return AccountKind.GUEST
        if any(within(unit_path, unit) for unit in self.students):
            return AccountKind.STUDENT
        if any(within(unit_path, unit) for unit in self.not_staff):
            return AccountKind.OTHER
        if any(within(unit_path, unit) for unit in self.staff):
            return AccountKind.STAFF if active else AccountKind.INACTIVE
        return AccountKind.OTHER


def within(unit_path: str, root: str) -> bool:
    """Whether an org unit path is `root` or below it, compared by whole segments."""
    path, top = unit_path.casefold(), root.rstrip("/").casefold()
    return path == top or path.startswith(top + "/")


_MARK = 16
"""Hexadecimal digits: there may be millions of marks, and 64 bits tell them apart."""


class Pseudonyms:
    """Keyed one-way names (HMAC-SHA-256, 128 bits) for ids, addresses and display names."""

    def __init__(self, key: bytes) -> None:
        self._base = hmac.new(key, digestmod=hashlib.sha256)

    def _of(self, text: str) -> str:
        mac = self._base.copy()
        mac.update(text.encode("utf-8", "surrogatepass"))
        return mac.hexdigest()[:32]

    def id(self, google_id: str) -> str:
        """Key of an account id (`users/{id}` in Meet, `id` in the Directory)."""
        return self._of("id\0" + google_id)

    def address(self, address: str) -> str:
        """Key of an address in its normal form (see `domain.addresses`)."""
        return self._of("address\0" + address)

    def name(self, display_name: str) -> str:
        """Key of a display name, to recognize one person in two sources of one conference."""
        return self._of("name\0" + " ".join(display_name.casefold().split()))

    def student_id(self, value: str) -> str:
        """Mark of a student's id, to find it in a text (see `domain.student_data`)."""
        return self._of("student id\0" + value)[:_MARK]

    def student_name(self, one: str, other: str) -> str:
        """Mark of a given and a family name of one student, in either order."""
        first, second = sorted((one, other))
        return self._of(f"student name\0{first} {second}")[:_MARK]
