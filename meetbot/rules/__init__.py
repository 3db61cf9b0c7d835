"""The catalogue's rules: pure functions of a dossier and the policy. See README.md here."""

from __future__ import annotations

from meetbot.rules.additions import explained_at
from meetbot.rules.catalogue import KNOWN_RULES, PRESENCE_RULES, RULES
from meetbot.rules.confined import CONFINED, confined
from meetbot.rules.evaluate import evaluate, next_look
from meetbot.rules.exemptions import exemptions_used, is_confidential
from meetbot.rules.fingerprints import fingerprint_of, fingerprints_after
from meetbot.rules.presence_facts import waiting_without_staff
from meetbot.rules.relied_on import with_relied_on
from meetbot.rules.version import program_version, rules_version

__all__ = [
    "CONFINED",
    "KNOWN_RULES",
    "PRESENCE_RULES",
    "RULES",
    "confined",
    "evaluate",
    "exemptions_used",
    "explained_at",
    "fingerprint_of",
    "fingerprints_after",
    "is_confidential",
    "next_look",
    "program_version",
    "rules_version",
    "waiting_without_staff",
    "with_relied_on",
]
