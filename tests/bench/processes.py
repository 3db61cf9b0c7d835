"""Starts the processes of the bench: served districts, and one process for each measurement."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.gauge import PAUSE, Cost

_Process = subprocess.Popen[str]


@dataclass(slots=True)
class District:
    """A served district; `folder` holds configuration, key, registry and database."""

    folder: Path
    api_root: str
    _process: _Process

    def order(self, **order: Any) -> dict[str, int]:
        """Have something done there; gives its requests by method id until then."""
        _write(self._process, order)
        return _read(self._process)

    def measure(
        self, module: str, pauses: Mapping[str, Callable[[], object]] | None = None, **given: Any
    ) -> dict[str, Cost]:
        """Run a module of the bench against it, in a process of its own; gives its costs.

        At each pause the module makes, what `pauses` has under its name is done.
        """
        where = {"folder": str(self.folder), "api_root": self.api_root}
        return measure(module, pauses, **where, **given)


@contextmanager
def served(latency: float = 0.0, **district: Any) -> Iterator[District]:
    """A district in a process of its own until the end of the block, its registry imported.

    `latency` in seconds per request; `district` as `served._district` takes it.
    """
    with TemporaryDirectory(prefix="meetbot-bench-") as folder:
        given = {"folder": folder, "latency": latency, "district": district}
        with _started("served", given) as process:
            found = District(Path(folder), str(_read(process)["api_root"]), process)
            found.measure("imported")
            yield found


def measure(
    module: str, pauses: Mapping[str, Callable[[], object]] | None = None, **given: Any
) -> dict[str, Cost]:
    """Run a module of the bench in a process of its own; gives the costs it measured."""
    with _started(module, given) as process:
        answer = _read(process)
        while PAUSE in answer:
            (pauses or {})[answer[PAUSE]]()
            _write(process, {})
            answer = _read(process)
    return {name: Cost(**cost) for name, cost in answer.items()}


@contextmanager
def _started(module: str, given: Mapping[str, Any]) -> Iterator[_Process]:
    """A module run until it ends by itself, at the latest when its standard input does."""
    command = [sys.executable, "-m", f"tests.bench.{module}", json.dumps(given)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def _write(process: _Process, what: Mapping[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()


def _read(process: _Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a process of the bench ended early; its error stands above")
    found: dict[str, Any] = json.loads(line)
    return found
