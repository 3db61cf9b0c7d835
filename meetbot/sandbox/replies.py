"""Answers and Google's two error shapes."""

from dataclasses import dataclass, field

import orjson

from meetbot.sandbox.faults import Api

JSON = "application/json; charset=UTF-8"
_CLASSIC = frozenset({Api.CALENDAR, Api.DIRECTORY, Api.REPORTS})
_MODERN = frozenset({Api.MEET, Api.SHEETS})
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_REASON = {
    400: "badRequest",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "duplicate",
    410: "deleted",
    429: "rateLimitExceeded",
    500: "backendError",
    501: "notImplemented",
    503: "backendError",
}


@dataclass(slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """A request Google would refuse; `reason` is the word of the classic APIs."""

    def __init__(
        self,
        status: int,
        message: str,
        reason: str = "",
        *,
        location: str = "",
        info: str = "",
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason or _REASON.get(status, "backendError")
        self.location = location
        self.info = info
        self.retry_after = retry_after


def error_reply(api: Api, error: ApiError) -> Reply:
    """The error as this API writes it.

    Calendar, Directory and Reports list `errors[].reason`; Meet, Sheets and Gmail give `status`,
    and Gmail both (https://github.com/googleapis/google-api-python-client/issues/1243).
    """
    body: dict[str, object] = {"code": error.status, "message": error.message}
    if api not in _MODERN:
        line = {"message": error.message, "domain": "global", "reason": error.reason}
        if error.location:
            line |= {"location": error.location, "locationType": "parameter"}
        body["errors"] = [line]
    if api not in _CLASSIC:
        body["status"] = _STATUS.get(error.status, "UNKNOWN")
        if error.info:
            body["details"] = [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": error.info,
                    "domain": "googleapis.com",
                }
            ]
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return Reply(error.status, orjson.dumps({"error": body}), headers=headers)


def not_a_method() -> Reply:
    """What Google's front end says to a path that no API has: a page, not JSON."""
    page = b"<!DOCTYPE html>\n<html lang=en><title>Error 404 (Not Found)!!1</title>"
    return Reply(404, page, "text/html; charset=UTF-8")
