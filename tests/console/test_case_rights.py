"""Who may open which case: every route that names one, for everybody, for every kind of case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pytest
from werkzeug.test import TestResponse

from meetbot.console.access import Role
from meetbot.domain.access_log import AccessAction
from meetbot.domain.casework import Case
from meetbot.sandbox.district import principal
from tests.console.case_parts import all_cases, host_of, kinds, make_private
from tests.console.conftest import PEOPLE, Console
from tests.console.test_role_matrix import ACTIONS, MATRIX


class Which(StrEnum):
    """Cases as they differ in who may see them."""

    LAKEVIEW = "of a Lakeview teacher's meeting"
    CEDAR = "of a Cedar Ridge teacher's meeting"
    PRIVATE = "of a confidential meeting of the Lakeview teacher"
    UNKNOWN = "that does not exist"


class Who(StrEnum):
    """People as they differ in what they may see."""

    OFFICER = "officer"
    PRIVACY = "privacy officer"
    AUDITOR = "auditor"
    PRINCIPAL = "principal of Lakeview"
    OTHER_PRINCIPAL = "principal of Cedar Ridge"
    HOST = "the Lakeview teacher"
    OTHER_HOST = "the Cedar Ridge teacher"
    KEEPER = "registry keeper"
    OPERATOR = "operator"


NO_ROLE, NOT_THERE = 403, 404
READS = {
    Who.OFFICER: {Which.LAKEVIEW, Which.CEDAR},
    Who.PRIVACY: {Which.LAKEVIEW, Which.CEDAR, Which.PRIVATE},
    Who.AUDITOR: {Which.LAKEVIEW, Which.CEDAR},
    Who.PRINCIPAL: {Which.LAKEVIEW},
    Who.OTHER_PRINCIPAL: {Which.CEDAR},
}
"""Whose cases the pages below `/cases/` show; others get 403."""
DECIDES = {who: READS[who] for who in (Who.OFFICER, Who.PRIVACY)}
ANSWERS: Mapping[Who, set[Which]] = {
    Who.PRIVACY: set(),
    Who.PRINCIPAL: set(),
    Who.OTHER_PRINCIPAL: set(),
    Who.OPERATOR: set(),
    Who.HOST: {Which.LAKEVIEW},
    Who.OTHER_HOST: {Which.CEDAR},
}
"""Whose meetings the pages below `/answers/` show: all who have a staff account may ask."""
ROUTES = [
    ("GET", "/cases/{id}", READS),
    ("GET", "/cases/{id}/timeline.svg", READS),
    *(("POST", f"/cases/{{id}}/{action}", DECIDES) for action in ACTIONS),
    ("GET", "/answers/{id}", ANSWERS),
    ("GET", "/answers/{id}/timeline.svg", ANSWERS),
    ("POST", "/answers/{id}/answer", ANSWERS),
    ("POST", "/answers/{id}/identify", ANSWERS),
]


@dataclass(frozen=True, slots=True)
class Scene:
    """The cases, and addresses of the people."""

    cases: Mapping[Which, Case]
    people: Mapping[Who, Role | str]

    def id(self, which: Which) -> str:
        """The id that is asked for."""
        return self.cases[which].id if which in self.cases else "C-0123456789ab"


@pytest.fixture
def scene(console: Console) -> Scene:
    """Two ordinary cases with a timeline, and a confidential one of the first one's host."""
    seen = [c for c in all_cases(console) if "staff-left-early" in c.rules]
    ours = next(c for c in seen if "lakeview" in c.schools)
    theirs = next(c for c in seen if "cedar" in c.schools)
    other = next(c for c in all_cases(console) if "unidentified-participant" in c.rules)
    private = make_private(console, other, ours)
    people: dict[Who, Role | str] = {
        Who.OFFICER: Role.OFFICER,
        Who.PRIVACY: Role.PRIVACY,
        Who.AUDITOR: Role.AUDITOR,
        Who.PRINCIPAL: Role.PRINCIPAL,
        Who.OTHER_PRINCIPAL: principal("cedar"),
        Who.HOST: host_of(console, ours),
        Who.OTHER_HOST: host_of(console, theirs),
        Who.KEEPER: Role.KEEPER,
        Who.OPERATOR: Role.OPERATOR,
    }
    cases = {Which.LAKEVIEW: ours, Which.CEDAR: theirs, Which.PRIVATE: private}
    return Scene(cases, people)


def test_every_route_that_names_a_case_is_asked_for() -> None:
    """A new one fails here until the table has it."""
    named = {
        (method, rule)
        for method, rule in MATRIX
        # Whose meeting it is that approval is asked for, `test_approval_pages.py` looks after.
        if "<case_id>" in rule and not rule.startswith("/approvals/")
    }
    any_action = f"<any({', '.join(ACTIONS)}):action>"
    asked = {
        (method, re.sub(f"(?<=/cases/<case_id>/)({'|'.join(ACTIONS)})$", any_action, path))
        for method, path in ((method, path.format(id="<case_id>")) for method, path, _ in ROUTES)
    }

    assert named == asked


@pytest.mark.parametrize("who", Who)
def test_what_is_not_theirs_is_not_there(console: Console, scene: Scene, who: Who) -> None:
    """The same answer as for a case that does not exist, whatever the method; nothing is done."""
    client = console.client(scene.people[who])
    for method, path, table in ROUTES:
        unknown = client.open(path.format(id=scene.id(Which.UNKNOWN)), method=method)
        for which in Which:
            answer = client.open(path.format(id=scene.id(which)), method=method)
            place = (method, path, which.name)
            if who not in table:
                assert answer.status_code == NO_ROLE, place
            elif which in table[who]:
                assert answer.status_code in (200, 400), place  # an empty form is wrong
            else:
                assert answer.status_code == NOT_THERE, place
                assert _told(answer) == _told(unknown), place
    assert [kinds(console, case) for case in scene.cases.values()] == [[], [], []]


def _told(answer: TestResponse) -> str:
    """A page without the tokens of its forms, which tell the second."""
    return re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text)


@pytest.mark.parametrize("who", Who)
def test_no_page_tells_of_a_private_case(console: Console, scene: Scene, who: Who) -> None:
    """Neither its id nor its sentence, beside other cases or anywhere else."""
    client, secret = console.client(scene.people[who]), scene.cases[Which.PRIVATE]
    addresses = ["/", "/cases?status=all", f"/cases?q={secret.id}", "/cases.csv?status=all"]
    addresses += ["/answers", "/answers?closed=1"]
    addresses += [f"/cases/{scene.cases[which].id}" for which in (Which.LAKEVIEW, Which.CEDAR)]
    told = [address for address in addresses if f"/{secret.id}" in client.get(address).text]

    assert bool(told) == (who is Who.PRIVACY)


@pytest.mark.parametrize("text", ["ann.smith", "C-XYZ", "%E2%80%AE", "C-0123456789AB", "x" * 3000])
def test_what_somebody_types_instead_of_an_id_is_not_there_and_not_logged(
    console: Console, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be a name."""
    answer = console.client(Role.OFFICER).get(f"/cases/{text}")

    assert answer.status_code == NOT_THERE
    assert text not in capsys.readouterr().out


def test_reading_and_being_refused_are_noted(
    console: Console, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the access log, with the case's id and whoever asked; nobody is named on the console."""
    ours, private = scene.cases[Which.LAKEVIEW], scene.cases[Which.PRIVATE]
    console.client(Role.OFFICER).get(f"/cases/{ours.id}")
    console.client(Role.OFFICER).get(f"/cases/{private.id}")

    with console.store.reading() as tx:
        (read,) = tx.access_log.list(subject=ours.id)
        (refused,) = tx.access_log.list(subject=private.id)
    assert (read.entry.action, read.entry.who) == (AccessAction.READ, PEOPLE[Role.OFFICER])
    assert refused.entry.action is AccessAction.REFUSED
    assert "officer.one" not in capsys.readouterr().out
