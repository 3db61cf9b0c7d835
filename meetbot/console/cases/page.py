"""The page of one case: what was seen, what is known about it, and deciding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from meetbot.console.access import allowed, current_viewer, may_see_case, note_read
from meetbot.console.cases import forms, pictures
from meetbot.console.cases.access import DECIDERS, READERS, actor, case_to_read
from meetbot.console.cases.blueprint import blueprint
from meetbot.console.cases.sheet import Sheet, sheet_of
from meetbot.console.cases.words import Words
from meetbot.console.services import services
from meetbot.domain.casework import CaseEvent, EventKind
from meetbot.domain.flags import FlagStatus
from meetbot.errors import AccessDenied, BadInput, Outdated
from meetbot.jobs import cases as jobs
from meetbot.jobs.case_facts import CaseFacts, facts_of
from meetbot.jobs.decisions import needs_two
from meetbot.ports import Tx

_FORMS: Mapping[str, type[forms.CaseForm]] = {
    "acknowledge": forms.CaseForm,
    "uphold": forms.Decide,
    "dismiss": forms.Decide,
    "ask": forms.Ask,
    "escalate": forms.Escalate,
    "remark": forms.Remark,
    "confirm": forms.About,
    "reject": forms.Reject,
    "accept": forms.About,
    "undo": forms.CaseForm,
}
_STATUSES = {"uphold": FlagStatus.UPHELD, "dismiss": FlagStatus.DISMISSED}
_ON_WHAT_WAS_SHOWN = ("acknowledge", "uphold", "dismiss", "confirm", "reject")
"""Actions that are refused where the case has changed since it was shown."""
_DONE: Words = {
    EventKind.ACKNOWLEDGED: lazy_gettext("Acknowledged: others see that you look into it."),
    EventKind.UPHELD: lazy_gettext("Upheld."),
    EventKind.DISMISSED: lazy_gettext("Dismissed."),
    EventKind.ASKED: lazy_gettext("The host is asked by mail. You see the answer here."),
    EventKind.ESCALATED: lazy_gettext("Handed up by mail."),
    EventKind.NOTED: lazy_gettext("Noted."),
    EventKind.PROPOSED: lazy_gettext("Proposed. Another officer has to confirm it."),
    EventKind.CONFIRMED: lazy_gettext("Confirmed."),
    EventKind.REJECTED: lazy_gettext("Rejected: the case waits as before."),
    EventKind.ACCEPTED: lazy_gettext("Accepted. Now decide about the case."),
    EventKind.UNDONE: lazy_gettext("Undone: the case is as it was before."),
}


@blueprint.get("/cases/<case_id>")
@allowed(*READERS)
def show(case_id: str) -> ResponseReturnValue:
    """Everything about a case."""
    with services().deps.store.reading() as tx:
        facts = _facts(tx, case_id)
    note_read(case_id)
    return _page(facts)


@blueprint.get("/cases/<case_id>/timeline.svg")
@allowed(*READERS)
@pictures.as_picture
def timeline(case_id: str) -> ResponseReturnValue:
    """Who was in the call when, as a picture."""
    with services().deps.store.reading() as tx:
        facts = _facts(tx, case_id)
    return pictures.answer(facts)


@blueprint.post(f"/cases/<case_id>/<any({', '.join(_FORMS)}):action>")
@allowed(*DECIDERS)
def act(case_id: str, action: str) -> ResponseReturnValue:
    """Do something about a case; a form that is wrong, or too old, comes back and says why."""
    store = services().deps.store
    with store.reading() as tx:
        facts = _facts(tx, case_id)
    form = _form(action, facts, is_sent=True)
    if action in _ON_WHAT_WAS_SHOWN and form.version.data not in (None, facts.case.version):
        return _outdated(facts, action, form)
    if not form.validate():
        return _page(facts, {action: form}, code=400)
    try:
        with store.transaction() as tx:
            case_to_read(tx, case_id)
            event = _run(tx, case_id, action, form)
    except Outdated:
        with store.reading() as tx:
            facts = _facts(tx, case_id)
        return _outdated(facts, action, form)
    except AccessDenied:
        abort(403)
    except BadInput as error:
        rest = forms.put_mistakes(form, error.mistakes)
        return _page(facts, {action: form}, rest, code=400)
    flash(str(_DONE[event.kind]), "good")
    return redirect(url_for("cases.show", case_id=case_id), 303)


def _run(tx: Tx, case_id: str, action: str, form: forms.CaseForm) -> CaseEvent:
    given = services()
    deps, who, as_of, version = given.deps, actor(), given.clock(), form.version.data
    match form:
        case forms.Decide():
            return jobs.decide(
                deps,
                tx,
                case_id,
                who,
                status=_STATUSES[action],
                reason=form.reason.data,
                as_of=as_of,
                note=form.note.data or "",
                flag_ids=form.chosen,
                version=version,
                tell_host=form.tell_host.data,
            )
        case forms.Reject():
            return jobs.reject(
                deps,
                tx,
                case_id,
                who,
                event=form.event.data,
                as_of=as_of,
                note=form.note.data or "",
                version=version,
            )
        case forms.About() if action == "confirm":
            number = form.event.data
            return jobs.confirm(deps, tx, case_id, who, event=number, as_of=as_of, version=version)
        case forms.About():
            return jobs.accept(deps, tx, case_id, who, event=form.event.data, as_of=as_of)
        case forms.Ask():
            return jobs.ask_host(deps, tx, case_id, who, note=form.note.data or "", as_of=as_of)
        case forms.Escalate():
            return jobs.escalate(deps, tx, case_id, who, note=form.note.data or "", as_of=as_of)
        case forms.Remark():
            return jobs.remark(deps, tx, case_id, who, note=form.note.data or "", as_of=as_of)
    if action == "undo":
        return jobs.undo(deps, tx, case_id, who, as_of=as_of)
    return jobs.acknowledge(deps, tx, case_id, who, as_of=as_of, version=version)


def _facts(tx: Tx, case_id: str) -> CaseFacts:
    viewer = current_viewer()
    case_to_read(tx, case_id)
    return facts_of(services().deps, tx, case_id, sees=lambda case: may_see_case(viewer, case))


# --- the page -----------------------------------------------------------------------------------


def _form(action: str, facts: CaseFacts, *, is_sent: bool = False) -> forms.CaseForm:
    sent = request.form if is_sent else None
    form = _FORMS[action](sent, prefix=f"{action}-", version=facts.case.version)
    if isinstance(form, forms.Decide):
        pending = [one.flag for one in facts.flags if one.flag.status.is_pending]
        forms.decide_choices(form, _STATUSES[action], pending)
        if not is_sent:
            form.flags.data = [flag.id for flag in pending]
            form.tell_host.data = True
    return form


def _outdated(facts: CaseFacts, action: str, form: forms.CaseForm) -> ResponseReturnValue:
    """The case as it is now, with what was filled in: looking again is all there is to do."""
    form.show_version(facts.case.version)
    return _page(facts, {action: form}, is_outdated=True, code=409)


def _page(
    facts: CaseFacts,
    sent: Mapping[str, forms.CaseForm] | None = None,
    wrong: Iterable[str] = (),
    *,
    is_outdated: bool = False,
    code: int = 200,
) -> ResponseReturnValue:
    """The page; `sent` are forms that come back with what is wrong with them."""
    sheet = sheet_of(facts)
    return (
        render_template(
            "cases/case.html",
            sheet=sheet,
            forms={name: (sent or {}).get(name) or _form(name, facts) for name in _FORMS},
            opened=next(iter(sent or {}), ""),
            wrong=list(wrong),
            is_outdated=is_outdated,
            **_rights(sheet),
        ),
        code,
    )


def _rights(sheet: Sheet) -> dict[str, object]:
    """What whoever looks may do now."""
    given, who = services(), actor()
    may_decide = jobs.may_decide(who, sheet.case)
    events = sheet.facts.events
    last = jobs.undoable(given.deps, events, who, as_of=given.clock()) if may_decide else None
    proposal = jobs.open_proposal(events)
    seconds = int((last.at + jobs.UNDO_WITHIN - given.clock()).total_seconds()) if last else 0
    return {
        "may_decide": may_decide,
        "undoable": last,
        "undo_seconds": seconds,
        "proposal": proposal,
        "proposed": jobs.proposed_status(proposal) if proposal else None,
        "two_needed": needs_two(given.deps, FlagStatus.UPHELD, sheet.pending),
        "is_own_proposal": proposal is not None and proposal.by == who.address,
    }
