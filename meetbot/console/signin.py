"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from meetbot.console.access import public
from meetbot.console.texts import LANGUAGES

blueprint = Blueprint("signin", __name__)


@blueprint.get("/signin")
@public
def page() -> ResponseReturnValue:
    """Where somebody goes to sign in."""
    return render_template("signin.html")


@blueprint.post("/signout")
@public
def leave() -> ResponseReturnValue:
    """End the session."""
    session.clear()
    return redirect(url_for("signin.page"), 303)


@blueprint.post("/language")
@public
def language() -> ResponseReturnValue:
    """Choose the language of the pages."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
    return redirect(url_for("start.page"), 303)
