"""Calendars → copies of events that are in scope; everything else is counted and dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from meetbot.domain.addresses import Address, parse_address
from meetbot.domain.dossier import Invitee
from meetbot.domain.identity import Roster, is_calendar_address, scope_of
from meetbot.domain.invitation import Invitation
from meetbot.domain.meetings import (
    Attendee,
    EventCopy,
    KeptCopy,
    KeptGuest,
    OccurrenceKey,
    Scope,
)
from meetbot.domain.people import Kind, KnownAccount
from meetbot.domain.registry import NOT_PARTNER_KINDS, Registry
from meetbot.errors import MeetbotError
from meetbot.jobs import collect_edits
from meetbot.jobs.deps import Deps
from meetbot.jobs.exempted import note_uses, use_of
from meetbot.jobs.people import People
from meetbot.jobs.rosters import roster_of
from meetbot.jobs.searches import Place, Searches
from meetbot.ports import (
    CalendarRead,
    CalendarState,
    CopyChanges,
    ExemptionUse,
    KnownGroup,
    Outcome,
    StaffCalendar,
    Tx,
)

SOURCE = "calendars"
_SOON = timedelta(hours=3)
_RENEW = timedelta(days=1)
_KEPT = timedelta(days=30)
_TOGETHER = 100
"""Calendars stored in one transaction."""


def run(deps: Deps, as_of: datetime, *, changed_only: bool = False) -> Outcome:
    """Read every staff calendar, or (`changed_only`) those that may have changed; and who did it.

    A calendar may have changed when the audit log names it, when a meeting on it starts within
    three hours, when its last reading failed, or when it was never read.
    """
    outcome = Outcome("collect_calendars")
    _note_words(deps)
    with deps.store.reading() as tx:
        staff = tx.people.staff_calendars()
        states = tx.meetings.calendars()
        snapshot = tx.meta.source("directory")
    if not staff:
        outcome.source(SOURCE).note_failed(
            snapshot.problem or "the directory snapshot holds no staff account"
        )
        return outcome
    if changed_only:
        staff = _changed(deps, staff, states, outcome, as_of)
    _read(deps, staff, states, outcome, as_of)
    if not changed_only:
        collect_edits.read(deps, outcome, as_of)
    return outcome


def _note_words(deps: Deps) -> None:
    """Other words for rosters: names of files are not kept, so all calendars are read anew."""
    digest = hashlib.sha256(repr(deps.policy.files).encode()).hexdigest()
    with deps.store.reading() as tx:
        before = tx.meta.get("file-words")
    if before == digest:
        return
    with deps.store.transaction() as tx:
        tx.meta.set("file-words", digest)
        if before is not None:
            tx.meetings.forget_marks()


def read_again(deps: Deps, owners: Set[str], outcome: Outcome, as_of: datetime) -> None:
    """Read these people's calendars in full, now, but for those that just could not be read.

    An outsider was in a call whose code is on no kept event: its event, if there is one, had no
    outside guest and was not kept.
    """
    with deps.store.reading() as tx:
        states = tx.meetings.calendars()
        failed = {address for address, state in states.items() if state.problem}
        staff = [s for s in tx.people.staff_calendars() if s.address in owners - failed]
    if staff:
        _read(deps, staff, {}, outcome, as_of)


def _read(
    deps: Deps,
    staff: Iterable[StaffCalendar],
    states: Mapping[str, CalendarState],
    outcome: Outcome,
    as_of: datetime,
) -> None:
    with deps.store.reading() as tx:
        joined = tx.meetings.adhoc_codes(as_of - deps.district.lookback)
    people = People(deps, outcome, as_of)
    context = _Context(deps, people, roster_of(deps), joined, outcome)
    searches = Searches(deps, people)
    tally = outcome.source(SOURCE)
    for batch in _in_batches(_read_all(deps, staff, states, as_of), _TOGETHER):
        names = _names(context, [read for _, read in batch if isinstance(read, CalendarRead)])
        changes: list[CopyChanges] = []
        unsure: list[str] = []
        invitations: dict[Place, Invitation] = {}
        for owner, read in batch:
            if isinstance(read, MeetbotError):
                tally.note_failed(str(read))
            else:
                tally.read += 1
                if read.malformed:
                    tally.note_failed("an event could not be understood")
                changes.append(_changes(context, owner, read, names, invitations))
                if read.malformed or _is_unsure(context, read):
                    unsure.append(owner.address)
        changes = searches.noted(changes, invitations)
        with deps.store.transaction() as tx:
            note_uses(tx, context.uses, outcome)
            context.uses.clear()
            for change in changes:
                outcome.count("changed", tx.meetings.apply(change, as_of=as_of))
            if any(_is_recovered(states.get(o.address), read) for o, read in batch):
                # A call that seemed to have no event, or a meeting only known from before.
                tx.meetings.mark_due(as_of, since=as_of - _KEPT, undecided=True)
            if unsure:  # what was not understood or looked up must be said again, or mended
                tx.meetings.forget_marks(unsure)
            for owner, read in batch:
                if isinstance(read, MeetbotError):
                    tx.meetings.fail_calendar(owner.address, str(read), as_of=as_of)


def _changed(
    deps: Deps,
    staff: list[StaffCalendar],
    states: Mapping[str, CalendarState],
    outcome: Outcome,
    as_of: datetime,
) -> list[StaffCalendar]:
    with deps.store.reading() as tx:
        soon = {
            calendar
            for record in tx.meetings.starting(as_of, as_of + _SOON)
            if record.meeting
            for calendar in record.meeting.calendars
        }
    hinted = collect_edits.read(deps, outcome, as_of)
    if hinted is None:
        return staff
    wanted = soon | hinted
    chosen = [s for s in staff if s.address in wanted or _must_read(states.get(s.address))]
    outcome.count("calendars_unchanged", len(staff) - len(chosen))
    return chosen


def _must_read(state: CalendarState | None) -> bool:
    return state is None or state.mark is None or bool(state.problem)


Read = tuple[StaffCalendar, CalendarRead | MeetbotError]


def _read_all(
    deps: Deps,
    staff: Iterable[StaffCalendar],
    states: Mapping[str, CalendarState],
    as_of: datetime,
) -> Iterator[Read]:
    """Read calendars in parallel; at most a few hundred answers are held at once."""

    def read(owner: StaffCalendar) -> Read:
        state = states.get(owner.address)
        mark = state.mark if state else None
        if mark and mark.window_end_at - as_of < deps.district.horizon - _RENEW:
            mark = None  # the window of a token never moves: begin a new one once a day
        try:
            return owner, deps.calendars.read(
                owner.address,
                mark,
                window_start_at=as_of - deps.district.lookback,
                window_end_at=as_of + deps.district.horizon,
                as_of=as_of,
            )
        except MeetbotError as error:
            return owner, error

    owners = iter(staff)
    with ThreadPoolExecutor(deps.district.workers, thread_name_prefix="calendar") as pool:
        waiting: set[Future[Read]] = set()
        while True:
            deps.go_on()
            for owner in islice(owners, 2 * deps.district.workers - len(waiting)):
                waiting.add(pool.submit(read, owner))
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


def _in_batches(reads: Iterator[Read], size: int) -> Iterator[list[Read]]:
    while batch := list(islice(reads, size)):
        yield batch


@dataclass(frozen=True, slots=True)
class _Names:
    """What the addresses of some calendars' events are known as."""

    accounts: Mapping[str, KnownAccount]
    groups: Mapping[str, KnownGroup]


@dataclass(frozen=True, slots=True)
class _Context:
    """What deciding about the events of one run needs."""

    deps: Deps
    people: People
    roster: Roster
    joined: frozenset[str]
    """Codes under which an outsider was in a call without a kept event."""
    outcome: Outcome
    uses: set[ExemptionUse] = field(default_factory=set)
    """Uses of exemptions by the events of one batch, also of those that are dropped."""


def _names(context: _Context, reads: Iterable[CalendarRead]) -> _Names:
    """Look up everybody on these calendars at once; nothing where nothing changed."""
    events = (event for read in reads for event in read.events if not _is_tombstone(event))
    addresses = {address for event in events for address in _addresses(event)}
    if not addresses:
        return _Names({}, {})
    groups = context.people.groups(addresses)
    singles = [a for a in addresses if context.roster.key(a) not in groups]
    return _Names(context.people.by_address(singles), groups)


def _is_recovered(state: CalendarState | None, read: CalendarRead | MeetbotError) -> bool:
    return state is not None and bool(state.problem) and isinstance(read, CalendarRead)


def _is_unsure(context: _Context, read: CalendarRead) -> bool:
    """Whether the directory could not be asked about somebody on this calendar."""
    return context.people.has_undecided and any(
        context.people.is_undecided(context.roster.key(address))
        for event in read.events
        if not _is_tombstone(event)
        for address in _addresses(event)
    )


def _changes(
    context: _Context,
    owner: StaffCalendar,
    read: CalendarRead,
    names: _Names,
    invitations: dict[Place, Invitation],
) -> CopyChanges:
    """What one read changes; `invitations` takes in those that must be searched."""
    keep: list[KeptCopy] = []
    dropped: list[str] = []
    for event in read.events:
        if _is_tombstone(event):
            continue
        copy = _kept(event, context.people, names)
        kept = _in_scope(context, copy, names)
        if kept is None:
            dropped.append(event.event_id)
        else:
            keep.append(kept)
            if kept.scope is Scope.FULL and event.invitation is not None:
                invitations[kept.calendar, kept.event_id] = event.invitation
    gone = tuple(e for e in read.events if _is_tombstone(e))
    # An event without an id may be any of the known ones: then none of them counts as gone.
    is_full = read.is_full and "" not in read.malformed
    return CopyChanges(
        owner.address, tuple(keep), gone, tuple(dropped), read.mark, is_full, read.malformed
    )


def _is_tombstone(event: EventCopy) -> bool:
    return event.is_cancelled or event.start_at is None or event.ical_uid is None


def _addresses(event: EventCopy) -> list[Address]:
    texts = [a.address for a in event.attendees if not a.is_resource]
    texts += [t for t in (event.organizer, event.creator) if t]
    parsed = (parse_address(text) for text in texts)
    return [a for a in parsed if a is not None and not is_calendar_address(a.domain)]


def _kept(event: EventCopy, people: People, names: _Names) -> KeptCopy:
    if event.start_at is None or event.end_at is None or event.ical_uid is None:
        raise ValueError("a tombstone has no copy to keep")
    guests, unexpanded = _guests(event, people, names)
    are_readable = all(parse_address(attendee.address) for attendee in event.attendees)
    is_hidden = not event.guests_can_see_others and not event.is_organizer_copy
    is_cut = event.attendees_omitted or not are_readable
    is_complete = not (is_cut or is_hidden or event.is_details_hidden)
    return KeptCopy(
        calendar=event.calendar,
        event_id=event.event_id,
        ical_uid=event.ical_uid,
        original_start_at=event.original_start_at or event.start_at,
        start_at=event.start_at,
        end_at=event.end_at,
        is_recurring=event.recurring_event_id is not None,
        is_cancelled=False,
        organizer=_one(event.organizer, people, names, is_organizer=True),
        creator=_one(event.creator, people, names),
        is_organizer_copy=event.is_organizer_copy,
        guests=guests,
        is_guest_list_complete=is_complete and not unexpanded,
        guests_can_see_others=event.guests_can_see_others,
        guests_can_invite=event.guests_can_invite,
        guests_can_modify=event.guests_can_modify,
        is_private_copy=event.is_private_copy,
        is_details_hidden=event.is_details_hidden,
        meeting_code=event.meeting_code,
        links=event.links,
        updated_at=event.updated_at,
        unexpanded_groups=unexpanded,
        recurring_event_id=event.recurring_event_id,
    )


def _one(
    text: str | None, people: People, names: _Names, *, is_organizer: bool = False
) -> KeptGuest | None:
    address = parse_address(text) if text else None
    if address is None:
        return None
    return people.keep(address, "", names.accounts, is_organizer=is_organizer)


def _guests(event: EventCopy, people: People, names: _Names) -> tuple[tuple[KeptGuest, ...], int]:
    """Guests with groups replaced by their members, and the number of groups nobody could open.

    Somebody invited both directly and through a group counts as invited directly.
    """
    direct: dict[str, KeptGuest] = {}
    through: dict[str, KeptGuest] = {}
    unexpanded = 0
    for attendee in event.attendees:
        guest = _attendee(attendee, people, names)
        if guest is None:
            continue
        group = names.groups.get(guest.address_key)
        if group is None:
            direct[guest.address_key] = guest
            continue
        unexpanded += not group.is_complete
        for member in group.members:
            through.setdefault(member.address_key, member)
    return tuple((through | direct).values()), unexpanded


def _attendee(attendee: Attendee, people: People, names: _Names) -> KeptGuest | None:
    address = parse_address(attendee.address)
    if address is None:
        return None
    return people.keep(
        address,
        attendee.display_name,
        names.accounts,
        response=attendee.response,
        is_resource=attendee.is_resource,
        is_organizer=attendee.is_organizer,
    )


def _in_scope(context: _Context, copy: KeptCopy, names: _Names) -> KeptCopy | None:
    outcome = context.outcome
    accounts = names.accounts
    missing = [g.address_key for g in copy.guests if g.via_group and g.address_key not in accounts]
    if missing:
        with context.deps.store.reading() as tx:
            accounts = {**accounts, **tx.people.by_address(missing)}
    everyone = [*copy.guests, *([copy.organizer] if copy.organizer else [])]
    invitees = [
        context.roster.guest(guest, accounts.get(guest.address_key), copy.start_at)
        for guest in everyone
    ]
    context.uses.update(
        use_of(
            invitee.exemption,
            OccurrenceKey(copy.ical_uid, copy.original_start_at),
            copy.start_at,
            context.deps.pseudonyms,
        )
        for invitee in invitees
        if invitee.exemption is not None
    )
    if copy.unexpanded_groups:
        outcome.source("groups").note_failed("a group on a guest list could not be expanded")
    is_list_known = copy.is_guest_list_complete or bool(copy.unexpanded_groups)
    scope = scope_of(invitees, is_guest_list_complete=is_list_known)
    if copy.meeting_code is not None and copy.meeting_code in context.joined:
        scope = Scope.FULL
    if scope is Scope.NONE:
        outcome.count("out_of_scope")
        return None
    outcome.count(f"in_scope_{scope}")
    if any(context.people.is_undecided(g.address_key) for g in everyone):
        outcome.source("directory-lookups").note_skipped("a guest could not be looked up")
    return _minimal(copy, invitees) if scope is Scope.ADULT else copy


def _minimal(copy: KeptCopy, invitees: Iterable[Invitee]) -> KeptCopy:
    """Of an adult meeting only occurrence, host and outside domains are kept (catalogue §2)."""
    outsiders = tuple(
        replace(i.guest, address=None, name_tokens=(), response="needsAction")
        for i in invitees
        if i.kind is Kind.EXTERNAL
    )
    organizer = copy.organizer
    if organizer and any(o.address_key == organizer.address_key for o in outsiders):
        organizer = replace(organizer, address=None, name_tokens=())
    return replace(
        copy,
        guests=outsiders,
        organizer=organizer,
        creator=None,
        links=(),
        updated_at=None,
        scope=Scope.ADULT,
    )


def forget_if_district_identities(
    tx: Tx, before: Registry, after: Registry, domains: Collection[str]
) -> int:
    """Read all calendars anew when the registry's view of the district's own accounts changed.

    An event of staff only was not kept; with a partner's person among those accounts it must be.
    Gives the number of calendars.
    """

    def own(registry: Registry) -> set[str]:
        parsed = (parse_address(row.value) for row in registry.identities)
        return {address.key for address in parsed if address and address.domain in domains}

    if own(before) == own(after) and _exempt_values(before) == _exempt_values(after):
        return 0
    return tx.meetings.forget_marks()


def _exempt_values(registry: Registry) -> frozenset[str]:
    """Addresses and domains of outsiders that are exempt."""
    return frozenset(row.value for row in registry.exemptions if row.kind in NOT_PARTNER_KINDS)
