"""`mail status`, `mail release` and `mail drop`: mails that a storm of flags holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.cli.output import shown
from meetbot.domain.addresses import parse_address
from meetbot.domain.flag_documents import instant
from meetbot.domain.people import AccountKind
from meetbot.domain.storms import Storm, StormState
from meetbot.errors import BadInput, Mistake, NotFound
from meetbot.ports import Tx

if TYPE_CHECKING:
    from meetbot.settings import Settings

app = typer.Typer(help="Mails that too many flags at once hold.", no_args_is_help=True)

By = Annotated[str, typer.Option(metavar="ADDRESS", help="The operator who decides.")]


@app.command("status")
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say whether mail is stopped, and how many mails wait."""
    from meetbot.jobs.storm import state
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    with opened_store(settings) as store, store.reading() as tx:
        found = state(tx)
    if as_json:
        print(json.dumps(_document(found), indent=2))
        return
    storm = found.storm
    if storm is None:
        print(f"Mail leaves as usual. Waiting for the next full hour: {found.total} mails.")
        return
    rules = ", ".join(f"{rule} {number}" for rule, number in storm.by_rule.items())
    print(f"Mail is stopped since {instant(storm.begun_at)}: {storm.flags} flags at once.")
    print(f"By rule: {rules or 'not told'}")
    kinds = ", ".join(f"{kind} {number}" for kind, number in found.held.items())
    print(f"Held: {found.total} mails" + (f" ({kinds})" if kinds else ""))
    print("Decide with `meetbot mail release` or `meetbot mail drop`.")


@app.command("release")
def release(context: typer.Context, by: By) -> None:
    """Let the held mails leave with the next pass.

    What is no longer so is left out, and reminders of what has begun meanwhile.
    """
    from meetbot.jobs import storm

    mails = _end(context, by, storm.release).mails
    print(
        f"Released {mails['released']} mails, {mails['renewed']} reminders are made anew; left "
        f"out: {mails['stale']} about what is no longer so, {mails['late']} that came too late. "
        "They leave with the next pass."
    )


@app.command("drop")
def drop(context: typer.Context, by: By) -> None:
    """Mail nothing of what is held; the flags stay open."""
    from meetbot.jobs import storm

    mails = _end(context, by, storm.drop).mails
    print(f"Dropped {mails['dropped']} mails. The flags stay: `meetbot flags list`.")


def _end(context: typer.Context, by: str, end: Callable[[Tx, str, datetime], Storm]) -> Storm:
    from meetbot.wiring import opened_store, pseudonyms_of

    settings = context_of(context).settings()
    _refuse_strangers(by, settings)
    with opened_store(settings) as store:
        address = parse_address(by)
        key = pseudonyms_of(settings, store).address(address.key) if address else ""
        with store.transaction() as tx:
            account = tx.people.by_address([key]).get(key)
            if account is not None and account.kind is AccountKind.STUDENT:
                fix = "give the address of the operator who decides"
                raise BadInput([Mistake("--by", "is the account of a student", fix)])
            try:
                return end(tx, by, datetime.now(UTC))
            except NotFound as error:
                raise BadInput([Mistake("mail", str(error), error.fix)]) from None


def _refuse_strangers(by: str, settings: Settings) -> None:
    address = parse_address(by)
    if address is None or address.domain not in settings.district.domains:
        fix = "give the operator's address in one of the district's domains"
        raise BadInput([Mistake("--by", f'"{shown(by)}" is no address of the district', fix)])


def _document(found: StormState) -> dict[str, object]:
    storm = found.storm
    return {
        "storm": None
        if storm is None
        else {
            "begun_at": instant(storm.begun_at),
            "flags": storm.flags,
            "by_rule": dict(storm.by_rule),
        },
        "held": {kind.value: number for kind, number in found.held.items()},
    }
