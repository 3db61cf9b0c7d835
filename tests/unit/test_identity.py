"""Who a guest is: directory, registry, exemptions, look-alikes; and what is in scope."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from meetbot.domain.attendance import Identity, IdentityForm, RawIdentity, Visit, with_identity
from meetbot.domain.dossier import Invitee
from meetbot.domain.identity import (
    are_names_compatible,
    classify,
    is_calendar_address,
    name_tokens,
    scope_of,
)
from meetbot.domain.meetings import Scope
from meetbot.domain.people import (
    AccountKind,
    Confidence,
    DistrictUnits,
    Kind,
    KnownAccount,
    within,
)
from meetbot.domain.registry import NOT_PARTNER_KINDS, ExemptionKind, IdentityKind, Registry
from meetbot.domain.registry import Identity as RegistryIdentity
from tests.dossiers import (
    CLASS,
    PARTNER,
    START,
    STRANGER,
    a_meeting,
    a_registry,
    a_visit,
    an_attendance,
    an_exemption,
    an_invitee,
    somebody,
)
from tests.dossiers import HOST as HOST_INVITEE
from tests.dossiers import at as after
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
    key_of,
    registered,
    resolved,
)


def guest_of(
    address: str,
    account: KnownAccount | None = None,
    *,
    registry: Registry | None = None,
    at: datetime = START,
) -> Invitee:
    """One guest, classified."""
    return a_roster(registry).guest(a_guest(address), account, at)


# --- Classes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (AccountKind.STAFF, Kind.STAFF),
        (AccountKind.STUDENT, Kind.STUDENT),
        (AccountKind.INACTIVE, Kind.INACTIVE),
        (AccountKind.OTHER, Kind.EXTERNAL),
    ],
)
def test_accounts_are_what_the_directory_says(kind: AccountKind, expected: Kind) -> None:
    """E1 by directory; a suspended account is no staff, a contractor's is an outsider."""
    found = guest_of(CONTRACTOR, an_account(CONTRACTOR, kind))

    assert (found.kind, found.confidence) == (expected, Confidence.DIRECTORY)
    assert found.is_district_account


def test_a_guest_account_is_no_staff() -> None:
    """An outsider with a Directory entry is known by the outside address."""
    account = an_account("guide_x@district.example", AccountKind.GUEST, guest_address=GUIDE)

    found = guest_of("guide_x@district.example", account)

    assert (found.kind, found.partner_id) == (Kind.PARTNER, "northstar")
    assert not found.is_district_account


@pytest.mark.parametrize("kind", [AccountKind.STAFF, AccountKind.INACTIVE, AccountKind.OTHER])
def test_a_partner_with_a_district_account_is_a_partner(kind: AccountKind) -> None:
    """The registry's row of the account's address comes before its unit, also by an alias."""
    registry = a_registry(identities=registered(CONTRACTOR))
    account = an_account(CONTRACTOR, kind)

    for address in (CONTRACTOR, "c.alias@district.example"):
        found = guest_of(address, account, registry=registry)
        assert (found.kind, found.partner_id) == (Kind.PARTNER, "northstar")
        assert found.is_district_account


def test_a_student_account_is_a_student_whatever_the_registry_says() -> None:
    """No registry row makes a student a partner."""
    registry = a_registry(identities=registered(PUPIL))

    assert guest_of(PUPIL, DIRECTORY[PUPIL], registry=registry).kind is Kind.STUDENT
    assert guest_of(PUPIL, None, registry=registry).kind is Kind.STUDENT


def test_a_district_address_without_account_is_unknown() -> None:
    """A stale snapshot accuses nobody; in a student domain it is a student."""
    found = guest_of("new.hire@district.example")
    pupil = guest_of("new@students.district.example")

    assert (found.kind, found.confidence) == (Kind.UNKNOWN, Confidence.NONE)
    assert (pupil.kind, pupil.confidence) == (Kind.STUDENT, Confidence.ADDRESS)


@pytest.mark.parametrize(
    "address", ["teacher@notdistrict.example", "teacher@district.example.evil.test"]
)
def test_domains_of_the_district_are_compared_whole(address: str) -> None:
    """A domain that only ends or begins like the district's is outside."""
    assert guest_of(address).kind is Kind.EXTERNAL


@pytest.mark.parametrize(
    "domain",
    ["group.calendar.google.com", "resource.calendar.google.com", "group.v.calendar.google.com"],
)
def test_calendar_addresses_are_nobody(domain: str) -> None:
    """Secondary, class and resource calendars are rooms to the rules, never outsiders."""
    assert is_calendar_address(domain)
    assert guest_of(f"c_1@{domain}").kind is Kind.ROOM


def test_only_googles_own_domain_is_a_calendar() -> None:
    """Others that look like it are outsiders."""
    assert not is_calendar_address("calendar.google.com.evil.test")
    assert guest_of("c_1@notcalendar.google.com").kind is Kind.EXTERNAL


def test_resources_are_rooms() -> None:
    """A guest that Google calls a resource is a room."""
    guest = a_guest("room@district.example", is_resource=True)

    assert a_roster().guest(guest, None, START).kind is Kind.ROOM


# --- Registry -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "address", "expected"),
    [
        ("guest@partner.example", "Guest+class@Partner.EXAMPLE", Kind.PARTNER),
        ("g.uest@gmail.com", "guest@gmail.com", Kind.PARTNER),
        ("g.uest@partner.example", "guest@partner.example", Kind.EXTERNAL),
        ("partner.example", "anybody@partner.example", Kind.PARTNER),
        ("partner.example", "anybody@sub.partner.example", Kind.EXTERNAL),
        ("partner.example", "a@evilpartner.example", Kind.EXTERNAL),
        ("partner.example", "a@partner.example.evil.test", Kind.EXTERNAL),
        ("gmail.com", "anybody@gmail.com", Kind.EXTERNAL),
    ],
)
def test_identities_match_as_the_catalogue_says(value: str, address: str, expected: Kind) -> None:
    """Vectors I1, I2, I4, I5: mailboxes and whole domains, no free-mail host."""
    found = guest_of(address, registry=a_registry(identities=registered(value)))

    assert (found.kind, found.confidence) == (expected, Confidence.ADDRESS)


def test_a_person_comes_before_the_domain() -> None:
    """An address row of one partner beats the domain row of another."""
    rows = (*registered("partner.example"), *registered(GUIDE, partner_id="other"))

    assert guest_of(GUIDE, registry=a_registry(identities=rows)).partner_id == "other"


def test_lookalikes_are_outsiders_that_imitate_somebody() -> None:
    """Vector I3: a Cyrillic letter makes another domain, and tells whom it imitates."""
    found = guest_of("guide@pаrtner.example")

    assert (found.kind, found.partner_id) == (Kind.EXTERNAL, None)
    assert found.lookalike_of == "northstar"


# --- Exemptions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(NOT_PARTNER_KINDS))
@pytest.mark.parametrize("value", ["parent@home.example", "home.example", "Home.EXAMPLE"])
def test_exempt_outsiders_are_no_partners(kind: ExemptionKind, value: str) -> None:
    """By address or by domain, for every kind that exempts people."""
    registry = a_registry(exemptions=(an_exemption(kind, value),))

    found = guest_of("Parent+x@home.example", registry=registry)

    assert found.kind is Kind.EXEMPT
    assert found.exemption is not None
    assert guest_of("parent@sub.home.example", registry=registry).kind is Kind.EXTERNAL


@pytest.mark.parametrize("kind", sorted(set(ExemptionKind) - NOT_PARTNER_KINDS))
def test_other_exemptions_leave_people_what_they_are(kind: ExemptionKind) -> None:
    """A clinician or tutor stays a partner."""
    registry = a_registry(exemptions=(an_exemption(kind, GUIDE),))

    assert guest_of(GUIDE, registry=registry).kind is Kind.PARTNER


def test_a_free_mail_host_is_never_exempt() -> None:
    """One row must not let everybody with a free mailbox pass."""
    row = an_exemption(ExemptionKind.ADULT_BUSINESS, "gmail.com")

    assert guest_of("x@gmail.com", registry=a_registry(exemptions=(row,))).kind is Kind.EXTERNAL


def test_an_exempt_person_comes_before_the_registry_and_a_person_before_an_exempt_domain() -> None:
    """Precedence: exempt person, registered person, exempt domain, registered domain."""
    exempt = an_exemption(ExemptionKind.GUARDIAN, GUIDE)
    domain = an_exemption(ExemptionKind.ADULT_BUSINESS, "partner.example")
    person = registered(GUIDE)

    def kind(*exemptions: object, identities: object = ()) -> Kind:
        registry = a_registry(exemptions=exemptions, identities=identities)
        return guest_of(GUIDE, registry=registry).kind

    assert kind(exempt, identities=person) is Kind.EXEMPT
    assert kind(domain, identities=person) is Kind.PARTNER
    assert kind(domain, identities=registered("partner.example")) is Kind.EXEMPT


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 10, 13, 4, 59, 59, tzinfo=UTC), Kind.EXTERNAL),
        (datetime(2026, 10, 13, 5, tzinfo=UTC), Kind.EXEMPT),
        (datetime(2026, 10, 15, 4, 59, 59, tzinfo=UTC), Kind.EXEMPT),
        (datetime(2026, 10, 15, 5, tzinfo=UTC), Kind.EXTERNAL),
    ],
)
def test_exemptions_last_whole_local_days(at: datetime, expected: Kind) -> None:
    """From midnight to midnight in Chicago, the last day included."""
    row = an_exemption(
        ExemptionKind.GUARDIAN,
        "parent@home.example",
        starts_on=date(2026, 10, 13),
        ends_on=date(2026, 10, 14),
    )

    found = guest_of("parent@home.example", registry=a_registry(exemptions=(row,)), at=at)

    assert found.kind is expected


def test_a_later_row_counts_where_the_first_is_over() -> None:
    """Of several rows for one person the one in force counts."""
    old = an_exemption(ExemptionKind.GUARDIAN, "p@home.example", ends_on=date(2026, 8, 2))
    new = an_exemption(ExemptionKind.INTERPRETER, "p@home.example")

    found = guest_of("p@home.example", registry=a_registry(exemptions=(old, new)))

    assert found.exemption == new


# --- Meetings -----------------------------------------------------------------------------------


def test_the_organizer_is_a_guest_even_when_the_list_leaves_them_out() -> None:
    """Google may leave the organizer out of `attendees[]`; calendars are nobody."""
    meeting = a_meeting((), guests=(a_guest(GUIDE),), organizer=a_guest(HOST))
    accounts = {key_of(HOST): DIRECTORY[HOST]}

    invitees, organizer, creator = classify(meeting, accounts, a_roster())

    assert [i.kind for i in invitees] == [Kind.PARTNER, Kind.STAFF]
    assert organizer is not None
    assert organizer.kind is Kind.STAFF
    assert creator is not None

    listed = replace(meeting, guests=(a_guest(HOST), a_guest(GUIDE)))
    assert [i.kind for i in classify(listed, accounts, a_roster())[0]] == [
        Kind.STAFF,
        Kind.PARTNER,
    ]
    calendar = replace(meeting, organizer=a_guest("c_1@group.calendar.google.com"))
    assert [i.kind for i in classify(calendar, accounts, a_roster())[0]] == [Kind.PARTNER]


def test_guests_are_classified_as_of_the_start() -> None:
    """An exemption that is over by then exempts nobody."""
    row = an_exemption(ExemptionKind.GUARDIAN, "mum@home.example", ends_on=START.date())
    roster = a_roster(a_registry(exemptions=(row,)))
    meeting = a_meeting((), guests=(a_guest("mum@home.example"),), organizer=None, creator=None)
    later = replace(meeting, start_at=START + timedelta(days=1))

    assert [i.kind for i in classify(meeting, {}, roster)[0]] == [Kind.EXEMPT]
    assert [i.kind for i in classify(later, {}, roster)[0]] == [Kind.EXTERNAL]


def test_an_account_is_a_partners_by_the_address_that_was_invited() -> None:
    """By an alias that the registry names, or that lies in a partner's domain."""
    alias, abroad = "grace@district.example", "casey@partner.example"
    roster = a_roster(a_registry(identities=registered(alias, "partner.example")))
    contractor = an_account(CONTRACTOR, AccountKind.OTHER)

    both = a_roster(
        a_registry(identities=(*registered(HOST, partner_id="other"), *registered(alias)))
    )

    by_alias = roster.guest(a_guest(alias), DIRECTORY[HOST], START)
    by_domain = roster.guest(a_guest(abroad), contractor, START)

    assert (by_alias.kind, by_alias.partner_id) == (Kind.PARTNER, "northstar")
    assert (by_domain.kind, by_domain.partner_id) == (Kind.PARTNER, "northstar")
    assert both.guest(a_guest(alias), DIRECTORY[HOST], START).partner_id == "northstar"
    assert both.guest(a_guest(HOST), DIRECTORY[HOST], START).partner_id == "other"


LOOKALIKE = an_invitee(Kind.EXTERNAL, "x@pаrtner.example", lookalike_of="northstar")
EXEMPT = an_invitee(Kind.EXEMPT, "p@home.example")


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ((HOST_INVITEE, *CLASS), Scope.NONE),
        ((HOST_INVITEE, EXEMPT, *CLASS), Scope.NONE),
        ((HOST_INVITEE, an_invitee(Kind.UNKNOWN, "n@district.example"), *CLASS), Scope.NONE),
        ((HOST_INVITEE, STRANGER), Scope.ADULT),
        ((HOST_INVITEE, STRANGER, *CLASS), Scope.FULL),
        ((HOST_INVITEE, STRANGER, EXEMPT), Scope.ADULT),
        ((HOST_INVITEE, PARTNER), Scope.FULL),
        ((HOST_INVITEE, LOOKALIKE), Scope.FULL),
    ],
)
def test_scope_follows_guests(people: tuple[Invitee, ...], expected: Scope) -> None:
    """In scope with one outsider; full with a student, a partner, or a look-alike of one."""
    assert scope_of(people) is expected


def test_a_hidden_guest_list_is_full_scope() -> None:
    """Who cannot be read may be anybody."""
    assert scope_of((HOST_INVITEE,), is_guest_list_complete=False) is Scope.FULL
    assert scope_of((HOST_INVITEE, STRANGER), is_guest_list_complete=False) is Scope.FULL


def test_who_joined_counts_like_who_was_invited() -> None:
    """A student or a look-alike in the call makes an adults' meeting full scope."""
    adults = (HOST_INVITEE, STRANGER)
    imitator = an_attendance("x", Kind.EXTERNAL, (0, 5), lookalike_of="northstar")

    assert scope_of(adults, [an_attendance("k", Kind.STUDENT, (0, 5))]) is Scope.FULL
    assert scope_of(adults, [imitator]) is Scope.FULL
    assert scope_of((), [an_attendance("x", Kind.EXTERNAL, (0, 5))]) is Scope.ADULT


def test_an_obscured_outsider_with_students_is_in_scope() -> None:
    """The audit log says external: an ad-hoc call with a student is seen although nobody is named.

    Anonymous people and phones may be anybody.
    """
    students = [an_attendance("k", Kind.STUDENT, (0, 45))]
    masked = resolved(in_audit("x***@y***.com", (0, 45), form=IdentityForm.MASKED)).attendances

    assert scope_of((), [*students, *masked]) is Scope.FULL
    assert scope_of((), [*students, somebody((0, 45))]) is Scope.NONE


# --- Names --------------------------------------------------------------------------------------


def test_name_words_are_keyed_and_plain() -> None:
    """Accents, case, order and signs do not matter; short words and numbers are left out."""
    assert name_tokens(KEYS, "José  GARCÍA-Lopez") == name_tokens(KEYS, "lopez.jose", "garcia")
    assert name_tokens(KEYS, "Li 12345 \u202eX") == ()
    assert "garcia" not in "".join(name_tokens(KEYS, "Garcia"))


def test_a_name_of_a_megabyte_is_cut() -> None:
    """What anybody types has a bound."""
    assert len(name_tokens(KEYS, "abc " * 300_000)) == 1


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Dana", "Dana Rivera", True),
        ("Dana Rivera", "Dana Rivera (Northstar)", True),
        ("Dana Rivera", "Dana Smith", False),
        ("Dana", "Robin", False),
        ("", "Dana", False),
        ("", "", False),
    ],
)
def test_names_are_compatible_when_one_holds_the_other(
    one: str, other: str, expected: bool
) -> None:
    """In both directions alike."""
    left, right = name_tokens(KEYS, one), name_tokens(KEYS, other)

    assert are_names_compatible(left, right) is expected
    assert are_names_compatible(right, left) is expected


# --- The whole answer ---------------------------------------------------------------------------

PIA = RegistryIdentity("northstar", IdentityKind.ADDRESS, "pia@gmail.com", "Pia Lund")


def test_all_that_is_told_of_a_guest() -> None:
    """Kind, confidence, partner, the registry's name for the person, and whose account it is."""
    people = a_registry(identities=(PIA, *registered("partner.example")))
    told = {
        address: guest_of(address, account, registry=people)
        for address, account in (
            ("pia@gmail.com", None),
            (GUIDE, None),
            ("eve@elsewhere.example", None),
            ("new@district.example", None),
            (HOST, DIRECTORY[HOST]),
        )
    }

    assert told["pia@gmail.com"] == Invitee(
        a_guest("pia@gmail.com"), Kind.PARTNER, Confidence.ADDRESS, "northstar", "Pia Lund"
    )
    assert told[GUIDE] == Invitee(a_guest(GUIDE), Kind.PARTNER, Confidence.ADDRESS, "northstar")
    assert told["eve@elsewhere.example"] == Invitee(
        a_guest("eve@elsewhere.example"), Kind.EXTERNAL, Confidence.ADDRESS
    )
    assert told["new@district.example"] == Invitee(
        a_guest("new@district.example"), Kind.UNKNOWN, Confidence.NONE, is_district_account=True
    )
    assert told[HOST] == Invitee(
        a_guest(HOST), Kind.STAFF, Confidence.DIRECTORY, is_district_account=True
    )


def test_a_registered_district_address_without_account_is_a_partner_of_ours() -> None:
    """The registry names the address: not unknown, and still one of the district's."""
    found = guest_of(CONTRACTOR, registry=a_registry(identities=registered(CONTRACTOR)))

    assert (found.kind, found.is_district_account) == (Kind.PARTNER, True)


def test_resources_are_rooms_for_sure() -> None:
    """By what the calendar says, without the directory."""
    room = a_guest("room@resource.calendar.google.com", is_resource=True)

    assert a_roster().guest(room, None, START) == Invitee(room, Kind.ROOM, Confidence.DIRECTORY)


def test_an_account_under_an_alias_is_known_by_the_address_on_the_list() -> None:
    """An exemption for that address holds for a contractor's account, on its days."""
    alias = "c.alias@district.example"
    exempt = an_exemption(ExemptionKind.GUARDIAN, alias)
    account = an_account(CONTRACTOR, AccountKind.OTHER)
    found = guest_of(alias, account, registry=a_registry(exemptions=(exempt,)))
    nameless = guest_of(alias, replace(account, address="not an address"))
    without_address = guest_of(alias, replace(account, address=None))

    assert (found.kind, found.guest, found.exemption) == (Kind.EXEMPT, a_guest(alias), exempt)
    assert nameless.kind is without_address.kind is Kind.EXTERNAL


def test_the_address_of_an_account_is_keyed_once() -> None:
    """The second time it is remembered, and the same."""
    roster, account = a_roster(), an_account(CONTRACTOR, AccountKind.OTHER)

    assert roster.own_address(account) == roster.own_address(account)
    assert roster.own_address(account) == (key_of(CONTRACTOR), "district.example")
    assert roster.outside_address(account, None, None) == (key_of(CONTRACTOR), "district.example")
    assert roster.outside_address(replace(account, address=None), None, None) == (None, "")


def test_a_name_is_cut_before_it_is_keyed() -> None:
    """Two hundred characters at most, and twelve of each key."""
    long = "a" * 196 + " bbb"

    assert [len(token) for token in name_tokens(KEYS, long)] == [12, 12]
    assert name_tokens(KEYS, long + "c") == name_tokens(KEYS, long)


def test_a_meeting_without_organizer_and_creator_has_guests_only() -> None:
    """Neither is made up."""
    meeting = a_meeting((PARTNER,), organizer=None, creator=None)

    invitees, organizer, creator = classify(meeting, {}, a_roster())

    assert ([i.guest for i in invitees], organizer, creator) == ([PARTNER.guest], None, None)


# --- Units and visits ---------------------------------------------------------------------------

UNITS = DistrictUnits(("/Staff",), ("/Students",), ("/Staff/Contractors",))


@pytest.mark.parametrize(
    ("path", "active", "inactive"),
    [
        ("/Staff", AccountKind.STAFF, AccountKind.INACTIVE),
        ("/staff/Lincoln/", AccountKind.STAFF, AccountKind.INACTIVE),
        ("/Staff/Contractors/IT", AccountKind.OTHER, AccountKind.OTHER),
        ("/Students/Lincoln", AccountKind.STUDENT, AccountKind.STUDENT),
        ("/Staffing", AccountKind.OTHER, AccountKind.OTHER),
        ("/", AccountKind.OTHER, AccountKind.OTHER),
    ],
)
def test_units_make_staff_and_students(
    path: str, active: AccountKind, inactive: AccountKind
) -> None:
    """Whole subtrees by segments, whatever the case; contractors are no staff."""
    assert UNITS.kind_of(path, active=True, guest=False) is active
    assert UNITS.kind_of(path, active=False, guest=False) is inactive
    assert UNITS.kind_of(path, active=True, guest=True) is AccountKind.GUEST


def test_a_unit_may_be_written_with_a_slash_at_its_end() -> None:
    """In the directory and in the configuration."""
    assert within("/Staff/", "/Staff")
    assert within("/Staff", "/Staff/")
    assert within("/STAFF/a", "/staff")
    assert within("/Staff/TX", "/Staff/TX")
    assert within("/anything", "/")
    assert not within("/Staff/TXX", "/Staff/TX")


def test_pseudonyms_stay_what_they_were() -> None:
    """They are stored: with another text under the key everybody would be somebody new."""

    def of(text: str) -> str:
        data = text.encode("utf-8", "surrogatepass")
        return hmac.new(b"test key", data, hashlib.sha256).hexdigest()[:32]

    assert KEYS.id("123") == of("id\0" + "123")
    assert KEYS.address("ann@d.example") == of("address\0ann@d.example")
    assert KEYS.name("  ANN  Lee ") == of("name\0ann lee")
    assert KEYS.student_id("s12345") == of("student id\0s12345")[:16]
    assert KEYS.student_name("lee", "ann") == of("student name\0ann lee")[:16]
    assert KEYS.name("half a sign \ud800") == of("name\0half a sign \ud800")


def test_a_visit_keeps_all_but_the_identity() -> None:
    """Source, keys and times stay as they were read."""
    seen = a_visit("v", 1, 3, last_seen_at=after(2), is_hull=True)
    raw: Visit[RawIdentity] = Visit(
        seen.source, seen.key, seen.conference, seen.participant,
        RawIdentity(IdentityForm.SIGNED_IN), seen.start_at, seen.end_at, seen.last_seen_at,
        seen.is_hull,
    )  # fmt: skip
    identity = Identity(IdentityForm.ANONYMOUS)

    assert with_identity(raw, identity) == replace(seen, identity=identity)
