"""`demo`: a whole simulated district on loopback; `sandbox`: only the simulated Workspace."""

from __future__ import annotations

import csv
import json
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meetbot.cli.output import shown
from meetbot.domain.findings import Certainty, Severity
from meetbot.errors import BadInput, Mistake

if TYPE_CHECKING:
    from rich.console import Console

    from meetbot.cli.mailbox import Mailbox
    from meetbot.console.server import ConsoleServer
    from meetbot.sandbox import World
    from meetbot.settings import Settings
    from meetbot.wiring import App

_COLORS = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_REMINDER_LINES = ("Not approved yet", "Your partner meeting", "Coming up")
_LIVE_RULE = "staff-left-early"
_LIVE_EVERY = 5.0
_LIVE_AT_MOST = timedelta(minutes=6)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the first complete pass.")
    ] = False,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            help="Where database, registry and mails are written.  [default: meetbot-demo, or a "
            "temporary folder where that cannot be made]",
        ),
    ] = None,
) -> None:
    """Watch meetbot at work in a simulated district.

    Nothing to configure, and nothing leaves this machine.
    """
    from rich.console import Console

    from meetbot.log import configure_logging

    configure_logging()
    console = Console()
    began = time.monotonic()
    folder = _folder(directory)
    with _district(folder, console) as stage:
        _first_pass(stage, console, began)
        if once:
            _where(stage, console)
        else:
            _go_on(stage, console)


def _folder(directory: Path | None) -> Path:
    """A new folder for this run."""
    now = datetime.now().astimezone().strftime("%Y-%m-%d-%H%M%S-")
    parent = directory or Path("meetbot-demo")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=now, dir=parent))
    except OSError as error:
        if directory is None:
            return Path(tempfile.mkdtemp(prefix=f"meetbot-demo-{now}"))
        what, fix = (
            f"cannot be written to ({error.strerror})",
            "name a folder that you may write to",
        )
        raise BadInput([Mistake(shown(str(directory)), what, fix)]) from None


@dataclass(frozen=True, slots=True)
class _Stage:
    app: App
    mailbox: Mailbox
    folder: Path
    settings: Settings
    world: World
    live_codes: frozenset[str]


@contextmanager
def _district(folder: Path, console: Console) -> Iterator[_Stage]:
    from meetbot import wiring
    from meetbot.cli.mailbox import Mailbox
    from meetbot.rules import KNOWN_RULES
    from meetbot.sandbox import Sandbox
    from meetbot.sandbox.district import demo_district
    from meetbot.settings import load_settings

    world, registry, story = demo_district(datetime.now(UTC))
    mailbox = Mailbox(folder / "mails")
    mailbox.start()
    try:
        with Sandbox(world) as box:
            _write_registry(folder / "registry", registry)
            (folder / "credentials.json").write_text(json.dumps(box.credentials, indent=1))
            config = _write_config(folder, box.url, mailbox.port, _free_port())
            settings = load_settings(config, {}, KNOWN_RULES)
            with wiring.opened(settings) as app:
                _import_registry(app, settings, folder / "registry")
                console.print(
                    f"A simulated district: {len(world.users)} accounts, {len(story)} meetings, "
                    f"{len(registry['partners.csv'])} partners. Nothing leaves this machine."
                )
                codes = frozenset(line.code for line in story if line.when == "live")
                yield _Stage(app, mailbox, folder, settings, world, codes)
    finally:
        mailbox.stop()


def _write_registry(folder: Path, files: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
    from meetbot.domain.registry import COLUMNS, RegistryFile

    folder.mkdir(parents=True)
    for file in RegistryFile:
        with (folder / file.filename).open("w", newline="", encoding="utf-8") as stream:
            names = [column.name for column in COLUMNS[file]]
            writer = csv.DictWriter(stream, names, restval="")
            writer.writeheader()
            writer.writerows(files.get(file.filename, ()))


_CONFIG = """\
# Written by `meetbot demo`; the addresses are those of this run.
[district]
name = "Example Public Schools"
timezone = "America/Chicago"
domains = ["district.example", "students.district.example"]
staff_units = ["/Staff"]
student_units = ["/Students"]
not_staff_units = ["/Staff/Contractors"]

[google]
credentials = {credentials}
admin_subject = "meetbot-admin@district.example"
api_root = "{api_root}"

[database]
url = {database}

[mail]
transport = "smtp"
url = "smtp://127.0.0.1:{port}"
sender = "meetbot@district.example"
officers = ["compliance@district.example"]
privacy_officers = ["privacy@district.example"]
operators = ["it@district.example"]
[mail.contacts]
college-access = "college-access@district.example"
mental-health = "school-mental-health@district.example"
after-school = "community-ed@district.example"
other = "procurement@district.example"

[schedule]
live = "5s"

[console]
base_url = "http://127.0.0.1:{console_port}"
listen = "127.0.0.1:{console_port}"
officers = ["officer.one@district.example", "officer.two@district.example"]
privacy_officers = ["privacy@district.example"]
keepers = ["registrar@district.example"]
operators = ["it@district.example"]
auditors = ["auditor@district.example"]
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _write_config(folder: Path, api_root: str, port: int, console_port: int) -> Path:
    config = folder / "meetbot.toml"
    config.write_text(
        _CONFIG.format(
            credentials=json.dumps(str(folder / "credentials.json")),
            database=json.dumps(f"sqlite:///{folder / 'meetbot.db'}"),
            api_root=api_root,
            port=port,
            console_port=console_port,
        ),
        encoding="utf-8",
    )
    return config


def _import_registry(app: App, settings: Settings, folder: Path) -> None:
    from meetbot.registry import read_source

    reading = read_source(folder, district_domains=settings.district.domains)
    if reading.registry is None:
        raise BadInput(mistake.as_mistake() for mistake in reading.mistakes)
    with app.store.transaction() as tx:
        tx.registry.replace(reading.registry, as_of=datetime.now(UTC))


# --- first pass ---------------------------------------------------------------------------------


def _first_pass(stage: _Stage, console: Console, began: float) -> None:
    from meetbot import wiring
    from meetbot.jobs import poll

    with console.status("starting", spinner="line") as status:

        def progress(name: str) -> None:
            status.update(f"reading and deciding: {name}")

        result = poll.run(
            stage.app.deps, wiring.now, requests=stage.app.requests, progress=progress
        )
    took = time.monotonic() - began
    requests = ", ".join(f"{api} {number}" for api, number in result.requests.items())
    console.print(
        f"First complete pass after {took:.1f} s: {result.meetings} meetings in scope, "
        f"{result.flags['opened']} flags, {result.mails['sent']} mails. Requests: {requests}."
    )
    if not result.is_covered:
        console.print("Some sources could not be read in full; see `meetbot poll`.")
    _show_flags(stage, console)
    _show_reminders(stage, console)


def _show_flags(stage: _Stage, console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    from meetbot.domain.flags import FlagStatus

    with stage.app.store.reading() as tx:
        flags = tx.flags.list(statuses=[FlagStatus.OPEN])
    table = Table(title="What may not match policy", title_justify="left", expand=True)
    table.add_column("Severity", no_wrap=True)
    table.add_column("Meeting", no_wrap=True)
    table.add_column("What the officer reads (rule)")
    zone = stage.settings.district.timezone
    for flag in sorted(flags, key=lambda f: (-f.severity.rank, f.rule)):
        start = flag.occurrence.original_start_at.astimezone(zone)
        severity = f"[{_COLORS[flag.severity]}]{flag.severity}[/]"
        mark = "" if flag.certainty is Certainty.CONFIRMED else " ?"
        words = f"{escape(flag.message)} [dim]({flag.rule})[/]"
        table.add_row(severity + mark, f"{start:%a %d %b %H:%M}", words)
    console.print(table)
    console.print("? needs review: the evidence does not confirm it.")


def _show_reminders(stage: _Stage, console: Console) -> None:
    reminders = [m for m in stage.mailbox.mails if m.first_line.startswith(_REMINDER_LINES)]
    console.print(f"\nReminders to hosts: {len(reminders)}")
    for mail in reminders[:8]:
        console.print(f"  to {mail.to[0]}: {mail.first_line}", highlight=False, markup=False)


# --- live ---------------------------------------------------------------------------------------


def _go_on(stage: _Stage, console: Console) -> None:
    """Serve the console while the live meeting goes on, until Ctrl-C."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    server = _console(stage)
    server.start()
    try:
        _where(stage, console)
        _show_console(stage, console)
        _watch(stage, console, stop)
        if not stop.is_set():
            _show_console(stage, console)
        while not stop.wait(_LIVE_EVERY):
            _live_round(stage)
        console.print("Ended by Ctrl-C.")
    finally:
        server.stop()


def _console(stage: _Stage) -> ConsoleServer:
    """The console with a click for each role."""
    from meetbot import wiring
    from meetbot.cli.console import config_of
    from meetbot.console import Services
    from meetbot.console.demo import DemoPerson, demo_server
    from meetbot.sandbox.district import live_host, principal

    settings = stage.settings
    given = Services(stage.app.deps, wiring.now, config_of(settings))
    officer, second = settings.console.officers or ("", "")
    people = {
        "officer": officer,
        "second officer": second,
        "privacy": given.config.privacy_officers[0],
        "principal": principal("lakeview"),
        "host": live_host(),
        "keeper": given.config.keepers[0],
        "operator": given.config.operators[0],
        "auditor": given.config.auditors[0],
    }
    return demo_server(
        given,
        [DemoPerson(address, role) for role, address in people.items()],
        settings.console.listen.host,
        settings.console.listen.port,
        secret=wiring.console_key(settings, stage.app.store),
    )


def _show_console(stage: _Stage, console: Console) -> None:
    url = stage.settings.console.base_url
    console.print(f"\nThe officers' console, with a click for each role: {url}", soft_wrap=True)
    console.print("Ctrl-C ends the demo.")


def _watch(stage: _Stage, console: Console, stop: threading.Event) -> None:
    """Follow the live meeting until its flag is mailed."""
    console.print(
        "\nNow live: a lesson with a partner and students. The teacher is about to drop out; "
        "the flag comes after a minute without staff."
    )
    until = datetime.now(UTC) + _LIVE_AT_MOST
    with console.status("watching", spinner="line") as status:
        while datetime.now(UTC) < until:
            _live_round(stage)
            if _live_flag_is_mailed(stage, console):
                return
            status.update(_live_line(stage))
            if stop.wait(_LIVE_EVERY):
                return
    console.print("The live meeting was not flagged within six minutes: please report this.")


def _live_round(stage: _Stage) -> None:
    from meetbot import wiring
    from meetbot.jobs import collect_conferences, deliver, judge, remind

    jobs = (collect_conferences.run_live, judge.run, remind.run, deliver.run)
    for job in jobs:
        job(stage.app.deps, wiring.now())


def _live_line(stage: _Stage) -> str:
    now = datetime.now(UTC)
    with stage.app.store.reading() as tx:
        inside = [
            visit
            for code in stage.live_codes
            for held in tx.conferences.held(code, now - timedelta(hours=2), now)
            for visit in held.visits
            if visit.end_at is None
        ]
    return f"watching: {len({v.participant for v in inside})} people in the call"


def _live_flag_is_mailed(stage: _Stage, console: Console) -> bool:
    from meetbot.domain.flags import FlagStatus
    from meetbot.domain.notices import Audience

    with stage.app.store.reading() as tx:
        flags = tx.flags.list(statuses=[FlagStatus.OPEN], rule=_LIVE_RULE)
    live = [f for f in flags if f.phase == "live" and Audience.HOST in f.told]
    for flag in live:
        console.print(f"\nLive flag: {flag.rule}, {flag.severity}: {flag.message}")
        console.print("The host was told by mail at once; officers follow if it goes on.")
    return bool(live)


# --- the end ------------------------------------------------------------------------------------


def _where(stage: _Stage, console: Console) -> None:
    mails = stage.mailbox.mails
    pictures = [m.picture for m in mails if m.picture]
    console.print(
        f"\n{len(mails)} mails, as .eml and .html to open: {stage.folder / 'mails'}",
        soft_wrap=True,
    )
    for mail in [m for m in mails if m.picture][:3]:
        console.print(f"  {mail.html}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"Timeline pictures in them: {len(pictures)}, for example")
    for picture in pictures[:3]:
        console.print(f"  {picture}", highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"Database, registry and configuration of this run: {stage.folder}", soft_wrap=True
    )


# --- sandbox ------------------------------------------------------------------------------------


def sandbox(
    scenario: Annotated[Path, typer.Option(metavar="FILE", help="The scenario to serve.")],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8085,
    credentials: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the service-account key is written.")
    ] = Path("sandbox-credentials.json"),
) -> None:
    """Serve a simulated Workspace on loopback until Ctrl-C."""
    from meetbot.sandbox import Sandbox, ScenarioError, load_scenario

    try:
        world = load_scenario(scenario)
    except ScenarioError as error:
        mistake = Mistake("--scenario", str(error), "see the example in the README")
        raise BadInput([mistake]) from None
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        box = Sandbox(world, port=port)
    except OSError as error:
        fix = "choose another with --port"
        raise BadInput(
            [Mistake(f"port {port}", f"cannot be opened ({error.strerror})", fix)]
        ) from None
    with box:
        _write_key(credentials, box.credentials)
        print(f'api_root = "{box.url}"')
        print(f'credentials = "{credentials}"', flush=True)
        stop.wait()


def _write_key(file: Path, key: Mapping[str, str]) -> None:
    try:
        file.write_text(json.dumps(key, indent=1), encoding="utf-8")
    except OSError as error:
        what, fix = f"cannot be written ({error.strerror})", "name another file with --credentials"
        raise BadInput([Mistake(shown(str(file)), what, fix)]) from None
