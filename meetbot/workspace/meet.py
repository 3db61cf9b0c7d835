"""Meet v2 → conferences, participants and their sessions, as the organizer.

Sources: https://developers.google.com/workspace/meet/api/reference/rest/v2/conferenceRecords,
https://developers.google.com/workspace/meet/api/guides/participants
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from meetbot.domain.attendance import Conference, IdentityForm, RawIdentity, Source, Visit
from meetbot.domain.spaces import Access, Space
from meetbot.errors import NotFound
from meetbot.ports import Participant
from meetbot.workspace.api import MEET, Api
from meetbot.workspace.client import GoogleClient, Method
from meetbot.workspace.raw import (
    LONGEST_NAME,
    Raw,
    as_code,
    as_instant,
    as_object,
    as_text,
    rfc3339,
)
from meetbot.workspace.refusals import items_of, unreadable

T = TypeVar("T")

_SPACE_NAME = re.compile(r"spaces/[^/\s]+")
_ACCESS = {"OPEN": Access.OPEN, "TRUSTED": Access.TRUSTED, "RESTRICTED": Access.RESTRICTED}


class GoogleMeet:
    """`ports.MeetPort`. Lists are complete or an error: what is unreadable raises `BadAnswer`.

    Not visible is not the same as none: a record that the subject may not see raises
    `AccessDenied` or `NotFound`. Other errors are those of `GoogleClient.call`.
    """

    def __init__(self, client: GoogleClient) -> None:
        self._client = client
        self._records = client.service(Api.MEET).conferenceRecords()
        self._participants = self._records.participants()
        self._sessions = self._participants.participantSessions()
        self._spaces = client.service(Api.MEET).spaces()
        self._members = self._spaces.members()

    def records(
        self, organizer: str, meeting_code: str, *, since: datetime, until: datetime
    ) -> tuple[Conference, ...]:
        """Records of a code that began in [since, until], newest first, running ones included."""
        code = as_code(meeting_code)
        if code is None:
            return ()
        wanted = (
            f'space.meeting_code = "{hyphenated(code)}"'
            f' AND start_time>="{rfc3339(since)}" AND start_time<="{rfc3339(until)}"'
        )
        return self._all(
            organizer,
            self._records.list,
            "conferenceRecords",
            lambda raw: to_conference(raw, code),
            filter=wanted,
            pageSize=100,
            fields="nextPageToken,conferenceRecords(name,startTime,endTime,space)",
        )

    def participants(self, organizer: str, conference: str) -> tuple[Participant, ...]:
        """All participants of a record, every page: the earliest joins come last."""
        return self._all(
            organizer,
            self._participants.list,
            "participants",
            to_participant,
            parent=conference,
            pageSize=250,
            fields="nextPageToken,participants(name,earliestStartTime,latestEndTime,"
            "signedinUser,anonymousUser,phoneUser)",
        )

    def sessions(self, organizer: str, participant: Participant) -> tuple[Visit[RawIdentity], ...]:
        """All sessions of one participant, every page, one for each join on each device."""
        return self._all(
            organizer,
            self._sessions.list,
            "participantSessions",
            lambda raw: to_visit(raw, participant),
            parent=participant.name,
            pageSize=250,
            fields="nextPageToken,participantSessions(name,startTime,endTime)",
        )

    def space(self, organizer: str, place: str) -> Space:
        """A space by its name, or by a code, which Meet takes in place of the id."""
        name = place
        if not _SPACE_NAME.fullmatch(place):
            code = as_code(place)
            if not code:
                raise NotFound("a meeting code that is none has no space")
            name = f"spaces/{hyphenated(code)}"
        raw = self._client.call(
            MEET,
            organizer,
            self._spaces.get,
            name=name,
            fields="name,meetingCode,config(accessType,moderation)",
        )
        space = to_space(as_object(raw))
        if space is None:
            raise unreadable(MEET, "a space without a name")
        return space

    def cohosts(self, organizer: str, space: str) -> tuple[str, ...]:
        """Addresses of the co-hosts of a space, every page; other members have no role."""
        members = self._all(
            organizer,
            self._members.list,
            "members",
            to_space_member,
            parent=space,
            pageSize=500,
            fields="nextPageToken,members(email,role)",
        )
        return tuple(address for address, role in members if role == "COHOST")

    def check(self, organizer: str) -> None:
        """List one record at most; raises what stands in the way."""
        self._client.call(
            MEET,
            organizer,
            self._records.list,
            pageSize=1,
            fields="conferenceRecords/name",
        )

    def _all(
        self,
        organizer: str,
        method: Method,
        name: str,
        convert: Callable[[Raw], T | None],
        **parameters: object,
    ) -> tuple[T, ...]:
        found: list[T] = []
        for page in self._client.pages(MEET, organizer, method, **parameters):
            for raw in items_of(MEET, page, name):
                one = convert(raw)
                if one is None:
                    raise unreadable(MEET, f"an entry of {name} that cannot be understood")
                found.append(one)
        return tuple(found)


def hyphenated(code: str) -> str:
    """A code as Meet writes it, `abc-mnop-xyz`; codes of another length stay as they are."""
    return f"{code[:3]}-{code[3:7]}-{code[7:]}" if len(code) == 10 else code


def to_conference(raw: Raw, code: str) -> Conference | None:
    """One conference record; it has no `endTime` while it runs."""
    name, start_at = as_text(raw.get("name")), as_instant(raw.get("startTime"))
    if not name or start_at is None or _is_broken(raw, "endTime"):
        return None
    return Conference(
        name=name,
        source=Source.MEET,
        meeting_code=code,
        start_at=start_at,
        end_at=as_instant(raw.get("endTime")),
        space=as_text(raw.get("space")) or None,
    )


def to_participant(raw: Raw) -> Participant | None:
    """One person of a record; there is no `latestEndTime` while they are in the call."""
    name, start_at = as_text(raw.get("name")), as_instant(raw.get("earliestStartTime"))
    if not name or start_at is None or _is_broken(raw, "latestEndTime"):
        return None
    return Participant(name, to_identity(raw), start_at, as_instant(raw.get("latestEndTime")))


def to_identity(raw: Raw) -> RawIdentity:
    """Who a participant is, as far as Meet tells: an id or nothing, never an address.

    Room devices are signed-in robot accounts. A kind of user that is not known yet counts as
    anonymous.
    """
    signed_in = as_object(raw.get("signedinUser"))
    google_id = as_text(signed_in.get("user")).removeprefix("users/")
    if google_id:
        return RawIdentity(IdentityForm.SIGNED_IN, google_id, display_name=_name(signed_in))
    if "phoneUser" in raw:
        return RawIdentity(IdentityForm.PHONE, display_name=_name(as_object(raw["phoneUser"])))
    nameless = signed_in or as_object(raw.get("anonymousUser"))
    return RawIdentity(IdentityForm.ANONYMOUS, display_name=_name(nameless))


def to_visit(raw: Raw, participant: Participant) -> Visit[RawIdentity] | None:
    """One session; it has no `endTime` while it is open."""
    name, start_at = as_text(raw.get("name")), as_instant(raw.get("startTime"))
    if not name or start_at is None or _is_broken(raw, "endTime"):
        return None
    return Visit(
        source=Source.MEET,
        key=name,
        conference=participant.name.partition("/participants/")[0],
        participant=participant.name,
        identity=participant.identity,
        start_at=start_at,
        end_at=as_instant(raw.get("endTime")),
    )


def to_space(raw: Raw) -> Space | None:
    """A space; `config` comes only for its owner, and an access type not known yet is unknown."""
    name, config = as_text(raw.get("name")), as_object(raw.get("config"))
    if not _SPACE_NAME.fullmatch(name):
        return None
    moderation = as_text(config.get("moderation"))
    return Space(
        name=name,
        meeting_code=as_code(raw.get("meetingCode")),
        access=_ACCESS.get(as_text(config.get("accessType"))),
        is_moderated=moderation == "ON" if moderation in ("ON", "OFF") else None,
    )


def to_space_member(raw: Raw) -> tuple[str, str] | None:
    """Address and role of a member; None for a co-host without an address."""
    address, role = as_text(raw.get("email")), as_text(raw.get("role"))
    return None if role == "COHOST" and not address else (address, role)


def _name(user: Raw) -> str:
    return as_text(user.get("displayName"), LONGEST_NAME)


def _is_broken(raw: Raw, name: str) -> bool:
    """Whether an end is given that is no instant: it must not pass for a running call."""
    return raw.get(name) is not None and as_instant(raw[name]) is None
