"""The key file, tokens and every way in which Google refuses one."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from meetbot.errors import AccessDenied, BadAnswer, BadInput, MeetbotError, NotFound, Temporary
from meetbot.workspace.access import Access, load_key
from meetbot.workspace.api import CALENDARS, MEET, Api
from meetbot.workspace.refusals import Refused, refused_token
from meetbot.workspace.transport import Transport
from tests.workspace_parts import ANN, TOKEN_URI, Time, give_token, key_file, parts


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "authorized_user"}, "authorized_user"),
        ({"client_email": None}, "client_email"),
        ({"private_key": None, "token_uri": None}, "private_key, token_uri"),
        ({"private_key": "REPLACE THIS FILE"}, "private_key that cannot be read"),
        ({"private_key": 7}, "private_key"),
        ({"token_uri": "http://tokens.example/"}, "not https"),
        ({"token_uri": "nonsense"}, "not https"),
    ],
)
def test_bad_keys(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    """A key that is no good is refused with what is wrong and what to do."""
    with pytest.raises(BadInput, match=words) as caught:
        load_key(key_file(tmp_path, **changes))

    (mistake,) = caught.value.mistakes
    assert mistake.place.startswith("google.credentials")
    assert mistake.fix
    assert "PRIVATE KEY" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '"key"', "\x00\xff", "[" * 100_000])
def test_unreadable_keys(tmp_path: Path, text: str) -> None:
    """A file that is no JSON object is refused."""
    path = tmp_path / "key.json"
    path.write_text(text, encoding="latin-1")

    with pytest.raises(BadInput):
        load_key(path)


def test_no_key(tmp_path: Path) -> None:
    """A missing file and a folder in its place are told apart from a bad key."""
    with pytest.raises(BadInput, match="no such file"):
        load_key(tmp_path / "none.json")
    with pytest.raises(BadInput, match="cannot be read"):
        load_key(tmp_path)


def test_loopback_token_uri(tmp_path: Path) -> None:
    """The sandbox's token service may be reached by plain HTTP."""
    assert load_key(key_file(tmp_path, token_uri="http://127.0.0.1:8085/token")).client_id


def refuse(word: str, about: str = "", status: int = 400) -> None:
    body = {"error": word, "error_description": about}
    responses.post(TOKEN_URI, status=status, json=body)


TOKEN_ERRORS: list[tuple[str, str, type[MeetbotError], str]] = [
    (
        "unauthorized_client",
        "Unauthorized client or scope in request.",
        AccessDenied,
        "delegation is not authorized",
    ),
    (
        "unauthorized_client",
        "Client is unauthorized to retrieve access tokens using this method, or client not "
        "authorized for any of the scopes requested.",
        AccessDenied,
        "client id is not registered",
    ),
    ("access_denied", "Requested client not authorized.", AccessDenied, "a scope is missing"),
    ("admin_policy_enforced", "", AccessDenied, "policy"),
    ("invalid_grant", "Not a valid email.", NotFound, "no such active account"),
    ("invalid_grant", "Invalid email or User ID", NotFound, "no such active account"),
    (
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
        "timeframe. Check your iat and exp values in the JWT claim.",
        AccessDenied,
        "clock",
    ),
    ("invalid_grant", "Invalid JWT Signature.", AccessDenied, "revoked"),
    ("invalid_grant", "Invalid grant: account not found", AccessDenied, "service account"),
    ("invalid_grant", "Invalid JWT: Failed audience check.", AccessDenied, "token_uri"),
    ("invalid_grant", "", AccessDenied, "refused to act"),
    ("invalid_scope", "", AccessDenied, "does not know a scope"),
    ("disabled_client", "", AccessDenied, "disabled or deleted"),
    ("deleted_client", "", AccessDenied, "disabled or deleted"),
    ("invalid_client", "", AccessDenied, "disabled or deleted"),
    ("org_internal", "", AccessDenied, "another organization"),
    ("something_new", "", AccessDenied, "no token"),
]


@responses.activate
@pytest.mark.parametrize(("word", "about", "kind", "words"), TOKEN_ERRORS)
def test_token_refusals(
    tmp_path: Path, word: str, about: str, kind: type[MeetbotError], words: str
) -> None:
    """Every error of the token service has its own message and fix, and is not repeated."""
    google = parts(tmp_path)
    refuse(word, about)
    events = google.client.service(Api.CALENDAR).events()

    with pytest.raises(kind, match=words) as caught:
        google.client.call(CALENDARS, ANN, events.list, calendarId=ANN)

    assert caught.value.fix
    assert ANN not in str(caught.value) + caught.value.fix
    assert google.counts.snapshot() == {"token": 1}
    assert google.time.slept == []


@responses.activate
@pytest.mark.parametrize(
    ("word", "status", "tries"),
    [
        ("internal_failure", 400, 6),
        ("server_error", 500, 6),
        ("", 503, 6),
        ("rate_limit_exceeded", 429, 8),
    ],
)
def test_token_service_down(tmp_path: Path, word: str, status: int, tries: int) -> None:
    """A token service that is not well is asked again, by our waits and nobody else's."""
    google = parts(tmp_path)
    refuse(word, status=status)
    events = google.client.service(Api.CALENDAR).events()

    with pytest.raises(Temporary):
        google.client.call(CALENDARS, ANN, events.list, calendarId=ANN)

    assert google.counts.snapshot() == {"token": tries}
    assert len(google.time.slept) == tries - 1


@responses.activate
@pytest.mark.parametrize(
    "body", ["<html>", "{}", "[]", '{"access_token": 7}', '{"access_token": ""}', '"x"']
)
def test_token_answers_without_token(tmp_path: Path, body: str) -> None:
    """An answer of status 200 without a token is unreadable, not a crash."""
    google = parts(tmp_path)
    responses.post(TOKEN_URI, body=body)

    with pytest.raises(BadAnswer):
        google.client.call(MEET, ANN, google.client.service(Api.MEET).conferenceRecords().list)


@responses.activate
def test_other_universes(tmp_path: Path) -> None:
    """A key of another cloud cannot act for people, which is said before anything is sent."""
    google = parts(tmp_path, universe_domain="other.example")

    with pytest.raises(AccessDenied, match="cannot act for people"):
        google.client.check_token(CALENDARS, ANN)


def an_access(tmp_path: Path, **options: Any) -> tuple[Access, list[int]]:
    """An access, and a list that grows with each request to the token service."""
    counted: list[int] = []
    key = load_key(key_file(tmp_path))
    return Access(key, Transport(), count=lambda: counted.append(1), **options), counted


@responses.activate
def test_one_token_per_line_and_subject(tmp_path: Path) -> None:
    """Tokens are kept per subject and line of scopes, and asked for with just those scopes."""
    access, counted = an_access(tmp_path)
    give_token()

    for grant in (CALENDARS, MEET, CALENDARS):
        for subject in (ANN, "ben@district.example"):
            assert access.token(grant, subject) == "t"

    assert len(counted) == 4


@responses.activate
def test_tokens_live_their_lifetime(tmp_path: Path) -> None:
    """A token serves until shortly before its end, then a new one is asked for."""
    start = time.time()
    now = Time(start)
    access, counted = an_access(tmp_path, wall=now)
    give_token()

    access.token(CALENDARS, ANN)
    now.now = start + 3_300
    access.token(CALENDARS, ANN)
    assert len(counted) == 1
    now.now = start + 3_400
    access.token(CALENDARS, ANN)
    assert len(counted) == 2


@responses.activate
def test_tokens_are_bounded(tmp_path: Path) -> None:
    """No more tokens are remembered than allowed; the least used go first."""
    access, counted = an_access(tmp_path, keep=2)
    give_token()

    for subject in ("a@x.example", "b@x.example", "a@x.example", "c@x.example", "a@x.example"):
        access.token(CALENDARS, subject)
    assert len(counted) == 3
    access.token(CALENDARS, "b@x.example")
    assert len(counted) == 4


@responses.activate
def test_threads_wait_for_one_token(tmp_path: Path) -> None:
    """Threads that need the same token at once cause one request, and share its refusal too."""
    access, counted = an_access(tmp_path)
    give_token()

    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: access.token(CALENDARS, ANN), range(50)))

    assert tokens == {"t"}
    assert len(counted) == 1


@responses.activate
def test_one_missing_scope_disables_one_line(tmp_path: Path) -> None:
    """A line whose scope is missing fails while the others go on."""
    access, _ = an_access(tmp_path)

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        assertion = parse_qs(request.body.decode())["assertion"][0].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(assertion + "=="))
        assert claims["sub"] == ANN
        if claims["scope"].endswith("meetings.space.readonly"):
            return 403, {}, json.dumps({"error": "access_denied"})
        return 200, {}, json.dumps({"access_token": claims["scope"], "expires_in": 60})

    responses.add_callback("POST", TOKEN_URI, answer)

    assert access.token(CALENDARS, ANN).endswith("/auth/calendar.events.readonly")
    with pytest.raises(Refused, match=r"meetings\.space"):
        access.token(MEET, ANN)


def test_fix_names_client_and_scopes(tmp_path: Path) -> None:
    """The fix can be pasted into the Admin console: client id and scopes."""
    body = b'{"error": "access_denied"}'
    error = refused_token(MEET, "123456789", 403, {}, body).error

    assert "123456789" in error.fix
    assert "meetings.space.readonly" in error.fix
    assert "24 hours" in error.fix
