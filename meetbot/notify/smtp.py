"""Hands mails to an SMTP server. Never tries twice: the outbox does that."""

from __future__ import annotations

import ipaddress
import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from meetbot.domain.notices import Mail
from meetbot.errors import AccessDenied, MeetbotError, PartlyDone, Permanent, Temporary

Security = Literal["none", "starttls", "tls"]

_log = logging.getLogger("meetbot.smtp")


class SmtpMailer:
    """`ports.MailerPort` over SMTP: one connection per mail, so that none is found dead.

    TLS is 1.2 or newer and verified, with the system's trust or that of `cafile` (a PEM file).
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        security: Security,
        sender: str,
        user: str | None = None,
        password: str | None = None,
        cafile: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        """`sender` is the envelope's; `timeout` in seconds, for connecting and each answer.

        Raises `Permanent` when a password would travel in the clear beyond this machine.
        """
        if password is not None and security == "none" and not _is_loopback(host):
            raise Permanent(
                "the mail server's password would be sent in the clear",
                fix="begin mail.url with smtp+starttls:// or smtps://",
            )
        self._host, self._port, self._security = host, port, security
        self._sender, self._user, self._password = sender, user, password
        self._timeout = timeout
        self._tls = ssl.create_default_context(cafile=cafile)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def send(self, mail: Mail) -> None:
        """Hand a mail over.

        Returns when at least one recipient was accepted and the others were refused for good
        (their number is logged). Raises `Temporary` when trying again may help, `PartlyDone` when
        only some recipients need it. Raises `AccessDenied` when the login or the sender is
        refused, `Permanent` when the mail or all its recipients are.
        """
        with _foreign_errors():
            refused = self._hand_over(mail, list(mail.to))
        later = tuple(to for to, (code, _) in refused.items() if _is_temporary(code))
        if later:
            raise PartlyDone(
                f"the mail server put off {len(later)} of {len(mail.to)} recipients",
                left=later,
                fix="nothing to do: the mail is sent to them again",
            )
        if len(refused) == len(mail.to):
            codes = ", ".join(sorted({str(code) for code, _ in refused.values()}))
            raise Permanent(
                f"the mail server refused all {len(mail.to)} recipients ({codes})",
                fix="check the addresses in the settings, the registry and the Directory",
            )
        if refused:
            _log.warning("%d of %d recipients refused for good", len(refused), len(mail.to))

    def check(self) -> None:
        """Connect, encrypt and log in as for a mail, and send none. Raises like `send`."""
        with _foreign_errors():
            smtp = self._connect()
            try:
                self._log_in(smtp)
                smtp.noop()
                with suppress(OSError):
                    smtp.quit()
            finally:
                smtp.close()

    def _hand_over(self, mail: Mail, recipients: list[str]) -> dict[str, tuple[int, bytes]]:
        """Send in one connection; gives refused recipients with code and text."""
        smtp = self._connect()
        try:
            self._log_in(smtp)
            try:
                refused = smtp.sendmail(self._sender, recipients, mail.raw)
            except smtplib.SMTPRecipientsRefused as error:
                # No data was sent: whom it does not name (after a 421) was not asked or is undone.
                refused = {to: error.recipients.get(to, (421, b"")) for to in recipients}
            with suppress(OSError):  # the mail is accepted: how the goodbye goes must not matter
                smtp.quit()
            return refused
        finally:
            smtp.close()

    def _connect(self) -> smtplib.SMTP:
        # Google's relay wants our own domain in EHLO; it saves looking up this machine's name too.
        name = self._sender.rpartition("@")[2]
        if self._security == "tls":
            return smtplib.SMTP_SSL(
                self._host,
                self._port,
                local_hostname=name,
                timeout=self._timeout,
                context=self._tls,
            )
        smtp = smtplib.SMTP(self._host, self._port, local_hostname=name, timeout=self._timeout)
        if self._security == "starttls":
            try:
                smtp.starttls(context=self._tls)
            except BaseException:
                smtp.close()
                raise
        return smtp

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        if self._user is not None and self._password is not None:
            smtp.login(self._user, self._password)


@contextmanager
def _foreign_errors() -> Iterator[None]:
    """Turn what smtplib and ssl raise into our errors.

    Answers are named by code only: their text may repeat addresses.
    """
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise _login_failure(error.smtp_code) from error
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError) as error:
        raise Temporary(
            f"the mail server wants nothing from this machine ({error.smtp_code})",
            fix="check host and port in mail.url, and that the server lets this machine send",
        ) from error
    except smtplib.SMTPSenderRefused as error:
        raise _sender_failure(error.smtp_code) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code) from error
    except smtplib.SMTPNotSupportedError as error:
        # Someone in the middle can hide STARTTLS for a while: the mail is kept for later.
        raise Temporary(
            "the mail server offers no STARTTLS, or no way to log in",
            fix="check the port and the beginning of mail.url (587 with smtp+starttls://)",
        ) from error
    except ssl.SSLError as error:
        raise Temporary(
            "no trusted TLS connection to the mail server",
            fix="check the server's certificate and name, and that the port speaks TLS",
        ) from error
    except smtplib.SMTPServerDisconnected as error:
        raise Temporary("the mail server broke off the connection") from error
    except smtplib.SMTPException as error:
        raise Temporary(f"the mail could not be handed over ({type(error).__name__})") from error
    except OSError as error:
        raise Temporary(
            f"the mail server cannot be reached ({type(error).__name__})",
            fix="check host and port in mail.url, and that the server runs",
        ) from error


def _login_failure(code: int) -> MeetbotError:
    if _is_temporary(code):
        return Temporary(f"the mail server cannot check the login now ({code})")
    return AccessDenied(
        f"the mail server refused the login ({code})",
        fix="check the user in mail.url and the password in MEETBOT_MAIL__PASSWORD",
    )


def _sender_failure(code: int) -> MeetbotError:
    """Only 552 (RFC 1870: too large) is about this mail; the rest somebody must mend for all."""
    if _is_temporary(code) or code == 552:
        return _refusal(code)
    return AccessDenied(
        f"the mail server takes no mail from mail.sender ({code})",
        fix="let it send there, or log in: a user in mail.url and MEETBOT_MAIL__PASSWORD",
    )


def _refusal(code: int) -> MeetbotError:
    if 500 <= code < 600:
        return Permanent(
            f"the mail server refused the mail ({code})",
            fix="check that it accepts mail from mail.sender, and its limits",
        )
    return Temporary(f"the mail server put the mail off ({code})")


def _is_temporary(code: int) -> bool:
    return 400 <= code < 500


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
