"""One checked request on its way to a handler, and the paging all list methods share."""

import base64
import binascii
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import orjson

from meetbot.sandbox.discovery import Json, Mask, Method, Value
from meetbot.sandbox.model import User
from meetbot.sandbox.replies import ApiError
from meetbot.sandbox.times import parse_instant
from meetbot.sandbox.world import World

T = TypeVar("T")
# What may change from page to page without making it another listing.
_FREE = frozenset({"pageToken", "pageSize", "maxResults", "quotaUser", "fields", "prettyPrint"})


@dataclass(slots=True)
class Call:
    """A request that passed the checks of discovery, token and scope."""

    world: World
    method: Method
    path: Mapping[str, str]
    args: Mapping[str, Value]
    subject: User | None
    body: Json
    mask: Mask
    now: datetime

    def text(self, name: str) -> str:
        """A string parameter, empty if not given."""
        return str(self.args.get(name, ""))

    def flag(self, name: str) -> bool:
        """A boolean parameter, False if not given."""
        return self.args.get(name) is True

    def texts(self, name: str) -> list[str]:
        """A repeated parameter."""
        found = self.args.get(name, [])
        assert isinstance(found, list)
        return found

    def instant(self, name: str) -> datetime | None:
        """A date-time parameter."""
        value = self.args.get(name)
        return None if value is None else parse_instant(str(value))

    def number(self, name: str, default: int) -> int:
        """A whole-number parameter."""
        value = self.args.get(name, default)
        assert isinstance(value, int)
        return value

    def page_size(self, name: str, default: int, most: int) -> int:
        """How many items go on the page: too large is silently reduced, 0 is the default.

        Raises ApiError 400 for a negative size.
        """
        size = self.number(name, default) or default
        if size < 0:
            raise ApiError(400, f"{name} must not be negative.", "invalidParameter")
        cap = self.world.shaping.page_cap
        return min(size, most, cap if cap is not None else most)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a listing a page starts; `kept` is what the first page fixed for all."""

    after: list[Any] | None
    kept: dict[str, Any]
    first: bool


def encode(value: object) -> str:
    """A JSON value as an opaque token."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def decode(token: str) -> Any:
    """The value in a token. Raises ValueError for a token not made here."""
    try:
        return orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, orjson.JSONDecodeError) as error:
        raise ValueError("not a token") from error


def place_of(call: Call) -> Place:
    """Reads `pageToken`. Raises ApiError 400 if it belongs to another listing."""
    text = call.text("pageToken")
    if not text:
        return Place(None, {}, first=True)
    try:
        check, after, kept = decode(text)
    except (ValueError, TypeError):
        check = after = kept = None
    if check != _fingerprint(call):
        raise ApiError(400, "Invalid page token.", "invalid", location="pageToken")
    return Place(after, kept, first=False)


def page_token(call: Call, after: object, kept: Mapping[str, object]) -> str:
    """The token of the page after `after`."""
    return encode([_fingerprint(call), after, kept])


def _fingerprint(call: Call) -> int:
    asked = sorted((name, value) for name, value in call.args.items() if name not in _FREE)
    subject = call.subject.email if call.subject else ""
    listing = [call.method.method_id, sorted(call.path.items()), asked, subject, call.world.epoch]
    return zlib.crc32(orjson.dumps(listing))


def cut_page(
    call: Call,
    items: Iterable[T],
    key: Callable[[T], list[Any]],
    place: Place,
    size: int,
    kept: Mapping[str, object] | None = None,
) -> tuple[list[T], str | None]:
    """One page of a listing and the token of the next, None on the last.

    `key` gives JSON values that sort in the order of the answer, so items that come or go between
    two pages neither repeat nor hide others. With `empty_pages` the first page holds nothing.
    """
    kept = kept or {}
    if place.first and call.world.shaping.empty_pages:
        return [], page_token(call, None, kept)
    keyed = sorted(((key(item), number, item) for number, item in enumerate(items)))
    rest = [entry for entry in keyed if place.after is None or entry[0] > place.after]
    page = rest[:size]
    token = page_token(call, page[-1][0], kept) if len(rest) > size else None
    return [item for _, _, item in page], token
