"""Unregistered outsiders: who is one, how their flags are keyed, and whose name they bear."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meetbot.domain.attendance import Attendance
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.registry import Identity, IdentityKind
from meetbot.rules.outsiders import (
    Stranger,
    bears_name,
    by_subject,
    may_be_registered_person,
    stranger_at,
    strangers,
)
from tests.dossiers import (
    CLASS,
    HOST,
    PARTNER,
    a_dossier,
    a_guest,
    a_registry,
    an_invitee,
    partner,
    staff,
    stranger,
)

KEY = "11112222aaaa"


def calling(person: Attendance, *addresses: str | None) -> Attendance:
    """The same person, in one visit for each address."""
    (visit,) = person.visits
    visits = tuple(
        replace(visit, identity=replace(visit.identity, address=address)) for address in addresses
    )
    return replace(person, visits=visits)


def test_strangers_are_invited_or_present() -> None:
    """Nobody who is registered, exempt or of the district; the invited come first."""
    guest = an_invitee(
        Kind.EXTERNAL,
        "a@b.example",
        guest=a_guest("a@b.example", address_key=KEY),
        lookalike_of="northstar",
        confidence=Confidence.COMPATIBLE,
        is_district_account=True,
    )
    exempt = an_invitee(Kind.EXEMPT, "mother@home.example")
    nowhere = an_invitee(Kind.EXTERNAL, "c@d.example", guest=a_guest("c@d.example", domain=""))
    caller = calling(stranger((0, 45)), None, "x@elsewhere.example")
    nameless = stranger((0, 45), person="x2", domain=None)
    dossier = a_dossier(
        (HOST, PARTNER, guest, exempt, nowhere, *CLASS),
        attendances=(staff((0, 45)), partner((0, 45)), caller, nameless),
    )

    assert strangers(dossier) == (
        Stranger("b.example", KEY, "a@b.example", Confidence.COMPATIBLE, True, "northstar"),
        Stranger(
            "elsewhere.example", caller.address_key, "x@elsewhere.example", Confidence.ADDRESS
        ),
    )


def test_who_was_in_the_call_is_known_by_domain() -> None:
    """With the partner it imitates, and whether the district itself knows the account."""
    known = stranger((0, 45), confidence=Confidence.DIRECTORY, domain="partner.examp1e")

    assert stranger_at(known, a_registry()) == Stranger(
        "partner.examp1e", known.address_key, None, Confidence.DIRECTORY, True, "northstar"
    )
    for unknown in (None, ""):
        assert stranger_at(stranger((0, 45), domain=unknown), a_registry()) is None


@pytest.mark.parametrize(
    ("domain", "changes", "subject"),
    [
        ("elsewhere.example", {}, "elsewhere.example"),
        ("gmail.com", {}, "gmail.com#11112222"),
        ("gmail.com", {"address_key": None}, "gmail.com"),
        ("lists.elsewhere.example", {}, "lists.elsewhere.example#11112222"),
        ("googlegroups.com", {}, "googlegroups.com#11112222"),
        ("my.googlegroups.com", {}, "my.googlegroups.com#11112222"),
        ("notgooglegroups.com", {}, "notgooglegroups.com"),
        ("district.example", {"is_district_account": True}, "district.example#11112222"),
    ],
)
def test_a_flag_is_keyed_by_domain_or_person(
    domain: str, changes: dict[str, Any], subject: str
) -> None:
    """By the person where a domain proves no organization."""
    one = Stranger(domain, KEY, None, Confidence.ADDRESS)

    assert replace(one, **changes).subject == subject


def test_people_of_one_subject_are_one_group() -> None:
    """In order of subject, whatever the order of the people."""
    b1, a, b2 = (
        Stranger(domain, None, address, Confidence.ADDRESS)
        for domain, address in (("b.example", "1"), ("a.example", "2"), ("b.example", "3"))
    )

    assert list(by_subject([b1, a, b2])) == [("a.example", [a]), ("b.example", [b1, b2])]


@pytest.mark.parametrize(
    ("address", "name", "is_theirs"),
    [
        ("dana.reyes84@gmail.com", "Dana Reyes", True),
        ("reyes-dana@gmail.com", "dana REYES", True),
        ("dana@gmail.com", "Dana Reyes", False),
        ("dana@gmail.com", "Dana", False),
        ("dana.reyes@elsewhere.example", "Dana Reyes", False),
        (None, "Dana Reyes", False),
        ("dana.reyes@gmail.com", "", False),
        ("no address", "No Address", False),
    ],
)
def test_whose_name_an_address_bears(address: str | None, name: str, is_theirs: bool) -> None:
    """All of several words of it, at a free-mail host."""
    domain = (address or "").rpartition("@")[2]

    assert bears_name(Stranger(domain, KEY, address, Confidence.ADDRESS), name) is is_theirs


def test_any_registered_person_may_have_a_personal_account() -> None:
    """Rows without a name are nobody's."""
    rows = (
        Identity("northstar", IdentityKind.DOMAIN, "partner.example"),
        Identity("northstar", IdentityKind.ADDRESS, "d@partner.example", "Dana Reyes"),
    )
    one = Stranger("gmail.com", KEY, "dana.reyes@gmail.com", Confidence.ADDRESS)

    assert may_be_registered_person(one, a_registry(identities=rows))
    assert not may_be_registered_person(one, a_registry(identities=rows[:1]))
