"""A host asks, a principal answers, and the registry, the flags and the mails follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from meetbot.domain.approvals import Answer, Approval, ApprovalState, Ask, Refusal
from meetbot.domain.case_ids import case_id
from meetbot.domain.chain import LinkKind
from meetbot.domain.flags import FlagStatus
from meetbot.domain.registry_history import Origin
from meetbot.errors import BadInput, NotFound
from meetbot.jobs import approvals
from meetbot.jobs.approvals import Person
from tests.scene import (
    COLLEAGUE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    OFFICER,
    PARTNER,
    PRINCIPAL,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    small_rows,
)

START = NOON + 5 * DAY
TODAY = date(2026, 10, 18)
WHOLE = (date(2026, 10, 12), date(2026, 12, 18))
ASKED = Ask("bright", "bright-college", *WHOLE, words="Zebulon Quist needs this")
LEAD = "lee.lead@district.example"


def with_school(**cells: str) -> dict[str, list[dict[str, str]]]:
    rows = small_rows(NOON, is_authorized=False)
    return rows | {"schools.csv": [row | cells for row in rows["schools.csv"]]}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """The small district without an approval, one lesson in five days, polled once."""
    with a_scene(tmp_path, rows=with_school()) as made:
        made.lesson(START)
        made.poll()
        made.letters()
        yield made


def person(scene: Scene, address: str) -> Person:
    return Person(address, scene.stage.app.deps.pseudonyms.address(address))


def case_of(scene: Scene) -> str:
    return case_id(scene.flag("authorization-missing").key.occurrence)


def ask(
    scene: Scene,
    asked: Ask = ASKED,
    *,
    who: str = TEACHER,
    case: str = "",
    after: float = 0,
) -> Approval:
    """Ask `after` so many minutes."""
    deps = scene.stage.app.deps
    with deps.store.transaction() as tx:
        return approvals.ask(
            deps, tx, case or case_of(scene), asked, person(scene, who), _at(scene, after)
        )


def _at(scene: Scene, minutes: float) -> datetime:
    return scene.clock.now + minutes * MINUTE


def answer(
    scene: Scene,
    approval: Approval,
    *,
    who: str = PRINCIPAL,
    grant: tuple[date, date] | None = WHOLE,
    refusal: Refusal | None = None,
    words: str = "",
) -> Approval:
    deps = scene.stage.app.deps
    given = Answer(who, scene.clock.now, grant, refusal, words)
    with deps.store.transaction() as tx:
        return approvals.decide(deps, tx, approval.id, given, person(scene, who))


def fields(work: Callable[[], object]) -> list[str]:
    """The fields that a form is refused for."""
    with pytest.raises(BadInput) as caught:
        work()
    assert all(mistake.fix for mistake in caught.value.mistakes)
    return [mistake.place for mistake in caught.value.mistakes]


def broken(scene: Scene) -> object:
    with scene.stage.app.store.reading() as tx:
        return tx.chain.audit().broken


# --- the way through ----------------------------------------------------------------------------


def test_an_approval_becomes_the_registry_row_and_withdraws_the_flag(scene: Scene) -> None:
    """Issuer, role and time come from who answered; the next pass finds the meeting approved."""
    approval = ask(scene)
    (letter,) = scene.poll_letters(NOON + HOUR)
    assert letter.to == (PRINCIPAL,)
    assert "contract valid to" in letter.text
    assert "no authorization on file" in letter.text
    assert "Bright College" in letter.text

    decided = answer(scene, approval)
    assert decided.state is ApprovalState.APPROVED
    with scene.stage.app.store.reading() as tx:
        (known,) = tx.registry.known(partner_id="bright", file=None)[-1:]
        (row,) = tx.registry.current().authorizations
    assert (known.origin, known.by, known.row) == (Origin.CONSOLE, PRINCIPAL, row)
    assert row.authorization_id == decided.authorization_id == f"A-{approval.id[2:]}"
    assert (row.host_address, row.authorizer_address) == (TEACHER, PRINCIPAL)
    assert (row.starts_on, row.ends_on, row.issued_at) == (*WHOLE, NOON + HOUR)

    letters = scene.poll_letters(NOON + 2 * HOUR)
    assert scene.rules() == set()
    assert scene.flag("authorization-missing").status is FlagStatus.WITHDRAWN
    outcome = next(one for one in letters if one.subject.startswith("[meetbot] Approved"))
    assert outcome.to == (TEACHER,)
    assert broken(scene) is None
    with scene.stage.app.store.reading() as tx:
        assert len(tx.chain.find(LinkKind.APPROVAL, approval.id)) == 2


def test_what_people_wrote_stays_in_the_console(scene: Scene) -> None:
    """A host's words may name a student; no mail and no link of the chain repeats them."""
    approval = ask(scene)
    first = scene.poll_letters(NOON + HOUR)
    answer(scene, approval, grant=None, refusal=Refusal.OTHER, words="because of Yolanda Vex")
    letters = [*first, *scene.poll_letters(NOON + 2 * HOUR)]

    assert len([one for one in letters if "pproval" in one.text]) >= 2
    for one in letters:
        assert "Quist" not in one.text
        assert "Vex" not in one.text
        assert not any(student in one.text for student in STUDENTS)
        assert "Tara" not in one.subject
    with scene.stage.app.store.reading() as tx:
        assert not any("@" in link.payload for link in tx.chain.links(LinkKind.APPROVAL))
        assert tx.approvals.get(approval.id).answer == "because of Yolanda Vex"


def test_a_refusal_leaves_the_flag_and_says_why(scene: Scene) -> None:
    """The host is told the reason in fixed words."""
    approval = ask(scene)
    scene.poll_letters(NOON + HOUR)
    refused = answer(scene, approval, grant=None, refusal=Refusal.PARTNER_NOT_READY)
    (letter,) = scene.poll_letters(NOON + 2 * HOUR)

    assert (refused.state, refused.authorization_id) == (ApprovalState.REFUSED, None)
    assert letter.to == (TEACHER,)
    assert "The partner is not ready" in letter.text
    assert scene.rules() == {"authorization-missing"}
    with scene.stage.app.store.reading() as tx:
        assert not tx.registry.current().authorizations


def test_a_narrowed_approval_holds_for_its_days_alone(scene: Scene) -> None:
    """Days without the meeting: it stays unapproved, and the host hears that."""
    approval = ask(scene)
    narrow = (date(2026, 10, 20), date(2026, 11, 20))
    assert answer(scene, approval, grant=narrow).state is ApprovalState.NARROWED
    letters = scene.poll_letters(NOON + HOUR)

    outcome = next(one for one in letters if "fewer days" in one.subject)
    assert "This meeting is on none of them" in outcome.text
    assert scene.rules() == {"authorization-scope"}


def test_an_approval_that_was_entered_too_late_is_retroactive(scene: Scene) -> None:
    """The link has expired at the start; the rule judges what the keeper enters afterwards."""
    approval = ask(scene)
    scene.clock.to(START)
    assert fields(lambda: answer(scene, approval)) == ["request"]

    row = small_rows(NOON)["authorizations.csv"][0]
    late = row | {"issued_at": f"{START + HOUR:%Y-%m-%dT%H:%M:%SZ}"}
    scene.clock.to(START + 2 * HOUR)
    scene.stage.import_registry(with_school() | {"authorizations.csv": [late]})
    scene.poll()
    assert "authorization-retroactive" in scene.rules()


def test_the_reminder_leads_to_asking_and_then_tells_that_it_was_asked(scene: Scene) -> None:
    """From a request that waits nobody is sent to ask once more without knowing of it."""
    ask(scene)
    letters = scene.poll_letters(START - DAY)

    (reminder,) = [one for one in letters if one.to == (TEACHER,) and "Not approved" in one.text]
    assert "Bright Path: approval was asked for and is not answered yet." in reminder.text


# --- asking -------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [COLLEAGUE, PRINCIPAL, OFFICER, PARTNER, STUDENTS[0]])
def test_only_the_host_asks(scene: Scene, who: str) -> None:
    """For everybody else there is no such meeting."""
    with pytest.raises(NotFound):
        ask(scene, who=who)


def test_a_meeting_that_is_no_more_cannot_be_asked_for(scene: Scene) -> None:
    """Begun, cancelled, or never there."""
    case = case_of(scene)
    with pytest.raises(NotFound):
        ask(scene, case="C-0123456789ab")
    with pytest.raises(NotFound):
        ask(scene, case=case, after=5 * 24 * 60)
    (event,) = [e for e in scene.world.events.values() if e.organizer == TEACHER]
    scene.world.cancel_event(event.event_id)
    scene.poll(NOON + HOUR)
    with pytest.raises(NotFound):
        ask(scene, case=case)


def test_one_request_waits_at_a_time(scene: Scene) -> None:
    """Asked again only after it was answered or has expired."""
    first = ask(scene)
    assert fields(lambda: ask(scene, after=1)) == ["partner"]
    answer(scene, first, grant=None, refusal=Refusal.NOT_PLANNED)
    second = ask(scene, after=1)
    assert second.id != first.id
    answer(scene, second)
    assert fields(lambda: ask(scene, after=2)) == ["partner"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"partner_id": "other"}, ["partner"]),
        ({"program_id": "other"}, ["program"]),
        ({"starts_on": TODAY.replace(day=19)}, ["starts_on"]),
        ({"ends_on": TODAY.replace(day=17)}, ["starts_on"]),
        ({"ends_on": TODAY.replace(month=1)}, ["ends_on"]),
        ({"ends_on": TODAY.replace(year=2028)}, ["ends_on"]),
        ({"words": "x" * 501}, ["words"]),
        ({"starts_on": TODAY, "ends_on": TODAY}, []),
    ],
)
def test_every_mistake_of_a_request_is_at_its_field(
    scene: Scene, change: dict[str, object], expected: list[str]
) -> None:
    """Partner, program and days must fit the meeting."""
    asked = replace(ASKED, **change)  # type: ignore[arg-type] # by name
    if expected:
        assert fields(lambda: ask(scene, asked)) == expected
    else:
        assert ask(scene, asked).starts_on == TODAY


def test_a_request_can_be_made_before_there_is_a_flag(scene: Scene) -> None:
    """A meeting is found by its own name too: the reminder comes whatever the flags are."""
    with scene.stage.app.store.transaction() as tx:
        (text,) = tx.meetings.ahead(NOON, NOON + 30 * DAY).values()
        assert tx.meetings.ahead(NOON, START) == {}
    assert case_of(scene) == case_id(text)
    scene.lesson(START + DAY)
    scene.poll(NOON + HOUR)
    with scene.stage.app.store.reading() as tx:
        keys = tx.meetings.ahead(START + HOUR, START + 2 * DAY).values()
    (other,) = {case_id(key) for key in keys}
    asked = replace(ASKED, starts_on=TODAY)
    assert ask(scene, asked, case=other).case_id == other


def test_a_request_expires_at_the_start_or_after_the_configured_time(scene: Scene) -> None:
    """Whichever comes first."""
    assert ask(scene).expires_at == START
    scene.lesson(NOON + 25 * DAY)
    scene.poll(NOON + HOUR)
    with scene.stage.app.store.reading() as tx:
        (text,) = tx.meetings.ahead(START + HOUR, NOON + 26 * DAY).values()
    approval = ask(scene, case=case_id(text))
    assert approval.expires_at == NOON + HOUR + 14 * DAY
    scene.clock.to(approval.expires_at)
    assert fields(lambda: answer(scene, approval)) == ["request"]
    scene.clock.to(approval.expires_at - MINUTE)
    assert answer(scene, approval).state is ApprovalState.APPROVED


# --- answering ----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [COLLEAGUE, OFFICER, PARTNER, STUDENTS[0]])
def test_only_those_who_lead_the_school_answer(scene: Scene, who: str) -> None:
    """For everybody else there is no such request; the host sees it, and cannot answer."""
    approval = ask(scene)
    with pytest.raises(NotFound):
        answer(scene, approval, who=who)
    assert fields(lambda: answer(scene, approval, who=TEACHER)) == ["request"]


def test_a_request_is_answered_once(scene: Scene) -> None:
    """Whoever comes second is told so, and nothing changes."""
    approval = ask(scene)
    answer(scene, approval)
    again = fields(
        lambda: answer(scene, approval, grant=None, refusal=Refusal.NOT_PLANNED),
    )
    assert again == ["request"]
    with scene.stage.app.store.reading() as tx:
        assert tx.approvals.get(approval.id).state is ApprovalState.APPROVED
        assert len(tx.registry.current().authorizations) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"grant": (date(2026, 10, 11), WHOLE[1])}, ["starts_on"]),
        ({"grant": (WHOLE[0], date(2026, 12, 19))}, ["ends_on"]),
        ({"grant": (WHOLE[1], WHOLE[0])}, ["ends_on"]),
        ({"grant": None}, ["choice"]),
        ({"grant": None, "refusal": Refusal.OTHER, "words": " "}, ["words"]),
        ({"words": "x" * 501}, ["words"]),
    ],
)
def test_an_answer_never_widens_what_was_asked(
    scene: Scene, given: dict[str, object], expected: list[str]
) -> None:
    """And a refusal for another reason names it."""
    approval = ask(scene)
    assert fields(lambda: answer(scene, approval, **given)) == expected  # type: ignore[arg-type] # by name
    with scene.stage.app.store.reading() as tx:
        assert tx.approvals.get(approval.id).state is ApprovalState.PENDING
        assert not tx.registry.current().authorizations


def test_looking_changes_nothing(scene: Scene) -> None:
    """In a view that the database itself refuses to write in."""
    approval = ask(scene)
    deps = scene.stage.app.deps
    with deps.store.reading() as tx:
        seen = approvals.view(deps, tx, approval.id, person(scene, PRINCIPAL), NOON)
        own = approvals.view(deps, tx, approval.id, person(scene, TEACHER), NOON)

    assert (seen.school, seen.partner, seen.program) == (
        "Cedar School",
        "Bright Path",
        "Bright College",
    )
    assert seen.line is not None
    assert "certified" in seen.line.statuses
    assert seen.may_answer
    assert not own.may_answer


def test_a_cancelled_meeting_is_not_asked_about_any_more(scene: Scene) -> None:
    """The mail that was not sent yet is dropped, and nobody can answer."""
    approval = ask(scene)
    (event,) = [e for e in scene.world.events.values() if e.organizer == TEACHER]
    scene.world.cancel_event(event.event_id)
    letters = scene.poll_letters(NOON + HOUR)

    assert not any(PRINCIPAL in one.to for one in letters)
    assert fields(lambda: answer(scene, approval)) == ["request"]


# --- a host who leads the school ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("school", "to", "own_is_refused"),
    [
        ({"leads": LEAD}, LEAD, True),
        ({"principals": f"{PRINCIPAL};{LEAD}"}, LEAD, True),
        ({}, PRINCIPAL, False),
    ],
)
def test_a_principal_who_hosts(
    tmp_path: Path, school: dict[str, str], to: str, own_is_refused: bool
) -> None:
    """Somebody else of the school decides; where there is nobody, the officers are told."""
    with a_scene(tmp_path, rows=with_school(**school)) as scene:
        scene.lesson(START, organizer=PRINCIPAL)
        scene.poll()
        scene.letters()
        approval = ask(scene, who=PRINCIPAL)
        (letter,) = scene.poll_letters(NOON + HOUR)
        assert letter.to == (to,)
        if own_is_refused:
            assert fields(lambda: answer(scene, approval)) == ["request"]
        assert answer(scene, approval, who=to).state is ApprovalState.APPROVED
        letters = scene.poll_letters(NOON + 2 * HOUR)
        assert any(one.to == (PRINCIPAL,) and "Approved" in one.subject for one in letters)
        told = [one for one in letters if one.to == (OFFICER,) and "Approved" in one.subject]
        assert len(told) == (0 if own_is_refused else 1)
        assert "authorizer-role" not in scene.rules()
