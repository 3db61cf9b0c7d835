"""`/`: what waits for whoever is signed in."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from meetbot.console.access import Role, allowed

blueprint = Blueprint("start", __name__)


@blueprint.get("/")
@allowed(*Role)
def page() -> ResponseReturnValue:
    """The first page after signing in."""
    return render_template("start.html")
