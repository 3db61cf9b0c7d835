"""The tables. The text below each says what it holds, and what it never does.

Nowhere in the database: the name, address or id of a student (only keyed, see
`domain.people.Pseudonyms`), a title, a description, a link's path, an IP address.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from meetbot.domain.casework import Noted
from meetbot.domain.flags import Flag
from meetbot.domain.guest_list import GuestList
from meetbot.domain.meetings import (
    Disclosure,
    Fingerprint,
    KeptCopy,
    KeptGuest,
    TextDisclosure,
)
from meetbot.domain.notices import Notice
from meetbot.domain.spaces import SpaceFacts
from meetbot.store.columns import Document, Instant, Key, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _number(name: str = "id") -> Column[int]:
    """A row number; SQLite counts up by itself only in a column of its type INTEGER."""
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


# --- people -------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("person_key", Key, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("unit_path", Words, nullable=False),
    Column("google_id", Words),
    Column("address", Words),
    Column("display_name", Words, nullable=False),
    Column("guest_address", Words),
    Column("seen_at", Instant, nullable=False),
    Index(None, "kind"),
    Index(None, "seen_at"),
)
"""The newest Directory snapshot. Of a student: key, kind and unit, nothing else."""

account_addresses = Table(
    "account_addresses",
    metadata,
    Column("address_key", Key, primary_key=True),
    Column(
        "person_key", Key, ForeignKey("accounts.person_key", ondelete="CASCADE"), nullable=False
    ),
    Index(None, "person_key"),
)
"""Which account an address or alias leads to. Keyed addresses only."""

student_marks = Table(
    "student_marks",
    metadata,
    Column("mark", Key, primary_key=True),
    Column(
        "person_key",
        Key,
        ForeignKey("accounts.person_key", ondelete="CASCADE"),
        primary_key=True,
    ),
    Index(None, "person_key"),
)
"""Keyed marks of students' names and ids, to find them in a text. Nothing can be read from them."""

groups = Table(
    "groups",
    metadata,
    Column("address_key", Key, primary_key=True),
    Column("members", Document(tuple[KeptGuest, ...]), nullable=False),
    Column("is_complete", Boolean, nullable=False),
    Column("read_at", Instant, nullable=False),
)
"""Members of groups that were invited, kept like guests: no address of a student."""

learned_addresses = Table(
    "learned_addresses",
    metadata,
    Column("id_key", Key, primary_key=True),
    Column("address_key", Key, nullable=False),
    Column("address", Words, nullable=False),
    Column("learned_at", Instant, nullable=False),
)
"""Clear addresses of outsiders by their keyed Meet id. Nobody of the district."""

# --- meetings -----------------------------------------------------------------------------------

calendars = Table(
    "calendars",
    metadata,
    Column("address", Key, primary_key=True),
    Column("token", Words),
    Column("window_start_at", Instant),
    Column("window_end_at", Instant),
    Column("synced_at", Instant),
    Column("read_at", Instant),
    Column("problem", Words, nullable=False),
    Column("failing_since", Instant),
)
"""How far each staff calendar is read. No token: the next read is a full one."""

meetings = Table(
    "meetings",
    metadata,
    _number(),
    Column("key_text", Key, nullable=False, unique=True),
    Column("ical_uid", Key),
    Column("original_start_at", Instant, nullable=False),
    Column("meeting_code", Key),
    Column("is_adhoc", Boolean, nullable=False),
    Column("is_recurring", Boolean, nullable=False),
    Column("is_cancelled", Boolean, nullable=False),
    Column("copies", Integer, nullable=False),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("scope", Text, nullable=False),
    Column("due_at", Instant),
    Column("version", Integer, nullable=False),
    Column("disclosure", Document(Disclosure)),
    Column("text_disclosure", Document(TextDisclosure)),
    Column("fingerprints", Document(tuple[Fingerprint, ...]), nullable=False),
    Column("undecided", Document(tuple[str, ...]), nullable=False),
    Column("is_undecided", Boolean, nullable=False),
    Column("attendance_read_at", Instant),
    Column("attendance_problem", Words, nullable=False),
    Column("attendance_final", Boolean, nullable=False),
    Column("space", Document(SpaceFacts)),
    Column("space_due_at", Instant),
    Column("guest_list", Document(GuestList)),
    Column("link", Key),
    Column("judged_before_at", Instant),
    Column("judged_during_at", Instant),
    Column("judged_after_at", Instant),
    Index(None, "ical_uid"),
    Index(None, "meeting_code", "start_at"),
    Index(None, "due_at"),
    Index(None, "start_at"),
    Index(None, "end_at"),
)
"""Occurrences that were in scope, found by their stable key.

`version` counts the changes that made one due, `judged_…_at` are the last instants at which one was
judged before, during and after the meeting. `copies` is 0 for an ad-hoc call, and for an event
that left the scope. Without `space_due_at` the space was not read for the event as it is now.
`link` is code and outside guests as of the last judgment, the latter hashed: when it changes, other
events with the code are judged again. Entries of a guest list and co-hosts are keyed; a co-host's
address is clear unless a student's.
"""

copies = Table(
    "copies",
    metadata,
    Column("calendar", Key, primary_key=True),
    Column("event_id", Key, primary_key=True),
    Column("meeting_id", BigInteger, ForeignKey("meetings.id", ondelete="CASCADE"), nullable=False),
    Column("recurring_event_id", Key),
    Column("original_start_at", Instant, nullable=False),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("is_cancelled", Boolean, nullable=False),
    Column("copy", Document(KeptCopy), nullable=False),
    Index(None, "meeting_id"),
    Index(None, "event_id"),
    Index(None, "recurring_event_id"),
)
"""Each calendar's copy of an occurrence. Student guests by key and domain only."""

meeting_guests = Table(
    "meeting_guests",
    metadata,
    Column(
        "meeting_id",
        BigInteger,
        ForeignKey("meetings.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("address_key", Key, primary_key=True),
    Index(None, "address_key"),
)
"""Keyed guests, organizers, creators and groups of each occurrence, to find it by them."""

event_edits = Table(
    "event_edits",
    metadata,
    Column("key", Key, primary_key=True),
    Column("event_id", Key, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", Document(KeptGuest)),
    Column("guest_key", Key),
    Index(None, "event_id"),
    Index(None, "at"),
)
"""Rows of the Calendar audit log about kept events: who changed one, whom they added, all keyed."""

# --- conferences --------------------------------------------------------------------------------

conferences = Table(
    "conferences",
    metadata,
    Column("name", Key, primary_key=True),
    Column("source", Text, nullable=False),
    Column("code", Key),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant),
    Column("space", Words),
    Column("organizer", Words),
    Column("calendar_event_id", Words),
    Column("organizer_key", Text),
    Column("visits", Text, nullable=False),
    Index(None, "code", "start_at"),
    Index(None, "start_at"),
)
"""Calls that were held, by Meet and by the audit log. `code` without hyphens.

`visits` is a document of `store.visits`: joins to leaves, identities keyed. A clear address, as
participant or organizer, only of staff and outsiders.
"""

# --- registry -----------------------------------------------------------------------------------

registry_rows = Table(
    "registry_rows",
    metadata,
    _number(),
    Column("file", Text, nullable=False),
    Column("row_key", Key, nullable=False),
    Column("position", Integer, nullable=False),
    Column("cells", Document(dict[str, str]), nullable=False),
    Column("known_from", Instant, nullable=False),
    Column("known_to", Instant),
    Column("link", BigInteger),
    Column("ended_link", BigInteger),
    Index(None, "known_to"),
    Index(None, "link"),
    Index(None, "ended_link"),
)
"""Every registry row imported, and from when to when it was the known one.

`link` and `ended_link` are the links of the chain that record its coming and its end.
"""

exemption_uses = Table(
    "exemption_uses",
    metadata,
    Column("exemption", Key, primary_key=True),
    Column("occurrence", Key, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("used_at", Instant, nullable=False),
    Index(None, "used_at"),
)
"""In which occurrence (keyed) which exemption (keyed) was used, also of meetings not kept."""

# --- flags and mail -----------------------------------------------------------------------------

snapshots = Table(
    "snapshots",
    metadata,
    Column("digest", Key, primary_key=True),
    Column("occurrence", Key, nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "occurrence"),
)
"""What changes of flags were decided on: Google's evidence lasts 30 days.

`body` is a packed JSON text, `digest` the SHA-256 of that text. Students keyed, as everywhere.
"""

flags = Table(
    "flags",
    metadata,
    Column("id", Key, primary_key=True),
    Column("occurrence", Key, nullable=False),
    Column("rule", Key, nullable=False),
    Column("status", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("flag", Document(Flag), nullable=False),
    Column("severity", Integer),
    Column("acknowledged_at", Instant),
    Column("resolved_at", Instant),
    Index(None, "occurrence"),
    Index(None, "rule"),
    Index(None, "status"),
    # The overview reads this index alone: a row of the table is a page of JSON.
    Index(
        "ix_flags_overview",
        "opened_at",
        "severity",
        "rule",
        "status",
        "acknowledged_at",
        "resolved_at",
        "occurrence",
    ),
)
"""Flags, open and closed. Counts of students, never who.

`severity` is the rank. `acknowledged_at` is when an officer first did something about it since it
was opened, `resolved_at` when one upheld or dismissed it.
"""

shadow_flags = Table(
    "shadow_flags",
    metadata,
    Column("id", Key, primary_key=True),
    Column("occurrence", Key, nullable=False),
    Column("rule", Key, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("flag", Document(Flag), nullable=False),
    Index(None, "occurrence"),
    Index(None, "rule"),
)
"""What rules in shadow find at present. No flags: nobody is told, and nothing is decided."""

flag_history = Table(
    "flag_history",
    metadata,
    _number(),
    Column("flag_id", Key, ForeignKey("flags.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("change", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("flag", Document(Flag), nullable=False),
    Column("snapshot", Key, ForeignKey("snapshots.digest")),
    Column("withheld", Text),
    Index(None, "flag_id"),
    Index(None, "snapshot"),
)
"""Every change of a flag with the flag as it then was, and what it was decided on.

Where there is none, or not the whole of it, `withheld` says why; an officer's decision has neither.
"""

decisions = Table(
    "decisions",
    metadata,
    _number(),
    Column("flag_id", Key, ForeignKey("flags.id", ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("link", BigInteger),
    Index(None, "flag_id"),
    Index(None, "link"),
)
"""What officers decided, in their words; `link` of the chain records it."""

cases = Table(
    "cases",
    metadata,
    _number("number"),
    Column("id", Key, nullable=False, unique=True),
    Column("occurrence", Key, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("is_private", Boolean, nullable=False),
    Column("school_id", Key),
    Column("host_key", Key),
    Column("starts_at", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("flags", Integer, nullable=False),
    Column("pending", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("gist", Text, nullable=False),
    Column("noted", Document(Noted)),
    Column("touched_at", Instant),
    Index(None, "is_private", "status", "opened_at", "id"),
    Index(None, "is_private", "status", "severity", "opened_at", "id"),
    Index(None, "is_private", "starts_at"),
)
"""All flags of one occurrence, see `domain.casework`: made of its flags, for lists and filters.

`number` is for looking up many quickly, `severity` the rank. `noted` is what only the judge knows;
without it the case is private.
`gist` tells whether the flags are as they were when `version` was counted up last; `touched_at` is
when something was last done about it besides.
"""

case_terms = Table(
    "case_terms",
    metadata,
    Column("case", BigInteger, ForeignKey("cases.number", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Key, primary_key=True),
    Column("starts_at", Instant, nullable=False),
    Index(None, "kind", "value", "starts_at", "case"),
)
"""By which rules, partners, schools and hosts (keyed) cases are found, with the case's start."""

case_events = Table(
    "case_events",
    metadata,
    _number(),
    Column("case_id", Key, ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Words, nullable=False),
    Column("choice", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("about", Words, nullable=False),
    Column("person", Words, nullable=False),
    Column("of", BigInteger),
    Column("steps", Text, nullable=False),
    Column("link", BigInteger),
    Index(None, "case_id"),
    Index(None, "link"),
)
"""What officers and hosts did about a case, in their words; `link` of the chain records it.

`by` and `person` are staff, or a partner_id. `steps` are lines of flag, status before and after.
Texts were searched for students before.
"""

outbox = Table(
    "outbox",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("occurrence", Key),
    Column("thread", Key),
    Column("state", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("not_after", Instant),
    Column("attempts", Integer, nullable=False),
    Column("inflight_since", Instant),
    Column("reason", Words, nullable=False),
    Column("message_id", Words),
    Column("queued_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("notice", Document(Notice), nullable=False),
    Column("link", BigInteger),
    Index(None, "state", "due_at"),
    Index(None, "queued_at"),
    Index(None, "changed_at"),
    Index(None, "occurrence"),
    Index(None, "thread"),
    Index(None, "link"),
)
"""Mails to be, under way and done. Recipients are addresses of the district's staff.

`link` of the chain records that it was sent.
"""

reminders = Table(
    "reminders",
    metadata,
    Column("occurrence", Key, primary_key=True),
    Column("lead", Key, primary_key=True),
    Column("start_at", Instant, primary_key=True),
    Column("queued_at", Instant, nullable=False),
)
"""Which reminder was queued for which start of an occurrence."""

storms = Table(
    "storms",
    metadata,
    _number(),
    Column("begun_at", Instant, nullable=False),
    Column("flags", Integer, nullable=False),
    Column("by_rule", Words, nullable=False),
    Column("ending", Text),
    Column("ended_at", Instant),
    Column("ended_by", Words),
    Column("mails", Words),
    Column("link", BigInteger),
    Column("ended_link", BigInteger),
    Index(None, "link"),
    Index(None, "ended_link"),
)
"""When so many flags came at once that mails were held, and who let them go. Counts as JSON."""

# --- other programs -----------------------------------------------------------------------------

hook_endpoints = Table(
    "hook_endpoints",
    metadata,
    Column("name", Key, primary_key=True),
    Column("read_to", BigInteger, nullable=False),
    Column("off_since", Instant),
)
"""Programs that are told of changes: up to which row of `flag_history`, and since when no more."""

hook_deliveries = Table(
    "hook_deliveries",
    metadata,
    Column("id", Key, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("endpoint", Key, nullable=False),
    Column("event", Text, nullable=False),
    Column("flag_id", Key, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("reason", Words, nullable=False),
    Column("body", Words, nullable=False),
    Index(None, "endpoint", "state", "flag_id", "number"),
    Index(None, "state", "changed_at"),
)
"""What programs are told; `number` is the row of `flag_history`. No body once it arrived."""

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Key, primary_key=True),
    Column("program", Words, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("by", Words, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("ended_at", Instant),
    Column("ended_by", Words),
    Column("link", BigInteger),
    Column("ended_link", BigInteger),
    Index(None, "link"),
    Index(None, "ended_link"),
)
"""Tokens of other programs, by digest; `scopes` are words with a space between them."""

api_answers = Table(
    "api_answers",
    metadata,
    Column("token_id", Key, ForeignKey("api_tokens.id", ondelete="CASCADE"), primary_key=True),
    Column("request_key", Key, primary_key=True),
    Column("asked", Text, nullable=False),
    Column("body", Words, nullable=False),
    Column("answered_at", Instant, nullable=False),
    Index(None, "answered_at"),
)
"""What requests with a key of their own were answered, for a day; `asked` is a digest."""

# --- chain and retention ------------------------------------------------------------------------

chain = Table(
    "chain",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Key, nullable=False),
    Column("payload", Words, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index(None, "kind", "subject"),
)
"""The hash chain, see `domain.chain`. Digests, counts and instants; no person."""

holds = Table(
    "holds",
    metadata,
    _number(),
    Column("kind", Text, nullable=False),
    Column("subject", Key, nullable=False),
    Column("reason", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("removed_at", Instant),
    Column("removed_by", Words),
    Column("removed_reason", Words),
    Column("link", BigInteger),
    Column("ended_link", BigInteger),
    Index(None, "link"),
    Index(None, "ended_link"),
)
"""Legal holds: what must not be deleted, why and on whose word, and their end."""

forgotten = Table(
    "forgotten",
    metadata,
    Column("month", Text, primary_key=True),
    Column("meetings", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("visits", Integer, nullable=False),
)
"""How many meetings in scope, calls and visits of each local month were deleted. No people."""

# --- console ------------------------------------------------------------------------------------

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("key", Key, primary_key=True),
    Column("who", Key, nullable=False),
    Column("content", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(None, "who"),
    Index(None, "seen_at"),
)
"""Sessions of the console. `key` is a keyed hash of what the browser holds, `who` an address of
the district's staff, or empty before somebody signs in; `content` is JSON.
"""

access_log = Table(
    "access_log",
    metadata,
    _number(),
    Column("at", Instant, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Key, nullable=False),
    Column("who", Words, nullable=False),
    Column("roles", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Index(None, "at"),
    Index(None, "subject"),
)
"""Who read which case in the console, and what was refused. `who` is an address of the staff, empty
for somebody who could not sign in.
"""

# --- progress -----------------------------------------------------------------------------------

sources = Table(
    "sources",
    metadata,
    Column("source", Key, primary_key=True),
    Column("mark", Words, nullable=False),
    Column("read_at", Instant),
    Column("problem", Words, nullable=False),
    Column("failing_since", Instant),
)
"""How far each source that is read as a whole is read."""

settings = Table(
    "settings",
    metadata,
    Column("name", Key, primary_key=True),
    Column("value", Words, nullable=False),
)
"""Small values the jobs and this package remember, such as the registry's import time."""
