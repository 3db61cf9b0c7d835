"""Which calls of the audit log matter: those of kept occurrences, and those with outsiders.

Nothing is stored of the others (design §7). In doubt a call matters: whether it is really a
concern is decided later, by what is then known of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import Enum

from meetbot.domain.addresses import Address, parse_address
from meetbot.domain.identity import Roster, is_calendar_address
from meetbot.domain.people import Kind, KnownAccount
from meetbot.jobs.people import People
from meetbot.ports import Glance

_MOST_KEPT = 50_000
"""Addresses remembered in one reading: some 6 MiB."""


class _Who(Enum):
    """What an address is, as far as this question goes."""

    STUDENT = "student"
    OURS = "ours"
    OUTSIDER = "outsider"


class Sift:
    """`ports.Sift`. A call matters when

    - its code is that of a kept occurrence, or
    - anybody in it is, or may be, no account of the district's own, or
    - a student is in it and somebody outside organizes it (of such calls the log shows no others).
    """

    def __init__(self, people: People, roster: Roster, codes: Collection[str]) -> None:
        self._people = people
        self._roster = roster
        self._codes = codes
        self._known: dict[str, _Who | None] = {}
        """By the log's own words; None: no address at all."""

    def __call__(self, glances: Sequence[Glance]) -> Collection[str]:
        """The names of the conferences that matter."""
        self._learn({text for g in glances for text in (g.address, g.organizer)})
        return {g.conference for g in glances if self._matters(g)}

    def _matters(self, glance: Glance) -> bool:
        if glance.meeting_code in self._codes:
            return True
        who = self._known[glance.address]
        if who is None:
            return glance.is_external
        if who is _Who.STUDENT:
            return self._known[glance.organizer] is _Who.OUTSIDER
        return who is _Who.OUTSIDER

    def _learn(self, texts: Collection[str]) -> None:
        if len(self._known) > _MOST_KEPT:
            self._known = {}
        new = {text: parse_address(text) for text in texts if text not in self._known}
        accounts = self._people.by_address(_asked(new.values()))
        for text, address in new.items():
            self._known[text] = self._who(address, accounts) if address else None

    def _who(self, address: Address, accounts: dict[str, KnownAccount]) -> _Who:
        key = self._roster.key(address)
        if is_calendar_address(address.domain):
            return _Who.OURS
        account = accounts.get(key)
        kind = (
            self._roster.kind_of_account(account, key)
            if account
            else self._roster.unlisted(key, address.domain)
        )
        if kind is Kind.STUDENT:
            return _Who.STUDENT
        is_unsure = kind is Kind.UNKNOWN and self._people.is_undecided(key)
        return _Who.OUTSIDER if kind is None or is_unsure else _Who.OURS


def _asked(addresses: Iterable[Address | None]) -> list[Address]:
    return [a for a in addresses if a is not None and not is_calendar_address(a.domain)]
