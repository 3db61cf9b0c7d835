"""Occurrences: how reads of calendars become meetings, when they are due, how they are found."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from meetbot.domain.meetings import Disclosure, Fingerprint, KeptCopy, OccurrenceKey, Scope
from meetbot.errors import NotFound
from meetbot.ports import CalendarState, CopyChanges, Judged, MeetingRecord
from meetbot.store import SqlStore
from meetbot.store.database import SqlTx
from tests.builders import (
    CODE,
    T0,
    TEACHER,
    a_copy,
    a_guest,
    a_mark,
    a_read,
    a_tombstone,
    an_instance,
    at,
)

BOB = "bob@district.example"


def apply(store: SqlStore, changes: CopyChanges, as_of: datetime = T0) -> int:
    with store.transaction() as tx:
        return tx.meetings.apply(changes, as_of=as_of)


def keep(store: SqlStore, *copies: KeptCopy) -> int:
    return apply(store, a_read(*copies))


def judge(
    store: SqlStore,
    *,
    scope: Scope = Scope.FULL,
    next_due_at: datetime | None = None,
    as_of: datetime = T0,
) -> list[int]:
    """Judge everything that is due; gives the ids judged."""
    with store.transaction() as tx:
        due = tx.meetings.due(as_of, 100)
        for meeting_id in due:
            judged(tx.meetings.load(meeting_id), store_tx=tx, scope=scope, next_due_at=next_due_at)
    return due


def judged(record: MeetingRecord, *, store_tx: SqlTx, **values: Any) -> None:
    note = Judged(record.id, record.version, Scope.FULL)
    store_tx.meetings.judged([replace(note, **values)], as_of=T0)


def due(store: SqlStore, as_of: datetime = T0) -> list[int]:
    with store.reading() as tx:
        return tx.meetings.due(as_of, 100)


def only(store: SqlStore) -> MeetingRecord:
    records = everything(store)
    assert len(records) == 1
    return records[0]


def everything(store: SqlStore) -> list[MeetingRecord]:
    """All occurrences: they all become due by a change of the registry."""
    with store.reading() as tx:
        return [tx.meetings.load(i) for i in tx.meetings.due(at(1_000_000), 1000)]


# --- copies and occurrences ---------------------------------------------------------------------


def test_a_copy_comes_back_as_it_was(store: SqlStore) -> None:
    """What was kept of an event is what is loaded."""
    guests = (
        a_guest("key-bo", address="bo@partner.example", name_tokens=("t1", "t2")),
        a_guest("key-s1", "students.district.example", via_group="key-class"),
    )
    keep(store, a_copy(guests=guests, updated_at=at(0.123456)))

    meeting = only(store).meeting

    assert meeting is not None
    assert meeting.guests == guests
    assert meeting.start_at == at(0)
    assert meeting.start_at.tzinfo is not None
    assert meeting.calendars == (TEACHER,)
    assert meeting.meeting_code == CODE
    assert meeting.first_seen_at == T0


def test_copies_of_all_calendars_are_one_meeting(store: SqlStore) -> None:
    """The same event on two calendars is one occurrence, known from both."""
    keep(store, a_copy())
    bobs = a_copy(calendar=BOB, event_id="other-id", is_organizer_copy=False)
    apply(store, a_read(bobs, calendar=BOB))

    meeting = only(store).meeting

    assert meeting is not None
    assert meeting.calendars == (TEACHER, BOB)


def test_instances_of_a_series_are_meetings_of_their_own(store: SqlStore) -> None:
    """Every instance is found by the uid and the start it was planned for."""
    assert keep(store, an_instance(0), an_instance(1440)) == 2

    with store.reading() as tx:
        first = tx.meetings.find(OccurrenceKey("series@google.com", at(0)))
        second = tx.meetings.find(OccurrenceKey("series@google.com", at(1440)))
        third = tx.meetings.find(OccurrenceKey("series@google.com", at(2880)))

    assert first != second
    assert None not in (first, second)
    assert third is None


def test_a_moved_instance_keeps_its_identity(store: SqlStore) -> None:
    """An instance moved by an hour is the same occurrence, with its original start."""
    keep(store, an_instance(0))
    keep(store, an_instance(0, start_at=at(60), end_at=at(105)))

    record = only(store)

    assert record.key.original_start_at == at(0)
    assert record.meeting is not None
    assert record.meeting.start_at == at(60)


def test_a_moved_single_event_keeps_the_start_first_seen(store: SqlStore) -> None:
    """A single event moved twice stays one occurrence with its first start."""
    keep(store, a_copy(start=0))
    keep(store, a_copy(start=60))
    keep(store, a_copy(start=5000))

    record = only(store)

    assert record.key.original_start_at == at(0)
    assert record.meeting is not None
    assert record.meeting.start_at == at(5000)


def test_calendars_that_learn_of_a_move_at_different_times_agree(store: SqlStore) -> None:
    """A copy read after the move joins the occurrence seen before it on another calendar."""
    keep(store, a_copy(start=0))
    moved = a_copy(start=60, calendar=BOB, event_id="at-bob", is_organizer_copy=False)
    apply(store, a_read(moved, calendar=BOB))

    assert only(store).key.original_start_at == at(0)


def test_two_events_with_one_uid_on_one_calendar_stay_apart(store: SqlStore) -> None:
    """Imported events may share a uid; neither swallows the other."""
    keep(store, a_copy("one", start=0))
    keep(store, a_copy("two", start=1440))

    assert {r.key.original_start_at for r in everything(store)} == {at(0), at(1440)}


def test_a_single_event_that_becomes_a_series_gives_way_to_it(store: SqlStore) -> None:
    """The series' first instance takes the occurrence over; the single copy is gone."""
    keep(store, a_copy("event", ical_uid="series@google.com"))
    keep(store, an_instance(0, series="event"), an_instance(1440, series="event"))
    uid = "event@google.com"

    with store.reading() as tx:
        assert not tx.meetings.knows_event(TEACHER, ["event"])
        first = tx.meetings.find(OccurrenceKey(uid, at(0)))
    assert first is not None


def test_a_series_that_becomes_a_single_event_gives_way_to_it(store: SqlStore) -> None:
    """The instances of the former series are kept no longer, and nothing crashes."""
    keep(store, an_instance(0), an_instance(1440))
    judge(store)
    keep(store, a_copy("series", ical_uid="series@google.com", start=0))

    with store.reading() as tx:
        first = tx.meetings.find(OccurrenceKey("series@google.com", at(0)))
        second = tx.meetings.find(OccurrenceKey("series@google.com", at(1440)))
        assert first is not None
        assert second is not None
        assert set(tx.meetings.due(T0, 10)) == {first, second}
        kept = tx.meetings.load(first).meeting
        assert kept is not None
        assert not kept.is_recurring
        assert tx.meetings.load(second).meeting is None


def test_the_code_may_change_without_changing_the_occurrence(store: SqlStore) -> None:
    """A new conference link is a change of the same meeting, found by its new code only."""
    keep(store, a_copy())
    keep(store, a_copy(meeting_code="kkkllllmmm"))

    with store.reading() as tx:
        assert not tx.meetings.slots(CODE, at(0), at(45))
        (slot,) = tx.meetings.slots("kkk-llll-mmm", at(0), at(45))
        assert tx.meetings.load(slot.id).key.meeting_code == "kkkllllmmm"


def test_hostile_ids_are_kept_and_found(store: SqlStore) -> None:
    """NUL, lone surrogates and a megabyte in ids that strangers choose harm nothing."""
    for number, text in enumerate(["a\0b", "c\ud800d", "e" * 1_000_000, "f" * 1_000_000 + "g"]):
        hostile = a_copy(
            text,
            ical_uid=text,
            start=number,
            guests=(a_guest("key", domain=text, name_tokens=(text,)),),
        )
        assert keep(store, hostile) == 1
        assert keep(store, hostile) == 0
        with store.reading() as tx:
            assert tx.meetings.knows_event(TEACHER, [text]) == {text}
            found = tx.meetings.find(OccurrenceKey(text, at(number)))
            assert found is not None
            assert tx.meetings.load(found).meeting is not None
    assert len(everything(store)) == 4


# --- what ends copies ---------------------------------------------------------------------------


def is_cancelled(record: MeetingRecord) -> bool:
    assert record.meeting is not None
    return record.meeting.is_cancelled


def test_a_tombstone_cancels_the_copy_with_its_id(store: SqlStore) -> None:
    """A deleted event is known on as cancelled, and due; told twice it is no news."""
    keep(store, a_copy())
    judge(store)

    assert apply(store, a_read(gone=(a_tombstone(),))) == 1
    assert is_cancelled(only(store))
    assert due(store)
    assert apply(store, a_read(gone=(a_tombstone(), a_tombstone("unknown")))) == 0


def test_a_tombstone_of_an_instance_is_found_by_series_and_start(store: SqlStore) -> None:
    """An instance whose id differs is recognized by its series and original start."""
    keep(store, an_instance(0), an_instance(1440))
    gone = a_tombstone("odd-id", recurring_event_id="series", original_start_at=at(1440))
    apply(store, a_read(gone=(gone,)))

    assert [is_cancelled(r) for r in sorted(everything(store), key=lambda r: r.id)] == [False, True]


def test_a_tombstone_of_a_series_cancels_all_its_instances(store: SqlStore) -> None:
    """A deleted series takes every kept instance on that calendar along, and no other."""
    other = an_instance(0, series="other")
    keep(store, an_instance(0), an_instance(1440), other)
    assert apply(store, a_read(gone=(a_tombstone("series"),))) == 2

    cancelled = {r.key.ical_uid for r in everything(store) if is_cancelled(r)}
    assert cancelled == {"series@google.com"}


def test_a_copy_read_in_the_same_answer_outlives_a_tombstone(store: SqlStore) -> None:
    """What is there now is there, whatever was deleted on the way."""
    keep(store, an_instance(0))
    apply(store, a_read(an_instance(0), gone=(a_tombstone("series"),)))

    assert not is_cancelled(only(store))


def test_a_cancelled_event_can_come_back(store: SqlStore) -> None:
    """A restored event is live again and due."""
    keep(store, a_copy())
    apply(store, a_read(gone=(a_tombstone(),)))
    judge(store)

    assert keep(store, a_copy()) == 1
    assert not is_cancelled(only(store))
    assert due(store)


def test_a_deleted_copy_of_a_guest_leaves_the_meeting(store: SqlStore) -> None:
    """One attendee who removes the event from their calendar does not cancel it."""
    keep(store, a_copy())
    bobs = a_copy(calendar=BOB, event_id="at-bob", is_organizer_copy=False)
    apply(store, a_read(bobs, calendar=BOB))
    apply(store, a_read(calendar=BOB, gone=(replace(a_tombstone("at-bob"), calendar=BOB),)))

    assert not is_cancelled(only(store))


def test_a_full_read_cancels_what_it_no_longer_holds(store: SqlStore) -> None:
    """Only in the window, where a running event counts, and only on that calendar."""
    week, month = 7 * 1440, 30 * 1440
    before = a_copy("before", ical_uid="1", start=-week - 45)
    running = a_copy("running", ical_uid="2", start=-week - 44)
    inside = a_copy("inside", ical_uid="3")
    kept = a_copy("kept", ical_uid="4")
    last = a_copy("last", ical_uid="5", start=month - 1)
    after = a_copy("after", ical_uid="6", start=month)
    keep(store, before, running, inside, kept, last, after)
    bobs = a_copy(calendar=BOB, event_id="at-bob", ical_uid="7")
    apply(store, a_read(bobs, calendar=BOB))

    assert apply(store, a_read(kept, is_full=True)) == 3
    assert apply(store, a_read(kept, is_full=True)) == 0

    cancelled = {r.key.ical_uid for r in everything(store) if is_cancelled(r)}
    assert cancelled == {"2", "3", "5"}


def test_an_incremental_read_cancels_nothing_unnamed(store: SqlStore) -> None:
    """What did not change is not in the answer and stays as it is."""
    keep(store, a_copy())

    assert apply(store, a_read()) == 0
    assert not is_cancelled(only(store))


def test_what_leaves_the_scope_is_forgotten_and_judged_once_more(store: SqlStore) -> None:
    """Without a copy there is no meeting: it is due once, so that its flags are withdrawn."""
    keep(store, a_copy())
    judge(store)
    assert apply(store, a_read(dropped=("event", "never-kept"))) == 1

    assert len(due(store)) == 1
    record = only(store)
    assert record.meeting is None
    assert record.scope is Scope.NONE
    assert not record.is_adhoc
    with store.reading() as tx:
        assert not tx.meetings.slots(CODE, at(0), at(45))
        assert not tx.meetings.starting(at(0), at(45))
        assert not tx.meetings.knows_event(TEACHER, ["event"])

    judge(store, scope=Scope.NONE)
    with store.transaction() as tx:
        assert tx.meetings.mark_due(T0, since=at(-1000)) == 0


def test_a_copy_on_another_calendar_keeps_a_meeting_in_scope(store: SqlStore) -> None:
    """One dropped copy of two leaves the other."""
    keep(store, a_copy())
    bobs = a_copy(calendar=BOB, event_id="at-bob", is_organizer_copy=False)
    apply(store, a_read(bobs, calendar=BOB))
    apply(store, a_read(dropped=("event",)))

    meeting = only(store).meeting
    assert meeting is not None
    assert meeting.calendars == (BOB,)


def test_a_meeting_that_comes_back_into_scope_is_the_same(store: SqlStore) -> None:
    """An event dropped and kept again has its old occurrence."""
    keep(store, a_copy())
    before = only(store).id
    apply(store, a_read(dropped=("event",)))
    keep(store, a_copy())

    assert only(store).id == before
    assert only(store).meeting is not None


# --- due ----------------------------------------------------------------------------------------


def test_a_new_meeting_is_due_until_it_is_judged(store: SqlStore) -> None:
    """What was read is due at once, and after judging when judging says."""
    keep(store, a_copy())

    assert len(judge(store, next_due_at=at(10))) == 1
    assert due(store, at(9)) == []
    assert len(due(store, at(10))) == 1


def test_the_same_content_again_is_no_change(store: SqlStore) -> None:
    """A second reading, or one in which only Google's `updated` moved, makes nothing due."""
    keep(store, a_copy(), an_instance(0))
    judge(store)

    assert keep(store, a_copy(), an_instance(0)) == 0
    assert keep(store, a_copy(updated_at=at(5))) == 0
    assert apply(store, a_read(a_copy(), an_instance(0), is_full=True)) == 0
    assert due(store) == []


@pytest.mark.parametrize(
    "change",
    [
        {"guests": (a_guest("key-bo"), a_guest("key-eve"))},
        {"guests_can_invite": False},
        {"meeting_code": None},
        {"start_at": at(1)},
        {"organizer": None},
        {"is_guest_list_complete": False},
    ],
    ids=str,
)
def test_a_real_change_makes_due(store: SqlStore, change: dict[str, Any]) -> None:
    """Whatever a rule may look at makes the meeting due when it changes."""
    keep(store, a_copy())
    judge(store)

    assert keep(store, a_copy(**change)) == 1
    assert len(due(store)) == 1


def test_a_change_while_judging_is_not_lost(store: SqlStore) -> None:
    """What changes between loading and noting the result stays due."""
    keep(store, a_copy())
    with store.reading() as tx:
        record = tx.meetings.load(tx.meetings.due(T0, 1)[0])
    keep(store, a_copy(guests=()))
    with store.transaction() as tx:
        judged(record, store_tx=tx, next_due_at=at(500))

    assert due(store) == [record.id]
    judge(store, next_due_at=at(500))
    assert due(store) == []


def test_a_mark_while_judging_is_not_lost(store: SqlStore) -> None:
    """The same holds for what other sources make due."""
    keep(store, a_copy())
    with store.reading() as tx:
        record = tx.meetings.load(tx.meetings.due(T0, 1)[0])
    with store.transaction() as tx:
        tx.meetings.mark_due(T0, codes=[CODE])
        judged(record, store_tx=tx, next_due_at=None)

    assert due(store) == [record.id]


def test_the_longest_due_comes_first(store: SqlStore) -> None:
    """A meeting that is made due again keeps its place in the queue."""
    apply(store, a_read(a_copy("one", ical_uid="1")), at(0))
    apply(store, a_read(a_copy("two", ical_uid="2")), at(1))
    apply(store, a_read(a_copy("one", ical_uid="1", guests=())), at(2))

    with store.reading() as tx:
        ids = tx.meetings.due(at(5), 10)
        assert [tx.meetings.load(i).key.ical_uid for i in ids] == ["1", "2"]
        assert tx.meetings.due(at(5), 1) == ids[:1]


def test_mark_due_by_time_code_and_guest(store: SqlStore) -> None:
    """Each criterion narrows; none given means all of them; a group counts as its members'."""
    grouped = (a_guest("key-member", via_group="key-class"),)
    keep(
        store,
        a_copy("old", ical_uid="1", start=-10_000),
        a_copy("code", ical_uid="2", meeting_code="xxxyyyyzzz"),
        a_copy("group", ical_uid="3", guests=grouped),
    )
    judge(store)

    def marked(**criteria: object) -> set[str | None]:
        with store.transaction() as tx:
            number = tx.meetings.mark_due(T0, **criteria)  # type: ignore[arg-type]
            found = {tx.meetings.load(i).key.ical_uid for i in tx.meetings.due(T0, 10)}
            assert number == len(found)
        judge(store)
        return found

    assert marked(since=at(0)) == {"2", "3"}
    assert marked(codes=["XXX-yyyy-zzz", "unknown"]) == {"2"}
    assert marked(address_keys=["key-class"]) == {"3"}
    assert marked(address_keys=["key-bo"]) == {"1", "2"}
    assert marked(address_keys=["key-ann"]) == {"1", "2", "3"}
    assert marked(since=at(0), address_keys=["key-bo"]) == {"2"}
    assert marked(codes=[]) == set()
    assert marked() == {"1", "2", "3"}


def test_a_guest_who_left_no_longer_makes_due(store: SqlStore) -> None:
    """The index of guests follows the copies."""
    keep(store, a_copy())
    keep(store, a_copy(guests=()))

    with store.transaction() as tx:
        assert tx.meetings.mark_due(T0, address_keys=["key-bo"]) == 0


def test_many_criteria_at_once(store: SqlStore) -> None:
    """More keys than one statement takes are no limit."""
    keep(store, a_copy())
    keys = [f"key-{number}" for number in range(40_000)] + ["key-bo"]

    with store.transaction() as tx:
        assert tx.meetings.mark_due(T0, address_keys=keys) == 1


def test_judging_is_remembered(store: SqlStore) -> None:
    """Scope, disclosure and fingerprints come back; undecided rules are counted."""
    keep(store, a_copy())
    disclosure = Disclosure(at(-60), None, 3)
    fingerprint = Fingerprint(
        "A1", at(-90), "10:00", "10:45", "series", "ann", ("bo",), "google-meet", "class"
    )
    with store.transaction() as tx:
        record = tx.meetings.load(tx.meetings.due(T0, 1)[0])
        judged(
            record,
            store_tx=tx,
            scope=Scope.ADULT,
            disclosure=disclosure,
            fingerprints=(fingerprint,),
            undecided=("staff-left-early",),
            next_due_at=at(30_000),
        )
    record = only(store)

    assert record.scope is Scope.ADULT
    assert record.meeting is not None
    assert record.meeting.disclosure == disclosure
    assert record.meeting.fingerprints == (fingerprint,)
    with store.reading() as tx:
        assert tx.meetings.counts() == {"in_scope": 1, "undecided": 1, "due": 0}


def test_counts_use_the_clock(store: SqlStore) -> None:
    """Due is what is due now."""
    keep(store, a_copy())

    with store.reading() as tx:
        assert tx.meetings.counts() == {"in_scope": 1, "undecided": 0, "due": 1}


def test_an_unknown_meeting_is_not_found(store: SqlStore) -> None:
    """Loading or noting something for it says so."""
    record = MeetingRecord(
        99, OccurrenceKey("x", T0), None, Scope.NONE, False, T0, None, "", False, 0
    )
    with pytest.raises(NotFound), store.reading() as tx:
        tx.meetings.load(99)
    with pytest.raises(NotFound), store.transaction() as tx:
        judged(record, store_tx=tx)
    with pytest.raises(NotFound), store.transaction() as tx:
        tx.meetings.note_attendance(99, problem="", is_final=False, as_of=T0)


# --- finding meetings ---------------------------------------------------------------------------


def test_meetings_of_a_code_that_overlap(store: SqlStore) -> None:
    """A span that only touches the meeting does not overlap it; a cancelled one is found too."""
    keep(store, a_copy("one", ical_uid="1"), a_copy("two", ical_uid="2", start=45))
    apply(store, a_read(gone=(a_tombstone("two"),)))

    def found(start: float, end: float) -> list[tuple[datetime, bool]]:
        with store.reading() as tx:
            slots = tx.meetings.slots(CODE, at(start), at(end))
        return [(slot.start_at, slot.is_cancelled) for slot in slots]

    one, two = (at(0), False), (at(45), True)
    assert found(-10, 0) == []
    assert found(-10, 1) == [one]
    assert found(44, 46) == [one, two]
    assert found(45, 46) == [two]
    assert found(90, 99) == []
    assert found(10, 10) == [one]


def test_codes_in_reach(store: SqlStore) -> None:
    """Codes of events and ad-hoc calls that overlap a span."""
    keep(store, a_copy("one", ical_uid="1"), a_copy("two", ical_uid="2", start=600))
    with store.transaction() as tx:
        tx.meetings.ensure_adhoc("kkk-llll-mmm", at(10), as_of=at(20))

    with store.reading() as tx:
        assert tx.meetings.codes(at(0), at(45)) == {CODE, "kkkllllmmm"}
        assert tx.meetings.codes(at(45), at(60)) == frozenset()


def test_the_earliest_of_what_is_new(store: SqlStore) -> None:
    """What was first seen after an instant, has a code and overlaps the span."""
    apply(store, a_read(a_copy("old", ical_uid="o", start=-60)), as_of=at(0))
    apply(store, a_read(a_copy("new", ical_uid="n", start=-30)), as_of=at(9))
    apply(store, a_read(a_copy("far", ical_uid="f", start=600)), as_of=at(9))

    def new(seen_after: float) -> datetime | None:
        with store.reading() as tx:
            return tx.meetings.earliest_new(at(seen_after), start_at=at(-120), end_at=at(10))

    assert new(-1) == at(-60)
    assert new(0) == at(-30)
    assert new(9) is None


def test_others_of_the_same_code_become_due(store: SqlStore) -> None:
    """A call that was given to one of them may belong to another one that appears or moves."""
    with store.transaction() as tx:
        call = tx.meetings.ensure_adhoc(CODE, at(5), as_of=T0)
        tx.meetings.ensure_adhoc("other00001", at(5), as_of=T0)
        tx.meetings.ensure_adhoc(CODE, at(4000), as_of=T0)
    judge(store)

    keep(store, a_copy("event", ical_uid="event"))
    event = judge(store)
    assert set(event) > {call}
    assert len(event) == 2
    keep(store, a_copy("event", ical_uid="event", start=9000))
    assert call in judge(store)


def test_only_what_is_undecided_becomes_due(store: SqlStore) -> None:
    """A calendar that can be read again concerns those that waited for something."""
    keep(store, a_copy("a", ical_uid="a"), a_copy("b", ical_uid="b", meeting_code="other00001"))
    waiting = everything(store)[0].id
    judge(store)
    with store.transaction() as tx:
        judged(tx.meetings.load(waiting), store_tx=tx, undecided=("a-rule: cannot tell",))
        assert tx.meetings.mark_due(T0, undecided=True) == 1
    assert due(store) == [waiting]


def test_what_to_watch(store: SqlStore) -> None:
    """In scope, with a code, not cancelled, not yet read for good."""
    keep(store, *(a_copy(f"e{n}", ical_uid=f"{n}") for n in range(4)))
    keep(store, a_copy("no-code", ical_uid="no-code", meeting_code=None))
    judge(store)
    keep(store, a_copy("adult", ical_uid="adult", meeting_code="other00001"))
    judge(store, scope=Scope.ADULT)
    keep(store, a_copy("internal", ical_uid="internal", meeting_code="other00002"))
    judge(store, scope=Scope.NONE)
    apply(store, a_read(gone=(a_tombstone("e1"),)))
    with store.transaction() as tx:
        final = tx.meetings.find(OccurrenceKey("2", at(0)))
        assert final is not None
        tx.meetings.note_attendance(final, problem="", is_final=True, as_of=at(100))
        watched = {r.key.ical_uid for r in tx.meetings.to_watch(at(10), at(20))}
        assert not tx.meetings.to_watch(at(45), at(60))

    assert watched == {"0", "3", "adult"}


def test_what_starts(store: SqlStore) -> None:
    """In scope, not cancelled, from the first instant of the span to before its last."""
    keep(store, *(a_copy(f"e{n}", ical_uid=f"{n}", start=n * 10) for n in range(4)))
    judge(store, scope=Scope.ADULT)
    apply(store, a_read(gone=(a_tombstone("e1"),)))

    with store.reading() as tx:
        starting = tx.meetings.starting(at(0), at(30))

    assert [r.key.ical_uid for r in starting] == ["0", "2"]


def test_attendance_news_make_due(store: SqlStore) -> None:
    """A first reading, a problem, its end and finality are news; the same again is not."""
    keep(store, a_copy())
    judge(store)
    (meeting_id,) = [r.id for r in [everything_marked(store)]]

    def noted(problem: str, *, is_final: bool, minute: float) -> bool:
        with store.transaction() as tx:
            tx.meetings.note_attendance(
                meeting_id, problem=problem, is_final=is_final, as_of=at(minute)
            )
        return bool(judge(store, as_of=at(minute)))

    assert noted("the organizer is gone", is_final=False, minute=1)
    assert not noted("the organizer is gone", is_final=False, minute=2)
    assert noted("", is_final=False, minute=3)
    assert not noted("", is_final=False, minute=4)
    assert noted("", is_final=True, minute=5)
    with store.reading() as tx:
        record = tx.meetings.load(meeting_id)
    assert record.attendance_read_at == at(5)
    assert record.attendance_final
    assert record.attendance_problem == ""


def everything_marked(store: SqlStore) -> MeetingRecord:
    """The only occurrence, which is not due."""
    with store.transaction() as tx:
        tx.meetings.mark_due(T0)
    record = only(store)
    judge(store)
    return record


def test_a_failed_reading_of_meet_keeps_the_last_full_one(store: SqlStore) -> None:
    """`attendance_read_at` is the last time Meet was read in full."""
    keep(store, a_copy())
    meeting_id = only(store).id
    with store.transaction() as tx:
        tx.meetings.note_attendance(meeting_id, problem="", is_final=False, as_of=at(1))
        tx.meetings.note_attendance(meeting_id, problem="down", is_final=False, as_of=at(2))

    record = only(store)
    assert record.attendance_read_at == at(1)
    assert record.attendance_problem == "down"


def test_a_moved_meeting_is_asked_for_again(store: SqlStore) -> None:
    """Attendance read for good is not good for another time, and a new copy changes nothing."""
    keep(store, a_copy())
    meeting_id = only(store).id
    with store.transaction() as tx:
        tx.meetings.note_attendance(meeting_id, problem="", is_final=True, as_of=at(99))
    bobs = a_copy(calendar=BOB, event_id="at-bob", is_organizer_copy=False)
    apply(store, a_read(bobs, calendar=BOB))
    assert only(store).attendance_final

    keep(store, a_copy(start=60))
    assert not only(store).attendance_final


def test_one_copy_in_full_scope_is_enough(store: SqlStore) -> None:
    """The widest scope of its copies is the meeting's before anybody judged it."""
    keep(store, a_copy(scope=Scope.ADULT))
    assert only(store).scope is Scope.ADULT

    bobs = a_copy(calendar=BOB, event_id="at-bob", is_organizer_copy=False)
    apply(store, a_read(bobs, calendar=BOB))
    assert only(store).scope is Scope.FULL


def test_an_adhoc_call_is_made_once(store: SqlStore) -> None:
    """The same call asked for twice is one occurrence, due at once, found by its code."""
    with store.transaction() as tx:
        first = tx.meetings.ensure_adhoc("abc-defg-hij", at(0), as_of=at(5))
        assert tx.meetings.due(at(5), 10) == [first]
        record = tx.meetings.load(first)
        judged(record, store_tx=tx)
        assert tx.meetings.ensure_adhoc(CODE, at(0), as_of=at(6)) == first
        assert tx.meetings.due(at(6), 10) == []
        other = tx.meetings.ensure_adhoc(None, at(0), as_of=at(6))
        assert tx.meetings.ensure_adhoc(None, at(0), as_of=at(6)) == other
        found = [s.id for s in tx.meetings.slots(CODE, at(-1), at(45))]
        assert tx.meetings.mark_due(at(7), codes=[CODE]) == 1

    assert record.is_adhoc
    assert record.meeting is None
    assert record.key == OccurrenceKey(None, at(0), CODE)
    assert other != first
    assert found == [first]


def test_codes_of_adhoc_calls(store: SqlStore) -> None:
    """Only of calls that began after the instant, and never those of planned meetings."""
    keep(store, a_copy(meeting_code="planned"))
    with store.transaction() as tx:
        tx.meetings.ensure_adhoc("old", at(0), as_of=at(60))
        tx.meetings.ensure_adhoc("new", at(1), as_of=at(60))
        tx.meetings.ensure_adhoc(None, at(1), as_of=at(60))
        assert tx.meetings.adhoc_codes(at(0)) == {"new"}


# --- calendars ----------------------------------------------------------------------------------


def test_the_mark_is_saved_with_what_was_read(store: SqlStore) -> None:
    """A read brings its mark; without its transaction neither is there."""

    def interrupted() -> None:
        with store.transaction() as tx:
            tx.meetings.apply(a_read(a_copy()), as_of=T0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    with store.reading() as tx:
        assert tx.meetings.calendar(TEACHER) == CalendarState(None, None)
        assert tx.meetings.due(T0, 10) == []

    keep(store, a_copy())
    with store.reading() as tx:
        assert tx.meetings.calendars() == {TEACHER: CalendarState(a_mark(), T0)}


def test_a_failing_calendar_keeps_what_is_known(store: SqlStore) -> None:
    """It is said since when it fails, until it is read again."""
    keep(store, a_copy())
    for minute in (1, 2):
        with store.transaction() as tx:
            tx.meetings.fail_calendar(TEACHER, "refused", as_of=at(minute))
            tx.meetings.fail_calendar(BOB, "unknown", as_of=at(minute))
    with store.reading() as tx:
        states = tx.meetings.calendars()
    assert states[TEACHER] == CalendarState(a_mark(), T0, "refused", at(1))
    assert states[BOB] == CalendarState(None, None, "unknown", at(1))

    apply(store, a_read(), at(3))
    with store.reading() as tx:
        assert tx.meetings.calendar(TEACHER) == CalendarState(a_mark(), at(3))


def test_forgetting_marks(store: SqlStore) -> None:
    """Forgotten tokens are counted; the next read has none."""
    for calendar in (TEACHER, BOB):
        apply(store, a_read(calendar=calendar))

    with store.transaction() as tx:
        assert tx.meetings.forget_marks([BOB]) == 1
        assert tx.meetings.calendar(BOB).mark is None
        assert tx.meetings.calendar(TEACHER).mark is not None
        assert tx.meetings.forget_marks() == 1
        assert tx.meetings.calendar(TEACHER).read_at == T0 + timedelta(0)
