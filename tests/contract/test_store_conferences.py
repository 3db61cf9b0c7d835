"""Calls and visits: read again and again, kept once, in whatever order they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from meetbot.domain.attendance import Conference, Identity, IdentityForm, Source, Visit
from meetbot.ports import HeldConference
from meetbot.store import SqlStore
from tests.builders import CODE, T0, a_conference, a_visit, at

AUDIT: dict[str, Any] = {"conference": "audit/1", "source": Source.AUDIT}


def save(
    store: SqlStore, conferences: Sequence[Conference], visits: Sequence[Visit[Identity]] = ()
) -> frozenset[str]:
    with store.transaction() as tx:
        saved = tx.conferences.save(conferences, visits, as_of=T0)
    return frozenset(one.conference.name for one in saved)


def held(store: SqlStore, start: float = -60, end: float = 120) -> tuple[HeldConference, ...]:
    with store.reading() as tx:
        return tx.conferences.held(CODE, at(start), at(end))


def only(store: SqlStore) -> HeldConference:
    (found,) = held(store)
    return found


def test_what_was_saved_comes_back(store: SqlStore) -> None:
    """Conference, visits in order of start, identities with every field."""
    identity = Identity(
        IdentityForm.MASKED,
        id_key="i",
        address_key="a",
        address="bo@partner.example",
        domain="partner.example",
        masked="b***@p***.example",
        name_key="n",
        name_tokens=("t1", "t2"),
        is_external=True,
        in_directory=False,
    )
    visits = (
        a_visit("ann", 0, 30.001),
        a_visit("bo", 5, None, identity=identity, last_seen_at=at(7)),
    )
    conference = a_conference(end=None)

    assert save(store, [conference], visits[::-1]) == {conference.name}
    assert only(store) == HeldConference(conference, visits)


def test_the_same_reading_again_changes_nothing(store: SqlStore) -> None:
    """Rows known already are neither doubled nor news."""
    rows = [a_visit("ann"), a_visit("bo")]
    save(store, [a_conference()], rows)
    before = held(store)

    assert save(store, [a_conference()], rows) == frozenset()
    assert held(store) == before


def test_only_changed_conferences_are_named(store: SqlStore) -> None:
    """One new visit is news for its conference only."""
    both = [a_conference("one"), a_conference("two")]
    save(store, both, [a_visit("ann", conference="one"), a_visit("ann", conference="two")])

    assert save(store, both, [a_visit("bo", conference="two")]) == {"two"}


def test_a_row_with_another_end_updates(store: SqlStore) -> None:
    """A visit that was open gets its end."""
    save(store, [a_conference(end=None)], [a_visit(end=None)])

    assert save(store, [a_conference()], [a_visit()]) == {"conferenceRecords/1"}
    assert only(store) == HeldConference(a_conference(), (a_visit(),))


def test_an_ended_conference_stays_ended(store: SqlStore) -> None:
    """An answer from before the end does not open it again, nor erase what it lacks."""
    full = Conference(
        "conferenceRecords/1", Source.MEET, CODE, at(0), at(45), "spaces/1", "ann", "event"
    )
    save(store, [full])
    bare = Conference("conferenceRecords/1", Source.MEET, None, at(0), None)

    assert save(store, [bare]) == frozenset()
    assert only(store).conference == full


def test_last_seen_only_grows(store: SqlStore) -> None:
    """An answer that comes late does not turn time back."""
    for minute in (10, 20, 15):
        save(store, [a_conference(end=None)], [a_visit(end=None, key="v", last_seen_at=at(minute))])

    assert only(store).visits[0].last_seen_at == at(20)


def test_an_audit_conference_spans_its_rows(store: SqlStore) -> None:
    """Late rows widen it on both sides; it never shrinks."""
    name = "audit/1"
    first = a_conference(name, 20, 30, source=Source.AUDIT)
    save(store, [first], [a_visit("ann", 20, 30, **AUDIT)])
    earlier = a_conference(name, 5, 25, source=Source.AUDIT)
    save(store, [earlier], [a_visit("bo", 5, 25, **AUDIT), a_visit("cy", 10, 50, **AUDIT)])

    assert only(store).conference == a_conference(name, 5, 50, source=Source.AUDIT)
    assert len(only(store).visits) == 3


def test_meet_corrects_its_times(store: SqlStore) -> None:
    """A Meet conference has the times of its newest reading, not a hull."""
    save(store, [a_conference(start=0, end=45)])
    save(store, [a_conference(start=1, end=44)])

    assert only(store).conference == a_conference(start=1, end=44)


def test_sessions_take_the_place_of_the_hull(store: SqlStore) -> None:
    """Of that participant only, and the change is news."""
    hulls = [
        a_visit("ann", 0, 45, key="ann#hull", is_hull=True),
        a_visit("bo", 0, 45, key="bo#hull", is_hull=True),
    ]
    save(store, [a_conference()], hulls)
    sessions = [a_visit("ann", 0, 10), a_visit("ann", 30, 45)]

    assert save(store, [a_conference()], sessions) == {"conferenceRecords/1"}
    assert set(only(store).visits) == {*sessions, hulls[1]}


def test_a_hull_never_covers_known_sessions(store: SqlStore) -> None:
    """It would hide the gaps between them, whether it comes later or together with them."""
    hull = a_visit("ann", 0, 45, key="ann#hull", is_hull=True)
    sessions = (a_visit("ann", 0, 10), a_visit("ann", 30, 45))
    save(store, [a_conference()], [hull, *sessions])
    assert only(store).visits == sessions

    assert save(store, [a_conference()], [hull]) == frozenset()
    assert only(store).visits == sessions


def test_a_hull_follows_its_participant(store: SqlStore) -> None:
    """Somebody who came back is open again: a hull's end may vanish."""
    save(store, [a_conference(end=None)], [a_visit("ann", 0, 10, key="ann#hull", is_hull=True)])
    back = a_visit("ann", 0, None, key="ann#hull", is_hull=True, last_seen_at=at(20))
    save(store, [a_conference(end=None)], [back])

    assert only(store).visits == (back,)


def test_both_sources_are_found_by_code(store: SqlStore) -> None:
    """However the code is written."""
    save(
        store,
        [
            a_conference(code="ABC-defg-HIJ"),
            a_conference("audit/1", source=Source.AUDIT),
            a_conference("other", code="xxxyyyyzzz"),
        ],
    )
    with store.reading() as tx:
        found = tx.conferences.held("abc-DEFG-hij", at(0), at(45))

    assert [h.conference.name for h in found] == ["audit/1", "conferenceRecords/1"]
    assert {h.conference.meeting_code for h in found} == {CODE}


@pytest.mark.parametrize(
    ("start", "end", "is_found"),
    [(-10, 0, False), (-10, 1, True), (44, 60, True), (45, 60, False), (10, 10, True)],
)
def test_held_by_time(store: SqlStore, start: float, end: float, is_found: bool) -> None:
    """Spans that only touch do not overlap."""
    save(store, [a_conference()])

    assert bool(held(store, start, end)) is is_found


def test_a_lost_end_does_not_last_for_ever(store: SqlStore) -> None:
    """A conference whose end was never read belongs to no occurrence a day later."""
    save(store, [a_conference(end=None)])

    assert held(store, 1439, 1500)
    assert not held(store, 1440, 1500)


def test_a_visit_without_a_code_is_kept(store: SqlStore) -> None:
    """A call of which the log names no code is kept and found by its name."""
    conference = a_conference("audit/1", source=Source.AUDIT, code=None)
    visit = a_visit(**AUDIT)
    save(store, [conference], [visit])

    with store.reading() as tx:
        assert tx.conferences.named(["audit/1", "unknown"]) == (
            HeldConference(conference, (visit,)),
        )
    assert held(store) == ()


def test_a_visit_before_its_conference_is_kept(store: SqlStore) -> None:
    """A visit of a conference nobody read yet makes one of its span, which reading corrects."""
    visit = a_visit("ann", 3, 20)

    assert save(store, [], [visit]) == {visit.conference}
    with store.reading() as tx:
        (found,) = tx.conferences.named([visit.conference])
    assert found == HeldConference(a_conference(start=3, end=20, code=None), (visit,))

    save(store, [a_conference()])
    assert only(store) == HeldConference(a_conference(), (visit,))
    assert save(store, [], [visit]) == frozenset()


def test_two_readings_of_one_visit_in_one_answer(store: SqlStore) -> None:
    """The later in order counts; one row remains."""
    save(store, [a_conference()], [a_visit(end=None, key="v"), a_visit(end=30, key="v")])

    assert only(store).visits == (a_visit(end=30, key="v"),)


def test_keys_of_both_sources_are_apart(store: SqlStore) -> None:
    """The same key in the other source is another visit."""
    save(store, [a_conference()], [a_visit(key="v")])
    audit = a_conference("audit/1", source=Source.AUDIT)
    save(store, [audit], [a_visit(key="v", **AUDIT)])

    assert sum(len(h.visits) for h in held(store)) == 2


def test_hostile_names_are_kept(store: SqlStore) -> None:
    """NUL and lone surrogates in what participants choose harm nothing."""
    identity = Identity(IdentityForm.ANONYMOUS, masked="\ud800\0é", name_tokens=("\udfff",))
    visits = [a_visit(key="k\0\ud800", identity=identity)]

    save(store, [a_conference()], visits)
    assert save(store, [a_conference()], visits) == frozenset()
    assert only(store).visits[0].identity.form is IdentityForm.ANONYMOUS


def test_more_rows_than_a_statement_takes(store: SqlStore) -> None:
    """Thousands of visits in one call are saved, and compared when they come again."""
    conferences = [a_conference(f"c{n}") for n in range(1500)]
    visits = [a_visit("ann", n, n + 1, conference=f"c{n % 1500}") for n in range(3000)]

    assert len(save(store, conferences, visits)) == 1500
    assert save(store, conferences, visits) == frozenset()
    assert sum(len(h.visits) for h in held(store)) == 3000


def test_calls_that_concern_no_partner_are_told_apart(store: SqlStore) -> None:
    """Of two old calls the one whose code belongs to an occurrence in scope is related."""
    for name, code in [("lesson", "aaabbbbccc"), ("partner", "dddeeeefff")]:
        save(store, [replace(a_conference(name, 0, 45), meeting_code=code)], [])
    with store.transaction() as tx:
        tx.meetings.ensure_adhoc("dddeeeefff", at(0), as_of=at(50))
        assert tx.conferences.unrelated(before=at(60)) == ["lesson"]
        assert tx.conferences.unrelated(before=at(45)) == []


def test_old_calls_are_forgotten_with_their_visits(store: SqlStore) -> None:
    """What ended before is old; without an end its start decides; what went is told in numbers."""
    for name, start, end in [("old", 0, 45), ("new", 0, 46), ("lost", 0, None), ("later", 46, 50)]:
        save(store, [a_conference(name, start, end)], [a_visit(conference=name)])
    with store.transaction() as tx:
        old = {conference.name for conference in tx.conferences.ended(before=at(46))}
        assert old == {"old", "lost"}
        gone = tx.conferences.forget(old | {"none"})
        assert {(conference.name, number) for conference, number in gone} == {
            ("old", 1),
            ("lost", 1),
        }
        left = tx.conferences.named(["old", "new", "lost", "later"])
        assert [h.conference.name for h in left] == ["new", "later"]
        assert all(len(h.visits) == 1 for h in left)
        assert tx.conferences.id_keys() == {"id-ann"}
