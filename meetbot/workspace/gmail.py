"""Gmail v1 → mail sent as the bot's mailbox.

`users.messages.send` is not idempotent: after a broken connection the mail may have gone. It is
therefore tried once, and the outbox tries again with the same Message-ID.
Source: https://developers.google.com/workspace/gmail/api/guides/sending
"""

from __future__ import annotations

import base64

from meetbot.domain.notices import Mail
from meetbot.errors import BadAnswer, Permanent, Temporary
from meetbot.workspace.api import GMAIL, Api
from meetbot.workspace.client import GoogleClient
from meetbot.workspace.refusals import status_of

_MESSAGE_REFUSED = frozenset({400, 413, 422})


class GmailMailer:
    """`ports.MailerPort`."""

    def __init__(self, client: GoogleClient, sender: str) -> None:
        self._client = client
        self._sender = sender
        self._messages = client.service(Api.GMAIL).users().messages()

    def send(self, mail: Mail) -> None:
        """Hand a mail over.

        Raises `Permanent` only when this mail itself was refused. What an administrator can mend
        (a scope, a switched-off API, the sender's account) is `Temporary`, so that no notice is
        lost over it.
        """
        body = {"raw": base64.urlsafe_b64encode(mail.raw).decode("ascii")}
        try:
            self._client.send(GMAIL, self._sender, self._messages.send, userId="me", body=body)
        except BadAnswer as error:
            if status_of(error) != 200:
                raise
        except Permanent as error:
            if status_of(error) in _MESSAGE_REFUSED:
                raise
            raise Temporary(str(error), fix=error.fix) from error

    def check(self) -> None:
        """Ask for a token: with `gmail.send` alone nothing can be read."""
        self._client.check_token(GMAIL, self._sender)
