"""All rules: every `Rule` in a module of `checks`, by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from meetbot.domain.presence import PresenceRule
from meetbot.rules import checks
from meetbot.rules.rule import Rule


def _rules() -> Iterator[Rule]:
    for module in iter_modules(checks.__path__):
        found = import_module(f"{checks.__name__}.{module.name}")
        yield from (value for value in vars(found).values() if isinstance(value, Rule))


RULES: Mapping[str, Rule] = MappingProxyType(
    {rule.id: rule for rule in sorted(_rules(), key=lambda rule: rule.id)}
)
KNOWN_RULES = frozenset(RULES)
PRESENCE_RULES: frozenset[str] = frozenset(PresenceRule)
