"""Private doors, for tasks, events and schedules: the caller's token first, then the body, then one use case.

What a use case refuses is settled: it has recorded why, and the sender is told 200 so that it does
not come again. A body that cannot be read is a fault of the sender and answered as a problem.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from pydantic import BaseModel
from werkzeug.wrappers import Request, Response

from shared.calls import Call
from shared.events import Announcement
from shared.faults import Refused
from shared.http import access, logs, oidc
from shared.http.frame import Exchange, framed, settle
from shared.http.house import FrameHouse
from shared.http.messages import read_announcement, read_task
from shared.http.requests import bearer, read_bytes, require_method
from shared.http.tracing import continued
from shared.identity import Cause, TenantId, stored_id
from shared.limits import TASK_BYTES

BodyT = TypeVar("BodyT", bound=BaseModel)
House = Callable[[], FrameHouse]

EVERY_TYPE: Final = None
"""For an event door that hears whatever its topic announces."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One firing of a schedule: it belongs to no tenant."""

    at: datetime
    request_id: str
    traceparent: str


def task_door(
    request: Request, door: str, house: House, model: type[BodyT], handle: Callable[[Call, BodyT], object]
) -> Response:
    """Serve a task `{"id", "tenant", "body"}`: `handle(call, body)` under the cause `system/{door}/{id}`.

    Answers 200 `{"done": true}` or `{"refused": code}`; problems otherwise.
    """

    def act(exchange: Exchange) -> Response:
        body = read_bytes(request, TASK_BYTES)
        task, content = read_task(body, model)
        call = _call(exchange, TenantId(task.tenant), task.id, content.model_dump_json())
        return _settled(exchange, lambda: handle(call, content))

    return _guarded(request, door, house(), act)


def event_door(
    request: Request,
    door: str,
    house: House,
    types: Collection[str] | None,
    handle: Callable[[Call, Announcement], object],
) -> Response:
    """Serve a Pub/Sub push: `handle(call, announcement)` for the types named (or EVERY_TYPE), 204 for all others.

    Answers 200 `{"done": true}` or `{"refused": code}`; problems otherwise.
    """
    rooms = house()

    def act(exchange: Exchange) -> Response:
        body = read_bytes(request, 2 * TASK_BYTES)  # base64 and envelope around a message of TASK_BYTES
        announcement = read_announcement(body)
        exchange.trace = continued(announcement.traceparent, rooms.ids)
        logs.enter(rooms.settings.project, exchange.trace)
        if types is not None and announcement.type not in types:
            exchange.tenant = announcement.tenant
            return Response(status=204)
        call = _call(exchange, announcement.tenant, announcement.id, announcement.type)
        return _settled(exchange, lambda: handle(call, announcement))

    return _guarded(request, door, rooms, act)


def schedule_door(request: Request, door: str, house: House, handle: Callable[[Tick], object]) -> Response:
    """Serve a firing of a schedule, whatever its body: `handle(tick)`."""

    def act(exchange: Exchange) -> Response:
        tick = Tick(exchange.at, exchange.request_id, exchange.trace.traceparent)
        return _settled(exchange, lambda: handle(tick))

    return _guarded(request, door, house(), act)


def _guarded(request: Request, door: str, house: FrameHouse, act: Callable[[Exchange], Response]) -> Response:
    accounts = [access.ACCOUNTS[caller] for caller in access.CALLERS[door]]

    def guarded(exchange: Exchange) -> Response:
        exchange.route = f"/{door}"
        require_method(request, "POST")
        oidc.verify(bearer(request), settings=house.settings, door=door, accounts=accounts, at=exchange.at)
        exchange.principal = f"system:{door}"
        return act(exchange)

    return framed(request, door, house, guarded)


def _call(exchange: Exchange, tenant: TenantId, key: str, asked: str) -> Call:
    exchange.tenant = tenant
    return Call(
        tenant=tenant,
        principal=f"system:{exchange.door}",
        cause=Cause("system", exchange.door, key),
        request_id=exchange.request_id,
        # unkeyed: what our own queues carry holds ids and figures only; of what was read, not of its bytes, for a row
        # that the sweep sends again has its fields in another order
        request_hash=stored_id("request", exchange.door, asked),
        traceparent=exchange.trace.traceparent,
        at=exchange.at,
    )


def _settled(exchange: Exchange, handle: Callable[[], object]) -> Response:
    try:
        settle(exchange, handle())
    except Refused as refusal:
        exchange.refused, exchange.severity = refusal.code, "warning"
        answer: dict[str, object] = {"refused": refusal.code, "request_id": exchange.request_id}
    else:
        answer = {"done": True, "replayed": exchange.replayed}
    return Response(json.dumps(answer), 200, content_type="application/json")
