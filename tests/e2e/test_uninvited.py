"""Outsiders who come to a meeting of staff and students without being on its guest list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from meetbot.sandbox.district import people, student, teacher
from meetbot.sandbox.model import Attendee, joined
from meetbot.sandbox.registry_rows import registry_rows
from tests.stage import a_stage

NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(hours=30)


def test_a_partner_in_an_internal_lesson_is_uninvited_and_not_ad_hoc(tmp_path: Path) -> None:
    """The lesson's event was not kept, for it had no outside guest; now it is, and explains."""
    world = people(NOW)
    host, child = teacher("cedar", 1), student("cedar", 1)
    event = world.add_event(host, START, START + timedelta(minutes=45), attendees=[Attendee(child)])
    span = (START, START + timedelta(minutes=45))
    partner = joined("omar@makeryard.example", span)
    records = [[joined(host, span), joined(child, span), partner]]
    world.add_conference(event.code, host, records, calendar_event_id=event.event_id)
    rows = registry_rows(NOW.date(), START, host)

    with a_stage(tmp_path, world, rows, clock=lambda: NOW) as stage:
        stage.poll()
        rules = {flag.rule for flag in stage.flags(uid=event.ical_uid)}
        calls = stage.flags(code=event.code)
        second = stage.poll()

    assert "uninvited-external-joined" in rules
    assert not calls
    assert not any(second.flags.values())
