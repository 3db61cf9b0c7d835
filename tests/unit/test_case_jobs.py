"""What officers and hosts do about a case: who may, what it does, and what is never kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from meetbot.domain.casework import Case, CaseStatus, EventKind
from meetbot.domain.findings import Severity
from meetbot.domain.flags import ChangeKind, FlagChange, FlagStatus
from meetbot.domain.notices import MeetingNotice, NoticeKind
from meetbot.domain.snapshots import Withheld
from meetbot.errors import AccessDenied, BadInput, NotFound, Outdated
from meetbot.jobs import cases
from meetbot.jobs.case_facts import facts_of, lines_of, strangers_of
from meetbot.jobs.cases import Actor, Answer, Who
from meetbot.jobs.decisions import REASONS
from meetbot.ports import OutboxState
from tests.casework import (
    COLLEAGUE,
    LEFT,
    NOW,
    OFFICER,
    PRIVACY,
    PUPIL,
    Scene,
    colleague,
    dismiss,
    host,
    key_of,
    later,
    officer,
    privacy,
    second,
    uphold,
)
from tests.dossiers import PRINCIPAL, TEACHER, at, held, partner, staff, students

OTHER = replace(
    held(staff((0, 30)), partner((0, 44)), *students((0, 45))),
    key=replace(LEFT.key, ical_uid="other@google.com"),
    start_at=at(-60 * 24),
)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Scene]:
    """A district where two officers decide about high and critical flags."""
    made = Scene(tmp_path, four_eyes=[Severity.HIGH, Severity.CRITICAL])
    yield made
    made.store.close()


def do(scene: Scene, action: Callable[..., Any], case: Case, actor: Actor, **values: Any) -> Any:
    """One action in a transaction of its own."""
    with scene.store.transaction() as tx:
        return action(scene.deps, tx, case.id, actor, **{"as_of": NOW} | values)


def refused(
    scene: Scene, action: Callable[..., Any], case: Case, actor: Actor, **values: Any
) -> str:
    """The field that is to blame; nothing was stored."""
    before = (scene.flags(case), scene.events(case), scene.case(case.id))
    with pytest.raises(BadInput) as caught:
        do(scene, action, case, actor, **values)
    assert (scene.flags(case), scene.events(case), scene.case(case.id)) == before
    return caught.value.mistakes[0].place


# --- deciding -----------------------------------------------------------------------------------


def test_acknowledging_tells_that_somebody_looks(scene: Scene) -> None:
    """All open flags at once; a second time there is nothing left."""
    case = scene.put()
    event = do(scene, cases.acknowledge, case, officer)

    assert scene.case(case.id).status is CaseStatus.ACKNOWLEDGED
    assert scene.statuses(case) == {FlagStatus.ACKNOWLEDGED}
    assert event.kind is EventKind.ACKNOWLEDGED
    assert len(event.steps) == case.flags
    assert refused(scene, cases.acknowledge, case, officer) == "case"
    assert scene.is_sound()


def test_many_are_acknowledged_at_once(scene: Scene) -> None:
    """Those that cannot be are named, and do not stop the others."""
    one, other = scene.put(), scene.put(OTHER)
    do(scene, cases.acknowledge, other, officer)
    with scene.store.transaction() as tx:
        done = cases.acknowledge_many(
            scene.deps, tx, [one.id, other.id, "C-000000000000"], officer, as_of=NOW
        )

    assert [event.case_id for event in done.done] == [one.id]
    assert done.left.keys() == {other.id, "C-000000000000"}
    assert scene.case(one.id).status is CaseStatus.ACKNOWLEDGED


@pytest.mark.parametrize("status", [FlagStatus.UPHELD, FlagStatus.DISMISSED])
def test_each_reason_code_decides(scene: Scene, status: FlagStatus) -> None:
    """All flags that wait; the decision is the flag's, and is a link of the chain."""
    case = scene.put()
    for reason in REASONS[status]:
        ids = [flag.id for flag in scene.flags(case)]
        event = do(
            scene,
            cases.decide,
            case,
            officer,
            status=status,
            reason=reason,
            note="As told by the host.",
            flag_ids=ids,
        )
        assert event.choice == reason
        assert scene.statuses(case) == {status}
    assert scene.case(case.id).status is CaseStatus.CLOSED
    assert scene.is_sound()


def test_single_flags_can_be_decided(scene: Scene) -> None:
    """The others wait."""
    case = scene.put()
    first, *rest = scene.flags(case)
    do(scene, dismiss, case, officer, reason="technical", flag_ids=[first.id])

    assert rest
    assert {f.id: f.status for f in scene.flags(case)} == {
        first.id: FlagStatus.DISMISSED,
        **{flag.id: FlagStatus.OPEN for flag in rest},
    }


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"reason": "seen"}, "reason"),
        ({"reason": "technical'--"}, "reason"),
        ({"reason": "other"}, "note"),
        ({"reason": "other", "note": "x" * 1001}, "note"),
        ({"reason": "technical", "flag_ids": ["F-000000000000"]}, "flags"),
        ({"reason": "technical", "flag_ids": []}, "flags"),
    ],
)
def test_a_wrong_form_names_its_field(scene: Scene, values: dict[str, Any], place: str) -> None:
    case = scene.put()

    assert refused(scene, dismiss, case, officer, **values) == place


def test_a_case_that_changed_is_shown_again_first(scene: Scene) -> None:
    """Two officers with the same page: the slower one is refused, and told to look again."""
    case = scene.put()
    do(scene, dismiss, case, officer, reason="technical", version=case.version)
    with pytest.raises(Outdated, match="has changed"):
        do(scene, uphold, case, second, reason="data-disclosed", version=case.version)

    assert scene.statuses(case) == {FlagStatus.DISMISSED}


@pytest.mark.parametrize(
    ("is_private", "actor", "may"),
    [
        (False, officer, True),
        (False, privacy, True),
        (False, host, False),
        (True, officer, False),
        (True, privacy, True),
        (True, host, False),
    ],
)
def test_who_decides(scene: Scene, is_private: bool, actor: Actor, may: bool) -> None:
    """Of a confidential meeting the privacy officers alone."""
    case = scene.put(is_private=is_private)
    if may:
        do(scene, dismiss, case, actor, reason="technical")
    else:
        for action, values in (
            (cases.acknowledge, {}),
            (dismiss, {"reason": "technical"}),
            (cases.ask_host, {}),
            (cases.escalate, {}),
            (cases.undo, {}),
            (cases.remark, {"note": "x"}),
        ):
            with pytest.raises(AccessDenied):
                do(scene, action, case, actor, **values)
        assert scene.statuses(case) == {FlagStatus.OPEN}


def test_an_unknown_case_is_not_found(scene: Scene) -> None:
    case = replace(scene.put(), id="C-000000000000")
    with pytest.raises(NotFound):
        do(scene, cases.acknowledge, case, officer)


def test_what_only_privacy_officers_hear_of_is_no_officers_to_decide(scene: Scene) -> None:
    """It was withdrawn with the exemption; the rest of the case is everybody's."""
    case = scene.put()
    first, *_ = scene.flags(case)
    theirs = replace(
        first,
        id="F-000000000001",
        key=replace(first.key, rule="confidential-intruder"),
        message="An extra person was present.",
        status=FlagStatus.WITHDRAWN,
    )
    with scene.store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.WITHDRAWN, theirs)], as_of=NOW)
    with scene.store.reading() as tx:
        (line,) = lines_of(tx, [case])

    assert "extra person" not in line.sentence
    assert (
        refused(scene, dismiss, case, officer, reason="technical", flag_ids=["F-000000000001"])
        == "flags"
    )
    assert "extra person" not in repr(facts(scene, case))
    assert "extra person" in repr(facts(scene, case, lambda _: True))


# --- undo ---------------------------------------------------------------------------------------


def test_a_decision_can_be_undone_for_a_minute(scene: Scene) -> None:
    """Each flag has its former status again; nothing is erased, and the chain tells both."""
    case = scene.put(told=["host"])
    first, *_ = scene.flags(case)
    do(scene, cases.acknowledge, case, officer)
    do(scene, dismiss, case, officer, reason="technical", flag_ids=[first.id], as_of=later(5))
    do(scene, cases.undo, case, officer, as_of=later(65))

    assert scene.statuses(case) == {FlagStatus.ACKNOWLEDGED}
    with scene.store.reading() as tx:
        history = [change for _, change, _ in tx.flags.history(first.id)]
        decisions = tx.flags.decisions(first.id)
    assert history[-3:] == ["acknowledged", "dismissed", "acknowledged"]
    assert [decision.reason for decision in decisions] == ["seen", "technical", "undone"]
    assert [event.kind for event in scene.events(case)][-2:] == [
        EventKind.DISMISSED,
        EventKind.UNDONE,
    ]
    assert {mail.state for mail in scene.mails(case)} == {OutboxState.DROPPED}
    assert scene.is_sound()


@pytest.mark.parametrize(("who", "seconds"), [(officer, 60.001), (second, 5)])
def test_not_later_and_not_by_another(scene: Scene, who: Actor, seconds: float) -> None:
    case = scene.put()
    do(scene, dismiss, case, officer, reason="technical")

    assert refused(scene, cases.undo, case, who, as_of=later(seconds)) == "event"
    assert scene.statuses(case) == {FlagStatus.DISMISSED}


def test_only_the_last_decision_and_only_once(scene: Scene) -> None:
    """What another officer did since stands."""
    case = scene.put()
    do(scene, cases.acknowledge, case, officer)
    do(scene, dismiss, case, second, reason="technical", as_of=later(1))
    assert refused(scene, cases.undo, case, officer, as_of=later(2)) == "event"
    do(scene, cases.undo, case, second, as_of=later(3))
    assert refused(scene, cases.undo, case, second, as_of=later(4)) == "event"


def test_a_flag_that_changed_since_stays(scene: Scene) -> None:
    """An acknowledged flag that was withdrawn meanwhile does not come back."""
    case = scene.put()
    do(scene, cases.acknowledge, case, officer)
    first, *rest = scene.flags(case)
    gone = replace(first, status=FlagStatus.WITHDRAWN)
    with scene.store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.WITHDRAWN, gone)], as_of=later(1))
    event = do(scene, cases.undo, case, officer, as_of=later(2))

    assert {step.flag_id for step in event.steps} == {flag.id for flag in rest}
    assert scene.statuses(case) == {FlagStatus.WITHDRAWN, FlagStatus.OPEN}


def test_undoing_stops_its_own_mail_only(scene: Scene) -> None:
    """What another decision of the same minute tells the host is sent."""
    case = scene.put(told=["host"])
    first, second_flag, *_ = scene.flags(case)
    do(scene, dismiss, case, officer, reason="technical", flag_ids=[first.id])
    do(
        scene,
        uphold,
        case,
        officer,
        reason="data-disclosed",
        flag_ids=[second_flag.id],
        as_of=later(5),
    )
    do(scene, cases.undo, case, officer, as_of=later(10))

    assert {mail.notice.due_at: mail.state for mail in scene.mails(case)} == {
        later(60): OutboxState.QUEUED,
        later(65): OutboxState.DROPPED,
    }


# --- four eyes ----------------------------------------------------------------------------------


def proposed(scene: Scene, case: Case, actor: Actor = officer) -> int:
    event = do(scene, dismiss, case, actor, reason="technical", note="Log was late.")
    assert event.kind is EventKind.PROPOSED
    return int(event.number)


def test_two_officers_decide(strict: Scene) -> None:
    """The first proposes, and nothing is decided until another one confirms."""
    case = strict.put(told=["host"])
    number = proposed(strict, case)
    assert strict.statuses(case) == {FlagStatus.OPEN}
    assert strict.mails(case) == []
    event = do(strict, cases.confirm, case, second, event=number)

    assert event.of == number
    assert strict.statuses(case) == {FlagStatus.DISMISSED}
    with strict.store.reading() as tx:
        decision = tx.flags.decisions(strict.flags(case)[0].id)[-1]
    assert (decision.by, decision.reason, decision.note) == (
        second.address,
        "technical",
        "Log was late.",
    )
    assert [mail.notice.kind for mail in strict.mails(case)] == [NoticeKind.OUTCOME]
    assert strict.is_sound()


def test_one_person_is_never_both(strict: Scene) -> None:
    """Neither under another spelling of the address."""
    case = strict.put()
    number = proposed(strict, case)
    same = replace(officer, address=OFFICER.upper())

    for action in (cases.confirm, cases.reject):
        assert refused(strict, action, case, officer, event=number) == "event"
        assert refused(strict, action, case, same, event=number) == "event"


def test_what_was_rejected_waits_as_before(strict: Scene) -> None:
    """And can be proposed again; a rejected proposal cannot be confirmed."""
    case = strict.put()
    number = proposed(strict, case)
    do(strict, cases.reject, case, second, event=number, note="The times are right.")

    assert strict.statuses(case) == {FlagStatus.OPEN}
    assert refused(strict, cases.confirm, case, second, event=number) == "event"
    assert proposed(strict, case, second) > number


def test_one_proposal_at_a_time(strict: Scene) -> None:
    case = strict.put()
    proposed(strict, case)

    assert refused(strict, uphold, case, second, reason="data-disclosed") == "case"


def test_a_proposal_can_be_taken_back(strict: Scene) -> None:
    case = strict.put()
    number = proposed(strict, case)
    do(strict, cases.undo, case, officer, as_of=later(10))

    assert refused(strict, cases.confirm, case, second, event=number) == "event"


def test_acknowledging_needs_one_officer(strict: Scene) -> None:
    case = strict.put()
    do(strict, cases.acknowledge, case, officer)

    assert strict.statuses(case) == {FlagStatus.ACKNOWLEDGED}


# --- asking and answering -----------------------------------------------------------------------


def test_the_host_is_asked_by_mail(scene: Scene) -> None:
    """The question itself stays behind sign-in."""
    case = scene.put()
    event = do(scene, cases.ask_host, case, officer, note="Who stayed after you?")
    (mail,) = scene.mails(case)

    assert event.note == "Who stayed after you?"
    assert mail.notice.kind is NoticeKind.QUESTION
    assert mail.notice.to == (TEACHER,)
    assert isinstance(mail.notice.content, MeetingNotice)
    assert mail.notice.content.card.case_id == case.id
    assert "stayed after" not in repr(mail.notice)


def test_nobody_is_asked_about_a_confidential_meeting(scene: Scene) -> None:
    case = scene.put(is_private=True)

    assert refused(scene, cases.ask_host, case, privacy) == "case"


def test_without_a_staff_host_nobody_can_be_asked(scene: Scene) -> None:
    case = scene.put(host_key=None, answerers=())

    assert refused(scene, cases.ask_host, case, officer) == "case"


@pytest.mark.parametrize("choice", list(Answer))
def test_the_host_answers(scene: Scene, choice: Answer) -> None:
    case = scene.put()
    event = do(scene, cases.answer, case, host, choice=choice, note="A colleague can tell more.")

    assert (event.kind, event.choice) == (EventKind.ANSWERED, choice)
    assert scene.is_sound()


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"choice": "no-such"}, "choice"),
        ({"choice": Answer.OTHER}, "note"),
        ({"choice": Answer.OTHER, "note": " \n"}, "note"),
        ({"choice": Answer.LEFT_EARLY, "note": "x" * 1001}, "note"),
        ({"choice": Answer.OTHER, "note": "Kim Brook was ill."}, "note"),
        ({"choice": Answer.OTHER, "note": "It was brook,  kim!"}, "note"),
        ({"choice": Answer.OTHER, "note": f"Ask {PUPIL}"}, "note"),
        ({"choice": Answer.OTHER, "note": "Ask new@students.district.example"}, "note"),
        ({"choice": Answer.OTHER, "note": "Number S1234567."}, "note"),
    ],
)
def test_a_text_about_a_student_is_refused(
    scene: Scene, values: dict[str, Any], place: str
) -> None:
    """Nothing of it is kept, and the refusal does not repeat it."""
    with scene.store.transaction() as tx:
        tx.meta.set("student-domains", '["students.district.example"]')
    case = scene.put()
    with pytest.raises(BadInput) as caught:
        do(scene, cases.answer, case, host, **values)

    assert caught.value.mistakes[0].place == place
    assert not any(word in str(caught.value).lower() for word in ("kim", "brook", "1234567"))
    assert scene.events(case) == []


@pytest.mark.parametrize(
    "action",
    [
        (cases.acknowledge, {}),
        (dismiss, {"reason": "technical"}),
        (cases.ask_host, {}),
        (cases.escalate, {}),
        (cases.remark, {}),
    ],
)
def test_officers_write_about_no_student_either(scene: Scene, action: Any) -> None:
    case = scene.put()
    name, values = action

    assert refused(scene, name, case, officer, note="Kim Brook", **values) == "note"


@pytest.mark.parametrize("actor", [officer, colleague, privacy])
def test_only_the_host_answers(scene: Scene, actor: Actor) -> None:
    """And of a confidential meeting nobody."""
    case = scene.put()
    with pytest.raises(AccessDenied):
        do(scene, cases.answer, case, actor, choice=Answer.LEFT_EARLY)
    hidden = scene.put(OTHER, is_private=True)
    with pytest.raises(AccessDenied):
        do(scene, cases.answer, hidden, host, choice=Answer.LEFT_EARLY)


def test_invited_staff_answer_where_no_staff_account_hosts(scene: Scene) -> None:
    case = scene.put(host_key=None, answerers=(key_of(COLLEAGUE),))
    do(scene, cases.answer, case, colleague, choice=Answer.COLLEAGUE)

    assert [event.kind for event in scene.events(case)] == [EventKind.ANSWERED]


# --- unknown participants -----------------------------------------------------------------------


def a_stranger(scene: Scene, case: Case) -> str:
    with scene.store.reading() as tx:
        (found,) = strangers_of(tx, case)
    assert found.label == "Unidentified 1"
    return found.ref


@pytest.mark.parametrize(
    ("choice", "person", "kept"),
    [
        (Who.ME, "", ""),
        (Who.COLLEAGUE, f" {COLLEAGUE.upper()} ", COLLEAGUE),
        (Who.STUDENT, "Kim Brook", ""),
        (Who.PARTNER, "northstar", "northstar"),
        (Who.FAMILY, "anything", ""),
        (Who.UNKNOWN, "", ""),
    ],
)
def test_the_host_says_who_it_was(scene: Scene, choice: Who, person: str, kept: str) -> None:
    """Ready choices only: what else is written is not kept."""
    case = scene.put()
    event = do(
        scene,
        cases.identify,
        case,
        host,
        about=a_stranger(scene, case),
        choice=choice,
        person=person,
    )

    assert (event.kind, event.choice, event.person) == (EventKind.IDENTIFIED, choice, kept)


@pytest.mark.parametrize(
    ("choice", "person", "place"),
    [
        ("teacher", "", "choice"),
        (Who.COLLEAGUE, "", "person"),
        (Who.COLLEAGUE, PUPIL, "person"),
        (Who.COLLEAGUE, "nobody@district.example", "person"),
        (Who.PARTNER, "", "person"),
        (Who.PARTNER, "Kim Brook", "person"),
    ],
)
def test_nobody_else_can_be_named(scene: Scene, choice: str, person: str, place: str) -> None:
    case = scene.put()
    about = a_stranger(scene, case)

    assert (
        refused(scene, cases.identify, case, host, about=about, choice=choice, person=person)
        == place
    )
    assert refused(scene, cases.identify, case, host, about="U-0", choice=Who.ME) == "about"


def test_an_officer_accepts_what_the_host_said(scene: Scene) -> None:
    """Once, and not the host themself."""
    case = scene.put()
    said = do(scene, cases.identify, case, host, about=a_stranger(scene, case), choice=Who.ME)
    both = replace(host, roles=frozenset({"officer"}))
    assert refused(scene, cases.accept, case, both, event=said.number) == "event"
    event = do(scene, cases.accept, case, officer, event=said.number)

    assert (event.of, event.choice) == (said.number, Who.ME)
    assert refused(scene, cases.accept, case, officer, event=said.number) == "event"
    assert refused(scene, cases.accept, case, officer, event=event.number) == "event"
    assert facts(scene, case).accepted == {said.number}


# --- mails --------------------------------------------------------------------------------------


def mails(scene: Scene, case: Case) -> list[tuple[NoticeKind, tuple[str, ...]]]:
    return [(mail.notice.kind, mail.notice.to) for mail in scene.mails(case)]


def test_an_escalation_reaches_principal_and_privacy_officers(scene: Scene) -> None:
    case = scene.put()
    do(scene, cases.escalate, case, officer, note="Please call the school.")

    assert mails(scene, case) == [(NoticeKind.HANDED_UP, (PRINCIPAL, PRIVACY))]
    assert "call the school" not in repr(scene.mails(case))


def test_or_whom_the_settings_name(tmp_path: Path) -> None:
    scene = Scene(tmp_path, escalation=("chief@district.example",))
    case = scene.put()
    do(scene, cases.escalate, case, officer)

    assert mails(scene, case) == [(NoticeKind.HANDED_UP, ("chief@district.example",))]
    scene.store.close()


def test_of_a_confidential_meeting_the_privacy_officers_alone_hear(scene: Scene) -> None:
    """Nothing but the day."""
    case = scene.put(is_private=True, withheld=Withheld.CONFIDENTIAL)
    do(scene, cases.escalate, case, privacy)
    (mail,) = scene.mails(case)

    assert mail.notice.to == (PRIVACY,)
    assert isinstance(mail.notice.content, MeetingNotice)
    assert mail.notice.content.card.is_confidential


def test_what_was_upheld_is_escalated_as_such(scene: Scene) -> None:
    """What was dismissed is not."""
    case = scene.put()
    do(scene, uphold, case, officer, reason="data-disclosed")
    do(scene, cases.escalate, case, officer)
    (mail,) = scene.mails(case)
    other = scene.put(OTHER)
    do(scene, dismiss, other, officer, reason="technical")

    assert isinstance(mail.notice.content, MeetingNotice)
    assert mail.notice.content.reason == "upheld"
    assert refused(scene, cases.escalate, other, officer) == "case"


@pytest.mark.parametrize(
    ("told", "asked", "tell_host", "hears"),
    [
        ((), False, True, False),
        (("host",), False, True, True),
        ((), True, True, True),
        (("host",), True, False, False),
        (("officers",), False, True, False),
    ],
)
def test_a_host_who_was_asked_or_told_hears_the_outcome(
    scene: Scene, told: tuple[str, ...], asked: bool, tell_host: bool, hears: bool
) -> None:
    """After the minute in which it can be undone."""
    case = scene.put(told=told)
    if asked:
        do(scene, cases.ask_host, case, officer)
    do(scene, uphold, case, officer, reason="policy-not-followed", tell_host=tell_host)
    outcomes = [m.notice for m in scene.mails(case) if m.notice.kind is NoticeKind.OUTCOME]

    assert [(notice.to, notice.due_at) for notice in outcomes] == [((TEACHER,), later(60))] * hears


def test_no_host_hears_of_a_confidential_meeting(scene: Scene) -> None:
    case = scene.put(told=["host"], is_private=True)
    do(scene, dismiss, case, privacy, reason="technical")

    assert scene.mails(case) == []


# --- facts --------------------------------------------------------------------------------------


def facts(
    scene: Scene, case: Case, sees: Callable[[Case], bool] = lambda c: not c.is_private
) -> Any:
    with scene.store.reading() as tx:
        return facts_of(scene.deps, tx, case.id, sees=sees)


def test_a_case_page_has_everything(scene: Scene) -> None:
    """Sentence, five facts, timeline, strangers, what each flag rests on, and what was done."""
    case = scene.put()
    earlier = scene.put(OTHER)
    hidden = scene.put(
        replace(OTHER, key=replace(LEFT.key, ical_uid="hidden@google.com")), is_private=True
    )
    do(scene, cases.ask_host, case, officer)
    do(scene, cases.answer, case, host, choice=Answer.LEFT_EARLY)
    found = facts(scene, case)

    assert "Staff left" in found.sentence
    assert (found.start_at, found.end_at) == (LEFT.start_at, LEFT.end_at)
    assert (found.school, found.host) == ("Lincoln School", "Terry Teacher")
    assert [partner.name for partner in found.partners] == ["Northstar"]
    assert "certified" in found.partners[0].statuses
    assert found.seconds == 14 * 60
    assert found.timeline is not None
    assert [stranger.label for stranger in found.strangers] == ["Unidentified 1"]
    assert {facts.flag.id for facts in found.flags} == {flag.id for flag in scene.flags(case)}
    left = found.flags[0]
    assert {line.file for line in left.registry} >= {"partners", "contracts", "certifications"}
    assert left.decided_on is not None
    assert (left.decided_at, left.no_record) == (LEFT.as_of, "")
    assert [change.change for change in left.history] == ["opened"]
    assert [line.case.id for line in found.earlier] == [earlier.id]
    assert hidden.id not in repr(found.earlier)
    assert [mail.notice.kind for mail in found.mails] == [NoticeKind.QUESTION]
    assert [event.kind for event in found.answers] == [EventKind.ANSWERED]
    assert found.no_record == ""


def test_a_case_that_may_not_be_seen_is_not_there(scene: Scene) -> None:
    case = scene.put()
    with pytest.raises(NotFound):
        facts(scene, case, lambda _: False)
    with pytest.raises(NotFound):
        facts(scene, replace(case, id="C-000000000000"))


@pytest.mark.parametrize("withheld", [Withheld.CONFIDENTIAL, Withheld.ADULTS])
def test_where_no_record_is_kept_it_is_said(scene: Scene, withheld: Withheld) -> None:
    """School, host and organization as the registry has them; nobody who was there."""
    case = scene.put(withheld=withheld)
    found = facts(scene, case)

    assert "is kept" in found.no_record
    assert found.timeline is None
    assert found.strangers == ()
    assert (found.school, found.host) == ("Lincoln School", "Teacher")


def test_a_snapshot_that_was_changed_is_said(scene: Scene) -> None:
    case = scene.put()
    with scene.store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE snapshots SET body = x'00'")
    found = facts(scene, case)

    assert "not as it was stored" in found.no_record
    assert found.timeline is None


def test_a_list_tells_the_worst_of_each_case(scene: Scene) -> None:
    case, other = scene.put(), scene.put(OTHER)
    with scene.store.reading() as tx:
        lines = lines_of(tx, [other, case])

    assert [line.case.id for line in lines] == [other.id, case.id]
    assert all("Staff left" in line.sentence for line in lines)


def test_a_meeting_that_moved_is_shown_where_it_is(scene: Scene) -> None:
    moved = LEFT.start_at + timedelta(hours=2)
    found = facts(scene, scene.put(starts_at=moved))

    assert found.start_at == moved
    assert found.end_at == moved + timedelta(minutes=45)
