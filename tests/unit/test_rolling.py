"""Which mails leave, wait, or are rolled up; nothing is lost, and critical flags never wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.findings import Severity
from meetbot.domain.flags import FlagStatus
from meetbot.domain.notices import (
    Audience,
    Content,
    DigestNotice,
    FlagLine,
    MeetingNotice,
    Notice,
    NoticeKind,
    RollUpLine,
    RollUpNews,
    RollUpNotice,
)
from meetbot.domain.rolling import (
    AT_MOST,
    Sorting,
    Waiting,
    counted,
    flag_ids,
    severity_of,
    sort_in_storm,
    sort_mails,
    sort_released,
)
from meetbot.domain.routing import notice_id
from meetbot.domain.storms import counts_by_rule, flags_in
from tests import notices

NOW = notices.at(0).replace(minute=30)
OFFICER = "compliance@district.example"
DAILY = 3
CRITICAL, HIGH, MEDIUM = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM


def a_mail(
    number: int,
    severity: Severity = HIGH,
    *,
    kind: NoticeKind = NoticeKind.FLAG,
    audience: Audience = Audience.OFFICERS,
    to: tuple[str, ...] = (OFFICER,),
    minutes: float = 0,
    is_held: bool = False,
    is_confidential: bool = False,
    flag: int | None = None,
) -> Waiting:
    """A mail about one meeting, queued so many minutes ago."""
    line = notices.a_flag(severity=severity, flag_id=f"F-{number if flag is None else flag}")
    card = notices.a_card(is_confidential=is_confidential)
    content = MeetingNotice(card, (line,), None, (), "it was fixed")
    name = f"{number:03}"
    notice = notices.a_notice(kind, content, audience=audience, to=to, notice_id=name)
    return Waiting(notice, NOW - timedelta(minutes=minutes), is_held)


def with_flags(one: Waiting, *flag_ids: str) -> Waiting:
    """The same mail about other flags, all of a medium severity."""
    assert isinstance(one.notice.content, MeetingNotice)
    flags = tuple(notices.a_flag(severity=MEDIUM, flag_id=flag_id) for flag_id in flag_ids)
    return replace(
        one, notice=replace(one.notice, content=replace(one.notice.content, flags=flags))
    )


def sorted_(
    waiting: Sequence[Waiting],
    *,
    today: int = 0,
    statuses: dict[str, FlagStatus] | None = None,
    at: datetime = NOW,
) -> Sorting:
    """The sorting where every flag is open unless named."""
    known = {
        line.flag_id: FlagStatus.OPEN
        for one in waiting
        if isinstance(one.notice.content, MeetingNotice)
        for line in one.notice.content.flags
    }
    return sort_mails(waiting, {OFFICER: today}, known | (statuses or {}), daily=DAILY, as_of=at)


def rolled(sorting: Sorting) -> list[tuple[str, ...]]:
    return [ids for _, ids in sorting.roll]


def lines(notice: Notice) -> list[tuple[RollUpNews, tuple[str, ...]]]:
    assert isinstance(notice.content, RollUpNotice)
    return [(line.news, tuple(f.flag_id for f in line.flags)) for line in notice.content.lines]


# --- What a mail is about -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severities", "worst"),
    [
        ([Severity.LOW, CRITICAL, HIGH], CRITICAL),
        ([CRITICAL, MEDIUM], CRITICAL),
        ([HIGH, Severity.LOW, MEDIUM], HIGH),
        ([Severity.INFO, Severity.LOW], Severity.LOW),
        ([], Severity.INFO),
    ],
)
def test_a_mail_is_as_severe_as_its_worst_flag(severities: list[Severity], worst: Severity) -> None:
    """By rank, not by name and not by place; one about no flag is of no weight."""
    flags = tuple(notices.a_flag(severity=severity) for severity in severities)
    content = MeetingNotice(notices.a_card(), flags, None, ())

    assert severity_of(notices.a_notice(NoticeKind.FLAG, content)) is worst


def test_the_flags_of_a_mail_are_those_it_names() -> None:
    """Of one meeting, of all in a digest; a mail about something else names none."""
    digest = notices.every_notice()["digest"].content
    assert isinstance(digest, DigestNotice)
    first = replace(digest.lines[0], flags=(notices.a_flag(flag_id="F-1"),))
    second = replace(
        digest.lines[0], flags=(notices.a_flag(flag_id="F-2"), notices.a_flag(flag_id="F-3"))
    )
    content: Content = replace(digest, lines=(first, second))
    two = with_flags(a_mail(1), "F-8", "F-9")

    assert flag_ids(two.notice) == {"F-8", "F-9"}
    assert flag_ids(notices.a_notice(NoticeKind.DIGEST, content)) == {"F-1", "F-2", "F-3"}
    assert flag_ids(notices.every_notice()["reminder-7d"]) == frozenset()


# --- The day's limit ----------------------------------------------------------------------------


def test_up_to_the_limit_every_meeting_has_its_own_mail() -> None:
    """Nothing is held, rolled or dropped."""
    assert sorted_([a_mail(n) for n in range(DAILY)]) == Sorting()


def test_high_flags_above_the_limit_leave_at_once_in_one_mail() -> None:
    """The contract wants them in the same pass; each is listed with its flag."""
    sorting = sorted_([a_mail(n) for n in range(DAILY + 4)])

    assert rolled(sorting) == [("003", "004", "005", "006")]
    assert not sorting.hold
    (notice, _) = sorting.roll[0]
    assert (notice.to, notice.thread, notice.kind) == ((OFFICER,), None, NoticeKind.ROLL_UP)
    assert lines(notice) == [(RollUpNews.NEW, (f"F-{n}",)) for n in range(3, 7)]


def test_one_mail_above_the_limit_is_itself() -> None:
    """Rolling up a single one would hide its picture for nothing."""
    assert sorted_([a_mail(1)], today=99) == Sorting()


@pytest.mark.parametrize("today", [0, 99])
def test_critical_flags_have_mails_of_their_own_and_count_for_none(today: int) -> None:
    """However many there are, and however many mails came before."""
    waiting = [a_mail(n, CRITICAL) for n in range(40)]

    assert sorted_(waiting, today=today) == Sorting()
    assert counted(one.notice for one in waiting) == {}


def test_medium_flags_above_the_limit_wait_for_the_full_hour() -> None:
    """Held now; with the first delivery after the hour they leave as one."""
    waiting = [a_mail(n, MEDIUM) for n in range(3)]

    assert sorted_(waiting, today=DAILY).hold == ["000", "001", "002"]
    held = [replace(one, is_held=True) for one in waiting]
    assert sorted_(held, today=DAILY) == Sorting()
    later = sorted_(held, today=DAILY, at=NOW + timedelta(minutes=30))
    assert rolled(later) == [("000", "001", "002")]


def test_withdrawals_above_the_limit_wait_too() -> None:
    """Nobody has to do anything about them; that of a critical flag leaves at once as itself."""
    waiting = [a_mail(n, HIGH, kind=NoticeKind.WITHDRAWN) for n in range(2)]
    waiting.append(a_mail(3, CRITICAL, kind=NoticeKind.WITHDRAWN))

    sorting = sorted_(waiting, today=DAILY)

    assert sorting.hold == ["000", "001"]
    assert not sorting.roll


def test_a_single_held_mail_leaves_as_itself() -> None:
    """Nothing came to be rolled up with it."""
    held = [a_mail(1, MEDIUM, minutes=40, is_held=True)]

    assert sorted_(held, today=DAILY).release == ["001"]


def test_what_waits_joins_what_must_not() -> None:
    """A high flag takes the held ones along; the worst come first."""
    waiting = [a_mail(1, MEDIUM, is_held=True), a_mail(2, HIGH), a_mail(3, MEDIUM)]

    assert rolled(sorted_(waiting, today=DAILY)) == [("002", "001", "003")]


def test_reminders_of_unacknowledged_flags_are_always_one_mail() -> None:
    """Even a single one, even below the limit; it says that it is told again."""
    sorting = sorted_([a_mail(1, audience=Audience.OVERDUE)])

    (notice, ids) = sorting.roll[0]
    assert ids == ("001",)
    assert lines(notice) == [(RollUpNews.AGAIN, ("F-1",))]


def test_each_address_has_its_own_limit() -> None:
    """Who got few mails today gets the next one as it is; hosts are never mixed with officers."""
    teacher = ("teacher@district.example",)
    waiting = [a_mail(n) for n in range(2)]
    waiting += [a_mail(n, to=teacher, audience=Audience.HOST) for n in range(2, 4)]
    waiting += [a_mail(n, audience=Audience.HOST) for n in range(4, 6)]

    assert rolled(sorted_(waiting, today=DAILY)) == [("000", "001"), ("004", "005")]


def test_a_mail_to_several_counts_for_each() -> None:
    """It is rolled up when one of them has had enough."""
    both = (OFFICER, "other@district.example")
    waiting = [a_mail(n, to=both) for n in range(2)]

    assert counted(one.notice for one in waiting) == {OFFICER: 2, "other@district.example": 2}
    assert rolled(sorted_(waiting, today=DAILY)) == [("000", "001")]


def test_very_many_meetings_make_several_mails() -> None:
    """None is cut off: each stands in one of them."""
    count = AT_MOST + 5
    sorting = sorted_([a_mail(n) for n in range(count)], today=DAILY)

    assert [len(ids) for ids in rolled(sorting)] == [AT_MOST, 5]
    assert sum(len(lines(notice)) for notice, _ in sorting.roll) == count


def test_nothing_of_a_confidential_meeting_is_kept_in_a_rolled_up_mail() -> None:
    """When it was and its case; the mail is kept longer than the meeting."""
    privacy = ("privacy@district.example",)
    waiting = [a_mail(n, to=privacy, is_confidential=True) for n in range(2)]

    sorting = sort_mails(waiting, {privacy[0]: DAILY}, {}, daily=DAILY, as_of=NOW)

    text = repr(sorting.roll[0][0].content)
    assert notices.CASE in text
    for word in ("Dana", "Lincoln", "Northstar", "staff-left-early", "partner stayed"):
        assert word not in text


@pytest.mark.parametrize(
    ("before", "at", "is_due"),
    [
        (timedelta(0), timedelta(0), False),
        (timedelta(microseconds=1), timedelta(0), True),
        (timedelta(0), timedelta(minutes=59, seconds=59, microseconds=999_999), False),
        (timedelta(microseconds=1), timedelta(minutes=59, seconds=59, microseconds=999_999), True),
    ],
)
def test_the_full_hour_is_one_to_the_microsecond(
    before: timedelta, at: timedelta, is_due: bool
) -> None:
    """Queued at the full hour, a mail waits for the next one, however late the delivery is."""
    held = [replace(a_mail(1, MEDIUM, is_held=True), queued_at=notices.at(0) - before)]

    assert (sorted_(held, today=DAILY, at=notices.at(0) + at).release == ["001"]) is is_due


def test_what_waits_is_held_for_each_address() -> None:
    """Of one address what is new, and of another one too; the same where they are let go."""
    teacher = ("teacher@district.example",)
    waiting = [a_mail(1, MEDIUM), a_mail(2, MEDIUM, to=teacher)]
    today = {OFFICER: DAILY, teacher[0]: DAILY}
    still = {"F-1": FlagStatus.OPEN, "F-2": FlagStatus.OPEN}

    sorting = sort_mails(waiting, today, still, daily=DAILY, as_of=NOW)
    later = [replace(one, is_held=True) for one in waiting]
    released = sort_mails(later, today, still, daily=DAILY, as_of=NOW + timedelta(hours=1))

    assert sorting == Sorting(hold=["001", "002"])
    assert released == Sorting(release=["001", "002"])


def test_a_mail_to_nobody_is_above_no_limit() -> None:
    """Nobody has had too many; it is not held."""
    assert sort_mails([a_mail(1, MEDIUM, to=())], {}, {}, daily=1, as_of=NOW) == Sorting()


def test_a_rolled_up_mail_is_named_by_what_is_in_it() -> None:
    """Of the same mails it is the same one in whatever order, of others another; due at once, and
    to whom its mails are."""
    teacher = ("teacher@district.example",)
    waiting = [a_mail(n, to=teacher, audience=Audience.HOST, minutes=n) for n in (1, 2)]

    sorting = sort_mails(waiting, {teacher[0]: DAILY}, {}, daily=DAILY, as_of=NOW)

    ((notice, ids),) = sorting.roll
    assert ids == ("002", "001")
    assert notice == Notice(
        id=notice_id("roll-up", "001", "002"),
        kind=NoticeKind.ROLL_UP,
        audience=Audience.HOST,
        to=teacher,
        content=RollUpNotice(
            tuple(
                RollUpLine(
                    notices.a_card(),
                    (notices.a_flag(flag_id=flag),),
                    RollUpNews.NEW,
                    "it was fixed",
                )
                for flag in ("F-2", "F-1")
            )
        ),
        thread=None,
        due_at=NOW,
    )


def test_hosts_and_officers_at_one_address_are_written_to_apart() -> None:
    """A principal who hosts: what to mend is one mail, what officers hear another."""
    waiting = [a_mail(n, audience=Audience.HOST) for n in (1, 2)]
    waiting += [a_mail(3), a_mail(4, audience=Audience.PRINCIPAL)]

    assert rolled(sorted_(waiting, today=DAILY)) == [("001", "002"), ("003", "004")]


def test_of_a_confidential_meeting_a_rolled_up_mail_says_when_and_how_bad() -> None:
    """The flags keep id, severity and certainty; every word and every time of them is left out."""
    full = replace(
        notices.a_flag(flag_id="F-1", severity=MEDIUM, unknowns=("who else was there",)),
        admin="turn it off",
    )
    one = a_mail(1, kind=NoticeKind.WITHDRAWN, is_confidential=True)
    content = one.notice.content
    assert isinstance(content, MeetingNotice)
    mail = replace(
        one,
        queued_at=NOW - timedelta(hours=1),
        notice=replace(one.notice, content=replace(content, flags=(full,))),
    )

    sorting = sorted_([mail, a_mail(2, MEDIUM)], today=DAILY)

    rolled_up = sorting.roll[0][0].content
    assert isinstance(rolled_up, RollUpNotice)
    card = replace(content.card, school=None, host=None, partners=())
    bare = FlagLine(
        "F-1", "", MEDIUM, full.certainty, full.is_provisional, "", "", "", (), (), admin=""
    )
    assert rolled_up.lines[0] == RollUpLine(card, (bare,), RollUpNews.GONE, "")


# --- What is no longer so -----------------------------------------------------------------------


def test_what_was_held_and_is_no_longer_so_is_not_mailed() -> None:
    """Neither the flag nor its withdrawal: nobody had heard of it."""
    held = [
        a_mail(1, MEDIUM, minutes=50, is_held=True),
        a_mail(2, MEDIUM, minutes=49, is_held=True, kind=NoticeKind.WITHDRAWN, flag=1),
        a_mail(3, MEDIUM, minutes=48, is_held=True),
        a_mail(4, MEDIUM, minutes=47, is_held=True),
    ]

    sorting = sorted_(held, today=DAILY, statuses={"F-1": FlagStatus.WITHDRAWN})

    assert sorted(sorting.drop) == ["001", "002"]
    assert rolled(sorting) == [("003", "004")]


def test_a_withdrawal_of_what_was_told_is_mailed() -> None:
    """It was told before anything was held, or held and told again later."""
    held = [
        a_mail(1, MEDIUM, minutes=50, is_held=True, kind=NoticeKind.WITHDRAWN, flag=1),
        a_mail(2, MEDIUM, minutes=45, is_held=True, flag=1),
        a_mail(3, MEDIUM, minutes=40, is_held=True, kind=NoticeKind.WITHDRAWN, flag=1),
        a_mail(4, MEDIUM, minutes=39, is_held=True),
    ]

    sorting = sorted_(held, today=DAILY, statuses={"F-1": FlagStatus.WITHDRAWN})

    assert sorted(sorting.drop) == ["002", "003"]
    assert {news for news, _ in lines(sorting.roll[0][0])} == {RollUpNews.GONE, RollUpNews.NEW}


def test_a_mail_of_which_a_part_is_still_so_says_that_part() -> None:
    """The other flags are left out."""
    one = a_mail(1, MEDIUM, is_held=True)
    assert isinstance(one.notice.content, MeetingNotice)
    two = (*one.notice.content.flags, notices.a_flag(flag_id="F-9"))
    both = replace(one, notice=replace(one.notice, content=replace(one.notice.content, flags=two)))

    sorting, changed = sort_released(
        [both], {"F-1": FlagStatus.DISMISSED, "F-9": FlagStatus.ACKNOWLEDGED}
    )

    assert sorting.release == ["001"]
    assert [c.content.flags for c in changed if isinstance(c.content, MeetingNotice)] == [two[1:]]


@pytest.mark.parametrize(
    ("audience", "is_mailed"), [(Audience.OFFICERS, True), (Audience.OVERDUE, False)]
)
def test_a_reminder_of_what_is_acknowledged_is_not_mailed(
    audience: Audience, is_mailed: bool
) -> None:
    """News of it still is."""
    held = [a_mail(1, audience=audience, is_held=True)]

    sorting, _ = sort_released(held, {"F-1": FlagStatus.ACKNOWLEDGED})

    assert (sorting.release == ["001"]) == is_mailed
    assert (sorting.drop == ["001"]) != is_mailed


def test_a_held_digest_names_what_is_still_so() -> None:
    """Meetings of which nothing is left are left out; without any there is no digest."""
    digest = notices.every_notice()["digest"]
    assert isinstance(digest.content, DigestNotice)
    first = digest.content.lines[0]
    other = replace(first, flags=(notices.a_flag(flag_id="F-9"),))
    content = replace(digest.content, lines=(first, other))
    held = [Waiting(replace(digest, content=content), NOW, is_held=True)]

    sorting, (changed,) = sort_released(held, {"F-9": FlagStatus.OPEN})

    assert sorting.release == [digest.id]
    assert isinstance(changed.content, DigestNotice)
    assert changed.content.lines == (other,)
    assert sort_released(held, {})[0].drop == [digest.id]


def test_a_flag_that_is_no_more_counts_as_gone() -> None:
    """Deleted by retention while its mail was held."""
    assert sort_released([a_mail(1, is_held=True)], {})[0].drop == ["001"]


def test_what_is_left_of_a_mail_is_what_is_rolled_up() -> None:
    """A flag that is gone is in no line of it."""
    one = with_flags(a_mail(1, MEDIUM, is_held=True), "F-1", "F-9")
    known = {"F-9": FlagStatus.WITHDRAWN}

    sorting = sorted_([one, a_mail(2)], today=DAILY, statuses=known)

    told = [ids for _, ids in lines(sorting.roll[0][0])]
    assert told == [("F-2",), ("F-1",)]


def test_nobody_hears_the_end_of_any_news_that_nobody_got() -> None:
    """However many mails lie between the news and its end; also where another one is let go."""
    held = [
        a_mail(1, MEDIUM, minutes=50, is_held=True),
        a_mail(2, MEDIUM, minutes=49, is_held=True),
        a_mail(3, MEDIUM, minutes=48, is_held=True),
        a_mail(4, MEDIUM, minutes=47, is_held=True, kind=NoticeKind.WITHDRAWN, flag=1),
    ]

    sorting, changed = sort_released(held, {"F-3": FlagStatus.OPEN})

    assert sorting == Sorting(release=["003"], drop=["001", "002", "004"])
    assert changed == ()


def test_a_mail_that_is_still_so_is_the_very_same() -> None:
    """Nothing of it is written again, and it is not told as changed."""
    held = [a_mail(1, is_held=True), a_mail(2), a_mail(3, kind=NoticeKind.WITHDRAWN)]

    sorting, changed = sort_released(held, {"F-1": FlagStatus.OPEN})

    assert sorting.release == ["001", "002", "003"]
    assert changed == ()


# --- Storms -------------------------------------------------------------------------------------


def test_a_storm_holds_everything_but_critical_flags() -> None:
    """Those of one address leave in one mail; a single one as it is."""
    teacher = ("teacher@district.example",)
    waiting = [a_mail(n, CRITICAL) for n in range(3)]
    waiting += [a_mail(3, HIGH), a_mail(4, CRITICAL, to=teacher, audience=Audience.HOST)]
    reminder = replace(notices.every_notice()["reminder-7d"], id="005")

    sorting = sort_in_storm([*waiting, Waiting(reminder, NOW)], as_of=NOW)

    assert sorted(sorting.hold) == ["003", "005"]
    assert rolled(sorting) == [("000", "001", "002")]


def test_two_critical_flags_of_one_address_are_one_mail_in_a_storm() -> None:
    """Due at once."""
    ((notice, ids),) = sort_in_storm([a_mail(n, CRITICAL) for n in (1, 2)], as_of=NOW).roll

    assert ids == ("001", "002")
    assert notice.due_at == NOW


def test_flags_are_counted_once_and_by_rule() -> None:
    """Host and officers hear of the same flag; what is told again or withdrawn is no news."""
    mails = [a_mail(1), a_mail(2, flag=1, kind=NoticeKind.FIX_IT, audience=Audience.HOST)]
    mails += [a_mail(3), a_mail(4, audience=Audience.OVERDUE), a_mail(5, is_confidential=True)]
    mails += [a_mail(6, kind=NoticeKind.WITHDRAWN)]

    found = flags_in(one.notice for one in mails)

    assert found == {"F-1": "staff-left-early", "F-3": "staff-left-early", "F-5": ""}
    assert counts_by_rule(found) == {"staff-left-early": 2}


def test_private_rules_are_not_counted_by_name() -> None:
    """Not even when the exemption has lapsed."""
    one = a_mail(1)
    assert isinstance(one.notice.content, MeetingNotice)
    line = replace(one.notice.content.flags[0], rule="confidential-intruder")
    notice = replace(one.notice, content=replace(one.notice.content, flags=(line,)))

    assert counts_by_rule(flags_in([notice])) == {}


# --- Whatever comes -----------------------------------------------------------------------------

mails = st.builds(
    a_mail,
    st.integers(0, 999),
    st.sampled_from([CRITICAL, HIGH, MEDIUM]),
    kind=st.sampled_from(
        [NoticeKind.FLAG, NoticeKind.FIX_IT, NoticeKind.WITHDRAWN, NoticeKind.ESCALATION]
    ),
    audience=st.sampled_from([Audience.HOST, Audience.OFFICERS, Audience.OVERDUE]),
    to=st.sampled_from([(OFFICER,), ("teacher@district.example",)]),
    minutes=st.integers(0, 120),
    is_held=st.booleans(),
)
some = st.lists(mails, max_size=30, unique_by=lambda one: one.notice.id)


@given(some, st.integers(0, 20), st.booleans())
def test_every_mail_has_one_fate_and_each_flag_is_in_what_is_rolled_up(
    waiting: list[Waiting], today: int, is_storm: bool
) -> None:
    """Nothing is lost: held, released, dropped because it is no longer so, rolled up, or as it is.
    Without a storm critical flags that are not held leave as they are, in one at most rolled up."""
    open_ones = [one for one in waiting if not (one.is_held and is_storm)]
    sorting = sort_in_storm(open_ones, as_of=NOW) if is_storm else sorted_(waiting, today=today)

    in_rolls = [one for ids in rolled(sorting) for one in ids]
    touched = [*sorting.hold, *sorting.release, *sorting.drop, *in_rolls]
    assert len(touched) == len(set(touched))
    assert set(touched) <= {one.notice.id for one in waiting}
    by_id = {one.notice.id: one for one in waiting}
    for one in (by_id[name] for name in sorting.hold):
        assert one.severity is not CRITICAL
        assert is_storm or not one.is_urgent
        assert not one.is_held
    assert all(by_id[name].is_held for name in sorting.release)
    assert not sorting.drop  # every flag is open
    for notice, ids in sorting.roll:
        told = {flag_id for _, flags in lines(notice) for flag_id in flags}
        assert told == {f"F-{int(name)}" for name in ids}
        assert {by_id[name].notice.to for name in ids} == {notice.to}
    if not is_storm:
        left = {one.notice.id for one in waiting} - set(touched)
        for one in waiting:
            if one.severity is CRITICAL and not one.is_held and not one.is_reminder:
                assert one.notice.id in left
