"""`/approvals`: what waits for a principal or lead, a host's requests, asking and answering."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from meetbot.console.access import (
    Role,
    allowed,
    current_viewer,
    note_read,
    refuse,
)
from meetbot.console.services import services
from meetbot.console.standing import standing
from meetbot.domain.approvals import LONGEST_WORDS, Answer, Ask, Refusal
from meetbot.errors import BadInput, Mistake, NotFound
from meetbot.jobs import approvals as job
from meetbot.jobs.approvals import Offer, Person, Request

blueprint = Blueprint("approvals", __name__)
blueprint.add_app_template_filter(standing)

_MOST = 50
T = TypeVar("T")

_NEEDED = lazy_gettext("Fill this in.")
_TOO_LONG = lazy_gettext("Shorten this to %(max)d characters.", max=LONGEST_WORDS)

REASONS = {
    Refusal.PARTNER_NOT_READY: lazy_gettext("The partner is not ready"),
    Refusal.NOT_PLANNED: lazy_gettext("Not part of what the school has planned"),
    Refusal.OTHER_DATES: lazy_gettext("Other days would suit"),
    Refusal.OTHER: lazy_gettext("Another reason, in my words"),
}
WORDS = {
    "is missing": lazy_gettext("Choose one of these."),
    "is empty": lazy_gettext("Say in a few words why."),
    "is before the first day": lazy_gettext("This day is before the first one."),
    "is more than a year after the first day": lazy_gettext("Ask for a year at most."),
    "leaves the meeting itself out": lazy_gettext("These days leave the meeting itself out."),
    "is earlier than was asked for": lazy_gettext("This is earlier than was asked for."),
    "is later than was asked for": lazy_gettext("This is later than was asked for."),
    "is not at this meeting": lazy_gettext("This partner is not at the meeting."),
    "is none of this partner's": lazy_gettext("Choose one of the list."),
    "is approved for this meeting already": lazy_gettext("This is approved already."),
    "was asked for already": lazy_gettext("You have asked for this; wait for the answer."),
    "was answered already": lazy_gettext("This request was answered already."),
    "has expired": lazy_gettext("This request has expired; the host can ask again."),
    "is about a meeting that was cancelled, moved or has begun": lazy_gettext(
        "The meeting was cancelled, was moved or has begun."
    ),
    "is to be answered by another principal or lead": lazy_gettext(
        "Another principal or lead of the school has to answer this."
    ),
    "is of a school where nobody may approve": lazy_gettext(
        "The registry names nobody who may approve; ask the registry keeper."
    ),
    "has a host whose school is not known, so nobody can be asked": lazy_gettext(
        "Your school is not in the registry; ask the registry keeper."
    ),
}
"""What the jobs say, as this page says it."""


class AskForm(FlaskForm):  # type: ignore[misc] # flask_wtf has no types
    """What a host asks for."""

    choice = RadioField(
        lazy_gettext("Partner and program"), validators=[InputRequired(_NEEDED)], choices=[]
    )
    starts_on = DateField(
        lazy_gettext("First day"), validators=[InputRequired(_NEEDED)], render_kw={"required": True}
    )
    ends_on = DateField(
        lazy_gettext("Last day"), validators=[InputRequired(_NEEDED)], render_kw={"required": True}
    )
    words = TextAreaField(
        lazy_gettext("What it is for"), validators=[Length(max=LONGEST_WORDS, message=_TOO_LONG)]
    )


class NarrowForm(FlaskForm):  # type: ignore[misc] # flask_wtf has no types
    """Fewer days."""

    starts_on = DateField(lazy_gettext("First day"), validators=[InputRequired(_NEEDED)])
    ends_on = DateField(lazy_gettext("Last day"), validators=[InputRequired(_NEEDED)])


class RefuseForm(FlaskForm):  # type: ignore[misc] # flask_wtf has no types
    """Why not."""

    refusal = RadioField(
        lazy_gettext("Reason"),
        validators=[InputRequired(_NEEDED)],
        choices=[SelectChoice(reason.value, words) for reason, words in REASONS.items()],
    )
    words = TextAreaField(
        lazy_gettext("In your words"), validators=[Length(max=LONGEST_WORDS, message=_TOO_LONG)]
    )


def said(mistake: Mistake) -> str:
    """A mistake of a form in the reader's language, where this page has words for it."""
    return str(WORDS.get(mistake.what, f"{mistake.what}; {mistake.fix}"))


def _person() -> Person:
    viewer = current_viewer()
    return Person(viewer.address, viewer.key)


def _theirs(subject: str, work: Callable[[], T]) -> T:
    """What the work gives; 404 for what is not theirs, noted as refused."""
    try:
        return work()
    except NotFound:
        refuse("object", subject)


@blueprint.get("/approvals")
@allowed(Role.PRINCIPAL, Role.HOST)
def page() -> ResponseReturnValue:
    """What waits for an answer, what was answered, and one's own requests."""
    given, viewer = services(), current_viewer()
    now = given.clock()
    with given.deps.store.reading() as tx:
        registry = tx.registry.current()
        waiting = tx.approvals.of_schools(viewer.schools, as_of=now, waiting=True, limit=_MOST)
        over = tx.approvals.of_schools(viewer.schools, as_of=now, waiting=False, limit=_MOST)
        own = tx.approvals.asked_by(viewer.key, limit=_MOST)
    named = [[job.titled(registry, one) for one in some] for some in (waiting, over, own)]
    return render_template(
        "approvals/list.html", waiting=named[0], over=named[1], own=named[2], now=now
    )


# --- asking -------------------------------------------------------------------------------------


@blueprint.get("/approvals/ask/<case_id>")
@allowed(Role.HOST)
def ask(case_id: str) -> ResponseReturnValue:
    """The host's form, filled in as far as it is known."""
    offer = _offer(case_id)
    if isinstance(offer, str):
        return render_template("approvals/no_ask.html", why=offer)
    form = _ask_form(offer)
    if not form.choice.data:
        form.choice.data = next(
            (one.value for one in form.choice.choices if _is_likely(offer, one.value)), None
        )
    form.starts_on.data, form.ends_on.data = offer.first_day, offer.last_day
    return render_template("approvals/ask.html", offer=offer, form=form)


@blueprint.post("/approvals/ask/<case_id>")
@allowed(Role.HOST)
def send(case_id: str) -> ResponseReturnValue:
    """Ask."""
    given = services()
    offer = _offer(case_id)
    if isinstance(offer, str):
        return render_template("approvals/no_ask.html", why=offer), 422
    form = _ask_form(offer)
    if form.validate_on_submit():
        partner_id, program_id = json.loads(form.choice.data)
        asked = Ask(
            partner_id, program_id, form.starts_on.data, form.ends_on.data, form.words.data or ""
        )
        try:
            with given.deps.store.transaction() as tx:
                approval = job.ask(given.deps, tx, case_id, asked, _person(), given.clock())
        except NotFound:
            refuse("object", case_id)
        except BadInput as error:
            _note_mistakes(form, error, partner="choice", program="choice", meeting="choice")
        else:
            flash(gettext("Your request was sent. You get a mail with the answer."), "good")
            return redirect(url_for("approvals.one", approval_id=approval.id), 303)
    return render_template("approvals/ask.html", offer=offer, form=form), 422


def _offer(case_id: str) -> Offer | str:
    """What can be asked for, or why nothing can."""
    given = services()
    with given.deps.store.reading() as tx:
        try:
            return job.offer(given.deps, tx, case_id, _person(), given.clock())
        except NotFound:
            refuse("object", case_id)
        except BadInput as error:
            return said(error.mistakes[0])


def _ask_form(offer: Offer) -> AskForm:
    form = AskForm()
    form.choice.choices = [
        SelectChoice(json.dumps([c.partner_id, p.program_id]), f"{c.name}, {p.name}")
        for c in offer.choices
        for p in c.programs
    ]
    return form


def _is_likely(offer: Offer, value: str) -> bool:
    partner_id, program_id = json.loads(value)
    return any(
        c.partner_id == partner_id
        and c.program_id == program_id
        and not c.is_authorized
        and c.waiting is None
        for c in offer.choices
    )


def _note_mistakes(form: FlaskForm, error: BadInput, **places: str) -> None:
    """Put each mistake at its field; one that has none goes to the top of the page."""
    for mistake in error.mistakes:
        field = form._fields.get(places.get(mistake.place, mistake.place))
        if field is None:
            flash(said(mistake), "bad")
        else:
            field.errors = [*field.errors, said(mistake)]


# --- answering ----------------------------------------------------------------------------------


@blueprint.get("/approvals/<approval_id>")
@allowed(Role.PRINCIPAL, Role.HOST)
def one(approval_id: str) -> ResponseReturnValue:
    """One request: scope, days, the partner's standing. Looking at it changes nothing."""
    found = _view(approval_id)
    note_read(found.approval.id)
    narrow, no = _answer_forms(found)
    return _request_page(found, narrow, no)


def _view(approval_id: str) -> Request:
    given = services()
    with given.deps.store.reading() as tx:
        return _theirs(
            approval_id,
            lambda: job.view(given.deps, tx, approval_id, _person(), given.clock()),
        )


def _answer_forms(found: Request) -> tuple[NarrowForm, RefuseForm]:
    narrow, no = NarrowForm(prefix="narrow"), RefuseForm(prefix="refuse")
    if request.form.get("choice") != "narrow":
        narrow.starts_on.data = found.approval.starts_on
        narrow.ends_on.data = found.approval.ends_on
    return narrow, no


def _request_page(found: Request, narrow: NarrowForm, no: RefuseForm) -> str:
    why_not = WORDS.get(found.why_not, found.why_not)
    return render_template(
        "approvals/request.html",
        found=found,
        approval=found.approval,
        why_not=why_not,
        reasons=REASONS,
        narrow=narrow,
        no=no,
        chosen=request.form.get("choice", ""),
        now=services().clock(),
    )


@blueprint.post("/approvals/<approval_id>/answer")
@allowed(Role.PRINCIPAL)
def answer(approval_id: str) -> ResponseReturnValue:
    """Approve, narrow or refuse, once."""
    found = _view(approval_id)
    narrow, no = _answer_forms(found)
    given = _given(found, narrow, no)
    if given is None and not (narrow.errors or no.errors):
        flash(WORDS["is missing"], "bad")
    if given is not None:
        try:
            with services().deps.store.transaction() as tx:
                job.decide(services().deps, tx, approval_id, given, _person())
        except BadInput as error:
            form = no if given.refusal else narrow
            _note_mistakes(form, error)
            found = _view(approval_id)
        else:
            flash(gettext("Your answer was kept and the host is told."), "good")
            return redirect(url_for("approvals.one", approval_id=approval_id), 303)
    return _request_page(found, narrow, no), 422


def _given(found: Request, narrow: NarrowForm, no: RefuseForm) -> Answer | None:
    """The answer that the form holds; None where something is missing, which its fields say."""
    by, at = current_viewer().address, services().clock()
    approval = found.approval
    match request.form.get("choice"):
        case "approve":
            return Answer(by, at, (approval.starts_on, approval.ends_on))
        case "narrow" if narrow.validate():
            return Answer(by, at, (narrow.starts_on.data, narrow.ends_on.data))
        case "refuse" if no.validate():
            return Answer(by, at, None, Refusal(no.refusal.data), no.words.data or "")
        case _:
            return None
