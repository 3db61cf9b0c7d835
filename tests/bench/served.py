"""A simulated district in a process of its own, so that what is measured is the client's alone.

Started with one JSON argument; says where it is on standard output; then obeys one JSON order a
line on standard input, with one JSON answer each, until the end of input.
"""

from __future__ import annotations

import gc
import json
import socket
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from meetbot.sandbox import Sandbox, World
from meetbot.sandbox.big import big_district, bulk_call_rows, staff_address, student_address
from meetbot.sandbox.faults import Api
from meetbot.sandbox.model import joined
from tests.bench.gauge import arguments, say
from tests.stage import CONFIG, Rows, write_registry

_LESSON = timedelta(minutes=45)


def main() -> None:
    """Serve until standard input ends."""
    given = arguments()
    folder = Path(given["folder"])
    now = datetime.now(UTC)
    world, rows = _district(now, **given["district"])
    gc.freeze()  # a large world must not slow its answers down
    gc.set_threshold(50_000, 20, 10)
    port = _free_port()
    mail = Controller(Sink(), hostname="127.0.0.1", port=port)
    mail.start()
    try:
        with Sandbox(world) as box:
            world.shaping.latency = given.get("latency", 0.0)
            _write(folder, box, rows, port)
            say({"api_root": box.url})
            for line in sys.stdin:
                say(_obey(json.loads(line), box, world))
    finally:
        mail.stop()


def _district(
    now: datetime, *, staff: int, audit_rows: int = 0, lesson: dict[str, int] | None = None
) -> tuple[World, Rows]:
    """Four meetings and five students for every two staff; perhaps calls or one lesson held."""
    students = max(100, staff * 5 // 2)
    world, rows = big_district(now, staff=staff, students=students, meetings=staff * 2)
    if audit_rows:
        _call(world, audit_rows, now)
    if lesson is not None:
        _held(world, now, **lesson)
    return world, rows


def _call(world: World, audit_rows: int, now: datetime) -> None:
    """Calls of ten people; every twentieth has a partner, and is in the calendar."""
    bulk_call_rows(world, audit_rows, now)
    for row in list(world.audit["meet"].newest_first(None, None, None)):
        user, address, code, _, organizer, start, seconds = row.args
        if user is None:
            begin = datetime.fromtimestamp(int(str(start)), UTC)
            world.add_event(
                str(organizer),
                begin,
                begin + timedelta(seconds=int(str(seconds))),
                attendees=[str(address), student_address(0)],
                code=str(code),
                event_id=f"call{row.qualifier}",
                guests_see_others=False,
                guests_invite=False,
                created_at=now - timedelta(days=10),
            )


def _held(world: World, now: datetime, *, staff: int, partners: int, students: int) -> None:
    """A lesson that ended five hours ago, with everybody there from its start to its end."""
    start = (now - timedelta(hours=5)).replace(second=0, microsecond=0)
    end = start + _LESSON
    teachers = [staff_address(n) for n in range(staff)]
    guests = [f"guide{n}@makeryard.example" for n in range(partners)]
    children = [student_address(n) for n in range(students)]
    event = world.add_event(
        teachers[0], start, end, attendees=[*teachers[1:], *guests, *children], event_id="lesson"
    )
    people = [joined(who, (start, end)) for who in (*teachers, *guests, *children)]
    world.add_conference(event.code, teachers[0], [people], calendar_event_id=event.event_id)


def _obey(order: dict[str, Any], box: Sandbox, world: World) -> dict[str, Any]:
    if "latency" in order:
        world.shaping.latency = order["latency"]
    for number in range(order.get("touch", 0)):
        event_id = f"big{number:07d}"
        world.update_event(event_id, description=f"changed {world.events[event_id].sequence}")
    return dict(Counter(line.method for line in box.requests.lines)) | {
        "for calendars": _for_calendars(box)
    }


def _for_calendars(box: Sandbox) -> int:
    """Calendar requests and their tokens; an organizer's other token is for Meet."""
    lines = box.requests.lines
    owners = {line.subject for line in lines if line.api is Api.CALENDAR}
    organizers = {line.subject for line in lines if line.api is Api.MEET}
    tokens = sum(line.api is Api.TOKEN and line.subject in owners for line in lines)
    calls = sum(line.api is Api.CALENDAR for line in lines)
    return calls + tokens - len(organizers)


def _write(folder: Path, box: Sandbox, rows: Rows, port: int) -> None:
    """Configuration, key and registry, as `meetbot init` and an administrator would."""
    (folder / "credentials.json").write_text(json.dumps(box.credentials))
    database = f"sqlite:///{folder / 'meetbot.db'}"
    text = CONFIG.format(folder=folder, api_root=box.url, database=database, port=port)
    (folder / "meetbot.toml").write_text(text)
    write_registry(folder / "registry", rows)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
