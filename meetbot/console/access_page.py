"""`/access`: who looked at what, for auditors."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from meetbot.console.access import Role, allowed
from meetbot.console.services import services

blueprint = Blueprint("access", __name__)

_LINES = 50


@blueprint.get("/access")
@allowed(Role.AUDITOR)
def page() -> ResponseReturnValue:
    """The newest lines first; `before` is the last line of the page before, `case` one case."""
    before = request.args.get("before", type=int)
    case = request.args.get("case", "").strip()[:60]
    with services().deps.store.reading() as tx:
        found = tx.access_log.list(subject=case or None, before=before, limit=_LINES + 1)
    lines, more = found[:_LINES], len(found) > _LINES
    return render_template(
        "access.html",
        lines=[line.entry for line in lines],
        older=lines[-1].number if more else None,
        is_first=before is None,
        case=case,
    )
