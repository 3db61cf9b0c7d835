"""What Google's refusals mean: an error of ours with its fix, and whether to try again.

Sources: https://developers.google.com/workspace/calendar/api/guides/errors,
https://developers.google.com/workspace/admin/directory/v1/limits,
https://developers.google.com/workspace/admin/reports/v1/limits (503 is the quota answer),
https://developers.google.com/identity/protocols/oauth2/service-account (JWT error codes).
Google's own message texts are not repeated, because they may quote addresses.
"""

from __future__ import annotations

import email.utils
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum

import orjson

from meetbot.errors import (
    AccessDenied,
    BadAnswer,
    MeetbotError,
    NotFound,
    Permanent,
    SyncTokenExpired,
    Temporary,
)
from meetbot.workspace.api import Api, Grant
from meetbot.workspace.raw import Raw, as_object, as_objects, as_text


class Pace(Enum):
    """How to go on after a refusal; the value is the first wait in seconds, if there is one."""

    NEVER = None
    QUICK = 0.5
    """Broken connections and unreadable answers."""
    USUAL = 1.0
    SLOW = 5.0
    """Reports counts on 5 s, 10 s, … after its 503."""
    LONG = 10.0
    """Use limits that are not per minute."""


class Refused(Exception):  # noqa: N818 - carries an error of ours through Google's client
    """A request that did not succeed: what to raise in the end, and how to go on until then."""

    def __init__(
        self,
        error: MeetbotError,
        pace: Pace = Pace.NEVER,
        *,
        status: int | None = None,
        is_rate: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.pace = pace
        self.status = status
        """The API's HTTP status; None if it was not the API that refused."""
        self.is_rate = is_rate
        """Google is well but wants less: such a retry says nothing about an outage."""


def status_of(error: MeetbotError) -> int | None:
    """The HTTP status with which an API caused an error; None where it had no part in it."""
    cause = error.__cause__
    return cause.status if isinstance(cause, Refused) else None


_NAMES = {
    Api.CALENDAR: "the Calendar API",
    Api.MEET: "the Meet API",
    Api.DIRECTORY: "the Directory API",
    Api.REPORTS: "the Reports API",
    Api.GMAIL: "the Gmail API",
    Api.SHEETS: "the Sheets API",
}
_PER_MINUTE = frozenset(
    {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"}
)
_LONGER = frozenset({"quotaExceeded", "dailyLimitExceeded", "concurrentLimitExceeded"})
_SCOPE = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
_SWITCHED_OFF = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


def refused_call(grant: Grant, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """The meaning of an API's answer with a status of 300 or more."""
    name = _NAMES[grant.api]
    refused = _by_status(grant, name, status, headers, body)
    refused.status = status
    return refused


def _by_status(
    grant: Grant, name: str, status: int, headers: Mapping[str, str], body: bytes
) -> Refused:
    match status:
        case 401:
            return Refused(_bad_token(name))
        case 403:
            return _forbidden(grant, name, _reasons(body), headers)
        case 404:
            return Refused(_not_found(name, headers))
        case 410:
            return Refused(SyncTokenExpired(f"{name} no longer knows how far we had read"))
        case _ if status in _TRANSIENT:
            return _transient(grant.api, name, status, headers)
        case _ if 300 <= status < 400:
            return Refused(Permanent(f"{name} sent us elsewhere (status {status})", fix=_ROOT))
        case _:
            return Refused(Permanent(f"{name} did not accept the request (status {status})"))


_ROOT = "check google.api_root: it must be the place where the APIs answer"


def _reasons(body: bytes) -> frozenset[str]:
    """All words for what went wrong; error shapes differ by API.

    https://github.com/googleapis/google-api-python-client/issues/1243
    """
    try:
        error = as_object(as_object(orjson.loads(body)).get("error"))
    except orjson.JSONDecodeError:
        return frozenset()
    lines: list[Raw] = [*as_objects(error.get("errors")), *as_objects(error.get("details"))]
    words = {as_text(line.get("reason")) for line in lines}
    return frozenset(words | {as_text(error.get("status"))}) - {""}


def _forbidden(
    grant: Grant, name: str, reasons: frozenset[str], headers: Mapping[str, str]
) -> Refused:
    if reasons & _LONGER:
        error = Temporary(f"the quota of {name} is used up", retry_after=retry_after(headers))
        return Refused(error, Pace.LONG, is_rate=True)
    if reasons & _PER_MINUTE:
        return _too_fast(name, headers)
    if reasons & _SCOPE:
        scopes = ", ".join(grant.short_scopes)
        return Refused(
            AccessDenied(
                f"{name} wants a scope that was not granted",
                fix=f"authorize {scopes} for the service account's client id in the Admin console",
            )
        )
    if reasons & _SWITCHED_OFF:
        return Refused(
            AccessDenied(
                f"{name} is switched off in the service account's Cloud project",
                fix=f"enable {name} in the project's API library",
            )
        )
    return Refused(AccessDenied(f"{name} denied access (status 403)", fix=_RIGHTS[grant.api]))


_ADMIN_ROLE = "give google.admin_subject an admin role with the read privilege for "
_RIGHTS = {
    Api.CALENDAR: "check that the calendar's owner may use Calendar and is not suspended",
    Api.MEET: "read the call as its organizer; check that Meet is on for this account",
    Api.DIRECTORY: _ADMIN_ROLE + "users, groups, org units and domains",
    Api.REPORTS: _ADMIN_ROLE + "Reports",
    Api.GMAIL: "check that mail.sender is a mailbox with Gmail switched on",
    Api.SHEETS: "share the spreadsheet with google.admin_subject as a viewer",
}


def _bad_token(name: str) -> MeetbotError:
    return AccessDenied(
        f"{name} refused a fresh token (status 401)",
        fix="check that the account is active and that the key belongs to this Google service",
    )


def _not_found(name: str, headers: Mapping[str, str]) -> MeetbotError:
    if "html" in headers.get("content-type", ""):  # Google's front page for unknown paths
        return Permanent(f"{name} is not at this address (status 404)", fix=_ROOT)
    fix = "check that it exists and that the account may see it"
    return NotFound(f"{name} knows no such thing, or hides it (status 404)", fix=fix)


def _too_fast(name: str, headers: Mapping[str, str]) -> Refused:
    error = Temporary(f"{name} wants fewer requests a minute", retry_after=retry_after(headers))
    return Refused(error, Pace.USUAL, is_rate=True)


def _transient(api: Api, name: str, status: int, headers: Mapping[str, str]) -> Refused:
    if status == 429:
        return _too_fast(name, headers)
    is_quota = (api, status) == (Api.REPORTS, 503)
    what = "wants fewer requests a minute, or is not working" if is_quota else "is not working"
    error = Temporary(f"{name} {what} (status {status})", retry_after=retry_after(headers))
    return Refused(error, Pace.SLOW if is_quota else Pace.USUAL)


def unreadable(grant: Grant, what: str) -> BadAnswer:
    """An answer that was good by its status, but cannot be understood."""
    return BadAnswer(f"{_NAMES[grant.api]} answered with {what}")


def items_of(grant: Grant, page: Raw, name: str) -> list[Raw]:
    """The entries of a page, none if the list is left out. Raises `BadAnswer` if it is no list."""
    items = page.get(name, [])
    if not isinstance(items, list):
        raise unreadable(grant, f"{name} that are no list")
    return as_objects(items)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds of a `Retry-After` header, which may be a number or an HTTP date; else None."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        at = http_date(text)
    if at is None:
        return None
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def http_date(text: str) -> datetime | None:
    """The instant of an HTTP date, or None."""
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


# --- the token endpoint -------------------------------------------------------------------------

_CONSOLE = "in the Admin console under Security, API controls, domain-wide delegation"
_PASSING = frozenset(
    {"internal_failure", "server_error", "temporarily_unavailable", "rate_limit_exceeded"}
)


def refused_token(
    grant: Grant, client_id: str, status: int, headers: Mapping[str, str], body: bytes
) -> Refused:
    """The meaning of an answer of the token endpoint with a status other than 200."""
    try:
        answer = as_object(orjson.loads(body))
    except orjson.JSONDecodeError:
        answer = {}
    word = as_text(answer.get("error"))
    about = as_text(answer.get("error_description")).lower()
    if status in _TRANSIENT or word in _PASSING:
        error = Temporary(
            f"Google's token service is not working (status {status})",
            retry_after=retry_after(headers),
        )
        return Refused(error, Pace.USUAL, is_rate=status == 429)
    if status == 404 and not word:
        return Refused(
            AccessDenied(
                "there is no token service at the key's token_uri (status 404)",
                fix="use the key file as Google gave it",
            )
        )
    return Refused(_token_error(grant, client_id, word, about))


def _token_error(grant: Grant, client_id: str, word: str, about: str) -> MeetbotError:
    scopes = ", ".join(grant.short_scopes)
    client = client_id or "of the service account (a number)"
    authorize = f"{_CONSOLE}, authorize client id {client} for {scopes}; it can take up to 24 hours"
    match word:
        case "unauthorized_client" if "client or scope in request" in about:
            what, fix = "delegation is not authorized for this service account", authorize
        case "unauthorized_client":
            what = "the client id is not registered for delegation, or for none of these scopes"
            fix = f"{authorize}; the client id is the number, not the e-mail address"
        case "access_denied":
            what, fix = f"a scope is missing in the delegation: {scopes}", authorize
        case "admin_policy_enforced":
            what = f"a policy of the district blocks {scopes}"
            fix = "mark the service account's app as trusted in the Admin console's API controls"
        case "invalid_grant":
            return _invalid_grant(about)
        case "invalid_scope":
            what, fix = f"Google does not know a scope of {scopes}", "update meetbot"
        case "disabled_client" | "deleted_client" | "invalid_client":
            what = "the service account or its key is disabled or deleted"
            fix = "enable it, or make a new service account and key, in the Cloud project"
        case "org_internal":
            what = "the app is open only to accounts of another organization"
            fix = "make the service account in a Cloud project of the district's organization"
        case _:
            what, fix = "Google gave no token", "run `meetbot doctor` and check the key file"
    return AccessDenied(f"{what} ({word or 'no reason given'})", fix=fix)


def _invalid_grant(about: str) -> MeetbotError:
    """`invalid_grant` means many things; only its description tells which."""
    if "email" in about and "valid" in about:
        return NotFound(
            "Google knows no such active account to act for (invalid_grant)",
            fix="check the address; deleted and suspended accounts cannot be acted for",
        )
    if "short-lived" in about or "iat" in about or "timeframe" in about:
        what = "this machine's clock is wrong, so Google refused the signed request"
        fix = "set the clock, best by NTP"
    elif "signature" in about:
        what = "the key was revoked or belongs to another service account"
        fix = "make a new key for the service account and put it in google.credentials"
    elif "account not found" in about or "service account" in about:
        what, fix = "the service account was deleted", "make a new service account and key"
    elif "audience" in about:
        what = "the key's token_uri is not the one that Google expects"
        fix = "use the key file as Google gave it"
    else:
        what = "Google refused to act for this account"
        fix = "check that the account is active and the delegation is complete"
    return AccessDenied(f"{what} (invalid_grant)", fix=fix)
