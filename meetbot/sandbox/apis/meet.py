"""Meet v2: conference records, participants, participant sessions and spaces.

What is visible depends on the clock: a record appears when the first person comes in and has no
`endTime` while somebody is in. Only the organizer may list records; a participant may read one
whose name is known
(https://developers.google.com/workspace/meet/api/guides/conferences).
"""

from datetime import datetime, timedelta
from typing import Any

from meetbot.sandbox.call import Call, cut_page, place_of
from meetbot.sandbox.discovery import Json
from meetbot.sandbox.filters import parse_filter
from meetbot.sandbox.model import Conference, Joins, Participant, Session, Space
from meetbot.sandbox.replies import ApiError
from meetbot.sandbox.times import instant

KEPT_FOR = timedelta(days=30)
_RECORD_TIMES = frozenset({"start_time", "end_time"})
_RECORD_WORDS = frozenset({"space.meeting_code", "space.name"})
_PARTICIPANT_TIMES = frozenset({"earliest_start_time", "latest_end_time"})


# --- records -------------------------------------------------------------------------------------


def list_records(call: Call) -> Json:
    """`conferenceRecords.list`: the subject's own calls, newest first."""
    wanted = parse_filter(call.text("filter"), _RECORD_TIMES, _RECORD_WORDS)
    mine = call.subject.email if call.subject is not None else ""
    found = [
        one
        for one in call.world.conferences.values()
        if one.organizer == mine and _visible(one, call.now) and wanted(_record_fields(one, call))
    ]
    size = call.page_size("pageSize", 25, 100)
    page, token = cut_page(call, found, _newest_record, place_of(call), size)
    answer: Json = {"conferenceRecords": [_record(one, call.now) for one in page]}
    return _paged(answer, token)


def get_record(call: Call) -> Json:
    """`conferenceRecords.get`."""
    return _record(_readable(call), call.now)


def _newest_record(one: Conference) -> list[Any]:
    return [-one.starts_at().timestamp(), one.conference_id]


def _visible(one: Conference, now: datetime) -> bool:
    end = one.ends_at()
    return one.starts_at() <= now and (end is None or now < end + KEPT_FOR)


def _ended(one: Conference, now: datetime) -> datetime | None:
    end = one.ends_at()
    return end if end is not None and end <= now else None


def _record_fields(one: Conference, call: Call) -> dict[str, datetime | str | None]:
    return {
        "space.meeting_code": one.code,
        "space.name": f"spaces/{one.space_id}",
        "start_time": one.starts_at(),
        "end_time": _ended(one, call.now),
    }


def _record(one: Conference, now: datetime) -> Json:
    end = _ended(one, now)
    record: Json = {
        "name": f"conferenceRecords/{one.conference_id}",
        "startTime": instant(one.starts_at()),
        "expireTime": instant((end or one.starts_at()) + KEPT_FOR),
        "space": f"spaces/{one.space_id}",
    }
    if end is not None:
        record["endTime"] = instant(end)
    return record


def _readable(call: Call) -> Conference:
    """The record in the path, for its organizer and those who were in it. Else ApiError."""
    found = call.world.conferences.get(call.path["conferenceRecordsId"])
    if found is None or not _visible(found, call.now):
        raise ApiError(404, "Requested entity was not found.")
    subject = call.subject.email if call.subject is not None else ""
    people = {
        one.who for one in found.participants if one.joins is Joins.SIGNED_IN and _seen(one, call)
    }
    if subject not in {found.organizer, *people}:
        raise ApiError(403, "The caller does not have permission")
    return found


# --- participants --------------------------------------------------------------------------------


def list_participants(call: Call) -> Json:
    """`participants.list`, latest arrival first; `totalSize` only if the mask names it."""
    wanted = parse_filter(call.text("filter"), _PARTICIPANT_TIMES)
    record = _readable(call)
    found = [
        one
        for one in record.participants
        if _seen(one, call) and wanted(_participant_fields(one, call.now))
    ]
    size = call.page_size("pageSize", 100, 250)
    page, token = cut_page(call, found, _latest_arrival, place_of(call), size)
    answer: Json = {"participants": [_participant(record, one, call.now) for one in page]}
    if "totalSize" in call.mask:
        answer["totalSize"] = len(found)
    return _paged(answer, token)


def get_participant(call: Call) -> Json:
    """`participants.get`."""
    record = _readable(call)
    return _participant(record, _find_participant(record, call), call.now)


def list_sessions(call: Call) -> Json:
    """`participantSessions.list`, newest first."""
    wanted = parse_filter(call.text("filter"), _RECORD_TIMES)
    record = _readable(call)
    one = _find_participant(record, call)
    found = [
        (number, session)
        for number, session in enumerate(one.sessions)
        if session.start <= call.now
        and wanted({"start_time": session.start, "end_time": _left(session, call.now)})
    ]
    size = call.page_size("pageSize", 100, 250)
    page, token = cut_page(call, found, _newest_session, place_of(call), size)
    answer: Json = {
        "participantSessions": [_session(record, one, *pair, call.now) for pair in page]
    }
    return _paged(answer, token)


def get_session(call: Call) -> Json:
    """`participantSessions.get`."""
    record = _readable(call)
    one = _find_participant(record, call)
    for number, session in enumerate(one.sessions):
        if str(number + 1) == call.path["participantSessionsId"] and session.start <= call.now:
            return _session(record, one, number, session, call.now)
    raise ApiError(404, "Requested entity was not found.")


def _find_participant(record: Conference, call: Call) -> Participant:
    for one in record.participants:
        if one.participant_id == call.path["participantsId"] and _seen(one, call):
            return one
    raise ApiError(404, "Requested entity was not found.")


def _seen(one: Participant, call: Call) -> bool:
    return any(session.start <= call.now for session in one.sessions)


def _left(session: Session, now: datetime) -> datetime | None:
    return session.end if session.end is not None and session.end <= now else None


def _hull(one: Participant, now: datetime) -> tuple[datetime, datetime | None]:
    """First arrival and last leaving so far; None while a device is still in."""
    begun = [session for session in one.sessions if session.start <= now]
    ends = [_left(session, now) for session in begun]
    known = [end for end in ends if end is not None]
    latest = max(known) if len(known) == len(ends) else None
    return min(session.start for session in begun), latest


def _participant_fields(one: Participant, now: datetime) -> dict[str, datetime | str | None]:
    start, end = _hull(one, now)
    return {"earliest_start_time": start, "latest_end_time": end}


def _latest_arrival(one: Participant) -> list[Any]:
    first = min(session.start for session in one.sessions)
    return [-first.timestamp(), one.participant_id]


def _newest_session(pair: tuple[int, Session]) -> list[Any]:
    return [-pair[1].start.timestamp(), pair[0]]


def _participant(record: Conference, one: Participant, now: datetime) -> Json:
    start, end = _hull(one, now)
    answer: Json = {
        "name": f"conferenceRecords/{record.conference_id}/participants/{one.participant_id}",
        "earliestStartTime": instant(start),
    }
    match one.joins:
        case Joins.SIGNED_IN:
            answer["signedinUser"] = {
                "user": f"users/{one.participant_id}",
                "displayName": one.name,
            }
        case Joins.ANONYMOUS:
            answer["anonymousUser"] = {"displayName": one.name}
        case Joins.PHONE:
            answer["phoneUser"] = {"displayName": one.name}
    if end is not None:
        answer["latestEndTime"] = instant(end)
    return answer


def _session(
    record: Conference, one: Participant, number: int, session: Session, now: datetime
) -> Json:
    person = f"conferenceRecords/{record.conference_id}/participants/{one.participant_id}"
    answer: Json = {
        "name": f"{person}/participantSessions/{number + 1}",
        "startTime": instant(session.start),
    }
    end = _left(session, now)
    if end is not None:
        answer["endTime"] = instant(end)
    return answer


def _paged(answer: Json, token: str | None) -> Json:
    """Protobuf JSON leaves empty lists out, so an empty page is `{}` plus its token."""
    full = {name: value for name, value in answer.items() if value != []}
    return full | ({"nextPageToken": token} if token is not None else {})


# --- spaces --------------------------------------------------------------------------------------


def get_space(call: Call) -> Json:
    """`spaces.get` by id (case-sensitive) or code; settings only for the owner."""
    return _space(_found(call), call)


def list_members(call: Call) -> Json:
    """`spaces.members.list`: the co-hosts, only for the owner."""
    space = _found(call)
    if call.subject is None or call.subject.email != space.owner:
        raise ApiError(403, "The caller does not have permission")
    size = call.page_size("pageSize", 250, 500)
    page, token = cut_page(call, space.cohosts, lambda one: [one], place_of(call), size)
    members = [
        {"name": f"spaces/{space.space_id}/members/{one}", "email": one, "role": "COHOST"}
        for one in page
    ]
    return _paged({"members": members}, token)


def _found(call: Call) -> Space:
    """The space in the path, by id or code. Else ApiError."""
    wanted = call.path["spacesId"]
    for space in call.world.spaces.values():
        if wanted == space.space_id or wanted.lower().replace("-", "") == space.code.replace(
            "-", ""
        ):
            return space
    raise ApiError(404, "Requested entity was not found.")


def _space(space: Space, call: Call) -> Json:
    subject = call.subject.email if call.subject is not None else ""
    answer: Json = {
        "name": f"spaces/{space.space_id}",
        "meetingUri": f"https://meet.google.com/{space.code}",
        "meetingCode": space.code,
    }
    if subject == space.owner:
        answer["config"] = {
            "accessType": space.access_type,
            "entryPointAccess": "ALL",
            "moderation": space.moderation,
        }
    for one in call.world.conferences.values():
        running = _visible(one, call.now) and _ended(one, call.now) is None
        people = {person.who for person in one.participants}
        if one.space_id == space.space_id and running and subject in {space.owner, *people}:
            name = f"conferenceRecords/{one.conference_id}"
            answer["activeConference"] = {"conferenceRecord": name}
    return answer


_PARTICIPANTS = "meet.conferenceRecords.participants"
HANDLERS = {
    "meet.conferenceRecords.list": list_records,
    "meet.conferenceRecords.get": get_record,
    f"{_PARTICIPANTS}.list": list_participants,
    f"{_PARTICIPANTS}.get": get_participant,
    f"{_PARTICIPANTS}.participantSessions.list": list_sessions,
    f"{_PARTICIPANTS}.participantSessions.get": get_session,
    "meet.spaces.get": get_space,
    "meet.spaces.members.list": list_members,
}
