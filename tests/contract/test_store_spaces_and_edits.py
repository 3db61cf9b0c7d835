"""Spaces, shared codes, guest lists and audit rows of events: one suite for every database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meetbot.domain.guest_list import Entry, GuestList, KeptEdit
from meetbot.domain.meetings import KeptCopy, KeptGuest, Scope
from meetbot.domain.spaces import Access, SpaceFacts
from meetbot.errors import NotFound
from meetbot.ports import Judged, MeetingRecord
from meetbot.store import SqlStore
from tests.builders import (
    CODE,
    T0,
    a_copy,
    a_guest,
    a_read,
    an_instance,
    at,
)

FACTS = SpaceFacts(
    CODE,
    "key-ann",
    at(-60),
    "spaces/jQCFfuBOdN5z",
    Access.OPEN,
    is_moderated=False,
    cohosts=(KeptGuest("key-bo", "partner.example", "bo@partner.example"),),
)
BEFORE = at(-1440)


def judge(store: SqlStore, guest_list: GuestList | None = None) -> None:
    """Note everything that is due as judged."""
    with store.transaction() as tx:
        for meeting_id in tx.meetings.due(at(0), 100):
            version = tx.meetings.load(meeting_id).version
            note = Judged(meeting_id, version, Scope.FULL, guest_list=guest_list)
            tx.meetings.judged([note], as_of=at(0))


def due(store: SqlStore) -> list[int]:
    with store.reading() as tx:
        return tx.meetings.due(at(0), 100)


def keep(store: SqlStore, *copies: KeptCopy) -> list[int]:
    """Store copies; gives the ids of all occurrences that are due then, oldest first."""
    with store.transaction() as tx:
        tx.meetings.apply(a_read(*copies), as_of=BEFORE)
    return sorted(due(store))


def load(store: SqlStore, meeting_id: int) -> MeetingRecord:
    with store.reading() as tx:
        return tx.meetings.load(meeting_id)


# --- spaces -------------------------------------------------------------------------------------


def waiting(store: SqlStore, minutes: float = -1440) -> list[int]:
    with store.reading() as tx:
        return [record.id for record in tx.meetings.spaces_due(at(minutes))]


def test_a_space_comes_back_as_it_was(store: SqlStore) -> None:
    """With its co-hosts; the news makes the occurrence due once."""
    (lesson,) = keep(store, a_copy())
    judge(store)
    for read_at, news in ((at(-60), [lesson]), (at(-30), [])):
        facts = replace(FACTS, read_at=read_at)
        with store.transaction() as tx:
            tx.meetings.note_space(lesson, facts, due_at=at(-30), as_of=read_at)
        assert load(store, lesson).space == facts
        assert due(store) == news
        judge(store)


@pytest.mark.parametrize(
    "news",
    [{"access": Access.TRUSTED}, {"problem": "down"}, {"cohosts": None}, {"is_moderated": True}],
)
def test_a_changed_space_makes_due(store: SqlStore, news: dict[str, Any]) -> None:
    """Whatever a rule can see of it."""
    (lesson,) = keep(store, a_copy())
    with store.transaction() as tx:
        tx.meetings.note_space(lesson, FACTS, due_at=at(-30), as_of=BEFORE)
    judge(store)
    with store.transaction() as tx:
        tx.meetings.note_space(lesson, replace(FACTS, **news), due_at=at(-30), as_of=at(-60))

    assert due(store) == [lesson]


def test_when_a_space_is_to_be_read(store: SqlStore) -> None:
    """Before the start, once, and again from the instant noted."""
    (lesson,) = keep(store, a_copy())
    assert (waiting(store), waiting(store, 0)) == ([lesson], [])
    with store.transaction() as tx:
        tx.meetings.note_space(lesson, FACTS, due_at=at(-30), as_of=BEFORE)
    assert (waiting(store), waiting(store, -31), waiting(store, -30)) == ([], [], [lesson])


@pytest.mark.parametrize(
    "changes",
    [
        {"meeting_code": "zyxwvutsrq"},
        {"organizer": a_guest("key-cy", "district.example", is_organizer=True)},
        {"start": 600, "original_start_at": T0},
    ],
    ids=["code", "organizer", "time"],
)
def test_a_changed_event_is_asked_for_again(store: SqlStore, changes: dict[str, Any]) -> None:
    """Its space was read for the event as it was; a new guest changes nothing of it."""
    (lesson,) = keep(store, a_copy())
    with store.transaction() as tx:
        tx.meetings.note_space(lesson, FACTS, due_at=at(-30), as_of=BEFORE)
    keep(store, a_copy(guests=(a_guest("key-bo"), a_guest("key-new"))))
    assert waiting(store) == []
    keep(store, a_copy(**changes))
    assert waiting(store) == [lesson]


@pytest.mark.parametrize(
    "changes",
    [{"scope": Scope.ADULT}, {"is_cancelled": True}, {"meeting_code": None}],
    ids=["adults only", "cancelled", "no code"],
)
def test_spaces_nobody_needs(store: SqlStore, changes: dict[str, Any]) -> None:
    """Only meetings in full scope that will be held in Meet."""
    keep(store, a_copy(**changes))

    assert waiting(store) == []


def test_the_space_of_an_unknown_occurrence(store: SqlStore) -> None:
    """Not found, as everywhere."""
    with pytest.raises(NotFound), store.transaction() as tx:
        tx.meetings.note_space(10**9, FACTS, due_at=at(0), as_of=at(0))


# --- shared codes -------------------------------------------------------------------------------


def test_other_events_with_a_code(store: SqlStore) -> None:
    """The nearest first; not the series' own occurrences, cancelled ones, ad-hoc calls, others."""
    far, near = (
        a_copy(f"e{n}", start=start, ical_uid=f"e{n}@google.com")
        for n, start in ((1, -9000), (2, 900))
    )
    gone = a_copy("e3", ical_uid="e3@google.com", is_cancelled=True)
    other = a_copy("e4", ical_uid="e4@google.com", meeting_code="zyxwvutsrq")
    lesson, *_ = keep(store, an_instance(0), an_instance(1440))
    keep(store, an_instance(0), an_instance(1440), far, near, gone, other)
    with store.transaction() as tx:
        tx.meetings.ensure_adhoc(CODE, at(100), as_of=BEFORE)
    with store.reading() as tx:
        found = tx.meetings.load(lesson).meeting
        assert found is not None
        uids = [record.key.ical_uid for record in tx.meetings.sharing_code(found, 10)]
        first = [record.key.ical_uid for record in tx.meetings.sharing_code(found, 1)]

    assert uids == ["e2@google.com", "e1@google.com"]
    assert first == ["e2@google.com"]


def test_events_that_share_a_code_are_woken(store: SqlStore) -> None:
    """All but those of the uid that changed; occurrences of other codes sleep on."""
    series = [an_instance(n * 1440) for n in range(2)]
    other = a_copy("other", ical_uid="other@google.com", meeting_code="zyxwvutsrq")
    first, second, third = keep(store, *series, other)
    judge(store)

    def wake(uid: str, *codes: str) -> list[int]:
        with store.transaction() as tx:
            number = tx.meetings.wake_sharing(codes, uid, at(-1))
        woken = sorted(due(store))
        judge(store)
        assert number == len(woken)
        return woken

    assert wake("other@google.com", CODE) == [first, second]
    assert wake("series@google.com", CODE) == []
    assert wake("new@google.com", CODE, "zyx-wvut-srq") == [first, second, third]
    assert wake("new@google.com") == []


# --- guest lists and edits ----------------------------------------------------------------------


def test_the_history_of_a_guest_list_is_kept(store: SqlStore) -> None:
    """As it was noted with the judgment, until it is noted as ended."""
    listed = GuestList(
        at(-60), None, (Entry("key-bo", at(-99)), Entry("key-cy", at(-60), at(-99), True))
    )
    (lesson,) = keep(store, a_copy())
    judge(store, listed)
    assert load(store, lesson).guest_list == listed
    with store.transaction() as tx:
        tx.meetings.mark_due(at(-1))
    judge(store)
    assert load(store, lesson).guest_list is None


def an_edit(
    event_id: str = "event", *, key: str = "row", minutes: float = -60, guest: str | None = "key-cy"
) -> KeptEdit:
    return KeptEdit(key, event_id, at(minutes), a_guest("key-bo"), guest)


def save(store: SqlStore, *edits: KeptEdit) -> int:
    with store.transaction() as tx:
        return tx.meetings.save_edits(edits, as_of=at(-1))


def test_edits_of_kept_events_come_back_in_order(store: SqlStore) -> None:
    """Once however often they are read; new ones make the occurrence due; others are left out."""
    (lesson,) = keep(store, a_copy())
    judge(store)
    late, early = an_edit(key="b"), an_edit(key="a", minutes=-90, guest=None)
    assert save(store, late, early, an_edit("unknown", key="c")) == 2
    assert due(store) == [lesson]
    judge(store)
    assert save(store, late) == 0
    assert due(store) == []
    with store.reading() as tx:
        assert tx.meetings.edits_of(tx.meetings.load(lesson).event_ids) == [early, late]
        assert tx.meetings.edits_of([]) == []


def test_an_edit_of_a_series_is_about_all_its_occurrences(store: SqlStore) -> None:
    """One of an instance is about that one."""
    first, second = an_instance(0), an_instance(1440)
    one, two = keep(store, first, second)
    judge(store)
    save(store, an_edit("series"))
    assert sorted(due(store)) == [one, two]
    judge(store)
    save(store, an_edit(second.event_id, key="one"))
    assert due(store) == [two]
    assert load(store, one).event_ids == {"series", first.event_id}


def test_hostile_rows_are_kept_and_found(store: SqlStore) -> None:
    """Ids of a megabyte, with NUL or lone surrogates, from events that have them too."""
    texts = ("x" * 1_000_000, "nul\0", "\udcff")
    for number, text in enumerate(texts):
        keep(store, a_copy(text, ical_uid=f"{number}@google.com", meeting_code=None))
        assert save(store, an_edit(text, key=text)) == 1
        assert save(store, an_edit(text, key=text)) == 0
    for meeting_id in due(store):
        with store.reading() as tx:
            assert len(tx.meetings.edits_of(tx.meetings.load(meeting_id).event_ids)) == 1
    assert len(due(store)) == len(texts)


def test_old_edits_are_forgotten(store: SqlStore) -> None:
    """Those written before the instant."""
    keep(store, a_copy())
    save(store, an_edit(key="a", minutes=-90), an_edit(key="b", minutes=-60))
    with store.transaction() as tx:
        assert tx.meetings.prune_edits(at(-60)) == 1
        assert [edit.key for edit in tx.meetings.edits_of(["event"])] == ["b"]
