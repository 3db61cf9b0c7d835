"""`python -m tests.bench`: measured figures beside the budgets of the design, on this machine.

Only loopback is used. Whatever talks to the sandbox runs in a process of its own, and so does the
sandbox: wall, CPU and memory are the client's alone. A budget that is missed is marked, no error.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from tests.bench.gauge import Cost
from tests.bench.history import DAYS
from tests.bench.processes import District, measure, served

_WIDTH = 170
_LONGEST = 900.0
"""Seconds after which no further measurement is begun."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    small: int = 300
    middle: int = 2000
    large: int = 5000
    sample: int = 30
    """Calendars that the plain client reads where each request takes 100 ms."""
    changed: int = 200
    audit_rows: int = 100_000
    people: tuple[int, ...] = (30, 500)
    seconds: float = 2.0
    latency: float = 0.1
    service_staff: int = 40
    stored_visits: int = 1_000_000
    stored_flags: int = 100_000


QUICK = Sizes(12, 15, 20, 3, 4, 400, (30,), 0.05, 0.002, 12, 2_000, 4_000)


@dataclass(slots=True)
class Line:
    """One row of the table; `limits` say what must hold."""

    work: str
    cost: Cost | None
    remark: str
    limits: tuple[Limit, ...] = ()


@dataclass(slots=True)
class Bench:
    """What was measured so far."""

    sizes: Sizes
    lines: list[Line] = field(default_factory=list)

    def add(self, work: str, cost: Cost | None, remark: str = "", *limits: Limit) -> None:
        """Note a line."""
        self.lines.append(Line(work, cost, remark, limits))


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget in words, and whether the figure keeps it."""

    words: str
    is_met: bool


def at_most(figure: float, limit: float, unit: str) -> Limit:
    """A figure that may not be larger."""
    return Limit(f"≤ {limit:,g} {unit}".rstrip(), figure <= limit)


def main() -> None:
    """Measure everything and print one table."""
    parser = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try the bench itself")
    bench = Bench(QUICK if parser.parse_args().quick else Sizes())
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    begun = time.monotonic()
    for name, section in SECTIONS:
        if time.monotonic() - begun > _LONGEST:
            bench.add(name, None, "left out: this machine is too slow for the time given")
            continue
        console.print(f"{time.monotonic() - begun:5.0f} s  {name} …")
        section(bench)
    console.print(_table(bench.lines))
    console.print(f"whole bench: {time.monotonic() - begun:.0f} s")


def _table(lines: list[Line]) -> Table:
    table = Table(show_lines=True)
    table.add_column("work", max_width=46)
    for heading in ("wall s", "CPU s", "peak MiB", "requests"):
        table.add_column(heading, justify="right")
    table.add_column("remark", max_width=46)
    table.add_column("budget", max_width=34)
    for line in lines:
        budget = "\n".join(f"{limit.words}: {_mark(limit)}" for limit in line.limits)
        table.add_row(line.work, *_figures(line.cost), line.remark, budget)
    return table


def _mark(limit: Limit) -> str:
    return "[green]kept[/]" if limit.is_met else "[bold red]MISSED[/]"


def _figures(cost: Cost | None) -> tuple[str, str, str, str]:
    if cost is None:
        return "", "", "", ""
    requests = f"{_requests(cost):,}" if "requests" in cost.more else ""
    return f"{cost.wall:.1f}", f"{cost.cpu:.1f}", f"{cost.peak:.0f}", requests


# --- figures ------------------------------------------------------------------------------------


def _requests(cost: Cost, *apis: str) -> int:
    made = cost.more["requests"]
    return sum(made.get(api, 0) for api in apis) if apis else sum(made.values())


def _by_api(cost: Cost) -> str:
    made = sorted(cost.more["requests"].items())
    return ", ".join(f"{number:,} {api}" for api, number in made if number)


def _each(cost: Cost) -> str:
    each = cost.more["each"]
    return f"{each * 1000:.2f} ms each, {1 / each:,.0f} a second"


# --- sections -----------------------------------------------------------------------------------


def _decisions(bench: Bench) -> None:
    sizes = bench.sizes
    costs = measure("decisions", people=sizes.people, seconds=sizes.seconds)
    for people in sizes.people:
        limit = 5 if people <= 30 else 50
        for kind, name in (("algebra", "presence alone"), ("rules", "all rules of a dossier")):
            cost = costs[f"{kind} {people}"]
            budget = at_most(cost.more["each"] * 1000, limit, "ms")
            work = f"one decision, {people} participants, three visits each: {name}"
            bench.add(work, None, _each(cost), budget)


def _lesson(bench: Bench) -> None:
    present = {"staff": 2, "partners": 2, "students": 26}
    with served(staff=20, lesson=present) as district:
        district.measure("polls", passes=["cold"])
        made = district.order()
    calls = sum(n for method, n in made.items() if method.startswith("meet.conferenceRecords"))
    # The district's other past meetings were never held: one answer without a record for each.
    empty = made["meet.conferenceRecords.list"] - 1
    needed = calls - empty
    # Spaces are read before the start only, so these are of meetings ahead.
    spaces = sum(n for method, n in made.items() if method.startswith("meet.spaces"))
    bench.add(
        "Meet calls for a finished meeting of 2 staff, 2 partners, 26 students",
        None,
        f"{needed} calls, {empty} for {empty} other meetings, which were not held, and {spaces} "
        "about the spaces of meetings ahead",
        at_most(needed, 2 + present["staff"] + present["partners"], "(2 + staff + partners)"),
    )


def _small(bench: Bench) -> None:
    sizes = bench.sizes
    calendars = sizes.small + 3  # three principals have one too
    with served(latency=sizes.latency, staff=sizes.small) as district:
        made: dict[str, int] = {}
        pauses = {"@count": lambda: made.update(district.order())}
        costs = district.measure("polls", pauses, passes=["cold", "@count", "steady"])
        plain = _plain(district, sizes.sample)
    cold = costs["cold"]
    per_calendar = made["for calendars"] / calendars
    bench.add(
        f"cold poll, {calendars} calendars, {sizes.latency * 1000:.0f} ms per request",
        cold,
        f"{per_calendar:.2f} per calendar: {_by_api(cold)}",
        at_most(cold.wall, 10, "s"),
        at_most(per_calendar, 2, "requests per calendar"),
        at_most(cold.peak, 120, "MiB"),
    )
    bench.add("  steady poll of the same", costs["steady"], _by_api(costs["steady"]))
    whole = plain.wall * calendars / sizes.sample
    bench.add(
        "  plain client loop over the calendars, reads only",
        plain,
        f"{sizes.sample} calendars only: about {whole:.0f} s for {calendars}",
    )


def _middle(bench: Bench) -> None:
    sizes = bench.sizes
    with served(staff=sizes.middle) as district:
        costs = district.measure("polls", passes=["cold", "steady"])
        plain = _plain(district, sizes.middle)
    cold, steady = costs["cold"], costs["steady"]
    bench.add(f"cold poll, {sizes.middle + 3} calendars, 0 ms per request", cold, _by_api(cold))
    bench.add("  steady poll of the same", steady, _by_api(steady))
    bench.add(f"  plain client loop over {sizes.middle} of them, reads only", plain)


def _plain(district: District, count: int) -> Cost:
    return district.measure("plain", read="calendars", count=count)["plain"]


def _large(bench: Bench) -> None:
    sizes = bench.sizes
    with served(staff=sizes.large) as district:
        costs = district.measure(
            "polls",
            {
                "@slow": lambda: district.order(latency=sizes.latency),
                "@touch": lambda: district.order(touch=sizes.changed),
            },
            passes=["cold", "@slow", "calendars", "@touch", "changed"],
        )
    steady, changed = costs["calendars"], costs["changed"]
    calendars = sizes.large + 3
    tokens = _requests(steady, "token") + _requests(changed, "token")
    bench.add(
        f"steady poll, {calendars} calendars, {sizes.latency * 1000:.0f} ms per request",
        steady,
        "right after a cold poll, so Google's quota of 10,000 a minute sets the pace",
        at_most(_requests(steady, "calendar"), calendars, "Calendar requests"),
        at_most(steady.wall, 60, "s"),
    )
    bench.add(
        f"  changed-only mode, {sizes.changed} events changed",
        changed,
        _by_api(changed),
        at_most(_requests(changed, "calendar"), 500, "Calendar requests"),
    )
    bench.add(
        "  tokens asked for again in both",
        None,
        f"{tokens} of {calendars:,}",
        at_most(tokens, 1, "(the audit log's, once)"),
    )


def _audit(bench: Bench) -> None:
    rows = bench.sizes.audit_rows
    with served(staff=bench.sizes.middle, audit_rows=rows) as district:
        costs = district.measure("audit")
        plain = district.measure("plain", read="audit")["plain"]
    read, judged = costs["read"], costs["judge"]
    assert read.more["rows"] == plain.more["rows"] == rows
    opened = judged.more.get("opened", 0)
    whole = Cost(read.wall + judged.wall, read.cpu + judged.cpu, judged.peak)
    bench.add(
        f"{rows:,} audit rows to flags",
        whole,
        f"{read.wall:.1f} s reading, {judged.wall:.1f} s judging "
        f"{judged.more['judged']} occurrences: {opened} flags",
        at_most(whole.wall, 6, "s"),
        at_most(whole.peak, 150, "MiB"),
    )
    bench.add("  plain client loop over the same rows, reads only", plain)


def _replay(bench: Bench) -> None:
    visits = bench.sizes.stored_visits
    with TemporaryDirectory(prefix="meetbot-bench-") as folder:
        measure("history", folder=folder, visits=visits)
        cost = measure("replays", folder=folder, days=DAYS + 1)["replay"]
    assert not cost.more["left out"]
    bench.add(
        f"replay of {visits:,} stored visits by another policy",
        cost,
        f"{cost.more['occurrences']:,} occurrences, {cost.more['differences']} flags differ; "
        "memory of all its processes",
        at_most(cost.wall, 60, "s"),
        at_most(cost.peak, 300, "MiB"),
    )


def _cases(bench: Bench) -> None:
    flags = bench.sizes.stored_flags
    for name, cost in measure("casebook", flags=flags).items():
        usual = cost.more["usual"] * 1000
        size = cost.more.get("kilobytes")
        limits = [at_most(usual, 150, "ms"), *([at_most(size, 200, "kB")] if size else [])]
        note = f"{usual:.1f} ms" + (f", {size:.0f} kB" if size else "")
        bench.add(f"{flags:,} stored flags, {name}", None, note, *limits)


def _service(bench: Bench) -> None:
    with served(staff=bench.sizes.service_staff) as district:
        cost = district.measure("polls", passes=["cold", "many"])["many"]
    growth = cost.more["last"] - cost.more["settled"]
    bench.add(
        "memory of the service over 50 polls",
        cost,
        f"{cost.more['last']:.0f} MiB, {growth:+.1f} MiB since the tenth; "
        f"{cost.wall / 50:.2f} s a poll",
        at_most(cost.more["last"], 512, "MiB"),
        Limit("flat (≤ 5 MiB)", growth <= 5),
    )


Section = Callable[[Bench], None]
SECTIONS: tuple[tuple[str, Section], ...] = (
    ("decisions", _decisions),
    ("one lesson in Meet", _lesson),
    ("a small district, cold", _small),
    ("audit rows", _audit),
    ("replay", _replay),
    ("cases", _cases),
    ("a large district, steady", _large),
    ("a district of 2,000 staff", _middle),
    ("the service's memory", _service),
)

if __name__ == "__main__":
    main()
