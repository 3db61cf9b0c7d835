"""What `doctor` examines; each failure says how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from meetbot import wiring
from meetbot.errors import BadInput, MeetbotError
from meetbot.jobs import import_registry
from meetbot.jobs.deps import Deps
from meetbot.notify import SmtpMailer
from meetbot.ports import RegistrySource, Store
from meetbot.settings import Settings
from meetbot.wiring import App
from meetbot.workspace import GRANTS, Grant

_CLOCK_TOLERANCE = 60.0
_CONSOLE = "Admin console > Security > API controls > Domain-wide delegation"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was examined. `detail` says what was found, `fix` what to do about it."""

    name: str
    is_ok: bool
    detail: str
    fix: str = ""

    def document(self) -> dict[str, object]:
        """One object of `doctor --json`."""
        return {"check": self.name, "ok": self.is_ok, "detail": self.detail, "fix": self.fix}

    def line(self) -> str:
        """One or two lines for people."""
        head = f"{'ok  ' if self.is_ok else 'FAIL'}  {self.name}: {self.detail}"
        return head if self.is_ok or not self.fix else f"{head}\n      Fix: {self.fix}"


def examine(settings: Settings) -> list[Check]:
    """Examine everything; what depends on something broken is left out."""
    checks = [Check("configuration", is_ok=True, detail="read, no mistake"), _console(settings)]
    try:
        with wiring.opened_store(settings) as store:
            checks.append(Check("database", is_ok=True, detail="reachable, schema up to date"))
            checks.append(_registry(store))
    except MeetbotError as error:
        return [*checks, _failed("database", error)]
    try:
        with wiring.opened(settings) as app:
            checks.append(Check("key", is_ok=True, detail=_key_detail(app)))
            checks += _workspace(settings, app)
    except MeetbotError as error:
        checks.append(_failed("key", error))
    return checks


def _failed(name: str, error: MeetbotError) -> Check:
    if isinstance(error, BadInput):
        return Check(
            name,
            is_ok=False,
            detail="; ".join(f"{m.place}: {m.what}" for m in error.mistakes),
            fix="; ".join(m.fix for m in error.mistakes),
        )
    return Check(name, is_ok=False, detail=str(error), fix=error.fix or "try again later")


def _console(settings: Settings) -> Check:
    if settings.console.oidc is None:
        detail = "none without [console.oidc]; the README says how people sign in"
        return Check("console", is_ok=True, detail=detail)
    issuer = settings.console.oidc.issuer
    return _try("console", lambda: _provider(issuer, settings.console.base_url))


def _provider(issuer: str, base_url: str) -> tuple[str, str]:
    """Whether the identity provider answers; and what it has to know."""
    from meetbot.console.oidc import discover, redirect_uri

    discover(issuer)
    return f"{issuer} answers; register the redirect URI {redirect_uri(base_url)} there", ""


def _registry(store: Store) -> Check:
    with store.reading() as tx:
        since = tx.registry.known_since()
        partners = len(tx.registry.current().partners)
    if since is None:
        return Check(
            "registry",
            is_ok=False,
            detail="no registry was imported: every decision about partners stays undecided",
            fix="fill in the CSV files and run `meetbot registry import FOLDER`",
        )
    return Check("registry", is_ok=True, detail=f"{partners} partners, as of {since:%Y-%m-%d}")


def _key_detail(app: App) -> str:
    client = app.workspace.client_id
    return f"readable, client id {client}" if client else "readable"


def _workspace(settings: Settings, app: App) -> Iterator[Check]:
    unused = {
        "gmail": settings.mail.transport != "gmail",
        "sheets": settings.registry.source is None,
    }
    owner = _an_owner(app.deps)
    for grant in GRANTS.values():
        if unused.get(grant.name, False):
            continue
        subject = owner if grant.subject in ("calendar owners", "organizers") else None
        yield _scope(app, grant, subject)
    source = app.deps.registry_source
    if source is not None:
        yield _try("registry sheet", lambda: _sheet(app.deps, source))
    yield _clock(app)
    yield from _directory(settings, app)
    mailer = app.deps.mailer
    if isinstance(mailer, SmtpMailer):
        yield _try("mail", lambda: _mail(mailer))


def _sheet(deps: Deps, source: RegistrySource) -> tuple[str, str]:
    """Whether the spreadsheet can be imported, and whether the schedule last did."""
    source.read()
    with deps.store.reading() as tx:
        problem = tx.meta.source(import_registry.SOURCE).problem
    if problem:
        fix = "correct the spreadsheet, or import it by hand: `meetbot registry import`"
        return f"the last import of the schedule failed: {problem}", fix
    return "readable, no mistake", ""


def _an_owner(deps: Deps) -> str | None:
    """Some staff account, to try the scopes that need one; None before the first snapshot."""
    with deps.store.reading() as tx:
        calendars = tx.people.staff_calendars()
    return calendars[0].address if calendars else None


def _scope(app: App, grant: Grant, subject: str | None) -> Check:
    scopes = ", ".join(grant.short_scopes)
    name = f"scope {scopes}"
    try:
        app.workspace.check_scope(grant.name, subject)
    except MeetbotError as error:
        fix = error.fix or f"{_CONSOLE}: add {' '.join(grant.scopes)}"
        return Check(name, is_ok=False, detail=str(error), fix=fix)
    return Check(name, is_ok=True, detail=f"granted, API answers ({grant.api})")


def _clock(app: App) -> Check:
    skew = app.workspace.clock_skew
    if skew is None:
        return Check(
            "clock",
            is_ok=False,
            detail="could not be compared: Google did not answer",
            fix="mend the lines above first",
        )
    if abs(skew) > _CLOCK_TOLERANCE:
        return Check(
            "clock",
            is_ok=False,
            detail=f"differs from Google's by {abs(skew):.0f} s",
            fix="set the machine's clock by NTP",
        )
    return Check("clock", is_ok=True, detail="agrees with Google's")


def _directory(settings: Settings, app: App) -> Iterator[Check]:
    district = settings.district
    yield _try("domains", lambda: _domains(app, frozenset(district.domains)))
    configured = (*district.staff_units, *district.student_units, *district.not_staff_units)
    yield _try("org units", lambda: _units(app, configured))


def _try(name: str, examine_it: Callable[[], tuple[str, str]]) -> Check:
    """Run one examination that gives (detail, fix); an empty fix means all is well."""
    try:
        detail, fix = examine_it()
    except MeetbotError as error:
        return _failed(name, error)
    return Check(name, is_ok=not fix, detail=detail, fix=fix)


def _domains(app: App, configured: frozenset[str]) -> tuple[str, str]:
    found = app.deps.directory.domains()
    if missing := sorted(found - configured):
        return (
            "Google knows more domains of the district than district.domains",
            f"add {', '.join(missing)} to district.domains, or no mail goes to their people",
        )
    if foreign := sorted(configured - found):
        return (
            f"{', '.join(foreign)} is no verified domain of this Workspace",
            "correct district.domains",
        )
    return "district.domains matches Google's list", ""


def _units(app: App, configured: tuple[str, ...]) -> tuple[str, str]:
    found = {unit.casefold() for unit in app.deps.directory.units()}
    missing = [u for u in configured if u.rstrip("/").casefold() not in found and u != "/"]
    if missing:
        return (
            f"no such org unit: {', '.join(missing)}",
            "correct staff_units, student_units and not_staff_units in [district]",
        )
    return "all configured org units exist", ""


def _mail(server: SmtpMailer) -> tuple[str, str]:
    server.check()
    return "the server accepts us", ""
