"""What a case says of itself, and who may see it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from meetbot.domain.case_ids import case_id
from meetbot.domain.casework import (
    Case,
    CaseStatus,
    Noted,
    Term,
    TermKind,
    case_of,
    gist_of,
    is_private,
    shown,
    terms_of,
)
from meetbot.domain.findings import Certainty, Severity
from meetbot.domain.flags import Flag, FlagStatus
from tests.builders import T0, a_stored_flag, at

OPEN_MEETING = Noted("host", ("host",), ("S2",), is_private=False, starts_at=at(30))
LOW, HIGH, CRITICAL = Severity.LOW, Severity.HIGH, Severity.CRITICAL
INTRUDER = "confidential-intruder"


def made(*flags: Flag, noted: Noted | None = OPEN_MEETING) -> Case:
    return case_of(flags, noted, touched_at=None)


def with_statuses(*statuses: FlagStatus) -> tuple[Flag, ...]:
    rules = ("a", "b", "c")
    return tuple(a_stored_flag(r, status=s) for r, s in zip(rules, statuses, strict=False))


@pytest.mark.parametrize(
    ("statuses", "status", "pending"),
    [
        ([FlagStatus.OPEN], CaseStatus.OPEN, 1),
        ([FlagStatus.OPEN, FlagStatus.ACKNOWLEDGED], CaseStatus.OPEN, 2),
        ([FlagStatus.ACKNOWLEDGED, FlagStatus.UPHELD], CaseStatus.ACKNOWLEDGED, 1),
        ([FlagStatus.UPHELD, FlagStatus.DISMISSED], CaseStatus.CLOSED, 0),
        ([FlagStatus.WITHDRAWN, FlagStatus.SUPERSEDED], CaseStatus.CLOSED, 0),
    ],
)
def test_what_waits(statuses: Sequence[FlagStatus], status: CaseStatus, pending: int) -> None:
    """Open while any flag is, acknowledged while any is, then closed."""
    case = made(*with_statuses(*statuses))

    assert (case.status, case.pending, case.flags) == (status, pending, len(statuses))


def test_the_severity_is_that_of_what_waits() -> None:
    """Once nothing waits, that of all."""
    closed = a_stored_flag("a", severity=CRITICAL, status=FlagStatus.DISMISSED)
    waiting = a_stored_flag("b", severity=LOW)

    assert made(closed, waiting).severity is LOW
    assert made(closed, replace(waiting, status=FlagStatus.UPHELD)).severity is CRITICAL


def test_a_new_case_has_its_first_version() -> None:
    """The store says which one it is later."""
    flag = a_stored_flag("a")

    assert made(flag).version == 1
    assert case_of([flag], OPEN_MEETING, version=5, touched_at=None).version == 5


def test_instants() -> None:
    """Opened with its newest flag; updated by the last change of a flag or by what was done."""
    flags = (
        a_stored_flag("a", opened=1, updated_at=at(9)),
        a_stored_flag("b", opened=5, updated_at=at(6)),
    )
    case = made(*flags)

    assert (case.opened_at, case.updated_at, case.starts_at) == (at(5), at(9), at(30))
    assert case_of(flags, OPEN_MEETING, touched_at=at(20)).updated_at == at(20)
    assert case_of(flags, OPEN_MEETING, touched_at=at(2)).updated_at == at(9)
    assert case_of(flags, None, touched_at=None).starts_at == T0


def test_whom_it_concerns() -> None:
    """Schools of flags and of the judge; the host's school is that of the newest flag with one."""
    flags = (
        a_stored_flag("b", school_id="S1", partner_id="P2", updated_at=at(1)),
        a_stored_flag("a", school_id="S3", partner_id=None, updated_at=at(2)),
        a_stored_flag("c", school_id=None, partner_id="P1", updated_at=at(3)),
    )
    case = made(*flags)

    assert case.id == case_id(flags[0].key.occurrence)
    assert case.occurrence == flags[0].key.occurrence
    assert (case.rules, case.partners) == (("a", "b", "c"), ("P1", "P2"))
    assert (case.schools, case.school_id) == (("S1", "S2", "S3"), "S3")
    assert (case.host_key, case.answerers) == ("host", ("host",))
    assert terms_of(flags[:1], None) == (
        Term(TermKind.PARTNER, "P2"),
        Term(TermKind.RULE, "b"),
        Term(TermKind.SCHOOL, "S1"),
    )


@pytest.mark.parametrize(
    ("statuses", "noted", "private"),
    [
        ({}, OPEN_MEETING, False),
        ({}, None, True),
        ({}, replace(OPEN_MEETING, is_private=True), True),
        ({INTRUDER: FlagStatus.OPEN}, OPEN_MEETING, True),
        ({INTRUDER: FlagStatus.UPHELD}, OPEN_MEETING, True),
        ({INTRUDER: FlagStatus.WITHDRAWN}, OPEN_MEETING, False),
        ({INTRUDER: FlagStatus.SUPERSEDED}, OPEN_MEETING, False),
    ],
)
def test_who_may_see_it(
    statuses: dict[str, FlagStatus], noted: Noted | None, private: bool
) -> None:
    """Privacy officers alone, as long as nobody knows better."""
    flags = [a_stored_flag("a"), *(a_stored_flag(r, status=s) for r, s in statuses.items())]

    assert is_private(flags, noted) is private
    assert made(*flags, noted=noted).is_private is private


def test_a_private_flag_alone_stays_private() -> None:
    """Also when it is gone."""
    flag = a_stored_flag(INTRUDER, status=FlagStatus.WITHDRAWN)

    assert made(flag).is_private
    assert made(flag).rules == (INTRUDER,)


def test_what_others_see_has_no_private_flag() -> None:
    flag, theirs = a_stored_flag("a"), a_stored_flag(INTRUDER, status=FlagStatus.WITHDRAWN)

    assert shown([theirs, flag], private=False) == (flag,)
    assert shown([theirs, flag], private=True) == (theirs, flag)
    assert (made(theirs, flag).flags, made(theirs, flag).rules) == (1, ("a",))


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({"message": "Longer.", "updated_at": at(99), "facts": {"seconds": 1}}, True),
        ({"told": {"host": at(1)}}, True),
        ({"status": FlagStatus.ACKNOWLEDGED}, False),
        ({"severity": CRITICAL}, False),
        ({"certainty": Certainty.NEEDS_REVIEW}, False),
        ({"id": "F-000000000000"}, False),
    ],
)
def test_the_gist_is_what_an_officer_decides_on(changes: dict[str, object], is_same: bool) -> None:
    """Not the seconds of a call that goes on; in whatever order flags come."""
    flag, other = a_stored_flag("a"), a_stored_flag("b")
    changed = replace(flag, **changes)  # type: ignore[arg-type] # by name

    assert (gist_of([flag, other]) == gist_of([other, changed])) is is_same
    assert gist_of([flag]) != gist_of([flag, other])


def test_the_id_of_a_case_stays() -> None:
    """Links that were sent lead to the same case in later versions."""
    assert case_id(a_stored_flag().occurrence.text) == "C-a25df38cefb3"


def test_a_gist_that_is_kept_stays_the_same() -> None:
    """The store compares it with one kept before; another form of it would refuse open pages."""
    flag, other = a_stored_flag("a"), a_stored_flag("b", severity=CRITICAL)
    parts = sorted(f"{f.id}/open/{f.severity}/confirmed" for f in (flag, other))

    assert gist_of([flag, other]) == hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]
