"""Commands without database and network: `init` and `evaluate`."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

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
    for raw in _lines(source):
        if raw.strip():
            answer, is_readable = evaluate_line(_text(raw))
            is_all_readable &= is_readable
            print(answer, flush=source == "-")
    if not is_all_readable:
        raise typer.Exit(1)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return ""  # JSON is UTF-8 (RFC 8259, 8.1): it is refused as no JSON


def _lines(source: str) -> Iterator[bytes]:
    """The lines of a file or of standard input, without a byte order mark before the first."""
    mark = codecs.BOM_UTF8
    try:
        with Path(source).open("rb") if source != "-" else _standard_input() as stream:
            for number, raw in enumerate(iter(stream.readline, b"")):
                yield raw if number else raw.removeprefix(mark)
    except OSError as error:
        raise BadInput(
            [Mistake(source, f"cannot be read ({error.strerror})", "name a readable file")]
        ) from None


def _standard_input() -> BinaryIO:
    if sys.stdin is None:  # closed by whoever started us
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return sys.stdin.buffer
