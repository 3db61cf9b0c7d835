"""Measured: all audit rows of three days, from Google's pages to flags."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from meetbot import wiring
from meetbot.jobs import collect_calendars, collect_conferences, collect_people, judge
from meetbot.jobs.people import People
from meetbot.ports import Outcome
from tests.bench.gauge import answer, arguments, measured
from tests.bench.polls import now, settings_in


def main() -> None:
    """Directory and calendars are read and judged before, unmeasured, as when the service runs."""
    with wiring.opened(settings_in(Path(arguments()["folder"]))) as app:
        collect_people.run(app.deps, now())
        collect_calendars.run(app.deps, now())
        collect_people.note_source(app.deps, collect_conferences.AUDIT, now())
        judge.run(app.deps, now())
        outcome = Outcome("bench")
        with measured() as read:
            people = People(app.deps, outcome, now())
            collect_conferences.read_audit(app.deps, people, outcome, now())
        # Without a look back nothing waits for Meet, which is not read here.
        district = replace(app.deps.district, lookback=timedelta(0))
        with measured() as judged:
            result = judge.run(replace(app.deps, district=district), now())
    read.more = {"rows": outcome.source(collect_conferences.AUDIT).read}
    judged.more = dict(result.counts)
    answer({"read": read, "judge": judged})


if __name__ == "__main__":
    main()
