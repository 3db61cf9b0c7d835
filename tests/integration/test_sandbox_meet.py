"""The simulated Meet, read with Google's own client."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from meetbot.sandbox import Sandbox, World
from meetbot.sandbox.model import Conference, Joins, Participant, joined
from tests.integration.sandbox_client import (
    ADMIN,
    ANN,
    BEN,
    KID,
    NOW,
    PARTNER,
    Ticking,
    all_pages,
    google,
    small_world,
)

CODE = "abc-mnop-xyz"
MINUTE = timedelta(minutes=1)


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


@pytest.fixture
def meet(box: Sandbox) -> Iterator[Any]:
    """Ann's view."""
    with google(box, "meet", ANN) as service:
        yield service


def stay(who: str, *minutes: tuple[float, float | None], **more: Any) -> Participant:
    """Somebody's presence in minutes from NOW."""
    spans = [
        (NOW + come * MINUTE, None if go is None else NOW + go * MINUTE) for come, go in minutes
    ]
    return joined(who, *spans, **more)


def call(world: World, *people: Participant, **more: Any) -> Conference:
    return world.add_conference(CODE, ANN, [people], **more)[0]


def refused(request: Any) -> tuple[int, str]:
    """Status and gRPC word of a refused request."""
    with pytest.raises(HttpError) as caught:
        request.execute()
    text = caught.value.content.decode()
    assert '"errors"' not in text
    return caught.value.status_code, text.partition('"status":"')[2].partition('"')[0]


def test_a_call_unfolds_with_the_clock(world: World, meet: Any, clock: Ticking) -> None:
    """A scripted call appears when it begins, runs without endTime and ends on its own."""
    call(world, stay(ANN, (1, 30)), stay(PARTNER, (2, 40)))
    assert meet.conferenceRecords().list().execute() == {}
    clock.forward(minutes=5)
    (running,) = meet.conferenceRecords().list().execute()["conferenceRecords"]
    assert "endTime" not in running
    assert running["startTime"] == "2026-10-13T15:01:00Z"
    clock.forward(minutes=35)
    (ended,) = meet.conferenceRecords().list().execute()["conferenceRecords"]
    assert ended["endTime"] == "2026-10-13T15:40:00Z"
    assert ended["expireTime"] == "2026-11-12T15:40:00Z"
    clock.forward(days=31)
    assert meet.conferenceRecords().list().execute() == {}


def test_only_the_organizer_lists_records(world: World, box: Sandbox) -> None:
    """Others list nothing; a participant may read a record by name, anybody else may not."""
    record = call(world, stay(ANN, (-9, -1)), stay(BEN, (-8, -2)))
    name = f"conferenceRecords/{record.conference_id}"
    for who in (BEN, ADMIN):
        with google(box, "meet", who) as service:
            assert service.conferenceRecords().list().execute() == {}
    with google(box, "meet", BEN) as service:
        assert service.conferenceRecords().get(name=name).execute()["name"] == name
        assert service.conferenceRecords().participants().list(parent=name).execute()
    with google(box, "meet", ADMIN) as service:
        request = service.conferenceRecords().get(name=name)
        assert refused(request) == (403, "PERMISSION_DENIED")
        request = service.conferenceRecords().get(name="conferenceRecords/unknown")
        assert refused(request) == (404, "NOT_FOUND")


def test_records_come_newest_first_and_paged(world: World, meet: Any) -> None:
    """The newest call is on the first page; too large pages are reduced."""
    for number in range(5):
        call(world, stay(ANN, (-100 + number * 10, -95 + number * 10)))
    records = meet.conferenceRecords()
    assert len(records.list(pageSize=2).execute()["conferenceRecords"]) == 2
    found = all_pages(records, records.list(pageSize=2), "conferenceRecords")
    starts = [one["startTime"] for one in found]
    assert (len(starts), starts) == (5, sorted(starts, reverse=True))
    assert len(records.list(pageSize=9999).execute()["conferenceRecords"]) == 5
    assert refused(records.list(pageSize=-1))[0] == 400


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('space.meeting_code = "abc-mnop-xyz"', 2),
        ('space.meeting_code="zzz-zzzz-zzz"', 0),
        ("end_time IS NULL", 1),
        ('start_time>="2026-10-13T14:30:00Z" AND start_time<="2026-10-13T14:59:00.000Z"', 1),
        ('start_time < "2026-10-13T14:30:00Z"', 1),
        ('end_time>"2026-10-13T14:00:00Z" AND space.meeting_code = "abc-mnop-xyz"', 1),
    ],
)
def test_record_filters(world: World, meet: Any, text: str, count: int) -> None:
    """The documented filter grammar chooses records."""
    call(world, stay(ANN, (-60, -40)))
    call(world, stay(ANN, (-20, None)))
    found = meet.conferenceRecords().list(filter=text).execute().get("conferenceRecords", [])
    assert len(found) == count


@pytest.mark.parametrize(
    "text",
    ["spaceCode = x", "start_time>=2024", 'start_time>="yesterday"', 'end_time IS NULL OR a="b"',
     'end_time = "2024-01-01T00:00:00Z" AND', 'space.name > "a"', "latest_end_time IS NULL"],
)  # fmt: skip
def test_other_filters_are_refused(meet: Any, text: str) -> None:
    """Unknown fields, unquoted values and other operators give INVALID_ARGUMENT."""
    assert refused(meet.conferenceRecords().list(filter=text)) == (400, "INVALID_ARGUMENT")


def test_participants_are_persons(world: World, meet: Any, clock: Ticking) -> None:
    """One entry per person, latest arrival first, with hull times that hide gaps."""
    record = call(
        world,
        stay(ANN, (-30, -20), (-10, -5)),
        stay(PARTNER, (-28, None), name="Gita"),
        stay("Typed Name", (-25, -24), joins=Joins.ANONYMOUS),
        stay("+1 ***-***-0093", (-23, -22), joins=Joins.PHONE),
        stay(KID, (5, 6)),
    )
    name = f"conferenceRecords/{record.conference_id}"
    listed = meet.conferenceRecords().participants().list(parent=name).execute()["participants"]
    phone, anonymous, partner, ann = listed
    assert ann["signedinUser"] == {
        "user": f"users/{world.user(ANN).user_id}",
        "displayName": "Ann Hill",
    }
    assert ann["earliestStartTime"] == "2026-10-13T14:30:00Z"
    assert ann["latestEndTime"] == "2026-10-13T14:55:00Z"
    assert partner["signedinUser"]["user"] == f"users/{world.meet_user_id(PARTNER)}"
    assert "latestEndTime" not in partner
    assert anonymous["anonymousUser"] == {"displayName": "Typed Name"}
    assert phone["phoneUser"] == {"displayName": "+1 ***-***-0093"}
    clock.forward(minutes=5)
    present = meet.conferenceRecords().participants().list(
        parent=name, filter="latest_end_time IS NULL"
    )  # fmt: skip
    assert len(present.execute()["participants"]) == 2


def test_total_size_comes_only_when_the_mask_asks(world: World, meet: Any) -> None:
    """totalSize of participants needs `fields`."""
    record = call(world, stay(ANN, (-30, -20)), stay(BEN, (-30, -20)))
    participants = meet.conferenceRecords().participants()
    parent = f"conferenceRecords/{record.conference_id}"
    assert "totalSize" not in participants.list(parent=parent).execute()
    masked = participants.list(parent=parent, fields="totalSize").execute()
    assert masked == {"totalSize": 2}


def test_sessions_tell_the_gaps(world: World, meet: Any) -> None:
    """Each join from each device is a session; an open one has no endTime."""
    record = call(world, stay(ANN, (-30, -20), (-10, None)), stay(BEN, (-30, -29)))
    person = f"conferenceRecords/{record.conference_id}/participants/{world.user(ANN).user_id}"
    sessions = meet.conferenceRecords().participants().participantSessions()
    found = all_pages(sessions, sessions.list(parent=person, pageSize=1), "participantSessions")
    assert [(one["startTime"][11:16], one.get("endTime", "")[11:16]) for one in found] == [
        ("14:50", ""),
        ("14:30", "14:40"),
    ]
    assert sessions.get(name=found[1]["name"]).execute() == found[1]
    assert len(sessions.list(parent=person, filter="end_time IS NULL").execute()) == 1


def test_joining_and_leaving_by_hand(world: World, meet: Any, clock: Ticking) -> None:
    """A running call can be steered: who joins and leaves shows at once."""
    record = call(world, stay(ANN, (-10, None)))
    world.join(record.conference_id, stay(PARTNER, (-1, None)))
    participants = meet.conferenceRecords().participants()
    request = {"parent": f"conferenceRecords/{record.conference_id}"}
    assert len(participants.list(**request).execute()["participants"]) == 2
    world.leave(record.conference_id, ANN, clock.now)
    ann = participants.list(**request).execute()["participants"][1]
    assert ann["latestEndTime"] == "2026-10-13T15:00:00Z"
    world.join(record.conference_id, stay(ANN, (0, None)))
    world.end_call(record.conference_id, NOW + MINUTE)
    clock.forward(minutes=2)
    (ended,) = meet.conferenceRecords().list().execute()["conferenceRecords"]
    assert ended["endTime"] == "2026-10-13T15:01:00Z"


def test_one_code_over_time_has_many_records(world: World, meet: Any) -> None:
    """Two calls under one code are two records of one space."""
    world.add_conference(CODE, ANN, [[stay(ANN, (-50, -40))], [stay(ANN, (-30, -20))]])
    records = meet.conferenceRecords().list().execute()["conferenceRecords"]
    assert len({one["name"] for one in records}) == 2
    assert len({one["space"] for one in records}) == 1


def test_spaces_by_id_and_code(world: World, box: Sandbox, meet: Any) -> None:
    """A space is found by its id (exact case) or code (any case); settings are the owner's."""
    record = call(world, stay(ANN, (-30, None)), stay(BEN, (-30, None)))
    space = meet.spaces().get(name=f"spaces/{CODE.upper()}").execute()
    assert space == meet.spaces().get(name=space["name"]).execute()
    assert space["config"]["accessType"] == "TRUSTED"
    assert space["activeConference"]["conferenceRecord"].endswith(record.conference_id)
    with google(box, "meet", BEN) as service:
        seen = service.spaces().get(name=space["name"]).execute()
        assert ("config" in seen, "activeConference" in seen) == (False, True)
    with google(box, "meet", ADMIN) as service:
        seen = service.spaces().get(name=space["name"]).execute()
        assert seen.keys() == {"name", "meetingUri", "meetingCode"}
        assert refused(service.spaces().get(name="spaces/no-such-code"))[0] == 404


def test_members_of_a_space_are_paged(world: World, box: Sandbox, meet: Any) -> None:
    """Co-hosts with their role, for the owner only; settings may be changed."""
    world.add_space(CODE, owner=ANN)
    world.set_space(CODE, access_type="OPEN", moderation="ON", cohosts=[BEN, PARTNER])
    space = meet.spaces().get(name=f"spaces/{CODE}").execute()
    listing = meet.spaces().members()
    first = listing.list(parent=space["name"], pageSize=1).execute()
    rest = listing.list(parent=space["name"], pageSize=1, pageToken=first["nextPageToken"])
    found = [*first["members"], *rest.execute()["members"]]
    assert [(one["email"], one["role"]) for one in found] == [(BEN, "COHOST"), (PARTNER, "COHOST")]
    assert (space["config"]["accessType"], space["config"]["moderation"]) == ("OPEN", "ON")
    with google(box, "meet", BEN) as service:
        assert refused(service.spaces().members().list(parent=space["name"]))[0] == 403


def test_calls_of_outsiders_are_listed_by_nobody(world: World, box: Sandbox) -> None:
    """A call organized outside the district has no organizer to impersonate."""
    world.add_conference("out-side-abc", PARTNER, [[stay(ANN, (-9, -1)), stay(PARTNER, (-9, -1))]])
    with google(box, "meet", ANN) as service:
        assert service.conferenceRecords().list().execute() == {}
