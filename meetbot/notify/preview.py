"""A mail as a page to open in a browser, for the demo and for tests."""

from __future__ import annotations

import base64
from email import message_from_bytes, policy
from email.message import EmailMessage


def page_of(raw: bytes) -> str:
    """The HTML part of a rendered mail with its pictures inside, complete in one file."""
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("html",))
    page = str(body.get_content()) if body is not None else ""
    for part in message.walk():
        if part.get_content_maintype() == "image":
            assert isinstance(part, EmailMessage)
            cid = str(part["Content-ID"]).strip("<>")
            picture = base64.b64encode(part.get_content()).decode("ascii")
            page = page.replace(f"cid:{cid}", f"data:{part.get_content_type()};base64,{picture}")
    return page
