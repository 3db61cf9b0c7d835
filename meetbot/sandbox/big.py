"""A big district and a hundred thousand audit rows, for benchmarks."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from meetbot.sandbox.audit import call_rows
from meetbot.sandbox.model import (
    AuditRow,
    Conference,
    User,
    joined,
    meeting_code,
    stable_word,
    utc_now,
)
from meetbot.sandbox.registry_rows import Rows, registry_rows
from meetbot.sandbox.times import millis
from meetbot.sandbox.world import World

_ADMIN = "meetbot-admin@district.example"
_UNITS = ("Cedar Ridge", "Lakeview", "Harbor")
_SCHOOL_KEYS = ("cedar", "lakeview", "harbor")
# Which partner is authorized at which of the three schools.
_PARTNERS = ("omar@makeryard.example", "omar@makeryard.example", "lena@brightpath.example")
_CALL_SIZE = 10
_SPREAD = timedelta(days=3)


def big_district(
    now: datetime, *, staff: int = 2000, students: int = 5000, meetings: int = 4000
) -> tuple[World, dict[str, Rows]]:
    """A world with that many staff calendars and the registry rows of the demo district.

    Meetings lie between 3 days ago and 27 days ahead of `now`, on two staff calendars each; every
    tenth has a partner and three students. Calls are not held: see `bulk_call_rows`.
    """
    world = World()
    world.clock = lambda: now
    world.add_user(_ADMIN, "Meetbot Admin", "/Service", admin=True)
    for key, unit in zip(_SCHOOL_KEYS, _UNITS, strict=True):
        world.add_user(f"principal.{key}@district.example", unit=f"/Staff/{unit}")
    for number in range(staff):
        world.add_user(staff_address(number), f"Staff {number}", f"/Staff/{_UNITS[number % 3]}")
    for number in range(students):
        unit = f"/Students/{_UNITS[number % 3]}"
        world.add_user(student_address(number), f"Student {number}", unit)
    for number in range(meetings):
        _meeting(world, now, number, staff, students)
    world.clock = utc_now
    today = now.astimezone(ZoneInfo(world.time_zone)).date()
    return world, registry_rows(today, now, staff_address(0))


def staff_address(number: int) -> str:
    """The address of a staff member of the big district."""
    return f"t{number:05d}@district.example"


def student_address(number: int) -> str:
    """The address of a student of the big district."""
    return f"p{number:06d}@students.district.example"


def _meeting(world: World, now: datetime, number: int, staff: int, students: int) -> None:
    start = now - timedelta(days=3) + timedelta(minutes=30 * (number % 1440))
    guests = [staff_address((number + 3) % staff)]
    if number % 10 == 0:
        guests += [_PARTNERS[number % staff % 3]]
        guests += [student_address((number * 3 + place) % students) for place in range(3)]
    world.add_event(
        staff_address(number % staff),
        start,
        start + timedelta(minutes=45),
        attendees=guests,
        summary=f"Meeting {number}",
        event_id=f"big{number:07d}",
        created_at=now - timedelta(days=10),
        guests_see_others=False,
        guests_invite=False,
    )


# --- audit rows ----------------------------------------------------------------------------------


def bulk_call_rows(world: World, count: int, now: datetime, *, partner_every: int = 20) -> None:
    """Put `count` rows of finished ad-hoc calls into the Meet feed of a big district.

    Every call has ten people, the first a staff member, and ended within the last three days
    before `now`. Every `partner_every`th has a partner besides students, and in every second of
    these the staff member left three minutes early. Rows are rendered only when they are read.
    """
    staff = [user for user in world.users.values() if user.unit.startswith("/Staff")]
    students = [user for user in world.users.values() if user.unit.startswith("/Students")]
    calls = -(-count // _CALL_SIZE)
    rows: list[AuditRow] = []
    for number in range(calls):
        start = now - _SPREAD + (_SPREAD - timedelta(hours=1)) * number / calls
        host = staff[number % len(staff)]
        rows += _one_call(number, host, students, start.replace(microsecond=0), partner_every)
    world.audit["meet"].add(rows[:count])


def _one_call(
    number: int, host: User, students: list[User], start: datetime, partner_every: int
) -> Iterator[AuditRow]:
    code, conference = meeting_code(f"bulk {number}"), stable_word(f"bulk {number}", 25)
    for place in range(_CALL_SIZE):
        seconds = 2700 + place
        user: User | None = students[(number * 8 + place) % len(students)]
        if place == 0:
            user = host
            seconds -= 180 if number % (2 * partner_every) == 0 else 0
        if place == 1 and number % partner_every == 0:
            user = None
        address = user.email if user is not None else "omar@makeryard.example"
        yield AuditRow(
            at=start + timedelta(seconds=seconds),
            qualifier=number * _CALL_SIZE + place,
            render=_render,
            args=(user, address, code, conference, host.email, int(start.timestamp()), seconds),
            actor=address if user is not None else "",
            event_name="call_ended",
            tag=conference,
        )


_MARKS = {
    b"who": "mark-who@x.example",
    b"id": "99900000000000000001",
    b"name": "mark name",
    b"code": "MARKCODEXX",
    b"conference": "mark-conference",
    b"organizer": "mark-organizer@x.example",
    b"start": "1700000123",
    b"seconds": "7654321",
}


def _render(row: AuditRow) -> bytes:
    user, address, code, conference, organizer, start, seconds = row.args
    assert user is None or isinstance(user, User)
    return _template(user is None) % {
        b"who": str(address).encode(),
        b"id": user.user_id.encode() if user is not None else b"",
        b"name": user.name.encode() if user is not None else b"Omar Fields",
        b"code": str(code).replace("-", "").upper().encode(),
        b"conference": str(conference).encode(),
        b"organizer": str(organizer).encode(),
        b"start": str(start).encode(),
        b"seconds": str(seconds).encode(),
        b"time": millis(row.at).encode(),
        b"qualifier": str(row.qualifier).encode(),
    }


@cache
def _template(external: bool) -> bytes:
    """An ordinary row with places to fill in: formatting is ten times faster than serializing."""
    marks = _MARKS
    start = datetime.fromtimestamp(int(marks[b"start"]), UTC)
    end = start + timedelta(seconds=int(marks[b"seconds"]))
    person = joined(marks[b"who"], (start, end), name=marks[b"name"])
    conference = Conference(marks[b"conference"], marks[b"code"], "", marks[b"organizer"], [person])
    inside = User(marks[b"who"], marks[b"name"], "/", marks[b"id"])
    organizer = User(marks[b"organizer"], "", "/", "1")
    known = {organizer.email: organizer} | ({} if external else {inside.email: inside})
    row = call_rows(conference, known.get)[0]
    text = row.render(row).replace(b"%", b"%%")
    values = marks | {b"time": millis(row.at), b"qualifier": str(row.qualifier)}
    for name, value in values.items():
        text = text.replace(value.encode(), b"%(" + name + b")b")
    return re.sub(rb"boq_hlane_\w+", b"boq_hlane_%(qualifier)b", text)
