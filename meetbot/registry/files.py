"""Reading a registry from where it lies, and writing it as CSV files."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from meetbot.domain.registry import COLUMNS, Registry, RegistryFile, to_cells
from meetbot.domain.registry_checks import Reading, Source, read_all
from meetbot.domain.registry_history import KnownRow
from meetbot.domain.registry_tables import RegistryMistake
from meetbot.errors import Permanent
from meetbot.registry.csv_source import read_folder


def read_source(
    path: Path, *, district_domains: Collection[str], kept: Sequence[KnownRow] = ()
) -> Reading:
    """Read a folder of the eight CSV files, or one .xlsx. Never raises: mistakes are returned."""
    return read_all(source_of(path), district_domains=district_domains, kept=kept)


def source_of(path: Path) -> Source:
    """The tables in a folder of the eight CSV files, or in one .xlsx, not validated yet."""
    if os.path.isdir(path):  # unlike Path.is_dir, does not raise where rights are missing
        return Source(tuple(read_folder(path)))
    if path.suffix.lower() == ".xlsx":
        # openpyxl takes 20 MiB, and the service never opens a workbook.
        from meetbot.registry.xlsx_source import read_workbook

        return read_workbook(path, path.name)
    what = "is neither a folder nor an .xlsx workbook" if os.path.exists(path) else "does not exist"
    fix = "name the folder of the eight CSV files, or an .xlsx with those names as tabs"
    return Source(problem=RegistryMistake(path.name or str(path), 0, "", what, fix))


def write_folder(registry: Registry, folder: Path) -> tuple[Path, ...]:
    """Write the eight CSV files (UTF-8, LF) into a folder, made when new; gives their paths.

    Rows keep their order and cells their text, so that reading the folder gives the same registry
    and writing that again the same bytes. Existing files are replaced. Raises `Permanent`.
    """
    return tuple(
        _write(folder, file, [to_cells(row) for row in registry.rows(file)])
        for file in RegistryFile
    )


def write_templates(folder: Path) -> tuple[Path, ...]:
    """Write the files that do not exist yet with their header rows only; gives those written.

    Raises `Permanent`.
    """
    missing = [file for file in RegistryFile if not (folder / file.filename).exists()]
    return tuple(_write(folder, file, ()) for file in missing)


def _write(folder: Path, file: RegistryFile, rows: Iterable[dict[str, str]]) -> Path:
    names = [column.name for column in COLUMNS[file]]
    lines = [",".join(names), *(",".join(_quoted(row[name]) for name in names) for row in rows)]
    path = folder / file.filename
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(("\n".join(lines) + "\n").encode())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        fix = "name a folder that can be written to"
        raise Permanent(f"{file.filename} cannot be written ({reason})", fix=fix) from error
    return path


def _quoted(text: str) -> str:
    # csv.writer leaves a lone carriage return bare, which then reads back as a line end.
    if any(char in text for char in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
