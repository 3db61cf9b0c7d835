"""The district's policy: thresholds, limits, approved platforms, switches per rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, time, timedelta

from meetbot.domain.findings import Severity
from meetbot.domain.platforms import Platform
from meetbot.domain.retention import Retention
from meetbot.domain.shared_files import FileWords
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
    intruder: timedelta = timedelta(seconds=60)
    """How long somebody else must be in a confidential meeting to be reported."""
    phone_leg: timedelta = timedelta(minutes=2)
    """A phone that joins within this of an attendee's join is that attendee's second leg."""
    contradiction: timedelta = timedelta(minutes=2)
    live_on_call: timedelta = timedelta(seconds=300)
    personal_clearance: bool = False
    """Whether each partner person needs a certification of their own."""
    medium_school_days: int = 3
    acknowledge: timedelta = timedelta(hours=1)
    """School time within which somebody has to acknowledge a critical flag."""


@dataclass(frozen=True, slots=True)
class SpecialAccounts:
    """`[accounts]` of `policy.toml`: addresses that may do what others may not, sorted."""

    delegates: tuple[str, ...] = ()
    """Secretaries and booking tools that create and change events for others."""
    webinar_hosts: tuple[str, ...] = ()
    """Hosts whose meetings anyone may enter."""


@dataclass(frozen=True, slots=True)
class SchoolCalendar:
    """When officers can be expected to act: weekdays 0 (Monday) to 6, and local hours.

    `holidays` are first and last local day of each time without school, both inclusive.
    """

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    opens: time = time(8, 0)
    closes: time = time(16, 0)
    holidays: tuple[tuple[date, date], ...] = ()


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

    @property
    def shadows(self) -> frozenset[str]:
        """The rules that are in shadow."""
        return frozenset(rule for rule, s in self.rules.items() if s.is_shadow and s.is_enabled)


# --- single settings ----------------------------------------------------------------------------

_TABLES = ("thresholds", "limits", "retention", "accounts", "files")
_SWITCHES = {"enabled": "is_enabled", "severity": "severity", "shadow": "is_shadow"}
_WHOLE = ("approved_platforms", "school_calendar", "certificated_units")


def settings_of(policy: Policy, rules: Iterable[str]) -> dict[str, object]:
    """Every setting by the name that it has in `policy.toml`; switches of these rules."""
    found: dict[str, object] = {name: getattr(policy, name) for name in _WHOLE}
    for table in _TABLES:
        values = getattr(policy, table)
        found |= {f"{table}.{f.name}": getattr(values, f.name) for f in fields(values)}
    for rule in rules:
        switch = policy.switch(rule)
        found |= {f"rules.{rule}.{key}": getattr(switch, of) for key, of in _SWITCHES.items()}
    return found


def differing(one: Policy, other: Policy) -> tuple[str, ...]:
    """Names of the settings in which two policies differ."""
    rules = sorted({*one.rules, *other.rules})
    mine, theirs = settings_of(one, rules), settings_of(other, rules)
    return tuple(name for name, value in mine.items() if value != theirs[name])


def with_setting(policy: Policy, name: str, source: Policy) -> Policy:
    """The policy with one setting as it is in another one."""
    table, _, rest = name.partition(".")
    if table in _WHOLE:
        return replace(policy, **{table: getattr(source, table)})
    if table in _TABLES:
        values = replace(getattr(policy, table), **{rest: getattr(getattr(source, table), rest)})
        return replace(policy, **{table: values})
    rule, _, key = rest.rpartition(".")
    of = _SWITCHES[key]
    switch = replace(policy.switch(rule), **{of: getattr(source.switch(rule), of)})
    return replace(policy, rules={**policy.rules, rule: switch})


def shown_setting(value: object) -> str:
    """A setting's value as `policy.toml` writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case timedelta():
            return f"{int(value.total_seconds())}s"
        case frozenset() | tuple():
            return ", ".join(sorted(map(str, value))) or "none"
        case SchoolCalendar():
            out = ", ".join(f"{first} to {last}" for first, last in value.holidays)
            hours = f"days {value.weekdays}, {value.opens:%H:%M} to {value.closes:%H:%M}"
            return hours + f", without {out}" * bool(out)
        case None:
            return "the catalogue's"
    return str(value)
