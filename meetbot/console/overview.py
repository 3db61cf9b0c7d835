"""`/overview` with its plots, and `/operations` for whoever keeps meetbot running."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_skeleton
from flask import Blueprint, Response, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, format_percent, get_locale, gettext, ngettext

from meetbot.console.access import Role, Viewer, allowed, current_viewer
from meetbot.console.services import services
from meetbot.domain.findings import Severity
from meetbot.domain.overview import Overview, Precision, Quantiles, Scope, Times, Week
from meetbot.domain.storms import Storm
from meetbot.errors import NotFound
from meetbot.jobs import overview as job
from meetbot.jobs import storm
from meetbot.ports import Tx

blueprint = Blueprint("overview", __name__)

_READERS = (Role.OFFICER, Role.PRIVACY, Role.AUDITOR, Role.PRINCIPAL)


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot: `image` is its name in the address, `rows` what it shows as cells."""

    title: str
    sentence: str
    image: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@blueprint.get("/overview")
@allowed(*_READERS)
def page() -> ResponseReturnValue:
    """How much is flagged, how fast and how well it is decided, and what was covered."""
    given, viewer = services(), current_viewer()
    scope = _scope(viewer)
    with given.deps.store.reading() as tx:
        found = job.overview(given.deps, tx, scope, given.clock())
    files = {
        "contracts": gettext("Contracts"),
        "certifications": gettext("Certifications"),
        "authorizations": gettext("Authorizations"),
        "exemptions": gettext("Exemptions"),
    }
    ends = [(files[one.file], *one.within) for one in found.expiring]
    return render_template(
        "overview/page.html", found=found, scope=scope, plots=_plots(found, scope), ends=ends
    )


@blueprint.get("/overview/<name>.svg")
@allowed(*_READERS)
def picture(name: str) -> ResponseReturnValue:
    """One plot, of what this viewer may see."""
    draw = _PICTURES.get(name)
    if draw is None:
        abort(404)
    given = services()
    with given.deps.store.reading() as tx:
        drawn = draw(tx, _scope(current_viewer()), given.clock())
    answer = Response(drawn, mimetype="image/svg+xml")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/operations")
@allowed(Role.OPERATOR)
def operations() -> ResponseReturnValue:
    """Coverage, delivery, and the storm that holds mails, if any. No case."""
    given = services()
    with given.deps.store.reading() as tx:
        found = job.operations(tx, given.clock())
    return render_template("overview/operations.html", found=found)


@blueprint.post("/operations/release")
@allowed(Role.OPERATOR)
def release() -> ResponseReturnValue:
    """Let the held mails leave."""
    ended = _ended(storm.release)
    if ended is not None:
        number = ended.mails["released"] + ended.mails["renewed"]
        flash(ngettext("%(num)d mail is released.", "%(num)d mails are released.", number))
    return redirect(url_for(".operations"), 303)


@blueprint.post("/operations/drop")
@allowed(Role.OPERATOR)
def drop() -> ResponseReturnValue:
    """Mail nothing of what is held."""
    ended = _ended(storm.drop)
    if ended is not None:
        number = ended.mails["dropped"]
        flash(ngettext("%(num)d mail is dropped.", "%(num)d mails are dropped.", number))
    return redirect(url_for(".operations"), 303)


def _ended(end: Callable[[Tx, str, datetime], Storm]) -> Storm | None:
    given = services()
    try:
        with given.deps.store.transaction() as tx:
            return end(tx, current_viewer().address, given.clock())
    except NotFound:
        flash(gettext("Mail is not stopped: somebody else has decided already."), "bad")
        return None


def _scope(viewer: Viewer) -> Scope:
    """All schools for officers, auditors and privacy officers, who alone see private numbers."""
    is_private = viewer.has(Role.PRIVACY)
    if viewer.has(Role.OFFICER, Role.AUDITOR, Role.PRIVACY):
        return Scope(private=is_private)
    return Scope(schools=viewer.schools)


# --- plots --------------------------------------------------------------------------------------


def _plots(found: Overview, scope: Scope) -> list[Plot]:
    plots = [_weeks_plot(found.weeks)]
    if scope.is_district:
        plots.append(_rates_plot(found.weeks))
    return [*plots, _times_plot(found.times), _precision_plot(found.precision)]


def _weeks_plot(weeks: Sequence[Week]) -> Plot:
    total = sum(week.flags for week in weeks)
    return Plot(
        title=gettext("Flags per week"),
        sentence=ngettext(
            "%(num)d flag was opened in %(weeks)d weeks.",
            "%(num)d flags were opened in %(weeks)d weeks.",
            total,
            weeks=len(weeks),
        ),
        image="weeks",
        head=(gettext("Week of"), *_words().values(), gettext("All")),
        rows=tuple(
            (
                _day(week),
                *(str(week.counts.get(severity, 0)) for severity in _words()),
                str(week.flags),
            )
            for week in weeks
        ),
    )


def _rates_plot(weeks: Sequence[Week]) -> Plot:
    known = [week for week in weeks if week.meetings]
    flags, meetings = sum(w.grave for w in known), sum(w.meetings or 0 for w in known)
    return Plot(
        title=gettext("Flags per 100 partner meetings"),
        sentence=gettext(
            "For every 100 partner meetings, of which there were %(meetings)d, %(rate)s flags of "
            "medium severity or worse came.",
            rate=format_decimal(round(100 * flags / meetings, 1)),
            meetings=meetings,
        )
        if meetings
        else gettext("There was no partner meeting in these weeks, so there is no rate."),
        image="rates",
        head=(gettext("Week of"), gettext("Partner meetings"), gettext("Flags per 100")),
        rows=tuple(
            (
                _day(week),
                gettext("not kept") if week.meetings is None else str(week.meetings),
                "–" if week.per_hundred is None else format_decimal(round(week.per_hundred, 1)),
            )
            for week in weeks
        ),
    )


def _times_plot(times: Sequence[Times]) -> Plot:
    worst = next((t for t in times if t.acknowledged is not None), None)
    return Plot(
        title=gettext("Time until somebody acted"),
        sentence=gettext(
            "Half of the flags of severity “%(severity)s” were acknowledged within %(median)s.",
            severity=_words()[worst.severity],
            median=_length(worst.acknowledged.median),
        )
        if worst is not None and worst.acknowledged is not None
        else gettext("No flag of these weeks was acknowledged or decided yet."),
        image="times",
        head=(
            gettext("Severity"),
            gettext("Acknowledged: number"),
            gettext("median"),
            gettext("9 of 10 within"),
            gettext("Decided: number"),
            gettext("median"),
            gettext("9 of 10 within"),
        ),
        rows=tuple(
            (_words()[t.severity], *_quantiles(t.acknowledged), *_quantiles(t.resolved))
            for t in times
        ),
    )


def _quantiles(found: Quantiles | None) -> tuple[str, str, str]:
    if found is None:
        return "0", "–", "–"
    return str(found.number), _length(found.median), _length(found.p90)


def _precision_plot(rules: Sequence[Precision]) -> Plot:
    upheld, dismissed = sum(r.upheld for r in rules), sum(r.dismissed for r in rules)
    return Plot(
        title=gettext("Precision of rules"),
        sentence=gettext(
            "Of %(decided)d flags that were decided in a year, officers upheld %(share)s.",
            decided=upheld + dismissed,
            share=format_percent(upheld / (upheld + dismissed)),
        )
        if rules
        else gettext("No flag of the last year was upheld or dismissed yet."),
        image="precision",
        head=(gettext("Rule"), gettext("Upheld"), gettext("Dismissed"), gettext("Precision")),
        rows=tuple(
            (rule.rule, str(rule.upheld), str(rule.dismissed), format_percent(rule.share))
            for rule in rules
        ),
    )


def _draw_weeks(tx: Tx, scope: Scope, now: datetime) -> bytes:
    from meetbot.console.plots import Bars, stacked

    weeks = job.weeks(services().deps, tx, scope, now)
    bars = [
        (severity, Bars(word, tuple(week.counts.get(severity, 0) for week in weeks)))
        for severity, word in reversed(_words().items())
        if any(week.counts.get(severity) for week in weeks)
    ]
    return stacked([_day(week) for week in weeks], bars, gettext("Flags"))


def _draw_rates(tx: Tx, scope: Scope, now: datetime) -> bytes:
    from meetbot.console.plots import line

    weeks = job.weeks(services().deps, tx, scope, now)
    rates = [week.per_hundred for week in weeks]
    return line([_day(week) for week in weeks], rates, gettext("Flags per 100"))


def _draw_times(tx: Tx, scope: Scope, now: datetime) -> bytes:
    from meetbot.console.plots import Bars, rows

    times = job.times(services().deps, tx, scope, now)
    acknowledged = [None if t.acknowledged is None else t.acknowledged.median for t in times]
    resolved = [None if t.resolved is None else t.resolved.median for t in times]
    bars = [
        Bars(gettext("Acknowledged, median"), tuple(map(_hours, acknowledged))),
        Bars(gettext("Decided, median"), tuple(map(_hours, resolved))),
    ]
    return rows([_words()[t.severity] for t in times], bars, gettext("Hours"), most=None)


def _draw_precision(tx: Tx, scope: Scope, now: datetime) -> bytes:
    from meetbot.console.plots import Bars, rows

    found = job.precision(tx, scope, now)
    bars = [Bars(gettext("Precision"), tuple(100 * rule.share for rule in found))]
    unit = gettext("Upheld, percent of what was decided")
    return rows([rule.rule for rule in found], bars, unit, most=100)


_PICTURES: Mapping[str, Callable[[Tx, Scope, datetime], bytes]] = {
    "weeks": _draw_weeks,
    "rates": _draw_rates,
    "times": _draw_times,
    "precision": _draw_precision,
}


# --- words --------------------------------------------------------------------------------------


def _words() -> dict[Severity, str]:
    """Severities as words, the gravest first."""
    return {
        Severity.CRITICAL: gettext("Critical"),
        Severity.HIGH: gettext("High"),
        Severity.MEDIUM: gettext("Medium"),
        Severity.LOW: gettext("Low"),
        Severity.INFO: gettext("Info"),
    }


def _day(week: Week) -> str:
    return format_skeleton("MMMd", week.first, locale=get_locale())


def _hours(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds() / 3600


def _length(length: timedelta) -> str:
    """Minutes below two hours, hours below two days, else days."""
    minutes = round(length.total_seconds() / 60)
    if minutes < 120:
        return str(ngettext("%(num)d minute", "%(num)d minutes", minutes))
    if minutes < 48 * 60:
        return str(ngettext("%(num)d hour", "%(num)d hours", round(minutes / 60)))
    return str(ngettext("%(num)d day", "%(num)d days", round(minutes / 1440)))
