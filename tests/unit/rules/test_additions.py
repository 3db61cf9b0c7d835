"""Who is known to have added a guest, and when the audit log can be expected to tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meetbot.domain.dossier import Dossier, Host
from meetbot.domain.findings import Evidence
from meetbot.domain.guest_list import Edit, Editor, Entry, GuestList
from meetbot.domain.people import Kind
from meetbot.rules.additions import Addition, Cause, additions, explained_at, log_doubt
from tests.dossiers import CLASS, HOST, PARTNER, a_dossier, adhoc, an_invitee, at, without

EVE = an_invitee(Kind.EXTERNAL, "eve@elsewhere.example")
EVES = EVE.guest.address_key
ABSENT, SEEN = -300, -240
"""Minutes from the start between which Eve came onto the list."""


def added(**changes: Any) -> Dossier:
    """Eve came onto the list; the log was read when it held every row about that."""
    entries = tuple(Entry(i.guest.address_key, at(-9000)) for i in (PARTNER, *CLASS))
    eve = Entry(EVES, at(SEEN), at(ABSENT), could_invite=True)
    facts: dict[str, Any] = {
        "guest_list": GuestList(at(SEEN), True, (*entries, eve)),
        "edits_read_at": at(SEEN + 180),
        "as_of": at(SEEN + 180),
    }
    return a_dossier((HOST, PARTNER, *CLASS, EVE), **(facts | changes))


def named(by: Editor, minutes: float) -> Edit:
    """A row of the log that names Eve."""
    return Edit(at(minutes), by, EVES, "northstar" if by is Editor.OUTSIDER else None)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ((), [Addition(at(SEEN), Cause.UNKNOWN)]),
        (
            (named(Editor.OUTSIDER, SEEN - 10),),
            [Addition(at(SEEN - 10), Cause.OUTSIDER, "northstar")],
        ),
        ((named(Editor.UNKNOWN, SEEN - 10),), [Addition(at(SEEN - 10), Cause.UNKNOWN)]),
        ((named(Editor.STAFF, SEEN - 10),), []),
        ((named(Editor.STAFF, ABSENT - 5),), []),
        ((named(Editor.STAFF, ABSENT - 6),), [Addition(at(SEEN), Cause.UNKNOWN)]),
        ((named(Editor.STAFF, ABSENT - 4),), []),
        ((Edit(at(ABSENT - 5), Editor.STAFF),), []),
        ((Edit(at(ABSENT - 6), Editor.STAFF),), [Addition(at(SEEN), Cause.UNKNOWN)]),
        ((Edit(at(SEEN - 10), Editor.OUTSIDER),), [Addition(at(SEEN), Cause.UNKNOWN)]),
    ],
    ids=[
        "nobody",
        "outsider",
        "nameless",
        "staff",
        "clocks that differ",
        "an earlier stay",
        "just before",
        "staff changed the event",
        "staff changed it before",
        "an outsider changed it",
    ],
)
def test_who_added_a_guest(edits: tuple[Edit, ...], expected: list[Addition]) -> None:
    """As the log's last row about the guest says, or an edit by staff in the time of coming."""
    assert list(additions(added(edits=edits))) == expected


def test_the_first_guests_of_an_outsiders_meeting_are_no_additions() -> None:
    """Only where an outsider organizes it, and only those who were there from the first."""
    edits = (named(Editor.OUTSIDER, SEEN - 10),)
    whole = added(edits=edits)
    assert whole.guest_list is not None
    there = replace(whole.guest_list.entries[-1], absent_at=None)
    first = replace(whole, guest_list=replace(whole.guest_list, entries=(there,)))
    unlisted = replace(whole, guest_list=None)
    told = [Addition(at(SEEN - 10), Cause.OUTSIDER, "northstar")]

    for dossier in (first, unlisted):
        assert list(additions(dossier)) == told
        assert list(additions(replace(dossier, host=Host(PARTNER)))) == []
        assert list(additions(replace(dossier, host=Host(EVE)))) == []
        assert list(additions(replace(dossier, host=Host(None)))) == told
    assert list(additions(replace(whole, host=Host(PARTNER)))) == told


def test_what_was_added_up_to_the_approval_was_approved() -> None:
    """To the instant; of a call without an event nothing was ever added."""
    for minutes, expected in ((SEEN - 1, 1), (SEEN, 0)):
        assert len(list(additions(added(), at(minutes)))) == expected
    assert list(additions(adhoc(edits=(named(Editor.OUTSIDER, -10),)))) == []


@pytest.mark.parametrize(
    ("read_at", "as_of", "expected"),
    [
        (SEEN, SEEN, SEEN + 180),
        (SEEN + 179, SEEN + 179, SEEN + 209),
        (SEEN + 149, SEEN + 149, SEEN + 180),
        (SEEN, SEEN + 1000, SEEN + 1030),
        (None, SEEN, SEEN + 180),
        (SEEN + 180, SEEN + 180, None),
    ],
    ids=["at once", "nearly", "in time", "long ago", "never read", "told"],
)
def test_when_the_log_can_tell(read_at: float | None, as_of: float, expected: float | None) -> None:
    """Three hours after the guest was seen; half an hour from now where that is over."""
    dossier = added(edits_read_at=None if read_at is None else at(read_at), as_of=at(as_of))

    assert explained_at(dossier) == (None if expected is None else at(expected))


def test_the_first_guest_who_waits_decides_when_to_look() -> None:
    """One who came later is looked at when the log is read for them."""
    dossier = added(edits_read_at=at(SEEN), as_of=at(SEEN))
    assert dossier.guest_list is not None
    *others, eve = dossier.guest_list.entries
    mallory = an_invitee(Kind.EXTERNAL, "mallory@elsewhere.example")
    late = replace(eve, key=mallory.guest.address_key, seen_at=at(SEEN + 60), absent_at=at(SEEN))
    entries = (*others, late, eve)
    guests = (*dossier.invitees, mallory)
    both = replace(
        a_dossier(guests, edits_read_at=at(SEEN), as_of=at(SEEN + 60)),
        guest_list=replace(dossier.guest_list, entries=entries),
    )

    assert explained_at(both) == at(SEEN + 180)


@pytest.mark.parametrize(
    ("is_read", "sentence"),
    [
        (True, "the audit log of calendars may still lack who added a guest"),
        (False, "who added a guest is not known: the audit log of calendars cannot be read"),
    ],
)
def test_why_the_log_cannot_tell_is_said(is_read: bool, sentence: str) -> None:
    """Late, or not readable at all."""
    evidence = without() if is_read else without(Evidence.EDITS)

    assert log_doubt(added(evidence=evidence)) == sentence
