"""An API door: routes of three moves (parse, call one use case, answer), served and documented from the same models.

`Api.route` declares; flask-openapi3 routes and writes the OpenAPI 3.1 document; the frame
authenticates, checks the role, demands the Idempotency-Key, validates and maps the answer.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import flask
import werkzeug.exceptions
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Request, Response

from shared.faults import NotFound
from shared.http.access import PREFIXES
from shared.http.callers import admit, reading_call, writing_call
from shared.http.frame import ENVIRON_KEY, REPLAYED, Exchange, framed, settle
from shared.http.house import FrameHouse
from shared.http.problems import PROBLEM_JSON, WrongMethod, malformed
from shared.http.requests import idempotency_key, read_bytes
from shared.http.routes import Route, declare, read_arguments
from shared.limits import BODY_BYTES
from shared.wire import Answers

UseT = TypeVar("UseT", bound=Callable[..., Any])

_PROBLEM: Final = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSALS: Final = {
    400: "The request cannot be read, or lacks its Idempotency-Key",
    401: "The API key is missing or opens nothing",
    403: "The key's role does not carry this route",
    404: "No such object under this tenant",
    409: "The object's state does not allow this",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "A field breaks a rule, or the Idempotency-Key was used with another request",
    500: "A bug; quote the request_id",
    503: "Nothing was decided; ask again after Retry-After",
}


class Problem(BaseModel):
    """A refusal or failure (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None
    request_id: str
    retryable: bool


class WritingHeaders(BaseModel):
    """What a writing POST carries besides the key."""

    model_config = ConfigDict(populate_by_name=True)

    idempotency_key: str = Field(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="The same key with the same request is done once; the answer is given again.",
    )


class Api:
    """One API door and its routes."""

    def __init__(self, door: str, house: Callable[[], FrameHouse]) -> None:
        """Serve the door named in functions/catalogue.yaml; `house` is asked for at the first request.

        Raises:
            KeyError: `shared.http.access.PREFIXES` does not know the door.
        """
        self._door, self._house = door, house
        self.routes: list[Route] = []
        self._app = _application(door, PREFIXES[door])

    def route(
        self, method: str, rule: str, *, answers: type[Answers], status: int = 200, writes: bool | None = None
    ) -> Callable[[UseT], UseT]:
        """Declare a route, such as `("POST", "/v1/invoices/{id}/issue")`.

        The function takes `call: Call` and any of `path`, `query` and `body` (pydantic models) and
        returns `Done[T]` or `T`; `answers.of(T)` is sent. A POST writes unless `writes=False`.

        Raises:
            LookupError: the route is not in `shared.http.access.ROUTES`.
        """
        writing = method == "POST" if writes is None else writes

        def register(use: UseT) -> UseT:
            route = declare(method=method, rule=rule, use=use, status=status, answers=answers, writes=writing)
            self._mount(route)
            self.routes.append(route)
            return use

        return register

    def serve(self, request: Request) -> Response:
        """Answer one request, whatever it is."""

        def act(exchange: Exchange) -> Response:
            return Response.from_app(self._app.wsgi_app, {**request.environ, ENVIRON_KEY: exchange})

        return framed(request, self._door, self._house(), act)

    def openapi(self) -> dict[str, Any]:
        """The door's OpenAPI 3.1 document."""
        document: dict[str, Any] = self._app.api_doc
        return document

    def _mount(self, route: Route) -> None:
        """Register a route; `__delay_validate_request__` is flask-openapi3's way to let us validate after the key."""

        def view(**path_values: str) -> Response:
            exchange: Exchange = flask.request.environ[ENVIRON_KEY]
            exchange.route = route.rule
            return self._answer(route, flask.request, exchange, path_values)

        models = {"path": _documented(route.path), "query": _documented(route.query), "body": route.body}
        view.__annotations__ = {name: model for name, model in models.items() if model}
        if route.writes:
            view.__annotations__["header"] = WritingHeaders
        view.__name__, view.__doc__ = route.name, route.use.__doc__
        view.__dict__["__delay_validate_request__"] = True
        register = self._app.post if route.method == "POST" else self._app.get
        register(
            route.rule.replace("{", "<").replace("}", ">"),
            operation_id=f"{self._door}_{route.name}",
            responses={route.status: cast("type[BaseModel]", route.answers)},
            security=[{"api_key": []}],
            provide_automatic_options=False,
        )(view)

    def _answer(self, route: Route, request: Request, exchange: Exchange, path_values: dict[str, str]) -> Response:
        house = self._house()
        credential = admit(request, house, exchange, route.scope)
        key = idempotency_key(request) if route.writes else ""
        body = read_bytes(request, BODY_BYTES) if route.method == "POST" else b""
        arguments = read_arguments(route, request, path_values, body)
        if route.writes:
            call = writing_call(exchange, credential, request.path, key=key, body=body, house=house)
        else:
            call = reading_call(exchange, credential, request.path)
        answer = settle(exchange, route.use(call, **arguments))
        exchange.replayed = exchange.replayed and route.writes
        headers = {"Cache-Control": "no-store"} | dict([REPLAYED] if exchange.replayed else [])
        text = route.answers.of(answer).model_dump_json()
        return Response(text, route.status, headers, content_type="application/json")


def _documented(model: type[BaseModel] | None) -> type[BaseModel] | None:
    """A model of parameters as flask-openapi3 can document it: it takes a field's list of `examples` for a mapping."""
    if model is None:
        return None

    def without_examples(_: type, /, **options: Any) -> dict[str, Any]:
        schema = model.model_json_schema(**options)
        for field in schema.get("properties", {}).values():
            field.pop("examples", None)
        return schema

    return type(model.__name__, (model,), {"model_json_schema": classmethod(without_examples)})


def _application(door: str, prefix: str) -> OpenAPI:
    """The routing application; it lets a fault out as it is raised, and the frame turns it into an answer."""
    app = OpenAPI(
        __name__,
        info=Info(title=f"Daybook: {door}", version="1"),
        security_schemes={"api_key": {"type": "http", "scheme": "bearer", "description": "db_{tenant}_{id}_{secret}"}},
        responses={
            status: {"description": description, "content": _PROBLEM} for status, description in _REFUSALS.items()
        },
        validation_error_model=Problem,
        doc_ui=False,
    )
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.url_map.merge_slashes = False
    app.register_error_handler(HTTPException, _not_routed)
    app.add_url_rule(f"{prefix}/openapi.json", "openapi", lambda: app.api_doc, provide_automatic_options=False)
    return app


def _not_routed(error: HTTPException) -> Response:
    """What Flask itself refuses, as faults: no such path, no such method on it, a request nobody can read."""
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        message = "this path does not take this method"
        raise WrongMethod(message, detail={"allow": allowed}) from error
    if isinstance(error, werkzeug.exceptions.NotFound):
        message = "there is no such path"
        raise NotFound(message) from error
    message = "the request cannot be read"
    raise malformed(message) from error
