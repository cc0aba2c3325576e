"""Every no is a problem document (RFC 9457) with a stable code; only this place knows a refusal's status."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, assert_never

from werkzeug.wrappers import Response

from shared.faults import Fault, Kind, Malformed, Refused, Retryable, TooLarge

PROBLEM_JSON: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 2
_TYPES: Final = "https://daybook.dev/problems/"


class WrongMediaType(Refused):
    """The body is not of the media type that the door reads."""

    code = "unsupported_media_type"
    kind = Kind.MALFORMED


class WrongMethod(Refused):
    """The path exists; this method on it does not. `detail["allow"]` lists those that do."""

    code = "method_not_allowed"
    kind = Kind.MALFORMED


class InvalidFields(Refused):
    """Fields break the door's model; `errors` names each with a code, never with its value."""

    code = "invalid_fields"

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        """Take at least one error: `{"field": dotted path, "code": reason}`."""
        super().__init__(f"{len(errors)} fields are not valid" if len(errors) > 1 else "a field is not valid")
        self.field = errors[0]["field"] or None
        self.errors = tuple(errors)


def status_of(fault: Fault | None) -> int:
    """The status that a fault is answered with; None, or a fault of neither family, is a bug."""
    match fault:
        case WrongMediaType():
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        case WrongMethod():
            return HTTPStatus.METHOD_NOT_ALLOWED
        case Refused():
            return _status_of_kind(fault.kind)
        case Retryable():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR


def _status_of_kind(kind: Kind) -> int:  # noqa: PLR0911 - one line a kind
    match kind:
        case Kind.MALFORMED:
            return HTTPStatus.BAD_REQUEST
        case Kind.UNAUTHENTICATED:
            return HTTPStatus.UNAUTHORIZED
        case Kind.FORBIDDEN:
            return HTTPStatus.FORBIDDEN
        case Kind.NOT_FOUND:
            return HTTPStatus.NOT_FOUND
        case Kind.CONFLICT:
            return HTTPStatus.CONFLICT
        case Kind.TOO_LARGE:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        case Kind.INVALID | Kind.NOT_SUPPORTED:
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case _:
            assert_never(kind)


def problem(fault: Refused | Retryable | None, request_id: str) -> Response:
    """A fault as an answer; None is a bug, of which nothing is told but the request id."""
    status = status_of(fault)
    code = fault.code if fault else "internal_error"
    fields: dict[str, object] = {
        "type": f"{_TYPES}{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": fault.message if fault else "something failed on our side; quote the request_id",
        "code": code,
        "field": fault.field if fault else None,
        "request_id": request_id,
        "retryable": not isinstance(fault, Refused),
    }
    if isinstance(fault, InvalidFields):
        fields["errors"] = fault.errors
    elif fault and fault.detail:
        fields["context"] = dict(fault.detail)
    return Response(json.dumps(fields), status, _headers(fault, status), content_type=PROBLEM_JSON)


def _headers(fault: Fault | None, status: int) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="daybook"'
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(fault, WrongMethod):
        headers["Allow"] = str(fault.detail["allow"])
    return headers


def too_large(limit_bytes: int) -> TooLarge:
    """The body is longer than a door takes."""
    return TooLarge(f"a body here is at most {limit_bytes} bytes", detail={"limit_bytes": limit_bytes})


def malformed(message: str, *, field: str | None = None) -> Malformed:
    """The bytes cannot be read."""
    return Malformed(message, field=field)
