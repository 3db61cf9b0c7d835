"""Which flags are mailed to whom, and when (catalogue §7, contract `poll`)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.cards import lines_of
from meetbot.domain.findings import Phase, Severity, TimelineSpan
from meetbot.domain.flags import ChangeKind, Flag, FlagChange, FlagStatus
from meetbot.domain.notices import Audience, MeetingNotice, Notice, NoticeKind
from meetbot.domain.policy import SchoolCalendar
from meetbot.domain.routing import (
    Addressees,
    Contents,
    Plan,
    Situation,
    notice_id,
    plan_flags,
)
from tests.dossiers import ZONE
from tests.flags import KEY, START, a_finding, a_flag, after, at, changed
from tests.notices import a_card, a_timeline

HOST, OFFICERS, PRINCIPAL, PRIVACY, ESCALATION, OVERDUE = (
    Audience.HOST,
    Audience.OFFICERS,
    Audience.PRINCIPAL,
    Audience.PRIVACY,
    Audience.ESCALATION,
    Audience.OVERDUE,
)
EVERYBODY = Addressees(
    officers=("officer@district.example",),
    privacy=("privacy@district.example",),
    principal=("principal@district.example",),
    host=("teacher@district.example",),
)
DAY = 24 * 60
CLOSING = 6 * 60
"""The meeting starts at 10:00 local time, school closes at 16:00."""
CONTENTS = Contents(KEY.text, a_card(), a_timeline(), ("Something is not known.",))
LEFT, GAP, NONE = "staff-left-early", "staff-presence-gap", "no-staff-joined"


def a_situation(minutes: float = 0, phase: Phase = Phase.AFTER, **values: Any) -> Situation:
    """So many minutes after the start, everybody known."""
    situation = Situation(
        as_of=at(minutes),
        start_at=START,
        phase=phase,
        addressees=EVERYBODY,
        zone=ZONE,
        school_calendar=SchoolCalendar(),
        medium_school_days=3,
    )
    return replace(situation, **values)


def ahead(minutes: float, **values: Any) -> Situation:
    """The same before the meeting."""
    return a_situation(minutes, Phase.SCHEDULED, **values)


def planned(
    flags: Sequence[Flag], situation: Situation, changes: Iterable[FlagChange] = ()
) -> Plan:
    """The plan for some flags."""
    return plan_flags(flags, changes, CONTENTS, situation)


def told(flags: Sequence[Flag], plan: Plan) -> list[Flag]:
    """The flags with what the plan notes on them."""
    notes = {note.flag_id: note for note in plan.told}
    return [notes[f.id].on(f) if f.id in notes else f for f in flags]


def whom(plan: Plan) -> set[Audience]:
    """Who gets a mail."""
    return {notice.audience for notice in plan.notices}


# --- The table ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "situation", "at_once", "later"),
    [
        (Severity.CRITICAL, ahead(-5 * DAY), {HOST, OFFICERS, PRINCIPAL}, at(60 - 5 * DAY)),
        (Severity.CRITICAL, a_situation(60), {HOST, OFFICERS, PRINCIPAL}, at(120)),
        (Severity.HIGH, ahead(-5 * DAY), {HOST}, at(-DAY)),
        (Severity.HIGH, ahead(-DAY), {HOST, OFFICERS}, at(CLOSING - DAY)),
        (Severity.HIGH, ahead(-30), {HOST, OFFICERS}, at(CLOSING)),
        (Severity.HIGH, a_situation(5, Phase.LIVE), {HOST, OFFICERS}, at(CLOSING)),
        (Severity.HIGH, a_situation(60), {HOST, OFFICERS}, at(CLOSING)),
        (Severity.MEDIUM, a_situation(60), {HOST}, at(60 + 3 * DAY)),  # Tuesday to Friday
        (Severity.MEDIUM, ahead(-5 * DAY), {HOST}, at(0)),  # Thursday to Tuesday
        (Severity.LOW, a_situation(60), set(), None),
        (Severity.INFO, ahead(-5 * DAY), set(), None),
    ],
)
def test_severity_and_phase_say_who_hears_when(
    severity: Severity, situation: Situation, at_once: set[Audience], later: datetime | None
) -> None:
    """One row of catalogue §7 each: who now, and when somebody follows or is told again."""
    flag = a_flag(severity=severity, opened_at=situation.as_of)

    plan = planned([flag], situation)

    assert whom(plan) == at_once
    assert plan.next_at == later


def test_a_high_flag_waits_for_nobody_where_no_staff_hosts() -> None:
    """Without a host who could mend it officers hear at once."""
    situation = ahead(-5 * DAY, addressees=replace(EVERYBODY, host=()))
    flag = a_flag(severity=Severity.HIGH, opened_at=situation.as_of)

    assert whom(planned([flag], situation)) == {OFFICERS}


def test_officers_hear_of_a_high_flag_a_day_before() -> None:
    """At T−24 h to the second, if it is still open."""
    flag = a_flag(severity=Severity.HIGH, opened_at=at(-5 * DAY))
    first = planned([flag], ahead(-5 * DAY))
    kept = told([flag], first)

    assert planned(kept, ahead(-DAY - 1)).notices == ()
    assert whom(planned(kept, ahead(-DAY))) == {OFFICERS}
    mended = [replace(kept[0], status=FlagStatus.WITHDRAWN)]
    assert planned(mended, ahead(-DAY)).notices == ()


def test_a_moved_meeting_moves_the_wait() -> None:
    """The fix-it window follows the start."""
    flag = a_flag(severity=Severity.HIGH, opened_at=at(-5 * DAY))

    plan = planned([flag], ahead(-5 * DAY, start_at=at(2 * DAY)))

    assert plan.next_at == at(DAY)


def test_officers_hear_of_a_medium_flag_after_three_school_days() -> None:
    """If nobody mended or acknowledged it by then."""
    flag = a_flag(severity=Severity.MEDIUM, opened_at=at(0))
    kept = told([flag], planned([flag], a_situation(0)))

    assert planned(kept, a_situation(3 * DAY - 1)).notices == ()
    assert whom(planned(kept, a_situation(3 * DAY))) == {OFFICERS}
    seen = [replace(kept[0], status=FlagStatus.ACKNOWLEDGED)]
    assert planned(seen, a_situation(3 * DAY)).notices == ()


@pytest.mark.parametrize("severity", [Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL])
def test_confidential_meetings_are_the_privacy_officers_alone(severity: Severity) -> None:
    """At once, and nobody else, whatever the severity."""
    situation = ahead(-5 * DAY, is_confidential=True)

    plan = planned([a_flag(severity=severity, opened_at=situation.as_of)], situation)

    assert whom(plan) == {PRIVACY}


def test_an_intruder_is_the_privacy_officers_business_even_when_the_exemption_lapsed() -> None:
    """Neither host, principal nor officers hear of it once a meeting is no longer confidential."""
    flag = a_flag("confidential-intruder", severity=Severity.CRITICAL)

    assert whom(planned([flag], a_situation())) == {PRIVACY}


@pytest.mark.parametrize("status", [s for s in FlagStatus if s is not FlagStatus.OPEN])
def test_only_open_flags_are_mailed(status: FlagStatus) -> None:
    """What somebody decided or time closed is not news."""
    assert planned([a_flag(severity=Severity.CRITICAL, status=status)], a_situation()).notices == ()


# --- Once, and again ----------------------------------------------------------------------------


def test_planning_again_queues_nothing_new() -> None:
    """Everybody is told once."""
    flags = [a_flag(severity=s, subject=str(s)) for s in Severity]
    plan = planned(flags, a_situation(0))

    again = planned(told(flags, plan), a_situation(5))

    assert len(plan.notices) == 3
    assert again.notices == ()
    assert again.told == ()


def test_one_mail_for_each_audience() -> None:
    """Several flags of one meeting come in one mail, the worst first."""
    flags = [
        a_flag(severity=Severity.HIGH, subject="b"),
        a_flag(severity=Severity.CRITICAL, subject="a"),
    ]

    plan = planned(flags, a_situation())

    (officers,) = [n for n in plan.notices if n.audience is OFFICERS]
    assert isinstance(officers.content, MeetingNotice)
    assert [line.severity for line in officers.content.flags] == [Severity.CRITICAL, Severity.HIGH]
    assert officers.to == EVERYBODY.officers
    assert officers.thread == CONTENTS.card.thread
    assert len(plan.notices) == 3


@pytest.mark.parametrize("status", [FlagStatus.OPEN, FlagStatus.ACKNOWLEDGED])
def test_a_rise_is_told_again(status: FlagStatus) -> None:
    """Officers who heard of `high` hear of `critical`, and the principal with them."""
    flag = a_flag(severity=Severity.HIGH)
    kept = told([flag], planned([flag], a_situation()))
    worse = [replace(kept[0], severity=Severity.CRITICAL, status=status)]

    plan = planned(worse, a_situation(5))

    assert whom(plan) == {OFFICERS, PRINCIPAL}
    assert planned(told(worse, plan), a_situation(6)).notices == ()


def test_a_fall_is_not_told() -> None:
    """Less bad than they heard is no mail of its own."""
    flag = a_flag(severity=Severity.CRITICAL)
    kept = told([flag], planned([flag], a_situation()))

    plan = planned([replace(kept[0], severity=Severity.HIGH)], a_situation(5))

    assert plan.notices == ()


def test_telling_the_host_alone_does_not_count_as_telling_officers() -> None:
    """The severity officers heard is noted only when they hear it."""
    (note,) = planned([a_flag(severity=Severity.MEDIUM)], a_situation()).told

    assert note.severity is None
    assert note.told == {HOST: at(0)}


def test_who_gets_an_address_later_is_told_then() -> None:
    """A principal named in the registry after the flag was opened still hears of it."""
    flag = a_flag(severity=Severity.CRITICAL)
    nobody = replace(EVERYBODY, principal=())
    kept = told([flag], planned([flag], a_situation(addressees=nobody)))

    assert whom(planned(kept, a_situation(5))) == {PRINCIPAL}


def test_a_notice_holds_what_its_mail_needs() -> None:
    """Card, lines, timeline and what is not known; due at once, for its occurrence."""
    flag = a_flag(LEFT, severity=Severity.HIGH)

    notice = next(n for n in planned([flag], a_situation(5)).notices if n.audience is OFFICERS)

    assert notice == Notice(
        id=notice.id,
        kind=NoticeKind.FLAG,
        audience=OFFICERS,
        to=EVERYBODY.officers,
        content=MeetingNotice(
            CONTENTS.card, lines_of([flag]), CONTENTS.timeline, CONTENTS.unknowns, reason=""
        ),
        thread=CONTENTS.card.thread,
        due_at=at(5),
        occurrence=KEY.text,
    )


# --- Told again because nobody acknowledged ----------------------------------------------------


def told_at(minutes: float, **values: Any) -> Flag:
    """A flag of which everybody heard so many minutes after the start."""
    (flag,) = told([a_flag(opened_at=at(minutes), **values)], planned(
        [a_flag(opened_at=at(minutes), **values)], a_situation(minutes)
    ))  # fmt: skip
    return flag


def test_a_critical_flag_that_nobody_acknowledges_is_escalated_once() -> None:
    """After an hour of school time, to officers, principal and privacy officers in one mail."""
    flag = told_at(60, severity=Severity.CRITICAL)

    assert planned([flag], a_situation(119)).notices == ()
    plan = planned([flag], a_situation(120))
    (notice,) = plan.notices
    assert (notice.kind, notice.audience) == (NoticeKind.ESCALATION, ESCALATION)
    assert notice.to == (*EVERYBODY.officers, *EVERYBODY.principal, *EVERYBODY.privacy)
    (kept,) = told([flag], plan)
    assert kept.told[ESCALATION] == at(120)
    later = planned([kept], a_situation(5 * DAY))
    assert (later.notices, later.next_at) == ((), None)


def test_escalation_waits_for_school_to_open() -> None:
    """Found at 15:30 on a Friday before a week without school, half an hour is left for after."""
    friday = a_situation(3 * DAY + 330)
    off = (date(2026, 10, 19), date(2026, 10, 23))
    situation = replace(friday, school_calendar=SchoolCalendar(holidays=(off,)))

    plan = planned([a_flag(severity=Severity.CRITICAL, opened_at=situation.as_of)], situation)

    assert plan.next_at == datetime(2026, 10, 26, 13, 30, tzinfo=UTC)


def test_the_time_for_acknowledging_can_be_configured() -> None:
    """`[limits] acknowledge`."""
    flag = told_at(60, severity=Severity.CRITICAL)
    situation = a_situation(90, acknowledge=timedelta(minutes=30))

    assert whom(planned([flag], situation)) == {ESCALATION}


@pytest.mark.parametrize("status", [s for s in FlagStatus if s is not FlagStatus.OPEN])
@pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL])
def test_what_is_acknowledged_decided_or_gone_is_not_told_again(
    status: FlagStatus, severity: Severity
) -> None:
    """The timer is dropped, and nothing is looked at again for it."""
    flag = replace(told_at(60, severity=severity), status=status)

    plan = planned([flag], a_situation(5 * DAY))

    assert (plan.notices, plan.next_at) == ((), None)


def test_only_what_nobody_acknowledged_is_an_escalation() -> None:
    """Not the first news of a critical flag, and not that of a milder one in an escalated one's
    place."""
    first = planned([a_flag(severity=Severity.CRITICAL, opened_at=at(60))], a_situation(60))
    escalated = a_flag(NONE, severity=Severity.CRITICAL, told={ESCALATION: at(60)})
    superseded = FlagChange(ChangeKind.SUPERSEDED, escalated)
    next_ = planned([a_flag(LEFT, severity=Severity.HIGH)], a_situation(60), [superseded])

    assert {n.audience: n.kind for n in first.notices} == {
        HOST: NoticeKind.FIX_IT,
        OFFICERS: NoticeKind.FLAG,
        PRINCIPAL: NoticeKind.FLAG,
    }
    assert {n.audience: n.kind for n in next_.notices} == {
        HOST: NoticeKind.FIX_IT,
        OFFICERS: NoticeKind.FLAG,
        ESCALATION: NoticeKind.FLAG,
    }


@pytest.mark.parametrize(
    ("officers", "privacy"), [((), EVERYBODY.privacy), (EVERYBODY.officers, ())]
)
def test_a_private_flag_is_told_again_to_privacy_officers_or_nobody(
    officers: tuple[str, ...], privacy: tuple[str, ...]
) -> None:
    """Whether there are other officers does not matter; there is no mail without an address."""
    who = Addressees(officers=officers, privacy=privacy)
    flag = a_flag("confidential-intruder", severity=Severity.HIGH, told={PRIVACY: at(0)})

    notices = planned([flag], a_situation(DAY, addressees=who)).notices

    assert [n.to for n in notices] == [privacy] * bool(privacy)


def test_named_addresses_hear_of_escalations_alone() -> None:
    """`[mail] escalation` takes the place of officers, principal and privacy officers."""
    who = replace(EVERYBODY, escalation=("superintendent@district.example",))
    flag = told_at(60, severity=Severity.CRITICAL)

    (notice,) = planned([flag], a_situation(120, addressees=who)).notices

    assert notice.to == ("superintendent@district.example",)


@pytest.mark.parametrize("is_confidential", [True, False])
@pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL])
def test_private_flags_are_escalated_to_privacy_officers_alone(
    severity: Severity, is_confidential: bool
) -> None:
    """Whoever is named for escalations, and whether the exemption still holds or not."""
    who = replace(EVERYBODY, escalation=("superintendent@district.example",))
    private = a_situation(addressees=who, is_confidential=is_confidential)
    flag = a_flag("confidential-intruder", severity=severity)
    flags = told([flag], planned([flag], private))

    again = planned(flags, replace(private, as_of=at(DAY)))

    assert [notice.to for notice in again.notices] == [EVERYBODY.privacy]
    changes = changed(flags, decided={"confidential-intruder"})
    gone = planned(after(flags, changes), replace(private, as_of=at(DAY)), changes)
    assert [notice.to for notice in gone.notices] == [EVERYBODY.privacy]


def test_a_private_and_another_flag_are_escalated_apart() -> None:
    """One meeting, two mails: nobody reads of the private flag in the other one."""
    private = told_at(60, rule="confidential-intruder", severity=Severity.CRITICAL)
    other = told_at(60, severity=Severity.CRITICAL)

    notices = planned([private, other], a_situation(120)).notices

    heard = {
        notice.to: {line.rule for line in notice.content.flags}
        for notice in notices
        if isinstance(notice.content, MeetingNotice)
    }
    everybody = (*EVERYBODY.officers, *EVERYBODY.principal, *EVERYBODY.privacy)
    assert heard == {
        EVERYBODY.privacy: {"confidential-intruder"},
        everybody: {"guests-can-invite"},
    }


def test_officers_are_reminded_of_a_high_flag_when_school_closes() -> None:
    """Once, and only if nobody acknowledged it; an hour before closing is too late for that day."""
    early, late = told_at(60, severity=Severity.HIGH), told_at(CLOSING - 30, severity=Severity.HIGH)

    assert planned([early], a_situation(CLOSING - 1)).notices == ()
    plan = planned([early], a_situation(CLOSING))
    assert whom(plan) == {OVERDUE}
    assert plan.notices[0].to == EVERYBODY.officers
    assert planned(told([early], plan), a_situation(9 * DAY)).notices == ()
    assert planned([late], a_situation(CLOSING)).next_at == at(DAY + CLOSING)


def test_a_flag_that_becomes_critical_has_its_own_hour() -> None:
    """Being told of it as high does not count, nor does the reminder of that day."""
    high = told_at(60, severity=Severity.HIGH)
    (high,) = told([high], planned([high], a_situation(CLOSING)))
    risen = replace(high, severity=Severity.CRITICAL)

    now = planned([risen], a_situation(DAY))
    assert whom(now) == {OFFICERS, PRINCIPAL}
    assert now.next_at == at(DAY + 60)
    (kept,) = told([risen], now)
    assert whom(planned([kept], a_situation(DAY + 60))) == {ESCALATION}


def test_a_flag_that_sinks_is_not_looked_at_for_ever() -> None:
    """Critical and escalated, then high: reminded when school closes, and that was it."""
    critical = told_at(60, severity=Severity.CRITICAL)
    (critical,) = told([critical], planned([critical], a_situation(120)))
    high = replace(critical, severity=Severity.HIGH)

    plan = planned([high], a_situation(CLOSING))
    assert whom(plan) == {OVERDUE}
    assert planned(told([high], plan), a_situation(DAY)).next_at is None


def test_everybody_who_heard_of_an_escalation_hears_its_end_once() -> None:
    """Privacy officers had no other mail; the others have one for their own reason."""
    flag = told_at(60, severity=Severity.CRITICAL)
    kept = told([flag], planned([flag], a_situation(120)))
    changes = changed(kept)

    notices = planned(after(kept, changes), a_situation(180), changes).notices

    assert {notice.kind for notice in notices} == {NoticeKind.WITHDRAWN}
    addresses = [address for notice in notices for address in notice.to]
    assert sorted(addresses) == sorted(
        (*EVERYBODY.host, *EVERYBODY.officers, *EVERYBODY.principal, *EVERYBODY.privacy)
    )


# --- Kinds --------------------------------------------------------------------------------------


def test_hosts_get_what_to_mend_and_officers_flags() -> None:
    """A presence flag of a running call is a nudge only while it goes on."""

    def kinds(flag: Flag, situation: Situation) -> dict[Audience, NoticeKind]:
        return {n.audience: n.kind for n in planned([flag], situation).notices}

    setup, after_it = a_flag(severity=Severity.HIGH), a_flag(LEFT, severity=Severity.HIGH)
    spans = (TimelineSpan("after", at(25), at(30)),)
    live = a_flag(LEFT, severity=Severity.HIGH, phase=Phase.LIVE, spans=spans)
    fix = {HOST: NoticeKind.FIX_IT, OFFICERS: NoticeKind.FLAG}

    assert kinds(setup, a_situation()) == fix
    assert kinds(after_it, a_situation()) == fix
    running, later = (a_situation(m, Phase.LIVE, observed_at=at(m)) for m in (30, 31))
    assert kinds(live, running) == fix | {HOST: NoticeKind.NUDGE}
    assert kinds(live, later) == fix
    over = a_flag(LEFT, severity=Severity.HIGH, spans=spans)
    assert kinds(over, a_situation(30, observed_at=at(30))) == fix


def test_only_presence_mails_show_the_timeline() -> None:
    """A set-up mail needs no picture of who was there."""

    def timelines(flag: Flag) -> set[bool]:
        contents = [n.content for n in planned([flag], a_situation()).notices]
        return {isinstance(c, MeetingNotice) and c.timeline is not None for c in contents}

    assert timelines(a_flag(LEFT)) == {True}
    assert timelines(a_flag()) == {False}


# --- Withdrawn, superseded ----------------------------------------------------------------------


def test_withdrawals_go_to_those_who_were_told() -> None:
    """Nobody hears the end of what they never heard of."""
    flag = a_flag(severity=Severity.HIGH, opened_at=at(-5 * DAY))
    kept = told([flag], planned([flag], ahead(-5 * DAY)))
    changes = changed(kept, withdraw_reason="it was fixed")

    plan = planned(after(kept, changes), ahead(-4 * DAY), changes)

    (notice,) = plan.notices
    assert (notice.kind, notice.audience) == (NoticeKind.WITHDRAWN, HOST)
    assert isinstance(notice.content, MeetingNotice)
    assert notice.content.reason == "it was fixed"
    untold = changed([flag])
    assert planned(after([flag], untold), ahead(-4 * DAY), untold).notices == ()


def test_a_confidential_meeting_withdraws_to_privacy_officers_only() -> None:
    """Once consent is on file nobody else gets any more mail about the meeting."""
    audiences = {a: at(0) for a in (HOST, OFFICERS, PRINCIPAL, PRIVACY)}
    kept = [a_flag(LEFT, told=audiences)]
    changes = changed(kept)

    plan = planned(after(kept, changes), a_situation(60, is_confidential=True), changes)

    assert whom(plan) == {PRIVACY}


def test_who_heard_the_first_classification_hears_the_next() -> None:
    """A principal told of `no-staff-joined` is told that staff joined late."""
    flag = a_flag(NONE, severity=Severity.CRITICAL, phase=Phase.LIVE)
    kept = told([flag], planned([flag], a_situation(6, Phase.LIVE)))
    late = a_finding("staff-joined-late", severity=Severity.MEDIUM, phase=Phase.LIVE)
    changes = changed(kept, late, minutes=7)
    kept = after(kept, changes)

    plan = planned(kept, a_situation(7, Phase.LIVE), changes)

    assert whom(plan) == {HOST, OFFICERS, PRINCIPAL}
    assert {n.kind for n in plan.notices} == {NoticeKind.FIX_IT, NoticeKind.FLAG}
    assert planned(told(kept, plan), a_situation(7, Phase.LIVE), changes).notices == ()


def test_a_successor_that_nobody_is_to_hear_of_is_not_told() -> None:
    """Of a low flag there is no mail, whoever heard of the one before it."""
    kept = [a_flag(NONE, severity=Severity.CRITICAL, phase=Phase.LIVE, told={HOST: at(6)})]
    late = a_finding("staff-joined-late", severity=Severity.LOW, phase=Phase.LIVE)
    changes = changed(kept, late, minutes=7)

    assert planned(after(kept, changes), a_situation(7, Phase.LIVE), changes).notices == ()


def test_only_a_superseded_flag_hands_on_who_heard() -> None:
    """Whoever heard of a flag that goes on hears nothing of another one of its family for that."""
    heard = a_flag(GAP, severity=Severity.HIGH, told={a: at(0) for a in (HOST, PRINCIPAL)})
    (update,) = [FlagChange(ChangeKind.UPDATED, heard)]
    fresh = a_flag(LEFT, severity=Severity.HIGH)

    plan = planned([fresh], a_situation(5), [update])

    assert whom(plan) == {HOST, OFFICERS}


def test_a_withdrawal_gives_each_reason_once() -> None:
    """Several flags end with one mail."""
    flags = [a_flag(subject=s, told={HOST: at(0)}, status=FlagStatus.WITHDRAWN) for s in "abcd"]
    reasons = ("it was fixed", "it is over", "it was fixed", "")
    changes = [
        FlagChange(ChangeKind.WITHDRAWN, flag, reason)
        for flag, reason in zip(flags, reasons, strict=True)
    ]

    (notice,) = planned(flags, ahead(-4 * DAY), changes).notices

    assert isinstance(notice.content, MeetingNotice)
    assert notice.content.reason == "it is over; it was fixed"
    assert len(notice.content.flags) == 4


# --- Ids ----------------------------------------------------------------------------------------


def test_ids_are_stable_and_tell_mails_apart() -> None:
    """The same plan gives the same ids; other audiences, moments or flags give others."""
    flag = a_flag(severity=Severity.CRITICAL)
    ids = [n.id for n in planned([flag], a_situation()).notices]

    assert ids == [n.id for n in planned([flag], a_situation()).notices]
    assert len(set(ids)) == 3
    assert not set(ids) & {n.id for n in planned([flag], a_situation(1)).notices}


def test_an_id_is_as_long_as_the_store_has_room_for() -> None:
    """32 hexadecimal digits, however much it names; the same in every version."""
    for parts in (("a",), ("a", "b" * 1000)):
        assert len(notice_id(*parts)) == 32
        assert set(notice_id(*parts)) <= set("0123456789abcdef")
    assert notice_id("a", "b") != notice_id("ab")
    assert notice_id("a", "b") == hashlib.sha256(b"a\0b").hexdigest()[:32]


flag_lists = st.lists(
    st.tuples(st.sampled_from(Severity), st.sampled_from(Phase), st.integers(-9000, 0)), max_size=5
)


@given(flag_lists, st.sampled_from(Phase), st.lists(st.integers(0, 9000), max_size=4))
def test_nobody_hears_of_a_flag_twice_and_nothing_is_forgotten(
    rows: list[tuple[Severity, Phase, int]], phase: Phase, minutes: list[int]
) -> None:
    """However often planning runs; and what waits has an instant at which to look again."""
    flags = [
        a_flag(severity=severity, phase=seen, subject=str(i), opened_at=at(opened))
        for i, (severity, seen, opened) in enumerate(rows)
    ]
    heard: list[tuple[Audience, str]] = []
    for minute in sorted(minutes):
        situation = a_situation(minute, phase)
        plan = planned(flags, situation)
        for notice in plan.notices:
            assert isinstance(notice.content, MeetingNotice)
            heard += [(notice.audience, line.flag_id) for line in notice.content.flags]
        assert plan.next_at is None or plan.next_at > situation.as_of
        flags = told(flags, plan)

    assert len(heard) == len(set(heard))
    if minutes and max(minutes) > 8000:
        medium_or_worse = {f.id for f in flags if f.severity.rank >= Severity.MEDIUM.rank}
        assert {flag for audience, flag in heard if audience is OFFICERS} == medium_or_worse


# --- School days --------------------------------------------------------------------------------


def test_a_flag_of_the_night_reaches_officers_when_their_school_opens() -> None:
    """Found at 03:00 in Chicago, told at 08:00 there, three school days later."""
    night = START.replace(hour=8)
    flag = a_flag(severity=Severity.MEDIUM, opened_at=night)

    plan = planned([flag], a_situation(as_of=night))

    assert plan.next_at == datetime(2026, 10, 16, 13, tzinfo=UTC)


def test_officers_hear_of_a_running_meeting_when_it_goes_on() -> None:
    """The host is told at once, officers from five minutes without staff on, as configured."""

    def asked(seconds: int, **values: Any) -> set[Audience]:
        spans = (TimelineSpan("after", at(20), at(20 + seconds / 60)),)
        flag = a_flag(LEFT, severity=Severity.MEDIUM, phase=Phase.LIVE, spans=spans)
        plan = planned([flag], a_situation(30, Phase.LIVE, **values))
        return {notice.audience for notice in plan.notices}

    assert asked(299) == {HOST}
    assert asked(300) == {HOST, OFFICERS}
    assert asked(120, live_on_call=timedelta(minutes=2)) == {HOST, OFFICERS}
    assert asked(900, live_on_call=timedelta(minutes=20)) == {HOST}
