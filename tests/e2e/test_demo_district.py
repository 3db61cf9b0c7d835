"""The demo district's story, told by a real meetbot over HTTP and SMTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from meetbot.domain.flags import Flag
from meetbot.jobs.poll import PollResult
from meetbot.sandbox.district import StoryLine, demo_district
from tests.stage import Stage, a_stage

_Told = tuple[Stage, list[StoryLine], PollResult, PollResult]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Told]:
    now = datetime.now(UTC)
    world, rows, story = demo_district(now)
    with a_stage(tmp_path_factory.mktemp("district"), world, rows, clock=lambda: now) as stage:
        first = stage.poll()
        mails = len(stage.mailbox.mails)
        second = stage.poll()
        assert len(stage.mailbox.mails) == mails
        yield stage, story, first, second


def _flags(stage: Stage, line: StoryLine) -> list[Flag]:
    if line.event_id:
        return stage.flags(uid=f"{line.event_id}@google.com")
    return stage.flags(code=line.code)


def test_every_meeting_of_the_story_is_flagged_as_expected_and_not_otherwise(told: _Told) -> None:
    """Each meeting shows the flags it must, and none but those it may."""
    stage, story, _, _ = told
    wrong = []
    for line in story:
        if line.when == "live":
            continue
        rules = {flag.rule for flag in _flags(stage, line)}
        if not line.expect <= rules or not rules <= line.expect | line.may:
            missing = sorted(line.expect - rules)
            surplus = sorted(rules - line.expect - line.may)
            wrong.append((line.note, line.when, f"missing {missing}", f"surplus {surplus}"))
    assert not wrong, "\n".join(map(str, wrong))


def test_the_first_pass_reads_everything(told: _Told) -> None:
    """All sources of a healthy district are read in full, and mails go out."""
    _, _, first, _ = told
    assert first.is_covered, first.sources
    assert first.flags["opened"] > 0
    assert first.mails["sent"] > 0
    assert first.mails["failed"] == first.mails["deferred"] == 0


def test_a_second_pass_with_nothing_changed_says_nothing(told: _Told) -> None:
    """No flag is opened, updated or withdrawn, and no mail is sent."""
    _, _, _, second = told
    assert not any(second.flags.values())
    assert not any(second.mails.values())
