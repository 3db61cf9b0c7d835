"""`evidence export`, `evidence verify` and `schema evidence`."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meetbot.cli.context import Context, context_of
from meetbot.cli.flags import no_such_flag
from meetbot.cli.output import shown
from meetbot.errors import BadInput, MeetbotError, Mistake, NotFound

if TYPE_CHECKING:
    from meetbot.evidence import Checked, Record
    from meetbot.ports import Tx

app = typer.Typer(help="Evidence files, and checking them.", no_args_is_help=True)
schemas = typer.Typer(help="Schemas of meetbot's files.", no_args_is_help=True)

_SHORT = 12
"""Digits of the digest in a file's name."""


@app.command("export")
def export_evidence(
    context: typer.Context,
    flag_id: Annotated[str, typer.Argument(metavar="FLAG", help="Such as F-3f9a1c20b7de.")],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")],
) -> None:
    """Write everything a flag rests on as one JSON file, without anybody's name.

    Nothing is overwritten: other contents have another file name.
    """
    from meetbot.evidence import file_of, plain, render, sealed
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    with opened_store(settings) as store, store.reading() as tx:
        record = record_of(tx, flag_id)
    document = sealed(plain(file_of(record)))
    path = directory / f"{record.flag.id}-{document['digest'][:_SHORT]}.json"
    is_new = _write(path, render(document))
    print(path if is_new else f"{path} (already there, the same)")
    for missing in _missing(record):
        print(f"Note: {missing}")


def record_of(tx: Tx, flag_id: str) -> Record:
    """All that the database holds of a flag; raises BadInput for an unknown id."""
    from meetbot.evidence import Record

    try:
        flag = tx.flags.get(flag_id)
    except NotFound:
        raise no_such_flag(flag_id) from None
    history = tx.flags.entries(flag_id)
    digests = dict.fromkeys(entry.snapshot for entry in history if entry.snapshot)
    snapshots = {digest: tx.snapshots.load(digest) for digest in digests}
    return Record(flag, history, tx.flags.decisions(flag_id), snapshots)


def _missing(record: Record) -> list[str]:
    if record.is_confidential:
        return ["a confidential service: the file says only that there is a flag"]
    if any(entry.withheld for entry in record.history):
        return ["of some changes no dossier is kept; the file says why"]
    return [] if record.snapshots else ["no dossier was kept when this flag was made"]


def _write(path: Path, content: bytes) -> bool:
    """Write a file for its owner only; False where the very same is there already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes() == content:
            return False
        with contextlib.ExitStack() as undo, path.open("xb") as stream:
            undo.callback(path.unlink)
            path.chmod(0o600)
            stream.write(content)
            undo.pop_all()
    except FileExistsError:
        what, fix = "is there already with other contents", "name another folder"
        raise BadInput([Mistake(shown(str(path)), what, fix)]) from None
    except OSError as error:
        what, fix = f"cannot be written ({error.strerror})", "name a folder you may write to"
        raise BadInput([Mistake(shown(str(path)), what, fix)]) from None
    return True


@app.command("verify")
def verify_evidence(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An evidence file.")],
) -> None:
    """Check that a file is as it was written, and decide its flag again from it alone.

    Where the database is at hand, the file is looked up in the chain of decisions too. Exit 1 if
    anything is wrong, 3 if nothing is but something could not be checked.
    """
    from meetbot.evidence import verify

    found = verify(_read(file))
    unchecked = list(found.undecidable)
    if found.file is not None:
        unchecked += _look_up(context_of(context), found)
    _report(found, unchecked)
    if found.problems:
        raise typer.Exit(1)
    if unchecked:
        raise typer.Exit(3)


def _read(file: Path) -> bytes:
    """The bytes of a file, one more than an evidence file can have at the most."""
    from meetbot.evidence import MOST_BYTES

    try:
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        raise BadInput([Mistake(shown(str(file)), what, "name a readable file")]) from None


def _look_up(context: Context, found: Checked) -> list[str]:
    """Compare a file with the database, if there is one; gives what could not be checked."""
    from meetbot.wiring import has_store, opened_store

    if not context.has_settings:
        return ["the chain was not checked: no configuration is at hand (name one with --config)"]
    settings = context.settings()
    if not has_store(settings):
        return ["the chain was not checked: there is no database yet"]
    try:
        with opened_store(settings) as store, store.reading() as tx:
            return _compare(tx, found)
    except MeetbotError as error:
        return [f"the chain was not checked: {error}"]


def _compare(tx: Tx, found: Checked) -> list[str]:
    from meetbot.evidence import Problem, against

    file = found.file
    assert file is not None
    try:
        record = record_of(tx, file.flag_id)
    except BadInput:
        found.problems.append(Problem("flag_id", "is no flag of this database"))
        return []
    found.problems += against(file, record)
    return []


def _report(found: Checked, unchecked: list[str]) -> None:
    for problem in found.problems:
        print(f"Wrong: {problem}")
    for note in found.notes:
        print(f"Note: {note}")
    for sentence in unchecked:
        print(f"Not checked: {sentence}")
    if found.file is not None:
        changes = "1 change" if found.decided == 1 else f"{found.decided} changes"
        same = "the same" if not found.problems else "see above"
        print(f"{shown(found.file.flag_id)}: {changes} decided again, {same}.")


@schemas.command("evidence")
def evidence_schema() -> None:
    """Print the JSON Schema of evidence files."""
    from meetbot.evidence import json_schema

    print(json.dumps(json_schema(), indent=2))
