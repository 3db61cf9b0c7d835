"""The newest schema change is the one that databases are compared with."""

from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory

from meetbot.store import migrations


def test_the_head_is_the_newest_migration() -> None:
    """A new migration is not forgotten when a database is opened."""
    config = Config()
    config.set_main_option("script_location", migrations.__path__[0].replace("%", "%%"))

    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD
