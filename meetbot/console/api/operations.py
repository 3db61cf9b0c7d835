"""What the API can do: each operation with its models, who may, and the OpenAPI document of all."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, cast

from flask import Response, g, request
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from meetbot.console.access import note_of, public
from meetbot.console.api.models import CASE_ID, FLAG_ID, Problem
from meetbot.console.api.problems import TYPE, Refused, refused
from meetbot.console.services import services
from meetbot.domain.access_log import AccessAction
from meetbot.domain.tokens import PREFIX, ApiToken, Scope, token_digest
from meetbot.errors import MeetbotError, Mistake

Model = TypeVar("Model", bound=BaseModel)
View = Callable[..., Response]

_USE_NOTED_EVERY = timedelta(minutes=1)
_PARTS = {"case_id": CASE_ID, "flag_id": FLAG_ID}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path; `errors` are statuses besides those that every operation has."""

    method: str
    path: str
    name: str
    summary: str
    scope: Scope
    answer: type[BaseModel]
    status: int = 200
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the request, with what each does."""
    errors: tuple[int, ...] = ()


OPERATIONS: list[Operation] = []


def operation(of: Operation) -> Callable[[View], View]:
    """Have a view guarded and described; it finds what was sent with `query_of` and `body_of`."""
    OPERATIONS.append(of)

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def guarded(**parts: str) -> Response:
            g.token = _token(of.scope)
            try:
                return view(**parts)
            except MeetbotError as error:
                raise refused(error) from error

        return public(guarded)

    return wrap


# --- who asks -----------------------------------------------------------------------------------


def current_token() -> ApiToken:
    """The token of this request."""
    return cast(ApiToken, g.token)


def _token(scope: Scope) -> ApiToken:
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    given = services()
    now = given.clock()
    token = None
    if kind.lower() == "bearer" and text.startswith(PREFIX):
        with given.deps.store.reading() as tx:
            token = tx.tokens.find(token_digest(text.strip()))
    if token is None or not token.is_good(now):
        note_of(token.id if token else "", (), AccessAction.REFUSED, _asked(), reason="token")
        challenge = 'Bearer realm="meetbot"'
        raise Refused(401, "Send a token as Authorization: Bearer mbt_…", challenge=challenge)
    if token.used_at is None or now - token.used_at > _USE_NOTED_EVERY:
        with given.deps.store.transaction() as tx:
            tx.tokens.used(token.id, at=now)
    if scope not in token.scopes:
        note_of(token.id, token.scopes, AccessAction.REFUSED, _asked(), reason="scope")
        raise Refused(403, f"The token lacks the scope {scope}.")
    return token


def note_program(action: AccessAction, subject: str, *, reason: str = "") -> None:
    """Add a line to the access log, about the program that asks."""
    token = current_token()
    note_of(token.id, token.scopes, action, subject, reason=reason)


def _asked() -> str:
    return request.endpoint or ""


# --- what was sent ------------------------------------------------------------------------------


def query_of(model: type[Model]) -> Model:
    """The query as a model; raises Refused with every mistake."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        mistake = Mistake(repeated[0][:40], "is there more than once", "give it once")
        raise Refused(422, "Correct every place named.", (mistake,))
    return _validated(lambda: model.model_validate_strings(request.args.to_dict()))


def body_of(model: type[Model]) -> Model:
    """The JSON body as a model; raises Refused with every mistake."""
    if request.mimetype != "application/json":
        raise Refused(415, "The body has to be application/json.")
    try:
        document = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not JSON.") from None
    return _validated(lambda: model.model_validate(document))


def _validated(make: Callable[[], Model]) -> Model:
    try:
        return make()
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        raise Refused(
            422,
            "Correct every place named.",
            tuple(
                Mistake(
                    ".".join(str(step)[:40] for step in one["loc"]) or "body",
                    one["msg"],
                    "see /api/v1/openapi.json",
                )
                for one in details
            ),
        ) from None


# --- OpenAPI ------------------------------------------------------------------------------------


def openapi(server: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of all operations; `server` is the console's own address."""
    models = {Problem} | {
        model for one in OPERATIONS for model in (one.answer, one.body) if model is not None
    }
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation") for model in ordered],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, Any] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method] = _described(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "meetbot", "version": "1"},
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(one: Operation) -> dict[str, Any]:
    statuses = {401, 403, 429, 503, *one.errors}
    if one.query is not None:
        statuses.add(422)
    if one.body is not None:
        statuses |= {400, 413, 415, 422}
    if "{" in one.path:
        statuses.add(404)
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "description": f"Scope: {one.scope}.",
        "parameters": [*_path(one), *_query(one), *_headers(one)],
        "responses": {
            str(one.status): {
                "description": "Done",
                "content": {"application/json": {"schema": _ref(one.answer)}},
            }
        }
        | {
            str(status): {
                "description": "Refused",
                "content": {TYPE: {"schema": _ref(Problem)}},
            }
            for status in sorted(statuses)
        },
    }
    if one.body is not None:
        content = {"application/json": {"schema": _ref(one.body)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _path(one: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{pattern}$"},
        }
        for name, pattern in _PARTS.items()
        if f"{{{name}}}" in one.path
    ]


def _query(one: Operation) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    schema = one.query.model_json_schema(ref_template="#/components/schemas/{model}")
    choices = schema.get("$defs", {})
    return [
        {"name": name, "in": "query", "schema": _plain(value, choices)}
        for name, value in schema["properties"].items()
    ]


def _plain(value: dict[str, Any], choices: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter's schema: in a query nothing is null, and enumerations stand where they are."""
    kinds = [kind for kind in value.get("anyOf", [value]) if kind.get("type") != "null"]
    kind = dict(kinds[0])
    name = kind.pop("$ref", "").rpartition("/")[2]
    return {
        k: v for k, v in (kind | choices.get(name, {})).items() if k not in ("title", "default")
    }


def _headers(one: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
        for name, text in one.headers.items()
    ]
