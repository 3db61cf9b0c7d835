"""`audit verify`, `audit log` and `audit access`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.cli.output import shown
from meetbot.domain.access_log import AccessEntry
from meetbot.domain.chain import Audit, Link, LinkKind, stamp
from meetbot.domain.flag_documents import instant
from meetbot.errors import BadInput, Mistake

app = typer.Typer(
    help="The chain of what was decided, mailed and deleted; who read what.",
    no_args_is_help=True,
)


@app.command("verify")
def verify(
    context: typer.Context,
    head: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="A head from a weekly mail that has to be in it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check the chain and what it records.

    Recomputes every link, compares it with decisions, registry rows, approvals, sent mails and
    legal holds as they are stored, and names the first difference. Exit 1 if there is one.
    """
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    expected = None if head is None else _digest(head)
    with opened_store(settings) as store, store.reading() as tx:
        audit = tx.chain.audit(expected=expected)
    if as_json:
        print(json.dumps(audit_document(audit), indent=2))
    else:
        _print_audit(audit)
    if audit.broken is not None:
        raise typer.Exit(1)


def _digest(text: str) -> str:
    digest = text.strip().lower()
    if re.fullmatch(r"[0-9a-f]{64}", digest) is None:
        fix = "copy all 64 digits from the weekly mail"
        raise BadInput([Mistake("--head", f'"{shown(text)}" is no digest', fix)])
    return digest


def audit_document(audit: Audit) -> dict[str, object]:
    """The object of `audit verify --json`."""
    broken, head = audit.broken, audit.head
    return {
        "ok": broken is None,
        "links": audit.links,
        "head": None if head is None else {"sequence": head.sequence, "digest": head.hash},
        "broken": None
        if broken is None
        else {"sequence": broken.sequence, "kind": broken.kind, "what": broken.what},
        "purged": [
            {"sequence": sequence, "covered_by": list(by)}
            for sequence, by in sorted(audit.purged.items())
        ],
    }


def _print_audit(audit: Audit) -> None:
    broken = audit.broken
    if broken is not None:
        place = "Beside the links" if broken.sequence is None else f"Link {broken.sequence}"
        print(f"BROKEN  {place} ({broken.kind}): {broken.what}.")
        return
    assert audit.head is not None  # an empty chain is broken
    print(f"ok  {audit.links} links, each as it was recorded.")
    for purge, links in sorted(_by_purge(audit.purged).items()):
        print(f"    purged, covered by link {purge}: {_ranges(links)}")
    print(f"    head: link {audit.head.sequence}, {audit.head.hash}")


def _by_purge(purged: Mapping[int, Iterable[int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for sequence, by in purged.items():
        for purge in by:
            found.setdefault(purge, []).append(sequence)
    return found


def _ranges(numbers: Iterable[int]) -> str:
    """`link 3`, or `links 3-5, 8`."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    text = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
    return f"{'link' if text.isdecimal() else 'links'} {text}"


@app.command("access")
def access(
    context: typer.Context,
    case: Annotated[
        str | None, typer.Option(metavar="CASE", help="Only this case, such as C-0123456789ab.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only from this local day on."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List who read which case in the console, and who was refused.

    The newest first. Sign-ins and files that were taken out are in it too.
    """
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    start = None if since is None else since.replace(tzinfo=settings.district.timezone)
    with opened_store(settings) as store, store.reading() as tx:
        lines = [line.entry for line in tx.access_log.list(subject=case, since=start)]
    if as_json:
        print(json.dumps([_access_document(line) for line in lines], indent=2))
        return
    for line in lines:
        why = f" ({line.reason})" if line.reason else ""
        print(
            f"{instant(line.at)}  {line.action:<10}  {shown(line.subject)}{why}"
            f"  {shown(line.who) or '-'}  {', '.join(line.roles)}".rstrip()
        )
    if not lines:
        print("Nothing was read in the console.")


def _access_document(line: AccessEntry) -> dict[str, object]:
    return {
        "at": instant(line.at),
        "action": line.action.value,
        "subject": line.subject,
        "reason": line.reason,
        "who": line.who,
        "roles": list(line.roles),
    }


@app.command("log")
def log(
    context: typer.Context,
    kind: Annotated[LinkKind | None, typer.Option(help="Only links of this kind.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List the links: what was done when, as digests and counts."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    with opened_store(settings) as store, store.reading() as tx:
        links = tx.chain.links(kind)
    if as_json:
        print(json.dumps([_link_document(link) for link in links], indent=2))
        return
    for link in links:
        print(f"{link.sequence:>6}  {instant(link.at)}  {link.kind:<8}  {_about(link)}".rstrip())


def _link_document(link: Link) -> dict[str, object]:
    return {
        "sequence": link.sequence,
        "at": stamp(link.at),
        "kind": link.kind,
        "subject": link.subject,
        "payload": _payload(link),
        "previous": link.previous,
        "digest": link.hash,
    }


def _payload(link: Link) -> object:
    try:
        return link.content
    except ValueError:
        return link.payload


def _about(link: Link) -> str:
    """The subject, and how many rows came or went."""
    try:
        content = link.content
        came = {table: len(digests) for table, digests in content.get("rows", {}).items()}
        numbers = came or dict(content.get("counts", {}))
    except (ValueError, TypeError, AttributeError):
        return "cannot be read"
    counts = ", ".join(f"{name} {number}" for name, number in numbers.items() if number)
    return "  ".join(part for part in (shown(link.subject), counts) if part)
