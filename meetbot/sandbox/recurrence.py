"""Which instances a recurring event has."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from meetbot.sandbox.model import Event, When

FARTHEST = timedelta(days=730)
"""How far after its start an endless series is expanded when nobody bounds it."""


def instance_id(event_id: str, original_start: When) -> str:
    """Calendar's id of an instance: `{master}_{YYYYMMDDTHHMMSSZ}`, or the date if all-day."""
    if isinstance(original_start, datetime):
        return f"{event_id}_{original_start.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{event_id}_{original_start:%Y%m%d}"


def original_starts(master: Event, until: datetime | None) -> list[When]:
    """The starts of all instances that begin before `until`, by the wall clock of the series."""
    zone = ZoneInfo(master.time_zone or "UTC")
    first = wall_time(master.start, zone)
    limit = min(first + FARTHEST, wall_time(until, zone)) if until else first + FARTHEST
    rules = rrulestr(
        "\n".join(_naive_until(line, zone) for line in master.recurrence),
        dtstart=first,
        forceset=True,
    )
    starts: list[When] = []
    for wall in rules:
        if wall >= limit:
            break
        starts.append(
            wall.replace(tzinfo=zone).astimezone(UTC)
            if isinstance(master.start, datetime)
            else wall.date()
        )
    return starts


def wall_time(when: When, zone: ZoneInfo) -> datetime:
    """The naive local time of an instant, or midnight of a date."""
    if isinstance(when, datetime):
        return when.astimezone(zone).replace(tzinfo=None)
    return datetime(when.year, when.month, when.day)  # noqa: DTZ001 - a wall-clock time


def _naive_until(line: str, zone: ZoneInfo) -> str:
    """The rule with UNTIL as wall time, because the expansion counts in wall time."""
    head, mark, rest = line.partition("UNTIL=")
    value, semicolon, tail = rest.partition(";")
    if not mark or not value.endswith("Z"):
        return line
    at = datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return f"{head}{mark}{at.astimezone(zone):%Y%m%dT%H%M%S}{semicolon}{tail}"


def length(event: Event) -> timedelta:
    """How long the event lasts."""
    if isinstance(event.start, datetime) and isinstance(event.end, datetime):
        return event.end - event.start
    start, end = _day(event.start), _day(event.end)
    return end - start


def _day(when: When) -> date:
    return when.date() if isinstance(when, datetime) else when
