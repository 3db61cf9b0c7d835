"""Measured beside meetbot: google-api-python-client used as its samples show.

One thread, httplib2, `build` once, one credential per calendar; it reads and keeps nothing.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import google_auth_httplib2  # type: ignore[import-untyped]
import httplib2
from google.oauth2 import service_account
from googleapiclient.discovery import build

from meetbot.sandbox.big import staff_address
from tests.bench.gauge import Cost, answer, arguments, measured

_SCOPES = "https://www.googleapis.com/auth/"


def main() -> None:
    """`read`: calendars (of `count` staff) or audit."""
    given = arguments()
    key = json.loads((Path(given["folder"]) / "credentials.json").read_text())
    if given["read"] == "calendars":
        answer({"plain": _calendars(key, given["api_root"], given["count"])})
    else:
        answer({"plain": _audit(key, given["api_root"])})


def _calendars(key: dict[str, str], api_root: str, count: int) -> Cost:
    now = datetime.now(UTC)
    events = 0
    with measured() as cost:
        account = _account(key)
        service = build(
            "calendar",
            "v3",
            http=httplib2.Http(),
            client_options={"api_endpoint": f"{api_root}/calendar/v3/"},
            static_discovery=True,
        )
        for number in range(count):
            owner = staff_address(number)
            http = _http(account, "calendar.events.readonly", owner)
            request = service.events().list(
                calendarId=owner,
                singleEvents=True,
                maxResults=2500,
                timeMin=(now - timedelta(days=7)).isoformat(),
                timeMax=(now + timedelta(days=30)).isoformat(),
            )
            while request is not None:
                page = request.execute(http=http)
                events += len(page.get("items", []))
                request = service.events().list_next(request, page)
    cost.more = {"events": events}
    return cost


def _audit(key: dict[str, str], api_root: str) -> Cost:
    rows = 0
    with measured() as cost:
        service = build(
            "admin",
            "reports_v1",
            http=_http(
                _account(key), "admin.reports.audit.readonly", "meetbot-admin@district.example"
            ),
            client_options={"api_endpoint": f"{api_root}/"},
            static_discovery=True,
        )
        request = service.activities().list(userKey="all", applicationName="meet", maxResults=1000)
        while request is not None:
            page = request.execute()
            rows += len(page.get("items", []))
            request = service.activities().list_next(request, page)
    cost.more = {"rows": rows}
    return cost


def _account(key: dict[str, str]) -> Any:
    return service_account.Credentials.from_service_account_info(key)  # type: ignore[no-untyped-call]


def _http(account: Any, scope: str, subject: str) -> Any:
    credentials = account.with_scopes([_SCOPES + scope]).with_subject(subject)
    return google_auth_httplib2.AuthorizedHttp(credentials, http=httplib2.Http())


if __name__ == "__main__":
    main()
