"""The database. The only importer of SQLAlchemy and Alembic; raises only `meetbot.errors`."""

from meetbot.store.database import ReadOnlyStore, SqlStore, open_store
from meetbot.store.engine import is_there

__all__ = ["ReadOnlyStore", "SqlStore", "is_there", "open_store"]
