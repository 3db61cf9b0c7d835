"""Cases as lines of a list: the sentence that counts, and names instead of ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from meetbot.domain.casework import Case, shown
from meetbot.domain.flags import Flag
from meetbot.domain.registry import Registry
from meetbot.jobs.case_facts import worst_of
from meetbot.ports import Tx


@dataclass(frozen=True, slots=True)
class Row:
    """One case in a list."""

    case: Case
    lead: Flag
    """The flag by whose sentence the case is told."""
    more: int
    """How many other flags wait with it."""
    school: str
    """Empty where it is not known."""
    partners: tuple[str, ...]
    waiting_since: datetime | None
    """When the first of its pending flags was opened; None for a closed case."""


def rows_of(tx: Tx, cases: Sequence[Case], registry: Registry) -> list[Row]:
    """Lines for cases, in their order."""
    flags = tx.flags.of_many([case.occurrence for case in cases])
    return [
        _row(case, shown(flags[case.occurrence], private=case.is_private), registry)
        for case in cases
    ]


def _row(case: Case, flags: Sequence[Flag], registry: Registry) -> Row:
    pending = [flag for flag in flags if flag.status.is_pending]
    return Row(
        case=case,
        lead=worst_of(flags),
        more=max(len(pending) - 1, 0),
        school=school_name(registry, case.school_id),
        partners=partner_names(registry, case.partners),
        waiting_since=min((flag.opened_at for flag in pending), default=None),
    )


def school_name(registry: Registry, school_id: str | None) -> str:
    """A school's name; its id where the registry no longer has it."""
    school = registry.school(school_id) if school_id else None
    return school.name if school else school_id or ""


def partner_names(registry: Registry, partner_ids: Iterable[str]) -> tuple[str, ...]:
    """Partners by name; by id where the registry no longer has one."""
    found = ((partner_id, registry.partner(partner_id)) for partner_id in partner_ids)
    return tuple(partner.name if partner else partner_id for partner_id, partner in found)
