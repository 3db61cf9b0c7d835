"""Language, dates and lengths of time as people read them."""

from __future__ import annotations

from datetime import date, datetime

from flask import Flask, request, session
from flask_babel import format_date, format_datetime, get_locale, gettext

from meetbot.console.sayings import said
from meetbot.console.services import services

LANGUAGES = {"en": "English", "es": "Español"}
"""Languages whose catalogs are complete."""


def locale_of_request() -> str:
    """The language chosen in the session, else the browser's, else English."""
    chosen = session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"


def instant(at: datetime) -> str:
    """Day and local time, such as `Tue, Oct 13, 2026, 10:00 AM`."""
    local = at.astimezone(services().config.zone)
    form = "EEE, d MMM y, HH:mm" if _is_spanish() else "EEE, MMM d, y, h:mm a"
    return str(format_datetime(local, form, rebase=False))


def day(of: date) -> str:
    """A day, such as `Oct 13, 2026`."""
    return str(format_date(of, "medium", rebase=False))


def clock(seconds: int) -> str:
    """A length of time as minutes and seconds, `14:00`; `1:02:05` from an hour on."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def role(of: str) -> str:
    """A role, or what was stored as one, as people call it."""
    names = {
        "officer": gettext("officer"),
        "privacy": gettext("privacy officer"),
        "principal": gettext("principal or lead"),
        "host": gettext("staff"),
        "keeper": gettext("registry keeper"),
        "operator": gettext("operator"),
        "auditor": gettext("auditor"),
    }
    return str(names.get(of, of))


def _is_spanish() -> bool:
    locale = get_locale()
    return locale is not None and locale.language == "es"


def add_texts(app: Flask) -> None:
    """Give the templates these functions."""
    app.jinja_env.globals.update(languages=LANGUAGES, get_locale=get_locale)
    app.jinja_env.filters.update(instant=instant, day=day, clock=clock, role=role, said=said)
