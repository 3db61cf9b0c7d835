"""Measured: stored history decided again by another policy, as `meetbot replay` does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from meetbot.cli.replay import replayed
from meetbot.rules import KNOWN_RULES
from meetbot.settings import load_settings
from tests.bench.gauge import Cost, answer, arguments, measured


def main() -> None:
    """`folder` with configuration and database, and the number of `days` to go back."""
    given = arguments()
    settings = load_settings(Path(given["folder"]) / "meetbot.toml", {}, KNOWN_RULES)
    now = datetime.now(UTC)
    with _all_memory() as memory, measured() as cost:
        done, _ = replayed(settings, settings.policy, now - timedelta(days=given["days"]), now)
    cost.peak = memory.peak
    cost.more = {
        "occurrences": done.occurrences,
        "differences": len(done.differences),
        "left out": sum([*done.skipped.values(), *done.failed.values()]),
    }
    answer({"replay": cost})


@contextmanager
def _all_memory() -> Iterator[Cost]:
    """The most memory that this process and those it started hold together, in MiB."""
    cost, is_over, own = Cost(), threading.Event(), psutil.Process()

    def look() -> None:
        while not is_over.wait(0.1):
            held = 0
            for process in (own, *own.children(recursive=True)):
                try:
                    held += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            cost.peak = max(cost.peak, held / 2**20)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield cost
    finally:
        is_over.set()
        watcher.join()


if __name__ == "__main__":
    main()
