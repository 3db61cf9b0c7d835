"""One complete pass: directory, calendars, conferences, decisions, reminders, delivery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from meetbot.domain.storms import StormState
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
    storm,
    webhooks,
)
from meetbot.jobs.deps import Deps
from meetbot.ports import Clock, Outcome, Tally

Job = Callable[[Deps, datetime], Outcome]

PASS: tuple[tuple[str, Job], ...] = (
    ("registry", import_registry.run),
    ("directory", collect_people.run),
    ("calendars", collect_calendars.run),
    ("spaces", collect_spaces.run),
    ("conferences", collect_conferences.run),
    ("decisions", judge.run),
    ("reminders", remind.run),
    ("digest", digest.run),
    ("outages", outages.run),
    ("delivery", deliver.run),
    ("webhooks", webhooks.run),
    ("retention", prune.run),
)
"""The stages of a pass, in order; each takes its own instant as it begins."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one pass did; `sources` by name, counts as in `contract.md`."""

    sources: Mapping[str, Tally]
    meetings: int
    undecided: int
    """Meetings of which some rule could not be decided for want of evidence."""
    flags: Mapping[str, int]
    mails: Mapping[str, int]
    requests: Mapping[str, int]
    storm: StormState
    """Whether mail is stopped, and how many mails are held."""
    shadow: Mapping[str, int]
    """What rules in shadow found: `found` and `gone` in this pass, `kept` in all."""

    @property
    def is_covered(self) -> bool:
        """Whether every source was read in full."""
        return not any(tally.failed for tally in self.sources.values())


def run(
    deps: Deps,
    clock: Clock,
    *,
    requests: Callable[[], Mapping[str, int]],
    progress: Callable[[str], None] = lambda _stage: None,
) -> PollResult:
    """Run every stage once. `requests` tells the Google requests made so far, by API.

    `progress` hears the name of each stage as it begins.
    """
    before = dict(requests())
    sources: dict[str, Tally] = {}
    counts: dict[str, int] = {}
    for name, job in PASS:
        progress(name)
        outcome = job(deps, clock())
        for source, tally in outcome.sources.items():
            _add(sources.setdefault(source, Tally()), tally)
        for key, number in outcome.counts.items():
            counts[key] = counts.get(key, 0) + number
    with deps.store.reading() as tx:
        totals = tx.meetings.counts()
        in_shadow = sum(tx.shadows.counts().values())
        stopped = storm.state(tx)
    after = requests()
    return PollResult(
        sources=sources,
        meetings=totals.get("in_scope", 0),
        undecided=totals.get("undecided", 0),
        flags={
            "opened": counts.get("opened", 0) + counts.get("reopened", 0),
            "updated": counts.get("updated", 0),
            "withdrawn": counts.get("withdrawn", 0),
            "superseded": counts.get("superseded", 0),
        },
        mails={name: counts.get(name, 0) for name in ("sent", "deferred", "failed")},
        storm=stopped,
        shadow={
            "found": counts.get("shadow_found", 0),
            "gone": counts.get("shadow_gone", 0),
            "kept": in_shadow,
        },
        requests={api: after[api] - before.get(api, 0) for api in sorted(after)},
    )


def _add(total: Tally, tally: Tally) -> None:
    total.read += tally.read
    total.failed += tally.failed
    total.skipped += tally.skipped
    for reason, number in tally.reasons.items():
        total.reasons[reason] = total.reasons.get(reason, 0) + number
