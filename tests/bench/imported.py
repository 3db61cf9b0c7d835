"""Not measured: the registry is imported, as `meetbot registry import` does, in its own process."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from meetbot.registry import read_source
from meetbot.wiring import opened_store
from tests.bench.gauge import answer, arguments
from tests.bench.polls import settings_in


def main() -> None:
    """Import the registry that lies in the folder."""
    folder = Path(arguments()["folder"])
    settings = settings_in(folder)
    reading = read_source(folder / "registry", district_domains=settings.district.domains)
    assert reading.registry is not None, reading.mistakes
    with opened_store(settings) as store, store.transaction() as tx:
        tx.registry.replace(reading.registry, as_of=datetime.now(UTC))
    answer({})


if __name__ == "__main__":
    main()
