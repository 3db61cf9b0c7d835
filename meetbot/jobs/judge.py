"""Due occurrences → dossier → rules → flags and mails, each occurrence all or nothing."""

from __future__ import annotations

import traceback
from datetime import datetime, timedelta
from pathlib import Path

from meetbot.domain.cards import card_of, timeline_of
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Phase, Verdict
from meetbot.domain.flags import ChangeKind, Flag, FlagChange, reconcile
from meetbot.domain.identity import Roster
from meetbot.domain.meetings import Scope
from meetbot.domain.notices import NoticeKind
from meetbot.domain.routing import Addressees, Contents, Situation, plan_flags
from meetbot.errors import MeetbotError
from meetbot.jobs.deps import Deps
from meetbot.jobs.dossiers import AUDIT_GRACE, load
from meetbot.jobs.rosters import roster_of
from meetbot.jobs.verdicts import verdict_of, with_disclosure
from meetbot.ports import MeetingRecord, Outcome, Tx
from meetbot.rules import fingerprints_after, is_confidential, next_look

_BATCH = 200
_TOGETHER = 20
"""Occurrences judged in one transaction, for waiting for the disk takes longer than judging."""
_SOON = timedelta(minutes=2)
_LIVE = timedelta(seconds=30)
"""A running call is judged after each reading of Meet."""
_KEPT = timedelta(days=30)
"""Late data reopens an occurrence until Meet has forgotten it."""


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Judge everything that is due at `as_of`, each occurrence once."""
    outcome = Outcome("judge")
    _note_policy(deps, as_of)
    _note_registry(deps, outcome)
    roster = roster_of(deps)
    seen: set[int] = set()
    while True:
        with deps.store.reading() as tx:
            due = [i for i in tx.meetings.due(as_of, _BATCH + len(seen)) if i not in seen]
        if not due:
            return outcome
        seen.update(due)
        for start in range(0, len(due), _TOGETHER):
            _judge_together(deps, roster, due[start : start + _TOGETHER], outcome, as_of)


def _note_registry(deps: Deps, outcome: Outcome) -> None:
    with deps.store.reading() as tx:
        is_known = tx.registry.known_since() is not None
    tally = outcome.source("registry")
    if is_known:
        tally.read += 1
    else:
        tally.note_failed("no registry was imported yet: `meetbot registry import FOLDER`")


def _note_policy(deps: Deps, as_of: datetime) -> None:
    """A changed policy makes everything due."""
    with deps.store.reading() as tx:
        if tx.meta.policy() == deps.policy:
            return
    with deps.store.transaction() as tx:
        tx.meta.save_policy(deps.policy)
        tx.shadows.keep_only(deps.policy.shadows)
        tx.meetings.mark_due(as_of, since=as_of - _KEPT)


def _judge_together(
    deps: Deps, roster: Roster, meeting_ids: list[int], outcome: Outcome, as_of: datetime
) -> None:
    """Judge some occurrences at once; each by itself if that fails for any of them."""
    together = Outcome(outcome.job)
    try:
        with deps.store.transaction() as tx:
            for meeting_id in meeting_ids:
                _judge(deps, tx, roster, tx.meetings.load(meeting_id), together, as_of)
    except Exception:  # whose fault it was is found and said below
        for meeting_id in meeting_ids:
            _judge_safely(deps, roster, meeting_id, outcome, as_of)
        return
    outcome.count("judged", len(meeting_ids))
    for name, number in together.counts.items():
        outcome.count(name, number)


def _judge_safely(
    deps: Deps, roster: Roster, meeting_id: int, outcome: Outcome, as_of: datetime
) -> None:
    try:
        with deps.store.transaction() as tx:
            _judge(deps, tx, roster, tx.meetings.load(meeting_id), outcome, as_of)
    except MeetbotError as error:
        outcome.source("decisions").note_failed(str(error))
        return
    except Exception as error:  # one occurrence must not keep the others from being judged
        outcome.source("decisions").note_failed(f"a meeting could not be judged: {_where(error)}")
        return
    outcome.count("judged")


def _where(error: Exception) -> str:
    """Type and place of a defect, without the data that met it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"


def _judge(
    deps: Deps,
    tx: Tx,
    roster: Roster,
    record: MeetingRecord,
    outcome: Outcome,
    as_of: datetime,
) -> None:
    loaded = load(deps, tx, record, roster, as_of)
    dossier = loaded.dossier
    if loaded.is_waiting:
        _note(tx, record, dossier, as_of + _SOON, (), as_of)
        return
    for entry in loaded.resolution.learned:
        tx.people.learn(entry.id_key, entry.address_key, entry.address)
    if dossier.scope is Scope.FULL and record.scope is Scope.ADULT and record.meeting:
        # A student came to a meeting known as adults only: read its calendars in full again.
        tx.meetings.forget_marks(record.meeting.calendars)
    dossier = with_disclosure(dossier, as_of)
    everything = verdict_of(dossier, deps.policy)
    verdict = everything.without(deps.policy.shadows)
    _note_shadows(deps, tx, dossier, everything, outcome, as_of)
    kept = tx.flags.of(dossier.key.text)
    changes = reconcile(
        kept,
        verdict,
        as_of=as_of,
        school_id=dossier.host.school.school_id if dossier.host.school else None,
        conference_records=tuple(c.name for c in dossier.conferences),
        withdraw_reason=_reason(dossier),
    )
    tx.flags.save(changes, as_of=as_of)
    for change in changes:
        outcome.count(change.kind)
    later = _plan(deps, tx, dossier, kept, changes, verdict, as_of)
    if dossier.meeting and dossier.meeting.is_cancelled:
        tx.outbox.drop(dossier.key.text, (NoticeKind.REMINDER, NoticeKind.FIX_IT), as_of=as_of)
    undecided = tuple(f"{u.rule}: {u.reason}" for u in verdict.undecided)
    outcome.count("undecided", len(undecided))
    _note(tx, record, dossier, _next_due(dossier, verdict, later, as_of), undecided, as_of, deps)


def _note_shadows(
    deps: Deps, tx: Tx, dossier: Dossier, verdict: Verdict, outcome: Outcome, as_of: datetime
) -> None:
    """Keep what rules in shadow find, by the same rules as flags; nobody is told."""
    if not deps.policy.shadows:
        return
    changes = reconcile(
        tx.shadows.of(dossier.key.text),
        verdict.only(deps.policy.shadows),
        as_of=as_of,
        school_id=dossier.host.school.school_id if dossier.host.school else None,
        conference_records=tuple(c.name for c in dossier.conferences),
    )
    tx.shadows.save(changes)
    for change in changes:
        if change.kind is ChangeKind.OPENED:
            outcome.count("shadow_found")
        elif not change.flag.status.is_pending:
            outcome.count("shadow_gone")


def _reason(dossier: Dossier) -> str:
    if dossier.meeting and dossier.meeting.is_cancelled:
        return "the meeting was cancelled"
    if dossier.scope is Scope.NONE:
        return "no outside guest is left"
    if dossier.phase is Phase.SCHEDULED:
        return "fixed before the start, or the registry was corrected"
    return "later data or a corrected registry no longer shows it"


def _plan(
    deps: Deps,
    tx: Tx,
    dossier: Dossier,
    kept: list[Flag],
    changes: tuple[FlagChange, ...],
    verdict: Verdict,
    as_of: datetime,
) -> datetime | None:
    """Queue the mails that are due and note who was told; gives when to plan again."""
    flags = {flag.id: flag for flag in kept}
    flags.update({change.flag.id: change.flag for change in changes})
    # What was open when its rule went into shadow stays open, but nobody is told any more.
    flags = {i: flag for i, flag in flags.items() if flag.rule not in deps.policy.shadows}
    if not flags:
        return None
    confidential = is_confidential(dossier)
    recipients = deps.district.recipients
    situation = Situation(
        as_of=as_of,
        start_at=dossier.start_at,
        phase=dossier.phase,
        addressees=Addressees(
            officers=recipients.officers,
            privacy=recipients.privacy_officers,
            principal=_principals(deps, dossier),
            host=(dossier.host.address,) if dossier.host.address and not confidential else (),
        ),
        zone=dossier.zone,
        school_calendar=deps.policy.school_calendar,
        medium_school_days=deps.policy.limits.medium_school_days,
        live_on_call=deps.policy.limits.live_on_call,
        is_confidential=confidential,
    )
    unknowns = tuple(
        dict.fromkeys(s.problem for s in dossier.evidence.values() if s.problem)
    ) + tuple(dict.fromkeys(u.reason for u in verdict.undecided))
    contents = Contents(
        occurrence=dossier.key.text,
        card=card_of(dossier, recipients.contacts, is_confidential=confidential),
        timeline=None if confidential else timeline_of(dossier, flags.values()),
        unknowns=tuple(dict.fromkeys(unknowns)),
    )
    plan = plan_flags(tuple(flags.values()), changes, contents, situation)
    tx.outbox.add(plan.notices, as_of=as_of)
    for told in plan.told:
        tx.flags.tell(told.flag_id, told.told, told.severity)
    return plan.next_at


def _principals(deps: Deps, dossier: Dossier) -> tuple[str, ...]:
    school = dossier.host.school
    if school is None:
        return ()
    return tuple(
        address
        for address in school.principals
        if address.rpartition("@")[2].strip().lower() in deps.district.domains
    )


def _next_due(
    dossier: Dossier, verdict: Verdict, later: datetime | None, as_of: datetime
) -> datetime | None:
    candidates = [next_look(dossier), verdict.recheck_at, later]
    if dossier.is_live:
        candidates.append(as_of + _LIVE)
    if dossier.phase is Phase.AFTER:
        ends = [c.end_at for c in dossier.conferences if c.end_at] or [dossier.end_at]
        candidates += [max(ends) + AUDIT_GRACE, dossier.end_at + dossier.late_after]
    due = [at for at in candidates if at is not None and at > as_of]
    return min(due, default=None)


def _note(
    tx: Tx,
    record: MeetingRecord,
    dossier: Dossier,
    next_due_at: datetime | None,
    undecided: tuple[str, ...],
    as_of: datetime,
    deps: Deps | None = None,
) -> None:
    meeting = dossier.meeting
    fingerprints = meeting.fingerprints if meeting else ()
    if deps is not None and meeting is not None and dossier.scope is Scope.FULL:
        fingerprints = fingerprints_after(dossier, deps.policy)
    tx.meetings.judged(
        record.id,
        scope=dossier.scope,
        next_due_at=next_due_at,
        disclosure=meeting.disclosure if meeting else None,
        fingerprints=fingerprints,
        undecided=undecided,
        as_of=as_of,
        version=record.version,
        phase=None if deps is None else dossier.phase,
    )
