"""New names for people: numbers that mean something inside one file and nowhere else.

`student-1`, `staff-2`, `ext-0003@partner.example`: equal things stay equal and different ones
different, so that the rules decide as before. Domains, organizations, schools, days and seconds
stay; keys of the database, addresses, names, codes and free text do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar, cast

from meetbot.domain import attendance
from meetbot.domain.addresses import is_free_mail, parse_address
from meetbot.domain.attendance import Attendance
from meetbot.domain.dossier import Host, Invitee
from meetbot.domain.findings import FlagKey
from meetbot.domain.flags import Flag
from meetbot.domain.meetings import Fingerprint, KeptGuest, OccurrenceKey
from meetbot.domain.people import Kind
from meetbot.domain.registry import Certification, Exemption
from meetbot.domain.registry import Identity as RegistryIdentity
from meetbot.evidence.fields import DROPPED, KEPT

T = TypeVar("T")
_GOOGLE_UID = re.compile(r"[A-Za-z0-9_]{1,120}@google\.com", re.ASCII)
_ANY_ADDRESS = r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+"
"""What looks like an address in a sentence or name, whoever it may belong to."""
_WORD = re.compile(r"[^\W\d_]+")
_SHOWN_OF_KEY = 8
"""Characters of a key in the subject of a flag: see `rules.outsiders`."""

_ROLES: Mapping[Kind, str] = {
    Kind.STUDENT: "student",
    Kind.STAFF: "staff",
    Kind.INACTIVE: "staff",
    Kind.PARTNER: "ext",
    Kind.EXTERNAL: "ext",
    Kind.EXEMPT: "ext",
    Kind.ROOM: "room",
    Kind.UNIDENTIFIED: "unknown",
    Kind.UNKNOWN: "unknown",
}
_RANK = ("student", "ext", "staff", "room", "unknown")
"""Who is two things at different times goes by the first of them."""
_WORDS = {"ext": "Outside guest", "unknown": "Unidentified", "room": "Room device"}
_SHORTEST_NAME = 3
"""Shorter names tell nobody, and would be found in any sentence."""


@dataclass(slots=True)
class _Person:
    """Somebody as one file knows them. `texts` are their clear addresses."""

    kinds: set[str] = field(default_factory=set)
    guess: str = "staff"
    """The role of who is on no guest list and in no call: authorizers, partners' people."""
    texts: set[str] = field(default_factory=set)

    @property
    def role(self) -> str:
        return min(self.kinds, key=_RANK.index, default=self.guess)


class Labels:
    """New names for everybody in some snapshots and flags, the same in all of them."""

    def __init__(self, things: Iterable[object]) -> None:
        self._people: dict[str, _Person] = {}
        self._key_of_mailbox: dict[str, str] = {}
        self._persons: dict[str, str] = {}
        """Person who is meant by a person's key in a call."""
        self._names: dict[str, str] = {}
        self._other: dict[str, str] = {}
        everything = list(things)
        for thing in _walk(everything):
            self._link(thing)
        for thing in _walk(everything):
            self._collect(thing)
        self._bases = dict(self._numbered())
        self._addresses = dict(self._addressed())
        self._in_text = self._pattern()

    # --- who there is ---

    def _link(self, thing: object) -> None:
        """Which clear address belongs to which key."""
        if isinstance(thing, KeptGuest | attendance.Identity) and thing.address:
            mailbox = _mailbox(thing.address)
            if mailbox and thing.address_key:
                self._key_of_mailbox.setdefault(mailbox, thing.address_key)

    def _collect(self, thing: object) -> None:
        match thing:
            case Invitee():
                self._person(thing.guest.address_key).kinds.add(_ROLES[thing.kind])
                self._name(thing.person_name)
            case Host():
                self._name(thing.display_name)
            case Attendance():
                person = thing.address_key or thing.person_key
                self._persons[thing.person_key] = person
                self._person(person).kinds.add(_ROLES[thing.kind])
            case KeptGuest() | attendance.Identity():
                if thing.address_key:
                    self._person(thing.address_key)
            case RegistryIdentity():
                self._name(thing.person_name)
                self._address(thing.value, is_outside=True)
            case Certification():
                self._address(thing.person_address, is_outside=True)
            case Exemption():
                self._address(thing.value, is_outside=True)
            case str():
                self._address(thing)

    def _person(self, key: str) -> _Person:
        return self._people.setdefault(key, _Person())

    def _address(self, text: str | None, *, is_outside: bool = False) -> None:
        mailbox = _mailbox(text or "")
        if mailbox is None or text is None:
            return
        person = self._person(self._key_of_mailbox.get(mailbox, f"mailto:{mailbox}"))
        person.texts.add(text)
        if is_outside:
            person.guess = "ext"

    def _name(self, name: str | None) -> None:
        if name and name not in self._names:
            word = "k" + _letters(len(self._names))
            has_more = len(_WORD.findall(name)) > 1
            label = f"Person {word}" if has_more else word
            self._names[name] = name if len(name) < _SHORTEST_NAME else label

    # --- their new names ---

    def _numbered(self) -> Iterator[tuple[str, str]]:
        """People by role; those with a clear address in its order, as rules meet them sorted."""
        counts: dict[str, int] = {}
        order = sorted(
            self._people.items(), key=lambda one: min(one[1].texts, default="\U0010ffff")
        )
        for key, person in order:
            number = counts[person.role] = counts.get(person.role, 0) + 1
            yield key, f"ext-{number:04}" if person.role == "ext" else f"{person.role}-{number}"

    def _addressed(self) -> Iterator[tuple[str, str]]:
        for key, person in self._people.items():
            for number, text in enumerate(sorted(person.texts)):
                address = parse_address(text)
                if address is not None:
                    bearing = "".join(self._borne(address.local, address.domain))
                    tag = f"+{number + 1}" if number else ""
                    yield text, f"{self._bases[key]}{bearing}{tag}@{address.domain}"

    def _borne(self, local: str, domain: str) -> Iterator[str]:
        """The new names of registered people whose names a free-mail address bears."""
        if not is_free_mail(domain):
            return
        for name, label in self._names.items():
            words = _WORD.findall(name.casefold())
            if len(words) > 1 and all(word in local.casefold() for word in words):
                yield "-" + "-".join(_WORD.findall(label.casefold()))

    def _pattern(self) -> re.Pattern[str]:
        names = (name for name, label in self._names.items() if name != label)
        known = sorted((*names, *self._addresses), key=len, reverse=True)
        choices = "|".join([*map(re.escape, known), _ANY_ADDRESS])
        return re.compile(rf"(?<!\w)(?:{choices})(?!\w)")

    # --- renaming ---

    def said(self, text: str) -> str:
        """A sentence or a name of an organization without any person's name or address in it."""
        return self._in_text.sub(lambda found: self._known(found[0]), text)

    def _known(self, text: str) -> str:
        return self._names.get(text) or self._addresses.get(text) or self._token(text)

    def text(self, value: str) -> str:
        """The new name of a key, address, name, code or id."""
        if not value:
            return value
        if value in self._persons:
            return self._person_label(value)
        if value in self._bases:
            return self._bases[value]
        if value in self._names or value in self._addresses:
            return self._known(value)
        return self._token(value)

    def _token(self, value: str) -> str:
        return self._other.setdefault(value, f"id-{len(self._other) + 1}")

    def _person_label(self, key: str) -> str:
        """Who was in a call, `Student 1`: two of them stay two, even if they share an address."""
        role, _, number = self._bases[self._persons[key]].partition("-")
        same = sorted(k for k, person in self._persons.items() if person == self._persons[key])
        again = f" ({same.index(key) + 1})" if key != same[0] else ""
        return f"{_WORDS.get(role, role.capitalize())} {int(number)}{again}"

    def subject(self, text: str) -> str:
        """What a flag is about; a piece of a guest's key in it becomes their number."""
        head, mark, piece = text.rpartition("#")
        if not mark:
            return self.said(text)
        shown = {key[:_SHOWN_OF_KEY]: base for key, base in self._bases.items()}
        number = shown.get(piece) or self.text(piece)
        return f"{self.said(head)}#{number[:_SHOWN_OF_KEY]}"

    def renamed(self, thing: T) -> T:
        """The same value with new names throughout."""
        return cast(T, self._renamed(thing))

    def _renamed(self, thing: object, *, is_kept: bool = False) -> object:
        match thing:
            case Enum():
                return thing
            case str():
                return self.said(thing) if is_kept else self.text(thing)
            case OccurrenceKey():
                return self._occurrence(thing)
            case Flag():
                return self._flag(thing)
            case Mapping():
                return {k: self._renamed(v, is_kept=is_kept) for k, v in thing.items()}
            case tuple() | list():
                return type(thing)(self._renamed(item, is_kept=is_kept) for item in thing)
            case frozenset():
                ordered = sorted(thing, key=str)  # numbers must not depend on the order of a set
                return frozenset(self._renamed(item, is_kept=is_kept) for item in ordered)
        if not is_dataclass(thing) or isinstance(thing, type):
            return thing
        renamed = self._fields(thing)
        match thing, renamed:
            case _, Fingerprint():
                return replace(renamed, externals=tuple(sorted(renamed.externals)))
            case RegistryIdentity() | Exemption(), RegistryIdentity() | Exemption():
                # A domain or a program instead of an address stands for an organization.
                is_person = _mailbox(thing.value) is not None
                return renamed if is_person else replace(renamed, value=self.said(thing.value))
        return renamed

    def _fields(self, thing: Any) -> object:
        kept = KEPT.get(type(thing), frozenset())
        dropped = DROPPED.get(type(thing), frozenset())
        return replace(
            thing,
            **{
                f.name: ""
                if f.name in dropped
                else self._renamed(getattr(thing, f.name), is_kept=f.name in kept)
                for f in fields(thing)
                if f.init
            },
        )

    def _occurrence(self, key: OccurrenceKey) -> OccurrenceKey:
        uid, code = key.ical_uid, key.meeting_code
        is_googles = uid is None or _GOOGLE_UID.fullmatch(uid) is not None
        return OccurrenceKey(
            uid if is_googles else self._token(uid or ""),
            key.original_start_at,
            self._token(code) if code else code,
        )

    def _flag(self, flag: Flag) -> Flag:
        occurrence = self._occurrence(flag.occurrence)
        subject = self.subject(flag.key.subject)
        key = FlagKey(flag.rule, occurrence.text, subject)
        return replace(cast(Flag, self._fields(flag)), occurrence=occurrence, key=key)


def _mailbox(text: str) -> str | None:
    address = parse_address(text) if "@" in text else None
    return address.key if address else None


def _letters(number: int) -> str:
    """Three letters that no other number has."""
    letters = ""
    for _ in range(3):
        number, place = divmod(number, 25)
        letters = "abcdefghijlmnopqrstuvwxyz"[place] + letters
    return letters


def _walk(thing: object) -> Iterator[object]:
    """Every dataclass and text within, outer ones first; texts that are kept are left out."""
    match thing:
        case str() | Enum():
            if not isinstance(thing, Enum):
                yield thing
        case OccurrenceKey():
            return  # an event's uid may look like an address, and is nobody's
        case Mapping():
            for value in thing.values():
                yield from _walk(value)
        case Sequence():
            for item in thing:
                yield from _walk(item)
        case frozenset():
            yield from _walk(sorted(thing, key=str))
        case _ if is_dataclass(thing):
            yield thing
            kept = KEPT.get(type(thing), frozenset())
            dropped = DROPPED.get(type(thing), frozenset())
            for f in fields(thing):
                if f.init and f.name not in kept and f.name not in dropped:
                    yield from _walk(getattr(thing, f.name))
