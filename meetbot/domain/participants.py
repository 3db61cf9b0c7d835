"""Who was in a call: participants of both sources, resolved and united per person.

Rule catalogue §2, Identity confidence. Meet names people by id, the audit log by address; one
person in both must become one attendance, or an identified partner would stand beside an
unidentified double of themselves. Which row is whose is found in `domain.doubles`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from meetbot.domain.addresses import mask_fits, parse_address
from meetbot.domain.attendance import Attendance, Identity, IdentityForm, Source, Visit
from meetbot.domain.dossier import Invitee
from meetbot.domain.doubles import Participant, by_start, join_doubles
from meetbot.domain.identity import Roster, are_names_compatible
from meetbot.domain.people import AccountKind, Confidence, Kind, KnownAccount


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
    people = _participants(visits)
    for person in people:
        _look_up(person, accounts_by_person, accounts_by_address, learned, roster)
    join_doubles(people)
    people = [person for person in people if not person.is_taken]
    classify = _Classifier({i.guest.address_key: i for i in invitees}, roster, at)
    guesses = classify.guesses(people)
    united: dict[str, list[Attendance]] = {}
    for number, person in enumerate(people):
        attendance = classify(person, guesses.get(number))
        united.setdefault(attendance.person_key, []).append(attendance)
    return Resolution(
        attendances=tuple(_unite(group) for group in united.values()),
        learned=tuple(entry for person in people for entry in _learned(person, learned, roster)),
        unresolved=sum(1 for person in people if _is_unresolved(person)),
    )


# --- Participants -------------------------------------------------------------------------------


def _participants(visits: Iterable[Visit[Identity]]) -> list[Participant]:
    groups: dict[tuple[str, ...], dict[str, Visit[Identity]]] = {}
    for visit in sorted(visits, key=lambda v: (v.source, v.start_at, v.key)):
        groups.setdefault(_whose(visit), {})[visit.key] = visit
    return [Participant(list(group.values())) for group in groups.values()]


def _whose(visit: Visit[Identity]) -> tuple[str, ...]:
    """What makes visits of one source one person's, in all conferences of the occurrence."""
    identity = visit.identity
    if identity.address_key:
        return (visit.source, "address", identity.address_key)
    if identity.id_key:
        return (visit.source, "id", identity.id_key)
    return (visit.source, visit.conference, visit.participant)


def _look_up(
    person: Participant,
    accounts_by_person: Mapping[str, KnownAccount],
    accounts_by_address: Mapping[str, KnownAccount],
    learned: Mapping[str, tuple[str, str]],
    roster: Roster,
) -> None:
    accounts = [accounts_by_person.get(key) for key in person.id_keys]
    accounts.append(accounts_by_address.get(person.address_key or ""))
    person.account = next((account for account in accounts if account), None)
    if person.account is not None:
        real = parse_address(person.account.guest_address or "")
        person.guest_key = roster.key(real) if real else None
    elif person.address_key is None:
        known = next((learned[key] for key in person.id_keys if key in learned), None)
        if known is not None:
            person.address_key, person.address = known


def _learned(
    person: Participant, known: Mapping[str, tuple[str, str]], roster: Roster
) -> Iterator[Learned]:
    """The person's id with the clear address of an outsider; nothing of the district's own."""
    if person.account is not None or person.source is not Source.MEET or not person.was_asked:
        return
    parsed = parse_address(person.address or "")
    if parsed is None or person.address_key is None or parsed.domain in roster.district_domains:
        return
    for id_key in person.id_keys:
        if person.rows and id_key not in known:
            yield Learned(id_key, person.address_key, parsed.text)


def _is_unresolved(person: Participant) -> bool:
    is_named = person.form in (IdentityForm.SIGNED_IN, IdentityForm.ADDRESS)
    is_known = person.account is not None or person.address_key is not None
    return is_named and not is_known and not person.was_asked and not person.is_external


# --- Classes ------------------------------------------------------------------------------------

_OUTSIDERS = (Kind.PARTNER, Kind.EXTERNAL, Kind.EXEMPT)


@dataclass(frozen=True, slots=True)
class _Classifier:
    invited: Mapping[str, Invitee]
    roster: Roster
    at: datetime

    def __call__(self, person: Participant, guess: Invitee | None) -> Attendance:
        if person.account is not None:
            return self._of_account(person, person.account)
        if IdentityForm.DEVICE in person.forms:
            key = "d:" + person.visits[0].participant
            return _attendance(key, Kind.ROOM, Confidence.NONE, person, form=IdentityForm.DEVICE)
        if person.address_key is not None:
            return self._of_address(person, person.address_key)
        if guess is not None:
            return replace(
                self._outsider(person, guess.guest.address_key, guess.guest.domain),
                confidence=Confidence.COMPATIBLE,
                form=person.form,
            )
        kind = Kind.UNKNOWN if _is_unresolved(person) else Kind.UNIDENTIFIED
        key = f"u:{person.source}:{next(iter(person.id_keys), person.visits[0].participant)}"
        return _attendance(key, kind, Confidence.NONE, person, form=person.form)

    def _of_account(self, person: Participant, account: KnownAccount) -> Attendance:
        own_key, own_domain = self.roster.own_address(account)
        key = person.address_key or own_key
        kind = self.roster.kind_of_account(account, key)
        is_invited = key in self.invited or own_key in self.invited
        if kind is not None:
            return Attendance(
                "p:" + account.person_key,
                kind,
                Confidence.DIRECTORY,
                tuple(person.all_visits),
                address_key=key,
                domain=own_domain or person.domain,
                is_invited=is_invited,
                unit_path=account.unit_path if kind is Kind.STAFF else None,
            )
        outside_key, domain = self.roster.outside_address(account, key, person.domain)
        found = self._outsider(person, outside_key, domain)
        is_invited |= found.is_invited
        if account.kind is AccountKind.GUEST:  # the audit log tells the outside address only
            return replace(found, is_invited=is_invited, form=IdentityForm.SIGNED_IN)
        return replace(
            found,
            person_key="p:" + account.person_key,
            confidence=Confidence.DIRECTORY,
            is_invited=is_invited,
            form=IdentityForm.SIGNED_IN,
        )

    def _of_address(self, person: Participant, address_key: str) -> Attendance:
        parsed = parse_address(person.address) if person.address else None
        domain = parsed.domain if parsed else person.domain or ""
        kind = self.roster.unlisted(address_key, domain)
        if kind is None:
            return self._outsider(person, address_key, domain)
        confidence = Confidence.ADDRESS if kind is Kind.STUDENT else Confidence.NONE
        return replace(
            _attendance("a:" + address_key, kind, confidence, person, form=IdentityForm.ADDRESS),
            domain=domain,
            address_key=address_key,
            is_invited=address_key in self.invited,
        )

    def _outsider(self, person: Participant, key: str | None, domain: str) -> Attendance:
        found = self.roster.outsider(key, domain, self.at)
        return Attendance(
            "a:" + (key or person.visits[0].participant),
            found.kind,
            Confidence.ADDRESS,
            tuple(person.all_visits),
            partner_id=found.partner_id,
            domain=domain or None,
            address_key=key,
            is_invited=key in self.invited,
            form=IdentityForm.ADDRESS,
            lookalike_of=found.lookalike_of,
            exemption=found.exemption,
        )

    # --- by obscured address or name ---

    def guesses(self, people: Sequence[Participant]) -> dict[int, Invitee]:
        """The one invited outsider each unidentified participant can be, by their number.

        Where several in the call at once would be one invitee, the better evidence counts: an
        obscured address before a signed-in account's name before a name that anybody can type.
        """
        present = {key for p in people for key in (p.address_key, p.guest_key) if key}
        guests = [
            i
            for i in self.invited.values()
            if i.guest.address_key not in present and i.kind not in (Kind.ROOM, Kind.STUDENT)
        ]
        claims: dict[str, list[tuple[int, int]]] = {}
        found: dict[int, Invitee] = {}
        for number, person in enumerate(people):
            invitee = _compatible(person, guests)
            if invitee is not None:
                found[number] = invitee
                claims.setdefault(invitee.guest.address_key, []).append((_rank(person), number))
        for group in claims.values():
            for number in _refused(group, people):
                del found[number]
        return found


def _rank(person: Participant) -> int:
    """How weak the evidence is by which somebody claims to be an invitee; 0 is the best."""
    if person.masks:
        return 0
    return 1 if person.form is IdentityForm.SIGNED_IN else 2


def _compatible(person: Participant, guests: Collection[Invitee]) -> Invitee | None:
    """The only invitee that fits, if it is an outsider.

    Staff and students are never recognized by a name that anybody can type (facts §9, 9), but a
    name that may be theirs is no outsider's either.
    """
    is_named = bool(person.masks or person.tokens)
    if not is_named or person.account or person.address_key or _is_unresolved(person):
        return None
    if IdentityForm.DEVICE in person.forms:
        return None
    if person.masks:
        fits = [i for i in guests if all(_fits_mask(mask, i) for mask in person.masks)]
    else:
        fits = [i for i in guests if are_names_compatible(person.tokens, i.guest.name_tokens)]
    return fits[0] if len(fits) == 1 and fits[0].kind in _OUTSIDERS else None


def _fits_mask(masked: str, invitee: Invitee) -> bool:
    address = parse_address(invitee.guest.address or "")
    return address is not None and mask_fits(masked, address)


def _refused(claims: list[tuple[int, int]], people: Sequence[Participant]) -> Iterator[int]:
    """Numbers of participants who cannot have the identity that several claim."""
    best = min(rank for rank, _ in claims)
    yield from (number for rank, number in claims if rank != best)
    finalists = [number for rank, number in claims if rank == best]
    ordered = sorted((people[number] for number in finalists), key=lambda p: p.start_at)
    if any(later.start_at < earlier.end_at for earlier, later in pairwise(ordered)):
        yield from finalists


def _attendance(
    key: str,
    kind: Kind,
    confidence: Confidence,
    person: Participant,
    *,
    form: IdentityForm = IdentityForm.SIGNED_IN,
) -> Attendance:
    return Attendance(key, kind, confidence, tuple(person.all_visits), form=form)


def _unite(group: list[Attendance]) -> Attendance:
    """One attendance per person; the surest identity wins."""
    if len(group) == 1:
        return group[0]
    best = min(group, key=lambda a: a.confidence)
    visits = {(v.source, v.key): v for attendance in group for v in attendance.visits}
    return replace(
        best,
        visits=tuple(sorted(visits.values(), key=by_start)),
        is_invited=any(a.is_invited for a in group),
    )


# --- Do the sources agree? ----------------------------------------------------------------------


def contradictions(
    attendances: Iterable[Attendance], *, tolerance: timedelta
) -> tuple[timedelta, ...]:
    """For staff and outsiders seen by both sources: stretches only one of them saw.

    Gives the stretches longer than `tolerance`, in whole seconds, longest first. People of whom
    any visit has no end are not compared.
    """
    found: list[timedelta] = []
    for attendance in attendances:
        if attendance.kind in (Kind.STAFF, Kind.PARTNER, Kind.EXTERNAL):
            found += [d for d in _differences(attendance) or () if d > tolerance]
    return tuple(sorted(found, reverse=True))


def do_sources_agree(attendances: Iterable[Attendance], *, tolerance: timedelta) -> bool:
    """Whether everybody but unidentified people was seen by both sources, at the same times."""
    people = [
        a for a in attendances if a.kind in (Kind.STAFF, Kind.STUDENT, Kind.PARTNER, Kind.EXTERNAL)
    ]
    for attendance in people:
        differences = _differences(attendance)
        if differences is None or any(d > tolerance for d in differences):
            return False
    return bool(people)


Span = tuple[datetime, datetime]


def _differences(attendance: Attendance) -> list[timedelta] | None:
    """Lengths of the stretches that one source saw and the other did not.

    None where they cannot be compared: one saw nothing, or a visit has no end.
    """
    if any(visit.end_at is None for visit in attendance.visits):
        return None
    meet, audit = _spans(attendance, Source.MEET), _spans(attendance, Source.AUDIT)
    if not meet or not audit:
        return None
    if any(visit.is_hull for visit in attendance.visits):
        # First join and last leave hide every gap, so only these can be compared.
        meet, audit = [(meet[0][0], meet[-1][1])], [(audit[0][0], audit[-1][1])]
    return [*_without(meet, audit), *_without(audit, meet)]


def _spans(attendance: Attendance, source: Source) -> list[Span]:
    """When one source saw the person: whole seconds, as the audit log has no others."""
    spans = sorted(
        (v.start_at.replace(microsecond=0), v.end_at.replace(microsecond=0))
        for v in attendance.visits
        if v.source is source and v.end_at is not None and v.start_at <= v.end_at
    )
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _without(spans: list[Span], others: list[Span]) -> Iterator[timedelta]:
    """Lengths of what is left of spans where others are cut out; both are unions in order."""
    for start, end in spans:
        at = start
        for left, right in others:
            if right <= at or left >= end:
                continue
            if left > at:
                yield left - at
            at = max(at, right)
        if at < end:
            yield end - at
