"""Stored history decided again: nothing differs by itself, and what differs is exactly known."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meetbot.cli.replay import replayed
from meetbot.domain.findings import FlagKey
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.errors import MeetbotError
from meetbot.jobs.replay import in_order
from meetbot.rules import KNOWN_RULES
from meetbot.sandbox.district import demo_district
from meetbot.settings import load_policy
from meetbot.store import ReadOnlyStore
from tests.command import Ran, meetbot
from tests.stage import Stage, a_stage

SINCE = ("--since", f"{datetime.now(UTC) - timedelta(days=80):%Y-%m-%d}")
BEGAN = datetime.now(UTC) - timedelta(days=9)
PASSES = (timedelta(0), timedelta(minutes=2), timedelta(days=1), timedelta(days=8))
"""First sight, a live call, and what was ahead held and final: each phase has its flags."""
LAST = BEGAN + PASSES[-1]


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
    assert {flag.rule for flag in present(stage).values()} >= {
        "guest-added-by-partner",
        "meeting-code-reused",
        "open-access-space",
        "student-data-in-text",
        "student-roster-attached",
    }
    assert "0 would appear, 0 would change, 0 would vanish." in run(stage, *SINCE).out


POLICIES = {
    "stricter": """
[thresholds]
after_s = 20
before_s = 30
gap_longest_s = 25
[limits]
outside_window = "1m"
[rules.authorization-missing]
severity = "critical"
[rules.contract-expired]
shadow = true
""",
    "milder": """
approved_platforms = ["google-meet", "zoom"]
[thresholds]
after_s = 900
none_s = 7200
high_s = 60
[limits]
unidentified = "1h"
[rules.partner-alone-with-student]
enabled = false
""",
}
SHADOWS = {"contract-expired"}


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
    started = {k for k, f in (here | there).items() if f.occurrence.original_start_at <= LAST}
    # An open flag stays where its rule goes into shadow; in a life in shadow there never was one.
    appear = {k for k in there.keys() - here.keys() if k in started}
    vanish = {k for k in here.keys() - there.keys() if k in started and k.rule not in SHADOWS}
    change = {k for k in here.keys() & there.keys() if says(here[k]) != says(there[k])} & started

    found = with_policy(stage, text)

    assert keys(found, "appear") == {(k.rule, there[k].id) for k in appear}
    assert keys(found, "vanish") == {(k.rule, here[k].id) for k in vanish}
    assert keys(found, "change") == {(k.rule, here[k].id) for k in change}
    assert appear | vanish
    assert change


def keys(found: Mapping[str, Any], kind: str) -> set[tuple[str, str]]:
    return {
        (one["rule"], (one["after"] or one["before"])["id"])
        for one in found["differences"]
        if one["kind"] == kind
    }


# --- why, and how it is shown -------------------------------------------------------------------


def test_each_difference_says_why(stage: Stage) -> None:
    """The settings that made it, each with its value now and before, and what was measured."""
    found = with_policy(stage, "[thresholds]\ngap_longest_s = 25\nbefore_s = 119\n")

    assert found["settings"] == [
        "thresholds.before_s is 119, was 120",
        "thresholds.gap_longest_s is 25, was 60",
    ]
    (gap,) = found["differences"]
    assert (gap["rule"], gap["kind"], gap["before"]) == ("staff-presence-gap", "appear", None)
    assert gap["why"] == ["thresholds.gap_longest_s is 25, was 60", "measured: gap 30 s"]
    assert "opened_at" not in gap["after"]


def test_a_rule_switched_off_is_named(stage: Stage) -> None:
    """Its flags would not be there, because of the switch."""
    found = with_policy(stage, "[rules.staff-left-early]\nenabled = false\n")

    assert set(found["rules"]) == {"staff-left-early"}
    assert found["counts"]["vanish"] == len(found["differences"]) > 0
    for one in found["differences"]:
        assert one["why"][0] == "rules.staff-left-early.enabled is false, was true"
        assert one["before"]["status"] == "open"


def test_the_text_has_counts_first_then_each_rule(stage: Stage) -> None:
    """One line of counts, one for each rule with its flags below it; no student is named."""
    file = stage.folder / "text.toml"
    file.write_text("[thresholds]\ngap_longest_s = 25\n", encoding="utf-8")

    ran = run(stage, *SINCE, "--policy", file)

    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].endswith(f"decided again by {file}.")
    assert lines[1] == "Setting:   thresholds.gap_longest_s is 25, was 60"
    counts = next(n for n, line in enumerate(lines) if " would appear, " in line)
    rule = next(
        n for n, line in enumerate(lines) if line.startswith("staff-presence-gap: 1 appear")
    )
    assert counts < rule
    assert lines[rule + 1].startswith("  + F-")
    assert lines[rule + 2] == "      thresholds.gap_longest_s is 25, was 60"
    assert "students.district.example" not in ran.out


# --- nothing else -------------------------------------------------------------------------------


def test_nothing_is_written_sent_or_asked(stage: Stage) -> None:
    """The tables, the mailbox and Google's request counts are what they were."""
    before = (_rows(stage), len(stage.mailbox.mails), stage.box.requests.total)

    with_policy(stage, POLICIES["stricter"])

    assert (_rows(stage), len(stage.mailbox.mails), stage.box.requests.total) == before


def _rows(stage: Stage) -> str:
    with closing(sqlite3.connect(stage.folder / "meetbot.db")) as database:
        return "\n".join(database.iterdump())


def test_a_replay_cannot_write(stage: Stage) -> None:
    """What it is given has no transaction, and the database refuses to write in its view."""
    store = ReadOnlyStore(stage.app.store)

    assert not hasattr(store, "transaction")
    with pytest.raises(MeetbotError), store.reading() as tx:
        tx.meta.set("anything", "at all")


def test_two_processes_give_what_one_gives(stage: Stage) -> None:
    """Shares of the work are put together in the same result."""
    policy = load_policy(_file(stage, POLICIES["milder"]), KNOWN_RULES)
    one, _ = replayed(stage.settings, policy, BEGAN - timedelta(days=5), LAST)
    two, _ = replayed(stage.settings, policy, BEGAN - timedelta(days=5), LAST, batch=4, worth_two=0)

    assert in_order(one.differences) == in_order(two.differences)
    assert (one.occurrences, one.undecided) == (two.occurrences, two.undecided)


def _file(stage: Stage, text: str) -> Path:
    file = stage.folder / "given.toml"
    file.write_text(text, encoding="utf-8")
    return file


# --- wrong use ----------------------------------------------------------------------------------


@pytest.mark.parametrize("date", ["yesterday", "2026-13-01", "2026-10-13T15:00:00", "", "20261013"])
def test_what_is_no_date_is_wrong_use(stage: Stage, date: str) -> None:
    """Exit 2 with the option and how to write it."""
    ran = run(stage, "--since", date)
    assert ran.code == 2
    assert "--since: is neither a day nor an instant with a zone. Fix: write it like" in ran.err


def test_a_day_ahead_is_wrong_use(stage: Stage) -> None:
    """There is no history yet."""
    ran = run(stage, "--since", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}")
    assert (ran.code, "--since: lies ahead" in ran.err) == (2, True)


def test_all_mistakes_are_said_at_once(stage: Stage) -> None:
    """Those of the date, of the configuration and of the policy, each with its key and fix."""
    file = _file(stage, "[thresholds]\nafter_s = -1\nafer_s = 3\n[rules.no-such-rule]\n")

    ran = meetbot(
        "--config", stage.config, "replay", "--since", "soon", "--policy", file,
        cwd=stage.folder, MEETBOT_SCHEDULE__LIVE="often",
    )  # fmt: skip

    assert ran.code == 2
    assert ran.out == ""
    for words in (
        "MEETBOT_SCHEDULE__LIVE (schedule.live)",
        "--since: ",
        "given.toml: thresholds.after_s: must not be negative",
        "given.toml: thresholds.afer_s: is not a key meetbot knows. Fix: did you mean after_s?",
        "given.toml: rules.no-such-rule",
    ):
        assert words in ran.err
    assert run(stage, *SINCE, "--policy", "nowhere.toml").code == 2
