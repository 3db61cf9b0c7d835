"""The discovery documents that ship with google-api-python-client, compiled into checks.

Every request is matched to a documented method; unknown parameters, wrong types, enums, patterns
and missing values are refused, and bodies are compared with the documented schemas.
"""

import importlib.util
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import msgspec
import orjson

from meetbot.sandbox.faults import Api
from meetbot.sandbox.replies import ApiError
from meetbot.sandbox.times import parse_instant

DOCUMENTS = {
    Api.CALENDAR: "calendar.v3",
    Api.MEET: "meet.v2",
    Api.DIRECTORY: "admin.directory_v1",
    Api.REPORTS: "admin.reports_v1",
    Api.GMAIL: "gmail.v1",
    Api.SHEETS: "sheets.v4",
}
_RANGES = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1)}

Json = dict[str, object]
Mask = Mapping[str, "Mask"]
Value = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One documented query or path parameter."""

    name: str
    read: Callable[[str], Value]
    repeated: bool
    required: bool


@dataclass(frozen=True, slots=True)
class Method:
    """One documented method. `segments` holds None where the path has a parameter."""

    api: Api
    method_id: str
    http: str
    template: str
    segments: tuple[str | None, ...]
    path_names: tuple[str, ...]
    query: Mapping[str, Parameter]
    path: Mapping[str, Parameter]
    scopes: frozenset[str]
    request: str
    response: str

    def arguments(self, pairs: Sequence[tuple[str, str]]) -> dict[str, Value]:
        """The query as typed values. Raises ApiError 400 for what is not documented."""
        found: dict[str, Value] = {}
        for name, text in pairs:
            known = self.query.get(name)
            if known is None:
                raise ApiError(
                    400,
                    f'Invalid JSON payload received. Unknown name "{name}": '
                    "Cannot bind query parameter. Field could not be found in request message.",
                    "invalidParameter",
                    location=name,
                )
            value = _read(known, text)
            if not known.repeated:
                found[name] = value
                continue
            earlier = found.setdefault(name, [])
            assert isinstance(earlier, list)
            earlier.append(str(value))
        for name, known in self.query.items():
            if known.required and name not in found:
                raise ApiError(400, f"Required parameter: {name}", "required", location=name)
        return found


def _read(parameter: Parameter, text: str) -> Value:
    try:
        return parameter.read(text)
    except ValueError as error:
        raise ApiError(
            400,
            f"Invalid value at '{parameter.name}': {error}",
            "invalidParameter",
            location=parameter.name,
        ) from None


def _reader(spec: Json) -> Callable[[str], Value]:
    """A function from query text to a checked value; it raises ValueError."""
    kind, pattern, choices = spec.get("type"), spec.get("pattern"), spec.get("enum")
    if kind == "boolean":
        return _boolean
    if kind == "integer":
        return _integer_reader(spec)
    if isinstance(choices, list):
        allowed = frozenset(str(one) for one in choices)
        return lambda text: _one_of(text, allowed)
    if isinstance(pattern, str):
        compiled = re.compile(pattern)
        return lambda text: _like(text, compiled)
    if spec.get("format") == "date-time":
        return _date_time
    return str


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f'"{text}" is not a boolean')
    return text == "true"


def _integer_reader(spec: Json) -> Callable[[str], Value]:
    low, high = _RANGES[str(spec.get("format", "int32"))]
    low = max(low, int(str(spec.get("minimum", low))))
    high = min(high, int(str(spec.get("maximum", high))))

    def read(text: str) -> int:
        number = int(text) if re.fullmatch(r"[+-]?\d+", text) else None
        if number is None or not low <= number <= high:
            raise ValueError(f'"{text}" is not a whole number in [{low}, {high}]')
        return number

    return read


def _one_of(text: str, allowed: frozenset[str]) -> str:
    if text not in allowed:
        raise ValueError(f'"{text}" is not one of [{", ".join(sorted(allowed))}]')
    return text


def _like(text: str, pattern: re.Pattern[str]) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(f'"{text}" does not match the pattern {pattern.pattern}')
    return text


def _date_time(text: str) -> str:
    parse_instant(text)
    return text


@dataclass(frozen=True, slots=True)
class Document:
    """One API's methods and schemas."""

    api: Api
    methods: Sequence[Method]
    schemas: Mapping[str, Json]
    masks: dict[tuple[str, str], Mask] = field(default_factory=dict)

    def mask(self, method: Method, text: str) -> Mask:
        """The compiled `fields` parameter. Raises ApiError 400 for fields that do not exist."""
        key = (method.response, text)
        if key not in self.masks:
            try:
                tree = parse_mask(text)
            except ValueError as error:
                raise ApiError(
                    400,
                    f"Invalid field selection {text}: {error}",
                    "invalidParameter",
                    location="fields",
                ) from None
            self._known_fields(tree, {"$ref": method.response})
            self.masks[key] = tree
        return self.masks[key]

    def _known_fields(self, tree: Mask, schema: Json) -> None:
        properties = self._properties(schema)
        if properties is None:
            return
        for name, below in tree.items():
            if name == "*":
                continue
            inner = properties.get(name)
            if not isinstance(inner, dict):
                raise ApiError(
                    400, f"Invalid field selection {name}", "invalidParameter", location="fields"
                )
            self._known_fields(below, inner)

    def _properties(self, schema: Json) -> Json | None:
        """Fields of an object schema or of a list's items; None where anything may stand."""
        schema = self._resolve(schema)
        items = schema.get("items")
        if isinstance(items, dict):
            return self._properties(items)
        properties = schema.get("properties")
        return properties if isinstance(properties, dict) else None

    def _resolve(self, schema: Json) -> Json:
        ref = schema.get("$ref")
        return self.schemas[ref] if isinstance(ref, str) else schema

    def problems(self, value: object, schema: Json, where: str = "") -> list[str]:
        """Where a JSON value departs from a schema, as sentences; empty if it fits."""
        schema = self._resolve(schema)
        kind = schema.get("type")
        if kind == "object":
            return self._object_problems(value, schema, where)
        if kind == "array":
            if not isinstance(value, list):
                return [f"{where} is not a list"]
            items = schema.get("items")
            assert isinstance(items, dict)
            return [
                problem
                for number, one in enumerate(value)
                for problem in self.problems(one, items, f"{where}[{number}]")
            ]
        return _scalar_problems(value, schema, where)

    def _object_problems(self, value: object, schema: Json, where: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{where} is not an object"]
        properties, further = schema.get("properties", {}), schema.get("additionalProperties")
        assert isinstance(properties, dict)
        found = []
        for name, one in value.items():
            inner = properties.get(name, further)
            if not isinstance(inner, dict):
                found.append(f"{where}.{name} is not in the schema")
            else:
                found += self.problems(one, inner, f"{where}.{name}")
        return found


def _scalar_problems(value: object, schema: Json, where: str) -> list[str]:
    kind, form = schema.get("type"), schema.get("format")
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "any": True,
    }
    if not fits[str(kind)]:
        return [f"{where} is not a {kind}"]
    if form in ("int64", "uint64") and not re.fullmatch(r"-?\d+", str(value)):
        return [f"{where} is not a number in a string"]
    if form in ("date-time", "google-datetime"):
        try:
            parse_instant(str(value))
        except ValueError:
            return [f"{where} is not an instant"]
    choices = schema.get("enum")
    if isinstance(choices, list) and value not in choices:
        return [f"{where} is none of {choices}"]
    return []


# --- field masks ---------------------------------------------------------------------------------


def parse_mask(text: str) -> Mask:
    """`items(id,start/dateTime),nextPageToken` as a tree. Raises ValueError with the place."""
    tree, rest = _selection(text)
    if rest:
        raise ValueError(f"selection ends before {rest!r}")
    return tree


def _selection(text: str) -> tuple[dict[str, Mask], str]:
    tree: dict[str, Mask] = {}
    while True:
        match = re.match(r"\s*([\w*@$-]+(?:/[\w*@$-]+)*)\s*", text)
        if match is None:
            raise ValueError(f"selection needs a field before {text!r}")
        names, text = match[1].split("/"), text[match.end() :]
        below: dict[str, Mask] = {}
        if text.startswith("("):
            below, text = _selection(text[1:])
            if not text.startswith(")"):
                raise ValueError(f"selection needs a closing parenthesis before {text!r}")
            text = text[1:].lstrip()
        _graft(tree, names, below)
        if not text.startswith(","):
            return tree, text
        text = text[1:]


def _graft(tree: dict[str, Mask], names: list[str], below: dict[str, Mask]) -> None:
    for name in names:
        inner = tree.setdefault(name, {})
        assert isinstance(inner, dict)
        tree = inner
    tree.update(below)


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


def masked(content: bytes | msgspec.Raw, mask: Mask) -> bytes:
    """Of a JSON text only what the mask names; an empty mask keeps all below.

    What is kept whole is not parsed: a page of the audit log is large.
    """
    raw = bytes(content)
    if not mask or "*" in mask:
        return raw
    if raw[:1] == b"[":
        return b"[" + b",".join(masked(one, mask) for one in _LIST.decode(raw)) + b"]"
    if raw[:1] != b"{":
        return raw
    found = _OBJECT.decode(raw)
    kept = (
        orjson.dumps(name) + b":" + masked(found[name], inner)
        for name, inner in mask.items()
        if name in found
    )
    return b"{" + b",".join(kept) + b"}"


# --- loading -------------------------------------------------------------------------------------


@cache
def load_document(api: Api) -> Document:
    """The bundled document of one API, compiled."""
    spec = importlib.util.find_spec("googleapiclient")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0], "discovery_cache", "documents")
    raw = json.loads((folder / f"{DOCUMENTS[api]}.json").read_bytes())
    return Document(api, tuple(_methods(api, raw, raw)), raw["schemas"])


def _methods(api: Api, raw: Json, resource: Json) -> list[Method]:
    methods, resources = resource.get("methods", {}), resource.get("resources", {})
    assert isinstance(methods, dict)
    assert isinstance(resources, dict)
    found = [_method(api, raw, one) for one in methods.values()]
    for inner in resources.values():
        found += _methods(api, raw, inner)
    return found


def _method(api: Api, raw: Json, spec: Json) -> Method:
    template = f"{raw['servicePath']}{spec.get('flatPath', spec['path'])}"
    own, common = spec.get("parameters", {}), raw["parameters"]
    scopes, request, response = spec.get("scopes", []), spec.get("request"), spec.get("response")
    assert isinstance(own, dict)
    assert isinstance(common, dict)
    assert isinstance(scopes, list)
    parts = template.split("/")
    by_place = {
        place: {
            name: _parameter(name, one) for name, one in own.items() if one["location"] == place
        }
        for place in ("path", "query")
    }
    return Method(
        api=api,
        method_id=str(spec["id"]),
        http=str(spec["httpMethod"]),
        template=template,
        segments=tuple(None if part.startswith("{") else part for part in parts),
        path_names=tuple(part.strip("{}+") for part in parts if part.startswith("{")),
        query=by_place["query"] | {name: _parameter(name, one) for name, one in common.items()},
        path=by_place["path"],
        scopes=frozenset(str(one) for one in scopes),
        request=str(request["$ref"]) if isinstance(request, dict) else "",
        response=str(response["$ref"]) if isinstance(response, dict) else "",
    )


def _parameter(name: str, spec: Json) -> Parameter:
    return Parameter(
        name, _reader(spec), spec.get("repeated") is True, spec.get("required") is True
    )


@dataclass(frozen=True, slots=True)
class Match:
    """A request's method and the decoded parts of its path."""

    method: Method
    path: Mapping[str, str]


class Router:
    """Finds the documented method of a request."""

    def __init__(self) -> None:
        self._by_shape: dict[tuple[str, int], list[Method]] = {}
        for api in DOCUMENTS:
            for method in load_document(api).methods:
                shape = (method.http, len(method.segments))
                self._by_shape.setdefault(shape, []).append(method)
        for methods in self._by_shape.values():
            methods.sort(key=lambda one: one.segments.count(None))

    def match(self, http: str, path: str) -> Match | None:
        """The method for a raw (still percent-encoded) path, or None. A literal part wins."""
        parts = path.lstrip("/").split("/")
        for method in self._by_shape.get((http, len(parts)), ()):
            if all(
                known is None or known == part
                for known, part in zip(method.segments, parts, strict=True)
            ):
                values = [
                    unquote(part)
                    for known, part in zip(method.segments, parts, strict=True)
                    if known is None
                ]
                return Match(method, dict(zip(method.path_names, values, strict=True)))
        return None


def check_path(match: Match) -> None:
    """Compares the parts of the path with their documented enums and patterns.

    Raises ApiError 400. Parts of flattened names (`conferenceRecordsId`) have no rule of their own.
    """
    for name, text in match.path.items():
        known = match.method.path.get(name)
        if known is not None:
            _read(known, text)
