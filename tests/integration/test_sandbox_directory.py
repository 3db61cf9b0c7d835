"""The simulated Directory, read with Google's own client."""

from collections.abc import Iterator
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from meetbot.sandbox import Sandbox, World
from tests.integration.sandbox_client import (
    ADMIN,
    ANN,
    BEN,
    KID,
    PARTNER,
    all_pages,
    google,
    small_world,
)


@pytest.fixture
def world() -> World:
    return small_world()


@pytest.fixture
def box(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as box:
        yield box


@pytest.fixture
def users(box: Sandbox) -> Iterator[Any]:
    with google(box, "users", ADMIN) as service:
        yield service.users()


@pytest.fixture
def groups(box: Sandbox) -> Iterator[Any]:
    with google(box, "groups", ADMIN) as service:
        yield service


def found(users: Any, **more: Any) -> list[str]:
    request = users.list(customer="my_customer", **more)
    return [one["primaryEmail"] for one in all_pages(users, request, "users")]


def refused(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as caught:
        request.execute()
    return caught.value.status_code, caught.value.error_details[0]["reason"]


def test_a_user_is_found_by_address_alias_and_id(world: World, users: Any) -> None:
    """users.get takes the primary address, an alias, a domain-alias address or the id."""
    ann = users.get(userKey=ANN).execute()
    assert ann["id"] == world.user(ANN).user_id
    assert ann["nonEditableAliases"] == ["ann.hill@old.example"]
    for key in ("ahill@district.example", "ann.hill@old.example", ann["id"], ANN.upper()):
        assert users.get(userKey=key).execute() == ann
    assert refused(users.get(userKey="118000000000000000000")) == (404, "notFound")


def test_users_are_listed_in_order_and_paged(users: Any) -> None:
    """Pages follow the order asked for."""
    assert found(users, maxResults=1) == sorted([ADMIN, ANN, BEN, KID])
    by_name = found(users, orderBy="familyName", sortOrder="DESCENDING", maxResults=2)
    assert by_name == [KID, BEN, ADMIN, ANN]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("orgUnitPath=/Staff", [ANN, BEN]),
        ("orgUnitPath='/Staff/North'", [ANN]),
        ("orgUnitPath=/Staf", []),
        ("isAdmin=true", [ADMIN]),
        ("isSuspended=true", [KID]),
        ("isSuspended=false orgUnitPath=/Students", []),
        ("email:ahill*", [ANN]),
        ("email=ahill@district.example", [ANN]),
        ("isGuest=true", ["guest@district.example"]),
    ],
)
def test_the_query_grammar(world: World, users: Any, query: str, wanted: list[str]) -> None:
    """Clauses choose users; a unit stands for its whole subtree; guests come unless excluded."""
    world.suspend(KID)
    world.add_user("guest@district.example", unit="/Guests", guest_of=PARTNER)
    assert found(users, query=query) == wanted


def test_guests_suspended_and_deleted_accounts(world: World, users: Any) -> None:
    """Guests carry isGuestUser, suspended accounts a reason, deleted ones vanish."""
    world.add_user("guest@district.example", unit="/Guests", guest_of=PARTNER)
    world.suspend(BEN)
    world.delete_user(KID)
    guest = users.get(userKey="guest@district.example").execute()
    assert (guest["isGuestUser"], guest["guestAccountInfo"]) == (
        True,
        {"primaryGuestEmail": PARTNER},
    )
    ben = users.get(userKey=BEN).execute()
    assert (ben["suspended"], ben["suspensionReason"]) == (True, "ADMIN")
    assert KID not in found(users)
    assert found(users, showDeleted="true") == [KID]
    assert refused(users.get(userKey=KID)) == (404, "notFound")


def test_a_fresh_account_is_known_before_it_is_listed(world: World, users: Any) -> None:
    """users.get may know an account that the listing does not show yet."""
    new = world.add_user("new@district.example", unit="/Staff", searchable=False)
    assert new.email not in found(users)
    assert users.get(userKey=new.user_id).execute()["primaryEmail"] == new.email


def test_room_devices_are_no_accounts(world: World, users: Any) -> None:
    """A room's robot account is in calls but not in the Directory."""
    room = world.add_user("room@resource.calendar.google.com", room=True)
    assert room.email not in found(users)
    assert refused(users.get(userKey=room.user_id)) == (404, "notFound")


def test_moving_between_units_shows(world: World, users: Any) -> None:
    """A changed org unit is told at once."""
    world.set_unit(BEN, "/Staff/Contractors")
    assert users.get(userKey=BEN).execute()["orgUnitPath"] == "/Staff/Contractors"


def test_wrong_questions_about_users(box: Sandbox, users: Any) -> None:
    """A list needs a customer or domain, a proper query and an administrator."""
    assert refused(users.list())[0] == 400
    assert refused(users.list(customer="C0other"))[0] == 400
    assert refused(users.list(domain="else.example"))[0] == 404
    assert refused(users.list(customer="my_customer", query="colour=blue")) == (400, "invalid")
    with google(box, "users", ANN) as service:
        assert refused(service.users().get(userKey=BEN)) == (403, "forbidden")
        public = service.users().list(customer="my_customer", viewType="domain_public").execute()
        assert all("orgUnitPath" not in one for one in public["users"])
    answer = users.list(domain="students.district.example").execute()
    assert [one["primaryEmail"] for one in answer["users"]] == [KID]


def test_groups_and_nested_members(world: World, groups: Any) -> None:
    """Direct members by default, nested ones on request, outsiders among them."""
    world.add_group("inner@district.example", [BEN, "x@else.example"], "Inner")
    world.add_group("club@district.example", [ANN, "inner@district.example"], "Club")
    names = [
        one["email"] for one in groups.groups().list(customer="my_customer").execute()["groups"]
    ]
    assert names == ["club@district.example", "inner@district.example"]
    mine = groups.groups().list(userKey=BEN).execute()["groups"]
    assert [one["email"] for one in mine] == ["inner@district.example"]
    assert groups.groups().get(groupKey=mine[0]["id"]).execute() == mine[0]
    members = groups.members()
    club = "club@district.example"
    direct = all_pages(members, members.list(groupKey=club, maxResults=1), "members")
    assert [(one["email"], one["type"]) for one in direct] == [
        (ANN, "USER"),
        ("inner@district.example", "GROUP"),
    ]
    derived = members.list(groupKey=club, includeDerivedMembership=True).execute()["members"]
    assert [one["email"] for one in derived][2:] == [BEN, "x@else.example"]
    world.set_members(club, [])
    assert "members" not in members.list(groupKey=club).execute()
    assert refused(members.list(groupKey="list@else.example")) == (404, "notFound")


def test_org_units(box: Sandbox) -> None:
    """All units below a path, its direct children, or with the parent."""
    with google(box, "units", ADMIN) as service:
        units = service.orgunits()

        def paths(**more: str) -> list[str]:
            answer = units.list(customerId="my_customer", **more).execute()
            return [one["orgUnitPath"] for one in answer.get("organizationUnits", [])]

        assert paths(type="all") == [
            "/Service", "/Staff", "/Staff/North", "/Staff/South", "/Students", "/Students/North",
        ]  # fmt: skip
        assert paths() == ["/Service", "/Staff", "/Students"]
        assert paths(orgUnitPath="/Staff", type="allIncludingParent")[0] == "/Staff"
        assert paths(orgUnitPath="/Service") == []
        assert refused(units.list(customerId="my_customer", orgUnitPath="/None"))[0] == 404


def test_domains_and_aliases(box: Sandbox) -> None:
    """The first domain is primary; alias domains name their parent."""
    with google(box, "domains", ADMIN) as service:
        domains = service.domains().list(customer="my_customer").execute()["domains"]
        assert [(one["domainName"], one["isPrimary"]) for one in domains] == [
            ("district.example", True),
            ("students.district.example", False),
        ]
        aliases = service.domainAliases().list(customer="my_customer").execute()
        (alias,) = aliases["domainAliases"]
        assert alias["domainAliasName"] == "old.example"
        assert alias == domains[0]["domainAliases"][0]
