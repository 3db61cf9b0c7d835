"""From an officer's decision to another program: once, in order, in spite of outages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.webhooks import Endpoint
from meetbot.jobs import webhooks
from meetbot.jobs.deps import Deps
from meetbot.notify.webhook import WebhookSender
from meetbot.ports import Decision, HookState, Outcome
from tests.console.conftest import PEOPLE, Console
from tests.receiver import SECRET, Receiver, a_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that listens."""
    with a_receiver() as told:
        yield told


@pytest.fixture
def deps(console: Console, receiver: Receiver) -> Iterator[Deps]:
    """The demo district with one program, which has its place in the history already."""
    sender = WebhookSender()
    endpoint = Endpoint("case-system", receiver.url, SECRET, is_internal=True)
    made = replace(console.deps, hooks=sender, endpoints=(endpoint,))
    webhooks.run(made, console.now)
    yield made
    sender.close()


def _a_flag(console: Console) -> Flag:
    with console.store.reading() as tx:
        return tx.flags.list(statuses=[FlagStatus.OPEN], rule="partner-unregistered")[0]


def _decide(console: Console, flag: Flag, status: FlagStatus, reason: str) -> None:
    by = PEOPLE[next(iter(PEOPLE))]
    with console.store.transaction() as tx:
        tx.flags.decide(Decision(flag.id, status, reason, "", by, console.now))


def _run(deps: Deps, at: datetime) -> Outcome:
    return webhooks.run(deps, at)


def test_a_decision_reaches_the_program_once(
    console: Console, deps: Deps, receiver: Receiver
) -> None:
    """Signed, with the flag as it then was; a second run says nothing."""
    flag = _a_flag(console)
    _decide(console, flag, FlagStatus.UPHELD, "policy-not-followed")
    assert _run(deps, console.now).counts["hooks_delivered"] == 1
    _run(deps, console.now)

    ((headers, body),) = receiver.got
    # The clock of the test is that of the poll: the receiver's own check of age is its affair.
    assert headers["webhook-signature"] == Webhook(SECRET).sign(
        headers["webhook-id"], console.now, body.decode()
    )
    told = json.loads(body)
    assert (told["type"], told["data"]["id"], told["data"]["status"]) == (
        "flag.decided",
        flag.id,
        "upheld",
    )


def test_an_outage_delays_and_keeps_the_order(
    console: Console, deps: Deps, receiver: Receiver
) -> None:
    """The same id and bytes come again; what followed waits for it."""
    flag = _a_flag(console)
    receiver.status = 500
    _decide(console, flag, FlagStatus.ACKNOWLEDGED, "seen")
    _decide(console, flag, FlagStatus.UPHELD, "policy-not-followed")
    assert _run(deps, console.now).counts == {"hooks_deferred": 1}
    assert _run(deps, console.now).counts == {}

    receiver.status = 200
    later = console.now + timedelta(minutes=1)
    assert _run(deps, later).counts == {"hooks_delivered": 2}
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    bodies = [body for _, body in receiver.got]
    assert ids[0] == ids[1] != ids[2]
    assert bodies[0] == bodies[1]
    statuses = [json.loads(body)["data"]["status"] for body in bodies]
    assert statuses == ["acknowledged", "acknowledged", "upheld"]


def test_a_program_that_is_gone_is_said_and_asked_no_more(
    console: Console, deps: Deps, receiver: Receiver
) -> None:
    """Health tells its name until somebody tries again."""
    receiver.status = 410
    _decide(console, _a_flag(console), FlagStatus.ACKNOWLEDGED, "seen")
    outcome = _run(deps, console.now)
    assert outcome.trouble == "programs that are told nothing any more: case-system"
    assert outcome.counts == {"hooks_failed": 1}
    _run(deps, console.now)
    assert len(receiver.got) == 1

    receiver.status = 200
    with console.store.transaction() as tx:
        assert tx.hooks.retry("case-system", at=console.now) == 1
    assert _run(deps, console.now).trouble == ""
    assert len(receiver.got) == 2


def test_a_program_that_never_answers_is_given_up_after_three_days(
    console: Console, deps: Deps, receiver: Receiver
) -> None:
    """The delivery is kept as failed, and can be tried again."""
    receiver.status = 503
    _decide(console, _a_flag(console), FlagStatus.ACKNOWLEDGED, "seen")
    at, hours = console.now, 0
    while hours < 24 * 5:
        _run(deps, at)
        at += timedelta(hours=1)
        hours += 1
    with console.store.reading() as tx:
        (delivery,) = tx.hooks.list()
    assert delivery.state is HookState.FAILED
    assert delivery.reason == "case-system answered with status 503"
    assert len(receiver.got) == 11


def test_nothing_is_done_without_a_program(console: Console) -> None:
    """A district that names none has no deliveries."""
    assert webhooks.run(console.deps, console.now).counts == {}
    with console.store.reading() as tx:
        assert tx.hooks.list() == []
