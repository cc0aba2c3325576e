"""Customers: add, list, read, disclose."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.customers.model import Customer
from shared.customers.wire import (
    CustomerAnswer,
    CustomerDisclosure,
    CustomerPath,
    CustomerQuery,
    NewCustomerBody,
)
from shared.http.api import Api
from shared.listing import Listing
from shared.privacy import Disclosed
from shared.privacy.wire import DisclosureAnswer
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("customers", house)


@api.route("POST", "/v1/customers", status=201, answers=CustomerAnswer)
def add(call: Call, body: NewCustomerBody) -> Done[Customer]:
    """Add a customer; name and e-mail are sealed before anything is stored."""
    return house().customers.add(call, body.new_customer())


@api.route("GET", "/v1/customers", answers=PageAnswer[CustomerAnswer])
def list_customers(call: Call, query: CustomerQuery) -> Listing[Customer]:
    """Customers, without personal fields."""
    return house().customers.page(call.tenant, query.limit, query.cursor)


@api.route("GET", "/v1/customers/{id}", answers=CustomerAnswer)
def read_customer(call: Call, path: CustomerPath) -> Customer:
    """One customer, without personal fields."""
    return house().customers.customer(call.tenant, path.id)


@api.route("POST", "/v1/customers/{id}/disclosures", status=201, answers=DisclosureAnswer)
def disclose(call: Call, path: CustomerPath, body: CustomerDisclosure) -> Done[Disclosed]:
    """Open personal fields; who asked and why is recorded first."""
    return house().customers.disclose(call, path.id, body.fields, body.purpose)


@functions_framework.http
def customers(request: Request) -> Response:
    """The door."""
    return api.serve(request)
