"""What flags were decided on, as it is kept: Google forgets its records after 30 days."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Undecided
from meetbot.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that one verdict was made of: who has it can decide again.

    The dossier's registry holds the rows a verdict about it can rest on, and no others.
    """

    dossier: Dossier
    policy: Policy
    undecided: tuple[Undecided, ...]
    """Rules that lacked their evidence."""
    program: str
    """Version of meetbot."""
    rules: str
    """Version of the rules, see `rules.version`."""
    about: tuple[str, ...] | None = None
    """The only rules that can be decided again from it; None: all."""


class Withheld(StrEnum):
    """Why there is no snapshot with a change of a flag, or not the whole of it.

    See catalogue §1 Retention, §2 In scope.
    """

    ADULTS = "adults"
    """A meeting of adults: nothing but occurrence, host and outside domains is kept."""
    CONFIDENTIAL = "confidential"
    """A confidential service: nothing but counts is kept, and what its own rule decides on."""
    NO_OUTSIDER = "no-outsider"
    """Nobody from outside is left: nothing is kept."""
    LEFT_OUT = "left-out"
    """It was kept, and left out of a file that would be too large. Never stored."""
