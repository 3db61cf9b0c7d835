"""`replay`: stored history decided again, and the difference."""

from __future__ import annotations

import gc
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from meetbot.cli.context import context_of
from meetbot.domain.dates import local_day_start
from meetbot.domain.flag_documents import flag_document, instant
from meetbot.errors import BadInput, Mistake

if TYPE_CHECKING:
    from meetbot.domain.policy import Policy
    from meetbot.jobs.replay import Difference, Replay, Replayed
    from meetbot.settings import Settings

_SIGNS = {"appear": "+", "change": "~", "vanish": "-"}


def replay(
    context: typer.Context,
    since: Annotated[
        str, typer.Option(metavar="DATE", help="Day (2026-10-13, local) or RFC 3339 instant.")
    ],
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Decide by this policy instead of the current one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Decide stored history again, print the difference, send nothing.

    Which flags would appear, change or vanish, and why. Exit 3 if some meeting could not be
    decided.
    """
    settings, new = _checked(context, since, policy)
    begun_at = since_instant(since, settings.district.timezone)
    now = datetime.now(UTC)
    if begun_at is None or begun_at > now:
        raise BadInput([_DATE if begun_at is None else _FUTURE])
    done, plan = replayed(settings, new or settings.policy, begun_at, now)
    if as_json:
        print(json.dumps(_document(done, plan, begun_at, policy), indent=2))
    else:
        _print(done, plan, begun_at, policy)
    if done.failed:
        raise typer.Exit(3)


_DATE = Mistake(
    "--since",
    "is neither a day nor an instant with a zone",
    "write it like 2026-10-13 or 2026-10-13T15:00:00Z",
)
_FUTURE = Mistake("--since", "lies ahead", "name a day or instant in the past")


def _checked(
    context: typer.Context, since: str, policy: Path | None
) -> tuple[Settings, Policy | None]:
    """Configuration and policy; raises BadInput with the mistakes of both and of the date."""
    from meetbot.rules import KNOWN_RULES
    from meetbot.settings import load_policy

    mistakes: list[Mistake] = []
    settings, new = None, None
    try:
        settings = context_of(context).settings()
    except BadInput as wrong:
        mistakes += wrong.mistakes
    if since_instant(since, ZoneInfo("UTC")) is None:
        mistakes.append(_DATE)
    if policy is not None:
        try:
            new = load_policy(policy, KNOWN_RULES)
        except BadInput as wrong:
            mistakes += wrong.mistakes
    if settings is None or mistakes:
        raise BadInput(mistakes)
    return settings, new


def since_instant(text: str, zone: ZoneInfo) -> datetime | None:
    """The start of a local day, or the instant; None for anything else."""
    try:
        if len(text) == len("2026-10-13"):
            return local_day_start(date.fromisoformat(text), zone)
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# --- work ---------------------------------------------------------------------------------------


def replayed(
    settings: Settings,
    policy: Policy,
    since: datetime,
    as_of: datetime,
    *,
    batch: int = 200,
    worth_two: int = 2_000,
) -> tuple[Replayed, Replay]:
    """Decide everything that overlaps the span.

    `batch` occurrences are loaded together. Fewer than `worth_two` are decided by one process
    before a second one would have begun.
    """
    from meetbot.jobs.replay import Replay, Replayed
    from meetbot.store import ReadOnlyStore, open_store
    from meetbot.wiring import district_of

    with (
        closing(open_store(settings.database.url)) as store,
        ReadOnlyStore(store).reading() as tx,
    ):
        ids = tx.meetings.overlapping(since, as_of)
        plan = Replay(policy, tx.meta.policy(), district_of(settings), as_of)
        made = tx.meta.get("pseudonym-key") or "00" * 32
    batches = [ids[start : start + batch] for start in range(0, len(ids), batch)]
    key = settings.privacy.pseudonym_key or bytes.fromhex(made)
    done = Replayed()
    work = _Work(settings.database.url, key, plan, batches)
    for part in _all(work, is_much=len(ids) >= worth_two):
        done.add(part)
    return done, plan


@dataclass(frozen=True, slots=True)
class _Work:
    """What a process needs to decide its share by itself."""

    url: str
    key: bytes
    replay: Replay
    batches: Sequence[Sequence[int]]


def _all(work: _Work, *, is_much: bool) -> Iterator[Replayed]:
    if not is_much or (os.cpu_count() or 1) == 1:
        yield _decided(work)
        return
    mine, other = (replace(work, batches=work.batches[at::2]) for at in (0, 1))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        coming = pool.submit(_decided, other)
        yield _decided(mine)
        yield coming.result()


def _decided(work: _Work) -> Replayed:
    """Decide a share with a view of the database of its own."""
    from meetbot.domain.people import Pseudonyms
    from meetbot.jobs.replay import Replayed, Replayer
    from meetbot.store import ReadOnlyStore, open_store

    gc.set_threshold(50_000, 20, 10)  # nearly nothing of a batch is garbage before its end
    done = Replayed()
    with (
        closing(open_store(work.url)) as store,
        ReadOnlyStore(store).reading() as tx,
    ):
        replayer = Replayer(tx, Pseudonyms(work.key), work.replay)
        for batch in work.batches:
            done.add(replayer.run(batch))
    return done


# --- output -------------------------------------------------------------------------------------


def _document(
    done: Replayed, plan: Replay, since: datetime, policy: Path | None
) -> dict[str, object]:
    from meetbot.jobs.replay import in_order

    return {
        "since": instant(since),
        "until": instant(plan.as_of),
        "policy": str(policy) if policy else "current",
        "settings": [plan.said(name) for name in plan.changed],
        "occurrences": done.occurrences,
        "undecided": done.undecided,
        "skipped": dict(sorted(done.skipped.items())),
        "failed": dict(sorted(done.failed.items())),
        "counts": _by_kind(done.differences),
        "rules": {
            rule: _by_kind([one for one in done.differences if one.flag.rule == rule])
            for rule in sorted({one.flag.rule for one in done.differences})
        },
        "differences": [_difference(one) for one in in_order(done.differences)],
    }


def _by_kind(differences: Sequence[Difference]) -> dict[str, int]:
    numbers = Counter(one.kind.value for one in differences)
    return {kind: numbers[kind] for kind in _SIGNS}


def _difference(one: Difference) -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "rule": one.flag.rule,
        "shadow": one.is_shadow,
        "why": list(one.why),
        "before": flag_document(one.before) if one.before else None,
        "after": _without_dates(flag_document(one.after)) if one.after else None,
    }


def _without_dates(document: dict[str, object]) -> dict[str, object]:
    """A flag that is none yet was never opened."""
    dates = ("opened_at", "updated_at", "status")
    return {name: value for name, value in document.items() if name not in dates}


def _print(done: Replayed, plan: Replay, since: datetime, policy: Path | None) -> None:
    from meetbot.jobs.replay import in_order

    by = f"by {policy}" if policy else "by the current policy"
    print(f"{done.occurrences} meetings since {instant(since)} decided again {by}.")
    for name in plan.changed:
        print(f"Setting:   {plan.said(name)}")
    for reason, number in sorted({**done.skipped, **done.failed}.items()):
        print(f"Left out:  {number}: {reason}")
    if done.undecided:
        print(f"Undecided: {done.undecided} meetings, some rule lacks its evidence")
    counts = _by_kind(done.differences)
    print(", ".join(f"{number} would {kind}" for kind, number in counts.items()) + ".")
    last = ""
    for one in in_order(done.differences):
        if one.flag.rule != last:
            last = one.flag.rule
            _print_rule(last, done.differences)
        _print_difference(one)


def _print_rule(rule: str, differences: Sequence[Difference]) -> None:
    own = [one for one in differences if one.flag.rule == rule]
    counts = ", ".join(f"{number} {kind}" for kind, number in _by_kind(own).items())
    mark = " (in shadow)" if any(one.is_shadow for one in own) else ""
    print(f"\n{rule}{mark}: {counts}")


def _print_difference(one: Difference) -> None:
    flag = one.flag
    start = f"{flag.occurrence.original_start_at:%Y-%m-%d %H:%MZ}"
    print(f"  {_SIGNS[one.kind]} {flag.id}  {start}  {_state(one)}: {flag.message}")
    for reason in one.why:
        print(f"      {reason}")


def _state(one: Difference) -> str:
    """Severity and confidence, as they are and as they would be."""
    states = [f"{flag.severity}, {flag.certainty}" for flag in (one.before, one.after) if flag]
    if one.kind == "change":
        return " -> ".join(dict.fromkeys(states))
    if one.kind == "vanish" and one.before is not None:
        return f"{states[0]}, {one.before.status}"
    return states[-1]
