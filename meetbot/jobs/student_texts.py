"""Texts that people write about a case: none that speaks of a student is kept."""

from __future__ import annotations

from meetbot.domain.invitation import Invitation, MarkKind
from meetbot.domain.people import AccountKind
from meetbot.domain.student_data import candidates
from meetbot.jobs.deps import Standards
from meetbot.jobs.people import read_student_domains
from meetbot.ports import Tx


def names_student(deps: Standards, tx: Tx, text: str) -> bool:
    """Whether a text holds a name, an address or an id that the directory knows as a student's.

    A student's name may be somebody else's as well: whoever writes can choose other words, and
    what was kept could not be taken back.
    """
    found = candidates(Invitation(description=text), deps.pseudonyms)
    addresses = {one.key: one.address for one in found if one.address is not None}
    domains = read_student_domains(tx)
    if any(address.domain in domains for address in addresses.values()):
        return True
    accounts = tx.people.by_address(list(addresses))
    if any(account.kind is AccountKind.STUDENT for account in accounts.values()):
        return True
    marks = {one.key for one in found if one.kind is not MarkKind.ADDRESS}
    return any(tx.people.with_marks(marks).values())
