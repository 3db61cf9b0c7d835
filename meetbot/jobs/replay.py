"""Stored history decided again: which flags another policy would bring, change or take away.

Nothing is written and nobody is asked: a replay holds a read-only store and no port to Google or
to mail. Each occurrence is decided at the instants at which it was last judged before, during and
after the meeting, each rule at the last of those that it is asked at. What it says then is what the
stored flags say, as long as policy, registry and program are the same.
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from meetbot.domain.findings import Certainty, FlagKey, Phase
from meetbot.domain.flags import Flag, FlagStatus, flag_of
from meetbot.domain.identity import Roster
from meetbot.domain.people import Pseudonyms
from meetbot.domain.policy import (
    Policy,
    differing,
    settings_of,
    shown_setting,
    with_setting,
)
from meetbot.domain.registry import Registry
from meetbot.errors import MeetbotError
from meetbot.jobs.batch import Batch
from meetbot.jobs.deps import District, Standard
from meetbot.jobs.dossiers import load
from meetbot.jobs.replay_view import BatchView, Shared
from meetbot.jobs.rosters import roster_in
from meetbot.jobs.verdicts import verdict_of, with_history
from meetbot.ports import MeetingRecord, Tx
from meetbot.rules import RULES

_GONE = (FlagStatus.WITHDRAWN, FlagStatus.SUPERSEDED)
_SECOND = timedelta(seconds=1)


class DifferenceKind(StrEnum):
    """What would become of a flag."""

    APPEAR = "appear"
    CHANGE = "change"
    VANISH = "vanish"


@dataclass(frozen=True, slots=True)
class Difference:
    """One flag that would be otherwise; `before` is the stored one. `why` are plain sentences."""

    kind: DifferenceKind
    before: Flag | None
    after: Flag | None
    why: tuple[str, ...]
    is_shadow: bool
    """The rule is in shadow: nobody would be told."""

    @property
    def flag(self) -> Flag:
        """The flag as it would be; one that would vanish as it is."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a difference is about a flag")
        return found


@dataclass(frozen=True, slots=True)
class Replay:
    """What to decide by, and by what it was decided before (None: not known)."""

    policy: Policy
    before: Policy | None
    district: District
    as_of: datetime

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the settings that differ."""
        return differing(self.policy, self.before) if self.before else ()

    def said(self, setting: str) -> str:
        """One changed setting, now and before."""
        if self.before is None:
            return setting
        rules = [setting.split(".")[1]] if setting.startswith("rules.") else []
        now = settings_of(self.policy, rules)[setting]
        was = settings_of(self.before, rules)[setting]
        return f"{setting} is {shown_setting(now)}, was {shown_setting(was)}"


@dataclass(slots=True)
class Replayed:
    """What came of some occurrences."""

    occurrences: int = 0
    undecided: int = 0
    """Occurrences of which some rule could not be decided for want of evidence."""
    differences: list[Difference] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)

    def add(self, other: Replayed) -> None:
        """Take in what came of others."""
        self.occurrences += other.occurrences
        self.undecided += other.undecided
        self.differences += other.differences
        for mine, theirs in ((self.skipped, other.skipped), (self.failed, other.failed)):
            for reason, number in theirs.items():
                mine[reason] = mine.get(reason, 0) + number


@dataclass(slots=True)
class _Decided:
    """What deciding one occurrence gave: flags by key, and the rules that were decided."""

    flags: dict[FlagKey, Flag] = field(default_factory=dict)
    rules: set[str] = field(default_factory=set)
    is_undecided: bool = False


class Replayer:
    """Decides occurrences of one view of the store again; not safe with threads."""

    def __init__(self, tx: Tx, pseudonyms: Pseudonyms, replay: Replay) -> None:
        self._tx = tx
        self.replay = replay
        self._shared = Shared(tx)
        self.known_since = self._shared.registry.known_since()
        self._standard = Standard(replay.policy, replay.district, pseudonyms)
        self.roster = self._roster_of(tx.registry.current())
        self._rosters: dict[datetime, Roster] = {}
        before = replay.before or replay.policy
        self._switched_off = {
            rule
            for rule in RULES
            if before.switch(rule).is_enabled and not replay.policy.switch(rule).is_enabled
        }

    def run(self, meeting_ids: Sequence[int]) -> Replayed:
        """Decide these occurrences; one that cannot be is counted and does not stop the others."""
        try:
            return self._together(meeting_ids)
        except MeetbotError:  # of the database itself
            raise
        except Exception as error:  # whose fault it was is found and said below
            if len(meeting_ids) == 1:
                return Replayed(failed={f"could not be decided: {_where(error)}": 1})
        done = Replayed()
        for meeting_id in meeting_ids:
            done.add(self.run([meeting_id]))
        return done

    def _together(self, meeting_ids: Sequence[int]) -> Replayed:
        done = Replayed()
        records = self._tx.meetings.load_many(meeting_ids)
        batch = self._shared.batch(records, self.replay.as_of)
        texts = [_key_text(record) for record in records]
        flags = self._tx.flags.of_many(texts)
        shadows = self._tx.shadows.of_many(texts)
        for record, text in zip(records, texts, strict=True):
            kept = _Kept(flags.get(text, ()), shadows.get(text, ()), self.replay.policy.shadows)
            self._one(batch, record, kept, done)
        return done

    def _one(self, batch: Batch, record: MeetingRecord, kept: _Kept, done: Replayed) -> None:
        reason = _not_replayable(batch, record, kept, self.replay)
        if reason:
            _count(done.skipped, reason)
            return
        now = self.decide(batch, record, self.replay.policy, self.roster)
        done.occurrences += 1
        done.undecided += now.is_undecided
        found = list(self._compare(kept, now))
        if found:
            causes = _Causes(self, batch, record, now, kept)
            done.differences += [
                replace(one, why=causes.of(one)) for one in found if causes.is_real(one)
            ]

    # --- deciding ---

    def decide(
        self, batch: Batch, record: MeetingRecord, policy: Policy, roster: Roster
    ) -> _Decided:
        """The flags that the rules would keep open, from the earliest instant to the latest."""
        done = _Decided()
        standard = replace(self._standard, policy=policy)
        for at, rules in looks(record, self.replay.as_of):
            view = BatchView(batch, self._shared, at)
            loaded = load(standard, view, _read_until(record, at), roster, at)
            if loaded.is_waiting:
                continue
            dossier = with_history(view, loaded.dossier, at)
            verdict = verdict_of(dossier, policy, only=rules)
            found = {finding.key: finding for finding in verdict.findings}
            for key in [k for k in done.flags if k.rule in verdict.decided and k not in found]:
                del done.flags[key]
            school = dossier.host.school.school_id if dossier.host.school else None
            names = tuple(c.name for c in dossier.conferences)
            done.flags |= {
                key: flag_of(finding, None, at, school, names) for key, finding in found.items()
            }
            done.rules |= verdict.decided
            done.is_undecided |= bool(verdict.undecided)
        return done

    def _compare(self, kept: _Kept, now: _Decided) -> Iterator[Difference]:
        shadows = self.replay.policy.shadows
        for key, after in now.flags.items():
            before = kept.flags.get(key)
            if before is None or before.status in _GONE:
                kind = DifferenceKind.APPEAR
            elif before.status.is_pending and _says(before) != _says(after):
                kind = DifferenceKind.CHANGE
            else:
                continue
            yield Difference(kind, before, after, (), key.rule in shadows)
        for key, before in kept.flags.items():
            is_asked = key.rule in now.rules or key.rule in self._switched_off
            if key not in now.flags and before.status not in _GONE and is_asked:
                yield Difference(DifferenceKind.VANISH, before, None, (), key.rule in shadows)

    def roster_at(self, at: datetime) -> Roster | None:
        """The registry as it was known at an instant; None if it is still the same."""
        since = self.known_since
        if since is None or since <= at:
            return None
        if at not in self._rosters:
            if len(self._rosters) > 10:
                self._rosters.clear()
            known = self._shared.registry.as_known(at)
            self._rosters[at] = self._roster_of(known)
        return self._rosters[at]

    def _roster_of(self, registry: Registry) -> Roster:
        as_of = self.replay.as_of
        view = BatchView(self._shared.batch((), as_of), self._shared, as_of)
        return roster_in(self._standard, view, registry)


class _Kept:
    """The stored flags of one occurrence; of a rule in shadow what it found."""

    def __init__(
        self, flags: Iterable[Flag], shadows: Iterable[Flag], in_shadow: Collection[str]
    ) -> None:
        self.shadows = {flag.key for flag in shadows}
        self.flags = {flag.key: flag for flag in flags}
        self.flags |= {flag.key: flag for flag in shadows if flag.rule in in_shadow}


def looks(record: MeetingRecord, as_of: datetime) -> tuple[tuple[datetime, frozenset[str]], ...]:
    """The instants to decide an occurrence at, in order, and the rules to ask at each.

    A rule is asked at the last instant whose phase is one of its own.
    """
    instants = record.judged_at or _likely(record, as_of)
    found: list[tuple[datetime, frozenset[str]]] = []
    asked: set[str] = set()
    for phase, at in sorted(instants.items(), key=lambda one: one[1], reverse=True):
        rules = frozenset(r.id for r in RULES.values() if phase in r.phases) - asked
        asked |= rules
        if rules:
            found.append((at, rules))
    return tuple(reversed(found))


def _likely(record: MeetingRecord, as_of: datetime) -> Mapping[Phase, datetime]:
    """The instants at which an occurrence of an older database was judged, as far as can be told:
    before the start if it was known then, and now."""
    start_at, end_at = _scheduled(record)
    found: dict[Phase, datetime] = {}
    if record.first_seen_at < start_at:
        found[Phase.SCHEDULED] = min(as_of, start_at - _SECOND)
    if start_at <= as_of:
        found[Phase.AFTER if end_at <= as_of else Phase.LIVE] = as_of
    return found


def _scheduled(record: MeetingRecord) -> tuple[datetime, datetime]:
    if record.meeting is None:
        return record.key.original_start_at, record.key.original_start_at
    return record.meeting.start_at, record.meeting.end_at


def _read_until(record: MeetingRecord, at: datetime) -> MeetingRecord:
    """The record without a reading of Meet that came later."""
    if record.attendance_read_at is None or record.attendance_read_at <= at:
        return record
    return replace(record, attendance_read_at=at)


def _key_text(record: MeetingRecord) -> str:
    return (record.meeting.key if record.meeting else record.key).text


def _not_replayable(batch: Batch, record: MeetingRecord, kept: _Kept, replay: Replay) -> str:
    """Why an occurrence cannot be decided as it was; empty if it can."""
    _, end_at = _scheduled(record)
    stored_for = (replay.before or replay.policy).retention.attendance
    if end_at < replay.as_of - stored_for:
        return f"older than {stored_for.days} days: who was present is no longer stored"
    records = {
        name
        for flag in kept.flags.values()
        if flag.status not in _GONE
        for name in flag.conference_records
    }
    if records - batch.names(record.key.meeting_code):
        return "who was present is no longer stored"
    return ""


def _says(flag: Flag) -> tuple[object, ...]:
    """What a flag says to an officer."""
    return (flag.severity, flag.certainty, flag.spans, flag.message, dict(flag.facts))


def _where(error: Exception) -> str:
    """Type and place of a defect, without the data that met it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"


def _count(reasons: dict[str, int], reason: str) -> None:
    reasons[reason] = reasons.get(reason, 0) + 1


# --- why ----------------------------------------------------------------------------------------


class _Causes:
    """Why the flags of one occurrence would be otherwise: found by trying, setting by setting."""

    def __init__(
        self,
        replayer: Replayer,
        batch: Batch,
        record: MeetingRecord,
        now: _Decided,
        kept: _Kept,
    ) -> None:
        self._replayer = replayer
        self._replay = replayer.replay
        self._batch = batch
        self._record = record
        self._now = now
        self._kept = kept
        self._tried: dict[str, _Decided] = {}

    def is_real(self, one: Difference) -> bool:
        """Whether deciding again makes the difference.

        Disclosures, and presence that needs review, stay open by rule when later data no longer
        shows them: they vanish only if the policy before would still find them.
        """
        if one.kind is not DifferenceKind.VANISH or one.before is None:
            return True
        flag = one.before
        stays = flag.is_sticky or (
            bool(flag.family)
            and not flag.is_provisional
            and flag.certainty is Certainty.NEEDS_REVIEW
        )
        return not stays or flag.key in self._with("", self._replay.before).flags

    def of(self, one: Difference) -> tuple[str, ...]:
        """Plain sentences: what made the difference, and what was measured."""
        key = one.flag.key
        if one.kind is DifferenceKind.APPEAR and key in self._kept.shadows:
            causes = [f"rules.{key.rule}.shadow is false: it was found in shadow until now"]
        else:
            causes = self._settings(key) or [self._other(one)]
        return (*causes, *_measured(one.flag))

    def _settings(self, key: FlagKey) -> list[str]:
        """The changed settings without which this flag would not be what it is."""
        before = self._replay.before
        changed = [name for name in self._replay.changed if _may_matter(name, key.rule)]
        if before is None or not changed:
            return []
        found = [
            name
            for name in changed
            if self._differs(key, self._with(name, with_setting(self._replay.policy, name, before)))
        ]
        if not found and self._differs(key, self._with("", before)):
            found = changed
        return [self._replay.said(name) for name in found]

    def _differs(self, key: FlagKey, other: _Decided) -> bool:
        mine, theirs = self._now.flags.get(key), other.flags.get(key)
        if mine is None or theirs is None:
            return mine is not theirs
        return _says(mine) != _says(theirs)

    def _with(self, name: str, policy: Policy | None) -> _Decided:
        """Decided by another policy; `name` tells the policies apart."""
        if policy is None:
            return self._now
        if name not in self._tried:
            self._tried[name] = self._replayer.decide(
                self._batch, self._record, policy, self._replayer.roster
            )
        return self._tried[name]

    def _other(self, one: Difference) -> str:
        """What made the difference where no setting did."""
        judged = max(self._record.judged_at.values(), default=self._record.first_seen_at)
        roster = self._replayer.roster_at(judged)
        if roster is not None:
            then = self._replayer.decide(self._batch, self._record, self._replay.policy, roster)
            if _is_as_stored(one, then.flags.get(one.flag.key)):
                since = self._replayer.known_since
                day = f"{since:%Y-%m-%d %H:%MZ}" if since else "since"
                return f"the registry: decided before its import of {day}"
        return "no setting: other data, an older policy or another version of meetbot decided it"


_OF_MAILS = frozenset(
    {
        "school_calendar",
        "limits.medium_school_days",
        "limits.live_on_call",
        "limits.acknowledge",
    }
)
"""Settings that tell when somebody hears of a flag, not whether there is one."""


def _may_matter(setting: str, rule: str) -> bool:
    """Whether a setting can make a difference to a rule."""
    table, _, name = setting.partition(".")
    if setting in _OF_MAILS or table == "retention":
        return False
    return table != "rules" or name.startswith(f"{rule}.")


def _is_as_stored(one: Difference, then: Flag | None) -> bool:
    stored = one.before if one.before and one.before.status not in _GONE else None
    if stored is None or then is None:
        return stored is None and then is None
    return _says(stored) == _says(then)


def _measured(flag: Flag) -> list[str]:
    """Seconds of contact by kind, as the thresholds count them."""
    kinds: dict[str, list[int]] = {}
    for span in flag.spans:
        kinds.setdefault(span.kind, []).append(span.seconds)
    parts = [
        f"{kind} {sum(lengths)} s"
        + (f" in {len(lengths)} stretches, longest {max(lengths)} s" if len(lengths) > 1 else "")
        for kind, lengths in kinds.items()
    ]
    return [f"measured: {', '.join(parts)}"] if parts else []


def in_order(differences: Iterable[Difference]) -> Sequence[Difference]:
    """By rule, kind and time of the meeting."""
    return sorted(
        differences,
        key=lambda one: (
            one.flag.rule,
            one.kind,
            one.flag.occurrence.original_start_at,
            one.flag.id,
        ),
    )
