"""Numbers, lengths and moments as sentences say them."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from meetbot.rules.wording import clock, counted, listed, local_moment, minutes, spoken
from tests.dossiers import at


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "under 1"), (59, "under 1"), (60, "1"), (61, "1"), (1800, "30")]
)
def test_whole_minutes(seconds: int, said: str) -> None:
    """Begun and finished ones."""
    assert minutes(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [(0, "0:00"), (61, "1:01"), (3600, "60:00")])
def test_minutes_and_seconds(seconds: int, said: str) -> None:
    """An hour is sixty minutes."""
    assert clock(seconds) == said


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (-5, "0 min"), (0, "0 min"), (45, "45 min"), (60, "1 h 0 min"), (200, "3 h 20 min"),
        (1439, "23 h 59 min"), (1440, "1 d 0 h"), (24 * 60 * 3 + 23 * 60, "3 d 23 h"),
        (1440 * 1441, "1441 d 0 h"),
    ],
)  # fmt: skip
def test_lengths_as_people_say_them(length: int, said: str) -> None:
    """The two largest units, whole ones."""
    assert spoken(timedelta(minutes=length)) == said


def test_moments_are_local() -> None:
    """Date and time of the place; the date too is another one there."""
    assert local_moment(at(0), ZoneInfo("Asia/Tokyo")) == "2026-10-14 00:00"


def test_small_numbers_are_withheld_for_confidential_services() -> None:
    """Fewer than three; three and more are told."""
    assert [counted(n, is_confidential=True) for n in (1, 2, 3)] == [
        "Fewer than 3", "Fewer than 3", "3",
    ]  # fmt: skip
    assert counted(1, is_confidential=False) == "1"


def test_lists_in_words() -> None:
    """With `and` before the last."""
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip
