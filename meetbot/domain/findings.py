"""What rules say: concerns, findings stamped with rule and key, and undecided rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from meetbot.domain.meetings import OccurrenceKey


class Severity(StrEnum):
    """How bad it would be, in rising order."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 (info) to 4 (critical)."""
        return list(Severity).index(self)


class Certainty(StrEnum):
    """`confirmed` rests on E1/E2 identities and Certain time only; else `needs-review`."""

    CONFIRMED = "confirmed"
    NEEDS_REVIEW = "needs-review"


class Phase(StrEnum):
    """Before, during and after the meeting (catalogue S, L, A)."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    AFTER = "after"


class Evidence(StrEnum):
    """A source that was read in full for this meeting."""

    CALENDAR = "calendar"
    GUESTS = "guests"
    DIRECTORY = "directory"
    REGISTRY = "registry"
    ATTENDANCE = "attendance"
    TEXT = "text"
    SPACE = "space"
    """Access and co-hosts of the Meet space."""
    EDITS = "edits"
    """The audit log of calendars: who changed an event."""


@dataclass(frozen=True, slots=True)
class TimelineSpan:
    """Seconds of contact without staff, for `evidence.components`."""

    kind: str
    start_at: datetime
    end_at: datetime

    @property
    def seconds(self) -> int:
        """Whole seconds."""
        return int((self.end_at - self.start_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Concern:
    """What a rule saw. `subject` is stable when more data arrives: it is part of the flag's key.

    `facts` fill the sentences of `rules/texts` (`{domain}`, `{date}` …): plain text and numbers,
    never anything about a student beyond a count.
    """

    subject: str
    facts: Mapping[str, object] = field(default_factory=dict)
    severity: Severity | None = None
    """None: the rule's own."""
    certainty: Certainty = Certainty.CONFIRMED
    is_provisional: bool = False
    partner_id: str | None = None
    program_id: str | None = None
    spans: tuple[TimelineSpan, ...] = ()
    unknowns: tuple[str, ...] = ()
    """Plain sentences: what could not be told."""


@dataclass(frozen=True, slots=True)
class FlagKey:
    """(rule, occurrence, subject): the same answer is the same flag."""

    rule: str
    occurrence: str
    subject: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A concern stamped with rule, occurrence and sentences."""

    rule: str
    occurrence: OccurrenceKey
    phase: Phase
    severity: Severity
    concern: Concern
    message: str
    """The officer's sentence."""
    advice: str
    """The teacher's sentence; empty when the catalogue has none."""
    fix: str
    family: str | None = None
    """`presence`: a later classification supersedes the earlier one in the same thread."""
    is_sticky: bool = False
    """A disclosure: not withdrawn when the setting is mended."""
    admin: str = ""
    """What an administrator of Google Workspace can do; empty where no setting mends it."""

    @property
    def key(self) -> FlagKey:
        """Identity of the flag this finding keeps open."""
        return FlagKey(self.rule, self.occurrence.text, self.concern.subject)


@dataclass(frozen=True, slots=True)
class Undecided:
    """A rule without its evidence: never a pass."""

    rule: str
    missing: frozenset[Evidence]
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that one evaluation says of one dossier."""

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    decided: frozenset[str]
    """Rules that were evaluated with all their evidence in this phase."""
    recheck_at: datetime | None

    def only(self, rules: Collection[str]) -> Verdict:
        """What it says of these rules."""
        return replace(
            self,
            findings=tuple(f for f in self.findings if f.rule in rules),
            undecided=tuple(u for u in self.undecided if u.rule in rules),
            decided=self.decided.intersection(rules),
        )

    def without(self, rules: Collection[str]) -> Verdict:
        """What it says of all other rules."""
        return replace(
            self,
            findings=tuple(f for f in self.findings if f.rule not in rules),
            undecided=tuple(u for u in self.undecided if u.rule not in rules),
            decided=self.decided.difference(rules),
        )
