"""Plots of the overview as SVG, each beside a table that says the same.

Drawn on matplotlib's object interface: no pyplot, no global state. Bars differ in lightness and
hatch as well as in color. Words come in the viewer's language; each picture is a page of its own,
so that its styles are not those of a page.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from meetbot.domain.findings import Severity

_INK, _MUTED, _LINE = "#1b1f24", "#4d5661", "#c3cad3"
_WIDTH = 7.2
_LOOKS: dict[Severity, tuple[str, str]] = {
    Severity.CRITICAL: ("#7a0f1a", ""),
    Severity.HIGH: ("#d9534f", "////"),
    Severity.MEDIUM: ("#f0b429", ""),
    Severity.LOW: ("#9cc8ff", "\\\\\\\\"),
    Severity.INFO: ("#dfe4ea", ""),
}
_FIRST, _SECOND = ("#1f5fa8", ""), ("#9cc8ff", "////")


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one kind: what they are, and one value for each label; None draws nothing."""

    title: str
    values: tuple[float | None, ...]


def stacked(labels: Sequence[str], bars: Sequence[tuple[Severity, Bars]], unit: str) -> bytes:
    """One column for each label, made of a part for each severity."""

    def draw(axes: Axes) -> None:
        base = [0.0] * len(labels)
        for severity, part in bars:
            heights = [value or 0.0 for value in part.values]
            color, hatch = _LOOKS[severity]
            axes.bar(
                range(len(labels)),
                heights,
                bottom=base,
                color=color,
                hatch=hatch,
                edgecolor="white",
                linewidth=0.5,
                label=part.title,
            )
            base = [low + high for low, high in zip(base, heights, strict=True)]
        _columns(axes, labels, unit)

    return _drawn(draw, 3.2)


def line(labels: Sequence[str], values: Sequence[float | None], unit: str) -> bytes:
    """A line with a point for each label that has a value."""

    def draw(axes: Axes) -> None:
        points = [float("nan") if value is None else value for value in values]
        axes.plot(range(len(labels)), points, color=_FIRST[0], marker="o")
        _columns(axes, labels, unit)

    return _drawn(draw, 2.6)


def rows(labels: Sequence[str], bars: Sequence[Bars], unit: str, *, most: float | None) -> bytes:
    """One row for each label, with a bar of each kind; the first label at the top."""

    def draw(axes: Axes) -> None:
        thick = 0.8 / len(bars)
        for number, (part, (color, hatch)) in enumerate(zip(bars, (_FIRST, _SECOND), strict=False)):
            places = [place + (number - (len(bars) - 1) / 2) * thick for place in _places(labels)]
            lengths = [value or 0.0 for value in part.values]
            axes.barh(
                places,
                lengths,
                height=thick,
                color=color,
                hatch=hatch,
                edgecolor="white",
                linewidth=0.5,
                label=part.title,
            )
        axes.set_yticks(list(_places(labels)), labels)
        axes.invert_yaxis()
        axes.set_xlim(0, most)
        axes.set_xlabel(unit)
        axes.grid(axis="x", color=_LINE, linewidth=0.6)

    return _drawn(draw, 1.4 + 0.34 * len(labels))


def _places(labels: Sequence[str]) -> range:
    return range(len(labels))


def _columns(axes: Axes, labels: Sequence[str], unit: str) -> None:
    axes.set_xticks(list(_places(labels)), labels, rotation=45, ha="right")
    axes.set_ylabel(unit)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    axes.grid(axis="y", color=_LINE, linewidth=0.6)


def _drawn(draw: Callable[[Axes], None], height: float) -> bytes:
    figure = Figure(figsize=(_WIDTH, height), facecolor="white", layout="constrained")
    canvas = FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    draw(axes)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, labelsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_MUTED)
    if len(axes.get_legend_handles_labels()[0]) > 1:
        figure.legend(loc="outside upper left", ncols=5, frameon=False, fontsize=9)
    out = io.BytesIO()
    canvas.print_svg(out, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    return out.getvalue()
