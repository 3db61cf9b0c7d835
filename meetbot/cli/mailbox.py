"""The demo's SMTP server: a real one on loopback that keeps every mail as a file."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from meetbot.notify import page_of

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Delivered:
    """A mail that arrived, and the files it was written to."""

    subject: str
    first_line: str
    to: tuple[str, ...]
    eml: Path
    html: Path
    picture: Path | None


def _free_port() -> int:
    # aiosmtpd connects to its own port to begin, so it must know the number beforehand.
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


class Mailbox:
    """Receives on 127.0.0.1 and writes `NN-….eml`, `.html` and the picture, if there is one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()
        self._mails: list[Delivered] = []
        self.port = _free_port()
        self._controller = Controller(self, hostname=_LOOPBACK, port=self.port)

    def start(self) -> None:
        """Begin to receive."""
        self._controller.start()

    def stop(self) -> None:
        """Stop receiving."""
        self._controller.stop()

    @property
    def mails(self) -> list[Delivered]:
        """What arrived so far, in order."""
        with self._lock:
            return list(self._mails)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Write one mail; aiosmtpd calls this on its own thread."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        with self._lock:
            self._mails.append(self._write(len(self._mails) + 1, raw, tuple(envelope.rcpt_tos)))
        return "250 kept"

    def _write(self, number: int, raw: bytes, to: tuple[str, ...]) -> Delivered:
        message = message_from_bytes(raw, policy=policy.default)
        stem = self._folder / f"{number:03}-to-{to[0].partition('@')[0] if to else 'nobody'}"
        eml, html = stem.with_suffix(".eml"), stem.with_suffix(".html")
        eml.write_bytes(raw)
        html.write_text(page_of(raw), encoding="utf-8")
        picture = None
        for part in message.walk():
            if part.get_content_type() == "image/png":
                picture = stem.with_suffix(".png")
                picture.write_bytes(part.get_payload(decode=True) or b"")  # type: ignore[arg-type] # bytes of a leaf part
        body = message.get_body(("plain",))
        lines = str(body.get_content()).splitlines() if body else []
        first_line = next((line for line in lines if line.strip()), "")
        return Delivered(str(message["Subject"]), first_line, to, eml, html, picture)
