"""Stored history decided again: nothing differs by itself, and what differs is exactly known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meetbot.domain.findings import FlagKey
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.sandbox.district import demo_district
from tests.command import Ran, meetbot
from tests.stage import Stage, a_stage

SINCE = ("--since", "2020-01-01")
BEGAN = datetime.now(UTC) - timedelta(days=9)
PASSES = (timedelta(0), timedelta(minutes=2), timedelta(days=1), timedelta(days=8))
"""First sight, a live call, and what was ahead held and final: each phase has its flags."""


@contextmanager
def judged(folder: Path, *, policy: str = "") -> Iterator[Stage]:
    """The demo district watched for a week, by a policy of its own."""
    now = BEGAN
    world, rows, _ = demo_district(now)
    clock = [now]
    if policy:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "policy.toml").write_text(policy, encoding="utf-8")
    with a_stage(folder, world, rows, clock=lambda: clock[0]) as stage:
        for after in PASSES:
            clock[0] = now + after
            stage.poll()
        yield stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with judged(tmp_path_factory.mktemp("replay")) as made:
        yield made


def run(stage: Stage, *words: str | Path) -> Ran:
    return meetbot("--config", stage.config, "replay", *words, cwd=stage.folder)


def with_policy(stage: Stage, text: str, *words: str) -> dict[str, Any]:
    file = stage.folder / "other.toml"
    file.write_text(text, encoding="utf-8")
    ran = run(stage, *SINCE, "--policy", file, "--json", *words)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = ran.json
    return found


def present(stage: Stage) -> dict[FlagKey, Flag]:
    with stage.app.store.reading() as tx:
        flags = tx.flags.list()
    gone = (FlagStatus.WITHDRAWN, FlagStatus.SUPERSEDED)
    return {flag.key: flag for flag in flags if flag.status not in gone}


def test_the_same_policy_makes_no_difference(stage: Stage) -> None:
    """Every stored flag is found again as it is, and no other."""
    ran = run(stage, *SINCE, "--json")

    assert ran.code == 0, ran.err
    assert ran.json["differences"] == []
    assert ran.json["skipped"] == ran.json["failed"] == {}
    assert ran.json["occurrences"] > 30
    assert len(present(stage)) > 25
    assert "0 would appear, 0 would change, 0 would vanish." in run(stage, *SINCE).out


POLICIES = {
    "lower limits": "[thresholds]\nafter_s = 20\nbefore_s = 30\ngap_longest_s = 25\n",
    "higher limits": "[thresholds]\nafter_s = 900\nnone_s = 7200\nalone_s = 7200\nhigh_s = 60\n",
    "other limits": '[limits]\nunidentified = "1h"\noutside_window = "1m"\n',
    "platforms": 'approved_platforms = ["google-meet", "zoom"]\n',
    "switched off": "[rules.staff-left-early]\nenabled = false\n",
    "severity": '[rules.authorization-missing]\nseverity = "critical"\n',
    "shadow": "[rules.contract-expired]\nshadow = true\n",
}


def says(flag: Flag) -> tuple[object, ...]:
    return (flag.severity, flag.certainty, flag.spans, flag.message)


@pytest.mark.parametrize("text", POLICIES.values(), ids=POLICIES)
def test_another_policy_makes_the_difference_that_it_makes_in_life(
    stage: Stage, tmp_path: Path, text: str
) -> None:
    """The same district judged from the start by that policy has just these other flags."""
    with judged(tmp_path / "life", policy=text) as life:
        there = present(life)
    here = present(stage)
    shadows = {"contract-expired"} if "shadow" in text else set()
    started = {
        k for k, f in (here | there).items() if f.occurrence.original_start_at <= BEGAN + PASSES[-1]
    }
    appear = {k for k in there.keys() - here.keys() if k in started}
    vanish = {k for k in here.keys() - there.keys() if k in started and k.rule not in shadows}
    change = {k for k in here.keys() & there.keys() if says(here[k]) != says(there[k])} & started

    found = with_policy(stage, text)

    assert keys(found, "appear") == {(k.rule, here.get(k, there.get(k)).id) for k in appear}  # type: ignore[union-attr]
    assert keys(found, "vanish") == {(k.rule, here[k].id) for k in vanish}
    assert keys(found, "change") == {(k.rule, here[k].id) for k in change}
    assert bool(appear or vanish or change) is not bool(shadows)


def keys(found: Mapping[str, Any], kind: str) -> set[tuple[str, str]]:
    return {
        (one["rule"], (one["after"] or one["before"])["id"])
        for one in found["differences"]
        if one["kind"] == kind
    }
