"""The list of cases: filters, saved links, many acknowledged at once, and the same as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from meetbot.console.access import allowed, current_viewer, note_export
from meetbot.console.cases import filters
from meetbot.console.cases.access import DECIDERS, READERS, actor
from meetbot.console.cases.blueprint import blueprint
from meetbot.console.cases.rows import Row, rows_of
from meetbot.console.services import Services, services
from meetbot.domain.registry import Registry
from meetbot.errors import BadInput
from meetbot.jobs import cases as jobs
from meetbot.ports import CaseOrder, CaseQuery

PAGE = 25
_EXPORTED = 500
"""Cases that are read at once for an export."""
_CHOSEN = re.compile(r"(C-[0-9a-f]{12}):(\d{1,9})", re.ASCII)
_COLUMNS = (
    "case",
    "severity",
    "status",
    "sentence",
    "rules",
    "school",
    "partners",
    "meeting_starts_at",
    "opened_at",
    "waiting_since",
    "updated_at",
    "flags",
    "pending",
    "link",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@blueprint.get("/cases")
@allowed(*READERS)
def listed() -> ResponseReturnValue:
    """Cases that fit the filters, the most urgent first."""
    given, viewer = services(), current_viewer()
    with given.deps.store.reading() as tx:
        registry = tx.registry.current()
        form = filters.form_for(viewer, registry)
        query = filters.query_of(form, viewer, registry, given.config.zone)
        try:
            page = tx.cases.list(
                query, order=CaseOrder.SEVERE, after=request.args.get("after"), limit=PAGE
            )
        except BadInput:
            abort(404)
        rows = rows_of(tx, page.cases, registry)
        total = tx.cases.count(query)
    today = given.clock().astimezone(given.config.zone).date()
    return render_template(
        "cases/list.html",
        form=form,
        rows=rows,
        total=total,
        asked=filters.asked(),
        next=page.after,
        place=request.args.get("after", ""),
        saved=filters.saved_links(today),
        may_decide=viewer.has(*DECIDERS),
    )


@blueprint.post("/cases/acknowledge")
@allowed(*DECIDERS)
def acknowledge_many() -> ResponseReturnValue:
    """Acknowledge the chosen cases; one that changed since it was shown is left."""
    given = services()
    chosen = [found for found in map(_CHOSEN.fullmatch, request.form.getlist("case")) if found]
    versions = {found[1]: int(found[2]) for found in chosen}
    back = redirect(_address(), 303)
    if not versions:
        flash(gettext("Choose at least one case."), "bad")
        return back
    with given.deps.store.transaction() as tx:
        result = jobs.acknowledge_many(
            given.deps, tx, list(versions), actor(), as_of=given.clock(), versions=versions
        )
    if result.done:
        text = ngettext(
            "%(num)d case acknowledged.", "%(num)d cases acknowledged.", len(result.done)
        )
        flash(text, "good")
    if result.left:
        text = ngettext(
            "%(num)d case was left as it is: it has changed or was acknowledged before. %(ids)s",
            "%(num)d cases were left as they are: they have changed or were acknowledged before."
            " %(ids)s",
            len(result.left),
            ids=", ".join(sorted(result.left)),
        )
        flash(text, "bad")
    return back


def _address() -> str:
    """The list with its filters and the place in it, to come back to it."""
    after = request.args.get("after")
    query = urlencode(filters.asked() | ({"after": after} if after else {}))
    return f"{url_for('cases.listed')}?{query}"


# --- export -------------------------------------------------------------------------------------


@blueprint.get("/cases.csv")
@allowed(*READERS)
def exported() -> ResponseReturnValue:
    """The same list as a table for other programs, all pages of it."""
    given, viewer = services(), current_viewer()
    with given.deps.store.reading() as tx:
        registry = tx.registry.current()
    form = filters.form_for(viewer, registry)
    query = filters.query_of(form, viewer, registry, given.config.zone)
    note_export("cases")
    answer = Response(_lines(given, query, registry), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="cases.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _lines(given: Services, query: CaseQuery, registry: Registry) -> Iterator[str]:
    """Page by page, so that a long list needs no more memory than a short one."""
    yield "\ufeff" + _line(
        _COLUMNS
    )  # without the mark a spreadsheet takes UTF-8 for something else
    after: str | None = None
    while True:
        with given.deps.store.reading() as tx:
            page = tx.cases.list(query, order=CaseOrder.SEVERE, after=after, limit=_EXPORTED)
            rows = rows_of(tx, page.cases, registry)
        yield "".join(_line(_cells(row, given)) for row in rows)
        after = page.after
        if after is None:
            return


def _cells(row: Row, given: Services) -> Iterable[str]:
    case, zone = row.case, given.config.zone
    moments = (case.starts_at, case.opened_at, row.waiting_since, case.updated_at)
    return (
        case.id,
        case.severity,
        case.status,
        row.lead.message,
        "; ".join(case.rules),
        row.school,
        "; ".join(row.partners),
        *(at.astimezone(zone).isoformat(timespec="seconds") if at else "" for at in moments),
        str(case.flags),
        str(case.pending),
        f"{given.config.base_url}/cases/{case.id}",
    )


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(cell) for cell in cells])
    return out.getvalue()


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
