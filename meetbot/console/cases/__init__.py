"""Cases: the officers' list, the page on which they decide, and the host's page."""

from meetbot.console.cases import answers, listing, page
from meetbot.console.cases.blueprint import blueprint

__all__ = ["answers", "blueprint", "listing", "page"]
