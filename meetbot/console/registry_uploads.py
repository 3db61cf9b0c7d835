"""`/registry/import`: upload, look at what would change, confirm. Nothing changes before that."""

from __future__ import annotations

import secrets

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import FileStorage

from meetbot.console.access import Role, allowed, current_viewer, refuse, takes_up_to
from meetbot.console.registry_words import FILES
from meetbot.console.services import services
from meetbot.domain.registry import row_key
from meetbot.domain.registry_changes import RegistryDiff, RowChange
from meetbot.errors import NotFound
from meetbot.jobs import registry_upload as job
from meetbot.jobs.registry_upload import Shown
from meetbot.registry import LARGEST_UPLOAD, read_upload

blueprint = Blueprint("registry_uploads", __name__)

_MOST_SHOWN = 100
"""Differences of one file, and mistakes, that one page shows."""
_AROUND = 64 * 1024
"""Bytes of a request besides the files."""


@blueprint.get("/registry/import")
@allowed(Role.KEEPER)
def page() -> ResponseReturnValue:
    """Where files are chosen."""
    return render_template("registry/import.html", shown=None, limit=LARGEST_UPLOAD // 1024**2)


@blueprint.post("/registry/import")
@allowed(Role.KEEPER)
@takes_up_to(LARGEST_UPLOAD + _AROUND)
def upload() -> ResponseReturnValue:
    """Read the files and keep them for the preview, if there is no mistake in them."""
    given, viewer = services(), current_viewer()
    source = read_upload([_taken(file) for file in request.files.getlist("files")])
    with given.deps.store.transaction() as tx:
        shown = job.receive(
            tx,
            source,
            given.deps.district.domains,
            by=viewer.key,
            name=secrets.token_hex(16),
            as_of=given.clock(),
        )
    if shown.upload is None:
        return _mistakes(shown)
    return redirect(url_for("registry_uploads.preview", upload_id=shown.upload.id), 303)


def _taken(file: FileStorage) -> tuple[str, bytes]:
    """Name and bytes of a file, whose place on the disk is given back at once."""
    try:
        return file.filename or "", file.stream.read()
    finally:
        file.close()


def _mistakes(shown: Shown) -> ResponseReturnValue:
    page = render_template(
        "registry/import.html",
        shown=shown.done.mistakes[:_MOST_SHOWN],
        number=len(shown.done.mistakes),
        limit=LARGEST_UPLOAD // 1024**2,
    )
    return page, 422


@blueprint.get("/registry/import/<upload_id>")
@allowed(Role.KEEPER)
def preview(upload_id: str) -> ResponseReturnValue:
    """What the upload would change."""
    given, viewer = services(), current_viewer()
    with given.deps.store.reading() as tx:
        try:
            shown = job.look(
                tx,
                upload_id,
                given.deps.district.domains,
                by=viewer.key,
                as_of=given.clock(),
            )
        except NotFound:
            refuse("object", "upload")
    if shown.done.mistakes:
        return _mistakes(shown)
    return _preview_page(shown)


def _preview_page(shown: Shown, *, is_refused: bool = False) -> str:
    assert shown.upload is not None
    return render_template(
        "registry/preview.html",
        changes=shown.done.changes,
        upload=shown.upload,
        is_stale=shown.is_stale,
        is_refused=is_refused,
        most=_MOST_SHOWN,
        key_of=lambda row: " / ".join(filter(None, row_key(row))),
        columns_of=_columns_of,
        rows_of=_rows_of,
    )


def _rows_of(changes: RegistryDiff) -> list[tuple[object, ...]]:
    """The numbers of each file."""
    return [
        (
            FILES[part.file],
            len(part.added),
            len(part.changed),
            len(part.removed),
            part.known,
            part.of_console,
        )
        for part in changes.files
    ]


def _columns_of(change: RowChange) -> list[tuple[str, str, str]]:
    """The changed columns, old and new, cut to what a page can hold."""
    return [(name, old[:200], new[:200]) for name, old, new in change.columns]


@blueprint.post("/registry/import/<upload_id>")
@allowed(Role.KEEPER)
def confirm(upload_id: str) -> ResponseReturnValue:
    """Import what was shown, once."""
    given, viewer = services(), current_viewer()
    with given.deps.store.transaction() as tx:
        try:
            shown = job.confirm(
                tx,
                upload_id,
                given.deps.district.domains,
                by=viewer.key,
                as_of=given.clock(),
                is_confirmed=request.form.get("vanish") == "yes",
            )
        except NotFound:
            refuse("object", "upload")
    if shown.done.mistakes:
        return _mistakes(shown)
    if shown.done.is_imported:
        flash(gettext("The registry was imported. Meetings are decided again with it."), "good")
        return redirect(url_for("registry.page"), 303)
    return _preview_page(shown, is_refused=shown.done.is_refused), 422
