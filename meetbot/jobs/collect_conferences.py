"""Meet and the audit log → conferences and visits, keyed; meetings they touch become due."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from meetbot.domain.addresses import Address, parse_address
from meetbot.domain.attendance import (
    Conference,
    Identity,
    IdentityForm,
    RawIdentity,
    Source,
    Visit,
    with_identity,
)
from meetbot.domain.identity import Roster, is_calendar_address, name_tokens
from meetbot.domain.meetings import Scope
from meetbot.domain.people import AccountKind, Kind, KnownAccount
from meetbot.errors import MeetbotError
from meetbot.jobs import collect_calendars
from meetbot.jobs.collect_people import note_source
from meetbot.jobs.deps import Deps
from meetbot.jobs.dossiers import is_surely_out_of_scope
from meetbot.jobs.people import People
from meetbot.jobs.rosters import roster_of
from meetbot.jobs.sift import Sift
from meetbot.ports import (
    AuditPage,
    HeldConference,
    MeetingRecord,
    Outcome,
    Participant,
    SavedConference,
    Tally,
    Tx,
)
from meetbot.ports import Sift as SiftPort

AUDIT = "reports-meet"
MEET = "meet"
_OVERLAP = timedelta(hours=6)
_NIGHTLY_OVERLAP = timedelta(days=3)
_AROUND = timedelta(hours=2)
_LONGEST_CALL = timedelta(hours=24)
_SETTLED = timedelta(minutes=10)
_CALL_WORKERS = 8
_MOST_KEPT = 5_000
"""Identities remembered while the audit log is read: some 10 MiB."""


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Read the audit log since the last reading, then Meet for every meeting to watch."""
    outcome = Outcome("collect_conferences")
    people = People(deps, outcome, as_of)
    read_audit(deps, people, outcome, as_of)
    _read_meet(deps, people, outcome, as_of, as_of - deps.district.lookback)
    return outcome


def run_live(deps: Deps, as_of: datetime) -> Outcome:
    """Read Meet only for meetings that may be running now."""
    outcome = Outcome("watch_live")
    _read_meet(deps, People(deps, outcome, as_of), outcome, as_of, as_of - _AROUND)
    return outcome


# --- audit log ----------------------------------------------------------------------------------


def read_audit(deps: Deps, people: People, outcome: Outcome, as_of: datetime) -> None:
    """Upsert the rows written since the last complete reading, widened by the overlap.

    Rows arrive late and out of order, so six hours are read again, and three days once a day. Only
    calls that matter are kept (see `jobs.sift`); one that comes to matter when its first rows are
    out of this span already is read back to its start.
    """
    tally = outcome.source(AUDIT)
    with deps.store.reading() as tx:
        last = tx.meta.source(AUDIT).read_at
        nightly = tx.meta.get("audit-nightly")
        span = (as_of - deps.district.lookback, as_of)
        codes = tx.meetings.codes(span[0] - _LONGEST_CALL, as_of + _LONGEST_CALL)
        new_at = last and tx.meetings.earliest_new(last, start_at=span[0], end_at=as_of)
    is_nightly = nightly is None or as_of - datetime.fromisoformat(nightly) >= timedelta(days=1)
    overlap = _NIGHTLY_OVERLAP if is_nightly else _OVERLAP
    since = span[0] if last is None else last - overlap
    if new_at is not None:
        # Nothing was kept of a call whose event nobody knew: read it now.
        since = min(since, max(new_at - _AROUND, span[0]))
    roster = roster_of(deps)
    reading = _AuditReading(deps, people, roster, outcome, as_of)
    try:
        reading.read(since, as_of, Sift(people, roster, codes))
        late = {name for name, start_at in reading.new.items() if start_at < since}
        if late:
            first = min(reading.new[name] for name in late)
            first = max(first - _AROUND, since - _LONGEST_CALL)
            reading.read(first, since, lambda glances: {g.conference for g in glances} & late)
    except MeetbotError as error:
        tally.note_failed(str(error))
        note_source(deps, AUDIT, as_of, problem=str(error))
        return
    finally:
        collect_calendars.read_again(deps, reading.owners, outcome, as_of)
    if people.has_undecided:
        # The directory is said to have failed already: read these rows again with the next ones.
        note_source(deps, AUDIT, as_of, problem="somebody in its rows could not be looked up")
        return
    if is_nightly:
        with deps.store.transaction() as tx:
            tx.meta.set("audit-nightly", as_of.isoformat())
    note_source(deps, AUDIT, as_of)


class _AuditReading:
    """One reading of the audit log, page by page."""

    def __init__(
        self, deps: Deps, people: People, roster: Roster, outcome: Outcome, as_of: datetime
    ) -> None:
        self._deps = deps
        self._roster = roster
        self._outcome = outcome
        self._as_of = as_of
        self._keep = _Keeper(deps, people)
        self.owners: set[str] = set()
        """Whose calendars may hold the event of an ad-hoc call."""
        self.new: dict[str, datetime] = {}
        """Conferences of which nothing was known before, with their starts."""

    def read(self, since: datetime, until: datetime, sift: SiftPort) -> None:
        """Store the rows of a span that matter; raises what stands in the way."""
        tally = self._outcome.source(AUDIT)
        for page in self._deps.reports.meet(since, until, sift):
            self._deps.go_on()
            if page.malformed:
                tally.note_failed("an audit row could not be understood")
            tally.read += page.rows
            if page.visits:
                self._store(page)

    def _store(self, page: AuditPage) -> None:
        keep = self._keep = self._keep.with_room()
        keep.look_up([v.identity for v in page.visits])
        visits = [with_identity(v, keep(v.identity)) for v in page.visits]
        conferences = keep.organized(page.conferences)
        with self._deps.store.transaction() as tx:
            changed = tx.conferences.save(conferences, visits, as_of=self._as_of)
            self.owners |= _link(tx, self._roster, keep, changed, visits, self._as_of)
        for saved in changed:
            name, start_at = saved.conference.name, saved.conference.start_at
            if saved.is_new or name in self.new:
                self.new[name] = start_at
        self._outcome.count("conferences_changed", len(changed))


@dataclass(slots=True)
class _Keeper:
    """Turns raw identities into keyed ones, each looked up and keyed one time only."""

    deps: Deps
    people: People
    by_person: dict[str, KnownAccount] = field(default_factory=dict)
    by_address: dict[str, KnownAccount] = field(default_factory=dict)
    undecided: set[str] = field(default_factory=set)
    kept: dict[RawIdentity, Identity] = field(default_factory=dict)

    def look_up(self, identities: Iterable[RawIdentity]) -> None:
        """Ask the directory about all of them at once, before they are kept."""
        new = [i for i in dict.fromkeys(identities) if i not in self.kept]
        self.by_address |= self.people.by_address({a for i in new if (a := _address_of(i))})
        # An id needs Google only where no address tells who it is.
        ids = {i.google_id for i in new if i.google_id and _address_of(i) is None}
        found, undecided = self.people.by_id(ids)
        self.by_person |= found
        self.undecided |= undecided

    def organized(self, conferences: Iterable[Conference]) -> list[Conference]:
        """The conferences with their organizers as they may be stored."""
        named = {c.name: parse_address(c.organizer) for c in conferences if c.organizer}
        self.by_address |= self.people.by_address({a for a in named.values() if a})
        return [self._organized(c, named.get(c.name)) for c in conferences]

    def _organized(self, conference: Conference, address: Address | None) -> Conference:
        if address is None:
            return replace(conference, organizer=None)
        key = self.deps.pseudonyms.address(address.key)
        is_student = self._is_student(address, self.by_address.get(key))
        text = f"@{address.domain}" if is_student else address.text
        return replace(conference, organizer=text, organizer_key=key)

    def _is_student(self, address: Address, account: KnownAccount | None) -> bool:
        if account is not None:
            return account.kind is AccountKind.STUDENT
        return address.domain in self.people.student_domains

    def recall(self, tx: Tx, identities: Collection[Identity]) -> None:
        """Learn the accounts of identities that were stored by an earlier reading."""
        addresses = {i.address_key for i in identities if i.address_key} - self.by_address.keys()
        ids = {i.id_key for i in identities if i.id_key} - self.by_person.keys()
        self.by_address |= tx.people.by_address(addresses)
        self.by_person |= tx.people.by_person(ids)

    def with_room(self) -> _Keeper:
        """This one, or an empty one when it holds very many."""
        return self if len(self.kept) < _MOST_KEPT else _Keeper(self.deps, self.people)

    def __call__(self, raw: RawIdentity) -> Identity:
        """The identity as it may be stored; it must have been looked up."""
        identity = self.kept.get(raw)
        if identity is None:
            identity = self.kept[raw] = self._keyed(raw)
        return identity

    def _keyed(self, raw: RawIdentity) -> Identity:
        key = self.deps.pseudonyms
        address = _address_of(raw)
        id_key = key.id(raw.google_id) if raw.google_id else None
        address_key = key.address(address.key) if address else None
        account = self.by_address.get(address_key or "") or self.by_person.get(id_key or "")
        is_student = (
            self._is_student(address, account)
            if address
            else account is not None and account.kind is AccountKind.STUDENT
        )
        return Identity(
            form=raw.form,
            id_key=id_key,
            address_key=address_key,
            address=address.text if address and not is_student else None,
            domain=address.domain if address else None,
            masked=raw.masked if not is_student else None,
            name_key=key.name(raw.display_name) if raw.display_name and not account else None,
            name_tokens=()
            if is_student or account
            else name_tokens(self.deps.pseudonyms, raw.display_name),
            is_external=raw.is_external,
            in_directory=self._in_directory(id_key, account),
        )

    def _in_directory(self, id_key: str | None, account: KnownAccount | None) -> bool | None:
        if account is not None:
            return True
        return None if id_key in self.undecided else False

    def kind(self, identity: Identity) -> AccountKind | None:
        account = self.by_address.get(identity.address_key or "") or self.by_person.get(
            identity.id_key or ""
        )
        return account.kind if account else None


def _address_of(raw: RawIdentity) -> Address | None:
    return parse_address(raw.address) if raw.address else None


def _link(
    tx: Tx,
    roster: Roster,
    keep: _Keeper,
    changed: Collection[SavedConference],
    visits: Iterable[Visit[Identity]],
    as_of: datetime,
) -> set[str]:
    """Make the meetings of changed conferences due; a call without one is an ad-hoc call.

    Ad-hoc calls of adults who are nobody's partners are left alone.

    `visits` are those just stored. Gives the addresses of those whose calendars may hold the event
    of an ad-hoc call.
    """
    owners: set[str] = set()
    codes = {s.conference.meeting_code for s in changed if s.conference.meeting_code}
    if codes:
        tx.meetings.mark_due(as_of, codes=codes)
    for held in _of_full_scope(tx, roster, keep, changed, visits):
        conference = held.conference
        if not _is_known(tx, conference, as_of):
            tx.meetings.ensure_adhoc(conference.meeting_code, conference.start_at, as_of=as_of)
            owners |= {conference.organizer or ""}
            owners |= {v.identity.address for v in held.visits if v.identity.address}
    return owners


def _of_full_scope(
    tx: Tx,
    roster: Roster,
    keep: _Keeper,
    changed: Collection[SavedConference],
    visits: Iterable[Visit[Identity]],
) -> Iterator[HeldConference]:
    """The changed conferences that are no mere calls of adults.

    Read from the store are those of which some visits were stored before.
    """
    fresh: dict[str, list[Visit[Identity]]] = {}
    for visit in visits:
        fresh.setdefault(visit.conference, []).append(visit)
    whole: list[HeldConference] = []
    partly: list[str] = []
    for saved in changed:
        name = saved.conference.name
        if saved.is_whole and name in fresh:
            whole.append(HeldConference(saved.conference, tuple(fresh[name])))
        else:
            partly.append(name)
    before = tx.conferences.named(partly)
    keep.recall(tx, [v.identity for held in before for v in held.visits])
    for held in (*whole, *before):
        if _is_of_full_scope(held, keep, roster):
            yield held


def _is_known(tx: Tx, conference: Conference, as_of: datetime) -> bool:
    """Whether an event, or an ad-hoc call noted before, explains this conference.

    The two sources differ by seconds about the start, and late rows move it.
    """
    if conference.meeting_code is None:
        return False
    start_at, end_at = conference.start_at, conference.end_at or as_of
    slots = tx.meetings.slots(conference.meeting_code, start_at - _AROUND, end_at + _AROUND)
    return any(
        not slot.is_adhoc or start_at - _SETTLED <= slot.start_at <= end_at for slot in slots
    )


def _is_of_full_scope(held: HeldConference, keep: _Keeper, roster: Roster) -> bool:
    """Whether an outsider met a student, or is a partner or looks like one (catalogue §2)."""
    outsiders = [v for v in held.visits if _is_outsider(v.identity, keep, roster, v.start_at)]
    if any(_is_partner(v.identity, roster, v.start_at) for v in outsiders):
        return True
    is_mixed = bool(outsiders) or _is_outsiders(held.conference, roster)
    return is_mixed and any(_is_student(v.identity, keep, roster) for v in held.visits)


def _is_partner(identity: Identity, roster: Roster, at: datetime) -> bool:
    found = roster.outsider(identity.address_key, identity.domain or "", at)
    return found.kind is Kind.PARTNER or found.lookalike_of is not None


def _is_student(identity: Identity, keep: _Keeper, roster: Roster) -> bool:
    return keep.kind(identity) is AccountKind.STUDENT or identity.domain in roster.student_domains


def _is_outsiders(conference: Conference, roster: Roster) -> bool:
    """Whether somebody outside organized a conference; the log then shows only our own people."""
    key, domain = conference.organizer_key, (conference.organizer or "").rpartition("@")[2]
    if key is None or is_calendar_address(domain):
        return False
    if roster.registered(key):
        return True
    return domain not in roster.district_domains and (
        roster.outsider(key, domain, conference.start_at).kind is not Kind.EXEMPT
    )


def _is_outsider(identity: Identity, keep: _Keeper, roster: Roster, at: datetime) -> bool:
    if identity.form in (IdentityForm.DEVICE, IdentityForm.PHONE, IdentityForm.ANONYMOUS):
        return False
    kind = keep.kind(identity)
    if kind in (AccountKind.STUDENT, AccountKind.INACTIVE):
        return False
    if identity.address_key and roster.registered(identity.address_key):
        return True
    if kind is AccountKind.STAFF or identity.domain in roster.district_domains:
        return kind is AccountKind.OTHER
    if identity.domain is None or is_calendar_address(identity.domain):
        return bool(identity.is_external)
    return roster.outsider(identity.address_key, identity.domain, at).kind is not Kind.EXEMPT


# --- Meet ---------------------------------------------------------------------------------------


def _read_meet(
    deps: Deps, people: People, outcome: Outcome, as_of: datetime, since: datetime
) -> None:
    roster = roster_of(deps)
    with deps.store.reading() as tx:
        watched = [
            record
            for record in tx.meetings.to_watch(since - _AROUND, as_of + _SETTLED)
            if not is_surely_out_of_scope(tx, record, roster, as_of)
        ]
    tally = outcome.source(MEET)
    with ThreadPoolExecutor(_CALL_WORKERS, thread_name_prefix="meet") as pool:
        reads = pool.map(lambda record: _read_one(deps, people, record, as_of), watched)
        for record, read in zip(watched, reads, strict=True):
            if read.is_failure:
                tally.note_failed(read.problem)
            elif read.problem:
                tally.note_skipped(read.problem)
            else:
                tally.read += 1
            _save_read(deps, roster, record, read, as_of)
    _note_meet(deps, tally, as_of)


def _note_meet(deps: Deps, tally: Tally, as_of: datetime) -> None:
    """Meet as a whole fails when no meeting at all could be read."""
    if tally.read:
        with deps.store.reading() as tx:
            is_failing = bool(tx.meta.source(MEET).problem)
        if is_failing:
            note_source(deps, MEET, as_of)
    elif tally.failed:
        note_source(deps, MEET, as_of, problem=max(tally.reasons, key=tally.reasons.__getitem__))


@dataclass(slots=True)
class _MeetRead:
    """What Meet said of one occurrence. A problem is no failure where Meet never could tell."""

    conferences: list[Conference] = field(default_factory=list)
    visits: list[Visit[Identity]] = field(default_factory=list)
    keepers: list[_Keeper] = field(default_factory=list)
    problem: str = ""
    is_failure: bool = False


def _save_read(
    deps: Deps, roster: Roster, record: MeetingRecord, read: _MeetRead, as_of: datetime
) -> None:
    ends = [c.end_at for c in read.conferences]
    last = max([e for e in ends if e is not None], default=as_of - _SETTLED)
    _, end_at = _scheduled(record)
    is_final = (
        not read.problem
        and not any(keep.undecided for keep in read.keepers)
        and None not in ends
        and as_of >= end_at + _AROUND
        and as_of >= last + _SETTLED
    )
    with deps.store.transaction() as tx:
        changed = tx.conferences.save(read.conferences, read.visits, as_of=as_of)
        for keep in read.keepers:
            _link(tx, roster, keep, changed, read.visits, as_of)
        tx.meetings.note_attendance(record.id, problem=read.problem, is_final=is_final, as_of=as_of)


def _scheduled(record: MeetingRecord) -> tuple[datetime, datetime]:
    if record.meeting is None:
        return record.key.original_start_at, record.key.original_start_at
    return record.meeting.start_at, record.meeting.end_at


def _read_one(deps: Deps, people: People, record: MeetingRecord, as_of: datetime) -> _MeetRead:
    """All conference records of one occurrence; a failure keeps what was read before it.

    A meeting of adults becomes one of full scope the moment a student joins (catalogue §2).
    """
    deps.go_on()
    read = _MeetRead()
    organizer, reason = organizer_of(deps, people, record)
    if organizer is None and reason != _OUTSIDE:
        read.problem = reason
        return read
    code = record.key.meeting_code or ""
    start_at, end_at = _scheduled(record)
    try:
        for subject in _subjects(deps, people, record, organizer):
            conferences = deps.meet.records(
                subject, code, since=start_at - _AROUND, until=end_at + _AROUND
            )
            if record.scope is Scope.ADULT and not _has_student(deps, people, subject, conferences):
                return read
            for conference in conferences:
                _read_conference(deps, people, subject, conference, read, as_of)
            if conferences:
                return read
    except MeetbotError as error:
        read.problem, read.is_failure = str(error), True
        return read
    read.problem = reason  # to others an empty list says nothing
    return read


def _has_student(
    deps: Deps, people: People, organizer: str, conferences: Iterable[Conference]
) -> bool:
    """Whether a student came to a meeting of adults; of one without any nothing is kept."""
    keep = _Keeper(deps, people)
    for conference in conferences:
        identities = [p.identity for p in deps.meet.participants(organizer, conference.name)]
        keep.look_up(identities)
        if any(keep.kind(keep(identity)) is AccountKind.STUDENT for identity in identities):
            return True
    return False


_OUTSIDE = "Meet shows a call only to its organizer, who is not staff of the district"


def _subjects(
    deps: Deps, people: People, record: MeetingRecord, organizer: str | None
) -> Iterator[str]:
    """Whom to read Meet as, one after the other until somebody sees the call.

    The organizer; else who made the event, for Google gives the call to them when the event lies
    on a secondary calendar, and leaves it with them when the event moves to somebody else.
    """
    if organizer is not None:
        yield organizer
    meeting = record.meeting
    if meeting is None or meeting.organizer is None or meeting.creator is None:
        return
    is_shared = is_calendar_address(meeting.organizer.domain)
    if organizer is not None or is_shared:
        creator, _ = _subject(deps, people, parse_address(meeting.creator.address or ""))
        if creator is not None and creator != organizer:
            yield creator


def organizer_of(deps: Deps, people: People, record: MeetingRecord) -> tuple[str | None, str]:
    """Whom to read Meet as; None with the reason where nobody of the district organizes."""
    return _subject(deps, people, _organizer(deps, record))


def _organizer(deps: Deps, record: MeetingRecord) -> Address | None:
    if record.meeting is not None:
        guest = record.meeting.organizer
        return parse_address(guest.address) if guest and guest.address else None
    if not record.key.meeting_code:
        return None
    start_at = record.key.original_start_at
    with deps.store.reading() as tx:
        held = tx.conferences.held(record.key.meeting_code, start_at, start_at + _AROUND)
    names = [h.conference.organizer for h in held if h.conference.organizer]
    return parse_address(names[0]) if names else None


def _subject(deps: Deps, people: People, address: Address | None) -> tuple[str | None, str]:
    """The account to read Meet as for somebody; None with the reason where there is none."""
    if address is None or address.domain not in people.district_domains:
        return None, _OUTSIDE
    account = people.by_address([address]).get(deps.pseudonyms.address(address.key))
    if account is None or account.address is None:
        return None, _OUTSIDE
    if account.kind is AccountKind.INACTIVE:
        return None, "the organizer's account is suspended, so Meet cannot be read as them"
    return account.address, ""


def _read_conference(
    deps: Deps,
    people: People,
    organizer: str,
    conference: Conference,
    read: _MeetRead,
    as_of: datetime,
) -> None:
    participants = deps.meet.participants(organizer, conference.name)
    keep = _Keeper(deps, people)
    keep.look_up([p.identity for p in participants])
    read.conferences.append(conference)
    read.keepers.append(keep)
    visits: dict[str, tuple[Visit[Identity], ...]] = {}
    students: list[Participant] = []
    for participant in participants:
        identity = keep(participant.identity)
        if keep.kind(identity) is AccountKind.STUDENT:
            students.append(participant)
            visits[participant.name] = (_hull(conference, participant, identity, as_of),)
        else:
            visits[participant.name] = _sessions(
                deps, organizer, conference, participant, identity, as_of
            )
    others = [v for p in participants if p not in students for v in visits[p.name]]
    for participant in students:
        (hull,) = visits[participant.name]
        if _matters(hull, others, keep, as_of):
            visits[participant.name] = _sessions(
                deps, organizer, conference, participant, hull.identity, as_of
            )
    read.visits += [_keyed(deps, visit) for group in visits.values() for visit in group]


def _keyed(deps: Deps, visit: Visit[Identity]) -> Visit[Identity]:
    """A visit as it may be stored: Meet's names of participants and sessions hold account ids."""
    key = deps.pseudonyms.id
    return replace(visit, key=key(visit.key), participant=key(visit.participant))


def _hull(
    conference: Conference, participant: Participant, identity: Identity, as_of: datetime
) -> Visit[Identity]:
    """From first join to last leave; of a missing end only a running call tells anything."""
    is_running = participant.latest_end_at is None and conference.end_at is None
    return Visit(
        source=Source.MEET,
        key=participant.name + "#hull",
        conference=conference.name,
        participant=participant.name,
        identity=identity,
        start_at=participant.earliest_start_at,
        end_at=participant.latest_end_at,
        last_seen_at=as_of if is_running else None,
        is_hull=True,
    )


def _sessions(
    deps: Deps,
    organizer: str,
    conference: Conference,
    participant: Participant,
    identity: Identity,
    as_of: datetime,
) -> tuple[Visit[Identity], ...]:
    """Exact visits. A missing end of the last one is the participant's `latestEndTime`."""
    raw = sorted(deps.meet.sessions(organizer, participant), key=lambda v: (v.start_at, v.key))
    if not raw:
        return (_hull(conference, participant, identity, as_of),)
    visits: list[Visit[Identity]] = []
    for visit in raw:
        end_at = visit.end_at
        if end_at is None and visit is raw[-1]:
            end_at = participant.latest_end_at
        is_running = end_at is None and conference.end_at is None
        visits.append(
            replace(
                with_identity(visit, identity),
                end_at=end_at,
                last_seen_at=as_of if is_running else visit.last_seen_at,
            )
        )
    return tuple(visits)


def _matters(
    hull: Visit[Identity], others: Iterable[Visit[Identity]], keep: _Keeper, as_of: datetime
) -> bool:
    """Whether somebody who is not staff was there without staff within this student's time.

    Only then do the student's exact sessions decide anything; each costs one request.
    """
    staff = [v for v in others if keep.kind(v.identity) is AccountKind.STAFF]
    rest = [v for v in others if keep.kind(v.identity) is not AccountKind.STAFF]
    edges = {hull.start_at} | {v.start_at for v in rest} | {v.end_at or as_of for v in staff}
    return any(
        _is_there(hull, edge, as_of)
        and any(_is_there(v, edge, as_of) for v in rest)
        and not any(_is_there(v, edge, as_of) for v in staff)
        for edge in edges
    )


def _is_there(visit: Visit[Identity], instant: datetime, as_of: datetime) -> bool:
    return visit.start_at <= instant < (visit.end_at or as_of)
