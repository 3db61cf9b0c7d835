"""The JSON API: by token only, the same words as the commands, nothing private, nothing twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance
from werkzeug.test import TestResponse

from meetbot.console.access import Role
from meetbot.domain.casework import Noted
from meetbot.domain.flag_documents import flag_document
from meetbot.domain.flags import ChangeKind, FlagChange, FlagStatus
from meetbot.domain.tokens import ApiToken, Scope, token_digest
from tests.builders import a_stored_flag
from tests.console.conftest import PEOPLE, Console

READ, DECIDE, PRIVATE = "mbt_read", "mbt_decide", "mbt_private"
_SCOPES = {
    READ: (Scope.READ,),
    DECIDE: (Scope.DECIDE,),
    PRIVATE: (Scope.DECIDE, Scope.PRIVATE, Scope.READ),
}
EXPIRED, ENDED, UNKNOWN = "mbt_expired", "mbt_ended", "mbt_unknown"


@pytest.fixture
def api(console: Console) -> Console:
    """The console with tokens of every kind."""
    now = console.now
    with console.store.transaction() as tx:
        for number, (text, scopes) in enumerate(_SCOPES.items()):
            tx.tokens.add(_token(f"T-{number}", text, scopes, console))
        tx.tokens.add(_token("T-old", EXPIRED, tuple(Scope), console, hours=-1))
        tx.tokens.add(_token("T-end", ENDED, tuple(Scope), console))
        tx.tokens.end("T-end", by=PEOPLE[Role.OFFICER], at=now)
    return console


def _token(
    token_id: str, text: str, scopes: tuple[Scope, ...], console: Console, hours: int = 1
) -> ApiToken:
    now = console.now
    return ApiToken(
        token_id,
        "Case system",
        token_digest(text),
        scopes,
        PEOPLE[Role.OFFICER],
        now - timedelta(days=1),
        now + timedelta(hours=hours),
    )


def ask(console: Console, path: str, token: str | None = READ, **values: Any) -> TestResponse:
    """GET a path below /api/v1."""
    return _open(console.app.test_client(), "GET", path, token, **values)


def decide(
    console: Console,
    path: str,
    token: str | None = PRIVATE,
    headers: Mapping[str, str] | None = None,
    **changed: Any,
) -> TestResponse:
    """POST a decision: by default an officer acknowledges."""
    body = {"as": "acknowledged", "reason": "seen", "by": PEOPLE[Role.OFFICER]} | changed
    return _open(
        console.app.test_client(),
        "POST",
        f"{path}/decisions",
        token,
        json=body,
        headers=headers or {},
    )


def _open(
    client: FlaskClient, method: str, path: str, token: str | None, **values: Any
) -> TestResponse:
    headers = dict(values.pop("headers", {}))
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return client.open(f"/api/v1{path}", method=method, headers=headers, **values)


def _some_case(console: Console) -> dict[str, Any]:
    found: dict[str, Any] = ask(console, "/cases?status=open&limit=1").get_json()["cases"][0]
    return found


# --- who may ------------------------------------------------------------------------------------

OPERATIONS = (
    ("GET", "/cases", Scope.READ),
    ("GET", "/cases/C-000000000000", Scope.READ),
    ("GET", "/flags", Scope.READ),
    ("GET", "/flags/F-000000000000", Scope.READ),
    ("GET", "/coverage", Scope.READ),
    ("POST", "/cases/C-000000000000/decisions", Scope.DECIDE),
    ("POST", "/flags/F-000000000000/decisions", Scope.DECIDE),
)


def test_the_table_of_operations_is_whole(api: Console) -> None:
    """An operation without a row above fails here."""
    described = ask(api, "/openapi.json", None).get_json()["paths"]
    assert {
        (method.upper(), path) for path, methods in described.items() for method in methods
    } == {
        (
            method,
            "/api/v1"
            + path.replace("C-000000000000", "{case_id}").replace("F-000000000000", "{flag_id}"),
        )
        for method, path, _ in OPERATIONS
    }
    routes = {r.rule for r in api.app.url_map.iter_rules() if r.rule.startswith("/api/")}
    assert len(routes) == len(described) + 1


def test_nobody_gets_in_without_a_good_token_of_the_right_scope(api: Console) -> None:
    """No token, an unknown, expired or ended one: 401. Another scope: 403, whatever is asked."""
    for method, path, scope in OPERATIONS:
        for bad in (None, UNKNOWN, EXPIRED, ENDED, "", "read"):
            answer = _open(api.app.test_client(), method, path, bad)
            assert answer.status_code == 401, (method, path, bad)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.content_type == "application/problem+json"
        other = DECIDE if scope is Scope.READ else READ
        assert _open(api.app.test_client(), method, path, other).status_code == 403


def test_a_signed_in_browser_gets_nothing_here(api: Console) -> None:
    """A cookie opens no operation, so no other site can use somebody's."""
    for method, path, _ in OPERATIONS:
        answer = _open(api.client(Role.OFFICER), method, path, None)
        assert answer.status_code == 401
    assert "Set-Cookie" not in ask(api, "/coverage").headers


def test_the_use_of_a_token_is_noted(api: Console) -> None:
    """So that one nobody uses can be ended."""
    ask(api, "/coverage")
    with api.store.reading() as tx:
        assert {t.id: t.used_at for t in tx.tokens.list()}["T-0"] == api.now


def test_what_programs_read_is_in_the_access_log(api: Console) -> None:
    """A case by its id, a list by its name, a refusal with its reason; each with the token's id."""
    case = _some_case(api)
    ask(api, f"/cases/{case['id']}")
    ask(api, f"/cases/{case['id']}", EXPIRED)
    ask(api, "/cases/C-000000000000")
    with api.store.reading() as tx:
        found = [one.entry for one in tx.access_log.list()]
    assert [(e.action.value, e.subject, e.who, e.reason) for e in reversed(found)] == [
        ("read", "api.list_cases", "T-0", ""),
        ("read", case["id"], "T-0", ""),
        ("refused", "api.get_case", "T-old", "token"),
        ("refused", "C-000000000000", "T-0", "object"),
    ]


# --- reading ------------------------------------------------------------------------------------


def test_flags_are_those_of_the_command(api: Console) -> None:
    """The same objects in the same order, page by page."""
    with api.store.reading() as tx:
        wanted = [flag_document(f) for f in tx.flags.list()]
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = ask(api, f"/flags?status=all&limit=7{after}", PRIVATE).get_json()
        found += page["flags"]
        if page["next"] is None:
            break
        assert len(page["flags"]) == 7
        after = f"&after={page['next']}"
    assert found == json.loads(json.dumps(wanted))


def test_cases_page_and_filter(api: Console) -> None:
    """Every case is on exactly one page; filters leave only what fits."""
    everything = ask(api, "/cases?limit=200").get_json()["cases"]
    first = ask(api, "/cases?limit=3").get_json()
    second = ask(api, f"/cases?limit=3&after={first['next']}").get_json()
    assert first["cases"] + second["cases"] == everything[:6]
    rule = everything[0]["rules"][0]
    fitting = ask(api, f"/cases?limit=200&rule={rule}").get_json()["cases"]
    assert fitting == [case for case in everything if rule in case["rules"]]
    assert ask(api, "/cases?rule=no-such-rule").get_json() == {"cases": [], "next": None}


def test_private_cases_want_their_scope(api: Console) -> None:
    """Without it they are in no list and behind no id, and so are their flags."""
    flag = a_stored_flag("confidential-intruder", uid="clinical@google.com")
    with api.store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.OPENED, flag)], as_of=api.now)
        noted = Noted(None, (), (), is_private=True, starts_at=api.now)
        tx.cases.note(flag.key.occurrence, noted)
    everything = ask(api, "/cases?limit=200", PRIVATE).get_json()["cases"]
    private = [case for case in everything if case["private"]]
    assert len(private) == 1
    for case in private:
        assert ask(api, f"/cases/{case['id']}").status_code == 404
        detail = ask(api, f"/cases/{case['id']}", PRIVATE).get_json()
        for flag in detail["flags"]:
            assert ask(api, f"/flags/{flag['id']}").status_code == 404
    shown = {case["id"] for case in ask(api, "/cases?limit=200").get_json()["cases"]}
    assert shown.isdisjoint({case["id"] for case in private})
    flags = ask(api, "/flags?status=all&limit=200").get_json()["flags"]
    assert "confidential-intruder" not in {flag["rule"] for flag in flags}


def test_nothing_that_is_answered_names_a_student(api: Console) -> None:
    """Neither an address of their domain nor a name of the district's students."""
    text = ask(api, "/flags?status=all&limit=200", PRIVATE).get_data(as_text=True)
    for case in ask(api, "/cases?limit=200", PRIVATE).get_json()["cases"]:
        text += ask(api, f"/cases/{case['id']}", PRIVATE).get_data(as_text=True)
    assert "students.district.example" not in text


def test_coverage_says_whether_everything_was_read(api: Console) -> None:
    """The numbers of the weekly summary."""
    told = ask(api, "/coverage").get_json()
    assert told["calendars_read"] > 0
    assert told["complete"] is (not told["problems"] and not told["undecided"])


# --- deciding -----------------------------------------------------------------------------------


def test_a_decision_is_that_of_the_officer_named(api: Console) -> None:
    """It is stored, told as an event and counted in the version."""
    case = _some_case(api)
    answer = decide(api, f"/cases/{case['id']}")
    assert answer.status_code == 201
    told = answer.get_json()
    assert told["event"]["by"] == PEOPLE[Role.OFFICER]
    assert told["case"]["status"] == "acknowledged"
    assert told["case"]["version"] > case["version"]


def test_one_flag_can_be_decided_alone(api: Console) -> None:
    """The others of its case stay as they are."""
    cases = ask(api, "/cases?status=open&limit=200").get_json()["cases"]
    case = next(c for c in cases if c["pending"] > 1)
    flags = ask(api, f"/cases/{case['id']}").get_json()["flags"]
    one = next(f for f in flags if f["status"] == "open")
    wanted: Any = {"as": "dismissed", "reason": "technical"}
    answer = decide(api, f"/flags/{one['id']}", **wanted)
    assert answer.status_code == 201
    assert answer.get_json()["event"]["flags"] == [one["id"]]
    with api.store.reading() as tx:
        assert tx.flags.get(one["id"]).status is FlagStatus.DISMISSED
    assert answer.get_json()["case"]["pending"] == case["pending"] - 1


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"as": "approved"}, "as"),
        ({"reason": "because"}, "reason"),
        ({"as": "dismissed", "reason": "other"}, "note"),
        ({"by": "somebody@elsewhere.example"}, "by"),
        ({"by": PEOPLE[Role.OPERATOR]}, "by"),
        ({"surplus": 1}, "surplus"),
        ({"note": 7}, "note"),
    ],
)
def test_a_wrong_decision_is_refused_with_the_place(
    api: Console, changed: dict[str, Any], place: str
) -> None:
    """Every mistake names what is wrong, and nothing is stored."""
    case = _some_case(api)
    answer = decide(api, f"/cases/{case['id']}", **changed)
    assert answer.status_code == 422
    assert place in [error["place"] for error in answer.get_json()["errors"]]
    assert _some_case(api) == case


def test_what_has_changed_since_is_not_decided(api: Console) -> None:
    """If-Match with an old version gives 412; with the current one it works."""
    case = _some_case(api)
    path = f"/cases/{case['id']}"
    etag = ask(api, path).headers["ETag"]
    assert decide(api, path, headers={"If-Match": '"0"'}).status_code == 412
    assert decide(api, path, headers={"If-Match": etag}).status_code == 201
    assert decide(api, path, headers={"If-Match": etag}).status_code == 412


def test_the_same_key_does_nothing_twice(api: Console) -> None:
    """The same request gets the same answer; another one with its key is refused."""
    case = _some_case(api)
    path, headers = f"/cases/{case['id']}", {"Idempotency-Key": "one"}
    first = decide(api, path, headers=headers)
    again = decide(api, path, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.get_json() == again.get_json()
    other = decide(api, path, headers=headers, note="different")
    assert other.status_code == 409
    with api.store.reading() as tx:
        assert len(tx.cases.events(case["id"])) == 1


def test_a_refused_request_may_be_repeated_with_its_key(api: Console) -> None:
    """Only what was done is remembered."""
    case = _some_case(api)
    path, headers = f"/cases/{case['id']}", {"Idempotency-Key": "two"}
    assert decide(api, path, headers=headers, reason="because").status_code == 422
    assert decide(api, path, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
    ],
)
def test_a_body_that_is_no_decision_is_refused(
    api: Console, data: bytes, content_type: str, status: int
) -> None:
    """Broken JSON, something else than an object, another type."""
    answer = _open(
        api.app.test_client(),
        "POST",
        f"/cases/{_some_case(api)['id']}/decisions",
        PRIVATE,
        data=data,
        content_type=content_type,
    )
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


# --- the document -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_the_document_says(api: Console, mode: GenerationMode) -> None:
    """Whatever is asked, rightly or not, the answer is one that is described."""
    api.app.config["TRUSTED_HOSTS"] = ["localhost"]
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api.app)
    schema.validate()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)

        @given(case=found.ok().as_strategy(generation_mode=mode))
        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        def ask_anything(case: schemathesis.Case[Any]) -> None:
            # Whether a reason goes with a decision, and who is an officer, no schema can tell.
            beside: list[Any] = [positive_data_acceptance] if case.method == "POST" else []
            headers = {"Authorization": f"Bearer {PRIVATE}"}
            case.call_and_validate(headers=headers, excluded_checks=beside)

        ask_anything()
