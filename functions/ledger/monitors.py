"""Balance monitors: made, listed, ended."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.ledger.rules.monitors import Monitor
from shared.ledger.wire.monitors import MonitorAnswer, MonitorPath, NewMonitor
from shared.listing import Listing
from shared.wire import PageAnswer, PageQuery
from shared.wiring import house

api = Api("monitors", house)


@api.route("POST", "/v1/ledger/monitors", status=201, answers=MonitorAnswer)
def watch(call: Call, body: NewMonitor) -> Done[Monitor]:
    """Watch a balance, or what is available: each time it is seen to have gone beyond the amount is announced once."""
    return house().monitors.watch(call, body.watch())


@api.route("GET", "/v1/ledger/monitors", answers=PageAnswer[MonitorAnswer])
def list_monitors(call: Call, query: PageQuery) -> Listing[Monitor]:
    """Monitors with what was seen last, ended ones too."""
    return house().monitors.page(call.tenant, query.limit, query.cursor)


@api.route("POST", "/v1/ledger/monitors/{id}/end", answers=MonitorAnswer)
def end_monitor(call: Call, path: MonitorPath) -> Done[Monitor]:
    """Watch no longer."""
    return house().monitors.end(call, path.monitor_id)


@functions_framework.http
def monitors(request: Request) -> Response:
    """The door."""
    return api.serve(request)
