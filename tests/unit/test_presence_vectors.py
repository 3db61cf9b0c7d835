"""Every V and D vector of the catalogue's §6, through the algebra and through `evaluate`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from meetbot.domain.cases import evaluate_line
from meetbot.domain.presence import PresenceCase, decide
from tests.presence import START, case_of, expected, flags_shown, shown

VECTORS = """
V01 | T 0-45; P 2-44; K1 1-45; K2 1-45 | 0; – (clean)
V02 | T 0-30; P 2-44; K1 1-45; K2 1-45 | after 14:00; staff-left-early(high)
V03 | T 0-43:15; P 0-44; K1 0-44; K2 0-44 | after 0:45; – (45 s tail)
V04 | T 0-43; P 0-44; K1 0-45; K2 0-45 | after 1:00; staff-left-early(medium) (boundary)
V05 | T 0-43:01; P 0-44; K1 0-45; K2 0-45 | after 0:59; – (boundary − 1 s)
V06 | T 2-45; P 0-45; K1 0-45; K2 0-45 | before 2:00; staff-joined-late(medium) (late boundary)
V08 | T 5-45; P 0-45; K1 5-45; K2 5-45 | 0; – (partner waits without students)
V09 | T 0-20,20:40-45; P 0-45; K1 0-45; K2 0-45 | gap 0:40; – (reconnect)
V10 | T 0-20,21-45; P 0-45; K1 0-45; K2 0-45 | gap 1:00; staff-presence-gap(medium)
V11 | T 0-10,10:55-20,20:55-30,30:55-45; P 0-45; K1 0-45; K2 0-45 | gap 0:55+0:55+0:55; –
V12 | T 0-10,10:50-20,20:50-30,30:50-40,40:50-45; P 0-45; K1 0-45; K2 0-45 \
    | gap 0:50+0:50+0:50+0:50; staff-presence-gap(medium) (sum 200)
V13 | T 0-10,10:14-20,20:14-30,30:14-45; P 0-45; K1 0-45; K2 0-45 | 0; – (jitter < 15 s dropped)
V14 | T 0-20,19:30-45; P 0-45; K1 0-45; K2 0-45 | 0; – (two devices)
V15 | T1 0-20; T2 19:50-45; P 0-45; K1 0-45; K2 0-45 | 0; – (handover)
V16 | T1 0-20; T2 21:30-45; P 0-45; K1 0-45; K2 0-45 | gap 1:30; staff-presence-gap(medium)
V17 | P 0-30; K1 0-30; K2 0-30 | none 30:00; no-staff-joined(critical)
V18 | P 0-30; K1 0-30 | none 30:00; alone 30:00; \
    no-staff-joined(critical), partner-alone-with-student(critical)
V19 | T 0-30; P 0-40; K1 0-33; K2 0-40 | after 10:00; alone 7:00; \
    partner-alone-with-student(critical), staff-left-early(high)
V20 | T 0-45; P 5-20; K1 0-45 | 0; – (partner leaves first)
V21 | T 0-40; P 0-39,42-50; K1 0-50; K2 0-50 | after 8:00; staff-left-early(high) (partner returns)
V22 | R 0-45; P 0-45; K1 0-45; K2 0-45 | 0 / none 45:00; no-staff-joined? (room kit only)
V23 | T 0-30; U 0-45; K1 0-45; K2 0-45 | 0 / after 15:00; staff-left-early?
V24 | T 0-30; U 30-45; P 0-45; K1 0-45; K2 0-45 | 0 / after 15:00; staff-left-early?
V25 | @25; T 0-20; P 0-~; K1 0-~; K2 0-~ \
    | after 5:00; staff-left-early(high), provisional (still running)
V26 | @20:40; T 0-20; P 0-~; K1 0-~; K2 0-~ | after 0:40; – (re-check in 20 s)
V27 | C 0-45; T 0-?; P 0-45; K1 0-45; K2 0-45 | 0 / after 45:00; staff-left-early?
V28 | C 0-45; T 0-?30; P 0-45; K1 0-45; K2 0-45 | 0 / after 15:00; staff-left-early?
V29 | C 0-45; T 0-30; P 0-?; K1 0-45; K2 0-45 | 0 / after 15:00; staff-left-early?
V31 | T 0:08-45; P 0-45; K1 0-45; K2 0-45 | 0; – (clock skew)
V32 | T 0-45,20-19:59; P 0-45; K1 0-45 | 0; – (inverted session)
V33 | T 0-30,0-30; P 2-44,2-44; K1 1-45; K2 1-45 | after 14:00; staff-left-early(high)
V34 | C 0-20,25-45; T 0-20; P 0-20,25-45; K1 0-20,25-45; K2 0-20,25-45 \
    | after 20:00; staff-left-early(high) (two conference records)
V35 | T 0-30; U 30-45; P 0-30; K1 0-45; K2 0-45 | 0 / after 15:00; staff-left-early?
V36 | T 0-20; P 0-45 | 0 / after 25:00; staff-left-early?(medium) (hidden class)
V46 | P 0-45 | 0; – (partner waits alone, nobody came)
V47 | T 5-45; P 0-45 | 0; – (partner waits for staff, no students)
V37 | T 0-70; P 0-70; K1 0-70; K2 0-70 | 0; – (45 min slot: only outside-authorized-window)
V38 | T 5-20,22-40; P 0-45; K1 0-45; K2 0-45 | before 5:00; gap 2:00; after 5:00; \
    staff-joined-late(high), staff-left-early(high), staff-presence-gap(medium)
V39 | T 0-45; P1 0-45; P2 0-50; K1 0-45; K2 0-46:05 | after 1:05; alone 1:05; \
    partner-alone-with-student(critical), staff-left-early(medium) (two partners)
V40 | T 0-30; P 0-45; K1 0-30; K2 0-30 | 0; – (students left first)
V41 | @1:30; P 0-~; K1 0-~; K2 0-~ | before 1:30; – (host not in yet, nudge only)
V42 | @5; P 0-~; K1 0-~; K2 0-~ | none 5:00; no-staff-joined(critical), provisional
V43 | T 0-20,21:10-45; P 0-45; K1 0-45; K2 0-45 | gap 1:10; staff-presence-gap(medium)
V44 | T 1:30-45; P 0-45; K1 0-45 | before 1:30; alone 1:30; – (1:1, before limit 120 s)
V45 | T 2-45; P 0-45; K1 0-45 | before 2:00; alone 2:00; \
    partner-alone-with-student(critical), staff-joined-late(medium)
"""
ROWS = [
    tuple(cell.strip() for cell in line.split("|"))
    for line in VECTORS.replace("\\\n", "").strip().splitlines()
]


@pytest.mark.parametrize(("number", "given", "wanted"), ROWS, ids=[row[0] for row in ROWS])
def test_the_catalogues_vector_is_decided_as_written(number: str, given: str, wanted: str) -> None:
    """A vector gives the components, flags, severities and confidence of its row."""
    certain, possible, flags = expected(wanted)

    presence = decide(case_of(given))

    assert shown(presence.certain) == certain
    assert shown(presence.possible) == possible
    assert flags_shown(presence, flags) == flags


@pytest.mark.parametrize(("number", "given", "wanted"), ROWS, ids=[row[0] for row in ROWS])
def test_the_vector_reads_the_same_through_evaluate(number: str, given: str, wanted: str) -> None:
    """A vector written as a JSON line is answered with what the algebra says of it."""
    case = case_of(given)
    presence = decide(case)

    line, is_readable = evaluate_line(line_of(number, case))

    answer = json.loads(line)
    assert is_readable
    assert answer["id"] == number
    for bound, components in (("certain", presence.certain), ("possible", presence.possible)):
        assert answer[bound] == [
            {"kind": c.kind, "start": instant(c.start), "end": instant(c.end), "seconds": c.seconds}
            for c in components
        ]
    assert answer["flags"] == [
        {
            "rule": f.rule,
            "severity": f.severity,
            "confidence": f.confidence,
            "provisional": f.provisional,
        }
        for f in presence.flags
    ]
    assert answer["recheck_at"] == instant(presence.recheck_at)


def test_all_vectors_are_here() -> None:
    """The table holds the forty-five presence vectors; V07 and V30 do not exist."""
    numbers = {row[0] for row in ROWS}

    assert numbers == {f"V{n:02}" for n in range(1, 48)} - {"V07", "V30"}


def test_a_vector_without_a_slash_is_compared_in_both_bounds() -> None:
    """The notation reads one list of components as certain and possible alike."""
    assert expected("after 0:40; – (x)") == (["after 0:40"], ["after 0:40"], [])


DATES = {
    "D3": ("2026-10-13T23:15:00Z", "2026-10-13T23:45:00Z", "2026-10-14T00:05:00Z"),
    "D4": ("2026-11-01T00:30:00-05:00", "2026-11-01T01:50:00-05:00", "2026-11-01T01:10:00-06:00"),
    "D5": ("2026-03-08T01:00:00-06:00", "2026-03-08T01:50:00-06:00", "2026-03-08T03:10:00-05:00"),
}


@pytest.mark.parametrize(("start", "left", "end"), DATES.values(), ids=DATES)
def test_clock_changes_and_midnight_do_not_bend_time(start: str, left: str, end: str) -> None:
    """Staff leave, the others twenty minutes later: twenty minutes, whatever the local clock."""
    people = [("t", "staff", left), ("p", "partner", end), ("k1", "student", end)]
    people.append(("k2", "student", end))
    visits = [{"person": p, "class": c, "start": start, "end": to} for p, c, to in people]

    line, _ = evaluate_line(json.dumps({"id": "D", "visits": visits}))

    answer = json.loads(line)
    assert [(c["kind"], c["seconds"]) for c in answer["certain"]] == [("after", 1200)]
    assert answer["possible"] == answer["certain"]
    assert [(f["rule"], f["severity"]) for f in answer["flags"]] == [("staff-left-early", "high")]


def instant(seconds: int | None) -> str | None:
    """Epoch seconds as `evaluate` writes them."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def line_of(number: str, case: PresenceCase) -> str:
    """A case as one line of `evaluate`'s input."""
    records = case.conference
    return json.dumps(
        {
            "id": number,
            "conference": records and [[instant(start), instant(end)] for start, end in records],
            "observed_at": instant(case.observed_at),
            "visits": [
                {
                    "person": visit.person,
                    "class": visit.person_class,
                    "start": instant(visit.start),
                    "end": instant(visit.end),
                    "last_seen": instant(visit.last_seen),
                }
                for visit in case.visits
            ],
            "thresholds": {},
        }
    )


def test_the_scheduled_start_is_the_contracts() -> None:
    """The vectors' minute 0 is the instant of the contract's example."""
    assert instant(START) == "2026-10-13T15:00:00Z"
