"""The district's configuration: `meetbot.toml`, the environment, and `policy.toml` beside it.

Everything is read and checked before anything is used, and every mistake is reported at once with
its key and its fix. What comes out is frozen; durations are `timedelta`, addresses and domains are
lower case, domains in their ASCII form. pydantic is used here and does not leave this module
except as the frozen sections themselves.

The environment is read here and not by pydantic-settings, which passes over a misspelled variable,
stops at the first list it cannot decode and does not know `..._FILE`.
"""

from __future__ import annotations

import base64
import binascii
import copy
import dataclasses
import difflib
import ipaddress
import json
import re
import tomllib
import zoneinfo
from collections.abc import Collection, Iterable, Mapping
from datetime import date, time, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from meetbot.domain.addresses import parse_address, parse_domain
from meetbot.domain.findings import Severity
from meetbot.domain.platforms import Platform
from meetbot.domain.policy import Limits, Policy, RuleSwitch, SchoolCalendar, SpecialAccounts
from meetbot.domain.registry_rows import ProgramType
from meetbot.domain.retention import Retention
from meetbot.domain.shared_files import FileWords
from meetbot.domain.spreadsheets import HOW_TO_NAME, WHAT_IS_WRONG, spreadsheet_id
from meetbot.domain.thresholds import Thresholds
from meetbot.domain.webhooks import HookEvent
from meetbot.errors import BadInput, Mistake

DEFAULT_FILE = Path("config/meetbot.toml")
POLICY_NAME = "policy.toml"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

T = TypeVar("T")

_PREFIX = "MEETBOT_"
_CONFIG_VARIABLE = "MEETBOT_CONFIG"
_SECRETS = frozenset(
    {
        ("database", "url"),
        ("mail", "url"),
        ("mail", "password"),
        ("console", "secret_key"),
        ("console", "oidc", "client_secret"),
        ("privacy", "pseudonym_key"),
    }
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=3660)
_MONTH = timedelta(days=30)
_LOCAL_PART = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", re.ASCII)


# --- values -------------------------------------------------------------------------------------


def _wrong(what: str, fix: str) -> PydanticCustomError:
    """A mistake that already knows its fix, on its way through pydantic."""
    return PydanticCustomError("meetbot", "{what}", {"what": what, "fix": fix})


def _shown(value: object) -> str:
    """A value from the file, short enough and plain enough for one line."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _similar(word: str, known: Iterable[str]) -> str:
    """`did you mean …?`, or what there is to choose from."""
    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return "remove it" + (f", or use one of: {', '.join(choices)}" if 0 < len(choices) < 12 else "")


def _duration(value: object) -> timedelta:
    if isinstance(value, str):
        found = re.fullmatch(r"(\d{1,9})([smhd])", value, re.ASCII)
        if found:
            length = timedelta(**{_UNITS[found[2]]: int(found[1])})
            if length <= _LONGEST:
                return length
    raise _wrong(
        f"{_shown(value)} is not a duration", 'write a number and s, m, h or d, such as "90s"'
    )


def _positive(value: timedelta) -> timedelta:
    if not value:
        raise _wrong("must be longer than nothing", 'write a duration above zero, such as "60s"')
    return value


def _number(value: object) -> int:
    """A whole number above zero; text from the environment is one too."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value, re.ASCII):
        value = int(value)
    if type(value) is int and 0 < value < 10**9:
        return value
    raise _wrong(f"{_shown(value)} is not a whole number above zero", "write one, such as 10")


def _local_time(value: object) -> time:
    if isinstance(value, time) and value.tzinfo is None:
        return value.replace(microsecond=0)
    if isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII):
        return time.fromisoformat(value)
    raise _wrong(f"{_shown(value)} is not a time of day", 'write it as "07:30"')


def _weekday(value: object) -> int:
    if isinstance(value, str) and value.lower() in WEEKDAYS:
        return WEEKDAYS.index(value.lower())
    raise _wrong(f"{_shown(value)} is not a day of the week", f"use {', '.join(WEEKDAYS)}")


def _day(value: object) -> date | None:
    """A day as TOML has it, or in quotes."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if type(value) is date else None


def _days_off(value: object) -> tuple[date, date]:
    """One day, or the first and the last of some: at most a year, in a year one can plan for."""
    ends = value if isinstance(value, list | tuple) else [value, value]
    days = [day for day in map(_day, ends) if day is not None and 2000 <= day.year <= 2199]
    if len(ends) == len(days) == 2 and timedelta(0) <= days[1] - days[0] <= timedelta(days=366):
        return days[0], days[1]
    raise _wrong(
        f"{_shown(value)} is no day and no first and last day",
        'write a day as "2026-11-26", or first and last as ["2026-12-21", "2027-01-01"]',
    )


def _plain_text(value: str) -> str:
    if value.strip() and len(value) <= 200 and value.isprintable():
        return value.strip()
    raise _wrong(
        "must be 1 to 200 visible characters", "write it without line breaks or control characters"
    )


def _filled(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise _wrong("is empty", "name the file")
    return value


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):  # OSError: "America" is a folder
        near = difflib.get_close_matches(str(value), sorted(zoneinfo.available_timezones()), n=1)
        raise _wrong(
            f"{_shown(value)} is not a time zone",
            f"did you mean {near[0]}?"
            if near
            else 'use a name of the IANA database, such as "America/Chicago"',
        ) from None


def _program_type(value: str) -> str:
    if value in list(ProgramType):
        return value
    raise _wrong(f"{_shown(value)} is not a program type", _similar(value, ProgramType))


def _rule_id(value: str, info: ValidationInfo) -> str:
    known: Collection[str] = (info.context or {}).get("rules", ())
    if value in known:
        return value
    raise _wrong(f"{_shown(value)} is not a rule", _similar(value, known))


def _domain(value: str) -> str:
    name = parse_domain(value.strip())
    if name is None:
        raise _wrong(
            f"{_shown(value)} is not a domain", 'write only the name, such as "district.example"'
        )
    return name


def _address(value: str) -> str:
    address = parse_address(value)
    # ASCII, because not every server takes others (SMTPUTF8, RFC 6531).
    if address is None or not _LOCAL_PART.fullmatch(address.local):
        raise _wrong(
            f"{_shown(value)} is not an e-mail address",
            'write only the address, such as "it@district.example"',
        )
    return address.text


def _recipient(value: str, info: ValidationInfo) -> str:
    """An address in one of the district's own domains; never a partner's."""
    return _inside(value, info, "flags may only be sent inside the district")


def _person(value: str, info: ValidationInfo) -> str:
    """The address of somebody who signs in: in one of the district's own domains."""
    return _inside(value, info, "only the district's own people sign in")


def _inside(value: str, info: ValidationInfo, why: str) -> str:
    domains = (info.context or {}).get("domains")
    if domains and value.rpartition("@")[2] not in domains:
        raise _wrong(
            f"{_shown(value)} is outside the district's domains",
            f"{why}: use an address in "
            + " or ".join(domains)
            + ", or add the domain to district.domains",
        )
    return value


def _unit(value: str) -> str:
    if not value.startswith("/") or "//" in value or not value.isprintable():
        raise _wrong(
            f"{_shown(value)} is not an org unit path", 'begin it with "/", such as "/Staff"'
        )
    return value.rstrip("/") or "/"


def _some(values: tuple[T, ...]) -> tuple[T, ...]:
    if not values:
        raise _wrong("is empty", "list at least one")
    return values


def _file_word(value: str) -> str:
    if len(value) <= 60 and any(char.isalnum() for char in value) and value.isprintable():
        return value.strip()
    raise _wrong(
        f"{_shown(value)} is not a word", "write one or a few words with letters or digits"
    )


def _without_repeats(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _is_loopback(host: str | None) -> bool:
    """Whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _split_url(value: str, example: str) -> SplitResult:
    """Split a URL that has a host; its text is never repeated, it may be secret."""
    try:
        parts = urlsplit(value)
        if parts.hostname and (parts.port is None or parts.port > 0) and value.isprintable():
            return parts
    except ValueError:
        pass
    raise _wrong("is not a complete URL", f'write it as "{example}"')


def _web_root(value: str) -> str:
    parts = _split_url(value, "https://host")
    if parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment:
        raise _wrong(
            "must be a plain http or https URL",
            "leave out user, password, query and fragment, and begin with https://",
        )
    return value.rstrip("/")


def _api_root(value: str) -> str:
    root = _web_root(value)
    parts = urlsplit(root)
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise _wrong(
            "http is allowed on loopback only, tokens would travel in the clear",
            "use https, or http://127.0.0.1 for the sandbox; remove the key to use Google",
        )
    return root


def _issuer(value: str) -> str:
    root = _web_root(value)
    parts = urlsplit(root)
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise _wrong(
            "http is allowed on loopback only, anybody in between could sign in as anybody",
            'use https; Google\'s is "https://accounts.google.com"',
        )
    return root


def _client_value(value: str) -> str:
    if value.strip() and len(value) <= 500 and value.isprintable():
        return value.strip()
    raise _wrong("is empty or has control characters", "copy it from the provider's page again")


def _database_url(value: str) -> str:
    if value.startswith("sqlite:///") and len(value) > len("sqlite:///"):
        return value
    if value.startswith("postgresql+psycopg://"):
        return value
    raise _wrong(
        "is not a database meetbot can use",
        'use "sqlite:///meetbot.db" or "postgresql+psycopg://user@host/name"',
    )


def _hook_url(value: str) -> str:
    parts = _split_url(value, "https://host/path")
    if parts.username or parts.fragment or parts.scheme not in ("http", "https"):
        raise _wrong(
            "must be a plain https URL",
            "leave out user, password and fragment, and begin with https://",
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise _wrong(
            "http is allowed on loopback only, flags would travel in the clear", "use https"
        )
    return value


def _hook_secret(value: str) -> str:
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not 24 <= len(key) <= 64:
        raise _wrong(
            "is not the base64 of 24 to 64 bytes",
            'make one with: python3 -c "import base64, os; '
            "print('whsec_' + base64.b64encode(os.urandom(32)).decode())\"",
        )
    return value


def _hook_name(value: str) -> str:
    if re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", value, re.ASCII):
        return value
    raise _wrong(
        f"{_shown(value)} cannot be a program's name",
        "use up to 40 lower-case letters, digits and hyphens",
    )


def _secret_key(value: object) -> bytes:
    if isinstance(value, str) and len(value.strip()) >= 32:
        return value.strip().encode()
    raise _wrong(
        "must be text of at least 32 characters",
        "generate one: python3 -c 'import secrets; print(secrets.token_hex(32))'",
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server of meetbot listens; port 0 lets the system choose."""

    host: str
    port: int


def _endpoint(value: object, example: str) -> Endpoint:
    if isinstance(value, str):
        host, colon, port = value.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if colon and re.fullmatch(r"\d{1,5}", port, re.ASCII) and int(port) < 65536:
            return Endpoint(host, int(port))
    raise _wrong(f"{_shown(value)} is not host:port", f'write it as "{example}"')


def _loopback_endpoint(value: object) -> Endpoint:
    endpoint = _endpoint(value, "127.0.0.1:9464")
    if not _is_loopback(endpoint.host):
        raise _wrong(
            "must be on loopback, the figures are not for the network",
            'write it as "127.0.0.1:9464"',
        )
    return endpoint


def _own_endpoint(value: object) -> Endpoint:
    """An address of this machine: loopback, or one that is written out."""
    endpoint = _endpoint(value, "127.0.0.1:8000")
    try:
        if endpoint.host != "localhost":
            ipaddress.ip_address(endpoint.host)
    except ValueError:
        raise _wrong(
            f"{_shown(endpoint.host)} is not an IP address of this machine",
            'write it as "127.0.0.1:8000"; names of the console belong into base_url',
        ) from None
    return endpoint


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(value: object) -> Network:
    try:
        if isinstance(value, str):
            return ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        pass
    raise _wrong(
        f"{_shown(value)} is not an IP address or network",
        'write it as "127.0.0.1" or "10.1.2.0/24"',
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Weekly:
    """A moment of every week in the district's zone; weekday 0 is Monday."""

    weekday: int
    at: time


def _weekly(value: object) -> Weekly:
    day, _, clock = value.partition(" ") if isinstance(value, str) else ("", "", "")
    try:
        return Weekly(_weekday(day), _local_time(clock.strip()))
    except PydanticCustomError:
        raise _wrong(
            f"{_shown(value)} is not a day and a time", 'write it as "mon 07:30"'
        ) from None


@dataclasses.dataclass(frozen=True, slots=True)
class SmtpServer:
    """The outgoing mail server; `security` says when TLS begins, user and password go together."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    user: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)


_LOCAL_SMTP = "smtp://127.0.0.1:1025"
_SMTP_FORMS: Mapping[str, tuple[Literal["none", "starttls", "tls"], int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),  # RFC 6409: submission
    "smtps": ("tls", 465),  # RFC 8314: implicit TLS
}


def _smtp_server(url: str, password: str | None) -> SmtpServer:
    """Read `mail.url`; raises a mistake that does not repeat it."""
    parts = _split_url(url, "smtp+starttls://user@host:587")
    if parts.scheme not in _SMTP_FORMS:
        raise _wrong("is not a mail server", "begin it with smtp://, smtp+starttls:// or smtps://")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _wrong(
            "has something after host and port",
            "end it after the port; write / ? # in a password as %2F %3F %23",
        )
    security, usual_port = _SMTP_FORMS[parts.scheme]
    user, secret = _login(parts, password)
    if user and security == "none" and not _is_loopback(parts.hostname):
        raise _wrong(
            "would send the password in the clear", "use smtp+starttls:// or smtps:// to log in"
        )
    return SmtpServer(parts.hostname or "", parts.port or usual_port, security, user, secret)


def _login(parts: SplitResult, password: str | None) -> tuple[str | None, str | None]:
    """User and password, from the URL and from `mail.password`."""
    user = unquote(parts.username) if parts.username else None
    written = unquote(parts.password) if parts.password else None
    if written and password:
        raise _wrong("has a password, and mail.password is set too", "keep only one of them")
    secret = written or password
    if user and not secret:
        raise _wrong(
            "names a user without a password",
            "set MEETBOT_MAIL__PASSWORD, or MEETBOT_MAIL__PASSWORD_FILE to a file that holds it",
        )
    if secret and not user:
        raise _wrong("has a password but no user", "write the user before the host: user@host")
    return user, secret


def _spreadsheet(value: str) -> str:
    if value.startswith("sheet:") and spreadsheet_id(value) is not None:
        return value
    raise _wrong(f"{_shown(value)} {WHAT_IS_WRONG}", HOW_TO_NAME)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Period = Annotated[Duration, AfterValidator(_positive)]
LocalTime = Annotated[time, BeforeValidator(_local_time)]
Weekday = Annotated[int, BeforeValidator(_weekday)]
DaysOff = Annotated[tuple[date, date], BeforeValidator(_days_off)]
Domain = Annotated[str, AfterValidator(_domain)]
Address = Annotated[str, AfterValidator(_address)]
Recipient = Annotated[str, AfterValidator(_address), AfterValidator(_recipient)]
Recipients = Annotated[tuple[Recipient, ...], AfterValidator(_without_repeats)]
Person = Annotated[str, AfterValidator(_address), AfterValidator(_person)]
People = Annotated[tuple[Person, ...], AfterValidator(_without_repeats)]
RuleId = Annotated[str, AfterValidator(_rule_id)]
HookName = Annotated[str, AfterValidator(_hook_name)]
ProgramKey = Annotated[str, AfterValidator(_program_type)]
UnitPath = Annotated[str, AfterValidator(_unit)]
Units = Annotated[tuple[UnitPath, ...], AfterValidator(_without_repeats)]
Count = Annotated[int, Field(strict=True, ge=0)]
Number = Annotated[int, BeforeValidator(_number)]


# --- meetbot.toml -------------------------------------------------------------------------------


class _Table(BaseModel):
    """A TOML table: unknown keys are mistakes, the result cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class District(_Table):
    """Who the district is: its zone, its domains, and which org units are staff or students."""

    name: Annotated[str, AfterValidator(_plain_text)]
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)]
    domains: Annotated[tuple[Domain, ...], AfterValidator(_some), AfterValidator(_without_repeats)]
    staff_units: Annotated[Units, AfterValidator(_some)]
    student_units: Annotated[Units, AfterValidator(_some)]
    not_staff_units: Units = ()

    @field_validator("student_units")
    @classmethod
    def _apart(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """One unit cannot hold staff and students."""
        staff = {unit.casefold() for unit in info.data.get("staff_units", ())}
        both = sorted(unit for unit in value if unit.casefold() in staff)
        if both:
            raise _wrong(
                f"{', '.join(map(_shown, both))} is listed in staff_units too",
                "list each unit once; a student unit below a staff unit is fine",
            )
        return value


class Google(_Table):
    """Access to Workspace; `api_root` None means Google's own hosts."""

    credentials: Annotated[Path, BeforeValidator(_filled)]
    admin_subject: Address
    api_root: Annotated[str, AfterValidator(_api_root)] | None = None


class Database(_Table):
    """Where meetbot keeps what it knows: a SQLAlchemy URL, which may hold a password."""

    url: Annotated[str, AfterValidator(_database_url)] = Field(repr=False)


class Mail(_Table):
    """How mail leaves and who gets it; all recipients are inside the district.

    `url` is set with transport `smtp`. Without privacy officers or operators the officers stand in
    for them. `daily` and `storm` limit mails about flags.
    """

    model_config = ConfigDict(validate_default=True)  # what is left out is a mistake or a stand-in

    # transport and password come first: reading the URL needs them.
    transport: Literal["smtp", "gmail"] = "smtp"
    password: str | None = Field(default=None, repr=False)
    url: str | None = Field(default=None, repr=False)
    sender: Address
    officers: Annotated[Recipients, AfterValidator(_some)]
    privacy_officers: Recipients = ()
    operators: Recipients = ()
    escalation: Recipients = ()
    daily: Number = 10
    storm: Number = 200
    contacts: Mapping[ProgramKey, Recipient] = {}

    @property
    def server(self) -> SmtpServer | None:
        """The mail server; None with transport `gmail`."""
        if self.transport != "smtp" or self.url is None:
            return None
        return _smtp_server(self.url, self.password)

    @field_validator("url")
    @classmethod
    def _usable(cls, value: str | None, info: ValidationInfo) -> str | None:
        transport = info.data.get("transport")  # None: it is wrong itself
        if transport == "smtp" and value is None:
            raise _wrong('is missing, transport "smtp" needs it', f'add url = "{_LOCAL_SMTP}"')
        if transport != "gmail" and value is not None:
            _smtp_server(value, info.data.get("password"))
        return value

    @field_validator("privacy_officers", "operators")
    @classmethod
    def _stand_in(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        officers: tuple[str, ...] = info.data.get("officers", ())
        return value or officers


class Schedule(_Table):
    """When the service works; `digest` and `weekly` are local times, `reminders` fall."""

    calendars: Period = timedelta(minutes=5)
    live: Period = timedelta(seconds=60)
    final_after: Period = timedelta(hours=24)
    outage_after: Period = timedelta(hours=2)
    lookback: Period = timedelta(days=7)
    horizon: Period = timedelta(days=30)
    reminders: tuple[Period, ...] = (timedelta(days=7), timedelta(hours=24), timedelta(hours=1))
    digest: LocalTime = time(7, 30)
    weekly: Annotated[Weekly, BeforeValidator(_weekly)] = Weekly(0, time(7, 30))

    @field_validator("reminders")
    @classmethod
    def _falling(cls, value: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        return tuple(sorted(set(value), reverse=True))


class Registry(_Table):
    """The spreadsheet that the service imports again and again, and how often; None: none."""

    source: Annotated[str, AfterValidator(_spreadsheet)] | None = None
    every: Period = timedelta(hours=1)

    @property
    def spreadsheet(self) -> str | None:
        """The id of the spreadsheet."""
        return None if self.source is None else spreadsheet_id(self.source)


class Oidc(_Table):
    """The identity provider (OpenID Connect) that says who somebody is."""

    issuer: Annotated[str, AfterValidator(_issuer)] = "https://accounts.google.com"
    client_id: Annotated[str, AfterValidator(_client_value)]
    client_secret: Annotated[str, AfterValidator(_client_value)] = Field(repr=False)


class Console(_Table):
    """The officers' web page; `base_url` has no slash at its end.

    Without `oidc` nobody can sign in, and there is no page. A role that is None has the people
    that `people` says. Without a `secret_key` the store makes one and keeps it.
    """

    oidc: Oidc | None = None  # comes first: checking the URL needs it
    base_url: Annotated[str, AfterValidator(_web_root)] = "http://127.0.0.1:8000"
    approvals_expire: Period = timedelta(days=14)
    four_eyes: tuple[Severity, ...] = ()
    """Severities of which a flag is upheld or dismissed by two officers."""
    listen: Annotated[Endpoint, BeforeValidator(_own_endpoint)] = Endpoint("127.0.0.1", 8000)
    officers: People | None = None
    privacy_officers: People | None = None
    operators: People | None = None
    keepers: People = ()
    auditors: People = ()
    trusted_proxies: tuple[Annotated[Network, BeforeValidator(_network)], ...] = ()
    secret_key: Annotated[bytes, BeforeValidator(_secret_key)] | None = Field(
        default=None, repr=False
    )

    @field_validator("base_url")
    @classmethod
    def _private(cls, value: str, info: ValidationInfo) -> str:
        """People sign in by HTTPS, or on this machine."""
        parts = urlsplit(value)
        if info.data.get("oidc") and parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise _wrong(
                "is http, which would send sessions in the clear",
                "write it with https://, and let a proxy before the console do TLS",
            )
        return value

    def people(self, mail: Mail) -> Mapping[str, tuple[str, ...]]:
        """Who has each role: those named here, else those whom mails of that kind go to."""
        return {
            "officers": mail.officers if self.officers is None else self.officers,
            "privacy_officers": (
                mail.privacy_officers if self.privacy_officers is None else self.privacy_officers
            ),
            "operators": mail.operators if self.operators is None else self.operators,
            "keepers": self.keepers,
            "auditors": self.auditors,
        }


class Service(_Table):
    """Where `run` answers health checks and gives Prometheus its figures: loopback only."""

    health: Annotated[Endpoint, BeforeValidator(_loopback_endpoint)] = Endpoint("127.0.0.1", 9464)


class Privacy(_Table):
    """The key of the pseudonyms; None lets the store make one and keep it."""

    pseudonym_key: Annotated[bytes, BeforeValidator(_secret_key)] | None = Field(
        default=None, repr=False
    )


class Webhook(_Table):
    """A program that is told of changes of flags; the name is the key of its table."""

    url: Annotated[str, AfterValidator(_hook_url)]
    secret: Annotated[str, AfterValidator(_hook_secret)] = Field(repr=False)
    events: Annotated[tuple[HookEvent, ...], AfterValidator(_some)] = tuple(HookEvent)
    internal: StrictBool = False
    """Whether it may lie inside the district's own network; a loopback URL always may."""

    @property
    def is_internal(self) -> bool:
        """Whether any address may be reached for it."""
        return self.internal or _is_loopback(urlsplit(self.url).hostname)


class _ConfigurationFile(_Table):
    district: District
    google: Google
    database: Database
    mail: Mail
    schedule: Schedule = Schedule()
    registry: Registry = Registry()
    console: Console = Console()
    service: Service = Service()
    privacy: Privacy = Privacy()
    webhooks: Mapping[HookName, Webhook] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """All that the district decided, checked; one section per table of `meetbot.toml`."""

    district: District
    google: Google
    database: Database
    mail: Mail
    schedule: Schedule
    registry: Registry
    console: Console
    service: Service
    privacy: Privacy
    webhooks: Mapping[str, Webhook]
    policy: Policy

    @property
    def link_root(self) -> str:
        """Where links of mails begin; empty where they would lead a reader to their own machine.

        A console on loopback is linked only if the Workspace is simulated on this machine too.
        """
        root, api_root = self.console.base_url, self.google.api_root
        if _is_loopback(urlsplit(root).hostname) and not (
            api_root and _is_loopback(urlsplit(api_root).hostname)
        ):
            return ""
        return root


# --- policy.toml --------------------------------------------------------------------------------


def _field_for(default: object) -> Any:
    """How a value of the policy is written, told by its default in the domain."""
    match default:
        case timedelta():
            return Duration
        case bool():
            return StrictBool
        case _:
            return Count


def _table_of(values: type) -> type[_Table]:
    """A TOML table with the names and defaults of a domain dataclass."""
    fields: dict[str, Any] = {
        field.name: (_field_for(field.default), field.default)
        for field in dataclasses.fields(values)
    }
    return create_model(values.__name__, __base__=_Table, **fields)


_ThresholdTable = _table_of(Thresholds)
_LimitTable = _table_of(Limits)
_USUAL = Policy()


class _School(_Table):
    days: Annotated[tuple[Weekday, ...], AfterValidator(_some)] = _USUAL.school_calendar.weekdays
    opens: LocalTime = _USUAL.school_calendar.opens
    closes: LocalTime = _USUAL.school_calendar.closes
    holidays: tuple[DaysOff, ...] = _USUAL.school_calendar.holidays

    @field_validator("closes")
    @classmethod
    def _after_opening(cls, value: time, info: ValidationInfo) -> time:
        if value <= info.data.get("opens", time.min):
            raise _wrong("is not after school.opens", "write a later time of the same day")
        return value


def _a_month(value: timedelta) -> timedelta:
    if value < _MONTH:
        raise _wrong(
            "is shorter than 30 days, for which late rows may still change a verdict",
            'write at least "30d"',
        )
    return value


class _Retention(_Table):
    attendance: Annotated[Duration, AfterValidator(_a_month)] = _USUAL.retention.attendance
    confidential: Annotated[Duration, AfterValidator(_a_month)] = _USUAL.retention.confidential
    evidence: Annotated[Duration, AfterValidator(_a_month)] = _USUAL.retention.evidence

    @field_validator("confidential", "evidence")
    @classmethod
    def _beside_attendance(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        attendance = info.data.get("attendance", value)
        if info.field_name == "evidence" and value < attendance:
            raise _wrong("is shorter than retention.attendance", "write a longer time")
        if info.field_name == "confidential" and value > attendance:
            raise _wrong("is longer than retention.attendance", "write a shorter time")
        return value


class _Accounts(_Table):
    delegates: tuple[Address, ...] = _USUAL.accounts.delegates
    webinar_hosts: tuple[Address, ...] = _USUAL.accounts.webinar_hosts

    @field_validator("delegates", "webinar_hosts")
    @classmethod
    def _sorted(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(value)))


FileWord = Annotated[str, AfterValidator(_file_word)]
FileWordList = Annotated[tuple[FileWord, ...], AfterValidator(_without_repeats)]


class _Files(_Table):
    roster: FileWordList = _USUAL.files.roster
    sensitive: FileWordList = _USUAL.files.sensitive
    harmless: FileWordList = _USUAL.files.harmless


class _RuleTable(_Table):
    enabled: StrictBool = True
    severity: Severity | None = None
    shadow: StrictBool = False

    @field_validator("shadow")
    @classmethod
    def _asked(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("enabled", True):
            raise _wrong(
                "is true for a rule that is switched off",
                "remove enabled = false to have it counted, or shadow = true to leave it off",
            )
        return value


class _PolicyFile(_Table):
    approved_platforms: tuple[Platform, ...] = tuple(_USUAL.approved_platforms)
    certificated_units: Units = ()
    thresholds: _ThresholdTable = _ThresholdTable()  # type: ignore[valid-type]
    limits: _LimitTable = _LimitTable()  # type: ignore[valid-type]
    school: _School = _School()
    retention: _Retention = _Retention()
    accounts: _Accounts = _Accounts()
    files: _Files = _Files()
    rules: Mapping[RuleId, _RuleTable] = {}


# --- reading ------------------------------------------------------------------------------------


def load_settings(
    file: Path | None, environ: Mapping[str, str], known_rules: Collection[str]
) -> Settings:
    """Read the configuration and the policy beside it; without that file the catalogue's values.

    `file` None means `$MEETBOT_CONFIG`, then `config/meetbot.toml`. Raises BadInput with every
    mistake of the file, the environment and the policy.
    """
    path = file or Path(environ.get(_CONFIG_VARIABLE) or DEFAULT_FILE)
    beside = path.with_name(POLICY_NAME)
    mistakes: list[Mistake] = []
    tables, policy = None, None
    try:
        tables = _read_tables(path, environ)
    except BadInput as wrong:
        mistakes += wrong.mistakes
    try:
        policy = load_policy(beside, known_rules) if beside.exists() else Policy()
    except BadInput as wrong:
        mistakes += wrong.mistakes
    if tables is None or policy is None:
        raise BadInput(mistakes)
    if tables.schedule.lookback > policy.retention.confidential:
        # What was deleted would be read again, and judged without its attendance.
        what = f"is longer than retention.confidential of {POLICY_NAME}"
        raise BadInput([Mistake(f"{path}: schedule.lookback", what, "write a shorter time")])
    sections = {name: getattr(tables, name) for name in _ConfigurationFile.model_fields}
    return Settings(**sections, policy=policy)


def is_named_or_there(file: Path | None, environ: Mapping[str, str]) -> bool:
    """Whether somebody names a configuration, or there is one where it is looked for."""
    return file is not None or bool(environ.get(_CONFIG_VARIABLE)) or DEFAULT_FILE.exists()


def load_policy(file: Path, known_rules: Collection[str]) -> Policy:
    """Read one policy file; raises BadInput with every mistake in it."""
    try:
        read = _PolicyFile.model_validate(_read_toml(file), context={"rules": known_rules})
    except ValidationError as error:
        raise BadInput(
            _mistake(details, _PolicyFile, f"{file}: {_dotted(details['loc'])}", POLICY_NAME)
            for details in _details(error)
        ) from None
    return Policy(
        thresholds=Thresholds(**dict(read.thresholds)),
        limits=Limits(**dict(read.limits)),
        approved_platforms=frozenset(read.approved_platforms),
        rules={
            rule: RuleSwitch(row.enabled, row.severity, row.shadow)
            for rule, row in read.rules.items()
        },
        school_calendar=SchoolCalendar(
            tuple(sorted(set(read.school.days))),
            read.school.opens,
            read.school.closes,
            tuple(sorted(set(read.school.holidays))),
        ),
        retention=Retention(**dict(read.retention)),
        accounts=SpecialAccounts(**dict(read.accounts)),
        files=FileWords(**dict(read.files)),
        certificated_units=read.certificated_units,
    )


def _read_tables(path: Path, environ: Mapping[str, str]) -> _ConfigurationFile:
    overlay = _Overlay(_read_toml(path), environ)
    context = {"domains": _own_domains(overlay.data)}
    try:
        tables = _ConfigurationFile.model_validate(overlay.data, context=context)
    except ValidationError as error:
        found = [
            _mistake(
                details,
                _ConfigurationFile,
                overlay.place(details["loc"]) or f"{path}: {_dotted(details['loc'])}",
                DEFAULT_FILE.name,
            )
            for details in _details(error)
            if not overlay.is_unread(details["loc"])
        ]
        raise BadInput([*overlay.mistakes, *found]) from None
    if overlay.mistakes:
        raise BadInput(overlay.mistakes)
    return tables


def _own_domains(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The district's domains, so that recipients can be checked whatever else is wrong."""
    try:
        found = TypeAdapter(tuple[Domain, ...]).validate_python(data["district"]["domains"])
    except (KeyError, TypeError, ValidationError):
        return ()
    return found


def _read_toml(path: Path) -> dict[str, Any]:
    """Parse one file; raises BadInput naming the file, and line and column of bad syntax."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        mistake = Mistake(
            str(path),
            "there is no such file",
            "write one with `meetbot init DIR`, or name yours with --config or MEETBOT_CONFIG",
        )
    except OSError as error:
        mistake = Mistake(str(path), f"cannot be read ({error.strerror})", "let meetbot read it")
    except UnicodeDecodeError:
        mistake = Mistake(str(path), "is not UTF-8 text", "save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        mistake = Mistake(
            str(path),
            f"is not TOML: {error}",
            'compare the line with the example of "meetbot init"',
        )
    raise BadInput([mistake])


class _Overlay:
    """The file's tables with the environment laid over them.

    `data` is what to validate, `mistakes` what the environment itself got wrong, `unread` the keys
    whose secret could not be read: they hold a stand-in and are not to be reported again.
    """

    def __init__(self, tables: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        self.data: dict[str, Any] = copy.deepcopy(dict(tables))
        self.mistakes: list[Mistake] = []
        self.unread: set[tuple[str, ...]] = set()
        self._origins: dict[tuple[str, ...], str] = {}
        known = {**_variables(), **_webhook_variables(tables)}
        # Sorted, so that MEETBOT_MAIL__CONTACTS comes before its single entries.
        for name in sorted(environ):
            if name.startswith(_PREFIX) and name != _CONFIG_VARIABLE:
                self._take(name, environ, known)

    def place(self, loc: tuple[int | str, ...]) -> str | None:
        """The variable a value came from, with its key; None if it came from the file."""
        for length in (3, 2):
            name = self._origins.get(tuple(map(str, loc[:length])))
            if name:
                return f"{name} ({_dotted(loc)})"
        return None

    def is_unread(self, loc: tuple[int | str, ...]) -> bool:
        """Whether a place lies in a secret that could not be read."""
        return any(loc[: len(path)] == path for path in self.unread)

    def _take(
        self, name: str, environ: Mapping[str, str], known: Mapping[str, tuple[str, ...]]
    ) -> None:
        plain = name.removesuffix("_FILE")
        if name in known:
            self._set(known[name], name, environ[name])
        elif _is_secret(known.get(plain, ())):
            self._take_file(name, plain, environ, known[plain])
        # Without "__" it names no key; it is worth a word only if it was meant to.
        elif "__" in name or difflib.get_close_matches(name, known, n=1, cutoff=0.9):
            self.mistakes.append(
                Mistake(name, "sets no key of the configuration", _similar(name, known))
            )

    def _take_file(
        self, name: str, plain: str, environ: Mapping[str, str], path: tuple[str, ...]
    ) -> None:
        if plain in environ:
            self.mistakes.append(
                Mistake(name, f"{plain} is set too", "keep only one of the two variables")
            )
            return
        try:
            secret = Path(environ[name]).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            secret = ""
        if not secret:
            self.unread.add(path)
            self.mistakes.append(
                Mistake(
                    name,
                    "names a file that cannot be read or is empty",
                    "name a UTF-8 file with the secret that meetbot may read",
                )
            )
        self._set(path, name, secret or "unreadable")

    def _set(self, path: tuple[str, ...], name: str, text: str) -> None:
        table = self.data
        for step in path[:-1]:
            table = table.setdefault(step, {})
            if not isinstance(table, dict):
                return  # the file has something else there, which is reported as such
        table[path[-1]] = _decoded(text, path)
        self._origins[path] = name


@cache
def _variables() -> Mapping[str, tuple[str, ...]]:
    """Every environment variable that sets a key, and the key's path."""
    paths: list[tuple[str, ...]] = []
    for section, table in _ConfigurationFile.model_fields.items():
        paths += [(section, key) for key in _keys(table.annotation)]
    paths += [("mail", "contacts", kind) for kind in ProgramType]
    paths.remove(("console", "oidc"))
    paths += [("console", "oidc", key) for key in _keys(Oidc)]
    return {_PREFIX + "__".join(path).upper().replace("-", "_"): path for path in paths}


def _webhook_variables(tables: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """The variables of the programs that the file names."""
    named = tables.get("webhooks")
    paths = [
        ("webhooks", name, key)
        for name in (named if isinstance(named, Mapping) else ())
        for key in Webhook.model_fields
    ]
    return {_PREFIX + "__".join(path).upper().replace("-", "_"): path for path in paths}


def _is_secret(path: tuple[str, ...]) -> bool:
    return path in _SECRETS or (path[:1] == ("webhooks",) and path[-1] == "secret")


def _decoded(text: str, path: tuple[str, ...]) -> object:
    """The value of a variable: lists as JSON or with commas, tables as JSON, all else as text."""
    origin = get_origin(_type_at(_ConfigurationFile, path))
    if origin is tuple and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if origin in (tuple, Mapping):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


# --- saying what is wrong -----------------------------------------------------------------------

_EXPECTED: Mapping[str, str] = {
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list in brackets",
    "mapping_type": "must be a table",
    "model_type": "must be a table",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "greater_than_equal": "must not be negative",
    "path_type": "must be a file name in quotes",
}


def _details(error: ValidationError) -> list[ErrorDetails]:
    """pydantic's mistakes without the values, which may be secret."""
    return error.errors(include_url=False, include_input=False)


def _mistake(details: ErrorDetails, model: type[_Table], place: str, example: str) -> Mistake:
    """One of pydantic's errors in the words of the person who wrote the file."""
    loc, kind, extra = details["loc"], details["type"], details.get("ctx", {})
    match kind:
        case "meetbot":
            return Mistake(place, extra["what"], extra["fix"])
        case "extra_forbidden":
            known = _keys(_type_at(model, loc[:-1]))
            return Mistake(place, "is not a key meetbot knows", _similar(str(loc[-1]), known))
        case "missing":
            return Mistake(place, "is missing", _as_in_example(loc, example, "add it"))
        case "literal_error" | "enum":
            return Mistake(place, "is not one of the choices", f"use {extra['expected']}")
        case _:
            what = _EXPECTED.get(kind, details["msg"])
            return Mistake(place, what, _as_in_example(loc, example, "write it"))


def _as_in_example(loc: tuple[int | str, ...], name: str, verb: str) -> str:
    """A fix that shows the line of the template, or names the template where it has none."""
    value: Any = _example(name)
    for step in loc:
        if isinstance(value, dict) and step in value:
            value = value[step]
    if isinstance(value, dict):
        return f"{verb} as in the {name} that `meetbot init DIR` writes"
    keys = [step for step in loc if isinstance(step, str)]
    return f"{verb}, for example: {keys[-1]} = {json.dumps(value)}"


@cache
def _example(name: str) -> dict[str, Any]:
    template = resources.files("meetbot") / "templates" / "config" / name
    return tomllib.loads(template.read_text(encoding="utf-8"))


def _dotted(loc: tuple[int | str, ...]) -> str:
    """`mail.officers[0]`, as a person would name the place."""
    steps = [step for step in loc if step != "[key]"]  # pydantic's mark for a bad key of a table
    return "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps
    ).removeprefix(".")


def _keys(kind: object) -> list[str]:
    """The keys a table may have."""
    if isinstance(kind, type) and issubclass(kind, _Table):
        return list(kind.model_fields)
    return []


def _type_at(model: type[_Table], loc: Iterable[int | str]) -> object:
    """What is declared at a place: a table, or the type of a value."""
    kind: Any = model
    for step in loc:
        if get_origin(kind) is Mapping:
            kind = get_args(kind)[1]
        elif isinstance(kind, type) and issubclass(kind, _Table):
            kind = _without_none(kind.model_fields[str(step)].annotation)
    return kind


def _without_none(kind: Any) -> Any:
    """The type of a value that may also be absent."""
    kinds = [k for k in get_args(kind) if k is not type(None)]
    if get_origin(kind) not in (Union, UnionType) or len(kinds) != 1:
        return kind
    return get_args(kinds[0])[0] if get_origin(kinds[0]) is Annotated else kinds[0]
