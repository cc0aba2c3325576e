"""Payouts: list and read them, read their lines, take in what a partner's settlement file says."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.listing import Listing
from shared.payments.payouts.model import SettledItem, Statement
from shared.payments.payouts.wire import ItemsAnswer, NewPage, PayoutAnswer, PayoutPagePath, PayoutPath
from shared.payments.wire import ListQuery
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("payouts", house)


@api.route("GET", "/v1/payouts", answers=PageAnswer[PayoutAnswer])
def list_payouts(call: Call, query: ListQuery) -> Listing[Statement]:
    """Payouts."""
    return house().payouts.page(call.tenant, query.limit, query.cursor)


@api.route("GET", "/v1/payouts/{id}", answers=PayoutAnswer)
def read_payout(call: Call, path: PayoutPath) -> Statement:
    """One payout, and whether it ties to its payments."""
    return house().payouts.statement(call.tenant, path.id)


@api.route("GET", "/v1/payouts/{id}/pages/{number}", answers=ItemsAnswer)
def read_page(call: Call, path: PayoutPagePath) -> tuple[SettledItem, ...]:
    """A page of a payout's lines, and what is known of each."""
    return house().payouts.lines(call.tenant, path.id, path.number)


@api.route("POST", "/v1/payouts/{id}/pages", status=201, answers=PayoutAnswer)
def take_page(call: Call, path: PayoutPath, body: NewPage) -> Done[Statement]:
    """Take in the next page of a payout's lines, from its partner's settlement file."""
    return house().payouts.take_page(call, path.id, body.content())


@functions_framework.http
def payouts(request: Request) -> Response:
    """The door."""
    return api.serve(request)
