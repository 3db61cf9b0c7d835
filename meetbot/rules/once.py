"""What many rules ask of one dossier is answered once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar, TypeVarTuple

T = TypeVar("T")
Given = TypeVarTuple("Given")


class Same(Generic[T]):
    """A value equal only to itself: dossiers, policies and registries are frozen, and large to
    compare."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value


def once_per_dossier(answer: Callable[[*Given], T]) -> Callable[[*Given], T]:
    """Remember the last few answers of a pure function of a dossier, and perhaps the policy."""

    @lru_cache(maxsize=8)
    def remembered(*given: Same[Any]) -> Any:
        return answer(*(one.value for one in given))

    def asked(*given: *Given) -> T:
        found: T = remembered(*(Same(one) for one in given))
        return found

    asked.__doc__ = answer.__doc__
    return asked
