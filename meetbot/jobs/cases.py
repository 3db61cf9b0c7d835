"""What officers and hosts do about a case, each in one transaction of the caller.

Every function takes the case's id and who acts, and gives the event that was stored. All of them
raise `NotFound` for a case that is not there, `AccessDenied` for somebody who may not do this
(whoever calls checks that first, and shows nothing), `Outdated` where the case is not as it was
shown any more, and `BadInput` whose mistakes have the name of a form's field as place: `reason`,
`note`, `flags`, `choice`, `person`, `about`, `version`, `event`, or `case` where no field is to
blame.

What a case page shows is in `jobs.case_facts`, what is mailed in `jobs.case_mails`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from meetbot.domain.addresses import parse_address
from meetbot.domain.casework import Case, CaseEvent, EventKind, Step
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.people import AccountKind
from meetbot.domain.registry import IdentityKind
from meetbot.errors import AccessDenied, BadInput, MeetbotError, Mistake, NotFound, Outdated
from meetbot.jobs import case_mails
from meetbot.jobs.case_facts import flags_of, strangers_of
from meetbot.jobs.decisions import (
    decide_all,
    decision_mistakes,
    gone_mistakes,
    needs_two,
    note_mistakes,
    record,
    restore,
)
from meetbot.jobs.deps import Standards
from meetbot.ports import Decision, Tx

UNDO_WITHIN = timedelta(seconds=60)
"""How long a decision can be undone by who made it; mails about it wait as long."""
LONGEST_NOTE = 1000
"""Characters of a free text."""
_OFFICER, _PRIVACY = "officer", "privacy"
_UNDOABLE = (
    EventKind.ACKNOWLEDGED,
    EventKind.UPHELD,
    EventKind.DISMISSED,
    EventKind.CONFIRMED,
    EventKind.PROPOSED,
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `key` is the keyed address, `roles` the names of `console.access.Role`."""

    address: str
    key: str
    roles: frozenset[str]


class Answer(StrEnum):
    """What a host can say of a meeting at once; `other` needs a note."""

    OTHER_DEVICE = "was-there-on-another-device"
    COLLEAGUE = "colleague-was-present"
    LEFT_EARLY = "left-early"
    PARTNER_ALONE = "partner-alone-by-mistake"
    MENDED = "mended"
    """The setting or the invitation is put right."""
    NOT_MINE = "not-my-meeting"
    AS_SEEN = "as-seen"
    OTHER = "other"


class Who(StrEnum):
    """Who an unknown participant was. Nobody writes a name: a student has none here."""

    ME = "me"
    """The host, on another device."""
    COLLEAGUE = "colleague"
    """`person` is the address of a staff account."""
    STUDENT = "student"
    PARTNER = "partner"
    """`person` is a partner_id, or a registered address of a partner."""
    FAMILY = "interpreter-or-guardian"
    UNKNOWN = "do-not-know"


# --- officers' decisions ------------------------------------------------------------------------


def acknowledge(
    deps: Standards,
    tx: Tx,
    case_id: str,
    actor: Actor,
    *,
    as_of: datetime,
    version: int | None = None,
    note: str = "",
) -> CaseEvent:
    """Say that the open flags of a case were seen."""
    case = _officers_case(tx, case_id, actor, version)
    flags = [flag for flag in flags_of(tx, case) if flag.status is FlagStatus.OPEN]
    if not flags:
        raise _wrong("case", "has no open flag", "look at it again: somebody was faster")
    _check_note(deps, tx, note)
    return record(
        tx, flags, Decision("", FlagStatus.ACKNOWLEDGED, "seen", note, actor.address, as_of)
    )


@dataclass(frozen=True, slots=True)
class Bulk:
    """What became of several cases: those done, and why the others were left."""

    done: tuple[CaseEvent, ...]
    left: Mapping[str, str]
    """By case id one sentence."""


def acknowledge_many(
    deps: Standards,
    tx: Tx,
    case_ids: Collection[str],
    actor: Actor,
    *,
    as_of: datetime,
    versions: Mapping[str, int] | None = None,
) -> Bulk:
    """Acknowledge several cases; one that cannot be is left and named."""
    done: list[CaseEvent] = []
    left: dict[str, str] = {}
    for case_id in dict.fromkeys(case_ids):
        version = (versions or {}).get(case_id)
        try:
            done.append(acknowledge(deps, tx, case_id, actor, as_of=as_of, version=version))
        except BadInput as error:
            left[case_id] = error.mistakes[0].what
        except MeetbotError:
            left[case_id] = "is not there"
    return Bulk(tuple(done), left)


def decide(
    deps: Standards,
    tx: Tx,
    case_id: str,
    actor: Actor,
    *,
    status: FlagStatus,
    reason: str,
    as_of: datetime,
    note: str = "",
    flag_ids: Collection[str] | None = None,
    version: int | None = None,
    tell_host: bool = True,
) -> CaseEvent:
    """Uphold or dismiss these flags of a case, or (None) all that wait for a decision.

    Where the district wants two officers for such flags it is only proposed: the event's kind
    tells. A host who was asked or told hears the outcome by mail, unless `tell_host` is off.
    """
    case = _officers_case(tx, case_id, actor, version)
    flags = _chosen(tx, case, flag_ids)
    mistakes = decision_mistakes(status, reason, note) + gone_mistakes(flags)
    if mistakes:
        raise BadInput(mistakes)
    _check_note(deps, tx, note)
    decision = Decision("", status, reason, note, actor.address, as_of)
    if needs_two(deps, status, flags):
        return _propose(tx, case, flags, decision)
    event = record(tx, flags, decision)
    if tell_host:
        case_mails.tell_outcome(deps, tx, case, flags, status, as_of, wait=UNDO_WITHIN)
    return event


def _chosen(tx: Tx, case: Case, flag_ids: Collection[str] | None) -> list[Flag]:
    flags = flags_of(tx, case)
    if flag_ids is None:
        chosen = [flag for flag in flags if flag.status.is_pending]
        if not chosen:
            raise _wrong("flags", "are all decided", "choose the flags to decide again")
        return chosen
    chosen = [flag for flag in flags if flag.id in flag_ids]
    if not chosen or len(chosen) != len(set(flag_ids)):
        raise _wrong("flags", "are not all flags of this case", "choose them from its page")
    return chosen


# --- four eyes ----------------------------------------------------------------------------------


def open_proposal(events: Iterable[CaseEvent]) -> CaseEvent | None:
    """The decision that waits for a second officer."""
    waiting: CaseEvent | None = None
    for event in events:
        if event.kind is EventKind.PROPOSED:
            waiting = event
        elif waiting is not None and event.of == waiting.number:
            waiting = None
    return waiting


def proposed_status(proposal: CaseEvent) -> FlagStatus:
    """What a proposal would make of its flags."""
    return proposal.steps[0].after


def _propose(tx: Tx, case: Case, flags: Sequence[Flag], decision: Decision) -> CaseEvent:
    if open_proposal(tx.cases.events(case.id)) is not None:
        fix = "have another officer confirm or reject it first"
        raise _wrong("case", "has a proposal that waits for a second officer", fix)
    return tx.cases.add_event(
        CaseEvent(
            case.id,
            EventKind.PROPOSED,
            decision.decided_at,
            decision.by,
            choice=decision.reason,
            note=decision.note,
            steps=tuple(Step(flag.id, flag.status, decision.status) for flag in flags),
        )
    )


def confirm(
    deps: Standards,
    tx: Tx,
    case_id: str,
    actor: Actor,
    *,
    event: int,
    as_of: datetime,
    version: int | None = None,
    tell_host: bool = True,
) -> CaseEvent:
    """Decide as another officer proposed (`event` is the number of the proposal).

    Flags that changed since stay as they are.
    """
    case = _officers_case(tx, case_id, actor, version)
    proposal = _others_proposal(deps, tx, case, actor, event)
    status = proposed_status(proposal)
    wanted = {step.flag_id: step for step in proposal.steps}
    flags = [
        flag
        for flag in flags_of(tx, case)
        if flag.id in wanted and flag.status is wanted[flag.id].before
    ]
    if not flags:
        raise _wrong("event", "concerns flags that have all changed since", "reject it")
    decision = Decision("", status, proposal.choice, proposal.note, actor.address, as_of)
    steps = decide_all(tx, flags, decision)
    done = tx.cases.add_event(
        CaseEvent(
            case.id,
            EventKind.CONFIRMED,
            as_of,
            actor.address,
            choice=proposal.choice,
            of=proposal.number,
            steps=steps,
        )
    )
    if tell_host:
        case_mails.tell_outcome(deps, tx, case, flags, status, as_of, wait=UNDO_WITHIN)
    return done


def reject(
    deps: Standards,
    tx: Tx,
    case_id: str,
    actor: Actor,
    *,
    event: int,
    as_of: datetime,
    note: str = "",
    version: int | None = None,
) -> CaseEvent:
    """Refuse what another officer proposed: the flags wait as before."""
    case = _officers_case(tx, case_id, actor, version)
    proposal = _others_proposal(deps, tx, case, actor, event)
    _check_note(deps, tx, note)
    return tx.cases.add_event(
        CaseEvent(case.id, EventKind.REJECTED, as_of, actor.address, note=note, of=proposal.number)
    )


def _others_proposal(deps: Standards, tx: Tx, case: Case, actor: Actor, number: int) -> CaseEvent:
    proposal = open_proposal(tx.cases.events(case.id))
    if proposal is None or proposal.number != number:
        raise _wrong("event", "is no proposal that waits", "look at the case again")
    if _is_by(deps, proposal, actor):
        raise _wrong("event", "is your own proposal", "another officer has to look at it")
    return proposal


def _is_by(deps: Standards, event: CaseEvent, actor: Actor) -> bool:
    address = parse_address(event.by)
    return address is not None and deps.pseudonyms.address(address.key) == actor.key


# --- undo ---------------------------------------------------------------------------------------


def undoable(
    deps: Standards, events: Sequence[CaseEvent], actor: Actor, *, as_of: datetime
) -> CaseEvent | None:
    """The decision that this person can still undo: the last one of the case, and their own."""
    deciding = [
        event
        for event in events
        if event.kind in (*_UNDOABLE, EventKind.REJECTED, EventKind.UNDONE)
    ]
    last = deciding[-1] if deciding else None
    if last is None or last.kind not in _UNDOABLE or as_of - last.at > UNDO_WITHIN:
        return None
    return last if _is_by(deps, last, actor) else None


def undo(deps: Standards, tx: Tx, case_id: str, actor: Actor, *, as_of: datetime) -> CaseEvent:
    """Take back one's last decision or proposal within a minute.

    Each flag gets its former status back by a decision of its own; nothing is erased. A flag that
    changed since stays as it is.
    """
    case = _officers_case(tx, case_id, actor, None)
    last = undoable(deps, tx.cases.events(case.id), actor, as_of=as_of)
    if last is None:
        seconds = int(UNDO_WITHIN.total_seconds())
        fix = f"undo your own last decision within {seconds} seconds, or decide again"
        raise _wrong("event", "cannot be undone any more", fix)
    steps: tuple[Step, ...] = ()
    if last.kind is not EventKind.PROPOSED:
        steps = restore(tx, last.steps, by=actor.address, at=as_of)
        case_mails.cancel_outcome(tx, last, as_of)
        # What came in while it was decided was passed over.
        tx.meetings.wake(case.occurrence, as_of)
    return tx.cases.add_event(
        CaseEvent(case.id, EventKind.UNDONE, as_of, actor.address, of=last.number, steps=steps)
    )


# --- remarks, questions, escalation -------------------------------------------------------------


def remark(
    deps: Standards, tx: Tx, case_id: str, actor: Actor, *, note: str, as_of: datetime
) -> CaseEvent:
    """Keep an officer's remark."""
    case = _officers_case(tx, case_id, actor, None)
    if not note.strip():
        raise _wrong("note", "is empty", "write what is to be kept")
    _check_note(deps, tx, note)
    return tx.cases.add_event(CaseEvent(case.id, EventKind.NOTED, as_of, actor.address, note=note))


def ask_host(
    deps: Standards, tx: Tx, case_id: str, actor: Actor, *, as_of: datetime, note: str = ""
) -> CaseEvent:
    """Ask the host by mail, with a link to the page on which to answer.

    The question in `note` is shown there and never mailed. Refused for private cases: of these
    nobody else hears (catalogue §4).
    """
    case = _officers_case(tx, case_id, actor, None)
    if case.is_private:
        fix = "speak with the clinician"
        raise _wrong("case", "is confidential: its host is told nothing by mail", fix)
    _check_note(deps, tx, note)
    if not case_mails.ask(deps, tx, case, as_of):
        fix = "ask whoever set the meeting up in another way"
        raise _wrong("case", "has no host with a staff account", fix)
    return tx.cases.add_event(CaseEvent(case.id, EventKind.ASKED, as_of, actor.address, note=note))


def escalate(
    deps: Standards, tx: Tx, case_id: str, actor: Actor, *, as_of: datetime, note: str = ""
) -> CaseEvent:
    """Tell the principal and the privacy officers, or those of `[mail] escalation`, by mail.

    Of a private case the privacy officers alone. The `note` is kept and never mailed.
    """
    case = _officers_case(tx, case_id, actor, None)
    _check_note(deps, tx, note)
    if not case_mails.hand_up(deps, tx, case, as_of):
        fix = "escalate what waits or was upheld"
        raise _wrong("case", "has nothing that waits and nothing that was upheld", fix)
    return tx.cases.add_event(
        CaseEvent(case.id, EventKind.ESCALATED, as_of, actor.address, note=note)
    )


# --- the host -----------------------------------------------------------------------------------


def may_answer(actor: Actor, case: Case) -> bool:
    """Whether this is the host, or a staff guest of a meeting that no staff account hosts."""
    return not case.is_private and actor.key in case.answerers


def answer(
    deps: Standards,
    tx: Tx,
    case_id: str,
    actor: Actor,
    *,
    choice: str,
    as_of: datetime,
    note: str = "",
) -> CaseEvent:
    """Keep the host's answer: a ready one (`Answer`), and what they want to add."""
    case = _hosts_case(tx, case_id, actor)
    if choice not in list(Answer):
        raise _wrong("choice", "is none of the answers", f"use {', '.join(Answer)}")
    if choice == Answer.OTHER and not note.strip():
        raise _wrong("note", "is empty", "write what happened, or choose another answer")
    _check_note(deps, tx, note)
    return tx.cases.add_event(
        CaseEvent(case.id, EventKind.ANSWERED, as_of, actor.address, choice=choice, note=note)
    )


def identify(
    deps: Standards,
    tx: Tx,
    case_id: str,
    actor: Actor,
    *,
    about: str,
    choice: str,
    as_of: datetime,
    person: str = "",
) -> CaseEvent:
    """Keep who the host says an unknown participant was.

    `about` is the `ref` of one of the case's strangers, `choice` one of `Who`. Nobody writes a
    name: a colleague is chosen by address, a partner from the registry, a student by no name.
    """
    case = _hosts_case(tx, case_id, actor)
    if about not in {stranger.ref for stranger in strangers_of(tx, case)}:
        raise _wrong("about", "is no unknown participant of this meeting", "choose one")
    if choice not in list(Who):
        raise _wrong("choice", "is none of the answers", f"use {', '.join(Who)}")
    return tx.cases.add_event(
        CaseEvent(
            case.id,
            EventKind.IDENTIFIED,
            as_of,
            actor.address,
            choice=choice,
            about=about,
            person=_person(deps, tx, Who(choice), person.strip()),
        )
    )


def _person(deps: Standards, tx: Tx, who: Who, person: str) -> str:
    """The colleague's address, or the partner's id or registered address; empty for others."""
    match who:
        case Who.COLLEAGUE:
            address = parse_address(person)
            key = deps.pseudonyms.address(address.key) if address else ""
            account = tx.people.by_address([key]).get(key)
            if account is None or account.kind is not AccountKind.STAFF or not account.address:
                fix = "write the colleague's district address"
                raise _wrong("person", "is no staff account of the district", fix)
            return account.address
        case Who.PARTNER:
            registry = tx.registry.current()
            known = {row.partner_id for row in registry.partners}
            known |= {row.value for row in registry.identities if row.kind is IdentityKind.ADDRESS}
            if person not in known:
                raise _wrong("person", "is nobody of the registry", "choose a registered partner")
            return person
        case _:
            return ""


def accept(
    deps: Standards, tx: Tx, case_id: str, actor: Actor, *, event: int, as_of: datetime
) -> CaseEvent:
    """Believe what the host said of an unknown participant (`event` is its number).

    It decides no flag: the officer does, with the reason `identity-corrected` where it fits.
    """
    case = _officers_case(tx, case_id, actor, None)
    events = tx.cases.events(case.id)
    said = next((e for e in events if e.number == event and e.kind is EventKind.IDENTIFIED), None)
    if said is None:
        raise _wrong("event", "is nothing that the host said of a participant", "choose one")
    if any(e.kind is EventKind.ACCEPTED and e.of == event for e in events):
        raise _wrong("event", "is accepted already", "look at the case again")
    if _is_by(deps, said, actor):
        raise _wrong("event", "is what you said yourself", "another officer has to accept it")
    return tx.cases.add_event(
        CaseEvent(
            case.id,
            EventKind.ACCEPTED,
            as_of,
            actor.address,
            choice=said.choice,
            about=said.about,
            person=said.person,
            of=event,
        )
    )


# --- checks -------------------------------------------------------------------------------------


def may_decide(actor: Actor, case: Case) -> bool:
    """Whether this person decides such cases: private ones the privacy officers alone."""
    roles = {_PRIVACY} if case.is_private else {_OFFICER, _PRIVACY}
    return not actor.roles.isdisjoint(roles)


def _officers_case(tx: Tx, case_id: str, actor: Actor, version: int | None) -> Case:
    case = _case(tx, case_id)
    if not may_decide(actor, case):
        raise AccessDenied("this case is not decided by this person", fix="ask an officer")
    if version is not None and version != case.version:
        raise Outdated(
            [
                Mistake(
                    "version",
                    "the case has changed since it was shown to you, and nothing was stored",
                    "look at it again, then decide",
                )
            ]
        )
    return case


def _hosts_case(tx: Tx, case_id: str, actor: Actor) -> Case:
    case = _case(tx, case_id)
    if not may_answer(actor, case):
        raise AccessDenied("only the host of a meeting answers for it", fix="ask the host")
    return case


def _case(tx: Tx, case_id: str) -> Case:
    case = tx.cases.find(case_id)
    if case is None:
        raise NotFound("there is no such case")
    return case


def _check_note(deps: Standards, tx: Tx, note: str) -> None:
    if len(note) > LONGEST_NOTE:
        raise _wrong("note", f"is longer than {LONGEST_NOTE} characters", "say it shorter")
    mistakes = note_mistakes(deps, tx, note)
    if mistakes:
        raise BadInput(mistakes)


def _wrong(place: str, what: str, fix: str) -> BadInput:
    return BadInput([Mistake(place, what, fix)])
