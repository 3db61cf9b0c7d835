"""`flags list`, `flags show` and `flags decide`."""

from __future__ import annotations

import json
import textwrap
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.cli.output import shown
from meetbot.domain.flag_documents import flag_document, instant
from meetbot.domain.flags import FlagStatus
from meetbot.errors import BadInput, Mistake, NotFound
from meetbot.jobs.decisions import REASONS, address_mistakes, decide_one, decision_mistakes
from meetbot.jobs.deps import Standard
from meetbot.ports import Decision

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
    from meetbot.wiring import district_of, opened_store, pseudonyms_of

    settings = context_of(context).settings()
    mistakes = decision_mistakes(status, reason, note)
    mistakes += address_mistakes(by, settings.district.domains)
    if mistakes:
        raise BadInput(map(_as_option, mistakes))
    decision = Decision(flag_id, FlagStatus(status), reason, note, by, datetime.now(UTC))
    with opened_store(settings) as store:
        pseudonyms = pseudonyms_of(settings, store)
        deps = Standard(settings.policy, district_of(settings), pseudonyms)
        try:
            with store.transaction() as tx:
                flag = decide_one(deps, tx, decision)
        except NotFound:
            raise no_such_flag(flag_id) from None
        except BadInput as wrong:
            raise BadInput(map(_as_option, wrong.mistakes)) from None
    print(f"{flag.id} is now {flag.status} ({reason}).")


_OPTIONS = {"status": "--as", "reason": "--reason", "note": "--note", "by": "--by"}


def _as_option(mistake: Mistake) -> Mistake:
    """A mistake whose place is an option of the command line."""
    return replace(mistake, place=_OPTIONS.get(mistake.place, mistake.place))


def no_such_flag(flag_id: str) -> BadInput:
    """The mistake of an id that no flag has."""
    fix = "list the ids with `meetbot flags list --status all`"
    return BadInput([Mistake("ID", f'there is no flag "{shown(flag_id)}"', fix)])
