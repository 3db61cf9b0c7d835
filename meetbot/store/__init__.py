"""The database. The only importer of SQLAlchemy and Alembic; raises only `meetbot.errors`."""

from meetbot.store.database import ReadOnlyStore, SqlStore, open_store

__all__ = ["ReadOnlyStore", "SqlStore", "open_store"]
