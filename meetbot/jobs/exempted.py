"""Every use of an exemption is counted (catalogue §4): once for each occurrence, keyed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from meetbot.domain.dossier import Dossier
from meetbot.domain.meetings import OccurrenceKey
from meetbot.domain.people import Pseudonyms
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Exemption, ExemptionKind
from meetbot.ports import ExemptionUse, Outcome, Tx
from meetbot.rules import exemptions_used


def use_of(
    row: Exemption, key: OccurrenceKey, start_at: datetime, pseudonyms: Pseudonyms
) -> ExemptionUse:
    """One use; which row and which occurrence it was is keyed."""
    return ExemptionUse(
        exemption=pseudonyms.id(f"exemption {row.kind} {row.value}"),
        occurrence=pseudonyms.id(f"occurrence {key.text}"),
        kind=row.kind,
        used_at=start_at,
    )


def note_uses(tx: Tx, uses: Iterable[ExemptionUse], outcome: Outcome) -> None:
    """Store uses; new ones are counted, but not those only the privacy officers may count."""
    for use in tx.exemptions.note(uses):
        if use.kind is not ExemptionKind.CONFIDENTIAL_CLINICAL:
            outcome.count(f"exemption_{use.kind}")


def note_uses_of(
    tx: Tx, dossier: Dossier, policy: Policy, pseudonyms: Pseudonyms, outcome: Outcome
) -> None:
    """Store what was used by a meeting that was judged."""
    rows = exemptions_used(dossier, policy)
    note_uses(tx, (use_of(row, dossier.key, dossier.start_at, pseudonyms) for row in rows), outcome)
