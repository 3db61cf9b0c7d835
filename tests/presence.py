"""The catalogue's notation for presence cases (§6), read into values and back.

Minutes[:seconds] from the scheduled start; `T` staff, `P` partner, `K` student, `U` unidentified,
`R` room, `C` conference; `~` still open, `?m` end missing, last seen m, `@` observation instant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from meetbot.domain.classes import PersonClass
from meetbot.domain.presence import Component, Presence, PresenceCase, PresenceVisit
from meetbot.domain.thresholds import Thresholds

CLASSES = {
    "T": PersonClass.STAFF,
    "P": PersonClass.PARTNER,
    "K": PersonClass.STUDENT,
    "U": PersonClass.UNIDENTIFIED,
    "R": PersonClass.ROOM,
}
START = 1_791_903_600
"""2026-10-13T15:00:00Z, the scheduled start of every vector."""
REMARK = re.compile(r"\((?!medium\)|high\)|critical\))[^)]*\)")


def seconds_of(text: str) -> int:
    """`m` or `m:ss` in seconds."""
    minutes, _, seconds = text.partition(":")
    return int(minutes) * 60 + int(seconds or 0)


def case_of(text: str, **limits: int) -> PresenceCase:
    """A case from the left column of the catalogue's table."""
    observed_at, conference, visits = None, None, []
    for part in (part.strip() for part in text.split(";")):
        if part.startswith("@"):
            observed_at = START + seconds_of(part[1:])
            continue
        who, _, stays = part.partition(" ")
        spans = [span_of(stay) for stay in stays.split(",")]
        if who == "C":
            conference = tuple((start, end) for start, end, _ in spans)
        else:
            visits += [PresenceVisit(who, CLASSES[who[0]], *span) for span in spans]
    return PresenceCase(tuple(visits), conference, observed_at, Thresholds(**limits))


def span_of(text: str) -> tuple[int, int | None, int | None]:
    """(start, end, last seen) of one stay."""
    start, _, end = text.partition("-")
    begin = START + seconds_of(start)
    if end == "~":
        return begin, None, None
    if end.startswith("?"):
        return begin, None, START + seconds_of(end[1:]) if end[1:] else None
    return begin, START + seconds_of(end), None


def expected(text: str) -> tuple[list[str], list[str], list[str]]:
    """(certain, possible, flags) from the right column, without its remarks."""
    *components, flags = REMARK.sub("", text).split(";")
    certain, _, possible = ";".join(components).partition("/")
    fired = sorted(flag.strip() for flag in flags.split(",") if flag.strip(" –"))
    return spelled(certain), spelled(possible or certain), fired


def spelled(text: str) -> list[str]:
    """`gap 0:50+0:50; alone 1:00` as one word for each component, in the order written."""
    found = []
    for part in (part.strip() for part in text.split(";")):
        kind, _, lengths = part.partition(" ")
        found += [f"{kind} {length}" for length in lengths.split("+") if length]
    return found


def shown(components: Iterable[Component]) -> list[str]:
    """Components as the catalogue writes them."""
    return [f"{c.kind} {c.seconds // 60}:{c.seconds % 60:02}" for c in components]


def flags_shown(presence: Presence, like: list[str]) -> list[str]:
    """Flags as the catalogue writes them; severity only where `like` names it."""
    flags = []
    for flag in presence.flags:
        name = flag.rule + ("?" if flag.confidence == "needs-review" else "")
        flags.append(name if name in like else f"{name}({flag.severity})")
    if any(flag.provisional for flag in presence.flags):
        flags.append("provisional")
    return sorted(flags)
