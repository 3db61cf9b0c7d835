"""`registry import` and `registry export`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meetbot.cli.context import context_of
from meetbot.cli.output import shown
from meetbot.domain.registry import row_key, to_cells
from meetbot.domain.spreadsheets import (
    HOW_TO_NAME,
    WHAT_IS_WRONG,
    is_spreadsheet,
    spreadsheet_id,
)
from meetbot.errors import BadInput, Mistake
from meetbot.registry import (
    FileDiff,
    RegistryDiff,
    RegistryMistake,
    Source,
    sheet_source,
    source_of,
    write_folder,
)

if TYPE_CHECKING:
    from meetbot.settings import Settings

app = typer.Typer(help="Partners, contracts and authorizations.", no_args_is_help=True)


@app.command("import")
def import_registry(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Folder of CSV files, .xlsx workbook, or sheet:ID of Google."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Import although more than 10 % of a file's rows vanish.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check the files, show what changes, import all or nothing."""
    from meetbot.jobs import import_registry as job
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    domains = settings.district.domains
    tables = _read(source, settings)
    with opened_store(settings) as store:
        if dry_run:
            with store.reading() as tx:
                done = job.preview(tx, tables, domains)
        else:
            done = job.import_registry(
                store,
                tables,
                district_domains=domains,
                as_of=datetime.now(UTC),
                is_confirmed=yes,
            )
    if done.mistakes:
        _report_mistakes(done.mistakes, as_json=as_json)
        raise typer.Exit(1)
    if as_json:
        print(json.dumps(_document(done.changes, is_imported=done.is_imported), indent=2))
    else:
        _print_diff(done.changes)
        print(_summary(done.changes, is_imported=done.is_imported, dry_run=dry_run))
    if done.is_refused:
        raise BadInput(
            [
                Mistake(
                    ", ".join(part.file.filename for part in done.changes.vanishing),
                    "more than 10 % of the rows would vanish; nothing was imported",
                    "check the source, then repeat with --yes",
                )
            ]
        )


def _read(source: str, settings: Settings) -> Source:
    """Read a source; raises BadInput for a spreadsheet that is named wrong."""
    if not is_spreadsheet(source):
        return source_of(Path(source))
    spreadsheet = spreadsheet_id(source)
    if spreadsheet is None:
        raise BadInput([Mistake("SOURCE", WHAT_IS_WRONG, HOW_TO_NAME)])
    from meetbot.wiring import opened

    with opened(settings) as app:
        return sheet_source(app.workspace.sheets, spreadsheet)


@app.command("export")
def export_registry(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")],
) -> None:
    """Write the registry as the eight CSV files."""
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    with opened_store(settings) as store, store.reading() as tx:
        registry = tx.registry.current()
    try:
        written = write_folder(registry, directory)
    except OSError as error:
        raise BadInput(
            [
                Mistake(
                    shown(str(directory)),
                    f"cannot be written ({error.strerror})",
                    "name a folder that you may write to",
                )
            ]
        ) from None
    for path in written:
        print(path)


def _report_mistakes(mistakes: Sequence[RegistryMistake], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {"file": m.file, "row": m.row, "column": m.column, "what": m.what, "fix": m.fix}
            for m in mistakes
        ]
        print(json.dumps({"imported": False, "mistakes": rows}, indent=2))
        return
    for mistake in mistakes:
        print(mistake.as_mistake())
    number = len(mistakes)
    print(f"Nothing was imported: {number} mistake{'s' if number != 1 else ''}.")


def _print_diff(changes: RegistryDiff) -> None:
    for part in changes.files:
        if part.is_empty:
            continue
        print(
            f"{part.file.filename}: {len(part.added)} added, {len(part.changed)} changed, "
            f"{len(part.removed)} removed (of {part.known})"
        )
        for row in part.added:
            print(f"  + {_shown_key(row_key(row))}")
        for change in part.changed:
            columns = "; ".join(
                f"{name}: {shown(old)} -> {shown(new)}" for name, old, new in change.columns
            )
            print(f"  ~ {_shown_key(row_key(change.after))}: {columns}")
        for row in part.removed:
            print(f"  - {_shown_key(row_key(row))}")
    if changes.of_console:
        stay = ", ".join(f"{p.file} {p.of_console}" for p in changes.files if p.of_console)
        print(f"Rows added in the console stay: {stay}.")


def _shown_key(key: object) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return shown(" / ".join(str(part) for part in parts if part))


def _summary(changes: RegistryDiff, *, is_imported: bool, dry_run: bool) -> str:
    if changes.is_empty:
        return "Nothing differs from what is known."
    if dry_run:
        return "Dry run: nothing was imported."
    return "Imported." if is_imported else "Nothing was imported."


def _document(changes: RegistryDiff, *, is_imported: bool) -> dict[str, object]:
    return {
        "imported": is_imported,
        "needs_confirmation": changes.needs_confirmation,
        "files": {part.file.value: _file_document(part) for part in changes.files},
    }


def _file_document(part: FileDiff) -> dict[str, object]:
    return {
        "known": part.known,
        "console": part.of_console,
        "added": [to_cells(row) for row in part.added],
        "changed": [
            {
                "key": _shown_key(row_key(change.after)),
                "columns": {name: [old, new] for name, old, new in change.columns},
            }
            for change in part.changed
        ],
        "removed": [to_cells(row) for row in part.removed],
    }
