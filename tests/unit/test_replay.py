"""What a replay looks at: instants, rules, and calls as they were known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from meetbot.domain.attendance import Source
from meetbot.domain.findings import Phase
from meetbot.domain.meetings import OccurrenceKey, Scope, merge_copies
from meetbot.jobs.replay import looks
from meetbot.jobs.replay_view import as_seen
from meetbot.ports import HeldConference, MeetingRecord
from meetbot.rules import RULES
from tests.builders import a_conference, a_copy, a_visit, at

LATER = at(10_000)


def a_record(
    *, first_seen: float = -1000, judged_at: dict[Phase, datetime] | None = None
) -> MeetingRecord:
    """A lesson from minute 0 to 45."""
    key = OccurrenceKey("lesson@google.com", at(0), "abcdefghij")
    return MeetingRecord(
        id=1,
        key=key,
        meeting=merge_copies(key, (a_copy(),), first_seen_at=at(first_seen)),
        scope=Scope.FULL,
        is_adhoc=False,
        first_seen_at=at(first_seen),
        attendance_read_at=at(60),
        attendance_problem="",
        attendance_final=True,
        judged_at=judged_at or {},
    )


def rules_of(*phases: Phase) -> set[str]:
    return {rule.id for rule in RULES.values() if rule.phases & set(phases)}


# --- instants -----------------------------------------------------------------------------------


def test_each_rule_is_asked_once_at_the_last_instant_of_its_phases() -> None:
    """Before the start only what is not asked afterwards, and so on."""
    instants = {Phase.AFTER: at(1500), Phase.SCHEDULED: at(-60), Phase.LIVE: at(20)}

    (first, early), (second, during), (third, late) = looks(a_record(judged_at=instants), LATER)

    assert (first, second, third) == (at(-60), at(20), at(1500))
    assert late == rules_of(Phase.AFTER)
    assert during == rules_of(Phase.LIVE) - late
    assert early == rules_of(Phase.SCHEDULED) - late - during
    assert {"guests-can-invite", "authorization-stale"} <= early
    assert during == {"unapproved-platform"}


def test_a_meeting_moved_ahead_again_is_asked_before_its_start_last() -> None:
    """The order is that of the instants, not of the phases."""
    moved = {Phase.AFTER: at(-5000), Phase.SCHEDULED: at(-60)}

    (_, after), (_, before) = looks(a_record(judged_at=moved), LATER)

    assert before == rules_of(Phase.SCHEDULED)
    assert after == rules_of(Phase.AFTER) - before


def test_of_an_older_database_the_instants_are_guessed() -> None:
    """Just before the start if it was known by then, and now."""
    known = looks(a_record(first_seen=-1000), LATER)
    late = looks(a_record(first_seen=100), LATER)
    ahead = looks(a_record(first_seen=-1000), at(-30))
    running = looks(a_record(first_seen=10), at(30))

    assert [instant for instant, _ in known] == [at(0) - timedelta(seconds=1), LATER]
    assert late == ((LATER, frozenset(rules_of(Phase.AFTER))),)
    assert ahead == ((at(-30), frozenset(rules_of(Phase.SCHEDULED))),)
    assert running == ((at(30), frozenset(rules_of(Phase.LIVE))),)


# --- calls --------------------------------------------------------------------------------------


def a_call(source: Source = Source.MEET) -> HeldConference:
    name = "conferenceRecords/1" if source is Source.MEET else "audit/1"
    visits = (
        a_visit("ann", 0, 10, conference=name, source=source),
        a_visit("ann", 20, 45, conference=name, source=source),
        a_visit("bo", 30, 40, conference=name, source=source),
    )
    conference = replace(a_conference(), name=name, source=source, start_at=at(0), end_at=at(45))
    return HeldConference(conference, visits)


def test_a_call_that_was_over_is_seen_whole() -> None:
    """Nothing is copied where nothing is hidden."""
    call = a_call()
    assert as_seen(call, at(45)) is call
    assert as_seen(call, LATER) is call


def test_a_running_call_of_meet_shows_who_is_in_it() -> None:
    """What began later is not there, what ended later is open."""
    seen = as_seen(a_call(), at(25))

    assert seen.conference.end_at is None
    assert [(v.start_at, v.end_at, v.last_seen_at) for v in seen.visits] == [
        (at(0), at(10), None),
        (at(20), None, at(25)),
    ]


def test_the_audit_log_shows_only_who_left() -> None:
    """Its rows are written on leaving."""
    seen = as_seen(a_call(Source.AUDIT), at(40))

    assert seen.conference.end_at == at(40)
    assert [(v.start_at, v.end_at) for v in seen.visits] == [(at(0), at(10)), (at(30), at(40))]
