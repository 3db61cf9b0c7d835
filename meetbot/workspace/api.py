"""The six APIs, and the lines of delegated scopes: one credential each, per subject."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_SCOPE_ROOT = "https://www.googleapis.com/auth/"


class Api(StrEnum):
    """One API of Google; the value is its name in `poll --json`."""

    CALENDAR = "calendar"
    MEET = "meet"
    DIRECTORY = "directory"
    REPORTS = "reports"
    GMAIL = "gmail"
    SHEETS = "sheets"


@dataclass(frozen=True, slots=True)
class Grant:
    """Scopes that are asked for together, always for one subject.

    One unauthorized scope fails a whole token request
    (https://developers.google.com/identity/protocols/oauth2/service-account), so each line of the
    contract is a credential of its own and a missing one disables only itself.
    """

    name: str
    api: Api
    short_scopes: tuple[str, ...]
    subject: str
    """Whom it impersonates, in words."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The full scope URLs."""
        return tuple(_SCOPE_ROOT + scope for scope in self.short_scopes)


CALENDARS = Grant("calendars", Api.CALENDAR, ("calendar.events.readonly",), "calendar owners")
MEET = Grant("meet", Api.MEET, ("meetings.space.readonly",), "organizers")
USERS = Grant(
    "directory-users", Api.DIRECTORY, ("admin.directory.user.readonly",), "the admin subject"
)
GROUPS = Grant(
    "directory-groups",
    Api.DIRECTORY,
    ("admin.directory.group.readonly", "admin.directory.group.member.readonly"),
    "the admin subject",
)
UNITS = Grant(
    "directory-units", Api.DIRECTORY, ("admin.directory.orgunit.readonly",), "the admin subject"
)
DOMAINS = Grant(
    "directory-domains", Api.DIRECTORY, ("admin.directory.domain.readonly",), "the admin subject"
)
REPORTS = Grant("reports", Api.REPORTS, ("admin.reports.audit.readonly",), "the admin subject")
GMAIL = Grant("gmail", Api.GMAIL, ("gmail.send",), "the sender")

SHEETS = Grant("sheets", Api.SHEETS, ("spreadsheets.readonly",), "the admin subject")

GRANTS: dict[str, Grant] = {
    grant.name: grant
    for grant in (CALENDARS, MEET, USERS, GROUPS, UNITS, DOMAINS, REPORTS, GMAIL, SHEETS)
}
"""Every line by its name, in the order in which `doctor` shows them."""
