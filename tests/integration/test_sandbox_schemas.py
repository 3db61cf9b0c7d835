"""Everything the sandbox answers fits the schemas Google publishes."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import requests
from google.auth.transport.requests import Request as Refresh
from google.oauth2 import service_account

from meetbot.sandbox import Sandbox
from meetbot.sandbox.apis import HANDLERS
from meetbot.sandbox.discovery import DOCUMENTS, Json, Router, load_document
from meetbot.sandbox.district import ADMIN, SPREADSHEET, demo_district, teacher
from meetbot.sandbox.faults import Api
from tests.integration.sandbox_client import NOW, Ticking

HOST = teacher("harbor", 14)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """The demo district with a few oddities added."""
    world, _, _ = demo_district(NOW)
    world.clock = Ticking(NOW + timedelta(hours=2))
    world.domain_aliases["old.example"] = "district.example"
    world.suspend(teacher("lakeview", 16))
    world.user(teacher("lakeview", 15)).external_ids.append("204871")
    world.add_event(HOST, date(2026, 10, 14), date(2026, 10, 15), summary="All day")
    with Sandbox(world) as box:
        yield box


def bearer(box: Sandbox, subject: str) -> str:
    scopes = sorted(box.world.granted_scopes)
    made = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        box.credentials, scopes=scopes
    ).with_subject(subject)
    with requests.Session() as session:
        made.refresh(Refresh(session))
    return str(made.token)


def paths(box: Sandbox) -> list[tuple[str, str]]:
    """(subject, path) for every simulated GET method, several states each."""
    world = box.world
    live = next(one for one in world.conferences.values() if one.organizer == HOST)
    record = f"/v2/conferenceRecords/{live.conference_id}"
    person = f"{record}/participants/{live.participants[0].participant_id}"
    series = next(one for one in world.events.values() if one.recurrence)
    owner = series.organizer
    events = "/calendar/v3/calendars/primary/events"
    directory = "/admin/directory/v1"
    feed = "/admin/reports/v1/activity/users/all/applications"
    found = [
        (HOST, f"{events}?showDeleted=true"),
        (owner, events),
        (owner, f"{events}?singleEvents=true&maxResults=3&showDeleted=true"),
        (owner, f"{events}/{series.event_id}"),
        (owner, f"{events}/{series.event_id}/instances?showDeleted=true"),
        (HOST, "/v2/conferenceRecords"),
        (HOST, "/v2/conferenceRecords?pageSize=1"),
        (HOST, record),
        (HOST, f"{record}/participants?fields=participants,totalSize"),
        (HOST, f"{record}/participants"),
        (HOST, person),
        (HOST, f"{person}/participantSessions"),
        (HOST, f"{person}/participantSessions/1"),
        (HOST, f"/v2/spaces/{live.code}"),
        (HOST, f"/v2/spaces/{live.code}/members"),
        (ADMIN, f"{directory}/users?customer=my_customer&maxResults=500"),
        (ADMIN, f"{directory}/users/{HOST}"),
        (ADMIN, f"{directory}/groups?customer=my_customer"),
        (ADMIN, f"{directory}/groups/all-staff@district.example"),
        (ADMIN, f"{directory}/groups/all-staff@district.example/members"),
        (ADMIN, f"{directory}/customer/my_customer/orgunits?type=all"),
        (ADMIN, f"{directory}/customer/my_customer/domains"),
        (ADMIN, f"{directory}/customer/my_customer/domainaliases"),
        (ADMIN, f"/v4/spreadsheets/{SPREADSHEET}"),
        (ADMIN, f"/v4/spreadsheets/{SPREADSHEET}/values/schools"),
        (
            ADMIN,
            f"/v4/spreadsheets/{SPREADSHEET}/values:batchGet?ranges='contracts'&ranges=schools",
        ),
        (ADMIN, f"{feed}/meet"),
        (ADMIN, f"{feed}/calendar?maxResults=5"),
    ]
    hosts = {one.organizer for one in world.conferences.values()} & world.users.keys()
    found += [(host, events) for host in sorted(hosts)]
    return found


def test_every_answer_fits_its_schema(box: Sandbox) -> None:
    """Walking through all simulated methods, no property is unknown and no type is wrong."""
    router, walked, tokens = Router(), set(), dict[str, str]()
    with requests.Session() as session:
        for subject, path in paths(box):
            if subject not in tokens:
                tokens[subject] = bearer(box, subject)
            headers = {"Authorization": f"Bearer {tokens[subject]}"}
            answer = session.get(box.url + path, headers=headers, timeout=10)
            assert answer.status_code == 200, (path, answer.text)
            match = router.match("GET", path.partition("?")[0])
            assert match is not None
            document = load_document(match.method.api)
            problems = document.problems(answer.json(), {"$ref": match.method.response})
            assert not problems, (path, problems[:5])
            walked.add(match.method.method_id)
    assert HANDLERS.keys() - walked == {"gmail.users.messages.send"}


def test_every_simulated_method_is_documented() -> None:
    """No handler stands under an id that the discovery documents do not have."""
    known = {one.method_id for api in DOCUMENTS for one in load_document(api).methods}
    assert HANDLERS.keys() <= known


def test_the_schema_check_notices_departures() -> None:
    """Unknown properties, wrong types, bad instants and enums are found."""
    document = load_document(Api.MEET)
    reference: Json = {"$ref": "Space"}
    assert document.problems({"name": "spaces/a"}, reference) == []
    departures: list[Json] = [
        {"nonsense": 1},
        {"name": 1},
        {"config": []},
        {"config": {"accessType": "MAYBE"}},
        {"phoneAccess": {}},
    ]
    for wrong in departures:
        assert document.problems(wrong, reference), wrong
    assert document.problems({"startTime": "noon"}, {"$ref": "ConferenceRecord"})
    directory = load_document(Api.DIRECTORY)
    assert directory.problems({"directMembersCount": 3}, {"$ref": "Group"})
    assert directory.problems({"isAdmin": "yes"}, {"$ref": "User"})
