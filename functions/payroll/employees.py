"""Employees: take on, list, disclose personal fields for a purpose."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.listing import Listing
from shared.payroll.runs import Employee
from shared.payroll.wire import (
    EmployeeAnswer,
    EmployeeDisclosure,
    IdPath,
    ListQuery,
    NewEmployeeBody,
)
from shared.privacy import Disclosed
from shared.privacy.wire import DisclosureAnswer
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("employees", house)


@api.route("POST", "/v1/employees", status=201, answers=EmployeeAnswer)
def take_on(call: Call, body: NewEmployeeBody) -> Done[Employee]:
    """Take on an employee; personal fields are sealed before anything is stored."""
    return house().employees.take_on(call, body.new_employee())


@api.route("GET", "/v1/employees", answers=PageAnswer[EmployeeAnswer])
def list_employees(call: Call, query: ListQuery) -> Listing[Employee]:
    """Employees, without personal fields."""
    return house().employees.page(call.tenant, query.limit, query.cursor)


@api.route("GET", "/v1/employees/{id}", answers=EmployeeAnswer)
def read_employee(call: Call, path: IdPath) -> Employee:
    """One employee, without personal fields."""
    return house().employees.employee(call.tenant, path.id)


@api.route("POST", "/v1/employees/{id}/disclosures", status=201, answers=DisclosureAnswer)
def disclose(call: Call, path: IdPath, body: EmployeeDisclosure) -> Done[Disclosed]:
    """Open personal fields; who asked and why is recorded first."""
    return house().employees.disclose(call, path.id, body.fields, body.purpose)


@functions_framework.http
def employees(request: Request) -> Response:
    """The door."""
    return api.serve(request)
