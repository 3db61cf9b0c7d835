"""`hold add`, `hold remove` and `hold list`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.cli.output import shown
from meetbot.domain.addresses import parse_address
from meetbot.domain.flag_documents import instant
from meetbot.domain.retention import Hold, HoldKind
from meetbot.errors import BadInput, Mistake, NotFound
from meetbot.ports import Tx

app = typer.Typer(help="Legal holds: what must not be deleted.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with the hold.")]
By = Annotated[str, typer.Option(metavar="ADDRESS", help="Who says so, in the district.")]


@app.command("add")
def add(
    context: typer.Context,
    kind: Annotated[HoldKind, typer.Argument(help="What is held.")],
    reason: Reason,
    by: By,
    subject: Annotated[
        str,
        typer.Argument(metavar="[ID]", help="Flag id; iCalUID or Meet code; or partner_id."),
    ] = "",
) -> None:
    """Keep a flag, meetings, a partner or everything, whatever its age."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    mistakes = _mistakes(reason, by, settings.district.domains)
    if (kind is HoldKind.EVERYTHING) != (not subject.strip()):
        fix = (
            "leave the id out" if subject.strip() else f"name the {kind.value} after `{kind.value}`"
        )
        mistakes.append(Mistake("ID", f'"{shown(subject)}" does not go with {kind.value}', fix))
    if mistakes:
        raise BadInput(mistakes)
    with opened_store(settings) as store, store.transaction() as tx:
        wanted = subject.strip()
        if not _is_known(tx, kind, wanted):
            raise BadInput(
                [Mistake("ID", f'no {kind.value} "{shown(wanted)}" is stored', _HOW[kind])]
            )
        hold = tx.holds.add(kind, wanted, reason=reason, by=by, at=datetime.now(UTC))
    print(f"Hold {hold.id}: {_what(hold)} is kept until `meetbot hold remove {hold.id}`.")


_HOW = {
    HoldKind.FLAG: "list flags with `meetbot flags list --status all`",
    HoldKind.MEETING: "give the iCalUID or the Meet code as `meetbot flags list --json` has it",
    HoldKind.PARTNER: "give the partner_id as in partners.csv",
}


def _is_known(tx: Tx, kind: HoldKind, subject: str) -> bool:
    match kind:
        case HoldKind.FLAG:
            try:
                tx.flags.get(subject)
            except NotFound:
                return False
            return True
        case HoldKind.MEETING:
            return tx.retention.knows_meeting(subject)
        case HoldKind.PARTNER:
            return tx.retention.knows_partner(subject)
        case HoldKind.EVERYTHING:
            return True


@app.command("remove")
def remove(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="HOLD", help="Its number in `hold list`.")],
    reason: Reason,
    by: By,
) -> None:
    """End a hold; what is due by then is deleted with the next pass."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    mistakes = _mistakes(reason, by, settings.district.domains)
    if mistakes:
        raise BadInput(mistakes)
    with opened_store(settings) as store, store.transaction() as tx:
        try:
            hold = tx.holds.remove(number, reason=reason, by=by, at=datetime.now(UTC))
        except NotFound as error:
            raise BadInput([Mistake("HOLD", str(error), error.fix)]) from None
    print(f"Hold {hold.id} is removed: {_what(hold)}.")


@app.command("list")
def list_holds(
    context: typer.Context,
    removed: Annotated[bool, typer.Option("--all", help="Removed ones too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List the holds in force."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    with opened_store(settings) as store, store.reading() as tx:
        holds = tx.holds.list(removed=removed)
    if as_json:
        print(json.dumps([_document(hold) for hold in holds], indent=2))
        return
    for hold in holds:
        print(f"{hold.id:>4}  {instant(hold.added_at)}  {_what(hold)}  by {shown(hold.by)}")
        print(f"      {shown(hold.reason)}")
        if hold.removed_at is not None:
            by, reason = shown(hold.removed_by or ""), shown(hold.removed_reason or "")
            print(f"      removed {instant(hold.removed_at)} by {by}: {reason}")
    if not holds:
        print("No holds.")


def _what(hold: Hold) -> str:
    return f"{hold.kind} {shown(hold.subject)}".strip()


def _document(hold: Hold) -> dict[str, object]:
    return {
        "id": hold.id,
        "kind": hold.kind.value,
        "subject": hold.subject,
        "reason": hold.reason,
        "by": hold.by,
        "added_at": instant(hold.added_at),
        "removed_at": instant(hold.removed_at) if hold.removed_at else None,
        "removed_by": hold.removed_by,
        "removed_reason": hold.removed_reason,
    }


def _mistakes(reason: str, by: str, domains: tuple[str, ...]) -> list[Mistake]:
    mistakes: list[Mistake] = []
    if not reason.strip():
        mistakes.append(Mistake("--reason", "is empty", "say why, for example a case number"))
    address = parse_address(by)
    if address is None or address.domain not in domains:
        fix = "give an address in one of the district's domains"
        mistakes.append(Mistake("--by", "is no address of the district", fix))
    return mistakes
