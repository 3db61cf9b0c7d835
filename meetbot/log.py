"""Log lines: JSON for programs, readable for people; ids and counts, never names or addresses.

What others log (APScheduler, waitress, Google's client) takes the same way, so that it is cleaned
as well. The cleaning is a last net under code that should not log such things in the first place.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from meetbot.errors import MeetbotError

ADDRESS = "[address]"
_LONGEST = 500
# Pieces between separators, so that only the piece with the address goes; each is matched once,
# which keeps a line of any length cheap.
_PIECE = re.compile(r"""[^\s<>()\[\]{}"',;:|=/?&]+""")
_AT = ("@", "%40", "\N{FULLWIDTH COMMERCIAL AT}", "\N{SMALL COMMERCIAL AT}")


def configure_logging(*, as_json: bool | None = None, stream: TextIO | None = None) -> None:
    """Send all logging to `stream`, standard error by default.

    `as_json` None means: readable on a terminal, JSON elsewhere. May be called again.
    """
    target = sys.stderr if stream is None else stream
    is_json = not target.isatty() if as_json is None else as_json
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if is_json
        else structlog.dev.ConsoleRenderer(colors=target.isatty())
    )
    first: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=first,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                describe_exception,
                redact,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # of others only what is wrong
    logging.getLogger("meetbot").setLevel(logging.INFO)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *first,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def get_logger(part: str) -> structlog.stdlib.BoundLogger:
    """The logger of one part of meetbot, such as `scheduler`; fields are given as keywords."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(f"meetbot.{part}")
    return logger


def describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by type and place: foreign messages may quote data, ours do not."""
    given = event.pop("exc_info", None)
    error = _exception(given)
    if error is None:
        return event
    event["error"] = _type_name(error)
    event["error_at"] = _place(error.__traceback__)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        event["error_from"] = _type_name(cause)
    if isinstance(error, MeetbotError):
        event["reason"] = str(error)
        event["fix"] = error.fix
    return event


def _exception(given: object) -> BaseException | None:
    match given:
        case BaseException():
            return given
        case (_, BaseException() as error, _):
            return error
        case True:
            return sys.exc_info()[1]
        case _:
            return None


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _place(trace: TracebackType | None) -> str:
    """`judge.py:88 in run`: the innermost frame of meetbot's own, else the innermost of all."""
    frames = traceback.extract_tb(trace)
    if not frames:
        return "unknown"
    own = str(Path(__file__).parent)
    frame = next((f for f in reversed(frames) if f.filename.startswith(own)), frames[-1])
    return f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take addresses, control characters and length out of every text, at any depth."""
    return {_cleaned_text(str(key)): _cleaned(value) for key, value in event.items()}


def _cleaned(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return _cleaned_text(value)
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Path():
            return _cleaned_text(str(value))
        case Mapping():
            return {_cleaned_text(str(key)): _cleaned(below) for key, below in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_cleaned(below) for below in value]
        case _:
            return f"<{type(value).__name__}>"  # its repr could hold anything


def _cleaned_text(text: str) -> str:
    if any(at in text for at in _AT):
        text = _PIECE.sub(lambda found: ADDRESS if _has_at(found[0]) else found[0], text)
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return "".join(sign if sign.isprintable() else " " for sign in short)


def _has_at(piece: str) -> bool:
    return any(at in piece for at in _AT)
