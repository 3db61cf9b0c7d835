"""The simulated district: people, calendars, calls, audit feeds and sent mail, all changeable.

Every public method is safe to call from any thread while a sandbox serves the world. Addresses are
compared without case. Calendar changes get a version number, which is what sync tokens hold; what
a call looks like depends on the clock, so whole calls can be scripted ahead.
"""

import functools
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from meetbot.sandbox.audit import AuditLog, calendar_row, call_rows
from meetbot.sandbox.faults import Api, Fault, Kind, Limit, Refusal, Shaping
from meetbot.sandbox.model import (
    Attendee,
    Calendar,
    CalendarEntry,
    Cell,
    Clock,
    Conference,
    Event,
    Group,
    Joins,
    Participant,
    SentMail,
    Session,
    Space,
    Spreadsheet,
    User,
    When,
    meeting_code,
    stable_number,
    stable_word,
    utc_now,
)
from meetbot.sandbox.recurrence import instance_id, length, original_starts

SCOPE_ROOT = "https://www.googleapis.com/auth/"
DEFAULT_SCOPES = frozenset(
    SCOPE_ROOT + name
    for name in (
        "calendar.events.readonly",
        "meetings.space.readonly",
        "admin.directory.user.readonly",
        "admin.directory.group.readonly",
        "admin.directory.group.member.readonly",
        "admin.directory.orgunit.readonly",
        "admin.directory.domain.readonly",
        "admin.reports.audit.readonly",
        "gmail.send",
        "spreadsheets.readonly",
    )
)
_EVENT_FIELDS = frozenset(field.name for field in fields(Event))
_FIXED_FIELDS = frozenset(
    {"event_id", "ical_uid", "version", "exceptions", "retired", "on_calendars", "recurring_id"}
)

F = TypeVar("F", bound=Callable[..., Any])


def _locked(method: F) -> F:
    """Runs the method while no request is being answered."""

    @functools.wraps(method)
    def run(self: "World", *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return method(self, *args, **kwargs)

    return cast(F, run)


class World:
    """A Workspace customer. `clock` gives aware UTC instants and may be replaced at any time."""

    def __init__(
        self,
        *,
        domains: Sequence[str] = ("district.example", "students.district.example"),
        domain_aliases: dict[str, str] | None = None,
        time_zone: str = "America/Chicago",
        clock: Clock = utc_now,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.time_zone = time_zone
        self.domains = list(domains)
        self.domain_aliases = dict(domain_aliases or {})
        self.epoch = secrets.token_hex(4)
        self.version = 0
        self.units: list[str] = []
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.calendars: dict[str, Calendar] = {}
        self.events: dict[str, Event] = {}
        self.spaces: dict[str, Space] = {}
        self.conferences: dict[str, Conference] = {}
        self.audit = {"meet": AuditLog(), "calendar": AuditLog()}
        self.audit_lag = {"meet": timedelta(0), "calendar": timedelta(0)}
        self.mails: list[SentMail] = []
        self.spreadsheets: dict[str, Spreadsheet] = {}
        self.granted_scopes: set[str] = set(DEFAULT_SCOPES)
        self.shaping = Shaping()
        self._user_keys: dict[str, User] = {}
        self._group_keys: dict[str, Group] = {}
        self._holders: dict[str, set[str]] = {}

    # --- people ----------------------------------------------------------------------------------

    @_locked
    def add_unit(self, path: str) -> None:
        """Create an org unit and those above it."""
        parts = path.strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            unit = "/" + "/".join(parts[:depth])
            if unit not in self.units and unit != "/":
                self.units.append(unit)

    @_locked
    def add_user(
        self,
        email: str,
        name: str = "",
        unit: str = "/",
        *,
        user_id: str = "",
        aliases: Iterable[str] = (),
        suspended: bool = False,
        archived: bool = False,
        admin: bool = False,
        room: bool = False,
        guest_of: str = "",
        external_ids: Iterable[str] = (),
        searchable: bool = True,
    ) -> User:
        """Create an account, its unit and its primary calendar. Raises ValueError if it exists."""
        key = email.lower()
        if key in self._user_keys:
            raise ValueError(f"{email} exists already")
        user = User(
            email=key,
            name=name or key.partition("@")[0].replace(".", " ").title(),
            unit=unit,
            user_id=user_id or stable_number(key),
            aliases=[alias.lower() for alias in aliases],
            suspended=suspended,
            archived=archived,
            admin=admin,
            room=room,
            guest_of=guest_of,
            external_ids=list(external_ids),
            searchable=searchable,
        )
        self.add_unit(unit)
        self.users[key] = user
        for one in (key, user.user_id, *user.aliases):
            self._user_keys[one] = user
        if not guest_of:
            self.add_calendar(key, owner=key, summary=user.email)
        return user

    @_locked
    def set_unit(self, email: str, unit: str) -> None:
        """Move an account to another org unit."""
        self.add_unit(unit)
        self.user(email).unit = unit

    @_locked
    def suspend(self, email: str, suspended: bool = True) -> None:
        """Suspend an account or take it back."""
        self.user(email).suspended = suspended

    @_locked
    def delete_user(self, email: str) -> None:
        """Delete an account: unknown to everything but `users.list(showDeleted=true)`."""
        self.user(email).deleted = True

    @_locked
    def add_alias(self, email: str, alias: str) -> None:
        """Give an account another address."""
        user = self.user(email)
        user.aliases.append(alias.lower())
        self._user_keys[alias.lower()] = user

    def user(self, key: str) -> User:
        """The account with this address, alias or id. Raises KeyError."""
        found = self.find_user(key)
        if found is None:
            raise KeyError(key)
        return found

    def find_user(self, key: str) -> User | None:
        """The living account with this address, alias, domain-alias address or id, or None."""
        key = key.lower()
        local, at, domain = key.partition("@")
        if at and domain in self.domain_aliases:
            key = f"{local}@{self.domain_aliases[domain]}"
        user = self._user_keys.get(key)
        return None if user is None or user.deleted else user

    @_locked
    def add_group(
        self, email: str, members: Iterable[str] = (), name: str = "", *, group_id: str = ""
    ) -> Group:
        """Create a mailing list."""
        key = email.lower()
        group = Group(
            key, name or key.partition("@")[0], group_id or stable_word("group " + key, 15)
        )
        group.members = [member.lower() for member in members]
        self.groups[key] = group
        self._group_keys |= {key: group, group.group_id: group}
        return group

    @_locked
    def set_members(self, email: str, members: Iterable[str]) -> None:
        """Replace the members of a mailing list."""
        self.groups[email.lower()].members = [member.lower() for member in members]

    def find_group(self, key: str) -> Group | None:
        """The group with this address or id, or None."""
        return self._group_keys.get(key.lower())

    def members_of(self, group: Group, *, derived: bool) -> list[str]:
        """Addresses of the direct members, or of nested groups' members too."""
        found: dict[str, None] = {}
        queue = list(group.members)
        while queue:
            member = queue.pop(0)
            if member in found:
                continue
            found[member] = None
            nested = self.groups.get(member)
            if derived and nested is not None:
                queue.extend(nested.members)
        return list(found)

    # --- calendars -------------------------------------------------------------------------------

    @_locked
    def add_calendar(
        self, address: str, *, owner: str, summary: str = "", readers: Iterable[str] = ()
    ) -> Calendar:
        """Create a calendar; one whose address is not a user's is a secondary calendar."""
        calendar = Calendar(
            address=address.lower(),
            owner=owner.lower(),
            time_zone=self.time_zone,
            summary=summary or address,
            readers={reader.lower() for reader in readers},
        )
        self.calendars[calendar.address] = calendar
        return calendar

    @_locked
    def add_event(
        self,
        organizer: str,
        start: When,
        end: When,
        *,
        attendees: Iterable[str | Attendee] = (),
        code: str | None = None,
        event_id: str = "",
        creator: str = "",
        created_at: datetime | None = None,
        **details: Any,
    ) -> Event:
        """Put an event on the organizer's calendar and a copy on every guest's in the district.

        `code` None invents a Meet code, `""` leaves the conference out. `details` are further
        fields of `Event` (summary, recurrence, guests_see_others, ...). Raises TypeError for a
        field that does not exist and ValueError for an event id that is taken.
        """
        _refuse_unknown(details)
        seed = event_id or f"{organizer} {start} {details.get('summary', '')} {len(self.events)}"
        event_id = event_id or stable_word(seed, 26)
        if event_id in self.events:
            raise ValueError(f"event {event_id} exists already")
        at = created_at or self.clock()
        event = Event(
            event_id=event_id,
            ical_uid=details.pop("ical_uid", f"{event_id}@google.com"),
            organizer=self._canonical(organizer),
            creator=self._canonical(creator or organizer),
            start=start,
            end=end,
            created_at=at,
            updated_at=at,
            time_zone=details.pop("time_zone", self.time_zone),
            attendees=_guest_list(attendees),
            code=meeting_code(event_id) if code is None else code,
            **details,
        )
        self._seat_organizer(event)
        self.events[event_id] = event
        if event.code:
            self.add_space(event.code, owner=event.organizer)
        self._publish(event, event, ("create_event", ""), at=at)
        return event

    @_locked
    def update_event(self, event_id: str, *, actor: str = "", **changes: Any) -> Event:
        """Change fields of an event, or of one instance by its instance id (`id_…Z`).

        `attendees` may hold addresses. `actor` (default the organizer) is who the audit log names.
        Raises KeyError for an unknown event and TypeError for an unknown field.
        """
        _refuse_unknown(changes)
        master, event = self._target(event_id)
        before = replace(event)
        if "attendees" in changes:
            changes["attendees"] = _guest_list(changes["attendees"])
        if master is event and changes.keys() & {"start", "end", "recurrence"}:
            self._retire_instances(master, changes)
        for name, value in changes.items():
            setattr(event, name, value)
        self._seat_organizer(event)
        event.sequence += 1
        event.updated_at = self.clock()
        if event.code and event.code not in self.spaces:
            self.add_space(event.code, owner=event.organizer)
        self._publish(master, event, *_changes(before, event), actor=actor)
        return event

    def move_event(self, event_id: str, start: When, end: When | None = None) -> Event:
        """Move an event or one instance; without `end` it keeps its length."""
        with self.lock:
            _, event = self._target(event_id)
            new_end = start + length(event) if end is None else end
            return self.update_event(event_id, start=start, end=new_end)

    def move_organizer(self, event_id: str, organizer: str) -> Event:
        """What `events.move` does: the event belongs to another calendar from now on."""
        return self.update_event(event_id, organizer=self._canonical(organizer))

    @_locked
    def cancel_event(self, event_id: str, *, actor: str = "") -> None:
        """Cancel an event, a whole series, or one instance by its instance id."""
        master, event = self._target(event_id)
        event.status = "cancelled"
        event.updated_at = self.clock()
        self._publish(master, event, ("delete_event", ""), actor=actor)

    def instance_id(self, event_id: str, original_start: When) -> str:
        """The id of one instance of a series."""
        return instance_id(event_id, original_start)

    @_locked
    def expire_sync_tokens(self, address: str = "") -> None:
        """Make all sync tokens given so far answer 410, of one calendar or of all."""
        for calendar in [self.calendars[address.lower()]] if address else self.calendars.values():
            self.version += 1
            calendar.version = calendar.oldest_token = self.version

    def _canonical(self, address: str) -> str:
        user = self.find_user(address)
        return user.email if user is not None else address.lower()

    def _target(self, event_id: str) -> tuple[Event, Event]:
        """The master and the event to change: itself, or an instance made changeable."""
        if event_id in self.events:
            return self.events[event_id], self.events[event_id]
        master = self.events[event_id.rpartition("_")[0]]
        if event_id not in master.exceptions:
            master.exceptions[event_id] = self._instance(master, event_id)
        return master, master.exceptions[event_id]

    def _instance(self, master: Event, wanted: str) -> Event:
        for start in original_starts(master, None):
            if instance_id(master.event_id, start) == wanted:
                return replace(
                    master,
                    event_id=wanted,
                    start=start,
                    end=start + length(master),
                    recurrence=[],
                    recurring_id=master.event_id,
                    original_start=start,
                    attendees=[replace(one) for one in master.attendees],
                    exceptions={},
                    retired={},
                )
        raise KeyError(wanted)

    def _retire_instances(self, master: Event, changes: dict[str, Any]) -> None:
        """Remember the instances that a new schedule takes away; changed ones are reset."""
        if not master.recurrence:
            return
        after = replace(master, **changes)
        kept = {instance_id(master.event_id, one) for one in original_starts(after, None)}
        for start in original_starts(master, None):
            name = instance_id(master.event_id, start)
            if name not in kept:
                master.retired[name] = (start, self.version + 1)
        master.exceptions.clear()

    def _seat_organizer(self, event: Event) -> None:
        """Google lists the organizer among the guests as soon as there are any."""
        known = {attendee.email for attendee in event.attendees}
        person = self.find_user(event.organizer) is not None or not event.organizer.endswith(
            "calendar.google.com"
        )
        if event.attendees and event.organizer not in known and person:
            event.attendees.insert(0, Attendee(event.organizer, response="accepted"))

    def _publish(
        self,
        master: Event,
        event: Event,
        *changes: tuple[str, str],
        actor: str = "",
        at: datetime | None = None,
    ) -> None:
        """Give the change a version, put it on all calendars concerned and into the feed.

        A change is the feed's name for it and the guest it is about, if it is about one.
        """
        self.version += 1
        event.version = self.version
        event.on_calendars = frozenset(self._calendars_of(event))
        self._place(master, master.on_calendars)
        if event is not master:
            self._place(event, event.on_calendars - master.on_calendars)
        if event.organizer not in self.calendars and self.find_user(actor) is None:
            return
        who = self._canonical(actor or event.organizer)
        user = self.find_user(who)
        self.audit["calendar"].add(
            calendar_row(
                name,
                event,
                who,
                user.user_id if user is not None else "",
                at or self.clock(),
                self.version * 1000 + number,
                guest=guest,
            )
            for number, (name, guest) in enumerate(changes)
        )

    def _place(self, event: Event, wanted: frozenset[str]) -> None:
        holders = {
            address
            for address in self._holders.get(event.event_id, ())
            if not self.calendars[address].entries[event.event_id].gone
        }
        for address in wanted | holders:
            calendar = self.calendars[address]
            entry = calendar.entries.get(event.event_id)
            if entry is None:
                entry = CalendarEntry(event, len(calendar.entries), self.version, self.version)
                calendar.entries[event.event_id] = entry
                self._holders.setdefault(event.event_id, set()).add(address)
            if entry.gone and address in wanted:
                entry.added_version = self.version
            entry.version = self.version
            entry.gone = address not in wanted
            calendar.version = self.version

    def _calendars_of(self, event: Event) -> set[str]:
        """Organizer's, guests' and (through lists) list members' calendars in the district."""
        addresses = [event.organizer]
        for attendee in event.attendees:
            group = self.find_group(attendee.email)
            addresses += [attendee.email] if group is None else self.members_of(group, derived=True)
        found = {self._canonical(address) for address in addresses}
        return {address for address in found if address in self.calendars}

    # --- calls -----------------------------------------------------------------------------------

    @_locked
    def add_space(
        self,
        code: str,
        *,
        owner: str,
        access_type: str = "TRUSTED",
        moderation: str = "OFF",
        cohosts: Iterable[str] = (),
    ) -> Space:
        """The meeting room behind a code; an existing one stays as it is."""
        if code not in self.spaces:
            letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
            space_id = stable_word("space " + code, 12, letters)
            members = [self._canonical(one) for one in cohosts]
            self.spaces[code] = Space(
                space_id, code, self._canonical(owner), access_type, moderation, members
            )
        return self.spaces[code]

    @_locked
    def set_space(
        self,
        code: str,
        *,
        access_type: str | None = None,
        moderation: str | None = None,
        cohosts: Iterable[str] | None = None,
    ) -> None:
        """Change the settings of a meeting room."""
        space = self.spaces[code]
        space.access_type = access_type or space.access_type
        space.moderation = moderation or space.moderation
        if cohosts is not None:
            space.cohosts = [self._canonical(one) for one in cohosts]

    @_locked
    def add_conference(
        self,
        code: str,
        organizer: str,
        records: Sequence[Sequence[Participant]],
        *,
        calendar_event_id: str = "",
        conference_id: str = "",
    ) -> list[Conference]:
        """Calls held in the space of `code`: one record per list of participants.

        Instants may lie in the future; what is visible depends on the clock. Audit rows follow
        from the sessions. `calendar_event_id` stays empty for an ad-hoc call. `conference_id` may
        be chosen for a single record. Raises ValueError for a record without sessions.
        """
        if conference_id and len(records) != 1:
            raise ValueError("conference_id names one record, not several")
        space = self.add_space(code, owner=organizer)
        made = []
        for number, people in enumerate(records):
            if not any(one.sessions for one in people):
                raise ValueError(f"conference {code}: record {number + 1} has no session")
            seed = f"{code} {number} {len(self.conferences)} {calendar_event_id}"
            letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
            conference = Conference(
                conference_id=conference_id or stable_word(seed, 29, letters),
                code=code,
                space_id=space.space_id,
                organizer=self._canonical(organizer),
                participants=[],
                calendar_event_id=calendar_event_id,
            )
            for one in people:
                self._seat(conference, one)
            self.conferences[conference.conference_id] = conference
            self.audit["meet"].add(call_rows(conference, self.find_user))
            made.append(conference)
        return made

    @_locked
    def join(self, conference_id: str, participant: Participant) -> None:
        """Let somebody into a call; the sessions of a person already there are added."""
        conference = self.conferences[conference_id]
        known = [one for one in conference.participants if one.who == participant.who]
        if known and participant.joins is Joins.SIGNED_IN:
            known[0].sessions += participant.sessions
        else:
            self._seat(conference, participant)
        self._write_call_rows(conference)

    @_locked
    def leave(self, conference_id: str, who: str, at: datetime) -> None:
        """Let somebody go: sessions that reach beyond `at` end there, later ones vanish."""
        conference = self.conferences[conference_id]
        for one in conference.participants:
            if one.who == who:
                one.sessions = [
                    Session(seen.start, at if seen.end is None else min(at, seen.end), seen.device)
                    for seen in one.sessions
                    if seen.start < at
                ]
        self._write_call_rows(conference)

    @_locked
    def end_call(self, conference_id: str, at: datetime) -> None:
        """Everybody still in leaves at `at`."""
        for who in {one.who for one in self.conferences[conference_id].participants}:
            self.leave(conference_id, who, at)

    def meet_user_id(self, address: str) -> str:
        """The id behind `users/{id}` in Meet, for accounts of the district and outsiders."""
        user = self.find_user(address)
        return user.user_id if user is not None else stable_number("outside " + address.lower())

    def _seat(self, conference: Conference, participant: Participant) -> None:
        if participant.joins is Joins.SIGNED_IN:
            participant.who = self._canonical(participant.who)
            participant.participant_id = self.meet_user_id(participant.who)
            user = self.find_user(participant.who)
            participant.name = participant.name or (user.name if user is not None else "")
        else:
            place = len(conference.participants)
            seed = f"{conference.conference_id} {participant.who} {place}"
            participant.participant_id = stable_number(seed)
        participant.name = participant.name or participant.who.partition("@")[0]
        conference.participants.append(participant)

    def _write_call_rows(self, conference: Conference) -> None:
        self.audit["meet"].drop(conference.conference_id)
        self.audit["meet"].add(call_rows(conference, self.find_user))

    # --- mail ------------------------------------------------------------------------------------

    @_locked
    def deliver(self, sender: str, raw: bytes, thread_id: str) -> SentMail:
        """Keep a mail that the Gmail API accepted."""
        name = f"{len(self.mails) + 1:016x}"
        mail = SentMail(name, thread_id or name, sender, raw, self.clock())
        self.mails.append(mail)
        return mail

    # --- spreadsheets ----------------------------------------------------------------------------

    @_locked
    def add_spreadsheet(
        self,
        spreadsheet_id: str,
        tabs: Mapping[str, Sequence[Sequence[Cell]]],
        readers: Iterable[str] = (),
    ) -> Spreadsheet:
        """Create a spreadsheet, or put another in its place; `tabs` are rows of cells by title."""
        made = Spreadsheet(
            spreadsheet_id,
            {title: [list(row) for row in rows] for title, rows in tabs.items()},
            {reader.lower() for reader in readers},
        )
        self.spreadsheets[spreadsheet_id] = made
        return made

    # --- faults ----------------------------------------------------------------------------------

    @_locked
    def fail(
        self,
        api: Api | str | None = None,
        status: int = 500,
        reason: str = "",
        *,
        kind: Kind | str = Kind.ERROR,
        times: int | None = 1,
        **criteria: Any,
    ) -> Fault:
        """Make matching requests fail; `criteria` are the further fields of `faults.Fault`."""
        fault = Fault(
            api=None if api is None else Api(api),
            kind=Kind(kind),
            status=status,
            reason=reason,
            times=times,
            **criteria,
        )
        self.shaping.faults.append(fault)
        return fault

    @_locked
    def limit(
        self,
        api: Api | str,
        per_minute: int | None = None,
        per_user: int | None = None,
        **answer: Any,
    ) -> Limit:
        """Limit the rate of an API; `answer` are the further fields of `faults.Limit`."""
        limit = Limit(Api(api), per_minute, per_user, **answer)
        self.shaping.limits.append(limit)
        return limit

    @_locked
    def refuse_token(self, subject: str = "", scope: str = "", **answer: Any) -> Refusal:
        """Let the token endpoint refuse; `answer` are the further fields of `faults.Refusal`."""
        refusal = Refusal(subject=subject, scope=scope, **answer)
        self.shaping.refusals.append(refusal)
        return refusal

    @_locked
    def revoke_scope(self, scope: str) -> None:
        """Take a scope (full, or its last part) out of the delegation."""
        self.granted_scopes = {one for one in self.granted_scopes if not one.endswith(scope)}

    @_locked
    def heal(self) -> None:
        """Take away all faults, limits, refusals, latency and page shaping."""
        self.shaping = Shaping()


def _refuse_unknown(details: dict[str, Any]) -> None:
    unknown = details.keys() - _EVENT_FIELDS | details.keys() & (_FIXED_FIELDS - {"ical_uid"})
    if unknown:
        raise TypeError(f"an event has no settable field {', '.join(sorted(unknown))}")


def _guest_list(attendees: Iterable[str | Attendee]) -> list[Attendee]:
    guests = [Attendee(one) if isinstance(one, str) else one for one in attendees]
    for guest in guests:
        guest.email = guest.email.lower()
    return guests


def _changes(before: Event, after: Event) -> list[tuple[str, str]]:
    """The calendar feed's names for an edit, each with the guest it is about."""
    changes = []
    if (before.start, before.end) != (after.start, after.end):
        changes.append(("change_event_start_time", ""))
    if before.summary != after.summary:
        changes.append(("change_event_title", ""))
    old = [one.email for one in before.attendees]
    new = [one.email for one in after.attendees]
    changes += [("add_event_guest", guest) for guest in new if guest not in old]
    changes += [("remove_event_guest", guest) for guest in old if guest not in new]
    return changes or [("change_event", "")]
