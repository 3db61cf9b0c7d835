"""The `meetbot` command as its users have it: exit code and two streams.

Most tests run it within their own process, which saves a second of start each; `process` is for
those that need signals, real streams or a folder with nothing in it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meetbot.cli import main

_MEETBOT = "import sys; sys.argv[0] = 'meetbot'; from meetbot.cli import main; main()"
_ROOT = str(Path(__file__).parent.parent)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document and nothing besides."""
        return json.loads(self.out)


def environment(**variables: str) -> dict[str, str]:
    """The environment without any setting of meetbot but these."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MEETBOT_")}
    return kept | {"PYTHONPATH": _ROOT} | variables


def arguments(*words: str | Path) -> list[str]:
    """The command line of `meetbot`, with the sources under test."""
    return [sys.executable, "-c", _MEETBOT, *map(str, words)]


def process(
    *words: str | Path, cwd: Path, stdin: bytes = b"", timeout: float = 60, **variables: str
) -> Ran:
    """Run a command to its end as a process; `variables` are added to the environment."""
    done = subprocess.run(
        arguments(*words),
        cwd=cwd,
        input=stdin,
        env=environment(**variables),
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def meetbot(*words: str | Path, cwd: Path, stdin: str | bytes = b"", **variables: str) -> Ran:
    """Run a command to its end within this process."""
    given = io.TextIOWrapper(io.BytesIO(stdin.encode() if isinstance(stdin, str) else stdin))
    out, err = io.StringIO(), io.StringIO()
    with (
        _as_process(["meetbot", *map(str, words)], environment(**variables), given, cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = _exit_code()
    return Ran(code, out.getvalue(), err.getvalue())


def _exit_code() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


@contextlib.contextmanager
def _as_process(
    argv: list[str], environ: dict[str, str], stdin: io.TextIOWrapper, cwd: Path
) -> Iterator[None]:
    before = (sys.argv, dict(os.environ), sys.stdin)
    sys.argv, sys.stdin = argv, stdin
    os.environ.clear()
    os.environ.update(environ)
    try:
        with contextlib.chdir(cwd):
            yield
    finally:
        sys.argv, variables, sys.stdin = before
        os.environ.clear()
        os.environ.update(variables)
