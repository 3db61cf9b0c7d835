"""The adapters' own decisions, over answers that a good server never gives."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import responses

from meetbot.domain.notices import Mail
from meetbot.domain.people import DistrictUnits
from meetbot.errors import AccessDenied, BadAnswer, NotFound, Permanent, Temporary
from meetbot.ports import SyncMark
from meetbot.workspace.calendar import GoogleCalendars
from meetbot.workspace.directory import GoogleDirectory
from meetbot.workspace.gmail import GmailMailer
from meetbot.workspace.meet import GoogleMeet
from tests.workspace_parts import (
    ADMIN,
    ANN,
    NOW,
    ROOT,
    TOKEN_URI,
    Parts,
    classic,
    give_token,
    parts,
)

EVENTS = f"{ROOT}/calendar/v3/calendars/ann%40district.example/events"
USERS = f"{ROOT}/admin/directory/v1/users"
SEND = f"{ROOT}/gmail/v1/users/me/messages/send"
UNITS = DistrictUnits(("/Staff",), ("/Students",))
MARK = SyncMark("old", NOW - timedelta(days=8), NOW + timedelta(days=29), NOW - timedelta(days=1))
EVENT = {
    "id": "e1",
    "iCalUID": "e1@google.com",
    "start": {"dateTime": "2026-10-13T10:00:00Z"},
    "end": {"dateTime": "2026-10-13T11:00:00Z"},
}


@pytest.fixture
def google(tmp_path: Path) -> Parts:
    return parts(tmp_path)


def read(google: Parts, mark: SyncMark | None = None) -> Any:
    return GoogleCalendars(google.client, ZoneInfo("America/Chicago")).read(
        ANN,
        mark,
        window_start_at=NOW - timedelta(days=7),
        window_end_at=NOW + timedelta(days=30),
        as_of=NOW,
    )


# --- calendars ----------------------------------------------------------------------------------


@responses.activate
def test_first_read(google: Parts) -> None:
    """The first read is bounded by the window, and its mark remembers it."""
    give_token()
    responses.get(EVENTS, json={"items": [EVENT], "nextSyncToken": "s1"})

    found = read(google)

    assert found.is_full
    assert found.mark == SyncMark("s1", NOW - timedelta(days=7), NOW + timedelta(days=30), NOW)
    (asked,) = google.calls("/events")
    assert asked["timeMin"] == "2026-10-06T15:00:00.000Z"
    assert asked["maxResults"] == "2500"
    assert "syncToken" not in asked


@responses.activate
def test_next_read(google: Parts) -> None:
    """With a token nothing is asked that Google forbids beside it, and the mark's window stays."""
    give_token()
    responses.get(
        EVENTS, json={"items": [{"id": "x", "status": "cancelled"}], "nextPageToken": "p"}
    )
    responses.get(EVENTS, json={"nextSyncToken": "s2"})

    found = read(google, MARK)

    assert not found.is_full
    assert found.mark == SyncMark("s2", MARK.window_start_at, MARK.window_end_at, MARK.synced_at)
    first, second = google.calls("/events")
    assert not {"timeMin", "timeMax", "orderBy", "q", "iCalUID", "updatedMin"} & first.keys()
    assert {**first, "pageToken": "p"} == second
    same = {name for name in first if name != "syncToken"}
    assert same == {
        *("singleEvents", "eventTypes", "maxResults", "fields", "quotaUser", "alt"),
    }


@responses.activate
@pytest.mark.parametrize("status", [400, 410])
def test_dead_token(google: Parts, status: int) -> None:
    """A token that Google no longer takes leads to a full read in the same call."""
    give_token()
    responses.get(EVENTS, status=status, json=classic(status, "fullSyncRequired"))
    responses.get(EVENTS, json={"items": [EVENT], "nextSyncToken": "s1"})

    found = read(google, MARK)

    assert found.is_full
    assert found.mark.token == "s1"
    assert [set(a) & {"syncToken", "timeMin"} for a in google.calls("/events")] == [
        {"syncToken"},
        {"timeMin"},
    ]


@responses.activate
@pytest.mark.parametrize(
    ("status", "kind"), [(400, Permanent), (403, AccessDenied), (404, NotFound)]
)
def test_no_second_full_read(google: Parts, status: int, kind: type[Exception]) -> None:
    """A full read that is refused is not repeated, and no other refusal counts as a dead token."""
    give_token()
    responses.get(EVENTS, status=status, json=classic(status, "x"))

    with pytest.raises(kind):
        read(google, MARK)

    assert len(google.calls("/events")) == (2 if status == 400 else 1)


@responses.activate
def test_no_sync_token(google: Parts) -> None:
    """A list that ends without a sync token is not taken for complete."""
    give_token()
    responses.get(EVENTS, json={"items": [EVENT], "nextSyncToken": "early", "nextPageToken": "p"})
    responses.get(EVENTS, json={"items": [EVENT]})

    with pytest.raises(BadAnswer, match="nextSyncToken"):
        read(google)


@responses.activate
def test_odd_items(google: Parts) -> None:
    """Malformed events are counted, events of other types passed over."""
    give_token()
    elsewhere = EVENT | {"eventType": "workingLocation"}
    items: list[Any] = [EVENT | {"eventType": None}, {"id": "broken"}, "text", elsewhere]
    responses.get(EVENTS, json={"items": items, "nextSyncToken": "s"})

    found = read(google)

    assert [e.event_id for e in found.events] == ["e1"]
    assert found.malformed == ("broken", "")


@responses.activate
def test_an_event_that_ends_while_pages_are_read(google: Parts) -> None:
    """It comes twice, and what came last counts."""
    give_token()
    responses.get(EVENTS, json={"items": [EVENT], "nextPageToken": "p"})
    gone = {"id": EVENT["id"], "status": "cancelled"}
    responses.get(EVENTS, json={"items": [gone], "nextSyncToken": "s"})

    assert [event.is_cancelled for event in read(google).events] == [True]


@responses.activate
def test_items_are_no_list(google: Parts) -> None:
    """Something else in place of the list is unreadable, not empty."""
    give_token()
    responses.get(EVENTS, json={"items": {"id": "e1"}, "nextSyncToken": "s"})

    with pytest.raises(BadAnswer):
        read(google)


# --- directory ----------------------------------------------------------------------------------


def directory(google: Parts) -> GoogleDirectory:
    return GoogleDirectory(google.client, ADMIN, UNITS, clock=google.time)


@responses.activate
@pytest.mark.parametrize("status", [400, 403, 404])
def test_foreign_keys(google: Parts, status: int) -> None:
    """Whatever Google answers for somebody of another domain means: not known here."""
    give_token()
    responses.get(f"{USERS}/123", status=status, json=classic(status, "forbidden"))
    responses.get(USERS, json={"users": [{"id": "1"}]})

    assert directory(google).account("123") is None


@responses.activate
def test_missing_rights(google: Parts) -> None:
    """An admin who may not even list users is told so; nobody becomes unknown by that."""
    give_token()
    responses.get(f"{USERS}/123", status=403, json=classic(403, "forbidden"))
    responses.get(USERS, status=403, json=classic(403, "forbidden"))

    with pytest.raises(AccessDenied, match="Directory"):
        directory(google).account("123")


@responses.activate
@pytest.mark.parametrize(
    ("word", "about"), [("access_denied", ""), ("invalid_grant", "Invalid email or User ID")]
)
def test_refused_token_is_not_unknown(google: Parts, word: str, about: str) -> None:
    """A refused token, also of a deleted admin, never means that a person is unknown."""
    body = {"error": word, "error_description": about}
    responses.post(TOKEN_URI, status=400, json=body)
    adapter = directory(google)

    for ask in (lambda: adapter.account("123"), lambda: adapter.members("g@district.example")):
        with pytest.raises(Permanent):
            ask()


@responses.activate
def test_wrong_root_is_not_unknown(google: Parts) -> None:
    """A page that no API wrote never means that a person is unknown."""
    give_token()
    responses.get(f"{USERS}/123", status=404, body="<html>", content_type="text/html")

    with pytest.raises(Permanent, match="not at this address"):
        directory(google).account("123")


@responses.activate
def test_proof_of_rights_is_kept_a_while(google: Parts) -> None:
    """Many foreign ids cost one request each, as long as the rights were just proven."""
    give_token()
    responses.get(USERS, json={})
    for number in range(5):
        url = f"{USERS}/{number}"
        responses.get(url, status=403, json=classic(403, "forbidden"))
    adapter = directory(google)

    for number in range(5):
        assert adapter.account(str(number)) is None

    assert google.counts.snapshot()["directory"] == 6


@responses.activate
def test_snapshot_with_odd_account(google: Parts) -> None:
    """An account that cannot be understood is said and keeps no other one back."""
    give_token()
    good = {"id": "1", "primaryEmail": ANN, "orgUnitPath": "/Staff"}
    responses.get(USERS, json={"users": [good, {"id": "2"}], "nextPageToken": "p"})
    responses.get(USERS, json={"users": [good | {"id": "3"}]})

    found = [account and account.id for account in directory(google).accounts()]

    assert found == ["1", None, "3"]


@responses.activate
@pytest.mark.parametrize("page", [{"users": {}}, {"users": "none"}, {"users": None}])
def test_users_are_no_list(google: Parts, page: dict[str, Any]) -> None:
    """Something else in place of the list is unreadable, not an empty district."""
    give_token()
    responses.get(USERS, json=page)

    with pytest.raises(BadAnswer, match="no list"):
        list(directory(google).accounts())


@responses.activate
def test_nested_groups(google: Parts) -> None:
    """Nested groups are opened, a foreign one stays a group, and circles end."""
    give_token()

    def members(group: str, *listed: tuple[str, str], status: int = 404) -> None:
        url = f"{ROOT}/admin/directory/v1/groups/{group.replace('@', '%40')}/members"
        if listed:
            rows = [{"email": email, "type": kind} for email, kind in listed]
            responses.get(url, json={"members": rows})
        else:
            responses.get(url, status=status, json=classic(status, "refused"))

    members("a@d.example", ("b@d.example", "GROUP"), ("x@d.example", "USER"))
    members(
        "b@d.example",
        *(("y@d.example", "USER"), ("A@d.example", "GROUP"), ("far@else.example", "GROUP")),
        ("out@else.example", "GROUP"),
    )
    members("far@else.example")
    members("out@else.example", status=403)

    found = directory(google).members("a@d.example")

    assert {(m.address, m.is_group) for m in found} == {
        ("x@d.example", False),
        ("y@d.example", False),
        ("far@else.example", True),
        ("out@else.example", True),
    }


# --- Meet ---------------------------------------------------------------------------------------


@responses.activate
def test_unreadable_participant(google: Parts) -> None:
    """A participant that cannot be understood makes the list unreadable, not shorter."""
    give_token()
    good = {"name": "c/participants/1", "earliestStartTime": "2026-10-13T15:00:00Z"}
    url = f"{ROOT}/v2/conferenceRecords/c/participants"
    responses.get(url, json={"participants": [good, {"name": "c/participants/2"}]})

    with pytest.raises(BadAnswer, match="participants"):
        GoogleMeet(google.client).participants(ANN, "conferenceRecords/c")


@responses.activate
@pytest.mark.parametrize(("status", "kind"), [(403, AccessDenied), (404, NotFound)])
def test_not_visible_is_not_none(google: Parts, status: int, kind: type[Exception]) -> None:
    """A record that may not be seen is an error, not an empty call."""
    give_token()
    url = f"{ROOT}/v2/conferenceRecords/c/participants"
    responses.get(url, status=status, json=classic(status, "x"))

    with pytest.raises(kind):
        GoogleMeet(google.client).participants(ANN, "conferenceRecords/c")


def test_hostile_codes(google: Parts) -> None:
    """A code that could end the quotes of a filter is no code, and nothing is asked."""
    found = GoogleMeet(google.client).records(ANN, 'a" OR x="', since=NOW, until=NOW)

    assert found == ()


# --- mail ---------------------------------------------------------------------------------------

MAIL = Mail("n1", "<m1@district.example>", ("to@district.example",), b"Subject: x\r\n\r\n\xff>?")


@responses.activate
def test_mail_is_sent(google: Parts) -> None:
    """The bytes go out as they are, base64url."""
    give_token()
    responses.post(SEND, json={"id": "1"})

    GmailMailer(google.client, ADMIN).send(MAIL)

    assert "U3ViamVjdDogeA0KDQr_Pj8" in str(responses.calls[-1].request.body)


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, classic(400, "invalidArgument"), Permanent),
        (413, {}, Permanent),
        (403, classic(403, "forbidden"), Temporary),
        (403, classic(403, "userRateLimitExceeded"), Temporary),
        (401, {}, Temporary),
        (404, {}, Temporary),
        (429, {}, Temporary),
        (500, {}, Temporary),
    ],
)
def test_mail_refusals(google: Parts, status: int, body: Any, kind: type[Exception]) -> None:
    """Only a refusal of this very mail is for good; what can be mended is tried again later."""
    give_token()
    responses.post(SEND, status=status, json=body)

    with pytest.raises(kind):
        GmailMailer(google.client, ADMIN).send(MAIL)

    assert google.counts.snapshot()["gmail"] == 1


@responses.activate
def test_mail_with_odd_receipt(google: Parts) -> None:
    """A mail that Google took is sent, however unreadable the receipt."""
    give_token()
    responses.post(SEND, body="<html>")

    GmailMailer(google.client, ADMIN).send(MAIL)


@responses.activate
def test_mail_without_delegation(google: Parts) -> None:
    """Without a token the mail waits for somebody to mend the delegation."""
    responses.post(TOKEN_URI, status=401, json={"error": "unauthorized_client"})

    with pytest.raises(Temporary) as caught:
        GmailMailer(google.client, ADMIN).send(MAIL)

    assert "gmail.send" in caught.value.fix
