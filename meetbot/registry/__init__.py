"""The registry's files: CSV folders and workbooks in, CSV folders out, and what has changed."""

from meetbot.registry.changes import FileDiff, RegistryDiff, RowChange, diff
from meetbot.registry.files import read_source, write_folder, write_templates
from meetbot.registry.tables import RegistryMistake, Table
from meetbot.registry.validate import Reading, read_tables

__all__ = [
    "FileDiff",
    "Reading",
    "RegistryDiff",
    "RegistryMistake",
    "RowChange",
    "Table",
    "diff",
    "read_source",
    "read_tables",
    "write_folder",
    "write_templates",
]
