"""`console` and `console signout`; and the console for `run` and `demo`."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.cli.output import shown
from meetbot.domain.addresses import parse_address
from meetbot.errors import BadInput, Mistake
from meetbot.log import configure_logging, get_logger

if TYPE_CHECKING:
    from meetbot.console import ConsoleConfig
    from meetbot.console.server import ConsoleServer
    from meetbot.settings import Settings
    from meetbot.wiring import App

app = typer.Typer(help="The officers' console, which `run` serves too.")

_HOW = "set client_id and client_secret of the district's identity provider; the README says how"


@app.callback(invoke_without_command=True)
def console(context: typer.Context) -> None:
    """Serve the officers' console alone, until SIGTERM.

    `run` serves it too, where [console.oidc] says how people sign in.
    """
    from meetbot import wiring

    if context.invoked_subcommand is not None:
        return
    configure_logging(as_json=True)
    log = get_logger("console")
    settings = context_of(context).settings()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with wiring.opened(settings, stop=stop) as opened:
        server = console_of(settings, opened)
        if server is None:
            raise BadInput([Mistake("console.oidc", "is missing: nobody could sign in", _HOW)])
        server.start()
        log.info("started", console_port=server.port)
        try:
            stop.wait()
            log.info("stopping")
        finally:
            server.stop()
    log.info("stopped")


@app.command("signout")
def signout(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Whose sessions end.")],
) -> None:
    """End all sessions of a person, at once."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    parsed = parse_address(address)
    if parsed is None:
        fix = "give the address by which that person signs in"
        raise BadInput([Mistake("ADDRESS", f'"{shown(address)}" is no address', fix)])
    with opened_store(settings) as store, store.transaction() as tx:
        ended = tx.sessions.end_all(parsed.key, at=datetime.now(UTC))
    print(f"{ended} {'session' if ended == 1 else 'sessions'} ended.")


def console_of(settings: Settings, app: App) -> ConsoleServer | None:
    """The console as configured; None where nobody could sign in.

    Its libraries are loaded only here: other commands need not hold them.
    """
    if settings.console.oidc is None:
        return None
    from meetbot import wiring
    from meetbot.console import Services, create_app
    from meetbot.console.server import ConsoleServer

    given = Services(app.deps, wiring.now, config_of(settings))
    made = create_app(given, secret=wiring.console_key(settings, app.store))
    listen = settings.console.listen
    return ConsoleServer(made, settings.console.base_url, listen.host, listen.port)


def config_of(settings: Settings) -> ConsoleConfig:
    """The district's choices for the console."""
    from meetbot.console import ConsoleConfig
    from meetbot.console.services import OidcConfig

    chosen = settings.console
    oidc = chosen.oidc
    return ConsoleConfig(
        district_name=settings.district.name,
        zone=settings.district.timezone,
        base_url=chosen.base_url,
        oidc=None if oidc is None else OidcConfig(oidc.issuer, oidc.client_id, oidc.client_secret),
        trusted_proxies=chosen.trusted_proxies,
        **chosen.people(settings.mail),
    )
