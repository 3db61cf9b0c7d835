"""Who was with whom, and whether staff were there: the two bounds of catalogue §3.

One sweep over the instants at which anything changes gives *Certain* and *Possible* contact as
runs of seconds, before jitter is dropped and kinds are named (that is `domain.presence`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import NamedTuple

from meetbot.domain.classes import PersonClass
from meetbot.domain.spans import Span, union
from meetbot.domain.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class PresenceVisit:
    """One join to leave on one device, in whole epoch seconds.

    `end` None: still open where the case is observed, else missing; `last_seen` is then the last
    moment the visit was known to last, and means nothing otherwise.
    """

    person: str
    person_class: PersonClass
    start: int
    end: int | None
    last_seen: int | None = None


@dataclass(frozen=True, slots=True)
class PresenceCase:
    """All that is known of who was in one occurrence's conferences, in whole epoch seconds.

    `conference` holds the records (start, end), end None: running or unknown; None or empty: the
    hull of the visits. `observed_at` is the moment of looking, None when all is over. A `person`
    has one class throughout (A12); who makes a case sees to that.
    """

    visits: tuple[PresenceVisit, ...]
    conference: tuple[tuple[int, int | None], ...] | None = None
    observed_at: int | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True, slots=True)
class Run:
    """One maximal stretch of contact, and the pieces of it with a single student (X₁)."""

    start: int
    end: int
    alone: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """Contact in one bound; `staff` is (s₀, s₁), None if no staff session began."""

    runs: tuple[Run, ...]
    staff: Span | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Both bounds; `plain` is Possible without the hidden class (A15), often `possible` itself."""

    certain: Bound
    possible: Bound
    plain: Bound


@dataclass(frozen=True, slots=True)
class Scene:
    """A case with what nobody can know taken out: visits kept, records kept.

    Ends are None where a visit is open or missing, and where a record is running.
    """

    visits: tuple[PresenceVisit, ...]
    records: tuple[tuple[int, int | None], ...]
    observed_at: int | None

    @property
    def is_live(self) -> bool:
        """Whether a record is running: answers are provisional."""
        return any(end is None for _, end in self.records)

    def conference(self, later: int = 0) -> tuple[Span, ...]:
        """The records as stretches; running ones last until `later` s after the observation."""
        now = self._now(later)
        return union((start, now if end is None else end) for start, end in self.records)

    def bounds(self, later: int = 0) -> Bounds:
        """Contact as it will stand `later` s after the observation if all that is open stays so.

        `later` changes nothing where no record is running.
        """
        stretches = self.conference(later)
        if self.observed_at is None:
            latest = max((end for _, end in stretches), default=0)
        else:
            latest = self._now(later)
        safe = _begun(self, later, _Track.SAFE)
        staff = _begun(self, later, _Track.STAFF_SMALL)
        segments = tuple(_segments(self, stretches, latest, cuts=safe | staff))
        certain = _bound(segments, safe, _is_safe, _is_certain, _is_certain_alone)
        plain = _bound(segments, staff, _has_staff, _is_possible, _is_possible_alone)
        if plain.staff is None or any(segment.students for segment in segments):
            return Bounds(certain, plain, plain)
        first, _ = plain.staff

        def is_possible_or_hidden(segment: _Segment) -> bool:
            return _is_possible(segment) or (
                segment.start >= first and segment.partners > 0 and not segment.staff
            )

        possible = _bound(segments, staff, _has_staff, is_possible_or_hidden, _is_possible_alone)
        return Bounds(certain, possible, plain)

    def _now(self, later: int) -> int:
        return (self.observed_at or 0) + later


def settle(case: PresenceCase) -> Scene:
    """Drop what is empty or later than the observation, and settle the records (A1, A3, A4)."""
    visits = tuple(_kept(case))
    return Scene(visits, _records(case, visits), case.observed_at)


def _kept(case: PresenceCase) -> Iterator[PresenceVisit]:
    seen_until = case.observed_at
    for visit in case.visits:
        if visit.end is not None and visit.end <= visit.start:
            continue
        if seen_until is None or (visit.end is not None and visit.end <= seen_until):
            yield visit
        elif visit.start <= seen_until:
            yield PresenceVisit(visit.person, visit.person_class, visit.start, None)


def _records(
    case: PresenceCase, visits: tuple[PresenceVisit, ...]
) -> tuple[tuple[int, int | None], ...]:
    """A3 and A4: the records that count; end None: running."""
    known = tuple(_known_instants(visits))
    if case.observed_at is None:
        kept = _ended_records(case.conference or (), latest=max(known, default=None))
    else:
        kept = _observed_records(case.conference or (), case.observed_at)
    records = tuple(kept)
    if records or not known:
        return records
    return ((min(known), max(known) if case.observed_at is None else None),)


def _ended_records(
    records: Iterable[tuple[int, int | None]], latest: int | None
) -> Iterator[tuple[int, int | None]]:
    for start, end in records:
        settled = latest if end is None else end
        if settled is not None and settled > start:
            yield start, settled


def _observed_records(
    records: Iterable[tuple[int, int | None]], observed_at: int
) -> Iterator[tuple[int, int | None]]:
    for start, end in records:
        if start <= observed_at and (end is None or end > start):
            yield start, end if end is not None and end < observed_at else None


def _known_instants(visits: Iterable[PresenceVisit]) -> Iterator[int]:
    for visit in visits:
        yield visit.start
        if visit.end is not None:
            yield visit.end
        elif visit.last_seen is not None:
            yield visit.last_seen


class _Track(IntEnum):
    """What the sweep counts; the order is that of `_Segment` after its two instants.

    `SMALL` reads a missing end as the last seen, the others as the end of the conference (A6).
    """

    SAFE = 0
    """Staff of Certain: staff, unidentified and rooms."""
    STAFF_SMALL = auto()
    PARTNER_SMALL = auto()
    PARTNER = auto()
    STUDENT_SMALL = auto()
    STUDENT = auto()
    UNIDENTIFIED = auto()
    CONFERENCE = auto()


class _Segment(NamedTuple):
    """Seconds of the conference in which nothing changes, and how many people are on each track."""

    start: int
    end: int
    safe: int
    staff: int
    partners_small: int
    partners: int
    students_small: int
    students: int
    unidentified: int


def _is_safe(now: _Segment) -> bool:
    return now.safe > 0


def _has_staff(now: _Segment) -> bool:
    return now.staff > 0


def _is_certain(now: _Segment) -> bool:
    """Contact in Certain: a known pair, and nobody who could be staff."""
    return not now.safe and now.partners_small > 0 and now.students_small > 0


def _is_certain_alone(now: _Segment) -> bool:
    """Only one student in contact; those who may still have been there count (A8)."""
    return now.students == 1


def _is_possible(now: _Segment) -> bool:
    """Contact in Possible: two people who could be partner and student, and no known staff."""
    if now.staff:
        return False
    if now.unidentified:
        return now.partners + now.students + now.unidentified > 1
    return now.partners > 0 and now.students > 0


def _is_possible_alone(now: _Segment) -> bool:
    """At most one student known to be there (A8), in contact that is not a hidden class (A15)."""
    return now.students_small <= 1 and _is_possible(now)


_TRACKS: dict[PersonClass, tuple[_Track, ...]] = {
    PersonClass.STAFF: (_Track.SAFE, _Track.STAFF_SMALL),
    PersonClass.PARTNER: (_Track.PARTNER_SMALL, _Track.PARTNER),
    PersonClass.STUDENT: (_Track.STUDENT_SMALL, _Track.STUDENT),
    PersonClass.UNIDENTIFIED: (_Track.SAFE, _Track.UNIDENTIFIED),
    PersonClass.ROOM: (_Track.SAFE,),
}
_SMALL = frozenset({_Track.STAFF_SMALL, _Track.PARTNER_SMALL, _Track.STUDENT_SMALL})


def _people(scene: Scene, latest: int) -> Iterator[tuple[_Track, Span]]:
    """The union of each person's visits on each track; `latest` is the large missing end."""
    spans: defaultdict[tuple[_Track, str], list[Span]] = defaultdict(list)
    for visit in scene.visits:
        for track in _TRACKS[visit.person_class]:
            end = _end(visit, scene, latest, is_small=track in _SMALL)
            if end > visit.start:
                spans[track, visit.person].append((visit.start, end))
    for (track, _), held in spans.items():
        for span in union(held) if len(held) > 1 else held:
            yield track, span


def _end(visit: PresenceVisit, scene: Scene, latest: int, *, is_small: bool) -> int:
    if visit.end is not None:
        return visit.end
    if scene.observed_at is not None or not is_small:
        return latest
    return visit.start if visit.last_seen is None else visit.last_seen


def _begun(scene: Scene, later: int, track: _Track) -> frozenset[int]:
    """Instants at which staff without a known end came, even where no time is theirs (A5).

    A running conference reaches one second further here: who comes at the observation has begun.
    """
    stretches = scene.conference(later + 1)
    instants = set()
    for visit in scene.visits:
        if visit.end is None and track in _TRACKS[visit.person_class]:
            reached = next((span for span in stretches if visit.start < span[1]), None)
            if reached is not None:
                instants.add(max(visit.start, reached[0]))
    return frozenset(instants)


def _segments(
    scene: Scene, stretches: tuple[Span, ...], latest: int, cuts: Iterable[int]
) -> Iterator[_Segment]:
    """The conference cut wherever anybody comes or goes, and at `cuts`."""
    changes: list[tuple[int, int, int]] = [(cut, 0, 0) for cut in cuts]
    spans = [(_Track.CONFERENCE, stretch) for stretch in stretches]
    for track, (start, end) in (*spans, *_people(scene, latest)):
        changes.append((start, track, 1))
        changes.append((end, track, -1))
    changes.sort()
    counts = [0] * len(_Track)
    since = 0
    for instant, counted, change in changes:
        if instant > since and counts[_Track.CONFERENCE]:
            yield _Segment(since, instant, *counts[: _Track.CONFERENCE])
        since = instant
        counts[counted] += change


def _bound(
    segments: Iterable[_Segment],
    begun: frozenset[int],
    staff: Callable[[_Segment], bool],
    contact: Callable[[_Segment], bool],
    alone: Callable[[_Segment], bool],
) -> Bound:
    """One bound: the runs of contact, broken where staff begin, and the staff instants."""
    instants = set(begun)
    runs: list[tuple[int, int, list[Span]]] = []
    for segment in segments:
        if staff(segment):
            instants.update((segment.start, segment.end))
        if contact(segment):
            _lengthen(runs, segment, is_cut=segment.start in begun, is_alone=alone(segment))
    return Bound(
        tuple(Run(start, end, union(pieces)) for start, end, pieces in runs),
        (min(instants), max(instants)) if instants else None,
    )


def _lengthen(
    runs: list[tuple[int, int, list[Span]]], segment: _Segment, *, is_cut: bool, is_alone: bool
) -> None:
    start = segment.start
    pieces: list[Span] = []
    if runs and runs[-1][1] == segment.start and not is_cut:
        start, _, pieces = runs.pop()
    if is_alone:
        pieces.append((segment.start, segment.end))
    runs.append((start, segment.end, pieces))
