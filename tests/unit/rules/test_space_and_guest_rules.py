"""Access to the space, shared codes, who created the event, and who added guests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meetbot.domain.dossier import Dossier, Host, Invitee, SharedCode
from meetbot.domain.findings import Certainty, Evidence, Phase, Severity
from meetbot.domain.guest_list import (
    Edit,
    Editor,
    Entry,
    GuestList,
    entries_of,
    guest_list_after,
)
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.policy import Policy, SpecialAccounts
from meetbot.domain.registry import ExemptionKind, ProgramType
from meetbot.domain.spaces import Access, SpaceFacts
from meetbot.rules import explained_at
from tests.dossiers import (
    AUTHORIZATION,
    CLASS,
    EVERYTHING,
    HOST,
    LINCOLN,
    PARTNER,
    PROGRAM,
    STRANGER,
    TEACHER,
    a_dossier,
    a_guest,
    a_meeting,
    a_registry,
    a_student,
    an_exemption,
    an_invitee,
    asked,
    at,
    found,
    held,
    is_undecided,
    judge,
    the,
    without,
)

CODE = "abcdefghij"
HOUR = 60
DAY = 24 * HOUR


# --- open-access-space --------------------------------------------------------------------------


def a_space(access: Access | None = Access.OPEN, **changes: Any) -> SpaceFacts:
    """What was read of the meeting's space."""
    facts = SpaceFacts(CODE, HOST.guest.address_key, at(-DAY), "spaces/s", access, cohosts=())
    return replace(facts, **changes)


def test_anyone_can_enter_an_open_space() -> None:
    """Medium, with what the host and what an administrator can do."""
    finding = the("open-access-space", a_dossier(space=a_space(is_moderated=False)))

    assert finding.severity is Severity.MEDIUM
    assert finding.message == "Anyone with the link can enter."
    assert finding.advice == "Set access to Trusted or Restricted."
    assert "Meet safety settings" in finding.admin
    facts = finding.concern.facts
    assert (facts["access"], facts["host_management"], facts["cohosts"]) == ("open", False, "none")


def test_who_lets_people_in_is_told_without_students_names() -> None:
    """Co-hosts by class; an outside one by organization, a student only as a number."""
    cohosts = (an_invitee(Kind.STAFF, "co@district.example"), PARTNER, STRANGER, a_student(7))
    finding = the("open-access-space", a_dossier(space=a_space(), cohosts=cohosts))

    told = "1 staff, 1 student, Northstar and guest at elsewhere.example"
    assert finding.concern.facts["cohosts"] == told


def test_unknown_cohosts_are_said() -> None:
    """Who could not be read is no "none"."""
    finding = the("open-access-space", a_dossier(space=a_space(cohosts=None)))

    assert finding.concern.unknowns == ("Who the co-hosts are.",)
    assert "cohosts" not in finding.concern.facts


@pytest.mark.parametrize(
    "dossier",
    [
        a_dossier(space=a_space(Access.TRUSTED)),
        a_dossier(space=a_space(Access.RESTRICTED)),
        a_dossier((HOST, PARTNER), space=a_space()),
        a_dossier((HOST, *CLASS), space=a_space()),
        a_dossier((HOST, an_invitee(Kind.EXEMPT, "p@x.example"), *CLASS), space=a_space()),
        a_dossier(meeting={"meeting_code": None}, space=None),
    ],
    ids=["trusted", "restricted", "no students", "no partner", "exempt guest", "no code"],
)
def test_spaces_that_are_none_of_our_business(dossier: Dossier) -> None:
    """Only open spaces of partner and students are flagged."""
    assert not found("open-access-space", dossier)
    assert not is_undecided("open-access-space", dossier)


@pytest.mark.parametrize(
    "changes",
    [
        {"space": None},
        {"space": a_space(None)},
        {"space": a_space(), "evidence": without(Evidence.SPACE)},
    ],
    ids=["never read", "shown to its owner only", "not read since"],
)
def test_a_space_that_was_not_read_is_undecided(changes: dict[str, Any]) -> None:
    """What cannot be read is neither a pass nor an accusation."""
    dossier = a_dossier(**changes)

    assert not found("open-access-space", dossier)
    assert is_undecided("open-access-space", dossier)


def test_a_space_that_nobody_asked_for_is_not_known() -> None:
    """No state of the source at all is no pass either."""
    known = {source: state for source, state in EVERYTHING.items() if source is not Evidence.SPACE}

    (undecided,) = asked("open-access-space", a_dossier(space=None, evidence=known)).undecided

    assert undecided.reason == "the settings of the Meet space are not known"


def test_a_webinar_may_be_open() -> None:
    """Only for the hosts that the policy names."""
    dossier = a_dossier(space=a_space())

    for host, flags in ((TEACHER, 0), ("other@district.example", 1)):
        policy = Policy(accounts=SpecialAccounts(webinar_hosts=(host,)))
        assert len(found("open-access-space", dossier, policy)) == flags


# --- meeting-code-reused ------------------------------------------------------------------------

PARTNER_KEY = PARTNER.guest.address_key
OTHER = SharedCode(datetime(2026, 11, 3, 5, 30, tzinfo=UTC), frozenset({"key of another"}), True)


def test_a_code_on_two_events_with_other_guests() -> None:
    """Both sentences name the local date of the other event."""
    finding = the("meeting-code-reused", a_dossier(same_code=(OTHER,)))

    sentence = "Guests of 2026-11-02 can enter or read its chat; make a new link."
    assert finding.severity is Severity.MEDIUM
    assert (finding.message, finding.advice) == (sentence, sentence)
    assert finding.concern.certainty is Certainty.CONFIRMED


def test_several_events_are_one_flag_that_stays_the_same() -> None:
    """The nearest is named; another one that comes to it is the same flag."""
    later = replace(OTHER, start_at=OTHER.start_at + timedelta(days=60))
    one = the("meeting-code-reused", held(same_code=(later,)))
    two = the("meeting-code-reused", held(same_code=(OTHER, later)))

    assert one.key == two.key
    assert "2026-11-02" in two.message


@pytest.mark.parametrize(
    "externals", [frozenset({PARTNER_KEY}), frozenset()], ids=["same guests", "no outside guests"]
)
def test_guests_who_are_invited_here_anyway(externals: frozenset[str]) -> None:
    """Nobody strange can enter: no flag."""
    dossier = a_dossier(same_code=(replace(OTHER, externals=externals),))

    assert not found("meeting-code-reused", dossier)
    assert not is_undecided("meeting-code-reused", dossier)


def test_an_unknown_list_of_the_other_event_is_undecided() -> None:
    """Who is not seen there may be strange here."""
    other = replace(OTHER, externals=frozenset({PARTNER_KEY}), is_complete=False)

    assert is_undecided("meeting-code-reused", a_dossier(same_code=(other,)))


def test_an_unknown_list_here_needs_review() -> None:
    """The strange guest may be on the part of the list that is hidden."""
    dossier = a_dossier(same_code=(OTHER,), evidence=without(Evidence.GUESTS))

    finding = the("meeting-code-reused", dossier)
    assert finding.concern.certainty is Certainty.NEEDS_REVIEW


# --- created-by-delegate ------------------------------------------------------------------------

COLLEAGUE = an_invitee(Kind.STAFF, "secretary@district.example")


@pytest.mark.parametrize(
    ("creator", "severity", "role"),
    [
        (COLLEAGUE, Severity.INFO, "another staff account"),
        (an_invitee(Kind.INACTIVE, "former@district.example"), Severity.INFO, "another staff acc"),
        (
            an_invitee(Kind.EXTERNAL, "sync@district.example", is_district_account=True),
            Severity.INFO,
            "a service account",
        ),
        (PARTNER, Severity.HIGH, "partner Northstar"),
        (a_student(), Severity.HIGH, "a student"),
        (STRANGER, Severity.HIGH, "an unknown outsider"),
    ],
)
def test_an_event_created_by_somebody_else(creator: Invitee, severity: Severity, role: str) -> None:
    """For the record where staff did it, high where partner or student did."""
    finding = the("created-by-delegate", a_dossier(creator=creator))

    assert finding.severity is severity
    assert finding.message.startswith(f"Created by {role}")
    assert finding.message.endswith("for Terry Teacher.")
    assert finding.advice == ""


CLINIC = a_registry(
    programs=(replace(PROGRAM, type=ProgramType.MENTAL_HEALTH),),
    exemptions=(an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True),),
)


@pytest.mark.parametrize(
    "dossier",
    [
        a_dossier(),
        a_dossier(creator=PARTNER, meeting={"is_imported": True}),
        a_dossier(creator=PARTNER, host=Host(PARTNER, LINCOLN)),
        a_dossier(creator=STRANGER, host=Host(PARTNER, LINCOLN)),
        a_dossier(creator=PARTNER, registry=CLINIC),
        a_dossier(creator=an_invitee(Kind.EXEMPT, "agency@county.example")),
    ],
    ids=["host", "imported copy", "their own", "host is no staff", "clinician", "exempt"],
)
def test_creators_who_are_none_of_our_business(dossier: Dossier) -> None:
    """The host, imported copies, and events that are not staff's have other rules or none."""
    assert not found("created-by-delegate", dossier)
    assert not is_undecided("created-by-delegate", dossier)


def test_secretaries_and_booking_tools_are_named_in_the_policy() -> None:
    """Nothing is noted of those; everybody else is."""
    policy = Policy(accounts=SpecialAccounts(delegates=("secretary@district.example",)))

    assert not found("created-by-delegate", a_dossier(creator=COLLEAGUE), policy)
    assert found("created-by-delegate", a_dossier(creator=PARTNER), policy)


@pytest.mark.parametrize(
    "creator",
    [None, an_invitee(Kind.UNKNOWN, "new@district.example", confidence=Confidence.NONE)],
)
def test_an_unknown_creator_is_undecided(creator: Invitee | None) -> None:
    """Who was not looked up is not accused, and not passed."""
    dossier = a_dossier(creator=creator)

    assert not found("created-by-delegate", dossier)
    assert is_undecided("created-by-delegate", dossier)


# --- guest-added-by-partner ---------------------------------------------------------------------

EVE = an_invitee(Kind.EXTERNAL, "eve@elsewhere.example")
PEOPLE = (HOST, PARTNER, *CLASS, EVE)
SEEN, ABSENT = -4 * DAY, -4 * DAY - HOUR
EVES_KEY = EVE.guest.address_key


def a_list(**changes: Any) -> GuestList:
    """The history: everybody was there from the first, but Eve, who came later."""
    entries = [Entry(i.guest.address_key, at(-20 * DAY)) for i in (PARTNER, *CLASS)]
    eve = Entry(EVES_KEY, at(SEEN), at(ABSENT), could_invite=True)
    return GuestList(at(SEEN), True, (*entries, replace(eve, **changes)))


def added(**changes: Any) -> Dossier:
    """Eve came onto the list; the log was read long after, and says nothing of it."""
    facts: dict[str, Any] = {
        "guest_list": a_list(),
        "edits_read_at": at(SEEN + 12 * HOUR),
        "as_of": at(SEEN + 12 * HOUR),
    }
    return a_dossier(PEOPLE, **(facts | changes))


def an_edit(by: Editor, minutes: float = SEEN - 10, guest: str | None = EVES_KEY) -> Edit:
    return Edit(at(minutes), by, guest, "northstar" if by is Editor.OUTSIDER else None)


def test_the_log_names_the_partner() -> None:
    """Confirmed, whatever the settings say now."""
    dossier = added(edits=(an_edit(Editor.OUTSIDER),))
    finding = the("guest-added-by-partner", dossier)

    assert finding.severity is Severity.HIGH
    assert finding.concern.certainty is Certainty.CONFIRMED
    assert finding.message == "1 guests added after approval."
    assert finding.advice == "Your guest can add people: turn off 'Invite others'."
    assert finding.concern.partner_id == "northstar"


def test_an_unknown_actor_needs_review() -> None:
    """The partner could invite and no staff edit is recorded: one flag, to be looked at."""
    finding = the("guest-added-by-partner", added())

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW
    assert finding.concern.unknowns == ("Who added them.",)


@pytest.mark.parametrize(
    "edits",
    [
        (an_edit(Editor.UNKNOWN),),
        (an_edit(Editor.STAFF, guest="key of somebody else"),),
        (an_edit(Editor.STAFF, ABSENT - 6, guest=None),),
        (an_edit(Editor.STAFF, SEEN + 6, guest=None),),
        (an_edit(Editor.STAFF, ABSENT - 6),),
        (an_edit(Editor.OUTSIDER, ABSENT - 6),),
    ],
    ids=["nameless", "another guest", "edit before", "edit after", "earlier stay", "earlier stay"],
)
def test_rows_that_do_not_explain_the_addition(edits: tuple[Edit, ...]) -> None:
    """An edit must name the guest, or lie in the time in which the guest came."""
    finding = the("guest-added-by-partner", added(edits=edits))

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW


@pytest.mark.parametrize(
    "changes",
    [
        {"edits": (an_edit(Editor.STAFF),)},
        {"edits": (an_edit(Editor.OTHER),)},
        {"edits": (an_edit(Editor.STAFF, ABSENT - 5, guest=None),)},
        {"edits": (an_edit(Editor.STAFF, SEEN + 5, guest=None),)},
        {"edits": (an_edit(Editor.OUTSIDER, SEEN - 20), an_edit(Editor.STAFF))},
        {"guest_list": a_list(could_invite=False)},
        {"guest_list": a_list(absent_at=None)},
        {"guest_list": None},
    ],
    ids=[
        "staff added",
        "somebody else added",
        "first staff edit",
        "last staff edit",
        "staff added again",
        "guests could not add",
        "there from the first",
        "no history",
    ],
)
def test_additions_that_are_explained(changes: dict[str, Any]) -> None:
    """A staff edit on any copy explains it; the first version seen has no additions."""
    assert not found("guest-added-by-partner", added(**changes))
    assert not is_undecided("guest-added-by-partner", added(**changes))


def test_only_additions_after_the_approval_count() -> None:
    """Who approves the meeting as it is approves its guests."""
    edits = (an_edit(Editor.OUTSIDER),)
    for minutes, flags in ((SEEN - 11, 1), (SEEN - 10, 0), (SEEN + 60, 0)):
        approval = replace(AUTHORIZATION, issued_at=at(minutes))
        dossier = added(edits=edits, registry=a_registry(authorizations=(approval,)))
        assert len(found("guest-added-by-partner", dossier)) == flags, minutes


def test_without_an_approval_every_later_guest_counts() -> None:
    """Nobody has approved anything: additions since the first sight."""
    dossier = added(edits=(an_edit(Editor.OUTSIDER),), registry=a_registry(authorizations=()))

    assert found("guest-added-by-partner", dossier)


def test_the_log_has_its_time_before_anybody_is_suspected() -> None:
    """Undecided up to three hours after the addition was seen, to the minute."""
    for minutes, is_late in ((SEEN + 179, True), (SEEN + 180, False)):
        dossier = added(edits_read_at=at(minutes), as_of=at(minutes))
        assert is_undecided("guest-added-by-partner", dossier) is is_late
        assert len(found("guest-added-by-partner", dossier)) == (not is_late)
        assert (explained_at(dossier) is not None) is is_late


@pytest.mark.parametrize("read_at", [None, at(SEEN)])
def test_a_failing_log_is_named(read_at: datetime | None) -> None:
    """Undecided with the source; other rules go on."""
    dossier = added(edits_read_at=read_at, evidence=without(Evidence.EDITS))
    verdict = judge(dossier)

    (doubt,) = [u for u in verdict.undecided if u.rule == "guest-added-by-partner"]
    assert doubt.missing == {Evidence.EDITS}
    assert "audit log of calendars cannot be read" in doubt.reason
    assert len(verdict.undecided) == 1


def test_a_failing_log_matters_only_where_somebody_came() -> None:
    """A list that never changed is decided without it."""
    dossier = a_dossier(evidence=without(Evidence.EDITS))

    assert not judge(dossier).undecided
    assert explained_at(dossier) is None


def test_unknown_settings_are_undecided_for_additions() -> None:
    """Without the organizer's copy nobody can tell whether guests could add people."""
    dossier = added(guest_list=a_list(could_invite=None))

    assert is_undecided("guest-added-by-partner", dossier)
    assert not found("guest-added-by-partner", dossier)


def test_a_partners_own_meeting_has_first_guests() -> None:
    """`organizer-not-staff` speaks of those; guests they add later are additions."""
    edits, host = (an_edit(Editor.OUTSIDER),), Host(PARTNER, LINCOLN)
    first = added(edits=edits, host=host, guest_list=a_list(absent_at=None))
    later = added(edits=edits, host=host)

    assert not found("guest-added-by-partner", first)
    assert found("guest-added-by-partner", later)


def test_a_guest_who_was_removed_again_is_no_addition() -> None:
    """Remove and lock: the flag closes."""
    dossier = a_dossier(guest_list=a_list(), edits=(an_edit(Editor.OUTSIDER),))

    assert not found("guest-added-by-partner", dossier)


def test_what_is_known_is_not_hidden_by_what_is_not() -> None:
    """One flag counts the guests that the log names, and says that there is one more."""
    mallory = an_invitee(Kind.EXTERNAL, "mallory@elsewhere.example")
    key = mallory.guest.address_key
    listed = a_list()
    entries = (*listed.entries, Entry(key, at(SEEN), at(ABSENT), could_invite=True))
    dossier = replace(
        a_dossier((*PEOPLE, mallory)),
        guest_list=replace(listed, entries=entries),
        edits=(an_edit(Editor.OUTSIDER),),
        edits_read_at=at(SEEN + DAY),
    )
    finding = the("guest-added-by-partner", dossier)

    assert finding.message == "1 guests added after approval."
    assert finding.concern.unknowns == ("Who added 1 more.",)


def test_it_is_decided_before_and_after_but_not_during() -> None:
    """S and A."""
    facts = {"guest_list": a_list(), "edits": (an_edit(Editor.OUTSIDER),)}
    dossier = held(invitees=PEOPLE, meeting={"guests": tuple(i.guest for i in PEOPLE)}, **facts)

    assert found("guest-added-by-partner", dossier)
    assert not found("guest-added-by-partner", replace(dossier, phase=Phase.LIVE))


# --- the history of a guest list ----------------------------------------------------------------


def test_the_first_list_has_no_additions() -> None:
    """Nobody knows since when its guests are there."""
    listed = guest_list_after(a_meeting((HOST, PARTNER, *CLASS)), None, at(0))

    assert listed is not None
    assert len(listed.entries) == 3
    assert not any(entry.absent_at for entry in listed.entries)


def test_a_later_guest_came_between_two_readings() -> None:
    """With the setting of then: a lock put on together with the addition does not hide it."""
    first = guest_list_after(a_meeting((HOST, PARTNER), guests_can_invite=True), None, at(0))
    second = guest_list_after(a_meeting((HOST, PARTNER, EVE)), first, at(10))
    third = guest_list_after(a_meeting((HOST, PARTNER, EVE)), second, at(20))

    assert second is not None
    (eve,) = [entry for entry in second.entries if entry.key == EVES_KEY]
    assert eve == Entry(EVES_KEY, at(10), at(0), could_invite=True)
    assert third == replace(second, read_at=at(20))


def test_members_of_a_group_are_one_entry() -> None:
    """A new member is no addition; a new group is one."""
    group = [a_student(n, via_group="key of group") for n in (1, 2, 3)]

    before, after = a_meeting((HOST, PARTNER, *group[:1])), a_meeting((HOST, PARTNER, *group))
    assert entries_of(before) == entries_of(after) == {PARTNER_KEY, "key of group"}


def test_rooms_and_the_organizer_are_no_guests() -> None:
    """Neither a booked room nor a change of organizer adds anybody."""
    room = replace(EVE, guest=a_guest("room@resource.calendar.google.com", is_resource=True))
    new_host = replace(COLLEAGUE, guest=replace(COLLEAGUE.guest, is_organizer=True))

    assert entries_of(a_meeting((HOST, PARTNER, room, new_host))) == {PARTNER_KEY}


@pytest.mark.parametrize(
    "changes",
    [
        {"is_guest_list_complete": False},
        {"are_guests_kept": False},
        {"is_cancelled": True},
        {"is_guest_list_complete": False, "unexpanded_groups": 1, "are_settings_known": False},
    ],
)
def test_a_list_that_may_lack_somebody_changes_nothing(changes: dict[str, Any]) -> None:
    """Else everybody would seem to have been added when it is read in full."""
    before = guest_list_after(a_meeting((HOST, PARTNER)), None, at(0))

    assert guest_list_after(a_meeting((HOST,), **changes), before, at(10)) == before


def test_a_group_that_cannot_be_opened_does_not_stop_the_history() -> None:
    """The organizer's own copy lists the group itself."""
    changes = {"is_guest_list_complete": False, "unexpanded_groups": 1}

    assert guest_list_after(a_meeting((HOST, PARTNER), **changes), None, at(0)) is not None
