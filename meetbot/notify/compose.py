"""Renders a notice as a mail: complete text, accessible HTML, and the timeline as a picture.

Pure: the same notice, references and time give the same bytes. Everything foreign is cleaned
before a template sees it, and headers hold nothing but settings, dates and digests.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from meetbot.domain.notices import Audience, Mail, MeetingNotice, Notice, ReminderNotice, Timeline
from meetbot.errors import Permanent
from meetbot.notify import text
from meetbot.notify.links import Links
from meetbot.notify.views import view_of

MAX_BYTES = 200_000
"""Of a whole mail."""
_LIMITS = (300, 120, 48)
"""Characters of one foreign text; the next is taken when a mail is too large with the first."""
_MAX_REFERENCES = 20
_MESSAGE_ID = re.compile(r"<[!-;=?A-Z\[-~]+@[!-;=?A-Z\[-~]+>")
_RECIPIENT = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_PART_POLICY = SMTP.clone(cte_type="7bit")
# One line each: Python 3.11 encodes a Message-ID as a word when it is longer than the line.
_WIRE_POLICY = SMTP.clone(cte_type="7bit", max_line_length=998)
_CONFIDENTIAL = "confidential"


class Composer:
    """`ports.ComposePort`: makes mails of notices. Safe to share between threads."""

    def __init__(
        self,
        sender: str,
        district_name: str,
        officers: tuple[str, ...],
        contacts: Mapping[str, str],
        console: str = "",
    ) -> None:
        """`officers` get answers; `contacts` name an address by program type (`other` for any).

        `console` is the root of the console's pages; mails hold no link where it is empty.
        """
        self._sender = sender
        self._domain = sender.rpartition("@")[2]
        self._district = text.clean(district_name, 200)
        self._officers = officers
        self._any_contact = contacts.get("other") or officers[0]
        self._links = Links(console)
        self._templates = _environment()
        self._inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

    def __call__(self, notice: Notice, *, references: tuple[str, ...], sent_at: datetime) -> Mail:
        """Render a notice; `references` are the thread's earlier Message-IDs, oldest first.

        Raises `Permanent` when a recipient is not an address that a header can hold.
        """
        if not notice.to or not all(_RECIPIENT.fullmatch(to) for to in notice.to):
            raise Permanent(
                "a notice has a recipient that is not a mail address",
                fix="correct the address in the settings, the registry or the Directory",
            )
        message_id = f"<{_digest(notice.id)}@{self._domain}>"
        raw = b""
        for limit in _LIMITS:
            message = self._message(notice, limit, sent_at)
            self._head(message, notice, message_id, references, sent_at)
            _set_boundaries(message, notice.id)
            raw = message.as_bytes(policy=_WIRE_POLICY)
            if len(raw) <= MAX_BYTES:
                break
        return Mail(notice.id, message_id, notice.left or notice.to, raw)

    def _message(self, notice: Notice, limit: int, sent_at: datetime) -> EmailMessage:
        """Subject and body parts."""
        content = text.cleaned(notice.content, limit)
        card = content.card if isinstance(content, MeetingNotice | ReminderNotice) else None
        folder = _CONFIDENTIAL if card and card.is_confidential else notice.kind.value
        timeline = content.timeline if isinstance(content, MeetingNotice) else None
        if folder == _CONFIDENTIAL:
            timeline = None
        cid = f"timeline.{_digest(notice.id)}@{self._domain}"
        view = view_of(
            notice.kind,
            notice.audience,
            content,
            sent_at=sent_at,
            any_contact=self._any_contact,
            links=self._links,
        )
        shared = {
            "view": view,
            "district": self._district,
            "officers": self._officers,
            "cid": cid if timeline else "",
        }
        subject = self._render(folder, "subject.txt", shared).strip()
        plain = self._render(folder, "body.txt", shared)
        page = self._render(folder, "body.html", shared | {"subject": subject})
        message = EmailMessage(policy=_PART_POLICY)
        message["Subject"] = subject
        _fill(message, plain, self._inliner.inline(page), timeline, view.zone, cid)
        return message

    def _render(self, folder: str, name: str, values: Mapping[str, object]) -> str:
        return self._templates.get_template(f"{folder}/{name}").render(values).strip() + "\n"

    def _head(
        self,
        message: EmailMessage,
        notice: Notice,
        message_id: str,
        references: tuple[str, ...],
        sent_at: datetime,
    ) -> None:
        name = f"meetbot, {self._district}"
        message["From"] = Address(display_name=name, addr_spec=self._sender)
        message["To"] = tuple(Address(addr_spec=to) for to in notice.to)
        if notice.audience in (Audience.HOST, Audience.PRINCIPAL):
            message["Reply-To"] = tuple(Address(addr_spec=to) for to in self._officers)
        message["Date"] = format_datetime(sent_at)
        message["Message-ID"] = message_id
        known = [ref for ref in references if _MESSAGE_ID.fullmatch(ref) and ref != message_id]
        if known:
            # RFC 5322, 3.6.4: the first names the thread, the last ones place the mail in it.
            kept = list(dict.fromkeys([known[0], *known[1 - _MAX_REFERENCES :]]))
            message["In-Reply-To"] = known[-1]
            message["References"] = " ".join(kept)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: keeps out-of-office replies away
        message["List-Id"] = f"meetbot <meetbot.{self._domain}>"


def _environment() -> Environment:
    """Templates of all kinds; an unknown name in one is an error, not an empty place."""
    environment = Environment(
        loader=PackageLoader("meetbot.notify"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"minutes": text.minutes, "iso_day": text.iso_day}
    return environment


def _digest(notice_id: str) -> str:
    return hashlib.sha256(notice_id.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _fill(
    message: EmailMessage, plain: str, page: str, timeline: Timeline | None, zone: str, cid: str
) -> None:
    """multipart/alternative: text, and HTML (with its picture: multipart/related)."""
    message.set_content(plain, cte=_encoding(plain))
    message.add_alternative(page, subtype="html", cte=_encoding(page))
    if timeline is None:
        return
    # matplotlib takes 45 MiB and a second, and most passes draw nothing.
    from meetbot.notify.picture import timeline_png

    html = message.get_payload(1)
    assert isinstance(html, MIMEPart)
    html.add_related(
        timeline_png(timeline, zone),
        "image",
        "png",
        cid=f"<{cid}>",
        disposition="inline",
        filename="timeline.png",
    )
    html.set_param("type", "text/html")  # RFC 2387, 3.1: the root's type is required


def _encoding(body: str) -> str:
    """Readable where it is mostly ASCII, short where it is not; neither can hold a boundary."""
    size = len(body.encode())
    return "quoted-printable" if size < 1.2 * len(body) else "base64"


def _set_boundaries(message: EmailMessage, notice_id: str) -> None:
    """Fixed ones: random ones would make each rendering another mail."""
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{_digest(notice_id)}_{number}")
