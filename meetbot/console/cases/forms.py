"""What officers and hosts fill in about a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from meetbot.console.cases import words
from meetbot.console.sayings import said
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.registry import Registry
from meetbot.errors import Mistake
from meetbot.jobs.cases import LONGEST_NOTE, Answer, Who
from meetbot.jobs.decisions import REASONS

_NEEDED = lazy_gettext("Choose one of these.")
_LIMIT = Length(
    max=LONGEST_NOTE, message=lazy_gettext("Say it shorter: at most %(max)d characters.")
)


class AnyForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form of these pages."""

    @property
    def fields_of(self) -> Mapping[str, str]:
        """The field that a job means, where it has another name here."""
        return {}


class CaseForm(AnyForm):
    """One action on a case. `version` is the case as it was shown."""

    version = IntegerField(validators=[InputRequired()], widget=HiddenInput())

    def show_version(self, version: int) -> None:
        """Have the form speak of another version of the case than it was sent with."""
        self.version.data, self.version.raw_data = version, None


class Remark(CaseForm):
    """A text that is kept with the case."""

    note = TextAreaField(lazy_gettext("Note"), [DataRequired(lazy_gettext("Write something."))])


class Ask(CaseForm):
    """A question to the host."""

    note = TextAreaField(lazy_gettext("Question (may stay empty)"), [_LIMIT])


class Escalate(CaseForm):
    """Hand a case up."""

    note = TextAreaField(lazy_gettext("Why (may stay empty)"), [_LIMIT])


class Decide(CaseForm):
    """Uphold or dismiss."""

    reason = RadioField(lazy_gettext("Why"), [InputRequired(_NEEDED)])
    note = TextAreaField(lazy_gettext("Note (may stay empty)"), [_LIMIT])
    flags = SelectMultipleField(
        lazy_gettext("What is decided"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    tell_host = BooleanField(lazy_gettext("Tell the host by mail, if the host was asked or told"))

    @property
    def chosen(self) -> list[str] | None:
        """The flags that are decided; None: all that wait."""
        return self.flags.data if len(self.flags.choices) > 1 else None

    def validate_note(self, field: TextAreaField) -> None:
        """A reason that says nothing needs a note that does."""
        if self.reason.data == "other" and not (field.data or "").strip():
            raise ValidationError(gettext("Say here what it was."))

    def validate_flags(self, field: SelectMultipleField) -> None:
        """At least one, where there is a choice."""
        if len(field.choices) > 1 and not field.data:
            raise ValidationError(gettext("Choose at least one."))


class About(CaseForm):
    """About something that was done before: a proposal, or what the host said of somebody."""

    event = IntegerField(validators=[InputRequired()], widget=HiddenInput())


class Reject(About):
    """A second officer does not agree."""

    note = TextAreaField(lazy_gettext("Why not (may stay empty)"), [_LIMIT])


class Reply(AnyForm):
    """The host's answer."""

    choice = RadioField(lazy_gettext("Was it so?"), [InputRequired(_NEEDED)])
    note = TextAreaField(lazy_gettext("In your words (may stay empty)"), [_LIMIT])

    def validate_note(self, field: TextAreaField) -> None:
        """The answer that says nothing needs words that do."""
        if self.choice.data == Answer.OTHER and not (field.data or "").strip():
            raise ValidationError(gettext("Write what happened, or choose another answer."))


class Identify(AnyForm):
    """Who somebody unknown was."""

    choice = RadioField(lazy_gettext("Who was it?"), [InputRequired(_NEEDED)])
    colleague = StringField(lazy_gettext("Address of the colleague"))
    partner = SelectField(lazy_gettext("Partner"), default="")

    def validate_colleague(self, field: StringField) -> None:
        """Needed for a colleague."""
        if self.choice.data == Who.COLLEAGUE and not (field.data or "").strip():
            raise ValidationError(gettext("Write the colleague's district address."))

    def validate_partner(self, field: SelectField) -> None:
        """Needed for a partner."""
        if self.choice.data == Who.PARTNER and not field.data:
            raise ValidationError(gettext("Choose the partner."))

    @property
    def fields_of(self) -> Mapping[str, str]:
        """A person is a colleague or a partner."""
        return {"person": "partner" if self.choice.data == Who.PARTNER else "colleague"}

    @property
    def person(self) -> str:
        """The address or partner that belongs to the choice."""
        match self.choice.data:
            case Who.COLLEAGUE:
                return str(self.colleague.data or "")
            case Who.PARTNER:
                return str(self.partner.data or "")
        return ""


def put_mistakes(form: AnyForm, mistakes: Iterable[Mistake]) -> list[str]:
    """Set what a job found wrong beside its field; gives what belongs to no field."""
    rest: list[str] = []
    for mistake in mistakes:
        name = form.fields_of.get(mistake.place, mistake.place)
        field = form[name] if name in form else None  # noqa: SIM401  # a form has no `get`
        if field is None or isinstance(field.widget, HiddenInput):
            rest.append(words.mistake(mistake))
        else:
            field.errors = [*field.errors, words.mistake(mistake)]
    return rest


def decide_choices(form: Decide, status: FlagStatus, flags: Sequence[Flag]) -> None:
    """The reasons of a decision, and the flags it can be about."""
    form.reason.choices = [(code, words.said(words.REASONS, code)) for code in REASONS[status]]
    form.flags.choices = [(flag.id, said(flag)) for flag in flags]


def identify_choices(form: Identify, registry: Registry) -> None:
    """Who it can have been."""
    form.choice.choices = [(who.value, words.said(words.WHO, who)) for who in Who]
    partners = sorted(registry.partners, key=lambda partner: partner.name.casefold())
    form.partner.choices = [("", gettext("Choose")), *((p.partner_id, p.name) for p in partners)]


def reply_choices(form: Reply) -> None:
    """The ready answers."""
    form.choice.choices = [(answer.value, words.said(words.ANSWERS, answer)) for answer in Answer]
