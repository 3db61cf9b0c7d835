"""What the overview shows: counts and lengths of time, nobody's name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from meetbot.domain.findings import Severity
from meetbot.domain.notices import Coverage
from meetbot.domain.registry import Authorization, Exemption, ExemptionKind, Registry
from meetbot.domain.storms import StormState

WEEKS = 12
"""Shown, the running one included."""
PRECISION_DAYS = 364
"""Of so many days decisions are counted: most rules are decided rarely."""
NOTICE_DAYS = (30, 60, 90)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose flags are counted; `schools` None: of all."""

    private: bool = False
    """Those of confidential services too: for privacy officers alone."""
    schools: Collection[str] | None = None

    @property
    def is_district(self) -> bool:
        """Whether the whole district is meant."""
        return self.schools is None


@dataclass(frozen=True, slots=True)
class Week:
    """Flags opened in one local week. `meetings` with partners is None where not all are kept."""

    first: date
    counts: Mapping[Severity, int]
    meetings: int | None

    @property
    def flags(self) -> int:
        """Of all severities."""
        return sum(self.counts.values())

    @property
    def grave(self) -> int:
        """Of medium severity or worse: none of these is of a meeting of adults alone."""
        return sum(n for severity, n in self.counts.items() if severity.rank > Severity.LOW.rank)

    @property
    def per_hundred(self) -> float | None:
        """Those per 100 partner meetings; None where there was no meeting, or nobody knows."""
        return 100 * self.grave / self.meetings if self.meetings else None


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of so many lengths of time: half are at most `median`, nine of ten at most `p90`."""

    number: int
    median: timedelta
    p90: timedelta


@dataclass(frozen=True, slots=True)
class Times:
    """How long flags of one severity waited; None where none was handled."""

    severity: Severity
    acknowledged: Quantiles | None
    resolved: Quantiles | None


@dataclass(frozen=True, slots=True)
class Precision:
    """How officers decided about the flags of one rule."""

    rule: str
    upheld: int
    dismissed: int

    @property
    def share(self) -> float:
        """Upheld ones of all that were decided."""
        return self.upheld / (self.upheld + self.dismissed)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of mails: the first three since an instant, the others now."""

    sent: int
    rolled_up: int
    """Left as part of another one."""
    failed: int
    """Given up."""
    waiting: int
    """Queued, or tried in vain and tried again."""
    held: int
    """By a storm, or until the next full hour."""


@dataclass(frozen=True, slots=True)
class Expiring:
    """How many rows of a registry file end within 30, 60 and 90 days, the shorter included."""

    file: str
    within: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Operations:
    """How the work goes, for whoever keeps meetbot running."""

    coverage: Coverage
    delivery: Delivery
    storm: StormState


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page; `operations` and `expiring` are of the district, and not a school's."""

    weeks: tuple[Week, ...]
    times: tuple[Times, ...]
    precision: tuple[Precision, ...]
    operations: Operations | None
    expiring: tuple[Expiring, ...]


def week_starts(as_of: datetime, zone: ZoneInfo) -> tuple[date, ...]:
    """Mondays of the weeks shown, the first one first."""
    today = as_of.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    return tuple(monday - timedelta(weeks=n) for n in reversed(range(WEEKS)))


def week_of(first: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants [start, end) of a local week; 167 or 169 hours where clocks change."""
    start, end = (
        datetime.combine(day, time.min, zone).astimezone(UTC)
        for day in (first, first + timedelta(days=7))
    )
    return start, end


def expiring(registry: Registry, today: date, *, private: bool) -> tuple[Expiring, ...]:
    """Rows that are valid and end soon. Those of confidential services are counted for privacy
    officers alone."""
    ends: dict[str, list[date]] = {
        "contracts": [row.ends_on for row in registry.contracts],
        "certifications": [row.expires_on for row in registry.certifications],
        "authorizations": [row.ends_on for row in registry.authorizations if _is_valid(row)],
        "exemptions": [row.ends_on for row in registry.exemptions if private or _is_public(row)],
    }
    return tuple(Expiring(file, _within(days, today)) for file, days in ends.items())


def _is_valid(row: Authorization) -> bool:
    return row.revoked_at is None


def _is_public(row: Exemption) -> bool:
    return row.kind is not ExemptionKind.CONFIDENTIAL_CLINICAL


def _within(days: Iterable[date], today: date) -> tuple[int, int, int]:
    left = [(day - today).days for day in days if day >= today]
    short, middle, long = (sum(n <= most for n in left) for most in NOTICE_DAYS)
    return short, middle, long
