"""Gmail v1: `users.messages.send`. Sent mail lies in `World.mails`."""

import base64
import binascii
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from meetbot.sandbox.call import Call
from meetbot.sandbox.discovery import Json
from meetbot.sandbox.replies import ApiError


def send(call: Call) -> Json:
    """Accepts an RFC 5322 message in `raw`; the sender is the subject, as at Gmail."""
    if call.subject is None or call.path["userId"].lower() not in ("me", call.subject.email):
        raise ApiError(403, "Delegation denied", "forbidden")
    raw = _raw(call.body)
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    if not any(message.get(name) for name in ("To", "Cc", "Bcc")):
        raise ApiError(400, "Recipient address required", "invalidArgument")
    thread = str(call.body.get("threadId", ""))
    if thread and all(mail.thread_id != thread for mail in call.world.mails):
        raise ApiError(404, "Requested entity was not found.", "notFound")
    mail = call.world.deliver(call.subject.email, raw, thread)
    return {"id": mail.message_id, "threadId": mail.thread_id, "labelIds": ["SENT"]}


def _raw(body: Json) -> bytes:
    text = str(body.get("raw") or "").rstrip("=")
    padded = text + "=" * (-len(text) % 4)
    try:
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except binascii.Error:
        raise ApiError(400, "Invalid value for ByteString", "invalidArgument") from None
    if not raw:
        raise ApiError(400, "'raw' RFC822 payload message string required", "invalidArgument")
    return raw


HANDLERS = {"gmail.users.messages.send": send}
