"""Which cases somebody wants to see: the form above the list, whose address is the saved link."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import request
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, SearchField, SelectField
from wtforms.validators import Optional

from meetbot.console.access import Role, Viewer
from meetbot.console.cases import words
from meetbot.domain.casework import CaseStatus, Term, TermKind
from meetbot.domain.findings import Severity
from meetbot.domain.registry import Registry
from meetbot.ports import CaseQuery, CaseSearch

MOST_CHOICES = 150
"""Of partners or schools in one list; where there are more, the search finds them."""
WAITING = frozenset({CaseStatus.OPEN, CaseStatus.ACKNOWLEDGED})
_STATUSES: dict[str, frozenset[CaseStatus] | None] = {
    "": WAITING,
    **{status.value: frozenset({status}) for status in CaseStatus},
    "all": None,
}
_ANSWERED = "answered"
_CASE_ID = re.compile(r"C-[0-9a-f]{12}", re.ASCII)


class FilterForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Everything a list can be narrowed by; sent with GET, so that its address can be kept."""

    class Meta:
        """It changes nothing."""

        csrf = False

    q = SearchField(lazy_gettext("Partner, school, rule or case"))
    status = SelectField(lazy_gettext("Status"))
    severity = SelectField(lazy_gettext("How grave"))
    rule = SelectField(lazy_gettext("Rule"))
    school = SelectField(lazy_gettext("School"))
    partner = SelectField(lazy_gettext("Partner"))
    since = DateField(lazy_gettext("Meetings from"), [Optional()])
    until = DateField(lazy_gettext("Meetings to"), [Optional()])


NAMES = ("q", "status", "severity", "rule", "school", "partner", "since", "until")
"""The filters in the address."""


def asked() -> dict[str, str]:
    """The filters that are used, as they stand in the address of the list."""
    return {name: request.args[name] for name in NAMES if request.args.get(name)}


@dataclass(frozen=True, slots=True)
class Saved:
    """A list that many want: its name and the part of its address after the `?`."""

    name: str
    values: tuple[tuple[str, str], ...]


def saved_links(today: date) -> tuple[Saved, ...]:
    """The built-in ones; any other list is kept as a bookmark."""
    day = today.isoformat()
    return (
        Saved(gettext("Waiting"), ()),
        Saved(
            gettext("Critical today"),
            (("severity", "critical"), ("status", "all"), ("since", day), ("until", day)),
        ),
        Saved(gettext("Answered by the host"), (("status", _ANSWERED),)),
        Saved(gettext("Closed"), (("status", "closed"),)),
    )


def form_for(viewer: Viewer, registry: Registry) -> FilterForm:
    """The form as the address of the request fills it."""
    form = FilterForm(request.args)
    anything = gettext("Any")
    form.status.choices = [
        ("", gettext("Waiting")),
        (_ANSWERED, gettext("Waiting, answered by the host")),
        *((status.value, words.said(words.CASE_STATUSES, status)) for status in CaseStatus),
        ("all", anything),
    ]
    form.severity.choices = [("", anything), *words.SEVERITIES.items()]
    form.rule.choices = [("", anything), *sorted(_rules(), key=lambda pair: pair[1])]
    schools = [s for s in registry.schools if may_ask_for(viewer, s.school_id)]
    form.school.choices = _choices(((s.school_id, s.name) for s in schools), form.school.data)
    partners = ((p.partner_id, p.name) for p in registry.partners)
    form.partner.choices = _choices(partners, form.partner.data)
    for field in form:
        if field.data is None and isinstance(field, SelectField | SearchField):
            field.data = ""
    return form


def may_ask_for(viewer: Viewer, school_id: str) -> bool:
    """Whether somebody may see cases of a school."""
    return sees_all_schools(viewer) or school_id in viewer.schools


def sees_all_schools(viewer: Viewer) -> bool:
    """Whether somebody is not bound to schools of their own."""
    return viewer.has(Role.OFFICER, Role.PRIVACY, Role.AUDITOR)


def _rules() -> Iterable[tuple[str, str]]:
    return ((rule, str(title)) for rule, title in words.RULES.items())


def _choices(rows: Iterable[tuple[str, str]], chosen: str | None) -> list[tuple[str, str]]:
    """Names in their order; the chosen one only where there are too many."""
    named = sorted(dict(rows).items(), key=lambda pair: pair[1].casefold())
    if len(named) > MOST_CHOICES:
        named = [pair for pair in named if pair[0] == chosen]
    if chosen and chosen not in dict(named):
        named.append((chosen, chosen))
    return [("", gettext("Any")), *named]


def query_of(form: FilterForm, viewer: Viewer, registry: Registry, zone: ZoneInfo) -> CaseQuery:
    """The cases that fit, none that the viewer may not see; a wrong filter is left out."""
    form.validate()
    asked = {field.name: field.data for field in form if not field.errors}
    return CaseQuery(
        statuses=_STATUSES.get(asked.get("status") or "", WAITING),
        severities=frozenset(s for s in Severity if s == asked.get("severity")) or None,
        rules=_chosen(asked.get("rule")),
        partners=_chosen(asked.get("partner")),
        schools=schools_of(viewer, asked.get("school")),
        search=search_of(registry, asked["q"]) if asked.get("q", "").strip() else None,
        since=_midnight(asked.get("since"), zone),
        until=_midnight(asked.get("until"), zone, days=1),
        is_answered=asked.get("status") == _ANSWERED,
        private=viewer.has(Role.PRIVACY),
    )


def _chosen(value: str | None) -> frozenset[str] | None:
    return frozenset({value}) if value else None


def schools_of(viewer: Viewer, chosen: str | None = None) -> frozenset[str] | None:
    """The chosen school, if the viewer may ask for it; else all that the viewer may ask for."""
    if sees_all_schools(viewer):
        return _chosen(chosen)
    return viewer.schools & {chosen} if chosen else viewer.schools


def _midnight(day: date | None, zone: ZoneInfo, *, days: int = 0) -> datetime | None:
    """The beginning of a local day, or of one so many days later."""
    if day is None or day.year >= date.max.year or day.year <= date.min.year:
        return None
    return datetime.combine(day + timedelta(days=days), time(), zone).astimezone(UTC)


def search_of(registry: Registry, text: str) -> CaseSearch:
    """What a text names: a case by its id; partners, schools, rules by id or a part of a name."""
    wanted = " ".join(text.split())[:200]
    folded = wanted.casefold()
    found = _CASE_ID.fullmatch(wanted)
    return CaseSearch(
        ids=frozenset({wanted} if found else ()),
        terms=frozenset(
            Term(kind, key)
            for kind, key, name in _names(registry)
            if folded in name.casefold() or folded == key.casefold()
        ),
    )


def _names(registry: Registry) -> Iterator[tuple[TermKind, str, str]]:
    yield from ((TermKind.PARTNER, p.partner_id, p.name) for p in registry.partners)
    yield from ((TermKind.SCHOOL, s.school_id, s.name) for s in registry.schools)
    yield from ((TermKind.RULE, rule, title) for rule, title in _rules())
