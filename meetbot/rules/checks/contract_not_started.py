"""The meeting begins before the contract does."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import ContractNotStarted
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import contract_of, engagements
from meetbot.rules.rule import BEFORE_AND_AFTER, rule
from meetbot.rules.wording import local_day


@rule(
    "contract-not-started",
    severity=Severity.HIGH,
    phases=BEFORE_AND_AFTER,
    needs={Evidence.REGISTRY},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="Contract starts {date}, meeting {meeting_date}.",
    teacher="Move the meeting to {earliest}.",
    fix="Reschedule.",
)
def contract_not_started(dossier: Dossier, policy: Policy) -> Iterator[Concern]:  # noqa: ARG001
    """A contract counts from its first day or its signature, whichever is later."""
    for engagement in engagements(dossier):
        answer = contract_of(dossier, engagement)
        if isinstance(answer, ContractNotStarted):
            day = answer.starts_on.isoformat() if answer.starts_on else None
            yield engagement.concern(
                date=day or "once it is signed",
                earliest=f"{day} or later" if day else "a day after the contract is signed",
                meeting_date=local_day(dossier.start_at, dossier.zone),
            )
