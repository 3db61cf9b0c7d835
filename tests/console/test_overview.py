"""The overview and the page for operators: right numbers, nothing of what a viewer may not see."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from meetbot.console.access import Role
from meetbot.domain.casework import Noted
from meetbot.domain.chain import LinkKind
from meetbot.domain.findings import FlagKey, Severity
from meetbot.domain.flags import ChangeKind, Flag, FlagChange, FlagStatus, flag_id
from meetbot.domain.meetings import OccurrenceKey
from meetbot.ports import Decision, OutboxState
from tests.console.conftest import PEOPLE, Console
from tests.flags import a_flag

HOUR = timedelta(hours=1)
PLOTS = ("weeks", "rates", "times", "precision")
READERS = (Role.OFFICER, Role.PRIVACY, Role.AUDITOR, Role.PRINCIPAL)


def add_flag(
    console: Console,
    name: str,
    *,
    rule: str = "adhoc-meeting",
    school: str | None = None,
    is_private: bool = False,
    severity: Severity = Severity.HIGH,
) -> Flag:
    """A flag of today with its case, of a meeting of its own."""
    occurrence = OccurrenceKey(name, console.now, "abcdefghij")
    key = FlagKey(rule, occurrence.text, "it")
    flag = replace(
        a_flag(severity=severity),
        id=flag_id(key),
        key=key,
        occurrence=occurrence,
        school_id=school,
        opened_at=console.now - 4 * HOUR,
        updated_at=console.now - 4 * HOUR,
    )
    schools = (school,) if school else ()
    noted = Noted(None, (), schools, is_private, console.now)
    with console.store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.OPENED, flag)], as_of=console.now)
        tx.cases.note(occurrence.text, noted)
    return flag


def decide(console: Console, flag: Flag, status: FlagStatus, after: timedelta) -> None:
    at = flag.opened_at + after
    with console.store.transaction() as tx:
        tx.flags.decide(Decision(flag.id, status, "technical", "", "officer@x", at))


def text_of(client: FlaskClient, path: str = "/overview") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    assert len(answer.data) < 200_000
    return answer.get_data(as_text=True)


def cells(page: str, first: str) -> list[str]:
    """The cells of the row that begins with this one."""
    found = re.search(rf"<tr><th scope=\"row\">{re.escape(first)}</th>(.*?)</tr>", page)
    assert found, first
    return re.findall(r"<td>(.*?)</td>", found[1])


ClientOf = Callable[[Role | str | None], FlaskClient]


@pytest.mark.parametrize("role", READERS)
def test_every_plot_has_a_sentence_and_a_table(client_of: ClientOf, role: Role) -> None:
    """And a picture with the sentence as its text, which comes from an address of its own."""
    client = client_of(role)
    page = text_of(client)

    shown = re.findall(r'<img src="(/overview/(\w+)\.svg)" alt="([^"]+)"', page)
    assert [name for _, name, _ in shown][:1] == ["weeks"]
    for path, name, alt in shown:
        assert name in PLOTS
        assert "The table below has the same numbers." in alt
        picture = client.get(path)
        assert picture.mimetype == "image/svg+xml"
        assert ElementTree.fromstring(picture.data).tag.endswith("svg")  # our own
        assert len(picture.data) < 200_000
    assert page.count("<table>") >= len(shown)
    assert "style=" not in page


def test_no_name_is_on_the_page(client_of: ClientOf) -> None:
    """Numbers and rules only."""
    page = text_of(client_of(Role.OFFICER)).replace(PEOPLE[Role.OFFICER], "")

    assert "@" not in page


def test_flags_of_this_week_are_counted_by_severity(console: Console, client_of: ClientOf) -> None:
    """The last row is the running week, the last cell of it the sum."""

    def last_week() -> list[int]:
        table = text_of(client_of(Role.OFFICER)).split("</table>")[0]
        row = re.findall(r"<tr><th scope=\"row\">[^<]*</th>(.*?)</tr>", table)[-1]
        return [int(cell) for cell in re.findall(r"<td>(\d+)</td>", row)]

    before = last_week()
    add_flag(console, "one", severity=Severity.CRITICAL)
    add_flag(console, "two", severity=Severity.LOW)

    after = last_week()

    added = [now - then for now, then in zip(after, before, strict=True)]
    assert added in ([1, 0, 0, 1, 0, 2], [0] * 6)  # four hours ago may be last week


def test_time_and_precision_are_those_of_decisions(console: Console, client_of: ClientOf) -> None:
    """Acknowledged after one hour, decided after two and three."""
    for number, (status, hours) in enumerate(
        [(FlagStatus.UPHELD, 2), (FlagStatus.DISMISSED, 3), (FlagStatus.UPHELD, 3)]
    ):
        flag = add_flag(console, f"uid-{number}", rule="program-paused")
        decide(console, flag, FlagStatus.ACKNOWLEDGED, HOUR)
        decide(console, flag, status, hours * HOUR)

    page = text_of(client_of(Role.OFFICER))

    assert cells(page, "High") == ["3", "60 minutes", "60 minutes", "3", "3 hours", "3 hours"]
    assert cells(page, "program-paused") == ["2", "1", "67%"]


def test_what_was_undone_does_not_count(console: Console, client_of: ClientOf) -> None:
    """A decision taken back leaves the flag as if nobody had seen it."""
    flag = add_flag(console, "one", rule="program-paused")
    decide(console, flag, FlagStatus.UPHELD, HOUR)
    decide(console, flag, FlagStatus.OPEN, 2 * HOUR)

    assert "No flag of the last year was upheld" in text_of(client_of(Role.OFFICER))


def test_private_numbers_are_for_privacy_officers(console: Console, client_of: ClientOf) -> None:
    """Neither a count nor a rule of a confidential service is on anybody else's page."""
    flag = add_flag(console, "one", rule="confidential-intruder", is_private=True)
    other = add_flag(console, "two", rule="program-paused", is_private=True, school="lakeview")
    for one in (flag, other):
        decide(console, one, FlagStatus.UPHELD, HOUR)

    for role in READERS:
        page = text_of(client_of(role))
        assert ("confidential-intruder" in page) == (role is Role.PRIVACY)
        assert ("program-paused" in page) == (role is Role.PRIVACY)


def test_a_principal_sees_the_own_schools_alone(console: Console, client_of: ClientOf) -> None:
    """Flags of other schools are not counted, and nothing of the district is shown."""
    own = add_flag(console, "one", rule="program-paused", school="lakeview")
    other = add_flag(console, "two", rule="contract-expired", school="elsewhere")
    for one in (own, other):
        decide(console, one, FlagStatus.UPHELD, HOUR)

    page = text_of(client_of(Role.PRINCIPAL))

    assert cells(page, "program-paused") == ["1", "0", "100%"]
    assert "contract-expired" not in page
    for words in ("Calendars read", "Sent in the last 7 days", "per 100", "ends within"):
        assert words not in page
    assert "Calendars read" in text_of(client_of(Role.OFFICER))


def test_the_district_sees_coverage_mails_and_what_ends(
    console: Console, client_of: ClientOf
) -> None:
    """As counted by the poll that the console stands on."""
    page = text_of(client_of(Role.AUDITOR))

    with console.store.reading() as tx:
        sent = tx.outbox.counts()[OutboxState.SENT]
    assert cells(page, "Sent in the last 7 days") == [str(sent)]
    assert int(cells(page, "Calendars read")[0]) > 50
    assert all(cell.isdecimal() for cell in cells(page, "Contracts"))


def test_an_empty_district_has_sentences_and_no_error(
    console: Console, client_of: ClientOf
) -> None:
    """Years later nothing is left to count."""
    console.now += timedelta(days=4000)
    client = client_of(Role.OFFICER)

    page = text_of(client)

    assert "there is no rate" in page
    assert "No flag of these weeks was acknowledged" in page
    for name in PLOTS:
        assert client.get(f"/overview/{name}.svg").status_code == 200


def test_there_are_no_other_pictures(client_of: ClientOf) -> None:
    """An unknown name is a page that does not exist."""
    assert client_of(Role.OFFICER).get("/overview/secrets.svg").status_code == 404


# --- operations ---------------------------------------------------------------------------------


def test_operators_see_how_the_work_goes(client_of: ClientOf) -> None:
    """Coverage and mails, no rule, no case."""
    page = text_of(client_of(Role.OPERATOR), "/operations")

    assert "Mail leaves as usual." in page
    assert "<button>Release" not in page
    assert cells(page, "Held now") == ["0"]


@pytest.mark.parametrize("what", ["release", "drop"])
def test_operators_end_a_storm(console: Console, client_of: ClientOf, what: str) -> None:
    """With one press; the chain says who, and a second press changes nothing."""
    with console.store.transaction() as tx:
        tx.storms.begin(145, {"partner-unregistered": 112}, at=console.now)
    client = client_of(Role.OPERATOR)
    page = text_of(client, "/operations")
    assert "mail is stopped" in page
    assert cells(page, "partner-unregistered") == ["112"]

    answer = client.post(f"/operations/{what}")

    assert (answer.status_code, answer.location) == (303, "/operations")
    page = text_of(client, "/operations")
    assert "0 mails are" in page
    assert "Mail leaves as usual." in page
    with console.store.reading() as tx:
        (storm,) = tx.storms.list()
        assert storm.ended_by == PEOPLE[Role.OPERATOR]
        assert len(tx.chain.links(LinkKind.STORM)) == 2
        assert tx.chain.audit().broken is None
    client.post(f"/operations/{what}")
    assert "somebody else has decided already" in text_of(client, "/operations")


def test_nothing_is_released_by_a_link(console: Console, client_of: ClientOf) -> None:
    """GET changes nothing."""
    with console.store.transaction() as tx:
        tx.storms.begin(145, {}, at=console.now)

    assert client_of(Role.OPERATOR).get("/operations/release").status_code == 405
    with console.store.reading() as tx:
        assert tx.storms.current() is not None
