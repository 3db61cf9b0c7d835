"""Which rules decided: a short name that changes with the rules and with nothing else."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from zipfile import Path as ZipPath
from zipfile import ZipFile

import pytest

from meetbot.rules.version import digest_of, program_version, rules_version

SOURCES = {
    "domain/spans.py": b"one = 1\n",
    "rules/audience.py": b"two = 2\n",
    "rules/checks/pause.py": b"three = 3\n",
}


def a_program(folder: Path, **changes: bytes) -> Path:
    """A program of these sources; a name with `__` for `/` replaces or adds one."""
    changed = {name.replace("__", "/") + ".py": text for name, text in changes.items()}
    for name, text in (SOURCES | changed).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    return folder


def test_the_version_names_the_sources_as_they_are(tmp_path: Path) -> None:
    """Kept with every flag: the same sources have the same name on any machine, for years."""
    assert digest_of(a_program(tmp_path)) == "38933d154a82e395"


@pytest.mark.parametrize(
    "changes",
    [
        {"domain__spans": b"one = 2\n"},
        {"rules__audience": b"two = 3\n"},
        {"rules__checks__pause": b"three = 4\n"},
        {"rules__checks__more": b""},
        {"domain__spans": b"", "rules__audience": b"one = 1\ntwo = 2\n"},
    ],
    ids=["domain", "rules", "a check", "a new file", "moved to another file"],
)
def test_every_change_of_a_source_is_another_version(
    tmp_path: Path, changes: dict[str, bytes]
) -> None:
    """Domain, rules and checks alike, whatever it is that changed."""
    before, after = a_program(tmp_path / "a"), a_program(tmp_path / "b", **changes)

    assert digest_of(before) != digest_of(after)


def test_what_decides_nothing_changes_no_version(tmp_path: Path) -> None:
    """Line ends, texts beside the sources, and the rest of the program."""
    before, after = a_program(tmp_path / "a"), a_program(tmp_path / "b")
    (after / "domain/spans.py").write_bytes(b"one = 1\r\n")
    (after / "rules/README.md").write_text("about the rules")
    (after / "cli.py").write_text("three = 3")

    assert digest_of(before) == digest_of(after)


def test_a_packed_program_has_the_same_version(tmp_path: Path) -> None:
    """A zip lists its files in the order in which they were packed."""
    folder = a_program(tmp_path / "a", rules__first=b"one = 1\n")
    with ZipFile(tmp_path / "a.zip", "w") as packed:
        for path in sorted(folder.rglob("*.py"), reverse=True):
            packed.write(path, path.relative_to(folder))

    with ZipFile(tmp_path / "a.zip") as packed:
        assert digest_of(ZipPath(packed)) == digest_of(folder)


def test_a_flag_is_stamped_with_this_programs_versions() -> None:
    """Of the sources that are running, and of the package as it is installed."""
    assert rules_version.__wrapped__() == digest_of(files("meetbot")) == rules_version()
    assert program_version.__wrapped__() == version("meetbot")
