"""Column types: instants as integers, texts that any engine takes, documents as JSON.

Titles, uids and names come from strangers, so a text may hold NUL, lone surrogates or a megabyte:
PostgreSQL takes none of these in an index. `clean` and `clean_key` say what becomes of them.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError
from sqlalchemy import BigInteger, Dialect, Text, TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST_KEY = 600
_KEPT_OF_LONG_KEY = 400


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970; raises `ValueError` for an instant without a zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The instant in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def clean(text: str) -> str:
    """Without NUL and lone surrogates; unchanged in every sane case."""
    if "\0" not in text and (text.isascii() or not _has_surrogates(text)):
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def clean_key(text: str) -> str:
    """`clean`, and short enough for an index: the rest of a long text becomes its SHA-256."""
    if len(text) <= _LONGEST_KEY and text.isascii() and "\0" not in text:
        return text
    text = clean(text)
    if len(text) <= _LONGEST_KEY:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text[:_KEPT_OF_LONG_KEY]}~{digest}"


def clean_code(code: str) -> str:
    """A Meet code in the form in which those of both sources are compared."""
    return clean_key(code.replace("-", "").strip().lower())


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


class Instant(TypeDecorator[datetime]):
    """A moment, exact to the microsecond on every engine; always aware and in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: D102, ARG002
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: D102, ARG002
        return None if value is None else from_micros(value)


class Key(TypeDecorator[str]):
    """A text that is searched for: see `clean_key`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: D102, ARG002
        return None if value is None else clean_key(value)


class Words(TypeDecorator[str]):
    """A text that is only read back: see `clean`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: D102, ARG002
        return None if value is None else clean(value)


class Document(TypeDecorator[Any]):
    """A value of the domain as JSON. A field added later with a default is filled in on reading."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: D102, ARG002
        return None if value is None else dump(self.kind, value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: D102, ARG002
        return None if value is None else read(self.kind, value)


def dump(kind: Any, value: Any) -> str:
    """A domain value as JSON text."""
    adapter = _adapter(kind)
    try:
        return adapter.dump_json(value).decode()
    except PydanticSerializationError:
        cleaned = _cleaned(adapter.dump_python(value, mode="json"))
        return json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"))


def read(kind: Any, text: str | bytes) -> Any:
    """The domain value that `dump` gave; raises `ValueError` where it is none."""
    return _adapter(kind).validate_json(text)


def parse(kind: Any, text: str) -> Any:
    """The domain value in a JSON text; None if it cannot be one any more."""
    try:
        return read(kind, text)
    except ValidationError:
        return None


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case dict():
            return {_cleaned(key): _cleaned(item) for key, item in value.items()}
        case list():
            return [_cleaned(item) for item in value]
        case _:
            return value


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """One adapter for each kind of document; there are a dozen."""
    return TypeAdapter(kind)
