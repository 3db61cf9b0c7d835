"""The registry: CSV folders, workbooks and spreadsheets in, CSV folders out, what has changed."""

from meetbot.domain.registry_changes import FileDiff, RegistryDiff, RowChange, diff
from meetbot.domain.registry_checks import Reading, Source, read_tables
from meetbot.domain.registry_tables import RegistryMistake, Table
from meetbot.registry.files import read_source, source_of, write_folder, write_templates
from meetbot.registry.sheet_source import SheetSource, read_sheet, sheet_source
from meetbot.registry.uploads import LARGEST_UPLOAD, read_upload

__all__ = [
    "LARGEST_UPLOAD",
    "FileDiff",
    "Reading",
    "RegistryDiff",
    "RegistryMistake",
    "RowChange",
    "SheetSource",
    "Source",
    "Table",
    "diff",
    "read_sheet",
    "read_source",
    "read_tables",
    "read_upload",
    "sheet_source",
    "source_of",
    "write_folder",
    "write_templates",
]
