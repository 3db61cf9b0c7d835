"""Half-open spans of whole seconds."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int]
"""[start, end) in epoch seconds."""


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order, with overlapping and touching ones made one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)
