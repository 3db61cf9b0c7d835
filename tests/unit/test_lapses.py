"""What lapses soon, and what only seems to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from meetbot.domain.lapses import lapsing
from meetbot.domain.registry import (
    Authorization,
    Certification,
    Contract,
    Exemption,
    ExemptionKind,
    Row,
    School,
    SchoolKind,
)
from meetbot.domain.registry_history import KnownRow, Origin
from tests.builders import at

TODAY = date(2026, 10, 13)
END = date(2026, 11, 1)
CONTRACT = Contract("C1", "P1", "G1", ("S1",), date(2026, 1, 1), date(2026, 1, 1), END)
CERTIFIED = Certification("P1", None, date(2026, 1, 1), END)
APPROVED = Authorization(
    "A1", "P1", "G1", "S1", "ann@district.example", date(2026, 9, 1), END, "pat@d.example", at(-9)
)
EXEMPT = Exemption(
    ExemptionKind.GUARDIAN, "m@x.example", None, False, "r", "o", date(2026, 1, 1), END
)
SCHOOL = School("S1", "Lincoln", SchoolKind.SCHOOL, ("/L",), ("pat@district.example",))


def lapsed(*rows: Row, days: int = 30) -> list[Row]:
    known = [
        KnownRow(number, row, Origin.IMPORT, at(-99)) for number, row in enumerate(rows, start=1)
    ]
    return [lapse.known.row for lapse in lapsing(known, TODAY, days)]


@pytest.mark.parametrize("row", [CONTRACT, CERTIFIED, APPROVED, EXEMPT])
def test_a_last_day_among_the_next_ones_is_told(row: Row) -> None:
    """Nineteen days ahead."""
    assert lapsed(SCHOOL, row) == [row]
    assert lapsed(row, days=20) == [row]
    assert lapsed(row, days=19) == []


@pytest.mark.parametrize(("day", "is_told"), [(-1, False), (0, True), (29, True), (30, False)])
def test_today_counts_and_yesterday_does_not(day: int, is_told: bool) -> None:
    """What is over has lapsed already."""
    row = replace(CONTRACT, ends_on=TODAY + timedelta(days=day))
    assert lapsed(row) == [row] * is_told


def test_a_revoked_authorization_has_lapsed() -> None:
    """It needs no renewal."""
    assert lapsed(replace(APPROVED, revoked_at=at(0))) == []


NEXT = END + timedelta(days=1)
LATER = date(2027, 6, 30)


@pytest.mark.parametrize(
    ("row", "following", "is_renewed"),
    [
        (CONTRACT, replace(CONTRACT, contract_id="C2", starts_on=NEXT, ends_on=LATER), True),
        (CONTRACT, replace(CONTRACT, contract_id="C2", starts_on=END, ends_on=LATER), True),
        (
            CONTRACT,
            replace(CONTRACT, contract_id="C2", school_ids=("*",), starts_on=NEXT, ends_on=LATER),
            True,
        ),
        (
            CONTRACT,
            replace(CONTRACT, contract_id="C2", school_ids=("S2",), starts_on=NEXT, ends_on=LATER),
            False,
        ),
        (
            CONTRACT,
            replace(CONTRACT, contract_id="C2", signed_on=None, starts_on=NEXT, ends_on=LATER),
            False,
        ),
        (
            CONTRACT,
            replace(CONTRACT, contract_id="C2", program_id="G2", starts_on=NEXT, ends_on=LATER),
            False,
        ),
        (
            CONTRACT,
            replace(CONTRACT, contract_id="C2", starts_on=NEXT + timedelta(days=1), ends_on=LATER),
            False,
        ),
        (CONTRACT, replace(CONTRACT, contract_id="C2", starts_on=NEXT, ends_on=NEXT), True),
        (CERTIFIED, replace(CERTIFIED, certified_on=NEXT, expires_on=LATER), True),
        (
            CERTIFIED,
            replace(CERTIFIED, person_address="g@x.example", certified_on=NEXT, expires_on=LATER),
            False,
        ),
        (APPROVED, replace(APPROVED, authorization_id="A2", ends_on=LATER), True),
        (
            APPROVED,
            replace(APPROVED, authorization_id="A2", host_address=None, ends_on=LATER),
            True,
        ),
        (
            replace(APPROVED, host_address=None),
            replace(APPROVED, authorization_id="A2", ends_on=LATER),
            False,
        ),
        (EXEMPT, replace(EXEMPT, starts_on=NEXT, ends_on=LATER), True),
        (EXEMPT, replace(EXEMPT, value="n@x.example", starts_on=NEXT, ends_on=LATER), False),
    ],
)
def test_what_another_row_goes_on_from_does_not_lapse(
    row: Row, following: Row, is_renewed: bool
) -> None:
    """Only where that one covers at least the same, from the very next day."""
    assert (row not in lapsed(row, following)) is is_renewed


def test_the_first_to_lapse_comes_first() -> None:
    """As a list to work through."""
    soon = replace(CONTRACT, contract_id="C2", program_id="G2", ends_on=TODAY)
    assert lapsed(CONTRACT, soon, CERTIFIED) == [soon, CONTRACT, CERTIFIED]


def test_the_end_of_time_never_lapses_and_never_raises() -> None:
    """Some exemptions are written without an end."""
    assert lapsed(replace(EXEMPT, ends_on=date.max), days=90) == []
    assert lapsed(EXEMPT, replace(EXEMPT, starts_on=NEXT, ends_on=date.max)) == []
