"""What every job is given: ports, policy and the district's settings as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from meetbot.domain.findings import Severity
from meetbot.domain.people import Pseudonyms
from meetbot.domain.policy import Policy
from meetbot.domain.webhooks import Endpoint
from meetbot.ports import (
    CalendarPort,
    ComposePort,
    DirectoryPort,
    HookPort,
    MailerPort,
    MeetPort,
    RegistrySource,
    ReportsPort,
    Store,
)


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who gets mail; all addresses lie in the district's domains (checked by the settings)."""

    officers: tuple[str, ...]
    privacy_officers: tuple[str, ...]
    operators: tuple[str, ...]
    escalation: tuple[str, ...] = ()
    """Of a critical flag nobody acknowledged; empty: officers, principals, privacy officers."""
    contacts: Mapping[str, str] = field(default_factory=dict)
    """By program type: who answers questions."""


@dataclass(frozen=True, slots=True)
class District:
    """The district's settings that jobs need. Durations are spans before or after `as_of`."""

    zone: ZoneInfo
    domains: frozenset[str]
    recipients: Recipients
    lookback: timedelta = timedelta(days=7)
    horizon: timedelta = timedelta(days=30)
    final_after: timedelta = timedelta(hours=24)
    outage_after: timedelta = timedelta(hours=2)
    """How long a source may fail before the operators are told."""
    reminders: tuple[timedelta, ...] = (
        timedelta(days=7),
        timedelta(hours=24),
        timedelta(hours=1),
    )
    approvals_expire: timedelta = timedelta(days=14)
    """How long a request for approval can be answered; never after the meeting has begun."""
    digest_at: time = time(7, 30)
    weekly_day: int = 0
    """0 is Monday."""
    weekly_at: time = time(7, 30)
    mails_a_day: int = 10
    """Mails about flags, none of them critical, that one address gets before they are rolled up."""
    storm_flags: int = 200
    """How many flags may be mailed within an hour before mail is stopped."""
    workers: int = 32
    """Threads that read calendars and conferences."""
    four_eyes: frozenset[Severity] = frozenset()
    """Severities of which a flag is upheld or dismissed by two officers."""


class Standards(Protocol):
    """What decisions are made by."""

    @property
    def policy(self) -> Policy:
        """The district's policy."""
        ...

    @property
    def district(self) -> District:
        """The district's settings."""
        ...

    @property
    def pseudonyms(self) -> Pseudonyms:
        """Keys of addresses."""
        ...


@dataclass(frozen=True, slots=True)
class Standard:
    """`Standards` without anything else."""

    policy: Policy
    district: District
    pseudonyms: Pseudonyms


@dataclass(frozen=True, slots=True)
class Deps:
    """Built once in `wiring`; a test passes fakes to the same functions."""

    store: Store
    directory: DirectoryPort
    calendars: CalendarPort
    meet: MeetPort
    reports: ReportsPort
    mailer: MailerPort
    compose: ComposePort
    pseudonyms: Pseudonyms
    policy: Policy
    district: District
    registry_source: RegistrySource | None = None
    """The spreadsheet that is imported again and again, if one is configured."""
    hooks: HookPort | None = None
    """Posts to `endpoints`; None without any."""
    endpoints: tuple[Endpoint, ...] = ()
    """Programs that are told of changes."""
    go_on: Callable[[], None] = lambda: None
    """Called between two units of work; raises `Stopped` when the service is to end."""
