"""The timeline's picture: SVG from the one drawing function, asked for again only when changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

from flask import Response, abort, request
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
    tag = hashlib.sha256(repr((facts.timeline, facts.zone)).encode()).hexdigest()[:32]
    made = Response(mimetype="image/svg+xml")
    made.set_etag(tag)
    made.headers["Cache-Control"] = "private, no-cache"  # asked for again: rights may have changed
    if request.if_none_match.contains(tag):
        made.status_code = 304
        return made
    # matplotlib takes 45 MiB and a second, and most pages need no picture.
    from meetbot.notify.picture import timeline_svg

    made.set_data(timeline_svg(facts.timeline, facts.zone))
    return made
