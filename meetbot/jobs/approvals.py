"""Approvals: a host asks, a principal or lead answers, the answer becomes the registry's row.

Each function runs in one transaction of the caller. What is not theirs does not exist for people:
`NotFound`. What they filled in wrongly is `BadInput`, each mistake at the name of its field.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from meetbot.domain.addresses import parse_address
from meetbot.domain.approvals import (
    Answer,
    Approval,
    ApprovalState,
    Ask,
    Problem,
    answer_problems,
    approval_id,
    ask_problems,
    authorization_of,
    days_of,
    people_who_lead,
)
from meetbot.domain.authorizing import Authorized, authorization_answer
from meetbot.domain.cards import card_of, is_sensitive, occasion_of, partner_line, programs_of
from meetbot.domain.case_ids import case_id
from meetbot.domain.dossier import Dossier
from meetbot.domain.meetings import Scope
from meetbot.domain.notices import (
    ApprovalNotice,
    Audience,
    MeetingCard,
    Notice,
    NoticeKind,
    PartnerLine,
)
from meetbot.domain.registry import Program, Registry, RegistryFile, School, to_cells
from meetbot.domain.routing import notice_id
from meetbot.errors import BadInput, Mistake, NotFound
from meetbot.jobs import registry_edit
from meetbot.jobs.deps import Deps
from meetbot.jobs.dossiers import load
from meetbot.jobs.registry_edit import Editor
from meetbot.jobs.rosters import roster_in
from meetbot.ports import Tx
from meetbot.rules import is_confidential


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in: the address, and its key."""

    address: str
    key: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A partner of the meeting that approval can be asked for. `line` says where it stands."""

    partner_id: str
    name: str
    programs: tuple[Program, ...]
    program_id: str | None
    """The one that the meeting seems to belong to."""
    line: PartnerLine
    is_authorized: bool
    waiting: Approval | None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a host may ask for one meeting; first and last day are those of the meeting."""

    case_id: str
    start_at: datetime
    end_at: datetime
    school: School
    first_day: date
    last_day: date
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as principal, lead and host see it. `line`: the partner's standing for it now."""

    approval: Approval
    school: str
    partner: str
    program: str
    line: PartnerLine | None
    """None once the meeting is over, cancelled or confidential."""
    may_answer: bool
    why_not: str = ""


# --- asking -------------------------------------------------------------------------------------


def offer(deps: Deps, tx: Tx, case: str, who: Person, as_of: datetime) -> Offer:
    """What the host of a meeting ahead may ask for; raises `NotFound` for everybody else."""
    return _offer(deps, tx, case, _own_meeting(deps, tx, case, who, as_of), as_of)


def _offer(deps: Deps, tx: Tx, case: str, dossier: Dossier, as_of: datetime) -> Offer:
    school = dossier.host.school
    if school is None:
        what = "has a host whose school is not known, so nobody can be asked"
        fix = "ask the registry keeper to add your unit's school"
        raise BadInput([Mistake("meeting", what, fix)])
    first, last = days_of(dossier.start_at, dossier.end_at, dossier.zone)
    earlier = tx.approvals.of(dossier.key.text)
    return Offer(
        case_id=case,
        start_at=dossier.start_at,
        end_at=dossier.end_at,
        school=school,
        first_day=first,
        last_day=last,
        choices=tuple(
            _choice(deps, dossier, partner, program, earlier, as_of)
            for partner, program in programs_of(dossier).items()
        ),
    )


def _own_meeting(deps: Deps, tx: Tx, case: str, who: Person, as_of: datetime) -> Dossier:
    number = _meeting_of(deps, tx, case, as_of)
    dossier = None if number is None else _dossier(deps, tx, number, as_of)
    if dossier is None or not _is_open(dossier, as_of) or not _is_host(deps, tx, dossier, who):
        raise NotFound("there is no meeting of yours to ask for", fix="follow the link of the mail")
    return dossier


def _meeting_of(deps: Deps, tx: Tx, case: str, as_of: datetime) -> int | None:
    """A meeting need not have a flag, and so a case, to be asked for."""
    known = tx.cases.find(case)
    if known is not None:
        return tx.meetings.named(known.occurrence)
    ahead = tx.meetings.ahead(as_of, as_of + deps.district.horizon)
    return next((number for number, text in ahead.items() if case_id(text) == case), None)


def _dossier(deps: Deps, tx: Tx, number: int, as_of: datetime) -> Dossier:
    roster = roster_in(deps, tx, tx.registry.current())
    return load(deps, tx, tx.meetings.load(number), roster, as_of).dossier


def _is_open(dossier: Dossier, as_of: datetime) -> bool:
    """Whether approval can still be asked for; a confidential meeting is nobody else's business."""
    meeting = dossier.meeting
    return (
        meeting is not None
        and not meeting.is_cancelled
        and dossier.start_at > as_of
        and dossier.scope is Scope.FULL
        and not is_confidential(dossier)
    )


def _is_host(deps: Deps, tx: Tx, dossier: Dossier, who: Person) -> bool:
    return dossier.host.address is not None and who.key in _keys(deps, tx, [dossier.host.address])


def _keys(deps: Deps, tx: Tx, addresses: Iterable[str]) -> set[str]:
    """Keys of these people: of the address as written, and of the account it is an alias of."""
    written = {deps.pseudonyms.address(a.key) for a in map(parse_address, addresses) if a}
    accounts = tx.people.by_address(written).values()
    primary = (parse_address(account.address or "") for account in accounts)
    return written | {deps.pseudonyms.address(address.key) for address in primary if address}


def _choice(
    deps: Deps,
    dossier: Dossier,
    partner_id: str,
    program_id: str | None,
    earlier: Iterable[Approval],
    as_of: datetime,
) -> Choice:
    registry = dossier.registry
    partner = registry.partner(partner_id)
    answer = authorization_answer(registry, partner_id, program_id, occasion_of(dossier))
    return Choice(
        partner_id=partner_id,
        name=partner.name if partner else partner_id,
        programs=registry.programs_of(partner_id),
        program_id=program_id,
        line=partner_line(dossier, partner_id, program_id, deps.district.recipients.contacts),
        is_authorized=isinstance(answer, Authorized),
        waiting=next((a for a in earlier if a.partner_id == partner_id and a.waits(as_of)), None),
    )


def ask(deps: Deps, tx: Tx, case: str, asked: Ask, who: Person, as_of: datetime) -> Approval:
    """Store a host's request and queue the mail to those who may answer it."""
    dossier = _own_meeting(deps, tx, case, who, as_of)
    given = _offer(deps, tx, case, dossier, as_of)
    problems = [
        *_choice_problems(given, asked),
        *ask_problems(asked, dossier.start_at, dossier.end_at, dossier.zone),
    ]
    host = dossier.host.address or who.address
    to = approvers(deps, tx, given.school, host)
    if not to:
        fix = "ask the registry keeper to name a principal or lead"
        problems.append(Problem("meeting", "is of a school where nobody may approve", fix))
    _refuse(problems)
    approval = Approval(
        id=approval_id(dossier.key.text, asked.partner_id, as_of),
        occurrence=dossier.key.text,
        case_id=case,
        partner_id=asked.partner_id,
        program_id=asked.program_id,
        school_id=given.school.school_id,
        host=host,
        host_key=who.key,
        start_at=dossier.start_at,
        end_at=dossier.end_at,
        starts_on=asked.starts_on,
        ends_on=asked.ends_on,
        words=asked.words,
        asked_at=as_of,
        expires_at=min(as_of + deps.district.approvals_expire, dossier.start_at),
    )
    tx.approvals.add(approval)
    card = _card(deps, dossier, approval)
    notice = _notice(NoticeKind.APPROVAL, Audience.PRINCIPAL, to, approval, card, dossier, as_of)
    tx.outbox.add([replace(notice, not_after=approval.expires_at)], as_of=as_of)
    return approval


def _choice_problems(given: Offer, asked: Ask) -> Iterable[Problem]:
    choice = next((c for c in given.choices if c.partner_id == asked.partner_id), None)
    if choice is None:
        yield Problem("partner", "is not at this meeting", "choose one of the list")
        return
    if asked.program_id not in {program.program_id for program in choice.programs}:
        yield Problem("program", "is none of this partner's", "choose one of the list")
    elif choice.is_authorized and asked.program_id == choice.program_id:
        yield Problem("partner", "is approved for this meeting already", "nothing is to be done")
    if choice.waiting is not None:
        yield Problem("partner", "was asked for already", "wait for the answer")


def _refuse(problems: Iterable[Problem]) -> None:
    mistakes = [Mistake(problem.field, problem.what, problem.fix) for problem in problems]
    if mistakes:
        raise BadInput(mistakes)


# --- who may answer -----------------------------------------------------------------------------


def approvers(deps: Deps, tx: Tx, school: School, host: str) -> tuple[str, ...]:
    """Principals and leads in the district's domains, without the host unless nobody else is."""
    people = tuple(
        address
        for address in people_who_lead(school)
        if (parsed := parse_address(address)) and parsed.domain in deps.district.domains
    )
    own = _keys(deps, tx, [host])
    others = tuple(a for a in people if own.isdisjoint(_keys(deps, tx, [a])))
    return others or people


def _may_answer(deps: Deps, tx: Tx, approval: Approval, who: Person) -> bool:
    school = tx.registry.current().school(approval.school_id)
    if school is None:
        return False
    return who.key in _keys(deps, tx, approvers(deps, tx, school, approval.host))


def _leads(deps: Deps, tx: Tx, registry: Registry, school_id: str, who: Person) -> bool:
    school = registry.school(school_id)
    return school is not None and who.key in _keys(deps, tx, people_who_lead(school))


# --- looking ------------------------------------------------------------------------------------


def view(deps: Deps, tx: Tx, wanted: str, who: Person, as_of: datetime) -> Request:
    """A request, for its host and for those who lead its school; raises `NotFound` for others."""
    approval = tx.approvals.get(wanted)
    registry = tx.registry.current()
    if approval.host_key != who.key and not _leads(deps, tx, registry, approval.school_id, who):
        raise NotFound("there is no such request for approval", fix="see the list of requests")
    dossier = _current(deps, tx, approval, as_of)
    why_not = _why_not(deps, tx, approval, dossier, who, as_of)
    return replace(
        titled(registry, approval),
        line=None if dossier is None else _line(deps, dossier, approval),
        may_answer=not why_not,
        why_not=why_not,
    )


def titled(registry: Registry, approval: Approval) -> Request:
    """A request with the names of what it is about, for a list."""
    school = registry.school(approval.school_id)
    partner = registry.partner(approval.partner_id)
    program = registry.program(approval.program_id)
    return Request(
        approval,
        school=school.name if school else approval.school_id,
        partner=partner.name if partner else approval.partner_id,
        program=program.name if program else approval.program_id,
        line=None,
        may_answer=False,
    )


def _current(deps: Deps, tx: Tx, approval: Approval, as_of: datetime) -> Dossier | None:
    """The meeting as it is now; None where nothing can be approved any more."""
    number = tx.meetings.named(approval.occurrence)
    dossier = None if number is None else _dossier(deps, tx, number, as_of)
    return dossier if dossier is not None and _is_open(dossier, as_of) else None


def _why_not(
    deps: Deps,
    tx: Tx,
    approval: Approval,
    dossier: Dossier | None,
    who: Person,
    as_of: datetime,
) -> str:
    if approval.state is not ApprovalState.PENDING:
        return "was answered already"
    if as_of >= approval.expires_at:
        return "has expired"
    if dossier is None:
        return "is about a meeting that was cancelled, moved or has begun"
    if not _may_answer(deps, tx, approval, who):
        return "is to be answered by another principal or lead"
    return ""


# --- answering ----------------------------------------------------------------------------------


def decide(deps: Deps, tx: Tx, wanted: str, answer: Answer, who: Person) -> Approval:
    """Store an answer once; an approval becomes a registry row, and the meeting is judged anew."""
    as_of = answer.at
    asked = view(deps, tx, wanted, who, as_of)
    approval = asked.approval
    if asked.why_not:
        fix = "see the answer" if approval.decided_at else "the host can ask again"
        raise BadInput([Mistake("request", asked.why_not, fix)])
    _refuse(answer_problems(approval, answer))
    dossier = _current(deps, tx, approval, as_of)
    assert dossier is not None  # `why_not` would have said so
    row = authorization_of(approval, answer)
    if row is not None:
        _authorize(deps, tx, to_cells(row), dossier, who, as_of)
    decided = tx.approvals.decide(approval.id, answer)
    tx.outbox.add(_outcome(deps, tx, decided, dossier, who, as_of), as_of=as_of)
    return decided


def _authorize(
    deps: Deps, tx: Tx, cells: dict[str, str], dossier: Dossier, who: Person, as_of: datetime
) -> None:
    host = dossier.host.invitee
    concerned = {host.guest.address_key} if host else None
    editor = Editor(who.address, as_of, deps.district.domains)
    edit = registry_edit.add(tx, RegistryFile.AUTHORIZATIONS, cells, editor, concerned=concerned)
    if edit.mistakes:
        raise BadInput(mistake.as_mistake() for mistake in edit.mistakes)


def _outcome(
    deps: Deps, tx: Tx, approval: Approval, dossier: Dossier, who: Person, as_of: datetime
) -> list[Notice]:
    """The host is told, and the officers where the host answered alone."""
    card = _card(deps, dossier, approval)
    audiences: list[tuple[Audience, tuple[str, ...]]] = [(Audience.HOST, (approval.host,))]
    if who.key in _keys(deps, tx, [approval.host]):
        audiences.append((Audience.OFFICERS, deps.district.recipients.officers))
    return [
        _notice(NoticeKind.APPROVAL_OUTCOME, audience, to, approval, card, dossier, as_of)
        for audience, to in audiences
    ]


def _line(deps: Deps, dossier: Dossier, approval: Approval) -> PartnerLine:
    contacts = deps.district.recipients.contacts
    return partner_line(dossier, approval.partner_id, approval.program_id, contacts)


def _card(deps: Deps, dossier: Dossier, approval: Approval) -> MeetingCard:
    card = card_of(dossier, deps.district.recipients.contacts)
    return replace(card, partners=(_line(deps, dossier, approval),))


def _notice(
    kind: NoticeKind,
    audience: Audience,
    to: tuple[str, ...],
    approval: Approval,
    card: MeetingCard,
    dossier: Dossier,
    as_of: datetime,
) -> Notice:
    program = dossier.registry.program(approval.program_id)
    is_hidden = is_sensitive(dossier, approval.partner_id, approval.program_id)
    content = ApprovalNotice(
        card=card,
        approval_id=approval.id,
        program=program.name if program and not is_hidden else "",
        starts_on=approval.granted_from or approval.starts_on,
        ends_on=approval.granted_to or approval.ends_on,
        expires_at=approval.expires_at,
        state=approval.state,
        refusal=approval.refusal,
    )
    return Notice(
        id=notice_id(kind, audience, approval.id),
        kind=kind,
        audience=audience,
        to=to,
        content=content,
        thread=card.thread,
        due_at=as_of,
        occurrence=approval.occurrence,
    )
