"""Records of flags made from dossiers, as the database would hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from meetbot.domain.dossier import Dossier
from meetbot.domain.flags import FlagChange, FlagStatus, reconcile
from meetbot.domain.policy import Policy
from meetbot.domain.snapshots import Snapshot, Withheld
from meetbot.evidence import Record, file_of, plain, render, sealed
from meetbot.ports import Decision, HistoryEntry
from meetbot.rules import evaluate, program_version, rules_version, with_relied_on

STORED = "5" * 64


def a_snapshot(dossier: Dossier, policy: Policy | None = None) -> Snapshot:
    """What is kept of a dossier."""
    policy = policy or Policy()
    return Snapshot(
        with_relied_on(dossier),
        policy,
        evaluate(dossier, policy).undecided,
        program_version(),
        rules_version(),
    )


def changes_of(dossier: Dossier, policy: Policy | None = None) -> tuple[FlagChange, ...]:
    """The flags that a dossier opens."""
    school = dossier.host.school
    return reconcile(
        (),
        evaluate(dossier, policy or Policy()),
        as_of=dossier.as_of,
        school_id=school.school_id if school else None,
        conference_records=tuple(c.name for c in dossier.conferences),
    )


def a_record(
    rule: str,
    dossier: Dossier,
    policy: Policy | None = None,
    *,
    decisions: Sequence[Decision] = (),
    withheld: Withheld | None = None,
) -> Record:
    """The first flag of a rule, opened on this dossier and then decided."""
    flag = next(c.flag for c in changes_of(dossier, policy) if c.flag.rule == rule)
    snapshot = None if withheld else STORED
    history = [HistoryEntry(dossier.as_of, "opened", "", flag, snapshot, withheld)]
    for decision in decisions:
        flag = replace(flag, status=decision.status, updated_at=decision.decided_at)
        history.append(HistoryEntry(decision.decided_at, decision.status, decision.reason, flag))
    kept = {} if withheld else {STORED: a_snapshot(dossier, policy)}
    return Record(flag, history, decisions, kept)


def a_decision(dossier: Dossier, status: FlagStatus = FlagStatus.UPHELD, **values: Any) -> Decision:
    """An officer's decision at the moment of the dossier."""
    decision = Decision(
        "F-0", status, "policy-not-followed", "", "officer@district.example", dossier.as_of
    )
    return replace(decision, **values)


def content_of(record: Record) -> bytes:
    """The evidence file of a record."""
    return render(sealed(plain(file_of(record))))


def edited(
    content: bytes, edit: Callable[[dict[str, Any]], object], *, sealed_again: bool
) -> bytes:
    """The file with its contents changed, by somebody who knows of the digests or does not."""
    document = json.loads(content)
    edit(document)
    return render(sealed(document) if sealed_again else document)
