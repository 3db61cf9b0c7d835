"""A flag as programs get it: one object of `flags list --json` (`contract.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from meetbot.domain.flags import Flag


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def flag_document(flag: Flag) -> dict[str, object]:
    """One object of `flags list --json`. Nothing in it names a student."""
    records = [n for n in flag.conference_records if n.startswith("conferenceRecords/")]
    return {
        "id": flag.id,
        "rule": flag.rule,
        "severity": flag.severity.value,
        "confidence": flag.certainty.value,
        "status": flag.status.value,
        "provisional": flag.is_provisional,
        "phase": flag.phase.value,
        "occurrence": {
            "ical_uid": flag.occurrence.ical_uid,
            "original_start": instant(flag.occurrence.original_start_at),
            "meeting_code": _hyphenated(flag.occurrence.meeting_code),
            "conference_records": records or list(flag.conference_records),
        },
        "subject": flag.key.subject,
        "school_id": flag.school_id,
        "partner_id": flag.partner_id,
        "program_id": flag.program_id,
        "opened_at": instant(flag.opened_at),
        "updated_at": instant(flag.updated_at),
        "message": flag.message,
        "evidence": _evidence(flag),
    }


def _evidence(flag: Flag) -> dict[str, object]:
    evidence: dict[str, object] = {
        "facts": {n: _plain(value) for n, value in flag.facts.items() if n != "identity"},
        "identity": _plain(flag.facts.get("identity", {})),
        "unknown": list(flag.unknowns),
        "fix": flag.fix,
    }
    if flag.admin:
        evidence["admin_action"] = flag.admin
    if flag.family:
        evidence["components"] = [
            {
                "kind": span.kind,
                "start": instant(span.start_at),
                "end": instant(span.end_at),
                "seconds": span.seconds,
            }
            for span in flag.spans
        ]
    return evidence


def _plain(value: object) -> object:
    match value:
        case datetime():
            return instant(value)
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _hyphenated(code: str | None) -> str | None:
    """A Meet code as people know it: `abc-mnop-xyz`."""
    if code is None or len(code) != 10:
        return code
    return f"{code[:3]}-{code[3:7]}-{code[7:]}"
