"""Conferences that were really held, and who was in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from meetbot.domain.people import Confidence, Kind
from meetbot.domain.registry_rows import Exemption

LONGEST_CALL = timedelta(hours=24)
"""A call whose end was never read belongs to no occurrence later than this: Meet lets none last
longer, and without a bound a lost end would make every later lesson of its code look live."""


class Source(StrEnum):
    """Where attendance was read."""

    MEET = "meet"
    AUDIT = "audit"


class IdentityForm(StrEnum):
    """What the source gives of a participant."""

    SIGNED_IN = "signed-in"
    ADDRESS = "address"
    MASKED = "masked"
    ANONYMOUS = "anonymous"
    PHONE = "phone"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class RawIdentity:
    """A participant as the source names them (in memory only).

    `google_id` is `users/{id}` without the prefix, or `actor.profileId`; `address` is a clear
    `identifier`; `masked` an obscured one (`li***@s***.com`). `display_name` is self-declared.
    """

    form: IdentityForm
    google_id: str | None = None
    address: str | None = None
    masked: str | None = None
    display_name: str = ""
    is_external: bool | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """A participant as stored: keyed; `address` is clear only for outsiders and staff."""

    form: IdentityForm
    id_key: str | None = None
    address_key: str | None = None
    address: str | None = None
    domain: str | None = None
    masked: str | None = None
    name_key: str | None = None
    name_tokens: tuple[str, ...] = ()
    """Keyed words of the display name (see `KeptGuest.name_tokens`); none for students."""
    is_external: bool | None = None
    in_directory: bool | None = None
    """False when the Directory was asked for this id or address and does not know it."""


@dataclass(frozen=True, slots=True)
class Conference:
    """One call. `name` is `conferenceRecords/{id}` (Meet) or `audit/{conference_id}` (Reports).

    `end_at` None means running when `source` is Meet; Reports conferences get the hull of their
    rows. `calendar_event_id` and `organizer` come from Reports rows; as stored, `organizer` is
    keyed, and of a student's address only `@` and the domain are left.
    """

    name: str
    source: Source
    meeting_code: str | None
    start_at: datetime
    end_at: datetime | None
    space: str | None = None
    organizer: str | None = None
    calendar_event_id: str | None = None
    organizer_key: str | None = None

    @property
    def latest_end_at(self) -> datetime:
        """Its end, or the latest that it can have."""
        return self.start_at + LONGEST_CALL if self.end_at is None else self.end_at


Who = TypeVar("Who", RawIdentity, Identity)


@dataclass(frozen=True, slots=True)
class Visit(Generic[Who]):
    """One join to leave on one device. Keyed by (`source`, `key`): read twice, kept once.

    Meet: `key` is the session's resource name, or the participant's with `#hull` when only
    `earliestStartTime..latestEndTime` was read (`is_hull`). Reports: `id.time`,
    `uniqueQualifier` and the event's index. `end_at` None: the source gives no end;
    `last_seen_at` is then the last moment the visit was known to last. Meet's names hold account
    ids, so of a visit that is stored `key` and `participant` are pseudonyms of them.
    """

    source: Source
    key: str
    conference: str
    participant: str
    """The source's own name of the person or endpoint, to join sessions of one participant."""
    identity: Who
    start_at: datetime
    end_at: datetime | None
    last_seen_at: datetime | None = None
    is_hull: bool = False


def with_identity(visit: Visit[RawIdentity], identity: Identity) -> Visit[Identity]:
    """The same visit with the identity as it may be stored."""
    return Visit(
        source=visit.source,
        key=visit.key,
        conference=visit.conference,
        participant=visit.participant,
        identity=identity,
        start_at=visit.start_at,
        end_at=visit.end_at,
        last_seen_at=visit.last_seen_at,
        is_hull=visit.is_hull,
    )


@dataclass(frozen=True, slots=True)
class Attendance:
    """All visits of one identity in the conferences of one occurrence, sources united."""

    person_key: str
    kind: Kind
    confidence: Confidence
    visits: tuple[Visit[Identity], ...]
    partner_id: str | None = None
    domain: str | None = None
    address_key: str | None = None
    is_invited: bool = False
    form: IdentityForm = IdentityForm.SIGNED_IN
    lookalike_of: str | None = None
    """partner_id whose domain this outsider's address imitates."""
    exemption: Exemption | None = None
    """Why an exempt outsider is not treated as a partner."""
    unit_path: str | None = None
    """Org unit of staff."""

    @property
    def name_tokens(self) -> frozenset[str]:
        """Keyed words of the names this person gave (see `KeptGuest.name_tokens`)."""
        return frozenset(word for visit in self.visits for word in visit.identity.name_tokens)
