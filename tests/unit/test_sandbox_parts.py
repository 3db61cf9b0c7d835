"""The sandbox's small parts: times, masks, filters, method table, limits, series, audit order."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.sandbox.audit import AuditLog, obscured
from meetbot.sandbox.call import decode, encode
from meetbot.sandbox.discovery import Mask, Router, check_path, load_document, masked, parse_mask
from meetbot.sandbox.faults import Api, Fault, Limit, Shaping
from meetbot.sandbox.filters import parse_filter
from meetbot.sandbox.model import AuditRow, Event, meeting_code, stable_number, stable_word
from meetbot.sandbox.recurrence import instance_id, length, original_starts
from meetbot.sandbox.replies import ApiError
from meetbot.sandbox.times import instant, millis, parse_instant, parse_relative

NOW = datetime(2026, 10, 13, 15, tzinfo=UTC)
UTC_TIMES = st.datetimes(
    datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001
)  # fmt: skip


@given(UTC_TIMES)
def test_instants_survive_writing_and_reading(at: datetime) -> None:
    """The protobuf form keeps microseconds, Calendar's form milliseconds."""
    assert parse_instant(instant(at)) == at
    assert at - parse_instant(millis(at)) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("now", NOW),
        ("-2h", NOW - timedelta(hours=2)),
        ("+1d30m5s", NOW + timedelta(days=1, minutes=30, seconds=5)),
        ("+1w", NOW + timedelta(weeks=1)),
        ("2026-10-13T10:00:00-05:00", NOW),
    ],
)
def test_scenario_times(text: str, wanted: datetime) -> None:
    """Times are absolute or count from the start."""
    assert parse_relative(text, NOW) == wanted


@pytest.mark.parametrize("text", ["", "2h", "-2y", "tomorrow", "2026-10-13T10:00:00", "2026-10-13"])
def test_other_times_name_the_accepted_forms(text: str) -> None:
    """A time without zone or of unknown form is refused with examples."""
    with pytest.raises(ValueError, match="-2h"):
        parse_relative(text, NOW)


def test_invented_ids_are_steady_and_shaped() -> None:
    """Ids depend on their seed alone and look like Google's."""
    assert stable_number("a") == stable_number("a") != stable_number("b")
    assert len(stable_number("a")) == 21
    assert len(stable_word("a", 26)) == 26
    assert [len(part) for part in meeting_code("x").split("-")] == [3, 4, 3]


def kept(value: object, mask: Mask) -> object:
    """What a field mask leaves of a JSON value."""
    return json.loads(masked(json.dumps(value).encode(), mask))


def test_masks_select() -> None:
    """Parentheses and slashes name nested fields, * keeps all."""
    value = {"items": [{"id": "1", "start": {"a": 1, "b": 2}, "x": 1}], "token": "t", "y": 1}
    mask = parse_mask("items(id, start/a),token")
    assert kept(value, mask) == {"items": [{"id": "1", "start": {"a": 1}}], "token": "t"}
    assert kept(value, parse_mask("items/*")) == {"items": value["items"]}


@pytest.mark.parametrize("text", ["", "a(", "a(b", "a)b", "a,,b", "a(b))"])
def test_broken_masks(text: str) -> None:
    """Unbalanced or empty selections are refused."""
    with pytest.raises(ValueError, match="selection"):
        parse_mask(text)


def test_filter_fields_that_are_null_match_no_comparison() -> None:
    """A running call's end is neither before nor after anything."""
    test = parse_filter('end_time>"2020-01-01T00:00:00Z"', frozenset({"end_time"}))
    assert not test({"end_time": None})
    assert test({"end_time": NOW})


@given(st.text(max_size=40))
def test_any_filter_text_gives_a_test_or_a_bad_request(text: str) -> None:
    """No filter text breaks the parser."""
    status = 200
    try:
        parse_filter(text, frozenset({"start_time"}))
    except ApiError as error:
        status = error.status
    assert status in (200, 400)


def test_methods_are_found_by_path() -> None:
    """Paths with percent-encoded and literal parts lead to the documented method."""
    router = Router()
    found = router.match("GET", "/calendar/v3/calendars/a%40b.example/events")
    assert found is not None
    assert found.method.method_id == "calendar.events.list"
    assert found.path == {"calendarId": "a@b.example"}
    assert router.match("DELETE", "/v2/conferenceRecords") is None
    assert router.match("GET", "/v2/nonsense/a/b/c/d/e") is None


def test_path_parts_are_checked() -> None:
    """A path part outside its documented enum is refused."""
    found = Router().match("GET", "/admin/reports/v1/activity/users/all/applications/weather")
    assert found is not None
    with pytest.raises(ApiError, match="applicationName"):
        check_path(found)


def test_documents_hold_scopes_and_required_parameters() -> None:
    """Scopes come from the bundled documents, required query parameters are asked for."""
    methods = {one.method_id: one for one in load_document(Api.CALENDAR).methods}
    scopes = methods["calendar.events.list"].scopes
    assert "https://www.googleapis.com/auth/calendar.events.readonly" in scopes
    with pytest.raises(ApiError, match="destination"):
        methods["calendar.events.move"].arguments([])


def test_a_limit_slides() -> None:
    """A request is free again 60 seconds after the one it waits for; refused ones do not count."""
    limit = Limit(Api.MEET, per_minute=2, per_user=1)
    assert limit.exceeded_by("a", NOW) == ""
    assert limit.exceeded_by("a", NOW) == "user"
    assert limit.exceeded_by("b", NOW + timedelta(seconds=30)) == ""
    assert limit.exceeded_by("c", NOW + timedelta(seconds=59)) == "project"
    assert limit.exceeded_by("c", NOW + timedelta(seconds=60)) == ""


def test_faults_are_used_up() -> None:
    """A fault counts its hits and stops after `times`."""
    shaping = Shaping(faults=[Fault(api=Api.MEET, times=2, path="spaces/")])
    asked = [shaping.take_fault(Api.MEET, "meet.spaces.get", "/v2/spaces/a", "x")] * 1
    assert shaping.take_fault(Api.MEET, "meet.spaces.get", "/v2/other", "x") is None
    asked.append(shaping.take_fault(Api.MEET, "meet.spaces.get", "/v2/spaces/a", "y"))
    assert shaping.take_fault(Api.MEET, "meet.spaces.get", "/v2/spaces/a", "x") is None
    assert [one is not None and one.hits for one in asked] == [2, 2]


def test_latency_by_api() -> None:
    """An API's own latency goes before the common one."""
    shaping = Shaping(latency=0.1, latency_of={Api.TOKEN: 0.0})
    assert (shaping.delay(Api.MEET), shaping.delay(Api.TOKEN)) == (0.1, 0.0)


@given(st.recursive(st.none() | st.integers(-9, 9) | st.text(), st.lists, max_leaves=5))
def test_tokens_are_opaque_and_exact(value: object) -> None:
    """What goes into a token comes out again."""
    assert decode(encode(value)) == value


def series(rule: str, **details: object) -> Event:
    start = details.pop("start", NOW)
    assert isinstance(start, datetime | date)
    return Event(
        event_id="e", ical_uid="e@google.com", organizer="a", creator="a",
        start=start, end=start + timedelta(days=1), created_at=NOW, updated_at=NOW,
        time_zone="America/Chicago", recurrence=[rule],
    )  # fmt: skip


def test_series_end_by_count_until_bound_and_horizon() -> None:
    """UNTIL is inclusive, a bound exclusive, an endless series stops after two years."""
    assert len(original_starts(series("RRULE:FREQ=DAILY;COUNT=3"), None)) == 3
    assert len(original_starts(series("RRULE:FREQ=DAILY;UNTIL=20261015T150000Z"), None)) == 3
    assert len(original_starts(series("RRULE:FREQ=DAILY"), NOW + timedelta(days=2))) == 2
    assert len(original_starts(series("RRULE:FREQ=WEEKLY"), None)) == 105


def test_all_day_series_have_dates() -> None:
    """Instances of an all-day series start on dates and are named by them."""
    event = series("RRULE:FREQ=DAILY;COUNT=2", start=date(2026, 10, 31))
    assert original_starts(event, None) == [date(2026, 10, 31), date(2026, 11, 1)]
    assert instance_id("e", date(2026, 11, 1)) == "e_20261101"
    assert length(event) == timedelta(days=1)


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(0, 50), st.integers(0, 50))
def test_audit_rows_are_in_order_whatever_came_first(
    minutes: list[int], low: int, high: int
) -> None:
    """Reading is newest first within inclusive bounds, and positions chain without loss."""
    log = AuditLog()
    for number, minute in enumerate(minutes):
        log.add([a_row(minute, number)])
    start, end = (NOW + timedelta(minutes=bound) for bound in (low, high))
    found = list(log.newest_first(start, end, None))
    assert [row.at for row in found] == sorted((row.at for row in found), reverse=True)
    assert len(found) == sum(low <= minute <= high for minute in minutes)
    if found:
        first = found[0]
        rest = list(log.newest_first(start, end, (first.at, first.qualifier)))
        assert rest == found[1:]


def a_row(minute: int, number: int) -> AuditRow:
    at = NOW + timedelta(minutes=minute)
    return AuditRow(at, number, lambda _: b"{}", (), "", "call_ended", tag=str(number))


def test_rows_are_dropped_by_their_tag() -> None:
    """Rows of a call can be replaced."""
    log = AuditLog()
    log.add([a_row(1, 1), a_row(2, 2)])
    log.drop("1")
    assert len(log) == 1


def test_obscured_addresses() -> None:
    """An address is masked as in published samples."""
    assert obscured("liam@south.com") == "li***@s***.com"
