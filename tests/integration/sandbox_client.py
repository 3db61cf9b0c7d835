"""Plain google-api-python-client services that talk to a sandbox, and a small steady world."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from google.oauth2 import service_account
from googleapiclient.discovery import build

from meetbot.sandbox import Sandbox, World

NOW = datetime(2026, 10, 13, 15, 0, tzinfo=UTC)
ADMIN = "meetbot-admin@district.example"
ANN = "ann.hill@district.example"
BEN = "ben.moss@district.example"
KID = "k1@students.district.example"
PARTNER = "guest@partner.example"

AUTH = "https://www.googleapis.com/auth/"
APIS = {
    "calendar": ("calendar", "v3", "/calendar/v3/", ["calendar.events.readonly"]),
    "meet": ("meet", "v2", "/", ["meetings.space.readonly"]),
    "users": ("admin", "directory_v1", "/", ["admin.directory.user.readonly"]),
    "groups": (
        "admin",
        "directory_v1",
        "/",
        ["admin.directory.group.readonly", "admin.directory.group.member.readonly"],
    ),
    "units": ("admin", "directory_v1", "/", ["admin.directory.orgunit.readonly"]),
    "domains": ("admin", "directory_v1", "/", ["admin.directory.domain.readonly"]),
    "reports": ("admin", "reports_v1", "/", ["admin.reports.audit.readonly"]),
    "gmail": ("gmail", "v1", "/", ["gmail.send"]),
}


class Ticking:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


def small_world(clock: Ticking | None = None) -> World:
    """Two teachers, a student, an administrator."""
    world = World(clock=clock or Ticking(), domain_aliases={"old.example": "district.example"})
    world.add_user(ADMIN, unit="/Service", admin=True)
    world.add_user(ANN, "Ann Hill", "/Staff/North", aliases=["ahill@district.example"])
    world.add_user(BEN, "Ben Moss", "/Staff/South")
    world.add_user(KID, "Kim Vale", "/Students/North")
    return world


@contextmanager
def google(box: Sandbox, api: str, subject: str, scopes: list[str] | None = None) -> Iterator[Any]:
    """A service as the client library makes it by default, closed afterwards."""
    name, version, path, least = APIS[api]
    credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        box.credentials, scopes=[AUTH + one for one in scopes or least]
    ).with_subject(subject)
    service = build(
        name,
        version,
        credentials=credentials,
        client_options={"api_endpoint": box.url + path},
        cache_discovery=False,
    )
    try:
        yield service
    finally:
        service.close()


def all_pages(collection: Any, request: Any, items: str) -> list[Any]:
    """Everything a listing holds, page by page."""
    found: list[Any] = []
    while request is not None:
        answer = request.execute()
        found += answer.get(items, [])
        request = collection.list_next(request, answer)
    return found
