"""Who may do what. Each view names its roles; each view of a case asks `may_see_case` as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, TypeVar, cast

from flask import (
    Flask,
    Response,
    abort,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from meetbot.console.services import Services, services
from meetbot.console.sessions import StoredSession
from meetbot.domain.access_log import AccessAction, AccessEntry
from meetbot.domain.addresses import parse_address
from meetbot.domain.casework import Case
from meetbot.domain.people import AccountKind
from meetbot.domain.registry import Registry
from meetbot.errors import Temporary
from meetbot.log import get_logger
from meetbot.ports import Tx


class Role(StrEnum):
    """What somebody may be; one person may be several."""

    OFFICER = "officer"
    PRIVACY = "privacy"
    """Privacy officer: confidential cases too."""
    PRINCIPAL = "principal"
    """Principal or lead: own schools only."""
    HOST = "host"
    """Any staff member: own meetings only."""
    KEEPER = "keeper"
    """Edits the registry."""
    OPERATOR = "operator"
    """Health of the service, no cases."""
    AUDITOR = "auditor"
    """Reads what an officer reads, changes nothing."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in. `key` is the keyed primary address; `schools` are led by this person."""

    address: str
    key: str
    roles: frozenset[Role]
    schools: frozenset[str] = frozenset()

    def has(self, *roles: Role) -> bool:
        """Whether any of these roles is theirs."""
        return not self.roles.isdisjoint(roles)


def may_see_case(viewer: Viewer, case: Case) -> bool:
    """Whether this person may read the case page."""
    if case.is_private:
        return viewer.has(Role.PRIVACY)
    if viewer.has(Role.OFFICER, Role.PRIVACY, Role.AUDITOR):
        return True
    return viewer.has(Role.PRINCIPAL) and not viewer.schools.isdisjoint(case.schools)


def may_answer_case(viewer: Viewer, case: Case) -> bool:
    """Whether this is the host, who has the right to answer; never of a confidential meeting."""
    return not case.is_private and viewer.key in case.answerers


def current_viewer() -> Viewer:
    """Who asks; only in views that name roles."""
    return cast(Viewer, g.viewer)


def viewer_or_none() -> Viewer | None:
    """Who asks, where that may be nobody."""
    return cast("Viewer | None", g.get("viewer"))


# --- roles --------------------------------------------------------------------------------------


def viewer_of(given: Services, tx: Tx, address: str) -> Viewer | None:
    """Somebody's roles as configuration and registry have them now; None for nobody of ours.

    Whoever is no active staff account has only the roles that the configuration names.
    """
    parsed = parse_address(address)
    if parsed is None or parsed.domain not in given.deps.district.domains:
        return None
    key = given.deps.pseudonyms.address(parsed.key)
    account = tx.people.by_address([key]).get(key)
    if account is not None and account.kind is AccountKind.STUDENT:
        return None
    primary = parse_address(account.address or "") if account is not None else None
    if primary is not None:  # who signs in under an alias is who the meetings know
        key = given.deps.pseudonyms.address(primary.key)
    schools = _schools_of(tx.registry.current(), parsed.key)
    roles = {
        role
        for role, people in _named(given).items()
        if parsed.key in {p.key for p in map(parse_address, people) if p is not None}
    }
    if schools:
        roles.add(Role.PRINCIPAL)
    if account is not None and account.kind is AccountKind.STAFF:
        roles.add(Role.HOST)
    return Viewer(parsed.text, key, frozenset(roles), schools) if roles else None


def _named(given: Services) -> dict[Role, tuple[str, ...]]:
    config = given.config
    return {
        Role.OFFICER: config.officers,
        Role.PRIVACY: config.privacy_officers,
        Role.KEEPER: config.keepers,
        Role.OPERATOR: config.operators,
        Role.AUDITOR: config.auditors,
    }


def _schools_of(registry: Registry, address_key: str) -> frozenset[str]:
    return frozenset(
        school.school_id
        for school in registry.schools
        for person in map(parse_address, (*school.principals, *school.leads))
        if person is not None and person.key == address_key
    )


# --- enforcement --------------------------------------------------------------------------------

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
_PUBLIC: frozenset[Role] = frozenset()


def allowed(*roles: Role) -> Callable[[View], View]:
    """Only for people with one of these roles. The innermost decorator's place is below the route:

    ```
    @blueprint.get("/cases")
    @allowed(Role.OFFICER)
    ```
    """

    def mark(view: View) -> View:
        view.__dict__["allowed"] = frozenset(roles)
        return view

    return mark


def public(view: View) -> View:
    """For everybody, signed in or not."""
    view.__dict__["allowed"] = _PUBLIC
    return view


def takes_up_to(size: int) -> Callable[[View], View]:
    """For a view that takes files: its requests may have this many bytes."""

    def mark(view: View) -> View:
        view.__dict__["body_limit"] = size
        return view

    return mark


def body_limit_of(app: Flask, endpoint: str | None) -> int | None:
    """What `takes_up_to` says of a view; None for the usual limit."""
    view = app.view_functions.get(endpoint or "")
    return None if view is None else cast("int | None", view.__dict__.get("body_limit"))


def roles_of_endpoint(app: Flask, endpoint: str) -> frozenset[Role]:
    """The roles that a view names, empty for a public one; raises KeyError where it names none."""
    if endpoint == "static":
        return _PUBLIC
    return cast("frozenset[Role]", app.view_functions[endpoint].__dict__["allowed"])


def guard(app: Flask) -> None:
    """Ask for the roles before every view; refuse an app with a view that names none."""
    for rule in app.url_map.iter_rules():
        try:
            roles_of_endpoint(app, rule.endpoint)
        except KeyError:
            raise RuntimeError(f"{rule.endpoint} says neither @allowed nor @public") from None
    app.before_request(_admit)
    app.after_request(_write_notes)


def _admit() -> ResponseReturnValue | None:
    from flask import current_app

    trouble = cast(StoredSession, session).trouble
    if trouble is not None:
        raise trouble
    g.viewer = _signed_in()
    if request.endpoint is None:  # no such page, which is said whoever asks
        return None
    roles = roles_of_endpoint(current_app, request.endpoint)
    if not roles:
        return None
    viewer = viewer_or_none()
    if viewer is None:
        return _to_sign_in()
    if not viewer.has(*roles):
        refuse("role", request.endpoint)
    return None


def _signed_in() -> Viewer | None:
    address = session.get("address")
    if not isinstance(address, str):
        return None
    given = services()
    with given.deps.store.reading() as tx:
        return viewer_of(given, tx, address)


def _to_sign_in() -> ResponseReturnValue:
    if request.method == "GET":
        # Where to go afterwards stays in the session: an address in the link could lead elsewhere.
        session["wanted"] = path_of_request()
    return redirect(url_for("signin.page"))


def path_of_request() -> str:
    """Path and query of this request, below the console's own path if it has one."""
    return request.script_root + request.full_path.rstrip("?")


def refuse(reason: str, subject: str) -> NoReturn:
    """Answer 403 (`role`) or 404 (anything else: who may not see a case does not learn that it
    exists), and note it. `subject` is an endpoint or the id of a case."""
    viewer = viewer_or_none()
    get_logger("console").warning(
        "refused", reason=reason, subject=subject, who=viewer.key if viewer else ""
    )
    note(AccessAction.REFUSED, subject, reason=reason)
    abort(403 if reason == "role" else 404)


def note_read(subject: str) -> None:
    """Note that a case (its id) was read."""
    note(AccessAction.READ, subject)


def note_export(subject: str) -> None:
    """Note that something (a case's id, or what a list is of) was taken out as a file."""
    note(AccessAction.EXPORTED, subject)


def note(action: AccessAction, subject: str, *, reason: str = "") -> None:
    """Add a line to the access log, about whoever asks.

    It is written when the view is done, so also when that is undone: within a transaction nothing
    else can be written. An answer that cannot be noted is not given.
    """
    viewer = viewer_or_none()
    who, roles = (viewer.address, viewer.roles) if viewer else ("", frozenset())
    note_of(who, sorted(role.value for role in roles), action, subject, reason=reason)


def note_of(
    who: str, roles: Iterable[str], action: AccessAction, subject: str, *, reason: str = ""
) -> None:
    """The same about somebody named: programs are no viewers."""
    entry = AccessEntry(services().clock(), action, subject, who, tuple(roles), reason)
    g.setdefault("notes", []).append(entry)


def _write_notes(response: Response) -> Response:
    notes: list[AccessEntry] = g.pop("notes", [])
    if notes:
        try:
            with services().deps.store.transaction() as tx:
                tx.access_log.note(notes)
        except Temporary as error:
            get_logger("console").error("access_not_noted", exc_info=error)
            return error_page(503)
    return response


def error_page(code: int, *, stale: bool = False) -> Response:
    """What went wrong, without a word of what was asked; `stale` for a form of another session."""
    g.is_error = True
    return make_response(render_template("errors/error.html", code=code, stale=stale), code)
