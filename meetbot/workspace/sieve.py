"""Of all audit rows those of calls that matter, although a page cannot tell which these will be.

Most calls are among a district's own people, and nothing of them is kept. But rows come newest
first: whoever makes a call matter may have left it before the others, and then stands pages below
them. So what was passed over is held, packed, for as long as a call can last.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from meetbot.ports import Glance, Sift
from meetbot.workspace.activities import Activity, Told
from meetbot.workspace.raw import LONGEST_ID, as_code, as_instant

CALL_ENDED = "call_ended"
_LONGEST_CALL = timedelta(hours=24)
"""Meet ends a call after a day."""


class CallRow(msgspec.Struct, gc=False, array_like=True):
    """One `call_ended` event: what of its row is read, and its place in the row."""

    written: str
    qualifier: str
    index: int
    email: str
    profile_id: str
    told: Told

    def word(self, name: str) -> str:
        """A text parameter; empty if there is none."""
        value = self.told.get(name)
        return value[:LONGEST_ID] if isinstance(value, str) else ""


def call_rows(activities: Iterable[Activity]) -> list[CallRow]:
    """The ends of calls among some rows of the log."""
    return [
        CallRow(
            activity.id.time[:64],
            activity.id.uniqueQualifier[:64],
            index,
            activity.actor.email[:LONGEST_ID],
            activity.actor.profileId[:64],
            event.told,
        )
        for activity in activities
        for index, event in enumerate(activity.events)
        if event.name == CALL_ENDED
    ]


_PACK = msgspec.msgpack.Encoder().encode
_UNPACK = msgspec.msgpack.Decoder(list[CallRow]).decode


@dataclass(frozen=True, slots=True)
class _Held:
    """Rows of one page that did not matter when it was read."""

    oldest_at: datetime | None
    conferences: frozenset[str]
    packed: bytes


class Sieve:
    """Passes the rows of one reading, page by page, newest first."""

    def __init__(self, sift: Sift) -> None:
        self._sift = sift
        self._wanted: set[str] = set()
        self._held: deque[_Held] = deque()

    def __call__(self, rows: list[CallRow]) -> list[CallRow]:
        """The rows that matter, and those of earlier pages that now turn out to.

        A row without a conference id is passed: nothing else would know it again.
        """
        glances = [_glance(row) for row in rows]
        found = set(self._sift([g for g in glances if g.conference not in self._wanted]))
        late = self._recalled(found - self._wanted)
        self._wanted |= found
        passed: list[CallRow] = []
        held: list[CallRow] = []
        for row, glance in zip(rows, glances, strict=True):
            is_wanted = not glance.conference or glance.conference in self._wanted
            (passed if is_wanted else held).append(row)
        self._hold(held)
        return late + passed

    def _hold(self, rows: list[CallRow]) -> None:
        if not rows:
            return
        oldest_at = as_instant(rows[-1].written)
        names = frozenset(conference_of(row) for row in rows)
        self._held.append(_Held(oldest_at, names, zlib.compress(_PACK(rows), 1)))
        while _is_over(self._held[0].oldest_at, oldest_at):
            self._held.popleft()

    def _recalled(self, conferences: set[str]) -> list[CallRow]:
        return [
            row
            for page in self._held
            if not conferences.isdisjoint(page.conferences)
            for row in _UNPACK(zlib.decompress(page.packed))
            if conference_of(row) in conferences
        ]


def _is_over(held_at: datetime | None, read_at: datetime | None) -> bool:
    """Whether what is read now is too old to be of one call with what is held."""
    return held_at is not None and read_at is not None and held_at - read_at > _LONGEST_CALL


def conference_of(row: CallRow) -> str:
    """`audit/{conference_id}`; empty where the row has no id."""
    conference_id = row.word("conference_id")
    return f"audit/{conference_id}" if conference_id else ""


def _glance(row: CallRow) -> Glance:
    return Glance(
        conference_of(row),
        as_code(row.word("meeting_code")),
        row.word("organizer_email"),
        row.word("identifier") or row.email,
        row.told.get("is_external") is True,
    )
