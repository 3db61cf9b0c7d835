"""The district's policy: thresholds, limits, approved platforms, switches per rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta

from meetbot.domain.findings import Severity
from meetbot.domain.platforms import Platform
from meetbot.domain.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class RuleSwitch:
    """`[rules.ID]` of `policy.toml`; severity None keeps the catalogue's.

    What a rule in shadow finds is kept and counted apart from flags, and nobody is told.
    """

    is_enabled: bool = True
    severity: Severity | None = None
    is_shadow: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The catalogue's other configurable values (marked there with a gear), with its defaults."""

    authorization_move: timedelta = timedelta(minutes=15)
    """A meeting moved by no more than this on the same local day keeps its authorization."""
    outside_window: timedelta = timedelta(minutes=10)
    adhoc_match: timedelta = timedelta(hours=2)
    """A conference belongs to an event whose time, widened by this, it overlaps."""
    unidentified: timedelta = timedelta(seconds=60)
    phone_leg: timedelta = timedelta(minutes=2)
    """A phone that joins within this of an attendee's join is that attendee's second leg."""
    contradiction: timedelta = timedelta(minutes=2)
    live_on_call: timedelta = timedelta(seconds=300)
    personal_clearance: bool = False
    """Whether each partner person needs a certification of their own."""
    medium_school_days: int = 3


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

    def switch(self, rule: str) -> RuleSwitch:
        """The switch of one rule, with the default where the file names none."""
        return self.rules.get(rule, RuleSwitch())

    @property
    def shadows(self) -> frozenset[str]:
        """The rules that are in shadow."""
        return frozenset(rule for rule, s in self.rules.items() if s.is_shadow and s.is_enabled)
