"""The timeline as a picture and as lines of text."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest
from PIL import Image

from meetbot.domain.findings import TimelineSpan
from meetbot.domain.notices import Timeline
from meetbot.notify.picture import MAX_BYTES, timeline_png, timeline_svg
from meetbot.notify.timeline import timeline_text
from tests.notices import (
    END,
    START,
    ZONE,
    a_lane,
    a_running_timeline,
    a_span,
    a_timeline,
    at,
)


def opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture))


def red_columns(picture: Image.Image) -> set[int]:
    """Columns with the solid red of contact without staff in the first row of lanes."""
    image = picture.convert("RGB")
    return {
        x
        for x in range(image.width)
        for y in range(80, 120, 8)
        if abs(_pixel(image, x, y)[0] - 0xB3) + abs(_pixel(image, x, y)[1] - 0x26) < 12
    }


def _pixel(image: Image.Image, x: int, y: int) -> tuple[int, int, int]:
    value = image.getpixel((x, y))
    assert isinstance(value, tuple)
    return value[0], value[1], value[2]


def test_text_has_a_line_per_person_and_contact() -> None:
    """Each line says from when to when in m:ss from the scheduled start."""
    assert timeline_text(a_timeline(students=1)) == [
        "Host                   0:00 to 30:00",
        "Partner 1 (Northstar)  2:00 to 44:00",
        "Student 1              1:00 to 45:00",
        "Without staff: 30:00 to 44:00 = 14:00, after staff left",
    ]


def test_text_tells_open_from_unknown_ends() -> None:
    """Who is still there and whose end nobody knows are not the same."""
    running = timeline_text(a_running_timeline())
    ended = Timeline(START, END, None, None, (a_lane("H", "staff", (0, 9, False)),), (), False)

    assert running[1].endswith("0:00 to 25:00 (still in the call)")
    assert timeline_text(ended) == ["H  0:00 to 9:00 (end not known)"]


def test_offsets_before_the_start_are_negative() -> None:
    """Who came early has an offset below zero."""
    early = Timeline(at(-3), END, START, END, (a_lane("H", "staff", (-1.5, 9)),), (), False)

    assert timeline_text(early) == ["H  -1:30 to 9:00"]


def test_students_are_the_ones_left_out() -> None:
    """Of more than forty people the staff, partners and unknown ones stay."""
    crowd = a_timeline(students=50)
    shuffled = Timeline(START, END, START, END, tuple(reversed(crowd.lanes)), crowd.contacts, False)

    lines = timeline_text(shuffled)
    assert lines[0].startswith("Host")
    assert lines[1].startswith("Partner 1")
    assert lines[40] == "and 12 more students"


def test_same_timeline_same_picture() -> None:
    """A picture holds no date and no chance."""
    assert timeline_png(a_timeline(), ZONE) == timeline_png(a_timeline(), ZONE)


@pytest.mark.parametrize("students", [0, 4, 300])
def test_picture_is_small_and_grows_with_the_people(students: int) -> None:
    """A PNG of 1280 pixels' width, 60 kB at most, as high as it has rows."""
    picture = timeline_png(a_timeline(students=students), ZONE)

    assert len(picture) <= MAX_BYTES
    assert opened(picture).width == 1280
    assert opened(picture).height > 300 + 56 * min(students, 38)


def test_picture_that_would_be_large_is_drawn_coarser() -> None:
    """Forty people who come and go all the time still fit into a mail."""
    flapping = tuple(
        a_lane(
            f"Unidentified {n}",
            "unidentified",
            *((m / 4, m / 4 + 0.1 + n / 400) for m in range(180)),
        )
        for n in range(40)
    )
    picture = timeline_png(Timeline(START, END, START, END, flapping, (), False), ZONE)

    assert len(picture) <= MAX_BYTES
    assert opened(picture).width in (640, 1280)


def test_contact_without_staff_stands_where_it_was() -> None:
    """The red bar covers 14 of 45 minutes, in the last third of the scheduled time."""
    columns = red_columns(opened(timeline_png(a_timeline(), ZONE)))
    none = red_columns(opened(timeline_png(a_timeline(contacts=()), ZONE)))

    wide = {x for x in columns if x > 400}
    per_minute = (max(wide) - min(wide)) / 14
    assert 17 < per_minute < 22
    assert not {x for x in none if x > 400}


@pytest.mark.parametrize(
    "timeline",
    [
        Timeline(START, START, None, None, (), (), False),
        Timeline(START, at(0.7), None, None, (a_lane("P", "partner", (0, 0.7)),), (), False),
        Timeline(at(-900), at(3000), START, END, (a_lane("P", "room", (0, 1)),), (), False),
        Timeline(START, END, START, END, (a_lane("P", "odd", (0, 1, False)),), (), True),
        Timeline(START, END, START, END, (), (a_span("alone", 1, 2),), False),
        Timeline(START, END, START, END, (), (TimelineSpan("odd", START, END),), False),
    ],
    ids=["empty", "seconds", "days", "unknown role", "alone only", "unknown kind"],
)
def test_odd_timelines_are_drawn(timeline: Timeline) -> None:
    """Nothing in a timeline makes the picture fail."""
    assert opened(timeline_png(timeline, ZONE)).format == "PNG"
    assert isinstance(timeline_text(timeline), list)


@pytest.mark.parametrize("label", ["$x_1$ {\\frac", "\u661f\u202e\U0001f642\x00", "L" * 10_000, ""])
def test_hostile_labels_are_drawn_as_plain_text(label: str) -> None:
    """A partner's name is neither a formula nor a reason for a warning about missing glyphs."""
    lanes = (a_lane(label, "partner", (0, 9)),)
    timeline = Timeline(START, END, START, END, lanes, (), False)

    assert opened(timeline_png(timeline, ZONE)).width == 1280
    assert len(timeline_text(timeline)[0]) < 60


def test_clock_change_keeps_the_length() -> None:
    """20 minutes over the end of daylight saving are 20 minutes, with both zones named."""
    night = START.replace(month=11, day=1, hour=6, minute=50)
    start, end = night, night.replace(hour=7, minute=10)
    span = TimelineSpan("after", start, end)
    timeline = Timeline(start, end, start, end, (), (span,), False)

    assert timeline_text(timeline) == ["Without staff: 0:00 to 20:00 = 20:00, after staff left"]
    assert timeline_png(timeline, ZONE)


@pytest.mark.parametrize("students", [0, 4, 60])
def test_a_page_shows_the_same_picture_as_svg(students: int) -> None:
    """One root, no script, no link, no text that a font would be needed for, below 200 kB."""
    picture = timeline_svg(a_timeline(students=students), ZONE)
    root = ElementTree.fromstring(picture)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}

    assert root.tag.endswith("}svg")
    assert not tags & {"script", "text", "a", "image", "foreignObject"}
    assert len(picture) < 200_000
