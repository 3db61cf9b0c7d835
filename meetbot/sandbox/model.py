"""What the simulated Workspace is made of: people, events, calls, audit rows and sent mail.

Everything here is plain mutable state without behavior of its own; `world.World` keeps it
consistent. Instants are aware UTC datetimes, a `date` start or end means an all-day event.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

Clock = Callable[[], datetime]
When = datetime | date


def stable_number(text: str, digits: int = 20) -> str:
    """An invented decimal id that is always the same for the same text ('1' + digits)."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])
    return "1" + str(number % 10**digits).zfill(digits)


def stable_word(text: str, length: int, alphabet: str = "abcdefghijklmnopqrstuv0123456789") -> str:
    """An invented id in the given alphabet (default: the one of Calendar event ids)."""
    number = int.from_bytes(hashlib.sha512(text.encode()).digest())
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(alphabet))
        letters.append(alphabet[place])
    return "".join(letters)


def meeting_code(text: str) -> str:
    """An invented Meet code `aaa-bbbb-ccc` that is always the same for the same text."""
    letters = stable_word("code " + text, 10, "abcdefghijkmnopqrstuvwxyz")
    return f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"


@dataclass(slots=True)
class User:
    """One account. Rooms are Meet hardware: they join calls, but Directory does not list them."""

    email: str
    name: str
    unit: str
    user_id: str
    aliases: list[str] = field(default_factory=list)
    suspended: bool = False
    archived: bool = False
    deleted: bool = False
    admin: bool = False
    room: bool = False
    guest_of: str = ""
    """The outside address behind a guest account; empty for ordinary accounts."""
    external_ids: list[str] = field(default_factory=list)
    """Ids the district gave, such as a student number."""
    searchable: bool = True
    """False for a fresh account: `users.get` knows it, `users.list` does not yet."""


@dataclass(slots=True)
class Group:
    """A mailing list; members are addresses of users, groups or outsiders."""

    email: str
    name: str
    group_id: str
    members: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Attendee:
    """One line of a guest list."""

    email: str
    name: str = ""
    response: str = "needsAction"
    optional: bool = False
    additional_guests: int = 0


@dataclass(slots=True)
class Event:
    """A single event, the master of a series, or one changed instance of a series.

    `organizer` is the address of the owning calendar. `recurring_id` and `original_start` are set
    on changed instances only. `extra` holds further Event fields as Google spells them.
    """

    event_id: str
    ical_uid: str
    organizer: str
    creator: str
    start: When
    end: When
    created_at: datetime
    updated_at: datetime
    summary: str = ""
    description: str = ""
    location: str = ""
    time_zone: str = ""
    attendees: list[Attendee] = field(default_factory=list)
    recurrence: list[str] = field(default_factory=list)
    code: str = ""
    status: str = "confirmed"
    visibility: str = "default"
    event_type: str = "default"
    guests_see_others: bool = True
    guests_invite: bool = True
    guests_modify: bool = False
    sequence: int = 0
    recurring_id: str = ""
    original_start: When | None = None
    extra: dict[str, object] = field(default_factory=dict)
    version: int = 0
    exceptions: dict[str, "Event"] = field(default_factory=dict)
    """Changed and cancelled instances by instance id (masters only)."""
    retired: dict[str, tuple[When, int]] = field(default_factory=dict)
    """Instances that a change of the schedule took away: id to (original start, version)."""
    on_calendars: frozenset[str] = frozenset()
    """The calendars that hold it now."""


@dataclass(slots=True)
class CalendarEntry:
    """An event's place on one calendar; `gone` once it was taken off (the guest was removed)."""

    event: Event
    position: int
    added_version: int
    version: int
    gone: bool = False


@dataclass(slots=True)
class Calendar:
    """A primary, room or secondary calendar. `readers` may read it besides its owner."""

    address: str
    owner: str
    time_zone: str
    summary: str = ""
    readers: set[str] = field(default_factory=set)
    entries: dict[str, CalendarEntry] = field(default_factory=dict)
    version: int = 0
    oldest_token: int = 0
    """Sync tokens below this version have expired."""


class Joins(StrEnum):
    """How somebody came into a call."""

    SIGNED_IN = "signed-in"
    ANONYMOUS = "anonymous"
    PHONE = "phone"


class Identifier(StrEnum):
    """What the audit log tells of an outsider's address."""

    CLEAR = "clear"
    OBSCURED = "obscured"
    ABSENT = "absent"


@dataclass(slots=True)
class Session:
    """One join to leave on one device; both may lie in the future, `end` None is open-ended."""

    start: datetime
    end: datetime | None
    device: str = "web"


@dataclass(slots=True)
class Participant:
    """One person in one call.

    `who` is an address when signed in, else a name typed by the person or a masked number.
    """

    who: str
    sessions: list[Session]
    joins: Joins = Joins.SIGNED_IN
    name: str = ""
    identifier: Identifier = Identifier.CLEAR
    participant_id: str = ""


def joined(
    who: str,
    *spans: tuple[datetime, datetime | None],
    joins: Joins = Joins.SIGNED_IN,
    name: str = "",
    identifier: Identifier = Identifier.CLEAR,
    device: str = "web",
) -> Participant:
    """A participant with one session per (start, end) pair."""
    sessions = [Session(start, end, device) for start, end in spans]
    return Participant(who, sessions, joins, name, identifier)


@dataclass(slots=True)
class Space:
    """A permanent meeting room behind a code."""

    space_id: str
    code: str
    owner: str
    access_type: str = "TRUSTED"
    moderation: str = "OFF"
    cohosts: list[str] = field(default_factory=list)
    """Addresses of members with the role COHOST."""


@dataclass(slots=True)
class Conference:
    """One call really held (or planned to be held) in a space."""

    conference_id: str
    code: str
    space_id: str
    organizer: str
    participants: list[Participant]
    calendar_event_id: str = ""
    """As the audit log has it: event id, with an instance suffix in a series; empty if ad hoc."""

    def starts_at(self) -> datetime:
        """When the first person comes in."""
        return min(session.start for one in self.participants for session in one.sessions)

    def ends_at(self) -> datetime | None:
        """When the last person leaves; None while somebody is in without a planned end."""
        ends = [session.end for one in self.participants for session in one.sessions]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None


@dataclass(slots=True)
class AuditRow:
    """One line of an audit feed, rendered only when it is read.

    `render(row)` gives the Activity as JSON bytes; `tag` names what the row was derived from.
    """

    at: datetime
    qualifier: int
    render: Callable[["AuditRow"], bytes]
    args: tuple[object, ...]
    actor: str
    event_name: str
    tag: str = ""
    late: timedelta = timedelta(0)
    """Comes this much later than the feed's usual lag."""


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail accepted by the Gmail API."""

    message_id: str
    thread_id: str
    sender: str
    raw: bytes
    sent_at: datetime


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


Cell = str | bool | int | float | date | datetime | None
"""What a spreadsheet's cell holds; a `datetime` is wall-clock time without a zone."""


@dataclass(slots=True)
class Spreadsheet:
    """A spreadsheet: rows of cells by the title of their tab, and who may read it."""

    spreadsheet_id: str
    tabs: dict[str, list[list[Cell]]]
    readers: set[str] = field(default_factory=set)
