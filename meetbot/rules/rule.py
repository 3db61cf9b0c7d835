"""What a rule is, and the decorator that turns a function into one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Phase, Severity
from meetbot.domain.meetings import Scope
from meetbot.domain.policy import Policy

ALWAYS = frozenset(Phase)
BEFORE = frozenset({Phase.SCHEDULED})
AFTER = frozenset({Phase.AFTER})
BEFORE_AND_LIVE = frozenset({Phase.SCHEDULED, Phase.LIVE})
BEFORE_AND_AFTER = frozenset({Phase.SCHEDULED, Phase.AFTER})
LIVE_AND_AFTER = frozenset({Phase.LIVE, Phase.AFTER})
FULL = frozenset({Scope.FULL})


@dataclass(frozen=True, slots=True)
class Unsure:
    """What a rule could not tell although its sources were read: the rule is then undecided.

    Concerns of the same rule still count: they were seen. `reason` is one plain sentence.
    """

    reason: str
    missing: frozenset[Evidence] = frozenset()


Check = Callable[[Dossier, Policy], Iterator[Concern | Unsure]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalogue: when it is asked, what it needs, its sentences, its check.

    Without a source in `needs` the rule is not asked at all. A source in `wants` can hide
    something: what is seen without it counts, but nothing seen is no pass. The sentences for
    officer and teacher are filled from `Concern.facts`. `admin` is what an administrator of
    Google Workspace can do where a setting mends it, and empty where none does.
    """

    id: str
    severity: Severity
    phases: frozenset[Phase]
    needs: frozenset[Evidence]
    wants: frozenset[Evidence]
    scopes: frozenset[Scope]
    officer: str
    teacher: str
    fix: str
    family: str | None
    is_sticky: bool
    check: Check
    admin: str = ""


def rule(
    rule_id: str,
    *,
    severity: Severity,
    phases: Collection[Phase],
    officer: str,
    teacher: str = "",
    fix: str = "",
    needs: Collection[Evidence] = (),
    wants: Collection[Evidence] = (),
    scopes: Collection[Scope] = FULL,
    family: str | None = None,
    is_sticky: bool = False,
    admin: str = "",
) -> Callable[[Check], Rule]:
    """Make a `Rule` of a pure function from dossier and policy to concerns."""

    def made(check: Check) -> Rule:
        return Rule(
            id=rule_id,
            severity=severity,
            phases=frozenset(phases),
            needs=frozenset(needs),
            wants=frozenset(wants),
            scopes=frozenset(scopes),
            officer=officer,
            teacher=teacher,
            fix=fix,
            family=family,
            is_sticky=is_sticky,
            check=check,
            admin=admin,
        )

    return made
