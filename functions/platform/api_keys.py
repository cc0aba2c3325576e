"""API keys: make, list, revoke."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.listing import Listing
from shared.tenants.model import ApiKey
from shared.tenants.use_cases.keys import Granted
from shared.tenants.wire import GrantedAnswer, KeyAnswer, KeyPath, KeyQuery, NewKeyBody, RevokeKeyBody
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("api_keys", house)


@api.route("POST", "/v1/api_keys", status=201, answers=GrantedAnswer)
def create(call: Call, body: NewKeyBody) -> Done[Granted]:
    """Make a key for a principal; it is shown once."""
    return house().api_keys.create(call, body.order())


@api.route("GET", "/v1/api_keys", answers=PageAnswer[KeyAnswer])
def list_keys(call: Call, query: KeyQuery) -> Listing[ApiKey]:
    """A tenant's keys, without their secrets."""
    return house().api_keys.page(call, query.reached(), query.limit, query.cursor)


@api.route("POST", "/v1/api_keys/{id}/revoke", answers=KeyAnswer)
def revoke(call: Call, path: KeyPath, body: RevokeKeyBody) -> Done[ApiKey]:
    """End a key for good; within a minute no instance takes it any more."""
    return house().api_keys.revoke(call, path.id, body.reached())


@functions_framework.http
def api_keys(request: Request) -> Response:
    """The door."""
    return api.serve(request)
