"""The host's pages: what was seen in their meetings, and their answer to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from meetbot.console.access import Role, allowed, current_viewer, may_answer_case, note_read
from meetbot.console.cases import forms, pictures
from meetbot.console.cases.access import actor, case_to_answer
from meetbot.console.cases.blueprint import blueprint
from meetbot.console.cases.filters import WAITING
from meetbot.console.cases.rows import rows_of
from meetbot.console.cases.timelines import table_of
from meetbot.console.services import services
from meetbot.domain.casework import CaseStatus, EventKind
from meetbot.domain.findings import Severity
from meetbot.domain.registry import Registry
from meetbot.errors import BadInput
from meetbot.jobs import cases as jobs
from meetbot.jobs.case_facts import CaseFacts, facts_of
from meetbot.ports import CaseOrder, CaseQuery, Tx

PAGE = 25
_TOLD = frozenset({Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL})
"""Of the rest hosts are told nothing (catalogue §7)."""


def questions_of(key: str, *, is_closed: bool = False) -> CaseQuery:
    """Cases of a host's meetings: those that wait, or those that were decided."""
    statuses = frozenset({CaseStatus.CLOSED}) if is_closed else WAITING
    return CaseQuery(statuses=statuses, severities=_TOLD, hosts=frozenset({key}))


@blueprint.get("/answers")
@allowed(Role.HOST)
def asked() -> ResponseReturnValue:
    """The viewer's own meetings about which there is a question."""
    key, is_closed = current_viewer().key, request.args.get("closed") == "1"
    with services().deps.store.reading() as tx:
        registry = tx.registry.current()
        try:
            page = tx.cases.list(
                questions_of(key, is_closed=is_closed),
                order=CaseOrder.NEWEST,
                after=request.args.get("after"),
                limit=PAGE,
            )
        except BadInput:
            abort(404)
        rows = rows_of(tx, page.cases, registry)
    return render_template("cases/questions.html", rows=rows, next=page.after, is_closed=is_closed)


@blueprint.get("/answers/<case_id>")
@allowed(Role.HOST)
def question(case_id: str) -> ResponseReturnValue:
    """What was seen in one meeting, and the form to answer."""
    with services().deps.store.reading() as tx:
        facts, registry = _facts(tx, case_id), tx.registry.current()
    note_read(case_id)
    return _page(facts, registry)


@blueprint.get("/answers/<case_id>/timeline.svg")
@allowed(Role.HOST)
@pictures.as_picture
def question_timeline(case_id: str) -> ResponseReturnValue:
    """Who was in the call when, as a picture."""
    with services().deps.store.reading() as tx:
        facts = _facts(tx, case_id)
    return pictures.answer(facts)


@blueprint.post("/answers/<case_id>/answer")
@allowed(Role.HOST)
def reply(case_id: str) -> ResponseReturnValue:
    """Keep the host's answer; a form that is wrong comes back and says why."""
    given, form = services(), _reply_form(is_sent=True)

    def keep(tx: Tx) -> None:
        choice, note = form.choice.data, form.note.data or ""
        jobs.answer(given.deps, tx, case_id, actor(), choice=choice, note=note, as_of=given.clock())

    with given.deps.store.reading() as tx:
        facts, registry = _facts(tx, case_id), tx.registry.current()
    wrong = _kept(case_id, form, keep)
    return _thanks(case_id) if wrong is None else _page(facts, registry, form, wrong=wrong)


@blueprint.post("/answers/<case_id>/identify")
@allowed(Role.HOST)
def identify(case_id: str) -> ResponseReturnValue:
    """Keep who somebody unknown was; a form that is wrong comes back and says why."""
    given, about = services(), request.form.get("about", "")

    def keep(tx: Tx) -> None:
        jobs.identify(
            given.deps,
            tx,
            case_id,
            actor(),
            about=about,
            choice=form.choice.data,
            person=form.person,
            as_of=given.clock(),
        )

    with given.deps.store.reading() as tx:
        facts, registry = _facts(tx, case_id), tx.registry.current()
    form = _identify_form(registry, about, is_sent=True)
    wrong = _kept(case_id, form, keep)
    if wrong is None:
        return _thanks(case_id)
    return _page(facts, registry, naming={about: form}, wrong=wrong)


def _kept(
    case_id: str, form: forms.Reply | forms.Identify, keep: Callable[[Tx], None]
) -> list[str] | None:
    """Keep what a form says; None: done. Else what is wrong with it besides its fields."""
    if not form.validate():
        return []
    try:
        with services().deps.store.transaction() as tx:
            case_to_answer(tx, case_id)
            keep(tx)
    except BadInput as error:
        return forms.put_mistakes(form, error.mistakes)
    return None


def _thanks(case_id: str) -> ResponseReturnValue:
    flash(gettext("Thank you. The officers see your answer."), "good")
    return redirect(url_for("cases.question", case_id=case_id), 303)


def _facts(tx: Tx, case_id: str) -> CaseFacts:
    viewer = current_viewer()
    case_to_answer(tx, case_id)
    return facts_of(services().deps, tx, case_id, sees=lambda case: may_answer_case(viewer, case))


def _reply_form(*, is_sent: bool = False) -> forms.Reply:
    form = forms.Reply(request.form if is_sent else None)
    forms.reply_choices(form)
    return form


def _identify_form(registry: Registry, about: str, *, is_sent: bool = False) -> forms.Identify:
    form = forms.Identify(request.form if is_sent else None, prefix=f"{about}-")
    forms.identify_choices(form, registry)
    return form


def _page(
    facts: CaseFacts,
    registry: Registry,
    answer: forms.Reply | None = None,
    *,
    naming: Mapping[str, forms.Identify] | None = None,
    wrong: Iterable[str] | None = None,
) -> ResponseReturnValue:
    """The page; forms that are given come back, with what is `wrong` besides their fields."""
    viewer = current_viewer()
    flags = [one.flag for one in facts.flags]
    pending = [flag for flag in flags if flag.status.is_pending]
    blank = {s.ref: _identify_form(registry, s.ref) for s in facts.strangers}
    asked_for = [e.note for e in facts.events if e.kind is EventKind.ASKED and e.note]
    text = render_template(
        "cases/question.html",
        facts=facts,
        flags=pending or [flag for flag in flags if flag.status.is_decided],
        is_closed=not pending,
        question=asked_for[-1] if asked_for else "",
        own=[event for event in facts.answers if event.by == viewer.address],
        timeline=table_of(facts.timeline, facts.zone) if facts.timeline else None,
        form=answer or _reply_form(),
        naming={**blank, **(naming or {})},
        wrong=list(wrong or ()),
        is_wrong=wrong is not None,
        has_begun=services().clock() >= facts.start_at,
    )
    return text, 200 if wrong is None else 400
