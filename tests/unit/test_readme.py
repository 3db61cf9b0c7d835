"""README, `--help`, configuration templates and code say the same."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from pydantic import BaseModel
from typer.main import get_command
from typer.testing import CliRunner

from meetbot.cli.app import app
from meetbot.domain.registry import RegistryFile
from meetbot.jobs.decisions import REASONS
from meetbot.rules import KNOWN_RULES
from meetbot.settings import (
    Console,
    Database,
    District,
    Google,
    Mail,
    Oidc,
    Privacy,
    Registry,
    Schedule,
    Service,
    Webhook,
)
from meetbot.workspace import GRANTS
from tests.readme import ROOT, TEXT, blocks, inline

SECTIONS: dict[str, type[BaseModel]] = {
    "district": District,
    "google": Google,
    "database": Database,
    "mail": Mail,
    "schedule": Schedule,
    "registry": Registry,
    "console": Console,
    "service": Service,
    "privacy": Privacy,
}
TEMPLATE = (resources.files("meetbot") / "templates/config/meetbot.toml").read_text("utf-8")


Command = Any
"""A command of click, which Typer brings under a name of its own; a group has `commands`."""


def commands(group: Command, *path: str) -> Iterator[tuple[str, Command]]:
    """Every command below a group with its words; groups come before theirs."""
    for name, command in group.commands.items():
        yield " ".join((*path, name)), command
        if is_group(command):
            yield from commands(command, *path, name)


def is_group(command: Command) -> bool:
    return hasattr(command, "commands")


MEETBOT: Command = get_command(app)
COMMANDS = dict(commands(MEETBOT))


def command_lines() -> list[list[str]]:
    """Every use of `meetbot` in the README: its words after the name."""
    lines = "\n".join((*blocks("sh"), *blocks("ini"))).splitlines()
    found = [re.search(r"(?:^|[ /\"=])meetbot ([a-z][^\"&]*)", line) for line in lines]
    used = [shlex.split(match[1]) for match in found if match]
    return used + [shlex.split(text)[1:] for text in inline() if text.startswith("meetbot ")]


def test_scopes() -> None:
    """The lists to paste are what the code asks for, mail by Gmail and spreadsheets apart."""
    reading, sending, sheets = (block.strip().split(",") for block in blocks("text"))

    asked = {name: grant.scopes for name, grant in GRANTS.items()}
    assert sending == list(asked.pop("gmail"))
    assert sheets == list(asked.pop("sheets"))
    assert reading == [scope for scopes in asked.values() for scope in scopes]


def test_each_scope_is_explained() -> None:
    """Every scope stands in the table that says what it is for."""
    assert {s for grant in GRANTS.values() for s in grant.short_scopes} <= set(inline())


def test_commands_exist() -> None:
    """Every command of the README exists with the options it is shown with."""
    used = command_lines()
    assert len(used) > 15
    for words in used:
        command = MEETBOT
        while is_group(command) and words and not words[0].startswith("-"):
            command = command.commands[words.pop(0)]
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_every_command_is_shown() -> None:
    """No command is missing in the README."""
    used = {" ".join(words[:2]) for words in command_lines()}
    for name, command in COMMANDS.items():
        if not is_group(command) and name != "demo":  # shown as `make demo`
            assert any(line == name or line.startswith(f"{name} ") for line in used), name


def test_make_targets() -> None:
    """Every `make` of the README is a target."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    made = {line.split()[1] for line in [*lines, *inline()] if re.match(r"make [a-z.]", line)}

    assert {"demo", "test"} <= made
    for target in made - {".venv/ready"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_whole(name: str) -> None:
    """In lists of commands no summary is cut, and every parameter is explained."""
    command = COMMANDS[name]

    # 80 columns, the margins, and the longest name of a command.
    assert not command.get_short_help_str(80 - 6 - len("sandbox ")).endswith("...")
    for parameter in command.params:
        assert getattr(parameter, "help", None), parameter.name


@pytest.mark.parametrize("section", ["district", "google", "database", "mail"])
def test_keys_to_edit(section: str) -> None:
    """Every key of the sections a district must edit is in the README."""
    (rows,) = [[line for line in TEXT.splitlines() if line.startswith(f"| `[{section}]`")]]
    named = {word for row in rows for word in re.findall(r"`([a-z_]+)`", row)}

    assert set(SECTIONS[section].model_fields) <= named


@pytest.mark.parametrize("section", SECTIONS)
def test_keys_of_the_template(section: str) -> None:
    """The template shows or names every key there is, and no other."""
    shown = tomllib.loads(TEMPLATE).get(section, {})
    fields = set(SECTIONS[section].model_fields)

    assert shown.keys() <= fields
    for key in fields - shown.keys():
        assert re.search(rf"^# {key} = |MEETBOT_{section}__{key}".upper(), TEMPLATE.upper(), re.M)


def test_variables() -> None:
    """Every environment variable of the README sets a key."""
    known = {f"MEETBOT_{s}__{key}".upper() for s, t in SECTIONS.items() for key in t.model_fields}
    known |= {f"MEETBOT_CONSOLE__OIDC__{key}".upper() for key in Oidc.model_fields}
    known |= {f"MEETBOT_WEBHOOKS__CASE_SYSTEM__{key}".upper() for key in Webhook.model_fields}
    named = re.findall(r"MEETBOT_[A-Z_]+", TEXT)

    assert named
    assert {name.removesuffix("_FILE") for name in named} <= known


def test_reason_codes() -> None:
    """The table of decisions has every reason code with its decision, and no other."""
    rows = re.findall(r"^\| `(\w+)` \| `([\w-]+)` \|", TEXT, re.MULTILINE)

    assert rows == [(status, code) for status, codes in REASONS.items() for code in codes]


def test_reasons_in_help() -> None:
    """`flags decide --help` lists every reason code: mails say so."""
    shown = " ".join(CliRunner().invoke(app, ["flags", "decide", "--help"]).output.split())

    for codes in REASONS.values():
        assert ", ".join(codes) in shown


def test_rules() -> None:
    """The number of rules is right, and the rules in examples exist."""
    numbers = re.findall(r"(\d+) rules", TEXT)
    switched = [name for block in blocks("toml") for name in tomllib.loads(block).get("rules", {})]

    assert numbers == [str(len(KNOWN_RULES))]
    assert switched
    assert set(switched) <= KNOWN_RULES


def test_registry_files() -> None:
    """The table has all eight registry files."""
    rows = re.findall(r"^\| `(\w+\.csv)` \|", TEXT, re.MULTILINE)

    assert rows == [file.filename for file in RegistryFile]


def test_links() -> None:
    """Every link into the project leads to a file."""
    targets = re.findall(r"\]\(([^)]+)\)", TEXT)

    for target in targets:
        assert target.startswith("https://") or (ROOT / target).is_file(), target
