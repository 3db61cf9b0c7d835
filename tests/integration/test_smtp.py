"""Mails leave through real SMTP servers: in the clear, with TLS, with AUTH, and with refusals."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from meetbot.domain.notices import Mail
from meetbot.errors import AccessDenied, PartlyDone, Permanent, Temporary
from meetbot.notify.compose import Composer
from meetbot.notify.smtp import SmtpMailer
from tests import notices

SENDER = "meetbot@district.example"
ONE, TWO, THREE = (f"officer{n}@district.example" for n in (1, 2, 3))
COMPOSE = Composer(SENDER, "Example Public Schools", (ONE,), {})


class Inbox:
    """What the server was given, and what it answers: by recipient, and to the data."""

    def __init__(self) -> None:
        self.received: list[tuple[str, tuple[str, ...], bytes]] = []
        self.hello: list[str] = []
        self.answers: dict[str, str] = {}
        self.data_answer = "250 OK"
        self.sender_answer = "250 OK"
        self.drop_in_data = False

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.hello.append(hostname)
        return responses

    async def handle_MAIL(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if self.sender_answer.startswith("250"):
            envelope.mail_from = address
        return self.sender_answer

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802
        self, server: Any, _session: Any, envelope: Any
    ) -> str:
        if self.drop_in_data:
            server.transport.abort()
        elif self.data_answer.startswith("250"):
            self.received.append((envelope.mail_from, tuple(envelope.rcpt_tos), envelope.content))
        return self.data_answer


def authenticate(
    server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any
) -> AuthResult:
    good = isinstance(data, LoginPassword) and data.password == b"right"
    return AuthResult(success=good, handled=False)


@contextmanager
def served(inbox: Inbox, **options: Any) -> Iterator[int]:
    """A server on a free loopback port; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-made certificate of 127.0.0.1, with its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def a_mail(*to: str) -> Mail:
    notice = notices.a_notice(
        notices.a_flag_notice().kind, notices.a_flag_notice().content, to=to or (ONE,)
    )
    return COMPOSE(notice, references=(), sent_at=notices.END)


def a_mailer(port: int, **options: Any) -> SmtpMailer:
    defaults: dict[str, Any] = {"security": "none", "sender": SENDER, "timeout": 10.0}
    return SmtpMailer("127.0.0.1", port, **(defaults | options))


def lines(raw: bytes) -> list[bytes]:
    return raw.replace(b"\r\n", b"\n").strip().split(b"\n")


def test_a_mail_arrives_as_it_was_made(inbox: Inbox) -> None:
    """Every byte of the rendered mail reaches all recipients, from the sender's address."""
    mail = a_mail(ONE, TWO)
    with served(inbox) as port:
        a_mailer(port).send(mail)

    [(sender, to, content)] = inbox.received
    assert (sender, to) == (SENDER, (ONE, TWO))
    assert lines(content) == lines(mail.raw)
    assert inbox.hello == ["district.example"]


def test_starttls_with_a_login(inbox: Inbox, certificate: Path, server_tls: ssl.SSLContext) -> None:
    """The password goes only after STARTTLS, and the mail arrives."""
    options = {
        "tls_context": server_tls,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": authenticate,
    }
    with served(inbox, **options) as port:
        a_mailer(
            port, security="starttls", user="bot", password="right", cafile=str(certificate)
        ).send(a_mail())

    assert len(inbox.received) == 1


def test_tls_from_the_first_byte(
    inbox: Inbox, certificate: Path, server_tls: ssl.SSLContext
) -> None:
    """`smtps://` speaks TLS at once."""
    with served_tls(inbox, server_tls) as port:
        a_mailer(port, security="tls", cafile=str(certificate)).send(a_mail())

    assert len(inbox.received) == 1


@contextmanager
def served_tls(inbox: Inbox, context: ssl.SSLContext) -> Iterator[int]:
    with served(inbox, ssl_context=context) as port:
        yield port


def test_wrong_password_is_refused_access(
    inbox: Inbox, certificate: Path, server_tls: ssl.SSLContext
) -> None:
    """A refused login names the two settings to check, and neither user nor password."""
    options = {"tls_context": server_tls, "auth_required": True, "authenticator": authenticate}
    with served(inbox, **options) as port:
        mailer = a_mailer(
            port, security="starttls", user="bot", password="wrong", cafile=str(certificate)
        )
        with pytest.raises(AccessDenied) as caught:
            mailer.send(a_mail())

    assert "MEETBOT_MAIL__PASSWORD" in caught.value.fix
    assert "wrong" not in str(caught.value)
    assert not inbox.received


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_unknown_certificate_is_not_trusted(
    inbox: Inbox, server_tls: ssl.SSLContext, security: str
) -> None:
    """Without the certificate among the trusted ones nothing is sent; it may be tried later."""
    serve: Callable[[], Any] = (
        (lambda: served_tls(inbox, server_tls))
        if security == "tls"
        else (lambda: served(inbox, tls_context=server_tls))
    )
    with serve() as port, pytest.raises(Temporary, match="TLS") as caught:
        a_mailer(port, security=security).send(a_mail())

    assert "certificate" in caught.value.fix
    assert not inbox.received


def test_missing_starttls_sends_nothing(inbox: Inbox) -> None:
    """A server, or somebody in the middle, that hides STARTTLS gets neither mail nor password."""
    with served(inbox) as port, pytest.raises(Temporary, match="STARTTLS"):
        a_mailer(port, security="starttls", user="bot", password="right").send(a_mail())

    assert not inbox.received


@pytest.mark.parametrize("host", ["mail.district.example", "10.0.0.1", "2001:db8::1"])
def test_no_password_in_the_clear(host: str) -> None:
    """A password for a plain connection beyond this machine is refused before anything is sent."""
    with pytest.raises(Permanent, match="in the clear"):
        SmtpMailer(host, 25, security="none", sender=SENDER, user="bot", password="right")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_password_on_this_machine_is_fine(host: str) -> None:
    """Loopback needs no TLS."""
    SmtpMailer(host, 25, security="none", sender=SENDER, user="bot", password="right")


@pytest.mark.parametrize(
    ("answer", "kind"), [("451 4.3.0 later", Temporary), ("554 5.7.1 never", Permanent)]
)
def test_refused_data(inbox: Inbox, answer: str, kind: type[Exception]) -> None:
    """4xx after the data may be tried again, 5xx never; the server's words are not repeated."""
    inbox.data_answer = answer
    with served(inbox) as port, pytest.raises(kind) as caught:
        a_mailer(port).send(a_mail())

    assert type(caught.value) is kind
    assert answer[:3] in str(caught.value)
    assert answer[10:] not in str(caught.value)


def test_dropped_connection_is_temporary(inbox: Inbox) -> None:
    """A connection that breaks in DATA may be tried again."""
    inbox.drop_in_data = True
    with served(inbox) as port, pytest.raises(Temporary):
        a_mailer(port).send(a_mail())


def test_no_server_is_temporary() -> None:
    """A port where nobody listens may be tried again, and the fix says what to check."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Temporary) as caught:
            a_mailer(taken.getsockname()[1]).send(a_mail())
    assert "mail.url" in caught.value.fix


def test_silent_server_times_out() -> None:
    """A server that accepts and says nothing is given up after the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Temporary):
        a_mailer(silent.getsockname()[1], timeout=0.2).send(a_mail())


def test_one_refused_recipient_does_not_stop_the_others(
    inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever is accepted gets the mail, it counts as sent, and the log tells how many did not."""
    inbox.answers[TWO] = "550 5.1.1 no such user"
    with served(inbox) as port:
        a_mailer(port).send(a_mail(ONE, TWO, THREE))

    messages = [record.getMessage() for record in caplog.records if record.name == "meetbot.smtp"]
    assert messages == ["1 of 3 recipients refused for good"]
    assert [to for _, to, _ in inbox.received] == [(ONE, THREE)]


def test_all_recipients_refused_is_permanent(inbox: Inbox) -> None:
    """When nobody is accepted the error tells how many, with codes and without addresses."""
    inbox.answers = {ONE: "550 no", TWO: "553 no"}
    with served(inbox) as port, pytest.raises(Permanent) as caught:
        a_mailer(port).send(a_mail(ONE, TWO))

    assert "all 2 recipients (550, 553)" in str(caught.value)
    assert "officer" not in str(caught.value)


def test_recipient_put_off_is_the_only_one_to_get_it_again(inbox: Inbox) -> None:
    """451 for one of three: who is left is told, and the next mail to them alone is the same."""
    inbox.answers[TWO] = "451 4.7.1 greylisted"
    notice = replace(notices.a_flag_notice(), to=(ONE, TWO, THREE))
    with served(inbox) as port:
        mailer = a_mailer(port)
        with pytest.raises(PartlyDone, match="1 of 3") as caught:
            mailer.send(COMPOSE(notice, references=(), sent_at=notices.END))
        inbox.answers.clear()
        left = replace(notice, left=caught.value.left)
        mailer.send(COMPOSE(left, references=(), sent_at=notices.END))

    assert [to for _, to, _ in inbox.received] == [(ONE, THREE), (TWO,)]
    assert len({content for _, _, content in inbox.received}) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("530 5.7.0 authentication required", AccessDenied),
        ("550 5.7.1 not a sender here", AccessDenied),
        ("552 5.3.4 too large", Permanent),
        ("451 4.7.1 later", Temporary),
    ],
)
def test_refused_sender(inbox: Inbox, answer: str, kind: type[Exception]) -> None:
    """What somebody must mend for all mails loses none; only a mail's own size is its own fault."""
    inbox.sender_answer = answer
    with served(inbox) as port, pytest.raises(kind) as caught:
        a_mailer(port).send(a_mail())

    assert type(caught.value) is kind
    assert answer[:3] in str(caught.value)


def test_a_server_that_greets_with_a_refusal_loses_no_mail() -> None:
    """554 instead of a greeting is about this machine, not about the mail: try again."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"554 no service here\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(Temporary, match="554"):
            a_mailer(server.getsockname()[1]).send(a_mail())
        thread.join()


def test_server_that_closes_among_the_recipients_sent_nothing(inbox: Inbox) -> None:
    """After a 421 nobody counts as accepted: all of them get the mail next time."""
    inbox.answers[TWO] = "421 4.3.2 shutting down"
    mail = a_mail(ONE, TWO, THREE)
    with served(inbox) as port:
        mailer = a_mailer(port)
        with pytest.raises(Temporary):
            mailer.send(mail)
        assert not inbox.received
        inbox.answers.clear()
        mailer.send(mail)

    assert [to for _, to, _ in inbox.received] == [(ONE, TWO, THREE)]


def test_one_mailer_serves_several_threads(inbox: Inbox) -> None:
    """Mails sent at the same time arrive once each."""
    mails = [
        COMPOSE(
            notices.a_notice(
                notices.a_flag_notice().kind, notices.a_flag_notice().content, notice_id=f"n{n}"
            ),
            references=(),
            sent_at=notices.END,
        )
        for n in range(6)
    ]
    with served(inbox) as port:
        mailer = a_mailer(port)
        threads = [threading.Thread(target=mailer.send, args=(mail,)) for mail in mails]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len({content for _, _, content in inbox.received}) == 6
