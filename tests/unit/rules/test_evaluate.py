"""One evaluation: phases, scopes, evidence, switches, re-checks; and it never fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import meetbot.rules
from meetbot.domain.attendance import Identity
from meetbot.domain.dossier import Dossier, Host, SourceState
from meetbot.domain.findings import Concern, Evidence, Finding, Phase, Severity, Undecided
from meetbot.domain.invitation import MarkKind, StudentMark, TextField, TextSearch
from meetbot.domain.meetings import Scope, TextDisclosure
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.platforms import Platform, PlatformLink, find_links
from meetbot.domain.policy import Limits, Policy, RuleSwitch
from meetbot.domain.registry import Exemption, ExemptionKind, Registry
from meetbot.domain.shared_files import SharedFile
from meetbot.rules import (
    KNOWN_RULES,
    PRESENCE_RULES,
    RULES,
    checks,
    evaluate,
    fingerprints_after,
    is_confidential,
    next_look,
    waiting_without_staff,
)
from meetbot.rules.catalogue import rules_in
from meetbot.rules.rule import ALWAYS, Rule, Unsure
from meetbot.rules.rule import rule as a_rule
from tests.dossiers import (
    AUTHORIZATION,
    CLASS,
    HOST,
    LINCOLN,
    PARTNER,
    START,
    STRANGER,
    a_conference,
    a_dossier,
    a_meeting,
    a_registry,
    a_student,
    adhoc,
    an_attendance,
    an_exemption,
    an_invitee,
    asked,
    at,
    found,
    held,
    hull,
    is_undecided,
    judge,
    partner,
    running,
    somebody,
    staff,
    students,
    the,
    without,
)

CATALOGUE = """
partner-unregistered partner-lookalike-domain contract-missing contract-not-started
contract-expired contract-scope certification-missing certification-expired program-paused
flyer-only-program authorization-missing authorization-scope authorization-retroactive
authorization-stale authorizer-role organizer-not-staff organizer-unresolved guests-can-invite
created-by-delegate guest-added-by-partner open-access-space meeting-code-reused
student-contacts-visible unapproved-platform no-staff-joined staff-joined-late staff-left-early
staff-presence-gap partner-alone-with-student unidentified-participant
uninvited-external-joined adhoc-meeting outside-authorized-window evidence-incomplete
student-data-in-text student-roster-attached partner-unexpected-account staff-unexpected-account
substitute-supervisor confidential-intruder
"""


def test_the_rules_of_the_catalogue_are_there() -> None:
    """Every rule by its id, and the five of the presence family."""
    assert set(CATALOGUE.split()) == KNOWN_RULES
    assert {rule for rule in KNOWN_RULES if RULES[rule].family} == PRESENCE_RULES


def test_each_module_of_the_checks_holds_rules() -> None:
    """Each rule once, and none that is defined elsewhere."""
    found = list(rules_in(checks))

    assert sorted(rule.id for rule in found) == list(RULES)
    assert all(RULES[rule.id] is rule for rule in found)
    assert list(rules_in(json)) == []


def test_every_rule_has_its_row() -> None:
    """The README beside the rules tells severity, phases and needs of each as they are."""
    readme = (Path(meetbot.rules.__file__).parent / "README.md").read_text()
    rows = {
        cells[1].strip("` "): [cell.strip() for cell in cells[2:7]]
        for line in readme.splitlines()
        if line.startswith("| `") and (cells := line.split("|"))
    }

    assert rows.keys() == KNOWN_RULES
    for rule in RULES.values():
        severity, phases, needs, fires, not_fires = rows[rule.id]
        assert severity.startswith(rule.severity)
        assert phases == " ".join(p.value[0].upper() for p in Phase if p in rule.phases)
        wanted = {*(str(e) for e in rule.needs), *(f"({e})" for e in rule.wants)}
        assert set(needs.split()) - {"–"} == wanted
        assert fires
        assert not_fires


def test_the_readme_names_the_rules_an_administrator_can_mend() -> None:
    """Exactly those rules have an action for administrators."""
    readme = (Path(meetbot.rules.__file__).parent / "README.md").read_text()
    (paragraph,) = [p for p in readme.split("\n\n") if p.startswith("**Administrators.**")]
    named = {word for word in paragraph.split("`") if word in KNOWN_RULES}

    assert named == {rule.id for rule in RULES.values() if rule.admin}


@pytest.mark.parametrize("phase", Phase)
def test_only_rules_of_the_phase_are_asked(phase: Phase) -> None:
    """S, L and A each have their rules; all of them are decided on full evidence."""
    verdict = judge(replace(a_dossier(), phase=phase))

    assert verdict.decided == {rule.id for rule in RULES.values() if phase in rule.phases}
    assert not verdict.undecided


def test_a_clean_meeting_is_clean_in_every_phase() -> None:
    """No rule finds anything in a meeting that is in order."""
    for phase in Phase:
        assert not judge(replace(a_dossier(), phase=phase)).findings


def test_in_no_scope_everything_is_decided_and_nothing_found() -> None:
    """The last outsider was uninvited: open flags are withdrawn."""
    verdict = judge(a_dossier((HOST, STRANGER), scope=Scope.NONE))

    assert not verdict.findings
    assert "partner-unregistered" in verdict.decided


def test_the_reason_of_an_undecided_rule_is_a_sentence() -> None:
    """The source's own problem, or which source it was."""
    dossier = a_dossier(evidence=without(Evidence.REGISTRY))
    (undecided,) = asked("contract-missing", dossier).undecided

    assert undecided.missing == {Evidence.REGISTRY}
    assert undecided.reason == "the partner registry could not be read in full"

    problem = {Evidence.REGISTRY: SourceState(is_full=False, problem="no registry was imported")}
    told = judge(replace(dossier, evidence={**dossier.evidence, **problem})).undecided
    assert {u.reason for u in told} == {"no registry was imported"}


def test_a_districts_severity_never_raises_meetings_of_adults() -> None:
    """A higher severity holds in full scope; in adult scope the rule stays low."""
    policy = Policy(rules={"partner-unregistered": RuleSwitch(severity=Severity.CRITICAL)})
    adults = a_dossier((HOST, STRANGER), scope=Scope.ADULT)

    loud = the("partner-unregistered", a_dossier((HOST, STRANGER)), policy)

    assert loud.severity is Severity.CRITICAL
    assert the("partner-unregistered", adults, policy).severity is Severity.LOW


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-60 * 24 * 8, -60 * 24 * 7),
        (-60 * 24 * 7, -60 * 24),
        (-60 * 24, -60),
        (-60, 0),
        (0, 55),
        (55, 45 + 60 * 24),
    ],
)
def test_when_to_look_next(minutes: float, expected: float) -> None:
    """T-7 d, T-24 h, T-1 h, start, end + 10 min, end + 24 h; each strictly later."""
    assert next_look(a_dossier(as_of=at(minutes))) == at(expected)


def test_after_all_there_is_nothing_to_look_at() -> None:
    """Two days later; but a call that ended late has its own day."""
    assert next_look(held()) is None
    late = held(conferences=(a_conference(0, 60 * 30),))
    assert next_look(late) == at(60 * 54)


# --- one rule, part by part ---------------------------------------------------------------------

OPEN = {"guests_can_invite": True}
"""Found by `guests-can-invite`, which asks nobody else."""


def test_a_finding_is_the_concern_with_the_sentences_of_its_rule() -> None:
    """And nothing else: occurrence and phase of the meeting, texts and family of the rule."""
    dossier = a_dossier(meeting=OPEN)
    rule = RULES["guests-can-invite"]
    (concern,) = rule.check(dossier, Policy())
    assert isinstance(concern, Concern)

    (finding,) = asked(rule.id, dossier).findings

    facts = {**concern.facts, "identity": finding.concern.facts["identity"]}
    whole = replace(concern, facts=facts, program_id="path")
    assert finding == Finding(
        rule="guests-can-invite",
        occurrence=dossier.key,
        phase=Phase.SCHEDULED,
        severity=Severity.MEDIUM,
        concern=whole,
        message="Guests can add people to this meeting of partner and students.",
        advice="Guests can add people; switch off Invite others.",
        fix="Change the setting; this then closes by itself.",
        admin=rule.admin,
    )


@pytest.mark.parametrize("rule", sorted(PRESENCE_RULES))
def test_findings_of_presence_are_one_family(rule: str) -> None:
    """By it a later one takes the place of an earlier one."""
    alone = (partner((0, 45)), *students((0, 45), number=1))
    teacher = () if rule == "no-staff-joined" else (staff((10, 20), (30, 40)),)
    dossier = held(*teacher, *alone)

    assert the(rule, dossier).family == "presence"


def test_how_surely_people_are_known_is_told_by_class() -> None:
    """Of those invited and of those present; of neither where there is nobody."""
    guests = (HOST, PARTNER, replace(STRANGER, confidence=Confidence.COMPATIBLE), *CLASS)
    dossier = a_dossier(guests, meeting=OPEN)
    again = an_invitee(Kind.PARTNER, "other@partner.example", confidence=Confidence.COMPATIBLE)
    busy = replace(dossier, invitees=(*guests, again), attendances=(staff((0, 45)),))

    invited = {"external": ["E3"], "partner": ["E2"], "staff": ["E1"], "student": ["E1"]}
    assert the("guests-can-invite", dossier).concern.facts["identity"] == {"invited": invited}
    assert the("guests-can-invite", busy).concern.facts["identity"] == {
        "invited": {**invited, "partner": ["E2", "E3"]},
        "present": {"staff": ["E1"]},
    }


def test_a_rule_that_is_switched_off_is_neither_asked_nor_decided() -> None:
    """By its own switch, not by another's."""
    dossier = a_dossier(meeting=OPEN)
    off = Policy(rules={"guests-can-invite": RuleSwitch(is_enabled=False)})
    other = Policy(rules={"open-access-space": RuleSwitch(is_enabled=False)})

    nothing = asked("guests-can-invite", dossier, off)
    assert (nothing.findings, nothing.decided, nothing.undecided) == ((), frozenset(), ())
    assert found("guests-can-invite", dossier, other)


def test_what_is_missing_is_named_with_the_doubt() -> None:
    """A source that can hide something, beside what the rule itself could not tell."""
    unread = {Evidence.CALENDAR: SourceState(is_full=False, problem="the quota was used up")}
    dossier = a_dossier(evidence={**a_dossier().evidence, **unread})
    doubtful = replace(dossier, space=None)

    (hidden,) = asked("guests-can-invite", dossier).undecided
    (both,) = asked("open-access-space", doubtful).undecided

    assert hidden == Undecided(
        "guests-can-invite", frozenset({Evidence.CALENDAR}), "the quota was used up"
    )
    assert both == Undecided(
        "open-access-space",
        frozenset({Evidence.SPACE, Evidence.CALENDAR}),
        "the settings of the Meet space are not known; the quota was used up",
    )


def test_an_adhoc_call_lacks_no_invitation_but_all_else_counts() -> None:
    """It has no guest list to read; its registry it needs like any meeting."""
    call = adhoc(partner((0, 45)), evidence=without(Evidence.GUESTS))
    unread = replace(call, evidence=without(Evidence.GUESTS, Evidence.REGISTRY))

    assert not is_undecided("certification-missing", call)
    assert asked("certification-missing", unread).undecided[0].missing == {Evidence.REGISTRY}


def test_a_cancelled_meeting_counts_if_it_was_held_anyway() -> None:
    """Before, and where no call was seen, it is off: decided, and nothing is found."""
    registry = a_registry(certifications=())
    off: dict[str, Any] = {"meeting": {"is_cancelled": True}, "registry": registry}
    before = a_dossier(**off, conferences=(a_conference(),))
    rule = "certification-missing"

    assert found(rule, held(partner((0, 45)), **off))
    assert not found(rule, held(partner((0, 45)), conferences=(), **off))
    assert not found(rule, before)
    assert found(rule, a_dossier(registry=registry))
    assert not is_undecided(rule, before)


def test_a_running_call_is_looked_at_again_by_the_districts_limits() -> None:
    """Whatever is asked, and not once it is over."""
    patient = Policy(limits=Limits(unidentified=timedelta(minutes=5)))
    call = running(1, somebody((0, None)))

    assert asked("organizer-unresolved", call, patient).recheck_at == at(5)
    assert asked("organizer-unresolved", held(somebody((0, None))), patient).recheck_at is None


def test_two_people_of_one_organization_are_one_finding() -> None:
    """Whoever is found again under one key adds nothing."""
    people = (partner((0, 45), is_invited=False), partner((0, 45), person="p2", is_invited=False))

    (finding,) = found("uninvited-external-joined", held(*people, invitees=(HOST, *CLASS)))

    assert finding.concern.subject == "northstar"


# --- properties ---------------------------------------------------------------------------------

minutes = st.integers(-90, 180).map(lambda tenths: tenths / 2)
LINKS = [
    PlatformLink(Platform.ZOOM, ""),
    PlatformLink(Platform.OTHER, "x.example"),
    *find_links("tel:+15551234567 https://bit.ly/x https://zoom.us.evil.example/j/1"),
]
MARKS = [
    StudentMark(field, kind, 10 * place, 5)
    for place, (field, kind) in enumerate(product(TextField, MarkKind))
]
NAMED_HOST = replace(
    an_invitee(Kind.STAFF, "n@district.example"),
    guest=replace(HOST.guest, address_key="named", name_tokens=("dana", "rivera")),
)
searches = st.none() | st.builds(
    TextSearch,
    st.lists(st.sampled_from(MARKS), max_size=4, unique=True).map(tuple),
    st.booleans(),
    st.booleans(),
)
spans = st.tuples(minutes, st.none() | minutes)
invitees = st.lists(
    st.sampled_from(
        [
            HOST,
            PARTNER,
            STRANGER,
            *CLASS,
            a_student(9, via_group="g"),
            *(an_invitee(kind, f"{kind}@place.example") for kind in Kind),
            an_invitee(Kind.PARTNER, "ghost@nowhere.example", partner_id="not in the registry"),
            an_invitee(Kind.EXTERNAL, "x@gmail.com", lookalike_of="also not there"),
            NAMED_HOST,
        ]
    ),
    unique_by=lambda invitee: invitee.guest.address_key,
)


@st.composite
def attendances(draw: st.DrawFn) -> Any:
    """Anybody, with any visits, inverted ones too."""
    kind = draw(st.sampled_from(list(Kind)))
    attendance = an_attendance(
        draw(st.sampled_from("abcdef")),
        kind,
        *draw(st.lists(spans, max_size=3)),
        confidence=draw(st.sampled_from(list(Confidence))),
        partner_id=draw(st.sampled_from([None, "northstar", "unknown"])),
        domain=draw(st.sampled_from([None, "", "partner.example", "gmail.com", "xn--a"])),
        is_invited=draw(st.booleans()),
        address_key=draw(st.sampled_from([None, "a", "named", PARTNER.guest.address_key])),
        exemption=draw(
            st.sampled_from([None, an_exemption(ExemptionKind.GUARDIAN, "x@y.example")])
        ),
    )
    name = Identity(attendance.form, name_tokens=draw(st.sampled_from([(), ("dana", "rivera")])))
    visits = tuple(replace(visit, identity=name) for visit in attendance.visits)
    attendance = replace(attendance, visits=visits)
    return hull(attendance) if draw(st.booleans()) else attendance


FILES = ["contracts", "certifications", "authorizations", "programs", "identities", "partners"]
EXEMPTIONS = [
    an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True),
    an_exemption(ExemptionKind.MONITORED_TUTORING, platform=Platform.GOOGLE_MEET),
]


def _a_registry_without(files: set[str], exemptions: list[Exemption]) -> Registry:
    return a_registry(exemptions=tuple(exemptions), **dict.fromkeys(files, ()))


registries = st.builds(
    _a_registry_without,
    st.sets(st.sampled_from(FILES), max_size=3),
    st.lists(st.sampled_from(EXEMPTIONS), max_size=1),
)


@st.composite
def dossiers(draw: st.DrawFn) -> Dossier:
    """Any mixture of people, times, sources and settings."""
    people = draw(invitees)
    event = a_meeting(
        people,
        start_at=at(draw(minutes)),
        end_at=at(draw(minutes)),
        is_cancelled=draw(st.booleans()),
        guests_can_see_others=draw(st.booleans()),
        guests_can_invite=draw(st.booleans()),
        are_settings_known=draw(st.booleans()),
        links=draw(
            st.sampled_from(
                [(), (PlatformLink(Platform.ZOOM, ""),), (PlatformLink(Platform.OTHER, "x"),)]
            )
        ),
        organizer=draw(st.sampled_from([None, HOST.guest, PARTNER.guest])),
        search=draw(searches),
        files=draw(st.sampled_from([(), (SharedFile("file", "roster"),)])),
        text_disclosure=draw(st.sampled_from([None, TextDisclosure(at(-9000), None, (MARKS[0],))])),
    )
    registry: Registry = draw(registries)
    dossier = Dossier(
        key=event.key,
        phase=draw(st.sampled_from(list(Phase))),
        scope=draw(st.sampled_from(list(Scope))),
        as_of=at(draw(st.integers(-20000, 20000))),
        start_at=event.start_at,
        end_at=event.end_at,
        meeting=draw(st.sampled_from([event, event, None])),
        invitees=tuple(people),
        host=Host(
            draw(st.sampled_from([None, HOST, NAMED_HOST, PARTNER, *people])),
            draw(st.sampled_from([None, LINCOLN])),
        ),
        conferences=tuple(a_conference(a, b) for a, b in draw(st.lists(spans, max_size=2))),
        attendances=tuple(draw(st.lists(attendances(), max_size=5))),
        registry=registry,
        evidence=without(*draw(st.sets(st.sampled_from(list(Evidence)), max_size=2))),
        zone=a_dossier().zone,
        is_live=draw(st.booleans()),
        is_final=draw(st.booleans()),
        contradictions=draw(st.sampled_from([(), ("they differ",)])),
    )
    if dossier.meeting is None or draw(st.booleans()):
        return dossier
    kept = fingerprints_after(a_dossier(), Policy())
    return replace(dossier, meeting=replace(dossier.meeting, fingerprints=kept))


@settings(max_examples=250, deadline=None)
@given(dossiers())
def test_every_dossier_gets_the_same_verdict_twice(dossier: Dossier) -> None:
    """No dossier fails; keys are equal and unique; decided and undecided share nothing."""
    verdict, again = evaluate(dossier, Policy()), evaluate(replace(dossier), Policy())
    keys = [finding.key for finding in verdict.findings]
    undecided = {u.rule for u in verdict.undecided}

    assert verdict == again
    assert len(keys) == len(set(keys))
    assert not verdict.decided & undecided
    assert {f.rule for f in verdict.findings} <= verdict.decided | undecided
    assert all(dossier.phase in RULES[f.rule].phases for f in verdict.findings)
    assert verdict.recheck_at is None or verdict.recheck_at > dossier.as_of
    assert all("{" not in f.message + f.advice + f.fix for f in verdict.findings)


@settings(max_examples=100, deadline=None)
@given(dossiers())
def test_the_other_questions_have_answers_too(dossier: Dossier) -> None:
    """Fingerprints, confidentiality, waiting and the next look of any dossier."""
    fingerprints_after(dossier, Policy())
    assert is_confidential(dossier) in (True, False)
    assert waiting_without_staff(dossier, Policy()) >= timedelta(0)
    look = next_look(dossier)
    assert look is None or look > dossier.as_of


def test_hostile_names_stay_plain_text() -> None:
    """Braces and markup in the registry are data, never a template."""
    hostile = replace(LINCOLN, name="{0.__class__}<script>\r\nBcc: x")
    row = replace(AUTHORIZATION, school_id="washington")
    registry = a_registry(schools=(hostile,), authorizations=(row,))

    finding = the("authorization-scope", a_dossier(registry=registry, host=Host(HOST, hostile)))

    assert "{0.__class__}<script>" in finding.message
    assert finding.occurrence.original_start_at == START


def test_findings_belong_to_partner_and_program() -> None:
    """Flags about the whole meeting name its one partner and program; two partners, none."""
    open_to_guests = {"guests_can_invite": True}
    other = an_invitee(Kind.PARTNER, "o@other.example", partner_id="other")

    one = the("guests-can-invite", a_dossier(meeting=open_to_guests)).concern
    two = the(
        "guests-can-invite", a_dossier((HOST, PARTNER, other, *CLASS), meeting=open_to_guests)
    )

    assert (one.partner_id, one.program_id) == ("northstar", "path")
    assert (two.concern.partner_id, two.concern.program_id) == (None, None)


def test_how_surely_people_are_known_is_a_fact_of_every_flag() -> None:
    """By class and level, of guests and of those present; nobody is named or counted."""
    dossier = held(staff((0, 30)), partner((0, 45)), *students((0, 45)))

    identity = the("staff-left-early", dossier).concern.facts["identity"]

    expected = {"partner": ["E2"], "staff": ["E1"], "student": ["E1"]}
    present = {"partner": ["E2"], "staff": ["E1"], "student": ["E1"]}
    assert identity == {"invited": expected, "present": present}
    assert list(identity) == ["invited", "present"]


def test_what_is_missing_of_two_sources_is_told_of_both() -> None:
    """In one line, with both sources named."""
    dossier = a_dossier(evidence=without(Evidence.REGISTRY, Evidence.CALENDAR))
    (stale_,) = asked("authorization-stale", dossier).undecided

    assert stale_.missing >= {Evidence.REGISTRY, Evidence.CALENDAR}
    assert "the calendar could not be read in full; " in stale_.reason


def test_a_rule_is_what_its_decorator_says() -> None:
    """Each part where it belongs, and the plain defaults."""

    def check(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
        yield from ()

    needs, wants = {Evidence.REGISTRY}, {Evidence.CALENDAR}
    full = a_rule(
        "x", severity=Severity.HIGH, phases=ALWAYS, officer="o", teacher="t", fix="f",
        needs=needs, wants=wants, scopes={Scope.ADULT}, family="presence", is_sticky=True,
        admin="a",
    )(check)  # fmt: skip
    plain = a_rule("x", severity=Severity.LOW, phases={Phase.LIVE}, officer="o")(check)

    assert full == Rule(
        "x", Severity.HIGH, ALWAYS, frozenset(needs), frozenset(wants), frozenset({Scope.ADULT}),
        "o", "t", "f", "presence", True, check, "a",
    )  # fmt: skip
    assert plain == Rule(
        "x", Severity.LOW, frozenset({Phase.LIVE}), frozenset(), frozenset(),
        frozenset({Scope.FULL}), "o", "", "", None, False, check, "",
    )  # fmt: skip
