"""Weeks, rates and what ends soon: days at their limits, and what is nobody else's business."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from meetbot.domain.findings import Severity
from meetbot.domain.overview import (
    WEEKS,
    Expiring,
    Precision,
    Week,
    expiring,
    week_of,
    week_starts,
)
from meetbot.domain.registry import (
    Authorization,
    Certification,
    Contract,
    ExemptionKind,
    Registry,
)
from tests.dossiers import ZONE, an_exemption

TODAY = date(2026, 10, 13)
LONG_AGO = date(2020, 1, 1)
HOUR = timedelta(hours=1)


def in_days(number: int) -> date:
    return TODAY + timedelta(days=number)


def within(found: tuple[Expiring, ...]) -> dict[str, tuple[int, int, int]]:
    return {one.file: one.within for one in found}


def test_weeks_begin_on_monday_and_end_with_this_one() -> None:
    """Also late on a Sunday that is Monday elsewhere."""
    sunday_night = datetime(2026, 10, 19, 4, tzinfo=UTC)  # 23:00 in Chicago

    starts = week_starts(sunday_night, ZONE)

    assert len(starts) == WEEKS
    assert starts[-1] == date(2026, 10, 12)
    assert starts[0] == date(2026, 7, 27)
    assert week_starts(sunday_night + HOUR, ZONE)[-1] == date(2026, 10, 19)


@pytest.mark.parametrize(
    ("first", "hours"), [("2026-10-12", 168), ("2026-10-26", 169), ("2026-03-02", 167)]
)
def test_a_week_is_as_long_as_its_clocks_make_it(first: str, hours: int) -> None:
    """And each begins when the one before ends."""
    start, end = week_of(date.fromisoformat(first), ZONE)

    assert end - start == hours * HOUR
    assert week_of(date.fromisoformat(first) + timedelta(days=7), ZONE)[0] == end


@pytest.mark.usefixtures("machine_in_chicago")
def test_a_week_is_told_in_utc() -> None:
    """Wherever the machine stands."""
    assert [instant.tzinfo for instant in week_of(TODAY, ZONE)] == [UTC, UTC]


def test_rates_are_of_flags_that_only_partner_meetings_have() -> None:
    """Low ones may be of meetings of adults, which are no partner meetings."""
    counts = {Severity.CRITICAL: 1, Severity.MEDIUM: 2, Severity.LOW: 5, Severity.INFO: 7}

    week = Week(TODAY, counts, 60)

    assert (week.flags, week.grave, week.per_hundred) == (15, 3, 5.0)
    assert Week(TODAY, counts, 0).per_hundred is None
    assert Week(TODAY, counts, None).per_hundred is None


def test_precision_is_the_share_of_upheld_ones() -> None:
    """Of those that officers decided."""
    assert Precision("adhoc-meeting", 3, 1).share == 0.75
    assert Precision("adhoc-meeting", 0, 4).share == 0


def test_rows_that_end_soon_are_counted_by_day() -> None:
    """The last day of each span counts, today's rows are still valid, ended ones are not."""
    ends = [-1, 0, 30, 31, 60, 61, 90, 91]
    contracts = tuple(Contract(str(n), "p", "g", ("*",), None, LONG_AGO, in_days(n)) for n in ends)

    found = expiring(Registry(contracts=contracts), TODAY, private=False)

    assert within(found)["contracts"] == (2, 4, 6)


def test_every_kind_of_row_that_ends_is_counted() -> None:
    """Certifications, approvals but revoked ones, and exemptions."""
    soon = in_days(5)
    issued = datetime(2026, 1, 1, tzinfo=UTC)
    approvals = tuple(
        Authorization(str(n), "p", "g", "s", None, LONG_AGO, soon, "a@x", issued, revoked)
        for n, revoked in enumerate((None, issued, None))
    )
    registry = Registry(
        certifications=(Certification("p", None, LONG_AGO, soon),),
        authorizations=approvals,
        exemptions=(an_exemption(ExemptionKind.GUARDIAN, ends_on=soon),),
    )

    assert within(expiring(registry, TODAY, private=False)) == {
        "contracts": (0, 0, 0),
        "certifications": (1, 1, 1),
        "authorizations": (2, 2, 2),
        "exemptions": (1, 1, 1),
    }


def test_exemptions_of_confidential_services_are_for_privacy_officers() -> None:
    """How many there are nobody else can count."""
    exemption = an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, ends_on=in_days(5))
    registry = Registry(exemptions=(exemption,))

    assert within(expiring(registry, TODAY, private=True))["exemptions"] == (1, 1, 1)
    assert within(expiring(registry, TODAY, private=False))["exemptions"] == (0, 0, 0)
