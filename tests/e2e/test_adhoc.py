"""Calls without any event, known from the audit log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from meetbot.sandbox.district import people, student, teacher
from meetbot.sandbox.model import joined
from meetbot.sandbox.registry_rows import registry_rows
from tests.stage import a_stage

NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(hours=5)


def test_late_rows_that_move_the_start_make_no_second_call(tmp_path: Path) -> None:
    """A row of somebody who came earlier arrives later; the call keeps its one flag."""
    world = people(NOW)
    host, child, early = teacher("cedar", 1), student("cedar", 1), student("cedar", 2)

    def minutes(first: float, last: float) -> tuple[datetime, datetime]:
        return START + timedelta(minutes=first), START + timedelta(minutes=last)

    people_in = [
        joined(host, minutes(5, 40)),
        joined(child, minutes(6, 40)),
        joined("omar@makeryard.example", minutes(6, 40)),
        joined(early, minutes(0, 400)),
    ]
    world.add_conference("abc-mnop-xyz", host, [people_in])
    clock = [START + timedelta(hours=4)]

    with a_stage(
        tmp_path, world, registry_rows(NOW.date(), START, host), clock=lambda: clock[0]
    ) as stage:
        stage.poll()
        before = [f.id for f in stage.flags(code="abc-mnop-xyz") if f.rule == "adhoc-meeting"]
        clock[0] = START + timedelta(hours=30)
        stage.poll()
        after = [f.id for f in stage.flags(code="abc-mnop-xyz") if f.rule == "adhoc-meeting"]

    assert len(before) == 1
    assert after == before


def test_a_calendar_to_be_read_anew_still_tells_of_no_event(tmp_path: Path) -> None:
    """A student joined the host's meeting with a vendor, whose calendar is read in full again
    next time: that it was read a moment ago still shows that the other call has no event."""
    world = people(NOW)
    host, child = teacher("cedar", 1), student("cedar", 1)
    span = (START, START + timedelta(minutes=30))
    vendor = "vic@vendor.example"
    event = world.add_event(host, *span, attendees=[vendor])
    world.add_conference(event.code, host, [[joined(who, span) for who in (host, vendor, child)]])
    later = (span[1], span[1] + timedelta(minutes=30))
    people_in = [joined(who, later) for who in (host, "omar@makeryard.example", child)]
    world.add_conference("abc-mnop-xyz", host, [people_in])

    rows = registry_rows(NOW.date(), START, host)
    with a_stage(tmp_path, world, rows, clock=lambda: NOW) as stage:
        stage.poll()
        assert "adhoc-meeting" in {f.rule for f in stage.flags(code="abc-mnop-xyz")}


def test_a_partner_without_an_event_is_held_against_the_registry(tmp_path: Path) -> None:
    """No student account was seen, but a class may share one screen: the call is in full scope.
    One with a vendor is not."""
    world = people(NOW)
    host = teacher("cedar", 1)
    span = (START, START + timedelta(minutes=30))
    for code, guest in (("abc-mnop-xyz", "ann@openhands.example"), ("abd-mnop-xyz", "v@vend.test")):
        world.add_conference(code, host, [[joined(host, span), joined(guest, span)]])

    rows = registry_rows(NOW.date(), START, host)
    with a_stage(tmp_path, world, rows, clock=lambda: NOW) as stage:
        stage.poll()
        rules = {flag.rule for flag in stage.flags(code="abc-mnop-xyz")}
        assert "certification-missing" in rules
        assert "adhoc-meeting" not in rules
        assert not stage.flags(code="abd-mnop-xyz")


def test_the_owner_of_the_room_is_the_host_of_an_ad_hoc_call(tmp_path: Path) -> None:
    """The teacher is told to use the calendar, and the approval is held against their school."""
    world = people(NOW)
    host, child = teacher("harbor", 1), student("harbor", 1)
    span = (START, START + timedelta(minutes=30))
    called = [joined(who, span) for who in (host, "omar@makeryard.example", child)]
    world.add_conference("abc-mnop-xyz", host, [called])

    rows = registry_rows(NOW.date(), START, teacher("cedar", 1))
    with a_stage(tmp_path, world, rows, clock=lambda: NOW) as stage:
        stage.poll()
        flags = {flag.rule: flag for flag in stage.flags(code="abc-mnop-xyz")}
        assert set(flags) == {"adhoc-meeting", "authorization-scope"}
        assert flags["adhoc-meeting"].school_id == "harbor"
        (letter,) = [mail for mail in stage.mailbox.mails if host in mail.to]
        assert b"Use a calendar invitation so approval can be checked." in letter.eml.read_bytes()
