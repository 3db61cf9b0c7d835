"""All that is known of one meeting at one moment, and which sources were read in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from meetbot.domain.attendance import Attendance, Conference
from meetbot.domain.findings import Evidence, Phase
from meetbot.domain.guest_list import Edit, GuestList
from meetbot.domain.meetings import KeptGuest, Meeting, OccurrenceKey, Scope
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.registry import Exemption, Registry, School
from meetbot.domain.spaces import SpaceFacts


@dataclass(frozen=True, slots=True)
class Invitee:
    """A guest, classified with directory and registry as they are now."""

    guest: KeptGuest
    kind: Kind
    confidence: Confidence
    partner_id: str | None = None
    person_name: str | None = None
    lookalike_of: str | None = None
    """partner_id whose domain this address imitates."""
    exemption: Exemption | None = None
    is_district_account: bool = False


@dataclass(frozen=True, slots=True)
class Host:
    """Who set the meeting up.

    `invitee` is None when the organizer is a secondary, class or resource calendar and the
    creator is no staff account either (`organizer-unresolved`).
    """

    invitee: Invitee | None
    school: School | None = None
    display_name: str = ""
    stand_ins: tuple[str, ...] = ()
    """Addresses of the staff on the guest list who can act where the host is not staff."""
    stand_in_schools: tuple[School, ...] = ()

    @property
    def is_staff(self) -> bool:
        """Whether an active staff account hosts."""
        return self.invitee is not None and self.invitee.kind is Kind.STAFF

    @property
    def address(self) -> str | None:
        """The staff host's address; None when the host is not staff."""
        return self.invitee.guest.address if self.invitee and self.is_staff else None

    @property
    def reachable(self) -> tuple[str, ...]:
        """Who is told what a host can mend: the staff host, else the staff who were invited."""
        return (self.address,) if self.address else self.stand_ins


@dataclass(frozen=True, slots=True)
class SourceState:
    """How far a source could be read for this meeting; `problem` is a sentence or empty."""

    is_full: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SharedCode:
    """Another event with the same meeting code; `externals` are its outsiders' keys."""

    start_at: datetime
    externals: frozenset[str]
    is_complete: bool
    """Whether its guest list is known in full."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """One occurrence, ready for the rules; rules are pure functions of it and the policy."""

    key: OccurrenceKey
    phase: Phase
    scope: Scope
    as_of: datetime
    start_at: datetime
    end_at: datetime
    """Scheduled times; of an ad-hoc call those of the conference."""
    meeting: Meeting | None
    """None for an ad-hoc call."""
    invitees: tuple[Invitee, ...]
    host: Host
    conferences: tuple[Conference, ...]
    attendances: tuple[Attendance, ...]
    registry: Registry
    evidence: Mapping[Evidence, SourceState]
    zone: ZoneInfo
    student_domains: frozenset[str] = frozenset()
    is_live: bool = False
    """A conference of this occurrence is running at `as_of`."""
    is_final: bool = False
    """24 h have passed since the end, or both sources agree."""
    contradictions: tuple[str, ...] = ()
    """Sources that differ by more than two minutes for one person, as sentences."""
    late_after: timedelta = timedelta(hours=24)
    schools_when_issued: Mapping[str, tuple[School, ...]] = field(default_factory=dict)
    """Schools as known when each authorization was issued, by its id; absent: as known now."""
    creator: Invitee | None = None
    """Who put the event into the calendar; the organizer's own invitee where that is the same."""
    space: SpaceFacts | None = None
    cohosts: tuple[Invitee, ...] = ()
    same_code: tuple[SharedCode, ...] = ()
    """Other events with this meeting's code, the nearest in time first."""
    guest_list: GuestList | None = None
    edits: tuple[Edit, ...] = ()
    edits_read_at: datetime | None = None
    """Up to when the audit log of calendars was read; None: never."""

    def has(self, *needed: Evidence) -> bool:
        """Whether all these sources were read in full."""
        return all(e in self.evidence and self.evidence[e].is_full for e in needed)

    @property
    def outsiders(self) -> tuple[Invitee, ...]:
        """Invited partners and unregistered outsiders, exempt ones left out."""
        return tuple(i for i in self.invitees if i.kind in (Kind.PARTNER, Kind.EXTERNAL))

    @property
    def students_invited(self) -> int:
        """Number of students on the guest list, groups expanded."""
        return sum(1 for i in self.invitees if i.kind is Kind.STUDENT)

    @property
    def partner_ids(self) -> tuple[str, ...]:
        """Registered partners invited or present, sorted."""
        ids = {i.partner_id for i in self.outsiders} | {
            a.partner_id for a in self.attendances if a.kind is Kind.PARTNER
        }
        return tuple(sorted(i for i in ids if i is not None))
