"""The registry in a Google spreadsheet: by hand, on the schedule, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meetbot.domain.chain import LinkKind
from meetbot.domain.registry import Registry
from meetbot.jobs import import_registry
from meetbot.sandbox.district import ADMIN, SPREADSHEET, demo_district
from meetbot.sandbox.registry_rows import Rows, sheet_tabs
from tests.command import Ran, meetbot
from tests.stage import Stage, a_stage, write_registry

SHEET = f"sheet:{SPREADSHEET}"
Files = dict[str, Rows]
District = tuple[Stage, Files]


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    """The demo district before any import."""
    now = datetime.now(UTC)
    world, rows, _ = demo_district(now)
    with a_stage(tmp_path, world, None, clock=lambda: now) as stage:
        yield stage, rows


def run(stage: Stage, *words: str | Path, **variables: str) -> Ran:
    return meetbot("--config", stage.config, *words, cwd=stage.folder, **variables)


def scheduled(stage: Stage, *words: str) -> Ran:
    """A command with the spreadsheet in the configuration."""
    return run(stage, *words, MEETBOT_REGISTRY__SOURCE=SHEET)


def known(stage: Stage) -> Registry:
    with stage.app.store.reading() as tx:
        return tx.registry.current()


def recorded(stage: Stage) -> int:
    """How many imports the hash chain records."""
    with stage.app.store.reading() as tx:
        return len(list(tx.chain.links(LinkKind.REGISTRY)))


def put(stage: Stage, files: Files) -> None:
    stage.world.add_spreadsheet(SPREADSHEET, sheet_tabs(files), readers=[ADMIN])


# --- by hand ------------------------------------------------------------------------------------


def test_a_sheet_is_the_same_registry_as_its_csv_files(district: District) -> None:
    """Imported from the spreadsheet, exported, it is what the CSV files hold."""
    stage, rows = district
    assert run(stage, "registry", "import", SHEET, "--dry-run").code == 0
    assert known(stage) == Registry()

    ran = run(stage, "registry", "import", f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Imported.")

    write_registry(stage.folder / "files", rows)
    again = run(stage, "registry", "import", stage.folder / "files", "--json")
    assert again.json["imported"]
    assert all(
        not (part["added"] or part["changed"] or part["removed"])
        for part in again.json["files"].values()
    )
    assert len(known(stage).partners) == len(rows["partners.csv"])
    methods = {line.method for line in stage.box.requests.lines if line.api == "sheets"}
    assert methods == {"sheets.spreadsheets.get", "sheets.spreadsheets.values.batchGet"}


def test_a_sheet_that_lost_rows_wants_yes(district: District) -> None:
    """The preview and the rule of ten in a hundred are those of files."""
    stage, rows = district
    run(stage, "registry", "import", SHEET)
    put(stage, rows | {"exemptions.csv": rows["exemptions.csv"][:1]})

    refused = run(stage, "registry", "import", SHEET)
    assert refused.code == 2
    assert "exemptions.csv: more than 10 % of the rows would vanish" in refused.err
    assert len(known(stage).exemptions) > 1
    assert run(stage, "registry", "import", SHEET, "--yes").code == 0
    assert len(known(stage).exemptions) == 1


Breaking = Callable[[Stage], object]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (
            lambda stage: stage.world.spreadsheets.clear(),
            ["no such spreadsheet (status 404)", "share the spreadsheet"],
        ),
        (
            lambda stage: stage.world.spreadsheets[SPREADSHEET].readers.clear(),
            ["denied access (status 403)", "share the spreadsheet with google.admin_subject"],
        ),
        (
            lambda stage: stage.world.revoke_scope("/spreadsheets.readonly"),
            ["client id 100000000000000000001 for spreadsheets.readonly"],
        ),
        (
            lambda stage: stage.world.fail("sheets", 403, times=None, kind="error"),
            ["the Sheets API denied access (status 403)"],
        ),
    ],
)
def test_what_stands_in_the_way_is_said_with_its_fix(
    district: District, broken: Breaking, said: list[str]
) -> None:
    """Exit 1, the reason and what to do; nothing is imported."""
    stage, _ = district
    broken(stage)

    ran = run(stage, "registry", "import", SHEET)

    assert ran.code == 1
    assert "Fix: " in ran.err
    for words in said:
        assert words in ran.err
    assert known(stage) == Registry()


def test_mistakes_in_a_sheet_are_listed_with_tab_and_row(district: District) -> None:
    """As for files: every mistake with place and fix, exit 1, nothing imported."""
    stage, _ = district
    tabs = stage.world.spreadsheets[SPREADSHEET].tabs
    tabs["contracts"][1][tabs["contracts"][0].index("ends_on")] = 2027
    del tabs["exemptions"]

    ran = run(stage, "registry", "import", SHEET)

    assert ran.code == 1
    assert "tab contracts, row 2, column ends_on: is not a date" in ran.out
    assert "tab exemptions: is missing" in ran.out
    assert known(stage) == Registry()


def test_a_name_that_is_no_spreadsheet_is_wrong_use(district: District) -> None:
    """Exit 2 without a single request."""
    stage, _ = district
    ran = run(stage, "registry", "import", "sheet:https://evil.example/spreadsheets/d/x/")

    assert ran.code == 2
    assert "SOURCE: names no Google spreadsheet. Fix: write sheet:ID" in ran.err
    assert stage.box.requests.total == 0


# --- on the schedule ----------------------------------------------------------------------------


def test_poll_imports_the_sheet_and_keeps_the_old_registry_when_it_must(
    district: District,
) -> None:
    """Imported, unchanged, refused (exit 3, said by doctor), and taken up again."""
    stage, rows = district
    first = scheduled(stage, "poll", "--json")
    assert first.code == 0, first.err
    assert first.json["sources"]["registry-sheet"]["read"] == 1
    assert first.json["requests"]["sheets"] == 2
    assert recorded(stage) == 1
    whole = known(stage)
    assert len(whole.partners) == len(rows["partners.csv"])

    again = scheduled(stage, "poll", "--json")
    assert again.code == 0
    assert not any(again.json["flags"].values())
    assert recorded(stage) == 1

    put(stage, rows | {"authorizations.csv": rows["authorizations.csv"][:5]})
    refused = scheduled(stage, "poll", "--json")
    assert refused.code == 3
    (reason,) = refused.json["sources"]["registry-sheet"]["reasons"]
    assert reason.startswith("more than 10 % of the rows of authorizations would vanish")
    assert known(stage) == whole
    checked = scheduled(stage, "doctor")
    assert checked.code == 1
    assert "FAIL  registry sheet: the last import of the schedule failed: more than" in checked.out

    put(stage, rows)
    assert scheduled(stage, "poll").code == 0
    assert run(stage, "audit", "verify").code == 0
    assert "ok    registry sheet: readable, no mistake" in scheduled(stage, "doctor").out


def test_a_sheet_with_mistakes_is_a_source_that_could_not_be_read(district: District) -> None:
    """The reason names the first place and how many more there are."""
    stage, _ = district
    tabs = stage.world.spreadsheets[SPREADSHEET].tabs
    tabs["partners"][1][0] = ""
    del tabs["exemptions"]

    ran = scheduled(stage, "poll", "--json")

    assert ran.code == 3
    (reason,) = ran.json["sources"]["registry-sheet"]["reasons"]
    assert reason.startswith("tab partners, row 2, column partner_id: ")
    assert "more mistakes); the registry from before stays" in reason
    # Without the spreadsheet in the configuration its problem is over.
    assert "registry-sheet" not in run(stage, "poll", "--json").json["sources"]
    with stage.app.store.reading() as tx:
        assert tx.meta.source(import_registry.SOURCE).problem == ""


def test_doctor_asks_for_the_scope_only_with_a_sheet(district: District) -> None:
    """Without a spreadsheet nobody needs the scope; with one a missing scope is named."""
    stage, _ = district
    stage.world.revoke_scope("/spreadsheets.readonly")

    assert "spreadsheets" not in run(stage, "doctor").out
    ran = scheduled(stage, "doctor")
    assert ran.code == 1
    assert "FAIL  scope spreadsheets.readonly" in ran.out


@pytest.mark.parametrize("source", ["config/registry", "sheet:", "sheet:a b", SPREADSHEET])
def test_a_source_in_the_configuration_must_be_a_sheet(district: District, source: str) -> None:
    """Anything else is a mistake with its key and fix."""
    stage, _ = district
    ran = run(stage, "poll", MEETBOT_REGISTRY__SOURCE=source, MEETBOT_REGISTRY__EVERY="0s")

    assert ran.code == 2
    assert "registry.source" in ran.err
    assert "Fix: write sheet:ID" in ran.err
    assert "registry.every): must be longer than nothing" in ran.err
