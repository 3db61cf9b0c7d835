"""What a piece of work costs this process: wall, CPU and memory."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PAUSE = "pause"
_STATUS = Path("/proc/self/status")


@dataclass(slots=True)
class Cost:
    """Seconds of wall and CPU (this process alone), peak memory so far in MiB."""

    wall: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    more: dict[str, Any] = field(default_factory=dict)
    """Counts that belong to it."""


@contextmanager
def measured() -> Iterator[Cost]:
    """The cost of the block, filled in when it ends."""
    cost = Cost()
    wall, cpu = time.perf_counter(), time.process_time()
    yield cost
    cost.wall, cost.cpu = time.perf_counter() - wall, time.process_time() - cpu
    cost.peak = peak_memory()


def peak_memory() -> float:
    """The most memory this process ever held, in MiB."""
    # What getrusage tells on Linux includes the parent's memory at the moment of the fork.
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory() -> float:
    """The memory this process holds now, in MiB."""
    return _status("VmRSS") or peak_memory()


def _status(name: str) -> float | None:
    if not _STATUS.exists():
        return None
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return None


def arguments() -> dict[str, Any]:
    """What the bench gave this process."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    return given


def say(what: dict[str, Any]) -> None:
    """One line for the process that started this one."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def pause(name: str) -> None:
    """Let the bench do something, and wait until it is done."""
    say({PAUSE: name})
    sys.stdin.readline()


def answer(costs: dict[str, Cost]) -> None:
    """Hand the costs to the bench."""
    say({name: asdict(cost) for name, cost in costs.items()})
