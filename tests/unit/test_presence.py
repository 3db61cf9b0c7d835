"""The catalogue's exact reading (§3, A1 to A15), corner by corner."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from meetbot.domain.classes import PersonClass
from meetbot.domain.presence import Component, ComponentKind, PresenceVisit, Totals, decide
from meetbot.domain.spans import union
from meetbot.domain.thresholds import Thresholds
from tests.presence import START, case_of, expected, flags_shown, seconds_of, shown

TRIO = "P 0-10; K1 0-10; K2 0-10"
OPEN = "P 0-~; K1 0-~; K2 0-~"
BOTH = "partner-alone-with-student(critical), staff-joined-late(medium)"

CORNERS = {
    "A8: pieces alone before staff add up": (
        "T 4-10; P 0-10; K1 0-10; K2 1-3",
        "before 4:00; alone 1:00+1:00; "
        "partner-alone-with-student(critical), staff-joined-late(medium)",
    ),
    "A8: pieces alone before staff count against their own limit only": (
        "T 4-10; P 0-10; K1 0-10; K2 1-3:30",
        "before 4:00; alone 1:00+0:30; staff-joined-late(medium)",
    ),
    "A1: a visit of no length is no visit": (f"T 5-5; {TRIO}", "none 10:00; no-staff-joined"),
    "A3: a record without end lasts to the latest end": (
        "C 0-~; T 0-5; P 0-?; K1 0-10; K2 0-10",
        "0 / after 5:00; staff-left-early?(high)",
    ),
    "A3: a record without end lasts to the latest last-seen": (
        "C 0-~; T 0-5; P 0-?7; K1 0-?; K2 0-?",
        "0 / after 2:00; alone 2:00; partner-alone-with-student?, staff-left-early?(medium)",
    ),
    "A3: a record without end lasts to the latest start": (
        "C 0-~; P 0-?; K1 0-?; K2 3-?",
        "0 / none 3:00; alone 3:00; no-staff-joined?, partner-alone-with-student?",
    ),
    "A3: a dropped visit does not stretch the hull": (
        "T 0-10; P 0-?; K1 0-?; K2 0-?; K3 12-12; K4 15-13",
        "0; –",
    ),
    "A3: a record that is inverted or empty is no record of an observed case": (
        f"@3; C 2-1,2-2; {OPEN}",
        "before 3:00; staff-joined-late(medium), provisional",
    ),
    "A3: an inverted and an empty record are ignored": (
        f"C 9-1,4-4,0-5; {TRIO}",
        "none 5:00; no-staff-joined",
    ),
    "A3: when no record is left the visits' hull is the conference": (
        f"C 9-1; {TRIO}",
        "none 10:00; no-staff-joined",
    ),
    "A3: a record without end that begins after every visit is none": (
        f"C 10-~; {TRIO}",
        "none 10:00; no-staff-joined",
    ),
    "A3: a record after the observation is ignored": (
        f"@6; C 0-5,7-9; {OPEN}",
        "none 5:00; no-staff-joined",
    ),
    "A3: touching and overlapping records are one stretch": (
        f"C 0-4,4-6,5-10; {TRIO}",
        "none 10:00; no-staff-joined",
    ),
    "A3: records apart are two components": (
        f"C 0-4,6-10; {TRIO}",
        "none 4:00+4:00; no-staff-joined",
    ),
    "A3: without records a large missing end reaches the latest instant": (
        "T 0-5; P 0-?; K1 0-10; K2 0-10",
        "0 / after 5:00; staff-left-early?(high)",
    ),
    "A4: who joins after the observation is not known": (
        "@10; C 0-30; T 0-5,12-20; P 0-~; K1 0-~; K2 0-~; K3 11-20",
        "after 5:00; staff-left-early(high), provisional",
    ),
    "A4: an end after the observation is not known": (
        "@10; T 0-15; P 0-20; K1 0-20; K2 0-20",
        "0; –",
    ),
    "A4: an open visit lasts to the observation whatever its last seen": (
        "@10; T 0-5; P 0-?6; K1 0-?6; K2 0-?4",
        "after 5:00; staff-left-early(high), provisional",
    ),
    "A4: a record that ends at the observation is running": (
        f"@5; C 0-5; T 0-2; {OPEN}",
        "after 3:00; staff-left-early(medium), provisional",
    ),
    "A4: a record that ended before it makes the case final": (
        f"@20; C 0-5; T 0-2; {OPEN}",
        "after 3:00; staff-left-early(medium)",
    ),
    "A4: open visits reach the end of a final case": (
        "@20; C 0-5; T 0-?1; P 0-?1; K1 0-?; K2 0-?",
        "0; –",
    ),
    "A5: staff who come at the observation have come late, not never": (
        f"@5; T 5-~; {OPEN}",
        "before 5:00; staff-joined-late(high), provisional",
    ),
    "A5: staff open in a running record that begins at the observation have begun": (
        "@5; C 0-4,5-~; T 4:30-~; P 0-~; K1 0-~; K2 0-~",
        "before 4:00; staff-joined-late(medium), provisional",
    ),
    "A5: staff without end and last seen cut Possible where they came": (
        f"C 0-10; T 5-?; {TRIO}",
        "before 5:00 / before 5:00; after 5:00; staff-joined-late(high), staff-left-early?(high)",
    ),
    "A5: two such instants leave a gap between them": (
        f"C 0-10; T1 4-?; T2 6-?; {TRIO}",
        "before 4:00 / before 4:00; gap 2:00; after 4:00; staff-joined-late(medium), "
        "staff-left-early?(medium), staff-presence-gap?(medium)",
    ),
    "A5: a start before the conference is moved to its first second": (
        f"C 5-10; T 0-?2; {TRIO}",
        "0 / after 5:00; staff-left-early?(high)",
    ),
    "A5: a start between records is moved to the next one": (
        f"C 0-5,8-10; T 6-?; {TRIO}",
        "before 5:00 / before 5:00; after 2:00; staff-joined-late(high), staff-left-early?(medium)",
    ),
    "A5: a start after the conference is dropped": (
        f"C 0-5; T 6-?; {TRIO}",
        "none 5:00; no-staff-joined",
    ),
    "A5: a start at the conference's end is dropped": (
        f"C 0-5; T 5-?; {TRIO}",
        "none 5:00; no-staff-joined",
    ),
    "A5: a known end before the conference is no beginning": (
        f"C 5-10; T 0-5; {TRIO}",
        "none 5:00; no-staff-joined",
    ),
    "A5: pieces with one student are cut too, and then too short": (
        "C 0-0:28; T 0:14-?; P 0-0:28; K1 0-0:28",
        "0; –",
    ),
    "A6: a last seen before the start means the start": (
        f"C 0-10; T 5-?3; {TRIO}",
        "before 5:00 / before 5:00; after 5:00; staff-joined-late(high), staff-left-early?(high)",
    ),
    "A6: an open visit is read by itself whatever follows": (
        f"C 0-10; T 0-?4,6-10; {TRIO}",
        "0 / gap 2:00; staff-presence-gap?(medium)",
    ),
    "A6: others last only to their last seen in Certain": (
        "C 0-10; T 0-5; P 0-?7; K1 0-10; K2 0-10",
        "after 2:00 / after 5:00; staff-left-early(medium)",
    ),
    "A6: unidentified are large in both bounds": (
        "C 0-10; T 0-5; U 0-?6; P 0-10; K1 0-10; K2 0-10",
        "0 / after 5:00; staff-left-early?(high)",
    ),
    "A6: a room is nobody's pair": ("R 0-10; K1 0-10; R2 0-10; P 20-21", "0; –"),
    "Possible: two unidentified could be partner and student": (
        "U1 0-10; U2 0-10",
        "0 / none 10:00; alone 10:00; no-staff-joined?, partner-alone-with-student?",
    ),
    "Possible: a partner and an unidentified could be a pair": (
        "U 0-10; P 0-10",
        "0 / none 10:00; alone 10:00; no-staff-joined?, partner-alone-with-student?",
    ),
    "Possible: one unidentified on two devices is one": ("U 0-10,0-10", "0; –"),
    "Possible: two students are no pair": ("K1 0-10; K2 0-10", "0; –"),
    "Possible: two partners are no pair": ("P1 0-10; P2 0-10", "0; –"),
    "Alone: with an unidentified one known student may be alone": (
        "P 0-10; K1 0-10; U 0-10; T 0-1",
        "0 / after 9:00; alone 9:00; partner-alone-with-student?, staff-left-early?(high)",
    ),
    "Alone: two devices of a student are one student": (
        "P 0-10; K1 0-10,0-10",
        "none 10:00; alone 10:00; no-staff-joined, partner-alone-with-student(critical)",
    ),
    "A7: alone time before and after staff is never added": (
        "T 1:59-5; P 0-5:59; K1 0-5:59",
        "before 1:59; alone 1:59; after 0:59; alone 0:59; –",
    ),
    "A7: pieces within a component are added": (
        "P 0-10; K1 0-10; K2 0:30-9:30",
        "none 10:00; alone 0:30+0:30; no-staff-joined, partner-alone-with-student(critical)",
    ),
    "A7: pieces below the jitter are dropped": (
        "P 0-10; K1 0-10; K2 0:14-9:45",
        "none 10:00; alone 0:15; no-staff-joined",
    ),
    "A7: the limit within before is inclusive": (
        "T 2-5; P 0-5; K1 0-5",
        f"before 2:00; alone 2:00; {BOTH}",
    ),
    "A8: a student who may still be there is company in Certain only": (
        "C 0-10; P 0-10; K1 0-10; K2 0-?",
        "none 10:00 / none 10:00; alone 10:00; no-staff-joined(critical), "
        "partner-alone-with-student?(critical)",
    ),
    "A9: a second before the wait ends staff are late": (
        f"@4:59; {OPEN}",
        "before 4:59; staff-joined-late(medium), provisional",
    ),
    "A9: contact is counted, not the conference": (
        "@15; P 0-~; K1 12-~; K2 12-~",
        "before 3:00; staff-joined-late(medium), provisional",
    ),
    "A9: a final case does not wait": (f"@9; C 0-3; {OPEN}", "none 3:00; no-staff-joined"),
    "A9: one to one waits too": (
        "@1:59; P 0-~; K1 0-~",
        "before 1:59; alone 1:59; –",
    ),
    "A9: one to one while waiting has the limit of before": (
        "@2; P 0-~; K1 0-~",
        f"before 2:00; alone 2:00; {BOTH}, provisional",
    ),
    "A9: each bound waits by itself": (
        f"@3; R 1-2; {OPEN}",
        "before 1:00; after 1:00 / before 3:00; staff-joined-late?(medium), "
        "staff-left-early(medium), provisional",
    ),
    "A10: staff may have left for sure and never have come": (
        "U 0-10; P 0-15; K1 0-15; K2 0-15",
        "after 5:00 / none 15:00; no-staff-joined?(critical), staff-left-early(high)",
    ),
    "A10: Certain's severity stands, though Possible's is higher": (
        "C 0-20; T 0-2; P 0-?4; K1 0-20; K2 0-20",
        "after 2:00 / after 18:00; staff-left-early(medium)",
    ),
    "A10: severity looks at its own kind alone": (
        "T 4-6; P 0-10; K1 0-10; K2 0-10",
        "before 4:00; after 4:00; staff-joined-late(medium), staff-left-early(medium)",
    ),
    "A10: the sum of gaps makes a gap high": (
        "T 0-2,4:30-6,8:30-10; P 0-10; K1 0-10; K2 0-10",
        "gap 2:30+2:30; staff-presence-gap(high)",
    ),
    "Gap: a sum of 180 s fires without a long one": (
        "T 0-1,1:45-2,2:45-3,3:45-4,4:45-10; P 0-10; K1 0-10; K2 0-10",
        "gap 0:45+0:45+0:45+0:45; staff-presence-gap(medium)",
    ),
    "A15: a partner whose end is missing may face a class to the end": (
        "C 0-30; T 0-10; P 0-?",
        "0 / after 20:00; staff-left-early?(medium)",
    ),
    "A15: nothing is hidden before staff begin": (
        "T 5-10; P 0-12",
        "0 / after 2:00; staff-left-early?(medium)",
    ),
    "A15: staff who have begun without time are enough": (
        "C 0-10; T 5-?; P 0-10",
        "0 / after 5:00; staff-left-early?(medium)",
    ),
    "A15: an unidentified person does not bring a hidden class": ("T 0-10; U 0-30", "0; –"),
    "A15: a student seen at any time ends it": ("T 0-10; P 0-30; K 1-2", "0; –"),
    "A15: a student seen only outside the conference does not": (
        "C 3-30; T 0-10; P 0-30; K 1-2",
        "0 / after 20:00; staff-left-early?(medium)",
    ),
    "A15: a student whose end is missing was there": (
        "C 0-30; T 0-10; P 0-30; K 29-?",
        "0 / after 1:00; alone 1:00; partner-alone-with-student?, staff-left-early?(medium)",
    ),
    "A15: what fires without it has the severity it has without it": (
        "T 0-10; P 10-30; U 10-12",
        "0 / after 20:00; alone 2:00; partner-alone-with-student?, staff-left-early?(medium)",
    ),
    "A15: a high rule stays high": (
        "T 0-10; P 10-30; U 10-15",
        "0 / after 20:00; alone 5:00; partner-alone-with-student?, staff-left-early?(high)",
    ),
    "A15: contact before staff stays what it was": (
        "T 5-10; P 0-30; U 0-5",
        "0 / before 5:00; alone 5:00; after 20:00; partner-alone-with-student?, "
        "staff-joined-late?(high), staff-left-early?(medium)",
    ),
    "A15: it is merged with the rest before cutting": (
        "T 0-10,11-30; P 10-30; U 10:10-10:20",
        "0 / gap 1:00; staff-presence-gap?(medium)",
    ),
    "A15: gaps can hide a class too": (
        "T 0-10,15-20; P 0-20",
        "0 / gap 5:00; staff-presence-gap?(medium)",
    ),
    "A15: a live case hides it so far": (
        "@25; T 0-20; P 0-~",
        "0 / after 5:00; staff-left-early?(medium), provisional",
    ),
    "A15: a student who comes at the observation has no second yet": (
        "@25; T 0-20; P 0-~; K 25-~",
        "0 / after 5:00; staff-left-early?(medium), provisional",
    ),
    "A15: without staff no class is hidden": ("@25; P 0-~", "0; –"),
    "nobody came": ("C 0-10; T 20-30", "0; –"),
}


@pytest.mark.parametrize(("given", "wanted"), CORNERS.values(), ids=CORNERS)
def test_the_exact_reading(given: str, wanted: str) -> None:
    """A corner of the exact reading is decided as its name says."""
    certain, possible, flags = expected(wanted)

    presence = decide(case_of(given))

    assert shown(presence.certain) == certain
    assert shown(presence.possible) == possible
    assert flags_shown(presence, flags) == flags


RECHECKS = {
    "after: 40 s of 60": ("@20:40; T 0-20; P 0-~; K1 0-~; K2 0-~", "0:20"),
    "after: medium turns high at 300 s": ("@21; T 0-20; P 0-~; K1 0-~; K2 0-~", "4"),
    "after: earlier contact after staff counts": (
        "@30; C 0-21,29:30-~; T 0-20; P 0-~; K1 0-~; K2 0-~",
        "3:30",  # 1:00 of the first record is medium already, high at 5:00 = 1:00 + 4:00
    ),
    "after: high is the end of it": ("@25; T 0-20; P 0-~; K1 0-~; K2 0-~", None),
    "late: fires at 120 s": (f"@1:30; {OPEN}", "0:30"),
    "late: nobody came at 300 s": (f"@2; {OPEN}", "3"),
    "missing: critical is the end of it": (f"@5; {OPEN}", None),
    "one to one: 40 s of 60 beside a fired rule": (
        "@25; T 0-20; P 0-~; K1 0-~; K2 0-24:20",
        "0:20",
    ),
    "one to one: earlier pieces count": (
        "@25; T 0-20; P 0-~; K1 0-~; K2 0-21,21:30-24:45",
        "0:15",  # 0:30 + 0:15 now, 1:00 fifteen seconds on
    ),
    "one to one: while waiting, with before's limit": ("@1; P 0-~; K1 0-~", "1"),
    "one to one: while waiting, also when staff are late already": (
        "@2:10; P 0-~; K1 0-~; K2 0-1",
        "0:50",
    ),
    "one to one: also when no staff came": (
        "@6:10; P 0-~; K1 0-~; K2 0-6",
        "0:50",
    ),
    "one to one: at 300 s the same pieces count outside before": (
        "@4; P 0-~; K1 0-1; K2 0-~; K3 0:30-~",
        "1",
    ),
    "a fresh stretch must outgrow the jitter": (
        "@30; C 0-~; T 0-20; P 0-21,29:50-~; K1 0-~; K2 0-~",
        "3:50",  # 1:00 earlier is medium; with these ten seconds 300 s are 230 s away
    ),
    "the jitter itself may carry the sum over": (
        "@30; C 0-~; T 0-20; P 0-20:50,29:59-~; K1 0-~; K2 0-~",
        "0:14",  # 50 s, and the new stretch counts from its 15th second
    ),
    "staff are in: nothing grows": (f"@5; T 2-~; {OPEN}", None),
    "room kit in: only Possible grows": (f"@1; R 0-~; {OPEN}", "1"),
    "nobody to meet: nothing grows": ("@5; P 0-~", None),
    "a final case waits for nothing": (f"@20; C 0-5; T 0-4:30; {OPEN}", None),
    "over: waits for nothing": (f"T 0-9:30; {TRIO}", None),
    "a hidden class grows": ("@20:40; T 0-20; P 0-~", "0:20"),
    "a hidden class stays medium": ("@24; T 0-20; P 0-~", None),
    "a student's first second ends the hidden class": (
        "@25; T 0-20; P 0-~; K1 25-~",
        "0:01",
    ),
    "a record that begins at the observation runs": (f"@5; C 5-~; {OPEN}", "2"),
    "who left at the observation is gone": (
        "@20:40; C 0-~; T 0-20; P 0-20:40; K1 0-~; K2 0-~",
        None,
    ),
    "who leaves later is open as far as is known": (
        "@20:40; T 0-20; P 0-21; K1 0-~; K2 0-22",
        "0:20",
    ),
    "who comes later is not awaited": (
        "@20:40; T 0-20,20:45-30; P 0-~; K1 0-~; K2 0-~",
        "0:20",
    ),
}


@pytest.mark.parametrize(("given", "later"), RECHECKS.values(), ids=RECHECKS)
def test_the_next_look(given: str, later: str | None) -> None:
    """The re-check is the first second with another answer, or none."""
    case = case_of(given)

    recheck_at = decide(case).recheck_at

    assert (recheck_at is None) == (later is None)
    if later is not None and case.observed_at is not None:
        assert recheck_at == case.observed_at + seconds_of(later)


def test_the_wait_ends_at_its_limit() -> None:
    """At `none_wait_s` of contact, and not a second later, staff are missing and not late."""
    case = case_of("@2:30; P 0-~; K1 0-~; K2 0-~", none_wait_s=200)

    assert decide(case).recheck_at == START + 200


def test_the_next_look_after_staff_left_is_at_their_own_limit() -> None:
    """`after_s` decides, and not what a meeting without staff is measured by."""
    case = case_of("@20:10; T 0-20; P 0-~; K1 0-~; K2 0-~", after_s=45)

    assert decide(case).recheck_at == START + seconds_of("20:45")


ALL_ZERO = dict.fromkeys((field.name for field in fields(Thresholds)), 0)


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ("T 0-10; P 0-10; K1 0-10; K2 0-10", []),
        ("T 1-10; P 0-10; K1 0-10; K2 0-10", ["staff-joined-late"]),
        ("T 0-9; P 0-10; K1 0-10; K2 0-10", ["staff-left-early"]),
        ("T 0-1,2-10; P 0-10; K1 0-10; K2 0-10", ["staff-presence-gap"]),
        ("P 0-10; K1 0-10; K2 0-10", ["no-staff-joined"]),
        ("T 1-10; P 0-10; K1 0-10", ["partner-alone-with-student", "staff-joined-late"]),
        ("@0:01; C 0-~; P 0-~; K1 0-~; K2 0-~", ["no-staff-joined"]),
    ],
)
def test_no_rule_fires_without_its_kind_of_contact(given: str, rules: list[str]) -> None:
    """At limit 0 one second is enough, and no second is still nothing."""
    presence = decide(case_of(given, **ALL_ZERO))

    assert [flag.rule for flag in presence.flags] == rules


def test_alone_outside_before_is_not_fired_by_pieces_inside() -> None:
    """A limit of 0 for pieces outside *before* needs such a piece."""
    presence = decide(case_of("T 1-10; P 0-10; K1 0-10", alone_s=0))

    assert presence.flags == ()


LIMITS = {
    "jitter_s": ("T 0-9:45; P 0-10; K1 0-10; K2 0-10", 15, "after 0:15", ""),
    "none_s": ("P 0-10; K1 0-10; K2 0-10", 600, "no-staff-joined", ""),
    "none_wait_s": (f"@4; {OPEN}", 240, "no-staff-joined", "staff-joined-late"),
    "before_s": ("T 3-10; P 0-10; K1 0-10; K2 0-10", 180, "staff-joined-late", ""),
    "after_s": ("T 0-7; P 0-10; K1 0-10; K2 0-10", 180, "staff-left-early", ""),
    "alone_s": (
        "T 0-9; P 0-10; K1 0-10",
        60,
        "partner-alone-with-student staff-left-early",
        "staff-left-early",
    ),
    "alone_before_s": (
        "T 3-10; P 0-10; K1 0-10",
        180,
        "partner-alone-with-student staff-joined-late",
        "staff-joined-late",
    ),
}


@pytest.mark.parametrize("name", [name for name in LIMITS if name != "jitter_s"])
def test_a_limit_is_inclusive_and_its_own(name: str) -> None:
    """A sum equal to the limit fires; one second more of limit and it does not."""
    given, limit, at_limit, above = LIMITS[name]

    reached = decide(case_of(given, **{name: limit}))
    missed = decide(case_of(given, **{name: limit + 1}))

    assert " ".join(flag.rule for flag in reached.flags) == at_limit
    assert " ".join(flag.rule for flag in missed.flags) == above


def test_the_jitter_is_inclusive() -> None:
    """A component of exactly the jitter is kept."""
    given, limit, kept, _ = LIMITS["jitter_s"]

    assert shown(decide(case_of(given, jitter_s=limit)).certain) == [kept]
    assert shown(decide(case_of(given, jitter_s=limit + 1)).certain) == []


def test_the_two_gap_limits_stand_apart() -> None:
    """The longest gap and the sum of gaps each fire by themselves, both inclusive."""
    given = "T 0-2,4:30-6,8:30-10; P 0-10; K1 0-10; K2 0-10"  # 150 s twice

    def fires(longest: int, total: int) -> bool:
        return bool(decide(case_of(given, gap_longest_s=longest, gap_sum_s=total)).flags)

    assert fires(150, 999)
    assert fires(999, 300)
    assert not fires(151, 301)


def test_the_severity_limit_is_inclusive() -> None:
    """A sum equal to `high_s` is high."""
    given = "T 0-7; P 0-10; K1 0-10; K2 0-10"  # 180 s

    assert [f.severity for f in decide(case_of(given, high_s=180)).flags] == ["high"]
    assert [f.severity for f in decide(case_of(given, high_s=181)).flags] == ["medium"]


def test_the_defaults_are_the_catalogues() -> None:
    """A2 names the limits and their defaults."""
    assert Thresholds() == Thresholds(15, 60, 300, 120, 60, 60, 180, 60, 120, 300)
    names = "jitter none none_wait before after gap_longest gap_sum alone alone_before high"
    assert [field.name for field in fields(Thresholds)] == [f"{n}_s" for n in names.split(" ")]


def test_last_seen_means_nothing_where_the_end_is_known() -> None:
    """A visit with an end neither lasts longer nor stretches the conference by its last seen."""
    case = case_of(TRIO)
    later = tuple(replace(visit, last_seen=visit.start + 900) for visit in case.visits)

    assert decide(replace(case, visits=later)) == decide(case)


def test_flags_say_whether_they_rest_on_the_hidden_class_alone() -> None:
    """Only what would not fire without the hidden class is marked so."""
    hidden = decide(case_of("T 0-10; P 0-30")).flags
    seen = decide(case_of("T 0-10; P 10-30; U 10-12")).flags
    confirmed = decide(case_of("T 0-10; P 0-30; K 0-30")).flags
    elsewise = decide(case_of("U 0-10; P 0-15; K1 0-15; K2 0-15")).flags

    assert [flag.hidden_class_only for flag in hidden] == [True]
    assert [flag.hidden_class_only for flag in seen] == [False, False]
    assert [flag.hidden_class_only for flag in confirmed] == [False, False]
    assert [flag.hidden_class_only for flag in elsewise] == [False, False]


def test_totals_tell_apart_what_the_rules_add_up() -> None:
    """Sums by kind, the gaps and the two kinds of alone time come from the components."""
    case = case_of("T 2-4,6-8,11-12; P 0-20; K1 0-20; K2 3-7")

    totals = Totals.of(decide(case).certain)

    assert totals == Totals(
        before=120,
        after=480,
        gap=300,
        longest_gap=180,
        gaps=2,
        alone=180 + 480,
        alone_before=120,
    )
    assert Totals.of(decide(case_of(TRIO)).certain) == Totals(none=600)


def test_components_come_in_order_with_their_pieces() -> None:
    """Components are ordered by start, each followed by its alone pieces, in epoch seconds."""
    case = case_of("T 2-4; P 0-6; K1 0-6; K2 5-6")

    assert decide(case).certain == (
        Component(ComponentKind.BEFORE, START, START + 120),
        Component(ComponentKind.ALONE, START, START + 120),
        Component(ComponentKind.AFTER, START + 240, START + 360),
        Component(ComponentKind.ALONE, START + 240, START + 300),
    )


@pytest.mark.parametrize(
    ("given", "stretches"),
    [
        ("C 0-4,4-6,9-8; P 0-1", [(0, 6)]),
        ("C 0-~; P 1-3", [(0, 3)]),
        ("P 1-2; K 3-?7", [(1, 7)]),
        ("@5; P 1-2; K 3-~", [(1, 5)]),
        ("@5; C 0-~,6-7; P 1-2", [(0, 5)]),
        ("@5; C 6-7; P 9-10", []),
    ],
)
def test_what_was_judged_is_told(given: str, stretches: list[tuple[int, int]]) -> None:
    """The answer names the stretches of conference it rests on."""
    assert decide(case_of(given)).conference == tuple(
        (START + start * 60, START + end * 60) for start, end in stretches
    )


def test_nothing_known_is_nothing_found() -> None:
    """A case without visits has an empty answer, live or not, with records or without."""
    for given in ("P 0-1", "C 0-~; P 0-1", "@0; P 0-1", "@0; C 0-~; P 0-1"):
        presence = decide(replace(case_of(given), visits=()))

        assert (presence.certain, presence.possible, presence.flags) == ((), (), ())
        assert presence.recheck_at is None


def test_instants_before_the_epoch_are_like_any_other() -> None:
    """Zero is no border: conferences may lie across it."""
    people = [("p", PersonClass.PARTNER), ("k", PersonClass.STUDENT), ("l", PersonClass.STUDENT)]
    visits = tuple(PresenceVisit(person, of, -300, 300) for person, of in people)

    presence = decide(replace(case_of("P 0-1"), visits=visits))

    assert [(c.start, c.end) for c in presence.certain] == [(-300, 300)]


def test_union_joins_what_touches() -> None:
    """Overlapping and touching spans become one, spans apart stay apart."""
    assert union([(5, 6), (0, 2), (2, 3), (1, 2), (7, 9), (7, 8)]) == ((0, 3), (5, 6), (7, 9))
