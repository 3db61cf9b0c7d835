"""Which mails leave by themselves, which wait, and which are rolled up into one; pure.

A flag that is critical never waits. A high one neither (contract, `poll`): above the day's limit it
leaves with others in one mail, in the same pass. Medium ones and withdrawals above the limit wait
until the next full hour. What waited and is no longer so is not mailed at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from meetbot.domain.findings import Severity
from meetbot.domain.flags import FlagStatus
from meetbot.domain.notices import (
    Audience,
    DigestNotice,
    FlagLine,
    MeetingCard,
    MeetingNotice,
    Notice,
    NoticeKind,
    RollUpLine,
    RollUpNews,
    RollUpNotice,
)
from meetbot.domain.routing import notice_id

ROLLED_KINDS = frozenset(
    {NoticeKind.FLAG, NoticeKind.FIX_IT, NoticeKind.WITHDRAWN, NoticeKind.ESCALATION}
)
"""Mails about flags of one meeting."""
AT_MOST = 60
"""Cases in one rolled-up mail; more make another one."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail about flags that has not left; held ones wait for their roll-up or a release."""

    notice: Notice
    queued_at: datetime
    is_held: bool = False

    @property
    def severity(self) -> Severity:
        """That of the worst flag in it."""
        return severity_of(self.notice)

    @property
    def is_reminder(self) -> bool:
        """Whether it tells officers again of what they know: always rolled up."""
        return self.notice.audience is Audience.OVERDUE

    @property
    def is_urgent(self) -> bool:
        """Whether it must not wait for the full hour: news of a high flag, and a reminder."""
        is_news = self.notice.kind is not NoticeKind.WITHDRAWN
        return self.is_reminder or (is_news and self.severity is Severity.HIGH)


@dataclass(slots=True)
class Sorting:
    """What to do with mails, by id; what is not named leaves by itself."""

    hold: list[str] = field(default_factory=list)
    release: list[str] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    roll: list[tuple[Notice, tuple[str, ...]]] = field(default_factory=list)
    """A rolled-up mail, and the ids of those that are in it."""


def severity_of(notice: Notice) -> Severity:
    """That of the worst flag; info for a mail that is about none."""
    content = notice.content
    lines = content.flags if isinstance(content, MeetingNotice) else ()
    return max((line.severity for line in lines), key=lambda s: s.rank, default=Severity.INFO)


def counted(notices: Iterable[Notice]) -> Counter[str]:
    """How many mails count against the day's limit of each address: those of no critical flag."""
    plain = (n for n in notices if severity_of(n) is not Severity.CRITICAL)
    return Counter(address for notice in plain for address in notice.to)


def sort_mails(
    waiting: Sequence[Waiting],
    today: Mapping[str, int],
    statuses: Mapping[str, FlagStatus],
    *,
    daily: int,
    as_of: datetime,
) -> Sorting:
    """Let mails leave up to the day's limit of each address, and roll up the others.

    `today` counts what each address has had; `statuses` are those of the flags, as far as there are
    any.
    """
    sorting, sent = Sorting(), Counter(today)
    for group in _groups(waiting):
        over: list[Waiting] = []
        for one in group:
            if one.is_held or one.is_reminder:
                over.append(one)
            elif one.severity is not Severity.CRITICAL:
                if max((sent[address] for address in one.notice.to), default=0) >= daily:
                    over.append(one)
                else:
                    sent.update(one.notice.to)
        _roll_due(over, statuses, sorting, as_of)
    return sorting


def sort_in_storm(queued: Sequence[Waiting], *, as_of: datetime) -> Sorting:
    """Hold everything but critical flags; those of one address leave in one mail."""
    sorting = Sorting()
    for group in _groups(queued):
        critical = [one for one in group if one.severity is Severity.CRITICAL]
        sorting.hold += [o.notice.id for o in group if o.severity is not Severity.CRITICAL]
        if len(critical) > 1:
            _roll(critical, sorting, as_of)
    return sorting


def sort_released(
    held: Sequence[Waiting], statuses: Mapping[str, FlagStatus]
) -> tuple[Sorting, tuple[Notice, ...]]:
    """Let go what is still so; gives also the mails of which only a part is."""
    sorting = Sorting()
    changed: list[Notice] = []
    for one, left in _still_so(held, statuses):
        if left is None:
            sorting.drop.append(one.notice.id)
            continue
        sorting.release.append(one.notice.id)
        if left is not one.notice:
            changed.append(left)
    return sorting, tuple(changed)


def _groups(waiting: Iterable[Waiting]) -> list[list[Waiting]]:
    """By addresses; hosts are written to in other words than officers."""
    groups: dict[tuple[bool, tuple[str, ...]], list[Waiting]] = {}
    for one in waiting:
        key = (one.notice.audience is Audience.HOST, one.notice.to)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _roll_due(
    over: Sequence[Waiting], statuses: Mapping[str, FlagStatus], sorting: Sorting, as_of: datetime
) -> None:
    """Roll up at once if one of them must not wait, or has waited for the full hour."""
    hour = as_of.replace(minute=0, second=0, microsecond=0)
    is_due = any(one.is_urgent or one.queued_at < hour for one in over)
    if not is_due:
        sorting.hold += [one.notice.id for one in over if not one.is_held]
        return
    left: list[Waiting] = []
    for one, notice in _still_so(over, statuses):
        if notice is None:
            sorting.drop.append(one.notice.id)
        else:
            left.append(replace(one, notice=notice))
    if len(left) > 1 or any(one.is_reminder for one in left):
        _roll(left, sorting, as_of)
    else:
        sorting.release += [one.notice.id for one in left if one.is_held]


def _still_so(
    waiting: Iterable[Waiting], statuses: Mapping[str, FlagStatus]
) -> Iterator[tuple[Waiting, Notice | None]]:
    """Each mail without the flags that are none any more; None where nothing is left of it.

    Only what was held can be so late. Who never got the news needs no withdrawal either.
    """
    untold: set[tuple[tuple[str, ...], str]] = set()
    for one in sorted(waiting, key=lambda one: (one.queued_at, one.notice.id)):
        notice, lines = one.notice, _lines(one.notice)
        if notice.kind is NoticeKind.WITHDRAWN:
            gone = {line.flag_id for line in lines if (notice.to, line.flag_id) in untold}
        elif one.is_held:
            gone = {line.flag_id for line in lines if not _is_so(line, one, statuses)}
            untold |= {(notice.to, flag_id) for flag_id in gone}
        else:
            gone = set()
        yield one, _without(notice, gone) if gone else notice


def _without(notice: Notice, gone: Collection[str]) -> Notice | None:
    """A mail without some flags; None where it has no other."""
    match notice.content:
        case MeetingNotice(flags=flags) as content:
            kept = tuple(line for line in flags if line.flag_id not in gone)
            return replace(notice, content=replace(content, flags=kept)) if kept else None
        case DigestNotice(lines=meetings) as content:
            left = (
                replace(one, flags=tuple(f for f in one.flags if f.flag_id not in gone))
                for one in meetings
            )
            lines = tuple(one for one in left if one.flags)
            return replace(notice, content=replace(content, lines=lines)) if lines else None
    return notice


def _is_so(line: FlagLine, one: Waiting, statuses: Mapping[str, FlagStatus]) -> bool:
    """Whether a flag still waits; one that somebody acknowledged needs no reminder."""
    status = statuses.get(line.flag_id, FlagStatus.WITHDRAWN)
    return status is FlagStatus.OPEN if one.is_reminder else status.is_pending


def _lines(notice: Notice) -> tuple[FlagLine, ...]:
    match notice.content:
        case MeetingNotice(flags=flags):
            return flags
        case DigestNotice(lines=meetings):
            return tuple(line for one in meetings for line in one.flags)
    return ()


def flag_ids(notice: Notice) -> frozenset[str]:
    """The flags that a mail about one meeting or a digest names."""
    return frozenset(line.flag_id for line in _lines(notice))


def _roll(some: Sequence[Waiting], sorting: Sorting, as_of: datetime) -> None:
    worst_first = sorted(some, key=lambda one: (-one.severity.rank, one.queued_at, one.notice.id))
    for start in range(0, len(worst_first), AT_MOST):
        part = [one.notice for one in worst_first[start : start + AT_MOST]]
        ids = tuple(notice.id for notice in part)
        rolled = Notice(
            id=notice_id(NoticeKind.ROLL_UP, *sorted(ids)),
            kind=NoticeKind.ROLL_UP,
            audience=part[0].audience,
            to=part[0].to,
            content=RollUpNotice(tuple(_line(notice) for notice in part)),
            thread=None,
            due_at=as_of,
        )
        sorting.roll.append((rolled, ids))


_NEWS = {
    NoticeKind.WITHDRAWN: RollUpNews.GONE,
    NoticeKind.ESCALATION: RollUpNews.AGAIN,
}


def _line(notice: Notice) -> RollUpLine:
    content = notice.content
    assert isinstance(content, MeetingNotice)
    news = _NEWS.get(notice.kind, RollUpNews.NEW)
    if notice.audience is Audience.OVERDUE:
        news = RollUpNews.AGAIN
    if content.card.is_confidential:
        return RollUpLine(_bare(content.card), tuple(map(_nameless, content.flags)), news)
    return RollUpLine(content.card, content.flags, news, content.reason)


def _bare(card: MeetingCard) -> MeetingCard:
    """Of a confidential meeting, which is forgotten earlier than the mail: when, and its case."""
    return replace(card, school=None, host=None, partners=())


def _nameless(line: FlagLine) -> FlagLine:
    return replace(line, rule="", message="", advice="", fix="", admin="", unknowns=(), spans=())
