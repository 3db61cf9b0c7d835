"""A district small enough to know by heart, with a clock that moves only when told to.

One school (`cedar`) with a principal, two teachers and three students, one certified partner
(`bright`) with a contract and an approval, and whatever a test adds to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from meetbot import wiring
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.jobs.poll import PollResult
from meetbot.rules import KNOWN_RULES
from meetbot.sandbox import World
from meetbot.sandbox.model import Event, Participant, joined
from meetbot.settings import load_settings
from tests.stage import Rows, Stage, a_stage

NOON = datetime(2026, 10, 13, 17, 0, tzinfo=UTC)
"""A Tuesday, noon in Chicago."""
ADMIN = "meetbot-admin@district.example"
TEACHER = "tara.teach@district.example"
COLLEAGUE = "colin.cover@district.example"
PRINCIPAL = "paula.principal@district.example"
OFFICER = "compliance@district.example"
PRIVACY = "privacy@district.example"
PARTNER = "pia@bright.example"
STUDENTS = tuple(f"kid{n}.secret@students.district.example" for n in range(1, 4))
STUDENT_NAMES = ("Zebulon Quist", "Yolanda Vex", "Xerxes Umber")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class MovingClock:
    """Aware UTC; stands still until moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def to(self, now: datetime) -> None:
        self.now = now


def small_world(now: datetime) -> World:
    """The people; no meeting yet."""
    world = World(clock=lambda: now)
    for unit in ("/Staff/Cedar", "/Staff/Contractors", "/Students/Cedar", "/Service"):
        world.add_unit(unit)
    world.add_user(ADMIN, "Meetbot Admin", "/Service", admin=True)
    world.add_user(TEACHER, "Tara Teach", "/Staff/Cedar")
    world.add_user(COLLEAGUE, "Colin Cover", "/Staff/Cedar")
    world.add_user(PRINCIPAL, "Paula Principal", "/Staff/Cedar")
    for address, name in zip(STUDENTS, STUDENT_NAMES, strict=True):
        world.add_user(address, name, "/Students/Cedar")
    return world


def small_rows(now: datetime, *, is_authorized: bool = True) -> dict[str, list[dict[str, str]]]:
    """The registry: everything in order, or without the approval."""
    first, last = f"{now - 200 * DAY:%Y-%m-%d}", f"{now + 200 * DAY:%Y-%m-%d}"
    issued = f"{now - 100 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    approval = {
        "authorization_id": "A1",
        "partner_id": "bright",
        "program_id": "bright-college",
        "school_id": "cedar",
        "starts_on": first,
        "ends_on": last,
        "authorizer_address": PRINCIPAL,
        "issued_at": issued,
    }
    return {
        "schools.csv": [
            {
                "school_id": "cedar",
                "name": "Cedar School",
                "kind": "school",
                "unit_paths": "/Staff/Cedar;/Students/Cedar",
                "principals": PRINCIPAL,
            }
        ],
        "partners.csv": [
            {
                "partner_id": "bright",
                "name": "Bright Path",
                "kind": "contracted",
                "status": "active",
            }
        ],
        "programs.csv": [
            {
                "program_id": "bright-college",
                "partner_id": "bright",
                "name": "Bright College",
                "type": "college-access",
                "status": "active",
            }
        ],
        "identities.csv": [{"partner_id": "bright", "kind": "domain", "value": "bright.example"}],
        "contracts.csv": [
            {
                "contract_id": "C1",
                "partner_id": "bright",
                "program_id": "bright-college",
                "school_ids": "*",
                "signed_on": first,
                "starts_on": first,
                "ends_on": last,
            }
        ],
        "certifications.csv": [
            {"partner_id": "bright", "certified_on": first, "expires_on": last},
        ],
        "authorizations.csv": [approval] if is_authorized else [],
        "exemptions.csv": [],
    }


@dataclass(slots=True)
class Letter:
    """A mail as it arrived."""

    to: tuple[str, ...]
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """Subject, all readable parts and headers, decoded."""
        parts = [f"{name}: {value}" for name, value in self.message.items()]
        for part in self.message.walk():
            if part.get_content_maintype() == "text":
                parts.append(part.get_content())
        return "\n".join(parts)


@dataclass(slots=True)
class Scene:
    """A stage, its clock, and the mails read so far."""

    stage: Stage
    clock: MovingClock
    _read: int = field(default=0)

    @property
    def world(self) -> World:
        return self.stage.world

    def poll(self, at: datetime | None = None) -> PollResult:
        """Move the clock, then one complete pass."""
        if at is not None:
            self.clock.to(at)
        return self.stage.poll()

    def letters(self) -> list[Letter]:
        """The mails since the last call."""
        arrived = self.stage.mailbox.mails[self._read :]
        self._read += len(arrived)
        return [
            Letter(
                one.to,
                message_from_bytes(one.eml.read_bytes(), policy=policy.default),
            )
            for one in arrived
        ]

    def poll_letters(self, at: datetime | None = None) -> list[Letter]:
        """One pass and the mails that it sent."""
        self.letters()
        self.poll(at)
        return self.letters()

    @contextmanager
    def restarted(self, **environ: str) -> Iterator[None]:
        """Another meetbot on the same database, configured by the environment on top."""
        settings = load_settings(self.stage.config, environ, KNOWN_RULES)
        with wiring.opened(settings) as app:
            before, self.stage.app = self.stage.app, app
            try:
                yield
            finally:
                self.stage.app = before

    def rules(self, uid: str | None = None) -> set[str]:
        """Rules of the open flags."""
        return {flag.rule for flag in self.stage.flags(uid=uid)}

    def flag(self, rule: str, *statuses: FlagStatus) -> Flag:
        """The only flag of a rule, with one of these statuses (default: any)."""
        with self.stage.app.store.reading() as tx:
            found = tx.flags.list(statuses=list(statuses or FlagStatus), rule=rule)
        assert len(found) == 1, [(f.rule, f.status, f.key.subject) for f in found]
        return found[0]

    def lesson(
        self,
        start: datetime,
        minutes: int = 45,
        *,
        guests: Sequence[str] = (PARTNER, *STUDENTS),
        organizer: str = TEACHER,
        **details: Any,
    ) -> Event:
        """A well set-up lesson with the partner: the guest list is hidden, guests add nobody."""
        settings: dict[str, Any] = {"guests_see_others": False, "guests_invite": False}
        return self.world.add_event(
            organizer,
            start,
            start + minutes * MINUTE,
            attendees=guests,
            **(settings | details),
        )

    def call(self, event: Event, *people: Participant, event_id: str | None = None) -> str:
        """A call held for an event; gives the conference's id."""
        made = self.world.add_conference(
            event.code,
            event.organizer,
            [people],
            calendar_event_id=event.event_id if event_id is None else event_id,
        )
        return made[0].conference_id


def there(who: str, start: datetime, *minutes: float | None, **details: Any) -> Participant:
    """Somebody present from/to given in minutes after `start`: in, out, in, out …; None stays."""
    pairs = list(zip(minutes[::2], minutes[1::2], strict=True))
    spans = [
        (start + timedelta(minutes=a or 0), None if b is None else start + timedelta(minutes=b))
        for a, b in pairs
    ]
    return joined(who, *spans, **details)


@contextmanager
def a_scene(
    folder: Path,
    *,
    now: datetime = NOON,
    rows: Rows | None = None,
    with_registry: bool = True,
) -> Iterator[Scene]:
    """The small district with meetbot wired to it, nothing polled yet."""
    clock = MovingClock(now)
    wanted = (rows or small_rows(now)) if with_registry else None
    with a_stage(folder, small_world(now), wanted, clock=clock) as stage:
        yield Scene(stage, clock)
