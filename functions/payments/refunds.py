"""Refunds that we ask for: request, approve, reject, cancel, resolve, read; and the amounts that need approval."""

from collections.abc import Mapping

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.listing import Listing
from shared.payments.refunds.model import Refund
from shared.payments.refunds.wire import Limits, NewRefund, RefundAnswer, RefundPath, RefundQuery, Resolution
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("refunds", house)


@api.route("POST", "/v1/refunds", status=201, answers=RefundAnswer)
def request_refund(call: Call, body: NewRefund) -> Done[Refund]:
    """Ask for a refund; up to the tenant's amount it is approved at once, above it by another principal."""
    return house().refunds.request(call, body.order())


@api.route("GET", "/v1/refunds", answers=PageAnswer[RefundAnswer])
def list_refunds(call: Call, query: RefundQuery) -> Listing[Refund]:
    """Refunds by state and payment."""
    return house().refunds.page(call.tenant, query.where(), query.limit, query.cursor)


@api.route("GET", "/v1/refunds/approval_limits", answers=Limits)
def read_limits(call: Call) -> Mapping[str, int]:
    """The amounts up to which a refund needs no approval."""
    return house().refunds.limits(call.tenant)


@api.route("POST", "/v1/refunds/approval_limits", answers=Limits)
def set_limits(call: Call, body: Limits) -> Done[Mapping[str, int]]:
    """Set the amounts up to which a refund needs no approval."""
    return house().refunds.set_limits(call, body.by_currency())


@api.route("GET", "/v1/refunds/{id}", answers=RefundAnswer)
def read_refund(call: Call, path: RefundPath) -> Refund:
    """One refund."""
    return house().refunds.refund(call.tenant, path.id)


@api.route("POST", "/v1/refunds/{id}/approve", answers=RefundAnswer)
def approve(call: Call, path: RefundPath) -> Done[Refund]:
    """Approve a refund as another principal than the one who asked for it; it is then sent."""
    return house().refunds.approve(call, path.id)


@api.route("POST", "/v1/refunds/{id}/reject", answers=RefundAnswer)
def reject(call: Call, path: RefundPath) -> Done[Refund]:
    """Refuse to approve a refund."""
    return house().refunds.reject(call, path.id)


@api.route("POST", "/v1/refunds/{id}/cancel", answers=RefundAnswer)
def cancel(call: Call, path: RefundPath) -> Done[Refund]:
    """Give a refund up before the partner is asked."""
    return house().refunds.cancel(call, path.id)


@api.route("POST", "/v1/refunds/{id}/resolve", answers=RefundAnswer)
def resolve(call: Call, path: RefundPath, body: Resolution) -> Done[Refund]:
    """Say what became of a refund that its partner never answered: its id there, or that it was never made."""
    return house().money_out.resolve(call, path.id, body.reference)


@functions_framework.http
def refunds(request: Request) -> Response:
    """The door."""
    return api.serve(request)
