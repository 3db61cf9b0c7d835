"""What the pages are given: the jobs' dependencies, the clock and the district's choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import cast
from zoneinfo import ZoneInfo

from flask import current_app

from meetbot.jobs.deps import Deps
from meetbot.ports import Clock

_NAME = "meetbot"


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """The identity provider: its issuer's URL, and what it knows the console by."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """The district's choices. People are named by address; `base_url` has no slash at its end."""

    district_name: str
    zone: ZoneInfo
    base_url: str
    officers: tuple[str, ...] = ()
    privacy_officers: tuple[str, ...] = ()
    keepers: tuple[str, ...] = ()
    """Who edits the registry."""
    operators: tuple[str, ...] = ()
    auditors: tuple[str, ...] = ()
    oidc: OidcConfig | None = None
    """None: nobody can sign in, except in the demo."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Whose X-Forwarded-For is believed."""

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the console by HTTPS: cookies are sent on no other way then."""
        return self.base_url.startswith("https://")


@dataclass(frozen=True, slots=True)
class Services:
    """Built once in `cli`; a test passes fakes to the same pages."""

    deps: Deps
    clock: Clock
    config: ConsoleConfig


def services() -> Services:
    """The services of the app that answers this request."""
    return cast(Services, current_app.extensions[_NAME])


def set_services(extensions: dict[str, object], given: Services) -> None:
    """Give an app its services."""
    extensions[_NAME] = given
