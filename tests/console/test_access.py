"""Who looked at what: noted in the console, read by auditors there and by `audit access`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from meetbot.console.access import Role
from meetbot.domain.access_log import AccessAction, AccessEntry
from tests.command import meetbot
from tests.console.conftest import PEOPLE, Console
from tests.stage import Stage

OFFICER = PEOPLE[Role.OFFICER]


def a_read(at: datetime, case: str) -> AccessEntry:
    return AccessEntry(at, AccessAction.READ, case, OFFICER, ("officer",))


def test_a_refusal_is_noted(console: Console) -> None:
    """With who, as what, and what it was about."""
    console.client(Role.OFFICER).get("/access")

    page = console.client(Role.AUDITOR).get("/access").text
    assert OFFICER in page
    assert "refused (role)" in page
    assert "access.page" in page


def test_the_log_is_read_in_parts(console: Console) -> None:
    """Fifty lines each, the newest first; of one case only, if asked."""
    with console.store.transaction() as tx:
        tx.access_log.note(
            a_read(console.now + timedelta(minutes=n), f"C-{n:012}") for n in range(60)
        )
    browser = console.client(Role.AUDITOR)

    first = browser.get("/access").text
    assert "C-000000000059" in first
    assert "C-000000000010" in first
    assert "C-000000000009" not in first
    assert "Newest</a>" not in first
    older = first.partition('href="/access?before=')[2].partition('"')[0]
    second = browser.get(f"/access?before={older}").text
    assert "C-000000000009" in second
    assert "C-000000000010" not in second
    assert "Older</a>" not in second
    assert "Newest</a>" in second
    one = browser.get("/access?case=C-000000000007").text
    assert one.count("<tr>") == 2
    assert "Nothing here." in browser.get("/access?case=x&before=nonsense").text


def test_the_command_lists_it(
    polled_district: tuple[Stage, datetime], console: Console, tmp_path: Path
) -> None:
    """By case and from a day of the district's zone on; as JSON, or for people."""
    stage, _ = polled_district
    early = datetime(2026, 10, 13, 4, 59, tzinfo=UTC)
    with console.store.transaction() as tx:
        tx.access_log.note([a_read(early, "C-a"), a_read(early + timedelta(minutes=1), "C-b")])
        tx.access_log.note([AccessEntry(early, AccessAction.REFUSED, "signin", reason="domain")])

    def ran(*words: str) -> str:
        done = meetbot(
            "--config", stage.config, "audit", "access", *words, cwd=tmp_path,
            MEETBOT_DATABASE__URL=f"sqlite:///{tmp_path / 'meetbot.db'}",
        )  # fmt: skip
        assert done.code == 0, done.err
        return done.out

    assert [line["subject"] for line in json.loads(ran("--json"))] == ["signin", "C-b", "C-a"]
    assert [line["who"] for line in json.loads(ran("--case", "C-a", "--json"))] == [OFFICER]
    assert [x["subject"] for x in json.loads(ran("--since", "2026-10-13", "--json"))] == ["C-b"]
    assert "signin (domain)  -" in ran()
    assert "Nothing" in ran("--case", "C-none")


def test_all_sessions_of_a_person_are_ended(
    polled_district: tuple[Stage, datetime], console: Console, tmp_path: Path
) -> None:
    """`console signout` counts at once, for that person alone."""
    stage, _ = polled_district
    one, other = console.client(Role.OFFICER), console.client(Role.AUDITOR)
    words = ("--config", stage.config, "console", "signout")
    database = f"sqlite:///{tmp_path / 'meetbot.db'}"

    done = meetbot(*words, OFFICER.upper(), cwd=tmp_path, MEETBOT_DATABASE__URL=database)
    assert (done.code, done.out) == (0, "1 session ended.\n")
    assert one.get("/").status_code == 302
    assert other.get("/").status_code == 200

    wrong = meetbot(*words, "nobody", cwd=tmp_path, MEETBOT_DATABASE__URL=database)
    assert wrong.code == 2
    assert "is no address" in wrong.err
