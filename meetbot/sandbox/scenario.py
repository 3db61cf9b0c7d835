"""A world as a file: JSON or TOML in, JSON out.

Times are absolute (RFC 3339), a date for all-day events, or relative to the moment of loading:
`now`, `-2h`, `+1d30m`. Every mistake is listed with its place.
"""

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, ValidationInfo

from meetbot.sandbox.faults import Api, Fault, Kind, Limit, Refusal, Shaping
from meetbot.sandbox.model import (
    Attendee,
    Conference,
    Event,
    Identifier,
    Joins,
    Participant,
    Session,
    Spreadsheet,
    utc_now,
)
from meetbot.sandbox.times import parse_relative
from meetbot.sandbox.world import DEFAULT_SCOPES, World


class ScenarioError(ValueError):
    """The file cannot be used; the message lists each mistake with its place and the fix."""


def _instant(value: object, info: ValidationInfo) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if not isinstance(value, str):
        raise ValueError("write a time as text: 'now', '-2h' or '2026-10-13T15:00:00Z'")
    assert info.context is not None
    return parse_relative(value, info.context["now"])


def _when(value: object, info: ValidationInfo) -> datetime | date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and len(value) == len("2026-10-13"):
        return date.fromisoformat(value)
    return _instant(value, info)


Instant = Annotated[datetime, PlainValidator(_instant)]
DayOrInstant = Annotated[datetime | date, PlainValidator(_when)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _User(_Part):
    email: str
    name: str = ""
    unit: str = "/"
    user_id: str = ""
    aliases: list[str] = []
    suspended: bool = False
    archived: bool = False
    deleted: bool = False
    admin: bool = False
    room: bool = False
    guest_of: str = ""
    external_ids: list[str] = []
    searchable: bool = True


class _Group(_Part):
    email: str
    name: str = ""
    group_id: str = ""
    members: list[str] = []


class _Calendar(_Part):
    address: str
    owner: str
    summary: str = ""
    readers: list[str] = []


class _Attendee(_Part):
    email: str
    name: str = ""
    response: str = "needsAction"
    optional: bool = False
    additional_guests: int = 0


class _Shown(_Part):
    """What an event and a changed instance have in common."""

    start: DayOrInstant
    end: DayOrInstant
    summary: str = ""
    description: str = ""
    location: str = ""
    attendees: list[_Attendee] = []
    status: str = "confirmed"
    visibility: str = "default"
    code: str | None = None
    guests_see_others: bool = True
    guests_invite: bool = True
    guests_modify: bool = False
    extra: dict[str, Any] = {}


class _Instance(_Shown):
    original_start: DayOrInstant


class _Event(_Shown):
    organizer: str
    event_id: str = ""
    ical_uid: str = ""
    creator: str = ""
    created_at: Instant | None = None
    time_zone: str = ""
    recurrence: list[str] = []
    event_type: str = "default"
    sequence: int = 0
    instances: list[_Instance] = []


class _Space(_Part):
    code: str
    owner: str
    access_type: Literal["OPEN", "TRUSTED", "RESTRICTED"] = "TRUSTED"
    moderation: Literal["ON", "OFF"] = "OFF"
    cohosts: list[str] = []


class _Session(_Part):
    start: Instant
    end: Instant | None = None
    device: str = "web"


class _Participant(_Part):
    who: str
    joins: Joins = Joins.SIGNED_IN
    name: str = ""
    identifier: Identifier = Identifier.CLEAR
    sessions: list[_Session] = Field(min_length=1)


class _Conference(_Part):
    code: str
    organizer: str
    conference_id: str = ""
    calendar_event_id: str = ""
    participants: list[_Participant] = Field(min_length=1)


class _Spreadsheet(_Part):
    """Cells are text, numbers, truth values, or (TOML) dates; null is an empty cell."""

    spreadsheet_id: str
    tabs: dict[str, list[list[bool | int | float | datetime | date | str | None]]]
    readers: list[str] = []


class _Fault(_Part):
    api: Api | None = None
    kind: Kind = Kind.ERROR
    status: int = 500
    reason: str = ""
    message: str = ""
    method: str = ""
    path: str = ""
    subject: str = ""
    retry_after: int | None = None
    seconds: float = 2.0
    times: int | None = 1


class _Limit(_Part):
    api: Api
    per_minute: int | None = None
    per_user: int | None = None
    status: int = 0
    reason: str = ""
    retry_after: int | None = None


class _Refusal(_Part):
    subject: str = ""
    scope: str = ""
    error: str = "unauthorized_client"
    description: str = "Unauthorized client or scope in request."
    status: int = 401
    times: int | None = None


class _Shaping(_Part):
    latency: float = 0.0
    latency_of: dict[Api, float] = {}
    page_cap: int | None = Field(None, ge=1)
    empty_pages: bool = False
    token_seconds: int = 3599
    faults: list[_Fault] = []
    limits: list[_Limit] = []
    refusals: list[_Refusal] = []


class _Lag(_Part):
    """Seconds until audit rows are available."""

    meet: float = 0.0
    calendar: float = 0.0


class _Scenario(_Part):
    domains: list[str] = ["district.example", "students.district.example"]
    domain_aliases: dict[str, str] = {}
    time_zone: str = "America/Chicago"
    units: list[str] = []
    users: list[_User] = []
    groups: list[_Group] = []
    calendars: list[_Calendar] = []
    events: list[_Event] = []
    spaces: list[_Space] = []
    conferences: list[_Conference] = []
    spreadsheets: list[_Spreadsheet] = []
    granted_scopes: list[str] = sorted(DEFAULT_SCOPES)
    audit_lag_seconds: _Lag = _Lag()
    shaping: _Shaping = _Shaping()


# --- reading -------------------------------------------------------------------------------------


def load_scenario(path: str | Path, *, now: datetime | None = None) -> World:
    """The world in a `.json` or `.toml` file; relative times count from `now`.

    Raises ScenarioError naming every mistake with its place.
    """
    path = Path(path)
    try:
        scenario = _Scenario.model_validate(_read(path), context={"now": now or utc_now()})
    except ValidationError as error:
        lines = [f"  {_place(one['loc'])}: {one['msg']}" for one in error.errors()]
        raise ScenarioError(f"{path.name} has mistakes:\n" + "\n".join(lines)) from None
    return _build(path.name, scenario)


def _read(path: Path) -> object:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ScenarioError(f"{path.name} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path.name} cannot be read: it is not UTF-8 text") from None
    try:
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as error:
        form = "TOML" if path.suffix == ".toml" else "JSON"
        raise ScenarioError(f"{path.name} is not {form}: {error}") from None


def _place(location: tuple[str | int, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "file"


def _build(name: str, scenario: _Scenario) -> World:
    world = World(
        domains=scenario.domains,
        domain_aliases=scenario.domain_aliases,
        time_zone=scenario.time_zone,
    )
    for unit in scenario.units:
        world.add_unit(unit)
    steps: list[tuple[str, Sequence[_Part], Callable[[World, Any], None]]] = [
        ("users", scenario.users, _add_user),
        ("groups", scenario.groups, _add_group),
        ("calendars", scenario.calendars, _add_calendar),
        ("spaces", scenario.spaces, _add_space),
        ("events", scenario.events, _add_event),
        ("conferences", scenario.conferences, _add_conference),
        ("spreadsheets", scenario.spreadsheets, _add_spreadsheet),
    ]
    for section, parts, add in steps:
        for number, part in enumerate(parts):
            try:
                add(world, part)
            except (KeyError, ValueError, TypeError) as error:
                place = f"{section}[{number}]"
                raise ScenarioError(f"{name} has mistakes:\n  {place}: {error}") from None
    world.granted_scopes = set(scenario.granted_scopes)
    world.audit_lag = {
        "meet": timedelta(seconds=scenario.audit_lag_seconds.meet),
        "calendar": timedelta(seconds=scenario.audit_lag_seconds.calendar),
    }
    world.shaping = _shaping(scenario.shaping)
    return world


def _add_user(world: World, part: Any) -> None:
    details = part.model_dump(exclude={"deleted"})
    world.add_user(**details)
    if part.deleted:
        world.delete_user(part.email)


def _add_group(world: World, part: Any) -> None:
    world.add_group(**part.model_dump())


def _add_calendar(world: World, part: Any) -> None:
    world.add_calendar(**part.model_dump())


def _add_space(world: World, part: Any) -> None:
    world.add_space(**part.model_dump())


def _add_event(world: World, part: Any) -> None:
    details = part.model_dump(exclude={"instances", "attendees"})
    for optional in ("ical_uid", "time_zone"):
        if not details[optional]:
            del details[optional]
    event = world.add_event(attendees=_attendees(part), **details)
    for one in part.instances:
        changes = one.model_dump(exclude={"original_start", "attendees", "status"})
        if changes["code"] is None:
            del changes["code"]
        name = world.instance_id(event.event_id, one.original_start)
        world.update_event(name, attendees=_attendees(one), **changes)
        if one.status == "cancelled":
            world.cancel_event(name)


def _attendees(part: Any) -> list[Attendee]:
    return [Attendee(**one.model_dump()) for one in part.attendees]


def _add_conference(world: World, part: Any) -> None:
    people = [
        Participant(
            one.who,
            [Session(**session.model_dump()) for session in one.sessions],
            one.joins,
            one.name,
            one.identifier,
        )
        for one in part.participants
    ]
    world.add_conference(
        part.code,
        part.organizer,
        [people],
        calendar_event_id=part.calendar_event_id,
        conference_id=part.conference_id,
    )


def _add_spreadsheet(world: World, part: Any) -> None:
    world.add_spreadsheet(**part.model_dump())


def _shaping(part: _Shaping) -> Shaping:
    return Shaping(
        latency=part.latency,
        latency_of=part.latency_of,
        page_cap=part.page_cap,
        empty_pages=part.empty_pages,
        token_seconds=part.token_seconds,
        faults=[Fault(**one.model_dump()) for one in part.faults],
        limits=[Limit(**one.model_dump()) for one in part.limits],
        refusals=[Refusal(**one.model_dump()) for one in part.refusals],
    )


# --- writing -------------------------------------------------------------------------------------


def write_scenario(world: World, path: str | Path) -> None:
    """Write the present state as JSON with absolute times; `load_scenario` reads it back.

    Sync tokens, bearer tokens, sent mail and single audit rows are not part of a scenario.
    """
    with world.lock:
        scenario = _dump(world)
    Path(path).write_text(json.dumps(scenario, indent=1, ensure_ascii=False, default=_iso) + "\n")


def _iso(value: object) -> str:
    assert isinstance(value, date)
    return value.isoformat()


def _dump(world: World) -> dict[str, Any]:
    return {
        "domains": world.domains,
        "domain_aliases": world.domain_aliases,
        "time_zone": world.time_zone,
        "units": world.units,
        "users": [asdict(user) for user in world.users.values()],
        "groups": [asdict(group) for group in world.groups.values()],
        "calendars": [
            {
                "address": one.address,
                "owner": one.owner,
                "summary": one.summary,
                "readers": sorted(one.readers),
            }
            for one in world.calendars.values()
            if one.address not in world.users
        ],
        "spaces": [_only(space, _Space) for space in world.spaces.values()],
        "events": [_event(event) for event in world.events.values()],
        "conferences": [_conference(one) for one in world.conferences.values()],
        "spreadsheets": [_spreadsheet(one) for one in world.spreadsheets.values()],
        "granted_scopes": sorted(world.granted_scopes),
        "audit_lag_seconds": {name: lag.total_seconds() for name, lag in world.audit_lag.items()},
        "shaping": _dump_shaping(world.shaping),
    }


def _only(value: object, part: type[_Part]) -> dict[str, Any]:
    """The fields that the file has for this kind of part."""
    return {name: getattr(value, name) for name in part.model_fields if hasattr(value, name)}


def _event(event: Event) -> dict[str, Any]:
    instances = [
        _only(one, _Instance) | {"attendees": [asdict(guest) for guest in one.attendees]}
        for one in event.exceptions.values()
    ]
    attendees = [asdict(guest) for guest in event.attendees]
    return _only(event, _Event) | {"attendees": attendees, "instances": instances}


def _conference(one: Conference) -> dict[str, Any]:
    people = [
        _only(person, _Participant) | {"sessions": [asdict(session) for session in person.sessions]}
        for person in one.participants
    ]
    return _only(one, _Conference) | {"participants": people}


def _spreadsheet(one: Spreadsheet) -> dict[str, Any]:
    return _only(one, _Spreadsheet) | {"readers": sorted(one.readers)}


def _dump_shaping(shaping: Shaping) -> dict[str, Any]:
    return _only(shaping, _Shaping) | {
        "faults": [_only(one, _Fault) for one in shaping.faults],
        "limits": [_only(one, _Limit) for one in shaping.limits],
        "refusals": [_only(one, _Refusal) for one in shaping.refusals],
    }
