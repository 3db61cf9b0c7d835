"""Google Workspace as a whole: one key, one pool of connections, six adapters."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from meetbot.domain.people import DistrictUnits
from meetbot.workspace.access import Access, load_key
from meetbot.workspace.api import (
    CALENDARS,
    DOMAINS,
    GMAIL,
    GRANTS,
    GROUPS,
    MEET,
    REPORTS,
    SHEETS,
    UNITS,
    USERS,
    Api,
)
from meetbot.workspace.calendar import GoogleCalendars
from meetbot.workspace.client import GoogleClient, RequestCounts, RetryPolicy
from meetbot.workspace.directory import GoogleDirectory
from meetbot.workspace.gmail import GmailMailer
from meetbot.workspace.meet import GoogleMeet
from meetbot.workspace.quota import GOOGLE_LIMITS, PerMinute, Quota
from meetbot.workspace.reports import GoogleReports
from meetbot.workspace.sheets import GoogleSheets
from meetbot.workspace.transport import Deadlines, Transport


class Workspace:
    """Builds the adapters; they may be used by any number of threads. Close it when done.

    `quota_key` is a secret that stays the same, from which the opaque `quotaUser` names are made.
    `sleep` is for tests. Raises `BadInput` when the key file is no good.
    """

    def __init__(
        self,
        credentials: Path,
        *,
        admin_subject: str,
        sender: str,
        units: DistrictUnits,
        zone: ZoneInfo,
        quota_key: bytes,
        api_root: str | None = None,
        limits: Mapping[Api, PerMinute] = GOOGLE_LIMITS,
        deadlines: Deadlines | None = None,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        key = load_key(credentials)
        self.client_id = key.client_id
        """What the Admin console wants for delegation; empty if the key file lacks it."""
        self._counts = RequestCounts()
        self._transport = Transport(deadlines)
        access = Access(key, self._transport, count=lambda: self._counts.add("token"))
        client = GoogleClient(
            access,
            self._transport,
            Quota(limits, sleep=sleep),
            quota_key=hmac.digest(quota_key, b"quotaUser", hashlib.sha256),
            api_root=api_root,
            policy=policy,
            counts=self._counts,
            sleep=sleep,
        )
        self._admin_subject = admin_subject
        self._sender = sender
        self.directory = GoogleDirectory(client, admin_subject, units)
        self.calendars = GoogleCalendars(client, zone)
        self.meet = GoogleMeet(client)
        self.reports = GoogleReports(client, admin_subject)
        self.gmail_mailer = GmailMailer(client, sender)
        self._client = client

    @cached_property
    def sheets(self) -> GoogleSheets:
        """Made when first asked for: few districts need it, and its API is the largest."""
        return GoogleSheets(self._client, self._admin_subject)

    @property
    def requests(self) -> dict[str, int]:
        """HTTP requests so far, by API and `token`, retries included."""
        return self._counts.snapshot()

    @property
    def clock_skew(self) -> float | None:
        """Seconds by which Google's clock is ahead of ours; None before the first answer.

        Accurate to about a second. Google refuses signed requests that are minutes off.
        """
        return self._transport.clock_skew

    def check_scope(self, name: str, subject: str | None = None) -> None:
        """Try one line of scopes (a name of `api.GRANTS`) with a request that reads nothing much.

        `subject` is needed for `calendars` (an owner) and `meet` (an organizer); the others have
        theirs. Raises a `MeetbotError` with its fix.
        """
        checks: Mapping[str, Callable[[], object]] = {
            CALENDARS.name: lambda: self.calendars.check(subject or self._admin_subject),
            MEET.name: lambda: self.meet.check(subject or self._admin_subject),
            USERS.name: self.directory.check_users,
            GROUPS.name: self.directory.check_groups,
            UNITS.name: self.directory.units,
            DOMAINS.name: self.directory.domains,
            REPORTS.name: self.reports.check,
            GMAIL.name: self.gmail_mailer.check,
            SHEETS.name: lambda: self.sheets.check(),
        }
        checks[GRANTS[name].name]()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
