"""The pages that somebody can go to from anywhere."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app
from flask_babel import lazy_gettext

from meetbot.console.access import Viewer, roles_of_endpoint


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the navigation."""

    endpoint: str
    title: str


_ALL = (
    Entry("start.page", lazy_gettext("Start")),
    Entry("cases.listed", lazy_gettext("Cases")),
    Entry("cases.asked", lazy_gettext("My meetings")),
    Entry("overview.page", lazy_gettext("Overview")),
    Entry("overview.operations", lazy_gettext("Operations")),
    Entry("access.page", lazy_gettext("Access log")),
)


def entries(viewer: Viewer | None) -> list[Entry]:
    """The links that lead this person somewhere."""
    if viewer is None:
        return []
    return [e for e in _ALL if viewer.has(*roles_of_endpoint(current_app, e.endpoint))]
