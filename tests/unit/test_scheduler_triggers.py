"""Which jobs the service has, and when a spreadsheet is among them."""

from __future__ import annotations

from datetime import timedelta

from meetbot.jobs import import_registry
from meetbot.scheduler import triggers

MINUTES = timedelta(minutes=5)


def test_a_spreadsheet_is_imported_as_often_as_configured() -> None:
    """First of all in the first pass, and what it changes is judged and mailed at once."""
    table = triggers(MINUTES, MINUTES, timedelta(hours=2))

    first = table[0]
    assert (first.name, first.job) == ("registry", import_registry.run)
    assert first.every == timedelta(hours=2)
    assert first.then == ("decisions", "delivery")


def test_without_a_spreadsheet_there_is_no_such_job() -> None:
    """Every other job is the same."""
    without = triggers(MINUTES, MINUTES)

    assert "registry" not in {trigger.name for trigger in without}
    assert without == triggers(MINUTES, MINUTES, timedelta(hours=2))[1:]
