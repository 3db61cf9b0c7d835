"""`init` writes what a district starts from, and never writes over anything."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from meetbot.cli.init import run_init
from meetbot.errors import BadInput

ROOT = Path(__file__).parents[2]

COLUMNS = {  # of the public contract, "Registry files"
    "schools": "school_id name kind unit_paths principals leads",
    "partners": "partner_id name kind status school_official",
    "programs": "program_id partner_id name type status",
    "identities": "partner_id kind value person_name",
    "contracts": "contract_id partner_id program_id school_ids signed_on starts_on ends_on",
    "certifications": "partner_id person_address certified_on expires_on",
    "authorizations": "authorization_id partner_id program_id school_id host_address starts_on "
    "ends_on authorizer_address issued_at revoked_at",
    "exemptions": "kind value platform consent_on_file reason owner starts_on ends_on",
}


def files_below(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_files(tmp_path: Path) -> None:
    """The configuration, the policy, eight registry files and the credentials example appear."""
    done = run_init(tmp_path / "new" / "place")

    assert files_below(tmp_path / "new" / "place").keys() == {
        "config/meetbot.toml",
        "config/policy.toml",
        *(f"config/registry/{name}.csv" for name in COLUMNS),
        "credentials.example.json",
    }
    assert len(done.written) == 11
    assert done.kept == ()


def test_registry_columns(tmp_path: Path) -> None:
    """Each registry file has its header row and nothing else."""
    run_init(tmp_path)

    for name, columns in COLUMNS.items():
        with (tmp_path / "config" / "registry" / f"{name}.csv").open(newline="") as file:
            assert list(csv.reader(file)) == [columns.split()]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Files that are there stay as they are, and are named."""
    mine = tmp_path / "config" / "meetbot.toml"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")

    done = run_init(tmp_path)

    assert mine.read_text(encoding="utf-8") == "mine"
    assert done.kept == (mine,)
    assert len(done.written) == 10


def test_twice(tmp_path: Path) -> None:
    """A second run writes nothing."""
    run_init(tmp_path)
    before = files_below(tmp_path)

    done = run_init(tmp_path)

    assert done.written == ()
    assert len(done.kept) == 11
    assert files_below(tmp_path) == before


def test_links_are_left_alone(tmp_path: Path) -> None:
    """A link that leads nowhere is not written through."""
    link = tmp_path / "credentials.example.json"
    os.symlink(tmp_path / "elsewhere", link)

    done = run_init(tmp_path)

    assert link in done.kept
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_where_a_directory_belongs(tmp_path: Path) -> None:
    """A place that cannot be written to is the user's mistake, with a fix."""
    (tmp_path / "config").write_text("", encoding="utf-8")

    with pytest.raises(BadInput, match="name a directory"):
        run_init(tmp_path)


def test_repository_holds_the_same(tmp_path: Path) -> None:
    """The templates shown in the repository are those that `init` writes."""
    run_init(tmp_path)

    shown = {f"config/{name}": content for name, content in files_below(ROOT / "config").items()}
    example = "credentials.example.json"

    assert {**shown, example: (ROOT / example).read_bytes()} == files_below(tmp_path)


def test_credentials_example(tmp_path: Path) -> None:
    """The example has the keys of a service-account key, and no key that could be one."""
    run_init(tmp_path)

    example = json.loads((tmp_path / "credentials.example.json").read_text(encoding="utf-8"))

    assert example["type"] == "service_account"
    assert {"client_email", "token_uri", "private_key"} <= example.keys()
    assert "BEGIN" not in example["private_key"]
