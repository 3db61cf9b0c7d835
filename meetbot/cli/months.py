"""`months`: what was held, as numbers that outlive the records."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.domain.retention import month_in


def months(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """Count meetings, calls and visits by month.

    Meetings in scope that were not cancelled, and the calls held for them; what retention has
    deleted is counted too.
    """
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    month = month_in(settings.district.timezone)
    with opened_store(settings) as store, store.reading() as tx:
        counts = tx.retention.months(month, as_of=datetime.now(UTC))
    if as_json:
        print(json.dumps([dataclasses.asdict(count) for count in counts], indent=2))
        return
    for count in counts:
        print(
            f"{count.month}  meetings {count.meetings}, calls {count.calls}, visits {count.visits}"
        )
    if not counts:
        print("No meetings.")
