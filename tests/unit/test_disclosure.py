"""Student data that an outsider could see: what was seen once stays told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from meetbot.domain.disclosure import can_tell, disclosure_after, text_disclosure_after
from meetbot.domain.dossier import Invitee
from meetbot.domain.invitation import MarkKind, StudentMark, TextField, TextSearch
from meetbot.domain.meetings import Disclosure, TextDisclosure
from meetbot.domain.people import Kind
from tests.dossiers import CLASS, HOST, PARTNER, STRANGER, a_meeting, a_student, an_invitee, at

EVERYBODY = (HOST, PARTNER, *CLASS)
SHOWN: dict[str, Any] = {"guests_can_see_others": True}
NAME, OTHER_NAME = (StudentMark(TextField.TITLE, MarkKind.NAME, at, 5) for at in (0, 9))
ID = StudentMark(TextField.DESCRIPTION, MarkKind.ID, 3, 7)
NUMBER = StudentMark(TextField.DESCRIPTION, MarkKind.NUMBER, 3, 5)


def seen(
    people: Sequence[Invitee] = EVERYBODY,
    previous: Disclosure | None = None,
    minutes: float = 0,
    **event: Any,
) -> Disclosure | None:
    """What was visible up to so many minutes."""
    return disclosure_after(a_meeting(people, **event), people, previous, at(minutes))


FIRST = Disclosure(at(0), None, 2, False, ("northstar",))


# --- Guest lists --------------------------------------------------------------------------------


def test_a_shown_guest_list_discloses_its_students_to_every_outsider() -> None:
    """Partners by their id, strangers by domain; staff and exempt people see no secret."""
    exempt = an_invitee(Kind.EXEMPT, "mum@home.example")

    assert seen(**SHOWN) == FIRST
    assert seen((HOST, STRANGER, PARTNER, exempt, *CLASS), **SHOWN) == replace(
        FIRST, seen_by=("elsewhere.example", "northstar")
    )


@pytest.mark.parametrize(
    ("people", "event"),
    [
        (EVERYBODY, {}),
        ((HOST, *CLASS), SHOWN),
        ((HOST, PARTNER), SHOWN),
        (EVERYBODY, {**SHOWN, "is_cancelled": True}),
    ],
)
def test_what_nobody_could_see_is_not_disclosed(
    people: tuple[Invitee, ...], event: dict[str, Any]
) -> None:
    """A hidden list, no outsider, no student, or a meeting that was called off."""
    assert seen(people, **event) is None
    assert seen(people, FIRST, 9, **event) == replace(FIRST, visible_until=at(9))
    over = replace(FIRST, visible_until=at(5))
    assert seen(people, over, 9, **event) == over


def test_disclosures_only_grow() -> None:
    """From the first sight on; the most students at once; open again when it is shown again."""
    over = Disclosure(at(0), at(5), 1, True, ("elsewhere.example",))

    assert seen(previous=over, minutes=9, **SHOWN) == Disclosure(
        at(0), None, 2, False, ("elsewhere.example", "northstar")
    )
    grouped = tuple(a_student(n, via_group="class") for n in range(3))
    assert seen((HOST, PARTNER, *grouped), over, 9, **SHOWN) == Disclosure(
        at(0), None, 3, True, ("elsewhere.example", "northstar")
    )
    many = replace(FIRST, students=30)
    assert seen(previous=many, minutes=9, **SHOWN) == many
    assert seen((HOST, PARTNER, *grouped), FIRST, 9, **SHOWN) == replace(FIRST, students=3)


@pytest.mark.parametrize(
    ("is_read", "is_whole", "organizer", "expected"),
    [
        (True, False, HOST, True),
        (False, True, HOST, True),
        (False, False, PARTNER, True),
        (False, False, STRANGER, True),
        (False, False, HOST, False),
        (False, False, None, False),
    ],
)
def test_whether_guests_see_one_another_is_told_by_settings_copies_or_the_organizer(
    is_read: bool, is_whole: bool, organizer: Invitee | None, expected: bool
) -> None:
    """Where nobody can tell, what is known stays as it is."""
    people = (*EVERYBODY, STRANGER)
    event: dict[str, Any] = {
        "are_settings_known": is_read,
        "is_guest_list_complete": is_whole,
        "organizer": organizer.guest if organizer else None,
    }

    assert can_tell(a_meeting(people, **event), people) is expected
    if not expected:
        assert seen(people, FIRST, 9, **event) == FIRST


def test_whoever_organizes_or_may_change_an_event_sees_its_guests() -> None:
    """Also where the list is hidden from the others."""
    assert seen(organizer=PARTNER.guest) == FIRST
    assert seen(guests_can_modify=True) == FIRST


# --- Texts --------------------------------------------------------------------------------------


def read(
    *marks: StudentMark,
    previous: TextDisclosure | None = None,
    people: Sequence[Invitee] = EVERYBODY,
    is_complete: bool = True,
    **event: Any,
) -> TextDisclosure | None:
    """What was readable up to nine minutes."""
    search = TextSearch(marks, is_complete)
    meeting = a_meeting(people, **({"search": search} | event))
    return text_disclosure_after(meeting, people, previous, at(9))


BEFORE = TextDisclosure(at(0), None, (ID,))


@pytest.mark.parametrize(
    ("marks", "telling"),
    [
        ((ID,), (ID,)),
        ((NUMBER,), (NUMBER,)),
        ((NAME,), ()),
        ((NAME, OTHER_NAME), (NAME, OTHER_NAME)),
        ((NAME, ID), (ID,)),
    ],
)
def test_one_name_alone_may_be_anybodys(
    marks: tuple[StudentMark, ...], telling: tuple[StudentMark, ...]
) -> None:
    """Catalogue §5B: an id or number, or two names at least."""
    assert read(*marks) == (TextDisclosure(at(9), None, telling) if telling else None)


def test_the_larger_find_stays_and_the_newest_place_is_told() -> None:
    """A sure mark counts for more than many that are not; from the first sight on."""
    names = TextDisclosure(at(0), None, (NAME, OTHER_NAME))
    moved = replace(ID, offset=40)
    ended = replace(BEFORE, readable_until=at(5))

    assert read(ID, previous=names) == TextDisclosure(at(0), None, (ID,))
    assert read(NAME, OTHER_NAME, previous=BEFORE) == BEFORE
    assert read(moved, previous=BEFORE) == TextDisclosure(at(0), None, (moved,))
    assert read(moved, previous=ended) == TextDisclosure(at(0), None, (moved,))
    assert read(NUMBER, previous=names) == names


def test_what_was_removed_was_readable_until_somebody_looked() -> None:
    """Only a full search ends it, or that no outsider is left to read it."""
    gone = replace(BEFORE, readable_until=at(9))

    assert read(previous=BEFORE) == gone
    assert read(previous=BEFORE, is_complete=False) == BEFORE
    assert read(previous=BEFORE, search=None) == BEFORE
    assert read(ID, previous=BEFORE, people=(HOST, *CLASS)) == gone
    assert read(ID, previous=BEFORE, is_cancelled=True) == gone
    assert read(previous=BEFORE, people=(HOST,), search=None) == gone
    earlier = replace(BEFORE, readable_until=at(5))
    assert read(previous=earlier) == earlier
    assert read() is None
    assert read(ID, people=(HOST, *CLASS)) is None
