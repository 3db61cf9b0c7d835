"""Who was in the call when, as a picture: pixels for mails, SVG for pages, drawn by the same code.

Drawn on matplotlib's object interface: no pyplot, no global state, only the fonts that come with
matplotlib, no date inside, so that the same timeline always gives the same bytes (of an SVG: the
same shapes, under names of its own).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path as FilePath

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from PIL import Image

from meetbot.domain.findings import TimelineSpan
from meetbot.domain.notices import Lane, Timeline
from meetbot.domain.spans import union
from meetbot.notify.text import clean, clock, clock_seconds, minutes, zone_name
from meetbot.notify.timeline import shown_lanes, visit_end

MAX_VISITS = 100
"""Of one person: more are not drawn (a flapping line would only be a smear)."""
MAX_OPEN_ENDS = 5
"""Of one person: their latest."""
MAX_BYTES = 60_000


@dataclass(frozen=True, slots=True)
class _Look:
    fill: str
    edge: str
    hatch: str


# Fills differ in lightness and hatch too: the picture must work without color (WCAG 1.4.1).
_LOOKS = {
    "staff": _Look("#1f5fa8", "#123a68", ""),
    "partner": _Look("#f0b429", "#7a5200", "////"),
    "unidentified": _Look("#d9c2f0", "#55307f", "xxxx"),
    "room": _Look("#c9ced6", "#4a525e", "----"),
    "student": _Look("#8fcfa8", "#1d5e38", ""),
}
_INK, _MUTED, _ALARM, _PALE, _OUTSIDE = "#1b1f24", "#4a525e", "#b3261e", "#fde7e4", "#eef0f3"
_WIDTH = 6.4
_DPI = (200, 100)
"""Dots per inch: sharp on a phone at 640 pixels' width; the second where a mail would be large."""
_SVG_DPI = 72
"""SVG counts in points."""
_ROW, _TOP, _BOTTOM = 0.28, 0.36, 0.8
_LEFT, _RIGHT = 1.8, 0.12
_STEPS = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def timeline_png(timeline: Timeline, zone: str) -> bytes:
    """The timeline as a PNG, local times of `zone` on its axis; 60 kB or less.

    1280 pixels wide (640 where that would be too large), to be shown at 640.
    """
    fine, coarse = _DPI
    picture = _drawn(timeline, zone, fine)
    return picture if len(picture) <= MAX_BYTES else _drawn(timeline, zone, coarse)


def timeline_svg(timeline: Timeline, zone: str) -> bytes:
    """The same picture as SVG: sharp at any size, letters as shapes, so that it needs no font."""
    figure = _figure(timeline, zone, _SVG_DPI)
    out = io.BytesIO()
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    canvas = FigureCanvasSVG(figure)
    canvas.print_svg(out, metadata=metadata)  # type: ignore[no-untyped-call]
    return out.getvalue()


def _drawn(timeline: Timeline, zone: str, dpi: int) -> bytes:
    figure = _figure(timeline, zone, dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib leaves these two untyped
    return _packed(canvas)


def _figure(timeline: Timeline, zone: str, dpi: int) -> Figure:
    lanes, rest = shown_lanes(timeline)
    has_alone = any(span.kind == "alone" for span in timeline.contacts)
    rows = max(len(lanes) + bool(rest) + bool(timeline.contacts) + has_alone, 1)
    height = _TOP + _BOTTOM + _ROW * rows
    figure = Figure(figsize=(_WIDTH, height), dpi=dpi, facecolor="white")
    width = (_WIDTH - _LEFT - _RIGHT) / _WIDTH
    axes = figure.add_axes((_LEFT / _WIDTH, _BOTTOM / height, width, _ROW * rows / height))
    _Drawing(axes, timeline, zone, rows).draw(lanes, rest)
    return figure


def _packed(canvas: FigureCanvasAgg) -> bytes:
    """Few flat colors: a palette makes the file a third of its size and nothing less sharp."""
    size = canvas.get_width_height()
    pixels = bytes(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    picture = Image.frombytes("RGBA", size, pixels).convert("RGB")
    out = io.BytesIO()
    picture.quantize(colors=48, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


@cache
def _font_file(name: str) -> FilePath:
    return FilePath(matplotlib.get_data_path(), "fonts", "ttf", name)


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(FT2Font(str(_font_file("DejaVuSans.ttf"))).get_charmap())


def _drawable(text: str, limit: int) -> str:
    """A label with only characters that the font has; it comes from the registry's names."""
    return "".join(char if ord(char) in _glyphs() else "?" for char in clean(text, limit))


def _bar(start: float, end: float, row: int) -> Path:
    top, bottom = row + 0.18, row + 0.82
    return Path(
        [(start, top), (end, top), (end, bottom), (start, bottom), (start, top)], closed=True
    )


class _Drawing:
    """One picture in the making: x in seconds since the call's start, y in rows from the top."""

    def __init__(self, axes: Axes, timeline: Timeline, zone: str, rows: int) -> None:
        self._axes, self._timeline, self._zone, self._rows = axes, timeline, zone, rows
        moments = [timeline.start_at, timeline.end_at]
        moments += [
            m for m in (timeline.scheduled_start_at, timeline.scheduled_end_at) if m is not None
        ]
        self._zero = min(moments)
        length = max(self._x(max(moments)), 60.0)
        self._left, self._right = -0.015 * length, 1.045 * length
        self._tail = 0.035 * length

    def draw(self, lanes: Sequence[Lane], rest: str) -> None:
        """Draw everything."""
        self._frame()
        self._scheduled()
        row = self._contacts()
        for lane in lanes:
            self._lane(row, lane)
            row += 1
        if rest:
            self._words(-0.02, row + 0.5, rest, of_axes=True, color=_MUTED)
        self._ticks()
        self._legend()

    def _x(self, moment: datetime) -> float:
        return (moment - self._zero).total_seconds()

    def _frame(self) -> None:
        self._axes.set_xlim(self._left, self._right)
        self._axes.set_ylim(self._rows, 0)
        self._axes.set_yticks([])
        self._axes.set_facecolor(_OUTSIDE)
        for side in ("top", "right", "left"):
            self._axes.spines[side].set_visible(False)
        self._axes.spines["bottom"].set_color(_MUTED)

    def _scheduled(self) -> None:
        """The planned time on white, all else on grey, with a bracket above."""
        start_at, end_at = self._timeline.scheduled_start_at, self._timeline.scheduled_end_at
        if start_at is None or end_at is None:
            self._box(self._left, 0, self._right - self._left, self._rows, "white")
            self._words(0, -0.45, "not in the calendar", color=_MUTED)
            return
        start, end = self._x(start_at), self._x(end_at)
        self._box(start, 0, end - start, self._rows, "white")
        self._axes.plot(
            [start, start, end, end], [-0.12, -0.3, -0.3, -0.12], color=_INK, lw=1, clip_on=False
        )
        text = f"scheduled {clock(start_at, self._zone)}–{clock(end_at, self._zone)}"
        self._words((start + end) / 2, -0.75, text, ha="center")

    def _contacts(self) -> int:
        """Pale bands through all rows and a row of their own with lengths; gives rows used."""
        whole = [span for span in self._timeline.contacts if span.kind != "alone"]
        alone = [span for span in self._timeline.contacts if span.kind == "alone"]
        for start, end in self._pieces(whole or alone):
            self._box(start, 0, end - start, self._rows, _PALE)
            for edge in (start, end):
                self._axes.axvline(edge, color=_ALARM, lw=0.8, ls=(0, (3, 2)), zorder=3)
        titled = [("WITHOUT STAFF", whole or alone), ("ONE STUDENT ALONE", alone)]
        used = [(title, spans) for title, spans in titled if spans]
        for row, (title, spans) in enumerate(used):
            self._contact_row(row, title, spans)
        return len(used)

    def _contact_row(self, row: int, title: str, spans: Sequence[TimelineSpan]) -> None:
        self._words(-0.02, row + 0.5, title, of_axes=True, color=_ALARM, bold=True)
        free_from = self._left
        for start, end in self._pieces(spans):
            self._box(start, row + 0.14, end - start, 0.72, _ALARM, edge=_ALARM)
            text = minutes(int(end - start))
            wide = 0.016 * (self._right - self._left) * len(text) * 1.15
            middle = (start + end) / 2
            if end - start > wide:
                self._words(middle, row + 0.5, text, ha="center", color="white", bold=True)
            elif start - wide > free_from:  # too short to hold its length: written before it
                self._words(start - 0.3 * self._tail, row + 0.5, text, ha="right", color=_ALARM)
            free_from = end

    def _pieces(self, spans: Iterable[TimelineSpan]) -> list[tuple[int, int]]:
        pieces = union((int(self._x(s.start_at)), int(self._x(s.end_at))) for s in spans)
        return list(pieces[:MAX_VISITS])

    def _lane(self, row: int, lane: Lane) -> None:
        look = _LOOKS.get(lane.role, _LOOKS["unidentified"])
        self._words(-0.02, row + 0.5, _drawable(lane.label, 24), of_axes=True)
        visits = lane.spans[:MAX_VISITS]
        # One path for all visits: matplotlib takes milliseconds for each hatched shape.
        bars = [_bar(self._x(start_at), self._x(end_at), row) for start_at, end_at, _ in visits]
        if bars:
            path = Path.make_compound_path(*bars)
            self._axes.add_patch(
                PathPatch(path, fc=look.fill, ec=look.edge, lw=0.6, hatch=look.hatch)
            )
        for end_at in [end_at for _, end_at, is_known in visits if not is_known][-MAX_OPEN_ENDS:]:
            self._open_end(row, self._x(end_at), end_at, look)

    def _open_end(self, row: int, end: float, end_at: datetime, look: _Look) -> None:
        """A dashed piece after the last moment that is known: `?`, or `›` while still there."""
        running = self._timeline.is_running and end_at >= self._timeline.end_at
        patch = Rectangle((end, row + 0.18), self._tail, 0.64, fc="white", ec=look.edge, lw=0.8)
        patch.set_linestyle((0, (2, 1.5)))
        self._axes.add_patch(patch)
        self._words(
            end + self._tail / 2, row + 0.5, "›" if running else "?", ha="center", bold=True
        )

    def _ticks(self) -> None:
        """Marks at round local times, seven at most."""
        length = self._right - self._left
        step = next((s for s in _STEPS if length / s <= (7 if s >= 60 else 4)), _STEPS[-1])
        zero = self._zero.timestamp()
        first = int(-(-(zero + self._left) // step)) * step
        marks = [at - zero for at in range(first, int(zero + self._right) + 1, step)][:20]
        self._axes.set_xticks(marks, [""] * len(marks))
        self._axes.tick_params(axis="x", color=_MUTED, length=3)
        self._axes.grid(axis="x", color="#c9ced6", lw=0.5)
        self._axes.set_axisbelow(True)
        for mark in marks:
            moment = datetime.fromtimestamp(zero + mark, UTC)
            text = (clock if step >= 60 else clock_seconds)(moment, self._zone)
            self._words(mark, self._rows + 0.55, text, ha="center", color=_MUTED)

    def _legend(self) -> None:
        timeline = self._timeline
        zones = dict.fromkeys(
            zone_name(m, self._zone) for m in (timeline.start_at, timeline.end_at)
        )
        ends = {
            visit_end(end_at, is_known, timeline)
            for lane in timeline.lanes
            for _, end_at, is_known in lane.spans
        }
        parts = {
            f"Local time ({'/'.join(zones)})": True,
            "gray: outside the scheduled time": timeline.scheduled_start_at is not None,
            "›: still in the call": "still in the call" in ends,
            "?: end not known": "end not known" in ends,
        }
        left = (0.05 - _LEFT) / (_WIDTH - _LEFT - _RIGHT)
        text = " · ".join(part for part, is_used in parts.items() if is_used)
        self._words(left, self._rows + 1.4, text, of_axes=True, ha="left")
        if timeline.contacts:
            text = "Red: partner and students in the call together, no staff present"
            self._words(left, self._rows + 2.2, text, of_axes=True, ha="left")

    def _box(
        self, x: float, y: float, width: float, height: float, fill: str, *, edge: str = "none"
    ) -> None:
        self._axes.add_patch(Rectangle((x, y), width, height, fc=fill, ec=edge, lw=0.6))

    def _words(
        self,
        x: float,
        y: float,
        text: str,
        *,
        ha: str = "",
        of_axes: bool = False,
        color: str = _INK,
        bold: bool = False,
    ) -> None:
        """Write one line; `of_axes`: x is a part of the axes' width, else seconds."""
        name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
        self._axes.text(
            x,
            y,
            text,
            ha=ha or ("right" if of_axes else "left"),
            va="center",
            color=color,
            font=FontProperties(fname=str(_font_file(name)), size=8.8),
            transform=self._axes.get_yaxis_transform() if of_axes else self._axes.transData,
            parse_math=False,
            clip_on=False,
        )
