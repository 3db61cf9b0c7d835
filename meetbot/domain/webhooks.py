"""Which changes of flags are told to other programs, in which words, and when a try is repeated.

The form is that of the Standard Webhooks specification (standardwebhooks.com): an object of
`type`, `timestamp` and `data`, the flag as `flags list --json` has it, as it was after the change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from meetbot.domain.flag_documents import flag_document, instant
from meetbot.domain.flags import ChangeKind, Flag, FlagStatus


class HookEvent(StrEnum):
    """`type` of what is sent, and what `events` of an endpoint names."""

    OPENED = "flag.opened"
    """A new flag, or one that is back."""
    UPDATED = "flag.updated"
    """Facts or severity changed, or a decision was undone."""
    DECIDED = "flag.decided"
    """An officer acknowledged, upheld or dismissed it."""
    WITHDRAWN = "flag.withdrawn"
    """It is no longer so, or another one took its place."""


_EVENTS: Mapping[str, HookEvent] = {
    ChangeKind.OPENED: HookEvent.OPENED,
    ChangeKind.REOPENED: HookEvent.OPENED,
    ChangeKind.UPDATED: HookEvent.UPDATED,
    ChangeKind.WITHDRAWN: HookEvent.WITHDRAWN,
    ChangeKind.SUPERSEDED: HookEvent.WITHDRAWN,
    FlagStatus.ACKNOWLEDGED: HookEvent.DECIDED,
    FlagStatus.UPHELD: HookEvent.DECIDED,
    FlagStatus.DISMISSED: HookEvent.DECIDED,
}

_RETRIES = tuple(
    timedelta(seconds=s) for s in (5, 60, 300, 1800, 7200, 18_000, 36_000, 36_000, 86_400, 86_400)
)
"""Waits between tries, as the specification proposes: about three days in all."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A program that wants to hear of changes. `secret` is `whsec_` and base64.

    `is_internal` allows an address inside the district's own network.
    """

    name: str
    url: str
    secret: str = field(repr=False)
    events: frozenset[HookEvent] = frozenset(HookEvent)
    is_internal: bool = False


@dataclass(frozen=True, slots=True)
class FlagEvent:
    """One row of the flags' history, the flag as it then was. `number` counts up."""

    number: int
    at: datetime
    change: str
    flag: Flag
    is_private: bool
    """Of a confidential meeting, or not yet known not to be."""

    @property
    def event(self) -> HookEvent:
        """What it is told as."""
        return _EVENTS.get(self.change, HookEvent.UPDATED)


def delivery_id(endpoint: str, number: int) -> str:
    """The stable `webhook-id` of an event for an endpoint: `msg_` and 24 hexadecimal digits."""
    return "msg_" + hashlib.sha256(f"{endpoint}\0{number}".encode()).hexdigest()[:24]


def body_of(told: FlagEvent) -> str:
    """The JSON text that is sent, the same at every try."""
    document = {
        "type": told.event.value,
        "timestamp": instant(told.at),
        "data": flag_document(told.flag),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def retry_after(attempts: int) -> timedelta | None:
    """How long to wait after so many tries in vain; None: it is given up."""
    return _RETRIES[attempts - 1] if attempts <= len(_RETRIES) else None
