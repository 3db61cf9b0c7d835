"""`meetbot [--config FILE] COMMAND`: results on standard output, log lines on standard error.

Exit: 0 done; 1 failed, or a check found something wrong; 2 wrong use; 3 done, but some source
could not be read in full.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from meetbot.cli import (
    audit,
    console,
    demo,
    evidence,
    flags,
    hold,
    mail,
    months,
    registry,
    replay,
    service,
    token,
    tools,
    webhooks,
)
from meetbot.cli.context import Context
from meetbot.errors import BadInput, MeetbotError

app = typer.Typer(
    name="meetbot",
    help="Watches the Google Meet lessons that external partners join.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit: 0 done; 1 failed, or a check found something wrong; 2 wrong use; 3 done, but "
    "some source could not be read in full.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(version("meetbot"))
        raise typer.Exit


@app.callback()
def meetbot(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Configuration file [default: $MEETBOT_CONFIG, then config/meetbot.toml]",
        ),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Take the options that every command shares."""
    context.obj = Context(config, os.environ)


app.command("init")(tools.init)
app.command("doctor")(service.doctor)
app.add_typer(registry.app, name="registry")
app.command("poll")(service.poll)
app.command("run")(service.run)
app.add_typer(console.app, name="console")
app.add_typer(flags.app, name="flags")
app.add_typer(evidence.app, name="evidence")
app.add_typer(evidence.schemas, name="schema")
app.add_typer(audit.app, name="audit")
app.add_typer(mail.app, name="mail")
app.add_typer(hold.app, name="hold")
app.add_typer(token.app, name="token")
app.add_typer(webhooks.app, name="webhooks")
app.command("months")(months.months)
app.command("evaluate")(tools.evaluate)
app.command("replay")(replay.replay)
app.command("demo")(demo.demo)
app.command("sandbox")(demo.sandbox)


def main() -> None:
    """Run one command; every expected failure is one clear message on standard error."""
    try:
        app()
    except BadInput as error:
        for mistake in error.mistakes:
            print(f"meetbot: {mistake}", file=sys.stderr)
        sys.exit(2)
    except MeetbotError as error:
        print(f"meetbot: {error}", file=sys.stderr)
        if error.fix:
            print(f"Fix: {error.fix}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output went away: nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # a full disk or a missing right
        name = f"{error.filename}: " if error.filename else ""
        print(f"meetbot: {name}{error.strerror or type(error).__name__}", file=sys.stderr)
        print("Fix: check that there is space, and the right to write", file=sys.stderr)
        sys.exit(1)
