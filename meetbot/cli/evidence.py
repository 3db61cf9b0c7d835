"""`evidence export`, `evidence verify` and `schema evidence`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meetbot.cli.context import Context, context_of
from meetbot.cli.flags import no_such_flag
from meetbot.cli.output import shown
from meetbot.domain.chain import LinkKind
from meetbot.domain.flags import Flag
from meetbot.errors import BadInput, MeetbotError, Mistake, NotFound, Permanent

if TYPE_CHECKING:
    from meetbot.evidence import Checked, EvidenceFile, Problem, Record
    from meetbot.ports import HistoryEntry, Tx

app = typer.Typer(help="Evidence files, and checking them.", no_args_is_help=True)
schemas = typer.Typer(help="Schemas of meetbot's files.", no_args_is_help=True)

_LONGEST = 4000
"""Characters of one problem that are printed."""
_SHORT = 12
"""Digits of the digest in a file's name."""


@app.command("export")
def export_evidence(
    context: typer.Context,
    flag_id: Annotated[str, typer.Argument(metavar="FLAG", help="Such as F-3f9a1c20b7de.")],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")],
) -> None:
    """Write all that a flag rests on, with people renamed.

    One JSON file. Nothing is overwritten: other contents have another file name.
    """
    from meetbot.wiring import opened_store

    settings = context_of(context).settings()
    with opened_store(settings) as store:
        with store.reading() as tx:
            record = record_of(tx, flag_id)
        record, document, content = _made(record)
        path = directory / f"{record.flag.id}-{document['digest'][:_SHORT]}.json"
        with store.transaction() as tx:
            is_new = _write(path, content)
            payload = {"file": document["digest"], "changes": len(record.history)}
            tx.chain.append(LinkKind.EVIDENCE, record.flag.id, payload, at=datetime.now(UTC))
    print(path if is_new else f"{path} (already there, the same)")
    for missing in _missing(record):
        print(f"Note: {missing}")


def _made(record: Record) -> tuple[Record, dict[str, Any], bytes]:
    """What is written, as contents and as bytes; some dossiers are left out of a file too large."""
    from meetbot.evidence import MOST_BYTES, file_of, plain, render, sealed

    document = sealed(plain(file_of(record)))
    content = render(document)
    if len(content) > MOST_BYTES:
        record = record.shortened()
        document = sealed(plain(file_of(record)))
        content = render(document)
    return record, document, content


def record_of(tx: Tx, flag_id: str) -> Record:
    """All that the database holds of a flag; raises BadInput for an unknown id.

    Raises `Permanent` where a snapshot is not as it was stored.
    """
    from meetbot.evidence import Record

    flag, history = _flag_of(tx, flag_id)
    digests = dict.fromkeys(entry.snapshot for entry in history if entry.snapshot)
    snapshots = {digest: tx.snapshots.load(digest) for digest in digests}
    return Record(flag, history, tx.flags.decisions(flag_id), snapshots)


def last_record_of(tx: Tx, flag_id: str) -> Record:
    """The same with the last snapshot only; says it where that cannot be read."""
    from meetbot.evidence import Record

    flag, history = _flag_of(tx, flag_id)
    record = Record(flag, history, tx.flags.decisions(flag_id), {})
    digest = record.last_change.snapshot if record.last_change else None
    if digest is None:
        return record
    try:
        return replace(record, snapshots={digest: tx.snapshots.load(digest)})
    except Permanent as error:
        return replace(record, unreadable=str(error))


def _flag_of(tx: Tx, flag_id: str) -> tuple[Flag, Sequence[HistoryEntry]]:
    try:
        return tx.flags.get(flag_id), tx.flags.entries(flag_id)
    except NotFound:
        raise no_such_flag(flag_id) from None


def _missing(record: Record) -> list[str]:
    if record.is_closed:
        return ["a confidential service: the file says only that there is a flag"]
    if record.is_confidential:
        return ["a confidential service: the file is for the privacy officers only"]
    if any(entry.withheld for entry in record.history):
        return ["some changes are without their dossier; the file says why"]
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
    """Check that a file was not changed, and decide its flag again.

    Nothing but the file is needed. Where the database is at hand, the file is looked up in the
    chain of decisions too. Exit 1 if anything is wrong, 3 if something could not be checked.
    """
    from meetbot.evidence import verify

    found = verify(_read(file))
    unchecked = list(found.undecidable)
    if found.file is not None:
        unchecked += _look_up(context_of(context), found, found.file)
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


def _look_up(context: Context, found: Checked, file: EvidenceFile) -> list[str]:
    """Compare a file with the database, if there is one; gives what could not be checked."""
    from meetbot.wiring import has_store, opened_store

    if not context.has_settings:
        return ["the chain was not checked: no configuration is at hand (name one with --config)"]
    settings = context.settings()
    if not has_store(settings):
        return ["the chain was not checked: there is no database yet"]
    try:
        with opened_store(settings) as store, store.reading() as tx:
            found.problems += _in_chain(tx, file)
            found.problems += _in_store(tx, found, file)
    except MeetbotError as error:
        return [f"the chain was not checked: {error}"]
    return []


def _in_chain(tx: Tx, file: EvidenceFile) -> Iterator[Problem]:
    """Whether the chain is whole, and records this file and the dossiers in it."""
    from meetbot.evidence import Problem

    audit = tx.chain.audit()
    if audit.broken is not None:
        broken = audit.broken
        link = f"link {broken.sequence}" if broken.sequence is not None else "chain"
        yield Problem(link, f"the chain of this database is broken: {broken.what}")
    exports = tx.chain.find(LinkKind.EVIDENCE, file.flag_id)
    if not any(file.digest in link.payload for link in exports):
        yield Problem("digest", "the chain of this database records no export of this file")
    for dossier in file.dossiers:
        if not tx.chain.find(LinkKind.EVIDENCE, dossier.stored):
            place = f"dossier {shown(dossier.stored, _SHORT)}"
            yield Problem(place, "the chain of this database does not record it")


def _in_store(tx: Tx, found: Checked, file: EvidenceFile) -> list[Problem]:
    """Whether the database still gives these contents, as far as it has not forgotten them."""
    from meetbot.evidence import Problem, against

    try:
        return against(file, record_of(tx, file.flag_id))
    except BadInput:
        found.notes.append("the database no longer holds this flag, or never did")
        return []
    except Permanent as error:
        return [Problem("database", str(error))]


def _report(found: Checked, unchecked: list[str]) -> None:
    for problem in found.problems:
        print(f"Wrong: {shown(str(problem), _LONGEST)}")
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
