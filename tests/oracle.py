"""The supervision algebra once more, second by second and as slow as its text (catalogue §3).

A second opinion for `meetbot.domain.presence`: it shares no code with it beyond the plain values of
a case, keeps sets of seconds and of people, and finds the re-check by deciding each later second.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, replace

from meetbot.domain.classes import PersonClass
from meetbot.domain.presence import PresenceCase, PresenceVisit

MEDIUM_OR_HIGH = {"before": "staff-joined-late", "after": "staff-left-early"}
LONE = "partner-alone-with-student"

Triple = tuple[str, int, int]


@dataclass(frozen=True)
class Answer:
    """(kind, start, end) per bound; (rule, severity, confidence); provisional; re-check."""

    certain: list[Triple]
    possible: list[Triple]
    flags: list[tuple[str, str, str]]
    hidden_only: set[str]
    provisional: bool
    recheck_at: int | None = None


def consult(case: PresenceCase) -> Answer:
    """Decide by brute force; instants should lie within a few hundred seconds."""
    now = judge(case)
    if not now.provisional:
        return now
    frozen = as_known(case)
    assert case.observed_at is not None
    horizon = case.observed_at + max(asdict(case.thresholds).values()) + 2
    for later in range(case.observed_at + 1, horizon + 1):
        then = judge(replace(frozen, observed_at=later))
        if then.flags != now.flags:
            return replace(now, recheck_at=later)
    return now


def as_known(case: PresenceCase) -> PresenceCase:
    """A4: nothing after the observation is known, neither visits nor records."""
    at = case.observed_at
    assert at is not None
    visits = tuple(
        replace(v, end=v.end if v.end is not None and v.end <= at else None)
        for v in case.visits
        if v.start <= at and not (v.end is not None and v.end <= v.start)
    )
    records = tuple(
        (start, end if end is not None and end < at else None)
        for start, end in case.conference or ()
        if start <= at and not (end is not None and end <= start)
    )
    return replace(case, visits=visits, conference=records)


def judge(case: PresenceCase) -> Answer:
    """One evaluation, without the re-check."""
    limits = asdict(case.thresholds)
    at = case.observed_at
    visits = [v for v in case.visits if v.end is None or v.end > v.start]
    records = list(case.conference or ())
    if at is not None:
        case = as_known(case)
        visits, records = list(case.visits), list(case.conference or ())
    conference, running, end = conference_of(visits, records, at)
    scene = Scene(visits, conference, running, end, at)
    certain = scene.certain()
    plain = scene.possible(hidden=False)
    possible = scene.possible(hidden=True)
    live = running
    fired_certain = rules(certain.components(limits, live), limits)
    fired_plain = rules(plain.components(limits, live), limits)
    fired_possible = rules(possible.components(limits, live), limits)
    flags = []
    hidden_only = set()
    for rule in sorted({*fired_certain, *fired_possible}):
        if rule in fired_certain:
            flags.append((rule, fired_certain[rule], "confirmed"))
        elif rule in fired_plain:
            flags.append((rule, fired_plain[rule], "needs-review"))
        else:
            flags.append((rule, "medium", "needs-review"))
            hidden_only.add(rule)
    return Answer(
        [triple for triple, _ in certain.components(limits, live)],
        [triple for triple, _ in possible.components(limits, live)],
        flags,
        hidden_only,
        provisional=live,
    )


def conference_of(
    visits: list[PresenceVisit], records: list[tuple[int, int | None]], at: int | None
) -> tuple[set[int], bool, int]:
    """A3: the seconds of the conference, whether it runs, and its end."""
    known = [v.start for v in visits]
    known += [v.end for v in visits if v.end is not None]
    known += [v.last_seen for v in visits if v.end is None and v.last_seen is not None]
    fixed: list[tuple[int, int]] = []
    running = False
    for start, end in records:
        if end is None and at is not None:
            fixed.append((start, at))
            running = True
        elif end is not None and end > start:
            fixed.append((start, end))
        elif end is None and known and max(known) > start:
            fixed.append((start, max(known)))
    if not fixed and known:
        running = at is not None
        fixed = [(min(known), max(known) if at is None else at)]
    seconds = {second for start, end in fixed for second in range(start, end)}
    return seconds, running, max((end for _, end in fixed), default=0)


class Contact:
    """Seconds of X and of X₁ in one bound, and where its staff were."""

    def __init__(self, x: set[int], x1: set[int], staff: set[int], begun: set[int]) -> None:
        self.x, self.x1, self.begun = x, x1, begun
        self.s0 = min(staff | begun, default=None)
        self.s1 = max({second + 1 for second in staff} | begun, default=None)

    def pieces(self, seconds: set[int]) -> list[tuple[int, int]]:
        """Maximal pieces, cut where staff began (A5)."""
        pieces: list[tuple[int, int]] = []
        for second in sorted(seconds):
            if pieces and pieces[-1][1] == second and second not in self.begun:
                pieces[-1] = (pieces[-1][0], second + 1)
            else:
                pieces.append((second, second + 1))
        return pieces

    def components(self, limits: dict[str, int], live: bool) -> list[tuple[Triple, str]]:
        """(kind, start, end) with the kind of the component that holds it (A7, A9)."""
        jitter = limits["jitter_s"]
        kept = [(a, b) for a, b in self.pieces(self.x) if b - a >= jitter]
        listed: list[tuple[Triple, str]] = []
        for start, end in kept:
            if self.s0 is None or self.s1 is None:
                contact = sum(b - a for a, b in kept)
                kind = "before" if live and contact < limits["none_wait_s"] else "none"
            elif end <= self.s0:
                kind = "before"
            else:
                kind = "after" if start >= self.s1 else "gap"
            listed.append(((kind, start, end), kind))
            for a, b in self.pieces(self.x1 & set(range(start, end))):
                if b - a >= jitter:
                    listed.append((("alone", a, b), kind))
        return listed


def rules(components: list[tuple[Triple, str]], limits: dict[str, int]) -> dict[str, str]:
    """Rules that are true, with severity (table of §3, A7, A10)."""
    lengths: dict[str, list[int]] = defaultdict(list)
    for (kind, start, end), within in components:
        part = ("alone in before" if within == "before" else "alone") if kind == "alone" else kind
        lengths[part].append(end - start)
    total = {part: sum(each) for part, each in lengths.items()}

    def grave(kind: str) -> str:
        return "high" if total[kind] >= limits["high_s"] else "medium"

    true: dict[str, str] = {}
    if "none" in total and total["none"] >= limits["none_s"]:
        true["no-staff-joined"] = "critical"
    for kind, rule in MEDIUM_OR_HIGH.items():
        if kind in total and total[kind] >= limits[f"{kind}_s"]:
            true[rule] = grave(kind)
    if "gap" in total and (
        max(lengths["gap"]) >= limits["gap_longest_s"] or total["gap"] >= limits["gap_sum_s"]
    ):
        true["staff-presence-gap"] = grave("gap")
    if "alone" in total and total["alone"] >= limits["alone_s"]:
        true[LONE] = "critical"
    if "alone in before" in total and total["alone in before"] >= limits["alone_before_s"]:
        true[LONE] = "critical"
    return true


class Scene:
    """Who was there at each second of the conference, read small or large."""

    def __init__(
        self,
        visits: list[PresenceVisit],
        conference: set[int],
        running: bool,
        end: int,
        at: int | None,
    ) -> None:
        self.visits, self.conference, self.running = visits, conference, running
        self.end, self.at = end, at

    def seconds(self, visit: PresenceVisit, *, large: bool) -> set[int]:
        """The visit's seconds within the conference (A4, A6)."""
        if visit.end is not None:
            end = visit.end
        elif self.at is not None:
            end = self.at
        elif large:
            end = self.end
        else:
            end = max(visit.start, visit.last_seen if visit.last_seen is not None else visit.start)
        return {second for second in range(visit.start, end) if second in self.conference}

    def people(self, person_class: PersonClass, *, large: bool) -> dict[int, set[str]]:
        """Distinct people of a class at each second."""
        there: dict[int, set[str]] = defaultdict(set)
        for visit in self.visits:
            if visit.person_class is person_class:
                for second in self.seconds(visit, large=large):
                    there[second].add(visit.person)
        return there

    def staff(self, classes: set[PersonClass], *, large: bool) -> tuple[set[int], set[int]]:
        """Seconds with the bound's staff, and the instants at which open ones began (A5)."""
        staff: set[int] = set()
        begun: set[int] = set()
        instants = set(self.conference)
        if self.running and self.at is not None:
            instants.add(self.at)
        for visit in self.visits:
            if visit.person_class in classes:
                staff |= self.seconds(visit, large=large)
                if visit.end is None:
                    begun |= set(sorted(i for i in instants if i >= visit.start)[:1])
        return staff, begun

    def certain(self) -> Contact:
        """Certain: staff as large as possible, others as small."""
        classes = {PersonClass.STAFF, PersonClass.UNIDENTIFIED, PersonClass.ROOM}
        staff, begun = self.staff(classes, large=True)
        partners = self.people(PersonClass.PARTNER, large=False)
        students = self.people(PersonClass.STUDENT, large=False)
        counted = self.people(PersonClass.STUDENT, large=True)
        x = {s for s in self.conference if partners[s] and students[s] and s not in staff}
        return Contact(x, {s for s in x if len(counted[s]) == 1}, staff, begun)

    def possible(self, *, hidden: bool) -> Contact:
        """Possible: staff identified only, others as large as possible."""
        staff, begun = self.staff({PersonClass.STAFF}, large=False)
        partners = self.people(PersonClass.PARTNER, large=True)
        students = self.people(PersonClass.STUDENT, large=True)
        known = self.people(PersonClass.STUDENT, large=False)
        unknown = self.people(PersonClass.UNIDENTIFIED, large=True)

        def pair(second: int) -> bool:
            could_be_partner = partners[second] | unknown[second]
            could_be_student = students[second] | unknown[second]
            return any(p != k for p in could_be_partner for k in could_be_student)

        x = {s for s in self.conference if s not in staff and pair(s)}
        x1 = {s for s in x if len(known[s]) <= 1 and (students[s] or unknown[s])}
        came = any(students[s] for s in self.conference)
        if hidden and (staff or begun) and not came:
            s0 = min(staff | begun)
            x |= {s for s in self.conference if s >= s0 and partners[s] and s not in staff}
        return Contact(x, x1, staff, begun)
