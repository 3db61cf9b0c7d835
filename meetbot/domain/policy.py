"""The district's policy: thresholds, limits, approved platforms, switches per rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta

from meetbot.domain.findings import Severity
from meetbot.domain.platforms import Platform
from meetbot.domain.retention import Retention
from meetbot.domain.shared_files import FileWords
from meetbot.domain.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class RuleSwitch:
    """`[rules.ID]` of `policy.toml`; severity None keeps the catalogue's."""

    is_enabled: bool = True
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The catalogue's other configurable values (marked there with a gear), with its defaults."""

    authorization_move: timedelta = timedelta(minutes=15)
    """A meeting moved by no more than this on the same local day keeps its authorization."""
    outside_window: timedelta = timedelta(minutes=10)
    adhoc_match: timedelta = timedelta(hours=2)
    """A conference belongs to an event whose time, widened by this, it overlaps."""
    unidentified: timedelta = timedelta(seconds=60)
    intruder: timedelta = timedelta(seconds=60)
    """How long somebody else must be in a confidential meeting to be reported."""
    phone_leg: timedelta = timedelta(minutes=2)
    """A phone that joins within this of an attendee's join is that attendee's second leg."""
    contradiction: timedelta = timedelta(minutes=2)
    live_on_call: timedelta = timedelta(seconds=300)
    personal_clearance: bool = False
    """Whether each partner person needs a certification of their own."""
    medium_school_days: int = 3


@dataclass(frozen=True, slots=True)
class SpecialAccounts:
    """`[accounts]` of `policy.toml`: addresses that may do what others may not, sorted."""

    delegates: tuple[str, ...] = ()
    """Secretaries and booking tools that create and change events for others."""
    webinar_hosts: tuple[str, ...] = ()
    """Hosts whose meetings anyone may enter."""


@dataclass(frozen=True, slots=True)
class SchoolCalendar:
    """When officers can be expected to act: weekdays 0 (Monday) to 6, and local hours."""

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    opens: time = time(8, 0)
    closes: time = time(16, 0)


@dataclass(frozen=True, slots=True)
class Policy:
    """What rules are measured against."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    limits: Limits = field(default_factory=Limits)
    approved_platforms: frozenset[Platform] = frozenset({Platform.GOOGLE_MEET})
    rules: Mapping[str, RuleSwitch] = field(default_factory=dict)
    school_calendar: SchoolCalendar = field(default_factory=SchoolCalendar)
    retention: Retention = field(default_factory=Retention)
    accounts: SpecialAccounts = field(default_factory=SpecialAccounts)
    files: FileWords = field(default_factory=FileWords)
    certificated_units: tuple[str, ...] = ()
    """Org units whose staff may take a lesson over; empty: nobody can tell."""

    def switch(self, rule: str) -> RuleSwitch:
        """The switch of one rule, with the default where the file names none."""
        return self.rules.get(rule, RuleSwitch())
