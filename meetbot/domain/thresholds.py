"""The limits of the presence rules, with the catalogue's names and defaults (§3, A2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Whole seconds, 0 or more; a limit is reached by a sum equal to it.

    No rule fires without contact of its kind, even at limit 0.
    """

    jitter_s: int = 15
    """Shorter stretches of contact are dropped."""
    none_s: int = 60
    none_wait_s: int = 300
    """Live: with less contact than this, absent staff are late and not yet missing (A9)."""
    before_s: int = 120
    after_s: int = 60
    gap_longest_s: int = 60
    gap_sum_s: int = 180
    alone_s: int = 60
    alone_before_s: int = 120
    high_s: int = 300
    """A sum from which a medium flag is high."""
