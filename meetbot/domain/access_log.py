"""Who looked at what in the console, and who was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AccessAction(StrEnum):
    """What was done, or was not let happen."""

    READ = "read"
    EXPORTED = "exported"
    REFUSED = "refused"
    SIGNED_IN = "signed-in"
    SIGNED_OUT = "signed-out"


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One line of the access log.

    `who` is the address of somebody of the staff or the id of a program's token, empty for whoever
    could not sign in: that may be a student. `subject` is the id of a case or the name of a page,
    `reason` why it was refused.
    """

    at: datetime
    action: AccessAction
    subject: str
    who: str = ""
    roles: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NumberedEntry:
    """An entry as it is stored; numbers rise."""

    number: int
    entry: AccessEntry
