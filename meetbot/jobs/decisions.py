"""An officer's decision about flags, checked the same way wherever it comes from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from meetbot.domain.addresses import parse_address
from meetbot.domain.case_ids import case_id
from meetbot.domain.casework import CaseEvent, EventKind, Step
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.people import AccountKind
from meetbot.errors import BadInput, Mistake
from meetbot.jobs.deps import Standards
from meetbot.jobs.student_texts import names_student
from meetbot.ports import Decision, Tx

REASONS: Mapping[FlagStatus, tuple[str, ...]] = {
    FlagStatus.ACKNOWLEDGED: ("seen",),
    FlagStatus.UPHELD: ("policy-not-followed", "data-disclosed"),
    FlagStatus.DISMISSED: (
        "identity-corrected",
        "supervised-otherwise",
        "authorized-elsewhere",
        "technical",
        "duplicate",
        "not-applicable",
        "other",
    ),
}
"""Reason codes by what is decided (`contract.md`)."""

UNDONE = "undone"
"""Reason in the history of a flag whose last decision was undone."""

_GONE = (FlagStatus.WITHDRAWN, FlagStatus.SUPERSEDED)
_EVENTS = {
    FlagStatus.ACKNOWLEDGED: EventKind.ACKNOWLEDGED,
    FlagStatus.UPHELD: EventKind.UPHELD,
    FlagStatus.DISMISSED: EventKind.DISMISSED,
}


def decision_mistakes(status: str, reason: str, note: str) -> list[Mistake]:
    """What is wrong with a decision in itself; places are `status`, `reason` and `note`."""
    codes = REASONS.get(FlagStatus(status)) if status in list(FlagStatus) else None
    if codes is None:
        fix = f"use {', '.join(REASONS)}"
        return [Mistake("status", f'"{_shown(status)}" is no decision', fix)]
    if reason not in codes:
        fix = f"for {status} use {', '.join(codes)}"
        return [Mistake("reason", f'"{_shown(reason)}" is no reason code', fix)]
    if reason == "other" and not note.strip():
        return [Mistake("note", "is empty", "say in a note what it was")]
    return []


def address_mistakes(by: str, domains: Collection[str]) -> list[Mistake]:
    """Whether who decides has an address in the district's domains; the place is `by`."""
    address = parse_address(by)
    if address is None or address.domain not in domains:
        fix = "give the officer's address in one of the district's domains"
        return [Mistake("by", "is no address of the district", fix)]
    return []


def _officer_mistakes(deps: Standards, tx: Tx, by: str) -> list[Mistake]:
    """The same, and whether it is no student's."""
    address = parse_address(by)
    mistakes = address_mistakes(by, deps.district.domains)
    if mistakes or address is None:
        return mistakes
    key = deps.pseudonyms.address(address.key)
    account = tx.people.by_address([key]).get(key)
    if account is not None and account.kind is AccountKind.STUDENT:
        fix = "give the address of the officer who decides"
        return [Mistake("by", "is the account of a student", fix)]
    return []


def note_mistakes(deps: Standards, tx: Tx, note: str) -> list[Mistake]:
    """Whether a text that is to be kept speaks of a student."""
    if not names_student(deps, tx, note):
        return []
    fix = 'write it without names, addresses and ids, such as "a student"'
    return [Mistake("note", "holds a name, an address or an id of a student", fix)]


def gone_mistakes(flags: Sequence[Flag]) -> list[Mistake]:
    """Flags about which there is nothing left to decide."""
    return [
        Mistake(
            flag.id,
            f"is {flag.status}: there is nothing left to decide",
            "decide flags that are open or acknowledged",
        )
        for flag in flags
        if flag.status in _GONE
    ]


def needs_two(deps: Standards, status: FlagStatus, flags: Collection[Flag]) -> bool:
    """Whether deciding these flags so needs a second officer (`[console] four_eyes`)."""
    severities = deps.district.four_eyes
    return status.is_decided and any(flag.severity in severities for flag in flags)


def decide_one(deps: Standards, tx: Tx, decision: Decision) -> Flag:
    """Decide one flag at once, as the command line does.

    Raises `NotFound`, and `BadInput` with every mistake.
    """
    mistakes = decision_mistakes(decision.status, decision.reason, decision.note)
    mistakes += _officer_mistakes(deps, tx, decision.by)
    mistakes += note_mistakes(deps, tx, decision.note)
    if mistakes:
        raise BadInput(mistakes)
    flag = tx.flags.get(decision.flag_id)
    gone = gone_mistakes([flag])
    if gone:
        raise BadInput(gone)
    if needs_two(deps, decision.status, [flag]):
        what = f"is {flag.severity}: one officer proposes such a decision, and another confirms it"
        raise BadInput([Mistake(flag.id, what, "decide its case in the console")])
    record(tx, [flag], decision)
    return tx.flags.get(flag.id)


def record(tx: Tx, flags: Sequence[Flag], decision: Decision) -> CaseEvent:
    """Store a decision for flags of one case, and the event that tells of it.

    `decision.flag_id` is passed over: it is made for each flag.
    """
    steps = decide_all(tx, flags, decision)
    return tx.cases.add_event(
        CaseEvent(
            case_id=case_id(flags[0].key.occurrence),
            kind=_EVENTS[decision.status],
            at=decision.decided_at,
            by=decision.by,
            choice=decision.reason,
            note=decision.note,
            steps=steps,
        )
    )


def decide_all(tx: Tx, flags: Sequence[Flag], decision: Decision) -> tuple[Step, ...]:
    """Store a decision for each of these flags; gives what it did to each."""
    for flag in flags:
        tx.flags.decide(replace(decision, flag_id=flag.id))
    return tuple(Step(flag.id, flag.status, decision.status) for flag in flags)


def restore(tx: Tx, steps: Sequence[Step], *, by: str, at: datetime) -> tuple[Step, ...]:
    """Give flags their former status back, as decisions of their own; nothing is erased.

    A flag that changed since then stays as it is. Gives what was done.
    """
    done: list[Step] = []
    for step in steps:
        if tx.flags.get(step.flag_id).status is step.after:
            tx.flags.decide(Decision(step.flag_id, step.before, UNDONE, "", by, at))
            done.append(Step(step.flag_id, step.after, step.before))
    return tuple(done)


def _shown(text: str) -> str:
    """A choice that is none, short and plain enough for one line."""
    return ascii(text)[1:-1][:40]
