"""Ask a partner what a payout is made of, when it was paid."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call
from shared.events import Announcement
from shared.http.private import event_door
from shared.payments.payouts.model import Statement
from shared.wiring import house

PAID = "payout.paid"


def _settle(call: Call, paid: Announcement) -> Statement:
    return house().payouts.ask(call, paid.subject, paid.occurred_at)


@functions_framework.http
def settle_payout(request: Request) -> Response:
    """The door."""
    return event_door(request, "settle_payout", house, {PAID}, _settle)
