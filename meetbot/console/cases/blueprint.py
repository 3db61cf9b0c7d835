"""The blueprint that all pages about cases hang on, and what their templates may use."""

from __future__ import annotations

from flask import Blueprint

from meetbot.console.cases import words

blueprint = Blueprint("cases", __name__)

blueprint.add_app_template_global(words, "words")
blueprint.add_app_template_global(words.said, "said")


@blueprint.app_template_global()
def of_severity(code: str) -> str:
    """How grave something is, as a word."""
    return words.said(words.SEVERITIES, code)
