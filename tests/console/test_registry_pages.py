"""The registry's pages: what each role reads, and what the keeper changes."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from meetbot.console.access import Role
from meetbot.domain.registry import (
    COLUMNS,
    Contract,
    Exemption,
    ExemptionKind,
    RegistryFile,
    to_cells,
)
from meetbot.domain.registry_history import KnownRow
from meetbot.registry import write_folder
from tests.console.conftest import PEOPLE, Console

KEEPER = Role.KEEPER
READERS = (Role.KEEPER, Role.OFFICER, Role.PRIVACY, Role.AUDITOR)


def known(console: Console, file: RegistryFile, *, ended: bool = False) -> tuple[KnownRow, ...]:
    with console.store.reading() as tx:
        assert tx.chain.audit().broken is None
        return tx.registry.known(file=file, ended=ended)


def contract_of(console: Console, partner_id: str) -> KnownRow:
    return next(
        found
        for found in known(console, RegistryFile.CONTRACTS)
        if isinstance(found.row, Contract) and found.row.partner_id == partner_id
    )


def main_of(page: TestResponse) -> str:
    return page.text.split("<main")[1].split("</main>")[0]


def title_of(page: TestResponse) -> str:
    return page.text.split("<title>")[1].split("</title>")[0]


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", READERS)
def test_partners_are_listed_and_found(console: Console, who: Role) -> None:
    """By a part of the name, by id, by an address of theirs; and by status."""
    client = console.client(who)
    assert "Bright Path Scholars" in client.get("/registry").text
    for wanted in ("brIGHT", "bright-path", "somebody@brightpath.example"):
        page = client.get("/registry", query_string={"q": wanted})
        assert "Bright Path Scholars" in page.text
        assert "Maker Yard" not in page.text
    paused = client.get("/registry?status=paused")
    assert "Northside Futsal" in paused.text
    assert "Maker Yard" not in paused.text
    assert "0 partners" in client.get("/registry?q=<script>").text


@pytest.mark.parametrize("who", READERS)
def test_a_partner_has_everything_on_one_page(console: Console, who: Role) -> None:
    """Only the keeper is offered changes; the title names nobody."""
    page = console.client(who).get("/registry/partners/bright-path")

    assert page.status_code == 200
    for words in ("brightpath.example", "Contracts", "Certifications", "Authorizations"):
        assert words in page.text
    assert ("/change" in page.text) is (who is KEEPER)
    assert "Bright" not in title_of(page)
    assert len(page.data) < 200_000


@pytest.mark.parametrize("file", RegistryFile)
def test_every_file_can_be_read_with_its_history(console: Console, file: RegistryFile) -> None:
    """All rows, found by any of their words."""
    client = console.client(Role.OFFICER)
    page = client.get(f"/registry/files/{file}?ended=1")
    assert page.status_code == 200
    assert len(page.data) < 200_000
    nothing = client.get(f"/registry/files/{file}", query_string={"q": "\u202e'%_\0"})
    assert "0 rows" in nothing.text


@pytest.mark.parametrize(
    "path",
    [
        "/registry/partners/nobody",
        "/registry/files/secrets",
        "/registry/rows/999999/end",
        "/registry/rows/999999/change",
        "/registry/import/0123456789abcdef",
    ],
)
def test_what_is_not_there_is_404(console: Console, path: str) -> None:
    """For the keeper, who may see all there is."""
    assert console.client(KEEPER).get(path).status_code == 404


def test_pages_of_a_list_and_odd_numbers(console: Console) -> None:
    """No query makes a page fail."""
    client = console.client(KEEPER)
    for query in ("page=2", "page=-1", "page=x", "page=99999999999999999999", "days=7", "days=x"):
        for path in ("/registry", "/registry/files/partners", "/registry/lapsing"):
            assert client.get(f"{path}?{query}").status_code == 200


def test_confidential_services_are_for_privacy_officers(console: Console) -> None:
    """Officers and auditors are told how many rows they do not see."""
    clinical = [
        found.row
        for found in known(console, RegistryFile.EXEMPTIONS)
        if isinstance(found.row, Exemption)
        and found.row.kind is ExemptionKind.CONFIDENTIAL_CLINICAL
    ]
    assert clinical
    reason = clinical[0].reason
    for who in (Role.PRIVACY, KEEPER):
        assert reason in console.client(who).get("/registry/files/exemptions").text
    for who in (Role.OFFICER, Role.AUDITOR):
        page = console.client(who).get("/registry/files/exemptions")
        assert reason not in page.text
        assert "for privacy officers only" in page.text
        hidden = console.client(who).get("/registry/files/exemptions", query_string={"q": reason})
        assert "0 rows" in hidden.text


@pytest.mark.parametrize("days", [30, 60, 90])
def test_what_lapses_is_listed(console: Console, days: int) -> None:
    """By the span that was chosen, with a link to whose it is."""
    row = contract_of(console, "bright-path")
    soon = console.now.astimezone(console.deps.district.zone).date().isoformat()
    cells = to_cells(row.row) | {"ends_on": soon}
    client = console.client(KEEPER)
    assert client.post(f"/registry/rows/{row.id}/change", data=cells).status_code == 303

    page = console.client(Role.AUDITOR).get(f"/registry/lapsing?days={days}")
    assert "/registry/partners/bright-path" in page.text
    assert f"next {days} days" in page.text


# --- adding, changing, ending -------------------------------------------------------------------


@pytest.mark.parametrize("file", RegistryFile)
def test_every_file_has_a_form_with_all_its_columns(console: Console, file: RegistryFile) -> None:
    """Each with a label; what is missing is said beside it."""
    client = console.client(KEEPER)
    page = client.get(f"/registry/files/{file}/add?partner=bright-path")
    for column in COLUMNS[file]:
        assert f'name="{column.name}"' in page.text
        assert f'for="{column.name}"' in page.text
    empty = client.post(f"/registry/files/{file}/add", data={})
    assert empty.status_code == 422
    assert 'class="mistake"' in empty.text


def test_a_row_is_added_changed_and_ended(console: Console) -> None:
    """The whole life of a contract, with who and when, and nothing overwritten."""
    client = console.client(KEEPER)
    cells = {
        "contract_id": "NEW-1",
        "partner_id": "bright-path",
        "program_id": "bright-path-program",
        "school_ids": "cedar;harbor",
        "signed_on": "2026-06-01",
        "starts_on": "2026-07-01",
        "ends_on": "2029-06-30",
    }
    added = client.post("/registry/files/contracts/add", data=cells)
    assert (added.status_code, added.location) == (303, "/registry/partners/bright-path")
    (row,) = [f for f in known(console, RegistryFile.CONTRACTS) if to_cells(f.row) == cells]
    assert row.by == PEOPLE[KEEPER]

    form = client.get(f"/registry/rows/{row.id}/change")
    assert 'value="cedar;harbor"' in form.text
    changed = client.post(f"/registry/rows/{row.id}/change", data=cells | {"school_ids": "*"})
    assert changed.status_code == 303
    (row,) = [f for f in known(console, RegistryFile.CONTRACTS) if "NEW-1" in str(f.row)]

    assert "Last day on which it counts" in client.get(f"/registry/rows/{row.id}/end").text
    late = client.post(
        f"/registry/rows/{row.id}/end", data={"how": "close", "last_day": "2030-01-01"}
    )
    assert late.status_code == 422
    assert "is not before 2029-06-30" in late.text
    for wrong in ({"how": "close"}, {"how": "close", "last_day": "soon"}, {"how": "burn"}, {}):
        assert client.post(f"/registry/rows/{row.id}/end", data=wrong).status_code == 422
    closed = client.post(
        f"/registry/rows/{row.id}/end", data={"how": "close", "last_day": "2027-06-30"}
    )
    assert closed.status_code == 303
    gone = next(f for f in known(console, RegistryFile.CONTRACTS) if "NEW-1" in str(f.row))
    assert client.post(f"/registry/rows/{gone.id}/end", data={"how": "remove"}).status_code == 303
    history = [
        f for f in known(console, RegistryFile.CONTRACTS, ended=True) if "NEW-1" in str(f.row)
    ]
    assert [(f.is_known, f.ended_by) for f in history] == [(False, PEOPLE[KEEPER])] * 3
    page = console.client(Role.AUDITOR).get("/registry/partners/bright-path")
    assert "3 rows of the past" in page.text
    assert client.post(f"/registry/rows/{gone.id}/end", data={"how": "remove"}).status_code == 404
    assert client.get(f"/registry/rows/{gone.id}/change").status_code == 404
    assert "has ended already" in client.get(f"/registry/rows/{gone.id}/end").text


def test_every_mistake_is_beside_its_column(console: Console) -> None:
    """And what was filled in is still there, harmless."""
    cells = {
        "contract_id": '"><script>',
        "partner_id": "nobody",
        "program_id": "nothing",
        "school_ids": "mars",
        "starts_on": "2027-02-30",
        "ends_on": "2026-01-01",
    }
    page = console.client(KEEPER).post("/registry/files/contracts/add", data=cells)
    assert page.status_code == 422
    assert "<script>" not in page.text
    assert "is a date that does not exist" in page.text
    fixed = console.client(KEEPER).post(
        "/registry/files/contracts/add", data=cells | {"starts_on": "2025-01-01"}
    )
    for column, what in (
        ("partner_id", "is not in partners.csv"),
        ("program_id", "is not in programs.csv"),
        ("school_ids", "names a school that is not in schools.csv"),
    ):
        place = re.search(rf'id="{column}-errors">([^<]*)<', fixed.text)
        assert place is not None
        assert what in place[1]


def test_what_others_rest_on_is_not_removed(console: Console) -> None:
    """The page names what has to end first."""
    partner = next(f for f in known(console, RegistryFile.PARTNERS) if "Maker Yard" in str(f.row))
    client = console.client(KEEPER)
    page = client.post(f"/registry/rows/{partner.id}/end", data={"how": "remove"})
    assert page.status_code == 422
    assert "contracts " in page.text
    assert "Maker Yard" in client.get("/registry").text


def test_an_approval_is_revoked_by_one_press(console: Console) -> None:
    """From now on."""
    row = next(f for f in known(console, RegistryFile.AUTHORIZATIONS) if not _is_revoked(f))
    client = console.client(KEEPER)
    assert "Revoke now" in client.get(f"/registry/rows/{row.id}/end").text
    assert client.post(f"/registry/rows/{row.id}/end", data={"how": "close"}).status_code == 303
    key = to_cells(row.row)["authorization_id"]
    (now,) = [
        f
        for f in known(console, RegistryFile.AUTHORIZATIONS)
        if to_cells(f.row)["authorization_id"] == key
    ]
    assert _is_revoked(now)


def _is_revoked(found: KnownRow) -> bool:
    return bool(to_cells(found.row)["revoked_at"])


# --- importing ----------------------------------------------------------------------------------


def exported(console: Console, folder: Path) -> dict[str, bytes]:
    with console.store.reading() as tx:
        write_folder(tx.registry.current(), folder)
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}


def send(console: Console, files: dict[str, bytes], who: Role = KEEPER) -> TestResponse:
    return console.client(who).post(
        "/registry/import",
        data={"files": [(io.BytesIO(data), name) for name, data in files.items()]},
        content_type="multipart/form-data",
    )


def test_an_import_is_shown_first_and_then_made(console: Console, tmp_path: Path) -> None:
    """Nothing changes before the second press; the link works once."""
    files = exported(console, tmp_path)
    files["partners.csv"] += b"moon,Moon Lab,contracted,active,\n"
    uploaded = send(console, files)
    assert uploaded.status_code == 303
    client = console.client(KEEPER)
    page = client.get(uploaded.location)
    assert "moon" in main_of(page)
    assert "Moon Lab" not in client.get("/registry").text

    done = client.post(uploaded.location, data={})
    assert (done.status_code, done.location) == (303, "/registry")
    assert "Moon Lab" in client.get("/registry").text
    assert client.post(uploaded.location, data={}).status_code == 404
    assert client.get(uploaded.location).status_code == 404


def test_a_preview_belongs_to_its_uploader_for_an_hour(console: Console, tmp_path: Path) -> None:
    """Another keeper does not find it, nor does the same one tomorrow."""
    uploaded = send(console, exported(console, tmp_path))
    config = console.app.extensions["meetbot"].config
    assert PEOPLE[KEEPER] in config.keepers
    assert console.client(Role.OFFICER).get(uploaded.location).status_code == 403
    console.now = console.now.replace(year=console.now.year + 1)
    assert console.client(KEEPER).get(uploaded.location).status_code == 404


def test_much_that_vanishes_needs_a_tick(console: Console, tmp_path: Path) -> None:
    """Without it nothing is imported and the page says so at the box."""
    files = exported(console, tmp_path)
    files["exemptions.csv"] = files["exemptions.csv"].splitlines(keepends=True)[0]
    uploaded = send(console, files)
    client = console.client(KEEPER)
    assert 'name="vanish"' in client.get(uploaded.location).text
    refused = client.post(uploaded.location, data={})
    assert refused.status_code == 422
    assert 'aria-describedby="vanish-errors"' in refused.text
    assert known(console, RegistryFile.EXEMPTIONS)
    assert client.post(uploaded.location, data={"vanish": "yes"}).status_code == 303
    assert not known(console, RegistryFile.EXEMPTIONS)


def test_mistakes_of_an_upload_are_listed(console: Console, tmp_path: Path) -> None:
    """With place and fix, and no cell is quoted."""
    files = exported(console, tmp_path)
    files["partners.csv"] += b"moon,=Moon<script>,contracted,active,\n"
    page = send(console, files)
    assert page.status_code == 422
    assert "begins like a formula" in page.text
    assert "Moon" not in page.text
    assert send(console, {}).status_code == 422


def test_an_upload_of_50_megabytes_is_refused(console: Console) -> None:
    """And one of five is read: files are larger than other forms."""
    assert send_large(console, stated=50_000_000).status_code == 413
    page = send_large(console, 5_000_000)
    assert page.status_code == 422
    assert "is no readable .xlsx workbook" in page.text
    larger = console.client(KEEPER).post(
        "/registry/files/partners/add", data={"name": "x" * 99_000}
    )
    assert larger.status_code == 413


def send_large(console: Console, size: int = 0, *, stated: int | None = None) -> TestResponse:
    """An upload of zeros, written by hand: a browser streams it."""
    head = b"--x\r\nContent-Disposition: form-data; name=files; filename=r.xlsx\r\n\r\n"
    return console.client(KEEPER).post(
        "/registry/import",
        data=head + b"\0" * size + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={} if stated is None else {"CONTENT_LENGTH": str(stated)},
    )


def test_an_import_that_changes_nothing_says_so(console: Console, tmp_path: Path) -> None:
    """What was exported can be imported."""
    uploaded = send(console, exported(console, tmp_path))
    client = console.client(KEEPER)
    assert "Nothing differs" in client.get(uploaded.location).text
    assert client.post(uploaded.location, data={}).status_code == 303
