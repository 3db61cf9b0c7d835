"""Directory v1: users, groups, members, org units, domains and domain aliases.

All but `viewType=domain_public` needs an administrator as subject
(https://developers.google.com/workspace/admin/directory/v1/guides/delegation).
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from meetbot.sandbox.call import Call, cut_page, place_of
from meetbot.sandbox.discovery import Json
from meetbot.sandbox.model import Group, User, stable_number, stable_word
from meetbot.sandbox.replies import ApiError
from meetbot.sandbox.world import World

_CUSTOMER = "C0sandbox"
_CLAUSE = re.compile(r"(\w+)(=|:)('(?:[^'\\]|\\.)*'|\S+)\s*")
_FLAGS: dict[str, Callable[[User], bool]] = {
    "isSuspended": lambda user: user.suspended,
    "isArchived": lambda user: user.archived,
    "isAdmin": lambda user: user.admin,
    "isGuest": lambda user: bool(user.guest_of),
}
UserTest = Callable[[User], bool]


# --- users ---------------------------------------------------------------------------------------


def list_users(call: Call) -> Json:
    """`users.list`; guests come along unless the query says `isGuest=false`."""
    public = call.text("viewType") == "domain_public"
    if not public:
        _need_admin(call)
    wanted = _query(call.text("query"), public=public)
    deleted = call.text("showDeleted") == "true"
    in_domain = _domain_test(call)
    found = [
        user
        for user in call.world.users.values()
        if user.deleted is deleted
        and user.searchable
        and not user.room
        and in_domain(user.email)
        and wanted(user)
    ]
    size = call.page_size("maxResults", 100, 500)
    page, token = cut_page(
        call, _ordered(call, found), lambda pair: [pair[0]], place_of(call), size
    )
    users = [_user(one, call, public=public) for _, one in page]
    return _paged("users", users, token)


def get_user(call: Call) -> Json:
    """`users.get` by primary address, alias or id."""
    public = call.text("viewType") == "domain_public"
    if not public:
        _need_admin(call)
    user = call.world.find_user(call.path["userKey"])
    if user is None or user.room:
        raise ApiError(404, "Resource Not Found: userKey")
    return _user(user, call, public=public)


def _ordered(call: Call, users: Iterable[User]) -> list[tuple[int, User]]:
    """Users with their rank, so that pages follow the order asked for."""
    keys: dict[str, Callable[[User], str]] = {
        "familyName": lambda user: user.name.rpartition(" ")[2].lower(),
        "givenName": lambda user: user.name.lower(),
    }
    key = keys.get(call.text("orderBy"), lambda user: user.email)
    down = call.text("sortOrder") == "DESCENDING"
    return list(enumerate(sorted(users, key=key, reverse=down)))


def _query(text: str, *, public: bool) -> UserTest:
    """The `query` grammar; clauses are joined by AND. Raises ApiError 400.

    https://developers.google.com/workspace/admin/directory/v1/guides/search-users
    """
    tests: list[UserTest] = []
    rest = text.strip()
    while rest:
        match = _CLAUSE.match(rest)
        if match is None:
            raise ApiError(400, "Invalid Input: query", "invalid")
        value = match[3]
        if value.startswith("'"):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        tests.append(_clause(match[1], match[2], value, public=public))
        rest = rest[match.end() :]
    return lambda user: all(test(user) for test in tests)


def _clause(name: str, sign: str, value: str, *, public: bool) -> UserTest:
    if name in _FLAGS and sign == "=" and value in ("true", "false"):
        flag = _FLAGS[name]
        return lambda user: flag(user) is (value == "true")
    if name == "orgUnitPath" and sign == "=" and not public:
        below = value.rstrip("/") + "/"
        return lambda user: (user.unit + "/").startswith(below)
    if name == "email":
        return _email_test(sign, value.lower())
    if name in ("name", "givenName", "familyName"):
        return lambda user: value.lower().rstrip("*") in user.name.lower()
    raise ApiError(400, "Invalid Input: query", "invalid")


def _email_test(sign: str, value: str) -> UserTest:
    if sign == ":" and value.endswith("*"):
        start = value[:-1]
        return lambda user: any(one.startswith(start) for one in [user.email, *user.aliases])
    return lambda user: value in (user.email, *user.aliases)


def _user(user: User, call: Call, *, public: bool) -> Json:
    given, _, family = user.name.rpartition(" ")
    name = {"givenName": given, "familyName": family, "fullName": user.name}
    answer: Json = {
        "kind": "admin#directory#user",
        "id": user.user_id,
        "etag": f'"{stable_word(user.email, 20)}"',
        "primaryEmail": user.email,
        "name": name,
    }
    if public:
        return answer
    answer |= {
        "isAdmin": user.admin,
        "isDelegatedAdmin": False,
        "lastLoginTime": "2026-09-01T13:00:00.000Z",
        "creationTime": "2024-08-15T13:00:00.000Z",
        "agreedToTerms": True,
        "suspended": user.suspended,
        "archived": user.archived,
        "changePasswordAtNextLogin": False,
        "ipWhitelisted": False,
        "emails": [{"address": one} for one in user.aliases]
        + [{"address": user.email, "primary": True}],
        "customerId": _CUSTOMER,
        "orgUnitPath": user.unit,
        "isMailboxSetup": not user.guest_of,
        "isEnrolledIn2Sv": True,
        "isEnforcedIn2Sv": False,
        "includeInGlobalAddressList": True,
    }
    return answer | _sometimes(user, call.world)


def _sometimes(user: User, world: World) -> Json:
    """Fields that are there only when they have something to say."""
    more: Json = {}
    if user.aliases:
        more["aliases"] = user.aliases
    local, _, domain = user.email.partition("@")
    shadows = [f"{local}@{one}" for one, of in world.domain_aliases.items() if of == domain]
    if shadows:
        more["nonEditableAliases"] = shadows
    if user.external_ids:
        more["externalIds"] = [{"value": one, "type": "organization"} for one in user.external_ids]
    if user.suspended:
        more["suspensionReason"] = "ADMIN"
    if user.deleted:
        more["deletionTime"] = "2026-09-01T13:00:00.000Z"
    if user.guest_of:
        more["isGuestUser"] = True
        more["guestAccountInfo"] = {"primaryGuestEmail": user.guest_of}
    return more


# --- groups --------------------------------------------------------------------------------------


def list_groups(call: Call) -> Json:
    """`groups.list` of the customer, a domain, or those of one `userKey`."""
    _need_admin(call)
    member = call.text("userKey").lower()
    in_domain = _domain_test(call, or_user=True)
    found = [
        group
        for group in call.world.groups.values()
        if in_domain(group.email) and (not member or member in group.members)
    ]
    size = call.page_size("maxResults", 200, 200)
    page, token = cut_page(call, found, lambda group: [group.email], place_of(call), size)
    return _paged("groups", [_group(one) for one in page], token)


def get_group(call: Call) -> Json:
    """`groups.get`."""
    _need_admin(call)
    return _group(_found_group(call))


def list_members(call: Call) -> Json:
    """`members.list`; outsiders are members like others, foreign groups never expand."""
    _need_admin(call)
    group = _found_group(call)
    members = call.world.members_of(group, derived=call.flag("includeDerivedMembership"))
    numbered: list[tuple[int, str]] = list(enumerate(members))
    size = call.page_size("maxResults", 200, 200)
    page, token = cut_page(call, numbered, lambda pair: [pair[0]], place_of(call), size)
    return _paged("members", [_member(call.world, one) for _, one in page], token)


def _found_group(call: Call) -> Group:
    group = call.world.find_group(call.path["groupKey"])
    if group is None:
        raise ApiError(404, "Resource Not Found: groupKey")
    return group


def _group(group: Group) -> Json:
    return {
        "kind": "admin#directory#group",
        "id": group.group_id,
        "etag": f'"{stable_word(group.email, 20)}"',
        "email": group.email,
        "name": group.name,
        "directMembersCount": str(len(group.members)),
        "description": "",
        "adminCreated": True,
    }


def _member(world: World, address: str) -> Json:
    user, group = world.find_user(address), world.find_group(address)
    kind = "GROUP" if group is not None else "USER"
    member: Json = {
        "kind": "admin#directory#member",
        "etag": f'"{stable_word(address, 20)}"',
        "id": stable_number("outside " + address),
        "email": address,
        "role": "MEMBER",
        "type": kind,
    }
    if user is not None:
        member |= {"id": user.user_id, "status": "SUSPENDED" if user.suspended else "ACTIVE"}
    if group is not None:
        member["id"] = group.group_id
    return member


# --- units and domains ---------------------------------------------------------------------------


def list_units(call: Call) -> Json:
    """`orgunits.list`: all below `orgUnitPath`, or its direct children (the default)."""
    _need_admin(call)
    _need_customer(call.path["customerId"])
    top = "/" + call.text("orgUnitPath").strip("/")
    kind = call.text("type") or "children"
    if top != "/" and top not in call.world.units:
        raise ApiError(404, "Org unit not found")
    below = top.rstrip("/") + "/"
    found = [unit for unit in call.world.units if unit.startswith(below)]
    if kind == "children":
        found = [unit for unit in found if "/" not in unit[len(below) :]]
    if kind == "allIncludingParent":
        found.insert(0, top)
    units = [_unit(one) for one in found]
    return {"kind": "admin#directory#orgUnits", "etag": '"units"'} | (
        {"organizationUnits": units} if units else {}
    )


def _unit(path: str) -> Json:
    above, _, name = path.rpartition("/")
    unit: Json = {
        "kind": "admin#directory#orgUnit",
        "etag": f'"{stable_word(path, 20)}"',
        "name": name or "/",
        "description": "",
        "orgUnitPath": path,
        "orgUnitId": "id:" + stable_word("unit " + path, 15),
    }
    if path != "/":
        unit["parentOrgUnitPath"] = above or "/"
        unit["parentOrgUnitId"] = "id:" + stable_word("unit " + (above or "/"), 15)
    return unit


def list_domains(call: Call) -> Json:
    """`domains.list`; the first domain is the primary one."""
    _need_admin(call)
    _need_customer(call.path["customer"])
    domains = []
    for number, name in enumerate(call.world.domains):
        domain: Json = {
            "kind": "admin#directory#domain",
            "domainName": name,
            "isPrimary": number == 0,
            "verified": True,
            "creationTime": "1723723200000",
        }
        aliases = _aliases(call.world, name)
        domains.append(domain | ({"domainAliases": aliases} if aliases else {}))
    return {"kind": "admin#directory#domains", "etag": '"domains"', "domains": domains}


def list_domain_aliases(call: Call) -> Json:
    """`domainAliases.list`, of all domains or of `parentDomainName`."""
    _need_admin(call)
    _need_customer(call.path["customer"])
    aliases = _aliases(call.world, call.text("parentDomainName"))
    answer: Json = {"kind": "admin#directory#domainAliases", "etag": '"aliases"'}
    return answer | ({"domainAliases": aliases} if aliases else {})


def _aliases(world: World, parent: str) -> list[Json]:
    return [
        {
            "kind": "admin#directory#domainAlias",
            "domainAliasName": alias,
            "parentDomainName": of,
            "verified": True,
            "creationTime": "1723723200000",
        }
        for alias, of in world.domain_aliases.items()
        if parent in ("", of)
    ]


# --- common --------------------------------------------------------------------------------------


def _need_admin(call: Call) -> None:
    if call.subject is None or not call.subject.admin:
        raise ApiError(403, "Not Authorized to access this resource/api", "forbidden")


def _need_customer(customer: str) -> None:
    if customer not in ("my_customer", _CUSTOMER):
        raise ApiError(400, "Bad Request", "badRequest")


def _domain_test(call: Call, *, or_user: bool = False) -> Callable[[str], bool]:
    """Which addresses `customer` or `domain` ask for. Raises ApiError 400 if neither is given."""
    customer, domain = call.text("customer"), call.text("domain").lower()
    if domain:
        if domain not in call.world.domains:
            raise ApiError(404, "Domain not found.")
        return lambda address: address.endswith("@" + domain)
    if customer:
        _need_customer(customer)
    elif not (or_user and call.text("userKey")):
        raise ApiError(400, "Bad Request", "badRequest")
    return lambda _: True


def _paged(name: str, items: list[Json], token: str | None) -> Json:
    answer: Json = {"kind": f"admin#directory#{name}", "etag": f'"{name}"'}
    more: dict[str, Any] = {name: items} if items else {}
    return answer | more | ({"nextPageToken": token} if token is not None else {})


HANDLERS = {
    "directory.users.list": list_users,
    "directory.users.get": get_user,
    "directory.groups.list": list_groups,
    "directory.groups.get": get_group,
    "directory.members.list": list_members,
    "directory.orgunits.list": list_units,
    "directory.domains.list": list_domains,
    "directory.domainAliases.list": list_domain_aliases,
}
