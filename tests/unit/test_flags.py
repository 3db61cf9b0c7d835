"""Flags: opened, updated, withdrawn, superseded, reopened, and left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from meetbot.domain.findings import Certainty, Finding, FlagKey, Phase, Severity
from meetbot.domain.flags import ChangeKind, Flag, FlagStatus, flag_id
from meetbot.domain.notices import Audience
from meetbot.store.columns import dump
from tests.flags import (
    KEY,
    PRESENCE_RULES,
    REVIEW,
    RULES,
    SETUP_RULES,
    a_finding,
    a_flag,
    after,
    at,
    changed,
)

LEFT, GAP, NONE, ALONE = (
    "staff-left-early",
    "staff-presence-gap",
    "no-staff-joined",
    "partner-alone-with-student",
)


def test_a_new_finding_opens_a_flag() -> None:
    """With its place, its people and the moment; its id is made of its key alone."""
    finding = a_finding(partner_id="northstar", facts={"n": 3})

    (change,) = changed((), finding, minutes=5, school_id="lincoln", conference_records=("r",))

    flag = change.flag
    assert change.kind is ChangeKind.OPENED
    assert (flag.status, flag.opened_at, flag.school_id) == (FlagStatus.OPEN, at(5), "lincoln")
    assert (flag.partner_id, flag.conference_records) == ("northstar", ("r",))
    assert flag.id == flag_id(finding.key)
    assert flag.id.startswith("F-")
    assert len(flag.id) == 14


def test_ids_differ_by_rule_occurrence_and_subject() -> None:
    """No two keys share an id, wherever the parts are cut."""
    key = a_finding().key
    others = [
        replace(key, rule="other"),
        replace(key, subject="other"),
        replace(key, occurrence="other"),
        replace(key, rule=key.rule + key.occurrence[0], occurrence=key.occurrence[1:]),
    ]

    assert len({flag_id(k) for k in (key, *others)}) == 5


def test_the_same_finding_later_is_no_change() -> None:
    """A flag whose only change would be the moment of looking is not updated."""
    assert changed([a_flag()], a_finding(), minutes=60) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"severity": Severity.HIGH},
        {"certainty": Certainty.NEEDS_REVIEW},
        {"is_provisional": True},
        {"facts": {"n": 4}},
        {"message": "Another sentence."},
        {"phase": Phase.LIVE},
        {"unknowns": ("Who it was.",)},
    ],
)
def test_what_differs_is_updated(change: dict[str, Any]) -> None:
    """The flag keeps its id, its opening and whom it was told to."""
    told = {Audience.HOST: at(1)}
    before = a_flag(told=told, opened_at=at(-9))

    (update,) = changed([before], a_finding(**change), minutes=60)

    assert update.kind is ChangeKind.UPDATED
    assert (update.flag.id, update.flag.opened_at) == (before.id, at(-9))
    assert (update.flag.updated_at, update.flag.told) == (at(60), told)


def test_facts_survive_the_store_unchanged() -> None:
    """Facts that are no JSON values compare equal after storing: nothing is updated for ever."""
    facts = {"day": date(2026, 6, 30), "fields": ("school", "host"), "of": {"n": 1}, "x": None}
    (opened,) = changed((), a_finding(facts=facts))

    stored = TypeAdapter(Flag).validate_json(dump(Flag, opened.flag))

    assert stored == opened.flag
    assert changed([stored], a_finding(facts=facts), minutes=60) == ()


def test_a_finding_that_is_gone_withdraws_its_flag() -> None:
    """With the reason; an acknowledged one too."""
    for status in (FlagStatus.OPEN, FlagStatus.ACKNOWLEDGED):
        (change,) = changed([a_flag(status=status)], minutes=9, withdraw_reason="it was fixed")
        assert (change.kind, change.reason) == (ChangeKind.WITHDRAWN, "it was fixed")
        assert (change.flag.status, change.flag.updated_at) == (FlagStatus.WITHDRAWN, at(9))


def test_an_undecided_rule_leaves_its_flags() -> None:
    """Another phase or missing evidence is no pass."""
    kept = [a_flag(), a_flag(LEFT)]

    assert changed(kept, decided=RULES - {"guests-can-invite", LEFT}) == ()


def test_a_rule_with_a_doubt_still_opens_what_it_saw() -> None:
    """Findings count although their rule is undecided."""
    (change,) = changed((), a_finding(), decided=())

    assert change.kind is ChangeKind.OPENED


def test_one_subject_gone_leaves_the_other() -> None:
    """Flags of one rule live and die by subject."""
    kept = [a_flag(subject="a.example"), a_flag(subject="b.example")]

    (change,) = changed(kept, a_finding(subject="b.example"))

    assert change.flag.key.subject == "a.example"


@pytest.mark.parametrize("status", [FlagStatus.UPHELD, FlagStatus.DISMISSED])
def test_an_officers_decision_stays(status: FlagStatus) -> None:
    """Neither gone, nor worse, nor the same: what was decided stays as it was decided."""
    kept = [a_flag(status=status)]

    assert changed(kept) == ()
    assert changed(kept, a_finding()) == ()
    assert changed(kept, a_finding(severity=Severity.CRITICAL)) == ()


def test_an_acknowledged_flag_keeps_its_status_when_updated() -> None:
    """Acknowledging is not undone by more data."""
    (change,) = changed([a_flag(status=FlagStatus.ACKNOWLEDGED)], a_finding(severity=Severity.HIGH))

    assert change.flag.status is FlagStatus.ACKNOWLEDGED


@pytest.mark.parametrize("status", [FlagStatus.WITHDRAWN, FlagStatus.SUPERSEDED])
def test_what_comes_back_is_open_again_and_told_anew(status: FlagStatus) -> None:
    """Who heard that it was gone must hear that it is back; its days count from now."""
    closed = a_flag(status=status, told={Audience.OFFICERS: at(0)}, told_severity=Severity.MEDIUM)

    (change,) = changed([closed], a_finding(), minutes=30)

    assert change.kind is ChangeKind.REOPENED
    assert (change.flag.status, change.flag.opened_at) == (FlagStatus.OPEN, at(30))
    assert (change.flag.told, change.flag.told_severity) == ({}, None)


def test_what_is_closed_and_not_found_stays_closed() -> None:
    """Nothing is withdrawn twice."""
    closed = [a_flag(status=s) for s in FlagStatus if not s.is_pending]

    assert all(changed([flag]) == () for flag in closed)


def test_a_disclosure_is_not_withdrawn() -> None:
    """Mending the setting does not undo what was seen."""
    assert changed([a_flag("student-contacts-visible", is_sticky=True)]) == ()


# --- Presence -----------------------------------------------------------------------------------


def test_left_then_returned_becomes_a_gap() -> None:
    """Vector V43: the live classification is superseded, not withdrawn."""
    live = a_flag(LEFT, is_provisional=True, phase=Phase.LIVE)

    gap, left = changed([live], a_finding(GAP))[::-1]

    assert (gap.kind, gap.flag.rule) == (ChangeKind.OPENED, GAP)
    assert (left.kind, left.flag.status) == (ChangeKind.SUPERSEDED, FlagStatus.SUPERSEDED)


def test_a_needs_review_classification_is_superseded_too() -> None:
    """Superseding is no closing: the successor stays open."""
    kinds = {c.flag.rule: c.kind for c in changed([a_flag(LEFT, **REVIEW)], a_finding(GAP))}

    assert kinds == {LEFT: ChangeKind.SUPERSEDED, GAP: ChangeKind.OPENED}


def test_one_to_one_time_is_beside_the_other_classifications() -> None:
    """Where it is gone it is withdrawn, although another flag stands; nor does it replace one."""
    (gone,) = changed([a_flag(ALONE), a_flag(LEFT)], a_finding(LEFT))
    (left,) = changed([a_flag(ALONE), a_flag(LEFT)], a_finding(ALONE))

    assert (gone.kind, gone.flag.rule) == (ChangeKind.WITHDRAWN, ALONE)
    assert (left.kind, left.flag.rule) == (ChangeKind.WITHDRAWN, LEFT)


def test_final_needs_review_presence_flags_are_never_closed() -> None:
    """Silence is no pass; provisional and confirmed ones may be withdrawn."""
    assert changed([a_flag(LEFT, **REVIEW)]) == ()
    for values in ({"is_provisional": True, **REVIEW}, {}):
        (change,) = changed([a_flag(LEFT, **values)])
        assert change.kind is ChangeKind.WITHDRAWN


def test_other_rules_in_need_of_review_are_withdrawn() -> None:
    """Only presence flags stay for want of certainty."""
    (change,) = changed([a_flag(**REVIEW)])

    assert change.kind is ChangeKind.WITHDRAWN


def test_setup_findings_supersede_nothing() -> None:
    """Only the presence family replaces its own."""
    kinds = {c.flag.rule: c.kind for c in changed([a_flag(LEFT)], a_finding())}

    assert kinds[LEFT] is ChangeKind.WITHDRAWN


# --- Algebra ------------------------------------------------------------------------------------

findings = st.builds(
    lambda rule, subject, severity, certainty, provisional, sticky: a_finding(
        rule,
        subject=subject if rule in SETUP_RULES else None,
        severity=severity,
        certainty=certainty,
        is_provisional=provisional,
        is_sticky=sticky and rule in SETUP_RULES,
    ),
    st.sampled_from(sorted(RULES)),
    st.sampled_from(["a", "b"]),
    st.sampled_from(Severity),
    st.sampled_from(Certainty),
    st.booleans(),
    st.booleans(),
)
verdicts = st.tuples(
    st.lists(findings, max_size=6, unique_by=lambda f: f.key),
    st.sets(st.sampled_from(sorted(RULES))),
)


def _decide(flags: list[Flag], chosen: int) -> list[Flag]:
    status = [FlagStatus.ACKNOWLEDGED, FlagStatus.UPHELD, FlagStatus.DISMISSED][chosen % 3]
    return [
        replace(f, status=status) if i == chosen and f.status.is_pending else f
        for i, f in enumerate(flags)
    ]


@given(st.lists(st.tuples(verdicts, st.integers(0, 8)), max_size=5), verdicts)
def test_reconciling_twice_changes_nothing(
    history: list[tuple[tuple[list[Finding], set[str]], int]],
    last: tuple[list[Finding], set[str]],
) -> None:
    """Whatever happened before, the same verdict again is no change; what it found is kept."""
    flags: list[Flag] = []
    for minute, ((found, decided), chosen) in enumerate(history):
        flags = after(flags, changed(flags, *found, decided=decided, minutes=minute))
        flags = _decide(flags, chosen)
    found, decided = last

    changes = changed(flags, *found, decided=decided, minutes=90)
    kept = after(flags, changes)

    assert changed(kept, *found, decided=decided, minutes=91) == ()
    assert changed(flags[::-1], *found[::-1], decided=decided, minutes=90) == changes
    by_key = {flag.key: flag for flag in kept}
    assert all(by_key[f.key].status.is_pending or by_key[f.key].status.is_decided for f in found)
    for flag in flags:
        if flag.status.is_decided or (
            flag.rule not in decided and flag.key not in {f.key for f in found}
        ):
            assert by_key[flag.key] == flag


@given(verdicts)
def test_a_closed_flag_was_decided_and_not_found(verdict: tuple[list[Finding], set[str]]) -> None:
    """Every closing has its reason: the rule was asked in full and did not say it again."""
    kept = [a_flag(rule) for rule in (*PRESENCE_RULES, *SETUP_RULES)]
    found, decided = verdict

    for change in changed(kept, *found, decided=decided):
        if not change.flag.status.is_pending:
            assert change.flag.rule in decided
            assert change.flag.key not in {f.key for f in found}
            assert change.reason
    assert all(flag.occurrence == KEY for flag in kept)


def test_a_flag_holds_all_of_its_finding() -> None:
    """Every part where it belongs, and facts as JSON has them."""
    finding = a_finding(
        partner_id="northstar", program_id="path", admin="Set it.",
        facts={"of": {1: date(2026, 6, 30)}, "list": (date(2026, 6, 30), 2), "x": None},
    )  # fmt: skip

    (change,) = changed((), finding)

    assert change.flag.facts == {"of": {"1": "2026-06-30"}, "list": ["2026-06-30", 2], "x": None}
    assert (change.flag.partner_id, change.flag.program_id) == ("northstar", "path")
    assert change.flag.admin == "Set it."


def test_an_update_keeps_who_was_told_and_how_grave_it_was() -> None:
    """The severity that was told last stays until another is told."""
    before = a_flag(told_severity=Severity.HIGH)

    (update,) = changed([before], a_finding(severity=Severity.LOW), minutes=5)

    assert update.flag.told_severity is Severity.HIGH


def test_closing_says_when_and_why() -> None:
    """Superseded and withdrawn flags alike."""
    (withdrawn,) = changed([a_flag()], minutes=7)
    superseded = next(
        c
        for c in changed([a_flag(LEFT)], a_finding(GAP), minutes=7)
        if c.kind is ChangeKind.SUPERSEDED
    )

    assert (withdrawn.flag.updated_at, withdrawn.reason) == (at(7), "no longer found")
    assert superseded.flag.updated_at == at(7)
    assert superseded.reason == "another classification took its place"


def test_an_id_is_the_same_in_every_release() -> None:
    """It stands in mails and in what districts script against."""
    assert flag_id(FlagKey("rule", "occurrence", "subject")) == "F-773e2ef34e3d"
