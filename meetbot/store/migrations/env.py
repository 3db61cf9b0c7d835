"""Alembic runs this file: it hands over the connection that `meetbot.store.upgrade` was given."""

from alembic import context

from meetbot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The whole upgrade lies in the caller's transaction; SQLite can roll DDL back as well.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
