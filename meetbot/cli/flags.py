"""`flags list`, `flags show` and `flags decide`."""

from __future__ import annotations

import json
import textwrap
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.cli.output import shown
from meetbot.domain.addresses import parse_address
from meetbot.domain.flag_documents import flag_document, instant
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.people import AccountKind
from meetbot.errors import BadInput, Mistake, NotFound
from meetbot.ports import Decision, Store

app = typer.Typer(help="What is flagged, and deciding it.", no_args_is_help=True)


class Which(StrEnum):
    """`--status`: pending ones, decided or withdrawn ones, or all."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


_STATUSES = {
    Which.OPEN: [s for s in FlagStatus if s.is_pending],
    Which.CLOSED: [s for s in FlagStatus if not s.is_pending],
    Which.ALL: list(FlagStatus),
}

REASONS: dict[FlagStatus, tuple[str, ...]] = {
    FlagStatus.ACKNOWLEDGED: ("seen",),
    FlagStatus.UPHELD: ("policy-not-followed", "data-disclosed"),
    FlagStatus.DISMISSED: (
        "identity-corrected",
        "supervised-otherwise",
        "authorized-elsewhere",
        "technical",
        "duplicate",
        "not-applicable",
        "other",
    ),
}


def _reasons() -> str:
    """All reason codes; `\\b` keeps the lines, which would otherwise break within a code."""
    lines = [
        textwrap.fill(
            f"{status}: {', '.join(codes)}", 74, subsequent_indent="    ", break_on_hyphens=False
        )
        for status, codes in REASONS.items()
    ]
    return "\n".join(("\b", "Reason codes:", *lines))


@app.command("list")
def list_flags(
    context: typer.Context,
    status: Annotated[Which, typer.Option(help="Which flags.")] = Which.OPEN,
    rule: Annotated[str | None, typer.Option(metavar="ID", help="Only of this rule.")] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="What rules in shadow found, instead of flags.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List flags, newest first."""
    from meetbot.rules import KNOWN_RULES
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    if rule is not None and rule not in KNOWN_RULES:
        raise BadInput(
            [Mistake("--rule", f'there is no rule "{shown(rule)}"', "see meetbot/rules/README.md")]
        )
    with opened_store(settings) as store, store.reading() as tx:
        if shadow:
            flags = tx.shadows.list(rule=rule)
        else:
            flags = tx.flags.list(statuses=_STATUSES[status], rule=rule)
    if as_json:
        mark = {"shadow": True} if shadow else {}
        print(json.dumps([flag_document(flag) | mark for flag in flags], indent=2))
        return
    for flag in flags:
        print(
            f"{flag.id}  {flag.severity:<8}  {flag.status:<12}  "
            f"{flag.occurrence.original_start_at:%Y-%m-%d %H:%MZ}  {flag.rule}: {flag.message}"
        )
    if not flags:
        print("Nothing in shadow." if shadow else "No flags.")


@app.command("show")
def show_flag(
    context: typer.Context,
    flag_id: Annotated[str, typer.Argument(metavar="ID", help="Such as F-3f9a1c20b7de.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show one flag with all it rests on.

    Enough for a stranger to reach the same verdict.
    """
    from meetbot.cli.evidence import last_record_of
    from meetbot.cli.explained import explanation_document, print_flag
    from meetbot.domain.cards import thread_of
    from meetbot.evidence import explain
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    with opened_store(settings) as store, store.reading() as tx:
        record = last_record_of(tx, flag_id)
        mails = tx.outbox.of_thread(thread_of(record.flag.occurrence))
    explanation = explain(record, mails)
    if as_json:
        document = flag_document(record.flag)
        document["history"] = [
            {"at": instant(entry.at), "change": entry.change, "reason": entry.reason}
            for entry in record.history
        ]
        document["explanation"] = explanation_document(explanation)
        print(json.dumps(document, indent=2))
        return
    print_flag(record, explanation, settings.district.timezone)


@app.command("decide", epilog=_reasons())
def decide_flag(
    context: typer.Context,
    flag_id: Annotated[str, typer.Argument(metavar="ID", help="Such as F-3f9a1c20b7de.")],
    status: Annotated[
        str, typer.Option("--as", metavar="acknowledged|upheld|dismissed", help="The decision.")
    ],
    reason: Annotated[str, typer.Option(metavar="CODE", help="Why; codes see below.")],
    by: Annotated[str, typer.Option(metavar="ADDRESS", help="The officer who decides.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="Needed with reason `other`.")] = "",
) -> None:
    """Record an officer's decision about one flag."""
    from meetbot.wiring import opened_store, pseudonyms_of

    settings = context_of(context).settings()
    mistakes = _decision_mistakes(status, reason, note, by, settings.district.domains)
    if mistakes:
        raise BadInput(mistakes)
    decision = Decision(flag_id, FlagStatus(status), reason, note, by, datetime.now(UTC))
    with opened_store(settings) as store:
        address = parse_address(by)
        officer = pseudonyms_of(settings, store).address(address.key) if address else ""
        flag = _record(store, decision, officer)
    print(f"{flag.id} is now {flag.status} ({reason}).")


def _record(store: Store, decision: Decision, officer: str) -> Flag:
    """Note the decision; `officer` is the keyed address of who made it."""
    flag_id = decision.flag_id
    with store.transaction() as tx:
        try:
            before = tx.flags.get(flag_id)
        except NotFound:
            raise no_such_flag(flag_id) from None
        account = tx.people.by_address([officer]).get(officer)
        if account is not None and account.kind is AccountKind.STUDENT:
            fix = "give the address of the officer who decides"
            raise BadInput([Mistake("--by", "is the account of a student", fix)])
        if before.status in (FlagStatus.WITHDRAWN, FlagStatus.SUPERSEDED):
            raise BadInput(
                [
                    Mistake(
                        flag_id,
                        f"is {before.status}: there is nothing left to decide",
                        "list open flags with `meetbot flags list`",
                    )
                ]
            )
        return tx.flags.decide(decision)


def _decision_mistakes(
    status: str, reason: str, note: str, by: str, domains: tuple[str, ...]
) -> list[Mistake]:
    mistakes: list[Mistake] = []
    codes = REASONS.get(FlagStatus(status)) if status in list(FlagStatus) else None
    if codes is None:
        options = ", ".join(REASONS)
        mistakes.append(Mistake("--as", f'"{shown(status)}" is no decision', f"use {options}"))
    elif reason not in codes:
        fix = f"with --as {status} use {', '.join(codes)}"
        mistakes.append(Mistake("--reason", f'"{shown(reason)}" is no reason code', fix))
    elif reason == "other" and not note.strip():
        mistakes.append(Mistake("--note", "is empty", "say with --note TEXT what it was"))
    address = parse_address(by)
    if address is None or address.domain not in domains:
        fix = "give the officer's address in one of the district's domains"
        mistakes.append(Mistake("--by", "is no address of the district", fix))
    return mistakes


def no_such_flag(flag_id: str) -> BadInput:
    """The mistake of an id that no flag has."""
    fix = "list the ids with `meetbot flags list --status all`"
    return BadInput([Mistake("ID", f'there is no flag "{shown(flag_id)}"', fix)])
