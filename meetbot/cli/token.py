"""`token add`, `token list` and `token end`."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.cli.output import shown
from meetbot.domain.addresses import parse_address
from meetbot.domain.flag_documents import instant
from meetbot.domain.tokens import PREFIX, ApiToken, Scope, token_digest
from meetbot.errors import BadInput, Mistake, NotFound

app = typer.Typer(help="Tokens by which other programs ask the API.", no_args_is_help=True)

By = Annotated[str, typer.Option(metavar="ADDRESS", help="Who says so, in the district.")]
_LONGEST_NAME = 60


@app.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which program it is for.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may; give one or more.")],
    by: By,
    days: Annotated[int, typer.Option(min=1, max=730, help="How long it is good.")] = 365,
) -> None:
    """Make a token and print it, once: only its digest is kept."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    mistakes = _by_mistakes(by, settings.district.domains)
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        fix = f"write up to {_LONGEST_NAME} printable characters"
        mistakes.append(Mistake("NAME", f'"{shown(name)}" cannot be a name', fix))
    if mistakes:
        raise BadInput(mistakes)
    now = datetime.now(UTC)
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        id="T-" + secrets.token_hex(4),
        name=name.strip(),
        digest=token_digest(text),
        scopes=tuple(sorted(set(scope))),
        by=by,
        added_at=now,
        expires_at=now + timedelta(days=days),
    )
    with opened_store(settings) as store, store.transaction() as tx:
        tx.tokens.add(token)
    print(text)
    print(
        f"{token.id} for {shown(token.name)}, good until {instant(token.expires_at)}. "
        "It is not shown again.",
    )


@app.command("list")
def list_tokens(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List the tokens, ended and expired ones too."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    with opened_store(settings) as store, store.reading() as tx:
        found = tx.tokens.list()
    if as_json:
        print(json.dumps([_document(one) for one in found], indent=2))
        return
    now = datetime.now(UTC)
    for one in found:
        print(f"{one.id}  {shown(one.name)}  {', '.join(one.scopes)}  {_state(one, now)}")
    if not found:
        print("No tokens.")


def _state(one: ApiToken, now: datetime) -> str:
    if one.ended_at is not None:
        return f"ended {instant(one.ended_at)} by {shown(one.ended_by or '')}"
    if not one.is_good(now):
        return f"expired {instant(one.expires_at)}"
    used = f", last used {instant(one.used_at)}" if one.used_at else ", never used"
    return f"good until {instant(one.expires_at)}{used}"


def _document(one: ApiToken) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "scopes": [scope.value for scope in one.scopes],
        "by": one.by,
        "added_at": instant(one.added_at),
        "expires_at": instant(one.expires_at),
        "used_at": instant(one.used_at) if one.used_at else None,
        "ended_at": instant(one.ended_at) if one.ended_at else None,
        "ended_by": one.ended_by,
    }


@app.command("end")
def end(
    context: typer.Context,
    token_id: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id in `token list`.")],
    by: By,
) -> None:
    """End a token: from now on it opens nothing."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    mistakes = _by_mistakes(by, settings.district.domains)
    if mistakes:
        raise BadInput(mistakes)
    with opened_store(settings) as store, store.transaction() as tx:
        try:
            token = tx.tokens.end(token_id, by=by, at=datetime.now(UTC))
        except NotFound as error:
            raise BadInput([Mistake("TOKEN", str(error), error.fix)]) from None
    print(f"{token.id} for {shown(token.name)} is ended.")


def _by_mistakes(by: str, domains: tuple[str, ...]) -> list[Mistake]:
    address = parse_address(by)
    if address is not None and address.domain in domains:
        return []
    fix = "give an address in one of the district's domains"
    return [Mistake("--by", "is no address of the district", fix)]
