"""Which row of the audit log is which participant of Meet: only where nobody else fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from meetbot.domain.attendance import Identity, IdentityForm, Visit
from meetbot.domain.doubles import Participant, join_doubles
from meetbot.domain.people import AccountKind
from tests.people import GUIDE, HOST, KEYS, TEACHER, an_account, in_audit, in_meet, key_of

ANONYMOUS, PHONE, MASKED = IdentityForm.ANONYMOUS, IdentityForm.PHONE, IdentityForm.MASKED
NAME, OTHER = "Grace Guide", "g@other.example"
Visits = list[Visit[Identity]]


def joined(meet: Sequence[Visits | Participant], rows: Sequence[Visits]) -> list[list[int]]:
    """For each participant of Meet the numbers of the rows that are theirs."""
    people = [p if isinstance(p, Participant) else Participant(p) for p in meet]
    found = [Participant(visits) for visits in rows]
    join_doubles([*people, *found])
    taken = [sorted(found.index(row) for row in person.rows) for person in people]
    assert [row.is_taken for row in found] == [any(n in t for t in taken) for n in range(len(rows))]
    return taken


def learned(visits: Visits, address: str) -> Participant:
    """Somebody whose address was told in an earlier call."""
    person = Participant(visits)
    person.address_key, person.address = key_of(address), address
    return person


# --- Known people -------------------------------------------------------------------------------


def test_a_learned_address_has_its_row_whenever_it_came() -> None:
    """The address alone decides; times and names need not fit."""
    person = learned(in_meet("g", (0, 45)), GUIDE)

    assert joined([person], [in_audit(OTHER, (0, 45)), in_audit(GUIDE, (60, 70))]) == [[1]]


def test_a_guest_account_has_the_row_of_its_outside_address() -> None:
    """The account's own address is in no row of the audit log."""
    person = learned(in_meet("g", (0, 45)), "guide_x@district.example")
    person.account = an_account("guide_x@district.example", AccountKind.GUEST)
    person.guest_key = key_of(GUIDE)

    assert joined([person], [in_audit(GUIDE, (60, 70)), in_audit(OTHER, (0, 45))]) == [[0]]


def test_a_row_without_address_is_not_that_of_somebody_with_an_account() -> None:
    """Staff are named by their account, so a nameless row is somebody else's."""
    person = Participant(in_meet(HOST, (0, 45)))
    person.account = TEACHER

    assert joined([person], [in_audit("x", (0, 45), form=ANONYMOUS)]) == [[]]


def test_a_person_keeps_the_address_that_was_known_first() -> None:
    """A row with another spelling of it changes nothing."""
    person, row = learned(in_meet("g", (0, 45)), GUIDE), Participant(in_audit(OTHER, (0, 45)))

    person.take(row)

    assert (person.address_key, person.address) == (key_of(GUIDE), GUIDE)


# --- By name ------------------------------------------------------------------------------------


def test_the_only_bearer_of_a_name_may_have_come_and_gone_at_other_times() -> None:
    """Times need only overlap where one address bears the name."""
    meet = in_meet("g", (0, 45), name=NAME, in_directory=None)

    assert joined([meet], [in_audit(GUIDE, (5, 30), name=NAME)]) == [[0]]
    assert joined([meet], [in_audit(GUIDE, (45, 50), name=NAME)]) == [[]]


@pytest.mark.parametrize(
    ("row", "is_joined"), [((10, 30), True), ((0, 0), False), ((-5, 0), False)]
)
def test_somebody_still_in_the_call_shares_time_with_every_later_row(
    row: tuple[float, float], is_joined: bool
) -> None:
    """Without an end a visit lasts as long as the row it is compared with."""
    meet = in_meet("g", (0, None), name=NAME, in_directory=None)

    assert joined([meet], [in_audit(GUIDE, row, name=NAME)]) == [[0] if is_joined else []]


def test_of_two_addresses_with_one_name_the_one_with_the_same_times_is_joined() -> None:
    """With it the devices that have no address, one for each session."""
    meet = in_meet("g", (0, 20), (5, 10), name=NAME, in_directory=None)
    rows = [
        in_audit(OTHER, (10, 20), name=NAME),
        in_audit("device", (5, 10), name=NAME, form=ANONYMOUS),
        in_audit(GUIDE, (0, 20), name=NAME),
    ]

    assert joined([meet], rows) == [[1, 2]]


def test_two_addresses_with_one_name_at_the_same_times_are_nobody() -> None:
    """Either may be the participant, so neither is; a device without address still is theirs."""
    meet = in_meet("g", (0, 20), name=NAME, in_directory=None)
    rows = [
        in_audit(GUIDE, (0, 20), name=NAME),
        in_audit(OTHER, (0, 20), name=NAME),
        in_audit("device", (1, 19), name=NAME, form=ANONYMOUS),
    ]

    assert joined([meet], rows) == [[2]]


def test_a_row_with_an_address_comes_before_an_earlier_one_without() -> None:
    """Of one session only one of two rows at once can be, and the address tells more."""
    meet = in_meet("g", (0, 45), name=NAME)
    rows = [
        in_audit("device", (0, 45), name=NAME, form=ANONYMOUS),
        in_audit(GUIDE, (1, 44), name=NAME),
    ]

    assert joined([meet], rows) == [[1]]


def test_rows_one_after_the_other_are_one_session_seen_twice() -> None:
    """They do not overlap, whichever is looked at first."""
    meet = in_meet("g", (0, 45), name=NAME)
    rows = [
        in_audit("device", (0, 20), name=NAME, form=ANONYMOUS),
        in_audit(GUIDE, (25, 45), name=NAME),
    ]

    assert joined([meet], rows) == [[0, 1]]


def test_two_anonymous_devices_at_once_are_two_people() -> None:
    """However often the participant of Meet came back."""
    meet = in_meet("m", (0, 20), (25, 45), name="Guest", form=ANONYMOUS)
    rows = [in_audit(f"a{n}", (n, 20), name="Guest", form=ANONYMOUS) for n in range(2)]

    assert joined([meet], rows) == [[0]]


# --- By times -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "is_joined"),
    [
        (2, 44, True),
        (0, 46, True),
        (4, 42, True),
        (-1 / 60, 44, False),
        (4 + 1 / 60, 44, False),
        (2, 46 + 1 / 60, False),
        (2, 42 - 1 / 60, False),
    ],
)
def test_two_minutes_are_the_same_time(start: float, end: float, is_joined: bool) -> None:
    """To the second, for joining and for leaving."""
    found = joined([in_meet("g", (2, 44))], [in_audit(GUIDE, (start, end))])

    assert found == [[0] if is_joined else []]


def test_who_is_still_in_is_compared_by_the_start() -> None:
    """Their row ended, as an endpoint does that reconnects."""
    assert joined([in_meet("g", (0, None))], [in_audit(GUIDE, (1, 20))]) == [[0]]


@pytest.mark.parametrize("names", [("", ""), (NAME, ""), ("", NAME), (NAME, "Grace")])
def test_names_that_one_source_does_not_give_speak_against_nobody(names: tuple[str, str]) -> None:
    """Nor do shorter forms of a name."""
    meet, row = in_meet("g", (0, 45), name=names[0]), in_audit(GUIDE, (0, 45), name=names[1])

    assert joined([meet], [row]) == [[0]]


def test_other_names_at_the_same_times_are_other_people() -> None:
    """Equal times prove nothing against a name."""
    row = in_audit(GUIDE, (0, 45), name="Robert Roe")

    assert joined([in_meet("g", (0, 45), name=NAME)], [row]) == [[]]


@pytest.mark.parametrize(("number", "expected"), [(49, [[0]]), (50, [[]])])
def test_in_a_crowd_times_tell_nobody_apart(number: int, expected: list[list[int]]) -> None:
    """Beside fifty others who came at once even the only fitting name is not joined."""
    letters = [a + b for a in "abcdefgh" for b in "abcdefgh"]
    crowd = [
        in_audit(f"{word}@x.example", (0, 45), name=f"Person {word * 2}")
        for word in letters[:number]
    ]
    meet, row = in_meet("g", (0, 45), name=NAME), in_audit(GUIDE, (0, 45), name="Grace")

    found = joined([meet], [row, *crowd])

    assert found == expected


def test_a_crowd_hides_nobody_who_came_later() -> None:
    """Who came before or with the crowd does not matter to them."""
    crowd = [in_audit(f"x{n}@x.example", (0, 45), name=f"Else {n}") for n in range(60)]
    late = in_audit(GUIDE, (60, 70))

    assert joined([in_meet("a", (0, 45)), in_meet("g", (60, 70))], [*crowd, late]) == [[], [60]]


def test_one_asked_session_is_enough_to_be_asked_about() -> None:
    """The directory knows the id or not, whichever session it was asked for."""
    first, second = in_meet("g", (0, 20), (25, 45), in_directory=None)
    asked = replace(first, identity=replace(first.identity, in_directory=False))

    assert joined([[asked, second]], [in_audit(GUIDE, (0, 45))]) == [[0]]
    assert joined([[first, second]], [in_audit(GUIDE, (0, 45))]) == [[]]


# --- People without account and name ------------------------------------------------------------


def phones(*spans: tuple[float, float]) -> list[Visits]:
    """Rows of phones, each with a number hidden in its own way."""
    return [in_audit(f"p{n}", span, name=f"+1 •••{n}", form=PHONE) for n, span in enumerate(spans)]


@pytest.mark.parametrize(
    ("meet", "rows", "taken"),
    [
        ((0, 45), [(0, 45)], [0]),  # however the numbers are shown
        ((0, 45), [(10, 40)], [0]),
        ((0, 45), [(0, 20), (25, 45)], [0, 1]),
        ((0, 45), [(5, 10), (12, 45), (1, 44)], [2]),
        ((0, 45), [(5, 10), (3, 30), (6, 20)], [1]),  # the longest, and no other beside it
        ((0, 45), [(5, 15), (6, 16)], [0]),  # of two that share as much, the earlier
        ((10, 45), [(0, 45)], []),  # came ten minutes before
        ((10, 45), [(7, 20), (8, 40)], [1]),
        ((0, 20), [(1, 45)], []),  # lies mostly outside
        ((0, 20), [(0, 40)], []),  # just half of it
        ((0, 20), [(0, 40 - 1 / 60)], [0]),
        ((0, 45), [(0, 45), (50, 60)], [0]),
    ],
)
def test_a_phone_has_the_rows_that_lie_mostly_within_it(
    meet: tuple[float, float], rows: list[tuple[float, float]], taken: list[int]
) -> None:
    """One with the same times first, else the one that shares most; then who came back."""
    person = in_meet("p", meet, name="(612) •••-••00", form=PHONE)

    assert joined([person], phones(*rows)) == [taken]


def test_a_phone_that_starts_later_has_not_the_same_times() -> None:
    """Coming first is not coming together: the one that shares most is it."""
    found = joined([in_meet("p", (0, 45), form=PHONE)], phones((3, 10), (5, 40)))

    assert found == [[1]]


def test_a_row_with_another_name_is_passed_over() -> None:
    """The next one may fit."""
    meet = in_meet("m", (0, 45), name="Ann Bee", form=ANONYMOUS)
    rows = [
        in_audit("a", (0, 45), name="Robert", form=ANONYMOUS),
        in_audit("b", (5, 40), form=ANONYMOUS),
    ]

    assert joined([meet], rows) == [[1]]


def test_a_signed_in_person_does_not_take_an_anonymous_row_by_chance() -> None:
    """Only people without an identity are counted; this one's row is theirs by name or times."""
    assert joined([in_meet("g", (0, 45))], [in_audit("a", (10, 40), form=ANONYMOUS)]) == [[]]


# --- What a row tells ---------------------------------------------------------------------------


def test_what_rows_tell_is_added_to_what_was_known() -> None:
    """Forms, name words and obscured addresses of all of them, in any order."""
    person = Participant(in_meet("g", (0, 45), name=NAME))
    masked = Participant(in_audit("gu***@p***.example", (0, 45), name="Front Desk", form=MASKED))
    plain = Participant(in_audit("x", (0, 45), name="Desk Two", form=ANONYMOUS))
    tokens = person.tokens | masked.tokens | plain.tokens

    person.take(masked)
    person.take(plain)

    assert person.forms == {IdentityForm.SIGNED_IN, MASKED, ANONYMOUS}
    assert person.tokens == tokens
    assert person.masks == {"gu***@p***.example"}
    assert person.is_external


def test_one_session_called_external_makes_the_person_external() -> None:
    """Whatever the others say or leave out."""
    first, second = in_audit("x", (0, 20), (25, 45), form=MASKED)
    silent = replace(second, identity=replace(second.identity, is_external=None))
    inside = replace(second, identity=replace(second.identity, is_external=False))

    assert Participant([first, silent]).is_external
    assert Participant([silent, first]).is_external
    assert not Participant([inside]).is_external
    assert not Participant([silent]).is_external


def test_a_person_without_an_end_was_there_until_last_seen() -> None:
    """Else nobody knows of more than the start."""
    (visit,) = in_meet("g", (0, None))
    seen = replace(visit, last_seen_at=visit.start_at + timedelta(minutes=30))

    assert Participant([visit]).end_at == visit.start_at
    assert Participant([seen]).end_at == seen.last_seen_at
    assert Participant([visit]).id_keys == {KEYS.id("g")}
