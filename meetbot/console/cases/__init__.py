"""Cases: the officers' list, the page on which they decide, and the host's page."""

import meetbot.console.cases.answers  # these three hang views on the blueprint
import meetbot.console.cases.listing
import meetbot.console.cases.page  # noqa: F401
from meetbot.console.cases.blueprint import blueprint

__all__ = ["blueprint"]
