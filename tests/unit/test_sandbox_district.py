"""The demo district is complete, consistent and invented."""

import csv
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from meetbot.registry.files import read_source
from meetbot.sandbox import World
from meetbot.sandbox.big import big_district, bulk_call_rows
from meetbot.sandbox.district import StoryLine, demo_district, teacher
from meetbot.sandbox.registry_rows import Rows

NOW = datetime(2026, 11, 3, 16, 20, 30, 123456, tzinfo=UTC)
COLUMNS = {
    "schools.csv": "school_id name kind unit_paths principals leads",
    "partners.csv": "partner_id name kind status school_official",
    "programs.csv": "program_id partner_id name type status",
    "identities.csv": "partner_id kind value person_name",
    "contracts.csv": "contract_id partner_id program_id school_ids signed_on starts_on ends_on",
    "certifications.csv": "partner_id person_address certified_on expires_on",
    "authorizations.csv": "authorization_id partner_id program_id school_id host_address starts_on"
    " ends_on authorizer_address issued_at revoked_at",
    "exemptions.csv": "kind value platform consent_on_file reason owner starts_on ends_on",
}
District = tuple[World, dict[str, Rows], list[StoryLine]]


@pytest.fixture(scope="module")
def district() -> District:
    return demo_district(NOW)


def test_the_district_has_its_size(district: District) -> None:
    """3 schools and a department, 60 active staff, 300 students, the named mailboxes."""
    world, registry, story = district
    units = Counter(user.unit.split("/")[1] for user in world.users.values())
    not_staff = [
        one for one in world.users.values() if one.suspended or one.unit == "/Staff/Contractors"
    ]
    assert (units["Staff"] - len(not_staff), units["Students"]) == (60, 300)
    assert Counter(row["kind"] for row in registry["schools.csv"]) == {"school": 3, "department": 1}
    assert len(registry["partners.csv"]) >= 8
    assert len(story) >= 24
    for name in ("meetbot-admin", "meetbot", "compliance", "privacy", "it"):
        assert world.find_user(f"{name}@district.example") is not None


def test_registry_rows_have_the_files_columns(district: District) -> None:
    """Each file has exactly its columns, and references lead somewhere."""
    _, registry, _ = district
    assert {name: " ".join(rows[0]) for name, rows in registry.items()} == COLUMNS
    assert all(row.keys() == rows[0].keys() for rows in registry.values() for row in rows)
    partners = {row["partner_id"] for row in registry["partners.csv"]}
    programs = {row["program_id"] for row in registry["programs.csv"]}
    schools = {row["school_id"] for row in registry["schools.csv"]} | {"*"}
    for name in ("programs.csv", "identities.csv", "contracts.csv", "authorizations.csv"):
        assert {row["partner_id"] for row in registry[name]} <= partners
    for row in registry["authorizations.csv"]:
        assert row["program_id"] in programs
        assert row["school_id"] in schools


def test_the_registry_import_accepts_the_rows(district: District, tmp_path: Path) -> None:
    """Written as CSV files the rows are a registry without a mistake."""
    world, registry, _ = district
    for name, rows in registry.items():
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    reading = read_source(tmp_path, district_domains=world.domains)
    assert reading.mistakes == ()


def test_people_named_in_the_registry_exist(district: District) -> None:
    """Principals, leads and authorizers have accounts; unit paths are units."""
    world, registry, _ = district
    for row in registry["schools.csv"]:
        for address in filter(None, [*row["principals"].split(";"), *row["leads"].split(";")]):
            assert world.find_user(address) is not None
        assert set(row["unit_paths"].split(";")) <= set(world.units)
    for row in registry["authorizations.csv"]:
        assert world.find_user(row["authorizer_address"]) is not None


def test_all_names_are_invented(district: District) -> None:
    """Every address lies below .example, Google's own resource names excepted."""
    world, registry, _ = district
    guests = [one.email for event in world.events.values() for one in event.attendees]
    text = " ".join([orjson.dumps(registry).decode(), *world.users, *guests])
    domains = set(re.findall(r"@([\w.-]+)", text))
    assert {one for one in domains if not one.endswith(".example")} == {
        "resource.calendar.google.com"
    }


def test_the_story_covers_past_present_and_future(district: District) -> None:
    """Meetings of the past 3 days, one live, and upcoming ones within 1 h, 24 h and 7 d."""
    world, _, story = district
    assert Counter(line.when for line in story)["live"] == 1
    ahead = [line.starts_at - NOW for line in story if line.when == "upcoming"]
    for bound in (timedelta(hours=1), timedelta(hours=24), timedelta(days=7)):
        assert any(timedelta(0) < one <= bound for one in ahead)
    assert all(line.event_id in world.events for line in story if line.event_id)
    assert len({line.event_id for line in story}) == len(story)


def test_every_kind_of_meeting_is_told(district: District) -> None:
    """Clean meetings and each rule of the first version that a meeting can break."""
    _, _, story = district
    assert sum(not line.expect for line in story) >= 8
    assert set().union(*(line.expect for line in story)) == {
        "partner-unregistered", "partner-lookalike-domain", "contract-missing",
        "contract-not-started", "contract-expired", "certification-missing",
        "certification-expired", "program-paused", "flyer-only-program", "authorization-missing",
        "authorization-scope", "authorizer-role", "authorization-retroactive",
        "organizer-not-staff", "organizer-unresolved", "guests-can-invite",
        "student-contacts-visible", "unapproved-platform", "no-staff-joined",
        "staff-joined-late", "staff-left-early", "staff-presence-gap",
        "partner-alone-with-student", "unidentified-participant", "uninvited-external-joined",
        "outside-authorized-window", "adhoc-meeting", "open-access-space", "meeting-code-reused",
        "created-by-delegate", "guest-added-by-partner",
        "student-data-in-text",
        "student-roster-attached", "substitute-supervisor",
    }  # fmt: skip


def test_the_live_teacher_drops_out_soon() -> None:
    """The live teacher's only session ends when told; partner and 4 students go on."""
    world, _, story = demo_district(NOW, drop_after=timedelta(seconds=35))
    (line,) = [one for one in story if one.when == "live"]
    (call,) = [one for one in world.conferences.values() if one.code == line.code]
    ends = {one.who: one.sessions[-1].end for one in call.participants}
    left = ends.pop(teacher("harbor", 14))
    assert left is not None
    assert abs(left - NOW - timedelta(seconds=35)) < timedelta(milliseconds=1)
    assert len(ends) == 5
    assert all(end is not None and end > NOW + timedelta(minutes=25) for end in ends.values())


def test_the_live_partner_is_known_from_earlier_calls(district: District) -> None:
    """The same outsider attended calls whose audit rows tell the address."""
    world, _, story = district
    (live,) = [one for one in story if one.when == "live"]
    calls = [
        one
        for one in world.conferences.values()
        if any(person.who == "lena@brightpath.example" for person in one.participants)
    ]
    assert len(calls) > 3
    assert any(one.code == live.code for one in calls)


def test_rows_and_sessions_tell_the_same_story(district: District) -> None:
    """For every session there is one audit row with the same start and length."""
    world, _, _ = district
    sessions = Counter(
        (call.conference_id, int(one.start.timestamp()), int(one.end.timestamp()))
        for call in world.conferences.values()
        for person in call.participants
        for one in person.sessions
        if one.end is not None
    )
    rows: Counter[tuple[str, int, int]] = Counter()
    for row in world.audit["meet"].newest_first(None, None, None):
        facts = {
            one["name"]: one.get("value", one.get("intValue"))
            for one in orjson.loads(row.render(row))["events"][0]["parameters"]
        }
        start = int(facts["start_timestamp_seconds"])
        rows[(facts["conference_id"], start, start + int(facts["duration_seconds"]))] += 1
    assert rows == sessions


def test_calls_lie_at_their_events(district: District) -> None:
    """Each call that an event announced overlaps it and names it."""
    world, _, story = district
    adhoc = [one for one in world.conferences.values() if not one.calendar_event_id]
    assert [one.code for one in adhoc] == [line.code for line in story if not line.event_id]
    for call in world.conferences.values():
        if call.calendar_event_id:
            event = world.events[call.calendar_event_id.partition("_")[0]]
            assert event.code == call.code


def test_the_district_stands_on_the_machine_s_clock(district: District) -> None:
    """After it is built the world's clock runs."""
    world, _, _ = district
    assert world.clock() != NOW


def test_the_big_district_is_as_big_as_asked() -> None:
    """Staff, students, meetings and audit rows come in the numbers given."""
    world, registry = big_district(NOW, staff=50, students=80, meetings=60)
    bulk_call_rows(world, 95, NOW)
    units = Counter(user.unit.split("/")[1] for user in world.users.values())
    assert (units["Staff"], units["Students"], len(world.events)) == (53, 80, 60)
    assert len(world.audit["meet"]) == 95
    assert {name: " ".join(rows[0]) for name, rows in registry.items()} == COLUMNS
