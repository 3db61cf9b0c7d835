"""Who asks for which case: found and allowed, or not there."""

from __future__ import annotations

import re
from typing import NoReturn

from meetbot.console.access import (
    Role,
    current_viewer,
    may_answer_case,
    may_see_case,
    refuse,
)
from meetbot.domain.casework import Case
from meetbot.jobs.cases import Actor
from meetbot.ports import Tx

READERS = (Role.OFFICER, Role.PRIVACY, Role.PRINCIPAL, Role.AUDITOR)
DECIDERS = (Role.OFFICER, Role.PRIVACY)
_ID = re.compile(r"C-[0-9a-f]{12}", re.ASCII)


def actor() -> Actor:
    """Who acts in this request."""
    viewer = current_viewer()
    return Actor(viewer.address, viewer.key, frozenset(role.value for role in viewer.roles))


def case_to_read(tx: Tx, case_id: str) -> Case:
    """A case that whoever asks may read; else the page of what is not there."""
    case = _found(tx, case_id)
    if not may_see_case(current_viewer(), case):
        refuse("case", case_id)
    return case


def case_to_answer(tx: Tx, case_id: str) -> Case:
    """A case that whoever asks may answer; else the page of what is not there."""
    case = _found(tx, case_id)
    if not may_answer_case(current_viewer(), case):
        refuse("case", case_id)
    return case


def _found(tx: Tx, case_id: str) -> Case:
    case = tx.cases.find(case_id) if _ID.fullmatch(case_id) else None
    return case if case is not None else _unknown()


def _unknown() -> NoReturn:
    refuse("case", "unknown")  # what somebody typed may be a name, which no log may hold
