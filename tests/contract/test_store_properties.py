"""Whatever calendars go through, reading change by change ends where reading whole does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from meetbot.domain.meetings import KeptCopy, OccurrenceKey, Scope
from meetbot.ports import CopyChanges, Judged
from meetbot.store import SqlStore, open_store
from meetbot.store.tables import copies as copies_table
from tests.builders import T0, a_copy, a_guest, a_read, a_tombstone, an_instance

CALENDARS = ("ann@district.example", "bob@district.example")


@st.composite
def copies(draw: st.DrawFn) -> KeptCopy:
    """A copy of one of two events, which are single or series by turns, on one of two calendars."""
    name = draw(st.sampled_from(["lesson", "club"]))
    start = draw(st.sampled_from([0, 3 * 1440]))  # too far apart to claim one call
    is_single = draw(st.booleans())
    copy = a_copy(name, start=start) if is_single else an_instance(start, series=name)
    moved = timedelta(minutes=draw(st.sampled_from([0, 30])))
    return replace(
        copy,
        calendar=draw(st.sampled_from(CALENDARS)),
        ical_uid=f"{name}@google.com",
        start_at=copy.start_at + moved,
        end_at=copy.end_at + moved,
        guests=tuple(map(a_guest, draw(st.sets(st.sampled_from("xy"))))),
        meeting_code=draw(st.sampled_from([name, None])),
    )


@dataclass
class World:
    """Two calendars as Google has them: live copies by calendar and event id."""

    live: dict[tuple[str, str], KeptCopy] = field(default_factory=dict)

    def put(self, copy: KeptCopy) -> CopyChanges:
        """Make or change an event; an id is that of a single event or of a series."""
        self.live = {
            key: other
            for key, other in self.live.items()
            if other.calendar != copy.calendar
            or (
                copy.event_id != other.recurring_event_id
                and copy.recurring_event_id != other.event_id
            )
        }
        self.live[copy.calendar, copy.event_id] = copy
        return a_read(copy, calendar=copy.calendar)

    def delete(self, copy: KeptCopy) -> CopyChanges:
        """Delete an event, or nothing."""
        return self._delete(copy.calendar, copy.event_id)

    def delete_series(self, copy: KeptCopy) -> CopyChanges:
        """Delete what has the uid's name as id: a series with all its instances, or an event."""
        return self._delete(copy.calendar, copy.ical_uid.partition("@")[0])

    def _delete(self, calendar: str, event_id: str) -> CopyChanges:
        self.live = {
            key: other
            for key, other in self.live.items()
            if other.calendar != calendar
            or event_id not in (other.event_id, other.recurring_event_id)
        }
        tombstone = replace(a_tombstone(event_id), calendar=calendar)
        return a_read(calendar=calendar, gone=(tombstone,))

    def drop(self, copy: KeptCopy) -> CopyChanges:
        """Change an event so that it leaves the scope."""
        self.live.pop((copy.calendar, copy.event_id), None)
        return a_read(calendar=copy.calendar, dropped=(copy.event_id,))

    def whole(self, calendar: str) -> CopyChanges:
        """A full read of one calendar."""
        found = [copy for copy in self.live.values() if copy.calendar == calendar]
        return a_read(*found, calendar=calendar, is_full=True)


STEPS = {
    "put": World.put,
    "delete": World.delete,
    "series": World.delete_series,
    "drop": World.drop,
}


@contextmanager
def a_store() -> Iterator[SqlStore]:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(open_store(f"sqlite:///{folder}/meetbot.db")) as store,
    ):
        yield store


def apply(store: SqlStore, changes: CopyChanges) -> int:
    with store.transaction() as tx:
        return tx.meetings.apply(changes, as_of=T0)


def judge(store: SqlStore) -> int:
    """Judge all that is due; gives how many."""
    with store.transaction() as tx:
        due = tx.meetings.due(T0, 100)
        for meeting_id in due:
            version = tx.meetings.load(meeting_id).version
            tx.meetings.judged([Judged(meeting_id, version, Scope.FULL)], as_of=T0)
    return len(due)


def stored(store: SqlStore) -> dict[tuple[str, str], KeptCopy]:
    """Live copies as the store has them."""
    with store._engine.connect() as connection:
        found = connection.execute(select(copies_table.c.copy)).scalars()
        return {(c.calendar, c.event_id): c for c in found if not c.is_cancelled}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), copies()), max_size=12))
def test_changes_add_up(steps: list[tuple[str, KeptCopy]]) -> None:
    """After every change the store holds what Google does, and exactly the changed are due."""
    world = World()
    with a_store() as store:
        for name, copy in steps:
            changes = STEPS[name](world, copy)
            assert apply(store, changes) == judge(store)
            assert apply(store, changes) == judge(store) == 0
            assert stored(store) == world.live

        for calendar in CALENDARS:
            assert apply(store, world.whole(calendar)) == 0
        for kept in world.live.values():
            if kept.is_recurring:
                with store.reading() as tx:
                    key = OccurrenceKey(kept.ical_uid, kept.original_start_at)
                    assert tx.meetings.find(key) is not None


@settings(max_examples=25, deadline=None)
@given(
    st.lists(copies(), max_size=8),
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), copies()), max_size=8),
)
def test_a_full_read_repairs_whatever_was_missed(
    before: list[KeptCopy], missed: list[tuple[str, KeptCopy]]
) -> None:
    """Changes that were never read show in the next full read."""
    world = World()
    with a_store() as store:
        for copy in before:
            apply(store, world.put(copy))
        for name, copy in missed:
            STEPS[name](world, copy)
        judge(store)
        changed = sum(apply(store, world.whole(calendar)) for calendar in CALENDARS)

        assert stored(store) == world.live
        assert judge(store) <= changed
