"""Builders of findings, verdicts and flags, and a loop that keeps flags as the jobs do."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from meetbot.domain.findings import (
    Certainty,
    Concern,
    Finding,
    Phase,
    Severity,
    TimelineSpan,
    Verdict,
)
from meetbot.domain.flags import Flag, FlagChange, reconcile
from meetbot.domain.meetings import OccurrenceKey

START = datetime(2026, 10, 13, 15, tzinfo=UTC)
KEY = OccurrenceKey("uid@google.com", START, "abcdefghij")
PRESENCE_RULES = (
    "no-staff-joined",
    "partner-alone-with-student",
    "staff-joined-late",
    "staff-left-early",
    "staff-presence-gap",
)
KINDS = dict(zip(PRESENCE_RULES, ("none", "alone", "before", "after", "gap"), strict=True))
SETUP_RULES = ("guests-can-invite", "organizer-not-staff", "student-contacts-visible")
RULES = frozenset((*PRESENCE_RULES, *SETUP_RULES))


def at(minutes: float) -> datetime:
    """The instant so many minutes after the scheduled start."""
    return START + timedelta(minutes=minutes)


def a_finding(
    rule: str = "guests-can-invite", *, subject: str | None = None, **values: Any
) -> Finding:
    """A finding; values of the concern (certainty, facts, spans …) and of the finding alike."""
    is_presence = rule in KINDS
    concern = Concern(
        subject=subject or ("presence" if is_presence else "settings"),
        spans=(TimelineSpan(KINDS[rule], at(20), at(25)),) if is_presence else (),
    )
    inner = {name: values.pop(name) for name in list(values) if name in _CONCERN}
    finding = Finding(
        rule=rule,
        occurrence=KEY,
        phase=Phase.AFTER if is_presence else Phase.SCHEDULED,
        severity=Severity.MEDIUM,
        concern=replace(concern, **inner),
        message="What an officer reads.",
        advice="What a teacher reads.",
        fix="Mend it.",
        family="presence" if is_presence else None,
    )
    return replace(finding, **values)


_CONCERN = ("facts", "certainty", "is_provisional", "partner_id", "program_id", "spans", "unknowns")
REVIEW = {"certainty": Certainty.NEEDS_REVIEW}


def a_verdict(*findings: Finding, decided: Collection[str] = RULES) -> Verdict:
    """What one evaluation says; every rule is decided unless named."""
    return Verdict(findings, (), frozenset(decided), None)


def changed(
    kept: Iterable[Flag],
    *findings: Finding,
    minutes: float = 0,
    decided: Collection[str] = RULES,
    **values: Any,
) -> tuple[FlagChange, ...]:
    """Changes to kept flags by a verdict."""
    return reconcile(list(kept), a_verdict(*findings, decided=decided), as_of=at(minutes), **values)


def after(kept: Iterable[Flag], changes: Iterable[FlagChange]) -> list[Flag]:
    """The flags once changes are stored."""
    flags = {flag.id: flag for flag in kept}
    flags.update({change.flag.id: change.flag for change in changes})
    return list(flags.values())


def a_flag(rule: str = "guests-can-invite", **values: Any) -> Flag:
    """A flag as opened by its finding, with some values replaced."""
    flag_values = {name: values.pop(name) for name in list(values) if name in _FLAG}
    ((change),) = changed((), a_finding(rule, **values))
    return replace(change.flag, **flag_values)


_FLAG = ("status", "told", "told_severity", "opened_at", "updated_at")
