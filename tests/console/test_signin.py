"""Signing in by OpenID Connect: whom the provider vouches for, and who has a role here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from meetbot.console import create_app
from meetbot.console.access import Role
from meetbot.console.oidc import discover
from meetbot.console.services import OidcConfig
from meetbot.domain.access_log import AccessAction, AccessEntry
from meetbot.errors import MeetbotError
from meetbot.sandbox.district import principal
from tests.console.conftest import PEOPLE, Console
from tests.fakes.provider import CLIENT, SECRET, FakeProvider, a_provider
from tests.stage import Stage

OFFICER = PEOPLE[Role.OFFICER]
BASE = "https://meetbot.district.example"


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with a_provider() as provider:
        yield provider


@pytest.fixture
def app(console: Console, provider: FakeProvider) -> Flask:
    """The console of a district that uses this provider, behind HTTPS."""
    oidc = OidcConfig(provider.issuer, CLIENT, SECRET)
    config = replace(console.services.config, oidc=oidc, base_url=BASE)
    app = create_app(replace(console.services, config=config), secret=b"s" * 32)
    app.config.update(TESTING=True)
    return app


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


def begin(browser: FlaskClient) -> str:
    """To the provider; gives the query that the browser brings there."""
    answer = browser.get("/signin/go")
    assert answer.status_code == 302
    return urlsplit(answer.location).query


def sign_in(browser: FlaskClient, provider: FakeProvider) -> TestResponse:
    return browser.get("/signin/callback" + provider.authorize(begin(browser)))


def noted(console: Console) -> list[AccessEntry]:
    with console.store.reading() as tx:
        return [line.entry for line in tx.access_log.list()]


def test_an_officer_signs_in(
    console: Console, browser: FlaskClient, provider: FakeProvider
) -> None:
    """Code flow with PKCE, state and nonce; the page that was wanted comes after it."""
    first = browser.get("/?page=2")
    assert first.location == "/signin"

    asked = {name: values[0] for name, values in parse_qs(begin(browser)).items()}
    assert asked["redirect_uri"] == f"{BASE}/signin/callback"
    assert asked["code_challenge_method"] == "S256"
    assert asked["response_type"] == "code"
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    assert asked["scope"].split() == ["openid", "email"]
    answer = sign_in(browser, provider)

    assert (answer.status_code, answer.location) == (303, "/?page=2")
    assert OFFICER in browser.get("/").text
    (entry,) = noted(console)
    assert entry == AccessEntry(
        console.now, AccessAction.SIGNED_IN, "console", OFFICER, ("officer",)
    )


def test_a_principal_has_a_role_by_the_registry(
    browser: FlaskClient, provider: FakeProvider
) -> None:
    """Nobody has to name principals again."""
    provider.claims = {"email": principal("lakeview").upper()}

    assert sign_in(browser, provider).status_code == 303


@pytest.mark.parametrize(
    ("claims", "reason", "status"),
    [
        ({"email_verified": False}, "unverified", 403),
        ({"email_verified": "true"}, "unverified", 403),
        ({"email_verified": None}, "unverified", 403),
        ({"email": "officer.one@partner.example"}, "domain", 403),
        ({"email": "officer.one@district.example.evil.example"}, "domain", 403),
        ({"email": None}, "domain", 403),
        ({"email": ["officer.one@district.example"]}, "domain", 403),
        ({"hd": "partner.example"}, "domain", 403),
        ({"email": "nobody@district.example"}, "role", 403),
        ({"iss": "https://accounts.google.com"}, "token", 400),
        ({"aud": "another-client"}, "token", 400),
        ({"aud": [CLIENT, "another-client"]}, "token", 400),
        ({"exp": 1_700_000_000}, "token", 400),
        ({"exp": None}, "token", 400),
        ({"nonce": "another"}, "token", 400),
        ({"nonce": None}, "token", 400),
    ],
)
def test_whom_the_provider_does_not_vouch_for_stays_outside(
    console: Console,
    browser: FlaskClient,
    provider: FakeProvider,
    claims: dict[str, object],
    reason: str,
    status: int,
) -> None:
    """Each gets a page that says why, and the log has the reason and nobody's name."""
    provider.claims = claims

    answer = sign_in(browser, provider)

    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert browser.get("/").status_code == 302
    (entry,) = noted(console)
    assert entry == AccessEntry(console.now, AccessAction.REFUSED, "signin", reason=reason)


def test_students_have_nothing_to_do_here(
    console: Console,
    polled_district: tuple[Stage, datetime],
    browser: FlaskClient,
    provider: FakeProvider,
) -> None:
    """Not even when the configuration names one; and their address is stored nowhere."""
    stage, _ = polled_district
    student = next(u for u in stage.world.users if "students." in u)
    config = replace(console.services.config, officers=(student,))
    browser.application.extensions["meetbot"] = replace(console.services, config=config)
    provider.claims = {"email": student}

    assert sign_in(browser, provider).status_code == 403
    with console.store.reading() as tx:
        assert student not in str(tx.access_log.list())


def test_a_token_that_nobody_signed(browser: FlaskClient, provider: FakeProvider) -> None:
    """`alg: none` is no signature."""
    provider.is_signed = False

    assert sign_in(browser, provider).status_code == 400
    assert browser.get("/").status_code == 302


def test_a_token_that_somebody_else_signed(browser: FlaskClient, provider: FakeProvider) -> None:
    """Only the provider's own keys count."""
    provider.signs_with_foreign_key = True

    assert sign_in(browser, provider).status_code == 400


def test_an_answer_that_was_not_asked_for(browser: FlaskClient, provider: FakeProvider) -> None:
    """Another browser's answer, one that comes again, and none at all."""
    other = provider.authorize(begin(browser.application.test_client()))
    assert browser.get(f"/signin/callback{other}").status_code == 400
    mine = provider.authorize(begin(browser))
    assert browser.get(f"/signin/callback{mine}").status_code == 303
    assert browser.get(f"/signin/callback{mine}").status_code == 400
    assert browser.get("/signin/callback").status_code == 400


def test_a_code_is_bound_to_the_browser_that_asked(
    browser: FlaskClient, provider: FakeProvider
) -> None:
    """A code that was begun elsewhere is refused by the provider for its PKCE challenge."""
    stolen = parse_qs(provider.authorize(begin(browser.application.test_client()))[1:])["code"][0]
    state = parse_qs(begin(browser))["state"][0]

    answer = browser.get(f"/signin/callback?code={stolen}&state={state}")

    assert answer.status_code == 403
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize(
    ("error", "status"), [("access_denied", 403), ("server_error", 503), ("<script>", 403)]
)
def test_errors_of_the_provider(browser: FlaskClient, error: str, status: int) -> None:
    """A clear page; of what the provider says nothing is repeated."""
    answer = browser.get("/signin/callback", query_string={"error": error, "state": "x"})

    assert answer.status_code == status
    assert error not in answer.text


def test_a_provider_that_is_away_comes_back(browser: FlaskClient, provider: FakeProvider) -> None:
    """The page says so; the next try asks again."""
    provider.document = {"issuer": "https://elsewhere.example"}
    assert browser.get("/signin/go").status_code == 503
    provider.document = {}
    assert browser.get("/signin/go").status_code == 302


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": None},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": 5},
        {"code_challenge_methods_supported": ["plain"]},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
        {"id_token_signing_alg_values_supported": "RS256"},
    ],
)
def test_a_discovery_document_that_cannot_be_used(
    provider: FakeProvider, document: dict[str, object]
) -> None:
    """Each mistake of it is said, with a fix."""
    provider.document = document

    with pytest.raises(MeetbotError) as wrong:
        discover(provider.issuer)

    assert "console.oidc.issuer" in wrong.value.fix


def test_no_network_but_the_issuers(browser: FlaskClient, provider: FakeProvider) -> None:
    """Document, keys and token: each is asked once, nothing else is."""
    sign_in(browser, provider)

    assert provider.asked == ["/.well-known/openid-configuration", "/token", "/jwks"]


# --- sessions -----------------------------------------------------------------------------------


def cookie_of(answer: TestResponse) -> str:
    return answer.headers["Set-Cookie"]


def test_the_cookie(browser: FlaskClient, provider: FakeProvider) -> None:
    """Only for this host, only by HTTPS, not for scripts, not from elsewhere; new at sign-in."""
    before = cookie_of(browser.get("/signin"))
    after = cookie_of(sign_in(browser, provider))

    for cookie in (before, after):
        name, *attributes = cookie.split("; ")
        assert name.startswith("__Host-meetbot=")
        assert set(attributes) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
    assert before.split(";")[0] != after.split(";")[0]


def test_an_id_from_before_is_nobodys_afterwards(
    app: Flask, browser: FlaskClient, provider: FakeProvider
) -> None:
    """Who planted a session id in a browser does not get in with it."""
    planted = cookie_of(browser.get("/signin")).split(";")[0].partition("=")[2]
    sign_in(browser, provider)
    thief = app.test_client()
    thief.set_cookie("__Host-meetbot", planted, domain="meetbot.district.example")

    assert thief.get("/").status_code == 302
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    ("steps", "is_in"),
    [
        ([timedelta(minutes=59)] * 3, True),
        ([timedelta(minutes=60)], False),
        ([timedelta(minutes=50)] * 14, True),
        ([timedelta(minutes=50)] * 15, False),
    ],
)
def test_a_session_ends_by_itself(
    console: Console,
    browser: FlaskClient,
    provider: FakeProvider,
    steps: list[timedelta],
    is_in: bool,
) -> None:
    """After an hour without a request, and twelve hours after it began."""
    sign_in(browser, provider)
    status = 0
    for step in steps:
        console.now += step
        status = browser.get("/").status_code

    assert (status == 200) is is_in


def test_signing_out_ends_it_on_the_server(console: Console) -> None:
    """The id is worth nothing any more, whoever kept it."""
    browser = console.client(Role.OFFICER)
    kept = browser.get_cookie("meetbot", domain="127.0.0.1")
    assert kept is not None
    assert browser.post("/signout").location == "/signin"
    browser.set_cookie("meetbot", kept.value, domain="127.0.0.1")

    assert browser.get("/").status_code == 302
    assert [entry.action for entry in noted(console)] == [AccessAction.SIGNED_OUT]


def test_a_role_that_is_taken_away_counts_at_once(console: Console) -> None:
    """Roles are looked up at every request, not when somebody signs in."""
    lead = "new.lead@district.example"

    def leads(*addresses: str) -> None:
        with console.store.transaction() as tx:
            registry = tx.registry.current()
            first, *others = registry.schools
            schools = (replace(first, leads=addresses), *others)
            tx.registry.replace(replace(registry, schools=schools), as_of=console.now)

    leads(lead)
    browser = console.client(lead)
    assert browser.get("/").status_code == 200
    console.now += timedelta(minutes=1)
    leads()

    assert browser.get("/").status_code == 302


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        5,
        "/\n",
    ],
)
def test_nobody_is_led_elsewhere(
    browser: FlaskClient, provider: FakeProvider, wanted: object
) -> None:
    """Whatever the session holds, after signing in one is in the console."""
    with browser.session_transaction() as session:
        session["wanted"] = wanted

    assert sign_in(browser, provider).location == "/"


def test_a_console_below_a_path(browser: FlaskClient, provider: FakeProvider) -> None:
    """What was wanted is found again below that path."""
    below = {"SCRIPT_NAME": "/meetbot"}
    assert browser.get("/?page=2", environ_overrides=below).location == "/meetbot/signin"

    assert sign_in(browser, provider).location == "/meetbot/?page=2"


def test_a_missing_page_still_knows_who_asks(console: Console) -> None:
    """Whoever is signed in keeps the navigation."""
    browser = console.client(Role.AUDITOR)

    assert PEOPLE[Role.AUDITOR] in browser.get("/nothing").text


def test_the_language_changes_on_the_page_where_one_is(console: Console) -> None:
    """And leads nowhere else."""
    browser = console.client(Role.AUDITOR)
    answer = browser.post("/language", data={"language": "es", "here": "/access?before=3"})
    assert answer.location == "/access?before=3"
    assert '<html lang="es">' in browser.get("/").text
    elsewhere = browser.post("/language", data={"language": "xx", "here": "//evil.example"})
    assert elsewhere.location == "/"


def test_without_a_provider_nobody_signs_in(console: Console) -> None:
    """The page says so."""
    browser = console.client(None)

    assert "Nobody can sign in" in browser.get("/signin").text
    assert browser.get("/signin/go").status_code == 503
    assert browser.get("/signin/callback?error=x").status_code == 503
