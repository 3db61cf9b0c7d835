"""The officers' console: pages rendered on the server, usable with the keyboard alone."""

from meetbot.console.access import Role, Viewer
from meetbot.console.app import create_app
from meetbot.console.services import ConsoleConfig, Services

__all__ = ["ConsoleConfig", "Role", "Services", "Viewer", "create_app"]
