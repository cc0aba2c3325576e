"""The frame around every request: its ids and trace, its cost, its faults as answers, its one log line."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from werkzeug.wrappers import Request, Response

from shared import counters
from shared.calls import Done
from shared.desk import RecordedRefusal
from shared.faults import Refused, Retryable
from shared.http import logs
from shared.http.house import FrameHouse
from shared.http.problems import problem
from shared.http.tracing import Trace, continued, request_id

ENVIRON_KEY: Final = "daybook.exchange"
REPLAYED: Final = ("Idempotency-Replayed", "true")
"""The header of an answer, or a refusal, that was given before under the same key."""


@dataclass(slots=True)
class Exchange:
    """One request as the frame knows it; mutable, for its log line is only known at the end."""

    door: str
    method: str
    request_id: str
    trace: Trace
    at: datetime
    route: str | None = None
    tenant: str | None = None
    principal: str | None = None
    replayed: bool = False
    refused: str | None = None
    severity: str = "info"


def framed(request: Request, door: str, house: FrameHouse, act: Callable[[Exchange], Response]) -> Response:
    """Run one request: whatever `act` raises becomes a problem document, and one line is logged."""
    logs.configure(house)
    operations, started = counters.begin(), time.perf_counter()
    exchange = _open(request, door, house)
    logs.enter(house.settings.project, exchange.trace)
    failure: dict[str, object] = {}
    try:
        response = act(exchange)
    except Refused as refusal:
        exchange.refused, exchange.replayed = refusal.code, isinstance(refusal, RecordedRefusal)
        response = problem(refusal, exchange.request_id)
        response.headers.extend([REPLAYED] if exchange.replayed else [])
    except Retryable as fault:
        exchange.severity, failure = "warning", {"retry": fault.code}
        response = problem(fault, exchange.request_id)
    except Exception as error:  # noqa: BLE001 - a door answers 500 for every bug and tells the log where it was
        exchange.severity, failure = "error", logs.what_failed(error)
        response = problem(None, exchange.request_id)
    response.headers["X-Request-Id"] = exchange.request_id
    duration_ms = round((time.perf_counter() - started) * 1000, 1)
    logs.write(exchange.severity, _line(exchange, response.status_code, duration_ms) | failure | _cost(operations))
    return response


def settle(exchange: Exchange, result: object) -> object:
    """What a use case answered, without its wrapping; notes in the exchange whether it was given before."""
    if isinstance(result, Done):
        exchange.replayed = result.replayed
        return result.answer
    return result


def _open(request: Request, door: str, house: FrameHouse) -> Exchange:
    return Exchange(
        door=door,
        method=request.method,
        request_id=request_id(request.headers.get("X-Request-Id"), house.ids),
        trace=continued(request.headers.get("traceparent"), house.ids),
        at=house.clock.now(),
    )


def _line(exchange: Exchange, status: int, duration_ms: float) -> dict[str, object]:
    return {
        "door": exchange.door,
        "route": exchange.route,
        "method": exchange.method,
        "status": status,
        "duration_ms": duration_ms,
        "request_id": exchange.request_id,
        "trace": exchange.trace.trace_id,
        "tenant": exchange.tenant,
        "principal": exchange.principal,
        "replayed": exchange.replayed,
        "refused": exchange.refused,
    }


def _cost(operations: counters.Operations) -> dict[str, object]:
    return {"ops": asdict(operations)}
