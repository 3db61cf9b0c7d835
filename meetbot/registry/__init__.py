"""The registry: CSV folders, workbooks and spreadsheets in, CSV folders out, what has changed."""

from meetbot.domain.registry_changes import FileDiff, RegistryDiff, RowChange, diff
from meetbot.registry.files import read_source, write_folder, write_templates
from meetbot.registry.sheet_source import SheetSource, read_sheet
from meetbot.registry.tables import RegistryMistake, Table
from meetbot.registry.validate import Reading, read_tables

__all__ = [
    "FileDiff",
    "Reading",
    "RegistryDiff",
    "RegistryMistake",
    "RowChange",
    "SheetSource",
    "Table",
    "diff",
    "read_sheet",
    "read_source",
    "read_tables",
    "write_folder",
    "write_templates",
]
