"""The operations of `/api/v1`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel

from meetbot.console.access import Role, public, viewer_of
from meetbot.console.api.models import (
    CaseDetail,
    CaseFilter,
    CaseList,
    CaseModel,
    CoverageModel,
    DecisionAnswer,
    DecisionBody,
    EventModel,
    FlagFilter,
    FlagList,
    FlagModel,
)
from meetbot.console.api.operations import (
    Operation,
    body_of,
    current_token,
    note_program,
    openapi,
    operation,
    query_of,
)
from meetbot.console.api.problems import Refused
from meetbot.console.services import services
from meetbot.domain.access_log import AccessAction
from meetbot.domain.case_ids import case_id as case_id_of
from meetbot.domain.casework import Case, EventKind, shown
from meetbot.domain.flags import FlagStatus
from meetbot.domain.tokens import Scope
from meetbot.errors import Mistake
from meetbot.jobs import cases as work
from meetbot.jobs.digest import coverage
from meetbot.ports import CaseOrder, CaseQuery, Tx

T = TypeVar("T")

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

_STATUSES = {
    "open": frozenset(s for s in FlagStatus if s.is_pending),
    "closed": frozenset(s for s in FlagStatus if not s.is_pending),
    "all": frozenset(FlagStatus),
}
_LONGEST_ID = 20
_KEY = "Idempotency-Key"
_KEY_KEPT = timedelta(hours=24)
_DECISION_HEADERS = {
    "If-Match": 'The ETag of the case that was decided on, such as "7"',
    _KEY: "Up to 200 characters; the same key with the same body gives the same answer for a day",
}


def _answer(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(by_alias=True), status, content_type="application/json")


@blueprint.get("/openapi.json")
@public
def document() -> Response:
    """What there is; for everybody, for it says nothing about anybody."""
    return Response(
        json.dumps(openapi(services().config.base_url)), content_type="application/json"
    )


# --- reading ------------------------------------------------------------------------------------


@blueprint.get("/cases")
@operation(
    Operation(
        "get",
        "/api/v1/cases",
        "listCases",
        "List cases",
        Scope.READ,
        CaseList,
        query=CaseFilter,
    )
)
def list_cases() -> Response:
    """A page of cases."""
    wanted = query_of(CaseFilter)
    query = CaseQuery(
        statuses=_only(wanted.status),
        severities=_only(wanted.severity),
        rules=_only(wanted.rule),
        partners=_only(wanted.partner),
        schools=_only(wanted.school),
        private=_is_privy(),
    )
    with services().deps.store.reading() as tx:
        page = tx.cases.list(
            query, order=CaseOrder(wanted.order), after=wanted.after, limit=wanted.limit
        )
    note_program(AccessAction.READ, "api.list_cases")
    cases = [CaseModel.of(case) for case in page.cases]
    return _answer(CaseList(cases=cases, next=page.after))


def _only(value: T | None) -> frozenset[T] | None:
    return None if value is None else frozenset({value})


@blueprint.get("/cases/<case_id>")
@operation(
    Operation("get", "/api/v1/cases/{case_id}", "getCase", "Read a case", Scope.READ, CaseDetail)
)
def get_case(case_id: str) -> Response:
    """A case with its flags and events; the ETag is its version."""
    with services().deps.store.reading() as tx:
        case = _seen(tx, case_id)
        detail = CaseDetail(
            case=CaseModel.of(case),
            flags=[
                FlagModel.of(flag)
                for flag in shown(tx.flags.of(case.occurrence), private=_is_privy())
            ],
            events=[EventModel.of(event) for event in tx.cases.events(case.id)],
        )
    note_program(AccessAction.READ, case.id)
    answer = _answer(detail)
    answer.set_etag(str(case.version))
    return answer


def _seen(tx: Tx, case_id: str) -> Case:
    """A case that this token may read; whether it exists is told to no other."""
    case = tx.cases.find(case_id)
    if case is None or (case.is_private and not _is_privy()):
        note_program(AccessAction.REFUSED, case_id[:_LONGEST_ID], reason="object")
        raise Refused(404, "There is no such case, or it is not for this token.")
    return case


def _is_privy() -> bool:
    return Scope.PRIVATE in current_token().scopes


@blueprint.get("/flags")
@operation(
    Operation(
        "get",
        "/api/v1/flags",
        "listFlags",
        "List flags",
        Scope.READ,
        FlagList,
        query=FlagFilter,
    )
)
def list_flags() -> Response:
    """A page of flags."""
    wanted = query_of(FlagFilter)
    with services().deps.store.reading() as tx:
        flags, after = tx.flags.page(
            statuses=_STATUSES[wanted.status],
            rule=wanted.rule,
            private=_is_privy(),
            after=wanted.after,
            limit=wanted.limit,
        )
    note_program(AccessAction.READ, "api.list_flags")
    return _answer(FlagList(flags=[FlagModel.of(flag) for flag in flags], next=after))


@blueprint.get("/flags/<flag_id>")
@operation(
    Operation("get", "/api/v1/flags/{flag_id}", "getFlag", "Read a flag", Scope.READ, FlagModel)
)
def get_flag(flag_id: str) -> Response:
    """One flag."""
    with services().deps.store.reading() as tx:
        flag = tx.flags.get(flag_id)
        _seen(tx, case_id_of(flag.key.occurrence))
    if not shown([flag], private=_is_privy()):
        note_program(AccessAction.REFUSED, flag.id, reason="object")
        raise Refused(404, "There is no such flag, or it is not for this token.")
    note_program(AccessAction.READ, case_id_of(flag.key.occurrence))
    return _answer(FlagModel.of(flag))


@blueprint.get("/coverage")
@operation(
    Operation(
        "get",
        "/api/v1/coverage",
        "getCoverage",
        "How much is watched at present",
        Scope.READ,
        CoverageModel,
    )
)
def get_coverage() -> Response:
    """Coverage now."""
    given = services()
    with given.deps.store.reading() as tx:
        return _answer(CoverageModel.of(coverage(tx, given.clock())))


# --- deciding -----------------------------------------------------------------------------------


@blueprint.post("/cases/<case_id>/decisions")
@operation(
    Operation(
        "post",
        "/api/v1/cases/{case_id}/decisions",
        "decideCase",
        "Pass on an officer's decision about all flags of a case that wait for one",
        Scope.DECIDE,
        DecisionAnswer,
        status=201,
        body=DecisionBody,
        headers=_DECISION_HEADERS,
        errors=(409, 412),
    )
)
def decide_case(case_id: str) -> Response:
    """Decide a case."""
    body = body_of(DecisionBody)
    return _once(lambda tx: _decide(tx, case_id, body, None))


@blueprint.post("/flags/<flag_id>/decisions")
@operation(
    Operation(
        "post",
        "/api/v1/flags/{flag_id}/decisions",
        "decideFlag",
        "Pass on an officer's decision about one flag",
        Scope.DECIDE,
        DecisionAnswer,
        status=201,
        body=DecisionBody,
        headers=_DECISION_HEADERS,
        errors=(409, 412),
    )
)
def decide_flag(flag_id: str) -> Response:
    """Decide a flag."""
    body = body_of(DecisionBody)

    def decide(tx: Tx) -> DecisionAnswer:
        case_id = case_id_of(tx.flags.get(flag_id).key.occurrence)
        return _decide(tx, case_id, body, [flag_id])

    return _once(decide)


def _decide(
    tx: Tx, case_id: str, body: DecisionBody, flags: Collection[str] | None
) -> DecisionAnswer:
    given = services()
    case = _seen(tx, case_id)
    event = work.decide(
        given.deps,
        tx,
        case.id,
        _officer(tx, body.by),
        status=FlagStatus(body.decision),
        reason=body.reason,
        note=body.note,
        as_of=given.clock(),
        flag_ids=flags,
        version=_version(),
    )
    return DecisionAnswer(
        case=CaseModel.of(_seen(tx, case.id)),
        event=EventModel.of(event),
        proposed=event.kind is EventKind.PROPOSED,
    )


def _officer(tx: Tx, address: str) -> work.Actor:
    """Who decides: a program only passes it on."""
    viewer = viewer_of(services(), tx, address)
    if viewer is None or not viewer.has(Role.OFFICER, Role.PRIVACY):
        fix = "give the address of an officer as the configuration names it"
        raise Refused(
            422,
            "Correct every place named.",
            (Mistake("by", "is no officer of the district", fix),),
        )
    return work.Actor(viewer.address, viewer.key, frozenset(viewer.roles))


def _version() -> int | None:
    """The version in If-Match; None without one, or for any (`*`)."""
    text = request.headers.get("If-Match", "").strip()
    if text in ("", "*"):
        return None
    found = re.fullmatch(r'"(\d{1,9})"', text, re.ASCII)
    # What is no version of ours is no current one either.
    return int(found[1]) if found else 0


def _once(do: Callable[[Tx], DecisionAnswer]) -> Response:
    """Do it, or give the answer that the same key got before."""
    given, token = services(), current_token()
    key = request.headers.get(_KEY, "")
    if len(key) > 200:
        mistake = Mistake(_KEY, "is too long", "use up to 200 characters")
        raise Refused(422, "Correct every place named.", (mistake,))
    asked = hashlib.sha256(request.path.encode() + b"\0" + request.get_data()).hexdigest()
    with given.deps.store.transaction() as tx:
        if key:
            tx.tokens.forget_answers(before=given.clock() - _KEY_KEPT)
            known = tx.tokens.answered(token.id, key)
            if known is not None and known.asked != asked:
                raise Refused(409, f"{_KEY} was used with another request.")
            if known is not None:
                return Response(known.body, 201, content_type="application/json")
        answer = do(tx)
        body = answer.model_dump_json(by_alias=True)
        if key:
            tx.tokens.answer(token.id, key, asked, body, at=given.clock())
    return Response(body, 201, content_type="application/json")
