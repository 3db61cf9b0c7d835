"""Every row of the facts sheet's error tables, retries, deadlines and quota names."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from meetbot.errors import (
    AccessDenied,
    BadAnswer,
    MeetbotError,
    NotFound,
    Permanent,
    SyncTokenExpired,
    Temporary,
)
from meetbot.workspace.api import CALENDARS, GMAIL, GRANTS, MEET, REPORTS, Api
from meetbot.workspace.client import RetryPolicy
from meetbot.workspace.refusals import retry_after
from tests.workspace_parts import (
    ANN,
    ROOT,
    Parts,
    classic,
    give_token,
    modern,
    parts,
)

EVENTS = f"{ROOT}/calendar/v3/calendars/{ANN.replace('@', '%40')}/events"
RECORDS = f"{ROOT}/v2/conferenceRecords"
ACTIVITIES = f"{ROOT}/admin/reports/v1/activity/users/all/applications/meet"
GOOD = {"items": [], "nextSyncToken": "s"}


@pytest.fixture
def google(tmp_path: Path) -> Parts:
    return parts(tmp_path)


def list_events(google: Parts) -> Any:
    method = google.client.service(Api.CALENDAR).events().list
    return google.client.call(CALENDARS, ANN, method, calendarId=ANN)


def list_records(google: Parts) -> Any:
    return google.client.call(MEET, ANN, google.client.service(Api.MEET).conferenceRecords().list)


def list_activities(google: Parts) -> Any:
    method = google.client.service(Api.REPORTS).activities().list
    return google.client.call(REPORTS, ANN, method, userKey="all", applicationName="meet")


Calling = tuple[Callable[[Parts], Any], str]
CALENDAR: Calling = (list_events, EVENTS)
MEETING: Calling = (list_records, RECORDS)
AUDIT: Calling = (list_activities, ACTIVITIES)

LASTING = [
    (CALENDAR, 400, classic(400, "badRequest"), Permanent),
    (CALENDAR, 403, classic(403, "forbidden"), AccessDenied),
    (CALENDAR, 403, classic(403, "forbiddenForNonOrganizer"), AccessDenied),
    (CALENDAR, 403, classic(403, "insufficientPermissions"), AccessDenied),
    (CALENDAR, 403, classic(403, "accessNotConfigured"), AccessDenied),
    (CALENDAR, 404, classic(404, "notFound"), NotFound),
    (CALENDAR, 409, classic(409, "duplicate"), Permanent),
    (CALENDAR, 410, classic(410, "fullSyncRequired"), SyncTokenExpired),
    (CALENDAR, 410, classic(410, "updatedMinTooLongAgo"), SyncTokenExpired),
    (CALENDAR, 410, classic(410, "deleted"), SyncTokenExpired),
    (CALENDAR, 412, classic(412, "conditionNotMet"), Permanent),
    (CALENDAR, 501, classic(501, "notImplemented"), Permanent),
    (MEETING, 403, modern(403, "PERMISSION_DENIED"), AccessDenied),
    (MEETING, 403, modern(403, "PERMISSION_DENIED", "SERVICE_DISABLED"), AccessDenied),
    (MEETING, 404, modern(404, "NOT_FOUND"), NotFound),
    (AUDIT, 403, classic(403, "forbidden"), AccessDenied),
    (CALENDAR, 403, {"error": "not an object"}, AccessDenied),
    (CALENDAR, 403, {"error": {"errors": "no list", "details": [3]}}, AccessDenied),
]


@responses.activate
@pytest.mark.parametrize(("calling", "status", "body", "kind"), LASTING)
def test_lasting_refusals(
    google: Parts, calling: Calling, status: int, body: Any, kind: type[MeetbotError]
) -> None:
    """What trying again cannot mend is raised at once as the error it is."""
    give_token()
    call, url = calling
    responses.get(url, status=status, json=body)

    with pytest.raises(MeetbotError) as caught:
        call(google)

    assert type(caught.value) is kind
    assert google.time.slept == []
    assert "words" not in str(caught.value)


PASSING = [
    (CALENDAR, 403, classic(403, "rateLimitExceeded"), 0.75),
    (CALENDAR, 403, classic(403, "userRateLimitExceeded"), 0.75),
    (CALENDAR, 403, classic(403, "quotaExceeded"), 7.5),
    (CALENDAR, 429, classic(429, "rateLimitExceeded"), 0.75),
    (CALENDAR, 500, classic(500, "backendError"), 0.75),
    (CALENDAR, 408, classic(408, "timeout"), 0.75),
    (CALENDAR, 503, {"no": "error"}, 0.75),
    (MEETING, 429, modern(429, "RESOURCE_EXHAUSTED"), 0.75),
    (MEETING, 403, modern(403, "RESOURCE_EXHAUSTED"), 0.75),
    (MEETING, 403, modern(403, "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"), 0.75),
    (MEETING, 503, modern(503, "UNAVAILABLE"), 0.75),
    (AUDIT, 503, classic(503, "backendError"), 3.75),
]


@responses.activate
@pytest.mark.parametrize(("calling", "status", "body", "wait"), PASSING)
def test_passing_refusals(
    google: Parts, calling: Calling, status: int, body: Any, wait: float
) -> None:
    """What may pass is tried again after a wait that fits its kind, then succeeds."""
    give_token()
    call, url = calling
    responses.get(url, status=status, json=body)
    responses.get(url, json=GOOD)

    assert call(google) == GOOD
    assert google.time.slept == [wait]


@responses.activate
def test_waits_double(google: Parts) -> None:
    """Waits double, and after the last try the caller learns that it may pass."""
    give_token()
    responses.get(EVENTS, status=500, json={})

    with pytest.raises(Temporary, match="not working"):
        list_events(google)

    assert google.time.slept == [0.75, 1.5, 3.0, 6.0, 12.0]
    assert google.counts.snapshot() == {"calendar": 6, "token": 1}


@responses.activate
def test_minute_windows_may_pass(google: Parts) -> None:
    """A rate limit is waited for until a minute's window has surely passed."""
    give_token()
    responses.get(EVENTS, status=403, json=classic(403, "rateLimitExceeded"))

    with pytest.raises(Temporary, match="fewer requests"):
        list_events(google)

    assert 60 < sum(google.time.slept) < 100


@responses.activate
@pytest.mark.parametrize("shape", ["seconds", "date"])
def test_retry_after(google: Parts, shape: str) -> None:
    """`Retry-After` is honored as seconds and as a date."""
    give_token()
    at = datetime.now(UTC) + timedelta(seconds=30)
    value = "30" if shape == "seconds" else format_datetime(at, usegmt=True)
    responses.get(EVENTS, status=429, json={}, headers={"Retry-After": value})
    responses.get(EVENTS, json=GOOD)

    list_events(google)

    (waited,) = google.time.slept
    assert 27 <= waited <= 33


@responses.activate
def test_retry_after_too_long(google: Parts) -> None:
    """A wait beyond the time allowed is not begun; the error tells it."""
    give_token()
    responses.get(EVENTS, status=429, json={}, headers={"Retry-After": "3600"})

    with pytest.raises(Temporary) as caught:
        list_events(google)

    assert caught.value.retry_after == 3600
    assert google.time.slept == []


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-", "Mon, 99 Foo 2026"])
def test_retry_after_nonsense(text: str) -> None:
    """A header that makes no sense is as good as none."""
    assert retry_after({"retry-after": text}) is None


@responses.activate
def test_unauthorized_once(google: Parts) -> None:
    """A refused token is replaced one time, without waiting."""
    give_token("old")
    give_token("new")
    responses.get(EVENTS, status=401, json=classic(401, "authError"))
    responses.get(EVENTS, json=GOOD)

    list_events(google)

    sent = [
        c.request.headers["Authorization"]
        for c in responses.calls
        if EVENTS in (c.request.url or "")
    ]
    assert sent == ["Bearer old", "Bearer new"]
    assert google.time.slept == []


@responses.activate
def test_unauthorized_for_good(google: Parts) -> None:
    """When a fresh token is refused too, access is denied after two requests."""
    give_token()
    responses.get(EVENTS, status=401, json=classic(401, "authError"))

    with pytest.raises(AccessDenied, match="401"):
        list_events(google)

    assert google.counts.snapshot() == {"calendar": 2, "token": 2}


@responses.activate
@pytest.mark.parametrize("body", ["<html>login</html>", "[1]", '"text"', "", '{"a":'])
def test_unreadable_answers(google: Parts, body: str) -> None:
    """A good status with a body that is no JSON object is tried three times, then said."""
    give_token()
    responses.get(EVENTS, body=body)

    with pytest.raises(BadAnswer):
        list_events(google)

    assert google.counts.snapshot()["calendar"] == 3


@responses.activate
def test_lone_surrogates(google: Parts) -> None:
    """A title that strict readers refuse does not make a whole page unreadable."""
    give_token()
    responses.get(EVENTS, body='{"items":[{"id":"a","location":"\\ud800"}]}')

    assert list_events(google)["items"][0]["id"] == "a"


@responses.activate
def test_html_not_found(google: Parts) -> None:
    """A page instead of an API's error points to the wrong root, not to a missing calendar."""
    give_token()
    responses.get(EVENTS, status=404, body="<html>", content_type="text/html")

    with pytest.raises(Permanent) as caught:
        list_events(google)

    assert not isinstance(caught.value, NotFound)
    assert "google.api_root" in caught.value.fix


@responses.activate
def test_no_redirects(google: Parts) -> None:
    """A redirect is not followed, so that no token travels elsewhere."""
    give_token()
    responses.get(EVENTS, status=302, headers={"Location": "https://elsewhere.test/"})

    with pytest.raises(Permanent, match="elsewhere"):
        list_events(google)


@responses.activate
@pytest.mark.parametrize(
    "trouble",
    [
        requests.ConnectionError("reset"),
        requests.ConnectTimeout("slow"),
        requests.ReadTimeout("slow"),
        requests.exceptions.SSLError("bad certificate"),
        requests.exceptions.ChunkedEncodingError("broken"),
        ConnectionResetError("reset"),
    ],
)
def test_broken_connections(google: Parts, trouble: Exception) -> None:
    """Every failure below HTTP is tried again and never leaves as what `requests` calls it."""
    give_token()
    responses.get(EVENTS, body=trouble)
    responses.get(EVENTS, json=GOOD)

    assert list_events(google) == GOOD
    assert google.time.slept == [0.375]


@responses.activate
def test_silent_server_is_left_alone(google: Parts) -> None:
    """After some requests without any answer, further ones fail without being sent."""
    give_token()
    responses.get(EVENTS, body=requests.ConnectTimeout("slow"))

    for _ in range(30):
        with pytest.raises(Temporary, match="no answer from"):
            list_events(google)

    assert google.counts.snapshot()["calendar"] < 40
    assert sum(EVENTS in (call.request.url or "") for call in responses.calls) <= 10
    assert google.time.now - 1000 < 60


@responses.activate
def test_silence_of_one_api_leaves_the_others_alone(google: Parts) -> None:
    """Below one root an API that does not answer takes no other one with it."""
    give_token()
    responses.get(EVENTS, body=requests.ConnectTimeout("slow"))
    responses.get(RECORDS, json={})
    for _ in range(5):
        with pytest.raises(Temporary, match="no answer from"):
            list_events(google)

    assert list_records(google) == {}


@responses.activate
def test_a_silent_server_is_asked_once_more_for_each_api(google: Parts) -> None:
    """Where one API is silent already, the next one is left alone after a single request."""
    give_token()
    responses.get(EVENTS, body=requests.ConnectTimeout("slow"))
    responses.get(RECORDS, body=requests.ConnectTimeout("slow"))
    with pytest.raises(Temporary):
        list_events(google)

    with pytest.raises(Temporary, match="no answer from"):
        list_records(google)
    assert google.counts.snapshot()["meet"] == 1


@responses.activate
def test_waiting_for_a_limit_in_vain_is_not_done_twice(google: Parts) -> None:
    """After a minute of 429 the next calls fail at once, until a request succeeds again."""
    give_token()
    responses.get(EVENTS, json=classic(429, "rateLimitExceeded"), status=429)
    for _ in range(20):
        with pytest.raises(Temporary, match="fewer requests"):
            list_events(google)
    assert google.time.now - 1000 < 120
    assert len(google.calls("/events")) < 30

    responses.replace("GET", EVENTS, json=GOOD)
    assert list_events(google) == GOOD
    responses.replace("GET", EVENTS, json=classic(429, "rateLimitExceeded"), status=429)
    before = len(google.calls("/events"))
    with pytest.raises(Temporary):
        list_events(google)
    assert len(google.calls("/events")) - before > 3


@responses.activate
def test_circuit_closes_again(google: Parts) -> None:
    """A server that answers again is used again after a rest."""
    give_token()
    responses.get(EVENTS, body=requests.ConnectTimeout("slow"))
    for _ in range(3):
        with pytest.raises(Temporary):
            list_events(google)
    responses.replace("GET", EVENTS, json=GOOD)
    google.time.now += 20

    assert list_events(google) == GOOD
    assert list_events(google) == GOOD


@responses.activate
def test_retries_have_a_budget(google: Parts) -> None:
    """When one call insisted in vain, the next ones give up at their first try."""
    give_token()
    responses.get(EVENTS, status=503, json={})

    for _ in range(50):
        with pytest.raises(Temporary):
            list_events(google)

    assert google.counts.snapshot()["calendar"] == 50 + RetryPolicy().tries


@responses.activate
def test_longest_body(google: Parts) -> None:
    """An answer beyond the bound is not read to its end."""
    give_token()
    responses.get(EVENTS, body=b" " * 1_100_000)

    with pytest.raises(BadAnswer, match="too long"):
        list_events(google)


@responses.activate
def test_quota_user(google: Parts) -> None:
    """Each subject has a stable opaque `quotaUser` that does not tell who it is."""
    give_token()
    responses.get(EVENTS, json=GOOD)

    list_events(google)
    list_events(google)

    first, second = (call["quotaUser"] for call in google.calls("/events"))
    assert first == second == google.client.quota_user(ANN)
    assert len(first) <= 40
    assert "ann" not in first
    assert first != google.client.quota_user("ben@district.example")


@responses.activate
def test_sends_are_not_repeated(google: Parts) -> None:
    """A send that may have arrived is never sent again, whatever went wrong."""
    give_token()
    url = f"{ROOT}/gmail/v1/users/me/messages/send"
    messages = google.client.service(Api.GMAIL).users().messages()
    for trouble in ({"status": 500, "json": {}}, {"status": 401, "json": {}}, {"body": OSError()}):
        responses.upsert("POST", url, **trouble)
        with pytest.raises(MeetbotError):
            google.client.send(GMAIL, ANN, messages.send, userId="me", body={"raw": "eA=="})

    assert google.counts.snapshot()["gmail"] == 3
    assert google.time.slept == []


@responses.activate
def test_pages_go_on_over_empty_ones(google: Parts) -> None:
    """Paging ends where there is no next page, not at an empty one."""
    give_token()
    answers: list[dict[str, object]] = [
        {"nextPageToken": "1"},
        {"items": [], "nextPageToken": "2"},
        {"items": [{}]},
    ]
    for answer in answers:
        responses.get(EVENTS, json=answer)
    method = google.client.service(Api.CALENDAR).events().list

    found = list(google.client.pages(CALENDARS, ANN, method, calendarId=ANN))

    assert len(found) == 3
    assert [call.get("pageToken") for call in google.calls("/events")] == [None, "1", "2"]


@responses.activate
@pytest.mark.parametrize("page_token", ["same", 7])
def test_pages_that_never_end(google: Parts, page_token: object) -> None:
    """The same page for ever, or a page token that is none, is not taken for the end."""
    give_token()
    responses.get(EVENTS, json={"items": [], "nextPageToken": page_token})
    method = google.client.service(Api.CALENDAR).events().list

    with pytest.raises(BadAnswer, match="never end"):
        list(google.client.pages(CALENDARS, ANN, method, calendarId=ANN))


@responses.activate
def test_threads_share_one_client(google: Parts) -> None:
    """One service object used by many threads gives each its own answer with its own token."""
    people = [f"p{number}@district.example" for number in range(40)]
    before = threading.active_count()

    def token(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps({"access_token": "t", "expires_in": 3600})

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps({"summary": (request.url or "").split("/")[6]})

    responses.add_callback("POST", "https://tokens.test/token", token)
    for person in people:
        url = f"{ROOT}/calendar/v3/calendars/{person.replace('@', '%40')}/events"
        responses.add_callback("GET", url, answer)
    method = google.client.service(Api.CALENDAR).events().list

    def read(person: str) -> str:
        return str(google.client.call(CALENDARS, person, method, calendarId=person)["summary"])

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, people))

    assert found == [person.replace("@", "%40") for person in people]
    assert threading.active_count() <= before


def test_google_itself_without_root(tmp_path: Path) -> None:
    """Without an own root each API is asked at Google's host for it."""
    google = parts(tmp_path, api_root=None)
    calendars = google.client.service(Api.CALENDAR).events().list(calendarId="a")
    users = google.client.service(Api.DIRECTORY).users().list(customer="my_customer")

    assert calendars.uri.startswith("https://www.googleapis.com/calendar/v3/calendars/a/events")
    assert users.uri.startswith("https://admin.googleapis.com/admin/directory/v1/users")


def test_grants_are_single_lines() -> None:
    """Only the group line asks for two scopes together; nothing is asked for twice."""
    scopes = [scope for grant in GRANTS.values() for scope in grant.scopes]
    pairs = [name for name, grant in GRANTS.items() if len(grant.scopes) > 1]

    assert len(scopes) == len(set(scopes)) == 10
    assert pairs == ["directory-groups"]
