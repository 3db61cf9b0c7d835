"""Evidence files: nobody's name in them, decided again from them alone, every change found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetbot.domain.dossier import Dossier
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.meetings import Fingerprint
from meetbot.domain.people import Kind
from meetbot.domain.policy import Limits, Policy, RuleSwitch
from meetbot.domain.registry import (
    Certification,
    ExemptionKind,
    IdentityKind,
)
from meetbot.domain.registry import Identity as RegistryIdentity
from meetbot.domain.snapshots import Snapshot, Withheld
from meetbot.domain.thresholds import Thresholds
from meetbot.evidence import (
    MOST_BYTES,
    Checked,
    Record,
    against,
    explain,
    json_schema,
    verify,
)
from meetbot.evidence import document as documents
from meetbot.evidence.fields import DROPPED, KEPT, RENAMED
from meetbot.evidence.labels import Labels
from meetbot.rules import confined, evaluate, rules_version
from tests.command import environment
from tests.dossiers import (
    AUTHORIZATION,
    CLASS,
    CONTRACT,
    GUIDE,
    HOST,
    LINCOLN,
    NORTHSTAR,
    PARTNER,
    PRINCIPAL,
    START,
    STRANGER,
    TEACHER,
    YEAR,
    a_dossier,
    a_guest,
    a_registry,
    adhoc,
    an_exemption,
    an_invitee,
    at,
    held,
    partner,
    running,
    somebody,
    staff,
    stranger,
    students,
)
from tests.evidence import STORED, a_decision, a_record, a_snapshot, changes_of, content_of, edited
from tests.unit.rules.test_confidential_rules import session
from tests.unit.rules.test_stand_in_rules import DANA, TERRY, calling, here, met

LEFT_EARLY = held(staff((0, 30)), partner((0, 44)), *students((0, 45)))
FREE_MAIL = an_invitee(
    Kind.EXTERNAL,
    "gina.guide@gmail.com",
    guest=a_guest("gina.guide@gmail.com", address_key="0123456789abcdef"),
)
NAMED = RegistryIdentity("northstar", IdentityKind.ADDRESS, GUIDE, "Gina Guide")
STALE = Fingerprint(
    "a1",
    AUTHORIZATION.issued_at,
    "2026-10-13 09:00",
    "2026-10-13 09:45",
    "single",
    HOST.guest.address_key,
    (PARTNER.guest.address_key, "another key"),
    "google-meet",
    "students",
)
SCENES: dict[str, Dossier] = {
    "left early": LEFT_EARLY,
    "running": running(25, staff((0, 20)), partner((0, None)), *students((0, None))),
    "unidentified": held(staff((0, 30)), somebody((0, 45)), *students((0, 45))),
    "ad hoc": adhoc(partner((0, 45)), stranger((0, 45)), *students((0, 45), number=1)),
    "uninvited": held(staff((0, 45)), stranger((5, 45)), partner((0, 45)), *students((0, 45))),
    "free mail": a_dossier(
        (HOST, FREE_MAIL, an_invitee(Kind.EXTERNAL, "other.one@gmail.com"), *CLASS),
        registry=a_registry(identities=(NAMED,)),
    ),
    "stale": a_dossier(meeting={"fingerprints": (STALE,)}),
    "nothing registered": a_dossier(registry=a_registry(contracts=(), authorizations=())),
    "named host": a_dossier(
        registry=a_registry(authorizations=(replace(AUTHORIZATION, host_address=TEACHER),))
    ),
    "other host": a_dossier(
        registry=a_registry(
            authorizations=(replace(AUTHORIZATION, host_address="who@district.example"),)
        )
    ),
    "no role": a_dossier(
        registry=a_registry(
            authorizations=(replace(AUTHORIZATION, authorizer_address="x@district.example"),)
        )
    ),
    "own certification": a_dossier(
        registry=a_registry(
            certifications=(Certification("northstar", GUIDE.upper(), *YEAR),),
            exemptions=(an_exemption(ExemptionKind.GUARDIAN, "mother@home.example"),),
        )
    ),
    "visible": a_dossier(meeting={"guests_can_see_others": True}),
    "stranger": a_dossier((HOST, STRANGER, *CLASS)),
}
SCENES["another account"] = met(here((0, 45)), calling(stranger((0, 45)), *DANA))
SCENES["host by name"] = met(partner((0, 45)), calling(somebody((0, 45)), *TERRY))
SCENES["contradiction"] = replace(
    LEFT_EARLY, contradictions=("two sources differ by 300 s about one person",)
)
SCENES["another school"] = a_dossier(
    registry=a_registry(contracts=(replace(CONTRACT, school_ids=("washington",)),))
)
STRICT = Policy(
    Thresholds(after_s=0, jitter_s=0),
    Limits(personal_clearance=True),
    rules={"contract-missing": RuleSwitch(is_enabled=False)},
)


def said(checked: Checked) -> list[str]:
    return [str(problem) for problem in checked.problems]


# --- people -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("policy", [Policy(), STRICT], ids=["default", "strict"])
def test_the_rules_decide_renamed_people_in_the_same_way(scene: str, policy: Policy) -> None:
    """Rule, subject, sentences, facts, spans, severity, and what is undecided."""
    snapshot = a_snapshot(SCENES[scene], policy)
    labels = Labels([snapshot])
    renamed = labels.renamed(snapshot)

    # A flag's id is made of the occurrence and subject as the database has them.
    before = [replace(labels.renamed(c.flag), id="") for c in changes_of(snapshot.dossier, policy)]
    after = [replace(c.flag, id="") for c in changes_of(renamed.dossier, renamed.policy)]
    by_key = {(f.rule, f.key.subject): f for f in before}
    assert {(f.rule, f.key.subject): f for f in after} == by_key
    assert evaluate(renamed.dossier, renamed.policy).undecided == renamed.undecided


@pytest.mark.parametrize("scene", SCENES)
def test_no_key_and_no_address_of_the_database_is_in_a_file(scene: str) -> None:
    """Neither clear nor keyed; nor a name of the host, nor a code that lets somebody in."""
    dossier = replace(SCENES[scene], host=replace(SCENES[scene].host, display_name="Terry Teacher"))
    for change in changes_of(dossier):
        text = content_of(a_record(change.flag.rule, dossier)).decode().lower()
        people = [i.guest for i in dossier.invitees]
        keys = [guest.address_key for guest in people]
        keys += [attendance.person_key for attendance in dossier.attendances]
        private = [*keys, *(guest.address for guest in people if guest.address)]
        private += [PRINCIPAL, "who@district.example", "mother@home", "terry", "gina"]
        quoted = [word for word in private if f'"{word.lower()}"' in text or "@" in word]
        assert [word for word in quoted if word.lower() in text] == []
        assert "abcdefghij" not in text


def test_students_are_numbered_in_each_file() -> None:
    """`Student 1` and `Student 2`, whoever they are in the database."""
    file = json.loads(content_of(a_record("staff-left-early", LEFT_EARLY)))

    (kept,) = file["dossiers"]
    who = {seen["who"] for seen in kept["timeline"]}
    assert sorted(name.rstrip(" 0123456789") for name in who) == [
        "Outside guest",
        "Staff",
        "Student",
        "Student",
    ]


def test_the_scenes_show_what_the_demo_district_does_not() -> None:
    """Rules that rest on names, on another school, and on sources that contradict one another."""
    rules = {change.flag.rule for scene in SCENES.values() for change in changes_of(scene)}
    assert rules >= {
        "partner-unexpected-account",
        "staff-unexpected-account",
        "evidence-incomplete",
        "contract-scope",
        "authorization-stale",
    }


def test_an_officer_is_renamed_and_the_note_stays_in_the_database() -> None:
    """A note is free text: it may name a child."""
    decision = a_decision(LEFT_EARLY, note="Kim Secret told me.")
    content = content_of(a_record("staff-left-early", LEFT_EARLY, decisions=[decision]))

    assert b"Kim" not in content
    assert b"officer@" not in content
    (ruling,) = json.loads(content)["decisions"]
    assert (ruling["status"], ruling["reason"], ruling["has_note"]) == (
        "upheld",
        "policy-not-followed",
        True,
    )
    assert verify(content).problems == []


def test_a_registered_person_s_name_is_renamed_in_sentences_too() -> None:
    """What a rule says of a person stays equal to what it says again."""
    registry = a_registry(
        identities=(NAMED,), partners=(replace(NORTHSTAR, name="Gina Guide Tutoring"),)
    )
    dossier = a_dossier((HOST, FREE_MAIL, PARTNER, *CLASS), registry=registry)
    for change in changes_of(dossier):
        content = content_of(a_record(change.flag.rule, dossier))
        assert b"Gina" not in content
        assert said(verify(content)) == []


def test_an_address_in_the_name_of_an_organization_is_renamed() -> None:
    """Whoever wrote it there; what is said of the organization stays the same."""
    name = "Ask kim@students.district.example first"
    dossier = a_dossier(
        (HOST, an_invitee(Kind.PARTNER, GUIDE, partner_id="northstar")),
        registry=a_registry(
            schools=(replace(LINCOLN, name=name),), authorizations=(), contracts=()
        ),
    )
    for change in changes_of(dossier):
        content = content_of(a_record(change.flag.rule, dossier))
        assert b"kim@" not in content
        assert said(verify(content)) == []


_ALL_FILES = """
from hashlib import sha256
from tests.evidence import a_record, changes_of, content_of
from tests.unit.test_evidence import SCENES
files = [content_of(a_record(c.flag.rule, s)) for s in SCENES.values() for c in changes_of(s)]
print(len(files), sha256(b"".join(files)).hexdigest())
"""


def test_a_file_is_the_same_in_every_process() -> None:
    """Sets have another order in each; numbers and lists have not."""
    root = Path(__file__).parents[2]
    told = {
        subprocess.run(
            [sys.executable, "-c", _ALL_FILES],
            env=environment(PYTHONHASHSEED=seed),
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert int(told.pop().split()[0]) > 15


def test_every_text_of_a_dossier_is_thought_of() -> None:
    """A new text field is kept, renamed or dropped on purpose."""
    known = {
        (kind.__module__, kind.__name__, name)
        for table in (KEPT, RENAMED, DROPPED)
        for kind, names in table.items()
        for name in names
    }
    found = {
        (kind.__module__, kind.__name__, name) for kind, name in {*_texts(Snapshot), *_texts(Flag)}
    }
    assert found - known == set()
    assert known - found == set()


def _texts(kind: Any) -> Iterator[tuple[type, str]]:
    """Every field that can hold a text, of every dataclass within."""
    for owner in _dataclasses(kind, set()):
        hints = get_type_hints(owner)
        for f in fields(owner):
            if f.init and _holds_text(hints[f.name]):
                yield owner, f.name


def _dataclasses(hint: Any, seen: set[Any]) -> set[type]:
    plain = get_origin(hint) if is_dataclass(get_origin(hint)) else hint
    if isinstance(plain, type) and is_dataclass(plain) and plain not in seen:
        seen.add(plain)
        for name, inner in get_type_hints(plain).items():
            if not name.startswith("_"):
                _dataclasses(inner, seen)
    for inner in get_args(hint):
        _dataclasses(inner, seen)
    return seen


def _holds_text(hint: Any) -> bool:
    if hint is str or hint is object:
        return True
    if isinstance(hint, type) and (issubclass(hint, Enum) or is_dataclass(hint)):
        return False
    origin = get_origin(hint)
    if origin in (Union, UnionType, tuple, frozenset) or origin is not None:
        return not is_dataclass(origin) and any(map(_holds_text, get_args(hint)))
    return False


# --- deciding again -----------------------------------------------------------------------------


@pytest.mark.parametrize("scene", SCENES)
def test_a_file_is_decided_again_in_the_same_way(scene: str) -> None:
    """Every flag of every scene, from its file alone."""
    for change in changes_of(SCENES[scene]):
        checked = verify(content_of(a_record(change.flag.rule, SCENES[scene])))
        assert said(checked) == []
        assert (checked.decided, checked.undecidable, checked.notes) == (1, [], [])


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (lambda f: f["flag"].update(severity="low"), "severity"),
        (lambda f: f["flag"]["facts"].update(seconds=1), "facts"),
        (lambda f: f["flag"].update(certainty="needs-review"), "certainty"),
        (lambda f: f["flag"].update(message="Nothing happened."), "message"),
        (lambda f: f["flag"]["spans"].clear(), "spans"),
    ],
)
def test_a_forged_decision_is_not_what_the_rules_decide(
    edit: Callable[[dict[str, Any]], object], found: str
) -> None:
    """Even with new digests the recorded decision does not follow from the dossier."""

    def both(file: dict[str, Any]) -> None:
        edit(file)
        file["history"][-1]["flag"] = file["flag"]

    content = content_of(a_record("staff-left-early", LEFT_EARLY))
    problems = said(verify(edited(content, both, sealed_again=True)))
    assert [p for p in problems if p.startswith("history") and found in p], problems


def test_a_forged_dossier_is_decided_otherwise() -> None:
    """Staff who are made to stay leave no flag."""

    def stay(file: dict[str, Any]) -> None:
        for kept in file["dossiers"][0]["dossier"]["attendances"]:
            if kept["kind"] == "staff":
                kept["visits"][0]["end_at"] = kept["visits"][0]["end_at"].replace("15:30", "15:45")

    content = content_of(a_record("staff-left-early", LEFT_EARLY))
    problems = said(verify(edited(content, stay, sealed_again=True)))
    assert any("recorded, but not found again" in p for p in problems)
    assert any("timeline" in p for p in problems)


def test_a_withdrawal_is_decided_again() -> None:
    """What was recorded as gone must not be found; what is found again is said."""
    record = a_record("staff-left-early", LEFT_EARLY)
    gone = replace(record.flag, status=FlagStatus.WITHDRAWN)
    clean = held(staff((0, 45)), partner((0, 44)), *students((0, 45)))
    last = replace(record.history[0], change="withdrawn", flag=gone, snapshot="6" * 64)
    withdrawn = replace(
        record,
        flag=gone,
        history=[*record.history, last],
        snapshots={**record.snapshots, "6" * 64: a_snapshot(clean)},
    )
    assert said(verify(content_of(withdrawn))) == []

    wrong = replace(withdrawn, snapshots={**record.snapshots, "6" * 64: a_snapshot(LEFT_EARLY)})
    assert any("recorded as gone, but found again" in p for p in said(verify(content_of(wrong))))


@pytest.mark.parametrize("withheld", list(Withheld))
def test_what_has_no_dossier_cannot_be_decided_again(withheld: Withheld) -> None:
    """It says why, and is no mistake."""
    checked = verify(content_of(a_record("staff-left-early", LEFT_EARLY, withheld=withheld)))
    assert said(checked) == []
    assert checked.decided == 0
    assert len(checked.undecidable) == 1
    assert "dossier" in checked.undecidable[0]


def test_a_file_that_would_be_too_large_has_its_first_and_last_dossier() -> None:
    """It says what was left out, and agrees with the database all the same."""
    minutes = (25, 30, 35)
    records = [
        a_record(
            "staff-left-early",
            running(minute, staff((0, 20)), partner((0, None)), *students((0, None))),
        )
        for minute in minutes
    ]
    digests = [f"{minute}" * 32 for minute in minutes]
    whole = Record(
        records[-1].flag,
        [replace(r.history[0], snapshot=d) for r, d in zip(records, digests, strict=True)],
        (),
        {d: r.snapshots[STORED] for r, d in zip(records, digests, strict=True)},
    )
    checked = verify(content_of(whole.shortened()))
    assert said(checked) == []
    assert checked.decided == 2
    (missing,) = checked.undecidable
    assert "too large" in missing
    assert checked.file is not None
    assert against(checked.file, whole) == []


def test_of_a_confidential_service_only_that_something_is_there() -> None:
    """Neither rule, partner, school nor sentence."""
    record = a_record("staff-left-early", LEFT_EARLY, withheld=Withheld.CONFIDENTIAL)
    text = content_of(record).decode()
    for word in ("staff-left-early", "northstar", "lincoln", "14:00", "2026-10-13T15:00"):
        assert word not in text
    explanation = explain(record, [])
    assert (explanation.rule, explanation.basis) == (None, None)
    assert "confidential" in explanation.without


def test_a_confidential_intruder_is_decided_again_from_what_is_kept_of_the_service() -> None:
    """Presence by role and number, without a name; a terminal shows nothing of it."""
    record = a_confined_record()
    checked = verify(CONFINED_CONTENT)
    assert (said(checked), checked.undecidable, checked.decided) == ([], [], 1)
    assert checked.file is not None
    assert against(checked.file, record) == []
    (kept,) = checked.file.dossiers
    assert kept.about == ("confidential-intruder",)
    assert kept.dossier.meeting is None
    for word in (b"northstar", b"partner.example", b"guide", b"Lincoln"):
        assert word not in CONFINED_CONTENT
    explanation = explain(record, [])
    assert (explanation.rule, explanation.basis) == (None, None)
    assert "only its evidence file" in explanation.without


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_any_changed_byte_of_a_confidential_file_is_found(data: st.DataObject) -> None:
    """As of any other."""
    changed = bytearray(CONFINED_CONTENT)
    place = data.draw(st.integers(0, len(changed) - 1))
    changed[place] ^= data.draw(st.integers(1, 255))
    assert verify(bytes(changed)).problems


def test_a_forged_stay_in_a_confidential_meeting_is_decided_otherwise() -> None:
    """Although all digests are right again."""

    def shorten(document: dict[str, Any]) -> None:
        (kept,) = document["dossiers"]
        visits = [v for a in kept["dossier"]["attendances"] for v in a["visits"]]
        for visit in (*visits, *kept["timeline"]):
            visit["end_at"] = visit["start_at"]

    checked = verify(edited(CONFINED_CONTENT, shorten, sealed_again=True))
    assert any("not found again" in problem for problem in said(checked))


def a_confined_record() -> Record:
    """A flag about an extra person, with what is kept of the meeting."""
    dossier = session(staff((10, 11)))
    record = a_record("confidential-intruder", dossier)
    small = confined(dossier, Policy())
    assert small is not None
    (whole,) = record.snapshots.values()
    kept = replace(whole, dossier=small, undecided=(), about=("confidential-intruder",))
    (entry,) = record.history
    history = [replace(entry, withheld=Withheld.CONFIDENTIAL)]
    return replace(record, history=history, snapshots={STORED: kept})


CONFINED_CONTENT = content_of(a_confined_record())


def test_other_rules_are_named_and_not_guessed() -> None:
    """Decided again by these rules, it says whose the recorded decision is."""
    record = a_record("staff-left-early", LEFT_EARLY)
    ((digest, kept),) = record.snapshots.items()
    older = replace(record, snapshots={digest: replace(kept, program="0.0.9", rules="0" * 16)})
    checked = verify(content_of(older))
    assert said(checked) == []
    (note,) = checked.notes
    assert "0.0.9" in note
    assert rules_version() in note

    lenient = replace(kept, rules="0" * 16, policy=Policy(Thresholds(after_s=4000)))
    checked = verify(content_of(replace(record, snapshots={digest: lenient})))
    assert any("by other rules than decided it" in p for p in said(checked))


# --- changed files ------------------------------------------------------------------------------

CONTENT = content_of(a_record("partner-unregistered", SCENES["stranger"]))


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found(place: int, change: int) -> None:
    """Whichever byte, whatever it becomes, spaces too."""
    changed = bytearray(CONTENT)
    changed[place] ^= change
    assert verify(bytes(changed)).problems


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(CONTENT) - 1))
def test_a_file_cut_off_anywhere_is_found(length: int) -> None:
    """Even if only its last line end is missing."""
    assert verify(CONTENT[:length]).problems


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_nothing_raises(content: bytes) -> None:
    """Whatever a file holds."""
    assert verify(content).problems


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"schema": "meetbot/evidence/1"}',
        b'{"schema": "meetbot/evidence/1", "parts": {"a": 1}, "x": NaN}',
        b'{"schema": "meetbot/evidence/1", "x": 1e999}',
        b'{"schema": "meetbot/evidence/1", "x": ' + b"9" * 5000 + b"}",
        b'{"schema": "meetbot/evidence/1", "x": ' + b"[" * 200_000,
        b'{"schema": "\\ud800"}',
        b'{"schema": {"a": 1}}',
        b" " * (MOST_BYTES + 1),
    ],
    ids=lambda content: str(content[:50]),
)
def test_what_is_no_evidence_file_is_said(content: bytes) -> None:
    """In a sentence, with its place."""
    checked = verify(content)
    assert checked.problems
    assert checked.decided == 0
    assert all(len(text) < 3000 for text in said(checked))


def test_a_file_of_another_schema_is_named() -> None:
    """It is not read by guessing."""
    content = CONTENT.replace(b"meetbot/evidence/1", b"meetbot/evidence/2")
    (problem,) = said(verify(content))
    assert "meetbot/evidence/2" in problem
    assert "meetbot/evidence/1" in problem


def test_the_changed_part_is_named() -> None:
    """By its place in the file."""
    content = content_of(a_record("staff-left-early", LEFT_EARLY))
    changed = content.replace(b'"in_directory": null', b'"in_directory": true', 1)
    assert changed != content
    (problem,) = said(verify(changed))
    assert problem.startswith("dossiers[0].dossier.attendances: was changed")


def test_another_form_of_the_same_contents_is_named_with_its_line() -> None:
    """A space is a change as well."""
    lines = CONTENT.split(b"\n")
    lines[9] += b" "
    (problem,) = said(verify(b"\n".join(lines)))
    assert problem.startswith("line 10:")


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (lambda f: f.update(extra=1), "extra"),
        (lambda f: f.pop("rule"), "rule"),
        (lambda f: f["parts"].update(flag="0" * 64), "flag"),
        (lambda f: f.update(digest="0" * 64), "digest"),
        (lambda f: f.update(parts=[]), "parts"),
        (lambda f: f["dossiers"].clear(), "dossiers"),
        (lambda f: f.update(dossiers=7), "dossiers"),
        (lambda f: f["dossiers"][0].update(dossier=None), "dossier"),
    ],
)
def test_added_and_removed_parts_are_named(
    edit: Callable[[dict[str, Any]], object], place: str
) -> None:
    """By somebody who did not think of the digests."""
    problems = said(verify(edited(CONTENT, edit, sealed_again=False)))
    assert any(place in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda f: f["dossiers"][0]["dossier"].update(weather="fine"), "weather"),
        (lambda f: f["dossiers"][0]["policy"]["thresholds"].update(new_s=5), "new_s"),
        (lambda f: f["dossiers"][0]["policy"]["thresholds"].update(after_s="x"), "after_s"),
        (lambda f: f["dossiers"][0]["policy"]["thresholds"].update(after_s=1.5), "after_s"),
        (lambda f: f["dossiers"][0]["dossier"].update(zone="Mars/Olympus"), "zone"),
        (lambda f: f["dossiers"][0]["dossier"].pop("start_at"), "start_at"),
        (lambda f: f["history"].clear(), "history"),
        (lambda f: f["history"][0].update(decided_on="7" * 64), "missing in the file"),
        (lambda f: f.update(status="dismissed"), "status"),
        (lambda f: f["flag"].update(opened_at="2020-01-01T00:00:00Z"), "opened_at"),
        (
            lambda f: f["decisions"].append(
                {
                    "at": "2026-10-13T15:00:00Z",
                    "status": "dismissed",
                    "reason": "technical",
                    "by": "x",
                    "has_note": False,
                }
            ),
            "no line of the history",
        ),
    ],
)
def test_contents_that_do_not_fit_are_named(
    edit: Callable[[dict[str, Any]], object], words: str
) -> None:
    """By somebody who thought of the digests."""
    problems = said(verify(edited(CONTENT, edit, sealed_again=True)))
    assert any(words in problem for problem in problems), problems


HOSTILE = ("</script>\r\n", "\u202egnihton", "x" * 100_000, "(.*)+$ [", "a\u0000b", "k")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_carried_and_decided_again(text: str) -> None:
    """In the registry, on the event and among the guests."""
    registry = a_registry(
        partners=(replace(NORTHSTAR, name=text),),
        schools=(replace(LINCOLN, name=text),),
        identities=(replace(NAMED, person_name=text),),
        contracts=(),
    )
    meeting = {"calendars": (text,), "meeting_code": text}
    dossier = a_dossier(registry=registry, meeting=meeting)
    dossier = replace(
        dossier,
        key=replace(dossier.key, ical_uid=text),
        host=replace(dossier.host, display_name=text),
    )
    record = a_record("contract-missing", dossier)
    content = content_of(record)
    assert content.isascii()
    assert said(verify(content)) == []
    assert explain(record, []).basis is not None


# --- schema and explanation ---------------------------------------------------------------------


def test_the_schema_is_that_of_the_models() -> None:
    """Versioned, and closed: nothing is in a file that it does not name."""
    schema = json_schema()
    assert schema["properties"]["schema"]["const"] == "meetbot/evidence/1"
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Dossier"]["additionalProperties"] is False
    file = json.loads(CONTENT)
    assert set(file) == set(schema["properties"])
    assert documents.plain(documents.from_document(file)) == file


def test_an_explanation_measures_presence_against_its_limits() -> None:
    """Certain and possible seconds, and the limit by its name."""
    basis = explain(a_record("staff-left-early", LEFT_EARLY), []).basis
    assert basis is not None
    first = basis.measured[0]
    assert (first.certain, first.possible, first.limit) == (840, 840, 60)
    assert first.limit_name == "after_s"
    assert len({seen.who for seen in basis.timeline}) == 4


def test_an_explanation_names_the_nearest_authorization_and_where_it_fails() -> None:
    """The fields, not only that it fails."""
    registry = a_registry(
        authorizations=(
            replace(AUTHORIZATION, school_id="washington"),
            replace(
                AUTHORIZATION, authorization_id="a2", school_id="washington", program_id="other"
            ),
        )
    )
    basis = explain(a_record("authorization-scope", a_dossier(registry=registry)), []).basis
    assert basis is not None
    first, second = [line for line in basis.near_misses if "fails on" in line]
    assert first.startswith("a1:")
    assert first.endswith("fails on: school")
    assert second.endswith("fails on: program, school")


@pytest.mark.parametrize("scene", SCENES)
def test_every_flag_can_be_explained(scene: str) -> None:
    """With sources, rows, and what is not known."""
    for change in changes_of(SCENES[scene]):
        explanation = explain(a_record(change.flag.rule, SCENES[scene]), [])
        assert explanation.basis is not None
        assert explanation.basis.sources
        assert explanation.rule is not None
        assert explanation.rule.sentences["officer"]


def test_times_are_those_of_the_meeting() -> None:
    """The scheduled ones, and when it was decided."""
    basis = explain(a_record("staff-left-early", LEFT_EARLY), []).basis
    assert basis is not None
    assert (basis.starts_at, basis.ends_at) == (START, at(45))
    assert basis.as_of == LEFT_EARLY.as_of
