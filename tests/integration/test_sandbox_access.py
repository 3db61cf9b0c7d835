"""Tokens, scopes and everything that can be made to go wrong, over real HTTP."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import service_account
from googleapiclient.errors import HttpError

from meetbot.sandbox import Sandbox, World
from meetbot.sandbox.call import encode
from meetbot.sandbox.model import joined
from tests.integration.sandbox_client import (
    ADMIN,
    ANN,
    AUTH,
    BEN,
    NOW,
    Ticking,
    google,
    small_world,
)

EVENTS = "calendar.events.readonly"
MEET = "meetings.space.readonly"


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def world(clock: Ticking) -> World:
    return small_world(clock)


@pytest.fixture
def box(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as box:
        yield box


def credentials(box: Sandbox, subject: str | None, *scopes: str, **changed: str) -> Any:
    made = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        box.credentials | changed, scopes=[AUTH + scope for scope in scopes]
    )
    return made.with_subject(subject) if subject else made


def fetch(box: Sandbox, subject: str | None, *scopes: str, **changed: str) -> Any:
    """A token, fetched as google-auth does it."""
    made = credentials(box, subject, *scopes, **changed)
    with requests.Session() as session:
        made.refresh(Request(session))
    return made


def refusal(box: Sandbox, subject: str | None, *scopes: str, **changed: str) -> tuple[str, str]:
    """Error word and description of a refused token request."""
    with pytest.raises(RefreshError) as caught:
        fetch(box, subject, *scopes, **changed)
    body = caught.value.args[1]
    return body["error"], body.get("error_description", "")


@pytest.fixture
def get(box: Sandbox) -> Iterator[Callable[..., requests.Response]]:
    """A plain GET of Ann's with her calendar and Meet rights."""
    token = fetch(box, ANN, EVENTS, MEET).token
    with requests.Session() as session:

        def run(path: str, **headers: str) -> requests.Response:
            given = {"Authorization": f"Bearer {token}"} | headers
            return session.get(box.url + path, headers=given, timeout=5)

        yield run


CALENDAR = "/calendar/v3/calendars/primary/events"
RECORDS = "/v2/conferenceRecords"


# --- tokens --------------------------------------------------------------------------------------


def test_a_token_is_given_for_granted_scopes(box: Sandbox, world: World) -> None:
    """A signed assertion for a known subject and granted scopes gives a bearer token."""
    world.shaping.token_seconds = 120
    made = fetch(box, ANN, EVENTS)
    assert made.token.startswith("ya29.")
    assert box.requests.counts == {"token": 1}
    assert box.requests.lines[0].subject == ANN


@pytest.mark.parametrize(
    ("subject", "scopes", "error", "text"),
    [
        ("nobody@district.example", [EVENTS], "invalid_grant", "Invalid email or User ID"),
        ("no address", [EVENTS], "invalid_grant", "Not a valid email."),
        (BEN, [EVENTS], "invalid_grant", "Invalid email or User ID"),
        (ANN, ["no.such.scope"], "invalid_scope", "Invalid OAuth scope"),
        (ANN, ["gmail.modify"], "unauthorized_client", "not authorized for any of the scopes"),
        (ANN, [EVENTS, "gmail.modify"], "access_denied", ""),
    ],
)
def test_refused_assertions(
    world: World, box: Sandbox, subject: str, scopes: list[str], error: str, text: str
) -> None:
    """Unknown and suspended subjects and scopes outside the grant are refused in Google's words."""
    world.suspend(BEN)
    found = refusal(box, subject, *scopes)
    assert found[0] == error
    assert text in found[1]


def test_one_scope_outside_the_grant_refuses_the_whole_request(world: World, box: Sandbox) -> None:
    """After a scope is revoked, requests that name it fail and others go on."""
    world.revoke_scope(MEET)
    assert refusal(box, ANN, EVENTS, MEET)[0] == "access_denied"
    assert refusal(box, ANN, MEET)[0] == "unauthorized_client"
    assert fetch(box, ANN, EVENTS).token


def test_a_wrong_key_is_noticed(box: Sandbox) -> None:
    """An assertion signed with another key, or by another account, is refused."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    assert refusal(box, ANN, EVENTS, private_key=other.decode())[1] == "Invalid JWT Signature."
    assert refusal(box, ANN, EVENTS, client_email="x@y.example")[0] == "invalid_grant"


def test_a_wrong_clock_is_noticed(world: World) -> None:
    """An assertion far from the server's time is refused as not short-lived."""
    with Sandbox(world, token_clock=lambda: time.time() + 7200) as box:
        assert "short-lived token" in refusal(box, ANN, EVENTS)[1]


def test_planned_refusals(world: World, box: Sandbox) -> None:
    """The endpoint refuses chosen subjects and scopes, as often as told."""
    world.refuse_token(subject=ANN, scope=MEET, error="admin_policy_enforced", times=1)
    assert refusal(box, ANN, MEET)[0] == "admin_policy_enforced"
    assert fetch(box, ANN, MEET).token
    world.fail("token", status=400, reason="disabled_client")
    assert refusal(box, ANN, MEET)[0] == "disabled_client"


def test_malformed_token_requests(box: Sandbox) -> None:
    """Other grants and broken assertions get an OAuth error, never a crash."""
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    for form, error in [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": grant}, "invalid_grant"),
        ({"grant_type": grant, "assertion": "a.b.c"}, "invalid_grant"),
        ({"grant_type": grant, "assertion": "e30.e30.e30"}, "invalid_grant"),
    ]:
        answer = requests.post(box.url + "/token", data=form, timeout=5)
        assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_without_a_subject_nothing_is_visible(box: Sandbox) -> None:
    """The service account by itself gets a token but owns no calendar and no call."""
    token = fetch(box, None, EVENTS, MEET).token
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(box.url + CALENDAR, headers=headers, timeout=5).status_code == 404
    assert requests.get(box.url + RECORDS, headers=headers, timeout=5).json() == {}


# --- bearer tokens and scopes --------------------------------------------------------------------


def test_requests_need_a_living_token(
    world: World, box: Sandbox, get: Callable[..., requests.Response]
) -> None:
    """Without, with an invented or an expired token: 401 in the API's own shape."""
    bare = requests.get(box.url + CALENDAR, timeout=5)
    assert bare.json()["error"]["errors"][0]["reason"] == "required"
    invented = get(CALENDAR, Authorization="Bearer x")
    assert (invented.status_code, invented.json()["error"]["errors"][0]["reason"]) == (
        401,
        "authError",
    )
    assert get(RECORDS, Authorization="Bearer x").json()["error"]["status"] == "UNAUTHENTICATED"
    world.suspend(ANN)
    assert get(CALENDAR).status_code == 401


def test_tokens_expire() -> None:
    """A token is worth nothing after expires_in seconds."""
    moment = time.time()
    world = small_world()
    shift = [0.0]
    with Sandbox(world, token_clock=lambda: moment + shift[0]) as box:
        headers = {"Authorization": f"Bearer {fetch(box, ANN, EVENTS).token}"}
        assert requests.get(box.url + CALENDAR, headers=headers, timeout=5).status_code == 200
        shift[0] = 3600
        assert requests.get(box.url + CALENDAR, headers=headers, timeout=5).status_code == 401


def test_a_missing_scope_is_told_in_each_shape(box: Sandbox) -> None:
    """Calendar lists errors[].reason, Meet gives a status and an ErrorInfo."""
    calls: dict[str, Callable[[Any], Any]] = {
        "calendar": lambda service: service.events().list(calendarId="primary"),
        "meet": lambda service: service.conferenceRecords().list(),
    }
    for api, call in calls.items():
        with (
            google(box, api, ANN, ["gmail.send"]) as service,
            pytest.raises(HttpError) as caught,
        ):
            call(service).execute()
        assert caught.value.status_code == 403
        word = b"insufficientPermissions" if api == "calendar" else b"ACCESS_TOKEN_SCOPE_INSUFF"
        assert word in caught.value.content


def test_unknown_paths_and_methods(get: Callable[..., requests.Response]) -> None:
    """A path no API has is a page, not JSON; a documented but unsimulated method says so."""
    unknown = get("/calendar/v3/nothing")
    assert (unknown.status_code, unknown.headers["Content-Type"]) == (
        404,
        "text/html; charset=UTF-8",
    )
    missing = get("/v2/conferenceRecords/x/recordings")
    assert missing.json()["error"]["status"] == "UNIMPLEMENTED"


@pytest.mark.parametrize(
    "query",
    ["timeMax=0001-01-01T00:00:00%2B14:00", "pageToken=bnVsbA", "pageToken=%FF", "fields=items(",
     "timeZone=" + "x" * 3000, "timeZone=..%2F..%2Fetc", "syncToken=bnVsbA",
     "syncToken=" + encode([ANN, "e", "x", False, [], 1, None]), "fields=%00"],
)  # fmt: skip
def test_hostile_values_are_bad_requests(get: Callable[..., requests.Response], query: str) -> None:
    """Out-of-range times, forged tokens and endless names give 400, never a broken connection."""
    assert get(f"{CALENDAR}?{query}").status_code == 400


# --- faults --------------------------------------------------------------------------------------


def test_one_shot_and_chosen_faults(world: World, get: Callable[..., requests.Response]) -> None:
    """A fault hits as often as told and only what it names."""
    fault = world.fail("calendar", 503, retry_after=7, subject=ANN, path="events$")
    assert get(RECORDS).status_code == 200
    answer = get(CALENDAR)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.json()["error"]["errors"][0]["reason"] == "backendError"
    assert get(CALENDAR).status_code == 200
    assert fault.hits == 1
    world.fail("calendar", 403, "quotaExceeded", times=None, method="calendar.events")
    assert [get(CALENDAR).status_code for _ in range(3)] == [403] * 3
    world.heal()
    assert get(CALENDAR).status_code == 200


@pytest.mark.parametrize("kind", ["drop", "truncated"])
def test_broken_connections(
    world: World, box: Sandbox, get: Callable[..., requests.Response], kind: str
) -> None:
    """A dropped connection and a truncated body are transport errors; the next request works."""
    world.fail(kind=kind)
    with pytest.raises(requests.exceptions.RequestException):
        get(CALENDAR)
    assert get(CALENDAR).status_code == 200
    assert [line.status for line in box.requests.of("calendar.events.list")] == (
        [0, 200] if kind == "drop" else [200, 200]
    )


def test_malformed_json(world: World, get: Callable[..., requests.Response]) -> None:
    """A malformed body comes with status 200 and a right length."""
    world.fail(kind="malformed")
    answer = get(CALENDAR)
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_slow_bodies_arrive_whole(world: World, get: Callable[..., requests.Response]) -> None:
    """A slow body trickles in and is complete in the end."""
    world.fail(kind="slow", seconds=0.08)
    assert get(CALENDAR).json()["kind"] == "calendar#events"


def test_stopping_interrupts_slow_answers(world: World) -> None:
    """The sandbox stops at once although a body would trickle for an hour."""
    with Sandbox(world) as box:
        token = fetch(box, ANN, EVENTS).token
        world.fail(kind="slow", seconds=3600)
        failed = threading.Event()

        def read() -> None:
            headers = {"Authorization": f"Bearer {token}"}
            try:
                requests.get(box.url + CALENDAR, headers=headers, timeout=60)
            except requests.exceptions.RequestException:
                failed.set()

        thread = threading.Thread(target=read)
        thread.start()
        while not box.requests.of("calendar.events.list"):
            threading.Event().wait(0.01)
    thread.join()
    assert failed.is_set()


def test_latency_overlaps(world: World, box: Sandbox) -> None:
    """Requests on several connections wait at the same time, stopping ends the wait."""
    token = fetch(box, ANN, EVENTS).token
    world.shaping.latency = 0.05
    headers = {"Authorization": f"Bearer {token}"}
    codes: list[int] = []

    def read() -> None:
        codes.append(requests.get(box.url + CALENDAR, headers=headers, timeout=30).status_code)

    threads = [threading.Thread(target=read) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 10


@pytest.mark.parametrize(
    ("api", "status", "word"),
    [("calendar", 403, "userRateLimitExceeded"), ("meet", 429, "RESOURCE_EXHAUSTED")],
)
def test_rate_limits_in_the_api_s_own_way(
    world: World,
    clock: Ticking,
    get: Callable[..., requests.Response],
    api: str,
    status: int,
    word: str,
) -> None:
    """Beyond the limit each API answers as Google's does, until the minute has passed."""
    world.limit(api, per_user=2)
    path = CALENDAR if api == "calendar" else RECORDS
    codes = [get(path).status_code for _ in range(3)]
    assert codes == [200, 200, status]
    assert word in get(path).text
    clock.forward(seconds=60)
    assert get(path).status_code == 200


def test_users_are_counted_by_quota_user(
    world: World, get: Callable[..., requests.Response]
) -> None:
    """Without quotaUser all subjects share the service account's quota."""
    world.limit("calendar", per_minute=4, per_user=1, status=429, retry_after=3)
    assert get(CALENDAR).status_code == 200
    refused = get(CALENDAR)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
    assert get(CALENDAR + "?quotaUser=a").status_code == 200
    assert get(CALENDAR, **{"x-goog-quota-user": "b"}).status_code == 200
    assert get(CALENDAR + "?quotaUser=c").status_code == 200
    assert get(CALENDAR + "?quotaUser=d").status_code == 429


def test_the_request_log_knows_who_asked_what(world: World, box: Sandbox) -> None:
    """Method id, path template, subject and quotaUser are logged, never the address asked for."""
    with google(box, "users", ADMIN) as service:
        service.users().get(userKey=ANN, quotaUser="q1").execute()
    (line,) = box.requests.of("directory.users.get")
    assert line.template == "admin/directory/v1/users/{userKey}"
    assert (line.subject, line.quota_user, line.status) == (ADMIN, "q1", 200)
    assert (box.requests.counts, box.requests.total) == ({"token": 1, "directory": 1}, 2)
    box.requests.clear()
    assert box.requests.total == 0


def test_a_taken_port_is_an_error(world: World, box: Sandbox) -> None:
    """Two sandboxes cannot share a port."""
    with pytest.raises(OSError, match="in use"):
        Sandbox(world, port=int(box.url.rpartition(":")[2]))


def test_the_world_may_change_while_it_is_read(world: World, box: Sandbox) -> None:
    """Readers and writers in many threads see whole answers."""
    token = fetch(box, ANN, EVENTS, MEET).token
    headers = {"Authorization": f"Bearer {token}"}
    codes: list[int] = []

    def read() -> None:
        with requests.Session() as session:
            for path in (CALENDAR, RECORDS) * 10:
                codes.append(session.get(box.url + path, headers=headers, timeout=30).status_code)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(50):
        start = NOW - timedelta(minutes=number + 2)
        event = world.add_event(ANN, start, start + timedelta(minutes=1), summary=str(number))
        world.add_conference(event.code, ANN, [[joined(ANN, (start, NOW))]])
    for thread in threads:
        thread.join()
    assert codes == [200] * 80
