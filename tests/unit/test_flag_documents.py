"""A flag as programs get it, key by key as `contract.md` says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from meetbot.domain.findings import Certainty, Phase, Severity, TimelineSpan
from meetbot.domain.flag_documents import flag_document, instant
from meetbot.domain.flags import FlagStatus
from meetbot.domain.meetings import OccurrenceKey
from tests.builders import a_stored_flag, at


def test_a_presence_flag() -> None:
    """Its components are listed with kind, start, end and seconds; how people are known apart."""
    flag = a_stored_flag(
        opened=60,
        updated_at=at(75),
        is_provisional=True,
        fix="Ask the partner to leave with staff.",
        facts={"seconds": 840, "partner": "Northstar", "identity": {"present": {"staff": ["E1"]}}},
        spans=(TimelineSpan("before", at(0), at(1.5)), TimelineSpan("after", at(30), at(44))),
        unknowns=("co-host",),
        school_id="S1",
        program_id="G1",
    )
    assert flag_document(flag) == {
        "id": "F-8a4554a68b2b",
        "rule": "staff-left-early",
        "severity": "high",
        "confidence": "confirmed",
        "status": "open",
        "provisional": True,
        "phase": "after",
        "occurrence": {
            "ical_uid": "lesson@google.com",
            "original_start": "2026-10-13T15:00:00Z",
            "meeting_code": "abc-defg-hij",
            "conference_records": ["conferenceRecords/1"],
        },
        "subject": "presence",
        "school_id": "S1",
        "partner_id": "P1",
        "program_id": "G1",
        "opened_at": "2026-10-13T16:00:00Z",
        "updated_at": "2026-10-13T16:15:00Z",
        "message": "Staff left before the partner did.",
        "evidence": {
            "facts": {"seconds": 840, "partner": "Northstar"},
            "identity": {"present": {"staff": ["E1"]}},
            "unknown": ["co-host"],
            "fix": "Ask the partner to leave with staff.",
            "components": [
                {
                    "kind": "before",
                    "start": "2026-10-13T15:00:00Z",
                    "end": "2026-10-13T15:01:30Z",
                    "seconds": 90,
                },
                {
                    "kind": "after",
                    "start": "2026-10-13T15:30:00Z",
                    "end": "2026-10-13T15:44:00Z",
                    "seconds": 840,
                },
            ],
        },
    }


def test_a_set_up_flag() -> None:
    """It has no components; what an administrator can do is there where a setting mends it."""
    flag = a_stored_flag(
        "guests-can-invite",
        status=FlagStatus.DISMISSED,
        severity=Severity.LOW,
        certainty=Certainty.NEEDS_REVIEW,
        phase=Phase.SCHEDULED,
        message="Guests can invite others.",
        fix="Untick it.",
        admin="Change the default.",
        facts={},
        family=None,
        partner_id=None,
        conference_records=(),
    )
    flag = replace(flag, key=replace(flag.key, subject="settings"))
    assert flag_document(flag) == {
        "id": "F-619f9b523749",
        "rule": "guests-can-invite",
        "severity": "low",
        "confidence": "needs-review",
        "status": "dismissed",
        "provisional": False,
        "phase": "scheduled",
        "occurrence": {
            "ical_uid": "lesson@google.com",
            "original_start": "2026-10-13T15:00:00Z",
            "meeting_code": "abc-defg-hij",
            "conference_records": [],
        },
        "subject": "settings",
        "school_id": None,
        "partner_id": None,
        "program_id": None,
        "opened_at": "2026-10-13T16:00:00Z",
        "updated_at": "2026-10-13T16:00:00Z",
        "message": "Guests can invite others.",
        "evidence": {
            "facts": {},
            "identity": {},
            "unknown": [],
            "fix": "Untick it.",
            "admin_action": "Change the default.",
        },
    }


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (None, None),
        ("abcmnopxyz", "abc-mnop-xyz"),
        ("abcmnopxy", "abcmnopxy"),
        ("abcmnopxyzw", "abcmnopxyzw"),
        ("", ""),
    ],
)
def test_a_meeting_code_is_told_as_people_know_it(code: str | None, told: str | None) -> None:
    """Ten letters get their hyphens; any other code stays as it is, and none is null."""
    flag = a_stored_flag()
    flag = replace(flag, occurrence=OccurrenceKey(None, at(0), code))
    assert flag_document(flag)["occurrence"] == {
        "ical_uid": None,
        "original_start": "2026-10-13T15:00:00Z",
        "meeting_code": told,
        "conference_records": ["conferenceRecords/1"],
    }


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (("audit/7", "conferenceRecords/2"), ["conferenceRecords/2"]),
        (("conferenceRecords/1", "conferenceRecords/2"),) * 2,
        (("audit/7", "audit/8"), ["audit/7", "audit/8"]),
    ],
)
def test_conference_records_are_those_of_meet(known: tuple[str, ...], told: list[str]) -> None:
    """Names of the audit log stand in only where Meet gave none."""
    occurrence = flag_document(a_stored_flag(conference_records=known))["occurrence"]
    assert isinstance(occurrence, dict)
    assert occurrence["conference_records"] == list(told)


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (None, None),
        (True, True),
        (840, 840),
        (1.5, 1.5),
        ("Northstar", "Northstar"),
        (at(1), "2026-10-13T15:01:00Z"),
        (date(2026, 10, 13), "2026-10-13"),
        (Decimal("1.50"), "1.50"),
        ((at(1), 2), ["2026-10-13T15:01:00Z", 2]),
        ([date(2026, 10, 13)], ["2026-10-13"]),
        (
            {7: {"at": at(1), "of": ("a", None)}},
            {"7": {"at": "2026-10-13T15:01:00Z", "of": ["a", None]}},
        ),
    ],
)
def test_facts_are_plain_json(fact: object, told: object) -> None:
    """Numbers, texts and null stay, instants are UTC, all else and keys are texts, at any depth."""
    flag = a_stored_flag(facts={"fact": fact, "identity": {"who": fact}})
    evidence = flag_document(flag)["evidence"]
    assert isinstance(evidence, dict)
    assert evidence["facts"] == {"fact": told}
    assert evidence["identity"] == {"who": told}
    assert type(evidence["facts"]["fact"]) is type(told)


@pytest.mark.usefixtures("machine_in_chicago")
@pytest.mark.parametrize(
    ("at_", "told"),
    [
        (datetime(2026, 10, 13, 15, tzinfo=UTC), "2026-10-13T15:00:00Z"),
        (datetime(2026, 10, 13, 15, 0, 59, 999_999, UTC), "2026-10-13T15:00:59Z"),
        (
            datetime(2026, 1, 2, 22, 4, 5, tzinfo=timezone(timedelta(hours=-6))),
            "2026-01-03T04:04:05Z",
        ),
    ],
)
def test_instants_are_utc_in_whole_seconds(at_: datetime, told: str) -> None:
    """Whatever zone they came in, and whatever zone the machine is in."""
    assert instant(at_) == told
