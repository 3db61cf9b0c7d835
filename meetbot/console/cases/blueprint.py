"""The blueprint that all pages about cases hang on, and what their templates may use."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from flask import Blueprint
from flask_babel import format_time, gettext

from meetbot.console.cases import words
from meetbot.console.services import services
from meetbot.console.texts import instant

blueprint = Blueprint("cases", __name__)

_MOST_SPELLS = 3

blueprint.add_app_template_global(words.said, "said")


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"words": words}


@blueprint.app_template_global()
def of_severity(code: str) -> str:
    """How grave something is, as a word."""
    return words.said(words.SEVERITIES, code)


@blueprint.app_template_filter()
def until(end_at: datetime, start_at: datetime) -> str:
    """The end of something that began at `start_at`: the time alone, if on the same day."""
    zone = services().config.zone
    is_same_day = end_at.astimezone(zone).date() == start_at.astimezone(zone).date()
    return moment(end_at) if is_same_day else instant(end_at)


@blueprint.app_template_filter()
def moment(at: datetime) -> str:
    """The local time of day."""
    return str(format_time(at.astimezone(services().config.zone), "short", rebase=False))


@blueprint.app_template_filter()
def spells(seen: Iterable[tuple[datetime, datetime | None]]) -> str:
    """When somebody was there, to the minute; what two sources say alike is said once."""
    times = (f"{moment(start)}–{moment(end) if end else '?'}" for start, end in seen)
    return ", ".join(islice(dict.fromkeys(times), _MOST_SPELLS))


@blueprint.app_template_filter()
def as_rule(sentence: str) -> str:
    """A rule's sentence with its places for facts still open, in the reader's language."""
    return str(gettext(sentence))
