"""What went wrong, as RFC 9457 has it: `application/problem+json`."""

from __future__ import annotations

import json

from flask import Response
from werkzeug.exceptions import HTTPException

from meetbot.console.api.models import Problem, WrongField
from meetbot.errors import (
    AccessDenied,
    BadInput,
    MeetbotError,
    Mistake,
    NotFound,
    Outdated,
    Temporary,
)

TYPE = "application/problem+json"
_TITLES = {
    400: "This is not JSON",
    401: "A token is needed",
    403: "This token may not do this",
    404: "There is nothing here",
    405: "This method does not work here",
    409: "This key was used for something else",
    412: "It has changed since",
    413: "This is too large",
    415: "Send application/json",
    422: "Something in it is wrong",
    429: "Too many requests",
    503: "Try again later",
}
_KEPT = ("Allow", "Retry-After", "WWW-Authenticate")


class Refused(HTTPException):
    """A request that ends here; `status` is one of the titles'."""

    def __init__(
        self, status: int, detail: str, errors: tuple[Mistake, ...] = (), challenge: str = ""
    ) -> None:
        super().__init__(detail)
        self.code = status
        self.errors = errors
        self.challenge = challenge


def problem(status: int, detail: str, mistakes: tuple[Mistake, ...] = ()) -> Response:
    """The answer; `detail` repeats nothing that was sent."""
    body = Problem(
        title=_TITLES.get(status, "Something went wrong"),
        status=status,
        detail=detail,
        errors=[WrongField(place=m.place, what=m.what, fix=m.fix) for m in mistakes],
    )
    return Response(json.dumps(body.model_dump()), status, content_type=TYPE)


def problem_of(error: HTTPException) -> Response:
    """The answer for an error of HTTP."""
    if isinstance(error, Refused):
        answer = problem(error.code or 500, error.description or "", error.errors)
        if error.challenge:
            answer.headers["WWW-Authenticate"] = error.challenge
        return answer
    status = error.code or 500
    answer = problem(status, _DETAILS.get(status, "It was noted; try again."))
    for name, value in error.get_headers():
        if name in _KEPT:
            answer.headers[name] = value
    return answer


_DETAILS = {
    404: "The path is wrong, or what it names is not for this token.",
    405: "See the header Allow, and /api/v1/openapi.json.",
    413: "Send less than 64 kB.",
    429: "See the header Retry-After.",
}


def refused(error: MeetbotError) -> Refused:
    """What a job refused, for whoever asked."""
    match error:
        case Outdated():
            return Refused(412, "Read it again, then decide on what it says now.", error.mistakes)
        case BadInput():
            return Refused(422, "Correct every place named.", error.mistakes)
        case NotFound():
            return Refused(404, "There is no such thing, or it is not for this token.")
        case AccessDenied():
            return Refused(403, "The person named may not decide this.")
        case Temporary():
            return Refused(503, "The database is busy.")
    raise error
