"""What may be asked for and answered, before anything is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.approvals import (
    Answer,
    Approval,
    ApprovalState,
    Ask,
    Problem,
    Refusal,
    answer_problems,
    approval_id,
    ask_problems,
    authorization_of,
    days_of,
    people_who_lead,
    state_after,
)
from meetbot.domain.registry import School, SchoolKind

ZONE = ZoneInfo("America/Chicago")
START = datetime(2026, 10, 13, 23, 30, tzinfo=UTC)
"""18:30 in Chicago: an hour later it is another day in UTC."""
END = START + timedelta(hours=1)
DAY = date(2026, 10, 13)
ASK = Ask("P1", "G1", DAY, date(2026, 12, 18))
APPROVAL = Approval(
    id="Q-0123456789ab",
    occurrence="o",
    case_id="C-0123456789ab",
    partner_id="P1",
    program_id="G1",
    school_id="S1",
    host="ann@district.example",
    host_key="k",
    start_at=START,
    end_at=END,
    starts_on=ASK.starts_on,
    ends_on=ASK.ends_on,
    words="",
    asked_at=START - timedelta(days=5),
    expires_at=START,
)
DAYS = st.dates(DAY - timedelta(days=3), date(2026, 12, 21))


def asked(**changes: object) -> list[str]:
    """The fields of a request that are wrong."""
    ask = replace(ASK, **changes)  # type: ignore[arg-type] # by name
    return [problem.field for problem in ask_problems(ask, START, END, ZONE)]


def answered(**changes: object) -> list[str]:
    """The fields of an answer that are wrong."""
    answer = replace(Answer("pat@district.example", START), **changes)  # type: ignore[arg-type] # by name
    return [problem.field for problem in answer_problems(APPROVAL, answer)]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, []),
        ({"ends_on": DAY}, []),
        ({"starts_on": DAY + timedelta(days=1)}, ["starts_on"]),
        ({"starts_on": DAY - timedelta(days=9), "ends_on": DAY - timedelta(days=1)}, ["starts_on"]),
        ({"ends_on": DAY - timedelta(days=1)}, ["ends_on"]),
        ({"ends_on": DAY + timedelta(days=365)}, []),
        ({"ends_on": DAY + timedelta(days=366)}, ["ends_on"]),
        ({"ends_on": date.max}, ["ends_on"]),
        ({"words": "x" * 500}, []),
        ({"words": "x" * 501}, ["words"]),
    ],
)
def test_what_may_be_asked_for(changes: dict[str, object], wrong: list[str]) -> None:
    """Local days that hold the meeting, a year at most."""
    assert asked(**changes) == wrong


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, ["choice"]),
        ({"grant": (ASK.starts_on, ASK.ends_on)}, []),
        ({"grant": (ASK.ends_on, ASK.ends_on)}, []),
        ({"grant": (ASK.starts_on - timedelta(days=1), ASK.ends_on)}, ["starts_on"]),
        ({"grant": (ASK.starts_on, ASK.ends_on + timedelta(days=1))}, ["ends_on"]),
        ({"grant": (ASK.ends_on, ASK.starts_on)}, ["ends_on"]),
        ({"refusal": Refusal.NOT_PLANNED}, []),
        ({"refusal": Refusal.OTHER}, ["words"]),
        ({"refusal": Refusal.OTHER, "words": " \n"}, ["words"]),
        ({"refusal": Refusal.OTHER, "words": "no"}, []),
        ({"refusal": Refusal.OTHER, "words": "x" * 501}, ["words"]),
    ],
)
def test_what_may_be_answered(changes: dict[str, object], wrong: list[str]) -> None:
    """The days asked for or fewer, or why not."""
    assert answered(**changes) == wrong


HONOLULU = ZoneInfo("Pacific/Honolulu")
NIGHT = datetime(2026, 10, 14, 5, tzinfo=UTC)
"""19:00 in Honolulu; in Chicago and in UTC it is another day already."""
SWAPPED = Problem("ends_on", "is before the first day", "swap or correct the two")
TOO_LONG = Problem("words", "has more than 500 characters", "shorten it")


@pytest.mark.usefixtures("machine_in_chicago")
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ends_on": DAY - timedelta(days=1)}, SWAPPED),
        (
            {"ends_on": DAY + timedelta(days=366)},
            Problem("ends_on", "is more than a year after the first day", "ask for a year at most"),
        ),
        (
            {"starts_on": DAY + timedelta(days=1)},
            Problem(
                "starts_on",
                "leaves the meeting itself out",
                "begin on 2026-10-13 or earlier and end on 2026-10-13 or later",
            ),
        ),
        ({"words": "x" * 501}, TOO_LONG),
    ],
)
def test_a_host_reads_what_is_wrong_and_how_to_put_it_right(
    changes: dict[str, object], problem: Problem
) -> None:
    """One sentence on one field, with the days as the school counts them."""
    ask = replace(ASK, **changes)  # type: ignore[arg-type] # by name
    end = NIGHT + timedelta(hours=1)
    assert list(ask_problems(ask, NIGHT, end, HONOLULU)) == [problem]


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({}, [Problem("choice", "is missing", "approve, narrow or refuse")]),
        ({"grant": (ASK.ends_on, ASK.starts_on)}, [SWAPPED]),
        (
            {"grant": (DAY - timedelta(days=1), date(2026, 12, 19))},
            [
                Problem("starts_on", "is earlier than was asked for", "choose 2026-10-13 or later"),
                Problem("ends_on", "is later than was asked for", "choose 2026-12-18 or earlier"),
            ],
        ),
        (
            {"refusal": Refusal.OTHER},
            [Problem("words", "is empty", "say in a few words why")],
        ),
        ({"refusal": Refusal.OTHER, "words": "x" * 501}, [TOO_LONG]),
    ],
)
def test_a_principal_reads_what_is_wrong_and_how_to_put_it_right(
    changes: dict[str, object], problems: list[Problem]
) -> None:
    """Every mistake at once, with the days that may be chosen."""
    answer = replace(Answer("pat@district.example", START), **changes)  # type: ignore[arg-type] # by name
    assert list(answer_problems(APPROVAL, answer)) == problems


@pytest.mark.parametrize(
    ("first", "last", "state"),
    [
        (ASK.starts_on, ASK.ends_on, ApprovalState.APPROVED),
        (ASK.starts_on, ASK.ends_on - timedelta(days=1), ApprovalState.NARROWED),
        (ASK.starts_on + timedelta(days=1), ASK.ends_on, ApprovalState.NARROWED),
    ],
)
def test_only_all_days_are_approval(first: date, last: date, state: ApprovalState) -> None:
    """A day less is narrowed, and the row holds the very days that were granted."""
    answer = Answer("pat@district.example", START, (first, last))
    row = authorization_of(APPROVAL, answer)
    assert row is not None
    assert (row.starts_on, row.ends_on) == (first, last)
    assert state_after(APPROVAL, answer) is state


@given(DAYS, DAYS)
def test_what_is_granted_is_never_more_than_was_asked(first: date, last: date) -> None:
    """A row that an answer without a mistake makes lies within the days asked for."""
    answer = Answer("pat@district.example", START, (first, last))
    row = authorization_of(APPROVAL, answer)
    assert row is not None
    if list(answer_problems(APPROVAL, answer)):
        assert not ASK.starts_on <= first <= last <= ASK.ends_on
        return
    assert ASK.starts_on <= row.starts_on <= row.ends_on <= ASK.ends_on
    whole = (first, last) == (ASK.starts_on, ASK.ends_on)
    expected = ApprovalState.APPROVED if whole else ApprovalState.NARROWED
    assert state_after(APPROVAL, answer) is expected


def test_an_approval_is_the_registrys_row() -> None:
    """Issuer, moment, host, program and school; a refusal is none."""
    row = authorization_of(APPROVAL, Answer("pat@district.example", START, (DAY, DAY)))
    assert row is not None
    assert (row.authorization_id, row.partner_id, row.program_id) == ("A-0123456789ab", "P1", "G1")
    assert (row.school_id, row.host_address) == ("S1", "ann@district.example")
    assert (row.authorizer_address, row.issued_at) == ("pat@district.example", START)
    assert row.revoked_at is None
    no = Answer("pat@district.example", START, refusal=Refusal.NOT_PLANNED)
    assert authorization_of(APPROVAL, no) is None
    assert state_after(APPROVAL, no) is ApprovalState.REFUSED


@pytest.mark.parametrize(
    ("minutes", "state", "waits"),
    [(-1, "pending", True), (0, "pending", False), (-1, "approved", False), (-1, "refused", False)],
)
def test_a_request_waits_until_it_is_answered_or_expires(
    minutes: float, state: str, waits: bool
) -> None:
    """At the very instant it has expired."""
    approval = replace(APPROVAL, state=ApprovalState(state))
    assert approval.waits(START + timedelta(minutes=minutes)) is waits


@pytest.mark.usefixtures("machine_in_chicago")
def test_the_days_of_a_meeting_are_local() -> None:
    """Those of the school, not of the machine; one that ends at midnight ends the day before."""
    assert days_of(NIGHT, NIGHT, HONOLULU) == (DAY, DAY)
    assert days_of(START, END, ZONE) == (DAY, DAY)
    midnight = datetime(2026, 10, 14, 5, tzinfo=UTC)
    assert days_of(START, midnight, ZONE) == (DAY, DAY)
    tick = timedelta(microseconds=1)
    assert days_of(START, midnight + tick, ZONE) == (DAY, date(2026, 10, 14))
    assert days_of(midnight, midnight, ZONE) == (date(2026, 10, 14),) * 2


def test_ids_tell_nothing_and_differ() -> None:
    """Of another meeting, another partner, another moment; the same again for the same."""
    one = approval_id("o", "P1", START)
    assert one == approval_id("o", "P1", START)
    assert one == "Q-bb24d1e96ba2", "as in the links of mails sent before"
    others = [
        approval_id("p", "P1", START),
        approval_id("o", "P2", START),
        approval_id("o", "P1", END),
        approval_id("o\ud800", "P1", START),
    ]
    assert len({one, *others}) == 5


def test_principals_come_before_leads_and_each_once() -> None:
    """Whoever is both is one person."""
    school = School("S1", "L", SchoolKind.SCHOOL, ("/L",), ("a@d.example", "b@d.example"))
    assert people_who_lead(school) == ("a@d.example", "b@d.example")
    both = replace(school, leads=("b@d.example", "c@d.example"))
    assert people_who_lead(both) == ("a@d.example", "b@d.example", "c@d.example")
