"""`webhooks list` and `webhooks retry`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.cli.output import shown
from meetbot.domain.flag_documents import instant
from meetbot.errors import BadInput, Mistake
from meetbot.ports import HookDelivery, HookState

app = typer.Typer(help="What other programs are told.", no_args_is_help=True)


@app.command("list")
def list_deliveries(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what arrived, of the last 30 days.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """List what waits and what was given up, by program."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    states = None if everything else [HookState.QUEUED, HookState.FAILED]
    with opened_store(settings) as store, store.reading() as tx:
        found = tx.hooks.list(states=states)
        off = {name: at for name, at in tx.hooks.off().items() if name in settings.webhooks}
    if as_json:
        document = {
            "programs": {
                name: {"url": hook.url, "off_since": instant(off[name]) if name in off else None}
                for name, hook in sorted(settings.webhooks.items())
            },
            "deliveries": [_document(one) for one in found],
        }
        print(json.dumps(document, indent=2))
        return
    for name in sorted(settings.webhooks):
        state = f"switched off since {instant(off[name])}" if name in off else "on"
        print(f"{name}: {state}")
    for one in found:
        tries = "1 try" if one.attempts == 1 else f"{one.attempts} tries"
        print(f"{one.id}  {one.endpoint}  {one.event}  {one.flag_id}  {one.state}, {tries}")
        if one.reason:
            print(f"    {shown(one.reason, 200)}")
    if not settings.webhooks:
        print("No program is named: see [webhooks] in the configuration.")
    elif not found:
        print("Nothing waits.")


def _document(one: HookDelivery) -> dict[str, object]:
    return {
        "id": one.id,
        "program": one.endpoint,
        "event": one.event.value,
        "flag": one.flag_id,
        "state": one.state.value,
        "attempts": one.attempts,
        "due_at": instant(one.due_at),
        "queued_at": instant(one.queued_at),
        "changed_at": instant(one.changed_at),
        "reason": one.reason,
    }


@app.command("retry")
def retry(
    context: typer.Context,
    wanted: Annotated[
        str, typer.Argument(metavar="ID", help="A delivery, or a program with all of its own.")
    ],
) -> None:
    """Try again what was given up; switches a program on again."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    with opened_store(settings) as store, store.transaction() as tx:
        was_off = wanted in tx.hooks.off()
        number = tx.hooks.retry(wanted, at=datetime.now(UTC))
    if not number and not was_off:
        what, fix = f'nothing given up is called "{shown(wanted)}"', "see `meetbot webhooks list`"
        raise BadInput([Mistake("ID", what, fix)])
    print(f"{number} to be tried again with the next pass.")
