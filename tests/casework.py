"""A store with cases as the judge makes them, and the people who act on them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from meetbot.domain.addresses import parse_address
from meetbot.domain.cards import thread_of
from meetbot.domain.case_ids import case_id
from meetbot.domain.casework import Case, CaseEvent, Noted
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Severity
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.people import Account, AccountKind, KnownAccount, Pseudonyms
from meetbot.domain.policy import Policy
from meetbot.domain.snapshots import Withheld
from meetbot.domain.student_data import student_marks
from meetbot.jobs.cases import Actor, decide
from meetbot.jobs.deps import District, Recipients, Standard
from meetbot.jobs.people import known
from meetbot.ports import MailedNotice
from meetbot.store import SqlStore, open_store
from tests.dossiers import (
    END,
    TEACHER,
    ZONE,
    a_registry,
    held,
    partner,
    somebody,
    staff,
    students,
)
from tests.evidence import a_snapshot, changes_of

KEYS = Pseudonyms(b"k" * 32)
NOW = END + timedelta(days=2, hours=1)
OFFICER, OTHER_OFFICER = "officer@district.example", "second@district.example"
PRIVACY = "privacy@district.example"
COLLEAGUE = "colleague@district.example"
PUPIL = "kim.brook@students.district.example"
ASIDE = "lead@district.example"


def key_of(address: str) -> str:
    """The keyed address."""
    parsed = parse_address(address)
    assert parsed is not None
    return KEYS.address(parsed.key)


def an_actor(address: str, *roles: str) -> Actor:
    """Somebody signed in."""
    return Actor(address, key_of(address), frozenset(roles))


officer = an_actor(OFFICER, "officer", "host")
second = an_actor(OTHER_OFFICER, "officer")
privacy = an_actor(PRIVACY, "privacy")
host = an_actor(TEACHER, "host")
colleague = an_actor(COLLEAGUE, "host")

LEFT = held(staff((0, 30)), partner((0, 44)), *students((0, 45)), somebody((5, 25)))
"""The teacher left at 30:00, and somebody whom nobody knows was there."""


uphold = partial(decide, status=FlagStatus.UPHELD)
dismiss = partial(decide, status=FlagStatus.DISMISSED)


class Scene:
    """A store with a directory, a registry, and cases put into it."""

    def __init__(
        self, at: Path | SqlStore, four_eyes: Collection[Severity] = (), **mail: Any
    ) -> None:
        """`at`: a folder for a new database, or an open store."""
        self.store = (
            open_store(f"sqlite:///{at}/meetbot.db", clock=lambda: NOW)
            if isinstance(at, Path)
            else at
        )
        recipients = Recipients(
            **{
                "officers": (OFFICER,),
                "privacy_officers": (PRIVACY,),
                "operators": ("it@district.example",),
                **mail,
            }
        )
        district = District(
            ZONE, frozenset({"district.example"}), recipients, four_eyes=frozenset(four_eyes)
        )
        self.deps = Standard(Policy(), district, KEYS)
        with self.store.transaction() as tx:
            tx.registry.replace(a_registry(), as_of=NOW - timedelta(days=30))
            tx.people.save(
                [_account(a) for a in (TEACHER, COLLEAGUE, OFFICER, OTHER_OFFICER, PRIVACY)]
                + [known(KIM, KEYS)],
                seen_at=NOW,
            )
            tx.people.note_marks({KEYS.id("kim"): student_marks(KIM, KEYS)})

    def put(
        self,
        dossier: Dossier = LEFT,
        *,
        withheld: Withheld | None = None,
        told: Collection[str] = (),
        **noted: Any,
    ) -> Case:
        """The case of what the rules find in a meeting; `told` are audiences."""
        changes = changes_of(dossier)
        occurrence = dossier.key.text
        values: dict[str, Any] = {
            "host_key": key_of(TEACHER),
            "answerers": (key_of(TEACHER),),
            "schools": ("lincoln",),
            "is_private": False,
            "starts_at": dossier.start_at,
        }
        with self.store.transaction() as tx:
            digest = None
            if withheld is None:
                digest = tx.snapshots.keep(a_snapshot(dossier), as_of=dossier.as_of)
            tx.flags.save(changes, as_of=dossier.as_of, snapshot=digest, withheld=withheld)
            tx.cases.note(occurrence, Noted(**values | noted))
            for flag in tx.flags.of(occurrence):
                tx.flags.tell(flag.id, dict.fromkeys(told, dossier.as_of), None)
        return self.case(case_id(occurrence))

    def case(self, number: str) -> Case:
        """The case as it is now."""
        with self.store.reading() as tx:
            found = tx.cases.find(number)
        assert found is not None
        return found

    def flags(self, case: Case) -> list[Flag]:
        """Its flags."""
        with self.store.reading() as tx:
            return tx.flags.of(case.occurrence)

    def statuses(self, case: Case) -> set[FlagStatus]:
        """Statuses of its flags."""
        return {flag.status for flag in self.flags(case)}

    def events(self, case: Case) -> list[CaseEvent]:
        """What was done about it."""
        with self.store.reading() as tx:
            return list(tx.cases.events(case.id))

    def mails(self, case: Case) -> list[MailedNotice]:
        """All mails about it."""
        with self.store.reading() as tx:
            return [
                mail
                for thread in {notice_thread(flag) for flag in tx.flags.of(case.occurrence)}
                for mail in tx.outbox.of_thread(thread)
            ]

    def is_sound(self) -> bool:
        """Whether the chain and everything it records is whole."""
        with self.store.reading() as tx:
            return tx.chain.audit().broken is None


def notice_thread(flag: Flag) -> str:
    """Name of the mail thread about a flag's meeting."""
    return thread_of(flag.occurrence)


def later(seconds: float) -> datetime:
    """So many seconds after `NOW`."""
    return NOW + timedelta(seconds=seconds)


KIM = Account(
    "kim",
    PUPIL,
    (PUPIL,),
    AccountKind.STUDENT,
    "/Students",
    "Kim Brook",
    given_name="Kim",
    family_name="Brook",
    other_ids=("S1234567",),
)


def _account(address: str) -> tuple[KnownAccount, tuple[str, ...]]:
    name = address.partition("@")[0].title()
    account = Account(
        f"id of {address}", address, (address,), AccountKind.STAFF, "/Staff/Lincoln", name
    )
    return known(account, KEYS)
