"""Log lines hold ids and counts; whatever else gets in is taken out again."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from meetbot.errors import AccessDenied, Temporary
from meetbot.log import ADDRESS, configure_logging, get_logger, redact


@contextmanager
def logging_to(stream: io.StringIO, *, as_json: bool | None = None) -> Iterator[io.StringIO]:
    """Configure logging, and put back what was there."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(as_json=as_json, stream=stream)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    with logging_to(io.StringIO(), as_json=True) as text:
        yield text


def the_line(stream: io.StringIO) -> dict[str, object]:
    (line,) = stream.getvalue().splitlines()
    found: dict[str, object] = json.loads(line)
    return found


def test_json(stream: io.StringIO) -> None:
    """A line is one JSON object with name, level, part, instant and fields."""
    get_logger("scheduler").info("poll-done", calendars=3, took=timedelta(seconds=2))

    line = the_line(stream)
    assert datetime.fromisoformat(str(line.pop("at"))).tzinfo == UTC
    assert line == {
        "event": "poll-done",
        "level": "info",
        "logger": "meetbot.scheduler",
        "calendars": 3,
        "took": 2.0,
    }


def test_terminal() -> None:
    """For people a line is not JSON, and is cleaned just the same."""
    with logging_to(io.StringIO(), as_json=False) as text:
        get_logger("cli").warning("skipped", who="ann@students.district.example")

    assert ADDRESS in text.getvalue()
    assert "ann" not in text.getvalue()
    assert not text.getvalue().startswith("{")


def test_json_without_a_terminal() -> None:
    """Where nobody watches, lines are JSON without being asked for."""
    with logging_to(io.StringIO()) as text:
        get_logger("cli").info("started")

    assert the_line(text)["event"] == "started"


@pytest.mark.parametrize(
    "value",
    [
        "ann@students.district.example",
        "Ann <ann@students.district.example>, x",
        "GET https://h/calendars/ann%40students.district.example/events?pageToken=1",
        "mailto:ann@localhost",
        "ann\N{FULLWIDTH COMMERCIAL AT}students.district.example",
        ["ok", {"deep": ("ann@students.district.example",)}],
        {"ann@students.district.example": 1},
        "x" * 10_000 + " ann@students.district.example",
        "ann@students.district.example" + "x" * 10_000,
    ],
)
def test_addresses_are_taken_out(stream: io.StringIO, value: object) -> None:
    """No address reaches the log, however deep it lies."""
    get_logger("jobs").info("read", value=value)

    assert "ann" not in stream.getvalue()
    assert "students" not in stream.getvalue()


def test_one_event_one_line(stream: io.StringIO) -> None:
    """Line breaks, controls and bidi marks cannot forge or turn a line."""
    get_logger("jobs").info("read", value="a\r\n{}\x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}b\x00")

    assert the_line(stream)["value"] == "a  {} [31m b "


def test_unknown_objects_are_named_only(stream: io.StringIO) -> None:
    """The repr of an object is never written."""

    class Person:
        def __repr__(self) -> str:
            return "Ann Lee"

    get_logger("jobs").info("read", value=Person())

    assert the_line(stream)["value"] == "<Person>"


def test_foreign_exception(stream: io.StringIO) -> None:
    """Of somebody else's exception only type, place and the type of its cause are kept."""
    try:
        try:
            raise KeyError("Ann Lee")
        except KeyError as error:
            raise ValueError("Ann Lee has no class") from error
    except ValueError:
        get_logger("jobs").exception("job-failed", job="judge")

    line = the_line(stream)
    assert line["error"] == "ValueError"
    assert line["error_from"] == "KeyError"
    assert "test_log.py" in str(line["error_at"])
    assert "Ann" not in stream.getvalue()


def test_own_exception(stream: io.StringIO) -> None:
    """Our own exceptions hold no data, so their message and fix are kept."""
    try:
        raise AccessDenied("scope refused", fix="add the scope")
    except AccessDenied as error:
        get_logger("jobs").error("source-failed", exc_info=error)

    line = the_line(stream)
    assert line["reason"] == "scope refused"
    assert line["fix"] == "add the scope"


def test_libraries_are_cleaned_too(stream: io.StringIO) -> None:
    """What a library logs takes the same way, and only from warnings up."""
    library = logging.getLogger("apscheduler.test")
    library.info("Added job %s", "ann@district.example")
    try:
        raise RuntimeError("ann@district.example")
    except RuntimeError:
        library.exception("Job for %s raised", "ann@district.example")

    line = the_line(stream)
    assert line["event"] == f"Job for {ADDRESS} raised"
    assert line["error"] == "RuntimeError"
    assert "ann" not in stream.getvalue()


def test_retry_after_is_kept() -> None:
    """A temporary failure says when to come back, if the other side said so."""
    assert Temporary("busy", retry_after=2.5).retry_after == 2.5
    assert Temporary("busy").retry_after is None


@given(st.text(), st.text(min_size=1))
def test_no_at_sign_survives(before: str, after: str) -> None:
    """Whatever surrounds an at sign, it is gone afterwards."""
    cleaned = redact(None, "", {"event": f"{before}@{after}"})

    assert "@" not in str(cleaned)
