"""The keeper's forms: a row is added, changed or ended. Nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, Field, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import DateInput

from meetbot.console.access import Role, allowed, current_viewer, note_read, refuse
from meetbot.console.registry import file_named, found_row
from meetbot.console.registry_words import COLUMNS as TITLES
from meetbot.console.registry_words import FILES, HINTS, VALUES
from meetbot.console.services import services
from meetbot.domain.chain import stamp
from meetbot.domain.lapses import last_day_of
from meetbot.domain.registry import (
    COLUMNS,
    Authorization,
    Column,
    RegistryFile,
    Row,
    file_of,
    to_cells,
)
from meetbot.domain.registry_tables import RegistryMistake
from meetbot.errors import NotFound
from meetbot.jobs import registry_edit as job
from meetbot.jobs.registry_edit import Edit, Editor
from meetbot.ports import Tx

blueprint = Blueprint("registry_edits", __name__)


class EndForm(FlaskForm):  # type: ignore[misc] # flask_wtf has no types
    """The last day on which a row counts."""

    last_day = DateField(
        lazy_gettext("Last day on which it counts"),
        validators=[InputRequired(lazy_gettext("Fill this in."))],
    )


def _form(file: RegistryFile, given: Mapping[str, str] | None = None) -> FlaskForm:
    """A form with the columns of a file; what is wrong with a cell is told by the registry."""
    fields = {column.name: _field(column) for column in COLUMNS[file]}
    made = type("RowForm", (FlaskForm,), fields)
    values = {c.name: _value(c, given[c.name]) for c in COLUMNS[file]} if given else None
    return cast(FlaskForm, made(data=values))


def _field(column: Column) -> Field:
    title = TITLES[column.name]
    if column.form == "yes":
        return BooleanField(title)
    if column.form == "word":
        words = [SelectChoice(word, VALUES.get(word, word)) for word in column.choices]
        empty = [SelectChoice("", lazy_gettext("none"))] if column.is_optional else []
        return SelectField(title, choices=[*empty, *words], validate_choice=False)
    needed = not (column.is_optional or column.may_be_empty)
    widget = DateInput() if column.form == "date" else None
    described = HINTS.get(column.form, "")
    return StringField(
        title, widget=widget, description=described, render_kw={"required": True} if needed else {}
    )


def _value(column: Column, text: str) -> object:
    return text == "yes" if column.form == "yes" else text


def _cells(file: RegistryFile, form: FlaskForm) -> dict[str, str]:
    """The form as texts by column."""
    return {column.name: _text(form._fields[column.name].data) for column in COLUMNS[file]}


def _text(data: object) -> str:
    if isinstance(data, bool):
        return "yes" if data else ""
    return str(data or "")


def _editor() -> Editor:
    given = services()
    return Editor(current_viewer().address, given.clock(), given.deps.district.domains)


def _edited(work: Callable[[Tx], Edit]) -> Edit:
    with services().deps.store.transaction() as tx:
        try:
            return work(tx)
        except NotFound:
            refuse("object", "registry row")


def _note_mistakes(form: FlaskForm, file: RegistryFile, edit: Edit) -> None:
    """Each mistake at its column; those of other rows, and of the whole row, above the form."""
    for mistake in edit.mistakes:
        field = form._fields.get(mistake.column) if mistake.file == file.value else None
        if field is None:
            flash(_said(mistake, file), "bad")
        else:
            field.errors = [*field.errors, f"{mistake.what}; {mistake.fix}."]


def _said(mistake: RegistryMistake, file: RegistryFile) -> str:
    place = gettext("This row") if mistake.file == file.value else mistake.place
    return f"{place}: {mistake.what}; {mistake.fix}."


def _back(row: Row) -> str:
    """Where the row is shown."""
    partner_id = getattr(row, "partner_id", None)
    if partner_id:
        return url_for("registry.partner", partner_id=partner_id)
    return url_for("registry.file", name=file_of(row).value)


# --- adding and changing ------------------------------------------------------------------------


@blueprint.get("/registry/files/<name>/add")
@allowed(Role.KEEPER)
def adding(name: str) -> ResponseReturnValue:
    """An empty form, but for what the link says and what is the same for everybody."""
    file = file_named(name)
    form = _form(file, {c.name: "" for c in COLUMNS[file]} | _prefilled(file))
    return render_template("registry/form.html", file=file, form=form, known=None)


def _prefilled(file: RegistryFile) -> dict[str, str]:
    names = {column.name for column in COLUMNS[file]}
    values = {"issued_at": stamp(services().clock().replace(microsecond=0)).replace(".000000", "")}
    if request.args.get("partner"):
        values["partner_id"] = request.args["partner"][:200]
    return {name: value for name, value in values.items() if name in names}


@blueprint.post("/registry/files/<name>/add")
@allowed(Role.KEEPER)
def add(name: str) -> ResponseReturnValue:
    """Add a row."""
    file = file_named(name)
    form = _form(file)
    form.validate()
    edit = _edited(lambda tx: job.add(tx, file, _cells(file, form), _editor()))
    if edit.row is None:
        _note_mistakes(form, file, edit)
        return render_template("registry/form.html", file=file, form=form, known=None), 422
    flash(gettext("The row was added. Meetings are decided again with it."), "good")
    return redirect(_back(edit.row.row), 303)


@blueprint.get("/registry/rows/<int:number>/change")
@allowed(Role.KEEPER)
def changing(number: int) -> ResponseReturnValue:
    """A form filled with what the row says."""
    with services().deps.store.reading() as tx:
        known = found_row(tx, number)
    if not known.is_known:
        refuse("object", "registry row")
    file = file_of(known.row)
    note_read(f"registry row {number}")
    form = _form(file, to_cells(known.row))
    return render_template("registry/form.html", file=file, form=form, known=known)


@blueprint.post("/registry/rows/<int:number>/change")
@allowed(Role.KEEPER)
def change(number: int) -> ResponseReturnValue:
    """Let another content take the row's place."""
    with services().deps.store.reading() as tx:
        known = found_row(tx, number)
    file = file_of(known.row)
    form = _form(file)
    form.validate()
    edit = _edited(lambda tx: job.change(tx, number, _cells(file, form), _editor()))
    if edit.row is None:
        _note_mistakes(form, file, edit)
        return render_template("registry/form.html", file=file, form=form, known=known), 422
    flash(gettext("The row was changed; what it said before is kept."), "good")
    return redirect(_back(edit.row.row), 303)


# --- ending -------------------------------------------------------------------------------------


@blueprint.get("/registry/rows/<int:number>/end")
@allowed(Role.KEEPER)
def ending(number: int) -> ResponseReturnValue:
    """How a row may come to an end."""
    return _end_page(number, EndForm())


def _end_page(number: int, form: EndForm) -> str:
    with services().deps.store.reading() as tx:
        known = found_row(tx, number)
    is_authorization = isinstance(known.row, Authorization)
    return render_template(
        "registry/end.html",
        known=known,
        file=file_of(known.row),
        form=form,
        has_last_day=not is_authorization and last_day_of(known.row) is not None,
        can_revoke=is_authorization and last_day_of(known.row) is not None,
        title=FILES[file_of(known.row)],
    )


@blueprint.post("/registry/rows/<int:number>/end")
@allowed(Role.KEEPER)
def end(number: int) -> ResponseReturnValue:
    """Close, revoke or remove a row."""
    with services().deps.store.reading() as tx:
        known = found_row(tx, number)
    form, how = EndForm(), request.form.get("how", "")
    work = _work(number, how, form, known.row)
    if work is not None:
        edit = _edited(work)
        if not edit.mistakes:
            flash(gettext("The row has ended; what was known before is kept."), "good")
            return redirect(_back(known.row), 303)
        _note_end_mistakes(form, file_of(known.row), edit)
    return _end_page(number, form), 422


def _work(number: int, how: str, form: EndForm, row: Row) -> Callable[[Tx], Edit] | None:
    editor = _editor()
    if how == "remove":
        return lambda tx: job.remove(tx, number, editor)
    if how == "close" and isinstance(row, Authorization):
        return lambda tx: job.close(tx, number, None, editor)
    if how == "close" and form.validate():
        last_day: date = form.last_day.data
        return lambda tx: job.close(tx, number, last_day, editor)
    return None


def _note_end_mistakes(form: EndForm, file: RegistryFile, edit: Edit) -> None:
    for mistake in edit.mistakes:
        if mistake.file == file.value and mistake.column in ("ends_on", "expires_on"):
            errors: list[Any] = [*form.last_day.errors, f"{mistake.what}; {mistake.fix}."]
            form.last_day.errors = errors
        else:
            flash(_said(mistake, file), "bad")
