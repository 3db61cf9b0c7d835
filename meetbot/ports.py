"""What the jobs need from outside, as Protocols. Adapters raise only `meetbot.errors`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from meetbot.domain.access_log import AccessEntry, NumberedEntry
from meetbot.domain.approvals import Answer, Approval
from meetbot.domain.attendance import Conference, Identity, RawIdentity, Visit
from meetbot.domain.casework import Case, CaseEvent, CaseStatus, Noted, Term
from meetbot.domain.chain import Audit, Head, Link, LinkKind, Payload
from meetbot.domain.findings import Phase, Severity
from meetbot.domain.flags import Flag, FlagChange, FlagStatus
from meetbot.domain.guest_list import GuestList, KeptEdit
from meetbot.domain.meetings import (
    Disclosure,
    EventCopy,
    Fingerprint,
    KeptCopy,
    KeptGuest,
    Meeting,
    OccurrenceKey,
    Scope,
    TextDisclosure,
)
from meetbot.domain.notices import Mail, Notice, NoticeKind
from meetbot.domain.overview import Precision, Quantiles
from meetbot.domain.overview import Scope as OverviewScope
from meetbot.domain.people import Account, AccountKind, KnownAccount
from meetbot.domain.policy import Policy
from meetbot.domain.registry import ExemptionKind, Registry, RegistryFile, Row
from meetbot.domain.registry_checks import Source
from meetbot.domain.registry_history import KnownRow
from meetbot.domain.registry_tables import Table
from meetbot.domain.retention import Cutoffs, Hold, HoldKind, MonthCount
from meetbot.domain.snapshots import Snapshot, Withheld
from meetbot.domain.spaces import Space, SpaceFacts
from meetbot.domain.storms import Ending, Storm
from meetbot.domain.tokens import ApiToken
from meetbot.domain.webhooks import Endpoint, HookEvent

Clock = Callable[[], datetime]


# --- Google Workspace ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupMember:
    """One entry of `members.list`; `is_group` when it is a nested group left unexpanded."""

    address: str
    is_group: bool = False


class DirectoryPort(Protocol):
    """Admin SDK Directory v1, as the admin subject."""

    def accounts(self) -> Iterator[Account | None]:
        """All users of the customer, pages streamed, guests and suspended ones included.

        None stands for one that could not be understood.
        """

    def account(self, key: str) -> Account | None:
        """One user by id, primary address or alias; None when Google does not know it here."""

    def groups(self) -> Iterator[str]:
        """All addresses of groups, aliases included."""

    def members(self, group: str) -> tuple[GroupMember, ...]:
        """Members of a group, nested ones derived; raises `NotFound` for a foreign group."""

    def domains(self) -> frozenset[str]:
        """Verified domains and domain aliases of the customer, lower case."""

    def units(self) -> frozenset[str]:
        """All `orgUnitPath`s."""


@dataclass(frozen=True, slots=True)
class SyncMark:
    """Progress of one calendar: the token is only good with the very same window."""

    token: str
    window_start_at: datetime
    window_end_at: datetime
    synced_at: datetime
    """When the full sync that began this chain of tokens was made."""


@dataclass(frozen=True, slots=True)
class CalendarRead:
    """One complete read of a calendar: all pages. `is_full` False: only what changed."""

    events: tuple[EventCopy, ...]
    mark: SyncMark
    is_full: bool
    malformed: tuple[str, ...] = ()
    """Ids of events that could not be understood, empty where even that is missing."""


class CalendarPort(Protocol):
    """Calendar v3, each calendar as its owner."""

    def read(
        self,
        owner: str,
        mark: SyncMark | None,
        *,
        window_start_at: datetime,
        window_end_at: datetime,
        as_of: datetime,
    ) -> CalendarRead:
        """Read what changed since `mark`, or all of the window without one.

        A dead token (410) leads to a full read in the same call. Raises `Temporary`,
        `AccessDenied`, `NotFound`, `BadAnswer`.
        """


@dataclass(frozen=True, slots=True)
class Participant:
    """One person in a conference record; `latest_end_at` None while in the call."""

    name: str
    identity: RawIdentity
    earliest_start_at: datetime
    latest_end_at: datetime | None


class MeetPort(Protocol):
    """Meet v2, as the organizer."""

    def records(
        self, organizer: str, meeting_code: str, *, since: datetime, until: datetime
    ) -> tuple[Conference, ...]:
        """Conference records of a code that began in [since, until], running ones included."""

    def participants(self, organizer: str, conference: str) -> tuple[Participant, ...]:
        """All participants of a record, every page."""

    def sessions(self, organizer: str, participant: Participant) -> tuple[Visit[RawIdentity], ...]:
        """All sessions of one participant, every page."""

    def space(self, organizer: str, place: str) -> Space:
        """A space by its name (`spaces/{id}`) or by a meeting code; its settings if owned."""

    def cohosts(self, organizer: str, space: str) -> tuple[str, ...]:
        """Addresses of the co-hosts of a space, every page."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page of the Reports `meet` feed: `call_ended` rows as visits of conferences."""

    conferences: tuple[Conference, ...]
    visits: tuple[Visit[RawIdentity], ...]
    malformed: int = 0
    rows: int = 0
    """All `call_ended` rows of the page, those of calls that do not matter included."""


class Glance(NamedTuple):
    """The little of an audit row that tells whether its conference matters; in memory only.

    The addresses are the row's own words: of organizer and participant, empty where it has none.
    """

    conference: str
    meeting_code: str | None
    organizer: str
    address: str
    is_external: bool


Sift = Callable[[Sequence[Glance]], Collection[str]]
"""Names of those conferences among these rows that matter."""


@dataclass(frozen=True, slots=True)
class EventEdit:
    """One row of the Reports `calendar` feed: somebody changed an event, perhaps added a guest.

    `key` is the row's identity; addresses are clear, and None where the row has none.
    """

    key: str
    event_id: str
    at: datetime
    actor: str | None
    guest: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One page of the Reports `calendar` feed."""

    calendars: frozenset[str]
    """Calendars on which an event changed."""
    edits: tuple[EventEdit, ...]


class ReportsPort(Protocol):
    """Admin SDK Reports v1, unfiltered and for all users, as the admin subject."""

    def meet(self, since: datetime, until: datetime, sift: Sift) -> Iterator[AuditPage]:
        """Pages of `call_ended` rows that were written in [since, until], newest first.

        Only rows of conferences that matter: when one turns out to matter, its rows of earlier
        pages of this reading come along.
        """

    def calendar_changes(self, since: datetime, until: datetime) -> Iterator[ChangePage]:
        """Pages of rows about changed events written in [since, until], newest first; hours late.

        Edits are guests added and other changes of events; answers and times are left out.
        """


SheetValue = str | bool | int | float | None
"""One cell, unformatted: a day or an instant is the number of days since 1899-12-30."""


@dataclass(frozen=True, slots=True)
class SheetTab:
    """One tab of a spreadsheet; empty cells and rows at the ends are left out."""

    title: str
    rows: tuple[tuple[SheetValue, ...], ...]


class SheetsPort(Protocol):
    """Sheets v4, as the admin subject, read-only."""

    def titles(self, spreadsheet: str) -> tuple[str, ...]:
        """Titles of the tabs that hold a grid; raises `NotFound`, `AccessDenied`."""

    def read(self, spreadsheet: str, titles: Collection[str]) -> tuple[SheetTab, ...]:
        """All values of these tabs."""


class RegistrySource(Protocol):
    """Where the registry is imported from on a schedule."""

    def read(self) -> Source:
        """The tables there now, not validated yet; raises what was in the way."""


class MailerPort(Protocol):
    """SMTP or the Gmail API. Never retried inside: the outbox does that."""

    def send(self, mail: Mail) -> None:
        """Hand the mail over. Raises `Temporary` (try again) or `Permanent` (never will)."""


class HookPort(Protocol):
    """Posts to programs. Never retried inside: the deliveries do that."""

    def post(self, endpoint: Endpoint, delivery_id: str, body: str, *, at: datetime) -> None:
        """Sign and hand over. Raises `Temporary` (try again), `Permanent` (never again: the
        endpoint is gone)."""


class ComposePort(Protocol):
    """Renders a notice; pure."""

    def __call__(self, notice: Notice, *, references: tuple[str, ...], sent_at: datetime) -> Mail:
        """The mail of a notice; raises `Permanent` when it can never be one."""
        ...


# --- Store --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StaffCalendar:
    """A calendar to read: the owner's primary address."""

    address: str
    person_key: str


@dataclass(frozen=True, slots=True)
class KnownGroup:
    """A group's members as guests; `is_complete` False when it could not be expanded."""

    address_key: str
    members: tuple[KeptGuest, ...]
    is_complete: bool
    read_at: datetime


class PeopleStore(Protocol):
    """The Directory snapshot: keyed, clear only for staff."""

    def save(
        self, accounts: Iterable[tuple[KnownAccount, tuple[str, ...]]], *, seen_at: datetime
    ) -> frozenset[str]:
        """Upsert accounts with their address keys; gives person keys that are new, or whose kind
        or addresses changed."""

    def sweep(self, *, seen_before: datetime) -> int:
        """Forget accounts a complete newer snapshot did not hold; gives how many."""

    def by_address(self, address_keys: Collection[str]) -> dict[str, KnownAccount]:
        """Accounts by keyed address, aliases included."""

    def by_person(self, person_keys: Collection[str]) -> dict[str, KnownAccount]:
        """Accounts by keyed id."""

    def note_marks(self, marks: Mapping[str, Collection[str]]) -> frozenset[str]:
        """Replace the marks by which students of these person keys are found in texts.

        Accounts must be saved before. Gives the person keys whose marks changed.
        """

    def with_marks(self, marks: Collection[str]) -> dict[str, frozenset[str]]:
        """Person keys of students by mark; marks that are no student's are left out."""

    def staff_calendars(self) -> list[StaffCalendar]:
        """Calendars of active staff, by address."""

    def count(self) -> Mapping[AccountKind, int]:
        """How many accounts of each kind."""

    def save_group(self, group: KnownGroup) -> None:
        """Remember a group's members."""

    def groups(self, address_keys: Collection[str]) -> dict[str, KnownGroup]:
        """Groups by keyed address."""

    def learn(self, id_key: str, address_key: str, address: str, *, at: datetime) -> None:
        """Remember the clear address of an outsider's Meet id (catalogue §2)."""

    def learned(self, id_keys: Collection[str]) -> dict[str, tuple[str, str]]:
        """(address key, address) by Meet id key."""


@dataclass(frozen=True, slots=True)
class CalendarState:
    """What is known of the reading of one calendar."""

    mark: SyncMark | None
    read_at: datetime | None
    problem: str = ""
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CopyChanges:
    """What one read of one calendar changes in the store, applied in one transaction."""

    calendar: str
    keep: tuple[KeptCopy, ...]
    gone: tuple[EventCopy, ...]
    """Tombstones: matched by (calendar, event id), or series and original start."""
    dropped: tuple[str, ...]
    """Event ids read and found out of scope: removed if they were kept before."""
    mark: SyncMark
    is_full: bool
    """True: kept copies of this calendar that overlap the window and were not read are gone."""
    malformed: tuple[str, ...] = ()
    """Event ids that were read and not understood: what is known of them stays."""


@dataclass(frozen=True, slots=True)
class MeetingRecord:
    """A stored occurrence with what was noted about it. `copies` is empty for an ad-hoc call."""

    id: int
    key: OccurrenceKey
    meeting: Meeting | None
    scope: Scope
    is_adhoc: bool
    first_seen_at: datetime
    attendance_read_at: datetime | None
    """Last time Meet was read in full for this occurrence."""
    attendance_problem: str
    attendance_final: bool
    """Read in full after the conference had ended: need not be read again."""
    version: int = 0
    """Counts the changes that made it due; hand it back to `judged`."""
    judged_at: Mapping[Phase, datetime] = field(default_factory=dict)
    """When it was last judged before, during and after the meeting."""
    event_ids: frozenset[str] = frozenset()
    """Ids under which the audit log of calendars may name it: its copies' and their series'."""
    space: SpaceFacts | None = None
    guest_list: GuestList | None = None
    link: str = ""
    """Code and outside guests as they were when it was judged last, see `judged`."""


@dataclass(frozen=True, slots=True)
class Slot:
    """When an occurrence is scheduled; an ad-hoc call has the one instant at which it began."""

    id: int
    is_adhoc: bool
    is_cancelled: bool
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of judging one occurrence.

    `phase` is the one it was judged in; None when the rules were not asked. `version` is that of
    the record judged: a change that came after it keeps it due.
    """

    meeting_id: int
    version: int
    scope: Scope
    next_due_at: datetime | None = None
    disclosure: Disclosure | None = None
    fingerprints: tuple[Fingerprint, ...] = ()
    undecided: tuple[str, ...] = ()
    phase: Phase | None = None
    guest_list: GuestList | None = None
    link: str = ""
    text_disclosure: TextDisclosure | None = None


class MeetingStore(Protocol):
    """Occurrences and calendars' copies of them."""

    def calendar(self, address: str) -> CalendarState:
        """How far a calendar is read."""

    def calendars(self) -> dict[str, CalendarState]:
        """All calendars ever read or failed."""

    def calendars_of(self, addresses: Collection[str]) -> dict[str, CalendarState]:
        """Those of these calendars that were ever read or failed."""

    def apply(self, changes: CopyChanges, *, as_of: datetime) -> int:
        """Store one calendar's read; affected occurrences become due. Gives how many changed."""

    def fail_calendar(self, address: str, problem: str, *, as_of: datetime) -> None:
        """Note that a calendar could not be read; what is known stays."""

    def forget_marks(self, addresses: Collection[str] | None = None) -> int:
        """Drop sync tokens, so that the next read is full (None: of all calendars)."""

    def knows_event(self, calendar: str, event_ids: Collection[str]) -> frozenset[str]:
        """Which of these event ids have a kept copy."""

    def due(self, as_of: datetime, limit: int) -> list[int]:
        """Ids of occurrences to judge, oldest due first."""

    def load(self, meeting_id: int) -> MeetingRecord:
        """One occurrence; raises `NotFound`."""

    def find(self, key: OccurrenceKey) -> int | None:
        """Id of an occurrence."""

    def judged(self, notes: Sequence[Judged], *, as_of: datetime) -> None:
        """Note the results of judging: when to look again, and what could not be decided."""

    def mark_due(
        self,
        as_of: datetime,
        *,
        since: datetime | None = None,
        codes: Collection[str] | None = None,
        address_keys: Collection[str] | None = None,
        undecided: bool = False,
    ) -> int:
        """Make occurrences due that end after `since`, have one of these codes and one of these
        guests, and (`undecided`) something that could not be decided; what is not given does not
        narrow them. Gives how many."""

    def wake(self, occurrence: str, as_of: datetime) -> None:
        """Make one occurrence (`OccurrenceKey.text`) due, if it is there."""

    def slots(self, code: str, start_at: datetime, end_at: datetime) -> list[Slot]:
        """Times of the occurrences (ad-hoc ones too) of a code that overlap the span."""

    def named(self, text: str) -> int | None:
        """Id of an occurrence by `OccurrenceKey.text`."""

    def ahead(self, since: datetime, until: datetime) -> dict[int, str]:
        """Not cancelled occurrences in scope that start in [since, until), ad-hoc calls left out:
        id and `OccurrenceKey.text`."""

    def to_watch(self, start_at: datetime, end_at: datetime) -> list[MeetingRecord]:
        """Not cancelled occurrences in scope with a code that overlap the span and whose
        attendance is not final."""

    def starting(self, start_at: datetime, end_at: datetime) -> list[MeetingRecord]:
        """Not cancelled occurrences in scope that start in the span."""

    def note_attendance(
        self, meeting_id: int, *, problem: str, is_final: bool, as_of: datetime
    ) -> None:
        """Note how the reading of Meet went for an occurrence (`problem` empty: in full).

        The occurrence becomes due when that is news: a first full reading, another problem, final.
        """

    def spaces_due(self, as_of: datetime) -> list[MeetingRecord]:
        """Full-scope, not cancelled occurrences with a code that start after `as_of` and whose
        space was not read for the event as it is now, or must be read again."""

    def note_space(
        self, meeting_id: int, facts: SpaceFacts, *, due_at: datetime, as_of: datetime
    ) -> None:
        """Note what a space is like and when to read it again; news make the occurrence due."""

    def sharing_code(self, meeting: Meeting, limit: int) -> list[MeetingRecord]:
        """Other events (no instances of the same uid) with this meeting's code, not cancelled,
        the nearest in time first."""

    def wake_sharing(self, codes: Collection[str], uid: str | None, as_of: datetime) -> int:
        """Make events with one of these codes due, but for those of one uid; gives how many."""

    def save_edits(self, edits: Collection[KeptEdit], *, as_of: datetime) -> int:
        """Upsert audit rows of kept events, others are left out; the occurrences of new rows
        become due. Gives how many are new."""

    def edits_of(self, event_ids: Collection[str]) -> list[KeptEdit]:
        """Stored audit rows of these event ids, oldest first."""

    def prune_edits(self, before: datetime) -> int:
        """Delete audit rows written before; gives how many."""

    def ensure_adhoc(self, code: str | None, start_at: datetime, *, as_of: datetime) -> int:
        """The occurrence of an ad-hoc call, made when new and due at once."""

    def codes(self, start_at: datetime, end_at: datetime) -> frozenset[str]:
        """Codes of all occurrences, ad-hoc ones too, that overlap the span, normalized."""

    def earliest_new(
        self, seen_after: datetime, *, start_at: datetime, end_at: datetime
    ) -> datetime | None:
        """The first start of the occurrences with a code that overlap the span and were not known
        before `seen_after`; None without any."""

    def adhoc_codes(self, since: datetime) -> frozenset[str]:
        """Codes of ad-hoc calls that began after an instant, normalized."""

    def counts(self) -> Mapping[str, int]:
        """Numbers for `poll`, metrics and the weekly mail: in_scope, undecided, due."""

    def overlapping(self, start_at: datetime, end_at: datetime) -> list[int]:
        """Ids of all occurrences that overlap the span, whatever their scope, by start."""

    def load_many(self, meeting_ids: Collection[int]) -> list[MeetingRecord]:
        """Occurrences by id, by start; ids that are not there are left out."""

    def slots_of(
        self, codes: Collection[str], start_at: datetime, end_at: datetime
    ) -> dict[str, list[Slot]]:
        """The same as `slots` for many codes, by normalized code."""

    def shared_codes(self, codes: Collection[str]) -> frozenset[str]:
        """Those of these codes, normalized, that events of more than one uid have."""


@dataclass(frozen=True, slots=True)
class HeldConference:
    """A stored conference with its visits."""

    conference: Conference
    visits: tuple[Visit[Identity], ...]


@dataclass(frozen=True, slots=True)
class SavedConference:
    """A conference in which something changed.

    `is_new`: nothing of it was stored before; `is_whole`: all its visits came in this call.
    """

    conference: Conference
    is_new: bool
    is_whole: bool


class ConferenceStore(Protocol):
    """Conferences and visits of both sources."""

    def save(
        self,
        conferences: Iterable[Conference],
        visits: Iterable[Visit[Identity]],
        *,
        as_of: datetime,
    ) -> tuple[SavedConference, ...]:
        """Upsert by source and key; gives the conferences in which anything changed.

        A Reports conference grows to the hull of its rows. Session visits of a Meet participant
        take the place of that participant's hull.
        """

    def held(self, code: str, start_at: datetime, end_at: datetime) -> tuple[HeldConference, ...]:
        """Conferences of a code that overlap the span, with their visits."""

    def named(self, names: Collection[str]) -> tuple[HeldConference, ...]:
        """Conferences by name."""

    def held_of(
        self, codes: Collection[str], start_at: datetime, end_at: datetime
    ) -> tuple[HeldConference, ...]:
        """Conferences of any of these codes that overlap the span, with their visits."""


class RegistryStore(Protocol):
    """The registry with its history: what was known when."""

    def current(self) -> Registry:
        """The rows known now."""

    def as_known(self, at: datetime) -> Registry:
        """The rows that were known at an instant."""

    def replace(self, registry: Registry, *, as_of: datetime) -> bool:
        """Make this what is imported; ends and adds rows, keeps history. False: no change.

        Rows of the console stay, and one that is imported as well is one row. A link of the chain
        records the rows that came and those that ended. Raises `Permanent` where an imported row
        contradicts one of the console, which validation tells before.
        """

    def imported(self) -> Registry:
        """The rows known now that an import brought."""

    def kept(self) -> tuple[KnownRow, ...]:
        """What an import has to agree with: rows of the console that are known, and those that were
        ended there and have not come back."""

    def known(
        self,
        *,
        file: RegistryFile | None = None,
        partner_id: str | None = None,
        ended: bool = False,
    ) -> tuple[KnownRow, ...]:
        """Rows known now, with `ended` those of the past as well; of one file, of one partner."""

    def get(self, number: int) -> KnownRow:
        """One row, known or ended; raises `NotFound`."""

    def add(self, row: Row, *, by: str, as_of: datetime) -> KnownRow:
        """Add a row of the console, with the link that records it. It must have been validated."""

    def end(
        self, number: int, *, by: str, as_of: datetime, instead: Row | None = None
    ) -> KnownRow | None:
        """End a row, and add what takes its place, if anything; gives that. A link records both.

        Raises `NotFound` where no row of this number is known.
        """

    def known_since(self) -> datetime | None:
        """Since when the current state is known; None before the first import."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What somebody uploaded and has yet to confirm. `by` is keyed; `changes` is the digest of the
    differences that they were shown."""

    id: str
    by: str
    uploaded_at: datetime
    expires_at: datetime
    tables: tuple[Table, ...]
    changes: str


class UploadStore(Protocol):
    """Uploads that wait for a word: each once, by whoever made it, for an hour."""

    def put(self, upload: Upload) -> None:
        """Keep an upload in the place of this person's earlier one; expired ones are forgotten."""

    def take(self, upload_id: str, *, by: str, as_of: datetime) -> Upload:
        """Give an upload and forget it; raises `NotFound` for another's, a used or expired one."""

    def get(self, upload_id: str, *, by: str, as_of: datetime) -> Upload:
        """The same without forgetting it."""

    def forget(self, *, before: datetime) -> int:
        """Delete what expired; gives how many."""


class ApprovalStore(Protocol):
    """Requests for approval; each and each answer is recorded by a link of the chain."""

    def add(self, approval: Approval) -> None:
        """Store a request."""

    def get(self, approval_id: str) -> Approval:
        """One request; raises `NotFound`."""

    def of(self, occurrence: str) -> list[Approval]:
        """All requests for one occurrence (`OccurrenceKey.text`), newest first."""

    def asked_by(self, host_key: str, *, limit: int) -> list[Approval]:
        """A host's requests, newest first."""

    def of_schools(
        self, school_ids: Collection[str], *, as_of: datetime, waiting: bool, limit: int
    ) -> list[Approval]:
        """Requests to these schools: those that can be answered at an instant, the next meeting
        first, or (not `waiting`) those that were answered or expired, newest first."""

    def decide(self, approval_id: str, answer: Answer) -> Approval:
        """Store an answer; raises `NotFound` where no request of this id waits for one."""


@dataclass(frozen=True, slots=True)
class ExemptionUse:
    """One exemption in one occurrence; both are keyed, for neither need be kept otherwise."""

    exemption: str
    occurrence: str
    kind: ExemptionKind
    used_at: datetime
    """Start of the occurrence."""


class ExemptionStore(Protocol):
    """Which exemptions were used where."""

    def note(self, uses: Iterable[ExemptionUse]) -> frozenset[ExemptionUse]:
        """Remember uses, each once for its occurrence; gives those that are new."""

    def counts(self, since: datetime, until: datetime) -> Mapping[ExemptionKind, int]:
        """In how many occurrences of [since, until) an exemption of each kind was used."""

    def prune(self, *, before: datetime) -> int:
        """Forget uses of occurrences before an instant; gives how many."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An officer's decision on a flag."""

    flag_id: str
    status: FlagStatus
    reason: str
    note: str
    by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of a flag or one decision, with the flag as it then was.

    `snapshot` is the digest of what a change was decided on; `withheld` says why there is none,
    or not the whole of it.
    """

    at: datetime
    change: str
    reason: str
    flag: Flag
    snapshot: str | None = None
    withheld: Withheld | None = None


@dataclass(frozen=True, slots=True)
class FlagSave:
    """What one verdict changed of flags, and what it was decided on, as in `HistoryEntry`."""

    changes: tuple[FlagChange, ...]
    snapshot: str | None = None
    withheld: Withheld | None = None


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One change of a flag or one decision, without the flag itself; see `HistoryEntry`."""

    flag_id: str
    at: datetime
    change: str
    reason: str
    snapshot: str | None
    withheld: Withheld | None


class FlagStore(Protocol):
    """Flags, their history and decisions."""

    def of(self, occurrence: str) -> list[Flag]:
        """All flags of an occurrence (`OccurrenceKey.text`), closed ones too."""

    def of_many(self, occurrences: Collection[str]) -> dict[str, list[Flag]]:
        """The same for many occurrences; those without a flag are left out."""

    def save(
        self,
        changes: Sequence[FlagChange],
        *,
        as_of: datetime,
        snapshot: str | None = None,
        withheld: Withheld | None = None,
    ) -> None:
        """Store changed flags and one history row each, with what they were decided on."""

    def save_all(
        self,
        saves: Sequence[FlagSave],
        *,
        told: Collection[Flag] = (),
        noted: Mapping[str, Noted] | None = None,
        as_of: datetime,
    ) -> None:
        """The same for many verdicts; `told` are flags as they are after their mails were queued,
        changed ones and others. `noted` is what the judge knows of the meetings with flags, by
        occurrence, for their cases."""

    def get(self, flag_id: str) -> Flag:
        """One flag; raises `NotFound`."""

    def tell(self, flag_id: str, told: Mapping[str, datetime], severity: Severity | None) -> None:
        """Note who was told and at which severity."""

    def statuses(self, flag_ids: Collection[str]) -> Mapping[str, FlagStatus]:
        """Statuses by id; flags that are not there are left out."""

    def decide(self, decision: Decision) -> Flag:
        """Store an officer's decision and the link that records it; raises `NotFound`."""

    def history(self, flag_id: str) -> list[tuple[datetime, str, str]]:
        """(instant, change, reason), oldest first."""

    def entries(self, flag_id: str) -> Sequence[HistoryEntry]:
        """The history with what each change was decided on, oldest first."""

    def decisions(self, flag_id: str) -> Sequence[Decision]:
        """What officers decided, oldest first."""

    def lines_of(self, flag_ids: Collection[str]) -> Sequence[HistoryLine]:
        """The histories of several flags, oldest first."""

    def decisions_of(self, flag_ids: Collection[str]) -> Sequence[Decision]:
        """What officers decided about several flags, oldest first."""

    def opened(self, since: datetime, until: datetime) -> list[Flag]:
        """Flags first opened in [since, until)."""

    def list(
        self, *, statuses: Collection[FlagStatus] | None = None, rule: str | None = None
    ) -> list[Flag]:
        """Flags, newest first."""

    def page(
        self,
        *,
        statuses: Collection[FlagStatus],
        rule: str | None,
        private: bool,
        after: str | None,
        limit: int,
    ) -> tuple[Sequence[Flag], str | None]:
        """Some flags, the last opened first, and `after` of the next page, None on the last.

        `private`: whether those of private cases may be among them. Raises `BadInput` for an
        `after` that no page gave.
        """


class CaseOrder(StrEnum):
    """Which case comes first; of equal ones the one whose newest flag was opened last."""

    NEWEST = "newest"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True)
class CaseSearch:
    """What a search found: cases of one of these ids, or with one of these terms."""

    ids: frozenset[str] = frozenset()
    terms: frozenset[Term] = frozenset()


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Which cases; all that is given must fit. None: everything; an empty set: nothing.

    Who may see only some schools or hosts is asked for with these, narrowed by what was chosen.
    """

    statuses: frozenset[CaseStatus] | None = None
    severities: frozenset[Severity] | None = None
    rules: frozenset[str] | None = None
    partners: frozenset[str] | None = None
    """partner_ids."""
    schools: frozenset[str] | None = None
    """school_ids; also of the staff who were invited where the host is not staff."""
    hosts: frozenset[str] | None = None
    """Keyed addresses of who may answer for the meeting."""
    search: CaseSearch | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Meetings that start in [since, until)."""
    is_answered: bool = False
    """Only cases that the host has answered."""
    private: bool = False
    """Whether private cases may be among them."""


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases in order; `after` is where the next page begins, None on the last."""

    cases: tuple[Case, ...]
    after: str | None


class CaseStore(Protocol):
    """Cases: made of flags in the transactions of `FlagStore`, and what was done about them."""

    def find(self, case_id: str) -> Case | None:
        """One case; None where there is none of this id."""

    def list(
        self,
        query: CaseQuery,
        *,
        order: CaseOrder = CaseOrder.NEWEST,
        after: str | None = None,
        limit: int = 50,
    ) -> CasePage:
        """A page of cases; `after` as the page before gave it. Raises `BadInput` for another."""

    def count(self, query: CaseQuery) -> int:
        """How many cases there are in all pages."""

    def earlier(
        self,
        partners: Collection[str],
        host_key: str | None,
        *,
        before: datetime,
        limit: int,
        private: bool,
    ) -> Sequence[Case]:
        """Cases of one of these partners, or of this host, whose meeting started before; the
        newest meeting first. `private`: whether private ones may be among them."""

    def note(self, occurrence: str, noted: Noted) -> None:
        """What the judge knows of a meeting with flags; without a case nothing is kept."""

    def add_event(self, event: CaseEvent) -> CaseEvent:
        """Store what was done, with a link of the chain; gives it with its number.

        The case's version rises. Raises `NotFound` where there is no such case.
        """

    def events(self, case_id: str) -> Sequence[CaseEvent]:
        """What was done about a case, oldest first."""


class SnapshotStore(Protocol):
    """What changes of flags were decided on."""

    def keep(self, snapshot: Snapshot, *, as_of: datetime) -> str:
        """Store a snapshot once, with a link that records its digest, which it gives."""

    def keep_all(self, snapshots: Sequence[Snapshot], *, as_of: datetime) -> list[str]:
        """The same for many."""

    def load(self, digest: str) -> Snapshot:
        """One snapshot; raises `NotFound`, and `Permanent` where it was changed since."""

    def load_some(self, digests: Collection[str]) -> Mapping[str, Snapshot | str]:
        """Several snapshots; a sentence for each that cannot be read, none for an unknown one."""


class ShadowStore(Protocol):
    """What rules in shadow find at present: flags that are none, of which nobody is told."""

    def of(self, occurrence: str) -> list[Flag]:
        """Those of an occurrence."""

    def of_many(self, occurrences: Collection[str]) -> dict[str, list[Flag]]:
        """Those of many occurrences."""

    def save(self, changes: Sequence[FlagChange]) -> None:
        """Store what was found, forget what was withdrawn or superseded."""

    def keep_only(self, rules: Collection[str]) -> int:
        """Forget those of all other rules; gives how many."""

    def list(self, *, rule: str | None = None) -> list[Flag]:
        """All, newest first."""

    def counts(self) -> Mapping[str, int]:
        """How many by rule."""


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """A claimed notice. `references` are Message-IDs sent before in its thread, oldest first.

    `attempts` counts this one: 1 the first time.
    """

    notice: Notice
    attempts: int
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FailedNotice:
    """A notice that was given up."""

    kind: NoticeKind
    reason: str
    at: datetime


class OutboxState(StrEnum):
    """Life of a notice."""

    QUEUED = "queued"
    IN_FLIGHT = "inflight"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"
    HELD = "held"
    """Waits for its roll-up, or for the end of a storm."""
    ROLLED_UP = "rolled-up"
    """Left as part of another one."""


@dataclass(frozen=True, slots=True)
class MailedNotice:
    """A notice and what became of it."""

    notice: Notice
    state: OutboxState
    queued_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingNotice:
    """A notice that was not tried yet."""

    notice: Notice
    queued_at: datetime


class Outbox(Protocol):
    """Notices waiting to be mailed."""

    def add(self, notices: Iterable[Notice], *, as_of: datetime) -> int:
        """Queue notices whose id is new; gives how many."""

    def claim(self, as_of: datetime, limit: int) -> list[QueuedNotice]:
        """Take due notices; late ones are dropped."""

    def take_back(self, as_of: datetime) -> int:
        """Queue again what somebody claimed who is no more (see `Store.alone`); gives how many."""

    def sent(self, mail: Mail, *, at: datetime) -> None:
        """Mark as handed over; a link records the mail's bytes, id and recipients as digests."""

    def defer(
        self, notice_id: str, reason: str, *, retry_at: datetime, left: tuple[str, ...] = ()
    ) -> None:
        """Try again later, only with the recipients who are left, if some have it already."""

    def fail(self, notice_id: str, reason: str, *, at: datetime) -> None:
        """Never will be sent; the operators are told."""

    def failed(self, *, since: datetime | None) -> list[FailedNotice]:
        """Notices that were given up after an instant (None: ever), oldest first."""

    def waiting(self) -> int:
        """How many notices were tried in vain and wait for another try."""

    def drop(self, occurrence: str, kinds: Collection[str], *, as_of: datetime) -> int:
        """Drop unsent notices of a cancelled or changed meeting."""

    def cancel(self, notice_id: str, *, as_of: datetime) -> None:
        """Drop one unsent notice, if there is one of this id."""

    def untried(self, kinds: Collection[str], as_of: datetime) -> Sequence[WaitingNotice]:
        """Due notices that nobody tried to send yet, oldest first; held ones are not among them."""

    def held(self, kinds: Collection[str] = ...) -> Sequence[WaitingNotice]:
        """Held notices (of all kinds), oldest first."""

    def queued_since(self, at: datetime, kinds: Collection[str]) -> Sequence[Notice]:
        """Notices queued after an instant, whatever became of them."""

    def tried_since(self, at: datetime, kinds: Collection[str]) -> Sequence[Notice]:
        """Notices that were sent, or tried in vain, at an instant or after it."""

    def put(
        self,
        notice_ids: Collection[str],
        state: OutboxState,
        *,
        reason: str = "",
        as_of: datetime,
    ) -> int:
        """Move queued and held notices to another state; gives how many."""

    def rewrite(self, notice: Notice) -> None:
        """Store another content of a queued or held notice."""

    def forget(self, notice_id: str) -> None:
        """Delete a queued or held notice, so that one of its id can be queued again."""

    def held_kinds(self) -> Mapping[NoticeKind, int]:
        """How many notices of each kind are held."""

    def known(self, notice_ids: Collection[str]) -> frozenset[str]:
        """Which of these ids were ever queued."""

    def counts(self) -> Mapping[OutboxState, int]:
        """How many notices in each state."""

    def of_thread(self, thread: str) -> Sequence[MailedNotice]:
        """Every notice about one occurrence, the first queued first."""


class StormStore(Protocol):
    """Storms of mails; each begin and each end is a link of the chain."""

    def current(self) -> Storm | None:
        """The storm that lasts; None where mail leaves as usual."""

    def list(self) -> list[Storm]:
        """All storms, oldest first."""

    def begin(self, flags: int, by_rule: Mapping[str, int], *, at: datetime) -> Storm:
        """Begin a storm."""

    def end(
        self, storm: Storm, ending: Ending, mails: Mapping[str, int], *, by: str, at: datetime
    ) -> Storm:
        """End a storm; `mails` counts what became of what it held."""


class OverviewStore(Protocol):
    """Counts for the overview; nobody's name in them."""

    def opened(
        self, bounds: Sequence[datetime], scope: OverviewScope
    ) -> Sequence[Mapping[Severity, int]]:
        """Flags first opened between each of these instants and the next, by severity."""

    def meetings(self, since: datetime, until: datetime) -> int:
        """Meetings with partners that started in [since, until)."""

    def acknowledged(
        self, since: datetime, until: datetime, scope: OverviewScope
    ) -> Mapping[Severity, Quantiles]:
        """How long it took until officers did something about flags opened in [since, until)."""

    def resolved(
        self, since: datetime, until: datetime, scope: OverviewScope
    ) -> Mapping[Severity, Quantiles]:
        """How long it took until officers upheld or dismissed flags opened in [since, until)."""

    def decided(
        self, since: datetime, until: datetime, scope: OverviewScope
    ) -> Sequence[Precision]:
        """How the flags opened in [since, until) were decided, by rule in order of its name."""

    def mails(self, since: datetime) -> Mapping[OutboxState, int]:
        """Mails by state: those that are done, since an instant; all that are not."""


@dataclass(frozen=True, slots=True)
class SentReminder:
    """A reminder that was queued: for which lead and which start."""

    lead: str
    start_at: datetime
    queued_at: datetime


class ReminderStore(Protocol):
    """Which reminders were made."""

    def of(self, occurrence: str) -> list[SentReminder]:
        """All reminders of an occurrence."""

    def add(self, occurrence: str, reminder: SentReminder) -> None:
        """Note a reminder."""

    def remove(self, occurrence: str, lead: str, start_at: datetime) -> None:
        """Forget a reminder, so that it is made again."""


@dataclass(frozen=True, slots=True)
class SourceRead:
    """How the reading of one source went last: `reports-meet`, `directory` …"""

    source: str
    mark: str = ""
    """The adapter's progress mark."""
    read_at: datetime | None = None
    """Last complete read."""
    problem: str = ""
    failing_since: datetime | None = None


class HookState(StrEnum):
    """Life of a delivery to a program."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HookDelivery:
    """What one program is told of one change. `body` is empty once it was delivered."""

    id: str
    endpoint: str
    event: HookEvent
    flag_id: str
    state: HookState
    attempts: int
    due_at: datetime
    queued_at: datetime
    changed_at: datetime
    reason: str
    body: str


class HookStore(Protocol):
    """What programs are told: a place in the flags' history for each, and deliveries."""

    def plan(self, endpoint: Endpoint, *, as_of: datetime, limit: int) -> int:
        """Queue what came into the history since the last time; gives how many rows were read.

        A new endpoint hears of nothing that was before. Nothing private is ever queued.
        """

    def due(self, endpoint: str, as_of: datetime, limit: int) -> list[HookDelivery]:
        """Deliveries to try now, in order; none of a flag whose earlier one still waits."""

    def delivered(self, delivery_id: str, *, at: datetime) -> None:
        """It arrived."""

    def defer(self, delivery_id: str, reason: str, *, retry_at: datetime, at: datetime) -> None:
        """Try again later."""

    def fail(self, delivery_id: str, reason: str, *, at: datetime) -> None:
        """Given up."""

    def switch_off(self, endpoint: str, reason: str, *, at: datetime) -> None:
        """The endpoint wants nothing any more; what waits for it is given up."""

    def off(self) -> Mapping[str, datetime]:
        """Endpoints that are switched off, and since when."""

    def retry(self, wanted: str, *, at: datetime) -> int:
        """Queue again what was given up: one delivery by its id, or all of an endpoint, which is
        switched on again. Gives how many."""

    def list(self, *, states: Collection[HookState] | None = None) -> list[HookDelivery]:
        """Deliveries, the newest first."""

    def prune(self, *, before: datetime) -> int:
        """Forget those that were delivered or given up before an instant; gives how many."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer to a request with a key; `asked` is the digest of the request."""

    asked: str
    body: str


class TokenStore(Protocol):
    """Tokens of other programs; each coming and each end is a link of the chain."""

    def add(self, token: ApiToken) -> None:
        """Store a new token."""

    def end(self, token_id: str, *, by: str, at: datetime) -> ApiToken:
        """End a token; raises `NotFound` where none of this id is in force."""

    def find(self, digest: str) -> ApiToken | None:
        """The token of a digest, ended and expired ones too."""

    def used(self, token_id: str, *, at: datetime) -> None:
        """Note that it was used."""

    def list(self) -> list[ApiToken]:
        """All tokens, oldest first."""

    def answered(self, token_id: str, key: str) -> KeptAnswer | None:
        """What a request with this key of its own was answered."""

    def answer(self, token_id: str, key: str, asked: str, body: str, *, at: datetime) -> None:
        """Remember an answer, so that asking again does nothing twice."""

    def forget_answers(self, *, before: datetime) -> int:
        """Forget answers given before an instant; gives how many."""


class ChainStore(Protocol):
    """The hash chain over what was decided, imported, mailed, held, exported and deleted.

    The stores append the links of their own changes in the same transaction.
    """

    def append(self, kind: LinkKind, subject: str, payload: Payload, *, at: datetime) -> Link:
        """Add a link. `subject` is an id of what it is about; `payload` holds texts, whole
        numbers, lists and objects: digests, counts and instants, no name and no address."""

    def head(self) -> Head | None:
        """The newest link; None before the first."""

    def find(self, kind: LinkKind, subject: str) -> list[Link]:
        """All links of a kind about something, oldest first."""

    def links(self, kind: LinkKind | None = None) -> list[Link]:
        """All links, or those of one kind, oldest first."""

    def audit(self, *, expected: str | None = None) -> Audit:
        """Check every link and every stored row that one records; `expected` is the hash of some
        former head that has to be in the chain."""


class HoldStore(Protocol):
    """Legal holds; each coming and each end is a link of the chain."""

    def add(self, kind: HoldKind, subject: str, *, reason: str, by: str, at: datetime) -> Hold:
        """Begin a hold."""

    def remove(self, number: int, *, reason: str, by: str, at: datetime) -> Hold:
        """End a hold; raises `NotFound` where none of this number is in force."""

    def list(self, *, removed: bool = False) -> list[Hold]:
        """The holds in force, or all of them, oldest first."""


class RetentionStore(Protocol):
    """Deletes what is old, unless a flag or a legal hold keeps it."""

    def ended(self, since: datetime, until: datetime) -> list[int]:
        """Ids of occurrences in scope without a flag that ended in [since, until)."""

    def purge(
        self,
        cutoffs: Cutoffs,
        *,
        confidential: Mapping[int, Collection[str]],
        month: Callable[[datetime], str],
        as_of: datetime,
    ) -> Mapping[str, int]:
        """Delete what is older than the cutoffs, and these occurrences with these conferences.

        Gives how many rows of what; a link of the chain says the same. What went is still counted
        in the `month` of its start.
        """

    def months(self, month: Callable[[datetime], str], *, as_of: datetime) -> list[MonthCount]:
        """Counts of what was held until now, deleted or not, oldest month first."""

    def knows_meeting(self, subject: str) -> bool:
        """Whether there is an occurrence of this uid or Meet code."""

    def knows_partner(self, partner_id: str) -> bool:
        """Whether the registry ever had this partner."""


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A session of the console. `key` is a hash of what the browser holds, `who` an address in its
    matching form, empty before somebody signs in; `content` is JSON."""

    key: str
    who: str
    content: str
    created_at: datetime
    seen_at: datetime


class SessionStore(Protocol):
    """Who is signed in to the console."""

    def get(self, key: str) -> ConsoleSession | None:
        """One that has not been ended."""

    def save(self, session: ConsoleSession) -> None:
        """Store one, new or changed."""

    def end(self, key: str, *, at: datetime) -> None:
        """End one; what it held is forgotten."""

    def end_all(self, who: str, *, at: datetime) -> int:
        """End all of one person; gives how many there were."""

    def prune(self, *, before: datetime, nobodys_before: datetime) -> int:
        """Forget those last seen before an instant, and those of nobody before another."""
        ...


class AccessLog(Protocol):
    """Who looked at what in the console, and who was refused."""

    def note(self, entries: Iterable[AccessEntry]) -> None:
        """Add lines."""

    def list(
        self,
        *,
        subject: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> list[NumberedEntry]:
        """The newest first: about one subject, from an instant on, below a number."""
        ...


class MetaStore(Protocol):
    """Progress marks of sources, small settings, and runs of jobs."""

    def source(self, name: str) -> SourceRead:
        """State of a source; an empty one when it was never read."""

    def save_source(self, read: SourceRead) -> None:
        """Store it."""

    def sources(self) -> list[SourceRead]:
        """All."""

    def get(self, name: str) -> str | None:
        """A small value by name."""

    def set(self, name: str, value: str) -> None:
        """Store a small value."""

    def policy(self) -> Policy | None:
        """The policy by which decisions were last made; None before the first."""

    def save_policy(self, policy: Policy) -> None:
        """Store it."""


class PeopleReads(Protocol):
    """See `PeopleStore`."""

    def by_address(self, address_keys: Collection[str]) -> dict[str, KnownAccount]:
        """Accounts by keyed address, aliases included."""

    def by_person(self, person_keys: Collection[str]) -> dict[str, KnownAccount]:
        """Accounts by keyed id."""

    def learned(self, id_keys: Collection[str]) -> dict[str, tuple[str, str]]:
        """(address key, address) by Meet id key."""


class MeetingReads(Protocol):
    """See `MeetingStore`."""

    def calendar(self, address: str) -> CalendarState:
        """How far a calendar is read."""

    def slots(self, code: str, start_at: datetime, end_at: datetime) -> list[Slot]:
        """Times of the occurrences of a code that overlap the span."""

    def sharing_code(self, meeting: Meeting, limit: int) -> list[MeetingRecord]:
        """Other events with this meeting's code, the nearest in time first."""

    def edits_of(self, event_ids: Collection[str]) -> list[KeptEdit]:
        """Stored audit rows of these event ids, oldest first."""


class ConferenceReads(Protocol):
    """See `ConferenceStore`."""

    def held(self, code: str, start_at: datetime, end_at: datetime) -> tuple[HeldConference, ...]:
        """Conferences of a code that overlap the span, with their visits."""


class RegistryReads(Protocol):
    """See `RegistryStore`."""

    def as_known(self, at: datetime) -> Registry:
        """The rows that were known at an instant."""

    def known_since(self) -> datetime | None:
        """Since when the current state is known; None before the first import."""


class MetaReads(Protocol):
    """See `MetaStore`."""

    def get(self, name: str) -> str | None:
        """A small value."""

    def source(self, name: str) -> SourceRead:
        """State of a source; an empty one when it was never read."""


class Reads(Protocol):
    """What a dossier is put together from: part of `Tx`, or the same loaded for many at once."""

    @property
    def people(self) -> PeopleReads:
        """The directory snapshot."""
        ...

    @property
    def meetings(self) -> MeetingReads:
        """Occurrences and calendars."""
        ...

    @property
    def conferences(self) -> ConferenceReads:
        """Conferences and visits."""
        ...

    @property
    def registry(self) -> RegistryReads:
        """The registry with its history."""
        ...

    @property
    def meta(self) -> MetaReads:
        """How sources were read."""
        ...


class Tx(Protocol):
    """One transaction: all or nothing."""

    @property
    def people(self) -> PeopleStore:
        """The directory snapshot."""
        ...

    @property
    def meetings(self) -> MeetingStore:
        """Occurrences and calendars."""
        ...

    @property
    def conferences(self) -> ConferenceStore:
        """Conferences and visits."""
        ...

    @property
    def registry(self) -> RegistryStore:
        """The registry with its history."""
        ...

    @property
    def exemptions(self) -> ExemptionStore:
        """Uses of exemptions."""
        ...

    @property
    def flags(self) -> FlagStore:
        """Flags and decisions."""
        ...

    @property
    def cases(self) -> CaseStore:
        """Cases, and what was done about them."""
        ...

    @property
    def snapshots(self) -> SnapshotStore:
        """What changes of flags were decided on."""
        ...

    @property
    def shadows(self) -> ShadowStore:
        """What rules in shadow found."""
        ...

    @property
    def approvals(self) -> ApprovalStore:
        """Requests for approval."""
        ...

    @property
    def uploads(self) -> UploadStore:
        """Uploads that wait for a word."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Mails to be."""
        ...

    @property
    def storms(self) -> StormStore:
        """Storms of mails."""
        ...

    @property
    def overview(self) -> OverviewStore:
        """Counts for the overview."""
        ...

    @property
    def reminders(self) -> ReminderStore:
        """Reminders made."""
        ...

    @property
    def hooks(self) -> HookStore:
        """What programs are told."""
        ...

    @property
    def tokens(self) -> TokenStore:
        """Tokens of other programs."""
        ...

    @property
    def chain(self) -> ChainStore:
        """What was done, link by link."""
        ...

    @property
    def holds(self) -> HoldStore:
        """Legal holds."""
        ...

    @property
    def retention(self) -> RetentionStore:
        """Deletions."""
        ...

    @property
    def sessions(self) -> SessionStore:
        """Who is signed in to the console."""
        ...

    @property
    def access_log(self) -> AccessLog:
        """Who looked at what there."""
        ...

    @property
    def meta(self) -> MetaStore:
        """Progress marks and small values."""
        ...


class ReadableStore(Protocol):
    """The database for those who must not change it."""

    def reading(self) -> AbstractContextManager[Tx]:
        """A read-only view; may be open in several threads at once."""


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractContextManager[Tx]:
        """Commit on leaving, roll back on an exception. Write transactions are serialized."""

    def reading(self) -> AbstractContextManager[Tx]:
        """A read-only view; may be open in several threads at once."""

    def alone(self, work: str, *, patience: float = ...) -> AbstractContextManager[bool]:
        """Be the only one at a work among all processes; whoever dies at it gives it up.

        False if another one has not ended it after so many seconds.
        """


# --- Outcomes -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """How one source went in one run: units read, failed and skipped, with reasons."""

    read: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def note_failed(self, reason: str) -> None:
        """Count a failed unit under a sentence without names."""
        self.failed += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def note_skipped(self, reason: str) -> None:
        """Count a skipped unit."""
        self.skipped += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


@dataclass(slots=True)
class Outcome:
    """Result of one run of one job."""

    job: str
    sources: dict[str, Tally] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    trouble: str = ""
    """What somebody should look at besides sources: a sentence without names."""

    def source(self, name: str) -> Tally:
        """The tally of a source, made when new."""
        return self.sources.setdefault(name, Tally())

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count."""
        self.counts[name] = self.counts.get(name, 0) + number

    @property
    def is_covered(self) -> bool:
        """Whether every source was read in full."""
        return not any(tally.failed for tally in self.sources.values())
