"""Tenants: make one, list them. The platform's key only."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.listing import Listing
from shared.tenants.model import Tenant
from shared.tenants.use_cases.tenants import Opened
from shared.tenants.wire import NewTenantBody, OpenedAnswer, TenantAnswer, TenantQuery
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("tenants", house)


@api.route("POST", "/v1/tenants", status=201, answers=OpenedAnswer)
def create(call: Call, body: NewTenantBody) -> Done[Opened]:
    """Make a tenant with its chart of accounts and its owner's key, which is shown once."""
    return house().tenants.create(call, body.new_tenant())


@api.route("GET", "/v1/tenants", answers=PageAnswer[TenantAnswer])
def list_tenants(call: Call, query: TenantQuery) -> Listing[Tenant]:  # noqa: ARG001 - the directory is the platform's
    """All tenants."""
    return house().tenants.page(query.limit, query.cursor)


@functions_framework.http
def tenants(request: Request) -> Response:
    """The door."""
    return api.serve(request)
