"""Who was in a call: participants of both sources, resolved and united per person.

Rule catalogue §2, Identity confidence. Meet names people by id, the audit log by address; one
person in both must become one attendance, or an identified partner would stand beside an
unidentified double of themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from meetbot.domain.addresses import mask_fits, parse_address
from meetbot.domain.attendance import Attendance, Identity, IdentityForm, Source, Visit
from meetbot.domain.dossier import Invitee
from meetbot.domain.identity import Roster
from meetbot.domain.people import AccountKind, Confidence, Kind, KnownAccount

_SAME_PERSON = timedelta(minutes=2)
"""Join and leave times of one person in two sources differ by less than this."""


@dataclass(frozen=True, slots=True)
class Learned:
    """An outsider's Meet id whose clear address the audit log showed."""

    id_key: str
    address_key: str
    address: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """Attendances of one occurrence, what was learned, and what could not be looked up."""

    attendances: tuple[Attendance, ...]
    learned: tuple[Learned, ...]
    unresolved: int
    """Participants whose id or address the directory could not be asked about."""


@dataclass(slots=True)
class _Person:
    source: Source
    identity: Identity
    visits: list[Visit[Identity]]
    account: KnownAccount | None = None
    address_key: str | None = None
    address: str | None = None
    double: _Person | None = None
    """The participant of the other source who is the same person."""
    is_taken: bool = False
    learned: list[Learned] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        return self.account is not None or self.address_key is not None

    @property
    def start_at(self) -> datetime:
        return min(v.start_at for v in self.visits)

    @property
    def end_at(self) -> datetime:
        ends = [v.end_at or v.last_seen_at or v.start_at for v in self.visits]
        return max(ends)

    @property
    def is_open(self) -> bool:
        return any(v.end_at is None for v in self.visits)


def resolve(
    visits: Iterable[Visit[Identity]],
    *,
    accounts_by_person: Mapping[str, KnownAccount],
    accounts_by_address: Mapping[str, KnownAccount],
    learned: Mapping[str, tuple[str, str]],
    invitees: Sequence[Invitee],
    roster: Roster,
    at: datetime,
) -> Resolution:
    """Unite the visits of each person over devices, sessions and sources; classify everyone.

    `accounts_by_person` is keyed by keyed Google id, `accounts_by_address` by keyed address,
    `learned` maps a keyed id to (address key, address). `at` is the instant at which exemptions
    must hold: the start of the meeting.
    """
    people = _people(visits, accounts_by_person, accounts_by_address, learned)
    _pair(people)
    invited = {i.guest.address_key: i for i in invitees}
    united: dict[str, list[tuple[_Person, Attendance]]] = {}
    for person in people:
        if person.is_taken:
            continue
        attendance = _attendance(person, people, invited, roster, at)
        united.setdefault(attendance.person_key, []).append((person, attendance))
    return Resolution(
        attendances=tuple(_unite([a for _, a in group]) for group in united.values()),
        learned=tuple(entry for person in people for entry in person.learned),
        unresolved=sum(1 for p in people if not p.is_taken and _is_unresolved(p)),
    )


def _people(
    visits: Iterable[Visit[Identity]],
    accounts_by_person: Mapping[str, KnownAccount],
    accounts_by_address: Mapping[str, KnownAccount],
    learned: Mapping[str, tuple[str, str]],
) -> list[_Person]:
    people: dict[tuple[object, ...], _Person] = {}
    for visit in sorted(visits, key=lambda v: (v.source, v.start_at, v.key)):
        found = people.setdefault(_raw_key(visit), _Person(visit.source, visit.identity, []))
        found.visits.append(visit)
    for person in people.values():
        identity = person.identity
        person.account = accounts_by_person.get(identity.id_key or "") or accounts_by_address.get(
            identity.address_key or ""
        )
        if person.account is None and identity.address_key:
            person.address_key, person.address = identity.address_key, identity.address
        elif person.account is None and identity.id_key in learned:
            person.address_key, person.address = learned[identity.id_key or ""]
    return list(people.values())


def _raw_key(visit: Visit[Identity]) -> tuple[object, ...]:
    identity = visit.identity
    if visit.source is Source.AUDIT and identity.address_key:
        return (visit.source, identity.address_key)
    return (visit.source, visit.conference, visit.participant)


def _pair(people: list[_Person]) -> None:
    """Find the audit row of each Meet participant that the directory does not know.

    By equal display name and overlapping time first, then by equal times; only when exactly one
    row fits. People without any name (phones, anonymous guests) by greatest overlap.
    """
    rows = [p for p in people if p.source is Source.AUDIT and p.account is None]
    pending = [p for p in people if p.source is Source.MEET and p.account is None]
    tests: tuple[Callable[[_Person, _Person], bool], ...] = (
        lambda m, r: (
            m.identity.name_key is not None
            and m.identity.name_key == r.identity.name_key
            and _overlap(m, r) > timedelta(0)
        ),
        _same_times,
    )
    for test in tests:
        for person in pending:
            if person.double is None:
                _pair_one(person, rows, test)
    for person in pending:
        if person.double is None and person.identity.form is not IdentityForm.SIGNED_IN:
            _pair_nearest(person, rows)


def _pair_one(
    person: _Person, rows: list[_Person], test: Callable[[_Person, _Person], bool]
) -> None:
    fits = [r for r in rows if not r.is_taken and _can_be_same(person, r) and test(person, r)]
    if len(fits) == 1:
        _join(person, fits[0])


def _pair_nearest(person: _Person, rows: list[_Person]) -> None:
    fits = [
        r
        for r in rows
        if not r.is_taken
        and r.identity.form is person.identity.form
        and _overlap(person, r) * 2 > max(r.end_at - r.start_at, person.end_at - person.start_at)
    ]
    if fits:
        _join(person, max(fits, key=lambda r: (_overlap(person, r), r.visits[0].key)))


def _can_be_same(person: _Person, row: _Person) -> bool:
    if person.address_key is not None:  # learned before: only its own rows
        return row.address_key == person.address_key
    named = {IdentityForm.ADDRESS, IdentityForm.MASKED, IdentityForm.SIGNED_IN}
    if person.identity.form is IdentityForm.SIGNED_IN:
        return row.identity.form in named | {IdentityForm.DEVICE, IdentityForm.ANONYMOUS}
    return row.identity.form is person.identity.form


def _join(person: _Person, row: _Person) -> None:
    person.double = row
    row.is_taken = True
    if row.address_key and person.address_key is None:
        person.address_key, person.address = row.address_key, row.address
        id_key = person.identity.id_key
        if id_key and row.address and person.identity.form is IdentityForm.SIGNED_IN:
            person.learned.append(Learned(id_key, row.address_key, row.address))


def _same_times(person: _Person, row: _Person) -> bool:
    starts = abs(person.start_at - row.start_at) <= _SAME_PERSON
    return starts and (person.is_open or abs(person.end_at - row.end_at) <= _SAME_PERSON)


def _overlap(one: _Person, other: _Person) -> timedelta:
    far = datetime.max.replace(tzinfo=UTC)
    end = far if one.is_open else one.end_at
    other_end = far if other.is_open else other.end_at
    if end is far and other_end is far:
        end = other_end = max(one.end_at, other.end_at) + timedelta(seconds=1)
    return max(min(end, other_end) - max(one.start_at, other.start_at), timedelta(0))


def _is_unresolved(person: _Person) -> bool:
    identity = person.identity
    is_named = identity.form in (IdentityForm.SIGNED_IN, IdentityForm.ADDRESS)
    return is_named and not person.is_known and identity.in_directory is None


def _attendance(
    person: _Person,
    people: list[_Person],
    invited: Mapping[str, Invitee],
    roster: Roster,
    at: datetime,
) -> Attendance:
    visits = tuple(person.visits) + (tuple(person.double.visits) if person.double else ())
    form = person.double.identity.form if person.double else person.identity.form
    if person.account is not None:
        return _of_account(person.account, person, visits, invited, roster, at)
    if IdentityForm.DEVICE in (form, person.identity.form):
        return Attendance(
            "d:" + person.visits[0].participant, Kind.ROOM, Confidence.NONE, visits, form=form
        )
    if person.address_key is not None:
        return _of_address(person.address_key, person, visits, invited, roster, at)
    guess = _compatible(person, people, invited)
    if guess is not None:
        return Attendance(
            "a:" + guess.guest.address_key,
            guess.kind,
            Confidence.COMPATIBLE,
            visits,
            partner_id=guess.partner_id,
            domain=guess.guest.domain,
            address_key=guess.guest.address_key,
            is_invited=True,
            form=person.identity.form,
        )
    kind = Kind.UNKNOWN if _is_unresolved(person) else Kind.UNIDENTIFIED
    key = f"u:{person.source}:{person.identity.id_key or person.visits[0].participant}"
    return Attendance(key, kind, Confidence.NONE, visits, form=person.identity.form)


def _of_account(
    account: KnownAccount,
    person: _Person,
    visits: tuple[Visit[Identity], ...],
    invited: Mapping[str, Invitee],
    roster: Roster,
    at: datetime,
) -> Attendance:
    own = parse_address(account.address) if account.address else None
    key = person.identity.address_key or (roster.key(own) if own else None)
    kind = roster.kind_of_account(account, key)
    if kind is not None:
        return Attendance(
            "p:" + account.person_key,
            kind,
            Confidence.DIRECTORY,
            visits,
            address_key=key,
            domain=own.domain if own else None,
            is_invited=(key or "") in invited,
        )
    outside_key, domain = roster.outside_address(account, key, person.identity.domain)
    found = roster.outsider(outside_key, domain, at)
    return Attendance(
        "p:" + account.person_key,
        found.kind,
        Confidence.DIRECTORY if account.kind is not AccountKind.GUEST else Confidence.ADDRESS,
        visits,
        partner_id=found.partner_id,
        domain=domain or None,
        address_key=outside_key,
        is_invited=bool({key, outside_key} & invited.keys()),
    )


def _of_address(
    address_key: str,
    person: _Person,
    visits: tuple[Visit[Identity], ...],
    invited: Mapping[str, Invitee],
    roster: Roster,
    at: datetime,
) -> Attendance:
    parsed = parse_address(person.address) if person.address else None
    domain = parsed.domain if parsed else person.identity.domain or ""
    if domain in roster.district_domains and roster.registered(address_key) is None:
        # Deleted or not yet in the snapshot: one of ours, never an outsider.
        kind = Kind.STUDENT if domain in roster.student_domains else Kind.UNKNOWN
        confidence = Confidence.ADDRESS if kind is Kind.STUDENT else Confidence.NONE
        return Attendance(
            "a:" + address_key, kind, confidence, visits, domain=domain, address_key=address_key
        )
    found = roster.outsider(address_key, domain, at)
    return Attendance(
        "a:" + address_key,
        found.kind,
        Confidence.ADDRESS,
        visits,
        partner_id=found.partner_id,
        domain=domain,
        address_key=address_key,
        is_invited=address_key in invited,
        form=IdentityForm.ADDRESS,
    )


def _compatible(
    person: _Person, people: list[_Person], invited: Mapping[str, Invitee]
) -> Invitee | None:
    """The one invited outsider this participant can be: by obscured address or by name.

    Staff and students are never recognized by a name that anybody can type (facts §9, 9).
    """
    present = {p.address_key for p in people if p.address_key and p is not person}
    guests = [
        i
        for i in invited.values()
        if i.guest.address_key not in present and i.kind not in (Kind.ROOM, Kind.STUDENT)
    ]
    doubles = [person.identity] + ([person.double.identity] if person.double else [])
    masks = [d.masked for d in doubles if d.masked]
    if masks:
        fits = [i for i in guests if i.guest.address and _fits_mask(masks[0], i.guest.address)]
    else:
        words = {token for d in doubles for token in d.name_tokens}
        fits = [i for i in guests if words & set(i.guest.name_tokens)]
    outsiders = (Kind.PARTNER, Kind.EXTERNAL, Kind.EXEMPT)
    return fits[0] if len(fits) == 1 and fits[0].kind in outsiders else None


def _fits_mask(masked: str, text: str) -> bool:
    address = parse_address(text)
    return address is not None and mask_fits(masked, address)


def _unite(group: list[Attendance]) -> Attendance:
    """One attendance per person; the surest identity wins."""
    best = min(group, key=lambda a: a.confidence)
    visits = {(v.source, v.key): v for attendance in group for v in attendance.visits}
    return Attendance(
        best.person_key,
        best.kind,
        best.confidence,
        tuple(sorted(visits.values(), key=lambda v: (v.start_at, v.key))),
        partner_id=best.partner_id,
        domain=best.domain,
        address_key=best.address_key,
        is_invited=any(a.is_invited for a in group),
        form=best.form,
    )


def contradictions(
    attendances: Iterable[Attendance], *, tolerance: timedelta
) -> tuple[timedelta, ...]:
    """For staff and outsiders seen by both sources: stretches only one of them saw.

    Gives the stretches longer than `tolerance`, longest first; open visits are not compared.
    """
    found: list[timedelta] = []
    for attendance in attendances:
        if attendance.kind not in (Kind.STAFF, Kind.PARTNER, Kind.EXTERNAL):
            continue
        meet = _spans(attendance, Source.MEET)
        audit = _spans(attendance, Source.AUDIT)
        if meet and audit:
            found += [d for d in _differences(meet, audit) if d > tolerance]
    return tuple(sorted(found, reverse=True))


def do_sources_agree(attendances: Iterable[Attendance], *, tolerance: timedelta) -> bool:
    """Whether everybody but unidentified people was seen by both sources, at the same times."""
    people = [
        a for a in attendances if a.kind in (Kind.STAFF, Kind.STUDENT, Kind.PARTNER, Kind.EXTERNAL)
    ]
    for attendance in people:
        meet, audit = _spans(attendance, Source.MEET), _spans(attendance, Source.AUDIT)
        if not meet or not audit or any(v.end_at is None for v in attendance.visits):
            return False
        if any(d > tolerance for d in _differences(meet, audit)):
            return False
    return bool(people)


Span = tuple[datetime, datetime]


def _spans(attendance: Attendance, source: Source) -> list[Span]:
    spans = sorted(
        (v.start_at, v.end_at)
        for v in attendance.visits
        if v.source is source and v.end_at is not None
    )
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _differences(one: list[Span], other: list[Span]) -> list[timedelta]:
    edges = sorted({edge for span in one + other for edge in span})
    lengths: list[timedelta] = []
    run = timedelta(0)
    for left, right in pairwise(edges):
        differs = _inside(one, left) != _inside(other, left)
        if differs:
            run += right - left
        elif run:
            lengths.append(run)
            run = timedelta(0)
    return lengths + ([run] if run else [])


def _inside(spans: list[Span], instant: datetime) -> bool:
    return any(start <= instant < end for start, end in spans)
