"""Commands without database and network: `init` and `evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from meetbot.errors import BadInput, Mistake


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")],
) -> None:
    """Write a configuration to start from; nothing is overwritten.

    It comes with comments, empty registry files and an example of the credentials.
    """
    from meetbot.cli.init import run_init

    done = run_init(directory)
    for path in done.written:
        print(f"written  {path}")
    for path in done.kept:
        print(f"kept     {path} (already there)")
    print("Next: edit config/meetbot.toml there, then run `meetbot doctor`.")


def evaluate(
    source: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="JSON lines; - is standard input.")
    ] = "-",
) -> None:
    """Decide presence cases, one JSON object a line.

    No configuration, database or network. Exit 1 if a line cannot be read.
    """
    from meetbot.domain.cases import evaluate_line

    is_all_readable = True
    try:
        stream = (
            sys.stdin.buffer if source == "-" else Path(source).open("rb")  # noqa: SIM115 - below
        )
        with stream:
            for number, raw in enumerate(stream):
                # Only the very first bytes may be a byte order mark.
                encoding = "utf-8" if number else "utf-8-sig"
                line = raw.decode(encoding, "surrogateescape")
                if line.strip():
                    answer, is_readable = evaluate_line(line)
                    is_all_readable &= is_readable
                    print(answer, flush=source == "-")
    except OSError as error:
        raise BadInput(
            [Mistake(source, f"cannot be read ({error.strerror})", "name a readable file")]
        ) from None
    if not is_all_readable:
        raise typer.Exit(1)
