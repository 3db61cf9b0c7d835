"""When the space of a meeting is read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meetbot.domain.spaces import Access, SpaceFacts, next_reading

START = datetime(2026, 10, 13, 15, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("read", "changes", "again"),
    [
        (30 * DAY, {}, 23 * DAY),
        (10 * DAY, {}, 7 * DAY),
        (8 * DAY, {}, 7 * DAY),
        (7 * DAY + HOUR, {}, 6 * DAY + HOUR),
        (2 * DAY, {}, DAY),
        (DAY, {}, HOUR),
        (HOUR + timedelta(minutes=1), {}, HOUR),
        (HOUR, {}, -23 * HOUR),
        (3 * DAY, {"access": Access.OPEN}, 3 * DAY - HOUR),
        (3 * DAY, {"access": None, "problem": "shown to its owner only"}, 2 * DAY),
        (timedelta(minutes=90), {"access": Access.OPEN}, HOUR),
        (timedelta(minutes=50), {"access": Access.OPEN}, timedelta(minutes=-10)),
    ],
)
def test_next_reading(read: timedelta, changes: dict[str, Any], again: timedelta) -> None:
    """Lengths before the start: weekly, daily in the last week, hourly while it may be mended, and
    once in the last hour."""
    trusted = SpaceFacts("code", "key", START - read, "spaces/s", Access.TRUSTED)
    facts = replace(trusted, **changes)

    assert next_reading(facts, START) == START - again
