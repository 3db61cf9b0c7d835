"""What every answer and every request of the console has to keep to (OWASP ASVS 5.0, level 2)."""

from __future__ import annotations

import io
import ipaddress
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from meetbot.console import create_app
from meetbot.console.access import Role, note_export, note_read, public, takes_up_to
from meetbot.console.security import LARGEST_FORM, Limits
from meetbot.domain.access_log import AccessAction
from meetbot.errors import Temporary
from meetbot.log import configure_logging
from meetbot.ports import Tx
from meetbot.store import SqlStore
from tests.console.conftest import PEOPLE, SECOND_OFFICER, Console
from tests.console.test_role_matrix import paths_of

WHERE = re.compile(r"""(?:href|src|action|content)\s*=\s*["']([^"']*)["']""")


def test_headers_of_a_page(console: Console) -> None:
    """Nothing is fetched from, framed by or sent to elsewhere; pages are kept by no cache."""
    headers = console.client(Role.OFFICER).get("/").headers

    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == policy["img-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_https_is_asked_for_where_it_is_spoken(console: Console) -> None:
    """And not on loopback, where it would shut out everything else of this machine."""
    config = replace(console.services.config, base_url="https://meetbot.district.example")
    app = create_app(replace(console.services, config=config))

    assert "max-age" in app.test_client().get("/signin").headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in console.client(None).get("/signin").headers


def test_errors_have_the_same_headers(console: Console) -> None:
    """Also what is refused, missing or wrong."""
    browser = console.client(Role.OFFICER)
    for answer in (browser.get("/nothing"), browser.get("/access"), browser.put("/signin")):
        assert answer.status_code in (403, 404, 405)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Content-Security-Policy" in answer.headers


def test_every_form_needs_its_token(console: Console) -> None:
    """A POST from another site changes nothing, on no route."""
    console.app.config["WTF_CSRF_ENABLED"] = True
    for who in (None, *PEOPLE):
        browser = console.client(who)
        for method, path in paths_of(console.app):
            if method == "POST" and not path.startswith("/api/"):
                assert browser.post(path).status_code == 400, path


def test_a_form_with_its_token_is_taken(console: Console) -> None:
    """The one on the page is right; another session's is not."""
    console.app.config["WTF_CSRF_ENABLED"] = True
    browser, other = console.client(Role.OFFICER), console.client(Role.AUDITOR)
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/").text)
    assert token is not None
    other.get("/")

    assert other.post("/signout", data={"csrf_token": token[1]}).status_code == 400
    assert browser.post("/signout", data={"csrf_token": token[1]}).status_code == 303


@pytest.mark.parametrize("who", [None, *PEOPLE])
def test_nothing_leads_out_of_the_console(console: Console, who: Role | None) -> None:
    """No link, form, picture or redirect of any page; the sign-in itself is tested apart."""
    browser = console.client(who)
    for method, path in paths_of(console.app):
        if method != "GET" or path.startswith(("/static/", "/api/", "/signin/")):
            continue
        answer = browser.get(path)
        places = WHERE.findall(answer.text) if answer.mimetype == "text/html" else []
        for place in (*places, answer.headers.get("Location", "")):
            parts = urlsplit(place)
            assert not parts.scheme, (path, place)
            assert not parts.netloc, (path, place)
        assert "<script" not in answer.text
        # A picture styles its own shapes; its own policy allows nothing else.
        assert " style=" not in answer.text or answer.mimetype == "image/svg+xml"
        assert not re.search(r"\son\w+=", answer.text)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "a b"])
def test_only_its_own_name_is_answered(console: Console, host: str) -> None:
    """What is asked for under another name comes from an attack or a mistake."""
    browser = console.client(Role.OFFICER)

    assert browser.get("/", headers={"Host": host}).status_code == 400
    assert browser.get("/", headers={"Host": "127.0.0.1:8000"}).status_code == 200


def test_what_is_too_large_is_refused(console: Console) -> None:
    """Forms are small; a view that takes files says how large they may be."""
    app = create_app(console.services)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    app.add_url_rule(
        "/take", "take", public(takes_up_to(3 * LARGEST_FORM)(_size)), methods=["POST"]
    )
    browser = app.test_client()

    def sent(path: str, size: int) -> int:
        return browser.post(path, data={"file": (io.BytesIO(b"x" * size), "f")}).status_code

    assert sent("/language", LARGEST_FORM) == 413
    assert sent("/take", 2 * LARGEST_FORM) == 200
    assert sent("/take", 3 * LARGEST_FORM) == 413


def _size() -> str:
    from flask import request

    return str(len(request.files["file"].read()))


def test_how_often_one_may_ask(console: Console) -> None:
    """Each person for themselves, wherever they ask from; whoever asks too often has to wait."""
    browser = _limited(console, Limits(by_person=3)).test_client()
    other = browser.application.test_client()
    _sign_in(browser, PEOPLE[Role.OFFICER])
    _sign_in(other, SECOND_OFFICER)

    assert [browser.get("/").status_code for _ in range(4)] == [200, 200, 200, 429]
    late = browser.get("/", environ_base={"REMOTE_ADDR": "10.0.0.9"})
    assert late.status_code == 429
    assert int(late.headers["Retry-After"]) <= 60
    assert other.get("/").status_code == 200


def test_how_often_one_may_sign_in(console: Console) -> None:
    """By IP address, and less often than read pages."""
    browser = _limited(console, Limits(by_ip=9, sign_ins_by_ip=2)).test_client()

    assert [browser.get("/signin/go").status_code for _ in range(3)] == [503, 503, 429]
    assert [browser.get("/signin").status_code for _ in range(7)] == [200] * 6 + [429]
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    assert browser.get("/signin", environ_base=elsewhere).status_code == 200


@pytest.mark.parametrize(
    ("nearest", "said", "counted"),
    [
        ("10.1.0.5", "203.0.113.7", "203.0.113.7"),
        ("10.1.0.5", "198.51.100.1, 203.0.113.7, 10.1.0.6", "203.0.113.7"),
        ("10.1.0.5", "nonsense", "10.1.0.5"),
        ("10.1.0.5", "203.0.113.7, nonsense, 10.1.0.6", "10.1.0.6"),
        ("203.0.113.9", "203.0.113.7", "203.0.113.9"),
        ("", "203.0.113.7", None),
    ],
)
def test_only_trusted_proxies_are_believed(
    console: Console, nearest: str, said: str, counted: str | None
) -> None:
    """Nobody gets another address by writing it into a header."""
    network = ipaddress.ip_network("10.1.0.0/16")
    config = replace(console.services.config, trusted_proxies=(network,))
    app = create_app(replace(console.services, config=config))
    app.config.update(TESTING=True)
    app.add_url_rule("/ip", "ip", public(_ip))

    answer = app.test_client().get(
        "/ip", environ_base={"REMOTE_ADDR": nearest}, headers={"X-Forwarded-For": said}
    )

    assert answer.text == str(counted or "")


def _ip() -> str:
    from flask import request

    return str(request.remote_addr or "")


def test_methods_that_a_page_does_not_know(console: Console) -> None:
    """The answer says which it knows."""
    answer = console.client(Role.OFFICER).delete("/signout")

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


def test_a_defect_shows_and_logs_nothing_of_what_was_asked(console: Console) -> None:
    """The page is the same for all; the log has type and place."""
    app = create_app(console.services)
    app.add_url_rule("/broken", "broken", public(_broken))
    app.add_url_rule("/busy", "busy", public(_busy))
    lines = io.StringIO()
    configure_logging(as_json=True, stream=lines)
    browser = app.test_client()

    answer = browser.get("/broken?name=Kim")
    assert answer.status_code == 500
    assert "Kim" not in answer.text
    assert "Something went wrong" in answer.text
    assert browser.get("/busy").status_code == 503
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [line["event"] for line in logged] == ["request_failed", "request_failed"]
    assert "_broken" in logged[0]["error_at"]
    assert "Kim" not in lines.getvalue()


def _broken() -> str:
    raise RuntimeError("Kim Lee")


def _busy() -> str:
    raise Temporary("another process keeps the database locked")


def test_what_cannot_be_noted_is_not_shown(console: Console) -> None:
    """A page of which the log cannot tell is not answered."""
    app = create_app(console.services)
    app.add_url_rule("/noted", "noted", public(_noted))
    browser = app.test_client()
    assert browser.get("/noted").status_code == 200
    with console.store.reading() as tx:
        lines = [line.entry for line in tx.access_log.list()]
    assert [(e.action, e.subject, e.who) for e in lines] == [
        (AccessAction.EXPORTED, "cases", ""),
        (AccessAction.READ, "C-1", ""),
    ]
    deps = replace(console.deps, store=_Unwritable(console.store))
    app.extensions["meetbot"] = replace(console.services, deps=deps)

    assert browser.get("/noted").status_code == 503


def _noted() -> str:
    note_read("C-1")
    note_export("cases")
    return "seen"


def test_a_database_that_is_away_signs_nobody_out(console: Console) -> None:
    """The page says so; the session goes on when it is back."""
    app = create_app(console.services, secret=b"s" * 32)
    app.config.update(TESTING=True)
    browser = app.test_client()
    _sign_in(browser, PEOPLE[Role.OFFICER])
    sessions = app.session_interface
    away = replace(console.deps, store=_Unreadable(console.store))
    other = create_app(replace(console.services, deps=away), secret=b"s" * 32)
    app.session_interface = other.session_interface
    answer = browser.get("/")
    assert answer.status_code == 503
    assert "Set-Cookie" not in answer.headers
    app.session_interface = sessions

    assert browser.get("/").status_code == 200


def test_that_somebody_was_here_is_worth_no_error(console: Console) -> None:
    """A page that only reads is shown while the database is written to by others."""
    app = create_app(console.services, secret=b"s" * 32)
    app.config.update(TESTING=True)
    browser = app.test_client()
    _sign_in(browser, PEOPLE[Role.OFFICER])
    browser.get("/")
    busy = replace(console.deps, store=_Unwritable(console.store))
    other = create_app(replace(console.services, deps=busy), secret=b"s" * 32)
    app.session_interface = other.session_interface
    console.now += timedelta(minutes=5)

    assert browser.get("/").status_code == 200


class _Unreadable:
    """A store that is away."""

    def __init__(self, store: SqlStore) -> None:
        self.transaction = store.transaction
        self.alone = store.alone

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        raise Temporary("away")
        yield


class _Unwritable:
    """A store that cannot be written to."""

    def __init__(self, store: SqlStore) -> None:
        self.reading = store.reading
        self.alone = store.alone

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        raise Temporary("locked")
        yield


def _limited(console: Console, limits: Limits) -> Flask:
    app = create_app(console.services, limits=limits)
    app.config.update(TESTING=True)
    return app


def _sign_in(browser: FlaskClient, address: str) -> None:
    with browser.session_transaction() as session:
        session["address"] = address
