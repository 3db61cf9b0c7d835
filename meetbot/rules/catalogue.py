"""All rules: every `Rule` in a module of `checks`, by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType

from meetbot.domain.presence import PresenceRule
from meetbot.rules import checks
from meetbot.rules.rule import Rule


def rules_in(package: ModuleType) -> Iterator[Rule]:
    """Those that the modules of a package define."""
    for module in iter_modules(package.__path__):
        found = import_module(f"{package.__name__}.{module.name}")
        yield from (value for value in vars(found).values() if isinstance(value, Rule))


RULES: Mapping[str, Rule] = MappingProxyType(
    {rule.id: rule for rule in sorted(rules_in(checks), key=lambda rule: rule.id)}
)
KNOWN_RULES = frozenset(RULES)
PRESENCE_RULES: frozenset[str] = frozenset(PresenceRule)
