"""A simulated district with a real meetbot against it: HTTP to the sandbox, SMTP to a mailbox."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from meetbot import wiring
from meetbot.cli.mailbox import Mailbox
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.registry import COLUMNS, RegistryFile
from meetbot.jobs import poll
from meetbot.jobs.poll import PollResult
from meetbot.registry import read_source
from meetbot.rules import KNOWN_RULES
from meetbot.sandbox import Sandbox, World
from meetbot.settings import Settings, load_settings
from meetbot.wiring import App

Rows = Mapping[str, Sequence[Mapping[str, str]]]

CONFIG = """\
[district]
name = "Example Public Schools"
timezone = "America/Chicago"
domains = ["district.example", "students.district.example"]
staff_units = ["/Staff"]
student_units = ["/Students"]
not_staff_units = ["/Staff/Contractors"]
[google]
credentials = "{folder}/credentials.json"
admin_subject = "meetbot-admin@district.example"
api_root = "{api_root}"
[database]
url = "{database}"
[mail]
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
[service]
health = "127.0.0.1:0"
"""


@dataclass(slots=True)
class Stage:
    """Everything a test of the whole needs. `clock` may be replaced to move through time."""

    app: App
    box: Sandbox
    world: World
    mailbox: Mailbox
    settings: Settings
    folder: Path
    clock: Callable[[], datetime]

    @property
    def config(self) -> Path:
        """The configuration file, for running commands."""
        return self.folder / "meetbot.toml"

    def poll(self) -> PollResult:
        """One complete pass."""
        return poll.run(self.app.deps, self.clock, requests=self.app.requests)

    def flags(self, *, uid: str | None = None, code: str | None = None) -> list[Flag]:
        """Open flags; of one event (`iCalUID`) or of the ad-hoc calls of one code, if given."""
        with self.app.store.reading() as tx:
            found = tx.flags.list(statuses=[FlagStatus.OPEN])
        if uid is not None:
            return [f for f in found if f.occurrence.ical_uid == uid]
        if code is None:
            return found
        plain = code.replace("-", "").lower()
        calls = [f for f in found if f.occurrence.ical_uid is None]
        return [f for f in calls if f.occurrence.meeting_code == plain]

    def import_registry(self, rows: Rows) -> None:
        """Check and import registry rows, as the command does."""
        folder = self.folder / "registry"
        write_registry(folder, rows)
        reading = read_source(folder, district_domains=self.settings.district.domains)
        assert reading.registry is not None, reading.mistakes
        with self.app.store.transaction() as tx:
            tx.registry.replace(reading.registry, as_of=self.clock())
            tx.meetings.mark_due(self.clock())


def write_registry(folder: Path, rows: Rows) -> None:
    """Write rows as the eight CSV files."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in RegistryFile:
        with (folder / file.filename).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, [c.name for c in COLUMNS[file]], restval="")
            writer.writeheader()
            writer.writerows(rows.get(file.filename, ()))


@contextmanager
def a_stage(
    folder: Path,
    world: World,
    rows: Rows | None,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    database: str | None = None,
) -> Iterator[Stage]:
    """Serve the world, start a mailbox, open meetbot; the registry is imported if given."""
    mailbox = Mailbox(folder / "mails")
    mailbox.start()
    try:
        with Sandbox(world, clock=clock) as box:
            (folder / "credentials.json").write_text(json.dumps(box.credentials))
            text = CONFIG.format(
                folder=folder,
                api_root=box.url,
                database=database or f"sqlite:///{folder / 'meetbot.db'}",
                port=mailbox.port,
            )
            (folder / "meetbot.toml").write_text(text)
            settings = load_settings(folder / "meetbot.toml", {}, KNOWN_RULES)
            with wiring.opened(settings) as app:
                stage = Stage(app, box, world, mailbox, settings, folder, clock)
                if rows is not None:
                    stage.import_registry(rows)
                yield stage
    finally:
        mailbox.stop()
