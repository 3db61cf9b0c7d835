"""Names of cases: all flags of one occurrence are one case."""

from __future__ import annotations

import hashlib


def case_id(occurrence: str) -> str:
    """Stable id of the case of an occurrence (`OccurrenceKey.text`): `C-` and 12 hex digits.

    It can stand in a link or a log, for nothing about the meeting can be read from it.
    """
    return "C-" + hashlib.sha256(f"case\0{occurrence}".encode()).hexdigest()[:12]
