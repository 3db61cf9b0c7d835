"""The list of cases: filters, search, pages, many at once, and the same as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from meetbot.console.access import Role
from meetbot.domain.casework import Case, CaseEvent, CaseStatus, EventKind
from meetbot.domain.findings import Severity
from meetbot.domain.flags import ChangeKind, FlagChange, FlagStatus
from tests.builders import a_stored_flag
from tests.console.case_parts import (
    again,
    all_cases,
    case_with,
    change_flag,
    flags_of,
    kinds,
    make_private,
    statements,
)
from tests.console.conftest import Console

_IDS = re.compile(r'href="/cases/(C-[0-9a-f]{12})"')


def listed(console: Console, address: str = "/cases", who: Role = Role.OFFICER) -> list[str]:
    """The ids on all pages of a list, in order."""
    client = console.client(who)
    found: list[str] = []
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        found += dict.fromkeys(_IDS.findall(answer.text))
        more = re.search(r'href="(/cases\?[^"]*after=[^"]*)">More cases', answer.text)
        address = more[1].replace("&amp;", "&") if more else ""
    return found


def test_the_most_urgent_cases_come_first_on_pages_of_25(console: Console) -> None:
    """All that wait, each once."""
    expected = [case.id for case in all_cases(console)]

    assert listed(console) == expected
    assert len(_IDS.findall(console.client(Role.OFFICER).get("/cases").text)) == 25


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("/cases?severity=critical", lambda case: case.severity == "critical"),
        ("/cases?rule=no-staff-joined", lambda case: "no-staff-joined" in case.rules),
        ("/cases?school=cedar", lambda case: "cedar" in case.schools),
        ("/cases?partner=maker-yard", lambda case: "maker-yard" in case.partners),
        ("/cases?q=river+ARTS", lambda case: {"river-arts", "river-film"} & {*case.partners}),
        ("/cases?q=staff+left", lambda case: "staff-left-early" in case.rules),
        ("/cases?q=Lakeview", lambda case: "lakeview" in case.schools),
        ("/cases?q=nobody+at+all", lambda _: False),
        ("/cases?status=closed", lambda _: False),
        (
            "/cases?severity=high&q=maker-yard&school=cedar",
            lambda case: (
                case.severity == "high"
                and "maker-yard" in case.partners
                and "cedar" in case.schools
            ),
        ),
    ],
)
def test_filters_narrow_the_list_and_its_address_is_the_link(
    console: Console, address: str, fits: Callable[[Case], object]
) -> None:
    """What fits, in the same order; searched for by name or id."""
    expected = [case.id for case in all_cases(console) if fits(case)]

    assert listed(console, address) == expected


def test_a_case_is_found_by_its_id(console: Console) -> None:
    """As it stands in a mail."""
    case = all_cases(console)[-1]

    assert listed(console, f"/cases?q={case.id}") == [case.id]


def test_days_are_local_and_both_ends_count(console: Console) -> None:
    """A meeting on the evening of a day is of that day, whatever the day is in Greenwich."""
    zone = console.deps.district.zone
    days = {
        case.id: case.starts_at.astimezone(zone).date().isoformat() for case in all_cases(console)
    }
    day = sorted(days.values())[len(days) // 2]

    assert set(listed(console, f"/cases?since={day}&until={day}")) == {
        case for case, of in days.items() if of == day
    }


def test_a_wrong_filter_is_named_and_left_out(console: Console) -> None:
    """The list says so; a place in it that no page gave is not there."""
    client = console.client(Role.OFFICER)
    answer = client.get("/cases?since=yesterday&severity=awful")

    assert answer.status_code == 200
    assert "A filter is wrong" in answer.text
    assert answer.text.count('class="mistake"') == 2
    assert client.get("/cases?after=nonsense").status_code == 404


def test_cases_that_the_host_answered_are_a_list(console: Console) -> None:
    """One of the saved ones."""
    case = case_with(console, "staff-left-early")
    assert listed(console, "/cases?status=answered") == []
    with console.store.transaction() as tx:
        tx.cases.add_event(
            CaseEvent(case.id, EventKind.ANSWERED, console.now, "a@district.example")
        )

    assert listed(console, "/cases?status=answered") == [case.id]


def test_a_principal_sees_cases_of_own_schools_only(console: Console) -> None:
    """Also where another school is asked for, and in the CSV."""
    own = [case.id for case in all_cases(console) if "lakeview" in case.schools]

    assert own
    assert listed(console, "/cases", Role.PRINCIPAL) == own
    assert listed(console, "/cases?school=cedar", Role.PRINCIPAL) == []
    assert [row["case"] for row in exported(console, "", Role.PRINCIPAL)] == own
    assert "Cedar Ridge" not in console.client(Role.PRINCIPAL).get("/cases").text


def test_private_cases_are_in_the_lists_of_privacy_officers_only(console: Console) -> None:
    """Neither counted, found by search or id, nor exported for anybody else."""
    case = make_private(console, case_with(console, "no-staff-joined"))
    total = len(all_cases(console))

    for who in (Role.OFFICER, Role.AUDITOR, Role.PRINCIPAL):
        for address in ("/cases", f"/cases?q={case.id}", "/cases?q=staff", "/cases?status=all"):
            assert case.id not in listed(console, address, who)
        assert case.id not in console.client(who).get("/").text
    assert f"{total - 1} cases" in console.client(Role.OFFICER).get("/cases").text
    assert f"{total} cases" in console.client(Role.PRIVACY).get("/cases").text
    assert case.id in listed(console, "/cases", Role.PRIVACY)
    assert case.id not in [row["case"] for row in exported(console)]
    assert case.id in [row["case"] for row in exported(console, "", Role.PRIVACY)]


def test_a_private_flag_that_is_gone_is_not_told_in_a_case_that_is_open_to_all(
    console: Console,
) -> None:
    """Neither as the sentence of a line nor as one more finding."""
    case = case_with(console, "contract-expired")
    [flag] = flags_of(console, case)
    gone = replace(
        flag,
        id="F-0123456789ab",
        key=replace(flag.key, rule="confidential-intruder"),
        message="An extra person was present 5:00.",
        severity=Severity.CRITICAL,
        status=FlagStatus.WITHDRAWN,
    )
    with console.store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.WITHDRAWN, gone)], as_of=console.now)
    client = console.client(Role.OFFICER)

    assert not again(console, case).is_private
    for address in (f"/cases?q={case.id}", f"/cases.csv?q={case.id}", f"/cases/{case.id}"):
        text = client.get(address).text
        assert flag.message in text
        assert "was present 5:00" not in text


# --- many at once -------------------------------------------------------------------------------


def test_several_cases_are_acknowledged_at_once(console: Console) -> None:
    """One that changed since it was shown is left and named; the filters stay."""
    first, second, changed = all_cases(console)[:3]
    change_flag(console, changed, severity=Severity.MEDIUM)
    client = console.client(Role.OFFICER)
    answer = client.post(
        "/cases/acknowledge?severity=critical&after=",
        data={"case": [f"{case.id}:{case.version}" for case in (first, second, changed)]},
    )
    page = client.get(answer.location)

    assert (answer.status_code, answer.location) == (303, "/cases?severity=critical")
    assert "2 cases acknowledged." in page.text
    assert f"1 case was left as it is: it has changed or was acknowledged before. {changed.id}" in (
        page.text
    )
    assert again(console, first).status is CaseStatus.ACKNOWLEDGED
    assert kinds(console, second) == [EventKind.ACKNOWLEDGED]
    assert kinds(console, changed) == []


def test_without_a_choice_nothing_is_acknowledged(console: Console) -> None:
    """It says what to do; nonsense is no choice."""
    client = console.client(Role.OFFICER)
    answer = client.post("/cases/acknowledge", data={"case": ["x", "C-000000000000"]})

    assert "Choose at least one case." in client.get(answer.location).text


def test_an_officer_cannot_acknowledge_a_private_case_among_others(console: Console) -> None:
    """It is left as one that is not there."""
    case = make_private(console, all_cases(console)[0])
    client = console.client(Role.OFFICER)
    client.post("/cases/acknowledge", data={"case": f"{case.id}:{case.version}"})

    assert kinds(console, case) == []


def test_who_only_reads_is_offered_no_choice(console: Console) -> None:
    """No checkbox for principals and auditors."""
    for who in (Role.PRINCIPAL, Role.AUDITOR):
        assert "checkbox" not in console.client(who).get("/cases").text


# --- CSV ----------------------------------------------------------------------------------------


def exported(console: Console, query: str = "", who: Role = Role.OFFICER) -> list[dict[str, str]]:
    answer = console.client(who).get(f"/cases.csv{query}")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="cases.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_export_holds_the_filtered_list_whole(console: Console) -> None:
    """All pages, in the order of the list."""
    assert [row["case"] for row in exported(console)] == listed(console)
    critical = exported(console, "?severity=critical")
    assert {row["severity"] for row in critical} == {"critical"}
    assert [row["case"] for row in critical] == listed(console, "/cases?severity=critical")
    assert critical[0]["link"] == f"http://127.0.0.1:8000/cases/{critical[0]['case']}"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_of_the_export_is_a_formula(console: Console, start: str) -> None:
    """A cell that a spreadsheet would run is text."""
    text = f'{start}HYPERLINK("http://evil.example")'
    with console.store.transaction() as tx:
        flag = a_stored_flag(message=text, partner_id=text, school_id=text)
        tx.flags.save([FlagChange(ChangeKind.OPENED, flag)], as_of=console.now)
    [row] = [r for r in exported(console, "", Role.PRIVACY) if "HYPERLINK" in r["sentence"]]

    for cell in (row["sentence"], row["partners"], row["school"]):
        assert cell.startswith("'")
    assert not [
        cell
        for each in exported(console, "", Role.PRIVACY)
        for cell in each.values()
        if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    ]


def test_the_export_and_every_page_name_no_student(console: Console) -> None:
    """Neither addresses of students nor the codes of their meetings are in them."""
    client = console.client(Role.PRIVACY)
    pages = [client.get(address).text for address in ("/", "/cases?status=all", "/cases.csv")]
    pages += [client.get(f"/cases/{case.id}").text for case in all_cases(console)]

    for page in pages:
        assert "students.district.example" not in page
        assert not re.search(r"\b[a-z]{3}-[a-z]{4}-[a-z]{3}\b", page)


# --- size and speed -----------------------------------------------------------------------------


def test_a_list_asks_the_database_the_same_few_questions_however_long(console: Console) -> None:
    """One row more is no question more; a page stays below 200 kB."""
    client = console.client(Role.OFFICER)
    with statements(console) as few:
        client.get("/cases?rule=no-staff-joined")
    with statements(console) as many:
        answer = client.get("/cases")

    assert len(_IDS.findall(answer.text)) == 25
    assert max(len(many), len(few)) <= 20
    assert len(answer.data) < 200_000


def test_long_registries_make_no_long_forms(console: Console) -> None:
    """Where there are too many partners to choose from, the search finds them."""
    with console.store.transaction() as tx:
        registry = tx.registry.current()
        some = registry.partners[0]
        more = tuple(
            replace(some, partner_id=f"p{n}", name=f"Partner number {n}") for n in range(5000)
        )
        tx.registry.replace(replace(registry, partners=registry.partners + more), as_of=console.now)
    client = console.client(Role.OFFICER)

    assert len(client.get("/cases").data) < 100_000
    assert "Partner number 4711" in client.get("/cases?partner=p4711").text
    assert listed(console, "/cases?q=maker+yard") == listed(console, "/cases?partner=maker-yard")
