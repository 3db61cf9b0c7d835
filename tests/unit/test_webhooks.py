"""What is posted to other programs, and where it is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from meetbot.domain.flags import ChangeKind, FlagStatus
from meetbot.domain.webhooks import (
    Endpoint,
    FlagEvent,
    HookEvent,
    body_of,
    delivery_id,
    retry_after,
)
from meetbot.errors import Permanent, Temporary
from meetbot.notify.webhook import WebhookSender
from tests.builders import T0, a_stored_flag
from tests.receiver import SECRET, Receiver, a_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that listens."""
    with a_receiver() as told:
        yield told


@pytest.fixture
def sender() -> Iterator[WebhookSender]:
    """What posts."""
    made = WebhookSender()
    yield made
    made.close()


def _endpoint(receiver: Receiver, **values: object) -> Endpoint:
    return replace(Endpoint("case-system", receiver.url, SECRET, is_internal=True), **values)  # type: ignore[arg-type]


def test_a_receiver_can_verify_what_was_posted(receiver: Receiver, sender: WebhookSender) -> None:
    """The signature, id and time are those of the Standard Webhooks specification."""
    sender.post(_endpoint(receiver), "msg_1", '{"type":"flag.opened"}', at=datetime.now(UTC))

    ((headers, body),) = receiver.got
    assert Webhook(SECRET).verify(body, headers) == {"type": "flag.opened"}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"opened", b"closed"), headers)
    assert headers["webhook-id"] == "msg_1"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [0, 300, 302, 400, 404, 429, 500, 503])
def test_any_other_answer_than_success_is_tried_again(
    receiver: Receiver, sender: WebhookSender, status: int
) -> None:
    """Neither an error nor a hang-up nor a redirect counts as delivered."""
    receiver.status = status
    with pytest.raises(Temporary, match="case-system"):
        sender.post(_endpoint(receiver), "msg_1", "{}", at=T0)
    assert len(receiver.got) == 1


def test_a_redirect_is_not_followed(receiver: Receiver, sender: WebhookSender) -> None:
    """Flags go to the configured place only."""
    receiver.status, receiver.location = 307, receiver.url + "/elsewhere"
    with pytest.raises(Temporary, match="307"):
        sender.post(_endpoint(receiver), "msg_1", "{}", at=T0)
    assert len(receiver.got) == 1


def test_a_program_that_is_gone_is_not_asked_again(
    receiver: Receiver, sender: WebhookSender
) -> None:
    """410 is for ever."""
    receiver.status = 410
    with pytest.raises(Permanent, match="gone"):
        sender.post(_endpoint(receiver), "msg_1", "{}", at=T0)


def test_nothing_is_sent_into_the_own_network_by_a_public_name(
    receiver: Receiver, sender: WebhookSender
) -> None:
    """A name that leads to a private address gets not a byte; the fix is named."""
    url = receiver.url.replace("127.0.0.1", "localhost")
    with pytest.raises(Temporary, match="own network") as caught:
        sender.post(_endpoint(receiver, url=url, is_internal=False), "msg_1", "{}", at=T0)
    assert "internal = true" in caught.value.fix
    assert receiver.got == []


def test_a_program_that_is_not_there_is_tried_again(
    receiver: Receiver, sender: WebhookSender
) -> None:
    """A closed port is a temporary trouble, and the error names no part of the body."""
    endpoint = _endpoint(receiver, url="http://127.0.0.1:1/hook")
    with pytest.raises(Temporary, match="cannot be reached") as caught:
        sender.post(endpoint, "msg_1", "SECRET-BODY", at=T0)
    assert "SECRET-BODY" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "event"),
    [
        (ChangeKind.OPENED, "flag.opened"),
        (ChangeKind.REOPENED, "flag.opened"),
        (ChangeKind.UPDATED, "flag.updated"),
        (ChangeKind.WITHDRAWN, "flag.withdrawn"),
        (ChangeKind.SUPERSEDED, "flag.withdrawn"),
        (FlagStatus.ACKNOWLEDGED, "flag.decided"),
        (FlagStatus.UPHELD, "flag.decided"),
        (FlagStatus.DISMISSED, "flag.decided"),
        (FlagStatus.OPEN, "flag.updated"),
    ],
)
def test_each_change_has_its_event(change: str, event: str) -> None:
    """Whatever happens to a flag is told as one of four events."""
    told = FlagEvent(1, T0, change, a_stored_flag(), is_private=False)
    assert told.event == HookEvent(event)
    assert json.loads(body_of(told))["type"] == event


def test_the_body_is_the_flag_as_the_command_lists_it() -> None:
    """Programs read one form of a flag everywhere."""
    flag = a_stored_flag()
    document = json.loads(body_of(FlagEvent(1, T0, ChangeKind.OPENED, flag, is_private=False)))
    assert document["timestamp"] == "2026-10-13T15:00:00Z"
    assert document["data"]["id"] == flag.id
    assert document["data"]["occurrence"]["original_start"]


def test_the_body_is_short_and_the_same_at_every_try() -> None:
    """JSON without a space between its parts, letters as they are: signatures are of the bytes."""
    flag = a_stored_flag(message="Bo\u00f0i left.", facts={"partner": "\u0141\u00f3d\u017a"})
    told = FlagEvent(1, T0, ChangeKind.OPENED, flag, is_private=False)
    body = body_of(told)
    assert body.startswith(
        '{"type":"flag.opened","timestamp":"2026-10-13T15:00:00Z","data":{"id":"F-8a4554a68b2b",'
    )
    assert (
        '"message":"Bo\u00f0i left.","evidence":{"facts":{"partner":"\u0141\u00f3d\u017a"},' in body
    )
    assert body == body_of(told)


def test_retries_end_after_about_three_days() -> None:
    """Ten waits, each as long as the one before or longer, then it is given up."""
    waits = [retry_after(n) for n in range(1, 11)]
    known = [wait for wait in waits if wait is not None]
    assert known == sorted(known)
    assert timedelta(days=2.5) < sum(known, timedelta()) < timedelta(days=4)
    assert retry_after(11) is None


def test_an_event_has_one_id_for_each_program() -> None:
    """A receiver drops what it has already; two programs do not share ids."""
    assert delivery_id("case-system", 7) == "msg_8918bd8e2f41f9382314c09a"
    assert len({delivery_id("a", 1), delivery_id("a", 2), delivery_id("b", 1)}) == 3
