"""Reports v1: `activities.list` for the applications `meet` and `calendar`, newest first.

A row is there once the feed's lag has passed
(https://support.google.com/a/answer/7061566 on lag).
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import orjson

from meetbot.sandbox.call import Call, page_token, place_of
from meetbot.sandbox.discovery import Json
from meetbot.sandbox.model import AuditRow
from meetbot.sandbox.replies import ApiError
from meetbot.sandbox.times import parse_instant

KEPT_FOR = timedelta(days=180)
_UNSUPPORTED = ("orgUnitID", "groupIdFilter", "actorIpAddress")
_CONDITION = re.compile(r"(\w+)(==|<>|<=|>=|<|>)(.+)")
RowTest = Callable[[AuditRow], bool]


def list_activities(call: Call) -> Json:
    """`activities.list`; rows that come in between two pages wait for the next listing."""
    _need_reports(call)
    place = place_of(call)
    as_of = datetime.fromisoformat(place.kept["as_of"]) if not place.first else call.now
    kept = {"as_of": as_of.isoformat()}
    size = call.page_size("maxResults", 1000, 1000)
    answer: Json = {"kind": "admin#reports#activities", "etag": '"activities"'}
    if place.first and call.world.shaping.empty_pages:
        return answer | {"nextPageToken": page_token(call, None, kept)}
    rows = _rows(call, as_of, place.after, size + 1)
    if rows:
        answer["items"] = [orjson.Fragment(row.render(row)) for row in rows[:size]]
    if len(rows) > size:
        last = rows[size - 1]
        after = [last.at.isoformat(), last.qualifier]
        answer["nextPageToken"] = page_token(call, after, kept)
    return answer


def _rows(call: Call, as_of: datetime, after: list[str | int] | None, most: int) -> list[AuditRow]:
    """At most `most` rows that were available at `as_of`."""
    application = call.path["applicationName"]
    log = call.world.audit.get(application)
    if log is None:
        return []
    lag = call.world.audit_lag[application]
    start, end = _time(call, "startTime"), _time(call, "endTime")
    if start is not None and (start >= as_of or (end is not None and start > end)):
        raise ApiError(400, "Start time must be before end time and in the past.", "invalid")
    oldest = as_of - KEPT_FOR
    before = (datetime.fromisoformat(str(after[0])), int(after[1])) if after else None
    wanted = _row_test(call)
    found: list[AuditRow] = []
    for row in log.newest_first(max(start, oldest) if start else oldest, end, before):
        if row.at + lag + row.late <= as_of and wanted(row):
            found.append(row)
            if len(found) == most:
                break
    return found


def _time(call: Call, name: str) -> datetime | None:
    text = call.text(name)
    try:
        return parse_instant(text) if text else None
    except ValueError as error:
        raise ApiError(400, f"Invalid value for {name}: {error}", "invalid") from None


def _need_reports(call: Call) -> None:
    for name in _UNSUPPORTED:
        if call.text(name):
            raise ApiError(501, f"The sandbox does not simulate {name}.")
    if call.subject is None or not call.subject.admin:
        raise ApiError(
            403, "Access denied. You are not authorized to read activity records.", "forbidden"
        )


def _row_test(call: Call) -> RowTest:
    """`userKey`, `eventName` and `filters`; without them rows are not looked into."""
    tests: list[RowTest] = []
    who, name = call.path["userKey"], call.text("eventName")
    if who != "all":
        user = call.world.find_user(who)
        if user is None:
            raise ApiError(404, "Resource Not Found: userKey")
        tests.append(lambda row: row.actor == user.email)
    if name:
        tests.append(lambda row: row.event_name == name)
    if call.text("filters"):
        tests.append(_filters_test(call.text("filters")))
    return lambda row: all(test(row) for test in tests)


def _filters_test(text: str) -> RowTest:
    """`param==value,...`; of two conditions on one parameter the last counts."""
    conditions: dict[str, tuple[str, str]] = {}
    for part in text.split(","):
        match = _CONDITION.fullmatch(part)
        if match is None or match[2] not in ("==", "<>"):
            raise ApiError(501, f"The sandbox does not simulate the filter {part!r}.")
        conditions[match[1]] = (match[2], match[3])

    def test(row: AuditRow) -> bool:
        parameters = orjson.loads(row.render(row))["events"][0]["parameters"]
        values = {one["name"]: str(_value(one)) for one in parameters}
        return all(
            name in values and (values[name] == wanted) is (sign == "==")
            for name, (sign, wanted) in conditions.items()
        )

    return test


def _value(parameter: dict[str, object]) -> object:
    if "boolValue" in parameter:
        return "true" if parameter["boolValue"] else "false"
    return parameter.get("value", parameter.get("intValue", ""))


HANDLERS = {"reports.activities.list": list_activities}
