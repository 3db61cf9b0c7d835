"""Measured: passes of one meetbot over a served district."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from meetbot import wiring
from meetbot.jobs import collect_calendars, poll
from meetbot.rules import KNOWN_RULES
from meetbot.settings import Settings, load_settings
from meetbot.wiring import App
from tests.bench.gauge import Cost, answer, arguments, measured, memory, pause


def main() -> None:
    """`passes`: names of `_PASSES` in order; what begins with `@` is a pause."""
    given = arguments()
    costs: dict[str, Cost] = {}
    with wiring.opened(settings_in(Path(given["folder"]))) as app:
        for name in given["passes"]:
            if name.startswith("@"):
                pause(name)
            else:
                costs[name] = _PASSES[name](app)
    answer(costs)


def settings_in(folder: Path) -> Settings:
    """The configuration of a served district."""
    return load_settings(folder / "meetbot.toml", {}, KNOWN_RULES)


def now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


def _counted(app: App, work: Callable[[], object]) -> Cost:
    before = app.requests()
    with measured() as cost:
        work()
    cost.more = {
        "requests": {api: n - before.get(api, 0) for api, n in app.requests().items()},
    }
    return cost


def _complete(app: App) -> Cost:
    """What `meetbot poll` does, mails included."""
    results: list[poll.PollResult] = []
    cost = _counted(app, lambda: results.append(poll.run(app.deps, now, requests=app.requests)))
    (result,) = results
    assert result.is_covered, result.sources
    cost.more |= {"flags": result.flags, "mails": result.mails, "meetings": result.meetings}
    return cost


def _calendars(app: App) -> Cost:
    return _counted(app, lambda: collect_calendars.run(app.deps, now()))


def _changed(app: App) -> Cost:
    return _counted(app, lambda: collect_calendars.run(app.deps, now(), changed_only=True))


def _many(app: App) -> Cost:
    """Fifty passes; the memory held after the tenth and after the last."""
    settled = 0.0

    def work() -> None:
        nonlocal settled
        for turn in range(50):
            if turn == 10:
                settled = memory()
            poll.run(app.deps, now, requests=app.requests)

    cost = _counted(app, work)
    cost.more |= {"settled": settled, "last": memory()}
    return cost


_PASSES: dict[str, Callable[[App], Cost]] = {
    "cold": _complete,
    "steady": _complete,
    "calendars": _calendars,
    "changed": _changed,
    "many": _many,
}

if __name__ == "__main__":
    main()
