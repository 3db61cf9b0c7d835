"""What every command is given: where the configuration lies, and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

if TYPE_CHECKING:
    from meetbot.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """Global options; settings are read only by commands that need them."""

    config: Path | None
    environ: Mapping[str, str]

    @property
    def has_settings(self) -> bool:
        """Whether a configuration is named, or lies where one is looked for."""
        from meetbot.settings import is_named_or_there

        return is_named_or_there(self.config, self.environ)

    def settings(self) -> Settings:
        """Read and check the configuration; raises BadInput with every mistake."""
        from meetbot.rules import KNOWN_RULES
        from meetbot.settings import load_settings

        return load_settings(self.config, self.environ, KNOWN_RULES)


def context_of(context: typer.Context) -> Context:
    """Our context within Typer's."""
    return cast(Context, context.obj)
