"""Which row of the audit log is which participant of Meet.

Meet names people by id and display name, the audit log by address and display name, and neither
by both. Two participants are joined only where nobody else fits; a wrong pair would give somebody
another person's identity, and a missed one only leaves a double nobody knows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from meetbot.domain.addresses import mask_fits, parse_address
from meetbot.domain.attendance import Identity, IdentityForm, Source, Visit
from meetbot.domain.identity import are_names_compatible
from meetbot.domain.people import AccountKind, KnownAccount

_SAME_PERSON = timedelta(minutes=2)
"""Join and leave times of one person in two sources differ by no more than this."""
_CROWD = 50
"""Where more than this many come within two minutes, times tell nobody apart."""
_NEAR = 16
"""Nameless rows tried for a nameless participant; both are in order of their start."""
_SECOND = timedelta(seconds=1)
_NAMELESS = (IdentityForm.ANONYMOUS, IdentityForm.PHONE)
_SIGNED_IN_ROWS = frozenset(IdentityForm) - {IdentityForm.PHONE}
"""What the audit log may call somebody who is signed in: outsiders can have no identifier."""


class Participant:
    """One participant of one source, with the rows of the other source that are the same person."""

    __slots__ = (
        "account",
        "address",
        "address_key",
        "domain",
        "end_at",
        "form",
        "forms",
        "guest_key",
        "id_keys",
        "is_external",
        "is_open",
        "is_taken",
        "masks",
        "names",
        "rows",
        "source",
        "start_at",
        "tokens",
        "visits",
        "was_asked",
    )

    def __init__(self, visits: list[Visit[Identity]]) -> None:
        """Visits of one person in one source, by start; there is at least one."""
        first = visits[0].identity
        self.visits = visits
        self.source = visits[0].source
        self.form = first.form
        self.account: KnownAccount | None = None
        self.guest_key: str | None = None
        """Key of the outside address of a guest who has an account of the district."""
        self.rows: list[Participant] = []
        self.is_taken = False
        self.start_at = min(v.start_at for v in visits)
        self.end_at = max(v.end_at or v.last_seen_at or v.start_at for v in visits)
        self.is_open = any(v.end_at is None for v in visits)
        self.address_key: str | None = first.address_key
        self.address: str | None = first.address
        self.domain: str | None = first.domain
        self.forms: set[IdentityForm] = set()
        self.id_keys: set[str] = set()
        self.names: set[str] = set()
        self.tokens: set[str] = set()
        self.masks: set[str] = set()
        self.was_asked = self.is_external = False
        for visit in visits:
            self._note(visit.identity)

    def _note(self, identity: Identity) -> None:
        self.forms.add(identity.form)
        self.tokens.update(identity.name_tokens)
        self.was_asked |= identity.in_directory is not None
        self.is_external |= identity.is_external is True
        if identity.id_key:
            self.id_keys.add(identity.id_key)
        if identity.name_key:
            self.names.add(identity.name_key)
        if identity.masked:
            self.masks.add(identity.masked)

    @property
    def all_visits(self) -> list[Visit[Identity]]:
        """Visits of both sources, by start."""
        if not self.rows:
            return self.visits
        found = [*self.visits, *(visit for row in self.rows for visit in row.visits)]
        return sorted(found, key=by_start)

    @property
    def is_staff_or_student(self) -> bool:
        """Whether the directory alone tells who this is."""
        return self.account is not None and self.account.kind is not AccountKind.GUEST

    def take(self, row: Participant) -> None:
        """Make a row of the audit log this participant's, with what it tells of them."""
        self.rows.append(row)
        row.is_taken = True
        self.account = self.account or row.account
        self.forms |= row.forms
        self.tokens |= row.tokens
        self.masks |= row.masks
        self.is_external |= row.is_external
        if self.address_key is None and row.address_key is not None:
            self.address_key, self.address, self.domain = row.address_key, row.address, row.domain


def by_start(visit: Visit[Identity]) -> tuple[datetime, str]:
    """Order of visits."""
    return visit.start_at, visit.key


def join_doubles(people: Sequence[Participant]) -> None:
    """Join rows of the audit log to the participants of Meet whose they are.

    By id and address, then by equal names, then by equal times; and people who gave neither
    account nor name (phones, anonymous guests) one to one by the time they share.
    """
    meet = [p for p in people if p.source is Source.MEET]
    _join_known(meet, [p for p in people if p.source is Source.AUDIT])
    meet = [m for m in meet if not m.is_staff_or_student]
    rows = [p for p in people if p.source is Source.AUDIT and not p.is_staff_or_student]
    _join_by_name(meet, rows)
    _join_by_times(
        [m for m in meet if not m.rows and (m.was_asked or m.form in _NAMELESS)], _left(rows)
    )
    for form in _NAMELESS:
        _join_nearest(
            [m for m in meet if m.form is form and m.address_key is None],
            [r for r in _left(rows) if r.form is form],
        )


def _left(rows: Iterable[Participant]) -> list[Participant]:
    return [row for row in rows if not row.is_taken]


def _join_known(meet: Iterable[Participant], rows: Iterable[Participant]) -> None:
    by_id: dict[str, Participant] = {}
    by_address: dict[str, Participant] = {}
    for person in meet:
        by_id.update(dict.fromkeys(person.id_keys, person))
        key = person.guest_key if person.account else person.address_key
        if key is not None:
            by_address[key] = person
    for row in rows:
        found = next((by_id[key] for key in row.id_keys if key in by_id), None)
        found = found or by_address.get(row.address_key or "")
        if found is not None:
            found.take(row)


# --- by name ------------------------------------------------------------------------------------


def _join_by_name(meet: Iterable[Participant], rows: Iterable[Participant]) -> None:
    named: dict[str, tuple[list[Participant], list[Participant]]] = {}
    for person in meet:
        for name in person.names:
            named.setdefault(name, ([], []))[0].append(person)
    for row in _left(rows):
        for name in row.names & named.keys():
            named[name][1].append(row)
    for people, found in named.values():
        if len(people) == 1:
            _join_namesakes(people[0], [r for r in _left(found) if _can_be(people[0], r)])
        else:
            _join_sure(people, _left(found), _has_same_times)


def _join_namesakes(person: Participant, rows: list[Participant]) -> None:
    """Rows that bear the name of just one participant: their devices, or their coming back."""
    rows = [row for row in rows if _overlap(person, row)]
    if len({row.address_key for row in rows if row.address_key}) > 1:
        rows = [row for row in rows if row.address_key is None or _has_same_times(person, row)]
    addresses = {row.address_key for row in rows if row.address_key}
    if len(addresses) > 1:
        rows = [row for row in rows if row.address_key is None]
    for row in sorted(rows, key=lambda r: (r.address_key is None, r.start_at)):
        if _has_room(person, row):
            person.take(row)


def _has_room(person: Participant, row: Participant) -> bool:
    """Whether a participant can have a row besides those it has.

    Somebody signed in may use as many devices at once as Meet saw sessions; each anonymous
    device is a participant of its own.
    """
    if person.form is IdentityForm.SIGNED_IN and len(person.rows) < len(person.visits):
        return True
    return not any(_overlap(other, row) for other in person.rows)


# --- by time ------------------------------------------------------------------------------------


def _join_by_times(meet: Sequence[Participant], rows: Sequence[Participant]) -> None:
    _join_sure(meet, rows, lambda m, r: _have_fitting_names(m, r) and _has_same_times(m, r))


def _join_sure(
    meet: Sequence[Participant],
    rows: Sequence[Participant],
    test: Callable[[Participant, Participant], bool],
) -> None:
    """Join each participant and row that fit one another and nobody else."""
    rows = sorted(rows, key=lambda r: r.start_at)
    starts = [row.start_at for row in rows]
    fits: dict[int, list[int]] = {}
    rivals: dict[int, int] = {}
    for number, person in enumerate(meet):
        first = bisect_left(starts, person.start_at - _SAME_PERSON - _SECOND)
        last = bisect_right(starts, person.start_at + _SAME_PERSON + _SECOND)
        if last - first > _CROWD:
            continue
        near = range(first, last)
        fits[number] = [i for i in near if _can_be(person, rows[i]) and test(person, rows[i])]
        for i in fits[number]:
            rivals[i] = rivals.get(i, 0) + 1
    for number, found in fits.items():
        if len(found) == 1 and rivals[found[0]] == 1:
            meet[number].take(rows[found[0]])


def _join_nearest(meet: list[Participant], rows: list[Participant]) -> None:
    """People without an identity: only their number matters, so the best row left will do."""
    by_time = sorted(rows, key=lambda r: (r.start_at, r.end_at))
    waiting = sorted(meet, key=lambda m: (m.start_at, m.end_at))
    while by_time and waiting:
        waiting = [person for person in waiting if _take_nearest(person, by_time)]


def _take_nearest(person: Participant, rows: list[Participant]) -> bool:
    """Take a row with the same times, else the one that shares most and lies mostly within."""
    first = bisect_left(rows, person.start_at - _SAME_PERSON, key=lambda r: r.start_at)
    best, most = -1, timedelta(0)
    for number in range(first, min(first + _NEAR, len(rows))):
        row = rows[number]
        if not _is_nameless_match(person, row):
            continue
        if not person.rows and _has_same_times(person, row):
            best = number
            break
        time = _overlap(person, row)
        if time > most and time * 2 > row.end_at - row.start_at and _has_room(person, row):
            best, most = number, time
    if best < 0:
        return False
    person.take(rows.pop(best))
    return True


def _is_nameless_match(person: Participant, row: Participant) -> bool:
    """Phones are named by their number, which the two sources hide in different ways."""
    is_phone = person.form is IdentityForm.PHONE
    return _can_be(person, row) and (is_phone or _have_fitting_names(person, row))


# --- what fits ----------------------------------------------------------------------------------


def _can_be(person: Participant, row: Participant) -> bool:
    known = person.guest_key or person.address_key
    if known is not None:
        # Never somebody else's address, and no obscured one that cannot be theirs.
        address = parse_address(person.address or "")
        is_same = row.address_key in (None, known)
        return is_same and (address is None or all(mask_fits(m, address) for m in row.masks))
    if person.form is IdentityForm.SIGNED_IN:
        return row.form in _SIGNED_IN_ROWS
    return row.form is person.form


def _have_fitting_names(person: Participant, row: Participant) -> bool:
    """Whether the names do not speak against it: equal, alike, or not given by one source."""
    if not person.names or not row.names or person.names & row.names:
        return True
    return are_names_compatible(person.tokens, row.tokens)


def _has_same_times(person: Participant, row: Participant) -> bool:
    if abs(person.start_at - row.start_at) > _SAME_PERSON:
        return False
    return person.is_open or abs(person.end_at - row.end_at) <= _SAME_PERSON


def _overlap(one: Participant, row: Participant) -> timedelta:
    """Time that somebody shares with a row, which tells of a leave and so has an end."""
    end = row.end_at if one.is_open else min(one.end_at, row.end_at)
    return max(end - max(one.start_at, row.start_at), timedelta(0))
