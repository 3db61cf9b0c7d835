"""Whether a meeting is for students, as far as is known."""

from __future__ import annotations

from meetbot.domain.findings import Evidence
from meetbot.domain.people import Confidence, Kind
from meetbot.rules.audience import has_students, unknown_guests
from meetbot.rules.rule import Unsure
from tests.dossiers import HOST, PARTNER, a_student, an_invitee, held, partner, staff, students


def test_students_are_invited_or_were_there() -> None:
    """Directly, through a group, or in the call; staff and partner alone are none."""
    adults = held(staff((0, 45)), partner((0, 45)), invitees=(HOST, PARTNER))

    assert not has_students(adults)
    assert has_students(held(staff((0, 45)), invitees=(HOST, a_student(1, via_group="g"))))
    assert has_students(held(staff((0, 45)), *students((0, 45)), invitees=(HOST, PARTNER)))


def test_a_guest_who_was_not_looked_up_may_be_a_student() -> None:
    """The directory is what is missing; without such a guest there is no doubt."""
    unknown = an_invitee(Kind.UNKNOWN, "x@district.example", confidence=Confidence.NONE)

    assert unknown_guests(held(invitees=(HOST, PARTNER))) is None
    assert unknown_guests(held(invitees=(HOST, unknown))) == Unsure(
        "the directory could not be asked about a guest", frozenset({Evidence.DIRECTORY})
    )
