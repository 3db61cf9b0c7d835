"""The database. The only importer of SQLAlchemy and Alembic; raises only `meetbot.errors`."""

from meetbot.store.database import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
