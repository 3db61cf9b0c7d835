"""Mail storms: so many flags at once that a mistake is likelier than a hundred meetings gone wrong.

While one lasts, mails that are not about critical flags are held until an operator lets them go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from meetbot.domain.notices import Audience, MeetingNotice, Notice, NoticeKind, StormNotice
from meetbot.domain.routing import PRIVATE_RULES, notice_id

WINDOW = timedelta(hours=1)
"""Within which flags are counted."""
COUNTED = frozenset({NoticeKind.FLAG, NoticeKind.FIX_IT})
"""Mails that bring news of a flag."""
HELD_IN_STORM = frozenset(
    {
        NoticeKind.FLAG,
        NoticeKind.FIX_IT,
        NoticeKind.WITHDRAWN,
        NoticeKind.ESCALATION,
        NoticeKind.REMINDER,
        NoticeKind.DIGEST,
    }
)
"""Mails that a storm holds, unless they are about a critical flag. The nudge to join a running call
now is never one of them."""


class Ending(StrEnum):
    """What became of the mails that were held."""

    RELEASED = "released"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Storm:
    """One storm; `by_rule` counts the flags that began it, as far as officers may know."""

    id: int
    begun_at: datetime
    flags: int
    by_rule: Mapping[str, int]
    ending: Ending | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    mails: Mapping[str, int] = field(default_factory=dict)
    """How many mails went how: `released`, `renewed`, `late`, `stale`, `dropped`."""


@dataclass(frozen=True, slots=True)
class StormState:
    """The storm that lasts, if any, and how many mails of each kind are held."""

    storm: Storm | None
    held: Mapping[NoticeKind, int]

    @property
    def is_storm(self) -> bool:
        """Whether mail is stopped."""
        return self.storm is not None

    @property
    def total(self) -> int:
        """How many mails are held."""
        return sum(self.held.values())


def flags_in(notices: Iterable[Notice]) -> dict[str, str]:
    """Flags that these mails bring news of, each once: rule by id, empty where it is private."""
    found: dict[str, str] = {}
    for notice in notices:
        content = notice.content
        is_news = notice.kind in COUNTED and notice.audience is not Audience.OVERDUE
        if not is_news or not isinstance(content, MeetingNotice):
            continue
        for line in content.flags:
            is_private = content.card.is_confidential or line.rule in PRIVATE_RULES
            found[line.flag_id] = "" if is_private else line.rule
    return found


def counts_by_rule(flags: Mapping[str, str]) -> dict[str, int]:
    """How many of each rule, most first; private ones are left out."""
    counts = Counter(rule for rule in flags.values() if rule)
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def storm_notice(
    storm: Storm, to: tuple[str, ...], zone: str, *, held: int, as_of: datetime
) -> Notice:
    """To operators and officers: mail is stopped, and what to do."""
    return Notice(
        id=notice_id(NoticeKind.STORM, storm.begun_at.isoformat(), as_of.isoformat()),
        kind=NoticeKind.STORM,
        audience=Audience.OPERATORS,
        to=to,
        content=StormNotice(
            zone=zone,
            begun_at=storm.begun_at,
            flags=storm.flags,
            by_rule=tuple(storm.by_rule.items()),
            held=held,
            is_new=as_of == storm.begun_at,
        ),
        thread=None,
        due_at=as_of,
    )
