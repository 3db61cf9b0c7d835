"""Brings a database to this program's schema, once, whoever opens it first."""

from __future__ import annotations

from sqlalchemy import Engine, inspect, text

from meetbot.store.engine import viewing
from meetbot.store.migrations import HEAD


def migrate(engine: Engine) -> None:
    """Run the migrations that are missing, all in one transaction.

    Raises `Permanent` when the schema is of a newer program.
    """
    if _revision(engine) == HEAD:
        return
    # Alembic takes 15 MiB, and a database is upgraded once in its life or two.
    from meetbot.store.upgrade import upgrade

    upgrade(engine)


def _revision(engine: Engine) -> str | None:
    with viewing(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(
            text("SELECT version_num FROM alembic_version")
        ).scalar()
        return found
