"""`evaluate`'s lines: what is readable, what is refused and why, and that nothing ever raises."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetbot.domain.cases import evaluate_line, read_case
from meetbot.domain.thresholds import Thresholds
from meetbot.errors import BadInput

START, LEFT, END = "2026-10-13T15:00:00Z", "2026-10-13T15:30:00Z", "2026-10-13T15:44:00Z"
STAFF = {"person": "t1", "class": "staff", "start": START, "end": LEFT, "last_seen": None}
OTHERS = [
    {"person": "p", "class": "partner", "start": START, "end": END},
    {"person": "k1", "class": "student", "start": START, "end": END},
    {"person": "k2", "class": "student", "start": START, "end": END},
]


def a_case(**more: Any) -> dict[str, Any]:
    """The contract's example with its pupils: staff leave fourteen minutes early."""
    return {"id": "V02", "visits": [STAFF, *OTHERS]} | more


def a_visit(**more: Any) -> dict[str, Any]:
    """A case of one visit, changed; a key given as `...` is left out."""
    visit = {key: value for key, value in (STAFF | more).items() if value is not ...}
    return {"id": 7, "visits": [visit]}


def answer(case: object) -> dict[str, Any]:
    """The answer to a readable case."""
    line, is_readable = evaluate_line(json.dumps(case))
    assert is_readable, line
    read = json.loads(line)
    assert isinstance(read, dict)
    return read


def refusal(line: str) -> dict[str, Any]:
    """The answer to a line that cannot be read."""
    answered, is_readable = evaluate_line(line)
    assert not is_readable, answered
    read = json.loads(answered)
    assert set(read) == {"id", "error"}
    return dict(read)


def test_the_contracts_answer() -> None:
    """The answer has the contract's keys, in its order, with instants in UTC."""
    line, is_readable = evaluate_line(json.dumps(a_case()))

    after = {"kind": "after", "start": LEFT, "end": END, "seconds": 840}
    flag = {
        "rule": "staff-left-early",
        "severity": "high",
        "confidence": "confirmed",
        "provisional": False,
    }
    wanted = {"id": "V02", "certain": [after], "possible": [after], "flags": [flag]}
    assert is_readable
    assert line == json.dumps(wanted | {"recheck_at": None})


def test_a_live_case_is_provisional_and_looked_at_again() -> None:
    """`observed_at` makes ends open; the re-check is an instant in UTC."""
    visits = [STAFF, *({**visit, "end": None} for visit in OTHERS)]

    live = answer(a_case(visits=visits, observed_at="2026-10-13T10:31:00.999-05:00"))

    assert [(f["severity"], f["provisional"]) for f in live["flags"]] == [("medium", True)]
    assert live["recheck_at"] == "2026-10-13T15:35:00Z"


def test_the_conference_bounds_the_case() -> None:
    """Records are [start, end] pairs; what lies outside them does not count."""
    bounded = answer(a_case(conference=[[START, "2026-10-13T15:31:00Z"]]))
    open_ended = answer(a_case(conference=[[START, None]]))

    assert [c["seconds"] for c in bounded["certain"]] == [60]
    assert [c["seconds"] for c in open_ended["certain"]] == [840]


def test_a_missing_end_uses_the_last_seen() -> None:
    """`last_seen` bounds a visit without end."""
    staff = {**STAFF, "end": None, "last_seen": LEFT}

    missing = answer(a_case(visits=[staff, *OTHERS]))

    assert missing["certain"] == []
    assert [c["seconds"] for c in missing["possible"]] == [840]


def test_thresholds_override_the_defaults() -> None:
    """Each named limit replaces its default, the others stay."""
    assert answer(a_case(thresholds={"after_s": 841}))["flags"] == []
    assert answer(a_case(thresholds={"high_s": 841}))["flags"][0]["severity"] == "medium"
    assert answer(a_case(thresholds={"high_s": 841.0}))["flags"][0]["severity"] == "medium"
    assert answer(a_case(thresholds={"jitter_s": 0}))["flags"][0]["severity"] == "high"


@pytest.mark.parametrize("key", ["observed_at", "conference", "thresholds"])
def test_optional_keys_may_be_null(key: str) -> None:
    """Null is as good as absent."""
    assert answer(a_case(**{key: None})) == answer(a_case())


def test_no_records_are_like_none_given() -> None:
    """An empty conference is the hull of the visits."""
    assert answer(a_case(conference=[])) == answer(a_case())


def test_optional_keys_of_a_visit_may_be_absent() -> None:
    """A visit needs person, class and start only."""
    assert answer(a_visit(end=..., last_seen=...))["flags"] == []


def test_unknown_keys_are_ignored() -> None:
    """What the contract does not name changes nothing."""
    visits = [{**STAFF, "device": {"a": [1]}}, *OTHERS]

    assert answer(a_case(visits=visits, note=[None])) == answer(a_case())


def test_an_empty_list_of_visits_is_an_empty_answer() -> None:
    """Nobody came, nothing was found."""
    nothing: dict[str, object] = {"certain": [], "possible": [], "flags": [], "recheck_at": None}

    assert answer({"id": "x", "visits": []}) == {"id": "x", **nothing}


@pytest.mark.parametrize(
    "identifier", ["V02", "", 0, 7, 1.5, False, ["a", 1], {"b": None}, "\ud800"]
)
def test_the_id_comes_back_as_it_was(identifier: object) -> None:
    """Any JSON value but null is an id, in answers and refusals."""
    assert answer({"id": identifier, "visits": []})["id"] == identifier
    assert refusal(json.dumps({"id": identifier}))["id"] == identifier


@pytest.mark.parametrize("person", ["", 0, False, ["a"], {"b": 1}])
def test_any_value_names_a_person(person: Any) -> None:
    """A person is whoever has an equal JSON value."""
    visits: list[dict[str, Any]] = [
        {**OTHERS[0], "person": person},
        {**OTHERS[1], "person": "x"},
    ]

    assert answer({"id": 1, "visits": visits})["flags"][0]["rule"] == "no-staff-joined"
    assert refusal(json.dumps({"id": 1, "visits": [{**v, "person": person} for v in visits]}))


@pytest.mark.parametrize(
    "instant",
    [
        "2026-10-13T15:30:00Z",
        "2026-10-13t15:30:00z",
        "2026-10-13T15:30:00.0Z",
        "2026-10-13T15:30:00.999999999999999999999Z",
        "2026-10-13T10:30:00-05:00",
        "2026-10-13T21:00:00.5+05:30",
        "2026-10-14T15:29:00+23:59",
        "2026-10-13T15:30:00-00:00",
        "2026-10-13T15:30:00+00:00",
    ],
)
def test_an_instant_is_rfc_3339_cut_to_its_second(instant: str) -> None:
    """Zone, letter case and fraction do not change the second."""
    case = a_case(visits=[{**STAFF, "end": instant}, *OTHERS])

    assert answer(case) == answer(a_case())


@pytest.mark.parametrize(
    ("instant", "start"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T18:59:60.7-05:00", "2017-01-01T00:00:00Z"),
        ("1969-12-31T23:59:58.9Z", "1969-12-31T23:59:58Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("0001-01-01T23:59:00+23:59", "0001-01-01T00:00:00Z"),
    ],
)
def test_the_edges_of_time_are_written_back(instant: str, start: str) -> None:
    """A leap second is the second after it; fractions are cut towards the past."""
    visits = [{**visit, "start": instant, "end": "2030-01-01T00:00:00Z"} for visit in OTHERS]

    assert answer({"id": 1, "visits": visits})["certain"][0]["start"] == start


def test_the_last_second_of_time_can_be_an_end() -> None:
    """The year 9999 is readable to its last second."""
    visits = [{**visit, "end": "9999-12-31T23:59:59Z"} for visit in OTHERS]

    assert answer({"id": 1, "visits": visits})["certain"][0]["end"] == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("limit", "recheck_at"), [(119, "9999-12-31T23:59:59Z"), (120, None), (10**30, None)]
)
def test_a_recheck_after_the_end_of_time_is_none(limit: int, recheck_at: str | None) -> None:
    """An instant that RFC 3339 cannot write is not written."""
    start, now = "9999-12-31T23:58:00Z", "9999-12-31T23:59:58Z"  # 118 s of contact so far
    visits = [{**visit, "start": start, "end": None} for visit in OTHERS]
    limits = {"before_s": limit, "none_wait_s": 10**40}

    live = answer({"id": 1, "visits": visits, "observed_at": now, "thresholds": limits})

    assert live["recheck_at"] == recheck_at


BAD_INSTANTS = [
    "",
    "now",
    "2026-10-13",
    "2026-10-13T15:30:00",
    "2026-10-13T15:30Z",
    "2026-10-13 15:30:00Z",
    "2026-10-13T15:30:00.Z",
    "2026-10-13T15:30:00,5Z",
    "2026-10-13T15:30:00+0500",
    "2026-10-13T15:30:00+05",
    "2026-10-13T15:30:00+24:00",
    "2026-10-13T15:30:00+05:60",
    "2026-10-13T24:00:00Z",
    "2026-10-13T15:60:00Z",
    "2026-10-13T15:30:61Z",
    "2026-10-13T15:30:60Z",
    "2026-02-29T15:30:00Z",
    "2026-13-01T15:30:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "9999-12-31T23:59:60Z",
    "12026-10-13T15:30:00Z",
    "2026-10-13T15:30:00Z\n",
    " 2026-10-13T15:30:00Z",
    "٢٠٢٦-10-13T15:30:00Z",
    1_791_903_600,
    1.5,
    True,
    [],
    {},
]


@pytest.mark.parametrize("instant", BAD_INSTANTS)
def test_a_bad_instant_is_refused_by_its_place(instant: object) -> None:
    """Whatever is not RFC 3339 with a zone is refused wherever an instant stands."""
    for key in ("start", "end", "last_seen"):
        refused = refusal(json.dumps(a_visit(**{key: instant})))
        assert refused["id"] == 7
        assert refused["error"].startswith(f"visits[0].{key}: is not an RFC 3339 instant")
    assert refusal(json.dumps(a_case(observed_at=instant)))["error"].startswith("observed_at: ")
    for index, pair in enumerate(([instant, END], [START, instant])):
        error = refusal(json.dumps(a_case(conference=[[START, END], pair])))["error"]
        assert error.startswith(f"conference[1][{index}]: is not an RFC 3339 instant")


REFUSED: dict[str, tuple[object, str]] = {
    "no id": ({"visits": []}, "id: is missing"),
    "null id": ({"id": None, "visits": []}, "id: is missing"),
    "no visits": ({"id": 7}, "visits: is not a list"),
    "null visits": ({"id": 7, "visits": None}, "visits: is not a list"),
    "visits an object": ({"id": 7, "visits": {}}, "visits: is not a list"),
    "a visit that is none": ({"id": 7, "visits": ["x"]}, "visits[0]: is not a JSON object"),
    "no person": (a_visit(person=...), "visits[0].person: is missing"),
    "null person": (a_visit(person=None), "visits[0].person: is missing"),
    "no start": (a_visit(start=...), "visits[0].start: is missing"),
    "null start": (a_visit(start=None), "visits[0].start: is missing"),
    "no class": (a_visit(**{"class": ...}), "visits[0].class: is no known class"),
    "unknown class": (a_visit(**{"class": "parent"}), "visits[0].class: is no known class"),
    "class in capitals": (a_visit(**{"class": "STAFF"}), "visits[0].class: is no known class"),
    "class a list": (a_visit(**{"class": ["staff"]}), "visits[0].class: is no known class"),
    "conference an object": (a_case(conference={}), "conference: is not a list"),
    "a record that is none": (a_case(conference=[START]), "conference[0]: is not a pair"),
    "a record of one": (a_case(conference=[[START]]), "conference[0]: is not a pair"),
    "a record of three": (a_case(conference=[[START, END, END]]), "conference[0]: is not a pair"),
    "a record as text": (a_case(conference=["ab"]), "conference[0]: is not a pair"),
    "a record without start": (a_case(conference=[[None, END]]), "conference[0][0]: is not an"),
    "thresholds a list": (a_case(thresholds=[]), "thresholds: is not a JSON object"),
    "unknown threshold": (a_case(thresholds={"x_s": 1}), "thresholds.x_s: is no known threshold"),
    "long threshold": (a_case(thresholds={"é\n" * 99: 1}), "thresholds.\\u00e9\\n"),
}
BAD_LIMITS: tuple[Any, ...] = (-1, 1.5, -0.5, "60", None, True, False, [60], {})
REFUSED |= {
    f"threshold {bad!r}": (
        a_case(thresholds={"none_s": bad}),
        "thresholds.none_s: is not a whole number",
    )
    for bad in BAD_LIMITS
}


@pytest.mark.parametrize(("case", "error"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_named_with_place_and_fix(case: dict[str, Any], error: str) -> None:
    """Each way to be unreadable names where it is and how to mend it, beside the line's id."""
    refused = refusal(json.dumps(case))

    assert refused["id"] == case.get("id")
    assert refused["error"].startswith(error)
    assert " Fix: " in refused["error"]
    assert len(refused["error"]) < 400


def test_one_person_with_two_classes_is_refused() -> None:
    """A12: the second class of a person is refused, even where the visit would be dropped."""
    again = {**STAFF, "class": "student", "end": START}

    error = refusal(json.dumps(a_case(visits=[STAFF, *OTHERS, again])))["error"]

    assert error == (
        "visits[4].class: differs from the class this person has before. "
        "Fix: give one person one class throughout"
    )


def test_an_unknown_threshold_is_told_with_those_there_are() -> None:
    """All of them, as they are written."""
    error = refusal(json.dumps(a_case(thresholds={"x_s": 1})))["error"]

    names = [field.name for field in fields(Thresholds)]
    assert error == (f"thresholds.x_s: is no known threshold. Fix: use some of {', '.join(names)}")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "nothing",
        "[]",
        "null",
        "7",
        '"id"',
        '{"id": 1, "visits": []} x',
        '{"id": NaN, "visits": []}',
        '{"id": 1, "visits": [], "note": -Infinity}',
        '{"id": 1e999, "visits": []}',
        '{"id": 1, "visits": [], "thresholds": {"none_s": Infinity}}',
        '{"id": ' + "9" * 5000 + ', "visits": []}',
        "[" * 100_000,
        '{"id": ' + "[" * 50_000 + "]" * 50_000 + ', "visits": []}',
        '{"id": "a\x00b", "visits": []}',
        "\ufeff{}",
    ],
    ids=lambda line: repr(line[:24]),
)
def test_what_is_no_json_object_is_refused_without_id(line: str) -> None:
    """A line that is not a JSON object gives a null id and an error."""
    refused = refusal(line)

    assert refused["id"] is None
    assert refused["error"].startswith("line: ")
    assert " Fix: " in refused["error"]


def test_the_last_of_two_equal_keys_counts() -> None:
    """Duplicated keys are read as JSON readers do: the last one stands."""
    line, is_readable = evaluate_line('{"id": 1, "id": 2, "visits": 0, "visits": []}')

    assert is_readable
    assert json.loads(line)["id"] == 2


def test_a_refusal_repeats_nothing_of_a_person() -> None:
    """Names and instants given do not come back in the error."""
    case = a_visit(person="Kim Example", start="Kim Example", **{"class": "student"})

    assert "Kim" not in refusal(json.dumps(case))["error"]


def test_an_answer_is_one_line_of_ascii() -> None:
    """Line ends and other letters in an id leave escaped."""
    line, _ = evaluate_line(json.dumps({"id": "é\n\u2028\ud800", "visits": []}))

    assert line.isascii()
    assert "\n" not in line


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
stamps = st.sampled_from([START, LEFT, END, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
likely_visits = st.fixed_dictionaries(
    {
        "person": st.sampled_from(["a", "b", 1]) | anything,
        "class": st.sampled_from(["staff", "partner", "student", "unidentified", "room"]),
        "start": stamps,
    },
    optional={"end": stamps | anything, "last_seen": stamps | anything},
)
likely_cases = st.fixed_dictionaries(
    {"id": anything, "visits": st.lists(likely_visits, max_size=4) | anything},
    optional={
        "conference": st.lists(st.lists(stamps | anything, min_size=2, max_size=2)) | anything,
        "observed_at": stamps | anything,
        "thresholds": st.dictionaries(st.sampled_from(["none_s", "jitter_s"]), scalars) | anything,
    },
)


@settings(deadline=None)
@given(st.text() | (anything | likely_cases).map(json.dumps))
def test_no_line_raises(line: str) -> None:
    """Whatever the line, the answer is one JSON object: decided, or refused with an error."""
    answered, is_readable = evaluate_line(line)

    read = json.loads(answered)
    assert ("error" in read) is not is_readable
    assert ("flags" in read) is is_readable


@pytest.mark.parametrize("depth", [10, 900, 960, 980, 990, 1000, 5000])
def test_depth_never_raises(depth: int) -> None:
    """Nesting near and beyond what can be read or written again gives an answer too."""
    deep = "[" * depth + "]" * depth

    identified, _ = evaluate_line(f'{{"id": {deep}, "visits": []}}')
    named, is_readable = evaluate_line(f'{{"id": 1, "visits": [{{"person": {deep}}}]}}')

    assert identified.startswith('{"id": ')
    assert named.startswith('{"id": ')
    assert not is_readable


PAIR = {"person": "p", "class": "staff", "start": "2026-10-13T15:00:00Z"}
CLASSES = "use one of staff, partner, student, unidentified, room"
INSTANT = "write it like 2026-10-13T15:00:00Z or 2026-10-13T10:00:00-05:00"


@pytest.mark.parametrize(
    ("change", "place", "what", "fix"),
    [
        ({"id": None}, "id", "is missing", "give every case an id"),
        ({"visits": 1}, "visits", "is not a list", "give a list of visits, which may be empty"),
        (
            {"visits": [1]},
            "visits[0]", "is not a JSON object", "give person, class and start",
        ),
        (
            {"visits": [PAIR | {"person": None}]},
            "visits[0].person", "is missing", "name the person by any stable key",
        ),
        (
            {"visits": [PAIR | {"start": None}]},
            "visits[0].start", "is missing", "give the instant of the join",
        ),
        ({"visits": [PAIR | {"class": "x"}]}, "visits[0].class", "is no known class", CLASSES),
        ({"conference": 1}, "conference", "is not a list",
         "give a list of [start, end] pairs, or null"),
        ({"conference": [1]}, "conference[0]", "is not a pair",
         "give [start, end], with end null while it runs"),
        ({"thresholds": 1}, "thresholds", "is not a JSON object",
         "give names and whole seconds, or null"),
        ({"thresholds": {"none_s": -1}}, "thresholds.none_s", "is not a whole number ≥ 0",
         "give whole seconds, 0 or more"),
        ({"observed_at": "soon"}, "observed_at", "is not an RFC 3339 instant with a zone", INSTANT),
    ],
)  # fmt: skip
def test_every_mistake_names_the_place_and_the_fix(
    change: dict[str, object], place: str, what: str, fix: str
) -> None:
    """In the words of the contract, so that the line can be mended."""
    with pytest.raises(BadInput) as wrong:
        read_case({"id": "x", "visits": []} | change)

    (mistake,) = wrong.value.mistakes
    assert (mistake.place, mistake.what, mistake.fix) == (place, what, fix)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "is not JSON. Fix: write one JSON object on each line"),
        ("[1]", "is not a JSON object. Fix: write one JSON object on each line"),
        ("[" * 100_000, "is nested too deeply. Fix: write it as the contract shows"),
        ('{"id": NaN}', "is not JSON. Fix: write one JSON object on each line"),
        ('{"id": 1e999}', "is not JSON. Fix: write one JSON object on each line"),
    ],
)
def test_a_line_that_is_no_object_says_so(line: str, what: str) -> None:
    """With the fix, and without an id."""
    answer, is_read = evaluate_line(line)

    assert not is_read
    assert json.loads(answer) == {"id": None, "error": f"line: {what}"}


def test_a_person_may_be_any_json_value() -> None:
    """The order of its keys makes nobody another person."""
    one, two = {"a": 1, "b": 2}, {"b": 2, "a": 1}

    case = read_case({"id": "x", "visits": [PAIR | {"person": one}, PAIR | {"person": two}]})

    assert len({visit.person for visit in case.visits}) == 1
