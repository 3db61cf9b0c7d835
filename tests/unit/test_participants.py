"""Who was in a call: one person in two sources, on two devices, in two calls, is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetbot.domain.attendance import Attendance, Identity, IdentityForm, Source, Visit
from meetbot.domain.participants import contradictions, do_sources_agree
from meetbot.domain.people import AccountKind, Confidence, Kind, KnownAccount
from meetbot.domain.registry import ExemptionKind
from tests.dossiers import START, a_registry, an_exemption, at
from tests.people import (
    CONTRACTOR,
    DIRECTORY,
    GUIDE,
    HOST,
    KEYS,
    PUPIL,
    a_guest,
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
CASEY = an_account(CONTRACTOR, AccountKind.OTHER)
NEW, ELSE = "new@district.example", "x@else.example"
GUEST_ACCOUNT = an_account("guide_x@district.example", AccountKind.GUEST, guest_address=GUIDE)
ACCOUNTS = {account.address or "": account for account in (DIRECTORY[HOST], CASEY, GUEST_ACCOUNT)}


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
    assert resolution.learned == ()


def test_a_guest_account_is_not_recognized_a_second_time_by_name() -> None:
    """Somebody who types the name of a guest that is in the call is somebody else."""
    resolution = resolved(
        in_meet("guide_x@district.example", (0, 45)),
        in_meet("x", (0, 45), name=NAME, form=ANONYMOUS),
        accounts=ACCOUNTS,
        invitees=invited((GUIDE, NAME)),
    )

    assert who(resolution) == [PARTNER_E2, ("unidentified", "E4")]


def test_an_account_that_was_found_is_resolved_without_being_asked_about() -> None:
    """Staff from the last snapshot are known, and so is an outsider whom the log calls external."""
    staff = resolved(in_meet(HOST, (0, 45), in_directory=None))
    outsider = resolved(in_meet("x", (0, 45), in_directory=None, is_external=True))

    assert (staff.unresolved, outsider.unresolved) == (0, 0)
    assert who(outsider) == [("unidentified", "E4")]


def test_an_account_is_a_partners_by_any_of_its_addresses() -> None:
    """By an alias that the registry names, or that lies in a partner's domain."""
    alias, abroad = "grace@district.example", "casey@partner.example"
    roster = a_roster(a_registry(identities=registered(alias)))
    accounts = ACCOUNTS | {alias: DIRECTORY[HOST], abroad: CASEY}

    named = the_one(resolved(in_audit(alias, (0, 45)), roster=roster, accounts=accounts))
    lying = the_one(
        resolved(in_audit(abroad, (0, 45)), accounts=accounts, invitees=invited(CONTRACTOR))
    )

    assert (named.kind, named.partner_id) == (Kind.PARTNER, "northstar")
    assert (lying.kind, lying.partner_id) == (Kind.PARTNER, "northstar")
    assert lying.is_invited


def test_a_registered_address_of_ours_without_account_is_the_partners() -> None:
    """The registry knows who it is; any other such address is somebody of ours not yet listed."""
    roster = a_roster(a_registry(identities=registered(NEW)))

    assert who(resolved(in_audit(NEW, (0, 45)), roster=roster)) == [PARTNER_E2]


def test_an_account_without_a_kept_address_is_an_outsider_all_the_same() -> None:
    """Neither staff nor student: external, by its id."""
    nameless = replace(CASEY, address=None)

    found = the_one(resolved(in_meet(CONTRACTOR, (0, 9)), accounts={CONTRACTOR: nameless}))

    assert (found.kind, found.person_key, found.domain) == (Kind.EXTERNAL, p(CASEY), None)


def test_an_invitation_under_any_address_counts_for_the_person() -> None:
    """Two addresses of one account in one call, of which only the later one is invited."""
    alias = "t.alias@district.example"
    resolution = resolved(
        in_audit(HOST, (0, 20)),
        in_audit(alias, (25, 45)),
        invitees=invited(alias),
        accounts=DIRECTORY | {alias: DIRECTORY[HOST]},
    )

    assert the_one(resolution).is_invited


# --- Outsiders in two sources -------------------------------------------------------------------


def test_an_outsider_of_both_sources_is_one_by_name() -> None:
    """Meet's id gets the audit log's address, at E2, and it is learned."""
    resolution = resolved(in_meet("g", (2, 44), name=NAME), in_audit(GUIDE, (2, 44), name=NAME))
    found = the_one(resolution)

    assert (found.kind, found.confidence) == (Kind.PARTNER, Confidence.ADDRESS)
    assert len(found.visits) == 2
    (learned,) = resolution.learned
    assert (learned.id_key, learned.address) == (KEYS.id("g"), GUIDE)
    assert learned.address_key == key_of(GUIDE)


def test_an_id_that_may_be_staffs_is_not_learned() -> None:
    """A name alone joins them for this call, but nobody could say that the id is no account."""
    resolution = resolved(
        in_meet("g", (0, 45), name=NAME, in_directory=None), in_audit(GUIDE, (0, 45), name=NAME)
    )

    assert who(resolution) == [PARTNER_E2]
    assert resolution.learned == ()


def test_what_is_learned_is_not_told_again() -> None:
    """An id that is known from an earlier call and seen once more."""
    learned = {KEYS.id("g"): (key_of(GUIDE), GUIDE)}

    resolution = resolved(in_meet("g", (0, 45)), in_audit(GUIDE, (0, 45)), learned=learned)

    assert who(resolution) == [PARTNER_E2]
    assert resolution.learned == ()


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
    assert {a.form: a.kind for a in resolution.attendances}[SIGNED_IN] is Kind.PARTNER


def test_two_one_after_the_other_can_be_one_invitee() -> None:
    """Somebody who left and came back as a new guest is one person, invited, of that form."""
    found = the_one(
        resolved(
            in_meet("x", (0, 20), name=NAME, form=ANONYMOUS),
            in_meet("y", (20, 45), name=NAME, form=ANONYMOUS),
            invitees=invited((GUIDE, NAME)),
        )
    )

    assert (found.kind, found.confidence) == (Kind.PARTNER, Confidence.COMPATIBLE)
    assert (found.form, found.is_invited, len(found.visits)) == (ANONYMOUS, True, 2)


def test_one_still_in_the_call_cannot_have_come_back_as_another() -> None:
    """Their visit has no end; they were seen after the other came."""
    (open_visit,) = in_meet("x", (0, None), name=NAME, form=ANONYMOUS)
    resolution = resolved(
        [replace(open_visit, last_seen_at=at(30))],
        in_meet("y", (20, 45), name=NAME, form=ANONYMOUS),
        invitees=invited((GUIDE, NAME)),
    )

    assert who(resolution) == [("unidentified", "E4")] * 2


def test_two_invitees_are_recognized_at_once() -> None:
    """One claim each."""
    resolution = resolved(
        in_meet("x", (0, 45), name=NAME, form=ANONYMOUS),
        in_meet("y", (0, 45), name="Eve Else", form=ANONYMOUS),
        invitees=invited((GUIDE, NAME), (ELSE, "Eve Else")),
    )

    assert who(resolution) == [("external", "E3"), ("partner", "E3")]


@pytest.mark.parametrize(
    "known", [in_meet(HOST, (0, 45), name=NAME), in_audit(ELSE, (0, 45), name=NAME)]
)
def test_who_is_known_claims_nobody_elses_name(known: list[Visit[Identity]]) -> None:
    """A teacher or outsider called like the partner does not stand in the partner's way."""
    resolution = resolved(
        known,
        in_meet("x", (0, 45), name=NAME, form=ANONYMOUS),
        invitees=invited((GUIDE, NAME)),
    )

    assert ("partner", "E3") in who(resolution)


def test_an_obscured_address_counts_also_beside_other_rows() -> None:
    """A second device without it hides nothing, and a name that fits another does not matter."""
    resolution = resolved(
        in_meet("g", (0, 45), (10, 30), name="Front Desk"),
        in_audit("gu***@p***.example", (0, 45), name="Front Desk", form=MASKED),
        in_audit("x", (10, 30), name="Front Desk", form=ANONYMOUS),
        invitees=invited((GUIDE, NAME), (ELSE, "Front Desk")),
    )

    assert who(resolution) == [("partner", "E3")]
    assert the_one(resolution).address_key == key_of(GUIDE)


@pytest.mark.parametrize("form", [SIGNED_IN, ANONYMOUS])
def test_an_obscured_address_counts_more_than_a_name(form: IdentityForm) -> None:
    """Of two who claim one invitee the one with the address is it, also if the other signed in."""
    resolution = resolved(
        in_audit("gu***@p***.example", (0, 20), form=MASKED),
        in_meet("y", (5, 45), name=NAME, form=form),
        invitees=invited((GUIDE, NAME)),
    )

    found = {a.form: a.confidence for a in resolution.attendances}
    assert found == {MASKED: Confidence.COMPATIBLE, form: Confidence.NONE}


def test_a_room_stays_a_room_whatever_its_other_endpoints_are_called() -> None:
    """One device row is enough."""
    resolution = resolved(
        in_meet("robot", (0, 45), (10, 30), name="Room 12"),
        in_audit("dev", (0, 45), name="Room 12", form=DEVICE),
        in_audit("x", (10, 30), name="Room 12", form=ANONYMOUS),
    )

    assert who(resolution) == [("room", "E4")]


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
        ([(0, 1.5), (1.5, 3), (10, 20)], [(10, 20)], [180]),
        ([(0, 10), (20, 30)], [(20, 30)], [600]),
        ([(20, 30)], [(0, 10), (20, 30)], [600]),
        ([(0, 45)], [(5, 5)], [2400, 300]),
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


def test_contradictions_of_all_people_are_told() -> None:
    """Of each that was seen by both sources, longest first."""
    outsider = the_one(
        resolved(in_meet("g", (0, 45), name=NAME), in_audit(GUIDE, (0, 40), name=NAME))
    )

    found = contradictions([_seen([(0, 45)], [(0, 42)]), outsider], tolerance=TWO_MINUTES)

    assert [d.total_seconds() for d in found] == [300, 180]


@pytest.mark.parametrize("audit", [[(0, 45)], [(0, 10), (20, 30), (40, 45)]])
def test_a_hull_agrees_with_however_many_rows(audit: list[tuple[float, float]]) -> None:
    """Only the first join and the last leave are compared."""
    hull = [replace(v, is_hull=True) for v in in_meet(PUPIL, (0, 45))]
    pupil = the_one(resolved(hull, in_audit(PUPIL, *audit)))

    assert do_sources_agree([pupil], tolerance=TWO_MINUTES)


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


# --- All that is told ---------------------------------------------------------------------------


def p(account: KnownAccount) -> str:
    """The key of somebody with an account."""
    return f"p:{account.person_key}"


def a(address: str) -> str:
    """The key of somebody known by address."""
    return f"a:{key_of(address)}"


@pytest.mark.parametrize(
    ("visits", "key", "kind", "confidence", "form", "address"),
    [
        (in_audit(HOST, (0, 9)), p(DIRECTORY[HOST]), Kind.STAFF, "E1", SIGNED_IN, HOST),
        (in_meet(HOST, (0, 9)), p(DIRECTORY[HOST]), Kind.STAFF, "E1", SIGNED_IN, HOST),
        (in_audit(CONTRACTOR, (0, 9)), p(CASEY), Kind.EXTERNAL, "E1", SIGNED_IN, CONTRACTOR),
        (in_meet(CONTRACTOR, (0, 9)), p(CASEY), Kind.EXTERNAL, "E1", SIGNED_IN, CONTRACTOR),
        (in_audit(NEW, (0, 9)), a(NEW), Kind.UNKNOWN, "E4", IdentityForm.ADDRESS, NEW),
        (in_audit(ELSE, (0, 9)), a(ELSE), Kind.EXTERNAL, "E2", IdentityForm.ADDRESS, ELSE),
        (in_audit(GUIDE, (0, 9)), a(GUIDE), Kind.PARTNER, "E2", IdentityForm.ADDRESS, GUIDE),
        (
            in_meet("guide_x@district.example", (0, 9)),
            a(GUIDE),
            Kind.PARTNER,
            "E2",
            SIGNED_IN,
            GUIDE,
        ),
    ],
)
@pytest.mark.parametrize("is_invited", [True, False])
def test_all_that_is_told_of_somebody_known(
    visits: list[Visit[Identity]],
    key: str,
    kind: Kind,
    confidence: str,
    form: IdentityForm,
    address: str,
    is_invited: bool,
) -> None:
    """Key, class, level, form, address and domain, and whether the guest list names them."""
    guests = invited(address) if is_invited else []

    found = the_one(resolved(visits, invitees=guests, accounts=ACCOUNTS))

    assert found == replace(
        found,
        person_key=key, kind=kind, confidence=Confidence(confidence), form=form,
        address_key=key_of(address), domain=address.rpartition("@")[2], is_invited=is_invited,
        partner_id="northstar" if kind is Kind.PARTNER else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("visits", "prefix", "kind"),
    [
        (in_meet("dev", (0, 9), form=DEVICE), "d:conferenceRecords/r1/participants/dev", Kind.ROOM),
        (in_meet("anon", (0, 9), form=ANONYMOUS, name=NAME), "u:meet:", Kind.UNIDENTIFIED),
        (in_meet("phone", (0, 9), form=PHONE), "u:meet:", Kind.UNIDENTIFIED),
        (in_audit("d***@h***.com", (0, 9), form=MASKED), "u:audit:", Kind.UNIDENTIFIED),
    ],
)
def test_all_that_is_told_of_somebody_unknown(
    visits: list[Visit[Identity]], prefix: str, kind: Kind
) -> None:
    """The form they came in, and a key of their own."""
    found = the_one(resolved(visits))

    assert found.person_key.startswith(prefix)
    assert (found.kind, found.confidence) == (kind, Confidence.NONE)
    assert found.form is visits[0].identity.form
    assert (found.address_key, found.domain, found.is_invited) == (None, None, False)


def test_who_came_under_an_alias_is_invited_by_their_own_address() -> None:
    """The directory knows both; the guest list has the account's own."""
    alias = "t.alias@district.example"
    accounts = {**DIRECTORY, alias: DIRECTORY[HOST]}

    found = the_one(resolved(in_audit(alias, (0, 9)), invitees=invited(HOST), accounts=accounts))

    assert found.is_invited


def test_a_guest_account_invited_under_its_own_address_is_invited() -> None:
    """The invitation names the Directory entry, the registry the outside address."""
    own = "guide_x@district.example"
    guests = [a_roster().guest(a_guest(own), GUEST_ACCOUNT, START)]

    found = the_one(resolved(in_meet(own, (0, 9)), invitees=guests, accounts=ACCOUNTS))

    assert (found.kind, found.is_invited) == (Kind.PARTNER, True)
