"""The timeline's picture: SVG from the one drawing function, asked for again only when changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Response, abort
from flask.typing import ResponseReturnValue

from meetbot.jobs.case_facts import CaseFacts

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
_CSP = {"default-src": "'none'", "style-src": "'unsafe-inline'"}
"""An SVG styles its own shapes. It holds no script, and could load none."""


def as_picture(view: View) -> View:
    """For views that answer with a picture."""
    view.__dict__["talisman_view_options"] = {"content_security_policy": _CSP}
    return view


def answer(facts: CaseFacts) -> ResponseReturnValue:
    """The picture of a case whose rights were checked; 404 where nobody was seen."""
    if facts.timeline is None:
        abort(404)
    # matplotlib takes 45 MiB and a second, and most pages need no picture.
    from meetbot.notify.picture import timeline_svg

    return Response(timeline_svg(facts.timeline, facts.zone), mimetype="image/svg+xml")
