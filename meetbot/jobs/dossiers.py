"""Store → Dossier: one occurrence with its people, conferences, and how far sources were read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from meetbot.domain.addresses import parse_address
from meetbot.domain.attendance import Attendance, Source
from meetbot.domain.dossier import Dossier, Host, Invitee, SharedCode, SourceState
from meetbot.domain.findings import Evidence, Phase
from meetbot.domain.guest_list import Edit, Editor, KeptEdit
from meetbot.domain.identity import Roster, classify, is_calendar_address, scope_of
from meetbot.domain.meetings import KeptGuest, Meeting, Scope, series_of
from meetbot.domain.participants import Resolution, contradictions, do_sources_agree, resolve
from meetbot.domain.people import AccountKind, Kind, KnownAccount
from meetbot.domain.registry import School
from meetbot.jobs import collect_edits
from meetbot.jobs.deps import Standards
from meetbot.jobs.rosters import schools_known
from meetbot.ports import HeldConference, MeetingRecord, Reads, Slot

_AROUND = timedelta(hours=2)
AUDIT_GRACE = timedelta(hours=2)
"""How long after the end audit rows may still be missing (facts §9, 16)."""
_FRESH = timedelta(hours=2)
"""How old a directory snapshot may be while the directory cannot be read."""
_LIVE_FRESH = timedelta(minutes=5)
_OUTSIDERS = (Kind.PARTNER, Kind.EXTERNAL, Kind.EXEMPT)
_MOST_STAND_INS = 3
_MOST_SHARED = 20
"""Other events with one code that are looked at; a code is hardly ever on three."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A dossier and what else judging it needs."""

    dossier: Dossier
    resolution: Resolution
    is_waiting: bool
    """Meet was not asked yet: judge again after the next reading."""


def load(
    deps: Standards, tx: Reads, record: MeetingRecord, roster: Roster, as_of: datetime
) -> Loaded:
    """Put together all that is known of one occurrence."""
    meeting = record.meeting
    held = conferences_of(tx, record, as_of)
    accounts = _accounts(tx, meeting, held, _kept_cohosts(record))
    invitees, organizer, creator = (
        classify(meeting, accounts.by_address, roster) if meeting else ((), None, None)
    )
    start_at, end_at = _times(record, held, as_of)
    if meeting is None:
        organizer = _organizer_of_call(held, accounts, roster, start_at)
    resolution = resolve(
        [visit for h in held for visit in h.visits],
        accounts_by_person=accounts.by_person,
        accounts_by_address=accounts.by_address,
        learned=accounts.learned,
        invitees=invitees,
        roster=roster,
        at=start_at,
    )
    is_live = _is_live(record, held, as_of)
    phase = _phase(start_at, end_at, as_of, is_live=is_live)
    apart = contradictions(resolution.attendances, tolerance=deps.policy.limits.contradiction)
    staff = frozenset() if meeting else _staff_of(accounts)
    edits_state = tx.meta.source(collect_edits.SOURCE)
    evidence = _evidence(tx, record, held, resolution, staff, as_of, is_live=is_live)
    if meeting is not None:
        is_log_read = edits_state.read_at is not None and not edits_state.problem
        evidence[Evidence.EDITS] = SourceState(is_log_read)
        if phase is Phase.SCHEDULED:
            evidence[Evidence.SPACE] = _space_state(record)
    dossier = Dossier(
        key=meeting.key if meeting else record.key,
        phase=phase,
        scope=_scope(tx, record, invitees, resolution.attendances, organizer),
        as_of=_observed_at(record, as_of) if is_live else as_of,
        start_at=start_at,
        end_at=end_at,
        meeting=meeting,
        invitees=invitees,
        host=_host(organizer, creator, invitees, accounts.by_address, roster),
        conferences=tuple(h.conference for h in held),
        attendances=resolution.attendances,
        registry=roster.registry,
        evidence=evidence,
        zone=deps.district.zone,
        student_domains=roster.student_domains,
        is_live=is_live,
        is_final=as_of >= end_at + deps.district.final_after
        or (
            phase is Phase.AFTER
            and do_sources_agree(resolution.attendances, tolerance=deps.policy.limits.contradiction)
        ),
        contradictions=tuple(
            f"two sources differ by {int(d.total_seconds())} s about one person" for d in apart
        ),
        late_after=deps.district.final_after,
        schools_when_issued=_schools_when_issued(
            deps, tx, roster, {i.partner_id for i in invitees}, resolution.attendances
        ),
        creator=organizer if _is_same(organizer, creator, accounts.by_address) else creator,
        space=record.space,
        cohosts=_cohosts(record, accounts.by_address, roster, start_at),
        same_code=_same_code(tx, meeting, roster) if phase is not Phase.LIVE else (),
        guest_list=record.guest_list,
        edits=_edits(deps, tx, record, roster, start_at),
        edits_read_at=edits_state.read_at,
    )
    is_waiting = (
        phase is Phase.AFTER
        and dossier.scope is Scope.FULL  # Meet is asked about no others
        and not is_live
        and record.key.meeting_code is not None
        and record.attendance_read_at is None
        and not record.attendance_problem
        and as_of < end_at + deps.district.lookback
    )
    return Loaded(dossier, resolution, is_waiting)


# --- conferences --------------------------------------------------------------------------------


def conferences_of(tx: Reads, record: MeetingRecord, as_of: datetime) -> tuple[HeldConference, ...]:
    """Conferences with this occurrence's code that belong to no better occurrence.

    One code serves a whole series and may be used again, so time decides (catalogue §2).
    """
    code = record.key.meeting_code
    if code is None:
        return ()
    start_at, end_at = _scheduled(record)
    found = tx.conferences.held(code, start_at - _AROUND, end_at + _AROUND)
    if not found:
        return ()
    slots = tx.meetings.slots(
        code,
        min(h.conference.start_at for h in found) - _AROUND,
        max(h.conference.end_at or as_of for h in found) + _AROUND,
    )
    own = _slot_of(record)
    others = [slot for slot in slots if slot.id != record.id]
    return tuple(h for h in found if _is_ours(h, own, others, as_of))


def _slot_of(record: MeetingRecord) -> Slot:
    meeting, start_at = record.meeting, record.key.original_start_at
    if meeting is None:
        return Slot(record.id, record.is_adhoc, False, start_at, start_at)
    return Slot(record.id, record.is_adhoc, meeting.is_cancelled, meeting.start_at, meeting.end_at)


def _is_ours(held: HeldConference, slot: Slot, others: Iterable[Slot], as_of: datetime) -> bool:
    own = _nearness(held, slot, as_of)
    return all(_nearness(held, other, as_of) < own for other in others)


def _nearness(
    held: HeldConference, slot: Slot, as_of: datetime
) -> tuple[bool, bool, float, float, int]:
    """How well an occurrence fits a conference: planned, not cancelled, overlap, distance."""
    start_at, end_at = slot.start_at, slot.end_at
    conference = held.conference
    conference_end = max(conference.end_at or as_of, conference.start_at)
    is_in_reach = conference.start_at < end_at + _AROUND and conference_end > start_at - _AROUND
    is_planned = not slot.is_adhoc and is_in_reach
    is_on = not slot.is_cancelled
    overlap = min(end_at, conference_end) - max(start_at, conference.start_at)
    distance = abs((conference.start_at - start_at).total_seconds())
    return (
        is_planned,
        is_planned and is_on,
        max(overlap.total_seconds(), 0.0),
        -distance,
        -slot.id,
    )


def _scheduled(record: MeetingRecord) -> tuple[datetime, datetime]:
    if record.meeting is None:
        start_at = record.key.original_start_at
        return start_at, start_at + timedelta(seconds=1)
    return record.meeting.start_at, record.meeting.end_at


def _times(
    record: MeetingRecord, held: tuple[HeldConference, ...], as_of: datetime
) -> tuple[datetime, datetime]:
    if record.meeting is not None or not held:
        return _scheduled(record)
    starts = [h.conference.start_at for h in held]
    ends = [h.conference.end_at or as_of for h in held]
    return min(starts), max(ends)


def _is_live(record: MeetingRecord, held: tuple[HeldConference, ...], as_of: datetime) -> bool:
    running = any(h.conference.source is Source.MEET and h.conference.end_at is None for h in held)
    return running and _observed_at(record, as_of) >= as_of - _LIVE_FRESH


def _observed_at(record: MeetingRecord, as_of: datetime) -> datetime:
    """What is open was seen open at the last reading of Meet, not later."""
    return record.attendance_read_at or as_of


def _phase(start_at: datetime, end_at: datetime, as_of: datetime, *, is_live: bool) -> Phase:
    if is_live or start_at <= as_of < end_at:
        return Phase.LIVE
    return Phase.SCHEDULED if as_of < start_at else Phase.AFTER


# --- registry history ---------------------------------------------------------------------------


def _schools_when_issued(
    deps: Standards,
    tx: Reads,
    roster: Roster,
    invited: Iterable[str | None],
    attendances: Iterable[Attendance],
) -> dict[str, tuple[School, ...]]:
    """Schools as they were known when each authorization of these partners was issued.

    Authorizations older than the registry itself are left out: they are judged as known now.
    """
    partners = {*invited, *(a.partner_id for a in attendances)} - {None}
    found: dict[str, tuple[School, ...]] = {}
    for partner_id in sorted(p for p in partners if p):
        for row in roster.registry.authorizations_of(partner_id):
            if row.issued_at not in roster.schools_known:
                roster.schools_known[row.issued_at] = schools_known(deps, tx, row.issued_at)
            if roster.schools_known[row.issued_at]:
                found[row.authorization_id] = roster.schools_known[row.issued_at]
    return found


# --- people -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Accounts:
    by_address: Mapping[str, KnownAccount]
    by_person: Mapping[str, KnownAccount]
    learned: Mapping[str, tuple[str, str]]


def _accounts(
    tx: Reads,
    meeting: Meeting | None,
    held: tuple[HeldConference, ...],
    cohosts: Iterable[KeptGuest] = (),
) -> _Accounts:
    addresses: set[str] = set()
    if meeting is not None:
        guests = [*meeting.guests, meeting.organizer, meeting.creator, *cohosts]
        addresses = {g.address_key for g in guests if g is not None}
    identities = [v.identity for h in held for v in h.visits]
    addresses |= {i.address_key for i in identities if i.address_key}
    addresses |= {h.conference.organizer_key for h in held if h.conference.organizer_key}
    ids = {i.id_key for i in identities if i.id_key}
    return _Accounts(
        tx.people.by_address(addresses), tx.people.by_person(ids), tx.people.learned(ids)
    )


def _staff_of(accounts: _Accounts) -> frozenset[str]:
    """Addresses of the staff who organized these calls or were in them."""
    known = [*accounts.by_person.values(), *accounts.by_address.values()]
    return frozenset(a.address for a in known if a.kind is AccountKind.STAFF and a.address)


def _organizer_of_call(
    held: tuple[HeldConference, ...], accounts: _Accounts, roster: Roster, at: datetime
) -> Invitee | None:
    """Who organized an ad-hoc call, as far as the audit log tells."""
    for conference in (h.conference for h in held):
        key, address = conference.organizer_key, conference.organizer or ""
        if key is not None:
            guest = KeptGuest(
                key,
                domain=address.rpartition("@")[2],
                address=None if address.startswith("@") else address,
                is_organizer=True,
            )
            return roster.guest(guest, accounts.by_address.get(key), at)
    return None


def _host(
    organizer: Invitee | None,
    creator: Invitee | None,
    invitees: Iterable[Invitee],
    accounts: Mapping[str, KnownAccount],
    roster: Roster,
) -> Host:
    """The organizer; of a secondary, class or resource calendar its creator, if staff."""
    if organizer is None:
        return Host(None)
    invitee: Invitee | None = organizer
    if is_calendar_address(organizer.guest.domain):
        invitee = creator if creator is not None and creator.kind is Kind.STAFF else None
    account = accounts.get(invitee.guest.address_key) if invitee else None
    host = Host(invitee)
    if account is not None and account.kind is not AccountKind.STUDENT:
        school = roster.registry.school_of_unit(account.unit_path)
        host = replace(host, school=school, display_name=account.display_name)
        if invitee is not None and account.address:
            guest = replace(invitee.guest, address=account.address)
            host = replace(host, invitee=replace(invitee, guest=guest))
    return host if host.is_staff else _with_stand_ins(host, invitees, accounts, roster)


def _with_stand_ins(
    host: Host,
    invitees: Iterable[Invitee],
    accounts: Mapping[str, KnownAccount],
    roster: Roster,
) -> Host:
    """With the few staff who were invited: a whole staff room need not know."""
    staff = {i.guest.address: i.guest.address_key for i in invitees if i.kind is Kind.STAFF}
    if len(staff) > _MOST_STAND_INS:
        return host
    units = [accounts[key].unit_path for key in staff.values() if key in accounts]
    schools = dict.fromkeys(map(roster.registry.school_of_unit, units))
    return replace(
        host,
        stand_ins=tuple(sorted(address for address in staff if address)),
        stand_in_schools=tuple(school for school in schools if school),
    )


def _scope(
    tx: Reads,
    record: MeetingRecord,
    invitees: tuple[Invitee, ...],
    attendances: tuple[Attendance, ...],
    organizer: Invitee | None,
) -> Scope:
    meeting = record.meeting
    if meeting is None:
        return scope_of([organizer] if organizer else [], attendances)
    if not meeting.calendars:
        return Scope.NONE
    is_known = (
        meeting.is_guest_list_complete
        or bool(meeting.unexpanded_groups)
        or _is_organizers_copy_out_of_scope(tx, meeting, organizer)
    )
    return scope_of(invitees, attendances, is_guest_list_complete=is_known)


def is_surely_out_of_scope(
    tx: Reads, record: MeetingRecord, roster: Roster, as_of: datetime
) -> bool:
    """Whether judging will drop an occurrence that was kept because its guests were hidden.

    Never once a call of its code is known: then those who came count too.
    """
    meeting = record.meeting
    if meeting is None or meeting.is_guest_list_complete or conferences_of(tx, record, as_of):
        return False
    accounts = _accounts(tx, meeting, ())
    invitees, organizer, _ = classify(meeting, accounts.by_address, roster)
    return _scope(tx, record, invitees, (), organizer) is Scope.NONE


def _is_organizers_copy_out_of_scope(
    tx: Reads, meeting: Meeting, organizer: Invitee | None
) -> bool:
    """Whether the organizer's calendar was read, and its copy dropped for want of outsiders.

    What is kept is then only guests' copies with the list hidden from them.
    """
    if organizer is None or organizer.kind is not Kind.STAFF or not organizer.guest.address:
        return False
    address = parse_address(organizer.guest.address)
    if address is None or address.text in meeting.calendars:
        return False
    state = tx.meetings.calendar(address.text)
    return state.read_at is not None and not state.problem


# --- space, shared code, edits ------------------------------------------------------------------


def _kept_cohosts(record: MeetingRecord) -> tuple[KeptGuest, ...]:
    return (record.space.cohosts or ()) if record.space else ()


def _cohosts(
    record: MeetingRecord,
    accounts: Mapping[str, KnownAccount],
    roster: Roster,
    at: datetime,
) -> tuple[Invitee, ...]:
    return tuple(
        roster.guest(guest, accounts.get(guest.address_key), at) for guest in _kept_cohosts(record)
    )


def _is_same(
    one: Invitee | None, other: Invitee | None, accounts: Mapping[str, KnownAccount]
) -> bool:
    """Whether two addresses are one account's."""
    if one is None or other is None:
        return False
    first = accounts.get(one.guest.address_key)
    second = accounts.get(other.guest.address_key)
    return first is not None and second is not None and first.person_key == second.person_key


def _same_code(tx: Reads, meeting: Meeting | None, roster: Roster) -> tuple[SharedCode, ...]:
    """Other events with this one's code; parts of a series that was split are one event."""
    if meeting is None or meeting.is_cancelled:
        return ()
    found: list[SharedCode] = []
    for record in tx.meetings.sharing_code(meeting, _MOST_SHARED):
        other = record.meeting
        if other is None or series_of(other.key) == series_of(meeting.key):
            continue
        accounts = tx.people.by_address([guest.address_key for guest in other.guests])
        invitees, _, _ = classify(other, accounts, roster)
        outsiders = (i for i in invitees if i.kind in (Kind.PARTNER, Kind.EXTERNAL))
        keys = frozenset(i.guest.address_key for i in outsiders)
        found.append(SharedCode(other.start_at, keys, other.is_guest_list_complete))
    return tuple(found)


def _edits(
    deps: Standards, tx: Reads, record: MeetingRecord, roster: Roster, at: datetime
) -> tuple[Edit, ...]:
    """Who changed the event, classified as of now."""
    kept = tx.meetings.edits_of(record.event_ids) if record.event_ids else []
    if not kept:
        return ()
    accounts = tx.people.by_address({e.actor.address_key for e in kept if e.actor})
    delegates = {
        deps.pseudonyms.address(address.key)
        for address in map(parse_address, deps.policy.accounts.delegates)
        if address
    }

    def edit(row: KeptEdit) -> Edit:
        if row.actor is None:
            return Edit(row.at, Editor.UNKNOWN, row.guest_key)
        if row.actor.address_key in delegates:
            return Edit(row.at, Editor.STAFF, row.guest_key)
        actor = roster.guest(row.actor, accounts.get(row.actor.address_key), at)
        return Edit(row.at, _editor(actor), row.guest_key, actor.partner_id)

    return tuple(edit(row) for row in kept)


def _editor(actor: Invitee) -> Editor:
    """A district's account that is neither staff nor registered may be a tool nobody named."""
    match actor.kind:
        case Kind.STAFF | Kind.INACTIVE:
            return Editor.STAFF
        case Kind.PARTNER:
            return Editor.OUTSIDER
        case Kind.EXTERNAL if not actor.is_district_account:
            return Editor.OUTSIDER
        case Kind.EXTERNAL | Kind.UNKNOWN | Kind.UNIDENTIFIED:
            return Editor.UNKNOWN
        case _:
            return Editor.OTHER


def listed_at(tx: Reads, meeting: Meeting, as_of: datetime) -> datetime:
    """When the calendar that tells the guest list was read: the organizer's, or else the oldest."""
    organizer = meeting.organizer.address if meeting.organizer else None
    own = [organizer] if meeting.are_settings_known and organizer in meeting.calendars else []
    states = [tx.meetings.calendar(address) for address in own or meeting.calendars if address]
    return min((state.read_at for state in states if state.read_at), default=as_of)


# --- evidence -----------------------------------------------------------------------------------


def _evidence(
    tx: Reads,
    record: MeetingRecord,
    held: tuple[HeldConference, ...],
    resolution: Resolution,
    staff: Iterable[str],
    as_of: datetime,
    *,
    is_live: bool,
) -> dict[Evidence, SourceState]:
    """`staff` are the addresses of the organizers and participants who are staff."""
    return {
        Evidence.CALENDAR: _calendar_state(tx, record.meeting, staff),
        Evidence.GUESTS: _guests_state(record.meeting),
        Evidence.DIRECTORY: _directory_state(tx, resolution, as_of),
        Evidence.REGISTRY: _registry_state(tx),
        Evidence.ATTENDANCE: _attendance_state(
            tx, record, held, resolution.attendances, as_of, is_live=is_live
        ),
        Evidence.TEXT: _text_state(record.meeting),
    }


_FULL = SourceState(is_full=True)


def _calendar_state(tx: Reads, meeting: Meeting | None, staff: Iterable[str]) -> SourceState:
    """Whether the event is known as it is now, or a call without one to have none."""
    if meeting is None:
        read = [tx.meetings.calendar(address) for address in staff]
        if all(state.read_at is not None and not state.problem for state in read):
            return _FULL
        problem = "a calendar that may hold the event cannot be read"
        return SourceState(is_full=False, problem=problem)
    states = [tx.meetings.calendar(address) for address in meeting.calendars]
    if any(not state.problem for state in states):
        return _FULL
    return SourceState(is_full=False, problem="the calendar cannot be read: what is known is old")


def _guests_state(meeting: Meeting | None) -> SourceState:
    if meeting is None or meeting.is_guest_list_complete:
        return _FULL
    if meeting.unexpanded_groups:
        return SourceState(is_full=False, problem="a group on the guest list could not be expanded")
    return SourceState(is_full=False, problem="the guest list is hidden or cut short")


def _directory_state(tx: Reads, resolution: Resolution, as_of: datetime) -> SourceState:
    state = tx.meta.source("directory")
    if state.read_at is None:
        return SourceState(is_full=False, problem="the directory was never read in full")
    if state.problem and as_of - state.read_at > _FRESH:
        return SourceState(is_full=False, problem="the directory cannot be read at present")
    if resolution.unresolved:
        return SourceState(
            is_full=False, problem="the directory could not be asked about a participant"
        )
    return _FULL


def _registry_state(tx: Reads) -> SourceState:
    if tx.registry.known_since() is None:
        return SourceState(is_full=False, problem="no registry was imported yet")
    return _FULL


def _space_state(record: MeetingRecord) -> SourceState:
    """Whether the settings of the meeting's space are known."""
    facts = record.space
    if record.key.meeting_code is None:
        return _FULL
    if facts is None or facts.code != record.key.meeting_code:
        problem = "the settings of the Meet space were not read yet"
        return SourceState(is_full=False, problem=problem)
    return SourceState(not facts.problem, facts.problem)


def _text_state(meeting: Meeting | None) -> SourceState:
    if meeting is None or meeting.are_details_known:
        return _FULL
    return SourceState(is_full=False, problem="title, place and description are hidden")


def _attendance_state(
    tx: Reads,
    record: MeetingRecord,
    held: tuple[HeldConference, ...],
    attendances: Iterable[Attendance],
    as_of: datetime,
    *,
    is_live: bool,
) -> SourceState:
    """Whether who was present, and when, was read in full from Meet or from the audit log."""
    if record.key.meeting_code is None:
        elsewhere = record.meeting is not None and bool(record.meeting.links)
        problem = "held outside Google Meet, where nobody can read who was present"
        return SourceState(not elsewhere, problem if elsewhere else "")
    running = any(h.conference.source is Source.MEET and h.conference.end_at is None for h in held)
    read_at = record.attendance_read_at
    is_meet_read = read_at is not None and not record.attendance_problem
    if is_meet_read and (is_live or not running):
        seen_by_meet = any(h.conference.source is Source.MEET for h in held)
        if seen_by_meet or not held:
            return _FULL
    return _audit_state(tx, record, held, attendances, as_of)


def _audit_state(
    tx: Reads,
    record: MeetingRecord,
    held: tuple[HeldConference, ...],
    attendances: Iterable[Attendance],
    as_of: datetime,
) -> SourceState:
    audit = tx.meta.source("reports-meet")
    rows = [h for h in held if h.conference.source is Source.AUDIT]
    _, end_at = _scheduled(record)
    ended_at = max([h.conference.end_at or as_of for h in rows], default=end_at)
    meet = record.attendance_problem or "Meet was not read yet"
    if audit.read_at is None or audit.problem:
        return SourceState(is_full=False, problem=f"{meet}; the audit log cannot be read")
    if audit.read_at < ended_at + AUDIT_GRACE:
        return SourceState(is_full=False, problem=f"{meet}; audit rows may still be under way")
    if not rows:
        return SourceState(is_full=False, problem=f"{meet}; the audit log holds no row of it")
    if not _names_outsiders(attendances):
        return SourceState(is_full=False, problem=f"{meet}; the audit log names nobody outside")
    return _FULL


def _names_outsiders(attendances: Iterable[Attendance]) -> bool:
    """Calls organized outside the district show our own people only, or outsiders masked.

    The address tells; `is_external` may be left out.
    """
    return any(
        v.source is Source.AUDIT
        and v.identity.address_key
        and (v.identity.is_external or a.kind in _OUTSIDERS)
        for a in attendances
        for v in a.visits
    )
