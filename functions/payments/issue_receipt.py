"""Issue a receipt when a payment was applied."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.events import Announcement
from shared.http.private import event_door
from shared.payments.applying import APPLIED
from shared.payments.model import Receipt
from shared.wiring import house


def _issue(call: Call, applied: Announcement) -> Done[Receipt]:
    return house().payments.issue_receipt(call, applied.subject)


@functions_framework.http
def issue_receipt(request: Request) -> Response:
    """The door."""
    return event_door(request, "issue_receipt", house, {APPLIED}, _issue)
