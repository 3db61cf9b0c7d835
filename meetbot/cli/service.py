"""`poll`, `run` and `doctor`."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from datetime import timedelta
from typing import Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.jobs.poll import PollResult
from meetbot.log import configure_logging, get_logger
from meetbot.ports import Outcome, Tally


def poll(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Do one complete pass, now.

    Directory, calendars, conferences, decisions, reminders, delivery. Exit 3 if some source could
    not be read in full; it is named.
    """
    from rich.console import Console

    from meetbot import wiring
    from meetbot.jobs import poll as job

    configure_logging()
    settings = context_of(context).settings()
    console = Console(stderr=True)
    with (
        wiring.opened(settings) as app,
        console.status("starting", spinner="line") as status,
    ):
        result = job.run(app.deps, wiring.now, requests=app.requests, progress=status.update)
    if as_json:
        print(json.dumps(poll_document(result), indent=2))
    else:
        _print_result(result)
    if not result.is_covered:
        raise typer.Exit(3)


def poll_document(result: PollResult) -> dict[str, object]:
    """The object of `poll --json`."""
    return {
        "covered": result.is_covered,
        "sources": {
            name: {
                "read": tally.read,
                "failed": tally.failed,
                "skipped": tally.skipped,
                "reasons": dict(sorted(tally.reasons.items())),
            }
            for name, tally in sorted(result.sources.items())
        },
        "meetings": result.meetings,
        "undecided": result.undecided,
        "flags": dict(result.flags),
        "mails": {**result.mails, "held": result.storm.total},
        "storm": result.storm.is_storm,
        "requests": dict(result.requests),
        "shadow": dict(result.shadow),
    }


def _print_result(result: PollResult) -> None:
    print(f"Meetings in scope: {result.meetings}, {result.undecided} with something undecided")
    print("Flags:    " + ", ".join(f"{n} {name}" for name, n in result.flags.items()))
    if any(result.shadow.values()):
        shadow = ", ".join(f"{n} {name}" for name, n in result.shadow.items())
        print(f"Shadow:   {shadow} (not mailed; see `meetbot flags list --shadow`)")
    print("Mails:    " + ", ".join(f"{n} {name}" for name, n in result.mails.items()))
    if result.storm.is_storm:
        print(f"Too many flags at once: {result.storm.total} mails are held, only critical flags")
        print("are mailed. See `meetbot mail status`, then release or drop what is held.")
    elif result.storm.total:
        print(f"          {result.storm.total} held until the next full hour, then sent as one")
    print("Requests: " + (", ".join(f"{api} {n}" for api, n in result.requests.items()) or "none"))
    for name, tally in sorted(result.sources.items()):
        if tally.failed or tally.skipped:
            print(f"Source {name}: {tally.read} read, {_not_read(tally)}")
    if not result.is_covered:
        print("Not everything could be read: what is missing is undecided, not passed.")


def _not_read(tally: Tally) -> str:
    parts = [f"{tally.failed} failed"] if tally.failed else []
    parts += [f"{tally.skipped} skipped"] if tally.skipped else []
    reasons = "; ".join(f"{reason} ({n})" for reason, n in sorted(tally.reasons.items()))
    return ", ".join(parts) + (f": {reasons}" if reasons else "")


def run(context: typer.Context) -> None:
    """Do the same work on its schedule, until SIGTERM (the service).

    What is in hand is finished first. The console is served where [console.oidc] says how people
    sign in. Health check and metrics answer on loopback, log lines are JSON.
    """
    from meetbot import wiring
    from meetbot.cli.console import console_of
    from meetbot.health import HealthServer, Monitor
    from meetbot.scheduler import Service, triggers

    configure_logging(as_json=True)
    log, outcomes = get_logger("service"), OutcomeLog()
    settings = context_of(context).settings()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())

    with wiring.opened(settings, stop=stop) as app, contextlib.ExitStack() as servers:
        monitor = Monitor(wiring.now)
        health = HealthServer(monitor, settings.service.health.host, settings.service.health.port)
        servers.callback(health.stop)
        health.start()
        console = console_of(settings, app)
        if console is None:
            log.info("no_console", fix="set [console.oidc], see the README")
        else:
            servers.callback(console.stop)
            console.start()

        def report(outcome: Outcome, took: timedelta) -> None:
            monitor.report(outcome, took)
            outcomes.write(outcome, took)

        def complain(job: str, error: BaseException) -> None:
            monitor.complain(job, error)
            log.error("job_failed", job=job, exc_info=error)

        table = triggers(
            settings.schedule.calendars,
            settings.schedule.live,
            settings.registry.every if settings.registry.source else None,
        )
        service = Service(app.deps, wiring.now, table, report=report, complain=complain)
        service.start()
        log.info(
            "started",
            jobs=len(table),
            health_port=health.port,
            console_port=None if console is None else console.port,
        )
        try:
            stop.wait()
            log.info("stopping")
        finally:
            service.stop()
    log.info("stopped")


class OutcomeLog:
    """Logs outcomes; a failing source is said once when it begins and once when it is over."""

    def __init__(self) -> None:
        self._log = get_logger("jobs")
        self._failing: set[str] = set()
        self._lock = threading.Lock()

    def write(self, outcome: Outcome, took: timedelta) -> None:
        """One line per run, and one per source that changed between good and failing."""
        with self._lock:
            for name, tally in outcome.sources.items():
                if tally.failed and name not in self._failing:
                    self._failing.add(name)
                    self._log.error("source_failing", source=name, reasons=tally.reasons)
                elif not tally.failed and tally.read and name in self._failing:
                    self._failing.discard(name)
                    self._log.info("source_recovered", source=name)
        self._log.info(
            "job_done",
            job=outcome.job,
            seconds=round(took.total_seconds(), 3),
            covered=outcome.is_covered,
            **{f"n_{name}": number for name, number in outcome.counts.items()},
        )


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check what meetbot needs; each failure names its fix.

    Configuration, database, registry, key, each delegated scope, clock, domains, org units, mail.
    Exit 1 if something is wrong.
    """
    from meetbot.cli.checks import examine

    settings = context_of(context).settings()
    checks = examine(settings)
    if as_json:
        print(
            json.dumps(
                {"ok": all(c.is_ok for c in checks), "checks": [c.document() for c in checks]},
                indent=2,
            )
        )
    else:
        for check in checks:
            print(check.line(), file=sys.stdout)
    if not all(check.is_ok for check in checks):
        raise typer.Exit(1)
