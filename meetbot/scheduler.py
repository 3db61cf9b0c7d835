"""The table of triggers. APScheduler keeps no state: what is due stands in our own tables, so a
missed or killed run is simply made up for by the next one.

The first pass goes through the table in order, because calendars cannot be read before it is known
whose they are. Later each job has its interval, and what it found is judged and mailed at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from meetbot.errors import Stopped
from meetbot.jobs import (
    collect_calendars,
    collect_conferences,
    collect_people,
    collect_spaces,
    deliver,
    digest,
    import_registry,
    judge,
    outages,
    prune,
    remind,
    webhooks,
)
from meetbot.jobs.deps import Deps
from meetbot.ports import Clock, Outcome

Job = Callable[[Deps, datetime], Outcome]
Report = Callable[[Outcome, timedelta], None]
Complain = Callable[[str, BaseException], None]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A job, how often it runs, and the names of those that run after it each time."""

    name: str
    job: Job
    every: timedelta
    then: tuple[str, ...] = ()


_FULL_ROUND = timedelta(hours=1)


def _changed_calendars(deps: Deps, as_of: datetime) -> Outcome:
    """Every calendar once an hour; in between only those that may have changed."""
    with deps.store.reading() as tx:
        last = tx.meta.get("full-round")
    if last is not None and as_of - datetime.fromisoformat(last) < _FULL_ROUND:
        return collect_calendars.run(deps, as_of, changed_only=True)
    outcome = collect_calendars.run(deps, as_of)
    with deps.store.transaction() as tx:
        tx.meta.set("full-round", as_of.isoformat())
    return outcome


def triggers(
    calendars: timedelta, live: timedelta, registry: timedelta | None = None
) -> tuple[Trigger, ...]:
    """All jobs of the service. `calendars` and `live` come from `[schedule]`.

    `registry` is how often a spreadsheet is imported again; None without one.
    """
    quick = min(live, timedelta(seconds=30))
    judged = ("decisions", "delivery")
    sheet = Trigger("registry", import_registry.run, registry, judged) if registry else None
    return (
        *((sheet,) if sheet else ()),
        Trigger("directory", collect_people.run, timedelta(hours=1), judged),
        Trigger("calendars", _changed_calendars, calendars, ("spaces", *judged)),
        Trigger("spaces", collect_spaces.run, calendars, judged),
        Trigger("conferences", collect_conferences.run, calendars, judged),
        Trigger("live", collect_conferences.run_live, live, judged),
        Trigger("decisions", judge.run, quick, ("delivery",)),
        Trigger("reminders", remind.run, timedelta(seconds=60), ("delivery",)),
        Trigger("digest", digest.run, timedelta(minutes=5), ("delivery",)),
        Trigger("outages", outages.run, timedelta(minutes=5), ("delivery",)),
        Trigger("delivery", deliver.run, quick),
        Trigger("webhooks", webhooks.run, quick),
        Trigger("retention", prune.run, timedelta(hours=24)),
    )


class Service:
    """Runs the triggers until told to stop; the unit in hand is finished first."""

    def __init__(
        self,
        deps: Deps,
        clock: Clock,
        table: tuple[Trigger, ...],
        *,
        report: Report,
        complain: Complain,
    ) -> None:
        """`report` hears every outcome with its duration, `complain` every defect."""
        self._deps = deps
        self._clock = clock
        self._report = report
        self._complain = complain
        self._table = {trigger.name: trigger for trigger in table}
        self._locks = {trigger.name: threading.Lock() for trigger in table}
        self._stopping = threading.Event()
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(max_workers=len(table) + 1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_job(self._first_pass, "date", id="first pass")
        for trigger in table:
            self._scheduler.add_job(
                self._run,
                "interval",
                seconds=trigger.every.total_seconds(),
                id=trigger.name,
                args=[trigger],
                jitter=max(int(trigger.every.total_seconds() * 0.1), 1),
            )

    def start(self) -> None:
        """Begin; returns at once."""
        self._scheduler.start()

    def stop(self) -> None:
        """Let running jobs end, start no other."""
        self._stopping.set()
        self._scheduler.shutdown(wait=True)

    def _first_pass(self) -> None:
        for trigger in self._table.values():
            self._run_one(trigger)

    def _run(self, trigger: Trigger) -> None:
        if self._run_one(trigger):
            for name in trigger.then:
                self._run_one(self._table[name])

    def _run_one(self, trigger: Trigger) -> bool:
        """Run one job, never twice at the same time; whether it ended without a defect."""
        with self._locks[trigger.name]:
            if self._stopping.is_set():
                return False
            began_at = self._clock()
            try:
                outcome = trigger.job(self._deps, began_at)
            except Stopped:
                return False
            except Exception as error:
                self._complain(trigger.name, error)
                return False
            self._report(outcome, self._clock() - began_at)
            return True
