"""Answers about one dossier that many rules ask for, worked out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

from meetbot.domain.dossier import Dossier

T = TypeVar("T")


class _Same:
    """A dossier, equal only to itself: it is frozen, and large to compare."""

    __slots__ = ("dossier",)

    def __init__(self, dossier: Dossier) -> None:
        self.dossier = dossier

    def __hash__(self) -> int:
        return id(self.dossier)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.dossier is other.dossier


def once(answer: Callable[[Dossier], T]) -> Callable[[Dossier], T]:
    """Remember a pure function's answers for the last few dossiers: rules ask one after another."""

    @lru_cache(maxsize=4)
    def remembered(same: _Same) -> T:
        return answer(same.dossier)

    @wraps(answer)
    def asked(dossier: Dossier) -> T:
        return remembered(_Same(dossier))

    return asked
