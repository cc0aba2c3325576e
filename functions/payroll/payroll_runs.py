"""Payroll runs: prepare, read, approve by a second principal."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.listing import Listing
from shared.payroll.runs import PayrollRun, RunPayslip
from shared.payroll.wire import IdPath, ListQuery, NewRun, PayslipAnswer, RunAnswer
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("payroll_runs", house)


@api.route("POST", "/v1/payroll_runs", status=201, answers=RunAnswer)
def prepare(call: Call, body: NewRun) -> Done[PayrollRun]:
    """Prepare the run of a period: every employee is calculated in the background."""
    return house().payroll_runs.prepare(call, *body.pay())


@api.route("GET", "/v1/payroll_runs", answers=PageAnswer[RunAnswer])
def list_runs(call: Call, query: ListQuery) -> Listing[PayrollRun]:
    """Payroll runs."""
    return house().payroll_runs.page(call.tenant, query.limit, query.cursor)


@api.route("GET", "/v1/payroll_runs/{id}", answers=RunAnswer)
def read_run(call: Call, path: IdPath) -> PayrollRun:
    """One run, with its control totals once it is calculated."""
    return house().payroll_runs.run(call.tenant, path.id)


@api.route("GET", "/v1/payroll_runs/{id}/payslips", answers=PageAnswer[PayslipAnswer])
def list_payslips(call: Call, path: IdPath, query: ListQuery) -> Listing[RunPayslip]:
    """A run's payslips."""
    return house().payroll_runs.payslips(call.tenant, path.id, query.limit, query.cursor)


@api.route("POST", "/v1/payroll_runs/{id}/approve", answers=RunAnswer)
def approve(call: Call, path: IdPath) -> Done[PayrollRun]:
    """Approve a calculated run as another principal than the one who prepared it; it is then posted."""
    return house().payroll_runs.approve(call, path.id)


@functions_framework.http
def payroll_runs(request: Request) -> Response:
    """The door."""
    return api.serve(request)
