"""What cannot be done to a world, and scenario files."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from meetbot.sandbox import ScenarioError, World, load_scenario, write_scenario
from meetbot.sandbox.district import demo_district
from meetbot.sandbox.faults import Api, Kind
from meetbot.sandbox.model import Identifier, Joins, joined

NOW = datetime(2026, 10, 13, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_world() -> World:
    world = World(clock=lambda: NOW)
    world.add_user("ann@district.example", unit="/Staff")
    return world


def test_impossible_changes_are_refused() -> None:
    """Doubles, unknown fields, unknown events and empty calls raise at once."""
    world = a_world()
    event = world.add_event("ann@district.example", NOW, NOW + HOUR)
    with pytest.raises(ValueError, match="exists"):
        world.add_user("ANN@district.example")
    with pytest.raises(ValueError, match="exists"):
        world.add_event("ann@district.example", NOW, NOW + HOUR, event_id=event.event_id)
    with pytest.raises(TypeError, match="colour"):
        world.add_event("ann@district.example", NOW, NOW + HOUR, colour="red")
    with pytest.raises(TypeError, match="version"):
        world.update_event(event.event_id, version=7)
    with pytest.raises(KeyError):
        world.update_event("unknown", summary="x")
    with pytest.raises(KeyError):
        world.user("nobody@district.example")
    with pytest.raises(ValueError, match="no session"):
        world.add_conference("aaa-bbbb-ccc", "ann@district.example", [[]])
    with pytest.raises(ValueError, match="one record"):
        world.add_conference("aaa-bbbb-ccc", "ann@district.example", [], conference_id="x")


def test_an_instance_that_does_not_exist_cannot_be_changed() -> None:
    """Only instances the rule gives can be moved."""
    world = a_world()
    event = world.add_event(
        "ann@district.example", NOW, NOW + HOUR, recurrence=["RRULE:FREQ=DAILY;COUNT=2"]
    )
    with pytest.raises(KeyError):
        world.cancel_event(world.instance_id(event.event_id, NOW + 5 * HOUR))


def test_an_invitation_without_a_call_has_no_code() -> None:
    """An empty code leaves the conference out, none invents one with its space."""
    world = a_world()
    plain = world.add_event("ann@district.example", NOW, NOW + HOUR, code="")
    met = world.add_event("ann@district.example", NOW, NOW + HOUR)
    assert (plain.code, list(world.spaces)) == ("", [met.code])


def full_world() -> World:
    """Something of everything a file can hold."""
    world, _, _ = demo_district(NOW)
    world.add_event(
        "counselor@district.example", date(2026, 10, 14), date(2026, 10, 15), summary="Off"
    )
    world.add_conference("aaa-bbbb-ccc", "counselor@district.example", [
        [joined("x@y.example", (NOW, None), identifier=Identifier.OBSCURED),
         joined("+1", (NOW, NOW + HOUR), joins=Joins.PHONE)],
    ])  # fmt: skip
    world.set_space("aaa-bbbb-ccc", access_type="OPEN", moderation="ON", cohosts=["x@y.example"])
    world.delete_user("s1099@students.district.example")
    world.shaping.latency_of = {Api.MEET: 0.2}
    world.fail("meet", 429, "RESOURCE_EXHAUSTED", kind=Kind.DROP, times=None, path="spaces")
    world.limit("calendar", 10, 5)
    world.refuse_token("ann@district.example", times=2)
    world.revoke_scope("gmail.send")
    return world


def test_a_world_survives_its_file(tmp_path: Path) -> None:
    """Written, read and written again, a scenario is the same file."""
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    write_scenario(full_world(), first)
    again = load_scenario(first, now=NOW)
    write_scenario(again, second)
    assert json.loads(first.read_text("utf-8")) == json.loads(second.read_text("utf-8"))
    assert len(again.audit["meet"]) == len(full_world().audit["meet"])


def test_toml_with_relative_times(tmp_path: Path) -> None:
    """A small scenario by hand: times count from the moment of loading."""
    path = tmp_path / "small.toml"
    path.write_text(
        """
        [[users]]
        email = "ann@district.example"
        [[events]]
        organizer = "ann@district.example"
        start = "+5m"
        end = "+1h5m"
        [[conferences]]
        code = "aaa-bbbb-ccc"
        organizer = "ann@district.example"
        participants = [{who = "ann@district.example", sessions = [{start = "-2h", end = "-1h"}]}]
        """
    )
    world = load_scenario(path, now=NOW)
    (event,) = world.events.values()
    assert event.start == NOW + timedelta(minutes=5)
    (call,) = world.conferences.values()
    assert (call.starts_at(), call.ends_at()) == (NOW - 2 * HOUR, NOW - HOUR)


def test_mistakes_are_listed_with_their_place(tmp_path: Path) -> None:
    """Every mistake is named at once, with its place in the file."""
    path = tmp_path / "bad.json"
    path.write_text(
        json.dumps(
            {
                "users": [{"email": "a@district.example", "colour": "red"}],
                "events": [{"organizer": "a@district.example", "start": "soon", "end": 5}],
                "shaping": {"page_cap": 0, "faults": [{"kind": "explode"}]},
            }
        )
    )
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    text = str(caught.value)
    for place in ("users[0].colour", "events[0].start", "events[0].end", "shaping.page_cap",
                  "shaping.faults[0].kind"):  # fmt: skip
        assert place in text
    assert "-2h" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b"[]", "file"),
        (b'{"users": [{"email": "a@b.c"}, {"email": "a@b.c"}]}', r"users\[1\]: a@b.c exists"),
    ],
)
def test_unusable_files(tmp_path: Path, content: bytes, message: str) -> None:
    """Broken text, wrong shapes and contradictions are scenario errors."""
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(ScenarioError, match=message):
        load_scenario(path)
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(tmp_path / "missing.json")
