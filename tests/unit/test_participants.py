"""Who was in a call: one person in two sources, on two devices, in two calls, is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetbot.domain.attendance import Attendance, Identity, IdentityForm, Source, Visit
from meetbot.domain.participants import contradictions, do_sources_agree
from meetbot.domain.people import AccountKind, Confidence, Kind
from meetbot.domain.registry import ExemptionKind
from tests.dossiers import a_registry, an_exemption, at
from tests.people import (
    CONTRACTOR,
    DIRECTORY,
    GUIDE,
    HOST,
    KEYS,
    PUPIL,
    a_roster,
    an_account,
    in_audit,
    in_meet,
    invited,
    key_of,
    registered,
    resolved,
    the_one,
    who,
)

ANONYMOUS, PHONE = IdentityForm.ANONYMOUS, IdentityForm.PHONE
MASKED, DEVICE = IdentityForm.MASKED, IdentityForm.DEVICE
SIGNED_IN = IdentityForm.SIGNED_IN
TWO_MINUTES = timedelta(minutes=2)
NAME = "Grace Guide"
PARTNER_E2 = ("partner", "E2")


# --- The directory ------------------------------------------------------------------------------


def test_staff_in_both_sources_are_one_at_e1() -> None:
    """A Meet id and an audit address of one account give one attendance, known by directory."""
    found = the_one(resolved(in_meet(HOST, (0, 45)), in_audit(HOST, (0, 45))))

    assert (found.kind, found.confidence) == (Kind.STAFF, Confidence.DIRECTORY)
    assert {v.source for v in found.visits} == set(Source)
    assert found.address_key == key_of(HOST)


def test_staff_keep_their_unit_and_outsiders_the_words_of_their_name() -> None:
    """By these it is told who covered, and who may be whom; students have neither."""
    resolution = resolved(
        in_meet(HOST, (0, 45)),
        in_meet(PUPIL, (0, 45)),
        in_meet("nobody", (0, 45), name=NAME, form=ANONYMOUS),
    )
    by_kind = {a.kind: a for a in resolution.attendances}

    assert by_kind[Kind.STAFF].unit_path == DIRECTORY[HOST].unit_path
    assert by_kind[Kind.STUDENT].unit_path is None
    assert by_kind[Kind.STUDENT].name_tokens == frozenset()
    assert len(by_kind[Kind.UNIDENTIFIED].name_tokens) == 2


def test_exempt_people_keep_their_row() -> None:
    """Which exemption it was decides who belongs into a confidential meeting."""
    row = an_exemption(ExemptionKind.GUARDIAN, "mum@home.example")
    roster = a_roster(a_registry(exemptions=(row,)))

    found = the_one(resolved(in_audit("mum@home.example", (0, 45)), roster=roster))

    assert (found.kind, found.exemption) == (Kind.EXEMPT, row)


def test_an_alias_is_the_same_person() -> None:
    """The audit log may name an account by another of its addresses."""
    alias = "t.eacher@district.example"
    accounts = DIRECTORY | {alias: DIRECTORY[HOST]}

    found = the_one(resolved(in_meet(HOST, (0, 45)), in_audit(alias, (0, 45)), accounts=accounts))

    assert found.kind is Kind.STAFF


def test_students_are_known_by_directory_and_stay_unnamed() -> None:
    """A student is one attendance without a clear address."""
    found = the_one(resolved(in_meet(PUPIL, (0, 45)), in_audit(PUPIL, (0, 45))))

    assert (found.kind, found.confidence) == (Kind.STUDENT, Confidence.DIRECTORY)
    assert all(visit.identity.address is None for visit in found.visits)


def test_a_student_address_that_the_directory_lacks_is_still_a_student() -> None:
    """Joined to a Meet id by name, a student's row never makes an unregistered outsider."""
    found = the_one(
        resolved(
            in_meet("unknown", (0, 45), name="Kim"),
            in_audit(PUPIL, (0, 45), name="Kim"),
            accounts={},
        )
    )

    assert (found.kind, found.confidence) == (Kind.STUDENT, Confidence.ADDRESS)


def test_the_audit_log_can_tell_the_address_of_an_id() -> None:
    """A row with id and address of an account makes the Meet participant with that id the same."""
    row = in_audit(HOST, (0, 45), id_key=KEYS.id("new id"))

    resolution = resolved(in_meet("new id", (0, 45), in_directory=None), row)

    assert the_one(resolution).kind is Kind.STAFF
    assert resolution.unresolved == 0


def test_a_district_address_without_account_is_unknown() -> None:
    """Somebody of ours whom the directory does not list is no outsider, and nothing is learned."""
    resolution = resolved(
        in_meet("id", (0, 45), name="New Hire"),
        in_audit("new.hire@district.example", (0, 45), name="New Hire"),
    )

    assert who(resolution) == [("unknown", "E4")]
    assert resolution.learned == ()


def test_an_id_nobody_could_be_asked_about_is_unknown() -> None:
    """Where the directory was not asked, nobody is taken for an outsider, not even by name."""
    resolution = resolved(
        in_meet("id", (0, 45), name=NAME, in_directory=None), invitees=invited((GUIDE, NAME))
    )

    assert who(resolution) == [("unknown", "E4")]
    assert resolution.unresolved == 1


def test_an_unasked_id_is_not_paired_by_time_alone() -> None:
    """A clear outside address at the same times does not name an id that may be staff's."""
    resolution = resolved(
        in_meet("id", (0, 45), in_directory=None), in_audit(GUIDE, (0, 45), name=NAME)
    )

    assert who(resolution) == [PARTNER_E2, ("unknown", "E4")]
    assert resolution.learned == ()


def test_a_partner_with_a_district_account_is_a_partner() -> None:
    """A registered person's account in a staff unit does not supervise."""
    roster = a_roster(a_registry(identities=registered(HOST)))

    found = the_one(resolved(in_meet(HOST, (0, 45)), in_audit(HOST, (0, 45)), roster=roster))

    assert (found.kind, found.confidence) == (Kind.PARTNER, Confidence.DIRECTORY)
    assert found.partner_id == "northstar"


def test_a_contractor_account_is_an_outsider() -> None:
    """An account of ours that is neither staff nor student counts as external."""
    accounts = {CONTRACTOR: an_account(CONTRACTOR, AccountKind.OTHER)}

    found = the_one(
        resolved(in_meet(CONTRACTOR, (0, 45)), in_audit(CONTRACTOR, (0, 45)), accounts=accounts)
    )

    assert (found.kind, found.domain) == (Kind.EXTERNAL, "district.example")


def test_a_guest_account_is_its_outside_address() -> None:
    """Meet's id of a guest user and the audit log's outside address are one partner."""
    guest = an_account(
        "guide_partner.example@district.example", AccountKind.GUEST, "g", guest_address=GUIDE
    )
    resolution = resolved(
        in_meet("g", (0, 45)),
        in_meet("other", (0, 45)),
        in_audit(GUIDE, (0, 45)),
        accounts={"guide_partner.example@district.example": guest},
        invitees=invited(GUIDE),
    )

    assert who(resolution) == [PARTNER_E2, ("unidentified", "E4")]
    assert [a.is_invited for a in resolution.attendances if a.kind is Kind.PARTNER] == [True]


# --- Outsiders in two sources -------------------------------------------------------------------


def test_an_outsider_of_both_sources_is_one_by_name() -> None:
    """Meet's id gets the audit log's address, at E2, and it is learned."""
    resolution = resolved(in_meet("g", (2, 44), name=NAME), in_audit(GUIDE, (2, 44), name=NAME))
    found = the_one(resolution)

    assert (found.kind, found.confidence) == (Kind.PARTNER, Confidence.ADDRESS)
    assert len(found.visits) == 2
    (learned,) = resolution.learned
    assert (learned.id_key, learned.address) == (KEYS.id("g"), GUIDE)


def test_an_outsider_of_both_sources_is_one_by_times() -> None:
    """Without names, equal times join the only two that fit."""
    assert who(resolved(in_meet("g", (2, 44)), in_audit(GUIDE, (2.5, 43)))) == [PARTNER_E2]


@pytest.mark.parametrize(("start", "end"), [(5, 44), (2, 40)])
def test_other_times_join_nobody(start: float, end: float) -> None:
    """Join and leave times must both be within two minutes."""
    resolution = resolved(in_meet("g", (2, 44)), in_audit(GUIDE, (start, end)))

    assert who(resolution) == [PARTNER_E2, ("unidentified", "E4")]


def test_contrary_names_are_not_joined_by_times() -> None:
    """Two different people who came and went together do not become one."""
    resolution = resolved(
        in_meet("x", (0, 45), name="Xavier Stone"), in_audit(GUIDE, (0, 45), name=NAME)
    )

    assert who(resolution) == [PARTNER_E2, ("unidentified", "E4")]
    assert resolution.learned == ()


def test_one_row_for_two_candidates_joins_neither() -> None:
    """Where two ids could be the address, none gets it."""
    resolution = resolved(in_meet("a", (0, 45)), in_meet("b", (0, 45)), in_audit(GUIDE, (0, 45)))

    assert who(resolution) == [PARTNER_E2, ("unidentified", "E4"), ("unidentified", "E4")]
    assert resolution.learned == ()


def test_two_rows_for_one_candidate_join_neither() -> None:
    """Where two addresses could be the id's, it gets none."""
    resolution = resolved(
        in_meet("a", (0, 45)), in_audit(GUIDE, (0, 45)), in_audit("x@other.example", (0, 45))
    )

    assert who(resolution) == [("external", "E2"), PARTNER_E2, ("unidentified", "E4")]


def test_a_learned_id_is_known_without_the_audit_log() -> None:
    """An id whose address was seen before is the registry's person at once."""
    learned = {KEYS.id("g"): (key_of(GUIDE), GUIDE)}

    resolution = resolved(in_meet("g", (0, None)), learned=learned)

    assert who(resolution) == [PARTNER_E2]
    assert resolution.learned == ()


def test_a_learned_id_keeps_its_own_row() -> None:
    """Nobody else takes the row of an id that is known already."""
    learned = {KEYS.id("g"): (key_of(GUIDE), GUIDE)}
    resolution = resolved(
        in_meet("first", (0, 45)), in_meet("g", (0, 45)), in_audit(GUIDE, (0, 45)), learned=learned
    )

    assert who(resolution) == [PARTNER_E2, ("unidentified", "E4")]


def test_a_learned_id_takes_its_obscured_row() -> None:
    """Known from before, with an obscured address today: still one person."""
    learned = {KEYS.id("g"): (key_of(GUIDE), GUIDE)}
    resolution = resolved(
        in_meet("g", (0, 45), name=NAME),
        in_audit("gu***@p***.example", (0, 45), name=NAME, form=MASKED),
        learned=learned,
    )

    assert who(resolution) == [PARTNER_E2]


def test_a_learned_id_never_takes_another_ones_row() -> None:
    """An obscured address that cannot be the learned one is somebody else."""
    learned = {KEYS.id("g"): (key_of(GUIDE), GUIDE)}
    resolution = resolved(
        in_meet("g", (0, 45), name=NAME),
        in_audit("zz***@q***.test", (0, 45), name=NAME, form=MASKED),
        learned=learned,
    )

    assert who(resolution) == [PARTNER_E2, ("unidentified", "E4")]


def test_coming_back_in_a_new_record_is_the_same_person() -> None:
    """One person in two conference records and one audit address is one attendance."""
    resolution = resolved(
        in_meet("g", (0, 20), name=NAME, record="r1"),
        in_meet("g", (25, 45), name=NAME, record="r2"),
        in_audit(GUIDE, (0, 20), (25, 45), name=NAME),
        in_meet(HOST, (0, 20), record="r1"),
        in_meet(HOST, (25, 45), record="r2"),
    )

    assert who(resolution) == [PARTNER_E2, ("staff", "E1")]
    assert sorted(len(a.visits) for a in resolution.attendances) == [2, 4]


def test_two_devices_without_address_are_one_signed_in_person() -> None:
    """Rows without identifier are the one Meet participant's of that name, one per session."""
    resolution = resolved(
        in_meet("g", (0, 45), (10, 30), name=NAME),
        in_audit("one", (0, 45), name=NAME, form=ANONYMOUS),
        in_audit("two", (10, 30), name=NAME, form=ANONYMOUS),
    )

    assert who(resolution) == [("unidentified", "E4")]


def test_two_addresses_of_one_name_are_told_apart_by_times() -> None:
    """Of two namesakes only the one with the same times is the Meet participant."""
    resolution = resolved(
        in_meet("g", (0, 20), name=NAME),
        in_audit(GUIDE, (0, 20), name=NAME),
        in_audit("g@other.example", (10, 45), name=NAME),
    )

    assert who(resolution) == [("external", "E2"), PARTNER_E2]


# --- Anonymous, phones, rooms -------------------------------------------------------------------


@pytest.mark.parametrize("form", [ANONYMOUS, PHONE])
@pytest.mark.parametrize("name", ["", "Guest"])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_nameless_people_keep_their_number(form: IdentityForm, name: str, number: int) -> None:
    """So many at the same times in both sources are so many people: neither fewer nor doubled."""
    people = [in_meet(f"m{i}", (0, 45), name=name, form=form) for i in range(number)]
    rows = [in_audit(f"a{i}", (0, 45), name=name, form=form) for i in range(number)]

    resolution = resolved(*people, *rows)

    assert who(resolution) == [("unidentified", "E4")] * number
    assert all(len(a.visits) == 2 for a in resolution.attendances)


def test_a_late_row_leaves_two_anonymous_people_two() -> None:
    """Two in Meet and one row are two people, and so the other way round."""
    meet = [in_meet(f"m{i}", (0, 45), name="Guest", form=ANONYMOUS) for i in range(2)]
    rows = [in_audit(f"a{i}", (0, 45), name="Guest", form=ANONYMOUS) for i in range(2)]

    assert len(resolved(*meet, rows[0]).attendances) == 2
    assert len(resolved(meet[0], *rows).attendances) == 2


def test_anonymous_people_of_other_names_are_two() -> None:
    """Equal times do not make one of two names."""
    resolution = resolved(
        in_meet("m", (0, 45), name="Alice", form=ANONYMOUS),
        in_audit("a", (0, 45), name="Robert", form=ANONYMOUS),
    )

    assert len(resolution.attendances) == 2


def test_an_anonymous_guest_who_comes_back_is_one() -> None:
    """Two endpoints one after the other lie within one Meet participant's sessions."""
    resolution = resolved(
        in_meet("m", (0, 20), (25, 45), name="Guest", form=ANONYMOUS),
        in_audit("a", (0, 20), (25, 45), name="Guest", form=ANONYMOUS),
    )

    assert who(resolution) == [("unidentified", "E4")]


def test_a_room_is_a_room_and_never_staff() -> None:
    """Meet shows the robot as an unknown id, the audit log as a device: one room."""
    resolution = resolved(
        in_meet("robot", (0, 45), name="Room 12"),
        in_audit("dev", (0, 45), name="Room 12", form=DEVICE),
        invitees=invited((GUIDE, "Room Twelve")),
    )

    assert who(resolution) == [("room", "E4")]


def test_a_phone_is_no_second_of_a_signed_in_person() -> None:
    """A phone leg is a participant of its own."""
    resolution = resolved(
        in_meet("g", (0, 45), name=NAME),
        in_audit(GUIDE, (0, 45), name=NAME),
        in_meet("p", (0, 45), form=PHONE),
        in_audit("p", (0, 45), form=PHONE),
    )

    assert who(resolution) == [PARTNER_E2, ("unidentified", "E4")]


# --- Obscured addresses and names ---------------------------------------------------------------


def test_an_obscured_address_of_one_invitee_is_e3() -> None:
    """It fits exactly one invited outsider: that one, at a confidence that never confirms."""
    found = the_one(
        resolved(
            in_audit("gu***@p***.example", (0, 45), form=MASKED),
            invitees=invited(GUIDE, HOST, "someone@else.example"),
        )
    )

    assert (found.kind, found.confidence) == (Kind.PARTNER, Confidence.COMPATIBLE)
    assert found.address_key == key_of(GUIDE)
    assert found.is_invited


def test_an_obscured_address_of_two_invitees_is_nobody() -> None:
    """Two that fit are as good as none."""
    resolution = resolved(
        in_audit("g***@p***.example", (0, 45), form=MASKED),
        invitees=invited(GUIDE, "gus@party.example"),
    )

    assert who(resolution) == [("unidentified", "E4")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Grace Guide", "E3"),
        ("grace", "E3"),
        ("Grace Guide (Northstar)", "E3"),
        ("Gráce Guide", "E3"),
        ("Grace Kelly", "E4"),
        ("Terry Teacher", "E4"),
        ("", "E4"),
        ("12", "E4"),
    ],
)
def test_a_name_fits_one_invited_outsider_or_nobody(name: str, expected: str) -> None:
    """Names recognize invited outsiders only; a shared first name is not enough."""
    guests = invited(("gguide@partner.example", "Grace Guide"), (HOST, "Terry Teacher"))

    found = the_one(resolved(in_meet("g", (0, 45), name=name), invitees=guests))

    assert str(found.confidence) == expected


def test_staff_are_never_recognized_by_name() -> None:
    """Typing the teacher's name makes nobody the teacher, nor a partner of the same name."""
    guests = invited((HOST, "Grace Guide"), ("gguide@partner.example", "Grace Guide"))

    for form in (SIGNED_IN, ANONYMOUS):
        resolution = resolved(in_meet("x", (0, 45), name=NAME, form=form), invitees=guests)
        assert who(resolution) == [("unidentified", "E4")]


def test_who_is_present_already_is_not_recognized_twice() -> None:
    """A name of a partner who is in the call under their own address is somebody else's."""
    resolution = resolved(
        in_audit(GUIDE, (0, 45)),
        in_meet("x", (0, 30), name=NAME, form=ANONYMOUS),
        invitees=invited((GUIDE, NAME)),
    )

    assert who(resolution) == [PARTNER_E2, ("unidentified", "E4")]


def test_two_at_once_cannot_be_one_invitee() -> None:
    """Two anonymous people with the partner's name are two unidentified people."""
    resolution = resolved(
        in_meet("x", (0, 45), name=NAME, form=ANONYMOUS),
        in_meet("y", (0, 45), name=NAME, form=ANONYMOUS),
        invitees=invited((GUIDE, NAME)),
    )

    assert who(resolution) == [("unidentified", "E4")] * 2


def test_a_signed_in_name_counts_more_than_a_typed_one() -> None:
    """Of two who claim one invitee the signed-in account is it."""
    resolution = resolved(
        in_meet("x", (0, 45), name=NAME, form=ANONYMOUS),
        in_meet("y", (0, 45), name=NAME),
        invitees=invited((GUIDE, NAME)),
    )

    assert who(resolution) == [("partner", "E3"), ("unidentified", "E4")]


def test_an_exempt_guest_recognized_by_name_is_exempt() -> None:
    """E3 gives an invited guest's own class, exemption included."""
    row = an_exemption(ExemptionKind.GUARDIAN, "parent@home.example")
    roster = a_roster(a_registry(exemptions=(row,)))
    guests = invited(("parent@home.example", "Pat Parent"), roster=roster)

    found = the_one(
        resolved(in_meet("x", (0, 45), name="Pat Parent"), invitees=guests, roster=roster)
    )

    assert (found.kind, found.confidence) == (Kind.EXEMPT, Confidence.COMPATIBLE)


def test_a_lookalike_in_the_call_is_named() -> None:
    """An outsider whose domain imitates a partner's says so."""
    found = the_one(resolved(in_audit("guide@pаrtner.example", (0, 45))))

    assert (found.kind, found.lookalike_of) == (Kind.EXTERNAL, "northstar")


# --- Order, speed -------------------------------------------------------------------------------

_CROWD = [
    *in_meet(HOST, (0, 45)),
    *in_audit(HOST, (0, 45)),
    *in_meet(PUPIL, (1, 45)),
    *in_audit(PUPIL, (1, 45)),
    *in_meet("g", (2, 20), (22, 44), name=NAME),
    *in_audit(GUIDE, (2, 20), (22, 44), name=NAME),
    *in_meet("m", (0, 45), name="Guest", form=ANONYMOUS),
    *in_meet("n", (0, 45), name="Guest", form=ANONYMOUS),
    *in_audit("a", (0, 45), name="Guest", form=ANONYMOUS),
    *in_audit("b", (0, 45), name="Guest", form=ANONYMOUS),
    *in_meet("robot", (0, 45), name="Room 12"),
    *in_audit("dev", (0, 45), name="Room 12", form=DEVICE),
    *in_meet("p", (5, 40), form=PHONE),
    *in_audit("p", (5, 40), form=PHONE),
]


@given(st.permutations(_CROWD), st.lists(st.sampled_from(_CROWD)))
@settings(max_examples=60, deadline=None)
def test_order_and_repetition_change_nothing(
    visits: list[Visit[Identity]], again: list[Visit[Identity]]
) -> None:
    """Pages may come in any order and twice."""
    expected = resolved(_CROWD)

    resolution = resolved(visits, again)

    assert who(resolution) == who(expected)
    assert sorted(len(a.visits) for a in resolution.attendances) == sorted(
        len(a.visits) for a in expected.attendances
    )
    assert resolution.learned == expected.learned


@given(st.lists(st.sampled_from(_CROWD), unique_by=lambda v: v.key))
@settings(max_examples=60, deadline=None)
def test_no_visit_is_lost_or_counted_twice(visits: list[Visit[Identity]]) -> None:
    """Every visit belongs to exactly one attendance, whatever is missing."""
    kept = [v.key for a in resolved(visits).attendances for v in a.visits]

    assert sorted(kept) == sorted(v.key for v in visits)


@pytest.mark.parametrize("form", [SIGNED_IN, ANONYMOUS, PHONE])
@pytest.mark.parametrize("name", ["", "Guest", "Guest {}"])
def test_a_crowd_is_told_apart_by_names(form: IdentityForm, name: str) -> None:
    """Five hundred unknown people in both sources at one minute: joined where names tell them."""
    rows = form if form is not SIGNED_IN else IdentityForm.ADDRESS
    visits = [
        visit
        for i in range(500)
        for visit in (
            *in_meet(f"m{i}", (i / 600, 45), name=name.format(i), form=form),
            *in_audit(f"p{i}@x{i}.example", (i / 600, 45), name=name.format(i), form=rows),
        )
    ]

    is_told_apart = form is not SIGNED_IN or name == "Guest {}"
    assert len(resolved(visits).attendances) == (500 if is_told_apart else 1000)


# --- Do the sources agree? ----------------------------------------------------------------------


def _seen(meet: list[tuple[float, float | None]], audit: list[tuple[float, float]]) -> Attendance:
    visits = [*in_meet(HOST, *meet), *in_audit(HOST, *audit)]
    return the_one(resolved(visits))


@pytest.mark.parametrize(
    ("meet", "audit", "expected"),
    [
        ([(0, 45)], [(0, 45)], []),
        ([(0, 45)], [(2, 45)], []),
        ([(0, 45)], [(2 + 1 / 60, 45)], [121]),
        ([(0, 45)], [(0, 42)], [180]),
        ([(0, 42)], [(0, 45)], [180]),
        ([(0, 20), (23, 45)], [(0, 45)], [180]),
        ([(0, 45)], [(3, 41)], [240, 180]),
        ([(0, 1.5)], [(1.5, 3)], []),
        ([(0, 20), (20, 45)], [(0, 45)], []),
        ([(0, 45), (10, 30)], [(0, 45)], []),
        ([(0, 30)], [], []),
        ([(0, None)], [(0, 30)], []),
    ],
)
def test_contradictions_are_stretches_of_one_source_only(
    meet: list[tuple[float, float | None]], audit: list[tuple[float, float]], expected: list[int]
) -> None:
    """More than two minutes that one source alone saw, longest first; open visits tell nothing."""
    found = contradictions([_seen(meet, audit)], tolerance=TWO_MINUTES)

    assert [d.total_seconds() for d in found] == expected


def test_fractions_of_a_second_are_dropped_before_comparing() -> None:
    """Meet's fractions do not make two minutes more than two minutes."""
    (visit,) = in_meet(HOST, (0, 47))
    later = replace(visit, end_at=at(47) + timedelta(milliseconds=900))

    found = the_one(resolved([later], in_audit(HOST, (0, 45))))

    assert contradictions([found], tolerance=TWO_MINUTES) == ()
    assert do_sources_agree([found], tolerance=TWO_MINUTES)


def test_students_and_unidentified_people_are_no_contradiction() -> None:
    """Only staff and outsiders are compared."""
    pupil = the_one(resolved(in_meet(PUPIL, (0, 45)), in_audit(PUPIL, (0, 20))))

    assert contradictions([pupil], tolerance=TWO_MINUTES) == ()
    assert not do_sources_agree([pupil], tolerance=TWO_MINUTES)


def test_a_hull_is_compared_at_its_ends() -> None:
    """First join to last leave hides a gap that the audit log shows: no disagreement."""
    hull = [replace(v, is_hull=True) for v in in_meet(PUPIL, (0, 45))]
    pupil = the_one(resolved(hull, in_audit(PUPIL, (0, 10), (20, 45))))
    short = the_one(resolved(hull, in_audit(PUPIL, (0, 10), (20, 40))))

    assert do_sources_agree([pupil], tolerance=TWO_MINUTES)
    assert not do_sources_agree([short], tolerance=TWO_MINUTES)


def test_sources_agree_only_about_somebody_seen_by_both() -> None:
    """Nobody, somebody seen by one source, or an open visit is no agreement."""
    both, one = _seen([(0, 45)], [(1, 44)]), _seen([(0, 45)], [])

    assert do_sources_agree([both], tolerance=TWO_MINUTES)
    assert not do_sources_agree([], tolerance=TWO_MINUTES)
    assert not do_sources_agree([both, one], tolerance=TWO_MINUTES)
    assert not do_sources_agree([_seen([(0, None)], [(0, 45)])], tolerance=TWO_MINUTES)
