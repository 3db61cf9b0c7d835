"""Builders of dossiers: a clean meeting of a certified partner with a class, and changes to it.

The meeting is on Tuesday 2026-10-13, 10:00 to 10:45 in Chicago (15:00 to 15:45 UTC), at Lincoln
School. Times in minutes are minutes from its start.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from meetbot.domain.attendance import (
    Attendance,
    Conference,
    Identity,
    IdentityForm,
    Source,
    Visit,
)
from meetbot.domain.dossier import Dossier, Host, Invitee, SourceState
from meetbot.domain.findings import Evidence, Finding, Phase, Verdict
from meetbot.domain.invitation import TextSearch
from meetbot.domain.meetings import KeptGuest, Meeting, OccurrenceKey, Scope
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import (
    Activity,
    Authorization,
    Certification,
    Contract,
    Exemption,
    ExemptionKind,
    IdentityKind,
    Partner,
    PartnerKind,
    Program,
    ProgramType,
    Registry,
    School,
    SchoolKind,
)
from meetbot.domain.registry import (
    Identity as RegistryIdentity,
)
from meetbot.domain.spaces import Access, SpaceFacts
from meetbot.rules import RULES, evaluate

START = datetime(2026, 10, 13, 15, tzinfo=UTC)
END = START + timedelta(minutes=45)
ZONE = ZoneInfo("America/Chicago")
YEAR = (date(2026, 8, 1), date(2027, 6, 30))
TEACHER = "teacher@district.example"
GUIDE = "guide@partner.example"
PRINCIPAL = "principal@district.example"

Span = tuple[float, float | None]


def at(minutes: float) -> datetime:
    """The instant so many minutes after the scheduled start."""
    return START + timedelta(minutes=minutes)


# --- Registry -----------------------------------------------------------------------------------

LINCOLN = School("lincoln", "Lincoln School", SchoolKind.SCHOOL, ("/Staff/Lincoln",), (PRINCIPAL,))
WASHINGTON = School(
    "washington", "Washington School", SchoolKind.SCHOOL, ("/Staff/Washington",), ("w@x.example",)
)
NORTHSTAR = Partner("northstar", "Northstar", PartnerKind.CONTRACTED, Activity.ACTIVE)
PROGRAM = Program("path", "northstar", "College Path", ProgramType.COLLEGE_ACCESS, Activity.ACTIVE)
CONTRACT = Contract("c1", "northstar", "path", ("lincoln",), YEAR[0], *YEAR)
CERTIFICATION = Certification("northstar", None, *YEAR)
AUTHORIZATION = Authorization(
    "a1",
    "northstar",
    "path",
    "lincoln",
    None,
    *YEAR,
    authorizer_address=PRINCIPAL,
    issued_at=at(-60 * 24 * 30),
)


def a_registry(**changes: Any) -> Registry:
    """Everything in order for Northstar at Lincoln School; each file can be replaced."""
    rows: dict[str, Any] = {
        "schools": (LINCOLN, WASHINGTON),
        "partners": (NORTHSTAR,),
        "programs": (PROGRAM,),
        "identities": (RegistryIdentity("northstar", IdentityKind.DOMAIN, "partner.example"),),
        "contracts": (CONTRACT,),
        "certifications": (CERTIFICATION,),
        "authorizations": (AUTHORIZATION,),
    }
    return Registry(**(rows | changes))


def an_exemption(kind: ExemptionKind, value: str = "path", **changes: Any) -> Exemption:
    """An exemption row, in force all year."""
    return replace(Exemption(kind, value, None, False, "reason", "owner", *YEAR), **changes)


# --- People and meeting -------------------------------------------------------------------------


def a_guest(address: str, **changes: Any) -> KeptGuest:
    """A guest as stored; the key stands for the address."""
    guest = KeptGuest(f"key of {address}", address.rpartition("@")[2], address)
    return replace(guest, **changes)


def an_invitee(kind: Kind, address: str, **changes: Any) -> Invitee:
    """A classified guest, known by address."""
    ours = kind in (Kind.STAFF, Kind.STUDENT, Kind.INACTIVE)
    confidence = Confidence.DIRECTORY if ours else Confidence.ADDRESS
    return replace(Invitee(a_guest(address), kind, confidence), **changes)


def a_student(number: int = 1, *, via_group: str | None = None) -> Invitee:
    """A student on the guest list, keyed."""
    guest = KeptGuest(f"student {number}", "students.district.example", via_group=via_group)
    return Invitee(guest, Kind.STUDENT, Confidence.DIRECTORY)


HOST = an_invitee(Kind.STAFF, TEACHER)
PARTNER = an_invitee(Kind.PARTNER, GUIDE, partner_id="northstar")
STRANGER = an_invitee(Kind.EXTERNAL, "someone@elsewhere.example")
CLASS = (a_student(1), a_student(2))


def a_meeting(invitees: Iterable[Invitee], **changes: Any) -> Meeting:
    """A meeting set up well: guest list hidden, nobody can invite, Google Meet."""
    people = tuple(invitee.guest for invitee in invitees)
    meeting = Meeting(
        key=OccurrenceKey("uid@google.com", START, "abcdefghij"),
        start_at=START,
        end_at=END,
        is_cancelled=False,
        is_recurring=False,
        organizer=HOST.guest,
        creator=HOST.guest,
        is_imported=False,
        guests=people,
        is_guest_list_complete=True,
        unexpanded_groups=0,
        guests_can_see_others=False,
        guests_can_invite=False,
        guests_can_modify=False,
        are_settings_known=True,
        meeting_code="abcdefghij",
        links=(),
        are_details_known=True,
        first_seen_at=at(-60 * 24 * 20),
        calendars=(TEACHER,),
        search=TextSearch(),
    )
    return replace(meeting, **changes)


# --- Conference ---------------------------------------------------------------------------------


def a_conference(start: float = 0, end: float | None = 45) -> Conference:
    """A Meet record; end None is running."""
    ended = None if end is None else at(end)
    return Conference(f"conferenceRecords/{start}", Source.MEET, "abcdefghij", at(start), ended)


def a_visit(key: str, start: float, end: float | None, **changes: Any) -> Visit[Identity]:
    """One join to leave in minutes."""
    ended = None if end is None else at(end)
    identity = Identity(IdentityForm.SIGNED_IN)
    return replace(
        Visit(Source.MEET, key, "conferenceRecords/0", key, identity, at(start), ended), **changes
    )


def an_attendance(person: str, kind: Kind, *spans: Span, **changes: Any) -> Attendance:
    """Somebody in the call, by default with all spans exact."""
    visits = tuple(a_visit(f"{person}/{i}", *span) for i, span in enumerate(spans))
    nameless = kind in (Kind.UNIDENTIFIED, Kind.UNKNOWN, Kind.ROOM)
    confidence = Confidence.NONE if nameless else Confidence.DIRECTORY
    return replace(Attendance(person, kind, confidence, visits), **changes)


def staff(*spans: Span, person: str = "t1", **changes: Any) -> Attendance:
    """A teacher in the call."""
    return an_attendance(person, Kind.STAFF, *spans, **changes)


def partner(*spans: Span, person: str = "p1", **changes: Any) -> Attendance:
    """The invited partner in the call, known by address."""
    known: dict[str, Any] = {
        "confidence": Confidence.ADDRESS,
        "partner_id": "northstar",
        "domain": "partner.example",
        "address_key": PARTNER.guest.address_key,
        "is_invited": True,
    }
    return an_attendance(person, Kind.PARTNER, *spans, **(known | changes))


def stranger(*spans: Span, person: str = "x1", **changes: Any) -> Attendance:
    """An unregistered outsider in the call whom nobody invited, known by address."""
    known: dict[str, Any] = {
        "confidence": Confidence.ADDRESS,
        "domain": "elsewhere.example",
        "address_key": STRANGER.guest.address_key,
    }
    return an_attendance(person, Kind.EXTERNAL, *spans, **(known | changes))


def students(*spans: Span, number: int = 2, **changes: Any) -> tuple[Attendance, ...]:
    """So many students in the call, all at the same times."""
    return tuple(
        an_attendance(f"k{i}", Kind.STUDENT, *spans, **changes) for i in range(1, number + 1)
    )


def somebody(*spans: Span, person: str = "u1", **changes: Any) -> Attendance:
    """An unidentified participant."""
    known: dict[str, Any] = {"form": IdentityForm.ANONYMOUS}
    return an_attendance(person, Kind.UNIDENTIFIED, *spans, **(known | changes))


def hull(attendance: Attendance) -> Attendance:
    """The same, known only from first join to last leave."""
    visits = tuple(replace(visit, is_hull=True) for visit in attendance.visits)
    return replace(attendance, visits=visits)


# --- Dossier ------------------------------------------------------------------------------------

EVERYTHING = {source: SourceState(is_full=True) for source in Evidence}


def without(*sources: Evidence) -> dict[Evidence, SourceState]:
    """Evidence in which these sources could not be read in full."""
    return EVERYTHING | {source: SourceState(is_full=False) for source in sources}


def a_dossier(
    invitees: Sequence[Invitee] = (HOST, PARTNER, *CLASS),
    *,
    meeting: dict[str, Any] | None = None,
    **changes: Any,
) -> Dossier:
    """The clean meeting a week ahead; `meeting` changes the event, the rest the dossier."""
    event = a_meeting(invitees, **(meeting or {}))
    dossier = Dossier(
        key=event.key,
        phase=Phase.SCHEDULED,
        scope=Scope.FULL,
        as_of=at(-60 * 24 * 5),
        start_at=event.start_at,
        end_at=event.end_at,
        meeting=event,
        invitees=tuple(invitees),
        host=Host(HOST, LINCOLN, "Terry Teacher"),
        conferences=(),
        attendances=(),
        registry=a_registry(),
        evidence=EVERYTHING,
        zone=ZONE,
        creator=HOST,
        space=SpaceFacts("abcdefghij", HOST.guest.address_key, at(-60), access=Access.TRUSTED),
    )
    return replace(dossier, **changes)


def held(*attendances: Attendance, **changes: Any) -> Dossier:
    """The meeting two days after it was held, with these people in the call."""
    ends = [v.end_at or v.last_seen_at or v.start_at for a in attendances for v in a.visits]
    last = max([*ends, at(45)])
    found: dict[str, Any] = {
        "phase": Phase.AFTER,
        "as_of": END + timedelta(days=2),
        "is_final": True,
        "conferences": (a_conference(0, (last - START).total_seconds() / 60),),
        "attendances": attendances,
    }
    return a_dossier(**(found | changes))


def running(minutes: float, *attendances: Attendance, **changes: Any) -> Dossier:
    """The meeting while it runs, so many minutes after its start."""
    found: dict[str, Any] = {
        "phase": Phase.LIVE,
        "as_of": at(minutes),
        "is_live": True,
        "conferences": (a_conference(0, None),),
        "attendances": attendances,
    }
    return a_dossier(**(found | changes))


def adhoc(*attendances: Attendance, **changes: Any) -> Dossier:
    """The same call without any event."""
    found: dict[str, Any] = {
        "key": OccurrenceKey(None, START, "abcdefghij"),
        "meeting": None,
        "invitees": (),
        "host": Host(None),
    }
    return replace(held(*attendances), **(found | changes))


# --- Asking -------------------------------------------------------------------------------------


def judge(dossier: Dossier, policy: Policy | None = None) -> Verdict:
    """The verdict under the default policy."""
    return evaluate(dossier, policy or Policy())


def asked(rule: str, dossier: Dossier, policy: Policy | None = None) -> Verdict:
    """The verdict of one rule alone."""
    assert rule in RULES
    return evaluate(dossier, policy or Policy(), only={rule})


def found(rule: str, dossier: Dossier, policy: Policy | None = None) -> tuple[Finding, ...]:
    """What one rule says."""
    return asked(rule, dossier, policy).findings


def the(rule: str, dossier: Dossier, policy: Policy | None = None) -> Finding:
    """The one finding of a rule."""
    (finding,) = found(rule, dossier, policy)
    return finding


def is_undecided(rule: str, dossier: Dossier, policy: Policy | None = None) -> bool:
    """Whether a rule could not be decided."""
    verdict = asked(rule, dossier, policy)
    assert (rule in verdict.decided) != any(u.rule == rule for u in verdict.undecided)
    return rule not in verdict.decided
