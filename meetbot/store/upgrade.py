"""Runs the migrations that a database lacks."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from meetbot.errors import Permanent
from meetbot.store.engine import viewing, writing

_MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing, all in one transaction.

    Raises `Permanent` when the schema is of a newer program.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    with viewing(engine) as connection:
        if _revision(connection, script) == script.get_current_head():
            return
    with writing(engine) as connection:
        # Another process may have been faster; then there is nothing left to run.
        _revision(connection, script)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection, script: ScriptDirectory) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {each.revision for each in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise Permanent(
            f"the database has schema {revision}, which is newer than this meetbot",
            fix="install the newer meetbot again, or restore a backup made by this one",
        )
    return revision
