"""Who came onto a guest list, between which readings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meetbot.domain.guest_list import (
    Edit,
    Editor,
    Entry,
    GuestList,
    can_invite,
    edits_for,
    entries_of,
    guest_list_after,
)
from meetbot.domain.meetings import KeptGuest, Meeting
from tests.builders import a_guest, at
from tests.dossiers import a_meeting

ANN, BOB, EVE = a_guest("ann"), a_guest("bob"), a_guest("eve")


def listing(*guests: KeptGuest, **changes: Any) -> Meeting:
    """A meeting with these guests and nobody else."""
    return a_meeting((), guests=guests, **changes)


def test_entries_are_people_and_groups_but_neither_rooms_nor_the_organizer() -> None:
    """A group is one entry, whoever belongs to it."""
    meeting = listing(
        ANN,
        replace(BOB, via_group="class 5b"),
        replace(EVE, via_group="class 5b"),
        a_guest("room", is_resource=True),
        a_guest("host", is_organizer=True),
        a_guest("host too"),
        organizer=a_guest("host too"),
    )

    assert entries_of(meeting) == {"ann", "class 5b"}
    assert entries_of(replace(meeting, organizer=None)) == {"ann", "class 5b", "host too"}


def test_who_was_there_at_the_first_reading_came_before_anybody_looked() -> None:
    """When is not known, and the setting is the one read then."""
    assert guest_list_after(listing(BOB, ANN), None, at(0)) == GuestList(
        at(0), False, (Entry("ann", at(0), None, False), Entry("bob", at(0), None, False))
    )


def test_who_is_new_came_between_two_readings() -> None:
    """Who was known keeps what was told of them, who is gone is forgotten."""
    before = guest_list_after(listing(ANN, BOB), None, at(0))

    after = guest_list_after(listing(ANN, EVE), before, at(10))

    assert after == GuestList(
        at(10), False, (Entry("ann", at(0), None, False), Entry("eve", at(10), at(0), False))
    )
    assert guest_list_after(listing(ANN, EVE), after, at(20)) == replace(after, read_at=at(20))


@pytest.mark.parametrize(
    ("before", "now", "could"),
    [
        (True, False, True),
        (False, True, True),
        (True, None, True),
        (None, True, True),
        (False, False, False),
        (False, None, None),
        (None, False, None),
        (None, None, None),
    ],
)
def test_guests_could_invite_if_they_could_before_or_after(
    before: bool | None, now: bool | None, could: bool | None
) -> None:
    """The setting may have been changed together with the list; unknown is not no."""

    def read(setting: bool | None, *guests: KeptGuest) -> Meeting:
        known = setting is not None
        return listing(*guests, guests_can_invite=bool(setting), are_settings_known=known)

    first = guest_list_after(read(before, ANN), None, at(0))
    second = guest_list_after(read(now, ANN, BOB), first, at(10))

    assert second is not None
    assert second.could_invite is now
    assert [entry.could_invite for entry in second.entries] == [before, could]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"guests_can_invite": True}, True),
        ({"guests_can_modify": True}, True),
        ({}, False),
        ({"guests_can_invite": True, "are_settings_known": False}, None),
    ],
)
def test_who_may_change_an_event_may_add_people(
    settings: dict[str, bool], expected: bool | None
) -> None:
    """Of settings that nobody could read nothing is said."""
    assert can_invite(listing(ANN, **settings)) is expected


@pytest.mark.parametrize(
    "partial",
    [
        {"is_guest_list_complete": False},
        {"is_guest_list_complete": False, "unexpanded_groups": 1, "are_settings_known": False},
        {"are_guests_kept": False},
        {"is_cancelled": True},
    ],
)
def test_a_list_that_does_not_show_everybody_changes_nothing(partial: dict[str, Any]) -> None:
    """Whoever it leaves out would look like an addition at the next reading."""
    before = guest_list_after(listing(ANN), None, at(0))

    assert guest_list_after(listing(ANN, BOB, **partial), before, at(10)) == before
    assert guest_list_after(listing(ANN, BOB, **partial), None, at(10)) is None


def test_a_list_whose_groups_alone_are_closed_is_whole() -> None:
    """A group is one entry anyhow."""
    meeting = listing(ANN, is_guest_list_complete=False, unexpanded_groups=1)

    after = guest_list_after(meeting, None, at(0))

    assert after is not None
    assert [entry.key for entry in after.entries] == ["ann"]


def test_edits_are_told_by_the_entry_they_name() -> None:
    """Oldest first."""
    late, early = Edit(at(9), Editor.STAFF, "ann"), Edit(at(1), Editor.OUTSIDER, "ann")

    found = edits_for(
        "ann", [late, Edit(at(2), Editor.STAFF, "bob"), early, Edit(at(3), Editor.OTHER)]
    )

    assert found == [early, late]
