"""Google's JSON as plain values: what is there, what is missing, what is hostile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.attendance import IdentityForm, RawIdentity
from meetbot.domain.invitation import Attachment, Invitation
from meetbot.domain.people import AccountKind, DistrictUnits
from meetbot.domain.platforms import Platform
from meetbot.domain.spaces import Access, Space
from meetbot.ports import EventEdit, GroupMember, Participant
from meetbot.workspace.activities import to_activities
from meetbot.workspace.calendar import to_copy
from meetbot.workspace.directory import to_account, to_member
from meetbot.workspace.meet import (
    hyphenated,
    to_conference,
    to_identity,
    to_participant,
    to_space,
    to_space_member,
    to_visit,
)
from meetbot.workspace.raw import as_code, as_instant, as_number, as_text, rfc3339
from meetbot.workspace.reports import to_audit_page, to_change_page
from tests.workspace_parts import to_call_rows

ZONE = ZoneInfo("America/Chicago")
UNITS = DistrictUnits(("/Staff",), ("/Students",), ("/Staff/Contractors",))
ANN = "ann@district.example"
SOMEBODY = Participant(
    "c/participants/p", RawIdentity(IdentityForm.ANONYMOUS), datetime.now(UTC), None
)


# --- single values ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-10-13T09:00:01.123456789Z", datetime(2026, 10, 13, 9, 0, 1, 123456, UTC)),
        ("2026-10-13T09:00:01.5Z", datetime(2026, 10, 13, 9, 0, 1, 500000, UTC)),
        ("2026-10-13T09:00:01-05:00", datetime(2026, 10, 13, 14, 0, 1, tzinfo=UTC)),
        ("2026-10-13T09:00:01", None),
        ("0001-01-01T00:00:00+12:00", None),
        ("soon", None),
        (7, None),
    ],
)
def test_instants(text: object, found: datetime | None) -> None:
    """Instants have a zone, are given in UTC and keep their fractions."""
    assert as_instant(text) == found


def test_numbers() -> None:
    """64-bit numbers are strings; nonsense is none."""
    assert [as_number(v) for v in ("62", 62, "-3")] == [62, 62, -3]
    assert [as_number(v) for v in ("", "1.5", "x", True, None, "9" * 5000, 10**40, "²")] == [
        None
    ] * 8


def test_codes() -> None:
    """Reports' `ABCDEFGHIJ` and Calendar's `abc-defg-hij` are one code."""
    assert as_code("ABCDEFGHIJ") == as_code("abc-defg-hij") == "abcdefghij"
    assert hyphenated("abcdefghij") == "abc-defg-hij"
    assert as_code('a" OR x="') is None


def test_texts_are_cut() -> None:
    """A megabyte of text is cut, and lone surrogates cannot break a database."""
    assert len(as_text("x" * 1_000_000, 100)) == 100
    as_text("a\ud800b").encode("utf-8")


# --- events -------------------------------------------------------------------------------------


def event(**changes: Any) -> dict[str, Any]:
    """A plain event of Ann's; a change to None takes the field out."""
    whole: dict[str, Any] = {
        "id": "e1",
        "status": "confirmed",
        "iCalUID": "e1@google.com",
        "start": {"dateTime": "2026-10-13T10:00:00-05:00"},
        "end": {"dateTime": "2026-10-13T11:00:00-05:00"},
        "organizer": {"email": ANN, "self": True},
        "creator": {"email": ANN},
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def copy(**changes: Any) -> Any:
    return to_copy(event(**changes), ANN, ZONE)


def test_single_event() -> None:
    """Times are UTC, the original start of a single event is its start, defaults are Google's."""
    found = copy()

    assert found.start_at == datetime(2026, 10, 13, 15, tzinfo=UTC)
    assert found.original_start_at == found.start_at
    assert found.is_organizer_copy
    assert found.guests_can_see_others
    assert found.guests_can_invite
    assert not found.guests_can_modify
    assert found.meeting_code is None


def test_without_what_google_may_leave_out() -> None:
    """No uid: the one Google makes of the id, a series' for its instances. No `self`: the owner."""
    bare = copy(iCalUID=None, organizer={"email": ANN.upper()})
    instance = copy(id="e1_20261013T150000Z", iCalUID=None, recurringEventId="e1")

    assert bare.ical_uid == instance.ical_uid == "e1@google.com"
    assert bare.is_organizer_copy
    assert not copy(organizer={"email": "else@district.example"}).is_organizer_copy


def test_moved_instance() -> None:
    """A moved instance keeps Google's original start beside its new time."""
    found = copy(recurringEventId="e0", originalStartTime={"dateTime": "2026-10-12T10:00:00-05:00"})

    assert found.recurring_event_id == "e0"
    assert found.original_start_at == datetime(2026, 10, 12, 15, tzinfo=UTC)


def test_tombstones() -> None:
    """A cancelled event may be nothing but ids."""
    single = to_copy({"id": "a", "status": "cancelled"}, ANN, ZONE)
    instance = to_copy(
        {
            "id": "a_1",
            "status": "cancelled",
            "recurringEventId": "a",
            "originalStartTime": {"dateTime": "2026-10-13T10:00:00Z"},
        },
        ANN,
        ZONE,
    )

    assert single is not None
    assert single.is_cancelled
    assert single.start_at is None
    assert instance is not None
    assert instance.recurring_event_id == "a"
    assert instance.original_start_at == datetime(2026, 10, 13, 10, tzinfo=UTC)


def test_all_day() -> None:
    """All-day events last from local midnight to local midnight."""
    found = copy(start={"date": "2026-11-01"}, end={"date": "2026-11-02"})

    assert found.is_all_day
    assert found.start_at == datetime(2026, 11, 1, 5, tzinfo=UTC)
    assert found.end_at == datetime(2026, 11, 2, 6, tzinfo=UTC)


def test_floating_time() -> None:
    """A time without offset counts in the zone that stands beside it."""
    found = copy(start={"dateTime": "2026-10-13T10:00:00", "timeZone": "America/New_York"})

    assert found.start_at == datetime(2026, 10, 13, 14, tzinfo=UTC)


def test_no_end() -> None:
    """An event without an end is a moment, not a malformed event."""
    found = copy(end=None)

    assert found.end_at == found.start_at


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"start": None},
        {"end": {}},
        {"start": {"dateTime": "soon"}},
        {"start": {"dateTime": "2026-10-13T10:00:00", "timeZone": "Mars/Base"}},
        {"end": {"dateTime": "2026-10-13T09:00:00-05:00"}},
        {"start": {"date": "2026-13-40"}},
    ],
)
def test_malformed_events(changes: dict[str, Any]) -> None:
    """An event without id or sensible times is none."""
    assert copy(**changes) is None


MEET = {"conferenceSolution": {"key": {"type": "hangoutsMeet"}}, "conferenceId": "abc-defg-hij"}
ZOOM = {
    "conferenceSolution": {"key": {"type": "addOn"}},
    "conferenceId": "98765",
    "entryPoints": [{"entryPointType": "video", "uri": "https://us02web.zoom.us/j/98765"}],
    "notes": "or https://teams.microsoft.com/l/meetup-join/1",
}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"conferenceData": MEET}, "abcdefghij"),
        ({"hangoutLink": "https://meet.google.com/abc-defg-hij?hs=1"}, "abcdefghij"),
        (
            {"conferenceData": ZOOM, "hangoutLink": "https://meet.google.com/abc-defg-hij"},
            "abcdefghij",
        ),
        (
            {"conferenceData": {"entryPoints": [{"uri": "https://meet.google.com/abc-defg-hij"}]}},
            "abcdefghij",
        ),
        ({"description": "<a href='https://meet.google.com/ABC-DEFG-HIJ'>"}, "abcdefghij"),
        ({"location": "https://meet.google.com/abc-defg-hij, meet.google.com/xyz-defg-hij"}, None),
        ({"location": "https://meet.google.com.evil.example/abc-defg-hij"}, None),
        ({"location": "https://notmeet.google.com/abc-defg-hij"}, None),
        ({"conferenceData": ZOOM}, None),
        ({"conferenceData": {"createRequest": {"status": {"statusCode": "pending"}}}}, None),
    ],
)
def test_meeting_codes(changes: dict[str, Any], code: str | None) -> None:
    """The code comes from conference data, the old link, or the only Meet link in the text."""
    assert copy(**changes).meeting_code == code


def test_links() -> None:
    """Platforms are found in conference data, notes, location and description alike."""
    found = copy(conferenceData=ZOOM, location="https://x.webex.com/meet/a", description="zoom in")

    assert {link.platform for link in found.links} == {
        Platform.ZOOM,
        Platform.TEAMS,
        Platform.WEBEX,
    }


def test_hostile_texts() -> None:
    """A megabyte of hostile text costs little and leaves nothing behind but known links."""
    text = "<script>\u202e" + "https://zoom.us/j/1 " + "a@" * 500_000

    found = copy(description=text, location=text, summary=text)

    assert [link.platform for link in found.links] == [Platform.ZOOM]
    assert "script" not in repr(found)


def test_invitations() -> None:
    """Title, texts and attachments go on in memory and show nothing; hidden ones are unknown."""
    files = [
        {
            "title": "Roster",
            "fileUrl": "https://drive.google.com/open?id=1",
            "mimeType": "text/csv",
        },
        {"fileUrl": 7},
        "x",
    ]
    found = copy(summary="Secret", description="<b>d</b>", location="L", attachments=files)

    assert found.invitation == Invitation(
        "Secret",
        "<b>d</b>",
        "L",
        (
            Attachment("Roster", "https://drive.google.com/open?id=1", "text/csv"),
            Attachment(""),
            Attachment(""),
        ),
    )
    assert "Secret" not in repr(found)
    assert "Roster" not in repr(found)
    assert copy().invitation == Invitation()
    assert copy(visibility="private", organizer=None, creator=None).invitation is None


def test_a_cut_invitation_says_so() -> None:
    """What is longer than anybody looks at was not looked at."""
    assert copy(summary="x" * 65_537).invitation.is_cut
    assert copy(attachments=[{}] * 51).invitation.is_cut
    assert not copy(description="x" * 65_536, attachments=[{}] * 50).invitation.is_cut


def test_guest_lists() -> None:
    """Guests keep their answers; one without an address makes the list incomplete."""
    guests = [
        {"email": ANN, "organizer": True, "self": True, "responseStatus": "accepted"},
        {"email": "room@resource.calendar.google.com", "resource": True},
        {"displayName": "Somebody"},
    ]

    found = copy(attendees=guests)

    assert [a.address for a in found.attendees] == [ANN, "room@resource.calendar.google.com"]
    assert found.attendees[0].response == "accepted"
    assert found.attendees[1].is_resource
    assert found.attendees_omitted
    assert not copy(attendees=guests[:2]).attendees_omitted
    assert copy(attendees=guests[:1], attendeesOmitted=True).attendees_omitted
    assert copy(attendees="everybody").attendees_omitted


def test_hidden_details() -> None:
    """A private event read as a mere reader says that its details are unknown."""
    hidden = copy(visibility="private", organizer=None, creator=None)

    assert hidden.is_details_hidden
    assert not copy(visibility="private").is_details_hidden
    assert not copy().is_details_hidden


# --- Meet ---------------------------------------------------------------------------------------


def test_participants() -> None:
    """A person is an id, a phone or a name; who is in the call has no end."""
    start = {"earliestStartTime": "2026-10-13T15:00:00.25Z"}
    inside = to_participant(
        {"name": "c/participants/1", "signedinUser": {"user": "users/1", "displayName": "A"}}
        | start
    )

    assert inside is not None
    assert inside.identity == RawIdentity(IdentityForm.SIGNED_IN, "1", display_name="A")
    assert inside.latest_end_at is None
    assert to_identity({"phoneUser": {"displayName": "+1 ***"}}).form is IdentityForm.PHONE
    assert to_identity({"anonymousUser": {"displayName": "G"}}).display_name == "G"
    assert to_identity({"someNewUser": {}}).form is IdentityForm.ANONYMOUS
    assert to_identity({"signedinUser": {"displayName": "X"}}).form is IdentityForm.ANONYMOUS


def test_broken_ends() -> None:
    """An end that cannot be read must not pass for a call that still runs."""
    base = {"name": "c", "startTime": "2026-10-13T15:00:00Z", "endTime": "soon"}

    assert to_conference(base, "abc") is None
    assert to_visit(base, SOMEBODY) is None
    assert (
        to_participant({"name": "c", "earliestStartTime": base["startTime"], "latestEndTime": 3})
        is None
    )


# --- Reports ------------------------------------------------------------------------------------


def row(*, time: str = "2026-10-13T15:30:00.900Z", actor: Any = None, **parameters: Any) -> Any:
    """A `call_ended` activity; parameters as Google writes them, None takes one out."""
    whole = {
        "conference_id": "conf",
        "meeting_code": "ABCDEFGHIJ",
        "duration_seconds": 600,
        "start_timestamp_seconds": 1_791_904_200,
        "endpoint_id": "boq_1",
    } | parameters
    listed: list[dict[str, Any]] = []
    for name, value in whole.items():
        match value:
            case None:
                continue
            case bool():
                listed.append({"name": name, "boolValue": value})
            case int():
                listed.append({"name": name, "intValue": str(value)})
            case _:
                listed.append({"name": name, "value": value})
    return {
        "id": {"time": time, "uniqueQualifier": "-7"},
        "actor": actor or {"callerType": "KEY", "key": "HANGOUTS_EXTERNAL_OR_ANONYMOUS"},
        "events": [{"type": "call", "name": "call_ended", "parameters": listed}],
    }


def visit_of(activity: Any) -> Any:
    page = to_audit_page(to_call_rows([activity]))
    assert len(page.visits) == 1
    return page.visits[0]


def test_call_rows() -> None:
    """A row is a visit from its start for its duration, known again by time, qualifier, index."""
    visit = visit_of(row())

    assert visit.key == "2026-10-13T15:30:00.900Z/-7/0"
    assert visit.conference == "audit/conf"
    assert visit.end_at - visit.start_at == timedelta(seconds=600)
    assert visit.start_at == datetime.fromtimestamp(1_791_904_200, UTC)


def test_rows_without_start() -> None:
    """Without a start it is the row's time, in whole seconds, less the duration."""
    visit = visit_of(row(start_timestamp_seconds=None))

    assert visit.end_at == datetime(2026, 10, 13, 15, 30, 0, tzinfo=UTC)
    assert visit.start_at == datetime(2026, 10, 13, 15, 20, 0, tzinfo=UTC)


def test_conferences_span_their_rows() -> None:
    """Rows of one call make one conference from the first start to the last end."""
    late = row(start_timestamp_seconds=1_791_904_000, duration_seconds=60, endpoint_id="boq_2")

    page = to_audit_page(to_call_rows([row(calendar_event_id="ev_20261013T150000Z"), late]))

    (conference,) = page.conferences
    assert conference.start_at == datetime.fromtimestamp(1_791_904_000, UTC)
    assert conference.end_at == datetime.fromtimestamp(1_791_904_800, UTC)
    assert conference.meeting_code == "abcdefghij"
    assert conference.calendar_event_id == "ev_20261013T150000Z"


def test_rows_without_conference() -> None:
    """Without a conference id a call is known by code and day, without both it is malformed."""
    assert visit_of(row(conference_id=None)).conference == "audit/abcdefghij@2026-10-13"
    assert to_audit_page(to_call_rows([row(conference_id=None, meeting_code=None)])).malformed == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"duration_seconds": None},
        {"duration_seconds": -1},
        {"duration_seconds": 10**12},
        {"start_timestamp_seconds": 10**17},
        {"start_timestamp_seconds": "x"},
        {"time": "soon", "start_timestamp_seconds": None},
    ],
)
def test_malformed_rows(parameters: dict[str, Any]) -> None:
    """A row without a sensible time is counted, not guessed."""
    page = to_audit_page(to_call_rows([row(**parameters)]))

    assert page.malformed == 1
    assert page.visits == ()


def test_rows_of_one_instant_stay_apart() -> None:
    """A qualifier that came as a number counts; without one the endpoint tells rows apart."""
    numbered = [row(), row()]
    for number, one in enumerate(numbered):
        one["id"]["uniqueQualifier"] = -number
    bare = [row(endpoint_id="a"), row(endpoint_id="b")]
    for one in bare:
        del one["id"]["uniqueQualifier"]

    for rows in (numbered, bare):
        keys = [visit.key for visit in to_audit_page(to_call_rows(rows)).visits]
        assert len(set(keys)) == 2


USER = {"callerType": "USER", "email": "ann@district.example", "profileId": "11"}


@pytest.mark.parametrize(
    ("actor", "parameters", "identity"),
    [
        (
            USER,
            {"identifier": "Ann@District.example", "identifier_type": "email_address"},
            RawIdentity(IdentityForm.ADDRESS, "11", "ann@district.example", is_external=False),
        ),
        (
            None,
            {"identifier": "p@partner.example", "is_external": True},
            RawIdentity(IdentityForm.ADDRESS, None, "p@partner.example", is_external=True),
        ),
        (
            USER,
            {"identifier": "p@partner.example", "is_external": True},
            RawIdentity(IdentityForm.ADDRESS, None, "p@partner.example", is_external=True),
        ),
        (
            None,
            {"identifier": "li***@s***.com", "is_external": True},
            RawIdentity(IdentityForm.MASKED, masked="li***@s***.com", is_external=True),
        ),
        (
            None,
            {"display_name": "Guest", "is_external": True},
            RawIdentity(IdentityForm.ANONYMOUS, display_name="Guest", is_external=True),
        ),
        (
            None,
            {"identifier": "644e7990", "identifier_type": "device_id", "display_name": "ROOM"},
            RawIdentity(IdentityForm.DEVICE, display_name="ROOM", is_external=False),
        ),
        (
            None,
            {"identifier": "+1 555", "identifier_type": "phone_number"},
            RawIdentity(IdentityForm.PHONE, is_external=False),
        ),
        (None, {"device_type": "pstn_in"}, RawIdentity(IdentityForm.PHONE, is_external=False)),
        (
            USER,
            {},
            RawIdentity(IdentityForm.ADDRESS, "11", "ann@district.example", is_external=False),
        ),
        (
            {"profileId": "11"},
            {},
            RawIdentity(IdentityForm.SIGNED_IN, "11", is_external=False),
        ),
    ],
)
def test_row_identities(actor: Any, parameters: Any, identity: RawIdentity) -> None:
    """An endpoint is what its identifier says, else its actor, else only a name."""
    assert visit_of(row(actor=actor, **parameters)).identity == identity


def test_split_events() -> None:
    """`events` as a single object, as collectors write it, is read like a list."""
    split = row()
    split["events"] = split["events"][0]

    assert visit_of(split).conference == "audit/conf"


def test_changed_calendars() -> None:
    """Event changes name the organizer's and the holder's calendar; other rows name none."""
    parameters = [
        {"name": "organizer_calendar_id", "value": "Ann@district.example"},
        {"name": "calendar_id", "value": "ben@district.example"},
        {"name": "start_time", "intValue": "63879174900"},
    ]
    changed = {"events": [{"type": "event_change", "name": "x", "parameters": parameters}]}
    shared = {"events": [{"type": "calendar_change", "name": "x", "parameters": parameters}]}

    page = to_change_page(to_activities([changed, shared]))

    assert page.calendars == {"ann@district.example", "ben@district.example"}
    assert not page.edits
    assert not to_change_page(to_activities([shared])).calendars


def change(name: str, *, actor: Any = None, **words: Any) -> dict[str, Any]:
    """An activity of the calendar feed."""
    parameters = [{"name": key, "value": value} for key, value in words.items()]
    return {
        "id": {"time": "2026-10-13T15:00:00.5Z", "uniqueQualifier": "-7"},
        "actor": actor,
        "events": [{"type": "event_change", "name": name, "parameters": parameters}],
    }


def test_guests_added_and_events_changed() -> None:
    """A row names who added whom; other changes name nobody, and answers are no edit."""
    actor = {"email": "Pia@Bright.example"}
    page = to_change_page(
        to_activities(
            [
                change("add_event_guest", actor=actor, event_id="e1", event_guest="Eve@x.example"),
                change("change_event", actor=actor, event_id="e1", event_guest="eve@x.example"),
                change("change_event_guest_response", actor=actor, event_id="e1"),
            ]
        )
    )

    first, second = page.edits
    at = datetime(2026, 10, 13, 15, 0, 0, 500_000, UTC)
    key = "2026-10-13T15:00:00.5Z|-7|0"
    assert first == EventEdit(key, "e1", at, "pia@bright.example", "eve@x.example")
    assert (second.actor, second.guest) == ("pia@bright.example", None)


@pytest.mark.parametrize(
    "activity",
    [
        change("add_event_guest"),
        change("add_event_guest", event_id=7),
        change("add_event_guest", event_id="e1") | {"id": None},
        change("add_event_guest", event_id="e1") | {"id": {"time": "yesterday"}},
        {"events": [{"type": "event_change", "name": "change_event", "parameters": "none"}]},
        {"events": None},
        {},
    ],
)
def test_calendar_rows_that_say_too_little(activity: Any) -> None:
    """A row without event or time is no edit, and none raises."""
    assert not to_change_page(to_activities([activity])).edits


def test_an_edit_by_nobody_is_kept() -> None:
    """A row without an actor's address still tells that somebody edited the event."""
    (edit,) = to_change_page(to_activities([change("change_event", event_id="e1")])).edits

    assert edit.actor is None


@pytest.mark.parametrize(
    ("config", "access", "moderated"),
    [
        ({"accessType": "OPEN", "moderation": "OFF"}, Access.OPEN, False),
        ({"accessType": "TRUSTED", "moderation": "ON"}, Access.TRUSTED, True),
        ({"accessType": "RESTRICTED"}, Access.RESTRICTED, None),
        ({"accessType": "SOMETHING_NEW", "moderation": 1}, None, None),
        ("open", None, None),
        (None, None, None),
    ],
)
def test_space_settings(config: Any, access: Access | None, moderated: bool | None) -> None:
    """Settings that are absent or not understood are unknown, never their default."""
    raw = {"name": "spaces/jQCFfuBOdN5z", "meetingCode": "ABC-mnop-xyz", "config": config}

    assert to_space(raw) == Space("spaces/jQCFfuBOdN5z", "abcmnopxyz", access, moderated)


@pytest.mark.parametrize("name", [None, "", "spaces/", "spaces/a/b", "conferenceRecords/1", 5])
def test_a_space_without_a_name_is_none(name: Any) -> None:
    """What cannot be asked for again is not kept."""
    assert to_space({"name": name}) is None


def test_members_of_a_space() -> None:
    """A co-host must have an address; a member without a role need not."""
    cohost = {"email": "a@x.example", "role": "COHOST"}

    assert to_space_member(cohost) == ("a@x.example", "COHOST")
    assert to_space_member({"role": "COHOST"}) is None
    assert to_space_member({}) == ("", "")


# --- Directory ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"orgUnitPath": "/Staff/North"}, AccountKind.STAFF),
        ({"orgUnitPath": "/Staff", "suspended": True}, AccountKind.INACTIVE),
        ({"orgUnitPath": "/Staff", "archived": True}, AccountKind.INACTIVE),
        ({"orgUnitPath": "/Staff/Contractors"}, AccountKind.OTHER),
        ({"orgUnitPath": "/Students/North"}, AccountKind.STUDENT),
        ({"orgUnitPath": "/Staffing"}, AccountKind.OTHER),
        ({"isGuestUser": True}, AccountKind.GUEST),
        ({"orgUnitPath": "/Staff", "isGuestUser": True}, AccountKind.GUEST),
    ],
)
def test_account_kinds(changes: Any, kind: AccountKind) -> None:
    """Org unit, state and guest mark tell what an account is."""
    account = to_account({"id": "1", "primaryEmail": ANN} | changes, UNITS)

    assert account is not None
    assert account.kind is kind


def test_account_addresses() -> None:
    """Aliases count as a person's addresses, `emails[]`, which users edit, does not."""
    account = to_account(
        {
            "id": "1",
            "primaryEmail": ANN,
            "orgUnitPath": "/",
            "aliases": ["a@district.example", 7],
            "nonEditableAliases": ["ann@old.example"],
            "emails": [{"address": "private@mail.example"}],
        },
        UNITS,
    )

    assert account is not None
    assert account.addresses == (ANN, "a@district.example", "ann@old.example")


def test_account_names_and_ids() -> None:
    """Given and family name apart, and the ids the district gave, whatever their type."""
    names = {"fullName": "Ann Lee", "givenName": "Ann", "familyName": "Lee"}
    ids = [{"value": "204871", "type": "organization"}, {"type": "custom"}, {"value": "204871"}]
    raw = {"id": "1", "primaryEmail": ANN, "orgUnitPath": "/", "name": names, "externalIds": ids}

    account = to_account(raw, UNITS)

    assert account is not None
    assert (account.given_name, account.family_name) == ("Ann", "Lee")
    assert account.other_ids == ("204871",)


def test_account_without_unit() -> None:
    """An account whose org unit is not shown is not taken for anything."""
    assert to_account({"id": "1", "primaryEmail": ANN}, UNITS) is None


def test_members() -> None:
    """Whole customers and nested groups are not persons."""
    assert to_member({"email": ANN, "type": "USER"}) == GroupMember(ANN)
    assert to_member({"email": "g@x.example", "type": "GROUP"}).is_group
    assert to_member({"type": "CUSTOMER", "id": "C0"}) == GroupMember("", is_group=True)


# --- anything at all ----------------------------------------------------------------------------

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
_TELLING = st.sampled_from(
    [
        *("cancelled", "confirmed", "private", "2026-10-13", "2026-10-13T15:00:00Z", "x" * 2_000),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "9999-12-31", "0001-01-01"),
        *("call_ended", "event_change", "hangoutsMeet", "device_id", "li***@s***.com", "video"),
        *("https://zoom.us/j/1", "http://[::1", "999999999999999999", "-62135596800", "USER"),
    ]
)
_JSON = st.recursive(
    _SCALARS | _TELLING,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def anything(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these fields, whatever is in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, _JSON))


_WHEN = anything("date", "dateTime", "timeZone") | _JSON
_EVENT = st.fixed_dictionaries(
    {"id": st.just("e") | _JSON},
    optional={
        "start": _WHEN,
        "end": _WHEN,
        "originalStartTime": _WHEN,
        "organizer": anything("email", "self") | _JSON,
        "attendees": st.lists(
            anything("email", "displayName", "responseStatus") | _JSON, max_size=2
        ),
        "conferenceData": anything("conferenceId", "conferenceSolution", "entryPoints", "notes"),
    }
    | dict.fromkeys(
        (
            *("status", "visibility", "iCalUID", "summary", "location", "description", "updated"),
            "attachments",
        ),
        _JSON,
    ),
)
_PARAMETER = st.fixed_dictionaries(
    {
        "name": st.sampled_from(
            [
                "duration_seconds",
                "start_timestamp_seconds",
                "conference_id",
                "identifier",
                "event_id",
                "event_guest",
            ]
        )
        | _JSON
    },
    optional=dict.fromkeys(("value", "intValue", "boolValue"), _JSON),
)
_CALL = st.fixed_dictionaries(
    {"name": st.sampled_from(["call_ended", "add_event_guest"]), "type": st.just("event_change")},
    optional={"parameters": st.lists(_PARAMETER | _JSON, max_size=6) | _JSON},
)
_ACTIVITY = st.fixed_dictionaries(
    {"events": st.lists(_CALL | _JSON, max_size=2) | _CALL | _JSON},
    optional={
        "id": anything("time", "uniqueQualifier") | _JSON,
        "actor": anything("email", "profileId"),
    },
)


@given(_EVENT)
def test_any_event(raw: dict[str, Any]) -> None:
    """No event raises; what is understood is in order and in UTC."""
    found = to_copy(raw, ANN, ZONE)

    if found is not None and not found.is_cancelled:
        assert found.start_at is not None
        assert found.end_at is not None
        assert found.start_at <= found.end_at
        assert found.start_at.tzinfo is UTC


@given(_ACTIVITY)
def test_any_activity(raw: dict[str, Any]) -> None:
    """No activity raises; what is understood has whole seconds and a conference."""
    page = to_audit_page(to_call_rows([raw]))
    changes = to_change_page(to_activities([raw]))

    assert all(edit.event_id and edit.at.tzinfo is UTC for edit in changes.edits)
    names = {conference.name for conference in page.conferences}
    for visit in page.visits:
        assert visit.conference in names
        assert visit.start_at.microsecond == 0
        assert visit.end_at is not None
        assert visit.start_at <= visit.end_at


@given(
    anything("name", "startTime", "endTime", "earliestStartTime", "latestEndTime", "signedinUser")
)
def test_any_meet_object(raw: dict[str, Any]) -> None:
    """No record, participant or session raises."""
    to_conference(raw, "abc")
    to_participant(raw)
    to_visit(raw, SOMEBODY)


@given(
    anything("id", "primaryEmail", "orgUnitPath", "aliases", "isGuestUser", "name", "email", "type")
)
def test_any_directory_object(raw: dict[str, Any]) -> None:
    """No user or member raises."""
    to_account(raw, UNITS)
    to_member(raw)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_come_back(instant: datetime) -> None:
    """What is asked for by time is what was meant, to the millisecond."""
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)

    assert as_instant(rfc3339(instant)) == whole
