"""The command line."""

from meetbot.cli.app import main

__all__ = ["main"]
