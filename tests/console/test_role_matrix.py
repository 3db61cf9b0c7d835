"""Every route of the console has a row here: who may, and who is refused."""

from __future__ import annotations

import pytest
from flask import Flask

from meetbot.console.access import Role, roles_of_endpoint
from tests.console.conftest import PEOPLE, Console

ALL = frozenset(Role)
NOBODY_NEEDED: frozenset[Role] = frozenset()
"""Public: answered without signing in."""
READERS = frozenset({Role.OFFICER, Role.PRIVACY, Role.PRINCIPAL, Role.AUDITOR})
"""Of cases and of numbers: principals of those of their own schools."""
DECIDERS = frozenset({Role.OFFICER, Role.PRIVACY})
HOSTS = frozenset({Role.HOST})
ACTIONS = (
    "acknowledge",
    "uphold",
    "dismiss",
    "ask",
    "escalate",
    "remark",
    "confirm",
    "reject",
    "accept",
    "undo",
)

MATRIX: dict[tuple[str, str], frozenset[Role]] = {
    ("GET", "/"): ALL,
    ("GET", "/cases"): READERS,
    ("GET", "/cases.csv"): READERS,
    ("POST", "/cases/acknowledge"): DECIDERS,
    ("GET", "/cases/<case_id>"): READERS,
    ("GET", "/cases/<case_id>/timeline.svg"): READERS,
    ("POST", f"/cases/<case_id>/<any({', '.join(ACTIONS)}):action>"): DECIDERS,
    ("GET", "/answers"): HOSTS,
    ("GET", "/answers/<case_id>"): HOSTS,
    ("GET", "/answers/<case_id>/timeline.svg"): HOSTS,
    ("POST", "/answers/<case_id>/answer"): HOSTS,
    ("POST", "/answers/<case_id>/identify"): HOSTS,
    ("GET", "/signin"): NOBODY_NEEDED,
    ("GET", "/signin/go"): NOBODY_NEEDED,
    ("GET", "/signin/callback"): NOBODY_NEEDED,
    ("POST", "/signout"): NOBODY_NEEDED,
    ("POST", "/language"): NOBODY_NEEDED,
    ("GET", "/access"): frozenset({Role.AUDITOR}),
    ("GET", "/static/<path:filename>"): NOBODY_NEEDED,
    ("GET", "/overview"): READERS,
    ("GET", "/overview/<name>.svg"): READERS,
    ("GET", "/operations"): frozenset({Role.OPERATOR}),
    ("POST", "/operations/release"): frozenset({Role.OPERATOR}),
    ("POST", "/operations/drop"): frozenset({Role.OPERATOR}),
}
"""(method, rule) → the roles that may. A route without a row fails the first test."""

SAMPLE = {
    "filename": "console.css",
    "name": "weeks",
    "case_id": "C-000000000000",
    "action": "uphold",
}
"""Values for the parts of a rule, so that each can be asked for."""


def _routes(app: Flask) -> dict[tuple[str, str], str]:
    """All but those of the API, whose tokens `test_api.py` tries the same way."""
    return {
        (method, rule.rule): rule.endpoint
        for rule in app.url_map.iter_rules()
        if not rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def paths_of(app: Flask) -> list[tuple[str, str]]:
    """Every method and path of the console, with the sample for what is variable in it."""
    return [
        (
            method,
            app.url_map.bind("localhost").build(
                endpoint, {part: SAMPLE[part] for part in _parts(app, rule)}
            ),
        )
        for (method, rule), endpoint in _routes(app).items()
    ]


def test_every_route_has_a_row_and_every_row_a_route(console: Console) -> None:
    """The table names exactly the routes there are, with exactly the roles their views name."""
    routes = _routes(console.app)

    assert set(routes) == set(MATRIX)
    assert {route: roles_of_endpoint(console.app, e) for route, e in routes.items()} == MATRIX


@pytest.mark.parametrize("who", [None, *PEOPLE])
def test_whoever_has_none_of_its_roles_is_refused(console: Console, who: Role | None) -> None:
    """Somebody else gets 403, nobody is led to sign in, whatever the method."""
    client = console.client(who)
    for (method, rule), roles in MATRIX.items():
        if not roles or (who is not None and _roles_of(who) & roles):
            continue
        path = console.app.url_map.bind("localhost").build(
            _routes(console.app)[method, rule],
            {part: SAMPLE[part] for part in _parts(console.app, rule)},
        )
        answer = client.open(path, method=method)
        if who is None:
            assert answer.status_code == 302, (method, rule)
            assert answer.location == "/signin"
        else:
            assert answer.status_code == 403, (method, rule)


def _parts(app: Flask, rule: str) -> set[str]:
    return next(r.arguments for r in app.url_map.iter_rules() if r.rule == rule)


def _roles_of(who: Role) -> frozenset[Role]:
    """Some of them have a staff account, and so may host meetings of their own."""
    return frozenset({who, Role.HOST}) if who in _STAFF else frozenset({who})


_STAFF = (Role.PRINCIPAL, Role.PRIVACY, Role.OPERATOR)
