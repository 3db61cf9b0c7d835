"""The supervision algebra, decided to the second (catalogue §3, A1 to A15).

`decide` turns the visits of one occurrence into stretches of contact without staff, flags and the
instant at which to look again. It does no per-second work: `domain.contact` sweeps once over the
instants at which anything changes, and the next threshold crossing is computed, since every sum
grows by one or not at all each second while everything open stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from meetbot.domain.contact import Bound, PresenceCase, PresenceVisit, Run, Scene, settle
from meetbot.domain.findings import Certainty, Severity
from meetbot.domain.spans import Span
from meetbot.domain.thresholds import Thresholds

__all__ = [
    "Component",
    "ComponentKind",
    "Presence",
    "PresenceCase",
    "PresenceFlag",
    "PresenceRule",
    "PresenceVisit",
    "Totals",
    "decide",
]


class ComponentKind(StrEnum):
    """Where contact without staff lies against staff presence; `ALONE`: with one student."""

    BEFORE = "before"
    AFTER = "after"
    GAP = "gap"
    NONE = "none"
    ALONE = "alone"


class PresenceRule(StrEnum):
    """The five presence rules, in the order of their ids."""

    NO_STAFF_JOINED = "no-staff-joined"
    PARTNER_ALONE_WITH_STUDENT = "partner-alone-with-student"
    STAFF_JOINED_LATE = "staff-joined-late"
    STAFF_LEFT_EARLY = "staff-left-early"
    STAFF_PRESENCE_GAP = "staff-presence-gap"


@dataclass(frozen=True, slots=True)
class Component:
    """A stretch of contact without staff, in whole epoch seconds."""

    kind: ComponentKind
    start: int
    end: int

    @property
    def seconds(self) -> int:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class PresenceFlag:
    """What one rule says. `hidden_class_only`: it rests on the hidden class alone (A15)."""

    rule: PresenceRule
    severity: Severity
    confidence: Certainty
    provisional: bool
    hidden_class_only: bool = False


@dataclass(frozen=True, slots=True)
class Presence:
    """The answer for one case; instants are whole epoch seconds.

    Components are in order of start, each followed by its `alone` pieces; flags by rule id.
    `recheck_at` is None where nothing will change by itself. `conference` is what was judged.
    """

    certain: tuple[Component, ...]
    possible: tuple[Component, ...]
    flags: tuple[PresenceFlag, ...]
    recheck_at: int | None
    conference: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """Seconds of contact without staff by kind, as the rules and their sentences need them.

    `alone_before` is the time with one student inside *before*, `alone` all other such time.
    """

    none: int = 0
    before: int = 0
    after: int = 0
    gap: int = 0
    longest_gap: int = 0
    gaps: int = 0
    alone: int = 0
    alone_before: int = 0

    @classmethod
    def of(cls, components: Iterable[Component]) -> Totals:
        """Sums of components in the order `decide` gives them."""
        seconds = dict.fromkeys(ComponentKind, 0)
        gaps: list[int] = []
        alone_before = 0
        within = ComponentKind.NONE
        for component in components:
            seconds[component.kind] += component.seconds
            if component.kind is not ComponentKind.ALONE:
                within = component.kind
            elif within is ComponentKind.BEFORE:
                alone_before += component.seconds
            if component.kind is ComponentKind.GAP:
                gaps.append(component.seconds)
        return cls(
            none=seconds[ComponentKind.NONE],
            before=seconds[ComponentKind.BEFORE],
            after=seconds[ComponentKind.AFTER],
            gap=seconds[ComponentKind.GAP],
            longest_gap=max(gaps, default=0),
            gaps=len(gaps),
            alone=seconds[ComponentKind.ALONE] - alone_before,
            alone_before=alone_before,
        )


def decide(case: PresenceCase) -> Presence:
    """Decide one case. Never raises, whatever the instants are."""
    scene, limits = settle(case), case.thresholds
    is_live = scene.is_live
    bounds = scene.bounds()
    certain = _components(bounds.certain, limits, is_live=is_live)
    possible = _components(bounds.possible, limits, is_live=is_live)
    plain = possible
    if bounds.plain is not bounds.possible:
        plain = _components(bounds.plain, limits, is_live=is_live)
    totals = (Totals.of(certain), Totals.of(possible), Totals.of(plain))
    return Presence(
        certain=certain,
        possible=possible,
        flags=_flags(*totals, limits, is_live=is_live),
        recheck_at=_recheck_at(scene, limits, _answer(*totals, limits)),
        conference=scene.conference(),
    )


def _components(bound: Bound, limits: Thresholds, *, is_live: bool) -> tuple[Component, ...]:
    """Runs and their alone pieces of at least the jitter, with their kinds (A7, A9)."""
    kept = [run for run in bound.runs if run.end - run.start >= limits.jitter_s]
    is_waiting = is_live and sum(run.end - run.start for run in kept) < limits.none_wait_s
    components: list[Component] = []
    for run in kept:
        components.append(Component(_kind(run, bound, is_waiting=is_waiting), run.start, run.end))
        components.extend(
            Component(ComponentKind.ALONE, start, end)
            for start, end in run.alone
            if end - start >= limits.jitter_s
        )
    return tuple(components)


def _kind(run: Run, bound: Bound, *, is_waiting: bool) -> ComponentKind:
    if bound.staff is None:
        return ComponentKind.BEFORE if is_waiting else ComponentKind.NONE
    first, last = bound.staff
    if run.end <= first:
        return ComponentKind.BEFORE
    if run.start >= last:
        return ComponentKind.AFTER
    return ComponentKind.GAP


_Answer = dict[PresenceRule, tuple[Severity, Certainty]]


def _flags(
    certain: Totals, possible: Totals, plain: Totals, limits: Thresholds, *, is_live: bool
) -> tuple[PresenceFlag, ...]:
    by_itself = _fired(plain, limits)
    answer = _answer(certain, possible, plain, limits)
    return tuple(
        PresenceFlag(
            rule,
            severity,
            confidence,
            provisional=is_live,
            hidden_class_only=confidence is Certainty.NEEDS_REVIEW and rule not in by_itself,
        )
        for rule, (severity, confidence) in sorted(answer.items())
    )


def _answer(certain: Totals, possible: Totals, plain: Totals, limits: Thresholds) -> _Answer:
    """A10, with the cap of A15: what only the hidden class brings is medium."""
    confirmed = _fired(certain, limits)
    by_itself = _fired(plain, limits)
    review = {rule: by_itself.get(rule, Severity.MEDIUM) for rule in _fired(possible, limits)}
    return {rule: (severity, Certainty.NEEDS_REVIEW) for rule, severity in review.items()} | {
        rule: (severity, Certainty.CONFIRMED) for rule, severity in confirmed.items()
    }


def _fired(totals: Totals, limits: Thresholds) -> dict[PresenceRule, Severity]:
    """The rules that are true on one bound, with the severity their own sums give them."""
    fired: dict[PresenceRule, Severity] = {}
    if _reaches(totals.none, limits.none_s):
        fired[PresenceRule.NO_STAFF_JOINED] = Severity.CRITICAL
    if _reaches(totals.alone, limits.alone_s) or _reaches(
        totals.alone_before, limits.alone_before_s
    ):
        fired[PresenceRule.PARTNER_ALONE_WITH_STUDENT] = Severity.CRITICAL
    if _reaches(totals.before, limits.before_s):
        fired[PresenceRule.STAFF_JOINED_LATE] = _by_length(totals.before, limits)
    if _reaches(totals.after, limits.after_s):
        fired[PresenceRule.STAFF_LEFT_EARLY] = _by_length(totals.after, limits)
    if _reaches(totals.longest_gap, limits.gap_longest_s) or _reaches(totals.gap, limits.gap_sum_s):
        fired[PresenceRule.STAFF_PRESENCE_GAP] = _by_length(totals.gap, limits)
    return fired


def _reaches(seconds: int, limit: int) -> bool:
    """Whether a sum reaches its limit; without any contact it does not, even at limit 0 (A2)."""
    return seconds > 0 and seconds >= limit


def _by_length(seconds: int, limits: Thresholds) -> Severity:
    return Severity.HIGH if seconds >= limits.high_s else Severity.MEDIUM


@dataclass(frozen=True, slots=True)
class _Outlook:
    """One bound's totals from `now` on, while everything open stays open and nobody comes.

    The run that began at `since` and the alone piece that began at `alone_since` go on; None
    where there is no such one. A run that goes on is *none* or *after*: whatever staff the bound
    has were there before it.
    """

    totals: Totals
    since: int | None
    alone_since: int | None
    has_staff: bool
    now: int
    limits: Thresholds

    @classmethod
    def of(cls, bound: Bound, now: int, limits: Thresholds) -> _Outlook:
        """The outlook of a bound whose running conference was read until `now`."""
        totals = Totals.of(_components(bound, limits, is_live=False))
        newest = bound.runs[-1:]
        since = _open_since([(run.start, run.end) for run in newest], now)
        alone_since = _open_since([piece for run in newest for piece in run.alone], now)
        return cls(totals, since, alone_since, bound.staff is not None, now, limits)

    def at(self, instant: int) -> Totals:
        """The totals at an instant from `now` on."""
        totals = self.totals
        run = self._counted(self.since, instant) - self._counted(self.since, self.now)
        piece = self._counted(self.alone_since, instant)
        alone = totals.alone + piece - self._counted(self.alone_since, self.now)
        if self.has_staff:
            return replace(totals, after=totals.after + run, alone=alone)
        none = totals.none + run
        if none < self.limits.none_wait_s:
            return Totals(before=none, alone_before=alone)
        return Totals(none=none, alone=alone)

    def crossings(self) -> Iterator[int]:
        """Every instant at which a sum reaches a limit or a stretch outgrows the jitter."""
        totals, limits = self.totals, self.limits
        contact = (
            (limits.after_s, limits.high_s)
            if self.has_staff
            else (limits.none_wait_s, limits.none_s, limits.before_s, limits.high_s)
        )
        alone = (limits.alone_s, limits.alone_before_s)
        yield from self._crossings(self.since, totals.after + totals.none, contact)
        yield from self._crossings(self.alone_since, totals.alone, alone)

    def _crossings(self, since: int | None, total: int, wanted: tuple[int, ...]) -> Iterator[int]:
        if since is None:
            return
        yield since + self.limits.jitter_s
        for limit in wanted:
            yield since + limit - (total - self._counted(since, self.now))

    def _counted(self, since: int | None, instant: int) -> int:
        """Seconds of an open stretch at an instant; none until it outgrows the jitter."""
        if since is None or instant - since < self.limits.jitter_s:
            return 0
        return instant - since


def _open_since(spans: Sequence[Span], now: int) -> int | None:
    """Where the last span began, if it lasts until now."""
    return spans[-1][0] if spans and spans[-1][1] == now else None


def _recheck_at(scene: Scene, limits: Thresholds, answer: _Answer) -> int | None:
    """The first second after the observation with another answer (A11).

    The next second is decided anew: only there can an open visit that began at the observation
    come to count. From then on nobody comes or goes and sums only grow.
    """
    if scene.observed_at is None or not scene.is_live:
        return None
    soon = scene.observed_at + 1
    bounds = scene.bounds(later=1)
    outlooks = tuple(
        _Outlook.of(bound, soon, limits)
        for bound in (bounds.certain, bounds.possible, bounds.plain)
    )
    crossings = {instant for outlook in outlooks for instant in outlook.crossings()}
    for instant in (soon, *sorted(crossing for crossing in crossings if crossing > soon)):
        certain, possible, plain = (outlook.at(instant) for outlook in outlooks)
        if _answer(certain, possible, plain, limits) != answer:
            return instant
    return None
