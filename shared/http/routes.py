"""A route as a door declares it, and its arguments read from a request in the order path, query, body."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel
from werkzeug.wrappers import Request

from shared.calls import Call
from shared.faults import NotFound
from shared.http.access import ROUTES
from shared.http.bodies import parse, parse_strings, query_values
from shared.http.problems import InvalidFields
from shared.http.requests import require_json
from shared.wire import Answers, Empty


@dataclass(frozen=True, slots=True)
class Route:
    """What one route takes, does and answers."""

    method: str
    rule: str
    scope: str
    status: int
    use: Callable[..., Any]
    answers: type[Answers]
    writes: bool
    path: type[BaseModel] | None
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    wants_body: bool
    """Whether the function is given the body; a POST that takes none must still bring none, or `{}`."""

    @property
    def name(self) -> str:
        """The function's name."""
        return self.use.__name__


def declare(  # noqa: PLR0913 - a route in its parts, all named
    *, method: str, rule: str, use: Callable[..., Any], status: int, answers: type[Answers], writes: bool
) -> Route:
    """A route, its models taken from the annotations `path`, `query` and `body` of its function.

    Raises:
        LookupError: the route is not in the access table.
        TypeError: the function does not take a call first, or a GET takes a body.
    """
    if (method, rule) not in ROUTES:
        message = f"{method} {rule} is not in shared.http.access.ROUTES"
        raise LookupError(message)
    hints = get_type_hints(use)
    if hints.get("call") is not Call or (method == "GET" and "body" in hints):
        message = f"{method} {rule}: a route's function takes `call: Call` and, unless it reads, a body"
        raise TypeError(message)
    return Route(
        method=method,
        rule=rule,
        scope=ROUTES[method, rule],
        status=status,
        use=use,
        answers=answers,
        writes=writes,
        path=hints.get("path"),
        query=hints.get("query"),
        body=hints.get("body", Empty) if method == "POST" else None,
        wants_body="body" in hints,
    )


def read_arguments(route: Route, request: Request, path_values: Mapping[str, str], body: bytes) -> dict[str, BaseModel]:
    """What the route's function is called with, besides the call.

    Raises:
        NotFound: an id in the path is none that could exist.
        InvalidFields: a parameter or field is wrong, missing or unknown.
        Malformed: the body is not JSON.
        WrongMediaType: the body does not call itself JSON.
    """
    arguments: dict[str, BaseModel] = {}
    if route.path:
        arguments["path"] = _read_path(route.path, path_values)
    query = query_values(request)
    if route.query:
        arguments["query"] = parse_strings(route.query, query)
    elif query:
        parse_strings(Empty, query)
    if route.body:
        read = _read_body(route.body, request, body)
        if route.wants_body:
            arguments["body"] = read
    return arguments


def _read_path(model: type[BaseModel], values: Mapping[str, str]) -> BaseModel:
    try:
        return parse_strings(model, values)
    except InvalidFields as wrong:
        if wrong.field == "id":
            message = "there is no object under this id"
            raise NotFound(message) from None
        raise


def _read_body(model: type[BaseModel], request: Request, body: bytes) -> BaseModel:
    if model is Empty and not body:
        return Empty()
    require_json(request)
    return parse(model, body)
