"""The meeting was changed after it was approved."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import Authorized
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Concern, Severity
from meetbot.domain.meetings import Fingerprint
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import authorization_of, engagements
from meetbot.rules.fingerprints import NEEDED, differences, fingerprint_of, stored_for
from meetbot.rules.rule import BEFORE, rule
from meetbot.rules.wording import listed


@rule(
    "authorization-stale",
    severity=Severity.MEDIUM,
    phases=BEFORE,
    needs=NEEDED,
    officer="Changed after approval: {diff}.",
    teacher="You changed {field}; ask for approval again.",
    fix="Re-approve or revert.",
)
def authorization_stale(dossier: Dossier, policy: Policy) -> Iterator[Concern]:
    """Time, host, outside guests, platform or audience are not what was approved.

    Descriptions, answers, student rosters and daylight saving time change nothing. One approval
    that still fits is enough, and a new approval starts anew.
    """
    for engagement in engagements(dossier):
        answer = authorization_of(dossier, engagement, policy)
        if not isinstance(answer, Authorized):
            continue
        changes = [
            _changes(stored_for(dossier, row), fingerprint_of(dossier, row), policy)
            for row in answer.rows
        ]
        if all(changes):
            fewest = min(changes, key=len)
            yield engagement.concern(
                diff="; ".join(f"{name} {change}" for name, change in fewest.items()),
                field=listed(fewest),
                authorization_id=answer.row.authorization_id,
            )


def _changes(before: Fingerprint | None, now: Fingerprint, policy: Policy) -> dict[str, str]:
    return differences(before, now, policy) if before else {}
