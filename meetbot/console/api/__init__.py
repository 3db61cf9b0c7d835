"""The JSON API for other programs, `/api/v1`: by token only, a cookie opens nothing here."""

from meetbot.console.api.problems import problem_of
from meetbot.console.api.views import blueprint

__all__ = ["blueprint", "problem_of"]
