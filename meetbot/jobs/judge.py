"""Due occurrences → dossier → rules → flags and mails, each occurrence all or nothing."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from meetbot.domain.addresses import parse_address
from meetbot.domain.cards import card_of, timeline_of
from meetbot.domain.case_ids import case_id
from meetbot.domain.casework import Noted
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Evidence, Phase, Verdict
from meetbot.domain.flags import ChangeKind, Flag, FlagChange, reconcile
from meetbot.domain.identity import Roster
from meetbot.domain.meetings import Scope
from meetbot.domain.routing import Addressees, Contents, Situation, plan_flags
from meetbot.domain.snapshots import Snapshot, Withheld
from meetbot.errors import MeetbotError
from meetbot.jobs.deps import Deps
from meetbot.jobs.dossiers import AUDIT_GRACE, load
from meetbot.jobs.exempted import note_uses_of
from meetbot.jobs.rosters import roster_of
from meetbot.jobs.turn import Turn
from meetbot.jobs.verdicts import verdict_of, with_history
from meetbot.ports import Judged, MeetingRecord, Outcome, Tx
from meetbot.rules import (
    CONFINED,
    confined,
    explained_at,
    fingerprints_after,
    is_confidential,
    next_look,
    program_version,
    rules_version,
    with_relied_on,
)

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
            deps.go_on()
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
            turn = Turn(tx, meeting_ids, as_of)
            for meeting_id in meeting_ids:
                _judge(deps, turn, roster, turn.record(meeting_id), together, as_of)
            turn.finish()
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
            turn = Turn(tx, [meeting_id], as_of)
            _judge(deps, turn, roster, turn.record(meeting_id), outcome, as_of)
            turn.finish()
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
    turn: Turn,
    roster: Roster,
    record: MeetingRecord,
    outcome: Outcome,
    as_of: datetime,
) -> None:
    tx = turn.tx
    loaded = load(deps, turn, record, roster, as_of)
    dossier = loaded.dossier
    if loaded.is_waiting:
        _note(turn, record, dossier, as_of + _SOON, ())
        return
    for entry in loaded.resolution.learned:
        turn.learn(entry.id_key, entry.address_key, entry.address)
    if dossier.scope is Scope.FULL and record.scope is Scope.ADULT and record.meeting:
        # A student came to a meeting known as adults only: read its calendars in full again.
        tx.meetings.forget_marks(record.meeting.calendars)
    _wake_sharing(turn, record, dossier)
    dossier = with_history(turn, dossier, as_of)
    everything = verdict_of(dossier, deps.policy)
    verdict = everything.without(deps.policy.shadows)
    _note_shadows(deps, tx, dossier, everything, outcome, as_of)
    kept = turn.flags_of(record)
    changes = reconcile(
        kept,
        verdict,
        as_of=as_of,
        school_id=dossier.host.school.school_id if dossier.host.school else None,
        conference_records=tuple(c.name for c in dossier.conferences),
        withdraw_reason=_reason(dossier),
    )
    is_private = _is_private(tx, dossier, kept)
    if changes:
        _save(deps, turn, dossier, verdict, changes)
    if kept or changes:
        turn.note_case(dossier.key.text, _noted(deps, turn, dossier, is_private=is_private))
    if dossier.scope is Scope.FULL and not (dossier.meeting and dossier.meeting.is_cancelled):
        note_uses_of(tx, dossier, deps.policy, deps.pseudonyms, outcome)
    for change in changes:
        outcome.count(change.kind)
    later = _plan(deps, turn, dossier, kept, changes, verdict, as_of)
    if dossier.meeting and dossier.meeting.is_cancelled:
        turn.drop(dossier.key.text)
    undecided = tuple(f"{u.rule}: {u.reason}" for u in verdict.undecided)
    outcome.count("undecided", len(undecided))
    _note(turn, record, dossier, _next_due(dossier, verdict, later, as_of), undecided, deps)


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


def _save(
    deps: Deps, turn: Turn, dossier: Dossier, verdict: Verdict, changes: tuple[FlagChange, ...]
) -> None:
    """Keep changes of flags with what they were decided on, as far as that may be kept."""
    withheld = _withheld(dossier)
    if withheld is None:
        turn.save(changes, _snapshot(deps, with_relied_on(dossier), verdict))
        return
    own: tuple[FlagChange, ...] = ()
    if withheld is Withheld.CONFIDENTIAL:
        own = tuple(change for change in changes if change.flag.rule in CONFINED)
    small = confined(dossier, deps.policy) if own else None
    if small is not None:
        snapshot = _snapshot(deps, small, verdict.only(CONFINED), about=tuple(sorted(CONFINED)))
        turn.save(own, snapshot, withheld)
        changes = tuple(change for change in changes if change not in own)
    if changes:
        turn.save(changes, None, withheld)


def _snapshot(
    deps: Deps, dossier: Dossier, verdict: Verdict, *, about: tuple[str, ...] | None = None
) -> Snapshot:
    return Snapshot(
        dossier=dossier,
        policy=deps.policy,
        undecided=verdict.undecided,
        program=program_version(),
        rules=rules_version(),
        about=about,
    )


def _is_private(tx: Tx, dossier: Dossier, kept: list[Flag]) -> bool:
    """Whether nobody but the privacy officers may hear of the meeting.

    What was confidential stays so when its outside guests, or its students, are gone.
    """
    if dossier.scope is Scope.FULL:
        return is_confidential(dossier)
    before = tx.cases.find(case_id(dossier.key.text)) if kept else None
    return before is not None and before.is_private


def _noted(deps: Deps, turn: Turn, dossier: Dossier, *, is_private: bool) -> Noted:
    """Who may answer for the meeting and who may hear of it, for its case."""
    host = dossier.host
    keys = _primary_keys(deps, turn, host.reachable)
    schools = (host.school,) if host.school else host.stand_in_schools
    return Noted(
        host_key=keys[0] if host.address and keys else None,
        answerers=keys,
        schools=tuple(sorted({school.school_id for school in schools})),
        is_private=is_private,
        starts_at=dossier.start_at,
    )


def _primary_keys(deps: Deps, turn: Turn, addresses: Iterable[str]) -> tuple[str, ...]:
    """Keys of the primary addresses: an invitation may name an alias, a sign-in never does."""
    parsed = [address for address in map(parse_address, addresses) if address]
    keys = [deps.pseudonyms.address(address.key) for address in parsed]
    accounts = turn.people.by_address(keys)
    found: dict[str, None] = {}
    for key in keys:
        account = accounts.get(key)
        primary = parse_address(account.address or "") if account else None
        found[deps.pseudonyms.address(primary.key) if primary else key] = None
    return tuple(found)


def _withheld(dossier: Dossier) -> Withheld | None:
    if dossier.scope is Scope.NONE:
        return Withheld.NO_OUTSIDER
    if dossier.scope is Scope.ADULT:
        return Withheld.ADULTS
    return Withheld.CONFIDENTIAL if is_confidential(dossier) else None


def _link(dossier: Dossier) -> str:
    """What other events with the same code are judged by: the code, and who is invited with it."""
    meeting = dossier.meeting
    if meeting is None or meeting.is_cancelled or meeting.meeting_code is None:
        return ""
    keys = sorted(i.guest.address_key for i in dossier.outsiders)
    return f"{meeting.meeting_code}|{hashlib.sha256(' '.join(keys).encode()).hexdigest()[:16]}"


def _wake_sharing(turn: Turn, record: MeetingRecord, dossier: Dossier) -> None:
    """Judge other events with this one's code again, when code or outside guests changed."""
    link = _link(dossier)
    if link != record.link:
        codes = {known.partition("|")[0] for known in (link, record.link) if known}
        turn.wake_sharing(codes, record.key.ical_uid)


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
    turn: Turn,
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
            host=() if confidential else dossier.host.reachable,
            escalation=recipients.escalation,
        ),
        zone=dossier.zone,
        school_calendar=deps.policy.school_calendar,
        medium_school_days=deps.policy.limits.medium_school_days,
        acknowledge=deps.policy.limits.acknowledge,
        live_on_call=deps.policy.limits.live_on_call,
        observed_at=dossier.as_of if dossier.is_live else None,
        is_confidential=confidential,
    )
    unread = (s.problem for source, s in dossier.evidence.items() if _matters(source, dossier))
    unknowns = [*filter(None, unread), *(u.reason for u in verdict.undecided)]
    contents = Contents(
        occurrence=dossier.key.text,
        card=card_of(dossier, recipients.contacts, is_confidential=confidential),
        timeline=None if confidential else timeline_of(dossier, flags.values()),
        unknowns=tuple(dict.fromkeys(unknowns)),
    )
    plan = plan_flags(tuple(flags.values()), changes, contents, situation)
    turn.queue(plan.notices, [told.on(flags[told.flag_id]) for told in plan.told])
    return plan.next_at


def _matters(source: Evidence, dossier: Dossier) -> bool:
    """Whether a source has anything to tell by now: nobody was in a call still ahead."""
    return source is not Evidence.ATTENDANCE or dossier.phase is not Phase.SCHEDULED


def _principals(deps: Deps, dossier: Dossier) -> tuple[str, ...]:
    """Principals of the school; the leads of a department that has none."""
    host = dossier.host
    schools = (host.school,) if host.school else host.stand_in_schools
    found = dict.fromkeys(a for school in schools for a in school.principals or school.leads)
    return tuple(
        address
        for address in found
        if address.rpartition("@")[2].strip().lower() in deps.district.domains
    )


def _next_due(
    dossier: Dossier, verdict: Verdict, later: datetime | None, as_of: datetime
) -> datetime | None:
    candidates = [next_look(dossier), verdict.recheck_at, later, explained_at(dossier)]
    if dossier.is_live:
        candidates.append(as_of + _LIVE)
    if dossier.phase is Phase.AFTER:
        ends = [c.end_at for c in dossier.conferences if c.end_at] or [dossier.end_at]
        candidates += [max(ends) + AUDIT_GRACE, dossier.end_at + dossier.late_after]
    due = [at for at in candidates if at is not None and at > as_of]
    return min(due, default=None)


def _note(
    turn: Turn,
    record: MeetingRecord,
    dossier: Dossier,
    next_due_at: datetime | None,
    undecided: tuple[str, ...],
    deps: Deps | None = None,
) -> None:
    meeting = dossier.meeting
    fingerprints = meeting.fingerprints if meeting else ()
    if deps is not None and meeting is not None and dossier.scope is Scope.FULL:
        fingerprints = fingerprints_after(dossier, deps.policy)
    turn.note(
        Judged(
            record.id,
            version=record.version,
            scope=dossier.scope,
            next_due_at=next_due_at,
            disclosure=meeting.disclosure if meeting else None,
            text_disclosure=meeting.text_disclosure if meeting else None,
            fingerprints=fingerprints,
            undecided=undecided,
            phase=None if deps is None else dossier.phase,
            guest_list=dossier.guest_list,
            link=_link(dossier),
        )
    )
